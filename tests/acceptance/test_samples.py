"""Remittances that nobody here wrote: the implementation guide's own examples, as two public projects keep them.

They lie beside the project or in the wheel ``badx12``, which a folder of its own holds; where one is absent, its tests
are skipped. No member is named in them: all their money is the house's, for identifiers that are no member's.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.support.bank import paid_in
from tests.support.judges import WHEEL
from tests.support.office import Office

PLAIN = Path(__file__).parents[3] / "shared" / "samples" / "835"
FUNDED_ON = date(2026, 11, 20)


@dataclass(frozen=True)
class Sample:
    """A sample and what is right about it.

    Args:
        path: where it lies.
        trace: TRN02 of its one set.
        claims: how many.
        cents: BPR02 by payee, as the house keeps it; nothing where the set is quarantined.
        rules: what it breaks.
        warned: its payment date is none; the production date stands in, and a warning says so.
    """

    path: Path
    trace: str
    claims: int
    cents: dict[str, int]
    rules: tuple[str, ...] = ()
    warned: bool = False


SAMPLES = (
    # BPR15, where the receiver's account stands, holds the date; BPR16 is not there, DTM*405 is.
    Sample(PLAIN / "cob-contractural-adjustment.835", "0063158ABC", 1, {"PQ:11861": 34_00}, warned=True),
    # BPR16 is 20002316: a month 23.
    Sample(PLAIN / "managed-care.835", "7170066655", 2, {"NPI:5544667733": 945_00}, warned=True),
    # Two stores by TS3, one of them with a PLB.
    Sample(PLAIN / "medicare-part-a.835", "12345", 2, {"NPI:6543210903": 138_019_67, "NPI:6543210909": 11_980_33}),
    Sample(PLAIN / "secondary-payment.835", "0012524965", 2, {"PQ:10488": 1_222_00}, warned=True),
    # A service line of 24,599.00 less 1,579.00 that pays 1,766.50.
    Sample(PLAIN / "tertiary-payment.835", "0012524879", 1, {}, rules=("service_balances",), warned=True),
    Sample(WHEEL / "X221-dollars-and-data-sent-separate.edi", "71700666555", 2, {"NPI:5544667733": 945_00}),
    Sample(
        WHEEL / "X221-dollars-and-data-sent-together.edi",
        "12345",
        2,
        {"NPI:6543210903": 138_019_67, "NPI:6543210909": 11_980_33},
    ),
    Sample(WHEEL / "X221-era-sample.edi", "12345", 1, {"NPI:1811901945": 132_00}),
    Sample(WHEEL / "X221-multiple-claims-single-check.edi", "12345", 9, {"NPI:1811901945": 810_80}),
    Sample(WHEEL / "X221-secondary-payment-with-higher-fee-schedule.edi", "0063158ABC", 1, {"PQ:11861": 34_00}),
    Sample(WHEEL / "X221-secondary-payments.edi", "0012524965", 2, {"PQ:10488": 1_222_00}),
    Sample(WHEEL / "X221-tertiary-payments.edi", "0012524879", 1, {"PQ:10488": 187_50}),
)


def _present(sample: Sample) -> Path:
    if not sample.path.exists():
        pytest.skip(f"{sample.path} is not here")
    return sample.path


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.path.name)
def test_each_sample_gets_the_right_verdict(empty_office: Office, sample: Sample) -> None:
    """A sound sample is accepted, funded and the house's; a faulty one is quarantined for its faults."""
    office = empty_office
    code = 3 if sample.rules else 0
    (verdict,) = office.ask("ingest", str(_present(sample)), code=code)["files"]
    (only,) = verdict["sets"]
    assert verdict["status"] == only["status"] == ("quarantined" if sample.rules else "accepted")
    assert (only["trn"], only["claims"]) == (sample.trace, sample.claims)
    refused = tuple(each["rule"] for each in only["findings"] if each["severity"] == "refuse")
    assert refused == sample.rules
    assert ("impossible_date" in {each["rule"] for each in only["findings"]}) is sample.warned
    if sample.rules:
        assert office.trial_balance() == {}
        assert [kind for kind, _ in office.cases()] == ["set_quarantined"]
        return
    cents = sum(sample.cents.values())
    assert office.trial_balance()["house", "custody", "unknown_payee_unfunded"] == -cents
    assert {
        subject: owed for (kind, subject), owed in office.cases().items() if kind == "unknown_payee"
    } == sample.cents
    office.book(FUNDED_ON, paid_in(sample.trace, cents, payer=None))
    assert [each["amount_cents"] for each in office.match()["funded"]] == [cents]
    assert office.trial_balance()["house", "custody", "unknown_payee"] == -cents
    office.prove()


def test_all_samples_together(empty_office: Office) -> None:
    """One command takes them all; those that say otherwise what one before said are conflicts; proofs hold."""
    paths = [str(_present(sample)) for sample in SAMPLES]
    verdicts = empty_office.ask("ingest", *paths, code=3)["files"]
    assert {Path(each["path"]).name for each in verdicts if each["status"] == "conflict"} == {
        "X221-dollars-and-data-sent-together.edi",
        "X221-multiple-claims-single-check.edi",
        "X221-secondary-payment-with-higher-fee-schedule.edi",
        "X221-secondary-payments.edi",
    }
    balances = empty_office.trial_balance()
    cents = 150_000_00 + 2 * 945_00 + 132_00 + 34_00 + 1_222_00 + 187_50
    assert balances["house", "custody", "advised"] == cents
    assert balances["house", "custody", "unknown_payee_unfunded"] == -cents
    empty_office.prove()
