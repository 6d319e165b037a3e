DROP TABLE job_attempt;
DROP TABLE job_run;
DROP FUNCTION job_attempt_is_kept();
DROP FUNCTION job_run_takes_its_steps();
