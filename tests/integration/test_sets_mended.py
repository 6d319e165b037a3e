"""A set that does not foot: its case ends when the mended one was accepted, or when a person says so."""

from dataclasses import replace

import pytest

from app.demo.remittance import RemittanceSet
from ingest.cases import find_case
from payouts.resolutions.actions import resolve
from payouts.resolutions.endings import ENDINGS
from payouts.resolutions.errors import CaseResolvedError, ReasonMissingError, UnfitActionError
from payouts.resolutions.frame import Action, Resolution, actions_for
from payouts.resolutions.standing_cases import settle_standing_cases
from tests.support.books import MAKER, Books
from tests.support.clearing import DAY, approve, ask, case_id
from tests.support.trade import OTHER_PAYER, A, B, C, Part, remittance

OF_A = remittance("T1", DAY, Part(A, (100_00,)))
SAME_TRACE = remittance("T1", DAY, Part(B, (50_00,)))
OF_B = replace(SAME_TRACE, payee=replace(SAME_TRACE.payee, identifier=B.npi))


def wrong(good: RemittanceSet) -> RemittanceSet:
    """Give a set whose BPR02 is not what its claims say."""
    return replace(good, payment_cents=good.payment_cents + 1)


def waiting(books: Books) -> list[str]:
    """Give the sets whose cases stand, after a match."""
    with books.begin() as connection:
        settle_standing_cases(connection)
    return [subject for kind, subject in books.cases() if kind == "set_quarantined"]


def test_the_case_ends_when_the_mended_set_is_accepted(books: Books) -> None:
    """The payer's mended set has the same trace: the case is resolved by the match and names the advice."""
    books.remit(wrong(OF_A))
    number = case_id(books, "set_quarantined")
    assert len(waiting(books)) == 1
    books.remit(OF_A)
    assert waiting(books) == []
    with books.begin() as connection:
        case = find_case(connection, number)
    ((advice_id,),) = books.ask("SELECT advice_id FROM advice")
    assert case is not None
    assert case.resolution == f"came again and was accepted: advice {advice_id}"


def test_sent_wrong_twice_both_cases_end(books: Books) -> None:
    """Two files with the same wrong set, then the mended one: nothing is left to look at."""
    books.remit(wrong(OF_A))
    books.remit(wrong(wrong(OF_A)))
    assert len(waiting(books)) == 2
    books.remit(OF_A)
    assert waiting(books) == []


def test_another_trace_or_payer_ends_nothing(books: Books) -> None:
    """What was accepted since is not it."""
    books.remit(wrong(OF_A))
    books.remit(replace(OF_A, trace_number="T2"))
    books.remit(remittance("T1", DAY, Part(A, (100_00,)), payer=OTHER_PAYER))
    assert len(waiting(books)) == 1


def test_of_two_sets_of_a_payment_both_have_to_come_again(books: Books) -> None:
    """Both do not foot and only one came again: whose it is is not said, and both cases stay until the other comes."""
    books.remit(wrong(OF_A), wrong(OF_B))
    assert len(waiting(books)) == 2
    books.remit(OF_B)
    assert len(waiting(books)) == 2
    books.remit(OF_A)
    assert waiting(books) == []


def test_a_neighbour_that_is_replaced_ends_nothing(books: Books) -> None:
    """The sound set of the payment was there before: that its payee has a newer advice since mends no other."""
    books.remit(wrong(OF_A), OF_B)
    other = remittance("T1", DAY, Part(B, (40_00,)))
    books.remit(replace(other, payee=OF_B.payee))
    approve(books, ask(books, "set_conflict", Action.REPLACE))
    assert [state for (state,) in books.ask("SELECT state FROM advice ORDER BY advice_id")] == ["replaced", "accepted"]
    assert len(waiting(books)) == 1


def test_a_person_ends_it_with_a_reason(books: Books) -> None:
    """What never comes again is dismissed: at once, with the reason kept, and only once."""
    books.remit(wrong(OF_A))
    number = case_id(books, "set_quarantined")
    request = Resolution(case_id=number, action=Action.DISMISS, reason="void, says the payer", day=DAY)
    with pytest.raises(ReasonMissingError), books.begin() as connection:
        resolve(connection, replace(request, reason=" "), MAKER)
    with books.begin() as connection:
        assert resolve(connection, request, MAKER) is None
    assert waiting(books) == []
    with pytest.raises(CaseResolvedError, match="void, says the payer"), books.begin() as connection:
        resolve(connection, request, MAKER)


def test_money_is_never_dismissed(books: Books) -> None:
    """An advice without its deposit, or any case of money, takes no such action."""
    books.remit(remittance("T9", DAY, Part(C, (1_00,))))
    books.match()
    number = case_id(books, "advice_without_deposit")
    with pytest.raises(UnfitActionError), books.begin() as connection:
        resolve(connection, Resolution(case_id=number, action=Action.DISMISS, reason="x", day=DAY), MAKER)


def test_cases_that_no_action_of_money_ends_say_how_they_end() -> None:
    """A sentence says the end of sets and files, which may be dismissed, and of jobs and proofs, which may not."""
    named = {kind for kind in ENDINGS if Action.DISMISS in actions_for(kind)}
    assert {kind.value for kind in named} == {"set_quarantined", "file_refused"}
    assert {kind.value for kind in set(ENDINGS) - named} == {"job_failed", "proof_failed"}
