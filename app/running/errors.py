"""What backup and restore refuse."""

from pathlib import Path

from schemas.errors import CentralpayError, RefusedError, UnreadableError, WrongUseError
from schemas.findings import Finding


class CopyFailedError(CentralpayError):
    """A copy of the database or of a file could not be made: the disk, the server, a missing program."""


class BackupPlaceError(WrongUseError):
    """A folder is no place for a backup or for keys."""


class BackupUnderWayError(RefusedError):
    """Another process is making a backup in the same folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        super().__init__(f"Another backup is being made in {root}; wait for its end.")


class HomeNotEmptyError(RefusedError):
    """A backup is restored into an empty home only: nothing is ever written over."""

    def __init__(self, place: str, found: str) -> None:
        self.place = place
        super().__init__(
            f"{place} is not empty ({found}). A backup is restored into an empty place only; name another."
        )


class KeyMissingError(WrongUseError):
    """The keys at hand are not those that the backup is under.

    Args:
        missing: ids of the keys that are missing.
    """

    def __init__(self, missing: tuple[str, ...]) -> None:
        self.missing = missing
        super().__init__(
            f"The backup is under master key {', '.join(missing)}, which is not among the keys given. Name the folder "
            "of its keys with --keys, or give them in CENTRALPAY_MASTER_KEY_FILE. Nothing was restored."
        )


class BackupDamagedError(UnreadableError):
    """A backup is not what it was when it was made; nothing of it was restored."""

    def __init__(self, root: Path, file: str, expected: str, found: str) -> None:
        advice = "Nothing was restored. Take another backup: centralpay db backups DIR lists them."
        finding = Finding(rule="backup_is_whole", element=file, expected=expected, found=found, advice=advice)
        super().__init__(str(root), [finding])
