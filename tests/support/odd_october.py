"""October of the odd life: money that is short, over, unknown or somebody else's, and two sets that contradict."""

from dataclasses import replace
from datetime import date

from app.demo.remittance import PayeeAdjustments, PlbPair, RemittanceSet
from app.demo.simulator.rules import Pick, Return, Rules
from ingest.bank.bai2_writer import StatementLine
from schemas.identifiers import Npi
from tests.support.bank import own_money, paid_in
from tests.support.direct_pay import to_the_store
from tests.support.odd_life import OCTOBER, D, E, OddLife
from tests.support.office import CLERK
from tests.support.trade import OTHER_PAYER, PAYER, STRANGER, A, B, C, Part, remittance, remittance_file


def october(life: OddLife) -> None:
    """Live through it, up to its last day."""
    _an_ordinary_week(life)
    _a_negative_a_hold_a_levy(life)
    _short_and_over(life)
    _the_network(life)
    _nobodys_money(life)
    _taken_back(life)
    _two_sets_that_contradict(life)
    _the_end(life)


def day(number: int) -> date:
    """Give a day of October 2026; the 1st is a Thursday."""
    return date(2026, 10, number)


def _an_ordinary_week(life: OddLife) -> None:
    """The PSAO puts 10,000.00 in; T1 brings 9,700.00; B's fee is waived, those of A, C and E are collected.

    | | A | B | C | D | E | float |
    | --- | --- | --- | --- | --- | --- | --- |
    | T1; of B the payer takes 200.00 | 5,000.00 | 2,800.00 | 1,000.00 | | 900.00 | 10,000.00 |
    | paid on the 7th, 200.00 of fee kept of three | 0 | 0 | 0 | | 0 | 10,600.00 |
    """
    office = life.office
    words = ("members", "direct-pay", "begin", E.ncpdp_id, str(OTHER_PAYER.payer_id))
    office.ask(*words, "--since", "2026-10-01", "--reason", "the payer wrote", user=CLERK)
    office.ask("fees", "proration", D.ncpdp_id, "--rule", "daily", "--date", f"{day(1)}")
    life.until(day(1), own_money("OWN1", 10_000_00))
    office.accept_own_money("OWN1")
    parts = Part(A, (5_000_00,)), Part(B, (3_000_00,), (("WO", 200_00),)), Part(C, (1_000_00,)), Part(E, (900_00,))
    office.remit(remittance("T1", day(5), *parts))
    life.until(day(5), paid_in("T1", 9_700_00))
    office.ask("fees", "assess", "--month", OCTOBER, "--date", f"{day(5)}")
    office.waive(B, OCTOBER, day(6))
    assert life.stands() == [5_000_00, 2_800_00, 1_000_00, 0, 900_00]
    assert life.pay(day(7)) == [4_800_00, 2_800_00, 800_00, 0, 700_00]
    assert (life.stands(), life.house("operating_float")) == ([0, 0, 0, 0, 0], 10_600_00)


def _a_negative_a_hold_a_levy(life: OddLife) -> None:
    """T2 takes 3,100.00 back of B, which the float covers; 500.00 of C are held, a court takes 600.00 of A.

    | | A | B | C | float |
    | --- | --- | --- | --- | --- |
    | before | 0 | 0 | 0 | 10,600.00 |
    | T2: 2,000.00; -3,100.00; 1,700.00 | 2,000.00 | -3,100.00 | 1,700.00 | 7,500.00 |
    | held and levied | 1,400.00 | -3,100.00 | 1,200.00 | 7,500.00 |
    """
    office = life.office
    office.remit(remittance("T2", day(9), Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,))))
    life.until(day(9), paid_in("T2", 600_00))
    assert (life.stands(), life.house("operating_float")) == ([2_000_00, -3_100_00, 1_700_00, 0, 0], 7_500_00)
    words = ("--kind", "dispute", "--reason", "claims of May", "--authority", "clause 7", "--amount", "500.00")
    office.ask("holds", "place", C.ncpdp_id, *words, "--review-on", "2026-12-15", "--date", f"{day(13)}")
    order = ("--authority", "Court 26-L-1", "--payee", "Acme Wholesale", "--amount", "600")
    days = ("--review-on", "2027-01-15", "--date", f"{day(13)}")
    (levy,) = office.ask("levies", "receive", A.ncpdp_id, *order, *days)["levies"]
    life.levy = str(levy["hold_id"])
    office.ask("levies", "take", life.levy, "--date", f"{day(13)}")
    assert life.stands() == [1_400_00, -3_100_00, 1_200_00, 0, 0]
    assert (life.stands("held"), life.stands("levied")) == ([0, 0, 500_00, 0, 0], [600_00, 0, 0, 0, 0])


def _short_and_over(life: OddLife) -> None:
    """Of T3's 1,000.01 come 900.00, divided pro rata; of T4's 100.00 come 130.00, and 30.00 are the payer's.

    | | A | C | A awaits | C awaits | owed to the payer |
    | --- | --- | --- | --- | --- | --- |
    | before | 1,400.00 | 1,200.00 | 0 | 0 | 0 |
    | T3: 600.00 and 400.01 | 1,939.99 | 1,560.01 | 60.01 | 40.00 | 0 |
    | T4 | 2,039.99 | 1,560.01 | 60.01 | 40.00 | 30.00 |
    """
    life.office.remit(remittance("T3", day(14), Part(A, (600_00,)), Part(C, (400_01,))))
    life.until(day(14), paid_in("T3", 900_00))
    life.resolve("deposit_short", "fund_short")
    assert life.stands() == [1_939_99, -3_100_00, 1_560_01, 0, 0]
    assert life.stands("due_unfunded") == [60_01, 0, 40_00, 0, 0]
    life.office.remit(remittance("T4", day(15), Part(A, (100_00,))))
    life.until(day(15), paid_in("T4", 130_00))
    life.resolve("deposit_over", "return_to_payer")
    assert (life.stands()[0], life.house("due_to_payer")) == (2_039_99, 30_00)


def _the_network(life: OddLife) -> None:
    """The payer takes 40.00 of all, beside A's 300.00 and C's 100.00; divided by claim, A gives 30.00 and C 10.00.

    | | A | C | of the network |
    | --- | --- | --- | --- |
    | before | 2,039.99 | 1,560.01 | 0 |
    | 360.00 come | 2,339.99 | 1,660.01 | -40.00 |
    | divided | 2,309.99 | 1,650.01 | 0 |
    """
    life.office.remit(_adjusted(remittance("NET1", day(16), Part(A, (300_00,)), Part(C, (100_00,))), 40_00))
    life.until(day(16), paid_in("NET1", 360_00))
    assert (life.stands()[0], life.house("network_adjustment")) == (2_339_99, -40_00)
    life.resolve("network_adjustment", "allocate")
    assert life.stands() == [2_309_99, -3_100_00, 1_650_01, 0, 0]
    assert life.house("network_adjustment") == 0


def _nobodys_money(life: OddLife) -> None:
    """45.00 for a stranger, 7.00 more without money; E paid directly; the bank's charge of 12.00; interest of 1.00.

    | | A | B | C | E | stranger | float |
    | --- | --- | --- | --- | --- | --- | --- |
    | before | 2,309.99 | -3,100.00 | 1,650.01 | 0 | 0 | 7,500.00 |
    | T6, the charge | 2,319.99 | -3,100.00 | 1,650.01 | 0 | 45.00 | 7,488.00 |
    | interest by the balances of the 5th to 16th | 2,320.52 | -3,099.86 | 1,650.30 | 0.04 | 45.00 | 7,488.14 |
    | paid on the 20th | 0 | -3,099.86 | 0 | 0 | 45.00 | 7,488.14 |
    """
    office = life.office
    unknown = Part(STRANGER, (50_00,), (("WO", 5_00),))
    office.remit(remittance("T6", day(19), Part(A, (10_00,)), unknown))
    office.remit(remittance("T6B", day(19), Part(STRANGER, (7_00,))))
    direct = Part(E, (1_234_50,), (("WO", 34_50),))
    office.remit(to_the_store("DIR1", day(19), direct, store=E, payer=OTHER_PAYER))
    charge = StatementLine("698", 12_00, "FEE1", "", "ACCOUNT ANALYSIS CHARGE")
    life.until(day(19), paid_in("T6", 55_00), charge, StatementLine("195", 1_00, "INT1", "", "INTEREST PAID"))
    life.resolve("debit_unexplained", "bank_charge")
    life.resolve("deposit_without_advice", "interest")
    words = ("--by-balance", "--from", f"{day(5)}", "--to", f"{day(16)}", "--reason", "early", "--date", f"{day(19)}")
    life.agree("interest", "allocate", *words)
    assert life.stands() == [2_320_52, -3_099_86, 1_650_30, 0, 4]
    assert (life.house("unknown_payee"), life.house("unknown_payee_unfunded")) == (45_00, 7_00)
    assert life.house("operating_float") == 7_488_14
    assert life.pay(day(20)) == [2_320_52, 0, 1_650_30, 0, 4]


def _taken_back(life: OddLife) -> None:
    """The payer debits 30.00 of its own accord, 20.00 of A and 10.00 of C, who have nothing: the float covers it.

    | | A | B | C | float |
    | --- | --- | --- | --- | --- |
    | before | 0 | -3,099.86 | 0 | 7,488.14 |
    | after | -20.00 | -3,099.86 | -10.00 | 7,458.14 |
    """
    life.until(day(22), StatementLine("475", 30_00, "TAKE1", "", "ACH DEBIT HARROWGATE RECOUPMENT"))
    rows = life.table("member,amount,claim", f"{A.ncpdp_id},20.00,6000001", f"{C.ncpdp_id},10.00,")
    life.resolve("debit_unexplained", "take_back", "--payer", str(PAYER.payer_id), "--rows", rows)
    assert life.stands() == [-20_00, -3_099_86, -10_00, 0, 0]
    assert life.stands("operating_advance") == [20_00, 3_099_86, 10_00, 0, 0]
    assert life.house("operating_float") == 7_458_14


def _two_sets_that_contradict(life: OddLife) -> None:
    """T9 gives A 1,000.00 less 10.00; another T9 gives A 970.00 and B 10.00, and takes its place.

    | awaited by | A | B | C |
    | --- | --- | --- | --- |
    | before | 60.01 | 0 | 40.00 |
    | the first T9 | 1,050.01 | 0 | 40.00 |
    | the other | 1,030.01 | 10.00 | 40.00 |
    """
    life.office.remit(remittance("T9", day(26), Part(A, (1_000_00,), (("WO", 10_00),))))
    assert life.stands("due_unfunded") == [1_050_01, 0, 40_00, 0, 0]
    other = remittance("T9", day(26), Part(A, (970_00,)), Part(B, (10_00,)))
    assert life.office.receive(remittance_file(other, control_number=77), code=3)["status"] == "conflict"
    life.today = day(27)
    life.resolve("set_conflict", "replace")
    assert life.stands("due_unfunded") == [1_030_01, 10_00, 40_00, 0, 0]


def _the_end(life: OddLife) -> None:
    """T8 is paid out; T7 waits for its money over the month's end; 990.00 come for T9, which is 980.00 by now.

    | | A | B | C | D | E | awaited by A, C, D |
    | --- | --- | --- | --- | --- | --- | --- |
    | before | -20.00 | -3,099.86 | -10.00 | 0 | 0 | 1,030.01; 40.00; 0 |
    | T8: 800.00 and 2,500.00 | 780.00 | -3,099.86 | -10.00 | 0 | 2,500.00 | 1,730.01; 40.00; 350.00 |
    | paid on the 30th; 10.00 of the 990.00 are open | 970.00 | -3,089.86 | -10.00 | 0 | 0 | 760.01; 40.00; 350.00 |

    E's bank will send its payment back.
    """
    life.office.remit(_filled(day(20), remittance("T7", day(28), Part(A, (700_00,)), Part(D, (350_00,)))))
    life.office.remit(remittance("T8", day(29), Part(A, (800_00,)), Part(E, (2_500_00,))))
    life.until(day(29), paid_in("T8", 3_300_00))
    life.office.bank.rules = Rules(returns=[Return(code="R23", pick=Pick(identification=E.ncpdp_id))])
    assert life.pay(day(30)) == [780_00, 0, 0, 0, 2_500_00]
    life.until(day(30), paid_in("T9", 990_00))
    assert life.stands() == [970_00, -3_089_86, -10_00, 0, 0]
    assert life.stands("due_unfunded") == [760_01, 0, 40_00, 350_00, 0]
    assert life.office.cases()["deposit_over", "T9"] == 10_00


def _adjusted(plain: RemittanceSet, cents: int) -> RemittanceSet:
    """Have the payer take something of the whole network."""
    chain = Npi.from_nine("188800001")
    taken = PayeeAdjustments(chain, date(2026, 12, 31), (PlbPair("WO", "AUDIT", cents),))
    return replace(plain, adjustments=(*plain.adjustments, taken), payment_cents=plain.payment_cents - cents)


def _filled(day: date, plain: RemittanceSet) -> RemittanceSet:
    """Have the claims filled on a day."""
    sections = tuple(
        replace(each, claims=[claim._replace(fill_date=f"{day:%Y%m%d}") for claim in each.claims])
        for each in plain.sections
    )
    return replace(plain, sections=sections)
