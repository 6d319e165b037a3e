"""Notices of payouts: each says what its 835 and its entry at the bank say, is kept by the release, and stays so."""

import csv
import json
import re
import stat
from collections import Counter
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from app.database import unit_of_work
from app.demo.remittance import RemittanceSet
from ledger.errors import LedgerRefusedError
from payouts.children.model import Form
from payouts.cycle.release import Released
from payouts.errors import OutFolderError, UnknownCycleError
from payouts.fees.assessment import assess
from payouts.nacha.reader import read_nacha
from payouts.papers import noticing, pressroom, printing
from payouts.papers.again import leave_papers
from payouts.papers.errors import NoticesDifferError, NoticesNotKeptError, PrintingStoppedError
from payouts.papers.notice import PayoutNotice
from payouts.papers.press import press_mark
from payouts.papers.sender import Sender
from payouts.remittances.shares import set_form
from tests.support.bank import paid_in
from tests.support.books import MAKER, Books
from tests.support.told import read_file
from tests.support.trade import OTHER_PAYER, A, B, C, Part, pharmacy, remittance

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
NOVEMBER = date(2026, 11, 1)
MANY = tuple(pharmacy(number) for number in range(1, 41))


def notices_of(books: Books, cycle_id: int = 1) -> tuple[dict[str, object], list[PayoutNotice]]:
    """Read the kept file of a cycle: its head, and its notices."""
    ((digest,),) = books.ask("SELECT encode(notices_sha256, 'hex') FROM cycle WHERE cycle_id = :id", id=cycle_id)
    with books.vault.open(digest) as kept:
        head, *lines = kept.read().splitlines()
    return json.loads(head), [PayoutNotice.model_validate_json(line) for line in lines]


def _fund(books: Books, *sets: RemittanceSet) -> None:
    """Fund sets of several payers, each paid in under its payer's number."""
    assert books.remit(*sets).status == "accepted"
    books.book(MONDAY, *(paid_in(each.trace_number, each.payment_cents, payer=each.payer) for each in sets))
    assert len(books.match().funded) == len(sets)


def _live(books: Books, form: Form = Form.COMBINED) -> Released:
    """Pay A out of two payers' advices, one of which takes back, less its fee; and B out of one."""
    with books.begin() as connection:
        set_form(connection, books.member(A), form, MAKER)
    parts = Part(A, (6_000_00, 4_000_00), (("WO", 200_00), ("L6", -1_50))), Part(B, (2_700_00,), (("WO", 200_00),))
    _fund(books, remittance("TRN1", MONDAY, *parts), remittance("TRN2", MONDAY, Part(A, (300_00,)), payer=OTHER_PAYER))
    with books.begin() as connection:
        assess(connection, NOVEMBER, MAKER)
    return books.pay(TUESDAY)


def _folder(books: Books) -> Path:
    return books.folder / "out" / "notices"


@pytest.mark.parametrize("form", list(Form))
def test_a_notice_is_its_835_and_its_entry(books: Books, form: Form) -> None:
    """Amount = entry at the bank = BPR02; claims, the payer's adjustments and our own items are those of the 835."""
    released = _live(books, form)
    _, notices = notices_of(books)
    assert released.notices.count == len(notices) == released.payouts == (2 if form is Form.COMBINED else 3)
    assert sum(each.amount_cents for each in notices) == released.total_cents == 12_201_50
    assert released.nacha_file is not None
    (file,) = read_nacha(BytesIO(Path(released.nacha_file).read_bytes()), "cycle.ach").accepted_files()
    (batch,) = file.batches
    entries = {each.trace_number: each for each in batch.entries}
    told = [each for path in (books.folder / "out" / "835").glob("*.835") for each in read_file(path)]
    for notice in notices:
        entry = entries.pop(notice.trace_number)
        assert (notice.amount_cents, notice.ncpdp_id) == (entry.amount_cents, entry.identification.strip())
        assert entry.addenda[0].text.startswith(f"TRN*1*{notice.remittance_trace}*")
        assert entry.account_number.strip().endswith(notice.account_last_four)
        sets = [each for each in told if each.trace_number == notice.remittance_trace]
        assert notice.amount_cents == sum(each.payment_cents for each in sets)
        assert [each.claims_cents for each in notice.advices] == [
            each.claims_cents for each in sets if each.claim_count
        ]
        assert sum(each.claim_count for each in notice.advices) == sum(each.claim_count for each in sets)
        taken = -sum(one.amount_cents for each in notice.advices for one in each.adjustments)
        assert taken == sum(each.payer_plb_cents for each in sets)
        # What the sets of one payment lend to each other comes to nothing.
        own: Counter[str] = Counter()
        for item in (item for each in sets for item in each.own):
            own[item.reference] -= item.amount_cents
        assert {item.reference: item.amount_cents for item in notice.items} == {
            name: own[name] for name in own if own[name]
        }
    assert entries == {}


def test_every_line_says_whose_it_is(books: Books) -> None:
    """A's 10,100.00 less 198.50 that the payer took and gave, and 300.00 of another payer, less the month of fee."""
    _live(books)
    _, (first, second) = notices_of(books)
    assert (first.ncpdp_id, first.amount_cents, first.fee_cents) == (A.ncpdp_id, 9_901_50, 200_00)
    assert [
        (each.payer_name, each.trace_number, each.date, each.claim_count, each.claims_cents, each.amount_cents)
        for each in first.advices
    ] == [
        ("HARROWGATE BENEFIT MANAGEMENT", "TRN1", MONDAY, 2, 10_000_00, 9_801_50),
        ("TALLGRASS PHARMACY BENEFITS", "TRN2", MONDAY, 1, 300_00, 300_00),
    ]
    assert [(each.taken_by, each.amount_cents, each.label) for each in first.advices[0].adjustments] == [
        (
            "payer HARROWGATE BENEFIT MANAGEMENT",
            -200_00,
            "taken by payer HARROWGATE BENEFIT MANAGEMENT, not by us: overpayment recovered (WO)",
        ),
        (
            None,
            1_50,
            "given by payer HARROWGATE BENEFIT MANAGEMENT, not by us: interest, all of it the pharmacy's (L6)",
        ),
    ]
    assert [(each.reference, each.label) for each in first.items] == [
        ("PSAO-FEE-2026-11", "Our flat fee for November 2026")
    ]
    assert (second.ncpdp_id, second.amount_cents) == (B.ncpdp_id, 2_300_00)
    assert (first.business_date, first.effective_date) == (TUESDAY, WEDNESDAY)


def test_the_papers_are_left_with_the_release(books: Books) -> None:
    """A PDF for each payment, for its owner's eyes only, and a list that sums to the file for the bank."""
    released = _live(books)
    folder = _folder(books)
    names = [f"{store.ncpdp_id}-{TUESDAY}-cycle-1.pdf" for store in (A, B)]
    assert sorted(path.name for path in folder.iterdir()) == [*names, "payouts-cycle-1.csv"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    (page,) = PdfReader(folder / names[0]).pages
    said = re.sub(r"\s+", " ", page.extract_text())
    assert "$9,901.50 to your account ending in 0101; your bank should have it on Wednesday, November 18" in said
    assert A.account_number not in said
    with (folder / "payouts-cycle-1.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["ncpdp"], row["amount"], row["our fee"], row["notice"]) for row in rows] == [
        (A.ncpdp_id, "9901.50", "-200.00", names[0]),
        (B.ncpdp_id, "2300.00", "-200.00", names[1]),
    ]
    assert [row["payers' adjustments"] for row in rows] == ["-198.50", "-200.00"]
    assert released.notices.folder == str(folder)


def test_a_payment_for_each_advice_has_its_own_notice(books: Books) -> None:
    """Two payments to A are two files, named by their payouts; the fee stands in the one that it lessened."""
    _live(books, Form.PER_ADVICE)
    _, notices = notices_of(books)
    assert [(each.name, each.amount_cents, each.fee_cents) for each in notices] == [
        (f"{A.ncpdp_id}-{TUESDAY}-cycle-1-payout-{notices[0].payout_id}", 9_601_50, 200_00),
        (f"{A.ncpdp_id}-{TUESDAY}-cycle-1-payout-{notices[1].payout_id}", 300_00, 0),
        (f"{B.ncpdp_id}-{TUESDAY}-cycle-1", 2_300_00, 200_00),
    ]
    assert {path.stem for path in _folder(books).glob("*.pdf")} == {each.name for each in notices}


def test_a_negative_set_lends_to_none_in_a_combined_notice(books: Books) -> None:
    """What the sets of one payment lend to each other nets to nothing and is not told; the balance carried is."""
    books.put_in("OWN1", 5_000_00, MONDAY)
    negative = remittance("NEG", MONDAY, Part(A, (-100_00,)), Part(B, (900_00,)))
    _fund(books, negative, remittance("POS", MONDAY, Part(A, (450_00,)), payer=OTHER_PAYER))
    books.pay(TUESDAY)
    _, (first, _) = notices_of(books)
    assert (first.amount_cents, first.items) == (350_00, ())
    assert [each.amount_cents for each in first.advices] == [-100_00, 450_00]


def test_what_is_held_back_is_said(books: Books) -> None:
    """A balance that was negative before lessens the next payment, and the notice says by how much."""
    books.put_in("OWN1", 5_000_00, MONDAY)
    books.fund(remittance("NEG", MONDAY, Part(A, (-100_00,)), Part(B, (900_00,))))
    books.pay(TUESDAY)
    books.fund(remittance("POS", TUESDAY, Part(A, (450_00,))))
    released = books.pay(WEDNESDAY)
    _, (only,) = notices_of(books, released.cycle_id)
    assert (only.amount_cents, [(each.label, each.amount_cents) for each in only.items]) == (
        350_00,
        [("Carried: owed by you from before, or still awaited from a payer", -100_00)],
    )


def test_released_again_the_papers_are_the_same(books: Books) -> None:
    """The same bytes by the release repeated, by ``leave_papers``, and when names and settings changed since."""
    _live(books)
    before = {path.name: path.read_bytes() for path in _folder(books).iterdir()}
    again = replace(books.releaser(), sender=Sender(name="ANOTHER")).release(1, books.folder / "again")
    assert {path.name: path.read_bytes() for path in Path(str(again.notices.folder)).iterdir()} == before
    left = leave_papers(books.begin, books.vault, 1, books.folder / "third")
    assert {path.name: path.read_bytes() for path in Path(left.folder).iterdir()} == before
    assert (left.cycle_id, left.count) == (1, 2)


def test_without_papers_they_can_be_made_later(books: Books) -> None:
    """Nothing is rendered, and what the notices say is kept all the same."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    cycle = books.approved(TUESDAY)
    released = books.releaser().release(cycle.cycle_id, books.folder / "out", papers=False)
    assert (released.notices.count, released.notices.folder) == (1, None)
    assert not _folder(books).exists()
    assert leave_papers(books.begin, books.vault, cycle.cycle_id, books.folder / "out").count == 1
    assert len(list(_folder(books).glob("*.pdf"))) == 1


def test_who_has_no_notices_is_told_why(books: Books, owner: Engine) -> None:
    """An unknown cycle, one that is only approved, and one released before there were notices."""
    with pytest.raises(UnknownCycleError):
        leave_papers(books.begin, books.vault, 9, books.folder / "out")
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    cycle = books.approved(TUESDAY)
    with pytest.raises(NoticesNotKeptError, match="Cycle 1 is approved: notices are made by its release"):
        leave_papers(books.begin, books.vault, cycle.cycle_id, books.folder / "out")
    books.release(cycle.cycle_id)
    with unit_of_work(owner) as connection:
        connection.exec_driver_sql("ALTER TABLE cycle DISABLE TRIGGER USER")
        connection.exec_driver_sql("UPDATE cycle SET notices_sha256 = NULL")
        connection.exec_driver_sql("ALTER TABLE cycle ENABLE TRIGGER USER")
    with pytest.raises(NoticesNotKeptError, match="its release kept no notices"):
        leave_papers(books.begin, books.vault, cycle.cycle_id, books.folder / "out")
    assert books.release(cycle.cycle_id).notices.count == 0


def test_what_was_kept_is_never_exchanged(books: Books, app: Engine, owner: Engine) -> None:
    """Neither the application nor the owner of the tables can name other notices for a released cycle."""
    _live(books)
    for engine in (app, owner):
        with pytest.raises(LedgerRefusedError, match="the files that it sent stay"), unit_of_work(engine) as connection:
            connection.exec_driver_sql("UPDATE cycle SET notices_sha256 = sha256('another')")
    books.fund(remittance("T9", TUESDAY, Part(A, (5_00,))))
    approved = books.approved(WEDNESDAY).cycle_id
    with pytest.raises(IntegrityError, match="cycle_notices_sha256_check"), unit_of_work(owner) as connection:
        connection.execute(text("UPDATE cycle SET notices_sha256 = 'short' WHERE cycle_id = :id"), {"id": approved})


def test_a_notice_that_differs_refuses_the_release(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a notice would not come to its payment nothing is released, posted or left."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,), (("WO", 1_00),))))
    cycle = books.approved(TUESDAY)
    # The payer's adjustment is lost on its way: what is read is no longer what was told.
    statements = {**noticing._QUERIES._statements}
    statements["adjustments"] = type(statements["adjustments"])(statements["adjustments"].text + " LIMIT 0")
    monkeypatch.setitem(noticing._QUERIES.__dict__, "_statements", statements)
    with pytest.raises(NoticesDifferError, match=r"advice T1 of the notice does not foot"):
        books.release(cycle.cycle_id)
    assert books.ask("SELECT state FROM cycle") == [("approved",)]
    assert not (books.folder / "out" / "notices").exists()
    monkeypatch.undo()
    assert books.release(cycle.cycle_id).notices.count == 1


def test_a_folder_that_can_not_be_written_is_said(books: Books) -> None:
    """A file in the place of the folder: the cycle is released, the sentence says so, and another folder gets all."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,))))
    cycle = books.approved(TUESDAY)
    (books.folder / "out").mkdir()
    _folder(books).write_text("in the way")
    with pytest.raises(OutFolderError, match="notices can not be written"):
        books.release(cycle.cycle_id)
    assert books.releaser().release(cycle.cycle_id, books.folder / "other").notices.count == 1


# Many at once --------------------------------------------------------------------------------------------------------


def _many(books: Books) -> Released:
    books.found(*MANY)
    books.fund(remittance("MANY", MONDAY, *(Part(store, (1_000_00 + place,)) for place, store in enumerate(MANY))))
    cycle = books.approved(TUESDAY)
    return books.releaser().release(cycle.cycle_id, books.folder / "out", papers=False)


def _kept(books: Books, processes: int) -> printing.Printing:
    ((digest,),) = books.ask("SELECT encode(notices_sha256, 'hex') FROM cycle")
    return printing.Printing(books.vault, 1, digest, processes)


@pytest.fixture
def empty(app: Engine, tmp_path: Path) -> Books:
    """Give books without anybody in them."""
    return Books(app, tmp_path)


def test_processes_print_what_one_prints(empty: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set by three processes the notices are those that are set by one, byte for byte; progress reaches the last."""
    _many(empty)
    one, three = empty.folder / "one", empty.folder / "three"
    assert _kept(empty, 1).leave(one) == len(MANY)
    monkeypatch.setattr(pressroom, "FEW", 1)
    heard: list[tuple[str, int, int]] = []
    assert _kept(empty, 3).leave(three, lambda *said: heard.append(said)) == len(MANY)
    assert heard[-1] == ("setting the notices", len(MANY), len(MANY))
    printed = {path.name: path.read_bytes() for path in one.iterdir()}
    assert len(printed) == len(MANY) + 1
    assert {path.name: path.read_bytes() for path in three.iterdir()} == printed


def test_what_was_set_before_a_kill_is_not_set_again(empty: Books) -> None:
    """What is finished is kept, what is torn is made again, and what another version left is let go."""
    _many(empty)
    folder = empty.folder / "papers"
    kept = _kept(empty, 1)
    assert kept.leave(folder) == len(MANY)
    whole = {path.name: path.read_bytes() for path in folder.iterdir()}
    making = folder / f".cycle-1-{kept.sha256[:16]}-{press_mark()[:16]}"
    making.mkdir()
    finished = f"{MANY[0].ncpdp_id}-{TUESDAY}-cycle-1.pdf"
    (making / finished).write_bytes(whole[finished])
    was = (making / finished).stat().st_ino
    (making / f".{MANY[1].ncpdp_id}-{TUESDAY}-cycle-1.4711.part").write_bytes(b"torn")
    stale = folder / ".cycle-1-of-another-version"
    stale.mkdir()
    assert kept.leave(folder) == len(MANY)
    assert (folder / finished).stat().st_ino == was
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == whole


def test_a_process_that_dies_is_said_and_the_rest_follows(empty: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a notice can not be written its process ends; the sentence says why, and the next time goes on."""
    _many(empty)
    folder = empty.folder / "papers"
    monkeypatch.setattr(pressroom, "FEW", 1)
    kept = _kept(empty, 2)
    making = folder / f".cycle-1-{kept.sha256[:16]}-{press_mark()[:16]}"
    making.mkdir(parents=True)
    inside = f"{MANY[7].ncpdp_id}-{TUESDAY}-cycle-1"
    notices = notices_of(empty)[1]
    monkeypatch.setattr(pressroom, "_ROOT", empty.folder / "nowhere")
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONHOME", str(empty.folder / "nowhere"))
    with pytest.raises(PrintingStoppedError, match="could not be set"):
        kept.leave(folder)
    monkeypatch.undo()
    assert inside in {each.name for each in notices}
    assert not (folder / f"{inside}.pdf").exists()
    assert kept.leave(folder) == len(MANY)
    assert (folder / f"{inside}.pdf").exists()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_the_heads_of_the_kept_say_who_sends(books: Books) -> None:
    """Who stands at the head is part of what is kept: settings that change later change no paper."""
    books.fund(remittance("T1", MONDAY, Part(A, (5_00,)), Part(C, (6_00,))))
    cycle = books.approved(TUESDAY)
    sender = Sender(name="PRAIRIE", lines=("1 Way",), telephone="(701) 555-0100")
    replace(books.releaser(), sender=sender).release(cycle.cycle_id, books.folder / "out")
    head, notices = notices_of(books)
    assert head == {
        "form": "centralpay notices 1",
        "cycle_id": 1,
        "sender": {"name": "PRAIRIE", "lines": ["1 Way"], "telephone": "(701) 555-0100"},
    }
    assert [each.ncpdp_id for each in notices] == [A.ncpdp_id, C.ncpdp_id]
