"""Issued statements: kept whole and once, given again as they were, and guarded by the database."""

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from threading import Thread

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from app.database import unit_of_work
from ingest.vault import Vault
from ledger.errors import LedgerRefusedError
from ledger.seal.checkpoints import of_size
from payouts.papers import pressroom
from payouts.papers.errors import PrintingStoppedError
from payouts.papers.sender import Sender
from payouts.statements.errors import IssueChangedError, NobodyError, RangeError, UnknownStatementError
from payouts.statements.forms import StatementForm, written
from payouts.statements.issuing import Issue, Issuer, again, issue, issued, issued_to
from payouts.statements.reading import statement
from schemas.errors import CentralpayError
from tests.support.books import MAKER, Books
from tests.support.lives import kept
from tests.support.trade import A, B, C, Part, remittance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
SENDER = Sender(name="EXAMPLE PHARMACY SERVICES")


def _issuer(books: Books) -> Issuer:
    return Issuer(books.begin, books.begin, books.vault, SENDER, MAKER, books.pinned)


def _issue(books: Books, form: StatementForm = StatementForm.JSON, *, anew: bool = False) -> Issue:
    return _issuer(books).issue(NOVEMBER, LAST, form, lambda *_: None, anew=anew)


def _files(books: Books, of: Issue) -> dict[str, bytes]:
    return dict(_issuer(books).files(of))


@pytest.fixture
@kept
def lived(books: Books) -> Books:
    """Give books in which A and B were paid."""
    books.fund(remittance("T1", MONDAY, Part(A, (600_00,)), Part(B, (5_00,))))
    books.pay(TUESDAY)
    return books


@pytest.mark.parametrize("form", StatementForm)
def test_each_members_file_is_its_statement(lived: Books, form: StatementForm) -> None:
    """Everybody's statements of a range are one file of the vault; cut out of it, each is the member's own."""
    made = _issue(lived, form)
    assert (made.version, made.members, made.issued_by) == (1, 3, MAKER)
    assert set(_files(lived, made)) == {f"{store.ncpdp_id}.{form.value}" for store in (A, B, C)}
    with lived.begin() as connection:
        checkpoint = of_size(connection, made.checkpoint_size or 0)
        own = statement(connection, lived.member(A), NOVEMBER, LAST, checkpoint=checkpoint)
    assert _files(lived, made)[f"{A.ncpdp_id}.{form.value}"] == written(own, form, SENDER)
    with lived.vault.open(made.sha256) as stream:
        assert len(stream.read()) == made.size_bytes


@pytest.mark.parametrize("form", [StatementForm.PDF, StatementForm.XLSX])
def test_processes_write_what_one_writes(lived: Books, form: StatementForm, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written by three processes the statements are the bytes that one writes, in the same order: one file is kept."""
    monkeypatch.setattr(pressroom, "FEW", 1)
    checkpoint = lived.pinned()
    alone = replace(_issuer(lived), processes=1, pin=lambda: checkpoint).issue(NOVEMBER, LAST, form, lambda *_: None)
    shared = replace(_issuer(lived), processes=3, pin=lambda: checkpoint).issue(
        NOVEMBER, LAST, form, lambda *_: None, anew=True
    )
    assert (shared.version, shared.members) == (2, 3)
    assert shared.sha256 == alone.sha256
    assert _files(lived, shared) == _files(lived, alone)


def test_a_process_that_dies_issues_nothing(lived: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process that writes can not begin, the sentence says why, no row is left, and the next time goes."""
    monkeypatch.setattr(pressroom, "FEW", 1)
    monkeypatch.setenv("PYTHONHOME", str(lived.folder / "nowhere"))
    with pytest.raises(PrintingStoppedError, match="could not be set"):
        replace(_issuer(lived), processes=2).issue(NOVEMBER, LAST, StatementForm.PDF, lambda *_: None)
    assert lived.ask("SELECT count(*) FROM statement_issue")[0][0] == 0
    monkeypatch.undo()
    assert _issue(lived, StatementForm.PDF).members == 3


def test_an_issue_as_json_is_a_line_a_member(lived: Books) -> None:
    """The kept file can be read line by line by anybody's tools."""
    with lived.vault.open(_issue(lived).sha256) as stream:
        lines = [json.loads(line) for line in stream]
    assert [line["ncpdp_id"] for line in lines] == sorted(store.ncpdp_id for store in (A, B, C))


def test_a_range_issued_again_keeps_its_bytes(lived: Books) -> None:
    """What is posted later changes nothing of what was given out, until it is asked for anew: then both are kept."""
    first = _issue(lived)
    before = _files(lived, first)
    lived.remit(remittance("T2", TUESDAY, Part(A, (1_00,))))
    assert _issue(lived) == first
    assert _files(lived, first) == before
    second = _issue(lived, anew=True)
    assert (second.version, second.issue_id != first.issue_id) == (2, True)
    assert _files(lived, second) != before
    assert _files(lived, first) == before
    assert _issue(lived) == second
    assert _issue(lived, StatementForm.CSV).version == 1


def test_what_was_issued_to_a_member_is_listed_and_given_again(lived: Books) -> None:
    """Each form and each version stands in the list, and its bytes are those that were given out."""
    made = _issue(lived)
    checkpoint = lived.pinned()
    with lived.begin() as connection:
        own = statement(connection, lived.member(A), NOVEMBER, LAST, checkpoint=checkpoint)
    with lived.begin() as connection:
        content = written(own, StatementForm.CSV, SENDER)
        number = issue(connection, lived.vault, own, content, form=StatementForm.CSV, actor=MAKER)
    with lived.begin() as connection:
        listed = issued_to(connection, lived.member(A))
        assert issued(connection, number) == listed[-1]
    assert [(each.form, each.version, each.closing_cents) for each in listed] == [("json", 1, 0), ("csv", None, 0)]
    assert again(lived.vault, listed[0]) == _files(lived, made)[f"{A.ncpdp_id}.json"]
    assert again(lived.vault, listed[1]) == content
    with lived.begin() as connection, pytest.raises(UnknownStatementError, match="No statement 999"):
        issued(connection, 999)


def test_bytes_that_are_not_those_that_were_issued_are_refused(lived: Books) -> None:
    """A row that tells of other bytes than the vault holds gives nothing out."""
    _issue(lived)
    with lived.begin() as connection:
        of = issued_to(connection, lived.member(B))[0]
    with pytest.raises(IssueChangedError):
        again(lived.vault, of.model_copy(update={"byte_start": of.byte_start - 1}))


def test_two_issues_at_once_are_one(lived: Books) -> None:
    """Whoever comes second gets what the first one issued: one version, one set of files."""
    made: list[Issue] = []
    threads = [Thread(target=lambda: made.append(_issue(lived))) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 3
    assert len({each.issue_id for each in made}) == 1
    assert lived.ask("SELECT count(*) FROM statement_issue")[0][0] == 1
    assert lived.ask("SELECT count(*) FROM issued_statement")[0][0] == 3


def test_a_failing_reader_issues_nothing(lived: Books) -> None:
    """What goes wrong while statements are read comes out as it is, and no row is left behind."""

    class _LostError(CentralpayError):
        """The database went away."""

    @contextmanager
    def lost() -> Iterator[Connection]:
        with lived.begin() as connection:
            connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection
            raise _LostError

    issuer = Issuer(lived.begin, lost, lived.vault, SENDER, MAKER, lived.pinned)
    with pytest.raises(_LostError):
        issuer.issue(NOVEMBER, LAST, StatementForm.JSON, lambda *_: None)
    assert lived.ask("SELECT count(*) FROM statement_issue")[0][0] == 0


def test_nobody_and_no_range_are_refused(books: Books) -> None:
    """A range that says nothing of anybody, or that ends before it begins, issues nothing."""
    with pytest.raises(NobodyError):
        _issuer(books).issue(date(2001, 1, 1), date(2001, 1, 31), StatementForm.CSV, lambda *_: None)
    with pytest.raises(RangeError):
        _issuer(books).issue(LAST, NOVEMBER, StatementForm.CSV, lambda *_: None)
    assert books.ask("SELECT count(*) FROM statement_issue")[0][0] == 0


_ENDED = (
    "UPDATE member_identifier SET valid = daterange(lower(valid), '2026-11-15') WHERE member_id = :member RETURNING 1",
    "UPDATE contract SET in_force = daterange(lower(in_force), '2026-11-15') WHERE member_id = :member RETURNING 1",
    "UPDATE member SET membership = daterange(lower(membership), '2026-11-15') WHERE member_id = :member RETURNING 1",
)
_SOLD = """
    INSERT INTO member (member_id, pharmacy_id, membership, legal_name, dba_name, tin, state, payout_schedule)
    SELECT :other, pharmacy_id, daterange('2026-11-15', NULL), 'NEW OWNER LLC', dba_name, tin, state, payout_schedule
    FROM member WHERE member_id = :member RETURNING 1"""


def test_two_owners_of_one_store_have_a_file_each(lived: Books) -> None:
    """A store that changed hands in the range: neither owner's statement lies on the other's."""
    member = lived.member(C)
    for change in _ENDED:
        lived.ask(change, member=member)
    other = lived.ask("INSERT INTO owner (kind) VALUES ('member') RETURNING owner_id")[0][0]
    lived.ask(_SOLD, member=member, other=other)
    files = _files(lived, _issue(lived, StatementForm.JSON))
    both = [json.loads(content) for name, content in files.items() if name.startswith(C.ncpdp_id)]
    assert {each["legal_name"] for each in both} == {f"{C.dba_name} LLC", "NEW OWNER LLC"}
    assert f"{C.ncpdp_id}-2.json" in files


# By raw SQL ----------------------------------------------------------------------------------------------------------

_ISSUE = """
    INSERT INTO statement_issue (from_on, to_on, form, version, sha256, size_bytes, members, issued_by,
        checkpoint_size)
    SELECT '2026-11-01', '2026-11-30', 'json', :version, sha256('x'), :bytes, :members, 'raw', max(size)
    FROM seal_checkpoint RETURNING issue_id"""
_STATEMENT = """
    INSERT INTO issued_statement (issue_id, member_id, file_name, byte_start, byte_end, sha256, closing_cents)
    VALUES (:issue, :member, CAST(:member AS text) || '.json', :starts, :ends, sha256('x'), 0)"""


def _by_hand(books: Books, *places: tuple[int, int], members: int, size: int, version: int = 1) -> None:
    """Write an issue and its statements, each from one byte to another."""
    books.pinned()
    with books.begin() as connection:
        facts = {"version": version, "bytes": size, "members": members}
        number = connection.execute(text(_ISSUE), facts).scalar_one()
        for store, (starts, ends) in zip((A, B, C), places, strict=False):
            place = {"issue": number, "member": books.member(store), "starts": starts, "ends": ends}
            connection.execute(text(_STATEMENT), place)


def test_an_issue_has_all_its_statements(lived: Books) -> None:
    """An issue that says more statements, or more bytes, than it has is refused; one that agrees is taken."""
    with pytest.raises(LedgerRefusedError, match="says 2 of 10"):
        _by_hand(lived, (0, 10), members=2, size=10)
    with pytest.raises(LedgerRefusedError, match="says 1 of 11"):
        _by_hand(lived, (0, 10), members=1, size=11)
    _by_hand(lived, (0, 10), members=1, size=10)
    assert lived.ask("SELECT count(*) FROM statement_issue")[0][0] == 1


def test_statements_stand_one_after_the_other(lived: Books) -> None:
    """No byte of an issue's file is two members', or nobody's."""
    with pytest.raises(LedgerRefusedError, match="not one after the other"):
        _by_hand(lived, (0, 5), (0, 2), (7, 10), members=3, size=10)
    _by_hand(lived, (0, 5), (5, 7), (7, 10), members=3, size=10)


def test_versions_count_up_by_one(lived: Books) -> None:
    """No version of a range is left out: what the last one is, is what was given out last."""
    with pytest.raises(LedgerRefusedError, match="version 9 of an issue follows version 0"):
        _by_hand(lived, (0, 10), members=1, size=10, version=9)
    for version in (1, 2):
        _by_hand(lived, (0, 10), members=1, size=10, version=version)


def test_no_statement_joins_a_complete_issue(lived: Books) -> None:
    """What was issued to everybody is complete; nobody is added to it later."""
    _by_hand(lived, (0, 10), members=1, size=10)
    number = lived.ask("SELECT issue_id FROM statement_issue")[0][0]
    with pytest.raises(LedgerRefusedError, match="with all others of its issue"), lived.begin() as connection:
        connection.execute(text(_STATEMENT), {"issue": number, "member": lived.member(B), "starts": 0, "ends": 10})


_CHANGES = (
    "UPDATE statement_issue SET to_on = to_on",
    "DELETE FROM statement_issue",
    "UPDATE issued_statement SET byte_end = byte_end + 1",
    "DELETE FROM issued_statement",
    "TRUNCATE statement_issue CASCADE",
)


@pytest.mark.parametrize("change", _CHANGES)
def test_the_application_changes_nothing_that_was_issued(lived: Books, change: str) -> None:
    """The application has no right to it."""
    _issue(lived)
    with pytest.raises(ProgrammingError, match="permission denied"), lived.begin() as connection:
        connection.execute(text(change))


@pytest.mark.parametrize("change", _CHANGES)
def test_what_was_issued_stays(lived: Books, owner: Engine, change: str) -> None:
    """The owner of the tables neither: what was issued is neither changed nor deleted by anybody."""
    _issue(lived)
    with pytest.raises(LedgerRefusedError, match="is refused"), unit_of_work(owner) as connection:
        connection.execute(text(change))
    assert lived.ask("SELECT count(*) FROM issued_statement")[0][0] == 3


def test_the_vault_knows_what_was_issued(lived: Books) -> None:
    """The file of an issue is named by the books: the vault's upkeep finds it missing when it is gone."""
    made = _issue(lived)
    vault = Vault(lived.vault.root, lived.keyring)
    assert hashlib.sha256(vault.open(made.sha256).read()).hexdigest() == made.sha256
    named = lived.ask("SELECT subject FROM activity WHERE detail ->> 'sha256' = :sha256", sha256=made.sha256)
    assert [row.subject for row in named] == ["everybody, json"]
    assert vault.store(io.BytesIO(vault.open(made.sha256).read()), "again", unpack=False).created is False
