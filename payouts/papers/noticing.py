"""What the notices of a cycle say, read at its release for all payouts at once, and kept as one file in the vault.

Each notice is made of the sets of the member's own 835 that its payment pays, and refuses to be made unless they sum
to it. So it says what the 835 says; and of the payment the trace number that its entry got.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from ingest.vault import Vault
from ingest.x12.reason_words import plb_words
from ledger.queries import Queries
from payouts.papers.errors import NoticesDifferError
from payouts.papers.notice import NoticeAdvice, NoticeItem, PayoutNotice, notice_item
from payouts.papers.sender import Sender
from payouts.remittances.child_record import MeantFile, MeantSet
from payouts.remittances.pipe import piped
from payouts.statements.model import PayerAdjustment

FORM: Final = "centralpay notices 1"
"""Begins a kept file: which fields its lines have."""

_QUERIES = Queries("payouts", "papers.sql")
_FETCHED_ROWS: Final = 500


@dataclass(frozen=True)
class Noticing:
    """Reads and keeps the notices of one cycle, within the transaction that releases it.

    Args:
        connection: of the unit of work.
        vault: takes the file.
        cycle: the cycle's row.
        sender: who stands at the head of the notices.
    """

    connection: Connection
    vault: Vault
    cycle: Mapping[str, Any]
    sender: Sender

    def keep(self, files: Sequence[MeantFile], traces: Mapping[int, str]) -> str | None:
        """Keep the notices of all payouts that leave; give the SHA-256 of their file, None when there are none.

        Args:
            files: the members' own 835s as they were written.
            traces: of each payout with money the trace number at the bank.

        Raises:
            NoticesDifferError: a notice does not come to its payment, or a payment has none.
        """
        if not any(each.payout_id is not None for file in files for each in file.sets):
            return None
        noticed: set[int] = set()

        def write(out: BinaryIO) -> None:
            head = {"form": FORM, "cycle_id": self.cycle["cycle_id"], "sender": self.sender.model_dump(mode="json")}
            out.write(json.dumps(head, ensure_ascii=False).encode() + b"\n")
            for notice in self.read(files, traces):
                out.write(notice.model_dump_json().encode() + b"\n")
                noticed.add(notice.payout_id)

        with piped(write) as stream:
            stored = self.vault.store(stream, f"the notices of cycle {self.cycle['cycle_id']}", unpack=False)
        if noticed != set(traces):
            raise NoticesDifferError(self.cycle["cycle_id"], "a payment has no notice")
        return stored.sha256

    def read(self, files: Sequence[MeantFile], traces: Mapping[int, str]) -> Iterator[PayoutNotice]:
        """Give the notices by NCPDP id and payout."""
        sets: dict[int, list[MeantSet]] = defaultdict(list)
        for each in (each for file in files for each in file.sets):
            if each.payout_id is not None:
                sets[each.payout_id].append(each)
        advices = sorted({each.advice_id for told in sets.values() for each in told if each.advice_id is not None})
        asked = {"cycle_id": self.cycle["cycle_id"], "advices": advices}
        payers = {row.advice_id: row for row in self.connection.execute(_QUERIES["advices"], asked)}
        taken: dict[tuple[UUID, int], list[Row[Any]]] = defaultdict(list)
        for row in self.connection.execute(_QUERIES["adjustments"], asked):
            taken[row.owner_id, row.advice_id].append(row)
        names = {file.member_id: file.file_name.removesuffix(".835") for file in files}
        streaming = {"stream_results": True, "yield_per": _FETCHED_ROWS}
        with self.connection.execute(_QUERIES["payees"], asked, execution_options=streaming) as payees:
            for payee in payees:
                told = sets.get(payee.payout_id, [])
                inside = tuple(
                    _advice(each, payers[each.advice_id], taken.get((payee.member_id, each.advice_id), ()))
                    for each in told
                    if each.advice_id is not None
                )
                if told:
                    name = names[payee.member_id] + (f"-payout-{payee.payout_id}" if payee.payouts > 1 else "")
                    yield self._notice(payee, name, traces[payee.payout_id], inside, told)

    def _notice(
        self, payee: Row[Any], name: str, trace: str, advices: tuple[NoticeAdvice, ...], told: Sequence[MeantSet]
    ) -> PayoutNotice:
        try:
            return PayoutNotice(
                cycle_id=self.cycle["cycle_id"],
                payout_id=payee.payout_id,
                name=name,
                ncpdp_id=payee.ncpdp_id,
                npi=payee.npi,
                legal_name=payee.legal_name,
                dba_name=payee.dba_name,
                business_date=self.cycle["business_date"],
                effective_date=self.cycle["effective_on"],
                amount_cents=payee.amount_cents,
                trace_number=trace,
                remittance_trace=told[0].trace_number,
                account_last_four=payee.last_four,
                advices=advices,
                items=_items(told),
            )
        except ValidationError as error:
            said = f"{payee.ncpdp_id}: {error.errors(include_url=False)[0]['msg']}"
            raise NoticesDifferError(self.cycle["cycle_id"], said) from error


def _advice(told: MeantSet, payer: Row[Any], taken: Sequence[Row[Any]]) -> NoticeAdvice:
    did = {True: "taken", False: "given"}
    adjustments = tuple(
        PayerAdjustment(
            reason=row.reason,
            reference=row.reference,
            amount_cents=-row.amount_cents,
            label=f"{did[row.amount_cents > 0]} by payer {payer.payer_name}, not by us: "
            f"{plb_words(row.reason)} ({row.reason})",
            taken_by=f"payer {payer.payer_name}" if row.amount_cents > 0 else None,
        )
        for row in taken
    )
    return NoticeAdvice(
        payer_id=payer.payer_id,
        payer_name=payer.payer_name,
        trace_number=payer.trace_number,
        date=payer.paid_on,
        claim_count=told.claim_count,
        claims_cents=told.claims_cents,
        adjustments=adjustments,
        amount_cents=told.claims_cents - told.payer_plb_cents,
    )


def _items(told: Sequence[MeantSet]) -> tuple[NoticeItem, ...]:
    """Sum the own items of a payment's sets by reference; what its sets lend to each other nets to nothing."""
    cents: dict[str, int] = defaultdict(int)
    for item in (item for each in told for item in each.own):
        cents[item.reference] += item.amount_cents
    return tuple(notice_item(reference, reduces) for reference, reduces in cents.items() if reduces)
