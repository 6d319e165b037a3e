"""Who may do what in the database, by hand: what the application writes, what a member reads, who may call what.

Whoever adds a table, a view, a column that changes or a function adds it here; an object that is in no list fails the
tests of rights.
"""

WORKING_TABLES = {
    "app_user", "activity", "owner", "pharmacy", "member", "member_identifier", "contract", "bank_account", "payer",
    "unknown_payee", "received_file", "advice", "remittance_set", "claim_line", "plb_line", "advice_share",
    "custodial_account", "bank_statement", "bank_line", "approval", "cycle", "payout", "payout_fee", "cycle_omission",
    "exception_case", "share_to_remit", "vault_expiry", "advice_replacement",
    "cycle_remittance", "cycle_share", "cycle_own_item", "child_remittance", "child_set",
    "dated_limit", "member_contact", "notice", "ach_file", "ach_entry", "bank_account_change", "bank_account_stop",
    "hold", "disbursement", "levy", "dormancy_rule", "unclaimed_letter", "owner_heard",
    "ach_answer", "release_order", "decided_share", "correction_claim", "found_share",
    "cycle_found_share", "direct_pay",
    "received_entry", "bank_line_detail", "statement_waiver", "statement_issue", "issued_statement", "cut_off",
    "job_run", "fee_invoice", "fee_invoice_line",
    "certificate", "certificate_issue", "period_carried", "period_check", "period_checkpoint", "period_package",
}  # fmt: skip
"""Tables into which the application writes by itself."""

KEPT_TABLES = {
    "account", "alembic_version", "balance", "claim_reversal", "entry", "examined", "job_attempt",
    "journal_transaction", "known_bound", "known_with", "line", "member_login", "payout_exclusion", "period",
    "period_close", "period_reopening", "period_tie_out", "posting_rule", "same_day_window", "seal_checkpoint",
    "seal_key", "seal_leaf", "seal_pending", "seal_run", "seal_subtree", "trail", "trailed_table",
}  # fmt: skip
"""Tables into which it writes by functions and triggers alone, or not at all."""

VIEWS = {
    "standing_line", "statement_line", "forward_balance", "bank_line_payments", "fee_month", "fee_against_contract",
    "posted_return",
}  # fmt: skip

CHANGING_COLUMNS = {
    "ach_answer": "asked_change_id bank_line_id close_reason closed_by fact_key hold_id paid_again_by state",
    "advice": "funded_cents state",
    "approval": "decided_at decided_by first_approved_at first_approved_by reason state",
    "bank_account": "in_use",
    "bank_account_change": (
        "approval_id call_confirmed called_at called_by called_number called_on cooling_until prenote_settles_on "
        "spoke_with state usable_from"
    ),
    "bank_account_stop": "lift_reason lifted_at lifted_by",
    "bank_line": "state",
    "contract": "in_force proration remittance_form",
    "cycle": (
        "approval_id children_sha256 nacha_name nacha_sha256 notices_sha256 released_by released_cents seen "
        "settled_by_bank_line state void_reason voided_at voided_by"
    ),
    "direct_pay": "end_reason ended_at ended_by until",
    "disbursement": "approval_id released_on settled_by_bank_line state",
    "exception_case": "amount_cents detail resolution resolved_at state",
    "found_share": "cycle_id",
    "hold": "approval_id ended_at review_on state",
    "job_run": "attempt error finished_at outcome retry_at run_by started_at state",
    "member": "dba_name legal_name membership payout_minimum_cents payout_schedule state",
    "member_contact": "in_use",
    "member_identifier": "valid",
    "notice": "written_at",
    "payer": "ach_company_ids aliases name",
    "payout": "reason state trace_number",
    "received_entry": "bank_line_id",
    "received_file": "findings status",
    "remittance_set": "advice_id status",
    "share_to_remit": "cycle_id",
}
"""All that the application may change in a row: states, ends of validity, names. No amount of money but a case's."""

OWN_ROWS = {
    "line", "balance", "advice_share", "member_login", "member", "contract", "payout_fee", "child_remittance",
    "child_set", "issued_statement", "certificate",
}  # fmt: skip
"""Tables of which a member may read its own rows whole; row-level security shows each of them its own."""

OWN_COLUMNS = {
    "entry": "owner_id entry_id transaction_id ledger event effective_on",
    "cycle": "cycle_id business_date effective_on",
    "payout": "payout_id cycle_id member_id amount_cents fee_cents bank_account_id state trace_number advice_id",
    "hold": "hold_id member_id kind authority payer_id limit_cents review_on placed_on state ended_at",
    "statement_issue": "issue_id from_on to_on form version payer_id issued_at",
    "journal_transaction": "transaction_id event fact_on effective_on recorded_at reverses",
}
"""And of which it may read its own rows in these columns alone: the others say more than is its own."""

OWN_VIEWS = {"standing_line", "statement_line"}

SEQUENCES = {"advice_advice_id_seq", "payout_payout_id_seq", "ach_trace"}
"""From which the application draws numbers by itself."""

HARMLESS = {"house_id", "month_of_reference", "member_of_login"}
"""Functions that a member may call: they say what the member knows."""

READING = HARMLESS | {
    "fee_due", "fee_due_of_member", "effective_date", "advice_shares", "cycle_set_hash", "limit_on",
    "trusted_contact_day", "call_back_number", "is_payout_schedule", "payout_falls", "cut_off_on", "fee_of_terms",
    "fee_asked", "decided_rows_hash", "payee_shares", "cycle_core_hash",
    "rx_normal", "rx_key", "reversal_candidates", "forward_balances",
    "trail_content", "trail_digest", "trail_key", "trail_now", "note_read",
    "known_at", "known_bounds_of", "known_columns", "known_number", "bank_tie_out", "checkpoint_of_close",
}  # fmt: skip
"""Functions that an auditor may call: they read, and one writes down that he did."""

WORKING = READING | {
    "post", "reverse_transaction", "ensure_claim_partition",
    "pair_reversals", "pair_open_reversals", "choose_original",
    "file_kept_for", "reseal_numbers", "is_resealed",
    "journal_is_append_only", "claim_line_is_append_only", "approval_is_decided_once", "refuse", "payout_fits",
    "answer_is_in_the_books",
    "close_period", "reopen_period", "tie_out_period",
    "seal_turn", "seal_batch", "seal_subtrees_add", "seal_checkpoint_add", "seal_key_add",
}  # fmt: skip
"""Functions that the application may call."""

BORROWING = {
    "bound_what_is_sealed", "choose_original", "close_period", "dropped_claims_are_free", "ensure_claim_partition",
    "job_attempt_is_kept", "keep_exclusion", "note_read", "owner_starts_at_zero", "pair_open_reversals",
    "pair_reversals", "period_closes", "period_reopens", "post", "reopen_period", "reseal_numbers",
    "reverse_transaction", "seal_batch", "seal_checkpoint_add", "seal_checkpoint_guard", "seal_key_add",
    "seal_key_guard", "seal_leaf_guard", "seal_pending_trail", "seal_pending_transaction", "seal_run_ends",
    "seal_subtree_guard", "seal_subtrees_add", "seal_turn", "tie_out_period", "write_trail",
}  # fmt: skip
"""Functions that work with their owner's rights."""
