"""What is shown one by one, and the lists of what is set up, as known at a checkpoint: as it was shown then."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.demo.simulator.rules import Pick, Return, Rules
from ingest.bank.bai2_writer import StatementLine
from tests.support.closing import book_days
from tests.support.desk import ExceptionsDesk
from tests.support.office import AUDITOR, CHECKER, Office
from tests.support.trade import A, B, C, Part, pharmacy, remittance, roster_file

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))
NEXT_MONDAY = date(2026, 11, 23)
BY_NUMBER: dict[str, tuple[str, ...]] = {
    "file": ("ach", "show", "1"),
    "entry": ("ach", "find", "{trace}", "--date", "2026-11-20"),
    "answer": ("returns", "show", "1"),
    "correction": ("corrections", "show", "{correction}"),
    "disbursement": ("disbursements", "show", "{disbursement}"),
    "hold": ("holds", "show", "{hold}"),
}
"""What is there by a number: before it is there it is nothing."""
OF_ALL: dict[str, tuple[str, ...]] = {
    "claim": ("claim", "find", "--rx", "6000000", "--member", A.ncpdp_id),
    "statements": ("statements", "list", "--member", A.ncpdp_id),
    "certificates": ("certificates", "list", "--member", A.ncpdp_id),
    "of all": ("certificates", "list"),
    "limits": ("limits", "list"),
    "cut-offs": ("cut-offs", "list"),
    "rules": ("unclaimed", "rules", "list"),
    "users": ("users", "list"),
    "members": ("members", "list"),
    "months": ("periods", "list"),
    "letters": ("notices", "list", "--all"),
    "letters that wait": ("notices", "list"),
    "reads": ("audit", "reads"),
}
"""What is asked for without one."""
RULES = """state,property,months,letter_from_days,letter_until_days,since,source
IL,VENDOR,36,120,60,2026-01-01,765 ILCS 1026
"""


class Told:
    """An office that lived on after it was sealed, and what it said right then.

    Args:
        office: whose commands are asked.
        numbers: what stands for names in the questions.
    """

    def __init__(self, office: Office, numbers: dict[str, str]) -> None:
        self.office = office
        self.numbers = numbers
        self.size = sealed(office)
        self.was = {name: self.ask(words) for name, words in (BY_NUMBER | OF_ALL).items()}

    def words(self, words: Sequence[str]) -> list[str]:
        """Give a question's words."""
        return [word.format(**self.numbers) for word in words]

    def ask(self, words: Sequence[str], *more: str) -> dict[str, Any]:
        """Ask a question; its answer without which past it was about."""
        document = self.office.ask(*self.words(words), *more)
        assert "known_at" in document
        return {name: each for name, each in document.items() if name != "known_at"}


def sealed(office: Office) -> int:
    """Seal and give the checkpoint's size."""
    return int(office.ask("ledger", "seal")["checkpoint"]["size"])


def end(office: Office, day: date) -> None:
    """Let the bank close a day, take in what it says, and match."""
    done = office.bank.close(day)
    for content in (done.bai2, *done.answers):
        assert office.receive(content)["status"] == "accepted"
    office.match()


def first_life(office: Office) -> dict[str, str]:
    """A is paid 1,000.00 and B 200.00, 100.00 of B's are levied; A's payment comes back, its money not yet.

    A check for the levy and a correction of 10.00 from A to B wait for a second person.
    """
    office.bank.rules = Rules(returns=[Return(code="R03", pick=Pick(identification=A.ncpdp_id), credited_after_days=1)])
    office.put_in("OWN", 500_00, MONDAY)
    office.fund(remittance("T1", MONDAY, Part(A, (1_000_00,)), Part(B, (300_00,))))
    office.book(MONDAY, StatementLine("195", 1_00, "INTEREST1", "", "INTEREST PAID"))
    office.match()
    (case,) = office.cases()
    ExceptionsDesk(office, MONDAY).resolve(*case, "interest")
    days = ("--review-on", "2027-01-15", "--date", f"{MONDAY}")
    order = ("--authority", "Circuit Court, 26-L-1", "--payee", "Acme Wholesale", "--amount", "100.00")
    (levy,) = office.ask("levies", "receive", B.ncpdp_id, *order, *days)["levies"]
    hold = str(levy["hold_id"])
    office.ask("levies", "take", hold, "--date", f"{MONDAY}")
    released = office.pay(TUESDAY)
    office.bank.send(Path(released["nacha_file"]).read_bytes(), TUESDAY)
    for day in (WEDNESDAY, THURSDAY, FRIDAY):
        end(office, day)
    check = office.ask("levies", "pay", hold)
    shares = office.save(f"member,amount,claim\n{A.ncpdp_id},0.60,\n{B.ncpdp_id},0.40,\n".encode(), "shares.csv")
    reason = ("--reason", "November", "--date", f"{FRIDAY}")
    interest = office.ask("interest", "allocate", "--rows", str(shares), *reason)
    why = ("--amount", "10.00", "--float-covers", "--reason", "wrong store", "--date", f"{FRIDAY}")
    correction = office.ask("corrections", "propose", "--from", A.ncpdp_id, "--to", B.ncpdp_id, *why)
    entries = office.ask("ach", "show", "1")["entries"]
    return {
        "hold": hold,
        "disbursement": str(check["disbursement_id"]),
        "correction": str(correction["approval_id"]),
        "interest": str(interest["approval_id"]),
        "trace": f"{int(entries[0]['trace_number']):015d}",
    }


def second_life(office: Office, disbursement: str) -> None:
    """The returned money comes, all is approved, the check and the letters are written, papers are issued.

    There are another limit, cut-off, rule, user and member; an auditor asks.
    """
    end(office, NEXT_MONDAY)
    days = ("--since", "2026-12-01", "--date", f"{NEXT_MONDAY}")
    office.ask("limits", "set", "payment_days", "5", *days)
    for each in office.ask("approvals", "list")["approvals"]:
        office.ask("approvals", "approve", str(each["approval_id"]), user=CHECKER)
    office.ask("disbursements", "release", disbursement, "--out", str(office.out), "--date", f"{NEXT_MONDAY}")
    office.ask("cut-offs", "set", "file_handover", "--time", "16:30", *days, user=CHECKER)
    office.ask("unclaimed", "rules", "import", str(office.save(RULES.encode(), "rules.csv")))
    office.ask("notices", "write", "--out", str(office.folder / "letters"))
    office.ask("users", "add", "zoe", "--role", "operator")
    office.run("members", "import", str(roster_file(office.folder / "roster.csv", (A, B, C, pharmacy(104)))))
    span = ("--from", "2026-11-01", "--to", "2026-11-20")
    office.run("statement", "--member", A.ncpdp_id, *span, "--out", str(office.folder / "a.json"))
    month = ("--month", "2026-11", "--out")
    office.run("certificate", "--member", A.ncpdp_id, *month, str(office.folder / "c.json"))
    office.run("certificates", "population", *month, str(office.folder / "p.json"))
    office.ask("ledger", "balances", user=AUDITOR)


def test_what_is_shown_is_shown_as_it_was(office: Office) -> None:
    """Before: a payment of 1,000.00 that came back, its money awaited. After: held; approved; set up otherwise.

    At the checkpoint everything is as it was shown then; at one from before, it is not there.
    """
    empty = sealed(office)
    told = Told(office, first_life(office))
    assert told.was["claim"]["claims"][0]["missing"] is None
    second_life(office, told.numbers["disbursement"])
    for name, words in (BY_NUMBER | OF_ALL).items():
        assert told.ask(words, "--known-at", f"{told.size}") == told.was[name], name
    now = {name for name, words in (BY_NUMBER | OF_ALL).items() if told.ask(words) != told.was[name]}
    assert set(BY_NUMBER | OF_ALL) - now == {"file", "entry"}
    rows = ("approvals", "rows", told.numbers["interest"])
    for size, cents in ((empty, []), (told.size, [60, 40])):
        shares = office.ask(*rows, "--known-at", f"{size}")["rows"]
        assert [each["amount_cents"] for each in shares] == cents
    for words in BY_NUMBER.values():
        office.run(*told.words(words), "--known-at", f"{empty}", code=2)
    assert f"checkpoint {told.size}" in office.run(*OF_ALL["users"], "--known-at", f"{told.size}").out


def test_a_close_is_known_when_it_is_sealed(office: Office) -> None:
    """October is open at the first checkpoint and closed at its own, also after it was opened again."""
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    book_days(office, first, last)
    office.ask("fees", "assess", "--month", "2026-10", "--date", f"{last}")
    open_size = sealed(office)
    was = office.ask("periods", "show", "2026-10", "--known-at", f"{open_size}")
    assert (was["state"], was["closes"]) == ("open", [])
    office.ask("close", "--month", "2026-10", "--date", "2026-11-03", user=CHECKER)
    closed_size = sealed(office)
    words = ("periods", "show", "2026-10")
    closed = office.ask(*words)
    assert closed["state"] == "closed"
    asked = office.ask("periods", "reopen", "2026-10", "--reason", "a deposit was booked twice")
    office.ask("approvals", "approve", str(asked["approval_id"]), user=CHECKER)
    assert office.ask(*words)["state"] == "open"
    for size, said in ((open_size, was), (closed_size, closed)):
        again = office.ask(*words, "--known-at", f"{size}")
        assert again | {"known_at": None} == said | {"known_at": None}


@pytest.mark.parametrize("asked", ["2099-01-01", "2099-01-01T00:00:00Z", "2098-12-31T19:00:00-05:00"])
def test_the_future_is_not_known(office: Office, asked: str) -> None:
    """An instant to come is refused, whatever it is asked for: the next checkpoint would change its answer."""
    sealed(office)
    out = str(office.folder / "s.json")
    month = ("--from", "2026-11-01", "--to", "2026-11-15")
    for words in (
        ("ledger", "balances"),
        ("statement", "--member", A.ncpdp_id, *month, "--out", out),
        ("certificates", "population", "--month", "2026-11", "--out", out),
        ("ledger", "export", "--format", "csv", "--out", str(office.folder / "export")),
        ("ledger", "proof", "--trail", "1"),
    ):
        outcome = office.run(*words, "--known-at", asked, code=2)
        assert "is not over: it is 20" in outcome.err
    assert office.ask("statements", "list", "--member", A.ncpdp_id)["statements"] == []
    assert not Path(out).exists()
