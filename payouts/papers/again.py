"""The notices of a cycle that was released before, left again from what its release kept."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ingest.vault import Vault
from ledger.activity import Begin
from ledger.queries import Queries
from payouts.errors import UnknownCycleError
from payouts.papers.errors import NoticesNotKeptError
from payouts.papers.printing import NOTICE_FOLDER
from payouts.remittances.child_file import Progress
from payouts.remittances.delivery import Delivery

_QUERIES = Queries("payouts", "papers.sql")


class PapersLeft(BaseModel):
    """The notices of a cycle's payments: how many, and where."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    count: int
    folder: str


def leave_papers(
    begin: Begin, vault: Vault, cycle_id: int, out: Path, progress: Progress = lambda *_: None
) -> PapersLeft:
    """Leave the notice of each payment of a cycle, and the list of the payments, in ``out / "notices"``.

    Raises:
        UnknownCycleError: there is no such cycle.
        NoticesNotKeptError: its release kept none, or it is not released.
        OutFolderError: a file can not be written.
        PrintingStoppedError: a process that sets them was ended; the next time goes on.
    """
    with begin() as connection:
        kept = connection.execute(_QUERIES["kept"], {"cycle_id": cycle_id}).first()
    if kept is None:
        raise UnknownCycleError(cycle_id)
    if kept.notices_sha256 is None:
        raise NoticesNotKeptError(cycle_id, kept.state)
    delivery = Delivery(begin, vault, cycle_id, out)
    delivery.prepare(released=True)
    count = delivery.notices(kept.notices_sha256, progress)
    return PapersLeft(cycle_id=cycle_id, count=count, folder=str(out / NOTICE_FOLDER))
