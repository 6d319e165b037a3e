DROP TRIGGER waits_for_seal ON journal_transaction;
DROP FUNCTION seal_batch(bigint), seal_entries(bigint[], bigint, bigint), seal_trail(bigint[], bigint), seal_turn(),
    seal_subtrees_add(smallint, bigint, bytea[]), seal_checkpoint_add(bigint, bytea, bytea[], text, timestamptz, text),
    seal_key_add(text, text, bigint, text);
DROP TABLE seal_checkpoint, seal_subtree, seal_leaf, seal_run, seal_key, trail, seal_pending;
DROP FUNCTION seal_pending_transaction(), seal_pending_trail(), seal_leaf_guard(), seal_checkpoint_guard(), seal_subtree_guard(), seal_run_ends(),
    seal_pending_guard(), seal_key_guard(), sealed_fields(bytea[]), sealed_moment(timestamptz);
