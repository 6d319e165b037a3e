"""Two statements of one day: what both say is paired, cent for cent, and nothing is taken for what it is not."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingest.bank.pairing import DayLine, pair_lines

_words = st.sampled_from(["", "R1", "R2", "R3"])
_payments = st.sampled_from([(), (("T1", "1360000001"),), (("T2", "1360000001"),), (("T1", ""),)])
_lines = st.lists(
    st.builds(
        DayLine,
        number=st.integers(1, 1000),
        cents=st.sampled_from([-5, 5, 7]),
        type_code=st.sampled_from(["142", "165"]),
        bank_reference=_words,
        customer_reference=_words,
        text=_words,
        payments=_payments,
    ),
    max_size=7,
)


@given(_lines, st.booleans(), st.data())
def test_a_day_pairs_with_itself(lines: list[DayLine], same_format: bool, data: st.DataObject) -> None:
    """In whatever order its lines come, every one finds itself."""
    pairing = pair_lines(lines, data.draw(st.permutations(lines)), same_format=same_format)
    assert pairing.is_whole
    assert Counter(pair.booked.words for pair in pairing.pairs) == Counter(line.words for line in lines)
    assert all(pair.booked.words == pair.again.words for pair in pairing.pairs)


@given(_lines, _lines, st.booleans())
def test_pairs_are_the_same_money(booked: list[DayLine], again: list[DayLine], same_format: bool) -> None:
    """A pair has one amount and, but for the same words, no different payments; no line is lost or taken twice."""
    pairing = pair_lines(booked, again, same_format=same_format)
    for pair in pairing.pairs:
        assert pair.booked.cents == pair.again.cents
        one, other = ({trace for trace, _ in line.payments} for line in (pair.booked, pair.again))
        assert not one or not other or one & other or pair.booked.words == pair.again.words
        assert not same_format or pair.booked.type_code == pair.again.type_code or _named_alike(pair.booked, pair.again)
    assert Counter(map(id, booked)) == Counter(
        [id(pair.booked) for pair in pairing.pairs] + [id(line) for line in pairing.only_booked]
    )
    assert Counter(map(id, again)) == Counter(
        [id(pair.again) for pair in pairing.pairs] + [id(line) for line in pairing.only_again]
    )


def _named_alike(one: DayLine, other: DayLine) -> bool:
    """Whether a payment or a reference is the same in both."""
    payments = {trace for trace, _ in one.payments} & {trace for trace, _ in other.payments}
    references = (one.bank_reference, one.customer_reference), (other.bank_reference, other.customer_reference)
    return bool(payments) or any(mine and mine == its for mine, its in zip(*references, strict=True))


@given(_lines, _lines)
def test_a_whole_pairing_moves_the_same(booked: list[DayLine], again: list[DayLine]) -> None:
    """Where nothing is left, both statements have the same amounts, each as often."""
    if pair_lines(booked, again, same_format=False).is_whole:
        assert Counter(line.cents for line in booked) == Counter(line.cents for line in again)
