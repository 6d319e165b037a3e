"""The lines of one bank day as two statements have them: which are the same movement of money.

Paired in this order, always with the same amount and direction: alike in every word; naming the same payment; with
the same reference of the bank, then of the customer; of the same type; and where the two statements are of different
formats, whose type codes are not the same words, by what is left. Lines that name different payments are never paired.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from ingest.bank.traces import Trace


@dataclass(frozen=True, slots=True)
class DayLine:
    """One line of a day, as one statement has it."""

    number: int
    """Of the bank line where it is booked, of the line in the file where it is not."""
    cents: int
    """Credit to the account positive, debit negative."""
    type_code: str
    bank_reference: str
    customer_reference: str
    text: str
    payments: tuple[Trace, ...]
    """The payments that its text names, references left aside."""
    is_open: bool = True
    """Nothing of it was matched yet."""

    @property
    def words(self) -> Hashable:
        """All that the bank says in it."""
        return (self.cents, self.type_code, self.bank_reference, self.customer_reference, self.text)


@dataclass(frozen=True, slots=True)
class Pair:
    """A booked line and the line that says it again."""

    booked: DayLine
    again: DayLine
    is_certain: bool
    """No other line of the day could have been taken in its place."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """What two statements of a day have in common, and what only one of them has."""

    pairs: tuple[Pair, ...]
    only_booked: tuple[DayLine, ...]
    only_again: tuple[DayLine, ...]

    @property
    def is_whole(self) -> bool:
        """Whether both say the same money."""
        return not (self.only_booked or self.only_again)


def pair_lines(booked: Iterable[DayLine], again: Iterable[DayLine], *, same_format: bool) -> Pairing:
    """Pair the lines of two statements of one day.

    Args:
        booked: of the statement that was booked.
        again: of the one that came later.
        same_format: both have the type codes of the same format.
    """
    work = _Pairs(booked, again)
    work.by(lambda line: [line.words], are_sure=True)
    work.by(lambda line: [(line.cents, trace) for trace in line.payments if trace[1]], are_sure=True)
    work.by(lambda line: [(line.cents, trace) for trace, _ in line.payments], are_sure=True)
    work.by(lambda line: [(line.cents, line.bank_reference)] if line.bank_reference else [])
    work.by(lambda line: [(line.cents, line.customer_reference)] if line.customer_reference else [])
    work.by(lambda line: [(line.cents, line.type_code)])
    if not same_format:
        work.by(lambda line: [line.cents])
    return work.outcome()


class _Pool:
    """The booked lines of one key that wait for a partner."""

    __slots__ = ("named", "offered", "unnamed")

    def __init__(self) -> None:
        self.named: list[DayLine] = []
        self.unnamed: list[DayLine] = []
        self.offered = 0

    def add(self, line: DayLine) -> None:
        """Add a line."""
        self.offered += 1
        (self.named if line.payments else self.unnamed).append(line)

    def take(self, taken: set[int], *, only_unnamed: bool) -> DayLine | None:
        """Take a line that no other key gave away."""
        for lines in (self.unnamed,) if only_unnamed else (self.unnamed, self.named):
            while lines:
                line = lines.pop()
                if id(line) not in taken:
                    return line
        return None


class _Pairs:
    """Two sides of a day; each step takes out the pairs that agree in its keys."""

    def __init__(self, booked: Iterable[DayLine], again: Iterable[DayLine]) -> None:
        self._booked = list(booked)
        self._again = list(again)
        self._pairs: list[Pair] = []

    def by(self, keys_of: Callable[[DayLine], Sequence[Hashable]], *, are_sure: bool = False) -> None:
        """Pair what has a key in common; lines that name payments first, for they fit fewer others.

        Args:
            keys_of: gives the keys of a line.
            are_sure: who has such a key in common names no other payment. Otherwise a line that names one takes only
                a line that names none: those with the same payment were paired before.
        """
        pools: dict[Hashable, _Pool] = defaultdict(_Pool)
        for line in self._booked:
            for key in keys_of(line):
                pools[key].add(line)
        asking = Counter(key for line in self._again for key in keys_of(line))
        taken: set[int] = set()
        left: list[DayLine] = []
        for line in sorted(self._again, key=lambda each: not each.payments):
            for key in keys_of(line):
                partner = pools[key].take(taken, only_unnamed=bool(line.payments) and not are_sure)
                if partner is not None:
                    taken.add(id(partner))
                    certain = pools[key].offered == asking[key] == 1 or partner.words == line.words
                    self._pairs.append(Pair(partner, line, certain))
                    break
            else:
                left.append(line)
        self._booked = [line for line in self._booked if id(line) not in taken]
        self._again = left

    def outcome(self) -> Pairing:
        """Give what was paired and what is left, in the order of the lines."""
        pairs = sorted(self._pairs, key=lambda pair: pair.again.number)
        booked, again = (tuple(sorted(lines, key=lambda line: line.number)) for lines in (self._booked, self._again))
        return Pairing(tuple(pairs), booked, again)
