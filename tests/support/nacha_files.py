"""NACHA files for tests: one of our own by hand, one of a bank's answers, and how they are changed and read."""

import io
from dataclasses import replace
from datetime import date, time

from payouts.nacha.codes import TransactionCode
from payouts.nacha.models import AchBatch, AchEntry, AchFile
from payouts.nacha.reader import NachaReading, read_nacha
from payouts.nacha.trn import Trn
from schemas.findings import Severity
from schemas.identifiers import AbaRouting, PayerId

TRN = Trn(trace_number="CP20260703-0000001", originator=PayerId("1999999999"))
ENTRY = AchEntry(
    routing=AbaRouting("121042882"),
    account_number="000123-4567",
    amount_cents=1_234_567_89,
    receiver_name="MAIN STREET PHARMACY",
    identification="3912345",
    trace_sequence=41,
    trn=TRN,
)
SAVINGS = AchEntry(
    routing=AbaRouting("231380104"),
    account_number="98765432109876543",
    amount_cents=1,
    receiver_name="O'NEIL & SONS RX #2",
    identification="0512345",
    trace_sequence=42,
    transaction_code=TransactionCode.SAVINGS_CREDIT,
    trn=Trn(trace_number="CP20260703-0000002", originator=PayerId("1999999999"), terminator="\\"),
)
BATCH = AchBatch(
    batch_number=1,
    company_name="EXAMPLE PSAO",
    company_id="1999999999",
    odfi=AbaRouting("091000019"),
    effective_entry_date=date(2026, 7, 6),
    descriptive_date="JUL 03",
    entries=(ENTRY, SAVINGS),
)
FILE = AchFile(
    destination=AbaRouting("091000019"),
    origin="1999999999",
    destination_name="EXAMPLE BANK",
    origin_name="EXAMPLE PSAO",
    created_on=date(2026, 7, 3),
    created_time=time(9, 5),
    id_modifier="A",
    reference_code="CYCLE 7",
    batches=(BATCH,),
)
# The same file by hand, field by field from the record formats.
FILE_LINES = [
    "101 09100001919999999992607030905A094101EXAMPLE BANK           EXAMPLE PSAO           CYCLE 7 ",
    "5220EXAMPLE PSAO                        1999999999CCDHCCLAIMPMTJUL 03260706   1091000010000001",
    "622121042882000123-4567      01234567893912345        MAIN STREET PHARMACY    1091000010000041",
    "705TRN*1*CP20260703-0000001*1999999999~" + " " * 44 + "00010000041",
    "63223138010498765432109876543" + "00000000010512345        O'NEIL & SONS RX #2     1091000010000042",
    "705TRN*1*CP20260703-0000002*1999999999\\" + " " * 44 + "00010000042",
    "82200000040035242298000000000000000123456790" + "1999999999" + " " * 25 + "091000010000001",
    "9000001000001000000040035242298000000000000000123456790" + " " * 39,
    "9" * 94,
    "9" * 94,
]
# A return of our own entry 41 and a notification of change for entry 42, as a bank would send them.
ANSWER_LINES = [
    "1011999999999 0910000192607080410A094101EXAMPLE PSAO           EXAMPLE BANK                   ",
    "5220EXAMPLE PSAO                        1999999999CCDHCCLAIMPMT      260706   1121042880000001",
    "621121042882000123-4567      01234567893912345        MAIN STREET PHARMACY    1121042880000007",
    "799R03091000010000041      12104288" + " " * 44 + "121042880000007",
    "82200000020012104288000000000000000123456789" + "1999999999" + " " * 25 + "121042880000001",
    "5220EXAMPLE PSAO                        1999999999CORHCCLAIMPMT      000000   1231380100000002",
    "63123138010498765432109876543" + "00000000000512345        O'NEIL & SONS RX #2     1231380100000008",
    "798C01091000010000042      231380101918171614" + " " * 34 + "231380100000008",
    "82200000020023138010000000000000000000000000" + "1999999999" + " " * 25 + "231380100000002",
    "9000002000001000000040035242298000000000000000123456789" + " " * 39,
]


def cent_batch(count: int) -> AchBatch:
    """Make a batch of so many entries of one cent, each with its TRN."""
    entries = tuple(replace(ENTRY, amount_cents=1, trace_sequence=number) for number in range(1, count + 1))
    return replace(BATCH, entries=entries)


def reading_of(lines: list[str], end: str = "\n") -> NachaReading:
    """Read lines as a file."""
    return read_nacha(io.BytesIO("".join(line + end for line in lines).encode("latin-1")), "test.ach")


def with_columns(number: int, first: int, content: str, lines: list[str] | None = None) -> list[str]:
    """Give the lines with other content from a column on; line and column count from 1."""
    changed = list(FILE_LINES if lines is None else lines)
    line = changed[number - 1]
    changed[number - 1] = line[: first - 1] + content + line[first - 1 + len(content) :]
    return changed


def rules(reading: NachaReading, severity: Severity = Severity.REFUSE) -> list[tuple[str, int | None]]:
    """List rule and line of the findings that weigh so much."""
    return [(finding.rule, finding.line) for finding in reading.findings if finding.severity is severity]
