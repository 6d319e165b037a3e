"""The page on running it: its commands run as they stand there, and its tables are those of the code."""

import re
import shlex
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.core import Metric
from pydantic import SecretStr

from app.cli.commands import command_tree
from app.cluster import Cluster
from app.database import Role
from app.exit_codes import ExitCode
from app.running.checks import CheckName
from app.running.figures import Figures
from app.running.metrics import registry
from app.settings import PREFIX, Settings
from ledger.proofs import Proof
from schemas.calendar import BANK_ZONE
from tests.support.bank import paid_in
from tests.support.command import Shell
from tests.support.office import MAKER, Office
from tests.support.trade import A, B, C, Part, remittance

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
DAY = date(2026, 11, 20)
NOT_ALWAYS = {"health": {ExitCode.DONE, ExitCode.FAILED}}
"""Before the first night a proof has not been run by the scheduler, and a weekend may have brought no file."""


@dataclass(frozen=True)
class Shown:
    """A command of the page, and the lines that are shown of what it says."""

    command: str
    lines: tuple[str, ...]


def blocks(kind: str) -> list[str]:
    """Give the page's blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def shown() -> list[Shown]:
    """Give the commands of the page in their order."""
    found: list[Shown] = []
    for block in blocks("console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Shown(line.removeprefix("$ "), ()))
            elif line.strip() != "...":
                found[-1] = Shown(found[-1].command, (*found[-1].lines, line))
    return found


def words_of(text: str) -> str:
    """Give what a line says, without how it is drawn and which numbers it has."""
    return " ".join(re.sub(r"[\u2500-\u257f]", " ", re.sub(r"\d+", "0", text)).split())


@pytest.fixture
def own_office(quick_path: Path) -> Iterator[Office]:
    """Give an office with an embedded database in its own home, and a little trade."""
    home = quick_path / "home"
    with Cluster(home / "postgres").running():
        office = Office(Shell(home, ""), quick_path)
        office.found(A, B, C)
        office.put_in("OWN1", 1_000_00, DAY)
        office.fund(remittance("PAGE1", DAY, Part(A, (900_00,)), Part(B, (50_00,))))
        office.book(date(2026, 11, 23), paid_in("LATER1", 7_00))
        yield office


def test_every_command_of_the_page_runs_and_says_what_is_shown(own_office: Office, quick_path: Path) -> None:
    """In the order of the page, in one office, with its folders in ours; each line shown is a line that was said."""
    key = own_office.shell.home / "keys" / "master.key"
    for command in shown():
        text = command.command
        for there, here in (("/srv/backup", "backup"), ("/mnt/safe", "safe"), ("/srv/centralpay", "elsewhere")):
            text = text.replace(there, str(quick_path / here))
        *settings, program = re.split(r" (?=centralpay )", text)
        words = shlex.split(program.removeprefix("centralpay "))
        home = dict(each.split("=", 1) for each in settings).get(f"{PREFIX}HOME")
        if words == ["vault", "rotate"]:
            key.write_text("B" * 42 + "A=\n" + key.read_text(encoding="ascii"), encoding="ascii")
        shell = own_office.shell if home is None else Shell(Path(home), "")
        outcome = shell.run(tuple(words), user=None if words[0] == "scheduler" else MAKER)
        allowed = NOT_ALWAYS.get(words[0], {ExitCode.DONE})
        assert outcome.code in allowed, f"{text}: {outcome.out}{outcome.err}"
        said = [words_of(line) for line in outcome.out.splitlines()]
        for line in command.lines:
            wanted = words_of(
                line.replace("/mnt/safe", str(quick_path / "safe")).replace(
                    "/srv/centralpay", str(quick_path / "elsewhere")
                )
            )
            if "well" in wanted:  # how well it is, is the day's
                wanted = wanted.partition(" well")[0]
            assert any(wanted in each for each in said), f"{text} does not say: {line}"


def test_the_page_shows_commands() -> None:
    """It is a page that shows something: at least the commands that the others rest on."""
    names = {each.command.rpartition("centralpay ")[2].split()[0] for each in shown()}
    assert {"db", "health", "jobs", "ledger", "scheduler", "users", "vault", "exceptions"} <= names
    assert sum(len(each.lines) for each in shown()) >= 12


def test_every_command_that_the_text_names_is_one() -> None:
    """A command in a sentence, a list or a shell's lines is one of ours, with these words."""
    top: Any = command_tree()
    groups = "|".join(top.commands)
    named = re.findall(rf"`(?:centralpay )?((?:{groups})(?: [a-z][a-z-]+)?)[ `]", PAGE)
    named += re.findall(r"^centralpay ([a-z]+(?: [a-z-]+)?)", "\n".join(blocks("sh")), re.MULTILINE)
    assert len(named) > 25
    assert [text for text in named if not _is_command(top, text)] == []


def _is_command(top: Any, text: str) -> bool:  # noqa: ANN401 (typer's own copy of click)
    node = top
    for word in text.split():
        node = getattr(node, "commands", {}).get(word)
        if node is None:
            return False
    return True


def test_the_service_starts_the_scheduler_as_an_ordinary_user() -> None:
    """The unit is one: it starts our command, as its own user, with the key by file, and hardened."""
    (text,) = blocks("ini")
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names have capitals
    unit.read_string(text)
    service = unit["Service"]
    assert service["ExecStart"].endswith("/bin/centralpay scheduler --port 9464")
    assert service["User"] == "centralpay"
    assert service["UMask"] == "0077"
    assert service["NoNewPrivileges"] == service["PrivateTmp"] == "true"
    assert "master.key" in service["LoadCredential"]
    assert PREFIX + "MASTER_KEY=" not in text


def _metrics() -> set[str]:
    """Give the names of all metrics that there can be."""
    moment = date_time()
    full = Figures(
        taken_at=moment,
        files={("remittance_835", "accepted"): 1},
        first_file_at=moment,
        remittance_at=moment,
        statement_at=moment,
        cases={"job_failed": 1},
        cycles={"released": 1},
        claims=1,
        parked_deposits=(1, 1),
        parked_advices=(1, 1),
        in_transit_cents=1,
        float_cents=1,
        negatives=(1, 1),
        failing_proofs=(),
        verified_at=moment,
        runs={"done": 1},
        lag_seconds=1,
        database_bytes=1,
    )
    families: list[Metric] = list(registry(lambda: full).collect())
    return {sample.name for family in families for sample in family.samples}


def date_time() -> datetime:
    """Give a moment."""
    return datetime(2026, 11, 20, 12, tzinfo=BANK_ZONE)


def test_every_metric_is_explained_and_no_other_is_named() -> None:
    """The table has each of them, and the rules name no other."""
    table = set(re.findall(r"`(centralpay_\w+)", PAGE)) - set(Role)
    assert table == _metrics()
    (rules,) = blocks("yaml")
    used = set(re.findall(r"\b(centralpay_\w+)", rules))
    assert used
    assert used <= _metrics()


@pytest.mark.parametrize("proof", Proof)
def test_every_proof_says_what_to_do(proof: Proof) -> None:
    """What it means, the first look, who decides."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {proof.name} |"))
    assert all(cell.strip() for cell in row.strip("|").split("|"))


@pytest.mark.parametrize("check", CheckName)
def test_every_check_is_explained(check: CheckName) -> None:
    """It stands in the table of what is looked at, once."""
    assert len([line for line in PAGE.splitlines() if line.startswith(f"| `{check.value}` |")]) == 1


def test_every_setting_is_listed_with_its_default() -> None:
    """All of them and no other, in their order; a default that is a plain value is the code's."""
    rows = re.findall(rf"^\| `({PREFIX}\w+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE)
    fields = Settings.model_fields
    assert [name for name, _ in rows] == [PREFIX + name.upper() for name in fields]
    for (name, said), field in zip(rows, fields.values(), strict=True):
        default = field.default
        if default is None or default == frozenset():
            assert not re.search(r"`\d", said), name
        elif not isinstance(default, SecretStr):
            assert said.startswith(f"`{default}`"), f"{name}: {said}, {default}"


def test_no_setting_is_named_that_does_not_exist() -> None:
    """In the text, the unit and the commands there is no other."""
    named = set(re.findall(rf"\b{PREFIX}([A-Z_]+)\b", PAGE))
    assert {name.lower() for name in named} <= set(Settings.model_fields)
