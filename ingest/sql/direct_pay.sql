-- name: lock
-- Whoever begins or ends an enrolment waits for the files that are being taken in by it, and they for it.
SELECT pg_advisory_xact_lock(hashtext('centralpay.direct_pay'))

-- name: lock_shared
SELECT pg_advisory_xact_lock_shared(hashtext('centralpay.direct_pay'))

-- name: payer
-- By id, with or without the leading 1, or by name.
SELECT payer_id, name FROM payer WHERE payer_id IN (:asked, '1' || :asked) OR lower(name) = lower(:asked) ORDER BY payer_id

-- name: overlapping
SELECT since, until FROM direct_pay
WHERE member_id = :member_id AND payer_id = :payer_id AND in_force && daterange(CAST(:since AS date), NULL) ORDER BY since LIMIT 1

-- name: is_member_on
SELECT membership @> CAST(:since AS date) FROM member WHERE member_id = :member_id

-- name: begin
INSERT INTO direct_pay (member_id, payer_id, since, reason, begun_by) VALUES (:member_id, :payer_id, :since, :reason, :actor)
RETURNING direct_pay_id

-- name: last_of_store
-- The enrolment of a store's owners with a payer that could end on a day: the latest that has begun by then, else the latest.
SELECT d.direct_pay_id, d.since, d.until
FROM direct_pay d JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE (p.ncpdp_id = :asked OR CAST(d.member_id AS text) = lower(:asked)) AND d.payer_id = :payer_id AND NOT isempty(d.in_force)
ORDER BY d.since <= CAST(:until AS date) + 1 DESC, d.since DESC LIMIT 1 FOR UPDATE OF d

-- name: end
UPDATE direct_pay SET until = :until, end_reason = :reason, ended_by = :actor, ended_at = now() WHERE direct_pay_id = :direct_pay_id

-- name: recorded_after
-- Advices that were recorded by an enrolment for days after one: they stay as they are.
SELECT count(*) FROM advice WHERE direct_pay_id = :direct_pay_id AND state = 'direct' AND paid_on > :until

-- name: accepted_before
-- Advices that wait for money though all their shares are of members that are on direct pay with the payer on their day: of these
-- ids, or by one enrolment.
SELECT a.advice_id, string_agg(DISTINCT p.ncpdp_id, ', ') AS stores
FROM advice a JOIN direct_pay d ON d.payer_id = a.payer_id AND d.in_force @> a.paid_on
JOIN advice_share s ON s.advice_id = a.advice_id AND s.owner_id = d.member_id JOIN member m ON m.member_id = d.member_id JOIN pharmacy p USING (pharmacy_id)
WHERE a.state = 'accepted' AND (a.advice_id = ANY (CAST(:advice_ids AS bigint[])) OR d.direct_pay_id = :direct_pay_id)
  AND NOT EXISTS (SELECT FROM advice_share o LEFT JOIN direct_pay e ON e.member_id = o.owner_id AND e.payer_id = a.payer_id AND e.in_force @> a.paid_on
                  WHERE o.advice_id = a.advice_id AND e.direct_pay_id IS NULL)
GROUP BY a.advice_id ORDER BY a.advice_id

-- name: list
SELECT d.direct_pay_id, d.member_id, p.ncpdp_id, m.legal_name, d.payer_id, y.name AS payer_name, d.since, d.until, d.reason, d.begun_by,
       d.end_reason, d.ended_by, coalesce(a.advices, 0) AS advices, coalesce(a.cents, 0)::bigint AS recorded_cents
FROM direct_pay d JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id) JOIN payer y USING (payer_id)
LEFT JOIN (SELECT direct_pay_id, count(*) AS advices, sum(payment_cents) AS cents FROM advice
           WHERE direct_pay_id IS NOT NULL AND state = 'direct' GROUP BY direct_pay_id) a USING (direct_pay_id)
ORDER BY p.ncpdp_id, y.name, d.since, d.direct_pay_id

-- name: enrolled
-- Who is on direct pay with these payers in these days.
SELECT direct_pay_id, member_id, payer_id, since, until FROM direct_pay
WHERE payer_id = ANY (CAST(:payer_ids AS text[])) AND in_force && daterange(CAST(:first AS date), CAST(:last AS date), '[]')

-- name: direct_advices
-- What payers paid these members by themselves, by the day of payment, as their copies say it.
SELECT s.owner_id AS member_id, a.advice_id, a.payer_id, coalesce(p.name, a.payer_name) AS payer_name, a.trace_number, a.paid_on,
       s.claim_count, s.claims_cents, s.plb_cents
FROM advice a JOIN advice_share s USING (advice_id) LEFT JOIN payer p USING (payer_id)
WHERE a.direct_pay_id IS NOT NULL AND a.state = 'direct' AND a.paid_on BETWEEN :from_on AND :to_on
  AND s.owner_id = ANY (CAST(:member_ids AS uuid[])) AND s.owner_id <> house_id()
ORDER BY s.owner_id, a.paid_on, a.advice_id

-- name: sent_through_us
-- Of advices that are paid through us: what is of members that their payer should pay directly on that day.
SELECT a.advice_id, a.trace_number, coalesce(y.name, a.payer_name) AS payer_name,
       string_agg(p.ncpdp_id, ', ' ORDER BY p.ncpdp_id) AS stores, sum(coalesce(s.claims_cents - s.plb_cents, 0))::bigint AS cents
FROM unnest(CAST(:advice_ids AS bigint[]), CAST(:member_ids AS uuid[])) AS n (advice_id, member_id)
JOIN advice a USING (advice_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN payer y USING (payer_id) LEFT JOIN advice_share s ON s.owner_id = n.member_id AND s.advice_id = n.advice_id
GROUP BY a.advice_id, y.name ORDER BY a.advice_id

-- name: named
-- Direct advices by trace as matching compares it.
SELECT a.advice_id, a.payer_id, coalesce(y.name, a.payer_name) AS payer_name, a.trace_number, a.paid_on, a.payment_cents, p.ncpdp_id,
       ltrim(upper(replace(a.trace_number, ' ', '')), '0') AS trace
FROM advice a JOIN direct_pay d USING (direct_pay_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN payer y ON y.payer_id = a.payer_id
WHERE a.state = 'direct' AND ltrim(upper(replace(a.trace_number, ' ', '')), '0') = ANY (CAST(:traces AS text[])) ORDER BY a.advice_id

-- name: close_cases
-- Cases of deposits that are gone, and of advices that were replaced or are of no direct pay any more on their day.
UPDATE exception_case e SET state = 'resolved', resolved_at = now(), resolution = :resolution
WHERE e.kind = 'direct_pay_differs' AND e.state = 'open' AND NOT e.subject = ANY (CAST(:subjects AS text[]))
  AND (e.subject LIKE 'bank line %' OR NOT EXISTS (
      SELECT FROM advice a JOIN direct_pay d ON d.payer_id = a.payer_id AND d.in_force @> a.paid_on
      JOIN advice_share s ON s.advice_id = a.advice_id AND s.owner_id = d.member_id
      WHERE e.subject = 'advice ' || a.advice_id AND a.state IN ('accepted', 'funded')))
