"""What a day's work is composed of, for the command, the scheduler and the demonstration alike; no screen in it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from app.session import Session
from app.settings import Settings
from ingest.funding import MatchReport, sweep
from ingest.kinds import FileKind
from ingest.receiving import FileVerdict, Progress, Receiver, refused
from ingest.reversals import pair_open_reversals
from ingest.waivers import Waiver
from payouts.answers.returns import Posted, post_returns
from payouts.answers.reversed import note_reversed
from payouts.cycle.settlement import Settled, settle
from payouts.disbursing.settling import settle_disbursements
from payouts.people.letters import WrittenLetter, write_letters
from payouts.people.users import APPROVERS, OPERATORS, require
from payouts.resolutions.standing_cases import settle_standing_cases
from payouts.resolutions.suggestions import suggest
from schemas.errors import UnreadableError


class Stand(Protocol):
    """Is told how far a piece of work is, in whatever it counts."""

    def at(self, done: int, total: int | None = None) -> None:
        """Say how far."""


Showing = Callable[[str, int | None], AbstractContextManager[Stand]]
"""Shows a piece of work while it lasts: its name, and how much there is, where that is known."""


class Matched(NamedTuple):
    """What a sweep did: deposits and advices that met, what settled, what came back."""

    report: MatchReport
    settled: list[Settled]
    returned: list[Posted]


class _Unseen:
    def at(self, done: int, total: int | None = None) -> None:
        """Say nothing."""


@contextmanager
def unseen(name: str, total: int | None) -> Iterator[Stand]:
    """Show nothing."""
    del name, total
    yield _Unseen()


def receive(
    session: Session,
    names: Sequence[str],
    expected: FileKind | None = None,
    waiver: Waiver | None = None,
    *,
    show: Showing = unseen,
) -> list[FileVerdict]:
    """Take files in one after the other; one that can not be read does not keep the others out.

    Args:
        session: whose actor takes them in.
        names: paths; ``-`` is standard input.
        expected: the only kind that will do, or any.
        waiver: a rule that who acts lets through.
        show: shows each file's progress in bytes.

    Raises:
        RefusedError: who acts may not.
    """
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS if waiver is None else APPROVERS)
    receiver = session.receiver()
    verdicts = []
    for name in names:
        size = Path(name).stat().st_size if Path(name).is_file() else None
        with show(Path(readable(name)).name, size) as stand:
            verdicts.append(_receive_named(receiver, name, expected, stand.at, waiver))
    return verdicts


def _receive_named(
    receiver: Receiver, path: str, expected: FileKind | None, progress: Progress, waiver: Waiver | None
) -> FileVerdict:
    name = readable(path)
    try:
        if path == "-":
            source = sys.stdin.buffer
            return receive_stream(
                receiver, source, "standard input", expected=expected, progress=progress, waiver=waiver
            )
        with Path(path).open("rb") as source:
            return receive_stream(receiver, source, name, expected=expected, progress=progress, waiver=waiver)
    except OSError as error:
        return refused(name, "file_opens", error.strerror or "it can not be read")


def receive_stream(
    receiver: Receiver,
    source: BinaryIO,
    name: str,
    *,
    expected: FileKind | None = None,
    progress: Progress | None = None,
    waiver: Waiver | None = None,
) -> FileVerdict:
    """Take one open file in; what can not be read is a verdict and no error.

    Raises:
        OSError: the source fails.
        CentralpayError: whatever refuses the operation as such.
    """
    try:
        return receiver.receive(source, name, expected=expected, progress=progress, waiver=waiver)
    except UnreadableError as error:
        return FileVerdict(
            path=name, kind="unknown", sha256="", status="quarantined", findings=error.findings, summary=str(error)
        )


def complaints(verdict: FileVerdict) -> list[str]:
    """Say what a person has to know of a file, a sentence a finding, at most twenty a set."""
    said = [f"{verdict.path}: {finding.sentence()}" for finding in verdict.findings]
    for number, each in enumerate(verdict.sets, 1):
        if each.status in {"quarantined", "conflict"}:
            name = f"{verdict.path}: set {number} ({each.trn or 'no trace'}) {each.status}"
            said += [f"{name}: {finding.sentence()}" for finding in each.findings[:20]] or [f"{name}: other content"]
    return said


def match_all(session: Session, *, show: Showing = unseen) -> Matched:
    """Settle what was released, post the returns whose money is there, sweep both pools and the open reversals.

    Raises:
        RefusedError: who acts may not.
    """
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS)
    with show("matching", None) as stand:
        # First what banks debited and returned: what is left of their lines is then nobody's.
        settled = settle(session.begin, session.actor)
        settle_disbursements(session.begin, session.actor)
        with session.begin() as connection:
            note_reversed(connection, session.actor)
        returned = post_returns(session.begin, session.actor)
        report = sweep(session.begin, session.actor, stand.at)
        with session.begin() as connection:
            pair_open_reversals(connection)
    with session.begin() as connection:
        settle_standing_cases(connection)
        suggest(connection)
    return Matched(report, settled, returned)


def leave_letters(session: Session, out: Path, *, again: int | None = None) -> list[WrittenLetter]:
    """Write the letters that wait as text files into a folder; the next time there are only newer ones.

    Args:
        session: whose actor writes them.
        out: the folder; made when it is not there.
        again: only this one, written before or not.

    Raises:
        RefusedError: who acts may not.
        WrongUseError: there is no such letter, or a file can not be written; no letter counts as written.
    """
    with session.begin() as connection:
        require(connection, session.actor, OPERATORS)
        return write_letters(connection, out, _letterhead(session.settings), session.actor, again=again)


def _letterhead(settings: Settings) -> list[str]:
    office = settings.office
    if office is None:
        return [settings.company_name]
    place = f"{office.city} {office.state} {office.postal_code}"
    return [settings.company_name, office.street, place, f"Telephone {office.telephone}"]


def readable(word: str) -> str:
    """Give a path as text; what is no UTF-8, such as an old file name, becomes question marks."""
    return word.encode("utf-8", "replace").decode("utf-8")
