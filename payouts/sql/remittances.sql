-- name: tell_events
-- What changed the members' available money by the day and is no advice, fee or payout: of each event what its book holds less
-- what earlier remittances told. A reversal counts with what it turned.
INSERT INTO cycle_own_item (cycle_id, member_id, reference, reason, amount_cents, event)
SELECT r.cycle_id, r.member_id, 'PSAO-' || upper(replace(x.event::text, '_', '-')),
       CASE WHEN x.event IN ('held', 'hold_lifted') THEN 'FB' ELSE 'CS' END, sum(x.cents), x.event
FROM cycle_remittance r
JOIN (
    SELECT l.owner_id AS member_id, coalesce(o.event, l.event) AS event, l.amount_cents AS cents
    FROM line l JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
    LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
    WHERE l.account = 'due_available' AND l.event NOT IN ('funded', 'fee_collected', 'payout_released') AND l.effective_on <= :business_date
      AND coalesce(o.event, l.event) NOT IN ('funded', 'fee_collected', 'payout_released')
      -- By the cut-off, or of this very proposal, which fills holds before it looks.
      AND (pg_visible_in_snapshot(t.xid, CAST(:seen AS pg_snapshot)) OR t.xid = pg_current_xact_id())
    UNION ALL
    SELECT i.member_id, i.event, -i.amount_cents FROM cycle_own_item i JOIN child_remittance USING (cycle_id, member_id) WHERE i.event IS NOT NULL
    UNION ALL
    -- Money of an unknown payee that was found is told by its claims, now or before.
    SELECT f.owner_id, CAST('payee_found' AS event_name), f.claims_cents - f.plb_cents FROM found_share f
    WHERE f.was_funded AND (f.cycle_id IS NOT NULL OR f.found_share_id IN (SELECT found_share_id FROM cycle_found_share WHERE cycle_id = :cycle_id))
) x USING (member_id)
WHERE r.cycle_id = :cycle_id GROUP BY r.cycle_id, r.member_id, x.event HAVING sum(x.cents) <> 0

-- name: tell_balances
-- What is left between the shares and the payment, whatever was found before: a balance brought or carried forward.
INSERT INTO cycle_own_item (cycle_id, member_id, reference, reason, amount_cents)
SELECT r.cycle_id, r.member_id, CASE WHEN r.paid_cents > 0 OR coalesce(i.has_fee, false) THEN 'PSAO-BALANCE' ELSE 'PSAO-CARRY' END, 'FB',
       coalesce(s.cents, 0) - coalesce(i.cents, 0) - r.paid_cents
FROM cycle_remittance r
LEFT JOIN (SELECT t.owner_id, sum(t.cents)::bigint AS cents
           FROM (SELECT c.owner_id, a.claims_cents - a.plb_cents AS cents FROM cycle_share c JOIN advice_share a USING (owner_id, advice_id)
                 WHERE c.cycle_id = :cycle_id
                 UNION ALL
                 SELECT c.owner_id, f.claims_cents - f.plb_cents FROM cycle_found_share c JOIN found_share f USING (found_share_id)
                 WHERE c.cycle_id = :cycle_id) t GROUP BY t.owner_id) s ON s.owner_id = r.member_id
LEFT JOIN (SELECT member_id, sum(amount_cents)::bigint AS cents, bool_or(event IS NULL) AS has_fee FROM cycle_own_item
           WHERE cycle_id = :cycle_id GROUP BY member_id) i USING (member_id)
WHERE r.cycle_id = :cycle_id AND coalesce(s.cents, 0) - coalesce(i.cents, 0) <> r.paid_cents

-- name: unsplit
-- Members that are paid for each advice, and whose payouts are still to be made.
SELECT r.member_id, r.paid_cents, a.bank_account_id,
       coalesce((SELECT sum(i.amount_cents) FROM cycle_own_item i WHERE (i.cycle_id, i.member_id) = (r.cycle_id, r.member_id)
                 AND i.reference LIKE 'PSAO-FEE-%'), 0)::bigint AS fee_cents
FROM cycle_remittance r JOIN cycle c USING (cycle_id) JOIN bank_account a ON a.member_id = r.member_id AND a.in_use @> c.effective_on
WHERE r.cycle_id = :cycle_id AND r.form = 'per_advice' AND r.paid_cents > 0 ORDER BY r.member_id

-- name: natural_shares
SELECT t.owner_id AS member_id, t.advice_id, sum(t.claim_count)::integer AS claim_count, sum(t.claims_cents)::bigint AS claims_cents,
       sum(t.plb_cents)::bigint AS plb_cents
FROM (
    SELECT s.owner_id, s.advice_id, a.claim_count, a.claims_cents, a.plb_cents
    FROM cycle_share s JOIN advice_share a USING (owner_id, advice_id) WHERE s.cycle_id = :cycle_id
    UNION ALL
    SELECT s.owner_id, s.advice_id, f.claim_count, f.claims_cents, f.plb_cents
    FROM cycle_found_share s JOIN found_share f USING (found_share_id) WHERE s.cycle_id = :cycle_id) t
WHERE t.owner_id = ANY (CAST(:members AS uuid[])) GROUP BY t.owner_id, t.advice_id ORDER BY t.owner_id, t.advice_id

-- name: own_items
SELECT member_id, reason, reference, amount_cents FROM cycle_own_item WHERE cycle_id = :cycle_id ORDER BY member_id, reference

-- name: add_payouts
INSERT INTO payout (cycle_id, member_id, advice_id, amount_cents, fee_cents, bank_account_id)
SELECT :cycle_id, n.member_id, n.advice_id, n.amount_cents, n.fee_cents, n.bank_account_id
FROM unnest(CAST(:members AS uuid[]), CAST(:advices AS bigint[]), CAST(:amounts AS bigint[]), CAST(:fees AS bigint[]), CAST(:accounts AS uuid[]))
    WITH ORDINALITY AS n (member_id, advice_id, amount_cents, fee_cents, bank_account_id, place) ORDER BY n.place

-- name: add_payout_fees
INSERT INTO payout_fee (payout_id, month, amount_cents)
SELECT o.payout_id, to_date(substr(i.reference, 10), 'YYYY-MM'), i.amount_cents
FROM payout o JOIN cycle_own_item i USING (cycle_id, member_id)
WHERE o.cycle_id = :cycle_id AND o.member_id = ANY (CAST(:members AS uuid[])) AND o.fee_cents > 0 AND i.reference LIKE 'PSAO-FEE-%'

-- name: set_form
UPDATE contract SET remittance_form = :form WHERE member_id = :member_id AND remittance_form <> :form

-- name: form
SELECT c.remittance_form, p.ncpdp_id FROM member m JOIN pharmacy p USING (pharmacy_id) LEFT JOIN contract c USING (member_id)
WHERE m.member_id = :member_id ORDER BY c.in_force DESC LIMIT 1

-- name: untellable
-- Members whose remittance can not be what was approved, each with the reason: nothing of theirs leaves.
WITH told AS (
    SELECT s.owner_id, s.advice_id, CAST(NULL AS bigint) AS unknown_payee_id, true AS standing FROM cycle_share s WHERE s.cycle_id = :cycle_id
    UNION ALL
    SELECT s.owner_id, s.advice_id, f.unknown_payee_id, f.standing FROM cycle_found_share s JOIN found_share f USING (found_share_id)
    WHERE s.cycle_id = :cycle_id
)
SELECT DISTINCT ON (s.owner_id) s.owner_id AS member_id, CASE
           WHEN a.state <> 'funded' AND a.funded_cents = 0 THEN format('advice %s of its remittance is %s', a.trace_number, a.state)
           WHEN NOT s.standing THEN format('what was found of advice %s was taken back', a.trace_number)
           WHEN a.delimiters ~ '[-.]' THEN format('the delimiters of payer %s leave no way to write an amount', a.payer_id)
           ELSE format('payer %s uses a reference that is the PSAO''s own', a.payer_id) END AS reason
FROM told s JOIN advice a USING (advice_id)
LEFT JOIN (SELECT DISTINCT p.advice_id, p.owner_id, p.unknown_payee_id FROM (SELECT DISTINCT advice_id FROM told) c
           JOIN plb_line p USING (advice_id) WHERE p.reference LIKE 'PSAO-%') p
    ON p.advice_id = s.advice_id AND CASE WHEN s.unknown_payee_id IS NULL THEN p.owner_id = s.owner_id ELSE p.unknown_payee_id = s.unknown_payee_id END
WHERE (a.state <> 'funded' AND a.funded_cents = 0) OR NOT s.standing OR a.delimiters ~ '[-.]' OR p.advice_id IS NOT NULL
ORDER BY s.owner_id, s.advice_id

-- name: told_members
-- Whom the cycle writes a remittance; of several owners of one pharmacy the present one is the first, told or not.
-- Claims that were found name the identifier that was unknown.
SELECT r.member_id, p.ncpdp_id, m.legal_name, m.tin, r.form, r.paid_cents, i.npi, o.owner_place, i.identifiers || ARRAY(
           SELECT u.identifier FROM cycle_found_share c JOIN found_share f USING (found_share_id) JOIN unknown_payee u USING (unknown_payee_id)
           WHERE c.cycle_id = r.cycle_id AND c.owner_id = r.member_id) AS identifiers
FROM cycle_remittance r JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
JOIN (SELECT x.member_id, row_number() OVER (PARTITION BY x.pharmacy_id ORDER BY lower(x.membership) DESC) AS owner_place
      FROM member x JOIN cycle c ON c.cycle_id = :cycle_id AND lower(x.membership) <= c.business_date) o USING (member_id)
JOIN (SELECT member_id, array_agg(kind || ':' || value) AS identifiers,
             (array_agg(value ORDER BY found_by IS NULL DESC, valid DESC) FILTER (WHERE kind = 'NPI'))[1] AS npi FROM member_identifier GROUP BY member_id) i USING (member_id)
WHERE r.cycle_id = :cycle_id AND r.member_id <> ALL (CAST(:silent AS uuid[])) ORDER BY p.ncpdp_id, owner_place

-- name: untold_members
-- Members that the cycle would only have told, for it pays them nothing.
SELECT r.member_id, p.ncpdp_id FROM cycle_remittance r JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE r.cycle_id = :cycle_id AND r.member_id = ANY (CAST(:stopped AS uuid[]))
  AND NOT EXISTS (SELECT FROM payout o WHERE (o.cycle_id, o.member_id) = (r.cycle_id, r.member_id)) ORDER BY p.ncpdp_id

-- name: told_advices
SELECT a.advice_id, a.payer_id, a.payer_name, a.paid_on, a.set_ordinal, a.byte_start, a.byte_end, a.delimiters, encode(f.sha256, 'hex') AS sha256,
       EXISTS (SELECT FROM plb_line p WHERE p.advice_id = a.advice_id AND p.byte_start IS NULL) AS lacks_plb_bytes
FROM advice a JOIN received_file f USING (file_id)
WHERE a.advice_id IN (SELECT advice_id FROM cycle_share WHERE cycle_id = :cycle_id
                      UNION ALL SELECT advice_id FROM cycle_found_share WHERE cycle_id = :cycle_id)

-- name: told_shares
-- Each share with where its claims and PLBs stand in the payer's file: member after member, as the first of theirs stand there.
-- What was found of an advice stands with the member's own share of it, or alone where that was told before.
WITH found AS MATERIALIZED (
    SELECT c.owner_id, c.advice_id, f.unknown_payee_id, f.claim_count, f.claims_cents, f.plb_cents
    FROM cycle_found_share c JOIN found_share f USING (found_share_id) WHERE c.cycle_id = :cycle_id
), alone AS MATERIALIZED (
    SELECT owner_id, advice_id FROM found EXCEPT SELECT owner_id, advice_id FROM cycle_share WHERE cycle_id = :cycle_id
), claims AS MATERIALIZED (
    SELECT l.owner_id, l.advice_id, sum(l.charge_cents)::bigint AS charge_cents,
           array_agg(l.byte_start ORDER BY l.byte_start) AS starts, array_agg(l.byte_end ORDER BY l.byte_start) AS ends
    FROM (
        SELECT c.owner_id, c.advice_id, c.charge_cents, c.byte_start, c.byte_end FROM claim_line c
        WHERE c.advice_id = ANY (CAST(:advices AS bigint[])) AND c.paid_on BETWEEN :first_paid_on AND :last_paid_on AND c.owner_id <> house_id()
          AND NOT EXISTS (SELECT FROM alone a WHERE a.owner_id = c.owner_id AND a.advice_id = c.advice_id)
        UNION ALL
        SELECT f.owner_id, c.advice_id, c.charge_cents, c.byte_start, c.byte_end FROM found f JOIN claim_line c USING (unknown_payee_id, advice_id)
        WHERE c.paid_on BETWEEN :first_paid_on AND :last_paid_on) l
    GROUP BY l.owner_id, l.advice_id
), plbs AS MATERIALIZED (
    SELECT p.owner_id, p.advice_id, array_agg(p.segment ORDER BY p.segment) AS segments,
           array_agg(p.byte_start ORDER BY p.segment) AS starts, array_agg(p.byte_end ORDER BY p.segment) AS ends
    FROM (SELECT p.owner_id, p.advice_id, p.segment, p.byte_start, p.byte_end FROM plb_line p
          WHERE p.advice_id = ANY (CAST(:advices AS bigint[])) AND p.owner_id <> house_id()
            AND NOT EXISTS (SELECT FROM alone a WHERE a.owner_id = p.owner_id AND a.advice_id = p.advice_id)
          UNION
          SELECT f.owner_id, p.advice_id, p.segment, p.byte_start, p.byte_end FROM found f JOIN plb_line p USING (unknown_payee_id, advice_id)) p
    GROUP BY p.owner_id, p.advice_id
), told AS (
    SELECT t.owner_id, t.advice_id, sum(t.claim_count)::integer AS claim_count, sum(t.claims_cents)::bigint AS claims_cents,
           sum(t.plb_cents)::bigint AS plb_cents
    FROM (
        SELECT s.owner_id, s.advice_id, h.claim_count, h.claims_cents, h.plb_cents
        FROM cycle_share s JOIN advice_share h USING (owner_id, advice_id) WHERE s.cycle_id = :cycle_id
        UNION ALL
        SELECT owner_id, advice_id, claim_count, claims_cents, plb_cents FROM found) t
    GROUP BY t.owner_id, t.advice_id
)
SELECT s.owner_id AS member_id, s.advice_id, s.claim_count, s.claims_cents, s.plb_cents, coalesce(c.charge_cents, 0) AS charge_cents,
       coalesce(c.starts, '{}') AS claim_starts, coalesce(c.ends, '{}') AS claim_ends,
       coalesce(p.segments, '{}') AS plb_segments, coalesce(p.starts, '{}') AS plb_starts, coalesce(p.ends, '{}') AS plb_ends
FROM told s JOIN advice a USING (advice_id)
LEFT JOIN claims c USING (owner_id, advice_id) LEFT JOIN plbs p USING (owner_id, advice_id)
WHERE s.owner_id <> ALL (CAST(:silent AS uuid[]))
ORDER BY min((a.file_id, c.starts[1])) OVER (PARTITION BY s.owner_id), s.owner_id, s.advice_id

-- name: add_files
INSERT INTO child_remittance (cycle_id, member_id, file_name, byte_start, byte_end, sha256)
SELECT :cycle_id, n.* FROM unnest(CAST(:member_id AS uuid[]), CAST(:file_name AS text[]), CAST(:byte_start AS bigint[]), CAST(:byte_end AS bigint[]),
    CAST(:sha256 AS bytea[])) AS n

-- name: add_sets
INSERT INTO child_set (cycle_id, member_id, set_ordinal, payout_id, advice_id, trace_number, method, claim_count, claims_cents, payer_plb_cents,
    own_plb_cents, payment_cents)
SELECT :cycle_id, n.* FROM unnest(CAST(:member_id AS uuid[]), CAST(:set_ordinal AS integer[]), CAST(:payout_id AS bigint[]), CAST(:advice_id AS bigint[]),
    CAST(:trace_number AS text[]), CAST(:method AS text[]), CAST(:claim_count AS integer[]), CAST(:claims_cents AS bigint[]),
    CAST(:payer_plb_cents AS bigint[]), CAST(:own_plb_cents AS bigint[]), CAST(:payment_cents AS bigint[])) AS n

-- name: mark_told
-- Marks the shares that the sets of a cycle tell, and what was found; counts the sets.
WITH told AS MATERIALIZED (
    SELECT member_id AS owner_id, advice_id, found_in FROM child_set WHERE cycle_id = :cycle_id AND advice_id IS NOT NULL
), shares AS (
    UPDATE share_to_remit s SET cycle_id = :cycle_id FROM told c
    WHERE (s.owner_id, s.advice_id) = (c.owner_id, c.advice_id) AND c.found_in = 0 AND s.cycle_id IS NULL
    RETURNING s.owner_id, s.advice_id
), found AS (
    UPDATE found_share f SET cycle_id = :cycle_id FROM cycle_found_share c JOIN told USING (owner_id, advice_id)
    WHERE c.cycle_id = :cycle_id AND f.found_share_id = c.found_share_id AND f.cycle_id IS NULL AND f.standing
    RETURNING f.owner_id, f.advice_id
)
SELECT count(*) FROM (SELECT owner_id, advice_id FROM shares UNION SELECT owner_id, advice_id FROM found) m

-- name: children
SELECT count(DISTINCT member_id) AS files, count(*) AS sets FROM child_set WHERE cycle_id = :cycle_id

-- name: lock_delivery
SELECT pg_advisory_xact_lock(hashtext('centralpay.delivery'), CAST(:cycle_id AS integer))

-- name: child_files
SELECT file_name, byte_start, byte_end FROM child_remittance WHERE cycle_id = :cycle_id ORDER BY byte_start

-- name: child_index
SELECT p.ncpdp_id, r.file_name, s.set_ordinal, coalesce(a.payer_id, c.company_id) AS payer_id,
       coalesce(y.name, a.payer_name, c.company_name) AS payer_name, coalesce(a.trace_number, '') AS payer_trace, s.claim_count, s.claims_cents,
       s.payer_plb_cents, s.own_plb_cents, s.payment_cents, s.trace_number, s.method
FROM child_set s JOIN child_remittance r USING (cycle_id, member_id) JOIN cycle c USING (cycle_id) JOIN member m USING (member_id)
JOIN pharmacy p USING (pharmacy_id) LEFT JOIN advice a USING (advice_id) LEFT JOIN payer y USING (payer_id)
WHERE s.cycle_id = :cycle_id ORDER BY p.ncpdp_id, r.file_name, s.set_ordinal
