"""The home of a demonstration: folders, database and key of its own, made anew each time; real books stay untouched."""

import shutil
from pathlib import Path

from app.cluster import Cluster
from app.settings import Settings


def own_settings() -> Settings:
    """Give the demonstration a home, a database and a key of its own: it never touches real books."""
    settings = Settings.from_environment()
    own = {"home": settings.home / "demo", "database_url": None, "master_key": None, "master_key_file": None}
    return settings.model_copy(update=own)


def clear(home: Path) -> None:
    """Take the last demonstration away; its server may still run after a crash."""
    if not home.exists():
        return
    if (home / "postgres").exists():
        with Cluster(home / "postgres").running():
            pass
    shutil.rmtree(home)


def quiet(sentence: str) -> None:
    """Say nothing: the demonstration's key protects nothing, its warning would only frighten."""
    del sentence
