"""A process that sets papers: ``python -m payouts.papers.worker PAPER``.

It reads from standard input: on the first line who sends the papers, then the facts of each paper on a line. It answers
each on standard output with a line that says how many bytes follow, and these bytes. It ends with its input: when who
started it is killed, it does not stay. What it sets touches no disk.
"""

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from payouts.papers.certificate import certificate_pdf
from payouts.papers.notice import PayoutNotice, notice_pdf
from payouts.papers.sender import Sender
from payouts.papers.statement import statement_pdf
from payouts.statements.model import Statement
from payouts.statements.workbook import statement_xlsx


class Paper(StrEnum):
    """What a process sets of the facts that it is given."""

    NOTICE = "notice"
    """The PDF of a payout's notice."""
    STATEMENT = "statement"
    """The PDF of a statement."""
    WORKBOOK = "workbook"
    """A statement as a workbook."""
    CERTIFICATE = "certificate"
    """The PDF of a certificate."""


def _certificate(facts: bytes, sender: Sender) -> bytes:
    said = json.loads(facts)
    return certificate_pdf(said["body"], said["proof"], said["sha256"], sender)


_SET: Final[Mapping[Paper, Callable[[bytes, Sender], bytes]]] = {
    Paper.NOTICE: lambda facts, sender: notice_pdf(PayoutNotice.model_validate_json(facts), sender),
    Paper.STATEMENT: lambda facts, sender: statement_pdf(Statement.model_validate_json(facts), sender),
    Paper.CERTIFICATE: _certificate,
    Paper.WORKBOOK: lambda facts, sender: statement_xlsx(Statement.model_validate_json(facts), sender),
}


def set_paper(paper: Paper, facts: bytes, sender: Sender) -> bytes:
    """Set one paper of its facts as JSON; the same bytes for the same facts and sender, in whatever process."""
    return _SET[paper](facts, sender)


def main(paper: Paper) -> None:
    """Work until the input ends."""
    lines, out = sys.stdin.buffer, sys.stdout.buffer
    sender = Sender.model_validate_json(lines.readline())
    for facts in lines:
        content = set_paper(paper, facts, sender)
        out.write(b"%d\n" % len(content))
        out.write(content)
        out.flush()


if __name__ == "__main__":
    main(Paper(sys.argv[1]))
