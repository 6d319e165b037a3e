"""When a state counts property as abandoned: rules that counsel gives, imported from a file; there are no others.

States differ in months, letters and kinds of property (most follow the Revised Uniform Unclaimed Property Act in some
form); nothing is assumed about a state without a row.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.tables import Column, Row, day_from_text, read_rows, text_of_at_most
from ledger import activity
from ledger.queries import Queries
from payouts.holding.errors import DormancyRulesError, NoDormancyRuleError
from schemas.collecting import FileFindings

QUERIES = Queries("payouts", "unclaimed.sql")
_STATE = re.compile(r"[A-Z]{2}")


class DormancyRule(BaseModel):
    """A state's rule for a kind of property from a day on.

    Property is dormant so many months after the last activity of its owner. The letter to the owner goes out from
    ``letter_from_days`` until ``letter_until_days`` before that day.
    """

    model_config = ConfigDict(frozen=True)

    state: str
    property: str
    months: int
    letter_from_days: int
    letter_until_days: int
    since: date
    source: str

    def dormant_on(self, last_activity: date) -> date:
        """Give the day on which dormancy ends: so many months later, at most the last day of that month."""
        months = last_activity.year * 12 + last_activity.month - 1 + self.months
        first = date(months // 12, months % 12 + 1, 1)
        following = date((months + 1) // 12, (months + 1) % 12 + 1, 1)
        return min(first + timedelta(days=last_activity.day - 1), following - timedelta(days=1))

    def letter_window(self, dormant_on: date) -> tuple[date, date]:
        """Give the first and the last day of the letter."""
        return dormant_on - timedelta(days=self.letter_from_days), dormant_on - timedelta(days=self.letter_until_days)


def read_rules(stream: BinaryIO, name: str) -> tuple[DormancyRule, ...]:
    """Read a file of rules; all of it is good, or nothing is returned.

    Args:
        stream: CSV with the header ``RULE_COLUMNS``.
        name: the file as the user named it.

    Raises:
        UnreadableError: with every finding.
    """
    findings = FileFindings(name)
    rows = list(read_rows(stream, _COLUMNS, findings))
    first_lines: dict[object, int] = {}
    for row in rows:
        _see_window(row, findings)
        key = tuple(row.values.get(column) for column in ("state", "property", "since"))
        first = first_lines.setdefault(key, row.line)
        if first != row.line and None not in key:
            expected = f"a rule apart from that of line {first}"
            findings.add("rule_once", "state", expected, " ".join(map(str, key)), line=row.line)
    findings.refuse_if_any()
    return tuple(DormancyRule.model_validate(row.values) for row in rows)


def import_rules(connection: Connection, rules: tuple[DormancyRule, ...], actor: str) -> int:
    """Take rules over, whole or not at all; give how many are new. A rule stays; another one has a later ``since``.

    Raises:
        DormancyRulesError: a rule of the same state, property and day says otherwise.
    """
    added = 0
    for rule in rules:
        added += connection.execute(QUERIES["add_rule"], rule.model_dump() | {"actor": actor}).rowcount
        stored = [each for each in list_rules(connection, rule.state) if _key(each) == _key(rule)]
        if stored != [rule]:
            raise DormancyRulesError(
                f"{rule.state} has another rule for {rule.property} since {rule.since}; rules stay as they were "
                "imported: give the new one a later day"
            )
    if added:
        activity.record(connection, actor, "dormancy_rules_imported", f"{added} rules")
    return added


def list_rules(connection: Connection, state: str | None = None) -> list[DormancyRule]:
    """List all rules, or a state's."""
    return [DormancyRule(**row) for row in connection.execute(QUERIES["rules"], {"state": state}).mappings()]


def rule_on(connection: Connection, state: str, day: date, kind: str | None = None) -> DormancyRule:
    """Give the rule of a state in force on a day, for a kind of property where the state has several.

    Raises:
        NoDormancyRuleError: there is none.
        DormancyRulesError: the state has rules for several kinds of property and none is named.
    """
    in_force = {
        rule.property: rule
        for rule in list_rules(connection, state)
        if rule.since <= day and kind in {None, rule.property}
    }
    if not in_force:
        raise NoDormancyRuleError(state, day)
    if len(in_force) > 1:
        names = ", ".join(sorted(in_force))
        raise DormancyRulesError(f"{state} has rules for several kinds of property: {names}; say which: --property")
    return next(iter(in_force.values()))


def _key(rule: DormancyRule) -> tuple[str, str, date]:
    return rule.state, rule.property, rule.since


def _see_window(row: Row, findings: FileFindings) -> None:
    opens, closes = row.values.get("letter_from_days"), row.values.get("letter_until_days")
    if isinstance(opens, int) and isinstance(closes, int) and opens <= closes:
        expected = f"more days than letter_until_days, {closes}"
        findings.add("letter_window", "letter_from_days", expected, str(opens), line=row.line)


def _state(text: str) -> str:
    if _STATE.fullmatch(text) is None:
        raise ValueError("not a state")
    return text


def _count(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError("not such a number")
        return int(text)

    return read


_COLUMNS = (
    Column("state", "two capital letters", _state),
    Column("property", "the state's code of the kind of property", text_of_at_most(20)),
    Column("months", "a number of months from 1 to 600", _count(1, 600)),
    Column("letter_from_days", "a number of days from 1 to 3660", _count(1, 3660)),
    Column("letter_until_days", "a number of days from 0 to 3660", _count(0, 3660)),
    Column("since", "a day such as 2026-01-01", day_from_text),
    Column("source", "the statute, at most 200 characters", text_of_at_most(200)),
)
RULE_COLUMNS = tuple(column.name for column in _COLUMNS)
"""The header, in its order."""
