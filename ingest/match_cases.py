"""The cases that a sweep of both pools leaves: what waits for money, what waits for an advice, what differs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection

from ingest.cases import CaseKind, settle_cases
from ingest.direct_deposits import cases_of_deposits, direct_advices_named, settle_direct_pay_cases
from ingest.direct_pay import accepted_before
from ingest.matching import Deposit, Difference, Match, Payment
from ingest.pools import deposits, payments
from ledger.queries import Queries
from schemas.money import show_cents

_QUERIES = Queries("ingest", "matching.sql")
_GONE = "no longer so at a later match"


def settle_match_cases(
    connection: Connection, differences: Sequence[Difference], uncovered: Sequence[tuple[Match, int]]
) -> None:
    """Bring the cases of matching to what stands now; one sweep at a time, for two may see different things."""
    connection.execute(_QUERIES["lock_cases"])
    waiting = payments(connection)
    name = _namer(waiting)
    short = _short(waiting, differences, name)
    float_missing = {
        name(payment): (missing, f"the float lacks {show_cents(missing)} to cover its negatives; the payment waits")
        for match, missing in uncovered
        for payment in match.payments
    }
    unpaid = [each for each in waiting if name(each) not in short and name(each) not in float_missing]
    # Money that is short or waits for the float is in its payment's case.
    held = {deposit.bank_line_id for each in differences if each.cents < 0 for deposit in each.deposits}
    held |= {deposit.bank_line_id for match, _ in uncovered for deposit, _ in match.uses}
    free = [each for each in deposits(connection) if each.bank_line_id not in held]
    over, excess = _over(connection, free)
    direct = direct_advices_named(connection, [each for each in free if each.bank_line_id not in excess])
    settle_direct_pay_cases(connection, cases_of_deposits(free, direct), _GONE)
    unexplained = {
        f"bank line {each.bank_line_id}": (each.open_cents, f"booked {each.booked_on}; {_named(each)}")
        for each in free
        if each.bank_line_id not in excess | direct.keys()
    }
    negative = {
        row.subject: (row.cents, "owes after the payers' reversals and adjustments; the float covers it")
        for row in connection.execute(_QUERIES["negative_members"])
    }
    for kind, standing in (
        (CaseKind.DEPOSIT_SHORT, short),
        (CaseKind.DEPOSIT_OVER, over),
        (CaseKind.FLOAT_MISSING, float_missing),
        (CaseKind.ADVICE_WITHOUT_DEPOSIT, _without_money(connection, unpaid, name)),
        (CaseKind.DEPOSIT_WITHOUT_ADVICE, unexplained | _set_aside(connection)),
        (CaseKind.NEGATIVE_MEMBER, negative),
    ):
        settle_cases(connection, kind, standing, _GONE)


def _short(
    waiting: Sequence[Payment], differences: Sequence[Difference], name: Callable[[Payment], str]
) -> dict[str, tuple[int, str]]:
    """Find payments with less money than they say: held, or funded in part already."""
    known = {each.advice_ids for each in waiting}
    partly = {name(each): (each.cents, f"{_so_far(each)}; the rest waits") for each in waiting if each.funded_cents}
    return partly | {
        name(each.payment): (-each.cents, f"{_compared(each)}; held")
        for each in differences
        if each.cents < 0 and each.payment.advice_ids in known
    }


def _without_money(
    connection: Connection, unpaid: Sequence[Payment], name: Callable[[Payment], str]
) -> dict[str, tuple[int, str]]:
    """Find payments without any money; of what may have been paid directly it is said what to do."""
    stores = accepted_before(connection, advice_ids=[number for each in unpaid for number in each.advice_ids])
    cases = {}
    for each in unpaid:
        said = f"{each.payer_name or each.payer_id} advised it for {each.paid_on}; no money yet"
        if all(number in stores for number in each.advice_ids):
            said += (
                f". {stores[each.advice_ids[0]]} is on direct pay with it on that day: if the payer says that it paid "
                "directly, note that with --action wait; it stays advised, and is never paid by us without its money"
            )
        cases[name(each)] = (each.cents, said)
    return cases


def _set_aside(connection: Connection) -> dict[str, tuple[int, str]]:
    """Find deposits in suspense: they stay listed until someone knows whose they are."""
    return {
        f"bank line {row.bank_line_id}": (row.cents, f"booked {row.as_of}; set aside in suspense")
        for row in connection.execute(_QUERIES["suspended_lines"])
    }


def _over(connection: Connection, deposits: Sequence[Deposit]) -> tuple[dict[str, tuple[int, str]], set[int]]:
    """Find money that came under the exact key of a payment beyond what it was funded with: cases, and bank lines."""
    keyed = [each for each in deposits if len(each.traces) == 1 and each.traces[0][1]]
    traces = sorted({each.traces[0][0] for each in keyed})
    funded_cents: dict[tuple[str, str], int] = {
        (row.trace_number, row.payer_id): row.cents
        for row in connection.execute(_QUERIES["funded_payments"], {"traces": traces})
    }
    payers = Counter(trace for trace, _ in funded_cents)
    cases: dict[str, tuple[int, str]] = {}
    lines: set[int] = set()
    for each in keyed:
        key = each.traces[0]
        if key in funded_cents:
            lines.add(each.bank_line_id)
            subject = key[0] if payers[key[0]] == 1 else f"{key[0]} of {key[1]}"
            cents = cases.get(subject, (0, ""))[0] + each.open_cents
            said = f"advised {show_cents(funded_cents[key])}, {show_cents(cents)} more deposited"
            cases[subject] = (cents, f"{said}; the advice is funded, the rest is parked")
    return cases, lines


def _namer(payments: Sequence[Payment]) -> Callable[[Payment], str]:
    """Give what names a payment in a case: its trace number, and the payer too where another payer uses the same."""
    payers: Mapping[str, int] = Counter(each.trace_number for each in payments)
    return lambda each: (
        f"{each.trace_number} of {each.payer_id}" if payers.get(each.trace_number, 0) > 1 else each.trace_number
    )


def _compared(each: Difference) -> str:
    payment = each.payment
    before = f"{_so_far(payment)}, " if payment.funded_cents else f"advised {show_cents(payment.cents)}, "
    return f"{before}deposited {show_cents(payment.cents + each.cents)}"


def _so_far(payment: Payment) -> str:
    return (
        f"advised {show_cents(payment.cents + payment.funded_cents)}, funded {show_cents(payment.funded_cents)} so far"
    )


def _named(deposit: Deposit) -> str:
    traces = ", ".join(trace for trace, _ in deposit.traces)
    return f"it names {traces}" if traces else "it names no payment"
