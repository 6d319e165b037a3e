"""X12 835: each mistake is found where it stands, refused or warned of, and never shows who a patient is."""

import pytest

from schemas.findings import Severity
from tests.unit.test_x12_files import CLAIM, HEAD, REFUSE, WARN, enclosed, one_set, read, read_set, said, swapped


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("BPR", "BPR*I*-70.00*C*ACH************20260303", ("payment_negative", "BPR02", 2, REFUSE)),
        ("BPR", "BPR*I*7O.00*C*ACH************20260303", ("amount", "BPR02", 2, REFUSE)),
        ("BPR", "BPR*I*70.00*C*ACH************20260230", ("impossible_date", "BPR16", 2, WARN)),
        ("BPR", "BPR*I*70.00*C*ACH***********20260303", ("impossible_date", "BPR16", 2, WARN)),
        ("BPR", "BPR*I*70.00*X*ACH************20260303", ("credit_debit", "BPR03", 2, REFUSE)),
        ("BPR", "BPR*I*70.00*D*ACH************20260303", ("credit_debit", "BPR03", 2, REFUSE)),
        ("BPR", "BPR*I*70.00*C*NON************20260303", ("payment_without_method", "BPR02", 2, REFUSE)),
        ("BPR", "BPR*H*70.00*C*ACH************20260303", ("notification_with_payment", "BPR02", 2, WARN)),
        ("BPR", "BPR*Q*70.00*C*ACH************20260303", ("handling_code", "BPR01", 2, WARN)),
        ("BPR", "BPR*I*70.00*C*SEPA************20260303", ("payment_method", "BPR04", 2, WARN)),
        ("BPR", "", ("segment_missing", "ST", 1, REFUSE)),
        ("TRN", "", ("segment_missing", "ST", 1, REFUSE)),
        ("TRN", "TRN*1**1935665544", ("trace_number", "TRN02", 3, REFUSE)),
        ("TRN", "TRN*1*TRACE01", ("payer_id", "TRN03", 3, WARN)),
        ("TRN", "TRN*1*TRACE01*1000000000", ("payer_id", "TRN03", 3, WARN)),
        ("BPR", "BPR*I*70.00*C*ACH*******WEST*****20260303", ("payer_id", "TRN04", 3, WARN)),
        ("DTM*405", "TRN*1*TRACE02*1935665544", ("segment_repeated", "TRN", 4, REFUSE)),
        ("DTM*405", "DTM*405*20261301", ("impossible_date", "DTM02", 4, WARN)),
        ("DTM*405", "CAS*CO*45*1.00", ("outside_claim", "CAS", 4, REFUSE)),
        ("DTM*405", "SVC*N4:1*1*1", ("outside_claim", "SVC", 4, REFUSE)),
        ("N1*PE", "", ("party_missing", "ST", 1, WARN)),
    ],
)
def test_heads_with_one_mistake(old: str, new: str, finding: tuple[str, str, int, Severity]) -> None:
    """Each mistake in a head is found where it stands."""
    head = [f"{segment}*EAST" if segment == "TRN*1*TRACE01*1935665544" else segment for segment in HEAD]
    assert finding in said(read_set(*CLAIM, head=swapped(old, new, head)))


def test_a_payment_date_that_is_none_gives_way_to_the_production_date_or_refuses_the_set() -> None:
    """BPR16 that is no date: DTM*405 is taken with a warning; without one the set has no date and is refused."""
    undated = swapped("BPR", "BPR*I*70.00*C*ACH************20260230", HEAD)
    refusal = ("impossible_date", "BPR16", 2, REFUSE)
    assert refusal not in said(read_set(*CLAIM, head=undated))
    assert refusal in said(read_set(*CLAIM, head=swapped("DTM*405", "", undated)))


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("CLP", "CLP*RX*1*100.00*70,00*10.00*13*PCN", ("amount", "CLP04", 7, REFUSE)),
        ("CLP", "CLP*RX*1**70.00*10.00*13*PCN", ("amount", "CLP03", 7, REFUSE)),
        ("CLP", "CLP*RX*1*100.001*70.00*10.00*13*PCN", ("amount", "CLP03", 7, REFUSE)),
        ("CLP", "CLP*RX*1*100.00*70.00*ten*13*PCN", ("amount", "CLP05", 7, REFUSE)),
        ("CLP", "CLP*RX", ("amount", "CLP03", 7, REFUSE)),
        ("CLP", "CLP*RX*77*100.00*70.00*10.00*13*PCN", ("claim_status", "CLP02", 7, WARN)),
        ("CLP", "CLP**1*100.00*70.00*10.00*13*PCN", ("rx_number", "CLP01", 7, WARN)),
        ("SVC", "SVC*N4:1**70.00**30", ("amount", "SVC02", 11, REFUSE)),
        ("SVC", "SVC*N4:1*100.00*x**30", ("amount", "SVC03", 11, REFUSE)),
        ("SVC", "SVC*N4:1*100.00*70.00**many", ("quantity", "SVC05", 11, WARN)),
        ("CAS*CO", "CAS*CO*90*--20", ("amount", "CAS03", 14, REFUSE)),
        ("CAS*CO", "CAS*CO*90*20.00**45", ("amount", "CAS06", 14, REFUSE)),
        ("CAS*CO", "CAS*CO*90*20.00" + 16 * "*" + "1*91*5", ("adjustment_too_long", "CAS20", 14, REFUSE)),
        ("CAS*CO", "CAS*ZZ*90*20.00", ("group_code", "CAS01", 14, WARN)),
        ("REF", "CAS*CO", ("adjustment_empty", "CAS03", 15, WARN)),
        ("REF", "TS3*1234567*99*20261231*1*1", ("segment_out_of_place", "TS3", 15, REFUSE)),
        ("REF", "BPR*I*5*C*ACH", ("segment_out_of_place", "BPR", 15, REFUSE)),
        ("DTM*472", "DTM*472*20260229", ("impossible_date", "DTM02", 12, REFUSE)),
        ("DTM*232", "DTM*232", ("impossible_date", "DTM02", 10, REFUSE)),
        ("DTM*232", "DTM*050*99999999", ("impossible_date", "DTM02", 10, WARN)),
    ],
)
def test_claims_with_one_mistake(old: str, new: str, finding: tuple[str, str, int, Severity]) -> None:
    """Each mistake in a claim is found where it stands, and a set with only warnings is taken over."""
    result = read_set(*swapped(old, new))
    assert finding in said(result)
    assert result.ends[0].balances == (finding[3] is WARN)
    assert result.ends[0].claim_count == 1


@pytest.mark.parametrize(
    ("plb", "paid", "finding"),
    [
        ("PLB*1234567*20261231*WO:1*0", "70.00", ("plb_zero", "PLB04", 16, WARN)),
        ("PLB*1234567*20261231*WO:1*x", "70.00", ("amount", "PLB04", 16, REFUSE)),
        ("PLB*1234567*20261231*WO:1", "70.00", ("amount", "PLB04", 16, REFUSE)),
        ("PLB*1234567*20261231*WO*1**2", "67.00", ("plb_reason", "PLB05", 16, WARN)),
        ("PLB*1234567*20261232*WO*1", "69.00", ("impossible_date", "PLB02", 16, WARN)),
        ("PLB**20261231*WO*1", "69.00", ("plb_provider", "PLB01", 16, WARN)),
        ("PLB*1234567*20261231", "70.00", ("plb_empty", "PLB03", 16, WARN)),
        ("PLB*1234567*20261231*Q9:1*1", "69.00", ("plb_reason", "PLB03", 16, WARN)),
        ("PLB*1234567*20261231*WO*1" + 11 * "*" + "WO*1", "69.00", ("plb_too_long", "PLB15", 16, REFUSE)),
    ],
)
def test_plbs_with_one_mistake(plb: str, paid: str, finding: tuple[str, str, int, Severity]) -> None:
    """Each mistake in a PLB is found where it stands, and an amount counts whatever its reason."""
    result = read_set(*CLAIM, plb, paid=paid)
    assert said(result) == [finding]


@pytest.mark.parametrize(
    ("summary", "findings"),
    [
        ("TS3*1234567*99*20261231*1*100.00", []),
        ("TS3*1234567*99*20261231*1.0*100", []),
        ("TS3*1234567*99*20261231", []),
        ("TS3*1234567*99*20261231*2*100.00", [("store_claim_count", "TS304", 8, REFUSE)]),
        ("TS3*1234567*99*20261231*1*99.99", [("store_charges", "TS305", 8, WARN)]),
        ("TS3*1234567*99*20261231*one*100.00", [("store_claim_count", "TS304", 8, WARN)]),
    ],
)
def test_the_store_summary_is_compared(summary: str, findings: list[tuple[str, str, int, Severity]]) -> None:
    """A count of claims that differs refuses; a sum of charges that differs is a warning."""
    assert said(read_set("LX*1", summary, *CLAIM)) == findings


def test_the_trailer_must_count_and_name_its_set() -> None:
    """SE01 counts ST to SE inclusive, SE02 repeats ST02."""
    segments = one_set(*CLAIM)
    result = read(enclosed(*segments[:-1], "SE*15*0002"))
    assert said(result) == [("segment_count", "SE01", 16, REFUSE), ("set_control_number", "SE02", 16, REFUSE)]
    assert (result.findings[0].expected, result.findings[0].found) == ("16", "15")


def test_a_transaction_of_another_kind_is_refused_alone() -> None:
    """An 837 between two 835s gets its end, and nothing else is said of its content."""
    other = ["ST*837*0002*005010X222A1", "BHT*0019*00*1*20260301*0600*CH", "CLP*1*1*x", "LX*1", "SE*5*0002"]
    result = read(enclosed(*one_set(*CLAIM), *other, *one_set(*CLAIM, number="0003"), sets=3))
    assert [(end.ordinal, end.balances, end.claim_count) for end in result.ends] == [
        (1, True, 1),
        (2, False, 0),
        (3, True, 1),
    ]
    assert said(result) == [("transaction_kind", "ST01", 1, REFUSE)]


def test_claims_of_a_set_without_usable_head_are_counted_only() -> None:
    """Without trace number there is nothing to attach a claim to; its mistakes are found all the same."""
    result = read_set(*swapped("CAS*CO", "CAS*CO*90*1"), head=swapped("TRN", "", HEAD))
    assert (result.headers, result.claims) == ([], [])
    assert (result.ends[0].header, result.ends[0].claim_count) == (None, 1)
    assert ("claim_balances", "CLP04", 6, REFUSE) in said(result)


def test_a_claim_whose_money_cannot_be_read_is_not_handed_on() -> None:
    """It is counted, refuses the set, and no balance of the set is judged on top."""
    result = read_set(*CLAIM, *swapped("CLP", "CLP*RX*1*100*x**13*PCN"))
    assert (len(result.claims), result.ends[0].claim_count, result.ends[0].claims_paid_cents) == (1, 2, 7000)
    assert said(result) == [("amount", "CLP04", 16, REFUSE)]


def test_segments_nobody_knows_are_passed_over() -> None:
    """Unknown segments stay inside the byte range of their claim and disturb nothing."""
    content = enclosed(*one_set(*CLAIM, "ZZZ*1*2", "QTY*ZK*30", "K3*FREE TEXT"))
    result = read(content)
    assert result.ends[0].balances
    assert content[result.claims[0].byte_start : result.claims[0].byte_end].endswith(b"K3*FREE TEXT~")


def test_findings_are_bounded_and_a_refusal_is_never_lost() -> None:
    """The thousand and first finding is counted; repeated warnings never crowd out a refusal."""
    warned = swapped("CLP", "CLP*RX*77*100.00*70.00*10.00*13*PCN")
    (end,) = read_set(*(1500 * warned), paid="105000.00").ends
    assert end.balances
    assert len(end.findings) == 21
    assert (end.findings[-1].rule, end.findings[-1].found) == ("findings_cut", "1480 more")
    wrong = ["CLP*RX*1*1*2**13*PCN"]
    (end,) = read_set(*(1200 * wrong), paid="2400.00").ends
    assert len(end.findings) == 1001
    assert (end.findings[-1].rule, end.findings[-1].found, end.balances) == ("findings_cut", "200 more", False)


def test_no_finding_shows_a_person() -> None:
    """Elements that ran together bring names and ids into amounts; a finding only describes them."""
    merged = "CLP*RX*1*DOE JANE*W99887766*123-45-6789*13*PCN"
    result = read_set(merged, "DTM*472*JANE", "CAS*JANE*45*DOE", "SVC*N4:1*1*1**DOE 1", paid="0")
    text = " ".join(finding.sentence() for finding in result.findings)
    assert len(result.findings) >= 6
    for secret in ("JANE", "DOE", "W99887766", "123-45"):
        assert secret not in text


def test_the_digest_depends_on_content_alone() -> None:
    """Other delimiters, lines, indentation and control numbers: the same. Another amount: another."""
    content = enclosed(*one_set("LX*1", *CLAIM))
    same = [
        content.replace(b"~", b"~\r\n"),
        content.replace(b"~", b"\n"),
        content.replace(b"~", b"\n~ "),
        content.translate(bytes.maketrans(b"*:~^", b"|>\x1e\x1d")),
        content.replace(b"0001", b"4711"),
        b"\r\n".join(content[at : at + 80] for at in range(0, len(content), 80)),
    ]
    (expected,) = [end.content_sha256 for end in read(content).ends]
    assert {end.content_sha256 for each in same for end in read(each).ends} == {expected}
    (other,) = [end.content_sha256 for end in read(content.replace(b"PCN1", b"PCN2")).ends]
    assert other != expected
