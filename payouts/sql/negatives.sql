-- name: standing
-- Members that owe on a day: since when without a break, what was advanced in that time, and how it came back.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.effective_on, l.event, t.event AS cause, -l.amount_cents AS cents,
           row_number() OVER own AS place, sum(-l.amount_cents) OVER own AS stands
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    WHERE l.account = 'operating_advance' AND l.effective_on <= :as_of
      AND l.owner_id = ANY (ARRAY(SELECT owner_id FROM balance WHERE ledger = 'custody' AND account = 'operating_advance' AND credit_cents > 0
                                  AND (CAST(:member_id AS uuid) IS NULL OR owner_id = :member_id)))
    WINDOW own AS (PARTITION BY l.owner_id ORDER BY l.effective_on, l.entry_id, l.line_no)
), cleared AS (
    SELECT owner_id, max(place) AS place FROM moved WHERE stands <= 0 GROUP BY owner_id
), spell AS (
    SELECT m.owner_id, min(m.effective_on) AS since, sum(m.cents)::bigint AS owed_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.event = 'advance_repaid' AND m.cause = 'member_paid'), 0)::bigint AS paid_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.event = 'advance_repaid' AND m.cause <> 'member_paid'), 0)::bigint AS recovered_cents,
           coalesce(-sum(m.cents) FILTER (WHERE m.event = 'advance_written_off'), 0)::bigint AS written_off_cents
    FROM moved m LEFT JOIN cleared c USING (owner_id) WHERE m.place > coalesce(c.place, 0) GROUP BY m.owner_id
)
SELECT s.owner_id AS member_id, p.ncpdp_id, s.owed_cents, s.since, CAST(:as_of AS date) - s.since AS days,
       s.owed_cents + s.paid_cents + s.recovered_cents + s.written_off_cents AS advanced_cents, s.recovered_cents, s.paid_cents, s.written_off_cents
FROM spell s JOIN member m ON m.member_id = s.owner_id JOIN pharmacy p USING (pharmacy_id)
WHERE s.owed_cents > 0 ORDER BY s.since, p.ncpdp_id

-- name: lock_member
-- One payment or write-off of a member at a time.
SELECT pg_advisory_xact_lock(hashtextextended('centralpay.negative ' || CAST(:member_id AS uuid), 0))

-- name: name_of
SELECT p.ncpdp_id FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = :member_id

-- name: advances
SELECT coalesce(p.ncpdp_id, b.owner_id::text) AS owner, (b.credit_cents - b.debit_cents)::bigint AS cents
FROM balance b LEFT JOIN member m ON m.member_id = b.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
WHERE b.ledger = 'custody' AND b.account = 'operating_advance' AND b.credit_cents > b.debit_cents ORDER BY 1

-- name: unknown_payees
-- Unknown identifiers whose money is negative: none stands in for another.
SELECT coalesce(u.identifier, l.reference::text) AS identifier, sum(l.amount_cents)::bigint AS cents
FROM line l LEFT JOIN unknown_payee u ON u.unknown_payee_id = l.reference
WHERE l.account = 'unknown_payee' AND l.owner_id = house_id() GROUP BY u.identifier, l.reference HAVING sum(l.amount_cents) > 0 ORDER BY 1

-- name: float
SELECT coalesce(sum(credit_cents - debit_cents) FILTER (WHERE account = 'operating_float'), 0)::bigint AS float_cents,
       greatest(coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'network_adjustment'), 0), 0)::bigint AS network_cents,
       coalesce(sum(debit_cents - credit_cents) FILTER (WHERE account = 'unmatched_debit'), 0)::bigint AS debit_cents
FROM balance WHERE owner_id = house_id() AND ledger = 'custody'

-- name: missing
SELECT subject, amount_cents AS cents FROM exception_case WHERE kind = 'float_missing' AND state = 'open' ORDER BY exception_id
