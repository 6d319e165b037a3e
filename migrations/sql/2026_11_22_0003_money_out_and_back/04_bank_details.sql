-- Bank details change by request, call-back, second person, cooling period and prenote; the history stays.

CREATE TABLE bank_account_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    -- Of the account that it will make: its number is sealed for that id.
    bank_account_id uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    source text NOT NULL CHECK (source IN ('member', 'roster', 'bank')),
    routing_number text NOT NULL CHECK (routing_number ~ '^[0-9]{9}$'),
    account_type text NOT NULL CHECK (account_type IN ('checking', 'savings')),
    sealed_number bytea NOT NULL,
    last_four text NOT NULL CHECK (length(last_four) BETWEEN 1 AND 4),
    reason text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_on date NOT NULL,
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'prenoted', 'live', 'rejected', 'withdrawn', 'failed')),
    called_by text REFERENCES app_user,
    called_at timestamptz,
    -- Ten digits, from the contact on file, never from the request.
    called_number text,
    spoke_with text,
    approval_id bigint REFERENCES approval,
    cooling_until date,
    prenote_settles_on date,
    -- The first day on which a payment may settle into it.
    usable_from date
);
CREATE UNIQUE INDEX one_open_change ON bank_account_change (member_id) WHERE state IN ('asked', 'approved', 'prenoted');
COMMENT ON TABLE bank_account_change IS 'Requests to pay a member into another account, and what became of each.';
ALTER TABLE ach_entry ADD FOREIGN KEY (change_id) REFERENCES bank_account_change;

-- An account that the bank said is dead, or that must not be paid into: the member's next details, or a person, end it.
CREATE TABLE bank_account_stop (
    bank_account_id uuid NOT NULL REFERENCES bank_account (bank_account_id),
    stopped_on date NOT NULL,
    reason text NOT NULL,
    stopped_by text NOT NULL,
    stopped_at timestamptz NOT NULL DEFAULT now(),
    lifted_by text,
    lifted_at timestamptz,
    lift_reason text,
    PRIMARY KEY (bank_account_id, stopped_at),
    CONSTRAINT lift_says_why CHECK (num_nulls(lifted_by, lifted_at, lift_reason) IN (0, 3))
);
CREATE UNIQUE INDEX one_open_stop ON bank_account_stop (bank_account_id) WHERE lifted_at IS NULL;

GRANT SELECT ON bank_account_change, bank_account_stop TO centralpay_app, centralpay_auditor;
GRANT INSERT ON bank_account_change, bank_account_stop TO centralpay_app;
GRANT UPDATE (state, called_by, called_at, called_number, spoke_with, approval_id, cooling_until, prenote_settles_on, usable_from)
    ON bank_account_change TO centralpay_app;
GRANT UPDATE (lifted_by, lifted_at, lift_reason) ON bank_account_stop TO centralpay_app;
GRANT UPDATE (in_use) ON bank_account TO centralpay_app;
