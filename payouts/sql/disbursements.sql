-- name: lock_item
-- Two proposals for one item take turns.
SELECT pg_advisory_xact_lock(hashtext('centralpay.disbursement ' || :kind || ' ' || :subject))

-- name: free
-- What an item has that is not promised to a disbursement that waits.
SELECT (coalesce((SELECT -sum(l.amount_cents) FROM line l
                  WHERE l.reference = :reference AND l.account = CAST(:account AS account_name) AND l.owner_id = :owner_id
                    AND l.account IN ('held', 'levied', 'unclaimed', 'due_to_payer') AND l.reference IS NOT NULL), 0)
        - coalesce((SELECT sum(d.amount_cents) FROM disbursement d
                    WHERE d.kind = :kind AND d.subject = CAST(:reference AS bigint)::text AND d.owner_id = :owner_id AND d.state IN ('proposed', 'approved')), 0)
       )::bigint

-- name: add
INSERT INTO disbursement (kind, owner_id, subject, payee, method, amount_cents, proposed_by)
VALUES (:kind, :owner_id, :subject, :payee, :method, :amount_cents, :actor) RETURNING disbursement_id

-- name: lock
SELECT disbursement_id FROM disbursement WHERE disbursement_id = :disbursement_id FOR UPDATE

-- name: list
SELECT d.disbursement_id, d.kind, d.owner_id, coalesce(p.ncpdp_id, 'house') AS owner, d.subject, d.payee, d.method, d.amount_cents, d.state,
       d.proposed_by, a.approval_id, a.decided_by AS approved_by, d.released_on, d.settled_by_bank_line,
       coalesce(h.authority, '') AS authority
FROM disbursement d LEFT JOIN member m ON m.member_id = d.owner_id LEFT JOIN pharmacy p USING (pharmacy_id)
LEFT JOIN approval a ON a.approval_id = d.approval_id AND a.state = 'approved'
LEFT JOIN hold h ON d.kind <> 'refund' AND h.hold_id::text = d.subject
WHERE (CAST(:disbursement_id AS numeric) IS NULL OR d.disbursement_id = :disbursement_id)
  AND (:everything OR d.state IN ('proposed', 'approved', 'released'))
ORDER BY d.disbursement_id

-- name: approve
UPDATE disbursement SET state = 'approved', approval_id = :approval_id WHERE disbursement_id = :disbursement_id AND state = 'proposed'

-- name: mark_released
UPDATE disbursement SET state = 'released', released_on = :released_on WHERE disbursement_id = :disbursement_id AND state = 'approved'

-- name: mark_settled
UPDATE disbursement SET state = 'settled', settled_by_bank_line = :bank_line_id WHERE disbursement_id = :disbursement_id AND state = 'released'

-- name: mark_void
UPDATE disbursement SET state = 'void' WHERE disbursement_id = :disbursement_id AND state IN ('proposed', 'approved', 'released')

-- name: settlements
SELECT count(*) FROM line WHERE account = 'in_transit' AND reference = :disbursement_id AND event = 'payout_settled'

-- name: release_of
-- The transaction that released it and stands.
SELECT transaction_id FROM standing_line WHERE account = 'in_transit' AND reference = :disbursement_id
    AND event IN ('levy_released', 'escheat_released', 'refund_released')
