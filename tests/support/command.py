"""Run ``centralpay`` as people do: as a process, or, for long stories, its ``run()`` within the test's process."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.main import run
from app.settings import PREFIX

PROGRAM = Path(sys.prefix) / "bin" / "centralpay"


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


@dataclass(frozen=True)
class Shell:
    """Where commands run: a home and a database.

    Args:
        home: ``CENTRALPAY_HOME``.
        database_url: of the test's database, for its superuser.
    """

    home: Path
    database_url: str

    def environment(self, user: str | None) -> dict[str, str]:
        """Give the variables that tell the command where it is and who acts."""
        named = {f"{PREFIX}HOME": str(self.home), f"{PREFIX}DATABASE_URL": self.database_url}
        return named | ({f"{PREFIX}USER": user} if user else {})

    def run(self, words: tuple[str, ...], *, user: str | None, stdin: bytes = b"") -> Outcome:
        """Run a command within this process; what it raises beyond our own errors comes out as it is."""
        out, err = io.StringIO(), io.StringIO()
        with (
            _as_process(["centralpay", *words], self.environment(user), stdin),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            code = _exit_code()
        return Outcome(code, out.getvalue(), err.getvalue())

    def process(self, words: tuple[str, ...], *, user: str | None, stdin: bytes = b"") -> Outcome:
        """Run a command as a process of its own."""
        process = self.start(words, user=user)
        out, err = process.communicate(stdin, timeout=120)
        return Outcome(process.returncode, out.decode(), err.decode())

    def start(self, words: tuple[str, ...], *, user: str | None) -> "subprocess.Popen[bytes]":
        """Start a command as the leader of a process group of its own."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        return subprocess.Popen(
            [PROGRAM, *words],
            env=clean | self.environment(user),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )


def _exit_code() -> int:
    try:
        run()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


@contextmanager
def _as_process(words: list[str], variables: Mapping[str, str], stdin: bytes) -> Iterator[None]:
    """Give this process the arguments, the environment and the standard input of a command for a while."""
    before = sys.argv, sys.stdin, dict(os.environ)
    sys.argv, sys.stdin = words, io.TextIOWrapper(io.BytesIO(stdin))
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        sys.argv, sys.stdin = before[:2]
        os.environ.clear()
        os.environ.update(before[2])
