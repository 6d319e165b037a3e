"""The members' own 835s as a release left them, read back."""

import csv
from pathlib import Path

from payouts.children.telling import ToldSet, read_back


def told_sets(folder: Path, cycle_id: int) -> dict[str, list[ToldSet]]:
    """Give the sets of each file of a cycle in OUT/835, by the name up to the day: the NCPDP id."""
    files = sorted(folder.glob(f"*-cycle-{cycle_id}*.835"))
    return {path.name.partition("-")[0]: read_file(path) for path in files}


def read_file(path: Path) -> list[ToldSet]:
    """Read one file; every set of it is sound."""
    with path.open("rb") as stream:
        return list(read_back(stream, path.name))


def own_items(sets: list[ToldSet]) -> dict[str, int]:
    """Give the PSAO's own adjustments of a file by reference, without the prefix; transfers net to nothing."""
    items: dict[str, int] = {}
    for item in (item for each in sets for item in each.own):
        name = item.reference.removeprefix("PSAO-")
        items[name] = items.get(name, 0) + item.amount_cents
    return {name: cents for name, cents in items.items() if cents or name != "TRANSFER"}


def index_rows(folder: Path) -> list[dict[str, str]]:
    """Read the list beside the files of the latest cycle."""
    with max(folder.glob("index-cycle-?.csv")).open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))
