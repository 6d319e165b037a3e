"""A cycle from its proposal to the bank's debit, with all that people do to it on the way, through the commands."""

from datetime import date

import pytest

from app.cli.cycle_screen import show_largest
from payouts.cycle.preview import NewAccount
from tests.support.bank import paid_out
from tests.support.office import CHECKER, CLERK, MAKER, Office
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
SECOND = "dora"


def _limit(office: Office, name: str, amount: str) -> None:
    asked = office.ask("limits", "set", name, amount, "--since", f"{TUESDAY}", "--date", f"{MONDAY}", user=CLERK)
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)


def test_a_cycle_is_looked_at_corrected_and_paid(office: Office) -> None:
    """Looked at, a member left out, voided, proposed anew, approved by two, released, settled.

    Before: A 6,000.00, B 3,000.00, C 1,500.00 available; 10,500.00 at the bank; from 5,000.00 on two approve.
    1. Proposed for Tuesday: 10,500.00, three first payments, two approvers.
    2. B is excluded (its bank called): 7,500.00 would leave, still two approvers, the hash is the same.
    3. Charles is the first of two; then the day is found to be wrong: void. Nothing has moved.
    4. Proposed for Wednesday: 10,500.00 again, B stands in it again and is excluded again.
    5. Charles and Dora approve; released: 7,500.00 leave, to two members with two remittances.
    6. Thursday the bank debits 7,500.00: settled. After: B 3,000.00 available; 3,000.00 at the bank.
    7. The next proposal pays B 3,000.00: one approver; the preview says that A and C are gone, and B is paid first.
    """
    office.run("users", "add", SECOND, "--role", "approver")
    _limit(office, "two_approvers_from", "5000.00")
    parts = Part(A, (6_000_00,)), Part(B, (3_000_00,)), Part(C, (1_500_00,))
    office.fund(remittance("TRN1", MONDAY, *parts))

    first = office.propose(TUESDAY)
    number = str(first["cycle_id"])
    seen = office.ask("cycle", "preview", number)
    assert (seen["totals"]["total_cents"], len(seen["first_payments"])) == (10_500_00, 3)
    assert (seen["limits"]["approvers_needed"], "difference" in seen) == (2, False)

    excluded = office.ask("cycle", "exclude", number, B.ncpdp_id, "--reason", "its bank called", user=CLERK)
    assert (excluded["total_cents"], excluded["set_hash"]) == (7_500_00, first["set_hash"])
    halfway = office.ask("cycle", "approve", number, user=CHECKER)
    assert (halfway["state"], halfway["cycle"]["first_approved_by"]) == ("pending", CHECKER)
    office.ask("cycle", "approve", number, user=CHECKER, code=5)

    voided = office.ask("cycle", "void", number, "--reason", "wrong day", user=CLERK)
    assert (voided["state"], voided["void_reason"]) == ("void", "wrong day")
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_available"] == -6_000_00

    again = office.propose(WEDNESDAY)
    number = str(again["cycle_id"])
    assert (again["total_cents"], again["told"]["shares"]) == (10_500_00, 3)
    office.ask("cycle", "exclude", number, B.ncpdp_id, "--reason", "its bank called", user=CLERK)
    assert office.ask("cycle", "approve", number, user=CHECKER)["state"] == "pending"
    office.release(int(number), code=5)
    assert office.ask("cycle", "approve", number, user=SECOND)["state"] == "approved"
    office.ask("cycle", "void", number, "--reason", "an operator may not", user=CLERK, code=5)
    released = office.release(int(number))
    assert (released["total_cents"], released["children"]["files"]) == (7_500_00, 2)
    assert [each["reason"] for each in released["dropped"]] == ["its bank called"]
    office.ask("cycle", "void", number, "--reason", "too late", user=MAKER, code=5)

    office.book(THURSDAY, paid_out("OUT1", 7_500_00))
    assert [each["amount_cents"] for each in office.match()["settled"]] == [7_500_00]
    balances = office.trial_balance()
    assert balances[B.ncpdp_id, "custody", "due_available"] == -3_000_00
    assert sum(cents for (_, _, account), cents in balances.items() if account == "cash") == 3_000_00
    office.prove()

    last = office.propose(THURSDAY)
    seen = office.ask("cycle", "preview", str(last["cycle_id"]))
    assert (seen["limits"]["approvers_needed"], seen["totals"]["total_cents"]) == (1, 3_000_00)
    assert (seen["difference"]["joined"], seen["difference"]["gone"]) == (1, 2)
    assert [each["ncpdp_id"] for each in seen["first_payments"]] == [B.ncpdp_id]
    office.prove()


def test_limits_are_kept_by_the_commands(office: Office) -> None:
    """A total above its limit is refused with exit 5 and changes nothing; a payout above its limit waits with a case.

    Before: A 500.00, B 80.00 available. A limit of 550.00 for a cycle: 580.00 is refused. None from then on, and 100.00
    for a payout: 80.00 leave, A's 500.00 wait.
    """
    office.fund(remittance("TRN1", MONDAY, Part(A, (500_00,)), Part(B, (80_00,))))
    _limit(office, "cycle_total", "550.00")
    cycle_id = office.approved(TUESDAY)
    assert office.ask("cycle", "preview", str(cycle_id))["limits"]["total_is_above"] is True
    office.release(cycle_id, code=5)
    assert office.trial_balance()[A.ncpdp_id, "custody", "due_available"] == -500_00
    office.ask("cycle", "void", str(cycle_id), "--reason", "above the limit", user=CHECKER)
    asked = office.ask("limits", "set", "cycle_total", "none", "--since", f"{WEDNESDAY}", "--date", f"{TUESDAY}")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    _limit(office, "entry", "100.00")
    released = office.pay(WEDNESDAY)
    assert released["total_cents"] == 80_00
    assert office.cases()["payout_dropped", f"cycle {released['cycle_id']} {A.ncpdp_id}"] == 500_00
    names = [(each["name"], each["cents"]) for each in office.ask("limits", "list")["limits"]]
    assert names == [
        ("cycle_total", 550_00),
        ("cycle_total", None),
        ("entry", 100_00),
        ("same_day_entry", 1_000_000_00),
    ]
    office.prove()


def test_wrong_words_are_said_and_change_nothing(office: Office) -> None:
    """Amounts, names, days and numbers that can not be: exit 2 or 5, a sentence, no traceback, nothing written."""
    office.fund(remittance("TRN1", MONDAY, Part(A, (500_00,))))
    number = str(office.propose(TUESDAY)["cycle_id"])
    wrong: list[tuple[int, tuple[str, ...]]] = [
        (2, ("cycle", "void", "77", "--reason", "x")),
        (2, ("cycle", "void", number, "--reason", "  ")),
        (2, ("cycle", "void", number)),
        (2, ("cycle", "exclude", number, "0000000", "--reason", "x")),
        (2, ("cycle", "exclude", number, B.ncpdp_id, "--reason", "x")),
        (2, ("cycle", "preview", "77")),
        (2, ("limits", "set", "entry", "12.345", "--since", f"{TUESDAY}")),
        (2, ("limits", "set", "entry", "-5", "--since", f"{TUESDAY}")),
        (2, ("limits", "set", "entry", "0", "--since", f"{TUESDAY}")),
        (2, ("limits", "set", "sum", "5", "--since", f"{TUESDAY}")),
        (2, ("limits", "set", "entry", "5", "--since", "tomorrow")),
        (5, ("limits", "set", "entry", "5", "--since", f"{MONDAY}", "--date", f"{TUESDAY}")),
    ]
    for code, words in wrong:
        outcome = office.run(*words, code=code)
        assert "Traceback" not in outcome.err
        assert outcome.err.strip()
    assert office.ask("cycle", "show", number)["state"] == "proposed"
    assert office.ask("approvals", "list")["approvals"][0]["kind"] == "cycle"


def test_tables_say_it_too(office: Office) -> None:
    """Without --json a person sees the same: what is told, who approves, what differs, which limits hold."""
    office.fund(remittance("TRN1", MONDAY, Part(A, (500_00,)), Part(B, (80_00,))))
    number = str(office.propose(TUESDAY)["cycle_id"])
    shown = office.run("cycle", "show", number, "--details").out
    assert "shares of advices" in shown
    assert "TRN1" in shown
    looked = office.run("cycle", "preview", number).out
    for words in ("No cycle was released before", "First payments", "Limits of the day", "must cover"):
        assert words in looked
    assert "same_day_entry" in office.run("limits", "list").out
    office.run("cycle", "void", number, "--reason", "[a reason]")
    assert "void: [a reason]" in office.run("cycle", "show", number).out


def test_a_preview_shows_the_largest_and_counts_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    """Of twenty-five first payments of 1.00 to 25.00 the screen lists the twenty largest; the other five are 15.00."""
    payments = [NewAccount(ncpdp_id=f"{number:07d}", cents=number * 100, last_four="1234") for number in range(1, 26)]
    show_largest("First payments", payments)
    said = capsys.readouterr().out
    assert "0000025" in said
    assert "0000006" in said
    assert "0000005" not in said
    assert "and 5 more, together 15.00" in said
