"""Each kind of error ends the command with the code that the documentation promises."""

import signal
import subprocess
import sys

import pytest

from app.exit_codes import ExitCode, exit_code
from app.server_account import ClusterError
from ledger.errors import PeriodClosedError
from payouts.errors import ProofGateError
from schemas.errors import UnreadableError, WrongUseError
from schemas.findings import Finding


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (ClusterError("no disk"), 1),
        (ZeroDivisionError(), 1),
        (WrongUseError("no such member"), 2),
        (UnreadableError("a.835", [Finding(rule="r", element="ISA", expected="an ISA", found="nothing")]), 3),
        (ProofGateError("P4", "bank and book differ"), 4),
        (PeriodClosedError("period_is_open", "closed", {}), 5),
    ],
)
def test_an_error_has_the_code_of_its_kind(error: BaseException | None, code: int) -> None:
    """The nearest kind that has a code decides, so every refusal of the ledger ends with 5."""
    assert exit_code(error) == code


def test_the_codes_are_those_that_scripts_rely_on() -> None:
    """A changed number breaks somebody's night run."""
    assert {code.name: code.value for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "WRONG_USE": 2,
        "QUARANTINED": 3,
        "PROOF_FAILED": 4,
        "REFUSED": 5,
    }


def test_a_command_stopped_while_it_is_loaded_says_nothing() -> None:
    """Ctrl-C in the first half second once printed a traceback; who presses it knows why. The shell sees 130."""
    # Whatever starts the tests in the background lets them ignore Ctrl-C, and so would the command.
    heard = "import os, signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    stopped = f"{heard}; import app.cli; os.kill(os.getpid(), signal.SIGINT)"
    ended = subprocess.run([sys.executable, "-c", stopped], capture_output=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, b"", b"")
    broken = subprocess.run(
        [sys.executable, "-c", "import app.cli; 1 / 0"], capture_output=True, check=False, timeout=60
    )
    assert b"ZeroDivisionError" in broken.stderr
