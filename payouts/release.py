"""The release of an approved cycle: fees collected and swept, payouts out, the NACHA file; once, for ever."""

import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
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
from ledger.chart import HOUSE
from ledger.errors import FeeNotDueError, FloatMissingError, InsufficientBalanceError
from ledger.events import fee_collected, fee_swept, payout_released
from ledger.posting import post
from ledger.proofs import RELEASE_PROOFS, Proof, prove
from payouts.ach_file import AchPayout, PayoutFile, write_payout_file
from payouts.cycles import QUERIES, locked
from payouts.errors import CycleStateError, FloatGateError, OutFolderError, ProofGateError
from payouts.nacha.codes import ENTRY_CENTS_LIMIT

ATTEMPTS = 3
"""A balance that falls between the check and the posting makes another try; the payout is then dropped."""


class Dropped(BaseModel):
    """An approved payout that was not released, and why."""

    model_config = ConfigDict(frozen=True)

    ncpdp_id: str
    reason: str


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


@dataclass(frozen=True)
class Releaser:
    """Releases cycles.

    Args:
        begin: opens a unit of work.
        vault: keeps the bytes of the file before anything is committed.
        keyring: opens account numbers.
        actor: who acts.
        now: the moment that the file is made, in the bank's time zone.
    """

    begin: Begin
    vault: Vault
    keyring: Keyring
    actor: str
    now: datetime

    def release(self, cycle_id: int, out: Path) -> Released:
        """Release an approved cycle and leave its NACHA file in ``out``.

        A cycle that is released already gives the same result and the same file again, and posts nothing.

        Raises:
            UnknownCycleError, CycleStateError: there is nothing approved to release.
            FloatGateError, ProofGateError: no money may leave now.
            OutFolderError: the file can not be put there; whether the cycle is released, it says.
        """
        _make_folder(cycle_id, out)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self.begin() as connection:
                    cycle = locked(connection, cycle_id)
                    if cycle["state"] == "approved":
                        self._release(connection, cycle)
                    elif cycle["state"] not in {"released", "settled"}:
                        raise CycleStateError(cycle_id, cycle["state"], "approved")
                break
            except (InsufficientBalanceError, FloatMissingError, FeeNotDueError):
                # Without float a payout of more than is available is refused for its advance before it is for itself.
                if attempt == ATTEMPTS:
                    raise
        with self.begin() as connection:
            result = _result(connection, locked(connection, cycle_id), out)
        self._deliver(cycle_id, result)
        return result

    def _release(self, connection: Connection, cycle: Mapping[str, Any]) -> None:
        cycle_id = cycle["cycle_id"]
        rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle_id}).all()
        dropped = self._dropped(connection, cycle_id, rows)
        if dropped:
            ids, reasons = list(dropped), list(dropped.values())
            connection.execute(QUERIES["drop_payouts"], {"payout_ids": ids, "reasons": reasons})
        leaving = [row for row in rows if row.payout_id not in dropped]
        for row in rows:
            if row.payout_id in dropped:
                subject = f"cycle {cycle_id} {row.ncpdp_id}"
                open_case(connection, CaseKind.PAYOUT_DROPPED, subject, row.amount_cents, dropped[row.payout_id])
        self._post(connection, cycle, leaving)
        paid = [row for row in leaving if row.amount_cents]
        total = sum(row.amount_cents for row in paid)
        name = f"{cycle['business_date']}-cycle-{cycle_id}.ach" if paid else None
        content = self._file(connection, cycle, paid) if paid else None
        traces = dict(zip((row.payout_id for row in paid), content.traces if content else (), strict=True))
        ids = [row.payout_id for row in leaving]
        connection.execute(QUERIES["mark_payouts"], {"payout_ids": ids, "traces": [traces.get(each) for each in ids]})
        digest = bytes.fromhex(self.vault.store(BytesIO(content.data), name or "").sha256) if content else None
        facts = {"nacha_name": name, "nacha_sha256": digest, "released_cents": total}
        # A cycle without a payment has nothing to wait for at the bank.
        state = "released" if paid else "settled"
        if not paid:
            connection.execute(QUERIES["settle_payouts"], {"cycle_id": cycle_id})
        connection.execute(QUERIES["mark_cycle"], facts | {"cycle_id": cycle_id, "actor": self.actor, "state": state})
        activity.record(connection, self.actor, "cycle_released", str(cycle_id), payouts=len(paid), total_cents=total)
        cut = {"cycle_id": cycle_id, "ncpdp_ids": list(content.cut_names) if content else []}
        connection.execute(QUERIES["record_cut_names"], cut | {"actor": self.actor})

    def _dropped(self, connection: Connection, cycle_id: int, rows: Sequence[Row[Any]]) -> dict[int, str]:
        """Find the payouts that may not leave as they were approved, each with its reason."""
        parameters = {"cycle_id": cycle_id}
        gate = connection.execute(QUERIES["float_gate"]).one()
        if gate.available_cents < gate.needed_cents:
            raise FloatGateError(gate.available_cents, gate.needed_cents)
        broken = self._broken_owners(connection, {row.member_id for row in rows})
        available = {
            row.payout_id: row.available_cents for row in connection.execute(QUERIES["available_now"], parameters)
        }
        changed = set(connection.execute(QUERIES["changed_fees"], parameters).scalars())
        dropped = {}
        for row in rows:
            missing = row.amount_cents + row.fee_cents - available[row.payout_id]
            if row.member_id in broken:
                dropped[row.payout_id] = f"a proof fails for its book: {broken[row.member_id]}"
            elif missing > 0:
                dropped[row.payout_id] = f"the balance fell after approval by {missing} cents below the payout"
            elif row.amount_cents >= ENTRY_CENTS_LIMIT:
                dropped[row.payout_id] = f"one ACH entry carries less than {ENTRY_CENTS_LIMIT} cents"
            elif row.payout_id in changed:
                dropped[row.payout_id] = "its fee changed after approval"
        return dropped

    @staticmethod
    def _broken_owners(connection: Connection, members: set[UUID]) -> dict[UUID, str]:
        """Run the proofs that must hold before money leaves; those of the whole stop everything."""
        whole = prove(connection, Proof.P4)
        if not whole.holds:
            raise ProofGateError(f"{whole.proof.name}, {whole.proof.value}", whole.detail)
        broken: dict[UUID, str] = {}
        for proof in RELEASE_PROOFS:
            verdict = prove(connection, proof, [*sorted(members), HOUSE])
            if HOUSE in verdict.owners:
                raise ProofGateError(f"{proof.name}, {proof.value}", verdict.detail)
            broken |= dict.fromkeys(verdict.owners, proof.name)
        return broken

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

    def _file(self, connection: Connection, cycle: Mapping[str, Any], paid: Sequence[Row[Any]]) -> PayoutFile:
        numbers = _traces(connection, len(paid))
        payouts = [
            AchPayout(
                trace_sequence=number,
                routing_number=row.routing_number,
                account_number=self.keyring.open(
                    bytes(row.sealed_number), bank_account_context(row.bank_account_id)
                ).decode(),
                account_type=row.account_type,
                amount_cents=row.amount_cents,
                ncpdp_id=row.ncpdp_id,
                receiver_name=row.legal_name,
                reassociation_trace=f"CP{cycle['cycle_id']}P{row.payout_id}",
            )
            for row, number in zip(paid, numbers, strict=True)
        ]
        today = connection.execute(QUERIES["released_today"], {"business_date": cycle["business_date"]}).scalar_one()
        return write_payout_file(cycle, payouts, made_at=self.now, file_of_day=int(today))

    def _deliver(self, cycle_id: int, result: Released) -> None:
        """Put the file where the bank's courier finds it; the vault holds the same bytes for ever.

        Two releases at once write the same bytes, each beside the place under a name of its own.
        """
        if result.nacha_file is None:
            return
        path = Path(result.nacha_file)
        with self.begin() as connection:
            digest = locked(connection, cycle_id)["nacha_sha256"]
        with self.vault.open(digest) as source:
            try:
                descriptor, part = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
                with os.fdopen(descriptor, "wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                    target.flush()
                    os.fsync(target.fileno())
                Path(part).replace(path)
            except OSError as error:
                raise OutFolderError(cycle_id, str(path), error.strerror or "", released=True) from error


def _make_folder(cycle_id: int, out: Path) -> None:
    """Make the folder before anything leaves: a typing error in its name is found in time."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutFolderError(cycle_id, str(out), error.strerror or "", released=False) from error


def _traces(connection: Connection, count: int) -> list[int]:
    """Take trace numbers, ascending; when the sequence starts anew in between, take others."""
    while True:
        numbers = [int(each) for each in connection.execute(QUERIES["next_traces"], {"count": count}).scalars()]
        if numbers == sorted(numbers):
            return numbers


def _result(connection: Connection, cycle: Mapping[str, Any], out: Path) -> Released:
    rows = connection.execute(QUERIES["payouts"], {"cycle_id": cycle["cycle_id"]}).all()
    gone = [row for row in rows if row.state != "excluded"]
    return Released(
        cycle_id=cycle["cycle_id"],
        state=cycle["state"],
        nacha_file=str(out / cycle["nacha_name"]) if cycle["nacha_name"] else None,
        effective_date=cycle["effective_on"],
        payouts=sum(row.amount_cents > 0 for row in gone),
        total_cents=sum(row.amount_cents for row in gone),
        fee_cents=sum(row.fee_cents for row in gone),
        dropped=tuple(
            Dropped(ncpdp_id=row.ncpdp_id, reason=row.reason or "") for row in rows if row.state == "excluded"
        ),
    )
