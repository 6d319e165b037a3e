-- Direct pay: a payer pays a member by itself and sends us a copy of the 835. The copy is recorded; it is never posted, funded or
-- told to the member by us, because that money never passes our account.

CREATE TABLE direct_pay (
    direct_pay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member_id uuid NOT NULL REFERENCES member,
    payer_id text NOT NULL REFERENCES payer,
    since date NOT NULL,
    -- The last day; null: it goes on. The day before the first one: it never held.
    until date CHECK (until >= since - 1),
    in_force daterange GENERATED ALWAYS AS (daterange(since, until + 1)) STORED,
    reason text NOT NULL CHECK (reason ~ '\S'),
    begun_by text NOT NULL REFERENCES app_user,
    begun_at timestamptz NOT NULL DEFAULT now(),
    end_reason text CHECK (end_reason ~ '\S'),
    ended_by text REFERENCES app_user,
    ended_at timestamptz,
    CONSTRAINT one_direct_pay_on_a_date EXCLUDE USING gist (member_id WITH =, payer_id WITH =, in_force WITH &&),
    CONSTRAINT end_says_who_and_why CHECK (num_nulls(until, end_reason, ended_by, ended_at) IN (0, 4))
);
CREATE INDEX direct_pay_of_payer ON direct_pay (payer_id);
COMMENT ON TABLE direct_pay IS 'Which payers pay which members directly, by the date of payment (BPR16). A row only ever ends.';

CREATE FUNCTION direct_pay_only_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT EXISTS (SELECT FROM member m WHERE m.member_id = NEW.member_id AND m.membership @> NEW.since) THEN
            PERFORM refuse(2, 'direct_pay_of_a_member', format('on %s it is no member that would be paid directly', NEW.since),
                jsonb_build_object('member', NEW.member_id, 'since', NEW.since));
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.direct_pay_id, NEW.member_id, NEW.payer_id, NEW.since, NEW.reason, NEW.begun_by, NEW.begun_at)
           IS DISTINCT FROM (OLD.direct_pay_id, OLD.member_id, OLD.payer_id, OLD.since, OLD.reason, OLD.begun_by, OLD.begun_at)
       OR NEW.until IS NULL OR NEW.until > OLD.until THEN
        PERFORM refuse(2, 'direct_pay_only_ends', format('direct pay %s stays as it began, and may only end earlier', OLD.direct_pay_id),
            jsonb_build_object('direct_pay', OLD.direct_pay_id, 'until', OLD.until, 'asked', NEW.until));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER only_ends BEFORE INSERT OR UPDATE ON direct_pay FOR EACH ROW EXECUTE FUNCTION direct_pay_only_ends();
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON direct_pay FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Direct advices -----------------------------------------------------------------------------------------------------

-- The enrolment by which an advice is direct; it stays when the advice is replaced, and goes when it is paid through us after all.
ALTER TABLE advice ADD COLUMN direct_pay_id bigint REFERENCES direct_pay,
    DROP CONSTRAINT advice_state_check,
    ADD CONSTRAINT advice_state_check CHECK (state IN ('accepted', 'funded', 'replaced', 'direct')),
    ADD CONSTRAINT direct_names_its_enrolment CHECK (
        CASE state WHEN 'direct' THEN direct_pay_id IS NOT NULL AND funded_cents = 0 WHEN 'replaced' THEN true ELSE direct_pay_id IS NULL END);
CREATE INDEX advice_direct ON advice (advice_id) WHERE direct_pay_id IS NOT NULL;
-- Of what a deposit may speak: as matching compares traces, without blanks, case and zeros in front.
CREATE INDEX advice_direct_trace ON advice (ltrim(upper(replace(trace_number, ' ', '')), '0')) WHERE state = 'direct';

CREATE OR REPLACE FUNCTION advice_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE still record;
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('accepted', 'funded'), ('funded', 'accepted'), ('accepted', 'replaced'), ('replaced', 'accepted'),
                                      ('direct', 'accepted'), ('direct', 'replaced'), ('replaced', 'direct'))
       OR (OLD.state = 'replaced' AND (NEW.state = 'direct') <> (OLD.direct_pay_id IS NOT NULL)) THEN
        PERFORM refuse(2, 'advice_takes_its_steps', format('advice %s is %s and can not become %s', OLD.advice_id, OLD.state, NEW.state),
            jsonb_build_object('advice', OLD.advice_id, 'state', OLD.state, 'asked', NEW.state));
    END IF;
    IF (OLD.state, NEW.state) = ('direct', 'accepted') THEN
        -- Paid through us after all: only where its day is none of direct pay any more.
        SELECT d.direct_pay_id INTO still FROM direct_pay o JOIN direct_pay d USING (member_id, payer_id)
        WHERE o.direct_pay_id = OLD.direct_pay_id AND d.in_force @> OLD.paid_on;
        IF FOUND THEN
            PERFORM refuse(2, 'direct_pay_has_ended', format('advice %s is paid directly: direct pay %s is in force on %s', OLD.advice_id,
                still.direct_pay_id, OLD.paid_on), jsonb_build_object('advice', OLD.advice_id, 'direct_pay', still.direct_pay_id));
        END IF;
        NEW.direct_pay_id := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION direct_pay_of_advice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse(2, 'direct_pay_of_advice_stays', format('whether advice %s is paid directly was decided when it came', OLD.advice_id),
        jsonb_build_object('advice', OLD.advice_id));
    RETURN NULL;
END $$;
CREATE TRIGGER direct_pay_stays BEFORE UPDATE OF direct_pay_id ON advice FOR EACH ROW
    WHEN (OLD.direct_pay_id IS DISTINCT FROM NEW.direct_pay_id) EXECUTE FUNCTION direct_pay_of_advice_stays();

-- At commit a direct advice is its member's alone, of the enrolment that holds on its day, and of nothing that is posted or to be told.
CREATE FUNCTION direct_advice_is_its_members() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE enrolled direct_pay; why text;
BEGIN
    IF (SELECT state FROM advice WHERE advice_id = NEW.advice_id) IS DISTINCT FROM 'direct' THEN RETURN NULL; END IF;
    SELECT * INTO enrolled FROM direct_pay WHERE direct_pay_id = NEW.direct_pay_id;
    why := CASE
        WHEN enrolled.payer_id <> NEW.payer_id OR NOT enrolled.in_force @> NEW.paid_on THEN format('there is no direct pay of it on %s', NEW.paid_on)
        WHEN EXISTS (SELECT FROM advice_share WHERE advice_id = NEW.advice_id AND owner_id <> enrolled.member_id) THEN 'others have shares of it'
        WHEN EXISTS (SELECT FROM journal_transaction WHERE fact_key = 'advised:' || NEW.advice_id) THEN 'it is posted'
        WHEN EXISTS (SELECT FROM share_to_remit WHERE advice_id = NEW.advice_id) THEN 'its member would be told it by us' END;
    IF why IS NOT NULL THEN
        PERFORM refuse(2, 'direct_advice_is_its_members', format('advice %s can not be direct: %s', NEW.advice_id, why),
            jsonb_build_object('advice', NEW.advice_id, 'direct_pay', NEW.direct_pay_id, 'paid_on', NEW.paid_on));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER direct_is_its_members AFTER INSERT OR UPDATE OF state ON advice DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state = 'direct') EXECUTE FUNCTION direct_advice_is_its_members();

-- 3 for direct advices: what a payer pays by itself is neither advised nor funded here.
CREATE FUNCTION direct_is_not_posted() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE advices bigint[]; bad bigint;
BEGIN
    SELECT array_agg(DISTINCT reference) INTO advices FROM new_line WHERE account = 'advised' AND event IN ('advised', 'funded');
    IF advices IS NULL THEN RETURN NULL; END IF;
    SELECT a.advice_id INTO bad FROM advice a WHERE a.advice_id = ANY (advices) AND a.direct_pay_id IS NOT NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(3, 'direct_is_not_posted', format('advice %s is paid by its payer directly', bad), jsonb_build_object('advice', bad));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER direct_is_not_posted AFTER INSERT ON line REFERENCING NEW TABLE AS new_line
    FOR EACH STATEMENT EXECUTE FUNCTION direct_is_not_posted();

REVOKE EXECUTE ON FUNCTION direct_pay_only_ends(), direct_pay_of_advice_stays(), direct_advice_is_its_members(), direct_is_not_posted() FROM PUBLIC;
GRANT SELECT ON direct_pay TO centralpay_app, centralpay_auditor;
GRANT INSERT ON direct_pay TO centralpay_app;
GRANT UPDATE (until, end_reason, ended_by, ended_at) ON direct_pay TO centralpay_app;
