"""X12 835: header, claims, PLBs and balances of a set are read whole, in exact cents."""

import io
from datetime import date

import pytest

from ingest.x12.delimiters import Delimiters
from ingest.x12.model import Claim, FileEnd, SetEnd, SetHeader
from ingest.x12.reader import read_remittances
from tests.unit.test_x12_files import CLAIM, HEAD, REFUSE, enclosed, one_set, read, read_set, said, swapped

# What is read -----------------------------------------------------------------------------------------------------


def test_a_set_in_order_gives_header_claims_end_and_file_end() -> None:
    """Every field of the header, the claim and the end is what the segments say."""
    content = enclosed(*one_set("LX*1", *CLAIM))
    result = read(content)
    start = content.index(b"ST*835")
    assert result.headers == [
        SetHeader(
            ordinal=1,
            control_number="0001",
            handling_code="I",
            payment_cents=7000,
            credit_debit="C",
            method="ACH",
            settled_on=date(2026, 3, 3),
            trace_number="TRACE01",
            payer_id="1935665544",
            payer_name="RUSHMORE RX",
            payee_name="CENTRAL PAY",
            payee="NPI:1234567893",
            payee_id="1234567893",
            byte_start=start,
            delimiters=Delimiters("*", ":", "~", "^"),
        )
    ]
    assert result.claims == [
        Claim(
            segment=8,
            payee="NPI:1811901945",
            rx_number="0123456",
            status="1",
            charge_cents=10000,
            paid_cents=7000,
            patient_cents=1000,
            payer_claim_number="PCN1",
            fill_date="20260209",
            ndc="00093721410",
            quantity="30",
            adjustments="PR3:1000;CO90:2000",
            reject_codes="",
            byte_start=content.index(b"CLP*"),
            byte_end=content.index(b"SE*17"),
        )
    ]
    (end,) = result.ends
    assert end.balances
    assert (end.header, end.ordinal, end.claim_count, end.claims_paid_cents, end.plb) == (
        result.headers[0],
        1,
        1,
        7000,
        (),
    )
    assert (end.byte_start, end.byte_end) == (start, content.index(b"GE*1"))
    assert result.file == FileEnd(interchanges=1, groups=1, sets=1, findings=())


def test_claims_come_in_blocks_of_the_size_asked_for() -> None:
    """Five claims in blocks of two are handed on as two, two and one, between header and end."""
    content = enclosed(*one_set("LX*1", *(5 * CLAIM), paid="350.00"))
    events = list(read_remittances(io.BytesIO(content), "era.835", block=2))
    assert [len(event) if isinstance(event, list) else type(event) for event in events] == [
        SetHeader,
        2,
        2,
        1,
        SetEnd,
        FileEnd,
    ]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("DTM*232*20260210", "DTM*472*20260209"), "20260209"),
        (("DTM*050*20260212", "DTM*232*20260210"), "20260210"),
        (("DTM*050*20260212", "DTM*150*20260208"), "20260208"),
        (("DTM*036*20261231", "DTM*050*20260212"), "20260212"),
        (("DTM*036*20261231",), "20261231"),
        (("DTM*233*20260210",), ""),
        ((), ""),
    ],
)
def test_the_fill_date_is_the_best_that_the_claim_has(dates: tuple[str, ...], expected: str) -> None:
    """Service date, then statement date, then period, received and expiry dates; never another date."""
    claim = [segment for segment in CLAIM if not segment.startswith("DTM")]
    result = read_set(*claim, *dates)
    assert [claim.fill_date for claim in result.claims] == [expected]
    assert result.ends[0].balances


def test_a_claim_may_have_no_service_and_no_patient_amount() -> None:
    """Adjustments at claim level alone balance it; what is absent reads as zero or empty."""
    result = read_set("CLP*RX1*4*12.5*0**13*PCN", "CAS*CO*16*12.5", "LQ*RX*70", "LQ*HE*N30", "LQ*ZZ*1", paid="0")
    (claim,) = result.claims
    assert (claim.patient_cents, claim.ndc, claim.quantity, claim.fill_date) == (0, "", "", "")
    assert (claim.adjustments, claim.reject_codes) == ("CO16:1250", "RX:70;HE:N30")
    assert result.ends[0].balances


def test_a_reversal_and_the_same_claim_again_are_three_claims() -> None:
    """Paying, taking back and paying again is read as it stands, with its signs."""
    reversal = ["CLP*RX1*22*-100*-70*-10*13*PCN", "SVC*N4:1*-100*-70**-30", "CAS*PR*3*-10", "CAS*CO*45*-20"]
    again = ["CLP*RX1*1*100*70*10*13*PCN", "SVC*N4:1*100*70**30", "CAS*PR*3*10", "CAS*CO*45*20"]
    result = read_set(*again, *reversal, *again)
    assert [claim.paid_cents for claim in result.claims] == [7000, -7000, 7000]
    assert [claim.adjustments for claim in result.claims][1] == "PR3:-1000;CO45:-2000"
    assert result.ends[0].balances


def test_a_reversal_need_not_mirror_what_it_takes_back() -> None:
    """Another adjustment group, a negative fee on a normal claim, no patient amount: it balances, nothing is found."""
    reversal = ["CLP*RX1*22*-100*-70**13*PCN", "SVC*N4:1*-100*-70**-30", "CAS*OA*23*-30"]
    normal = ["CLP*RX2*1*100*101.75**13*PCN", "SVC*N4:1*100*101.75**30", "CAS*CO*91*-1.75"]
    result = read_set(*reversal, *normal, paid="31.75")
    assert [(claim.patient_cents, claim.adjustments) for claim in result.claims] == [
        (0, "OA23:-3000"),
        (0, "CO91:-175"),
    ]
    assert result.findings == []


@pytest.mark.parametrize("number", ["0006464974", "6464974-01", "A 12/3", "X" * 38])
def test_a_prescription_number_is_kept_as_it_came(number: str) -> None:
    """Zero padding, suffixes and whatever else a payer writes into CLP01 stay."""
    result = read_set(*swapped("CLP", f"CLP*{number}*1*100.00*70.00*10.00*13*PCN1"))
    assert [claim.rx_number for claim in result.claims] == [number]
    assert result.findings == []


def test_claims_of_any_shape_keep_their_order_and_their_place() -> None:
    """Among many claims alike, those with two services, out of balance or unreadable are read where they stand."""
    two_services = ["CLP*RX2*1*100*70**13*PCN", "SVC*N4:1*60*40", "CAS*CO*45*20", "SVC*N4:2*40*30", "CAS*CO*45*10"]
    wrong = swapped("CAS*CO", "CAS*CO*90*19.99")
    unreadable = swapped("CLP", "CLP*RX4*1*x*70.00*10.00*13*PCN")
    body = [*(9 * CLAIM), *two_services, *(5 * CLAIM), *wrong, *CLAIM, *unreadable, *(4 * CLAIM)]
    content = enclosed(*one_set(*body))
    result = read(content)
    segments = [position for position, each in enumerate(one_set(*body), start=1) if each.startswith("CLP")]
    assert [claim.segment for claim in result.claims] == [*segments[:17], *segments[18:]]
    assert [claim.rx_number for claim in result.claims] == [*(9 * ["0123456"]), "RX2", *(11 * ["0123456"])]
    assert [content[claim.byte_start : claim.byte_end].count(b"CLP*") for claim in result.claims] == 21 * [1]
    assert said(result) == [
        ("service_balances", "SVC03", segments[15] + 4, REFUSE),
        ("claim_balances", "CLP04", segments[15], REFUSE),
        ("amount", "CLP03", segments[17], REFUSE),
    ]
    assert result.ends[0].claim_count == 22


def test_six_adjustments_in_one_segment_are_all_counted() -> None:
    """Amounts are elements 3, 6 to 18; quantities between them enter nothing."""
    cas = "CAS*CO*45*1.00*9*90*2.00**91*3.00*1*A2*4.00**16*5.00**23*6.00*7"
    result = read_set("CLP*RX1*1*91.00*70.00**13*PCN", cas)
    assert result.claims[0].adjustments == "CO45:100;CO90:200;CO91:300;COA2:400;CO16:500;CO23:600"
    assert result.ends[0].balances


def test_only_the_first_service_gives_product_and_quantity() -> None:
    """A second service is balanced, and leaves NDC and quantity alone; a first one without NDC gives none."""
    services = ["SVC*HC:J1*60*40**1", "CAS*CO*45*20", "SVC*N4:00093721410*40*30**15.5", "CAS*CO*45*10"]
    result = read_set("CLP*RX1*1*100*70**13*PCN", *services)
    assert (result.claims[0].ndc, result.claims[0].quantity) == ("", "1")
    assert result.ends[0].balances


def test_an_absent_service_payment_is_zero() -> None:
    """An empty SVC03 means that nothing was paid for the service."""
    result = read_set("CLP*RX1*4*100*0**13*PCN", "SVC*N4:1*100", "CAS*CO*16*100", paid="0")
    assert result.ends[0].balances


# Whose claim it is --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rendering", "store", "expected"),
    [
        ("NM1*82*2*X*****XX*1811901945", "1234567", "NPI:1811901945"),
        ("NM1*82*2*X*****XX*99", "1234567", "NPI:99"),
        ("NM1*82*2*X*****SV*7654321", "1234567", "NCPDP:7654321"),
        ("NM1*82*2*X*****BS*34426", "1234567", "NCPDP:1234567"),
        ("NM1*82*2*X******1811901945", "1234567", "NPI:1811901945"),
        ("NM1*82*2*X", "1234567", "NCPDP:1234567"),
        ("", "1811901945", "NPI:1811901945"),
        ("", "STORE12", "ID:STORE12"),
        ("", "", "NPI:1234567893"),
    ],
)
def test_the_first_usable_identifier_decides(rendering: str, store: str, expected: str) -> None:
    """The claim's own pharmacy, else the store of its LX, else the payee of the set; the first present is believed."""
    claim = swapped("NM1*82", rendering)
    result = read_set("LX*1", f"TS3*{store}*99*20261231*1*100.00", *claim)
    assert [claim.payee for claim in result.claims] == [expected]
    assert result.ends[0].balances


def test_an_lx_without_store_returns_to_the_payee_of_the_set() -> None:
    """A store holds for the claims of its own LX only."""
    claim = swapped("NM1*82", "")
    result = read_set("LX*1", "TS3*1234567*99*20261231*1*100.00", *claim, "LX*2", *claim, paid="140.00")
    assert [claim.payee for claim in result.claims] == ["NCPDP:1234567", "NPI:1234567893"]


def test_a_chain_may_have_a_set_with_a_section_for_each_store() -> None:
    """Each LX with its TS3 says whose claims follow, whatever its number and however many they are."""
    claim = swapped("NM1*82", "")
    body = ["LX*70", "TS3*1234567*99*20261231*9*900.00", *(9 * claim), "LX*3", "TS3*7654321*99*20261231*2*200.00"]
    result = read_set(*body, *(2 * claim), "LX*4", *CLAIM, paid="840.00")
    assert [claim.payee for claim in result.claims] == [
        *(9 * ["NCPDP:1234567"]),
        *(2 * ["NCPDP:7654321"]),
        "NPI:1811901945",
    ]
    assert result.findings == []


@pytest.mark.parametrize(
    ("payee", "references", "expected"),
    [
        ("N1*PE*X*XX*1234567893", ("REF*D3*7654321",), "NPI:1234567893"),
        ("N1*PE*X*FI*999944521", ("REF*PQ*10488", "REF*D3*7654321"), "NCPDP:7654321"),
        ("N1*PE*X*FI*999944521", ("REF*PQ*10488",), "PQ:10488"),
        ("N1*PE*X*FI*999944521", (), "FI:999944521"),
        ("N1*PE*X**7654321", (), "NCPDP:7654321"),
        ("N1*PE*X**1234567893", (), "NPI:1234567893"),
        ("N1*PE*X", (), ""),
    ],
)
def test_the_payee_of_a_set(payee: str, references: tuple[str, ...], expected: str) -> None:
    """An NPI first, then the NCPDP id of REF*D3, then REF*PQ, then whatever N1 says; the payer's REFs do not count."""
    head = [*HEAD[:4], "REF*D3*0000000", payee, *references]
    assert read_set(*CLAIM, head=head).headers[0].payee == expected


# Balances -----------------------------------------------------------------------------------------------------------


def test_a_service_that_does_not_balance_is_named() -> None:
    """One cent too little in an adjustment shows at the service and at its claim, with segment and byte offset."""
    content = enclosed(*one_set(*swapped("CAS*CO", "CAS*CO*90*19.99")))
    result = read(content)
    assert said(result) == [("service_balances", "SVC03", 11, REFUSE), ("claim_balances", "CLP04", 7, REFUSE)]
    service = result.findings[0]
    assert (service.expected, service.found) == ("70.01 (charge 100.00 less adjustments 29.99)", "70.00")
    assert service.byte_offset == content.index(b"SVC*")


def test_services_that_balance_do_not_make_a_claim_balance() -> None:
    """The claim has a rule of its own."""
    result = read_set(*swapped("CLP", "CLP*RX*1*100.00*69.99**13*PCN"), paid="69.99")
    assert said(result) == [("claim_balances", "CLP04", 7, REFUSE)]


def test_a_claim_that_balances_does_not_excuse_its_services() -> None:
    """Two services that are off by a cent against each other are refused, both."""
    services = ["SVC*N4:1*60*40.01", "CAS*CO*45*20", "SVC*N4:2*40*29.99", "CAS*CO*45*10"]
    result = read_set("CLP*RX1*1*100*70**13*PCN", *services)
    assert said(result) == [("service_balances", "SVC03", 8, REFUSE), ("service_balances", "SVC03", 10, REFUSE)]


def test_the_payment_is_claims_less_plb() -> None:
    """A positive PLB reduces the payment, a negative one increases it; all pairs of all PLBs count."""
    plbs = ["PLB*1234567*20261231*WO:RX1*5.00*L6*-0.25", "PLB*1811901945*20261231*FB:X:Y*-10.00"]
    content = enclosed(*one_set(*CLAIM, *plbs, paid="75.25"))
    result = read(content)
    (end,) = result.ends
    assert end.balances
    assert [adjustment[1:-2] for adjustment in end.plb] == [
        (1, "NCPDP:1234567", "1234567", "20261231", "WO", "RX1", 500),
        (2, "NCPDP:1234567", "1234567", "20261231", "L6", "", -25),
        (1, "NPI:1811901945", "1811901945", "20261231", "FB", "X:Y", -1000),
    ]
    assert [adjustment.segment for adjustment in end.plb] == [16, 16, 17]
    assert [content[each.byte_start : each.byte_end].decode() for each in end.plb] == [
        f"{plbs[0]}~",
        f"{plbs[0]}~",
        f"{plbs[1]}~",
    ]


@pytest.mark.parametrize("reason", ["WO", "FB", "L6", "CS", "AH", "72", "AM", "J1", "IR", "LE"])
def test_the_plb_reasons_that_pharmacies_meet_are_known(reason: str) -> None:
    """None of them is worth a warning; each counts with its sign."""
    result = read_set(*CLAIM, f"PLB*1234567*20261231*{reason}:1*5.00*{reason}*-7.00", paid="72.00")
    assert [(plb.reason, plb.amount_cents) for plb in result.ends[0].plb] == [(reason, 500), (reason, -700)]
    assert result.findings == []


def test_a_negative_is_carried_to_zero_by_a_forward_balance() -> None:
    """The payer never pays below zero: what is taken back beyond the payment is a negative FB, and no money moves."""
    reversal = ["CLP*RX1*22*-100*-70**13*PCN", "SVC*N4:1*-100*-70**-30", "CAS*CO*45*-30"]
    head = swapped("BPR", "BPR*H*0*C*NON************20260303", HEAD)
    result = read_set(*reversal, "PLB*1234567*20261231*FB:NEXT*-70.00", head=head)
    assert (result.headers[0].payment_cents, result.ends[0].claims_paid_cents) == (0, -7000)
    assert result.findings == []


@pytest.mark.parametrize("handling", ["I", "C", "D", "P", "U", "X"])
@pytest.mark.parametrize("method", ["ACH", "CHK", "FWT", "BOP"])
def test_the_ways_to_pay_are_known(handling: str, method: str) -> None:
    """How a payment is made and told of is read as it stands and warned of only when no guide knows it."""
    head = swapped("BPR", f"BPR*{handling}*70.00*C*{method}************20260303", HEAD)
    result = read_set(*CLAIM, head=head)
    assert [(header.handling_code, header.method) for header in result.headers] == [(handling, method)]
    assert result.findings == []


def test_six_pairs_of_a_plb_are_read() -> None:
    """Elements 03/04 to 13/14, each with its number."""
    pairs = "*".join(f"CS:{number}*{number}.00" for number in range(1, 7))
    (end,) = read_set(*CLAIM, f"PLB*1234567*20261231*{pairs}", paid="49.00").ends
    assert end.balances
    assert [(each.pair, each.reference, each.amount_cents) for each in end.plb] == [
        (number, str(number), 100 * number) for number in range(1, 7)
    ]


def test_a_set_that_does_not_balance_is_refused() -> None:
    """BPR02 a cent too much: the finding says what the parts add up to."""
    result = read_set(*CLAIM, "PLB*1234567*20261231*WO*5.00", paid="65.01")
    assert said(result) == [("set_balances", "BPR02", 2, REFUSE)]
    assert result.findings[0].expected == "65.00 (claims 70.00 less PLB 5.00)"


def test_each_set_is_judged_alone() -> None:
    """A set that is refused leaves its neighbours untouched, and the file's own counts hold."""
    result = read(
        enclosed(
            *one_set(*CLAIM, number="0001"),
            *one_set(*CLAIM, number="0002", paid="71.00"),
            *one_set(*CLAIM, number="0003"),
            sets=3,
        )
    )
    assert [(end.ordinal, end.balances, end.claim_count) for end in result.ends] == [
        (1, True, 1),
        (2, False, 1),
        (3, True, 1),
    ]
    assert result.file == FileEnd(interchanges=1, groups=1, sets=3, findings=())
