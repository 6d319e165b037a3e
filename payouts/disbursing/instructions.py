"""What the treasury is told to pay: one text file a disbursement, which only its owner can read."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ledger.files import write_whole
from payouts.holding.errors import DisbursementFolderError
from schemas.money import text_from_cents

_WORDS = {"check": "Draw a check", "wire": "Send a wire"}


def prepare(disbursement_id: int, out: Path) -> None:
    """Make the folder before anything leaves.

    Raises:
        DisbursementFolderError: it can not be made, or not written into; nothing is released by this.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        raise DisbursementFolderError(disbursement_id, str(out), error.strerror or "", released=False) from error


def write(disbursement_id: int, said: Mapping[str, Any], out: Path) -> Path:
    """Write the instruction of a released disbursement beside its place, then into it; give the file.

    Args:
        disbursement_id: which.
        said: its fields, with ``reference``.
        out: the folder.

    Raises:
        DisbursementFolderError: it can not be written; the disbursement is released.
    """
    path = out / f"{said['released_on']}-{said['reference']}-{said['method']}.txt"
    try:
        write_whole(path, text_of(said).encode())
    except OSError as error:
        raise DisbursementFolderError(disbursement_id, str(path), error.strerror or "", released=True) from error
    return path


def text_of(said: Mapping[str, Any]) -> str:
    """Give the instruction's text: the same for the same disbursement, whenever it is written."""
    rows = {
        "Reference": said["reference"],
        "Do": _WORDS[said["method"]],
        "Pay to": said["payee"],
        "Amount": f"USD {text_from_cents(said['amount_cents'])}",
        "From": "the custodial account",
        "Why": said["kind"],
        "Of": said["owner"],
        "Authority": said["authority"] or "-",
        "Released on": said["released_on"],
        "Proposed by": said["proposed_by"],
        "Approved by": said["approved_by"] or "-",
    }
    lines = [f"{name + ':':<14}{_one_line(str(value))}" for name, value in rows.items()]
    note = f"Write {said['reference']} on the payment: the bank's debit is settled under it. Pay it once."
    return "\n".join([*lines, "", note, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())
