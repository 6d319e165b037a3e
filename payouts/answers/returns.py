"""The money of returns: found among the bank lines, put into the books, by rule or by a person.

A returned payment is cash back: the bank line of its credit is cleared and the money is held for its member, never
paid on by itself. Its credit is the one that names it (its trace, its own number, with a return's type code its
pharmacy) and has its amount; or the one whose amount is the sum of the open returns of one file, where neither the
credit nor the file has another choice. Everything else a person says and a second one approves; never the amount alone.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row

from ingest.cases import CaseKind, settle_cases
from ledger import activity
from ledger.activity import Begin
from ledger.errors import LiabilityInDebitError
from ledger.queries import Queries
from payouts.answers import changes
from payouts.answers.codes import Treatment, meaning_of
from payouts.answers.credits import OpenLine, only_pairs, open_lines, single_line
from payouts.answers.errors import AmountDiffersError, AnswerStateError, NotReturnedYetError, UnknownAnswerError
from payouts.answers.posting import post_answers
from payouts.cycle.cycles import locked
from payouts.people import approvals
from payouts.people.approvals import Approval, ApprovalKind
from payouts.people.users import APPROVERS, require
from payouts.remittances.shares import payout_trace

QUERIES = Queries("payouts", "answers.sql")

RETURN_CODES = frozenset({"257", "258"})
"""BAI2 type codes of credits by which returned entries come back."""
RETURN_DEBIT_CODES = frozenset({"557", "558"})
"""BAI2 type codes of debits by which a returned entry's money is taken again."""

_CREDITED = frozenset({"return", "contested"})


class Posted(BaseModel):
    """An answer whose money was put into the books; cents."""

    model_config = ConfigDict(frozen=True)

    answer_id: int
    kind: str
    code: str
    ncpdp_id: str
    payout_id: int
    amount_cents: int
    bank_line_id: int


@dataclass(frozen=True, slots=True)
class _Group:
    """Answers that one bank line moves the money of."""

    line: OpenLine
    answers: tuple[Row[Any], ...]


def post_returns(begin: Begin, actor: str) -> list[Posted]:
    """Put the money of open answers into the books as far as it is there and told apart; bring their cases up to date.

    Being stopped and run again does no harm: each bank line is one transaction. What was reversed, disputed or settled
    since the last sweep is seen by this one.
    """
    posted: list[Posted] = []
    # A contested return waits for the dishonored one before it: what came of the first pass may make a second one.
    for _ in range(3):
        with begin() as connection:
            waiting = connection.execute(QUERIES["waiting"], {"answer_ids": None}).all()
            groups = list(_groups(waiting, open_lines(connection))) if waiting else []
        before = len(posted)
        for group in groups:
            posted += _try(begin, group, actor)
        if len(posted) == before:
            break
    with begin() as connection:
        changes.follow_changes(connection, actor)
        settle_return_cases(connection)
    return posted


def _try(begin: Begin, group: _Group, actor: str) -> list[Posted]:
    """Post, unless the line was explained otherwise meanwhile, or the money has left again: that is a person's."""
    try:
        with begin() as connection:
            return _post(connection, [row.answer_id for row in group.answers], group.line, actor)
    except LiabilityInDebitError:
        return []


def _post(connection: Connection, answer_ids: Sequence[int], line: OpenLine, actor: str) -> list[Posted]:
    """Post answers against their bank line, if all still may be."""
    rows = _locked(connection, answer_ids)
    if len(rows) != len(answer_ids) or any(why_not(row) for row in rows):
        return []
    post_answers(connection, rows, line, actor)
    return [
        Posted(
            answer_id=row.answer_id,
            kind=row.kind,
            code=row.code,
            ncpdp_id=row.ncpdp_id,
            payout_id=row.payout_id,
            amount_cents=row.amount_cents,
            bank_line_id=line.bank_line_id,
        )
        for row in rows
    ]


def _locked(connection: Connection, answer_ids: Sequence[int]) -> list[Row[Any]]:
    """Take the turn of the answers' cycles, in their order, and give the answers that are still open."""
    parameters = {"answer_ids": list(answer_ids)}
    cycles = {row.cycle_id for row in connection.execute(QUERIES["waiting"], parameters)}
    for cycle_id in sorted(cycles):
        locked(connection, cycle_id)
    connection.execute(QUERIES["lock_answers"], parameters)
    return list(connection.execute(QUERIES["waiting"], parameters))


def why_not(row: Row[Any]) -> str | None:
    """Say why the money of an open answer can not be put into the books yet; None: it can."""
    if row.amount_cents != row.payout_cents:
        return "its amount is not the payment's; a person decides"
    if row.kind == "dishonored":
        if row.about_state != "posted":
            return "the return that it refuses is not in the books"
        return None if row.payout_state == "returned" else f"the payment is {row.payout_state}"
    if row.kind == "return" and row.about_answer_id is not None and row.about_state != "closed":
        return f"the payment was returned already by answer {row.about_answer_id}; a person decides"
    return None if row.payout_state == "settled" else f"the payment is {row.payout_state}, not settled yet"


# Which bank line -----------------------------------------------------------------------------------------------------


def _groups(waiting: Sequence[Row[Any]], lines: Sequence[OpenLine]) -> Iterator[_Group]:
    for sign, codes in ((1, RETURN_CODES), (-1, RETURN_DEBIT_CODES)):
        same_way = [row for row in waiting if (row.kind in _CREDITED) == (sign > 0)]
        rest = [row for row in same_way if not why_not(row)]
        # The bank moves the sum of all answers of a file: what is left without one of them is no such sum.
        partial = {row.file_id for row in same_way if why_not(row)}
        free = [line for line in lines if line.cents * sign > 0]
        for names in (_names, _names_pharmacy):
            pairs = only_pairs((row, line) for row, line in _of_one_amount(rest, free) if names(row, line))
            yield from (_Group(line, (row,)) for row, line in pairs)
            done = {row.answer_id for row, _ in pairs}, {line.bank_line_id for _, line in pairs}
            rest = [row for row in rest if row.answer_id not in done[0]]
            # Beyond its trace a payment is known by a line of a return's type only.
            free = [line for line in free if line.bank_line_id not in done[1] and line.type_code in codes]
        yield from _by_sum([row for row in rest if row.file_id not in partial], free)


def _of_one_amount(rows: Sequence[Row[Any]], lines: Sequence[OpenLine]) -> Iterator[tuple[Row[Any], OpenLine]]:
    """Pair answers with the lines that have their amount and are not from before their payment."""
    amounts: dict[int, list[OpenLine]] = defaultdict(list)
    for line in lines:
        amounts[abs(line.open_cents)].append(line)
    for row in rows:
        yield from ((row, line) for line in amounts.get(row.amount_cents, ()) if line.as_of >= row.business_date)


def _names(row: Row[Any], line: OpenLine) -> bool:
    """Say whether a bank line names an answer's payment by its trace, the answer's, or the payment's own number."""
    own = {f"{row.original_trace:015d}", f"{row.answer_trace:015d}", payout_trace(row.cycle_id, row.payout_id)}
    return bool(own & line.words)


def _names_pharmacy(row: Row[Any], line: OpenLine) -> bool:
    return row.ncpdp_id in line.words


def _by_sum(answers: Sequence[Row[Any]], lines: Sequence[OpenLine]) -> Iterator[_Group]:
    """Pair the open answers of one file with the one line of their sum."""
    files: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in answers:
        files[row.file_id].append(row)
    pairs = [
        (rows, line)
        for rows in files.values()
        for line in lines
        if abs(line.open_cents) == sum(row.amount_cents for row in rows)
        and line.as_of >= max(row.business_date for row in rows)
    ]
    yield from (_Group(line, tuple(rows)) for rows, line in only_pairs(pairs))


# By a person ---------------------------------------------------------------------------------------------------------


def propose_match(connection: Connection, answer_id: int, bank_reference: str, actor: str) -> int:
    """Ask a second person to take a bank line, or part of it, as an answer's money; give the approval.

    Raises:
        UnknownAnswerError, AnswerStateError: there is no such open answer about money.
        NotReturnedYetError: it can not be posted now, and why.
        BankReferenceError: no single open line of the right direction has that reference.
        AmountDiffersError: less than the answer's amount is open on it.
        AskedOtherwiseError: another line is asked for already.
    """
    row = _open_answer(connection, answer_id)
    sign = 1 if row.kind in _CREDITED else -1
    line = single_line(connection, bank_reference, sign=sign)
    if abs(line.open_cents) < row.amount_cents:
        raise AmountDiffersError(f"Answer {answer_id} is about", row.amount_cents, abs(line.open_cents))
    facts = {
        "answer_id": answer_id,
        "bank_line_id": line.bank_line_id,
        "bank_reference": bank_reference,
        "amount_cents": row.amount_cents,
        "payout_id": row.payout_id,
        "code": row.code,
    }
    subject, what = f"answer {answer_id}", ("bank_line_id",)
    return approvals.propose(connection, ApprovalKind.RETURNED_CREDIT, subject, facts, actor, alike=what)


def follow_approval(connection: Connection, approval: Approval) -> None:
    """Post what was approved.

    Raises:
        AnswerStateError, NotReturnedYetError, AmountDiffersError: the world moved since the proposal.
        LiabilityInDebitError: the line was explained otherwise (from the database).
    """
    if approval.state != "approved" or approval.decided_by is None:
        return
    answer_id, line_id = int(approval.facts["answer_id"]), int(approval.facts["bank_line_id"])
    _locked(connection, [answer_id])
    row = _open_answer(connection, answer_id)
    line = next((each for each in open_lines(connection) if each.bank_line_id == line_id), None)
    if line is None or abs(line.open_cents) < row.amount_cents:
        open_cents = 0 if line is None else abs(line.open_cents)
        raise AmountDiffersError(f"Answer {answer_id} is about", row.amount_cents, open_cents)
    post_answers(connection, [row], line, approval.decided_by)
    settle_return_cases(connection)


def _open_answer(connection: Connection, answer_id: int) -> Row[Any]:
    row = connection.execute(QUERIES["waiting"], {"answer_ids": [answer_id]}).first()
    if row is None:
        state = connection.execute(QUERIES["answer_state"], {"answer_id": answer_id}).first()
        if state is None:
            raise UnknownAnswerError(answer_id)
        raise AnswerStateError(answer_id, f"{state.state}, a {state.kind}", "an open return of a payment")
    problem = why_not(row)
    if problem is not None:
        raise NotReturnedYetError(answer_id, problem)
    return row


def close_answer(connection: Connection, answer_id: int, reason: str, actor: str) -> None:
    """Put an open answer aside: nothing more follows from it. A person says why.

    What froze a member's money is an approver's to put aside: with it goes what a lift of the hold would ask for.

    Raises:
        UnknownAnswerError, AnswerStateError: there is no such open answer.
        RoleMissingError: it froze a member, and who acts is no approver.
    """
    connection.execute(QUERIES["lock_answers"], {"answer_ids": [answer_id]})
    row = connection.execute(QUERIES["answer_state"], {"answer_id": answer_id}).first()
    if row is None:
        raise UnknownAnswerError(answer_id)
    if row.state != "open":
        raise AnswerStateError(answer_id, row.state, "an open one")
    if row.asked_change_id is not None:
        said = f"waiting for a decision on change {row.asked_change_id} of bank details"
        raise AnswerStateError(answer_id, said, "that decision first")
    if Treatment(row.treatment).freezes_member:
        require(connection, actor, APPROVERS)
    connection.execute(QUERIES["close"], {"answer_id": answer_id, "actor": actor, "reason": reason})
    activity.record(connection, actor, "answer_closed", f"answer {answer_id}", reason=reason)
    for kind in (CaseKind.ANSWER_UNKNOWN, CaseKind.CHANGE_NOTIFIED):
        changes.resolve_case(connection, kind, answer_id, f"closed by {actor}: {reason}")
    settle_return_cases(connection)


# Cases ---------------------------------------------------------------------------------------------------------------


def settle_return_cases(connection: Connection) -> None:
    """Make the cases of returns without money those that stand; one at a time, for two may see different things."""
    connection.execute(QUERIES["lock_sweep"])
    standing = {
        f"answer {row.answer_id}": (row.amount_cents, _case(row))
        for row in connection.execute(QUERIES["waiting"], {"answer_ids": None})
    }
    settle_cases(connection, CaseKind.RETURN_WITHOUT_MONEY, standing, "posted, or closed by a person")


def _case(row: Row[Any]) -> str:
    payment = f"payout {row.payout_id} to {row.ncpdp_id}, trace {row.original_trace:015d}"
    said = f"{row.code}, {meaning_of(row.code)}: {payment}"
    moved = "its debit" if row.kind == "dishonored" else "its money"
    waits = (
        why_not(row) or f"{moved} is not there, or not told apart: returns match {row.answer_id} --bank-reference REF"
    )
    first = _FIRST.get(Treatment(row.treatment))
    return f"{said}; {waits}" if first is None else f"{said}; {first}; {waits}"


_FIRST = {
    Treatment.FRAUD: "suspicion of fraud: call the member back at the number on file",
    Treatment.LEGAL: "everything of the member is held; only an authority's release lifts it",
    Treatment.REFUSED_OR_DUPLICATE: "look first whether we paid twice",
    Treatment.ACCOUNT_DEAD: "the account is stopped; new bank details are asked for",
}
