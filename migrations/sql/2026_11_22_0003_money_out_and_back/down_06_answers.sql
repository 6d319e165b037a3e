DROP TRIGGER returns_follow ON journal_transaction;
DROP TRIGGER comes_back_by_an_answer ON payout;
DROP FUNCTION answers_follow_reversals(), payout_comes_back_by_an_answer(), answer_is_in_the_books(ach_answer);
DROP TABLE release_order, ach_answer;
DROP FUNCTION answer_keeps_its_steps();
