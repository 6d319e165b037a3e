"""The beginnings that tests share: each test has its own, as if it had lived through it alone."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import NewDatabase
from tests.support.bank import Bank
from tests.support.books import Books
from tests.support.lives import Keeper, Life, kept
from tests.support.trade import A, Part, remittance

HERE = Path(__file__)
DAY = date(2026, 11, 16)


def members(books: Books) -> int:
    """Count the members."""
    return int(books.ask("SELECT count(*) FROM member")[0][0])


@pytest.fixture
@kept
def begun(books: Books) -> Books:
    """Give books with a file of their own."""
    (books.folder / "begun").write_text("begun")
    return books


@pytest.fixture
def found_before(new_books: Books) -> int:
    """Say how many members there were before anything happened; not marked."""
    return members(new_books)


@pytest.mark.parametrize("turn", [1, 2])
def test_no_test_sees_what_another_did_to_its_copy(begun: Books, turn: int) -> None:
    """Rows, files and what the bank counts, changed by one test: the next one finds them as they were kept."""
    assert (members(begun), (begun.folder / "begun").read_text(), begun.bank) == (3, "begun", Bank()), turn
    begun.fund(remittance("T1", DAY, Part(A, (1_00,))))
    (begun.folder / "begun").write_text("spoiled")


def test_what_asks_for_empty_books_has_them_empty(found_before: int, books: Books) -> None:
    """A fixture that is not marked looks at books before anything happened: once it found what others begin with."""
    assert (found_before, members(books)) == (0, 3)


class TestOfAClass:
    """A class may have a fixture of its own under the name of another."""

    @pytest.fixture
    def books(self, new_books: Books) -> Books:
        """Give books in which nobody acted."""
        return new_books

    def test_its_own_fixture_is_meant(self, books: Books) -> None:
        """Once the fixture of that name beside it was lived through all the same."""
        assert members(books) == 0


@pytest.mark.parametrize("books", [None])
def test_a_value_in_place_of_a_fixture_is_no_beginning(books: None, new_books: Books) -> None:
    """Once books that a test has replaced by a value were lived through in those that it asked to be empty."""
    assert (books, members(new_books)) == (None, 0)


def test_what_can_not_be_copied_is_not_marked() -> None:
    """More than books or an office, or something to do afterwards: refused, where once it was left out in silence."""

    def two(books: Books, other: Books) -> Books:
        del other
        return books

    def afterwards(books: Books) -> Iterator[Books]:
        yield books

    unfit: list[Callable[..., Any]] = [two, afterwards]
    for live in unfit:
        with pytest.raises(TypeError, match="can not be kept"):
            kept(live)


def _names_its_folder(books: Books) -> Books:
    (books.folder / "place").write_text(f"{books.folder}/place")
    return books


def _leads_elsewhere(books: Books) -> Books:
    (books.folder / "link").symlink_to(books.folder)
    return books


def _books_name_their_folder(books: Books) -> Books:
    payers = f"payer_id,name,ach_company_ids,aliases\n1999999999,{books.folder},,\n"
    assert books.receive(payers.encode(), "payers.csv").status == "accepted"
    return books


def _knows_more(books: Books) -> Books:
    books.paid = 7  # type: ignore[attr-defined]
    return books


def _gives_another(books: Books) -> Books:
    return Books(books.engine, books.folder)


@pytest.mark.parametrize(
    ("live", "error", "said"),
    [
        (_names_its_folder, RuntimeError, "/place"),
        (_leads_elsewhere, RuntimeError, "/link"),
        (_books_name_their_folder, RuntimeError, "centralpay.payer"),
        (_knows_more, RuntimeError, "'paid'"),
        (_gives_another, TypeError, "something else"),
    ],
)
def test_what_would_not_stand_alone_is_not_kept(
    new_database: NewDatabase, tmp_path: Path, live: Callable[[Books], Books], error: type[Exception], said: str
) -> None:
    """A path into what is kept, in a file or a row, and what copies would not know: refused when it is first lived."""
    keeper = Keeper(new_database, tmp_path)
    with pytest.raises(error, match=said):
        keeper.beginning((Life(HERE, live.__name__, "new_books", live),))
    assert list(tmp_path.iterdir()) == []
