"""NACHA files that nobody here wrote: each accepted or refused as its name says, and answers read at their positions.

They are test data of moov-io/ach (Apache-2.0), lie beside the project and are no part of it; without them the tests are
skipped.
"""

from pathlib import Path

import pytest

from payouts.nacha.answers import ChangeAddenda, ContestedAddenda, DishonoredAddenda, ReturnAddenda, read_addenda
from payouts.nacha.corrections import Correction, read_correction
from payouts.nacha.leniency import Leniency
from payouts.nacha.reader import NachaReading, read_nacha
from schemas.findings import Severity

FOLDER = Path(__file__).parents[3] / "shared" / "samples" / "ach"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the public sample files are not beside the project")


def sample(name: str, *leniency: Leniency) -> NachaReading:
    """Read a sample."""
    with (FOLDER / name).open("rb") as stream:
        return read_nacha(stream, name, frozenset(leniency))


@pytest.mark.parametrize(
    ("name", "entries", "debits", "credits", "warned"),
    [
        ("ccd-debit.ach", 2, 500_125, 0, set()),
        ("contested-return.ach", 1, 0, 100_000_000, {"effective_date"}),
        ("cor-read.ach", 1, 0, 0, set()),
        ("ppd-mixedDebitCredit.ach", 3, 200_000_000, 200_000_000, set()),
        # Its name says invalid; every rule holds, and its own publisher accepts it.
        ("ppd-mixedDebitCredit-invalid.ach", 2, 100_000, 100_000, set()),
        ("return-WEB.ach", 2, 12_354, 4_565, set()),
        ("short-line.ach", 1, 100_000_000, 0, {"line_length"}),
    ],
)
def test_good_samples_are_accepted(name: str, entries: int, debits: int, credits: int, warned: set[str]) -> None:  # noqa: A002 (the word of the format)
    """Entries and totals are those of the file; what was mended is a warning."""
    reading = sample(name)
    assert reading.is_accepted
    assert {finding.rule for finding in reading.findings} == warned
    (file,) = reading.accepted_files()
    assert sum(len(batch.entries) for batch in file.batches) == entries
    assert file.control is not None
    assert (file.control.debit_cents, file.control.credit_cents) == (debits, credits)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("ppd-debit-invalid-entryDetail-checkDigit.ach", [("routing_number", 3)]),
        ("issue1600__2lCompanyNameAllZeros.txt", [("company_name", 2), ("routing_number", 3), ("routing_number", 8)]),
    ],
)
def test_bad_samples_are_refused_by_line(name: str, refused: list[tuple[str, int]]) -> None:
    """A wrong check digit and a company name of zeros are found where they stand, and nothing else."""
    found = [(finding.rule, finding.line) for finding in sample(name).findings if finding.severity is Severity.REFUSE]
    assert found == refused


def test_a_name_of_zeros_can_be_let_through_and_a_check_digit_never() -> None:
    """The leniency turns the first into a warning; the routing numbers stay refused."""
    reading = sample("issue1600__2lCompanyNameAllZeros.txt", *Leniency)
    refused = [finding.rule for finding in reading.findings if finding.severity is Severity.REFUSE]
    assert refused == ["routing_number", "routing_number"]


def test_the_chain_of_a_dispute_is_read() -> None:
    """Return, dishonored return and contested dishonored return of one entry, each with the traces that it names."""
    (file,) = sample("contested-return.ach").accepted_files()
    (entry,) = file.batches[0].entries
    returned, dishonored, contested = [read_addenda(addenda) for addenda in entry.addenda]
    assert isinstance(returned, ReturnAddenda)
    assert isinstance(dishonored, DishonoredAddenda)
    assert isinstance(contested, ContestedAddenda)
    assert (returned.code, returned.original_trace, returned.information) == (
        "R07",
        "099912340000015",
        "Authorization Revoked",
    )
    assert (dishonored.code, dishonored.return_trace, dishonored.return_settlement_day) == (
        "R68",
        "123918710000001",
        "179",
    )
    assert (dishonored.return_code, dishonored.information) == ("R01", "Untimely Return")
    assert (contested.code, contested.original_settlement_day, contested.return_trace) == (
        "R71",
        "164",
        "779999990000301",
    )
    assert (contested.dishonored_trace, contested.dishonored_settlement_day, contested.dishonored_code) == (
        "889999990000301",
        "166",
        "R67",
    )


def test_a_notification_of_change_is_read() -> None:
    """Change code C01 gives the account to use from now on."""
    (file,) = sample("cor-read.ach").accepted_files()
    answer = read_addenda(file.batches[0].entries[0].addenda[0])
    assert isinstance(answer, ChangeAddenda)
    assert answer.original_trace == "121042880000001"
    assert read_correction(answer.code, answer.corrected_data) == Correction(code="C01", account_number="1918171614")


def test_returns_of_two_banks_are_read() -> None:
    """Two batches, R01 of a debit and R03 of a credit, each with the trace of the original."""
    (file,) = sample("return-WEB.ach").accepted_files()
    answers = [read_addenda(batch.entries[0].addenda[0]) for batch in file.batches]
    assert [(answer.code, answer.original_trace) for answer in answers] == [
        ("R01", "091400600000001"),
        ("R03", "091400600000003"),
    ]
