"""X12 835 examples that nobody here wrote: each gets the verdict that its arithmetic and its dates deserve."""

from pathlib import Path
from typing import NamedTuple

import pytest

from schemas.findings import Severity
from tests.support.judges import WHEEL
from tests.unit.test_x12_files import read

SAMPLES = Path(__file__).parents[2].parent / "shared" / "samples" / "835"


class Verdict(NamedTuple):
    """What a file deserves, worked out by hand."""

    path: Path
    claims: int
    paid_cents: int
    plb_cents: int
    refused: tuple[str, ...]
    """Element and segment of each refusal."""


# BPR16 stands one element too early (BPR15) in three of the samples, managed-care settles on 2000-23-16: a warning
# each, their production date (DTM*405) is taken.
# tertiary-payment of the samples puts the procedure code's price into SVC02: 24,599.00 - 1,579.00 is not 1,766.50.
VERDICTS = [
    Verdict(SAMPLES / "cob-contractural-adjustment.835", 1, 34_00, 0, ()),
    Verdict(SAMPLES / "managed-care.835", 2, 450_00 + 495_00, 0, ()),
    Verdict(SAMPLES / "medicare-part-a.835", 2, 138_018_40 + 11_980_33, -1_27, ()),
    Verdict(SAMPLES / "secondary-payment.835", 2, 912_00 + 310_00, 0, ()),
    Verdict(SAMPLES / "tertiary-payment.835", 1, 187_50, 0, ("SVC03@18",)),
    Verdict(WHEEL / "X221-dollars-and-data-sent-separate.edi", 2, 450_00 + 495_00, 0, ()),
    Verdict(WHEEL / "X221-dollars-and-data-sent-together.edi", 2, 138_018_40 + 11_980_33, -1_27, ()),
    Verdict(WHEEL / "X221-era-sample.edi", 1, 132_00, 0, ()),
    Verdict(
        WHEEL / "X221-multiple-claims-single-check.edi",
        9,
        132_00 + 74_00 + 108_00 + 14_00 + 16_80 + 132_00 + 108_00 + 82_00 + 144_00,
        0,
        (),
    ),
    Verdict(WHEEL / "X221-secondary-payment-with-higher-fee-schedule.edi", 1, 34_00, 0, ()),
    Verdict(WHEEL / "X221-secondary-payments.edi", 2, 912_00 + 310_00, 0, ()),
    Verdict(WHEEL / "X221-tertiary-payments.edi", 1, 187_50, 0, ()),
]


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.path.name)
def test_examples_of_others_get_the_verdict_they_deserve(verdict: Verdict) -> None:
    """Claims, sums and refusals are those worked out by hand; the envelopes of all of them hold."""
    if not verdict.path.exists():
        pytest.skip(f"{verdict.path.name} is not here")
    result = read(verdict.path.read_bytes())
    (end,) = result.ends
    refused = tuple(
        f"{finding.element}@{finding.segment}" for finding in end.findings if finding.severity is Severity.REFUSE
    )
    assert refused == verdict.refused
    assert end.balances == (not verdict.refused)
    assert (end.claim_count, end.claims_paid_cents) == (verdict.claims, verdict.paid_cents)
    assert sum(adjustment.amount_cents for adjustment in end.plb) == verdict.plb_cents
    assert result.file is not None
    assert result.file.findings == ()


def test_the_examples_pay_what_they_claim_to_pay() -> None:
    """BPR02 of every accepted example is its claims less its PLBs, read off the header."""
    accepted = [verdict for verdict in VERDICTS if not verdict.refused and verdict.path.exists()]
    if not accepted:
        pytest.skip("no examples here")
    for verdict in accepted:
        (header,) = read(verdict.path.read_bytes()).headers
        assert header.payment_cents == verdict.paid_cents - verdict.plb_cents
