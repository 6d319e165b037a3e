"""Where an action meets what it does: one function each."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from ledger import activity
from payouts.people.users import OPERATORS, require
from payouts.resolutions.corrections import correct
from payouts.resolutions.debits import bank_charge, return_debit, take_back
from payouts.resolutions.excess import propose_return
from payouts.resolutions.frame import Act, Action, Resolution, taken
from payouts.resolutions.interest import earn
from payouts.resolutions.matches import propose_match
from payouts.resolutions.network import allocate
from payouts.resolutions.payees import assign
from payouts.resolutions.replacement import propose_replacement
from payouts.resolutions.short_funding import propose_short
from payouts.resolutions.suspense import leave_out, propose_unsuspend, suspend, wait

ACTIONS: Final[Mapping[Action, Act]] = {
    Action.MATCH: propose_match,
    Action.FUND_SHORT: propose_short,
    Action.RETURN_TO_PAYER: propose_return,
    Action.SUSPEND: suspend,
    Action.UNSUSPEND: propose_unsuspend,
    Action.REPLACE: propose_replacement,
    Action.REFUSE: leave_out,
    Action.DISMISS: leave_out,
    Action.WAIT: wait,
    Action.ASSIGN: assign,
    Action.TAKE_BACK: take_back,
    Action.BANK_CHARGE: bank_charge,
    Action.DEBIT_RETURNED: return_debit,
    Action.ALLOCATE: allocate,
    Action.CORRECT: correct,
    Action.INTEREST: earn,
}
"""What does each action; here and nowhere else an action meets what it does."""


def resolve(connection: Connection, request: Resolution, actor: str) -> int | None:
    """Do what a person asks about a case; give the approval that a second person has to decide on, or None when done.

    Raises:
        WrongUseError: the request names what does not exist, or leaves out what is needed.
        RefusedError: a subclass says why it can not be done.
    """
    require(connection, actor, OPERATORS)
    case = taken(connection, request)
    approval_id = ACTIONS[request.action](connection, case, request, actor)
    facts = {"did": request.action.value, "reason": request.reason, "approval": approval_id}
    activity.record(connection, actor, "case_acted_on", f"exception {case.id}", **facts)
    return approval_id
