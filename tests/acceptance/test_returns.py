"""What banks send back, through the commands: returned, disputed, corrected, paid again; the money at each step."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.demo.pharmacies import Pharmacy
from app.demo.simulator.bank import Day
from app.demo.simulator.entries import SentEntry
from app.demo.simulator.rules import (
    Again,
    Change,
    Contest,
    Dishonor,
    Pick,
    Return,
    ReturnCredits,
    Rules,
    Settlement,
)
from ingest.bank.bai2_writer import StatementLine
from tests.support.office import CHECKER, CLERK, Office
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))
NEXT_MONDAY, NEXT_TUESDAY, NEXT_WEDNESDAY, NEXT_FRIDAY = (date(2026, 11, day) for day in (23, 24, 25, 27))
LAST_MONDAY, FIRST_OF_DECEMBER = date(2026, 11, 30), date(2026, 12, 1)
OF_A = Pick(identification=A.ncpdp_id)
NEW_NUMBER = "8800990011"


class Story:
    """An office and its bank, day by day.

    Args:
        office: with A and B.
        rules: what the bank does of itself.
    """

    def __init__(self, office: Office, rules: Rules) -> None:
        self.office = office
        self.office.bank.rules = rules
        self.closed: list[Day] = []

    def pay(self, trace: str, on: date, funded_on: date, **cents: int) -> tuple[SentEntry, ...]:
        """Fund stores on one day and pay them on another; the bank has the file."""
        stores = {"a": A, "b": B}
        parts = [Part(stores[name], (amount,)) for name, amount in cents.items()]
        self.office.fund(remittance(trace, funded_on, *parts), day=funded_on)
        return self.send(on)

    def send(self, on: date) -> tuple[SentEntry, ...]:
        """Release what is available, and hand the file to the bank."""
        released = self.office.pay(on)
        (sent,) = self.office.bank.send(Path(released["nacha_file"]).read_bytes(), on)
        return sent.entries

    def close(self, *days: date) -> dict[str, Any]:
        """Let the bank close days, take in what it gives, and match; give what the last sweep did."""
        swept: dict[str, Any] = {}
        for day in days:
            done = self.office.bank.close(day)
            self.closed.append(done)
            assert self.office.receive(done.bai2)["status"] == "accepted"
            self.take(done)
            swept = self.office.match()
        return swept

    def take(self, done: Day) -> None:
        """Take the answers of a day in."""
        for content in done.answers:
            assert self.office.receive(content)["status"] in {"accepted", "duplicate"}

    def stands(self, *, held: int = 0, due: int = 0, leaving: int = 0, bank: int) -> None:
        """Assert what A has held, due and in transit, what the bank has; nothing unexplained; all proofs."""
        balances = self.office.trial_balance()
        found = [-balances.get((A.ncpdp_id, "custody", each), 0) for each in ("held", "due_available", "in_transit")]
        assert found == [held, due, leaving]
        assert self.office.bank.balance_cents == bank
        for account in ("unmatched_deposit", "unmatched_debit"):
            assert ("house", "custody", account) not in balances
        self.office.prove()

    def answers(self, *words: str) -> list[dict[str, Any]]:
        """List the answers."""
        found = self.office.ask("returns", "list", *words)["answers"]
        assert isinstance(found, list)
        return found

    def approve(self, asked: dict[str, Any]) -> None:
        """Let the second person approve."""
        assert asked["state"] == "pending"
        self.office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)

    def lift(self, hold_id: int, on: date) -> None:
        """Lift a hold by two people."""
        self.approve(self.office.ask("holds", "lift", str(hold_id), "--reason", "pay again", "--date", f"{on}"))


def test_a_closed_account_is_paid_again_into_another(office: Office) -> None:
    """R02: 10,000.00 of A come back and leave again, eight banking days later, into the account that A asked for.

    | day | A held | A due | A in transit | bank |
    | --- | --- | --- | --- | --- |
    | Tue 17: released | 0 | 0 | 10,000.00 | 12,500.00 |
    | Wed 18: settled | 0 | 0 | 0 | 0 |
    | Fri 20: returned, its credit there | 10,000.00 | 0 | 0 | 10,000.00 |
    | Mon 23: A asks, is called back, approved; Tue 24: prenote | 10,000.00 | 0 | 0 | 10,000.00 |
    | Mon 30: live from Tuesday, hold lifted by two | 0 | 10,000.00 | 0 | 10,000.00 |
    | Mon 30: released | 0 | 0 | 10,000.00 | 10,000.00 |
    | Tue 1 December: settled | 0 | 0 | 0 | 0 |
    """
    story = Story(office, Rules(returns=[Return(code="R02", pick=OF_A)]))
    contact = ("--name", "Ada Owner", "--telephone", "312-555-0100", "--email", "ada@example.com")
    office.ask("members", "contact", A.ncpdp_id, *contact, "--since", "2024-01-01", "--date", "2024-01-01")
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00, b=2_500_00)
    story.stands(leaving=10_000_00, bank=12_500_00)
    story.close(WEDNESDAY)
    story.stands(bank=0)
    story.close(THURSDAY)
    swept = story.close(FRIDAY)
    assert [(each["code"], each["ncpdp_id"], each["amount_cents"]) for each in swept["returned"]] == [
        ("R02", A.ncpdp_id, 10_000_00)
    ]
    story.stands(held=10_000_00, bank=10_000_00)
    (answer,) = story.answers()
    assert "another account" in answer["next_step"]
    hold = str(answer["hold"]["hold_id"])
    refused = office.ask("holds", "lift", hold, "--reason", "pay again", "--date", f"{FRIDAY}", code=5)
    assert "another account" in refused["error"]["message"]
    _move(office, A, NEXT_MONDAY)
    sent = office.ask("bank", "prenotes", "--out", str(office.out), "--date", f"{NEXT_TUESDAY}")
    office.bank.rules = Rules()
    office.bank.send(Path(sent["file"]).read_bytes(), NEXT_TUESDAY)
    story.close(NEXT_MONDAY, NEXT_TUESDAY, NEXT_WEDNESDAY, NEXT_FRIDAY)
    office.ask("bank", "live", "--date", f"{FIRST_OF_DECEMBER}")
    story.lift(int(hold), LAST_MONDAY)
    story.stands(due=10_000_00, bank=10_000_00)
    (again,) = story.send(LAST_MONDAY)
    assert (again.account_number, again.amount_cents) == (NEW_NUMBER, 10_000_00)
    story.stands(leaving=10_000_00, bank=10_000_00)
    story.close(LAST_MONDAY, FIRST_OF_DECEMBER)
    story.stands(bank=0)
    _both_ways(office, again.trace_number)


def _move(office: Office, store: Pharmacy, on: date) -> None:
    """Ask for another account, have it called back by another person, and approved by a third."""
    number = office.save(NEW_NUMBER.encode())
    asked = office.ask(
        "bank", "ask", store.ncpdp_id, "--routing", "091000019", "--type", "checking",
        "--account-file", str(number), "--reason", "account closed", "--date", f"{on}",
    )  # fmt: skip
    change = str(asked["change_id"])
    office.ask(
        "bank", "call-back", change, "--number", "312-555-0100", "--spoke-with", "Ada Owner", "--confirmed",
        "--date", f"{on}", user=CLERK,
    )  # fmt: skip
    (approval,) = (each for each in office.ask("approvals", "list")["approvals"] if each["kind"] == "bank_details")
    office.ask("approvals", "approve", str(approval["approval_id"]), user=CHECKER)


def _both_ways(office: Office, trace: str) -> None:
    """Follow the chain from the answer, from the cycles and from a claim."""
    (link,) = office.ask("returns", "show", "1")["chain"]
    assert (link["original"]["cycle_id"], link["original"]["state"]) == (1, "returned")
    assert (link["paid_again"]["cycle_id"], link["paid_again"]["ach_trace"]) == (2, trace)
    assert link["next_step"] is None
    (first, *_) = office.ask("claim", "find", "--rx", "6000000", "--member", A.ncpdp_id)["claims"]
    returned = first["paid"]["returned"]
    assert (returned["code"], returned["paid_again_cycle_id"], returned["paid_again_trace"]) == ("R02", 2, trace)
    assert first["missing"] is None
    text = office.run("returns", "show", "1").out
    assert "the account was closed" in text
    assert f"trace {trace}" in text


@pytest.mark.parametrize("shown", list(ReturnCredits))
def test_returns_are_found_however_the_bank_shows_their_money(office: Office, shown: ReturnCredits) -> None:
    """A's 10,000.00 and B's 2,500.00 both come back: one by one by trace, as a day's total; unnamed ones wait.

    Unnamed, each credit alone is no sum of the file's two returns: 12,500.00 stay unexplained until people say which
    is whose; then 12,500.00 are held.
    """
    story = Story(office, Rules(returns=[Return(code="R32")], return_credits=shown))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00, b=2_500_00)
    story.close(WEDNESDAY, THURSDAY, FRIDAY)
    credited = story.closed
    if shown is ReturnCredits.UNNAMED:
        assert {kind for kind, _ in office.cases()} >= {"return_without_money"}
        lines = {each["amount_cents"]: each["answer_id"] for each in story.answers()}
        for line in credited[-1].lines:
            answer = str(lines[line.amount_cents])
            story.approve(office.ask("returns", "match", answer, "--bank-reference", line.bank_reference))
    story.stands(held=10_000_00, bank=12_500_00)
    assert {each["state"] for each in story.answers()} == {"posted"}


def test_the_bank_takes_a_return_back_and_brings_it_again(office: Office) -> None:
    """Returned, dishonored, contested: 10,000.00 held on Friday, nowhere on Monday, held again on Tuesday.

    | day | A held | bank |
    | --- | --- | --- |
    | Fri 20: returned (R03) | 10,000.00 | 10,000.00 |
    | Mon 23: dishonored (R68), debited: the payment stands | 0 | 0 |
    | Tue 24: contested (R73), credited again | 10,000.00 | 10,000.00 |
    """
    dishonored = Dishonor(code="R68", after_days=1, contested=Contest(code="R73", after_days=1))
    story = Story(office, Rules(returns=[Return(code="R03", pick=OF_A, dishonored=dishonored)]))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    story.close(WEDNESDAY, THURSDAY, FRIDAY)
    story.stands(held=10_000_00, bank=10_000_00)
    story.close(NEXT_MONDAY)
    story.stands(bank=0)
    assert office.ask("cycle", "show", "1")["payouts"][0]["state"] == "settled"
    story.close(NEXT_TUESDAY)
    story.stands(held=10_000_00, bank=10_000_00)
    chain = [(each["kind"], each["state"]) for each in office.ask("returns", "show", "3")["chain"]]
    assert chain == [("return", "closed"), ("dishonored", "posted"), ("contested", "posted")]


def test_a_return_comes_late_and_twice(office: Office) -> None:
    """R06 after twenty banking days, and the same answers again the day after: 10,000.00 are held once."""
    rules = Rules(returns=[Return(code="R06", pick=OF_A, after_days=20, again=Again.OTHER_FILE)])
    story = Story(office, rules)
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    story.close(WEDNESDAY)
    story.stands(bank=0)
    story.close(date(2026, 12, 17), date(2026, 12, 18))
    story.stands(held=10_000_00, bank=10_000_00)
    assert len(story.answers("--all")) == 1


def test_a_correction_is_applied_by_a_second_person(office: Office) -> None:
    """C01: until another person approves it payments go on as before; then the next 50.00 go to the new number."""
    story = Story(office, Rules(changes=[Change(code="C01", corrected="55667788", pick=OF_A)]))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    story.close(WEDNESDAY, THURSDAY, FRIDAY)
    assert office.cases()["change_notified", "answer 1"] == 0
    (answer,) = story.answers()
    assert (answer["apply_by"], answer["text"]) == ("2026-12-01", "…7788")
    (approval,) = office.ask("approvals", "list")["approvals"]
    office.ask("approvals", "approve", str(approval["approval_id"]), code=5)
    office.ask("approvals", "approve", str(approval["approval_id"]), user=CHECKER)
    assert story.answers("--all")[0]["state"] == "applied"
    assert ("change_notified", "answer 1") not in office.cases()
    (again,) = story.pay("T2", NEXT_TUESDAY, NEXT_MONDAY, a=50_00)
    assert (again.account_number, again.amount_cents) == ("55667788", 50_00)


@pytest.mark.parametrize("settlement", list(Settlement))
def test_a_payment_that_was_asked_back_is_held(office: Office, settlement: Settlement) -> None:
    """A's 10,000.00 settle on Wednesday, are asked back as a duplicate on Thursday, and come on Friday: held for A.

    The credit that names the reversing entry is found by itself; a total is the payment's by the word of two people.
    """
    story = Story(office, Rules(settlement=settlement))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    story.close(WEDNESDAY)
    story.stands(bank=0)
    words = ("cycle", "reverse-payout", "1", "--reason", "duplicate", "--out", str(office.out), "--date", f"{THURSDAY}")
    asked = office.ask(*words)
    assert asked["state"] == "pending"
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    sent = office.ask(*words)
    (path,) = office.out.glob(sent["file"]["name"])
    office.bank.send(path.read_bytes(), THURSDAY)
    story.close(THURSDAY, FRIDAY)
    if settlement is Settlement.BY_TOTAL:
        (line,) = story.closed[-1].lines
        story.approve(office.ask("returns", "reversed", "1", "--bank-reference", line.bank_reference))
    story.stands(held=10_000_00, bank=10_000_00)
    (answer,) = story.answers()
    assert (answer["code"], answer["original"]["state"]) == ("REV", "returned")
    refused = office.ask("returns", "reversed", "1", "--bank-reference", "X", code=5)
    assert "came back already" in refused["error"]["message"]


def test_a_reversing_entry_that_is_refused_waits_for_a_person(office: Office) -> None:
    """Asked back on Thursday and credited on Friday, A's bank refuses our debit on Tuesday (R01) and takes it again.

    The 10,000.00 stay held, the debit stays unexplained, and a case asks a person: no rule undoes what came back.
    """
    story = Story(office, Rules(settlement=Settlement.BY_ENTRY))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    story.close(WEDNESDAY)
    words = ("cycle", "reverse-payout", "1", "--reason", "duplicate", "--out", str(office.out), "--date", f"{THURSDAY}")
    office.ask("approvals", "approve", str(office.ask(*words)["approval_id"]), user=CHECKER)
    (path,) = office.out.glob(office.ask(*words)["file"]["name"])
    office.bank.rules = Rules(settlement=Settlement.BY_ENTRY, returns=[Return(code="R01")])
    office.bank.send(path.read_bytes(), THURSDAY)
    story.close(THURSDAY, FRIDAY, NEXT_MONDAY, NEXT_TUESDAY)
    assert office.cases()["answer_unknown", "answer 2"] == 10_000_00
    balances = office.trial_balance()
    assert -balances[A.ncpdp_id, "custody", "held"] == 10_000_00
    assert balances["house", "custody", "unmatched_debit"] == 10_000_00
    office.prove()


def test_a_file_settles_entry_by_entry(office: Office) -> None:
    """The bank debits 10,000.00 and 2,500.00 apart, each naming its trace: the cycle settles with the last."""
    story = Story(office, Rules(settlement=Settlement.BY_ENTRY))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00, b=2_500_00)
    swept = story.close(WEDNESDAY)
    assert swept["settled"] == [{"cycle_id": 1, "amount_cents": 12_500_00, "bank_line_id": None, "payouts": 2}]
    story.stands(bank=0)
    assert office.ask("cycle", "list")["cycles"][0]["state"] == "settled"


def test_a_person_settles_what_the_rules_leave_open(office: Office) -> None:
    """Of two debits of 10,000.00 one is the cycle's, by the word of two people; the other stays unexplained."""
    story = Story(office, Rules())
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    office.put_in("OWN", 10_000_00, TUESDAY)
    office.book(WEDNESDAY, *(StatementLine("455", 10_000_00, name, "", "ACH ORIGINATION") for name in ("ONE", "TWO")))
    assert office.match()["settled"] == []
    asked = office.ask("cycle", "settle", "1", "--bank-reference", "TWO")
    office.ask("approvals", "approve", str(asked["approval_id"]), code=5)
    story.approve(asked)
    assert office.ask("cycle", "list")["cycles"][0]["state"] == "settled"
    assert office.trial_balance()["house", "custody", "unmatched_debit"] == 10_000_00
    office.prove()


def test_an_authority_releases_what_a_legal_return_froze(office: Office) -> None:
    """R16: 10,000.00 and A's next 50.00 are held; lifted only after the court's words are on record, by two people."""
    story = Story(office, Rules(returns=[Return(code="R16", pick=OF_A)]))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    office.fund(remittance("T2", TUESDAY, Part(A, (50_00,))))
    story.close(WEDNESDAY, THURSDAY, FRIDAY)
    story.stands(held=10_050_00, bank=10_050_00)
    office.ask("holds", "lift", "1", "--reason", "asked", "--date", f"{FRIDAY}", code=5)
    words = ("--authority", "Circuit Court, 26-CV-17", "--text", "The garnishment is released.")
    office.ask("returns", "release", "1", *words, "--date", f"{NEXT_MONDAY}")
    story.lift(1, NEXT_MONDAY)
    story.stands(due=10_050_00, bank=10_050_00)


def test_what_is_wrong_is_said_and_changes_nothing(office: Office) -> None:
    """Unknown numbers end with 2, refusals with 5, files that can not be taken with 3; nothing is changed by any."""
    story = Story(office, Rules(returns=[Return(code="R03", pick=OF_A)]))
    story.pay("T1", TUESDAY, MONDAY, a=10_000_00)
    before = office.trial_balance()
    assert "no answer 9" in office.run("returns", "show", "9", code=2).err
    assert "no answer 9" in office.run("returns", "match", "9", "--bank-reference", "X", code=2).err
    assert "no answer 9" in office.run("returns", "close", "9", "--reason", "x", code=2).err
    assert "no open bank line" in office.run("cycle", "settle", "1", "--bank-reference", "X", code=2).err
    assert "no cycle 9" in office.run("cycle", "settle", "9", "--bank-reference", "X", code=2).err
    office.run("returns", "list", "--all", user="audrey")
    assert "audrey is auditor" in office.run("returns", "close", "1", "--reason", "x", user="audrey", code=5).err
    sent = next(office.out.glob("*.ach")).read_bytes()
    verdict = office.receive(sent, name="ours.ach", code=3)
    assert {each["rule"] for each in verdict["findings"]} == {"entry_is_an_answer"}
    assert office.receive(sent[:94] + b"\n", name="cut.ach", code=3)["findings"]
    assert office.trial_balance() == before
