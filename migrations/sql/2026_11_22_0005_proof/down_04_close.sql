DROP TRIGGER follows_its_records ON period;
DROP TRIGGER begins_open ON period;
DROP FUNCTION reopen_period(bigint), close_period(date, date, text), tie_out_period(date, integer), bank_tie_out(date);
DROP TABLE period_reopening, period_package, period_checkpoint, period_tie_out, period_carried, period_check, period_close;
DROP FUNCTION period_reopens(), package_supersedes_the_last(), period_is_sealed(), checkpoint_of_close(date, integer), close_is_complete(),
    close_is_of_now(), period_closes(), take_period_turn(date), period_begins_open(), period_follows_its_records();
