"""Proof P11: everything that is sealed is computed anew from the rows, and compared with what was signed and published.

It asks no trigger, no stored subtree, no balance: canonical bytes from the rows, leaves from the bytes, roots from the
leaves (RFC 9162, 2.1.1), signatures over the roots (C2SP signed-note), and the trail against the rows that it tells of.
The rows are read in sets, the leaves in runs: memory does not grow with the books.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, text

from ledger.queries import Queries
from ledger.seal.evidence import entry_facts
from ledger.seal.findings import MOST_NAMED, Finding, Findings
from ledger.seal.outside import Outside
from ledger.seal.suspects import changed
from ledger.seal.trees import check_tree

_QUERIES: Final = Queries("ledger", "verify.sql")
_LONGEST_VALUE: Final = 120
_NOWHERE: Final = "neither sealed nor waiting for the sealer: written behind the triggers"
_Found = Row[Any]

Told = Callable[[str], None]
"""Told what is in hand."""


@dataclass(frozen=True, slots=True)
class SealVerdict:
    """What a check of the seal found.

    Args:
        checked: leaves that were computed anew.
        failing: failures, counted.
        findings: the first of each kind.
        notes: what a reader should know and is no failure.
        size: leaves of the last checkpoint; 0: nothing is sealed.
    """

    checked: int
    failing: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    size: int

    @property
    def owners(self) -> tuple[UUID, ...]:
        """Whose entries are among the findings."""
        return tuple({each.owner_id: None for each in self.findings if each.owner_id is not None})


def verify_seal(
    connection: Connection, outside: Outside | None = None, *, since: int = 0, told: Told | None = None
) -> SealVerdict:
    """Compute everything that is sealed anew.

    Args:
        connection: one snapshot of the database (REPEATABLE READ).
        outside: what was published or kept elsewhere.
        since: a size: rows below it are not hashed anew, so a value that was changed in one of those is not found.
            That one is gone or was added is, and so is all that is amiss in the tree, or in a table and its trail's
            last versions.
        told: what is in hand.
    """
    return _Check(connection, outside or Outside(), since, told or (lambda _: None)).run()


class _Check:
    """One check, from the rows to what was published."""

    def __init__(self, connection: Connection, outside: Outside, since: int, told: Told) -> None:
        self.connection = connection
        self.outside = outside
        self.since = since
        self.told = told
        self.findings = Findings()
        self.names: dict[UUID, str] = {}

    def run(self) -> SealVerdict:
        self.connection.execute(_QUERIES["plain_text"])
        self.told("the tree")
        self.tree = check_tree(self.connection, self.outside, self.findings)
        for what, check in (
            ("journal numbers", self._journal_numbers),
            ("entries", self._entries),
            ("the trail", self._trail),
            ("what is not sealed", self._unsealed),
            ("rows against their trail", self._trailed),
        ):
            self.told(what)
            check()
        return SealVerdict(
            checked=max(self.tree.leaves - self.since, 0),
            failing=self.findings.count,
            findings=tuple(self.findings.named),
            notes=(*self.tree.notes, *self._waiting()),
            size=self.tree.size,
        )

    # The rows -------------------------------------------------------------------------------------------------------

    def _journal_numbers(self) -> None:
        def told(row: _Found) -> Finding:
            said = (
                f"the journal number of leaf {row.leaf_index} is {row.journal_no}; without a gap it is {row.right_no}"
            )
            return Finding(table="seal_leaf", key=f"{row.leaf_index}", said=said, owner_id=row.owner_id)

        def odd(row: _Found) -> Finding:
            said = "it is of an entry and of a row of the trail, or of neither"
            return Finding(table="seal_leaf", key=f"{row.leaf_index}", said=said)

        self._each("wrong_journal_numbers", told)

        def key(row: _Found) -> Finding:
            said = "its name is not the key's own, or it is not the key that two people agreed on"
            return Finding(table="seal_key", key=row.vkey, said=said)

        self._each("odd_leaves", odd)
        self._each("wrong_keys", key)

    def _entries(self) -> None:
        def told(row: _Found) -> Finding:
            where = f"leaf {row.leaf_index}, journal number {row.journal_no}, {self._sealed_by(row.leaf_index)}"
            entry, key = f"entry {row.entry_id} of {self._owner(row.owner_id)}", f"{row.owner_id}|{row.entry_id}"
            if row.gone:
                return Finding(table="entry", key=key, said=f"{entry} is gone; it is {where}", owner_id=row.owner_id)
            if row.lost:
                said = f"transaction {row.transaction_id} of {entry} is gone; it is {where}"
                return Finding(
                    table="journal_transaction", key=f"{row.transaction_id}", said=said, owner_id=row.owner_id
                )
            return self._entry(row, f"{entry}, transaction {row.transaction_id},", where)

        self._each("wrong_entries", told, since=self.since)

    def _entry(self, row: _Found, entry: str, where: str) -> Finding:
        key, leaf = f"{row.owner_id}|{row.entry_id}", bytes(row.leaf)
        found = changed(entry_facts(self.connection, row.leaf_index), leaf)
        if found is None:
            said = f"{entry} or one of its lines does not hash to {where}"
            return Finding(table="entry", key=key, said=said, owner_id=row.owner_id)
        key = {"entry": key, "journal_transaction": f"{row.transaction_id}"}.get(found.table, f"{key}|{found.line_no}")
        said = f"{found.said}; {entry} does not hash to {where}"
        return Finding(table=found.table, key=key, said=said, owner_id=row.owner_id)

    def _trail(self) -> None:
        def told(row: _Found) -> Finding:
            where = f"leaf {row.leaf_index}, {self._sealed_by(row.leaf_index)}"
            if row.gone:
                return Finding(table="trail", key=f"{row.trail_id}", said=f"is gone; it is {where}")
            said = f"this version of {row.table_name} {row.row_key} does not hash to {where}"
            version = {"table": row.table_name, "key": row.row_key, "trail_id": row.trail_id}
            other = self.connection.execute(_QUERIES["other_version"], version).one_or_none()
            differing = "" if other is None else _differing(other.content, row.content)
            beside = f"; beside trail row {other.trail_id}: {differing}" if other is not None and differing else ""
            return Finding(table="trail", key=f"{row.trail_id}", said=said + beside)

        self._each("wrong_trail", told, since=self.since)

    def _unsealed(self) -> None:
        def entry(row: _Found) -> Finding:
            lost = "its transaction is not there" if row.lost else _NOWHERE
            said = f"entry {row.entry_id} of {self._owner(row.owner_id)}, transaction {row.transaction_id}: {lost}"
            return Finding(table="entry", key=f"{row.owner_id}|{row.entry_id}", said=said, owner_id=row.owner_id)

        def empty(row: _Found) -> Finding:
            return Finding(table="journal_transaction", key=f"{row.transaction_id}", said=f"{row.event}, no entry")

        def line(row: _Found) -> Finding:
            key = f"{row.owner_id}|{row.entry_id}|{row.line_no}"
            said = f"{row.account} {row.amount_cents} cents of {self._owner(row.owner_id)}: its entry is not there"
            return Finding(table="line", key=key, said=said, owner_id=row.owner_id)

        def version(row: _Found) -> Finding:
            said = f"a version of {row.table_name} {row.row_key}: {_NOWHERE}"
            return Finding(table="trail", key=f"{row.trail_id}", said=said)

        def waiting(row: _Found) -> Finding:
            wrong = "is not there" if not row.there else "is sealed" if row.sealed else f"waits {row.waits} times"
            what = "transaction" if row.kind == 1 else "row of the trail"
            return Finding(table="seal_pending", key=f"{row.kind}|{row.id}", said=f"{what} {row.id} waits, but {wrong}")

        def run(row: _Found) -> Finding:
            said = f"a run of the sealer from leaf {row.first_leaf} on that never ended: written behind the triggers"
            return Finding(table="seal_run", key=row.xid, said=said)

        def bound(row: _Found) -> Finding:
            return Finding(table="known_bound", key=f"{row.size}", said="its bounds are not those of the leaves")

        for query, told in (
            ("stray_runs", run),
            ("wrong_bounds", bound),
            ("unsealed_entries", entry),
            ("empty_transactions", empty),
            ("stray_lines", line),
            ("unsealed_trail", version),
            ("wrong_pending", waiting),
        ):
            self._each(query, told)

    # The trail and its tables ---------------------------------------------------------------------------------------

    def _trailed(self) -> None:
        for row in self.connection.execute(_QUERIES["trailed"]).all():
            if row.key is None:
                self.findings.add(row.table_name, "", "the table is gone, or has no primary key any more")
            else:
                self._table(row.table_name, row.key, row.content)

    def _table(self, table: str, key: str, content: str) -> None:
        statement = _QUERIES["strayed"].text.format(key=key, content=content, table=f'"{table}"')
        rows = list(self.connection.execute(text(statement), {"table": table, "most": MOST_NAMED}))

        def told(row: _Found) -> Finding:
            version = "" if row.trail_id is None else f"; trail row {row.trail_id}, {self._of_leaf(row.leaf_index)}"
            if row.found is None:
                said = "the row is gone"
            elif row.sealed == {}:
                said = "the row is there, and its trail says that it was taken away"
            elif row.sealed is None:
                said = "the row has no trail: it was written behind the triggers"
            else:
                said = _differing(row.sealed, row.found)
            return Finding(table=table, key=row.row_key, said=said + version)

        self.findings.set_of([told(row) for row in rows], rows[0].total if rows else 0)

    # Words ----------------------------------------------------------------------------------------------------------

    def _each(self, query: str, told: Callable[[_Found], Finding], **parameters: int) -> None:
        rows = list(self.connection.execute(_QUERIES[query], {"most": MOST_NAMED, **parameters}))
        self.findings.set_of([told(row) for row in rows], rows[0].total if rows else 0)

    def _owner(self, owner_id: UUID) -> str:
        if owner_id not in self.names:
            found = self.connection.execute(_QUERIES["owner_names"], {"owners": [owner_id]}).one_or_none()
            name = f"owner {owner_id}" if found is None else found.name
            self.names[owner_id] = f"member {name}" if name.isdigit() else f"the {name}" if found else name
        return self.names[owner_id]

    def _of_leaf(self, leaf_index: int | None) -> str:
        return "not sealed yet" if leaf_index is None else f"leaf {leaf_index}, {self._sealed_by(leaf_index)}"

    def _sealed_by(self, leaf_index: int) -> str:
        place = bisect_right(self.tree.sizes, leaf_index)
        if place == len(self.tree.sizes):
            return "covered by no checkpoint"
        size = self.tree.sizes[place]
        return f"sealed by checkpoint {size} at {self.tree.moments[size]:%Y-%m-%dT%H:%M:%SZ}"

    def _waiting(self) -> tuple[str, ...]:
        row = self.connection.execute(_QUERIES["pending"]).one()
        if not row.transactions and not row.trail:
            return ()
        return (f"{row.transactions} transactions and {row.trail} rows of the trail wait for the sealer",)


def _differing(sealed: Mapping[str, str | None], found: Mapping[str, str | None]) -> str:
    """Say which columns differ, with both values; columns that the sealed version did not know are not asked."""
    return ", ".join(
        f"{name} is {_shown(found.get(name))}, sealed was {_shown(value)}"
        for name, value in sorted(sealed.items())
        if name not in found or found[name] != value
    )


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return repr(value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…")
