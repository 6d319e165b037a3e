-- name: everybody
-- Whose statement of a range says anything: members on one of its days, and who is still owed, owes, or was moved in it.
SELECT m.member_id FROM member m JOIN pharmacy p USING (pharmacy_id)
WHERE m.membership && daterange(:from_on, :to_on, '[]')
   OR EXISTS (SELECT FROM balance b WHERE b.owner_id = m.member_id AND b.ledger = 'custody'
                  AND b.account IN ('due_unfunded', 'due_available', 'held') AND b.debit_cents <> b.credit_cents)
   OR EXISTS (SELECT FROM line l WHERE l.owner_id = m.member_id AND l.effective_on BETWEEN :from_on AND :to_on)
ORDER BY p.ncpdp_id, lower(m.membership)

-- name: members
SELECT m.member_id, p.ncpdp_id, m.legal_name, m.dba_name FROM member m JOIN pharmacy p USING (pharmacy_id)
WHERE m.member_id = ANY (CAST(:member_ids AS uuid[]))

-- name: payer
-- A payer by its list, or as its last advice calls it.
SELECT coalesce((SELECT p.name FROM payer p WHERE p.payer_id = :payer_id),
                (SELECT a.payer_name FROM advice a WHERE a.payer_id = :payer_id ORDER BY a.advice_id DESC LIMIT 1)) AS name

-- name: balances
-- What is owed before the range, before the year and at the end, a row an event of a member. For one payer: only what its
-- advices are still to bring, for what is funded is the member's one balance and no payer's.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.event, CASE WHEN l.event = 'reversed' THEN l.entry_id END AS entry_id,
           -sum(l.amount_cents) FILTER (WHERE l.effective_on < :from_on) AS opening_cents,
           -sum(l.amount_cents) FILTER (WHERE l.effective_on < :year_on) AS year_opening_cents,
           -sum(l.amount_cents) FILTER (WHERE l.effective_on >= :year_on) AS year_cents,
           -sum(l.amount_cents) FILTER (WHERE l.account = 'due_available') AS available_cents,
           -sum(l.amount_cents) FILTER (WHERE l.account = 'due_unfunded') AS awaiting_cents,
           -sum(l.amount_cents) FILTER (WHERE l.account = 'held') AS held_cents
    FROM line l
    WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.ledger = 'custody' AND l.account IN ('due_unfunded', 'due_available', 'held')
      AND l.effective_on <= :to_on
      AND (CAST(:payer_id AS text) IS NULL OR (l.account = 'due_unfunded' AND EXISTS (
          SELECT FROM advice a WHERE a.advice_id = l.reference AND a.payer_id = :payer_id)))
    GROUP BY 1, 2, 3
)
SELECT m.owner_id, m.event::text AS event, o.event::text AS reversed_event,
       coalesce(m.opening_cents, 0)::bigint AS opening_cents, coalesce(m.year_opening_cents, 0)::bigint AS year_opening_cents,
       coalesce(m.year_cents, 0)::bigint AS year_cents, coalesce(m.available_cents, 0)::bigint AS available_cents,
       coalesce(m.awaiting_cents, 0)::bigint AS awaiting_cents, coalesce(m.held_cents, 0)::bigint AS held_cents
FROM moved m LEFT JOIN entry e ON e.owner_id = m.owner_id AND e.entry_id = m.entry_id
LEFT JOIN journal_transaction t ON t.transaction_id = e.transaction_id
LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses

-- name: movements
-- What changed what is owed to members, a row an event; money that only moved within what is owed is left out.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.entry_id, l.effective_on, -sum(l.amount_cents)::bigint AS amount_cents,
           -- Where it is about one advice, that one.
           CASE WHEN min(l.reference) FILTER (WHERE l.account = 'due_unfunded') = max(l.reference) FILTER (WHERE l.account = 'due_unfunded')
                THEN min(l.reference) FILTER (WHERE l.account = 'due_unfunded') END AS advice_id
    FROM line l
    WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.ledger = 'custody' AND l.account IN ('due_unfunded', 'due_available', 'held')
      AND l.effective_on BETWEEN :from_on AND :to_on AND l.event <> 'advised'
      AND CASE WHEN CAST(:payer_id AS text) IS NULL THEN l.event NOT IN ('funded', 'held', 'hold_lifted')
               ELSE l.account = 'due_unfunded' AND EXISTS (SELECT FROM advice a WHERE a.advice_id = l.reference AND a.payer_id = :payer_id) END
    GROUP BY l.owner_id, l.entry_id, l.effective_on HAVING sum(l.amount_cents) <> 0
)
SELECT m.owner_id, m.effective_on, e.event::text AS event, o.event::text AS reversed_event, t.reason, m.amount_cents,
       coalesce(p.name, a.facts ->> 'payer', v.payer_name, a.facts ->> 'payer_id') AS payer_name
FROM moved m JOIN entry e USING (owner_id, entry_id) JOIN journal_transaction t USING (transaction_id)
LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
-- What a payer took outside an advice was decided by people, who named it.
LEFT JOIN approval a ON a.approval_id = CASE WHEN coalesce(o.event, t.event) IN ('payer_debited', 'network_adjustment_allocated')
    THEN CAST(substring(coalesce(o.fact_key, t.fact_key) FROM '[0-9]+$') AS bigint) END AND a.kind IN ('payer_debit', 'network_allocation')
LEFT JOIN advice v ON v.advice_id = coalesce(m.advice_id, CAST(a.facts ->> 'advice_id' AS bigint))
LEFT JOIN payer p ON p.payer_id = coalesce(a.facts ->> 'payer_id', v.payer_id)
ORDER BY m.effective_on, t.transaction_id, e.entry_id

-- name: advices
WITH told AS MATERIALIZED (
    SELECT l.owner_id, l.reference AS advice_id, l.effective_on, -sum(l.amount_cents)::bigint AS amount_cents
    FROM line l
    WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.ledger = 'custody' AND l.event = 'advised' AND l.account = 'due_unfunded'
      AND l.effective_on BETWEEN :from_on AND :to_on
    GROUP BY l.owner_id, l.entry_id, l.reference, l.effective_on
    UNION ALL
    -- What the payer took whole has no entry, and is shown all the same: on the day of the advice's other shares.
    SELECT s.owner_id, s.advice_id, coalesce(t.effective_on, a.paid_on), 0
    FROM advice_share s JOIN advice a USING (advice_id) LEFT JOIN journal_transaction t ON t.fact_key = 'advised:' || a.advice_id
    WHERE s.owner_id = ANY (CAST(:member_ids AS uuid[])) AND s.claims_cents = s.plb_cents AND a.direct_pay_id IS NULL
      AND coalesce(t.effective_on, a.paid_on) BETWEEN :from_on AND :to_on
)
SELECT n.owner_id, a.advice_id, n.effective_on, a.trace_number, a.payer_id, coalesce(p.name, a.payer_name) AS payer_name, a.state,
       s.claim_count, s.claims_cents, s.plb_cents, n.amount_cents, o.trace_number AS paid_in
FROM told n JOIN advice a USING (advice_id) JOIN advice_share s USING (owner_id, advice_id) LEFT JOIN payer p USING (payer_id)
LEFT JOIN child_set k ON k.member_id = n.owner_id AND k.advice_id = n.advice_id LEFT JOIN payout o ON o.payout_id = k.payout_id
WHERE CAST(:payer_id AS text) IS NULL OR a.payer_id = :payer_id
ORDER BY n.effective_on, a.advice_id

-- name: year_advices
-- What payers advised members in the year, and what they took in the same advices.
SELECT l.owner_id, sum(s.claims_cents)::bigint AS claims_cents, -sum(s.plb_cents)::bigint AS plb_cents
FROM line l JOIN advice_share s ON s.owner_id = l.owner_id AND s.advice_id = l.reference
WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.ledger = 'custody' AND l.event = 'advised' AND l.account = 'due_unfunded'
  AND l.effective_on BETWEEN :year_on AND :to_on
  AND (CAST(:payer_id AS text) IS NULL OR EXISTS (SELECT FROM advice a WHERE a.advice_id = l.reference AND a.payer_id = :payer_id))
GROUP BY l.owner_id
UNION ALL
SELECT s.owner_id, sum(s.claims_cents)::bigint, -sum(s.plb_cents)::bigint
FROM advice_share s JOIN advice a USING (advice_id) LEFT JOIN journal_transaction t ON t.fact_key = 'advised:' || a.advice_id
WHERE s.owner_id = ANY (CAST(:member_ids AS uuid[])) AND s.claims_cents = s.plb_cents AND s.claims_cents <> 0 AND a.direct_pay_id IS NULL
  AND coalesce(t.effective_on, a.paid_on) BETWEEN :year_on AND :to_on AND (CAST(:payer_id AS text) IS NULL OR a.payer_id = :payer_id)
GROUP BY s.owner_id

-- name: adjustments
-- By pairs of member and advice; of its own only, and not the network's.
SELECT p.owner_id, p.advice_id, p.reason, p.reference, p.amount_cents
FROM unnest(CAST(:owner_ids AS uuid[]), CAST(:advice_ids AS bigint[])) AS n (owner_id, advice_id)
JOIN plb_line p ON p.owner_id = n.owner_id AND p.advice_id = n.advice_id AND NOT p.is_network
ORDER BY p.advice_id, p.segment, p.pair

-- name: payouts
SELECT o.member_id AS owner_id, o.payout_id, c.business_date, c.effective_on, o.amount_cents, o.state, o.trace_number, b.last_four,
       k.trace_number AS remittance_trace
FROM payout o JOIN cycle c USING (cycle_id) LEFT JOIN bank_account b USING (bank_account_id)
-- By the ledger's day, as all else: a day whose month is closed is posted in the next one.
JOIN journal_transaction t ON t.fact_key = 'payout_released:cycle:' || c.cycle_id
LEFT JOIN LATERAL (SELECT min(k.trace_number) AS trace_number FROM child_set k
                   WHERE k.cycle_id = o.cycle_id AND k.member_id = o.member_id AND k.payout_id = o.payout_id) k ON true
WHERE o.member_id = ANY (CAST(:member_ids AS uuid[])) AND o.state IN ('released', 'settled', 'returned') AND o.amount_cents > 0
  AND t.effective_on BETWEEN :from_on AND :to_on
  -- Of one payer: the payments that told an advice of that payer.
  AND (CAST(:payer_id AS text) IS NULL OR EXISTS (
      SELECT FROM child_set k JOIN advice a USING (advice_id)
      WHERE k.cycle_id = o.cycle_id AND k.member_id = o.member_id AND k.payout_id = o.payout_id AND a.payer_id = :payer_id))
ORDER BY o.payout_id

-- name: recent_payouts
-- The last payments of each member, the newest first.
SELECT n.member_id AS owner_id, r.business_date, r.effective_on, r.amount_cents, r.state
FROM unnest(CAST(:member_ids AS uuid[])) AS n (member_id)
CROSS JOIN LATERAL (
    SELECT o.payout_id, c.business_date, c.effective_on, o.amount_cents, o.state FROM payout o JOIN cycle c USING (cycle_id)
    WHERE o.member_id = n.member_id AND o.state IN ('released', 'settled', 'returned') AND o.amount_cents > 0 AND c.business_date <= :to_on
    ORDER BY o.payout_id DESC LIMIT :most) r
ORDER BY r.payout_id DESC

-- name: take_turn
-- One issue of everybody at a time: who comes second finds the first one's.
SELECT pg_advisory_xact_lock(hashtext('centralpay.statement_issue'))

-- name: last_issue
SELECT i.issue_id, i.from_on, i.to_on, i.form, i.version, i.members, i.size_bytes, encode(i.sha256, 'hex') AS sha256, i.issued_by, i.issued_at,
       i.checkpoint_size
FROM statement_issue i WHERE i.from_on = :from_on AND i.to_on = :to_on AND i.form = :form AND i.version IS NOT NULL
ORDER BY i.version DESC LIMIT 1

-- name: add_issue
INSERT INTO statement_issue (from_on, to_on, form, version, payer_id, sha256, size_bytes, members, issued_by, checkpoint_size)
VALUES (:from_on, :to_on, :form, :version, :payer_id, decode(:sha256, 'hex'), :size_bytes, :members, :actor, :checkpoint_size) RETURNING issue_id

-- name: add_statements
INSERT INTO issued_statement (issue_id, member_id, file_name, byte_start, byte_end, sha256, closing_cents)
SELECT :issue_id, n.* FROM unnest(CAST(:member_ids AS uuid[]), CAST(:file_names AS text[]), CAST(:starts AS bigint[]), CAST(:ends AS bigint[]),
    CAST(:digests AS bytea[]), CAST(:closings AS bigint[])) AS n (member_id, file_name, byte_start, byte_end, sha256, closing_cents)
ORDER BY n.byte_start

-- name: of_issue
SELECT s.file_name, s.byte_start, s.byte_end, encode(s.sha256, 'hex') AS sha256, s.statement_id
FROM issued_statement s WHERE s.issue_id = :issue_id ORDER BY s.byte_start

-- name: issued
-- Statements that were issued: a member's, newest last, or the one of a number.
SELECT s.statement_id, s.member_id, p.ncpdp_id, i.from_on, i.to_on, i.form, i.version, i.payer_id, s.closing_cents, i.issued_by, i.issued_at,
       encode(i.sha256, 'hex') AS file_sha256, s.byte_start, s.byte_end, encode(s.sha256, 'hex') AS sha256, s.file_name, i.checkpoint_size
FROM issued_statement s JOIN statement_issue i USING (issue_id) JOIN member m USING (member_id) JOIN pharmacy p USING (pharmacy_id)
WHERE CASE WHEN CAST(:statement_id AS bigint) IS NOT NULL THEN s.statement_id = :statement_id ELSE s.member_id = :member_id END
ORDER BY s.statement_id
