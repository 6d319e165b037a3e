"""Running an installation: backed up while it works, lost, put back elsewhere, and going on where it was."""

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from app.cluster import Cluster
from tests.support.bank import paid_in, paid_out
from tests.support.command import Shell
from tests.support.office import Office
from tests.support.trade import A, B, C, Part, remittance, remittance_file

FRIDAY, MONDAY, TUESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)


@pytest.fixture
def own_office(quick_path: Path) -> Iterator[Office]:
    """Give an office with an embedded database in its own home, and a day of trade: A and B are paid, C waits."""
    home = quick_path / "home"
    # The server is held, or each command would start and stop it.
    with Cluster(home / "postgres").running():
        office = Office(Shell(home, ""), quick_path)
        office.found(A, B, C)
        office.put_in("OWN1", 5_000_00, FRIDAY)
        office.ask("fees", "assess", "--month", "2026-11")
        office.fund(remittance("DAY1", FRIDAY, Part(A, (6_000_00,)), Part(B, (2_700_00,), (("WO", 200_00),))))
        office.remit(remittance("DAY2", FRIDAY, Part(C, (1_700_00,))))
        released = office.pay(FRIDAY)
        assert (released["payouts"], released["total_cents"], released["fee_cents"]) == (2, 8_100_00, 400_00)
        yield office


def elsewhere(office: Office, name: str = "elsewhere") -> Office:
    """Give the same office, with another home: empty."""
    return Office(Shell(office.folder / name, ""), office.folder, office.bank, office.files)


def test_a_home_that_is_lost_comes_back_to_the_cent_and_goes_on(own_office: Office) -> None:
    """The restored office has the same trial balance, opens its vault, and pays the next cycle with fresh numbers.

    Before: A 5,800.00 and B 2,300.00 in transit (8,100.00 after 400.00 of fees), C's 1,700.00 advised and not funded,
    the float 5,400.00. The backup is made, the home is destroyed, the backup restored into another home. There Monday
    goes on: the bank debits 8,100.00 and credits C's 1,700.00; cycle 2 pays C 1,500.00 after its fee.
    """
    before = own_office.trial_balance()
    assert before[A.ncpdp_id, "custody", "in_transit"] == -5_800_00
    assert before[B.ncpdp_id, "custody", "in_transit"] == -2_300_00
    assert before[C.ncpdp_id, "custody", "due_unfunded"] == -1_700_00
    assert before["house", "custody", "operating_float"] == -5_400_00
    traces = _traces(own_office, 1)
    backups, keys = own_office.folder / "backups", own_office.folder / "keys"
    made = own_office.ask("db", "backup", str(backups), "--keys", str(keys))
    assert (made["kind"], made["vault_files"]) == ("base_backup", made["new_vault_files"])

    _destroy(own_office.shell.home)
    office = elsewhere(own_office)
    # The new home has no server that is held; the command starts it, and stops it at its end.
    restored = office.ask("db", "restore", str(backups), "--keys", str(keys))
    assert restored["same_books"] is True
    assert all(each["holds"] for each in restored["proofs"])
    assert restored["vault"]["counts"]["sound"] == made["vault_files"]
    with Cluster(office.shell.home / "postgres").running():
        assert office.trial_balance() == before
        office.prove()
        office.book(MONDAY, paid_out("OUT1", 8_100_00), paid_in("DAY2", 1_700_00))
        swept = office.match()
        assert [each["amount_cents"] for each in swept["settled"]] == [8_100_00]
        assert [each["trn"] for each in swept["funded"]] == ["DAY2"]
        released = office.pay(TUESDAY)
        assert (released["cycle_id"], released["total_cents"], released["fee_cents"]) == (2, 1_500_00, 200_00)
        assert _traces(office, 2).isdisjoint(traces)
        office.prove()
        assert office.ask("vault", "verify")["holds"] is True
        # The next backup of the same folder copies only what is new.
        again = office.ask("db", "backup", str(backups))
        assert 0 < again["new_vault_files"] < again["vault_files"]


def test_a_backup_while_others_post_is_of_one_moment(own_office: Office) -> None:
    """A process takes in twelve remittances while a backup is made; restored, the books are the backup's own."""
    files = [
        own_office.save(remittance_file(remittance(f"BUSY{number:02d}", FRIDAY, Part(A, (1_00 + number,)))))
        for number in range(12)
    ]
    backups, keys = own_office.folder / "backups", own_office.folder / "keys"
    busy = own_office.shell.start(("ingest", *(str(each) for each in files)), user="mary")
    made = own_office.process("db", "backup", str(backups), "--keys", str(keys), "--json").document
    busy.communicate(timeout=60)
    assert busy.returncode == 0
    office = elsewhere(own_office)
    restored = office.ask("db", "restore", str(backups), "--keys", str(keys))
    assert restored["same_books"] is True
    assert restored["books"]["totals"] == made["books"]["totals"]
    assert restored["transactions"] >= made["books"]["transactions"]
    assert all(each["holds"] for each in restored["proofs"])
    assert not any(restored["vault"]["counts"][lost] for lost in ("missing", "damaged", "key_missing"))
    # The first home went on meanwhile, and has all twelve.
    assert _advised(own_office) == 1_700_00 + sum(1_00 + number for number in range(12))


def test_health_says_what_is_not_well(office: Office) -> None:
    """Before the scheduler has run, the proofs are unproven and the scheduler is missing: exit code 1.

    After its first run all proofs held a moment ago: 0. A cent that is wrong in a stored balance makes P10 fail: 4.
    """
    seen = {each["name"]: each for each in office.ask("health", code=1)["checks"]}
    assert {name for name, each in seen.items() if not each["ok"]} == {"proofs", "scheduler"}
    assert seen["proofs"]["value"] == "never run by the scheduler"
    office.run("users", "add", "scheduler", "--role", "operator")
    office.run("scheduler", "--once", user=None)
    office.run("jobs", "run", "verify")
    seen = {each["name"]: each for each in office.ask("health")["checks"]}
    assert all(each["ok"] for each in seen.values())
    assert seen["proofs"]["value"].startswith("all held, ")
    office.put_in("OWN1", 5_000_00, FRIDAY)
    with psycopg.connect(office.shell.database_url) as connection:
        connection.execute("SET session_replication_role = replica")  # past every guard
        connection.execute("UPDATE centralpay.balance SET debit_cents = debit_cents + 1 WHERE account = 'cash'")
    office.run("jobs", "run", "verify", code=4)
    said = office.ask("health", code=4)
    assert "P10" in said["failing_proofs"]
    assert not said["ok"]


def _advised(office: Office) -> int:
    balances = office.trial_balance()
    return sum(cents for (owner, _, account), cents in balances.items() if account == "advised" and owner != "house")


def _traces(office: Office, cycle_id: int) -> set[int]:
    """Give the trace numbers of the entries that were sent to the bank."""
    (sent,) = (each for each in office.ask("ach", "list")["files"] if each["cycle_id"] == cycle_id)
    entries = office.ask("ach", "show", str(sent["ach_file_id"]))["entries"]
    assert entries
    return {each["trace_number"] for each in entries}


def _destroy(home: Path) -> None:
    """Lose a home as a disk does."""
    shutil.rmtree(home)
