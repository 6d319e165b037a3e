-- A remittance for each member: what of an advice has to be copied, what a cycle tells to whom, and what was written at a release.

-- Element, component, repetition (a blank: none) and terminator of the interchange. Null: taken in before this step.
ALTER TABLE advice ADD COLUMN delimiters text CHECK (length(delimiters) = 4);
-- Of the whole PLB segment. Null: taken in before this step.
ALTER TABLE plb_line ADD COLUMN byte_start bigint, ADD COLUMN byte_end bigint;

-- Shares of members, and the cycle whose remittances told them to the member; null: none has yet.
CREATE TABLE share_to_remit (
    owner_id uuid NOT NULL,
    advice_id bigint NOT NULL,
    cycle_id bigint REFERENCES cycle,
    PRIMARY KEY (owner_id, advice_id),
    FOREIGN KEY (owner_id, advice_id) REFERENCES advice_share (owner_id, advice_id)
);
CREATE INDEX share_to_remit_waiting ON share_to_remit (advice_id) WHERE cycle_id IS NULL;
INSERT INTO share_to_remit (owner_id, advice_id) SELECT owner_id, advice_id FROM advice_share WHERE owner_id <> house_id();

CREATE FUNCTION share_is_told_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'share_is_told_once', format('the share of advice %s was told by cycle %s and stays so', OLD.advice_id, OLD.cycle_id),
        jsonb_build_object('owner', OLD.owner_id, 'advice', OLD.advice_id, 'cycle', OLD.cycle_id));
    RETURN NULL;
END $$;
CREATE TRIGGER told_once BEFORE UPDATE ON share_to_remit FOR EACH ROW WHEN (OLD.cycle_id IS NOT NULL) EXECUTE FUNCTION share_is_told_once();
-- Without its row a share would never be told.
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON share_to_remit FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- How a member is paid and told: one payment for all advices, or one for each. A matter of its contract.
ALTER TABLE contract ADD COLUMN remittance_form text NOT NULL DEFAULT 'combined' CHECK (remittance_form IN ('combined', 'per_advice'));

-- A later contract, such as one with another fee, keeps the form of the one before it.
CREATE FUNCTION contract_keeps_its_form() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.remittance_form := coalesce((SELECT c.remittance_form FROM contract c WHERE c.member_id = NEW.member_id ORDER BY c.in_force DESC LIMIT 1),
                                    NEW.remittance_form);
    RETURN NEW;
END $$;
CREATE TRIGGER keeps_its_form BEFORE INSERT ON contract FOR EACH ROW EXECUTE FUNCTION contract_keeps_its_form();

-- A member may have several payouts in a cycle: one for each advice with money. Null: all in one, or what is of no advice.
ALTER TABLE payout ADD COLUMN advice_id bigint REFERENCES advice;
ALTER TABLE payout DROP CONSTRAINT payout_cycle_id_member_id_key;
ALTER TABLE payout ADD CONSTRAINT payout_is_of_one_advice UNIQUE NULLS NOT DISTINCT (cycle_id, member_id, advice_id);

-- What a cycle tells, frozen when it is proposed and part of what is approved -----------------------------------------

CREATE TABLE cycle_remittance (
    cycle_id bigint NOT NULL REFERENCES cycle,
    member_id uuid NOT NULL REFERENCES member,
    form text NOT NULL CHECK (form IN ('combined', 'per_advice')),
    -- The sum of the member's payouts; zero: it is only told.
    paid_cents bigint NOT NULL CHECK (paid_cents >= 0),
    PRIMARY KEY (cycle_id, member_id)
);
COMMENT ON TABLE cycle_remittance IS 'The members that the cycle writes a remittance.';

CREATE TABLE cycle_share (
    cycle_id bigint NOT NULL,
    owner_id uuid NOT NULL,
    advice_id bigint NOT NULL,
    PRIMARY KEY (cycle_id, owner_id, advice_id),
    FOREIGN KEY (cycle_id, owner_id) REFERENCES cycle_remittance (cycle_id, member_id),
    FOREIGN KEY (owner_id, advice_id) REFERENCES share_to_remit
);
COMMENT ON TABLE cycle_share IS 'The shares that a cycle tells: funded by its day, and told by no cycle before.';

CREATE TABLE cycle_own_item (
    cycle_id bigint NOT NULL,
    member_id uuid NOT NULL,
    -- Such as PSAO-FEE-2026-11; no payer's reference begins like it.
    reference text NOT NULL CHECK (reference ~ '^PSAO-[A-Z0-9-]{1,45}$'),
    reason text NOT NULL CHECK (reason IN ('CS', 'FB')),
    -- As in a PLB: positive reduces the payment.
    amount_cents bigint NOT NULL CHECK (amount_cents <> 0),
    -- The event of the member's book that it tells; null: a month of fee, or a balance that is carried.
    event event_name,
    PRIMARY KEY (cycle_id, member_id, reference),
    FOREIGN KEY (cycle_id, member_id) REFERENCES cycle_remittance (cycle_id, member_id)
);
CREATE INDEX cycle_own_item_of_event ON cycle_own_item (member_id, event) INCLUDE (cycle_id, amount_cents) WHERE event IS NOT NULL;
COMMENT ON TABLE cycle_own_item IS 'What is the PSAO''s own in a remittance: fees, and what else stands between the shares and the payment.';

-- What changes a member's available money and is neither an advice funded nor a fee nor a payout is rare, and is told by name.
CREATE INDEX line_of_other_due ON line (owner_id) INCLUDE (event, amount_cents, effective_on, entry_id)
    WHERE account = 'due_available' AND event NOT IN ('funded', 'fee_collected', 'payout_released');

-- What a second person approves, to the last cent and account, and what of it is told to whom. A cycle that was proposed
-- before this step tells nothing, and has the hash that it had.
CREATE OR REPLACE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws(E'\n', concat_ws('|', 'centralpay cycle 1', c.cycle_id, c.business_date, c.effective_on, c.odfi_routing,
               c.company_id, c.company_name, c.entry_description), coalesce((
           SELECT string_agg(concat_ws('|', p.payout_id, p.member_id, p.amount_cents, p.fee_cents, coalesce(p.bank_account_id::text, '-'),
                      (SELECT string_agg(f.month || '=' || f.amount_cents, ',' ORDER BY f.month) FROM payout_fee f WHERE f.payout_id = p.payout_id),
                      'advice ' || p.advice_id),
                  E'\n' ORDER BY p.member_id, p.payout_id)
           FROM payout p WHERE p.cycle_id = c.cycle_id), ''),
           (SELECT string_agg(concat_ws('|', 'remittance', r.member_id, r.form, r.paid_cents), E'\n' ORDER BY r.member_id)
            FROM cycle_remittance r WHERE r.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'share', s.owner_id, s.advice_id), E'\n' ORDER BY s.owner_id, s.advice_id)
            FROM cycle_share s WHERE s.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'own', i.member_id, i.reference, i.reason, i.amount_cents), E'\n' ORDER BY i.member_id, i.reference)
            FROM cycle_own_item i WHERE i.cycle_id = c.cycle_id)), 'UTF8'))
    FROM cycle c WHERE c.cycle_id = p_cycle_id
$$;

-- What was written at the release, as it was read back --------------------------------------------------------------

-- All remittances of a cycle, one after the other; the vault holds them under this name.
ALTER TABLE cycle ADD COLUMN children_sha256 bytea CHECK (length(children_sha256) = 32);

-- A release repeated leaves the files that the cycle names: they are what was sent, for ever.
CREATE FUNCTION released_files_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'released_files_stay', format('cycle %s is %s: the files that it sent stay', OLD.cycle_id, OLD.state),
        jsonb_build_object('cycle', OLD.cycle_id));
    RETURN NULL;
END $$;
CREATE TRIGGER files_stay BEFORE UPDATE ON cycle FOR EACH ROW WHEN (OLD.state IN ('released', 'settled')
    AND (NEW.nacha_name, NEW.nacha_sha256, NEW.children_sha256, NEW.released_cents)
        IS DISTINCT FROM (OLD.nacha_name, OLD.nacha_sha256, OLD.children_sha256, OLD.released_cents)) EXECUTE FUNCTION released_files_stay();

CREATE TABLE child_remittance (
    cycle_id bigint NOT NULL,
    member_id uuid NOT NULL,
    file_name text NOT NULL UNIQUE,
    -- Within the cycle's file in the vault.
    byte_start bigint NOT NULL CHECK (byte_start >= 0),
    byte_end bigint NOT NULL,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (cycle_id, member_id),
    FOREIGN KEY (cycle_id, member_id) REFERENCES cycle_remittance (cycle_id, member_id),
    CONSTRAINT child_has_bytes CHECK (byte_end > byte_start)
);
COMMENT ON TABLE child_remittance IS 'A member''s own 835 of a cycle: the file that it got.';

CREATE TABLE child_set (
    cycle_id bigint NOT NULL,
    member_id uuid NOT NULL,
    -- Within the member's file.
    set_ordinal integer NOT NULL CHECK (set_ordinal >= 1),
    -- The payment that carries the trace number; null: none does.
    payout_id bigint REFERENCES payout,
    -- Null: the PSAO's own set.
    advice_id bigint,
    trace_number text NOT NULL CHECK (length(trace_number) BETWEEN 1 AND 30),
    method text NOT NULL CHECK (method IN ('ACH', 'NON')),
    claim_count integer NOT NULL CHECK (claim_count >= 0),
    claims_cents bigint NOT NULL,
    payer_plb_cents bigint NOT NULL,
    own_plb_cents bigint NOT NULL,
    payment_cents bigint NOT NULL CHECK (payment_cents >= 0),
    PRIMARY KEY (cycle_id, member_id, set_ordinal),
    FOREIGN KEY (cycle_id, member_id) REFERENCES child_remittance (cycle_id, member_id),
    FOREIGN KEY (member_id, advice_id) REFERENCES share_to_remit (owner_id, advice_id),
    CONSTRAINT share_stands_in_one_set UNIQUE (member_id, advice_id),
    -- A number is one member's; the sets of one combined payment share it.
    CONSTRAINT trace_is_one_remittances UNIQUE (trace_number, set_ordinal),
    CONSTRAINT child_set_balances CHECK (payment_cents = claims_cents - payer_plb_cents - own_plb_cents),
    CONSTRAINT own_set_has_no_claims CHECK (advice_id IS NOT NULL OR (claim_count, claims_cents, payer_plb_cents) = (0, 0, 0)),
    CONSTRAINT money_goes_by_a_payout CHECK ((method = 'ACH') = (payout_id IS NOT NULL) AND (payment_cents = 0 OR method = 'ACH'))
);
COMMENT ON TABLE child_set IS 'The sets of the members'' own 835s: what each says, as it was read back from the file.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cycle_remittance FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cycle_share FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cycle_own_item FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON child_remittance FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON child_set FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Triggers call them; nobody else has to.
REVOKE EXECUTE ON FUNCTION share_is_told_once(), contract_keeps_its_form(), released_files_stay() FROM PUBLIC;
GRANT SELECT ON share_to_remit, cycle_remittance, cycle_share, cycle_own_item, child_remittance, child_set TO centralpay_app, centralpay_auditor;
GRANT INSERT ON share_to_remit, cycle_remittance, cycle_share, cycle_own_item, child_remittance, child_set TO centralpay_app;
GRANT UPDATE (cycle_id) ON share_to_remit TO centralpay_app;
GRANT UPDATE (remittance_form) ON contract TO centralpay_app;
GRANT UPDATE (children_sha256) ON cycle TO centralpay_app;
