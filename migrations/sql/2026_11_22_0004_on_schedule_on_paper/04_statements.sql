-- Statements that were issued: their bytes stay as they were, whatever is posted later.

-- A member's adjustments are asked for by member, and rare.
CREATE INDEX plb_line_of_member ON plb_line (owner_id, advice_id) WHERE owner_id <> '00000000-0000-0000-0000-000000000000';

-- Of what payers took whole there is no entry; a statement shows it all the same.
CREATE INDEX advice_share_of_nothing ON advice_share (owner_id, advice_id) WHERE claims_cents = plb_cents;

CREATE TABLE statement_issue (
    issue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_on date NOT NULL,
    to_on date NOT NULL,
    form text NOT NULL CHECK (form IN ('csv', 'json', 'xlsx', 'pdf')),
    -- Everybody's statements of a range count up when they are issued anew; null: one member's, as it was asked for.
    version integer CHECK (version >= 1),
    -- Of one payer's advices alone; null: all payers combined.
    payer_id text,
    -- The statements of all members, one after the other; the vault holds them under this name.
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    members integer NOT NULL CHECK (members >= 0),
    issued_by text NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    CONSTRAINT issue_ends_after_it_begins CHECK (to_on >= from_on),
    CONSTRAINT everybodys_is_combined CHECK (version IS NULL OR payer_id IS NULL),
    CONSTRAINT one_members_is_one CHECK (version IS NOT NULL OR members = 1),
    CONSTRAINT issue_has_one_version UNIQUE (from_on, to_on, form, version)
);
COMMENT ON TABLE statement_issue IS 'Each time that statements were given out: of what range, in what form, by whom. Append-only.';

CREATE TABLE issued_statement (
    statement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES statement_issue,
    member_id uuid NOT NULL REFERENCES member,
    file_name text NOT NULL CHECK (file_name ~ '^[0-9A-Za-z][0-9A-Za-z._-]*$'),
    -- Within the issue's file in the vault.
    byte_start bigint NOT NULL CHECK (byte_start >= 0),
    byte_end bigint NOT NULL,
    -- Of the member's own bytes.
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    closing_cents bigint NOT NULL,
    CONSTRAINT statement_has_bytes CHECK (byte_end > byte_start),
    CONSTRAINT member_has_one_statement_of_an_issue UNIQUE (issue_id, member_id),
    CONSTRAINT statement_has_a_name_of_its_own UNIQUE (issue_id, file_name)
);
CREATE INDEX issued_statement_of_member ON issued_statement (member_id, statement_id);
COMMENT ON TABLE issued_statement IS 'A member''s own statement of an issue: where its bytes stand, and what it closed with. Append-only.';

-- 1 for issues: an issue has all its statements, they are all of its file, one after the other, and its version is the next one, when
-- the transaction that made it ends.
CREATE FUNCTION issue_is_complete() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE said record;
DECLARE last_version integer;
BEGIN
    SELECT count(*) AS members, coalesce(sum(s.byte_end - s.byte_start), 0) AS bytes, coalesce(max(s.byte_end), 0) AS last,
           count(*) FILTER (WHERE s.byte_start <> s.before) AS apart INTO said
    FROM (SELECT byte_start, byte_end, coalesce(lag(byte_end) OVER (ORDER BY byte_start), 0) AS before
          FROM issued_statement WHERE issue_id = NEW.issue_id) s;
    IF said.members <> NEW.members OR said.bytes <> NEW.size_bytes OR said.last <> NEW.size_bytes OR said.apart > 0 THEN
        PERFORM refuse(1, 'issue_is_complete', format('issue %s has %s statements of %s bytes, and says %s of %s', NEW.issue_id, said.members,
            said.bytes, NEW.members, NEW.size_bytes) || CASE WHEN said.apart > 0 THEN ', not one after the other' ELSE '' END,
            jsonb_build_object('issue', NEW.issue_id));
    END IF;
    SELECT coalesce(max(i.version), 0) INTO last_version FROM statement_issue i
    WHERE i.from_on = NEW.from_on AND i.to_on = NEW.to_on AND i.form = NEW.form AND i.issue_id <> NEW.issue_id;
    IF NEW.version <> last_version + 1 THEN
        PERFORM refuse(1, 'issue_is_the_next', format('version %s of an issue follows version %s', NEW.version, last_version),
            jsonb_build_object('issue', NEW.issue_id));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER is_complete AFTER INSERT ON statement_issue DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION issue_is_complete();

-- No statement joins an issue that is complete.
CREATE FUNCTION statement_of_a_new_issue() RETURNS trigger LANGUAGE plpgsql SET plan_cache_mode = force_custom_plan AS $$
DECLARE issues bigint[];
BEGIN
    SELECT array_agg(DISTINCT issue_id) INTO issues FROM new_statement;
    IF EXISTS (SELECT FROM statement_issue i WHERE i.issue_id = ANY (issues) AND i.xid <> pg_current_xact_id()) THEN
        PERFORM refuse(1, 'statement_of_a_new_issue', 'a statement is issued with all others of its issue, or not at all');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER guard AFTER INSERT ON issued_statement REFERENCING NEW TABLE AS new_statement
    FOR EACH STATEMENT EXECUTE FUNCTION statement_of_a_new_issue();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON statement_issue FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issued_statement FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION issue_is_complete(), statement_of_a_new_issue() FROM PUBLIC;
GRANT SELECT ON statement_issue, issued_statement TO centralpay_app, centralpay_auditor;
GRANT INSERT ON statement_issue, issued_statement TO centralpay_app;
