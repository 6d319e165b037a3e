"""A member moves to another bank account, a thief tries to, a bank corrects one, a roster differs: through commands.

Pharmacy A is paid into the account ending in 0101, B into 0102, C into 0103. November 2026: Monday is the 16th, and
the 26th, Thanksgiving, is no banking day.
"""

import json
import os
import pty
import stat
import subprocess
from datetime import date
from pathlib import Path
from select import select
from typing import Any

import pytest

from app.demo.pharmacies import Pharmacy
from app.demo.simulator.rules import Change, Pick, Rules
from payouts.nacha.reader import read_nacha
from tests.support.command import PROGRAM
from tests.support.looking import stored_text
from tests.support.office import CHECKER, CLERK, MAKER, Office
from tests.support.trade import A, B, C, Part, remittance, roster_file

MONDAY, TUESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 19, 20))
NEW_NUMBER = "4455667788"
NEW_ROUTING = "091000022"
TELEPHONE = "312-555-0100"


def _contact(office: Office, store: Pharmacy, telephone: str = TELEPHONE, *, day: str = "2024-01-01") -> None:
    who = ("--name", "Ada Owner", "--telephone", telephone, "--email", f"ada{telephone[:3]}@example.com")
    office.ask("members", "contact", store.ncpdp_id, *who, "--since", day, "--date", day)


def _ask(office: Office, store: Pharmacy, *, number: str = NEW_NUMBER, code: int = 0) -> dict[str, Any]:
    told = ("--routing", NEW_ROUTING, "--type", "checking", "--reason", "the owner wrote", "--date", f"{MONDAY}")
    path = str(office.save(f"{number}\n".encode()))
    return office.ask("bank", "ask", store.ncpdp_id, "--account-file", path, *told, code=code)


def _call_back(office: Office, change: int, said: str, *, number: str = TELEPHONE, code: int = 0) -> dict[str, Any]:
    words = ("bank", "call-back", str(change), "--number", number, "--spoke-with", "Ada Owner", said)
    return office.ask(*words, "--date", f"{MONDAY}", user=CLERK, code=code)


def _sent(path: str) -> list[tuple[str, str, int]]:
    """Give the entries of a NACHA file: transaction code, account, cents."""
    with Path(path).open("rb") as stream:
        (file,) = read_nacha(stream, path).files
    return [
        (each.transaction_code, each.account_number.strip(), each.amount_cents)
        for batch in file.batches
        for each in batch.entries
    ]


def _pay(office: Office, trace: str, store: Pharmacy, cents: int, day: date) -> list[tuple[str, str, int]]:
    """Fund a store and pay it on a day, effective the next banking day; give the entries."""
    office.fund(remittance(trace, day, Part(store, (cents,))))
    return _sent(office.pay(day)["nacha_file"])


def _accounts(office: Office, store: Pharmacy) -> list[tuple[str, str, str | None]]:
    """Give last four, first and last day of a store's accounts."""
    shown = office.ask("bank", "show", store.ncpdp_id)["accounts"]
    return [(each["last_four"], each["since"], each["until"]) for each in shown]


def test_a_member_is_paid_into_its_other_account_when_all_have_said_so_and_the_days_are_over(office: Office) -> None:
    """From asking on Monday the 16th to the first payment into 7788, which settles on Monday the 23rd.

    ============  ==================================================================  =================
    day           what                                                                paid
    ============  ==================================================================  =================
    Mon 16        asked by Mary, called back by Clara, approved by Charles;           500.00 into 0101
                  cool on Thursday the 19th
    Tue 17        a prenote of 0.00 to 7788, settling on Wednesday the 18th
    Thu 19        cool, but Thursday, Friday and Monday are the three banking days    300.00 into 0101
    Fri 20        a payment of this day settles on Monday the 23rd: the first day     200.00 into 7788
    ============  ==================================================================  =================

    Before: nothing in transit. After: 1,000.00 of A in transit, nothing due, and all proofs hold.
    """
    _contact(office, A)
    asked = _ask(office, A)
    assert (asked["state"], asked["number_to_call"], asked["last_four"]) == ("asked", "3125550100", "7788")
    assert office.cases() == {("bank_details_asked", "change 1"): 0}
    assert _ask(office, A)["change_id"] == asked["change_id"]
    refused = office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    assert "call-back" in refused["error"]["message"]
    _call_back(office, 1, "--confirmed")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=MAKER, code=5)
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    (change,) = office.ask("bank", "list")["changes"]
    assert (change["state"], change["cooling_until"], change["usable_from"]) == ("approved", "2026-11-19", None)
    assert office.cases() == {}

    assert _pay(office, "T1", A, 500_00, MONDAY) == [("22", A.account_number, 500_00)]

    tried = office.ask("bank", "prenotes", "--out", str(office.out), "--date", f"{TUESDAY}")
    assert [(each["settles_on"], each["usable_from"]) for each in tried["prenotes"]] == [("2026-11-18", "2026-11-23")]
    assert _sent(tried["file"]) == [("23", NEW_NUMBER, 0)]
    again = office.ask("bank", "prenotes", "--out", str(office.out), "--date", f"{THURSDAY}")
    assert again == {"file": None, "prenotes": []}

    assert _pay(office, "T2", A, 300_00, THURSDAY) == [("22", A.account_number, 300_00)]
    assert office.ask("bank", "live", "--date", f"{FRIDAY}") == {"live": []}
    assert _accounts(office, A) == [("0101", "2024-01-01", None)]

    assert _pay(office, "T3", A, 200_00, FRIDAY) == [("22", NEW_NUMBER, 200_00)]
    assert _accounts(office, A) == [("0101", "2024-01-01", "2026-11-22"), ("7788", "2026-11-23", None)]
    shown = office.ask("bank", "show", A.ncpdp_id)["changes"][0]
    assert (shown["requested_by"], shown["called_by"], shown["spoke_with"], shown["decided_by"], shown["state"]) == (
        MAKER,
        CLERK,
        "Ada Owner",
        CHECKER,
        "live",
    )
    assert [each["kind"] for each in office.ask("notices", "list")["notices"]] == [
        "bank_details_asked",
        "bank_details_changed",
    ]
    assert office.trial_balance()[A.ncpdp_id, "custody", "in_transit"] == -1_000_00
    office.prove()


def test_a_thief_is_found_out_by_the_call_back(office: Office) -> None:
    """Six days before it asks for B's money a thief changes B's telephone; the number of before is called all the same.

    Changed on Tuesday the 10th to 212-555-0199, which the old contact is told; asked on Monday the 16th, of which the
    letter goes to both contacts. A call to the new number counts for nothing; at the old one B denies it: the change is
    rejected, the case says fraud, and B's 400.00 go where they always went.
    """
    _contact(office, B)
    _contact(office, B, "212-555-0199", day="2026-11-10")
    asked = _ask(office, B)
    assert asked["number_to_call"] == "3125550100"
    letters = office.ask("notices", "list")["notices"]
    assert [(each["kind"], each["recipient"].splitlines()[-1]) for each in letters] == [
        ("contact_changed", "ada312@example.com"),
        ("bank_details_asked", "ada312@example.com"),
        ("bank_details_asked", "ada212@example.com"),
    ]
    refused = _call_back(office, 1, "--confirmed", number="212-555-0199", code=5)
    assert "2026-10-17" in refused["error"]["message"]
    assert _call_back(office, 1, "--denied") == {"change_id": 1, "state": "rejected"}
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    (case,) = office.ask("exceptions", "list")["exceptions"]
    assert (case["kind"], case["subject"]) == ("bank_details_asked", "change 1")
    assert "fraud" in case["detail"]
    office.ask("bank", "prenotes", "--out", str(office.out), "--date", f"{TUESDAY}")
    assert _pay(office, "T1", B, 400_00, FRIDAY) == [("22", B.account_number, 400_00)]
    assert _accounts(office, B) == [("0102", "2024-01-01", None)]
    office.prove()


def test_a_bank_corrects_an_account(office: Office) -> None:
    """C's bank takes 700.00 and says that the number is 9900112233: a second person agrees; the next 150.00 go there.

    Handed over on Monday the 16th, settled on Tuesday, notified on Thursday the 19th; no call-back, no prenote, no
    cooling: Friday's payment, which settles on Monday the 23rd, goes to the corrected number.
    """
    office.bank.rules = Rules(
        changes=[Change(code="C01", corrected="9900112233", pick=Pick(identification=C.ncpdp_id))]
    )
    office.fund(remittance("T1", MONDAY, Part(C, (700_00,))))
    released = office.pay(MONDAY)
    office.bank.send(Path(released["nacha_file"]).read_bytes(), MONDAY)
    for day in (TUESDAY, THURSDAY):
        closed = office.bank.close(day)
        assert office.receive(closed.bai2)["status"] == "accepted"
    (answers,) = closed.answers
    assert office.receive(answers)["status"] == "accepted"
    (change,) = office.ask("bank", "list")["changes"]
    assert (change["source"], change["state"], change["last_four"], change["number_to_call"]) == (
        "bank",
        "asked",
        "2233",
        None,
    )
    _call_back(office, change["change_id"], "--confirmed", code=5)
    office.ask("approvals", "approve", str(change["approval_id"]), user=CHECKER)
    assert _pay(office, "T2", C, 150_00, FRIDAY) == [("22", "9900112233", 150_00)]
    assert _accounts(office, C) == [("0103", "2024-01-01", "2026-11-18"), ("2233", "2026-11-19", None)]
    office.prove()


def test_a_roster_with_other_details_is_a_request(office: Office) -> None:
    """Nothing is overwritten: it is asked for, reported, listed; the same rows again change nothing."""
    changed = [
        Pharmacy(**{name: getattr(store, name) for name in store.__slots__} | {"account_number": number})
        for store, number in ((A, "9990001"), (B, "9990002"))
    ]
    outcome = office.run("members", "import", str(roster_file(office.folder / "other.csv", [*changed, C])))
    assert "0 added, 0 changed, 3 unchanged, 2 bank changes asked" in outcome.out
    listed = office.ask("bank", "list")["changes"]
    assert [(each["source"], each["last_four"], each["state"]) for each in listed] == [
        ("roster", "0001", "asked"),
        ("roster", "0002", "asked"),
    ]
    (verdict,) = office.ask("members", "import", str(roster_file(office.folder / "again.csv", changed)))["files"]
    assert verdict["summary"] == "0 added, 0 changed, 2 unchanged"
    office.ask("bank", "withdraw", "2", "--reason", "an old list")
    assert [each["change_id"] for each in office.ask("bank", "list")["changes"]] == [1]
    assert _pay(office, "T1", A, 100_00, FRIDAY) == [("22", A.account_number, 100_00)]


def test_a_stopped_account_is_not_paid_into(office: Office) -> None:
    """A's 100.00 wait while its account is stopped; an approver lifts it, an operator can not, and they go."""
    office.fund(remittance("T1", MONDAY, Part(A, (100_00,)), Part(B, (50_00,))))
    office.ask("bank", "stop", A.ncpdp_id, "--reason", "its bank says closed", "--date", f"{MONDAY}")
    cycle = office.propose(MONDAY)
    assert [(each["ncpdp_id"], each["amount_cents"]) for each in cycle["payouts"]] == [(B.ncpdp_id, 50_00)]
    assert {each["ncpdp_id"]: each["reason"] for each in cycle["omitted"]}[A.ncpdp_id] == "account_stopped"
    office.ask("bank", "lift", A.ncpdp_id, "--reason", "a mistake", user=CLERK, code=5)
    office.ask("bank", "lift", A.ncpdp_id, "--reason", "its bank says open", user=CHECKER)
    office.ask("bank", "lift", A.ncpdp_id, "--reason", "again", user=CHECKER, code=5)
    assert {each["ncpdp_id"] for each in office.propose(MONDAY)["payouts"]} == {A.ncpdp_id, B.ncpdp_id}


_ASK = ("bank", "ask", A.ncpdp_id, "--routing", NEW_ROUTING, "--type", "checking", "--reason", "x")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("bank", "ask", A.ncpdp_id, "--routing", "091000020", "--type", "checking", "--reason", "x"), 2),
        (_ASK, 2),
        (("bank", "ask", A.ncpdp_id, "--routing", NEW_ROUTING, "--type", "gold", "--reason", "x"), 2),
        ((*_ASK, "--account-file", "none.txt"), 2),
        (("bank", "call-back", "9", "--number", TELEPHONE, "--spoke-with", "x", "--denied"), 2),
        (("bank", "call-back", "9", "--number", "1", "--spoke-with", "x", "--denied"), 2),
        (("bank", "call-back", "9", "--number", TELEPHONE, "--spoke-with", "x"), 2),
        (("bank", "withdraw", "9", "--reason", "x"), 2),
        (("bank", "withdraw", "9", "--reason", " "), 2),
        (("bank", "show", "9999999"), 2),
        (("bank", "lift", A.ncpdp_id, "--reason", "x"), 5),
        (("bank", "live", "--date", "tomorrow"), 2),
        (("notices", "write", "--out", "/dev/null/letters"), 2),
        (("notices", "write", "--out", "letters", "--again", "7"), 2),
        (("members", "contact", A.ncpdp_id, "--name", " ", "--telephone", TELEPHONE, "--email", "a@example.com"), 2),
        (("members", "contact", A.ncpdp_id, "--name", "A", "--telephone", "0100", "--email", "a@example.com"), 2),
        (("members", "contact", A.ncpdp_id, "--name", "A", "--telephone", TELEPHONE, "--email", "nowhere"), 2),
    ],
)
def test_wrong_use_is_said_and_changes_nothing(office: Office, words: tuple[str, ...], code: int) -> None:
    """One sentence, the exit code, no traceback, and no row more."""
    tables = ("bank_account_change", "member_contact", "notice", "approval", "bank_account_stop")
    outcome = office.run(*words, code=code)
    assert outcome.err.strip()
    assert "Traceback" not in outcome.err
    assert [table for table, _ in stored_text(office.shell.database_url) if table in tables] == []


def test_a_number_that_is_none_is_not_repeated(office: Office) -> None:
    """What does not look like an account number may still be one with a blank in it."""
    refused = _ask(office, A, number="4455 667788", code=2)
    assert "4455" not in str(refused)
    assert "1 to 17 letters" in refused["error"]["message"]


def test_the_number_is_in_the_banks_file_and_nowhere_else(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Asked, listed, shown, decided, tried, live, told in letters: the whole number is in no table, log or screen.

    It stands in the file that it was given by, and in the prenote file for the bank, which is its owner's alone.
    """
    heard = ""
    with caplog.at_level(0):
        _contact(office, A)
        told = ("--routing", NEW_ROUTING, "--type", "checking", "--reason", "x", "--date", f"{MONDAY}")
        words = ("bank", "ask", A.ncpdp_id, "--account-file", "-", *told)
        heard += str(office.run(*words, stdin=f"{NEW_NUMBER}\n".encode()))
        heard += str(office.run(*words, "--json", stdin=NEW_NUMBER.encode()))
        _call_back(office, 1, "--confirmed")
        office.ask("approvals", "approve", "1", user=CHECKER)
        looked: tuple[tuple[str, ...], ...] = (
            ("bank", "list", "--all"),
            ("approvals", "list", "--all"),
            ("bank", "prenotes", "--out", str(office.out), "--date", f"{TUESDAY}"),
            ("bank", "live", "--date", "2026-11-23"),
            ("bank", "show", A.ncpdp_id),
            ("members", "list"),
            ("notices", "list", "--all"),
            ("notices", "write", "--out", str(office.out)),
            ("notices", "write", "--out", str(office.out), "--again", "1"),
            ("exceptions", "list", "--all"),
        )
        for look in looked:
            heard += str(office.run(*look)) + str(office.run(*look, "--json"))
    assert _accounts(office, A)[-1] == ("7788", "2026-11-23", None)
    assert "7788" in heard
    assert NEW_NUMBER not in heard + caplog.text
    assert [table for table, text in stored_text(office.shell.database_url) if NEW_NUMBER in text] == []
    files = [path for path in office.folder.rglob("*") if path.is_file()]
    told_in = [path for path in files if NEW_NUMBER.encode() in path.read_bytes()]
    assert [path.suffix for path in told_in] == [".ach"]
    letters = [path for path in files if path.name.startswith("letter-")]
    assert len(letters) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*told_in, *letters)} == {0o600}


def test_on_a_terminal_the_number_is_typed_unseen(office: Office) -> None:
    """Without a file it is asked for, twice; the terminal shows nothing of it, and the change has it."""
    ours, theirs = pty.openpty()
    words = ("bank", "ask", A.ncpdp_id, "--routing", NEW_ROUTING, "--type", "savings", "--reason", "x", "--json")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CENTRALPAY_")}
    process = subprocess.Popen(
        [PROGRAM, *words],
        env=environment | office.shell.environment(MAKER),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stderr is not None
    shown = b""
    for prompt in (b"Account number: ", b"confirmation: "):
        # What is typed before the question stands there is thrown away, as passwords are read.
        while not shown.endswith(prompt):
            assert select([process.stderr], [], [], 60)[0], shown
            shown += os.read(process.stderr.fileno(), 1)
        os.write(ours, f"{NEW_NUMBER}\n".encode())
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert json.loads(out)["last_four"] == "7788"
    echoed = os.read(ours, 4096) if select([ours], [], [], 0)[0] else b""
    assert NEW_NUMBER.encode() not in shown + out + err + echoed
    os.close(theirs)
    os.close(ours)
