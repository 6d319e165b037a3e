"""Paid on schedule: holidays, month ends, minimums, an exclusion and a leaving member, through the commands."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.demo.pharmacies import Pharmacy, write_roster
from tests.support.bank import paid_out
from tests.support.office import CHECKER, CLERK, Office
from tests.support.trade import A, B, C, Part, remittance


def _schedule(office: Office, store: Pharmacy, *words: str, day: date) -> dict[str, Any]:
    asked = ("members", "schedule", store.ncpdp_id, *words, "--reason", "asked by letter", "--date", f"{day}")
    return office.ask(*asked, user=CLERK)


def _paid(document: dict[str, Any]) -> dict[str, int]:
    return {each["ncpdp_id"]: each["amount_cents"] for each in document["payouts"]}


def _waits(document: dict[str, Any], store: Pharmacy) -> tuple[int, str]:
    (found,) = [each for each in document["omitted"] if each["ncpdp_id"] == store.ncpdp_id]
    return found["available_cents"], found["reason"]


def _pay(office: Office, day: date) -> dict[str, int]:
    """Propose, approve and release the cycle of a day; give what it pays to whom."""
    paid = _paid(office.propose(day))
    assert office.pay(day)["total_cents"] == sum(paid.values())
    return paid


def test_a_friday_that_is_a_holiday_is_paid_on_monday(office: Office) -> None:
    """Weekly on Fridays over Juneteenth, Friday 2026-06-19, and over Friday 2026-07-03, which is open.

    Before: A, weekly on Fridays, 500.00; B, daily, 80.00, both funded on Wednesday the 17th.
    1. Thursday the 18th pays B 80.00; A's 500.00 wait. The commands show Monday the 22nd as A's next day.
    2. Friday the 19th no cycle can be proposed: exit 2. Monday the 22nd pays A 500.00, effective on the 23rd.
    3. Tuesday the 23rd pays B its 9.00 and not A's new 70.00, though Friday was made up only the day before.
    4. Friday the 26th pays A 70.00. Of July: Friday the 3rd is a banking day, A's 5.00 are paid on it.
    After: A and B have nothing left; 664.00 are on their way; the proofs hold.
    """
    thursday, friday, monday = (date(2026, 6, day) for day in (18, 19, 22))
    shown = _schedule(office, A, "--schedule", "weekly:fri", day=date(2026, 6, 17))
    assert shown["next_days"] == ["2026-06-22", "2026-06-26", "2026-07-03", "2026-07-10", "2026-07-17"]
    office.fund(remittance("TRN1", date(2026, 6, 17), Part(A, (500_00,)), Part(B, (80_00,))))
    cycle = office.propose(thursday)
    assert (_paid(cycle), _waits(cycle, A)) == ({B.ncpdp_id: 80_00}, (500_00, "not_due"))
    assert _pay(office, thursday) == {B.ncpdp_id: 80_00}
    assert office.ask("members", "schedule", A.ncpdp_id, "--date", f"{friday}")["next_days"][0] == "2026-06-22"

    assert "no banking day" in office.run("cycle", "propose", "--date", f"{friday}", code=2).err
    assert office.propose(monday)["effective_date"] == "2026-06-23"
    assert _pay(office, monday) == {A.ncpdp_id: 500_00}
    office.fund(remittance("TRN2", monday, Part(A, (70_00,)), Part(B, (9_00,))))
    assert _pay(office, date(2026, 6, 23)) == {B.ncpdp_id: 9_00}
    assert _pay(office, date(2026, 6, 26)) == {A.ncpdp_id: 70_00}
    office.fund(remittance("TRN3", date(2026, 7, 1), Part(A, (5_00,))))
    assert "Nobody is due on 2026-07-02" in office.run("cycle", "propose", "--date", "2026-07-02", code=5).err
    assert _pay(office, date(2026, 7, 3)) == {A.ncpdp_id: 5_00}
    balances = office.trial_balance()
    assert not {A.ncpdp_id, B.ncpdp_id} & {owner for owner, _, account in balances if account == "due_available"}
    assert sum(cents for (_, _, account), cents in balances.items() if account == "in_transit") == -664_00
    office.prove()


def test_twice_a_month_over_the_end_of_february(office: Office) -> None:
    """The 15th and the last day in February 2026: a Sunday before a holiday, and a Saturday.

    Before: A, twice a month, B daily; 100.00 and 1.00 funded on the 11th.
    1. Friday the 13th pays B. The 15th is a Sunday and the 16th Washington's Birthday: Tuesday the 17th pays A 100.00.
    2. 40.00 and 2.00 come on the 25th. Friday the 27th pays B: the last day of the month is Saturday the 28th.
    3. Monday March 2 pays A 40.00; Monday the 16th is its next day, for the 15th is a Sunday again.
    In 2028 February has 29 days, and the 29th is a Tuesday: A is paid on it, and not on the 28th.
    """
    office.run(
        "members", "schedule", A.ncpdp_id, "--schedule", "twice_monthly", "--reason", "x", "--date", "2026-02-11"
    )
    office.fund(remittance("TRN1", date(2026, 2, 11), Part(A, (100_00,)), Part(B, (1_00,))))
    assert _pay(office, date(2026, 2, 13)) == {B.ncpdp_id: 1_00}
    assert _pay(office, date(2026, 2, 17)) == {A.ncpdp_id: 100_00}
    office.fund(remittance("TRN2", date(2026, 2, 25), Part(A, (40_00,)), Part(B, (2_00,))))
    assert _pay(office, date(2026, 2, 27)) == {B.ncpdp_id: 2_00}
    assert _pay(office, date(2026, 3, 2)) == {A.ncpdp_id: 40_00}
    shown = office.ask("members", "schedule", A.ncpdp_id, "--date", "2026-03-02")
    assert shown["next_days"] == ["2026-03-16", "2026-03-31", "2026-04-15", "2026-04-30", "2026-05-15"]
    shown = office.ask("members", "schedule", A.ncpdp_id, "--date", "2028-02-16")
    # In 2028 no cycle has run since March 2026: what went by is due at once, by one payment.
    assert shown["next_days"][:3] == ["2028-02-16", "2028-02-29", "2028-03-15"]
    office.prove()


def test_the_minimum_is_reached_in_the_third_cycle(office: Office) -> None:
    """At least 160.00 a payment, a fee of 200.00 a month, daily cycles of three days in November.

    Before: A's minimum is 160.00, B has none; the November fees of 200.00 are assessed on both.
    1. Monday: A has 150.00, too little for the whole fee and below 160.00: it waits. B's 201.00 pay its fee and 1.00.
    2. Tuesday 120.00 more: 270.00 less the fee are 70.00, below 160.00: A waits, and no fee is taken from it.
    3. Wednesday 90.00 more: 360.00 less 200.00 are 160.00: paid to the cent, with the fee; its three shares are told.
    After: nothing is left with A, nobody waits, the proofs hold.
    """
    monday, tuesday, wednesday = (date(2026, 11, day) for day in (16, 17, 18))
    _schedule(office, A, "--minimum", "160.00", day=monday)
    office.fund(remittance("TRN1", monday, Part(A, (150_00,)), Part(B, (201_00,))))
    office.run("fees", "assess", "--month", "2026-11")
    cycle = office.propose(monday)
    assert (_paid(cycle), _waits(cycle, A)) == ({B.ncpdp_id: 1_00}, (150_00, "below_minimum"))
    office.pay(monday)

    office.fund(remittance("TRN2", tuesday, Part(A, (120_00,)), Part(B, (1_00,))))
    cycle = office.propose(tuesday)
    assert (_paid(cycle), _waits(cycle, A)) == ({B.ncpdp_id: 1_00}, (270_00, "below_minimum"))
    assert cycle["fee_cents"] == 0
    office.pay(tuesday)

    office.fund(remittance("TRN3", wednesday, Part(A, (90_00,)), Part(B, (1_00,))))
    cycle = office.propose(wednesday)
    assert _paid(cycle) == {A.ncpdp_id: 160_00, B.ncpdp_id: 1_00}
    assert (cycle["fee_cents"], cycle["told"]["shares"]) == (200_00, 4)
    preview = office.ask("cycle", "preview", str(cycle["cycle_id"]))
    assert preview["waiting"] == []
    office.pay(wednesday)
    assert (A.ncpdp_id, "custody", "due_available") not in office.trial_balance()
    office.prove()


def test_who_is_excluded_on_its_friday_is_paid_on_monday(office: Office) -> None:
    """Excluded by a person, it stays due: Friday 2026-11-20 and the Monday after.

    Before: A, weekly on Fridays, 500.00; B, daily, 80.00.
    1. Friday's cycle of 580.00 goes without A, whose bank called: 80.00 leave. The bank settles them on Monday.
    2. Monday's cycle pays A 500.00, though it is no Friday, and tells it its share; Tuesday's would pay nobody.
    """
    friday, monday, tuesday = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24)
    _schedule(office, A, "--schedule", "weekly", day=date(2026, 11, 16))
    office.fund(remittance("TRN1", date(2026, 11, 16), Part(A, (500_00,)), Part(B, (80_00,))))
    cycle_id = office.approved(friday)
    office.ask("cycle", "exclude", str(cycle_id), A.ncpdp_id, "--reason", "its bank called", user=CLERK)
    assert office.release(cycle_id)["total_cents"] == 80_00
    office.book(monday, paid_out("OUT1", 80_00))
    assert [each["amount_cents"] for each in office.match()["settled"]] == [80_00]
    released = office.pay(monday)
    assert (released["total_cents"], released["children"]["files"]) == (500_00, 1)
    office.run("cycle", "propose", "--date", f"{tuesday}", code=5)
    office.prove()


def test_a_leaving_member_is_paid_out_whenever_a_cycle_runs(office: Office) -> None:
    """Monthly with a minimum of 100.00, gone after 2026-11-17: the last cents come with the next cycles.

    Before: A is paid on the last day of a month, from 100.00 on; B daily. On the 16th A has 30.00.
    1. Tuesday the 17th, its last day: 30.00 wait, B is paid.
    2. Wednesday the 18th pays A 30.00; of a late remittance 4.00 come on the 19th and are paid on the 20th.
    """
    tuesday, wednesday, friday = (date(2026, 11, day) for day in (17, 18, 20))
    _schedule(office, A, "--schedule", "monthly", "--minimum", "100", day=date(2026, 11, 16))
    office.fund(remittance("TRN1", date(2026, 11, 16), Part(A, (30_00,)), Part(B, (80_00,))))
    path = office.folder / "leaving.csv"
    write_roster(path, [replace(A, payout_schedule="monthly"), B, C])
    header, first, *others = path.read_text().splitlines()
    path.write_text("\n".join([header, first.replace("2024-01-01,,", "2024-01-01,2026-11-17,", 1), *others, ""]))
    assert office.ask("members", "import", str(path))["files"][0]["status"] == "accepted"
    cycle = office.propose(tuesday)
    assert _waits(cycle, A) == (30_00, "not_due")
    assert _pay(office, tuesday) == {B.ncpdp_id: 80_00}
    assert _pay(office, wednesday) == {A.ncpdp_id: 30_00}
    office.fund(remittance("TRN2", date(2026, 11, 16), Part(A, (4_00,))), day=date(2026, 11, 19))
    assert _pay(office, friday) == {A.ncpdp_id: 4_00}
    shown = office.run("members", "schedule", A.ncpdp_id, "--date", f"{friday}").out
    assert "The member has left: it is paid in every cycle" in shown
    office.prove()


_WRONG = {
    "no schedule": (2, ("members", "schedule", A.ncpdp_id, "--schedule", "fortnightly", "--reason", "x")),
    "the later day first": (
        2,
        ("members", "schedule", A.ncpdp_id, "--schedule", "twice_monthly:16-1", "--reason", "x"),
    ),
    "no reason": (2, ("members", "schedule", A.ncpdp_id, "--schedule", "monthly")),
    "no change": (2, ("members", "schedule", A.ncpdp_id, "--reason", "x")),
    "less than nothing": (2, ("members", "schedule", A.ncpdp_id, "--minimum=-1", "--reason", "x")),
    "too much": (2, ("members", "schedule", A.ncpdp_id, "--minimum", "1,000,000.01", "--reason", "x")),
    "no member": (2, ("members", "schedule", "9999999", "--schedule", "monthly", "--reason", "x")),
    "no day": (2, ("members", "schedule", A.ncpdp_id, "--date", "tomorrow")),
    "no cut-off": (2, ("cut-offs", "set", "lunch", "--time", "12:00", "--since", "2030-01-02")),
    "no time": (2, ("cut-offs", "set", "file_handover", "--time", "25:00", "--since", "2030-01-02")),
    "a time of parts": (2, ("cut-offs", "set", "file_handover", "--time", "12:00:30", "--since", "2030-01-02")),
    "a past day": (5, ("cut-offs", "set", "file_handover", "--time", "12:00", "--since", "2001-01-02")),
}


@pytest.mark.parametrize("mistake", _WRONG)
def test_wrong_words_are_said_and_change_nothing(office: Office, mistake: str) -> None:
    """A sentence and an exit code, no traceback, nothing written."""
    code, words = _WRONG[mistake]
    before = office.ask("members", "schedule", A.ncpdp_id, "--date", "2026-11-16")
    outcome = office.run(*words, code=code, user=CHECKER)
    assert outcome.err.strip()
    assert "Traceback" not in outcome.err
    assert office.ask("members", "schedule", A.ncpdp_id, "--date", "2026-11-16") == before
    assert office.ask("notices", "list")["notices"] == []


def test_who_may_change_what(office: Office) -> None:
    """An operator changes a schedule, an auditor does not; a cut-off takes an approver."""
    words = ("members", "schedule", A.ncpdp_id, "--schedule", "monthly", "--reason", "x")
    office.run(*words, user="audrey", code=5)
    office.run(*words, user=CLERK)
    cut_off = ("cut-offs", "set", "cycle_proposal", "--time", "14:30", "--since", "2030-01-02")
    office.run(*cut_off, user=CLERK, code=5)
    office.run(*cut_off, user=CHECKER)
    office.run(*cut_off, user=CHECKER, code=5)
    rows = [each for each in office.ask("cut-offs", "list")["cut_offs"] if each["name"] == "cycle_proposal"]
    assert [(each["since"], each["local_time"], each["set_by"]) for each in rows] == [
        ("2000-01-01", "15:00:00", "system"),
        ("2030-01-02", "14:30:00", CHECKER),
    ]
