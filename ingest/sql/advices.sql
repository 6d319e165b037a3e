-- name: new_advice_ids
SELECT nextval(pg_get_serial_sequence('centralpay.advice', 'advice_id')) FROM generate_series(1, :count)

-- name: recorded_sets
SELECT set_ordinal FROM remittance_set WHERE file_id = :file_id

-- name: lock_file
SELECT pg_advisory_xact_lock(hashtext('centralpay.file'), CAST(:file_id AS integer))

-- name: add_advice
INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id, set_ordinal, payer_name, method,
    paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start, byte_end)
VALUES (:advice_id, :payer_id, :trace_number, :payee_id, :ordinal_in_payment, :content_sha256, :file_id, :set_ordinal, :payer_name, :method,
    :paid_on, :payment_cents, :claim_count, :claims_cents, :plb_cents, :byte_start, :byte_end)
ON CONFLICT ON CONSTRAINT advice_identity DO NOTHING

-- name: taken
SELECT advice_id, content_sha256 FROM advice
WHERE payer_id = :payer_id AND trace_number = :trace_number AND payee_id = :payee_id AND ordinal_in_payment = :ordinal_in_payment

-- name: add_set
INSERT INTO remittance_set (file_id, set_ordinal, trace_number, payer_id, status, claim_count, payment_cents, findings, content_sha256,
    byte_start, byte_end, advice_id)
VALUES (:file_id, :set_ordinal, :trace_number, :payer_id, :status, :claim_count, :payment_cents, CAST(:findings AS jsonb), :content_sha256,
    :byte_start, :byte_end, :advice_id)

-- name: lock_partitions
SELECT pg_advisory_xact_lock(hashtext('centralpay.claim_line partition'))

-- name: ensure_partition
SELECT ensure_claim_partition(:paid_on)

-- name: add_plb
INSERT INTO plb_line (advice_id, segment, pair, owner_id, unknown_payee_id, is_network, payee_id, fiscal_date, reason, reference, amount_cents)
VALUES (:advice_id, :segment, :pair, :owner_id, :unknown_payee_id, :is_network, :payee_id, :fiscal_date, :reason, :reference, :amount_cents)

-- name: add_shares
INSERT INTO advice_share (owner_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256)
SELECT owner_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256 FROM advice_shares(CAST(:advice_ids AS bigint[]))

-- name: shares
-- The shares of advices as they are posted: a member's as one sum, the house's by unknown payee and for the network.
SELECT owner_id, advice_id, (claims_cents - plb_cents)::bigint AS cents, CAST(NULL AS bigint) AS identifier, false AS is_network
FROM advice_share WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND owner_id <> house_id()
UNION ALL
SELECT house_id(), advice_id, sum(cents)::bigint, unknown_payee_id, is_network
FROM (
    SELECT c.advice_id, c.unknown_payee_id, false AS is_network, c.paid_cents AS cents
    FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
    WHERE c.advice_id = ANY (CAST(:advice_ids AS bigint[])) AND c.owner_id = house_id()
    UNION ALL
    SELECT advice_id, unknown_payee_id, is_network, -amount_cents FROM plb_line
    WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])) AND owner_id = house_id()) h
GROUP BY advice_id, unknown_payee_id, is_network
ORDER BY advice_id, owner_id, identifier

-- name: unknown_payee_totals
SELECT u.identifier, coalesce(sum(l.amount_cents), 0)::bigint * -1 AS cents
FROM unknown_payee u LEFT JOIN line l ON l.reference = u.unknown_payee_id AND l.owner_id = house_id()
    AND l.account IN ('unknown_payee', 'unknown_payee_unfunded')
WHERE u.unknown_payee_id = ANY (CAST(:ids AS bigint[])) GROUP BY u.identifier ORDER BY u.identifier

-- name: network_totals
-- All adjustments of the network under the traces of these advices: a trace may have several sets, and several payers.
SELECT a.trace_number, string_agg(DISTINCT a.payer_id, ', ') AS payers, -sum(p.amount_cents)::bigint AS cents
FROM plb_line p JOIN advice a USING (advice_id)
WHERE p.is_network AND a.state <> 'replaced'
  AND a.trace_number IN (SELECT trace_number FROM advice WHERE advice_id = ANY (CAST(:advice_ids AS bigint[])))
GROUP BY a.trace_number ORDER BY a.trace_number

-- name: add_file
INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by)
VALUES (:sha256, :name, :kind, :size_bytes, 'reading', :actor) ON CONFLICT (sha256) DO NOTHING

-- name: file
SELECT file_id, kind, status, findings FROM received_file WHERE sha256 = :sha256

-- name: finish_file
UPDATE received_file SET status = :status, findings = CAST(:findings AS jsonb) WHERE file_id = :file_id AND status IN ('reading', 'unreadable')

-- name: sets
SELECT set_ordinal, trace_number AS trn, status, claim_count AS claims, findings FROM remittance_set WHERE file_id = :file_id ORDER BY set_ordinal
