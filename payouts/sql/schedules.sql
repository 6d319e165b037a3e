-- When a member is paid, the least that it is paid, and the cut-offs of the bank's day.

-- name: member
SELECT m.member_id, p.ncpdp_id, m.legal_name, m.payout_schedule AS schedule, m.payout_minimum_cents AS minimum_cents,
       upper(m.membership) - 1 AS member_until
FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = :member_id

-- name: lock_member
SELECT FROM member WHERE member_id = :member_id FOR UPDATE

-- name: last_cycle
-- The business date of the last cycle that was released.
SELECT max(business_date) FROM cycle WHERE state IN ('released', 'settled') AND business_date <= CAST(:on AS date)

-- name: set_terms
UPDATE member SET payout_schedule = :schedule, payout_minimum_cents = :minimum_cents WHERE member_id = :member_id

-- name: cut_off
SELECT cut_off_on(:name, :day)

-- name: cut_offs
SELECT name, since, local_time, set_by FROM cut_off ORDER BY name, since

-- name: set_cut_off
INSERT INTO cut_off (name, since, local_time, set_by) VALUES (:name, :since, :local_time, :actor) ON CONFLICT (name, since) DO NOTHING
