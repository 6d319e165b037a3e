DROP TRIGGER bounds_what_is_sealed ON seal_checkpoint;
DROP TRIGGER keeps_exclusion ON payout;
DROP FUNCTION make_known_views(), known_view_of(text), known_columns(regclass), keep_exclusion(), known_at(bigint), known_number(text),
    bound_what_is_sealed(), known_bounds_of(bigint, bigint), centralpay_known.limit_on(text, date), centralpay_known.cut_off_on(text, date);
ALTER TABLE statement_issue DROP COLUMN checkpoint_size;
DROP INDEX trail_of_table, trail_of_what_is_gone;
DROP TABLE known_bound, known_with, payout_exclusion;
