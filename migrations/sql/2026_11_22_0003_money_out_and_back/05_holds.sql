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
    -- The item that it empties: the reference of the lines of levied or unclaimed (a hold) or due_to_payer (a bank line).
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

CREATE TABLE levy (
    hold_id bigint PRIMARY KEY REFERENCES hold,
    payee text NOT NULL CHECK (payee <> '')
);
COMMENT ON TABLE levy IS 'To whom a legal order sends the money of its hold; how much is the hold''s limit.';

CREATE TABLE dormancy_rule (
    state text NOT NULL CHECK (state ~ '^[A-Z]{2}$'),
    -- The state's own code for the kind of property.
    property text NOT NULL CHECK (property <> ''),
    months integer NOT NULL CHECK (months BETWEEN 1 AND 600),
    -- The letter to the owner: from so many days before the end of dormancy until so many.
    letter_from_days integer NOT NULL CHECK (letter_from_days BETWEEN 1 AND 3660),
    letter_until_days integer NOT NULL CHECK (letter_until_days >= 0),
    since date NOT NULL,
    source text NOT NULL CHECK (source <> ''),
    imported_by text NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (state, property, since),
    CONSTRAINT letter_window_opens_first CHECK (letter_from_days > letter_until_days)
);
COMMENT ON TABLE dormancy_rule IS 'When a state counts property as abandoned, as the PSAO''s counsel says; a state without a row has none.';

CREATE TABLE unclaimed_letter (
    hold_id bigint NOT NULL REFERENCES hold,
    -- The end of the dormancy that the letter is about.
    dormant_on date NOT NULL,
    notice_id bigint NOT NULL UNIQUE REFERENCES notice,
    CONSTRAINT one_letter_in_a_period PRIMARY KEY (hold_id, dormant_on)
);

CREATE TABLE owner_heard (
    hold_id bigint NOT NULL REFERENCES hold,
    heard_on date NOT NULL,
    said text NOT NULL CHECK (said <> ''),
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (hold_id, recorded_at)
);
COMMENT ON TABLE owner_heard IS 'When the owner of held money was heard of: dormancy counts anew from then.';

-- 8, by hold: what a hold keeps, what is levied under it, what is unclaimed of it, what is owed back of a deposit never ends
-- on its wrong side, and is its member's. Lines without a reference stand under no hold.
CREATE INDEX line_of_hold ON line (reference, account, owner_id) INCLUDE (amount_cents)
    WHERE account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND reference IS NOT NULL;

CREATE TYPE hold_line AS (owner_id uuid, account account_name, reference bigint, event event_name);

CREATE FUNCTION holds_keep(p_lines hold_line[]) RETURNS void LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.owner_id, n.account, n.reference, n.event, h.state, h.kind INTO bad
    FROM unnest(p_lines) n LEFT JOIN hold h ON h.hold_id = n.reference AND h.member_id = n.owner_id
    WHERE n.account <> 'due_to_payer' AND (h.hold_id IS NULL
        OR (n.event IN ('held', 'payout_returned') AND h.state <> 'active') OR (n.event = 'levied' AND h.kind <> 'legal')) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(8, 'hold_is_the_members', format('%s under hold %s is refused: %s', bad.event, bad.reference, CASE
            WHEN bad.state IS NULL THEN 'it is no hold of this member' WHEN bad.state <> 'active' THEN 'it is ' || bad.state
            ELSE 'it is no legal order' END), to_jsonb(bad));
    END IF;
    SELECT n.owner_id, n.reference INTO bad FROM unnest(p_lines) n
    WHERE n.event = 'unclaimed' AND NOT EXISTS (SELECT FROM approval a WHERE a.kind = 'unclaimed' AND a.subject = n.reference::text
        AND a.state = 'approved') LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'unclaimed_is_approved', format('nobody approved that what hold %s keeps is unclaimed', bad.reference), to_jsonb(bad));
    END IF;
    SELECT n.owner_id, n.account, n.reference, s.balance_cents INTO bad
    FROM (SELECT DISTINCT owner_id, account, reference FROM unnest(p_lines)) n
    CROSS JOIN LATERAL (
        SELECT sum(l.amount_cents)::bigint AS balance_cents FROM line l
        WHERE l.reference = n.reference AND l.account = n.account AND l.owner_id = n.owner_id
          AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL
    ) s
    WHERE s.balance_cents > 0 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(8, 'hold_keeps_so_much', format('%s of item %s would end %s cents in debit', bad.account, bad.reference,
            bad.balance_cents), to_jsonb(bad));
    END IF;
    -- The scope of a hold: what it took in, lifted or not, is never more than its limit. What a bank returned is a fact.
    SELECT h.hold_id, h.limit_cents, s.taken_cents INTO bad
    FROM (SELECT DISTINCT reference FROM unnest(p_lines) WHERE account = 'held' AND event = 'held') n
    JOIN hold h ON h.hold_id = n.reference
    CROSS JOIN LATERAL (
        SELECT -sum(l.amount_cents)::bigint AS taken_cents FROM standing_line l
        WHERE l.reference = n.reference AND l.account = 'held' AND l.owner_id = h.member_id AND l.event IN ('held', 'payout_returned')
          AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL
    ) s
    WHERE s.taken_cents > h.limit_cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(8, 'hold_has_room', format('hold %s may take %s cents and would have taken %s', bad.hold_id, bad.limit_cents,
            bad.taken_cents), to_jsonb(bad));
    END IF;
END $$;

-- 11 for what leaves to others: it is, to the cent, an approved disbursement of that owner and that item, once.
CREATE TYPE disbursement_line AS (owner_id uuid, event event_name, account account_name, reference bigint, amount_cents bigint);

CREATE FUNCTION disbursement_kind(p_event event_name) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN CASE p_event WHEN 'levy_released' THEN 'levy' WHEN 'escheat_released' THEN 'escheat' WHEN 'refund_released' THEN 'refund' END;

CREATE FUNCTION disbursements_are_approved(p_lines disbursement_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.* INTO bad FROM unnest(p_lines) n
    LEFT JOIN disbursement d ON d.disbursement_id = n.reference AND d.owner_id = n.owner_id AND d.amount_cents = -n.amount_cents
        AND d.kind = disbursement_kind(n.event) AND d.state = 'approved'
    LEFT JOIN approval a ON a.approval_id = d.approval_id AND a.kind = 'disbursement' AND a.state = 'approved'
        AND a.subject = d.disbursement_id::text
    WHERE n.account = 'in_transit' AND a.approval_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'disbursement_is_approved', format('%s cents as %s are not an approved disbursement', -bad.amount_cents,
            bad.reference), to_jsonb(bad));
    END IF;
    SELECT s.owner_id, s.subject, s.cents AS taken_cents, a.cents AS approved_cents INTO bad
    FROM (SELECT owner_id, event, coalesce(reference::text, '') AS subject, sum(amount_cents)::bigint AS cents FROM unnest(p_lines)
          WHERE account <> 'in_transit' GROUP BY 1, 2, 3) s
    FULL JOIN (SELECT n.owner_id, n.event, d.subject, sum(d.amount_cents)::bigint AS cents
               FROM unnest(p_lines) n JOIN disbursement d ON d.disbursement_id = n.reference
               WHERE n.account = 'in_transit' GROUP BY 1, 2, 3) a
        ON (s.owner_id, s.event, s.subject) = (a.owner_id, a.event, a.subject)
    WHERE s.cents IS DISTINCT FROM a.cents LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'disbursement_of_its_item', format('%s cents leave of item %s, approved are %s', bad.taken_cents, bad.subject,
            coalesce(bad.approved_cents, 0)), to_jsonb(bad));
    END IF;
    SELECT n.reference, count(*) AS times INTO bad FROM unnest(p_lines) n
    JOIN standing_line l ON l.account = 'in_transit' AND l.reference = n.reference AND l.owner_id = n.owner_id AND l.event = n.event
    WHERE n.account = 'in_transit' GROUP BY n.reference HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'disbursement_is_released_once', format('disbursement %s is released already', bad.reference), to_jsonb(bad));
    END IF;
END $$;

-- 10 for write-offs: who would be advanced by the same transaction gets the PSAO's money.
CREATE TYPE covered_entry AS (owner_id uuid, entry_id bigint, event event_name);

CREATE FUNCTION write_offs_advance_nothing(p_entries covered_entry[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_entries IS NULL THEN RETURN; END IF;
    SELECT e.owner_id, e.transaction_id INTO bad FROM unnest(p_entries) n JOIN entry e USING (owner_id, entry_id)
    GROUP BY e.owner_id, e.transaction_id HAVING count(DISTINCT e.event) > 1 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(10, 'write_off_is_what_is_owed', 'more would be written off than the member owes', to_jsonb(bad));
    END IF;
END $$;

-- One pass over a statement's lines; nearly none has any of these.
CREATE FUNCTION others_money_guard() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE kept hold_line[]; leaving disbursement_line[]; covered covered_entry[]; written_off boolean;
BEGIN
    SELECT array_agg(DISTINCT (owner_id, account, reference, event)::hold_line)
               FILTER (WHERE reference IS NOT NULL AND account IN ('held', 'levied', 'unclaimed', 'due_to_payer')),
           array_agg((owner_id, event, account, reference, amount_cents)::disbursement_line)
               FILTER (WHERE event IN ('levy_released', 'escheat_released', 'refund_released')),
           bool_or(event = 'advance_written_off')
    INTO kept, leaving, written_off FROM new_line
    WHERE account IN ('held', 'levied', 'unclaimed', 'due_to_payer')
       OR event IN ('levy_released', 'escheat_released', 'refund_released', 'advance_written_off');
    PERFORM holds_keep(kept);
    PERFORM disbursements_are_approved(leaving);
    IF written_off THEN
        SELECT array_agg((owner_id, entry_id, event)::covered_entry) INTO covered FROM new_line
        WHERE event IN ('advanced', 'advance_written_off') AND account = 'operating_advance';
        PERFORM write_offs_advance_nothing(covered);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard_others_money AFTER INSERT ON line REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION others_money_guard();

-- States: a hold is active until what it keeps is lifted by two people, or has gone where its order says.
CREATE FUNCTION hold_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE kept bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'active' OR NEW.approval_id IS NOT NULL THEN
            PERFORM refuse(20, 'hold_begins_active', 'a hold begins active');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.hold_id, NEW.member_id, NEW.kind, NEW.reason, NEW.authority, NEW.payer_id, NEW.limit_cents, NEW.placed_on, NEW.placed_by, NEW.placed_at)
        IS DISTINCT FROM (OLD.hold_id, OLD.member_id, OLD.kind, OLD.reason, OLD.authority, OLD.payer_id, OLD.limit_cents, OLD.placed_on,
                          OLD.placed_by, OLD.placed_at) THEN
        PERFORM refuse(20, 'hold_stays_as_placed', format('hold %s stays as it was placed: lift it and place another', OLD.hold_id));
    END IF;
    IF OLD.state <> 'active' THEN
        PERFORM refuse(20, 'hold_steps', format('hold %s is %s and stays so', OLD.hold_id, OLD.state));
    END IF;
    IF NEW.state = 'active' THEN RETURN NEW; END IF;
    SELECT -coalesce(sum(amount_cents), 0) INTO kept FROM line
    WHERE reference = NEW.hold_id AND account = 'held' AND owner_id = NEW.member_id
      AND account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND reference IS NOT NULL;
    IF kept <> 0 THEN
        PERFORM refuse(20, 'hold_keeps_nothing_at_its_end', format('hold %s still keeps %s cents', NEW.hold_id, kept));
    END IF;
    IF NEW.state = 'lifted' AND NOT EXISTS (SELECT FROM approval a WHERE a.approval_id = NEW.approval_id AND a.kind = 'hold_lift'
            AND a.subject = NEW.hold_id::text AND a.state = 'approved') THEN
        PERFORM refuse(11, 'lift_is_approved', format('nobody approved to lift hold %s', NEW.hold_id));
    END IF;
    -- Without a second person only an order ends that is taken whole, or what waited for money that did not come back.
    IF NEW.state = 'ended' AND NEW.kind <> 'returned' AND NOT EXISTS (SELECT FROM levy v WHERE v.hold_id = NEW.hold_id AND NEW.limit_cents <= (
            SELECT -sum(l.amount_cents) FROM standing_line l WHERE l.reference = NEW.hold_id AND l.account = 'levied' AND l.owner_id = NEW.member_id
              AND l.event = 'levied' AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL)) THEN
        PERFORM refuse(11, 'end_is_earned', format('hold %s is lifted by two people: its order is not taken whole', NEW.hold_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER steps BEFORE INSERT OR UPDATE ON hold FOR EACH ROW EXECUTE FUNCTION hold_steps();

-- An order is one: the same words of the same authority about the same money do not levy twice. One that was lifted or turned,
-- and under which nothing is levied, may be received again.
CREATE FUNCTION levy_is_one_order() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE other bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.levies'));
    SELECT h.hold_id INTO other FROM hold n JOIN hold h USING (member_id, authority, limit_cents) JOIN levy v ON v.hold_id = h.hold_id
    WHERE n.hold_id = NEW.hold_id AND h.hold_id <> NEW.hold_id AND v.payee = NEW.payee AND (h.state = 'active' OR EXISTS (SELECT FROM standing_line l WHERE l.reference = h.hold_id AND l.account = 'levied'
        AND l.event = 'levied' AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL)) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(6, 'levy_is_one_order', format('levy %s is this order already', other), jsonb_build_object('hold', other));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER one_order BEFORE INSERT ON levy FOR EACH ROW EXECUTE FUNCTION levy_is_one_order();

-- States of a disbursement agree with the ledger: released is what stands there, void is what does not.
CREATE FUNCTION disbursement_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stands boolean; leaving bigint;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'proposed' OR num_nonnulls(NEW.approval_id, NEW.released_on, NEW.settled_by_bank_line) > 0 THEN
            PERFORM refuse(20, 'disbursement_begins_proposed', 'a disbursement begins proposed');
        END IF;
        -- Under no item at all it can pay only what is levied under none, which no command makes.
        IF NEW.kind = 'levy' AND NEW.subject <> '' AND NOT EXISTS (SELECT FROM levy v JOIN hold h USING (hold_id)
            WHERE h.hold_id::text = NEW.subject AND h.member_id = NEW.owner_id AND v.payee = NEW.payee) THEN
            PERFORM refuse(11, 'levy_pays_whom_it_names', format('%s is not whom the order of hold %s names', NEW.payee, NEW.subject));
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.disbursement_id, NEW.kind, NEW.owner_id, NEW.subject, NEW.payee, NEW.method, NEW.amount_cents, NEW.proposed_by, NEW.proposed_at)
        IS DISTINCT FROM (OLD.disbursement_id, OLD.kind, OLD.owner_id, OLD.subject, OLD.payee, OLD.method, OLD.amount_cents, OLD.proposed_by,
                          OLD.proposed_at) THEN
        PERFORM refuse(20, 'disbursement_stays_as_proposed', format('disbursement %s stays as it was proposed: void it and propose another',
            OLD.disbursement_id));
    END IF;
    IF OLD.approval_id IS NOT NULL AND NEW.approval_id IS DISTINCT FROM OLD.approval_id THEN
        PERFORM refuse(20, 'disbursement_stays_as_proposed', format('disbursement %s keeps its approval', OLD.disbursement_id));
    END IF;
    IF NEW.state = OLD.state THEN RETURN NEW; END IF;
    IF (OLD.state, NEW.state) NOT IN (('proposed', 'approved'), ('proposed', 'void'), ('approved', 'released'), ('approved', 'void'),
                                      ('released', 'settled'), ('released', 'void'), ('settled', 'released')) THEN
        PERFORM refuse(20, 'disbursement_steps', format('disbursement %s is %s: it can not become %s', OLD.disbursement_id, OLD.state, NEW.state));
    END IF;
    IF NEW.state = 'approved' AND NOT EXISTS (SELECT FROM approval a WHERE a.approval_id = NEW.approval_id AND a.kind = 'disbursement'
            AND a.subject = NEW.disbursement_id::text AND a.state = 'approved') THEN
        PERFORM refuse(11, 'disbursement_is_approved', format('nobody approved disbursement %s', NEW.disbursement_id));
    END IF;
    SELECT EXISTS (SELECT FROM standing_line WHERE account = 'in_transit' AND reference = NEW.disbursement_id AND owner_id = NEW.owner_id
                   AND event IN ('levy_released', 'escheat_released', 'refund_released')),
           (SELECT -coalesce(sum(amount_cents), 0) FROM line WHERE account = 'in_transit' AND reference = NEW.disbursement_id AND owner_id = NEW.owner_id)
    INTO stands, leaving;
    IF stands <> (NEW.state IN ('released', 'settled')) OR (NEW.state = 'released') <> (leaving <> 0)
       OR (NEW.state IN ('released', 'settled')) <> (NEW.released_on IS NOT NULL)
       AND NEW.state <> 'void' OR (NEW.state = 'settled') <> (NEW.settled_by_bank_line IS NOT NULL) THEN
        PERFORM refuse(20, 'disbursement_agrees_with_the_ledger', format('disbursement %s can not become %s: the ledger says otherwise',
            NEW.disbursement_id, NEW.state));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER steps BEFORE INSERT OR UPDATE ON disbursement FOR EACH ROW EXECUTE FUNCTION disbursement_steps();

-- The states follow a reversal, whoever makes it: what is turned before it settled is void, a settlement that was another's
-- leaves it released. When the transaction is whole: the lines are there then.
CREATE FUNCTION disbursements_follow_reversals() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE what event_name; numbers bigint[];
BEGIN
    SELECT event INTO what FROM journal_transaction WHERE transaction_id = NEW.reverses;
    IF what NOT IN ('levy_released', 'escheat_released', 'refund_released', 'payout_settled') THEN RETURN NULL; END IF;
    SELECT array_agg(l.reference) INTO numbers FROM entry e JOIN line l USING (owner_id, entry_id)
    WHERE e.transaction_id = NEW.reverses AND l.account = 'in_transit';
    IF what = 'payout_settled' THEN
        UPDATE disbursement SET state = 'released', settled_by_bank_line = NULL WHERE disbursement_id = ANY (numbers) AND state = 'settled';
    ELSE
        UPDATE disbursement SET state = 'void' WHERE disbursement_id = ANY (numbers) AND state = 'released';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER disbursements_follow AFTER INSERT ON journal_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION disbursements_follow_reversals();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON levy FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON dormancy_rule FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON owner_heard FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON unclaimed_letter FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION holds_keep(hold_line[]), disbursement_kind(event_name), disbursements_are_approved(disbursement_line[]),
    write_offs_advance_nothing(covered_entry[]), others_money_guard(), hold_steps(), levy_is_one_order(), disbursement_steps(), disbursements_follow_reversals() FROM PUBLIC;
GRANT SELECT ON hold, disbursement, levy, dormancy_rule, unclaimed_letter, owner_heard TO centralpay_app, centralpay_auditor;
GRANT INSERT ON hold, disbursement, levy, dormancy_rule, unclaimed_letter, owner_heard TO centralpay_app;
GRANT UPDATE (state, approval_id, ended_at, review_on) ON hold TO centralpay_app;
GRANT UPDATE (state, approval_id, released_on, settled_by_bank_line) ON disbursement TO centralpay_app;
