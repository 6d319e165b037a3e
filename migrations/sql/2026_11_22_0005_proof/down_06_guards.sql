DO $$
DECLARE
    guard text;
BEGIN
    FOREACH guard IN ARRAY ARRAY[
        -- The journal and its balances.
        'journal_is_append_only', 'balance_follows_lines', 'transaction_guard', 'entry_guard', 'line_guard', 'transaction_holds',
        'others_money_guard', 'direct_is_not_posted', 'fees_given_back_hold', 'reversal_waits_for_cycles', 'decision_is_undone',
        'answers_follow_reversals', 'disbursements_follow_reversals', 'payouts_follow_reversals',
        -- What comes in.
        'claim_line_is_append_only', 'advice_takes_its_steps', 'set_takes_its_steps', 'direct_advice_is_its_members',
        'direct_pay_of_advice_stays', 'direct_pay_only_ends', 'bank_line_is_what_is_open', 'statement_follows_the_last',
        'repeated_statement_books_nothing', 'waiver_is_anothers', 'entry_is_joined_once', 'found_share_guard', 'found_share_stays',
        'set_of_what_was_found', 'share_is_told_once', 'correction_claim_stays',
        -- What goes out.
        'cycle_begins_proposed', 'cycle_takes_its_steps', 'payouts_keep_step', 'payout_stays', 'payout_takes_its_steps',
        'payouts_fit', 'payout_comes_back_by_an_answer', 'rows_are_of_a_proposal', 'release_is_written_down', 'released_files_stay',
        'ach_file_foots', 'ach_entries_are_meant', 'answer_keeps_its_steps', 'hold_steps', 'levy_is_one_order',
        'disbursement_steps',
        -- People and terms.
        'approval_is_decided_once', 'approved_rows_stay', 'bank_account_stays', 'bank_account_guard', 'bank_change_guard',
        'bank_stop_guard', 'contact_guard', 'notice_guard', 'membership_begins_once', 'contract_keeps_its_form',
        'fees_follow_contracts',
        -- Papers and jobs.
        'invoice_is_the_next', 'invoice_foots', 'statement_of_a_new_issue', 'issue_is_complete', 'job_run_takes_its_steps'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %I() RESET search_path', guard);
    END LOOP;
END $$;
