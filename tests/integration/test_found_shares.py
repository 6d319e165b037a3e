"""Payees that are found: what the database refuses, what is told to the member, and the identifier that is kept."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from app.database import reading
from app.demo.pharmacies import Pharmacy
from ingest.bank.bai2_writer import StatementLine
from ingest.directory import list_members
from ledger.chart import Account
from ledger.errors import (
    EntryUnbalancedError,
    JournalAppendOnlyError,
    ReversalError,
    translate,
)
from ledger.proofs import Proof, prove
from payouts.children.model import Form
from payouts.claim_trail import find_claims
from payouts.cycle import preview
from payouts.cycle.release import Released
from payouts.errors import AskedOtherwiseError
from payouts.remittances.shares import set_form
from payouts.resolutions.corrections import Correction, propose
from payouts.resolutions.errors import MovedOnError, SubjectMissingError
from payouts.resolutions.frame import Action, Table
from payouts.resolutions.member_errors import (
    IdentifierKindError,
    IdentifierTakenError,
    NothingFoundError,
    OutsideMembershipError,
)
from payouts.resolutions.undo import propose_reversal
from tests.support.books import MAKER, Books, roster, roster_row, x12_claim, x12_file, x12_head
from tests.support.clearing import DAY, LATER, approve, ask, case_id, due, with_money, write
from tests.support.lives import kept
from tests.support.told import own_items, told_sets
from tests.support.trade import STRANGER, A, B, C, Part, remittance

NAME = f"NPI:{STRANGER.npi}"


@pytest.fixture
@kept
def money(books: Books) -> Books:
    """Give books with 100.00 for A, B and C each and 50.00 of own money."""
    return with_money(books)


@pytest.fixture
@kept
def stranger(money: Books) -> Books:
    """Give books with 45.00 funded and 7.00 advised for a stranger."""
    money.fund(remittance("T1", DAY, Part(A, (1_00,)), Part(STRANGER, (50_00,), (("WO", 5_00),))))
    money.remit(remittance("T2", DAY, Part(STRANGER, (7_00,))))
    return money


@pytest.fixture
def superuser(database_url: str) -> Iterator[psycopg.Connection]:
    """Give a superuser's session in which no trigger fires."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, options="-c search_path=centralpay", autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


# Payees found --------------------------------------------------------------------------------------------------------

_FOUND = """INSERT INTO found_share (approval_id, unknown_payee_id, advice_id, owner_id, claim_count, claims_cents,
    plb_cents, lines_sha256, was_funded, transaction_id)
    SELECT a.approval_id, s.unknown_payee_id, s.advice_id, :owner, s.claim_count, s.claims_cents + :more, s.plb_cents,
           s.lines_sha256, true, NULL
    FROM approval a CROSS JOIN payee_shares(ARRAY(SELECT unknown_payee_id FROM unknown_payee), NULL) s
    WHERE a.approval_id = :approval AND s.claims_cents = :claims"""


@pytest.mark.parametrize("more", [0, 1])
def test_a_found_share_is_its_lines_and_its_posting(stranger: Books, more: int) -> None:
    """A share of another amount than its lines, or for which nothing was posted, is refused to the application."""
    approval_id = ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id)
    facts = {"owner": stranger.member(C), "approval": approval_id, "claims": 50_00, "more": more}
    with pytest.raises(EntryUnbalancedError, match="what its lines say" if more else "and posted 0"):
        write(stranger, _FOUND, **facts)


def test_a_posting_finds_one_share(money: Books) -> None:
    """Two advices bring a stranger 50.00 each: the second can not be called found by the posting of the first."""
    money.fund(*(remittance(trace, DAY, Part(A, (1_00,)), Part(STRANGER, (50_00,))) for trace in ("T1", "T2")))
    first, second = (row.advice_id for row in money.ask("SELECT advice_id FROM advice ORDER BY 1 DESC LIMIT 2"))
    approve(money, ask(money, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, advices=(first,)))
    asked = ask(money, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, advices=(second,))
    again = """INSERT INTO found_share (approval_id, unknown_payee_id, advice_id, owner_id, claim_count, claims_cents,
                   plb_cents, lines_sha256, was_funded, transaction_id)
               SELECT :approval, f.unknown_payee_id, s.advice_id, f.owner_id, s.claim_count, s.claims_cents,
                   s.plb_cents, s.lines_sha256, true, f.transaction_id
               FROM found_share f
               CROSS JOIN payee_shares(ARRAY[f.unknown_payee_id], ARRAY[CAST(:advice AS bigint)]) s"""
    with pytest.raises(EntryUnbalancedError, match="found 10000 cents and posted 5000"):
        write(money, again, approval=asked, advice=second)
    approve(money, asked)
    assert due(money, C) == 200_00
    money.prove()


def test_a_share_is_found_once_and_stays(stranger: Books) -> None:
    """What stands is not found a second time, changed, removed or set aside by the application."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    assert due(stranger, C) == 145_00
    again = """INSERT INTO found_share (approval_id, unknown_payee_id, advice_id, owner_id, claim_count, claims_cents,
                   plb_cents, lines_sha256, was_funded, transaction_id)
               SELECT approval_id, unknown_payee_id, advice_id, owner_id, claim_count, claims_cents, plb_cents,
                   lines_sha256, was_funded, transaction_id FROM found_share LIMIT 1"""
    with pytest.raises(IntegrityError, match="share_is_found_once"):
        write(stranger, again)
    for statement in ("UPDATE found_share SET standing = false", "UPDATE found_share SET claims_cents = 1"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            write(stranger, statement)
    with pytest.raises(ProgrammingError, match="permission denied"):
        write(stranger, "DELETE FROM found_share")


def test_a_share_that_fell_never_stands_again(stranger: Books, owner: Any) -> None:  # noqa: ANN401 (an engine)
    """Even the owner of the tables can not raise what was reversed, nor change what was found."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    for statement in (
        "UPDATE found_share SET claims_cents = claims_cents + 1",
        "UPDATE found_share SET was_funded = NOT was_funded",
        "DELETE FROM found_share",
        "TRUNCATE found_share, cycle_found_share",
    ):
        with pytest.raises(JournalAppendOnlyError), owner.begin() as connection:
            _raised(connection, statement)
    with owner.begin() as connection:
        connection.execute(text("UPDATE found_share SET standing = false"))
    with pytest.raises(JournalAppendOnlyError), owner.begin() as connection:
        _raised(connection, "UPDATE found_share SET standing = true")


def _raised(connection: Any, statement: str) -> None:  # noqa: ANN401 (a connection)
    try:
        connection.execute(text(statement))
    except DBAPIError as error:
        raise translate(error) from error


@pytest.mark.parametrize("change", ["claims_cents = claims_cents + 1", "plb_cents = 0", "claim_count = 9"])
def test_the_proof_sees_a_found_share_that_was_bent(stranger: Books, superuser: Any, change: str) -> None:  # noqa: ANN401
    """P8 holds after a finding, and fails for its member when a found share is changed behind the guards."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    stranger.prove()
    superuser.execute(f"UPDATE found_share SET {change} WHERE was_funded")  # noqa: S608 (our own words)
    with reading(stranger.engine) as connection:
        verdict = prove(connection, Proof.P8)
    assert not verdict.holds
    assert list(verdict.owners) == [stranger.member(C)]


def test_some_advices_of_an_identifier_are_assigned_and_others_wait(stranger: Books) -> None:
    """Only 7.00 of the advice named become C's; 45.00 wait, and the case stays open with them."""
    (advice,) = stranger.ask("SELECT advice_id FROM advice WHERE trace_number = 'T2'")[0]
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, advices=(advice,)))
    assert stranger.house(Account.UNKNOWN_PAYEE_UNFUNDED) == 0
    assert stranger.house(Account.UNKNOWN_PAYEE) == 45_00
    case_id(stranger, "unknown_payee")
    assert stranger.cases()["unknown_payee", NAME] == 45_00
    with pytest.raises(NothingFoundError):
        ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, advices=(advice,))
    stranger.prove()


def test_what_was_proposed_for_a_payee_must_still_be_what_waits(stranger: Books) -> None:
    """An advice of the stranger that is funded between proposal and approval makes it another proposal."""
    approval_id = ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id)
    stranger.book(DAY, StatementLine("142", 7_00, "INT2", "", "HCCLAIMPMT TRN*1*T2*1360000001~"))
    assert len(stranger.match().funded) == 1
    with pytest.raises(MovedOnError):
        approve(stranger, approval_id)
    assert due(stranger, C) == 100_00


def test_an_identifier_is_kept_for_days_on_which_it_is_free(stranger: Books) -> None:
    """Days outside the membership, or on which the identifier names another member, are refused."""
    with pytest.raises(OutsideMembershipError):
        ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=date(2020, 1, 1))
    with pytest.raises(SubjectMissingError):
        ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, until=LATER)
    first = ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=date(2026, 11, 1), until=DAY)
    with pytest.raises(AskedOtherwiseError):
        ask(stranger, "unknown_payee", Action.ASSIGN, member=B.ncpdp_id)
    approve(stranger, first)
    stranger.remit(remittance("T9", date(2026, 12, 1), Part(STRANGER, (3_00,))))
    with pytest.raises(IdentifierTakenError):
        ask(stranger, "unknown_payee", Action.ASSIGN, member=B.ncpdp_id, since=DAY)
    rows = stranger.ask(
        "SELECT lower(valid), upper(valid) FROM member_identifier WHERE value = :v", v=str(STRANGER.npi)
    )
    assert [tuple(row) for row in rows] == [(date(2026, 11, 1), date(2026, 11, 17))]


def test_an_identifier_is_not_kept_once_its_finding_is_undone(stranger: Books) -> None:
    """The stranger was B, not C: when both postings are reversed, later files name nobody again, and B is found."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=date(2026, 11, 1)))
    reverse(stranger, "payee_found")
    assert stranger.ask("SELECT count(*) FROM member_identifier WHERE found_by IS NOT NULL") == [(1,)]
    reverse(stranger, "payee_found_unfunded")
    assert stranger.ask("SELECT count(*) FROM member_identifier WHERE found_by IS NOT NULL") == [(0,)]
    stranger.fund(remittance("T3", LATER, Part(STRANGER, (3_00,))))
    assert (due(stranger, C), stranger.house(Account.UNKNOWN_PAYEE)) == (100_00, 48_00)
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=B.ncpdp_id, since=date(2026, 11, 1)))
    assert due(stranger, B) == 148_00
    stranger.prove()


def test_a_finding_is_not_undone_under_its_corrected_claim(stranger: Books) -> None:
    """The stranger's 45.00 were found to be A's, and its claim of 50.00 corrected to C: that is reversed first."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=A.ncpdp_id))
    table = Table("claims.csv", b"advice_trace,rx_number,amount\nT1,6000001,50.00")
    asked = Correction(source=A.ncpdp_id, target=C.ncpdp_id, day=LATER, reason="wrong store", claims=table)
    with stranger.begin() as connection:
        approval_id = propose(connection, asked, MAKER)
    approve(stranger, approval_id)
    with pytest.raises(ReversalError, match="a claim of it was corrected to another member"):
        reverse(stranger, "payee_found")
    reverse(stranger, "member_corrected")
    reverse(stranger, "payee_found")
    assert (due(stranger, A), due(stranger, C)) == (101_00, 100_00)
    stranger.prove()


def test_claims_that_name_nobody_are_assigned_but_no_name_is_kept(money: Books) -> None:
    """What came without any identifier can be a member's; there is nothing that later files could be known by."""
    head = [each for each in x12_head("T1", "9.00") if not each.startswith("N1*PE")]
    money.receive(x12_file([*head, *x12_claim("1", "10.00"), "PLB**20261231*WO:X*1.00"]))
    with pytest.raises(IdentifierKindError):
        ask(money, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=DAY)
    approve(money, ask(money, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    assert money.balance(C, Account.DUE_UNFUNDED) == 9_00
    money.prove()


# What was found is told to its member --------------------------------------------------------------------------------


@pytest.fixture
def paid(money: Books) -> Books:
    """Give books after a release that paid A, B and C and told A its part of T1; a stranger's 45.00 wait of it."""
    money.fund(remittance("T1", DAY, Part(A, (60_00, 40_00)), Part(STRANGER, (30_00, 20_00), (("WO", 5_00),))))
    money.pay(date(2026, 11, 17))
    money.prove()
    return money


def told(books: Books, released: Released) -> dict[str, list[tuple[int, int, int, int]]]:
    """Give what a release told each store, a set each: claims, what they come to, the payer's PLBs, the payment."""
    sets = told_sets(books.folder / "out" / "835", released.cycle_id)
    return {
        name: [(each.claim_count, each.claims_cents, each.payer_plb_cents, each.payment_cents) for each in own]
        for name, own in sets.items()
    }


def own_of(books: Books, released: Released, store: Pharmacy) -> dict[str, int]:
    """Give the PSAO's own items that a release told a store."""
    return own_items(told_sets(books.folder / "out" / "835", released.cycle_id)[store.ncpdp_id])


def reverse(books: Books, event: str) -> None:
    """Have the last transaction of an event reversed."""
    (row,) = books.ask(
        "SELECT max(transaction_id) AS number FROM journal_transaction WHERE event = CAST(:event AS event_name)",
        event=event,
    )
    with books.begin() as connection:
        approval_id = propose_reversal(connection, row.number, LATER, "a mistake", MAKER)
    approve(books, approval_id)


def test_who_approves_sees_what_was_found(paid: Books) -> None:
    """The cycle pays C its found 45.00: the preview says by which payer, and lists the share that the hash covers."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    cycle = paid.propose(LATER)
    with paid.begin() as connection:
        seen = preview.preview(connection, cycle.cycle_id)
        shares = preview.told_shares(connection, cycle.cycle_id)
    assert seen.difference is not None
    assert [each.cents for each in seen.difference.payers] == [seen.totals.total_cents] == [45_00]
    assert [(each.ncpdp_id, each.payer_trace) for each in shares] == [(C.ncpdp_id, "T1")]
    assert [(each.claim_count, each.claims_cents, each.plb_cents) for each in shares] == [(2, 50_00, 5_00)]
    assert (len(shares), 45_00) == (cycle.told.shares, cycle.told.share_cents)


def test_the_claims_of_a_payee_that_was_found_are_told_to_its_member(paid: Books) -> None:
    """C gets the payer's set with the stranger's two claims and its PLB, paid 45.00 for it, and nothing of our own."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    paid.prove()
    released = paid.pay(LATER)
    assert told(paid, released) == {C.ncpdp_id: [(2, 50_00, 5_00, 45_00)]}
    assert own_of(paid, released, C) == {}
    (row,) = paid.ask("SELECT cycle_id, standing FROM found_share")
    assert tuple(row) == (released.cycle_id, True)
    paid.prove()
    # Nothing of it is told again.
    paid.fund(remittance("T3", LATER, Part(C, (7_00,))))
    assert told(paid, paid.pay(date(2026, 11, 19))) == {C.ncpdp_id: [(1, 7_00, 0, 7_00)]}
    paid.prove()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE child_set SET claim_count = 3 WHERE found_in <> 0",
        "UPDATE found_share SET cycle_id = NULL",
        "UPDATE found_share SET cycle_id = 1",
        "UPDATE child_set SET found_in = 0, share_advice_id = advice_id WHERE found_in <> 0",
    ],
)
def test_the_proof_sees_what_was_told_otherwise(paid: Books, superuser: psycopg.Connection, statement: str) -> None:
    """P7 fails when a set of what was found says something else, or is not what the cycle is said to have told."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=A.ncpdp_id))
    paid.pay(LATER)
    with reading(paid.engine) as connection:
        assert prove(connection, Proof.P7).holds
    if "found_in = 0" in statement:
        superuser.execute("ALTER TABLE child_set DROP CONSTRAINT share_stands_in_one_set")
    assert superuser.execute(statement.encode()).rowcount == 1
    with reading(paid.engine) as connection:
        assert not prove(connection, Proof.P7).holds


def test_what_was_told_and_is_taken_back_is_told_as_that(paid: Books) -> None:
    """C was told and paid 45.00 that are B's: reversed, C owes 45.00, told as ours; B is told the claims."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    paid.pay(LATER)
    reverse(paid, "payee_found")
    assert due(paid, C) == -45_00
    paid.prove()
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=B.ncpdp_id))
    paid.fund(remittance("T3", LATER, Part(C, (100_00,))))
    released = paid.pay(date(2026, 11, 19))
    assert told(paid, released)[B.ncpdp_id] == [(2, 50_00, 5_00, 45_00)]
    assert own_of(paid, released, C) == {"PAYEE-FOUND": 45_00}
    assert sum(each[3] for each in told(paid, released)[C.ncpdp_id]) == 55_00
    paid.prove()


@pytest.mark.parametrize("form", list(Form))
def test_a_member_with_claims_of_its_own_in_the_same_advice(paid: Books, form: Form) -> None:
    """A was told its part of T1 before: what is found of it stands in a set of its own, under a payment of its own."""
    with paid.begin() as connection:
        set_form(connection, paid.member(A), form, MAKER)
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=A.ncpdp_id))
    released = paid.pay(LATER)
    assert told(paid, released) == {A.ncpdp_id: [(2, 50_00, 5_00, 45_00)]}
    paid.prove()


@pytest.mark.parametrize("form", list(Form))
def test_what_is_found_in_time_stands_with_the_members_own(money: Books, form: Form) -> None:
    """Found before A was told anything of T1: one set with all four claims of it, 100.00 and 50.00 less 5.00."""
    with money.begin() as connection:
        set_form(connection, money.member(A), form, MAKER)
    money.pay(DAY)
    money.remit(remittance("T1", DAY, Part(A, (60_00, 40_00)), Part(STRANGER, (30_00, 20_00), (("WO", 5_00),))))
    approve(money, ask(money, "unknown_payee", Action.ASSIGN, member=A.ncpdp_id))
    money.book(LATER, StatementLine("142", 145_00, "INT1", "", "HCCLAIMPMT TRN*1*T1*1360000001~"))
    money.match()
    released = money.pay(LATER)
    assert told(money, released) == {A.ncpdp_id: [(4, 150_00, 5_00, 145_00)]}
    money.prove()


def test_what_was_found_and_is_taken_back_before_the_release_leaves_nothing(paid: Books) -> None:
    """The cycle that would tell and pay C's 45.00 drops C when the finding is reversed after its approval."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    paid.fund(remittance("T3", LATER, Part(B, (7_00,))))
    cycle = paid.approved(LATER)
    reverse(paid, "payee_found")
    assert told(paid, paid.release(cycle.cycle_id)) == {B.ncpdp_id: [(1, 7_00, 0, 7_00)]}
    paid.prove()


def test_what_a_cycle_tells_of_what_was_found_is_part_of_what_is_approved(paid: Books) -> None:
    """A found share slipped into a proposed cycle, or out of it, changes the hash of its set."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    cycle = paid.propose(LATER)
    (before,) = paid.ask("SELECT cycle_set_hash(:cycle) AS hash, cycle_core_hash(:cycle) AS core", cycle=cycle.cycle_id)
    assert bytes(before.hash).hex() == cycle.set_hash
    assert before.hash != before.core
    with pytest.raises(ProgrammingError, match="permission denied"):
        write(paid, "DELETE FROM cycle_found_share")


def test_a_claim_that_was_found_is_followed_to_its_member(paid: Books) -> None:
    """Who looks for a claim finds it at the member that it was found to be, with the remittance that told it."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id))
    released = paid.pay(LATER)
    (row,) = paid.ask("SELECT rx_number FROM claim_line WHERE paid_cents = 3000")
    with reading(paid.engine) as connection:
        found = find_claims(connection, row.rx_number, C.ncpdp_id, most=10)
    (trail,) = [each for each in found if each.advice.trace_number == "T1"]
    assert (trail.ncpdp_id, trail.identifier, trail.paid_cents) == (C.ncpdp_id, None, 30_00)
    assert trail.paid is not None
    assert trail.paid.cycle_id == released.cycle_id


# An identifier that is kept ------------------------------------------------------------------------------------------


def test_a_member_is_told_under_its_own_identifier(paid: Books) -> None:
    """An NPI that was found later than the roster's is not the one under which C is paid, told and listed."""
    approve(paid, ask(paid, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=DAY))
    released = paid.pay(LATER)
    (own,) = told_sets(paid.folder / "out" / "835", released.cycle_id)[C.ncpdp_id]
    assert own.payee == f"NPI:{C.npi}"
    assert own.claim_payees == {NAME}
    rows = roster_row(A, dba_name="Another Name"), roster_row(B), roster_row(C)
    again = paid.receive(roster(*rows), "again.csv")
    assert again.status == "accepted", again.summary
    with paid.begin() as connection:
        (row,) = [each for each in list_members(connection) if each.ncpdp_id == C.ncpdp_id]
    assert row.npi == C.npi


def test_a_roster_does_not_cross_what_was_found(stranger: Books) -> None:
    """A new member with C's found NPI, or an end of C before it, is a finding; an end after it ends both."""
    approve(stranger, ask(stranger, "unknown_payee", Action.ASSIGN, member=C.ncpdp_id, since=DAY))
    rows = [roster_row(store) for store in (A, B)]
    joined = stranger.receive(roster(*rows, roster_row(C), roster_row(STRANGER)), "joined.csv")
    assert (joined.status, joined.findings[0].rule, joined.findings[0].line) == ("quarantined", "memberships_apart", 5)
    early = stranger.receive(roster(*rows, roster_row(C, member_until="2026-11-15")), "early.csv")
    assert (early.status, early.findings[0].rule) == ("quarantined", "identifier_kept")
    late = stranger.receive(roster(*rows, roster_row(C, member_until="2026-11-30"), roster_row(STRANGER, **_DECEMBER)))
    assert late.status == "accepted", late.summary
    found = stranger.ask("SELECT upper(valid) AS until FROM member_identifier WHERE found_by IS NOT NULL")
    assert [row.until for row in found] == [date(2026, 12, 1)]


_DECEMBER = {"member_since": "2026-12-01", "fee_since": "2026-12-01"}
