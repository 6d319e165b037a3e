-- name: new_advice_ids
SELECT nextval(pg_get_serial_sequence('centralpay.advice', 'advice_id')) FROM generate_series(1, :count)

-- name: lock_file
SELECT pg_advisory_xact_lock(hashtext('centralpay.file'), CAST(:file_id AS integer))

-- name: recorded_sets
SELECT set_ordinal FROM remittance_set WHERE file_id = :file_id

-- name: days
-- Of days of payment: whether an accounting period takes them, and whether there is a partition for their claims.
SELECT day, effective_date(day) IS NOT NULL AS has_period, to_regclass('centralpay.claim_line_' || to_char(day, 'YYYY_MM')) IS NOT NULL AS has_partition
FROM unnest(CAST(:days AS date[])) AS day

-- name: lock_partitions
SELECT pg_advisory_xact_lock(hashtext('centralpay.claim_line partition'))

-- name: ensure_partition
SELECT ensure_claim_partition(:paid_on)

-- name: add_advices
-- In one order for everybody: loaders that meet the same advices wait for each other, never in a circle.
INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id, set_ordinal, payer_name, method,
    paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start, byte_end, delimiters, direct_pay_id, state)
SELECT a.advice_id, a.payer_id, a.trace_number, a.payee_id, a.ordinal_in_payment, a.content_sha256, :file_id, a.set_ordinal, a.payer_name, a.method,
    a.paid_on, a.payment_cents, a.claim_count, a.claims_cents, a.plb_cents, a.byte_start, a.byte_end, a.delimiters,
    a.direct_pay_id, CASE WHEN a.direct_pay_id IS NULL THEN 'accepted' ELSE 'direct' END
FROM unnest(CAST(:advice_id AS bigint[]), CAST(:payer_id AS text[]), CAST(:trace_number AS text[]), CAST(:payee_id AS text[]),
    CAST(:ordinal_in_payment AS integer[]), CAST(:content_sha256 AS bytea[]), CAST(:set_ordinal AS integer[]), CAST(:payer_name AS text[]),
    CAST(:method AS text[]), CAST(:paid_on AS date[]), CAST(:payment_cents AS bigint[]), CAST(:claim_count AS integer[]),
    CAST(:claims_cents AS bigint[]), CAST(:plb_cents AS bigint[]), CAST(:byte_start AS bigint[]), CAST(:byte_end AS bigint[]),
    CAST(:delimiters AS text[]), CAST(:direct_pay_id AS bigint[]))
    AS a (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, set_ordinal, payer_name, method,
    paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start, byte_end, delimiters, direct_pay_id)
ORDER BY a.payer_id COLLATE "C", a.trace_number COLLATE "C", a.payee_id COLLATE "C", a.ordinal_in_payment
ON CONFLICT (payer_id, trace_number, payee_id, ordinal_in_payment) WHERE state <> 'replaced' DO NOTHING
RETURNING advice_id

-- name: taken
SELECT a.payer_id, a.trace_number, a.payee_id, a.ordinal_in_payment, a.advice_id, a.content_sha256
FROM unnest(CAST(:payer_id AS text[]), CAST(:trace_number AS text[]), CAST(:payee_id AS text[]), CAST(:ordinal_in_payment AS integer[]))
    AS k (payer_id, trace_number, payee_id, ordinal_in_payment)
CROSS JOIN LATERAL (
    SELECT * FROM advice WHERE payer_id = k.payer_id AND trace_number = k.trace_number AND payee_id = k.payee_id
        AND ordinal_in_payment = k.ordinal_in_payment AND state <> 'replaced' OFFSET 0) a

-- name: add_sets
INSERT INTO remittance_set (file_id, set_ordinal, trace_number, payer_id, status, claim_count, payment_cents, findings, content_sha256,
    byte_start, byte_end, advice_id)
SELECT :file_id, s.set_ordinal, s.trace_number, s.payer_id, s.status, s.claim_count, s.payment_cents, CAST(s.findings AS jsonb), s.content_sha256,
    s.byte_start, s.byte_end, s.advice_id
FROM unnest(CAST(:set_ordinal AS integer[]), CAST(:trace_number AS text[]), CAST(:payer_id AS text[]), CAST(:status AS text[]),
    CAST(:claim_count AS integer[]), CAST(:payment_cents AS bigint[]), CAST(:findings AS text[]), CAST(:content_sha256 AS bytea[]),
    CAST(:byte_start AS bigint[]), CAST(:byte_end AS bigint[]), CAST(:advice_id AS bigint[]))
    AS s (set_ordinal, trace_number, payer_id, status, claim_count, payment_cents, findings, content_sha256, byte_start, byte_end, advice_id)

-- name: add_replacement
INSERT INTO advice_replacement (advice_id, replaces, approval_id) VALUES (:advice_id, :replaces, :approval_id)

-- name: accept_set
UPDATE remittance_set SET status = 'accepted', advice_id = :advice_id WHERE file_id = :file_id AND set_ordinal = :set_ordinal

-- name: add_shares
-- Shares, and for each member's that no remittance has told it of yet; of a direct advice its payer told it.
WITH added AS (
    INSERT INTO advice_share (owner_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256)
    SELECT owner_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256 FROM advice_shares(CAST(:advice_ids AS bigint[]))
    RETURNING owner_id, advice_id
)
INSERT INTO share_to_remit (owner_id, advice_id) SELECT s.owner_id, s.advice_id FROM added s JOIN advice a USING (advice_id)
WHERE s.owner_id <> house_id() AND a.direct_pay_id IS NULL

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
