"""Re-performing a month of the demonstration: the registers agree, and the page's commands run as they stand there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.journal_tests import journal_tests
from payouts.registers.catalogue import REGISTERS
from payouts.registers.model import Span
from payouts.registers.reading import read_register
from tests.acceptance.test_demo_week import ALL_WEEK, DAYS, Lived, live
from tests.acceptance.test_operations_page import words_of
from tests.conftest import NewDatabase

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
PLACES = [str(Path(sys.prefix) / "bin"), str(Path(sys.prefix) / "hledger" / "usr" / "bin"), os.environ["PATH"]]
PROGRAMS = ("trial_balance.py", "passed_through.py", "payouts.py")
SAYS_NOTHING = ("awk", "bean-check", "python3 -c")
"""Commands that print what is wrong, and nothing else."""


def shown() -> list[tuple[str, list[str]]]:
    """Give the page's commands in their order, each with the lines that are shown of its answer."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), []))
            else:
                found[-1][1].append(line)
    return found


@pytest.fixture(scope="module")
def week(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Give the week that the demonstration lives through."""
    with new_database() as url:
        yield from live(url, tmp_path_factory.mktemp("week"), ALL_WEEK)


@pytest.mark.parametrize("name", REGISTERS)
def test_on_the_week_of_the_demonstration_every_register_agrees(week: Lived, name: str) -> None:
    """Sixty pharmacies, seven days, returns, holds, a mended file: every total is the books' on every evening."""
    with week.session.reading() as connection:
        for evening in DAYS:
            made = read_register(connection, name, None if REGISTERS[name].span is Span.DAY else DAYS[0], evening)
            assert made.agrees, (evening, made.ties)
        assert made.rows or name == "corrections"


def test_on_the_week_of_the_demonstration_the_journal_tests_hold(week: Lived) -> None:
    """All of them over the whole week: none finds what must not be."""
    with week.session.reading() as connection:
        results = journal_tests(connection, date(2026, 11, 1), date(2026, 12, 31))
    assert [each.name for each in results if each.fails] == []
    assert all(each.looked_at for each in results if each.among in {"entries", "lines", "users"})


def test_every_command_of_the_page_runs_and_says_what_is_shown(week: Lived, tmp_path: Path) -> None:
    """The month is closed by us; in its package others' programs find what the page says, and no difference."""
    programs = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(programs) == len(PROGRAMS)
    package = tmp_path
    for command, lines in shown():
        if command.startswith("centralpay "):
            words = shlex.split(command.removeprefix("centralpay ").replace("--out ", f"--out {tmp_path}/"))
            outcome = week.shell.run(tuple(words), user="anton")
            code, said, wrong = outcome.code, outcome.out, outcome.err
            assert code == 0, f"{command}: {said}{wrong}"
            if words[0] == "close":
                (package,) = (each.parent for each in tmp_path.rglob("manifest.json"))
                for name, text in zip(PROGRAMS, programs, strict=True):
                    # What is added to a package is found by its verifier: yours lie beside it.
                    (package.parent / name).write_text(text, encoding="utf-8")
        else:
            if command.startswith("hledger") and shutil.which("hledger", path=os.pathsep.join(PLACES)) is None:
                continue
            code, said, wrong = _in_package(command, package)
        assert code == 0, f"{command}: {said}{wrong}"
        assert said.strip() or command.startswith(SAYS_NOTHING) or " check " in command, f"{command} said nothing"
        if command.startswith(SAYS_NOTHING):
            assert said == "", command
        for line in lines:
            assert any(words_of(line) in words_of(each) for each in said.splitlines()), f"{command}: {line}\n{said}"


def _in_package(command: str, package: Path) -> tuple[int, str, str]:
    environment = {
        "PATH": os.pathsep.join(PLACES),
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        cwd=package, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_the_page_names_every_register() -> None:
    """The table has each of them, with the time that it is of, and no other."""
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (days|a day) \|", PAGE, re.MULTILINE))
    assert rows == {name: "days" if kind.span.value == "range" else "a day" for name, kind in REGISTERS.items()}
