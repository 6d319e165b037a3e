-- name: waiting_payments
-- Payments not funded yet: the sets that share a trace are one payment.
SELECT payer_id, trace_number, min(payer_name) AS payer_name, array_agg(advice_id ORDER BY advice_id) AS advice_ids,
       sum(payment_cents - funded_cents)::bigint AS cents, sum(funded_cents)::bigint AS funded_cents, max(paid_on) AS paid_on
FROM advice WHERE state = 'accepted' GROUP BY payer_id, trace_number ORDER BY payer_id, trace_number

-- name: lock_cases
SELECT pg_advisory_xact_lock(hashtext('centralpay.matching_cases'))

-- name: funded_payments
SELECT payer_id, trace_number, sum(payment_cents)::bigint AS cents FROM advice
WHERE state = 'funded' AND trace_number = ANY (CAST(:traces AS text[])) GROUP BY payer_id, trace_number

-- name: lock_advices
-- Not against those who only refer to them: a loader that pairs reversals holds balances by then, and both would wait in a circle.
SELECT advice_id, trace_number, funded_cents FROM advice
WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND state = 'accepted' ORDER BY advice_id FOR NO KEY UPDATE

-- name: mark_funded
UPDATE advice a SET funded_cents = a.funded_cents + n.cents,
    state = CASE WHEN a.funded_cents + n.cents = a.payment_cents THEN 'funded' ELSE a.state END
FROM unnest(CAST(:advice_ids AS bigint[]), CAST(:cents AS bigint[])) AS n (advice_id, cents)
WHERE a.advice_id = n.advice_id AND a.state = 'accepted'

-- name: advices_free_on
-- The last day on which something came to these advices or came back to them: advised (once more, after each time that they were put
-- back), found to be a member's, or one of these or a funding reversed. An accounting date may be later than the fact's.
WITH RECURSIVE told AS (
    SELECT n.advice_id, 1 AS next, t.transaction_id, t.effective_on FROM unnest(CAST(:advice_ids AS bigint[])) AS n (advice_id)
    JOIN journal_transaction t ON t.fact_key = 'advised:' || n.advice_id
    UNION ALL
    SELECT b.advice_id, b.next + 1, t.transaction_id, t.effective_on FROM told b JOIN journal_transaction t ON t.fact_key = format('advised:%s:%s', b.advice_id, b.next)
)
-- Each reversal is looked up by itself: to the planner the recursion is a thousand rows, for which it would read the whole journal.
SELECT max(greatest(d.effective_on, (SELECT r.effective_on FROM journal_transaction r WHERE r.reverses = d.transaction_id))) FROM (
    SELECT transaction_id, effective_on FROM told
    UNION ALL
    SELECT t.transaction_id, t.effective_on FROM found_share f JOIN journal_transaction t USING (transaction_id)
    WHERE f.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND NOT f.was_funded
    UNION ALL
    SELECT DISTINCT e.transaction_id, CAST(NULL AS date) FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.account = 'advised' AND l.event = 'funded' AND l.reference = ANY (CAST(:advice_ids AS bigint[]))) d

-- name: count_fundings
-- All that ever were, reversed or not.
SELECT count(DISTINCT e.transaction_id) FROM line l JOIN entry e USING (owner_id, entry_id)
WHERE l.account = 'advised' AND l.event = 'funded' AND l.reference = ANY (CAST(:advice_ids AS bigint[]))

-- name: unfunded_shares
-- Of each share as it is posted, less what standing parts funded (a part is of one advice); what was found before it was funded
-- is its member's.
WITH given AS (
    SELECT owner_id, advice_id, (claims_cents - plb_cents)::bigint AS cents, CAST(NULL AS bigint) AS identifier, false AS is_network
    FROM advice_share WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND owner_id <> house_id()
    UNION ALL
    SELECT house_id(), c.advice_id, c.paid_cents, c.unknown_payee_id, false
    FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
    WHERE c.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND c.owner_id = house_id()
    UNION ALL
    SELECT house_id(), advice_id, -amount_cents, unknown_payee_id, is_network FROM plb_line
    WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND owner_id = house_id()
    UNION ALL
    SELECT x.owner_id, f.advice_id, x.cents, x.identifier, false
    FROM found_share f CROSS JOIN LATERAL (VALUES (f.owner_id, f.claims_cents - f.plb_cents, CAST(NULL AS bigint)),
                                                  (house_id(), f.plb_cents - f.claims_cents, f.unknown_payee_id)) AS x (owner_id, cents, identifier)
    WHERE f.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND f.standing AND NOT f.was_funded
    UNION ALL
    SELECT l.owner_id, p.advice_id, -l.amount_cents, CASE WHEN l.account = 'unknown_payee_unfunded' THEN l.reference END,
           l.account = 'network_adjustment_unfunded'
    FROM (SELECT DISTINCT transaction_id, reference AS advice_id FROM standing_line
          WHERE account = 'advised' AND event = 'funded' AND reference = ANY (CAST(:advice_ids AS bigint[]))) p
    JOIN entry e USING (transaction_id) JOIN line l USING (owner_id, entry_id)
    WHERE l.account IN ('due_unfunded', 'unknown_payee_unfunded', 'network_adjustment_unfunded')
)
SELECT owner_id, advice_id, sum(cents)::bigint AS cents, identifier FROM given
GROUP BY owner_id, advice_id, identifier, is_network HAVING sum(cents) <> 0 ORDER BY advice_id, owner_id, identifier

-- name: suspended_lines
SELECT b.bank_line_id, b.as_of, -sum(l.amount_cents)::bigint AS cents
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account = 'suspense'
WHERE b.state = 'suspended' GROUP BY b.bank_line_id HAVING sum(l.amount_cents) <> 0 ORDER BY b.bank_line_id

-- name: follow_lines
-- Brings bank lines to the state that their open items say, after a reversal or what a person decided.
UPDATE bank_line b SET state = n.state
FROM (SELECT b.bank_line_id, CASE WHEN coalesce(sum(l.amount_cents) FILTER (WHERE l.account <> 'suspense'), 0) <> 0 THEN 'unmatched'
                                  WHEN coalesce(sum(l.amount_cents), 0) <> 0 THEN 'suspended' ELSE 'matched' END AS state
      FROM bank_line b LEFT JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id()
          AND l.account IN ('unmatched_deposit', 'unmatched_debit', 'suspense')
      WHERE b.bank_line_id = ANY (CAST(:lines AS bigint[])) GROUP BY b.bank_line_id) n
WHERE b.bank_line_id = n.bank_line_id AND b.state <> n.state

-- name: follow_advices
-- Brings advices to what their standing fundings say, after a reversal.
UPDATE advice a SET funded_cents = n.cents, state = CASE WHEN n.fundings > 0 AND n.cents = a.payment_cents THEN 'funded' ELSE 'accepted' END
FROM (SELECT k.advice_id, coalesce(-sum(l.amount_cents), 0)::bigint AS cents, count(l.amount_cents) AS fundings
      FROM unnest(CAST(:advice_ids AS bigint[])) AS k (advice_id)
      LEFT JOIN standing_line l ON l.account = 'advised' AND l.event = 'funded' AND l.reference = k.advice_id GROUP BY k.advice_id) n
WHERE a.advice_id = n.advice_id AND a.state NOT IN ('replaced', 'direct')

-- name: negative_members
-- Two owners of one store may both owe.
SELECT CASE WHEN count(*) OVER (PARTITION BY p.ncpdp_id) = 1 THEN p.ncpdp_id ELSE concat_ws(' ', p.ncpdp_id, b.owner_id) END AS subject,
       (b.credit_cents - b.debit_cents)::bigint AS cents
FROM balance b LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE b.ledger = 'custody' AND b.account = 'operating_advance' AND b.credit_cents > b.debit_cents
