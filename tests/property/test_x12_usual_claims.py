"""X12 835: claims that are read together are read as each by itself, however near to the usual shape they come."""

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.x12.claims import ClaimReader
from ingest.x12.delimiters import Delimiters
from ingest.x12.segments import Batch, Cutter

AMOUNTS = st.sampled_from(
    (
        *("100.00", "70.00", "10.00", "100", "100.5", "0", "-100.00", "-0.50", ".50", "100.", "+1.00", "1.005", "1e2"),
        *("", "x", "1.2.3", "--1", "1_0.00", "999999999999.99", "9999999999999.99", "99999999999999.99", "\xb2.00"),
    )
)
QUANTITIES = st.sampled_from(("30", "15.5", ".5", "-30", "", "3.", "+1", "1e2", "x", "30 "))
STATUSES = st.sampled_from(("1", "2", "22", "25", "1", "5", "24", "", "220", "x"))
ODD_SEGMENTS = st.sampled_from(
    (
        *(
            "CAS*PR*3*10.00",
            "CAS*CO*45*1.00**90*2.00",
            "CAS*ZZ*45*1.00",
            "CAS*CO",
            "CAS",
            "CASX*CO*45*1",
            "CAS*CO*45*x",
        ),
        *("CAS*CO*45*1" + 18 * "*" + "9", "DTM*472*20260209", "DTM*232*20260210", "DTM*472*20260230", "DTM*050", "DTM"),
        *("NM1*82*2*X*****XX*1811901945", "NM1*82*2*X*****SV*7654321", "NM1*82*2*X", "NM1X82*2*X*****XX*99", "NM1*8"),
        *("SVC*N4:1*100.00*70.00**30", "SVC*N4:1", "SVC", "SVCX*N4:1*1*1", "SVC*HC:J1*0*0", "LQ*RX*70", "LQ*ZZ*1"),
        *("LQ*HE", "LQ", "LQX*RX*70", "TS3*1234567", "BPR*I*5", "TRN*1*2", "REF*CE*N", "AMT*AU*9", "ZZZ", "CL", "CLP"),
    )
)


@st.composite
def claims(draw: st.DrawFn) -> list[str]:
    """Draw the segments of a claim that is usual, or nearly."""
    charge, paid, adjusted = ("100.00", "70.00", "30.00") if draw(st.booleans()) else [draw(AMOUNTS) for _ in range(3)]
    product = draw(st.sampled_from(("N4:00093721410", "N4:1:2", "N4:", "N4", "HC:J1", "")))
    charged = draw(st.one_of(st.just(charge), st.just(charge), AMOUNTS))
    quantity, status, patient = draw(QUANTITIES), draw(STATUSES), draw(st.one_of(st.just(""), AMOUNTS))
    segments = [
        f"CLP*{draw(st.sampled_from(('123', '', '12-3')))}*{status}*{charge}*{paid}*{patient}*13*PCN*9",
        "NM1*QC*1*DOE",
        "REF*CE*NETWORK",
        f"SVC*{product}*{charged}*{paid}**{quantity}",
        "DTM*472*20260209",
        f"CAS*CO*45*{adjusted}",
    ]
    for at, odd in draw(st.lists(st.tuples(st.integers(1, 6), ODD_SEGMENTS), max_size=2)):
        segments.insert(at, odd)
    if draw(st.integers(0, 9)) == 0:
        segments[0] = segments[0][: draw(st.integers(3, 40))]
    return segments


USUAL = ["CLP*123*1*100.00*70.00*10*13*PCN", "NM1*QC*1*DOE", "SVC*N4:1*100.00*70.00**30", "CAS*CO*45*30.00"]
UNBALANCED = [*USUAL[:-1], "CAS*CO*45*31.00"]
LONG = ["CLP*123*1*99999999999999.99*0**13*PCN", "SVC*N4:1*99999999999999.99*0**30", "CAS*CO*45*30.00"]


@given(
    st.lists(st.one_of(st.just(USUAL), claims()), min_size=1, max_size=24),
    st.sampled_from(("*:~", "*:~", "*:~", "|>\n", "-:~", "*.~", ".:~", "*-~", "*:-")),
    st.sampled_from(("", "ID:1")),
)
@example([*(8 * [USUAL]), [*USUAL, "DTM*472*x"], UNBALANCED], "*:~", "")
@example([*(8 * [USUAL]), [*USUAL[:-1], "DTM*472*20260230", USUAL[-1]]], "*:~", "")
@example([*(8 * [USUAL]), [*USUAL[:2], "SVC*N4:1*99.00*70.00**30", USUAL[-1]]], "*:~", "")
@example([*(8 * [USUAL]), [*USUAL, "NM1*82*2*X*****XX*1811901945"]], "*:~", "")
@example([*(8 * [USUAL]), LONG], "*:~", "")
@example([*(8 * [USUAL]), ["CLP*1*1**100*70**13*P", "SVC*X**100*70**1"]], "-:~", "")
def test_claims_read_together_are_read_as_each_by_itself(stretch: list[list[str]], marks: str, payee: str) -> None:
    """The same claims, the same doubts, the same bytes, in the same order."""
    delimiters = Delimiters(marks[0], marks[1], marks[2])
    text = "".join(segment + "~" for claim in stretch for segment in claim)
    content = text.translate(dict(zip(map(ord, "*:~"), marks, strict=True))).encode("latin-1")
    batch = Batch(content, 0, Cutter(delimiters), last=True)
    for loops in batch.stretches():
        read = ClaimReader(delimiters).read_stretch(batch, loops, list(loops), payee)
        alone = [
            ClaimReader(delimiters).read(batch.segments(loop), loop, batch.begins[loop], batch.ends[loop], payee)
            for loop in loops
        ]
        assert read.claims == [claim for claim, _ in alone if claim is not None]
        assert read.doubtful == [number for number, (_, in_order) in enumerate(alone) if not in_order]
