"""Notifications of change: a bank corrects what a payment was addressed to, and a second person decides.

Applied within six banking days of receipt or before the next entry (Nacha Operating Rules, notifications of change),
and never blindly: whoever can make a bank send one can turn payments elsewhere. Only what the code says is replaced.
"""

from datetime import date
from typing import Any, Final

from pydantic import SecretStr, ValidationError
from sqlalchemy import Connection, Row

from ingest.cases import CaseKind, open_case
from ingest.encryption import Keyring
from ingest.models import bank_account_context
from ingest.roster import AccountType
from ledger import activity
from ledger.queries import Queries
from payouts.accounts.changes import ChangeRequest, ChangeSource, ask_change
from payouts.answers.codes import DETAIL_CODES, meaning_of
from payouts.nacha.corrections import Correction, WrongCorrection, read_correction
from schemas.calendar import add_banking_days
from schemas.errors import RefusedError
from schemas.identifiers import AbaRouting

_QUERIES = Queries("payouts", "answers.sql")

APPLY_WITHIN_DAYS: Final = 6
"""Banking days from receipt within which a correction is applied, unless the next entry comes first."""

_TYPE_OF_CODE: Final = {"2": AccountType.CHECKING, "3": AccountType.SAVINGS}
"""First digit of a transaction code."""


def deadline(received_on: date) -> date:
    """Give the last banking day on which a notification is to be applied."""
    return add_banking_days(received_on, APPLY_WITHIN_DAYS)


def take_notification(
    connection: Connection,
    answer_id: int,
    payout: Row[Any],
    said: tuple[str, str],
    on: date,
    *,
    keyring: Keyring,
    actor: str,
) -> None:
    """Make a change of bank details out of a notification, or a case where that can not be.

    Args:
        connection: of the unit of work that takes the file in.
        answer_id: the notification.
        payout: the payment that it is about, of the query ``sent_payout``.
        said: its code, and its corrected data as the record holds it.
        on: the day of receipt.
        keyring: opens and seals account numbers.
        actor: who takes the file in.
    """
    code, corrected_data = said
    head = f"{code}, {meaning_of(code)}: {payout.ncpdp_id}, account ending in {payout.last_four}; by {deadline(on)}"
    by_person = f"a person looks at it: returns close {answer_id} --reason TEXT"
    if code not in DETAIL_CODES:
        _case(connection, answer_id, f"{head} or before the next payment; it corrects no bank details, {by_person}")
        return
    correction = read_correction(code, corrected_data)
    if isinstance(correction, WrongCorrection):
        _case(connection, answer_id, f"{head}: not usable, {correction.sentence()}; ask its bank, then {by_person}")
        return
    request = _request(connection, payout, correction, on, keyring)
    if isinstance(request, str):
        _case(connection, answer_id, f"{head}: not usable, {request}; {by_person}")
        return
    try:
        change_id = ask_change(connection, request, keyring, actor)
    except RefusedError as refusal:
        _case(connection, answer_id, f"{head}: not asked for, {refusal}; {by_person}")
        return
    connection.execute(_QUERIES["keep_asked_change"], {"answer_id": answer_id, "change_id": change_id})
    _case(connection, answer_id, f"{head} or before the next payment a second person decides on change {change_id}")


def _request(
    connection: Connection, payout: Row[Any], correction: Correction, on: date, keyring: Keyring
) -> ChangeRequest | str:
    """Put the corrected parts in the place of those in use; or say why that can not be."""
    account = connection.execute(_QUERIES["account_in_use"], {"member_id": payout.member_id}).first()
    if account is None or account.bank_account_id != payout.bank_account_id:
        return "the member is paid into another account by now"
    number = correction.account_number
    if number is None:
        context = bank_account_context(account.bank_account_id)
        number = keyring.open(bytes(account.sealed_number), context).decode()
    kind = AccountType(account.account_type)
    if correction.transaction_code is not None:
        found = _TYPE_OF_CODE.get(correction.transaction_code[0])
        if found is None:
            return f"transaction code {correction.transaction_code} is of no checking or savings account"
        kind = found
    try:
        return ChangeRequest(
            member_id=payout.member_id,
            routing=correction.routing or AbaRouting(account.routing_number),
            account_number=SecretStr(number),
            account_type=kind,
            source=ChangeSource.BANK,
            reason=f"notification of change {correction.code}: {meaning_of(correction.code)}",
            requested_on=on,
        )
    except ValidationError:
        # The message of the library would say the number.
        return "its account number is none that can be paid into"


def _case(connection: Connection, answer_id: int, detail: str) -> None:
    open_case(connection, CaseKind.CHANGE_NOTIFIED, f"answer {answer_id}", 0, detail)


def resolve_case(connection: Connection, kind: CaseKind, answer_id: int, resolution: str) -> None:
    """Close the open case of an answer, when it has one of that kind."""
    facts = {"kind": kind.value, "subject": f"answer {answer_id}", "resolution": resolution}
    connection.execute(_QUERIES["resolve_case"], facts)


def follow_changes(connection: Connection, actor: str) -> None:
    """Carry what was decided on changes of bank details over to the notifications that they came from."""
    for row in connection.execute(_QUERIES["unsettled_notifications"]).all():
        done = row.state in {"approved", "prenoted", "live"}
        said = f"change {row.asked_change_id} is {row.state}"
        if done:
            connection.execute(_QUERIES["apply_change"], {"answer_id": row.answer_id})
        else:
            facts = {"answer_id": row.answer_id, "actor": actor, "reason": said}
            connection.execute(_QUERIES["close"], facts)
        action = "change_applied" if done else "answer_closed"
        activity.record(connection, actor, action, f"answer {row.answer_id}", reason=said)
        resolve_case(connection, CaseKind.CHANGE_NOTIFIED, row.answer_id, said)
