"""What the people of the office do in a demonstration week, through what the commands call; nearly all takes two."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Connection

from app.demo.pharmacies import Pharmacy
from app.demo.simulator.bank import Bank
from app.demo.week import script
from app.demo.week.plan import Week
from app.scheduler.service import SCHEDULER_USER
from app.session import Session
from ingest.directory import find_member
from ingest.roster import AccountType
from payouts import decisions, own_money
from payouts.accounts import changes, live, prenotes
from payouts.accounts.changes import ChangeRequest, ChangeSource
from payouts.ach.outgoing import leave_file
from payouts.fees import giving_back
from payouts.holding import dormancy, holds, lifts
from payouts.holding.holds import HoldKind, HoldOrder
from payouts.people.approvals import ApprovalKind, list_approvals
from payouts.people.contacts import Contact, record_contact
from payouts.people.users import OPERATORS, UserRole, add_user, require
from schemas.calendar import add_banking_days, next_banking_day
from schemas.identifiers import AbaRouting
from schemas.money import show_cents

OPERATOR, APPROVER, CLERK = "olga", "anton", "clara"
"""One asks, one approves, one calls back; nobody does two of these for one matter."""
NEW_ROUTING: Final = AbaRouting("091000019")
NEW_ACCOUNT: Final = "8800990011"
"""Where the member whose account was closed is paid afterwards."""

_TELEPHONE = "312-555-0100"


@dataclass(frozen=True)
class People:
    """The office's people and what they do before a day's cut-off.

    Args:
        session: works as the operator, on the week's clock.
        week: whose stories they act in.
        bank: takes their files.
        out: where a day's files are left.
    """

    session: Session
    week: Week
    bank: Bank
    out: Callable[[date], Path]

    def begin_work(self) -> None:
        """Add the users, the scheduler's among them."""
        with self.session.begin() as connection:
            add_user(connection, OPERATOR, UserRole.ADMIN, OPERATOR)
            add_user(connection, APPROVER, UserRole.APPROVER, OPERATOR)
            add_user(connection, CLERK, UserRole.OPERATOR, OPERATOR)
            add_user(connection, SCHEDULER_USER, UserRole.OPERATOR, OPERATOR)

    def take_rules_over(self) -> None:
        """Import when states count property as abandoned; without, every kept amount asks for counsel."""
        path = self.week.dormancy_rules
        with self._working() as connection, path.open("rb") as stream:
            dormancy.import_rules(connection, dormancy.read_rules(stream, path.name), OPERATOR)

    def act(self, place: int) -> list[str]:
        """Do what the stories ask for on a day, before its cut-off; give a sentence for each."""
        acts: Mapping[int, list[Callable[[date], str]]] = _by_place(
            (script.OWN_MONEY, self._take_own_money),
            (script.OWN_MONEY, self._write_contact_down),
            (script.WAIVED, self._waive),
            (script.HELD, self._hold_back),
            (script.CORRECTED_TOLD, self._correct),
            (script.CLOSED_BACK, self._ask_for_another_account),
            (script.REFUSED_BACK, self._pay_refused_again),
            (script.HOLD_LOOKED_AT, self._look_at_hold),
            (script.HOLD_LIFTED, self._let_go),
            (script.CLOSED_AGAIN, self._pay_closed_again),
        )
        return [*self._answer_refused(place), *(act(self.week.days[place]) for act in acts.get(place, []))]

    # The stories

    def _take_own_money(self, day: date) -> str:
        del day
        with self._working() as connection:
            approval_id = own_money.propose_deposit(connection, self.week.float_reference, OPERATOR)
        self._approve(approval_id)
        return f"{show_cents(self.week.float_cents)} taken as the PSAO's own money; it covers negatives"

    def _write_contact_down(self, day: date) -> str:
        store = self.week.cast.closed
        contact = Contact(name="Ada Owner", telephone=_TELEPHONE, email="ada@pharmacy.example")
        with self._working() as connection:
            member_id = find_member(connection, store.ncpdp_id, day)
            record_contact(connection, member_id, contact, since=store.member_since, on=day, actor=OPERATOR)
        return f"{store.ncpdp_id}: its contact is written down"

    def _waive(self, day: date) -> str:
        store, month = self.week.cast.waived, self.week.days[0].replace(day=1)
        with self._working() as connection:
            member_id = find_member(connection, store.ncpdp_id, day)
            reason = "closed by a flood for half the month"
            approval_id = giving_back.propose_waiver(connection, member_id, month, None, reason, on=day, actor=OPERATOR)
        self._approve(approval_id)
        return f"{store.ncpdp_id}: two people waive its fee of {month:%Y-%m}"

    def _hold_back(self, day: date) -> str:
        store, review_on = self.week.cast.held, add_banking_days(self.week.days[0], script.HOLD_LOOKED_AT)
        with self._working() as connection:
            order = HoldOrder(
                member_id=find_member(connection, store.ncpdp_id, day),
                kind=HoldKind.DISPUTE,
                reason="a payer disputes claims of October",
                authority="contract, clause 7",
                review_on=review_on,
                placed_on=day,
                limit_cents=script.HOLD_CENTS,
            )
            holds.place_hold(connection, order, OPERATOR)
        return f"{store.ncpdp_id}: up to {show_cents(script.HOLD_CENTS)} kept back, to be looked at on {review_on}"

    def _look_at_hold(self, day: date) -> str:
        with self._working() as connection:
            due = holds.review_holds(connection, day)
        found = next((each for each in due if each.ncpdp_id == self.week.cast.held.ncpdp_id), None)
        kept_cents = 0 if found is None else found.held_cents
        return f"{self.week.cast.held.ncpdp_id}: its hold is looked at; {show_cents(kept_cents)} are kept back"

    def _let_go(self, day: date) -> str:
        cents = self._lift(self.week.cast.held, HoldKind.DISPUTE, "the payer agreed", day)
        return f"{self.week.cast.held.ncpdp_id}: its hold of {show_cents(cents)} is lifted by two people"

    def _correct(self, day: date) -> str:
        del day
        ncpdp_id = self.week.cast.corrected.ncpdp_id
        with self.session.reading() as connection:
            asked = [
                each.approval_id
                for each in list_approvals(connection)
                if each.kind == ApprovalKind.BANK_DETAILS and each.facts["member"] == ncpdp_id
            ]
        for approval_id in asked:
            self._approve(approval_id)
        return f"{ncpdp_id}: what its bank corrects (C03) is approved"

    def _ask_for_another_account(self, day: date) -> str:
        store = self.week.cast.closed
        with self._working() as connection:
            request = ChangeRequest(
                member_id=find_member(connection, store.ncpdp_id, day),
                routing=NEW_ROUTING,
                account_number=SecretStr(NEW_ACCOUNT),
                account_type=AccountType.CHECKING,
                source=ChangeSource.MEMBER,
                reason="the account was closed",
                requested_on=day,
                cooling_days=self.session.settings.bank_details_cooling_days,
            )
            change_id = changes.ask_change(connection, request, self.session.keyring, OPERATOR)
        with self._working(CLERK) as connection:
            changes.record_call_back(
                connection, change_id, _TELEPHONE, "Ada Owner", CLERK, confirmed=True, called_on=day
            )
        with self.session.reading() as connection:
            kind, subject = ApprovalKind.BANK_DETAILS, str(change_id)
            (asked,) = (
                each for each in list_approvals(connection) if (each.kind, each.subject) == (kind.value, subject)
            )
        self._approve(asked.approval_id)
        with self._working() as connection:
            courier = self.session.courier(connection)
            file, tried = prenotes.send_prenotes(courier, self.session.keyring, day)
        if file is not None:
            self.bank.send(leave_file(self.session.vault, file, self.out(day)).read_bytes(), day)
        usable = ", ".join(f"{each.usable_from}" for each in tried)
        return (
            f"{store.ncpdp_id}: another account is asked for, called back by {CLERK}, approved by {APPROVER} and tried "
            f"by a prenote; usable from {usable}"
        )

    def _pay_refused_again(self, day: date) -> str:
        store = self.week.cast.refused
        cents = self._lift(store, HoldKind.RETURNED, "it was paid once only", day)
        return f"{store.ncpdp_id}: paid once only, so its refused {show_cents(cents)} (R23) go again, by two people"

    def _pay_closed_again(self, day: date) -> str:
        store = self.week.cast.closed
        with self._working() as connection:
            live.make_live(connection, next_banking_day(day), OPERATOR, told_on=day)
        cents = self._lift(store, HoldKind.RETURNED, "another account is live", day)
        return f"{store.ncpdp_id}: its other account is live, {show_cents(cents)} go again, by two people"

    def _answer_refused(self, place: int) -> Iterator[str]:
        """Take a refused file out of the inbox when the one that mends it has come."""
        for wrong in (each for each in self.week.remittances if each.is_wrong and each.arrives == place - 1):
            refused = self.session.settings.inbox_dir / "refused" / wrong.path.name
            if refused.exists():
                refused.rename(self.out(self.week.days[place]) / wrong.path.name)
                yield f"{wrong.path.name}: mended by its payer; taken out of the folder of refused files"

    # What the stories have in common

    def _lift(self, store: Pharmacy, kind: HoldKind, reason: str, day: date) -> int:
        """Lift the hold of a kind as a whole; give what it kept."""
        with self._working() as connection:
            (hold,) = (each for each in self._holds(connection, store, day) if each.kind is kind)
            approval_id = lifts.ask_lift(connection, hold.hold_id, None, reason, OPERATOR, on=day)
        self._approve(approval_id)
        return hold.held_cents

    @staticmethod
    def _holds(connection: Connection, store: Pharmacy, day: date) -> list[holds.Hold]:
        member_id: UUID = find_member(connection, store.ncpdp_id, day)
        return holds.list_holds(connection, member_id)

    def _approve(self, approval_id: int) -> None:
        with self.session.begin() as connection:
            decisions.decide(connection, approval_id, APPROVER, approve=True, vault=self.session.vault)

    @contextmanager
    def _working(self, actor: str = OPERATOR) -> Iterator[Connection]:
        with self.session.begin() as connection:
            require(connection, actor, OPERATORS)
            yield connection


def _by_place(*acts: tuple[int, Callable[[date], str]]) -> dict[int, list[Callable[[date], str]]]:
    found: dict[int, list[Callable[[date], str]]] = {}
    for place, act in acts:
        found.setdefault(place, []).append(act)
    return found
