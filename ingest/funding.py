"""Money to advices: matches both pools and funds what matched, each match in a transaction of its own."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from hashlib import sha256

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection

from ingest.direct_deposits import without_direct
from ingest.free_days import free_on
from ingest.match_cases import settle_match_cases
from ingest.matching import Match, Payment, Step, match_pools
from ingest.pools import deposits, payments
from ledger import activity
from ledger.activity import Begin
from ledger.batch import Batch
from ledger.errors import FloatMissingError, LiabilityInDebitError
from ledger.events import Share, funded
from ledger.posting import post
from ledger.queries import Queries

_QUERIES = Queries("ingest", "matching.sql")
_BANK = Queries("ingest", "bank.sql")


class Funded(BaseModel):
    """One payment that was funded."""

    model_config = ConfigDict(frozen=True)

    trn: str
    payer_id: str
    amount_cents: int
    step: int


class Parked(BaseModel):
    """How many payments and deposits wait."""

    model_config = ConfigDict(frozen=True)

    advices: int
    deposits: int


class MatchReport(BaseModel):
    """What a sweep of both pools did."""

    model_config = ConfigDict(frozen=True)

    funded: tuple[Funded, ...]
    parked: Parked


def sweep(begin: Begin, actor: str, progress: Callable[[int, int], None] | None = None) -> MatchReport:
    """Match what is parked on both sides, fund what matches, and bring the exception cases up to date.

    Each match is one database transaction, so a sweep may be stopped and run again. An advice whose negative the float
    can not cover is not funded: it waits, and a case says how much is missing.
    """
    with begin() as connection:
        waiting = payments(connection)
        outcome = match_pools(waiting, without_direct(connection, deposits(connection), waiting))
    done, uncovered = _fund_all(begin, outcome.matches, actor, progress)
    with begin() as connection:
        settle_match_cases(connection, outcome.differences, uncovered)
        parked = Parked(advices=len(payments(connection)), deposits=len(deposits(connection)))
    return MatchReport(funded=tuple(done), parked=parked)


def _fund_all(
    begin: Begin, matches: Sequence[Match], actor: str, progress: Callable[[int, int], None] | None
) -> tuple[list[Funded], list[tuple[Match, int]]]:
    """Fund match by match; give what was funded, and what the float could not cover with what it lacks.

    What could not be covered is tried again as long as others are funded: they may repay the float.
    """
    done: list[Funded] = []
    uncovered: list[tuple[Match, int]] = []
    waiting = list(matches)
    while waiting:
        before, uncovered = len(done), []
        for number, match in enumerate(waiting, len(matches) - len(waiting) + 1):
            try:
                with begin() as connection:
                    if _fund_match(connection, match, actor):
                        done += (_report(match.step, payment) for payment in match.payments)
            except FloatMissingError as error:
                uncovered.append((match, int(error.facts["missing_cents"])))
            except LiabilityInDebitError:
                # Another process used the deposit since the pools were read; the next sweep matches what is left.
                pass
            if progress is not None:
                progress(number, len(matches))
        waiting = [match for match, _ in uncovered] if len(done) > before else []
    return done, uncovered


def fund(
    connection: Connection,
    advice_ids: Sequence[int],
    uses: Mapping[int, int],
    *,
    day: date,
    step: Step,
    actor: str,
    shares: Mapping[int, Sequence[Share]] | None = None,
) -> bool:
    """Fund advices with deposits, and mark both; False when an advice is not there to be funded so any more.

    Args:
        connection: of the unit of work.
        advice_ids: the advices.
        uses: bank line to cents: what each deposit gives.
        day: the later of the advices' and the deposits' dates. Where they were not all there and free for each other by
            then, it is posted on the day from which on they are: dated before it, days in between have money twice.
        step: how it was found that this money pays these advices.
        actor: who acts.
        shares: by advice, the part of each share that is funded, in a transaction for each advice; None: all that is
            missing, in one transaction, unless parts were funded before.

    Raises:
        FloatMissingError, LiabilityInDebitError: from the database; the float or a deposit lacks what is asked of it.
    """
    asked = sorted(advice_ids)
    locked = connection.execute(_QUERIES["lock_advices"], {"advice_ids": asked}).all()
    if [row.advice_id for row in locked] != asked:
        return False
    given = unfunded_shares(connection, asked) if shares is None else shares
    parts = {advice_id: sum(share.cents for share in given.get(advice_id, ())) for advice_id in asked}
    if sum(parts.values()) != sum(uses.values()):
        # A part came or was reversed since this was matched.
        return False
    day = free_on(connection, day, advices=asked, lines=uses)
    batch = Batch()
    # Where there are parts each is of one advice: reversed alone, it says whose shares are missing again.
    if shares is None and not any(row.funded_cents for row in locked):
        every = [share for own in given.values() for share in own]
        batch.add(funded(_fact_key(connection, asked), day, every, uses))
    else:
        for advice_id, deposits in _spread(parts, uses):
            batch.add(funded(_fact_key(connection, [advice_id]), day, given.get(advice_id, ()), deposits))
    post(connection, batch, actor)
    marks = {"advice_ids": asked, "cents": [parts[advice_id] for advice_id in asked]}
    connection.execute(_QUERIES["mark_funded"], marks)
    connection.execute(_BANK["settle_lines"], {"lines": list(uses)})
    sums: Counter[str] = Counter()
    for row in locked:
        sums[row.trace_number] += parts[row.advice_id]
    for trace, cents in sums.items():
        activity.record(connection, actor, "funded", trace, cents=cents, step=step.name.lower())
    return True


def unfunded_shares(connection: Connection, advice_ids: Sequence[int]) -> dict[int, list[Share]]:
    """Give what is missing of the shares of advices, by advice: less what was funded in parts, with what was found.

    Shares are ordered by owner; what an unknown identifier was due and a member was found for is that member's.
    """
    shares: dict[int, list[Share]] = {}
    for row in connection.execute(_QUERIES["unfunded_shares"], {"advice_ids": list(advice_ids)}):
        share = Share(row.owner_id, row.advice_id, row.cents, row.identifier)
        shares.setdefault(row.advice_id, []).append(share)
    return shares


def _fact_key(connection: Connection, advice_ids: Sequence[int]) -> str:
    """Name a funding: another one of the same advices, after a part of them or a reversal, is another fact."""
    # A payment may have thousands of sets: the fact's name stays short.
    named = sha256(",".join(map(str, advice_ids)).encode()).hexdigest()
    before = connection.execute(_QUERIES["count_fundings"], {"advice_ids": list(advice_ids)}).scalar_one()
    return f"funded:{advice_ids[0]}:{named}" + (f":{before}" if before else "")


def _spread(parts: Mapping[int, int], uses: Mapping[int, int]) -> Iterator[tuple[int, dict[int, int]]]:
    """Take what each advice needs from the deposits, in their order."""
    left = dict(uses)
    for advice_id, needed in parts.items():
        given: dict[int, int] = {}
        for bank_line_id, cents in left.items():
            if taken := min(cents, needed - sum(given.values())):
                given[bank_line_id] = taken
        for bank_line_id, cents in given.items():
            left[bank_line_id] -= cents
        yield advice_id, given


def _fund_match(connection: Connection, match: Match, actor: str) -> bool:
    advice_ids = [advice_id for payment in match.payments for advice_id in payment.advice_ids]
    day = max([payment.paid_on for payment in match.payments] + [deposit.booked_on for deposit, _ in match.uses])
    uses = {deposit.bank_line_id: cents for deposit, cents in match.uses}
    return fund(connection, advice_ids, uses, day=day, step=match.step, actor=actor)


def _report(step: Step, payment: Payment) -> Funded:
    return Funded(trn=payment.trace_number, payer_id=payment.payer_id, amount_cents=payment.cents, step=step.value)
