-- name: everybody
-- Whom a certificate of a range says anything: members on one of its days, and who is owed, owes or was moved by its end.
SELECT m.member_id FROM member m JOIN pharmacy p USING (pharmacy_id)
WHERE m.membership && daterange(:from_on, :to_on, '[]')
   OR EXISTS (SELECT FROM line l WHERE l.owner_id = m.member_id AND l.effective_on BETWEEN :from_on AND :to_on)
   OR EXISTS (SELECT FROM line l WHERE l.owner_id = m.member_id AND l.effective_on < :from_on
              GROUP BY l.ledger, l.account HAVING sum(l.amount_cents) <> 0 AND l.account NOT IN ('fee_revenue', 'fee_waived', 'custody_float', 'bad_debt'))
ORDER BY p.ncpdp_id, lower(m.membership)

-- name: books
-- Every account of members by what moved it, credit positive: before the range and in it. A reversal is of what it reverses, entry by
-- entry: it turns the advance that its original made necessary, too, in one entry with all else. What of a reversal is not its original
-- turned round stays under the event 'reversed', of which a member's book has no kind.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.ledger, l.account, l.event, CASE WHEN l.event = 'reversed' THEN l.entry_id END AS entry_id,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on < :from_on), 0) AS before_cents,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on >= :from_on), 0) AS moved_cents
    FROM line l WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.effective_on <= :to_on GROUP BY 1, 2, 3, 4, 5
), original AS MATERIALIZED (
    SELECT l.owner_id, l.ledger, l.account, l.event, coalesce(sum(l.amount_cents) FILTER (WHERE e.effective_on < :from_on), 0) AS before_cents,
           coalesce(sum(l.amount_cents) FILTER (WHERE e.effective_on >= :from_on), 0) AS moved_cents
    FROM (SELECT DISTINCT owner_id, entry_id FROM moved WHERE event = 'reversed') m JOIN entry e USING (owner_id, entry_id)
    JOIN journal_transaction t USING (transaction_id) JOIN entry o ON o.owner_id = e.owner_id AND o.transaction_id = t.reverses AND o.ledger = e.ledger
    JOIN line l ON l.owner_id = o.owner_id AND l.entry_id = o.entry_id
    GROUP BY 1, 2, 3, 4
)
SELECT m.owner_id, m.ledger::text AS ledger, m.account::text AS account, m.event::text AS event,
       sum(m.before_cents)::bigint AS before_cents, sum(m.moved_cents)::bigint AS moved_cents
FROM (SELECT owner_id, ledger, account, event, before_cents, moved_cents FROM moved
      UNION ALL SELECT owner_id, ledger, account, event, before_cents, moved_cents FROM original
      UNION ALL SELECT owner_id, ledger, account, 'reversed', -before_cents, -moved_cents FROM original) m
GROUP BY m.owner_id, m.ledger, m.account, m.event HAVING m.event <> 'reversed' OR sum(m.before_cents) <> 0 OR sum(m.moved_cents) <> 0

-- name: all_books
-- The same of all owners, those of the house apart.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id = house_id() AS is_house, l.ledger, l.account, l.event, CASE WHEN l.event = 'reversed' THEN l.entry_id END AS entry_id,
           CASE WHEN l.event = 'reversed' THEN l.owner_id END AS owner_id,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on < :from_on), 0) AS before_cents,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on >= :from_on), 0) AS moved_cents
    FROM line l WHERE l.effective_on <= :to_on GROUP BY 1, 2, 3, 4, 5, 6
), original AS MATERIALIZED (
    SELECT l.owner_id = house_id() AS is_house, l.ledger, l.account, l.event, coalesce(sum(l.amount_cents) FILTER (WHERE e.effective_on < :from_on), 0) AS before_cents,
           coalesce(sum(l.amount_cents) FILTER (WHERE e.effective_on >= :from_on), 0) AS moved_cents
    FROM (SELECT DISTINCT owner_id, entry_id FROM moved WHERE event = 'reversed') m JOIN entry e USING (owner_id, entry_id)
    JOIN journal_transaction t USING (transaction_id) JOIN entry o ON o.owner_id = e.owner_id AND o.transaction_id = t.reverses AND o.ledger = e.ledger
    JOIN line l ON l.owner_id = o.owner_id AND l.entry_id = o.entry_id
    GROUP BY 1, 2, 3, 4
)
SELECT m.is_house, m.ledger::text AS ledger, m.account::text AS account, m.event::text AS event,
       sum(m.before_cents)::bigint AS before_cents, sum(m.moved_cents)::bigint AS moved_cents
FROM (SELECT is_house, ledger, account, event, before_cents, moved_cents FROM moved
      UNION ALL SELECT is_house, ledger, account, event, before_cents, moved_cents FROM original
      UNION ALL SELECT is_house, ledger, account, 'reversed', -before_cents, -moved_cents FROM original) m
GROUP BY m.is_house, m.ledger, m.account, m.event HAVING m.event <> 'reversed' OR sum(m.before_cents) <> 0 OR sum(m.moved_cents) <> 0

-- name: payers
-- What each payer was still to send, before the range and at its end, what of its money arrived in it, and what was advised
-- otherwise: reversed since, or found to be another's.
WITH moved AS MATERIALIZED (
    SELECT l.owner_id, l.reference, l.event, CASE WHEN l.event = 'reversed' THEN l.entry_id END AS entry_id,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on < :from_on), 0) AS before_cents,
           coalesce(-sum(l.amount_cents) FILTER (WHERE l.effective_on >= :from_on), 0) AS moved_cents
    FROM line l WHERE l.owner_id = ANY (CAST(:member_ids AS uuid[])) AND l.ledger = 'custody' AND l.account = 'due_unfunded' AND l.effective_on <= :to_on
    GROUP BY 1, 2, 3, 4
)
SELECT m.owner_id, coalesce(a.payer_id, '') AS payer_id, coalesce(p.name, min(a.payer_name), 'not named') AS payer_name,
       sum(m.before_cents)::bigint AS before_cents, sum(m.before_cents + m.moved_cents)::bigint AS after_cents,
       coalesce(-sum(m.moved_cents) FILTER (WHERE coalesce(o.event, m.event) = 'funded'), 0)::bigint AS funded_cents,
       coalesce(sum(m.moved_cents) FILTER (WHERE m.event <> 'advised' AND coalesce(o.event, m.event) <> 'funded'), 0)::bigint AS corrected_cents
FROM moved m LEFT JOIN advice a ON a.advice_id = m.reference LEFT JOIN payer p USING (payer_id)
LEFT JOIN entry e ON e.owner_id = m.owner_id AND e.entry_id = m.entry_id
LEFT JOIN journal_transaction t ON t.transaction_id = e.transaction_id
LEFT JOIN journal_transaction o ON o.transaction_id = t.reverses
GROUP BY m.owner_id, a.payer_id, p.name ORDER BY 3, 2

-- name: members
SELECT m.member_id, p.ncpdp_id, m.legal_name, m.dba_name, lower(m.membership) AS since, upper(m.membership) - 1 AS until
FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE m.member_id = ANY (CAST(:member_ids AS uuid[]))

-- name: declared
-- What of a fee is above its contract and declared by a case: it waits for the float to be given back.
SELECT coalesce(sum(e.amount_cents), 0)::bigint FROM exception_case e
WHERE e.kind = 'fee_over_contract' AND e.state = 'open' AND e.subject = :subject

-- name: income_accounts
SELECT a.ledger || ' ' || a.account FROM account a WHERE a.type = 'income' OR (a.ledger = 'custody' AND a.type NOT IN ('asset', 'liability', 'either')) ORDER BY 1

-- name: bank
-- What the bank said: its balance before the range and at its end, and its lines in between; the lines that the books date in another
-- month, because theirs was closed when they came.
SELECT (SELECT coalesce(sum(s.closing_cents), 0)::bigint FROM (
            SELECT DISTINCT ON (custodial_account_id) closing_cents FROM bank_statement
            WHERE as_of < :from_on AND closing_cents IS NOT NULL ORDER BY custodial_account_id, as_of DESC, place DESC) s) AS opening_cents,
       (SELECT coalesce(sum(s.closing_cents), 0)::bigint FROM (
            SELECT DISTINCT ON (custodial_account_id) closing_cents FROM bank_statement
            WHERE as_of <= :to_on AND closing_cents IS NOT NULL ORDER BY custodial_account_id, as_of DESC, place DESC) s) AS closing_cents,
       (SELECT max(as_of) FROM bank_statement WHERE as_of <= :to_on AND closing_cents IS NOT NULL) AS closing_on,
       coalesce(sum(b.amount_cents) FILTER (WHERE b.as_of >= :from_on AND b.amount_cents > 0), 0)::bigint AS in_cents,
       coalesce(-sum(b.amount_cents) FILTER (WHERE b.as_of >= :from_on AND b.amount_cents < 0), 0)::bigint AS out_cents,
       coalesce(sum(b.amount_cents) FILTER (WHERE b.as_of < :from_on AND t.effective_on >= :from_on), 0)::bigint AS opening_later_cents,
       coalesce(sum(b.amount_cents) FILTER (WHERE t.effective_on > :to_on), 0)::bigint AS closing_later_cents,
       count(*) FILTER (WHERE t.transaction_id IS NULL) AS not_posted
FROM bank_line b LEFT JOIN journal_transaction t USING (bank_line_id) WHERE b.as_of <= :to_on

-- name: remittances
-- The 835s that were advised in the range, and those that were reversed in it: what each pays (BPR02) beside what it gave to owners, by
-- payer. Each transaction by itself: an advice that was replaced and put back is advised twice, and once of them is reversed.
WITH told AS MATERIALIZED (
    SELECT l.reference AS advice_id, e.transaction_id, l.event = 'reversed' AS is_turned, sum(l.amount_cents) AS given_cents,
           coalesce(sum(l.amount_cents) FILTER (WHERE l.owner_id <> house_id()), 0) AS members_cents
    FROM line l JOIN entry e USING (owner_id, entry_id)
    WHERE l.account = 'advised' AND l.effective_on BETWEEN :from_on AND :to_on
      AND (l.event = 'advised' OR (l.event = 'reversed' AND EXISTS (SELECT FROM journal_transaction t JOIN journal_transaction o ON o.transaction_id = t.reverses
                                                                    WHERE t.transaction_id = e.transaction_id AND o.event = 'advised')))
    GROUP BY 1, 2, 3
), paid AS (
    SELECT n.*, a.payer_id, a.payer_name, a.trace_number, CASE WHEN n.is_turned THEN -a.payment_cents ELSE a.payment_cents END AS payment_cents
    FROM told n JOIN advice a USING (advice_id)
)
SELECT n.payer_id, coalesce(p.name, min(n.payer_name)) AS payer_name, count(*) FILTER (WHERE NOT n.is_turned) AS advices,
       coalesce(sum(n.payment_cents) FILTER (WHERE NOT n.is_turned), 0)::bigint AS payment_cents,
       coalesce(sum(n.payment_cents) FILTER (WHERE n.is_turned), 0)::bigint AS reversed_cents, sum(n.members_cents)::bigint AS members_cents,
       coalesce(sum(n.members_cents) FILTER (WHERE n.is_turned), 0)::bigint AS members_reversed_cents,
       count(*) FILTER (WHERE n.payment_cents <> n.given_cents) AS wrong, min(n.trace_number) FILTER (WHERE n.payment_cents <> n.given_cents) AS wrong_trace
FROM paid n LEFT JOIN payer p USING (payer_id) GROUP BY n.payer_id, p.name ORDER BY 2, 1

-- name: told_to_nobody
-- Lines of advices that no advice is known to.
SELECT count(*) FROM line l WHERE l.account = 'advised' AND l.event = 'advised' AND l.effective_on BETWEEN :from_on AND :to_on
  AND NOT EXISTS (SELECT FROM advice a WHERE a.advice_id = l.reference)

-- name: newest
-- The last certificate of each member (null: of the population) for some months.
SELECT DISTINCT ON (c.member_id) c.member_id, c.certificate_id, c.version, c.checkpoint_size, encode(c.figures_sha256, 'hex') AS figures_sha256
FROM certificate c WHERE c.from_on = :from_on AND c.to_on = :to_on
  AND (NOT CAST(:is_one AS boolean) OR c.member_id IS NOT DISTINCT FROM CAST(:member_id AS uuid))
ORDER BY c.member_id, c.version DESC

-- name: take_turn
-- One issue of certificates at a time: who comes second finds the first one's.
SELECT pg_advisory_xact_lock(hashtext('centralpay.certificate_issue'))

-- name: add_issue
INSERT INTO certificate_issue (from_on, to_on, checkpoint_size, sha256, size_bytes, certificates, issued_by)
VALUES (:from_on, :to_on, :checkpoint_size, decode(:sha256, 'hex'), :size_bytes, :certificates, :actor) RETURNING issue_id

-- name: add_certificates
INSERT INTO certificate (issue_id, member_id, from_on, to_on, version, supersedes, checkpoint_size, body_sha256, figures_sha256, byte_start, byte_end,
                         closing_cents, retained_cents)
SELECT :issue_id, n.member_id, :from_on, :to_on, n.version, n.supersedes, :checkpoint_size, n.body_sha256, n.figures_sha256, n.byte_start, n.byte_end,
       n.closing_cents, n.retained_cents
FROM unnest(CAST(:member_ids AS uuid[]), CAST(:versions AS integer[]), CAST(:supersedes AS bigint[]), CAST(:digests AS bytea[]),
            CAST(:figures AS bytea[]), CAST(:starts AS bigint[]), CAST(:ends AS bigint[]), CAST(:closings AS bigint[]), CAST(:retained AS bigint[]))
    AS n (member_id, version, supersedes, body_sha256, figures_sha256, byte_start, byte_end, closing_cents, retained_cents)
ORDER BY n.byte_start

-- name: issued
-- Certificates that were issued, with the leaf of each and the first checkpoint that covers it: one of a number, a member's, the
-- population's, or the newest of everybody for some months.
SELECT c.certificate_id, c.member_id, p.ncpdp_id, c.from_on, c.to_on, c.version, c.supersedes, c.checkpoint_size, c.closing_cents, c.retained_cents,
       i.issued_by, i.issued_at, encode(c.body_sha256, 'hex') AS body_sha256, encode(i.sha256, 'hex') AS file_sha256, c.byte_start, c.byte_end,
       n.certificate_id AS superseded_by, s.leaf_index,
       (SELECT min(k.size) FROM seal_checkpoint k WHERE k.size > s.leaf_index) AS sealed_size
FROM certificate c JOIN certificate_issue i USING (issue_id) LEFT JOIN member m ON m.member_id = c.member_id LEFT JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN certificate n ON n.supersedes = c.certificate_id
LEFT JOIN LATERAL (SELECT s.leaf_index FROM trail t JOIN seal_leaf s ON s.kind = 2 AND s.trail_id = t.trail_id
                   WHERE t.table_name = 'certificate' AND t.row_key = c.certificate_id::text ORDER BY t.trail_id LIMIT 1) s ON true
WHERE CASE WHEN CAST(:certificate_id AS bigint) IS NOT NULL THEN c.certificate_id = :certificate_id
           WHEN CAST(:from_on AS date) IS NOT NULL THEN c.from_on = :from_on AND c.to_on = :to_on AND c.member_id IS NOT NULL AND n.certificate_id IS NULL
           WHEN CAST(:member_id AS uuid) IS NOT NULL THEN c.member_id = :member_id
           ELSE c.member_id IS NULL END
ORDER BY i.sha256, c.byte_start

-- name: leaves
-- The trail rows of certificates, as their leaves were hashed.
SELECT CAST(t.row_key AS bigint) AS certificate_id, t.trail_id, t.table_name, t.row_key, t.content, t.recorded_at, CAST(CAST(t.xid AS text) AS bigint) AS xid
FROM trail t WHERE t.table_name = 'certificate' AND t.row_key = ANY (CAST(:keys AS text[])) ORDER BY t.trail_id
