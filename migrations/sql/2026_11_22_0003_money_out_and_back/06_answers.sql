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
    text text NOT NULL,
    -- Null: nothing of ours has that trace.
    payout_id bigint REFERENCES payout,
    change_id bigint REFERENCES bank_account_change,
    treatment text NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'posted', 'applied', 'closed')),
    -- The credit that brought the money back, the fact that was posted for it, and the hold that keeps it.
    bank_line_id bigint REFERENCES bank_line,
    fact_key text,
    hold_id bigint REFERENCES hold,
    -- A dishonored or contested return, or a second return, names the answer that it is about.
    about_answer_id bigint REFERENCES ach_answer,
    -- The payment by which the money left again.
    paid_again_by bigint REFERENCES payout,
    CONSTRAINT answer_is_taken_once UNIQUE (original_trace, answer_trace, kind, code, amount_cents)
);
CREATE INDEX ach_answer_open ON ach_answer (answer_id) WHERE state = 'open';
CREATE INDEX ach_answer_of_payout ON ach_answer (payout_id);
COMMENT ON TABLE ach_answer IS 'Answers of banks to our entries. Nothing is deleted: original, return and new payment name each other.';

GRANT SELECT ON ach_answer TO centralpay_app, centralpay_auditor;
GRANT INSERT ON ach_answer TO centralpay_app;
GRANT UPDATE (state, bank_line_id, fact_key, hold_id, paid_again_by) ON ach_answer TO centralpay_app;
