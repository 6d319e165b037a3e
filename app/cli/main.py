"""The ``centralpay`` command: puts the groups together and maps errors to exit codes."""

import sys
from functools import cache

import typer
from typer.core import TyperGroup

from app.cli import (
    audit,
    bank_care,
    bank_details,
    books,
    certificates,
    claims,
    closing,
    corrections,
    cycle,
    direct_pay,
    disbursements,
    exceptions,
    fees,
    files,
    holds,
    jobs,
    limits,
    negatives,
    notices,
    outgoing,
    papers,
    people,
    reads,
    returns,
    running,
    schedules,
    setup,
    statements,
    unclaimed,
    vault,
)
from app.cli.screen import ERRORS, print_json
from app.exit_codes import exit_code
from app.logs import command_logged
from schemas.errors import CentralpayError, UnreadableError, WrongUseError

app = typer.Typer(
    name="centralpay",
    help="Central payment for pharmacies: what payers remit is allocated to the cent, paid on schedule, and proven.",
    epilog="Exit codes: 0 done, 2 wrong use, 3 some input was refused, 4 a proof failed, 5 refused by a rule.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
setup.register(app)
files.register(app)
people.register(app)
bank_details.register(app)
bank_care.register(app)
notices.register(app)
exceptions.register(app)
corrections.register(app)
fees.register(app)
cycle.register(app)
papers.register(app)
statements.register(app)
certificates.register(app)
outgoing.register(app)
returns.register(app)
limits.register(app)
schedules.register(app)
holds.register(app)
disbursements.register(app)
direct_pay.register(app)
negatives.register(app)
unclaimed.register(app)
books.register(app)
closing.register(app)
audit.register(app)
reads.register(app)
claims.register(app)
vault.register(app)
running.register(app)
jobs.register(app)


@cache
def command_tree() -> TyperGroup:
    """Give the whole command line, built from the signatures of its functions once in a process."""
    return typer.main.get_group(app)


def run() -> None:
    """Run the command line; every known error is one sentence and an exit code, never a traceback."""
    try:
        with command_logged(_command_name, exit_code):
            command_tree()()
    except CentralpayError as error:
        _say(error)
        sys.exit(exit_code(error))
    except UnicodeEncodeError:
        # A file's name may be any bytes; a reason or a name that is kept is text.
        if all(word.isascii() or word.encode(errors="ignore").decode() == word for word in sys.argv):
            raise
        wrong = WrongUseError("A word of the command holds bytes that are no text in UTF-8")
        _say(wrong)
        sys.exit(exit_code(wrong))


def _command_name() -> str:
    """Give the words that name the command, without what it is given."""
    node, names = command_tree(), list[str]()
    for word in sys.argv[1:]:
        inner = getattr(node, "commands", {}).get(word)
        if inner is not None:
            node = inner
            names.append(word)
    return " ".join(names)


def _say(error: CentralpayError) -> None:
    if "--json" in sys.argv:
        document: dict[str, object] = {"error": {"kind": type(error).__name__, "message": str(error)}}
        if isinstance(error, UnreadableError):
            findings = [finding.model_dump(mode="json", exclude_none=True) for finding in error.findings]
            document["error"] = {"kind": type(error).__name__, "message": str(error), "findings": findings}
        print_json(document)
    ERRORS.print(f"[red]{_plain(str(error))}[/red]", soft_wrap=True)
    if isinstance(error, UnreadableError):
        for finding in error.findings[1:20]:
            ERRORS.print(f"  {_plain(finding.sentence())}", soft_wrap=True)


def _plain(text: str) -> str:
    return text.replace("[", r"\[")
