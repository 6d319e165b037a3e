"""Which deposit pays which advice: by trace number, never by amount alone, never by a guess between two.

A pure function over the two pools. The steps, each only for what the earlier ones left: 0 zero money; 1 exact key
(TRN03, TRN02) and amount; 2 TRN02 and amount where the deposit names no payer; 3 the same when case, blanks and leading
zeros are put aside; 4 one trace is a prefix (8 characters or more) of the other, same payer and amount. From 2 on a
pair must be the only one on both sides. What has the exact trace and another amount is told apart: short is held, over
is funded and the rest stays parked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

SHORTEST_PREFIX = 8


class Step(StrEnum):
    """How a match was found."""

    ZERO = "0 zero money"
    EXACT = "1 exact trace and payer"
    NO_PAYER = "2 trace, payer not named"
    NORMALISED = "3 normalised trace"
    PREFIX = "4 trace prefix"


@dataclass(frozen=True, slots=True)
class Payment:
    """What a payer says it paid under one trace: one advice or several sets, summed."""

    payer_id: str
    trace_number: str
    advice_ids: tuple[int, ...]
    cents: int
    paid_on: date
    payer_name: str = ""


@dataclass(frozen=True, slots=True)
class Deposit:
    """A bank credit with what is still open of it, and the payments that its text names: (TRN02, TRN03 or empty)."""

    bank_line_id: int
    open_cents: int
    booked_on: date
    traces: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Payments and the deposits that fund them; of a deposit no more than ``uses`` says."""

    step: Step
    payments: tuple[Payment, ...]
    uses: tuple[tuple[Deposit, int], ...]

    @property
    def cents(self) -> int:
        """What is funded."""
        return sum(payment.cents for payment in self.payments)


@dataclass(frozen=True, slots=True)
class Difference:
    """Deposits with the exact trace of a payment and another amount; positive cents: too much, negative: too little."""

    payment: Payment
    deposits: tuple[Deposit, ...]
    cents: int


@dataclass(frozen=True, slots=True)
class Matched:
    """The outcome: what to fund, what differs, what stays parked."""

    matches: tuple[Match, ...]
    differences: tuple[Difference, ...]
    parked_payments: tuple[Payment, ...]
    parked_deposits: tuple[Deposit, ...]


def match_pools(payments: Iterable[Payment], deposits: Iterable[Deposit]) -> Matched:
    """Match the two pools; the order of the input does not matter."""
    return _Pools(payments, deposits).run()


class _Pools:
    """The two pools while they are matched."""

    def __init__(self, payments: Iterable[Payment], deposits: Iterable[Deposit]) -> None:
        self._payments = {(each.payer_id, each.trace_number): each for each in payments}
        self._deposits = {each.bank_line_id: each for each in deposits}
        self._matches: list[Match] = []
        self._differences: list[Difference] = []

    def run(self) -> Matched:
        for payment in [each for each in self._payments.values() if each.cents == 0]:
            self._take(Step.ZERO, [payment], [])
        self._exact()
        self._several_traces()
        self._pairs(Step.NO_PAYER, lambda trace: trace, payer_may_lack=True)
        self._exact_without_payer()
        self._pairs(Step.NORMALISED, _normalised, payer_may_lack=True)
        self._prefixes()
        return Matched(
            tuple(self._matches),
            tuple(self._differences),
            tuple(self._payments.values()),
            tuple(self._deposits.values()),
        )

    def _take(self, step: Step, payments: Sequence[Payment], uses: Sequence[tuple[Deposit, int]]) -> None:
        self._matches.append(Match(step, tuple(payments), tuple(uses)))
        for payment in payments:
            del self._payments[payment.payer_id, payment.trace_number]
        for deposit, cents in uses:
            if cents == deposit.open_cents:
                del self._deposits[deposit.bank_line_id]

    def _exact(self) -> None:
        """Step 1: all deposits that name this payment, and nothing else, against it."""
        named: dict[tuple[str, str], list[Deposit]] = defaultdict(list)
        for deposit in self._deposits.values():
            if len(deposit.traces) == 1 and deposit.traces[0][1]:
                trace, payer_id = deposit.traces[0]
                named[payer_id, trace].append(deposit)
        for key, deposits in named.items():
            if key in self._payments:
                self._compare(Step.EXACT, self._payments[key], deposits)

    def _exact_without_payer(self) -> None:
        """Differences of deposits that name the trace and no payer, where only one payment has that trace."""
        by_trace: dict[str, list[Payment]] = defaultdict(list)
        for payment in self._payments.values():
            by_trace[payment.trace_number].append(payment)
        for trace, payments in by_trace.items():
            deposits = [each for each in self._deposits.values() if each.traces == ((trace, ""),)]
            if len(payments) == 1 and deposits:
                self._compare(Step.NO_PAYER, payments[0], deposits)

    def _compare(self, step: Step, payment: Payment, deposits: Sequence[Deposit]) -> None:
        difference = sum(deposit.open_cents for deposit in deposits) - payment.cents
        if difference:
            self._differences.append(Difference(payment, tuple(deposits), difference))
        if difference < 0:
            # Short: held, and nothing weaker than the exact trace may touch it.
            del self._payments[payment.payer_id, payment.trace_number]
            for deposit in deposits:
                del self._deposits[deposit.bank_line_id]
            return
        uses = []
        needed = payment.cents
        for deposit in sorted(deposits, key=lambda each: (each.booked_on, each.bank_line_id)):
            cents = min(needed, deposit.open_cents)
            if cents:
                uses.append((deposit, cents))
            needed -= cents
        self._take(step, [payment], uses)
        for deposit in deposits:
            self._deposits.pop(deposit.bank_line_id, None)

    def _several_traces(self) -> None:
        """One deposit for several payments: it names them all, and they add up to it."""
        for deposit in list(self._deposits.values()):
            if len(deposit.traces) < 2 or not all(payer_id for _, payer_id in deposit.traces):
                continue
            keys = [(payer_id, trace) for trace, payer_id in deposit.traces]
            payments = [self._payments[key] for key in keys if key in self._payments]
            if len(payments) == len(keys) and sum(each.cents for each in payments) == deposit.open_cents:
                self._take(Step.EXACT, payments, [(deposit, deposit.open_cents)])

    def _pairs(self, step: Step, shape: Callable[[str], str], *, payer_may_lack: bool) -> None:
        """Match pairs of equal amount whose traces are the same in a shape, the only ones on both sides."""

        def fits(payment: Payment, deposit: Deposit) -> bool:
            return payment.cents == deposit.open_cents and any(
                shape(trace) == shape(payment.trace_number)
                and (payer_id == payment.payer_id or (payer_may_lack and not payer_id))
                for trace, payer_id in deposit.traces
            )

        self._unique(step, fits)

    def _prefixes(self) -> None:
        def fits(payment: Payment, deposit: Deposit) -> bool:
            return payment.cents == deposit.open_cents and any(
                payer_id == payment.payer_id and _is_prefix(trace, payment.trace_number)
                for trace, payer_id in deposit.traces
            )

        self._unique(Step.PREFIX, fits)

    def _unique(self, step: Step, fits: Callable[[Payment, Deposit], bool]) -> None:
        by_cents: dict[int, list[Deposit]] = defaultdict(list)
        for deposit in self._deposits.values():
            by_cents[deposit.open_cents].append(deposit)
        pairs = [
            (payment, deposit)
            for payment in self._payments.values()
            for deposit in by_cents[payment.cents]
            if fits(payment, deposit)
        ]
        for payment, deposit in pairs:
            alone = sum(each is payment for each, _ in pairs) == sum(each is deposit for _, each in pairs) == 1
            if alone:
                self._take(step, [payment], [(deposit, deposit.open_cents)])


def _normalised(trace: str) -> str:
    return "".join(trace.split()).upper().lstrip("0")


def _is_prefix(one: str, other: str) -> bool:
    shorter, longer = sorted((_normalised(one), _normalised(other)), key=len)
    return len(shorter) >= SHORTEST_PREFIX and longer.startswith(shorter)
