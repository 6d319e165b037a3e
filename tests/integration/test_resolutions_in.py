"""What people decide on money that comes in, below the command line: what moved meanwhile, what the database holds."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from ingest.bank.bai2_writer import StatementLine
from ingest.cases import list_cases
from ledger.chart import Account
from ledger.errors import FloatMissingError, JournalAppendOnlyError, LiabilityInDebitError, MakerIsCheckerError
from payouts import decisions, own_money
from payouts.errors import AskedOtherwiseError, NotAUserError
from payouts.resolutions.actions import resolve
from payouts.resolutions.errors import (
    AdviceToldError,
    AlreadyStandsError,
    CaseResolvedError,
    IrreversibleError,
    MovedOnError,
    NotShortError,
    ReasonMissingError,
    ReversedAlreadyError,
    VaultNeededError,
)
from payouts.resolutions.frame import Action, Resolution
from payouts.resolutions.suggestions import suggest
from payouts.resolutions.undo import propose_reversal
from schemas.errors import RefusedError
from tests.support.bank import paid_in, paid_in_for
from tests.support.books import CHECKER, MAKER, Books
from tests.support.trade import OTHER_PAYER, PAYER, STRANGER, A, B, C, Part, payer_file, remittance, remittance_file

DAY = date(2026, 11, 16)
NEXT = date(2026, 11, 17)


def _cheque(cents: int, number: str = "77", text_: str = "CHECK DEPOSIT") -> StatementLine:
    return StatementLine("115", cents, number, "", text_)


def _ask(books: Books, kind: str, subject: str, action: Action, **more: Any) -> int | None:  # noqa: ANN401 (fields)
    with books.begin() as connection:
        (case,) = [each for each in list_cases(connection) if (each.kind, each.subject) == (kind, subject)]
        facts: dict[str, Any] = {"reason": "as agreed", "day": NEXT, **more}
        return resolve(connection, Resolution(case_id=case.id, action=action, **facts), MAKER)


def _decide(books: Books, approval_id: int | None, *, approve: bool = True) -> None:
    assert approval_id is not None
    reason = None if approve else "no"
    with books.begin() as connection:
        decisions.decide(connection, approval_id, CHECKER, approve=approve, reason=reason, vault=books.vault)


def _reverse(books: Books, event: str) -> int:
    """Ask to undo the standing transaction of an event; give the approval."""
    ((number,),) = books.ask(
        "SELECT max(transaction_id) FROM journal_transaction t WHERE event = CAST(:event AS event_name) "
        "AND NOT EXISTS (SELECT FROM journal_transaction r WHERE r.reverses = t.transaction_id)",
        event=event,
    )
    with books.begin() as connection:
        return propose_reversal(connection, number, NEXT, "undone", MAKER)


def _states(books: Books) -> tuple[list[str], list[str]]:
    """Give the states of advices and of bank lines."""
    advices, lines = (
        books.ask(f"SELECT state FROM {table} ORDER BY 1, {key}")  # noqa: S608 (our own words)
        for table, key in (("advice", "advice_id"), ("bank_line", "bank_line_id"))
    )
    return [state for (state,) in advices], [state for (state,) in lines]


# Manual match --------------------------------------------------------------------------------------------------------


def test_a_rejected_match_changes_nothing(books: Books) -> None:
    """What was proposed and rejected leaves both waiting and the case open; it may be proposed again."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    books.book(DAY, _cheque(100))
    books.match()
    before = books.cases()
    first = _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,))
    assert _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,)) == first
    _decide(books, first, approve=False)
    assert books.cases() == before
    assert books.balance(A, Account.DUE_AVAILABLE) == 0
    again = _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,))
    assert again != first
    _decide(books, again)
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
    assert books.cases() == {("deposit_without_advice", "bank line 1"): 100}
    books.match()
    assert books.cases() == {}
    books.prove()


def test_a_match_that_was_overtaken_is_refused(books: Books) -> None:
    """Two proposals want one deposit: the second finds it used, does nothing, and stays pending to be rejected."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T2", DAY, Part(B, (100,))))
    books.book(DAY, _cheque(100))
    books.match()
    one = _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,))
    other = _ask(books, "advice_without_deposit", "T2", Action.MATCH, bank_lines=(1,))
    _decide(books, one)
    with pytest.raises(MovedOnError, match="Bank line 1 is matched"):
        _decide(books, other)
    assert books.balance(B, Account.DUE_AVAILABLE) == 0
    assert books.ask("SELECT state FROM approval WHERE approval_id = :id", id=other) == [("pending",)]
    with pytest.raises(CaseResolvedError), books.begin() as connection:
        resolve(connection, Resolution(case_id=1, action=Action.WAIT, reason="x", day=DAY), MAKER)
    books.prove()


def test_an_advice_funded_meanwhile_is_not_funded_twice(books: Books) -> None:
    """The trace comes after all: the sweep funds, and the approval that is still pending does nothing more."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    books.book(DAY, _cheque(100))
    books.match()
    asked = _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,))
    books.book(NEXT, paid_in("T1", 100))
    assert [each.trn for each in books.match().funded] == ["T1"]
    with pytest.raises(MovedOnError, match="Advice 1 is funded"):
        _decide(books, asked)
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
    books.prove()


def test_a_match_and_a_sweep_at_once_fund_once(books: Books) -> None:
    """While a second person approves matches, sweeps run: every advice is funded once, and the proofs hold."""
    numbers = range(1, 9)
    books.remit(*(remittance(f"T{number}", DAY, Part(A, (100 + number,))) for number in numbers))
    books.book(DAY, *(_cheque(100 + number, str(number)) for number in numbers))
    books.match()
    asked = [
        _ask(books, "advice_without_deposit", f"T{number}", Action.MATCH, bank_lines=(number,)) for number in numbers
    ]
    books.book(NEXT, *(paid_in(f"T{number}", 100 + number) for number in (2, 4, 6, 8)))

    def approve(approval_id: int | None) -> bool:
        try:
            _decide(books, approval_id)
        except (MovedOnError, LiabilityInDebitError):
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        sweeps = [pool.submit(books.match) for _ in range(4)]
        approved = list(pool.map(approve, asked))
        swept = sum(len(each.result().funded) for each in sweeps)
    swept += len(books.match().funded)
    assert sum(approved) + swept == 8
    assert books.balance(A, Account.DUE_AVAILABLE) == sum(100 + number for number in numbers)
    books.prove()


def test_a_match_whose_negative_the_float_does_not_cover_is_refused(books: Books) -> None:
    """B owes 300 and the PSAO has nothing in the account: the approval ends with the reason, and nothing moves."""
    books.remit(remittance("T1", DAY, Part(A, (500,)), Part(B, (-300,))))
    books.book(DAY, _cheque(200))
    books.match()
    asked = _ask(books, "advice_without_deposit", "T1", Action.MATCH, bank_lines=(1,))
    with pytest.raises(FloatMissingError):
        _decide(books, asked)
    books.put_in("OWN", 300, NEXT)
    _decide(books, asked)
    assert books.balance(B, Account.OPERATING_ADVANCE) == 300
    books.prove()


# Short ---------------------------------------------------------------------------------------------------------------


def test_a_payment_of_several_sets_and_strangers_is_divided(books: Books) -> None:
    """Two sets, a stranger among their payees, two deposits: each share gets half, and later the other half.

    Advised are A 100 and 40, a stranger 60, B 200: 400; 120 and 80 come, then 200.
    """
    books.remit(
        remittance("T1", DAY, Part(A, (100,)), Part(STRANGER, (60,))),
        remittance("T1", DAY, Part(A, (40,)), Part(B, (200,))),
    )
    books.book(DAY, paid_in("T1", 120), paid_in("T1", 80, reference="SECOND"))
    books.match()
    _decide(books, _ask(books, "deposit_short", "T1", Action.FUND_SHORT))
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [70, 100]
    assert books.house(Account.UNKNOWN_PAYEE) == 30
    assert books.house(Account.UNMATCHED_DEPOSIT) == 0
    books.prove()
    books.match()
    assert books.cases()["deposit_short", "T1"] == 200
    books.book(NEXT, paid_in("T1", 200, reference="REST"))
    assert [each.amount_cents for each in books.match().funded] == [200]
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [140, 200]
    assert books.house(Account.UNKNOWN_PAYEE) == 60
    assert _states(books) == (["funded"] * 2, ["matched"] * 3)
    books.prove()


def test_short_is_refused_when_it_is_not(books: Books) -> None:
    """A deposit that reaches is no short one; two different proposals on one advice do not stand side by side."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    books.book(DAY, paid_in("T1", 60), _cheque(100))
    books.match()
    with pytest.raises(NotShortError):
        _ask(books, "deposit_short", "T1", Action.FUND_SHORT, bank_lines=(2,))
    with pytest.raises(NotShortError):
        _ask(books, "deposit_short", "T1", Action.FUND_SHORT, bank_lines=(1, 2))
    asked = _ask(books, "deposit_short", "T1", Action.FUND_SHORT)
    books.book(NEXT, paid_in("T1", 10, reference="MORE"))
    with pytest.raises(AskedOtherwiseError):
        _ask(books, "deposit_short", "T1", Action.FUND_SHORT)
    with pytest.raises(ReasonMissingError):
        _ask(books, "deposit_short", "T1", Action.FUND_SHORT, reason=" ")
    _decide(books, asked)
    assert books.balance(A, Account.DUE_AVAILABLE) == 60
    books.prove()


def test_a_funding_that_was_reversed_is_funded_again(books: Books) -> None:
    """The same advices with the same deposit, again and again: each funding is a fact of its own."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    for _ in range(2):
        _decide(books, _reverse(books, "funded"))
        assert _states(books) == (["accepted"], ["unmatched"])
        assert books.balance(A, Account.DUE_AVAILABLE) == 0
        books.prove()
        assert [each.trn for each in books.match().funded] == ["T1"]
        assert _states(books) == (["funded"], ["matched"])
    ((keys,),) = books.ask("SELECT count(DISTINCT fact_key) FROM journal_transaction WHERE event = 'funded'")
    assert keys == 3
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
    books.prove()


# Undo ----------------------------------------------------------------------------------------------------------------


def test_what_is_not_reversed_alone_is_refused_with_what_to_do(books: Books) -> None:
    """A payout that left, a bank's line, a reversal: each refusal says what to do instead; nothing is asked for."""
    books.fund(remittance("T1", DAY, Part(A, (500_00,))))
    books.pay(DAY)
    for event, said in (
        ("payout_released", "comes back by the bank's return"),
        ("deposited", "the bank's own correction"),
        ("advised", "it stands as the payer sent it"),
    ):
        with pytest.raises(IrreversibleError, match=said):
            _reverse(books, event)
    assert books.ask("SELECT count(*) FROM approval WHERE kind = 'reversal'") == [(0,)]


def test_money_that_was_paid_out_is_not_undone_without_the_float(books: Books) -> None:
    """A was paid: undoing its funding leaves A owing, which the float covers in the same transaction, or refuses."""
    books.fund(remittance("T1", DAY, Part(A, (500_00,))))
    books.pay(DAY)
    asked = _reverse(books, "funded")
    with pytest.raises(FloatMissingError):
        _decide(books, asked)
    books.put_in("OWN", 500_00, NEXT)
    _decide(books, asked)
    assert books.balance(A, Account.OPERATING_ADVANCE) == 500_00
    ((number,),) = books.ask("SELECT reverses FROM journal_transaction WHERE event = 'reversed'")
    with pytest.raises(ReversedAlreadyError), books.begin() as connection:
        propose_reversal(connection, number, NEXT, "again", MAKER)
    books.match()
    assert books.balance(A, Account.OPERATING_ADVANCE) == 0
    books.prove()


def test_own_money_declared_by_mistake_is_undone_and_declared_again(books: Books) -> None:
    """A deposit taken as the PSAO's own is open again when that is undone; declared anew it is another fact."""
    books.put_in("OWN", 300, DAY)
    _decide(books, _reverse(books, "float_deposited"))
    assert (books.house(Account.OPERATING_FLOAT), books.house(Account.UNMATCHED_DEPOSIT)) == (0, 300)
    assert _states(books)[1] == ["unmatched"]
    with books.begin() as connection:
        again = own_money.propose_deposit(connection, "OWN", MAKER)
    _decide(books, again)
    assert (books.house(Account.OPERATING_FLOAT), books.house(Account.UNMATCHED_DEPOSIT)) == (300, 0)
    assert _states(books)[1] == ["matched"]
    books.prove()


# Replacement ---------------------------------------------------------------------------------------------------------


def _in_conflict(books: Books, *parts: Part, control_number: int = 7) -> str:
    """Receive another set under the identity of T1; give the subject of its case."""
    before = set(books.cases())
    content = remittance_file(remittance("T1", DAY, *parts), control_number=control_number)
    assert books.receive(content, "other.835").status == "conflict"
    ((_, subject),) = set(books.cases()) - before
    return subject


def test_a_replacement_brings_strangers_and_pairs_reversals(books: Books) -> None:
    """The new set pays a stranger and takes a claim back; P8 holds for old and new, the old one's lines stay."""
    books.put_in("OWN", 1_000, DAY)
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    subject = _in_conflict(books, Part(A, (90, -20)), Part(STRANGER, (30,)))
    asked = _ask(books, "set_conflict", subject, Action.REPLACE)
    with pytest.raises(VaultNeededError), books.begin() as connection:
        decisions.decide(connection, asked or 0, CHECKER, approve=True)
    _decide(books, asked)
    assert _states(books)[0] == ["accepted", "replaced"]
    assert books.balance(A, Account.DUE_UNFUNDED) == 70
    assert books.house(Account.UNKNOWN_PAYEE_UNFUNDED) == 30
    books.prove()
    books.book(NEXT, paid_in("T1", 100))
    assert [each.trn for each in books.match().funded] == ["T1"]
    assert books.balance(A, Account.DUE_AVAILABLE) == 70
    ((sets,),) = books.ask("SELECT array_agg(status ORDER BY file_id) FROM remittance_set")
    assert sets == ["accepted", "accepted"]
    same = remittance_file(remittance("T1", DAY, Part(A, (90, -20)), Part(STRANGER, (30,))), control_number=9)
    assert books.receive(same, "same.835").status == "duplicate"
    books.prove()


def test_two_sets_in_conflict_replace_one_after_the_other(books: Books) -> None:
    """A second corrected set takes the place of the first correction, though it came before that was taken."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    first = _in_conflict(books, Part(A, (60,)), Part(B, (40,)))
    second = _in_conflict(books, Part(B, (100,)), control_number=8)
    one = _ask(books, "set_conflict", first, Action.REPLACE)
    other = _ask(books, "set_conflict", second, Action.REPLACE)
    _decide(books, one)
    with pytest.raises(MovedOnError, match="stands where advice 1 stood"):
        _decide(books, other)
    _decide(books, other, approve=False)
    _decide(books, _ask(books, "set_conflict", second, Action.REPLACE))
    books.match()
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [0, 100]
    assert sorted(_states(books)[0]) == ["funded", "replaced", "replaced"]
    books.prove()


def test_a_replacement_reverses_what_was_funded_in_parts(books: Books) -> None:
    """Two parts were funded of the old advice: both are reversed, both deposits are open for the new one."""
    books.remit(remittance("T1", DAY, Part(A, (100,)), Part(B, (100,))))
    books.book(DAY, paid_in("T1", 50))
    books.match()
    _decide(books, _ask(books, "deposit_short", "T1", Action.FUND_SHORT))
    books.book(NEXT, paid_in("T1", 30, reference="MORE"))
    books.match()
    _decide(books, _ask(books, "deposit_short", "T1", Action.FUND_SHORT))
    assert books.balance(A, Account.DUE_AVAILABLE) == 40
    subject = _in_conflict(books, Part(A, (80,)))
    _decide(books, _ask(books, "set_conflict", subject, Action.REPLACE))
    assert books.house(Account.UNMATCHED_DEPOSIT) == 80
    books.prove()
    assert [each.amount_cents for each in books.match().funded] == [80]
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B)] == [80, 0]
    books.prove()


def test_a_large_set_is_copied_block_by_block(books: Books) -> None:
    """A corrected set of 1,200 claims, more than are read at a time, is in the books whole, strangers too."""
    books.remit(remittance("T1", DAY, Part(A, (2_400,))))
    subject = _in_conflict(books, Part(B, (1,) * 700), Part(STRANGER, (3,) * 500))
    _decide(books, _ask(books, "set_conflict", subject, Action.REPLACE))
    assert books.balance(B, Account.DUE_UNFUNDED) == 700
    assert books.house(Account.UNKNOWN_PAYEE_UNFUNDED) == 1_500
    assert books.ask("SELECT count(*) FROM claim_line WHERE advice_id > 1") == [(1_200,)]
    books.prove()


def test_the_same_correction_twice_is_taken_once(books: Books) -> None:
    """Two files bring the same corrected set: when one has taken the place, the other has nothing to replace."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    first = _in_conflict(books, Part(B, (100,)))
    second = _in_conflict(books, Part(B, (100,)), control_number=8)
    _decide(books, _ask(books, "set_conflict", first, Action.REPLACE))
    with pytest.raises(AlreadyStandsError):
        _ask(books, "set_conflict", second, Action.REPLACE)
    assert _ask(books, "set_conflict", second, Action.REFUSE) is None
    assert [kind for kind, _ in books.cases() if kind == "set_conflict"] == []
    books.prove()


def test_what_was_funded_together_is_funded_again(books: Books) -> None:
    """One deposit paid two payments; one is replaced: both wait for a moment, and the next match funds both."""
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T2", DAY, Part(C, (50,)), payer=OTHER_PAYER))
    books.book(DAY, paid_in_for({"T1": PAYER, "T2": OTHER_PAYER}, 150))
    books.match()
    subject = _in_conflict(books, Part(B, (100,)))
    _decide(books, _ask(books, "set_conflict", subject, Action.REPLACE))
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B, C)] == [0, 0, 0]
    books.prove()
    assert [each.trn for each in books.match().funded] == ["T1", "T2"]
    assert [books.balance(store, Account.DUE_AVAILABLE) for store in (A, B, C)] == [0, 100, 50]
    books.prove()


def test_a_cycle_that_tells_the_advice_between_asking_and_approving_stops_it(books: Books) -> None:
    """The cycle was proposed after the replacement was: the approval is refused until the cycle is void."""
    books.fund(remittance("T1", DAY, Part(A, (500_00,))))
    subject = _in_conflict(books, Part(B, (500_00,)))
    asked = _ask(books, "set_conflict", subject, Action.REPLACE)
    books.propose(DAY)
    with pytest.raises(AdviceToldError, match="void that cycle first"):
        _decide(books, asked)
    assert books.balance(A, Account.DUE_AVAILABLE) == 500_00
    books.prove()


# Suggestions ---------------------------------------------------------------------------------------------------------


def test_a_refused_suggestion_does_not_come_back(books: Books, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A person says that the cheque is for something else: the same two are not suggested again; others may be."""
    books.receive(payer_file(tmp_path_factory.mktemp("payers") / "payers.csv").read_bytes(), "payers.csv")
    books.remit(remittance("T1", DAY, Part(A, (100,))), remittance("T2", DAY, Part(A, (100,)), payer=OTHER_PAYER))
    books.book(DAY, _cheque(100, "1", f"CHECK {PAYER.name}"), _cheque(100, "2", f"CHECK {PAYER.payer_id} {C.ncpdp_id}"))

    def suggested() -> set[str]:
        books.match()
        with books.begin() as connection:
            suggest(connection)
        return {subject for kind, subject in books.cases() if kind == "match_suggested"}

    assert suggested() == set(), "two cheques fit one advice"
    _ask(books, "deposit_without_advice", "bank line 2", Action.SUSPEND)
    assert suggested() == {"bank line 1 for advice 1"}
    assert _ask(books, "match_suggested", "bank line 1 for advice 1", Action.REFUSE) is None
    assert suggested() == set()
    assert books.balance(A, Account.DUE_AVAILABLE) == 0


# What the database holds ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE advice SET funded_cents = payment_cents + 1 WHERE advice_id = 1", "funded_is_part_of_it"),
        ("UPDATE advice SET funded_cents = -1 WHERE advice_id = 1", "funded_is_part_of_it"),
        ("UPDATE advice SET state = 'funded' WHERE advice_id = 2", "funded_only_when_whole"),
        ("UPDATE advice SET funded_cents = 1, state = 'replaced' WHERE advice_id = 2", "replaced_has_no_money"),
        ("INSERT INTO advice_replacement VALUES (1, 1, 1)", "replaces_another"),
    ],
)
def test_what_an_advice_can_not_be(books: Books, owner: Engine, statement: str, rule: str) -> None:
    """Raw SQL of the tables' owner can not make an advice funded by more, or less, than its fundings."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    books.remit(remittance("T2", DAY, Part(A, (100,))))
    with pytest.raises(Exception, match=rule), unit_of_work(owner) as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("UPDATE advice SET state = 'replaced', funded_cents = 0 WHERE advice_id = 1", JournalAppendOnlyError),
        ("UPDATE remittance_set SET status = 'duplicate'", JournalAppendOnlyError),
        ("UPDATE remittance_set SET status = 'conflict'", JournalAppendOnlyError),
        ("UPDATE bank_line SET state = 'unmatched'", LiabilityInDebitError),
        ("UPDATE bank_line SET state = 'suspended'", LiabilityInDebitError),
    ],
)
def test_steps_that_are_not_allowed(books: Books, statement: str, kind: type[RefusedError]) -> None:
    """The application itself can not replace a funded advice, take a set over, or hide what a bank line holds."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    with pytest.raises(kind), books.begin() as connection:
        connection.execute(text(statement))
    books.prove()


def test_a_replacement_stays_on_record(books: Books, owner: Engine) -> None:
    """Which advice took whose place can not be changed or removed, and a replaced advice is funded by nobody."""
    books.remit(remittance("T1", DAY, Part(A, (100,))))
    subject = _in_conflict(books, Part(B, (100,)))
    _decide(books, _ask(books, "set_conflict", subject, Action.REPLACE))
    for statement in ("UPDATE advice_replacement SET replaces = 9", "DELETE FROM advice_replacement"):
        with pytest.raises(JournalAppendOnlyError), unit_of_work(owner) as connection:
            connection.execute(text(statement))
    with pytest.raises(JournalAppendOnlyError), books.begin() as connection:
        connection.execute(text("UPDATE advice SET state = 'funded' WHERE state = 'replaced' AND payment_cents = 100"))


def test_undoing_needs_the_second_person_and_the_role(books: Books) -> None:
    """Who asked does not approve; nobody without a role asks."""
    books.fund(remittance("T1", DAY, Part(A, (100,))))
    asked = _reverse(books, "funded")
    with pytest.raises(MakerIsCheckerError), books.begin() as connection:
        decisions.decide(connection, asked, MAKER, approve=True)
    with pytest.raises(NotAUserError), books.begin() as connection:
        propose_reversal(connection, asked, DAY, "x", "nobody")
    assert books.balance(A, Account.DUE_AVAILABLE) == 100
