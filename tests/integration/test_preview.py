"""What is looked at before a cycle is approved: each thing that differs or could be wrong, and nothing else."""

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy import make_url, text

from ledger.chart import Account
from payouts import decisions
from payouts.cycle import preview, voiding
from payouts.cycle.limits import LimitName, propose_limit
from payouts.cycle.preview import Preview
from payouts.errors import UnknownCycleError
from payouts.holding.holds import HoldKind, HoldOrder, place_hold
from tests.support.bank import paid_in, paid_out
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires: a change of bank details is another's story."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


def _look(books: Books, cycle_id: int) -> Preview:
    with books.begin() as connection:
        return preview.preview(connection, cycle_id)


def test_the_first_cycle_has_nothing_to_compare_with(books: Books) -> None:
    """Everybody is paid for the first time; there is no difference, no limit, and one approver is enough."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    seen = _look(books, books.propose(TUESDAY).cycle_id)
    assert (seen.totals.total_cents, seen.totals.members, seen.totals.largest_cents) == (500, 2, 300)
    assert seen.difference is None
    assert [(each.ncpdp_id, each.cents) for each in seen.first_payments] == [(A.ncpdp_id, 300), (B.ncpdp_id, 200)]
    assert (seen.changed_accounts, seen.negatives, seen.held, seen.stopped_accounts) == ((), (), (), ())
    assert (seen.limits.approvers_needed, seen.limits.cycle_total_cents, seen.own_float.missing_cents) == (1, None, 0)


def test_it_tells_what_differs_from_the_last_released(books: Books) -> None:
    """Before: A 3.00 and B 2.00 by one payer. Now: A 1.00 and C 9.00, of that 9.00 by another payer.

    The total rose by 5.00; C joined, B is gone; C moves most, by 9.00. A void cycle in between is none to compare with.
    """
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    first = books.pay(TUESDAY).cycle_id
    books.fund(remittance("T2", TUESDAY, Part(A, (100,))))
    between = books.propose(WEDNESDAY)
    with books.begin() as connection:
        voiding.void_cycle(connection, between.cycle_id, "too early", MAKER)
    books.remit(remittance("T3", TUESDAY, Part(C, (900,)), payer=OTHER_PAYER))
    books.book(TUESDAY, paid_in("T3", 900, payer=OTHER_PAYER))
    assert len(books.match().funded) == 1
    seen = _look(books, books.propose(WEDNESDAY).cycle_id)
    last = seen.difference
    assert last is not None
    assert (last.last_cycle_id, last.before.total_cents, seen.totals.total_cents) == (first, 500, 1_000)
    assert (last.joined, last.gone) == (1, 1)
    payers = [(each.payer_id, each.cents, each.before_cents) for each in last.payers]
    assert payers == [(PAYER.payer_id, 100, 500), (OTHER_PAYER.payer_id, 900, 0)]
    movers = [(each.ncpdp_id, each.cents, each.before_cents) for each in last.movers]
    assert movers == [(C.ncpdp_id, 900, 0), (A.ncpdp_id, 100, 300), (B.ncpdp_id, 0, 200)]
    assert [each.ncpdp_id for each in seen.first_payments] == [C.ncpdp_id]


def test_it_tells_who_is_paid_into_another_account(books: Books, superuser: psycopg.Connection) -> None:
    """A was paid into one account and would be paid into another; an excluded member is told no more."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,))))
    books.pay(TUESDAY)
    member = books.member(A)
    for statement in (_END, _ANOTHER):
        superuser.execute(statement.encode(), {"member": member})
    books.fund(remittance("T2", TUESDAY, Part(A, (70,))))
    cycle_id = books.propose(WEDNESDAY).cycle_id
    (changed,) = _look(books, cycle_id).changed_accounts
    assert (changed.ncpdp_id, changed.last_four, changed.last_paid_on) == (A.ncpdp_id, "4321", TUESDAY)
    assert changed.last_four_before == A.account_number[-4:]
    with books.begin() as connection:
        voiding.exclude_member(connection, cycle_id, member, "call back first", MAKER)
    seen = _look(books, cycle_id)
    assert (seen.changed_accounts, seen.totals.total_cents) == ((), 0)


_END = "UPDATE bank_account SET in_use = daterange(lower(in_use), '2026-11-19') WHERE member_id = %(member)s"
_ANOTHER = """
    INSERT INTO bank_account (member_id, in_use, routing_number, account_type, sealed_number, last_four)
    SELECT member_id, daterange('2026-11-19', NULL), routing_number, 'savings', sealed_number, '4321'
    FROM bank_account WHERE member_id = %(member)s"""


def test_it_tells_what_stands_in_the_way(books: Books) -> None:
    """A's money held, B negative, C's account stopped, a debit that the float does not cover: each is listed."""
    books.put_in("OWN", 100, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (-50,)), Part(C, (20,))), day=TUESDAY)
    order = HoldOrder(
        member_id=books.member(A),
        kind=HoldKind.DISPUTE,
        reason="two owners",
        authority="contract, section 4",
        review_on=THURSDAY,
        placed_on=TUESDAY,
        limit_cents=120,
    )
    with books.begin() as connection:
        place_hold(connection, order, MAKER)
        connection.execute(text(_STOP), {"member": books.member(C)})
    books.book(TUESDAY, paid_out("ODD", 70))
    seen = _look(books, books.propose(TUESDAY).cycle_id)
    assert [(each.ncpdp_id, each.available_cents) for each in seen.negatives] == [(B.ncpdp_id, -50)]
    held = [(each.ncpdp_id, each.held_cents, each.kinds, each.review_on) for each in seen.held]
    assert held == [(A.ncpdp_id, 120, "dispute", THURSDAY)]
    stopped = [(each.ncpdp_id, each.reason, each.available_cents) for each in seen.stopped_accounts]
    assert stopped == [(C.ncpdp_id, "R02", 20)]
    own = seen.own_float
    assert (own.available_cents, own.needed_cents, own.missing_cents) == (50, 70, 20)
    assert books.balance(A, Account.HELD) == 120


_STOP = """
    INSERT INTO bank_account_stop (bank_account_id, stopped_on, reason, stopped_by)
    SELECT bank_account_id, '2026-11-16', 'R02', 'mary' FROM bank_account WHERE member_id = :member"""


def test_it_tells_the_limits_and_who_approves(books: Books) -> None:
    """3.00 above the limit of a payout, 5.00 above that of a cycle, and from 4.00 on two approve."""
    names = {LimitName.ENTRY: 299, LimitName.CYCLE_TOTAL: 499, LimitName.TWO_APPROVERS_FROM: 400}
    for name, cents in names.items():
        with books.begin() as connection:
            approval = propose_limit(connection, name, cents, TUESDAY, today=MONDAY, actor=MAKER)
            decisions.decide(connection, approval, CHECKER, approve=True)
    books.fund(remittance("T1", MONDAY, Part(A, (300,)), Part(B, (200,))))
    limits = _look(books, books.propose(TUESDAY).cycle_id).limits
    assert [(each.ncpdp_id, each.amount_cents) for each in limits.above_entry] == [(A.ncpdp_id, 300)]
    assert (limits.total_is_above, limits.approvers_needed, limits.two_approvers_from_cents) == (True, 2, 400)


def test_what_the_hash_covers_is_listed(books: Books) -> None:
    """Two shares of an advice, and the balance that is told beside one of them."""
    books.fund(remittance("T1", MONDAY, Part(A, (300,), (("WO", 40),)), Part(B, (200,))))
    cycle = books.propose(TUESDAY)
    with books.begin() as connection:
        shares = preview.told_shares(connection, cycle.cycle_id)
        items = preview.told_items(connection, cycle.cycle_id)
    said = [(each.ncpdp_id, each.payer_trace, each.claims_cents, each.plb_cents) for each in shares]
    assert said == [(A.ncpdp_id, "T1", 300, 40), (B.ncpdp_id, "T1", 200, 0)]
    assert items == []
    assert (cycle.told.shares, cycle.told.share_cents, cycle.told.own_items) == (2, 460, 0)


def test_there_is_no_preview_of_nothing(books: Books) -> None:
    """A cycle that there is not is said by its number."""
    with pytest.raises(UnknownCycleError, match="77"):
        _look(books, 77)
