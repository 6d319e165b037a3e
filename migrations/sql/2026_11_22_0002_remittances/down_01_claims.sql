-- Back: prescription numbers as they came, no pairs, no register.
DROP VIEW forward_balance;
DROP FUNCTION forward_balances(date);
DROP INDEX plb_line_carried;
DROP FUNCTION choose_original(bigint, integer, bigint, integer, text);
DROP FUNCTION pair_open_reversals(integer);
DROP FUNCTION pair_reversals(bigint[]);
DROP FUNCTION free_replaced_reversals();
DROP FUNCTION try_reversals(bigint[], integer[]);
DROP FUNCTION reversal_candidates(bigint[], integer[]);
DROP TABLE claim_reversal;
DROP INDEX advice_replaced, line_of_funding, claim_line_of_rx;
CREATE INDEX claim_line_of_rx ON claim_line (rx_number);
DROP FUNCTION rx_key(text);
DROP FUNCTION rx_normal(text);
