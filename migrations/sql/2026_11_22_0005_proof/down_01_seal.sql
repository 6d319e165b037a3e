DROP TRIGGER waits_for_seal ON journal_transaction;
DROP TABLE seal_checkpoint, seal_subtree, seal_leaf, trail, seal_pending;
DROP FUNCTION seal_pending_transaction(), seal_pending_trail(), sealed_field(bytea), sealed_text(text), sealed_number(bigint);
