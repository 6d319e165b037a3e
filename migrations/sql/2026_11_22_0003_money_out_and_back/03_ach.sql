-- What was sent to the bank: files and entries, by the trace number under which answers come back.

-- Holds text and numbers beside ranges in one key (temporal keys).
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
    credit_cents bigint NOT NULL CHECK (credit_cents >= 0),
    debit_cents bigint NOT NULL CHECK (debit_cents >= 0),
    entries integer NOT NULL CHECK (entries > 0),
    made_by text NOT NULL REFERENCES app_user,
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT file_is_told_apart UNIQUE (business_date, id_modifier)
);

CREATE TABLE ach_entry (
    -- Fifteen digits: eight of the bank that sends, seven of the sequence.
    trace_number bigint NOT NULL CHECK (trace_number BETWEEN 1 AND 999999999999999),
    -- A year from the day of sending: an answer names the trace alone.
    in_use daterange NOT NULL,
    ach_file_id bigint NOT NULL REFERENCES ach_file,
    kind text NOT NULL CHECK (kind IN ('payout', 'prenote', 'reversal')),
    payout_id bigint REFERENCES payout,
    -- A prenote's change of bank details (its key is added where that table is made).
    change_id bigint,
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    CONSTRAINT trace_is_not_reused_for_a_year PRIMARY KEY (trace_number, in_use WITHOUT OVERLAPS),
    CONSTRAINT entry_is_of_its_kind CHECK ((kind = 'prenote') = (change_id IS NOT NULL) AND (kind = 'prenote') = (payout_id IS NULL)
        AND (kind = 'prenote') = (amount_cents = 0))
);
CREATE INDEX ach_entry_of_payout ON ach_entry (payout_id) WHERE payout_id IS NOT NULL;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ach_file FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ach_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
GRANT SELECT, INSERT ON ach_file, ach_entry TO centralpay_app;
GRANT SELECT ON ach_file, ach_entry TO centralpay_auditor;
