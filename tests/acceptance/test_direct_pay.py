"""Direct pay through the commands: what a payer pays a member by itself is recorded, never paid by us.

A is on direct pay with HARROWGATE from 1 November 2026 on. What HARROWGATE pays A goes into A's own account, and we get
a copy of the 835; B and C are paid through us as ever.
"""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.demo.pharmacies import Pharmacy
from app.demo.remittance import RemittanceSet
from tests.support.bank import paid_in, paid_in_for
from tests.support.desk import ExceptionsDesk
from tests.support.direct_pay import to_the_store
from tests.support.office import AUDITOR, CLERK, Office
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance, remittance_file

FIRST = date(2026, 11, 1)
DAY = date(2026, 11, 3)
NEXT = date(2026, 11, 4)
LATER = date(2026, 11, 10)
COPY = (Part(A, (1_000_00, 234_50), (("WO", 34_50),)),)
"""1,234.50 of two claims less 34.50 that the payer takes: 1,200.00 paid to A directly."""


def begin(office: Office, store: Pharmacy = A, since: date = FIRST, *, user: str = CLERK) -> dict[str, Any]:
    """Put a store on direct pay with HARROWGATE."""
    words = ("members", "direct-pay", "begin", store.ncpdp_id, str(PAYER.payer_id), "--since", f"{since}")
    return office.ask(*words, "--reason", "the payer wrote", user=user)


def end(office: Office, until: date, *, code: int = 0) -> dict[str, Any]:
    """End A's direct pay with HARROWGATE."""
    words = ("members", "direct-pay", "end", A.ncpdp_id, str(PAYER.payer_id), "--until", f"{until}")
    return office.ask(*words, "--reason", "the payer wrote", user=CLERK, code=code)


def states(office: Office) -> list[str]:
    """Give the states of the advices with the claim 6000000, by the day of payment, the latest first."""
    return [each["advice_state"] for each in office.ask("claim", "find", "--rx", "6000000")["claims"]]


@pytest.fixture
def desk(office: Office) -> ExceptionsDesk:
    """Give the desk of an office in which A is on direct pay with HARROWGATE from 1 November on."""
    begin(office)
    return ExceptionsDesk(office, LATER)


# Recorded, not paid --------------------------------------------------------------------------------------------------


def test_a_copy_is_recorded_and_nothing_of_it_is_posted(desk: ExceptionsDesk) -> None:
    """HARROWGATE pays A 1,200.00 directly and B 500.00 through us: only B's 500.00 are in the books and paid.

    No deposit is expected for the copy, no case is opened, no 835 of ours tells it; the claim says where its money is.
    """
    office = desk.office
    before = office.trial_balance()
    office.remit(to_the_store("DIR1", DAY, *COPY))
    assert office.trial_balance() == before == {}
    assert office.match() | {"settled": [], "returned": []} == {
        "funded": [],
        "parked": {"advices": 0, "deposits": 0},
        "settled": [],
        "returned": [],
    }
    assert office.cases() == {}
    office.prove()
    office.fund(remittance("TRN1", DAY, Part(B, (500_00,))))
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [0, 500_00]
    paid = office.pay(NEXT)
    assert (paid["payouts"], paid["total_cents"]) == (1, 500_00)
    assert [path.name for path in (office.out / "835").glob(f"*{A.ncpdp_id}*")] == []
    (enrolled,) = office.ask("members", "direct-pay", "list", user=AUDITOR)["direct_pay"]
    assert (enrolled["ncpdp_id"], enrolled["payer_name"]) == (A.ncpdp_id, PAYER.name)
    assert (enrolled["since"], enrolled["until"]) == ("2026-11-01", None)
    assert (enrolled["advices"], enrolled["recorded_cents"]) == (1, 1_200_00)
    office.prove()


def test_its_claims_are_found_and_say_who_paid(desk: ExceptionsDesk) -> None:
    """The claim of 1,000.00 is paid by the payer directly, not through us; nothing of it is missing."""
    desk.office.remit(to_the_store("DIR1", DAY, *COPY))
    (claim,) = desk.office.ask("claim", "find", "--rx", "6000000", "--member", A.ncpdp_id)["claims"]
    assert (claim["advice_state"], claim["paid_directly"], claim["paid_cents"]) == ("direct", True, 1_000_00)
    assert [claim[name] for name in ("funded", "paid", "missing")] == [None] * 3
    shown = desk.office.run("claim", "find", "--rx", "6000000").out
    assert "by the payer directly, not through us" in shown
    assert "not matched yet" not in shown
    desk.office.fund(remittance("TRN1", NEXT, Part(B, (500_00,))))
    assert [each["paid_directly"] for each in desk.office.ask("claim", "find", "--rx", "6000000")["claims"]] == [
        False,
        True,
    ]


def test_a_copy_without_money_is_recorded_too(desk: ExceptionsDesk) -> None:
    """A claim of 80.00 and a reversal of 80.00: nothing is paid, and nothing of it is funded by us."""
    desk.office.remit(to_the_store("DIR0", DAY, Part(A, (80_00, -80_00))))
    assert desk.office.match()["funded"] == []
    assert states(desk.office) == ["direct"]
    assert desk.office.trial_balance() == {}
    desk.office.prove()


def test_the_same_copy_again_changes_nothing_and_another_is_a_conflict(desk: ExceptionsDesk) -> None:
    """The same set in another file is a duplicate; with 990.00 instead of 1,000.00 it is a conflict for a person."""
    copy = to_the_store("DIR1", DAY, *COPY)
    desk.office.remit(copy)
    again = desk.office.receive(remittance_file(copy, control_number=7))
    assert [each["status"] for each in again["sets"]] == ["duplicate"]
    other = to_the_store("DIR1", DAY, Part(A, (990_00, 234_50), (("WO", 34_50),)))
    assert desk.office.receive(remittance_file(other, control_number=8), code=3)["status"] == "conflict"
    assert [kind for kind, _ in desk.office.cases()] == ["set_conflict"]
    desk.office.prove()


def test_a_claim_paid_through_us_may_be_taken_back_directly(desk: ExceptionsDesk) -> None:
    """A claim of 100.00 paid in October through us is taken back in a copy: the two are paired across the accounts."""
    first = date(2026, 10, 30)
    paid = remittance("TRN1", first, Part(A, (100_00,)))
    desk.office.fund(paid)
    (section,) = paid.sections
    (claim,) = section.claims
    back = claim._replace(status="22", charge_cents=-100_00, paid_cents=-100_00)
    copy = to_the_store("DIR1", DAY, Part(A, (0, 150_00)))
    (own,) = copy.sections
    _, other = own.claims
    desk.office.remit(replace(copy, payment_cents=50_00, sections=(replace(own, claims=[back, other]),)))
    (reversal,) = desk.office.ask("reversals", "list")["reversals"]
    assert (reversal["state"], reversal["original"]["trace_number"]) == ("paired", "TRN1")
    # What was paid through us stays: the payer settles the reversal with A by itself.
    assert desk.due(A.ncpdp_id) == [100_00]
    desk.office.prove()


# What is direct ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paid_on", "state"),
    [("2026-10-31", "accepted"), ("2026-11-01", "direct"), ("2026-11-30", "direct"), ("2026-12-01", "accepted")],
)
def test_the_date_of_payment_decides(desk: ExceptionsDesk, paid_on: str, state: str) -> None:
    """On direct pay from 1 to 30 November: BPR16 decides, both days included, whenever the copy comes."""
    end(desk.office, date(2026, 11, 30))
    desk.office.remit(to_the_store("DIR1", date.fromisoformat(paid_on), *COPY))
    assert states(desk.office) == [state]
    advised = {} if state == "direct" else {(A.ncpdp_id, "custody", "due_unfunded"): -1_200_00}
    balances = desk.office.trial_balance()
    assert {key: cents for key, cents in balances.items() if key[2] == "due_unfunded"} == advised
    desk.office.prove()


@pytest.mark.parametrize(
    ("copy", "says"),
    [
        (to_the_store("TRN1", DAY, *COPY, payer=OTHER_PAYER), "of another payer"),
        (to_the_store("TRN1", DAY, Part(B, (10_00,)), store=B), "to a store that is not on direct pay"),
    ],
    ids=["other-payer", "other-store"],
)
def test_other_payers_and_stores_are_paid_through_us(desk: ExceptionsDesk, copy: RemittanceSet, says: str) -> None:
    """A set to the store itself, of another payer or to another store, is an advice like any other; no case opens."""
    desk.office.remit(copy)
    assert states(desk.office) == ["accepted"], says
    assert desk.office.match()["parked"] == {"advices": 1, "deposits": 0}
    assert [kind for kind, _ in desk.office.cases()] == ["advice_without_deposit"]


def test_what_comes_through_us_is_paid_and_told_to_a_person(desk: ExceptionsDesk) -> None:
    """HARROWGATE sends 300.00 of A and 200.00 of B to us: both are paid as ever, and a case says 300.00 for A."""
    desk.office.fund(remittance("TRN1", DAY, Part(A, (300_00,)), Part(B, (200_00,))))
    assert desk.due(A.ncpdp_id, B.ncpdp_id) == [300_00, 200_00]
    assert desk.office.cases() == {("direct_pay_differs", "advice 1"): 300_00}
    detail = desk.case("direct_pay_differs", "advice 1")["detail"]
    assert detail == f"{PAYER.name} sends through us under TRN1 what it should pay {A.ncpdp_id} directly"
    shown = desk.show("direct_pay_differs", "advice 1")
    assert [each["action"] for each in shown["actions"]] == ["refuse", "wait"]
    assert [each["trace_number"] for each in shown["facts"]["advices"]] == ["TRN1"]
    assert desk.ask("direct_pay_differs", "advice 1", "refuse")["case_state"] == "resolved"
    desk.office.match()
    assert desk.office.cases() == {}
    desk.office.prove()


def test_a_set_to_the_store_with_anothers_claims_is_not_direct(desk: ExceptionsDesk) -> None:
    """The payee is A, but 5.00 of claims or PLB are B's: it waits for its money, and a person hears of A's share."""
    desk.office.remit(
        to_the_store("TRN1", DAY, Part(A, (300_00,)), Part(B, (5_00,))),
        to_the_store("TRN2", DAY, Part(A, (300_00,)), Part(B, (), (("CS", -5_00),))),
    )
    assert desk.office.match()["parked"] == {"advices": 2, "deposits": 0}
    told = {subject: cents for (kind, subject), cents in desk.office.cases().items() if kind == "direct_pay_differs"}
    assert told == {"advice 1": 300_00, "advice 2": 300_00}
    # Taken back, it was never true on that day, and there is nothing that differs.
    end(desk.office, date(2026, 10, 31))
    desk.office.match()
    assert [kind for kind, _ in desk.office.cases()] == ["advice_without_deposit"] * 2
    desk.office.prove()


def test_an_enrolment_never_rewrites_what_was_accepted(office: Office) -> None:
    """What came before the enrolment waits for its money; what was recorded by it stays recorded when it ends."""
    office.remit(to_the_store("TRN1", DAY, *COPY))
    begin(office)
    assert states(office) == ["accepted"]
    office.remit(to_the_store("DIR1", NEXT, *COPY))
    assert end(office, DAY)["advices_after"] == 1
    assert states(office) == ["direct", "accepted"]
    office.match()
    assert [kind for kind, _ in office.cases()] == ["advice_without_deposit"]
    office.prove()


def test_what_came_before_the_enrolment_says_what_to_do(office: Office) -> None:
    """A's advice was accepted before its direct pay was written, back to its day: told at once, and in the case.

    B's of the same payer is told as ever; A's money, when it comes all the same, pays A.
    """
    office.remit(to_the_store("TRN1", DAY, *COPY), remittance("TRN2", DAY, Part(B, (500_00,))))
    words = ("members", "direct-pay", "begin", A.ncpdp_id, str(PAYER.payer_id), "--since", f"{FIRST}")
    said = office.run(*words, "--reason", "the payer wrote", user=CLERK).err
    assert f"1 advice of days from {FIRST} on came before: accepted, not paid yet" in said
    office.match()
    desk = ExceptionsDesk(office, LATER)
    case = desk.case("advice_without_deposit", "TRN1")
    assert f"{A.ncpdp_id} is on direct pay with it on that day" in case["detail"]
    assert "note that with --action wait" in case["detail"]
    assert desk.case("advice_without_deposit", "TRN2")["detail"].endswith("; no money yet")
    desk.ask("advice_without_deposit", "TRN1", "wait")
    office.book(DAY, paid_in("TRN1", 1_200_00))
    office.match()
    assert desk.due(A.ncpdp_id) == [1_200_00]
    office.prove()


# Money that comes to us all the same ---------------------------------------------------------------------------------


def _sent_to_us(desk: ExceptionsDesk) -> tuple[str, str]:
    """Record a copy of 1,200.00, and get a deposit under its trace; give the case."""
    desk.office.remit(to_the_store("DIR1", DAY, *COPY))
    desk.office.book(DAY, paid_in("DIR1", 1_200_00))
    assert desk.office.match()["parked"] == {"advices": 0, "deposits": 1}
    case = ("direct_pay_differs", "bank line 1 for advice 1")
    assert desk.office.cases() == {case: 1_200_00}
    return case


def test_a_deposit_for_a_copy_stays_parked_and_names_it(desk: ExceptionsDesk) -> None:
    """1,200.00 come under DIR1: they fund nothing, stay in the house, and one case names bank line and advice."""
    case = _sent_to_us(desk)
    assert desk.house("unmatched_deposit") == 1_200_00
    assert desk.due(A.ncpdp_id) == [0]
    said = desk.case(*case)["detail"]
    assert said == (
        f"booked {DAY}; it names DIR1, by which {PAYER.name} should have paid {A.ncpdp_id} 1,200.00 directly on {DAY}"
    )
    shown = desk.show(*case)
    assert [each["action"] for each in shown["actions"]] == ["return_to_payer", "replace", "wait"]
    assert [each["state"] for each in shown["facts"]["advices"]] == ["direct"]
    desk.office.match()
    assert len(desk.office.ask("exceptions", "list", "--all")["exceptions"]) == 1
    desk.office.prove()


def test_a_deposit_that_was_there_first_is_then_the_copys(desk: ExceptionsDesk) -> None:
    """Money without its remittance is listed as such until the copy comes; then the case is that of direct pay."""
    desk.office.book(DAY, paid_in("DIR1", 1_200_00))
    desk.office.match()
    assert [kind for kind, _ in desk.office.cases()] == ["deposit_without_advice"]
    desk.office.remit(to_the_store("DIR1", DAY, *COPY))
    desk.office.match()
    assert desk.office.cases() == {("direct_pay_differs", "bank line 1 for advice 1"): 1_200_00}


def test_the_money_goes_back_to_the_payer(desk: ExceptionsDesk) -> None:
    """1,200.00 are owed back to HARROWGATE by two people's word; the copy stays recorded and the case is done."""
    case = _sent_to_us(desk)
    desk.resolve(*case, "return_to_payer")
    assert (desk.house("unmatched_deposit"), desk.house("due_to_payer")) == (0, 1_200_00)
    (asked,) = [each for each in desk.office.ask("approvals", "list")["approvals"] if each["kind"] == "disbursement"]
    assert (asked["facts"]["payee"], asked["facts"]["amount_cents"]) == (PAYER.name, 1_200_00)
    desk.office.match()
    assert desk.office.cases() == {}
    assert states(desk.office) == ["direct"]
    desk.office.prove()


def test_the_copy_is_paid_through_us_once_direct_pay_has_ended(desk: ExceptionsDesk) -> None:
    """HARROWGATE went on paying us: A's direct pay ends before its day, two people decide, and we pay A 1,200.00.

    Before that the decision is refused and says what to do. A's own 835 tells it like any other.
    """
    case = _sent_to_us(desk)
    refused = desk.ask(*case, "replace", code=5)["error"]["message"]
    assert f"direct-pay end {A.ncpdp_id} {PAYER.payer_id} --until 2026-11-02" in refused
    assert end(desk.office, date(2026, 11, 2))["advices_after"] == 1
    desk.resolve(*case, "replace")
    assert desk.office.trial_balance()[A.ncpdp_id, "custody", "due_unfunded"] == -1_200_00
    desk.office.prove()
    (funded,) = desk.office.match()["funded"]
    assert (funded["trn"], funded["amount_cents"], funded["step"]) == ("DIR1", 1_200_00, 1)
    assert desk.office.cases() == {}
    assert desk.due(A.ncpdp_id) == [1_200_00]
    paid = desk.office.pay(LATER)
    assert (paid["payouts"], paid["total_cents"]) == (1, 1_200_00)
    assert len(list((desk.office.out / "835").glob(f"*{A.ncpdp_id}*.835"))) == 1
    desk.office.prove()


def test_a_decision_is_refused_when_direct_pay_came_back_meanwhile(desk: ExceptionsDesk) -> None:
    """Between asking and approving A is put on direct pay again: the approval is refused, and nothing is posted."""
    case = _sent_to_us(desk)
    end(desk.office, date(2026, 10, 31))
    asked = str(desk.ask(*case, "replace")["approval_id"])
    begin(desk.office)
    before = desk.office.trial_balance()
    refused = desk.office.ask("approvals", "approve", asked, user="charles", code=5)["error"]["message"]
    assert "is on direct pay: end that before first" in refused
    assert desk.office.trial_balance() == before
    assert states(desk.office) == ["direct"]


def test_no_guess_is_made_with_money_for_a_copy(desk: ExceptionsDesk) -> None:
    """A deposit names DIRECT01, a copy of A's; B waits for the same amount under DIRECT0199: the money is not B's."""
    desk.office.remit(to_the_store("DIRECT01", DAY, Part(A, (70_00,))))
    desk.office.remit(remittance("DIRECT0199", DAY, Part(B, (70_00,))))
    desk.office.book(DAY, paid_in("00direct01", 70_00))
    assert desk.office.match()["funded"] == []
    assert desk.office.cases() == {
        ("direct_pay_differs", "bank line 1 for advice 1"): 70_00,
        ("advice_without_deposit", "DIRECT0199"): 70_00,
    }
    desk.office.prove()


def test_a_trace_that_another_payment_has_exactly_is_that_payments(desk: ExceptionsDesk) -> None:
    """Both payers use SAME01: the deposit that names TALLGRASS pays C's 40.00; the copy of A's by HARROWGATE stays."""
    desk.office.remit(to_the_store("SAME01", DAY, Part(A, (40_00,))))
    desk.office.remit(remittance("SAME01", DAY, Part(C, (40_00,)), payer=OTHER_PAYER))
    desk.office.book(DAY, paid_in("SAME01", 40_00, payer=OTHER_PAYER))
    assert [each["payer_id"] for each in desk.office.match()["funded"]] == [str(OTHER_PAYER.payer_id)]
    assert desk.due(A.ncpdp_id, C.ncpdp_id) == [0, 40_00]
    assert desk.office.cases() == {}
    desk.office.prove()


def test_one_deposit_for_a_payment_and_a_copy_stays_parked(desk: ExceptionsDesk) -> None:
    """110.00 come for B's 70.00 and A's copy of 40.00: a person looks at it; B is not paid out of what is not clear."""
    desk.office.remit(to_the_store("DIR1", DAY, Part(A, (40_00,))), remittance("TRN1", DAY, Part(B, (70_00,))))
    desk.office.book(DAY, paid_in_for({"DIR1": PAYER, "TRN1": PAYER}, 110_00))
    assert desk.office.match()["funded"] == []
    assert desk.office.cases() == {
        ("direct_pay_differs", "bank line 1 for advice 1"): 110_00,
        ("advice_without_deposit", "TRN1"): 70_00,
    }


# Replacement ---------------------------------------------------------------------------------------------------------


def _conflict(desk: ExceptionsDesk, other: RemittanceSet) -> tuple[str, str]:
    assert desk.office.receive(remittance_file(other, control_number=7), code=3)["status"] == "conflict"
    ((kind, subject),) = [each for each in desk.office.cases() if each[0] == "set_conflict"]
    return kind, subject


def test_a_corrected_copy_takes_the_place_of_a_copy(desk: ExceptionsDesk) -> None:
    """1,190.00 instead of 1,200.00, both paid directly: nothing is posted before or after; one copy is recorded."""
    desk.office.remit(to_the_store("DIR1", DAY, *COPY))
    case = _conflict(desk, to_the_store("DIR1", DAY, Part(A, (990_00, 234_50), (("WO", 34_50),))))
    desk.resolve(*case, "replace")
    assert desk.office.trial_balance() == {}
    assert sorted(states(desk.office)) == ["direct", "replaced"]
    (enrolled,) = desk.office.ask("members", "direct-pay", "list")["direct_pay"]
    assert (enrolled["advices"], enrolled["recorded_cents"]) == (1, 1_190_00)
    desk.office.prove()


def test_a_copy_gives_way_to_what_is_paid_through_us_and_comes_back(desk: ExceptionsDesk) -> None:
    """A's copy of 1,200.00 gives way to a set with 10.00 of B in it: 1,210.00 are advised; undone, the copy stands."""
    desk.office.remit(to_the_store("DIR1", DAY, *COPY))
    case = _conflict(desk, to_the_store("DIR1", DAY, *COPY, Part(B, (10_00,))))
    desk.resolve(*case, "replace")
    unfunded = {
        (store.ncpdp_id, "custody", account): sign * cents
        for store, cents in ((A, 1_200_00), (B, 10_00))
        for account, sign in (("advised", 1), ("due_unfunded", -1))
    }
    assert desk.office.trial_balance() == unfunded
    # The set in conflict had number 2.
    assert desk.office.cases() == {("direct_pay_differs", "advice 3"): 1_200_00}
    desk.office.prove()
    desk.reverse("advised")
    assert desk.office.trial_balance() == {}
    assert sorted(states(desk.office)) == ["direct", "replaced"]
    desk.office.match()
    assert desk.office.cases() == {case: 1_210_00}
    desk.office.prove()
    # And not when A is no longer on direct pay that day: the copy could stand for nothing.
    desk.resolve(*case, "replace")
    end(desk.office, date(2026, 11, 2))
    words = ("ledger", "reverse", str(desk.transaction("advised")), "--reason", "undone")
    assert "is not on direct pay on 2026-11-03 any more" in desk.office.ask(*words, code=5)["error"]["message"]
    desk.office.prove()


def test_what_is_posted_does_not_give_way_to_a_copy(office: Office) -> None:
    """A's 1,200.00 were funded through us; a set in conflict that is paid directly is refused, and nothing moves."""
    office.fund(to_the_store("TRN1", DAY, *COPY))
    begin(office)
    desk = ExceptionsDesk(office, LATER)
    case = _conflict(desk, to_the_store("TRN1", DAY, Part(A, (990_00,))))
    before = office.trial_balance()
    asked = str(desk.ask(*case, "replace")["approval_id"])
    refused = office.ask("approvals", "approve", asked, user="charles", code=5)["error"]["message"]
    assert "advice 1 is paid through us" in refused
    assert office.trial_balance() == before
    assert states(office) == ["funded"]
    end(office, date(2026, 11, 2))
    office.ask("approvals", "approve", asked, user="charles")
    assert desk.house("unmatched_deposit") == 1_200_00
    office.prove()


# Enrolment -----------------------------------------------------------------------------------------------------------


def test_what_can_not_be_enrolled_is_said_and_changes_nothing(desk: ExceptionsDesk) -> None:
    """Wrong names end with 2, what a rule refuses with 5, each with one sentence; the one enrolment stays as it is."""
    office = desk.office
    payer = str(PAYER.payer_id)
    before = office.ask("members", "direct-pay", "list")
    since, until, why = ("--since", "2026-12-01"), ("--until", "2026-12-01"), ("--reason", "the payer wrote")
    for words, code, said in (
        (("begin", A.ncpdp_id, payer, *since, *why), 5, "on direct pay with that payer from 2026-11-01 on"),
        (("begin", A.ncpdp_id, "NOBODY", *since, *why), 2, "'NOBODY' is not the id or name of one payer"),
        (("begin", "0000000", payer, *since, *why), 2, "0000000 is no member's NCPDP id"),
        (("begin", B.ncpdp_id, payer, "--since", "2020-01-01", *why), 5, "is no member on 2020-01-01"),
        (("begin", B.ncpdp_id, payer, "--since", "tomorrow", *why), 2, "'tomorrow' is no day"),
        (("begin", B.ncpdp_id, payer, *since, "--reason", " "), 2, "--reason: say why"),
        (("end", B.ncpdp_id, payer, *until, *why), 5, "is not on direct pay with"),
        (("end", A.ncpdp_id, payer, "--until", "2026-10-30", *why), 5, "it begins on 2026-11-01"),
    ):
        assert said in office.ask("members", "direct-pay", *words, user=CLERK, code=code)["error"]["message"]
    by_auditor = ("members", "direct-pay", "begin", B.ncpdp_id, payer, *since, *why)
    assert "auditor" in office.ask(*by_auditor, user=AUDITOR, code=5)["error"]["message"]
    assert office.ask("members", "direct-pay", "list") == before


def test_an_end_may_be_brought_forward_and_never_put_off(desk: ExceptionsDesk) -> None:
    """Ended 30 November, then 15: 20 is refused; from 20 on it begins again; the day before that takes it back."""
    office = desk.office
    end(office, date(2026, 11, 30))
    end(office, date(2026, 11, 15))
    refused = end(office, date(2026, 11, 19), code=5)["error"]["message"]
    assert "it ends on 2026-11-15 already; an end may only be brought forward" in refused
    by_name = ("members", "direct-pay", "begin", A.ncpdp_id, PAYER.name.lower(), "--since", "2026-11-20")
    assert office.ask(*by_name, "--reason", "again", user=CLERK)["payer_id"] == str(PAYER.payer_id)
    end(office, date(2026, 11, 19))
    shown = office.run("members", "direct-pay", "list").out
    assert "never held" in shown
    begin(office, since=date(2026, 11, 18))
    spans = [(each["since"], each["until"]) for each in office.ask("members", "direct-pay", "list")["direct_pay"]]
    assert spans == [("2026-11-01", "2026-11-15"), ("2026-11-18", None), ("2026-11-20", "2026-11-19")]
