"""What the database refuses of divisions and corrections, and what is refused when the world moved on."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from app.demo.pharmacies import Pharmacy
from app.demo.remittance import RemittanceSet, Section
from ingest.bank.bai2_writer import StatementLine
from ledger.chart import Account
from ledger.errors import (
    DecidedOnceError,
    MakerIsCheckerError,
    PayoutNotApprovedError,
    ReversalError,
)
from payouts import decisions
from payouts.errors import AskedOtherwiseError
from payouts.resolutions.corrections import Correction, propose
from payouts.resolutions.errors import MovedOnError, NotOpenError, SubjectMissingError
from payouts.resolutions.frame import Action, Table
from payouts.resolutions.interest import propose_division
from payouts.resolutions.member_errors import (
    ClaimCorrectedError,
    ClaimTakenBackError,
    NothingToDivideByError,
    RowsSumError,
    SeveralClaimsError,
    UncoveredError,
    UnknownPayerError,
)
from payouts.resolutions.undo import propose_reversal
from schemas.errors import RefusedError, UnreadableError
from tests.support.books import CHECKER, MAKER, Books
from tests.support.clearing import DAY, LATER, approve, ask, due, reject, with_money, write
from tests.support.lives import kept
from tests.support.trade import PAYER, A, B, C, Part, remittance, remittance_file


@pytest.fixture
@kept
def money(books: Books) -> Books:
    """Give books with 100.00 for A, B and C each and 50.00 of own money."""
    return with_money(books)


def slip_in(books: Books, statement: str, approval_id: int, facts: dict[str, Any]) -> None:
    """Write a row beside a waiting proposal, and have it approved in the same transaction."""
    with books.begin() as connection:
        connection.execute(text(statement), facts)
        decisions.decide(connection, approval_id, CHECKER, approve=True)


def correction(cents: int | None = None, *lines: str, source: Pharmacy = A) -> Correction:
    """Ask to move money from a store to C."""
    content = "\n".join(("advice_trace,rx_number,amount", *lines)).encode()
    claims = Table("claims.csv", content) if lines else None
    reason = f"wrong store {cents}"
    return Correction(
        source=source.ncpdp_id, target=C.ncpdp_id, day=LATER, reason=reason, amount_cents=cents, claims=claims
    )


def correct(books: Books, asked: Correction) -> int:
    """Propose a correction."""
    with books.begin() as connection:
        return propose(connection, asked, MAKER)


# Rows that were approved ---------------------------------------------------------------------------------------------


def _debited(books: Books, cents: int) -> None:
    books.book(LATER, StatementLine("475", cents, "TAKE", "", "ACH DEBIT"))


def take_back(books: Books, *lines: str) -> int:
    """Ask for a take-back of these rows."""
    rows = Table("rows.csv", "\n".join(("member,amount,claim", *lines)).encode())
    return ask(books, "debit_unexplained", Action.TAKE_BACK, payer=str(PAYER.payer_id), rows=rows)


def test_rows_are_those_that_were_proposed(money: Books) -> None:
    """A row put beside a waiting proposal makes its approval impossible; none can be put beside a decided one."""
    _debited(money, 10_00)
    approval_id = take_back(money, f"{A.ncpdp_id},10.00,")
    more = """INSERT INTO decided_share (approval_id, place, member_id, amount_cents) VALUES (:approval, 2, :b, 500)"""
    facts = {"approval": approval_id, "b": money.member(B)}
    with pytest.raises(PayoutNotApprovedError):
        slip_in(money, more, approval_id, facts)
    approve(money, approval_id)
    assert (due(money, A), due(money, B)) == (90_00, 100_00)
    with pytest.raises(PayoutNotApprovedError):
        write(money, more, **facts)
    with pytest.raises(ProgrammingError, match="permission denied"):
        write(money, "UPDATE decided_share SET amount_cents = 1")
    with pytest.raises(DecidedOnceError):
        approve(money, approval_id)
    money.prove()


def test_asking_the_same_again_gives_the_same_approval(money: Books) -> None:
    """The same rows asked for twice are one proposal; other rows for the same debit wait for its rejection."""
    _debited(money, 10_00)
    first = take_back(money, f"{A.ncpdp_id},10.00,")
    assert take_back(money, f"{A.ncpdp_id},10.00,") == first
    with pytest.raises(AskedOtherwiseError):
        take_back(money, f"{B.ncpdp_id},10.00,")
    with pytest.raises(MakerIsCheckerError):
        approve(money, first, MAKER)
    reject(money, first)
    approve(money, take_back(money, f"{B.ncpdp_id},10.00,"))
    assert (due(money, A), due(money, B)) == (100_00, 90_00)


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ((f"{A.ncpdp_id},9.99,",), RowsSumError),
        ((f"{A.ncpdp_id},11.00,", f"{B.ncpdp_id},-1.00,"), RefusedError),
        ((f"{A.ncpdp_id},10.00,PAT EXAMPLE",), UnreadableError),
        (("9999999,10.00,",), UnreadableError),
        ((f"{A.ncpdp_id},ten,",), UnreadableError),
        ((f"{A.ncpdp_id},0.00,",), UnreadableError),
        ((), UnreadableError),
    ],
)
def test_rows_that_do_not_fit_change_nothing(money: Books, lines: tuple[str, ...], error: type[Exception]) -> None:
    """Another sum, a negative, an unknown member, words for a claim: refused, and no approval waits."""
    _debited(money, 10_00)
    with pytest.raises(error):
        take_back(money, *lines)
    assert money.ask("SELECT count(*) FROM approval WHERE state = 'pending'")[0][0] == 0


def test_a_debit_that_was_explained_meanwhile_is_not_explained_again(money: Books) -> None:
    """Two ways to explain one debit wait; the first that is approved wins, the other is refused and posts nothing."""
    _debited(money, 10_00)
    first = take_back(money, f"{A.ncpdp_id},10.00,")
    second = ask(money, "debit_unexplained", Action.BANK_CHARGE)
    approve(money, second)
    with pytest.raises(MovedOnError):
        approve(money, first)
    assert due(money, A) == 100_00
    assert -money.house(Account.UNMATCHED_DEBIT) == 0
    money.prove()


def test_what_a_request_lacks_is_said(money: Books) -> None:
    """Without payer, members, counterpart, or with more than is open, nothing is proposed."""
    _debited(money, 10_00)
    with pytest.raises(SubjectMissingError, match="--payer"):
        ask(money, "debit_unexplained", Action.TAKE_BACK, member=A.ncpdp_id)
    with pytest.raises(UnknownPayerError):
        ask(money, "debit_unexplained", Action.TAKE_BACK, member=A.ncpdp_id, payer="NOBODY")
    with pytest.raises(SubjectMissingError, match="--rows"):
        ask(money, "debit_unexplained", Action.TAKE_BACK, payer=str(PAYER.payer_id))
    with pytest.raises(SubjectMissingError, match="--bank-line"):
        ask(money, "debit_unexplained", Action.DEBIT_RETURNED)
    with pytest.raises(NotOpenError, match="none of that number"):
        ask(money, "debit_unexplained", Action.DEBIT_RETURNED, bank_lines=(999,))
    with pytest.raises(NotOpenError, match="explained to the last cent"):
        ask(money, "debit_unexplained", Action.DEBIT_RETURNED, bank_lines=(1,))
    with pytest.raises(RefusedError, match="not part of"):
        ask(money, "debit_unexplained", Action.BANK_CHARGE, amount_cents=10_01)


def test_a_charge_beyond_the_float_is_refused(money: Books) -> None:
    """The float of 50.00 does not pay a charge of 60.00: 10.00 are missing."""
    _debited(money, 60_00)
    with pytest.raises(UncoveredError) as refused:
        ask(money, "debit_unexplained", Action.BANK_CHARGE)
    assert refused.value.missing_cents == 10_00


# Corrections ---------------------------------------------------------------------------------------------------------


def test_a_claim_stands_in_one_correction(money: Books) -> None:
    """By raw SQL a second correction of a claim is refused; when the first is rejected the claim is free again."""
    money.fund(remittance("T1", DAY, Part(A, (40_00,))))
    asked = correction(None, "T1,6000000,40.00")
    first = correct(money, asked)
    with pytest.raises(ClaimCorrectedError):
        correct(money, asked)
    other = correct(money, correction(1_00))
    again = """INSERT INTO correction_claim (approval_id, place, advice_id, segment, rx_number, amount_cents)
               SELECT :other, 1, advice_id, segment, rx_number, amount_cents FROM correction_claim"""
    with pytest.raises(IntegrityError, match="claim_is_corrected_once"):
        write(money, again, other=other)
    with pytest.raises(ProgrammingError, match="permission denied"):
        write(money, "UPDATE correction_claim SET standing = false")
    reject(money, first)
    assert [row.standing for row in money.ask("SELECT standing FROM correction_claim")] == [False]
    approve(money, correct(money, asked))
    assert (due(money, A), due(money, C)) == (100_00, 140_00)
    money.prove()


def test_the_claims_of_a_correction_are_those_that_were_proposed(money: Books) -> None:
    """A claim slipped in beside a proposal makes its approval impossible."""
    money.fund(remittance("T1", DAY, Part(A, (40_00,))))
    approval_id = correct(money, correction(40_00))
    slipped = """INSERT INTO correction_claim (approval_id, place, advice_id, segment, rx_number, amount_cents)
                 SELECT :approval, 1, advice_id, segment, rx_number, paid_cents FROM claim_line LIMIT 1"""
    with pytest.raises(PayoutNotApprovedError):
        slip_in(money, slipped, approval_id, {"approval": approval_id})


def _with_claims(trace: str, day: date, *changes: dict[str, Any]) -> RemittanceSet:
    """Lay out a set of A's claims of 40.00, each changed."""
    plain = remittance(trace, day, Part(A, (40_00,) * len(changes)))
    (section,) = plain.sections
    claims = [each._replace(**change) for each, change in zip(section.claims, changes, strict=True)]
    cents = sum(each.paid_cents for each in claims)
    return replace(plain, sections=(Section(1, claims),), payment_cents=cents)


def test_claims_that_are_alike_are_not_guessed_between(money: Books) -> None:
    """Two claims of one prescription and amount in one advice are not told apart; one claim is not named twice."""
    alike = {"rx_number": "777", "payer_claim_number": "C1"}, {"rx_number": "777", "payer_claim_number": "C2"}
    money.fund(_with_claims("T1", DAY, *alike, {"rx_number": "778"}))
    with pytest.raises(SeveralClaimsError):
        correct(money, correction(None, "T1,777,40.00"))
    with pytest.raises(ClaimCorrectedError, match="named twice"):
        correct(money, correction(None, "T1,778,40.00", "T1,000778,40.00"))
    with pytest.raises(RowsSumError):
        correct(money, correction(39_00, "T1,778,40.00"))


def test_a_claim_that_the_payer_took_back_is_gone(money: Books) -> None:
    """A claim that the payer reversed itself can not be moved to another member: nothing is left of it."""
    taken = {"rx_number": "777", "payer_claim_number": "C1"}
    money.fund(_with_claims("T1", DAY, taken))
    reversal = taken | {"status": "22", "charge_cents": -40_00, "paid_cents": -40_00}
    money.fund(_with_claims("T2", LATER, reversal, {"rx_number": "779"}))
    with pytest.raises(ClaimTakenBackError):
        correct(money, correction(None, "T1,777,40.00"))


def _replace(books: Books, *parts: Part) -> int:
    """Receive another set under the identity of T1; ask for it to take the accepted one's place."""
    content = remittance_file(remittance("T1", DAY, *parts), control_number=9)
    assert books.receive(content, "other.835").status == "conflict"
    return ask(books, "set_conflict", Action.REPLACE)


def _undo(books: Books, event: str) -> None:
    """Have the last transaction of an event reversed."""
    ((number,),) = books.ask(
        "SELECT max(transaction_id) FROM journal_transaction WHERE event = CAST(:event AS event_name)", event=event
    )
    with books.begin() as connection:
        asked = propose_reversal(connection, number, LATER, "a mistake", MAKER)
    approve(books, asked)


def test_an_advice_is_not_turned_under_its_corrected_claim(money: Books) -> None:
    """A's claim of 40.00 was corrected to C; the payer's new set gives it to C itself: C has it once, A loses it once.

    The new set is refused while the correction stands: it would leave A with 60.00 and C with 180.00.
    """
    money.fund(remittance("T1", DAY, Part(A, (40_00,))))
    approve(money, correct(money, correction(None, "T1,6000000,40.00")))
    assert (due(money, A), due(money, C)) == (100_00, 140_00)
    asked = _replace(money, Part(C, (40_00,)))
    with pytest.raises(ReversalError, match="a claim of it was corrected to another member"):
        approve(money, asked)
    with pytest.raises(ReversalError, match="a claim of it was corrected to another member"):
        _undo(money, "funded")
    _undo(money, "member_corrected")
    approve(money, asked)
    money.match()
    assert (due(money, A), due(money, C)) == (100_00, 140_00)
    money.prove()


def test_a_claim_that_is_credited_no_more_is_not_corrected(money: Books) -> None:
    """Between asking and approving the payer's new set took the claim from A: A does not lose 40.00 a second time."""
    money.fund(remittance("T1", DAY, Part(A, (40_00,))))
    asked = correct(money, correction(None, "T1,6000000,40.00"))
    approve(money, _replace(money, Part(C, (40_00,))))
    money.match()
    with pytest.raises(MovedOnError, match="No funded advice credits the claim of prescription 6000000"):
        approve(money, asked)
    assert (due(money, A), due(money, C)) == (100_00, 140_00)
    reject(money, asked)
    money.prove()


def test_a_claim_that_the_payer_took_back_meanwhile_is_not_corrected(money: Books) -> None:
    """The payer's own reversal came between asking and approving: that takes the claim from A, nothing else does."""
    taken = {"rx_number": "777", "payer_claim_number": "C1"}
    money.fund(_with_claims("T1", DAY, taken))
    asked = correct(money, correction(None, "T1,777,40.00"))
    reversal = taken | {"status": "22", "charge_cents": -40_00, "paid_cents": -40_00}
    money.fund(_with_claims("T2", LATER, reversal, {"rx_number": "779"}))
    with pytest.raises(MovedOnError, match="prescription 777"):
        approve(money, asked)
    assert (due(money, A), due(money, C)) == (140_00, 100_00)


def test_a_reversal_in_a_set_that_was_replaced_takes_nothing_back(money: Books) -> None:
    """The payer took a claim back, and then sent that set anew without it: the claim is A's, and can be corrected.

    The set that was replaced paid nothing, and to nobody: 40.00 less 40.00.
    """
    taken = {"rx_number": "777", "payer_claim_number": "C1"}
    money.fund(_with_claims("T9", DAY, taken))
    reversal = taken | {"status": "22", "charge_cents": -40_00, "paid_cents": -40_00}
    money.fund(_with_claims("T1", DAY, reversal, {"rx_number": "779"}))
    approve(money, _replace(money, Part(A, (40_00,))))
    approve(money, correct(money, correction(None, "T9,777,40.00")))
    assert due(money, C) == 140_00
    money.prove()


# Interest and the network --------------------------------------------------------------------------------------------


def test_interest_that_came_after_the_proposal_is_not_forgotten(money: Books) -> None:
    """A division of 1.00 is not approved once 0.50 more has gathered: it is asked for again, for 1.50."""
    for cents, reference in ((1_00, "INT1"), (50, "INT2")):
        money.book(LATER, StatementLine("195", cents, reference, "", "INTEREST PAID"))
        money.match()
        approve(money, ask(money, "deposit_without_advice", Action.INTEREST))
        if cents == 1_00:
            with money.begin() as connection:
                first = _divide(connection)
    with pytest.raises(MovedOnError):
        approve(money, first)
    reject(money, first)
    with money.begin() as connection:
        again = _divide(connection)
    approve(money, again)
    assert (due(money, A), due(money, B), due(money, C)) == (100_50, 100_50, 100_50)
    assert money.house(Account.INTEREST_DUE) == 0
    money.prove()


def _divide(connection: Any) -> int:  # noqa: ANN401 (a connection)
    return propose_division(connection, day=LATER, reason="November", actor=MAKER, period=(DAY, LATER))


@pytest.mark.parametrize("period", [None, (LATER, DAY), (date(2026, 1, 1), date(2026, 1, 31))])
def test_a_division_needs_a_way_and_a_balance(money: Books, period: tuple[date, date] | None) -> None:
    """No way of dividing, a period that ends before it begins, or one without balances: refused."""
    money.book(LATER, StatementLine("195", 1_00, "INT1", "", "INTEREST PAID"))
    money.match()
    approve(money, ask(money, "deposit_without_advice", Action.INTEREST))
    with pytest.raises((SubjectMissingError, NothingToDivideByError)), money.begin() as connection:
        propose_division(connection, day=LATER, reason="November", actor=MAKER, period=period)
