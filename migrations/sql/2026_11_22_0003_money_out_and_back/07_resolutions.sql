-- What people decide on money that came in: parts of an advice that were funded, advices that others replace, payees found.

-- The identity is one standing advice's: what replaces it takes it over.
ALTER TABLE advice DROP CONSTRAINT advice_identity;
CREATE UNIQUE INDEX advice_identity ON advice (payer_id, trace_number, payee_id, ordinal_in_payment) WHERE state <> 'replaced';

-- What of an advice was funded so far: money that came short is funded in parts, each a transaction of its own.
ALTER TABLE advice ADD COLUMN funded_cents bigint NOT NULL DEFAULT 0;
UPDATE advice SET funded_cents = payment_cents WHERE state = 'funded';
ALTER TABLE advice
    ADD CONSTRAINT funded_is_part_of_it CHECK (funded_cents BETWEEN 0 AND payment_cents),
    ADD CONSTRAINT funded_only_when_whole CHECK (state <> 'funded' OR funded_cents = payment_cents),
    ADD CONSTRAINT replaced_has_no_money CHECK (state <> 'replaced' OR funded_cents = 0);
COMMENT ON COLUMN advice.funded_cents IS 'The sum of its fundings that stand: what is missing waits.';

-- Which steps an advice and a bank line may take. A replaced advice comes back only by undoing what replaced it.
CREATE FUNCTION advice_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('accepted', 'funded'), ('funded', 'accepted'), ('accepted', 'replaced'), ('replaced', 'accepted')) THEN
        PERFORM refuse(2, 'advice_takes_its_steps', format('advice %s is %s and can not become %s', OLD.advice_id, OLD.state, NEW.state),
            jsonb_build_object('advice', OLD.advice_id, 'state', OLD.state, 'asked', NEW.state));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER takes_its_steps BEFORE UPDATE OF state ON advice FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION advice_takes_its_steps();

-- At commit a bank line is in the state that its open items say: nothing open is lost behind a state, nothing is open twice.
CREATE FUNCTION bank_line_is_what_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE open_cents bigint; aside_cents bigint; now_state text;
BEGIN
    SELECT state INTO now_state FROM bank_line WHERE bank_line_id = NEW.bank_line_id;
    SELECT coalesce(sum(l.amount_cents) FILTER (WHERE l.account <> 'suspense'), 0), coalesce(sum(l.amount_cents) FILTER (WHERE l.account = 'suspense'), 0)
    INTO open_cents, aside_cents FROM line l
    WHERE l.reference = NEW.bank_line_id AND l.owner_id = house_id() AND l.account IN ('unmatched_deposit', 'unmatched_debit', 'suspense');
    IF now_state <> (CASE WHEN open_cents <> 0 THEN 'unmatched' WHEN aside_cents <> 0 THEN 'suspended' ELSE 'matched' END) THEN
        PERFORM refuse(8, 'bank_line_is_what_is_open', format('bank line %s is %s with %s cents open and %s set aside', NEW.bank_line_id, now_state,
            abs(open_cents), abs(aside_cents)), jsonb_build_object('bank_line', NEW.bank_line_id, 'state', now_state));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER is_what_is_open AFTER UPDATE OF state ON bank_line DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION bank_line_is_what_is_open();

-- Which advice took whose place; undone, the row stays, and the states of both say so.
CREATE TABLE advice_replacement (
    advice_id bigint PRIMARY KEY REFERENCES advice,
    replaces bigint NOT NULL REFERENCES advice,
    approval_id bigint NOT NULL REFERENCES approval,
    CONSTRAINT replaces_another CHECK (replaces <> advice_id)
);
CREATE INDEX advice_replacement_of ON advice_replacement (replaces);
COMMENT ON TABLE advice_replacement IS 'Advices that took the place of others, each by an approval.';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON advice_replacement FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- A set in conflict becomes the advice that took the place of the accepted one, or is in conflict again when that is undone.
CREATE FUNCTION set_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT ((OLD.status, NEW.status) = ('conflict', 'accepted') AND EXISTS (
                SELECT FROM advice_replacement r JOIN advice a USING (advice_id)
                WHERE r.advice_id = NEW.advice_id AND (a.file_id, a.set_ordinal) = (NEW.file_id, NEW.set_ordinal)))
       AND NOT ((OLD.status, NEW.status) = ('accepted', 'conflict') AND EXISTS (
                SELECT FROM advice_replacement r WHERE (r.advice_id, r.replaces) = (OLD.advice_id, NEW.advice_id))) THEN
        PERFORM refuse(2, 'set_takes_its_steps', format('set %s of file %s is %s and stays so', OLD.set_ordinal, OLD.file_id, OLD.status));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER takes_its_steps BEFORE UPDATE ON remittance_set FOR EACH ROW EXECUTE FUNCTION set_takes_its_steps();

REVOKE EXECUTE ON FUNCTION advice_takes_its_steps(), bank_line_is_what_is_open(), set_takes_its_steps() FROM PUBLIC;
GRANT SELECT ON advice_replacement TO centralpay_app, centralpay_auditor;
GRANT INSERT ON advice_replacement TO centralpay_app;
GRANT UPDATE (funded_cents) ON advice TO centralpay_app;
GRANT UPDATE (status, advice_id) ON remittance_set TO centralpay_app;

-- What people divide among members and move between them, and payees that they find -----------------------------------

-- The rows of what is divided among members, as they were proposed: who decides sees exactly what is posted.
CREATE TABLE decided_share (
    approval_id bigint NOT NULL REFERENCES approval,
    place integer NOT NULL CHECK (place >= 1),
    member_id uuid NOT NULL REFERENCES member,
    -- Positive: as the event gives or takes.
    amount_cents bigint NOT NULL CHECK (amount_cents <> 0),
    -- The payer's words for the claim that it is about, where the rows name one.
    claim_reference text NOT NULL DEFAULT '',
    PRIMARY KEY (approval_id, place)
);
CREATE INDEX decided_share_of_member ON decided_share (member_id);
COMMENT ON TABLE decided_share IS 'Rows of a payer''s take-back, of an adjustment of the network, of interest: member and amount, bound by the approval''s hash.';

-- The claims that a correction between members moves. A row stands until its proposal is dropped or its posting reversed.
CREATE TABLE correction_claim (
    approval_id bigint NOT NULL REFERENCES approval,
    place integer NOT NULL CHECK (place >= 1),
    advice_id bigint NOT NULL REFERENCES advice,
    segment integer NOT NULL,
    rx_number text NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    standing boolean NOT NULL DEFAULT true,
    PRIMARY KEY (approval_id, place)
);
CREATE UNIQUE INDEX claim_is_corrected_once ON correction_claim (advice_id, segment) WHERE standing;

-- What exactly is decided on; null: no rows.
CREATE FUNCTION decided_rows_hash(p_approval_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(string_agg(r.said, E'\n' ORDER BY r.kind, r.place), 'UTF8')) FROM (
        SELECT 'share' AS kind, place, concat_ws('|', 'share', place, member_id, amount_cents, claim_reference) AS said
        FROM decided_share WHERE approval_id = p_approval_id
        UNION ALL
        SELECT 'claim', place, concat_ws('|', 'claim', place, advice_id, segment, rx_number, amount_cents)
        FROM correction_claim WHERE approval_id = p_approval_id) r
$$;

-- 11 for what is divided: the rows of an approved proposal are those that were proposed.
CREATE FUNCTION approved_rows_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF decided_rows_hash(NEW.approval_id) IS DISTINCT FROM NEW.set_hash THEN
        PERFORM refuse(11, 'approved_rows_stay', format('the rows of approval %s are not those that were proposed', NEW.approval_id),
            jsonb_build_object('approval', NEW.approval_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rows_stay BEFORE UPDATE ON approval FOR EACH ROW WHEN (NEW.state = 'approved' AND NEW.kind IN
    ('payer_debit', 'network_allocation', 'member_correction', 'interest')) EXECUTE FUNCTION approved_rows_stay();

CREATE FUNCTION rows_are_of_a_proposal() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE proposals bigint[];
BEGIN
    SELECT array_agg(DISTINCT approval_id) INTO proposals FROM new_row;
    IF EXISTS (SELECT FROM approval WHERE approval_id = ANY (proposals) AND state <> 'pending') THEN
        PERFORM refuse(11, 'rows_are_of_a_proposal', 'rows belong to a proposal that waits for its decision');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER of_a_proposal AFTER INSERT ON decided_share REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION rows_are_of_a_proposal();
CREATE TRIGGER of_a_proposal AFTER INSERT ON correction_claim REFERENCING NEW TABLE AS new_row
    FOR EACH STATEMENT EXECUTE FUNCTION rows_are_of_a_proposal();

-- Unknown payees that are found ---------------------------------------------------------------------------------------

-- By whose word an identifier is a member's; null: the roster's. Of several the roster's is the one that others are told.
ALTER TABLE member_identifier ADD COLUMN found_by bigint REFERENCES approval;

-- What of the house's share is an identifier's. Few lines have one: the index is small, and costs an arriving claim one look.
CREATE INDEX claim_line_of_unknown_payee ON claim_line (unknown_payee_id, advice_id) WHERE unknown_payee_id IS NOT NULL;
CREATE INDEX plb_line_of_unknown_payee ON plb_line (unknown_payee_id, advice_id) WHERE unknown_payee_id IS NOT NULL;
CREATE INDEX line_of_network_adjustment ON line (account, reference) INCLUDE (amount_cents)
    WHERE account IN ('network_adjustment', 'network_adjustment_unfunded');

-- The shares of identifiers in advices (null: in all), computed as advice_shares computes those of owners.
CREATE FUNCTION payee_shares(p_unknown_payee_ids bigint[], p_advice_ids bigint[])
RETURNS TABLE (unknown_payee_id bigint, advice_id bigint, claim_count integer, claims_cents bigint, plb_cents bigint, lines_sha256 bytea)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
    WITH lines AS (
        SELECT c.unknown_payee_id, c.advice_id, c.segment, 0::smallint AS pair, c.paid_cents, 0::bigint AS plb_cents,
               concat_ws('|', c.segment, c.rx_number, c.status, c.charge_cents, c.paid_cents, c.payer_claim_number, c.fill_on, c.unknown_payee_id) AS said
        FROM claim_line c JOIN advice a ON a.advice_id = c.advice_id AND a.paid_on = c.paid_on
        WHERE c.unknown_payee_id = ANY (p_unknown_payee_ids) AND (p_advice_ids IS NULL OR c.advice_id = ANY (p_advice_ids))
        UNION ALL
        SELECT p.unknown_payee_id, p.advice_id, p.segment, p.pair, 0, p.amount_cents,
               concat_ws('|', p.segment, p.pair, p.payee_id, p.reason, p.reference, p.amount_cents, p.is_network)
        FROM plb_line p WHERE p.unknown_payee_id = ANY (p_unknown_payee_ids) AND (p_advice_ids IS NULL OR p.advice_id = ANY (p_advice_ids))
    )
    SELECT l.unknown_payee_id, l.advice_id, count(*) FILTER (WHERE l.pair = 0)::integer, sum(l.paid_cents)::bigint, sum(l.plb_cents)::bigint,
           sha256(convert_to(string_agg(l.said, E'\n' ORDER BY l.segment, l.pair), 'UTF8'))
    FROM lines l GROUP BY l.unknown_payee_id, l.advice_id
$$;

CREATE TABLE found_share (
    found_share_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    approval_id bigint NOT NULL REFERENCES approval,
    unknown_payee_id bigint NOT NULL REFERENCES unknown_payee,
    advice_id bigint NOT NULL REFERENCES advice,
    owner_id uuid NOT NULL REFERENCES member,
    claim_count integer NOT NULL CHECK (claim_count >= 0),
    claims_cents bigint NOT NULL,
    plb_cents bigint NOT NULL,
    lines_sha256 bytea NOT NULL CHECK (length(lines_sha256) = 32),
    -- Whether the money was there when it was found; else the member is funded when the advice is.
    was_funded boolean NOT NULL,
    -- Null: what was found together came to nothing.
    transaction_id bigint REFERENCES journal_transaction,
    standing boolean NOT NULL DEFAULT true,
    -- The cycle whose remittance told it to the member; null: none has yet.
    cycle_id bigint REFERENCES cycle
);
CREATE UNIQUE INDEX share_is_found_once ON found_share (unknown_payee_id, advice_id) WHERE standing;
CREATE INDEX found_share_of_advice ON found_share (advice_id);
CREATE INDEX found_share_of_transaction ON found_share (transaction_id);
COMMENT ON TABLE found_share IS 'What of the house''s share of an advice was found to be a member''s: the lines stay the house''s, the money is the member''s.';

-- A found share is the lines of its identifier in that advice, and together with what was found with it, its posting.
CREATE FUNCTION found_share_guard() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    identifiers bigint[]; advices bigint[]; counts integer[]; claims bigint[]; plbs bigint[]; hashes bytea[];
    approvals bigint[]; transactions bigint[]; bad record;
BEGIN
    SELECT array_agg(unknown_payee_id), array_agg(advice_id), array_agg(claim_count), array_agg(claims_cents), array_agg(plb_cents),
           array_agg(lines_sha256), array_agg(DISTINCT approval_id), array_agg(DISTINCT transaction_id)
    INTO identifiers, advices, counts, claims, plbs, hashes, approvals, transactions FROM new_share;
    IF identifiers IS NULL THEN RETURN NULL; END IF;
    SELECT n.unknown_payee_id, n.advice_id INTO bad
    FROM unnest(identifiers, advices, counts, claims, plbs, hashes) AS n (unknown_payee_id, advice_id, claim_count, claims_cents, plb_cents, lines_sha256)
    LEFT JOIN payee_shares(identifiers, advices) s USING (unknown_payee_id, advice_id)
    WHERE (n.claim_count, n.claims_cents, n.plb_cents, n.lines_sha256) IS DISTINCT FROM (s.claim_count, s.claims_cents, s.plb_cents, s.lines_sha256)
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(1, 'found_share_is_its_lines', format('what was found of advice %s is not what its lines say', bad.advice_id), to_jsonb(bad));
    END IF;
    SELECT f.approval_id, f.transaction_id, f.cents, p.cents AS posted_cents INTO bad
    -- Of whatever approval: nothing is found with another's posting.
    FROM (SELECT max(approval_id) AS approval_id, owner_id, was_funded, transaction_id, sum(claims_cents - plb_cents) AS cents
          FROM found_share WHERE approval_id = ANY (approvals) OR transaction_id = ANY (transactions)
          GROUP BY CASE WHEN transaction_id IS NULL THEN approval_id END, owner_id, was_funded, transaction_id) f
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(l.amount_cents), 0) AS cents FROM entry e JOIN line l USING (owner_id, entry_id)
        WHERE e.transaction_id = f.transaction_id AND e.owner_id = f.owner_id AND CASE WHEN f.was_funded
            THEN l.event = 'payee_found' AND l.account = 'due_available' ELSE l.event = 'payee_found_unfunded' AND l.account = 'due_unfunded' END) p
    WHERE p.cents <> f.cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(1, 'found_share_is_its_entry', format('approval %s found %s cents and posted %s', bad.approval_id, bad.cents, bad.posted_cents),
            to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON found_share REFERENCING NEW TABLE AS new_share FOR EACH STATEMENT EXECUTE FUNCTION found_share_guard();

-- 12 for what was built on: what a person gave to members of an advice's money is taken back before that money is. And what is
-- reversed no longer stands, so that it may be decided again.
CREATE FUNCTION decision_is_undone() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE original journal_transaction; advices bigint[]; later bigint;
BEGIN
    SELECT * INTO STRICT original FROM journal_transaction WHERE transaction_id = NEW.reverses;
    IF original.event IN ('advised', 'funded') THEN
        SELECT array_agg(DISTINCT l.reference) INTO advices FROM entry e JOIN line l USING (owner_id, entry_id)
        WHERE e.transaction_id = NEW.reverses AND l.account = 'advised';
        SELECT f.transaction_id INTO later FROM found_share f
        WHERE f.advice_id = ANY (advices) AND f.standing AND (f.was_funded OR original.event = 'advised') AND f.transaction_id IS NOT NULL LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'found_stands_on_it', format('money of it was given to a payee that was found: reverse transaction %s first', later),
                jsonb_build_object('transaction', later));
        END IF;
        SELECT l.transaction_id INTO later FROM standing_line l
        WHERE l.owner_id = house_id() AND l.account = 'network_adjustment' AND l.event = 'network_adjustment_allocated' AND l.reference = ANY (advices) LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'allocation_stands_on_it', format('its adjustment of the network was divided: reverse transaction %s first', later),
                jsonb_build_object('transaction', later));
        END IF;
        SELECT t.transaction_id INTO later FROM correction_claim k JOIN journal_transaction t ON t.fact_key = 'member_corrected:' || k.approval_id
        WHERE k.advice_id = ANY (advices) AND k.standing LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'correction_stands_on_it', format('a claim of it was corrected to another member: reverse transaction %s first', later),
                jsonb_build_object('transaction', later));
        END IF;
    ELSIF original.event = 'payee_found_unfunded' THEN
        SELECT l.transaction_id INTO later FROM found_share f JOIN standing_line l ON l.owner_id = f.owner_id AND l.reference = f.advice_id
            AND l.account = 'advised' AND l.event = 'funded'
        WHERE f.transaction_id = NEW.reverses AND f.standing LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'found_is_funded', format('what was found was funded since: reverse transaction %s first', later),
                jsonb_build_object('transaction', later));
        END IF;
    ELSIF original.event = 'payee_found' THEN
        SELECT t.transaction_id INTO later FROM found_share f JOIN advice a USING (advice_id) JOIN correction_claim k ON k.advice_id = f.advice_id AND k.standing
        JOIN claim_line c ON c.advice_id = k.advice_id AND c.paid_on = a.paid_on AND c.segment = k.segment AND c.unknown_payee_id = f.unknown_payee_id
        JOIN journal_transaction t ON t.fact_key = 'member_corrected:' || k.approval_id
        WHERE f.transaction_id = NEW.reverses AND f.standing LIMIT 1;
        IF FOUND THEN
            PERFORM refuse(12, 'correction_stands_on_it', format('a claim of it was corrected to another member: reverse transaction %s first', later),
                jsonb_build_object('transaction', later));
        END IF;
    END IF;
    UPDATE found_share SET standing = false WHERE transaction_id = NEW.reverses AND standing;
    -- Nor is the identifier the member's any more once all that was posted by that word is reversed.
    DELETE FROM member_identifier i WHERE i.found_by IN (SELECT approval_id FROM found_share WHERE transaction_id = NEW.reverses)
        AND NOT EXISTS (SELECT FROM found_share f WHERE f.approval_id = i.found_by AND f.standing AND f.transaction_id IS NOT NULL);
    IF original.event = 'member_corrected' THEN
        UPDATE correction_claim SET standing = false WHERE standing AND 'member_corrected:' || approval_id = original.fact_key;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER decision_undone AFTER INSERT ON journal_transaction FOR EACH ROW WHEN (NEW.reverses IS NOT NULL)
    EXECUTE FUNCTION decision_is_undone();

-- The claims of a correction that is rejected or withdrawn are free again. The application may not do it by itself.
CREATE FUNCTION dropped_claims_are_free() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
BEGIN
    UPDATE correction_claim SET standing = false WHERE approval_id = NEW.approval_id AND standing;
    RETURN NULL;
END $$;
CREATE TRIGGER claims_free AFTER UPDATE ON approval FOR EACH ROW WHEN (NEW.kind = 'member_correction' AND NEW.state IN ('rejected', 'withdrawn'))
    EXECUTE FUNCTION dropped_claims_are_free();

-- A row that no longer stands never stands again, and nothing else of it changes.
CREATE FUNCTION found_share_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.standing AND NOT OLD.standing) OR (OLD.cycle_id IS NOT NULL AND NEW.cycle_id IS DISTINCT FROM OLD.cycle_id)
       OR (to_jsonb(NEW) - '{standing,cycle_id}'::text[]) <> (to_jsonb(OLD) - '{standing,cycle_id}'::text[]) THEN
        PERFORM refuse(2, 'found_share_stays', format('found share %s stays as it is: correct by reversal', OLD.found_share_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON found_share FOR EACH ROW EXECUTE FUNCTION found_share_stays();
CREATE FUNCTION correction_claim_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.standing OR (to_jsonb(NEW) - 'standing') <> (to_jsonb(OLD) - 'standing') THEN
        PERFORM refuse(2, 'correction_claim_stays', format('claim %s of correction %s stays as it is', OLD.place, OLD.approval_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON correction_claim FOR EACH ROW EXECUTE FUNCTION correction_claim_stays();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON found_share FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON correction_claim FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decided_share FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- What was found is told to its member like a share of its own: the claims in the payer's words -------------------------

CREATE TABLE cycle_found_share (
    cycle_id bigint NOT NULL,
    owner_id uuid NOT NULL,
    found_share_id bigint NOT NULL REFERENCES found_share,
    advice_id bigint NOT NULL,
    PRIMARY KEY (cycle_id, owner_id, advice_id, found_share_id),
    FOREIGN KEY (cycle_id, owner_id) REFERENCES cycle_remittance (cycle_id, member_id)
);
COMMENT ON TABLE cycle_found_share IS 'What a cycle tells of what was found: funded by its day, standing, and told by no cycle before.';

-- Where a cycle tells any of them, what is approved covers them too.
ALTER FUNCTION cycle_set_hash(bigint) RENAME TO cycle_core_hash;
CREATE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN f.said IS NULL THEN cycle_core_hash(p_cycle_id)
                ELSE sha256(cycle_core_hash(p_cycle_id) || convert_to(f.said, 'UTF8')) END
    FROM (SELECT string_agg(concat_ws('|', 'found', owner_id, advice_id, found_share_id), E'\n' ORDER BY owner_id, advice_id, found_share_id) AS said
          FROM cycle_found_share WHERE cycle_id = p_cycle_id) f
$$;

-- A share stands in one set, ever: then found_in is zero. A set that tells of an advice only what was found names its cycle there.
ALTER TABLE child_set ADD COLUMN found_in bigint NOT NULL DEFAULT 0,
    ADD COLUMN share_advice_id bigint GENERATED ALWAYS AS (CASE WHEN found_in = 0 THEN advice_id END) STORED,
    DROP CONSTRAINT child_set_member_id_advice_id_fkey,
    ADD CONSTRAINT child_set_member_id_advice_id_fkey FOREIGN KEY (member_id, share_advice_id) REFERENCES share_to_remit (owner_id, advice_id),
    DROP CONSTRAINT share_stands_in_one_set,
    ADD CONSTRAINT share_stands_in_one_set UNIQUE (member_id, advice_id, found_in);
-- Sets that are there got theirs by the expression; those that come get it with found_in, below.
ALTER TABLE child_set ALTER COLUMN share_advice_id DROP EXPRESSION,
    ADD CONSTRAINT set_names_its_share CHECK (share_advice_id IS NOT DISTINCT FROM CASE WHEN found_in = 0 THEN advice_id END);

CREATE FUNCTION set_of_what_was_found() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.found_in := CASE WHEN EXISTS (SELECT FROM cycle_found_share f WHERE (f.cycle_id, f.owner_id, f.advice_id) = (NEW.cycle_id, NEW.member_id, NEW.advice_id))
                          AND NOT EXISTS (SELECT FROM cycle_share s WHERE (s.cycle_id, s.owner_id, s.advice_id) = (NEW.cycle_id, NEW.member_id, NEW.advice_id))
                         THEN NEW.cycle_id ELSE 0 END;
    NEW.share_advice_id := CASE WHEN NEW.found_in = 0 THEN NEW.advice_id END;
    RETURN NEW;
END $$;
CREATE TRIGGER of_what_was_found BEFORE INSERT ON child_set FOR EACH ROW WHEN (NEW.advice_id IS NOT NULL) EXECUTE FUNCTION set_of_what_was_found();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cycle_found_share FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION decided_rows_hash(bigint), payee_shares(bigint[], bigint[]), approved_rows_stay(), rows_are_of_a_proposal(), found_share_guard(),
    decision_is_undone(), dropped_claims_are_free(), found_share_stays(), correction_claim_stays(), cycle_set_hash(bigint), set_of_what_was_found() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decided_rows_hash(bigint), payee_shares(bigint[], bigint[]), cycle_set_hash(bigint) TO centralpay_app, centralpay_auditor;
GRANT SELECT ON decided_share, correction_claim, found_share, cycle_found_share TO centralpay_app, centralpay_auditor;
GRANT INSERT ON decided_share, correction_claim, found_share, cycle_found_share TO centralpay_app;
GRANT UPDATE (cycle_id) ON found_share TO centralpay_app;
