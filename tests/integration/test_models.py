"""The mapped classes of the plain rows say what the database says of them."""

import pytest
from sqlalchemy import Engine, Table, inspect
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from ingest.models import Base

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]
_SAME = {"INTEGER": "BIGINT", "VARCHAR(6)": "owner_kind"}
"""How a mapped type is written where the class is content with less than the column: Python's int has no width."""


def _written(kind: TypeEngine[object]) -> str:
    name = getattr(kind, "name", None)
    return str(name) if name else kind.compile(dialect=_DIALECT)


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_a_mapped_class_is_its_table(owner: Engine, name: str) -> None:
    """The same columns, types, nullability, and key; what the database fills in, the class leaves to it."""
    stored = {each["name"]: each for each in inspect(owner).get_columns(name, schema="centralpay")}
    mapped = _table(name).columns
    assert set(mapped.keys()) == set(stored)
    for column in mapped:
        kind = _written(column.type)
        assert _SAME.get(kind, kind) == _written(stored[column.name]["type"]), column.name
        assert column.nullable is stored[column.name]["nullable"], column.name
        if column.server_default is not None or column.identity is not None:
            assert stored[column.name]["default"] or stored[column.name].get("identity"), column.name


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_a_mapped_key_is_the_tables(owner: Engine, name: str) -> None:
    """Rows are identified by the same columns, the dates of a temporal key included."""
    stored = inspect(owner).get_pk_constraint(name, schema="centralpay")["constrained_columns"]
    assert {column.name for column in _table(name).primary_key} == set(stored)


@pytest.mark.parametrize("name", sorted(Base.metadata.tables))
def test_a_mapped_reference_is_one_in_the_database(owner: Engine, name: str) -> None:
    """Each foreign key of a class is one of its table, where it may be wider by the period."""
    stored = {
        (each["constrained_columns"][0], each["referred_table"])
        for each in inspect(owner).get_foreign_keys(name, schema="centralpay")
    }
    mapped = {(key.parent.name, key.column.table.name) for key in _table(name).foreign_keys}
    assert mapped <= stored
