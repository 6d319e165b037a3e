"""What people clear on money that comes in, through the commands: each story with its numbers, and each undone."""

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from ingest.bank.bai2_writer import StatementLine
from ingest.x12.model import SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from tests.support.bank import paid_in
from tests.support.desk import ExceptionsDesk
from tests.support.office import CHECKER, Office
from tests.support.trade import PAYER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 3)
NEXT = date(2026, 11, 4)
LATER = date(2026, 11, 10)
STORES = (A.ncpdp_id, B.ncpdp_id, C.ncpdp_id)
SHARES = (Part(A, (7_000_01,)), Part(B, (3_333_33,)), Part(C, (2_166_66,)))
"""12,500.00 for three members."""


@pytest.fixture
def desk(office: Office) -> ExceptionsDesk:
    """Give the desk of an office with A, B and C."""
    return ExceptionsDesk(office, LATER)


def _cheque(
    cents: int, *, text: str = "CHECK DEPOSIT HARROWGATE BENEFIT MANAGEMENT", number: str = "77120"
) -> StatementLine:
    """Credit a cheque; the bank's text names its payer and no payment."""
    return StatementLine("115", cents, number, "", text)


# Short ---------------------------------------------------------------------------------------------------------------


def _come_short(desk: ExceptionsDesk) -> None:
    """Advise 12,500.00 and deposit 12,000.00: 500.00 are missing."""
    desk.office.remit(remittance("TRN1", DAY, *SHARES))
    desk.office.book(DAY, paid_in("TRN1", 12_000_00))
    desk.office.match()


def test_short_money_is_divided_and_the_rest_comes_later(desk: ExceptionsDesk) -> None:
    """500.00 of 12,500.00 are missing: each member gets 96 %, by the largest remainder; the rest completes it.

    A 7,000.01 gets 6,720.01 (672,000.96 cents), B 3,333.33 gets 3,200.00 (319,999.68), C 2,166.66 gets 2,079.99
    (207,999.36): two cents are left by the floors, and go to the remainders .96 and .68. 500.00 a day later: A 280.00,
    B 133.33, C 86.67. Undone in turn, the balances are those of before.
    """
    _come_short(desk)
    held = desk.office.trial_balance()
    assert desk.due(*STORES) == [0, 0, 0]
    assert desk.office.cases() == {("deposit_short", "TRN1"): 500_00}
    desk.resolve("deposit_short", "TRN1", "fund_short")
    assert desk.due(*STORES) == [6_720_01, 3_200_00, 2_079_99]
    desk.office.prove()
    desk.office.match()
    case = desk.case("deposit_short", "TRN1")
    assert case["amount_cents"] == 500_00
    assert case["detail"] == "advised 12,500.00, funded 12,000.00 so far; the rest waits"
    (claim,) = desk.office.ask("claim", "find", "--rx", "6000000")["claims"]
    assert claim["missing"].startswith("Of the remittance's 12,500.00 came 12,000.00, divided among its members")
    in_part = desk.office.trial_balance()
    desk.office.book(NEXT, paid_in("TRN1", 500_00, reference="REST"))
    (rest,) = desk.office.match()["funded"]
    assert (rest["trn"], rest["amount_cents"], rest["step"]) == ("TRN1", 500_00, 1)
    assert desk.due(*STORES) == [7_000_01, 3_333_33, 2_166_66]
    assert desk.office.cases() == {}
    desk.office.prove()
    desk.reverse("funded")
    open_again = {("house", "custody", "cash"): 500_00, ("house", "custody", "unmatched_deposit"): -500_00}
    assert desk.office.trial_balance() == in_part | open_again
    desk.office.prove()
    desk.reverse("funded")
    before = held | {("house", "custody", "cash"): 12_500_00, ("house", "custody", "unmatched_deposit"): -12_500_00}
    assert desk.office.trial_balance() == before
    assert desk.office.match()["funded"][0]["amount_cents"] == 12_500_00
    assert desk.due(*STORES) == [7_000_01, 3_333_33, 2_166_66]
    desk.office.prove()


def test_short_again_gives_each_its_part_of_what_is_left(desk: ExceptionsDesk) -> None:
    """Of the 500.00 that are left 250.00 come: A 140.00, B 66.67, C 43.33; then 250.00 more, and nothing is missing.

    Left were A 280.00, B 133.33, C 86.67; half of them are 14,000, 6,666.5 and 4,333.5 cents: the one cent that is
    left goes to the first of the equal remainders, by the owners' numbers, and the last part settles it.
    """
    _come_short(desk)
    desk.resolve("deposit_short", "TRN1", "fund_short")
    desk.office.book(NEXT, paid_in("TRN1", 250_00, reference="REST1"))
    desk.office.match()
    assert desk.case("deposit_short", "TRN1")["amount_cents"] == 250_00
    desk.resolve("deposit_short", "TRN1", "fund_short")
    a, b, c = desk.due(*STORES)
    assert a == 6_860_01
    assert (b, c) in {(3_266_67, 2_123_32), (3_266_66, 2_123_33)}
    desk.office.prove()
    desk.office.book(date(2026, 11, 5), paid_in("TRN1", 250_00, reference="REST2"))
    assert [each["amount_cents"] for each in desk.office.match()["funded"]] == [250_00]
    assert desk.due(*STORES) == [7_000_01, 3_333_33, 2_166_66]
    desk.office.prove()


def test_a_members_835_foots_when_its_share_came_short(desk: ExceptionsDesk) -> None:
    """A is told its whole share of 7,000.01 with the first payment of 6,720.01, and 280.00 as a balance carried.

    The second payment of 280.00 brings that balance forward and tells no claim again.
    """
    _come_short(desk)
    desk.resolve("deposit_short", "TRN1", "fund_short")
    first = desk.office.pay(NEXT)
    assert (first["payouts"], first["total_cents"]) == (3, 12_000_00)
    desk.office.book(NEXT, paid_in("TRN1", 500_00, reference="REST"))
    desk.office.match()
    second = desk.office.pay(date(2026, 11, 5))
    assert (second["payouts"], second["total_cents"]) == (3, 500_00)
    assert [_told(path) for path in sorted((desk.office.out / "835").glob(f"*{A.ncpdp_id}*.835"))] == [
        (7_000_01, {"PSAO-BALANCE": 280_00}, 6_720_01),
        (0, {"PSAO-BALANCE": -280_00}, 280_00),
    ]
    desk.office.prove()


def _told(path: Path) -> tuple[int, dict[str, int], int]:
    """Read a member's 835: what its claims pay, what is the PSAO's own by reference, and what is paid; cents."""
    claims, own, paid = 0, Counter[str](), 0
    with path.open("rb") as stream:
        for event in read_remittances(stream, path.name):
            if isinstance(event, SetHeader):
                paid += event.payment_cents
            elif isinstance(event, SetEnd):
                assert event.balances, event.findings
                claims += event.claims_paid_cents
                own.update({adjustment.reference: adjustment.amount_cents for adjustment in event.plb})
    return claims, {reference: cents for reference, cents in own.items() if cents}, paid


def test_a_share_that_takes_back_is_not_divided(desk: ExceptionsDesk) -> None:
    """A payment in which B gives 300.00 back and that came short is not divided: exit 5, and nothing moves."""
    desk.office.remit(remittance("TRN1", DAY, Part(A, (1_000_00,)), Part(B, (-300_00,))))
    desk.office.book(DAY, paid_in("TRN1", 600_00))
    desk.office.match()
    before = desk.office.trial_balance()
    refused = desk.ask("deposit_short", "TRN1", "fund_short", code=5)
    assert "1 shares take back -300.00" not in refused["error"]["message"]
    assert "1 shares take back 300.00 together" in refused["error"]["message"]
    assert desk.office.trial_balance() == before


# Over ----------------------------------------------------------------------------------------------------------------


def test_excess_goes_back_to_its_payer(desk: ExceptionsDesk) -> None:
    """130.00 came for 100.00: the advice is funded, 30.00 are owed to HARROWGATE and leave as a refund.

    Two people decide twice: that it is owed, and that it is paid out. Undone, 30.00 are open again.
    """
    desk.office.remit(remittance("TRN1", DAY, Part(A, (100_00,))))
    desk.office.book(DAY, paid_in("TRN1", 130_00))
    desk.office.match()
    assert desk.office.cases() == {("deposit_over", "TRN1"): 30_00}
    before = desk.office.trial_balance()
    desk.resolve("deposit_over", "TRN1", "return_to_payer")
    assert (desk.house("unmatched_deposit"), desk.house("due_to_payer")) == (0, 30_00)
    assert desk.due(A.ncpdp_id) == [100_00]
    desk.office.prove()
    (asked,) = [each for each in desk.office.ask("approvals", "list")["approvals"] if each["kind"] == "disbursement"]
    assert (asked["facts"]["payee"], asked["facts"]["amount_cents"]) == (PAYER.name, 30_00)
    # It is on its way out: only when the refund is void can what is owed be undone.
    words = ("ledger", "reverse", str(desk.transaction("overpaid")), "--reason", "undone")
    assert "void the disbursement first" in desk.office.ask(*words, code=5)["error"]["message"]
    desk.office.ask(
        "approvals", "reject", str(asked["approval_id"]), "--reason", "it is for another advice", user=CHECKER
    )
    desk.reverse("overpaid")
    assert desk.office.trial_balance() == before
    desk.office.match()
    assert desk.office.cases() == {("deposit_over", "TRN1"): 30_00}
    desk.office.prove()


def test_a_part_of_a_deposit_goes_back(desk: ExceptionsDesk) -> None:
    """Of a cheque of 500.00 for an advice of 420.00, 80.00 go back; then the rest matches to the cent."""
    desk.office.remit(remittance("TRN1", DAY, Part(A, (420_00,))))
    desk.office.book(DAY, _cheque(500_00))
    desk.office.match()
    refused = desk.ask("deposit_without_advice", "bank line 1", "match", "--advice", "1", code=5)
    assert "80.00 too much" in refused["error"]["message"]
    assert "return_to_payer --amount 80.00" in refused["error"]["message"]
    more = desk.ask("deposit_without_advice", "bank line 1", "return_to_payer", "--amount", "500.01", code=5)
    assert "500.01 is not part of the 500.00" in more["error"]["message"]
    nobody = desk.ask("deposit_without_advice", "bank line 1", "return_to_payer", "--amount", "80", code=2)
    assert "--payee NAME" in nobody["error"]["message"]
    words = ("--amount", "80", "--payee", "HARROWGATE")
    desk.resolve("deposit_without_advice", "bank line 1", "return_to_payer", *words)
    assert (desk.house("unmatched_deposit"), desk.house("due_to_payer")) == (420_00, 80_00)
    desk.office.match()
    desk.resolve("match_suggested", "bank line 1 for advice 1", "match")
    assert desk.due(A.ncpdp_id) == [420_00]
    assert desk.house("unmatched_deposit") == 0
    desk.office.prove()


# Manual match --------------------------------------------------------------------------------------------------------


def test_a_cheque_without_trace_is_suggested_and_matched_by_two_people(desk: ExceptionsDesk) -> None:
    """A cheque over 420.00 names HARROWGATE alone; the one advice of that amount is suggested, never funded by itself.

    Matched by one person and approved by another, A has 420.00. Undone, both wait again.
    """
    desk.office.remit(remittance("TRN1", DAY, Part(A, (420_00,))), remittance("TRN2", DAY, Part(B, (421_00,))))
    desk.office.book(NEXT, _cheque(420_00))
    assert desk.office.match()["funded"] == []
    before = desk.office.trial_balance()
    suggested = desk.show("match_suggested", "bank line 1 for advice 1")
    assert [each["bank_line_id"] for each in suggested["facts"]["bank_lines"]] == [1]
    assert [each["trace_number"] for each in suggested["facts"]["advices"]] == ["TRN1"]
    assert {each["action"] for each in suggested["actions"]} >= {"match", "refuse", "wait"}
    desk.resolve("match_suggested", "bank line 1 for advice 1", "match")
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [420_00, 0]
    desk.office.match()
    assert desk.office.cases() == {("advice_without_deposit", "TRN2"): 421_00}
    desk.office.prove()
    desk.reverse("funded")
    assert desk.office.trial_balance() == before
    desk.office.match()
    assert ("match_suggested", "bank line 1 for advice 1") in desk.office.cases()
    desk.resolve("match_suggested", "bank line 1 for advice 1", "match")
    assert desk.due(A.ncpdp_id) == [420_00]
    desk.office.prove()


def test_several_deposits_pay_several_advices(desk: ExceptionsDesk) -> None:
    """Cheques over 300.00 and 50.00 pay advices over 100.00 and 250.00, in one transaction; 0.01 less is refused."""
    desk.office.remit(remittance("TRN1", DAY, Part(A, (100_00,))), remittance("TRN2", DAY, Part(B, (250_00,))))
    desk.office.book(NEXT, _cheque(300_00), _cheque(49_99, number="2"), _cheque(50_00, number="3"))
    desk.office.match()
    lines = ("--bank-line", "1", "--bank-line", "2", "--advice", "1", "--advice", "2")
    refused = desk.ask("advice_without_deposit", "TRN1", "match", *lines, code=5)
    assert "349.99 are open, 350.00 are missing: 0.01 too little" in refused["error"]["message"]
    lines = ("--bank-line", "1", "--bank-line", "3", "--advice", "1", "--advice", "2")
    desk.resolve("advice_without_deposit", "TRN1", "match", *lines)
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [100_00, 250_00]
    desk.office.match()
    assert desk.office.cases() == {("deposit_without_advice", "bank line 2"): 49_99}
    desk.office.prove()


# Suspense ------------------------------------------------------------------------------------------------------------


def test_a_deposit_is_set_aside_and_matched_when_its_advice_comes(desk: ExceptionsDesk) -> None:
    """100.00 without an advice go to suspense by one person, stay there when the advice comes, and leave by two."""
    desk.office.book(DAY, paid_in("TRN1", 100_00))
    desk.office.match()
    before = desk.office.trial_balance()
    assert desk.ask("deposit_without_advice", "bank line 1", "suspend")["state"] == "done"
    assert (desk.house("unmatched_deposit"), desk.house("suspense")) == (0, 100_00)
    desk.office.remit(remittance("TRN1", NEXT, Part(A, (100_00,))))
    assert desk.office.match()["funded"] == []
    assert desk.case("deposit_without_advice", "bank line 1")["detail"].endswith("set aside in suspense")
    desk.office.prove()
    possible = [each["action"] for each in desk.show("deposit_without_advice", "bank line 1")["actions"]]
    assert possible == ["unsuspend", "wait"]
    desk.resolve("deposit_without_advice", "bank line 1", "unsuspend")
    assert (desk.house("unmatched_deposit"), desk.house("suspense")) == (100_00, 0)
    desk.reverse("unsuspended")
    assert (desk.house("unmatched_deposit"), desk.house("suspense")) == (0, 100_00)
    desk.reverse("suspended")
    advised = {(A.ncpdp_id, "custody", "advised"): 100_00, (A.ncpdp_id, "custody", "due_unfunded"): -100_00}
    assert desk.office.trial_balance() == before | advised
    assert [each["trn"] for each in desk.office.match()["funded"]] == ["TRN1"]
    assert desk.due(A.ncpdp_id) == [100_00]
    desk.office.prove()


# Replacement ---------------------------------------------------------------------------------------------------------


def _conflict(desk: ExceptionsDesk) -> str:
    """Advise 1,000.00 of A, fund it, and receive the same payment again with 990.00 of A and 10.00 of B."""
    desk.office.fund(remittance("TRN1", DAY, Part(A, (1_000_00,))))
    other = remittance("TRN1", DAY, Part(A, (990_00,)), Part(B, (10_00,)))
    assert desk.office.receive(remittance_file(other, control_number=7), code=3)["status"] == "conflict"
    ((_, subject),) = [each for each in desk.office.cases() if each[0] == "set_conflict"]
    return subject


def test_a_set_in_conflict_takes_the_advices_place_and_gives_it_back(desk: ExceptionsDesk) -> None:
    """A has 1,000.00; the corrected set says A 990.00, B 10.00: the deposit pays the new set; undone, the old one.

    The old advice is reversed with its funding and stays on record; the new set's claims are in the books as any other.
    """
    subject = _conflict(desk)
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [1_000_00, 0]
    before = desk.office.trial_balance()
    desk.resolve("set_conflict", subject, "replace")
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [0, 0]
    assert desk.house("unmatched_deposit") == 1_000_00
    desk.office.prove()
    assert [each["amount_cents"] for each in desk.office.match()["funded"]] == [1_000_00]
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [990_00, 10_00]
    assert desk.office.cases() == {}
    desk.office.prove()
    # Undone: first the funding, then what was advised; the old advice stands again, and so does the conflict.
    words = ("ledger", "reverse", str(desk.transaction("advised")), "--reason", "undone")
    assert "its money is there" in desk.office.ask(*words, code=5)["error"]["message"]
    desk.reverse("funded")
    desk.reverse("advised")
    assert [each["amount_cents"] for each in desk.office.match()["funded"]] == [1_000_00]
    assert desk.office.trial_balance() == before
    assert desk.office.cases() == {("set_conflict", subject): 1_000_00}
    desk.office.prove()
    # And once more, from the vault.
    desk.resolve("set_conflict", subject, "replace")
    desk.office.match()
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [990_00, 10_00]
    desk.office.prove()


def test_what_was_told_to_a_member_is_not_replaced(desk: ExceptionsDesk) -> None:
    """A was paid and told 1,000.00: the corrected set is refused with what to do, and the case can be closed."""
    subject = _conflict(desk)
    desk.office.approved(NEXT)
    refused = desk.ask("set_conflict", subject, "replace", code=5)
    assert "void that cycle first" in refused["error"]["message"]
    desk.office.release(1)
    refused = desk.ask("set_conflict", subject, "replace", code=5)
    assert "correct between members instead" in refused["error"]["message"]
    done = desk.ask("set_conflict", subject, "refuse")
    assert (done["state"], done["case_state"]) == ("done", "resolved")
    desk.office.match()
    assert desk.office.cases() == {}
    desk.office.prove()


# Words ---------------------------------------------------------------------------------------------------------------


def test_what_can_not_be_done_is_said_and_changes_nothing(desk: ExceptionsDesk) -> None:
    """Wrong numbers and actions end with 2 or 5 and one sentence; a reason for waiting is kept with the case."""
    desk.office.remit(remittance("TRN1", DAY, Part(A, (100_00,))))
    desk.office.book(LATER, _cheque(90_00))
    desk.office.match()
    before = desk.office.trial_balance()
    case = ("deposit_without_advice", "bank line 1")
    for words, code, said in (
        (("replace",), 5, "does not take replace; it takes: match"),
        (("match", "--advice", "77"), 2, "There is no advice 77"),
        (("match", "--bank-line", "77", "--advice", "1"), 2, "There is no bank line 77"),
        (("match",), 2, "Say which advices: --advice N"),
        (("suspend",), 5, "its advice may still come that day"),
        (("unsuspend",), 5, "it is not set aside"),
        (("match", "--advice", "1"), 5, "10.00 too little"),
        (("return_to_payer", "--amount", "-3"), 2, "more than nothing"),
    ):
        assert said in desk.ask(*case, *words, code=code)["error"]["message"]
    assert desk.ask(*case, "wait")["case_state"] == "open"
    (note,) = desk.show(*case)["facts"]["notes"]
    assert note.endswith("wait by mary: as the payer says")
    assert desk.office.trial_balance() == before
    everything = ("exceptions", "resolve", "77", "--action", "wait", "--reason", "x")
    assert "There is no exception 77" in desk.office.ask(*everything, code=2)["error"]["message"]
    for words in (("exceptions", "show", "9" * 20), ("ledger", "reverse", "9" * 20, "--reason", "x")):
        desk.office.run(*words, code=2)
    for transaction, code, said in (
        (1, 5, "it stands as the payer sent it"),
        (2, 5, "the bank's own correction comes with a later statement"),
        (777, 2, "There is no transaction 777"),
    ):
        words = ("ledger", "reverse", str(transaction), "--reason", "x")
        assert said in desk.office.ask(*words, code=code)["error"]["message"]
