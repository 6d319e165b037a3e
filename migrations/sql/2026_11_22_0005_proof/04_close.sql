-- Closing a month and reopening it. A month changes its state by a row that says who did it, and by nothing else; whatever was
-- written of a close stays, and a later one of the same month supersedes it.

CREATE TABLE period_close (
    month date NOT NULL REFERENCES period,
    -- Counts up when the month was reopened and is closed again.
    version integer NOT NULL CHECK (version >= 1),
    -- Earlier months in which nothing was ever posted are closed with it: no month stays open before a closed one.
    from_month date NOT NULL,
    -- The business day on which it was closed.
    closed_on date NOT NULL,
    closed_by text NOT NULL REFERENCES app_user,
    closed_at timestamptz NOT NULL DEFAULT now(),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (month, version),
    CONSTRAINT month_is_over CHECK (closed_on >= (month + interval '1 month')::date),
    CONSTRAINT close_begins_before_it_ends CHECK (from_month <= month)
);
COMMENT ON TABLE period_close IS 'Every time that a month was closed. Append-only; the row closes the month.';

-- What was looked at before it was closed, and what came of it: nothing that failed.
CREATE TABLE period_check (
    month date NOT NULL,
    version integer NOT NULL,
    place integer NOT NULL CHECK (place >= 1),
    name text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('holds', 'listed', 'carried')),
    checked bigint NOT NULL CHECK (checked >= 0),
    found bigint NOT NULL CHECK (found >= 0),
    amount_cents bigint NOT NULL,
    detail text NOT NULL,
    PRIMARY KEY (month, version, place),
    CONSTRAINT check_is_made_once UNIQUE (month, version, name),
    FOREIGN KEY (month, version) REFERENCES period_close
);
COMMENT ON TABLE period_check IS 'The checks that a close rests on. Append-only.';

-- What was open when the month was closed, and why it is carried over into the next.
CREATE TABLE period_carried (
    month date NOT NULL,
    version integer NOT NULL,
    -- 'exception 17', or the name of a check.
    subject text NOT NULL,
    exception_id bigint REFERENCES exception_case,
    kind text NOT NULL,
    about text NOT NULL,
    amount_cents bigint NOT NULL,
    detail text NOT NULL,
    reason text NOT NULL CHECK (reason ~ '\S'),
    -- By name, by who closed the month; else by its kind, which is carried always.
    by_name boolean NOT NULL,
    PRIMARY KEY (month, version, subject),
    FOREIGN KEY (month, version) REFERENCES period_close
);
COMMENT ON TABLE period_carried IS 'What was open at a close, with the reason why the month was closed all the same. Append-only.';

-- P4 of each day of the month and each account, to the cent: the database reckons it, and another figure can not be written down.
CREATE TABLE period_tie_out (
    month date NOT NULL,
    version integer NOT NULL,
    custodial_account_id bigint NOT NULL REFERENCES custodial_account,
    as_of date NOT NULL,
    -- What the bank closed with, and the cash of all owners on the bank's day.
    closing_cents bigint NOT NULL,
    booked_cents bigint NOT NULL,
    file_id bigint NOT NULL REFERENCES received_file,
    PRIMARY KEY (month, version, custodial_account_id, as_of),
    FOREIGN KEY (month, version) REFERENCES period_close,
    CONSTRAINT books_are_the_banks CHECK (closing_cents = booked_cents),
    CONSTRAINT day_is_of_the_month CHECK (as_of >= month AND as_of < (month + interval '1 month')::date)
);
COMMENT ON TABLE period_tie_out IS 'The bank''s closing balance beside the books, each day of a closed month. Append-only.';

-- The checkpoint that covers the close and every entry of its month; the month's package says what was known at it.
CREATE TABLE period_checkpoint (
    month date NOT NULL,
    version integer NOT NULL,
    checkpoint_size bigint NOT NULL REFERENCES seal_checkpoint,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (month, version),
    FOREIGN KEY (month, version) REFERENCES period_close
);
COMMENT ON TABLE period_checkpoint IS 'Under which checkpoint a closed month is sealed. Append-only.';

CREATE TABLE period_package (
    month date NOT NULL,
    version integer NOT NULL,
    manifest_sha256 bytea NOT NULL CHECK (length(manifest_sha256) = 32),
    -- Manifest of the edition or version before; null: the first one.
    supersedes bytea CHECK (length(supersedes) = 32),
    written_by text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT now(),
    -- Counts up when a package that was lost could not be written as it was: a later program writes other bytes of the same books.
    edition integer NOT NULL DEFAULT 1 CHECK (edition >= 1),
    -- Why there is another edition; the first needs none.
    reason text,
    PRIMARY KEY (month, version, edition),
    FOREIGN KEY (month, version) REFERENCES period_checkpoint,
    CONSTRAINT another_edition_says_why CHECK (CASE WHEN edition = 1 THEN reason IS NULL ELSE reason IS NOT NULL AND reason ~ '\S' END)
);
COMMENT ON TABLE period_package IS 'The package of a closed month, each edition by the hash of its manifest. Append-only.';

CREATE TABLE period_reopening (
    month date NOT NULL,
    version integer NOT NULL,
    approval_id bigint NOT NULL UNIQUE REFERENCES approval,
    reason text NOT NULL CHECK (reason ~ '\S'),
    requested_by text NOT NULL REFERENCES app_user,
    approved_by text NOT NULL REFERENCES app_user,
    reopened_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (month, version),
    FOREIGN KEY (month, version) REFERENCES period_checkpoint,
    CONSTRAINT reopening_takes_two CHECK (requested_by <> approved_by)
);
COMMENT ON TABLE period_reopening IS 'Every time that a closed month was opened again: why, and by which two. Append-only; the row opens the month.';

-- A month changes its state by such a row alone -----------------------------------------------------------------------

CREATE FUNCTION period_follows_its_records() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        PERFORM refuse(5, 'period_follows_its_records', format('%s of period is refused: a month is closed by centralpay close and opened by a reopening',
            TG_OP));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER follows_its_records BEFORE UPDATE OR DELETE OR TRUNCATE ON period
    FOR EACH STATEMENT EXECUTE FUNCTION period_follows_its_records();

CREATE FUNCTION period_begins_open() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM new_period WHERE state <> 'open') THEN
        PERFORM refuse(5, 'period_begins_open', 'a new month is open: it is closed by centralpay close');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER begins_open AFTER INSERT ON period REFERENCING NEW TABLE AS new_period
    FOR EACH STATEMENT EXECUTE FUNCTION period_begins_open();

-- One at a time who closes or reopens; then the months, each held by who posts into it until that is done.
CREATE FUNCTION take_period_turn(p_month date) RETURNS void LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.period'));
    PERFORM FROM period WHERE month <= p_month AND (state = 'open' OR month = p_month) ORDER BY month FOR UPDATE;
END $$;

-- 5: a month is closed when it is over, after the ones before it, by who may decide.
CREATE FUNCTION period_closes() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
DECLARE was text; last_version integer; earlier date;
BEGIN
    PERFORM take_period_turn(NEW.month);
    SELECT state INTO was FROM period WHERE month = NEW.month;
    IF was IS DISTINCT FROM 'open' THEN
        PERFORM refuse(5, 'period_is_open', format('%s is %s', to_char(NEW.month, 'YYYY-MM'), coalesce(was, 'none of ours')),
            jsonb_build_object('month', NEW.month, 'state', was));
    END IF;
    IF NEW.closed_on < (NEW.month + interval '1 month')::date THEN
        PERFORM refuse(5, 'month_is_over', format('%s is not over on %s', to_char(NEW.month, 'YYYY-MM'), NEW.closed_on),
            jsonb_build_object('month', NEW.month, 'on', NEW.closed_on));
    END IF;
    IF NOT EXISTS (SELECT FROM app_user WHERE user_name = NEW.closed_by AND role IN ('approver', 'admin')) THEN
        PERFORM refuse(5, 'approver_closes', format('%s is no approver', NEW.closed_by), jsonb_build_object('actor', NEW.closed_by));
    END IF;
    SELECT min(p.month) INTO earlier FROM period p WHERE p.month < NEW.month AND p.state = 'open' AND (
        p.month = ANY (ARRAY(SELECT DISTINCT date_trunc('month', t.effective_on)::date FROM journal_transaction t WHERE t.effective_on < NEW.month))
        OR EXISTS (SELECT FROM period_close c WHERE c.month = p.month));
    IF earlier IS NOT NULL THEN
        PERFORM refuse(5, 'earlier_month_is_closed', format('%s is open: months are closed in their order', to_char(earlier, 'YYYY-MM')),
            jsonb_build_object('month', NEW.month, 'earlier', earlier));
    END IF;
    SELECT coalesce(max(version), 0) INTO last_version FROM period_close WHERE month = NEW.month;
    NEW.version := last_version + 1;
    NEW.from_month := (SELECT min(month) FROM period WHERE month <= NEW.month AND state = 'open');
    NEW.closed_at := now();
    NEW.xid := pg_current_xact_id();
    UPDATE period SET state = 'closed' WHERE month BETWEEN NEW.from_month AND NEW.month AND state = 'open';
    RETURN NEW;
END $$;
CREATE TRIGGER closes BEFORE INSERT ON period_close FOR EACH ROW EXECUTE FUNCTION period_closes();

-- The one way in. A month that is closed is closed: asked again, it is the same close.
CREATE FUNCTION close_period(p_month date, p_closed_on date, p_actor text) RETURNS TABLE (version integer, is_new boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
#variable_conflict use_column
DECLARE made integer;
BEGIN
    PERFORM take_period_turn(p_month);
    IF EXISTS (SELECT FROM period WHERE month = p_month AND state = 'closed') THEN
        SELECT max(c.version) INTO made FROM period_close c WHERE c.month = p_month;
        IF made IS NOT NULL THEN
            RETURN QUERY SELECT made, false;
            RETURN;
        END IF;
    END IF;
    INSERT INTO period_close (month, version, from_month, closed_on, closed_by) VALUES (p_month, 1, p_month, p_closed_on, p_actor)
    RETURNING period_close.version INTO made;
    RETURN QUERY SELECT made, true;
END $$;

-- P4 of each day of a month for which there is a statement: what the bank closes with, and the cash of all owners on the bank's day.
CREATE FUNCTION bank_tie_out(p_month date) RETURNS TABLE (custodial_account_id bigint, as_of date, closing_cents bigint, booked_cents bigint, file_id bigint)
LANGUAGE sql STABLE SET search_path = centralpay, pg_temp AS $$
    SELECT s.custodial_account_id, s.as_of, s.closing_cents, coalesce(sum(d.cents) FILTER (WHERE d.booked_on <= s.as_of), 0)::bigint, s.file_id
    FROM (SELECT DISTINCT ON (b.custodial_account_id, b.as_of) b.custodial_account_id, b.as_of, b.closing_cents, b.file_id
          FROM bank_statement b
          WHERE b.closing_cents IS NOT NULL AND b.as_of >= p_month AND b.as_of < (p_month + interval '1 month')::date
          ORDER BY b.custodial_account_id, b.as_of, b.place DESC) s
    LEFT JOIN (
        SELECT l.reference AS custodial_account_id, coalesce(b.as_of, '-infinity') AS booked_on, sum(l.amount_cents) AS cents
        FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
        LEFT JOIN bank_line b ON b.bank_line_id = t.bank_line_id
        WHERE l.account = 'cash' GROUP BY 1, 2) d USING (custodial_account_id)
    GROUP BY s.custodial_account_id, s.as_of, s.closing_cents, s.file_id
$$;

-- The figures are the database's own: who closes can not say what the books hold.
CREATE FUNCTION tie_out_period(p_month date, p_version integer) RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
    WITH tied AS (
        INSERT INTO period_tie_out (month, version, custodial_account_id, as_of, closing_cents, booked_cents, file_id)
        SELECT p_month, p_version, d.custodial_account_id, d.as_of, d.closing_cents, d.booked_cents, d.file_id FROM bank_tie_out(p_month) d
        RETURNING 1)
    SELECT count(*) FROM tied
$$;

-- What a close rests on is written with it, and is all of it.
CREATE FUNCTION close_is_of_now() RETURNS trigger LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE months date[]; versions integer[];
BEGIN
    SELECT array_agg(month), array_agg(version) INTO months, versions FROM (SELECT DISTINCT month, version FROM new_row) n;
    IF EXISTS (SELECT FROM unnest(months, versions) AS n (month, version) LEFT JOIN period_close c USING (month, version)
               WHERE c.xid IS DISTINCT FROM pg_current_xact_id()) THEN
        PERFORM refuse(5, 'close_is_of_now', format('%s is written with its close, or not at all', TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $$;

-- That the proofs and the certificates were run is asked by their names: what came of them is who closes' word. What is open when the
-- month is closed is asked of the books themselves: each of it is carried over, with its reason, or the month stays open.
CREATE FUNCTION close_is_complete() RETURNS trigger LANGUAGE plpgsql
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE missing record; unasked text; still text; after_it date := (NEW.month + interval '1 month')::date;
BEGIN
    SELECT string_agg(n.name, ', ') INTO unasked
    FROM unnest(ARRAY['P1', 'P2', 'P3', 'P5', 'P6', 'P7', 'P8', 'P9', 'P10', 'P11', 'certificates', 'bank tie-out']) AS n (name)
    WHERE NOT EXISTS (SELECT FROM period_check k WHERE k.month = NEW.month AND k.version = NEW.version AND k.name = n.name AND k.verdict = 'holds');
    IF unasked IS NOT NULL THEN
        PERFORM refuse(5, 'close_has_checks', format('before %s was closed these did not hold, or were not looked at: %s', to_char(NEW.month, 'YYYY-MM'), unasked));
    END IF;
    SELECT o.subject INTO still FROM (
        SELECT 'bank lines posted' AS subject, false AS is_carriable
        WHERE EXISTS (SELECT FROM bank_line b WHERE b.as_of < after_it AND NOT EXISTS (SELECT FROM journal_transaction t WHERE t.bank_line_id = b.bank_line_id))
        UNION ALL SELECT 'files read', true WHERE EXISTS (SELECT FROM received_file WHERE status = 'reading')
        UNION ALL SELECT 'cycles', true WHERE EXISTS (SELECT FROM cycle WHERE state IN ('proposed', 'approved') AND business_date < after_it)
        -- That a proof failed, or the seal, nobody carries over.
        UNION ALL SELECT 'exception ' || e.exception_id, e.kind NOT IN ('proof_failed', 'seal_failed')
        FROM exception_case e LEFT JOIN bank_line b ON b.bank_line_id = CASE WHEN e.subject ~ '^bank line [0-9]{1,18}$' THEN substring(e.subject FROM 11)::bigint END
        WHERE e.state = 'open' AND (b.as_of IS NULL OR b.as_of < after_it)) o
    WHERE NOT (o.is_carriable AND EXISTS (SELECT FROM period_carried c WHERE c.month = NEW.month AND c.version = NEW.version AND c.subject = o.subject)) LIMIT 1;
    IF still IS NOT NULL THEN
        PERFORM refuse(5, 'close_names_what_is_open', format('%s is open when %s is closed, and was not carried over: look once more', still,
            to_char(NEW.month, 'YYYY-MM')), jsonb_build_object('month', NEW.month, 'open', still));
    END IF;
    SELECT s.custodial_account_id, s.as_of INTO missing FROM bank_statement s
    LEFT JOIN period_tie_out o ON (o.month, o.version, o.custodial_account_id, o.as_of) = (NEW.month, NEW.version, s.custodial_account_id, s.as_of)
    WHERE s.as_of >= NEW.month AND s.as_of < (NEW.month + interval '1 month')::date AND s.closing_cents IS NOT NULL
    GROUP BY s.custodial_account_id, s.as_of, o.closing_cents
    HAVING o.closing_cents IS DISTINCT FROM (array_agg(s.closing_cents ORDER BY s.place DESC))[1] LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(5, 'close_ties_out', format('account %s is not tied out on %s', missing.custodial_account_id, missing.as_of), to_jsonb(missing));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER is_complete AFTER INSERT ON period_close DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION close_is_complete();

-- The first checkpoint that covers the close itself and every entry of the month; null: none does.
CREATE FUNCTION checkpoint_of_close(p_month date, p_version integer) RETURNS bigint LANGUAGE plpgsql STABLE
SET search_path = centralpay, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE last_leaf bigint;
BEGIN
    SELECT l.leaf_index INTO last_leaf FROM trail t JOIN seal_leaf l ON l.kind = 2 AND l.trail_id = t.trail_id
    WHERE t.table_name = 'period_close' AND t.row_key = to_char(p_month, 'YYYY-MM-DD') || '|' || p_version;
    -- Entries of the month wait for the sealer: its transactions are few there, and the month takes no other.
    IF last_leaf IS NULL OR EXISTS (SELECT FROM seal_pending p JOIN journal_transaction t ON t.transaction_id = p.id
        WHERE p.kind = 1 AND t.effective_on >= p_month AND t.effective_on < (p_month + interval '1 month')::date) THEN
        RETURN NULL;
    END IF;
    SELECT greatest(last_leaf, max(l.leaf_index)) INTO last_leaf FROM seal_leaf l JOIN entry e USING (owner_id, entry_id)
    WHERE l.kind = 1 AND l.leaf_index > last_leaf AND e.effective_on >= p_month AND e.effective_on < (p_month + interval '1 month')::date;
    RETURN (SELECT min(c.size) FROM seal_checkpoint c WHERE c.size > last_leaf);
END $$;

CREATE FUNCTION period_is_sealed() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
BEGIN
    IF NEW.checkpoint_size IS DISTINCT FROM checkpoint_of_close(NEW.month, NEW.version) THEN
        PERFORM refuse(5, 'period_is_sealed', format('checkpoint %s is not the first that covers the close of %s and all its entries', NEW.checkpoint_size,
            to_char(NEW.month, 'YYYY-MM')), jsonb_build_object('month', NEW.month, 'checkpoint', NEW.checkpoint_size));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER is_sealed BEFORE INSERT ON period_checkpoint FOR EACH ROW EXECUTE FUNCTION period_is_sealed();

CREATE FUNCTION package_supersedes_the_last() RETURNS trigger LANGUAGE plpgsql SET search_path = centralpay, pg_temp AS $$
DECLARE before bytea; last_edition integer;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('centralpay.period'));
    IF NOT EXISTS (SELECT FROM period WHERE month = NEW.month AND state = 'closed')
       OR NEW.version <> (SELECT max(version) FROM period_close WHERE month = NEW.month) THEN
        PERFORM refuse(5, 'package_is_of_the_standing_close', format('version %s of %s is not the one that is closed', NEW.version,
            to_char(NEW.month, 'YYYY-MM')), jsonb_build_object('month', NEW.month, 'version', NEW.version));
    END IF;
    SELECT coalesce(max(edition), 0) INTO last_edition FROM period_package WHERE month = NEW.month AND version = NEW.version;
    SELECT manifest_sha256 INTO before FROM period_package WHERE month = NEW.month AND version <= NEW.version ORDER BY version DESC, edition DESC LIMIT 1;
    -- The edition that is there already is written once: its key says so.
    IF NEW.edition > last_edition + 1 OR (NEW.edition = last_edition + 1 AND NEW.supersedes IS DISTINCT FROM before) THEN
        PERFORM refuse(5, 'package_supersedes_the_last', format('the package of %s, version %s, edition %s, has to name the one before',
            to_char(NEW.month, 'YYYY-MM'), NEW.version, NEW.edition), jsonb_build_object('month', NEW.month, 'version', NEW.version));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER supersedes_the_last BEFORE INSERT ON period_package FOR EACH ROW EXECUTE FUNCTION package_supersedes_the_last();

-- 5: a month is opened by what two people decided on its last version, and never below a closed one: its closing balances are the
-- opening balances of the next.
CREATE FUNCTION period_reopens() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
DECLARE asked approval; later date;
BEGIN
    PERFORM take_period_turn(NEW.month);
    SELECT * INTO asked FROM approval WHERE approval_id = NEW.approval_id;
    IF asked.kind IS DISTINCT FROM 'reopening' OR asked.state <> 'approved' OR asked.subject <> to_char(NEW.month, 'YYYY-MM')
       OR asked.facts ->> 'version' IS DISTINCT FROM NEW.version::text THEN
        PERFORM refuse(5, 'reopening_is_approved', format('approval %s does not reopen version %s of %s', NEW.approval_id, NEW.version,
            to_char(NEW.month, 'YYYY-MM')), jsonb_build_object('month', NEW.month, 'approval', NEW.approval_id));
    END IF;
    IF NOT EXISTS (SELECT FROM period WHERE month = NEW.month AND state = 'closed')
       OR NEW.version <> (SELECT max(version) FROM period_close WHERE month = NEW.month) THEN
        PERFORM refuse(5, 'period_is_closed', format('version %s of %s is not the one that is closed', NEW.version, to_char(NEW.month, 'YYYY-MM')),
            jsonb_build_object('month', NEW.month, 'version', NEW.version));
    END IF;
    IF NOT EXISTS (SELECT FROM period_package WHERE month = NEW.month AND version = NEW.version) THEN
        PERFORM refuse(5, 'close_is_finished', format('version %s of %s has no package yet', NEW.version, to_char(NEW.month, 'YYYY-MM')),
            jsonb_build_object('month', NEW.month, 'version', NEW.version));
    END IF;
    IF NOT EXISTS (SELECT FROM app_user WHERE user_name = asked.decided_by AND role IN ('approver', 'admin')) THEN
        PERFORM refuse(5, 'approver_reopens', format('%s is no approver', asked.decided_by), jsonb_build_object('actor', asked.decided_by));
    END IF;
    SELECT max(month) INTO later FROM period WHERE month > NEW.month AND state = 'closed';
    IF later IS NOT NULL THEN
        PERFORM refuse(5, 'later_months_are_open', format('%s is closed: the latest month is reopened first', to_char(later, 'YYYY-MM')),
            jsonb_build_object('month', NEW.month, 'later', later));
    END IF;
    NEW.requested_by := asked.proposed_by;
    NEW.approved_by := asked.decided_by;
    NEW.reason := asked.facts ->> 'reason';
    NEW.reopened_at := now();
    UPDATE period SET state = 'open' WHERE month = NEW.month;
    RETURN NEW;
END $$;
CREATE TRIGGER reopens BEFORE INSERT ON period_reopening FOR EACH ROW EXECUTE FUNCTION period_reopens();

CREATE FUNCTION reopen_period(p_approval_id bigint) RETURNS TABLE (month date, version integer)
LANGUAGE sql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
    INSERT INTO period_reopening (month, version, approval_id, reason, requested_by, approved_by)
    SELECT to_date(subject || '-01', 'YYYY-MM-DD'), (facts ->> 'version')::integer, approval_id, facts ->> 'reason', proposed_by, decided_by
    FROM approval WHERE approval_id = p_approval_id
    RETURNING period_reopening.month, period_reopening.version
$$;

DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['period_close', 'period_check', 'period_carried', 'period_tie_out', 'period_checkpoint', 'period_package',
                             'period_reopening'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()', t);
        EXECUTE format('GRANT SELECT ON %I TO centralpay_app, centralpay_auditor', t);
        PERFORM add_trail(t::regclass);
    END LOOP;
    FOREACH t IN ARRAY ARRAY['period_check', 'period_carried', 'period_tie_out'] LOOP
        EXECUTE format('CREATE TRIGGER of_now AFTER INSERT ON %I REFERENCING NEW TABLE AS new_row
            FOR EACH STATEMENT EXECUTE FUNCTION close_is_of_now()', t);
    END LOOP;
END $$;

REVOKE EXECUTE ON FUNCTION period_follows_its_records(), period_begins_open(), take_period_turn(date), period_closes(),
    close_period(date, date, text), bank_tie_out(date), tie_out_period(date, integer), close_is_of_now(), close_is_complete(), checkpoint_of_close(date, integer), period_is_sealed(),
    package_supersedes_the_last(), period_reopens(), reopen_period(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION close_period(date, date, text), tie_out_period(date, integer), reopen_period(bigint) TO centralpay_app;
GRANT EXECUTE ON FUNCTION bank_tie_out(date), checkpoint_of_close(date, integer) TO centralpay_app, centralpay_auditor;
GRANT INSERT ON period_check, period_carried, period_checkpoint, period_package TO centralpay_app;
