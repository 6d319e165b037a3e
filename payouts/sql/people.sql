-- name: first_user
INSERT INTO app_user (user_name, role, added_by) SELECT :actor, 'admin', :actor WHERE NOT EXISTS (SELECT FROM app_user) ON CONFLICT DO NOTHING

-- name: lock_users
SELECT pg_advisory_xact_lock(hashtext('centralpay.app_user'))

-- name: role_of
SELECT role FROM app_user WHERE user_name = :actor

-- name: add_user
INSERT INTO app_user (user_name, role, added_by) VALUES (:name, :role, :actor) ON CONFLICT (user_name) DO NOTHING

-- name: list_users
SELECT user_name AS name, role, added_by FROM app_user ORDER BY added_at, user_name

-- name: propose
INSERT INTO approval (kind, subject, set_hash, facts, proposed_by, approvers_needed)
VALUES (:kind, :subject, :set_hash, CAST(:facts AS jsonb), :actor, :approvers_needed)
ON CONFLICT (kind, subject) WHERE state = 'pending' DO NOTHING RETURNING approval_id

-- name: pending
SELECT approval_id, facts FROM approval WHERE kind = :kind AND subject = :subject AND state = 'pending'

-- name: subject
SELECT kind, subject FROM approval WHERE approval_id = :approval_id

-- name: lock
SELECT approval_id, kind, subject, set_hash, facts, state, proposed_by, approvers_needed, first_approved_by, decided_by FROM approval
WHERE approval_id = :approval_id FOR UPDATE

-- name: decide
UPDATE approval SET state = :state, decided_by = :actor, decided_at = now(), reason = :reason WHERE approval_id = :approval_id

-- name: decide_first
UPDATE approval SET first_approved_by = :actor, first_approved_at = now() WHERE approval_id = :approval_id

-- name: list
SELECT approval_id, kind, subject, facts, state, proposed_by, approvers_needed, first_approved_by, decided_by, reason FROM approval
WHERE CAST(:state AS text) IS NULL OR state = :state ORDER BY approval_id

-- name: withdraw
UPDATE approval SET state = 'withdrawn', decided_at = now(), reason = :reason WHERE kind = :kind AND subject = :subject AND state = 'pending'
