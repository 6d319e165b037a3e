-- The ledger itself: transactions hold entries, an entry belongs to one owner and one ledger, lines sum to zero.

CREATE TABLE period (
    month date PRIMARY KEY CHECK (month = date_trunc('month', month)::date),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed'))
);
COMMENT ON TABLE period IS 'Accounting months. A date outside every row is refused: most likely a typing error.';
INSERT INTO period (month) SELECT generate_series(date '2000-01-01', date '2049-12-01', interval '1 month')::date;

CREATE SEQUENCE transaction_number;
CREATE SEQUENCE entry_number CACHE 50;

CREATE TABLE journal_transaction (
    transaction_id bigint PRIMARY KEY DEFAULT nextval('transaction_number'),
    event event_name NOT NULL CONSTRAINT advance_is_never_asked_for CHECK (event NOT IN ('advanced', 'advance_repaid')),
    -- The business fact, named once for ever: a second posting of it is the first one, or a conflict.
    fact_key text NOT NULL CONSTRAINT fact_is_posted_once UNIQUE,
    fact_on date NOT NULL,
    effective_on date NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    reason text,
    bank_line_id bigint CONSTRAINT bank_line_is_posted_once UNIQUE,
    reverses bigint CONSTRAINT transaction_is_reversed_once UNIQUE
        CONSTRAINT reversal_of_what_is_posted REFERENCES journal_transaction,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT reversal_names_its_original CHECK ((event = 'reversed') = (reverses IS NOT NULL)),
    CONSTRAINT bank_facts_name_their_line CHECK ((event IN ('deposited', 'debited')) = (bank_line_id IS NOT NULL))
);

CREATE TABLE entry (
    owner_id uuid NOT NULL,
    entry_id bigint NOT NULL DEFAULT nextval('entry_number'),
    transaction_id bigint NOT NULL,
    ledger ledger_name NOT NULL,
    event event_name NOT NULL,
    fact_key text NOT NULL,
    effective_on date NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (owner_id, entry_id),
    CONSTRAINT fact_is_entered_once UNIQUE (owner_id, fact_key, ledger, event)
);
CREATE INDEX entry_of_transaction ON entry (transaction_id);

CREATE TABLE line (
    owner_id uuid NOT NULL,
    entry_id bigint NOT NULL,
    reference bigint,
    -- Debit positive, credit negative.
    amount_cents bigint NOT NULL CONSTRAINT amount_in_range CHECK (amount_cents <> 0 AND abs(amount_cents) < 1000000000000000),
    effective_on date NOT NULL,
    event event_name NOT NULL,
    ledger ledger_name NOT NULL,
    account account_name NOT NULL,
    line_no integer NOT NULL,
    PRIMARY KEY (owner_id, entry_id, line_no),
    -- Open items cannot be followed without their name.
    CONSTRAINT open_item_has_reference CHECK (reference IS NOT NULL OR account NOT IN
        ('unmatched_debit', 'in_transit', 'fee_withheld', 'unmatched_deposit', 'suspense', 'fee_receivable'))
);
CREATE INDEX line_of_unknown_payee ON line (account, reference) INCLUDE (amount_cents)
    WHERE account IN ('unknown_payee', 'unknown_payee_unfunded');
CREATE INDEX line_of_open_item ON line (account, reference, owner_id) WHERE account IN
    ('unmatched_debit', 'in_transit', 'fee_withheld', 'unmatched_deposit', 'suspense', 'fee_receivable');
COMMENT ON COLUMN line.event IS 'Copied from the entry and checked against it, so that the matrix and a statement need no join.';

CREATE TABLE balance (
    owner_id uuid NOT NULL,
    ledger ledger_name NOT NULL,
    account account_name NOT NULL,
    debit_cents bigint NOT NULL CHECK (debit_cents >= 0),
    credit_cents bigint NOT NULL CHECK (credit_cents >= 0),
    version bigint NOT NULL,
    PRIMARY KEY (owner_id, ledger, account)
) WITH (fillfactor = 70);
COMMENT ON TABLE balance IS 'Sums of all lines. Written by the trigger on line alone; rebuilt and compared by proof P10.';

-- Everyone who may owe is born with the balance that postings take turns on; without it two first postings could pass each other.
CREATE FUNCTION owner_starts_at_zero() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO balance (owner_id, ledger, account, debit_cents, credit_cents, version)
    SELECT owner_id, 'custody', 'due_available', 0, 0, 0 FROM new_owner WHERE kind = 'member' ORDER BY owner_id;
    RETURN NULL;
END $$;
CREATE TRIGGER starts_at_zero AFTER INSERT ON owner REFERENCING NEW TABLE AS new_owner
    FOR EACH STATEMENT EXECUTE FUNCTION owner_starts_at_zero();
