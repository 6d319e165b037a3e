-- name: cycles_in_transit
SELECT c.cycle_id, c.business_date, c.released_cents, sum(o.amount_cents)::bigint AS in_transit_cents
FROM cycle c JOIN payout o USING (cycle_id) WHERE c.state = 'released' AND o.state = 'released' GROUP BY c.cycle_id ORDER BY c.cycle_id

-- name: payouts_in_transit
-- Only those whose amount some open debit has.
SELECT o.payout_id, o.cycle_id, o.member_id, o.amount_cents, o.trace_number, c.business_date, s.ncpdp_id
FROM cycle c JOIN payout o USING (cycle_id) JOIN member m USING (member_id) JOIN pharmacy s USING (pharmacy_id)
WHERE c.state = 'released' AND o.state = 'released' AND o.amount_cents = ANY (CAST(:amounts AS bigint[])) ORDER BY o.payout_id

-- name: still_released
SELECT payout_id FROM payout WHERE payout_id = ANY (CAST(:payout_ids AS bigint[])) AND state = 'released'

-- name: settlements
-- How often payouts were settled, reversed or not.
SELECT reference AS payout_id, count(*) AS times FROM line
WHERE account = 'in_transit' AND reference = ANY (CAST(:payout_ids AS bigint[])) AND event = 'payout_settled' GROUP BY reference

-- name: settle_these
UPDATE payout SET state = 'settled' WHERE payout_id = ANY (CAST(:payout_ids AS bigint[])) AND state = 'released'

-- name: left_in_transit
SELECT coalesce(sum(amount_cents), 0)::bigint FROM payout WHERE cycle_id = :cycle_id AND state = 'released'

-- name: sent_payout
-- A payout with what it was paid into, and since when that account's details are in use.
SELECT o.payout_id, o.cycle_id, o.member_id, o.amount_cents, o.state, o.trace_number, o.bank_account_id, s.ncpdp_id, m.legal_name,
       lower(a.in_use) AS details_since, a.last_four,
       EXISTS (SELECT FROM bank_account b WHERE b.member_id = o.member_id AND lower(b.in_use) < lower(a.in_use)) AS details_changed
FROM payout o JOIN member m USING (member_id) JOIN pharmacy s USING (pharmacy_id) LEFT JOIN bank_account a USING (bank_account_id)
WHERE o.payout_id = :payout_id

-- name: add_answer
INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents, received_on, text, entry_kind, payout_id, change_id,
    treatment, about_answer_id)
VALUES (:file_id, :line, :kind, :code, :original_trace, :answer_trace, :amount_cents, :received_on, :text, :entry_kind, :payout_id, :change_id,
    :treatment, :about_answer_id)
ON CONFLICT ON CONSTRAINT answer_is_taken_once DO NOTHING RETURNING answer_id

-- name: returns_of
-- Returns of an entry that were not put aside, the latest first: what a dispute or a second return is about.
SELECT answer_id, answer_trace, kind, state FROM ach_answer
WHERE original_trace = :original_trace AND received_on > CAST(:on AS date) - 366 AND kind = ANY (CAST(:kinds AS text[])) AND state <> 'closed'
ORDER BY answer_id DESC

-- name: close
UPDATE ach_answer SET state = 'closed', closed_by = :actor, close_reason = :reason WHERE answer_id = :answer_id

-- name: keep_hold
UPDATE ach_answer SET hold_id = :hold_id WHERE answer_id = :answer_id AND hold_id IS NULL

-- name: keep_asked_change
UPDATE ach_answer SET asked_change_id = :change_id WHERE answer_id = :answer_id

-- name: apply_change
UPDATE ach_answer SET state = 'applied' WHERE answer_id = :answer_id AND state = 'open'

-- name: mark_posted
UPDATE ach_answer SET state = 'posted', bank_line_id = :bank_line_id, fact_key = :fact_key, hold_id = :hold_id
WHERE answer_id = :answer_id AND state = 'open'

-- name: mark_returned
UPDATE payout SET state = 'returned' WHERE payout_id = :payout_id AND state = 'settled'

-- name: lock_answers
SELECT answer_id FROM ach_answer WHERE answer_id = ANY (CAST(:answer_ids AS bigint[])) ORDER BY answer_id FOR NO KEY UPDATE

-- name: answer_state
SELECT answer_id, kind, state, treatment, hold_id, asked_change_id FROM ach_answer WHERE answer_id = :answer_id

-- name: postings
-- How often this was posted, reversed or not.
SELECT count(*) FROM journal_transaction WHERE fact_key = :name OR fact_key LIKE :more

-- name: waiting
-- Open answers about money: returns and contested returns whose credit is awaited, dishonored returns whose debit is.
-- A contested return goes back under what froze its member when it came first.
SELECT a.answer_id, a.file_id, a.kind, a.code, a.treatment, a.original_trace, a.answer_trace, a.amount_cents, a.received_on, a.about_answer_id,
       coalesce(a.hold_id, (SELECT r.hold_id FROM ach_answer r JOIN hold f USING (hold_id)
                            WHERE a.kind = 'contested' AND r.payout_id = a.payout_id AND r.kind = 'return' AND r.answer_id < a.answer_id
                              AND f.state = 'active' AND f.kind IN ('legal', 'fraud') ORDER BY r.answer_id DESC LIMIT 1)) AS hold_id,
       a.payout_id, o.cycle_id, o.member_id, o.state AS payout_state, o.amount_cents AS payout_cents, s.ncpdp_id, c.business_date,
       b.state AS about_state, b.kind AS about_kind
FROM ach_answer a JOIN payout o USING (payout_id) JOIN cycle c USING (cycle_id) JOIN member m USING (member_id) JOIN pharmacy s USING (pharmacy_id)
LEFT JOIN ach_answer b ON b.answer_id = a.about_answer_id
WHERE a.state = 'open' AND a.entry_kind = 'payout' AND a.kind <> 'change'
  AND (CAST(:answer_ids AS bigint[]) IS NULL OR a.answer_id = ANY (CAST(:answer_ids AS bigint[])))
ORDER BY a.answer_id

-- name: posting_of
SELECT t.transaction_id, a.bank_line_id, a.fact_key, a.hold_id FROM ach_answer a JOIN journal_transaction t USING (fact_key)
WHERE a.answer_id = :answer_id

-- name: end_hold
-- Of a return that did not stand; a hold that keeps something stays.
UPDATE hold h SET state = 'ended', ended_at = now() WHERE h.hold_id = :hold_id AND h.state = 'active' AND h.kind = 'returned' AND NOT EXISTS (
    SELECT FROM line l WHERE l.reference = h.hold_id AND l.owner_id = h.member_id AND l.account = 'held'
      AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL HAVING sum(l.amount_cents) <> 0)

-- name: lock_sweep
SELECT pg_advisory_xact_lock(hashtext('centralpay.returned_cases'))

-- name: unsettled_notifications
-- Notifications that became a change of bank details, and what became of it.
SELECT a.answer_id, a.asked_change_id, b.state FROM ach_answer a JOIN bank_account_change b ON b.change_id = a.asked_change_id
WHERE a.state = 'open' AND a.kind = 'change' AND b.state <> 'asked' ORDER BY a.answer_id

-- name: resolve_case
UPDATE exception_case SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE kind = :kind AND subject = :subject AND state = 'open'

-- name: account_in_use
-- The last one that began: what the next payment goes into.
SELECT bank_account_id, routing_number, account_type, sealed_number FROM bank_account
WHERE member_id = :member_id ORDER BY lower(in_use) DESC LIMIT 1

-- name: returns_of_hold
-- What must be there before the money of a return leaves again: another account that is live, not stopped, and for fraud asked for
-- after the return and confirmed in a call-back; for a legal hold an authority's release. What a contested return asks for is what
-- the return asked for that stands by it.
SELECT a.answer_id, a.code, a.treatment, a.received_on, s.ncpdp_id, o.payout_id,
       EXISTS (SELECT FROM bank_account b JOIN bank_account_change c USING (bank_account_id)
               WHERE b.member_id = o.member_id AND b.bank_account_id <> o.bank_account_id AND upper_inf(b.in_use) AND c.state = 'live'
                 AND NOT EXISTS (SELECT FROM bank_account_stop x WHERE x.bank_account_id = b.bank_account_id AND x.lifted_at IS NULL)) AS has_other,
       EXISTS (SELECT FROM bank_account b JOIN bank_account_change c USING (bank_account_id)
               WHERE b.member_id = o.member_id AND b.bank_account_id <> o.bank_account_id AND upper_inf(b.in_use) AND c.state = 'live'
                 AND c.call_confirmed AND c.requested_on >= a.received_on
                 AND NOT EXISTS (SELECT FROM bank_account_stop x WHERE x.bank_account_id = b.bank_account_id AND x.lifted_at IS NULL)) AS has_confirmed,
       EXISTS (SELECT FROM release_order r WHERE r.hold_id = a.hold_id) AS is_released
FROM ach_answer k
JOIN ach_answer a ON a.answer_id = k.answer_id OR (k.kind = 'contested' AND a.kind = 'return' AND a.payout_id = k.payout_id AND a.answer_id < k.answer_id)
JOIN payout o ON o.payout_id = a.payout_id JOIN member m USING (member_id) JOIN pharmacy s USING (pharmacy_id)
WHERE k.hold_id = :hold_id AND k.state IN ('open', 'posted') AND k.kind <> 'dishonored' ORDER BY a.answer_id

-- name: add_release_order
INSERT INTO release_order (hold_id, authority, said, recorded_on, recorded_by) VALUES (:hold_id, :authority, :said, :on, :actor)

-- name: note_paid_again
-- Returned money whose lift the cycle's proposal saw, and that was not reversed since, leaves with what the cycle pays its member.
WITH paid AS (
    SELECT member_id, min(payout_id) AS payout_id FROM payout WHERE cycle_id = :cycle_id AND state = 'released' AND amount_cents > 0 GROUP BY member_id
), again AS (
    SELECT a.answer_id, p.payout_id FROM ach_answer a JOIN payout o USING (payout_id) JOIN paid p ON p.member_id = o.member_id
    JOIN cycle c ON c.cycle_id = :cycle_id
    WHERE a.state = 'posted' AND a.kind IN ('return', 'contested') AND a.paid_again_by IS NULL AND o.cycle_id <> :cycle_id
      AND EXISTS (SELECT FROM standing_line l JOIN journal_transaction t USING (transaction_id)
                  WHERE l.owner_id = o.member_id AND l.account = 'held' AND l.reference = a.hold_id AND l.event = 'hold_lifted'
                    AND coalesce(pg_visible_in_snapshot(t.xid, CAST(c.seen AS pg_snapshot)), t.recorded_at <= c.cut_off_at))
)
UPDATE ach_answer a SET paid_again_by = n.payout_id FROM again n WHERE a.answer_id = n.answer_id RETURNING a.answer_id, a.paid_again_by

-- name: answers
-- Answers with all that they belong to, oldest first.
SELECT a.answer_id, a.kind, a.code, a.treatment, a.state, a.amount_cents, a.received_on, a.text, a.original_trace, a.answer_trace, a.entry_kind,
       a.about_answer_id, a.asked_change_id, h.state AS change_state, a.close_reason, f.name AS file_name,
       o.payout_id, o.cycle_id, o.state AS payout_state, o.amount_cents AS payout_cents, o.trace_number AS payout_trace, s.ncpdp_id,
       a.bank_line_id, b.as_of AS booked_on, b.bank_reference, a.fact_key,
       a.hold_id, d.kind AS hold_kind, d.state AS hold_state, coalesce(k.cents, 0)::bigint AS held_cents,
       n.payout_id AS again_payout_id, n.cycle_id AS again_cycle_id, n.state AS again_state, n.trace_number AS again_trace, n.amount_cents AS again_cents
FROM ach_answer a JOIN received_file f USING (file_id)
LEFT JOIN payout o USING (payout_id) LEFT JOIN member m USING (member_id) LEFT JOIN pharmacy s USING (pharmacy_id)
LEFT JOIN bank_line b USING (bank_line_id) LEFT JOIN hold d USING (hold_id) LEFT JOIN bank_account_change h ON h.change_id = a.asked_change_id
LEFT JOIN payout n ON n.payout_id = a.paid_again_by
LEFT JOIN LATERAL (SELECT -sum(l.amount_cents) AS cents FROM line l WHERE l.reference = a.hold_id AND l.account = 'held' AND l.owner_id = d.member_id
    AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL) k ON true
WHERE (CAST(:answer_id AS numeric) IS NULL OR a.answer_id = :answer_id)
  AND (CAST(:payout_id AS bigint) IS NULL OR a.payout_id = :payout_id OR a.paid_again_by = :payout_id)
  AND (:everything OR a.state = 'open' OR (a.state = 'posted' AND a.kind <> 'dishonored' AND a.paid_again_by IS NULL))
ORDER BY a.answer_id LIMIT :most

-- name: links_of_cycle
-- Of a cycle's payouts those that came back, or by which what came back left again.
SELECT o.payout_id, max(a.answer_id) FILTER (WHERE a.payout_id = o.payout_id) AS returned_by,
       max(n.cycle_id) FILTER (WHERE a.payout_id = o.payout_id) AS paid_again_in,
       array_agg(a.answer_id ORDER BY a.answer_id) FILTER (WHERE a.paid_again_by = o.payout_id) AS pays_again
FROM ach_answer a JOIN payout o ON o.payout_id = a.payout_id OR o.payout_id = a.paid_again_by
LEFT JOIN payout n ON n.payout_id = a.paid_again_by
WHERE o.cycle_id = :cycle_id AND a.state = 'posted' AND a.kind IN ('return', 'contested') GROUP BY o.payout_id

-- name: reversals_in_transit
-- Reversing entries that were sent for settled payments, and whose money is not noted yet.
SELECT e.trace_number AS reversal_trace, p.trace_number AS original_trace, o.payout_id, o.amount_cents
FROM ach_entry e JOIN payout o USING (payout_id) JOIN ach_entry p ON p.payout_id = o.payout_id AND p.kind = 'payout'
WHERE e.kind = 'reversal' AND e.amount_cents = o.amount_cents AND (CAST(:payout_id AS bigint) IS NULL OR o.payout_id = :payout_id)
  AND NOT EXISTS (SELECT FROM ach_answer a WHERE a.payout_id = o.payout_id AND a.kind IN ('return', 'contested') AND a.state = 'posted')
ORDER BY e.trace_number

-- name: add_reversed
INSERT INTO ach_answer (file_id, line, kind, code, original_trace, answer_trace, amount_cents, received_on, text, entry_kind, payout_id, treatment)
SELECT b.file_id, 0, 'return', :code, :original_trace, :answer_trace, :amount_cents, :received_on, :text, 'payout', :payout_id, :treatment
FROM bank_line b WHERE b.bank_line_id = :bank_line_id
ON CONFLICT ON CONSTRAINT answer_is_taken_once DO NOTHING RETURNING answer_id

-- name: reversed_answer
SELECT answer_id FROM ach_answer WHERE original_trace = :original_trace AND answer_trace = :answer_trace AND kind = 'return' AND code = :code
