-- Registers for an examiner: each is one statement for its rows and one for what the books say of its totals (:from_on to
-- :to_on, accounting dates). Everything is read as the journal stands on :to_on: what was reversed later stood then. The
-- second gives a row a tie: what is compared, which column of the register is summed, in which unit, and the books' figure.

-- name: remittances
-- Every advice: where it stands is what its lines say; one without lines is nothing for everybody, paid directly, or wrong. One whose
-- lines all come later, because its own month was closed, is of that later month alone.
WITH later AS MATERIALIZED (
    SELECT DISTINCT reference AS advice_id FROM line WHERE account = 'advised' AND event = 'advised' AND effective_on > :to_on
), advised AS MATERIALIZED (
    SELECT l.reference AS advice_id, min(l.effective_on) AS first_on,
           min(l.effective_on) FILTER (WHERE r.transaction_id IS NULL) AS stands_on,
           (sum(l.amount_cents) FILTER (WHERE r.transaction_id IS NULL))::bigint AS cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    LEFT JOIN journal_transaction r ON r.reverses = e.transaction_id AND r.effective_on <= :to_on
    WHERE l.account = 'advised' AND l.event = 'advised' AND l.effective_on <= :to_on GROUP BY l.reference
), funding AS MATERIALIZED (
    SELECT l.reference AS advice_id, e.transaction_id, max(l.effective_on) AS funded_on, -sum(l.amount_cents) AS cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.account = 'advised' AND l.event = 'funded' AND l.effective_on <= :to_on
      AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)
    GROUP BY l.reference, e.transaction_id
), deposit AS (
    SELECT f.advice_id, string_agg(DISTINCT b.bank_reference, ', ' ORDER BY b.bank_reference) AS bank_references
    FROM (SELECT DISTINCT advice_id, transaction_id FROM funding) f JOIN entry e USING (transaction_id)
    JOIN line l USING (owner_id, entry_id) JOIN bank_line b ON b.bank_line_id = l.reference
    WHERE l.account = 'unmatched_deposit' GROUP BY f.advice_id
), funded AS (
    SELECT advice_id, sum(cents)::bigint AS cents, max(funded_on) AS funded_on FROM funding GROUP BY advice_id
), shared AS (
    SELECT advice_id, count(*) FILTER (WHERE owner_id <> house_id()) AS members FROM advice_share GROUP BY advice_id
), told AS (
    SELECT a.advice_id, coalesce(w.stands_on, w.first_on, a.paid_on) AS advised_on, a.paid_on,
           (f.received_at AT TIME ZONE 'America/New_York')::date AS received_on, a.payer_id, a.payer_name, a.trace_number,
           encode(f.sha256, 'hex') AS file_sha256, a.set_ordinal, a.claim_count, coalesce(s.members, 0) AS members,
           a.payment_cents, a.claims_cents, a.plb_cents, d.cents AS paid_in, d.funded_on, p.bank_references,
           CASE WHEN w.stands_on IS NOT NULL THEN CASE WHEN d.cents IS NULL THEN 'accepted' WHEN d.cents = a.payment_cents THEN 'funded' ELSE 'partly funded' END
                WHEN a.state = 'replaced' OR w.first_on IS NOT NULL THEN 'replaced'
                WHEN a.direct_pay_id IS NOT NULL THEN 'direct' ELSE a.state END AS state
    FROM advice a JOIN received_file f USING (file_id) LEFT JOIN advised w USING (advice_id) LEFT JOIN funded d USING (advice_id)
    LEFT JOIN deposit p USING (advice_id) LEFT JOIN shared s USING (advice_id)
    WHERE w.advice_id IS NOT NULL OR NOT EXISTS (SELECT FROM later n WHERE n.advice_id = a.advice_id)
)
SELECT t.advice_id, t.received_on, t.advised_on, t.paid_on, t.payer_id, t.payer_name, t.trace_number, t.file_sha256, t.set_ordinal, t.claim_count,
       t.members, t.payment_cents, t.claims_cents, t.plb_cents, t.state, CASE WHEN t.state IN ('replaced', 'direct') THEN 0 ELSE t.payment_cents END AS standing_cents,
       coalesce(t.paid_in, 0) AS funded_cents, CASE WHEN t.state IN ('replaced', 'direct') THEN 0 ELSE t.payment_cents - coalesce(t.paid_in, 0) END AS waiting_cents,
       t.funded_on, t.bank_references, t.funded_on - t.advised_on AS days_to_funding
FROM told t WHERE t.advised_on BETWEEN :from_on AND :to_on ORDER BY t.advised_on, t.advice_id

-- name: remittances_ties
WITH stands AS MATERIALIZED (
    SELECT l.reference AS advice_id, min(l.effective_on) AS advised_on, sum(l.amount_cents) AS cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.account = 'advised' AND l.event = 'advised' AND l.effective_on <= :to_on
      AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)
    GROUP BY l.reference
)
SELECT 'BPR02 of the advices that stand = advised over all owners (P7)' AS what, 'standing_cents' AS column_name, 'cents' AS unit,
       coalesce(sum(cents) FILTER (WHERE advised_on >= :from_on), 0)::bigint AS books FROM stands
UNION ALL
SELECT 'what waits for its money = account advised, of these advices', 'waiting_cents', 'cents', coalesce(sum(l.amount_cents), 0)::bigint
FROM line l JOIN stands s ON s.advice_id = l.reference AND s.advised_on >= :from_on WHERE l.account = 'advised' AND l.effective_on <= :to_on

-- name: payouts
-- What left or was to leave, or came back, in these days, and all that is still on its way at their end.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.reference, l.event, l.effective_on, l.amount_cents, e.transaction_id,
           EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on) AS turned
    FROM line l JOIN entry e USING (owner_id, entry_id) WHERE l.account = 'in_transit' AND l.effective_on <= :to_on
), debit AS MATERIALIZED (
    SELECT e.transaction_id, string_agg(DISTINCT b.bank_reference, ', ' ORDER BY b.bank_reference) AS bank_references, max(b.as_of) AS debited_on
    FROM (SELECT DISTINCT transaction_id FROM moved WHERE event = 'payout_settled' AND NOT turned) s JOIN entry e USING (transaction_id)
    JOIN line l USING (owner_id, entry_id) JOIN bank_line b ON b.bank_line_id = l.reference
    WHERE l.account = 'unmatched_debit' GROUP BY e.transaction_id
), returned AS MATERIALIZED (
    SELECT p.payout_id, max(p.effective_on) AS returned_on, string_agg(DISTINCT p.code, ', ') AS codes, -sum(l.amount_cents) AS cents,
           -coalesce(sum(l.amount_cents) FILTER (WHERE p.effective_on >= :from_on), 0) AS in_range_cents
    FROM posted_return p JOIN entry e USING (transaction_id) JOIN line l USING (owner_id, entry_id)
    WHERE p.effective_on <= :to_on AND (p.turned_on > :to_on) IS NOT FALSE AND l.account = 'held' GROUP BY p.payout_id
), item AS (
    SELECT m.owner_id, m.reference, min(m.effective_on) FILTER (WHERE m.event NOT IN ('payout_settled', 'reversed')) AS released_on,
           -sum(m.amount_cents) FILTER (WHERE m.event NOT IN ('payout_settled', 'reversed')) AS amount_cents,
           coalesce(-sum(m.amount_cents) FILTER (WHERE m.event NOT IN ('payout_settled', 'reversed') AND m.effective_on >= :from_on), 0) AS released_in_range_cents,
           coalesce(-sum(m.amount_cents) FILTER (WHERE m.event NOT IN ('payout_settled', 'reversed') AND m.turned), 0) AS voided_cents,
           coalesce(sum(m.amount_cents) FILTER (WHERE m.event = 'payout_settled' AND NOT m.turned), 0) AS settled_cents,
           coalesce(sum(m.amount_cents) FILTER (WHERE m.event = 'payout_settled' AND NOT m.turned AND m.effective_on >= :from_on), 0) AS settled_in_range_cents,
           max(m.effective_on) FILTER (WHERE m.event = 'payout_settled' AND NOT m.turned) AS settled_on,
           max(m.transaction_id) FILTER (WHERE m.event = 'payout_settled' AND NOT m.turned) AS settled_by, -sum(m.amount_cents) AS outstanding_cents
    FROM moved m GROUP BY m.owner_id, m.reference
)
SELECT i.reference AS payout_id, coalesce(d.kind, 'payout') AS kind, coalesce(p.ncpdp_id, 'house') AS owner, o.cycle_id, i.released_on,
       coalesce(o.trace_number, 'CP-' || d.disbursement_id) AS trace_number, b.last_four AS account_last_four,
       CASE WHEN i.outstanding_cents <> 0 THEN 'in transit' WHEN i.settled_cents = 0 THEN 'voided' WHEN r.payout_id IS NOT NULL THEN 'returned'
            ELSE 'settled' END AS state,
       i.amount_cents::bigint, i.voided_cents::bigint, i.settled_on, x.bank_references, i.settled_cents::bigint, r.returned_on, r.codes AS return_code,
       coalesce(r.cents, 0)::bigint AS returned_cents, i.outstanding_cents::bigint, i.released_in_range_cents::bigint, i.settled_in_range_cents::bigint,
       coalesce(r.in_range_cents, 0)::bigint AS returned_in_range_cents, CASE WHEN i.outstanding_cents <> 0 THEN :to_on - i.released_on END AS days_outstanding
FROM item i LEFT JOIN payout o ON o.payout_id = i.reference LEFT JOIN disbursement d ON d.disbursement_id = i.reference
LEFT JOIN bank_account b ON b.bank_account_id = o.bank_account_id LEFT JOIN member m ON m.member_id = i.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN debit x ON x.transaction_id = i.settled_by LEFT JOIN returned r ON r.payout_id = i.reference
WHERE i.outstanding_cents <> 0 OR i.released_on BETWEEN :from_on AND :to_on OR i.settled_on BETWEEN :from_on AND :to_on
   OR r.returned_on BETWEEN :from_on AND :to_on
ORDER BY i.released_on, i.reference

-- name: payouts_ties
WITH debit AS MATERIALIZED (
    SELECT l.reference, sum(l.amount_cents) AS balance_cents, coalesce(-sum(l.amount_cents) FILTER (WHERE l.event = 'payout_settled' AND NOT x.turned
               AND l.effective_on >= :from_on), 0) AS settled_cents, sum(l.amount_cents) FILTER (WHERE l.event = 'debited') AS booked_cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on) AS turned) x
    WHERE l.account = 'unmatched_debit' AND l.effective_on <= :to_on GROUP BY l.reference
)
SELECT 'outstanding = account in_transit' AS what, 'outstanding_cents' AS column_name, 'cents' AS unit, coalesce(-sum(amount_cents), 0)::bigint AS books
FROM line WHERE account = 'in_transit' AND effective_on <= :to_on
UNION ALL
SELECT 'released = what left available, levied, unclaimed and refundable money', 'released_in_range_cents', 'cents', coalesce(sum(amount_cents), 0)::bigint
FROM line WHERE account IN ('due_available', 'levied', 'unclaimed', 'due_to_payer') AND effective_on BETWEEN :from_on AND :to_on
  AND event IN ('payout_released', 'levy_released', 'escheat_released', 'refund_released')
UNION ALL
-- The bank's own amounts, less what of these debits is open or was explained otherwise.
SELECT 'settled = what the bank debited for it', 'settled_in_range_cents', 'cents',
       coalesce(sum(-b.amount_cents - (d.booked_cents - d.settled_cents)), 0)::bigint
FROM debit d JOIN bank_line b ON b.bank_line_id = d.reference WHERE d.settled_cents <> 0
UNION ALL
SELECT 'returned = deposits explained as returns', 'returned_in_range_cents', 'cents', coalesce(sum(l.amount_cents), 0)::bigint
FROM line l JOIN entry e USING (owner_id, entry_id)
WHERE l.account = 'unmatched_deposit' AND l.event = 'payout_returned' AND l.effective_on BETWEEN :from_on AND :to_on
  AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)

-- name: outstanding
-- What members are owed and have not: each advice that waits, what is available since the oldest part of it came, what a hold
-- keeps, what is levied or unclaimed, each payout on its way.
WITH item AS MATERIALIZED (
    SELECT l.owner_id, l.account, l.reference, -sum(l.amount_cents) AS cents, min(l.effective_on) AS since
    FROM line l WHERE l.account IN ('due_unfunded', 'held', 'levied', 'unclaimed', 'in_transit') AND l.effective_on <= :to_on AND l.owner_id <> house_id()
    GROUP BY l.owner_id, l.account, l.reference HAVING sum(l.amount_cents) <> 0
), available AS MATERIALIZED (
    SELECT l.owner_id, -sum(l.amount_cents) AS cents FROM line l
    WHERE l.account = 'due_available' AND l.effective_on <= :to_on AND l.owner_id <> house_id() GROUP BY l.owner_id HAVING sum(l.amount_cents) < 0
), credit AS (
    -- First in, first out: what is there now are the latest credits.
    SELECT l.owner_id, l.effective_on, a.cents, sum(-l.amount_cents) OVER (PARTITION BY l.owner_id ORDER BY l.effective_on DESC, l.entry_id DESC, l.line_no DESC) AS running
    FROM available a JOIN line l ON l.owner_id = a.owner_id AND l.account = 'due_available' AND l.effective_on <= :to_on AND l.amount_cents < 0
), said AS (
    SELECT owner_id, account::text AS account, reference, cents, since FROM item
    UNION ALL
    SELECT owner_id, 'due_available', NULL, cents, max(effective_on) FILTER (WHERE running >= cents) FROM credit GROUP BY owner_id, cents
)
SELECT p.ncpdp_id AS owner, m.dba_name AS name, CASE s.account WHEN 'due_unfunded' THEN 'not funded' WHEN 'due_available' THEN 'available' WHEN 'in_transit' THEN 'in transit'
           ELSE s.account END AS kind,
       CASE s.account WHEN 'due_unfunded' THEN coalesce('835 ' || a.trace_number, 'none') WHEN 'in_transit' THEN coalesce('trace ' || o.trace_number, 'CP-' || s.reference)
            WHEN 'due_available' THEN 'balance' ELSE coalesce('hold ' || s.reference, 'no hold') END AS item,
       s.since, :to_on - s.since AS days, s.cents::bigint AS amount_cents,
       CASE s.account WHEN 'due_unfunded' THEN s.cents ELSE 0 END::bigint AS unfunded_cents, CASE s.account WHEN 'due_available' THEN s.cents ELSE 0 END::bigint AS available_cents,
       CASE s.account WHEN 'held' THEN s.cents ELSE 0 END::bigint AS held_cents, CASE WHEN s.account IN ('levied', 'unclaimed') THEN s.cents ELSE 0 END::bigint AS others_cents,
       CASE s.account WHEN 'in_transit' THEN s.cents ELSE 0 END::bigint AS in_transit_cents
FROM said s JOIN member m ON m.member_id = s.owner_id JOIN pharmacy p USING (pharmacy_id) LEFT JOIN advice a ON s.account = 'due_unfunded' AND a.advice_id = s.reference
LEFT JOIN payout o ON s.account = 'in_transit' AND o.payout_id = s.reference
ORDER BY s.since, p.ncpdp_id, s.account, s.reference

-- name: outstanding_ties
-- By owner and account alone, as the trial balance has it; of what is available those who are owed, not those who owe.
WITH stands AS MATERIALIZED (
    SELECT owner_id, account, -sum(amount_cents) AS cents FROM line WHERE ledger = 'custody' AND effective_on <= :to_on AND owner_id <> house_id()
      AND account IN ('due_unfunded', 'due_available', 'held', 'levied', 'unclaimed', 'in_transit') GROUP BY owner_id, account
)
SELECT t.what, t.column_name, 'cents' AS unit,
       coalesce((SELECT sum(CASE account WHEN 'due_available' THEN greatest(cents, 0) ELSE cents END) FROM stands WHERE account::text = ANY (t.accounts)), 0)::bigint AS books
FROM (VALUES ('not funded = account due_unfunded', 'unfunded_cents', ARRAY['due_unfunded']), ('available = account due_available of whom is owed', 'available_cents', ARRAY['due_available']),
             ('held = account held', 'held_cents', ARRAY['held']), ('levied and unclaimed = their accounts', 'others_cents', ARRAY['levied', 'unclaimed']),
             ('in transit = account in_transit of the members', 'in_transit_cents', ARRAY['in_transit'])) AS t (what, column_name, accounts)

-- name: suspense
-- Money that is nobody's yet, and debits that nothing explains, by the bank line, the identifier or the advice that they are of.
WITH item AS MATERIALIZED (
    SELECT l.account, l.reference, sum(l.amount_cents) * CASE WHEN l.account = 'unmatched_debit' THEN 1 ELSE -1 END AS cents,
           count(*) AS lines, min(l.effective_on) AS since
    FROM line l WHERE l.owner_id = house_id() AND l.effective_on <= :to_on
      AND l.account IN ('unmatched_deposit', 'suspense', 'unknown_payee', 'unknown_payee_unfunded', 'unmatched_debit', 'due_to_payer', 'interest_due',
                        'network_adjustment', 'network_adjustment_unfunded')
    GROUP BY l.account, l.reference HAVING sum(l.amount_cents) <> 0
)
SELECT i.account::text AS account, coalesce(b.bank_reference, u.identifier, a.trace_number, i.reference::text, 'none') AS item, coalesce(b.description, a.payer_name, '') AS says,
       coalesce(b.as_of, i.since) AS since, :to_on - coalesce(b.as_of, i.since) AS days, i.cents::bigint AS amount_cents,
       CASE WHEN g.days <= 7 THEN i.cents ELSE 0 END::bigint AS to_7_cents, CASE WHEN g.days BETWEEN 8 AND 30 THEN i.cents ELSE 0 END::bigint AS to_30_cents,
       CASE WHEN g.days BETWEEN 31 AND 60 THEN i.cents ELSE 0 END::bigint AS to_60_cents, CASE WHEN g.days BETWEEN 61 AND 90 THEN i.cents ELSE 0 END::bigint AS to_90_cents,
       CASE WHEN g.days > 90 THEN i.cents ELSE 0 END::bigint AS over_90_cents,
       CASE WHEN i.account = 'unmatched_debit' THEN 0 ELSE i.cents END::bigint AS owed_cents, CASE WHEN i.account = 'unmatched_debit' THEN i.cents ELSE 0 END::bigint AS unexplained_cents
FROM item i LEFT JOIN bank_line b ON i.account IN ('unmatched_deposit', 'suspense', 'unmatched_debit', 'due_to_payer') AND b.bank_line_id = i.reference
LEFT JOIN unknown_payee u ON i.account IN ('unknown_payee', 'unknown_payee_unfunded') AND u.unknown_payee_id = i.reference
LEFT JOIN advice a ON i.account IN ('network_adjustment', 'network_adjustment_unfunded') AND a.advice_id = i.reference
CROSS JOIN LATERAL (SELECT :to_on - coalesce(b.as_of, i.since) AS days) g
ORDER BY 4, 1, 2

-- name: suspense_ties
SELECT 'owed to who is not known yet = the house''s accounts' AS what, 'owed_cents' AS column_name, 'cents' AS unit, coalesce(-sum(amount_cents) FILTER (WHERE account <> 'unmatched_debit'), 0)::bigint AS books
FROM line WHERE owner_id = house_id() AND effective_on <= :to_on AND account IN ('unmatched_deposit', 'suspense', 'unknown_payee', 'unknown_payee_unfunded', 'unmatched_debit',
    'due_to_payer', 'interest_due', 'network_adjustment', 'network_adjustment_unfunded')
UNION ALL
-- By the bank's own lines: what it debited until then, less what its debits were explained as.
SELECT 'unexplained = the bank''s debits less those that are explained', 'unexplained_cents', 'cents',
       coalesce((SELECT -sum(b.amount_cents) FROM journal_transaction t JOIN bank_line b USING (bank_line_id) WHERE t.event = 'debited' AND t.effective_on <= :to_on), 0)::bigint
       - coalesce((SELECT -sum(amount_cents) FROM line WHERE account = 'unmatched_debit' AND event <> 'debited' AND effective_on <= :to_on), 0)::bigint

-- name: negatives
-- Members that owed at any time in these days, and the PSAO's own money that stood in: rolled forward.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.effective_on, l.event, t.event AS cause, -l.amount_cents AS cents,
           row_number() OVER own AS place, sum(-l.amount_cents) OVER own AS stands
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE l.account = 'operating_advance' AND l.effective_on <= :to_on
    WINDOW own AS (PARTITION BY l.owner_id ORDER BY l.effective_on, l.entry_id, l.line_no)
), level AS (
    SELECT owner_id, max(place) AS place FROM moved WHERE stands <= 0 GROUP BY owner_id
), rolled AS (
    SELECT m.owner_id, min(m.effective_on) FILTER (WHERE m.place > coalesce(v.place, 0)) AS since,
           coalesce(sum(m.cents) FILTER (WHERE m.effective_on < :from_on), 0)::bigint AS opening_cents,
           coalesce(sum(m.cents) FILTER (WHERE m.effective_on >= :from_on AND m.event = 'advanced'), 0)::bigint AS advanced_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.effective_on >= :from_on AND m.event = 'advance_repaid' AND m.cause <> 'member_paid'), 0)::bigint AS recovered_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.effective_on >= :from_on AND m.event = 'advance_repaid' AND m.cause = 'member_paid'), 0)::bigint AS paid_back_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.effective_on >= :from_on AND m.event = 'advance_written_off'), 0)::bigint AS written_off_cents,
           coalesce(sum(m.cents) FILTER (WHERE m.effective_on >= :from_on AND m.event = 'reversed'), 0)::bigint AS turned_cents,
           sum(m.cents)::bigint AS closing_cents
    FROM moved m LEFT JOIN level v USING (owner_id) GROUP BY m.owner_id
)
SELECT p.ncpdp_id AS owner, m.dba_name AS name, r.since, CASE WHEN r.closing_cents > 0 THEN :to_on - r.since END AS days, r.opening_cents, r.advanced_cents, r.recovered_cents,
       r.paid_back_cents, r.written_off_cents, r.turned_cents, r.closing_cents
FROM rolled r JOIN member m ON m.member_id = r.owner_id JOIN pharmacy p USING (pharmacy_id)
WHERE (r.opening_cents, r.advanced_cents, r.recovered_cents, r.paid_back_cents, r.written_off_cents, r.turned_cents, r.closing_cents) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0)
ORDER BY r.closing_cents DESC, p.ncpdp_id

-- name: negatives_ties
-- An advance is what its member owes whenever something is posted. As of a day it need not be: what came later with an earlier date
-- stands in the balance of that day, and repaid what was lent after it. Of such a member it is the other ledger that is asked.
WITH owing AS MATERIALIZED (
    SELECT owner_id, sum(amount_cents) AS cents FROM line WHERE account = 'due_available' AND effective_on <= :to_on AND owner_id <> house_id() GROUP BY owner_id
), lent AS MATERIALIZED (
    SELECT l.owner_id, coalesce(sum(l.amount_cents) FILTER (WHERE l.account = 'advance_receivable' AND l.effective_on <= :to_on), 0) AS cents,
           max(e.transaction_id) FILTER (WHERE l.effective_on <= :to_on) > min(e.transaction_id) FILTER (WHERE l.effective_on > :to_on) AS is_dated_back
    FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.account IN ('due_available', 'advance_receivable') AND l.owner_id = ANY (ARRAY(
        SELECT owner_id FROM line WHERE account = 'advance_receivable' UNION SELECT owner_id FROM owing WHERE cents > 0))
    GROUP BY l.owner_id
)
SELECT 'advances = what members owe (account due_available in debit)' AS what, 'closing_cents' AS column_name, 'cents' AS unit,
       coalesce(sum(CASE WHEN n.is_dated_back THEN n.cents ELSE greatest(o.cents, 0) END), 0)::bigint AS books
FROM owing o FULL JOIN lent n USING (owner_id)
UNION ALL
SELECT 'advances = account advance_receivable of the operating ledger (P9)', 'closing_cents', 'cents', coalesce(sum(amount_cents), 0)::bigint
FROM line WHERE account = 'advance_receivable' AND effective_on <= :to_on
UNION ALL
SELECT 'written off = account bad_debt', 'written_off_cents', 'cents', coalesce(sum(amount_cents), 0)::bigint
FROM line WHERE account = 'bad_debt' AND event = 'advance_written_off' AND effective_on BETWEEN :from_on AND :to_on

-- name: holds
-- Every hold and order of law that was placed by the day, and what became of it by then.
WITH kept AS MATERIALIZED (
    SELECT l.owner_id, l.reference, coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'held'), 0) AS held, coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'levied'), 0) AS levied,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'unclaimed'), 0) AS unclaimed,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.account = 'held' AND l.event IN ('held', 'payout_returned')), 0) AS taken, min(l.effective_on) AS since
    FROM line l WHERE l.account IN ('held', 'levied', 'unclaimed') AND l.effective_on <= :to_on GROUP BY l.owner_id, l.reference
), placed AS (
    -- It ended on the accounting day of the last that it gave, or, if it never kept anything, on the day of the person's word.
    SELECT h.*, e.ended_on, coalesce(e.ended_on <= :to_on, false) AS is_over FROM hold h
    CROSS JOIN LATERAL (SELECT CASE WHEN h.ended_at IS NOT NULL THEN coalesce(
        (SELECT max(l.effective_on) FROM line l WHERE l.reference = h.hold_id AND l.account = 'held' AND l.owner_id = h.member_id),
        (h.ended_at AT TIME ZONE 'America/New_York')::date) END AS ended_on) e
    WHERE h.placed_on <= :to_on
)
SELECT h.hold_id, p.ncpdp_id AS owner, coalesce(h.kind, 'none') AS kind, coalesce(h.reason, 'posted under no hold') AS reason, coalesce(h.authority, '') AS authority,
       v.payee, h.payer_id AS only_payer, h.limit_cents, coalesce(h.placed_on, k.since) AS placed_on, h.placed_by, h.review_on AS review_date,
       CASE WHEN h.hold_id IS NULL THEN 'none' WHEN h.is_over THEN h.state ELSE 'active' END AS state,
       CASE WHEN h.is_over THEN h.ended_on END AS ended_on, CASE WHEN h.is_over THEN a.approval_id END AS approval_id,
       CASE WHEN h.is_over THEN a.proposed_by END AS lift_asked_by, CASE WHEN h.is_over THEN a.decided_by END AS lift_approved_by,
       coalesce(k.taken, 0)::bigint AS taken_cents, coalesce(k.held, 0)::bigint AS held_cents, coalesce(k.levied, 0)::bigint AS levied_cents,
       coalesce(k.unclaimed, 0)::bigint AS unclaimed_cents
FROM placed h FULL JOIN kept k ON k.reference = h.hold_id AND k.owner_id = h.member_id
JOIN member m ON m.member_id = coalesce(h.member_id, k.owner_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN levy v ON v.hold_id = h.hold_id LEFT JOIN approval a ON a.approval_id = h.approval_id
WHERE h.hold_id IS NOT NULL OR (k.held, k.levied, k.unclaimed) IS DISTINCT FROM (0::numeric, 0::numeric, 0::numeric)
ORDER BY 9, h.hold_id, p.ncpdp_id

-- name: holds_ties
SELECT t.account || ' now = account ' || t.account AS what, t.account || '_cents' AS column_name, 'cents' AS unit,
       coalesce((SELECT -sum(amount_cents) FROM line WHERE account::text = t.account AND effective_on <= :to_on), 0)::bigint AS books
FROM unnest(ARRAY['held', 'levied', 'unclaimed']) AS t (account)

-- name: corrections
-- Reversals with their originals, and what people moved between members, each with who asked and who approved. Who carried a
-- decision out did it in the moment of deciding: an approval is its posting's when moment and person are the same.
WITH done AS MATERIALIZED (
    SELECT t.transaction_id, t.event, t.effective_on, t.recorded_at, t.actor, t.reason, t.reverses, t.fact_key
    FROM journal_transaction t WHERE t.effective_on BETWEEN :from_on AND :to_on AND t.event IN ('reversed', 'member_corrected')
), amount AS MATERIALIZED (
    -- Cash goes from owner to owner, and the PSAO's own money stands in both ledgers: an amount counts neither twice.
    SELECT e.transaction_id, sum(l.amount_cents) AS debits_cents,
           greatest(sum(l.amount_cents) FILTER (WHERE l.ledger = 'custody' AND l.account <> 'cash' AND e.event NOT IN ('advanced', 'advance_repaid')),
                    sum(l.amount_cents) FILTER (WHERE l.ledger = 'operating' AND e.event NOT IN ('advanced', 'advance_repaid'))) AS cents
    FROM entry e JOIN line l USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE e.transaction_id = ANY (ARRAY(SELECT transaction_id FROM done UNION SELECT reverses FROM done WHERE reverses IS NOT NULL))
      -- A reversal turns the advances of its original too; those that it makes necessary itself are no part of it.
      AND l.amount_cents > 0 AND (t.event <> 'reversed' OR e.event = 'reversed') GROUP BY e.transaction_id
), concerned AS (
    SELECT e.transaction_id, string_agg(DISTINCT coalesce(p.ncpdp_id, 'house'), ', ' ORDER BY coalesce(p.ncpdp_id, 'house')) FILTER (WHERE e.owner_id <> house_id()) AS owners
    FROM done d JOIN entry e USING (transaction_id) LEFT JOIN member m ON m.member_id = e.owner_id LEFT JOIN pharmacy p USING (pharmacy_id) GROUP BY e.transaction_id
)
SELECT CASE WHEN d.event = 'member_corrected' THEN 'member correction' WHEN r.advice_id IS NOT NULL THEN 'replaced advice' ELSE 'reversal' END AS kind, d.transaction_id, d.effective_on,
       (d.recorded_at AT TIME ZONE 'America/New_York')::date AS entered_on, o.transaction_id AS original_id, o.event::text AS original_event, o.effective_on AS original_on,
       d.effective_on - o.effective_on AS days_between, c.owners AS members, d.reason,
       coalesce(a.proposed_by, d.actor) AS asked_by, CASE WHEN a.approval_id IS NULL THEN NULL ELSE d.actor END AS approved_by, a.approval_id,
       w.cents::bigint AS original_cents, n.cents::bigint AS amount_cents, CASE WHEN d.event = 'reversed' THEN w.debits_cents ELSE 0 END::bigint AS original_debits_cents,
       CASE WHEN d.event = 'reversed' THEN n.debits_cents ELSE 0 END::bigint AS reversed_debits_cents,
       CASE WHEN d.event = 'member_corrected' THEN n.cents ELSE 0 END::bigint AS corrected_cents, k.claims,
       CASE WHEN r.advice_id IS NOT NULL THEN format('advice %s by advice %s', r.replaces, r.advice_id) END AS replaced
FROM done d JOIN amount n USING (transaction_id) LEFT JOIN journal_transaction o ON o.transaction_id = d.reverses
LEFT JOIN amount w ON w.transaction_id = o.transaction_id LEFT JOIN concerned c ON c.transaction_id = d.transaction_id
LEFT JOIN LATERAL (SELECT approval_id, proposed_by FROM approval a WHERE a.state = 'approved' AND a.decided_at = d.recorded_at AND a.decided_by = d.actor
                   ORDER BY approval_id LIMIT 1) a ON true
LEFT JOIN advice_replacement r ON r.approval_id = a.approval_id
LEFT JOIN LATERAL (SELECT string_agg(format('advice %s claim %s (Rx %s)', advice_id, segment, rx_number), '; ' ORDER BY place) AS claims
                   FROM correction_claim WHERE d.event = 'member_corrected' AND approval_id = a.approval_id) k ON true
ORDER BY d.effective_on, d.transaction_id

-- name: corrections_ties
-- What was turned is what stood, but for advances that it made necessary: each side is read from the other one's books.
WITH turned AS MATERIALIZED (SELECT transaction_id, reverses FROM journal_transaction WHERE event = 'reversed' AND effective_on BETWEEN :from_on AND :to_on),
     side AS (SELECT e.transaction_id, -sum(l.amount_cents) AS credits_cents FROM entry e JOIN line l USING (owner_id, entry_id)
              WHERE l.amount_cents < 0 AND (e.transaction_id = ANY (ARRAY(SELECT reverses FROM turned))
                OR (e.transaction_id = ANY (ARRAY(SELECT transaction_id FROM turned)) AND e.event = 'reversed')) GROUP BY e.transaction_id)
SELECT 'debits of reversals = credits of their originals' AS what, 'reversed_debits_cents' AS column_name, 'cents' AS unit, coalesce(sum(s.credits_cents), 0)::bigint AS books
FROM turned t JOIN side s ON s.transaction_id = t.reverses
UNION ALL
SELECT 'debits of originals = credits of their reversals', 'original_debits_cents', 'cents', coalesce(sum(s.credits_cents), 0)::bigint
FROM turned t JOIN side s ON s.transaction_id = t.transaction_id
UNION ALL
SELECT 'moved between members = what event member_corrected gave and took', 'corrected_cents', 'cents', coalesce(sum(l.amount_cents), 0)::bigint
FROM line l WHERE l.event = 'member_corrected' AND l.account = 'due_available' AND l.amount_cents > 0 AND l.effective_on BETWEEN :from_on AND :to_on

-- name: approvals
-- What was asked or decided in these days, and what left under it: a payout or disbursement that left in these days is listed
-- with the approval that it left under, whenever that was given.
WITH left_under AS MATERIALIZED (
    SELECT coalesce(c.approval_id, d.approval_id) AS approval_id, sum(x.cents)::bigint AS cents
    FROM (SELECT l.reference, l.event = 'payout_released' AS is_payout, -sum(l.amount_cents) AS cents FROM line l
          WHERE l.account = 'in_transit' AND l.event IN ('payout_released', 'levy_released', 'escheat_released', 'refund_released')
            AND l.effective_on BETWEEN :from_on AND :to_on GROUP BY 1, 2) x
    LEFT JOIN payout o ON x.is_payout AND o.payout_id = x.reference LEFT JOIN cycle c USING (cycle_id)
    LEFT JOIN disbursement d ON NOT x.is_payout AND d.disbursement_id = x.reference GROUP BY 1
), dated AS (
    SELECT a.*, (a.proposed_at AT TIME ZONE 'America/New_York')::date AS asked_on, (a.decided_at AT TIME ZONE 'America/New_York')::date AS decided_on FROM approval a
)
SELECT a.approval_id, a.kind, a.subject, a.asked_on, a.proposed_by, u.role AS proposer_role,
       CASE WHEN a.decided_on <= :to_on THEN a.state ELSE 'pending' END AS state, CASE WHEN a.decided_on <= :to_on THEN a.decided_on END AS decided_on,
       CASE WHEN a.first_approved_at IS NOT NULL AND (a.first_approved_at AT TIME ZONE 'America/New_York')::date <= :to_on THEN a.first_approved_by END AS first_approver,
       CASE WHEN a.decided_on <= :to_on THEN a.decided_by END AS decided_by, CASE WHEN a.decided_on <= :to_on THEN w.role END AS decider_role, a.approvers_needed,
       CASE WHEN a.decided_on <= :to_on THEN a.reason END AS reason,
       CASE WHEN a.decided_on <= :to_on THEN (extract(epoch FROM a.decided_at - a.proposed_at) / 3600)::bigint END AS hours_between,
       coalesce(a.decided_by = a.proposed_by OR a.first_approved_by = a.proposed_by OR (a.state = 'approved' AND a.decided_by = a.first_approved_by), false) AS maker_is_checker,
       (a.decided_by IS NOT NULL AND w.role IS DISTINCT FROM 'approver' AND w.role IS DISTINCT FROM 'admin')
           OR (a.first_approved_by IS NOT NULL AND f.role IS DISTINCT FROM 'approver' AND f.role IS DISTINCT FROM 'admin') AS without_role,
       coalesce(l.cents, 0) AS released_cents
FROM dated a LEFT JOIN app_user u ON u.user_name = a.proposed_by LEFT JOIN app_user w ON w.user_name = a.decided_by LEFT JOIN app_user f ON f.user_name = a.first_approved_by
LEFT JOIN left_under l USING (approval_id)
WHERE a.asked_on BETWEEN :from_on AND :to_on OR a.decided_on BETWEEN :from_on AND :to_on OR l.approval_id IS NOT NULL
ORDER BY a.approval_id

-- name: approvals_ties
SELECT 'released = what left the members'' and others'' money' AS what, 'released_cents' AS column_name, 'cents' AS unit, coalesce(sum(amount_cents), 0)::bigint AS books
FROM line WHERE account IN ('due_available', 'levied', 'unclaimed', 'due_to_payer') AND effective_on BETWEEN :from_on AND :to_on
  AND event IN ('payout_released', 'levy_released', 'escheat_released', 'refund_released')
UNION ALL
SELECT 'maker is checker: none', 'maker_is_checker', 'count', 0
UNION ALL
SELECT 'decided by a person without the role: none', 'without_role', 'count', 0

-- name: payment_days
-- For each share of an advice that was funded in these days: when both were there, the 835 and the money, and when the payment
-- that told it left and was debited. A share that was told without a payment was used up by what its remittance says. Waiting is
-- counted from fact to fact, the 835's day and the bank's: an accounting date is a later one where the month was closed, and the
-- posting's where a mistake was reversed and the same money matched anew.
WITH came AS MATERIALIZED (
    SELECT e.transaction_id, max(b.as_of) AS came_on FROM line l JOIN entry e USING (owner_id, entry_id) JOIN bank_line b ON b.bank_line_id = l.reference
    WHERE l.owner_id = house_id() AND l.account = 'unmatched_deposit' AND l.event = 'funded' AND l.effective_on BETWEEN :from_on AND :to_on GROUP BY 1
), funded AS MATERIALIZED (
    SELECT l.owner_id, l.reference AS advice_id, max(coalesce(c.came_on, t.fact_on)) AS came_on, (-sum(l.amount_cents))::bigint AS amount_cents
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id) LEFT JOIN came c USING (transaction_id)
    WHERE l.account = 'advised' AND l.event = 'funded' AND l.effective_on BETWEEN :from_on AND :to_on AND l.owner_id <> house_id()
      AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)
    GROUP BY l.owner_id, l.reference
), ready AS (
    SELECT f.owner_id, f.advice_id, greatest(a.paid_on, f.came_on) AS ready_on, f.amount_cents FROM funded f JOIN advice a USING (advice_id)
), told AS MATERIALIZED (
    SELECT s.member_id AS owner_id, s.advice_id, s.cycle_id, coalesce(s.payout_id, (
               SELECT o.payout_id FROM payout o WHERE o.cycle_id = s.cycle_id AND o.member_id = s.member_id AND o.advice_id IS NULL AND o.amount_cents > 0
                 AND o.state <> 'excluded')) AS payout_id
    FROM child_set s WHERE s.advice_id IS NOT NULL AND s.found_in = 0
), sent AS MATERIALIZED (
    SELECT l.owner_id, l.reference AS payout_id, min(t.fact_on) FILTER (WHERE l.event = 'payout_released') AS released_on,
           max(t.fact_on) FILTER (WHERE l.event = 'payout_settled') AS settled_on
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE l.account = 'in_transit' AND l.event IN ('payout_released', 'payout_settled') AND l.effective_on <= :to_on
      AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)
    GROUP BY l.owner_id, l.reference
), released AS MATERIALIZED (
    SELECT cycle_id, min(s.released_on) AS released_on FROM payout o JOIN sent s USING (payout_id) GROUP BY cycle_id
), returned AS MATERIALIZED (
    SELECT DISTINCT payout_id FROM posted_return WHERE effective_on <= :to_on AND (turned_on > :to_on) IS NOT FALSE
)
SELECT p.ncpdp_id AS owner, a.payer_name, a.trace_number, r.ready_on, r.amount_cents, t.cycle_id, s.released_on, s.settled_on,
       CASE WHEN b.payout_id IS NOT NULL THEN 'returned' WHEN s.settled_on IS NOT NULL THEN 'paid' WHEN s.released_on IS NOT NULL THEN 'in transit' WHEN t.payout_id IS NULL AND c.released_on <= :to_on THEN 'told, nothing to pay'
            ELSE 'waits' END AS state, (SELECT x.days FROM dated_limit x WHERE x.name = 'payment_days' AND x.since <= r.ready_on ORDER BY x.since DESC LIMIT 1) AS limit_days
FROM ready r JOIN advice a USING (advice_id) JOIN member m ON m.member_id = r.owner_id JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN told t USING (owner_id, advice_id) LEFT JOIN sent s ON s.owner_id = r.owner_id AND s.payout_id = t.payout_id LEFT JOIN released c ON c.cycle_id = t.cycle_id
LEFT JOIN returned b ON b.payout_id = t.payout_id
ORDER BY r.ready_on, p.ncpdp_id, r.advice_id

-- name: payment_days_ties
SELECT 'shares = what members'' available money came from advices' AS what, 'amount_cents' AS column_name, 'cents' AS unit, coalesce(-sum(l.amount_cents), 0)::bigint AS books
FROM line l JOIN entry e USING (owner_id, entry_id)
WHERE l.account = 'due_available' AND l.event = 'funded' AND l.effective_on BETWEEN :from_on AND :to_on AND l.owner_id <> house_id()
  AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = e.transaction_id AND r.effective_on <= :to_on)

-- name: users
-- Everybody who acted or may act by the day; a person in the books who is no user has no role.
WITH posted AS MATERIALIZED (
    SELECT actor AS user_name, count(*) AS transactions, max((recorded_at AT TIME ZONE 'America/New_York')::date) AS last_on FROM journal_transaction
    WHERE effective_on <= :to_on GROUP BY actor
), listed AS (
    SELECT * FROM app_user WHERE (added_at AT TIME ZONE 'America/New_York')::date <= greatest(CAST(:to_on AS date), (SELECT min(added_at AT TIME ZONE 'America/New_York')::date FROM app_user))
)
SELECT user_name, coalesce(u.role, 'none') AS role, (u.added_at AT TIME ZONE 'America/New_York')::date AS since, u.added_by, coalesce(p.transactions, 0) AS transactions, p.last_on,
       (SELECT count(*) FROM approval a WHERE a.proposed_by = user_name AND (a.proposed_at AT TIME ZONE 'America/New_York')::date <= :to_on) AS proposed,
       (SELECT count(*) FROM approval a WHERE a.decided_by = user_name AND (a.decided_at AT TIME ZONE 'America/New_York')::date <= :to_on) AS decided,
       u.user_name IS NULL AS no_user
FROM listed u FULL JOIN posted p USING (user_name) ORDER BY user_name

-- name: users_ties
SELECT 'transactions = those of the journal' AS what, 'transactions' AS column_name, 'count' AS unit, count(*) AS books FROM journal_transaction WHERE effective_on <= :to_on
UNION ALL
SELECT 'posted by who is no user: none', 'no_user', 'count', 0

-- name: bank_details
-- Who asked for another account, who called back, who approved, since when it is paid into; last four digits only.
WITH paid AS MATERIALIZED (
    SELECT o.bank_account_id, sum(-l.amount_cents)::bigint AS cents FROM line l JOIN payout o ON o.payout_id = l.reference
    WHERE l.account = 'in_transit' AND l.event = 'payout_released' AND l.effective_on BETWEEN :from_on AND :to_on GROUP BY o.bank_account_id
)
SELECT c.change_id, p.ncpdp_id AS owner, c.source, c.requested_on, c.requested_by, c.reason, c.routing_number, c.last_four AS account_last_four, c.called_on, c.called_by,
       a.decided_by AS approved_by, (a.decided_at AT TIME ZONE 'America/New_York')::date AS approved_on, c.cooling_until, c.prenote_settles_on,
       coalesce(lower(b.in_use), c.usable_from) AS live_on, c.state, coalesce(d.cents, 0) AS paid_into_cents,
       coalesce(c.requested_by = c.called_by, false) OR coalesce(a.decided_by = c.requested_by, false) OR coalesce(a.decided_by = c.called_by, false) AS one_person_twice
FROM bank_account_change c JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) LEFT JOIN approval a ON a.approval_id = c.approval_id AND a.state = 'approved'
LEFT JOIN bank_account b ON b.bank_account_id = c.bank_account_id LEFT JOIN paid d ON d.bank_account_id = c.bank_account_id
WHERE c.requested_on BETWEEN :from_on AND :to_on OR coalesce(lower(b.in_use), c.usable_from) BETWEEN :from_on AND :to_on OR d.bank_account_id IS NOT NULL
ORDER BY c.requested_on, c.change_id

-- name: bank_details_ties
-- A member's first account came with its roster; whatever else was paid into is listed here.
WITH first AS MATERIALIZED (SELECT DISTINCT ON (member_id) member_id, bank_account_id FROM bank_account ORDER BY member_id, lower(in_use), bank_account_id)
SELECT 'paid into = payouts released to other accounts than the first' AS what, 'paid_into_cents' AS column_name, 'cents' AS unit, coalesce(-sum(l.amount_cents), 0)::bigint AS books
FROM line l JOIN payout o ON o.payout_id = l.reference
WHERE l.account = 'in_transit' AND l.event = 'payout_released' AND l.effective_on BETWEEN :from_on AND :to_on AND (
    o.bank_account_id NOT IN (SELECT bank_account_id FROM first) OR o.bank_account_id IN (SELECT bank_account_id FROM bank_account_change))
UNION ALL
SELECT 'asked, called back or approved by one person twice: none', 'one_person_twice', 'count', 0
