"""The members' remittances of a cycle: written as one stream into the vault, read back from there, and recorded.

Nobody's bytes are held: the stream is composed while the vault compresses and encrypts it. It is made before anything
is posted, and whatever does not come to what was approved refuses the release.
"""

import hashlib
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Connection, Row

from ingest.encryption import Keyring
from ingest.models import bank_account_context
from ingest.roster import AccountType
from ingest.vault import Vault
from ledger.queries import Queries
from payouts.children.composing import compose
from payouts.children.model import Child, ChildSet, Form, Method, Office, OwnItem, Receiver, Sender, Source
from payouts.children.telling import read_back
from payouts.children.writer import write_child
from payouts.errors import ChildrenDifferError
from payouts.remittances.child_record import MeantFile, MeantSet, meant_set, record_children
from payouts.remittances.payer_files import ParentFiles, parents_of, read_sources
from payouts.remittances.pipe import piped
from payouts.remittances.shares import own_items, payout_trace, unpaid_trace
from schemas.identifiers import AbaRouting, Ncpdp, Npi, PayerId, Tin

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

Progress = Callable[[str, int, int], None]
"""Told what is in hand, how much of it is done, and of how much."""

_QUERIES = Queries("payouts", "remittances.sql")
_FETCHED_ROWS: Final = 500
_CONTROL_NUMBERS: Final = 1000
"""ISA13 that a cycle has for a member: more than there are kinds of delimiters, and others in the next cycle."""
_OWNER_NUMBERS: Final = 100
"""Those of them that each owner of one pharmacy has: their files go to the same receiver."""
_NINE_DIGITS: Final = 10**9


class Written(NamedTuple):
    """What a release wrote: the file of all remittances in the vault, if there is any, and how many they are."""

    sha256: str | None
    files: int
    sets: int


@dataclass
class ChildFile:
    """Writes the remittances of one cycle, within the transaction that releases it.

    Args:
        connection: of the unit of work; used by another thread while the vault takes the stream.
        vault: keeps the payers' files, and takes the members'.
        keyring: opens account numbers.
        cycle: the cycle's row.
        made_at: the moment of making, in the bank's time zone.
        office: where the PSAO is, when it says so.
        progress: told the members that are done.
    """

    connection: Connection
    vault: Vault
    keyring: Keyring
    cycle: Mapping[str, Any]
    made_at: datetime
    office: Office | None
    progress: Progress
    _files: list[MeantFile] = field(default_factory=list)
    _unpaid: int = 0

    def write(self, payouts: Iterable[Row[Any]], silent: Iterable[UUID]) -> Written:
        """Write, read back and record the remittances of all members that the cycle tells, but the silent ones.

        Args:
            payouts: those that leave.
            silent: members that are told nothing: what is theirs waits for another cycle.

        Raises:
            ChildrenDifferError: what the books or the vault hold, or what is read back, is not what was approved.
        """
        facts = {"cycle_id": self._cycle_id, "silent": list(silent)}
        members = {row.member_id: row for row in self.connection.execute(_QUERIES["told_members"], facts)}
        if not members:
            return Written(None, 0, 0)
        paid: dict[UUID, list[Row[Any]]] = defaultdict(list)
        for row in payouts:
            if row.amount_cents:
                paid[row.member_id].append(row)
        name = f"the remittances of cycle {self._cycle_id}"
        try:
            with piped(lambda out: self._write(out, members, paid, facts)) as stream:
                stored = self.vault.store(stream, name, unpack=False)
        except ValueError as error:
            raise ChildrenDifferError(self._cycle_id, str(error)) from error
        with self.vault.open(stored.sha256) as kept:
            record_children(self.connection, self._cycle_id, self._files, read_back(kept, name))
        return Written(stored.sha256, len(self._files), sum(len(file.sets) for file in self._files))

    @property
    def files(self) -> tuple[MeantFile, ...]:
        """The files that were written, as they were meant and read back."""
        return tuple(self._files)

    @property
    def _cycle_id(self) -> int:
        return int(self.cycle["cycle_id"])

    def _write(
        self,
        out: BinaryIO,
        members: Mapping[UUID, Row[Any]],
        paid: Mapping[UUID, Sequence[Row[Any]]],
        facts: dict[str, Any],
    ) -> None:
        items = own_items(self.connection, self._cycle_id)
        start = 0
        for member, sources in self._sources(members, facts):
            payouts = paid.get(member.member_id, ())
            numbers = {row.advice_id: row.payout_id for row in payouts}
            sets = self._compose(member, sources, items.get(member.member_id, ()), numbers)
            child = self._child(member, sets, payouts)
            tape = _Tape(out)
            write_child(cast("BinaryIO", tape), child)
            meant = self._meant(member, child, numbers)
            _see_paid(member, meant, payouts)
            self._files.append(self._file(member, meant, start, tape))
            start += tape.size
            self.progress("writing the members' 835s", len(self._files), len(members))

    def _sources(
        self, members: Mapping[UUID, Row[Any]], facts: dict[str, Any]
    ) -> Iterator[tuple[Row[Any], list[Source]]]:
        """Give each member with its sources: those with shares as they stand in the files, then those without."""
        parents = parents_of(self.connection, self.vault, self._cycle_id)
        told: set[UUID] = set()
        if parents:
            days = [parent.paid_on for parent in parents.values()]
            asked = facts | {"advices": list(parents), "first_paid_on": min(days), "last_paid_on": max(days)}
            streaming = {"stream_results": True, "yield_per": _FETCHED_ROWS}
            shares = self.connection.execute(_QUERIES["told_shares"], asked, execution_options=streaming)
            with shares, ParentFiles(self.vault) as files:
                for member_id, sources in read_sources(shares, parents, files):
                    told.add(member_id)
                    yield members[member_id], sources
        yield from ((row, []) for member_id, row in members.items() if member_id not in told)

    def _compose(
        self, member: Row[Any], sources: Sequence[Source], own: Sequence[OwnItem], numbers: Mapping[int | None, int]
    ) -> tuple[ChildSet, ...]:
        """Compose a member's sets; ``numbers`` are its payouts by advice, by None the one that is of no advice."""

        def trace_number(advice_id: int | None) -> str:
            if advice_id in numbers:
                return payout_trace(self._cycle_id, numbers[advice_id])
            self._unpaid += 1
            return unpaid_trace(self._cycle_id, self._unpaid)

        form = Form(member.form)
        return compose(sources, own, paid_cents=member.paid_cents, form=form, trace_number=trace_number)

    @cached_property
    def _sender(self) -> Sender:
        return Sender(
            company_id=PayerId(self.cycle["company_id"]),
            company_name=self.cycle["company_name"],
            odfi_routing=AbaRouting(self.cycle["odfi_routing"]),
            office=self.office,
        )

    def _child(self, member: Row[Any], sets: tuple[ChildSet, ...], payouts: Sequence[Row[Any]]) -> Child:
        first = self._cycle_id * _CONTROL_NUMBERS + (member.owner_place - 1) * _OWNER_NUMBERS
        return Child(
            receiver=self._receiver(member, payouts),
            sender=self._sender,
            sets=sets,
            effective_on=self.cycle["effective_on"],
            made_at=self.made_at,
            control_number=first % _NINE_DIGITS + 1,
        )

    def _receiver(self, member: Row[Any], payouts: Sequence[Row[Any]]) -> Receiver:
        receiver = Receiver(
            ncpdp_id=Ncpdp(member.ncpdp_id), npi=Npi(member.npi), name=member.legal_name, tin=Tin(member.tin)
        )
        if not payouts:
            return receiver
        account = payouts[0]
        number = self.keyring.open(bytes(account.sealed_number), bank_account_context(account.bank_account_id))
        return replace(
            receiver,
            routing_number=AbaRouting(account.routing_number),
            account_number=number.decode(),
            account_type=AccountType(account.account_type),
        )

    @staticmethod
    def _meant(member: Row[Any], child: Child, numbers: Mapping[int | None, int]) -> tuple[MeantSet, ...]:
        """Keep what the sets shall say, in the order in which they are written."""
        is_combined = member.form == Form.COMBINED
        meant = []
        for child_set in chain.from_iterable(child.by_delimiters().values()):
            advice_id = None if is_combined or child_set.source is None else child_set.source.advice_id
            payout_id = numbers.get(advice_id) if child_set.method is Method.ACH else None
            meant.append(meant_set(child_set, payout_id))
        return tuple(meant)

    def _file(self, member: Row[Any], sets: tuple[MeantSet, ...], start: int, tape: "_Tape") -> MeantFile:
        # A pharmacy that changed hands has two members. Who sends the files on must not give one's claims to the other.
        former = f"-former-{member.owner_place - 1}" if member.owner_place > 1 else ""
        return MeantFile(
            member_id=member.member_id,
            file_name=f"{member.ncpdp_id}-{self.cycle['business_date']}-cycle-{self._cycle_id}{former}.835",
            payee=f"NPI:{member.npi}",
            identifiers=frozenset(member.identifiers),
            start=start,
            end=start + tape.size,
            sha256=tape.digest.digest(),
            sets=sets,
        )


def _see_paid(member: Row[Any], sets: Iterable[MeantSet], payouts: Iterable[Row[Any]]) -> None:
    """See that each payout is what the sets under its trace number pay."""
    pays: Counter[int | None] = Counter()
    for each in sets:
        pays[each.payout_id] += each.payment_cents
    if +pays != Counter({row.payout_id: row.amount_cents for row in payouts}):
        raise ValueError(f"the remittance of {member.ncpdp_id} does not pay what its payouts do")


class _Tape(io.RawIOBase):
    """What is written of one file, on its way into the stream of all: measured and digested."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self.size = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        written = bytes(data)
        self._out.write(written)
        self.digest.update(written)
        self.size += len(written)
        return len(written)
