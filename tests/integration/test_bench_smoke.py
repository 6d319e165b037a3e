"""The bench itself, at a thousandth of its sizes: it runs to the end, and writes nothing but its own sections."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import peers
from bench.__main__ import CASES, main
from bench.figures import Budget, Figure
from bench.page import write_sections
from schemas.errors import WrongUseError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
SECTION = re.compile(r"(<!-- bench:(\w+) -->\n).*?(<!-- /bench:\2 -->)", re.DOTALL)


HERE = ("parse", "ingest", "post", "cycle", "statements", "files", "large", "find")
"""The cases that need nothing but what the tests have."""


def _bench(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", "--scale", "0.0001", "--repeat", "1", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _frame(page: Path) -> str:
    """Give everything of a page but its figures."""
    return SECTION.sub(r"\1\3", page.read_text(encoding="utf-8"))


def test_every_case_runs_and_its_figures_stand_in_the_page(tmp_path: Path) -> None:
    """One small run measures the cases named, prints them, and replaces their figures in the page and nothing else."""
    page = tmp_path / "performance.md"
    shutil.copy(PAGE, page)
    done = _bench("--write", str(page), *(option for name in HERE for option in ("--only", name)))
    assert done.returncode == 0, done.stderr
    sections = {name: body for _, name, body in _sections(page)}
    assert set(sections) == {"machine", *CASES}
    measured = {name for name, body in sections.items() if "sizes times 0.0001" in body}
    assert measured == {"machine", *HERE}
    for title in (
        "835 read and balanced",
        "835 to durable ledger",
        "funded: one transaction",
        "cycle released",
        "statements read",
        "BAI2",
        "the largest file to durable ledger",
        "95 of 100 within",
    ):
        assert title in done.stdout
        assert sum(title in body for body in sections.values()) == 1
    assert _frame(page) == _frame(PAGE)


@pytest.mark.skipif(not peers.PYTHON.exists(), reason="the other readers are not installed: make peers")
def test_other_readers_are_measured_beside_ours() -> None:
    """On files that are in order ours keeps everything, wrapped or not, and of three wrong sets it sees three."""
    done = _bench("--only", "peers")
    assert done.returncode == 0, done.stderr
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in done.stdout.splitlines()]
    held = next(row[2:7] for row in rows if row[0] == "in the file")
    assert [row[2:8] for row in rows if row[0] == "centralpay" and len(row) == 9] == 2 * [[*held, "0"]]
    assert [row[1] for row in rows if row[0] == "centralpay" and len(row) == 3] == ["3 of 3"]
    assert {row[0] for row in rows if len(row) == 3} >= set(peers.PARTS)


def test_without_the_other_readers_the_case_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is measured, and the sentence names the command."""
    monkeypatch.setattr(peers, "PYTHON", Path("nowhere") / "python")
    assert main(["--only", "peers", "--scale", "0.0001"]) == 2
    assert "make peers" in capsys.readouterr().err


def _sections(page: Path) -> list[tuple[str, str, str]]:
    text = page.read_text(encoding="utf-8")
    return [(found[1], found[2], found[0]) for found in SECTION.finditer(text)]


def test_a_page_without_the_marks_is_refused_before_it_is_touched(tmp_path: Path) -> None:
    """Figures go between marks that a person placed; a page without them stays as it is."""
    page = tmp_path / "page.md"
    page.write_text("# Something else\n\n<!-- bench:parse -->\nold\n<!-- /bench:parse -->\n", encoding="utf-8")
    before = page.read_text(encoding="utf-8")
    with pytest.raises(WrongUseError, match="exactly one place for the figures of post"):
        write_sections(page, {"parse": "new", "post": "new"})
    assert page.read_text(encoding="utf-8") == before
    with pytest.raises(WrongUseError, match="No such file"):
        write_sections(tmp_path / "missing.md", {"parse": "new"})


@pytest.mark.parametrize(
    ("unit", "runs", "verdict"),
    [
        ("claims/s", (90.0, 99.0, 500.0), "MISSED"),
        ("claims/s", (100.0, 1.0, 150.0), "met"),
        ("claims/s", (200.0, 201.0, 199.0), "met, ambition too"),
        ("s", (101.0, 300.0, 5.0), "MISSED"),
        ("s", (100.0,), "met"),
        ("MB", (50.0, 40.0, 60.0), "met, ambition too"),
    ],
)
def test_the_median_is_held_against_the_budget(unit: str, runs: tuple[float, ...], verdict: str) -> None:
    """More is better for what is counted by the second, less for all else; one lucky run keeps no budget."""
    budget = Budget(100, 200) if unit.endswith("/s") else Budget(100, 50)
    assert Figure("work", "some", unit, runs, budget).verdict == verdict


@pytest.mark.parametrize("options", [("--scale", "0"), ("--scale", "much"), ("--only", "nothing"), ("--repeat", "0")])
def test_wrong_options_are_refused(options: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """A scale of nothing and a case that does not exist end with exit code 2 and measure nothing."""
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert options[0] in said.err
    assert not said.out


def test_a_page_that_does_not_exist_is_told_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody measures for minutes to learn that there was no place to write to."""
    assert main(["--write", str(tmp_path / "missing.md")]) == 2
    said = capsys.readouterr()
    assert "No such file" in said.err
    assert not said.out
