-- name: lock_numbers
-- The turn that a roster and a new master key take: no number is added while numbers are sealed anew.
SELECT pg_advisory_xact_lock(hashtext('centralpay.directory'))

-- name: member
SELECT m.member_id, p.ncpdp_id, m.legal_name FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = :member_id

-- name: last_account
SELECT bank_account_id, routing_number, account_type, sealed_number, last_four FROM bank_account
WHERE member_id = :member_id ORDER BY in_use DESC LIMIT 1

-- name: open_change
SELECT change_id, bank_account_id, routing_number, account_type, sealed_number FROM bank_account_change
WHERE member_id = :member_id AND state IN ('asked', 'approved', 'prenoted')

-- name: refused_by_roster
-- What a roster asked before and a person or a bank turned down, the last one first.
SELECT change_id, bank_account_id, routing_number, account_type, sealed_number FROM bank_account_change
WHERE member_id = :member_id AND source = 'roster' AND state IN ('rejected', 'withdrawn', 'failed') ORDER BY change_id DESC

-- name: new_account_id
SELECT uuidv7()

-- name: add
INSERT INTO bank_account_change (member_id, bank_account_id, source, routing_number, account_type, sealed_number, last_four, reason,
    requested_by, requested_on, cooling_days)
VALUES (:member_id, :bank_account_id, :source, :routing_number, :account_type, :sealed_number, :last_four, :reason, :actor, :requested_on, :cooling_days)
RETURNING change_id

-- name: attach_approval
UPDATE bank_account_change SET approval_id = :approval_id WHERE change_id = :change_id

-- name: lock_approval
-- Before the change, as everybody locks them who decides.
SELECT a.approval_id FROM approval a JOIN bank_account_change c USING (approval_id) WHERE c.change_id = :change_id FOR UPDATE OF a

-- name: lock_change
SELECT c.change_id, c.member_id, c.bank_account_id, c.source, c.state, c.routing_number, c.account_type, c.last_four, c.requested_by, c.requested_on,
       c.cooling_days, c.called_by, c.called_on, c.call_confirmed, c.cooling_until, p.ncpdp_id, m.legal_name
FROM bank_account_change c JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) WHERE c.change_id = :change_id FOR UPDATE OF c

-- name: number_to_call
SELECT call_back_number(:change_id)

-- name: who_wrote_it
-- Who wrote down the contact that is to be called, and when by the database's clock: the second person sees how fresh it is.
SELECT k.recorded_by || ', ' || (k.recorded_at AT TIME ZONE 'America/New_York')::date
FROM bank_account_change c JOIN member_contact k ON k.member_id = c.member_id AND k.in_use @> trusted_contact_day(c.member_id, c.requested_on)
WHERE c.change_id = :change_id AND k.telephone = call_back_number(c.change_id)

-- name: record_call
UPDATE bank_account_change SET called_by = :actor, called_at = now(), called_on = :called_on, called_number = :called_number, spoke_with = :spoke_with,
    call_confirmed = CAST(:confirmed AS boolean), state = CASE WHEN CAST(:confirmed AS boolean) THEN state ELSE 'rejected' END
WHERE change_id = :change_id

-- name: approve
UPDATE bank_account_change SET state = 'approved', cooling_until = :cooling_until, usable_from = :usable_from WHERE change_id = :change_id

-- name: set_state
UPDATE bank_account_change SET state = :state WHERE change_id = :change_id

-- name: to_prenote
SELECT c.change_id, c.member_id, c.bank_account_id, c.routing_number, c.account_type, c.sealed_number, c.last_four, p.ncpdp_id, m.legal_name
FROM bank_account_change c JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE c.state = 'approved' AND c.source <> 'bank' ORDER BY c.change_id FOR UPDATE OF c

-- name: prenoted
UPDATE bank_account_change SET state = 'prenoted', prenote_settles_on = :settles_on, usable_from = :usable_from WHERE change_id = :change_id

-- name: due
-- An account begins where the one before ends: not before it began, nor on a day on which that one was still paid.
SELECT c.change_id, c.member_id, c.source, c.last_four, c.account_type, p.ncpdp_id, m.legal_name, b.last_four AS former_last_four,
       greatest(c.usable_from, lower(b.in_use) + 1, (
           SELECT max(y.effective_on) + 1 FROM payout o JOIN cycle y USING (cycle_id)
           WHERE o.bank_account_id = b.bank_account_id AND o.state IN ('released', 'settled', 'returned'))) AS starts_on
FROM bank_account_change c JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN bank_account b ON b.member_id = c.member_id AND upper_inf(b.in_use)
WHERE c.usable_from <= :on AND (c.state = 'prenoted' OR (c.state = 'approved' AND c.source = 'bank'))
ORDER BY c.change_id FOR UPDATE OF c

-- name: end_account
UPDATE bank_account SET in_use = daterange(lower(in_use), :starts_on) WHERE member_id = :member_id AND upper_inf(in_use)

-- name: begin_account
INSERT INTO bank_account (bank_account_id, member_id, in_use, routing_number, account_type, sealed_number, last_four)
SELECT bank_account_id, member_id, daterange(:starts_on, NULL), routing_number, account_type, sealed_number, last_four
FROM bank_account_change WHERE change_id = :change_id

-- name: close_case
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE kind = :kind AND subject = :subject AND state = 'open'

-- name: stop
INSERT INTO bank_account_stop (bank_account_id, stopped_on, reason, stopped_by) VALUES (:bank_account_id, :on, :reason, :actor)
ON CONFLICT (bank_account_id) WHERE lifted_at IS NULL DO NOTHING

-- name: lock_stop
SELECT s.reason FROM bank_account_stop s WHERE s.bank_account_id = :bank_account_id AND s.lifted_at IS NULL FOR UPDATE

-- name: lift
UPDATE bank_account_stop SET lifted_by = :actor, lifted_at = now(), lift_reason = :reason WHERE bank_account_id = :bank_account_id AND lifted_at IS NULL

-- name: stopped_accounts
SELECT s.bank_account_id FROM bank_account_stop s JOIN bank_account b USING (bank_account_id)
WHERE b.member_id = :member_id AND s.lifted_at IS NULL ORDER BY s.stopped_at

-- name: account_member
SELECT b.bank_account_id, b.last_four, p.ncpdp_id FROM bank_account b JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE b.bank_account_id = :bank_account_id

-- name: changes
-- All of a member, or those that are open, or all; the number itself is never among them.
SELECT c.change_id, c.member_id, p.ncpdp_id, c.source, c.routing_number, c.account_type, c.last_four, c.reason, c.requested_by, c.requested_on, c.state,
       c.called_by, c.called_on, c.called_number, c.spoke_with, c.call_confirmed, c.approval_id, a.state AS approval_state, a.decided_by, c.cooling_until,
       c.prenote_settles_on, c.usable_from, CASE WHEN c.state = 'asked' AND c.source <> 'bank' THEN call_back_number(c.change_id) END AS number_to_call
FROM bank_account_change c JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) LEFT JOIN approval a USING (approval_id)
WHERE (CAST(:member_id AS uuid) IS NULL OR c.member_id = :member_id) AND (:everything OR c.state IN ('asked', 'approved', 'prenoted'))
ORDER BY c.change_id

-- name: accounts
SELECT b.bank_account_id, lower(b.in_use) AS since, upper(b.in_use) - 1 AS until, b.routing_number, b.account_type, b.last_four, c.change_id
FROM bank_account b LEFT JOIN bank_account_change c USING (bank_account_id) WHERE b.member_id = :member_id ORDER BY b.in_use

-- name: stops
SELECT s.bank_account_id, b.last_four, s.stopped_on, s.reason, s.stopped_by, s.lifted_by, s.lift_reason
FROM bank_account_stop s JOIN bank_account b USING (bank_account_id) WHERE b.member_id = :member_id ORDER BY s.stopped_at
