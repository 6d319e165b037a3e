"""Books after a working day, and what the tests of the vault's upkeep ask of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from app import database
from ingest.vault import expiry as vault_expiry
from ingest.vault import upkeep as vault_upkeep
from ingest.vault.expiry import Expiry
from ingest.vault.report import VaultCheck
from payouts.statements.forms import StatementForm
from payouts.statements.issuing import issue
from payouts.statements.reading import statement
from tests.support.books import MAKER, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
NOW = datetime.now(UTC)
TODAY = date(2026, 11, 20)
LONG_AGO, BEFORE = date(2012, 3, 1), date(2014, 1, 1)
"""When old files came, and before which day they are let go."""
ADVICE = remittance("T1", MONDAY, Part(A, (600_00, 400_00)), Part(B, (300_00,)))


def live(books: Books) -> Books:
    """Pay a remittance out and issue a statement."""
    books.fund(ADVICE)
    books.pay(TUESDAY)
    checkpoint = books.pinned()
    with books.begin() as connection:
        days = date(2026, 11, 1), date(2026, 11, 30)
        made = statement(connection, books.member(A), *days, checkpoint=checkpoint)
    with books.begin() as connection:
        issue(connection, books.vault, made, made.model_dump_json().encode(), form=StatementForm.JSON, actor=MAKER)
    return books


def tell(books: Books, owner: Engine) -> Books:
    """Let every share of what was paid be told."""
    wait_to_be_told(owner)
    as_owner(owner, "UPDATE share_to_remit SET cycle_id = 1 WHERE cycle_id IS NULL")
    return books


def reading(engine: Engine) -> Callable[[], AbstractContextManager[Connection]]:
    """Give what opens a snapshot."""
    return lambda: database.reading(engine)


def check(books: Books, *, now: datetime = NOW, tidy: bool = False) -> VaultCheck:
    """Go over the books' vault."""
    return vault_upkeep.verify(reading(books.engine), books.vault, now, tidy=tidy)


def digest(books: Books, name: str) -> str:
    """Give the SHA-256 of the first received file of a name."""
    query = "SELECT encode(sha256, 'hex') FROM received_file WHERE name = :name ORDER BY file_id"
    return str(books.ask(query, name=name)[0][0])


def path(books: Books, name: str) -> Path:
    """Say where that file lies."""
    return books.vault.folder.path(digest(books, name))


def flip(stored: Path, place: int) -> None:
    """Change one bit of a stored file."""
    content = bytearray(stored.read_bytes())
    content[place] ^= 1
    stored.write_bytes(content)


def as_owner(owner: Engine, statement_: str, **parameters: object) -> None:
    """Change rows as the owner of the tables, who no role of ours is."""
    with database.unit_of_work(owner) as connection:
        connection.execute(text(statement_), parameters)


def age(books: Books, owner: Engine, name: str = "%") -> None:
    """Let files have come long ago."""
    as_owner(owner, "UPDATE received_file SET received_at = :day WHERE name LIKE :name", day=LONG_AGO, name=name)
    assert books.ask("SELECT count(*) FROM received_file WHERE received_at < :day", day=BEFORE) != [(0,)]


def wait_to_be_told(owner: Engine) -> None:
    """Let every share wait for its pharmacy's own remittance that does not yet, or was told."""
    as_owner(
        owner,
        """INSERT INTO share_to_remit (owner_id, advice_id)
           SELECT owner_id, advice_id FROM advice_share WHERE owner_id <> house_id() ON CONFLICT DO NOTHING""",
    )


def expire(books: Books, before: date = BEFORE, *, reason: str = "retention", dry_run: bool = False) -> Expiry:
    """Let old files go."""
    return vault_expiry.expire(
        books.begin, books.vault, before=before, reason=reason, actor=MAKER, today=TODAY, dry_run=dry_run
    )
