"""CAMT.053: whatever is written reads back; whatever is damaged is refused, never half-read."""

import io
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.demo.simulator.camt053 import write_camt053
from ingest.bank.bai2_writer import StatementLine
from ingest.bank.camt053 import read_camt053
from schemas.errors import UnreadableError
from tests.support.camt053 import ACCOUNT, DAY, Details, Entry, Page, Style, camt

_words = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=("C", "Z")), max_size=30)
_texts = st.lists(_words.filter(bool), max_size=4).map(" ".join)
_cents = st.integers(-(10**11), 10**11)
_details = st.builds(Details, cents=_cents, ustrd=st.lists(_texts, max_size=3), reference=_words, further=_texts)


@st.composite
def _entries(draw: st.DrawFn) -> Entry:
    details = draw(st.lists(_details, max_size=3))
    cents = sum(each.cents or 0 for each in details) if details else draw(_cents)
    codes = st.sampled_from([("PMNT", "RCDT", "ESCT"), ("PMNT", "ICDT", "RRTN"), ()])
    return Entry(
        cents=cents,
        status=draw(st.sampled_from(["BOOK", "BOOK", "BOOK", "PDNG"])),
        reference=draw(_words),
        codes=draw(codes),
        is_reversal=draw(st.booleans()),
        details=details,
        further=draw(_texts),
    )


_styles = st.builds(
    Style, version=st.integers(2, 13), prefix=st.sampled_from(["", "n0"]), is_indented=st.booleans()
)  # fmt: skip
_lines = st.lists(
    st.builds(
        StatementLine,
        st.sampled_from(["115", "142", "165", "195", "257", "451", "455", "475"]),
        st.integers(1, 10**11),
        _words,
        _words.filter(lambda word: word != "NOTPROVIDED"),
        _texts,
    ),
    max_size=8,
)


@given(_lines, st.integers(-(10**12), 10**12))
def test_what_the_bank_writes_reads_back(lines: list[StatementLine], opening_cents: int) -> None:
    """parse(write(x)) = x for any references and texts."""
    content = write_camt053(account=ACCOUNT, as_of=DAY, opening_cents=opening_cents, items=lines)
    (statement,) = read_camt053(io.BytesIO(content), "x").statements
    assert (statement.account, statement.as_of, statement.opening_cents) == (ACCOUNT, DAY, opening_cents)
    assert [
        (each.type_code, each.amount_cents, each.bank_reference, each.customer_reference, each.text)
        for each in statement.items
    ] == lines


@given(st.lists(_entries(), max_size=5), _styles, st.integers(-(10**12), 10**12))
def test_every_style_reads_the_same_money(entries: list[Entry], style: Style, opening_cents: int) -> None:
    """In every version, with and without prefix and line breaks: each booked cent, once, split or not."""
    (statement,) = read_camt053(
        io.BytesIO(camt(Page(entries=entries, opening_cents=opening_cents), style=style)), "x"
    ).statements
    moved = [each.amount_cents if each.is_credit else -each.amount_cents for each in statement.items]
    expected = [
        cents
        for entry in entries
        if entry.status == "BOOK"
        for cents in ([each.cents or 0 for each in entry.details] if len(entry.details) > 1 else [entry.cents])
        if cents
    ]
    assert moved == expected
    assert statement.closing_cents == opening_cents + sum(moved)
    assert [each.ordinal for each in statement.items] == list(range(1, len(moved) + 1))


@given(st.lists(_entries(), min_size=1, max_size=4), st.data())
def test_a_changed_amount_is_refused(entries: list[Entry], data: st.DataObject) -> None:
    """No amount of a booked entry can change unnoticed, by a cent or more."""
    booked = [number for number, entry in enumerate(entries) if entry.status == "BOOK"]
    if not booked:
        return
    number = data.draw(st.sampled_from(booked))
    more = data.draw(st.integers(1, 10**9))
    closing_cents = sum(entry.cents for entry in entries if entry.status == "BOOK")
    changed = [*entries]
    changed[number] = replace(entries[number], cents=entries[number].cents + more)
    try:
        read_camt053(io.BytesIO(camt(Page(entries=changed, closing_cents=closing_cents))), "x")
    except UnreadableError as error:
        assert {each.rule for each in error.findings} <= {"balance", "details_sum"}  # noqa: PT017 (the other outcome is asserted below)
    else:
        raise AssertionError("a changed amount was read")


@given(st.lists(_entries(), max_size=3), _styles, st.data())
def test_damage_is_refused_or_leaves_every_cent(entries: list[Entry], style: Style, data: st.DataObject) -> None:
    """Bytes removed, doubled or replaced anywhere: refused with findings, or read with the same movement of money."""
    content = camt(Page(entries=entries), style=style)
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 60, len(content))))
    noise = st.sampled_from([b"", content[start:end] * 2, b"<", b">", b"&lt;", b"&x;", b"\x00", b"</Ntry>", b"<Ntry>"])
    middle = data.draw(st.binary(max_size=10) | noise)
    try:
        file = read_camt053(io.BytesIO(content[:start] + middle + content[end:]), "x")
    except UnreadableError as error:
        assert error.findings  # noqa: PT017 (a refusal is one of two right outcomes)
        return
    moved = sum(
        each.amount_cents if each.is_credit else -each.amount_cents
        for statement in file.statements
        for each in statement.items
    )
    assert moved == sum(entry.cents for entry in entries if entry.status == "BOOK")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(content: bytes) -> None:
    """Whatever comes, the answer is findings."""
    try:
        read_camt053(io.BytesIO(content), "x")
    except UnreadableError as error:
        assert error.findings  # noqa: PT017 (the other outcome is asserted below)
    else:
        raise AssertionError("noise was read")
