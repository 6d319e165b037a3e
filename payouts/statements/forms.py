"""In which forms a statement is written, and its bytes in each: the same statement gives the same bytes."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from enum import StrEnum
from typing import Final

from payouts.papers.pressroom import set_in_order
from payouts.papers.sender import Sender
from payouts.papers.statement import statement_pdf
from payouts.papers.worker import Paper
from payouts.statements.model import Statement
from payouts.statements.rows import statement_csv
from payouts.statements.workbook import statement_xlsx


class StatementForm(StrEnum):
    """How a statement is written."""

    CSV = "csv"
    """Rows with a running balance, in dollars."""
    JSON = "json"
    """The whole statement, in cents."""
    XLSX = "xlsx"
    """A workbook of four sheets, in dollars."""
    PDF = "pdf"
    """Pages to read and to print, tagged."""


_SET_APART: Final = {StatementForm.XLSX: Paper.WORKBOOK, StatementForm.PDF: Paper.STATEMENT}
"""Forms that take so long that other processes help."""


def written(made: Statement, form: StatementForm, sender: Sender) -> bytes:
    """Write a statement; the sender stands at the head of papers."""
    match form:
        case StatementForm.CSV:
            return statement_csv(made).encode()
        case StatementForm.JSON:
            return (made.model_dump_json() + "\n").encode()
        case StatementForm.XLSX:
            return statement_xlsx(made, sender)
        case StatementForm.PDF:
            return statement_pdf(made, sender)


def written_in_order(
    made: Iterable[Statement], form: StatementForm, sender: Sender, processes: int = 0
) -> Generator[tuple[Statement, bytes], None, None]:
    """Give statements with their bytes, those that ``written`` gives; papers are set by several processes at once.

    Close the iterator when not all are taken.

    Raises:
        PrintingStoppedError: a process that sets them ended before its work did.
    """
    if form not in _SET_APART:
        for each in made:
            yield each, written(each, form, sender)
        return
    waiting: deque[Statement] = deque()

    def facts() -> Iterator[bytes]:
        for each in made:
            waiting.append(each)
            yield each.model_dump_json().encode()

    with closing(set_in_order(_SET_APART[form], sender, facts(), processes)) as papers:
        for content in papers:
            yield waiting.popleft(), content
