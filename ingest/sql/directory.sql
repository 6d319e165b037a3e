-- name: members_on_file
SELECT p.ncpdp_id, p.pharmacy_id, m.member_id, lower(m.membership) AS since, upper(m.membership) - 1 AS until, m.legal_name, m.dba_name,
       m.tin, m.state, m.payout_schedule, m.payout_minimum_cents,
       (SELECT i.value FROM member_identifier i WHERE i.member_id = m.member_id AND i.kind = 'NPI' ORDER BY i.found_by IS NULL DESC, i.valid DESC LIMIT 1) AS npi,
       c.monthly_fee_cents, lower(c.in_force) AS fee_since, b.bank_account_id, b.routing_number, b.account_type, b.sealed_number
FROM member m
JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN LATERAL (SELECT * FROM contract WHERE member_id = m.member_id ORDER BY in_force DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT * FROM bank_account WHERE member_id = m.member_id ORDER BY in_use DESC LIMIT 1) b ON true

-- name: lock_directory
SELECT pg_advisory_xact_lock(hashtext('centralpay.directory'))

-- name: new_ids
SELECT uuidv7() FROM generate_series(1, :count)

-- name: end_identifiers
UPDATE member_identifier SET valid = daterange(lower(valid), CAST(:until AS date), '[]')
WHERE member_id = :member_id AND (upper_inf(valid) OR upper(valid) > CAST(:until AS date) + 1)

-- name: found_identifiers
-- Identifiers that people found to be a member's.
SELECT i.kind, i.value, i.member_id, p.ncpdp_id, lower(i.valid) AS since, upper(i.valid) - 1 AS until
FROM member_identifier i JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) WHERE i.found_by IS NOT NULL ORDER BY i.kind, i.value, i.valid

-- name: end_contracts
UPDATE contract SET in_force = daterange(lower(in_force), CAST(:until AS date), '[]') WHERE member_id = :member_id AND upper_inf(in_force)

-- name: end_membership
UPDATE member SET membership = daterange(lower(membership), CAST(:until AS date), '[]') WHERE member_id = :member_id AND upper_inf(membership)

-- name: end_contract_before
UPDATE contract SET in_force = daterange(lower(in_force), CAST(:fee_since AS date)) WHERE member_id = :member_id AND in_force @> CAST(:fee_since AS date)

-- name: next_contract
-- The form of its remittances and the way its first and last month count stay a member's under a new fee.
INSERT INTO contract (member_id, in_force, monthly_fee_cents, proration, remittance_form)
SELECT :member_id, daterange(:since, CAST(:until AS date), '[]'), :monthly_fee_cents, coalesce(max(c.proration), 'none'), coalesce(max(c.remittance_form), 'combined')
FROM (SELECT proration, remittance_form FROM contract WHERE member_id = :member_id ORDER BY in_force DESC LIMIT 1) c

-- name: add_bank_accounts
-- All in one statement: the guard of accounts asks once a statement.
INSERT INTO bank_account (bank_account_id, member_id, in_use, routing_number, account_type, sealed_number, last_four)
SELECT n.bank_account_id, n.member_id, daterange(n.since, NULL), n.routing_number, n.account_type, n.sealed_number, n.last_four
FROM unnest(CAST(:bank_account_id AS uuid[]), CAST(:member_id AS uuid[]), CAST(:since AS date[]), CAST(:routing_number AS text[]),
            CAST(:account_type AS text[]), CAST(:sealed_number AS bytea[]), CAST(:last_four AS text[]))
    AS n (bank_account_id, member_id, since, routing_number, account_type, sealed_number, last_four)

-- name: assessed_months
-- The last month for which each of these members is assessed.
SELECT DISTINCT ON (s.owner_id) s.owner_id AS member_id, month_of_reference(s.reference) AS month, s.amount_cents AS cents
FROM standing_line s WHERE s.account = 'fee_receivable' AND s.event = 'fee_assessed' AND s.owner_id = ANY (CAST(:member_ids AS uuid[]))
ORDER BY s.owner_id, s.reference DESC

-- name: rename_member
UPDATE member SET legal_name = :legal_name, dba_name = :dba_name, state = :state, payout_schedule = :payout_schedule,
    payout_minimum_cents = coalesce(CAST(:payout_minimum_cents AS bigint), payout_minimum_cents)
WHERE member_id = :member_id

-- name: identifiers
SELECT kind || ':' || value AS identifier, to_char(lower(valid), 'YYYYMMDD') AS since,
       coalesce(to_char(upper(valid) - 1, 'YYYYMMDD'), '99991231') AS until, member_id
FROM member_identifier

-- name: find_member
SELECT m.member_id, p.ncpdp_id, m.legal_name, lower(m.membership) AS since, upper(m.membership) - 1 AS until
FROM member m JOIN pharmacy p USING (pharmacy_id)
WHERE p.ncpdp_id = :asked OR CAST(m.member_id AS text) = lower(:asked)
ORDER BY m.membership

-- name: unknown_payees
-- In one order for everybody: two loads that meet the same identifiers wait for each other, never in a circle.
INSERT INTO unknown_payee (identifier) SELECT DISTINCT unnest(CAST(:identifiers AS text[])) AS identifier ORDER BY identifier ON CONFLICT (identifier) DO NOTHING

-- name: unknown_payee_ids
SELECT identifier, unknown_payee_id FROM unknown_payee WHERE identifier = ANY (CAST(:identifiers AS text[]))

-- name: payers
INSERT INTO payer AS p (payer_id, name, ach_company_ids, aliases) VALUES (:payer_id, :name, :ach_company_ids, :aliases)
ON CONFLICT (payer_id) DO UPDATE SET name = excluded.name, ach_company_ids = excluded.ach_company_ids, aliases = excluded.aliases
WHERE (p.name, p.ach_company_ids, p.aliases) IS DISTINCT FROM (excluded.name, excluded.ach_company_ids, excluded.aliases)
RETURNING xmax = 0 AS added

-- name: list_members
SELECT m.member_id, p.ncpdp_id, (SELECT i.value FROM member_identifier i WHERE i.member_id = m.member_id AND i.kind = 'NPI' ORDER BY i.found_by IS NULL DESC, i.valid DESC LIMIT 1) AS npi,
       m.legal_name, lower(m.membership) AS member_since, upper(m.membership) - 1 AS member_until, c.monthly_fee_cents, b.last_four AS account_last_four
FROM member m JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN LATERAL (SELECT * FROM contract WHERE member_id = m.member_id ORDER BY in_force DESC LIMIT 1) c ON true
LEFT JOIN LATERAL (SELECT * FROM bank_account WHERE member_id = m.member_id ORDER BY in_use DESC LIMIT 1) b ON true
ORDER BY p.ncpdp_id, m.membership
