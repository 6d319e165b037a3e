"""The books in others' hands: their tools compute what ours do, and a file that was changed is found."""

import csv
import hashlib
import json
import shutil
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from ledger.export.accounts import ACCOUNTS
from ledger.export.columns import GL_DETAIL, JOURNAL, TRIAL_BALANCE
from tests.conftest import NewDatabase
from tests.support.bank import paid_out
from tests.support.command import Shell
from tests.support.office import CHECKER, MAKER, Office
from tests.support.outsiders import (
    Balances,
    beancount_balances,
    beancount_entries,
    cents_of,
    hledger_balances,
    hledger_checks,
    verified,
)
from tests.support.trade import A, B, C, Part, remittance

NASTY = '=HYPERLINK("x"), date:2020-99-99 ; {curly} #tag "quoted" \\back [2020-99-99]'
"""A reason that a spreadsheet would run, and that looks like the syntax of a journal."""
FORMS = ("ads", "hledger", "beancount", "jsonl", "csv")
PATHS = {each.account.value: each.path for each in ACCOUNTS}
NUMBERS = {each.number: each.account.value for each in ACCOUNTS}

Row = dict[str, str]


@pytest.fixture(scope="module")
def books(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Give the story's office; the tests read it, each into a folder of its own, and post nothing."""
    folder = tmp_path_factory.mktemp("exports")
    with new_database() as url:
        office = Office(Shell(folder / "home", url), folder)
        office.found(A, B, C)
        yield _told(office)


def test_the_auditors_files_re_add_to_the_cent(books: Office) -> None:
    """GL_Detail has every line once under gapless numbers, adds up to Trial_Balance period by period, and to ours."""
    out = _exported(books, "ads")
    detail = _rows(out, "GL_Detail_20261030_20261110.csv")
    assert list(detail[0]) == [each.name for each in GL_DETAIL]
    numbers = sorted({int(row["Journal_ID"]) for row in detail})
    assert numbers == list(range(1, len(numbers) + 1))
    ours = _journal(books)
    assert len(detail) == len(ours)
    assert sum(map(_cents, detail)) == 0
    assert {row["Amount"][0] for row in detail} & {"-", "+"} == set()
    moved: Counter[tuple[str, str]] = Counter()
    for row in detail:
        moved[row["Fiscal_Year"] + row["Period"], row["GL_Account_Number"]] += _cents(row)
    balances = _rows(out, "Trial_Balance_20261030_20261110.csv")
    assert list(balances[0]) == [each.name for each in TRIAL_BALANCE]
    before: dict[str, int] = defaultdict(int)
    for row in balances:
        number, begin, end = row["GL_Account_Number"], cents_of(row["Amount_Beginning"]), cents_of(row["Amount_Ending"])
        assert begin == before[number]
        assert end - begin == moved.pop((row["Fiscal_Year"] + row["Period"], number), 0)
        before[number] = end
    assert moved == Counter()
    assert {row["Balance_As_Of_Date"] for row in balances} == {"2026-10-31", "2026-11-10"}
    by_account: Counter[str] = Counter()
    for (_, _, account), cents in books.trial_balance().items():
        by_account[account] += cents
    assert {NUMBERS[number]: cents for number, cents in before.items() if cents} == {
        account: cents for account, cents in by_account.items() if cents
    }
    _see_whole(out)


def test_the_auditors_files_say_who_approved_and_what_was_reversed(books: Office) -> None:
    """The maker and the checker of what took two people; both halves of a reversal; no cell that a spreadsheet runs."""
    out = _exported(books, "ads")
    detail = _rows(out, "GL_Detail_20261030_20261110.csv")
    by_event: dict[str, list[Row]] = defaultdict(list)
    for row in detail:
        by_event[row["Source"]].append(row)
    two = {
        (row["Entered_By"], row["Approved_By"]) for name in ("payout_released", "fee_waived") for row in by_event[name]
    }
    assert two == {(MAKER, CHECKER)}
    assert {row["Approved_By"] for row in by_event["advised"]} == {""}
    assert {row["Approved_By"] for row in by_event["float_deposited"]} == {CHECKER}
    (waived,), (turned,) = ({row["Journal_ID"] for row in by_event[name]} for name in ("fee_waived", "reversed"))
    assert {(row["Reversal_Indicator"], row["Reversal_Journal_ID"]) for row in by_event["fee_waived"]} == {
        ("2", turned)
    }
    assert {(row["Reversal_Indicator"], row["Reversal_Journal_ID"]) for row in by_event["reversed"]} == {("1", waived)}
    assert {row["Reversal_Indicator"] for row in by_event["funded"]} == {""}
    assert {row["Segment01"] for row in by_event["fee_waived"]} == {C.ncpdp_id}
    assert {row["Segment02"] for row in by_event["advised"]} == {"1360000001"}
    (head,) = {row["JE_Header_Description"] for row in by_event["fee_waived"]}
    assert NASTY in head
    for path in out.glob("*.csv"):
        cells = [cell or "" for row in _rows(out, path.name) for cell in row.values()]
        assert [cell for cell in cells if cell[:1] in {"=", "+", "@", "\t", "\r"}] == []
        assert b"\r\n" in path.read_bytes()
    users = {row["User_ID"]: row["Role_Responsibility"] for row in _rows(out, "User_Listing_20261030_20261110.csv")}
    assert (users[MAKER], users[CHECKER]) == ("admin", "approver")
    assert {row["Entered_By"] for row in detail} <= set(users)


def test_a_free_text_cell_is_no_formula(books: Office) -> None:
    """In our own CSV the nasty reason begins with an apostrophe; in JSON it is as it was given."""
    rows = _rows(_exported(books, "csv"), "journal.csv")
    assert list(rows[0]) == [each.name for each in JOURNAL]
    assert {row["reason"] for row in rows if row["event"] == "fee_waived"} == {f"'{NASTY}"}
    lines = _lines(_exported(books, "jsonl"))
    assert list(lines[0]) == [each.name for each in JOURNAL]
    assert {line["reason"] for line in lines if line["event"] == "fee_waived"} == {NASTY}


def test_json_and_csv_are_the_journal(books: Office) -> None:
    """Line by line they are what ``ledger journal`` shows, under numbers without a gap."""
    lines = _lines(_exported(books, "jsonl"))
    same = {"transaction_id": "transaction", "entry_id": "entry", "line_no": "line", "entry_event": "event"}
    names = ("owner", "ledger", "account", "reference", "amount_cents", "effective_on", "actor", "reason", "reverses")
    theirs = [tuple(line[same.get(name, name)] for name in (*same, *names)) for line in lines]
    ours = [tuple(each[name] for name in (*same, *names)) for each in _journal(books)]
    assert sorted(theirs, key=str) == sorted(ours, key=str)
    rows = _rows(_exported(books, "csv"), "journal.csv")
    assert [row["amount_cents"] for row in rows] == [str(line["amount_cents"]) for line in lines]
    assert {row["about"] for row in rows if row["account"] == "fee_receivable"} == {"month 2026-11"}


def test_hledger_computes_our_balances(books: Office) -> None:
    """``hledger check -s`` and its ordered dates find nothing, and every account of every owner is what ours says.

    An assertion that is one cent off is found: those at the month's end are really looked at.
    """
    out = _exported(books, "hledger")
    journal = out / "journal.hledger"
    assert hledger_checks(journal) == ""
    assert hledger_balances(journal) == _ours(books)
    _see_whole(out)
    text = journal.read_text()
    line = next(each for each in text.splitlines() if "Assets:Custody:Cash:Member" in each and "0.00 USD = " in each)
    amount = line.split()[-2]
    journal.write_text(text.replace(line, line.replace(amount, f"{cents_of(amount) + 1}"[:-2] + ".01")))
    assert "balance assertion" in hledger_checks(journal)


def test_beancount_computes_our_balances(books: Office) -> None:
    """``bean-check`` finds nothing, and every account of every owner is what ours says; one cent off is found."""
    out = _exported(books, "beancount")
    journal = out / "journal.beancount"
    assert beancount_entries(journal)[1] == []
    assert beancount_balances(journal) == _ours(books)
    _see_whole(out)
    text = journal.read_text()
    line = next(
        each for each in text.splitlines() if " balance Assets:Custody:Cash:Member" in each and "0.00 USD" in each
    )
    amount = line.split()[3]
    journal.write_text(text.replace(line, line.replace(amount, f"{cents_of(amount) + 1}"[:-2] + ".01")))
    assert beancount_entries(journal)[1] != []


@pytest.mark.parametrize("form", ["hledger", "beancount"])
def test_a_range_begins_with_what_there_was(books: Office, form: str) -> None:
    """November alone opens with October's balances, so that it ends where the whole does."""
    out = _exported(books, form, "--from", "2026-11-01")
    journal = out / f"journal.{form}"
    text = journal.read_text()
    assert "opening balances" in text
    assert "2026-10-30" not in text
    if form == "hledger":
        assert hledger_checks(journal) == ""
        assert hledger_balances(journal) == _ours(books)
    else:
        assert beancount_balances(journal) == _ours(books)
    to = _exported(books, form, "--to", "2026-10-31") / f"journal.{form}"
    balances = hledger_balances(to) if form == "hledger" else beancount_balances(to)
    assert balances == _ours(books, "--as-of", "2026-10-31")
    assert balances[f"Liabilities:Custody:DueAvailable:Member:{A.ncpdp_id}"] == -300_00


def test_an_export_of_one_owner_is_its_book_alone(books: Office) -> None:
    """B's export has B's lines and nobody else's name, and no trail of actions; it verifies as a part of the books."""
    out = _exported(books, "jsonl", "--owner", B.ncpdp_id)
    lines = _lines(out)
    assert {line["owner"] for line in lines} == {B.ncpdp_id}
    assert len(lines) == len([each for each in _journal(books) if each["owner"] == B.ncpdp_id])
    content = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert A.ncpdp_id.encode() not in content
    assert not (out / "sealed" / "trail.jsonl").exists()
    (member_id,) = {line["member_id"] for line in lines}
    for asked in (out, _exported(books, "jsonl", "--owner", member_id)):
        assert _manifest(asked)["scope"]["owner"] == B.ncpdp_id
    assert verified(out).returncode == 0
    plain = _exported(books, "beancount", "--owner", B.ncpdp_id) / "journal.beancount"
    assert beancount_balances(plain) == {path: cents for path, cents in _ours(books).items() if B.ncpdp_id in path}


def test_what_came_after_the_checkpoint_is_not_shown(office: Office) -> None:
    """An export known at a checkpoint has the same bytes for ever; one of today says what is not sealed yet.

    So in every form, whatever else is done meanwhile: money is posted, a user added.
    """
    books = _told(office)
    books.run("users", "add", "oona", "--role", "operator")
    size = books.ask("ledger", "checkpoints")["checkpoints"][0]["size"]
    at_it = ("--known-at", str(size))
    first = _exported(books, "csv", *at_it, name="first")
    before = {form: _exported(books, form, "--without-seal", *at_it) for form in FORMS}
    books.fund(remittance("TRN1004", date(2026, 11, 12), Part(C, (50_00,))))
    unsealed = books.ask("ledger", "export", "--format", "csv", "--out", str(books.folder / "early"))
    assert unsealed["not_sealed"] > 0
    warned = books.run("ledger", "export", "--format", "csv", "--out", str(books.folder / "early2"))
    assert "not sealed yet" in warned.err
    books.run("users", "add", "olaf", "--role", "operator")
    books.run("ledger", "seal")
    again = _exported(books, "csv", *at_it, name="again")
    for form, out in before.items():
        anew = _exported(books, form, "--without-seal", *at_it, name=f"{form}-anew")
        for path in out.iterdir():
            assert path.name == "manifest.json" or path.read_bytes() == (anew / path.name).read_bytes(), path
    for name in (
        "journal.csv",
        "sealed/entries.jsonl",
        "sealed/trail.jsonl",
        "sealed/leaves",
        "sealed/checkpoints.jsonl",
    ):
        assert (first / name).read_bytes() == (again / name).read_bytes()
        assert (first / name).read_bytes() == (books.folder / "early" / name).read_bytes()
    users = (books.folder / "ads-anew" / "User_Listing_20261030_20261110.csv").read_text()
    assert CHECKER in users
    assert "oona" not in users
    later = _exported(books, "csv", name="later")
    assert len(_rows(later, "journal.csv")) > len(_rows(first, "journal.csv"))
    assert _rows(later, "journal.csv")[: len(_rows(first, "journal.csv"))] == _rows(first, "journal.csv")


def test_the_verifier_in_the_package_finds_one_changed_byte(books: Office) -> None:
    """verify.py accepts the package as it is, and names the file where one digit is another."""
    out = _exported(books, "ads")
    done = verified(out)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("GL_Detail_20261030_20261110.csv", "sealed/entries.jsonl"):
        broken = books.folder / "broken"
        shutil.copytree(out, broken)
        content = (broken / name).read_text()
        (broken / name).write_text(content.replace("300", "301", 1), newline="")
        found = verified(broken)
        assert found.returncode == 1
        assert name in found.stdout + found.stderr
        shutil.rmtree(broken)


def test_a_zip_holds_the_same_files(books: Office) -> None:
    """``--zip`` packs what the folder would hold, for its owner's eyes."""
    out = _exported(books, "csv")
    packed = Path(
        books.ask("ledger", "export", "--format", "csv", "--out", str(books.folder / "packed"), "--zip")["out"]
    )
    assert packed == books.folder / "packed.zip"
    assert packed.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(packed) as archive:
        names = {name.removeprefix("packed/") for name in archive.namelist()}
        assert archive.read("packed/journal.csv") == (out / "journal.csv").read_bytes()
    assert names == {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}


def test_no_account_number_leaves(books: Office) -> None:
    """No file of any form holds a member's bank account number, ours, or a patient's name."""
    for form in FORMS:
        out = _exported(books, form)
        content = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != "verify.py")
        for secret in (A.account_number, B.account_number, "000123456789", "EXAMPLE, PAT", "PLAN0001"):
            assert secret.encode() not in content


def test_what_can_not_be_exported_is_said_and_leaves_nothing(office: Office) -> None:
    """Nothing sealed, a folder that is taken, a range that is turned, nobody of that name: a sentence, exit code 2."""
    out = office.folder / "there"
    words = ("ledger", "export", "--format", "csv", "--out", str(out))
    office.fund(remittance("TRN1001", date(2026, 10, 30), Part(A, (300_00,))))
    if not office.ask("ledger", "checkpoints")["checkpoints"]:
        assert "ledger seal" in office.run(*words, code=2).err
    office.run("ledger", "seal")
    assert "before the first" in office.run(*words, "--from", "2026-11-02", "--to", "2026-11-01", code=2).err
    assert "is not a user" in office.run(*words, user="nobody", code=5).err
    office.run(*words, "--owner", "7777777", code=2)
    office.run(*words, "--known-at", "999999", code=2)
    office.run(*words, "--from", "yesterday", code=2)
    assert not out.exists()
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    assert "not empty" in office.run(*words, code=2).err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    taken = office.folder / "file"
    taken.write_text("x")
    office.run("ledger", "export", "--format", "csv", "--out", str(taken / "below"), code=2)
    assert [path.name for path in office.folder.iterdir() if ".part-" in path.name] == []


def _told(office: Office) -> Office:
    """Let October and November pass, and seal.

    October: A is owed 300.00, the float is 5,000.00. November: A gets 10,000.00 and B 2,500.00 more; C's fee is waived
    with a nasty reason, and the waiver is reversed; A and B are paid less 200.00 of fee; B falls to -600.00 (advanced).
    """
    office.fund(remittance("TRN1001", date(2026, 10, 30), Part(A, (300_00,))))
    office.put_in("OWN1", 5_000_00, date(2026, 10, 30))
    office.fund(
        remittance("TRN1002", date(2026, 11, 3), Part(A, (10_000_00,)), Part(B, (2_700_00,), (("WO", 200_00),)))
    )
    office.ask("fees", "assess", "--month", "2026-11")
    why = ("--reason", NASTY, "--date", "2026-11-04")
    asked = office.ask("fees", "waive", C.ncpdp_id, "--month", "2026-11", *why)
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    (waived,) = {each["transaction_id"] for each in _journal(office) if each["event"] == "fee_waived"}
    turned = office.ask("ledger", "reverse", str(waived), "--reason", "a mistake", "--date", "2026-11-05")
    office.ask("approvals", "approve", str(turned["approval_id"]), user=CHECKER)
    assert office.pay(date(2026, 11, 6))["total_cents"] == 12_400_00
    office.book(date(2026, 11, 9), paid_out("OUT1", 12_400_00))
    office.match()
    office.fund(remittance("TRN1003", date(2026, 11, 10), Part(A, (2_000_00,)), Part(B, (-600_00,))))
    office.prove()
    office.run("ledger", "seal")
    return office


def _exported(office: Office, form: str, *words: str, name: str = "") -> Path:
    out = office.folder / (name or f"{form}-{uuid4()}")
    office.ask("ledger", "export", "--format", form, "--out", str(out), *words)
    return out


def _journal(office: Office) -> list[dict[str, Any]]:
    found = office.ask("ledger", "journal", "--most", "100000")["lines"]
    assert isinstance(found, list)
    return found


def _rows(out: Path, name: str) -> list[Row]:
    with (out / name).open(newline="") as file:
        return list(csv.DictReader(file, strict=True))


def _lines(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]


def _cents(row: Row) -> int:
    cents = cents_of(row["Amount"])
    return cents if row["Amount_Credit_Debit_Indicator"] == "D" else -cents


def _manifest(out: Path) -> dict[str, Any]:
    manifest = json.loads((out / "manifest.json").read_text())
    assert isinstance(manifest, dict)
    return manifest


def _ours(office: Office, *words: str) -> Balances:
    """Give our own trial balance under the paths of the plain-text journals."""
    found: Balances = {}
    for (owner, _, account), cents in office.trial_balance(*words).items():
        found[PATHS[account] + (":House" if owner == "house" else f":Member:{owner}")] = cents
    return found


def _see_whole(out: Path) -> None:
    """See that the manifest tells every file, to the byte, and that debits are credits wherever it says them."""
    files = {each["name"]: each for each in _manifest(out)["files"]}
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert there - {"manifest.json"} == set(files)
    for name, each in files.items():
        content = (out / name).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (each["sha256"], each["bytes"])
        assert each["debit_cents"] == each["credit_cents"]
