"""Bank statements into the books: every line once, the opening balance of the first, and the traces that lines name."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.statement import AsOfModifier, BankItem
from ingest.bank.traces import traces_of
from ingest.receiving import FileVerdict
from ledger.chart import HOUSE, Account
from schemas.errors import WrongUseError
from tests.support.bank import own_money, paid_in, paid_out
from tests.support.books import Books
from tests.support.trade import BANK_ACCOUNT

DAY = date(2026, 11, 16)
NEXT = date(2026, 11, 17)


def _statement(*lines: StatementLine, day: date = DAY, opening_cents: int = 0, file_id: str = "1") -> bytes:
    return write_bai2(account=BANK_ACCOUNT, as_of=day, opening_cents=opening_cents, items=lines, file_id=file_id)


def _lines(books: Books) -> int:
    return int(books.ask("SELECT count(*) FROM bank_line")[0][0])


def _rules(verdict: FileVerdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


def _item(text: str, spaced: str | None = None, bank_reference: str = "", customer_reference: str = "") -> BankItem:
    return BankItem(
        "142", 1, True, "", bank_reference, customer_reference, text, text if spaced is None else spaced, 1, 1
    )


def test_credits_and_debits_are_booked_on_the_banks_day(books: Books) -> None:
    """A credit is an unmatched deposit, a debit an unmatched debit; cash is the bank's closing balance."""
    books.book(DAY, paid_in("T1", 500), paid_out("OUT", 120))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 500
    assert books.house(Account.UNMATCHED_DEBIT) == -120
    assert books.house(Account.CASH) == -380
    assert books.ask("SELECT DISTINCT effective_on FROM journal_transaction")[0][0] == DAY
    books.prove()


@pytest.mark.parametrize("opening_cents", [12_345, -700])
def test_the_first_statement_books_its_opening_balance(books: Books, opening_cents: int) -> None:
    """What the account held, or owed, before is a line of its own; later statements add their lines only."""
    books.bank.balance_cents = opening_cents
    books.book(DAY, paid_in("T1", 500))
    books.book(NEXT, paid_in("T2", 5))
    assert books.house(Account.CASH) == -(opening_cents + 505)
    assert [tuple(row) for row in books.ask("SELECT amount_cents FROM bank_line WHERE type_code = '010'")] == [
        (opening_cents,)
    ]
    books.prove()


def test_a_statement_of_days_before_the_books_began_is_refused(books: Books) -> None:
    """The opening balance of the first statement holds earlier lines already: to book them would count them twice."""
    books.bank.balance_cents = 1_000
    books.book(NEXT, paid_in("T2", 5))
    verdict = books.receive(_statement(paid_in("T1", 500), opening_cents=500))
    assert verdict.status == "quarantined"
    assert _rules(verdict) == {"statement_follows_the_first"}
    assert books.house(Account.CASH) == -1_005
    books.prove()


def test_a_statement_sent_again_with_more_lines_is_refused(books: Books) -> None:
    """Another version of a booked day is not taken over in parts: nothing of it is booked, and a case is open."""
    one, two = paid_in("T1", 500), paid_in("T2", 7)
    books.receive(_statement(one))
    verdict = books.receive(_statement(one, two, file_id="2"))
    assert (verdict.status, _rules(verdict)) == ("quarantined", {"feeds_agree"})
    assert _lines(books) == 1
    assert books.cases()["feeds_differ", f"{DAY}"] == 7
    books.prove()


def test_a_statement_that_goes_on_is_booked(books: Books) -> None:
    """A second statement of a day that opens where the first closed adds its lines, those alike included."""
    line = StatementLine("142", 100, "SAME", "", "HCCLAIMPMT")
    books.receive(_statement(line, line, line))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 300
    books.receive(_statement(line, opening_cents=300, file_id="2"))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 400
    books.prove()


def test_lines_that_are_alike_are_counted(books: Books) -> None:
    """Three equal lines of a day are three; sent again they stay three; on another day they are new."""
    line = StatementLine("142", 100, "SAME", "", "HCCLAIMPMT")
    books.receive(_statement(line, line, line))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 300
    assert books.receive(_statement(line, line, line, file_id="2")).status == "accepted"
    assert books.house(Account.UNMATCHED_DEPOSIT) == 300
    assert books.receive(_statement(line, line, line, line, file_id="3")).status == "quarantined"
    assert books.house(Account.UNMATCHED_DEPOSIT) == 300
    books.receive(_statement(line, day=NEXT, opening_cents=300))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 400
    books.prove()


def test_two_processes_book_a_statement_once(books: Books) -> None:
    """The same lines in two files taken in at the same moment are booked once, the opening balance too."""
    contents = [_statement(paid_in("T1", 500), opening_cents=9, file_id=number) for number in ("1", "2")]
    with ThreadPoolExecutor(2) as pool:
        assert [each.status for each in pool.map(books.receive, contents)] == ["accepted", "accepted"]
    assert books.house(Account.CASH) == -509
    books.prove()


def test_a_day_reported_twice_in_a_file_is_refused(books: Books) -> None:
    """Nobody can tell lines that are alike from lines that are repeated: the file is refused whole."""
    first = _statement(paid_in("T1", 500)).decode().splitlines()
    second = _statement(paid_in("T2", 5), opening_cents=500).decode().splitlines()
    groups = [*first[1:-1], *second[1:-1]]
    total = sum(int(line.split(",")[1]) for line in groups if line.startswith("98,"))
    content = "\n".join([first[0], *groups, f"99,{total},2,{len(groups) + 2}/"]) + "\n"
    verdict = books.receive(content.encode())
    assert _rules(verdict) == {"day_is_reported_once"}, verdict.findings
    assert _lines(books) == 0


def test_a_statement_of_another_account_is_refused(books: Books) -> None:
    """Only the custodial account's statement is booked; the finding shows four digits of each."""
    content = write_bai2(account="777888999", as_of=DAY, opening_cents=0, items=[paid_in("T1", 5)])
    verdict = books.receive(content)
    assert _rules(verdict) == {"account_is_custodial"}
    assert "777888" not in verdict.summary
    assert _lines(books) == 0


def test_intraday_and_foreign_figures_are_refused(books: Books) -> None:
    """Intraday figures are repeated by the prior-day file, and only dollars are booked."""
    intraday = AsOfModifier.INTERIM_SAME_DAY
    content = write_bai2(
        account=BANK_ACCOUNT,
        as_of=DAY,
        opening_cents=0,
        items=[paid_in("T1", 5)],
        currency="CAD",
        as_of_modifier=intraday,
    )
    assert _rules(books.receive(content)) == {"currency_is_dollars", "statement_is_booked"}


def test_a_statement_outside_all_periods_is_refused(books: Books) -> None:
    """A day without an accounting period is most likely a typing error."""
    assert _rules(books.receive(_statement(paid_in("T1", 5), day=date(2065, 1, 4)))) == {"period_exists"}


def test_the_account_of_the_books_stays(books: Books) -> None:
    """Books that were begun with one account take no statement under another setting."""
    books.book(DAY, paid_in("T1", 5))
    other = write_bai2(account="777888999", as_of=NEXT, opening_cents=5, items=[])
    with pytest.raises(WrongUseError, match="CENTRALPAY_BANK_ACCOUNT"):
        books.receive(other, account="777888999")


def test_the_account_number_is_sealed(books: Books) -> None:
    """The database holds the custodial account's number encrypted, and its last four in clear."""
    books.book(DAY, paid_in("T1", 5))
    (row,) = books.ask("SELECT last_four, sealed_number FROM custodial_account")
    assert row.last_four == BANK_ACCOUNT[-4:]
    assert BANK_ACCOUNT.encode() not in bytes(row.sealed_number)


def test_a_missing_day_breaks_the_proof_until_it_comes(books: Books) -> None:
    """A day between two statements may come late; until then cash is not the bank's balance (P4)."""
    books.book(DAY, paid_in("T1", 500))
    between = books.bank.statement(NEXT, paid_in("T2", 7))
    books.book(date(2026, 11, 18), paid_in("T3", 1))
    with pytest.raises(AssertionError, match="the bank closes at"):
        books.prove()
    books.receive(between)
    books.prove()


def test_a_trace_is_found_in_the_text() -> None:
    """TRN02 with TRN03 where the bank gives it, however many there are."""
    text = "PAYER HCCLAIMPMT TRN*1*T1*1360000001~ TRN*1*T2~"
    assert traces_of(_item(text)) == [("T1", "1360000001"), ("T2", "")]


def test_a_trace_with_and_without_payer_is_one() -> None:
    """The fuller one is kept."""
    assert traces_of(_item("TRN*1*T1 TRN*1*T1*1360000001~")) == [("T1", "1360000001")]


@pytest.mark.parametrize(
    ("first", "second"),
    [("TRN*1*12345", "6789*1360000001~"), ("TRN*1*123456789*13600", "00001~"), ("TRN*1*123456789*1360000001", "~NEXT")],
)
def test_a_trace_broken_across_lines_is_found(first: str, second: str) -> None:
    """Wherever the bank broke its line, the whole trace and its payer are found, and no piece of them."""
    assert traces_of(_item(first + second, f"{first} {second}")) == [("123456789", "1360000001")]


def test_a_broken_trace_without_payer_keeps_both_readings() -> None:
    """Without a payer nobody can tell a trace cut in two from one with the next word glued to it."""
    assert traces_of(_item("TRN*1*12345NEXT", "TRN*1*12345 NEXT")) == [("12345", ""), ("12345NEXT", "")]


def test_a_trace_that_begins_another_is_not_lost() -> None:
    """One deposit may name payments of which one trace is the beginning of the other."""
    text = "TRN*1*1000*1360000001~ TRN*1*10001*1360000001~ TRN*1*100~"
    assert traces_of(_item(text)) == [("100", ""), ("1000", "1360000001"), ("10001", "1360000001")]


def test_references_stand_in_for_a_trace() -> None:
    """Without a TRN the references may be a trace, of no named payer."""
    assert traces_of(_item("HCCLAIMPMT", None, "R1 ", "C1")) == [("C1", ""), ("R1", "")]
    assert traces_of(_item("HCCLAIMPMT")) == []


def test_a_long_text_keeps_its_trace(books: Books) -> None:
    """A trace that continuation records cut in two is whole in the stored line."""
    books.book(DAY, StatementLine("142", 5, "REF", "", f"{'X' * 52} TRN*1*{'7' * 30}*1360000001~ THE END"))
    assert books.ask("SELECT traces FROM bank_line")[0][0] == [["7" * 30, "1360000001"]]


def test_own_money_is_the_houses(books: Books) -> None:
    """A wire of the PSAO's own money, approved, is its float; nothing of the deposit stays open."""
    books.put_in("OWN", 5_000, DAY)
    assert books.balance(HOUSE, Account.OPERATING_FLOAT) == 5_000
    assert books.ask("SELECT state FROM bank_line")[0][0] == "matched"
    books.book(NEXT, own_money("OWN2", 1))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 1
    books.prove()
