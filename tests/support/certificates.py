"""Books whose certificates are issued: sealed by a key of their own, in their own folder."""

from datetime import UTC, datetime, timedelta
from itertools import count

from ledger.seal.keys import SealKeys
from ledger.seal.published import Published
from ledger.seal.sealer import Sealer
from payouts.certificates.issuing import Certifier
from tests.support.books import MAKER, Books

ORIGIN = "centralpay/example"
_MINUTES = count()
_FIRST = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def sealer(books: Books) -> Sealer:
    """Give what seals these books."""
    keys = SealKeys(books.folder / "keys" / "seal.key", ORIGIN, is_ours=True)
    return Sealer(books.begin, keys, Published(books.folder / "checkpoints", is_ours=True))


def seal(books: Books) -> None:
    """Seal what waits, a minute after the last time."""
    sealer(books).seal(MAKER, _FIRST + timedelta(minutes=next(_MINUTES)))


def certifier(books: Books) -> Certifier:
    """Give what issues certificates of these books."""
    return Certifier(
        begin=books.begin,
        reading=books.begin,
        vault=books.vault,
        seal=lambda: seal(books),
        origin=ORIGIN,
        company="EXAMPLE PHARMACY SERVICES",
        actor=MAKER,
    )
