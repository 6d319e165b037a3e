"""Several feeds of one bank: the same money is booked once, and what one feed knows more than another is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from app.demo.remittance import Payer
from app.demo.simulator.camt053 import write_camt053
from ingest.bank.bai2_writer import StatementLine, write_bai2
from ingest.bank.received_entries import ReceivedEntry, ReceivedSummary, load_received_entries
from ingest.receiving import FileVerdict
from ledger.chart import Account
from ledger.errors import CashUnbalancedError, JournalAppendOnlyError
from tests.support.bank import own_money, paid_in, paid_out
from tests.support.books import MAKER, Books
from tests.support.trade import BANK_ACCOUNT, OTHER_PAYER, PAYER, A, Part, remittance

FRIDAY, MONDAY, TUESDAY = date(2026, 11, 13), date(2026, 11, 16), date(2026, 11, 17)
UNNAMED = StatementLine("142", 500_00, "R1", "", "PREAUTHORIZED ACH CREDIT")


def _bai2(*lines: StatementLine, day: date = MONDAY, opening_cents: int = 0, file_id: str = "1") -> bytes:
    return write_bai2(account=BANK_ACCOUNT, as_of=day, opening_cents=opening_cents, items=lines, file_id=file_id)


def _camt(*lines: StatementLine, day: date = MONDAY, opening_cents: int = 0) -> bytes:
    return write_camt053(account=BANK_ACCOUNT, as_of=day, opening_cents=opening_cents, items=lines)


def _booked(books: Books) -> list[int]:
    return [row.amount_cents for row in books.ask("SELECT amount_cents FROM bank_line ORDER BY bank_line_id")]


def _traces(books: Books) -> list[list[list[str]]]:
    return [row.traces for row in books.ask("SELECT traces FROM bank_line_payments ORDER BY bank_line_id")]


def _differs(verdict: FileVerdict) -> bool:
    return verdict.status == "quarantined" and {each.rule for each in verdict.findings} == {"feeds_agree"}


# Statements ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("camt_first", [False, True])
def test_a_day_in_two_formats_is_booked_once(books: Books, *, camt_first: bool) -> None:
    """BAI2 and CAMT.053 of one day, in either order: three lines, one closing balance, every proof holds."""
    lines = paid_in("T1", 500_00), own_money("W1", 20_00), paid_out("OUT", 120_00)
    contents = [_bai2(*lines, opening_cents=7), _camt(*lines, opening_cents=7)]
    first, second = reversed(contents) if camt_first else contents
    assert books.receive(first).status == "accepted"
    verdict = books.receive(second)
    assert (verdict.status, verdict.summary) == (
        "accepted",
        "0 bank lines booked, 1 statement said again what was booked",
    )
    assert sorted(_booked(books)) == [-120_00, 7, 20_00, 500_00]
    assert books.house(Account.CASH) == -(7 + 400_00)
    feeds = {row.feed: (row.repeats is None, row.closing_cents) for row in books.ask("SELECT * FROM bank_statement")}
    assert feeds[("camt053", "bai2")[not camt_first]] == (True, 400_07)
    assert feeds[("bai2", "camt053")[not camt_first]] == (False, None)
    books.prove()


def test_both_formats_make_the_same_lines(books: Books) -> None:
    """A day that comes as XML alone is booked with the words that BAI2 has for it, traces included."""
    books.receive(_camt(paid_in("T1", 500_00), paid_out("OUT", 120_00)))
    rows = books.ask("SELECT type_code, amount_cents, bank_reference, description, traces FROM bank_line ORDER BY 1")
    assert [tuple(row) for row in rows] == [
        ("142", 500_00, "INT1", "HARROWGATE HCCLAIMPMT TRN*1*T1*1360000001~", [["T1", "1360000001"]]),
        ("455", -120_00, "OUT", "ACH ORIGINATION HCCLAIMPMT", [["OUT", ""]]),
    ]


def test_the_second_feed_names_what_the_first_left_out(books: Books) -> None:
    """A line booked without a trace is matched by the trace that the day's other statement gives it."""
    books.found(A)
    books.remit(remittance("T1", MONDAY, Part(A, (500_00,))))
    books.receive(_bai2(UNNAMED))
    assert books.match().funded == ()
    named = UNNAMED._replace(text="HARROWGATE HCCLAIMPMT TRN*1*T1*1360000001~")
    assert "payments named for 1 line" in books.receive(_camt(named)).summary
    assert [each.trn for each in books.match().funded] == ["T1"]
    assert _booked(books) == [500_00]
    books.prove()


def test_a_trace_is_not_given_to_one_of_two_lines_that_are_alike(books: Books) -> None:
    """Two booked lines of one amount could each be the one that is named: the day is the same, neither is touched."""
    books.receive(_bai2(UNNAMED, UNNAMED))
    named = UNNAMED._replace(bank_reference="", text="TRN*1*T1*1360000001~")
    other = UNNAMED._replace(bank_reference="", text="TRN*1*T2*1360000001~")
    assert books.receive(_camt(named, other)).status == "accepted"
    assert _traces(books) == [[["R1", ""]], [["R1", ""]]]


def test_the_same_format_with_other_texts_is_the_same_day(books: Books) -> None:
    """A bank that sends its statement again with other words for the same lines books nothing."""
    books.receive(_bai2(paid_in("T1", 500_00), own_money("W1", 20_00)))
    again = paid_in("T1", 500_00)._replace(text="HCCLAIMPMT FROM HARROWGATE TRN*1*T1*1360000001\\")
    assert books.receive(_bai2(own_money("W1", 20_00)._replace(text="WIRE"), again, file_id="2")).status == "accepted"
    assert _booked(books) == [500_00, 20_00]
    books.prove()


_SAID = paid_in("T1", 500_00), paid_in("T2", 20_00)


@pytest.mark.parametrize(
    ("lines", "cents"),
    [
        ((_SAID[0], _SAID[1], paid_in("T3", 3_00)), 3_00),
        ((_SAID[0],), -20_00),
        ((_SAID[0], paid_in("T2", 21_00)), 1_00),
        ((_SAID[0], paid_in("T9", 20_00)), 0),
    ],
    ids=["one more", "one less", "another amount", "another payment"],
)
@pytest.mark.parametrize("is_camt", [False, True])
def test_a_statement_that_differs_is_refused_whole(
    books: Books, lines: tuple[StatementLine, ...], cents: int, *, is_camt: bool
) -> None:
    """Nothing of it is booked; the findings name the lines, and a case waits for a person."""
    books.receive(_bai2(*_SAID))
    again = _camt(*lines) if is_camt else _bai2(*lines, file_id="2")
    verdict = books.receive(again)
    assert _differs(verdict), verdict.findings
    assert all(each.line and each.advice for each in verdict.findings)
    assert books.cases()["feeds_differ", "2026-11-16"] == cents
    assert _booked(books) == [500_00, 20_00]
    assert books.house(Account.CASH) == -520_00
    books.prove()


@pytest.mark.parametrize(("opening_cents", "is_closed"), [(520_00, True), (523_00, False)])
def test_the_next_day_says_which_version_was_right(books: Books, opening_cents: int, *, is_closed: bool) -> None:
    """A statement that opens where the books closed closes the case; one that opens elsewhere leaves it open."""
    books.receive(_bai2(*_SAID))
    books.receive(_camt(*_SAID, paid_in("T3", 3_00)))
    assert books.cases()["feeds_differ", "2026-11-16"] == 3_00
    books.receive(_bai2(paid_in("T4", 1_00), day=TUESDAY, opening_cents=opening_cents))
    assert (("feeds_differ", "2026-11-16") not in books.cases()) is is_closed


def test_the_balances_have_to_agree_as_well(books: Books) -> None:
    """The same lines between other balances are another version of the day."""
    books.receive(_bai2(paid_in("T0", 1_00), day=FRIDAY))
    books.receive(_bai2(paid_in("T1", 500_00), opening_cents=1_00))
    verdict = books.receive(_camt(paid_in("T1", 500_00), opening_cents=2_00))
    assert _differs(verdict)
    assert verdict.findings[0].expected == "opening balance 1.00, closing balance 501.00"


def test_parts_of_a_day_may_be_said_again(books: Books) -> None:
    """A day in two statements that go on: each of them, and the whole day at once, book nothing again."""
    one, two = paid_in("T1", 500_00), paid_in("T2", 20_00)
    books.receive(_bai2(one))
    books.receive(_bai2(two, opening_cents=500_00, file_id="2"))
    for again in (_camt(one), _camt(two, opening_cents=500_00), _camt(one, two)):
        assert books.receive(again).status == "accepted"
    assert _booked(books) == [500_00, 20_00]
    books.prove()


def test_a_part_of_a_day_that_came_too_early_is_booked_in_its_turn(books: Books) -> None:
    """The third part comes before the second, is refused, and comes again: the day closes with it, a fourth follows.

    The balance goes 0, 100, 200, 300, 400; the third part's file was here before the second's.
    """
    parts = [_bai2(paid_in(f"T{place}", 100), opening_cents=100 * place, file_id=f"{place}") for place in range(4)]
    came = [books.receive(parts[place]).status for place in (0, 2, 1, 2)]
    assert came == ["accepted", "quarantined", "accepted", "accepted"]
    books.prove()
    assert books.receive(parts[3]).status == "accepted"
    assert books.house(Account.CASH) == -400
    books.prove()


def test_an_empty_statement_does_not_close_a_day(books: Books) -> None:
    """A statement without lines goes on with any that opens where it closed."""
    books.receive(_bai2())
    assert books.receive(_bai2(paid_in("T1", 500_00), file_id="2")).status == "accepted"
    assert _booked(books) == [500_00]
    books.prove()


def test_a_batch_in_one_line_and_in_its_parts(books: Books) -> None:
    """Booked as one line, said again as a batch that is split: the same money, and both payments are known now."""
    total = StatementLine("142", 520_00, "R1", "", "ACH SETTLEMENT")
    books.receive(_bai2(total))
    details = "".join(
        f'<TxDtls><Amt Ccy="USD">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><RmtInf><Ustrd>TRN*1*{trace}*1360000001~'
        "</Ustrd></RmtInf></TxDtls>"
        for amount, trace in (("500.00", "T1"), ("20.00", "T2"))
    )
    content = _camt(total).decode()
    start, end = content.index("<TxDtls>"), content.index("</NtryDtls>")
    verdict = books.receive((content[:start] + details + content[end:]).encode())
    assert verdict.summary.endswith("payments named for 1 line"), verdict
    assert _booked(books) == [520_00]
    assert _traces(books) == [[["T1", "1360000001"], ["T2", "1360000001"]]]


def test_entries_that_are_not_booked_are_told(books: Books) -> None:
    """A pending entry is left out; the file is accepted and says so."""
    content = _camt(paid_in("T1", 500_00)).decode()
    start = content.index("<Ntry>")
    pending = content[start : content.index("</Ntry>") + 7].replace("BOOK", "PDNG")
    verdict = books.receive((content[:start] + pending + "\n" + content[start:]).encode())
    assert verdict.status == "accepted"
    assert [(each.rule, each.found) for each in verdict.findings] == [("entry_is_booked", "1 entries of status PDNG")]
    assert _booked(books) == [500_00]


def test_statements_of_other_accounts_in_the_file_are_passed_over(books: Books) -> None:
    """XML may bring several accounts; ours is booked, the other one is a warning that shows four digits of it."""
    content = _camt(paid_in("T1", 500_00)).decode()
    start, end = content.index("<Stmt>"), content.index("</Stmt>") + 7
    other = content[start:end].replace(BANK_ACCOUNT, "777888999")
    verdict = books.receive((content[:start] + other + content[start:]).encode())
    assert verdict.status == "accepted"
    assert [(each.rule, each.found) for each in verdict.findings] == [
        ("account_is_custodial", "an account ending 8999")
    ]
    assert _booked(books) == [500_00]
    refused = books.receive(content.replace(BANK_ACCOUNT, "777888999").encode())
    assert refused.status == "quarantined"
    assert {each.rule for each in refused.findings} == {"account_is_custodial"}


def test_two_feeds_at_the_same_moment(books: Books) -> None:
    """Both formats of a day taken in by two processes at once: one books, the other says it again."""
    lines = paid_in("T1", 500_00), paid_out("OUT", 120_00)
    contents = [_bai2(*lines, opening_cents=9), _camt(*lines, opening_cents=9)]
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(books.receive, contents))
    assert [each.status for each in verdicts] == ["accepted", "accepted"]
    assert sorted(_booked(books)) == [-120_00, 9, 500_00]
    books.prove()


def test_the_same_file_at_the_same_moment(books: Books) -> None:
    """Two processes that read one file at once book it once; both say that it is taken."""
    content = _bai2(paid_in("T1", 500_00), opening_cents=9)
    with ThreadPoolExecutor(3) as pool:
        verdicts = list(pool.map(books.receive, [content] * 3))
    assert {each.status for each in verdicts} <= {"accepted", "duplicate"}
    assert sorted(_booked(books)) == [9, 500_00]
    assert [row.repeats for row in books.ask("SELECT repeats FROM bank_statement")] == [None]
    books.prove()


# Received entries ----------------------------------------------------------------------------------------------------


def _entry(
    trn: str, cents: int = 500_00, *, day: date = MONDAY, payer: Payer = PAYER, number: int = 1, line: int = 3
) -> ReceivedEntry:
    trns = ((trn, str(payer.payer_id)),) if trn else ()
    name = payer.name[:16].strip()
    trace = f"{payer.routing[:8]}{number:07d}"
    return ReceivedEntry(trace, abs(cents), cents > 0, day, payer.payer_id, name, "PSAO", trns, line)


def _received(books: Books, *entries: ReceivedEntry) -> ReceivedSummary:
    """Take in a file of received items."""
    with books.begin() as connection:
        file_id = connection.execute(_FILE, {"name": f"{len(entries)}-{id(entries)}"}).scalar_one()
        return load_received_entries(connection, entries, file_id, MAKER)


_FILE = text("""
    INSERT INTO received_file (sha256, name, kind, size_bytes, status, received_by)
    VALUES (sha256(CAST(CAST(:name AS text) || clock_timestamp() AS bytea)), :name, 'nacha', 0, 'accepted', 'mary')
    RETURNING file_id
""")


@pytest.mark.parametrize("entry_first", [False, True])
def test_an_entry_says_what_its_line_is_for(books: Books, *, entry_first: bool) -> None:
    """The statement moves the cash, the entry brings the trace; whichever comes first, the payment is funded once."""
    books.found(A)
    books.remit(remittance("T1", MONDAY, Part(A, (500_00,))))
    if entry_first:
        assert _received(books, _entry("T1")).waiting == 1
        assert books.house(Account.CASH) == 0
        assert books.receive(_bai2(UNNAMED)).summary.endswith("1 received entry joined")
    else:
        books.receive(_bai2(UNNAMED))
        assert _received(books, _entry("T1")) == ReceivedSummary(entries=1, added=1, joined=1, waiting=0)
    assert books.house(Account.CASH) == -500_00
    assert [each.trn for each in books.match().funded] == ["T1"]
    books.prove()


def test_the_same_entry_again_is_known(books: Books) -> None:
    """An entry comes once, by trace, amount and day, in however many files."""
    assert _received(books, _entry("T1")).added == 1
    summary = _received(books, _entry("T1"), _entry("T2", number=2))
    assert (summary.entries, summary.added, summary.waiting) == (2, 1, 2)


def test_entries_without_money_are_passed_over(books: Books) -> None:
    """A prenote, or an entry that only carries remittance, is nobody's line."""
    assert _received(books, _entry("T1", 0)) == ReceivedSummary(entries=0, added=0, joined=0, waiting=0)


def test_two_lines_that_could_be_it_are_not_guessed(books: Books) -> None:
    """Two lines of the amount on the day: the entry waits, and a case says so until one is told apart."""
    books.receive(_bai2(UNNAMED, UNNAMED._replace(bank_reference="R2")))
    entry = _entry("T1")
    assert _received(books, entry).waiting == 1
    assert books.cases()["feeds_differ", f"received entry {entry.trace}"] == 500_00
    assert _traces(books) == [[["R1", ""]], [["R2", ""]]]


def test_two_entries_for_two_lines_are_told_apart_by_company(books: Books) -> None:
    """The lines name their companies, the entries are of these: each finds its own, whatever the order."""
    lines = [
        UNNAMED._replace(bank_reference=f"R{number}", text=f"ACH CREDIT {payer.name[:16].strip()}")
        for number, payer in enumerate((OTHER_PAYER, PAYER))
    ]
    books.receive(_bai2(*lines))
    assert _received(books, _entry("T1"), _entry("T2", payer=OTHER_PAYER, number=2)).joined == 2
    assert _traces(books) == [[["T2", "1360000002"]], [["T1", "1360000001"]]]


def test_a_line_of_another_payer_is_not_taken(books: Books) -> None:
    """The only line of the amount names another of our payers: the entry waits."""
    books.receive(f"payer_id,name,ach_company_ids,aliases\n{OTHER_PAYER.payer_id},{OTHER_PAYER.name},,\n".encode())
    books.receive(_bai2(UNNAMED._replace(text=f"ACH CREDIT {OTHER_PAYER.name}")))
    assert _received(books, _entry("T1")).joined == 0


def test_a_line_that_names_another_payment_is_not_taken(books: Books) -> None:
    """A trace in the line's own text counts before everything else."""
    books.receive(_bai2(paid_in("T9", 500_00)))
    assert _received(books, _entry("T1")).joined == 0
    assert _traces(books) == [[["T9", "1360000001"]]]


@pytest.mark.parametrize(
    ("booked_on", "is_named", "joined"),
    [
        (TUESDAY, False, 1),
        (TUESDAY + timedelta(days=1), False, 0),
        (FRIDAY, False, 0),
        (FRIDAY, True, 1),
        (TUESDAY + timedelta(days=1), True, 0),
    ],
)
def test_a_day_earlier_or_later(books: Books, booked_on: date, *, is_named: bool, joined: int) -> None:
    """One banking day apart: later once the own day's statement has no such line; earlier only when it is named.

    Two banking days apart nothing is it.
    """
    days = sorted({MONDAY, booked_on})
    line = UNNAMED._replace(text="ACH CREDIT HARROWGATE BENEF") if is_named else UNNAMED
    stands = 0
    for day in days:
        books.receive(_bai2(*([line] if day == booked_on else []), day=day, opening_cents=stands))
        stands += line.amount_cents if day == booked_on else 0
    assert _received(books, _entry("T1")).joined == joined


def test_the_next_day_is_not_taken_before_the_own_day_is_there(books: Books) -> None:
    """While the statement of the entry's own day is missing, the next day's line may be another payment's."""
    books.receive(_bai2(UNNAMED, day=TUESDAY))
    assert _received(books, _entry("T1")).joined == 0
    books.receive(_bai2(day=MONDAY))
    assert _traces(books) == [[["T1", "1360000001"]]]


def test_debits_are_joined_as_well(books: Books) -> None:
    """A payer's debit entry names the payment that it takes back."""
    books.receive(_bai2(StatementLine("455", 30_00, "D1", "", "ACH DEBIT")))
    assert _received(books, _entry("T1", -30_00)).joined == 1
    assert _traces(books) == [[["T1", "1360000001"]]]


# The database --------------------------------------------------------------------------------------------------------


@pytest.fixture
def told(books: Books) -> Iterator[Books]:
    """Give books with a day that was said twice, and an entry that was joined to its line."""
    books.receive(_bai2(UNNAMED))
    books.receive(_camt(UNNAMED))
    _received(books, _entry("T1"), _entry("T2", number=2, cents=7_00))
    yield books
    books.prove()


def _do(books: Books, statement: str) -> None:
    with books.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    "statement",
    [
        # A statement of the day that does not open where the last one closed.
        """INSERT INTO bank_statement (custodial_account_id, as_of, file_id, opening_cents, closing_cents)
           SELECT 1, '2026-11-16', max(file_id), 0, 50100 FROM received_file""",
        # A repetition of a repetition.
        """INSERT INTO bank_statement (custodial_account_id, as_of, file_id, repeats)
           SELECT 1, '2026-11-16', (SELECT max(file_id) FROM received_file), file_id FROM bank_statement
           WHERE repeats IS NOT NULL""",
        # A line of a statement that only repeats.
        """INSERT INTO bank_line (custodial_account_id, as_of, type_code, amount_cents, bank_reference,
               customer_reference, description, ordinal, file_id)
           SELECT 1, as_of, '142', 1, '', '', '', 1, file_id FROM bank_statement WHERE repeats IS NOT NULL""",
        # An entry for a line of another amount.
        """UPDATE received_entry SET bank_line_id = (SELECT max(bank_line_id) FROM bank_line)
           WHERE bank_line_id IS NULL""",
    ],
)
def test_the_database_refuses_money_twice(told: Books, statement: str) -> None:
    """As the application's role, by raw SQL."""
    with pytest.raises(CashUnbalancedError):
        _do(told, statement)


def test_what_feeds_said_is_kept(told: Books) -> None:
    """A joined entry stays with its line; to change its words the application has no right at all."""
    with pytest.raises(JournalAppendOnlyError):
        _do(told, "UPDATE received_entry SET bank_line_id = NULL WHERE bank_line_id IS NOT NULL")
