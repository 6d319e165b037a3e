-- Back: how bank details changed is forgotten; the accounts that came of it stay.
CREATE OR REPLACE FUNCTION reseal_numbers(p_actor text, p_contexts text[], p_read bytea[], p_resealed bytea[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    members integer;
    ours integer;
BEGIN
    UPDATE bank_account b SET sealed_number = n.resealed
    FROM unnest(p_contexts, p_read, p_resealed) AS n (context, was, resealed)
    WHERE n.context = 'bank_account:' || b.bank_account_id AND b.sealed_number = n.was AND is_resealed(n.was, n.resealed);
    GET DIAGNOSTICS members = ROW_COUNT;
    UPDATE custodial_account c SET sealed_number = n.resealed
    FROM unnest(p_contexts, p_read, p_resealed) AS n (context, was, resealed)
    WHERE n.context = 'custodial_account:' || c.custodial_account_id AND c.sealed_number = n.was AND is_resealed(n.was, n.resealed);
    GET DIAGNOSTICS ours = ROW_COUNT;
    INSERT INTO activity (actor, action, subject, detail)
    VALUES (p_actor, 'account_numbers_resealed', 'vault', jsonb_build_object('members', members, 'custodial', ours));
    RETURN members + ours;
END $$;
REVOKE EXECUTE ON FUNCTION is_resealed(bytea, bytea) FROM centralpay_app;
DROP TRIGGER guard ON notice;
DROP TRIGGER stays ON notice;
DROP FUNCTION notice_guard();
DROP TRIGGER was_asked_for ON bank_account;
DROP FUNCTION bank_account_guard();
DROP TABLE bank_account_stop;
DROP FUNCTION bank_stop_guard();
ALTER TABLE ach_entry DROP CONSTRAINT ach_entry_change_id_fkey;
DROP TABLE bank_account_change;
DROP FUNCTION bank_change_guard();
DROP FUNCTION call_back_number(bigint);
DROP TRIGGER guard ON member_contact;
DROP TRIGGER stays ON member_contact;
DROP FUNCTION contact_guard();
DROP TRIGGER begins_once ON member;
DROP FUNCTION membership_begins_once();
DROP FUNCTION trusted_contact_day(uuid, date);
ALTER TABLE member_contact DROP COLUMN recorded_on;
REVOKE UPDATE (in_use) ON bank_account FROM centralpay_app;
