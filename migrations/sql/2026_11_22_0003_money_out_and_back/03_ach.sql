-- What was sent to the bank: files and entries, by the trace number under which answers come back.

CREATE TABLE ach_file (
    ach_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('payouts', 'prenotes', 'reversals')),
    -- Null: no cycle's file.
    cycle_id bigint UNIQUE REFERENCES cycle,
    business_date date NOT NULL,
    effective_on date NOT NULL CHECK (effective_on >= business_date),
    -- The operator refuses a file whose origin, date, time and modifier repeat: the modifier alone tells a day's files apart.
    id_modifier text NOT NULL CHECK (id_modifier ~ '^[A-Z0-9]$'),
    name text NOT NULL UNIQUE,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    -- All that the file says, an offset to our own account included.
    credit_cents bigint NOT NULL CHECK (credit_cents >= 0),
    debit_cents bigint NOT NULL CHECK (debit_cents >= 0),
    entries integer NOT NULL CHECK (entries > 0),
    made_by text NOT NULL REFERENCES app_user,
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_is_told_apart UNIQUE (business_date, id_modifier),
    CONSTRAINT file_of_payouts_has_a_cycle CHECK ((kind = 'payouts') = (cycle_id IS NOT NULL))
);
COMMENT ON TABLE ach_file IS 'NACHA files as they were handed over; the vault has their bytes.';

CREATE TABLE ach_entry (
    -- Fifteen digits: eight of the bank that sends, seven of the sequence.
    trace_number bigint NOT NULL CHECK (trace_number BETWEEN 1 AND 999999999999999),
    -- A year from the day of sending: an answer names the trace alone.
    in_use daterange NOT NULL,
    ach_file_id bigint NOT NULL REFERENCES ach_file,
    -- An offset is the entry that balances a file against our own account.
    kind text NOT NULL CHECK (kind IN ('payout', 'prenote', 'reversal', 'offset')),
    -- A payout's own entry, and what takes it back. The guard below holds that it is there, for all entries of a file at once.
    payout_id bigint,
    -- A prenote's change of bank details (its key is added where that table is made).
    change_id bigint,
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    CONSTRAINT trace_is_not_reused_for_a_year PRIMARY KEY (trace_number, in_use WITHOUT OVERLAPS),
    CONSTRAINT trace_is_in_use_for_a_year CHECK (upper(in_use) >= (lower(in_use) + interval '1 year')),
    CONSTRAINT entry_is_of_its_kind CHECK ((kind = 'prenote') = (change_id IS NOT NULL) AND (kind IN ('payout', 'reversal')) = (payout_id IS NOT NULL)
        AND (kind = 'prenote') = (amount_cents = 0))
);
-- A payout is sent once, and taken back once; paying again is another payout.
CREATE UNIQUE INDEX payout_is_sent_once ON ach_entry (payout_id, kind) WHERE payout_id IS NOT NULL;
CREATE INDEX ach_entry_of_file ON ach_entry (ach_file_id);
CREATE INDEX ach_entry_of_change ON ach_entry (change_id) WHERE change_id IS NOT NULL;
COMMENT ON TABLE ach_entry IS 'Every entry sent, by its trace number: whose it was, when an answer to it comes.';

-- Until when on a day an entry may be handed over that settles on the same day, by the bank's clock; as data, for banks move them.
CREATE TABLE same_day_window (
    since date NOT NULL,
    closes_at time NOT NULL,
    PRIMARY KEY (since, closes_at)
);
INSERT INTO same_day_window (since, closes_at) VALUES ('2021-03-19', '10:30'), ('2021-03-19', '14:45'), ('2021-03-19', '16:45');
COMMENT ON TABLE same_day_window IS 'Closing times of the operators'' same-day windows, all of them from a day on until a later row begins others.';

-- 11: what a file sends is what was approved: each entry of the kind of its file; payouts of its cycle, to the cent; reversals of
-- payouts that left, approved by a second person. No entry joins a file that is complete.
CREATE FUNCTION ach_entries_are_meant() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE files bigint[]; kinds text[]; payouts bigint[]; cents bigint[]; bad record;
BEGIN
    SELECT array_agg(ach_file_id), array_agg(kind), array_agg(payout_id), array_agg(amount_cents) INTO files, kinds, payouts, cents FROM new_entry;
    SELECT n.ach_file_id, n.kind, f.kind AS file_kind INTO bad
    FROM (SELECT DISTINCT u.ach_file_id, u.kind FROM unnest(files, kinds) AS u (ach_file_id, kind)) n JOIN ach_file f USING (ach_file_id)
    WHERE n.kind || 's' <> f.kind AND NOT (n.kind = 'offset' AND f.kind <> 'prenotes') LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'entry_is_of_its_file', format('a file of %s holds no %s', bad.file_kind, bad.kind), to_jsonb(bad));
    END IF;
    SELECT n.payout_id, n.kind, n.cents INTO bad
    FROM unnest(files, kinds, payouts, cents) AS n (ach_file_id, kind, payout_id, cents) JOIN ach_file f USING (ach_file_id)
    LEFT JOIN payout p ON p.payout_id = n.payout_id AND p.amount_cents = n.cents
        AND CASE n.kind WHEN 'payout' THEN p.cycle_id = f.cycle_id AND p.state IN ('approved', 'released') ELSE p.state IN ('released', 'settled') END
    WHERE n.payout_id IS NOT NULL AND p.payout_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'entry_is_of_its_payout', format('%s cents for payout %s are not what may be sent as its %s', bad.cents, bad.payout_id, bad.kind),
            to_jsonb(bad));
    END IF;
    SELECT n.payout_id INTO bad FROM unnest(kinds, payouts) AS n (kind, payout_id)
    WHERE n.kind = 'reversal' AND NOT EXISTS (SELECT FROM approval a WHERE a.kind = 'ach_reversal' AND a.subject = n.payout_id::text AND a.state = 'approved')
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'reversal_is_approved', format('taking payout %s back is not approved', bad.payout_id), to_jsonb(bad));
    END IF;
    SELECT f.ach_file_id, f.entries, count(*) AS found INTO bad FROM ach_file f JOIN ach_entry e USING (ach_file_id)
    WHERE f.ach_file_id = ANY (files) GROUP BY f.ach_file_id HAVING count(*) > f.entries LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'file_is_complete', format('file %s has its %s entries', bad.ach_file_id, bad.entries), to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER are_meant AFTER INSERT ON ach_entry REFERENCING NEW TABLE AS new_entry FOR EACH STATEMENT EXECUTE FUNCTION ach_entries_are_meant();

-- At commit a file is the sum of its entries.
CREATE FUNCTION ach_file_foots() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE sums record;
BEGIN
    -- An offset goes the other way than what it balances.
    SELECT count(*) AS entries,
           coalesce(sum(amount_cents) FILTER (WHERE (kind = 'reversal') OR (kind = 'offset' AND NEW.kind = 'payouts')), 0)::bigint AS debit_cents,
           coalesce(sum(amount_cents) FILTER (WHERE (kind = 'payout') OR (kind = 'offset' AND NEW.kind = 'reversals')), 0)::bigint AS credit_cents
    INTO sums FROM ach_entry WHERE ach_file_id = NEW.ach_file_id;
    IF (sums.entries, sums.debit_cents, sums.credit_cents) IS DISTINCT FROM (NEW.entries::bigint, NEW.debit_cents, NEW.credit_cents) THEN
        PERFORM refuse(11, 'file_foots', format('file %s is not the sum of its entries', NEW.ach_file_id), to_jsonb(sums));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER foots AFTER INSERT ON ach_file DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ach_file_foots();

-- At commit a cycle that was released with a file has it written down, with an entry under the trace of each of its payouts.
CREATE FUNCTION release_is_written_down() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
    SELECT p.payout_id INTO bad FROM payout p WHERE p.cycle_id = NEW.cycle_id AND p.state IN ('released', 'settled', 'returned') AND p.amount_cents > 0
        AND NOT EXISTS (SELECT FROM ach_entry e JOIN ach_file f USING (ach_file_id)
            WHERE f.cycle_id = NEW.cycle_id AND f.sha256 = NEW.nacha_sha256 AND e.kind = 'payout' AND e.payout_id = p.payout_id
              AND lpad(e.trace_number::text, 15, '0') = p.trace_number) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'release_is_written_down', format('payout %s was released without its entry in a file', bad.payout_id), to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER is_written_down AFTER UPDATE OF state ON cycle DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state = 'approved' AND NEW.state = 'released') EXECUTE FUNCTION release_is_written_down();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ach_file FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ach_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON same_day_window FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
REVOKE EXECUTE ON FUNCTION ach_entries_are_meant(), ach_file_foots(), release_is_written_down() FROM PUBLIC;
GRANT SELECT, INSERT ON ach_file, ach_entry TO centralpay_app;
GRANT SELECT ON same_day_window TO centralpay_app;
GRANT SELECT ON ach_file, ach_entry, same_day_window TO centralpay_auditor;
