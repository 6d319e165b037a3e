"""An older backup is put back: the checkpoints outside of it say so, and the books go on only as other books.

One restored office for the page: two tests leave it as it was, the last one goes on with it.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from app.cluster import Cluster
from tests.conftest import RUN_DIR
from tests.support.command import Shell
from tests.support.office import CHECKER, Office
from tests.support.trade import A, B, C, Part, remittance

DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class PlacedShell(Shell):
    """A shell with more settings."""

    more: dict[str, str] = field(default_factory=dict)

    def environment(self, user: str | None) -> dict[str, str]:
        """Give the variables, these among them."""
        return super().environment(user) | self.more


@pytest.fixture(scope="module")
def restored(pytestconfig: pytest.Config) -> Iterator[tuple[Office, Office]]:
    """Give an office and the same, restored from a backup of before its second seal; one folder of checkpoints.

    200.00 of A are funded, sealed, backed up; 50.00 of B are funded, sealed; then the backup comes back elsewhere.
    """
    folder = Path(tempfile.mkdtemp(dir=pytestconfig.stash[RUN_DIR]))
    outside = {"CENTRALPAY_CHECKPOINTS_DIR": str(folder / "outside")}
    (folder / "outside").mkdir()
    backups, keys = folder / "backups", folder / "keys"
    with ExitStack() as stack:
        stack.enter_context(Cluster(folder / "home" / "postgres").running())
        office = Office(PlacedShell(folder / "home", "", outside), folder)
        office.found(A, B, C)
        office.fund(remittance("ONE", DAY, Part(A, (200_00,))))
        office.run("ledger", "seal")
        office.run("db", "backup", str(backups), "--keys", str(keys))
        office.fund(remittance("TWO", DAY, Part(B, (50_00,))))
        office.run("ledger", "seal")
        again = Office(PlacedShell(folder / "again", "", outside), folder, office.bank, office.files)
        told = again.ask("db", "restore", str(backups), "--keys", str(keys), code=4)
        assert told["same_books"] is True
        assert [each["id"] for each in told["proofs"] if not each["holds"]] == ["P11"]
        (again.shell.home / "keys" / "seal.key").write_bytes((office.shell.home / "keys" / "seal.key").read_bytes())
        (again.shell.home / "keys" / "seal.key").chmod(0o600)
        stack.enter_context(Cluster(folder / "again" / "postgres").running())
        yield office, again
    shutil.rmtree(folder, ignore_errors=True)


def sizes(folder: Path) -> list[int]:
    """List the checkpoints in a folder."""
    return sorted(int(path.stem) for path in folder.glob("*.checkpoint"))


def test_checkpoints_that_are_moved_aside_without_approval_are_a_finding(restored: tuple[Office, Office]) -> None:
    """Whoever moves the files by hand hides nothing: verify says that nobody approved it."""
    _, again = restored
    outside = again.folder / "outside"
    first, second = sizes(outside)
    aside = outside / f"forsaken-{first:012d}"
    aside.mkdir()
    (outside / f"{second:012d}.checkpoint").rename(aside / f"{second:012d}.checkpoint")
    failed = again.ask("ledger", "verify", code=4)["proofs"][-1]
    (aside / f"{second:012d}.checkpoint").rename(outside / f"{second:012d}.checkpoint")
    aside.rmdir()
    assert "no approved change of name left behind" in failed["detail"]


def test_kept_checkpoints_and_keys_that_are_none_are_refused(restored: tuple[Office, Office]) -> None:
    """A file that is no checkpoint: exit code 3; a key or a size that is none: 2; each with a sentence."""
    office, _ = restored
    broken = office.save(b"no checkpoint", "broken")
    assert "expected a signed checkpoint" in office.run("ledger", "verify", "--checkpoint", str(broken), code=3).err
    empty = office.folder / "empty"
    empty.mkdir()
    assert "there is no checkpoint in it" in office.run("ledger", "verify", "--checkpoints", str(empty), code=3).err
    assert "is no verifier key" in office.run("ledger", "verify", "--vkey", "nonsense", code=2).err
    assert "There is no checkpoint '7'" in office.run("ledger", "verify", "--since", "7", code=2).err
    first, _ = sizes(office.folder / "outside")
    told = office.ask("ledger", "verify", "--since", str(first), "--checkpoints", str(office.folder / "outside"))
    assert all(each["holds"] for each in told["proofs"])
    assert len([each for each in told["proofs"][-1]["notes"] if "is a beginning of this tree" in each]) == 2
    assert json.dumps(told["proofs"][-1]["checked"])


def test_a_restored_backup_is_found_and_goes_on_only_under_another_name(restored: tuple[Office, Office]) -> None:
    """Two checkpoints are outside, the restored books have the first: B's 50.00 are lost, and it is said.

    The restored office holds A's 200.00 (due 200.00; B's due of 50.00 is gone). Verify fails P11 alone and names the
    second checkpoint; the seal is refused with exit code 4. The name is changed with a second person, the lost
    checkpoint moved aside; then it seals, every proof holds, and verify tells of what was left behind. An auditor who
    kept the lost checkpoint is told that it is not of these books: exit code 4.
    """
    office, again = restored
    outside = again.folder / "outside"
    first, second = sizes(outside)
    assert office.trial_balance()[B.ncpdp_id, "custody", "due_available"] == -50_00
    assert again.trial_balance()[A.ncpdp_id, "custody", "due_available"] == -200_00
    assert (B.ncpdp_id, "custody", "due_available") not in again.trial_balance()

    (failing,) = [each for each in again.ask("ledger", "verify", code=4)["proofs"] if not each["holds"]]
    assert (failing["id"], failing["failing"]) == ("P11", 1)
    assert (failing["findings"][0]["table"], failing["findings"][0]["key"]) == ("checkpoints", f"{second}")
    assert "restored from an older backup" in failing["detail"]
    assert "was published" in failing["detail"]

    refused = again.run("ledger", "seal", code=4)
    assert f"the published checkpoint {second} is not in the database" in refused.err
    told = again.run("ledger", "forsake", "--reason", "the disk was lost", code=5)
    assert "must go on under another name first" in told.err
    assert sizes(outside) == [first, second]

    kept = again.save((outside / f"{second:012d}.checkpoint").read_bytes(), "kept.checkpoint")
    again.shell.more["CENTRALPAY_SEAL_NAME"] = "centralpay/1999999999/restored"  # type: ignore[attr-defined]
    asked = again.ask("ledger", "seal-key", "rotate")
    again.run("ledger", "forsake", "--reason", "the disk was lost", code=5)  # nobody approved it yet
    again.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    moved = again.ask("ledger", "forsake", "--reason", "the disk was lost")
    assert (moved["sizes"], moved["since"]) == ([second], first)
    assert sizes(outside) == [first]
    assert "the books have every checkpoint" in again.run("ledger", "forsake", "--reason", "again", code=5).err

    again.run("ledger", "seal")
    proofs = again.ask("ledger", "verify")["proofs"]
    assert all(each["holds"] for each in proofs)
    (note,) = [each for each in proofs[-1]["notes"] if "the books were restored" in each]
    assert f"1 checkpoints of centralpay/1999999999, {second} to {second}" in note
    assert f"from {first} on they go on as centralpay/1999999999/restored, by {CHECKER}" in note
    failed = again.ask("ledger", "verify", "--checkpoint", str(kept), code=4)["proofs"][-1]
    assert str(kept) in failed["detail"]
