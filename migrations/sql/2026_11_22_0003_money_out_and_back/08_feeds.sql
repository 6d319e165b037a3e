-- Several feeds of one bank: which statement said what, so that the same money is booked once.

ALTER TABLE bank_statement
    ADD COLUMN feed text NOT NULL DEFAULT 'bai2' CHECK (feed IN ('bai2', 'camt053')),
    -- The file of the day whose lines this one says again; such a statement books nothing, and its balances are that one's.
    ADD COLUMN repeats bigint,
    -- In which order statements were taken in: a file that was refused keeps its number and may be taken in after later ones.
    ADD COLUMN place bigint NOT NULL GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD CONSTRAINT repeats_the_same_day FOREIGN KEY (custodial_account_id, as_of, repeats) REFERENCES bank_statement,
    ADD CONSTRAINT repeats_another CHECK (repeats <> file_id),
    ADD CONSTRAINT repeated_balances_stand_once CHECK (repeats IS NULL OR (opening_cents IS NULL AND closing_cents IS NULL));

-- What a day's statements book follows on: the next one opens where the last one closed, or it says the same money again.
CREATE FUNCTION statement_follows_the_last() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE last record;
BEGIN
    -- The turn that loading takes as well: two statements of a day are never written at once.
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.custodial_account'));
    IF NEW.repeats IS NOT NULL THEN
        IF EXISTS (SELECT FROM bank_statement s WHERE (s.custodial_account_id, s.as_of, s.file_id) = (NEW.custodial_account_id, NEW.as_of, NEW.repeats)
                   AND s.repeats IS NOT NULL) THEN
            PERFORM refuse(9, 'repeats_what_was_booked', format('file %s books nothing that could be said again', NEW.repeats));
        END IF;
        IF EXISTS (SELECT FROM bank_line b WHERE (b.file_id, b.as_of) = (NEW.file_id, NEW.as_of)) THEN
            PERFORM refuse(9, 'money_is_booked_once', format('file %s has booked lines of %s and can not only repeat them', NEW.file_id, NEW.as_of));
        END IF;
        RETURN NEW;
    END IF;
    SELECT s.file_id, s.closing_cents INTO last FROM bank_statement s
    WHERE (s.custodial_account_id, s.as_of) = (NEW.custodial_account_id, NEW.as_of) AND s.repeats IS NULL AND s.file_id <> NEW.file_id
    ORDER BY s.place DESC LIMIT 1;
    IF FOUND AND last.closing_cents <> NEW.opening_cents THEN
        PERFORM refuse(9, 'statement_follows_the_last', format('the statement of %s opens with %s cents, the one before closes with %s',
            NEW.as_of, NEW.opening_cents, last.closing_cents),
            jsonb_build_object('as_of', NEW.as_of, 'opening_cents', NEW.opening_cents, 'closing_cents', last.closing_cents));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER follows_the_last BEFORE INSERT ON bank_statement FOR EACH ROW EXECUTE FUNCTION statement_follows_the_last();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_statement FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

CREATE FUNCTION repeated_statement_books_nothing() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE files bigint[]; bad record;
BEGIN
    SELECT array_agg(DISTINCT n.file_id) INTO files FROM new_line n;
    SELECT s.file_id, s.as_of INTO bad FROM bank_statement s WHERE s.file_id = ANY (files) AND s.repeats IS NOT NULL
        AND EXISTS (SELECT FROM bank_line b WHERE b.file_id = s.file_id AND b.as_of = s.as_of) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(9, 'money_is_booked_once', format('file %s says the money of %s again and books nothing', bad.file_id, bad.as_of));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER booked_once AFTER INSERT ON bank_line REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION repeated_statement_books_nothing();

-- What other feeds add to a line: the payments that it is for. Where there are any, they stand for those of the line's own text.
CREATE TABLE bank_line_detail (
    bank_line_id bigint NOT NULL REFERENCES bank_line,
    trace_number text NOT NULL CHECK (trace_number <> ''),
    -- Empty: the feed names no payer.
    payer_id text NOT NULL CHECK (payer_id ~ '^([0-9]{10})?$'),
    file_id bigint NOT NULL REFERENCES received_file,
    PRIMARY KEY (bank_line_id, trace_number, payer_id)
);
-- All payments that any feed named for a line; a trace with its payer stands for the one without.
CREATE VIEW bank_line_payments WITH (security_invoker = true) AS
SELECT b.bank_line_id, coalesce((
           SELECT jsonb_agg(jsonb_build_array(d.trace_number, d.payer_id) ORDER BY d.trace_number, d.payer_id) FROM bank_line_detail d
           WHERE d.bank_line_id = b.bank_line_id AND (d.payer_id <> '' OR NOT EXISTS (
               SELECT FROM bank_line_detail w WHERE w.bank_line_id = d.bank_line_id AND w.trace_number = d.trace_number AND w.payer_id <> ''))),
           b.traces) AS traces
FROM bank_line b;
CREATE INDEX bank_line_of_day ON bank_line (as_of, amount_cents);

-- Totals and counts that a bank got wrong in one file, and who lets it through all the same: never who brought the file.
CREATE TABLE statement_waiver (
    file_id bigint NOT NULL REFERENCES received_file,
    rule text NOT NULL CHECK (rule IN ('control_total', 'record_count')),
    reason text NOT NULL CHECK (reason <> ''),
    waived_by text NOT NULL REFERENCES app_user,
    waived_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_id, rule)
);

CREATE FUNCTION waiver_is_anothers() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE file record;
BEGIN
    SELECT f.received_by, f.kind, f.status INTO file FROM received_file f WHERE f.file_id = NEW.file_id FOR SHARE;
    IF file.received_by = NEW.waived_by THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'maker_is_not_checker', MESSAGE = 'who brought a file can not waive its rules';
    END IF;
    IF file.kind <> 'bai2' OR file.status <> 'unreadable' THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'waiver_is_of_a_refused_file',
            MESSAGE = 'only a BAI2 file that was refused can have a rule waived';
    END IF;
    IF NOT EXISTS (SELECT FROM app_user u WHERE u.user_name = NEW.waived_by AND u.role IN ('approver', 'admin')) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'waiver_is_an_approvers', MESSAGE = 'only an approver can waive a rule';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER anothers BEFORE INSERT ON statement_waiver FOR EACH ROW EXECUTE FUNCTION waiver_is_anothers();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_waiver FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

CREATE TABLE received_entry (
    received_entry_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id bigint NOT NULL REFERENCES received_file,
    line integer NOT NULL CHECK (line > 0),
    -- Fifteen digits, of the entry.
    trace text NOT NULL CHECK (trace ~ '^[0-9]{15}$'),
    -- Credit to the account positive, debit negative.
    amount_cents bigint NOT NULL CHECK (amount_cents <> 0),
    settled_on date NOT NULL,
    company_id text NOT NULL,
    company_name text NOT NULL,
    identification text NOT NULL,
    -- TRN02 and TRN03, as in bank_line.
    traces jsonb NOT NULL,
    -- The statement's line of the same money; null: not there yet, or not told apart.
    bank_line_id bigint UNIQUE REFERENCES bank_line,
    -- Some banks count their traces anew in every file: who pays, and what for, belong to the key.
    CONSTRAINT entry_is_taken_once UNIQUE (trace, settled_on, amount_cents, company_id, traces)
);
CREATE INDEX received_entry_waiting ON received_entry (settled_on) WHERE bank_line_id IS NULL;
COMMENT ON TABLE received_entry IS 'ACH entries that arrived, as the bank''s file of received items says. Only statements move cash; these say what their lines are for.';

-- An entry is joined once, to a line of its own amount and about its own day; no other word of it changes.
CREATE FUNCTION entry_is_joined_once() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.bank_line_id IS NOT NULL OR to_jsonb(NEW) - 'bank_line_id' <> to_jsonb(OLD) - 'bank_line_id') THEN
        PERFORM refuse(2, 'entry_is_joined_once', format('received entry %s is kept as it came', OLD.trace));
    END IF;
    IF NEW.bank_line_id IS NOT NULL AND NOT EXISTS (SELECT FROM bank_line b WHERE b.bank_line_id = NEW.bank_line_id
            AND b.amount_cents = NEW.amount_cents AND abs(b.as_of - NEW.settled_on) <= 5) THEN
        PERFORM refuse(9, 'entry_is_its_line', format('bank line %s is not the money of entry %s', NEW.bank_line_id, NEW.trace));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER joined_once BEFORE INSERT OR UPDATE ON received_entry FOR EACH ROW EXECUTE FUNCTION entry_is_joined_once();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON received_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bank_line_detail FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

GRANT SELECT, INSERT ON received_entry, bank_line_detail, statement_waiver TO centralpay_app;
GRANT SELECT ON bank_line_payments TO centralpay_app;
GRANT SELECT ON received_entry, bank_line_detail, statement_waiver, bank_line_payments TO centralpay_auditor;
GRANT UPDATE (bank_line_id) ON received_entry TO centralpay_app;
