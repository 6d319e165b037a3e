"""Pass-through certificates as the finance team issues them and a pharmacy or an auditor checks them."""

import json
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

import ledger.export
from tests.support.bank import paid_out
from tests.support.lives import kept
from tests.support.office import AUDITOR, CHECKER, Office
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
MONTH = ("--month", "2026-11")
VERIFIER = Path(ledger.export.__file__).parent / "verifier" / "verify.py"


@pytest.fixture
@kept
def month(office: Office) -> Office:
    """Give an office after a month: own money 500.00; A claimed 1,000.00 less 50.00, B 300.00; 200.00 fee each.

    Both were paid, 750.00 and 100.00; C had nothing, its fee is open; OTHER_PAYER owes A 30.00.
    """
    office.put_in("OWN1", 500_00, MONDAY)
    office.fund(remittance("M1", MONDAY, Part(A, (600_00, 400_00), (("WO", 50_00),)), Part(B, (300_00,))))
    office.ask("fees", "assess", "--month", "2026-11")
    office.pay(TUESDAY)
    office.book(WEDNESDAY, paid_out("OUT1", 850_00))
    office.match()
    office.remit(remittance("M2", WEDNESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))
    return office


def _certificate(office: Office, out: Path, *words: str, code: int = 0) -> dict[str, Any]:
    return office.ask("certificate", "--member", A.ncpdp_id, *MONTH, "--out", str(out), *words, code=code)


def test_a_member_is_certified(month: Office) -> None:
    """Before: nothing owed. Claimed 1,030.00, PAYER took 50.00, paid 750.00, our fee 200.00. After: 30.00 awaited.

    Of it we kept 200.00, on a page that says so, and the file proves itself to the verifier of any export.
    """
    out = month.folder / "a.pdf"
    told = _certificate(month, out, "--format", "pdf")
    assert (told["version"], told["retained_cents"], told["closing_cents"]) == (1, 200_00, 30_00)
    envelope = json.loads(out.with_suffix(".json").read_text())
    figures = envelope["certificate"]["figures"]
    assert {part: cents for part, cents in figures["changes_cents"].items() if cents} == {
        "claims": 1_030_00,
        "taken_by_payers": -50_00,
        "payouts": -750_00,
        "flat_fee": -200_00,
    }
    reader = PdfReader(out)
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert len(reader.pages) == 1
    for said in (
        "it kept $200.00: the flat fee and nothing else",
        f"Taken by payer {PAYER.name}, not by us: overpayment recovered (WO)",
        "November 2026: the contract asks $200.00, collected $200.00",
        told["body_sha256"],
        f"{told['leaf_index']} of checkpoint {told['sealed_size']}",
    ):
        assert said in text, said
    assert {stat.S_IMODE(path.stat().st_mode) for path in (out, out.with_suffix(".json"))} == {0o600}
    program = month.folder / "verify.py"
    program.write_bytes(VERIFIER.read_bytes())
    words = [sys.executable, str(program), "--proof", str(out.with_suffix(".json"))]
    words += ["--vkey", envelope["proof"]["vkey"]]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_it_is_shown_before_it_is_issued(month: Office) -> None:
    """On the screen, as of now or as known at a checkpoint, nothing is issued; the auditor may look, not issue all."""
    shown = month.run("certificate", "--member", A.ncpdp_id, *MONTH, user=AUDITOR).out
    assert "Kept by us: 200.00, the flat fee and nothing else" in shown
    size = month.ask("ledger", "seal")["checkpoint"]["size"]
    month.remit(remittance("M3", WEDNESDAY, Part(A, (1_00,)), payer=OTHER_PAYER))
    words = ("certificate", "--member", A.ncpdp_id, *MONTH)
    assert month.ask(*words)["figures"]["closing_cents"] == 31_00
    assert month.ask(*words, "--known-at", str(size))["figures"]["closing_cents"] == 30_00
    assert month.ask("certificates", "list", "--member", A.ncpdp_id)["certificates"] == []
    folder = str(month.folder / "all")
    month.run("certificates", "issue", *MONTH, "--out", folder, user=AUDITOR, code=5)
    month.run("certificates", "population", *MONTH, "--out", folder, user=AUDITOR, code=5)
    month.run(*words, "--known-at", "1", code=2)


def test_the_population_ties(month: Office) -> None:
    """The bank: 0.00, in 1,750.00 (500.00 our own), out 850.00, 900.00 left. Of it members' 0.00, our own 900.00.

    Our own: 0.00 + 500.00 put in + 400.00 of flat fees = 900.00. The 835s pay 1,280.00; 30.00 are awaited.
    """
    out = month.folder / "all.pdf"
    month.ask("certificates", "population", *MONTH, "--format", "pdf", "--out", str(out))
    figures = json.loads(out.with_suffix(".json").read_text())["certificate"]["figures"]
    bank = figures["bank"]
    assert (bank["in_cents"], bank["out_cents"], bank["closing_cents"]) == (1_750_00, 850_00, 900_00)
    assert figures["own_cents"]["flat_fee"] == figures["retained_cents"] == 400_00
    assert sum(each["payment_cents"] for each in figures["remitted"]) == 1_280_00
    assert figures["held_for_cents"]["members"]["closing_cents"] == 0
    shown = month.run("certificates", "population", *MONTH).out
    assert "Kept by us: 400.00" in shown
    (listed,) = month.ask("certificates", "list")["certificates"]
    assert (listed["member_id"], listed["retained_cents"]) == (None, 400_00)


def test_everybody_gets_one(month: Office) -> None:
    """Three files, 400.00 kept in all; again the same bytes; a change supersedes by --anew alone, and only its own."""
    folder = month.folder / "all"
    words = ("certificates", "issue", *MONTH, "--out", str(folder))
    told = month.ask(*words)
    assert (told["certificates"], told["issued"], told["retained_cents"]) == (3, 3, 400_00)
    names = {f"{store.ncpdp_id}-2026-11.json" for store in (A, B, C)}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == names
    why = ("--amount", "20.00", "--reason", "late", "--date", f"{WEDNESDAY}")
    asked = month.ask("fees", "refund", A.ncpdp_id, *MONTH, *why)
    month.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    assert month.ask(*words)["issued"] == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    told = month.ask(*words, "--anew", "--format", "pdf")
    assert (told["issued"], told["retained_cents"]) == (1, 380_00)
    assert {path.name for path in folder.iterdir()} == names | {name.replace(".json", ".pdf") for name in names}
    first, second = month.ask("certificates", "list", "--member", A.ncpdp_id)["certificates"]
    assert (second["version"], second["supersedes"], first["superseded_by"]) == (2, first["certificate_id"], 4)
    again = month.folder / "again.json"
    month.run("certificates", "again", str(first["certificate_id"]), "--out", str(again))
    assert again.read_bytes() == before[f"{A.ncpdp_id}-2026-11.json"]


def test_it_is_checked(month: Office) -> None:
    """By number and by file it holds, also after more was posted; a changed file does not (4), none is 3 or 2."""
    out = month.folder / "a.json"
    number = str(_certificate(month, out)["certificate_id"])
    month.remit(remittance("M3", WEDNESDAY, Part(A, (1_00,)), payer=OTHER_PAYER))
    for what in (number, str(out)):
        assert month.ask("certificates", "check", what)["holds"]
    envelope = json.loads(out.read_text())
    envelope["certificate"]["figures"]["retained_cents"] = 0
    out.write_text(json.dumps(envelope))
    found = month.ask("certificates", "check", str(out), code=4)
    broken = {each["what"] for each in found["checks"] if not each["holds"]}
    assert {"its text is the one that was sealed", "what was kept is the flat fee"} < broken
    assert "FAILS" in month.run("certificates", "check", str(out), code=4).out
    out.write_text("no certificate")
    assert "expected a certificate" in month.run("certificates", "check", str(out), code=3).err
    month.run("certificates", "check", str(month.folder / "none"), code=2)
    month.run("certificates", "check", "99", code=2)
    month.run("certificates", "again", "99", "--out", str(out), code=2)


def test_months_are_asked_for_in_one_way(month: Office) -> None:
    """--month alone, or --from and --to; backwards, half or both is wrong use and issues nothing."""
    member = ("certificate", "--member", A.ncpdp_id)
    for words in (
        (),
        ("--from", "2026-11"),
        (*MONTH, "--from", "2026-11", "--to", "2026-11"),
        ("--from", "2026-12", "--to", "2026-11"),
        ("--month", "November"),
    ):
        month.run(*member, *words, code=2)
    both = month.ask(*member, "--from", "2026-10", "--to", "2026-11")
    assert (both["from"], both["to"], both["figures"]["retained_cents"]) == ("2026-10-01", "2026-11-30", 200_00)
