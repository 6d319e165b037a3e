"""Several feeds of one bank through the commands: XML beside BAI2, received entries, and never the same cent twice."""

from datetime import date

import pytest

from app.demo.simulator.bank import Bank, Day
from ingest.bank.bai2_writer import StatementLine, write_bai2
from tests.support.office import CHECKER, Office
from tests.support.trade import BANK_ACCOUNT, OTHER_PAYER, PAYER, A, B, Part, remittance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)


def _monday(office: Office) -> Day:
    """Remit 500.00 to A and 20.00 to B; let the bank close a day that opened with 7.00 and brought both payments."""
    office.found(A, B)
    office.remit(remittance("T100", MONDAY, Part(A, (500_00,))), remittance("T101", MONDAY, Part(B, (20_00,))))
    bank = Bank(BANK_ACCOUNT, 7_00)
    bank.receive(PAYER, 500_00, "T100", MONDAY)
    bank.receive(PAYER, 20_00, "T101", MONDAY)
    return bank.close(MONDAY)


def _cash(office: Office) -> int:
    balances = office.trial_balance()
    return sum(cents for (_, _, account), cents in balances.items() if account == "cash")


def test_a_bank_that_sends_xml_pays_the_same_pharmacies(office: Office) -> None:
    """Before: 0.00. The day as CAMT.053: 7.00 before, 500.00 and 20.00 in, 527.00 on the account, both funded.

    The same day as BAI2 then books nothing: 527.00 it stays, and every proof holds.
    """
    day = _monday(office)
    assert _cash(office) == 0
    verdict = office.receive(day.camt053)
    assert (verdict["kind"], verdict["status"], verdict["summary"]) == ("camt053", "accepted", "3 bank lines booked")
    assert _cash(office) == 527_00
    assert {each["trn"]: each["amount_cents"] for each in office.match()["funded"]} == {"T100": 500_00, "T101": 20_00}
    again = office.receive(day.bai2)
    assert again["summary"] == "0 bank lines booked, 1 statement said again what was booked"
    assert office.receive(day.camt053)["status"] == "duplicate"
    assert _cash(office) == day.closing_cents == 527_00
    assert office.match()["funded"] == []
    office.prove()


def test_a_second_statement_that_differs_changes_nothing(office: Office) -> None:
    """BAI2 says 500.00 and 20.00; XML says 500.00 and 21.00: refused with exit 3, both lines named, a case of 1.00.

    527.00 before and after; the person who looks finds the day and what to ask the bank.
    """
    day = _monday(office)
    office.receive(day.bai2)
    wrong = day.camt053.replace(b">20.00<", b">21.00<").replace(b">527.00<", b">528.00<")
    verdict = office.receive(wrong, code=3)
    found = [each["found"] for each in verdict["findings"]]
    assert found[0] == "a credit of 21.00, type 142 that was not booked"
    assert found[1].endswith("a credit of 20.00, type 142")
    assert "Ask the bank" in verdict["findings"][0]["advice"]
    assert _cash(office) == 527_00
    assert office.cases()["feeds_differ", "2026-11-16"] == 1_00
    assert {each["trn"] for each in office.match()["funded"]} == {"T100", "T101"}
    office.prove()


@pytest.mark.parametrize("entries_first", [False, True])
def test_received_entries_name_what_the_statement_left_out(office: Office, *, entries_first: bool) -> None:
    """The statement says 500.00 and 20.00 and not what for; the file of received items names T100 and T101.

    Cash: 0.00 before, 527.00 once the statement is there, 527.00 whichever of the two came first and after both;
    nothing is funded by the statement alone, both are funded with the entries.
    """
    day = _monday(office)
    assert day.received is not None
    lines = [line._replace(text="PREAUTHORIZED ACH CREDIT") for line in day.lines]
    statement = write_bai2(account=BANK_ACCOUNT, as_of=MONDAY, opening_cents=7_00, items=lines)
    if entries_first:
        assert "2 waiting" in office.receive(day.received)["summary"]
        assert _cash(office) == 0
        assert office.receive(statement)["summary"] == "3 bank lines booked, 2 received entries joined"
    else:
        office.receive(statement)
        assert office.match()["funded"] == []
        assert "2 joined to bank lines, 0 waiting" in office.receive(day.received)["summary"]
    assert _cash(office) == 527_00
    assert {each["trn"]: each["amount_cents"] for each in office.match()["funded"]} == {"T100": 500_00, "T101": 20_00}
    assert office.receive(day.received)["status"] == "duplicate"
    office.prove()


def test_entries_that_could_be_either_line_wait(office: Office) -> None:
    """Two payers send 500.00 each on one day, the statement names neither: nothing is guessed, both are listed.

    Cash 1,000.00 from the statement; nothing funded; two cases of 500.00 and two advices that wait.
    """
    office.found(A)
    office.remit(remittance("T100", MONDAY, Part(A, (500_00,))))
    bank = Bank(BANK_ACCOUNT)
    bank.receive(PAYER, 500_00, "T100", MONDAY)
    bank.receive(OTHER_PAYER, 500_00, "T200", MONDAY)
    day = bank.close(MONDAY)
    lines = [StatementLine("142", 500_00, f"R{number}", "", "PREAUTHORIZED ACH CREDIT") for number in (1, 2)]
    office.receive(write_bai2(account=BANK_ACCOUNT, as_of=MONDAY, opening_cents=0, items=lines))
    assert day.received is not None
    assert "0 joined to bank lines, 2 waiting" in office.receive(day.received)["summary"]
    assert office.match()["funded"] == []
    waiting = [cents for (kind, subject), cents in office.cases().items() if subject.startswith("received entry ")]
    assert waiting == [500_00, 500_00]
    assert _cash(office) == 1_000_00
    office.prove()


def test_another_approver_lets_a_wrong_count_through(office: Office) -> None:
    """A statement of 527.00 that counts a line too few: exit 3 and 0.00 booked; waived by the maker: exit 5, 0.00.

    Waived by another approver with a reason: 527.00, the miscount told as a warning; every proof holds.
    """
    day = _monday(office)
    lines = day.bai2.decode().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("49,"))
    trailer, total, count = lines[place].rstrip("/").split(",")
    lines[place] = f"{trailer},{total},{int(count) - 1}/"
    path = str(office.save("\n".join([*lines, ""]).encode(), "bank.bai"))
    assert office.ask("ingest", path, code=3)["files"][0]["findings"][0]["rule"] == "record_count"
    waive = "ingest", path, "--waive", "record_count"
    office.run(*waive, "--reason", "the bank counts no 88s", code=5)
    office.run(*waive, user=CHECKER, code=2)
    assert _cash(office) == 0
    (verdict,) = office.ask(*waive, "--reason", "the bank counts no 88s", user=CHECKER)["files"]
    assert (verdict["status"], [each["severity"] for each in verdict["findings"]]) == ("accepted", ["warn"])
    assert _cash(office) == 527_00
    office.prove()


_BEGIN = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
_BAD = {
    "external entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + _BEGIN + b"&x;",
    "half a file": _BEGIN + b"<Stmt>",
}


@pytest.mark.parametrize("content", _BAD.values(), ids=_BAD)
def test_bad_xml_is_refused_and_changes_nothing(office: Office, content: bytes) -> None:
    """An attack or half a file ends with exit 3 and findings, and leaves nothing behind but its record."""
    office.found(A)
    verdict = office.receive(content, code=3)
    assert verdict["status"] == "quarantined"
    assert {each["rule"] for each in verdict["findings"]} <= {"no_document_type", "xml_well_formed"}
    assert _cash(office) == 0
