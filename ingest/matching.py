"""Which deposit pays which advice: by trace number, never by amount alone, never by a guess between two.

A pure function over the two pools. The steps, each only for what the earlier ones left: 0 zero money; 1 exact key
(TRN03, TRN02) and amount; 2 TRN02 and amount where the deposit names no payer; 3 the same when case, blanks and leading
zeros are put aside; 4 one trace is a prefix (8 characters or more) of the other, same payer and amount. From 2 on a
pair must be the only one on both sides. What has the exact key and another amount is told apart: short is held, over
is funded and the rest stays parked. A deposit that names no payer and holds more than the payment may be another
payer's: that would be a guess, both stay parked.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

SHORTEST_PREFIX = 8


class Step(IntEnum):
    """How a match was found: the steps in their order."""

    ZERO = 0
    """Zero money closes itself."""
    EXACT = 1
    """Exact trace and payer."""
    NO_PAYER = 2
    """Exact trace; the deposit names no payer."""
    NORMALISED = 3
    """The same trace but for case, blanks and leading zeros."""
    PREFIX = 4
    """One trace begins the other; same payer."""
    MANUAL = 5
    """A person said so, and another approved it."""
    SHORT = 6
    """Less than was advised, divided pro rata by a person's decision."""


@dataclass(frozen=True, slots=True)
class Payment:
    """What a payer says it paid under one trace: one advice or several sets, summed; ``cents`` is what is missing."""

    payer_id: str
    trace_number: str
    advice_ids: tuple[int, ...]
    cents: int
    paid_on: date
    payer_name: str = ""
    funded_cents: int = 0


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
    """The two pools while they are matched; in one order, whatever the order of the input."""

    def __init__(self, payments: Iterable[Payment], deposits: Iterable[Deposit]) -> None:
        in_order = sorted(payments, key=lambda each: (each.payer_id, each.trace_number))
        self._payments = {(each.payer_id, each.trace_number): each for each in in_order}
        booked = sorted(deposits, key=lambda each: (each.booked_on, each.bank_line_id))
        self._deposits = {each.bank_line_id: each for each in booked}
        self._matches: list[Match] = []
        self._differences: list[Difference] = []

    def run(self) -> Matched:
        for payment in [each for each in self._payments.values() if each.cents == 0]:
            self._take(Step.ZERO, [payment], [])
        self._exact()
        self._several_traces()
        self._same_shape(Step.NO_PAYER, str)
        self._without_payer()
        self._same_shape(Step.NORMALISED, normal_trace)
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

    def _single_traces(self, *, with_payer: bool) -> dict[tuple[str, str], list[Deposit]]:
        """Give the deposits that name one payment, by payer and trace."""
        named: dict[tuple[str, str], list[Deposit]] = defaultdict(list)
        for deposit in self._deposits.values():
            if len(deposit.traces) == 1 and bool(deposit.traces[0][1]) is with_payer:
                trace, payer_id = deposit.traces[0]
                named[payer_id, trace].append(deposit)
        return named

    def _exact(self) -> None:
        """Step 1: all deposits that name this payment, and nothing else, against it."""
        for key, deposits in self._single_traces(with_payer=True).items():
            if key in self._payments:
                self._compare(Step.EXACT, self._payments[key], deposits)

    def _without_payer(self) -> None:
        """Deposits that name the trace and no payer, where only one payment has it: together exact, or short."""
        traces = Counter(trace for _, trace in self._payments)
        named = self._single_traces(with_payer=False)
        for payment in list(self._payments.values()):
            deposits = named.get(("", payment.trace_number), [])
            held = sum(deposit.open_cents for deposit in deposits)
            if traces[payment.trace_number] == 1 and 0 < held <= payment.cents:
                self._compare(Step.NO_PAYER, payment, deposits)

    def _compare(self, step: Step, payment: Payment, deposits: Sequence[Deposit]) -> None:
        difference = sum(deposit.open_cents for deposit in deposits) - payment.cents
        if difference:
            self._differences.append(Difference(payment, tuple(deposits), difference))
        if difference < 0:
            # Short: held, and nothing weaker than the exact trace may touch it.
            del self._payments[payment.payer_id, payment.trace_number]
        else:
            uses = []
            needed = payment.cents
            for deposit in deposits:
                cents = min(needed, deposit.open_cents)
                if cents:
                    uses.append((deposit, cents))
                needed -= cents
            self._take(step, [payment], uses)
        for deposit in deposits:
            self._deposits.pop(deposit.bank_line_id, None)

    def _several_traces(self) -> None:
        """One deposit for several payments: it names them all, they add up to it, and no other could pay one."""
        fitting: list[tuple[Deposit, list[Payment]]] = []
        for deposit in self._deposits.values():
            keys = [(payer_id, trace) for trace, payer_id in deposit.traces if payer_id]
            payments = [self._payments[key] for key in keys if key in self._payments]
            if len(keys) < 2 or not len(payments) == len(keys) == len(deposit.traces):
                continue
            if sum(each.cents for each in payments) == deposit.open_cents:
                fitting.append((deposit, payments))
        wanted = Counter((each.payer_id, each.trace_number) for _, payments in fitting for each in payments)
        for deposit, payments in fitting:
            if all(wanted[each.payer_id, each.trace_number] == 1 for each in payments):
                self._take(Step.EXACT, payments, [(deposit, deposit.open_cents)])

    def _same_shape(self, step: Step, shape: Callable[[str], str]) -> None:
        """Match pairs of equal amount whose traces are the same in a shape; the deposit names the payer or none."""

        def agree(payment: Payment, trace: str, payer_id: str) -> bool:
            same = shape(trace) == shape(payment.trace_number) != ""
            return same and payer_id in {"", payment.payer_id}

        self._unique(step, agree)

    def _prefixes(self) -> None:
        def agree(payment: Payment, trace: str, payer_id: str) -> bool:
            return payer_id == payment.payer_id != "" and _is_prefix(trace, payment.trace_number)

        self._unique(Step.PREFIX, agree)

    def _unique(self, step: Step, agree: Callable[[Payment, str, str], bool]) -> None:
        """Match the pairs of equal amount that agree, where either side has no other candidate."""
        by_cents: dict[int, list[Deposit]] = defaultdict(list)
        for deposit in self._deposits.values():
            by_cents[deposit.open_cents].append(deposit)
        pairs = [
            (key, deposit.bank_line_id)
            for key, payment in self._payments.items()
            for deposit in by_cents[payment.cents]
            if any(agree(payment, trace, payer_id) for trace, payer_id in deposit.traces)
        ]
        deposits_of = Counter(key for key, _ in pairs)
        payments_of = Counter(line for _, line in pairs)
        for key, line in pairs:
            if deposits_of[key] == payments_of[line] == 1:
                deposit = self._deposits[line]
                self._take(step, [self._payments[key]], [(deposit, deposit.open_cents)])


def normal_trace(trace: str) -> str:
    """Put blanks, case and zeros in front of a trace number aside."""
    return "".join(trace.split()).upper().lstrip("0")


def _is_prefix(one: str, other: str) -> bool:
    shorter, longer = sorted((normal_trace(one), normal_trace(other)), key=len)
    return len(shorter) >= SHORTEST_PREFIX and longer.startswith(shorter)
