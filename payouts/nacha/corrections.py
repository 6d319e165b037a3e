"""What a notification of change asks for: the corrected data, read by fixed positions and never guessed.

Source: Nacha Operating Rules, Appendix Five: change codes and the format of corrected data. A correction that does not
hold is an error value, for a wrong routing number or account applied unseen would send the money elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from payouts.nacha.codes import CREDIT_CODES, DEBIT_CODES
from payouts.nacha.errors import NachaError
from payouts.nacha.text import check_account
from schemas.collecting import shown_shape
from schemas.identifiers import AbaRouting

CORRECTED_WIDTH: Final = 29


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What to use from now on; None is what stays as it was."""

    code: str
    routing: AbaRouting | None = None
    account_number: str | None = field(default=None, repr=False)
    transaction_code: str | None = None
    """Two digits; says whether the account is a checking (2x) or savings (3x) account."""
    receiver_name: str | None = field(default=None, repr=False)
    identification: str | None = None
    text: str | None = field(default=None, repr=False)
    """The whole of it as text, for a code whose positions are not read here."""


class CorrectionProblem(NamedTuple):
    """A part of the corrected data that can not be used."""

    field: str
    """Name of the part: ``routing``, ``account_number``, ``transaction_code``, ``filler``, ..."""
    expected: str
    found: str
    """Its shape only, such as ``the shape 99a``: it may be an account number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCorrection:
    """Corrected data that do not hold: nothing of them may be used."""

    code: str
    problems: tuple[CorrectionProblem, ...]
    """At least one."""

    def sentence(self) -> str:
        """Say it in one line."""
        said = "; ".join(f"{each.field}: expected {each.expected}, found {each.found}" for each in self.problems)
        return f"corrected data of {self.code}: {said}"


class _Part(NamedTuple):
    name: str
    width: int


_ROUTING: Final = _Part("routing", 9)
_ACCOUNT: Final = _Part("account_number", 17)
_FILLER: Final = _Part("filler", 3)
_TRANSACTION_CODE: Final = _Part("transaction_code", 2)
_PARTS: Final[dict[str, tuple[_Part, ...]]] = {
    "C01": (_ACCOUNT,),
    "C02": (_ROUTING,),
    "C03": (_ROUTING, _FILLER, _ACCOUNT),
    "C04": (_Part("receiver_name", 22),),
    "C05": (_TRANSACTION_CODE,),
    "C06": (_ACCOUNT, _FILLER, _TRANSACTION_CODE),
    "C07": (_ROUTING, _ACCOUNT, _TRANSACTION_CODE),
    "C09": (_Part("identification", 22),),
}
CORRECTION_CODES: Final = frozenset(_PARTS)
"""Change codes whose corrected data are read; of every other one the text is kept."""


def read_correction(code: str, corrected_data: str) -> Correction | WrongCorrection:
    """Read corrected data by the positions of their code.

    Args:
        code: such as ``C03``.
        corrected_data: ``ChangeAddenda.corrected_data``: 29 characters, or fewer where blanks at the end are gone.
    """
    parts = _PARTS.get(code)
    if parts is None:
        return Correction(code=code, text=corrected_data.rstrip())
    said: dict[str, str] = {}
    problems: list[CorrectionProblem] = []
    start = 0
    for part in (*parts, _Part("rest", CORRECTED_WIDTH - sum(each.width for each in parts))):
        content = corrected_data[start : start + part.width].ljust(part.width)
        start += part.width
        problem = _CHECKS[part.name](content)
        if problem is not None:
            problems.append(CorrectionProblem(part.name, problem, shown_shape(content.rstrip())))
        said[part.name] = content.rstrip()
    if len(corrected_data.rstrip()) > CORRECTED_WIDTH:
        problems.append(CorrectionProblem("rest", f"{CORRECTED_WIDTH} characters", f"{len(corrected_data.rstrip())}"))
    if problems:
        return WrongCorrection(code=code, problems=tuple(problems))
    return Correction(
        code=code,
        routing=AbaRouting(said["routing"]) if "routing" in said else None,
        account_number=said.get("account_number"),
        transaction_code=said.get("transaction_code"),
        receiver_name=said.get("receiver_name"),
        identification=said.get("identification"),
    )


def _routing_problem(content: str) -> str | None:
    return None if AbaRouting.problem(content) is None else f"{AbaRouting.shape} with its check digit"


def _account_problem(content: str) -> str | None:
    try:
        check_account("account_number", content.rstrip())
    except NachaError:
        return "an account number from its first column on: up to 17 letters, digits and dashes, not all zeros"
    return None


def _transaction_code_problem(content: str) -> str | None:
    return None if content in CREDIT_CODES | DEBIT_CODES else "a transaction code of two digits"


def _blank_problem(content: str) -> str | None:
    return None if not content.strip() else "blanks"


def _text_problem(content: str) -> str | None:
    return None if content[0] != " " else "text from its first column on"


_CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "routing": _routing_problem,
    "account_number": _account_problem,
    "transaction_code": _transaction_code_problem,
    "filler": _blank_problem,
    "rest": _blank_problem,
    "receiver_name": _text_problem,
    "identification": _text_problem,
}
