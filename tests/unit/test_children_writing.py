"""A child remittance holds a pharmacy's claims as the payer wrote them, in envelopes and heads of the PSAO's."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest

from ingest.roster import AccountType
from ingest.x12.delimiters import Delimiters
from payouts.children.composing import compose
from payouts.children.errors import ChildUnsoundError, UnfitDelimitersError
from payouts.children.model import ChildSet, Form, OwnItem, Source
from payouts.children.syntax import amount
from payouts.children.telling import ToldSet, read_back
from payouts.children.writer import write_child
from payouts.nacha.errors import NachaError
from schemas.errors import UnreadableError
from tests.support.judges import judge
from tests.unit.test_children_files import (
    NPI,
    OTHER_NPI,
    RECEIVER,
    Payer,
    child_of,
    claim,
    sources,
    written,
)

FEE = OwnItem(reason="CS", reference="PSAO-FEE-2026-11", amount_cents=200_00)
STRANGE = Delimiters("\x1d", "^", "\x1e", "\x1f")
PAYERS = (
    Payer(),
    Payer(width=80),
    Payer(width=1),
    Payer(after="\r\n"),
    Payer(after="\n    "),
    Payer(Delimiters("|", ">", "~", "^")),
    Payer(STRANGE),
    Payer(STRANGE, width=80),
    Payer(Delimiters("*", ":", "\n", "^")),
    Payer(Delimiters("*", ":", "\n", "^"), after="\r"),
    Payer(Delimiters("*", ":", "\r", "^")),
    Payer(Delimiters("*", ":", "~")),
    Payer(Delimiters("*", "^", "~")),
)


def two_stores(payer: Payer, *, paid: str = "1080") -> bytes:
    """Write a payer's file: two claims of ours around one of another store, and a PLB of each."""
    return payer.file(
        "LX*1",
        *claim(1, "500"),
        *claim(2, "300", OTHER_NPI),
        *claim(3, "290"),
        f"PLB*{NPI}*20261231*WO:A-17*20*L6*-10",
        f"PLB*{OTHER_NPI}*20261231*WO:B*0.00",
        paid=paid,
    )


def combined(found: list[Source], *own: OwnItem, paid_cents: int) -> tuple[ChildSet, ...]:
    """Compose one payment."""
    return compose(found, own, paid_cents=paid_cents, form=Form.COMBINED, trace_number=lambda _: "CP1P1")


def told(content: bytes) -> list[ToldSet]:
    """Read children back."""
    return list(read_back(io.BytesIO(content), "the child"))


def text_of(content: bytes) -> list[str]:
    """Give the segments of a child with the usual delimiters."""
    return content.decode().split("~")[:-1]


def segments(content: bytes, one: ToldSet) -> list[list[str]]:
    """Give the segments of one set as elements, from the bytes that it says are its own."""
    text = content[one.byte_start : one.byte_end].decode("latin-1")
    return [segment.split(text[2]) for segment in text.split(text[-1])[:-1]]


# What is written --------------------------------------------------------------------------------------------------


def test_a_child_reads_as_the_guide_has_it() -> None:
    """Every segment of a combined child: envelopes, our payment, the payer's loop, TS3, claims, PLBs, the own set."""
    content = two_stores(Payer())
    sets = combined(sources(content), FEE, paid_cents=580_00)
    head = [
        "TRN*1*CP1P1*1363636363",
        "DTM*405*20260302",
        "N1*PR*RUSHMORE RX",
        "N3*1 PAYMENT PLAZA",
        "N4*RAPID CITY*SD*57701",
        "PER*BL*REMITTANCES*TE*8005550100",
    ]
    payee = [f"N1*PE*CORNER PHARMACY*XX*{NPI}", "REF*D3*3312345", "REF*TJ*363636360"]
    assert text_of(written(child_of(sets))) == [
        f"ISA*00*{'':10}*00*{'':10}*ZZ*1363636363     *ZZ*3312345        *261123*0805*^*00501*000000077*0*P*:",
        "GS*HP*1363636363*3312345*20261123*0805*77*X*005010X221A1",
        "ST*835*0001",
        "BPR*I*580*C*ACH*CCP*01*071000013***1363636363**01*011000015*DA*7654321*20261124",
        *head,
        *payee,
        "LX*1",
        f"TS3*{NPI}*01*20261231*2*200",
        *claim(1, "500"),
        *claim(3, "290"),
        f"PLB*{NPI}*20261231*WO:A-17*20*L6*-10",
        f"PLB*{NPI}*20261231*FB:PSAO-TRANSFER*200",
        "SE*32*0001",
        "ST*835*0002",
        "BPR*I*0*C*ACH*CCP*01*071000013***1363636363**01*011000015*DA*7654321*20261124",
        "TRN*1*CP1P1*1363636363",
        "N1*PR*CENTRAL PAY",
        "N3*1 MAIN ST",
        "N4*PEORIA*IL*61602",
        "PER*BL*CENTRAL PAY*TE*3095550100",
        *payee,
        f"PLB*{NPI}*20261231*CS:PSAO-FEE-2026-11*200*FB:PSAO-TRANSFER*-200",
        "SE*12*0002",
        "GE*2*77",
        "IEA*1*000000077",
    ]


def test_own_items_stand_six_in_a_plb() -> None:
    """Eight months of fees and what is lent for them: two PLBs, and all nine items come back in their order."""
    fees = [OwnItem(reason="CS", reference=f"PSAO-FEE-2026-0{month}", amount_cents=10_00) for month in range(1, 9)]
    content = written(child_of(combined(sources(two_stores(Payer())), *fees, paid_cents=700_00)))
    own = told(content)[1]
    assert [segment[0] for segment in segments(content, own)].count("PLB") == 2
    assert own.own[:8] == tuple(fees)
    assert [(item.reference, item.amount_cents) for item in own.own[8:]] == [("PSAO-TRANSFER", -80_00)]


def test_a_child_without_payout_names_no_account() -> None:
    """Notification only: BPR01 H, BPR04 NON, zero and the date; a receiver without account is enough."""
    carry = OwnItem(reason="FB", reference="PSAO-CARRY", amount_cents=780_00)
    sets = combined(sources(two_stores(Payer())), carry, paid_cents=0)
    receiver = replace(RECEIVER, routing_number=None, account_number=None, account_type=None)
    content = written(child_of(sets, receiver=receiver))
    assert [each for each in text_of(content) if each.startswith("BPR")] == 2 * ["BPR*H*0*C*NON************20261124"]
    assert [(each.payment_cents, each.method, each.own_plb_cents) for each in told(content)] == [
        (0, "NON", 780_00),
        (0, "NON", 0),
    ]


def test_money_goes_to_a_savings_account_as_such() -> None:
    """BPR14 tells a savings account."""
    receiver = replace(RECEIVER, account_type=AccountType.SAVINGS)
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00), receiver=receiver))
    assert b"*01*011000015*SG*7654321*" in content


@pytest.mark.parametrize("payer", PAYERS, ids=repr)
def test_claims_stay_as_they_came_but_for_the_line_wrapping(payer: Payer) -> None:
    """In any delimiters and however wrapped: the child has the claims and PLBs of its pharmacy, byte for byte."""
    found = sources(two_stores(payer))
    content = written(child_of(combined(found, FEE, paid_cents=580_00)))
    plain = Payer(payer.delimiters)
    ours = plain.lines(*claim(1, "500"), *claim(3, "290"), f"PLB*{NPI}*20261231*WO:A-17*20*L6*-10").encode()
    assert content.count(ours) == 1
    assert OTHER_NPI.encode() not in content
    payers, own = told(content)
    assert (payers.claim_count, payers.charge_cents, payers.claims_cents, payers.payer_plb_cents) == (
        2,
        200_00,
        790_00,
        10_00,
    )
    assert (payers.payment_cents, own.payment_cents) == (580_00, 0)
    assert payers.claim_payees == {f"NPI:{NPI}"}
    assert payers.findings == own.findings == ()


def test_each_set_of_delimiters_has_an_interchange_and_a_number_of_its_own() -> None:
    """Sources of three payers, two of them with the same delimiters: two interchanges, our set in the first."""
    found = [
        *sources(two_stores(Payer(STRANGE, name="FIRST")), first_id=1),
        *sources(two_stores(Payer(name="SECOND")), first_id=2),
        *sources(two_stores(Payer(STRANGE, width=80, name="THIRD")), first_id=3),
    ]
    child = child_of(combined(found, FEE, paid_cents=3 * 780_00 - 200_00))
    content = written(child)
    assert child.interchange_count == 2
    first, second = content.split(b"\x1eISA*")
    assert b"\x1dZZ\x1d3312345        \x1d" in first
    assert [line for line in first.decode().split("\x1e") if line.startswith(("GE", "IEA"))] == [
        "GE\x1d3\x1d77",
        "IEA\x1d1\x1d000000077",
    ]
    assert second.endswith(b"~GE*1*78~IEA*1*000000078~")
    assert [each.payer_name for each in told(content)] == ["FIRST", "THIRD", "CENTRAL PAY", "SECOND"]
    assert [segments(content, each)[0][2] for each in told(content)] == ["0001", "0002", "0003", "0004"]


def test_claims_are_written_while_they_are_read() -> None:
    """A child of any size takes constant memory: claims are taken one by one, and are out before the last comes."""
    (source,) = sources(Payer().file("LX*1", *claim(1, "70"), paid="70"))
    (raw,) = source.claims
    waiting: list[int] = []
    out = io.BytesIO()

    def claims() -> Iterator[bytes]:
        for index in range(5000):
            waiting.append(index * len(raw) - len(out.getvalue()))
            yield raw

    many = replace(source, claims=claims(), claim_count=5000, charge_cents=500_000_00, claims_cents=350_000_00)
    write_child(out, child_of(combined([many], paid_cents=350_000_00)))
    assert max(waiting) < 70_000 < 5000 * len(raw)
    assert [(each.claim_count, each.payment_cents) for each in told(out.getvalue())] == [(5000, 350_000_00)]


def test_children_one_after_the_other_are_told_apart() -> None:
    """A file of many children: each set says where it begins and ends, and those bytes are the set."""
    one = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00), control_number=1))
    other = written(child_of(combined(sources(two_stores(Payer(STRANGE))), FEE, paid_cents=580_00), control_number=2))
    content = one + other + one
    sets = told(content)
    assert [each.ordinal for each in sets] == [1, 2, 3, 4]
    assert [each.byte_start for each in sets] == [
        one.index(b"ST*835"),
        len(one) + other.index(b"ST\x1d835"),
        len(one) + other.rindex(b"ST\x1d835"),
        len(one + other) + one.index(b"ST*835"),
    ]
    for each in sets:
        opened, *_, closed = segments(content, each)
        assert (opened[0], closed[0], closed[2]) == ("ST", "SE", opened[2])


# Names and heads --------------------------------------------------------------------------------------------------


def test_a_name_never_breaks_a_set() -> None:
    """Delimiters in a name are blanks, also those of other interchanges; accents go; it is cut to 60 characters."""
    receiver = replace(RECEIVER, name="Botica   Peñón*North~|\x1e " + 60 * "X")
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00), receiver=receiver))
    assert f"~N1*PE*Botica Penon North {41 * 'X'}*XX*{NPI}~".encode() in content
    receiver = replace(RECEIVER, name="***")
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00), receiver=receiver))
    assert f"~N1*PE*3312345*XX*{NPI}~".encode() in content


def test_a_head_without_payer_gets_the_name_in_the_books() -> None:
    """Some heads have no N1*PR and no DTM*405; the payer is named all the same, or said to have no name."""
    (source,) = sources(two_stores(Payer()))
    bare = replace(source, head=b"ST*835*0001~BPR*I*1080~TRN*1*X~N1*PE*CENTRAL PAY~N3*1 ROAD~")
    content = written(child_of(combined([bare], paid_cents=780_00)))
    assert "~N1*PR*AS IN THE BOOKS~N1*PE*" in content.decode()
    assert "DTM*405" not in content.decode()
    assert [each.payer_name for each in told(content)] == ["AS IN THE BOOKS"]
    content = written(child_of(combined([replace(bare, payer_name="")], paid_cents=780_00)))
    assert [each.payer_name for each in told(content)] == ["PAYER NOT NAMED"]


def test_of_the_payers_loop_all_is_kept_and_nothing_of_the_payees() -> None:
    """N1*PR with all that belongs to it, wherever it stands; what belongs to N1*PE is ours."""
    (source,) = sources(two_stores(Payer()))
    head = b"ST*835*1~N1*PE*WHO~REF*TJ*1~RDM*BM~N1*PR*P~N2*Q~N3*1~N3*2~N4*C~REF*2U*A~REF*EO*B~PER*CX~PER*BL~"
    content = written(child_of(combined([replace(source, head=head)], paid_cents=780_00)))
    copied = text_of(content)
    start = copied.index("N1*PR*P")
    assert copied[start + 1 : start + 9] == [
        "N2*Q",
        "N3*1",
        "N3*2",
        "N4*C",
        "REF*2U*A",
        "REF*EO*B",
        "PER*CX",
        "PER*BL",
    ]
    assert copied[start + 9].startswith("N1*PE*CORNER")


@pytest.mark.parametrize("payer", PAYERS, ids=repr)
def test_the_payers_loop_is_copied_from_a_wrapped_head(payer: Payer) -> None:
    """However the head came, DTM*405 and the payer's loop stand whole between our TRN and N1*PE."""
    content = written(child_of(combined(sources(two_stores(payer)), paid_cents=780_00)))
    loop = ("N1*PR*RUSHMORE RX", "N3*1 PAYMENT PLAZA", "N4*RAPID CITY*SD*57701", "PER*BL*REMITTANCES*TE*8005550100")
    lines = Payer(payer.delimiters).lines
    assert lines("TRN*1*CP1P1*1363636363", "DTM*405*20260302", *loop).encode() in content


# What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("marks", [Delimiters("|", "-", "~"), Delimiters("*", ":", "~", ".")])
def test_delimiters_that_our_own_words_need_are_refused(marks: Delimiters) -> None:
    """With a dash or a point as delimiter neither -0.50 nor PSAO-FEE can be written: refused, by the advice."""
    (source,) = sources(two_stores(Payer()))
    with pytest.raises(UnfitDelimitersError, match="Advice 1 came with the delimiters") as caught:
        replace(source, delimiters=marks)
    assert caught.value.delimiters == marks.text


def test_a_number_that_holds_a_delimiter_is_refused() -> None:
    """A trace number is never bent to fit: it must be the payment's."""
    found = sources(two_stores(Payer(Delimiters("|", ">", "~", "^"))))
    sets = compose(found, [], paid_cents=780_00, form=Form.COMBINED, trace_number=lambda _: "CP|1")
    with pytest.raises(ValueError, match="TRN holds a delimiter"):
        written(child_of(sets))


def test_the_claims_are_as_many_as_the_books_say() -> None:
    """A claim too few or too many is refused while writing."""
    (source,) = sources(two_stores(Payer()))
    short = replace(source, claims=iter(list(source.claims)[:1]))
    with pytest.raises(ValueError, match="advice 1 gives 1 claims, the books say 2"):
        written(child_of(combined([short], paid_cents=780_00)))


def test_only_whole_segments_are_copied() -> None:
    """A byte range that ends within a segment would run into the next: refused."""
    (source,) = sources(two_stores(Payer()))
    cut = replace(source, claims=[each[:-1] for each in source.claims])
    with pytest.raises(ValueError, match="not whole segments"):
        written(child_of(combined([cut], paid_cents=780_00)))


def test_a_trace_number_that_the_addenda_could_not_carry_is_refused() -> None:
    """The payment's addenda has its own delimiters; what they forbid the remittance does not say either."""
    found = sources(two_stores(Payer(Delimiters("|", ">", "\n", "^"))))
    sets = compose(found, [], paid_cents=780_00, form=Form.COMBINED, trace_number=lambda _: "CP~1")
    with pytest.raises(NachaError, match="trace_number"):
        written(child_of(sets))


@pytest.mark.parametrize("cents_off", [1, -1])
def test_a_child_that_does_not_balance_is_not_told(cents_off: int) -> None:
    """The books say other sums than the claims do: reading back refuses the set, with the finding."""
    (source,) = sources(two_stores(Payer()))
    wrong = replace(source, claims_cents=source.claims_cents + cents_off)
    content = written(child_of(combined([wrong], paid_cents=780_00 + cents_off)))
    with pytest.raises(ChildUnsoundError, match="the child, set 1 is no sound remittance") as caught:
        told(content)
    assert [finding.rule for finding in caught.value.findings] == ["set_balances"]


def test_an_envelope_that_does_not_agree_is_not_told() -> None:
    """A control number that was changed after writing condemns the file."""
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00)))
    with pytest.raises(ChildUnsoundError, match="the child is no sound remittance") as caught:
        told(content.replace(b"IEA*1*000000077", b"IEA*1*000000078"))
    assert [finding.rule for finding in caught.value.findings] == ["interchange_control_number"]


def test_a_set_without_head_is_not_told() -> None:
    """A set whose trace number is gone has no header; it is refused, not passed over."""
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00)))
    with pytest.raises(ChildUnsoundError, match="TRN"):
        told(content.replace(b"TRN*1*CP1P1*1363636363~", b"").replace(b"SE*32", b"SE*31"))


def test_a_stream_without_interchange_is_unreadable() -> None:
    """Nothing is no remittance."""
    with pytest.raises(UnreadableError):
        told(b"")


def test_a_payers_reference_that_looks_reserved_stays_the_payers() -> None:
    """Only what the PSAO itself could have written is its own: with another reason it is the payer's."""
    body = ("LX*1", *claim(1, "70"), f"PLB*{NPI}*20261231*WO:PSAO-1*10*CS:PSAO*5*CS:PSAO-X*0")
    (source,) = sources(Payer().file(*body, paid="55"))
    (only,) = told(written(child_of(combined([source], paid_cents=55_00))))
    assert (only.own, only.payer_plb_cents) == ((), 15_00)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"sets": ()}, "at least one set"),
        ({"made_at": datetime(2026, 11, 23, 8)}, "time zone"),  # noqa: DTZ001 (what is refused)
        ({"control_number": 0}, "nine digits"),
        ({"control_number": 10**9}, "nine digits"),
        ({"receiver": replace(RECEIVER, account_number=None)}, "money goes to 3312345, but to no account"),
    ],
)
def test_a_child_that_can_not_be_sent_is_not_made(changed: dict[str, object], match: str) -> None:
    """It has a set, a moment with a time zone, control numbers of nine digits, and an account where money goes."""
    child = child_of(combined(sources(two_stores(Payer())), paid_cents=780_00))
    with pytest.raises(ValueError, match=match):
        replace(child, **changed)  # type: ignore[arg-type]  # each is of its field's type


@pytest.mark.parametrize(
    ("cents", "text"), [(200_00, "200"), (-50, "-0.5"), (12_05, "12.05"), (0, "0"), (1000_10, "1000.1"), (-3, "-0.03")]
)
def test_amounts_have_no_zeros_at_their_end(cents: int, text: str) -> None:
    """Type R: two decimals at most, none where they are zeros."""
    assert amount(cents) == text


# Readers that we did not write ------------------------------------------------------------------------------------


def judged_children() -> Iterator[bytes]:
    """Write children of every kind, each with one interchange."""
    for payer in PAYERS:
        found = [*sources(two_stores(payer), first_id=1), *sources(two_stores(payer), first_id=2)]
        for form in Form:
            numbers = {1: "CP1P1", 2: "CP1P2", None: "CP1"}
            for own, paid_cents in (
                ((FEE,), 1360_00),
                ((replace(FEE, amount_cents=1000_00),), 560_00),
                ((OwnItem(reason="FB", reference="PSAO-HOLD", amount_cents=-40_00),), 1600_00),
                ((OwnItem(reason="FB", reference="PSAO-CARRY", amount_cents=1560_00),), 0),
            ):
                sets = compose(found, own, paid_cents=paid_cents, form=form, trace_number=numbers.__getitem__)
                yield written(child_of(sets))


def test_oxedi_finds_nothing_in_any_child() -> None:
    """An independent reader counts the same claims and the same money, and has nothing to say, not even of form."""
    oxedi = judge("oxedi", "oxedi")
    for content in judged_children():
        result = oxedi.parse(content)
        assert [str(each) for each in result.diagnostics] == []
        sets = told(content)
        assert result.count_claims() == sum(each.claim_count for each in sets) == 4
        assert 100 * result.sum_payments() == sum(each.payment_cents for each in sets)


def test_oxedi_sees_an_imbalance() -> None:
    """The judge is awake: a cent too much in BPR02 is a finding of level 3."""
    oxedi = judge("oxedi", "oxedi")
    content = written(child_of(combined(sources(two_stores(Payer())), paid_cents=780_00)))
    result = oxedi.parse(content.replace(b"BPR*I*780*", b"BPR*I*780.01*"))
    assert [each.level for each in result.diagnostics] == [3]


def test_badx12_reads_every_child() -> None:
    """Another independent reader finds envelopes whose counts and control numbers agree, and all segments."""
    parser = judge("badx12", "badx12.parser")
    for content in judged_children():
        text = content.decode("latin-1")
        if "\r" in text or "\n" in text:
            continue  # it takes line feeds away before it looks for the terminator
        document = parser.Parser().parse_document(text)
        assert [str(error) for error in document.validate().error_list] == []
        sets = document.interchange.groups[0].transaction_sets
        assert len(sets) == len(told(content))
        segments = sum(len(each.transaction_body) + 2 for each in sets)
        assert segments + 4 == text.count(document.config.segment_terminator)
