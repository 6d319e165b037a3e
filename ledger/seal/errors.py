"""What the seal refuses or can not do, one class each; the sentence stands here."""

from datetime import UTC, datetime
from pathlib import Path

from schemas.errors import CentralpayError, WrongUseError


class SealError(CentralpayError):
    """Base of what is wrong with the seal itself."""


class SealForkedError(SealError):
    """The published checkpoints and the database tell two stories: nothing is signed on.

    Args:
        folder: of the published checkpoints.
        size: the first checkpoint on which they differ.
        said: how they differ.
    """

    def __init__(self, folder: Path, size: int, said: str) -> None:
        self.folder = folder
        self.size = size
        super().__init__(
            f"{folder}: the published checkpoint {size} {said}. Nothing was sealed. The database was restored from an "
            "older backup, or rewritten: restore the newest backup and compare it (centralpay ledger verify). If what "
            "is lost is lost, keep the folder as evidence and go on under another name: docs/operations.md, 'The seal'."
        )


class SealBrokenError(SealError):
    """What is stored of the tree does not give the root that was signed: nothing is signed on.

    Args:
        size: the checkpoint that does not fit.
        said: what does not.
    """

    def __init__(self, size: int, said: str) -> None:
        self.size = size
        super().__init__(
            f"Checkpoint {size}: {said}. Nothing was sealed. What is sealed was changed: centralpay ledger verify "
            "names the row."
        )


class CheckpointsUnpublishedError(CentralpayError):
    """The seal stands, but its checkpoints can not be written outside the database."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        super().__init__(
            f"{folder}: {reason}. What was sealed is sealed, but its checkpoints are not published: make the folder "
            "writable or give another by CENTRALPAY_CHECKPOINTS_DIR, then: centralpay ledger seal"
        )


class SealKeyUnusableError(WrongUseError):
    """The signing key can not be taken: malformed, missing, open to other users, or not the one that is recorded.

    Args:
        place: where the key is, never the key.
        problem: what is wrong and what to do, as a sentence.
    """

    def __init__(self, place: Path, problem: str) -> None:
        self.place = place
        super().__init__(f"Signing key {place}: {problem}")


class UnknownCheckpointError(WrongUseError):
    """No checkpoint has that name, or none is so old."""

    def __init__(self, asked: str, sizes: str) -> None:
        self.asked = asked
        super().__init__(f"There is no checkpoint {asked!r}; {sizes}")


class InstantToComeError(WrongUseError):
    """An instant that is not over names no checkpoint yet: a later one may come before it."""

    def __init__(self, asked: str, now: datetime) -> None:
        self.asked = asked
        super().__init__(
            f"{asked!r} is not over: it is {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}, and another checkpoint may come "
            "by then. Give an instant that is over (a date alone is its end; in UTC where no zone is named), a "
            "checkpoint's size, or 'latest'"
        )


class UnknownLeafError(WrongUseError):
    """What is asked for is not sealed, or not yet at that checkpoint."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what}: {reason}")


class NoteUnreadableError(WrongUseError):
    """A text is no signed checkpoint of ours."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"No signed checkpoint: {problem}")


class VerifierKeyError(WrongUseError):
    """A text is no verifier key of Ed25519 as C2SP writes them."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:120]!r} is no verifier key: name+8 hex digits+base64 of an Ed25519 key")
