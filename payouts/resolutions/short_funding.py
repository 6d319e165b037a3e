"""Money that came short, divided pro rata: the advice gets what is there, the rest stays advised and may come later.

Only where every share gives: a share that takes back has no fair part of money that is missing. Parts are whole cents
by the largest remainder (``schemas.money.split_cents``); equal remainders go by the owners' numbers, so everybody comes
to the same parts.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

from sqlalchemy import Connection

from ingest.cases import Case
from ingest.funding import fund, unfunded_shares
from ingest.matching import Step
from ledger.events import Share
from payouts.people.approvals import Approval, ApprovalKind
from payouts.resolutions.errors import MovedOnError, NegativeShareError, NotShortError, SharesChangedError
from payouts.resolutions.facts import as_bound, bound, last_day, open_deposits, waiting_advices
from payouts.resolutions.frame import Resolution, ask, carried_out, decider
from schemas.money import split_cents


def propose_short(connection: Connection, case: Case, request: Resolution, actor: str) -> int:
    """Ask a second person to divide what came of a payment; give the approval.

    Raises:
        NotShortError: all of it is there.
        NegativeShareError: a share takes back.
        SubjectMissingError, UnknownNumberError, NotOpenError: as the request names them.
    """
    lines = open_deposits(connection, case, request)
    advices = waiting_advices(connection, case, request)
    deposited, missing = sum(each.open_cents for each in lines), sum(each.missing_cents for each in advices)
    if deposited >= missing:
        raise NotShortError(deposited, missing)
    parts = _parts(connection, [each.advice_id for each in advices], deposited)
    facts = bound(lines, advices) | {
        "amount_cents": deposited,
        "missing_cents": missing - deposited,
        "shares": len(parts),
        "shares_sha256": _digest(parts),
    }
    subject = f"advice {', '.join(str(each.advice_id) for each in advices)}"
    return ask(connection, ApprovalKind.SHORT_FUNDING, subject, request, facts, actor=actor)


def follow_short(connection: Connection, approval: Approval) -> None:
    """Fund the parts that were approved.

    Raises:
        MovedOnError, SharesChangedError: deposits, advices or shares are not what they were.
    """
    if approval.state != "approved":
        return
    lines, advices = as_bound(connection, approval.facts)
    uses = {each.bank_line_id: each.open_cents for each in lines}
    ids = [each.advice_id for each in advices]
    parts = _parts(connection, ids, sum(uses.values()))
    if _digest(parts) != approval.facts["shares_sha256"]:
        raise SharesChangedError
    by_advice: dict[int, list[Share]] = {advice_id: [] for advice_id in ids}
    for part in parts:
        by_advice[part.advice_id].append(part)
    day, actor = last_day(lines, advices), decider(approval)
    if not fund(connection, ids, uses, day=day, step=Step.SHORT, actor=actor, shares=by_advice):
        raise MovedOnError("Another process funded one of these advices meanwhile")
    carried_out(connection, approval)


def _parts(connection: Connection, advice_ids: Sequence[int], cents: int) -> list[Share]:
    """Give each share's part of an amount, by owner, advice and identifier."""
    shares = [share for own in unfunded_shares(connection, advice_ids).values() for share in own]
    shares.sort(key=lambda share: (share.owner, share.advice_id, share.identifier or 0))
    negative = [share.cents for share in shares if share.cents < 0]
    if negative:
        raise NegativeShareError(len(negative), sum(negative))
    parts = split_cents(cents, [share.cents for share in shares])
    return [replace(share, cents=part) for share, part in zip(shares, parts, strict=True) if part]


def _digest(parts: Sequence[Share]) -> str:
    """Name exactly who gets what."""
    said = [[str(part.owner), part.advice_id, part.identifier, part.cents] for part in parts]
    return sha256(json.dumps(said).encode()).hexdigest()
