-- name: bound
-- A look at the installation must neither wait for long nor take long.
SET LOCAL statement_timeout = '5s'

-- name: files
SELECT kind, status, count(*) AS files, max(received_at) AS newest_at, min(received_at) AS first_at
FROM received_file GROUP BY kind, status ORDER BY kind, status

-- name: cases
SELECT kind, count(*) AS cases FROM exception_case WHERE state = 'open' GROUP BY kind ORDER BY kind

-- name: cycles
SELECT state, count(*) AS cycles FROM cycle GROUP BY state ORDER BY state

-- name: amounts
-- Credit-positive cents of liabilities; the balances are the stored ones, which proof P10 ties to the lines.
SELECT (SELECT coalesce(sum(claim_count), 0)::bigint FROM advice WHERE state <> 'replaced') AS claims,
       deposits.number AS parked_deposits, deposits.cents AS parked_deposit_cents,
       advices.number AS parked_advices, advices.cents AS parked_advice_cents,
       balances.in_transit_cents, balances.float_cents, balances.negatives, balances.negative_cents,
       pg_database_size(current_database()) AS database_bytes
FROM (SELECT count(*) AS number, coalesce(sum(amount_cents), 0)::bigint AS cents
      FROM bank_line WHERE state = 'unmatched' AND amount_cents > 0) AS deposits,
     (SELECT count(*) AS number, coalesce(sum(payment_cents), 0)::bigint AS cents
      FROM advice WHERE state = 'accepted') AS advices,
     (SELECT coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'in_transit'), 0)::bigint AS in_transit_cents,
             coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_float'), 0)::bigint AS float_cents,
             count(*) FILTER (WHERE account = 'operating_advance' AND credit_cents > debit_cents) AS negatives,
             coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_advance'), 0)::bigint AS negative_cents
      FROM balance
      WHERE ledger = 'custody' AND account IN ('in_transit', 'operating_float', 'operating_advance')) AS balances

-- name: failing_proofs
SELECT subject FROM exception_case WHERE kind = 'proof_failed' AND state = 'open' ORDER BY subject

-- name: runs
SELECT state, count(*) AS runs FROM job_run GROUP BY state ORDER BY state

-- name: verified
SELECT max(finished_at) FROM job_run WHERE job = 'verify' AND state = 'done'
