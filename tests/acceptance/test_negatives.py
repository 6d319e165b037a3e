"""Members that owe: covered by the float, recovered, paid back, written off; the numbers before and after."""

from datetime import date

from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import paid_in, paid_out
from tests.support.office import CHECKER, Office
from tests.support.trade import A, B, C, Part, remittance

DAY = date(2026, 11, 9)
LATER = date(2026, 11, 12)


def _turn_negative(office: Office) -> None:
    """Put 5,000.00 of float in, and remit 600.00: A 2,000.00, B takes 3,100.00 back, C 1,700.00."""
    office.put_in("OWN1", 5_000_00, date(2026, 11, 2))
    office.fund(remittance("TRN1", DAY, Part(A, (2_000_00,)), Part(B, (-3_100_00,)), Part(C, (1_700_00,))))
    assert _stands(office) == (-3_100_00, 3_100_00, 1_900_00)


def _stands(office: Office) -> tuple[int, int, int]:
    """Give B's due, B's advance and the float."""
    balances = office.trial_balance()
    return (
        -balances.get((B.ncpdp_id, "custody", "due_available"), 0),
        -balances.get((B.ncpdp_id, "custody", "operating_advance"), 0),
        -balances["house", "custody", "operating_float"],
    )


def _negatives(office: Office, day: date) -> list[dict[str, object]]:
    found = office.ask("negatives", "list", "--as-of", f"{day}")["negatives"]
    assert isinstance(found, list)
    return found


def _approve(office: Office, approval_id: int) -> None:
    office.ask("approvals", "approve", str(approval_id), user=CHECKER)


def test_negative_is_recovered_from_the_next_funding(office: Office) -> None:
    """B's take-back of 3,100.00 is covered by the float of 5,000.00, and repaid by its next 4,000.00.

    | step | B due | B advance | float |
    | --- | --- | --- | --- |
    | float put in | 0 | 0 | 5,000.00 |
    | 835: A +2,000.00, B -3,100.00, C +1,700.00 | -3,100.00 | 3,100.00 | 1,900.00 |
    | B's next 1,000.00: part of it | -2,100.00 | 2,100.00 | 2,900.00 |
    | B's next 4,000.00: the rest, in the same transaction | 1,900.00 | 0 | 5,000.00 |
    """
    _turn_negative(office)
    (owing,) = _negatives(office, date(2026, 11, 30))
    assert (owing["ncpdp_id"], owing["owed_cents"], owing["since"]) == (B.ncpdp_id, 3_100_00, f"{DAY}")
    assert (owing["days"], owing["bucket"]) == (21, "0-30")
    assert [
        _negatives(office, day)[0]["bucket"] for day in (date(2026, 12, 10), date(2027, 1, 20), date(2027, 3, 1))
    ] == [
        "31-60",
        "61-90",
        "over 90",
    ]
    cover = office.ask("float", "show")
    assert (cover["float_cents"], cover["advanced_cents"]) == (1_900_00, 3_100_00)
    assert cover["advances"] == [{"what": B.ncpdp_id, "cents": 3_100_00}]
    assert (cover["withdrawable_cents"], cover["missing"]) == (1_900_00, [])

    office.fund(remittance("TRN2", LATER, Part(B, (1_000_00,))))
    assert _stands(office) == (-2_100_00, 2_100_00, 2_900_00)
    (owing,) = _negatives(office, LATER)
    assert (owing["advanced_cents"], owing["recovered_cents"], owing["owed_cents"]) == (3_100_00, 1_000_00, 2_100_00)
    assert owing["since"] == f"{DAY}"

    office.fund(remittance("TRN3", LATER, Part(B, (4_000_00,))))
    assert _stands(office) == (1_900_00, 0, 5_000_00)
    assert _negatives(office, LATER) == []
    assert [each["owed_cents"] for each in _negatives(office, DAY)] == [3_100_00]
    office.prove()


def test_member_pays_back(office: Office) -> None:
    """B sends 1,000.00 and then 2,500.00 against 3,100.00: the last 400.00 are not taken and stay unmatched.

    | step | B due | B advance | float |
    | --- | --- | --- | --- |
    | after the take-back | -3,100.00 | 3,100.00 | 1,900.00 |
    | 1,000.00 paid, a second person approves | -2,100.00 | 2,100.00 | 2,900.00 |
    | 2,500.00 paid: 2,100.00 of it are taken | 0 | 0 | 5,000.00 |
    """
    _turn_negative(office)
    office.book(LATER, StatementLine("195", 1_000_00, "WIREB1", "", "INCOMING WIRE EXAMPLE DRUG 102"))
    asked = office.ask("negatives", "paid", B.ncpdp_id, "--bank-reference", "WIREB1")
    assert _stands(office)[0] == -3_100_00
    office.run("approvals", "approve", str(asked["approval_id"]), code=5)
    _approve(office, asked["approval_id"])
    assert _stands(office) == (-2_100_00, 2_100_00, 2_900_00)
    (owing,) = _negatives(office, LATER)
    assert (owing["paid_cents"], owing["recovered_cents"]) == (1_000_00, 0)

    office.book(date(2026, 11, 13), StatementLine("195", 2_500_00, "WIREB2", "", "INCOMING WIRE EXAMPLE DRUG 102"))
    _approve(office, office.ask("negatives", "paid", B.ncpdp_id, "--bank-reference", "WIREB2")["approval_id"])
    assert _stands(office) == (0, 0, 5_000_00)
    office.match()
    ((_, cents),) = [item for item in office.cases().items() if item[0][0] == "deposit_without_advice"]
    assert cents == 400_00
    office.run("negatives", "paid", B.ncpdp_id, "--bank-reference", "WIREB2", code=5)
    office.run("negatives", "paid", B.ncpdp_id, "--bank-reference", "NONE", code=2)
    office.prove()


def test_write_off_by_two(office: Office) -> None:
    """1,100.00 of B's 3,100.00 are given up: the PSAO's loss, its float stays as it is.

    | step | B due | B advance | float | bad debt |
    | --- | --- | --- | --- | --- |
    | after the take-back | -3,100.00 | 3,100.00 | 1,900.00 | 0 |
    | one asks | -3,100.00 | 3,100.00 | 1,900.00 | 0 |
    | another approves | -2,000.00 | 2,000.00 | 1,900.00 | 1,100.00 |
    """
    _turn_negative(office)
    words = ("--reason", "closed, nothing to collect", "--date", f"{LATER}")
    refused = office.run("negatives", "write-off", B.ncpdp_id, "--amount", "3100.01", *words, code=5)
    assert "owes 3,100.00" in refused.err
    office.run("negatives", "write-off", A.ncpdp_id, "--amount", "1", *words, code=5)
    asked = office.ask("negatives", "write-off", B.ncpdp_id, "--amount", "1100", *words)
    office.run("approvals", "approve", str(asked["approval_id"]), code=5)
    assert _stands(office) == (-3_100_00, 3_100_00, 1_900_00)
    _approve(office, asked["approval_id"])
    assert _stands(office) == (-2_000_00, 2_000_00, 1_900_00)
    balances = office.trial_balance()
    assert balances[B.ncpdp_id, "operating", "bad_debt"] == 1_100_00
    assert balances[B.ncpdp_id, "operating", "advance_receivable"] == 2_000_00
    (owing,) = _negatives(office, LATER)
    assert (owing["written_off_cents"], owing["owed_cents"]) == (1_100_00, 2_000_00)
    office.prove()


def test_write_off_is_asked_again_when_it_is_approved(office: Office) -> None:
    """A write-off of 3,000.00 waits while 1,000.00 come in: 2,100.00 are owed, and approving it is refused."""
    _turn_negative(office)
    words = ("--amount", "3000", "--reason", "closed", "--date", f"{LATER}")
    asked = office.ask("negatives", "write-off", B.ncpdp_id, *words)
    office.fund(remittance("TRN2", LATER, Part(B, (1_000_00,))))
    refused = office.run("approvals", "approve", str(asked["approval_id"]), user=CHECKER, code=5)
    assert "owes 2,100.00" in refused.err
    assert _stands(office) == (-2_100_00, 2_100_00, 2_900_00)


def test_float_that_is_too_small(office: Office) -> None:
    """With 100.00 of float a take-back of 3,100.00 waits: 3,000.00 are missing; put in, it is funded.

    | step | B due | float | missing | may be withdrawn |
    | --- | --- | --- | --- | --- |
    | float put in | 0 | 100.00 | 0 | 100.00 |
    | 835 with B -3,100.00 | 0 | 100.00 | 3,000.00 | 100.00 |
    | an unexplained debit of 40.00 | 0 | 100.00 | 3,000.00 | 60.00 |
    | 3,050.00 put in | -3,100.00 | 50.00 | 0 | 10.00 |
    """
    office.put_in("OWN1", 100_00, date(2026, 11, 2))
    office.remit(remittance("TRN1", DAY, Part(A, (4_000_00,)), Part(B, (-3_100_00,))))
    office.book(DAY, paid_in("TRN1", 900_00))
    office.match()
    cover = office.ask("float", "show")
    assert cover["missing"] == [{"what": "TRN1", "cents": 3_000_00}]
    assert cover["withdrawable_cents"] == 100_00
    office.book(LATER, paid_out("ODD1", 40_00))
    cover = office.ask("float", "show")
    assert (cover["unexplained_debit_cents"], cover["withdrawable_cents"]) == (40_00, 60_00)
    office.put_in("OWN2", 3_050_00, date(2026, 11, 13))
    office.match()
    cover = office.ask("float", "show")
    assert (cover["float_cents"], cover["missing"], cover["withdrawable_cents"]) == (50_00, [], 10_00)
    assert _stands(office) == (-3_100_00, 3_100_00, 50_00)
    office.prove()
