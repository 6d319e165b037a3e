"""What is installed is whole: every module, statement, page and table that the program reads goes with it."""

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = ("schemas", "ledger", "ingest", "payouts", "migrations", "app")


def _setuptools() -> dict[str, Any]:
    said: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    return said


def test_every_file_of_ours_is_in_the_distribution() -> None:
    """Modules by the list of packages, all else by its patterns, read as setuptools does: below each package."""
    said = _setuptools()
    taken = set[Path]()
    for package in said["packages"]:
        folder = ROOT / package.replace(".", "/")
        for pattern in ("*.py", *said["package-data"]["*"], *said["package-data"].get(package, ())):
            taken |= set(folder.glob(pattern))
    there = {
        path for name in OURS for path in (ROOT / name).rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert len([path for path in there if path.suffix == ".sql"]) > 50
    assert sorted(path.relative_to(ROOT).as_posix() for path in there - taken) == []
