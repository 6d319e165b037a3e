DROP TABLE issued_statement;
DROP TABLE statement_issue;
DROP FUNCTION statement_of_a_new_issue(), issue_is_complete();
DROP INDEX advice_share_of_nothing;
DROP INDEX plb_line_of_member;
