"""A payment asked back from its bank: for few reasons, within five banking days, by two people, and nothing posted."""

import io
from datetime import date
from pathlib import Path

import pytest

from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from tests.support.bank import paid_out
from tests.support.office import AUDITOR, CHECKER, CLERK, MAKER, Office
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
LAST = date(2026, 11, 25)
"""Five banking days after the settlement on Wednesday the 18th: the 19th, 20th, 23rd, 24th, 25th."""


@pytest.fixture
def payouts(office: Office) -> tuple[int, int]:
    """Pay A 500.00 and B 60.00 on Tuesday, settled by the bank's debit of 560.00 on Wednesday; give their numbers."""
    office.found(A, B)
    office.fund(remittance("T1", MONDAY, Part(A, (500_00,)), Part(B, (60_00,))))
    released = office.pay(TUESDAY)
    office.book(WEDNESDAY, paid_out(f"CP{released['cycle_id']}", 560_00))
    assert office.match()["settled"]
    content = Path(released["nacha_file"]).read_bytes()
    (file,) = [payment_file(each) for each in read_nacha(io.BytesIO(content), "cycle.ach").accepted_files()]
    batch = file.batches[0]
    found = [office.ask("ach", "find", batch.trace_number(entry), "--date", f"{WEDNESDAY}") for entry in batch.entries]
    assert [each["amount_cents"] for each in found] == [500_00, 60_00]
    one, two = (int(each["payout_id"]) for each in found)
    return one, two


def ask(
    office: Office, payout: int, *words: str, day: date = LAST, user: str = MAKER, code: int = 0
) -> dict[str, object]:
    """Ask a payout back as a duplicate."""
    command = ("cycle", "reverse-payout", str(payout), "--reason", "duplicate", "--date", f"{day}", *words)
    return office.ask(*command, user=user, code=code)


def test_a_duplicate_is_asked_back(office: Office, payouts: tuple[int, int]) -> None:
    """B's 60.00 was paid twice by mistake.

    Asked on the last of five banking days: pending, then approved by another person, then one debit of 60.00 from the
    account that got it, described as REVERSAL, under a trace number of its own. Before and after: A 0, B 0, bank 0;
    the ledger does not move until the bank says what became of it.
    """
    before = office.trial_balance()
    payout = payouts[1]
    out = ("--out", str(office.out))
    asked = ask(office, payout)
    assert (asked["state"], asked["amount_cents"], asked["last_day"]) == ("pending", 60_00, f"{LAST}")
    assert ask(office, payout, *out)["state"] == "pending"
    office.ask("approvals", "approve", str(asked["approval_id"]), user=MAKER, code=5)
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    assert ask(office, payout)["state"] == "approved"
    sent = ask(office, payout, *out)
    assert sent["state"] == "sent"
    content = Path(str(sent["nacha_file"])).read_bytes()
    (file,) = [payment_file(each) for each in read_nacha(io.BytesIO(content), "back.ach").accepted_files()]
    (batch,) = file.batches
    (entry,) = batch.entries
    assert (batch.entry_description, batch.service_class, batch.debit_cents) == ("REVERSAL", "225", 60_00)
    assert (entry.routing, entry.account_number, entry.identification) == (B.routing, B.account_number, B.ncpdp_id)
    found = office.ask("ach", "find", batch.trace_number(entry), "--date", f"{LAST}")
    assert (found["kind"], found["payout_id"], found["amount_cents"]) == ("reversal", payout, 60_00)
    assert office.trial_balance() == before
    office.prove()


def test_asking_again_gives_the_same_file(office: Office, payouts: tuple[int, int]) -> None:
    """Once sent there is no second reversal: the same command leaves the same bytes, also when the days are over."""
    asked = ask(office, payouts[0])
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    first = ask(office, payouts[0], "--out", str(office.out))
    path = Path(str(first["nacha_file"]))
    content = path.read_bytes()
    path.unlink()
    assert ask(office, payouts[0], "--out", str(office.out), day=date(2026, 12, 1)) == first
    assert path.read_bytes() == content
    files = office.ask("ach", "list")["files"]
    assert [(each["kind"], each["entries"], each["credit_cents"], each["debit_cents"]) for each in files] == [
        ("payouts", 2, 560_00, 0),
        ("reversals", 1, 0, 500_00),
    ]
    again = office.ask("ach", "write", str(files[1]["ach_file_id"]), "--out", str(office.folder / "again"))
    assert Path(again["nacha_file"]).read_bytes() == content


def test_after_five_banking_days_it_is_too_late(office: Office, payouts: tuple[int, int]) -> None:
    """The 27th is the sixth banking day, for the 26th is a holiday: refused, at asking, at approving and at sending."""
    message = ask(office, payouts[0], day=date(2026, 11, 27), code=5)["error"]
    assert "2026-11-25 was the last of its 5 banking days" in str(message)
    asked = ask(office, payouts[0])
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    ask(office, payouts[0], "--out", str(office.out), day=date(2026, 11, 27), code=5)
    assert ask(office, payouts[0], "--out", str(office.out))["state"] == "sent"


def test_what_can_not_be_asked_back(office: Office, payouts: tuple[int, int]) -> None:
    """Another reason than the rules', no such payout, a day without banks, another reason than was asked, no role."""
    one = str(payouts[0])
    office.run("cycle", "reverse-payout", one, "--reason", "money-is-missing", "--date", f"{LAST}", code=2)
    assert "There is no payout 99" in str(ask(office, 99, code=2))
    assert "Saturday 2026-11-21 is no banking day" in str(ask(office, payouts[0], day=date(2026, 11, 21), code=5))
    ask(office, payouts[0], user=AUDITOR, code=5)
    asked = ask(office, payouts[0], user=CLERK)
    message = office.ask("cycle", "reverse-payout", one, "--reason", "wrong-amount", "--date", f"{LAST}", code=5)[
        "error"
    ]
    assert f"it is asked for as duplicate already (approval {asked['approval_id']})" in str(message)


def test_a_rejected_request_can_be_asked_anew(office: Office, payouts: tuple[int, int]) -> None:
    """The second person says no: nothing is sent; asked again it is another approval."""
    asked = ask(office, payouts[0])
    office.ask("approvals", "reject", str(asked["approval_id"]), "--reason", "it is right", user=CHECKER)
    anew = ask(office, payouts[0], "--out", str(office.out))
    assert anew["state"] == "pending"
    assert anew["approval_id"] != asked["approval_id"]
    assert office.ask("ach", "list")["files"][-1]["kind"] == "payouts"


def test_tables_and_refusals_of_what_was_sent(office: Office, payouts: tuple[int, int]) -> None:
    """For people: files and entries as tables that line up; a trace number that is none or unknown is a sentence."""
    listed = office.run("ach", "list").out
    assert "Sent to the bank" in listed
    assert f"{TUESDAY}-cycle-1.ach" in listed
    assert "560.00" in listed
    shown = office.run("ach", "show", "1").out
    assert A.ncpdp_id in shown
    assert "500.00" in shown
    entries = office.ask("ach", "show", "1")["entries"]
    assert [(each["payout_id"], each["ncpdp_id"], each["amount_cents"]) for each in entries] == [
        (payouts[0], A.ncpdp_id, 500_00),
        (payouts[1], B.ncpdp_id, 60_00),
    ]
    office.run("ach", "show", "7", code=2)
    office.run("ach", "find", "123", code=2)
    office.run("ach", "find", "091000019999999", "--date", f"{LAST}", code=2)
    office.run("ach", "write", "7", "--out", str(office.out), code=2)
    shown = office.run(
        "cycle", "reverse-payout", str(payouts[0]), "--reason", "wrong-receiver", "--date", f"{LAST}"
    ).out
    assert "pending" in shown
    assert "500.00" in shown
    assert A.account_number not in listed + shown
