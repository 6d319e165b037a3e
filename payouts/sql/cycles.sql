-- name: lock_cycles
SELECT pg_advisory_xact_lock(hashtext('centralpay.cycle'))

-- name: open_cycle
-- Whoever decides on it or releases it right now is waited for.
SELECT c.cycle_id, c.business_date, c.state, coalesce(a.approvers_needed, 1) AS approvers_needed
FROM cycle c LEFT JOIN approval a USING (approval_id) WHERE c.state IN ('proposed', 'approved') FOR UPDATE OF c

-- name: void
UPDATE cycle SET state = 'void', void_reason = :reason, voided_by = :actor, voided_at = now() WHERE cycle_id = :cycle_id

-- name: exclude
UPDATE payout SET state = 'excluded', reason = :reason WHERE cycle_id = :cycle_id AND member_id = :member_id AND state IN ('proposed', 'approved')

-- name: payouts_of_member
SELECT p.ncpdp_id, o.state, o.reason, o.amount_cents FROM payout o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE o.cycle_id = :cycle_id AND o.member_id = :member_id ORDER BY o.payout_id

-- name: leaving_cents
SELECT coalesce(sum(amount_cents), 0)::bigint FROM payout WHERE cycle_id = :cycle_id AND state <> 'excluded'

-- name: add_cycle
INSERT INTO cycle (business_date, effective_on, odfi_routing, company_id, company_name, entry_description, proposed_by)
VALUES (:business_date, :effective_on, :odfi_routing, :company_id, :company_name, :entry_description, :actor) RETURNING cycle_id

-- name: fill_cycle
-- Who is due: by the days of the schedules since the last released cycle, and whom that one left out though it was due. Of those:
-- what is available by the day and now; months of fee, oldest first and whole, as far as it reaches; the rest is paid, unless it is
-- below the member's minimum: then all of it waits, its fee and its shares too. Money that is nothing but whole months of fee, such
-- as a member sends for an invoice, is collected on any day, minimum and account or not. Told are those that are paid, and those that are
-- due and not below their minimum with shares of advices that were funded by the day and that no cycle has told yet. A payment
-- for each advice is split from what is paid afterwards.
WITH last_released AS MATERIALIZED (
    SELECT cycle_id, business_date, cut_off_at, seen FROM cycle
    WHERE state IN ('released', 'settled') AND business_date <= :business_date ORDER BY business_date DESC, cycle_id DESC LIMIT 1
), due_schedule AS MATERIALIZED (
    SELECT payout_schedule FROM (SELECT DISTINCT payout_schedule FROM member) s
    WHERE payout_falls(payout_schedule, coalesce((SELECT business_date FROM last_released), CAST(:day_before AS date)), CAST(:business_date AS date))
), still_due AS MATERIALIZED (
    -- What was due and could not be paid: left out by a person, dropped at the release, without an account, or held until now.
    SELECT o.member_id FROM last_released JOIN payout o USING (cycle_id) WHERE o.state = 'excluded'
    UNION
    SELECT o.member_id FROM last_released JOIN cycle_omission o USING (cycle_id) WHERE o.reason IN ('account_stopped', 'no_bank_account', 'proof_fails')
    UNION
    SELECT e.owner_id FROM last_released c CROSS JOIN journal_transaction t JOIN entry e USING (transaction_id)
    WHERE t.event = 'hold_lifted' AND CASE WHEN c.seen IS NULL THEN t.recorded_at > c.cut_off_at
                                           ELSE NOT pg_visible_in_snapshot(t.xid, CAST(c.seen AS pg_snapshot)) END
), later AS MATERIALIZED (
    SELECT l.owner_id, l.account, l.event, l.reference, -l.amount_cents AS cents
    FROM journal_transaction t JOIN entry e USING (transaction_id) JOIN line l USING (owner_id, entry_id)
    WHERE t.effective_on > :business_date AND (l.account = 'due_available' OR (l.account = 'advised' AND l.event = 'funded'))
), open_fee AS MATERIALIZED (
    SELECT l.owner_id AS member_id, l.reference, sum(l.amount_cents)::bigint AS cents
    FROM line l WHERE l.account = 'fee_receivable' AND l.reference <= :reference GROUP BY l.owner_id, l.reference HAVING sum(l.amount_cents) > 0
), fee_step AS MATERIALIZED (
    SELECT f.*, sum(f.cents) OVER (PARTITION BY f.member_id ORDER BY f.reference) AS running FROM open_fee f
), member_known AS MATERIALIZED (
    SELECT m.member_id, least(b.credit_cents - b.debit_cents, b.credit_cents - b.debit_cents - coalesce(later.cents, 0))::bigint AS available,
           coalesce(h.credit_cents - h.debit_cents, 0) AS held,
           -- A stopped account is none.
           CASE WHEN s.bank_account_id IS NULL THEN a.bank_account_id END AS bank_account_id, s.bank_account_id IS NOT NULL AS is_stopped,
           coalesce(f.remittance_form, 'combined') AS form, l.has_left OR d.payout_schedule IS NOT NULL OR w.member_id IS NOT NULL AS is_due,
           CASE WHEN l.has_left THEN 0 ELSE m.payout_minimum_cents END AS minimum
    FROM member m
    -- Who has left is paid what comes, whenever a cycle runs.
    CROSS JOIN LATERAL (SELECT coalesce(upper(m.membership) <= :business_date, false) AS has_left) l
    LEFT JOIN due_schedule d ON d.payout_schedule = m.payout_schedule
    LEFT JOIN still_due w ON w.member_id = m.member_id
    JOIN balance b ON b.owner_id = m.member_id AND b.ledger = 'custody' AND b.account = 'due_available'
    LEFT JOIN balance h ON h.owner_id = m.member_id AND h.ledger = 'custody' AND h.account = 'held'
    LEFT JOIN (SELECT owner_id, sum(cents) AS cents FROM later WHERE account = 'due_available' GROUP BY owner_id) later
        ON later.owner_id = m.member_id
    LEFT JOIN bank_account a ON a.member_id = m.member_id AND a.in_use @> CAST(:effective_on AS date)
    LEFT JOIN bank_account_stop s ON s.bank_account_id = a.bank_account_id AND s.lifted_at IS NULL
    -- All contracts of a member have one form.
    LEFT JOIN (SELECT member_id, max(remittance_form) AS remittance_form FROM contract GROUP BY member_id) f ON f.member_id = m.member_id
    WHERE lower(m.membership) <= :business_date
), member_now AS MATERIALIZED (
    SELECT n.member_id, n.available, n.held, n.bank_account_id, n.is_stopped, n.form, n.minimum, n.is_due OR s.running IS NOT NULL AS is_due,
           s.running IS NOT NULL AS is_all_fee
    FROM member_known n
    LEFT JOIN (SELECT DISTINCT owner_id FROM share_to_remit WHERE cycle_id IS NULL) r ON r.owner_id = n.member_id
    LEFT JOIN fee_step s ON s.member_id = n.member_id AND s.running = n.available AND r.owner_id IS NULL
), payable AS MATERIALIZED (
    SELECT * FROM member_now WHERE is_due AND available > 0 AND (bank_account_id IS NOT NULL OR is_all_fee)
), collectable AS MATERIALIZED (
    SELECT f.member_id, f.reference, f.cents FROM fee_step f JOIN payable p USING (member_id) WHERE f.running <= p.available
), net AS MATERIALIZED (
    SELECT p.member_id, p.form, p.available - coalesce(sum(c.cents), 0)::bigint AS cents, coalesce(sum(c.cents), 0)::bigint AS fee_cents, p.bank_account_id,
           p.minimum
    FROM payable p LEFT JOIN collectable c USING (member_id) GROUP BY p.member_id, p.form, p.available, p.bank_account_id, p.minimum
), paid AS MATERIALIZED (
    SELECT * FROM net WHERE cents = 0 OR cents >= minimum
), collected AS MATERIALIZED (
    SELECT c.* FROM collectable c JOIN paid USING (member_id)
), waiting AS MATERIALIZED (
    -- Neither paid nor told, though there is an account to pay into.
    SELECT member_id, 'below_minimum' AS reason FROM net WHERE cents > 0 AND cents < minimum
    UNION ALL
    SELECT member_id, 'not_due' FROM member_now WHERE NOT is_due
), untold AS MATERIALIZED (
    SELECT s.owner_id AS member_id, s.advice_id FROM share_to_remit s JOIN advice a USING (advice_id)
    -- What came short is told whole when its first part comes; the rest stands as a balance carried.
    WHERE s.cycle_id IS NULL AND (a.state = 'funded' OR a.funded_cents > 0)
      AND NOT EXISTS (SELECT FROM later l WHERE l.account = 'advised' AND l.reference = a.advice_id)
      -- What is nothing for everybody has no entry: its own date is its day.
      AND (a.paid_on <= :business_date OR EXISTS (SELECT FROM journal_transaction t WHERE t.fact_key = 'advised:' || a.advice_id))
), untold_found AS MATERIALIZED (
    -- What people found to be a member's of the house's shares, by the day on which it was found.
    SELECT f.owner_id AS member_id, f.advice_id, f.found_share_id FROM found_share f JOIN advice a USING (advice_id)
    LEFT JOIN journal_transaction t USING (transaction_id)
    WHERE f.standing AND f.cycle_id IS NULL AND (a.state = 'funded' OR a.funded_cents > 0)
      AND coalesce(t.effective_on, a.paid_on) <= :business_date
      AND NOT EXISTS (SELECT FROM later l WHERE l.account = 'advised' AND l.reference = a.advice_id)
), told AS MATERIALIZED (
    SELECT n.member_id, n.form, coalesce(p.cents, 0) AS cents FROM member_now n LEFT JOIN paid p USING (member_id)
    WHERE p.member_id IS NOT NULL OR (n.member_id IN (SELECT member_id FROM untold UNION ALL SELECT member_id FROM untold_found)
                                      AND n.member_id NOT IN (SELECT member_id FROM waiting))
), remitted AS (
    INSERT INTO cycle_remittance (cycle_id, member_id, form, paid_cents) SELECT :cycle_id, member_id, form, cents FROM told ORDER BY member_id
), shares AS (
    INSERT INTO cycle_share (cycle_id, owner_id, advice_id)
    SELECT :cycle_id, member_id, advice_id FROM untold JOIN told USING (member_id) ORDER BY member_id, advice_id
), found_shares AS (
    INSERT INTO cycle_found_share (cycle_id, owner_id, advice_id, found_share_id)
    SELECT :cycle_id, member_id, advice_id, found_share_id FROM untold_found JOIN told USING (member_id) ORDER BY member_id, advice_id, found_share_id
), fee_items AS (
    INSERT INTO cycle_own_item (cycle_id, member_id, reference, reason, amount_cents)
    SELECT :cycle_id, member_id, 'PSAO-FEE-' || to_char(month_of_reference(reference), 'YYYY-MM'), 'CS', cents FROM collected
), made AS (
    INSERT INTO payout (cycle_id, member_id, amount_cents, fee_cents, bank_account_id)
    SELECT :cycle_id, member_id, cents, fee_cents, bank_account_id FROM paid WHERE form = 'combined' OR cents = 0 ORDER BY member_id
    RETURNING payout_id, member_id
), fees AS (
    INSERT INTO payout_fee (payout_id, month, amount_cents)
    SELECT m.payout_id, month_of_reference(c.reference), c.cents FROM collected c JOIN made m USING (member_id)
), omitted AS (
    INSERT INTO cycle_omission (cycle_id, member_id, available_cents, reason)
    SELECT :cycle_id, n.member_id, n.available, CASE WHEN n.available < 0 THEN 'negative' WHEN n.available = 0 AND n.held > 0 THEN 'held'
                                                     WHEN n.available = 0 THEN 'no_balance' WHEN w.reason IS NOT NULL THEN w.reason
                                                     WHEN n.is_stopped THEN 'account_stopped' ELSE 'no_bank_account' END
    FROM member_now n LEFT JOIN waiting w USING (member_id)
    WHERE n.available <= 0 OR (n.bank_account_id IS NULL AND NOT n.is_all_fee) OR w.member_id IS NOT NULL
)
-- The cut-off: what this one statement saw is what the rest of the proposal sees.
SELECT (SELECT count(*) FROM paid) AS paid, count(*) FILTER (WHERE w.reason = 'not_due') AS not_due,
       count(*) FILTER (WHERE w.reason = 'below_minimum') AS below_minimum, CAST(pg_current_snapshot() AS text) AS seen
FROM waiting w JOIN member_now n USING (member_id) WHERE n.available > 0

-- name: keep_seen
UPDATE cycle SET seen = :seen WHERE cycle_id = :cycle_id

-- name: set_hash
SELECT cycle_set_hash(:cycle_id)

-- name: attach_approval
UPDATE cycle SET approval_id = :approval_id WHERE cycle_id = :cycle_id

-- name: cycle
SELECT c.cycle_id, c.business_date, c.effective_on, c.state, c.odfi_routing, c.company_id, c.company_name, c.entry_description, c.approval_id,
       c.nacha_name, encode(c.nacha_sha256, 'hex') AS nacha_sha256, encode(c.children_sha256, 'hex') AS children_sha256,
       encode(c.notices_sha256, 'hex') AS notices_sha256, c.released_cents,
       c.cut_off_at, c.void_reason, c.voided_by, a.state AS approval_state, a.set_hash, a.proposed_by, a.approvers_needed, a.first_approved_by,
       a.decided_by, a.reason AS approval_reason
FROM cycle c LEFT JOIN approval a USING (approval_id) WHERE c.cycle_id = :cycle_id

-- name: told
SELECT (SELECT count(*) FROM (SELECT owner_id, advice_id FROM cycle_share WHERE cycle_id = :cycle_id
                              UNION SELECT owner_id, advice_id FROM cycle_found_share WHERE cycle_id = :cycle_id) t) AS shares,
       (SELECT coalesce(sum(a.claims_cents - a.plb_cents), 0)::bigint FROM cycle_share s JOIN advice_share a USING (owner_id, advice_id)
        WHERE s.cycle_id = :cycle_id)
       + (SELECT coalesce(sum(f.claims_cents - f.plb_cents), 0)::bigint FROM cycle_found_share s JOIN found_share f USING (found_share_id)
          WHERE s.cycle_id = :cycle_id) AS share_cents,
       (SELECT count(*) FROM cycle_own_item WHERE cycle_id = :cycle_id) AS own_items,
       (SELECT coalesce(sum(amount_cents), 0)::bigint FROM cycle_own_item WHERE cycle_id = :cycle_id) AS own_cents

-- name: lock_cycle
SELECT cycle_id FROM cycle WHERE cycle_id = :cycle_id FOR UPDATE

-- name: payouts
SELECT o.payout_id, o.member_id, p.ncpdp_id, m.legal_name, o.amount_cents, o.fee_cents, o.state, o.reason, o.trace_number,
       o.advice_id, v.trace_number AS payer_trace, a.routing_number, a.account_type, a.sealed_number, a.bank_account_id, a.last_four
FROM payout o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) LEFT JOIN bank_account a USING (bank_account_id)
LEFT JOIN advice v ON v.advice_id = o.advice_id
WHERE o.cycle_id = :cycle_id ORDER BY p.ncpdp_id, o.payout_id

-- name: payout_fees
SELECT f.payout_id, f.month, f.amount_cents FROM payout_fee f JOIN payout o USING (payout_id) WHERE o.cycle_id = :cycle_id

-- name: omissions
SELECT o.member_id, p.ncpdp_id, o.available_cents, o.reason
FROM cycle_omission o JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) WHERE o.cycle_id = :cycle_id ORDER BY p.ncpdp_id

-- name: cycles
SELECT c.cycle_id, c.business_date, c.effective_on, c.state, count(o.payout_id) FILTER (WHERE o.amount_cents > 0 AND o.state <> 'excluded') AS payouts,
       coalesce(sum(o.amount_cents) FILTER (WHERE o.state <> 'excluded'), 0)::bigint AS total_cents
FROM cycle c LEFT JOIN payout o USING (cycle_id) GROUP BY c.cycle_id, c.business_date, c.effective_on, c.state ORDER BY c.cycle_id

-- name: approve_cycle
UPDATE cycle SET state = 'approved' WHERE cycle_id = :cycle_id AND state = 'proposed'

-- name: approve_payouts
UPDATE payout SET state = 'approved' WHERE cycle_id = :cycle_id AND state = 'proposed'

-- name: missing_now
-- What a member's payouts and fees lack of what is available to it now.
SELECT o.member_id, (sum(o.amount_cents + o.fee_cents) - (b.credit_cents - b.debit_cents))::bigint AS missing_cents
FROM payout o JOIN balance b ON b.owner_id = o.member_id AND b.ledger = 'custody' AND b.account = 'due_available'
WHERE o.cycle_id = :cycle_id GROUP BY o.member_id, b.credit_cents, b.debit_cents
HAVING sum(o.amount_cents + o.fee_cents) > b.credit_cents - b.debit_cents

-- name: unpayable_accounts
-- Members whose account was stopped after approval, or is no longer theirs on the day on which the money would arrive.
SELECT DISTINCT ON (o.member_id) o.member_id, CASE WHEN s.bank_account_id IS NULL THEN format('its account is in use until %s only', upper(a.in_use) - 1)
           ELSE format('its account was stopped: %s', s.reason) END AS reason
FROM payout o JOIN cycle c USING (cycle_id) JOIN bank_account a USING (bank_account_id)
LEFT JOIN bank_account_stop s ON s.bank_account_id = a.bank_account_id AND s.lifted_at IS NULL
WHERE o.cycle_id = :cycle_id AND (s.bank_account_id IS NOT NULL OR NOT a.in_use @> c.effective_on) ORDER BY o.member_id

-- name: changed_fees
-- Members with fees in the set that are no longer open as they were approved.
SELECT DISTINCT o.member_id FROM payout_fee f JOIN payout o USING (payout_id)
CROSS JOIN LATERAL (SELECT coalesce(sum(l.amount_cents), 0) AS open_cents FROM line l WHERE l.account = 'fee_receivable' AND l.owner_id = o.member_id
    AND l.reference = (extract(year FROM f.month) * 100 + extract(month FROM f.month))::bigint) open
WHERE o.cycle_id = :cycle_id AND open.open_cents <> f.amount_cents

-- name: drop_payouts
UPDATE payout SET state = 'excluded', reason = n.reason
FROM unnest(CAST(:payout_ids AS bigint[]), CAST(:reasons AS text[])) AS n (payout_id, reason) WHERE payout.payout_id = n.payout_id

-- name: float_gate
SELECT coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_float'), 0)::bigint AS available_cents,
       coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'unmatched_debit'), 0)::bigint
       + greatest(coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'network_adjustment'), 0), 0)::bigint AS needed_cents
FROM balance WHERE owner_id = house_id() AND ledger = 'custody'

-- name: mark_payouts
UPDATE payout SET state = 'released', trace_number = n.trace_number
FROM unnest(CAST(:payout_ids AS bigint[]), CAST(:traces AS text[])) AS n (payout_id, trace_number)
WHERE payout.payout_id = n.payout_id AND payout.state = 'approved'

-- name: mark_cycle
UPDATE cycle SET state = 'released', released_by = :actor, nacha_name = :nacha_name, nacha_sha256 = :nacha_sha256, children_sha256 = :children_sha256,
    notices_sha256 = :notices_sha256, released_cents = :released_cents
WHERE cycle_id = :cycle_id AND state = 'approved'

-- name: record_cut_names
-- Nearly every name of a pharmacy is longer than its field: one statement, not one for each payout.
INSERT INTO activity (actor, action, subject)
SELECT :actor, 'receiver_name_cut', 'cycle ' || CAST(:cycle_id AS bigint) || ' ' || n.ncpdp_id FROM unnest(CAST(:ncpdp_ids AS text[])) AS n (ncpdp_id)

-- name: awaiting_settlement
SELECT cycle_id, business_date, effective_on, released_cents FROM cycle WHERE state = 'released' ORDER BY cycle_id

-- name: settle_cycle
UPDATE cycle SET state = 'settled', settled_by_bank_line = :bank_line_id WHERE cycle_id = :cycle_id AND state = 'released'

-- name: settle_payouts
UPDATE payout SET state = 'settled' WHERE cycle_id = :cycle_id AND state = 'released'

-- name: same_set
-- Whether two proposals pay the same members the same amounts for the same advices, with the same months of fee, tell them the
-- same and leave the same members out, from the same originator on the same days.
WITH said AS (
    SELECT cycle_id, concat_ws('|', 'cycle', business_date, effective_on, odfi_routing, company_id, company_name, entry_description) AS what
    FROM cycle WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'payout', member_id, advice_id, amount_cents, fee_cents, 'into', bank_account_id)
    FROM payout WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'remittance', member_id, form, paid_cents) FROM cycle_remittance WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'share', owner_id, advice_id) FROM cycle_share WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'found', owner_id, advice_id, found_share_id) FROM cycle_found_share WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'own', member_id, reference, reason, amount_cents) FROM cycle_own_item WHERE cycle_id IN (:one, :other)
    UNION ALL
    SELECT cycle_id, concat_ws('|', 'omitted', member_id, available_cents, reason) FROM cycle_omission WHERE cycle_id IN (:one, :other)
)
-- Nothing is said twice by one cycle: what both say is said two times.
SELECT NOT EXISTS (SELECT FROM said GROUP BY what HAVING count(*) <> 2)
