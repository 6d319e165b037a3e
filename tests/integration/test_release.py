"""The release of a cycle: once, only what may leave, fee and sweep with it, and a file that says exactly that."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.batch import Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.errors import InsufficientBalanceError
from ledger.events import payout_released
from payouts.cycle import release as release_module
from payouts.cycle.release import Released
from payouts.errors import CycleStateError, FloatGateError, OutFolderError, ProofGateError, UnknownCycleError
from payouts.fees.assessment import assess
from payouts.nacha.reader import read_nacha
from payouts.nacha.records import Entry, FileRecords
from payouts.statements.reading import statement
from tests.support.bank import paid_out
from tests.support.books import MAKER, Books, roster, roster_row
from tests.support.trade import A, B, C, Part, pharmacy, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
NOVEMBER = date(2026, 11, 1)


def _assess(books: Books) -> None:
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)


def _hold(books: Books, cents: int) -> None:
    legs = pair(books.member(A), Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), cents)
    books.post(Transaction(Event.HELD, f"held:{cents}", MONDAY, tuple(legs), "bank details in question"))


def _file(released: Released) -> FileRecords:
    assert released.nacha_file is not None
    reading = read_nacha(BytesIO(Path(released.nacha_file).read_bytes()), "cycle.ach")
    assert reading.findings == ()
    (file,) = reading.accepted_files()
    return file


def _entries(released: Released) -> tuple[Entry, ...]:
    (batch,) = _file(released).batches
    return tuple(batch.entries)


def _states(books: Books) -> dict[str, int]:
    rows = books.ask("SELECT state, count(*) FROM payout GROUP BY state")
    return {row[0]: row[1] for row in rows}


def test_a_release_pays_collects_and_sweeps(books: Books) -> None:
    """The payout is in transit, the fee is in the float, the receivable is gone, in one release; all proofs hold."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (150_00,))))
    _assess(books)
    released = books.pay(TUESDAY)
    assert (released.state, released.payouts, released.total_cents, released.fee_cents) == (
        "released",
        2,
        950_00,
        200_00,
    )
    assert (released.effective_date, released.dropped) == (WEDNESDAY, ())
    assert books.balance(A, Account.DUE_AVAILABLE) == 0
    assert books.balance(A, Account.IN_TRANSIT) == 800_00
    assert books.balance(B, Account.IN_TRANSIT) == 150_00
    assert books.house(Account.OPERATING_FLOAT) == 200_00
    assert books.balance(A, Account.FEE_RECEIVABLE, Ledger.OPERATING) == 0
    assert books.balance(B, Account.FEE_RECEIVABLE, Ledger.OPERATING) == -200_00
    assert {
        row[0] for row in books.ask("SELECT effective_on FROM journal_transaction WHERE event::text ~ 'fee|payout'")
    } == {
        NOVEMBER,
        TUESDAY,
    }
    books.prove()


def test_the_file_pays_the_right_accounts(books: Books) -> None:
    """Read back, the file has each member's own account, amount, id and a TRN; it names the effective date."""
    books.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (150_00,)), Part(C, (7,))))
    released = books.pay(TUESDAY)
    entries = _entries(released)
    said = [
        (each.routing, each.account_number.strip(), each.amount_cents, each.identification.strip()) for each in entries
    ]
    assert said == [
        (store.routing, store.account_number, cents, store.ncpdp_id)
        for store, cents in ((A, 1_000_00), (B, 150_00), (C, 7))
    ]
    rows = books.ask("SELECT payout_id, trace_number FROM payout ORDER BY payout_id")
    assert [each.trace_number for each in entries] == [row.trace_number for row in rows]
    texts = [each.addenda[0].text for each in entries]
    payouts = sorted(int(said.split("P")[2].split("*")[0]) for said in texts)
    assert payouts == [row.payout_id for row in rows]
    assert all(text.startswith(f"TRN*1*CP{released.cycle_id}P") for text in texts)
    assert _file(released).batches[0].header.effective_entry_date == f"{WEDNESDAY:%y%m%d}"


def test_trace_numbers_ascend_and_never_repeat(books: Books) -> None:
    """Within a file they ascend, across files none comes again; files of one day differ by their modifier."""
    books.fund(remittance("T1", MONDAY, Part(A, (5,)), Part(B, (6,))))
    one = books.pay(TUESDAY)
    books.fund(remittance("T2", TUESDAY, Part(A, (7,)), Part(B, (8,))))
    two = books.pay(TUESDAY)
    traces = [each.trace_number for released in (one, two) for each in _entries(released)]
    assert traces == sorted(set(traces))
    headers = [_file(each).header for each in (one, two)]
    assert [header.id_modifier for header in headers if header] == ["A", "B"]


def test_traces_stay_ascending_when_the_sequence_starts_anew(books: Books, owner: Engine) -> None:
    """At the end of its seven digits the sequence begins again; no file has traces from both ends."""
    with owner.begin() as connection:
        connection.exec_driver_sql("SELECT setval('ach_trace', 9999998)")
    books.fund(remittance("T1", MONDAY, Part(A, (5,)), Part(B, (6,)), Part(C, (7,))))
    traces = [each.trace_number for each in _entries(books.pay(TUESDAY))]
    assert traces == sorted(traces)
    assert len(set(traces)) == 3


def test_the_file_is_readable_by_its_owner_only(books: Books) -> None:
    """It holds account numbers; the vault has the same bytes sealed."""
    books.fund(remittance("T1", MONDAY, Part(A, (5,))))
    released = books.pay(TUESDAY)
    path = Path(released.nacha_file or "")
    assert path.stat().st_mode & 0o777 == 0o600
    digest = books.ask("SELECT encode(nacha_sha256, 'hex') FROM cycle")[0][0]
    with books.vault.open(digest) as kept:
        assert kept.read() == path.read_bytes()


def test_releasing_again_pays_nothing_again(books: Books) -> None:
    """The same result, the same bytes, no posting; also when the file was lost in between."""
    books.fund(remittance("T1", MONDAY, Part(A, (5,))))
    released = books.pay(TUESDAY)
    path = Path(released.nacha_file or "")
    content = path.read_bytes()
    path.unlink()
    posted = books.ask("SELECT count(*) FROM journal_transaction")
    assert books.release(released.cycle_id) == released
    assert path.read_bytes() == content
    assert books.ask("SELECT count(*) FROM journal_transaction") == posted


def test_two_releases_at_once_pay_once(books: Books) -> None:
    """Two processes that release the same cycle both get the one file."""
    books.fund(remittance("T1", MONDAY, Part(A, (5,))))
    cycle = books.approved(TUESDAY)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(books.release, [cycle.cycle_id] * 2)
    assert one == two
    assert books.balance(A, Account.IN_TRANSIT) == 5
    books.prove()


def test_only_an_approved_cycle_is_released(books: Books) -> None:
    """A proposed one, a void one and one that is not there are refused."""
    books.fund(remittance("T1", MONDAY, Part(A, (5,))))
    cycle = books.propose(TUESDAY)
    with pytest.raises(CycleStateError):
        books.release(cycle.cycle_id)
    with pytest.raises(UnknownCycleError):
        books.release(cycle.cycle_id + 1)
    assert books.balance(A, Account.IN_TRANSIT) == 0


def test_a_balance_that_fell_drops_the_payout(books: Books) -> None:
    """Less than approved is there: that payout is left out with its reason and a case, the others leave."""
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,)), Part(B, (6,))))
    _assess(books)
    cycle = books.approved(TUESDAY)
    _hold(books, 1)
    released = books.release(cycle.cycle_id)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [
        (A.ncpdp_id, "the balance fell after approval by 1 cents below the payout")
    ]
    assert (released.payouts, released.total_cents, released.fee_cents) == (1, 6, 0)
    assert books.balance(A, Account.DUE_AVAILABLE) == 499_99
    assert books.balance(A, Account.FEE_RECEIVABLE, Ledger.OPERATING) == -200_00
    assert books.cases()["payout_dropped", f"cycle {cycle.cycle_id} {A.ncpdp_id}"] == 300_00
    assert _states(books) == {"excluded": 1, "released": 1}
    books.prove()


@pytest.mark.parametrize("float_cents", [0, 1_000])
def test_a_balance_that_falls_in_the_middle_is_tried_again(
    books: Books, monkeypatch: pytest.MonkeyPatch, float_cents: int
) -> None:
    """A hold between the check and the posting rolls the release back, float or none; the next try drops the payout."""
    if float_cents:
        books.put_in("OWN", float_cents, date(2026, 11, 13))
    books.fund(remittance("T1", MONDAY, Part(A, (500,)), Part(B, (6,))))
    cycle = books.approved(TUESDAY)
    builder = payout_released
    holds = iter([400])

    def in_between(*facts: object) -> Transaction:
        for cents in holds:
            _hold(books, cents)
        return builder(*facts)  # type: ignore[arg-type]

    monkeypatch.setattr(release_module, "payout_released", in_between)
    released = books.release(cycle.cycle_id)
    assert [each.ncpdp_id for each in released.dropped] == [A.ncpdp_id]
    assert released.total_cents == 6
    books.prove()


def test_a_balance_that_keeps_falling_ends_in_a_refusal(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three tries the release says so, and nothing has left."""
    books.put_in("OWN", 1_000, date(2026, 11, 13))
    books.fund(remittance("T1", MONDAY, Part(A, (500,)), Part(B, (600,)), Part(C, (6,))))
    cycle = books.approved(TUESDAY)
    builder = payout_released

    def too_much(key: str, day: date, payouts: list[tuple[object, int, int]]) -> Transaction:
        return builder(key, day, [(member, payout, cents + 1) for member, payout, cents in payouts])  # type: ignore[misc]

    monkeypatch.setattr(release_module, "payout_released", too_much)
    with pytest.raises(InsufficientBalanceError):
        books.release(cycle.cycle_id)
    assert _states(books) == {"approved": 3}
    books.prove()


def test_a_fee_given_up_after_approval_drops_the_payout(books: Books) -> None:
    """The set that was approved collects a fee that is no longer open: neither fee nor payout leaves."""
    books.fund(remittance("T1", MONDAY, Part(A, (500_00,)), Part(B, (6,))))
    _assess(books)
    cycle = books.approved(TUESDAY)
    books.waive(A, NOVEMBER, 200_00, on=TUESDAY)
    released = books.release(cycle.cycle_id)
    assert [each.reason for each in released.dropped] == ["its fee changed after approval"]
    assert books.balance(A, Account.DUE_AVAILABLE) == 500_00
    books.prove()


def test_a_cycle_of_fees_only_has_no_file(books: Books) -> None:
    """Where the fee takes all, it is collected and swept, nothing is sent, and nothing waits for the bank."""
    books.fund(remittance("T1", MONDAY, Part(A, (200_00,))))
    _assess(books)
    released = books.pay(TUESDAY)
    assert (released.state, released.nacha_file, released.payouts, released.fee_cents) == ("settled", None, 0, 200_00)
    assert books.house(Account.OPERATING_FLOAT) == 200_00
    assert _states(books) == {"settled": 1}
    assert books.release(released.cycle_id) == released
    books.prove()


def test_a_cycle_whose_payouts_are_all_dropped_is_done(books: Books) -> None:
    """Nothing leaves, the cycle stands in nobody's way."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    cycle = books.approved(TUESDAY)
    _hold(books, 1)
    released = books.release(cycle.cycle_id)
    assert (released.payouts, released.total_cents, len(released.dropped)) == (0, 0, 1)
    assert books.propose(WEDNESDAY).total_cents == 499


def test_unexplained_debits_beyond_the_float_stop_every_release(books: Books) -> None:
    """A debit that nobody explains may be anybody's money: with less float than that nothing leaves."""
    books.put_in("OWN", 100, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (500,))), day=TUESDAY)
    cycle = books.approved(TUESDAY)
    books.book(WEDNESDAY, paid_out("STRANGE", 101))
    with pytest.raises(FloatGateError):
        books.release(cycle.cycle_id)
    assert _states(books) == {"approved": 1}
    books.put_in("OWN2", 1, date(2026, 11, 19))
    assert books.release(cycle.cycle_id).total_cents == 500
    books.prove()


def test_nothing_leaves_while_cash_is_not_the_banks(books: Books) -> None:
    """A missing statement breaks the proof of the whole (P4): no money leaves until it is there."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    cycle = books.approved(TUESDAY)
    missing = books.bank.statement(TUESDAY, paid_out("OUT", 1))
    late = books.bank.statement(WEDNESDAY)
    books.receive(late)
    with pytest.raises(ProofGateError, match="P4"):
        books.release(cycle.cycle_id)
    books.receive(missing)
    books.put_in("OWN", 1, date(2026, 11, 19))
    assert books.release(cycle.cycle_id).total_cents == 500


def test_a_payout_too_large_for_an_entry_does_not_stop_the_others(books: Books) -> None:
    """An ACH entry has ten digits: a larger payout is dropped with its reason."""
    books.fund(remittance("T1", MONDAY, Part(A, (10**10,)), Part(B, (6,))))
    released = books.pay(TUESDAY)
    assert [each.reason for each in released.dropped] == ["one ACH entry carries less than 10000000000 cents"]
    assert released.total_cents == 6
    books.prove()


def test_a_folder_that_can_not_be_made_is_said_before_anything_leaves(books: Books) -> None:
    """A file in the way of the folder is a sentence; the cycle is not released by it, and is by another folder."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    cycle = books.approved(TUESDAY)
    blocked = books.folder / "blocked"
    blocked.write_text("")
    with pytest.raises(OutFolderError, match="is not released"):
        books.releaser().release(cycle.cycle_id, blocked / "out")
    assert _states(books) == {"approved": 1}
    assert books.release(cycle.cycle_id).total_cents == 500


def test_a_file_that_can_not_be_put_down_is_kept(books: Books) -> None:
    """Where the folder takes no file the sentence says that the cycle is released; another folder gives its bytes."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    cycle = books.approved(TUESDAY)
    out = books.folder / "taken"
    (out / f"{TUESDAY}-cycle-{cycle.cycle_id}.ach" / "x").mkdir(parents=True)
    with pytest.raises(OutFolderError, match="is released and what it sends is kept"):
        books.releaser().release(cycle.cycle_id, out)
    assert sum(each.amount_cents for each in _entries(books.release(cycle.cycle_id))) == 500
    assert books.balance(A, Account.IN_TRANSIT) == 500


def test_savings_accounts_and_odd_names_are_written(new_books: Books) -> None:
    """A savings account has its own code; a long name with letters beyond ASCII is fitted, never refused."""
    store = replace(pharmacy(120), account_type="savings", account_number="12-AB-9")
    new_books.found()
    new_books.receive(
        roster(roster_row(store, legal_name="Farmacia Ñandú & Søns of the Very Long Name LLC")), "roster.csv"
    )
    new_books.fund(remittance("T1", MONDAY, Part(store, (5,))))
    (entry,) = _entries(new_books.pay(TUESDAY))
    assert entry.transaction_code == "32"
    assert entry.account_number.strip() == "12-AB-9"
    assert entry.receiver_name.isascii()


def test_a_statement_shows_the_released_payout(books: Books) -> None:
    """The member's statement names the trace number that stands in the file."""
    books.fund(remittance("T1", MONDAY, Part(A, (500,))))
    (entry,) = _entries(books.pay(TUESDAY))
    member = books.member(A)
    with books.begin() as connection:
        made = statement(connection, member, MONDAY, WEDNESDAY)
    assert [(each.trace_number, each.account_last_four) for each in made.payouts] == [
        (entry.trace_number, A.account_number[-4:])
    ]
