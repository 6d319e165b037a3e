-- The vault's upkeep: which files were let go, by whom and why; sealed numbers under a new master key.

-- Why a received file has to stay, a row a reason; a file of which no row speaks may be let go when it is old enough.
CREATE FUNCTION file_kept_for(p_file_ids bigint[]) RETURNS TABLE (file_id bigint, reason text)
LANGUAGE sql STABLE SET plan_cache_mode = force_custom_plan AS $$
    SELECT f.file_id, 'its reading was interrupted; ingest it again'
    FROM received_file f WHERE f.file_id = ANY (p_file_ids) AND f.status = 'reading'
    UNION ALL
    SELECT a.file_id, format('%s of its advices not funded yet', count(*))
    FROM advice a WHERE a.file_id = ANY (p_file_ids) AND a.state = 'accepted' GROUP BY a.file_id
    UNION ALL
    SELECT a.file_id, format('%s of its shares not told to their pharmacies yet', count(*))
    FROM share_to_remit s JOIN advice a USING (advice_id) WHERE a.file_id = ANY (p_file_ids) AND s.cycle_id IS NULL GROUP BY a.file_id
    UNION ALL
    -- Whoever turns out to be the payee has to be told from these bytes.
    SELECT a.file_id, format('%s of its advices with money that waits for an unknown payee', count(*))
    FROM advice a WHERE a.file_id = ANY (p_file_ids) AND a.state = 'funded' AND EXISTS (
        SELECT FROM (
            SELECT c.unknown_payee_id FROM claim_line c WHERE c.paid_on = a.paid_on AND c.advice_id = a.advice_id AND c.owner_id = house_id()
            UNION SELECT p.unknown_payee_id FROM plb_line p WHERE p.advice_id = a.advice_id) u
        WHERE (SELECT sum(l.amount_cents) FROM line l WHERE l.reference = u.unknown_payee_id AND l.owner_id = house_id()
                   AND l.account IN ('unknown_payee', 'unknown_payee_unfunded')) <> 0)
    GROUP BY a.file_id
    UNION ALL
    SELECT r.file_id, format('%s of its sets with an open exception', count(DISTINCT r.set_ordinal))
    FROM remittance_set r JOIN exception_case e ON e.subject = format('file %s set %s', r.file_id, r.set_ordinal) AND e.state = 'open'
    WHERE r.file_id = ANY (p_file_ids) GROUP BY r.file_id
    UNION ALL
    SELECT b.file_id, format('%s of its bank lines not explained yet', count(*))
    FROM bank_line b WHERE b.file_id = ANY (p_file_ids) AND b.state = 'unmatched' GROUP BY b.file_id
    UNION ALL
    SELECT f.file_id, 'a cycle sent the same bytes'
    FROM received_file f JOIN cycle c ON f.sha256 IN (c.nacha_sha256, c.children_sha256) WHERE f.file_id = ANY (p_file_ids)
    UNION ALL
    SELECT f.file_id, 'a statement was issued with the same bytes'
    FROM received_file f JOIN activity a ON a.action = 'statement_issued' AND a.detail ->> 'sha256' = encode(f.sha256, 'hex')
    WHERE f.file_id = ANY (p_file_ids)
$$;

CREATE TABLE vault_expiry (
    file_id bigint NOT NULL REFERENCES received_file,
    -- expiring: decided, the bytes may be there or gone; expired: they are gone.
    state text NOT NULL CHECK (state IN ('expiring', 'expired')),
    -- Files received before this day were let go, by UTC.
    before date NOT NULL,
    reason text NOT NULL CHECK (reason ~ '\S'),
    actor text NOT NULL REFERENCES app_user,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (file_id, state),
    -- No setting can go below it; the settings' own default is longer.
    CONSTRAINT seven_years_at_least CHECK (before <= (at AT TIME ZONE 'UTC')::date - interval '7 years')
);
COMMENT ON TABLE vault_expiry IS 'Received files whose bytes were destroyed: who, when, why. Append-only; the file''s own row stays.';

CREATE FUNCTION expiry_is_allowed() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
DECLARE
    asked bigint[];
    bad record;
BEGIN
    SELECT array_agg(d.file_id) INTO asked FROM decided d WHERE d.state = 'expiring';
    SELECT k.file_id, k.reason INTO bad FROM file_kept_for(asked) k LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(21, 'file_may_be_let_go', format('file %s stays: %s', bad.file_id, bad.reason));
    END IF;
    SELECT d.file_id INTO bad FROM decided d JOIN received_file f USING (file_id)
    WHERE (f.received_at AT TIME ZONE 'UTC')::date >= d.before OR d.at <> now() LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(21, 'file_is_old_enough', format('file %s was not received before that day', bad.file_id));
    END IF;
    SELECT d.file_id INTO bad FROM decided d LEFT JOIN vault_expiry e ON e.file_id = d.file_id AND e.state = 'expiring'
    WHERE e.file_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(21, 'expired_was_expiring', format('that file %s be let go was never decided', bad.file_id));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER is_allowed AFTER INSERT ON vault_expiry REFERENCING NEW TABLE AS decided
    FOR EACH STATEMENT EXECUTE FUNCTION expiry_is_allowed();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON vault_expiry
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- Account numbers under a new master key. The application can change no other column of these rows, and this one only in
-- place of the value that it has read, by a value of the same length under another key. It can not be seen here that
-- the number within is the same one; so every call is in the record, with who made it. Gives how many were changed.
CREATE FUNCTION reseal_numbers(p_actor text, p_contexts text[], p_read bytea[], p_resealed bytea[]) RETURNS integer
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

-- Version, length of the key's id, the id; then what is sealed: as long as before, and under another id.
CREATE FUNCTION is_resealed(p_was bytea, p_resealed bytea) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT get_byte(p_was, 0) = get_byte(p_resealed, 0)
       AND length(p_was) - get_byte(p_was, 1) = length(p_resealed) - get_byte(p_resealed, 1)
       AND substring(p_was FOR 2 + get_byte(p_was, 1)) <> substring(p_resealed FOR 2 + get_byte(p_resealed, 1))
$$;

REVOKE EXECUTE ON FUNCTION file_kept_for(bigint[]), expiry_is_allowed(), is_resealed(bytea, bytea),
    reseal_numbers(text, text[], bytea[], bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION file_kept_for(bigint[]), reseal_numbers(text, text[], bytea[], bytea[]) TO centralpay_app;
GRANT SELECT ON vault_expiry TO centralpay_app, centralpay_auditor;
GRANT INSERT ON vault_expiry TO centralpay_app;
