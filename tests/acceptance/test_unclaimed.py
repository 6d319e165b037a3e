"""Unclaimed property through the commands: a returned payout that nobody asks for, its letter, the state's check."""

from datetime import date
from pathlib import Path

from app.demo.simulator.rules import Return, Rules
from ingest.bank.bai2_writer import StatementLine
from tests.support.office import CHECKER, Office
from tests.support.trade import A, Part, remittance

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
SETTLES, RETURNED = date(2026, 11, 18), date(2026, 11, 20)
LETTER, DORMANT, AFTER = date(2029, 6, 1), date(2029, 11, 20), date(2029, 11, 21)
RULES = """state,property,months,letter_from_days,letter_until_days,since,source
IL,MS08,36,180,60,2020-01-01,765 ILCS 1026/15-201
"""


def _books(office: Office) -> dict[str, int]:
    """Give what A has in each account of the custody ledger, as owed to it."""
    return {
        account: -cents
        for (owner, ledger, account), cents in office.trial_balance().items()
        if (owner, ledger) == (A.ncpdp_id, "custody") and account != "cash"
    }


def _approve(office: Office, approval_id: int) -> None:
    office.run("approvals", "approve", str(approval_id), code=5)
    office.ask("approvals", "approve", str(approval_id), user=CHECKER)


def _pay_and_return(office: Office, code: str) -> str:
    """Fund A with 900.00, release it, and let its bank return it on Friday; give the hold that keeps it."""
    office.bank.rules = Rules(returns=[Return(code=code)])
    office.fund(remittance("T1", MONDAY, Part(A, (900_00,))))
    released = office.pay(TUESDAY)
    assert _books(office) == {"in_transit": 900_00}
    office.bank.send(Path(released["nacha_file"]).read_bytes(), TUESDAY)
    for day in (SETTLES, date(2026, 11, 19), RETURNED):
        closed = office.bank.close(day)
        office.receive(closed.bai2)
        for content in closed.answers:
            office.receive(content)
        office.match()
    assert _books(office) == {"held": 900_00}
    (hold,) = office.ask("holds", "list")["holds"]
    assert (hold["kind"], hold["held_cents"]) == ("returned", 900_00)
    return str(hold["hold_id"])


def _rules(office: Office) -> None:
    path = office.save(RULES.encode(), "rules.csv")
    assert office.ask("unclaimed", "rules", "import", str(path)) == {"rules": 1, "new": 1}
    assert office.ask("unclaimed", "rules", "import", str(path)) == {"rules": 1, "new": 0}


def _declare(office: Office, hold: str) -> None:
    asked = office.ask("unclaimed", "declare", hold, "--reason", "no answer to our letter", "--date", f"{DORMANT}")
    assert _books(office) == {"held": 900_00}
    _approve(office, asked["approval_id"])
    assert _books(office) == {"unclaimed": 900_00}


def test_returned_payout_becomes_unclaimed_and_escheats(office: Office) -> None:
    """900.00 come back from a closed account on 2026-11-20; nobody asks for them, and three years later the state does.

    | step | held | unclaimed | in transit |
    | --- | --- | --- | --- |
    | released 2026-11-17, settled 11-18 | 0 | 0 | 900.00, then 0 |
    | returned 11-20 (R02) | 900.00 | 0 | 0 |
    | dormant from 2029-11-20; the letter goes out 2029-06-01 | 900.00 | 0 | 0 |
    | declared by two people 2029-11-20 | 0 | 900.00 | 0 |
    | check to the state released | 0 | 0 | 900.00 |
    | the bank debits CP-n | 0 | 0 | 0 |
    """
    hold = _pay_and_return(office, "R02")
    (due,) = office.ask("unclaimed", "due", "--as-of", "2027-01-04")["holds"]
    assert "No dormancy rule for IL" in due["problem"]
    why = ("--reason", "no answer to our letter")
    refused = office.run("unclaimed", "declare", hold, *why, "--date", f"{DORMANT}", code=5)
    assert "No dormancy rule for IL" in refused.err

    _rules(office)
    (due,) = office.ask("unclaimed", "due", "--as-of", "2027-01-04")["holds"]
    assert (due["last_activity"], due["dormant_on"]) == (f"{RETURNED}", f"{DORMANT}")
    assert (due["letter_from"], due["letter_until"], due["letter_on"]) == ("2029-05-24", "2029-09-21", None)
    assert office.ask("unclaimed", "letters", "--as-of", "2029-05-23") == {"holds": []}
    assert "ends on 2029-11-20" in office.run("unclaimed", "declare", hold, *why, "--date", f"{LETTER}", code=5).err
    assert "No letter" in office.run("unclaimed", "declare", hold, *why, "--date", f"{DORMANT}", code=5).err
    assert len(office.ask("unclaimed", "letters", "--as-of", f"{LETTER}")["holds"]) == 1
    assert office.ask("unclaimed", "letters", "--as-of", "2029-06-02") == {"holds": []}
    assert office.cases()["unclaimed_due", f"hold {hold}"] == 900_00

    _declare(office, hold)
    office.prove()
    made = office.ask("unclaimed", "escheat", hold, "--payee", "Illinois State Treasurer")
    number = str(made["disbursement_id"])
    assert (made["kind"], made["amount_cents"]) == ("escheat", 900_00)
    (asked,) = office.ask("approvals", "list")["approvals"]
    _approve(office, asked["approval_id"])
    office.ask("disbursements", "release", number, "--out", str(office.out), "--date", f"{DORMANT}")
    assert "Illinois State Treasurer" in (office.out / f"{DORMANT}-CP-{number}-check.txt").read_text()
    assert _books(office) == {"in_transit": 900_00}
    office.book(AFTER, StatementLine("475", 900_00, "1042", "", f"CHECK PAID CP-{number}"))
    office.match()
    assert _books(office) == {}
    assert office.ask("disbursements", "show", number)["state"] == "settled"
    office.prove()


def test_owner_claims_it_before_the_state_has_it(office: Office) -> None:
    """Declared and proposed to be paid to the state, then the pharmacy answers: it is paid its 900.00.

    | step | available | held | unclaimed | in transit |
    | --- | --- | --- | --- | --- |
    | returned (R32), declared | 0 | 0 | 900.00 | 0 |
    | claimed: refused while a check is proposed; that made void, the declaration is turned | 0 | 900.00 | 0 | 0 |
    | lifted by two people | 900.00 | 0 | 0 | 0 |
    | paid | 0 | 0 | 0 | 900.00 |
    """
    hold = _pay_and_return(office, "R32")
    _rules(office)
    office.ask("unclaimed", "letters", "--as-of", f"{LETTER}")
    _declare(office, hold)
    made = office.ask("unclaimed", "escheat", hold, "--payee", "Illinois State Treasurer")
    words = ("unclaimed", "claimed", hold, "--reason", "the owner wrote", "--date", f"{AFTER}")
    assert "void" in office.run(*words, code=5).err
    assert _books(office) == {"unclaimed": 900_00}
    why = ("--reason", "the owner wrote", "--date", f"{AFTER}")
    assert office.ask("disbursements", "void", str(made["disbursement_id"]), *why)["state"] == "void"
    assert office.ask(*words) == {"hold_id": int(hold), "held_cents": 900_00}
    assert _books(office) == {"held": 900_00}
    _approve(office, office.ask("holds", "lift", hold, *why)["approval_id"])
    assert _books(office) == {"due_available": 900_00}
    assert office.pay(AFTER)["total_cents"] == 900_00
    assert _books(office) == {"in_transit": 900_00}
    office.prove()


def test_rules_that_can_not_be_read(office: Office) -> None:
    """A file with anything wrong is refused whole, by line and column; another rule for the same day is refused."""
    head = RULES.splitlines()[0]
    bad = f"{head}\nIL,MS08,36,60,180,2020-01-01,x\nill,MS08,0,180,60,2020-13-01,\nIL,MS08,36,60,10,2020-01-01,x\n"
    said = office.run("unclaimed", "rules", "import", str(office.save(bad.encode(), "bad.csv")), code=3)
    for word in ("letter_from_days", "state", "months", "since", "source", "line 2"):
        assert word in said.err
    assert office.ask("unclaimed", "rules", "list") == {"known_at": None, "rules": []}
    _rules(office)
    other = office.save(RULES.replace(",36,", ",60,").encode(), "other.csv")
    assert "another rule" in office.run("unclaimed", "rules", "import", str(other), code=5).err
    assert [each["months"] for each in office.ask("unclaimed", "rules", "list")["rules"]] == [36]
    assert office.run("unclaimed", "rules", "import", str(office.folder / "none.csv"), code=2).err.strip()
    assert office.run("unclaimed", "declare", "9", "--reason", "x", code=2).err.strip()
