"""What people can do about an exception: the actions, the request, which case takes which action, how a case ends.

A person resolves a case by an action. Where a second person is needed the action asks for an approval whose facts say
exactly what will be done; it is carried out, under lock and checked again, when that person approves. Everything that
an action posts is undone by reversal.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection

from ingest.cases import Case, CaseKind, find_case
from ledger import activity
from ledger.queries import Queries
from payouts.errors import AskedOtherwiseError
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import (
    CaseResolvedError,
    ReasonMissingError,
    UnfitActionError,
    UnknownCaseError,
)

QUERIES = Queries("payouts", "resolutions_in.sql")


class Action(StrEnum):
    """What a person does about a case."""

    MATCH = "match"
    """These deposits pay these advices, whatever their traces say."""
    FUND_SHORT = "fund_short"
    """Divide among the members what came of a payment; the rest stays advised and may come later."""
    RETURN_TO_PAYER = "return_to_payer"
    """Owe a deposit, or what is left of it, to who paid it, and send it back."""
    SUSPEND = "suspend"
    """Set a deposit without advice aside; matching leaves it alone."""
    UNSUSPEND = "unsuspend"
    """Let a deposit that was set aside be matched again."""
    REPLACE = "replace"
    """Let the set in conflict take the place of the accepted advice."""
    REFUSE = "refuse"
    """Keep the accepted advice; the set in conflict stays on record and is not taken."""
    DISMISS = "dismiss"
    """Nothing more is to be done about what was not taken in: it was dealt with otherwise."""
    WAIT = "wait"
    """Note why nothing is done yet; the case stays open."""
    ASSIGN = "assign"
    """An unknown identifier is a member's."""
    TAKE_BACK = "take_back"
    """A debit is a payer taking money back from members."""
    BANK_CHARGE = "bank_charge"
    """A debit is the bank's charge: the PSAO's own expense."""
    DEBIT_RETURNED = "debit_returned"
    """A debit and a deposit are the same money, out and back."""
    ALLOCATE = "allocate"
    """Divide a payer's adjustment of the network among members, by claim."""
    CORRECT = "correct"
    """Move money from one member to another, the claims named."""
    INTEREST = "interest"
    """A deposit is the bank's interest, which belongs to the members."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file that a person gave with an action."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a person asks for.

    Args:
        case_id: the exception.
        action: what to do about it.
        reason: why; it is kept.
        day: the business day on which it is done.
        bank_lines: deposits or debits, by number; empty: those that the case is about.
        advices: by number; empty: those that the case is about.
        member: NCPDP id or member id.
        amount_cents: a part of what is open; None: all of it.
        rows: a CSV file, such as members and amounts.
        claims: claims as the action names them, such as advice:segment.
        payer: payer id or name, where a payer took the money.
        payee: who is paid, where the bank's text does not say it.
        since: first day, such as of the claims by which an adjustment is divided; None: no day is named.
        until: last day.
    """

    case_id: int
    action: Action
    reason: str
    day: date
    bank_lines: tuple[int, ...] = ()
    advices: tuple[int, ...] = ()
    member: str | None = None
    amount_cents: int | None = None
    rows: Table | None = None
    claims: tuple[str, ...] = ()
    payer: str | None = None
    payee: str | None = None
    since: date | None = None
    until: date | None = None


Act = Callable[[Connection, Case, Resolution, str], int | None]
"""Does what is asked about a locked, open case (connection, case, request, actor): the approval that was asked for, or
None when it is done at once."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Which cases take an action, and what it asks of a person."""

    kinds: frozenset[CaseKind]
    needs_approval: bool
    says: str


_DEPOSITS = frozenset({CaseKind.DEPOSIT_WITHOUT_ADVICE})
_PARKED = _DEPOSITS | {CaseKind.DEPOSIT_OVER, CaseKind.MATCH_SUGGESTED}
_DIRECT = frozenset({CaseKind.DIRECT_PAY_DIFFERS})
_WAITING = frozenset({CaseKind.ADVICE_WITHOUT_DEPOSIT, CaseKind.DEPOSIT_SHORT})

FITS: Final[Mapping[Action, Fit]] = {
    Action.MATCH: Fit(_PARKED | _WAITING, True, "--bank-line N --advice N: the money and the advices that it pays"),
    Action.FUND_SHORT: Fit(_DEPOSITS | _WAITING, True, "divide what came pro rata; the rest may come later"),
    Action.RETURN_TO_PAYER: Fit(_PARKED | _DIRECT, True, "[--bank-line N] [--amount X]: owe it back, then pay it out"),
    Action.SUSPEND: Fit(_DEPOSITS, False, "set the deposit aside"),
    Action.UNSUSPEND: Fit(_DEPOSITS, True, "let the deposit be matched again"),
    Action.REPLACE: Fit(
        _DIRECT | {CaseKind.SET_CONFLICT},
        True,
        "the new set takes the accepted advice's place; [--advice N]: a direct one is paid through us after all",
    ),
    Action.REFUSE: Fit(
        _DIRECT | {CaseKind.SET_CONFLICT, CaseKind.MATCH_SUGGESTED}, False, "do not do it; what is accepted stays"
    ),
    Action.DISMISS: Fit(
        frozenset({CaseKind.SET_QUARANTINED, CaseKind.FILE_REFUSED}),
        False,
        "nothing more is to be done: what was not taken in stays out",
    ),
    Action.WAIT: Fit(frozenset(CaseKind), False, "note why nothing is done yet"),
    Action.ASSIGN: Fit(
        frozenset({CaseKind.UNKNOWN_PAYEE}),
        True,
        "--member M [--advice N] [--from D --to D: keep the identifier for these days]",
    ),
    Action.TAKE_BACK: Fit(
        frozenset({CaseKind.DEBIT_UNEXPLAINED}),
        True,
        "--payer P --rows FILE.csv (member,amount,claim), or --member M: whom it took it from",
    ),
    Action.BANK_CHARGE: Fit(frozenset({CaseKind.DEBIT_UNEXPLAINED}), True, "the PSAO's own expense"),
    Action.DEBIT_RETURNED: Fit(
        _DEPOSITS | {CaseKind.DEBIT_UNEXPLAINED}, True, "--bank-line N: the line on the other side"
    ),
    Action.ALLOCATE: Fit(
        frozenset({CaseKind.NETWORK_ADJUSTMENT}), True, "by the advice's claims; or --from D --to D; or --rows FILE.csv"
    ),
    Action.CORRECT: Fit(
        frozenset({CaseKind.NEGATIVE_MEMBER}), True, "--member M (taken from) --amount X, or --rows CLAIMS.csv"
    ),
    Action.INTEREST: Fit(_DEPOSITS, True, "the bank's interest; it is divided among the members"),
}
"""One line for each action; ``exceptions show`` prints those that fit."""


def actions_for(kind: CaseKind) -> list[Action]:
    """Give the actions that a kind of case takes, in the order of the table."""
    return [action for action, fit in FITS.items() if kind in fit.kinds]


def taken(connection: Connection, request: Resolution) -> Case:
    """Take an open case's turn, and see that it takes the action.

    Raises:
        UnknownCaseError, CaseResolvedError, UnfitActionError, ReasonMissingError: it does not.
    """
    connection.execute(QUERIES["lock_case"], {"id": request.case_id})
    case = find_case(connection, request.case_id)
    if case is None:
        raise UnknownCaseError(request.case_id)
    if case.state != "open":
        raise CaseResolvedError(case.id, case.resolution or "")
    if case.kind not in FITS[request.action].kinds:
        raise UnfitActionError(case.id, case.kind, request.action, actions_for(case.kind))
    if not request.reason.strip():
        raise ReasonMissingError
    return case


def ask(
    connection: Connection,
    kind: ApprovalKind,
    subject: str,
    request: Resolution,
    facts: Mapping[str, Any],
    *,
    actor: str,
    approvers_needed: int = 1,
) -> int:
    """Ask a second person for what a request is about; asking the same again gives the same approval.

    ``facts`` is what will be carried out, as JSON holds it; who, why and when of the request stand beside it.

    Raises:
        AskedOtherwiseError: something else is pending on the same subject.
    """
    said = dict(facts) | {"case_id": request.case_id, "action": request.action.value, "day": request.day.isoformat()}
    asked = said | {"reason": request.reason}
    approval_id = approvals.propose(connection, kind, subject, asked, actor, approvers_needed=approvers_needed)
    stored = connection.execute(QUERIES["approval_facts"], {"approval_id": approval_id}).scalar_one()
    # As JSON holds it: a tuple is a list there.
    if {name: stored.get(name) for name in said} != json.loads(json.dumps(said)):
        raise AskedOtherwiseError(approval_id, subject)
    return approval_id


def day_of(approval: Approval) -> date:
    """Give the business day for which an approval was asked."""
    return date.fromisoformat(approval.facts["day"])


def decider(approval: Approval) -> str:
    """Give who decided; a follower acts in that name."""
    if approval.decided_by is None:
        raise ValueError(f"approval {approval.approval_id} is not decided")
    return approval.decided_by


def carried_out(connection: Connection, approval: Approval) -> None:
    """End the case that an approval is about, saying what was done, by whom and why."""
    facts = approval.facts
    who = f"by {approval.proposed_by}, approved by {approval.decided_by}"
    end_case(connection, facts["case_id"], f"{facts['action']} {who}: {facts['reason']}", decider(approval))


def end_case(connection: Connection, case_id: int, resolution: str, actor: str) -> None:
    """Resolve a case, unless it was resolved meanwhile because what it is about is gone."""
    if connection.execute(QUERIES["end_case"], {"id": case_id, "resolution": resolution}).rowcount:
        activity.record(connection, actor, "case_resolved", f"exception {case_id}", resolution=resolution)
