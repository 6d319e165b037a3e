"""The members' own 835s: copied from the vault, kept there before anything is posted, delivered as often as asked."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import Engine, text

from app.database import unit_of_work
from app.demo.remittance import Syntax
from ingest.vault import VaultDamagedError
from ledger.chart import Account
from payouts.cycle.release import Released
from payouts.errors import ChildrenDifferError, OutFolderError
from payouts.fees.assessment import assess
from payouts.remittances import payer_files
from payouts.remittances.delivery import index_name
from payouts.remittances.pipe import piped
from schemas.money import cents_from_text
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books, x12_claim, x12_file, x12_head
from tests.support.told import index_rows, own_items, read_file, told_sets
from tests.support.trade import A, B, C, Part, remittance, remittance_file

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)


def _folder(books: Books) -> Path:
    return books.folder / "out" / "835"


def _bytes(books: Books) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(_folder(books).iterdir())}


def _assess(books: Books) -> None:
    with books.begin() as connection:
        assess(connection, date(2026, 11, 1), MAKER)


def _funded(books: Books, content: bytes, trace: str, cents: int) -> None:
    """Take in an 835 and its deposit."""
    assert books.receive(content, "remit.835").status == "accepted"
    books.book(MONDAY, paid_in(trace, cents))
    assert len(books.match().funded) == 1


def _two_members(books: Books) -> None:
    books.fund(remittance("T1", MONDAY, Part(A, (6_00, 4_00)), Part(B, (2_70,), (("WO", 20),))))


def _tamper(owner: Engine, table: str, *statements: str) -> None:
    """Change rows behind the triggers of a table."""
    with unit_of_work(owner) as connection:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0


def _nothing_left(books: Books, cycle_id: int) -> None:
    """See that a refused release left no trace in the books and no file."""
    assert books.ask("SELECT state FROM cycle WHERE cycle_id = :id", id=cycle_id)[0][0] == "approved"
    assert books.ask("SELECT FROM child_remittance UNION ALL SELECT FROM child_set") == []
    assert books.ask("SELECT FROM share_to_remit WHERE cycle_id IS NOT NULL") == []
    assert books.balance(A, Account.IN_TRANSIT) == 0
    assert not _folder(books).exists()


# What is copied ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "syntax", [Syntax(), Syntax(line_end="\r\n"), Syntax(columns=80), Syntax("|", ">", "!", "'")], ids=repr
)
def test_the_claims_stay_as_the_payer_wrote_them(books: Books, syntax: Syntax) -> None:
    """However the payer's file is written, a member's has each of its claims byte for byte, without line breaks."""
    advice = remittance("T1", MONDAY, Part(A, (6_00, 4_00)), Part(B, (2_70,), (("WO", 20),)), Part(A, (1,)))
    content = remittance_file(advice, syntax=syntax)
    _funded(books, content, "T1", advice.payment_cents)
    books.pay(TUESDAY)
    plain = content.replace(b"\r", b"").replace(b"\n", b"")
    (path,) = _folder(books).glob(f"{A.ncpdp_id}*.835")
    child = path.read_bytes()
    rows = books.ask(
        "SELECT c.byte_start, c.byte_end FROM claim_line c WHERE c.owner_id = :member", member=books.member(A)
    )
    claims = [content[row.byte_start : row.byte_end].replace(b"\r", b"").replace(b"\n", b"") for row in rows]
    assert len(claims) == 3
    assert all(claim in plain and child.count(claim) == 1 for claim in claims)
    assert child.count(b"CLP") == 3
    assert B.npi.encode() not in child
    books.prove()


def test_one_file_holds_payers_of_other_delimiters(books: Books) -> None:
    """A member's file has an interchange for each kind of delimiters; all its sets read back and sum to the payment."""
    for trace, syntax in (("T1", Syntax()), ("T2", Syntax("|", ">", "!", "'")), ("T3", Syntax(columns=80))):
        advice = remittance(trace, MONDAY, Part(A, (5_00,)))
        assert books.receive(remittance_file(advice, syntax=syntax)).status == "accepted"
    books.book(MONDAY, *(paid_in(trace, 5_00) for trace in ("T1", "T2", "T3")))
    assert len(books.match().funded) == 3
    _assess(books)
    books.pay(TUESDAY)
    (path,) = _folder(books).glob("*.835")
    assert path.read_bytes().count(b"ISA") == 2
    assert sum(each.payment_cents for each in read_file(path)) == 15_00
    books.prove()


def test_the_fee_goes_with_the_first_interchange(books: Books) -> None:
    """What is the PSAO's own is written in the delimiters of the member's first payer, with the dash of its names."""
    advice = remittance("T1", MONDAY, Part(A, (500_00,)))
    _funded(books, remittance_file(advice, syntax=Syntax("|", ">", "!", "'")), "T1", 500_00)
    _assess(books)
    books.pay(TUESDAY)
    (path,) = _folder(books).glob("*.835")
    assert f"PLB|{A.npi}|20261231|CS>PSAO-FEE-2026-11|200".encode() in path.read_bytes()
    assert own_items(read_file(path)) == {"FEE-2026-11": 200_00}


def test_what_the_books_do_not_know_yet_is_looked_up(books: Books, owner: Engine) -> None:
    """An advice from before the books kept delimiters and the bytes of PLBs is copied just the same."""
    parts = Part(A, (6_00, 4_00), (("WO", 1_00), ("CS", -50))), Part(B, (2_70,), (("WO", 20),))
    sets = (remittance("T0", MONDAY, Part(C, (1,))), remittance("T1", MONDAY, *parts))
    assert books.receive(remittance_file(*sets, syntax=Syntax("|", ">", "!", "'"))).status == "accepted"
    books.book(MONDAY, *(paid_in(each.trace_number, each.payment_cents) for each in sets))
    books.match()
    cycle = books.approved(TUESDAY)
    _tamper(owner, "advice", "UPDATE advice SET delimiters = NULL")
    _tamper(owner, "plb_line", "UPDATE plb_line SET byte_start = NULL, byte_end = NULL")
    books.release(cycle.cycle_id)
    (path,) = _folder(books).glob(f"{A.ncpdp_id}*.835")
    assert f"PLB|{A.npi}|20261231|WO>T10|1.00|CS>T11|-0.50'".encode() in path.read_bytes()
    (only,) = read_file(path)
    assert (only.claims_cents, only.payer_plb_cents, only.payment_cents) == (10_00, 50, 9_50)
    books.prove(altered=True)


@pytest.mark.parametrize("limit", [1, 700, 1 << 24])
def test_memory_bounds_change_no_byte(books: Books, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Whether all claims are held, a few, or each is read when it is written: the same files."""
    sets = [remittance(f"T{n}", MONDAY, Part(C, (n,)), Part(A, (n, 9)), Part(B, (n, 7))) for n in range(1, 6)]
    books.fund(*sets)
    cycle = books.approved(TUESDAY)
    monkeypatch.setattr(payer_files, "BATCH_BYTES", limit)
    monkeypatch.setattr(payer_files, "OPEN_FILES", 1)
    monkeypatch.setattr(payer_files, "HEADS", 1)
    books.release(cycle.cycle_id)
    told = told_sets(_folder(books), cycle.cycle_id)
    assert {name: [each.claims_cents for each in each_sets] for name, each_sets in told.items()} == {
        A.ncpdp_id: [n + 9 for n in range(1, 6)],
        B.ncpdp_id: [n + 7 for n in range(1, 6)],
        C.ncpdp_id: list(range(1, 6)),
    }
    books.prove()


def test_a_head_longer_than_a_look_is_copied(books: Books) -> None:
    """A payer that says very much of itself before its first claim is named whole in the member's file."""
    contact = [f"PER*BL*TECHNICAL DEPARTMENT {'X' * 20} {number:03d}*TE*8005551212" for number in range(120)]
    head = x12_head("T1", "5")
    body = [*head[:3], *contact, *head[3:], *x12_claim("1", "5", npi=A.npi)]
    _funded(books, x12_file(body), "T1", 5_00)
    books.pay(TUESDAY)
    (path,) = _folder(books).glob("*.835")
    assert path.read_bytes().count(b"TECHNICAL DEPARTMENT") == 120


# What is refused -----------------------------------------------------------------------------------------------------

_ANOTHERS = """
    UPDATE claim_line c SET byte_start = o.byte_start, byte_end = o.byte_end FROM claim_line o
    WHERE c.segment < o.segment AND c.owner_id <> o.owner_id"""
_LESS = "DELETE FROM claim_line WHERE segment = (SELECT min(segment) FROM claim_line)"
FALSE_BOOKS = {
    "another's claim": ("claim_line", _ANOTHERS, "whose claims they are"),
    "half a claim": ("claim_line", "UPDATE claim_line SET byte_end = byte_end - 3", "whole segments"),
    "beyond the file": ("claim_line", "UPDATE claim_line SET byte_end = 1000000", "do not lie in file"),
    "another charge": ("claim_line", "UPDATE claim_line SET charge_cents = charge_cents + 1", "charges"),
    "another split of a share": (
        "advice_share",
        "UPDATE advice_share SET claims_cents = 600, plb_cents = 100",
        "amount of claims, payer's adjustments",
    ),
    "another amount of a share": ("advice_share", "UPDATE advice_share SET claims_cents = 600", "are not the 500"),
    "a claim less": ("claim_line", _LESS, "0 claims, the books say 1"),
    "a set without head": ("advice", "UPDATE advice SET byte_end = byte_start", "no head"),
    "a payout of another": ("payout", "UPDATE payout SET advice_id = 1", "does not pay what its payouts do"),
}


@pytest.mark.parametrize(("table", "change", "said"), FALSE_BOOKS.values(), ids=FALSE_BOOKS.keys())
def test_what_does_not_read_back_as_meant_refuses_the_release(
    books: Books, owner: Engine, table: str, change: str, said: str
) -> None:
    """Books that point elsewhere in a payer's file are found out before anything leaves; nothing is committed."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,)), Part(B, (5_00,))))
    cycle = books.approved(TUESDAY)
    _tamper(owner, table, change)
    if table == "payout":
        rehash = "UPDATE approval SET set_hash = cycle_set_hash(1) WHERE kind = 'cycle'"
        _tamper(owner, "approval", rehash)
    with pytest.raises(ChildrenDifferError, match=said):
        books.release(cycle.cycle_id)
    _nothing_left(books, cycle.cycle_id)


def test_a_damaged_vault_is_found_before_anything_leaves(books: Books) -> None:
    """A flipped byte in the payer's file stops the release with its name."""
    _two_members(books)
    cycle = books.approved(TUESDAY)
    digest = books.ask("SELECT encode(sha256, 'hex') FROM received_file WHERE kind = 'remittance_835'")[0][0]
    (path,) = books.vault.root.rglob(f"{digest}*")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(VaultDamagedError):
        books.release(cycle.cycle_id)
    _nothing_left(books, cycle.cycle_id)


def test_a_payer_that_uses_our_references_is_told_by_hand(books: Books) -> None:
    """A payer's PLB with the reserved reference could be taken for ours: that member waits, the others leave."""
    claims = [*x12_claim("1", "9", npi=A.npi), *x12_claim("2", "5", npi=B.npi)]
    plb = f"PLB*{A.npi}*20261231*CS:PSAO-FEE-2026-11*2"
    _funded(books, x12_file([*x12_head("T1", "12"), *claims, plb]), "T1", 12_00)
    released = books.pay(TUESDAY)
    assert [(each.ncpdp_id, each.reason) for each in released.dropped] == [
        (A.ncpdp_id, "payer 1360000001 uses a reference that is the PSAO's own")
    ]
    assert list(told_sets(_folder(books), released.cycle_id)) == [B.ncpdp_id]
    books.prove()


def test_delimiters_that_amounts_need_are_told_by_hand(books: Books) -> None:
    """Where a payer's component separator is a dash, no negative amount can be written: its members wait."""
    content = x12_file([*x12_head("T1", "5"), *x12_claim("1", "5", npi=A.npi)])
    _funded(books, content.replace(b"*P*:", b"*P*-").replace(b"N4:", b"N4-"), "T1", 5_00)
    books.fund(remittance("T2", TUESDAY, Part(B, (6_00,))))
    released = books.pay(TUESDAY)
    assert [each.reason for each in released.dropped] == [
        "the delimiters of payer 1360000001 leave no way to write an amount"
    ]
    assert list(told_sets(_folder(books), released.cycle_id)) == [B.ncpdp_id]


def test_an_advice_that_is_no_longer_funded_is_not_told(books: Books, owner: Engine) -> None:
    """Of an advice that was replaced after the approval nothing is told; a person hears of it, payout or not."""
    books.put_in("OWN", 100_00, MONDAY)
    books.fund(remittance("T1", MONDAY, Part(A, (-5_00,)), Part(C, (5_00,))))
    books.fund(remittance("T2", MONDAY, Part(B, (6_00,))), day=TUESDAY)
    cycle = books.approved(TUESDAY)
    _tamper(owner, "advice", "UPDATE advice SET state = 'replaced' WHERE trace_number = 'T1'")
    released = books.release(cycle.cycle_id)
    assert [each.reason for each in released.dropped] == ["advice T1 of its remittance is replaced"]
    dropped = {subject: cents for (kind, subject), cents in books.cases().items() if kind == "payout_dropped"}
    assert dropped == {f"cycle {cycle.cycle_id} {A.ncpdp_id}": 0, f"cycle {cycle.cycle_id} {C.ncpdp_id}": 5_00}
    assert list(told_sets(_folder(books), cycle.cycle_id)) == [B.ncpdp_id]


# What is left in the folder ------------------------------------------------------------------------------------------


def test_the_list_says_what_the_files_say(books: Books) -> None:
    """For each set of each file: whose it is, the payer with its own trace, the figures, and what carries the money."""
    books.fund(remittance("=T1", MONDAY, Part(A, (6_00, 200_00)), Part(B, (2_70,), (("WO", 20),))))
    _assess(books)
    released = books.pay(TUESDAY)
    a, b = (f"{store.ncpdp_id}-{TUESDAY}-cycle-{released.cycle_id}.835" for store in (A, B))
    payer = ("1360000001", "HARROWGATE BENEFIT MANAGEMENT", "'=T1")
    psao = ("1999999999", "CENTRALPAY DEMO", "")
    assert [tuple(row.values()) for row in index_rows(_folder(books))] == [
        (A.ncpdp_id, a, "1", *payer, "2", "206.00", "0.00", "200.00", "6.00", "CP1P1", "ACH"),
        (A.ncpdp_id, a, "2", *psao, "0", "0.00", "0.00", "0.00", "0.00", "CP1P1", "ACH"),
        (B.ncpdp_id, b, "1", *payer, "1", "2.70", "0.20", "0.00", "2.50", "CP1P2", "ACH"),
    ]
    for path in (a, b):
        said = [(each.trace_number, each.payment_cents) for each in read_file(_folder(books) / path)]
        rows = [row for row in index_rows(_folder(books)) if row["file"] == path]
        assert [(row["our trace"], cents_from_text(row["BPR02"])) for row in rows] == said


def test_files_are_their_owners_alone(books: Books) -> None:
    """They name patients: nobody else may read them, and the vault has the same bytes sealed."""
    _two_members(books)
    books.pay(TUESDAY)
    assert _folder(books).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in _folder(books).iterdir()} == {0o600}
    digest = books.ask("SELECT encode(children_sha256, 'hex') FROM cycle")[0][0]
    with books.vault.open(digest) as kept:
        assert len(kept.read()) == sum(len(each) for name, each in _bytes(books).items() if name.endswith(".835"))


def test_releasing_again_leaves_the_same_files(books: Books) -> None:
    """Also when they were lost, changed, or left half done by a kill; nothing is told twice."""
    _two_members(books)
    released = books.pay(TUESDAY)
    first = _bytes(books)
    for path in list(_folder(books).iterdir()):
        path.unlink()
    left = _folder(books) / f".cycle-{released.cycle_id}"
    left.mkdir()
    (left / next(iter(first))).write_bytes(b"half")
    assert books.release(released.cycle_id) == released
    assert _bytes(books) == first
    books.prove()


def test_two_releases_at_once_leave_one_set_of_files(books: Books) -> None:
    """Two processes that release the same cycle both leave the same files and nothing else."""
    _two_members(books)
    cycle = books.approved(TUESDAY)
    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(books.release, [cycle.cycle_id] * 2)
    assert one == two
    assert sorted(_bytes(books)) == sorted(
        [*(row["file"] for row in index_rows(_folder(books))), index_name(cycle.cycle_id)]
    )
    books.prove()


def test_a_file_in_the_way_of_the_folder_is_said(books: Books) -> None:
    """Where the members' files can not be put, the cycle is released, and another folder gives them."""
    _two_members(books)
    cycle = books.approved(TUESDAY)
    out = books.folder / "taken"
    out.mkdir()
    (out / "835").write_text("")
    with pytest.raises(OutFolderError, match="is released"):
        books.releaser().release(cycle.cycle_id, out)
    assert books.release(cycle.cycle_id).children.files == 2


def test_progress_is_told(books: Books) -> None:
    """Who releases hears how many files are written and left, to the last."""
    _two_members(books)
    cycle = books.approved(TUESDAY)
    heard: list[tuple[str, int, int]] = []
    books.releaser().release(cycle.cycle_id, books.folder / "out", lambda *said: heard.append(said))
    assert heard == [
        ("writing the members' 835s", 1, 2),
        ("writing the members' 835s", 2, 2),
        ("leaving the members' 835s", 2, 2),
        ("setting the notices", 2, 2),
    ]


def test_a_cycle_from_before_tells_nothing(books: Books, owner: Engine) -> None:
    """A cycle that was approved before there were remittances is released as it was; its shares are told later."""
    _two_members(books)
    cycle = books.approved(TUESDAY)
    for table in ("cycle_share", "cycle_own_item", "cycle_remittance"):
        with unit_of_work(owner) as connection:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER append_only"))
            connection.execute(text(f"DELETE FROM {table}"))  # noqa: S608 (our own words)
    _tamper(owner, "approval", "UPDATE approval SET set_hash = cycle_set_hash(1) WHERE kind = 'cycle'")
    released: Released = books.release(cycle.cycle_id)
    assert (released.payouts, released.children.files, released.children.folder) == (2, 0, None)
    books.prove(altered=True)
    books.fund(remittance("T2", WEDNESDAY, Part(A, (1_00,))))
    again = books.pay(WEDNESDAY)
    assert own_items(told_sets(_folder(books), again.cycle_id)[A.ncpdp_id]) == {"BALANCE": 10_00}
    books.prove(altered=True)


# The pipe ------------------------------------------------------------------------------------------------------------


def test_a_pipe_gives_what_is_written() -> None:
    """More than a pipe holds comes through, in order."""
    content = os.urandom(1 << 20)

    def write(out: BinaryIO) -> None:
        out.writelines(content[start : start + 7_000] for start in range(0, len(content), 7_000))

    with piped(write) as stream:
        assert stream.read() == content


def test_what_the_writer_raises_comes_out() -> None:
    """Whoever reads to the end learns why it was the end."""

    def write(out: BinaryIO) -> None:
        out.write(b"half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"), piped(write) as stream:
        assert stream.read() == b"half"


def test_what_the_reader_raises_goes_first() -> None:
    """A reader that gives up lets the writer go, and its own error is the one that is told."""

    def write(out: BinaryIO) -> None:
        while True:
            out.write(bytes(1 << 16))

    with pytest.raises(ZeroDivisionError), piped(write) as stream:
        len(stream.read(10)) // 0
