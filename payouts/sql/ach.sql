-- name: lock_files
-- One file at a time takes its modifier and its trace numbers.
SELECT pg_advisory_xact_lock(hashtext('centralpay.ach_file'))

-- name: modifiers_of_day
SELECT id_modifier FROM ach_file WHERE business_date = :business_date

-- name: next_traces
SELECT nextval('ach_trace') FROM generate_series(1, :count)

-- name: traces_in_use
SELECT trace_number FROM ach_entry
WHERE trace_number BETWEEN :first AND :last AND in_use && daterange(:business_date, CAST(CAST(:business_date AS date) + interval '1 year' AS date))

-- name: add_file
INSERT INTO ach_file (kind, cycle_id, business_date, effective_on, id_modifier, name, sha256, credit_cents, debit_cents, entries, made_by)
VALUES (:kind, :cycle_id, :business_date, :effective_on, :id_modifier, :name, :sha256, :credit_cents, :debit_cents, :entries, :actor)
RETURNING ach_file_id

-- name: add_entries
INSERT INTO ach_entry (trace_number, in_use, ach_file_id, kind, payout_id, change_id, amount_cents)
SELECT n.trace_number, daterange(:business_date, CAST(CAST(:business_date AS date) + interval '1 year' AS date)), :ach_file_id, n.kind, n.payout_id, n.change_id,
       n.amount_cents
FROM unnest(CAST(:traces AS bigint[]), CAST(:kinds AS text[]), CAST(:payouts AS bigint[]), CAST(:changes AS bigint[]), CAST(:cents AS bigint[]))
     AS n (trace_number, kind, payout_id, change_id, amount_cents)

-- name: find_entry
SELECT e.trace_number, e.kind, e.payout_id, e.change_id, e.amount_cents, lower(e.in_use) AS sent_on, e.ach_file_id, f.effective_on
FROM ach_entry e JOIN ach_file f USING (ach_file_id) WHERE e.trace_number = :trace_number AND e.in_use @> CAST(:on AS date)

-- name: files
SELECT ach_file_id, kind, cycle_id, business_date, effective_on, id_modifier, name, encode(sha256, 'hex') AS sha256, credit_cents, debit_cents, entries, made_by
FROM ach_file WHERE CAST(:ach_file_id AS numeric) IS NULL OR ach_file_id = :ach_file_id ORDER BY ach_file_id

-- name: entries_of_file
SELECT e.trace_number, e.kind, e.payout_id, e.change_id, e.amount_cents, lower(e.in_use) AS sent_on, e.ach_file_id, f.effective_on, p.ncpdp_id
FROM ach_entry e JOIN ach_file f USING (ach_file_id)
LEFT JOIN payout o ON o.payout_id = e.payout_id LEFT JOIN bank_account_change c ON c.change_id = e.change_id
LEFT JOIN member m ON m.member_id = coalesce(o.member_id, c.member_id) LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE e.ach_file_id = :ach_file_id ORDER BY e.trace_number

-- name: same_day_windows
SELECT closes_at FROM same_day_window
WHERE since = (SELECT max(since) FROM same_day_window WHERE since <= :business_date) ORDER BY closes_at

-- name: limit_on
SELECT limit_on(:name, :business_date)

-- name: sent_payout
-- The payout's turn first: nobody returns, settles or takes it back meanwhile.
SELECT o.payout_id, o.state, o.amount_cents, p.ncpdp_id, m.legal_name, a.routing_number, a.account_type, a.sealed_number, a.bank_account_id,
       c.cycle_id, c.effective_on, c.odfi_routing, c.company_id, c.company_name, c.entry_description,
       (SELECT e.ach_file_id FROM ach_entry e WHERE e.payout_id = o.payout_id AND e.kind = 'reversal') AS taken_back_by,
       (SELECT min(w.answer_id) FROM ach_answer w WHERE w.payout_id = o.payout_id AND w.kind IN ('return', 'contested') AND w.state = 'open') AS sent_back_by
FROM payout o JOIN cycle c USING (cycle_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN bank_account a ON a.bank_account_id = o.bank_account_id
WHERE o.payout_id = :payout_id FOR UPDATE OF o

-- name: reversal_approval
SELECT approval_id, state, facts FROM approval WHERE kind = 'ach_reversal' AND subject = CAST(CAST(:payout_id AS bigint) AS text)
ORDER BY approval_id DESC LIMIT 1
