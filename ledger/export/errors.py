"""Why an export is not made, each as a sentence for who asked for it."""

from pathlib import Path

from schemas.errors import WrongUseError


class ExportError(WrongUseError):
    """Base of everything that stands in the way of an export. Nothing that looks whole was left."""


class TargetTakenError(ExportError):
    """Something is where the export is to be put; an export never writes into, or over, what is there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        super().__init__(f"{path}: it is there already and not empty; name a folder that is not")


class ExportNotWrittenError(ExportError):
    """The system would not write it: the disk is full, or the folder is not ours."""

    def __init__(self, path: Path, said: str | None) -> None:
        self.path = path
        super().__init__(f"{path}: {said or 'it can not be written'}; nothing was left there")


class NothingSealedError(ExportError):
    """There is no checkpoint: an export shows what is sealed, and nothing is."""

    def __init__(self) -> None:
        super().__init__("Nothing is sealed yet, and an export shows sealed entries only; run: centralpay ledger seal")


class RangeTurnedError(ExportError):
    """The last day is before the first."""

    def __init__(self) -> None:
        super().__init__("The last day (--to) is before the first (--from)")


class ManifestError(ExportError):
    """A manifest is none of ours, or says what a manifest can not say."""
