"""The books as the packages below the command line keep them: files in, money matched, cycles out, in one process."""

import csv
import io
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, text

from app.database import unit_of_work
from app.demo.pharmacies import ROSTER_COLUMNS, Pharmacy
from app.demo.remittance import RemittanceSet
from ingest.bank.bai2_writer import StatementLine
from ingest.cases import list_cases
from ingest.directory import find_member
from ingest.encryption import Keyring, load_keyring
from ingest.funding import MatchReport, sweep
from ingest.receiving import FileVerdict, Receiver
from ingest.vault import Vault
from ledger.balances import owner_balance
from ledger.batch import Batch, Transaction
from ledger.chart import HOUSE, Account, Ledger
from ledger.posting import post
from ledger.proofs import Proof, verify
from ledger.seal.checkpoints import Checkpoint
from payouts import decisions, own_money
from payouts.accounts.changes import COOLING_DAYS
from payouts.accounts.roster import roster_desk
from payouts.answers.loading import PaymentFiles
from payouts.cycle import cycles
from payouts.cycle.cycles import Cycle, Originator
from payouts.cycle.release import Released, Releaser
from payouts.cycle.settlement import Settled, settle
from payouts.fees.giving_back import propose_refund, propose_waiver
from payouts.people.users import UserRole, add_user
from schemas.money import text_from_cents
from tests.support.bank import Bank, paid_in
from tests.support.bank import own_money as own_wire
from tests.support.known import Seal
from tests.support.trade import BANK_ACCOUNT, remittance_file

MAKER, CHECKER = "mary", "charles"
ORIGINATOR = Originator("091000019", "1999999999", "CENTRALPAY DEMO", "HCCLAIMPMT")
ROSTER_DAY = date(2026, 11, 16)
"""The business date of every import of a roster: on it other bank details are asked for."""
NOON = datetime.fromisoformat("2026-11-20T12:00:00-05:00")


@dataclass
class Books:
    """Books in a database and a folder of their own, with their bank.

    Args:
        engine: of the application's role.
        folder: for vault, keys and what is sent.
    """

    engine: Engine
    folder: Path
    bank: Bank = field(default_factory=Bank)
    lives: list[Any] = field(default_factory=list)
    """What was lived through that was marked as such; see ``tests.support.lives``."""
    keyring: Keyring = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.keyring = load_keyring(environment_key=None, key_file=None, home_keys=self.folder / "keys")
        self.vault = Vault(self.folder / "vault", self.keyring)

    def begin(self) -> AbstractContextManager[Connection]:
        """Open a unit of work."""
        return unit_of_work(self.engine)

    def ask(self, statement: str, **parameters: object) -> list[Any]:
        """Read rows."""
        with self.begin() as connection:
            return list(connection.execute(text(statement), parameters))

    def found(self, *stores: Pharmacy) -> None:
        """Begin: a maker, a checker, and the roster of these stores."""
        with self.begin() as connection:
            add_user(connection, CHECKER, UserRole.APPROVER, MAKER)
        if stores:
            verdict = self.receive(roster(*(roster_row(store) for store in stores)), "roster.csv")
            assert verdict.status == "accepted", verdict.summary

    # Files

    def receive(self, content: bytes, name: str = "file", *, account: str = BANK_ACCOUNT) -> FileVerdict:
        """Take a file in."""
        desk = roster_desk(self.keyring, MAKER, ROSTER_DAY, cooling_days=COOLING_DAYS)
        payments = PaymentFiles(self.keyring, account, MAKER, NOON.date())
        receiver = Receiver(self.begin, self.vault, self.keyring, account, MAKER, desk, payments.load)
        return receiver.receive(BytesIO(content), name)

    def remit(self, *sets: RemittanceSet) -> FileVerdict:
        """Take in an 835 file of these sets."""
        return self.receive(remittance_file(*sets), "remit.835")

    def pinned(self) -> Checkpoint:
        """Seal what is recorded and give the last checkpoint."""
        return Seal(self.begin, self.folder).seal()

    def book(self, day: date, *lines: StatementLine) -> FileVerdict:
        """Take in the bank's statement of a day."""
        verdict = self.receive(self.bank.statement(day, *lines), "bank.bai")
        assert verdict.status == "accepted", verdict.summary
        return verdict

    # Money

    def match(self) -> MatchReport:
        """Sweep both pools."""
        return sweep(self.begin, MAKER)

    def settle(self) -> list[Settled]:
        """Settle what the bank has debited."""
        return settle(self.begin, MAKER)

    def fund(self, *sets: RemittanceSet, day: date | None = None) -> None:
        """Remit, deposit and match; all of it is funded."""
        assert self.remit(*sets).status == "accepted"
        paid = [paid_in(each.trace_number, each.payment_cents) for each in sets if each.payment_cents]
        self.book(day or sets[0].settled_on, *paid)
        assert len(self.match().funded) == len(sets)

    def put_in(self, reference: str, cents: int, day: date) -> None:
        """Put the PSAO's own money in, approved by the second person."""
        self.book(day, own_wire(reference, cents))
        with self.begin() as connection:
            approval = own_money.propose_deposit(connection, reference, MAKER)
        with self.begin() as connection:
            decisions.decide(connection, approval, CHECKER, approve=True)

    def post(self, *transactions: Transaction) -> None:
        """Post events that have no command yet."""
        batch = Batch()
        for transaction in transactions:
            batch.add(transaction)
        with self.begin() as connection:
            post(connection, batch, MAKER)

    def waive(self, store: Pharmacy, month: date, cents: int, *, on: date) -> None:
        """Waive an open fee, approved by the second person."""
        with self.begin() as connection:
            approval = propose_waiver(
                connection, find_member(connection, store.ncpdp_id), month, cents, "agreed", on=on, actor=MAKER
            )
        with self.begin() as connection:
            decisions.decide(connection, approval, CHECKER, approve=True)

    def refund(self, store: Pharmacy, month: date, cents: int, *, on: date) -> None:
        """Refund a collected fee, approved by the second person."""
        with self.begin() as connection:
            approval = propose_refund(
                connection, find_member(connection, store.ncpdp_id), month, cents, "agreed", on=on, actor=MAKER
            )
        with self.begin() as connection:
            decisions.decide(connection, approval, CHECKER, approve=True)

    # Cycles

    def propose(self, day: date, actor: str = MAKER) -> Cycle:
        """Propose a cycle."""
        with self.begin() as connection:
            return cycles.propose(connection, day, ORIGINATOR, actor)

    def approved(self, day: date) -> Cycle:
        """Propose a cycle and have it approved."""
        cycle = self.propose(day)
        with self.begin() as connection:
            return cycles.approve(connection, cycle.cycle_id, CHECKER)

    def releaser(self) -> Releaser:
        """Give what releases."""
        return Releaser(self.begin, self.vault, self.keyring, MAKER, NOON)

    def release(self, cycle_id: int) -> Released:
        """Release a cycle into the folder ``out``."""
        return self.releaser().release(cycle_id, self.folder / "out")

    def pay(self, day: date) -> Released:
        """Propose, approve and release."""
        return self.release(self.approved(day).cycle_id)

    # Looking

    def member(self, store: Pharmacy, on: date | None = None) -> UUID:
        """Give the member behind a pharmacy."""
        with self.begin() as connection:
            return find_member(connection, store.ncpdp_id, on)

    def balance(self, owner: Pharmacy | UUID, account: Account, ledger: Ledger = Ledger.CUSTODY) -> int:
        """Give a balance, credit-positive cents."""
        owner_id = owner if isinstance(owner, UUID) else self.member(owner)
        with self.begin() as connection:
            return -owner_balance(connection, owner_id, account, ledger)

    def house(self, account: Account) -> int:
        """Give a balance of the house, credit-positive cents."""
        return self.balance(HOUSE, account)

    def cases(self) -> dict[tuple[str, str], int]:
        """Give the open exception cases: kind and subject to cents."""
        with self.begin() as connection:
            return {(each.kind.value, each.subject): each.amount_cents for each in list_cases(connection)}

    def prove(self, *, altered: bool = False) -> None:
        """See that all proofs hold; where one altered rows behind the triggers, all but the seal's, which sees it."""
        with self.begin() as connection:
            failed = [verdict for verdict in verify(connection) if not verdict.holds]
        broken = [verdict.detail for verdict in failed if not altered or verdict.proof is not Proof.P11]
        assert not broken, broken


def roster_row(store: Pharmacy, **changes: str) -> dict[str, str]:
    """Write a store as a row of a roster, with some of its columns changed."""
    since = store.member_since.isoformat()
    return {
        "ncpdp_id": store.ncpdp_id,
        "npi": store.npi,
        "legal_name": f"{store.dba_name} LLC",
        "dba_name": store.dba_name,
        "tin": store.tin,
        "state": store.state,
        "member_since": since,
        "member_until": "",
        "monthly_fee": text_from_cents(store.monthly_fee_cents),
        "fee_since": since,
        "routing_number": store.routing,
        "account_number": store.account_number,
        "account_type": store.account_type,
        "payout_schedule": store.payout_schedule,
    } | changes


def roster(*rows: dict[str, str]) -> bytes:
    """Write a roster of these rows."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, ROSTER_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def x12_file(*sets: Sequence[str], control_number: int = 7) -> bytes:
    """Write an 835 file of sets that are given segment by segment, without ST and SE."""
    isa = (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'SENDER':15}*ZZ*{'RECEIVER':15}*261120*0215*^*00501*{control_number:09d}*0*P*:"
    )
    segments = [isa, f"GS*HP*SENDER*RECEIVER*20261120*0215*{control_number}*X*005010X221A1"]
    for number, body in enumerate(sets, 1):
        segments += [f"ST*835*{number:04d}", *body, f"SE*{len(body) + 2}*{number:04d}"]
    segments += [f"GE*{len(sets)}*{control_number}", f"IEA*1*{control_number:09d}"]
    return ("~".join(segments) + "~").encode("latin-1")


def x12_head(
    trace: str, dollars: str, *, day: str = "20261116", payer_id: str = "1360000001", payee: str = "XX*1888000011"
) -> list[str]:
    """Write the head of a set, BPR to N1*PE; ``payee`` is N103 and N104."""
    return [
        f"BPR*I*{dollars}*C*ACH*CCP*01*071000096*DA*4400110022*{payer_id}**01*091000019*DA*000123456789*{day}",
        f"TRN*1*{trace}*{payer_id}",
        "N1*PR*HARROWGATE BENEFIT MANAGEMENT",
        f"N1*PE*EXAMPLE PHARMACY SERVICES*{payee}",
        "LX*1",
    ]


def x12_claim(rx: str, dollars: str, *, npi: str = "", filled: str = "20261101", status: str = "1") -> list[str]:
    """Write a claim of one service that pays its charge; without an NPI it names no store."""
    store = [f"NM1*82*2*STORE*****XX*{npi}"] if npi else []
    return [
        f"CLP*{rx}*{status}*{dollars}*{dollars}**13*PCN{rx[:10]}",
        "NM1*QC*1*EXAMPLE*PAT****MI*PLAN0001",
        *store,
        f"SVC*N4:00093505698*{dollars}*{dollars}**30",
        f"DTM*472*{filled}",
    ]
