-- name: snapshot
-- What this transaction sees, to tell later whether something came after it.
SELECT CAST(pg_current_snapshot() AS text)

-- name: posted_since
SELECT count(*) FROM journal_transaction
WHERE effective_on >= :month AND effective_on < :next_month AND NOT pg_visible_in_snapshot(xid, CAST(:snapshot AS pg_snapshot))

-- name: state
SELECT state FROM period WHERE month = :month

-- name: earlier_open
-- The first earlier month that has entries, or was closed before, and is open.
SELECT min(p.month) FROM period p WHERE p.month < :month AND p.state = 'open' AND (
    p.month = ANY (ARRAY(SELECT DISTINCT date_trunc('month', t.effective_on)::date FROM journal_transaction t WHERE t.effective_on < :month))
    OR EXISTS (SELECT FROM period_close c WHERE c.month = p.month))

-- name: close
SELECT version, is_new FROM close_period(:month, :closed_on, :actor)

-- name: reopen
SELECT month, version FROM reopen_period(:approval_id)

-- name: closes
-- Every close that there was, with what came of it, the newest last.
SELECT c.month, c.version, c.from_month, c.closed_on, c.closed_by, c.closed_at, p.state, k.checkpoint_size, encode(s.root, 'hex') AS root,
       coalesce(g.edition, 1) AS edition, g.reason AS edition_reason, encode(g.manifest_sha256, 'hex') AS manifest_sha256,
       encode(g.supersedes, 'hex') AS supersedes,
       r.reason AS reopened_reason, r.requested_by, r.approved_by, r.reopened_at
FROM period_close c JOIN period p USING (month) LEFT JOIN period_checkpoint k USING (month, version)
LEFT JOIN seal_checkpoint s ON s.size = k.checkpoint_size LEFT JOIN period_reopening r USING (month, version)
LEFT JOIN LATERAL (SELECT * FROM period_package n WHERE n.month = c.month AND n.version = c.version ORDER BY n.edition DESC LIMIT 1) g ON true
WHERE CAST(:month AS date) IS NULL OR c.month = :month
ORDER BY c.month, c.version

-- name: closed_with
-- The close that took a month without entries with it.
SELECT month FROM period_close WHERE from_month <= :month AND month > :month ORDER BY month, version LIMIT 1

-- name: later_closed
SELECT max(month) FROM period WHERE month > :month AND state = 'closed'

-- name: open_with_entries
-- Open months in which something was posted, how much, and how much of what it moved.
SELECT date_trunc('month', t.effective_on)::date AS month, count(*) AS transactions
FROM journal_transaction t JOIN period p ON p.month = date_trunc('month', t.effective_on)::date AND p.state = 'open'
GROUP BY 1 ORDER BY 1

-- name: accounts
-- The custodial accounts, with the day of the first statement; without one, from the beginning if there is cash in it. One that was left
-- has its last statement in an earlier month, at nothing, and no cash.
SELECT a.custodial_account_id, a.last_four, (SELECT min(s.as_of) FROM bank_statement s WHERE s.custodial_account_id = a.custodial_account_id) AS first_on,
       EXISTS (SELECT FROM line l WHERE l.account = 'cash' AND l.reference = a.custodial_account_id AND l.effective_on < :next_month) AS has_cash,
       (SELECT s.as_of < :month AND s.closing_cents = 0 FROM bank_statement s WHERE s.custodial_account_id = a.custodial_account_id
        ORDER BY s.as_of DESC, s.place DESC LIMIT 1)
       AND (SELECT coalesce(sum(l.amount_cents), 0) = 0 FROM line l
            WHERE l.account = 'cash' AND l.reference = a.custodial_account_id AND l.effective_on < :next_month) AS was_left
FROM custodial_account a ORDER BY a.custodial_account_id

-- name: tie_out
-- P4 of each day for which there is a statement: what the bank closes with, and the cash of all owners on the bank's day.
SELECT custodial_account_id, as_of, closing_cents, booked_cents FROM bank_tie_out(:month) ORDER BY custodial_account_id, as_of

-- name: add_tie_out
-- The database reckons once more what it writes down.
SELECT tie_out_period(:month, :version)

-- name: add_checks
INSERT INTO period_check (month, version, place, name, verdict, checked, found, amount_cents, detail)
VALUES (:month, :version, :place, :name, :verdict, :checked, :found, :amount_cents, :detail)

-- name: add_carried
INSERT INTO period_carried (month, version, subject, exception_id, kind, about, amount_cents, detail, reason, by_name)
VALUES (:month, :version, :subject, :exception_id, :kind, :about, :amount_cents, :detail, :reason, :by_name)

-- name: checks
SELECT name, verdict, checked, found, amount_cents, detail FROM period_check WHERE month = :month AND version = :version ORDER BY place

-- name: carried
SELECT subject, exception_id, kind, about, amount_cents, detail, reason, by_name FROM period_carried
WHERE month = :month AND version = :version ORDER BY by_name DESC, exception_id NULLS FIRST, subject

-- name: unposted_lines
-- Lines of the bank, up to a day, that no transaction has posted.
SELECT count(*) AS found, coalesce(sum(abs(b.amount_cents)), 0)::bigint AS cents, min(b.bank_line_id) AS first
FROM bank_line b LEFT JOIN journal_transaction t ON t.bank_line_id = b.bank_line_id
WHERE b.as_of < :next_month AND t.transaction_id IS NULL

-- name: open_items
-- Deposits and debits that nothing explained by the end of the month; and those of them that nothing explains now.
SELECT a.account, count(i.account) AS found, coalesce(sum(i.then_cents), 0)::bigint AS cents,
       count(i.account) FILTER (WHERE i.now_cents <> 0) AS still,
       count(i.account) FILTER (WHERE i.now_cents <> 0 AND NOT EXISTS (
           SELECT FROM exception_case e WHERE e.state = 'open' AND e.subject = 'bank line ' || i.reference)) AS unasked
FROM (VALUES ('unmatched_deposit'), ('unmatched_debit'), ('suspense')) AS a (account)
LEFT JOIN (
    SELECT account::text, reference, coalesce(sum(amount_cents) FILTER (WHERE effective_on < :next_month), 0) AS then_cents, sum(amount_cents) AS now_cents
    FROM line WHERE account IN ('unmatched_deposit', 'unmatched_debit', 'suspense') GROUP BY account, reference) i
    ON i.account = a.account AND i.then_cents <> 0
GROUP BY a.account ORDER BY a.account

-- name: late_in_transit
-- Released, to settle within the month, and no debit of the bank has settled it. A check is cashed when its payee likes.
SELECT count(*) AS found, coalesce(sum(cents), 0)::bigint AS cents, min(said) AS first FROM (
    SELECT o.amount_cents AS cents, 'payout ' || o.payout_id || ' of cycle ' || o.cycle_id AS said
    FROM payout o JOIN cycle c USING (cycle_id) WHERE o.state = 'released' AND o.amount_cents > 0 AND c.effective_on < :next_month
    UNION ALL
    SELECT d.amount_cents, d.kind || ' ' || d.disbursement_id FROM disbursement d WHERE d.state = 'released' AND d.method = 'wire' AND d.released_on < :next_month) x

-- name: half_done
-- Cycles of the month that were proposed or approved, and neither released nor voided.
SELECT count(*) AS found, min(cycle_id) AS first FROM cycle WHERE state IN ('proposed', 'approved') AND business_date < :next_month

-- name: half_read
SELECT count(*) AS found, min(file_id) AS first FROM received_file WHERE status = 'reading'

-- name: unaccepted
-- Files that came before the month was over and were not taken: their money, if it is of ours, is in no book.
SELECT count(*) AS found, min(file_id) AS first FROM received_file
WHERE status IN ('quarantined', 'unreadable') AND received_at < CAST(:next_month AS timestamp) AT TIME ZONE 'America/New_York'

-- name: unassessed
-- Members whose contract asks a fee for the month and of whom none is assessed, and all of whom one is asked.
-- OFFSET 0: each member's month is looked up by itself; a planner without statistics would read all months again for each.
SELECT count(*) AS checked, count(*) FILTER (WHERE f.assessed_cents IS NULL OR f.assessed_cents = 0) AS found,
       coalesce(sum(d.cents) FILTER (WHERE f.assessed_cents IS NULL OR f.assessed_cents = 0), 0)::bigint AS cents
FROM member m CROSS JOIN LATERAL fee_asked(m.member_id, CAST(:month AS date)) AS d (cents)
LEFT JOIN LATERAL (SELECT n.assessed_cents FROM fee_month n WHERE n.member_id = m.member_id AND n.reference = :reference OFFSET 0) f ON true
WHERE m.membership && daterange(CAST(:month AS date), CAST(:next_month AS date)) AND d.cents > 0

-- name: waiting_approvals
SELECT count(*) AS found, min(approval_id) AS first FROM approval WHERE state = 'pending' AND kind <> 'reopening'

-- name: open_cases
-- With the bank's day of those that are about a bank line: what is of a later month does not concern this one.
SELECT e.exception_id AS id, e.kind, e.subject, e.amount_cents, e.detail
FROM exception_case e LEFT JOIN bank_line b ON b.bank_line_id = CASE WHEN e.subject ~ '^bank line [0-9]{1,18}$' THEN substring(e.subject FROM 11)::bigint END
WHERE e.state = 'open' AND (b.as_of IS NULL OR b.as_of < :next_month)
ORDER BY e.exception_id

-- name: checkpoint_of
SELECT checkpoint_of_close(:month, :version)

-- name: add_checkpoint
INSERT INTO period_checkpoint (month, version, checkpoint_size) VALUES (:month, :version, :size) ON CONFLICT (month, version) DO NOTHING

-- name: add_package
INSERT INTO period_package (month, version, edition, manifest_sha256, supersedes, reason, written_by)
VALUES (:month, :version, :edition, :manifest, :supersedes, :reason, :actor)
ON CONFLICT (month, version, edition) DO NOTHING

-- name: package_of
SELECT encode(manifest_sha256, 'hex') FROM period_package WHERE month = :month AND version = :version AND edition = :edition

-- name: package_before
-- The last package of the version before, which a first edition supersedes.
SELECT encode(g.manifest_sha256, 'hex') AS manifest_sha256, k.checkpoint_size FROM period_package g JOIN period_checkpoint k USING (month, version)
WHERE month = :month AND version = :version - 1 ORDER BY g.edition DESC LIMIT 1

-- name: checks_file
SELECT place AS "Place", name AS "Check", verdict AS "Verdict", checked AS "Checked", found AS "Found", CAST(amount_cents / 100.0 AS numeric(20, 2)) AS "Amount",
       regexp_replace(detail, '^([=+@\t\r-])', '''\1') AS "Detail"
FROM period_check WHERE month = CAST(:month AS date) AND version = :version ORDER BY place

-- name: carried_file
SELECT subject AS "Subject", kind AS "Kind", regexp_replace(about, '^([=+@\t\r-])', '''\1') AS "About", CAST(amount_cents / 100.0 AS numeric(20, 2)) AS "Amount",
       regexp_replace(detail, '^([=+@\t\r-])', '''\1') AS "Detail", regexp_replace(reason, '^([=+@\t\r-])', '''\1') AS "Reason",
       CASE WHEN by_name THEN 'by name' ELSE 'by its kind' END AS "Carried"
FROM period_carried WHERE month = CAST(:month AS date) AND version = :version ORDER BY by_name DESC, exception_id NULLS FIRST, subject

-- name: tie_out_file
SELECT a.last_four AS "Account_Last_Four", o.as_of AS "Day", CAST(o.closing_cents / 100.0 AS numeric(20, 2)) AS "Bank_Closing",
       CAST(o.booked_cents / 100.0 AS numeric(20, 2)) AS "Books_Cash", CAST((o.closing_cents - o.booked_cents) / 100.0 AS numeric(20, 2)) AS "Difference",
       regexp_replace(f.name, '^([=+@\t\r-])', '''\1') AS "Statement_File", encode(f.sha256, 'hex') AS "Statement_SHA256"
FROM period_tie_out o JOIN custodial_account a USING (custodial_account_id) JOIN received_file f USING (file_id)
WHERE o.month = CAST(:month AS date) AND o.version = :version ORDER BY o.custodial_account_id, o.as_of

-- name: trial_balance_file
-- Whose a book is never changes: names are read where they stand.
WITH sums AS MATERIALIZED (
    SELECT owner_id, ledger, account, sum(greatest(amount_cents, 0)) AS debit_cents, sum(greatest(-amount_cents, 0)) AS credit_cents,
           sum(amount_cents) AS balance_cents
    FROM line WHERE effective_on <= CAST(:as_of AS date) GROUP BY owner_id, ledger, account)
SELECT CASE WHEN s.owner_id = house_id() THEN 'house' ELSE coalesce(p.ncpdp_id, CAST(s.owner_id AS text)) END AS "Owner", s.ledger AS "Ledger",
       s.account AS "Account", CAST(s.debit_cents / 100.0 AS numeric(20, 2)) AS "Debit", CAST(s.credit_cents / 100.0 AS numeric(20, 2)) AS "Credit",
       CAST(s.balance_cents / 100.0 AS numeric(20, 2)) AS "Balance", s.owner_id AS "Owner_Id"
FROM sums s LEFT JOIN centralpay.member m ON m.member_id = s.owner_id LEFT JOIN centralpay.pharmacy p USING (pharmacy_id)
ORDER BY p.ncpdp_id NULLS FIRST, s.owner_id, s.ledger, s.account

-- name: trial_balance_totals
SELECT coalesce(sum(amount_cents) FILTER (WHERE amount_cents > 0), 0)::bigint AS debit_cents,
       coalesce(-sum(amount_cents) FILTER (WHERE amount_cents < 0), 0)::bigint AS credit_cents
FROM line WHERE effective_on <= CAST(:as_of AS date)

-- name: statements_file
-- Statements of days of the month that were issued before it was closed.
SELECT issue_id AS "Issue", from_on AS "From", to_on AS "To", form AS "Form", version AS "Version", members AS "Members", size_bytes AS "Bytes",
       encode(sha256, 'hex') AS "SHA256", issued_by AS "Issued_By", to_char(issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "Issued_At"
FROM statement_issue
WHERE from_on < CAST(:next_month AS date) AND to_on >= CAST(:month AS date) AND issued_at <= CAST(:closed_at AS timestamptz) ORDER BY issue_id

-- name: posted_since_file
-- What was posted into the month after its version before was sealed.
SELECT s.journal_no AS "Journal_No", s.leaf_index AS "Leaf", t.transaction_id AS "Transaction", e.event AS "Event", e.ledger AS "Ledger",
       CASE WHEN e.owner_id = house_id() THEN 'house' ELSE coalesce(p.ncpdp_id, CAST(e.owner_id AS text)) END AS "Owner", t.fact_on AS "Fact_On",
       e.effective_on AS "Effective_On", to_char(t.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "Recorded_At", t.actor AS "Actor",
       regexp_replace(t.reason, '^([=+@\t\r-])', '''\1') AS "Reason", t.reverses AS "Reverses",
       (SELECT CAST(sum(l.amount_cents) / 100.0 AS numeric(20, 2)) FROM line l
        WHERE l.owner_id = e.owner_id AND l.entry_id = e.entry_id AND l.amount_cents > 0) AS "Debit"
FROM seal_leaf s JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
LEFT JOIN centralpay.member m ON m.member_id = e.owner_id LEFT JOIN centralpay.pharmacy p USING (pharmacy_id)
WHERE s.kind = 1 AND s.leaf_index >= :before_size AND s.leaf_index < :size AND e.effective_on >= CAST(:month AS date) AND e.effective_on < CAST(:next_month AS date)
ORDER BY s.leaf_index

-- name: reopenings_file
SELECT r.version AS "Version", regexp_replace(r.reason, '^([=+@\t\r-])', '''\1') AS "Reason", r.requested_by AS "Requested_By", r.approved_by AS "Approved_By", r.approval_id AS "Approval",
       to_char(r.reopened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "Reopened_At", encode(g.manifest_sha256, 'hex') AS "Superseded_Manifest_SHA256"
FROM period_reopening r CROSS JOIN LATERAL (SELECT manifest_sha256 FROM period_package n WHERE n.month = r.month AND n.version = r.version
                                            ORDER BY n.edition DESC LIMIT 1) g
WHERE r.month = CAST(:month AS date) AND r.version < :version ORDER BY r.version

-- name: tied
SELECT custodial_account_id, as_of, closing_cents, booked_cents FROM period_tie_out WHERE month = :month AND version = :version
ORDER BY custodial_account_id, as_of

-- name: issued_certificates_file
-- Certificates of the month, or of months that hold it, that were issued before it was closed; without a member: of all.
SELECT c.certificate_id AS "Certificate", coalesce(p.ncpdp_id, 'all') AS "Owner", c.from_on AS "From", c.to_on AS "To", c.version AS "Version",
       c.supersedes AS "Supersedes", encode(c.body_sha256, 'hex') AS "Body_SHA256", CAST(c.closing_cents / 100.0 AS numeric(20, 2)) AS "Closing",
       CAST(c.retained_cents / 100.0 AS numeric(20, 2)) AS "Retained", i.checkpoint_size AS "Checkpoint",
       to_char(i.issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "Issued_At"
FROM certificate c JOIN certificate_issue i USING (issue_id) LEFT JOIN centralpay.member m USING (member_id)
LEFT JOIN centralpay.pharmacy p USING (pharmacy_id)
WHERE c.from_on < CAST(:next_month AS date) AND c.to_on >= CAST(:month AS date) AND i.issued_at <= CAST(:closed_at AS timestamptz) ORDER BY c.certificate_id
