"""Others' programs that compute our exported books anew: hledger, beancount, and the verifier as an auditor runs it."""

import csv
import io
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from beancount import loader
from beancount.core.data import Entries, Transaction

_PLACES = os.pathsep.join([str(Path(sys.prefix) / "hledger" / "usr" / "bin"), os.environ.get("PATH", "")])

Balances = dict[str, int]
"""Account path to cents, debit positive, without those of zero."""


def hledger(*words: str) -> subprocess.CompletedProcess[str]:
    """Run hledger; the test is skipped where there is none: it is no Python package, and not every machine has apt."""
    program = shutil.which("hledger", path=_PLACES)
    if program is None:
        pytest.skip("hledger is not here: make unpacks Debian's package where there is apt")
    environment = {"PATH": _PLACES, "LANG": "C.UTF-8", "HOME": "/nonexistent"}
    return subprocess.run([program, *words], capture_output=True, text=True, check=False, env=environment)


def hledger_checks(journal: Path, *checks: str) -> str:
    """Give what hledger's checks find; nothing: all is well."""
    done = hledger("-f", str(journal), "check", "-s", "ordereddates", *checks)
    return done.stderr if done.returncode else ""


def hledger_balances(journal: Path) -> Balances:
    """Give the balances that hledger computes."""
    done = hledger("-f", str(journal), "bal", "--flat", "--no-total", "-O", "csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(done.stdout)))
    return {path: cents_of(amount.removesuffix(" USD")) for path, amount in rows[1:]}


def beancount_entries(journal: Path) -> tuple[Entries, list[str]]:
    """Load a journal as ``bean-check`` does; give its entries and what is wrong with them."""
    entries, errors, _ = loader.load_file(str(journal))
    return entries, [str(each.message) for each in errors]


def beancount_balances(journal: Path) -> Balances:
    """Give the balances that beancount computes."""
    entries, errors = beancount_entries(journal)
    assert errors == []
    found: dict[str, Decimal] = defaultdict(Decimal)
    for posting in (posting for each in entries if isinstance(each, Transaction) for posting in each.postings):
        assert posting.units is not None
        found[posting.account] += posting.units.number or 0
    return {path: int(amount * 100) for path, amount in found.items() if amount}


def verified(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the package's own verifier in its folder, by a Python that can not see our packages."""
    # -I: neither the current folder nor PYTHONPATH.
    command = [sys.executable, "-I", "verify.py", ".", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def cents_of(amount: str) -> int:
    """Read dollars with two decimals."""
    return int(Decimal(amount) * 100)
