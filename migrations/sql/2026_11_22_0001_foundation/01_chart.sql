-- The chart of accounts and the posting matrix: what may be posted at all, as data.

CREATE TYPE owner_kind AS ENUM ('member', 'house');
CREATE TYPE ledger_name AS ENUM ('custody', 'operating');
CREATE TYPE side_name AS ENUM ('debit', 'credit');

CREATE TYPE account_name AS ENUM (
    -- custody: assets
    'cash', 'advised', 'unmatched_debit', 'network_adjustment_unfunded', 'network_adjustment',
    -- custody: liabilities
    'due_unfunded', 'due_available', 'operating_advance', 'held', 'levied', 'in_transit', 'fee_withheld', 'unclaimed',
    'unmatched_deposit', 'suspense', 'unknown_payee_unfunded', 'unknown_payee', 'due_to_payer', 'interest_due',
    'operating_float',
    -- operating
    'operating_cash', 'custody_float', 'fee_receivable', 'advance_receivable', 'equity', 'fee_revenue', 'fee_waived',
    'bad_debt', 'bank_charges'
);

CREATE TYPE event_name AS ENUM (
    'deposited', 'debited', 'advised', 'funded', 'advanced', 'advance_repaid', 'fee_assessed', 'fee_collected',
    'fee_swept', 'fee_waived', 'fee_refunded', 'payout_released', 'levy_released', 'escheat_released',
    'refund_released', 'payout_settled', 'payout_returned', 'held', 'hold_lifted', 'levied', 'unclaimed',
    'payee_found', 'payee_found_unfunded', 'overpaid', 'suspended', 'unsuspended', 'payer_debited', 'debit_returned',
    'bank_charged', 'interest_earned', 'interest_allocated', 'network_adjustment_allocated', 'member_corrected',
    'member_paid', 'advance_written_off', 'float_deposited', 'float_withdrawn', 'opened', 'operating_opened',
    'reversed'
);

-- What a line's reference names. Null: the account has no items of its own.
CREATE TYPE reference_kind AS ENUM ('advice', 'bank_line', 'payout', 'month', 'identifier', 'custodial_account');

CREATE TABLE account (
    ledger ledger_name NOT NULL,
    account account_name NOT NULL,
    type text NOT NULL CHECK (type IN ('asset', 'liability', 'either', 'equity', 'income', 'expense')),
    meaning text NOT NULL,
    -- The only liabilities that may end in debit (refusal 8).
    may_be_debit boolean NOT NULL DEFAULT false,
    reference reference_kind,
    -- Each reference is an item of its own that may not end on its wrong side: a deposit is matched once.
    open_item boolean NOT NULL DEFAULT false,
    PRIMARY KEY (ledger, account),
    CONSTRAINT custody_has_no_result CHECK (ledger = 'operating' OR type IN ('asset', 'liability', 'either')),
    CONSTRAINT open_item_names_its_reference CHECK (NOT open_item OR reference IS NOT NULL)
);

INSERT INTO account (ledger, account, type, meaning, may_be_debit, reference, open_item) VALUES
    ('custody', 'cash', 'asset', 'the owner''s share of the custodial bank account', false, 'custodial_account', false),
    ('custody', 'advised', 'asset', 'payer''s 835 received, money not yet', false, 'advice', false),
    ('custody', 'unmatched_debit', 'asset', 'bank debit not yet explained', false, 'bank_line', true),
    ('custody', 'network_adjustment_unfunded', 'either', 'adjustment of the network as a whole, advice not funded', true, 'advice', false),
    ('custody', 'network_adjustment', 'either', 'adjustment of the network as a whole, to be allocated to members', true, 'advice', false),
    ('custody', 'due_unfunded', 'liability', 'owed to the member once funded', true, 'advice', false),
    ('custody', 'due_available', 'liability', 'owed to the member and payable now; in debit: the member owes', true, NULL, false),
    ('custody', 'operating_advance', 'liability', 'the PSAO''s own money covering this member''s negative', false, NULL, false),
    ('custody', 'held', 'liability', 'owed, on a hold', false, NULL, false),
    ('custody', 'levied', 'liability', 'owed to a third party under a legal order', false, NULL, false),
    ('custody', 'in_transit', 'liability', 'released, not settled', false, 'payout', true),
    ('custody', 'fee_withheld', 'liability', 'flat fee collected, not yet swept to the float', false, 'month', true),
    ('custody', 'unclaimed', 'liability', 'unclaimed property', false, NULL, false),
    ('custody', 'unmatched_deposit', 'liability', 'bank credit not matched yet', false, 'bank_line', true),
    ('custody', 'suspense', 'liability', 'deposit without advice after the cut-off', false, 'bank_line', true),
    ('custody', 'unknown_payee_unfunded', 'liability', 'advised for an identifier that is no member''s', true, 'identifier', false),
    ('custody', 'unknown_payee', 'liability', 'funded for an identifier that is no member''s', true, 'identifier', false),
    ('custody', 'due_to_payer', 'liability', 'deposited in excess', false, 'bank_line', false),
    ('custody', 'interest_due', 'liability', 'bank interest that belongs to the members', false, NULL, false),
    ('custody', 'operating_float', 'liability', 'the PSAO''s own money in the custodial account', false, NULL, false),
    ('operating', 'operating_cash', 'asset', 'the PSAO''s own bank account', false, NULL, false),
    ('operating', 'custody_float', 'asset', 'mirror of operating_float', false, NULL, false),
    ('operating', 'fee_receivable', 'asset', 'flat fee assessed, not yet swept, waived or paid', false, 'month', true),
    ('operating', 'advance_receivable', 'asset', 'mirror of operating_advance', false, NULL, false),
    ('operating', 'equity', 'equity', 'the PSAO''s own funds at go-live', false, NULL, false),
    ('operating', 'fee_revenue', 'income', 'flat fees; the only income', false, 'month', false),
    ('operating', 'fee_waived', 'expense', 'flat fees waived or refunded', false, 'month', false),
    ('operating', 'bad_debt', 'expense', 'advances written off', false, NULL, false),
    ('operating', 'bank_charges', 'expense', 'charges of the custodial bank', false, NULL, false);

CREATE TABLE posting_rule (
    event event_name NOT NULL,
    ledger ledger_name NOT NULL,
    owner_kind owner_kind NOT NULL,
    account account_name NOT NULL,
    side side_name NOT NULL,
    PRIMARY KEY (event, ledger, owner_kind, account, side),
    FOREIGN KEY (ledger, account) REFERENCES account,
    -- A reversal has no rows of its own: it is the exact negation of what the matrix allowed once.
    CONSTRAINT reversed_is_not_a_rule CHECK (event <> 'reversed')
);
