"""Unclaimed property: held money whose owner is not heard of goes to its state, after a letter and by two people.

It is money of returned payouts and of members that are gone. Until the state's check has left, its owner can claim it.
"""

from datetime import date, timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.cases import CaseKind, settle_cases
from ledger import activity
from ledger.batch import Batch
from ledger.chart import Account
from ledger.decided import unclaimed
from ledger.posting import post, reverse
from payouts.disbursing.disbursements import (
    DisbursementKind,
    DisbursementOrder,
    Method,
    free_cents,
    propose_disbursement,
)
from payouts.holding.dormancy import QUERIES, DormancyRule, rule_on
from payouts.holding.errors import DormancyRulesError, NoDormancyRuleError, UnclaimedError
from payouts.holding.holds import locked_hold, stands_under
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.people.notices import NoticeKind, give_notice
from schemas.money import show_cents


class Dormant(BaseModel):
    """Held money on its way to become unclaimed property; money in cents.

    Without a rule of its state the days are missing and ``problem`` says so.
    """

    model_config = ConfigDict(frozen=True)

    hold_id: int
    member_id: UUID
    ncpdp_id: str
    state: str
    held_cents: int
    unclaimed_cents: int
    last_activity: date
    dormant_on: date | None = None
    letter_from: date | None = None
    letter_until: date | None = None
    letter_on: date | None = None
    declare_from: date | None = None
    """The first day on which it may be declared: dormancy is over and the letter is old enough; None: no letter yet."""
    problem: str | None = None


def list_dormant(
    connection: Connection, as_of: date, *, hold_id: int | None = None, kind: str | None = None
) -> list[Dormant]:
    """List the held money of returned payouts and of members that are gone, with its days by its state's rule."""
    letters = connection.execute(QUERIES["letters"], {"as_of": as_of})
    written = {(row.hold_id, row.dormant_on): row.made_on for row in letters}
    rows = connection.execute(QUERIES["candidates"], {"as_of": as_of, "hold_id": hold_id}).mappings()
    found = []
    for row in rows:
        base = {name: row[name] for name in Dormant.model_fields if name in row}
        try:
            rule = rule_on(connection, row["state"], as_of, kind)
        except (NoDormancyRuleError, DormancyRulesError) as error:
            found.append(Dormant(**base, problem=str(error)))
            continue
        dormant_on = rule.dormant_on(row["last_activity"])
        found.append(Dormant(**base, **_days(rule, dormant_on, written.get((row["hold_id"], dormant_on)))))
    return found


def _days(rule: DormancyRule, dormant_on: date, letter_on: date | None) -> dict[str, date | None]:
    opens, closes = rule.letter_window(dormant_on)
    # A letter that went out late gives its owner as long as one that was in time.
    waits = None if letter_on is None else max(dormant_on, letter_on + timedelta(days=rule.letter_until_days))
    return {
        "dormant_on": dormant_on,
        "letter_from": opens,
        "letter_until": closes,
        "letter_on": letter_on,
        "declare_from": waits,
    }


def write_letters(connection: Connection, as_of: date, actor: str, *, kind: str | None = None) -> list[Dormant]:
    """Write to the owners whose letter is due, once for a hold and period; give those written to now.

    What has a letter or is dormant is an open case until it is declared or lifted. A letter that was missed goes out
    late.
    """
    connection.execute(QUERIES["lock_letters"])
    due = [
        each
        for each in list_dormant(connection, as_of, kind=kind)
        if each.held_cents and (each.problem or (each.letter_from is not None and each.letter_from <= as_of))
    ]
    now = [each for each in due if each.problem is None and each.letter_on is None]
    for each in now:
        notice_id = give_notice(
            connection,
            each.member_id,
            NoticeKind.UNCLAIMED_PROPERTY,
            subject=f"Hold {each.hold_id}: money of yours goes to the state of {each.state} unless you claim it",
            body=f"We hold {show_cents(each.held_cents)} for you since {each.last_activity}. Unless we hear from you "
            f"by {each.dormant_on}, the law of {each.state} has it handed over to the state as unclaimed property. "
            "Answer this letter to be paid.",
            on=as_of,
            actor=actor,
        )
        facts = {"hold_id": each.hold_id, "dormant_on": each.dormant_on, "notice_id": notice_id}
        connection.execute(QUERIES["add_letter"], facts)
        activity.record(connection, actor, "unclaimed_letter", str(each.hold_id), notice=notice_id)
    standing = {f"hold {each.hold_id}": (each.held_cents, _said(each)) for each in due}
    settle_cases(connection, CaseKind.UNCLAIMED_DUE, standing, "declared, lifted, or its owner was heard of")
    return now


def record_heard(connection: Connection, hold_id: int, said: str, *, on: date, actor: str) -> None:
    """Write down that the owner of held money was heard of: its dormancy counts anew from that day.

    Raises:
        UnknownHoldError: there is no such hold.
        UnclaimedError: nothing is said of it, or what it kept is declared already (then it is claimed).
    """
    locked_hold(connection, hold_id)
    if not said.strip() or not stands_under(connection, hold_id):
        raise UnclaimedError(f"Hold {hold_id} keeps nothing that could become unclaimed, or nothing was said")
    facts = {"hold_id": hold_id, "heard_on": on, "said": said, "actor": actor}
    connection.execute(QUERIES["add_heard"], facts)
    activity.record(connection, actor, "owner_heard", str(hold_id), on=on.isoformat(), said=said)


def propose_declaration(
    connection: Connection, hold_id: int, reason: str, *, on: date, actor: str, kind: str | None = None
) -> int:
    """Ask a second person to declare what a hold keeps unclaimed property; give the approval.

    Raises:
        UnknownHoldError: there is no such hold.
        NoDormancyRuleError, DormancyRulesError: its state has no rule, or several.
        UnclaimedError: it is too early, no letter went out, or it is no such money.
    """
    locked_hold(connection, hold_id)
    found = _declarable(connection, hold_id, on, kind)
    facts = {
        "hold_id": hold_id,
        "member_id": str(found.member_id),
        "state": found.state,
        "property": kind,
        "amount_cents": found.held_cents,
        "dormant_on": str(found.dormant_on),
        "letter_on": str(found.letter_on),
        "reason": reason,
        "on": on.isoformat(),
    }
    return approvals.propose(connection, ApprovalKind.UNCLAIMED, str(hold_id), facts, actor)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Declare what was approved, if the hold still keeps exactly that and nothing was heard meanwhile.

    Raises:
        UnclaimedError: the world has moved on.
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    facts = approval.facts
    hold_id, cents, day = int(facts["hold_id"]), int(facts["amount_cents"]), date.fromisoformat(facts["on"])
    locked_hold(connection, hold_id)
    found = _declarable(connection, hold_id, day, facts["property"])
    if stands_under(connection, hold_id) != cents or found.held_cents != cents:
        raise UnclaimedError(f"Hold {hold_id} does not keep {show_cents(cents)} any more; propose again")
    heard = connection.execute(QUERIES["candidates"], {"as_of": date.max, "hold_id": hold_id}).one().last_activity
    if heard > found.last_activity:
        raise UnclaimedError(f"The owner of hold {hold_id} was heard of on {heard}; reject the declaration")
    batch = Batch()
    key = f"unclaimed:{approval.approval_id}"
    batch.add(unclaimed(key, day, found.member_id, cents, hold_id, reason=str(facts["reason"])))
    post(connection, batch, approval.decided_by)
    activity.record(connection, approval.decided_by, "unclaimed_declared", str(hold_id), cents=cents)


def propose_escheat(connection: Connection, hold_id: int, payee: str, method: Method, actor: str) -> int:
    """Propose to pay a state what was declared from a hold; give the disbursement.

    Raises:
        UnclaimedError: nothing is declared that is not on its way.
    """
    row = locked_hold(connection, hold_id)
    cents = free_cents(connection, DisbursementKind.ESCHEAT, row["member_id"], hold_id)
    if not cents:
        raise UnclaimedError(f"Nothing of hold {hold_id} is declared unclaimed and not on its way")
    order = DisbursementOrder(DisbursementKind.ESCHEAT, row["member_id"], str(hold_id), payee, method, cents)
    return propose_disbursement(connection, order, actor)


def reclaim(connection: Connection, hold_id: int, reason: str, *, on: date, actor: str) -> int:
    """Turn the declarations of a hold: its owner was heard of. Give the cents that are held again.

    To pay them takes a lift, and its second person.

    Raises:
        UnknownHoldError: there is no such hold.
        UnclaimedError: nothing is declared, or it is on its way to the state.
    """
    row = locked_hold(connection, hold_id)
    stands = stands_under(connection, hold_id, Account.UNCLAIMED)
    if not stands or not reason.strip():
        raise UnclaimedError(f"Nothing of hold {hold_id} is declared unclaimed here, or no reason was given")
    numbers = connection.execute(QUERIES["declarations"], {"hold_id": hold_id}).scalars().all()
    if free_cents(connection, DisbursementKind.ESCHEAT, row["member_id"], hold_id) < stands:
        raise UnclaimedError(
            f"What was declared from hold {hold_id} is proposed to be paid to the state: make that void first "
            "(centralpay disbursements void)"
        )
    for number in numbers:
        key = f"unclaimed_claimed:{number}"
        reverse(connection, int(number), fact_key=key, fact_on=on, actor=actor, reason=reason)
    activity.record(connection, actor, "unclaimed_claimed", str(hold_id), cents=stands, reason=reason)
    return stands


def _declarable(connection: Connection, hold_id: int, on: date, kind: str | None) -> Dormant:
    found = list_dormant(connection, on, hold_id=hold_id, kind=kind)
    if not found or not found[0].held_cents:
        raise UnclaimedError(
            f"Hold {hold_id} keeps no money of a returned payout or of a member that is gone: nothing to declare"
        )
    each = found[0]
    if each.problem is not None or each.dormant_on is None:
        rule_on(connection, each.state, on, kind)
    elif on < each.dormant_on:
        raise UnclaimedError(
            f"The dormancy of hold {hold_id} ends on {each.dormant_on}: last activity {each.last_activity}"
        )
    elif each.declare_from is None:
        raise UnclaimedError(f"No letter about hold {hold_id} went out; see: centralpay unclaimed letters")
    elif on < each.declare_from:
        raise UnclaimedError(
            f"The letter about hold {hold_id} went out on {each.letter_on}: declare it from {each.declare_from} on"
        )
    return each


def _said(each: Dormant) -> str:
    if each.problem is not None:
        return f"{each.ncpdp_id}: {each.problem}"
    return f"{each.ncpdp_id}: last activity {each.last_activity}, dormant on {each.dormant_on}"
