-- Who there is: users, members with their identifiers, contracts and bank accounts, payers. Effective-dated; no overlaps possible.

CREATE TABLE app_user (
    user_name text PRIMARY KEY CHECK (user_name ~ '^[A-Za-z0-9._@-]{1,64}$'),
    role text NOT NULL CHECK (role IN ('operator', 'approver', 'auditor', 'admin')),
    added_by text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE activity (
    activity_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE activity IS 'Every change of state: who, when, what, why. Append-only.';

CREATE FUNCTION house_id() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '00000000-0000-0000-0000-000000000000'::uuid;

CREATE TABLE owner (
    owner_id uuid PRIMARY KEY DEFAULT uuidv7(),
    kind owner_kind NOT NULL,
    CONSTRAINT one_house CHECK ((kind = 'house') = (owner_id = '00000000-0000-0000-0000-000000000000'))
);
INSERT INTO owner (owner_id, kind) VALUES (house_id(), 'house');

CREATE TABLE pharmacy (
    pharmacy_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ncpdp_id text NOT NULL UNIQUE CHECK (ncpdp_id ~ '^[0-9]{7}$')
);
COMMENT ON TABLE pharmacy IS 'The store itself. It can change hands; the member is the store under one ownership.';

CREATE TABLE member (
    member_id uuid PRIMARY KEY REFERENCES owner,
    pharmacy_id bigint NOT NULL REFERENCES pharmacy,
    membership daterange NOT NULL CHECK (NOT isempty(membership) AND NOT lower_inf(membership)),
    legal_name text NOT NULL,
    dba_name text NOT NULL,
    tin text NOT NULL CHECK (tin ~ '^[0-9]{9}$'),
    state text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
    payout_schedule text NOT NULL,
    CONSTRAINT member_of_a_pharmacy_on_a_date UNIQUE (pharmacy_id, membership WITHOUT OVERLAPS),
    CONSTRAINT member_temporal UNIQUE (member_id, membership WITHOUT OVERLAPS)
);

CREATE TABLE member_identifier (
    kind text NOT NULL CHECK (kind IN ('NCPDP', 'NPI')),
    value text NOT NULL,
    valid daterange NOT NULL,
    member_id uuid NOT NULL,
    CONSTRAINT identifier_names_one_member_on_a_date PRIMARY KEY (kind, value, valid WITHOUT OVERLAPS),
    FOREIGN KEY (member_id, PERIOD valid) REFERENCES member (member_id, PERIOD membership)
);
CREATE INDEX member_identifier_of_member ON member_identifier (member_id);

CREATE TABLE contract (
    contract_id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    member_id uuid NOT NULL,
    in_force daterange NOT NULL,
    monthly_fee_cents bigint NOT NULL CHECK (monthly_fee_cents BETWEEN 0 AND 100000000),
    -- none: whole months only; daily: the membership's days of the month, rounded down to the cent.
    proration text NOT NULL DEFAULT 'none' CHECK (proration IN ('none', 'daily')),
    CONSTRAINT one_contract_on_a_date PRIMARY KEY (member_id, in_force WITHOUT OVERLAPS),
    FOREIGN KEY (member_id, PERIOD in_force) REFERENCES member (member_id, PERIOD membership)
);

CREATE TABLE bank_account (
    bank_account_id uuid NOT NULL UNIQUE DEFAULT uuidv7(),
    member_id uuid NOT NULL REFERENCES member,
    -- Outlives the membership: money arrives after a member has left.
    in_use daterange NOT NULL,
    routing_number text NOT NULL CHECK (routing_number ~ '^[0-9]{9}$'),
    account_type text NOT NULL CHECK (account_type IN ('checking', 'savings')),
    -- AES-256-GCM, key id and version in front; associated data: 'bank_account:' and bank_account_id.
    sealed_number bytea NOT NULL,
    last_four text NOT NULL CHECK (length(last_four) BETWEEN 1 AND 4),
    CONSTRAINT one_bank_account_on_a_date PRIMARY KEY (member_id, in_use WITHOUT OVERLAPS)
);

CREATE TABLE payer (
    payer_id text PRIMARY KEY CHECK (payer_id ~ '^1[0-9]{9}$'),
    name text NOT NULL,
    ach_company_ids text[] NOT NULL DEFAULT '{}',
    aliases text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE unknown_payee (
    unknown_payee_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identifier text NOT NULL UNIQUE,
    first_seen_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE unknown_payee IS 'Identifiers of pharmacies in remittances that name no member of ours on that date.';

-- The flat fee that a contract asks for a month: the amount in force on the first day of membership in that month,
-- whole, or its days where the contract says so. A contract that is not the one in force on that day asks nothing.
CREATE FUNCTION fee_due(p_contract_id bigint, p_month date) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT CASE c.proration
            WHEN 'none' THEN c.monthly_fee_cents
            ELSE c.monthly_fee_cents * (upper(stay.days) - lower(stay.days)) / (upper(whole.days) - lower(whole.days))
        END
        FROM contract c
        JOIN member m USING (member_id)
        CROSS JOIN LATERAL (
            SELECT daterange(date_trunc('month', p_month)::date,
                             (date_trunc('month', p_month) + interval '1 month')::date) AS days) whole
        CROSS JOIN LATERAL (SELECT whole.days * m.membership AS days) stay
        WHERE c.contract_id = p_contract_id AND NOT isempty(stay.days) AND c.in_force @> lower(stay.days)
    ), 0)
$$;
