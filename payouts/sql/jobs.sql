-- name: take_turn
-- Held until the transaction ends; the number is of jobs, and of nothing else here.
SELECT pg_try_advisory_xact_lock(4869954, hashtext(:job))

-- name: wait_long
-- The transaction that holds a lock says nothing for as long as the job works.
SET LOCAL idle_in_transaction_session_timeout = 0

-- name: add
INSERT INTO job_run (job, scheduled_for, moments, started_at, run_by) VALUES (:job, :scheduled_for, :moments, :now, :run_by)
ON CONFLICT (job, scheduled_for) DO NOTHING RETURNING attempt

-- name: lock
SELECT r.state, r.attempt, r.retry_at, a.failures, a.deaths FROM job_run r CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE ended = 'failed') AS failures, count(*) FILTER (WHERE ended = 'died') AS deaths
    FROM job_attempt WHERE job = r.job AND scheduled_for = r.scheduled_for) a
WHERE r.job = :job AND r.scheduled_for = :scheduled_for FOR UPDATE OF r

-- name: begin_again
UPDATE job_run SET state = 'running', attempt = attempt + 1, started_at = :now, run_by = :run_by, finished_at = NULL, retry_at = NULL,
    outcome = NULL, error = NULL
WHERE job = :job AND scheduled_for = :scheduled_for RETURNING attempt

-- name: finish
UPDATE job_run SET state = :state, finished_at = :now, retry_at = :retry_at, outcome = :outcome, error = :error
WHERE job = :job AND scheduled_for = :scheduled_for AND attempt = :attempt AND state = 'running'

-- name: seen
-- A run for a moment that has not come is one of a clock that went wrong, and stands for nothing.
SELECT j.job, (SELECT max(r.scheduled_for) FROM job_run r WHERE r.job = j.job AND r.scheduled_for <= :now) AS last,
    ARRAY(SELECT r.scheduled_for FROM job_run r WHERE r.job = j.job AND r.scheduled_for > :since AND r.job = ANY (CAST(:each AS text[]))
          ORDER BY r.scheduled_for) AS present
FROM unnest(CAST(:jobs AS text[])) AS j (job)

-- name: open
SELECT job, scheduled_for, moments, state, retry_at FROM job_run WHERE state IN ('running', 'waiting') ORDER BY scheduled_for, job

-- name: list
SELECT r.*, coalesce(p.attempts, '[]') AS attempts FROM (
    SELECT * FROM job_run
    WHERE (CAST(:job AS text) IS NULL OR job = :job)
      AND (CAST(:scheduled_for AS timestamptz) IS NULL OR scheduled_for = :scheduled_for)
      AND (NOT :failed OR state IN ('waiting', 'failed') OR (job, scheduled_for) IN (
          SELECT job, scheduled_for FROM job_attempt WHERE ended IN ('failed', 'died')))
    ORDER BY started_at DESC, scheduled_for DESC LIMIT :most) r
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('attempt', a.attempt, 'started_at', a.started_at, 'ended_at', a.ended_at, 'run_by', a.run_by,
                                        'ended', a.ended, 'said', a.said) ORDER BY a.attempt) AS attempts
    FROM job_attempt a WHERE a.job = r.job AND a.scheduled_for = r.scheduled_for) p ON true
ORDER BY r.started_at DESC, r.scheduled_for DESC

-- name: last_of_each
SELECT DISTINCT ON (job) r.*, '[]'::jsonb AS attempts FROM job_run r WHERE job = ANY (CAST(:jobs AS text[])) ORDER BY job, scheduled_for DESC

-- name: case_of
SELECT subject FROM exception_case WHERE kind = 'job_failed' AND state = 'open' AND starts_with(subject, :job || ' ') ORDER BY exception_id LIMIT 1

-- name: close_cases
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = 'a later run of it is done'
WHERE kind = 'job_failed' AND state = 'open' AND starts_with(subject, :job || ' ')

-- name: role_of
SELECT role FROM app_user WHERE user_name = :actor
