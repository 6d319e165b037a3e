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

-- name: add_statement
INSERT INTO bank_statement (custodial_account_id, as_of, file_id, opening_cents, closing_cents)
VALUES (:account, :as_of, :file_id, :opening_cents, :closing_cents) ON CONFLICT DO NOTHING

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
SELECT b.bank_line_id, b.as_of, b.type_code, b.amount_cents, b.bank_reference, b.customer_reference, b.description, b.traces,
       -sum(l.amount_cents)::bigint AS open_cents
FROM bank_line b JOIN line l ON l.reference = b.bank_line_id AND l.owner_id = house_id()
    AND l.account IN ('unmatched_deposit', 'unmatched_debit')
WHERE b.state = 'unmatched'
GROUP BY b.bank_line_id HAVING sum(l.amount_cents) <> 0 ORDER BY b.bank_line_id

-- name: settle_lines
-- A line with nothing open left is matched.
UPDATE bank_line b SET state = 'matched' WHERE b.bank_line_id = ANY (CAST(:lines AS bigint[])) AND b.state = 'unmatched' AND NOT EXISTS (
    SELECT FROM line l WHERE l.reference = b.bank_line_id AND l.owner_id = house_id() AND l.account IN ('unmatched_deposit', 'unmatched_debit')
    HAVING sum(l.amount_cents) <> 0)
