"""The books as journals in plain text, for programs that compute them anew: hledger and beancount.

A transaction an entry, in the order of accounting days; its code is the journal number. An account is a path that ends
in its owner, such as ``Assets:Custody:Cash:Member:1234567``. At each month's end every account that moved in it is
asserted, at its balance; so a range begins with what there was, as opening balances. Debits are positive.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import groupby
from tempfile import TemporaryFile
from typing import IO, Any, ClassVar, NamedTuple

from sqlalchemy import Connection

from ledger.export.accounts import PATHS
from ledger.export.copying import RowForm, Tell, copy_out
from ledger.export.flat import span
from ledger.export.folder import HashedFile, PackageFolder
from ledger.export.scope import Selection
from ledger.export.sealed import by_hashing, composed, journal_totals

_DAY = timedelta(days=1)


class Closing(NamedTuple):
    """What an account holds at the end of a day; the amount as text, debit positive."""

    day: date
    owner: str
    path: str
    amount: str


class PlainJournal(ABC):
    """How one program wants its journal."""

    name: ClassVar[str]
    """Of the file."""
    entries: ClassVar[str]
    """The statement that writes entries."""
    remark: ClassVar[str]
    """What stands between an amount and the reference of its line."""

    @abstractmethod
    def heading(self, company: str, chosen: Selection) -> str:
        """Give what stands before everything."""

    @abstractmethod
    def around_account(self, opened_on: date) -> tuple[str, str]:
        """Give what stands before and behind the path where an account is declared."""

    @abstractmethod
    def opening(self, day: date, closings: list[Closing]) -> str:
        """Give what an owner had before the range."""

    @abstractmethod
    def asserted(self, closings: list[Closing]) -> str:
        """Give what an owner's accounts must hold at the end of a day."""


class HledgerJournal(PlainJournal):
    """A journal that ``hledger check -s ordereddates recentassertions`` accepts."""

    name = "journal.hledger"
    entries = "hledger_entries"
    remark = "  ; reference:"

    def heading(self, company: str, chosen: Selection) -> str:
        """Give the commodity, and what the journal is."""
        return f"; {_line(company)}: the books as known at checkpoint {chosen.size}\n\ncommodity 1000.00 USD\n\n"

    def around_account(self, opened_on: date) -> tuple[str, str]:
        """Declare an account."""
        del opened_on
        return "account ", ""

    def opening(self, day: date, closings: list[Closing]) -> str:
        """Bring balances forward: they sum to zero, because every entry does."""
        lines = [f"    {each.path}  {each.amount} USD\n" for each in closings]
        return f"{day} opening balances\n{''.join(lines)}\n"

    def asserted(self, closings: list[Closing]) -> str:
        """Assert balances by a transaction of zeros."""
        lines = [f"    {each.path}  0.00 USD = {each.amount} USD\n" for each in closings]
        return f"{closings[0].day} balances at the end of the day\n{''.join(lines)}\n"


class BeancountJournal(PlainJournal):
    """A journal that ``bean-check`` accepts, its balances to the cent."""

    name = "journal.beancount"
    entries = "beancount_entries"
    remark = "\n      reference: "

    def heading(self, company: str, chosen: Selection) -> str:
        """Give the title and the currency."""
        title = _line(f"{company}: the books as known at checkpoint {chosen.size}").replace("\\", "").replace('"', "'")
        return f'option "title" "{title}"\noption "operating_currency" "USD"\n\n1970-01-01 commodity USD\n\n'

    def around_account(self, opened_on: date) -> tuple[str, str]:
        """Open an account."""
        return f"{opened_on} open ", " USD"

    def opening(self, day: date, closings: list[Closing]) -> str:
        """Bring balances forward."""
        lines = [f"    {each.path}  {each.amount} USD\n" for each in closings]
        return f'{day} * "opening balances"\n{"".join(lines)}\n'

    def asserted(self, closings: list[Closing]) -> str:
        """Assert balances; beancount looks at the beginning of a day, and by itself would let a cent pass."""
        lines = [f"{each.day + _DAY} balance {each.path}  {each.amount} ~ 0.00 USD\n" for each in closings]
        return f"{''.join(lines)}\n"


def write_journal(
    connection: Connection, folder: PackageFolder, chosen: Selection, form: PlainJournal, said: tuple[str, Tell]
) -> None:
    """Write a journal of a selection.

    Args:
        connection: that sees one moment.
        folder: of the package.
        chosen: what is shown.
        form: whose journal.
        said: whose books, and what is told how far it is.
    """
    company, tell = said
    entries, totals = journal_totals(connection, chosen)
    first_on, last_on = span(connection, chosen)
    fixed: dict[str, Any] = chosen.parameters | {"paths": json.dumps(dict(PATHS)), "remark": form.remark}
    done = 0

    def told(rows: int) -> None:
        tell(form.name, done + rows, entries)

    with (
        by_hashing(connection),
        folder.writing(form.name) as file,
        TemporaryFile(dir=folder.path.parent) as spool,
    ):
        file.write(form.heading(company, chosen).encode())
        _declare(connection, form, fixed, first_on - _DAY, file)
        copy_out(
            connection,
            composed("closings", "owner_names"),
            fixed | {"first_on": first_on, "last_on": last_on},
            spool.write,
        )
        spool.seek(0)
        closings = groupby(_read(spool), lambda each: each.day)
        ended, asserted = next(closings, (None, iter(())))
        if ended is not None and ended < first_on:
            _write_owners(file, asserted, lambda mine: form.opening(first_on, mine))
            ended, asserted = next(closings, (None, iter(())))
        query = composed(form.entries, "owner_names", "month_entries")
        while ended is not None:
            month = fixed | {"first_on": max(ended.replace(day=1), first_on), "last_on": ended}
            done += copy_out(connection, query, month, file.write, form=RowForm.BLOCK, told=told)
            _write_owners(file, asserted, form.asserted)
            ended, asserted = next(closings, (None, iter(())))
        file.totals = totals.model_copy(update={"rows": done})


def _declare(
    connection: Connection, form: PlainJournal, fixed: dict[str, Any], opened_on: date, file: HashedFile
) -> None:
    before, after = form.around_account(opened_on)
    copy_out(
        connection, composed("used_accounts", "owner_names"), fixed | {"before": before, "after": after}, file.write
    )
    file.write(b"\n")


def _read(spool: IO[bytes]) -> Iterator[Closing]:
    for row in spool:
        day, owner, path, amount = row.decode().rstrip("\n").split("|")
        yield Closing(date.fromisoformat(day), owner, path, amount)


def _write_owners(file: HashedFile, closings: Iterator[Closing], form: Callable[[list[Closing]], str]) -> None:
    for _, mine in groupby(closings, lambda each: each.owner):
        file.write(form(list(mine)).encode())


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)
