-- Each proof gives one row: checked (how many), failing (how many), owners (whose), detail (the first failure).
-- :owners restricts a proof to these owners where it has owners; null asks for all.

-- name: P1
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('owner %s entry %s sums to %s cents', owner_id, entry_id, total)) FILTER (WHERE bad) AS detail
FROM (SELECT owner_id, entry_id, sum(amount_cents) AS total, sum(amount_cents) <> 0 OR count(*) < 2 AS bad
      FROM line WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))
      GROUP BY owner_id, entry_id) e

-- name: P2
SELECT count(*) AS checked, count(*) FILTER (WHERE total <> 0) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE total <> 0) AS owners,
       min(format('owner %s: advised and not funded differ by %s cents', owner_id, total)) FILTER (WHERE total <> 0) AS detail
FROM (SELECT owner_id, coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account IN
             ('advised', 'due_unfunded', 'unknown_payee_unfunded', 'network_adjustment_unfunded')), 0) AS total
      FROM balance WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))
      GROUP BY owner_id) o

-- name: P3
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('owner %s: cash %s, due %s, advance %s, other liabilities %s cents', owner_id, cash, due, advance, other))
           FILTER (WHERE bad) AS detail
FROM (
    -- The house owes an unknown payee what its identifier is due, and nothing where that is in debit.
    SELECT *, CASE WHEN owner_id = house_id() THEN cash + unmatched_debit < other + (
                       SELECT coalesce(sum(greatest(due, 0)), 0) FROM (SELECT -sum(amount_cents) AS due FROM line
                           WHERE account = 'unknown_payee' AND owner_id = house_id() GROUP BY reference) u)
                   ELSE advance <> greatest(0, -due) OR cash <> due + advance + other OR cash < 0 END AS bad
    FROM (
        SELECT owner_id,
               coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'cash'), 0) AS cash,
               coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'due_available'), 0) AS due,
               coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_advance'), 0) AS advance,
               coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'unmatched_debit'), 0) AS unmatched_debit,
               coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account IN ('held', 'levied', 'in_transit', 'fee_withheld', 'unclaimed',
                   'unmatched_deposit', 'suspense', 'due_to_payer', 'interest_due')), 0) AS other
        FROM balance WHERE ledger = 'custody' AND (CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[])))
        GROUP BY owner_id) b) o

-- name: P4
SELECT count(*) AS checked, count(*) FILTER (WHERE closing_cents IS DISTINCT FROM booked_cents) AS failing,
       CAST(NULL AS uuid[]) AS owners,
       min(format('%s: the bank closes at %s cents, the books at %s', as_of, closing_cents, booked_cents))
           FILTER (WHERE closing_cents IS DISTINCT FROM booked_cents) AS detail
FROM (
    SELECT s.as_of, s.closing_cents, coalesce(sum(d.cents) FILTER (WHERE d.booked_on <= s.as_of), 0) AS booked_cents
    FROM (SELECT DISTINCT ON (custodial_account_id, as_of) custodial_account_id, as_of, closing_cents
          FROM bank_statement WHERE closing_cents IS NOT NULL ORDER BY custodial_account_id, as_of, place DESC) s
    LEFT JOIN (
        -- Cash of bank lines counts on the bank's day; all other cash nets to zero and counts from the beginning.
        SELECT l.reference AS custodial_account_id, coalesce(b.as_of, '-infinity') AS booked_on, sum(l.amount_cents) AS cents
        FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
        LEFT JOIN bank_line b ON b.bank_line_id = t.bank_line_id
        WHERE l.account = 'cash' GROUP BY 1, 2) d USING (custodial_account_id)
    GROUP BY s.custodial_account_id, s.as_of, s.closing_cents) days

-- name: P5
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('member %s: the statement closes at %s cents, the book at %s', owner_id, listed, booked)) FILTER (WHERE bad) AS detail
FROM (
    SELECT b.owner_id, b.booked, coalesce(s.listed, 0) AS listed, b.booked <> coalesce(s.listed, 0) AS bad
    FROM (SELECT owner_id, sum(credit_cents - debit_cents) AS booked FROM balance
          WHERE account IN ('due_unfunded', 'due_available', 'held') AND owner_id <> house_id()
            AND (CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[])))
          GROUP BY owner_id) b
    LEFT JOIN (SELECT owner_id, sum(amount_cents) AS listed FROM statement_line
               WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))
               GROUP BY owner_id) s USING (owner_id)) m

-- name: P6
-- A month is assessed as the contract asks it; what it asks less by now, after an exit that was recorded late, is waived or
-- refunded, or declared by a case while the float lacks it. What is collected is the whole of what was not waived.
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT member_id) FILTER (WHERE bad) AS owners,
       min(format('member %s month %s: assessed %s, waived %s, collected %s, refunded %s, contract %s cents', member_id, reference, assessed_cents,
                  waived_cents, collected_cents, refunded_cents, due_cents)) FILTER (WHERE bad) AS detail
FROM (
    SELECT *, assessed_cents < due_cents OR (over_cents > 0 AND over_cents > declared_cents)
           OR (collected_cents > 0 AND collected_cents <> assessed_cents - waived_cents) OR refunded_cents > collected_cents
           OR open_cents <> assessed_cents - waived_cents - swept_cents AS bad
    FROM fee_against_contract
    WHERE CAST(:owners AS uuid[]) IS NULL OR member_id = ANY (CAST(:owners AS uuid[]))) m

-- name: P7
-- Shares that a remittance told its member, and those that none has told yet; a release tells what it pays.
WITH told AS (SELECT advice_id, sum(claims_cents - payer_plb_cents) AS cents FROM child_set WHERE advice_id IS NOT NULL GROUP BY advice_id),
     -- What was found of the house's share and told to its member waits no more.
     found AS (SELECT owner_id, advice_id, cycle_id, sum(claim_count)::integer AS claim_count, sum(claims_cents)::bigint AS claims_cents,
                      sum(plb_cents)::bigint AS plb_cents FROM found_share WHERE cycle_id IS NOT NULL GROUP BY owner_id, advice_id, cycle_id),
     waiting AS (SELECT w.advice_id, sum(w.cents) AS cents FROM (
                     SELECT s.advice_id, s.claims_cents - s.plb_cents AS cents FROM advice_share s LEFT JOIN share_to_remit r USING (owner_id, advice_id)
                     WHERE r.cycle_id IS NULL
                     UNION ALL
                     SELECT advice_id, plb_cents - claims_cents FROM found) w GROUP BY w.advice_id)
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing, CAST(NULL AS uuid[]) AS owners, min(detail) FILTER (WHERE bad) AS detail
FROM (
    SELECT bad, CASE WHEN bad THEN format('advice %s: BPR02 %s, claims %s less PLB %s, advised %s, funded %s, told %s and not told %s cents', advice_id,
                                          payment_cents, claims_cents, plb_cents, advised, funded, told, waiting) END AS detail
    FROM (
        SELECT a.advice_id, a.payment_cents, a.claims_cents, a.plb_cents, coalesce(l.advised, 0) AS advised, l.funded,
               coalesce(t.cents, 0) AS told, coalesce(w.cents, 0) AS waiting,
               a.payment_cents <> a.claims_cents - a.plb_cents
               -- What its payer pays directly is neither advised nor funded here, and told by none of ours.
               OR CASE WHEN a.direct_pay_id IS NULL THEN a.payment_cents ELSE 0 END <> coalesce(l.advised, 0)
               OR (a.direct_pay_id IS NOT NULL AND t.cents IS NOT NULL)
               -- Funded in parts: so far what its fundings gave, and funded when that is the whole.
               OR a.funded_cents <> coalesce(l.funded, 0)
               OR (a.state = 'funded') <> ((l.funded IS NOT NULL AND l.funded = a.payment_cents) OR (a.state = 'funded' AND l.advised IS NULL))
               OR a.payment_cents <> s.shares
               OR a.payment_cents <> coalesce(t.cents, 0) + coalesce(w.cents, 0) AS bad
        FROM advice a
        LEFT JOIN (SELECT reference, sum(amount_cents) FILTER (WHERE event = 'advised') AS advised,
                          -sum(amount_cents) FILTER (WHERE event = 'funded') AS funded
                   FROM standing_line WHERE account = 'advised' AND event IN ('advised', 'funded') GROUP BY reference) l
            ON l.reference = a.advice_id
        LEFT JOIN (SELECT advice_id, sum(claims_cents - plb_cents) AS shares FROM advice_share GROUP BY advice_id) s USING (advice_id)
        LEFT JOIN told t USING (advice_id) LEFT JOIN waiting w USING (advice_id)
        WHERE a.state <> 'replaced') advices
    UNION ALL
    -- What was funded in one transaction is what its deposits gave.
    SELECT d.deposited <> d.funded, CASE WHEN d.deposited <> d.funded THEN format('transaction %s: funded %s of deposits of %s cents', t.transaction_id,
                                                                                  d.funded, d.deposited) END
    FROM journal_transaction t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents) FILTER (WHERE account = 'unmatched_deposit'), 0) AS deposited,
               coalesce(-sum(amount_cents) FILTER (WHERE account = 'advised'), 0) AS funded
        FROM entry e JOIN line USING (owner_id, entry_id) WHERE e.transaction_id = t.transaction_id) d
    WHERE t.event = 'funded'
    UNION ALL
    -- A member's share of an advice waits to be told, or was told as it is, once, by the cycle that it names; what was found of
    -- the house's share is told with it, or in a set of its own.
    SELECT bad, CASE WHEN bad THEN format('member %s: of advice %s its remittance tells %s claims of %s less PLB %s cents, the share is %s of %s less %s',
                                          owner_id, advice_id, told_count, told_claims, told_plb, claim_count, claims_cents, plb_cents) END
    FROM (
        SELECT s.owner_id, s.advice_id, s.claim_count + coalesce(f.claim_count, 0) AS claim_count, s.claims_cents + coalesce(f.claims_cents, 0) AS claims_cents,
               s.plb_cents + coalesce(f.plb_cents, 0) AS plb_cents, c.claim_count AS told_count, c.claims_cents AS told_claims, c.payer_plb_cents AS told_plb,
               (r.owner_id IS NULL) <> (a.direct_pay_id IS NOT NULL) OR r.cycle_id IS DISTINCT FROM c.cycle_id OR (c.cycle_id IS NOT NULL
               AND (s.claim_count + coalesce(f.claim_count, 0), s.claims_cents + coalesce(f.claims_cents, 0), s.plb_cents + coalesce(f.plb_cents, 0))
                   IS DISTINCT FROM (c.claim_count, c.claims_cents, c.payer_plb_cents)) AS bad
        FROM advice_share s JOIN advice a USING (advice_id) LEFT JOIN share_to_remit r USING (owner_id, advice_id)
        LEFT JOIN child_set c ON c.member_id = s.owner_id AND c.advice_id = s.advice_id AND c.found_in = 0
        LEFT JOIN found f ON f.owner_id = s.owner_id AND f.advice_id = s.advice_id AND f.cycle_id = c.cycle_id
        WHERE s.owner_id <> house_id()
        UNION ALL
        SELECT coalesce(f.owner_id, c.member_id), coalesce(f.advice_id, c.advice_id), f.claim_count, f.claims_cents, f.plb_cents,
               c.claim_count, c.claims_cents, c.payer_plb_cents,
               (f.claim_count, f.claims_cents, f.plb_cents) IS DISTINCT FROM (c.claim_count, c.claims_cents, c.payer_plb_cents)
        FROM (SELECT * FROM found f WHERE NOT EXISTS (SELECT FROM child_set o WHERE o.member_id = f.owner_id AND o.advice_id = f.advice_id
                                                      AND o.cycle_id = f.cycle_id AND o.found_in = 0)) f
        FULL JOIN (SELECT * FROM child_set WHERE found_in <> 0) c
            ON c.member_id = f.owner_id AND c.advice_id = f.advice_id AND c.cycle_id = f.cycle_id) shares
    UNION ALL
    -- A payout is what the sets under its trace number pay; a cycle that was proposed before there were remittances told none.
    SELECT bad, CASE WHEN bad THEN format('cycle %s member %s payout %s: %s cents paid, %s told', cycle_id, member_id, payout_id, paid, told) END
    FROM (
        SELECT cycle_id, member_id, payout_id, coalesce(p.cents, 0) AS paid, coalesce(t.cents, 0) AS told, coalesce(p.cents, 0) <> coalesce(t.cents, 0) AS bad
        FROM (SELECT o.cycle_id, o.member_id, o.payout_id, o.amount_cents AS cents FROM payout o
              JOIN (SELECT cycle_id FROM cycle c WHERE EXISTS (SELECT FROM cycle_remittance r WHERE r.cycle_id = c.cycle_id)) c USING (cycle_id)
              WHERE o.state IN ('released', 'settled', 'returned') AND o.amount_cents > 0) p
        FULL JOIN (SELECT cycle_id, member_id, payout_id, sum(payment_cents) AS cents FROM child_set WHERE payout_id IS NOT NULL
                   GROUP BY cycle_id, member_id, payout_id) t USING (cycle_id, member_id, payout_id)) payouts
    UNION ALL
    -- What stands between its shares and its payment is what was approved.
    SELECT bad, CASE WHEN bad THEN format('cycle %s member %s: %s cents of the PSAO''s own told, %s approved', cycle_id, member_id, told, approved) END
    FROM (
        SELECT r.cycle_id, r.member_id, coalesce(t.cents, 0) AS told, coalesce(i.cents, 0) AS approved, coalesce(t.cents, 0) <> coalesce(i.cents, 0) AS bad
        FROM child_remittance r
        LEFT JOIN (SELECT cycle_id, member_id, sum(own_plb_cents) AS cents FROM child_set GROUP BY cycle_id, member_id) t USING (cycle_id, member_id)
        LEFT JOIN (SELECT cycle_id, member_id, sum(amount_cents) AS cents FROM cycle_own_item GROUP BY cycle_id, member_id) i
            USING (cycle_id, member_id)) remittances) x

-- name: P8
WITH now AS (SELECT * FROM advice_shares(ARRAY(SELECT advice_id FROM advice))),
     entered AS (SELECT owner_id, reference AS advice_id, sum(amount_cents) AS cents FROM standing_line
                 WHERE account = 'advised' AND event = 'advised' GROUP BY owner_id, reference),
     -- What was found to be a member's: the lines of its identifier, and together what was posted.
     found_now AS (SELECT * FROM payee_shares(ARRAY(SELECT DISTINCT unknown_payee_id FROM found_share WHERE standing),
                                              ARRAY(SELECT DISTINCT advice_id FROM found_share WHERE standing))),
     found AS (SELECT owner_id, transaction_id, min(advice_id) AS advice_id, sum(claims_cents - plb_cents) AS cents FROM found_share WHERE standing
               GROUP BY owner_id, transaction_id, CASE WHEN transaction_id IS NULL THEN (approval_id, was_funded) END),
     given AS (SELECT owner_id, transaction_id, -sum(amount_cents) AS cents FROM standing_line
               WHERE transaction_id = ANY (ARRAY(SELECT DISTINCT transaction_id FROM found_share WHERE standing)) AND (event, account) IN
                   (('payee_found', 'due_available'), ('payee_found_unfunded', 'due_unfunded')) GROUP BY owner_id, transaction_id)
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('advice %s owner %s: its lines, its share and its entry differ', advice_id, owner_id)) FILTER (WHERE bad) AS detail
FROM (
    SELECT owner_id, advice_id,
           (s.claim_count, s.claims_cents, s.plb_cents, s.lines_sha256) IS DISTINCT FROM (n.claim_count, n.claims_cents, n.plb_cents, n.lines_sha256)
           -- A replaced advice was reversed: its lines stay, and say nothing of the books. A direct one is its member's alone.
           OR coalesce(e.cents, 0) <> CASE WHEN a.state = 'replaced' OR a.direct_pay_id IS NOT NULL THEN 0 ELSE s.claims_cents - s.plb_cents END
           OR (a.state = 'direct' AND owner_id <> d.member_id) AS bad
    FROM advice_share s FULL JOIN now n USING (owner_id, advice_id) LEFT JOIN entered e USING (owner_id, advice_id)
    LEFT JOIN advice a USING (advice_id) LEFT JOIN direct_pay d USING (direct_pay_id)
    UNION ALL
    SELECT f.owner_id, f.advice_id,
           (f.claim_count, f.claims_cents, f.plb_cents, f.lines_sha256) IS DISTINCT FROM (n.claim_count, n.claims_cents, n.plb_cents, n.lines_sha256)
    FROM found_share f LEFT JOIN found_now n USING (unknown_payee_id, advice_id) WHERE f.standing
    UNION ALL
    SELECT f.owner_id, f.advice_id, coalesce(g.cents, 0) <> f.cents FROM found f LEFT JOIN given g USING (owner_id, transaction_id)) x

-- name: P9
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('owner %s: custody says %s cents, operating %s', owner_id, custody, operating)) FILTER (WHERE bad) AS detail
FROM (
    SELECT owner_id, custody, operating, custody <> operating AS bad
    FROM (SELECT owner_id,
                 coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_advance'), 0) AS custody,
                 coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'advance_receivable'), 0) AS operating
          FROM balance WHERE owner_id <> house_id()
            AND (CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[])))
          GROUP BY owner_id) m
    UNION ALL
    SELECT house_id(), custody, operating, custody <> operating
    FROM (SELECT coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_float'), 0) AS custody,
                 coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'custody_float'), 0) AS operating FROM balance) h) x

-- name: P10
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('owner %s %s: %s lines make %s debit and %s credit cents, stored are %s and %s of %s lines', owner_id, account,
                  l_lines, l_debit, l_credit, b_debit, b_credit, b_lines)) FILTER (WHERE bad) AS detail
FROM (
    SELECT owner_id, account, coalesce(l.debit, 0) AS l_debit, coalesce(l.credit, 0) AS l_credit, coalesce(l.lines, 0) AS l_lines,
           coalesce(b.debit_cents, 0) AS b_debit, coalesce(b.credit_cents, 0) AS b_credit, coalesce(b.version, 0) AS b_lines,
           (coalesce(l.debit, 0), coalesce(l.credit, 0), coalesce(l.lines, 0))
               <> (coalesce(b.debit_cents, 0), coalesce(b.credit_cents, 0), coalesce(b.version, 0)) AS bad
    FROM (SELECT owner_id, ledger, account, sum(greatest(amount_cents, 0)) AS debit, sum(greatest(-amount_cents, 0)) AS credit, count(*) AS lines
          FROM line WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))
          GROUP BY owner_id, ledger, account) l
    FULL JOIN (SELECT * FROM balance WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))) b
        USING (owner_id, ledger, account)) x
