"""What every command prints with ``--json``: one document, the documented names and types, money in integer cents."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from tests.support.bank import own_money, paid_in
from tests.support.lives import kept
from tests.support.office import CHECKER, PROOFS, Office
from tests.support.trade import STRANGER, A, B, C, Part, remittance, remittance_file

DAY = date(2026, 11, 20)

FINDING = {"segment": int, "element": str, "rule": str, "expected": str, "found": str}
SET = {"trn": str, "status": str, "claims": int, "findings": [FINDING]}
INGEST = {"files": [{"path": str, "kind": str, "sha256": str, "status": str, "sets": [SET]}]}
MATCH = {
    "funded": [{"trn": str, "amount_cents": int, "step": int}],
    "parked": {"advices": int, "deposits": int},
}
APPROVAL = {"approval_id": int, "state": str}
PAYOUT = {"member_id": str, "ncpdp_id": str, "amount_cents": int, "fee_cents": int, "state": str}
CYCLE = {
    "cycle_id": int,
    "business_date": str,
    "state": str,
    "set_hash": str,
    "payouts": [PAYOUT],
    "total_cents": int,
    "omitted": [{"ncpdp_id": str, "reason": str}],
}
RELEASE = {
    "cycle_id": int,
    "state": str,
    "nacha_file": str,
    "effective_date": str,
    "payouts": int,
    "total_cents": int,
    "dropped": [{"ncpdp_id": str, "reason": str}],
}
CASE = {
    "id": int,
    "kind": str,
    "subject": str,
    "amount_cents": int,
    "detail": str,
    "opened_at": str,
    "state": str,
}
BALANCE = {
    "owner": str,
    "member_id": (str, type(None)),
    "ledger": str,
    "account": str,
    "debit_cents": int,
    "credit_cents": int,
    "balance_cents": int,
}
TRIAL_BALANCE = {"as_of": (str, type(None)), "known_at": (dict, type(None)), "rows": [BALANCE]}
VERIFY = {"proofs": [{"id": str, "holds": bool, "checked": int, "detail": str}]}


def _fits(value: Any, shape: Any, where: str = "document") -> None:  # noqa: ANN401 (JSON is of any type)
    """See that a value has at least the names of a shape, with these types; the items of a list share one."""
    if isinstance(shape, dict):
        assert isinstance(value, dict), where
        assert set(shape) <= set(value), f"{where} lacks {set(shape) - set(value)}"
        for name, inner in shape.items():
            _fits(value[name], inner, f"{where}.{name}")
    elif isinstance(shape, list):
        assert isinstance(value, list), where
        for place, item in enumerate(value):
            _fits(item, shape[0], f"{where}[{place}]")
    else:
        assert isinstance(value, shape), f"{where} is {value!r}"
        assert shape is not int or not isinstance(value, bool), where


def _amounts(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 (JSON is of any type)
    """Find everything in a document whose name ends in ``_cents``."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.endswith("_cents"):
                yield name, inner
            yield from _amounts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _amounts(inner)


@pytest.fixture
@kept
def busy_office(office: Office) -> Office:
    """Give an office with something of everything: quarantined, short, unknown, negative, unmatched."""
    sound = remittance("JSON1", DAY, Part(A, (900_00,)), Part(B, (-100_00,)), Part(STRANGER, (5_00,)))
    wrong = remittance("JSON2", DAY, Part(A, (10_00,)), payment_cents=11_00)
    short = remittance("JSON3", DAY, Part(C, (10_00,)))
    office.receive(remittance_file(sound, wrong, short), code=3)
    lines = (own_money("OWN1", 500_00), paid_in("JSON1", 805_00), paid_in("JSON3", 9_00), paid_in("STRAY", 1_00))
    office.book(DAY, *lines)
    return office


def test_every_command_prints_its_documented_shape(busy_office: Office) -> None:
    """A day through all commands: each document has the documented names and types, and every amount is an integer."""
    seen: list[dict[str, Any]] = []

    def ask(shape: dict[str, Any], *words: str, user: str = "mary", code: int = 0) -> dict[str, Any]:
        document = busy_office.ask(*words, user=user, code=code)
        _fits(document, shape)
        seen.append(document)
        return document

    again = busy_office.folder / "file-1"
    verdict = ask(INGEST, "ingest", str(again))["files"][0]
    assert {each["status"] for each in verdict["sets"]} == {"duplicate", "quarantined"}
    asked = ask(APPROVAL, "float", "deposit", "--bank-reference", "OWN1")
    assert ask(APPROVAL, "approvals", "approve", str(asked["approval_id"]), user=CHECKER)["state"] == "approved"
    assert ask(MATCH, "match")["funded"]
    counted = ("waived", "waived_cents", "refunded", "refunded_cents", "waiting", "waiting_cents")
    given_back = dict.fromkeys(counted, int)
    assessed = {"month": str, "members": int, "amount_cents": int, "given_back": given_back}
    ask(assessed, "fees", "assess", "--month", "2026-11")
    cycle = ask(CYCLE, "cycle", "propose", "--date", f"{DAY}")
    cycle_id = str(cycle["cycle_id"])
    assert cycle["total_cents"] == sum(each["amount_cents"] for each in cycle["payouts"])
    assert ask(CYCLE, "cycle", "show", cycle_id) == cycle | {"known_at": None}
    ask(APPROVAL, "cycle", "approve", cycle_id, user=CHECKER)
    ask(RELEASE, "cycle", "release", cycle_id, "--out", str(busy_office.out))
    ask({"cycles": [{"cycle_id": int, "state": str, "total_cents": int}]}, "cycle", "list")
    kinds = {each["kind"] for each in ask({"exceptions": [CASE]}, "exceptions", "list")["exceptions"]}
    assert kinds == {"set_quarantined", "unknown_payee", "negative_member", "deposit_short", "deposit_without_advice"}
    ask(CASE, "exceptions", "show", "1")
    owners = {each["owner"] for each in ask(TRIAL_BALANCE, "ledger", "trial-balance", "--as-of", f"{DAY}")["rows"]}
    assert owners == {"house", A.ncpdp_id, B.ncpdp_id, C.ncpdp_id}
    assert ask(TRIAL_BALANCE, "ledger", "trial-balance")["as_of"] is None
    assert {each["id"] for each in ask(VERIFY, "ledger", "verify")["proofs"]} == PROOFS
    ask({"lines": [{"event": str, "owner": str, "amount_cents": int}]}, "ledger", "journal")
    ask({"rows": [{"ledger": str, "account": str, "balance_cents": int}]}, "ledger", "balances")
    ask({"members": [{"ncpdp_id": str, "monthly_fee_cents": int}]}, "members", "list")
    ask({"users": [{"name": str, "role": str}]}, "users", "list")
    ask({"approvals": [APPROVAL]}, "approvals", "list", "--all")
    ask({"closing_cents": int}, "statement", "--member", A.ncpdp_id, "--from", "2026-11-01", "--to", "2026-11-30")
    amounts = [pair for document in seen for pair in _amounts(document)]
    assert len(amounts) > 100
    assert [pair for pair in amounts if type(pair[1]) is not int] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("ledger", "verify"), 0),
        (("exceptions", "list"), 0),
        (("cycle", "propose", "--date", "2026-11-21"), 2),
        (("ingest", "/no/such/file"), 3),
        (("cycle", "propose", "--date", f"{DAY}"), 5),
    ],
)
def test_a_process_prints_one_document(office: Office, words: tuple[str, ...], code: int) -> None:
    """As a process, done or refused: standard output is one JSON document and nothing else."""
    outcome = office.process(*words, "--json", code=code)
    document = json.loads(outcome.out)
    if code in {2, 5}:
        assert document["error"]["message"] in outcome.err.replace("\n", " ")
