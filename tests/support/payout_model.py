"""What a payout's life comes to, in plain Python: members' balances, cycles and payouts, and which steps are refused.

No fee, no negative: those are the ledger's model's. All cycles are of one Tuesday. Amounts are cents. What may not be
done raises ``NotNow`` and changes nothing.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from random import Random

OWN_FLOAT_CENTS = 1_000_000
"""What unexplained debits may come to before no release goes out."""
TWO_APPROVERS_FROM_CENTS = 600_000
MAKER, CHECKER, SECOND = "mary", "charles", "dora"
DAILY, WEEKLY, NEVER = "daily", "weekly:tue", "monthly:1"
"""Schedules: due in every cycle; on the day of the cycles, once; on another day."""
TERMS = ((DAILY, 0), (DAILY, 0), (DAILY, 0), (DAILY, 200_000), (WEEKLY, 0), (WEEKLY, 100_000), (NEVER, 0))
"""Schedules with the least amount that is paid; most members are paid daily and whatever there is."""


class NotNow(Exception):  # noqa: N818 (it is no error of the model's)
    """The step is refused."""


@dataclass
class Payout:
    """A payment of a cycle to a member."""

    member: str
    cents: int
    state: str = "proposed"
    is_answered: bool = False
    """Its bank sent it back, and the credit is there; whether it is in the books, the state says."""
    held: str = "no"
    """Whether the money of its return is held: no, yes, or lifted."""


@dataclass
class Cycle:
    """A cycle, and what it tells."""

    payouts: dict[str, Payout]
    told: frozenset[tuple[str, int]]
    looks: tuple[object, ...]
    """All by which another proposal would be the same set."""
    needed: int
    state: str = "proposed"
    first_approver: str | None = None
    debit_cents: int | None = None
    """The bank's debit of its total, once it was booked."""
    lifted_since: set[str] = field(default_factory=set)
    """Whose money was released from a hold after the proposal."""

    def leaving(self) -> dict[str, Payout]:
        """Give the payouts that are not excluded."""
        return {name: each for name, each in self.payouts.items() if each.state != "excluded"}


@dataclass
class PayoutModel:
    """Members with money, and the cycles that pay them."""

    members: tuple[str, ...]
    due: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    """On holds that people placed: lifted whole."""
    untold: set[tuple[str, int]] = field(default_factory=set)
    cycles: list[Cycle] = field(default_factory=list)
    advices: int = 0
    """How many were funded so far."""
    terms: dict[str, tuple[str, int]] = field(default_factory=dict)
    """On what schedule, and from how much on, a member is paid."""
    _moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    """What was ever held and lifted of a member: its remittance tells both."""

    def __post_init__(self) -> None:
        self._moved = dict.fromkeys(self.members, (0, 0))
        self.due = dict.fromkeys(self.members, 0)
        self.kept = dict.fromkeys(self.members, 0)
        self.terms = dict.fromkeys(self.members, (DAILY, 0))

    # What it comes to

    def held(self, member: str) -> int:
        """Give what is held of a member: by people, and from payments that came back."""
        back = sum(
            each.cents
            for cycle in self.cycles
            for each in cycle.payouts.values()
            if each.member == member and each.held == "yes"
        )
        return self.kept[member] + back

    def in_transit(self, member: str) -> int:
        """Give what is on its way to a member."""
        return sum(
            each.cents
            for cycle in self.cycles
            for each in cycle.payouts.values()
            if each.member == member and each.state == "released"
        )

    def open_debits(self) -> int:
        """Give the bank's debits that settle nothing at present."""
        return sum(cycle.debit_cents or 0 for cycle in self.cycles if cycle.state == "released")

    def open_credits(self) -> int:
        """Give the credits of returns that are not in the books at present."""
        return sum(
            each.cents
            for cycle in self.cycles
            for each in cycle.payouts.values()
            if each.is_answered and each.held == "no"
        )

    def outcome(self) -> dict[str, object]:
        """Give states and balances."""
        return {
            "states": self.states(),
            "due": dict(self.due),
            "held": {name: self.held(name) for name in self.members},
            "in transit": {name: self.in_transit(name) for name in self.members},
            "open debits": self.open_debits(),
            "open credits": self.open_credits(),
        }

    def states(self) -> list[tuple[str, dict[str, str]]]:
        """Give the state of each cycle and of its payouts, in their order."""
        return [(c.state, {name: each.state for name, each in c.payouts.items()}) for c in self.cycles]

    def is_due(self, member: str) -> bool:
        """Say whether a cycle that is proposed now is one of a member's."""
        schedule, _ = self.terms[member]
        released = [cycle for cycle in self.cycles if cycle.state in {"released", "settled"}]
        if not released:
            return schedule != NEVER
        last = released[-1]
        left_out = member in last.payouts and last.payouts[member].state == "excluded"
        return schedule == DAILY or left_out or member in last.lifted_since

    def _left(self, member: str) -> str | None:
        """Say why a proposal does not pay a member; None: it does."""
        if not self.due[member]:
            return "held" if self.held(member) else "no_balance"
        if not self.is_due(member):
            return "not_due"
        return "below_minimum" if self.due[member] < self.terms[member][1] else None

    # Steps

    def change_terms(self, member: str, schedule: str, minimum_cents: int) -> None:
        """Pay a member on other days, or from another amount on."""
        self.terms[member] = (schedule, minimum_cents)

    def fund(self, member: str, cents: int) -> None:
        """Let a payer's advice for a member be funded."""
        self.advices += 1
        self.due[member] += cents
        self.untold.add((member, self.advices))

    def hold(self, member: str) -> None:
        """Hold all that is available to a member."""
        if not self.due[member] or self.kept[member]:
            raise NotNow
        self.kept[member], self.due[member] = self.due[member], 0
        self._move(member, held=self.kept[member])

    def lift(self, member: str) -> None:
        """Lift the hold that a person placed."""
        if not self.kept[member]:
            raise NotNow
        self.due[member] += self.kept[member]
        self._move(member, lifted=self.kept[member])
        self.kept[member] = 0

    def propose(self) -> bool:
        """Propose a cycle; say whether it is a new one."""
        last = self.cycles[-1] if self.cycles else None
        if last is not None and last.state == "approved":
            raise NotNow
        left = {name: self._left(name) for name in self.members}
        paid = {name: cents for name, cents in self.due.items() if left[name] is None}
        if not paid:
            raise NotNow
        waiting = {name for name in self.members if left[name] == "below_minimum" or not self.is_due(name)}
        shares = frozenset(share for share in self.untold if share[0] not in waiting)
        told = {name for name, _ in shares} | set(paid)
        moved = tuple(self._moved[name] for name in sorted(told))
        omitted = tuple((name, self.due[name], why) for name, why in left.items() if why is not None)
        looks = (tuple(paid.items()), shares, omitted, moved)
        if last is not None and last.state == "proposed":
            if last.looks == looks:
                return False
            last.state = "void"
        payouts = {name: Payout(name, cents) for name, cents in paid.items()}
        needed = 2 if sum(paid.values()) >= TWO_APPROVERS_FROM_CENTS else 1
        self.cycles.append(Cycle(payouts, shares, looks, needed))
        return True

    def approve(self, number: int, actor: str) -> None:
        """Approve a cycle, or be the first of two to do so."""
        cycle = self._cycle(number, {"proposed"})
        if actor in {MAKER, cycle.first_approver}:
            raise NotNow
        if cycle.needed > 1 and cycle.first_approver is None:
            cycle.first_approver = actor
            return
        cycle.state = "approved"
        for each in cycle.leaving().values():
            each.state = "approved"

    def exclude(self, number: int, member: str) -> None:
        """Leave a member out of a cycle."""
        cycle = self._cycle(number, {"proposed", "approved"})
        if member not in cycle.payouts:
            raise NotNow
        cycle.payouts[member].state = "excluded"

    def void(self, number: int) -> None:
        """Void a cycle."""
        self._cycle(number, {"proposed", "approved"}).state = "void"

    def release(self, number: int) -> None:
        """Release a cycle; again it changes nothing."""
        cycle = self._cycle(number, {"approved", "released", "settled"})
        if cycle.state != "approved":
            return
        if self.open_debits() > OWN_FLOAT_CENTS:
            raise NotNow
        silent = set()
        for name, each in cycle.payouts.items():
            if each.state == "excluded" or self.due[name] < each.cents:
                each.state = "excluded"
                silent.add(name)
                continue
            each.state = "released"
            self.due[name] -= each.cents
        self.untold -= {share for share in cycle.told if share[0] not in silent}
        cycle.state = "released" if cycle.leaving() else "settled"

    def settle(self, number: int) -> None:
        """Settle a released cycle by the bank's debit of its total."""
        cycle = self._cycle(number, {"released"})
        cycle.debit_cents = sum(each.cents for each in cycle.leaving().values())
        cycle.state = "settled"
        for each in cycle.leaving().values():
            each.state = "settled"

    def answer(self, number: int, member: str) -> None:
        """Let a payment's return and its credit come, and not be put into the books yet."""
        payout = self._payout(number, member)
        if payout.state not in {"released", "settled"} or payout.is_answered:
            raise NotNow
        payout.is_answered = True

    def give_back(self, number: int, member: str) -> None:
        """Let a payment come back, and put into the books what can be."""
        self.answer(number, member)
        self.sweep()

    def sweep(self) -> None:
        """Put into the books the returns whose payments are settled."""
        for cycle in self.cycles:
            for each in cycle.payouts.values():
                if each.is_answered and each.state == "settled":
                    each.state, each.held = "returned", "yes"

    def lift_return(self, number: int, member: str) -> None:
        """Make available again what a return brought back."""
        payout = self._payout(number, member)
        if payout.held != "yes":
            raise NotNow
        payout.held = "lifted"
        self.due[member] += payout.cents
        self._move(member, lifted=payout.cents)

    def reverse_release(self, number: int) -> None:
        """Turn a release: never, for the file has left."""
        self._cycle(number, set())

    def reverse_settlement(self, number: int) -> None:
        """Turn a settlement: the debit was another's."""
        cycle = self._cycle(number, {"settled"})
        if not cycle.leaving() or any(each.state != "settled" for each in cycle.leaving().values()):
            raise NotNow
        cycle.state = "released"
        for each in cycle.leaving().values():
            each.state = "released"

    def reverse_return(self, number: int, member: str) -> None:
        """Turn a return: the credit was another's."""
        payout = self._payout(number, member)
        if payout.held != "yes":
            raise NotNow
        payout.state, payout.held = "settled", "no"

    def _move(self, member: str, *, held: int = 0, lifted: int = 0) -> None:
        for cycle in self.cycles if lifted else ():
            cycle.lifted_since.add(member)
        before = self._moved[member]
        self._moved[member] = (before[0] + held, before[1] + lifted)

    def _cycle(self, number: int, states: set[str]) -> Cycle:
        if not 1 <= number <= len(self.cycles) or self.cycles[number - 1].state not in states:
            raise NotNow
        return self.cycles[number - 1]

    def _payout(self, number: int, member: str) -> Payout:
        if not 1 <= number <= len(self.cycles) or member not in self.cycles[number - 1].payouts:
            raise NotNow
        return self.cycles[number - 1].payouts[member]


# What may be tried ----------------------------------------------------------------------------------------------------

Step = tuple[str, tuple[object, ...]]
"""A step's name, in the model as in the system, and what it is about."""

_OFTEN = {
    "propose": 2,
    "approve": 6,
    "release": 6,
    "settle": 4,
    "give_back": 3,
    "sweep": 2,
    "lift_return": 2,
    "fund": 2,
}
"""Steps that lead on: by itself a run would hardly ever get to a return."""
_SELDOM_REFUSED = 0.25


def next_step(model: PayoutModel, chance: Random) -> Step:
    """Draw a step: mostly one that the model takes now, else any."""
    steps = list(_all_steps(model, chance))
    if chance.random() > _SELDOM_REFUSED:
        doable = [step for step in steps if _leads_on(model, step) and _is_taken(model, step)]
        names = sorted({name for name, _ in doable})
        (name,) = chance.choices(names, [_OFTEN.get(each, 1) for each in names])
        steps = [step for step in doable if step[0] == name]
    return chance.choice(steps)


def _all_steps(model: PayoutModel, chance: Random) -> Iterator[Step]:
    last = len(model.cycles)
    yield "propose", ()
    yield "sweep", ()
    for member in model.members:
        # No two sums alike: which debit is whose is another story.
        yield "fund", (member, chance.randint(1, 500) * 1_000 + model.advices)
        yield "hold", (member,)
        yield "lift", (member,)
        yield "change_terms", (member, *chance.choice(TERMS))
    # The last three cycles, and one that there is not.
    for number in range(max(1, last - 2), last + 2):
        for name in ("void", "release", "settle", "reverse_release", "reverse_settlement"):
            yield name, (number,)
        for actor in (MAKER, CHECKER, SECOND):
            yield "approve", (number, actor)
        for member in model.members:
            for name in ("exclude", "answer", "give_back", "lift_return", "reverse_return"):
                yield name, (number, member)


def _leads_on(model: PayoutModel, step: Step) -> bool:
    """Leave out what changes nothing: a release again."""
    name, arguments = step
    return name != "release" or any(arguments == (n,) and c.state == "approved" for n, c in enumerate(model.cycles, 1))


def _is_taken(model: PayoutModel, step: Step) -> bool:
    name, arguments = step
    try:
        getattr(deepcopy(model), name)(*arguments)
    except NotNow:
        return False
    return True
