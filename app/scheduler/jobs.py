"""The jobs of an installation: what runs by the clock, when, and what it says of itself.

None of them decides anything: what needs a second person is proposed, and waits.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, time

from sqlalchemy import Connection

from app.scheduler.filing import InboxUnfitError
from app.scheduler.inbox import Inbox
from app.scheduler.job import Job, Outcome
from app.scheduler.runner import never
from app.session import Session
from app.work import leave_letters, match_all
from ingest.cases import CaseKind, settle_cases
from ledger.proofs import verify
from ledger.seal.errors import CheckpointsUnpublishedError, SealError, SealKeyUnusableError
from payouts.accounts.live import make_live
from payouts.cycle import cycles
from payouts.fees.assessment import assess
from payouts.fees.invoices import issue_invoices
from payouts.fees.truing_up import true_up
from payouts.holding.holds import review_holds
from payouts.holding.unclaimed import write_letters
from payouts.jobs.due import CatchUp
from payouts.jobs.errors import PlaceUnfitError
from payouts.jobs.timetable import HOURLY, Days, Timetable, daily
from payouts.schedules.cut_offs import CutOffName, cut_off, cut_off_moment
from schemas.calendar import BANK_ZONE, is_banking_day, next_banking_day
from schemas.money import show_cents


def declared(session: Session, inbox: Inbox, stopping: Callable[[], bool] = never) -> tuple[Job, ...]:
    """Give the jobs, in the order in which those of one moment are run.

    Args:
        session: whose database says when the day's cut-off is.
        inbox: the folder that is watched.
        stopping: asked in the midst of long jobs whether to leave the rest.
    """

    def proposal_times(day: date) -> tuple[time, ...]:
        with session.reading() as connection:
            return (cut_off(connection, CutOffName.CYCLE_PROPOSAL, day),)

    proposal = Timetable(Days.BANKING_DAYS, proposal_times, "cut-off cycle_proposal")
    return (
        Job(
            "inbox",
            "take in files of the inbox",
            lambda session, _: take_inbox(session, inbox, stopping),
            None,
            ready=lambda: bool(inbox.look()),
        ),
        Job("match", "match, settle, post returns", sweep, HOURLY),
        Job("verify", "run all proofs", prove, daily(time(4))),
        Job("seal", "seal the books, publish the checkpoint", seal, HOURLY),
        Job("accounts", "begin with accounts that waited", begin_accounts, daily(time(5, 30))),
        Job(
            "fees",
            "assess the month",
            assess_month,
            daily(time(6), days=Days.MONTH_BEGIN),
            catch_up=CatchUp.EACH,
        ),
        Job("fee_upkeep", "late joiners, ended contracts", keep_fees, _MORNINGS),
        Job("invoices", "invoice fees long open", invoice, daily(time(6, 45), days=Days.BANKING_DAYS)),
        Job("reviews", "holds to review, unclaimed money", remind, daily(time(7))),
        Job("letters", "leave letters in out/letters", leave, daily(time(7, 30), days=Days.BANKING_DAYS)),
        Job("cycle", "propose the day's cycle", propose, proposal),
    )


_MORNINGS = daily(time(6, 30), days=Days.BANKING_DAYS)


def take_inbox(session: Session, inbox: Inbox, stopping: Callable[[], bool]) -> Outcome:
    """Take in what lies whole in the inbox; what was taken is matched right after."""
    try:
        taken = inbox.take(session, stopping)
    except InboxUnfitError as error:  # of the place, not of what was asked: it is tried again, and a person is told
        raise PlaceUnfitError(str(error)) from error
    kinds = Counter(each.kind for each in taken.verdicts)
    said = [", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "no files"]
    if taken.refused:
        said.append(f"{taken.refused} refused: see the exceptions")
    if taken.left:
        said.append(f"{taken.left} left, still changing")
    return Outcome("; ".join(said), then=("match",) if len(taken.verdicts) > taken.refused else ())


def sweep(session: Session, _: datetime) -> Outcome:
    """Match deposits and advices, settle what the bank debited, post what came back."""
    done = match_all(session)
    sums = [
        (f"{len(found)} {what}", sum(each.amount_cents for each in found))
        for what, found in (("funded", done.report.funded), ("settled", done.settled), ("returned", done.returned))
    ]
    said = [f"{what}, {show_cents(cents)}" for what, cents in sums]
    parked = done.report.parked
    return Outcome("; ".join([*said, f"{parked.advices} payments and {parked.deposits} deposits parked"]))


def prove(session: Session, _: datetime) -> Outcome:
    """Run all proofs; one that fails is an open exception until it holds."""
    outside = session.outside  # looked at before the snapshot: another process may seal meanwhile
    with session.reading() as connection:
        verdicts = verify(connection, outside)
    failing = {each.proof.name: (0, f"{each.proof.value}: {each.detail}") for each in verdicts if not each.holds}
    with session.begin() as connection:
        settle_cases(connection, CaseKind.PROOF_FAILED, failing, "the proof holds")
    if not failing:
        return Outcome(f"all {len(verdicts)} proofs hold", then=("seal",))
    said = "; ".join(f"{name} fails, {detail}" for name, (_, detail) in failing.items())
    return Outcome(f"{said}. No money leaves for its owners", then=("seal",), proof_failed=True)


def seal(session: Session, _: datetime) -> Outcome:
    """Seal what was recorded since the last time; what keeps it from that is an open exception until it is done."""
    standing: dict[str, tuple[int, str]] = {}
    made, forked = None, False
    try:
        made = session.sealer().seal(session.actor, session.now)
    except (SealError, CheckpointsUnpublishedError, SealKeyUnusableError) as error:
        standing = {"seal": (0, str(error))}
        forked = isinstance(error, SealError)
    with session.begin() as connection:
        settle_cases(connection, CaseKind.SEAL_FAILED, standing, "sealed and published")
    if standing:
        return Outcome(standing["seal"][1], proof_failed=forked)
    if made is None:
        return Outcome("nothing new")
    return Outcome(f"checkpoint {made.size}, {made.journal_size} entries")


def begin_accounts(session: Session, _: datetime) -> Outcome:
    """Let accounts be paid into whose call-back, approval, trial and waiting are behind them."""
    with session.begin() as connection:
        live = make_live(connection, session.today, session.actor)
    names = ", ".join(each.ncpdp_id for each in live)
    return Outcome(f"{len(live)} accounts are paid into from now on{f': {names}' if names else ''}")


def assess_month(session: Session, scheduled_for: datetime) -> Outcome:
    """Assess the fee of the month of the moment, which may be one that was missed."""
    month = scheduled_for.astimezone(BANK_ZONE).date().replace(day=1)
    with session.begin() as connection:
        done = assess(connection, month, session.actor)
    return Outcome(f"{done.month}: {done.members} members, {show_cents(done.amount_cents)}")


def keep_fees(session: Session, _: datetime) -> Outcome:
    """Assess this month for members that joined since, and give back what contracts that ended do not ask."""
    with session.begin() as connection:
        over = true_up(connection, session.actor, session.today)
    with session.begin() as connection:
        done = assess(connection, session.today.replace(day=1), session.actor)
    said = f"{done.month}: {done.members} members that joined since, {show_cents(done.amount_cents)}"
    given = (
        f"{over.waived} months waived, {over.refunded} refunded, {show_cents(over.waived_cents + over.refunded_cents)}"
    )
    waiting = f"; {over.waiting} wait for float, {show_cents(over.waiting_cents)}" if over.waiting else ""
    return Outcome(f"{said}; {given}{waiting}")


def invoice(session: Session, _: datetime) -> Outcome:
    """Write to members whose fee is open for long, because they never have a balance."""
    with session.begin() as connection:
        settings = session.settings
        unpaid = issue_invoices(
            connection,
            session.today,
            session.actor,
            older_than=settings.fee_invoice_after_days,
            payable_in=settings.fee_invoice_payable_days,
        )
    issued = [each.invoice for each in unpaid if each.invoice is not None]
    total = show_cents(sum(each.total_cents for each in issued))
    return Outcome(f"{len(issued)} invoices, {total}; {len(unpaid)} members have open fees and no balance")


def remind(session: Session, _: datetime) -> Outcome:
    """Open an exception for each hold whose day of review has come, and for what the state will ask for."""
    with session.begin() as connection:
        held = review_holds(connection, session.today)
    with session.begin() as connection:
        written = write_letters(connection, session.today, session.actor)
    return Outcome(f"{len(held)} holds to look at; {len(written)} owners of unclaimed money written to")


def leave(session: Session, _: datetime) -> Outcome:
    """Write the letters that wait as files into the folder ``letters`` of what leaves; somebody sends them."""
    folder = session.settings.out_dir / "letters"
    written = leave_letters(session, folder)
    return Outcome(f"{len(written)} letters left in {folder}" if written else "no letters")


def propose(session: Session, _: datetime) -> Outcome:
    """Propose the cycle of the day; other people approve and release it."""
    with session.begin() as connection:
        day = proposal_day(connection, session.now)
        cycle = cycles.propose(connection, day, session.originator, session.actor)
    paid = sum(each.amount_cents > 0 for each in cycle.payouts)
    return Outcome(
        f"cycle {cycle.cycle_id} for {day}: {paid} payouts, {show_cents(cycle.total_cents)}; "
        f"fees {show_cents(cycle.fee_cents)}; approval {cycle.approval_id} waits for another person"
    )


def proposal_day(connection: Connection, now: datetime) -> date:
    """Give the day whose cycle is proposed at a moment: that day, unless its file could not be handed over any more.

    A proposal that was missed is so made for the first day on which it can still be paid, and never for one that is
    past.
    """
    day = now.astimezone(BANK_ZONE).date()
    if is_banking_day(day) and now < cut_off_moment(connection, CutOffName.FILE_HANDOVER, day):
        return day
    return next_banking_day(day)
