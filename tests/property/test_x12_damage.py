"""X12 835 under damage: one set never takes its neighbours with it, and no claim goes missing without a word."""

import io

from hypothesis import given
from hypothesis import strategies as st

from ingest.x12.model import Claim, FileEnd, SetEnd
from ingest.x12.reader import read_remittances
from schemas.findings import Severity
from tests.property.test_x12_reading import SETS, Delimiting, WrittenClaim, written

Place = tuple[float, int, int]
"""Where, as a part of the whole; how many bytes are dropped; what byte comes instead, none when negative."""
PLACES = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.integers(-1, 255))


def damaged(content: bytes, first: int, after: int, place: Place) -> bytes:
    """Drop and put bytes somewhere between two places."""
    part, drop, byte = place
    at = first + int(part * (after - first))
    return content[:at] + (bytes((byte,)) if byte >= 0 else b"") + content[min(at + drop, after) :]


def sets_of(content: bytes) -> tuple[list[tuple[SetEnd, list[Claim]]], FileEnd]:
    """Read a file; give each set with its claims, and the file's end."""
    sets, claims = [], []
    for event in read_remittances(io.BytesIO(content), "era.835"):
        if isinstance(event, list):
            claims += event
        elif isinstance(event, SetEnd):
            sets.append((event, claims))
            claims = []
        elif isinstance(event, FileEnd):
            return sets, event
    raise AssertionError("no end")


@given(SETS, st.integers(0, 2), PLACES)
def test_damage_stays_in_its_set(
    sets: list[tuple[list[WrittenClaim], list[tuple[str, int]]]], chosen: int, place: Place
) -> None:
    """Bytes lost or changed between ST and SE: other sets are read as before, this one pays the same or is refused."""
    content = written(sets, Delimiting())
    before, _ = sets_of(content)
    chosen %= len(before)
    end, claims = before[chosen]
    after, file = sets_of(damaged(content, end.byte_start, end.byte_end - 1, place))
    accepted = {each.content_sha256: [claim[:-2] for claim in of_it] for each, of_it in after if each.balances}
    for each, of_it in before[:chosen] + before[chosen + 1 :]:
        assert accepted[each.content_sha256] == [claim[:-2] for claim in of_it]
    if len(after) < len(before):
        assert any(finding.severity is Severity.REFUSE for finding in file.findings)
        return
    damaged_end, left = after[chosen]
    if damaged_end.balances:
        assert sum(claim.charge_cents for claim in left) == sum(claim.charge_cents for claim in claims)
        assert sum(claim.paid_cents for claim in left) == sum(claim.paid_cents for claim in claims)
