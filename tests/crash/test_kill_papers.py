"""SIGKILL in the midst of printing notices: no half file in its place, no process left behind, the next run goes on."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.support.command import Shell
from tests.support.office import MAKER, Office
from tests.support.trade import Part, pharmacy, remittance

STORES = tuple(pharmacy(number) for number in range(1, 121))
"""As many as several processes share."""
MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
_LONGEST_S = 60.0


@pytest.fixture
def office(new_database: NewDatabase, tmp_path: Path) -> Iterator[Office]:
    """Give an office whose cycle of 120 payments is released and has no papers yet."""
    with new_database() as url:
        office = Office(Shell(tmp_path / "home", url), tmp_path)
        office.found(*STORES)
        office.fund(
            remittance("KILL1", MONDAY, *(Part(store, (500_00 + place,)) for place, store in enumerate(STORES)))
        )
        cycle_id = office.approved(TUESDAY)
        office.ask("cycle", "release", str(cycle_id), "--out", str(office.out), "--no-papers")
        yield office


def test_killed_printing_goes_on(office: Office) -> None:
    """Killed after some, after half and near the end: what was set stays, and in the end every byte is as undisturbed.

    Only the command is killed, not the processes that it started: they end by themselves.
    """
    undisturbed = office.folder / "undisturbed"
    assert office.ask("cycle", "papers", "1", "--out", str(undisturbed))["count"] == len(STORES)
    printed = _bytes(undisturbed / "notices")
    assert len(printed) == len(STORES) + 1
    for enough in (1, 60, 110):
        set_before = _killed(office, enough)
        assert set_before >= enough
        assert [path for path in (office.out / "notices").iterdir() if path.suffix != ""] == []
    assert office.ask("cycle", "papers", "1", "--out", str(office.out))["count"] == len(STORES)
    assert _bytes(office.out / "notices") == printed
    office.prove()


def _killed(office: Office, enough: int) -> int:
    """Kill the command when so many notices are set, beside their place; give how many are when all is still."""
    process = office.shell.start(("cycle", "papers", "1", "--out", str(office.out)), user=MAKER)
    until = time.monotonic() + _LONGEST_S
    while len(_finished(office)) < enough:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.001)
    started = _started_by(process.pid)
    assert started or enough > 1, "many are set by other processes, too"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    while any(_prints(each) for each in started):
        assert time.monotonic() < until, "processes that print are left behind"
        time.sleep(0.01)
    return len(_finished(office))


def _finished(office: Office) -> list[Path]:
    return list(office.out.glob("notices/.cycle-1-*/*.pdf"))


def _started_by(process: int) -> list[str]:
    """Give the processes that this one started, by whichever of its threads."""
    lists = Path(f"/proc/{process}/task").glob("*/children")
    return [each for children in lists for each in children.read_text().split() if _prints(each)]


def _prints(process: str) -> bool:
    """Say whether a process is there and sets papers."""
    try:
        return b"payouts.papers.worker" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False  # it ended meanwhile


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
