"""Closing a month: look, lock, seal, pack. Killed at any moment it is run again, and goes on where it was.

One approver closes a month, and not two: a close moves no money and decides nothing that is not a fact. The checks are
computed by the database, the bank's figures are the bank's, and the database itself refuses a day that is not tied
out. What a person does decide, which exceptions are carried over and why, is an approver's act, recorded and told in
the package. To open a month again, by which what was told can come to be otherwise, takes two.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Connection

from ledger import activity
from ledger.activity import Begin
from ledger.proofs import Proof
from ledger.seal.checkpoints import Checkpoint
from payouts.closing.carrying import Carry
from payouts.closing.checks import QUERIES, Proven, look, prove_all, prove_one
from payouts.closing.errors import (
    ClosedWithError,
    CloseUnfinishedError,
    EarlierMonthOpenError,
    MonthBlockedError,
    MonthNotOverError,
    MonthNotProvenError,
    NotClosedError,
    NotSealedError,
    PackageDiffersError,
    PostedMeanwhileError,
    ReasonMissingError,
)
from payouts.closing.model import Close, Findings, Tell, Verdict, month_after
from payouts.closing.packing import Packer
from payouts.closing.reading import closed_with, standing
from payouts.people.users import APPROVERS, require

_TRIES: Final = 3
"""Times that a month is proven anew because something was posted into it meanwhile."""


class Seals(Protocol):
    """What seals the books: ``ledger.seal.sealer.Sealer``."""

    def seal(
        self, actor: str, moment: datetime, progress: Callable[[int, int], None] | None = None
    ) -> Checkpoint | None:
        """Seal what waits."""


class _StaleError(Exception):
    """Something was posted into the month after it was proven."""


@dataclass(frozen=True)
class Closer:
    """Closes months.

    Args:
        begin: opens a unit of work.
        reading: opens a snapshot to read in.
        sealer: seals the books.
        packer: writes the month's package.
        actor: who closes.
        clock: the moment, for the seal.
    """

    begin: Begin
    reading: Callable[[], AbstractContextManager[Connection]]
    sealer: Seals
    packer: Packer
    actor: str
    clock: Callable[[], datetime]

    def check(self, month: date, carries: Sequence[Carry], tell: Tell) -> Findings:
        """Look at a month as if it were to be closed now; nothing is changed.

        Raises:
            CarryError: what is to be carried over is not there.
            NoSuchMonthError: there is no such month.
        """
        with self.reading() as connection:
            standing(connection, month)
            return look(connection, month, prove_all(connection, month, tell), carries)

    def close(self, month: date, on: date, carries: Sequence[Carry], out: Path, tell: Tell) -> Close:
        """Close a month and write its package; of a month that is closed, do what is missing.

        Args:
            month: its first day.
            on: the business date.
            carries: what is carried over by name.
            out: the folder into which the package's folder comes.
            tell: is told how far it is.

        Raises:
            RoleMissingError: who acts is no approver.
            MonthNotOverError, EarlierMonthOpenError, NoSuchMonthError: it is not its turn.
            MonthNotProvenError: a proof fails, or a day is not tied out.
            MonthBlockedError: something is open that blocks; CarryError: what is carried over is not there.
            PostedMeanwhileError: others post into the month all the time.
            PackageDiffersError, PackageAlteredError: the package is another than was recorded, or was changed.
            ExportError: it can not be written.
        """
        with self.begin() as connection:
            require(connection, self.actor, APPROVERS)
            close = standing(connection, month)
            if close is None:
                _see_turn(connection, month, on)
        if close is None:
            close = self._lock(month, on, carries, tell)
        if close.checkpoint_size is None:
            close = self._seal(close, tell)
        self._pack(close, out, tell)
        # The package's hash is a fact as well: sealed, nobody can put another in its place.
        self.sealer.seal(self.actor, self.clock(), lambda done, total: tell("sealing the package", done, total))
        with self.begin() as connection:
            return _found(connection, month)

    def _lock(self, month: date, on: date, carries: Sequence[Carry], tell: Tell) -> Close:
        for _ in range(_TRIES):
            with self.reading() as connection:
                proven = prove_all(connection, month, tell)
            tell("closing", 0, None)
            try:
                with self.begin() as connection:
                    return self._lock_proven(connection, month, on, carries, proven)
            except _StaleError:
                continue
        raise PostedMeanwhileError(month, _TRIES)

    def _lock_proven(
        self, connection: Connection, month: date, on: date, carries: Sequence[Carry], proven: Proven
    ) -> Close:
        """Close the month in the database, if nothing was posted into it since and nothing stands in the way."""
        asked: dict[str, Any] = {"month": month, "next_month": month_after(month)}
        # From here on nobody posts into the month; who was about to is waited for.
        made = connection.execute(QUERIES["close"], {"month": month, "closed_on": on, "actor": self.actor}).one()
        if not made.is_new:
            return _found(connection, month)
        if connection.execute(QUERIES["posted_since"], asked | {"snapshot": proven.snapshot}).scalar_one():
            raise _StaleError
        found = look(connection, month, proven, carries)
        see_closable(month, found)
        _write_down(connection, {"month": month, "version": made.version}, found)
        carried, version = len(found.carried), int(made.version)
        subject = f"{month:%Y-%m}"
        activity.record(
            connection, self.actor, "month_closed", subject, version=version, carried=carried, on=on.isoformat()
        )
        return _found(connection, month)

    def _seal(self, close: Close, tell: Tell) -> Close:
        asked = {"month": close.month, "version": close.version}
        self.sealer.seal(self.actor, self.clock(), lambda done, total: tell("sealing", done, total))
        with self.begin() as connection:
            size = connection.execute(QUERIES["checkpoint_of"], asked).scalar()
            if size is None:
                raise NotSealedError(close.month)
            if connection.execute(QUERIES["add_checkpoint"], asked | {"size": size}).rowcount:
                subject, version = f"{close.month:%Y-%m}", close.version
                activity.record(connection, self.actor, "month_sealed", subject, version=version, checkpoint=int(size))
            return _found(connection, close.month)

    def repack(self, month: date, reason: str, out: Path, tell: Tell) -> Close:
        """Write a package that was lost: the same bytes where the program gives them, else another edition.

        The edition is of the same close and the same checkpoint, names the manifest that it takes the place of, and
        says why. The seal is verified before: an edition shows what this program makes of the same books.

        Raises:
            RoleMissingError: who acts is no approver.
            ReasonMissingError: no reason is given.
            NotClosedError, CloseUnfinishedError: there is no package yet to take the place of.
            MonthNotProvenError: the seal does not hold.
            PackageAlteredError, ExportError: something else stands there, or it can not be written.
        """
        if not reason.strip():
            raise ReasonMissingError("write a package anew")
        with self.begin() as connection:
            require(connection, self.actor, APPROVERS)
            close = standing(connection, month)
            if close is None:
                raise NotClosedError(month, closed_with(connection, month))
        if close.manifest_sha256 is None:
            raise CloseUnfinishedError(month)
        with self.reading() as connection:
            sealed = prove_one(connection, Proof.P11)
        if sealed.verdict is Verdict.FAILS:
            raise MonthNotProvenError(month, [sealed])
        try:
            self._pack(close, out, tell)
        except PackageDiffersError:
            self._pack(close.next_edition(reason.strip()), out, tell)
        self.sealer.seal(self.actor, self.clock(), lambda done, total: tell("sealing the package", done, total))
        with self.begin() as connection:
            return _found(connection, month)

    def _pack(self, close: Close, out: Path, tell: Tell) -> None:
        with self.reading() as connection:
            made = self.packer.pack(connection, close, out, tell)
        asked = {"month": close.month, "version": close.version, "edition": close.edition}
        facts = {"manifest": bytes.fromhex(made.sha256), "reason": close.edition_reason, "actor": self.actor}
        facts["supersedes"] = None if made.supersedes is None else bytes.fromhex(made.supersedes)
        with self.begin() as connection:
            if connection.execute(QUERIES["add_package"], asked | facts).rowcount:
                told: dict[str, str | int] = {
                    "version": close.version,
                    "edition": close.edition,
                    "manifest": made.sha256,
                }
                activity.record(connection, self.actor, "month_packed", f"{close.month:%Y-%m}", **told)
            recorded = connection.execute(QUERIES["package_of"], asked).scalar_one()
        if recorded != made.sha256:
            # Another was faster, with another program.
            raise PackageDiffersError(close.month, recorded, made.sha256, made.path)


def see_closable(month: date, found: Findings) -> None:
    """See that nothing fails and nothing blocks.

    Raises:
        MonthNotProvenError, MonthBlockedError: something does.
    """
    if failing := found.of(Verdict.FAILS):
        raise MonthNotProvenError(month, failing)
    if blocking := found.of(Verdict.BLOCKS):
        raise MonthBlockedError(month, blocking)


def _see_turn(connection: Connection, month: date, on: date) -> None:
    if connection.execute(QUERIES["state"], {"month": month}).scalar() == "closed":
        raise ClosedWithError(month, closed_with(connection, month))
    if on < month_after(month):
        raise MonthNotOverError(month, on)
    earlier = connection.execute(QUERIES["earlier_open"], {"month": month}).scalar()
    if isinstance(earlier, date):
        raise EarlierMonthOpenError(month, earlier)


def _write_down(connection: Connection, key: dict[str, Any], found: Findings) -> None:
    checks = [
        key | each.model_dump(mode="json", exclude={"todo"}) | {"place": place}
        for place, each in enumerate(found.checks, 1)
    ]
    connection.execute(QUERIES["add_checks"], checks)
    if found.carried:
        connection.execute(QUERIES["add_carried"], [key | each.model_dump(mode="json") for each in found.carried])
    connection.execute(QUERIES["add_tie_out"], key)


def _found(connection: Connection, month: date) -> Close:
    found = standing(connection, month)
    if found is None:
        raise LookupError("a month that was closed is closed")
    return found
