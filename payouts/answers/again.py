"""Paying again what came back: what must be there first, and which payment it left by."""

from datetime import date

from sqlalchemy import Connection

from ledger import activity
from ledger.queries import Queries
from payouts.answers.codes import Treatment, meaning_of
from payouts.answers.errors import AnswerStateError, HoldNotLegalError, UnknownAnswerError
from payouts.holding.holds import HoldKind, locked_hold

_QUERIES = Queries("payouts", "answers.sql")


def may_pay_again(connection: Connection, hold_id: int) -> str | None:
    """Say why a hold may not be lifted yet, for the returns whose money it keeps; None: nothing of theirs is missing.

    A dead account asks for another one that is live; suspicion of fraud for one that was asked for after the return and
    confirmed in a call-back; a legal hold for an authority's release. Everything else asks for the second person only.
    """
    for row in connection.execute(_QUERIES["returns_of_hold"], {"hold_id": hold_id}):
        said = f"payout {row.payout_id} of {row.ncpdp_id} came back ({row.code}, {meaning_of(row.code)})"
        if row.treatment == Treatment.ACCOUNT_DEAD and not row.has_other:
            return f"{said}: it is paid again into another account, once one is live"
        if row.treatment == Treatment.FRAUD and not row.has_confirmed:
            return f"{said}: it is paid again once an account is live that a call-back confirmed after the return"
        if row.treatment == Treatment.LEGAL and not row.is_released:
            return f"{said}: it is paid again after an authority's release: returns release {row.answer_id}"
    return None


def record_release(connection: Connection, answer_id: int, authority: str, said: str, *, on: date, actor: str) -> None:
    """Write down by which words an authority released what a legal return froze; lifting the hold is asked for apart.

    Raises:
        UnknownAnswerError: there is no such answer.
        AnswerStateError: authority or words are missing.
        HoldNotLegalError: its money is on no legal hold.
    """
    row = connection.execute(_QUERIES["answer_state"], {"answer_id": answer_id}).first()
    if row is None:
        raise UnknownAnswerError(answer_id)
    if row.hold_id is None or locked_hold(connection, row.hold_id)["kind"] != HoldKind.LEGAL:
        raise HoldNotLegalError(answer_id)
    if not authority.strip() or not said.strip():
        raise AnswerStateError(answer_id, "not released", "a named authority and its words")
    facts = {"hold_id": row.hold_id, "authority": authority, "said": said, "on": on, "actor": actor}
    connection.execute(_QUERIES["add_release_order"], facts)
    subject = f"hold {row.hold_id}"
    activity.record(connection, actor, "release_recorded", subject, authority=authority, said=said, answer=answer_id)


def note_paid_again(connection: Connection, cycle_id: int, actor: str) -> None:
    """Say of returned money that a cycle pays again by which payment it left; called by the release."""
    for row in connection.execute(_QUERIES["note_paid_again"], {"cycle_id": cycle_id}).all():
        subject = f"answer {row.answer_id}"
        activity.record(connection, actor, "paid_again", subject, payout=row.paid_again_by, cycle=cycle_id)
