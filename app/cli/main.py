"""The ``centralpay`` command: puts the groups together and maps errors to exit codes."""

import sys

import typer

from app.cli import books, claims, cycle, files, people, setup, vault
from app.cli.screen import ERRORS, print_json
from app.exit_codes import exit_code
from schemas.errors import CentralpayError, UnreadableError

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
cycle.register(app)
books.register(app)
claims.register(app)
vault.register(app)


def run() -> None:
    """Run the command line; every known error is one sentence and an exit code, never a traceback."""
    try:
        app()
    except CentralpayError as error:
        _say(error)
        sys.exit(exit_code(error))


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
