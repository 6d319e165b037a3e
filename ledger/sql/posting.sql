-- name: post
SELECT fact_key, transaction_id, replayed FROM post(
    :actor, CAST(:events AS event_name[]), CAST(:fact_keys AS text[]), CAST(:fact_on AS date[]), CAST(:reasons AS text[]),
    CAST(:reverses AS bigint[]), CAST(:bank_lines AS bigint[]), CAST(:line_transaction AS integer[]),
    CAST(:line_owner AS uuid[]), CAST(:line_ledger AS ledger_name[]), CAST(:line_account AS account_name[]),
    CAST(:line_amount AS bigint[]), CAST(:line_reference AS bigint[]))

-- name: reverse
-- Not before what it turns: an 835 comes days before its payment, and may be replaced by then.
SELECT fact_key, transaction_id, replayed
FROM reverse_transaction(:actor, :transaction_id, :fact_key, greatest(CAST(:fact_on AS date),
    (SELECT o.effective_on FROM journal_transaction o WHERE o.transaction_id = :transaction_id)), :reason)

-- name: effective_date
SELECT effective_date(CAST(:fact_on AS date))
