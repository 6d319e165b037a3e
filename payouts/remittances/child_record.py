"""The record of the remittances that a release wrote: each set as it was read back, held against what was meant.

Source: 005010X221A1, section 1.10.2.1.3 (a set balances); CAQH CORE 370 (a payment has its remittance's trace number).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from ledger.queries import Queries
from payouts.children.model import ChildSet, OwnItem
from payouts.children.telling import ToldSet
from payouts.errors import ChildrenDifferError

_QUERIES = Queries("payouts", "remittances.sql")
_FILE = ("member_id", "file_name", "byte_start", "byte_end", "sha256")
_SET = (
    "member_id", "set_ordinal", "payout_id", "advice_id", "trace_number", "method", "claim_count", "claims_cents",
    "payer_plb_cents", "own_plb_cents", "payment_cents",
)  # fmt: skip
_AT_ONCE = 5_000
"""Rows of a statement. A COPY would be faster, and is not for tables of which members see their own rows alone."""


class MeantSet(NamedTuple):
    """What a set shall say; the names are those of ``ToldSet``, but for what only the books know."""

    payout_id: int | None
    advice_id: int | None
    trace_number: str
    method: str
    payment_cents: int
    claim_count: int
    charge_cents: int
    claims_cents: int
    payer_plb_cents: int
    own: tuple[OwnItem, ...]


class MeantFile(NamedTuple):
    """A member's file: where it stands in the stream of all, and its sets in their order."""

    member_id: UUID
    file_name: str
    payee: str
    identifiers: frozenset[str]
    """All that claims may call the member, such as ``NPI:1234567893``."""
    start: int
    end: int
    sha256: bytes
    sets: tuple[MeantSet, ...]


def meant_set(child_set: ChildSet, payout_id: int | None) -> MeantSet:
    """Keep what a set shall say, without what it copies."""
    source = child_set.source
    return MeantSet(
        payout_id=payout_id,
        advice_id=None if source is None else source.advice_id,
        trace_number=child_set.trace_number,
        method=child_set.method.value,
        payment_cents=child_set.payment_cents,
        claim_count=0 if source is None else source.claim_count,
        charge_cents=0 if source is None else source.charge_cents,
        claims_cents=0 if source is None else source.claims_cents,
        payer_plb_cents=0 if source is None else source.plb_cents,
        own=child_set.own,
    )


def record_children(connection: Connection, cycle_id: int, files: Sequence[MeantFile], told: Iterable[ToldSet]) -> None:
    """Record files and sets, the sets as they were read, and mark their shares as told.

    Raises:
        ChildrenDifferError: a set says something else than was meant, or is missing, or is too much.
    """
    rows = ((each.member_id, each.file_name, each.start, each.end, each.sha256) for each in files)
    _add(connection, "add_files", cycle_id, _FILE, rows)
    _add(connection, "add_sets", cycle_id, _SET, _compared(cycle_id, files, told))
    marked = connection.execute(_QUERIES["mark_told"], {"cycle_id": cycle_id}).scalar_one()
    if marked != sum(each.advice_id is not None for file in files for each in file.sets):
        raise ChildrenDifferError(cycle_id, "a share that it tells was told before")


def _compared(cycle_id: int, files: Sequence[MeantFile], told: Iterable[ToldSet]) -> Iterator[tuple[object, ...]]:
    """Give the row of each set that says what was meant."""
    meant = ((file, ordinal, each) for file in files for ordinal, each in enumerate(file.sets, 1))
    for expected, read in zip_longest(meant, told):
        if expected is None or read is None:
            raise ChildrenDifferError(cycle_id, "there are not as many sets as were written")
        file, ordinal, each = expected
        differing = _differing(file, each, read)
        if differing:
            raise ChildrenDifferError(cycle_id, f"set {ordinal} of {file.file_name} differs in {', '.join(differing)}")
        figures = (read.claims_cents, read.payer_plb_cents, read.own_plb_cents, read.payment_cents)
        names = (each.payout_id, each.advice_id, read.trace_number, read.method, read.claim_count)
        yield file.member_id, ordinal, *names, *figures


def _differing(file: MeantFile, meant: MeantSet, told: ToldSet) -> list[str]:
    """Name what a set does not say as it was meant."""
    pairs = (
        ("trace number", meant.trace_number, told.trace_number),
        ("method", meant.method, told.method),
        ("payment", meant.payment_cents, told.payment_cents),
        ("payee", file.payee, told.payee),
        ("count of claims", meant.claim_count, told.claim_count),
        ("charges", meant.charge_cents, told.charge_cents),
        ("amount of claims", meant.claims_cents, told.claims_cents),
        ("payer's adjustments", meant.payer_plb_cents, told.payer_plb_cents),
        ("own adjustments", meant.own, told.own),
    )
    differing = [name for name, expected, found in pairs if expected != found]
    if not told.claim_payees <= file.identifiers:
        differing.append("whose claims they are")
    if not file.start <= told.byte_start < told.byte_end <= file.end:
        differing.append("place")
    return differing


def _add(
    connection: Connection, query: str, cycle_id: int, names: Sequence[str], rows: Iterable[tuple[object, ...]]
) -> None:
    """Insert rows, some thousand at a time."""
    waiting = iter(rows)
    while batch := list(islice(waiting, _AT_ONCE)):
        columns = dict(zip(names, map(list, zip(*batch, strict=True)), strict=True))
        connection.execute(_QUERIES[query], {"cycle_id": cycle_id, **columns})
