"""What is looked at before a month is closed, each a line of one table: what is wrong, and what to do.

The proofs are of all books. The bank is tied out (proof P4) for each banking day of the month and each account: a
statement that is missing is a finding, not a pass. What else is open is judged by ``payouts.closing.kinds``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row

from ledger.events import month_reference
from ledger.proofs import Proof, prove
from ledger.queries import Queries
from payouts.certificates.errors import CertificateUnprovenError
from payouts.certificates.population import population
from payouts.closing.carrying import Carry, carried_of, chosen
from payouts.closing.kinds import rule_of
from payouts.closing.model import Carried, Check, Findings, Tell, TiedDay, Verdict, month_after
from schemas.calendar import is_banking_day
from schemas.money import show_cents

QUERIES = Queries("payouts", "closing.sql")

_TIE_OUT = "bank tie-out"


@dataclass(frozen=True, slots=True)
class Proven:
    """What the proofs said, and of which moment: what was posted later is not in it."""

    checks: tuple[Check, ...]
    snapshot: str


def prove_all(connection: Connection, month: date, tell: Tell) -> Proven:
    """Run every proof of the books, and prove the certificates of the month, in one snapshot of the database."""
    snapshot = str(connection.execute(QUERIES["snapshot"]).scalar_one())
    # P4 of all days that there were is the tie-out's own line: here it is of the month, and exact.
    proofs = [proof for proof in Proof if proof is not Proof.P4]
    checks: list[Check] = []
    for done, proof in enumerate(proofs):
        tell(f"proof {proof.name}", done, len(proofs))
        checks.append(prove_one(connection, proof))
    return Proven((*checks, _certifiable(connection, month, tell)), snapshot)


def prove_one(connection: Connection, proof: Proof) -> Check:
    """Run one proof of the books."""
    verdict = prove(connection, proof)
    return Check(
        name=proof.name,
        verdict=Verdict.HOLDS if verdict.holds else Verdict.FAILS,
        checked=verdict.checked,
        found=verdict.failing,
        detail=proof.value if verdict.holds else verdict.detail,
        todo="" if verdict.holds else "See: centralpay ledger verify",
    )


def _certifiable(connection: Connection, month: date, tell: Tell) -> Check:
    """See that every member's month, and the population's, can be certified: the package says what they are."""
    first, last = month, month_after(month) - timedelta(days=1)
    members, faults = 0, tuple[str, ...]()
    try:
        made, faults = population(connection, first, last, lambda done: tell("certificates", done, None))
        members = made.members
    except CertificateUnprovenError as error:
        faults = tuple(f"{error.whom}: {each}" for each in error.faults)
    return Check(
        name="certificates",
        verdict=Verdict.FAILS if faults else Verdict.HOLDS,
        checked=members,
        found=len(faults),
        detail=_first(faults) or "every member's month is proven: what was kept is the flat fee",
        todo=f"See: centralpay certificates population --month {month:%Y-%m}" if faults else "",
    )


def look(connection: Connection, month: date, proven: Proven, carries: Sequence[Carry] = ()) -> Findings:
    """Look at everything but the proofs, and put it together with them.

    Args:
        connection: of a unit of work that holds the month, or of a snapshot that only looks.
        month: its first day.
        proven: what the proofs said.
        carries: what an approver carries over by name.

    Raises:
        CarryError: it is not open, or nobody may carry it over.
    """
    asked = {"month": month, "next_month": month_after(month), "reference": month_reference(month)}
    days = tied_days(connection, asked)
    tied = _tied_out(connection, asked, days)
    others = [ask(connection, asked) for ask in _OTHERS]
    cases = connection.execute(QUERIES["open_cases"], asked).all()
    by_name = chosen(carries, cases, [each for each in others if each.verdict is Verdict.BLOCKS])
    others = [_carried_over(each, by_name) for each in others]
    carried = (*carried_of(others, by_name), *_carried_cases(cases, by_name))
    checks = (*proven.checks, tied, *others, *_case_checks(cases, by_name))
    return Findings(tuple(checks), tuple(carried), tuple(days))


def tied_days(connection: Connection, asked: dict[str, Any]) -> list[TiedDay]:
    """Give the bank's closing balance and the books for each account and day of the month that has a statement."""
    return [TiedDay(**row) for row in connection.execute(QUERIES["tie_out"], asked).mappings()]


def _tied_out(connection: Connection, asked: dict[str, Any], days: list[TiedDay]) -> Check:
    stated = {(each.custodial_account_id, each.as_of) for each in days}
    wrong = [
        f"account …{account.last_four} has no statement of {day}"
        for account in connection.execute(QUERIES["accounts"], asked)
        for day in _expected(account, asked)
        if (account.custodial_account_id, day) not in stated
    ]
    apart = [each for each in days if each.difference_cents]
    wrong += [
        f"{each.as_of}: the bank closes at {show_cents(each.closing_cents)}, "
        f"the books at {show_cents(each.booked_cents)}"
        for each in apart
    ]
    return Check(
        name=_TIE_OUT,
        verdict=Verdict.FAILS if wrong else Verdict.HOLDS,
        checked=len(stated),
        found=len(wrong),
        amount_cents=sum(abs(each.difference_cents) for each in apart),
        detail=_first(wrong) or "the cash of all owners is the bank's closing balance, each day (P4)",
        todo="Take in the bank's statement of each banking day: centralpay ingest FILE" if wrong else "",
    )


def _expected(account: Row[Any], asked: dict[str, Any]) -> Iterator[date]:
    """Give the banking days of the month from the account's first statement on; none of an account that was left."""
    if account.was_left or (account.first_on is None and not account.has_cash):
        return
    day = max(asked["month"], account.first_on or asked["month"])
    while day < asked["next_month"]:
        if is_banking_day(day):
            yield day
        day += timedelta(days=1)


def _first(said: Sequence[str]) -> str:
    return "" if not said else said[0] + (f" (and {len(said) - 1} more)" if len(said) > 1 else "")


# What else is open, one function a line -----------------------------------------------------------------------------


def _bank_lines(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["unposted_lines"], asked).one()
    detail = f"bank line {row.first} is in no transaction" if row.found else "every line of the bank is posted"
    return _line("bank lines posted", Verdict.FAILS, row, detail, "See: centralpay exceptions list")


def _files(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["half_read"], asked).one()
    detail = f"file {row.first} was read in part" if row.found else "no file is half read"
    return _line("files read", Verdict.BLOCKS, row, detail, "Take it in again: centralpay ingest FILE")


def _refused_files(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["unaccepted"], asked).one()
    detail = f"file {row.first} was not taken in" if row.found else "every file that came was taken in"
    return _line("files taken in", Verdict.LISTED, row, detail, "See: centralpay exceptions list")


def _items(connection: Connection, asked: dict[str, Any], account: str, name: str) -> Check:
    """Look at what nothing explained by the month's end; a debit that is still open and is no exception blocks."""
    row = next(each for each in connection.execute(QUERIES["open_items"], asked) if each.account == account)
    blocks = account == "unmatched_debit" and row.unasked > 0
    return Check(
        name=name,
        verdict=Verdict.BLOCKS if blocks else Verdict.LISTED if row.found else Verdict.HOLDS,
        checked=row.found,
        found=row.found,
        amount_cents=abs(row.cents),
        detail=f"{row.found} at the month's end, {row.still} of them still" if row.found else "none at the month's end",
        todo="Run: centralpay match" if blocks else "",
    )


def _deposits(connection: Connection, asked: dict[str, Any]) -> Check:
    return _items(connection, asked, "unmatched_deposit", "deposits unexplained")


def _debits(connection: Connection, asked: dict[str, Any]) -> Check:
    return _items(connection, asked, "unmatched_debit", "debits unexplained")


def _suspense(connection: Connection, asked: dict[str, Any]) -> Check:
    return _items(connection, asked, "suspense", "suspense")


def _transit(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["late_in_transit"], asked).one()
    detail = f"{row.first} was to settle within the month" if row.found else "what was to settle has settled"
    return _line("payouts in transit", Verdict.BLOCKS, row, detail, "Run centralpay match; ask the bank")


def _cycles(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["half_done"], asked).one()
    detail = f"cycle {row.first} is neither released nor void" if row.found else "no cycle is half done"
    return _line(
        "cycles", Verdict.BLOCKS, row, detail, "Release it, or void it: centralpay cycle void ID --reason TEXT"
    )


def _fees(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["unassessed"], asked).one()
    detail = (
        f"{row.found} members without the month's fee" if row.found else "the month's fee of every member is assessed"
    )
    todo = f"Run: centralpay fees assess --month {asked['month']:%Y-%m}"
    return _line("fees assessed", Verdict.BLOCKS, row, detail, todo)


def _approvals(connection: Connection, asked: dict[str, Any]) -> Check:
    row = connection.execute(QUERIES["waiting_approvals"], asked).one()
    detail = f"approval {row.first} waits for a second person" if row.found else "nothing waits for a second person"
    return _line("approvals waiting", Verdict.LISTED, row, detail, "See: centralpay approvals list")


_OTHERS: tuple[Callable[[Connection, dict[str, Any]], Check], ...] = (
    _bank_lines, _files, _refused_files, _deposits, _debits, _suspense, _transit, _cycles, _fees, _approvals,
)  # fmt: skip


def _line(name: str, verdict: Verdict, row: Row[Any], detail: str, todo: str) -> Check:
    return Check(
        name=name,
        verdict=verdict if row.found else Verdict.HOLDS,
        checked=getattr(row, "checked", row.found),
        found=row.found,
        amount_cents=getattr(row, "cents", 0),
        detail=detail,
        todo=todo if row.found else "",
    )


# Exceptions ----------------------------------------------------------------------------------------------------------


def _case_checks(cases: Sequence[Row[Any]], by_name: dict[str, str]) -> Iterator[Check]:
    """Give one line for each kind of which some are open."""
    for kind, group in groupby(sorted(cases, key=lambda each: (each.kind, each.id)), key=lambda each: each.kind):
        rows, rule = list(group), rule_of(kind)
        left = [each for each in rows if f"exception {each.id}" not in by_name] if rule.blocks else []
        verdict = Verdict.BLOCKS if left else Verdict.CARRIED if rule.blocks else Verdict.LISTED
        if left and not rule.carriable:
            verdict = Verdict.FAILS
        carry = f", or carry it over: --carry {left[0].id} --reason TEXT" if left and rule.carriable else ""
        yield Check(
            name=f"exceptions: {kind}",
            verdict=verdict,
            checked=len(rows),
            found=len(rows),
            amount_cents=sum(abs(each.amount_cents) for each in rows),
            detail=f"exception {(left or rows)[0].id}, {(left or rows)[0].subject}: {rule.why}",
            todo=f"See: centralpay exceptions show {left[0].id}{carry}" if left else "",
        )


def _carried_cases(cases: Sequence[Row[Any]], by_name: dict[str, str]) -> Iterator[Carried]:
    for each in cases:
        rule, subject = rule_of(each.kind), f"exception {each.id}"
        if rule.blocks and subject not in by_name:
            continue
        yield Carried(
            subject=subject,
            exception_id=each.id,
            kind=each.kind,
            about=each.subject,
            amount_cents=each.amount_cents,
            detail=each.detail,
            reason=by_name.get(subject, rule.why),
            by_name=subject in by_name,
        )


def _carried_over(check: Check, by_name: dict[str, str]) -> Check:
    if check.name not in by_name:
        return check
    return check.model_copy(update={"verdict": Verdict.CARRIED, "todo": ""})
