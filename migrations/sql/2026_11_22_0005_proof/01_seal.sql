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
    -- Column names to text or null; bytes of a digest's length as hex, others as 'sha256:' and the hex of their SHA-256.
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
-- The entry leads: in the order of the leaves it grows at its end, which is three times as fast as owner by owner.
CREATE UNIQUE INDEX leaf_of_entry ON seal_leaf (entry_id, owner_id) INCLUDE (leaf_index) WHERE kind = 1;
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
    -- Both stand in the note as well, each on a line of its own.
    sealed_at timestamptz NOT NULL,
    sealed_by text NOT NULL CHECK (sealed_by ~ '^[^[:cntrl:]]+$'),
    CONSTRAINT checkpoint_grows CHECK (previous_size IS NULL OR previous_size < size)
);
CREATE INDEX checkpoint_of_moment ON seal_checkpoint (sealed_at);
COMMENT ON TABLE seal_checkpoint IS 'Signed roots of the tree, each proven to continue the one before. Append-only.';

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

REVOKE EXECUTE ON FUNCTION seal_pending_transaction(), seal_pending_trail() FROM PUBLIC;
GRANT SELECT ON seal_pending, trail, seal_leaf, seal_subtree, seal_checkpoint TO centralpay_app, centralpay_auditor;

-- The database transaction that seals now, written by a trigger: what holds only at its commit hangs on it, and with that it goes.
-- A number of a transaction that stayed would mean another one in books that were moved to another server.
CREATE TABLE seal_run (
    xid xid8 PRIMARY KEY DEFAULT pg_current_xact_id(),
    first_leaf bigint NOT NULL CHECK (first_leaf >= 0)
);
COMMENT ON TABLE seal_run IS 'The run of the sealer that is going on; nobody else ever sees a row.';

-- Who signed when. The key itself is in a file, never here.
CREATE TABLE seal_key (
    -- As C2SP signed-note writes a verifier key: name, hash, public key.
    vkey text PRIMARY KEY CHECK (starts_with(vkey, name || '+')),
    name text NOT NULL CHECK (name ~ '^[^[:space:]+]+$'),
    -- It signs checkpoints above this size, up to and with that; null: it signs now.
    since_size bigint NOT NULL CHECK (since_size >= 0),
    until_size bigint CHECK (until_size >= since_size),
    approval_id bigint UNIQUE REFERENCES approval,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL
);
CREATE UNIQUE INDEX one_key_signs ON seal_key ((true)) WHERE until_size IS NULL;
COMMENT ON TABLE seal_key IS 'The public keys that verify checkpoints, each with the sizes that it signed.';

-- The tree holds together -------------------------------------------------------------------------------------------

-- Set-based: one pass over the new leaves, then the last one of before.
CREATE FUNCTION seal_leaf_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
DECLARE fresh record; leaves bigint; entries bigint;
BEGIN
    SELECT count(*) AS leaves, min(leaf_index) AS first_leaf, max(leaf_index) AS last_leaf,
           count(journal_no) AS entries, min(journal_no) AS first_no, max(journal_no) AS last_no,
           min(leaf_index - journal_no) AS least_apart, max(leaf_index - journal_no) AS most_apart INTO fresh FROM new_leaf;
    IF fresh.leaves = 0 THEN RETURN NULL; END IF;
    SELECT coalesce(max(leaf_index), -1) + 1 INTO leaves FROM seal_leaf WHERE leaf_index < fresh.first_leaf;
    SELECT coalesce(max(journal_no), 0) INTO entries FROM seal_leaf WHERE kind = 1 AND journal_no < fresh.first_no;
    IF fresh.first_leaf <> leaves OR fresh.last_leaf - fresh.first_leaf + 1 <> fresh.leaves
       OR (SELECT max(leaf_index) FROM seal_leaf) <> fresh.last_leaf THEN
        PERFORM refuse(22, 'leaves_are_gapless', format('leaves %s to %s do not follow %s leaves', fresh.first_leaf, fresh.last_leaf, leaves),
            to_jsonb(fresh));
    END IF;
    IF fresh.entries > 0 AND (fresh.first_no <> entries + 1 OR fresh.last_no - fresh.first_no + 1 <> fresh.entries
       OR (SELECT max(journal_no) FROM seal_leaf WHERE kind = 1) <> fresh.last_no
       -- The entries of a statement stand side by side, in the order of their numbers.
       OR fresh.least_apart <> fresh.most_apart) THEN
        PERFORM refuse(22, 'journal_is_gapless', format('journal numbers %s to %s do not follow %s', fresh.first_no, fresh.last_no, entries),
            to_jsonb(fresh));
    END IF;
    INSERT INTO seal_run (first_leaf) VALUES (fresh.first_leaf) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER holds_together AFTER INSERT ON seal_leaf REFERENCING NEW TABLE AS new_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION seal_leaf_guard();

-- A checkpoint covers all leaves, continues the last one, and its note says so under the name of the key that signs now.
CREATE FUNCTION seal_checkpoint_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
DECLARE leaves bigint; entries bigint; before record; signer text;
BEGIN
    SELECT coalesce(max(leaf_index), -1) + 1 INTO leaves FROM seal_leaf;
    SELECT coalesce(max(journal_no), 0) INTO entries FROM seal_leaf WHERE kind = 1;
    IF (NEW.size, NEW.journal_size) <> (leaves, entries) THEN
        PERFORM refuse(22, 'checkpoint_covers_all_leaves', format('a checkpoint of %s leaves and %s entries where there are %s and %s',
            NEW.size, NEW.journal_size, leaves, entries), jsonb_build_object('size', NEW.size, 'leaves', leaves));
    END IF;
    SELECT size, sealed_at INTO before FROM seal_checkpoint ORDER BY size DESC LIMIT 1;
    IF NEW.previous_size IS DISTINCT FROM before.size OR NEW.sealed_at < before.sealed_at THEN
        PERFORM refuse(22, 'checkpoint_continues_the_last', format('checkpoint %s continues %s, of %s, and not %s', NEW.size,
            coalesce(before.size::text, 'none'), coalesce(before.sealed_at::text, 'no time'), coalesce(NEW.previous_size::text, 'none')));
    END IF;
    SELECT name INTO signer FROM seal_key WHERE until_size IS NULL;
    -- Whether the signature is the key's only a program can tell: the next sealer does, before it signs on, and verify.
    IF signer IS NULL OR NOT starts_with(NEW.note, format(E'%s\n%s\n%s\ntime %s\nby %s\n\n\u2014 %s ', signer, NEW.size, encode(NEW.root, 'base64'),
           to_char(NEW.sealed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), NEW.sealed_by, signer)) OR NEW.sealed_at <> date_trunc('second', NEW.sealed_at) THEN
        PERFORM refuse(22, 'note_says_the_checkpoint', format('the note of checkpoint %s says another name, size, root, time or hand', NEW.size));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER continues_the_last BEFORE INSERT ON seal_checkpoint FOR EACH ROW EXECUTE FUNCTION seal_checkpoint_guard();

-- Roots of subtrees are stored in the transaction that makes their last leaf. That they are right the next sealer sees, and verify.
CREATE FUNCTION seal_subtree_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
DECLARE run bigint; leaves bigint; odd record;
BEGIN
    SELECT first_leaf INTO run FROM seal_run WHERE xid = pg_current_xact_id();
    SELECT coalesce(max(leaf_index), -1) + 1 INTO leaves FROM seal_leaf;
    SELECT height, subtree INTO odd FROM new_subtree
    WHERE run IS NULL OR subtree < run >> height OR subtree >= leaves >> height LIMIT 1;
    IF odd.height IS NOT NULL THEN
        PERFORM refuse(22, 'subtrees_are_of_new_leaves', format('subtree %s of height %s is not one that this transaction filled', odd.subtree, odd.height));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER is_of_new_leaves AFTER INSERT ON seal_subtree REFERENCING NEW TABLE AS new_subtree
    FOR EACH STATEMENT EXECUTE FUNCTION seal_subtree_guard();

CREATE FUNCTION seal_run_ends() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
DECLARE leaves bigint; covered bigint;
BEGIN
    SELECT coalesce(max(leaf_index), -1) + 1 INTO leaves FROM seal_leaf;
    SELECT coalesce(max(size), 0) INTO covered FROM seal_checkpoint;
    IF leaves <> covered THEN
        PERFORM refuse(22, 'leaves_have_a_checkpoint', format('%s leaves and a checkpoint of %s: leaves are sealed with their checkpoint or not at all',
            leaves, covered), jsonb_build_object('leaves', leaves, 'covered', covered));
    END IF;
    DELETE FROM seal_run WHERE xid = NEW.xid;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ends_with_a_checkpoint AFTER INSERT ON seal_run DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION seal_run_ends();

-- What waits leaves by being sealed, in the database transaction that seals.
CREATE FUNCTION seal_pending_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM seal_run WHERE xid = pg_current_xact_id()) THEN RETURN NULL; END IF;
    PERFORM refuse(22, 'what_waits_is_sealed', format('%s of %s is refused: what waits leaves by being sealed', TG_OP, TG_TABLE_NAME));
    RETURN NULL;
END $$;
CREATE TRIGGER leaves_sealed BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_pending
    FOR EACH STATEMENT EXECUTE FUNCTION seal_pending_guard();

-- A key is succeeded by the one that two people agreed on; nothing else of it changes.
CREATE FUNCTION seal_key_guard() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
DECLARE covered bigint;
BEGIN
    SELECT coalesce(max(size), 0) INTO covered FROM seal_checkpoint;
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.vkey, NEW.name, NEW.since_size, NEW.recorded_at, NEW.recorded_by) IS DISTINCT FROM
               (OLD.vkey, OLD.name, OLD.since_size, OLD.recorded_at, OLD.recorded_by)
           OR NEW.approval_id IS DISTINCT FROM OLD.approval_id OR OLD.until_size IS NOT NULL OR NEW.until_size IS DISTINCT FROM covered THEN
            PERFORM refuse(22, 'key_ends_once', 'a signing key ends once, at the last checkpoint; nothing else of it changes');
        END IF;
    ELSIF NEW.until_size IS NOT NULL OR NEW.since_size <> covered THEN
        PERFORM refuse(22, 'key_begins_now', format('a signing key begins at the last checkpoint, %s', covered));
    ELSIF EXISTS (SELECT FROM seal_key) AND NOT EXISTS (
        SELECT FROM approval a WHERE a.approval_id = NEW.approval_id AND a.kind = 'seal_key' AND a.state = 'approved'
        AND a.facts ->> 'vkey' = NEW.vkey) THEN
        PERFORM refuse(22, 'key_is_approved', 'another signing key needs the approval of a second person for exactly this key');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_succeeded BEFORE INSERT OR UPDATE ON seal_key FOR EACH ROW EXECUTE FUNCTION seal_key_guard();

-- How it is sealed --------------------------------------------------------------------------------------------------

-- One sealer at a time. Whoever posts never takes this lock, nor waits for one that the sealer holds.
CREATE FUNCTION seal_turn() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp
    RETURN pg_advisory_xact_lock(4918537106372154721);

-- Canonical bytes: a version, a kind, then fields. A field is its length as four bytes, big-endian, and its bytes; FFFFFFFF
-- alone is null. Text is UTF-8, whole numbers are eight bytes, big-endian, identifiers sixteen, dates ISO text, moments
-- microseconds since 1970 in UTC. ledger/seal/canonical.py says the same in Python.
-- Fields side by side: the elements of an array of bytes as PostgreSQL sends them, after its head of
-- twenty bytes, are just that: a length as four bytes and the bytes, FFFFFFFF for null. Names of kinds are sent as ASCII.
-- Stable like what it calls, or it would not be inlined.
CREATE FUNCTION sealed_fields(p_fields bytea[]) RETURNS bytea LANGUAGE sql STABLE PARALLEL SAFE
    RETURN substr(array_send(p_fields), 21);

-- Microseconds since 1970: PostgreSQL sends those since 2000.
CREATE FUNCTION sealed_moment(p_moment timestamptz) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN int8send(timestamptz_send(p_moment)::bigint + 946684800000000);

-- Makes leaves of what waits: transactions by number with their entries, then rows of the trail; at most so many of both.
CREATE FUNCTION seal_batch(p_most bigint, OUT first_leaf bigint, OUT leaves bigint, OUT journal_size bigint, OUT taken bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan
SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET jit = off SET work_mem = '64MB' AS $$
DECLARE transactions bigint[]; rows_ bigint[]; first_no bigint; made bigint := 0; more bigint := 0;
BEGIN
    PERFORM seal_turn();
    -- Within a run numbers only grow: what was committed between two batches would break that.
    IF EXISTS (SELECT FROM seal_run WHERE xid = pg_current_xact_id()) THEN
        PERFORM refuse(22, 'one_batch_a_run', 'a database transaction seals once, with its checkpoint');
    END IF;
    SELECT coalesce(max(l.leaf_index), -1) + 1 INTO first_leaf FROM seal_leaf l;
    SELECT coalesce(max(l.journal_no), 0) + 1 INTO first_no FROM seal_leaf l WHERE l.kind = 1;
    SELECT array_agg(p.id) INTO transactions FROM (SELECT id FROM seal_pending WHERE kind = 1 ORDER BY id LIMIT p_most) p;
    SELECT array_agg(p.id) INTO rows_ FROM (SELECT id FROM seal_pending WHERE kind = 2 ORDER BY id
        LIMIT p_most - coalesce(cardinality(transactions), 0)) p;
    taken := coalesce(cardinality(transactions), 0) + coalesce(cardinality(rows_), 0);
    leaves := 0;
    journal_size := first_no - 1;
    IF transactions IS NOT NULL THEN
        journal_size := journal_size + seal_entries(transactions, first_leaf, first_no);
        leaves := journal_size - first_no + 1;
    END IF;
    IF rows_ IS NOT NULL THEN
        leaves := leaves + seal_trail(rows_, first_leaf + leaves);
    END IF;
    IF leaves > 0 THEN
        DELETE FROM seal_pending WHERE kind = 1 AND id = ANY (transactions);
        GET DIAGNOSTICS made = ROW_COUNT;
        DELETE FROM seal_pending WHERE kind = 2 AND id = ANY (rows_);
        GET DIAGNOSTICS more = ROW_COUNT;
    END IF;
    IF made + more <> taken THEN
        PERFORM refuse(22, 'what_waits_is_sealed', format('%s of %s things that wait were sealed', made + more, taken));
    END IF;
END $$;

CREATE FUNCTION seal_entries(p_transactions bigint[], p_first_leaf bigint, p_first_no bigint) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE made bigint;
BEGIN
    WITH n AS MATERIALIZED (
        SELECT row_number() OVER (ORDER BY e.transaction_id, e.entry_id) - 1 AS place, e.*, t.event AS t_event, t.fact_key AS t_fact_key,
               t.fact_on, t.effective_on AS t_effective_on, t.recorded_at, t.actor, t.reason, t.bank_line_id, t.reverses, t.xid AS t_xid
        FROM entry e JOIN journal_transaction t USING (transaction_id) WHERE e.transaction_id = ANY (p_transactions)
    ), l AS (
        SELECT n.place, count(i.line_no) AS lines, coalesce(string_agg(sealed_fields(ARRAY[int8send(i.line_no), enum_send(i.account),
                   int8send(i.reference), int8send(i.amount_cents), enum_send(i.event), enum_send(i.ledger), i.effective_on::text::bytea]),
                   ''::bytea ORDER BY i.line_no) FILTER (WHERE i.line_no IS NOT NULL), ''::bytea) AS data
        FROM n LEFT JOIN line i USING (owner_id, entry_id) GROUP BY n.place
    )
    INSERT INTO seal_leaf (leaf_index, kind, journal_no, owner_id, entry_id, leaf)
    SELECT p_first_leaf + n.place, 1, p_first_no + n.place, n.owner_id, n.entry_id,
           sha256('\x000101'::bytea || sealed_fields(ARRAY[int8send(p_first_no + n.place),
               int8send(n.transaction_id), enum_send(n.t_event), convert_to(n.t_fact_key, 'UTF8'), n.fact_on::text::bytea,
               n.t_effective_on::text::bytea, sealed_moment(n.recorded_at), convert_to(n.actor, 'UTF8'),
               convert_to(n.reason, 'UTF8'), int8send(n.bank_line_id), int8send(n.reverses), xid8send(n.t_xid),
               uuid_send(n.owner_id), int8send(n.entry_id), enum_send(n.ledger), enum_send(n.event), convert_to(n.fact_key, 'UTF8'),
               n.effective_on::text::bytea, xid8send(n.xid), int8send(l.lines)]) || l.data)
    FROM n JOIN l USING (place) ORDER BY n.place;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END $$;

CREATE FUNCTION seal_trail(p_rows bigint[], p_first_leaf bigint) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE made bigint;
BEGIN
    INSERT INTO seal_leaf (leaf_index, kind, trail_id, leaf)
    SELECT p_first_leaf + row_number() OVER (ORDER BY t.trail_id) - 1, 2, t.trail_id,
           sha256('\x000102'::bytea || sealed_fields(ARRAY[int8send(t.trail_id), convert_to(t.table_name, 'UTF8'), convert_to(t.row_key, 'UTF8'),
               sealed_moment(t.recorded_at), xid8send(t.xid), int8send(c.columns)]) || c.data)
    FROM trail t CROSS JOIN LATERAL (
        SELECT count(*) AS columns, coalesce(string_agg(sealed_fields(ARRAY[convert_to(i.key, 'UTF8'), convert_to(i.value, 'UTF8')]),
                   ''::bytea ORDER BY i.key COLLATE "C"), ''::bytea) AS data
        FROM jsonb_each_text(t.content) i) c
    WHERE t.trail_id = ANY (p_rows)
    ORDER BY t.trail_id;
    GET DIAGNOSTICS made = ROW_COUNT;
    RETURN made;
END $$;

-- Roots of subtrees of one height that are full now, from a place on; whoever seals computes them from what is stored.
CREATE FUNCTION seal_subtrees_add(p_height smallint, p_first bigint, p_hashes bytea[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
    INSERT INTO seal_subtree (height, subtree, hash)
    SELECT p_height, p_first + n.place - 1, n.hash FROM unnest(p_hashes) WITH ORDINALITY AS n (hash, place)
$$;

-- Ends what seal_batch began: the signed checkpoint over all leaves.
CREATE FUNCTION seal_checkpoint_add(p_size bigint, p_root bytea, p_consistency bytea[], p_note text, p_sealed_at timestamptz, p_actor text)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
    INSERT INTO seal_checkpoint (size, journal_size, root, previous_size, consistency, note, sealed_at, sealed_by)
    SELECT p_size, (SELECT coalesce(max(journal_no), 0) FROM seal_leaf WHERE kind = 1), p_root, (SELECT max(size) FROM seal_checkpoint),
           p_consistency, p_note, p_sealed_at, p_actor
$$;

CREATE FUNCTION seal_key_add(p_name text, p_vkey text, p_approval_id bigint, p_actor text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
DECLARE covered bigint;
BEGIN
    PERFORM seal_turn();
    SELECT coalesce(max(size), 0) INTO covered FROM seal_checkpoint;
    IF p_approval_id IS NOT NULL THEN
        UPDATE seal_key SET until_size = covered WHERE until_size IS NULL;
    END IF;
    INSERT INTO seal_key (vkey, name, since_size, approval_id, recorded_by) VALUES (p_vkey, p_name, covered, p_approval_id, p_actor);
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_subtree FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
-- Only the trigger above, one level deeper, ends a run.
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON seal_run
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON seal_key FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION seal_leaf_guard(), seal_checkpoint_guard(), seal_subtree_guard(), seal_run_ends(), seal_pending_guard(), seal_key_guard(), seal_turn(),
    sealed_fields(bytea[]), sealed_moment(timestamptz), seal_batch(bigint), seal_entries(bigint[], bigint, bigint), seal_trail(bigint[], bigint),
    seal_subtrees_add(smallint, bigint, bytea[]), seal_checkpoint_add(bigint, bytea, bytea[], text, timestamptz, text),
    seal_key_add(text, text, bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_turn(), seal_batch(bigint),
    seal_subtrees_add(smallint, bigint, bytea[]), seal_checkpoint_add(bigint, bytea, bytea[], text, timestamptz, text),
    seal_key_add(text, text, bigint, text) TO centralpay_app;
GRANT SELECT ON seal_run, seal_key TO centralpay_app, centralpay_auditor;
