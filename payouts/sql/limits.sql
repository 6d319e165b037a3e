-- name: on
SELECT limit_on('two_approvers_from', :day) AS two_approvers_from, limit_on('entry', :day) AS entry, limit_on('cycle_total', :day) AS cycle_total

-- name: list
SELECT name, since, cents, days, set_by FROM dated_limit ORDER BY name, since

-- name: begins
SELECT FROM dated_limit WHERE name = :name AND since = CAST(:since AS date)

-- name: set
INSERT INTO dated_limit (name, since, cents, days, set_by) VALUES (:name, CAST(:since AS date), :cents, :days, :actor) ON CONFLICT (name, since) DO NOTHING
