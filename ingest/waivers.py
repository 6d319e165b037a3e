"""Wrong totals of a bank's file that a named approver lets through, for that file alone."""

from dataclasses import dataclass

from sqlalchemy import Connection

from ingest.bank.bai2 import WAIVABLE
from ledger import activity
from ledger.queries import Queries
from schemas.errors import WrongUseError

_QUERIES = Queries("ingest", "bank.sql")


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule that a file breaks, and why it is taken all the same.

    Raises:
        WrongUseError: the rule can not be waived, or nobody said why.
    """

    rule: str
    """One of ``ingest.bank.bai2.WAIVABLE``."""
    reason: str

    def __post_init__(self) -> None:
        if self.rule not in WAIVABLE:
            raise WrongUseError(f"{self.rule} is no rule that can be waived; these are: {', '.join(sorted(WAIVABLE))}")
        if not self.reason.strip():
            raise WrongUseError("Say why the rule is waived: --reason TEXT")


def waive(connection: Connection, file_id: int, waiver: Waiver, actor: str) -> None:
    """Write a waiver down; the same one again changes nothing.

    Raises:
        MakerIsCheckerError: who waives has brought the file.
        DecidedOnceError: the file was not refused, is no BAI2, or who waives is no approver.
    """
    facts = {"file_id": file_id, "rule": waiver.rule, "reason": waiver.reason, "actor": actor}
    if connection.execute(_QUERIES["waive"], facts).rowcount:
        subject = f"file {file_id}"
        activity.record(connection, actor, "rule_waived", subject, rule=waiver.rule, reason=waiver.reason)


def waived_rules(connection: Connection, file_id: int) -> frozenset[str]:
    """Give the rules that were waived for a file."""
    return frozenset(connection.execute(_QUERIES["waived"], {"file_id": file_id}).scalars())
