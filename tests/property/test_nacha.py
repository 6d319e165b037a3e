"""What is true of every NACHA file: it comes back as it was written, and damage to it is seen."""

import io
from dataclasses import replace
from datetime import date, time

from hypothesis import example, given, settings
from hypothesis import strategies as st

from payouts.nacha.answers import read_answer
from payouts.nacha.codes import (
    HEALTH_CARE_PAYMENT,
    OWN_CREDIT_CODES,
    OWN_DEBIT_CODES,
    OWN_PRENOTE_CODES,
    REVERSAL,
    LineEnd,
    TransactionCode,
)
from payouts.nacha.corrections import CORRECTION_CODES, Correction, WrongCorrection, read_correction
from payouts.nacha.errors import NachaError
from payouts.nacha.leniency import Leniency
from payouts.nacha.models import FILE_ID_MODIFIERS, AchBatch, AchEntry, AchFile, balanced, merge_files
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from payouts.nacha.trn import TERMINATORS, Trn
from payouts.nacha.writer import write_nacha
from schemas.calendar import add_banking_days
from schemas.errors import UnreadableError
from schemas.identifiers import AbaRouting, PayerId
from tests.support.nacha_files import ANSWER_LINES

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


def entries(code: TransactionCode) -> st.SearchStrategy[AchEntry]:
    """An entry of a kind; a prenote moves nothing."""
    cents = st.just(0) if code in OWN_PRENOTE_CODES else st.integers(1, 10**10 - 1)
    return st.builds(
        AchEntry,
        routing=ROUTINGS,
        account_number=st.from_regex(r"\A[0-9A-Z-]{0,8}[1-9][0-9A-Z-]{0,8}\Z"),
        amount_cents=cents,
        receiver_name=texts(22),
        identification=texts(15),
        trace_sequence=st.integers(1, 10**7 - 10),
        transaction_code=st.just(code),
        trn=st.one_of(st.none(), TRNS),
    )


PAYMENTS = st.sampled_from(sorted(OWN_CREDIT_CODES | OWN_PRENOTE_CODES)).flatmap(entries)
DEBITS = st.sampled_from(sorted(OWN_DEBIT_CODES)).flatmap(entries)


@st.composite
def batches(draw: st.DrawFn, number: int, odfi: AbaRouting) -> AchBatch:
    """Payments and prenotes, or reversals, balanced or not.

    The traces of batch n are those that leave n on division by five, so that no two batches share one.
    """
    is_reversal = draw(st.booleans())
    one = DEBITS if is_reversal else PAYMENTS
    drawn = draw(st.lists(one, min_size=1, max_size=6, unique_by=lambda entry: entry.trace_sequence // 5))
    made = [replace(entry, trace_sequence=entry.trace_sequence // 5 * 5 + number) for entry in drawn]
    made.sort(key=lambda entry: entry.trace_sequence)
    plain = any(entry.trn is None and not entry.is_prenote for entry in made)
    reserved = {HEALTH_CARE_PAYMENT, REVERSAL}
    described = draw(texts(10).filter(lambda text: text.upper() not in reserved)) if plain else HEALTH_CARE_PAYMENT
    batch = AchBatch(
        batch_number=number,
        company_name=draw(texts(16).filter(lambda name: bool(name.strip("0 ")))),
        company_id=draw(texts(10)),
        odfi=odfi,
        effective_entry_date=add_banking_days(draw(st.dates(date(2000, 1, 1), date(2099, 12, 1))), 0),
        entries=tuple(made),
        entry_description=REVERSAL if is_reversal else described,
        descriptive_date=draw(texts(6, least=0)),
        discretionary_data=draw(texts(20, least=0)),
    )
    total = batch.credit_cents or batch.debit_cents
    if 0 < total < 10**10 and draw(st.booleans()):
        trace = made[-1].trace_sequence + 5
        return balanced(batch, account_number="000123456789", trace_sequence=trace, receiver_name="OURS")
    return batch


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
@given(files(), st.sampled_from(LineEnd))
def test_every_file_comes_back_as_it_was_written(file: AchFile, line_end: LineEnd) -> None:
    """Read without a finding, the records say the same values, and these write the same bytes."""
    content = write_nacha(file, line_end)
    reading = read_nacha(io.BytesIO(content), "any.ach")
    assert reading.findings == ()
    (read,) = [payment_file(each) for each in reading.accepted_files()]
    assert read == file
    assert write_nacha(read, line_end) == content


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


@settings(deadline=None, max_examples=40)
@given(files(), files())
def test_merged_files_hold_every_entry_once(one: AchFile, two: AchFile) -> None:
    """Of one sender to one bank: all entries in their order, all cents; traces that both have are refused."""
    two = replace(two, origin=one.origin, destination=one.destination)
    try:
        merged = merge_files([one, two], id_modifier="Z")
    except NachaError as refused:
        shared = {batch.trace_number(entry) for batch in one.batches for entry in batch.entries} & {
            batch.trace_number(entry) for batch in two.batches for entry in batch.entries
        }
        total = max(one.credit_cents + two.credit_cents, one.debit_cents + two.debit_cents)
        assert shared or total >= 10**12, refused  # noqa: PT017 (both ways out are allowed, and each is checked)
    else:
        assert [entry for batch in merged.batches for entry in batch.entries] == [
            entry for file in (one, two) for batch in file.batches for entry in batch.entries
        ]
        assert merged.credit_cents == one.credit_cents + two.credit_cents
        assert merged.debit_cents == one.debit_cents + two.debit_cents


LENIENCIES = st.frozensets(st.sampled_from(Leniency))
DIRT = st.tuples(st.integers(0, 94 * len(ANSWER_LINES)), st.sampled_from(" 0159ARCx~\n\r\x00\xff"))


@settings(deadline=None, max_examples=400)
@given(st.sampled_from([CONTENT, "\n".join(ANSWER_LINES).encode()]), st.lists(DIRT, max_size=8), LENIENCIES)
def test_a_damaged_file_gives_findings_with_lines(
    content: bytes, dirt: list[tuple[int, str]], leniency: frozenset[Leniency]
) -> None:
    """Bytes changed anywhere, with any leniencies: findings on lines of the file; every accepted answer is readable."""
    damaged = bytearray(content)
    for place, letter in dirt:
        damaged[place % len(damaged)] = ord(letter)
    try:
        reading = read_nacha(io.BytesIO(damaged), "damaged.ach", leniency)
    except UnreadableError as unreadable:
        assert unreadable.findings  # noqa: PT017 (both ways out are allowed, and each is checked)
        return
    lines = len(bytes(damaged).splitlines())
    assert all(finding.line is None or 1 <= finding.line <= max(lines, 11) for finding in reading.findings)
    if reading.is_accepted:
        entries = [entry for file in reading.files for batch in file.batches for entry in batch.entries]
        assert all(read_answer(entry).trace for entry in entries if entry.is_answer)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from([*sorted(CORRECTION_CODES), "C08", "C61"]),
    st.one_of(st.text(max_size=40), st.from_regex(r"\A[0-9A-Z -]{0,29}\Z")),
)
def test_corrected_data_is_right_or_says_what_is_wrong(code: str, data: str) -> None:
    """Whatever stands there: a correction that holds, or problems; what is read writes the same columns again."""
    read = read_correction(code, data)
    if isinstance(read, WrongCorrection):
        assert read.problems
        return
    assert isinstance(read, Correction)
    account, code_said = read.account_number or "", read.transaction_code or ""
    written = {
        "C01": account,
        "C02": str(read.routing),
        "C03": f"{read.routing}   {account}",
        "C04": read.receiver_name,
        "C05": code_said,
        "C06": f"{account:<17}   {code_said}",
        "C07": f"{read.routing}{account:<17}{code_said}",
        "C09": read.identification,
    }.get(code, read.text)
    assert written == data.rstrip()
