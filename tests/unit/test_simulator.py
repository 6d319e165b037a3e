"""The simulated bank: takes files like an operator, keeps its balance, and answers when and how its rules say."""

from datetime import date, time, timedelta
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.demo.simulator.bank import Bank, Day, DaysPastError, FileRepeatedError
from app.demo.simulator.rules import (
    Again,
    Change,
    Contest,
    Dishonor,
    Pick,
    Return,
    ReturnCredits,
    Rules,
    Settlement,
)
from ingest.bank.bai2 import read_bai2
from ingest.bank.bai2_writer import StatementLine
from payouts.nacha.batch import AchBatch, balanced
from payouts.nacha.codes import TransactionCode
from payouts.nacha.entry import AchEntry
from payouts.nacha.models import AchFile
from payouts.nacha.reader import read_nacha
from payouts.nacha.records import Entry
from payouts.nacha.trn import Trn
from payouts.nacha.writer import write_nacha
from schemas.calendar import add_banking_days, is_banking_day
from schemas.errors import UnreadableError, WrongUseError
from schemas.identifiers import AbaRouting, PayerId
from tests.support.trade import BANK_ACCOUNT, PAYER

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, 16 + number) for number in range(5))
RDFI = AbaRouting("071000013")
ODFI = AbaRouting("091000019")


def _entry(number: int, cents: int, code: TransactionCode = TransactionCode.CHECKING_CREDIT) -> AchEntry:
    return AchEntry(
        routing=RDFI,
        account_number=f"77{number:06d}",
        amount_cents=cents,
        receiver_name=f"EXAMPLE DRUG {number}",
        identification=f"14{number:05d}",
        trace_sequence=number,
        transaction_code=code,
        trn=Trn(trace_number=f"CP{number}", originator=PayerId("1999999999")) if cents else None,
    )


def _batch(*entries: AchEntry, description: str = "HCCLAIMPMT") -> AchBatch:
    return AchBatch(
        batch_number=1,
        company_name="CENTRALPAY",
        company_id="1999999999",
        odfi=ODFI,
        effective_entry_date=TUESDAY,
        entry_description=description,
        entries=entries,
    )


def _written(batch: AchBatch, modifier: str = "A") -> bytes:
    file = AchFile(
        destination=ODFI,
        origin="1999999999",
        destination_name="ODFI",
        origin_name="CENTRALPAY",
        created_on=MONDAY,
        created_time=time(12),
        id_modifier=modifier,
        reference_code="CP7",
        batches=(batch,),
    )
    return write_nacha(file)


def _file(*amounts: int, modifier: str = "A", first: int = 1) -> bytes:
    return _written(_batch(*(_entry(number, cents) for number, cents in enumerate(amounts, first))), modifier)


def _bank(rules: Rules | None = None, *, cents: int = 10_000_00, seed: int = 0) -> Bank:
    return Bank(BANK_ACCOUNT, cents, rules or Rules(), seed)


def _lines(day: Day) -> list[tuple[str, int]]:
    return [(line.type_code, line.amount_cents) for line in day.lines]


def _answers(content: bytes) -> list[Entry]:
    """Read a file of answers by the reader that takes the bank's real ones."""
    files = read_nacha(BytesIO(content), "answers").accepted_files()
    return [entry for file in files for batch in file.batches for entry in batch.entries]


def test_a_file_is_debited_in_one_amount_on_its_effective_date() -> None:
    """10,000.00; 12.34 and 100.00 sent on Monday for Tuesday: Monday closes as it opened, Tuesday 112.34 lower."""
    bank = _bank()
    bank.send(_file(12_34, 100_00), MONDAY)
    assert (bank.close(MONDAY).lines, bank.balance_cents) == ((), 10_000_00)
    day = bank.close(TUESDAY)
    assert _lines(day) == [("455", 112_34)]
    assert "CP7" in day.lines[0].text
    assert (day.opening_cents, day.closing_cents) == (10_000_00, 9_887_66)


def test_settlement_by_entry_names_each_trace() -> None:
    """Each entry is a debit of its own, with its trace, its receiver's id and its TRN."""
    bank = _bank(Rules(settlement=Settlement.BY_ENTRY))
    bank.send(_file(12_34, 100_00), MONDAY)
    day = bank.close(TUESDAY)
    assert _lines(day) == [("455", 12_34), ("455", 100_00)]
    assert "091000010000002 1400002 TRN*1*CP2*1999999999~" in day.lines[1].text


def test_a_balanced_file_moves_its_offset() -> None:
    """Where the file debits the account itself, the bank makes no total of its own: 112.34 leave once."""
    batch = balanced(
        _batch(_entry(1, 12_34), _entry(2, 100_00)),
        account_number=BANK_ACCOUNT,
        trace_sequence=3,
        receiver_name="CENTRALPAY",
    )
    bank = _bank(Rules(returns=(Return(code="R03"),)))
    bank.send(_written(batch), MONDAY)
    assert _lines(bank.close(TUESDAY)) == [("455", 112_34)]
    assert len(_answers(bank.close(THURSDAY).answers[0])) == 2


def test_debits_bring_money() -> None:
    """A file that asks a payment back credits the account on its day."""
    bank = _bank(cents=0)
    bank.send(_written(_batch(_entry(1, 100_00, TransactionCode.CHECKING_DEBIT), description="REVERSAL")), MONDAY)
    assert _lines(bank.close(TUESDAY)) == [("142", 100_00)]


def test_a_prenote_moves_nothing_and_may_be_answered() -> None:
    """An entry of no amount settles without a line; its return comes as an answer without money."""
    bank = _bank(Rules(returns=(Return(code="R04"),)))
    bank.send(_written(_batch(_entry(1, 0, TransactionCode.CHECKING_PRENOTE), description="PRENOTE")), MONDAY)
    assert bank.close(TUESDAY).lines == ()
    day = bank.close(THURSDAY)
    assert [(each.amount_cents, each.addenda[0].text[:3]) for each in _answers(day.answers[0])] == [(0, "R04")]
    assert day.lines == ()


def test_a_file_is_taken_once() -> None:
    """The same origin, date, time and modifier again is refused and changes nothing; the next modifier is taken."""
    bank = _bank()
    bank.send(_file(100), MONDAY)
    with pytest.raises(FileRepeatedError):
        bank.send(_file(200, first=9), MONDAY)
    bank.send(_file(300, modifier="B", first=20), MONDAY)
    assert _lines(bank.close(TUESDAY)) == [("455", 100), ("455", 300)]


def test_a_damaged_file_is_refused() -> None:
    """A file whose control does not foot is not taken."""
    with pytest.raises(UnreadableError):
        _bank().send(_file(100).replace(b"0000000100", b"0000000101", 1), MONDAY)


def test_days_go_forward_and_banks_have_holidays() -> None:
    """A closed day stays closed; Saturday and Thanksgiving have no statement, and what is due then comes after."""
    bank = _bank()
    bank.close(FRIDAY)
    with pytest.raises(DaysPastError):
        bank.send(_file(100), FRIDAY)
    for day in (date(2026, 11, 21), date(2026, 11, 26)):
        with pytest.raises(WrongUseError, match="no banking day"):
            bank.close(day)
    bank.send(_file(100), date(2026, 11, 21))
    assert _lines(bank.close(date(2026, 11, 23))) == [("455", 100)]


def test_a_return_comes_with_its_money() -> None:
    """The entry of 100.00 settles Tuesday and is back two banking days later: file, trace, code and credit."""
    bank = _bank(Rules(returns=(Return(code="R03", pick=Pick(amount_cents=100_00)),)))
    bank.send(_file(12_34, 100_00), MONDAY)
    assert [bank.close(each).answers for each in (TUESDAY, WEDNESDAY)] == [(), ()]
    day = bank.close(THURSDAY)
    (entry,) = _answers(day.answers[0])
    assert (entry.transaction_code, entry.amount_cents, entry.routing) == ("21", 100_00, ODFI)
    assert entry.addenda[0].text[:3] == "R03"
    assert entry.addenda[0].text[3:18] == "091000010000002"
    assert _lines(day) == [("257", 100_00)]
    assert "R03 091000010000002" in day.lines[0].text
    assert day.closing_cents == 10_000_00 - 12_34


@pytest.mark.parametrize(
    ("shown", "lines"),
    [
        (ReturnCredits.SINGLE, [("257", 1_00), ("257", 2_00)]),
        (ReturnCredits.UNNAMED, [("257", 1_00), ("257", 2_00)]),
        (ReturnCredits.DAY_TOTAL, [("257", 3_00)]),
    ],
)
def test_returns_are_credited_as_the_bank_is_used_to(shown: ReturnCredits, lines: list[tuple[str, int]]) -> None:
    """One by one, one by one without a name, or as the total of the day; the money is the same."""
    bank = _bank(Rules(returns=(Return(code="R02"),), return_credits=shown))
    bank.send(_file(1_00, 2_00), MONDAY)
    bank.close(TUESDAY)
    day = bank.close(THURSDAY)
    assert _lines(day) == lines
    assert any("0910000100000" in line.text for line in day.lines) is (shown is ReturnCredits.SINGLE)
    assert bank.balance_cents == 10_000_00


@pytest.mark.parametrize(("after", "credited_on"), [(0, THURSDAY), (1, FRIDAY), (None, None)])
def test_the_money_of_a_return_may_come_later_or_never(after: int | None, credited_on: date | None) -> None:
    """The answer is there on Thursday in any case; its credit that day, the next, or not at all."""
    bank = _bank(Rules(returns=(Return(code="R02", credited_after_days=after),)))
    bank.send(_file(1_00), MONDAY)
    days = [bank.close(day) for day in (TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)]
    assert [day.day for day in days if day.answers] == [THURSDAY]
    assert [day.day for day in days if ("257", 1_00) in _lines(day)] == ([credited_on] if credited_on else [])


def test_a_late_return_comes_after_twenty_banking_days() -> None:
    """Thanksgiving and weekends are not counted: settled 17 November, back on 16 December."""
    bank = _bank(Rules(returns=(Return(code="R23", after_days=20),)))
    bank.send(_file(1_00), MONDAY)
    days = [TUESDAY + timedelta(days=number) for number in range(40)]
    answered = [day for day in days if is_banking_day(day) and bank.close(day).answers]
    assert answered == [add_banking_days(TUESDAY, 20)] == [date(2026, 12, 16)]


def test_a_correction_moves_no_money() -> None:
    """A notification of change comes in a batch of class COR with nothing on it but the corrected data."""
    corrected = f"{RDFI}   {'88123':17}"
    bank = _bank(Rules(changes=(Change(code="C03", corrected=corrected, pick=Pick(identification="1400001")),)))
    bank.send(_file(1_00, 2_00), MONDAY)
    bank.close(TUESDAY)
    day = bank.close(THURSDAY)
    (file,) = read_nacha(BytesIO(day.answers[0]), "answers").accepted_files()
    (batch,) = file.batches
    (entry,) = batch.entries
    assert (batch.header.entry_class, entry.amount_cents, day.lines) == ("COR", 0, ())
    assert entry.addenda[0].type_code == "98"
    assert entry.addenda[0].text == f"C03091000010000001      {RDFI[:8]}{corrected.rstrip()}"


@pytest.mark.parametrize("again", Again)
def test_answers_come_again_when_told_to(again: Again) -> None:
    """The day's answers come a second time, in the same file or another one; their money does not."""
    bank = _bank(Rules(returns=(Return(code="R04", again=again),)))
    bank.send(_file(1_00), MONDAY)
    bank.close(TUESDAY)
    first, second = bank.close(THURSDAY), bank.close(FRIDAY)
    assert (second.answers == first.answers) is (again is Again.SAME_FILE)
    assert [entry.trace_number for entry in _answers(second.answers[0])] == [
        entry.trace_number for entry in _answers(first.answers[0])
    ]
    assert second.lines == ()
    assert bank.close(date(2026, 11, 23)).answers == ()


def test_a_disputed_return_goes_to_and_fro() -> None:
    """Returned Thursday, dishonored two banking days later, contested a day after: credit, debit, credit.

    10,000.00; 100.00 paid; 100.00 returned; 100.00 debited again; 100.00 credited again. Each names the one before.
    """
    rule = Return(code="R03", dishonored=Dishonor(contested=Contest()))
    bank = _bank(Rules(returns=(rule,)))
    bank.send(_file(100_00), MONDAY)
    seen = []
    texts: list[str] = []
    for number in range(8):
        day = add_banking_days(TUESDAY, number)
        closed = bank.close(day)
        seen.append(closed.closing_cents)
        texts.extend(entry.addenda[0].text for content in closed.answers for entry in _answers(content))
    low, high = 9_900_00, 10_000_00
    assert seen == [low, low, high, high, low, high, high, high]
    returned, dishonored, contested = texts
    assert returned.startswith("R03091000010000001")
    assert dishonored.startswith("R68091000010000001")
    assert contested.startswith("R73091000010000001")
    return_trace = dishonored[35:50]
    assert return_trace == contested[35:50]
    assert dishonored[50:55] == f"{THURSDAY:%j}03"
    assert contested[70:75].endswith("68")


def test_payments_come_in_with_their_entries() -> None:
    """A payer's payment is a credit that names its TRN, in the statement and in the file of received items."""
    bank = _bank(cents=0)
    bank.receive(PAYER, 500_00, "T100", MONDAY)
    bank.receive(PAYER, 7_00, "T101", MONDAY)
    day = bank.close(MONDAY)
    assert _lines(day) == [("142", 500_00), ("142", 7_00)]
    assert day.received is not None
    entries = _answers(day.received)
    assert [(each.amount_cents, each.addenda[0].text) for each in entries] == [
        (500_00, "TRN*1*T100*1360000001~"),
        (7_00, "TRN*1*T101*1360000001~"),
    ]
    assert bank.close(TUESDAY).received is None


def test_charges_and_other_lines() -> None:
    """A charge debits the account; any other line moves it by its code."""
    bank = _bank(cents=1_000)
    bank.charge(150, "ACCOUNT ANALYSIS FEE", MONDAY)
    bank.post(StatementLine("195", 50, "W1", "", "INCOMING WIRE"), MONDAY)
    assert bank.close(MONDAY).closing_cents == 900


def test_the_same_seed_is_the_same_bank() -> None:
    """A share of entries is returned; which ones depends on the seed and on nothing else."""
    rules = Rules(returns=(Return(code="R03", pick=Pick(share=2_000)),))

    def returned(seed: int) -> bytes:
        bank = _bank(rules, seed=seed)
        bank.send(_file(*range(1, 101)), MONDAY)
        bank.close(TUESDAY)
        return bank.close(THURSDAY).answers[0]

    assert returned(1) == returned(1) != returned(2)
    assert 5 < len(_answers(returned(1))) < 40


_RULES = st.builds(
    Rules,
    returns=st.lists(
        st.builds(
            Return,
            code=st.sampled_from(["R01", "R03", "R16"]),
            pick=st.builds(Pick, share=st.sampled_from([0, 3_000, 10_000])),
            after_days=st.integers(0, 4),
            credited_after_days=st.none() | st.integers(0, 2),
            again=st.none() | st.sampled_from(Again),
            dishonored=st.none() | st.builds(Dishonor, contested=st.none() | st.builds(Contest)),
        ),
        max_size=3,
    ),
    settlement=st.sampled_from(Settlement),
    return_credits=st.sampled_from(ReturnCredits),
)


@given(_RULES, st.lists(st.lists(st.integers(1, 10**9), min_size=1, max_size=5), max_size=3), st.integers(-500, 500))
def test_the_balance_is_always_right(rules: Rules, files: list[list[int]], opening_cents: int) -> None:
    """Whatever happens: each day opens as the last one closed, and the statement that it gives foots and reads back."""
    bank = _bank(rules, cents=opening_cents)
    for number, amounts in enumerate(files):
        bank.send(_file(*amounts, modifier="ABC"[number], first=1 + 10 * number), MONDAY)
    stands = opening_cents
    for number in range(12):
        day = bank.close(add_banking_days(MONDAY, number))
        (statement,) = read_bai2(BytesIO(day.bai2), "x").statements
        assert day.opening_cents == stands
        stands += sum(each.amount_cents if each.is_credit else -each.amount_cents for each in statement.items)
        assert day.closing_cents == stands == statement.closing_cents == bank.balance_cents
        for content in day.answers:
            assert _answers(content)
