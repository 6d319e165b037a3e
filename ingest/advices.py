"""Accepted remittances into the books: advices, claim lines by COPY, PLB lines, shares, and ``advised`` entries."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Connection

from ingest.claim_rows import COPY_CLAIMS
from ingest.direct_sets import mark_direct, open_direct_pay_cases
from ingest.directory import Directory, unknown_payee_ids
from ingest.misfits import no_period
from ingest.plb_rows import COPY_PLB, PlbRows
from ingest.received_set import AdviceIdentity, ReceivedSet, SplitError
from ingest.reversals import late_advices, pair_reversals
from ingest.set_cases import open_house_cases, open_set_cases
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.events import Share, advised
from ledger.posting import effective_date, post
from ledger.queries import Queries
from schemas.findings import Finding

_QUERIES = Queries("ingest", "advices.sql")


def findings_json(findings: Iterable[Finding]) -> str:
    """Write findings for a column; no finding holds a patient's data."""
    return json.dumps([finding.model_dump(mode="json", exclude_none=True) for finding in findings])


class _Day(NamedTuple):
    """What there is for a day of payment."""

    day: date
    has_period: bool
    """Whether an accounting period takes it."""
    has_partition: bool
    """Whether the claims of its month have a partition."""


class AdviceWriter:
    """Writes sets within one database transaction.

    Args:
        connection: of the unit of work that commits or forgets all of it.
        directory: who is who.
        file_id: the received file that the sets come from.
        begin: opens a unit of work, for what has to be seen by others at once.
    """

    def __init__(self, connection: Connection, directory: Directory, file_id: int, begin: Begin) -> None:
        self._connection = connection
        self._begin = begin
        self._directory = directory
        self._file_id = file_id
        self._unknown: dict[str, int] = {}
        self._days: dict[date, _Day] = {}

    def lock(self) -> set[int]:
        """Take the file's turn; give the ordinals of the sets that are recorded already."""
        self._connection.execute(_QUERIES["lock_file"], {"file_id": self._file_id})
        return set(self._connection.execute(_QUERIES["recorded_sets"], {"file_id": self._file_id}).scalars())

    def months_without_partition(self, sets: Iterable[ReceivedSet]) -> list[date]:
        """Give the months that the claims of these sets go to and that have an accounting period, but no partition."""
        days = self._look_up(received for received in sets if received.held_claims)
        return sorted({day.day.replace(day=1) for day in days if day.has_period and not day.has_partition})

    def number(self, sets: Sequence[ReceivedSet]) -> None:
        """Give each set the advice id that it will have if it is accepted."""
        for received, advice_id in zip(sets, self.new_ids(len(sets)), strict=True):
            received.advice_id = advice_id

    def new_ids(self, count: int) -> list[int]:
        """Give numbers for that many advices."""
        return list(self._connection.execute(_QUERIES["new_advice_ids"], {"count": count}).scalars())

    def decide(self, sets: Sequence[ReceivedSet]) -> None:
        """Write the advices of sets that balance, or find that they are duplicates or in conflict."""
        fitting = self._fitting([each for each in sets if each.header is not None and each.verdict.balances])
        if not fitting:
            return
        mark_direct(self._connection, self._directory, fitting)
        advices = _columns([_advice(received) for received in fitting]) | {"file_id": self._file_id}
        added = set(self._connection.execute(_QUERIES["add_advices"], advices).scalars())
        others = []
        for received in fitting:
            if received.advice_id in added:
                received.status = "accepted"
            else:
                others.append(received)
        taken = self._taken(others)
        for received in others:
            received.advice_id, content_sha256 = taken[received.identity]
            received.status = "duplicate" if content_sha256 == received.verdict.content_sha256 else "conflict"

    def may_take(self, received: ReceivedSet) -> bool:
        """Say of a set whose end is not read yet whether a period takes it, and no advice has its identity."""
        return all(day.has_period for day in self._look_up([received])) and not self._taken([received])

    @contextmanager
    def copying(self) -> Iterator[Callable[[ReceivedSet], None]]:
        """Hold a COPY of claims open; nothing else can be asked of the transaction until it ends.

        The partitions of the claims' months must be there.

        Yields:
            What copies the claims that a set holds and lets go of them; it rarely waits for the server.
        """
        with self._copy(COPY_CLAIMS) as copy:

            def write(received: ReceivedSet) -> None:
                if received.rows is not None and received.rows.count:
                    self._register(received.rows.unknown)
                    copy.write(received.rows.take(received.advice_id, self._unknown))

            yield write

    def copy_claims(self, sets: Iterable[ReceivedSet]) -> None:
        """Copy the claims that the sets hold, and let go of them."""
        holding = [received for received in sets if received.held_claims]
        if holding:
            with self.copying() as copy:
                for received in holding:
                    copy(received)

    def finish(self, sets: Sequence[ReceivedSet], actor: str) -> None:
        """Write PLB lines, shares, ledger entries and cases of what was decided, and the record of every set.

        Reversals are paired last: who pairs takes turns with others until the end of its transaction.
        """
        accepted = [received for received in sets if received.status == "accepted"]
        if accepted:
            self._book(accepted, actor)
        records = _columns([_record(received) for received in sets]) | {"file_id": self._file_id}
        self._connection.execute(_QUERIES["add_sets"], records)
        open_set_cases(self._connection, self._file_id, sets)
        self._pair(accepted)

    def take_place(self, received: ReceivedSet, replaces: int, approval_id: int, *, day: date, actor: str) -> None:
        """Finish a set that is on record in conflict: it takes the place of the advice that it is in conflict with.

        It is advised on the day on which the other was reversed, so that no day has both.
        """
        self._book([received], actor, not_before=day)
        facts = {"advice_id": received.advice_id, "replaces": replaces, "approval_id": approval_id}
        self._connection.execute(_QUERIES["add_replacement"], facts)
        place = {"file_id": self._file_id, "set_ordinal": received.verdict.ordinal}
        self._connection.execute(_QUERIES["accept_set"], facts | place)
        self._pair([received])

    def register(self, identifiers: Iterable[str]) -> None:
        """Number identifiers that name no member; while claims are copied nothing can be asked of the transaction."""
        self._register(identifiers)

    def _book(self, accepted: Sequence[ReceivedSet], actor: str, *, not_before: date = date.min) -> None:
        """Write PLB lines, shares and ledger entries; a direct advice has none of the last."""
        self._copy_plb(accepted)
        ids = [received.advice_id for received in accepted]
        self._connection.execute(_QUERIES["add_shares"], {"advice_ids": ids})
        self._post(accepted, actor, not_before)
        open_direct_pay_cases(self._connection, accepted)

    def _pair(self, accepted: Sequence[ReceivedSet]) -> None:
        """Pair reversals with their originals, whichever of them came now."""
        reversing = {received.advice_id for received in accepted if received.has_reversal}
        if plain := {received.advice_id for received in accepted} - reversing:
            reversing |= late_advices(self._connection, sorted(plain))
        pair_reversals(self._connection, sorted(reversing))

    def _fitting(self, balanced: Sequence[ReceivedSet]) -> list[ReceivedSet]:
        """Give the sets that the books can hold; a finding quarantines each of the others."""
        open_days = {day.day for day in self._look_up(balanced) if day.has_period}
        fitting = []
        for received in balanced:
            header, misfit = received.header, received.find_misfit()
            if header is not None and header.settled_on not in open_days:
                misfit = no_period(header.settled_on)
            if misfit is None:
                fitting.append(received)
            else:
                received.refuse(misfit)
        return fitting

    def _look_up(self, sets: Iterable[ReceivedSet]) -> list["_Day"]:
        """Say what there is for the days of payment of sets; each is asked once."""
        days = {received.header.settled_on for received in sets if received.header}
        if asked := sorted(days - self._days.keys()):
            rows = self._connection.execute(_QUERIES["days"], {"days": asked})
            self._days |= {row.day: _Day(*row) for row in rows}
        return [self._days[day] for day in days]

    def _taken(self, sets: Sequence[ReceivedSet]) -> dict[AdviceIdentity, tuple[int, bytes]]:
        """Give number and content of the advices that have the identities of sets."""
        if not sets:
            return {}
        rows = self._connection.execute(_QUERIES["taken"], _columns([each.identity._asdict() for each in sets]))
        return {AdviceIdentity(*row[:4]): (row.advice_id, row.content_sha256) for row in rows}

    def _register(self, identifiers: Iterable[str]) -> None:
        fresh = {identifier for identifier in identifiers if identifier not in self._unknown}
        if fresh:
            # Committed at once: loads that meet the same identifiers do not wait for each other's claims.
            with self._begin() as connection:
                self._unknown.update(unknown_payee_ids(connection, fresh))

    @contextmanager
    def _copy(self, statement: str) -> Iterator[psycopg.Copy]:
        driver = self._connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("COPY needs psycopg")
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield copy

    def _copy_plb(self, accepted: Sequence[ReceivedSet]) -> None:
        adjusted = [PlbRows.of(received, self._directory) for received in accepted if received.verdict.plb]
        if adjusted:
            self._register(unknown for rows in adjusted for unknown in rows.unknown)
            with self._copy(COPY_PLB) as copy:
                for rows in adjusted:
                    for block in rows.blocks(self._unknown):
                        copy.write(block)

    def _post(self, accepted: Sequence[ReceivedSet], actor: str, not_before: date) -> None:
        shares = shares_of(self._connection, [received.advice_id for received in accepted])
        batch = Batch()
        for received in accepted:
            header = received.header
            own = shares.get(received.advice_id, [])
            if header is None or sum(share.cents for share in own) != header.payment_cents:
                raise SplitError(f"The shares of advice {received.advice_id} do not add up to its payment.")
            if received.direct_pay_id is None:
                batch.add(advised(received.advice_id, max(header.settled_on, not_before), own))
        post(self._connection, batch, actor)
        open_house_cases(self._connection, [share for own in shares.values() for share in own])


def shares_of(connection: Connection, advice_ids: Sequence[int]) -> dict[int, list[Share]]:
    """Give the shares of advices by advice, as they are posted."""
    shares: dict[int, list[Share]] = {}
    for row in connection.execute(_QUERIES["shares"], {"advice_ids": list(advice_ids)}):
        share = Share(row.owner_id, row.advice_id, row.cents, row.identifier)
        shares.setdefault(row.advice_id, []).append(share)
    return shares


def make_partition(connection: Connection, month: date) -> None:
    """Make the partition of a month's claims, where there is an accounting period; it is there or made.

    It waits for whoever writes claims and keeps others out: call it in a unit of work of its own.
    """
    # The turn first, by itself: only the statement after it is sure to see what another process has just made.
    connection.execute(_QUERIES["lock_partitions"])
    if effective_date(connection, month) is not None:
        connection.execute(_QUERIES["ensure_partition"], {"paid_on": month})


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Turn rows into columns: a parameter for each, an array."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def _advice(received: ReceivedSet) -> dict[str, Any]:
    header, end = received.header, received.verdict
    if header is None:
        raise SplitError("A set without a usable head is no advice.")
    return received.identity._asdict() | {
        "advice_id": received.advice_id,
        "content_sha256": end.content_sha256,
        "set_ordinal": end.ordinal,
        "payer_name": header.payer_name,
        "method": header.method,
        "paid_on": header.settled_on,
        "payment_cents": header.payment_cents,
        "claim_count": end.claim_count,
        "claims_cents": end.claims_paid_cents,
        "plb_cents": sum(adjustment.amount_cents for adjustment in end.plb),
        "byte_start": end.byte_start,
        "byte_end": end.byte_end,
        "delimiters": header.delimiters.text,
        "direct_pay_id": received.direct_pay_id,
    }


def _record(received: ReceivedSet) -> dict[str, Any]:
    header, end = received.header, received.verdict
    return {
        "set_ordinal": end.ordinal,
        "trace_number": received.shown_trace,
        "payer_id": header.payer_id.replace("\0", "?") if header else "",
        "status": received.status,
        "claim_count": end.claim_count,
        "payment_cents": header.payment_cents if header else None,
        "findings": findings_json(end.findings),
        "content_sha256": end.content_sha256,
        "byte_start": end.byte_start,
        "byte_end": end.byte_end,
        "advice_id": None if received.status == "quarantined" else received.advice_id,
    }
