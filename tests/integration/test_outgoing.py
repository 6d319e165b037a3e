"""What is sent is written down: files by day and modifier, entries by trace; the database refuses what nobody meant."""

from dataclasses import replace
from datetime import date, datetime, time
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from app.database import DatabaseError, unit_of_work
from ledger.batch import Batch
from ledger.errors import JournalAppendOnlyError, PayoutNotApprovedError
from ledger.events import payout_released
from ledger.posting import post
from payouts.ach.handover import HandoverError, same_day_window, see_handover
from payouts.ach.outgoing import Courier, FileFolderError, FileForm, NothingToSendError, Sending, leave_file
from payouts.ach.payout_file import FileKind, OutgoingEntry
from payouts.ach.sent import (
    FilesOfDayError,
    TracesInUseError,
    UnknownFileError,
    find_entry,
    next_modifier,
    sent_file,
    sent_files,
    take_traces,
)
from payouts.nacha.codes import LineEnd
from payouts.nacha.models import FILE_ID_MODIFIERS
from payouts.nacha.payment import payment_file
from payouts.nacha.reader import read_nacha
from schemas.calendar import add_banking_days
from tests.support.books import MAKER, NOON, ORIGINATOR, Books
from tests.support.trade import A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


def courier(books: Books, connection: Connection, form: FileForm | None = None, made_at: datetime = NOON) -> Courier:
    """Give what hands files over."""
    return Courier(
        connection=connection,
        vault=books.vault,
        originator=ORIGINATOR,
        actor=MAKER,
        made_at=made_at,
        form=form or FileForm(),
    )


def paid(books: Books, day: date = TUESDAY) -> list[tuple[int, str, int]]:
    """Pay two stores; give payout, trace and cents of each."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,)), Part(B, (6_00,))))
    books.pay(day)
    rows = books.ask("SELECT payout_id, trace_number, amount_cents FROM payout ORDER BY payout_id")
    return [(row.payout_id, row.trace_number, row.amount_cents) for row in rows]


def add_file(connection: Connection, *, entries: int = 1, kind: str = "payouts", **changes: object) -> int:
    """Write a file's row past the domain, with the modifier Z."""
    facts = {"cycle_id": 1, "credit_cents": 0, "debit_cents": 0} | changes
    statement = """INSERT INTO ach_file (kind, cycle_id, business_date, effective_on, id_modifier, name, sha256,
        credit_cents, debit_cents, entries, made_by) VALUES (:kind, :cycle_id, '2026-11-17', '2026-11-18', 'Z', 'z.ach',
        sha256('z'), :credit_cents, :debit_cents, :entries, 'mary') RETURNING ach_file_id"""
    return int(connection.execute(text(statement), facts | {"kind": kind, "entries": entries}).scalar_one())


def add_entry(connection: Connection, ach_file_id: int, kind: str, cents: int, payout_id: int | None) -> None:
    """Write an entry's row past the domain."""
    statement = """INSERT INTO ach_entry (trace_number, in_use, ach_file_id, kind, payout_id, amount_cents)
        VALUES (91000019999999, '[2026-11-17,2027-11-17)', :ach_file_id, :kind, :payout_id, :cents)"""
    facts = {"ach_file_id": ach_file_id, "kind": kind, "payout_id": payout_id, "cents": cents}
    connection.execute(text(statement), facts)


def test_a_release_writes_file_and_entries_down(books: Books) -> None:
    """The file with modifier, totals and hash; each entry under its trace, with its payout and its cents."""
    payouts = paid(books)
    with books.begin() as connection:
        (file,) = sent_files(connection)
        found = [find_entry(connection, trace, WEDNESDAY) for _, trace, _ in payouts]
    assert (file.kind, file.cycle_id, file.business_date, file.effective_on) == (
        FileKind.PAYOUTS,
        1,
        TUESDAY,
        WEDNESDAY,
    )
    assert (file.id_modifier, file.credit_cents, file.debit_cents, file.entries) == ("A", 11_00, 0, 2)
    assert file.sha256 == books.ask("SELECT encode(nacha_sha256, 'hex') FROM cycle")[0][0]
    assert [(each.kind, each.payout_id, each.amount_cents, each.sent_on) for each in found if each] == [
        ("payout", payout_id, cents, TUESDAY) for payout_id, _, cents in payouts
    ]


def test_a_trace_is_found_for_a_year(books: Books) -> None:
    """From the day of sending until it may come again; before, after and under another number there is nothing."""
    trace = paid(books)[0][1]
    with books.begin() as connection:
        assert find_entry(connection, trace, TUESDAY)
        assert find_entry(connection, int(trace), date(2027, 11, 16))
        assert find_entry(connection, trace, MONDAY) is None
        assert find_entry(connection, trace, date(2027, 11, 17)) is None
        assert find_entry(connection, int(trace) + 100, TUESDAY) is None


def test_modifiers_go_from_a_to_nine_and_no_further(books: Books) -> None:
    """Each day has 36 of its own, by what was sent on it; the thirty-seventh file is refused."""
    paid(books)
    statement = """INSERT INTO ach_file (kind, business_date, effective_on, id_modifier, name, sha256, credit_cents,
        debit_cents, entries, made_by) SELECT 'prenotes', '2026-11-17', '2026-11-18', m, m, sha256('z'), 0, 0, 1,
        'mary' FROM unnest(CAST(:modifiers AS text[])) m"""
    with books.begin() as connection:
        nested = connection.begin_nested()
        assert next_modifier(connection, TUESDAY) == "B"
        assert next_modifier(connection, WEDNESDAY) == "A"
        connection.execute(text(statement), {"modifiers": list(FILE_ID_MODIFIERS[1:35])})
        assert next_modifier(connection, TUESDAY) == "9"
        connection.execute(text(statement), {"modifiers": ["9"]})
        with pytest.raises(FilesOfDayError, match="36 files"):
            next_modifier(connection, TUESDAY)
        nested.rollback()


def test_one_file_at_a_time_takes_a_modifier(books: Books) -> None:
    """While one session has a day's next modifier and is not done, another one waits for its turn."""
    paid(books)
    with books.begin() as one:
        assert next_modifier(one, TUESDAY) == "B"
        with pytest.raises(DatabaseError, match="lock timeout"):
            _next_at_once(books)
    with books.begin() as other:
        assert next_modifier(other, TUESDAY) == "B"


def _next_at_once(books: Books) -> str:
    """Take the next modifier in a session that waits for nobody."""
    with books.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '100ms'"))
        return next_modifier(connection, TUESDAY)


def test_numbers_still_in_use_are_passed_over(books: Books, owner: Engine) -> None:
    """After the sequence began anew, numbers of less than a year ago are not taken; a year later they are."""
    (_, first, _), (_, second, _) = paid(books)
    start = int(first[8:])
    assert int(second[8:]) == start + 1
    for day, taken in ((TUESDAY, start + 2), (date(2027, 11, 17), start)):
        with owner.begin() as connection:
            connection.execute(text("SELECT setval('ach_trace', :last, false)"), {"last": start})
        with books.begin() as connection:
            assert take_traces(connection, 2, ORIGINATOR.odfi_routing, day) == [taken, taken + 1]


def test_each_bank_has_numbers_of_its_own(books: Books, owner: Engine) -> None:
    """A trace number begins with the bank that sends: what another bank's entries use is free here."""
    start = int(paid(books)[0][1][8:])
    with owner.begin() as connection:
        connection.execute(text("SELECT setval('ach_trace', :last, false)"), {"last": start})
    with books.begin() as connection:
        assert take_traces(connection, 1, "121042882", TUESDAY) == [start]


def test_where_all_numbers_are_in_use_nothing_is_sent(books: Books, owner: Engine) -> None:
    """A sequence that only has numbers of this year ends in a refusal, not in a number used twice."""
    payouts = paid(books)
    with owner.begin() as connection:
        first = int(payouts[0][1][8:])
        connection.exec_driver_sql(
            f"ALTER SEQUENCE ach_trace MINVALUE {first} MAXVALUE {first + 1} START {first} RESTART {first}"
        )
    with books.begin() as connection, pytest.raises(TracesInUseError, match="within a year"):
        take_traces(connection, 2, ORIGINATOR.odfi_routing, WEDNESDAY)


def test_a_trace_is_not_written_twice_within_a_year(books: Books) -> None:
    """The key refuses it, whoever writes; a shorter time of use than a year is refused as well."""
    payout_id, trace, _ = paid(books)[0]
    insert = """INSERT INTO ach_entry (trace_number, in_use, ach_file_id, kind, amount_cents)
        VALUES (:trace, CAST(:in_use AS daterange), 1, 'offset', 1)"""
    for number, in_use, rule in (
        (int(trace), "[2027-11-16,2028-11-16)", "trace_is_not_reused_for_a_year"),
        (int(trace) + 50, "[2026-11-17,2027-11-16)", "trace_is_in_use_for_a_year"),
    ):
        with pytest.raises(IntegrityError, match=rule), books.begin() as connection:
            connection.execute(text(insert), {"trace": number, "in_use": in_use})
    assert books.ask("SELECT count(*) FROM ach_entry WHERE payout_id = :payout_id", payout_id=payout_id)[0][0] == 1


@pytest.mark.parametrize(
    ("kind", "file_kind", "cents", "store", "rule"),
    [
        ("payout", "payouts", 7_01, "waiting", "entry_is_of_its_payout"),
        ("payout", "payouts", 7_00, None, "entry_is_of_its_payout"),
        ("reversal", "payouts", 5_00, "sent", "entry_is_of_its_file"),
        ("payout", "reversals", 7_00, "waiting", "entry_is_of_its_file"),
        ("reversal", "reversals", 5_01, "sent", "entry_is_of_its_payout"),
        ("reversal", "reversals", 7_00, "waiting", "entry_is_of_its_payout"),
        ("reversal", "reversals", 5_00, "sent", "reversal_is_approved"),
    ],
)
def test_the_database_refuses_what_nobody_approved(
    books: Books, kind: str, file_kind: str, cents: int, store: str | None, rule: str
) -> None:
    """Another amount, no payout, a file of another kind, a reversal of what was not sent, or that nobody approved."""
    sent = paid(books)[0][0]
    books.fund(remittance("T2", TUESDAY, Part(A, (7_00,))))
    cycle = books.approved(WEDNESDAY)
    waiting = books.ask("SELECT payout_id FROM payout WHERE cycle_id = :cycle", cycle=cycle.cycle_id)[0][0]
    payout_id = {"sent": sent, "waiting": waiting}.get(store or "", 99)
    cycle_id = cycle.cycle_id if file_kind == "payouts" else None
    with pytest.raises(PayoutNotApprovedError) as refused, books.begin() as connection:
        add_entry(connection, add_file(connection, kind=file_kind, cycle_id=cycle_id), kind, cents, payout_id)
    assert refused.value.rule == rule


def test_a_file_of_prenotes_has_no_offset(books: Books) -> None:
    """It moves nothing that could be balanced."""
    paid(books)
    with pytest.raises(PayoutNotApprovedError) as refused, books.begin() as connection:
        add_entry(connection, add_file(connection, kind="prenotes", cycle_id=None), "offset", 5, None)
    assert refused.value.rule == "entry_is_of_its_file"


def test_a_payout_is_sent_once(books: Books) -> None:
    """A second entry of a payout is refused by its index: paying again is another payout."""
    payout_id, _, cents = paid(books)[0]
    with pytest.raises(IntegrityError, match="payout_is_sent_once"), books.begin() as connection:
        add_entry(connection, 1, "payout", cents, payout_id)


def test_no_entry_joins_a_file_that_is_complete(books: Books) -> None:
    """An offset put into yesterday's file is refused: the file was handed over."""
    paid(books)
    with pytest.raises(PayoutNotApprovedError) as refused, books.begin() as connection:
        add_entry(connection, 1, "offset", 5, None)
    assert refused.value.rule == "file_is_complete"


def test_no_cycle_is_released_without_its_file_written_down(books: Books) -> None:
    """By raw SQL: posted and with the right states, but without file and entry, it is refused at commit."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    cycle, member = books.approved(TUESDAY), books.member(A)
    ((payout_id,),) = books.ask("SELECT payout_id FROM payout")
    with pytest.raises(PayoutNotApprovedError) as refused, books.begin() as connection:
        _release_by_hand(connection, cycle.cycle_id, (member, payout_id, 5_00))
    assert refused.value.rule == "release_is_written_down"
    assert books.ask("SELECT state FROM payout")[0][0] == "approved"


def _release_by_hand(connection: Connection, cycle_id: int, payout: tuple[UUID, int, int]) -> None:
    batch = Batch()
    batch.add(payout_released(f"payout_released:cycle:{cycle_id}", TUESDAY, [payout]))
    post(connection, batch, MAKER)
    for statement in (
        """UPDATE cycle SET state = 'released', released_by = 'mary', nacha_name = 'x.ach', nacha_sha256 = sha256('x'),
            released_cents = 500 WHERE cycle_id = :cycle""",
        "UPDATE payout SET state = 'released', trace_number = '091000010000001' WHERE cycle_id = :cycle",
    ):
        connection.execute(text(statement), {"cycle": cycle_id})


@pytest.mark.parametrize("wrong", [{"entries": 2}, {"debit_cents": 8}, {"credit_cents": 7}])
def test_a_file_is_the_sum_of_its_entries(books: Books, wrong: dict[str, int]) -> None:
    """At commit count, debits and credits are those of the entries, or the transaction is refused."""
    paid(books)
    totals = {"entries": 1, "debit_cents": 0, "credit_cents": 9} | wrong
    with pytest.raises(PayoutNotApprovedError) as refused, books.begin() as connection:
        add_entry(connection, add_file(connection, kind="reversals", cycle_id=None, **totals), "offset", 9, None)
    assert refused.value.rule == "file_foots"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ach_file",
        "DELETE FROM ach_entry",
        "DELETE FROM same_day_window",
        "UPDATE ach_file SET name = 'other.ach'",
        "UPDATE ach_entry SET amount_cents = 1",
        "UPDATE same_day_window SET closes_at = '23:59'",
        "TRUNCATE ach_file CASCADE",
        "TRUNCATE ach_entry CASCADE",
    ],
)
def test_what_was_sent_stays(books: Books, owner: Engine, statement: str) -> None:
    """Neither file nor entry nor window is changed or removed, not even by their owner."""
    paid(books)
    with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
        connection.execute(text(statement))


def send(books: Books, kind: FileKind, form: FileForm, entries: list[OutgoingEntry]) -> Sending:
    """Send a file of this form."""
    with books.begin() as connection:
        return courier(books, connection, form).send(
            kind, entries, business_date=TUESDAY, effective_on=WEDNESDAY, name="{modifier}.ach"
        )


def test_a_cycle_goes_out_balanced_where_the_bank_wants_it(books: Books) -> None:
    """Payments of 5.00 and 6.00, a debit of 11.00 to our own account, lines ended by CR LF; its trace is ours, too."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,)), Part(B, (6_00,))))
    form = FileForm(line_end=LineEnd.CRLF, offset_account="000123456789")
    releaser = replace(books.releaser(), form=form)
    released = releaser.release(books.approved(TUESDAY).cycle_id, books.folder / "out")
    content = Path(released.nacha_file or "").read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 10
    (read,) = [payment_file(each) for each in read_nacha(BytesIO(content), "cycle.ach").accepted_files()]
    entries = read.batches[0].entries
    assert [(entry.transaction_code, entry.amount_cents) for entry in entries] == [
        ("22", 5_00),
        ("22", 6_00),
        ("27", 11_00),
    ]
    with books.begin() as connection:
        (file,) = sent_files(connection)
        offset = find_entry(connection, read.batches[0].trace_number(entries[-1]), TUESDAY)
    assert (file.credit_cents, file.debit_cents, file.entries) == (11_00, 11_00, 3)
    assert offset is not None
    assert (offset.kind, offset.payout_id, offset.amount_cents) == ("offset", None, 11_00)
    assert released.total_cents == 11_00
    books.prove()


def test_a_file_of_nothing_is_not_sent(books: Books) -> None:
    """No entry, no file, no modifier used."""
    paid(books)
    with pytest.raises(NothingToSendError, match="no prenotes"):
        send(books, FileKind.PRENOTES, FileForm(), [])
    assert books.ask("SELECT count(*) FROM ach_file")[0][0] == 1


def test_a_sent_file_is_left_again(books: Books) -> None:
    """The same bytes from the vault, for its owner's eyes only; a folder that takes none is said with what to do."""
    paid(books)
    with books.begin() as connection:
        file = sent_file(connection, 1)
        with pytest.raises(UnknownFileError):
            sent_file(connection, 2)
    path = leave_file(books.vault, file, books.folder / "again")
    assert path.read_bytes() == (books.folder / "out" / file.name).read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    blocked = books.folder / "blocked"
    blocked.write_text("")
    with pytest.raises(FileFolderError, match="ach write 1 --out DIR"):
        leave_file(books.vault, file, blocked)


@pytest.mark.parametrize(
    ("handed_over", "effective_on", "at", "cents", "problem"),
    [
        ("2026-11-17", "2026-11-18", "12:00", 1, None),
        ("2026-11-17", "2026-11-19", "12:00", 10**10 - 1, None),
        ("2026-11-17", "2026-11-20", "12:00", 1, "is 3 banking days before, 2 are allowed"),
        # Thursday 2026-11-26 is a holiday: from Wednesday to Monday are two banking days.
        ("2026-11-25", "2026-11-30", "12:00", 1, None),
        ("2026-11-25", "2026-11-26", "12:00", 1, "2026-11-26 is no banking day"),
        ("2026-11-21", "2026-11-23", "12:00", 1, "Saturday 2026-11-21 is no banking day"),
        ("2026-11-18", "2026-11-17", "12:00", 1, "2026-11-18 is after it"),
        ("2026-11-17", "2026-11-17", "10:29", 1_000_000_00, None),
        ("2026-11-17", "2026-11-17", "16:45", 1_000_000_00, None),
        ("2026-11-17", "2026-11-17", "16:46", 1, "its last same-day window was closed at 2026-11-17 16:46"),
        ("2026-11-17", "2026-11-17", "2026-11-18T09:00", 1, "its last same-day window was closed at 2026-11-18 09:00"),
        ("2026-11-17", "2026-11-17", "12:00", 1_000_000_01, "above the same-day limit of 1,000,000.00"),
    ],
)
def test_when_a_file_may_be_handed_over(
    books: Books, handed_over: str, effective_on: str, at: str, cents: int, problem: str | None
) -> None:
    """One or two banking days before, or the same day within a window and the limit; never earlier, never after."""
    days = {"business_date": date.fromisoformat(handed_over), "effective_on": date.fromisoformat(effective_on)}
    made_at = datetime.fromisoformat(f"{at}:00-05:00" if "T" in at else f"{handed_over}T{at}:00-05:00")
    with books.begin() as connection:
        if problem is None:
            see_handover(connection, **days, made_at=made_at, largest_cents=cents)
        else:
            with pytest.raises(HandoverError, match=problem):
                see_handover(connection, **days, made_at=made_at, largest_cents=cents)


def test_windows_are_data(books: Books, owner: Engine) -> None:
    """The next window of the day by the clock; the bank's own windows take their place from their day on."""
    moments = [datetime.fromisoformat(f"2026-11-17T{at}-05:00") for at in ("10:30:00", "10:30:01", "14:45:01")]
    with books.begin() as connection:
        found = [same_day_window(connection, TUESDAY, moment) for moment in moments]
    assert found == [time(10, 30), time(14, 45), time(16, 45)]
    with owner.begin() as connection:
        connection.exec_driver_sql("INSERT INTO same_day_window VALUES ('2026-11-18', '09:00')")
    with books.begin() as connection:
        assert same_day_window(connection, TUESDAY, moments[2]) == time(16, 45)
        assert same_day_window(connection, WEDNESDAY, moments[0]) is None


def test_a_file_too_early_is_not_sent(books: Books) -> None:
    """Three banking days ahead: refused before a modifier or a number is taken."""
    paid(books)
    entry = OutgoingEntry(
        routing_number=A.routing,
        account_number=A.account_number,
        account_type="checking",
        ncpdp_id=A.ncpdp_id,
        receiver_name=A.dba_name,
        change_id=1,
    )
    with pytest.raises(HandoverError), books.begin() as connection:
        courier(books, connection).send(
            FileKind.PRENOTES, [entry], business_date=TUESDAY, effective_on=add_banking_days(TUESDAY, 3), name="x.ach"
        )
    assert books.ask("SELECT count(*) FROM ach_file")[0][0] == 1
