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
          FROM bank_statement WHERE closing_cents IS NOT NULL ORDER BY custodial_account_id, as_of, file_id DESC) s
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
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('member %s month %s: assessed %s, waived %s, collected %s, refunded %s, contract %s cents', owner_id, reference, assessed,
                  waived, collected, refunded, due)) FILTER (WHERE bad) AS detail
FROM (
    SELECT *, assessed <> due OR (collected > 0 AND collected <> assessed - waived) OR refunded > collected AS bad
    FROM (
        SELECT owner_id, reference,
               coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_assessed' AND account = 'fee_receivable'), 0) AS assessed,
               coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_waived' AND account = 'fee_waived'), 0) AS waived,
               coalesce(-sum(amount_cents) FILTER (WHERE event = 'fee_collected' AND account = 'fee_withheld'), 0) AS collected,
               coalesce(sum(amount_cents) FILTER (WHERE event = 'fee_refunded' AND account = 'fee_waived'), 0) AS refunded,
               fee_due_of_member(owner_id, month_of_reference(reference)) AS due
        FROM standing_line
        WHERE account IN ('fee_receivable', 'fee_withheld', 'fee_waived')
          AND (CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[])))
        GROUP BY owner_id, reference) f) m

-- name: P7
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing, CAST(NULL AS uuid[]) AS owners,
       min(format('advice %s: BPR02 %s, claims %s less PLB %s, advised %s, funded %s cents', advice_id, payment_cents, claims_cents,
                  plb_cents, advised, funded)) FILTER (WHERE bad) AS detail
FROM (
    SELECT a.advice_id, a.payment_cents, a.claims_cents, a.plb_cents, coalesce(l.advised, 0) AS advised, l.funded,
           a.payment_cents <> a.claims_cents - a.plb_cents OR a.payment_cents <> coalesce(l.advised, 0)
           OR (a.state = 'funded') <> (l.funded IS NOT NULL OR (a.state = 'funded' AND l.advised IS NULL))
           OR l.funded <> a.payment_cents OR a.payment_cents <> s.shares AS bad
    FROM advice a
    LEFT JOIN (SELECT reference, sum(amount_cents) FILTER (WHERE event = 'advised') AS advised,
                      -sum(amount_cents) FILTER (WHERE event = 'funded') AS funded
               FROM standing_line WHERE account = 'advised' AND event IN ('advised', 'funded') GROUP BY reference) l
        ON l.reference = a.advice_id
    LEFT JOIN (SELECT advice_id, sum(claims_cents - plb_cents) AS shares FROM advice_share GROUP BY advice_id) s USING (advice_id)
    WHERE a.state <> 'replaced'
    UNION ALL
    -- What was funded in one transaction is what its deposits gave.
    SELECT t.transaction_id, 0, 0, 0, d.deposited, d.funded, d.deposited <> d.funded
    FROM journal_transaction t
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount_cents) FILTER (WHERE account = 'unmatched_deposit'), 0) AS deposited,
               coalesce(-sum(amount_cents) FILTER (WHERE account = 'advised'), 0) AS funded
        FROM entry e JOIN line USING (owner_id, entry_id) WHERE e.transaction_id = t.transaction_id) d
    WHERE t.event = 'funded') x

-- name: P8
WITH now AS (SELECT * FROM advice_shares(ARRAY(SELECT advice_id FROM advice))),
     entered AS (SELECT owner_id, reference AS advice_id, sum(amount_cents) AS cents FROM standing_line
                 WHERE account = 'advised' AND event = 'advised' GROUP BY owner_id, reference)
SELECT count(*) AS checked, count(*) FILTER (WHERE bad) AS failing,
       array_agg(DISTINCT owner_id) FILTER (WHERE bad) AS owners,
       min(format('advice %s owner %s: its lines, its share and its entry differ', advice_id, owner_id)) FILTER (WHERE bad) AS detail
FROM (
    SELECT owner_id, advice_id,
           (s.claim_count, s.claims_cents, s.plb_cents, s.lines_sha256) IS DISTINCT FROM (n.claim_count, n.claims_cents, n.plb_cents, n.lines_sha256)
           OR coalesce(e.cents, 0) <> s.claims_cents - s.plb_cents AS bad
    FROM advice_share s FULL JOIN now n USING (owner_id, advice_id) LEFT JOIN entered e USING (owner_id, advice_id)) x

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
       min(format('owner %s %s: the lines make %s debit and %s credit cents, stored are %s and %s', owner_id, account, l_debit, l_credit,
                  b_debit, b_credit)) FILTER (WHERE bad) AS detail
FROM (
    SELECT owner_id, account, coalesce(l.debit, 0) AS l_debit, coalesce(l.credit, 0) AS l_credit,
           coalesce(b.debit_cents, 0) AS b_debit, coalesce(b.credit_cents, 0) AS b_credit,
           (coalesce(l.debit, 0), coalesce(l.credit, 0)) <> (coalesce(b.debit_cents, 0), coalesce(b.credit_cents, 0)) AS bad
    FROM (SELECT owner_id, ledger, account, sum(greatest(amount_cents, 0)) AS debit, sum(greatest(-amount_cents, 0)) AS credit
          FROM line WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))
          GROUP BY owner_id, ledger, account) l
    FULL JOIN (SELECT * FROM balance WHERE CAST(:owners AS uuid[]) IS NULL OR owner_id = ANY (CAST(:owners AS uuid[]))) b
        USING (owner_id, ledger, account)) x
