-- name: turn
SELECT seal_turn()

-- name: batch
SELECT first_leaf, leaves, journal_size, taken FROM seal_batch(:most)

-- name: add_subtrees
SELECT seal_subtrees_add(CAST(:height AS smallint), :first, CAST(:hashes AS bytea[]))

-- name: add_checkpoint
SELECT seal_checkpoint_add(:size, CAST(:root AS bytea), CAST(:consistency AS bytea[]), :note, :sealed_at, :actor)

-- name: add_key
SELECT seal_key_add(:name, :vkey, :approval_id, :actor)

-- name: keys
SELECT vkey, name, since_size, until_size, recorded_at, recorded_by FROM seal_key ORDER BY since_size, until_size NULLS LAST

-- name: waiting
SELECT count(*) FROM seal_pending

-- name: leaves
SELECT string_agg(leaf, ''::bytea ORDER BY leaf_index) AS hashes FROM seal_leaf WHERE leaf_index >= :first AND leaf_index < :end

-- name: subtrees
SELECT string_agg(hash, ''::bytea ORDER BY subtree) AS hashes FROM seal_subtree WHERE height = :height AND subtree >= :first AND subtree < :end

-- name: checkpoints
SELECT size, journal_size, encode(root, 'hex') AS root, previous_size, sealed_at, sealed_by, note FROM seal_checkpoint
WHERE size > :above ORDER BY size

-- name: latest
SELECT size, journal_size, encode(root, 'hex') AS root, previous_size, sealed_at, sealed_by, note FROM seal_checkpoint
ORDER BY size DESC LIMIT :most

-- name: of_size
SELECT size, journal_size, encode(root, 'hex') AS root, previous_size, sealed_at, sealed_by, note FROM seal_checkpoint WHERE size = :size

-- name: of_moment
SELECT size, journal_size, encode(root, 'hex') AS root, previous_size, sealed_at, sealed_by, note FROM seal_checkpoint
WHERE sealed_at <= :moment ORDER BY sealed_at DESC, size DESC LIMIT 1

-- name: sizes
SELECT size FROM seal_checkpoint ORDER BY size

-- name: span
SELECT count(*) AS number, min(size) AS first_size, min(sealed_at) AS first_at, max(size) AS last_size, max(sealed_at) AS last_at
FROM seal_checkpoint

-- name: leaf
SELECT leaf_index, kind, journal_no, owner_id, entry_id, trail_id, leaf FROM seal_leaf WHERE leaf_index = :leaf_index

-- name: leaf_of_journal_no
SELECT leaf_index FROM seal_leaf WHERE kind = 1 AND journal_no = :journal_no

-- name: leaf_of_entry
SELECT leaf_index FROM seal_leaf WHERE kind = 1 AND owner_id = :owner_id AND entry_id = :entry_id

-- name: leaf_of_trail
SELECT leaf_index FROM seal_leaf WHERE kind = 2 AND trail_id = :trail_id

-- name: leaf_of_row
SELECT l.leaf_index FROM trail t JOIN seal_leaf l ON l.kind = 2 AND l.trail_id = t.trail_id
WHERE t.table_name = :table_name AND t.row_key = :row_key AND l.leaf_index < :size ORDER BY t.trail_id DESC LIMIT 1

-- name: entry
SELECT l.journal_no, t.transaction_id, t.event, t.fact_key, t.fact_on, t.effective_on, t.recorded_at, t.actor, t.reason, t.bank_line_id,
       t.reverses, t.xid::text::bigint AS xid, e.owner_id, e.entry_id, e.ledger, e.event AS entry_event, e.fact_key AS entry_fact_key,
       e.effective_on AS entry_effective_on, e.xid::text::bigint AS entry_xid
FROM seal_leaf l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id) WHERE l.leaf_index = :leaf_index

-- name: lines
SELECT i.line_no, i.account, i.reference, i.amount_cents, i.event, i.ledger, i.effective_on
FROM line i WHERE i.owner_id = :owner_id AND i.entry_id = :entry_id ORDER BY i.line_no

-- name: trail_row
SELECT t.trail_id, t.table_name, t.row_key, t.recorded_at, t.xid::text::bigint AS xid, t.content
FROM seal_leaf l JOIN trail t USING (trail_id) WHERE l.leaf_index = :leaf_index
