"""The flat fee as an office lives with it, through the commands, with the numbers before and after."""

import csv
import stat
from datetime import date
from typing import Any

import pytest

from tests.support.bank import own_money, paid_out
from tests.support.office import CHECKER, CLERK, Office
from tests.support.trade import A, B, C, Part, remittance, roster_file

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
PERIOD = ("--from", "2026-10", "--to", "2026-11")


def _figures(office: Office, *words: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """Give the register by store and month: due, assessed, waived, collected, refunded, open, difference."""
    names = ("due", "assessed", "waived", "collected", "refunded", "open", "difference")
    document = office.ask("fees", "register", *words)
    found = {
        (row["ncpdp_id"], row["month"][:7]): tuple(row[f"{name}_cents"] for name in names) for row in document["rows"]
    }
    sums = [sum(column) for column in zip(*found.values(), strict=True)]
    assert [document["totals"][f"{name}_cents"] for name in names] == sums
    return found


def _float(office: Office) -> int:
    return -office.trial_balance().get(("house", "custody", "operating_float"), 0)


def _due(office: Office, ncpdp_id: str) -> int:
    return -office.trial_balance().get((ncpdp_id, "custody", "due_available"), 0)


def _taken(cycle: dict[str, Any]) -> dict[str, int]:
    """Give the members of a proposal of whom the fee takes all, and the fee."""
    return {each["ncpdp_id"]: each["fee_cents"] for each in cycle["omitted"] if each["reason"] == "fee_takes_all"}


def _approve(office: Office, asked: dict[str, Any], *, code: int = 0) -> None:
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=code)


def _assess(office: Office) -> None:
    for month in ("2026-10", "2026-11"):
        assert office.ask("fees", "assess", "--month", month)["amount_cents"] == 600_00


def test_a_fee_from_contract_to_refund(office: Office) -> None:
    """October and November at 200.00 each; 300.00 come for A, 700.00 for B, nothing for C.

    A's October is collected and 100.00 are paid. B's October is waived but for 50.00; 50.00 and 200.00 are collected
    and 450.00 paid. The float holds 450.00; 80.00 of A's October are refunded: 370.00.
    """
    _assess(office)
    asked = office.ask(
        "fees", "waive", B.ncpdp_id, "--month", "2026-10", "--amount", "150.00", "--reason", "moved", user=CLERK
    )
    _approve(office, asked)
    office.fund(remittance("T1", MONDAY, Part(A, (300_00,)), Part(B, (700_00,))))
    released = office.pay(TUESDAY)
    assert (released["total_cents"], released["fee_cents"], _float(office)) == (550_00, 450_00, 450_00)
    why = ("--amount", "80.00", "--reason", "the portal was down", "--date", f"{TUESDAY}")
    asked = office.ask("fees", "refund", A.ncpdp_id, "--month", "2026-10", *why)
    office.ask("approvals", "approve", str(asked["approval_id"]), code=5)  # the maker is not the checker
    assert _float(office) == 450_00
    _approve(office, asked)
    assert (_float(office), _due(office, A.ncpdp_id)) == (370_00, 80_00)
    assert _figures(office, *PERIOD) == {
        (A.ncpdp_id, "2026-10"): (200_00, 200_00, 0, 200_00, 80_00, 0, 0),
        (A.ncpdp_id, "2026-11"): (200_00, 200_00, 0, 0, 0, 200_00, 0),
        (B.ncpdp_id, "2026-10"): (200_00, 200_00, 150_00, 50_00, 0, 0, 0),
        (B.ncpdp_id, "2026-11"): (200_00, 200_00, 0, 200_00, 0, 0, 0),
        (C.ncpdp_id, "2026-10"): (200_00, 200_00, 0, 0, 0, 200_00, 0),
        (C.ncpdp_id, "2026-11"): (200_00, 200_00, 0, 0, 0, 200_00, 0),
    }
    office.prove()


def test_a_refund_is_undone_by_its_reversal(office: Office) -> None:
    """Of A's 200.00, collected, 80.00 are refunded; the reversal takes them back to the float, by two people."""
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    office.pay(TUESDAY)
    why = ("--amount", "80.00", "--reason", "the portal was down", "--date", f"{TUESDAY}")
    _approve(office, office.ask("fees", "refund", A.ncpdp_id, "--month", "2026-11", *why))
    lines = office.ask("ledger", "journal", "--most", "100000")["lines"]
    (number,) = {line["transaction_id"] for line in lines if line["event"] == "fee_refunded"}
    asked = office.ask("ledger", "reverse", str(number), "--reason", "not theirs", "--date", f"{TUESDAY}")
    _approve(office, asked)
    assert (_float(office), _due(office, A.ncpdp_id)) == (200_00, 0)
    assert _figures(office, "--month", "2026-11")[A.ncpdp_id, "2026-11"] == (200_00, 200_00, 0, 200_00, 0, 0, 0)
    office.prove()


def test_what_can_not_be_given_back_is_refused(office: Office) -> None:
    """Nothing open, nothing collected, no month, no amount, no reason: a sentence, and nothing changes."""
    office.ask("fees", "assess", "--month", "2026-11")
    before = office.trial_balance()
    month = ("--month", "2026-11")
    assert "nothing was collected" in office.run("fees", "refund", A.ncpdp_id, *month, "--reason", "x", code=5).err
    wrong = ("fees", "waive", A.ncpdp_id, *month, "--amount", "200.01", "--reason", "x")
    assert "200.00 are open" in office.run(*wrong, code=5).err
    assert (
        "nothing is open" in office.run("fees", "waive", A.ncpdp_id, "--month", "2026-12", "--reason", "x", code=5).err
    )
    office.run("fees", "waive", A.ncpdp_id, *month, "--reason", " ", code=2)
    office.run("fees", "waive", A.ncpdp_id, *month, "--amount", "0", "--reason", "x", code=2)
    office.run("fees", "waive", A.ncpdp_id, "--month", "November", "--reason", "x", code=2)
    office.run("fees", "waive", "9999999", *month, "--reason", "x", code=2)
    office.run("fees", "waive", A.ncpdp_id, *month, "--reason", "x", user="audrey", code=5)
    office.run("fees", "register", "--month", "2026-11", "--from", "2026-10", code=2)
    office.run("fees", "register", "--from", "2026-12", "--to", "2026-11", code=2)
    assert office.ask("approvals", "list")["approvals"] == []
    assert office.trial_balance() == before


def test_an_exit_that_is_recorded_late(office: Office) -> None:
    """A leaves on the 10th of November and the roster says so on the 18th, after its fee of 200.00 was collected.

    The 200.00 go from the float back to A with the roster; B's, which were open, are waived; C's stand.
    """
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    office.pay(TUESDAY)
    assert (_float(office), _due(office, A.ncpdp_id)) == (200_00, 0)
    path = roster_file(office.folder / "left.csv", (A, B, C))
    rows = list(csv.DictReader(path.read_text().splitlines()))
    for row in rows[:2]:
        row["member_until"] = "2026-11-10"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    office.run("members", "import", str(path))
    assert (_float(office), _due(office, A.ncpdp_id)) == (0, 200_00)
    assert _figures(office, "--month", "2026-11") == {
        (A.ncpdp_id, "2026-11"): (0, 200_00, 0, 200_00, 200_00, 0, 0),
        (B.ncpdp_id, "2026-11"): (0, 200_00, 200_00, 0, 0, 0, 0),
        (C.ncpdp_id, "2026-11"): (200_00, 200_00, 0, 0, 0, 200_00, 0),
    }
    office.prove()


@pytest.mark.parametrize("terms", [(), ("--schedule", "monthly", "--minimum", "500.00")], ids=["daily", "monthly"])
def test_an_invoice_is_paid_by_the_member(office: Office, terms: tuple[str, ...]) -> None:
    """C never has a balance: on the 17th of November its October of 200.00 is open for 47 days, with November 400.00.

    It is invoiced and sends 450.00, of which a second person takes 400.00 as its payment; 50.00 stay with the bank
    line. The next cycle collects both months and pays C nothing, whatever its payout days and minimum are.
    """
    if terms:
        why = ("--reason", "asked for", "--date", f"{MONDAY}")
        office.ask("members", "schedule", C.ncpdp_id, *terms, *why)
    _assess(office)
    unpaid = office.ask("fees", "invoices", "--as-of", f"{TUESDAY}")["unpaid"]
    (invoice,) = (each["invoice"] for each in unpaid if each["ncpdp_id"] == C.ncpdp_id)
    assert (invoice["total_cents"], invoice["issued_on"], invoice["due_on"]) == (400_00, "2026-11-17", "2026-12-17")
    assert [(line["month"][:7], line["amount_cents"]) for line in invoice["lines"]] == [
        ("2026-10", 200_00),
        ("2026-11", 200_00),
    ]
    again = office.ask("fees", "invoices", "--as-of", f"{TUESDAY}")["unpaid"]
    assert [each["invoice"] for each in again] == [None, None, None]
    assert office.cases()["fee_unpaid", C.ncpdp_id] == 400_00
    assert office.ask("fees", "invoiced", "--member", C.ncpdp_id)["invoices"] == [invoice]
    office.book(TUESDAY, own_money("C450", 450_00))
    _approve(office, office.ask("negatives", "paid", C.ncpdp_id, "--bank-reference", "C450"))
    assert _due(office, C.ncpdp_id) == 400_00
    assert -office.trial_balance()["house", "custody", "unmatched_deposit"] == 50_00
    refused = office.run("negatives", "paid", C.ncpdp_id, "--bank-reference", "C450", code=5)
    assert "owes nothing" in refused.err
    cycle = office.propose(WEDNESDAY)
    assert _taken(cycle) == {C.ncpdp_id: 400_00}
    assert cycle["payouts"] == []
    office.ask("cycle", "approve", str(cycle["cycle_id"]), user=CHECKER)
    released = office.release(cycle["cycle_id"])
    assert (released["state"], released["payouts"], released["fee_cents"]) == ("settled", 0, 400_00)
    assert (_float(office), _due(office, C.ncpdp_id)) == (400_00, 0)
    assert ("fee_unpaid", C.ncpdp_id) not in office.cases()
    office.prove()


def test_a_minimum_keeps_back_what_is_more_than_the_fee(office: Office) -> None:
    """With a minimum of 500.00 A's 300.00 wait, fee and all; its 200.00, which are all fee, are collected."""
    office.ask("members", "schedule", A.ncpdp_id, "--minimum", "500.00", "--reason", "asked for", "--date", f"{MONDAY}")
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", MONDAY, Part(A, (300_00,)), Part(B, (1_000_00,))))
    cycle = office.propose(TUESDAY)
    assert [each["ncpdp_id"] for each in cycle["payouts"]] == [B.ncpdp_id]
    assert {each["ncpdp_id"]: each["reason"] for each in cycle["omitted"]}[A.ncpdp_id] == "below_minimum"
    office.fund(remittance("T2", TUESDAY, Part(A, (-100_00,)), Part(B, (200_00,))))
    cycle = office.propose(TUESDAY)
    assert _taken(cycle) == {A.ncpdp_id: 200_00}
    assert [(each["ncpdp_id"], each["amount_cents"]) for each in cycle["payouts"]] == [(B.ncpdp_id, 1_000_00)]
    office.prove()


def test_without_an_account_the_fee_is_still_collected(office: Office) -> None:
    """C's account is stopped; the 200.00 that it sends for its fee are collected, for nothing has to be paid out."""
    office.ask("fees", "assess", "--month", "2026-11")
    office.ask("bank", "stop", C.ncpdp_id, "--reason", "closed")
    office.book(TUESDAY, own_money("C200", 200_00))
    _approve(office, office.ask("negatives", "paid", C.ncpdp_id, "--bank-reference", "C200"))
    released = office.pay(WEDNESDAY)
    assert (released["state"], released["fee_cents"], _float(office)) == ("settled", 200_00, 200_00)
    office.prove()


def test_a_case_says_what_the_float_lacks(office: Office) -> None:
    """The float of 200.00 left before A's exit is recorded: a case, no refund; with new float it is refunded."""
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    office.pay(TUESDAY)
    office.book(TUESDAY, paid_out("OUT", 200_00))
    _approve(office, office.ask("float", "withdraw", "--bank-reference", "OUT"))
    path = roster_file(office.folder / "left.csv", (A,))
    header, row = path.read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | {"member_until": "2026-11-10"}
    path.write_text(f"{header}\n{','.join(cells.values())}\n")
    office.run("members", "import", str(path))
    assert office.cases() == {("fee_over_contract", f"{A.ncpdp_id} 2026-11"): 200_00}
    assert _due(office, A.ncpdp_id) == 0
    office.prove()
    office.put_in("MORE", 300_00, WEDNESDAY)
    done = office.ask("fees", "assess", "--month", "2026-11", "--date", f"{WEDNESDAY}")
    assert (done["members"], done["given_back"]["refunded_cents"]) == (0, 200_00)
    assert (_float(office), _due(office, A.ncpdp_id), office.cases()) == (100_00, 200_00, {})
    office.prove()


def test_the_register_as_a_table_and_a_file(office: Office) -> None:
    """For people a table with a total; as CSV a file that only its owner can read."""
    _assess(office)
    shown = office.run("fees", "register", *PERIOD).out
    assert "1,200.00" in shown
    assert all(store.ncpdp_id in shown for store in (A, B, C))
    out = office.folder / "register.csv"
    office.run("fees", "register", "--member", A.ncpdp_id, "--from", "2026-10", "--to", "2026-11", "--out", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert [(row["month"], row["due"], row["open"], row["difference"]) for row in rows] == [
        ("2026-10", "200.00", "200.00", "0.00"),
        ("2026-11", "200.00", "200.00", "0.00"),
        ("total", "400.00", "400.00", "0.00"),
    ]


def test_the_register_begins_with_the_books(office: Office) -> None:
    """A joined in 2024, the books begin with October 2026: that is where its register begins, and it says so.

    Of a month before there is nothing to compare; whoever gives --from sees it all the same.
    """
    before = office.ask("fees", "register", "--member", A.ncpdp_id, "--to", "2026-11")["rows"]
    assert (before[0]["month"], len(before)) == ("2024-01-01", 35)
    _assess(office)
    alone = ("fees", "register", "--member", A.ncpdp_id)
    said = office.run(*alone, "--to", "2026-11")
    assert "These books begin with the fees of 2026-10; for earlier months give --from and --to" in said.err
    rows = office.ask(*alone, "--to", "2026-11")["rows"]
    assert [(row["month"], row["difference_cents"]) for row in rows] == [("2026-10-01", 0), ("2026-11-01", 0)]
    refused = office.run("fees", "register", "--month", "2026-09", code=2).err
    assert "These books begin with the fees of 2026-10" in refused
    wanted = office.ask(*alone, "--from", "2026-09", "--to", "2026-10")["rows"]
    assert [row["difference_cents"] for row in wanted] == [-200_00, 0]
    assert office.run("fees", "register", "--month", "2026-10").err == ""


def test_no_fee_is_assessed_for_a_month_far_ahead(office: Office) -> None:
    """On 17 November a wrong year is refused, and so is January; December may be assessed in advance."""
    words = ("fees", "assess", "--date", f"{TUESDAY}", "--month")
    for month in ("2062-11", "2027-01"):
        assert f"{month} is too far ahead" in office.run(*words, month, code=2).err
    assert office.trial_balance() == {}
    assert office.ask(*words, "2026-12")["amount_cents"] == 600_00


def test_a_contract_by_day(office: Office) -> None:
    """A's 200.00 were assessed for November; by day until the 10th they are 66.66: 133.34 are waived at once."""
    assert office.ask("fees", "proration", A.ncpdp_id, "--rule", "daily")["given_back"]["waived"] == 0
    office.ask("fees", "assess", "--month", "2026-11")
    path = roster_file(office.folder / "left.csv", (A,))
    header, row = path.read_text().splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True)) | {"member_until": "2026-11-10"}
    path.write_text(f"{header}\n{','.join(cells.values())}\n")
    office.run("members", "import", str(path))
    figures = _figures(office, "--month", "2026-11")
    assert figures[A.ncpdp_id, "2026-11"] == (66_66, 200_00, 133_34, 0, 0, 66_66, 0)
    # Whole months ask nothing of who left: the rest is given back; by day again would ask more than stands.
    righted = office.ask("fees", "proration", A.ncpdp_id, "--rule", "none")["given_back"]
    assert (righted["waived"], righted["waived_cents"]) == (1, 66_66)
    office.run("fees", "proration", A.ncpdp_id, "--rule", "weekly", code=2)
    office.prove()


def test_the_register_of_a_day_and_as_known(office: Office) -> None:
    """A's 200.00 are collected on 17 November and 20.00 refunded on the 18th: as of the 17th nothing is refunded.

    As known before the refund, nothing is refunded on any day; a row names its contract, what differs comes first.
    """
    office.ask("fees", "assess", "--month", "2026-11")
    office.fund(remittance("T1", MONDAY, Part(A, (500_00,))))
    office.pay(TUESDAY)
    size = str(office.ask("ledger", "seal")["checkpoint"]["size"])
    why = ("--amount", "20.00", "--reason", "late", "--date", "2026-11-18")
    _approve(office, office.ask("fees", "refund", A.ncpdp_id, "--month", "2026-11", *why))
    month = ("--month", "2026-11")
    collected, refunded = (200_00, 200_00, 0, 200_00, 0, 0, 0), (200_00, 200_00, 0, 200_00, 20_00, 0, 0)
    assert _figures(office, *month)[A.ncpdp_id, "2026-11"] == refunded
    assert _figures(office, *month, "--as-of", "2026-11-17")[A.ncpdp_id, "2026-11"] == collected
    assert _figures(office, *month, "--known-at", size)[A.ncpdp_id, "2026-11"] == collected
    document = office.ask("fees", "register", "--from", "2026-10", "--to", "2026-11", "--known-at", size)
    assert (document["known_at"]["size"], document["as_of"]) == (int(size), None)
    first, last = document["rows"][0], document["rows"][-1]
    assert (first["month"], first["difference_cents"], first["why"]) == ("2026-10-01", -200_00, "not assessed")
    assert (last["monthly_fee_cents"], last["proration"], last["contract_from"]) == (200_00, "none", "2024-01-01")
    assert (last["difference_cents"], last["why"]) == (0, "")
    shown = office.run("fees", "register", *month, "--as-of", "2026-11-17").out
    assert "As of 2026-11-17" in shown
