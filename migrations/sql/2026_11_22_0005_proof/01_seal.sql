-- The seal: every entry of the journal and every row of the trail is a leaf of one Merkle tree (RFC 9162, 2.1), in the order in
-- which the sealer finds them committed. Rows may not be updated, so a leaf's number lives beside its row.

-- What waits for the sealer. Filled by triggers in the transaction that makes the fact, drained in the one that seals it:
-- a late commit is sealed late and never lost, and nobody waits.
CREATE TABLE seal_pending (
    kind smallint NOT NULL CHECK (kind IN (1, 2)),
    -- 1: a transaction of the journal, with all its entries; 2: a row of the trail.
    id bigint NOT NULL
);
COMMENT ON TABLE seal_pending IS 'What is committed and not sealed yet.';

-- Actions and facts that are no entries: who approved what, who changed bank details, what the bank said. Each version of a
-- row of the tables that carry a trail, as flat text, so that anybody can hash it again.
CREATE TABLE trail (
    trail_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    -- The values of the primary key, '|' between them.
    row_key text NOT NULL,
    -- Column names to text or null; bytes as hex, longer ones than a digest as the hex of their SHA-256.
    content jsonb NOT NULL CHECK (jsonb_typeof(content) = 'object'),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX trail_of_row ON trail (table_name, row_key, trail_id);
COMMENT ON TABLE trail IS 'Every version of every row that the seal covers besides the journal. Append-only, written by triggers alone.';

CREATE TABLE seal_leaf (
    -- From 0, without gaps: the place in the tree.
    leaf_index bigint PRIMARY KEY CHECK (leaf_index >= 0),
    kind smallint NOT NULL CHECK (kind IN (1, 2)),
    -- From 1, without gaps: the journal's own number of an entry, in the order of the leaves.
    journal_no bigint,
    owner_id uuid,
    entry_id bigint,
    trail_id bigint,
    -- SHA-256 of 0x00 and the canonical bytes.
    leaf bytea NOT NULL CHECK (length(leaf) = 32),
    CONSTRAINT leaf_is_of_an_entry_or_of_the_trail CHECK (CASE kind
        WHEN 1 THEN num_nulls(journal_no, owner_id, entry_id) = 0 AND trail_id IS NULL
        ELSE num_nonnulls(journal_no, owner_id, entry_id) = 0 AND trail_id IS NOT NULL END)
);
CREATE UNIQUE INDEX leaf_of_journal_number ON seal_leaf (journal_no) WHERE kind = 1;
CREATE UNIQUE INDEX leaf_of_entry ON seal_leaf (owner_id, entry_id) INCLUDE (leaf_index) WHERE kind = 1;
CREATE UNIQUE INDEX leaf_of_trail ON seal_leaf (trail_id) INCLUDE (leaf_index) WHERE kind = 2;
COMMENT ON TABLE seal_leaf IS 'The leaves of the tree in their order. Append-only.';

-- Roots of whole subtrees of 2^8, 2^16, 2^24 … leaves: with them a proof reads some hundreds of hashes and not all.
CREATE TABLE seal_subtree (
    height smallint NOT NULL CHECK (height > 0 AND height % 8 = 0),
    subtree bigint NOT NULL CHECK (subtree >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (height, subtree)
);
COMMENT ON TABLE seal_subtree IS 'Hashes of full subtrees, counted from the left; they can be computed anew from the leaves.';

CREATE TABLE seal_checkpoint (
    -- Leaves that it covers: the name of the checkpoint.
    size bigint PRIMARY KEY CHECK (size > 0),
    -- Entries among them: the last journal number that it covers.
    journal_size bigint NOT NULL CHECK (journal_size BETWEEN 0 AND size),
    root bytea NOT NULL CHECK (length(root) = 32),
    -- The one before, and the proof that its leaves are the first ones of this (RFC 9162, 2.1.4).
    previous_size bigint UNIQUE REFERENCES seal_checkpoint,
    consistency bytea[] NOT NULL DEFAULT '{}',
    -- The signed note (C2SP signed-note and tlog-checkpoint), as it is published.
    note text NOT NULL,
    sealed_at timestamptz NOT NULL,
    sealed_by text NOT NULL,
    CONSTRAINT checkpoint_grows CHECK (previous_size IS NULL OR previous_size < size)
);
CREATE INDEX checkpoint_of_moment ON seal_checkpoint (sealed_at);
COMMENT ON TABLE seal_checkpoint IS 'Signed roots of the tree, each proven to continue the one before. Append-only.';

-- Canonical bytes: a version, a kind, then fields. A field is its length as four bytes, big-endian, and its bytes; FFFFFFFF
-- alone is null. Text is UTF-8, whole numbers are eight bytes, big-endian, identifiers sixteen, dates ISO text, moments
-- microseconds since 1970 in UTC. ledger/seal/canonical.py says the same in Python.
CREATE FUNCTION sealed_field(p_value bytea) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(int4send(length(p_value)) || p_value, '\xffffffff'::bytea);
CREATE FUNCTION sealed_text(p_value text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(int4send(octet_length(p_value)) || convert_to(p_value, 'UTF8'), '\xffffffff'::bytea);
CREATE FUNCTION sealed_number(p_value bigint) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce('\x00000008'::bytea || int8send(p_value), '\xffffffff'::bytea);

CREATE FUNCTION seal_pending_transaction() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO seal_pending (kind, id) SELECT 1, transaction_id FROM new_transaction;
    RETURN NULL;
END $$;
CREATE TRIGGER waits_for_seal AFTER INSERT ON journal_transaction REFERENCING NEW TABLE AS new_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION seal_pending_transaction();
CREATE FUNCTION seal_pending_trail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO seal_pending (kind, id) SELECT 2, trail_id FROM new_trail;
    RETURN NULL;
END $$;
CREATE TRIGGER waits_for_seal AFTER INSERT ON trail REFERENCING NEW TABLE AS new_trail
    FOR EACH STATEMENT EXECUTE FUNCTION seal_pending_trail();
-- What was posted before there was a seal.
INSERT INTO seal_pending (kind, id) SELECT 1, transaction_id FROM journal_transaction ORDER BY transaction_id;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['trail', 'seal_leaf', 'seal_checkpoint'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()', t);
    END LOOP;
END $$;

REVOKE EXECUTE ON FUNCTION sealed_field(bytea), sealed_text(text), sealed_number(bigint), seal_pending_transaction(), seal_pending_trail()
    FROM PUBLIC;
GRANT SELECT ON seal_pending, trail, seal_leaf, seal_subtree, seal_checkpoint TO centralpay_app, centralpay_auditor;
