"""What the claims of an interchange say again and again: read once, remembered within bounds.

A remittance repeats its adjustments, dates, stores, quantities and reject codes over and over, so each distinct one is
read once: a memory is a ``dict`` that reads what it lacks. Amounts vary too much for that. What cannot be read as it
should be is never remembered: it raises the shared ``Doubt``, and the claim in hand is examined (``examination.py``).
"""

from operator import itemgetter

from ingest.x12.delimiters import Delimiters
from ingest.x12.identity import rendering_identifier
from ingest.x12.values import (
    FILL_DATES,
    GROUP_CODES,
    NO_FILL_DATE,
    REJECT_QUALIFIERS,
    adjustment_triples,
    cents_of,
    has_too_many_adjustments,
    is_decimal,
    real_date,
)

_ADJUSTMENTS_LIMIT = 1 << 16
_MEMORY_LIMIT = 1 << 16


class Doubt:
    """Whether something in the claim in hand needs a closer look."""

    __slots__ = ("raised",)

    def __init__(self) -> None:
        self.raised = False


class Adjustments(dict[str, tuple[str, int]]):
    """By CAS segment: its reasons with cents, ``CO45:1234;CO90:-500``, and the sum of the cents.

    Copays and fees come again and again, ingredient costs do not: when the memory is full it learns no more, rather
    than forget the frequent ones, which come early. An unusual shape raises the doubt and is not remembered.

    Raises:
        ValueError: on looking up a CAS with an amount that cannot be read.
    """

    def __init__(self, element: str, doubt: Doubt) -> None:
        super().__init__()
        self._element = element
        self._doubt = doubt
        self[""] = "", 0

    def __missing__(self, segment: str) -> tuple[str, int]:
        elements = segment.split(self._element)
        if len(elements) == 4 and elements[2]:
            group, cents = elements[1], cents_of(elements[3])
            read = (f"{group}{elements[2]}:{cents}", cents)
        else:
            group = elements[1] if len(elements) > 1 else ""
            several = [(reason, cents_of(text)) for _, reason, text in adjustment_triples(elements)]
            reasons = ";".join([f"{group}{reason}:{cents}" for reason, cents in several])
            read = (reasons, sum(cents for _, cents in several))
        if group not in GROUP_CODES or not read[0] or has_too_many_adjustments(elements):
            self._doubt.raised = True
        elif len(self) < _ADJUSTMENTS_LIMIT:
            self[segment] = read
        return read


class FillDates(dict[str, tuple[int, str]]):
    """By DTM segments, any number: the best rank among ``FILL_DATES`` and its date, or ``NO_FILL_DATE`` and none."""

    def __init__(self, delimiters: Delimiters, doubt: Doubt) -> None:
        super().__init__()
        self._element = delimiters.element
        self._terminator = delimiters.terminator
        self._doubt = doubt

    def __missing__(self, segments: str) -> tuple[int, str]:
        best = NO_FILL_DATE, ""
        for segment in filter(None, segments.split(self._terminator)):
            _, qualifier, text, *_ = (segment + 2 * self._element).split(self._element)
            if real_date(text) is None:
                self._doubt.raised = True
                return NO_FILL_DATE, ""
            rank = FILL_DATES.get(qualifier, NO_FILL_DATE)
            best = min(best, (rank, text), key=itemgetter(0))
        if len(self) >= _MEMORY_LIMIT:
            self.clear()
        self[segments] = best
        return best


class Renderings(dict[str, str]):
    """By NM1*82 segment: the qualified identifier of the pharmacy, or empty."""

    def __init__(self, element: str) -> None:
        super().__init__()
        self._element = element

    def __missing__(self, segment: str) -> str:
        elements = (segment + 9 * self._element).split(self._element)
        if len(self) >= _MEMORY_LIMIT:
            self.clear()
        read = self[segment] = rendering_identifier(elements[8], elements[9])
        return read


class Quantities(dict[str, str]):
    """Quantities that are decimal text; anything else raises the doubt and reads as empty."""

    def __init__(self, doubt: Doubt) -> None:
        super().__init__()
        self._doubt = doubt
        self[""] = ""

    def __missing__(self, text: str) -> str:
        if not is_decimal(text):
            self._doubt.raised = True
            return ""
        if len(self) < _MEMORY_LIMIT:
            self[text] = text
        return text


class RejectCodes(dict[str, str]):
    """By LQ segments, any number: the codes that say why a claim was rejected, ``RX:70;HE:N30``."""

    def __init__(self, delimiters: Delimiters) -> None:
        super().__init__()
        self._element = delimiters.element
        self._terminator = delimiters.terminator

    def __missing__(self, segments: str) -> str:
        codes = []
        for segment in segments.split(self._terminator):
            _, qualifier, code, *_ = (segment + 2 * self._element).split(self._element)
            if qualifier in REJECT_QUALIFIERS and code:
                codes.append(f"{qualifier}:{code}")
        if len(self) >= _MEMORY_LIMIT:
            self.clear()
        read = self[segments] = ";".join(codes)
        return read


class Memories:
    """What the claims of one interchange say again and again."""

    def __init__(self, delimiters: Delimiters) -> None:
        self.doubt = Doubt()
        self.adjustments = Adjustments(delimiters.element, self.doubt)
        self.fill_dates = FillDates(delimiters, self.doubt)
        self.renderings = Renderings(delimiters.element)
        self.quantities = Quantities(self.doubt)
        self.reject_codes = RejectCodes(delimiters)
