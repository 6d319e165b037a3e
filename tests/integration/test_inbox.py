"""The inbox: what lies whole is taken once, in order, and moved; nothing else is touched, whatever its name."""

import errno
import gzip
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text

from app.database import Role, connected, reading, unit_of_work
from app.scheduler.filing import InboxUnfitError
from app.scheduler.inbox import Inbox
from app.scheduler.runner import never
from app.session import Session
from app.settings import Settings
from ingest.cases import CaseKind, find_case, list_cases
from ingest.vault.folder import VaultUnusableError
from payouts.jobs.runs import RunState
from payouts.people.users import UserRole, add_user
from payouts.resolutions.actions import resolve
from payouts.resolutions.frame import Action, Resolution
from tests.support.bank import Bank, paid_in
from tests.support.scheduling import HandClock, local, runner_of
from tests.support.trade import A, B, Part, payer_file, remittance, remittance_file, roster_file

FRIDAY = date(2026, 11, 20)


@pytest.fixture
def session(app: Engine, database_url: str, quick_path: Path) -> Iterator[Session]:
    """Give a session of an operator, on a Friday morning, without any member."""
    settings = Settings(home=quick_path, database_url=SecretStr(database_url))
    with unit_of_work(app) as connection:
        add_user(connection, "scheduler", UserRole.OPERATOR, "mary")
    with connected(database_url, Role.AUDITOR) as auditor:
        begin, look = partial(unit_of_work, app), partial(reading, auditor)
        clock = HandClock(local("2026-11-20T09:00"))
        yield Session(settings, "scheduler", begin, look, settings.keyring(), clock)


class Seconds:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Give them."""
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    """Give the inbox's seconds."""
    return Seconds()


@pytest.fixture
def inbox(session: Session, seconds: Seconds) -> Inbox:
    """Give an inbox that was looked into once."""
    made = Inbox(session.settings.inbox_dir, ticking=seconds)
    assert made.look() == []
    return made


def _put(inbox: Inbox, name: str, content: bytes) -> Path:
    """Put a file as a rename does: it was written a while ago, and its name is set now."""
    path = inbox.folder / name
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def _names(folder: Path) -> list[str]:
    return sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*") if not each.is_dir())


def _cases(session: Session) -> dict[str, str]:
    with session.reading() as connection:
        return {each.subject: each.detail for each in list_cases(connection) if each.kind is CaseKind.FILE_REFUSED}


def _remit(trace: str = "T1") -> bytes:
    return remittance_file(remittance(trace, FRIDAY, Part(A, (100_00,)), Part(B, (50_00,))))


# What is whole -------------------------------------------------------------------------------------------------------


def test_a_file_that_was_renamed_is_taken_at_the_first_look(inbox: Inbox) -> None:
    """Its last byte was written before its name was set: it is whole."""
    _put(inbox, "remit.835", b"ISA")
    assert [each.path.name for each in inbox.look()] == ["remit.835"]


def test_a_file_that_is_being_written_waits(inbox: Inbox, seconds: Seconds) -> None:
    """Written now, it is left; grown by the next look, it is left again; unchanged for two seconds, it is taken."""
    path = inbox.folder / "remit.835"
    path.write_bytes(b"ISA")
    assert inbox.look() == []
    seconds.now = 5
    path.write_bytes(b"ISA*00")
    assert inbox.look() == []
    seconds.now = 6.9
    assert inbox.look() == []
    seconds.now = 7
    assert [each.stamp.size_bytes for each in inbox.look()] == [6]


@pytest.mark.parametrize("name", [".remit.835", "remit.835.part", "remit.filepart", "remit.TMP", "remit.835~"])
def test_half_files_by_their_names_are_left(inbox: Inbox, name: str) -> None:
    """What senders call a file that is not whole is not looked at."""
    _put(inbox, name, b"ISA")
    assert inbox.look() == []


def test_what_is_no_plain_file_is_left(inbox: Inbox, session: Session, tmp_path: Path) -> None:
    """Links, pipes and folders are neither opened nor moved; what a link points to stays where it is."""
    secret = tmp_path / "secret.835"
    secret.write_bytes(_remit())
    os.utime(secret, (1_700_000_000, 1_700_000_000))
    (inbox.folder / "link.835").symlink_to(secret)
    os.mkfifo(inbox.folder / "pipe.835")
    (inbox.folder / "folder.835").mkdir()
    assert inbox.look() == []
    assert inbox.take(session, never).verdicts == ()
    assert secret.exists()
    assert (inbox.folder / "link.835").is_symlink()


def test_a_file_that_becomes_a_link_between_look_and_opening_is_left(
    inbox: Inbox, session: Session, tmp_path: Path
) -> None:
    """Who swaps a file for a link after it was looked at gets nothing read through it."""
    secret = tmp_path / "secret.835"
    secret.write_bytes(_remit())
    path = _put(inbox, "remit.835", _remit())

    def swapping() -> bool:
        """Swap, when the inbox asks whether to go on with the file that it saw."""
        path.unlink()
        path.symlink_to(secret)
        return False

    taken = inbox.take(session, swapping)
    assert (taken.verdicts, taken.left) == ((), 1)
    assert path.is_symlink()
    assert secret.exists()


# What becomes of it --------------------------------------------------------------------------------------------------


def test_files_are_taken_in_the_order_in_which_they_need_each_other(inbox: Inbox, session: Session) -> None:
    """Whatever their names and times: roster, payers, 835 (packed, too), bank; then all lie under the day."""
    bank = Bank().statement(FRIDAY, paid_in("T1", 150_00))
    _put(inbox, "1.txt", bank)
    _put(inbox, "2.gz", gzip.compress(_remit()))
    _put(inbox, "3.csv", payer_file(inbox.folder / ".p").read_bytes())
    _put(inbox, "4.csv", roster_file(inbox.folder / ".r", (A, B)).read_bytes())
    taken = inbox.take(session, never)
    assert [(each.path, each.kind, each.status) for each in taken.verdicts] == [
        ("4.csv", "roster", "accepted"),
        ("3.csv", "payers", "accepted"),
        ("2.gz", "remittance_835", "accepted"),
        ("1.txt", "bai2", "accepted"),
    ]
    done = inbox.folder / "done" / "2026-11-20"
    assert _names(done) == ["1.txt", "2.gz", "3.csv", "4.csv"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in done.iterdir()} == {0o600}
    assert stat.S_IMODE(done.stat().st_mode) == 0o700
    assert inbox.look() == []


def test_a_file_that_is_refused_is_set_aside_with_a_case(inbox: Inbox, session: Session) -> None:
    """It lies in ``refused``, an exception says why; who takes it out of there has dealt with it."""
    _put(inbox, "letter.pdf", b"%PDF-1.7 JANE DOE")
    taken = inbox.take(session, never)
    assert (len(taken.verdicts), taken.refused) == (1, 1)
    assert _names(inbox.folder) == ["refused/letter.pdf"]
    assert list(_cases(session)) == ["letter.pdf"]
    assert "a PDF document" in _cases(session)["letter.pdf"]
    assert "JANE" not in _cases(session)["letter.pdf"]
    inbox.take(session, never)
    assert list(_cases(session)) == ["letter.pdf"]
    (inbox.folder / "refused" / "letter.pdf").unlink()
    inbox.take(session, never)
    assert _cases(session) == {}


def test_files_of_one_name_do_not_cover_each_other(inbox: Inbox, session: Session) -> None:
    """Two refused files called alike lie side by side, each with its exception."""
    for content in (b"one", b"two"):
        _put(inbox, "letter.txt", content)
        inbox.take(session, never)
    assert _names(inbox.folder) == ["refused/letter-2.txt", "refused/letter.txt"]
    assert sorted(_cases(session)) == ["letter-2.txt", "letter.txt"]


@pytest.mark.parametrize(
    "name",
    ["x" * 255, "x." + "y" * 253, "é" * 127 + ".", ".".join("x" * 128)],
    ids=["plain", "suffix", "letters", "dots"],
)
def test_files_of_the_longest_names_do_not_cover_each_other(inbox: Inbox, session: Session, name: str) -> None:
    """Where no character more fits into a name, its end gives way to the number; no other file is kept out."""
    for content in (b"one", b"two", b"three"):
        _put(inbox, name, content)
        assert inbox.take(session, never).refused == 1
    lying = list((inbox.folder / "refused").iterdir())
    assert sorted(each.read_bytes() for each in lying) == [b"one", b"three", b"two"]


def test_a_file_that_can_not_be_moved_keeps_no_other_out(
    inbox: Inbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full at the move: the next file is taken, and mended both are set aside, told once."""
    _put(inbox, "1.txt", b"one")
    _put(inbox, "2.txt", b"two")
    rename = Path.rename

    def full(path: Path, target: Path) -> Path:
        if path.name == "1.txt":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, target)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", full)
        with pytest.raises(OSError, match="No space"):
            inbox.take(session, never)
    assert _names(inbox.folder) == ["1.txt", "refused/2.txt"]
    inbox.take(session, never)
    assert _names(inbox.folder) == ["refused/1.txt", "refused/2.txt"]
    assert sorted(_cases(session)) == ["1.txt", "2.txt"]
    with session.reading() as connection:
        told = connection.execute(text("SELECT count(*) FROM activity WHERE action = 'inbox_refused'")).scalar_one()
    assert told == 2


def test_a_file_that_vanishes_before_the_move_is_no_fault(
    inbox: Inbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender takes it away after it was read: what was received is kept, and nothing fails."""
    path, rename = _put(inbox, "1.csv", roster_file(inbox.folder / ".r", (A, B)).read_bytes()), Path.rename

    def vanished(each: Path, target: Path) -> Path:
        path.unlink()
        return rename(each, target)

    monkeypatch.setattr(Path, "rename", vanished)
    assert [each.status for each in inbox.take(session, never).verdicts] == ["accepted"]
    assert _names(inbox.folder / "done") == []


def test_a_person_ends_the_case_of_a_file_that_stays_where_it_is(inbox: Inbox, session: Session) -> None:
    """Dismissed with a reason, the case is not opened again, though the file lies in ``refused`` still."""
    _put(inbox, "letter.pdf", b"%PDF-1.7")
    inbox.take(session, never)
    with session.begin() as connection:
        (case,) = list_cases(connection)
        request = Resolution(case_id=case.id, action=Action.DISMISS, reason="an advertisement", day=FRIDAY)
        assert resolve(connection, request, "scheduler") is None
        ended = find_case(connection, case.id)
    assert ended is not None
    assert (ended.state, ended.resolution) == ("resolved", "dismiss by scheduler: an advertisement")
    _put(inbox, "other.txt", b"two")
    inbox.take(session, never)
    assert list(_cases(session)) == ["other.txt"]


def test_a_file_that_comes_again_changes_nothing(inbox: Inbox, session: Session) -> None:
    """Killed between receipt and move, or sent twice: a duplicate, moved like the others."""
    _put(inbox, "1.csv", roster_file(inbox.folder / ".r", (A, B)).read_bytes())
    for _ in range(2):
        _put(inbox, "remit.835", _remit())
        taken = inbox.take(session, never)
    assert [each.status for each in taken.verdicts] == ["duplicate"]
    assert _names(inbox.folder / "done") == ["2026-11-20/1.csv", "2026-11-20/remit-2.835", "2026-11-20/remit.835"]


def test_a_set_that_does_not_foot_is_told_each_time(inbox: Inbox, session: Session) -> None:
    """A file with a quarantined set is refused, and so it is when it comes again, though its bytes were here."""
    wrong = remittance_file(remittance("T1", FRIDAY, Part(A, (100_00,)), payment_cents=99_00))
    for _ in range(2):
        _put(inbox, "remit.835", wrong)
        taken = inbox.take(session, never)
        assert taken.refused == 1
    assert _names(inbox.folder) == ["refused/remit-2.835", "refused/remit.835"]


@pytest.mark.parametrize(
    "name",
    [b"\xff\xfe.835", "Übergabe 1.835".encode(), b"a\nb\x1b[31m.835", b"--help", b"; rm -rf .835", b"x" * 255],
    ids=["no_text", "letters", "control", "option", "command", "longest"],
)
def test_names_are_not_trusted(inbox: Inbox, session: Session, name: bytes) -> None:
    """Bytes that are no text, control characters, options, the longest name: taken, moved, and told as plain text."""
    path = os.path.join(os.fsencode(inbox.folder), name)  # noqa: PTH118 (pathlib takes no bytes)
    with open(path, "wb") as file:  # noqa: PTH123 (as above)
        file.write(b"nothing of ours")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert inbox.take(session, never).refused == 1
    assert os.listdir(os.fsencode(inbox.folder / "refused")) == [name]  # noqa: PTH208 (as above)
    (subject,) = _cases(session)
    assert subject.isprintable()
    assert len(subject) <= 120


def test_asked_to_stop_it_leaves_the_rest(inbox: Inbox, session: Session) -> None:
    """Between two files it looks whether it is to end; what is left is taken by the next one."""
    for number in range(3):
        _put(inbox, f"{number}.txt", b"%d" % number)
    answers = iter([False, True])
    assert len(inbox.take(session, lambda: next(answers)).verdicts) == 1
    assert len(inbox.take(session, never).verdicts) == 2


def test_what_a_rule_refuses_keeps_no_other_file_out(inbox: Inbox, session: Session) -> None:
    """A statement from before all books is refused by the ledger: set aside with its sentence; the next is taken."""
    early = Bank().statement(date(1998, 12, 30), paid_in("T0", 1_00))
    _put(inbox, "1.bai", early)
    _put(inbox, "2.bai", Bank().statement(FRIDAY, paid_in("T1", 150_00)))
    taken = inbox.take(session, never)
    assert [each.status for each in taken.verdicts] == ["quarantined", "accepted"]
    assert _names(inbox.folder) == ["done/2026-11-20/2.bai", "refused/1.bai"]
    assert len(_cases(session)["1.bai"]) > 20


def test_a_full_disk_is_no_fault_of_the_files(inbox: Inbox, session: Session) -> None:
    """Where the vault can not keep a file, the job fails and the file stays; mended, it is taken."""
    vault = session.settings.vault_dir
    shutil.rmtree(vault, ignore_errors=True)
    vault.write_bytes(b"no folder")
    _put(inbox, "1.835", _remit())
    with pytest.raises(VaultUnusableError):
        inbox.take(session, never)
    assert _names(inbox.folder) == ["1.835"]
    assert _cases(session) == {}
    vault.unlink()
    assert [each.status for each in inbox.take(session, never).verdicts] == ["accepted"]


@pytest.mark.parametrize("name", ["done", "refused"])
def test_a_planted_folder_link_is_refused(inbox: Inbox, session: Session, tmp_path: Path, name: str) -> None:
    """Nothing is moved through a link that somebody made in place of a folder."""
    (inbox.folder / name).symlink_to(tmp_path, target_is_directory=True)
    _put(inbox, "remit.835", _remit())
    with pytest.raises(InboxUnfitError):
        inbox.take(session, never)
    assert [each for each in tmp_path.iterdir() if each.suffix == ".835"] == []


def test_a_folder_that_can_be_listed_and_not_entered_is_refused(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to enter it the names are there and the files are not: a sentence, which stops no other job."""
    _put(inbox, "1.txt", b"one")

    def closed(path: Path) -> os.stat_result:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "lstat", closed)
    with pytest.raises(InboxUnfitError, match="Permission denied"):
        inbox.look()


def test_an_inbox_that_can_not_be_used_is_seen_by_a_person(session: Session) -> None:
    """While the scheduler runs, the folder becomes a file: tried four times, then an exception; mended, it ends."""
    clock, folder = session.clock, session.settings.inbox_dir
    assert isinstance(clock, HandClock)
    runner = runner_of(session)
    runner.drain()
    shutil.rmtree(folder)
    folder.write_bytes(b"no folder")
    began = clock.at
    for minutes in (1, 2, 7, 22):
        clock.at = began + timedelta(minutes=minutes)
        (run,) = [each for each in runner.tick() if each.job == "inbox"]
    assert run.state is RunState.FAILED
    with session.reading() as connection:
        (case,) = [each for each in list_cases(connection) if each.kind is CaseKind.JOB_FAILED]
    assert "CENTRALPAY_INBOX" in case.detail
    folder.unlink()
    clock.at += timedelta(minutes=1)
    run_again = runner.run_now(runner.job("inbox"))
    assert run_again is not None
    assert run_again.state is RunState.DONE
    with session.reading() as connection:
        assert [each for each in list_cases(connection) if each.kind is CaseKind.JOB_FAILED] == []


def test_a_disk_without_room_for_a_folder_is_no_fault_of_the_setting(
    inbox: Inbox, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room for the day's folder in ``done``: the job fails and is tried again, in place of being refused."""
    _put(inbox, "1.csv", roster_file(inbox.folder / ".r", (A, B)).read_bytes())
    mkdir = Path.mkdir

    def full(path: Path, mode: int = 0o777, *, parents: bool = False, exist_ok: bool = False) -> None:
        if path.name == "2026-11-20":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        mkdir(path, mode, parents=parents, exist_ok=exist_ok)

    with monkeypatch.context() as broken:
        broken.setattr(Path, "mkdir", full)
        with pytest.raises(OSError, match="No space"):
            inbox.take(session, never)
    assert [each.status for each in inbox.take(session, never).verdicts] == ["duplicate"]
    assert _names(inbox.folder / "done") == ["2026-11-20/1.csv"]


def test_a_folder_that_can_not_be_is_refused(session: Session) -> None:
    """A file where the folder should be: a sentence that names the setting."""
    session.settings.home.joinpath("inbox").write_bytes(b"")
    with pytest.raises(InboxUnfitError, match="CENTRALPAY_INBOX"):
        Inbox(session.settings.inbox_dir).look()
