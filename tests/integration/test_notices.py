"""Letters and contacts: to whom, how they look, written once; a contact is in force from a day on and stays on file."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from ingest.errors import UnknownMemberError
from payouts.accounts.errors import ContactError, ContactFollowsError, NoticeFolderError, UnknownNoticeError
from payouts.people.contacts import Contact, ContactRow, contact_on, list_contacts, record_contact, telephone_digits
from payouts.people.letters import WrittenLetter, list_notices, write_letters
from payouts.people.notices import NoticeKind, change_contact, give_notice, tell_old_contact
from tests.support.bank_changes import OWNER, member_of
from tests.support.books import MAKER, Books
from tests.support.trade import A, B

NOVEMBER_2, NOVEMBER_16 = date(2026, 11, 2), date(2026, 11, 16)
SENDER = ("CENTRALPAY DEMO", "9 Exchange Place", "Springfield IL 62701", "Telephone 2175550100")
HEIR = Contact(name="Bea Heir", telephone="2175550111", email="bea@example.com")


def _record(books: Books, contact: Contact, since: date, on: date | None = None) -> ContactRow:
    with books.begin() as connection:
        return record_contact(connection, member_of(connection), contact, since=since, on=on or since, actor=MAKER)


def _give(books: Books, body: str = "Your payment came back.", ncpdp_id: str = A.ncpdp_id) -> int:
    with books.begin() as connection:
        kind, member = NoticeKind.PAYMENT_RETURNED, member_of(connection, ncpdp_id)
        return give_notice(connection, member, kind, subject="A payment", body=body, on=NOVEMBER_16, actor=MAKER)


def _write(books: Books, again: int | None = None, folder: str = "letters") -> list[WrittenLetter]:
    with books.begin() as connection:
        return write_letters(connection, books.folder / folder, SENDER, MAKER, again=again)


# Contacts ------------------------------------------------------------------------------------------------------------


def test_a_contact_follows_another_and_both_stay(books: Books) -> None:
    """Ada until the 15th, Bea from the 16th on; on each day one of them is the contact."""
    _record(books, OWNER, date(2024, 1, 1), NOVEMBER_2)
    _record(books, HEIR, NOVEMBER_16)
    with books.begin() as connection:
        member = member_of(connection)
        assert [(each.name, each.since, each.until) for each in list_contacts(connection, member)] == [
            ("Ada Owner", date(2024, 1, 1), date(2026, 11, 15)),
            ("Bea Heir", NOVEMBER_16, None),
        ]
        days = (date(2023, 12, 31), date(2026, 11, 15), NOVEMBER_16)
        found = [contact_on(connection, member, day) for day in days]
        assert [each and each.name for each in found] == [None, "Ada Owner", "Bea Heir"]


def test_the_former_contact_is_told_of_the_next(books: Books) -> None:
    """Whoever changes the contact first, to own number and letters a month later, is seen by the owner at once.

    The first contact of a member is told to nobody; the second is told to the first, once, however often it is given.
    """

    def change(contact: Contact, since: date, on: date) -> None:
        with books.begin() as connection:
            change_contact(connection, member_of(connection), contact, since=since, on=on, actor=MAKER)

    change(OWNER, date(2024, 1, 1), NOVEMBER_2)
    for _ in range(2):
        change(HEIR, NOVEMBER_16, NOVEMBER_2)
    with books.begin() as connection:
        (letter,) = list_notices(connection)
    assert (letter.kind, letter.recipient.splitlines()[0]) == (NoticeKind.CONTACT_CHANGED, "Ada Owner")
    assert "From 2026-11-16 on another person" in letter.body
    assert "Bea Heir" in letter.body


def test_the_same_contact_again_changes_nothing(books: Books) -> None:
    """However its telephone is written."""
    _record(books, OWNER, NOVEMBER_2)
    _record(books, OWNER.model_copy(update={"telephone": "+1 (312) 555-0100"}), NOVEMBER_2, NOVEMBER_16)
    with books.begin() as connection:
        assert len(list_contacts(connection, member_of(connection))) == 1


def test_a_later_contact_is_not_dated_back(books: Books) -> None:
    """The first one may have been in force for long; another is from the day of its writing down, or later."""
    _record(books, OWNER, date(2024, 1, 1), NOVEMBER_2)
    with pytest.raises(ContactFollowsError, match="2026-11-16"):
        _record(books, HEIR, date(2026, 10, 1), NOVEMBER_16)
    _record(books, HEIR, date(2026, 12, 1), NOVEMBER_16)
    with pytest.raises(ContactFollowsError, match="2026-12-02"):
        _record(books, OWNER, NOVEMBER_16)


def test_a_contact_of_another_century_is_refused(books: Books) -> None:
    """2062 for 2026: it would keep every other contact out until then; and the last day that there is, too."""
    for since in (date(2062, 11, 16), date.max):
        with pytest.raises(ContactError, match="more than a year after 2026-11-16"):
            _record(books, OWNER, since, NOVEMBER_16)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "no name"),
        ({"name": "a\nb"}, "no name"),
        ({"name": "a\x1b[2J"}, "can not be printed"),
        ({"telephone": "5550100"}, "ten digits"),
        ({"telephone": "312555010x"}, "ten digits"),
        ({"email": "ada"}, "e-mail"),
        ({"email": "ada@example.com, eve@example.com"}, "e-mail"),
        ({"postal_address": "x" * 201}, "200 characters"),
    ],
)
def test_what_is_no_contact_is_said(books: Books, changes: dict[str, str], said: str) -> None:
    """One sentence for each part that can not be right; nothing is written down."""
    with pytest.raises(ContactError, match=said):
        _record(books, OWNER.model_copy(update=changes), NOVEMBER_2)
    assert books.ask("SELECT count(*) FROM member_contact") == [(0,)]


def test_nobodys_contact_is_said(books: Books) -> None:
    """A member that is none."""
    with pytest.raises(UnknownMemberError), books.begin() as connection:
        record_contact(connection, UUID(int=7), OWNER, since=NOVEMBER_2, on=NOVEMBER_2, actor=MAKER)


@pytest.mark.parametrize(
    "written", ["3125550100", "(312) 555-0100", "312.555.0100", "+1 312 555 0100", "1-312-555-0100"]
)
def test_a_telephone_number_is_its_ten_digits(written: str) -> None:
    """As people write it in the United States."""
    assert telephone_digits(written) == "3125550100"


# Letters -------------------------------------------------------------------------------------------------------------


def test_a_letter_is_laid_out_to_be_read(books: Books) -> None:
    """Who writes and when, to whom, about what, paragraphs of 72 columns; a file of UTF-8 for its owner alone."""
    _record(books, OWNER.model_copy(update={"name": "Zoë Owner"}), NOVEMBER_2)
    number = _give(books, body="On the sixteenth " + "a word " * 20 + "ends.\n\nCall us.")
    (written,) = _write(books)
    path = Path(written.path)
    assert path.name == f"letter-{number:06d}-{A.ncpdp_id}.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (
        path.read_text(encoding="utf-8")
        == f"""\
CENTRALPAY DEMO
9 Exchange Place
Springfield IL 62701
Telephone 2175550100

November 16, 2026

Zoë Owner
1 Main St
Peoria IL
ada@example.com

A payment

Pharmacy: {A.dba_name} LLC, NCPDP {A.ncpdp_id}
Our reference: letter {number}

On the sixteenth a word a word a word a word a word a word a word a word
a word a word a word a word a word a word a word a word a word a word a
word a word ends.

Call us.

Sincerely,
CENTRALPAY DEMO
"""
    )


def test_letters_are_written_once(books: Books) -> None:
    """The second time there is nothing; a newer one is written alone; an old one again, word for word, when asked."""
    first, second = _give(books), _give(books, ncpdp_id=B.ncpdp_id)
    assert [each.notice_id for each in _write(books)] == [first, second]
    assert _write(books) == []
    when = books.ask("SELECT written_at FROM notice WHERE notice_id = :first", first=first)
    third = _give(books)
    (again,) = _write(books, again=first, folder="again")
    assert Path(again.path).read_bytes() == (books.folder / "letters" / Path(again.path).name).read_bytes()
    assert books.ask("SELECT written_at FROM notice WHERE notice_id = :first", first=first) == when
    assert [each.notice_id for each in _write(books)] == [third]
    with books.begin() as connection:
        assert list_notices(connection) == []
        assert [each.notice_id for each in list_notices(connection, everything=True)] == [first, second, third]


def test_a_letter_to_nobody_says_so(books: Books) -> None:
    """Where no contact is on file it is kept and written, for a person to find the address."""
    _give(books)
    (written,) = _write(books)
    assert f"{A.dba_name} LLC\n(no contact was on file: find the address first)" in Path(written.path).read_text()


def test_two_who_write_at_once_write_each_letter_once(books: Books) -> None:
    """Of two processes one writes a letter, the other finds nothing left; no letter is left out."""
    numbers = [_give(books) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda place: _write(books, folder=f"of-{place}"), range(4)))
    assert sorted(letter.notice_id for written in rounds for letter in written) == numbers


def test_a_folder_that_can_not_be_used_leaves_letters_waiting(books: Books) -> None:
    """No letter counts as written; no half of a file is left."""
    _give(books)
    (books.folder / "file").write_text("in the way")
    with pytest.raises(NoticeFolderError, match="no letter counts as written"):
        _write(books, folder="file/letters")
    folder = books.folder / "letters"
    (folder / f"letter-000001-{A.ncpdp_id}.txt").mkdir(parents=True)
    with pytest.raises(NoticeFolderError):
        _write(books)
    assert [each.name for each in folder.iterdir()] == [f"letter-000001-{A.ncpdp_id}.txt"]
    assert len(_write(books, folder="elsewhere")) == 1
    with pytest.raises(UnknownNoticeError):
        _write(books, again=99)


@pytest.mark.parametrize(
    ("changed_on", "told"),
    [
        (None, ["ada@example.com"]),
        (date(2026, 10, 17), ["bea@example.com"]),
        (date(2026, 10, 18), ["ada@example.com", "bea@example.com"]),
        (NOVEMBER_16, ["ada@example.com", "bea@example.com"]),
        (date(2026, 11, 17), ["ada@example.com"]),
    ],
)
def test_who_was_the_contact_thirty_days_ago_is_told(books: Books, changed_on: date | None, told: list[str]) -> None:
    """What is asked on 2026-11-16 is told to the contact of 2026-10-17, and to the present one when it is another."""
    _record(books, OWNER, date(2024, 1, 1))
    if changed_on is not None:
        _record(books, HEIR, changed_on)
    with books.begin() as connection:
        kind, member = NoticeKind.BANK_DETAILS_ASKED, member_of(connection)
        tell_old_contact(connection, member, kind, subject="s", body="b", on=NOVEMBER_16, actor=MAKER)
    recipients = books.ask("SELECT recipient FROM notice ORDER BY notice_id")
    assert [row.recipient.splitlines()[-1] for row in recipients] == told
