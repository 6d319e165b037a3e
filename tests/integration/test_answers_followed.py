"""What follows from answers: stops and holds at once, paying again, disputes, corrections of bank details."""

from dataclasses import replace
from datetime import date

import pytest

from app.demo.simulator.answers import AnswerKind
from app.demo.simulator.rules import Change, Contest, Dishonor, Return, Rules
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from payouts import decisions
from payouts.ach.reversals import NotReversibleError, ReversalReason, reverse_payout
from payouts.answers.again import may_pay_again, record_release
from payouts.answers.errors import AnswerStateError, HoldNotLegalError
from payouts.answers.returns import close_answer
from payouts.answers.trail import answers_of_payout
from payouts.cycle import cycles
from payouts.holding.errors import LiftRefusedError
from payouts.holding.lifts import ask_lift
from tests.support.answers import (
    FRIDAY,
    MONDAY,
    NEXT_MONDAY,
    NEXT_TUESDAY,
    NEXT_WEDNESDAY,
    OF_A,
    OF_B,
    OTHER_NUMBER,
    PRENOTE_TRACES,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    a_return,
    answers,
    approval_of,
    bring,
    close,
    decide,
    held,
    lift,
    other_account,
    pay,
    send,
    states,
    sweep,
    tried_account,
)
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import A, B, Part, remittance

# What is done at once ------------------------------------------------------------------------------------------------


def test_a_dead_account_is_stopped_and_what_is_pending_is_dropped(books: Books) -> None:
    """R02 arrives between approval and release of A's next payout: it is dropped; A gets a letter."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    books.fund(remittance("T2", THURSDAY, Part(A, (50_00,)), Part(B, (60_00,))))
    cycle = books.approved(FRIDAY)
    bring(books, [a_return(one, "R02")], FRIDAY)
    released = books.release(cycle.cycle_id)
    assert [each.ncpdp_id for each in released.dropped] == [A.ncpdp_id]
    assert released.total_cents == 60_00
    (notice,) = books.ask("SELECT kind, subject, body FROM notice")
    assert notice[0] == "payment_returned"
    assert "700.00" in notice[1]
    assert one.account_number not in notice[2]


@pytest.mark.parametrize(("code", "kind"), [("R16", "legal"), ("R17", "fraud")])
def test_legal_and_fraud_freeze_everything_at_once(books: Books, code: str, kind: str) -> None:
    """A's available 50.00 are held the moment the answer comes, its 700.00 join them; B is paid on; no letter leaves.

    R17 is fraud here because the bank calls it questionable and A's account is in use for eleven days only.
    """
    assert other_account(books, A, date(2026, 11, 2)) == date(2026, 11, 9)
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    books.fund(remittance("T2", THURSDAY, Part(A, (50_00,)), Part(B, (60_00,))))
    letters = books.ask("SELECT count(*) FROM notice")
    bring(books, [a_return(one, code, note="QUESTIONABLE")], FRIDAY)
    assert held(books) == {"A": 50_00, "B": 0}
    assert books.balance(B, Account.DUE_AVAILABLE) == 60_00
    books.book(FRIDAY, StatementLine("257", 700_00, "BACK", "", one.trace_number))
    assert len(sweep(books)) == 1
    assert held(books) == {"A": 750_00, "B": 0}
    assert books.ask("SELECT kind FROM hold") == [(kind,)]
    assert books.ask("SELECT count(*) FROM notice") == letters
    books.prove()


def test_questionable_without_a_recent_change_is_a_matter_of_format(books: Books) -> None:
    """R17 with QUESTIONABLE for an account that has been in use for long: our entry is looked at, nothing is frozen."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    bring(books, [a_return(one, "R17", note="QUESTIONABLE")], FRIDAY)
    (answer,) = answers(books)
    assert answer.treatment == "format"
    assert books.ask("SELECT count(*) FROM hold")[0][0] == 0


@pytest.mark.parametrize("code", ["R01", "R08", "R10", "R33", "R98"])
def test_a_code_that_no_payment_comes_back_with_waits_for_a_person(books: Books, code: str) -> None:
    """Codes of debits, of other classes and unknown ones: a case beside the money, which is taken back all the same."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    assert bring(books, [a_return(one, code)], FRIDAY).status == "accepted"
    assert books.cases()["answer_unknown", "answer 1"] == 700_00
    books.book(FRIDAY, StatementLine("257", 700_00, "BACK", "", one.trace_number))
    assert len(sweep(books)) == 1
    assert held(books) == {"A": 700_00, "B": 0}


@pytest.mark.parametrize("kind", [AnswerKind.RETURN, AnswerKind.CHANGE])
def test_a_prenote_that_comes_back_ends_its_change(books: Books, kind: AnswerKind) -> None:
    """R03 to the entry that tried A's new account, or a correction of it: the change failed, the old account stays."""
    (one, _) = pay(books)
    change_id, _ = tried_account(books, A, MONDAY)
    tried = replace(one, trace_number=f"{PRENOTE_TRACES + change_id:015d}", amount_cents=0, transaction_code="23")
    code, text = ("R03", "") if kind is AnswerKind.RETURN else ("C01", "55667788")
    answer = replace(a_return(tried, code, note=text), kind=kind)
    assert bring(books, [answer], FRIDAY).status == "accepted"
    (found,) = answers(books)
    assert (found.state, found.close_reason, found.original) == ("closed", "the prenote of change 1 failed", None)
    assert books.ask("SELECT state FROM bank_account_change") == [("failed",)]
    assert ("prenote_failed", "change 1") in books.cases()
    assert books.ask("SELECT count(*) FROM hold")[0][0] == 0


# Paying again --------------------------------------------------------------------------------------------------------


def _may(books: Books) -> str | None:
    hold_id = int(books.ask("SELECT hold_id FROM hold ORDER BY hold_id")[0][0])
    with books.begin() as connection:
        return may_pay_again(connection, hold_id)


def test_what_was_temporary_is_paid_again_by_the_next_cycle(books: Books) -> None:
    """R32: lifted by two people, it leaves with A's next payment of 740.00; chain followed from both ends."""
    pay(books, Rules(returns=[Return(code="R32", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    assert _may(books) is None
    lift(books, 1, FRIDAY)
    books.fund(remittance("T2", NEXT_MONDAY, Part(A, (40_00,))))
    books.bank.rules = Rules()
    (again,) = send(books, NEXT_TUESDAY)
    assert again.amount_cents == 740_00
    (answer,) = answers(books)
    assert answer.paid_again is not None
    assert (answer.paid_again.payout_id, answer.paid_again.state) == (3, "released")
    assert answer.next_step is None
    with books.begin() as connection:
        for payout_id in (1, 3):
            assert [each.answer_id for each in answers_of_payout(connection, payout_id)] == [1]
    assert answers(books, everything=False) == []
    close(books, NEXT_WEDNESDAY)
    assert states(books) == ["returned", "settled", "settled"]
    books.prove()


def test_money_lifted_after_the_cut_off_goes_with_the_cycle_after(books: Books) -> None:
    """The hold is lifted when the next cycle is proposed already: it does not pay it and is not named for it."""
    pay(books, Rules(returns=[Return(code="R32", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    books.fund(remittance("T2", NEXT_MONDAY, Part(A, (40_00,))))
    cycle = books.approved(NEXT_TUESDAY)
    lift(books, 1, NEXT_MONDAY)
    books.release(cycle.cycle_id)
    assert answers(books)[0].paid_again is None
    send(books, NEXT_WEDNESDAY)
    paid_again = answers(books)[0].paid_again
    assert paid_again is not None
    assert (paid_again.payout_id, paid_again.amount_cents) == (4, 700_00)


def test_money_that_is_being_lifted_while_a_cycle_is_proposed_goes_with_the_one_after(books: Books) -> None:
    """The lift began before the cut-off and ends after it: the cycle pays 40.00, and is not named for 700.00."""
    pay(books, Rules(returns=[Return(code="R32", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    books.fund(remittance("T2", NEXT_MONDAY, Part(A, (40_00,))))
    with books.begin() as connection:
        approval = ask_lift(connection, 1, None, "paid again", MAKER, on=NEXT_MONDAY)
    with books.begin() as lifting:
        decisions.decide(lifting, approval, CHECKER, approve=True)
        cycle = books.propose(NEXT_TUESDAY)
    with books.begin() as connection:
        cycles.approve(connection, cycle.cycle_id, CHECKER)
    assert books.release(cycle.cycle_id).total_cents == 40_00
    assert answers(books)[0].paid_again is None
    send(books, NEXT_WEDNESDAY)
    paid_again = answers(books)[0].paid_again
    assert paid_again is not None
    assert paid_again.amount_cents == 700_00


def test_a_dead_account_is_paid_again_into_another_one_only(books: Books) -> None:
    """R03: no lift before another account is live; then two people lift it and the next cycle pays into that one."""
    pay(books, Rules(returns=[Return(code="R03", pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    said = _may(books)
    assert said is not None
    assert "another account" in said
    with pytest.raises(LiftRefusedError):
        lift(books, 1, FRIDAY)
    live = other_account(books, A, NEXT_MONDAY)
    assert live == date(2026, 12, 1)
    assert _may(books) is None
    lift(books, 1, live)
    books.bank.rules = Rules()
    (again,) = send(books, live)
    assert (again.account_number, again.amount_cents) == (OTHER_NUMBER, 700_00)


def test_a_legal_hold_waits_for_an_authority(books: Books) -> None:
    """R16: lifted only after an authority's named release is recorded, and by two people."""
    pay(books, Rules(returns=[Return(code="R16", pick=OF_A), Return(code="R32", pick=OF_B)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    said = _may(books)
    assert said is not None
    assert "authority" in said
    kinds = dict(books.ask("SELECT a.code, a.answer_id FROM ach_answer a"))
    with books.begin() as connection:
        with pytest.raises(AnswerStateError):
            record_release(connection, kinds["R16"], " ", "released", on=FRIDAY, actor=MAKER)
        with pytest.raises(HoldNotLegalError):
            record_release(connection, kinds["R32"], "Court", "released", on=FRIDAY, actor=MAKER)
        record_release(connection, kinds["R16"], "Circuit Court, 26-CV-17", "released", on=FRIDAY, actor=MAKER)
    assert _may(books) is None


def test_fraud_waits_for_details_that_a_call_confirmed_after_it(books: Books) -> None:
    """Neither an account asked for before the return is enough, nor none at all: one that was confirmed after it is."""
    other_account(books, A, date(2026, 11, 2))
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    other_account(books, A, WEDNESDAY, "5500660077")
    bring(books, [a_return(one, "R17", note="QUESTIONABLE")], FRIDAY)
    books.book(FRIDAY, StatementLine("257", 700_00, "BACK", "", one.trace_number))
    assert len(sweep(books)) == 1
    said = _may(books)
    assert said is not None
    assert "call-back" in said
    other_account(books, A, NEXT_MONDAY, "3300440055")
    assert _may(books) is None


def test_what_its_bank_sent_back_is_not_asked_back_as_well(books: Books) -> None:
    """The return is there and its money is not yet: a reversing entry would take 700.00 a second time."""
    (one, _) = pay(books)
    close(books, WEDNESDAY)
    with books.begin() as connection:
        asked = reverse_payout(connection, 1, ReversalReason.DUPLICATE, business_date=FRIDAY, actor=MAKER)
    bring(books, [a_return(one, "R03")], THURSDAY)
    with pytest.raises(NotReversibleError, match="returns show 1"), books.begin() as connection:
        decisions.decide(connection, asked.approval_id, CHECKER, approve=True)
    with books.begin() as connection:
        close_answer(connection, 1, "another company's", MAKER)
        decisions.decide(connection, asked.approval_id, CHECKER, approve=True)
        again = reverse_payout(connection, 1, ReversalReason.DUPLICATE, business_date=FRIDAY, actor=MAKER)
    assert again.state == "approved"


# Disputes ------------------------------------------------------------------------------------------------------------


def test_a_dishonored_return_is_turned_and_a_contested_one_comes_again(books: Books) -> None:
    """700.00: settled, returned, dishonored (settled again, nothing held), contested (returned again, held anew)."""
    dishonored = Dishonor(code="R68", after_days=1, contested=Contest(code="R73", after_days=1))
    pay(books, Rules(returns=[Return(code="R03", pick=OF_A, dishonored=dishonored)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    assert (states(books)[0], held(books)["A"]) == ("returned", 700_00)
    close(books, NEXT_MONDAY)
    assert (states(books)[0], held(books)["A"]) == ("settled", 0)
    assert books.house(Account.UNMATCHED_DEPOSIT) == books.house(Account.UNMATCHED_DEBIT) == 0
    assert [(each.kind, each.state) for each in answers(books)] == [("return", "closed"), ("dishonored", "posted")]
    books.prove()
    close(books, NEXT_TUESDAY)
    assert (states(books)[0], held(books)["A"]) == ("returned", 700_00)
    chain = [(each.kind, each.code, each.state, each.about_answer_id) for each in answers(books)]
    assert chain == [
        ("return", "R03", "closed", None),
        ("dishonored", "R68", "posted", 1),
        ("contested", "R73", "posted", 2),
    ]
    assert books.ask("SELECT state FROM hold ORDER BY hold_id") == [("ended",), ("active",)]
    books.prove()


@pytest.mark.parametrize(("code", "needed"), [("R16", "authority's release"), ("R03", "another account")])
def test_a_contested_return_leaves_again_by_what_the_return_asked_for(books: Books, code: str, needed: str) -> None:
    """Returned, dishonored, contested: the 700.00 of a legal return are frozen again, those of a dead account wait.

    The contested return alone says neither court nor closed account: the second person is not enough for it.
    """
    dishonored = Dishonor(code="R68", after_days=1, contested=Contest(code="R73", after_days=1))
    pay(books, Rules(returns=[Return(code=code, pick=OF_A, dishonored=dishonored)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY, NEXT_MONDAY, NEXT_TUESDAY)
    contested = answers(books)[2]
    assert contested.hold is not None
    assert (contested.state, contested.hold.kind) == ("posted", "legal" if code == "R16" else "returned")
    assert contested.next_step is not None
    assert needed in contested.next_step
    with pytest.raises(LiftRefusedError, match=needed):
        lift(books, contested.hold.hold_id, NEXT_WEDNESDAY)
    assert held(books)["A"] == 700_00
    if code == "R16":
        with books.begin() as connection:
            record_release(connection, 1, "Circuit Court, 26-CV-17", "released", on=NEXT_TUESDAY, actor=MAKER)
        lift(books, contested.hold.hold_id, NEXT_WEDNESDAY)
        assert held(books)["A"] == 0
    books.prove()


def test_a_dishonored_return_whose_money_left_again_waits_for_a_person(books: Books) -> None:
    """The money was paid again before the bank took it back: nothing is turned, the debit stays unexplained."""
    dishonored = Dishonor(code="R68", after_days=4)
    pay(books, Rules(returns=[Return(code="R32", pick=OF_A, dishonored=dishonored)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    lift(books, 1, FRIDAY)
    books.bank.rules = Rules()
    send(books, NEXT_MONDAY)
    close(books, NEXT_TUESDAY, NEXT_WEDNESDAY)
    close(books, date(2026, 11, 27))
    assert states(books) == ["returned", "settled", "settled"]
    assert books.cases()["return_without_money", "answer 2"] == 700_00
    assert -books.house(Account.UNMATCHED_DEBIT) == 700_00
    books.prove()


# Corrections ---------------------------------------------------------------------------------------------------------


def _noc(books: Books, code: str, corrected: str) -> None:
    pay(books, Rules(changes=[Change(code=code, corrected=corrected, pick=OF_A)]))
    close(books, WEDNESDAY, THURSDAY, FRIDAY)


def test_a_correction_becomes_a_change_that_a_second_person_decides(books: Books) -> None:
    """C01: only the account number is replaced; nothing changes before the approval, the next payment follows it."""
    _noc(books, "C01", "55667788")
    (answer,) = answers(books)
    assert (answer.state, answer.treatment, answer.asked_change_id) == ("open", "correct_details", 1)
    # Six banking days from Friday 20 November: Thanksgiving (26) is none.
    assert answer.apply_by == date(2026, 12, 1)
    assert books.cases()["change_notified", "answer 1"] == 0
    asked = books.ask(
        "SELECT c.source, c.routing_number = b.routing_number, c.last_four, c.account_type FROM bank_account_change c "
        "JOIN bank_account b USING (member_id)"
    )
    assert asked == [("bank", True, "7788", "checking")]
    assert "55667788" not in str(books.ask("SELECT * FROM ach_answer")) + str(books.ask("SELECT * FROM exception_case"))
    decide(books, approval_of(books, 1))
    assert answers(books)[0].state == "applied"
    assert "change_notified" not in {kind for kind, _ in books.cases()}
    books.fund(remittance("T2", NEXT_MONDAY, Part(A, (40_00,))))
    (again,) = send(books, NEXT_TUESDAY)
    assert again.account_number == "55667788"


def test_a_rejected_correction_is_closed(books: Books) -> None:
    """The second person rejects the change: the notification is closed with that, the account in use stays."""
    _noc(books, "C05", "32")
    with books.begin() as connection:
        decisions.decide(connection, approval_of(books, 1), CHECKER, approve=False, reason="the member denies it")
    (answer,) = answers(books)
    assert (answer.state, answer.close_reason) == ("closed", "change 1 is rejected")
    assert books.ask("SELECT count(*) FROM bank_account WHERE upper(in_use) IS NULL")[0][0] == 3


@pytest.mark.parametrize(
    ("code", "corrected"),
    [("C02", "091000010"), ("C03", "091000019 X 55667788"), ("C04", "ANOTHER NAME"), ("C09", "123"), ("C05", "42")],
)
def test_a_correction_that_can_not_be_used_waits_for_a_person(books: Books, code: str, corrected: str) -> None:
    """A wrong check digit, blanks in the wrong place, a name, an id, a type that is none: a case, no change asked."""
    _noc(books, code, corrected)
    (answer,) = answers(books)
    assert (answer.state, answer.asked_change_id) == ("open", None)
    assert books.cases()["change_notified", "answer 1"] == 0
    assert books.ask("SELECT count(*) FROM bank_account_change")[0][0] == 0
    with books.begin() as connection:
        close_answer(connection, 1, "told the bank", MAKER)
    assert "change_notified" not in {kind for kind, _ in books.cases()}


def test_a_correction_of_a_former_account_is_not_asked_for(books: Books) -> None:
    """The member moved to another account on Thursday, its bank answers on Friday: nothing is asked for."""
    pay(books, Rules(changes=[Change(code="C01", corrected="55667788", pick=OF_A)]))
    assert other_account(books, A, date(2026, 11, 12)) == THURSDAY
    close(books, WEDNESDAY, THURSDAY, FRIDAY)
    assert answers(books)[0].asked_change_id is None
    assert books.cases()["change_notified", "answer 1"] == 0


def test_a_second_correction_while_one_is_open_waits(books: Books) -> None:
    """Another change of the member is open: the correction is kept as a case and does not stop the file."""
    pay(books, Rules(changes=[Change(code="C01", corrected="55667788", pick=OF_A)]))
    books.fund(remittance("T2", TUESDAY, Part(A, (40_00,))))
    books.bank.rules = Rules(changes=[Change(code="C01", corrected="99887766", pick=OF_A)])
    send(books, WEDNESDAY)
    close(books, WEDNESDAY, THURSDAY, FRIDAY, NEXT_MONDAY)
    assert [each.asked_change_id for each in answers(books)] == [1, None]
    assert len([kind for kind, _ in books.cases() if kind == "change_notified"]) == 2
