-- name: is_auditor
SELECT role = 'auditor' FROM app_user WHERE user_name = :actor

-- name: note
SELECT note_read(:actor, :what, CAST(:parameters AS jsonb))

-- name: reads
SELECT read_id, at, actor, login, what, parameters FROM examined
WHERE (CAST(:actor AS text) IS NULL OR actor = :actor)
  AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
ORDER BY read_id
