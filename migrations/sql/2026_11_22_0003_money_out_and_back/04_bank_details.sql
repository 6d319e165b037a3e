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
    reason text NOT NULL CHECK (reason ~ '\S'),
    requested_by text NOT NULL REFERENCES app_user,
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_on date NOT NULL,
    -- Banking days between the call-back and the first payment, as the installation had decided when it was asked.
    cooling_days smallint NOT NULL DEFAULT 3 CHECK (cooling_days BETWEEN 0 AND 60),
    state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'prenoted', 'live', 'rejected', 'withdrawn', 'failed')),
    called_by text REFERENCES app_user,
    called_at timestamptz,
    called_on date,
    -- Ten digits, from the contact on file, never from the request.
    called_number text,
    spoke_with text CHECK (spoke_with ~ '\S'),
    call_confirmed boolean,
    approval_id bigint REFERENCES approval,
    cooling_until date,
    prenote_settles_on date,
    -- The first day on which a payment may settle into it.
    usable_from date,
    CONSTRAINT call_is_whole CHECK (num_nulls(called_by, called_at, called_on, called_number, spoke_with, call_confirmed) IN (0, 6)),
    CONSTRAINT caller_is_not_asker CHECK (called_by <> requested_by),
    CONSTRAINT call_follows_request CHECK (called_on >= requested_on),
    CONSTRAINT denied_goes_no_further CHECK (call_confirmed IS NOT FALSE OR state = 'rejected'),
    -- Beyond asking nothing goes without a second person, nor, but on a bank's word, without the call-back.
    CONSTRAINT second_person_decided CHECK (state IN ('asked', 'rejected', 'withdrawn') OR approval_id IS NOT NULL),
    CONSTRAINT call_back_confirmed CHECK (state IN ('asked', 'rejected', 'withdrawn') OR source = 'bank' OR call_confirmed IS TRUE),
    CONSTRAINT it_cools CHECK (state IN ('asked', 'rejected', 'withdrawn') OR source = 'bank' OR cooling_until IS NOT NULL),
    -- Banking days are no fewer than days.
    CONSTRAINT it_cools_long_enough CHECK (cooling_until >= called_on + cooling_days),
    CONSTRAINT it_was_tried CHECK (usable_from IS NULL OR source = 'bank' OR num_nulls(cooling_until, prenote_settles_on) = 0),
    CONSTRAINT it_waits_for_its_prenote CHECK (usable_from >= prenote_settles_on + 3),
    CONSTRAINT it_waits_until_cool CHECK (usable_from >= cooling_until),
    CONSTRAINT it_is_usable_after_asking CHECK (usable_from >= requested_on),
    CONSTRAINT it_is_known_when_usable CHECK (state NOT IN ('prenoted', 'live') OR usable_from IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_change ON bank_account_change (member_id) WHERE state IN ('asked', 'approved', 'prenoted');
CREATE INDEX bank_account_change_of_member ON bank_account_change (member_id);
COMMENT ON TABLE bank_account_change IS 'Requests to pay a member into another account, and what became of each.';
ALTER TABLE ach_entry ADD FOREIGN KEY (change_id) REFERENCES bank_account_change;

-- An account that the bank said is dead, or that must not be paid into: the member's next details, or a person, end it.
CREATE TABLE bank_account_stop (
    bank_account_id uuid NOT NULL REFERENCES bank_account (bank_account_id),
    stopped_on date NOT NULL,
    reason text NOT NULL CHECK (reason ~ '\S'),
    stopped_by text NOT NULL REFERENCES app_user,
    stopped_at timestamptz NOT NULL DEFAULT now(),
    lifted_by text REFERENCES app_user,
    lifted_at timestamptz,
    lift_reason text CHECK (lift_reason ~ '\S'),
    PRIMARY KEY (bank_account_id, stopped_at),
    CONSTRAINT lift_says_why CHECK (num_nulls(lifted_by, lifted_at, lift_reason) IN (0, 3))
);
CREATE UNIQUE INDEX one_open_stop ON bank_account_stop (bank_account_id) WHERE lifted_at IS NULL;

-- The business date on which a contact was written down: a later contact is in force from then at the earliest.
ALTER TABLE member_contact ADD COLUMN recorded_on date NOT NULL;

-- Whom to call ----------------------------------------------------------------------------------------------------

-- The day whose contact is believed when something is asked on p_asked_on: what was changed less than thirty days before
-- is not, for who asks for another account may have changed the telephone first.
CREATE FUNCTION trusted_contact_day(p_member_id uuid, p_asked_on date) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT greatest(p_asked_on - 30, lower(m.membership)) FROM member m WHERE m.member_id = p_member_id
$$;

-- Moved to today, the beginning of a membership would make a contact of today believed.
CREATE FUNCTION membership_begins_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'membership_begins_once', 'the first day of a membership stays; it only ends', jsonb_build_object('member', OLD.member_id));
    RETURN NULL;
END $$;
CREATE TRIGGER begins_once BEFORE UPDATE OF membership ON member FOR EACH ROW
    WHEN (lower(NEW.membership) IS DISTINCT FROM lower(OLD.membership)) EXECUTE FUNCTION membership_begins_once();

-- The one number to call for a change, or null: of a contact written down before the request, but for a member's very
-- first account, which may be asked for before anything else is known of the member.
CREATE FUNCTION call_back_number(p_change_id bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT k.telephone FROM bank_account_change c JOIN member_contact k USING (member_id)
    WHERE c.change_id = p_change_id AND k.in_use @> trusted_contact_day(c.member_id, c.requested_on)
      AND (k.recorded_at < c.requested_at OR NOT EXISTS (SELECT FROM bank_account a WHERE a.member_id = c.member_id))
$$;

CREATE FUNCTION contact_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND ((to_jsonb(NEW) - 'in_use') <> (to_jsonb(OLD) - 'in_use') OR NOT upper_inf(OLD.in_use)
        OR upper_inf(NEW.in_use) OR isempty(NEW.in_use) OR lower(NEW.in_use) <> lower(OLD.in_use)) THEN
        PERFORM refuse(2, 'contact_only_ends', 'a contact that was on file stays as it was; it only ends when another one follows');
    ELSIF TG_OP = 'INSERT' AND (NOT upper_inf(NEW.in_use) OR EXISTS (SELECT FROM member_contact c WHERE c.member_id = NEW.member_id
        AND (lower(NEW.in_use) <= lower(c.in_use) OR lower(NEW.in_use) < NEW.recorded_on))) THEN
        PERFORM refuse(2, 'contact_follows', 'another contact is in force from the day on which it is written down, or later');
    -- The day of writing down is what its writer says; that a day is over, the bank says.
    ELSIF TG_OP = 'INSERT' AND EXISTS (SELECT FROM member_contact c WHERE c.member_id = NEW.member_id)
        AND lower(NEW.in_use) < (SELECT max(s.as_of) FROM bank_statement s) THEN
        PERFORM refuse(2, 'contact_is_not_dated_back', 'another contact is in force from the last day that the bank reported, or later');
    END IF;
    -- Whether it was there before a request is no matter of what who writes it says.
    IF TG_OP = 'INSERT' THEN NEW.recorded_at := now(); END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON member_contact FOR EACH ROW EXECUTE FUNCTION contact_guard();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON member_contact FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- The life of a change --------------------------------------------------------------------------------------------

CREATE FUNCTION bank_change_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept constant text[] := ARRAY['change_id', 'member_id', 'bank_account_id', 'source', 'routing_number', 'account_type', 'last_four', 'reason',
        'requested_by', 'requested_at', 'requested_on', 'cooling_days'];
    called constant text[] := ARRAY['called_by', 'called_at', 'called_on', 'called_number', 'spoke_with', 'call_confirmed'];
    was jsonb; said jsonb; asked record;
    step text := 'insert';
BEGIN
    said := to_jsonb(NEW);
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'asked' OR num_nonnulls(NEW.called_by, NEW.approval_id, NEW.cooling_until, NEW.prenote_settles_on, NEW.usable_from) > 0 THEN
            PERFORM refuse(20, 'change_begins_asked', 'a change of bank details begins by being asked for, and with nothing else');
        END IF;
        NEW.requested_at := now();
        RETURN NEW;
    END IF;
    was := to_jsonb(OLD);
    step := OLD.state || ' to ' || NEW.state;
    IF EXISTS (SELECT FROM unnest(kept) k WHERE was -> k IS DISTINCT FROM said -> k)
        OR (OLD.called_by IS NOT NULL AND EXISTS (SELECT FROM unnest(called) k WHERE was -> k IS DISTINCT FROM said -> k))
        OR (OLD.approval_id IS NOT NULL AND OLD.approval_id IS DISTINCT FROM NEW.approval_id) THEN
        PERFORM refuse(20, 'change_stays_as_asked', format('what was asked, called and approved for change %s stays', OLD.change_id));
    END IF;
    -- A new master key, in place of the value read, for the same number as far as its length tells.
    IF OLD.sealed_number <> NEW.sealed_number THEN
        IF (was - 'sealed_number') <> (said - 'sealed_number') OR NOT is_resealed(OLD.sealed_number, NEW.sealed_number) THEN
            PERFORM refuse(20, 'change_stays_as_asked', format('the account number of change %s stays', OLD.change_id));
        END IF;
    END IF;
    IF OLD.state <> NEW.state AND step NOT IN ('asked to approved', 'asked to rejected', 'asked to withdrawn', 'approved to prenoted', 'approved to withdrawn',
        'prenoted to live', 'prenoted to failed', 'prenoted to withdrawn') AND NOT (NEW.source = 'bank' AND step = 'approved to live') THEN
        PERFORM refuse(20, 'change_takes_its_steps', format('change %s can not go from %s', OLD.change_id, step), jsonb_build_object('change', OLD.change_id));
    END IF;
    IF (OLD.called_by IS NULL AND NEW.called_by IS NOT NULL AND OLD.state <> 'asked')
        OR (OLD.cooling_until IS DISTINCT FROM NEW.cooling_until AND step <> 'asked to approved')
        OR (OLD.prenote_settles_on IS DISTINCT FROM NEW.prenote_settles_on AND step <> 'approved to prenoted')
        OR (OLD.usable_from IS DISTINCT FROM NEW.usable_from AND step <> CASE NEW.source WHEN 'bank' THEN 'asked to approved' ELSE 'approved to prenoted' END)
        OR (NEW.source = 'bank' AND step = 'approved to prenoted') THEN
        PERFORM refuse(20, 'change_takes_its_steps', format('change %s is %s: its days are set by its steps', OLD.change_id, OLD.state));
    END IF;
    IF OLD.called_by IS NULL AND NEW.called_by IS NOT NULL AND NEW.called_number IS DISTINCT FROM call_back_number(NEW.change_id) THEN
        PERFORM refuse(20, 'called_at_the_old_number', format('change %s is asked about at the number of the contact that was on file before', OLD.change_id));
    END IF;
    IF NEW.approval_id IS NOT NULL THEN
        SELECT a.kind, a.subject, a.state, a.proposed_by, a.decided_by INTO asked FROM approval a WHERE a.approval_id = NEW.approval_id;
        IF (asked.kind, asked.subject, asked.proposed_by) IS DISTINCT FROM ('bank_details', NEW.change_id::text, NEW.requested_by)
            OR (step = 'asked to approved' AND asked.state <> 'approved') THEN
            PERFORM refuse(11, 'change_is_approved', format('change %s is not approved by that approval', OLD.change_id));
        END IF;
        -- Who asks may have believed a forged letter: the call and the approval are not one person's word.
        IF step = 'asked to approved' AND asked.decided_by = NEW.called_by THEN
            PERFORM refuse(11, 'caller_is_not_approver', format('who called back about change %s does not approve it', OLD.change_id));
        END IF;
    END IF;
    -- Nobody but a bank can do without the call-back, and what a bank says is on file. (Its table is laid later.)
    IF step = 'asked to approved' AND NEW.source = 'bank'
        AND NOT EXISTS (SELECT FROM ach_answer a LEFT JOIN payout p USING (payout_id) WHERE a.asked_change_id = NEW.change_id AND a.kind = 'change'
                        AND (p.payout_id IS NULL OR p.member_id = NEW.member_id)) THEN
        PERFORM refuse(11, 'bank_has_asked', format('no notification of a bank asks for change %s', OLD.change_id));
    END IF;
    IF step = 'approved to prenoted' AND NOT EXISTS (SELECT FROM ach_entry e JOIN ach_file f USING (ach_file_id)
        WHERE e.change_id = NEW.change_id AND e.kind = 'prenote' AND f.effective_on = NEW.prenote_settles_on) THEN
        PERFORM refuse(20, 'change_was_tried', format('no prenote of change %s settles on %s', OLD.change_id, NEW.prenote_settles_on));
    END IF;
    IF OLD.state <> NEW.state AND NEW.state = 'live' AND NOT EXISTS (SELECT FROM bank_account b WHERE b.bank_account_id = NEW.bank_account_id) THEN
        PERFORM refuse(20, 'live_has_its_account', format('change %s is live with its account', OLD.change_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON bank_account_change FOR EACH ROW EXECUTE FUNCTION bank_change_guard();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON bank_account_change FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Where money may go ----------------------------------------------------------------------------------------------

-- A member's first account comes with its roster. Every other one, and that of a member who was asked for one in this way,
-- is that of a change, to the byte, that was called back, approved, cooled and tried, from the day on that it waited for.
CREATE FUNCTION bank_account_guard() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    accounts uuid[];
    bad record;
BEGIN
    SELECT array_agg(bank_account_id) INTO accounts FROM added;
    SELECT b.member_id, b.bank_account_id INTO bad FROM bank_account b
    LEFT JOIN bank_account_change c ON c.bank_account_id = b.bank_account_id
        AND (c.member_id, c.routing_number, c.account_type, c.sealed_number, c.last_four)
          = (b.member_id, b.routing_number, b.account_type, b.sealed_number, b.last_four)
        AND (c.state = 'prenoted' OR (c.state = 'approved' AND c.source = 'bank')) AND c.usable_from <= lower(b.in_use)
    WHERE b.bank_account_id = ANY (accounts) AND c.change_id IS NULL
      AND (EXISTS (SELECT FROM bank_account o WHERE o.member_id = b.member_id AND o.bank_account_id <> b.bank_account_id)
           OR EXISTS (SELECT FROM bank_account_change o WHERE o.member_id = b.member_id))
    LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'account_was_asked_for', 'another account of a member takes a change that was called back, approved, cooled and tried',
            jsonb_build_object('member', bad.member_id, 'bank_account', bad.bank_account_id));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER was_asked_for AFTER INSERT ON bank_account REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION bank_account_guard();

CREATE FUNCTION bank_stop_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.lifted_at IS NULL THEN RETURN NEW; END IF;
    IF TG_OP = 'INSERT' OR OLD.lifted_at IS NOT NULL OR (NEW.bank_account_id, NEW.stopped_on, NEW.reason, NEW.stopped_by, NEW.stopped_at)
        IS DISTINCT FROM (OLD.bank_account_id, OLD.stopped_on, OLD.reason, OLD.stopped_by, OLD.stopped_at) THEN
        PERFORM refuse(20, 'stop_is_lifted_once', 'a stop is placed, and lifted once; nothing else of it changes');
    END IF;
    IF NOT EXISTS (SELECT FROM app_user u WHERE u.user_name = NEW.lifted_by AND u.role IN ('approver', 'admin')) THEN
        PERFORM refuse(20, 'stop_is_lifted_by_an_approver', 'who lifts the stop of an account is an approver');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON bank_account_stop FOR EACH ROW EXECUTE FUNCTION bank_stop_guard();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON bank_account_stop FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Letters ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION notice_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'written_at') <> (to_jsonb(OLD) - 'written_at') OR OLD.written_at IS NOT NULL OR NEW.written_at IS NULL THEN
        PERFORM refuse(2, 'notice_stays', format('notice %s stays as it was made; it is written once', OLD.notice_id));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard BEFORE UPDATE ON notice FOR EACH ROW EXECUTE FUNCTION notice_guard();
CREATE TRIGGER stays BEFORE DELETE OR TRUNCATE ON notice FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Account numbers under a new master key, now those of changes too; each row by its own name, for the account of a change
-- that is live is sealed for the same id.
CREATE OR REPLACE FUNCTION reseal_numbers(p_actor text, p_contexts text[], p_read bytea[], p_resealed bytea[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    members integer;
    asked integer;
    ours integer;
BEGIN
    UPDATE bank_account b SET sealed_number = n.resealed
    FROM unnest(p_contexts, p_read, p_resealed) AS n (context, was, resealed)
    WHERE n.context = 'bank_account:' || b.bank_account_id AND b.sealed_number = n.was AND is_resealed(n.was, n.resealed);
    GET DIAGNOSTICS members = ROW_COUNT;
    UPDATE bank_account_change c SET sealed_number = n.resealed
    FROM unnest(p_contexts, p_read, p_resealed) AS n (context, was, resealed)
    WHERE n.context = 'bank_account_change:' || c.change_id AND c.sealed_number = n.was AND is_resealed(n.was, n.resealed);
    GET DIAGNOSTICS asked = ROW_COUNT;
    UPDATE custodial_account c SET sealed_number = n.resealed
    FROM unnest(p_contexts, p_read, p_resealed) AS n (context, was, resealed)
    WHERE n.context = 'custodial_account:' || c.custodial_account_id AND c.sealed_number = n.was AND is_resealed(n.was, n.resealed);
    GET DIAGNOSTICS ours = ROW_COUNT;
    INSERT INTO activity (actor, action, subject, detail)
    VALUES (p_actor, 'account_numbers_resealed', 'vault', jsonb_build_object('members', members, 'changes', asked, 'custodial', ours));
    RETURN members + asked + ours;
END $$;

REVOKE EXECUTE ON FUNCTION trusted_contact_day(uuid, date), membership_begins_once(), call_back_number(bigint), contact_guard(), bank_change_guard(), bank_account_guard(),
    bank_stop_guard(), notice_guard() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trusted_contact_day(uuid, date), call_back_number(bigint) TO centralpay_app, centralpay_auditor;
-- Triggers on what the application may change ask it; it says nothing that the two values do not.
GRANT EXECUTE ON FUNCTION is_resealed(bytea, bytea) TO centralpay_app;
GRANT SELECT ON bank_account_change, bank_account_stop TO centralpay_app, centralpay_auditor;
GRANT INSERT ON bank_account_change, bank_account_stop TO centralpay_app;
GRANT UPDATE (state, called_by, called_at, called_on, called_number, spoke_with, call_confirmed, approval_id, cooling_until, prenote_settles_on, usable_from)
    ON bank_account_change TO centralpay_app;
GRANT UPDATE (lifted_by, lifted_at, lift_reason) ON bank_account_stop TO centralpay_app;
GRANT UPDATE (in_use) ON bank_account TO centralpay_app;
