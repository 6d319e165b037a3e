"""What a cycle tells each member: its shares, once, and what stands between them and its payment."""

from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from app.demo.remittance import RemittanceSet
from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.events import hold_lifted
from ledger.posting import reverse
from payouts.children.model import Form
from payouts.children.telling import ToldSet
from payouts.cycle.cycles import Cycle
from payouts.cycle.release import Released
from payouts.errors import SetChangedError
from payouts.fees.assessment import assess
from payouts.nacha.reader import read_nacha
from payouts.remittances.shares import set_form
from payouts.statements.reading import statement
from tests.support.bank import paid_in, paid_out
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.told import own_items, told_sets
from tests.support.trade import OTHER_PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))
NOVEMBER = date(2026, 11, 1)


def _move(books: Books, event: Event, cents: int, day: date = MONDAY, name: str = "") -> int:
    """Hold money of A back, or lift it; give the transaction."""
    if event is Event.HELD:
        legs = pair(books.member(A), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), cents)
        books.post(Transaction(event, f"held:{day}:{name}", day, tuple(legs), "bank details in question"))
    else:
        books.post(hold_lifted(f"lifted:{day}:{name}", day, books.member(A), cents, "confirmed"))
    return int(books.ask("SELECT max(transaction_id) FROM journal_transaction")[0][0])


def _change_hands(books: Books) -> None:
    """Begin with a pharmacy that was sold on November 11."""
    books.found()
    before = roster_row(A, member_until="2026-11-10")
    after = roster_row(A, member_since="2026-11-11", fee_since="2026-11-11", legal_name="New Owner LLC")
    books.receive(roster(before, after), "roster.csv")


def _assess(books: Books) -> None:
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)


def _pay_each(books: Books, *stores: object) -> None:
    """Have these members paid for each advice."""
    for store in stores:
        with books.begin() as connection:
            set_form(connection, books.member(store), Form.PER_ADVICE, MAKER)  # type: ignore[arg-type]


def _fund_by_another(books: Books, advice: RemittanceSet) -> None:
    """Remit, deposit and match a set of the other payer."""
    books.remit(advice)
    books.book(advice.settled_on, paid_in(advice.trace_number, advice.payment_cents, payer=OTHER_PAYER))
    assert len(books.match().funded) == 1


def _told(books: Books, released: Released) -> dict[str, list[ToldSet]]:
    return told_sets(books.folder / "out" / "835", released.cycle_id)


def _sums(sets: list[ToldSet]) -> list[tuple[int, int, int]]:
    """Give claims, payer's adjustments and payment of each set."""
    return [(each.claims_cents, each.payer_plb_cents, each.payment_cents) for each in sets]


def _entries(released: Released) -> dict[str, int]:
    """Give the amounts of the NACHA file by the trace number of their addenda."""
    assert released.nacha_file is not None
    reading = read_nacha(BytesIO(Path(released.nacha_file).read_bytes()), "cycle.ach")
    ((batch,),) = (file.batches for file in reading.accepted_files())
    return {entry.addenda[0].text.split("*")[2]: entry.amount_cents for entry in batch.entries}


def _paid(cycle: Cycle) -> list[tuple[str, int, int, str | None]]:
    return [(each.ncpdp_id, each.amount_cents, each.fee_cents, each.payer_trace) for each in cycle.payouts]


# What is told --------------------------------------------------------------------------------------------------------


def test_each_member_is_told_its_own_shares(books: Books) -> None:
    """Each file has its member's claims and the payer's adjustments to it, under the trace number of its payment."""
    books.fund(remittance("T1", MONDAY, Part(A, (600_00, 400_00)), Part(B, (270_00,), (("WO", 20_00),))))
    _fund_by_another(books, remittance("T2", TUESDAY, Part(A, (5_00,)), payer=OTHER_PAYER))
    released = books.pay(TUESDAY)
    told = _told(books, released)
    assert {name: _sums(sets) for name, sets in told.items()} == {
        A.ncpdp_id: [(1_000_00, 0, 1_000_00), (5_00, 0, 5_00)],
        B.ncpdp_id: [(270_00, 20_00, 250_00)],
    }
    assert {each.payer_name for each in told[A.ncpdp_id]} == {"HARROWGATE BENEFIT MANAGEMENT", OTHER_PAYER.name}
    paid = {each.trace_number: sum(one.payment_cents for one in sets) for sets in told.values() for each in sets}
    assert paid == _entries(released)
    assert {each.payee for each in told[A.ncpdp_id]} == {f"NPI:{A.npi}"}
    assert (released.children.files, released.children.sets) == (2, 3)
    books.prove()


def test_a_share_is_told_once(books: Books) -> None:
    """The next cycle tells what came since, and nothing again; the database knows which cycle told what."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,)), Part(B, (6_00,))))
    first = books.pay(TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(A, (7_00,))))
    second = books.pay(WEDNESDAY)
    assert {name: _sums(sets) for name, sets in _told(books, second).items()} == {A.ncpdp_id: [(7_00, 0, 7_00)]}
    rows = books.ask("SELECT cycle_id, count(*) FROM share_to_remit GROUP BY cycle_id ORDER BY cycle_id")
    assert [tuple(row) for row in rows] == [(first.cycle_id, 2), (second.cycle_id, 1)]
    books.prove()


def test_what_is_funded_after_the_day_is_told_later(books: Books) -> None:
    """A cycle of Tuesday tells nothing of what is effective on Wednesday, as it pays nothing of it."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    books.fund(remittance("T2", WEDNESDAY, Part(A, (7_00,))))
    books.remit(remittance("T3", MONDAY, Part(A, (8_00,))))
    assert [_sums(sets) for sets in _told(books, books.pay(TUESDAY)).values()] == [[(5_00, 0, 5_00)]]
    assert [_sums(sets) for sets in _told(books, books.pay(WEDNESDAY)).values()] == [[(7_00, 0, 7_00)]]
    books.prove()


def test_what_pays_nobody_is_told_on_its_day(books: Books) -> None:
    """Claims that were all denied move no money; a cycle before the date of their remittance does not tell them."""
    books.remit(remittance("T1", WEDNESDAY, Part(B, (0, 0))))
    assert [each.trn for each in books.match().funded] == ["T1"]
    books.fund(remittance("T2", MONDAY, Part(A, (6_00,))))
    assert list(_told(books, books.pay(TUESDAY))) == [A.ncpdp_id]
    books.fund(remittance("T3", TUESDAY, Part(A, (8_00,))))
    (only,) = _told(books, books.pay(WEDNESDAY))[B.ncpdp_id]
    assert (only.claim_count, only.payment_cents, only.method) == (2, 0, "NON")
    books.prove()


def test_the_fee_is_told_by_month(books: Books) -> None:
    """Each collected month is an adjustment of the PSAO's own; where it takes all, the remittance pays nothing."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (200_00,))))
    _assess(books)
    released = books.pay(TUESDAY)
    told = _told(books, released)
    for sets in told.values():
        assert own_items(sets) == {"FEE-2026-11": 200_00}
    assert sum(each.payment_cents for each in told[A.ncpdp_id]) == 800_00
    assert {(each.method, each.payment_cents) for each in told[B.ncpdp_id]} == {("NON", 0)}
    books.prove()


def test_members_without_a_payout_are_told_without_payment(books: Books) -> None:
    """A negative is carried; what is held is told as held; each such remittance has a number of its own."""
    books.put_in("OWN", 1_000_00, MONDAY)
    books.fund(
        remittance("T1", MONDAY, Part(A, (100_00,)), Part(B, (-30_00,)), Part(C, (5_00,))),
        day=TUESDAY,
    )
    _move(books, Event.HELD, 100_00, TUESDAY)
    told = _told(books, books.pay(TUESDAY))
    assert own_items(told[A.ncpdp_id]) == {"HELD": 100_00}
    assert own_items(told[B.ncpdp_id]) == {"CARRY": -30_00}
    assert own_items(told[C.ncpdp_id]) == {}
    methods = {name: {(each.method, each.trace_number) for each in sets} for name, sets in told.items()}
    assert {method for method, _ in methods[A.ncpdp_id] | methods[B.ncpdp_id]} == {"NON"}
    assert len({trace for said in methods.values() for _, trace in said}) == 3
    books.prove()


def test_a_carried_negative_comes_back_as_a_balance(books: Books) -> None:
    """What was carried at one cycle is brought forward by the one that pays, to the cent."""
    books.put_in("OWN", 1_000_00, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (10_00,)), Part(B, (-3_00,))), day=TUESDAY)
    books.pay(TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(B, (4_00,))), day=WEDNESDAY)
    (sets,) = _told(books, books.pay(WEDNESDAY)).values()
    assert own_items(sets) == {"BALANCE": 3_00}
    assert sum(each.payment_cents for each in sets) == 1_00
    books.prove()


def test_each_event_is_told_once_and_in_the_end_whole(books: Books) -> None:
    """Held money is told when it is held, and lifted when it is lifted; a reversal counts with what it turned."""
    books.fund(remittance("T1", MONDAY, Part(A, (100_00,))))
    _move(books, Event.HELD, 40_00)
    assert own_items(_told(books, books.pay(TUESDAY))[A.ncpdp_id]) == {"HELD": 40_00}
    _move(books, Event.HOLD_LIFTED, 25_00, WEDNESDAY)
    wrong = _move(books, Event.HELD, 9_00, WEDNESDAY, "wrong")
    with books.begin() as connection:
        reverse(connection, wrong, fact_key="turned", fact_on=WEDNESDAY, actor=MAKER, reason="another pharmacy's")
    released = books.pay(WEDNESDAY)
    assert own_items(_told(books, released)[A.ncpdp_id]) == {"HOLD-LIFTED": -25_00}
    assert released.total_cents == 25_00
    _move(books, Event.HOLD_LIFTED, 15_00, THURSDAY)
    assert own_items(_told(books, books.pay(THURSDAY))[A.ncpdp_id]) == {"HOLD-LIFTED": -15_00}
    books.prove()


def test_an_event_after_the_day_is_told_by_its_name_later(books: Books) -> None:
    """A hold that is dated after the day lessens the payment at once, as a balance; its name comes with its day."""
    books.fund(remittance("T1", MONDAY, Part(A, (100_00,))))
    _move(books, Event.HELD, 40_00, WEDNESDAY)
    assert own_items(_told(books, books.pay(TUESDAY))[A.ncpdp_id]) == {"BALANCE": 40_00}
    books.fund(remittance("T2", WEDNESDAY, Part(A, (7_00,))))
    assert own_items(_told(books, books.pay(WEDNESDAY))[A.ncpdp_id]) == {"HELD": 40_00, "BALANCE": -40_00}
    books.prove()


def test_a_dropped_member_is_told_by_the_next_cycle(books: Books) -> None:
    """Its shares wait, with its money; the others' do not."""
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,)), Part(B, (6_00,))))
    cycle = books.approved(TUESDAY)
    _move(books, Event.HELD, 1_00)
    released = books.release(cycle.cycle_id)
    assert list(_told(books, released)) == [B.ncpdp_id]
    books.prove()
    again = books.pay(WEDNESDAY)
    assert list(_told(books, again)) == [A.ncpdp_id]
    assert own_items(_told(books, again)[A.ncpdp_id]) == {"HELD": 1_00}
    books.prove()


def test_both_owners_of_a_pharmacy_are_told(new_books: Books) -> None:
    """A pharmacy that changed hands within a month gets two files: each owner's claims are in its own."""
    _change_hands(new_books)
    old, new = (remittance(trace, MONDAY, Part(A, (cents,))) for trace, cents in (("T1", 5_00), ("T2", 7_00)))
    (section,) = new.sections
    moved = replace(section, claims=[each._replace(fill_date="20261112") for each in section.claims])
    new_books.fund(old, replace(new, sections=(moved,)))
    released = new_books.pay(TUESDAY)
    names = {path.name: path for path in (new_books.folder / "out" / "835").glob("*.835")}
    end = f"{TUESDAY}-cycle-{released.cycle_id}"
    assert set(names) == {f"{A.ncpdp_id}-{end}.835", f"{A.ncpdp_id}-{end}-former-1.835"}
    assert b"New Owner LLC" in names[f"{A.ncpdp_id}-{end}.835"].read_bytes()
    assert b"BPR*I*5*" in names[f"{A.ncpdp_id}-{end}-former-1.835"].read_bytes()
    # Both go to one receiver, who may take a second file of the same number for the first sent again.
    assert len({path.read_bytes()[90:99] for path in names.values()}) == 2
    new_books.prove()


def test_a_former_owners_file_is_never_named_like_the_present_ones(new_books: Books) -> None:
    """Also where the present owner is told nothing: who sends the files on goes by their names."""
    _change_hands(new_books)
    new_books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    released = new_books.pay(TUESDAY)
    (path,) = (new_books.folder / "out" / "835").glob("*.835")
    assert path.name == f"{A.ncpdp_id}-{TUESDAY}-cycle-{released.cycle_id}-former-1.835"


# A payment for each advice -------------------------------------------------------------------------------------------


def test_each_advice_is_paid_by_itself(books: Books) -> None:
    """A member of that form gets an entry for each advice, with the trace number of its set; the sum is the same."""
    _pay_each(books, A)
    books.fund(remittance("T1", MONDAY, Part(A, (600_00,)), Part(B, (3_00,))))
    _fund_by_another(books, remittance("T2", TUESDAY, Part(A, (400_00,)), payer=OTHER_PAYER))
    _assess(books)
    cycle = books.approved(TUESDAY)
    assert _paid(cycle) == [
        (A.ncpdp_id, 400_00, 200_00, "T1"),
        (A.ncpdp_id, 400_00, 0, "T2"),
        (B.ncpdp_id, 3_00, 0, None),
    ]
    released = books.release(cycle.cycle_id)
    assert (released.payouts, released.total_cents, released.fee_cents) == (3, 803_00, 200_00)
    sets = _told(books, released)[A.ncpdp_id]
    assert [(each.claims_cents, own_items([each]), each.payment_cents) for each in sets] == [
        (600_00, {"FEE-2026-11": 200_00}, 400_00),
        (400_00, {}, 400_00),
    ]
    entries = _entries(released)
    assert {each.trace_number: each.payment_cents for each in sets}.items() <= entries.items()
    assert sum(entries.values()) == 803_00
    assert books.balance(A, Account.IN_TRANSIT) == 800_00
    books.prove()
    books.book(WEDNESDAY, paid_out("OUT", 803_00))
    assert [each.amount_cents for each in books.settle()] == [803_00]
    with books.begin() as connection:
        made = statement(connection, books.member(A), MONDAY, WEDNESDAY)
    assert [each.amount_cents for each in made.payouts] == [400_00, 400_00]
    books.prove()


def test_a_negative_advice_lessens_the_others(books: Books) -> None:
    """An advice that takes back more than it pays has no payment; the largest of the others lends it what it lacks."""
    _pay_each(books, A)
    books.fund(remittance("T1", MONDAY, Part(A, (600_00,))))
    books.fund(remittance("T2", MONDAY, Part(A, (-50_00,)), Part(B, (60_00,))))
    books.fund(remittance("T3", MONDAY, Part(A, (100_00,))))
    released = books.pay(TUESDAY)
    sets = _told(books, released)[A.ncpdp_id]
    assert [(each.claims_cents, each.payment_cents, each.method) for each in sets] == [
        (600_00, 550_00, "ACH"),
        (-50_00, 0, "NON"),
        (100_00, 100_00, "ACH"),
    ]
    assert len({each.trace_number for each in sets}) == 3
    books.prove()


def test_what_is_of_no_advice_is_paid_by_itself(books: Books) -> None:
    """Money that was held and lifted after its advice was told goes in a set of the PSAO's own."""
    _pay_each(books, A)
    books.fund(remittance("T1", MONDAY, Part(A, (600_00,)), Part(B, (1_00,))))
    _move(books, Event.HELD, 600_00)
    books.pay(TUESDAY)
    _move(books, Event.HOLD_LIFTED, 600_00, WEDNESDAY)
    cycle = books.approved(WEDNESDAY)
    assert _paid(cycle) == [(A.ncpdp_id, 600_00, 0, None)]
    (only,) = _told(books, books.release(cycle.cycle_id))[A.ncpdp_id]
    assert (only.claim_count, only.payment_cents, own_items([only])) == (0, 600_00, {"HOLD-LIFTED": -600_00})
    books.prove()


def test_a_member_of_several_payouts_drops_as_a_whole(books: Books) -> None:
    """A balance that fell by a cent keeps all its payments back, with one reason and one case."""
    _pay_each(books, A)
    books.fund(remittance("T1", MONDAY, Part(A, (6_00,)), Part(B, (1_00,))), remittance("T2", MONDAY, Part(A, (4_00,))))
    cycle = books.approved(TUESDAY)
    _move(books, Event.HELD, 1)
    released = books.release(cycle.cycle_id)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [
        (A.ncpdp_id, "the balance fell after approval by 1 cents below the payout")
    ]
    assert released.total_cents == 1_00
    assert books.cases()["payout_dropped", f"cycle {cycle.cycle_id} {A.ncpdp_id}"] == 10_00
    assert [row[0] for row in books.ask("SELECT state FROM payout ORDER BY payout_id")] == ["released"] + 2 * [
        "excluded"
    ]
    books.prove()


def test_where_the_fee_takes_all_there_is_one_payout_of_nothing(books: Books) -> None:
    """In that form, too, the fee is collected; each set has a number of its own, for none is paid."""
    _pay_each(books, A)
    books.fund(remittance("T1", MONDAY, Part(A, (150_00,))), remittance("T2", MONDAY, Part(A, (50_00,))))
    _assess(books)
    cycle = books.approved(TUESDAY)
    assert _paid(cycle) == [(A.ncpdp_id, 0, 200_00, None)]
    sets = _told(books, books.release(cycle.cycle_id))[A.ncpdp_id]
    assert {(each.method, each.payment_cents) for each in sets} == {("NON", 0)}
    assert len({each.trace_number for each in sets}) == 2
    books.prove()


def test_the_form_counts_from_the_next_proposal_on(books: Books) -> None:
    """An approved cycle keeps the form in which it was proposed; the change is on record, once."""
    books.fund(remittance("T1", MONDAY, Part(A, (6_00,))), remittance("T2", MONDAY, Part(A, (4_00,))))
    first = books.propose(TUESDAY)
    _pay_each(books, A, A)
    assert len(books.ask("SELECT FROM activity WHERE action = 'remittance_form_set'")) == 1
    second = books.propose(TUESDAY)
    assert second.cycle_id != first.cycle_id
    assert [each.amount_cents for each in second.payouts] == [6_00, 4_00]
    cycle = books.approved(TUESDAY)
    with books.begin() as connection:
        set_form(connection, books.member(A), Form.COMBINED, MAKER)
    assert books.release(cycle.cycle_id).payouts == 2
    books.prove()


def test_a_new_fee_keeps_the_form(books: Books) -> None:
    """A later contract is told like the one before it."""
    _pay_each(books, A)
    later = replace(A, monthly_fee_cents=100_00)
    assert books.receive(roster(roster_row(later, fee_since="2026-12-01")), "roster.csv").status == "accepted"
    rows = books.ask(
        "SELECT remittance_form, count(*) FROM contract WHERE member_id = :member GROUP BY 1", member=books.member(A)
    )
    assert [tuple(row) for row in rows] == [("per_advice", 2)]


# The set -------------------------------------------------------------------------------------------------------------

TAMPERED = {
    "another share": "UPDATE cycle_share SET advice_id = 2",
    "a share less": "DELETE FROM cycle_share",
    "another amount of the PSAO's own": "UPDATE cycle_own_item SET amount_cents = amount_cents + 1",
    "another name for it": "UPDATE cycle_own_item SET reference = 'PSAO-ELSE'",
    "another form": "UPDATE cycle_remittance SET form = 'per_advice'",
    "another advice's payout": "UPDATE payout SET advice_id = 2",
}


@pytest.mark.parametrize("harm", TAMPERED.values(), ids=TAMPERED.keys())
def test_what_is_told_is_part_of_what_is_approved(books: Books, owner: Engine, harm: str) -> None:
    """What a cycle tells can not change between proposal and release: neither is approved or released then."""
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    books.fund(remittance("T2", WEDNESDAY, Part(A, (1_00,))))
    _assess(books)
    cycle = books.approved(TUESDAY)
    with unit_of_work(owner) as connection:
        for table in ("cycle_share", "cycle_own_item", "cycle_remittance", "payout"):
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        changed = connection.execute(text(harm))
        assert changed.rowcount == 1
    with pytest.raises(SetChangedError):
        books.release(cycle.cycle_id)
    assert books.ask("SELECT FROM child_remittance") == []


def test_proposing_again_with_something_new_to_tell_is_another_set(books: Books) -> None:
    """An advice that nets to nothing changes no amount; it is told all the same, so the set is another."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    first = books.propose(TUESDAY)
    books.fund(remittance("T2", MONDAY, Part(A, (9_00, -9_00))))
    second = books.propose(TUESDAY)
    assert (second.total_cents, second.cycle_id != first.cycle_id) == (first.total_cents, True)
    assert books.propose(TUESDAY) == second
    told = _told(books, books.pay(TUESDAY))
    assert _sums(told[A.ncpdp_id]) == [(5_00, 0, 5_00), (0, 0, 0)]
    books.prove()


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_every_cent_is_told(books: Books, seed: int) -> None:
    """A fortnight by chance, in both forms: after each release all proofs hold and no share of the funded is left."""
    chance = Random(seed)
    _pay_each(books, B)
    books.put_in("OWN", 100_000_00, MONDAY)
    _assess(books)
    held = 0
    for number, day in enumerate((TUESDAY, WEDNESDAY, THURSDAY, date(2026, 11, 20))):
        for place in range(chance.randint(1, 3)):
            parts = [
                Part(
                    store,
                    tuple(chance.randint(-90_00, 160_00) for _ in range(chance.randint(1, 3))),
                    tuple(("WO", chance.choice((-7_00, 11_00))) for _ in range(chance.randint(0, 2))),
                )
                for store in chance.sample((A, B, C), chance.randint(1, 3))
            ]
            short = max(-sum(part.cents for part in parts), 0)
            books.fund(
                remittance(f"R{number}{place}", day, *parts, Part(C, (short + chance.randint(1, 300_00),))), day=day
            )
        free = books.balance(A, Account.DUE_AVAILABLE)
        if held and chance.random() < 0.5:
            _move(books, Event.HOLD_LIFTED, held, day)
            held = 0
        elif free > 1_00:
            cents = chance.randint(1, free)
            _move(books, Event.HELD, cents, day)
            held += cents
        books.pay(day)
        books.prove()
        assert books.ask("SELECT FROM share_to_remit WHERE cycle_id IS NULL") == []
