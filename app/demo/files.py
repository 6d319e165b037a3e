"""Generate a realistic payment day into a folder: the same bytes for the same parameters and seed."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from random import Random

from app.demo.bank import expected_deposits, settlement_statement, write_bank_file
from app.demo.day import Arrival, Day
from app.demo.payers import invent_payers, write_payers
from app.demo.pharmacies import FEWEST, invent_membership, write_roster
from app.demo.plans import plans_for
from app.demo.remittances import FEWEST_CLAIMS_EACH, DayFacts, write_remittances
from schemas.errors import WrongUseError

__all__ = ["check_sizes", "generate_day", "settlement_statement"]


def generate_day(
    folder: Path,
    *,
    pharmacies: int = 200,
    payers: int = 6,
    claims: int = 20_000,
    seed: int = 20261120,
    business_date: date = date(2026, 11, 20),
    bank_account: str,
    progress: Callable[[int], None] | None = None,
) -> Day:
    """Write roster, payers, 835 remittances and the bank's file of one day.

    Args:
        folder: is made when missing; files of an earlier day with the same names are written over.
        pharmacies: members on the roster, at least ten.
        payers: at least one; fewer than six send several of the six kinds of remittance each.
        claims: CLPs of the day, the re-sent file not counted; at least twenty for each file.
        seed: the only source of chance.
        business_date: the payers' settlement date (BPR16) and the bank's date.
        bank_account: the custodial account, as BPR15 and the bank's file name it.
        progress: called with the number of claims just made, again and again up to ``claims``.

    Returns:
        What was written, and what a right system makes of it.

    Raises:
        WrongUseError: too few pharmacies, payers or claims to show what a day holds.
    """
    check_sizes(pharmacies, payers, claims)
    folder.mkdir(parents=True, exist_ok=True)
    rng = Random(seed)  # noqa: S311 (repeatable chance is the point; nothing secret hangs on it)
    facts = DayFacts(
        folder=folder,
        business_date=business_date,
        bank_account=bank_account,
        membership=invent_membership(rng, pharmacies, business_date),
        payers=invent_payers(rng, payers),
        seed=seed,
        progress=progress or _unseen,
    )
    return _written(facts, claims)


def _written(facts: DayFacts, claims: int) -> Day:
    """Write all files of a day whose people are invented."""
    membership = facts.membership
    roster, payer_list, bank_file = (facts.folder / name for name in ("roster.csv", "payers.csv", "bank.bai2"))
    write_roster(roster, membership.members)
    write_payers(payer_list, facts.payers)
    files = write_remittances(facts, claims)
    deposits = expected_deposits(files, facts.payers, facts.business_date)
    closing_cents = write_bank_file(bank_file, facts.bank_account, facts.business_date, deposits)
    own_funds = next(each for each in deposits if each.arrival is Arrival.FLOAT)
    return Day(
        business_date=facts.business_date,
        bank_account=facts.bank_account,
        roster=roster,
        payers=payer_list,
        files=files,
        bank_file=bank_file,
        deposits=deposits,
        closing_cents=closing_cents,
        float_reference=own_funds.bank_reference,
        float_cents=own_funds.amount_cents,
        negative_member=membership.negative.ncpdp_id,
        small_member=membership.small.ncpdp_id,
        idle_member=membership.idle.ncpdp_id,
        free_member=membership.free.ncpdp_id,
        unknown_store=membership.stranger.npi,
    )


def check_sizes(pharmacies: int, payers: int, claims: int) -> None:
    """See that a day can show what a day holds.

    Raises:
        WrongUseError: too few pharmacies, payers or claims.
    """
    if pharmacies < FEWEST:
        raise WrongUseError(f"a demonstration day needs at least {FEWEST} pharmacies, not {pharmacies}")
    if payers < 1:
        raise WrongUseError("a demonstration day needs at least one payer")
    fewest_claims = FEWEST_CLAIMS_EACH * len(plans_for(payers))
    if claims < fewest_claims:
        raise WrongUseError(
            f"a demonstration day of {payers} payers needs at least {fewest_claims} claims, not {claims}"
        )


def _unseen(claims: int) -> None:
    del claims
