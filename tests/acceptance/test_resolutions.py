"""What people clear between members: payees found, debits explained, the network's adjustments, corrections, interest.

Every story gives the numbers before and after, and is undone by reversal at its end.
"""

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.demo.pharmacies import Pharmacy
from app.demo.remittance import PayeeAdjustments, PlbPair, RemittanceSet
from ingest.bank.bai2_writer import StatementLine
from schemas.identifiers import Npi
from tests.support.bank import paid_in, sent_back
from tests.support.lives import kept
from tests.support.office import CHECKER, MAKER, Office
from tests.support.trade import PAYER, STRANGER, A, B, C, Part, remittance

DAY = date(2026, 11, 3)
LATER = date(2026, 11, 10)
CHAIN = Npi.from_nine("188800001")
"""The payee of every remittance here: a PLB that names it adjusts the network as a whole."""


@dataclass
class Desk:
    """Somebody of the finance team at the exceptions; another person decides."""

    office: Office

    def case(self, kind: str, subject: str) -> dict[str, Any]:
        """Give the open case of that kind and subject."""
        found = self.office.ask("exceptions", "list")["exceptions"]
        (case,) = [each for each in found if (each["kind"], each["subject"]) == (kind, subject)]
        assert isinstance(case, dict)
        return case

    def ask(self, kind: str, subject: str, action: str, *words: str, code: int = 0) -> int:
        """Ask for an action about a case; give the approval that waits, or 0 where it was refused."""
        number = str(self.case(kind, subject)["id"])
        words = ("--action", action, "--reason", "as the payer says", "--date", f"{LATER}", *words)
        document = self.office.ask("exceptions", "resolve", number, *words, code=code)
        return int(document.get("approval_id") or 0)

    def approve(self, approval_id: int, *, code: int = 0) -> None:
        """Let the second person decide."""
        self.office.ask("approvals", "approve", str(approval_id), user=CHECKER, code=code)

    def resolve(self, kind: str, subject: str, action: str, *words: str) -> int:
        """Ask, and have it approved; the one who asked may not approve it."""
        approval_id = self.ask(kind, subject, action, *words)
        self.approve_by_maker_is_refused(approval_id)
        self.approve(approval_id)
        return approval_id

    def approve_by_maker_is_refused(self, approval_id: int) -> None:
        """See that who asked can not approve."""
        self.office.ask("approvals", "approve", str(approval_id), user=MAKER, code=5)

    def transaction(self, event: str) -> int:
        """Give the last transaction of an event."""
        lines = self.office.ask("ledger", "journal", "--most", "100000")["lines"]
        return max(int(line["transaction_id"]) for line in lines if line["event"] == event)

    def reverse(self, event: str, *, code: int = 0) -> None:
        """Have the last transaction of an event reversed, by two people."""
        number = str(self.transaction(event))
        asked = self.office.ask("ledger", "reverse", number, "--reason", "a mistake", "--date", f"{LATER}", code=code)
        if not code:
            self.approve(int(asked["approval_id"]))

    def owed(self, *stores: Pharmacy) -> list[int]:
        """Give what is available to pharmacies; negative: it owes."""
        balances = self.office.trial_balance()
        return [-balances.get((store.ncpdp_id, "custody", "due_available"), 0) for store in stores]

    def house(self, *accounts: str) -> list[int]:
        """Give balances of the house in the custody ledger: what it owes is positive."""
        balances = self.office.trial_balance()
        return [-balances.get(("house", "custody", account), 0) for account in accounts]

    def table(self, name: str, *lines: str) -> str:
        """Write a CSV file; give its path."""
        return str(self.office.save("\n".join([*lines, ""]).encode(), name))


@pytest.fixture
@kept
def funded(office: Office) -> Office:
    """Give an office with A, B and C and 1,000.00 of own money, after A, B and C got 100.00 each."""
    office.put_in("OWN1", 1_000_00, date(2026, 11, 2))
    office.fund(remittance("FIRST", date(2026, 11, 2), *(Part(store, (100_00,)) for store in (A, B, C))))
    return office


@pytest.fixture
def desk(funded: Office) -> Desk:
    """Give a desk in that office."""
    return Desk(funded)


def debit(reference: str, cents: int) -> StatementLine:
    """Debit something that nobody of us ordered."""
    return StatementLine("475", cents, reference, "", "ACH DEBIT HARROWGATE RECOUPMENT")


def bank_line(desk: Desk, kind: str) -> str:
    """Give the subject of the one open case of a kind."""
    (subject,) = [subject for found, subject in desk.office.cases() if found == kind]
    return subject


def adjusting(plain: RemittanceSet, cents: int) -> RemittanceSet:
    """Let the payer take cents from the network as a whole in this set."""
    plb = PayeeAdjustments(CHAIN, date(2026, 12, 31), (PlbPair("WO", "AUDIT", cents),))
    return replace(plain, adjustments=(*plain.adjustments, plb), payment_cents=plain.payment_cents - cents)


# Unknown payees ------------------------------------------------------------------------------------------------------


def test_an_unknown_payee_is_found(desk: Desk) -> None:
    """A stranger's money becomes C's, funded and not, and later files know the identifier.

    Before: 45.00 funded and 7.00 advised for the stranger, C has 100.00. After: C has 145.00, and 7.00 come when their
    deposit does: 152.00. The next file of 9.00 is C's at once: 161.00. Undone: what was found before it was funded can
    not be reversed under its funding; the 45.00 go back to the house, C has 116.00.
    """
    office, name = desk.office, f"NPI:{STRANGER.npi}"
    office.fund(remittance("T1", DAY, Part(A, (1_00,)), Part(STRANGER, (50_00,), (("WO", 5_00),))))
    office.remit(remittance("T2", DAY, Part(STRANGER, (7_00,))))
    assert desk.house("unknown_payee", "unknown_payee_unfunded") == [45_00, 7_00]
    assert office.cases()["unknown_payee", name] == 52_00
    desk.resolve("unknown_payee", name, "assign", "--member", C.ncpdp_id, "--from", "2026-11-01")
    assert desk.house("unknown_payee", "unknown_payee_unfunded") == [0, 0]
    assert desk.owed(A, C) == [101_00, 145_00]
    assert -office.trial_balance()[C.ncpdp_id, "custody", "due_unfunded"] == 7_00
    assert ("unknown_payee", name) not in office.cases()
    office.prove()

    office.book(DAY, paid_in("T2", 7_00))
    office.match()
    assert desk.owed(C) == [152_00]
    office.fund(remittance("T3", DAY, Part(STRANGER, (9_00,))))
    assert desk.owed(C) == [161_00]
    office.prove()

    desk.reverse("payee_found")
    office.match()
    assert desk.owed(C) == [116_00]
    assert desk.house("unknown_payee") == [45_00]
    assert office.cases()["unknown_payee", name] == 45_00
    office.prove()
    # It may be found again, and be another's this time.
    desk.resolve("unknown_payee", name, "assign", "--member", B.ncpdp_id)
    assert desk.owed(B, C) == [145_00, 116_00]
    office.prove()


def test_what_was_found_and_funded_since_is_not_taken_from_under_it(desk: Desk) -> None:
    """7.00 found before they were funded: the finding is reversed after its funding, not before; all is as it was."""
    office, name = desk.office, f"NPI:{STRANGER.npi}"
    office.remit(remittance("T2", DAY, Part(STRANGER, (7_00,))))
    before = office.trial_balance()
    desk.resolve("unknown_payee", name, "assign", "--member", C.ncpdp_id)
    office.book(DAY, paid_in("T2", 7_00))
    office.match()
    assert desk.owed(C) == [107_00]
    number = str(desk.transaction("payee_found_unfunded"))
    asked = office.ask("ledger", "reverse", number, "--reason", "not C's")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    assert desk.owed(C) == [107_00]
    office.ask("approvals", "reject", str(asked["approval_id"]), "--reason", "funded since", user=CHECKER)
    desk.reverse("funded")
    desk.reverse("payee_found_unfunded")
    # But for the deposit, which is matched with nothing now.
    after = office.trial_balance()
    deposited = {("house", "custody", "cash"): 7_00, ("house", "custody", "unmatched_deposit"): -7_00}
    assert {key: after.get(key, 0) - cents for key, cents in deposited.items()} == {
        key: before.get(key, 0) for key in deposited
    }
    assert {key: cents for key, cents in after.items() if key not in deposited} == {
        key: cents for key, cents in before.items() if key not in deposited
    }
    office.prove()


def test_a_negative_of_an_unknown_payee_is_the_floats_then_its_members(desk: Desk) -> None:
    """A stranger owes 30.00 and the float stands for it; found to be C's, C has 70.00 of its 100.00. Undone: 100.00."""
    office, name = desk.office, f"NPI:{STRANGER.npi}"
    office.fund(remittance("T1", DAY, Part(A, (50_00,)), Part(STRANGER, (-30_00,))))
    assert desk.house("unknown_payee", "operating_float") == [-30_00, 1_000_00]
    desk.resolve("unknown_payee", name, "assign", "--member", C.ncpdp_id)
    assert desk.owed(A, C) == [150_00, 70_00]
    assert desk.house("unknown_payee", "operating_float") == [0, 1_000_00]
    office.prove()
    desk.reverse("payee_found")
    assert desk.owed(A, C) == [150_00, 100_00]
    assert desk.house("unknown_payee") == [-30_00]
    office.prove()


# Debits --------------------------------------------------------------------------------------------------------------


def test_a_payer_takes_money_back(desk: Desk) -> None:
    """A debit of 150.00 is a payer's take-back of 30.00 from A and 120.00 from B, who owes 20.00 then.

    Before: A 100.00, B 100.00, float 1,000.00, the debit unexplained 150.00. After: A 70.00, B -20.00, the float covers
    B's 20.00 with 980.00 left. Undone: everything as before, and the case is open again.
    """
    office = desk.office
    office.book(DAY, debit("TAKE1", 150_00))
    office.match()
    subject = bank_line(desk, "debit_unexplained")
    assert office.cases()["debit_unexplained", subject] == 150_00
    short = desk.table("short.csv", "member,amount,claim", f"{A.ncpdp_id},30.00,6000001", f"{B.ncpdp_id},119.99,")
    desk.ask("debit_unexplained", subject, "take_back", "--payer", PAYER.name, "--rows", short, code=5)
    before = office.trial_balance()
    rows = desk.table("rows.csv", "member,amount,claim", f"{A.ncpdp_id},30.00,6000001", f"{B.ncpdp_id},120.00,")
    words = ("--payer", str(PAYER.payer_id), "--rows", rows)
    approval_id = desk.resolve("debit_unexplained", subject, "take_back", *words)
    shown = office.ask("approvals", "rows", str(approval_id))["rows"]
    assert [(each["ncpdp_id"], each["amount_cents"]) for each in shown] == [(A.ncpdp_id, 30_00), (B.ncpdp_id, 120_00)]
    assert desk.owed(A, B) == [70_00, -20_00]
    assert desk.house("operating_float", "unmatched_debit") == [980_00, 0]
    assert not [kind for kind, _ in office.cases() if kind == "debit_unexplained"]
    office.prove()
    desk.reverse("payer_debited")
    assert office.trial_balance() == before
    office.match()
    assert office.cases()["debit_unexplained", subject] == 150_00
    office.prove()


def test_a_take_back_that_the_float_does_not_cover_is_refused(desk: Desk) -> None:
    """1,200.00 taken from A, who has 100.00: it would owe 1,100.00, and the float of 1,000.00 lacks 100.00."""
    office = desk.office
    office.book(DAY, debit("TAKE1", 1_200_00))
    office.match()
    subject = bank_line(desk, "debit_unexplained")
    number = str(desk.case("debit_unexplained", subject)["id"])
    words = ("--action", "take_back", "--reason", "audit", "--payer", str(PAYER.payer_id), "--member", A.ncpdp_id)
    refused = office.ask("exceptions", "resolve", number, *words, code=5)
    assert "lacks 100.00" in refused["error"]["message"]
    assert office.ask("approvals", "list")["approvals"] == []
    assert desk.owed(A) == [100_00]


def test_the_banks_charge_is_the_psaos_own_expense(desk: Desk) -> None:
    """A debit of 25.00 is the bank's charge: the float falls from 1,000.00 to 975.00, no member pays. Undone: all."""
    office = desk.office
    office.book(DAY, debit("FEE1", 25_00))
    office.match()
    before = office.trial_balance()
    desk.resolve("debit_unexplained", bank_line(desk, "debit_unexplained"), "bank_charge")
    assert desk.house("operating_float", "unmatched_debit") == [975_00, 0]
    assert office.trial_balance()["house", "operating", "bank_charges"] == 25_00
    assert desk.owed(A, B, C) == [100_00, 100_00, 100_00]
    office.prove()
    desk.reverse("bank_charged")
    assert office.trial_balance() == before
    office.prove()


def test_a_debit_that_came_back(desk: Desk) -> None:
    """A debit of 80.00 comes back as 60.00: 20.00 of the debit stay open. Undone: 80.00 and 60.00 are open again."""
    office = desk.office
    office.book(DAY, debit("ODD1", 80_00), sent_back("BACK1", 60_00))
    office.match()
    subject = bank_line(desk, "debit_unexplained")
    deposit = bank_line(desk, "deposit_without_advice")
    words = ("--bank-line", deposit.removeprefix("bank line "))
    desk.resolve("debit_unexplained", subject, "debit_returned", *words)
    assert desk.house("unmatched_deposit", "unmatched_debit") == [0, -20_00]
    office.match()
    assert office.cases()["debit_unexplained", subject] == 20_00
    assert ("deposit_without_advice", deposit) not in office.cases()
    office.prove()
    desk.reverse("debit_returned")
    assert desk.house("unmatched_deposit", "unmatched_debit") == [60_00, -80_00]
    office.match()
    assert office.cases()["debit_unexplained", subject] == 80_00
    assert office.cases()["deposit_without_advice", deposit] == 60_00
    office.prove()


# The network ---------------------------------------------------------------------------------------------------------


def test_an_adjustment_of_the_network_is_divided_by_claim(desk: Desk) -> None:
    """A payer takes 10.00 from the network beside claims of 200.00 (A), 100.00 (B) and 0.01 (C).

    By the advice's claims A gives 6.67, B 3.33, C nothing. Before: A 300.00, B 200.00, the float stands for 10.00.
    After: A 293.33, B 196.67, nothing stays with the house. Undone: as before.
    """
    office = desk.office
    parts = Part(A, (200_00,)), Part(B, (100_00,)), Part(C, (1,))
    office.fund(adjusting(remittance("NET1", DAY, *parts), 10_00))
    assert office.cases()["network_adjustment", "NET1"] == -10_00
    assert desk.owed(A, B, C) == [300_00, 200_00, 100_01]
    before = office.trial_balance()
    approval_id = desk.resolve("network_adjustment", "NET1", "allocate")
    rows = office.ask("approvals", "rows", str(approval_id))["rows"]
    assert {each["ncpdp_id"]: each["amount_cents"] for each in rows} == {A.ncpdp_id: -6_67, B.ncpdp_id: -3_33}
    assert desk.owed(A, B, C) == [293_33, 196_67, 100_01]
    assert desk.house("network_adjustment") == [0]
    assert ("network_adjustment", "NET1") not in office.cases()
    office.prove()
    desk.reverse("network_adjustment_allocated")
    assert office.trial_balance() == before
    office.match()
    assert office.cases()["network_adjustment", "NET1"] == -10_00
    office.prove()


def test_an_adjustment_is_divided_by_a_period_or_by_rows(desk: Desk) -> None:
    """By the payer's claims of two days A gives 2.00 of 4.00, B and C 1.00 each; rows must sum to 4.00."""
    office = desk.office
    office.fund(adjusting(remittance("NET1", DAY, Part(A, (100_00,))), 4_00))
    wrong = desk.table("wrong.csv", "member,amount,claim", f"{A.ncpdp_id},-3.99,")
    desk.ask("network_adjustment", "NET1", "allocate", "--rows", wrong, code=5)
    desk.resolve("network_adjustment", "NET1", "allocate", "--from", "2026-11-02", "--to", "2026-11-03")
    assert desk.owed(A, B, C) == [198_00, 99_00, 99_00]
    office.prove()
    desk.reverse("network_adjustment_allocated")
    office.match()
    right = desk.table("right.csv", "member,amount,claim", f"{B.ncpdp_id},-4.50,", f"{C.ncpdp_id},0.50,6000001")
    desk.resolve("network_adjustment", "NET1", "allocate", "--rows", right)
    assert desk.owed(A, B, C) == [200_00, 95_50, 100_50]
    office.prove()


def test_a_funding_is_not_reversed_under_its_divided_adjustment(desk: Desk) -> None:
    """What was divided among members goes back first, then the funding may."""
    office = desk.office
    office.fund(adjusting(remittance("NET1", DAY, Part(A, (100_00,))), 4_00))
    desk.resolve("network_adjustment", "NET1", "allocate")
    number = str(desk.transaction("funded"))
    asked = office.ask("ledger", "reverse", number, "--reason", "wrong deposit")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    desk.reverse("network_adjustment_allocated")
    desk.approve(int(asked["approval_id"]))
    assert desk.owed(A) == [100_00]
    office.prove()


# Corrections ---------------------------------------------------------------------------------------------------------


def claims_file(desk: Desk, *lines: str) -> str:
    """Write the claims of a correction."""
    return desk.table("claims.csv", "advice_trace,rx_number,amount", *lines)


def test_a_claim_was_paid_to_the_wrong_store(desk: Desk) -> None:
    """A claim of 40.00 credited to A is C's: A 180.00 to 140.00, C 100.00 to 140.00; once, and again when undone."""
    office = desk.office
    office.fund(remittance("T1", DAY, Part(A, (40_00, 40_00))))
    rx = "6000000"
    words = ["corrections", "propose", "--from", A.ncpdp_id, "--to", C.ncpdp_id, "--reason", "wrong store"]
    file = claims_file(desk, f"T1,{rx},40.00")
    before = office.trial_balance()
    asked = office.ask(*words, "--claims", file, "--date", f"{LATER}")
    again = office.ask(*words, "--claims", file, "--date", f"{LATER}", code=5)
    assert f"stands in correction {asked['approval_id']}" in again["error"]["message"]
    desk.approve_by_maker_is_refused(asked["approval_id"])
    desk.approve(asked["approval_id"])
    assert desk.owed(A, C) == [140_00, 140_00]
    shown = office.ask("corrections", "show", str(asked["approval_id"]))
    assert (shown["state"], shown["amount_cents"], shown["claim_count"]) == ("posted", 40_00, 1)
    assert [(each["rx_number"], each["standing"]) for each in shown["claims"]] == [(rx, True)]
    office.ask(*words, "--claims", file, code=5)
    office.prove()
    desk.reverse("member_corrected")
    assert office.trial_balance() == before
    assert [each["state"] for each in office.ask("corrections", "list")["corrections"]] == ["reversed"]
    assert office.ask(*words, "--claims", file)["state"] == "pending"
    office.prove()


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("T1,6000009,40.00", 5, "no funded advice T1 credited"),
        ("T1,6000000,39.00", 5, "no funded advice T1 credited"),
        ("T9,6000000,40.00", 5, "no funded advice T9 credited"),
        ("T1,6000000,0.00", 3, "dollars that the payer paid for it"),
        ("T1,6000000", 3, "3 values"),
    ],
)
def test_a_claim_that_was_not_credited_is_not_corrected(desk: Desk, line: str, code: int, said: str) -> None:
    """Another prescription, amount or trace than what A was credited with is refused and changes nothing."""
    office = desk.office
    office.fund(remittance("T1", DAY, Part(A, (40_00,))))
    words = ("--from", A.ncpdp_id, "--to", C.ncpdp_id, "--reason", "x", "--claims", claims_file(desk, line))
    refused = office.ask("corrections", "propose", *words, code=code)
    assert said in refused["error"]["message"]
    assert office.ask("corrections", "list")["corrections"] == []


def test_one_members_negative_is_not_covered_with_anothers_money(desk: Desk) -> None:
    """A has 100.00: 120.00 are refused, or the float covers 20.00: A -20.00, C 220.00, float 980.00. Undone: before."""
    office = desk.office
    words = ["corrections", "propose", "--from", A.ncpdp_id, "--to", C.ncpdp_id, "--amount", "120.00", "--reason", "x"]
    refused = office.ask(*words, code=5)
    assert "has 100.00 available, 120.00 would be taken" in refused["error"]["message"]
    before = office.trial_balance()
    asked = office.ask(*words, "--float-covers", "--date", f"{LATER}")
    desk.approve(asked["approval_id"])
    assert desk.owed(A, C) == [-20_00, 220_00]
    assert desk.house("operating_float") == [980_00]
    office.prove()
    desk.reverse("member_corrected")
    assert office.trial_balance() == before
    office.prove()


def test_what_is_no_longer_available_when_it_is_approved_is_refused(desk: Desk) -> None:
    """80.00 of A's 100.00 are asked for; 90.00 leave A meanwhile: approving is refused, and it still waits."""
    office = desk.office
    words = ["corrections", "propose", "--from", A.ncpdp_id, "--to", C.ncpdp_id, "--reason", "x", "--date", f"{LATER}"]
    first = office.ask(*words, "--amount", "80.00")
    second = office.ask(*words, "--amount", "90.00")
    desk.approve(second["approval_id"])
    desk.approve(first["approval_id"], code=5)
    assert desk.owed(A, C) == [10_00, 190_00]
    states = {each["approval_id"]: each["state"] for each in office.ask("corrections", "list")["corrections"]}
    assert states == {first["approval_id"]: "pending", second["approval_id"]: "posted"}


# Interest ------------------------------------------------------------------------------------------------------------


def test_interest_is_the_members(desk: Desk) -> None:
    """The bank pays 1.00 of interest: divided by the balances of November 3 to 6, nothing stays.

    A has 100.00 on each day, B 100.00, C 100.00 and from the 5th 200.00 more: 400, 400 and 800 dollar days. So A and B
    get 0.25, C gets 0.50. Undone: 1.00 waits to be divided, then to be matched.
    """
    office = desk.office
    office.fund(remittance("T1", date(2026, 11, 5), Part(C, (200_00,))))
    office.book(date(2026, 11, 6), StatementLine("195", 1_00, "INT1", "", "INTEREST PAID"))
    office.match()
    before = office.trial_balance()
    desk.resolve("deposit_without_advice", bank_line(desk, "deposit_without_advice"), "interest")
    assert desk.house("interest_due", "unmatched_deposit") == [1_00, 0]
    words = ["interest", "allocate", "--by-balance", "--from", "2026-11-03", "--to", "2026-11-06", "--reason", "early"]
    asked = office.ask(*words, "--date", f"{LATER}")
    desk.approve_by_maker_is_refused(asked["approval_id"])
    desk.approve(asked["approval_id"])
    assert desk.owed(A, B, C) == [100_25, 100_25, 300_50]
    assert desk.house("interest_due") == [0]
    office.prove()
    office.ask(*words, code=5)
    desk.reverse("interest_allocated")
    assert desk.house("interest_due") == [1_00]
    desk.reverse("interest_earned")
    assert office.trial_balance() == before
    office.prove()


def test_interest_by_rows_must_be_all_of_it(desk: Desk, tmp_path: Path) -> None:
    """Rows of 0.99 for 1.00 are refused; of 1.00 they are posted; a file that can not be read is wrong use."""
    office = desk.office
    office.book(DAY, StatementLine("195", 1_00, "INT1", "", "INTEREST PAID"))
    office.match()
    desk.resolve("deposit_without_advice", bank_line(desk, "deposit_without_advice"), "interest")
    words = ("interest", "allocate", "--reason", "October", "--date", f"{LATER}", "--rows")
    office.ask(*words, desk.table("a.csv", "member,amount,claim", f"{A.ncpdp_id},0.99,"), code=5)
    office.ask(*words, desk.table("b.csv", "member,amount,claim", "9999999,1.00,"), code=3)
    office.ask(*words, str(tmp_path / "none.csv"), code=2)
    asked = office.ask(*words, desk.table("c.csv", "member,amount,claim", f"{A.ncpdp_id},0.60,", f"{B.ncpdp_id},0.40,"))
    desk.approve(asked["approval_id"])
    assert desk.owed(A, B) == [100_60, 100_40]
    office.prove()
