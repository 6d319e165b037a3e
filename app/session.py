"""One command's work: settings, keys, vault and database opened once, and closed when the command ends.

What only some commands need (readers of files, the release, papers) is imported where it is made: it would be half of
every command's start.
"""
# ruff: noqa: PLC0415

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from app import database
from app.asked import Asked, asked
from app.database import Role
from app.logs import bind_run, configure_logs, run_id
from app.settings import Settings
from ingest.encryption import Keyring
from ingest.vault import Vault
from ledger.activity import Begin
from ledger.reads import note_if_auditor
from ledger.seal import checkpoints
from ledger.seal.checkpoints import Checkpoint
from ledger.seal.outside import Outside
from ledger.seal.sealer import Sealer
from schemas.calendar import BANK_ZONE
from schemas.errors import WrongUseError

if TYPE_CHECKING:
    from ingest.receiving import Receiver
    from payouts.ach.outgoing import Courier
    from payouts.cycle.cycles import Originator
    from payouts.cycle.release import Releaser
    from payouts.papers.sender import Sender

__all__ = ["BANK_ZONE", "Clock", "Session", "acting_user", "bank_clock", "opened", "out_file"]

Clock = Callable[[], datetime]
"""Gives the moment, aware. File creation times and cut-offs come from it, never accounting dates."""


def bank_clock() -> datetime:
    """Give the moment by the bank's clock."""
    return datetime.now(BANK_ZONE)


@dataclass(frozen=True)
class Session:
    """What a command works with.

    Args:
        settings: the installation's.
        actor: who acts.
        begin: opens a unit of work as the application's role.
        reading: opens a read-only snapshot as the auditor's role.
        keyring: master keys.
        clock: the bank's clock, or another one that a demonstration or a test hands in.
    """

    settings: Settings
    actor: str
    begin: Begin
    reading: Callable[[], AbstractContextManager[Connection]]
    keyring: Keyring
    clock: Clock = bank_clock

    @property
    def vault(self) -> Vault:
        """The vault of received and sent files."""
        return Vault(self.settings.vault_dir, self.keyring)

    @property
    def originator(self) -> "Originator":
        """Who sends the ACH files."""
        from payouts.cycle.cycles import Originator

        settings = self.settings
        return Originator(settings.odfi_routing, settings.company_id, settings.company_name, settings.entry_description)

    @property
    def sender(self) -> "Sender":
        """Who stands at the head of papers, and whom their readers call."""
        from payouts.papers.sender import sender_of

        return sender_of(self.settings.company_full_name or self.settings.company_name, self.settings.office)

    @property
    def now(self) -> datetime:
        """The moment, by the bank's clock."""
        return self.clock().astimezone(BANK_ZONE)

    @property
    def today(self) -> date:
        """The business date of a command that is not told another: today, by the bank's clock."""
        return self.now.date()

    def receiver(self) -> "Receiver":
        """Give what takes files in; one for all files of a command."""
        from ingest.receiving import Receiver
        from payouts.accounts.roster import roster_desk
        from payouts.answers.loading import PaymentFiles

        settings = self.settings
        account = settings.bank_account.get_secret_value()
        days, wait = settings.bank_details_cooling_days, settings.new_accounts_wait
        desk = roster_desk(self.keyring, self.actor, self.today, cooling_days=days, new_accounts_wait=wait)
        # NACHA files and what follows from them are above ingest: their loader is handed in here, and nowhere else.
        payments = PaymentFiles(self.keyring, account, self.actor, self.today, settings.bank_leniencies)
        return Receiver(self.begin, self.vault, self.keyring, account, self.actor, desk, payment_files=payments.load)

    def releaser(self) -> "Releaser":
        """Give what releases cycles, on the bank's clock."""
        from payouts.cycle.release import Releaser

        office = self.settings.office
        form = self.settings.file_form
        return Releaser(self.begin, self.vault, self.keyring, self.actor, self.now, office, form, self.sender)

    def sealer(self) -> Sealer:
        """Give what seals the books and publishes their checkpoints."""
        return Sealer(self.begin, self.settings.seal_keys, self.settings.published)

    def pinned(self) -> Checkpoint:
        """Seal what is recorded and give the last checkpoint: what is read as known at it is all that is recorded now.

        Raises:
            SealError: it can not be sealed.
        """
        self.sealer().seal(self.actor, self.now)
        with self.begin() as connection:
            return checkpoints.named(connection, "latest", self.now)

    @property
    def outside(self) -> Outside:
        """What is compared with the seal: the published checkpoints."""
        return Outside(published=self.settings.checkpoints_folder)

    def courier(self, connection: Connection) -> "Courier":
        """Give what sends files to the bank, on the bank's clock."""
        from payouts.ach.outgoing import Courier

        settings = self.settings
        return Courier(
            connection=connection,
            vault=self.vault,
            originator=self.originator,
            actor=self.actor,
            made_at=self.now,
            form=settings.file_form,
        )


def acting_user(settings: Settings, as_user: str | None) -> str:
    """Say who acts: ``--as``, else CENTRALPAY_USER, else the operating system's user."""
    return as_user or settings.user or pwd.getpwuid(os.geteuid()).pw_name


@contextmanager
def opened(
    as_user: str | None, warn: Callable[[str], None], settings: Settings | None = None, *, clock: Clock = bank_clock
) -> Iterator[Session]:
    """Open everything a command needs; the embedded database is started, and brought up to date when it is new.

    Args:
        as_user: who acts, when the command says so.
        warn: says something on standard error.
        settings: other ones than the environment's.
        clock: another one than the bank's.

    Raises:
        WrongUseError: a setting is wrong, or another server's schema is not up to date.
    """
    settings = settings or Settings.from_environment()
    settings.make_folders()
    configure_logs()
    actor = acting_user(settings, as_user)
    bind_run(run_id(), actor)
    keyring = settings.keyring()
    if keyring.made:
        warn(
            f"A master key was made in {settings.keys_dir}. Without it neither files nor account numbers can be read: "
            "keep a copy elsewhere, or give a key by CENTRALPAY_MASTER_KEY_FILE."
        )
    with ExitStack() as stack:
        url = stack.enter_context(database.opened(settings))
        _ensure_schema(settings, url)
        engines = [database.engine_for(url, role, pool_size=2) for role in (Role.APP, Role.AUDITOR)]
        for engine in engines:
            stack.callback(engine.dispose)
        begin, reading = partial(database.unit_of_work, engines[0]), partial(database.reading, engines[1])
        noting = _Noting(actor, begin)
        yield Session(settings, actor, noting.before(begin), noting.before(reading), keyring, clock)


def note_read(settings: Settings, url: str, as_user: str | None) -> None:
    """Write down what is asked, where an auditor asks it, for a command that opens no session.

    In a database whose schema is not up to date nothing can be written down, and nothing of its books is shown.

    Args:
        settings: the installation's.
        url: of the database, at hand.
        as_user: who acts, when the command says so.

    Raises:
        ReadNotNotedError: it can not be written: do not answer.
    """
    if database.status(url).pending:
        return
    with database.connected(url, Role.APP) as engine:
        _Noting(acting_user(settings, as_user), partial(database.unit_of_work, engine)).note(asked())


class _Noting:
    """Sees to it that what an auditor asks is written down before anything is read for it: the one way to the database.

    Args:
        actor: who acts.
        begin: opens the unit of work that writes it down.
    """

    def __init__(self, actor: str, begin: Begin) -> None:
        self._actor = actor
        self._begin = begin
        self._is_auditor: bool | None = None
        self._noted: list[Asked] = []

    def before(self, opening: Begin) -> Begin:
        """Give a way to open what is opened by the given one, that first notes what is asked, once for a command."""

        @contextmanager
        def noted() -> Iterator[Connection]:
            self.note(asked())
            with opening() as connection:
                yield connection

        return noted

    def note(self, question: Asked) -> None:
        """Write a question down, once for a command, where an auditor asks it.

        Raises:
            ReadNotNotedError: it can not be written: do not answer.
        """
        if self._is_auditor is False or question in self._noted:
            return
        with self._begin() as connection:
            what = question.what or "no command"
            self._is_auditor = note_if_auditor(connection, self._actor, what, question.parameters)
        if question.what:
            self._noted.append(question)


def _ensure_schema(settings: Settings, url: str) -> None:
    status = database.status(url)
    if not status.pending:
        return
    if settings.database_url is not None:
        raise WrongUseError("The database's schema is not up to date; run: centralpay db upgrade")
    database.upgrade(url)


def out_file(path: Path) -> Path:
    """Make the folder of a file that a command is to write.

    Raises:
        WrongUseError: it can not be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUseError(f"{path.parent}: {error.strerror}") from error
    return path
