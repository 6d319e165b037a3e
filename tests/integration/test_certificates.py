"""Certificates: read from the members' own books, proven, issued once, sealed, checked against the books of then."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, make_url, text

import ledger.export
from app.cluster import Cluster
from app.database import libpq_url, unit_of_work
from app.demo.pharmacies import Pharmacy
from ledger.errors import LedgerRefusedError
from ledger.seal.checkpoints import of_size
from payouts.certificates import bodies
from payouts.certificates.bodies import canonical, digest, envelope_text
from payouts.certificates.checking import Check, checks, read_envelope
from payouts.certificates.errors import (
    CertificateNotSealedError,
    CertificateOlderError,
    CertificateRacedError,
    CertificateUnprovenError,
    CertificateUnreadableError,
    MonthsError,
)
from payouts.certificates.given import GivenOut, certificate, given_out, newest_of_everybody, of_member
from payouts.certificates.kinds import CUSTODY_OF, OPERATING_OF, PART_OF, PARTS
from payouts.certificates.model import MemberMonths
from payouts.certificates.population import population, proven_population
from payouts.certificates.reading import members_months, month_ends
from payouts.fees.assessment import assess
from tests.support import books as books_module
from tests.support.bank import paid_in, paid_out
from tests.support.books import MAKER, Books, roster_row
from tests.support.certificates import certifier, seal
from tests.support.fees import import_rows
from tests.support.lives import kept
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, pharmacy, remittance

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (16, 17, 18))
NOVEMBER, LAST = date(2026, 11, 1), date(2026, 11, 30)
MONTH, DECEMBER = (NOVEMBER, LAST), (date(2026, 12, 1), date(2026, 12, 31))
VERIFIER = Path(ledger.export.__file__).parent / "verifier" / "verify.py"


@pytest.fixture
@kept
def lived(books: Books) -> Books:
    """Give books of a month: A claims 1,000.00 less 50.00, B 300.00; fees; both paid; OTHER_PAYER owes A 30.00."""
    books.put_in("OWN", 500_00, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (600_00, 400_00), (("WO", 50_00),)), Part(B, (300_00,))))
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)
    books.pay(TUESDAY)
    books.book(WEDNESDAY, paid_out("OUT1", 850_00))
    books.settle()
    books.remit(remittance("T2", WEDNESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))
    return books


def _months(books: Books, *stores: Pharmacy, span: tuple[date, date] = MONTH) -> list[MemberMonths]:
    members = [books.member(store) for store in stores] or None
    with books.begin() as connection:
        return list(members_months(connection, members, *span))


def _given(books: Books, *numbers: int) -> list[GivenOut]:
    with books.begin() as connection:
        return list(given_out(connection, books.vault, [certificate(connection, each) for each in numbers]))


def _checks(books: Books, given: GivenOut) -> list[Check]:
    with books.begin() as connection:
        return checks(connection, given.body, given.proof)


def _broken(books: Books, given: GivenOut) -> list[str]:
    return [each.what for each in _checks(books, given) if not each.holds]


# What it says --------------------------------------------------------------------------------------------------------


def test_a_month_in_figures(lived: Books) -> None:
    """Of 1,030.00 claimed PAYER took 50.00, we 200.00 as the flat fee; 750.00 were paid, 30.00 are awaited."""
    (made,) = _months(lived, A)
    assert made.faults == ()
    figures = made.figures
    changes = {part: cents for part, cents in figures.changes_cents.items() if cents}
    assert changes == {"claims": 1_030_00, "taken_by_payers": -50_00, "payouts": -750_00, "flat_fee": -200_00}
    assert (figures.opening_cents, figures.closing_cents, figures.retained_cents) == (0, 30_00, 200_00)
    assert figures.closing_parts_cents.awaiting_payer == 30_00
    (taken,) = figures.taken
    assert (taken.payer_name, taken.reason, taken.amount_cents) == (PAYER.name, "WO", -50_00)
    assert taken.words == f"taken by payer {PAYER.name}, not by us: overpayment recovered (WO)"
    told = {each.payer_name: each for each in figures.payers}
    assert (told[PAYER.name].claims_cents, told[PAYER.name].funded_cents) == (1_000_00, 950_00)
    assert (told[OTHER_PAYER.name].funded_cents, told[OTHER_PAYER.name].awaited_after_cents) == (0, 30_00)
    (fee,) = figures.fees
    assert (fee.month, fee.due_cents, fee.collected_now_cents, fee.to_give_back_cents) == ("2026-11", 200_00, 200_00, 0)
    way = figures.on_the_way_cents
    assert (way["in_transit"].in_cents, way["in_transit"].out_cents, way["fee_withheld"].closing_cents) == (
        750_00,
        750_00,
        0,
    )


def test_the_population_ties_to_bank_and_payers(lived: Books) -> None:
    """In came 500.00 own and 1,250.00 of PAYER, out went 850.00; 400.00 of fee were kept; 900.00 stay, all our own.

    The 835s pay 1,280.00, of which 30.00 are awaited from OTHER_PAYER.
    """
    with lived.begin() as connection:
        made, faults = population(connection, *MONTH)
    assert faults == ()
    assert (made.members, made.retained_cents, made.closing_cents) == (3, 400_00, 30_00)
    bank = made.bank
    assert (bank.opening_cents, bank.in_cents, bank.out_cents, bank.closing_cents) == (0, 1_750_00, 850_00, 900_00)
    assert made.own_cents == {
        "opening": 0,
        "flat_fee": 400_00,
        "float_in": 500_00,
        "float_out": 0,
        "bank_charges": 0,
        "written_off": 0,
        "closing": 900_00,
    }
    assert {name: roll.closing_cents for name, roll in made.held_for_cents.items()} == {
        "members": 0,
        "others": 0,
        "own": 900_00,
    }
    assert sum(each.payment_cents for each in made.remitted) == 1_280_00
    assert made.income_cents == {
        "fee_revenue": 600_00,
        "waived_and_refunded": 0,
        "receivable_opening": 0,
        "receivable_closing": 200_00,
    }
    assert made.fees_cents["collected"] == 400_00
    members = _months(lived)
    for part in PARTS:
        assert made.changes_cents[part] == sum(each.figures.changes_cents[part] for each in members)


def test_the_parts_are_the_matrix_of_postings(owner: Engine) -> None:
    """What an event may move in a member's book is what the matrix of the database says; each part has an event."""
    matrix: dict[str, dict[str, set[str]]] = {"custody": {}, "operating": {}}
    asked = "SELECT event::text, ledger::text, account::text FROM posting_rule WHERE owner_kind = 'member'"
    with unit_of_work(owner) as connection:
        for event, ledger, account in connection.execute(text(asked)):
            matrix[ledger].setdefault(event, set()).add(account)
    assert {event: set(of) for event, of in CUSTODY_OF.items()} == matrix["custody"]
    assert {event: set(of) for event, of in OPERATING_OF.items()} == matrix["operating"]
    assert set(PART_OF.values()) | {"claims"} == set(PARTS)
    owed = {"due_available", "due_unfunded", "held"}
    moves = {event for event, of in CUSTODY_OF.items() if of & owed and not of <= owed} - {"funded"}
    assert moves == set(PART_OF)


def test_months_are_whole_and_run_forwards() -> None:
    """November and December are 61 days; backwards they are none."""
    assert month_ends(NOVEMBER, date(2026, 12, 1)) == (NOVEMBER, date(2026, 12, 31))
    assert month_ends(NOVEMBER, NOVEMBER) == MONTH
    with pytest.raises(MonthsError):
        month_ends(NOVEMBER, date(2026, 10, 1))


def test_months_follow_each_other(lived: Books) -> None:
    """December opens with what November closes with, and two months at once are both together."""
    lived.book(date(2026, 12, 2), paid_in("T2", 30_00, payer=OTHER_PAYER))
    lived.match()
    first, second, both = (
        _months(lived, A, span=span)[0].figures for span in (MONTH, DECEMBER, (NOVEMBER, DECEMBER[1]))
    )
    assert first.closing_cents == second.opening_cents == 30_00
    assert second.closing_parts_cents.available == 30_00
    assert both.changes_cents == {part: first.changes_cents[part] + second.changes_cents[part] for part in PARTS}


def test_an_exit_recorded_later_is_told(lived: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A's exit on 10 November comes with December's roster: the 200.00 kept are given back after the month."""
    monkeypatch.setattr(books_module, "ROSTER_DAY", date(2026, 12, 4))
    import_rows(lived, roster_row(A, member_until="2026-11-10"))
    november, december = (_months(lived, A, span=span)[0] for span in (MONTH, DECEMBER))
    assert (november.faults, december.faults) == ((), ())
    (fee,) = november.figures.fees
    assert (fee.due_cents, fee.collected_cents, fee.given_back_later_cents, fee.to_give_back_cents) == (
        0,
        200_00,
        200_00,
        0,
    )
    assert (november.figures.retained_cents, december.figures.retained_cents) == (200_00, -200_00)


# Issued --------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_sealed_and_can_be_checked(lived: Books) -> None:
    """Its text's SHA-256 stands in a leaf under a signed root, and the books of then say the same."""
    (given,) = _given(lived, certifier(lived).issue_member(lived.member(A), *MONTH))
    assert given.of.body_sha256 == digest(canonical(given.body)) == given.proof["leaf"]["content"]["body_sha256"]
    assert (given.body["version"], given.body["figures"]["retained_cents"]) == (1, 200_00)
    assert given.proof["size"] > given.body["checkpoint"]["size"]
    found = _checks(lived, given)
    assert len(found) == 7
    assert [each.what for each in found if not each.holds] == []


def test_the_offline_verifier_reads_it(lived: Books, tmp_path: Path) -> None:
    """Who has nothing of us but the file and the verifier sees that it holds; and that a changed one does not."""
    (given,) = _given(lived, certifier(lived).issue_member(lived.member(A), *MONTH))
    path, program = tmp_path / "certificate.json", tmp_path / "verify.py"
    program.write_bytes(VERIFIER.read_bytes())
    path.write_bytes(envelope_text(given.body, given.proof))

    def verified() -> int:
        words = [sys.executable, "-I", str(program), "--proof", str(path), "--vkey", given.proof["vkey"]]
        return subprocess.run(words, capture_output=True, check=False, cwd=tmp_path).returncode

    assert verified() == 0
    figures = given.body["figures"] | {"retained_cents": 100_00}
    path.write_bytes(envelope_text(given.body | {"figures": figures}, given.proof))
    assert verified() == 1


def test_what_was_issued_stays(lived: Books) -> None:
    """Asked for again it is the same one, whatever is posted; anew it is superseded where the books say otherwise."""
    with_same = certifier(lived)
    first = with_same.issue_member(lived.member(A), *MONTH)
    assert with_same.issue_member(lived.member(A), *MONTH) == first
    assert with_same.issue_member(lived.member(A), *MONTH, anew=True) == first
    lived.refund(A, NOVEMBER, 20_00, on=WEDNESDAY)
    assert with_same.issue_member(lived.member(A), *MONTH) == first
    second = with_same.issue_member(lived.member(A), *MONTH, anew=True)
    old, new = _given(lived, first, second)
    assert (new.of.version, new.of.supersedes, old.of.superseded_by) == (2, first, second)
    assert (old.body["figures"]["retained_cents"], new.body["figures"]["retained_cents"]) == (200_00, 180_00)
    with lived.begin() as connection:
        earlier = of_size(connection, old.of.checkpoint_size)
    with pytest.raises(CertificateOlderError):
        with_same.issue_member(lived.member(A), *MONTH, anew=True, at=earlier)
    # The first one is still true of what was known then.
    assert _broken(lived, old) == _broken(lived, new) == []
    with lived.begin() as connection:
        assert [each.certificate_id for each in of_member(connection, lived.member(A))] == [first, second]


def test_everybodys_are_two_runs_of_the_sealer(lived: Books) -> None:
    """Three members' certificates, two checkpoints; the fourth who joins gets one, the others keep theirs."""
    checkpoints = "SELECT count(*) FROM seal_checkpoint"
    assert certifier(lived).issue_everybody(*MONTH, lambda *_: None) == 3
    assert lived.ask(checkpoints)[0][0] == 2
    with lived.begin() as connection:
        before = newest_of_everybody(connection, *MONTH)
    assert [each.name for each in before] == [f"{store.ncpdp_id}-2026-11" for store in (A, B, C)]
    for given in _given(lived, *(each.certificate_id for each in before)):
        assert _broken(lived, given) == []
    import_rows(lived, roster_row(pharmacy(104, since=date(2026, 11, 20))))
    assert certifier(lived).issue_everybody(*MONTH, lambda *_: None) == 1
    with lived.begin() as connection:
        after = newest_of_everybody(connection, *MONTH)
    assert (len(after), {each.certificate_id for each in before} < {each.certificate_id for each in after}) == (4, True)


def test_what_was_recorded_before_a_kill_is_sealed_by_the_next_run(lived: Books) -> None:
    """Killed between the record and the second seal, nothing can be given out; the next run seals, and issues none."""

    class KilledError(Exception):
        """Stands for the kill."""

    turns: list[None] = []

    def seals_once() -> None:
        if turns:
            raise KilledError
        turns.append(None)
        seal(lived)

    with pytest.raises(KilledError):
        replace(certifier(lived), seal=seals_once).issue_everybody(*MONTH, lambda *_: None)
    with lived.begin() as connection:
        (first, *_) = newest_of_everybody(connection, *MONTH)
    with pytest.raises(CertificateNotSealedError):
        _given(lived, first.certificate_id)
    assert certifier(lived).issue_everybody(*MONTH, lambda *_: None) == 0
    assert _broken(lived, _given(lived, first.certificate_id)[0]) == []


def test_who_comes_second_issues_nothing(lived: Books) -> None:
    """Another issue of the same months in between: the slower one is refused, and leaves no row."""
    slow = certifier(lived)

    def overtaken() -> None:
        seal(lived)
        if not lived.ask("SELECT FROM certificate"):
            certifier(lived).issue_member(lived.member(A), *MONTH)

    with pytest.raises(CertificateRacedError):
        replace(slow, seal=overtaken).issue_everybody(*MONTH, lambda *_: None)
    assert lived.ask("SELECT count(*) FROM certificate")[0][0] == 1


def test_the_population_is_issued_and_checked(lived: Books) -> None:
    """One certificate of all, sealed like the others."""
    number = certifier(lived).issue_population(*MONTH, lambda *_: None)
    assert certifier(lived).issue_population(*MONTH, lambda *_: None) == number
    (given,) = _given(lived, number)
    assert (given.body["member"], given.body["scope"], given.of.name) == (None, "population", "population-2026-11")
    assert _broken(lived, given) == []
    lived.refund(A, NOVEMBER, 20_00, on=WEDNESDAY)
    second = certifier(lived).issue_population(*MONTH, lambda *_: None, anew=True)
    assert second != number
    assert _broken(lived, given) == []


@pytest.mark.parametrize(
    ("part", "change", "broken"),
    [
        ("figures", {"retained_cents": 0}, "what was kept is the flat fee"),
        ("figures", {"closing_cents": 31_00}, "it foots"),
        ("version", 2, "it says whose, of what months and which version it is"),
    ],
    ids=["retained", "closing", "version"],
)
def test_a_changed_certificate_is_found(lived: Books, part: str, change: Any, broken: str) -> None:  # noqa: ANN401
    """Whatever is changed: its text is not the sealed one, and it says what is wrong."""
    (given,) = _given(lived, certifier(lived).issue_member(lived.member(A), *MONTH))
    other = given.body[part] | change if isinstance(change, dict) else change
    found = _broken(lived, given.model_copy(update={"body": given.body | {part: other}}))
    assert found[0] == "its text is the one that was sealed"
    assert broken in found


def test_a_later_program_checks_it_too(lived: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """A release that says in other words what it proves finds an older certificate as good as it was."""
    (given,) = _given(lived, certifier(lived).issue_member(lived.member(A), *MONTH))
    monkeypatch.setattr(bodies, "PROVEN", ("Said otherwise.",))
    assert _broken(lived, given) == []
    changed = given.body | {"proven": ["Whatever you like."]}
    assert _broken(lived, given.model_copy(update={"body": changed})) == ["its text is the one that was sealed"]


def test_a_file_that_is_none_is_refused() -> None:
    """No JSON, JSON of another kind, a certificate without proof: a sentence each, never a traceback."""
    for content in (
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"certificate": {"format": "x"}, "proof": {"leaf": {"content": {}}}}',
    ):
        with pytest.raises(CertificateUnreadableError, match="expected a certificate"):
            read_envelope("c.json", content)


# Refused -------------------------------------------------------------------------------------------------------------

_TAMPER = """
    WITH t AS (
        INSERT INTO journal_transaction (event, fact_key, fact_on, effective_on, actor)
        VALUES ('{event}', 'tamper', '2026-11-20', '2026-11-20', 'x') RETURNING transaction_id
    ), p AS (
        -- So that it is sealed with the next run, as if it were sound.
        INSERT INTO seal_pending SELECT 1, transaction_id FROM t
    ), e AS (
        INSERT INTO entry (owner_id, transaction_id, ledger, event, fact_key, effective_on)
        SELECT '{member}', transaction_id, '{ledger}', '{event}', 'tamper', '2026-11-20' FROM t RETURNING entry_id
    )
    INSERT INTO line (owner_id, entry_id, reference, amount_cents, effective_on, event, ledger, account, line_no)
    SELECT '{member}', entry_id, v.reference, v.cents, '2026-11-20', '{event}', '{ledger}', v.account::account_name,
        v.place
    FROM e, (VALUES ({debit}, {cents}, 1), ({credit}, -{cents}, 2)) AS v (account, reference, cents, place)
"""


@pytest.mark.parametrize(
    ("event", "debit", "credit", "said"),
    [
        ("payout_released", "'due_unfunded', NULL", "'fee_withheld', 202611", "of no kind that a member's book has"),
        ("fee_swept", "'due_available', NULL", "'cash', 1", "of no kind that a member's book has"),
        ("fee_collected", "'due_available', NULL", "'fee_withheld', 202611", "400.00 were collected"),
        ("fee_collected", "'due_available', NULL", "'fee_withheld', 202612", "0.00 assessed"),
        ("payout_released", "'due_available', NULL", "'in_transit', 99", "were released"),
        ("funded", "'due_unfunded', 2", "'due_available', NULL", "what is advised is not what awaits"),
        ("bank_charged", "'due_available', NULL", "'cash', 1", "of no kind that a member's book has"),
    ],
    ids=[
        "share-of-payout",
        "share-swept",
        "fee-twice",
        "fee-unassessed",
        "payout-unlisted",
        "funded-without-cash",
        "charge",
    ],
)
def test_what_is_not_the_flat_fee_makes_no_certificate(
    lived: Books, database_url: str, event: str, debit: str, credit: str, said: str
) -> None:
    """A superuser with triggers off takes 200.00 of A's money: no certificate is made, and the population's is none."""
    said_of = {"member": lived.member(A), "event": event, "ledger": "custody", "cents": 200_00}
    with psycopg.connect(libpq_url(database_url)) as superuser:
        superuser.execute("SET search_path = centralpay; SET session_replication_role = replica")
        superuser.execute(_TAMPER.format(**said_of, debit=debit, credit=credit).encode())
    (made,) = _months(lived, A)
    assert any(said in fault for fault in made.faults), made.faults
    with pytest.raises(CertificateUnprovenError, match=A.ncpdp_id):
        certifier(lived).issue_member(lived.member(A), *MONTH)
    with pytest.raises(CertificateUnprovenError), lived.begin() as connection:
        proven_population(connection, *MONTH)
    assert lived.ask("SELECT count(*) FROM certificate")[0][0] == 0


_ISSUE = """INSERT INTO certificate_issue (from_on, to_on, checkpoint_size, sha256, size_bytes, certificates, issued_by)
    SELECT from_on, to_on, checkpoint_size, sha256('x'), 1, 1, 'x' FROM certificate_issue"""
_CERTIFICATE = """INSERT INTO certificate (issue_id, member_id, from_on, to_on, version, supersedes, checkpoint_size,
    body_sha256, figures_sha256, byte_start, byte_end, closing_cents, retained_cents)
    SELECT {issue}, {member}, from_on, to_on, {version}, {before}, checkpoint_size, sha256('x'), sha256('x'), 0, 1, 0, 0
    FROM {source}"""
_JOINED = _CERTIFICATE.format(issue="issue_id", member="NULL", version=1, before="NULL", source="certificate_issue")
_SKIPPED = f"WITH i AS ({_ISSUE} RETURNING issue_id AS new_issue) " + _CERTIFICATE.format(
    issue="new_issue", member="member_id", version=3, before="certificate_id", source="i, certificate"
)


@pytest.mark.parametrize(
    ("harm", "rule"),
    [
        ("UPDATE certificate SET retained_cents = 0", "journal_is_append_only"),
        ("DELETE FROM certificate_issue", "journal_is_append_only"),
        (_JOINED, "certificate_of_a_new_issue"),
        (_ISSUE, "certificates_are_complete"),
        (_SKIPPED, "certificate_follows"),
    ],
    ids=["changed", "removed", "joined", "incomplete", "skips-a-version"],
)
def test_certificates_are_guarded(lived: Books, owner: Engine, harm: str, rule: str) -> None:
    """Refused for the owner of the tables, too."""
    certifier(lived).issue_member(lived.member(A), *MONTH)
    with pytest.raises(LedgerRefusedError, match=rule), unit_of_work(owner) as connection:
        connection.execute(text(harm))


def test_a_member_sees_its_own(lived: Books, cluster: Cluster, database_url: str) -> None:
    """By its login a member reads its certificate, not another's and not the population's."""
    certifier(lived).issue_everybody(*MONTH, lambda *_: None)
    certifier(lived).issue_population(*MONTH, lambda *_: None)
    member = lived.member(A)
    database = make_url(database_url).database
    assert database is not None
    with psycopg.connect(libpq_url(database_url), autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {database}_a LOGIN IN ROLE centralpay_member")
        try:
            superuser.execute(
                "INSERT INTO centralpay.member_login (role_name, member_id) VALUES (%s, %s)", [f"{database}_a", member]
            )
            with psycopg.connect(cluster.url(database, f"{database}_a")) as own:
                assert own.execute("SELECT member_id FROM centralpay.certificate").fetchall() == [(member,)]
        finally:
            superuser.execute("DELETE FROM centralpay.member_login")
            superuser.execute(f"DROP ROLE {database}_a")
