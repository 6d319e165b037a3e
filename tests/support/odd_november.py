"""November of the odd life: October closed, reopened and closed again; an exit told late, a debt, a funding undone."""

from datetime import date

from app.demo.simulator.rules import Pick, Return, Rules
from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import paid_in
from tests.support.books import roster, roster_row
from tests.support.odd_life import NOVEMBER, OCTOBER, D, E, OddLife
from tests.support.trade import STRANGER, A, B, C, Part, remittance, remittance_file


def november(life: OddLife) -> None:
    """Live through it, up to its last day."""
    _october_is_closed(life)
    _october_is_closed_again(life)
    _fees_and_corrections(life)
    _a_debt(life)
    _money_to_others(life)
    _a_funding_undone(life)
    _an_exit_told_late(life)
    _a_debt_again(life)


def day(number: int) -> date:
    """Give a day of November 2026; the 2nd is a Monday, the 11th and the 26th are holidays of the banks."""
    return date(2026, 11, number)


def _october_is_closed(life: OddLife) -> None:
    """T7's money comes, and T3's rest; T9 as it was first is put back, a month later; then October is closed.

    | | A | B | C | D | awaited by A, B, C, D |
    | --- | --- | --- | --- | --- | --- |
    | before | 970.00 | -3,089.86 | -10.00 | 0 | 760.01; 0; 40.00; 350.00 |
    | T7 1,050.00 and T3 100.01 | 1,730.01 | -3,089.86 | 30.00 | 350.00 | 0 |
    | what funded the other T9 reversed | 760.01 | -3,099.86 | 30.00 | 350.00 | 970.00; 10.00; 0; 0 |
    | the first stands again, and is matched anew | 1,750.01 | -3,099.86 | 30.00 | 350.00 | 0 |
    """
    life.until(day(2))
    life.until(day(3), paid_in("T7", 1_050_00), paid_in("T3", 100_01, reference="REST"))
    assert life.stands() == [1_730_01, -3_089_86, 30_00, 350_00, 0]
    life.reverse("funded", 10_00)
    assert (life.stands()[0], life.stands("due_unfunded")) == (760_01, [970_00, 10_00, 0, 0, 0])
    life.reverse("advised", 10_00)
    life.office.match()
    assert life.stands() == [1_750_01, -3_099_86, 30_00, 350_00, 0]
    assert life.stands("due_unfunded") == [0, 0, 0, 0, 0]
    life.today = day(4)
    life.close(OCTOBER, "set_conflict")


def _october_is_closed_again(life: OddLife) -> None:
    """A set of 30 October comes late and is of November; then 33.00 of A were B's, in October: it is closed anew.

    | | A | B | E held |
    | --- | --- | --- | --- |
    | before | 1,750.01 | -3,099.86 | 0 |
    | LATE1: 111.00 and 22.00; E's payment came back | 1,861.01 | -3,077.86 | 2,500.00 |
    | reopened, corrected as of 30 October, closed | 1,828.01 | -3,044.86 | 2,500.00 |
    """
    office = life.office
    office.remit(remittance("LATE1", date(2026, 10, 30), Part(A, (111_00,)), Part(B, (22_00,))))
    life.until(day(5), paid_in("LATE1", 133_00))
    office.bank.rules = Rules()
    assert life.stands() == [1_861_01, -3_077_86, 30_00, 350_00, 0]
    assert life.stands("held") == [0, 0, 500_00, 0, 2_500_00]
    life.reopen(OCTOBER)
    words = ("--from", A.ncpdp_id, "--to", B.ncpdp_id, "--reason", "wrong store", "--amount", "33.00")
    life.agree("corrections", "propose", *words, "--date", "2026-10-30")
    life.close(OCTOBER, "set_conflict")
    life.refuse("set_conflict")
    assert life.stands() == [1_828_01, -3_044_86, 30_00, 350_00, 0]


def _fees_and_corrections(life: OddLife) -> None:
    """50.00 of A's October fee are given back; the stranger was C; a claim of T7 of 700.00 was C's, not A's.

    | | A | C | C awaits | float |
    | --- | --- | --- | --- | --- |
    | before | 1,828.01 | 30.00 | 0 | 7,543.14 |
    | refunded | 1,878.01 | 30.00 | 0 | 7,493.14 |
    | 45.00 and 7.00 found | 1,878.01 | 75.00 | 7.00 | 7,493.14 |
    | corrected | 1,178.01 | 775.00 | 7.00 | 7,493.14 |
    """
    office = life.office
    office.ask("fees", "assess", "--month", NOVEMBER, "--date", f"{day(5)}")
    before = life.house("operating_float")
    words = ("--amount", "50.00", "--reason", "late", "--date", f"{day(5)}")
    life.agree("fees", "refund", A.ncpdp_id, "--month", OCTOBER, *words)
    assert (before, life.house("operating_float"), life.stands()[0]) == (7_543_14, 7_493_14, 1_878_01)
    whose = ("--member", C.ncpdp_id, "--from", "2026-10-01")
    life.resolve("unknown_payee", "assign", *whose, subject=f"NPI:{STRANGER.npi}")
    assert (life.stands()[2], life.stands("due_unfunded")[2]) == (75_00, 7_00)
    claims = life.table("advice_trace,rx_number,amount", "T7,6000000,700.00")
    words = ("--reason", "wrong store", "--claims", claims, "--date", f"{day(5)}")
    life.agree("corrections", "propose", "--from", A.ncpdp_id, "--to", C.ncpdp_id, *words)
    assert life.stands() == [1_178_01, -3_044_86, 775_00, 350_00, 0]


def _a_debt(life: OddLife) -> None:
    """B owes 3,044.86: it pays 1,000.00, 500.00 and 100.00 are given up, T10's 4,000.00 repay the rest.

    | | B | advance | float |
    | --- | --- | --- | --- |
    | before | -3,044.86 | 3,044.86 | 7,493.14 |
    | paid by wire | -2,044.86 | 2,044.86 | 8,493.14 |
    | written off, a loss of the PSAO's | -1,444.86 | 1,444.86 | 8,493.14 |
    | T10 | 2,555.14 | 0 | 9,938.00 |
    """
    life.until(day(6), StatementLine("195", 1_000_00, "WIREB1", "", "INCOMING WIRE EXAMPLE DRUG 102"))
    life.agree("negatives", "paid", B.ncpdp_id, "--bank-reference", "WIREB1")
    why = ("--reason", "nothing to collect", "--date", f"{day(9)}")
    life.agree("negatives", "write-off", B.ncpdp_id, "--amount", "500.00", *why)
    life.agree("negatives", "write-off", B.ncpdp_id, "--amount", "100.00", *why)
    assert (life.stands()[1], life.stands("operating_advance")[1]) == (-1_444_86, 1_444_86)
    assert life.house("operating_float") == 8_493_14
    life.office.remit(remittance("T10", day(10), Part(B, (4_000_00,))))
    life.until(day(10), paid_in("T10", 4_000_00))
    assert (life.stands()[1], life.stands("operating_advance")[1]) == (2_555_14, 0)
    assert life.house("operating_float") == 9_938_00


def _money_to_others(life: OddLife) -> None:
    """The payer's 30.00 and the court's 600.00 leave by check; the court's is cashed, the payer's not before December.

    | | A levied | owed to the payer | in transit |
    | --- | --- | --- | --- |
    | before | 600.00 | 30.00 | 0 |
    | released | 0 | 0 | 630.00 |
    | the bank debits 600.00 | 0 | 0 | 30.00 |
    """
    life.today = day(12)
    assert (life.stands("levied")[0], life.house("due_to_payer")) == (600_00, 30_00)
    life.refund, cents = life.disburse("refund")
    assert cents == 30_00
    life.office.ask("levies", "pay", life.levy)
    check, cents = life.disburse("levy")
    assert (life.stands("levied")[0], life.stands("in_transit")[0], life.house("in_transit")) == (0, 600_00, 30_00)
    life.until(day(13), StatementLine("475", cents, "1041", "", f"CHECK PAID CP-{check}"))
    assert (life.stands("in_transit")[0], life.house("in_transit")) == (0, 30_00)


def _a_funding_undone(life: OddLife) -> None:
    """On the 16th what funded T10 is reversed, with the debt that it had repaid, and matched anew.

    | | B | B awaits | advance |
    | --- | --- | --- | --- |
    | before | 2,555.14 | 0 | 0 |
    | reversed | -1,444.86 | 4,000.00 | 1,444.86 |
    | matched anew | 2,555.14 | 0 | 0 |
    """
    life.today = day(16)
    life.reverse("funded", 4_000_00)
    assert life.stands() == [1_178_01, -1_444_86, 775_00, 350_00, 0]
    assert (life.stands("due_unfunded")[1], life.stands("operating_advance")[1]) == (4_000_00, 1_444_86)
    life.office.match()
    assert life.stands() == [1_178_01, 2_555_14, 775_00, 350_00, 0]
    assert (life.stands("due_unfunded")[1], life.stands("operating_advance")[1]) == (0, 0)


def _an_exit_told_late(life: OddLife) -> None:
    """On the 18th we hear that E left on the 10th: no fee for November; its 2,500.00 are paid again. D's come back.

    | | A | B | C | D | E | held of D, E |
    | --- | --- | --- | --- | --- | --- | --- |
    | before | 1,178.01 | 2,555.14 | 775.00 | 350.00 | 0 | 0; 2,500.00 |
    | lifted | 1,178.01 | 2,555.14 | 775.00 | 350.00 | 2,500.00 | 0; 0 |
    | fee: November's of A, B, C, D; of October D's 16 days of 31 | 200.00 | 200.00 | 200.00 | 303.22 | 0 | |
    | paid on the 19th | 978.01 | 2,355.14 | 575.00 | 46.78 | 2,500.00 | |
    """
    life.until(day(17))
    life.today = day(18)
    rows = [roster_row(E, member_until="2026-11-10"), *(roster_row(store) for store in (A, B, C, D))]
    assert life.office.receive(roster(*rows), name="roster2.csv")["status"] == "accepted"
    (held,) = life.holds("returned")
    life.agree("holds", "lift", str(held["hold_id"]), "--reason", "the account works", "--date", f"{day(18)}")
    assert life.stands() == [1_178_01, 2_555_14, 775_00, 350_00, 2_500_00]
    life.office.bank.rules = Rules(returns=[Return(code="R23", pick=Pick(identification=D.ncpdp_id))])
    assert life.pay(day(19)) == [978_01, 2_355_14, 575_00, 46_78, 2_500_00]
    life.until(day(23))
    assert (life.stands(), life.stands("held")) == ([0, 0, 0, 0, 0], [0, 0, 500_00, 0, 0])


def _a_debt_again(life: OddLife) -> None:
    """T11 takes 5,200.00 of B; T12's PLB takes all that it gives D; of T14's 400.00 come 380.00, as another T14 says.

    | | A | B | C | D held | A awaits |
    | --- | --- | --- | --- | --- | --- |
    | before | 0 | 0 | 0 | 0 | 0 |
    | T11: 900.00, -5,200.00, 5,000.00; T12: 1.00 | 901.00 | -5,200.00 | 5,000.00 | 46.78 | 400.00 |
    | paid on the 30th | 0 | -5,200.00 | 0 | 46.78 | 400.00 |
    """
    office = life.office
    office.remit(remittance("T11", day(24), Part(A, (900_00,)), Part(B, (-5_200_00,)), Part(C, (5_000_00,))))
    life.until(day(24), paid_in("T11", 700_00))
    office.remit(remittance("T12", day(25), Part(D, (300_00,), (("FB", 300_00),)), Part(A, (1_00,))))
    life.until(day(25), paid_in("T12", 1_00))
    office.remit(remittance("T14", day(27), Part(A, (400_00,))))
    life.until(day(27), paid_in("T14", 380_00))
    other = remittance_file(remittance("T14", day(27), Part(A, (380_00,))), control_number=78)
    assert office.receive(other, code=3)["status"] == "conflict"
    assert life.pay(day(30)) == [901_00, 0, 5_000_00, 0, 0]
    life.until(day(30))
    assert life.stands() == [0, -5_200_00, 0, 0, 0]
    assert life.stands("due_unfunded") == [400_00, 0, 7_00, 0, 0]
    assert life.stands("held") == [0, 0, 500_00, 46_78, 0]
