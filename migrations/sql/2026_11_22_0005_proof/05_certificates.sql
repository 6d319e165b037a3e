-- Certificates that were issued: what they say is sealed, and their bytes stay as they were, whatever is posted later.

-- What was issued together; the vault holds its certificates one after the other.
CREATE TABLE certificate_issue (
    issue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_on date NOT NULL,
    to_on date NOT NULL,
    -- The books were read as they were sealed here.
    checkpoint_size bigint NOT NULL REFERENCES seal_checkpoint,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes > 0),
    certificates integer NOT NULL CHECK (certificates > 0),
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT issue_is_of_whole_months CHECK (from_on = date_trunc('month', from_on)::date AND to_on > from_on
        AND to_on + 1 = date_trunc('month', to_on + 1)::date)
);
COMMENT ON TABLE certificate_issue IS 'Each time that pass-through certificates were issued: of what months, as known at which checkpoint. Append-only.';

CREATE TABLE certificate (
    certificate_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES certificate_issue,
    -- Null: the certificate of all members and of the bank account.
    member_id uuid REFERENCES member,
    from_on date NOT NULL,
    to_on date NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    -- The one before, which said otherwise of the same months.
    supersedes bigint UNIQUE REFERENCES certificate,
    checkpoint_size bigint NOT NULL REFERENCES seal_checkpoint,
    -- Of its canonical bytes, which is what the seal covers; and of its figures alone.
    body_sha256 bytea NOT NULL CHECK (length(body_sha256) = 32),
    figures_sha256 bytea NOT NULL CHECK (length(figures_sha256) = 32),
    -- Within the issue's file in the vault.
    byte_start bigint NOT NULL CHECK (byte_start >= 0),
    byte_end bigint NOT NULL,
    closing_cents bigint NOT NULL,
    retained_cents bigint NOT NULL,
    CONSTRAINT certificate_has_bytes CHECK (byte_end > byte_start),
    CONSTRAINT first_version_supersedes_none CHECK ((version = 1) = (supersedes IS NULL)),
    CONSTRAINT certificate_has_one_version UNIQUE NULLS NOT DISTINCT (member_id, from_on, to_on, version),
    CONSTRAINT member_has_one_certificate_of_an_issue UNIQUE NULLS NOT DISTINCT (issue_id, member_id)
);
COMMENT ON TABLE certificate IS 'What was certified to a member, or of the population, for some months: its digest is sealed with the trail. Append-only.';

-- 1 for issues: an issue has all its certificates, one after the other, when the transaction that made it ends.
CREATE FUNCTION certificates_are_complete() RETURNS trigger LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE said record;
BEGIN
    SELECT count(*) AS certificates, coalesce(max(c.byte_end), 0) AS last, count(*) FILTER (WHERE c.byte_start <> c.before) AS apart INTO said
    FROM (SELECT byte_start, byte_end, coalesce(lag(byte_end) OVER (ORDER BY byte_start), 0) AS before
          FROM certificate WHERE issue_id = NEW.issue_id) c;
    IF said.certificates <> NEW.certificates OR said.last <> NEW.size_bytes OR said.apart > 0 THEN
        PERFORM refuse(1, 'certificates_are_complete', format('issue %s has %s certificates in %s bytes, and says %s in %s', NEW.issue_id,
            said.certificates, said.last, NEW.certificates, NEW.size_bytes) || CASE WHEN said.apart > 0 THEN ', not one after the other' ELSE '' END,
            jsonb_build_object('issue', NEW.issue_id));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER is_complete AFTER INSERT ON certificate_issue DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION certificates_are_complete();

-- A certificate says the months and the checkpoint of its issue, joins none that is complete, and follows the last one of the
-- same member and months, from a checkpoint that is no older.
CREATE FUNCTION certificate_follows() RETURNS trigger LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE issues bigint[]; ids bigint[]; known bigint; bad record;
BEGIN
    SELECT array_agg(DISTINCT issue_id), array_agg(certificate_id) INTO issues, ids FROM new_certificate;
    SELECT count(*) INTO known FROM certificate c JOIN certificate_issue i USING (issue_id)
    WHERE c.certificate_id = ANY (ids) AND i.xid = pg_current_xact_id() AND i.from_on = c.from_on AND i.to_on = c.to_on
      AND i.checkpoint_size = c.checkpoint_size;
    IF known <> cardinality(ids) THEN
        PERFORM refuse(1, 'certificate_of_a_new_issue', 'a certificate is issued with all others of its issue, of the same months and checkpoint, or not at all');
    END IF;
    SELECT c.certificate_id, c.version, c.checkpoint_size, b.version AS before, b.checkpoint_size AS size_before INTO bad
    FROM certificate c LEFT JOIN certificate b ON b.certificate_id = c.supersedes
    WHERE c.certificate_id = ANY (ids) AND c.supersedes IS NOT NULL
      AND ((b.member_id, b.from_on, b.to_on, b.version) IS DISTINCT FROM (c.member_id, c.from_on, c.to_on, c.version - 1)
           OR b.checkpoint_size > c.checkpoint_size) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(1, 'certificate_follows', format('version %s at checkpoint %s does not follow version %s at checkpoint %s of the same member and months',
            bad.version, bad.checkpoint_size, bad.before, bad.size_before), jsonb_build_object('certificate', bad.certificate_id));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON certificate REFERENCING NEW TABLE AS new_certificate
    FOR EACH STATEMENT EXECUTE FUNCTION certificate_follows();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate_issue FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificate FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

-- A member sees its own.
ALTER TABLE certificate ENABLE ROW LEVEL SECURITY;
ALTER TABLE certificate FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON certificate TO centralpay_owner, centralpay_app USING (true) WITH CHECK (true);
CREATE POLICY read_all ON certificate FOR SELECT TO centralpay_auditor USING (true);
CREATE POLICY own_rows ON certificate FOR SELECT TO centralpay_member USING (member_id = member_of_login());

-- Its digest becomes a leaf: with the leaf's proof the certificate can be checked by who has nothing else of us.
SELECT add_trail('certificate_issue');
SELECT add_trail('certificate');

REVOKE EXECUTE ON FUNCTION certificates_are_complete(), certificate_follows() FROM PUBLIC;
GRANT SELECT ON certificate_issue, certificate TO centralpay_app, centralpay_auditor;
GRANT SELECT ON certificate TO centralpay_member;
GRANT INSERT ON certificate_issue, certificate TO centralpay_app;
