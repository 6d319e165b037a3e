"""The vault's upkeep beside the books: what is lost is named, keys change under way, old files go for good."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine, text

from app import database
from app.cluster import Cluster
from ingest.encryption import Keyring, UnknownKeyError, id_of_key
from ingest.models import bank_account_context
from ingest.vault import Vault
from ingest.vault import keys as vault_keys
from ingest.vault import upkeep as vault_upkeep
from ingest.vault.keys import Rotated
from ingest.vault.report import Condition, VaultCheck
from ingest.vault.sealed_header import Part
from tests.conftest import NewDatabase
from tests.support import upkeep
from tests.support.books import CHECKER, MAKER, Books
from tests.support.command import Shell
from tests.support.killing import Scene, moments, work
from tests.support.lives import kept
from tests.support.office import CLERK, Office
from tests.support.trade import A, B, remittance, remittance_file, roster_file
from tests.support.trade import Part as Share
from tests.support.upkeep import ADVICE, BEFORE, LONG_AGO, NOW, THURSDAY, TUESDAY, WEDNESDAY

NEW_KEY = bytes(range(100, 132))


@pytest.fixture
@kept
def paid(books: Books) -> Books:
    """Give books after a payout and a statement: 835, bank statement, roster, NACHA file and statement are kept."""
    return upkeep.live(books)


@pytest.fixture
def lived(paid: Books, owner: Engine) -> Books:
    """Give these books when every share was told to its member."""
    return upkeep.tell(paid, owner)


def _lost(check: VaultCheck) -> list[tuple[Condition, str, Part | None, int | None, int | None]]:
    return [(each.condition, each.names, each.part, each.lost_from_byte, each.lost_to_byte) for each in check.found]


# Verify --------------------------------------------------------------------------------------------------------------


def test_a_whole_vault_is_sound(lived: Books) -> None:
    """Everything that was received, sent and issued is there and whole, and the pass says how much it read."""
    check = upkeep.check(lived)
    assert check.holds
    assert check.found == ()
    named = lived.ask("SELECT count(*) FROM received_file")[0][0] + 4  # NACHA file, 835s, notices, statement
    assert (check.files, check.counts[Condition.SOUND]) == (named, named)
    assert check.plain_bytes > lived.ask("SELECT sum(size_bytes) FROM received_file")[0][0]
    assert [(each.is_current, each.files) for each in check.keys] == [(True, named)]


@pytest.mark.parametrize(
    ("place", "part"),
    [(0, Part.HEADER), (60, Part.SEALED_KEY), (-1, Part.TRAILER), (-20, Part.INDEX), (None, Part.CHUNK)],
)
def test_damage_is_named(lived: Books, place: int | None, part: Part) -> None:
    """A changed byte in any part: the file by the name it came under, the part, and the bytes that are lost with it."""
    path, size = upkeep.path(lived, "remit.835"), len(remittance_file(ADVICE))
    header = 14 + int.from_bytes(path.read_bytes()[12:14], "big")
    upkeep.flip(path, header + 40 if place is None else place)
    check = upkeep.check(lived)
    assert not check.holds
    assert check.counts[Condition.DAMAGED] == 1
    assert _lost(check) == [(Condition.DAMAGED, "remit.835", part, 0, size)]
    assert check.found[0].sha256 == upkeep.digest(lived, "remit.835")
    chunk = 0 if part is Part.CHUNK else None
    assert (check.found[0].first_chunk, check.found[0].last_chunk) == (chunk, chunk)


def test_whatever_the_books_name_must_be_there(lived: Books) -> None:
    """A received file, a payment file, the members' own 835s, an issued statement: each is missed by its name."""
    query = "SELECT nacha_name, encode(nacha_sha256, 'hex'), encode(children_sha256, 'hex') FROM cycle"
    name, sent, told = lived.ask(query)[0]
    issued = lived.ask("SELECT detail ->> 'sha256' FROM activity WHERE action = 'statement_issued'")[0][0]
    named = {
        "remit.835": upkeep.digest(lived, "remit.835"),
        name: sent,
        "remittances of cycle 1": told,
        f"statement {A.ncpdp_id} 2026-11-01 2026-11-30": issued,
    }
    for sha256 in named.values():
        lived.vault.folder.path(sha256).unlink()
    check = upkeep.check(lived)
    assert not check.holds
    assert {each.names: each.sha256 for each in check.found if each.condition is Condition.MISSING} == named
    assert len(check.found) == len(named)


def test_a_file_that_nobody_names_is_no_loss(lived: Books) -> None:
    """A store that was stopped before its row: told, harmless; damaged it is a loss all the same."""
    stored = lived.vault.store(BytesIO(b"nobody's"), "orphan").sha256
    check = upkeep.check(lived)
    assert check.holds
    assert [(each.condition, each.sha256, each.names) for each in check.found] == [(Condition.UNNAMED, stored, "")]
    upkeep.flip(lived.vault.folder.path(stored), 60)
    assert [each.condition for each in upkeep.check(lived).found] == [Condition.DAMAGED]


def test_abandoned_parts_are_tidied_when_that_is_asked(lived: Books) -> None:
    """A part of a store that was killed is told after a day, and removed by a pass that tidies, once."""
    (lived.vault.root / "incoming" / "killed.part").write_bytes(b"CPVAULT")
    assert upkeep.check(lived).found == ()
    tomorrow = NOW + timedelta(days=2)
    for tidy in (False, True):
        check = upkeep.check(lived, now=tomorrow, tidy=tidy)
        assert check.holds
        assert [(each.condition, each.names) for each in check.found] == [(Condition.ABANDONED, "killed.part")]
    assert upkeep.check(lived, now=tomorrow, tidy=True).found == ()


def test_a_missing_master_key_is_told_by_its_id(lived: Books) -> None:
    """Without the key nothing opens; what is told is which key, not that the files are damaged."""
    other = replace(lived.vault, keyring=Keyring("other", {"other": NEW_KEY}))
    check = vault_upkeep.verify(upkeep.reading(lived.engine), other, NOW)
    assert not check.holds
    assert check.counts[Condition.KEY_MISSING] == check.files
    key_id = lived.keyring.current_key_id
    assert {each.key_id for each in check.found} == {key_id}
    assert [(each.key_id, each.is_current) for each in check.keys] == [(key_id, False)]


def test_progress_ends_at_the_whole(lived: Books) -> None:
    """The bar is told the stored bytes of the chunks; it never goes back or beyond."""
    told: list[tuple[int, int]] = []
    vault_upkeep.verify(upkeep.reading(lived.engine), lived.vault, NOW, progress=lambda *at: told.append(at))
    done = [at for at, _ in told]
    assert done == sorted(done)
    assert {whole for _, whole in told} == {lived.vault.folder.stored_bytes()}
    assert 0 < done[-1] < lived.vault.folder.stored_bytes()


def test_what_is_let_go_during_the_pass_is_not_missed(lived: Books, owner: Engine) -> None:
    """The pass sees the books as they were when it began; a file that went since is looked up once more."""
    upkeep.age(lived, owner)
    begun = 0

    @contextmanager
    def reading() -> Iterator[Connection]:
        nonlocal begun
        with database.reading(lived.engine) as connection:
            connection.execute(text("SELECT count(*) FROM received_file"))
            begun += 1
            if begun == 1:
                assert len(upkeep.expire(lived).let_go) > 1
            yield connection

    check = vault_upkeep.verify(reading, lived.vault, NOW)
    assert begun == 2
    assert check.holds
    assert check.counts[Condition.LET_GO] == 3


# Rotation ------------------------------------------------------------------------------------------------------------


def _with_new_key(books: Books) -> Books:
    """Give the same books with a new master key in front of the old one."""
    return _under(books, Keyring(id_of_key(NEW_KEY), {id_of_key(NEW_KEY): NEW_KEY, **books.keyring.keys}))


def _with_new_key_alone(books: Books) -> Books:
    return _under(books, Keyring(id_of_key(NEW_KEY), {id_of_key(NEW_KEY): NEW_KEY}))


def _under(books: Books, keyring: Keyring) -> Books:
    other = Books(books.engine, books.folder, books.bank)
    other.keyring, other.vault = keyring, Vault(books.vault.root, keyring)
    return other


def _rotate(books: Books) -> Rotated:
    return vault_keys.rotate(books.begin, books.vault, MAKER)


def _sealed_numbers(books: Books) -> list[tuple[str, bytes]]:
    query = """SELECT 'bank_account:' || bank_account_id, sealed_number FROM bank_account
               UNION ALL SELECT 'custodial_account:' || custodial_account_id, sealed_number FROM custodial_account"""
    return [(context, bytes(sealed)) for context, sealed in books.ask(query)]


def test_after_a_rotation_the_new_key_alone_does(lived: Books) -> None:
    """Files, members' accounts and our own open without the old key: the vault is whole, and the next day is paid."""
    rotated = _rotate(_with_new_key(lived))
    assert rotated.files_rewrapped == upkeep.check(lived).files
    assert rotated.numbers_resealed == 4  # three members and the custodial account
    assert (rotated.unopened, rotated.old_key_ids) == ((), ())
    new = _with_new_key_alone(lived)
    assert upkeep.check(new).holds
    new.fund(remittance("T2", WEDNESDAY, Share(A, (50_00,))))
    assert new.pay(THURSDAY).total_cents == 50_00
    new.prove()
    with pytest.raises(UnknownKeyError):
        lived.vault.open(upkeep.digest(lived, "remit.835"))


def test_an_approval_outlives_a_rotation(lived: Books) -> None:
    """What was approved before the keys changed is what is released after it: the hash knows accounts by their rows."""
    lived.fund(remittance("T2", WEDNESDAY, Share(A, (50_00,))))
    cycle = lived.approved(THURSDAY)
    _rotate(_with_new_key(lived))
    new = _with_new_key_alone(lived)
    assert new.ask("SELECT encode(cycle_set_hash(:id), 'hex')", id=cycle.cycle_id) == [(cycle.set_hash,)]
    assert new.release(cycle.cycle_id).total_cents == 50_00


def test_rotating_again_changes_nothing(lived: Books) -> None:
    """The second time there is nothing under the old key: no byte, no number, no record is added."""
    books = _with_new_key(lived)
    _rotate(books)
    files = {path: path.read_bytes() for path in books.vault.root.rglob("*.vault")}
    numbers, records = _sealed_numbers(books), books.ask("SELECT count(*) FROM activity")
    again = _rotate(books)
    assert (again.files_rewrapped, again.numbers_resealed, again.old_key_ids) == (0, 0, ())
    assert {path: path.read_bytes() for path in books.vault.root.rglob("*.vault")} == files
    assert (_sealed_numbers(books), books.ask("SELECT count(*) FROM activity")) == (numbers, records)


def test_what_stays_under_an_old_key_is_told(lived: Books) -> None:
    """Where a key is not at hand, or a seal is damaged, the old key stays in use, and the rest is done."""
    strange = Vault(lived.vault.root, Keyring("strange", {"strange": bytes(32)}))
    foreign = strange.store(BytesIO(b"of another house"), "file").sha256
    path = upkeep.path(lived, "roster.csv")
    upkeep.flip(path, 60)
    rotated = _rotate(_with_new_key(lived))
    assert set(rotated.unopened) == {foreign, path.stem}
    assert set(rotated.old_key_ids) == {"strange", lived.keyring.current_key_id}
    told = {each.key_id: (each.is_given, each.files, each.numbers) for each in rotated.keys}
    assert told["strange"] == (False, 1, 0)
    assert told[lived.keyring.current_key_id] == (True, 1, 0)


def test_a_number_is_replaced_only_by_itself_anew(lived: Books) -> None:
    """The database refuses a value that is not the one read, one of another length, and one under the same key."""
    numbers = dict(_sealed_numbers(lived))
    context = next(iter(numbers))
    other = next(each for each in numbers if each != context)
    bound = context.encode()
    new = _with_new_key_alone(lived).keyring
    plain = lived.keyring.open(numbers[context], bound)
    assert bank_account_context(lived.ask("SELECT bank_account_id FROM bank_account LIMIT 1")[0][0]) in {
        each.encode() for each in numbers
    }
    for read, resealed in (
        (numbers[other], new.seal(plain, bound)),
        (numbers[context], new.seal(plain + b"0", bound)),
        (numbers[context], lived.keyring.seal(plain, bound)),
    ):
        assert _reseal(lived, context, read, resealed) == 0
    assert dict(_sealed_numbers(lived)) == numbers
    assert _reseal(lived, context, numbers[context], new.seal(plain, bound)) == 1
    assert lived.ask("SELECT count(*) FROM activity WHERE action = 'account_numbers_resealed'") == [(4,)]


def _reseal(books: Books, context: str, read: bytes, resealed: bytes) -> int:
    asked = "SELECT reseal_numbers(:actor, ARRAY[:context], ARRAY[CAST(:read AS bytea)], ARRAY[CAST(:new AS bytea)])"
    return int(books.ask(asked, actor=MAKER, context=context, read=read, new=resealed)[0][0])


# As commands ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(database_url: str, quick_path: Path) -> Office:
    """Give an office with two members, after a payout."""
    office = Office(Shell(quick_path / "home", database_url), quick_path)
    _work(office)
    return office


def _work(office: Office) -> None:
    office.found(A, B)
    office.fund(ADVICE)
    office.pay(TUESDAY)


def _add_key(home: Path) -> str:
    """Put a new key in front of the home's key; give the new text alone."""
    path, new = home / "keys" / "master.key", base64.b64encode(NEW_KEY).decode()
    path.write_text(f"{new}\n{path.read_text()}")
    return new


def test_verify_says_it_by_its_exit_code(office: Office) -> None:
    """0 while all is whole, 4 when something is lost; the table names the file, its SHA-256 and the lost bytes."""
    assert office.ask("vault", "verify")["holds"]
    path = max((office.shell.home / "vault").rglob("*.vault"), key=lambda each: each.stat().st_size)
    upkeep.flip(path, path.stat().st_size // 2)
    document = office.ask("vault", "verify", code=4)
    assert (document["holds"], document["counts"]["damaged"]) == (False, 1)
    (found,) = document["found"]
    assert (found["condition"], found["sha256"], found["lost_from_byte"]) == ("damaged", path.stem, 0)
    shown = office.run("vault", "verify", code=4).out
    table = [line for line in shown.splitlines() if line.startswith(("┏", "┃", "┡", "│", "└"))]
    assert any(path.stem in line and found["names"] in line for line in table)
    assert {len(line) for line in table[-5:]} == {len(table[-1])}


def test_rotate_says_when_the_old_key_may_go(office: Office) -> None:
    """After it the home's key file may hold the new key alone, and the next command works."""
    new = _add_key(office.shell.home)
    document = office.ask("vault", "rotate")
    assert (document["old_key_ids"], document["numbers_resealed"]) == ([], 3)
    (office.shell.home / "keys" / "master.key").write_text(new)
    assert office.ask("vault", "verify")["holds"]
    office.ask("members", "import", str(roster_file(office.folder / "again.csv", (A, B))))
    assert "may be taken out" in office.run("vault", "rotate").out


def test_expire_is_an_admins(office: Office, owner: Engine) -> None:
    """An operator and an approver are refused, also a dry run; so is a day within the period, and a shorter period."""
    words = ("vault", "expire", "--before", f"{BEFORE}", "--reason", "retention")
    for user in (CLERK, CHECKER):
        office.run(*words, "--dry-run", user=user, code=5)
        office.run("vault", "rotate", user=user, code=5)
    office.run("vault", "expire", "--before", f"{date.today() - timedelta(days=3600)}", "--reason", "r", code=5)  # noqa: DTZ011 (only far from the border)
    upkeep.as_owner(owner, "UPDATE received_file SET received_at = :day WHERE name LIKE '%payers%'", day=LONG_AGO)
    told = office.ask(*words, "--dry-run")
    assert [Path(each["name"]).name for each in told["let_go"]] == ["payers.csv"]
    assert office.ask(*words)["erased"] == 1
    assert office.ask("vault", "verify")["counts"]["let_go"] == 1


# Killed --------------------------------------------------------------------------------------------------------------

KILLS = 3


@pytest.fixture
def scene(cluster: Cluster, new_database: NewDatabase, quick_path: Path) -> Iterator[Scene]:
    """Give an office with two master keys and thirty old files that nothing needs."""
    with new_database() as url:
        office = Office(Shell(quick_path / "home", url), quick_path)
        _work(office)
        for number in range(30):
            office.run("ingest", str(office.save(b"rubbish %d" % number)), code=3)
        with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
            connection.execute("UPDATE received_file SET received_at = %s WHERE kind = 'unknown'", [LONG_AGO])
        _add_key(office.shell.home)
        yield Scene(cluster, quick_path, str(psycopg.conninfo.conninfo_to_dict(url)["dbname"]), office.shell.home)


def _ends_the_same(scene: Scene, words: tuple[str, ...], look: Callable[[Shell], object]) -> None:
    """Let a command end undisturbed, then kill it at several moments and run it again: the same is seen each time."""
    with scene.copy() as shell:
        outcome, duration_s = work(shell, words)
        assert outcome.code == 0, outcome.err
        undisturbed = look(shell)
    killed = 0
    for moment in moments(20261122, KILLS, duration_s):
        with scene.copy() as shell:
            killed += work(shell, words, moment)[0].code == -9
            again = shell.run(words, user=MAKER)
            assert again.code == 0, again.err
            assert look(shell) == undisturbed, f"killed after {moment:.3f} s"
    assert killed >= KILLS // 2


def test_killed_rotation_ends_as_if_undisturbed(scene: Scene) -> None:
    """Rotation killed at three moments and run again: everything opens with the new key alone."""

    def look(shell: Shell) -> object:
        (shell.home / "keys" / "master.key").write_text(base64.b64encode(NEW_KEY).decode())
        office = Office(shell, shell.home)
        assert office.ask("vault", "rotate")["old_key_ids"] == []
        check = office.ask("vault", "verify")
        return check["counts"], check["keys"], check["plain_bytes"]

    _ends_the_same(scene, ("vault", "rotate", "--json"), look)


def test_killed_expiry_ends_as_if_undisturbed(scene: Scene) -> None:
    """Expiry killed at three moments and run again: the same files are gone, the same rows say so."""

    def look(shell: Shell) -> object:
        with psycopg.connect(shell.database_url, options="-c search_path=centralpay") as connection:
            rows = connection.execute(
                "SELECT state, count(*) FROM vault_expiry GROUP BY state ORDER BY state"
            ).fetchall()
        return rows, Office(shell, shell.home).ask("vault", "verify")["counts"]

    _ends_the_same(scene, ("vault", "expire", "--before", f"{BEFORE}", "--reason", "r", "--json"), look)
