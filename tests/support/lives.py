"""Beginnings that many tests share: lived through once by each worker, kept, and given to each test as a copy.

A fixture that is marked ``@kept`` gives books or an office in which something happened. The first test that begins so
lives through it; database and folder are then kept as they are, and each later test gets copies of both, of its own, to
write in and to break. What was kept for a module goes when another module begins.
"""

import copy
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest

from app.database import Role, connected
from tests.support.books import Books
from tests.support.command import Shell
from tests.support.office import Office

World = TypeVar("World", Books, Office)


@dataclass(frozen=True)
class Life:
    """What a marked fixture does.

    Args:
        place: the file that it stands in.
        name: of the fixture.
        after: the name of the fixture that it goes on from.
        live: does it.
    """

    place: Path
    name: str
    after: str
    live: Callable[[Any], Any]


_NEW = ("new_books", "empty_office")
"""The fixtures that give books or an office in which nothing happened."""
_LIVES: dict[tuple[Path, str], Life] = {}


def kept(live: Callable[[World], World]) -> Callable[..., World]:
    """Mark what a fixture does to books or an office, and nothing else: it can be kept and copied."""
    code = live.__code__
    life = Life(Path(code.co_filename), live.__name__, code.co_varnames[0], live)
    _LIVES[life.place, life.name] = life

    @wraps(live)
    def once(**begun: World) -> World:
        (world,) = begun.values()
        if life in world.lives:
            return world
        world.lives.append(life)
        return live(world)

    return once


def lives_of(request: pytest.FixtureRequest) -> tuple[Life, ...]:
    """Give what a test begins with, one after the other, as far as its fixtures are marked; the longest there is."""
    return max((_chain(request, name) for name in request.fixturenames), key=len, default=())


def _chain(request: pytest.FixtureRequest, name: str, *, inherited: bool = False) -> tuple[Life, ...]:
    """Give what leads up to a fixture, or nothing where one of them is not marked: it can do anything else, too."""
    own = not inherited and hasattr(request.module, name)
    life = _LIVES.get((request.path if own else request.path.with_name("conftest.py"), name))
    if life is None:
        return ()
    if life.after in _NEW and not hasattr(request.module, life.after):
        return (life,)
    earlier = _chain(request, life.after, inherited=life.after == name)
    return (*earlier, life) if earlier else ()


@dataclass
class Beginning:
    """What a test begins with.

    Args:
        lives: what was lived through.
        template: the database to copy, None for one in which nothing happened.
        world: the books or the office of that database.
    """

    lives: tuple[Life, ...] = ()
    template: str | None = None
    world: Books | Office | None = None

    def unpack(self, folder: Path) -> None:
        """Copy what lies in the folder of books or office."""
        if self.world is not None:
            shutil.copytree(self.world.folder, folder, dirs_exist_ok=True)

    def remember(self, world: Books | Office) -> None:
        """Let books or an office know what the kept one knows."""
        if self.world is None:
            return
        world.lives = list(self.lives)
        world.bank = copy.deepcopy(self.world.bank)
        if isinstance(world, Office) and isinstance(self.world, Office):
            world.files = self.world.files


@dataclass
class Keeper:
    """Keeps the beginnings of one worker.

    Args:
        new_database: makes databases.
        folder: where their folders lie.
    """

    new_database: Callable[..., Any]
    folder: Path
    _kept: dict[tuple[Life, ...], tuple[Beginning, ExitStack]] = field(default_factory=dict)

    def beginning(self, lives: tuple[Life, ...]) -> Beginning:
        """Give a beginning, lived through when it is first asked for."""
        if not lives:
            return Beginning()
        if lives not in self._kept:
            self._forget_other_modules(lives[-1].place)
            self._kept[lives] = self._live(lives)
        return self._kept[lives][0]

    def forget(self) -> None:
        """Drop all of them."""
        for _, held in self._kept.values():
            held.close()
        self._kept.clear()

    def _forget_other_modules(self, place: Path) -> None:
        for lives in [lives for lives in self._kept if lives[-1].place.name != "conftest.py"]:
            if lives[-1].place != place:
                self._kept.pop(lives)[1].close()

    def _live(self, lives: tuple[Life, ...]) -> tuple[Beginning, ExitStack]:
        *earlier, last = lives
        before = self.beginning(tuple(earlier))
        with ExitStack() as held:
            url = held.enter_context(self.new_database(template=before.template))
            name = str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])
            folder = self.folder / name
            folder.mkdir(mode=0o700)
            held.callback(shutil.rmtree, folder)
            before.unpack(folder)
            with connected(url, Role.APP) as engine:
                is_office = lives[0].after == "empty_office"
                world = Office(Shell(folder / "home", url), folder) if is_office else Books(engine, folder)
                before.remember(world)
                last.live(world)
            kept_so = held.pop_all()
        return Beginning(lives, name, world), kept_so
