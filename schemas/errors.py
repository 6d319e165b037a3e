"""The one family of errors. An error carries facts as attributes; ``app.exit_codes`` gives each kind its exit code."""

from collections.abc import Sequence

from schemas.findings import Finding


class CentralpayError(Exception):
    """Base of everything that this system refuses or cannot do; ``str()`` is the sentence for the user."""


class WrongUseError(CentralpayError):
    """The command or call was used wrongly: a name that does not exist, an option that makes no sense."""


class RefusedError(CentralpayError):
    """A rule of the system refuses the operation. Each package derives one class for each refusal."""


class UnreadableError(CentralpayError):
    """A file cannot be read as what it claims or seems to be. Nothing of it was taken over.

    Args:
        name: the file as the user named it.
        findings: what was found, at least one.
    """

    def __init__(self, name: str, findings: Sequence[Finding]) -> None:
        self.name = name
        self.findings = tuple(findings)
        first = self.findings[0].sentence()
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        super().__init__(f"{name}: {first}{more}")
