-- What is kept back, and what leaves to others than the member: holds, levies, unclaimed property, disbursements.

CREATE TABLE hold (
    hold_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    kind text NOT NULL CHECK (kind IN ('review', 'dispute', 'legal', 'fraud', 'returned')),
    reason text NOT NULL CHECK (reason <> ''),
    -- Who may order it: a court and its case number, a contract's clause, a bank's return code.
    authority text NOT NULL CHECK (authority <> ''),
    -- Scope: what comes from this payer, and at most this much; null: everything.
    payer_id text,
    limit_cents bigint CHECK (limit_cents > 0),
    review_on date NOT NULL,
    placed_on date NOT NULL,
    placed_by text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'lifted', 'ended')),
    approval_id bigint REFERENCES approval,
    ended_at timestamptz,
    CONSTRAINT end_has_a_time CHECK ((state = 'active') = (ended_at IS NULL))
);
CREATE INDEX hold_of_member ON hold (member_id) WHERE state = 'active';
COMMENT ON TABLE hold IS 'Money kept back from a member: why, on whose authority, how much, and when a person looks again. Lines of account held name it as their reference.';

CREATE TABLE disbursement (
    -- From the payouts' numbers: both are references of in_transit.
    disbursement_id bigint PRIMARY KEY DEFAULT nextval(pg_get_serial_sequence('payout', 'payout_id')),
    kind text NOT NULL CHECK (kind IN ('levy', 'escheat', 'refund')),
    owner_id uuid NOT NULL REFERENCES owner,
    -- Reference of the due_to_payer line for a refund, of the levy, of the unclaimed property's state.
    subject text NOT NULL,
    payee text NOT NULL CHECK (payee <> ''),
    method text NOT NULL CHECK (method IN ('check', 'wire')),
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'released', 'settled', 'void')),
    proposed_by text NOT NULL REFERENCES app_user,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    approval_id bigint REFERENCES approval,
    released_on date,
    settled_by_bank_line bigint REFERENCES bank_line
);
COMMENT ON TABLE disbursement IS 'Payments to others than members: a levy to who ordered it, unclaimed property to a state, an excess to a payer.';

GRANT SELECT ON hold, disbursement TO centralpay_app, centralpay_auditor;
GRANT INSERT ON hold, disbursement TO centralpay_app;
GRANT UPDATE (state, approval_id, ended_at, review_on) ON hold TO centralpay_app;
GRANT UPDATE (state, approval_id, released_on, settled_by_bank_line) ON disbursement TO centralpay_app;
