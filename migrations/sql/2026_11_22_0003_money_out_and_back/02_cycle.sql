-- The cycle: which steps its states may take, what an approval binds, exclusion, voiding; and what of it the ledger decides.
-- The triggers hold for everybody, the owner of the tables included. A step that is refused is CP011, a change CP002.

ALTER TABLE cycle
    -- What was recorded by this moment is in the proposal; what arrives later is another cycle's.
    ADD COLUMN cut_off_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    -- The same to the transaction: the snapshot by which its payouts were found. Null of what was proposed before this step.
    ADD COLUMN seen text CHECK (seen IS NULL OR seen::pg_snapshot IS NOT NULL),
    -- Which form of the set's hash was approved; what was proposed before this step keeps the hash that it had.
    ADD COLUMN set_version smallint NOT NULL DEFAULT 2 CHECK (set_version IN (1, 2)),
    ADD COLUMN void_reason text CHECK (void_reason <> ''),
    ADD COLUMN voided_by text REFERENCES app_user,
    ADD COLUMN voided_at timestamptz;
UPDATE cycle SET cut_off_at = proposed_at, set_version = 1;
UPDATE cycle SET void_reason = 'not recorded at the time', voided_by = proposed_by, voided_at = proposed_at WHERE state = 'void';
ALTER TABLE cycle ADD CONSTRAINT void_has_a_reason CHECK (num_nulls(void_reason, voided_by, voided_at) = CASE state WHEN 'void' THEN 0 ELSE 3 END);

ALTER TABLE cycle_omission DROP CONSTRAINT cycle_omission_reason_check;
ALTER TABLE cycle_omission ADD CONSTRAINT cycle_omission_reason_check CHECK (reason IN
    ('negative', 'held', 'no_balance', 'no_bank_account', 'proof_fails', 'account_stopped'));

-- A member's last payment is looked for from the end.
DROP INDEX payout_of_member;
CREATE INDEX payout_of_member ON payout (member_id, payout_id);

-- What is approved -------------------------------------------------------------------------------------------------

-- What a second person approves, to the last cent and account, and what of it is told to whom. Of the account it covers the
-- version (its id) and the content. The sealed number is left out: it changes when the master key does, and it opens under no
-- other key and for no other account than its own. Excluded payouts stay in: the hash is of what was proposed.
CREATE OR REPLACE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws(E'\n', concat_ws('|', 'centralpay cycle ' || c.set_version, c.cycle_id, c.business_date, c.effective_on,
               c.odfi_routing, c.company_id, c.company_name, c.entry_description), coalesce((
           SELECT string_agg(concat_ws('|', p.payout_id, p.member_id, p.amount_cents, p.fee_cents, coalesce(p.bank_account_id::text, '-'),
                      CASE WHEN c.set_version > 1 THEN coalesce(a.routing_number || ' ' || a.account_type || ' ' || a.last_four, '-') END,
                      (SELECT string_agg(f.month || '=' || f.amount_cents, ',' ORDER BY f.month) FROM payout_fee f WHERE f.payout_id = p.payout_id),
                      'advice ' || p.advice_id),
                  E'\n' ORDER BY p.member_id, p.payout_id)
           FROM payout p LEFT JOIN bank_account a USING (bank_account_id) WHERE p.cycle_id = c.cycle_id), ''),
           (SELECT string_agg(concat_ws('|', 'remittance', r.member_id, r.form, r.paid_cents), E'\n' ORDER BY r.member_id)
            FROM cycle_remittance r WHERE r.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'share', s.owner_id, s.advice_id), E'\n' ORDER BY s.owner_id, s.advice_id)
            FROM cycle_share s WHERE s.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'own', i.member_id, i.reference, i.reason, i.amount_cents), E'\n' ORDER BY i.member_id, i.reference)
            FROM cycle_own_item i WHERE i.cycle_id = c.cycle_id)), 'UTF8'))
    FROM cycle c WHERE c.cycle_id = p_cycle_id
$$;

-- An account is never changed, by anybody: a member gets another one, from a day on. Of its row the end of its use may come
-- earlier, and its number may be sealed anew under another master key (reseal_numbers).
CREATE FUNCTION bank_account_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE what text;
BEGIN
    IF (NEW.bank_account_id, NEW.member_id, NEW.routing_number, NEW.account_type, NEW.last_four)
        IS DISTINCT FROM (OLD.bank_account_id, OLD.member_id, OLD.routing_number, OLD.account_type, OLD.last_four) THEN
        what := 'what it is';
    ELSIF NEW.sealed_number IS DISTINCT FROM OLD.sealed_number AND NOT is_resealed(OLD.sealed_number, NEW.sealed_number) THEN
        what := 'its number';
    ELSIF NEW.in_use IS DISTINCT FROM OLD.in_use AND (lower(NEW.in_use) IS DISTINCT FROM lower(OLD.in_use) OR NOT NEW.in_use <@ OLD.in_use) THEN
        what := 'its days, but to end them earlier';
    ELSE
        RETURN NEW;
    END IF;
    PERFORM refuse(2, 'bank_account_stays', format('nobody changes of a bank account %s: a member gets another one', what),
        jsonb_build_object('owner', OLD.member_id, 'bank_account', OLD.bank_account_id));
    RETURN NULL;
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON bank_account FOR EACH ROW EXECUTE FUNCTION bank_account_stays();

-- 11: what leaves is, to the cent, an approved payout of an approved and unchanged set, once; within the limits of its day, and
-- approved by as many people as its total asks for.
CREATE OR REPLACE FUNCTION payouts_are_approved(p_lines payout_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record; cycles bigint[];
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.* INTO bad FROM unnest(p_lines) n
    LEFT JOIN payout p ON p.payout_id = n.payout_id AND p.member_id = n.owner_id AND p.amount_cents = n.amount_cents
        AND p.state = 'approved'
    WHERE p.payout_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('%s cents for payout %s are not an approved payout', bad.amount_cents, bad.payout_id), to_jsonb(bad));
    END IF;
    SELECT array_agg(DISTINCT p.cycle_id) INTO cycles FROM unnest(p_lines) n JOIN payout p USING (payout_id);
    SELECT c.cycle_id, c.state INTO bad
    FROM cycle c LEFT JOIN approval a ON a.approval_id = c.approval_id AND a.state = 'approved' AND a.kind = 'cycle'
        AND a.subject = c.cycle_id::text AND a.set_hash = cycle_set_hash(c.cycle_id)
    WHERE c.cycle_id = ANY (cycles) AND (c.state <> 'approved' OR a.approval_id IS NULL) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('cycle %s is not approved as it stands', bad.cycle_id), to_jsonb(bad));
    END IF;
    SELECT c.cycle_id, s.total_cents, s.largest_cents, m.two_from, m.total_limit, m.entry_limit, a.first_approved_by IS NOT NULL AS two INTO bad
    FROM cycle c JOIN approval a USING (approval_id)
    CROSS JOIN LATERAL (SELECT sum(p.amount_cents)::bigint AS total_cents, max(p.amount_cents) AS largest_cents
                        FROM payout p WHERE p.cycle_id = c.cycle_id AND p.state <> 'excluded') s
    CROSS JOIN LATERAL (SELECT limit_on('two_approvers_from', c.business_date) AS two_from, limit_on('cycle_total', c.business_date) AS total_limit,
                               limit_on('entry', c.business_date) AS entry_limit) m
    WHERE c.cycle_id = ANY (cycles) AND ((s.total_cents >= m.two_from AND a.first_approved_by IS NULL)
        OR s.total_cents > m.total_limit OR s.largest_cents > m.entry_limit) LIMIT 1;
    IF FOUND AND bad.total_cents >= bad.two_from AND NOT bad.two THEN
        PERFORM refuse(11, 'enough_approvers', format('cycle %s pays %s cents and one person approved it; from %s cents on it takes two',
            bad.cycle_id, bad.total_cents, bad.two_from), to_jsonb(bad));
    ELSIF FOUND THEN
        PERFORM refuse(11, 'within_the_limits', format('cycle %s pays %s cents, its largest payout %s; the limits are %s and %s', bad.cycle_id,
            bad.total_cents, bad.largest_cents, coalesce(bad.total_limit::text, 'none'), coalesce(bad.entry_limit::text, 'none')), to_jsonb(bad));
    END IF;
    SELECT n.payout_id, count(*) AS times INTO bad FROM unnest(p_lines) n
    JOIN standing_line l ON l.account = 'in_transit' AND l.reference = n.payout_id AND l.owner_id = n.owner_id AND l.event = 'payout_released'
    GROUP BY n.payout_id HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_released_once', format('payout %s is released already', bad.payout_id), to_jsonb(bad));
    END IF;
END $$;

-- The steps of a cycle ---------------------------------------------------------------------------------------------
-- proposed -> approved, void;  approved -> released, void;  released -> settled;  back to released only by a reversal of its settlement.

CREATE FUNCTION cycle_begins_proposed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(11, 'cycle_begins_proposed', format('a cycle begins proposed, not %s', NEW.state));
    RETURN NULL;
END $$;
CREATE TRIGGER begins_proposed BEFORE INSERT ON cycle FOR EACH ROW WHEN (NEW.state <> 'proposed') EXECUTE FUNCTION cycle_begins_proposed();

CREATE FUNCTION cycle_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.cycle_id, NEW.business_date, NEW.effective_on, NEW.odfi_routing, NEW.company_id, NEW.company_name, NEW.entry_description, NEW.proposed_by,
        NEW.proposed_at, NEW.cut_off_at, NEW.set_version) IS DISTINCT FROM (OLD.cycle_id, OLD.business_date, OLD.effective_on, OLD.odfi_routing,
        OLD.company_id, OLD.company_name, OLD.entry_description, OLD.proposed_by, OLD.proposed_at, OLD.cut_off_at, OLD.set_version)
        OR (OLD.state <> 'proposed' AND NEW.approval_id IS DISTINCT FROM OLD.approval_id)
        OR (NEW.released_by IS DISTINCT FROM OLD.released_by AND (OLD.state, NEW.state) <> ('approved', 'released'))
        OR (NEW.seen IS DISTINCT FROM OLD.seen AND (OLD.seen IS NOT NULL OR OLD.state <> 'proposed'))
        OR (NEW.state = OLD.state AND NEW.settled_by_bank_line IS DISTINCT FROM OLD.settled_by_bank_line)
        OR (OLD.state = 'void' AND NEW IS DISTINCT FROM OLD) THEN
        PERFORM refuse(2, 'cycle_stays_as_proposed', format('cycle %s is %s: what it is stays as it was proposed and done', OLD.cycle_id, OLD.state),
            jsonb_build_object('cycle', OLD.cycle_id));
    END IF;
    IF NEW.state = OLD.state THEN RETURN NEW; END IF;
    IF (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('proposed', 'void'), ('approved', 'released'), ('approved', 'void'),
                                      ('released', 'settled'), ('settled', 'released')) THEN
        PERFORM refuse(11, 'cycle_takes_its_steps', format('cycle %s is %s and can not become %s', OLD.cycle_id, OLD.state, NEW.state),
            jsonb_build_object('cycle', OLD.cycle_id, 'state', OLD.state, 'asked', NEW.state));
    END IF;
    IF NEW.state = 'approved' AND NOT EXISTS (SELECT FROM approval a WHERE a.approval_id = NEW.approval_id AND a.kind = 'cycle'
                                                  AND a.subject = NEW.cycle_id::text AND a.state = 'approved') THEN
        PERFORM refuse(11, 'cycle_takes_its_steps', format('nobody approved cycle %s', OLD.cycle_id), jsonb_build_object('cycle', OLD.cycle_id));
    END IF;
    IF OLD.state = 'settled' AND NOT EXISTS (
        SELECT FROM payout p WHERE p.cycle_id = OLD.cycle_id AND p.amount_cents > 0 AND p.amount_cents = (
            SELECT -sum(l.amount_cents) FROM line l WHERE l.account = 'in_transit' AND l.reference = p.payout_id AND l.owner_id = p.member_id)) THEN
        PERFORM refuse(11, 'cycle_takes_its_steps', format('of cycle %s nothing is in transit: only the reversal of its settlement opens it again',
            OLD.cycle_id), jsonb_build_object('cycle', OLD.cycle_id));
    END IF;
    RETURN NEW;
END $$;
-- After files_stay, which names what a release keeps: triggers fire in the order of their names.
CREATE TRIGGER takes_its_steps BEFORE UPDATE ON cycle FOR EACH ROW EXECUTE FUNCTION cycle_takes_its_steps();

-- What payouts may be in a cycle of a state. The cycle goes first, its payouts follow; at commit they are with it.
CREATE FUNCTION payout_fits(p_cycle_state text, p_state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_state = 'excluded' AND p_cycle_state <> 'settled' OR CASE p_cycle_state
        WHEN 'proposed' THEN p_state = 'proposed'
        WHEN 'approved' THEN p_state = 'approved'
        WHEN 'released' THEN p_state IN ('released', 'settled', 'returned')
        WHEN 'settled' THEN p_state IN ('settled', 'returned', 'excluded')
        ELSE p_state IN ('proposed', 'approved') END
$$;

CREATE FUNCTION payouts_keep_step() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    SELECT c.cycle_id, c.state AS cycle_state, p.payout_id, p.state INTO bad
    FROM cycle c JOIN payout p USING (cycle_id) WHERE c.cycle_id = NEW.cycle_id AND NOT payout_fits(c.state, p.state) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payouts_keep_step', format('cycle %s is %s and its payout %s is %s', bad.cycle_id, bad.cycle_state, bad.payout_id, bad.state),
            to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payouts_keep_step AFTER UPDATE OF state ON cycle DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION payouts_keep_step();

-- The steps of a payout --------------------------------------------------------------------------------------------
-- proposed -> approved, excluded;  approved -> released, excluded;  released -> settled -> returned; back from settled and from
-- returned only where the ledger says so. Twenty thousand move at once: rows are judged by conditions that call no function.

CREATE FUNCTION payout_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'payout_stays_as_proposed', format('payout %s is whose, of which cycle, how much and into which account it was proposed', OLD.payout_id),
        jsonb_build_object('payout', OLD.payout_id, 'owner', OLD.member_id));
    RETURN NULL;
END $$;
CREATE TRIGGER stays BEFORE UPDATE ON payout FOR EACH ROW WHEN (
    (NEW.payout_id, NEW.cycle_id, NEW.member_id, NEW.amount_cents, NEW.fee_cents, NEW.bank_account_id, NEW.advice_id)
        IS DISTINCT FROM (OLD.payout_id, OLD.cycle_id, OLD.member_id, OLD.amount_cents, OLD.fee_cents, OLD.bank_account_id, OLD.advice_id)
    OR (OLD.trace_number IS NOT NULL AND NEW.trace_number IS DISTINCT FROM OLD.trace_number)
    OR (NEW.state = OLD.state AND NEW.reason IS DISTINCT FROM OLD.reason)
) EXECUTE FUNCTION payout_stays();

CREATE FUNCTION payout_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE was text := 'nothing';
BEGIN
    IF TG_OP = 'UPDATE' THEN was := OLD.state; END IF;
    PERFORM refuse(11, 'payout_takes_its_steps', format('payout %s is %s and can not become %s', NEW.payout_id, was, NEW.state),
        jsonb_build_object('payout', NEW.payout_id, 'owner', NEW.member_id, 'state', was, 'asked', NEW.state));
    RETURN NULL;
END $$;
CREATE TRIGGER begins_proposed BEFORE INSERT ON payout FOR EACH ROW WHEN (NEW.state <> 'proposed') EXECUTE FUNCTION payout_takes_its_steps();
CREATE TRIGGER takes_its_steps BEFORE UPDATE ON payout FOR EACH ROW WHEN (NEW.state <> OLD.state AND NOT CASE OLD.state
    WHEN 'proposed' THEN NEW.state IN ('approved', 'excluded')
    WHEN 'approved' THEN NEW.state IN ('released', 'excluded')
    WHEN 'released' THEN NEW.state = 'settled'
    WHEN 'settled' THEN NEW.state IN ('returned', 'released')
    WHEN 'returned' THEN NEW.state = 'settled'
    ELSE false END) EXECUTE FUNCTION payout_takes_its_steps();

-- Payouts move only where their cycle's state allows it, and what is said of money that left is what the ledger says: what is
-- released is in transit, what is settled or returned no longer is.
CREATE FUNCTION payouts_fit() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE cycles bigint[]; states text[]; payouts bigint[]; members uuid[]; expected bigint[]; bad record;
BEGIN
    SELECT array_agg(d.cycle_id), array_agg(d.state) INTO cycles, states FROM (SELECT DISTINCT cycle_id, state FROM new_payout) d;
    SELECT c.cycle_id, c.state AS cycle_state, n.state INTO bad
    FROM unnest(cycles, states) AS n (cycle_id, state) JOIN cycle c USING (cycle_id)
    WHERE NOT payout_fits(c.state, n.state) OR c.state = 'void' LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_fits_its_cycle', format('cycle %s is %s: none of its payouts becomes %s', bad.cycle_id, bad.cycle_state, bad.state),
            to_jsonb(bad));
    END IF;
    SELECT array_agg(payout_id), array_agg(member_id), array_agg(CASE state WHEN 'released' THEN amount_cents ELSE 0 END)
    INTO payouts, members, expected FROM new_payout WHERE state IN ('released', 'settled', 'returned') AND amount_cents > 0;
    IF payouts IS NULL THEN RETURN NULL; END IF;
    SELECT n.payout_id, n.member_id AS owner, n.expected_cents, t.cents INTO bad
    FROM unnest(payouts, members, expected) AS n (payout_id, member_id, expected_cents)
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(l.amount_cents), 0)::bigint AS cents FROM line l
        WHERE l.account = 'in_transit' AND l.reference = n.payout_id AND l.owner_id = n.member_id) t
    WHERE t.cents <> n.expected_cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_as_in_the_ledger', format('of payout %s are %s cents in transit, not %s', bad.payout_id, bad.cents,
            bad.expected_cents), to_jsonb(bad));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER fit_on_insert AFTER INSERT ON payout REFERENCING NEW TABLE AS new_payout FOR EACH STATEMENT EXECUTE FUNCTION payouts_fit();
CREATE TRIGGER fit_on_update AFTER UPDATE ON payout REFERENCING NEW TABLE AS new_payout FOR EACH STATEMENT EXECUTE FUNCTION payouts_fit();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON cycle FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON payout FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON bank_account FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_fee FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cycle_omission FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Reversals --------------------------------------------------------------------------------------------------------
-- Decided, so that the ledger and the states never part:
-- * A payout_released is not reversed once its payouts are marked released, which is in the same database transaction: the
--   file has left. What was sent comes back as a return, or by a reversing entry at the bank (Nacha Operating Rules).
-- * A payout_settled may be reversed (the debit was another's): its payouts and their cycle are released again, and the debit
--   is open again. Not while one of them is returned: the return is reversed first.
-- * A payout_returned may be reversed (the credit was another's): its payout is settled again, and the credit is open again.
-- The database puts the states back itself, whoever reverses, in the transaction of the reversal.

-- Not in plain SQL: the bank's answers are laid later.
CREATE FUNCTION payouts_of_transaction(p_transaction_id bigint) RETURNS SETOF payout LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT p.* FROM payout p WHERE (p.payout_id, p.member_id) IN (
        SELECT l.reference, l.owner_id FROM entry e JOIN line l USING (owner_id, entry_id)
        WHERE e.transaction_id = p_transaction_id AND l.account = 'in_transit');
    -- A return's money is held for the member; which payout it was, the bank's answer says.
    RETURN QUERY SELECT p.* FROM journal_transaction t JOIN ach_answer a ON a.fact_key = t.fact_key JOIN payout p USING (payout_id)
        WHERE t.transaction_id = p_transaction_id AND t.event = 'payout_returned';
END $$;

-- The cycle before the balances, as everybody takes them who moves a payout.
CREATE FUNCTION reversal_waits_for_cycles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM cycle WHERE cycle_id IN (SELECT p.cycle_id FROM payouts_of_transaction(NEW.reverses) p) ORDER BY cycle_id FOR UPDATE;
    RETURN NEW;
END $$;
CREATE TRIGGER waits_for_cycles BEFORE INSERT ON journal_transaction FOR EACH ROW WHEN (NEW.reverses IS NOT NULL)
    EXECUTE FUNCTION reversal_waits_for_cycles();

CREATE FUNCTION payouts_follow_reversals() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE what event_name; payouts bigint[]; cycles bigint[]; opened bigint[]; bad record;
BEGIN
    SELECT event INTO what FROM journal_transaction WHERE transaction_id = NEW.reverses;
    IF what NOT IN ('payout_released', 'payout_settled', 'payout_returned') THEN RETURN NULL; END IF;
    SELECT array_agg(payout_id), array_agg(DISTINCT cycle_id) INTO payouts, cycles FROM payouts_of_transaction(NEW.reverses);
    SELECT payout_id, state INTO bad FROM payout WHERE payout_id = ANY (payouts) AND state <> CASE what
        WHEN 'payout_released' THEN 'approved' WHEN 'payout_settled' THEN 'settled' ELSE 'returned' END LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(12, 'reversal_keeps_the_payout', format('payout %s is %s: its %s can not be turned', bad.payout_id, bad.state, what), to_jsonb(bad));
    END IF;
    IF what = 'payout_released' THEN RETURN NULL; END IF;
    SELECT array_agg(DISTINCT l.reference) INTO opened FROM entry e JOIN line l USING (owner_id, entry_id)
    WHERE e.transaction_id = NEW.reverses AND l.account IN ('unmatched_deposit', 'unmatched_debit');
    UPDATE bank_line SET state = 'unmatched' WHERE bank_line_id = ANY (opened) AND state = 'matched';
    IF what = 'payout_returned' THEN
        UPDATE payout SET state = 'settled' WHERE payout_id = ANY (payouts);
    ELSE
        UPDATE cycle SET state = 'released', settled_by_bank_line = NULL WHERE cycle_id = ANY (cycles) AND state = 'settled';
        UPDATE payout SET state = 'released' WHERE payout_id = ANY (payouts);
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER payouts_follow AFTER INSERT ON journal_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION payouts_follow_reversals();

REVOKE EXECUTE ON FUNCTION bank_account_stays(), cycle_begins_proposed(), cycle_takes_its_steps(), payout_fits(text, text), payouts_keep_step(),
    payout_stays(), payout_takes_its_steps(), payouts_fit(), payouts_of_transaction(bigint), reversal_waits_for_cycles(),
    payouts_follow_reversals() FROM PUBLIC;
-- Its own steps call it.
GRANT EXECUTE ON FUNCTION payout_fits(text, text) TO centralpay_app;
GRANT UPDATE (seen, void_reason, voided_by, voided_at) ON cycle TO centralpay_app;
