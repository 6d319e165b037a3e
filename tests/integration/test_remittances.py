"""835 files into the books: groups, large sets, interruptions, races, whose money each line is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from io import BytesIO
from itertools import islice
from typing import Any, BinaryIO

import pytest

import ingest.remittances
import ingest.x12.reader
from app.demo.remittance import PayeeAdjustments, PlbPair, RemittanceSet
from ingest.advices import AdviceWriter
from ingest.receiving import FileVerdict, Receiver
from ingest.x12.reader import Event
from ledger.chart import Account
from tests.support.books import MAKER, Books, roster, roster_row, x12_claim, x12_file, x12_head
from tests.support.trade import BANK_ACCOUNT, OTHER_PAYER, STRANGER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 16)
CHAIN_NPI = remittance("ANY", DAY, Part(A, (1,))).payee.identifier


def _many(trace: str, *cents: int) -> RemittanceSet:
    """Lay out a set for A, B and C in turn, a claim for each amount."""
    stores = (A, B, C)
    return remittance(trace, DAY, *(Part(stores[number % 3], (each,)) for number, each in enumerate(cents)))


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every set of three claims or more be a large one: claims are handed on one by one."""
    reader = ingest.x12.reader.read_remittances
    monkeypatch.setattr(ingest.remittances, "GROUP_CLAIMS", 3)
    monkeypatch.setattr(ingest.remittances, "read_remittances", lambda stream, name: reader(stream, name, block=1))


def _statuses(verdict: FileVerdict) -> list[str]:
    return [each.status for each in verdict.sets]


def _claim_count(books: Books) -> int:
    return int(books.ask("SELECT count(*) FROM claim_line")[0][0])


def test_a_set_is_split_by_store_and_posted(books: Books) -> None:
    """Claims less the payer's PLBs of each store stand as advised and not yet funded; all proofs hold."""
    verdict = books.remit(
        remittance("T1", DAY, Part(A, (100_00, 23_45)), Part(B, (50_00,), (("WO", 20_00), ("CS", -1))))
    )
    assert verdict.status == "accepted"
    assert verdict.sets[0].claims == 3
    assert books.balance(A, Account.DUE_UNFUNDED) == 123_45
    assert books.balance(B, Account.DUE_UNFUNDED) == 30_01
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_a_large_set_gives_what_a_small_one_does(books: Books) -> None:
    """A set that does not fit a group is copied as it comes; shares, bytes and proofs are as for any other."""
    content = remittance_file(_many("SMALL", 100), _many("LARGE", *range(1, 12)), _many("AFTER", 5, 6))
    verdict = books.receive(content)
    assert _statuses(verdict) == ["accepted"] * 3
    assert [each.claims for each in verdict.sets] == [1, 11, 2]
    assert books.balance(A, Account.DUE_UNFUNDED) == 100 + (1 + 4 + 7 + 10) + 5
    rows = books.ask("SELECT rx_number, byte_start, byte_end FROM claim_line")
    assert len(rows) == 14
    for rx_number, start, end in rows:
        segments = books.vault.read(verdict.sha256, start, end)
        assert segments.startswith(f"CLP*{rx_number}*".encode())
        assert segments.endswith(b"~")
        assert segments.count(b"CLP*") == 1
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_a_large_set_that_does_not_balance_leaves_no_row(books: Books) -> None:
    """What was copied of it before its end is forgotten; it is recorded as quarantined, its neighbours are taken."""
    wrong = replace(_many("WRONG", *range(1, 10)), payment_cents=1)
    verdict = books.remit(_many("BEFORE", 1, 2, 3, 4), wrong, _many("AFTER", 5))
    assert _statuses(verdict) == ["accepted", "quarantined", "accepted"]
    assert verdict.sets[1].findings[0].rule == "set_balances"
    assert _claim_count(books) == 5
    assert ("set_quarantined", "file 2 set 2") in books.cases()
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_a_large_set_outside_all_periods_is_quarantined(books: Books) -> None:
    """A BPR16 in no accounting period quarantines a large set as it does a small one, and leaves no partition."""
    typo = remittance("TYPO", date(2062, 11, 16), *(Part(A, (each,)) for each in range(1, 9)))
    verdict = books.remit(typo, _many("AFTER", 5))
    assert _statuses(verdict) == ["quarantined", "accepted"]
    assert [finding.rule for finding in verdict.sets[0].findings] == ["period_exists"]
    assert books.ask("SELECT to_regclass('centralpay.claim_line_2062_11')")[0][0] is None


def test_a_small_set_outside_all_periods_is_quarantined(books: Books) -> None:
    """A BPR16 in no accounting period is a finding with the date, not an error."""
    verdict = books.remit(remittance("TYPO", date(2062, 11, 16), Part(A, (1,))))
    assert [finding.found for finding in verdict.sets[0].findings] == ["2062-11-16"]


def test_months_get_partitions(books: Books) -> None:
    """Each month of BPR16 has its own partition, where its claims lie."""
    books.remit(remittance("OCT", date(2026, 10, 30), Part(A, (1,))), remittance("NOV", DAY, Part(A, (2,))))
    rows = books.ask("SELECT tableoid::regclass::text, paid_cents FROM claim_line ORDER BY paid_on")
    assert [(name.rpartition(".")[2], cents) for name, cents in rows] == [
        ("claim_line_2026_10", 1),
        ("claim_line_2026_11", 2),
    ]


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_file_is_taken_up_again(books: Books, monkeypatch: pytest.MonkeyPatch, stop: int) -> None:
    """Stopped at any set, small or large, and ingested again, a file gives what it gives in one go."""
    content = remittance_file(_many("S1", 1, 2), _many("L2", *range(1, 8)), _many("S3", 5), _many("L4", 9, 9, 9, 9))
    finish = AdviceWriter.finish
    calls = iter(range(1, 10))

    def interrupted(self: AdviceWriter, *words: Any) -> None:  # noqa: ANN401 (whatever finish takes)
        finish(self, *words)
        if next(calls) == stop:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(AdviceWriter, "finish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            books.receive(content)
    assert len(books.ask("SELECT FROM remittance_set")) < 4
    assert _statuses(books.receive(content)) == ["accepted"] * 4
    assert _claim_count(books) == 2 + 7 + 1 + 4
    assert books.ask("SELECT sum(amount_cents) FROM line WHERE account = 'advised'")[0][0] == 3 + 28 + 5 + 36
    assert books.receive(content).status == "duplicate"
    books.prove()


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("events", range(4, 20, 3))
def test_a_file_that_breaks_off_in_reading_leaves_whole_groups(
    books: Books, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    """What is being written when reading fails is written; the failure is told; the next time completes the file."""
    content = remittance_file(_many("S1", 1, 2), _many("S2", 3), _many("L3", *range(1, 8)), _many("S4", 5))

    def failing(stream: BinaryIO, name: str) -> Iterator[Event]:
        yield from islice(ingest.x12.reader.read_remittances(stream, name, block=1), events)
        raise EOFError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(ingest.remittances, "read_remittances", failing)
        with pytest.raises(EOFError):
            books.receive(content)
    assert books.ask("SELECT coalesce(sum(claim_count), 0)::bigint FROM advice")[0][0] == _claim_count(books)
    books.prove()
    assert _statuses(books.receive(content)) == ["accepted"] * 4
    assert _claim_count(books) == 2 + 1 + 7 + 1
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_two_loaders_of_one_file_take_it_once(books: Books) -> None:
    """Two processes that ingest the same file at the same time post each set once, and both succeed."""
    content = remittance_file(
        *(_many(f"T{number}", *range(1, 3 + number % 4)) for number in range(8)), _many("L", *range(1, 9))
    )
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(books.receive, [content, content]))
    assert [_statuses(verdict) in (["accepted"] * 9, ["duplicate"] * 9) for verdict in verdicts] == [True, True]
    assert books.ask("SELECT count(*), sum(claim_count) FROM advice")[0] == (9, _claim_count(books))
    books.prove()


def test_loaders_that_meet_the_same_advices_in_another_order_do_not_block_each_other(books: Books) -> None:
    """Two files with the same sets and strangers the other way round, loaded at once: no deadlock, each set once."""
    sets = [remittance(f"T{number}", DAY, Part(A, (number,)), Part(STRANGER, (7,))) for number in range(1, 30)]
    contents = [remittance_file(*sets), remittance_file(*sets[::-1], control_number=2)]
    for content in contents:
        assert content.count(b"ST*835") == 29
    with ThreadPoolExecutor(2) as pool:
        verdicts = list(pool.map(books.receive, contents))
    assert (
        sorted(status for verdict in verdicts for status in _statuses(verdict))
        == ["accepted"] * 29 + ["duplicate"] * 29
    )
    books.prove()


def test_the_same_set_in_another_file_is_a_duplicate(books: Books) -> None:
    """Same identity and content, other envelope and control numbers: a duplicate that changes nothing."""
    books.remit(_many("T1", 1, 2))
    verdict = books.receive(remittance_file(_many("T0", 5), _many("T1", 1, 2), control_number=9))
    assert _statuses(verdict) == ["accepted", "duplicate"]
    assert verdict.status == "accepted"
    assert _claim_count(books) == 3


def test_the_same_identity_with_other_content_is_a_conflict(books: Books) -> None:
    """The first stays as it is, the second is listed and opens a case."""
    books.remit(_many("T1", 1, 2))
    verdict = books.remit(_many("T1", 1, 3))
    assert (verdict.status, _statuses(verdict)) == ("conflict", ["conflict"])
    assert books.balance(B, Account.DUE_UNFUNDED) == 2
    assert books.cases()["set_conflict", "file 3 set 1"] == 4
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_a_large_set_may_be_a_duplicate_or_a_conflict(books: Books) -> None:
    """A large set of an identity that is taken leaves no claim and is told from its end."""
    books.remit(_many("T1", *range(1, 9)))
    same = books.receive(remittance_file(_many("T1", *range(1, 9)), _many("T2", 1), control_number=2))
    assert _statuses(same) == ["duplicate", "accepted"]
    other = books.remit(_many("T1", *range(2, 10)))
    assert _statuses(other) == ["conflict"]
    assert _claim_count(books) == 9


def test_sets_that_share_a_trace_are_numbered(books: Books) -> None:
    """Sets of one payment differ by their ordinal, another payer's count anew, and the same file again adds none."""
    sets = (_many("T1", 1), _many("T1", 1), replace(_many("T1", 1), payer=OTHER_PAYER), _many("T1", 2))
    assert _statuses(books.remit(*sets)) == ["accepted"] * 4
    rows = books.ask("SELECT payer_id, ordinal_in_payment FROM advice ORDER BY set_ordinal")
    assert [tuple(row) for row in rows] == [
        ("1360000001", 1),
        ("1360000001", 2),
        ("1360000002", 1),
        ("1360000001", 3),
    ]
    assert _statuses(books.receive(remittance_file(*sets, control_number=5))) == ["duplicate"] * 4


def test_one_set_of_a_payment_sent_again_is_a_duplicate(books: Books) -> None:
    """A payer that sends one pharmacy's set of a payment again, alone, adds nothing: once it was advised twice."""

    def told(payee: str) -> list[str]:
        return [*x12_head("T1", "10.00", payee=payee), *x12_claim("1", "10.00", npi=A.npi)]

    first, second = told("XX*1888000011"), told("XX*1888000029")
    assert _statuses(books.receive(x12_file(first, second))) == ["accepted"] * 2
    assert _statuses(books.receive(x12_file(second, control_number=9))) == ["duplicate"]
    assert books.ask("SELECT sum(payment_cents) FROM advice")[0][0] == 20_00


def test_money_of_a_stranger_waits_in_the_house(books: Books) -> None:
    """An identifier that is no member's has its claims and PLBs in the house, and one case with their sum."""
    books.remit(remittance("T1", DAY, Part(A, (1_00,)), Part(STRANGER, (50_00,), (("WO", 5_00),))))
    books.remit(remittance("T2", DAY, Part(STRANGER, (7,))))
    assert books.house(Account.UNKNOWN_PAYEE_UNFUNDED) == 45_07
    assert books.cases()["unknown_payee", f"NPI:{STRANGER.npi}"] == 45_07
    books.prove()


def test_claims_that_name_nobody_wait_in_the_house(books: Books) -> None:
    """Without store and payee a claim is the house's, as ``unnamed``, and so is a PLB without PLB01."""
    head = [each for each in x12_head("T1", "9.00") if not each.startswith("N1*PE")]
    verdict = books.receive(x12_file([*head, *x12_claim("1", "10.00"), "PLB**20261231*WO:X*1.00"]))
    assert _statuses(verdict) == ["accepted"]
    assert books.cases()["unknown_payee", "unnamed"] == 9_00
    assert not [kind for kind, _ in books.cases() if kind == "network_adjustment"]
    books.prove()


@pytest.mark.parametrize(("payee", "plb01"), [(f"XX*{CHAIN_NPI}", CHAIN_NPI), ("FI*841234567", "841234567")])
def test_a_plb_of_the_chain_adjusts_the_network(books: Books, payee: str, plb01: str) -> None:
    """PLB01 with the payee's own id, which serves no claim, is the network's; a tax number in N104 counts too."""
    body = [
        *x12_head("T1", "90.00", payee=payee),
        *x12_claim("1", "100.00", npi=A.npi),
        f"PLB*{plb01}*20261231*WO:X*10.00",
    ]
    assert _statuses(books.receive(x12_file(body))) == ["accepted"]
    assert books.house(Account.NETWORK_ADJUSTMENT_UNFUNDED) == -10_00
    assert books.cases()["network_adjustment", "T1"] == -10_00
    assert not [kind for kind, _ in books.cases() if kind == "unknown_payee"]
    books.prove()


def test_network_adjustments_of_one_trace_add_up(books: Books) -> None:
    """Two sets of one payment that both adjust the network have one case with the sum of both."""

    def adjusted(cents: int, taken: int) -> RemittanceSet:
        plain = remittance("T1", DAY, Part(A, (cents,)), payment_cents=cents - taken)
        plb = PayeeAdjustments(CHAIN_NPI, date(2026, 12, 31), (PlbPair("WO", "X", taken),))
        return replace(plain, adjustments=(plb,))

    books.remit(adjusted(100_00, 10_00), adjusted(50_00, 5_00))
    assert books.cases()["network_adjustment", "T1"] == -15_00
    books.prove()


def test_a_plb_of_an_unknown_store_is_that_stores(books: Books) -> None:
    """A PLB whose store is no member waits under its identifier and touches nobody else."""
    body = [
        *x12_head("T1", "95.00"),
        *x12_claim("1", "100.00", npi=A.npi),
        f"PLB*{STRANGER.ncpdp_id}*20261231*WO:X*5.00",
    ]
    books.receive(x12_file(body))
    assert books.balance(A, Account.DUE_UNFUNDED) == 100_00
    assert books.cases()["unknown_payee", f"NCPDP:{STRANGER.ncpdp_id}"] == -5_00
    books.prove()


def test_a_sold_store_gets_claims_by_fill_date_and_adjustments_by_payment_date(new_books: Books) -> None:
    """Claims go to who owned the store when they were filled, PLBs to who owns it when the payer pays."""
    sale = date(2026, 11, 10)
    old = roster_row(A, member_until="2026-11-09")
    new = roster_row(A, member_since=f"{sale}", fee_since=f"{sale}", legal_name="NEW OWNER LLC", tin="839999999")
    new_books.found()
    assert new_books.receive(roster(old, new), "roster.csv").status == "accepted"
    before, after = (new_books.member(A, on) for on in (date(2026, 11, 9), sale))
    claims = [
        *x12_claim("1", "10.00", npi=A.npi, filled="20261109"),
        *x12_claim("2", "20.00", npi=A.npi, filled="20261110"),
        *x12_claim("3", "-3.00", npi=A.npi, filled="20261101", status="22"),
    ]
    body = [*x12_head("T1", "26.00"), *claims, f"PLB*{A.npi}*20261001*WO:X*1.00"]
    assert _statuses(new_books.receive(x12_file(body))) == ["accepted"]
    assert new_books.balance(before, Account.DUE_UNFUNDED) == 7_00
    assert new_books.balance(after, Account.DUE_UNFUNDED) == 19_00
    new_books.prove()


@pytest.mark.parametrize("rx", ["back\\slash", "\\N", "\\.", "tab\there", "\xe9\xa0", "x" * 80])
def test_what_copy_would_misread_is_kept_as_it_came(books: Books, rx: str) -> None:
    """Backslashes, tabs and letters beyond ASCII in a prescription number are stored as they stand in the file."""
    body = [*x12_head("T1", "10.00"), *x12_claim(rx, "10.00", npi=A.npi)]
    assert _statuses(books.receive(x12_file(body))) == ["accepted"]
    assert books.ask("SELECT rx_number FROM claim_line")[0][0] == rx
    books.prove()


@pytest.mark.parametrize("reference", ["back\\slash", "\\N", "tab\there", "\xe9\xa0", ""])
def test_what_copy_would_misread_of_a_plb_is_kept_as_it_came(books: Books, reference: str) -> None:
    """The same holds for the reference of a PLB; an absent one is empty."""
    body = [*x12_head("T1", "9.00"), *x12_claim("1", "10.00", npi=A.npi), f"PLB*{A.npi}*20261231*WO:{reference}*1.00"]
    assert _statuses(books.receive(x12_file(body))) == ["accepted"]
    assert books.ask("SELECT reference, reason, fiscal_date FROM plb_line")[0] == (reference, "WO", "20261231")
    books.prove()


@pytest.mark.usefixtures("small_groups")
def test_adjustments_count_as_what_a_group_holds(books: Books) -> None:
    """Sets with few claims and many PLBs are written as early as those with many claims: memory stays constant."""
    pairs = tuple((f"W{number}", 1) for number in range(3))
    sets = [remittance(f"T{number}", DAY, Part(A, (100,), pairs)) for number in range(4)]
    done: list[int] = []
    receiver = Receiver(books.begin, books.vault, books.keyring, BANK_ACCOUNT, MAKER)
    receiver.receive(BytesIO(remittance_file(*sets)), "remit.835", progress=done.append)
    assert len(done) == 4


@pytest.mark.parametrize("rx", ["x" * 5000, "a\0b"])
@pytest.mark.parametrize("group_claims", [1, 20_000])
def test_what_no_column_holds_quarantines_its_set(
    books: Books, monkeypatch: pytest.MonkeyPatch, rx: str, group_claims: int
) -> None:
    """A number longer than any index or with a null byte is a finding of its set, large or small, not an error."""
    monkeypatch.setattr(ingest.remittances, "GROUP_CLAIMS", group_claims)
    wrong = [*x12_head("T1", "10.00"), *x12_claim(rx, "10.00", npi=A.npi)]
    right = [*x12_head("T2", "10.00"), *x12_claim("1", "10.00", npi=A.npi)]
    verdict = books.receive(x12_file(wrong, right))
    assert _statuses(verdict) == ["quarantined", "accepted"]
    assert {finding.rule for finding in verdict.sets[0].findings} <= {
        "element_fits",
        "element_characters",
        "text_is_clean",
    }
    books.prove()


@pytest.mark.parametrize("trace", ["T" * 3000, "a\0b"])
def test_a_trace_that_no_column_holds_quarantines_its_set(books: Books, trace: str) -> None:
    """A TRN02 longer than any index or with a null byte is a finding, not an error."""
    wrong = [*x12_head(trace, "10.00"), *x12_claim("1", "10.00", npi=A.npi)]
    assert _statuses(books.receive(x12_file(wrong))) == ["quarantined"]


def test_shares_tie_claims_to_entries(books: Books) -> None:
    """``advice_share`` has count, sums and hash of each owner's lines, also of one whose lines net to zero."""
    books.remit(remittance("T1", DAY, Part(A, (3, 4)), Part(B, (10,), (("WO", 10),))))
    rows = books.ask("SELECT owner_id, claim_count, claims_cents, plb_cents FROM advice_share ORDER BY claims_cents")
    assert [tuple(row) for row in rows] == [(books.member(A), 2, 7, 0), (books.member(B), 1, 10, 10)]
    assert books.balance(B, Account.DUE_UNFUNDED) == 0
    books.prove()


def test_what_a_members_own_remittance_copies_is_told(books: Books) -> None:
    """An advice has its delimiters, a PLB its bytes, and each member's share waits to be told; the house's does not."""
    content = remittance_file(
        remittance("T1", DAY, Part(A, (100,)), Part(B, (50,), (("WO", 20), ("CS", -1))), Part(STRANGER, (7,)))
    )
    verdict = books.receive(content)
    assert books.ask("SELECT delimiters FROM advice")[0][0] == "*:^~"
    rows = books.ask("SELECT byte_start, byte_end, payee_id FROM plb_line")
    assert len(rows) == 2
    for start, end, payee_id in rows:
        segment = books.vault.read(verdict.sha256, start, end)
        assert segment.startswith(f"PLB*{payee_id}*".encode())
        assert segment.endswith(b"~")
    waiting = books.ask("SELECT owner_id, trace_number, cycle_id FROM share_to_remit JOIN advice USING (advice_id)")
    assert {tuple(row) for row in waiting} == {(books.member(store), "T1", None) for store in (A, B)}
    assert books.ask("SELECT count(*) FROM advice_share")[0][0] == 3


def test_a_null_byte_as_a_delimiter_quarantines_the_set(books: Books) -> None:
    """A delimiter that no text column holds is a finding of its sets, not an error."""
    content = remittance_file(_many("T1", 1)).replace(b"~", b"\0")
    verdict = books.receive(content)
    assert [finding.rule for finding in verdict.sets[0].findings] == ["delimiter_fits"]


def test_a_zero_payment_is_taken(books: Books) -> None:
    """An advice of nothing whose parts are not: A is due 5.00, B owes 5.00, and the sum of shares is zero."""
    verdict = books.remit(remittance("ZERO", DAY, Part(A, (5_00,)), Part(B, (-5_00,))))
    assert _statuses(verdict) == ["accepted"]
    assert (books.balance(A, Account.DUE_UNFUNDED), books.balance(B, Account.DUE_UNFUNDED)) == (5_00, -5_00)
    books.prove()


@pytest.mark.usefixtures("small_groups")
@pytest.mark.parametrize("others", [1, 4], ids=["small", "large"])
def test_a_reversal_is_paired_when_it_is_taken_in(books: Books, others: int) -> None:
    """A claim that takes back one of an earlier file has it as its original at once, in a small set and a large one."""
    books.receive(x12_file([*x12_head("T1", "10.00"), *x12_claim("77", "10.00", npi=A.npi)]))
    body = [*x12_head("T2", f"{15 * others - 10}.00"), *x12_claim("77", "-10.00", npi=A.npi, status="22")]
    for number in range(others):
        body += x12_claim(f"{88 + number}", "15.00", npi=A.npi)
    verdict = books.receive(x12_file(body))
    assert _statuses(verdict) == ["accepted"]
    rows = books.ask("SELECT state, advice_id, original_advice_id FROM claim_reversal")
    assert [tuple(row) for row in rows] == [("paired", 2, 1)]
    books.prove()


def test_a_file_that_could_not_be_read_may_be_read_later(books: Books) -> None:
    """A refused file that reads well at the second try is accepted then, and a duplicate from there on."""
    statement = books.bank.statement(DAY)
    other = books.receive(statement, account="9999")
    assert other.status == "quarantined"
    assert books.receive(statement).status == "accepted"
    assert books.receive(statement).status == "duplicate"
