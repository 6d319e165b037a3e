-- Back: voids lose their reasons; an omission for a stopped account is one without an account; a cycle that is proposed or
-- approved has another hash than was approved and has to be proposed anew.
DROP TRIGGER payouts_follow ON journal_transaction;
DROP TRIGGER waits_for_cycles ON journal_transaction;
DROP TRIGGER append_only ON cycle_omission;
DROP TRIGGER append_only ON payout_fee;
DROP TRIGGER append_only ON bank_account;
DROP TRIGGER append_only ON payout;
DROP TRIGGER append_only ON cycle;
DROP TRIGGER fit_on_update ON payout;
DROP TRIGGER fit_on_insert ON payout;
DROP TRIGGER takes_its_steps ON payout;
DROP TRIGGER begins_proposed ON payout;
DROP TRIGGER stays ON payout;
DROP TRIGGER payouts_keep_step ON cycle;
DROP TRIGGER takes_its_steps ON cycle;
DROP TRIGGER begins_proposed ON cycle;
DROP TRIGGER stays ON bank_account;
DROP FUNCTION payouts_follow_reversals(), reversal_waits_for_cycles(), payouts_of_transaction(bigint), payouts_fit(), payout_takes_its_steps(),
    payout_stays(), payouts_keep_step(), payout_fits(text, text), cycle_takes_its_steps(), cycle_begins_proposed(), bank_account_stays();

-- As the steps before laid them.
CREATE OR REPLACE FUNCTION payouts_are_approved(p_lines payout_line[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan AS $$
DECLARE bad record;
BEGIN
    IF p_lines IS NULL THEN RETURN; END IF;
    SELECT n.* INTO bad FROM unnest(p_lines) n
    LEFT JOIN payout p ON p.payout_id = n.payout_id AND p.member_id = n.owner_id AND p.amount_cents = n.amount_cents
        AND p.state = 'approved'
    WHERE p.payout_id IS NULL LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('%s cents for payout %s are not an approved payout', bad.amount_cents, bad.payout_id), to_jsonb(bad));
    END IF;
    SELECT c.cycle_id, c.state INTO bad
    FROM cycle c LEFT JOIN approval a ON a.approval_id = c.approval_id AND a.state = 'approved' AND a.kind = 'cycle'
        AND a.subject = c.cycle_id::text AND a.set_hash = cycle_set_hash(c.cycle_id)
    WHERE c.cycle_id IN (SELECT p.cycle_id FROM unnest(p_lines) n JOIN payout p USING (payout_id))
      AND (c.state <> 'approved' OR a.approval_id IS NULL) LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_approved', format('cycle %s is not approved as it stands', bad.cycle_id), to_jsonb(bad));
    END IF;
    SELECT n.payout_id, count(*) AS times INTO bad FROM unnest(p_lines) n
    JOIN standing_line l ON l.account = 'in_transit' AND l.reference = n.payout_id AND l.owner_id = n.owner_id AND l.event = 'payout_released'
    GROUP BY n.payout_id HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        PERFORM refuse(11, 'payout_is_released_once', format('payout %s is released already', bad.payout_id), to_jsonb(bad));
    END IF;
END $$;

CREATE OR REPLACE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws(E'\n', concat_ws('|', 'centralpay cycle 1', c.cycle_id, c.business_date, c.effective_on, c.odfi_routing,
               c.company_id, c.company_name, c.entry_description), coalesce((
           SELECT string_agg(concat_ws('|', p.payout_id, p.member_id, p.amount_cents, p.fee_cents, coalesce(p.bank_account_id::text, '-'),
                      (SELECT string_agg(f.month || '=' || f.amount_cents, ',' ORDER BY f.month) FROM payout_fee f WHERE f.payout_id = p.payout_id),
                      'advice ' || p.advice_id),
                  E'\n' ORDER BY p.member_id, p.payout_id)
           FROM payout p WHERE p.cycle_id = c.cycle_id), ''),
           (SELECT string_agg(concat_ws('|', 'remittance', r.member_id, r.form, r.paid_cents), E'\n' ORDER BY r.member_id)
            FROM cycle_remittance r WHERE r.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'share', s.owner_id, s.advice_id), E'\n' ORDER BY s.owner_id, s.advice_id)
            FROM cycle_share s WHERE s.cycle_id = c.cycle_id),
           (SELECT string_agg(concat_ws('|', 'own', i.member_id, i.reference, i.reason, i.amount_cents), E'\n' ORDER BY i.member_id, i.reference)
            FROM cycle_own_item i WHERE i.cycle_id = c.cycle_id)), 'UTF8'))
    FROM cycle c WHERE c.cycle_id = p_cycle_id
$$;

DROP INDEX payout_of_member;
CREATE INDEX payout_of_member ON payout (member_id);
UPDATE cycle_omission SET reason = 'no_bank_account' WHERE reason = 'account_stopped';
ALTER TABLE cycle_omission DROP CONSTRAINT cycle_omission_reason_check;
ALTER TABLE cycle_omission ADD CONSTRAINT cycle_omission_reason_check CHECK (reason IN ('negative', 'held', 'no_balance', 'no_bank_account', 'proof_fails'));
ALTER TABLE cycle DROP COLUMN cut_off_at, DROP COLUMN seen, DROP COLUMN set_version, DROP COLUMN void_reason, DROP COLUMN voided_by, DROP COLUMN voided_at;
