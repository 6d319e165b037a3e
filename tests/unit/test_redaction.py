"""A patient and an account, planted in every kind of place, are in no line of the log."""

import dataclasses
import io
import json
import logging
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy.exc import IntegrityError

from app.logs import configure_logs
from app.redaction import MASK, clean, redacted

NAME, FIRST, BIRTH, CARD = "QUIXLEY", "MARIGOLD", "19440229", "ZQX9917734"
ACCOUNT, ROUTING, TIN = "77000010199", "091000019", "830000101"
PLANTED = (NAME, FIRST, BIRTH, CARD, ACCOUNT, ROUTING, TIN)

SEGMENTS = f"NM1*QC*1*{NAME}*{FIRST}****MI*{CARD}~N3*1 {NAME} LANE~DMG*D8*{BIRTH}*F~REF*SY*{TIN}~"


class Account(BaseModel):
    """A model with an account in it."""

    routing_number: str = ROUTING
    account: str = ACCOUNT
    sealed: bytes = ACCOUNT.encode()
    secret: SecretStr = SecretStr(ACCOUNT)


class Nested(BaseModel):
    """A model with a model in it."""

    accounts: tuple[Account, ...] = (Account(),)
    note: str = f"pays into {ACCOUNT}"


@dataclasses.dataclass
class Person:
    """A dataclass about a patient."""

    patient_name: str = NAME
    birth_date: str = BIRTH
    raw: bytes = SEGMENTS.encode()


class Row(NamedTuple):
    """A row as a driver gives it."""

    account_number: str = ACCOUNT
    subscriber: str = NAME


Bare = namedtuple("Bare", ["tin", "routing"])  # noqa: PYI024 (as others make them)


class Wild:
    """Something that shows all of itself."""

    def __repr__(self) -> str:
        return f"<Wild {SEGMENTS}>"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Give a stream that takes the log as JSON, and put the process's logging back at the end."""
    root, ours = logging.getLogger(), logging.getLogger("centralpay")
    kept = root.handlers[:], root.level, ours.level, logging.raiseExceptions
    stream = io.StringIO()
    configure_logs(stream=stream)
    yield stream
    root.handlers[:], level, our_level, logging.raiseExceptions = kept
    root.setLevel(level)
    ours.setLevel(our_level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _driver_error() -> Exception:
    said = f'duplicate key violates unique constraint "one"\nDETAIL:  Key (number)=({ACCOUNT}) already\n {NAME} exists.'
    original = psycopg.errors.UniqueViolation(said)
    return IntegrityError("INSERT INTO t VALUES (%s)", {"n": ACCOUNT, "who": NAME}, original)


def _invalid_value() -> Exception:
    return psycopg.errors.InvalidTextRepresentation(f'invalid input syntax for type bigint: "{NAME}"\nLINE 1: {NAME}')


def _model_error() -> Exception:
    class Strict(BaseModel):
        routing: int

    try:
        Strict.model_validate({"routing": f"{NAME} {ROUTING}"})
    except ValidationError as error:
        return error
    raise AssertionError


PLACES: dict[str, object] = {
    "segments": SEGMENTS,
    "segments-of-other-delimiters": SEGMENTS.replace("*", "|").replace("~", "\n"),
    "segments-of-control-characters": SEGMENTS.replace("*", "\x1d"),
    "bytes": SEGMENTS.encode(),
    "bytearray": bytearray(SEGMENTS.encode()),
    "memoryview": memoryview(SEGMENTS.encode()),
    "bytes-shown": repr(SEGMENTS.encode()),
    "claim": f"CLP*6000000*1*10*10**13*{CARD}~",
    "sentence": f"the account {ACCOUNT} at {ROUTING} is closed",
    "grouped": "account 7700 0010 199, routing 0910-00019, tin 83-0000101",
    "glued": f"acct_{ACCOUNT}, ACCT{ACCOUNT}, no.{ROUTING}",
    "nacha-entry": f"622{ROUTING}{ACCOUNT:<17}0000010100{TIN:<15}EXAMPLE DRUG          0091000010000001",
    "model": Account(),
    "nested-model": Nested(),
    "model-shown": str(Account(account=ACCOUNT)),
    "dumped-model": Nested().model_dump(),
    "dumped-json": Nested().model_dump_json(),
    "dataclass": Person(),
    "row": Row(),
    "tuple-of-rows": (Row(), Row()),
    "untyped-row": Bare(TIN, ROUTING),
    "list-in-dict": {"banks": [{"routing": ROUTING, "number": int(ACCOUNT)}]},
    "person": {"patient": NAME, "first_name": FIRST, "dob": BIRTH, "street": f"1 {NAME} LANE"},
    "number": int(ACCOUNT),
    "object": Wild(),
    "error-as-value": ValueError(f"no such account {ACCOUNT}: {SEGMENTS}"),
    "driver-error": _driver_error(),
    "invalid-value": _invalid_value(),
    "validation-error": _model_error(),
    "path": Path(f"/in/{ACCOUNT}.txt"),
    "number-as-a-name": {ACCOUNT: 1, SEGMENTS: 2},
    "keyed-by-purpose": {"account_number": 101_99, "company_tin": TIN, "ein": TIN},
    "deep": [[[[[[[[[[SEGMENTS]]]]]]]]]],
}


def test_every_place_holds_something_that_was_planted() -> None:
    """Each place would give itself away if nothing were masked."""
    spelled = {name: _spelled(value) for name, value in PLACES.items()}
    marks = (*PLANTED, "0010 199", "0910-00019", "83-0000101")
    assert [name for name, text in spelled.items() if not any(mark in text for mark in marks)] == []


def _spelled(value: object) -> str:
    if isinstance(value, memoryview):
        return bytes(value).decode()
    if isinstance(value, IntegrityError):
        return str(value.orig)
    return f"{value!r} {value}"


def _seen(stream: io.StringIO) -> str:
    lines = stream.getvalue().splitlines()
    assert lines
    assert all(isinstance(json.loads(line), dict) for line in lines)
    return stream.getvalue()


def _assert_silent(text: str) -> None:
    assert [mark for mark in PLANTED if mark in text] == []
    assert [mark for mark in ("0010 199", "0910-00019", "83-0000101") if mark in text] == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", ["event", "said", "held"])
def test_a_value_gives_nobody_away(stream: io.StringIO, place: str, key: str) -> None:
    """As the event or as a fact of it, under a key that tells nothing."""
    facts = {key: PLACES[place]}
    structlog.get_logger().info(facts.pop("event", "seen"), **facts)
    _assert_silent(_seen(stream))


@pytest.mark.parametrize("place", PLACES)
def test_a_librarys_line_gives_nobody_away(stream: io.StringIO, place: str) -> None:
    """In its text or as its argument."""
    logging.getLogger("library").warning("got %s", PLACES[place])
    logging.getLogger("library").warning("got %(it)s", {"it": PLACES[place]})
    # Its arguments are text before they reach us: what has a form goes; a bare name can not be told from a word.
    text = _seen(stream)
    assert [mark for mark in (ACCOUNT, ROUTING, CARD) if mark in text] == []


def _raising(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [_driver_error(), _invalid_value(), _model_error(), ValueError(SEGMENTS)], ids=type)
def test_a_traceback_gives_nobody_away(stream: io.StringIO, error: Exception) -> None:
    """Of ours and of libraries, with what was the cause, and with notes."""
    error.add_note(f"while at {ACCOUNT}")
    try:
        try:
            _raising(error)()
        except Exception as inner:
            raise RuntimeError(f"at {SEGMENTS}") from inner
    except RuntimeError:
        structlog.get_logger().exception("failed")
        logging.getLogger("library").exception("failed")
    text = _seen(stream)
    assert ["RuntimeError" in line for line in text.splitlines()] == [True, True]
    _assert_silent(text)


def test_a_line_that_can_not_be_formatted_is_not_shown_with_its_arguments(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    """The standard library would print them on standard error."""
    wrong = "%d of %d"
    logging.getLogger("library").warning(wrong, SEGMENTS)
    _assert_silent(stream.getvalue() + "".join(capsys.readouterr()))


@pytest.mark.parametrize(
    "text",
    [
        "cycle 12 for 2026-11-20: 2 payouts, 8,100.00; fees 400.00; approval 7 waits",
        "2026-11-20 15:08:09 and 2026-11-20T15:08:09Z and 20261120",
        "file 3b1f0c8a90123456789abcdef0123456789abcdef0123456789abcdef0123456",
        "run 6f1ed002-ab59-4fbb-9d5c-0123456789ab of verify",
        "NCPDP 1400101, TRN DAY1, 835 of payer HARROWGATE",
        "REF and N1 and AMT are segments",
    ],
)
def test_what_people_look_for_stays(text: str) -> None:
    """Amounts, dates, hashes, row ids and our own words are not masked."""
    assert clean(text) == text


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("paid_cents", 123_456_789_012),
        ("size_bytes", 3_000_000_000),
        ("transaction_id", 987_654_321),
        ("duration_s", 0.123456789),
        ("account", "due_available"),
        ("payouts", 20_000),
        ("timestamp", "2026-11-20T15:08:09.123456Z"),
        ("run_id", "12345678901234567890123456789012"),
    ],
)
def test_measures_and_ids_stay(key: str, value: object) -> None:
    """Amounts, sizes, durations and the ids of rows are what a log is read for."""
    assert redacted(key, value) == value


def test_bytes_are_counted_and_never_shown() -> None:
    """What a file holds has no place in a log."""
    assert redacted("chunk", b"abc") == "<3 bytes>"
    assert redacted("password", b"abc") == MASK
