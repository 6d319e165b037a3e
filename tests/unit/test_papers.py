"""Papers: the same bytes for the same facts, tagged, whole on every page, and nothing of the facts is markup."""

import csv
import hashlib
import os
import re
import subprocess
import sys
import zlib
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pypdf import PdfReader
from pypdf.generic import IndirectObject

import migrations
from payouts.children.model import Office
from payouts.papers.invoice import invoice_pdf
from payouts.papers.notice import PayoutNotice, notice_item, notice_pdf
from payouts.papers.own_words import own_words
from payouts.papers.press import set_png
from payouts.papers.sender import Sender, sender_of
from payouts.papers.statement import statement_data, statement_pdf
from payouts.statements.model import Statement
from tests.support.paper_examples import (
    DBA,
    FOLDER,
    HARROWGATE,
    LEGAL,
    LONG,
    SENDER,
    advice,
    combined,
    examples,
    invoice,
    movement,
    notice,
    per_payer,
    recent,
    statement_of,
    taken,
)

ROOT = Path(__file__).parents[2]
MINUS = "\u2212"


def pages(pdf: bytes) -> list[str]:
    """Give the text of each page, blanks and folds made one blank."""
    return [re.sub(r"[\s\u200b]+", " ", page.extract_text()) for page in PdfReader(BytesIO(pdf)).pages]


def _root(reader: PdfReader) -> Any:  # noqa: ANN401 (what a PDF holds)
    return reader.trailer["/Root"]


def tags(pdf: bytes) -> list[str]:
    """Give the types of all structure elements of a document in their order."""
    found: list[str] = []

    def walk(node: Any) -> None:  # noqa: ANN401 (what a PDF holds)
        each = node.get_object() if isinstance(node, IndirectObject) else node
        if isinstance(each, list):
            for inner in each:
                walk(inner)
        elif isinstance(each, dict):
            if "/S" in each:
                found.append(str(each["/S"]))
            if ("/K" in each and "/S" in each) or each.get("/Type") == "/StructTreeRoot":
                walk(each["/K"])

    walk(_root(PdfReader(BytesIO(pdf)))["/StructTreeRoot"])
    return found


PAPERS = {
    "statement": lambda: statement_pdf(combined(), SENDER),
    "statement of one payer": lambda: statement_pdf(per_payer(), SENDER),
    "notice": lambda: notice_pdf(notice(), SENDER),
    "invoice": lambda: invoice_pdf(invoice(), SENDER),
}


@pytest.fixture(scope="module")
def made() -> dict[str, bytes]:
    """Give the examples as this version makes them."""
    return examples()


def test_the_examples_are_what_this_version_prints(made: dict[str, bytes]) -> None:
    """Every PDF in docs/examples is, byte for byte, what its invented facts give now; nothing else lies there.

    The pictures are for looking: another processor may round the edge of a letter in another way.
    """
    kept = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    described = kept.pop("README.md").decode()
    assert set(kept) == set(made)
    assert [name for name in made if name.endswith(".pdf") and kept[name] != made[name]] == []
    for name in (name for name in made if name.endswith(".png")):
        assert kept[name][:33] == made[name][:33], f"{name} is of another size"
        assert abs(len(kept[name]) - len(made[name])) < len(made[name]) // 50, f"{name} shows something else"
    assert [name for name in made if name.endswith(".pdf") and f"({name})" not in described] == []


def test_another_process_gives_the_same_bytes(made: dict[str, bytes], tmp_path: Path) -> None:
    """Neither the clock, its zone, the language, the machine's fonts, the process nor the order of work is in one."""
    code = (
        "import hashlib; from tests.support.paper_examples import examples\n"
        "print(*(hashlib.sha256(each).hexdigest() for _, each in sorted(examples().items())))"
    )
    place = {"TZ": "Asia/Tokyo", "LC_ALL": "de_DE.UTF-8", "SOURCE_DATE_EPOCH": "1", "TYPST_FONT_PATHS": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | place, capture_output=True, check=True
    ).stdout.decode()
    assert said.split() == [hashlib.sha256(each).hexdigest() for _, each in sorted(made.items())]


@pytest.mark.parametrize("name", PAPERS)
def test_papers_are_tagged(name: str) -> None:
    """Title, language, structure, table headers, a document date from the facts: PDF/UA-1 (ISO 14289-1)."""
    pdf = PAPERS[name]()
    reader = PdfReader(BytesIO(pdf))
    root = _root(reader)
    assert root["/MarkInfo"]["/Marked"] == True  # noqa: E712 (pypdf's own value)
    assert root["/Lang"] == "en-US"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"] == True  # noqa: E712
    assert reader.metadata is not None
    assert reader.metadata.title
    assert reader.metadata.author == SENDER.name
    assert reader.metadata.creation_date is not None
    assert f"{reader.metadata.creation_date:%Y-%m}" == "2026-11"
    found = tags(pdf)
    assert found.count("/H1") == 1
    assert {"/Table", "/TH", "/TD", "/TR"} <= set(found)
    assert ("/Figure" in found) is name.startswith("statement")
    assert re.search(rb"pdfuaid:part>1<", root["/Metadata"].get_object().get_data())
    assert reader.pages[0].mediabox[2:] == [612, 792]


def test_the_chart_says_what_it_shows() -> None:
    """Who can not see the bars hears each payment with its day and amount, and which of them came back."""
    data = statement_data(combined(), SENDER)
    assert data["chart"]["alt"].startswith("Bar chart. Your last 12 payments, in dollars: Aug 26, 2026 $14,220.10; ")
    assert "Oct 7, 2026 $18,115.25, returned" in data["chart"]["alt"]
    assert data["chart"]["alt"].endswith("Nov 4, 2026 $23,556.39; Nov 13, 2026 $16,728.28.")
    assert [bar["height"] for bar in data["chart"]["bars"]][-2:] == [1000, 1_672_828 * 1000 // 2_355_639]


def test_a_statement_tells_an_owner_at_a_glance() -> None:
    """What came in, what payers took, our fee, what was paid and what is owed stand on top and come to the balance."""
    first, *_ = pages(statement_pdf(combined(), SENDER))
    for said in (
        "Payers advised $49,701.01 588 claims",
        f"Taken by payers, not by us {MINUS}$1,305.70",
        f"Our flat fee {MINUS}$200.00 all that we kept",
        "Paid to you $40,284.67 2 payments",
        "Owed to you on Nov 30, 2026",
        "$8,210.64 awaiting payers' money. It was $300.00 when Nov 1, 2026 began.",
        "091000010000001",
        "ends in 0101",
    ):
        assert said in first, said
    assert 300_00 + 49_701_01 - 1_305_70 - 200_00 - 40_284_67 == 8_210_64
    whole = " ".join(pages(statement_pdf(combined(), SENDER)))
    assert "Taken by payer Tallgrass Pharmacy Benefits, not by us: overpayment recovered (WO)" in whole
    assert "Us: the flat fee" in whole
    assert "Of your money we kept in this period $200.00: our flat fee and nothing else." in whole
    assert "Call Prairie Pharmacy Services at (217) 555-0142" in whole


def test_a_statement_of_one_payer_says_what_is_still_to_come() -> None:
    """Its figures are the payer's alone; payments stay whole, and it says so."""
    first, *_ = pages(statement_pdf(per_payer(), SENDER))
    assert "The payer advised $43,556.16 515 claims" in first
    assert "Money that arrived $35,345.52" in first
    assert "This payer still has to send you, on Nov 30, 2026" in first
    assert "Payments are made from your one balance, of which this payer's advices are a part." in first
    assert "our flat fee" not in first


def _long() -> Statement:
    rows = tuple(
        advice(
            (HARROWGATE, LONG)[number % 2],
            date(2026, 11, 1 + number % 28),
            f"{number:050d}",
            (1000 + number, 9_999_999_999_00 // 200),
            *((taken(LONG, -(10**9 + number), "WO", "overpayment recovered", "R" * 50),) if number % 5 == 0 else ()),
        )
        for number in range(200)
    )
    return statement_of(rows, shown=recent([(date(2026, 11, 2 + number), 10**10 - number) for number in range(12)]))


def test_a_long_statement_has_its_headers_on_every_page() -> None:
    """200 advices: each page says whose it is, which of how many, and what its columns are; not one row is lost."""
    found = pages(statement_pdf(_long(), SENDER))
    assert len(found) > 5
    for number, page in enumerate(found, 1):
        assert f"{number} of {len(found)}" in page
        assert f"{LEGAL}, NCPDP 1400101" in page
        assert SENDER.name in page
    advised = [page for page in found if "Claims\u2019 amount" in page]
    assert len(advised) >= len(found) - 1
    whole = " ".join(found).replace(" ", "")
    assert [number for number in range(200) if f"{number:050d}" not in whole] == []


def _ink_beyond_margins(pdf_data: dict[str, Any]) -> list[int]:
    """Give the pages on which something is printed in the right margin: 0.8 inch, of which half must be white."""
    wide, spoiled = 850, []
    for number, png in enumerate(set_png("statement", pdf_data, pixels_per_inch=100), 1):
        rows = _pixels(png)
        assert len(rows[0]) == wide
        if any(pixel != 255 for row in rows for pixel in row[wide - 70 :]):
            spoiled.append(number)
    return spoiled


def _pixels(png: bytes) -> list[list[int]]:
    """Read a picture of eight-bit colours: the red of each pixel. PNG (ISO/IEC 15948), without interlacing."""
    width, height = int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")
    assert png[24:29] == b"\x08\x06\x00\x00\x00"
    place, packed = 8, b""
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        packed += png[place + 8 : place + 8 + length] if kind == b"IDAT" else b""
        place += length + 12
    raw, stride, before, rows = zlib.decompress(packed), 4 * width, bytearray(4 * width), []
    for number in range(height):
        line = bytearray(raw[number * (stride + 1) + 1 : (number + 1) * (stride + 1)])
        _unfilter(raw[number * (stride + 1)], line, before)
        rows.append(list(line[::4]))
        before = line
    return rows


def _unfilter(kind: int, line: bytearray, before: bytearray) -> None:
    for place in range(len(line) if kind else 0):
        left = line[place - 4] if place >= 4 else 0
        up, corner = before[place], before[place - 4] if place >= 4 else 0
        if kind == 4:
            guess = left + up - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
            add = nearest[2]
        else:
            add = (0, left, up, (left + up) // 2)[kind]
        line[place] = (line[place] + add) & 255


def test_nothing_runs_over_the_edge() -> None:
    """Numbers of 50 characters, long names and the largest amounts stay between the margins."""
    rows = tuple(_long().advices[:6])
    made = statement_of(rows, shown=_long().recent_payouts).model_copy(update={"legal_name": "W" * 70})
    assert _ink_beyond_margins(statement_data(made, SENDER)) == []


def test_a_long_name_leaves_the_sender_its_head() -> None:
    """Whatever the pharmacy is called, the sender's name and address stay on one line each, on the page."""
    name = "The Very Long Named Independent Pharmacy Of Northeastern Wherever Limited Liability Company"
    data = statement_data(combined().model_copy(update={"legal_name": name}), SENDER)
    usual = _pixels(set_png("statement", statement_data(combined(), SENDER), pixels_per_inch=40)[0])
    long = _pixels(set_png("statement", data, pixels_per_inch=40)[0])
    # The left half above the rule, in which the sender stands.
    assert [row[:170] for row in long[:40]] == [row[:170] for row in usual[:40]]


def test_a_bar_of_billions_is_labelled_in_millions() -> None:
    """A label is never wider than its bar's place."""
    payments = recent([(date(2026, 11, 2), 999_999_999_99), (date(2026, 11, 3), 999_999_999_999_99)])
    bars = statement_data(statement_of((), shown=payments), SENDER)["chart"]["bars"]
    assert [bar["amount"] for bar in bars] == ["1,000 M", "1,000,000 M"]


def test_a_month_of_nothing_is_a_page() -> None:
    """Without advices, payments and other changes a statement says so, and has no chart."""
    (page,) = pages(statement_pdf(statement_of((), opening=0), SENDER))
    assert "Nothing was advised in this period." in page
    assert "Nothing was paid in this period." in page
    assert "Your last" not in page
    assert "Of your money we kept in this period nothing." in page


def test_a_negative_balance_is_plain() -> None:
    """Who owes reads that it owes, without having to see a sign."""
    made = statement_of((advice(HARROWGATE, date(2026, 11, 3), "T1", (1, -3_100_00)),), opening=0)
    first, *_ = pages(statement_pdf(made, SENDER))
    assert "You owe on Nov 30, 2026" in first
    assert "Of this: $3,100.00 you owe from before." in first
    assert f"Payers advised {MINUS}$3,100.00" in first


def test_what_is_held_and_levied_is_said() -> None:
    """A levy names who took it; what is held stands apart from what is available."""
    levy = movement(date(2026, 11, 9), "levied", "levy under a legal order: case 12", -250_00, "a legal order")
    made = statement_of((advice(HARROWGATE, date(2026, 11, 3), "T1", (1, 900_00)),), (levy,), held=400_00)
    whole = " ".join(pages(statement_pdf(made, SENDER)))
    assert "$550.00 available, $400.00 held for you" in whole
    assert f"Levy under a legal order: case 12 A legal order {MINUS}250.00" in whole


def test_a_notice_says_what_is_inside() -> None:
    """Each advice, what its payer took or gave by name, the month of fee, what was brought forward, and the sum."""
    (page,) = pages(notice_pdf(notice(), SENDER))
    for said in (
        "$23,556.39 to your account ending in 0101; your bank should have it on Thursday, November 5, 2026.",
        "Trace number at the bank 091000010000001",
        "Harrowgate Benefit Management HBM20261102001 Nov 2, 2026 214 18,440.12",
        "Taken by payer Tallgrass Pharmacy Benefits, not by us: overpayment recovered (WO) AUD-2026-0117",
        f"AUD-2026-0117 {MINUS}200.00",
        "Given by payer Tallgrass Pharmacy Benefits, not by us: interest (L6) INT-10 12.50",
        f"Our flat fee for November 2026 {MINUS}200.00",
        "Brought forward: owed to you from before 300.00",
        "Paid to you $23,556.39",
        "Of this payment we kept our flat fee of $200.00 and nothing else. The 275 claims stand in your remittance",
    ):
        assert said in page, said


def test_a_notice_that_does_not_foot_can_not_be_made() -> None:
    """A cent more inside than was paid, or an advice that is not its claims less what was taken: no notice."""
    facts = notice().model_dump()
    with pytest.raises(ValidationError, match="2355639 cents are inside a payment of 2355640"):
        PayoutNotice.model_validate(facts | {"amount_cents": 23_556_40})
    facts["advices"][0]["claims_cents"] += 1
    with pytest.raises(ValidationError, match="advice HBM20261102001 of the notice does not foot"):
        PayoutNotice.model_validate(facts)


@pytest.mark.parametrize(
    "name",
    [
        '#set page(width: 1pt) $x^2$ *bold* _it_ `raw` "quoted"',
        "back\\slash \\u{41} // /* <label> @ref",
        "Ñandú & Söhne, Łódź",
    ],
)
def test_names_are_no_markup(name: str) -> None:
    """What people and payers are called stands on paper as it is, whatever typst or JSON make of such marks."""
    (page,) = pages(notice_pdf(notice().model_copy(update={"dba_name": name}), SENDER))
    assert name in page
    assert DBA not in page


def test_a_name_that_the_font_does_not_have_is_no_reason_for_no_paper() -> None:
    """What can not be shown becomes question marks; everything else of the name stays."""
    name = "Corner \u85ac\u5c40 Drug \u00f1\u0007\u202e\U0001f48a"
    (page,) = pages(notice_pdf(notice().model_copy(update={"dba_name": name}), SENDER))
    assert "Corner ?? Drug \u00f1???" in page


def test_own_items_are_called_by_name_and_by_who_has_it() -> None:
    """A fee names its month; a hold stays the member's; what nobody foresaw is called what it is."""
    assert notice_item("PSAO-FEE-2026-02", 200_00).model_dump() == {
        "reference": "PSAO-FEE-2026-02",
        "label": "Our flat fee for February 2026",
        "amount_cents": -200_00,
    }
    assert own_words("PSAO-HELD", -1) == "Put on hold for you: it stays yours"
    assert own_words("PSAO-LEVIED", -1) == "Taken under a legal order for a third party, not by us"
    assert own_words("PSAO-FEE-REFUNDED", 1) == "Our flat fee, refunded"
    assert own_words("PSAO-SOMETHING-NEW", 1) == "Something new"


_TOLD_OTHERWISE = {"funded", "fee_collected", "payout_released"}
"""By the claims, by the month of the fee, and by the payment itself."""


def _own_events() -> list[str]:
    rules = Path(migrations.__file__).parent / "sql" / "2026_11_22_0001_foundation" / "posting_rules.csv"
    with rules.open(newline="") as stream:
        rows = [row for row in csv.reader(stream) if row[2:4] == ["member", "due_available"]]
    return sorted({row[0] for row in rows} - _TOLD_OTHERWISE)


@pytest.mark.parametrize("event", _own_events())
def test_each_own_item_has_words_for_both_ways(event: str) -> None:
    """Whatever may change what is available, and its reversal, is told in words; a deduction says whose it is."""
    reference = f"PSAO-{event.upper().replace('_', '-')}"
    machine = event.replace("_", " ").capitalize()
    for cents in (-1, 1):
        assert own_words(reference, cents) != machine
    taken_words = own_words(reference, -1)
    assert re.search(r"\b(us|we|you|yours|payer|bank|pharmacy|pharmacies|legal order)\b", taken_words), taken_words


def test_the_sender_is_who_the_settings_say() -> None:
    """With an office there are an address and a telephone number to call; without one only the name."""
    office = Office(street="1 Way", city="Fargo", state="ND", postal_code="581021234", telephone="7015550100")
    assert sender_of("OUR PSAO", office) == Sender(
        name="OUR PSAO", lines=("1 Way", "Fargo, ND 58102-1234"), telephone="(701) 555-0100"
    )
    (page,) = pages(notice_pdf(notice(), sender_of("OUR PSAO", None)))
    assert "Questions? Call OUR PSAO 1 of 1" in page


def test_an_invoice_asks_for_its_months() -> None:
    """Number, months, sum and the day by which it is to be paid."""
    (page,) = pages(invoice_pdf(invoice(), SENDER))
    for said in (
        "Invoice number 17",
        "$400.00 please pay by Wednesday, December 16, 2026.",
        "Flat fee for September 2026 200.00",
    ):
        assert said in page, said
