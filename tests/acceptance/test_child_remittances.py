"""Each pharmacy's own 835 through the commands: the worked example's first remittance told to A and B, to the cent.

Read by our reader and by two that nobody here wrote; those lie in a folder of their own, and where one is absent its
test is skipped.
"""

from datetime import date
from pathlib import Path

import pytest

from app.database import Role, connected, unit_of_work
from app.demo.pharmacies import Pharmacy
from ingest.directory import find_member
from ledger.batch import Batch, Transaction, pair
from ledger.chart import Account, Event, Ledger
from ledger.posting import post
from payouts.children.telling import ToldSet
from tests.support.bank import own_money, paid_in
from tests.support.judges import judge
from tests.support.office import AUDITOR, CLERK, MAKER, Office
from tests.support.told import index_rows, own_items, told_sets
from tests.support.trade import A, B, C, Part, remittance

SECOND, THIRD, FOURTH, FIFTH = (date(2026, 11, day) for day in (2, 3, 4, 5))


def _post(office: Office, *transactions: Transaction) -> None:
    """Post events that have no command yet, as the application would."""
    batch = Batch()
    for transaction in transactions:
        batch.add(transaction)
    with connected(office.shell.database_url, Role.APP) as engine, unit_of_work(engine) as connection:
        post(connection, batch, MAKER)


def _hold(office: Office, store: Pharmacy, cents: int, day: date = FOURTH) -> None:
    """Hold what is due to a pharmacy."""
    with connected(office.shell.database_url, Role.APP) as engine, unit_of_work(engine) as connection:
        member = find_member(connection, store.ncpdp_id)
    legs = pair(member, Ledger.CUSTODY, (Account.DUE_AVAILABLE, None), (Account.HELD, None), cents)
    _post(office, Transaction(Event.HELD, f"held:{store.ncpdp_id}", day, tuple(legs), "bank details in question"))


def _begun(office: Office) -> Office:
    """Live the example up to its first payout: A is owed 10,300.00 less its fee; B 2,500.00, its fee waived."""
    office.fund(remittance("TRN1001", SECOND, Part(A, (300_00,))))
    office.put_in("OWN1", 5_000_00, SECOND)
    office.fund(remittance("TRN1002", THIRD, Part(A, (6_000_00, 4_000_00)), Part(B, (2_700_00,), (("WO", 200_00),))))
    office.ask("fees", "assess", "--month", "2026-11")
    office.waive(B, "2026-11", FOURTH)
    return office


def _told(office: Office, cycle_id: int = 1) -> dict[str, list[ToldSet]]:
    return told_sets(office.out / "835", cycle_id)


def _figures(sets: list[ToldSet]) -> list[tuple[int, int, int, str]]:
    """Give claims, the payer's adjustments, payment and method of each set."""
    return [(each.claims_cents, each.payer_plb_cents, each.payment_cents, each.method) for each in sets]


def test_the_first_remittance_is_told_to_both(office: Office) -> None:
    """One payment each: A's 10,300.00 less its fee is 10,100.00; B's 2,700.00 less what the payer took is 2,500.00."""
    released = _begun(office).pay(FOURTH)
    assert released["children"] == {"files": 2, "sets": 4, "folder": str(office.out / "835")}
    told = _told(office)
    assert _figures(told[B.ncpdp_id]) == [(2_700_00, 200_00, 2_500_00, "ACH")]
    assert sorted(_figures(told[A.ncpdp_id])) == [
        (0, 0, 0, "ACH"),
        (300_00, 0, 300_00, "ACH"),
        (10_000_00, 0, 9_800_00, "ACH"),
    ]
    assert own_items(told[A.ncpdp_id]) == {"FEE-2026-11": 200_00}
    assert {each.trace_number for each in told[A.ncpdp_id]} == {"CP1P1"}
    assert sum(each.payment_cents for sets in told.values() for each in sets) == released["total_cents"] == 12_600_00
    office.prove()


def test_a_payment_for_each_advice(office: Office) -> None:
    """By the other form A gets two payments with a trace number each; they sum to the same."""
    said = office.ask("members", "remittance", A.ncpdp_id, "per-advice")
    assert said == {"member": A.ncpdp_id, "remittance": "per-advice"}
    proposed = _begun(office).propose(FOURTH)
    assert [(each["ncpdp_id"], each["amount_cents"], each.get("payer_trace")) for each in proposed["payouts"]] == [
        (A.ncpdp_id, 300_00, "TRN1001"),
        (A.ncpdp_id, 9_800_00, "TRN1002"),
        (B.ncpdp_id, 2_500_00, None),
    ]
    released = office.pay(FOURTH)
    assert (released["payouts"], released["total_cents"], released["fee_cents"]) == (3, 12_600_00, 200_00)
    sets = _told(office)[A.ncpdp_id]
    assert sorted(_figures(sets)) == [(300_00, 0, 300_00, "ACH"), (10_000_00, 0, 9_800_00, "ACH")]
    assert len({each.trace_number for each in sets}) == 2
    file = Path(released["nacha_file"]).read_text("ascii")
    assert all(f"TRN*1*{each.trace_number}*" in file for each in sets)
    assert "TRN1002" in office.run("cycle", "show", str(released["cycle_id"])).out
    office.prove()


@pytest.mark.parametrize("form", ["combined", "per-advice"])
def test_a_negative_share_is_told_and_carried(office: Office, form: str) -> None:
    """B, from whom the payer took back 3,100.00, is told so without a payment; the next cycle brings it forward."""
    office.ask("members", "remittance", B.ncpdp_id, form)
    office.put_in("OWN1", 5_000_00, SECOND)
    office.fund(remittance("TRN1003", THIRD, Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,))))
    office.pay(FOURTH)
    told = _told(office)
    assert own_items(told[B.ncpdp_id]) == {"CARRY": -3_100_00}
    assert {(each.payment_cents, each.method) for each in told[B.ncpdp_id]} == {(0, "NON")}
    office.fund(remittance("TRN1004", FOURTH, Part(B, (4_000_00,))))
    released = office.pay(FIFTH)
    (sets,) = _told(office, released["cycle_id"]).values()
    assert own_items(sets) == {"BALANCE": 3_100_00}
    assert sum(each.payment_cents for each in sets) == released["total_cents"] == 900_00
    office.prove()


def test_a_dropped_payout_is_told_later(office: Office) -> None:
    """A, whose balance fell after approval, gets no file; the next cycle tells all of it, and what was held."""
    cycle_id = _begun(office).approved(FOURTH)
    _hold(office, A, 1_00)
    released = office.release(cycle_id)
    assert [each["ncpdp_id"] for each in released["dropped"]] == [A.ncpdp_id]
    assert list(_told(office)) == [B.ncpdp_id]
    office.prove()
    again = office.pay(FIFTH)
    (sets,) = _told(office, again["cycle_id"]).values()
    assert own_items(sets) == {"FEE-2026-11": 200_00, "HELD": 1_00}
    assert sum(each.claims_cents for each in sets) == 10_300_00
    assert sum(each.payment_cents for each in sets) == again["total_cents"] == 10_099_00
    office.prove()


def test_a_release_repeated_leaves_the_same(office: Office) -> None:
    """Again, as a process: the same document and the same bytes, whatever happened to the files."""
    released = _begun(office).pay(FOURTH)
    files = {path: path.read_bytes() for path in sorted((office.out / "835").iterdir())}
    assert len(files) == 3
    for path in files:
        path.write_bytes(b"")
    again = office.process("cycle", "release", str(released["cycle_id"]), "--out", str(office.out), "--json")
    assert again.document == released
    assert {path: path.read_bytes() for path in sorted((office.out / "835").iterdir())} == files


def test_the_list_and_the_screen_name_the_files(office: Office) -> None:
    """The list beside the files has a row a set; the screen says how many there are and where."""
    cycle_id = _begun(office).approved(FOURTH)
    outcome = office.run("cycle", "release", str(cycle_id), "--out", str(office.out))
    assert str(office.out / "835") in outcome.out.replace("\n", "")
    rows = index_rows(office.out / "835")
    assert [(row["ncpdp"], row["payer's trace"]) for row in rows] == [
        (A.ncpdp_id, "TRN1001"),
        (A.ncpdp_id, "TRN1002"),
        (A.ncpdp_id, ""),
        (B.ncpdp_id, "TRN1002"),
    ]
    assert all((office.out / "835" / row["file"]).is_file() for row in rows)


def test_who_may_choose_the_form(office: Office) -> None:
    """An operator may, an auditor may not; an unknown pharmacy and an unknown form are wrong use."""
    choose = ("members", "remittance")
    office.run(*choose, A.ncpdp_id, "per-advice", user=CLERK)
    office.run(*choose, A.ncpdp_id, "combined", user=AUDITOR, code=5)
    office.run(*choose, "0000000", "combined", code=2)
    office.run(*choose, A.ncpdp_id, "weekly", code=2)
    office.fund(remittance("TRN1", SECOND, Part(A, (1_00,))), remittance("TRN2", SECOND, Part(A, (2_00,))))
    assert len(office.propose(THIRD)["payouts"]) == 2


@pytest.mark.parametrize("form", ["combined", "per-advice"])
def test_independent_readers_agree(office: Office, form: str) -> None:
    """Of each file oxedi finds the same claims and money, all of it balanced, and badx12 sound envelopes."""
    oxedi, parser = judge("oxedi", "oxedi"), judge("badx12", "badx12.parser")
    office.ask("members", "remittance", A.ncpdp_id, form)
    _begun(office)
    negative = remittance("TRN1003", FOURTH, Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,)))
    office.remit(negative)
    office.book(FOURTH, own_money("OWN2", 1_00), paid_in("TRN1003", 600_00))
    office.match()
    office.pay(FOURTH)
    told = _told(office)
    assert set(told) == {A.ncpdp_id, B.ncpdp_id, C.ncpdp_id}
    for path in (office.out / "835").glob("*.835"):
        content, sets = path.read_bytes(), told[path.name[:7]]
        result = oxedi.parse(content)
        # Level 3 is balancing; that the PSAO's own set tells no address is of level 2.
        assert [str(each) for each in result.diagnostics if each.level >= 3] == []
        assert result.count_claims() == sum(each.claim_count for each in sets)
        assert 100 * result.sum_payments() == sum(each.payment_cents for each in sets)
        document = parser.Parser().parse_document(content.decode("latin-1"))
        assert [str(error) for error in document.validate().error_list] == []
        assert len(document.interchange.groups[0].transaction_sets) == len(sets)
