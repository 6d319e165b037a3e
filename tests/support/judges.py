"""Readers and samples that nobody here wrote, in a folder of their own: they judge what we read and write."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

JUDGES: Final = Path(sys.prefix) / "judges"
WHEEL: Final = JUDGES / "tests" / "files" / "edi"
"""835s that come with badx12."""


def judge(name: str, module: str) -> ModuleType:
    """Import a module of a reader that lies in a folder of its own; skip where it is not installed.

    Its package is not run: badx12 has a command whose needs are not installed. The folder also holds a package
    ``tests``, so it does not stay on the path.
    """
    if not (JUDGES / name).is_dir():
        pytest.skip(f"{JUDGES} has no {name}; make test installs it")
    if module != name and name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(JUDGES / name)]
        sys.modules[name] = package
    sys.path.append(str(JUDGES))
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(str(JUDGES))
