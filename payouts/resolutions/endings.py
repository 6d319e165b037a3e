"""How cases end that no action of a person's ends, or not only: in one sentence, for who looks at one."""

from collections.abc import Mapping
from typing import Final

from ingest.cases import CaseKind

ENDINGS: Final[Mapping[CaseKind, str]] = {
    CaseKind.SET_QUARANTINED: (
        "It ends with the match after the payer's mended set, with the same trace, was accepted; or by dismiss."
    ),
    CaseKind.FILE_REFUSED: (
        "It ends when the inbox next takes files in and the file is no longer in its folder refused; or by dismiss."
    ),
    CaseKind.JOB_FAILED: "It ends with the next run of the job that is done: centralpay jobs run NAME.",
    CaseKind.PROOF_FAILED: "It ends when the job verify runs and the proof holds: centralpay jobs run verify.",
}
"""Shown beneath the case by ``exceptions show``."""
