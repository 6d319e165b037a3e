"""Papers through the commands: a cycle's notices as an owner gets them, again when asked, and without them."""

import csv
import re
from datetime import date
from pathlib import Path

from pypdf import PdfReader

from tests.support.office import AUDITOR, Office
from tests.support.told import told_sets
from tests.support.trade import A, B, Part, remittance

THIRD, FOURTH = date(2026, 11, 3), date(2026, 11, 4)


def _approved(office: Office) -> int:
    """Remit A 10,000.00 and B 2,700.00 less 200.00 that the payer takes; assess 200.00 of fee each; approve."""
    office.fund(remittance("TRN1002", THIRD, Part(A, (6_000_00, 4_000_00)), Part(B, (2_700_00,), (("WO", 200_00),))))
    office.ask("fees", "assess", "--month", "2026-11")
    return office.approved(FOURTH)


def _text(path: Path) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(path).pages))


def test_a_release_leaves_a_notice_of_each_payment(office: Office) -> None:
    """A is paid 9,800.00 and B 2,300.00; the notices say it, the 835s say it, and the list sums to 12,100.00."""
    released = office.release(_approved(office))
    folder = office.out / "notices"
    assert released["notices"] == {"count": 2, "folder": str(folder)}
    a, b = (_text(folder / f"{store.ncpdp_id}-2026-11-04-cycle-1.pdf") for store in (A, B))
    assert f"$9,800.00 to your account ending in {A.account_number[-4:]}; your bank should have it on Thursday" in a
    assert "HARROWGATE BENEFIT MANAGEMENT TRN1002 Nov 3, 2026 2 10,000.00" in a
    assert "Our flat fee for November 2026 \u2212200.00" in a
    assert "$2,300.00 to your account ending in" in b
    assert "Taken by payer HARROWGATE BENEFIT MANAGEMENT, not by us: overpayment recovered (WO)" in b
    told = told_sets(office.out / "835", 1)
    paid = {name: sum(each.payment_cents for each in sets) for name, sets in told.items()}
    assert paid == {A.ncpdp_id: 9_800_00, B.ncpdp_id: 2_300_00}
    with (folder / "payouts-cycle-1.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert sum(round(float(row["amount"]) * 100) for row in rows) == released["total_cents"] == 12_100_00
    assert [row["payers' adjustments"] for row in rows] == ["0.00", "-200.00"]
    office.prove()


def test_the_notices_are_made_again_byte_for_byte(office: Office) -> None:
    """``cycle papers`` leaves what the release left, in another folder, however often; only operators may."""
    cycle_id = str(_approved(office))
    refused = office.run("cycle", "papers", cycle_id, "--out", str(office.folder / "early"), code=5)
    assert "notices are made by its release" in refused.err
    office.release(int(cycle_id))
    before = {path.name: path.read_bytes() for path in (office.out / "notices").iterdir()}
    again = office.folder / "again"
    left = office.ask("cycle", "papers", cycle_id, "--out", str(again))
    assert left == {"cycle_id": 1, "count": 2, "folder": str(again / "notices")}
    assert {path.name: path.read_bytes() for path in (again / "notices").iterdir()} == before
    office.run("cycle", "papers", cycle_id, "--out", str(again), user=AUDITOR, code=5)
    blocked = office.folder / "a file"
    blocked.touch()
    told = office.run("cycle", "papers", cycle_id, "--out", str(blocked / "papers"), code=2)
    assert "Cycle 1 is released and what it sends is kept, but" in told.err
    office.run("cycle", "papers", "99", "--out", str(again), code=2)


def test_without_papers_nothing_is_printed(office: Office) -> None:
    """``--no-papers`` leaves all but the notices; they can be had later, and the screen says where."""
    cycle_id = str(_approved(office))
    released = office.ask("cycle", "release", cycle_id, "--out", str(office.out), "--no-papers")
    assert released["notices"] == {"count": 2, "folder": None}
    assert not (office.out / "notices").exists()
    said = office.run("cycle", "release", cycle_id, "--out", str(office.out)).out
    assert f"Notices of the payments and their list: {office.out / 'notices'}" in said
    assert len(list((office.out / "notices").glob("*.pdf"))) == 2


def test_invoices_are_left_as_papers(office: Office) -> None:
    """B was never paid: October and November are asked for, 400.00; issued and listed later it is the same paper."""
    for month in ("2026-10", "2026-11"):
        office.ask("fees", "assess", "--month", month)
    early, late = office.folder / "invoices", office.folder / "again"
    asked = office.ask("fees", "invoices", "--as-of", "2027-01-15", "--older-than", "45", "--out", str(early))
    (mine,) = (each["invoice"] for each in asked["unpaid"] if each["ncpdp_id"] == B.ncpdp_id)
    assert mine["total_cents"] == 400_00
    (path,) = early.glob(f"invoice-{mine['invoice_number']:06d}-{B.ncpdp_id}.pdf")
    said = _text(path)
    assert f"Invoice number {mine['invoice_number']}" in said
    assert "$400.00 please pay by" in said
    assert "Flat fee for October 2026 200.00" in said
    assert path.stat().st_mode & 0o777 == 0o600
    office.ask("fees", "invoiced", "--member", B.ncpdp_id, "--out", str(late))
    assert (late / path.name).read_bytes() == path.read_bytes()
    (office.folder / "taken").write_text("")
    refused = office.run("fees", "invoiced", "--out", str(office.folder / "taken"), code=2)
    assert "can not be written" in refused.err
