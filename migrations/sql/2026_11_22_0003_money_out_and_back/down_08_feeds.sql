DROP VIEW bank_line_payments;
DROP TABLE received_entry, bank_line_detail, statement_waiver;
DROP FUNCTION entry_is_joined_once();
DROP FUNCTION waiver_is_anothers();
DROP INDEX bank_line_of_day;
DROP TRIGGER booked_once ON bank_line;
DROP FUNCTION repeated_statement_books_nothing();
DROP TRIGGER append_only ON bank_statement;
DROP TRIGGER follows_the_last ON bank_statement;
DROP FUNCTION statement_follows_the_last();
ALTER TABLE bank_statement DROP CONSTRAINT repeats_the_same_day, DROP CONSTRAINT repeats_another, DROP CONSTRAINT repeated_balances_stand_once,
    DROP COLUMN repeats, DROP COLUMN feed, DROP COLUMN place;
