-- name: accounts
SELECT custodial_account_id, sealed_number FROM custodial_account ORDER BY custodial_account_id

-- name: add_account
INSERT INTO custodial_account (custodial_account_id, last_four, sealed_number) VALUES (:id, :last_four, :sealed_number)

-- name: lock_account
SELECT pg_advisory_xact_lock(hashtext('centralpay.custodial_account'))

-- name: begun_on
SELECT min(as_of) FROM bank_statement WHERE custodial_account_id = :account

-- name: opened
SELECT EXISTS (SELECT FROM bank_line WHERE type_code = :type_code)

-- name: is_loaded
SELECT EXISTS (SELECT FROM bank_statement WHERE file_id = :file_id)

-- name: add_statement
INSERT INTO bank_statement (custodial_account_id, as_of, file_id, feed, opening_cents, closing_cents, repeats)
VALUES (:account, :as_of, :file_id, :feed, :opening_cents, :closing_cents, :repeats) ON CONFLICT DO NOTHING

-- name: waive
INSERT INTO statement_waiver (file_id, rule, reason, waived_by) VALUES (:file_id, :rule, :reason, :actor) ON CONFLICT DO NOTHING

-- name: waived
SELECT rule FROM statement_waiver WHERE file_id = :file_id ORDER BY rule

-- name: day_statements
-- The statements of a day that booked its lines, in the order in which they follow on each other.
SELECT file_id, feed, opening_cents, closing_cents FROM bank_statement
WHERE (custodial_account_id, as_of) = (:account, :as_of) AND repeats IS NULL ORDER BY place

-- name: day_before
-- The last statement before a day that booked lines and has a closing balance.
SELECT as_of, closing_cents FROM bank_statement
WHERE custodial_account_id = :account AND as_of < :as_of AND repeats IS NULL AND closing_cents IS NOT NULL
ORDER BY as_of DESC, place DESC LIMIT 1

-- name: day_lines
-- The lines of a day but its opening balance, with all payments that any feed named for them.
SELECT b.bank_line_id, b.file_id, b.type_code, b.amount_cents, b.bank_reference, b.customer_reference, b.description, b.state,
       p.traces
FROM bank_line b JOIN bank_line_payments p USING (bank_line_id)
WHERE (b.custodial_account_id, b.as_of) = (:account, :as_of) AND b.type_code <> :opening_code ORDER BY b.bank_line_id

-- name: add_details
INSERT INTO bank_line_detail (bank_line_id, trace_number, payer_id, file_id)
SELECT n.bank_line_id, n.trace_number, n.payer_id, :file_id
FROM unnest(CAST(:lines AS bigint[]), CAST(:trace_numbers AS text[]), CAST(:payer_ids AS text[])) AS n (bank_line_id, trace_number, payer_id)
ON CONFLICT DO NOTHING RETURNING bank_line_id

-- name: add_entries
INSERT INTO received_entry (file_id, line, trace, amount_cents, settled_on, company_id, company_name, identification, traces)
SELECT :file_id, n.line, n.trace, n.amount_cents, n.settled_on, n.company_id, n.company_name, n.identification, CAST(n.traces AS jsonb)
FROM unnest(CAST(:lines AS integer[]), CAST(:entry_traces AS text[]), CAST(:amounts AS bigint[]), CAST(:days AS date[]), CAST(:company_ids AS text[]),
            CAST(:company_names AS text[]), CAST(:identifications AS text[]), CAST(:traces AS text[]))
     AS n (line, trace, amount_cents, settled_on, company_id, company_name, identification, traces)
ON CONFLICT DO NOTHING RETURNING received_entry_id

-- name: entries_waiting
SELECT received_entry_id, file_id, trace, amount_cents, settled_on, company_id, company_name, traces FROM received_entry
WHERE bank_line_id IS NULL ORDER BY received_entry_id

-- name: lines_for_entries
-- Lines of these amounts about these days that no entry was joined to, with all payments that any feed named for them.
SELECT b.bank_line_id, b.as_of, b.amount_cents, b.bank_reference, b.customer_reference, b.description,
       p.traces
FROM bank_line b JOIN bank_line_payments p USING (bank_line_id)
WHERE b.custodial_account_id = :account AND b.amount_cents = ANY (CAST(:amounts AS bigint[]))
  AND b.as_of BETWEEN CAST(:first AS date) AND CAST(:last AS date) AND b.type_code <> :opening_code
  AND NOT EXISTS (SELECT FROM received_entry e WHERE e.bank_line_id = b.bank_line_id)
ORDER BY b.bank_line_id

-- name: statement_days
SELECT DISTINCT as_of FROM bank_statement WHERE custodial_account_id = :account AND as_of BETWEEN CAST(:first AS date) AND CAST(:last AS date)

-- name: payer_words
-- By what banks know each payer.
SELECT ARRAY[payer_id, left(name, 16)] || aliases || ach_company_ids AS words FROM payer

-- name: join_entries
UPDATE received_entry e SET bank_line_id = n.bank_line_id
FROM unnest(CAST(:entries AS bigint[]), CAST(:lines AS bigint[])) AS n (received_entry_id, bank_line_id)
WHERE e.received_entry_id = n.received_entry_id AND e.bank_line_id IS NULL

-- name: add_lines
INSERT INTO bank_line (custodial_account_id, as_of, type_code, amount_cents, bank_reference, customer_reference, description, traces, ordinal, file_id)
SELECT :account, CAST(:as_of AS date), n.type_code, n.amount_cents, n.bank_reference, n.customer_reference, n.description,
       CAST(n.traces AS jsonb), n.ordinal, :file_id
FROM unnest(CAST(:type_codes AS text[]), CAST(:amounts AS bigint[]), CAST(:bank_references AS text[]), CAST(:customer_references AS text[]),
            CAST(:descriptions AS text[]), CAST(:traces AS text[]), CAST(:ordinals AS integer[]))
     AS n (type_code, amount_cents, bank_reference, customer_reference, description, traces, ordinal)
ON CONFLICT DO NOTHING
RETURNING bank_line_id, as_of, amount_cents

-- name: open_lines
-- Unmatched bank lines with what is still open of them; credits positive, debits negative.
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, b.bank_reference, b.customer_reference, b.description,
       p.traces,
       -sum(l.amount_cents)::bigint AS open_cents
FROM bank_line b JOIN bank_line_payments p USING (bank_line_id) JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id()
    AND l.account IN ('unmatched_deposit', 'unmatched_debit')
WHERE b.state = 'unmatched'
GROUP BY b.bank_line_id, p.traces HAVING sum(l.amount_cents) <> 0 ORDER BY b.bank_line_id

-- name: lines_free_on
-- The day from which on so much of each line is open without a break: before it that was used, or set aside, by what was reversed since.
SELECT n.bank_line_id, max(d.effective_on) AS free_on FROM unnest(CAST(:lines AS bigint[]), CAST(:cents AS bigint[])) AS n (bank_line_id, cents)
CROSS JOIN LATERAL (
    SELECT l.effective_on, coalesce(sum(sum(l.amount_cents)) OVER (ORDER BY l.effective_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before_cents
    FROM line l WHERE l.account IN ('unmatched_deposit', 'unmatched_debit') AND l.reference = n.bank_line_id AND l.owner_id = house_id()
    GROUP BY l.effective_on) d
WHERE abs(d.before_cents) < n.cents GROUP BY n.bank_line_id

-- name: settle_lines
-- A line with nothing open left is matched.
UPDATE bank_line b SET state = 'matched' WHERE b.bank_line_id = ANY (CAST(:lines AS bigint[])) AND b.state = 'unmatched' AND NOT EXISTS (
    SELECT FROM line l WHERE l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account IN ('unmatched_deposit', 'unmatched_debit')
    HAVING sum(l.amount_cents) <> 0)
