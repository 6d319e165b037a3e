"""Money to advices in the books: funded whole in one transaction, or waiting with a case that says for what."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from ingest import funding
from ingest.matching import Deposit, Matched, Payment, match_pools
from ledger.batch import Batch
from ledger.chart import Account
from ledger.events import float_deposited
from ledger.posting import post
from payouts.resolutions.frame import Action
from payouts.resolutions.undo import propose_reversal
from tests.support.bank import own_money, paid_in, paid_in_for
from tests.support.books import MAKER, Books
from tests.support.clearing import LATER, approve, ask
from tests.support.trade import OTHER_PAYER, PAYER, STRANGER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 16)
NEXT = date(2026, 11, 17)


def _funded(books: Books) -> list[str]:
    return [each.trn for each in books.match().funded]


def test_advice_and_money_make_a_member_payable(books: Books) -> None:
    """What was owed once funded is payable; cash follows; the deposit is closed; the sweep says how it matched."""
    books.remit(remittance("T1", DAY, Part(A, (100,)), Part(B, (50,))))
    assert _funded(books) == []
    assert set(books.cases()) == {("advice_without_deposit", "T1")}
    books.book(NEXT, paid_in("T1", 150))
    report = books.match()
    assert [(each.trn, each.amount_cents, each.step) for each in report.funded] == [("T1", 150, 1)]
    assert (report.parked.advices, report.parked.deposits) == (0, 0)
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
    assert books.balance(B, Account.CASH) == -50
    assert books.house(Account.UNMATCHED_DEPOSIT) == 0
    assert books.ask("SELECT effective_on FROM journal_transaction WHERE event = 'funded'")[0][0] == NEXT
    assert books.cases() == {}
    books.prove()


def test_money_may_come_first(books: Books) -> None:
    """A deposit waits for its advice as an advice waits for its deposit."""
    books.book(DAY, paid_in("T1", 150))
    books.match()
    assert set(books.cases()) == {("deposit_without_advice", "bank line 1")}
    books.remit(remittance("T1", NEXT, Part(A, (150,))))
    assert _funded(books) == ["T1"]
    assert books.cases() == {}


def test_a_sweep_again_changes_nothing(books: Books) -> None:
    """What is funded stays as it is."""
    books.fund(remittance("T1", DAY, Part(A, (150,))))
    before = books.ask("SELECT count(*) FROM journal_transaction")
    assert _funded(books) == []
    assert books.ask("SELECT count(*) FROM journal_transaction") == before


def test_two_sweeps_at_once_fund_once(books: Books) -> None:
    """Two processes that sweep at the same moment both succeed, and each payment is funded once."""
    sets = [remittance(f"T{number}", DAY, Part(A, (number,))) for number in range(1, 9)]
    books.remit(*sets)
    books.book(DAY, *(paid_in(each.trace_number, each.payment_cents) for each in sets))
    with ThreadPoolExecutor(2) as pool:
        reports = [each.result() for each in (pool.submit(books.match), pool.submit(books.match))]
    assert sorted(each.trn for report in reports for each in report.funded) == [f"T{number}" for number in range(1, 9)]
    assert books.balance(A, Account.DUE_AVAILABLE) == 36
    books.prove()


def test_sweeps_while_files_come_do_not_block_each_other(books: Books) -> None:
    """Loads and sweeps at the same moments all succeed; one more sweep at the end leaves nothing behind."""
    sets = [remittance(f"T{number:02}", DAY, Part(A, (number,)), Part(STRANGER, (1,))) for number in range(1, 25)]
    books.book(DAY, *(paid_in(each.trace_number, each.payment_cents) for each in sets))

    def step(number: int) -> None:
        if number % 3 == 0:
            books.receive(remittance_file(*sets[number : number + 3], control_number=number + 1))
        else:
            books.match()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(step, range(24)))
    books.match()
    assert books.balance(A, Account.DUE_AVAILABLE) == sum(range(1, 25))
    assert set(books.cases()) == {("unknown_payee", f"NPI:{STRANGER.npi}")}
    books.prove()


def test_a_deposit_used_by_another_process_is_left_alone(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deposit that is used otherwise between reading and funding stops neither the sweep nor the others."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T2", DAY, Part(B, (50,))))
    books.book(DAY, paid_in("T1", 100), paid_in("T2", 50))

    def slowly(payments: list[Payment], deposits: list[Deposit]) -> Matched:
        outcome = match_pools(payments, deposits)
        batch = Batch()
        batch.add(float_deposited("float_deposit:1", DAY, 1, 100))
        with books.begin() as connection:
            post(connection, batch, MAKER)
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(funding, "match_pools", slowly)
        assert _funded(books) == ["T2"]
    assert books.balance(A, Account.DUE_UNFUNDED) == 100
    assert ("advice_without_deposit", "T1") in books.cases()
    books.prove()


def test_the_sets_of_a_payment_are_funded_by_their_sum(books: Books) -> None:
    """One deposit pays all sets of its trace, or none."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T1", DAY, Part(B, (50,))))
    books.book(DAY, paid_in("T1", 150))
    report = books.match()
    assert [(each.trn, each.amount_cents) for each in report.funded] == [("T1", 150)]
    books.prove()


def test_a_payment_of_very_many_sets_is_funded(books: Books) -> None:
    """A payer may send one set for each of thousands of stores under one trace; the fact keeps a short name."""
    sets = [remittance("T1", DAY, Part(A, (number,))) for number in range(1, 2501)]
    books.remit(*sets)
    books.book(DAY, paid_in("T1", sum(range(1, 2501))))
    assert _funded(books) == ["T1"]
    assert books.balance(A, Account.DUE_AVAILABLE) == sum(range(1, 2501))
    books.prove()


def test_a_quarantined_set_leaves_its_part_of_the_deposit(books: Books) -> None:
    """The sets that are accepted are funded; the rest of the money stays with the trace until the other is right."""
    wrong = remittance("T1", DAY, Part(B, (50,)), payment_cents=51)
    books.remit(remittance("T1", DAY, Part(A, (100,))), wrong)
    books.book(DAY, paid_in("T1", 150))
    assert _funded(books) == ["T1"]
    assert books.cases()["deposit_over", "T1"] == 50
    corrected = (remittance("T1", DAY, Part(A, (100,))), remittance("T1", DAY, Part(B, (50,))))
    assert [each.status for each in books.remit(*corrected).sets] == ["duplicate", "accepted"]
    assert _funded(books) == ["T1"]
    assert books.balance(B, Account.DUE_AVAILABLE) == 50
    assert [kind for kind, _ in books.cases() if kind.startswith("deposit")] == []
    books.prove()


def test_short_money_is_held_until_the_rest_comes(books: Books) -> None:
    """Nothing of a short payment is payable; its case says how much is missing; the rest funds it whole."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    books.book(DAY, paid_in("T1", 60))
    assert _funded(books) == []
    assert books.cases() == {("deposit_short", "T1"): 40}
    books.match()
    assert books.cases() == {("deposit_short", "T1"): 40}
    books.book(NEXT, paid_in("T1", 40, reference="REST"))
    assert _funded(books) == ["T1"]
    assert books.cases() == {}
    books.prove()


def test_one_part_of_a_payment_of_several_sets_is_reversed_and_funded_again(books: Books) -> None:
    """Half of two sets came, then the other half; the first set's half is reversed: that, and no more, is funded again.

    Advised are A 100 and a stranger 60, A 40 and B 200: 400 in two sets; the parts of the first set are 50 and 30.
    """
    books.remit(
        remittance("T1", DAY, Part(A, (100,)), Part(STRANGER, (60,))),
        remittance("T1", DAY, Part(A, (40,)), Part(B, (200,))),
    )
    books.book(DAY, paid_in("T1", 200))
    books.match()
    approve(books, ask(books, "deposit_short", Action.FUND_SHORT))
    books.book(LATER, paid_in("T1", 200, reference="REST"))
    assert [each.amount_cents for each in books.match().funded] == [200]
    ((first,),) = books.ask("SELECT min(transaction_id) FROM journal_transaction WHERE event = 'funded'")
    with books.begin() as connection:
        asked = propose_reversal(connection, first, LATER, "undone", MAKER)
    approve(books, asked)
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [90, 200]
    assert (books.house(Account.UNKNOWN_PAYEE), books.house(Account.UNMATCHED_DEPOSIT)) == (30, 80)
    books.prove()
    assert [each.amount_cents for each in books.match().funded] == [80]
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [140, 200]
    assert books.house(Account.UNKNOWN_PAYEE) == 60
    books.prove()


def test_over_money_stays_parked_and_listed(books: Books) -> None:
    """The advice is funded; what is over stays open with its case, however often both pools are swept."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    books.book(DAY, paid_in("T1", 130))
    for _ in range(2):
        books.match()
        assert books.cases() == {("deposit_over", "T1"): 30}
    assert books.house(Account.UNMATCHED_DEPOSIT) == 30
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
    books.prove()


def test_a_payment_that_comes_twice_is_over(books: Books) -> None:
    """A second deposit under the key of a funded payment is over money of that trace, and pays nobody."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    books.book(NEXT, paid_in("T1", 100, reference="AGAIN"))
    books.match()
    assert books.cases() == {("deposit_over", "T1"): 100}
    assert books.balance(A, Account.DUE_AVAILABLE) == 100


def test_one_deposit_pays_several_payers(books: Books) -> None:
    """A deposit that names two payments funds both in one transaction."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T2", DAY, Part(B, (50,)), payer=OTHER_PAYER))
    books.book(DAY, paid_in_for({"T1": PAYER, "T2": OTHER_PAYER}, 150))
    assert _funded(books) == ["T1", "T2"]
    assert books.ask("SELECT count(*) FROM journal_transaction WHERE event = 'funded'")[0][0] == 1
    books.prove()


def test_two_payers_with_one_trace_keep_their_cases_apart(books: Books) -> None:
    """Check numbers of two payers may be the same: both payments are listed, each with its payer."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T1", DAY, Part(B, (50,)), payer=OTHER_PAYER))
    books.match()
    assert books.cases() == {
        ("advice_without_deposit", f"T1 of {PAYER.payer_id}"): 100,
        ("advice_without_deposit", f"T1 of {OTHER_PAYER.payer_id}"): 50,
    }
    books.book(DAY, paid_in("T1", 50, payer=OTHER_PAYER))
    books.match()
    assert books.cases() == {("advice_without_deposit", "T1"): 100}


def test_a_negative_is_covered_in_the_same_transaction(books: Books) -> None:
    """The float advances what B owes as the advice is funded; the case shows it; B's next money repays it."""
    books.put_in("OWN", 1_000, DAY)
    books.fund(remittance("T1", DAY, Part(A, (500,)), Part(B, (-300,))))
    assert books.balance(B, Account.DUE_AVAILABLE) == -300
    assert books.balance(B, Account.OPERATING_ADVANCE) == 300
    assert books.house(Account.OPERATING_FLOAT) == 700
    assert books.cases()["negative_member", B.ncpdp_id] == 300
    books.prove()
    books.fund(remittance("T2", NEXT, Part(B, (400,))))
    assert books.balance(B, Account.OPERATING_ADVANCE) == 0
    assert books.house(Account.OPERATING_FLOAT) == 1_000
    assert ("negative_member", B.ncpdp_id) not in books.cases()
    books.prove()


def test_without_float_the_advice_waits(books: Books) -> None:
    """Nobody's money covers another's negative: all of the advice waits, and the case says what the float lacks."""
    books.put_in("OWN", 100, DAY)
    books.remit(remittance("T1", DAY, Part(A, (500,)), Part(B, (-300,))))
    books.book(NEXT, paid_in("T1", 200))
    assert _funded(books) == []
    assert books.cases() == {("float_missing", "T1"): 200}
    assert books.balance(A, Account.DUE_AVAILABLE) == 0
    books.put_in("OWN2", 200, date(2026, 11, 18))
    assert _funded(books) == ["T1"]
    assert books.house(Account.OPERATING_FLOAT) == 0
    assert books.cases() == {("negative_member", B.ncpdp_id): 300}
    books.prove()


def test_what_repays_the_float_lets_others_through_in_one_sweep(books: Books) -> None:
    """A payment that the float can not cover at first is tried again once another one has repaid it."""
    books.put_in("OWN", 300, DAY)
    books.fund(remittance("T0", DAY, Part(C, (-300,)), Part(A, (300,))), day=NEXT)
    books.remit(remittance("T1", NEXT, Part(A, (500,)), Part(B, (-300,))), remittance("T2", NEXT, Part(C, (300,))))
    books.book(date(2026, 11, 18), paid_in("T1", 200), paid_in("T2", 300))
    assert _funded(books) == ["T2", "T1"]
    books.prove()


def test_zero_money_closes_itself(books: Books) -> None:
    """An advice of nothing is funded without a deposit, also where its parts are not nothing."""
    books.put_in("OWN", 1_000, DAY)
    books.remit(remittance("Z1", DAY, Part(A, (500,)), Part(B, (-500,))), remittance("Z2", DAY, Part(C, (0,))))
    assert _funded(books) == ["Z1", "Z2"]
    assert books.balance(A, Account.DUE_AVAILABLE) == 500
    assert books.balance(B, Account.OPERATING_ADVANCE) == 500
    books.prove()


def test_a_strangers_money_is_funded_in_the_house(books: Books) -> None:
    """A stranger's part waits in the house with its cash, and is no member's."""
    books.fund(remittance("T1", DAY, Part(A, (100,)), Part(STRANGER, (70,))))
    assert books.house(Account.UNKNOWN_PAYEE) == 70
    assert books.balance(A, Account.CASH) == -100
    books.prove()


def test_a_strangers_negative_needs_the_float(books: Books) -> None:
    """A negative that is no member's is the PSAO's to cover: without float the advice waits."""
    books.remit(remittance("T1", DAY, Part(A, (100,)), Part(STRANGER, (-70,))))
    books.book(DAY, paid_in("T1", 30))
    assert _funded(books) == []
    assert books.cases()["float_missing", "T1"] == 70
    books.put_in("OWN", 70, NEXT)
    assert _funded(books) == ["T1"]
    books.prove()


def test_money_that_nobody_announced_is_listed(books: Books) -> None:
    """Each open deposit without advice has a case of its own."""
    books.book(DAY, own_money("WIRE", 5), paid_in("T9", 7))
    books.match()
    assert books.cases() == {("deposit_without_advice", "bank line 1"): 5, ("deposit_without_advice", "bank line 2"): 7}
