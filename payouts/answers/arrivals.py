"""What is done the moment a return arrives, whether or not its money is there: stop, freeze, tell, ask a person."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row

from ingest.cases import CaseKind, open_case
from ledger import activity
from ledger.queries import Queries
from payouts.accounts.prenotes import prenote_failed
from payouts.accounts.stops import stop_account
from payouts.answers.codes import Treatment, meaning_of
from payouts.holding.holds import HoldKind, HoldOrder, place_hold
from payouts.people.notices import NoticeKind, give_notice
from schemas.calendar import next_banking_day
from schemas.money import show_cents

_QUERIES = Queries("payouts", "answers.sql")

_FREEZING = {Treatment.LEGAL: HoldKind.LEGAL, Treatment.FRAUD: HoldKind.FRAUD}


def take_return(
    connection: Connection, answer_id: int, payout: Row[Any], code: str, treatment: Treatment, *, on: date, actor: str
) -> None:
    """Act on a return of a payment at once: what is pending for its member must not go the same way.

    Args:
        connection: of the unit of work that takes the file in.
        answer_id: the return.
        payout: the payment, of the query ``sent_payout``.
        code: why it comes back.
        treatment: what the code means for us.
        on: the day of receipt.
        actor: who takes the file in.
    """
    said = f"{code}, {meaning_of(code)}"
    if treatment.stops_account and payout.bank_account_id is not None:
        stop_account(connection, payout.bank_account_id, f"answer {answer_id}: {said}", on=on, actor=actor)
    if treatment.freezes_member:
        order = HoldOrder(
            member_id=payout.member_id,
            kind=_FREEZING[treatment],
            reason=f"payout {payout.payout_id} came back: {said}",
            authority=f"return of the receiving bank, {code}",
            review_on=next_banking_day(on),
            placed_on=on,
        )
        hold_id = place_hold(connection, order, actor)
        connection.execute(_QUERIES["keep_hold"], {"answer_id": answer_id, "hold_id": hold_id})
    elif treatment.returns_credit:
        _tell(connection, payout, said, treatment, on=on, actor=actor)
    if not treatment.returns_credit:
        detail = f"{said}: not how a payment comes back; a person decides"
        open_unknown(connection, answer_id, payout.amount_cents, detail)


def _tell(connection: Connection, payout: Row[Any], said: str, treatment: Treatment, *, on: date, actor: str) -> None:
    """Write to the member. Of a legal order or a suspicion of fraud it is not told by us: a person decides that."""
    needed = {
        Treatment.ACCOUNT_DEAD: "We do not pay into that account any more. Send us other bank details; "
        "we will call you at the number that we have of you before we use them.",
        Treatment.REFUSED_OR_DUPLICATE: "Tell us whether you refused it, and why.",
    }.get(treatment, "You need not do anything; we will look at it and pay you again.")
    body = (
        f"The bank of {payout.legal_name} (NCPDP {payout.ncpdp_id}) sent back our payment of "
        f"{show_cents(payout.amount_cents)}, trace {payout.trace_number}, into the account ending in "
        f"{payout.last_four}.\n\n"
        f"Its reason: {said}. The money is kept for you.\n\n{needed}"
    )
    subject = f"Your bank sent back a payment of {show_cents(payout.amount_cents)}"
    kind = NoticeKind.PAYMENT_RETURNED
    give_notice(connection, payout.member_id, kind, subject=subject, body=body, on=on, actor=actor)


def take_prenote_answer(
    connection: Connection, answer_id: int, change_id: int, code: str, *, on: date, actor: str
) -> None:
    """End the change of bank details whose prenote came back or was corrected; nothing more follows of the answer."""
    prenote_failed(connection, change_id, code, actor, on=on)
    reason = f"the prenote of change {change_id} failed"
    connection.execute(_QUERIES["close"], {"answer_id": answer_id, "actor": actor, "reason": reason})
    activity.record(connection, actor, "answer_closed", f"answer {answer_id}", reason=reason)


def open_unknown(connection: Connection, answer_id: int, cents: int, detail: str) -> None:
    """Queue an answer that nothing of ours fits, or that has no treatment, for a person."""
    advice = f"{detail}; then: returns close {answer_id} --reason TEXT"
    open_case(connection, CaseKind.ANSWER_UNKNOWN, f"answer {answer_id}", cents, advice)
