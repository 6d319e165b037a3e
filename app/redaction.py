"""What has no place in a log is taken out of it: keys, passwords, the numbers of accounts and persons, patients.

Two nets. What is held under a telling name goes whole, at any depth. What stands in a text goes by its form: numbers as
long as account, routing and taxpayer numbers, segments of an 835, rows and parameters that a driver quotes, passwords
in addresses. Content as bytes never passes. A name in a plain sentence has no form; that is why sentences of ours hold
none. When in doubt it masks: a log that says too little costs a look into the books.
"""

import dataclasses
import re
from collections.abc import Mapping
from datetime import date, time, timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr

MASK: Final = "***"

_LONGEST_TEXT: Final = 20_000
_DEEPEST: Final = 8

_SECRET_KEY: Final = re.compile(r"key|secret|password|passwd|token|authorization|dsn|conninfo|cookie", re.IGNORECASE)
_PERSON_KEY: Final = re.compile(
    r"patient|subscriber|insured|birth|\bdob\b|\bssn\b|(first|last|middle|given|family|sur)_?name|street|postal"
    r"|\bzip\b|\bmember_?identification",
    re.IGNORECASE,
)
_NUMBER_KEY: Final = re.compile(r"account|routing|\biban\b|(^|_)tin(_|$)|(^|_)ein(_|$)", re.IGNORECASE)
_ANY_DIGITS: Final = re.compile(r"\d{4,}")  # an account's name in our chart has no digits and stays readable
_MEASURE_KEY: Final = re.compile(r"(cents|bytes|seconds|_s|_ms|_ns|count|total|_id|pid|lag)$", re.IGNORECASE)
_PLAIN_KEY: Final = frozenset({"timestamp", "level", "run_id"})
_LONG: Final = 10**8  # what has nine digits may be a routing or a taxpayer number

# Texts. The order matters: what quotes rows goes before numbers are looked for in what is left.
_NEXT_PART: Final = r"(?=^\s*(?:HINT|CONTEXT|DETAIL|QUERY|Traceback|The above|During handling|\[SQL|\(Background)|\Z)"
_ROWS: Final = re.compile(rf"^(\s*(?:DETAIL|CONTEXT|QUERY|LINE \d+)):.*?{_NEXT_PART}", re.MULTILINE | re.DOTALL)
_PARAMETERS: Final = re.compile(r"\[parameters: .*?(?=\n\(Background|\n\[|\nThe above|\nDuring|\Z)", re.DOTALL)
_QUOTED_VALUE: Final = re.compile(
    r"((?:invalid|malformed|unrecognized|out of range|does not match|too long)[^\n:]*: )(\"(?:[^\"\\]|\\.)*\"|'[^\n]*')"
)
_INPUT_VALUE: Final = re.compile(r"input_value=.*?(?=, input_type=|\n|\Z)", re.DOTALL)
_SEGMENT: Final = re.compile(
    r"(?<![A-Z0-9])(NM1|DMG|N[134]|PER|REF|INS|SBR|HI|CLP|SVC|CAS|DTM|DTP|LQ|AMT|QTY|PLB|BPR|TRN|ISA|GS)"
    r"[*|^!>+\x1c-\x1f][^~\r\n]*"
)
_LONG_NUMBER: Final = re.compile(
    r"(?P<name>\b[0-9a-f]{32,64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"  # of a file or a row: kept
    r"|(?<!\d)(?<!\d\.)\d(?:[ -]?\d){8,}(?!\d)"
)
_MOMENT: Final = re.compile(r"(?:19|20)\d\d-\d\d-\d\d(?:[ T]\d\d(?:$|[: ]).*)?")
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@]*:)[^\s@]*(@)")
_WORD_PASSWORD: Final = re.compile(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)


def redacted(key: str, value: object, depth: int = 0) -> object:
    """Give a value without what has no place in a log; of plain types only: text, numbers, lists and dicts.

    Args:
        key: the name that the value is held under.
        value: anything; models and dataclasses are looked through, bytes are only counted.
        depth: how deep it lies; beyond some levels nothing is shown.
    """
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_KEY.search(key) or _PERSON_KEY.search(key) or isinstance(value, SecretStr | SecretBytes):
        return MASK
    inner = _within(value)
    if inner is None:
        return _plain(key, value)
    if depth >= _DEEPEST:
        return MASK
    if isinstance(inner, Mapping):
        return {clean(str(name)): redacted(str(name), held, depth + 1) for name, held in inner.items()}
    return [redacted(key, held, depth + 1) for held in inner]


def clean(text: str) -> str:
    """Give a text without what has no place in a log."""
    if len(text) > _LONGEST_TEXT:
        text = text[:_LONGEST_TEXT] + " (cut)"
    text = _URL_PASSWORD.sub(rf"\1{MASK}\2", text)
    text = _WORD_PASSWORD.sub(rf"\1{MASK}", text)
    text = _ROWS.sub(rf"\1: {MASK}\n", text)
    text = _PARAMETERS.sub(f"[parameters: {MASK}]", text)
    text = _INPUT_VALUE.sub(f"input_value={MASK}", text)
    text = _QUOTED_VALUE.sub(rf"\1{MASK}", text)
    text = _SEGMENT.sub(rf"\1{MASK}", text)
    return _LONG_NUMBER.sub(_masked_number, text)


def _masked_number(found: re.Match[str]) -> str:
    is_name = found["name"] is not None and not found["name"].isdecimal()
    return found[0] if is_name or _MOMENT.fullmatch(found[0]) else MASK


def _within(value: object) -> "Mapping[Any, Any] | list[Any] | None":
    """Give what a value is made of; None for one that is whole."""
    if isinstance(value, BaseModel):
        return {name: getattr(value, name) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return None


def _plain(key: str, value: object) -> object:
    value = value.value if isinstance(value, Enum) else value
    said: object
    if _NUMBER_KEY.search(key) and not key.endswith("_cents") and _ANY_DIGITS.search(str(value)):
        said = MASK
    elif isinstance(value, bytes | bytearray | memoryview):
        said = f"<{memoryview(value).nbytes} bytes>"
    elif isinstance(value, int | float):
        said = value if abs(value) < _LONG or _MEASURE_KEY.search(key) else MASK
    elif key in _PLAIN_KEY or isinstance(value, date | time | timedelta | UUID):
        said = str(value)
    elif isinstance(value, BaseException):
        said = f"{type(value).__name__}: {clean(str(value))}"
    else:
        said = clean(str(value))
    return said
