-- name: open
INSERT INTO exception_case AS e (kind, subject, amount_cents, detail) VALUES (:kind, :subject, :amount_cents, :detail)
ON CONFLICT (kind, subject) WHERE state = 'open' DO UPDATE SET amount_cents = excluded.amount_cents, detail = excluded.detail
WHERE (e.amount_cents, e.detail) <> (excluded.amount_cents, excluded.detail)

-- name: close_others
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE kind = :kind AND state = 'open' AND NOT subject = ANY (CAST(:subjects AS text[]))

-- name: list
SELECT exception_id AS id, kind, subject, amount_cents, detail, opened_at, state, resolution FROM exception_case
WHERE CAST(:state AS text) IS NULL OR state = :state ORDER BY exception_id

-- name: show
SELECT exception_id AS id, kind, subject, amount_cents, detail, opened_at, state, resolution FROM exception_case WHERE exception_id = :id
