"""The ``centralpay`` command: runs what was typed and maps errors to exit codes."""

import sys

from app.cli.commands import command_tree
from app.cli.screen import ERRORS, print_json
from app.exit_codes import exit_code
from app.logs import command_logged
from schemas.errors import CentralpayError, UnreadableError, WrongUseError


def run() -> None:
    """Run the command line; every known error is one sentence and an exit code, never a traceback."""
    try:
        with command_logged(_command_name, exit_code):
            command_tree(_first_word())()
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


def _first_word() -> str | None:
    return sys.argv[1] if len(sys.argv) > 1 else None


def _command_name() -> str:
    """Give the words that name the command, without what it is given."""
    node, names = command_tree(_first_word()), list[str]()
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
    ERRORS.print(str(error), style="red", markup=False, soft_wrap=True)
    if isinstance(error, UnreadableError):
        for finding in error.findings[1:20]:
            ERRORS.print(f"  {finding.sentence()}", markup=False, soft_wrap=True)
