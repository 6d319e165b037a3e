"""The folder of published checkpoints and the signing key: made, compared, made good, changed by two, or refused."""

import shutil
import stat
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.database import reading, unit_of_work
from ledger.seal import checkpoints
from ledger.seal.errors import CheckpointsUnpublishedError, SealForkedError, SealKeyUnusableError
from ledger.seal.keys import SealKeys
from ledger.seal.note import VerifierKey, parse_note
from ledger.seal.outside import TABLE, Outside
from ledger.seal.published import LATEST, VKEY, Published, file_name
from ledger.seal.sealer import Sealer
from ledger.seal.verifying import verify_seal
from payouts.decisions import decide
from payouts.errors import SealKeyMovedError
from payouts.seal_keys import propose_key
from tests.integration.ledger_story import Books
from tests.support.sealing import NOON, sealed, sealer_of

_USERS = text("""
    INSERT INTO app_user (user_name, role, added_by) VALUES ('mary', 'admin', 'mary'), ('carla', 'approver', 'mary')""")


@pytest.fixture
def books(app: Engine, owner: Engine) -> Books:
    """Give a ledger with its story's float."""
    return Books(app, owner)


def checkpoint_files(folder: Path) -> list[str]:
    """List what is published."""
    return sorted(path.name for path in folder.iterdir())


# The folder ----------------------------------------------------------------------------------------------------------


def test_each_checkpoint_is_published_word_for_word(books: Books, app: Engine, tmp_path: Path) -> None:
    """The folder holds each note as it is, the last one as ``latest``, and the key; nothing half-written."""
    sealer, folder = sealer_of(app, tmp_path), tmp_path / "checkpoints"
    first = sealed(sealer)
    books.pay("1", {"A": 500_00})
    second = sealed(sealer, 1)
    assert checkpoint_files(folder) == [file_name(first.size), file_name(second.size), LATEST, VKEY]
    assert (folder / file_name(first.size)).read_text() == first.note
    assert (folder / LATEST).read_text() == (folder / file_name(second.size)).read_text() == second.note
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    key = VerifierKey.parse((folder / VKEY).read_text())
    assert key.verifies(parse_note(first.note))
    assert not key.verifies(parse_note(first.note.replace("\n12", "\n13").replace("T12", "T13")))


def test_the_next_run_makes_the_folder_good(books: Books, app: Engine, tmp_path: Path) -> None:
    """What a killed run left out of the folder is written again, also when there is nothing new to seal."""
    sealer, folder = sealer_of(app, tmp_path), tmp_path / "checkpoints"
    sealed(sealer)
    books.pay("1", {"A": 500_00})
    sealed(sealer, 1)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name in whole:
        (folder / name).unlink()
        assert sealer.seal("sam", NOON) is None
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole
    shutil.rmtree(folder)
    assert sealer.seal("sam", NOON) is None
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


def test_a_folder_that_is_not_there_leaves_the_seal_standing(books: Books, app: Engine, tmp_path: Path) -> None:
    """A folder that a setting names is never made: the seal stands, the error says so, and the next run publishes."""
    del books
    folder = tmp_path / "mounted"
    keys = SealKeys(tmp_path / "keys" / "seal.key", "test/seal")
    sealer = Sealer(partial(unit_of_work, app), keys, Published(folder, is_ours=False))
    with pytest.raises(CheckpointsUnpublishedError, match="What was sealed is sealed, but its checkpoints are not"):
        sealer.seal("sam", NOON)
    assert not folder.exists()
    with reading(app) as connection:
        made = checkpoints.latest(connection)
    assert made is not None
    folder.mkdir()
    assert sealer.seal("sam", NOON) is None
    assert (folder / LATEST).read_text() == made.note
    assert stat.S_IMODE((folder / LATEST).stat().st_mode) == 0o644


def test_a_folder_that_is_a_file_says_so(books: Books, app: Engine, tmp_path: Path) -> None:
    """Where the folder can not be written (here it is a file) the seal stands, and the error names it."""
    del books
    (tmp_path / "checkpoints").write_text("not a folder")
    with pytest.raises(CheckpointsUnpublishedError, match="checkpoints: Not a directory"):
        sealer_of(app, tmp_path).seal("sam", NOON)
    with reading(app) as connection:
        assert checkpoints.latest(connection) is not None


def test_a_lost_checkpoint_stops_the_seal(books: Books, app: Engine, tmp_path: Path) -> None:
    """A published checkpoint that the database lacks, as after an old backup: nothing is signed on; it says why."""
    sealer, folder = sealer_of(app, tmp_path), tmp_path / "checkpoints"
    first = sealed(sealer)
    (folder / file_name(first.size + 5)).write_text(first.note)
    books.pay("1", {"A": 500_00})
    with pytest.raises(SealForkedError, match=f"checkpoint {first.size + 5} is not in the database") as refused:
        sealer.seal("sam", NOON)
    assert "restored from an older backup" in str(refused.value)
    with reading(app) as connection:
        assert checkpoints.latest(connection) == first
        assert checkpoints.waiting(connection) > 0


def test_what_is_published_during_a_verify_is_no_finding(books: Books, app: Engine, tmp_path: Path) -> None:
    """A sealer publishes while another process verifies an older snapshot: two schedulers once told of lost books."""
    sealer, folder = sealer_of(app, tmp_path), tmp_path / "checkpoints"
    sealed(sealer)
    outside = Outside(published=folder)
    with reading(app) as connection:
        before = verify_seal(connection, outside)
        books.pay("1", {"A": 500_00})
        made = sealed(sealer, 1)
        assert verify_seal(connection, outside) == before
    assert before.size < made.size
    assert [each for each in before.findings if each.table == TABLE] == []
    (folder / file_name(made.size + 1)).write_text(made.note)
    with reading(app) as connection:
        after = verify_seal(connection, Outside(published=folder))
    assert [each.key for each in after.findings if each.table == TABLE] == [str(made.size + 1)]


def test_another_story_stops_the_seal(books: Books, app: Engine, tmp_path: Path) -> None:
    """A published checkpoint that says otherwise than the database's of that size: nothing is signed on."""
    sealer, folder = sealer_of(app, tmp_path), tmp_path / "checkpoints"
    first = sealed(sealer)
    path = folder / file_name(first.size)
    path.write_text(first.note.replace("2026", "2025"))
    books.pay("1", {"A": 500_00})
    with pytest.raises(SealForkedError, match=f"checkpoint {first.size} says otherwise"):
        sealer.seal("sam", NOON)


# The key -------------------------------------------------------------------------------------------------------------


def test_the_key_is_its_owners_alone(books: Books, app: Engine, tmp_path: Path) -> None:
    """It is made with 0600; one that others can read, that was changed or is gone signs nothing, and stays so."""
    sealer, path = sealer_of(app, tmp_path), tmp_path / "keys" / "seal.key"
    sealed(sealer)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    written = path.read_text()
    books.pay("1", {"A": 500_00})
    path.chmod(0o640)
    with pytest.raises(SealKeyUnusableError, match="other users can read it"):
        sealer.seal("sam", NOON)
    path.chmod(0o600)
    for wrong, said in (
        ("", "no signing key"),
        ("PRIVATE+KEY+test/seal+00000000+" + written.split("+", 4)[4], "name or hash"),
        (written[:-9] + "\n", "no signing key"),
    ):
        path.write_text(wrong)
        with pytest.raises(SealKeyUnusableError, match=said) as refused:
            sealer.seal("sam", NOON)
        assert written.split("+", 4)[4].strip() not in str(refused.value)
    path.unlink()
    with pytest.raises(SealKeyUnusableError, match="it is not there; put it back from your copy"):
        sealer.seal("sam", NOON)
    assert not path.exists()
    path.touch(mode=0o600)
    path.write_text(written)
    sealed(sealer, 1)


def test_another_key_does_not_sign(books: Books, app: Engine, tmp_path: Path) -> None:
    """A key that was put in the place of the recorded one, without approval, signs nothing."""
    sealed(sealer_of(app, tmp_path))
    books.pay("1", {"A": 500_00})
    (tmp_path / "keys" / "seal.key").unlink()
    SealKeys(tmp_path / "keys" / "seal.key", "test/seal").first()
    with pytest.raises(SealKeyUnusableError, match="it is not the key that signed last"):
        sealer_of(app, tmp_path).seal("sam", NOON)


def test_two_people_change_the_key(books: Books, app: Engine, tmp_path: Path) -> None:
    """The new key signs from the first checkpoint after its approval, under its own name; each verifies its own."""
    first = sealed(sealer_of(app, tmp_path))
    keys = SealKeys(tmp_path / "keys" / "seal.key", "other/name")
    with unit_of_work(app) as connection:
        connection.execute(_USERS)
        verifier = keys.make_next()
        assert keys.make_next() == verifier
        approval_id = propose_key(connection, verifier, "mary")
    between = sealed(sealer_of(app, tmp_path), 1)
    with unit_of_work(app) as connection:
        decide(connection, approval_id, "carla", approve=True)
    books.pay("1", {"A": 500_00})
    last = sealed(sealer_of(app, tmp_path), 2)
    assert not keys.next_path.exists()
    with reading(app) as connection:
        old, new = checkpoints.keys(connection)
        with pytest.raises(SealKeyMovedError, match="recorded already"):
            propose_key(connection, verifier, "mary")
    assert (old.since_size, old.until_size, new.since_size, new.until_size) == (0, between.size, between.size, None)
    assert str(verifier) == new.vkey
    for made, signer, other in ((first, old, new), (between, old, new), (last, new, old)):
        assert signer.verifier.verifies(parse_note(made.note))
        assert not other.verifier.verifies(parse_note(made.note))
    assert last.note.startswith("other/name\n")
    assert (tmp_path / "checkpoints" / VKEY).read_text() == f"{old.vkey}\n{new.vkey}\n"


def test_a_rejected_key_signs_nothing(books: Books, app: Engine, tmp_path: Path) -> None:
    """A key that the second person rejects stays in its file; the old one signs on."""
    sealed(sealer_of(app, tmp_path))
    keys = SealKeys(tmp_path / "keys" / "seal.key", "test/seal")
    with unit_of_work(app) as connection:
        connection.execute(_USERS)
        approval_id = propose_key(connection, keys.make_next(), "mary")
    with unit_of_work(app) as connection:
        decide(connection, approval_id, "carla", approve=False, reason="why now?")
    books.pay("1", {"A": 500_00})
    made = sealed(sealer_of(app, tmp_path), 1)
    with reading(app) as connection:
        (only,) = checkpoints.keys(connection)
    assert only.verifier.verifies(parse_note(made.note))
