-- name: is_auditor
SELECT role = 'auditor' FROM app_user WHERE user_name = :actor

-- name: note
SELECT note_read(:actor, :what, CAST(:parameters AS jsonb))

-- name: reads
SELECT read_id, at, actor, login, what, parameters FROM examined
WHERE (CAST(:actor AS text) IS NULL OR actor = :actor)
  AND (CAST(:since AS timestamptz) IS NULL OR at >= :since) AND (CAST(:before AS timestamptz) IS NULL OR at < :before)
ORDER BY read_id

-- name: auditor_logins
-- Who may log in and read as an auditor besides the application itself, and what the server logs of its statements: as set for
-- the login in this database, for the login, for this database, for the server.
SELECT r.rolname AS name, coalesce((
    SELECT split_part(said.setting, '=', 2) FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS said (setting)
    WHERE s.setrole IN (0, r.oid) AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND said.setting LIKE 'log\_statement=%'
    ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1),
    (SELECT reset_val FROM pg_settings WHERE name = 'log_statement')) = 'all' AS is_logged
FROM pg_roles r
WHERE r.rolcanlogin AND NOT r.rolsuper AND r.rolname NOT LIKE 'centralpay\_%'
  AND pg_has_role(r.oid, (SELECT oid FROM pg_roles WHERE rolname = 'centralpay_auditor'), 'MEMBER')
ORDER BY 1
