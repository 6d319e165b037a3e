-- name: give
INSERT INTO notice (member_id, kind, recipient, subject, body, made_on, made_by)
SELECT :member_id, :kind, coalesce((
    SELECT concat_ws(E'\n', c.name, nullif(c.postal_address, ''), c.email) FROM member_contact c
    WHERE c.member_id = :member_id AND c.in_use @> CAST(:on AS date)), ''), :subject, :body, :on, :actor
RETURNING notice_id
