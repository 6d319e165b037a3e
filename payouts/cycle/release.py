"""The release of an approved cycle: fees collected and swept, payouts out, told to each member; once, for ever."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ingest.cases import CaseKind, open_case
from ingest.encryption import Keyring
from ingest.models import bank_account_context
from ingest.vault import Vault
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import FeeNotDueError, FloatMissingError, InsufficientBalanceError
from ledger.events import fee_collected, fee_swept, payout_released
from ledger.posting import post
from payouts.ach.outgoing import PLAIN, Courier, FileForm, FileKind, OutgoingEntry, Sending
from payouts.answers.again import note_paid_again
from payouts.children.model import Office
from payouts.cycle.cycles import QUERIES, Originator, locked, see_unchanged
from payouts.cycle.gates import stopped_members
from payouts.errors import CycleStateError
from payouts.fees.unpaid import settle_paid
from payouts.papers.noticing import Noticing
from payouts.papers.printing import NOTICE_FOLDER
from payouts.papers.sender import Sender as PaperSender
from payouts.papers.sender import sender_of
from payouts.remittances.child_file import ChildFile, Progress
from payouts.remittances.delivery import CHILD_FOLDER, Delivery
from payouts.remittances.shares import count_children, payout_trace, untold_members

ATTEMPTS = 3
"""A balance that falls between the check and the posting makes another try; its member is then dropped."""


class Dropped(BaseModel):
    """A member whose approved payouts were not released, and why."""

    model_config = ConfigDict(frozen=True)

    ncpdp_id: str
    reason: str


class Children(BaseModel):
    """The members' own 835s: how many files with how many sets, and where they are left."""

    model_config = ConfigDict(frozen=True)

    files: int
    sets: int
    folder: str | None


class Notices(BaseModel):
    """The notices of the payments: how many, and where they are left; nowhere when papers were not asked for."""

    model_config = ConfigDict(frozen=True)

    count: int
    folder: str | None


class Released(BaseModel):
    """What a release sent; the same again when the release is repeated."""

    model_config = ConfigDict(frozen=True)

    cycle_id: int
    state: str
    nacha_file: str | None
    effective_date: date
    payouts: int
    total_cents: int
    fee_cents: int
    dropped: tuple[Dropped, ...]
    children: Children
    notices: Notices


@dataclass(frozen=True)
class Releaser:
    """Releases cycles.

    Args:
        begin: opens a unit of work.
        vault: keeps the bytes of the files before anything is committed.
        keyring: opens account numbers.
        actor: who acts.
        now: the moment that the files are made, in the bank's time zone.
        office: where the PSAO is, for the members' 835s; they do without.
        form: how the bank wants its files.
        sender: who stands at the head of the notices; the company that pays when it is not said.
    """

    begin: Begin
    vault: Vault
    keyring: Keyring
    actor: str
    now: datetime
    office: Office | None = None
    form: FileForm = PLAIN
    sender: PaperSender | None = None

    def release(
        self, cycle_id: int, out: Path, progress: Progress = lambda *_: None, *, papers: bool = True
    ) -> Released:
        """Release an approved cycle and leave its NACHA file, the members' 835s and the payments' notices in ``out``.

        A cycle that is released already gives the same result and the same files again, and posts nothing.

        Args:
            cycle_id: the cycle.
            out: the folder; made when it is not there.
            progress: told what is in hand, how much of it is done, and of how much.
            papers: whether the notices are left as PDFs, too; what they say is kept in any case.

        Raises:
            UnknownCycleError, CycleStateError, SetChangedError: there is nothing approved to release.
            FloatGateError, ProofGateError: no money may leave now.
            ChildrenDifferError: a member's remittance would not say what was approved; nothing was released.
            NoticesDifferError: a notice would not say what its payment is; nothing was released.
            OutFolderError: a file can not be put there; whether the cycle is released, it says.
        """
        delivery = Delivery(self.begin, self.vault, cycle_id, out)
        delivery.prepare()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.begin() as connection:
                    cycle = locked(connection, cycle_id)
                    if cycle["state"] == "approved":
                        self._release(connection, cycle, progress)
                    elif cycle["state"] not in {"released", "settled"}:
                        raise CycleStateError(cycle_id, cycle["state"], "approved")
                break
            except (InsufficientBalanceError, FloatMissingError, FeeNotDueError):
                # Without float a payout of more than is available is refused for its advance before it is for itself.
                if attempt == ATTEMPTS:
                    raise
        with self.begin() as connection:
            cycle = locked(connection, cycle_id)
            result = _result(connection, cycle, out, papers=papers)
        if result.nacha_file is not None:
            delivery.payments(Path(result.nacha_file), cycle["nacha_sha256"])
        if cycle["children_sha256"] is not None:
            delivery.children(cycle["children_sha256"], progress)
        if papers and cycle["notices_sha256"] is not None:
            delivery.notices(cycle["notices_sha256"], progress)
        return result

    def _release(self, connection: Connection, cycle: Mapping[str, Any], progress: Progress) -> None:
        cycle_id = cycle["cycle_id"]
        see_unchanged(connection, cycle)
        rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle_id}).all()
        excluded = {row.member_id for row in rows if row.state == "excluded"}
        rows = [row for row in rows if row.member_id not in excluded]
        stopped = stopped_members(connection, cycle, rows, excluded)
        leaving = [row for row in rows if row.member_id not in stopped]
        _drop(connection, cycle_id, [row for row in rows if row.member_id in stopped], stopped)
        # Before anything is posted: it is the longest part, and nobody waits for the balances meanwhile.
        file = ChildFile(connection, self.vault, self.keyring, cycle, self.now, self.office, progress)
        children = file.write(leaving, excluded | set(stopped))
        self._post(connection, cycle, leaving)
        paid = [row for row in leaving if row.amount_cents]
        total = sum(row.amount_cents for row in paid)
        sending = self._send(connection, cycle, paid) if paid else None
        traces = dict(zip((row.payout_id for row in paid), sending.traces if sending else (), strict=True))
        facts: dict[str, Any] = {"nacha_name": sending.file.name if sending else None, "released_cents": total}
        facts["nacha_sha256"] = bytes.fromhex(sending.file.sha256) if sending else None
        facts["children_sha256"] = bytes.fromhex(children.sha256) if children.sha256 else None
        noticing = Noticing(connection, self.vault, cycle, self._paper_sender(cycle))
        notices = noticing.keep(file.files, {payout_id: trace for payout_id, trace in traces.items() if trace})
        facts["notices_sha256"] = bytes.fromhex(notices) if notices else None
        # The cycle first, its payouts follow: so the database asks for it.
        connection.execute(QUERIES["mark_cycle"], facts | {"cycle_id": cycle_id, "actor": self.actor})
        ids = [row.payout_id for row in leaving]
        connection.execute(QUERIES["mark_payouts"], {"payout_ids": ids, "traces": [traces.get(each) for each in ids]})
        note_paid_again(connection, cycle_id, self.actor)
        if not paid:
            # A cycle without a payment has nothing to wait for at the bank.
            connection.execute(QUERIES["settle_payouts"], {"cycle_id": cycle_id})
            connection.execute(QUERIES["settle_cycle"], {"cycle_id": cycle_id, "bank_line_id": None})
        counts = {"payouts": len(paid), "total_cents": total, "children": children.files}
        activity.record(connection, self.actor, "cycle_released", str(cycle_id), **counts)
        cut = {"cycle_id": cycle_id, "ncpdp_ids": list(dict.fromkeys(sending.cut_names)) if sending else []}
        connection.execute(QUERIES["record_cut_names"], cut | {"actor": self.actor})

    def _paper_sender(self, cycle: Mapping[str, Any]) -> PaperSender:
        return self.sender or sender_of(cycle["company_name"], self.office)

    def _post(self, connection: Connection, cycle: Mapping[str, Any], leaving: Sequence[Row[Any]]) -> None:
        cycle_id, day = cycle["cycle_id"], cycle["business_date"]
        months: dict[int, list[tuple[date, int]]] = defaultdict(list)
        for fee in connection.execute(QUERIES["payout_fees"], {"cycle_id": cycle_id}):
            months[fee.payout_id].append((fee.month, fee.amount_cents))
        fees = [(row.member_id, month, cents) for row in leaving for month, cents in months[row.payout_id]]
        batch = Batch()
        batch.add(fee_collected(f"fee_collected:cycle:{cycle_id}", day, fees))
        batch.add(fee_swept(f"fee_swept:cycle:{cycle_id}", day, fees))
        paid = [(row.member_id, row.payout_id, row.amount_cents) for row in leaving]
        batch.add(payout_released(f"payout_released:cycle:{cycle_id}", day, paid))
        post(connection, batch, self.actor)
        if fees:
            settle_paid(connection)

    def _send(self, connection: Connection, cycle: Mapping[str, Any], paid: Sequence[Row[Any]]) -> Sending:
        entries = [
            OutgoingEntry(
                routing_number=row.routing_number,
                account_number=self.keyring.open(
                    bytes(row.sealed_number), bank_account_context(row.bank_account_id)
                ).decode(),
                account_type=row.account_type,
                amount_cents=row.amount_cents,
                ncpdp_id=row.ncpdp_id,
                receiver_name=row.legal_name,
                payout_id=row.payout_id,
                reassociation_trace=payout_trace(cycle["cycle_id"], row.payout_id),
            )
            for row in paid
        ]
        originator = Originator(
            cycle["odfi_routing"], cycle["company_id"], cycle["company_name"], cycle["entry_description"]
        )
        courier = Courier(
            connection=connection,
            vault=self.vault,
            originator=originator,
            actor=self.actor,
            made_at=self.now,
            form=self.form,
        )
        return courier.send(
            FileKind.PAYOUTS,
            entries,
            business_date=cycle["business_date"],
            effective_on=cycle["effective_on"],
            name=f"{cycle['business_date']}-cycle-{cycle['cycle_id']}.ach",
            cycle_id=cycle["cycle_id"],
        )


def _drop(connection: Connection, cycle_id: int, payouts: Sequence[Row[Any]], stopped: Mapping[UUID, str]) -> None:
    """Leave out what may not leave, with a case for each of its members; some would have been told and not paid."""
    if not stopped:
        return
    ids, reasons = [row.payout_id for row in payouts], [stopped[row.member_id] for row in payouts]
    connection.execute(QUERIES["drop_payouts"], {"payout_ids": ids, "reasons": reasons})
    lost: dict[UUID, int] = defaultdict(int)
    for row in payouts:
        lost[row.member_id] += row.amount_cents
    names = {row.member_id: row.ncpdp_id for row in payouts} | untold_members(connection, cycle_id, stopped)
    for member_id, ncpdp_id in names.items():
        subject = f"cycle {cycle_id} {ncpdp_id}"
        open_case(connection, CaseKind.PAYOUT_DROPPED, subject, lost[member_id], stopped[member_id])


def _result(connection: Connection, cycle: Mapping[str, Any], out: Path, *, papers: bool) -> Released:
    rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle["cycle_id"]}).all()
    gone = [row for row in rows if row.state != "excluded"]
    files, sets = count_children(connection, cycle["cycle_id"])
    dropped = {row.member_id: row for row in rows if row.state == "excluded"}
    noticed = sum(row.amount_cents > 0 for row in gone) if cycle["notices_sha256"] is not None else 0
    return Released(
        cycle_id=cycle["cycle_id"],
        state=cycle["state"],
        nacha_file=str(out / cycle["nacha_name"]) if cycle["nacha_name"] else None,
        effective_date=cycle["effective_on"],
        payouts=sum(row.amount_cents > 0 for row in gone),
        total_cents=sum(row.amount_cents for row in gone),
        fee_cents=sum(row.fee_cents for row in gone),
        dropped=tuple(Dropped(ncpdp_id=row.ncpdp_id, reason=row.reason or "") for row in dropped.values()),
        children=Children(files=files, sets=sets, folder=str(out / CHILD_FOLDER) if files else None),
        notices=Notices(count=noticed, folder=str(out / NOTICE_FOLDER) if papers and noticed else None),
    )
