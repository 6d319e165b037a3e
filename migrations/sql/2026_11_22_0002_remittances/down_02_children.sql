-- Back: what was told is forgotten; a cycle that pays a member in several parts stands in the way.
DROP TABLE child_set, child_remittance, cycle_own_item, cycle_share, cycle_remittance;
DROP TRIGGER files_stay ON cycle;
DROP FUNCTION released_files_stay();
ALTER TABLE cycle DROP COLUMN children_sha256;

-- As the step before laid it.
CREATE OR REPLACE FUNCTION cycle_set_hash(p_cycle_id bigint) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(concat_ws('|', 'centralpay cycle 1', c.cycle_id, c.business_date, c.effective_on, c.odfi_routing,
               c.company_id, c.company_name, c.entry_description) || E'\n' || coalesce((
           SELECT string_agg(concat_ws('|', p.payout_id, p.member_id, p.amount_cents, p.fee_cents, coalesce(p.bank_account_id::text, '-'),
                      (SELECT string_agg(f.month || '=' || f.amount_cents, ',' ORDER BY f.month) FROM payout_fee f WHERE f.payout_id = p.payout_id)),
                  E'\n' ORDER BY p.member_id)
           FROM payout p WHERE p.cycle_id = c.cycle_id), ''), 'UTF8'))
    FROM cycle c WHERE c.cycle_id = p_cycle_id
$$;

DROP INDEX line_of_other_due;
ALTER TABLE payout DROP CONSTRAINT payout_is_of_one_advice;
ALTER TABLE payout ADD CONSTRAINT payout_cycle_id_member_id_key UNIQUE (cycle_id, member_id);
ALTER TABLE payout DROP COLUMN advice_id;
DROP TRIGGER keeps_its_form ON contract;
DROP FUNCTION contract_keeps_its_form();
ALTER TABLE contract DROP COLUMN remittance_form;
DROP TABLE share_to_remit;
DROP FUNCTION share_is_told_once();
ALTER TABLE plb_line DROP COLUMN byte_start, DROP COLUMN byte_end;
ALTER TABLE advice DROP COLUMN delimiters;
