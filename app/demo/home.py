"""The home of a demonstration: folders, database and key of its own, made anew each time; real books stay untouched."""

import shutil
from pathlib import Path

from app.cluster import Cluster
from app.settings import Settings


def own_settings() -> Settings:
    """Give the demonstration a home, a database and keys of its own: it never touches real books.

    Nor what stands for them elsewhere: a checkpoint of the demonstration among the real ones would say that the real
    books were rewritten, and nothing would be sealed any more.
    """
    settings = Settings.from_environment()
    elsewhere = ("database_url", "master_key", "master_key_file", "inbox", "checkpoints_dir", "seal_key_file")
    return settings.model_copy(update={"home": settings.home / "demo"} | dict.fromkeys(elsewhere))


def clear(home: Path) -> None:
    """Take the last demonstration away; its server may still run after a crash."""
    if not home.exists():
        return
    if (home / "postgres").exists():
        with Cluster(home / "postgres").running():
            pass
    shutil.rmtree(home)


def who_acts(operator: str, approver: str) -> str:
    """Say under which names its books can be worked on."""
    return f"To do more than look, be one of its people: --as {operator} proposes, --as {approver} approves."


def quiet(sentence: str) -> None:
    """Say nothing: the demonstration's key protects nothing, its warning would only frighten."""
    del sentence
