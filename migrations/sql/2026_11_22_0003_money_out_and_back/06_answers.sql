-- What the bank answered to what was sent: returns, notifications of change, dishonored and contested returns.

CREATE TABLE ach_answer (
    answer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    file_id bigint NOT NULL REFERENCES received_file,
    line integer NOT NULL,
    kind text NOT NULL CHECK (kind IN ('return', 'change', 'dishonored', 'contested')),
    code text NOT NULL,
    -- Of our entry.
    original_trace bigint NOT NULL,
    -- Of the answer itself: with the original it tells a repeated answer from a second one.
    answer_trace bigint NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    received_on date NOT NULL,
    -- What the bank wrote; longer numbers down to their last four digits.
    text text NOT NULL,
    -- What of ours is answered; null: nothing of ours has that trace.
    entry_kind text CHECK (entry_kind IN ('payout', 'prenote', 'reversal', 'offset')),
    payout_id bigint REFERENCES payout,
    change_id bigint REFERENCES bank_account_change,
    treatment text NOT NULL,
    -- posted: its money is in the books; applied: a notified change was approved; closed: nothing more follows from it.
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'posted', 'applied', 'closed')),
    -- The bank line that moved the money, the fact that was posted for it, and the hold that keeps it.
    bank_line_id bigint REFERENCES bank_line,
    fact_key text,
    hold_id bigint REFERENCES hold,
    -- A dishonored or contested return, or a second return, names the answer that it is about.
    about_answer_id bigint REFERENCES ach_answer,
    -- The change of bank details that a notification became.
    asked_change_id bigint REFERENCES bank_account_change,
    -- The payment by which the money left again.
    paid_again_by bigint REFERENCES payout,
    closed_by text,
    close_reason text,
    CONSTRAINT answer_is_taken_once UNIQUE (original_trace, answer_trace, kind, code, amount_cents),
    CONSTRAINT posted_names_its_money CHECK (num_nonnulls(bank_line_id, fact_key) = CASE state WHEN 'posted' THEN 2 ELSE 0 END),
    CONSTRAINT only_changes_are_applied CHECK (state <> 'applied' OR (kind = 'change' AND asked_change_id IS NOT NULL)),
    CONSTRAINT close_says_why CHECK ((state = 'closed') = (closed_by IS NOT NULL) AND (state = 'closed') = (close_reason IS NOT NULL))
);
CREATE INDEX ach_answer_open ON ach_answer (answer_id) WHERE state = 'open';
CREATE INDEX ach_answer_of_payout ON ach_answer (payout_id);
CREATE UNIQUE INDEX ach_answer_of_fact ON ach_answer (fact_key) WHERE fact_key IS NOT NULL;
CREATE INDEX ach_answer_of_hold ON ach_answer (hold_id) WHERE hold_id IS NOT NULL;
CREATE INDEX ach_answer_paid_again ON ach_answer (paid_again_by) WHERE paid_again_by IS NOT NULL;
-- A payment is back once: another return of it is somebody's mistake, and a person's to look at.
CREATE UNIQUE INDEX one_standing_return ON ach_answer (payout_id) WHERE state = 'posted' AND kind IN ('return', 'contested');
COMMENT ON TABLE ach_answer IS 'Answers of banks to our entries. Nothing is deleted: original, return and new payment name each other.';

-- An authority's words by which money on a legal hold may leave again.
CREATE TABLE release_order (
    hold_id bigint NOT NULL REFERENCES hold,
    authority text NOT NULL CHECK (authority <> ''),
    said text NOT NULL CHECK (said <> ''),
    recorded_on date NOT NULL,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hold_id, recorded_at)
);

-- What an answer says stays; what follows from it goes in steps. Refusal 2 for what is kept, 11 for money without its posting.
CREATE FUNCTION answer_keeps_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR num_nonnulls(NEW.bank_line_id, NEW.fact_key, NEW.hold_id, NEW.paid_again_by) > 0 THEN
            PERFORM refuse(2, 'answer_begins_open', 'an answer begins open: what follows from it comes later');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.file_id, NEW.line, NEW.kind, NEW.code, NEW.original_trace, NEW.answer_trace, NEW.amount_cents, NEW.received_on, NEW.text,
        NEW.entry_kind, NEW.payout_id, NEW.change_id, NEW.treatment, NEW.about_answer_id)
       IS DISTINCT FROM (OLD.file_id, OLD.line, OLD.kind, OLD.code, OLD.original_trace, OLD.answer_trace, OLD.amount_cents, OLD.received_on,
        OLD.text, OLD.entry_kind, OLD.payout_id, OLD.change_id, OLD.treatment, OLD.about_answer_id) THEN
        PERFORM refuse(2, 'answer_stays_as_received', format('what answer %s says stays as it came', OLD.answer_id));
    END IF;
    -- Where the hold of the first day is over by then, the money gets one of its own.
    IF (OLD.hold_id IS NOT NULL AND NEW.hold_id IS DISTINCT FROM OLD.hold_id AND (OLD.state, NEW.state) <> ('open', 'posted'))
       OR (OLD.asked_change_id IS NOT NULL AND NEW.asked_change_id IS DISTINCT FROM OLD.asked_change_id)
       OR (OLD.paid_again_by IS NOT NULL AND NEW.paid_again_by IS DISTINCT FROM OLD.paid_again_by)
       OR (NEW.state = OLD.state AND (NEW.bank_line_id, NEW.fact_key) IS DISTINCT FROM (OLD.bank_line_id, OLD.fact_key)) THEN
        PERFORM refuse(2, 'answer_follows_once', format('what followed from answer %s stays', OLD.answer_id));
    END IF;
    IF NEW.paid_again_by IS DISTINCT FROM OLD.paid_again_by AND NOT EXISTS (
        SELECT FROM payout n JOIN payout o ON o.member_id = n.member_id AND o.cycle_id <> n.cycle_id
        WHERE n.payout_id = NEW.paid_again_by AND o.payout_id = NEW.payout_id AND n.state = 'released' AND n.amount_cents > 0) THEN
        PERFORM refuse(11, 'paid_again_to_the_member', format('payout %s pays nothing of answer %s again', NEW.paid_again_by, NEW.answer_id));
    END IF;
    IF NEW.state = OLD.state THEN RETURN NEW; END IF;
    IF (OLD.state, NEW.state) NOT IN (('open', 'posted'), ('open', 'applied'), ('open', 'closed'), ('posted', 'open')) THEN
        PERFORM refuse(2, 'answer_steps', format('answer %s is %s and can not become %s', OLD.answer_id, OLD.state, NEW.state));
    END IF;
    IF NEW.state = 'posted' AND NOT answer_is_in_the_books(NEW) THEN
        PERFORM refuse(11, 'return_is_posted', format('answer %s names no posting that stands and moves its money', NEW.answer_id));
    END IF;
    IF OLD.state = 'posted' AND answer_is_in_the_books(OLD) THEN
        PERFORM refuse(2, 'answer_steps', format('answer %s is posted; only the reversal of its posting opens it again', OLD.answer_id));
    END IF;
    RETURN NEW;
END $$;

-- Whether a standing transaction moves exactly this answer's money: a return's from its bank line into its member's hold, a
-- dishonored return's back out to the bank line that took it.
CREATE FUNCTION answer_is_in_the_books(p_answer ach_answer) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM journal_transaction t JOIN payout p ON p.payout_id = p_answer.payout_id AND p.amount_cents = p_answer.amount_cents
        WHERE t.fact_key = p_answer.fact_key
          AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = t.transaction_id)
          AND CASE WHEN p_answer.kind = 'dishonored' THEN t.event = 'debit_returned' AND EXISTS (
                  SELECT FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = t.transaction_id
                  AND l.account = 'unmatched_debit' AND l.reference = p_answer.bank_line_id AND l.amount_cents = -p_answer.amount_cents)
              ELSE t.event = 'payout_returned' AND EXISTS (
                  SELECT FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = t.transaction_id
                  AND l.account = 'unmatched_deposit' AND l.reference = p_answer.bank_line_id AND l.amount_cents = p_answer.amount_cents)
              AND EXISTS (
                  SELECT FROM entry e JOIN line l USING (owner_id, entry_id) WHERE e.transaction_id = t.transaction_id AND l.account = 'held'
                  AND l.owner_id = p.member_id AND l.reference = p_answer.hold_id AND l.amount_cents = -p_answer.amount_cents) END)
$$;
CREATE TRIGGER keeps_its_steps BEFORE INSERT OR UPDATE ON ach_answer FOR EACH ROW EXECUTE FUNCTION answer_keeps_its_steps();
CREATE TRIGGER nothing_is_deleted BEFORE DELETE OR TRUNCATE ON ach_answer FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON release_order FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- 11: a payout is returned by an answer whose money is in the books, and settled again only when that was reversed.
CREATE FUNCTION payout_comes_back_by_an_answer() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE standing boolean := EXISTS (SELECT FROM ach_answer a WHERE a.payout_id = NEW.payout_id AND a.state = 'posted'
                                    AND a.kind IN ('return', 'contested') AND answer_is_in_the_books(a));
BEGIN
    IF NEW.state <> OLD.state AND standing <> (NEW.state = 'returned') THEN
        PERFORM refuse(11, 'return_is_posted', format('payout %s can not become %s: %s', NEW.payout_id, NEW.state,
            CASE WHEN standing THEN 'the posting of its return stands' ELSE 'no return of it is posted' END),
            jsonb_build_object('payout', NEW.payout_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER comes_back_by_an_answer BEFORE UPDATE OF state ON payout FOR EACH ROW
    WHEN (NEW.state = 'returned' OR OLD.state = 'returned') EXECUTE FUNCTION payout_comes_back_by_an_answer();

-- The other way round: whoever reverses the posting of an answer, its money is awaited again. After payouts_follow, which still
-- asks the answer whose payout it is: triggers fire in the order of their names.
CREATE FUNCTION answers_follow_reversals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ach_answer SET state = 'open', bank_line_id = NULL, fact_key = NULL
    WHERE state = 'posted' AND fact_key = (SELECT fact_key FROM journal_transaction WHERE transaction_id = NEW.reverses);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER returns_follow AFTER INSERT ON journal_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION answers_follow_reversals();

REVOKE EXECUTE ON FUNCTION answer_keeps_its_steps(), answer_is_in_the_books(ach_answer), payout_comes_back_by_an_answer(), answers_follow_reversals()
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION answer_is_in_the_books(ach_answer) TO centralpay_app;
GRANT SELECT ON ach_answer, release_order TO centralpay_app, centralpay_auditor;
GRANT INSERT ON ach_answer, release_order TO centralpay_app;
GRANT UPDATE (state, bank_line_id, fact_key, hold_id, asked_change_id, paid_again_by, closed_by, close_reason) ON ach_answer TO centralpay_app;
