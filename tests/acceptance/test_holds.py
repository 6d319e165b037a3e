"""Holds and levies as finance lives through them, through the commands: what is kept back, taken, lifted and paid."""

from datetime import date

from ingest.bank.bai2_writer import StatementLine
from tests.support.bank import paid_in, paid_out
from tests.support.office import CHECKER, MAKER, Office
from tests.support.trade import OTHER_PAYER, A, B, Part, remittance

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = (date(2026, 11, day) for day in (16, 17, 18, 19))


def _books(office: Office) -> dict[str, int]:
    """Give what A has in each account of the custody ledger, as owed to it."""
    balances = office.trial_balance()
    return {
        account: -cents
        for (owner, ledger, account), cents in balances.items()
        if (owner, ledger) == (A.ncpdp_id, "custody") and account != "cash"
    }


def _approve(office: Office, approval_id: int) -> None:
    office.ask("approvals", "approve", str(approval_id), user=CHECKER)


def _fund_by_other(office: Office, trace: str, day: date, cents: int) -> None:
    office.remit(remittance(trace, day, Part(A, (cents,)), payer=OTHER_PAYER))
    office.book(day, paid_in(trace, cents, payer=OTHER_PAYER))
    office.match()


def test_hold_of_one_payers_money(office: Office) -> None:
    """One payer's money is kept back in a dispute, the other's is paid; a second person lifts the hold.

    | step | available | held | in transit |
    | --- | --- | --- | --- |
    | payer 1 brings 1,000.00, payer 2 400.00 | 1,400.00 | 0 | 0 |
    | hold of payer 2's money, one person | 1,000.00 | 400.00 | 0 |
    | cycle pays 1,000.00, the bank debits it | 0 | 400.00 | 0 |
    | payer 2 brings 150.00, payer 1 200.00; the proposal holds and pays | 200.00 | 550.00 | 0 |
    | that cycle is released and settles | 0 | 550.00 | 0 |
    | lifted by two people | 550.00 | 0 | 0 |
    | paid | 0 | 0 | 550.00 |
    """
    office.fund(remittance("T1", MONDAY, Part(A, (1_000_00,))))
    _fund_by_other(office, "T2", MONDAY, 400_00)
    assert _books(office) == {"due_available": 1_400_00}

    words = ("--kind", "dispute", "--reason", "audit of 2025", "--authority", "agreement, section 7")
    days = ("--review-on", "2026-12-15", "--date", f"{MONDAY}")
    hold = office.ask("holds", "place", A.ncpdp_id, *words, *days, "--payer", str(OTHER_PAYER.payer_id))
    assert (hold["held_cents"], hold["state"]) == (400_00, "active")
    assert _books(office) == {"due_available": 1_000_00, "held": 400_00}

    assert office.pay(MONDAY)["total_cents"] == 1_000_00
    office.book(TUESDAY, paid_out("OUT1", 1_000_00))
    office.match()
    assert _books(office) == {"held": 400_00}

    _fund_by_other(office, "T3", TUESDAY, 150_00)
    office.fund(remittance("T4", TUESDAY, Part(A, (200_00,))))
    cycle_id = office.approved(TUESDAY)
    assert _books(office) == {"due_available": 200_00, "held": 550_00}
    assert office.release(cycle_id)["total_cents"] == 200_00
    office.book(WEDNESDAY, paid_out("OUT2", 200_00))
    office.match()
    assert _books(office) == {"held": 550_00}
    office.prove()

    number = str(hold["hold_id"])
    asked = office.ask("holds", "lift", number, "--reason", "audit closed", "--date", f"{WEDNESDAY}")
    refused = office.run("approvals", "approve", str(asked["approval_id"]), code=5)
    assert "another person" in refused.err.lower()
    assert _books(office) == {"held": 550_00}
    _approve(office, asked["approval_id"])
    assert office.ask("holds", "show", number)["state"] == "lifted"
    assert _books(office) == {"due_available": 550_00}
    assert office.pay(WEDNESDAY)["total_cents"] == 550_00
    assert _books(office) == {"in_transit": 550_00}
    office.prove()


def _pay_levy(office: Office, hold: str) -> None:
    """Propose the check, see that it waits for another person, release it, and let the bank debit it."""
    made = office.ask("levies", "pay", hold)
    number = str(made["disbursement_id"])
    assert (made["payee"], made["amount_cents"], made["state"]) == ("Acme Wholesale", 1_000_00, "proposed")
    early = office.run("disbursements", "release", number, "--out", str(office.out), code=5)
    assert "is proposed" in early.err
    (asked,) = office.ask("approvals", "list")["approvals"]
    office.run("approvals", "approve", str(asked["approval_id"]), user=MAKER, code=5)
    _approve(office, asked["approval_id"])
    where = ("--out", str(office.out), "--date", f"{WEDNESDAY}")
    released = office.ask("disbursements", "release", number, *where)
    assert f"CP-{number}" in (office.out / f"{WEDNESDAY}-CP-{number}-check.txt").read_text()
    assert released["reference"] == f"CP-{number}"
    assert _books(office) == {"in_transit": 1_000_00}
    office.book(THURSDAY, StatementLine("475", 1_000_00, "1041", "", f"CHECK PAID CP-{number}"))
    office.match()
    assert office.ask("disbursements", "show", number)["state"] == "settled"


def test_levy_taken_in_two_fundings_and_paid(office: Office) -> None:
    """A court orders 1,000.00 of A's money for a creditor: 600.00 are there, 400.00 come later; a check pays it.

    | step | available | held | levied | in transit |
    | --- | --- | --- | --- | --- |
    | funded 600.00 | 600.00 | 0 | 0 | 0 |
    | order received | 0 | 600.00 | 0 | 0 |
    | taken: 600.00 | 0 | 0 | 600.00 | 0 |
    | funded 700.00; taken: 400.00 | 300.00 | 0 | 1,000.00 | 0 |
    | A is paid 300.00, the bank debits it | 0 | 0 | 1,000.00 | 0 |
    | check proposed, approved, released | 0 | 0 | 0 | 1,000.00 |
    | the bank debits CP-n 1,000.00 | 0 | 0 | 0 | 0 |
    """
    office.fund(remittance("T1", MONDAY, Part(A, (600_00,))))
    words = ("--authority", "Circuit Court of Cook County, 26-L-1", "--payee", "Acme Wholesale", "--amount", "1,000.00")
    days = ("--review-on", "2027-01-15", "--date", f"{MONDAY}")
    (levy,) = office.ask("levies", "receive", A.ncpdp_id, *words, *days)["levies"]
    hold = str(levy["hold_id"])
    assert (levy["held_cents"], levy["taken_cents"], levy["amount_cents"]) == (600_00, 0, 1_000_00)
    assert _books(office) == {"held": 600_00}

    assert office.ask("levies", "take", hold, "--date", f"{MONDAY}")["taken_cents"] == 600_00
    assert _books(office) == {"levied": 600_00}
    office.fund(remittance("T2", TUESDAY, Part(A, (700_00,))))
    taken = office.ask("levies", "take", hold, "--date", f"{TUESDAY}")
    assert (taken["taken_cents"], taken["levy"]["taken_cents"], taken["levy"]["state"]) == (400_00, 1_000_00, "ended")
    assert _books(office) == {"due_available": 300_00, "levied": 1_000_00}
    refused = office.run("levies", "take", hold, code=5)
    assert "is ended" in refused.err

    assert office.pay(TUESDAY)["total_cents"] == 300_00
    office.book(WEDNESDAY, paid_out("OUT1", 300_00))
    office.match()
    assert _books(office) == {"levied": 1_000_00}

    _pay_levy(office, hold)
    assert _books(office) == {}
    office.prove()


def test_levy_waits_while_the_member_owes(office: Office) -> None:
    """Of A's held 600.00 nothing is levied while A owes 50.00: levied money does not repay the PSAO's advance."""
    office.put_in("OWN1", 500_00, MONDAY)
    office.fund(remittance("T1", MONDAY, Part(A, (600_00,))))
    words = ("--authority", "Court, 26-L-2", "--payee", "Acme", "--amount", "900", "--review-on", "2027-01-15")
    (levy,) = office.ask("levies", "receive", A.ncpdp_id, *words, "--date", f"{MONDAY}")["levies"]
    office.fund(remittance("T2", TUESDAY, Part(A, (-50_00,)), Part(B, (80_00,))))
    said = office.run("levies", "take", str(levy["hold_id"]), "--date", f"{TUESDAY}", code=5).err
    assert "owes 50.00" in said
    assert _books(office) == {"due_available": -50_00, "operating_advance": 50_00, "held": 600_00}
    office.fund(remittance("T3", WEDNESDAY, Part(A, (250_00,))))
    taken = office.ask("levies", "take", str(levy["hold_id"]), "--date", f"{WEDNESDAY}")
    assert taken["taken_cents"] == 800_00
    assert _books(office) == {"levied": 800_00}
    office.prove()


def test_review_day_comes(office: Office) -> None:
    """On the day of review the hold is an exception of 600.00; extended it is none, and says why in its history."""
    office.fund(remittance("T1", MONDAY, Part(A, (600_00,))))
    words = ("--kind", "fraud", "--reason", "tip", "--authority", "compliance officer", "--review-on", "2026-12-01")
    placed = office.run("holds", "place", A.ncpdp_id, *words, "--date", f"{MONDAY}")
    assert "was not told" in placed.out
    (due,) = office.ask("holds", "review", "--date", "2026-12-01")["holds"]
    assert office.cases()["hold_review", f"hold {due['hold_id']}"] == 600_00
    later = ("--review-on", "2027-01-04", "--reason", "records asked for", "--date", "2026-12-01")
    office.ask("holds", "extend", str(due["hold_id"]), *later)
    assert office.cases() == {}
    assert [each["review_on"] for each in office.ask("holds", "list", "--member", A.ncpdp_id)["holds"]] == [
        "2027-01-04"
    ]


def test_wrong_use_is_a_sentence(office: Office) -> None:
    """Unknown holds and members, impossible days, amounts and kinds end with code 2 and a sentence; nothing is held."""
    words = ("--reason", "x", "--authority", "y", "--review-on", "2026-12-01", "--date", "2026-11-16")
    wrong = (
        ("holds", "show", "9"),
        ("holds", "lift", "9", "--reason", "x"),
        ("holds", "place", "0000000", "--kind", "review", *words),
        ("holds", "place", A.ncpdp_id, "--kind", "whim", *words),
        ("holds", "place", A.ncpdp_id, "--kind", "review", *words, "--amount", "12.345"),
        ("holds", "place", A.ncpdp_id, "--kind", "review", *words, "--amount", "-1"),
        ("holds", "place", A.ncpdp_id, "--kind", "review", *words, "--payer", "1999999999"),
        ("holds", "place", A.ncpdp_id, "--kind", "review", *words[:4], "--review-on", "2026-11-16", *words[6:]),
        ("disbursements", "show", "9"),
        ("disbursements", "release", "9", "--out", str(office.out)),
    )
    for command in wrong:
        outcome = office.run(*command, code=2)
        assert "Traceback" not in outcome.err
        assert outcome.err.strip()
    assert office.run("levies", "take", "9", code=2).err.strip()
    assert office.ask("holds", "list", "--all") == {"known_at": None, "holds": []}


def test_screens_say_the_same(office: Office) -> None:
    """Without --json each list is a table with its amounts in dollars, and nothing ends with a traceback."""
    office.put_in("OWN1", 500_00, MONDAY)
    office.fund(remittance("T1", MONDAY, Part(A, (600_00,)), Part(B, (-50_00,))))
    words = ("--authority", "Court, 26-L-2", "--payee", "Acme", "--amount", "900", "--review-on", "2027-01-15")
    office.run("levies", "receive", A.ncpdp_id, *words, "--date", f"{MONDAY}")
    office.run("levies", "take", "1", "--date", f"{MONDAY}")
    office.run("levies", "pay", "1")
    (asked,) = office.ask("approvals", "list")["approvals"]
    number = asked["subject"]
    screens = {
        ("holds", "list"): ("legal", "900.00", "600.00"),
        ("holds", "show", "1"): ("Court, 26-L-2", "levy to Acme"),
        ("holds", "review", "--date", "2027-01-15"): ("2027-01-15",),
        ("levies", "list"): ("Acme", "900.00", "600.00"),
        ("disbursements", "list"): ("levy", "600.00", "proposed"),
        ("disbursements", "show", number): ("Acme", "check"),
        ("negatives", "list", "--as-of", f"{TUESDAY}"): (B.ncpdp_id, "50.00", "0-30"),
        ("float", "show"): ("450.00", "may be withdrawn"),
        ("unclaimed", "due", "--as-of", f"{TUESDAY}"): ("none",),
        ("unclaimed", "rules", "list"): ("none",),
    }
    for command, said in screens.items():
        shown = office.run(*command).out
        assert all(each in shown for each in said), f"{command}: {shown}"
    _approve(office, asked["approval_id"])
    shown = office.run("disbursements", "release", number, "--out", str(office.out), "--date", f"{TUESDAY}").out
    assert f"CP-{number}-check.txt" in shown
    office.book(WEDNESDAY, StatementLine("475", 600_00, "R9", "", "CHECK PAID"))
    office.run("disbursements", "settle", number, code=2)
    assert "none" in office.run("disbursements", "settle").out
    settled = office.ask("disbursements", "settle", number, "--bank-reference", "R9")
    _approve(office, settled["approval_id"])
    assert "settled" in office.run("disbursements", "list", "--all").out
    assert "Nothing stands levied" in office.run("levies", "turn", "1", "--reason", "x", code=5).err
