"""BAI2: what a bank reported is read whole and right, or refused with the line and the reason."""

import io
from datetime import date
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from ingest.bank.bai2 import AsOfModifier, BankFile, BankItem, GroupStatus, read_bai2
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.statement import is_credit_code
from schemas.collecting import FINDINGS_LIMIT
from schemas.errors import UnreadableError, WrongUseError

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "bai2"


def foot(*account: str, header: str = "03,123,USD/", modifier: str = "2", total: int) -> bytes:
    """Put the records of one account into a file whose counts foot; the caller states the total."""
    lines = ["01,BANK,PSAO,260302,0600,7,,,2/", f"02,PSAO,BANK,1,260301,,USD,{modifier}/", header, *account]
    lines.append(f"49,{total},{len(lines) - 1}/")
    lines.append(f"98,{total},1,{len(lines)}/")
    lines.append(f"99,{total},1,{len(lines) + 1}/")
    return ("\n".join(lines) + "\n").encode()


def read(content: bytes) -> BankFile:
    """Read a file from memory."""
    return read_bai2(io.BytesIO(content), "bank.bai2")


def items(*account: str, total: int) -> tuple[BankItem, ...]:
    """Read the items of a footing account."""
    (statement,) = read(foot(*account, total=total)).statements
    return statement.items


def refused(content: bytes) -> dict[str, int | None]:
    """Give the rules that a file breaks, each with the line of its first finding."""
    with pytest.raises(UnreadableError) as caught:
        read(content)
    assert caught.value.name == "bank.bai2"
    rules: dict[str, int | None] = {}
    for finding in caught.value.findings:
        rules.setdefault(finding.rule, finding.line)
    return rules


# Fields, texts and continuations ----------------------------------------------------------------------------------


def test_the_standards_own_continuation_example() -> None:
    """Three S amounts, both references in the first 88 and a text over two 88s: as the standard explains it."""
    (item,) = items(
        "16,115,10000000,S,5000000,4000000,1000000/",
        "88,AX13612,B096132,AMALGAMATED CORP. LOCKBOX",
        "88,DEPOSIT-MISC. RECEIVABLES",
        total=10000000,
    )
    assert item == BankItem(
        type_code="115",
        amount_cents=10000000,
        is_credit=True,
        funds_type="S",
        bank_reference="AX13612",
        customer_reference="B096132",
        text="AMALGAMATED CORP. LOCKBOXDEPOSIT-MISC. RECEIVABLES",
        text_spaced="AMALGAMATED CORP. LOCKBOX DEPOSIT-MISC. RECEIVABLES",
        line=4,
        ordinal=1,
    )


def test_the_standards_own_account_example() -> None:
    """A summary parted between code and amount, twice, is one row of summaries; the default currency is the group's."""
    header = "03,9876543210,,010,-500000,,,100,1000000,,,400,2000000,,,190/"
    more = ("88,500000,,,110,1000000,,,072,500000,,,074,500000,,,040/", "88,-1500000,,/")
    total = -500000 + 1000000 + 2000000 + 500000 + 1000000 + 500000 + 500000 - 1500000
    (statement,) = read(foot(*more, header=header, total=total)).statements
    assert (statement.account, statement.currency, statement.opening_cents) == ("9876543210", "USD", -500000)
    assert statement.closing_cents is None
    assert statement.items == ()


@pytest.mark.parametrize(
    "funds",
    ["", "0", "1", "2", "Z", "S,1,2,3", "S,,,", "V,260302,", "V,260302,2400", "D,0", "D,1,0,10", "D,3,0,5,1,3,2,2"],
)
@pytest.mark.parametrize("cut", range(7))
def test_every_funds_type_wherever_the_record_is_parted(funds: str, cut: int) -> None:
    """What follows a funds type never slips into the references, on one line or parted before any field."""
    fields = f"16,142,10,{funds},BREF,CREF".split(",")
    place = min(2 + cut, len(fields) - 1)
    whole = ",".join(fields) + ",PAID, 1/2 OF IT"
    parted = (",".join(fields[:place]) + "/", "88," + ",".join(fields[place:]) + ",PAID, 1/2 OF IT")
    for account in ((whole,), parted):
        (item,) = items(*account, total=10)
        assert (item.funds_type, item.bank_reference, item.customer_reference) == (funds[:1], "BREF", "CREF")
        assert item.text == "PAID, 1/2 OF IT"


@pytest.mark.parametrize(
    ("account", "text", "spaced"),
    [
        (("16,142,5,Z,,,A, B/C, 16,142",), "A, B/C, 16,142", "A, B/C, 16,142"),
        (("16,142,5,Z,,,TRN*1*ABC", "88,DEF*1999999999~"), "TRN*1*ABCDEF*1999999999~", "TRN*1*ABC DEF*1999999999~"),
        (("16,142,5,Z,,,A/", "88,B/C/"), "AB/C", "A B/C"),
        (("16,142,5,Z,,,A/", "88,B"), "A/B", "A/ B"),
        (("16,142,5,Z,,,/", "88,A"), "A", "A"),
        (("16,142,5,Z,,/", "88,A"), "A", "A"),
        (("16,142,5,Z,,,", "88,A"), "A", "A"),
        (("16,142,5,Z,,,   /   ",), "", ""),
        (("16,142,5/",), "", ""),
        (
            ("16,142,5,Z,,,BLANK FILLED      ", "88,  INDENTED   /   "),
            "BLANK FILLED  INDENTED   /",
            "BLANK FILLED   INDENTED   /",
        ),
    ],
    ids=[
        "all in text",
        "broken trace",
        "slash ends all",
        "slash inside",
        "text begins",
        "next",
        "open",
        "no",
        "short",
        "fill",
    ],
)
def test_where_a_text_begins_and_ends(account: tuple[str, ...], text: str, spaced: str) -> None:
    """A text runs to the next line that is no 88; a slash on every line of it is the bank's end of line."""
    (item,) = items(*account, total=5)
    assert (item.text, item.text_spaced) == (text, spaced)


def test_slashes_in_references_are_the_references() -> None:
    """Some banks put paths into a reference; the commas tell where it ends."""
    (item,) = items("16,447,928650,,SPB2322,AB/GS/0001/RPBA0001,ACH", total=928650)
    assert (item.customer_reference, item.text) == ("AB/GS/0001/RPBA0001", "ACH")


def test_lines_end_as_they_like_and_carry_any_letters() -> None:
    """CRLF, CR, blank filling, blank lines, a byte order mark and Latin-1 change nothing."""
    content = foot("16,142,5,Z,B,C,CAFE", total=5)
    plain = read(content)
    assert read(content.replace(b"\n", b"\r\n")) == plain
    assert read(content.replace(b"\n", b"\r")) == plain
    assert read(content.replace(b"\n", b"      \n")) == plain
    assert read(b"\xef\xbb\xbf" + content + b"\n  \n") == plain
    assert read(content.replace(b"CAFE", b"CAF\xc9")).statements[0].items[0].text == "CAFÉ"
    assert read(content.replace(b"CAFE", "CAFÉ".encode())).statements[0].items[0].text == "CAFÉ"


def test_records_that_move_no_money_are_no_items() -> None:
    """A message (890) and a zero amount are counted and summed, and the ordinals show that they were there."""
    found = items("16,890,,,,,REPORTS WILL BE LATE", "16,142,0,,,,REMITTANCE ONLY", "16,142,7,,,,PAID", total=7)
    assert [(item.ordinal, item.amount_cents, item.line) for item in found] == [(3, 7, 6)]


@pytest.mark.parametrize(
    ("codes", "is_credit"),
    [
        (("101", "115", "142", "165", "169", "195", "257", "399", "721", "920", "959"), True),
        (("401", "447", "451", "475", "495", "557", "699", "760", "960", "999"), False),
        (("", "010", "099", "100", "400", "700", "720", "800", "890", "919", "14", "1420", "1a2", "٣٣٣"), None),
    ],
)
def test_credit_or_debit_follows_from_the_type_code(codes: tuple[str, ...], is_credit: bool | None) -> None:
    """The ranges of the standard; totals, balances and unknown codes are no movement."""
    assert {code: is_credit_code(code) for code in codes} == dict.fromkeys(codes, is_credit)


@pytest.mark.parametrize(
    ("status", "modifier", "as_of", "is_booked"),
    [
        ("1", "2", "260301", True),
        ("1", "2", "260302", True),
        ("1", "", "260301", True),
        ("1", "", "260302", False),
        ("1", "1", "260301", False),
        ("1", "3", "260302", False),
        ("1", "4", "260302", False),
        ("2", "2", "260301", False),
        ("3", "2", "260301", False),
        ("4", "2", "260301", False),
    ],
)
def test_only_final_figures_of_a_past_day_are_booked(status: str, modifier: str, as_of: str, is_booked: bool) -> None:
    """Interim, same-day, deleting, correcting and test groups are never booked; without a modifier the dates decide."""
    content = foot("16,142,5,,,,A", modifier=modifier, total=5)
    content = content.replace(b"02,PSAO,BANK,1,260301", f"02,PSAO,BANK,{status},{as_of}".encode())
    (statement,) = read(content).statements
    assert statement.group_status is GroupStatus(status)
    assert statement.as_of_modifier == (AsOfModifier(modifier) if modifier else None)
    assert statement.is_booked is is_booked


def test_groups_and_accounts_of_one_file() -> None:
    """Every statement keeps its own group's day and currency, or its own; the sums nest."""
    content = b"""01,BANK,PSAO,260303,0600,42,,,2/
02,PSAO,BANK,1,260301,,CAD,2/
03,1,,/
16,142,10,,A,,X
49,10,3/
03,2,USD/
49,0,2/
98,10,2,7/
02,PSAO,BANK,1,260302/
03,3,/
16,451,4,,B,,Y
49,4,3/
98,4,1,5/
99,14,2,14/
"""
    file = read(content)
    assert (file.file_id, file.created_on) == ("42", date(2026, 3, 3))
    assert [(each.account, each.currency, each.as_of.day, each.line, len(each.items)) for each in file.statements] == [
        ("1", "CAD", 1, 3, 1),
        ("2", "USD", 1, 6, 0),
        ("3", "USD", 2, 10, 1),
    ]


# Refusals ---------------------------------------------------------------------------------------------------------

GOOD = (
    b"01,BANK,PSAO,260302,0600,7,,,2/\n"
    b"02,PSAO,BANK,1,260301,,USD,2/\n"
    b"03,123,USD,010,100,,,015,95,,,100,20,1,,400,25,1,/\n"
    b"16,142,20,Z,B1,,IN\n"
    b"16,451,25,Z,B2,,OUT\n"
    b"88,MORE\n"
    b"49,285,5/\n"
    b"98,285,1,7/\n"
    b"99,285,1,9/\n"
)


def test_the_good_file_is_good() -> None:
    """The file that the next test damages reads: 100 and 20 less 25 is 95."""
    (statement,) = read(GOOD).statements
    assert (statement.opening_cents, statement.closing_cents) == (100, 95)
    assert [(item.is_credit, item.amount_cents) for item in statement.items] == [(True, 20), (False, 25)]


@pytest.mark.parametrize(
    ("right", "wrong", "rules"),
    [
        ("49,285,5/", "49,286,5/", {"control_total": 7}),
        ("49,285,5/", "49,285,4/", {"record_count": 7}),
        ("49,285,5/", "49,285,/", {"count": 7}),
        ("49,285,5/", "49,,5/", {"amount": 7, "control_total": 7}),
        ("98,285,1,7/", "98,284,1,7/", {"control_total": 8}),
        ("98,285,1,7/", "98,285,2,7/", {"record_count": 8}),
        ("98,285,1,7/", "98,285,1,8/", {"record_count": 8}),
        ("99,285,1,9/", "99,-285,1,9/", {"control_total": 9}),
        ("99,285,1,9/", "99,285,0,9/", {"record_count": 9}),
        ("99,285,1,9/", "99,285,1,10/", {"record_count": 9}),
        ("99,285,1,9/", "99,285,1,9", {"record_ended": 9}),
        ("015,95", "015,96", {"control_total": 7, "balance": 7}),
        ("010,100,,,015,95", "010,101,,,015,94", {"balance": 7}),
        ("100,20,1,,400,25", "100,21,1,,400,24", {"side_total": 7}),
        ("142,20,Z", "142,25,Z", {"control_total": 7, "side_total": 7, "balance": 7}),
        ("142,20,Z", "142,20.00,Z", {"amount": 4, "control_total": 7}),
        ("142,20,Z", "142,,Z", {"amount": 4, "control_total": 7}),
        ("142,20,Z", "142,-20,Z", {"amount": 4, "control_total": 7}),
        ("142,20,Z", "142,²,Z", {"amount": 4, "control_total": 7}),
        ("142,20,Z", "142," + "9" * 5000 + ",Z", {"amount": 4, "control_total": 7}),
        ("142,20,Z", "100,20,Z", {"type_code": 4, "side_total": 7}),
        ("142,20,Z", "142,20,X", {"funds_type": 4, "control_total": 7}),
        ("142,20,Z,B1,,IN", "142,20,D,9999,0,20,B1,,IN", {"funds_type": 4}),
        ("142,20,Z,B1,,IN", "142,20,V,B1,C1,IN", {"funds_parts": 4}),
        ("142,20,Z,B1,,IN", "142,20,S,B1,C1,,,,IN", {"funds_parts": 4}),
        ("142,20,Z,B1,,IN", "142,20,D,2,0,20,B1,C1,IN/", {"funds_parts": 4}),
        ("010,100,,", "010,100,,D,1,", {"funds_parts": 3}),
        ("16,142,20,Z,B1,,IN", "16,142,20,Z,B1", {"record_ended": 4}),
        ("16,142,20,Z,B1,,IN\n16,451", "16,142,20,Z,B1/ 16,451", {"one_record_a_line": 4}),
        ("16,142,20,Z,B1,,IN", "16,142,20/ 16,142,0/", {"one_record_a_line": 4}),
        ("88,MORE", "MORE", {"record_known": 6, "record_count": 7}),
        ("88,MORE", "88:MORE", {"record_known": 6, "record_count": 7}),
        ("16,451,25,Z,B2,,OUT\n88,MORE", "16,451,25,Z,B2,,OUT/ 49,285,5/", {"one_record_a_line": 5}),
        ("03,123,", "03,,", {"account": 3}),
        ("03,123,USD", "03,123,$", {"currency": 3}),
        ("010,100,,", "010,100,,Q", {"funds_type": 3}),
        ("010,100,,,015", "10,100,,,015", {"type_code": 3}),
        ("260301,,USD", "260229,,USD", {"date": 2}),
        ("260301,,USD", "26-3-1,,USD", {"date": 2}),
        ("1,260301", "5,260301", {"group_status": 2}),
        ("USD,2/\n03", "USD,7/\n03", {"as_of_modifier": 2}),
        ("260302", "261302", {"date": 1}),
        (",2/\n02", ",3/\n02", {"version": 1}),
        (",2/\n02", ",2/   02", {"one_record_a_line": 1, "record_order": 2}),
        ("98,285,1,7/\n", "", {"record_order": 8}),
        ("99,285,1,9/\n", "99,285,1,9/\n01,B,P,260302,,8,,,2/\n", {"record_order": 10}),
        ("99,285,1,9/\n", "", {"file_complete": 8}),
        ("02,PSAO", "16,PSAO", {"record_order": 2}),
    ],
)
def test_each_damage_is_named_by_its_line(right: str, wrong: str, rules: dict[str, int]) -> None:
    """One thing wrong refuses the whole file, and the findings say which line and rule."""
    content = GOOD.decode()
    assert content.count(right) == 1
    damaged = content.replace(right, wrong).encode()
    found = refused(damaged)
    assert {rule: line for rule, line in found.items() if rule in rules} == rules


def test_what_looks_like_a_record_inside_a_text_is_text() -> None:
    """As long as everything foots, a text may hold anything."""
    (statement,) = read(GOOD.replace(b"B1,,IN", b"B1,,IN/ 16,142,9,Z,,,TOO")).statements
    assert statement.items[0].text == "IN/ 16,142,9,Z,,,TOO"


def test_a_swallowed_record_is_suspected_when_the_account_does_not_foot() -> None:
    """A record glued to a text belongs to the text, until the totals say that something is missing."""
    glued = GOOD.replace(b"IN\n16,451,25", b"IN/ 16,451,25")
    assert refused(glued) == {
        "control_total": 6,
        "record_count": 6,
        "side_total": 6,
        "balance": 6,
        "one_record_a_line": 4,
    }


@pytest.mark.parametrize(
    ("content", "rule", "line"),
    [
        (b"", "file_not_empty", 1),
        (b"\r\n  \n", "file_not_empty", 1),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file_is_text", 2),
        (GOOD.decode().encode("utf-16"), "file_is_text", 1),
        (b"ISA*00*          *00*", "file_header", 1),
        (b"101 031300012 0313801041908161055A094101", "file_header", 1),
        (b"88,TEXT\n" + GOOD, "file_header", 1),
        (b"01,", "date", 1),
        pytest.param(GOOD + b"\n" * (16 << 20), "file_size", None, id="too large"),
    ],
)
def test_what_is_no_bai2_file(content: bytes, rule: str, line: int | None) -> None:
    """Empty, binary, huge, other formats and headless files are refused with a reason."""
    assert refused(content)[rule] == line


def test_every_truncation_is_noticed() -> None:
    """Cut anywhere, even between two lines, the file is refused; only its last line end may be missing."""
    for length in range(len(GOOD) - 1):
        assert refused(GOOD[:length])
    assert read(GOOD[:-1]) == read(GOOD)


class Trickle(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._rest = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        """Give at most seven bytes."""
        return self._rest.read(min(size, 7) if size >= 0 else 7)


def test_a_pipe_may_give_the_file_piece_by_piece() -> None:
    """A read that gives less than it was asked for is not the end of the file."""
    assert read_bai2(cast("BinaryIO", Trickle(GOOD)), "bank.bai2") == read(GOOD)


def test_a_hopeless_file_does_not_drown_the_reader() -> None:
    """A thousand findings are enough to say that a file is not what it claims to be; the rest is counted."""
    with pytest.raises(UnreadableError) as caught:
        read(GOOD.replace(b"88,MORE\n", b"rubbish\n" * 5000))
    assert len(caught.value.findings) == FINDINGS_LIMIT + 1
    assert caught.value.findings[-1].rule == "findings_cut"


def test_no_finding_repeats_a_text() -> None:
    """What a text or reference holds may be private; findings name places and codes only."""
    with pytest.raises(UnreadableError) as caught:
        read(GOOD.replace(b"16,451,25,Z,B2,,OUT", b"16,PUBLIC,SECRET,Z,B2,,OUT\nJANE PUBLIC 1\n16,142,MS PUBLIC,,,,"))
    said = " ".join(finding.sentence() for finding in caught.value.findings)
    assert "PUBLIC" not in said
    assert "SECRET" not in said


# Files that nobody here wrote -------------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="public samples are not here")
@pytest.mark.parametrize(
    ("name", "rules"),
    [
        # 834,000 and 446,000 make 1,280,000; 14 and 9 lines and their envelopes make 25 and 27; 3 and 8, 2 and 4
        # items make the totals 100 and 400 of 208,500 and of 111,500 each.
        ("sample1.txt", set()),
        # Three records stand on line 1, and others on lines 4, 12, 13 and so on.
        ("sample3.txt", {"one_record_a_line", "record_order"}),
        # Its second account has 6,865,898 + 1,912 + 60,000 + 143,500 + 928,650 = 7,999,960 and says
        # -1,260,161,341,762; 18 lines, and says 26; credits of 143,500, and says 1,912. Line 63 begins "88:".
        ("sample5-issue113.txt", {"control_total", "record_count", "side_total", "balance", "record_known"}),
    ],
)
def test_the_public_samples(name: str, rules: set[str]) -> None:
    """One foots and is read; one glues records and one was altered until nothing adds up: both refused."""
    content = (SAMPLES / name).read_bytes()
    if rules:
        assert set(refused(content)) == rules
        return
    file = read(content)
    assert [len(statement.items) for statement in file.statements] == [11, 6]
    assert [sum(item.amount_cents for item in each.items if item.is_credit) for each in file.statements] == [
        208500,
        111500,
    ]
    assert [each.is_booked for each in file.statements] == [True, True]


# The writer -------------------------------------------------------------------------------------------------------


def test_a_written_statement_reads_back() -> None:
    """Deposits and a debit, long text broken into lines of 80, a balance that follows."""
    text = "HCCLAIMPMT EXAMPLE PBM " + "X" * 120 + " TRN*1*2026112200017*1411289245~"
    written = [
        StatementLine("142", 500_000_00, "20261120-1", "", text),
        StatementLine("195", 1, "R" * 76, "C", "WIRE/"),
        StatementLine("455", 125_00, "20261120-2", "PAYOUT7", ""),
    ]
    content = write_bai2(account="12345", as_of=date(2026, 11, 20), opening_cents=-5, items=written)
    file = read(content)
    (statement,) = file.statements
    assert (statement.account, statement.as_of, statement.is_booked) == ("12345", date(2026, 11, 20), True)
    assert (statement.opening_cents, statement.closing_cents) == (-5, 500_000_00 - 125_00 - 4)
    assert [
        (item.type_code, item.amount_cents, item.bank_reference, item.customer_reference, item.text)
        for item in statement.items
    ] == written
    assert all(len(line) <= 80 for line in content.decode().splitlines() if not line.startswith("16,195"))


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("type_code", {"type_code": "100"}),
        ("amount_cents", {"amount_cents": 0}),
        ("amount_cents", {"amount_cents": 10**15}),
        ("bank_reference", {"bank_reference": "A,B"}),
        ("bank_reference", {"bank_reference": "A/B"}),
        ("customer_reference", {"customer_reference": "A\n"}),
        ("text", {"text": "A\n16,142,5,,,,"}),
        ("text", {"text": "A "}),
        ("text", {"text": "É"}),
    ],
)
def test_the_writer_refuses_what_cannot_be_written(field: str, change: dict[str, str]) -> None:
    """Nothing is cut or replaced: a value that BAI2 cannot carry is an error with the field's name."""
    line = StatementLine("142", 5, "B", "C", "T")._replace(**change)  # type: ignore[arg-type]
    with pytest.raises(WrongUseError, match=field):
        write_bai2(account="1", as_of=date(2026, 11, 20), opening_cents=0, items=[line])


@pytest.mark.parametrize(
    ("field", "value"), [("account", "1/2"), ("currency", "usd"), ("sender", ""), ("file_id", ",")]
)
def test_the_writer_refuses_a_header_that_cannot_be_written(field: str, value: str) -> None:
    """The same for the facts of the file."""
    facts = {"account": "1", field: value}
    with pytest.raises(WrongUseError, match=field):
        write_bai2(as_of=date(2026, 11, 20), opening_cents=0, items=[], **facts)  # type: ignore[arg-type]
