"""Rows of COPY text read back as what was written, whatever characters the texts are made of."""

from datetime import date
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from ingest.claim_rows import ClaimRows
from ingest.directory import Directory
from ingest.x12.model import Claim

DAY = date(2026, 11, 16)
DIRECTORY = Directory([("NPI:1", "20200101", "99991231", UUID(int=1))])
UNESCAPED = {"\\\\": "\\", "\\t": "\t", "\\n": "\n", "\\r": "\r"}
TEXTS = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=30)
AWKWARD = st.sampled_from(["\\N", "\\.", "\\", "\t", "\r\n", "\\t", "N\\"])
WORDS = TEXTS | AWKWARD


def _read(field: str) -> str:
    """Read a field as the documentation of COPY says: a backslash and what follows are one character."""
    read, rest = "", field
    while rest:
        taken = 2 if rest[0] == "\\" else 1
        read += UNESCAPED[rest[:taken]] if taken == 2 else rest[0]
        rest = rest[taken:]
    return read


@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from(["NPI:1", "NPI:2", ""])), min_size=1, max_size=8))
def test_texts_come_back_as_they_were(said: list[tuple[str, str, str]]) -> None:
    """Prescription and claim numbers of any characters are the same after COPY has read them; no row is lost."""
    claims = [
        Claim(number, payee, rx, "1", 5, 5, 0, claim_number, "", "", "", "", "", number, number + 1)
        for number, (rx, claim_number, payee) in enumerate(said)
    ]
    rows = ClaimRows(DAY, DIRECTORY)
    assert rows.add(claims) is None
    lines = rows.take(1, dict.fromkeys(rows.unknown, 9)).split("\n")
    assert lines.pop() == ""
    fields = [line.split("\t") for line in lines]
    assert {len(row) for row in fields} == {18}
    assert {int(row[4]): (_read(row[5]), _read(row[10])) for row in fields} == {
        number: (rx, claim_number) for number, (rx, claim_number, _) in enumerate(said)
    }
