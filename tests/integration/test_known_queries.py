"""Every question of the code can be asked of the past as it stands: the views take the place of the tables."""

import re
from importlib.resources import files

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from app.database import unit_of_work

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|FOR (NO KEY )?(UPDATE|SHARE)|pg_advisory_xact_lock|set_config)\b")
_PARAMETER = re.compile(r"(?<!:):([a-z_]\w*)")
_PATH = "centralpay_known, centralpay, pg_temp"
_AT_WORK = {
    "ingest/bank.sql: open_lines", "ingest/direct_pay.sql: sent_through_us", "ingest/matching.sql: suspended_lines",
    "payouts/answers.sql: cycles_in_transit", "payouts/resolutions_in.sql: lines_by_id",
    "payouts/resolutions_in.sql: lines_of_payment", "payouts/resolutions_in.sql: lines_of_amount",
    "payouts/resolutions_members.sql: open_line", "payouts/resolutions_members.sql: open_debits",
    "payouts/resolutions_members.sql: network_left", "payouts/resolutions_in.sql: unnamed_deposits",
}  # fmt: skip
"""Asked by who matches and resolves, of the present alone: they group by a primary key, which a view has none of."""


def _questions() -> list[tuple[str, str]]:
    """Give every statement that only reads, under the name of its file and its own."""
    found = []
    for package in ("ledger", "ingest", "payouts"):
        for file in sorted((each for each in files(package).joinpath("sql").iterdir()), key=lambda each: each.name):
            pieces = _NAME.split(file.read_text(encoding="utf-8"))[1:]
            for name, body in zip(pieces[::2], pieces[1::2], strict=True):
                # Who opens, closes and seals the books asks of the present alone.
                if _WRITES.search(body) is None and file.name not in {"seal.sql", "verify.sql", "known.sql"}:
                    found.append((f"{package}/{file.name}: {name}", body.strip()))
    return found


def _refusal(connection: Connection, path: str, body: str) -> str | None:
    """Say why the database can not answer, with nothing for every parameter; None: it can."""
    connection.execute(text(f"SET LOCAL search_path = {path}"))
    with connection.begin_nested() as point:
        try:
            connection.exec_driver_sql("EXPLAIN (GENERIC_PLAN) " + _numbered(body))
        except ProgrammingError as error:
            return str(error.orig).split("\n", 1)[0]
        finally:
            point.rollback()
    return None


def _numbered(body: str) -> str:
    names = list(dict.fromkeys(_PARAMETER.findall(body)))
    return _PARAMETER.sub(lambda match: f"${names.index(match[1]) + 1}", body).replace("%", "%%")


def test_every_question_can_be_asked_of_the_past(auditor: Engine) -> None:
    """What the tables answer the views answer too; they have no primary key that GROUP BY could follow."""
    asked = 0
    refused = []
    with unit_of_work(auditor) as connection:
        for name, body in _questions():
            now = _refusal(connection, "centralpay, pg_temp", body)
            if now is None:
                asked += 1
            past = _refusal(connection, _PATH, body)
            if past != now and name not in _AT_WORK:
                refused.append(f"{name}: {past}")
    assert "\n".join(refused) == ""
    assert asked > 150


@pytest.mark.parametrize("role", ["app", "auditor"])
def test_the_past_is_read_and_never_written(role: str, request: pytest.FixtureRequest) -> None:
    """Neither the application nor the auditor may write through the views."""
    engine: Engine = request.getfixturevalue(role)
    with unit_of_work(engine) as connection:
        names = connection.execute(
            text("SELECT viewname FROM pg_views WHERE schemaname = 'centralpay_known'")
        ).scalars()
        granted = [
            (name, right)
            for name in names.all()
            for right in ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
            if connection.execute(
                text("SELECT has_table_privilege(CAST(:view AS text), :right)"),
                {"view": f"centralpay_known.{name}", "right": right},
            ).scalar_one()
        ]
    assert granted == []
