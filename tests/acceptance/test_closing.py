"""Closing a month and reopening it, as the finance office does, with the numbers before and after."""

import csv
import hashlib
import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.bank import own_money, paid_in, paid_out
from tests.support.closing import Lines, banking_days, book_days
from tests.support.office import AUDITOR, CHECKER, CLERK, MAKER, Office
from tests.support.trade import A, B, C, Part, remittance

OCTOBER, NOVEMBER = "2026-10", "2026-11"
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
MONDAY = date(2026, 10, 5)
AFTER = date(2026, 11, 3)
TRADE: Lines = {
    date(2026, 10, 2): [own_money("OWN1", 1_000_00)],
    MONDAY: [paid_in("OCT1", 1_400_00)],
    date(2026, 10, 8): [paid_out("OUT1", 1_000_00)],
}


def trade(office: Office, lines: Lines = TRADE, *, without: date | None = None) -> None:
    """Live through October: 1,000.00 of own money in, 900.00 for A and 500.00 for B remitted, and both paid.

    Of 1,400.00 the fee of two members is 400.00: 1,000.00 leave.
    """
    office.remit(remittance("OCT1", MONDAY, Part(A, (900_00,)), Part(B, (500_00,))))
    days = [day for day in banking_days(FIRST, LAST) if day != without]
    for day in days[:5]:
        office.book(day, *lines.get(day, ()))
    office.accept_own_money("OWN1")
    office.match()
    office.ask("fees", "assess", "--month", OCTOBER, "--date", "2026-10-05")
    released = office.pay(date(2026, 10, 7))
    assert (released["payouts"], released["total_cents"], released["fee_cents"]) == (2, 1_000_00, 400_00)
    for day in days[5:]:
        office.book(day, *lines.get(day, ()))
    assert [each["amount_cents"] for each in office.match()["settled"]] == [1_000_00]


def close(office: Office, month: str, *words: str, day: date = AFTER, code: int = 0) -> dict[str, Any]:
    """Close a month as the approver."""
    return office.ask("close", "--month", month, "--date", f"{day}", *words, user=CHECKER, code=code)


def reopen(office: Office, month: str, reason: str) -> None:
    """Open a month again: the operator asks, the approver approves."""
    asked = office.ask("periods", "reopen", month, "--reason", reason, user=CLERK)
    assert asked["state"] == "pending"
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)


def manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a package, and see that each file is as it says."""
    said = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for each in said["files"]:
        content = (folder / each["name"]).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (each["sha256"], each["bytes"]), each["name"]
    listed = {each["name"] for each in said["files"]} | {"manifest.json"}
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == listed
    assert isinstance(said, dict)
    return said


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """Read a table of a package."""
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def balances(folder: Path, name: str) -> dict[tuple[str, str], str]:
    """Read a trial balance of a package: owner and account to dollars, without those of zero."""
    found = rows(folder, f"trial-balance-{name}.csv")
    return {(row["Owner"], row["Account"]): row["Balance"] for row in found if row["Balance"] != "0.00"}


def digest(folder: Path) -> dict[str, bytes]:
    """Give every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def verified(folder: Path) -> str:
    """Run the package's own verifier on it, as an auditor would: without anything of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "verify.py", "."], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_month_is_closed(office: Office) -> None:
    """October with 1,400.00 in and 1,000.00 out closes at 1,400.00, of which 1,400.00 are the PSAO's own.

    Before: open, 400.00 of it the two fees. After: closed, sealed, its package written, each banking day tied out; the
    third member's fee stays receivable. The package's verifier finds nothing wrong, and 21 days agree to the cent.
    """
    trade(office)
    before = office.trial_balance()
    assert (before["house", "custody", "cash"], before["house", "custody", "operating_float"]) == (1_400_00, -1_400_00)
    made = close(office, OCTOBER)
    assert (made["month"], made["version"], made["step"], made["closed_by"]) == (OCTOBER, 1, "packed", CHECKER)
    assert len(made["tie_out"]) == 21
    assert {each["verdict"] for each in made["checks"]} == {"holds"}
    assert office.trial_balance() == before
    folder = Path(made["package"])
    said = manifest(folder)
    assert hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() == made["manifest_sha256"]
    assert (said["scope"]["from"], said["scope"]["to"], said["supersedes"]) == ("2026-10-01", "2026-10-31", None)
    assert balances(folder, "opening") == {}
    assert balances(folder, "closing") == {
        ("house", "cash"): "1400.00",
        ("house", "operating_float"): "-1400.00",
        ("house", "custody_float"): "1000.00",
        (A.ncpdp_id, "custody_float"): "200.00",
        (B.ncpdp_id, "custody_float"): "200.00",
        ("house", "operating_cash"): "-1000.00",
        (C.ncpdp_id, "fee_receivable"): "200.00",
        (A.ncpdp_id, "fee_revenue"): "-200.00",
        (B.ncpdp_id, "fee_revenue"): "-200.00",
        (C.ncpdp_id, "fee_revenue"): "-200.00",
    }
    tied = rows(folder, "tie-out.csv")
    assert [row["Difference"] for row in tied] == ["0.00"] * 21
    assert (tied[0]["Bank_Closing"], tied[2]["Bank_Closing"], tied[-1]["Bank_Closing"]) == (
        "0.00",
        "2400.00",
        "1400.00",
    )
    assert "entries" in verified(folder)


def test_a_closed_month_takes_nothing(office: Office) -> None:
    """What is of October and comes in November is posted on the first of November; October's balances stay."""
    trade(office)
    close(office, OCTOBER)
    october = office.trial_balance("--as-of", "2026-10-31")
    office.remit(remittance("LATE1", date(2026, 10, 20), Part(C, (300_00,))))
    assert office.trial_balance("--as-of", "2026-10-31") == october
    on_the_first = office.trial_balance("--as-of", "2026-11-01")
    assert on_the_first[C.ncpdp_id, "custody", "advised"] == 300_00


def test_the_same_close_is_the_same_package(office: Office, quick_path: Path) -> None:
    """Closed twice it is one close; its package, written again elsewhere after other postings, has the same bytes."""
    trade(office)
    first = close(office, OCTOBER)
    office.remit(remittance("NOV1", date(2026, 11, 2), Part(C, (300_00,))))
    second = close(office, OCTOBER, "--out", str(quick_path / "again"))
    assert (second["version"], second["manifest_sha256"]) == (1, first["manifest_sha256"])
    assert digest(Path(second["package"])) == digest(Path(first["package"]))
    assert len(office.ask("periods", "list")["closes"]) == 1


def test_a_changed_package_is_found(office: Office) -> None:
    """Who closes again sees that the package is no longer what it was; put away, it is written as it was."""
    trade(office)
    made = close(office, OCTOBER)
    folder = Path(made["package"])
    was = (folder / "tie-out.csv").read_bytes()
    (folder / "tie-out.csv").write_bytes(was.replace(b"1400.00", b"1500.00"))
    outcome = office.run("close", "--month", OCTOBER, "--date", f"{AFTER}", user=CHECKER, code=4)
    assert "tie-out.csv is missing or not as it was written" in outcome.err
    again = office.run("periods", "repack", OCTOBER, "--reason", "lost", user=CHECKER, code=4)
    assert "Put the folder away" in again.err
    folder.rename(folder.with_name("put-away"))
    assert close(office, OCTOBER)["manifest_sha256"] == made["manifest_sha256"]
    assert (folder / "tie-out.csv").read_bytes() == was
    folder.rename(folder.with_name("lost"))
    repacked = office.ask("periods", "repack", OCTOBER, "--reason", "the disk was lost", user=CHECKER)
    assert (repacked["edition"], repacked["manifest_sha256"]) == (1, made["manifest_sha256"])
    office.run("periods", "repack", OCTOBER, "--reason", "the disk was lost", user=CLERK, code=5)


def test_a_missing_statement_is_a_finding(office: Office) -> None:
    """Without the bank's statement of one banking day the month is not closed (exit code 4), and the day is named."""
    trade(office, without=date(2026, 10, 21))
    looked = office.ask("close", "--month", OCTOBER, "--check", user=CHECKER, code=4)
    (tie_out,) = (each for each in looked["checks"] if each["name"] == "bank tie-out")
    assert (tie_out["verdict"], tie_out["checked"], tie_out["found"]) == ("fails", 20, 1)
    assert tie_out["detail"] == "account …6789 has no statement of 2026-10-21"
    outcome = office.run("close", "--month", OCTOBER, "--date", f"{AFTER}", user=CHECKER, code=4)
    assert "no statement of 2026-10-21" in outcome.err
    assert office.ask("periods", "list")["closes"] == []
    office.book(date(2026, 10, 21))
    assert close(office, OCTOBER)["version"] == 1


def test_an_unexplained_debit_blocks_until_it_is_carried_over_by_name(office: Office) -> None:
    """70.00 that left and that nothing explains: refused (5); carried over by name with a reason, it is in the package.

    Before: the float is 1,400.00, 70.00 of the account are unexplained. After: the same, and October is closed with it.
    """
    trade(office, {**TRADE, date(2026, 10, 28): [paid_out("ODD1", 70_00)]})
    (case,) = office.ask("exceptions", "list", "--kind", "debit_unexplained")["exceptions"]
    outcome = office.run("close", "--month", OCTOBER, "--date", f"{AFTER}", user=CHECKER, code=5)
    assert "money left the account" in outcome.out
    assert f"--carry {case['id']}" in outcome.out
    assert office.ask("periods", "list")["closes"] == []
    wrong = office.run("close", "--month", OCTOBER, "--carry", "99", "--reason", "x", "--check", user=CHECKER, code=2)
    assert "no open exception" in wrong.err
    unsaid = office.run("close", "--month", OCTOBER, "--carry", str(case["id"]), "--check", user=CHECKER, code=2)
    assert "--reason" in unsaid.err
    made = close(office, OCTOBER, "--carry", str(case["id"]), "--reason", "asked the bank on 2 November")
    assert [(each["subject"], each["by_name"]) for each in made["carried"]] == [(f"exception {case['id']}", True)]
    (row,) = rows(Path(made["package"]), "carried.csv")
    assert (row["Amount"], row["Reason"], row["Carried"]) == ("70.00", "asked the bank on 2 November", "by name")
    assert balances(Path(made["package"]), "closing")["house", "unmatched_debit"] == "70.00"


def test_what_stands_in_the_way_is_said_with_what_to_do(office: Office) -> None:
    """Fees that were not assessed and a cycle that is half done: a line each, and the command that helps."""
    office.remit(remittance("OCT1", MONDAY, Part(A, (900_00,))))
    book_days(office, FIRST, LAST, {MONDAY: [paid_in("OCT1", 900_00)]})
    office.match()
    cycle = office.propose(date(2026, 10, 7))
    looked = office.ask("close", "--month", OCTOBER, "--check", user=AUDITOR, code=5)
    said = {each["name"]: (each["verdict"], each["found"], each["todo"]) for each in looked["checks"]}
    assert said["fees assessed"] == ("blocks", 3, f"Run: centralpay fees assess --month {OCTOBER}")
    assert said["cycles"][:2] == ("blocks", 1)
    assert "cycle void" in said["cycles"][2]
    words = ("--carry", "cycles", "--reason", "paid in November")
    looked = office.ask("close", "--month", OCTOBER, "--check", *words, user=AUDITOR, code=5)
    assert {each["name"]: each["verdict"] for each in looked["checks"]}["cycles"] == "carried"
    assert cycle["cycle_id"] == 1


@pytest.mark.parametrize(
    ("user", "day", "month", "says"),
    [
        (CLERK, "2026-11-03", OCTOBER, "clara is operator"),
        (AUDITOR, "2026-11-03", OCTOBER, "audrey is auditor"),
        (CHECKER, "2026-10-31", OCTOBER, "2026-10 is not over on 2026-10-31"),
        (CHECKER, "2026-12-01", NOVEMBER, "while 2026-10 is open"),
    ],
    ids=["an operator", "an auditor", "before it is over", "before the one before"],
)
def test_who_may_not_close_and_when(office: Office, user: str, day: str, month: str, says: str) -> None:
    """An operator or auditor, a month that is not over, a month before the one before it: refused, nothing changed."""
    trade(office)
    outcome = office.run("close", "--month", month, "--date", day, user=user, code=5)
    assert says in outcome.err
    assert office.ask("periods", "list")["closes"] == []


def test_a_month_without_entries_is_closed_with_the_next(office: Office) -> None:
    """September, in which nothing happened, is closed by closing October: neither closed nor reopened by itself."""
    trade(office)
    made = close(office, OCTOBER)
    assert made["from_month"] == "2000-01-01"
    outcome = office.run("close", "--month", "2026-09", "--date", f"{AFTER}", user=CHECKER, code=5)
    assert "2026-09 had no entries and was closed with 2026-10" in outcome.err
    outcome = office.run("periods", "reopen", "2026-09", "--reason", "late", user=CLERK, code=5)
    assert "had no entries" in outcome.err


def test_reopening_takes_two_and_supersedes(office: Office) -> None:
    """October is opened by two people, gets a payer's late 300.00 for C, and is closed as version 2.

    Before: version 1 knows nothing of the 300.00. After: version 2 lists that entry alone as posted since and names the
    manifest that it supersedes; version 1's package is, to the byte, what it was.
    """
    trade(office)
    first = close(office, OCTOBER)
    old = digest(Path(first["package"]))
    asked = office.ask("periods", "reopen", OCTOBER, "--reason", "a remittance of October came late", user=CHECKER)
    outcome = office.run("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    assert "maker is not checker" in outcome.err
    assert office.ask("periods", "show", OCTOBER)["state"] == "closed"
    office.ask("approvals", "approve", str(asked["approval_id"]), user=MAKER)
    assert office.ask("periods", "show", OCTOBER)["state"] == "open"
    office.remit(remittance("LATE1", date(2026, 10, 20), Part(C, (300_00,))))
    assert office.trial_balance("--as-of", "2026-10-31")[C.ncpdp_id, "custody", "advised"] == 300_00
    second = close(office, OCTOBER)
    assert (second["version"], second["supersedes"]) == (2, first["manifest_sha256"])
    folder = Path(second["package"])
    assert manifest(folder)["supersedes"] == first["manifest_sha256"]
    (since,) = rows(folder, "posted-since.csv")
    assert (since["Owner"], since["Event"], since["Effective_On"]) == (C.ncpdp_id, "advised", "2026-10-20")
    assert since["Debit"] == "300.00"
    (reopening,) = rows(folder, "reopenings.csv")
    assert (reopening["Requested_By"], reopening["Approved_By"]) == (CHECKER, MAKER)
    assert reopening["Superseded_Manifest_SHA256"] == first["manifest_sha256"]
    closing = balances(folder, "closing")
    assert (closing[C.ncpdp_id, "advised"], closing[C.ncpdp_id, "due_unfunded"]) == ("300.00", "-300.00")
    verified(folder)
    assert digest(Path(first["package"])) == old
    steps = [(each["version"], each["step"]) for each in office.ask("periods", "show", OCTOBER)["closes"]]
    assert steps == [(1, "reopened"), (2, "packed")]


def test_the_latest_month_is_reopened_first(office: Office) -> None:
    """October is not opened below a closed November; once November is open, it is, and November follows it again."""
    trade(office)
    close(office, OCTOBER)
    book_days(office, date(2026, 11, 1), date(2026, 11, 30))
    office.ask("fees", "assess", "--month", NOVEMBER, "--date", "2026-11-05")
    december = date(2026, 12, 2)
    assert close(office, NOVEMBER, day=december)["version"] == 1
    outcome = office.run("periods", "reopen", OCTOBER, "--reason", "late", user=CLERK, code=5)
    assert "while 2026-11 is closed" in outcome.err
    reopen(office, NOVEMBER, "October has to be opened")
    reopen(office, OCTOBER, "late")
    outcome = office.run("close", "--month", NOVEMBER, "--date", f"{december}", user=CHECKER, code=5)
    assert "while 2026-10 is open" in outcome.err
    assert close(office, OCTOBER, day=december)["version"] == 2
    assert close(office, NOVEMBER, day=december)["version"] == 2


def test_a_reopening_says_why_and_of_what(office: Office) -> None:
    """Without a reason it is wrong use; of a month that is open, or of none, there is nothing to reopen."""
    trade(office)
    office.run("periods", "reopen", OCTOBER, "--reason", "late", user=CLERK, code=5)
    close(office, OCTOBER)
    office.run("periods", "reopen", OCTOBER, "--reason", " ", user=CLERK, code=2)
    office.run("periods", "reopen", "1999-10", "--reason", "late", user=CLERK, code=2)
    office.run("periods", "reopen", OCTOBER, "--reason", "late", user=AUDITOR, code=5)
    office.run("periods", "show", "2026-13", code=2)
