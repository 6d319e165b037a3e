-- name: give
INSERT INTO notice (member_id, kind, recipient, subject, body, made_on, made_by)
SELECT n.member_id, :kind, coalesce((
    SELECT concat_ws(E'\n', c.name, nullif(c.postal_address, ''), c.email) FROM member_contact c
    WHERE c.member_id = n.member_id AND c.in_use @> CAST(:addressed_on AS date)), ''), n.subject, n.body, :on, :actor
FROM unnest(CAST(:member_ids AS uuid[]), CAST(:subjects AS text[]), CAST(:bodies AS text[])) WITH ORDINALITY AS n (member_id, subject, body, place)
ORDER BY n.place RETURNING notice_id, member_id

-- name: list
SELECT n.notice_id, n.member_id, p.ncpdp_id, m.legal_name, n.kind, n.recipient, n.subject, n.body, n.made_on, n.made_by, n.written_at
FROM notice n JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE (:everything OR n.written_at IS NULL) AND (CAST(:notice_id AS numeric) IS NULL OR n.notice_id = :notice_id) ORDER BY n.notice_id

-- name: lock_waiting
-- Nobody else writes the same letters meanwhile.
SELECT notice_id FROM notice WHERE written_at IS NULL ORDER BY notice_id FOR UPDATE

-- name: mark_written
UPDATE notice SET written_at = now() WHERE notice_id = ANY (CAST(:notice_ids AS bigint[])) AND written_at IS NULL
