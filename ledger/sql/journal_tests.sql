-- The journal-entry tests that auditors run as a routine (AICPA, Audit Data Standards, general ledger): each gives its first :most
-- findings and, on every row, how many there are. Entries are of the period by their accounting date (:from_on to :to_on); times of
-- entry are by the bank's clock.

-- name: looked_at
SELECT (SELECT count(*) FROM journal_transaction WHERE effective_on BETWEEN :from_on AND :to_on) AS transactions,
       (SELECT count(*) FROM entry WHERE effective_on BETWEEN :from_on AND :to_on) AS entries,
       l.lines, l.accounts,
       (SELECT count(DISTINCT actor) FROM journal_transaction WHERE effective_on BETWEEN :from_on AND :to_on) AS users,
       (SELECT count(*) FROM approval) AS approvals, (SELECT count(*) FROM balance WHERE debit_cents <> 0 OR credit_cents <> 0) AS balances,
       (SELECT count(*) FROM seal_leaf WHERE kind = 1 AND leaf_index < coalesce(known_number('size'), leaf_index + 1)) AS leaves
FROM (SELECT count(*) AS lines, count(DISTINCT (ledger, account)) AS accounts FROM line WHERE effective_on BETWEEN :from_on AND :to_on) l

-- name: gaps
-- Of all that is sealed, whatever the period: numbers from 1 without a gap, in the order of the leaves.
WITH numbered AS (
    SELECT journal_no, lag(journal_no, 1, 0::bigint) OVER (ORDER BY leaf_index) AS before FROM seal_leaf
    WHERE kind = 1 AND leaf_index < coalesce(known_number('size'), leaf_index + 1)
)
SELECT NULL::bigint AS transaction_id, journal_no, NULL::text AS owner, NULL::date AS effective_on, NULL::text AS entered_at, NULL::text AS actor,
       NULL::text AS account, NULL::bigint AS amount_cents, format('journal number %s follows %s', journal_no, before) AS detail, count(*) OVER () AS found
FROM numbered WHERE journal_no <> before + 1 ORDER BY journal_no LIMIT :most

-- name: unbalanced
WITH entered AS MATERIALIZED (
    SELECT owner_id, entry_id, sum(amount_cents) AS cents, count(*) AS lines FROM line WHERE effective_on BETWEEN :from_on AND :to_on
    GROUP BY owner_id, entry_id HAVING sum(amount_cents) <> 0 OR count(*) < 2
), bad AS (
    SELECT e.transaction_id, e.owner_id, e.entry_id, b.cents, format('entry %s: %s lines, together %s cents', e.entry_id, b.lines, b.cents) AS detail
    FROM entered b JOIN entry e USING (owner_id, entry_id)
    UNION ALL
    SELECT e.transaction_id, e.owner_id, e.entry_id, 0, format('entry %s has no lines', e.entry_id) FROM entry e
    WHERE e.effective_on BETWEEN :from_on AND :to_on AND NOT EXISTS (SELECT FROM line l WHERE l.owner_id = e.owner_id AND l.entry_id = e.entry_id)
)
SELECT b.transaction_id, s.journal_no, coalesce(p.ncpdp_id, 'house') AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, b.cents::bigint AS amount_cents, b.detail, count(*) OVER () AS found
FROM bad b LEFT JOIN journal_transaction t USING (transaction_id) LEFT JOIN seal_leaf s ON s.kind = 1 AND s.owner_id = b.owner_id AND s.entry_id = b.entry_id
LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id) ORDER BY b.transaction_id, b.entry_id LIMIT :most

-- name: trial_balance
-- Whatever the period: the sum of the detail is the balance that is kept beside it.
WITH detail AS (
    SELECT owner_id, ledger, account, sum(amount_cents) AS cents FROM line GROUP BY owner_id, ledger, account
)
SELECT NULL::bigint AS transaction_id, NULL::bigint AS journal_no, coalesce(p.ncpdp_id, 'house') AS owner, NULL::date AS effective_on, NULL::text AS entered_at, NULL::text AS actor,
       coalesce(d.account, b.account)::text AS account, (coalesce(d.cents, 0) - coalesce(b.debit_cents - b.credit_cents, 0))::bigint AS amount_cents,
       format('the detail makes %s cents, the trial balance %s', coalesce(d.cents, 0), coalesce(b.debit_cents - b.credit_cents, 0)) AS detail, count(*) OVER () AS found
FROM detail d FULL JOIN balance b USING (owner_id, ledger, account) LEFT JOIN member m ON m.member_id = owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE coalesce(d.cents, 0) <> coalesce(b.debit_cents - b.credit_cents, 0) ORDER BY owner_id, ledger, 7 LIMIT :most

-- name: log_totals
-- Whatever the period: every sealed leaf has its entry, every entry is sealed or waits for the sealer.
WITH bad AS (
    SELECT s.journal_no, s.owner_id, s.entry_id, 'sealed, and there is no such entry' AS detail FROM seal_leaf s
    WHERE s.kind = 1 AND s.leaf_index < coalesce(known_number('size'), s.leaf_index + 1)
      AND NOT EXISTS (SELECT FROM entry e WHERE e.owner_id = s.owner_id AND e.entry_id = s.entry_id)
    UNION ALL
    SELECT NULL, e.owner_id, e.entry_id, 'neither sealed nor waiting for it' FROM entry e
    WHERE NOT EXISTS (SELECT FROM seal_leaf s WHERE s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id)
      AND NOT EXISTS (SELECT FROM seal_pending q WHERE q.kind = 1 AND q.id = e.transaction_id)
)
SELECT e.transaction_id, b.journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, NULL::text AS entered_at, NULL::text AS actor, NULL::text AS account,
       NULL::bigint AS amount_cents, format('entry %s: %s', b.entry_id, b.detail) AS detail, count(*) OVER () AS found
FROM bad b LEFT JOIN entry e USING (owner_id, entry_id) LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
ORDER BY b.journal_no, b.entry_id LIMIT :most

-- name: maker_is_checker
SELECT NULL::bigint AS transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, (a.decided_at AT TIME ZONE 'America/New_York')::date AS effective_on,
       to_char(a.decided_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at, a.decided_by AS actor, NULL::text AS account, NULL::bigint AS amount_cents,
       format('approval %s: %s %s, proposed by %s', a.approval_id, a.kind, a.subject, a.proposed_by) AS detail, count(*) OVER () AS found
FROM approval a
WHERE a.decided_by = a.proposed_by OR a.first_approved_by = a.proposed_by OR (a.state = 'approved' AND a.decided_by = a.first_approved_by)
ORDER BY a.approval_id LIMIT :most

-- name: without_role
-- The people who may post are operators, approvers and admins.
WITH bad AS (
    SELECT t.actor, u.role, count(*) AS times, min(t.transaction_id) AS transaction_id FROM journal_transaction t LEFT JOIN app_user u ON u.user_name = t.actor
    WHERE t.effective_on BETWEEN :from_on AND :to_on AND (u.role IS NULL OR u.role NOT IN ('operator', 'approver', 'admin')) GROUP BY t.actor, u.role
)
SELECT b.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       b.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s: %s transactions by %s', b.actor, b.times, coalesce('the role ' || b.role, 'who is no user')) AS detail,
       count(*) OVER () AS found
FROM bad b JOIN journal_transaction t USING (transaction_id) ORDER BY b.actor LIMIT :most

-- name: after_close
-- A closed month takes no entry: none is sealed after the checkpoint under which it was closed, nor waits for the sealer.
WITH closed AS MATERIALIZED (
    SELECT DISTINCT ON (c.month) c.month, c.version, k.checkpoint_size FROM period_close c LEFT JOIN period_checkpoint k USING (month, version)
    WHERE NOT EXISTS (SELECT FROM period_reopening r WHERE (r.month, r.version) = (c.month, c.version)) ORDER BY c.month, c.version DESC
)
SELECT e.transaction_id, s.journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s, version %s, was closed by then', to_char(c.month, 'YYYY-MM'), c.version) AS detail, count(*) OVER () AS found
FROM closed c JOIN entry e ON e.effective_on >= c.month AND e.effective_on < (c.month + interval '1 month')::date AND e.effective_on BETWEEN :from_on AND :to_on
JOIN journal_transaction t USING (transaction_id) LEFT JOIN seal_leaf s ON s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id
LEFT JOIN member m ON m.member_id = e.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE c.checkpoint_size IS NOT NULL AND s.leaf_index >= c.checkpoint_size IS NOT FALSE ORDER BY e.transaction_id, e.entry_id LIMIT :most

-- name: after_reopening
WITH opened AS MATERIALIZED (
    SELECT r.month, max(r.version) AS version, min(k.checkpoint_size) AS checkpoint_size FROM period_reopening r JOIN period_checkpoint k USING (month, version) GROUP BY r.month
)
SELECT e.transaction_id, s.journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s was closed before and reopened', to_char(o.month, 'YYYY-MM')) AS detail, count(*) OVER () AS found
FROM opened o JOIN entry e ON e.effective_on >= o.month AND e.effective_on < (o.month + interval '1 month')::date AND e.effective_on BETWEEN :from_on AND :to_on
JOIN journal_transaction t USING (transaction_id) LEFT JOIN seal_leaf s ON s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id
LEFT JOIN member m ON m.member_id = e.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE s.leaf_index >= o.checkpoint_size IS NOT FALSE ORDER BY e.transaction_id, e.entry_id LIMIT :most

-- name: not_sealed
SELECT e.transaction_id, NULL::bigint AS journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('entry %s waits for the sealer', e.entry_id) AS detail, count(*) OVER () AS found
FROM entry e JOIN journal_transaction t USING (transaction_id) LEFT JOIN member m ON m.member_id = e.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE e.effective_on BETWEEN :from_on AND :to_on AND NOT EXISTS (SELECT FROM seal_leaf s WHERE s.kind = 1 AND s.owner_id = e.owner_id AND s.entry_id = e.entry_id)
ORDER BY e.transaction_id, e.entry_id LIMIT :most

-- name: duplicate_amounts
-- The AICPA's own test: the same amount in the same account of the same owner more than once in a month.
WITH alike AS MATERIALIZED (
    SELECT owner_id, account, amount_cents, date_trunc('month', effective_on::timestamp)::date AS month, count(*) AS times, min(entry_id) AS entry_id
    FROM line WHERE effective_on BETWEEN :from_on AND :to_on GROUP BY 1, 2, 3, 4 HAVING count(*) > 1
), first AS MATERIALIZED (
    SELECT *, count(*) OVER () AS found FROM alike ORDER BY times DESC, abs(amount_cents) DESC, owner_id, account, entry_id LIMIT :most
)
SELECT e.transaction_id, NULL::bigint AS journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, NULL::text AS entered_at, NULL::text AS actor, f.account::text AS account,
       f.amount_cents, format('%s times in %s', f.times, to_char(f.month, 'YYYY-MM')) AS detail, f.found
FROM first f JOIN entry e USING (owner_id, entry_id) LEFT JOIN member m ON m.member_id = f.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
ORDER BY f.times DESC, abs(f.amount_cents) DESC, f.owner_id, f.account, f.entry_id

-- name: duplicate_facts
-- The same event of the same owner with the same fact's date, amount and references in more than one transaction that stands.
WITH entered AS MATERIALIZED (
    SELECT owner_id, entry_id, ledger, event, sum(greatest(amount_cents, 0)) AS cents, count(*) AS lines, sum(reference) AS references_sum, max(reference) AS last_reference
    FROM line WHERE effective_on BETWEEN :from_on AND :to_on AND event NOT IN ('advanced', 'advance_repaid', 'reversed') GROUP BY owner_id, entry_id, ledger, event
), alike AS MATERIALIZED (
    SELECT n.owner_id, n.event, n.cents, t.fact_on, count(*) AS times, min(t.transaction_id) AS transaction_id
    FROM entered n JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = t.transaction_id)
    GROUP BY n.owner_id, n.ledger, n.event, n.cents, n.lines, n.references_sum, n.last_reference, t.fact_on HAVING count(*) > 1
)
SELECT a.transaction_id, NULL::bigint AS journal_no, coalesce(p.ncpdp_id, 'house') AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, a.cents::bigint AS amount_cents, format('%s, %s times for %s', a.event, a.times, a.fact_on) AS detail, count(*) OVER () AS found
FROM alike a JOIN journal_transaction t USING (transaction_id) LEFT JOIN member m ON m.member_id = a.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
ORDER BY a.cents DESC, a.transaction_id LIMIT :most

-- name: round_thousands
WITH round AS MATERIALIZED (
    SELECT owner_id, entry_id, max(abs(amount_cents)) AS cents FROM line WHERE effective_on BETWEEN :from_on AND :to_on AND amount_cents % 100000 = 0 GROUP BY owner_id, entry_id
), first AS MATERIALIZED (SELECT *, count(*) OVER () AS found FROM round ORDER BY cents DESC, entry_id LIMIT :most)
SELECT e.transaction_id, s.journal_no, coalesce(p.ncpdp_id, 'house') AS owner, e.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, f.cents AS amount_cents, e.event::text AS detail, f.found
FROM first f JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
LEFT JOIN seal_leaf s ON s.kind = 1 AND s.owner_id = f.owner_id AND s.entry_id = f.entry_id
LEFT JOIN member m ON m.member_id = f.owner_id LEFT JOIN pharmacy p USING (pharmacy_id) ORDER BY f.cents DESC, f.entry_id

-- name: dated_ahead
-- The document is dated after the day on which it was entered.
SELECT t.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s of %s', t.event, t.fact_on) AS detail, count(*) OVER () AS found
FROM journal_transaction t WHERE t.effective_on BETWEEN :from_on AND :to_on AND t.fact_on > (t.recorded_at AT TIME ZONE 'America/New_York')::date
ORDER BY t.fact_on DESC, t.transaction_id LIMIT :most

-- name: weekend
SELECT t.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s, entered on a %s', t.event, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'FMDay')) AS detail,
       count(*) OVER () AS found
FROM journal_transaction t WHERE t.effective_on BETWEEN :from_on AND :to_on AND extract(isodow FROM t.recorded_at AT TIME ZONE 'America/New_York') > 5
ORDER BY t.transaction_id LIMIT :most

-- name: off_hours
SELECT t.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, NULL::bigint AS amount_cents, t.event::text AS detail, count(*) OVER () AS found
FROM journal_transaction t WHERE t.effective_on BETWEEN :from_on AND :to_on
  AND extract(hour FROM t.recorded_at AT TIME ZONE 'America/New_York') NOT BETWEEN 6 AND 19
ORDER BY t.transaction_id LIMIT :most

-- name: rare_users
WITH by_user AS (
    SELECT t.actor, count(*) AS entries, min(t.transaction_id) AS transaction_id FROM journal_transaction t JOIN entry e USING (transaction_id)
    WHERE t.effective_on BETWEEN :from_on AND :to_on GROUP BY t.actor HAVING count(*) <= 10
)
SELECT u.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       u.actor, NULL::text AS account, NULL::bigint AS amount_cents, format('%s: %s entries', u.actor, u.entries) AS detail, count(*) OVER () AS found
FROM by_user u JOIN journal_transaction t USING (transaction_id) ORDER BY u.entries, u.actor LIMIT :most

-- name: rare_accounts
WITH by_account AS (
    SELECT ledger, account, count(*) AS lines, sum(amount_cents) AS cents FROM line WHERE effective_on BETWEEN :from_on AND :to_on GROUP BY ledger, account HAVING count(*) <= 3
)
SELECT NULL::bigint AS transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, NULL::date AS effective_on, NULL::text AS entered_at, NULL::text AS actor,
       a.account::text AS account, a.cents::bigint AS amount_cents, format('%s lines in the %s ledger', a.lines, a.ledger) AS detail, count(*) OVER () AS found
FROM by_account a ORDER BY a.lines, a.account LIMIT :most

-- name: manual
-- What people decide, one by one, and no rule makes by itself: by amount.
WITH decided AS MATERIALIZED (
    SELECT transaction_id FROM journal_transaction WHERE effective_on BETWEEN :from_on AND :to_on AND event IN (
        'fee_waived', 'fee_refunded', 'held', 'hold_lifted', 'levied', 'unclaimed', 'payee_found', 'payee_found_unfunded', 'overpaid', 'unsuspended', 'payer_debited', 'debit_returned',
        'bank_charged', 'interest_earned', 'interest_allocated', 'network_adjustment_allocated', 'member_corrected', 'member_paid', 'advance_written_off', 'float_deposited',
        'float_withdrawn', 'opened', 'operating_opened', 'reversed')
), summed AS MATERIALIZED (
    -- Cash goes from owner to owner, and the PSAO's own money stands in both ledgers: neither is counted twice.
    SELECT e.transaction_id, greatest(sum(l.amount_cents) FILTER (WHERE l.ledger = 'custody'), sum(l.amount_cents) FILTER (WHERE l.ledger = 'operating')) AS cents
    FROM decided d JOIN entry e USING (transaction_id) JOIN line l USING (owner_id, entry_id)
    WHERE e.event NOT IN ('advanced', 'advance_repaid') AND l.amount_cents > 0 AND l.account <> 'cash' GROUP BY e.transaction_id
)
SELECT t.transaction_id, NULL::bigint AS journal_no, NULL::text AS owner, t.effective_on, to_char(t.recorded_at AT TIME ZONE 'America/New_York', 'YYYY-MM-DD HH24:MI') AS entered_at,
       t.actor, NULL::text AS account, s.cents::bigint AS amount_cents, concat_ws(': ', t.event::text, t.reason) AS detail, count(*) OVER () AS found
FROM summed s JOIN journal_transaction t USING (transaction_id) ORDER BY s.cents DESC, t.transaction_id LIMIT :most
