-- Back: what was recorded and not paid is as if it had never come; its shares wait to be told, as those of every replaced advice do.
DROP TRIGGER direct_is_not_posted ON line;
UPDATE advice SET state = 'replaced' WHERE state = 'direct';
INSERT INTO share_to_remit (owner_id, advice_id) SELECT s.owner_id, s.advice_id FROM advice_share s JOIN advice a USING (advice_id)
WHERE a.direct_pay_id IS NOT NULL;
DROP TRIGGER direct_is_its_members ON advice;
DROP TRIGGER direct_pay_stays ON advice;
DROP INDEX advice_direct, advice_direct_trace;
ALTER TABLE advice DROP CONSTRAINT direct_names_its_enrolment, DROP COLUMN direct_pay_id, DROP CONSTRAINT advice_state_check,
    ADD CONSTRAINT advice_state_check CHECK (state IN ('accepted', 'funded', 'replaced'));
DROP TABLE direct_pay;
DROP FUNCTION direct_pay_only_ends(), direct_pay_of_advice_stays(), direct_advice_is_its_members(), direct_is_not_posted();
CREATE OR REPLACE FUNCTION advice_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state, NEW.state) NOT IN (('accepted', 'funded'), ('funded', 'accepted'), ('accepted', 'replaced'), ('replaced', 'accepted')) THEN
        PERFORM refuse(2, 'advice_takes_its_steps', format('advice %s is %s and can not become %s', OLD.advice_id, OLD.state, NEW.state),
            jsonb_build_object('advice', OLD.advice_id, 'state', OLD.state, 'asked', NEW.state));
    END IF;
    RETURN NEW;
END $$;
