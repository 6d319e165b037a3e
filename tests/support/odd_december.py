"""December of the odd life: a set replaced across the month's end, a write-off undone, money handed to a state."""

from datetime import date

from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import paid_in
from tests.support.odd_life import DECEMBER, NOVEMBER, OddLife
from tests.support.trade import A, B, Part, remittance

_RULES = """state,property,months,letter_from_days,letter_until_days,since,source
IL,MS08,1,20,5,2020-01-01,of a test
"""


def december(life: OddLife) -> None:
    """Live through it, and close it."""
    _november_is_closed(life)
    _a_write_off_undone(life)
    _all_is_paid(life)
    _handed_to_the_state(life)
    _december_is_closed(life)


def day(number: int) -> date:
    """Give a day of December 2026; the 1st is a Tuesday."""
    return date(2026, 12, number)


def _november_is_closed(life: OddLife) -> None:
    """The payer cashes its 30.00; the other T14 takes the first one's place, a month later; then November is closed.

    | | A | A awaits | open at the bank |
    | --- | --- | --- | --- |
    | before | 0 | 400.00 | 380.00 |
    | replaced | 0 | 380.00 | 380.00 |
    | matched | 380.00 | 0 | 0 |
    """
    life.until(day(1))
    life.until(day(2), StatementLine("475", 30_00, "1042", "", f"CHECK PAID CP-{life.refund}"))
    assert life.office.cases()["deposit_short", "T14"] == 20_00
    life.resolve("set_conflict", "replace")
    assert (life.stands("due_unfunded")[0], life.house("unmatched_deposit")) == (380_00, 380_00)
    life.office.match()
    assert (life.stands(), life.house("unmatched_deposit")) == ([380_00, -5_200_00, 0, 0, 0], 0)
    life.today = day(3)
    life.close(NOVEMBER)


def _a_write_off_undone(life: OddLife) -> None:
    """The 100.00 of B that were given up in November are asked for again; C's 500.00 are not held any more.

    | | B | advance | C | C held |
    | --- | --- | --- | --- | --- |
    | before | -5,200.00 | 5,200.00 | 0 | 500.00 |
    | after | -5,300.00 | 5,300.00 | 500.00 | 0 |
    """
    life.office.ask("fees", "assess", "--month", DECEMBER, "--date", f"{day(3)}")
    life.reverse("advance_written_off", 100_00)
    assert (life.stands()[1], life.stands("operating_advance")[1]) == (-5_300_00, 5_300_00)
    (held,) = life.holds("dispute")
    life.agree("holds", "lift", str(held["hold_id"]), "--reason", "settled", "--date", f"{day(3)}")
    assert (life.stands()[2], life.stands("held")[2]) == (500_00, 0)


def _all_is_paid(life: OddLife) -> None:
    """T13 repays what B owes, and all are paid, less the fee of December; D has nothing, and its fee stays open.

    | | A | B | C |
    | --- | --- | --- | --- |
    | before | 380.00 | -5,300.00 | 500.00 |
    | T13: 100.00 and 9,000.00 | 480.00 | 3,700.00 | 500.00 |
    | paid on the 7th | 280.00 | 3,500.00 | 300.00 |
    """
    life.office.remit(remittance("T13", day(4), Part(A, (100_00,)), Part(B, (9_000_00,))))
    life.until(day(4), paid_in("T13", 9_100_00))
    assert life.stands() == [480_00, 3_700_00, 500_00, 0, 0]
    assert life.pay(day(7)) == [280_00, 3_500_00, 300_00, 0, 0]
    life.until(day(9))


def _handed_to_the_state(life: OddLife) -> None:
    """D's 46.78 that came back on 24 November: a letter, no answer within a month, and the state of Illinois has them.

    | | held | unclaimed | in transit |
    | --- | --- | --- | --- |
    | before | 46.78 | 0 | 0 |
    | declared by two people on the 28th | 0 | 46.78 | 0 |
    | the state's check, and the bank's debit | 0 | 0 | 46.78, then 0 |
    """
    office = life.office
    office.ask("unclaimed", "rules", "import", str(office.save(_RULES.encode(), "rules.csv")))
    (held,) = life.holds("returned")
    number = str(held["hold_id"])
    (written,) = office.ask("unclaimed", "letters", "--as-of", f"{day(10)}")["holds"]
    assert (written["held_cents"], written["dormant_on"]) == (46_78, f"{day(24)}")
    life.until(day(28))
    life.agree("unclaimed", "declare", number, "--reason", "no answer", "--date", f"{day(28)}")
    assert (life.stands("held")[3], life.stands("unclaimed")[3]) == (0, 46_78)
    office.ask("unclaimed", "escheat", number, "--payee", "Illinois State Treasurer")
    check, cents = life.disburse("escheat")
    assert (life.stands("unclaimed")[3], life.stands("in_transit")[3]) == (0, 46_78)
    life.until(day(30), StatementLine("475", cents, "1043", "", f"CHECK PAID CP-{check}"))
    assert life.stands("in_transit") == [0, 0, 0, 0, 0]


def _december_is_closed(life: OddLife) -> None:
    """Nobody is owed anything but C its 7.00 that never came; December is closed in January."""
    life.until(day(31))
    assert (life.stands(), life.stands("held")) == ([0, 0, 0, 0, 0], [0, 0, 0, 0, 0])
    assert life.stands("due_unfunded") == [0, 0, 7_00, 0, 0]
    life.today = date(2027, 1, 5)
    life.close(DECEMBER)
