-- What is stored, computed anew from the rows: by PostgreSQL's own functions only, none of the schema's and no trigger.
-- Statements that find something give at most :most rows, and of each how many there are.

-- name: plain_text
-- How dates, moments and bytes are written: as the seal writes them.
SELECT set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true), set_config('intervalstyle', 'postgres', true),
       set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true), set_config('work_mem', '64MB', true)

-- name: checkpoints
SELECT c.size, c.journal_size, c.root, c.previous_size, c.consistency, c.note, c.sealed_at, c.sealed_by
FROM seal_checkpoint c ORDER BY c.size

-- name: journal_sizes
-- How many of the leaves below each checkpoint are entries.
SELECT c.size, count(*) AS entries
FROM seal_leaf l CROSS JOIN LATERAL (SELECT c.size FROM seal_checkpoint c WHERE c.size > l.leaf_index ORDER BY c.size LIMIT 1) c
WHERE l.kind = 1 GROUP BY c.size ORDER BY c.size

-- name: leaf_range
SELECT coalesce(max(leaf_index) + 1, 0) AS size, count(*) AS leaves, coalesce(min(leaf_index), 0) AS first FROM seal_leaf

-- name: leaves
-- The hashes of a run of leaves, one after the other, and how many they are.
SELECT coalesce(string_agg(leaf, ''::bytea ORDER BY leaf_index), ''::bytea) AS hashes, count(*) AS leaves
FROM seal_leaf WHERE leaf_index >= :first AND leaf_index < :end

-- name: subtrees
SELECT height, subtree, hash FROM seal_subtree WHERE height = :height AND subtree >= :first AND subtree < :end

-- name: other_subtrees
SELECT height, subtree FROM seal_subtree WHERE subtree >= CAST(:size AS bigint) >> height ORDER BY 1, 2

-- name: missing_leaves
SELECT leaf_index + 1 AS first, next_index - 1 AS last, count(*) OVER () AS total
FROM (SELECT leaf_index, lead(leaf_index) OVER (ORDER BY leaf_index) AS next_index FROM seal_leaf) l
WHERE next_index <> leaf_index + 1 ORDER BY 1 LIMIT :most

-- name: wrong_journal_numbers
SELECT leaf_index, journal_no, owner_id, entry_id, right_no, count(*) OVER () AS total
FROM (SELECT leaf_index, journal_no, owner_id, entry_id, row_number() OVER (ORDER BY leaf_index) AS right_no FROM seal_leaf WHERE kind = 1) l
WHERE journal_no <> right_no ORDER BY 1 LIMIT :most

-- name: wrong_entries
-- Sealed entries that are gone or, from :since on, whose canonical bytes do not hash to their leaf. An array of bytes, as it is sent, is after
-- its head of twenty bytes just what the canonical bytes are: of each element its length and itself, FFFFFFFF for null.
SELECT l.leaf_index, l.journal_no, l.owner_id, l.entry_id, l.leaf, e.transaction_id, e.entry_id IS NULL AS gone, t.transaction_id IS NULL AS lost,
       count(*) OVER () AS total
FROM seal_leaf l
LEFT JOIN entry e USING (owner_id, entry_id)
LEFT JOIN journal_transaction t ON t.transaction_id = e.transaction_id
LEFT JOIN LATERAL (
    SELECT count(*) AS lines, coalesce(string_agg(substr(array_send(ARRAY[int8send(n.line_no), convert_to(n.account::text, 'UTF8'),
               int8send(n.reference), int8send(n.amount_cents), convert_to(n.event::text, 'UTF8'), convert_to(n.ledger::text, 'UTF8'),
               convert_to(n.effective_on::text, 'UTF8')]), 21), ''::bytea ORDER BY n.line_no), ''::bytea) AS bytes
    FROM line n WHERE n.owner_id = l.owner_id AND n.entry_id = l.entry_id AND l.leaf_index >= :since
) g ON true
WHERE l.kind = 1 AND CASE WHEN l.leaf_index < :since THEN t.transaction_id IS NULL ELSE l.leaf IS DISTINCT FROM
    sha256('\x000101'::bytea || substr(array_send(ARRAY[int8send(l.journal_no),
        int8send(t.transaction_id), convert_to(t.event::text, 'UTF8'), convert_to(t.fact_key, 'UTF8'), convert_to(t.fact_on::text, 'UTF8'),
        convert_to(t.effective_on::text, 'UTF8'), int8send((extract(epoch FROM t.recorded_at) * 1000000)::bigint), convert_to(t.actor, 'UTF8'),
        convert_to(t.reason, 'UTF8'), int8send(t.bank_line_id), int8send(t.reverses), int8send(t.xid::text::bigint),
        uuid_send(e.owner_id), int8send(e.entry_id), convert_to(e.ledger::text, 'UTF8'), convert_to(e.event::text, 'UTF8'),
        convert_to(e.fact_key, 'UTF8'), convert_to(e.effective_on::text, 'UTF8'), int8send(e.xid::text::bigint),
        int8send(g.lines)]), 21) || g.bytes) END
ORDER BY l.leaf_index LIMIT :most

-- name: wrong_trail
-- Sealed rows of the trail that are gone or, from :since on, do not hash to their leaf; the content of each is flat text.
SELECT l.leaf_index, l.trail_id, l.leaf, r.table_name, r.row_key, r.content, r.recorded_at, r.xid::text::bigint AS xid,
       r.trail_id IS NULL AS gone, count(*) OVER () AS total
FROM seal_leaf l
LEFT JOIN trail r USING (trail_id)
LEFT JOIN LATERAL (
    SELECT count(*) AS columns, coalesce(string_agg(substr(array_send(ARRAY[convert_to(c.key, 'UTF8'), convert_to(c.value, 'UTF8')]), 21),
               ''::bytea ORDER BY c.key COLLATE "C"), ''::bytea) AS bytes
    FROM jsonb_each_text(r.content) c WHERE l.leaf_index >= :since
) g ON true
WHERE l.kind = 2 AND CASE WHEN l.leaf_index < :since THEN r.trail_id IS NULL ELSE r.content @? '$.* ? (@.type() != "string" && @.type() != "null")' OR l.leaf IS DISTINCT FROM
    sha256('\x000102'::bytea || substr(array_send(ARRAY[int8send(r.trail_id), convert_to(r.table_name, 'UTF8'), convert_to(r.row_key, 'UTF8'),
        int8send((extract(epoch FROM r.recorded_at) * 1000000)::bigint), int8send(r.xid::text::bigint), int8send(g.columns)]), 21) || g.bytes) END
ORDER BY l.leaf_index LIMIT :most

-- name: unsealed_entries
-- Entries that have no leaf and do not wait for one: written behind the triggers.
SELECT e.owner_id, e.entry_id, e.transaction_id, t.transaction_id IS NULL AS lost, count(*) OVER () AS total
FROM entry e LEFT JOIN journal_transaction t USING (transaction_id)
LEFT JOIN (SELECT DISTINCT id FROM seal_pending WHERE kind = 1) p ON p.id = e.transaction_id
LEFT JOIN (SELECT owner_id, entry_id, leaf_index FROM seal_leaf WHERE kind = 1) l ON l.owner_id = e.owner_id AND l.entry_id = e.entry_id
WHERE t.transaction_id IS NULL OR (l.leaf_index IS NULL AND p.id IS NULL) ORDER BY 3, 2 LIMIT :most

-- name: empty_transactions
SELECT t.transaction_id, t.event, count(*) OVER () AS total
FROM journal_transaction t WHERE NOT EXISTS (SELECT FROM entry e WHERE e.transaction_id = t.transaction_id) ORDER BY 1 LIMIT :most

-- name: stray_lines
SELECT n.owner_id, n.entry_id, n.line_no, n.account, n.amount_cents, count(*) OVER () AS total
FROM line n LEFT JOIN entry e USING (owner_id, entry_id) WHERE e.entry_id IS NULL ORDER BY 2, 3 LIMIT :most

-- name: unsealed_trail
SELECT r.trail_id, r.table_name, r.row_key, count(*) OVER () AS total
FROM trail r
LEFT JOIN (SELECT trail_id, leaf_index FROM seal_leaf WHERE kind = 2) l USING (trail_id)
LEFT JOIN (SELECT DISTINCT id FROM seal_pending WHERE kind = 2) p ON p.id = r.trail_id
WHERE l.leaf_index IS NULL AND p.id IS NULL ORDER BY 1 LIMIT :most

-- name: wrong_pending
-- What waits for the sealer and is not there, waits twice, or is sealed.
SELECT p.kind, p.id, p.waits, p.there, p.sealed, count(*) OVER () AS total
FROM (
    SELECT w.kind, w.id, w.waits,
           CASE w.kind WHEN 1 THEN EXISTS (SELECT FROM journal_transaction t WHERE t.transaction_id = w.id)
                       ELSE EXISTS (SELECT FROM trail r WHERE r.trail_id = w.id) END AS there,
           CASE w.kind WHEN 1 THEN EXISTS (SELECT FROM entry e JOIN seal_leaf l ON l.kind = 1 AND l.owner_id = e.owner_id AND l.entry_id = e.entry_id
                                           WHERE e.transaction_id = w.id)
                       ELSE EXISTS (SELECT FROM seal_leaf l WHERE l.kind = 2 AND l.trail_id = w.id) END AS sealed
    FROM (SELECT kind, id, count(*) AS waits FROM seal_pending GROUP BY kind, id) w
) p WHERE p.waits > 1 OR NOT p.there OR p.sealed ORDER BY 1, 2 LIMIT :most

-- name: pending
SELECT count(*) FILTER (WHERE kind = 1) AS transactions, count(*) FILTER (WHERE kind = 2) AS trail FROM seal_pending

-- name: trailed
-- The tables that have a trail, as the trail itself says it, and two expressions: the key and the content that it tells of a row.
-- Both are said anew here: whoever can replace the functions that write the trail does not tell this what to expect.
SELECT s.table_name, (
    SELECT string_agg(format(CASE WHEN t.typtype = 'r' THEN 'lower(%I)::text' ELSE '%I::text' END, a.attname), ' || ''|'' || ' ORDER BY k.place)
    FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.conrelid = s.place AND c.contype = 'p'
) AS key, (
    SELECT format('jsonb_object(%L::text[], ARRAY[%s])', array_agg(c.name ORDER BY c.name), string_agg(c.value, ', ' ORDER BY c.name))
    FROM (
        SELECT a.attname::text COLLATE "C" AS name, CASE a.atttypid WHEN 'bytea'::regtype
                   THEN format('CASE length(%1$I) WHEN 32 THEN encode(%1$I, ''hex'') ELSE ''sha256:'' || encode(sha256(%1$I), ''hex'') END', a.attname)
                   ELSE format('%I::text', a.attname) END AS value
        FROM pg_attribute a
        WHERE a.attrelid = s.place AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> ALL (s.digested)
        UNION ALL
        SELECT 'sha256 of ' || array_to_string(s.digested, ', '), format('encode(sha256(convert_to(jsonb_build_array(%s)::text, ''UTF8'')), ''hex'')',
                   (SELECT string_agg(format('%I::text', d.name), ', ' ORDER BY d.place) FROM unnest(s.digested) WITH ORDINALITY AS d (name, place)))
        WHERE cardinality(s.digested) > 0
    ) c
) AS content
FROM (SELECT DISTINCT ON (row_key) row_key AS table_name, to_regclass(format('centralpay.%I', row_key)) AS place,
             CAST(content ->> 'digested' AS text[]) AS digested
      FROM trail WHERE table_name = 'trailed_table' ORDER BY row_key, trail_id DESC) s ORDER BY 1

-- name: strayed
-- Rows of a table that are not what the newest version in their trail says. Columns that the trail did not know yet are not asked;
-- empty content says that the row was taken away.
SELECT coalesce(t.row_key, n.row_key) AS row_key, t.trail_id, t.content AS sealed, n.content AS found, l.leaf_index, count(*) OVER () AS total
FROM (SELECT {key} AS row_key, {content} AS content FROM {table}) n
FULL JOIN (SELECT DISTINCT ON (row_key) row_key, trail_id, content FROM trail WHERE table_name = :table ORDER BY row_key, trail_id DESC) t
    ON t.row_key = n.row_key
LEFT JOIN seal_leaf l ON l.kind = 2 AND l.trail_id = t.trail_id
WHERE CASE WHEN t.content = '{{}}' THEN n.row_key IS NOT NULL ELSE n.row_key IS NULL OR t.row_key IS NULL OR NOT n.content @> t.content END
ORDER BY 1 LIMIT :most

-- name: other_version
-- The version of a row that is nearest to one: the next, else the one before it.
SELECT trail_id, content FROM trail WHERE table_name = :table AND row_key = :key AND trail_id <> :trail_id
ORDER BY trail_id < :trail_id, abs(trail_id - :trail_id) LIMIT 1

-- name: owner_names
SELECT o.owner_id, coalesce(p.ncpdp_id, o.kind::text) AS name
FROM owner o LEFT JOIN member m ON m.member_id = o.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE o.owner_id = ANY (CAST(:owners AS uuid[]))

-- name: stray_runs
-- A run of the sealer is there while it goes on, for nobody else to see.
SELECT xid::text AS xid, first_leaf, count(*) OVER () AS total FROM seal_run ORDER BY 2 LIMIT :most

-- name: wrong_bounds
-- Checkpoints whose bounds, by which questions of the past are answered, are not those of their leaves; bounds of no checkpoint.
SELECT coalesce(b.size, f.size) AS size, count(*) OVER () AS total
FROM known_bound b FULL JOIN (
    SELECT c.size, min(l.entry_id) AS first_entry, max(l.entry_id) AS last_entry, min(e.transaction_id) AS first_transaction,
           max(e.transaction_id) AS last_transaction, min(l.trail_id) AS first_trail, max(l.trail_id) AS last_trail
    FROM seal_checkpoint c LEFT JOIN seal_leaf l ON l.leaf_index >= coalesce(c.previous_size, 0) AND l.leaf_index < c.size
    LEFT JOIN entry e ON e.owner_id = l.owner_id AND e.entry_id = l.entry_id
    GROUP BY c.size
) f ON f.size = b.size
WHERE (b.size, b.first_entry, b.last_entry, b.first_transaction, b.last_transaction, b.first_trail, b.last_trail) IS DISTINCT FROM
    (f.size, f.first_entry, f.last_entry, f.first_transaction, f.last_transaction, f.first_trail, f.last_trail)
ORDER BY 1 LIMIT :most

-- name: odd_leaves
-- A leaf is of an entry or of a row of the trail, never of both.
SELECT leaf_index, count(*) OVER () AS total FROM seal_leaf
WHERE CASE kind WHEN 1 THEN num_nulls(journal_no, owner_id, entry_id) > 0 OR trail_id IS NOT NULL
    WHEN 2 THEN num_nonnulls(journal_no, owner_id, entry_id) > 0 OR trail_id IS NULL ELSE true END
ORDER BY 1 LIMIT :most

-- name: wrong_keys
-- Every key but the first is one that two people agreed on; the approval has a trail.
SELECT k.vkey, count(*) OVER () AS total
FROM (SELECT k.*, row_number() OVER (ORDER BY since_size, until_size NULLS LAST) AS place FROM seal_key k) k LEFT JOIN approval a USING (approval_id)
WHERE NOT starts_with(k.vkey, k.name || '+') OR CASE k.place WHEN 1 THEN k.approval_id IS NOT NULL
    ELSE (a.kind, a.state, a.facts ->> 'vkey', a.decided_by) IS DISTINCT FROM ('seal_key', 'approved', k.vkey, k.recorded_by) END
ORDER BY 1 LIMIT :most
