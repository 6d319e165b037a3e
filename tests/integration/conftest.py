"""What the integration tests of files in and money out share: books of their own."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support.books import Books
from tests.support.trade import A, B, C


@pytest.fixture
def new_books(app: Engine, quick_path: Path) -> Books:
    """Give books in which nobody has acted yet."""
    return Books(app, quick_path)


@pytest.fixture
def books(new_books: Books) -> Books:
    """Give books with two users and the members A, B and C at 200.00 a month each."""
    new_books.found(A, B, C)
    return new_books
