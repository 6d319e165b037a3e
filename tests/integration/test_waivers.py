"""Wrong totals of a bank's file: refused by default, let through by another than who brought it, never unseen."""

import re
from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ingest.bank.bai2_writer import write_bai2
from ingest.receiving import FileVerdict, Receiver
from ingest.waivers import Waiver
from ledger.chart import Account
from ledger.errors import DecidedOnceError, JournalAppendOnlyError, MakerIsCheckerError
from payouts.people.users import UserRole, add_user
from schemas.errors import WrongUseError
from schemas.findings import Severity
from tests.support.bank import paid_in
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import BANK_ACCOUNT

DAY = date(2026, 11, 16)
WHY = "the bank does not count its continuations"


@pytest.fixture
def office(books: Books) -> Books:
    """Give books with a maker, a checker and a clerk."""
    books.found()
    with books.begin() as connection:
        add_user(connection, "clara", UserRole.OPERATOR, MAKER)
    return books


def _miscounted(change: Callable[[str], str] = lambda text: text) -> bytes:
    """Write a statement whose account trailer counts a line too few."""
    content = write_bai2(account=BANK_ACCOUNT, as_of=DAY, opening_cents=7, items=[paid_in("T1", 500)]).decode()
    trailer = re.compile(r"^(49,[0-9]+),([0-9]+)/", re.MULTILINE)
    wrong = trailer.sub(lambda found: f"{found[1]},{int(found[2]) - 1}/", content)
    assert wrong != content
    return change(wrong).encode()


def _receive(books: Books, content: bytes, actor: str, waiver: Waiver | None = None) -> FileVerdict:
    receiver = Receiver(books.begin, books.vault, books.keyring, BANK_ACCOUNT, actor)
    return receiver.receive(BytesIO(content), "bank.bai", waiver=waiver)


def test_a_waived_count_is_a_warning(office: Books) -> None:
    """Refused for the maker; taken once the checker waives it, with the finding as a warning and the act on record."""
    content = _miscounted()
    assert _receive(office, content, MAKER).status == "quarantined"
    verdict = _receive(office, content, CHECKER, Waiver("record_count", WHY))
    assert verdict.status == "accepted"
    assert [(each.rule, each.severity) for each in verdict.findings] == [("record_count", Severity.WARN)]
    assert office.house(Account.CASH) == -507
    rows = office.ask("SELECT actor, detail ->> 'rule' AS rule FROM activity WHERE action = 'rule_waived'")
    assert [tuple(row) for row in rows] == [(CHECKER, "record_count")]
    office.prove()


def test_who_brought_the_file_does_not_waive(office: Books) -> None:
    """Maker is not checker, even where the maker could approve for others."""
    content = _miscounted()
    _receive(office, content, MAKER)
    with pytest.raises(MakerIsCheckerError):
        _receive(office, content, MAKER, Waiver("record_count", WHY))
    assert office.ask("SELECT FROM statement_waiver") == []


def test_an_operator_does_not_waive(office: Books) -> None:
    """The database asks for an approver as well."""
    content = _miscounted()
    _receive(office, content, MAKER)
    with pytest.raises(DecidedOnceError, match="only an approver"):
        _receive(office, content, "clara", Waiver("record_count", WHY))


def test_only_what_was_refused_is_waived(office: Books) -> None:
    """Nobody waives ahead: the first to bring a file is its maker, and a file that foots has nothing to waive."""
    with pytest.raises(MakerIsCheckerError):
        _receive(office, _miscounted(), CHECKER, Waiver("record_count", WHY))
    _receive(office, b"no file of any kind", MAKER)
    with pytest.raises(DecidedOnceError, match="BAI2 file that was refused"):
        _receive(office, b"no file of any kind", CHECKER, Waiver("record_count", WHY))


def test_one_rule_waived_is_not_another(office: Books) -> None:
    """A wrong total beside the waived count still refuses the file."""
    content = _miscounted(lambda text: re.sub(r"^49,([0-9])", r"49,1\1", text, flags=re.MULTILINE))
    _receive(office, content, MAKER)
    verdict = _receive(office, content, CHECKER, Waiver("record_count", WHY))
    assert verdict.status == "quarantined"
    assert "control_total" in {each.rule for each in verdict.findings}
    assert _receive(office, content, CHECKER, Waiver("control_total", WHY)).status == "accepted"
    office.prove()


def test_without_balances_nothing_is_waived(office: Books) -> None:
    """Where neither totals nor balances hold the items together, one may be missing."""
    content = _miscounted(lambda text: text.replace(",010,7,", ",045,7,"))
    _receive(office, content, MAKER)
    verdict = _receive(office, content, CHECKER, Waiver("record_count", WHY))
    assert [each.rule for each in verdict.findings if each.severity is Severity.REFUSE] == ["balance_present"]


def test_balances_are_never_waived(office: Books) -> None:
    """A closing balance that does not follow from opening and items stays refused."""
    content = _miscounted(lambda text: text.replace(",015,507,", ",015,508,"))
    _receive(office, content, MAKER)
    verdict = _receive(office, content, CHECKER, Waiver("record_count", WHY))
    assert "balance" in {each.rule for each in verdict.findings}
    with pytest.raises(WrongUseError, match="no rule that can be waived"):
        Waiver("balance", WHY)
    with pytest.raises(WrongUseError, match="Say why"):
        Waiver("record_count", " ")


def test_the_database_knows_the_maker(office: Books) -> None:
    """By raw SQL as the application's role: a waiver by the maker is refused, by the checker it is taken."""
    _receive(office, _miscounted(), MAKER)
    with pytest.raises(MakerIsCheckerError), office.begin() as connection:
        connection.execute(text(_WAIVE), {"actor": MAKER})
    with office.begin() as connection:
        connection.execute(text(_WAIVE), {"actor": CHECKER})


_WAIVE = """
    INSERT INTO statement_waiver (file_id, rule, reason, waived_by)
    SELECT max(file_id), 'record_count', 'raw', :actor FROM received_file
"""


def test_not_even_the_owner_changes_a_waiver(office: Books, owner: Engine) -> None:
    """The table is append-only."""
    _receive(office, _miscounted(), MAKER)
    with office.begin() as connection:
        connection.execute(text(_WAIVE), {"actor": CHECKER})
    with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE statement_waiver SET reason = 'another'"))
