-- name: members
SELECT m.member_id FROM member m JOIN pharmacy p USING (pharmacy_id) WHERE p.ncpdp_id = :asked OR CAST(m.member_id AS text) = lower(:asked)

-- name: trail
-- The claim lines of a prescription number with all that is known of their money. Each step goes by a key: the lines by their
-- number, the funding by the advice, its deposits by the house's entry of the same fact, the payout by the member's own remittance.
WITH claim AS MATERIALIZED (
    SELECT c.* FROM claim_line c
    WHERE rx_key(c.rx_number) = rx_key(:rx) AND rx_normal(c.rx_number) = rx_normal(:rx)
      AND (CAST(:members AS uuid[]) IS NULL OR c.owner_id = ANY (CAST(:members AS uuid[])) OR (c.unknown_payee_id IS NOT NULL AND EXISTS (
          SELECT FROM found_share f WHERE f.unknown_payee_id = c.unknown_payee_id AND f.advice_id = c.advice_id AND f.standing
              AND f.owner_id = ANY (CAST(:members AS uuid[])))))
    ORDER BY c.paid_on DESC, c.advice_id DESC, c.segment DESC LIMIT :most
)
SELECT c.rx_number, s.ncpdp_id, CASE WHEN w.found_share_id IS NULL THEN u.identifier END AS identifier, a.payer_id, coalesce(p.name, a.payer_name) AS payer_name, c.payer_claim_number, c.fill_on, c.ndc,
       c.status, c.charge_cents, c.paid_cents, c.patient_cents,
       c.adjustments AS said_adjustments, c.reject_codes AS said_reasons,
       a.advice_id, c.segment, a.trace_number, a.paid_on, a.state AS advice_state, a.payment_cents AS advised_cents, a.funded_cents,
       f.fact_on AS funded_on, d.deposits, y.cycle_id, y.business_date, y.effective_on,
       k.trace_number AS remittance_trace, o.state AS payout_state,
       o.trace_number AS ach_trace, o.amount_cents AS payout_cents,
       x.answer_id, x.code, x.received_on, z.cycle_id AS paid_again_cycle_id, z.state AS paid_again_state, z.trace_number AS paid_again_trace,
       r.state AS reversal_state, r.candidates AS candidate_count, r.original_advice_id, r.original_segment, r.original_paid_on,
       ro.trace_number AS original_trace,
       t.advice_id AS reversal_advice_id, t.segment AS reversal_segment, t.paid_on AS reversal_paid_on, ra.trace_number AS reversal_trace
FROM claim c
JOIN advice a USING (advice_id)
LEFT JOIN payer p USING (payer_id)
-- Of the house's lines those that were found are their member's.
LEFT JOIN found_share w ON w.unknown_payee_id = c.unknown_payee_id AND w.advice_id = c.advice_id AND w.standing
LEFT JOIN member m ON m.member_id = coalesce(w.owner_id, c.owner_id) LEFT JOIN pharmacy s USING (pharmacy_id)
LEFT JOIN unknown_payee u ON u.unknown_payee_id = c.unknown_payee_id
LEFT JOIN LATERAL (
    SELECT j.fact_key, j.fact_on FROM standing_line l JOIN journal_transaction j USING (transaction_id)
    WHERE l.reference = c.advice_id AND l.account = 'advised' AND l.event = 'funded' LIMIT 1) f ON true
LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('bank_line_id', b.bank_line_id, 'booked_on', b.as_of, 'bank_reference', b.bank_reference,
                                        'amount_cents', b.amount_cents) ORDER BY b.bank_line_id) AS deposits
    FROM entry e JOIN line l USING (owner_id, entry_id) JOIN bank_line b ON b.bank_line_id = l.reference
    WHERE e.owner_id = house_id() AND e.fact_key = f.fact_key AND e.ledger = 'custody' AND e.event = 'funded'
      AND l.account = 'unmatched_deposit') d ON true
LEFT JOIN share_to_remit h ON h.owner_id = c.owner_id AND h.advice_id = c.advice_id
LEFT JOIN cycle y ON y.cycle_id = coalesce(w.cycle_id, h.cycle_id)
LEFT JOIN child_set k ON k.member_id = coalesce(w.owner_id, h.owner_id) AND k.advice_id = c.advice_id AND k.cycle_id = y.cycle_id
LEFT JOIN payout o ON o.payout_id = k.payout_id
LEFT JOIN ach_answer x ON x.payout_id = o.payout_id AND x.state = 'posted' AND x.kind IN ('return', 'contested')
LEFT JOIN payout z ON z.payout_id = x.paid_again_by
LEFT JOIN claim_reversal r ON CAST(:paired AS boolean) AND r.advice_id = c.advice_id AND r.segment = c.segment
LEFT JOIN advice ro ON ro.advice_id = r.original_advice_id
LEFT JOIN claim_reversal t ON CAST(:paired AS boolean) AND t.original_advice_id = c.advice_id AND t.original_segment = c.segment
LEFT JOIN advice ra ON ra.advice_id = t.advice_id
ORDER BY c.paid_on DESC, c.advice_id DESC, c.segment DESC
