"""As of a date and as known at a checkpoint: the same question gives the same figures, whatever is posted later."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from app.database import Role, connected, unit_of_work
from payouts.registers.catalogue import REGISTERS
from payouts.registers.model import Span
from tests.support.bank import paid_in, paid_out
from tests.support.command import PROGRAM
from tests.support.desk import ExceptionsDesk
from tests.support.direct_pay import to_the_store
from tests.support.known import Seal, differences
from tests.support.office import CHECKER, CLERK, Office
from tests.support.trade import OTHER_PAYER, PAYER, A, B, C, Part, remittance, remittance_file

MONDAY, TUESDAY, WEDNESDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 18)
NOVEMBER = ("--from", "2026-11-01", "--to", "2026-11-30")
QUESTIONS: dict[str, tuple[str, ...]] = {
    "trial balance": ("ledger", "trial-balance"),
    "trial balance of a day": ("ledger", "trial-balance", "--as-of", "2026-11-16"),
    "balances": ("ledger", "balances"),
    "journal": ("ledger", "journal"),
    "journal of a member": ("ledger", "journal", "--owner", A.ncpdp_id, "--as-of", "2026-11-17"),
    "statement": ("statement", "--member", A.ncpdp_id, *NOVEMBER),
    "statement to a day": ("statement", "--member", A.ncpdp_id, "--from", "2026-11-01", "--as-of", "2026-11-17"),
    "statement of a payer": ("statement", "--member", A.ncpdp_id, *NOVEMBER, "--payer", OTHER_PAYER.payer_id),
    "year": ("statements", "year", "--year", "2026", "--out", "{out}"),
    "fees": ("fees", "register", "--month", "2026-11"),
    "fees of a day": ("fees", "register", "--month", "2026-11", "--as-of", "2026-11-16"),
    "invoices": ("fees", "invoiced"),
    "cycles": ("cycle", "list"),
    "cycle": ("cycle", "show", "1", "--details"),
    "exceptions": ("exceptions", "list", "--all"),
    "holds": ("holds", "list", "--all"),
    "levies": ("levies", "list", "--all"),
    "negatives": ("negatives", "list", "--as-of", "2026-11-30"),
    "float": ("float", "show"),
    "carried forward": ("forward-balances", "list", "--as-of", "2026-11-30"),
    "unclaimed": ("unclaimed", "due", "--as-of", "2029-11-30"),
    "returns": ("returns", "list", "--all"),
    "disbursements": ("disbursements", "list", "--all"),
    "approvals": ("approvals", "list", "--all"),
    "corrections": ("corrections", "list"),
    "sent": ("ach", "list"),
    "direct pay": ("members", "direct-pay", "list"),
    "journal tests": ("audit", "tests", *NOVEMBER),
} | {
    f"register {kind.name}": (
        *("audit", "register", kind.name),
        *(NOVEMBER if kind.span is Span.RANGE else ("--as-of", "2026-11-30")),
    )
    for kind in REGISTERS.values()
}
"""What a person asks for; every one takes ``--known-at``."""
_AGES = ("age_days", "age_hours", "age")
"""Counted from the moment at which somebody asks."""


def ask(office: Office, name: str, *more: str) -> dict[str, Any]:
    """Ask a question and give its document without what says which past it was about."""
    words = [word.replace("{out}", str(office.folder / "year.csv")) for word in QUESTIONS[name]]
    document = office.ask(*words, *more)
    document.pop("known_at", None)
    return dict(_ageless(document))


def _ageless(value: Any) -> Any:  # noqa: ANN401 (any JSON)
    if isinstance(value, dict):
        return {name: _ageless(each) for name, each in value.items() if name not in _AGES}
    return [_ageless(each) for each in value] if isinstance(value, list) else value


def sealed(office: Office) -> int:
    """Seal and give the checkpoint's size."""
    return int(office.ask("ledger", "seal")["checkpoint"]["size"])


def first_life(office: Office) -> None:
    """A claims 600.00 and B 5.00; 200.00 of fee are assessed; a cycle of 400.00 is proposed and approved."""
    office.put_in("OWN", 500_00, MONDAY)
    office.fund(remittance("K1", MONDAY, Part(A, (600_00,)), Part(B, (5_00,))))
    office.ask("fees", "assess", "--month", "2026-11")
    office.approved(TUESDAY)
    office.remit(remittance("K2", TUESDAY, Part(A, (30_00,)), payer=OTHER_PAYER))


def second_life(office: Office) -> None:
    """The cycle is released and settled, K2 is funded, C turns negative, A is held; a fee is waived, back-dated."""
    office.release(1)
    paid = int(office.ask("cycle", "show", "1")["total_cents"])
    office.book(TUESDAY, paid_out("OUT1", paid))
    office.ask("cycle", "settle", "1", "--bank-reference", "OUT1")
    for each in office.ask("approvals", "list")["approvals"]:
        office.ask("approvals", "approve", str(each["approval_id"]), user=CHECKER)
    office.fund(remittance("K3", WEDNESDAY, Part(C, (10_00,), (("WO", 110_00),)), Part(A, (500_00,))))
    office.waive(B, "2026-11", MONDAY)
    hold = ("--kind", "review", "--reason", "asked to wait", "--authority", "contract, section 4")
    office.ask("holds", "place", A.ncpdp_id, *hold, "--review-on", "2026-12-01", "--date", f"{WEDNESDAY}")


@pytest.fixture
def told(office: Office) -> tuple[Office, int, dict[str, dict[str, Any]]]:
    """Give an office that was sealed, the checkpoint, and what every question gave right then; and then lived on."""
    first_life(office)
    size = sealed(office)
    answers = {name: ask(office, name) for name in QUESTIONS}
    second_life(office)
    sealed(office)
    return office, size, answers


def test_every_question_is_answered_as_it_was(told: tuple[Office, int, dict[str, dict[str, Any]]]) -> None:
    """Before: 630.00 owed to A, nothing paid. After: paid, settled, waived, held. The first is said for ever."""
    office, size, before = told
    for name, was in before.items():
        assert ask(office, name, "--known-at", f"{size}") == was, name
    now = {name for name in QUESTIONS if ask(office, name) != before[name]}
    assert {"trial balance", "balances", "journal", "statement", "fees", "cycles", "cycle", "holds", "float"} <= now
    assert ask(office, "statement")["closing_cents"] != before["statement"]["closing_cents"]
    assert ask(office, "statement", "--known-at", f"{size}")["closing_cents"] == 630_00


def test_what_becomes_ours_to_pay_was_the_payers(office: Office) -> None:
    """A copy of 1,200.00 came to us, and after A's direct pay ended it is ours to pay: before, every row said not."""
    words = (A.ncpdp_id, str(PAYER.payer_id), "--reason", "the payer wrote")
    office.ask("members", "direct-pay", "begin", *words, "--since", "2026-11-01")
    office.remit(to_the_store("DIR1", MONDAY, Part(A, (1_200_00,))))
    office.book(MONDAY, paid_in("DIR1", 1_200_00))
    office.match()
    with connected(office.shell.database_url, Role.APP) as engine:
        seal = Seal(partial(unit_of_work, engine), office.folder)
        checkpoint, was = seal.seal(), seal.asked(None)
        office.ask("members", "direct-pay", "end", *words, "--until", "2026-11-15")
        ExceptionsDesk(office, TUESDAY).resolve("direct_pay_differs", "bank line 1 for advice 1", "replace")
        office.match()
        office.pay(TUESDAY)
        assert differences(was, seal.asked(checkpoint)) == []


def test_a_question_says_which_past_it_was_about(told: tuple[Office, int, dict[str, dict[str, Any]]]) -> None:
    """The document names date and checkpoint, with its root; of the present it names none."""
    office, size, _ = told
    document = office.ask("ledger", "balances", "--as-of", "2026-11-16", "--known-at", f"{size}")
    listed = office.ask("ledger", "checkpoints")["checkpoints"]
    (checkpoint,) = (each for each in listed if each["size"] == size)
    said = {name: checkpoint[name] for name in ("size", "root", "sealed_at")}
    assert (document["as_of"], document["known_at"]) == ("2026-11-16", said)
    assert office.ask("ledger", "balances")["known_at"] is None
    assert f"checkpoint {size}" in office.run("ledger", "balances", "--known-at", f"{size}").out
    assert office.ask("ledger", "balances", "--known-at", "latest")["known_at"]["size"] == listed[0]["size"]


def test_an_instant_is_the_last_checkpoint_before_it(told: tuple[Office, int, dict[str, dict[str, Any]]]) -> None:
    """One before the first checkpoint, a size that there is not, and no size at all are refused and say why."""
    office, _, _ = told
    last = office.ask("ledger", "checkpoints")["checkpoints"][0]
    found = office.ask("ledger", "balances", "--known-at", last["sealed_at"])["known_at"]
    assert found["size"] == last["size"]
    for wrong in ("2001-01-01", "999999999", "yesterday", "-1"):
        outcome = office.run("ledger", "balances", f"--known-at={wrong}", code=2)
        assert "There is no checkpoint" in outcome.err
    assert (
        "give one of them" in office.run("ledger", "journal", "--to", "2026-11-30", "--as-of", "2026-11-30", code=2).err
    )


@pytest.mark.parametrize("form", ["csv", "json", "xlsx", "pdf"])
def test_a_statement_that_is_given_out_pins_its_checkpoint(office: Office, form: str) -> None:
    """630.00 owed when it is issued; then the fee and 400.00 leave: it still checks, and is proven once sealed."""
    first_life(office)
    out = office.folder / f"s.{form}"
    office.run("statement", "--member", A.ncpdp_id, *NOVEMBER, "--format", form, "--out", str(out), user=CLERK)
    (issued,) = office.ask("statements", "list", "--member", A.ncpdp_id)["statements"]
    assert (issued["closing_cents"], issued["checkpoint_size"]) == (630_00, sealed_sizes(office)[0])
    early = office.ask("statements", "check", str(issued["statement_id"]))
    assert (early["same_bytes"], early["same_figures"], early["leaf_index"]) == (True, True, None)
    second_life(office)
    sealed(office)
    checked = office.ask("statements", "check", str(issued["statement_id"]))
    assert (checked["same_bytes"], checked["same_figures"]) == (True, True)
    assert checked["known_at"]["size"] == issued["checkpoint_size"]
    assert checked["leaf_index"] >= issued["checkpoint_size"]
    proof = office.ask("ledger", "proof", "--statement", str(issued["statement_id"]))
    assert proof["trail"]["content"]["sha256"] == checked["sha256"]
    assert "proven in" in office.run("statements", "check", str(issued["statement_id"])).out
    again = office.folder / "again"
    office.run("statements", "again", str(issued["statement_id"]), "--out", str(again))
    assert again.read_bytes() == out.read_bytes()


def sealed_sizes(office: Office) -> list[int]:
    """List the checkpoints, the newest first."""
    return [each["size"] for each in office.ask("ledger", "checkpoints")["checkpoints"]]


def test_everybodys_statements_are_of_one_checkpoint(told: tuple[Office, int, dict[str, dict[str, Any]]]) -> None:
    """Issued as known at the first checkpoint A's closes with 630.00 as then; issued as of now it does not."""
    office, size, _ = told
    out = office.folder / "issued"
    words = ("statements", "issue", *NOVEMBER, "--out", str(out))
    first = office.ask(*words, "--known-at", f"{size}")
    assert first["checkpoint_size"] == size
    assert json.loads((out / f"{A.ncpdp_id}.json").read_text())["closing_cents"] == 630_00
    second = office.ask(*words, "--anew")
    assert (second["version"], second["checkpoint_size"]) == (2, sealed_sizes(office)[0])
    made = json.loads((out / f"{A.ncpdp_id}.json").read_text())
    assert made["closing_cents"] != 630_00
    assert made["known_at"]["size"] == second["checkpoint_size"]
    for each in office.ask("statements", "list", "--member", B.ncpdp_id)["statements"]:
        assert office.ask("statements", "check", str(each["statement_id"]))["same_bytes"]


def test_what_was_changed_since_is_found(office: Office) -> None:
    """A superuser raises a sealed line by a dollar, its guards off: the statement says otherwise now, exit 4."""
    first_life(office)
    words = ("statement", "--member", A.ncpdp_id, *NOVEMBER, "--out", str(office.folder / "s.json"))
    office.run(*words)
    libpq = make_url(office.shell.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(libpq, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(
            "UPDATE centralpay.line SET amount_cents = amount_cents - 100 WHERE account = 'due_unfunded'"
            " AND event = 'advised' AND owner_id = (SELECT member_id FROM centralpay.member JOIN centralpay.pharmacy"
            " USING (pharmacy_id) WHERE ncpdp_id = %s) AND amount_cents = -3000",
            [A.ncpdp_id],
        )
    outcome = office.run("statements", "check", "1", code=4)
    assert "OTHERS" in outcome.out


def test_the_database_keeps_issues_pinned(office: Office) -> None:
    """An issue without a checkpoint is refused by the database, whoever writes it."""
    first_life(office)
    libpq = make_url(office.shell.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        psycopg.connect(libpq) as superuser,
        pytest.raises(psycopg.errors.CheckViolation, match="issue_names_its_checkpoint"),
    ):
        superuser.execute(
            "INSERT INTO centralpay.statement_issue (from_on, to_on, form, sha256, size_bytes, members, issued_by)"
            " VALUES ('2026-11-01', '2026-11-30', 'csv', sha256('x'), 1, 1, 'x')"
        )


def test_the_same_while_others_post(office: Office) -> None:
    """Another process takes in files all the time; every answer at the checkpoint is the same as the first one."""
    first_life(office)
    size = sealed(office)
    names = ("trial balance", "journal", "statement", "fees", "float", "exceptions")
    first = {name: json.dumps(ask(office, name)) for name in names}
    words = _files(office, 40)
    with subprocess.Popen(
        [str(PROGRAM), "ingest", *words],
        env=dict(os.environ) | office.shell.environment(CLERK),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as poster:
        asked = 0
        while poster.poll() is None or asked < 3:
            for name in names:
                assert json.dumps(ask(office, name, "--known-at", f"{size}")) == first[name], name
            asked += 1
            if asked == 1:
                sealed(office)
            time.sleep(0.01)
        assert poster.returncode == 0, (poster.stderr.read() if poster.stderr else b"")[-500:]
    assert json.dumps(ask(office, "trial balance")) != first["trial balance"]


def _files(office: Office, number: int) -> Sequence[str]:
    paths = []
    for at in range(number):
        made = remittance(f"P{at}", WEDNESDAY + timedelta(days=at % 5), Part(A, (100_00 + at,)), Part(C, (7_00,)))
        paths.append(str(office.save(remittance_file(made, control_number=500 + at))))
    return paths
