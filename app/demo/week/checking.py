"""Whether a demonstration week came out as it was reckoned before: every payment, fee and balance, to the cent."""

from collections.abc import Iterator, Sequence

from app.demo.week.books import Balances
from app.demo.week.days import DayDone
from app.demo.week.plan import Week
from app.demo.week.reckoning import ExpectedDay
from schemas.money import show_cents

_HOUSE = "house"


def differences(week: Week, done: Sequence[DayDone], balances: Balances) -> list[str]:
    """Say everything in which a week differs from its reckoning; nothing: it does not."""
    said: list[str] = []
    for expected, found in zip(week.expected.days, done, strict=True):
        said += _of_day(expected, found)
    said += _of_books(week, balances)
    return said


def _of_day(expected: ExpectedDay, found: DayDone) -> Iterator[str]:
    right = {each: (paid.amount_cents, paid.fee_cents) for each, paid in expected.paid.items()}
    made = {each: (paid.amount_cents, paid.fee_cents) for each, paid in found.paid.items()}
    for ncpdp_id in sorted(right.keys() | made.keys()):
        if right.get(ncpdp_id) != made.get(ncpdp_id):
            yield f"{found.day}: {ncpdp_id} is paid {made.get(ncpdp_id)} and should be {right.get(ncpdp_id)}"
    for what, wanted, got in (
        ("funded", expected.funded_cents, found.funded_cents),
        ("returned", dict(expected.returned), dict(found.returned)),
        ("waiting", dict(expected.waiting), dict(found.waiting)),
        ("fees assessed", expected.assessed_cents, found.assessed_cents),
        ("proofs that hold", found.proofs, found.proofs_held),
    ):
        if wanted != got:
            yield f"{found.day}: {what} is {got} and should be {wanted}"


def _of_books(week: Week, balances: Balances) -> Iterator[str]:
    expected = week.expected
    for ncpdp_id, member in sorted(expected.members.items()):
        for account, cents in (
            ("due_available", member.due_cents),
            ("held", member.held_cents),
            ("fee_receivable", member.open_fee_cents),
            ("operating_advance", max(0, -member.due_cents)),
        ):
            yield from _cents(f"{ncpdp_id} {account}", cents, balances.get((ncpdp_id, account), 0))
    in_transit = sum(cents for (_, account), cents in balances.items() if account == "in_transit")
    yield from _cents("in transit", expected.in_transit_cents, in_transit)
    yield from _cents("the float", expected.float_cents, balances.get((_HOUSE, "operating_float"), 0))
    yield from _cents("unknown payees", expected.unknown_cents, balances.get((_HOUSE, "unknown_payee"), 0))


def _cents(what: str, wanted: int, got: int) -> Iterator[str]:
    if wanted != got:
        yield f"{what}: {show_cents(got)} and should be {show_cents(wanted)}"
