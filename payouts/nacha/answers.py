"""What a bank answers to an entry, every field at its position: return, notification of change, dispute about a return.

Source: Nacha Operating Rules, Appendix Three: addenda of type 98 (notification of change) and of type 99 in its three
forms; Appendix Four for the codes: R61 to R70 dishonor a return, R71 to R77 contest that, every other one is a return.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from payouts.nacha.codes import AddendaType
from payouts.nacha.errors import NachaError
from payouts.nacha.layout import Column, Layout, choice, number, text
from payouts.nacha.records import ANSWERS, Addenda, Entry, date_from

DISHONORED_CODES: Final = frozenset(f"R{code}" for code in range(61, 71))
"""Our bank refuses a return: misrouted, duplicate, untimely, field errors, erroneous debit, not requested."""
CONTESTED_CODES: Final = frozenset(f"R{code}" for code in range(71, 78))
"""The bank that returned insists: the return stands, or is sent anew in time or corrected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnAddenda:
    """A bank sends an entry back (addenda 99)."""

    line: int
    """Of the addenda in its file, first = 1."""
    code: str
    """Reason, such as ``R03``; one that nobody knows is kept as it is."""
    original_trace: str
    """Fifteen digits: the trace number of the entry that comes back."""
    date_of_death: date | None
    """With R14 and R15; None when it is blank, zeros or no date."""
    original_rdfi: str
    """First eight digits of the routing number of the bank that got the entry, or nothing."""
    information: str = field(repr=False)
    """Up to 44 characters for people; with R17 the field that is wrong, or ``QUESTIONABLE``."""
    trace: str
    """Fifteen digits: the answer's own trace number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAddenda:
    """A bank took an entry and says what to change in the next one (addenda 98)."""

    line: int
    code: str
    """What is wrong, such as ``C01``; C61 to C69 refuse a notification."""
    original_trace: str
    original_rdfi: str
    corrected_data: str = field(repr=False)
    """29 characters, blanks kept: ``corrections.read_correction`` reads them by their positions."""
    refused: str = ""
    """Of a refused notification (C61 to C69) the code and number of what is refused; else nothing."""
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DishonoredAddenda:
    """The bank that sent an entry refuses its return (addenda 99, R61 to R70)."""

    line: int
    code: str
    original_trace: str
    original_rdfi: str
    return_trace: str
    """Fifteen digits: the trace number of the return that is refused."""
    return_settlement_day: str
    """Day of the year, three digits, or nothing."""
    return_code: str
    """Reason of that return, such as ``R03``."""
    information: str = field(repr=False)
    """Up to 21 characters."""
    trace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestedAddenda:
    """The bank that returned an entry insists on its return (addenda 99, R71 to R77)."""

    line: int
    code: str
    original_trace: str
    original_returned_on: date | None
    """None when it is blank or no date."""
    original_rdfi: str
    original_settlement_day: str
    """Day of the year on which the entry settled, three digits, or nothing."""
    return_trace: str
    return_settlement_day: str
    return_code: str
    dishonored_trace: str
    """Fifteen digits: the trace number of the dishonored return that is contested."""
    dishonored_settlement_day: str
    dishonored_code: str
    """Reason of that dishonored return, such as ``R68``."""
    trace: str


Answer = ReturnAddenda | ChangeAddenda | DishonoredAddenda | ContestedAddenda


def _blank_or(name: str, width: int) -> Column:
    return choice(name, width, f"[0-9]{{{width}}}| {{{width}}}", f"{width} digits or blanks")


def _code(name: str) -> Column:
    return choice(name, 2, "[0-9A-Z]{2}", "a reason code without its R")


_HEAD: Final = (text("_type", 1), number("_type_code", 2))
_KEY: Final = (choice("code", 3, "[A-Z][0-9]{2}", "a letter and two digits"), number("original_trace", 15))
_RDFI: Final = _blank_or("original_rdfi", 8)
_TRACE: Final = number("trace", 15)
_RETURN: Final = Layout(
    "return addenda", *_HEAD, *_KEY, _blank_or("date_of_death", 6), _RDFI, text("information", 44), _TRACE
)
_CHANGE: Final = Layout(
    "change addenda",
    *_HEAD,
    *_KEY,
    text("_reserved", 6),
    _RDFI,
    text("corrected_data", 29),
    text("refused", 15),
    _TRACE,
)
_DISHONORED: Final = Layout(
    "dishonored return addenda",
    *_HEAD,
    *_KEY,
    text("_reserved", 6),
    _RDFI,
    text("_reserved", 3),
    number("return_trace", 15),
    _blank_or("return_settlement_day", 3),
    _code("return_code"),
    text("information", 21),
    _TRACE,
)
_CONTESTED: Final = Layout(
    "contested return addenda",
    *_HEAD,
    *_KEY,
    _blank_or("original_returned_on", 6),
    _RDFI,
    _blank_or("original_settlement_day", 3),
    number("return_trace", 15),
    _blank_or("return_settlement_day", 3),
    _code("return_code"),
    number("dishonored_trace", 15),
    _blank_or("dishonored_settlement_day", 3),
    _code("dishonored_code"),
    text("_reserved", 1),
    _TRACE,
)


def answer_layout(type_code: str, code: str) -> Layout:
    """Give the columns of an addenda of type 98 or 99 by its code of three characters."""
    if type_code == AddendaType.CHANGE:
        return _CHANGE
    if code in DISHONORED_CODES:
        return _DISHONORED
    return _CONTESTED if code in CONTESTED_CODES else _RETURN


def read_answer(entry: Entry) -> Answer:
    """Read what an entry answers; of several addenda in a chain the last one, which is what the bank says now.

    Args:
        entry: of a file that the reader accepted; ``entry.is_answer`` holds.

    Raises:
        NachaError: the entry is no answer, or its addenda has not the columns of its code.
    """
    answers = [addenda for addenda in entry.addenda if addenda.type_code in ANSWERS]
    if not answers:
        raise NachaError("addenda", "is no answer of type 98 or 99", f"entry {entry.trace_number}")
    return read_addenda(answers[-1])


def read_addenda(addenda: Addenda) -> Answer:
    """Read one addenda of type 98 or 99.

    Raises:
        NachaError: it has not the columns of its code.
    """
    layout = answer_layout(addenda.type_code, addenda.text[:3])
    fields = layout.split(answer_line(addenda))
    if fields is None:
        raise NachaError("addenda", f"has not the columns of a {layout.record}", f"line {addenda.line}")
    return _MAKERS[layout](addenda.line, fields)


def answer_line(addenda: Addenda) -> str:
    """Give the 94 characters of an addenda of type 98 or 99 as they were read."""
    return f"7{addenda.type_code}{addenda.text:<76}{addenda.trace}"


def _return(line: int, fields: tuple[str, ...]) -> ReturnAddenda:
    code, original_trace, date_of_death, rdfi, information, trace = fields
    return ReturnAddenda(
        line=line,
        code=code,
        original_trace=original_trace,
        date_of_death=date_from(date_of_death),
        original_rdfi=rdfi.strip(),
        information=information.rstrip(),
        trace=trace,
    )


def _change(line: int, fields: tuple[str, ...]) -> ChangeAddenda:
    code, original_trace, rdfi, corrected_data, refused, trace = fields
    return ChangeAddenda(
        line=line,
        code=code,
        original_trace=original_trace,
        original_rdfi=rdfi.strip(),
        corrected_data=corrected_data,
        refused=refused.rstrip(),
        trace=trace,
    )


def _dishonored(line: int, fields: tuple[str, ...]) -> DishonoredAddenda:
    code, original_trace, rdfi, return_trace, return_day, return_code, information, trace = fields
    return DishonoredAddenda(
        line=line,
        code=code,
        original_trace=original_trace,
        original_rdfi=rdfi.strip(),
        return_trace=return_trace,
        return_settlement_day=return_day.strip(),
        return_code=f"R{return_code}",
        information=information.rstrip(),
        trace=trace,
    )


def _contested(line: int, fields: tuple[str, ...]) -> ContestedAddenda:
    (code, original_trace, returned_on, rdfi, settled, return_trace, return_day, return_code, *dishonored, trace) = (
        fields
    )
    dishonored_trace, dishonored_day, dishonored_code = dishonored
    return ContestedAddenda(
        line=line,
        code=code,
        original_trace=original_trace,
        original_returned_on=date_from(returned_on),
        original_rdfi=rdfi.strip(),
        original_settlement_day=settled.strip(),
        return_trace=return_trace,
        return_settlement_day=return_day.strip(),
        return_code=f"R{return_code}",
        dishonored_trace=dishonored_trace,
        dishonored_settlement_day=dishonored_day.strip(),
        dishonored_code=f"R{dishonored_code}",
        trace=trace,
    )


_MAKERS: Final[dict[Layout, Callable[[int, tuple[str, ...]], Answer]]] = {
    _RETURN: _return,
    _CHANGE: _change,
    _DISHONORED: _dishonored,
    _CONTESTED: _contested,
}
