"""What acceptance tests share: an office with a database and a home of its own."""

from pathlib import Path

import pytest

from tests.support.command import Shell
from tests.support.lives import Beginning, kept
from tests.support.office import Office
from tests.support.trade import A, B, C


@pytest.fixture
def empty_office(database_url: str, quick_path: Path, beginning: Beginning) -> Office:
    """Give an office where nobody has acted yet, but as a marked fixture of the test says."""
    beginning.unpack(quick_path)
    office = Office(Shell(quick_path / "home", database_url), quick_path)
    beginning.remember(office)
    return office


@pytest.fixture
@kept
def office(empty_office: Office) -> Office:
    """Give an office with its people, the members A, B and C at 200.00 a month each, and two payers."""
    empty_office.found(A, B, C)
    return empty_office
