-- Approvals by a second person, payout cycles, payouts.

CREATE TABLE approval (
    approval_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('cycle', 'float_deposit', 'float_withdrawal', 'bank_details')),
    subject text NOT NULL,
    -- What exactly is approved: a hash of the set, or the facts themselves.
    set_hash bytea,
    facts jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved', 'rejected', 'withdrawn')),
    proposed_by text NOT NULL REFERENCES app_user,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    decided_by text REFERENCES app_user,
    decided_at timestamptz,
    reason text,
    CONSTRAINT maker_is_not_checker CHECK (decided_by <> proposed_by),
    CONSTRAINT decision_has_a_person CHECK ((state IN ('approved', 'rejected')) = (decided_by IS NOT NULL) AND (state = 'pending') = (decided_at IS NULL)),
    CONSTRAINT rejection_has_a_reason CHECK (state <> 'rejected' OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_approval ON approval (kind, subject) WHERE state = 'pending';

-- A decision is final, and what was decided on can not change under it.
CREATE FUNCTION approval_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'pending' OR (NEW.kind, NEW.subject, NEW.set_hash, NEW.facts, NEW.proposed_by, NEW.proposed_at)
        IS DISTINCT FROM (OLD.kind, OLD.subject, OLD.set_hash, OLD.facts, OLD.proposed_by, OLD.proposed_at) THEN
        RAISE EXCEPTION USING ERRCODE = 'CP020', CONSTRAINT = 'approval_is_decided_once',
            MESSAGE = format('approval %s is %s and stays so', OLD.approval_id, OLD.state);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decided_once BEFORE UPDATE ON approval FOR EACH ROW EXECUTE FUNCTION approval_is_decided_once();

CREATE TABLE cycle (
    cycle_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    business_date date NOT NULL,
    effective_on date NOT NULL CHECK (effective_on > business_date),
    odfi_routing text NOT NULL,
    company_id text NOT NULL,
    company_name text NOT NULL,
    entry_description text NOT NULL,
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'released', 'settled', 'void')),
    approval_id bigint REFERENCES approval,
    proposed_by text NOT NULL REFERENCES app_user,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    released_by text REFERENCES app_user,
    nacha_name text,
    nacha_sha256 bytea,
    released_cents bigint,
    settled_by_bank_line bigint REFERENCES bank_line,
    CONSTRAINT released_has_its_file CHECK ((state IN ('released', 'settled')) = (nacha_sha256 IS NOT NULL OR released_cents = 0))
);
CREATE UNIQUE INDEX one_open_cycle ON cycle ((true)) WHERE state IN ('proposed', 'approved');

CREATE TABLE payout (
    payout_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cycle_id bigint NOT NULL REFERENCES cycle,
    member_id uuid NOT NULL REFERENCES member,
    -- Net of the fee; zero: the fee takes all that is available.
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    fee_cents bigint NOT NULL CHECK (fee_cents >= 0),
    bank_account_id uuid REFERENCES bank_account (bank_account_id),
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'approved', 'released', 'settled', 'returned', 'excluded')),
    trace_number text,
    reason text,
    UNIQUE (cycle_id, member_id),
    -- The number has seven digits and comes again after a year.
    UNIQUE (cycle_id, trace_number),
    CONSTRAINT payout_has_an_account CHECK (amount_cents = 0 OR bank_account_id IS NOT NULL),
    CONSTRAINT excluded_has_a_reason CHECK (state <> 'excluded' OR reason IS NOT NULL)
);
CREATE INDEX payout_of_member ON payout (member_id);

CREATE TABLE payout_fee (
    payout_id bigint NOT NULL REFERENCES payout,
    month date NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    PRIMARY KEY (payout_id, month)
);

CREATE TABLE cycle_omission (
    cycle_id bigint NOT NULL REFERENCES cycle,
    member_id uuid NOT NULL REFERENCES member,
    available_cents bigint NOT NULL,
    reason text NOT NULL CHECK (reason IN ('negative', 'held', 'no_balance', 'no_bank_account', 'proof_fails')),
    PRIMARY KEY (cycle_id, member_id)
);
COMMENT ON TABLE cycle_omission IS 'Members that the cycle does not pay, and why.';

CREATE SEQUENCE ach_trace MINVALUE 1 MAXVALUE 9999999 CYCLE;

-- What a second person approves, to the last cent and account: the hash of the set.
CREATE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws('|', 'centralpay cycle 1', c.cycle_id, c.business_date, c.effective_on, c.odfi_routing,
               c.company_id, c.company_name, c.entry_description) || E'\n' || coalesce((
           SELECT string_agg(concat_ws('|', p.payout_id, p.member_id, p.amount_cents, p.fee_cents, coalesce(p.bank_account_id::text, '-'),
                      (SELECT string_agg(f.month || '=' || f.amount_cents, ',' ORDER BY f.month) FROM payout_fee f WHERE f.payout_id = p.payout_id)),
                  E'\n' ORDER BY p.member_id)
           FROM payout p WHERE p.cycle_id = c.cycle_id), ''), 'UTF8'))
    FROM cycle c WHERE c.cycle_id = p_cycle_id
$$;

-- 11: what leaves is, to the cent, an approved payout of an approved and unchanged set, once.
CREATE TYPE payout_line AS (owner_id uuid, payout_id bigint, amount_cents bigint);

CREATE FUNCTION payouts_are_approved(p_lines payout_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.* INTO bad FROM unnest(p_lines) n
    LEFT JOIN payout p ON p.payout_id = n.payout_id AND p.member_id = n.owner_id AND p.amount_cents = n.amount_cents
        AND p.state = 'approved'
    WHERE p.payout_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('%s cents for payout %s are not an approved payout', bad.amount_cents, bad.payout_id), to_jsonb(bad));
    END IF;
    SELECT c.cycle_id, c.state INTO bad
    FROM cycle c LEFT JOIN approval a ON a.approval_id = c.approval_id AND a.state = 'approved' AND a.kind = 'cycle'
        AND a.subject = c.cycle_id::text AND a.set_hash = cycle_set_hash(c.cycle_id)
    WHERE c.cycle_id IN (SELECT p.cycle_id FROM unnest(p_lines) n JOIN payout p USING (payout_id))
      AND (c.state <> 'approved' OR a.approval_id IS NULL) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('cycle %s is not approved as it stands', bad.cycle_id), to_jsonb(bad));
    END IF;
    SELECT n.payout_id, count(*) AS times INTO bad FROM unnest(p_lines) n
    JOIN standing_line l ON l.account = 'in_transit' AND l.reference = n.payout_id AND l.owner_id = n.owner_id AND l.event = 'payout_released'
    GROUP BY n.payout_id HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_released_once', format('payout %s is released already', bad.payout_id), to_jsonb(bad));
    END IF;
END $$;

-- What a member's statement lists: every movement of what is due to it, unfunded, available or held; credit positive.
CREATE VIEW statement_line WITH (security_invoker) AS
    SELECT l.owner_id, l.entry_id, e.transaction_id, t.fact_on, l.effective_on, l.event, l.account, l.reference, -l.amount_cents AS amount_cents
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE l.ledger = 'custody' AND l.account IN ('due_unfunded', 'due_available', 'held')
      AND l.owner_id <> '00000000-0000-0000-0000-000000000000';
