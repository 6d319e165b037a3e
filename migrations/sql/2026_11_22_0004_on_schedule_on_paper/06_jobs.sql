-- What the scheduler did: one row for a job and the moment it was due, and every attempt at it.

CREATE TABLE job_run (
    job text NOT NULL CHECK (job ~ '^[a-z][a-z_]{0,39}$'),
    scheduled_for timestamptz NOT NULL,
    -- How many moments of its timetable the run stands for: more than one where moments were missed and only the last one matters.
    moments integer NOT NULL DEFAULT 1 CHECK (moments > 0),
    -- running; waiting to be tried again; done; refused by a rule; failed as often as it is tried.
    state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'waiting', 'done', 'refused', 'failed')),
    attempt integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    -- Of the attempt that the row shows, by the scheduler's clock.
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    -- Host and process.
    run_by text NOT NULL,
    retry_at timestamptz,
    -- Counts and amounts, never who a patient is.
    outcome text CHECK (length(outcome) <= 1000),
    error text CHECK (length(error) <= 1000),
    CONSTRAINT one_run_of_a_moment PRIMARY KEY (job, scheduled_for),
    CONSTRAINT running_has_no_end CHECK ((state = 'running') = (finished_at IS NULL)),
    CONSTRAINT waiting_knows_until_when CHECK ((state = 'waiting') = (retry_at IS NOT NULL)),
    CONSTRAINT ended_says_how CHECK ((state = 'done') = (outcome IS NOT NULL) AND (state IN ('waiting', 'refused', 'failed')) = (error IS NOT NULL))
);
COMMENT ON TABLE job_run IS 'Runs of the scheduler''s jobs; whoever adds the row of a moment runs it, under the advisory lock of the job.';
CREATE INDEX job_run_open ON job_run (scheduled_for) WHERE state IN ('running', 'waiting');

CREATE TABLE job_attempt (
    job text NOT NULL,
    scheduled_for timestamptz NOT NULL,
    attempt integer NOT NULL,
    started_at timestamptz NOT NULL,
    -- Of one whose process died: when that was noticed.
    ended_at timestamptz NOT NULL,
    run_by text NOT NULL,
    ended text NOT NULL CHECK (ended IN ('done', 'refused', 'failed', 'died')),
    said text NOT NULL,
    PRIMARY KEY (job, scheduled_for, attempt),
    FOREIGN KEY (job, scheduled_for) REFERENCES job_run
);
COMMENT ON TABLE job_attempt IS 'Every attempt at a run that has ended, and how; written by the database alone.';

-- running -> done, refused, waiting, failed;  waiting, refused, failed -> running, as the next attempt;  running -> running, as the
-- next attempt, where the process of the one before has died. What is done stays so.
CREATE FUNCTION job_run_takes_its_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'running' OR NEW.attempt <> 1 THEN
            PERFORM refuse(20, 'job_run_begins_running', 'a run begins with its first attempt running');
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.job, NEW.scheduled_for, NEW.moments) IS DISTINCT FROM (OLD.job, OLD.scheduled_for, OLD.moments)
        OR (NEW.state <> 'running' AND (NEW.started_at, NEW.run_by) IS DISTINCT FROM (OLD.started_at, OLD.run_by)) THEN
        PERFORM refuse(2, 'job_run_stays', format('which run of %s it is, and who began it, stays', OLD.job),
            jsonb_build_object('job', OLD.job, 'scheduled_for', OLD.scheduled_for));
    END IF;
    IF OLD.state = 'done' OR (OLD.state <> 'running' AND NEW.state <> 'running')
        OR NEW.attempt <> OLD.attempt + (NEW.state = 'running')::integer THEN
        PERFORM refuse(20, 'job_run_steps', format('the run of %s for %s is %s at attempt %s and can not become %s at attempt %s',
            OLD.job, OLD.scheduled_for, OLD.state, OLD.attempt, NEW.state, NEW.attempt), jsonb_build_object('job', OLD.job, 'state', OLD.state, 'asked', NEW.state));
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER takes_its_steps BEFORE INSERT OR UPDATE ON job_run FOR EACH ROW EXECUTE FUNCTION job_run_takes_its_steps();

-- With the rights of the owner: nobody else writes attempts.
CREATE FUNCTION job_attempt_is_kept() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = centralpay, pg_temp AS $$
BEGIN
    INSERT INTO job_attempt (job, scheduled_for, attempt, started_at, ended_at, run_by, ended, said)
    VALUES (OLD.job, OLD.scheduled_for, OLD.attempt, OLD.started_at, coalesce(NEW.finished_at, NEW.started_at), OLD.run_by,
        CASE NEW.state WHEN 'running' THEN 'died' WHEN 'waiting' THEN 'failed' ELSE NEW.state END,
        coalesce(NEW.outcome, NEW.error, 'its process ended before it did'));
    RETURN NULL;
END $$;
CREATE TRIGGER attempt_is_kept AFTER UPDATE ON job_run FOR EACH ROW WHEN (OLD.state = 'running') EXECUTE FUNCTION job_attempt_is_kept();

CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON job_run FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON job_attempt FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();

REVOKE EXECUTE ON FUNCTION job_run_takes_its_steps(), job_attempt_is_kept() FROM PUBLIC;
GRANT SELECT ON job_run, job_attempt TO centralpay_app, centralpay_auditor;
GRANT INSERT ON job_run TO centralpay_app;
GRANT UPDATE (state, attempt, started_at, finished_at, run_by, retry_at, outcome, error) ON job_run TO centralpay_app;
