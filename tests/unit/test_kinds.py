"""The kind of a file is told by what is in it."""

import gzip

import pytest

from ingest.kinds import HEAD_BYTES, FileKind, detect_kind, unknown_kind
from ingest.payers import PAYER_COLUMNS
from ingest.roster import ROSTER_COLUMNS

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260703*1200*^*00501*000000001*0*P*:~"
REMITTANCE = ISA + "GS*HP*SENDER*RECEIVER*20260703*1200*1*X*005010X221A1~ST*835*0001~BPR*I*10*C*ACH~"
NACHA_HEADER = "101 231380104 1210428822304211201A094101Federal Reserve Bank   My Bank Name           REF00001"
NACHA_BATCH = "5220PSAO CENTRAL PAY                    1123456789CCDPAYMENT   260703260706   1121042880000001"
BAI2 = "01,BANKID,PSAO,260703,0600,1,80,,2/\n02,PSAO,BANKID,1,260702,,USD,2/\n"
CAMT = '<?xml version="1.0"?>\n<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
ROSTER = ",".join(ROSTER_COLUMNS) + "\n"
PAYERS = ",".join(PAYER_COLUMNS) + "\n"
EACH = [
    (REMITTANCE, FileKind.REMITTANCE_835),
    (BAI2, FileKind.BAI2),
    (CAMT, FileKind.CAMT053),
    (NACHA_HEADER + "\n" + NACHA_BATCH, FileKind.NACHA),
    (ROSTER, FileKind.ROSTER),
    (PAYERS, FileKind.PAYERS),
]


def wrapped(text: str, columns: int, end: str = "\r\n") -> str:
    """Break text into lines of so many columns, wherever that falls."""
    return end.join(text[start : start + columns] for start in range(0, len(text), columns))


def kind_of(text: str) -> FileKind:
    """Tell the kind of text."""
    return detect_kind(text.encode("latin-1"), "file")


@pytest.mark.parametrize(("text", "kind"), EACH)
def test_each_kind_is_told(text: str, kind: FileKind) -> None:
    """The plain form of each."""
    assert kind_of(text) is kind


@pytest.mark.parametrize(("text", "kind"), EACH)
def test_marks_and_blank_lines_in_front_do_not_matter(text: str, kind: FileKind) -> None:
    """A byte order mark, blank lines, CRLF."""
    assert detect_kind(b"\xef\xbb\xbf" + text.encode(), "file") is kind
    assert kind_of("\r\n \n" + text) is kind
    assert kind_of(text.replace("\n", "\r\n")) is kind


@pytest.mark.parametrize(("text", "kind"), EACH)
def test_the_name_does_not_matter(text: str, kind: FileKind) -> None:
    """An ending that lies, an odd name or none."""
    for name in ("roster.csv", "x.835", "bank.xml", "", "-", "../\n"):
        assert detect_kind(text.encode(), name) is kind


@pytest.mark.parametrize(
    ("element", "segment", "component"),
    [("*", "~", ":"), ("\x1d", "\x1e", "\x1f"), ("|", "\n", "^"), ("+", "'", "\\"), ("\x1c", "\x85", "\x1d")],
)
def test_a_remittance_is_told_whatever_its_separators(element: str, segment: str, component: str) -> None:
    """The separators are those that the envelope sets, control characters and line breaks among them."""
    text = REMITTANCE.replace(":~", component + "~").replace("*", element).replace("~", segment)
    assert kind_of(text) is FileKind.REMITTANCE_835
    assert kind_of("MAILBOX 7\n" + text) is FileKind.REMITTANCE_835


@pytest.mark.parametrize("columns", [1, 7, 50, 80, 104, 105, 106, 107])
def test_a_remittance_is_told_when_lines_are_broken_anywhere(columns: int) -> None:
    """Breaks inside the envelope, inside its name and inside ST."""
    assert kind_of(wrapped(REMITTANCE, columns)) is FileKind.REMITTANCE_835
    assert kind_of(wrapped(REMITTANCE, columns, "\n")) is FileKind.REMITTANCE_835


def test_a_remittance_is_told_behind_text() -> None:
    """A cover line of a mailbox, even one in which ISA stands in a name."""
    for cover in ("//MAILBOX MELISA*1\r\n", "From: LISA*B\n\n", "\x00\x01junk "):
        assert kind_of(cover + REMITTANCE) is FileKind.REMITTANCE_835


def test_a_remittance_among_other_sets_is_told() -> None:
    """An interchange that also holds an acknowledgement goes to the 835 reader."""
    text = ISA + "GS*FA~ST*999*0001~SE*2*0001~GE*1*1~GS*HP~ST*835*0002~"
    assert kind_of(text) is FileKind.REMITTANCE_835


def test_a_cut_envelope_goes_to_the_reader_that_can_say_so() -> None:
    """An envelope with nothing behind it can only be meant as X12."""
    assert kind_of(ISA[:50]) is FileKind.REMITTANCE_835
    assert kind_of(ISA) is FileKind.REMITTANCE_835


@pytest.mark.parametrize("other", ["837", "820", "999", "277"])
def test_other_x12_is_not_a_remittance(other: str) -> None:
    """A claim file is not a remittance, also when a name in it reads like a set header."""
    text = REMITTANCE.replace("ST*835", f"ST*{other}") + "NM1*IL*1*BEST*835*X~"
    assert kind_of(text) is FileKind.UNKNOWN
    assert "without an 835" in str(unknown_kind(text.encode(), "x"))


@pytest.mark.parametrize(
    "text",
    [
        NACHA_HEADER * 3,
        NACHA_HEADER.rstrip()[:60],
        NACHA_HEADER.replace("094101", "094999"),
        "1012313801040121042882230421",
        NACHA_BATCH + "\n",
    ],
    ids=["no line breaks", "blanks stripped", "wrong sizes", "not a header", "no file header"],
)
def test_the_forms_of_nacha(text: str) -> None:
    """Without line breaks, with blanks stripped, with wrong sizes, or beginning with a batch; a number is none."""
    expected = FileKind.UNKNOWN if text.startswith("1012") else FileKind.NACHA
    assert kind_of(text) is expected


@pytest.mark.parametrize(
    "text",
    [
        CAMT.replace("xmlns=", "xmlns:ns2="),
        CAMT.replace('"', "'"),
        "<!-- exported -->\n" + CAMT,
        "<Document><BkToCstmrStmt><Stmt>",
    ],
)
def test_the_forms_of_camt(text: str) -> None:
    """With a prefix, other quotes, a comment in front, or the namespace forgotten."""
    assert kind_of(text) is FileKind.CAMT053


def test_camt_in_utf16_is_told() -> None:
    """XML may come in UTF-16, either way round."""
    assert detect_kind(CAMT.encode("utf-16"), "x") is FileKind.CAMT053
    assert detect_kind(b"\xfe\xff" + CAMT.encode("utf-16-be"), "x") is FileKind.CAMT053


def test_a_header_with_a_mistake_goes_to_the_reader_that_can_say_so() -> None:
    """A forgotten column, another order or capitals are still a roster."""
    assert kind_of(ROSTER.replace("npi,", "")) is FileKind.ROSTER
    assert kind_of(",".join(reversed(ROSTER_COLUMNS))) is FileKind.ROSTER
    assert kind_of(ROSTER.upper()) is FileKind.ROSTER
    assert kind_of(PAYERS.replace(",aliases", "")) is FileKind.PAYERS


@pytest.mark.parametrize(
    ("content", "look"),
    [
        (b"", "found nothing"),
        (b" \r\n\n", "found nothing"),
        (b"\x00\x01\x02\x03", "binary data"),
        (gzip.compress(b"x", mtime=0), "gzip data"),
        (b"PK\x03\x04rest", "office document"),
        (b"%PDF-1.7", "PDF"),
        ("Größe".encode("utf-16"), "UTF-16"),
        (CAMT.replace("053", "054").replace("Stmt", "Dbt").encode(), "no CAMT.053"),
        (b"Dear Sirs, DOE JANE was paid", "text of no known form"),
        (b"ncpdp_id,rx_number,fill_date\n", "text of no known form"),
    ],
)
def test_what_is_none_of_them_is_said_without_repeating_it(content: bytes, look: str) -> None:
    """The error names the file and what it looks like, and holds none of its content."""
    assert detect_kind(content, "x") is FileKind.UNKNOWN
    error = unknown_kind(content, "sent.bin")
    assert error.name == "sent.bin"
    assert look in str(error)
    assert "DOE" not in str(error)


def test_only_the_head_is_looked_at() -> None:
    """What stands behind the head decides nothing, however much is given."""
    assert kind_of("x" * HEAD_BYTES + REMITTANCE) is FileKind.UNKNOWN
    assert kind_of("x\n" * 100 + REMITTANCE) is FileKind.REMITTANCE_835


def test_noise_costs_no_time() -> None:
    """A head made to keep a pattern busy is answered at once, not in minutes."""
    for noise in (
        "ISA*" * HEAD_BYTES,
        "\n" * HEAD_BYTES,
        "~\t" * HEAD_BYTES,
        "<" + "a:" * HEAD_BYTES,
        "," * HEAD_BYTES,
    ):
        assert kind_of("x" + noise) is FileKind.UNKNOWN
    assert kind_of(ISA + "~" + " " * HEAD_BYTES) is FileKind.REMITTANCE_835
