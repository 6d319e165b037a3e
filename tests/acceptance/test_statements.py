"""Statements as a pharmacy and the finance team get them: they foot, and tie to ledger, bank entry and 835."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from payouts.nacha.reader import read_nacha
from schemas.money import cents_from_text
from tests.support.lives import kept
from tests.support.office import AUDITOR, CLERK, Office
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")
FORMS = ("csv", "json", "xlsx", "pdf")


@pytest.fixture
@kept
def month(office: Office) -> Office:
    """Give an office after a month: A claimed 1,000.00 less 50.00, B 300.00; 200.00 fee; OTHER_PAYER owes A 30.00."""
    office.fund(remittance("M1", MONDAY, Part(A, (600_00, 400_00), (("WO", 50_00),)), Part(B, (300_00,))))
    office.ask("fees", "assess", "--month", "2026-11")
    office.pay(TUESDAY)
    office.remit(remittance("M2", WEDNESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))
    return office


def _statement(office: Office, *words: str) -> dict[str, Any]:
    return office.ask("statement", "--member", A.ncpdp_id, *(words or NOVEMBER))


def test_every_deduction_says_who_took_it(month: Office) -> None:
    """Of 1,030.00 claimed the payer took 50.00, we took 200.00 as the flat fee; 750.00 were paid, 30.00 are awaited.

    Before: 0.00 owed. After: 30.00 owed, all of it awaited from the other payer; kept by us: 200.00.
    """
    made = _statement(month)
    assert (made["opening_cents"], made["closing_cents"], made["awaiting_payer_cents"]) == (0, 30_00, 30_00)
    taken = [
        (each["amount_cents"], each["taken_by"])
        for each in [*made["advices"][0]["adjustments"], *made["movements"]]
        if each["amount_cents"] < 0
    ]
    assert taken == [(-50_00, f"payer {PAYER.name}"), (-200_00, "us: the flat fee"), (-750_00, None)]
    assert made["retained_cents"] == 200_00
    year = {name: cents for name, cents in made["year"].items() if name.endswith("_cents") and cents}
    assert year == {
        "claims_cents": 1_030_00,
        "payer_taken_cents": -50_00,
        "fee_cents": -200_00,
        "paid_cents": -750_00,
        "closing_cents": 30_00,
    }


def test_nothing_is_given_out_that_nobody_knows_of(month: Office) -> None:
    """A statement is remembered before its file is there; where the file can not be written, it can be given again."""
    place = month.folder / "in the way"
    place.mkdir()
    month.run("statement", "--member", A.ncpdp_id, *NOVEMBER, "--format", "csv", "--out", str(place), code=2)
    (issued,) = month.ask("statements", "list", "--member", A.ncpdp_id)["statements"]
    assert list(place.iterdir()) == []
    out = month.folder / "again.csv"
    month.run("statements", "again", str(issued["statement_id"]), "--out", str(out))
    assert out.read_bytes().startswith(b"date,entry,taken by")


def test_a_statement_of_one_payer(month: Office) -> None:
    """PAYER advised 950.00 and its money came: nothing is awaited of it. OTHER_PAYER's 30.00 are awaited whole.

    The payment of 750.00 is listed as it was, for what of it was the payer's is nowhere to be read.
    """
    first = _statement(month, *NOVEMBER, "--payer", PAYER.payer_id)
    other = _statement(month, *NOVEMBER, "--payer", OTHER_PAYER.payer_id)
    assert [each["amount_cents"] for each in first["advices"]] == [950_00]
    assert [(each["event"], each["amount_cents"]) for each in first["movements"]] == [("funded", -950_00)]
    assert (first["closing_cents"], other["closing_cents"]) == (0, 30_00)
    assert [each["amount_cents"] for each in first["payouts"]] == [750_00]
    assert (other["payouts"], other["retained_cents"]) == ([], 0)
    refused = month.run("statement", "--member", A.ncpdp_id, *NOVEMBER, "--payer", "1000000009", code=2)
    assert "is no payer that remits" in refused.err


def test_payouts_tie_to_the_bank_entry_and_to_the_835(month: Office) -> None:
    """Each payout of a statement is one entry of the NACHA file: trace, amount, last four, whose; and BPR02 of its 835.

    A is paid 750.00, B 100.00: the file's total is 850.00, what both statements say was paid.
    """
    (path,) = month.out.glob("*.ach")
    with path.open("rb") as stream:
        (file,) = read_nacha(stream, path.name).accepted_files()
    entries = {entry.trace_number: entry for batch in file.batches for entry in batch.entries}
    paid = 0
    for store in (A, B):
        made = month.ask("statement", "--member", store.ncpdp_id, *NOVEMBER)
        (payout,) = made["payouts"]
        entry = entries.pop(payout["trace_number"])
        assert entry.amount_cents == payout["amount_cents"]
        assert entry.account_number.strip()[-4:] == payout["account_last_four"] == store.account_number[-4:]
        assert entry.identification.strip() == store.ncpdp_id
        (child,) = (month.out / "835").glob(f"*{store.ncpdp_id}*.835")
        said = child.read_text(encoding="latin-1")
        bpr02 = [cents_from_text(each.split("*")[2]) for each in said.split("~") if each.strip().startswith("BPR")]
        assert sum(bpr02) == payout["amount_cents"]
        assert f"TRN*1*{payout['remittance_trace']}*" in said
        paid += payout["amount_cents"]
    assert (entries, paid) == ({}, 850_00)


@pytest.mark.parametrize("form", FORMS)
def test_a_statement_in_every_form(month: Office, form: str) -> None:
    """CSV, JSON, XLSX and PDF say 30.00 at the end, are for their owner's eyes, and are given again byte by byte."""
    path = month.folder / f"s.{form}"
    month.run("statement", "--member", A.ncpdp_id, *NOVEMBER, "--format", form, "--out", str(path))
    assert path.stat().st_mode & 0o077 == 0
    assert _closing(path) == 30_00
    (issued,) = month.ask("statements", "list", "--member", A.ncpdp_id)["statements"]
    assert (issued["form"], issued["closing_cents"], issued["version"]) == (form, 30_00, None)
    month.remit(remittance("M3", WEDNESDAY, Part(A, (1_00,))))
    again = month.folder / "again"
    month.run("statements", "again", str(issued["statement_id"]), "--out", str(again))
    assert again.read_bytes() == path.read_bytes()


def _closing(path: Path) -> int:
    """Read what a file says is owed at the end, in cents."""
    content = path.read_bytes()
    match path.suffix:
        case ".csv":
            *_, closing, known = csv.DictReader(io.StringIO(content.decode()))
            assert known["entry"].startswith("as known at checkpoint ")
            return cents_from_text(closing["balance"])
        case ".json":
            return int(json.loads(content)["closing_cents"])
        case ".xlsx":
            (cell,) = [
                row[1] for row in load_workbook(path)["Summary"].values if row[0] == "of which awaits payers' money"
            ]
            return cents_from_text(f"{cell}")
        case _:
            said = "".join(page.extract_text() for page in PdfReader(path).pages)
            assert "30.00" in said
            return 30_00


def test_a_month_is_issued_to_everybody_once(month: Office) -> None:
    """Three files at the month's end. 1.00 comes later: issued again they are the same; anew, A's says 31.00."""
    folder = month.folder / "issued"
    words = ("statements", "issue", *NOVEMBER, "--out", str(folder))
    first = month.ask(*words)
    assert (first["members"], first["version"]) == (3, 1)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(kept) == {f"{store.ncpdp_id}.json" for store in (A, B, C)}
    assert json.loads(kept[f"{A.ncpdp_id}.json"])["closing_cents"] == 30_00
    month.remit(remittance("M3", WEDNESDAY, Part(A, (1_00,))))
    assert month.ask(*words) == first
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    assert month.ask(*words, "--anew")["version"] == 2
    assert json.loads((folder / f"{A.ncpdp_id}.json").read_bytes())["closing_cents"] == 31_00
    listed = month.ask("statements", "list", "--member", A.ncpdp_id)["statements"]
    assert [(each["version"], each["closing_cents"]) for each in listed] == [(1, 30_00), (2, 31_00)]


def test_the_year_of_everybody_ties_to_the_trial_balance(month: Office) -> None:
    """Claims 1,330.00, payers took 50.00, fees 400.00, paid 850.00: 30.00 owed, as the trial balance has it."""
    path = month.folder / "year.csv"
    totals = month.ask("statements", "year", "--year", "2026", "--out", str(path))
    assert {name: cents for name, cents in totals.items() if name.endswith("_cents") and cents} == {
        "claims_cents": 1_330_00,
        "payer_taken_cents": -50_00,
        "fee_cents": -400_00,
        "paid_cents": -850_00,
        "closing_cents": 30_00,
        "awaiting_payer_cents": 30_00,
    }
    balances = month.trial_balance("--as-of", "2026-12-31")
    assert -sum(cents for (_, _, account), cents in balances.items() if account == "due_unfunded") == 30_00
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert [row["ncpdp_id"] for row in rows] == [*sorted(store.ncpdp_id for store in (A, B, C)), "total"]
    shown = month.run("statement", "--member", A.ncpdp_id, "--year", "2026").out
    assert "750.00" in shown
    assert "Kept by us: 200.00" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("statement", "--member", A.ncpdp_id), "--from and --to, or --year"),
        (("statement", "--member", A.ncpdp_id, "--year", "2026", "--from", "2026-11-01"), "or --year alone"),
        (("statement", "--member", A.ncpdp_id, *NOVEMBER, "--format", "xlsx"), "say --out FILE"),
        (("statement", "--member", A.ncpdp_id, "--from", "2026-11-30", "--to", "2026-11-01"), "before it begins"),
        (("statements", "again", "99", "--out", "none.csv"), "No statement 99"),
        (("statements", "issue", "--from", "2001-01-01", "--to", "2001-01-31", "--out", "none"), "nothing to say"),
        (("statements", "year", "--year", "2026", "--out", "/dev/null/year.csv"), "/dev/null"),
        (("statement", "--member", A.ncpdp_id, *NOVEMBER, "--out", "/dev/null/s.json"), "/dev/null"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_what_is_wrong_is_said_in_a_sentence(
    office: Office, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong use ends with 2 and a sentence, and issues nothing."""
    monkeypatch.chdir(office.folder)
    assert said in office.run(*words, code=2).err.replace("\n", " ")
    assert office.ask("statements", "list", "--member", A.ncpdp_id)["statements"] == []


def test_who_issues_for_everybody_is_an_operator(month: Office) -> None:
    """A stranger is refused by a rule; an operator may."""
    words = ("statements", "issue", *NOVEMBER, "--out", str(month.folder / "x"), "--format", "csv")
    month.run(*words, user="stranger", code=5)
    assert not (month.folder / "x").exists()
    month.run(*words, user=CLERK)


def test_a_file_is_given_out_by_an_operator(month: Office) -> None:
    """Anybody on the machine may look; a file is issued, so a stranger gets none, nor does an auditor, who reads."""
    look, path = ("statement", "--member", A.ncpdp_id, *NOVEMBER), month.folder / "a.json"
    month.run(*look, user="stranger")
    assert "stranger is not a user" in month.run(*look, "--out", str(path), user="stranger", code=5).err
    refused = month.run(*look, "--out", str(path), user=AUDITOR, code=5).err
    assert "audrey is auditor" in refused
    assert not path.exists()
    month.run(*look, "--out", str(path), user=CLERK)
    month.run(*look, user=AUDITOR)
    month.run("statements", "again", "1", "--out", str(month.folder / "again.json"), user=AUDITOR)
    assert (month.folder / "again.json").read_bytes() == path.read_bytes()


def test_a_month_that_is_not_over_is_said_to_be_so(month: Office) -> None:
    """What is issued keeps its bytes: of a range that ends today or later there is a warning; of one before, none."""
    folder = str(month.folder / "early")
    said = month.run("statements", "issue", "--from", "2098-12-01", "--to", "2098-12-31", "--out", folder).err
    assert "2098-12-31 is not over" in said
    over = month.run("statements", "issue", "--from", "2026-10-01", "--to", "2026-11-03", "--out", folder).err
    assert over == ""
