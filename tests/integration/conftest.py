"""What the integration tests of files in and money out share: books of their own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.books import Books
from tests.support.lives import Beginning, kept
from tests.support.trade import A, B, C


@pytest.fixture
def new_books(app: Engine, quick_path: Path, beginning: Beginning) -> Books:
    """Give books in which nobody has acted yet, but as a marked fixture of the test says."""
    beginning.unpack(quick_path)
    books = Books(app, quick_path)
    beginning.remember(books)
    return books


@pytest.fixture
@kept
def books(new_books: Books) -> Books:
    """Give books with two users and the members A, B and C at 200.00 a month each."""
    new_books.found(A, B, C)
    return new_books
