"""Direct pay below the command line: what the database refuses, what the proofs see, how copies come in."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError

import ingest.remittances
from app.database import downgrade, reading, unit_of_work, upgrade
from app.demo.pharmacies import Pharmacy
from app.demo.remittance import RemittanceSet
from ingest.direct_pay import DirectAdvice, begin_direct_pay, direct_advices, end_direct_pay
from ingest.errors import DirectPayOverlapError
from ingest.x12.reader import read_remittances
from ledger.chart import HOUSE
from ledger.errors import JournalAppendOnlyError, LedgerRefusedError, MatrixError
from ledger.events import Share, advised, funded
from ledger.proofs import Proof, prove
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books
from tests.support.direct_pay import to_the_store
from tests.support.lives import kept
from tests.support.trade import OTHER_PAYER, PAYER, STRANGER, A, B, C, Part, payer_file, remittance

FIRST = date(2026, 11, 1)
DAY = date(2026, 11, 16)
LATER = date(2026, 11, 23)
COPY = to_the_store("DIR1", DAY, Part(A, (1_000_00, 234_50), (("WO", 34_50),)))
"""1,200.00 that HARROWGATE pays A directly."""


@pytest.fixture
@kept
def books(books: Books) -> Books:
    """Give books with both payers, in which A is on direct pay with HARROWGATE from 1 November on."""
    verdict = books.receive(payer_file(books.folder / "payers.csv").read_bytes(), "payers.csv")
    assert verdict.status == "accepted", verdict.summary
    _begin(books)
    return books


def _begin(books: Books, ncpdp_id: str = A.ncpdp_id, since: date = FIRST) -> int:
    with books.begin() as connection:
        payer = str(PAYER.payer_id)
        return begin_direct_pay(connection, ncpdp_id, payer, since, reason="the payer wrote", actor=MAKER).direct_pay_id


def _end(books: Books, until: date) -> None:
    with books.begin() as connection:
        end_direct_pay(connection, A.ncpdp_id, str(PAYER.payer_id), until, reason="the payer wrote", actor=MAKER)


def _states(books: Books) -> dict[str, str]:
    return {row.trace_number: row.state for row in books.ask("SELECT trace_number, state FROM advice")}


def _refused(engine: Engine, statement: str, **facts: object) -> LedgerRefusedError:
    """Run a statement in a unit of work of its own; it must be refused."""
    with pytest.raises(LedgerRefusedError) as refusal, unit_of_work(engine) as connection:
        connection.execute(text(statement), facts)
    return refusal.value


def _together(engine: Engine, *statements: str, **facts: object) -> None:
    """Run statements in one unit of work; the facts are those of the first."""
    with unit_of_work(engine) as connection:
        for statement in statements:
            connection.execute(text(statement), facts if statement == statements[0] else {})


# What is posted ------------------------------------------------------------------------------------------------------


def test_a_direct_advice_is_neither_advised_nor_funded(books: Books, owner: Engine) -> None:
    """Entries of either event that name a direct advice are refused, by the posting function and by raw lines."""
    assert books.remit(COPY).status == "accepted"
    books.book(DAY, paid_in("OTHER", 1_200_00))
    share = Share(books.member(A), 1, 1_200_00, None)
    (line,) = books.ask("SELECT bank_line_id FROM bank_line")
    for transaction in (advised(1, DAY, [share]), funded("funded:1:x", DAY, [share], {line.bank_line_id: 1_200_00})):
        with pytest.raises(MatrixError) as refusal:
            books.post(transaction)
        assert refusal.value.rule == "direct_is_not_posted"
    refused = _refused(owner, _RAW_ENTRY, owner=books.member(A))
    assert (refused.rule, refused.number) == ("direct_is_not_posted", 3)
    assert books.ask("SELECT count(*) AS n FROM line WHERE account = 'advised'")[0].n == 0
    # A replaced copy is not posted either.
    books.ask("UPDATE advice SET state = 'replaced' RETURNING 1")
    assert _refused(owner, _RAW_ENTRY, owner=books.member(A)).rule == "direct_is_not_posted"


_RAW_ENTRY = """
    WITH t AS (INSERT INTO journal_transaction (transaction_id, event, fact_key, fact_on, effective_on, actor)
               VALUES (nextval('transaction_number'), 'advised', 'advised:1', '2026-11-16', '2026-11-16', 'eve')
               RETURNING transaction_id),
         e AS (INSERT INTO entry (owner_id, transaction_id, ledger, event, fact_key, effective_on)
               SELECT CAST(:owner AS uuid), transaction_id, 'custody', 'advised', 'advised:1', '2026-11-16' FROM t
               RETURNING owner_id, entry_id)
    INSERT INTO line (owner_id, entry_id, line_no, event, ledger, account, amount_cents, reference, effective_on)
    SELECT owner_id, entry_id, n, 'advised', 'custody', account::account_name, cents, 1, '2026-11-16'
    FROM e, (VALUES (1, 'advised', 120000), (2, 'due_unfunded', -120000)) AS v (n, account, cents)"""


# What an advice may become -------------------------------------------------------------------------------------------

_ADD = """
    INSERT INTO advice (advice_id, payer_id, trace_number, payee_id, ordinal_in_payment, content_sha256, file_id,
        set_ordinal, payer_name, method, paid_on, payment_cents, claim_count, claims_cents, plb_cents, byte_start,
        byte_end, state, direct_pay_id)
    SELECT 77, :payer, 'RAW', 'X', 1, sha256('x'), file_id, 1, 'Payer', 'ACH', :paid_on, 0, 0, 0, 0, 0, 9, 'direct', 1
    FROM received_file ORDER BY file_id LIMIT 1"""


@pytest.mark.parametrize("login", ["app", "owner"])
@pytest.mark.parametrize(
    ("payer", "paid_on"),
    [(PAYER.payer_id, FIRST - timedelta(days=1)), (OTHER_PAYER.payer_id, DAY)],
    ids=["the-day-before", "another-payer"],
)
def test_a_direct_advice_needs_its_enrolment_on_its_day(
    request: pytest.FixtureRequest, books: Books, login: str, payer: str, paid_on: date
) -> None:
    """Before the first day, or of another payer, no advice is direct: refused at commit, whoever writes it."""
    assert books.member(A)
    refused = _refused(request.getfixturevalue(login), _ADD, payer=str(payer), paid_on=paid_on)
    assert refused.rule == "direct_advice_is_its_members"
    assert "there is no direct pay of it on" in str(refused)
    assert _states(books) == {}


@pytest.mark.parametrize(
    ("store", "also", "says"),
    [
        (B, "SELECT", "others have shares of it"),
        (
            A,
            "INSERT INTO share_to_remit SELECT owner_id, advice_id FROM advice_share",
            "its member would be told it by us",
        ),
    ],
    ids=["anothers-share", "to-be-told"],
)
def test_a_direct_advice_is_its_members_alone(
    books: Books, owner: Engine, store: Pharmacy, also: str, says: str
) -> None:
    """With a share of B, or with a share that waits to be told by us, an advice is refused as a direct one."""
    share = f"INSERT INTO advice_share SELECT '{books.member(store)}', 77, 0, 0, 0, sha256('x')"
    with pytest.raises(JournalAppendOnlyError, match=says):
        _together(owner, _ADD, share, also, payer=str(PAYER.payer_id), paid_on=DAY)
    assert _states(books) == {}


@pytest.mark.parametrize(
    ("trace", "step", "says"),
    [
        ("DIR1", "funded", "is direct and can not become funded"),
        ("DIR1", "accepted", "direct pay 1 is in force on 2026-11-16"),
        ("TRN1", "direct", "is accepted and can not become direct"),
    ],
    ids=["funded", "paid-through-us", "made-direct"],
)
def test_steps_that_an_advice_may_not_take(books: Books, owner: Engine, trace: str, step: str, says: str) -> None:
    """A direct advice is not funded, nor paid by us while its direct pay holds; a posted one never becomes direct."""
    books.remit(COPY, remittance("TRN1", DAY, Part(B, (5_00,))))
    for engine in (books.engine, owner):
        refused = _refused(
            engine, "UPDATE advice SET state = :step WHERE trace_number = :trace", step=step, trace=trace
        )
        assert says in str(refused)
    refused = _refused(owner, "UPDATE advice SET direct_pay_id = 1 WHERE trace_number = 'TRN1'")
    assert refused.rule == "direct_pay_of_advice_stays"
    with pytest.raises(DBAPIError, match="permission denied"):
        books.ask("UPDATE advice SET direct_pay_id = 1 WHERE trace_number = 'TRN1'")
    books.prove()


def test_what_is_replaced_comes_back_as_what_it_was(books: Books, owner: Engine) -> None:
    """A replaced copy does not come back as an advice to be paid, nor a replaced advice as a copy."""
    books.remit(COPY, remittance("TRN1", DAY, Part(B, (5_00,))))
    with unit_of_work(owner) as connection:
        connection.execute(text("UPDATE advice SET state = 'replaced'"))
    for trace, step in (("DIR1", "accepted"), ("TRN1", "direct")):
        refused = _refused(owner, "UPDATE advice SET state = :step WHERE trace_number = :trace", step=step, trace=trace)
        assert refused.rule == "advice_takes_its_steps"
    books.ask("UPDATE advice SET state = CASE trace_number WHEN 'DIR1' THEN 'direct' ELSE 'accepted' END RETURNING 1")
    books.prove()


# Enrolments ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "since = since - 1",
        "payer_id = '1360000002'",
        "reason = 'other'",
        "until = NULL, ended_by = NULL, ended_at = NULL, end_reason = NULL",
        "until = until + 1",
    ],
)
def test_an_enrolment_only_ends_earlier(books: Books, owner: Engine, change: str) -> None:
    """Nothing of it changes but its end, and that comes only nearer; it is never removed."""
    _end(books, LATER)
    assert _refused(owner, f"UPDATE direct_pay SET {change}").rule == "direct_pay_only_ends"  # noqa: S608 (our words)
    for removal in ("DELETE FROM direct_pay", "TRUNCATE direct_pay CASCADE"):
        assert _refused(owner, removal).rule == "journal_is_append_only"


def test_enrolments_do_not_overlap(books: Books, owner: Engine) -> None:
    """Of one member and payer no two hold on a day; another payer's may; no store is enrolled before it is a member."""
    add = """
        INSERT INTO direct_pay (member_id, payer_id, since, reason, begun_by)
        VALUES (:member, :payer, :since, 'raw', 'mary')"""
    asked: dict[str, Any] = {"member": books.member(A), "payer": str(PAYER.payer_id), "since": LATER}
    with pytest.raises(DBAPIError, match="one_direct_pay_on_a_date"), unit_of_work(owner) as connection:
        connection.execute(text(add), asked)
    with pytest.raises(DBAPIError, match="end_says_who_and_why"), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE direct_pay SET until = '2026-12-01'"))
    assert _refused(owner, add, **(asked | {"payer": str(OTHER_PAYER.payer_id), "since": date(2020, 1, 1)})).rule == (
        "direct_pay_of_a_member"
    )
    with unit_of_work(owner) as connection:
        connection.execute(text(add), asked | {"payer": str(OTHER_PAYER.payer_id)})
    with pytest.raises(DirectPayOverlapError):
        _begin(books, since=FIRST - timedelta(days=30))


def test_an_enrolment_waits_for_files_that_come_in_by_it(books: Books) -> None:
    """While a file is being taken in nobody begins or ends direct pay; then they do, and what came stays as it came."""
    with ThreadPoolExecutor(1) as pool:
        with books.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock_shared(hashtext('centralpay.direct_pay'))"))
            ended = pool.submit(_end, books, LATER)
            with pytest.raises(TimeoutError):
                ended.result(timeout=0.3)
        ended.result(timeout=30)
    assert books.ask("SELECT until FROM direct_pay")[0].until == LATER


# How copies come in --------------------------------------------------------------------------------------------------


def _sets() -> list[RemittanceSet]:
    return [
        to_the_store("SMALL", DAY, Part(A, (1_00,) * 2)),
        to_the_store("LARGE", DAY, Part(A, (1_00,) * 9, (("WO", 50),))),
        to_the_store("SMALLMIX", DAY, Part(A, (1_00,) * 2), Part(B, (1_00,))),
        to_the_store("LARGEMIX", DAY, Part(A, (1_00,) * 9), Part(B, (1_00,))),
        to_the_store("STRANGE", DAY, Part(A, (1_00,) * 9), Part(STRANGER, (1_00,))),
        remittance("NETWORK", DAY, Part(A, (1_00,) * 9)),
        to_the_store("BEFORE", FIRST - timedelta(days=1), Part(A, (1_00,) * 9)),
        to_the_store("OWNERLESS", DAY, Part(B, (1_00,)), store=C),
    ]


@pytest.mark.parametrize("group_claims", [6, 20_000])
def test_sets_of_any_size_are_told_apart(books: Books, monkeypatch: pytest.MonkeyPatch, group_claims: int) -> None:
    """Copied as they are read or written in groups: those are direct whose payee and every claim and PLB is A."""
    monkeypatch.setattr(ingest.remittances, "GROUP_CLAIMS", group_claims)
    monkeypatch.setattr(
        ingest.remittances, "read_remittances", lambda stream, name: read_remittances(stream, name, block=2)
    )
    assert books.remit(*_sets()).status == "accepted"
    direct = {trace for trace, state in _states(books).items() if state == "direct"}
    assert direct == {"SMALL", "LARGE"}
    told = {row.trace_number for row in books.ask(_TOLD)}
    assert told == {"SMALLMIX", "LARGEMIX", "STRANGE", "NETWORK"}
    books.prove()
    waiting = books.ask("SELECT a.state, count(*) AS n FROM share_to_remit JOIN advice a USING (advice_id) GROUP BY 1")
    assert [(row.state, row.n) for row in waiting] == [("accepted", 8)]


_TOLD = """
    SELECT a.trace_number FROM exception_case e JOIN advice a ON e.subject = 'advice ' || a.advice_id
    WHERE e.kind = 'direct_pay_differs' AND e.state = 'open'"""


def test_direct_advices_are_given_by_member_and_day(books: Books) -> None:
    """What a statement shows of them: claims, PLB and day of each, of these members, in these days; nothing else."""
    sets = [COPY, to_the_store("DIR2", LATER, Part(A, (7_00,))), remittance("TRN1", DAY, Part(B, (5_00,)))]
    books.remit(*sets)
    with reading(books.engine) as connection:
        members = [books.member(A), books.member(B)]
        found = direct_advices(connection, members, DAY, DAY)
        assert found == [DirectAdvice(members[0], 1, str(PAYER.payer_id), PAYER.name, "DIR1", DAY, 2, 1_234_50, 34_50)]
        assert found[0].paid_cents == 1_200_00
        assert [each.trace_number for each in direct_advices(connection, members, FIRST, LATER)] == ["DIR1", "DIR2"]
        assert direct_advices(connection, [HOUSE, members[1]], FIRST, LATER) == []


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


# Proofs --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires."""
    with psycopg.connect(_libpq(database_url), options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


@pytest.mark.parametrize(
    ("proof", "damage"),
    [
        (Proof.P7, "INSERT INTO share_to_remit SELECT owner_id, advice_id FROM advice_share WHERE advice_id = 1"),
        (Proof.P7, "UPDATE advice SET payment_cents = 1, plb_cents = claims_cents - 1 WHERE advice_id = 1"),
        (Proof.P8, "UPDATE claim_line SET paid_cents = paid_cents + 1 WHERE advice_id = 1 AND segment < 20"),
        (Proof.P8, "UPDATE advice_share SET owner_id = :other WHERE advice_id = 1"),
        (Proof.P8, "UPDATE advice SET state = 'accepted', direct_pay_id = NULL WHERE advice_id = 1"),
        (Proof.P7, "UPDATE advice SET state = 'accepted', direct_pay_id = NULL WHERE advice_id = 1"),
    ],
    ids=["told-by-us", "sums", "claim-changed", "another-owner", "entry-lacks", "never-advised"],
)
def test_the_proofs_hold_for_copies_in_their_own_terms(
    books: Books, superuser: psycopg.Connection, proof: Proof, damage: str
) -> None:
    """P7 and P8 hold over copies, and fail when lines, share, member or state of one are changed behind the guards."""
    books.remit(COPY, remittance("TRN1", DAY, Part(B, (5_00,))))
    books.prove()
    superuser.execute(damage.replace(":other", f"'{books.member(C)}'").encode())
    with reading(books.engine) as connection:
        assert not prove(connection, proof).holds


# Back ----------------------------------------------------------------------------------------------------------------


def test_going_back_leaves_copies_as_replaced_ones(books: Books, database_url: str) -> None:
    """Before this step there are no copies: they count as replaced, and stay so when the step comes again."""
    books.remit(COPY, remittance("TRN1", DAY, Part(B, (5_00,))))
    books.engine.dispose()
    downgrade(database_url, "2026_11_22_0003")
    with psycopg.connect(
        make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    ) as old:
        states = old.execute("SELECT trace_number, state FROM centralpay.advice ORDER BY 1").fetchall()
        told = old.execute("SELECT count(*) FROM centralpay.share_to_remit").fetchone()
    assert (states, told) == ([("DIR1", "replaced"), ("TRN1", "accepted")], (2,))
    upgrade(database_url)
    assert _states(books) == {"DIR1": "replaced", "TRN1": "accepted"}
