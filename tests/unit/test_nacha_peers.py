"""Another library's judgement of what we write: achkit parses and validates each kind of file; without it, skipped."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from bench.peers import PYTHON
from payouts.nacha.codes import REVERSAL, TransactionCode
from payouts.nacha.models import AchFile, balanced, merge_files
from payouts.nacha.writer import write_nacha
from tests.support.nacha_files import BATCH, ENTRY, FILE

PROGRAM = Path(__file__).parents[2] / "bench" / "bank_peers.py"

pytestmark = pytest.mark.skipif(
    not PYTHON.with_name("pip").exists() or not list(PYTHON.parents[1].glob("lib/*/site-packages/achkit")),
    reason="achkit is not installed: make peers",
)

PRENOTES = replace(
    BATCH, entries=(replace(ENTRY, amount_cents=0, transaction_code=TransactionCode.CHECKING_PRENOTE, trn=None),)
)
REVERSALS = replace(
    BATCH,
    entry_description=REVERSAL,
    entries=(replace(ENTRY, transaction_code=TransactionCode.CHECKING_DEBIT, trn=None, trace_sequence=51),),
)
BALANCED = balanced(BATCH, account_number="000123456789", trace_sequence=60, receiver_name="EXAMPLE PSAO")
FILES = {
    "payments": FILE,
    "prenotes": replace(FILE, batches=(PRENOTES,)),
    "reversals": replace(FILE, batches=(REVERSALS,)),
    "balanced": replace(FILE, batches=(BALANCED,)),
    "merged": merge_files([FILE, replace(FILE, id_modifier="B", batches=(REVERSALS,))], id_modifier="C"),
}


@pytest.mark.parametrize("name", FILES)
def test_another_library_agrees_with_what_we_write(name: str, tmp_path: Path) -> None:
    """It finds every entry and every cent, and no fault with counts, hashes, totals and blocks."""
    file: AchFile = FILES[name]
    path = tmp_path / f"{name}.ach"
    path.write_bytes(write_nacha(file))
    command = [str(PYTHON), "-P", str(PROGRAM), "achkit-read", str(path)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert (said["error"], said["is_good"]) == ("", True)
    assert said["records"] == sum(len(batch.entries) for batch in file.batches)
    assert said["cents"] == file.credit_cents + file.debit_cents
