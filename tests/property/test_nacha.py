"""What is true of every NACHA file: it comes back as it was written, and damage to it is seen."""

import io
from dataclasses import replace
from datetime import date, time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from payouts.calendar import add_banking_days
from payouts.nacha.codes import HEALTH_CARE_PAYMENT, TransactionCode
from payouts.nacha.models import FILE_ID_MODIFIERS, AchBatch, AchEntry, AchFile
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.trn import TERMINATORS, Trn
from payouts.nacha.writer import write_nacha
from schemas.errors import UnreadableError
from schemas.identifiers import AbaRouting, PayerId

PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
ROUTINGS = st.builds(
    lambda prefix, rest: AbaRouting.from_eight(f"{prefix}{rest:06d}"),
    st.sampled_from(["01", "12", "21", "32", "61", "72", "80"]),
    st.integers(0, 10**6 - 1),
)


def texts(width: int, *, least: int = 1, without: str = "") -> st.SearchStrategy[str]:
    """Printable text of up to ``width`` characters that has no blanks at its ends."""
    letters = PRINTABLE if not without else PRINTABLE.filter(lambda letter: letter not in without)
    return st.text(letters, max_size=width).map(str.strip).filter(lambda text: len(text) >= least)


TRNS = st.builds(
    Trn,
    trace_number=texts(30, without="*~\\"),
    originator=st.integers(0, 10**9 - 1).map(lambda ein: PayerId(f"1{ein:09d}")),
    reference=texts(30, least=0, without="*~\\"),
    terminator=st.sampled_from(TERMINATORS),
)
ENTRIES = st.builds(
    AchEntry,
    routing=ROUTINGS,
    account_number=st.from_regex(r"\A[0-9A-Z-]{0,8}[1-9][0-9A-Z-]{0,8}\Z"),
    amount_cents=st.integers(1, 10**10 - 1),
    receiver_name=texts(22),
    identification=texts(15),
    trace_sequence=st.integers(1, 10**7 - 1),
    transaction_code=st.sampled_from(TransactionCode),
    trn=st.one_of(st.none(), TRNS),
)


@st.composite
def batches(draw: st.DrawFn, number: int, odfi: AbaRouting) -> AchBatch:
    """A batch; the traces of batch n are those that leave n on division by five, so that no two batches share one."""
    drawn = draw(st.lists(ENTRIES, min_size=1, max_size=6, unique_by=lambda entry: entry.trace_sequence // 5))
    entries = [replace(entry, trace_sequence=entry.trace_sequence // 5 * 5 + number) for entry in drawn]
    entries.sort(key=lambda entry: entry.trace_sequence)
    plain = any(entry.trn is None for entry in entries)
    descriptions = texts(10).filter(lambda text: text.upper() != HEALTH_CARE_PAYMENT)
    return AchBatch(
        batch_number=number,
        company_name=draw(texts(16).filter(lambda name: bool(name.strip("0 ")))),
        company_id=draw(texts(10)),
        odfi=odfi,
        effective_entry_date=add_banking_days(draw(st.dates(date(2000, 1, 1), date(2099, 12, 1))), 0),
        entries=tuple(entries),
        entry_description=draw(descriptions) if plain else HEALTH_CARE_PAYMENT,
        descriptive_date=draw(texts(6, least=0)),
        discretionary_data=draw(texts(20, least=0)),
    )


@st.composite
def files(draw: st.DrawFn) -> AchFile:
    """A file of one to four batches."""
    odfi = draw(ROUTINGS)
    numbers = range(1, draw(st.integers(1, 4)) + 1)
    return AchFile(
        destination=draw(ROUTINGS),
        origin=draw(texts(10)),
        destination_name=draw(texts(23)),
        origin_name=draw(texts(23)),
        created_on=draw(st.dates(date(2000, 1, 1), date(2099, 12, 31))),
        created_time=time(draw(st.integers(0, 23)), draw(st.integers(0, 59))),
        id_modifier=draw(st.sampled_from(FILE_ID_MODIFIERS)),
        batches=tuple(draw(batches(number, odfi)) for number in numbers),
        reference_code=draw(texts(8, least=0)),
    )


@settings(deadline=None, max_examples=60)
@given(files())
def test_every_file_comes_back_as_it_was_written(file: AchFile) -> None:
    """Read without a finding, the records say the same values, and these write the same bytes."""
    content = write_nacha(file)
    reading = read_nacha(io.BytesIO(content), "any.ach")
    assert reading.findings == ()
    (read,) = [payment_file(each) for each in reading.accepted_files()]
    assert read == file
    assert write_nacha(read) == content


REMITTED = AchFile(
    destination=AbaRouting("091000019"),
    origin="1999999999",
    destination_name="EXAMPLE BANK",
    origin_name="EXAMPLE PSAO",
    created_on=date(2026, 7, 3),
    created_time=time(9, 5),
    id_modifier="A",
    batches=(
        AchBatch(
            batch_number=1,
            company_name="EXAMPLE PSAO",
            company_id="1999999999",
            odfi=AbaRouting("091000019"),
            effective_entry_date=date(2026, 7, 6),
            entries=tuple(
                AchEntry(
                    routing=AbaRouting("121042882"),
                    account_number=f"12345678{number}",
                    amount_cents=1_000_00 + number,
                    receiver_name="MAIN STREET PHARMACY",
                    identification="3912345",
                    trace_sequence=number,
                    trn=Trn(trace_number=f"CP{number}", originator=PayerId("1999999999")),
                )
                for number in range(1, 8)
            ),
        ),
    ),
)
CONTENT = write_nacha(REMITTED)
# Columns, from 0, whose every digit something else vouches for: check digit, hash, total, count, or the other record.
VOUCHED = {
    "5": [*range(1, 4), *range(79, 94)],
    "6": [*range(3, 12), *range(29, 39), 78, *range(79, 94)],
    "7": [*range(83, 94)],
    "8": [*range(1, 44), *range(79, 94)],
    "9": [*range(1, 55)],
}
PLACES = [
    line * 95 + column
    for line, text in enumerate(CONTENT.decode().split("\n"))
    if text.strip("9")
    for column in VOUCHED.get(text[:1], [])
]


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(PLACES), st.sampled_from("0123456789"))
def test_no_single_wrong_digit_of_money_is_accepted(place: int, digit: str) -> None:
    """One digit changed in a routing number, amount, trace, count, hash or total: the file is refused."""
    damaged = bytearray(CONTENT)
    damaged[place] = ord(digit)
    if bytes(damaged) != CONTENT:
        assert not read_nacha(io.BytesIO(damaged), "damaged.ach").is_accepted


LINES = CONTENT.splitlines(keepends=True)
RECORDS = st.integers(0, len(LINES) - CONTENT.count(b"9" * 94) - 1)


@settings(deadline=None, max_examples=200)
@given(RECORDS, RECORDS, st.sampled_from(["lost", "doubled", "swapped", "moved"]))
def test_no_lost_doubled_or_moved_record_is_accepted(place: int, other: int, damage: str) -> None:
    """One record lost, doubled, moved or swapped with another that differs: refused."""
    lines = list(LINES)
    if damage == "lost":
        del lines[place]
    elif damage == "doubled":
        lines.insert(other, lines[place])
    elif damage == "swapped":
        lines[place], lines[other] = lines[other], lines[place]
    else:
        lines.insert(other, lines.pop(place))
    if lines != LINES:
        assert not read_nacha(io.BytesIO(b"".join(lines)), "damaged.ach").is_accepted


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(max_size=400), st.text("1567890 \n\r4A", max_size=600).map(str.encode)))
@example(b"1\n5\n6\n7\n8\n9")
@example(b"5\n6\n705\n799\n9")
def test_no_bytes_bring_anything_but_findings(content: bytes) -> None:
    """Whatever the bytes are, the reader gives a reading or says that it cannot; nothing else is ever raised."""
    try:
        reading = read_nacha(io.BytesIO(content), "noise.ach")
    except UnreadableError as unreadable:
        assert unreadable.findings  # noqa: PT017 (both ways out are allowed, and each is checked)
    else:
        assert reading.files or reading.findings
        assert all(finding.line is None or finding.line > 0 for finding in reading.findings)
