"""What the command's exit code says, and which code an error has."""

from enum import IntEnum

from ledger.seal.errors import CheckpointsUnpublishedError, SealError
from payouts.certificates.errors import CertificateChangedError, CertificateUnprovenError
from payouts.errors import ProofGateError
from schemas.errors import RefusedError, UnreadableError, WrongUseError


class ExitCode(IntEnum):
    """How a command ended, for the script that ran it."""

    DONE = 0
    """All of it; a file that was there before is done, too."""
    FAILED = 1
    """It could not be done for a reason outside: no disk, no database; or a fault of ours."""
    WRONG_USE = 2
    """The command was used wrongly, as shells and their parsers say it."""
    QUARANTINED = 3
    """Some input could not be read, was quarantined or conflicts with what is accepted; the rest was done."""
    PROOF_FAILED = 4
    """A proof failed: no money leaves for its owner until it holds."""
    REFUSED = 5
    """A rule refused it: maker is checker, closed period, insufficient balance, nothing approved."""


_BY_KIND: dict[type[BaseException], ExitCode] = {
    WrongUseError: ExitCode.WRONG_USE,
    UnreadableError: ExitCode.QUARANTINED,
    ProofGateError: ExitCode.PROOF_FAILED,
    SealError: ExitCode.PROOF_FAILED,
    CertificateUnprovenError: ExitCode.PROOF_FAILED,
    CertificateChangedError: ExitCode.PROOF_FAILED,
    CheckpointsUnpublishedError: ExitCode.QUARANTINED,
    RefusedError: ExitCode.REFUSED,
}


def exit_code(error: BaseException | None) -> ExitCode:
    """Give the exit code of the nearest kind that has one; ``FAILED`` for any other error, ``DONE`` for none."""
    if error is None:
        return ExitCode.DONE
    return next((_BY_KIND[kind] for kind in type(error).__mro__ if kind in _BY_KIND), ExitCode.FAILED)
