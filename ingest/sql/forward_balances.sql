-- name: forward_balances
SELECT f.payer_id, coalesce(p.name, (SELECT a.payer_name FROM advice a WHERE a.advice_id = f.advice_ids[1])) AS payer_name,
       s.ncpdp_id, m.member_id, u.identifier, f.is_network, f.reference, f.carried_cents, f.taken_cents, f.open_cents, f.first_on, f.last_on,
       f.advice_ids, f.total_cents, f.total_since
FROM forward_balances(coalesce(CAST(:as_of AS date), 'infinity')) f
LEFT JOIN payer p USING (payer_id) LEFT JOIN member m ON m.member_id = f.owner_id LEFT JOIN pharmacy s USING (pharmacy_id)
LEFT JOIN unknown_payee u USING (unknown_payee_id)
WHERE f.total_cents <> 0 OR NOT :only_open
ORDER BY f.payer_id, f.is_network, s.ncpdp_id, m.membership, u.identifier, f.first_on, f.reference
