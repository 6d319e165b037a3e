-- name: named
-- Every file that the books say the vault holds, by its SHA-256 ascending, with all its names, and whether it was let go.
SELECT encode(n.sha256, 'hex') AS sha256, string_agg(DISTINCT n.name, '; ' ORDER BY n.name) AS names, max(n.size_bytes) AS size_bytes,
       max(n.steps) AS steps
FROM (
    SELECT f.sha256, f.name, f.size_bytes, (SELECT count(*) FROM vault_expiry e WHERE e.file_id = f.file_id) AS steps FROM received_file f
    UNION ALL
    SELECT c.nacha_sha256, c.nacha_name, NULL, 0 FROM cycle c WHERE c.nacha_sha256 IS NOT NULL
    UNION ALL
    SELECT c.children_sha256, format('remittances of cycle %s', c.cycle_id), NULL, 0 FROM cycle c WHERE c.children_sha256 IS NOT NULL
    UNION ALL
    SELECT c.notices_sha256, format('notices of cycle %s', c.cycle_id), NULL, 0 FROM cycle c WHERE c.notices_sha256 IS NOT NULL
    UNION ALL
    SELECT decode(a.detail ->> 'sha256', 'hex'), format('statement %s %s %s', a.subject, a.detail ->> 'from', a.detail ->> 'to'), NULL, 0
    FROM activity a WHERE a.action = 'statement_issued'
    UNION ALL
    SELECT decode(a.detail ->> 'sha256', 'hex'), format('certificates %s', a.subject), NULL, 0 FROM activity a WHERE a.action = 'certificate_issued'
) n
GROUP BY n.sha256 ORDER BY n.sha256

-- name: let_go_among
SELECT DISTINCT encode(f.sha256, 'hex') FROM received_file f JOIN vault_expiry e USING (file_id) WHERE f.sha256 = ANY (CAST(:digests AS bytea[]))

-- name: lock_numbers
-- Nobody adds an account while their numbers are sealed anew: the turns that a roster and a bank statement take.
SELECT pg_advisory_xact_lock(hashtext('centralpay.directory')), pg_advisory_xact_lock(hashtext('centralpay.custodial_account'))

-- name: sealed_numbers
-- Each row by its name, and what its number is sealed for: that of a change is for the account that it will make.
SELECT 'bank_account:' || bank_account_id AS context, 'bank_account:' || bank_account_id AS sealed_for, sealed_number FROM bank_account
UNION ALL
SELECT 'bank_account_change:' || change_id, 'bank_account:' || bank_account_id, sealed_number FROM bank_account_change
UNION ALL
SELECT 'custodial_account:' || custodial_account_id, 'custodial_account:' || custodial_account_id, sealed_number FROM custodial_account
ORDER BY context

-- name: reseal
SELECT reseal_numbers(:actor, CAST(:contexts AS text[]), CAST(:read AS bytea[]), CAST(:resealed AS bytea[]))

-- name: old_files
-- Files received before a day that were not let go yet, oldest first, with why they have to stay, if they have to.
SELECT f.file_id, encode(f.sha256, 'hex') AS sha256, f.name, f.kind, f.size_bytes, (f.received_at AT TIME ZONE 'UTC')::date AS received_on, k.reasons
FROM received_file f
LEFT JOIN (
    SELECT k.file_id, string_agg(k.reason, '; ' ORDER BY k.reason) AS reasons
    FROM file_kept_for(ARRAY (SELECT o.file_id FROM received_file o WHERE (o.received_at AT TIME ZONE 'UTC')::date < :before)) k GROUP BY k.file_id) k USING (file_id)
WHERE (f.received_at AT TIME ZONE 'UTC')::date < :before AND NOT EXISTS (SELECT FROM vault_expiry e WHERE e.file_id = f.file_id)
ORDER BY f.received_at, f.file_id

-- name: decide
-- Asks again: what came to need a file in the meantime keeps it.
INSERT INTO vault_expiry (file_id, state, before, reason, actor)
SELECT n.file_id, 'expiring', :before, :reason, :actor FROM unnest(CAST(:file_ids AS bigint[])) n (file_id)
WHERE n.file_id <> ALL (ARRAY (SELECT k.file_id FROM file_kept_for(CAST(:file_ids AS bigint[])) k))
ON CONFLICT DO NOTHING RETURNING file_id

-- name: to_erase
-- Let go and not known to be gone; then those that are gone, of which the bytes may have come again. What came to be
-- needed since, because it was sent again and could be read this time, stays until it is not.
SELECT e.file_id, encode(f.sha256, 'hex') AS sha256, d.file_id IS NOT NULL AS is_gone
FROM vault_expiry e JOIN received_file f USING (file_id)
LEFT JOIN vault_expiry d ON d.file_id = e.file_id AND d.state = 'expired'
WHERE e.state = 'expiring'
  AND e.file_id <> ALL (ARRAY (SELECT k.file_id FROM file_kept_for(ARRAY (SELECT x.file_id FROM vault_expiry x WHERE x.state = 'expiring')) k))
ORDER BY is_gone, e.file_id

-- name: gone
INSERT INTO vault_expiry (file_id, state, before, reason, actor)
SELECT e.file_id, 'expired', e.before, e.reason, :actor FROM vault_expiry e
WHERE e.state = 'expiring' AND e.file_id = ANY (CAST(:file_ids AS bigint[]))
ON CONFLICT DO NOTHING

-- name: let_go
SELECT e.actor, (e.at AT TIME ZONE 'UTC')::date AS let_go_on, e.reason
FROM received_file f JOIN vault_expiry e USING (file_id) WHERE f.sha256 = :sha256 AND e.state = 'expiring'
