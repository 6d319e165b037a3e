"""Whether an issued statement still says what it said: read again as known at the checkpoint that it names.

What was sealed stays sealed, so the figures of that checkpoint are the same for ever. Where they are not, somebody
changed what was sealed, and ``ledger verify`` names the row.
"""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Connection

from ingest.vault import Vault
from ledger.seal import checkpoints
from ledger.seal.errors import UnknownLeafError
from ledger.seal.evidence import evidence, leaf_of_row
from payouts.papers.sender import Sender
from payouts.statements.errors import UnsealedStatementError
from payouts.statements.forms import StatementForm, written
from payouts.statements.issuing import again, issued
from payouts.statements.model import KnownAt, Statement
from payouts.statements.reading import known_as, statement

_TABLE = "issued_statement"


class Check(BaseModel):
    """An issued statement beside the same question asked again.

    Args:
        statement_id: which.
        member_id: whose.
        known_at: the checkpoint that it names, and that it was read at again.
        same_bytes: whether it is written with the same bytes again.
        same_figures: whether every figure is as it was. Of a paper or a workbook that another release or sender would
            write otherwise, the closing balance is compared.
        sha256: of the issued bytes, 64 hex digits.
        leaf_index: place of its digest in the tree; None: not sealed yet.
        proven_at: the checkpoint in which that leaf is proven.
    """

    model_config = ConfigDict(frozen=True)

    statement_id: int
    member_id: UUID
    known_at: KnownAt
    same_bytes: bool
    same_figures: bool
    sha256: str
    leaf_index: int | None
    proven_at: KnownAt | None

    @property
    def holds(self) -> bool:
        """Say whether it says what it said."""
        return self.same_figures


def check(connection: Connection, vault: Vault, sender: Sender, statement_id: int) -> Check:
    """Read a statement again at its checkpoint, compare it with the issued bytes, and prove that these were sealed.

    Raises:
        UnknownStatementError: nothing was issued under that number.
        UnsealedStatementError: it was issued before there was a seal.
        IssueChangedError: the vault does not hold the issued bytes any more.
        SealBrokenError: what was sealed of it was changed.
    """
    of = issued(connection, statement_id)
    if of.checkpoint_size is None:
        raise UnsealedStatementError(statement_id)
    content = again(vault, of)
    leaf_index, proven_at = _proven(connection, statement_id)
    checkpoint = checkpoints.of_size(connection, of.checkpoint_size)
    try:
        made = statement(connection, of.member_id, of.from_on, of.to_on, of.payer_id, checkpoint=checkpoint)
    except ValidationError:
        made = None  # a statement is only made when it foots: what was sealed was changed
    same_bytes = made is not None and written(made, of.form, sender) == content
    return Check(
        statement_id=statement_id,
        member_id=of.member_id,
        known_at=known_as(checkpoint),
        same_bytes=same_bytes,
        same_figures=same_bytes or (made is not None and _same_figures(made, of.form, content, of.closing_cents)),
        sha256=of.sha256,
        leaf_index=leaf_index,
        proven_at=proven_at,
    )


def _proven(connection: Connection, statement_id: int) -> tuple[int | None, KnownAt | None]:
    """Give the leaf of its digest with the checkpoint that covers it, after the proof was made and seen to hold."""
    last = checkpoints.latest(connection)
    if last is None:
        return None, None
    try:
        leaf_index = leaf_of_row(connection, _TABLE, str(statement_id), last)
    except UnknownLeafError:
        return None, None
    evidence(connection, leaf_index, last)
    return leaf_index, known_as(last)


def _same_figures(made: Statement, form: StatementForm, content: bytes, closing_cents: int) -> bool:
    if form is StatementForm.JSON:
        return Statement.model_validate_json(content) == made
    if form is StatementForm.CSV:
        return False
    return made.closing_cents == closing_cents
