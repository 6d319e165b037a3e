"""Money meets remittances: the steps of matching, what differs, what waits for the float, what needs no money."""

from datetime import date

import pytest

from app.demo.remittance import Payer, Syntax
from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import ACH_CREDIT, own_money, paid_in, paid_in_for
from tests.support.office import Office
from tests.support.trade import OTHER_PAYER, PAYER, STRANGER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("step", "advised", "deposited", "payer"),
    [
        (1, "TRACE12345", "TRACE12345", PAYER),
        (2, "TRACE12345", "TRACE12345", None),
        (3, "TRACE12345", "00trace12345", PAYER),
        (4, "TRACE12345", "TRACE1234500017", PAYER),
    ],
)
def test_each_step_of_matching_funds(
    office: Office, step: int, advised: str, deposited: str, payer: Payer | None
) -> None:
    """Exact trace and payer; the trace with no payer named; the normalised trace; a prefix: each funds, and says so."""
    office.remit(remittance(advised, DAY, Part(A, (100_00,))))
    office.book(DAY, paid_in(deposited, 100_00, payer=payer))
    report = office.match()
    (funded,) = report["funded"]
    assert (funded["trn"], funded["amount_cents"], funded["step"]) == (advised, 100_00, step)
    assert report["parked"] == {"advices": 0, "deposits": 0}
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_available"] == -100_00
    office.prove()


def test_equal_amounts_alone_are_never_matched(office: Office) -> None:
    """A deposit that names no trace stays parked, though one advice has its amount."""
    office.remit(remittance("TRACE1", DAY, Part(A, (100_00,))))
    office.book(DAY, StatementLine(ACH_CREDIT, 100_00, "REF77", "", "HARROWGATE PAYMENT"))
    report = office.match()
    assert (report["funded"], report["parked"]) == ([], {"advices": 1, "deposits": 1})
    assert [kind for kind, _ in office.cases()] == ["advice_without_deposit", "deposit_without_advice"]


def test_two_candidates_are_never_guessed_between(office: Office) -> None:
    """One trace of two payers and a deposit that names no payer: all stay parked."""
    parts = Part(A, (100_00,))
    office.remit(remittance("SAME0001", DAY, parts), remittance("SAME0001", DAY, parts, payer=OTHER_PAYER))
    office.book(DAY, paid_in("SAME0001", 100_00, payer=None))
    assert office.match()["parked"] == {"advices": 2, "deposits": 1}


def test_the_deposit_may_come_before_the_advice(office: Office) -> None:
    """Money without its remittance is an exception until the remittance comes; then it funds and the case closes."""
    office.book(DAY, paid_in("EARLY1", 100_00))
    assert office.match()["parked"] == {"advices": 0, "deposits": 1}
    ((kind, _),) = office.cases()
    assert kind == "deposit_without_advice"
    office.remit(remittance("EARLY1", DAY, Part(A, (100_00,))))
    assert [each["trn"] for each in office.match()["funded"]] == ["EARLY1"]
    assert office.cases() == {}


def test_short_money_is_held(office: Office) -> None:
    """Less than advised funds nothing: the advice waits whole, and the case says what is missing."""
    office.remit(remittance("SHORT1", DAY, Part(A, (60_00,)), Part(B, (40_00,))))
    office.book(DAY, paid_in("SHORT1", 99_99))
    assert office.match()["funded"] == []
    assert office.cases() == {("deposit_short", "SHORT1"): 1}
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_unfunded"] == -60_00
    # The missing cent comes a day later: the sum is right, and everything is funded.
    office.book(date(2026, 11, 23), paid_in("SHORT1", 1, reference="LATER"))
    assert len(office.match()["funded"]) == 1
    assert office.cases() == {}
    office.prove()


def test_too_much_money_funds_and_the_rest_waits(office: Office) -> None:
    """More than advised: the advice is funded to the cent, the rest stays unmatched in the house, both are told."""
    office.remit(remittance("OVER1", DAY, Part(A, (100_00,))))
    office.book(DAY, paid_in("OVER1", 103_00))
    assert [each["amount_cents"] for each in office.match()["funded"]] == [100_00]
    balances = office.trial_balance()
    assert balances[A.ncpdp_id, "custody", "due_available"] == -100_00
    assert balances["house", "custody", "unmatched_deposit"] == -3_00
    assert office.cases()["deposit_over", "OVER1"] == 3_00
    office.prove()


def test_what_differs_is_listed_until_it_is_settled(office: Office) -> None:
    """Advice without money and money without advice stand as exceptions; sweeping again opens no second ones."""
    office.remit(remittance("NOMONEY", DAY, Part(A, (100_00,))))
    office.book(DAY, paid_in("NOADVICE", 55_00))
    for _ in range(2):
        office.match()
        assert sorted(kind for kind, _ in office.cases()) == ["advice_without_deposit", "deposit_without_advice"]
    assert len(office.ask("exceptions", "list", "--all")["exceptions"]) == 2


def test_sets_of_one_trace_are_one_payment(office: Office) -> None:
    """Three sets of one file under one trace are matched by their sum, with one deposit."""
    sets = [remittance("ONE1", DAY, Part(store, (cents,))) for store, cents in ((A, 10_00), (B, 20_00), (C, 30_00))]
    office.remit(*sets)
    assert office.match()["parked"] == {"advices": 1, "deposits": 0}
    office.book(DAY, paid_in("ONE1", 60_00))
    assert [each["amount_cents"] for each in office.match()["funded"]] == [60_00]
    balances = office.trial_balance()
    assert [-balances[store.ncpdp_id, "custody", "due_available"] for store in (A, B, C)] == [10_00, 20_00, 30_00]
    office.prove()


def test_one_deposit_may_pay_several_advices(office: Office) -> None:
    """A deposit that names three payments and is their sum funds all three."""
    amounts = {"MANY1": 10_00, "MANY2": 20_00, "MANY3": 30_00}
    office.remit(*(remittance(trace, DAY, Part(A, (cents,))) for trace, cents in amounts.items()))
    office.book(DAY, paid_in_for(dict.fromkeys(amounts, PAYER), 60_00))
    assert {each["trn"] for each in office.match()["funded"]} == set(amounts)
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_available"] == -60_00
    office.prove()


def test_an_advice_of_nothing_needs_no_deposit(office: Office) -> None:
    """A +500, B -500, nothing paid: funded at once without money; B's negative is covered by the float."""
    office.put_in("OWN1", 1_000_00, DAY)
    office.remit(remittance("ZERO1", DAY, Part(A, (500_00,)), Part(B, (-500_00,))))
    (funded,) = office.match()["funded"]
    assert (funded["amount_cents"], funded["step"]) == (0, 0)
    balances = office.trial_balance()
    assert balances[A.ncpdp_id, "custody", "due_available"] == -500_00
    assert balances[B.ncpdp_id, "custody", "due_available"] == 500_00
    assert balances[B.ncpdp_id, "custody", "operating_advance"] == -500_00
    assert balances["house", "custody", "operating_float"] == -500_00
    office.prove()


def test_a_negative_waits_for_the_float(office: Office) -> None:
    """Without float the advice waits with its money and a case says how much is missing; with it, it funds.

    Nobody's money stands in for B's negative meanwhile: A's share is not available either.
    """
    office.remit(remittance("NEG1", DAY, Part(A, (500_00,)), Part(B, (-200_00,))))
    office.book(DAY, paid_in("NEG1", 300_00), own_money("OWN1", 250_00))
    report = office.match()
    assert (report["funded"], report["parked"]["advices"]) == ([], 1)
    cases = office.cases()
    assert cases["float_missing", "NEG1"] == 200_00
    assert (A.ncpdp_id, "custody", "due_available") not in office.trial_balance()
    office.accept_own_money("OWN1")
    assert [each["trn"] for each in office.match()["funded"]] == ["NEG1"]
    assert office.cases() == {("negative_member", B.ncpdp_id): 200_00}
    assert office.trial_balance()["house", "custody", "operating_float"] == -50_00
    office.prove()


def test_strangers_money_goes_to_the_house(office: Office) -> None:
    """Claims of a pharmacy that is no member go to the house, with an exception; members are not touched."""
    office.fund(remittance("STRANGE1", DAY, Part(A, (100_00,)), Part(STRANGER, (40_00,), (("CS", -2_00),))))
    assert office.trial_balance()["house", "custody", "unknown_payee"] == -42_00
    assert office.cases() == {("unknown_payee", f"NPI:{STRANGER.npi}"): 42_00}
    office.prove()


def test_a_members_plb_counts_for_that_member_alone(office: Office) -> None:
    """What the payer takes from B by PLB lessens B's share; an increase for C adds to C's; A gets its claims."""
    parts = Part(A, (100_00,)), Part(B, (90_00,), (("WO", 20_00), ("L6", -1_50))), Part(C, (5_00,), (("CS", -3_00),))
    office.fund(remittance("PLB1", DAY, *parts))
    balances = office.trial_balance()
    assert [-balances[store.ncpdp_id, "custody", "due_available"] for store in (A, B, C)] == [100_00, 71_50, 8_00]


@pytest.mark.parametrize("syntax", [Syntax(line_end="\n"), Syntax(columns=80), Syntax("|", ">", "!", "'")], ids=repr)
def test_delimiters_do_not_matter(office: Office, syntax: Syntax) -> None:
    """Lines, hard wraps and other delimiters give the same books; the plain file is then a duplicate."""
    same = remittance("SYNTAX1", DAY, Part(A, (100_00,)), Part(B, (90_00,), (("WO", 20_00),)))
    assert office.receive(remittance_file(same, syntax=syntax))["status"] == "accepted"
    assert office.trial_balance()[B.ncpdp_id, "custody", "due_unfunded"] == -70_00
    again = office.receive(remittance_file(same))
    assert [each["status"] for each in again["sets"]] == ["duplicate"]
