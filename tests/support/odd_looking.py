"""What outsiders, members and the office itself say of a month of the odd life, side by side."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate
from typing import Any
from uuid import uuid4

from ledger.export.accounts import PATHS
from tests.support.odd_life import MEMBERS, OddLife
from tests.support.outsiders import Balances, hledger_balances, hledger_checks

_PARTS = {"available": "due_available", "awaiting_payer": "due_unfunded", "held": "held"}
"""Parts of a certificate's closing, and their accounts."""
_OWN = ("operating_float", "operating_advance", "fee_withheld")


TrialBalance = dict[tuple[str, str, str], int]
"""Owner, ledger and account to cents, debit positive, without those of zero."""

_ITEMS = frozenset(
    {
        *("advised", "due_unfunded", "unmatched_deposit", "unmatched_debit", "in_transit", "held", "levied"),
        *("unclaimed", "due_to_payer", "fee_withheld", "fee_receivable"),
    }
)
"""Accounts whose references name items that are there, and are used up: deposits, shares of advices, payouts, holds."""


@dataclass(frozen=True)
class Said:
    """What is said of a month by each of those who say something of it; cents.

    Args:
        certificates: of each member: closing by its parts, and what was kept.
        statements: of each member: closing and what was kept.
        population: the figures of all members together.
        ours: the trial balance, by owner, ledger and account.
        theirs: the balances that hledger computes from an export, by path.
    """

    certificates: dict[str, dict[str, int]] = field(default_factory=dict)
    statements: dict[str, dict[str, int]] = field(default_factory=dict)
    population: dict[str, Any] = field(default_factory=dict)
    ours: TrialBalance = field(default_factory=dict)
    theirs: Balances = field(default_factory=dict)

    @property
    def kept(self) -> list[int]:
        """What was kept of A, B, C, D and E, as their certificates say."""
        return [each["kept"] for each in self.certificates.values()]

    def disagreements(self) -> list[tuple[object, ...]]:
        """Say who disagrees with the trial balance, or with somebody else, and what each says."""
        pairs = [*self._of_members(), *self._of_all()]
        return [(what, one, other) for what, one, other in pairs if one != other]

    def _of_members(self) -> list[tuple[object, object, object]]:
        pairs: list[tuple[object, object, object]] = []
        for store, certified in self.certificates.items():
            owed = {part: -self.ours.get((store, "custody", account), 0) for part, account in _PARTS.items()}
            stated = self.statements[store]
            pairs += [((store, part), certified[part], cents) for part, cents in owed.items()]
            pairs += [
                ((store, "closing"), stated["closing"], sum(owed.values())),
                ((store, "kept"), stated["kept"], certified["kept"]),
            ]
        return pairs

    def _of_all(self) -> list[tuple[object, object, object]]:
        accounts: dict[str, int] = defaultdict(int)
        for (_, ledger, account), cents in self.ours.items():
            if ledger == "custody":
                accounts[account] += cents
        closing = sum(each["closing"] for each in self.statements.values())
        return [
            ("hledger", self.theirs, under_paths(self.ours)),
            ("kept of all", self.population["retained_cents"], sum(self.kept)),
            ("all members' closing", self.population["closing_cents"], closing),
            ("own money", self.population["own_cents"]["closing"], -sum(accounts[each] for each in _OWN)),
            ("the bank", self.population["bank"]["closing_cents"], accounts["cash"]),
        ]


def said_of(life: OddLife, month: str, last: date, *known: str) -> Said:
    """Ask everybody of a month, as of its last day: as the books are now, or ``--known-at`` a checkpoint."""
    office = life.office
    span = ("--from", f"{last.replace(day=1)}", "--to", f"{last}")
    certificates: dict[str, dict[str, int]] = {}
    statements: dict[str, dict[str, int]] = {}
    for store in (each.ncpdp_id for each in MEMBERS):
        figures = office.ask("certificate", "--member", store, "--month", month, *known)["figures"]
        parts = {part: figures["closing_parts_cents"][part] for part in _PARTS}
        certificates[store] = {**parts, "kept": figures["retained_cents"]}
        stated = office.ask("statement", "--member", store, *span, *known)
        statements[store] = {"closing": stated["closing_cents"], "kept": stated["retained_cents"]}
    population = office.ask("certificates", "population", "--month", month, *known)["figures"]
    ours = office.trial_balance("--as-of", f"{last}", *known)
    out = office.folder / f"hledger-{uuid4()}"
    office.run(
        "ledger", "export", "--format", "hledger", "--to", f"{last}", "--out", str(out), "--without-seal", *known
    )
    assert hledger_checks(out / "journal.hledger") == ""
    return Said(certificates, statements, population, ours, hledger_balances(out / "journal.hledger"))


def under_paths(books: TrialBalance) -> Balances:
    """Give a trial balance under the paths that its accounts have in plain-text journals."""
    return {
        PATHS[account] + (":House" if owner == "house" else f":Member:{owner}"): cents
        for (owner, _, account), cents in books.items()
    }


def used_before_they_were_there(life: OddLife) -> dict[tuple[str, str, int], list[tuple[str, int]]]:
    """Give the items that on some day stand on the other side than the one that they were begun on, with their lines.

    Begun is in the order of recording, days are accounting dates: a deposit gives nothing before it is booked, a set is
    not funded before it is advised, a fee not collected before it is assessed.
    """
    moved: dict[tuple[str, str, int], list[tuple[str, int]]] = defaultdict(list)
    lines = life.office.ask("ledger", "journal", "--most", "100000")["lines"]
    for line in sorted(lines, key=lambda line: int(line["transaction_id"])):
        if line["account"] in _ITEMS:
            item = line["owner"], line["account"], line["reference"]
            moved[item].append((line["effective_on"], line["amount_cents"]))
    assert {account for _, account, _ in moved} == _ITEMS
    return {item: posted for item, posted in moved.items() if not _keeps_its_side(posted)}


def _keeps_its_side(posted: list[tuple[str, int]]) -> bool:
    begun = posted[0][1]
    days: dict[str, int] = defaultdict(int)
    for day, cents in posted:
        days[day] += cents
    return all(balance * begun >= 0 for balance in accumulate(days[day] for day in sorted(days)))
