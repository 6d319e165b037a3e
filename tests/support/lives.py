"""Beginnings that many tests share: lived through once by each worker, kept, and given to each test as a copy.

A fixture that is marked ``@kept`` gives books or an office in which something happened. The first test that begins so
lives through it; database and folder are then kept as they are, and each later test gets copies of both, of its own, to
write in and to break. What was kept for a module goes when another module begins.
"""

import copy
import inspect
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from app.database import Role, connected
from tests.support.books import Books
from tests.support.command import Shell
from tests.support.office import Office

World = TypeVar("World", Books, Office)
Fixtures = Mapping[str, Sequence[pytest.FixtureDef[Any]]]
"""By name: all that a test could mean by it, the one that it means at last."""


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
_TOLD = {f"centralpay.{table}" for table in ("received_file", "activity", "trail")}
"""Tables that tell how a person called a file, which nobody opens by that name again."""
_LIVES: dict[Callable[..., Any], Life] = {}
"""By the function that pytest calls."""


def kept(live: Callable[[World], World]) -> Callable[..., World]:
    """Mark what a fixture does to books or an office, and nothing else: it can be kept and copied.

    Raises:
        TypeError: it asks for something else, too, or goes on when the test is over.
    """
    code = live.__code__
    if code.co_argcount + code.co_kwonlyargcount != 1 or inspect.isgeneratorfunction(live):
        raise TypeError(f"{live.__name__} can not be kept: it must take books or an office, and give them back.")
    life = Life(Path(code.co_filename), live.__name__, code.co_varnames[0], live)

    @wraps(live)
    def once(**begun: World) -> World:
        (world,) = begun.values()
        if life not in world.lives:
            world.lives.append(life)
            _live(life, world)
        return world

    _LIVES[once] = life
    return once


def _live(life: Life, world: Books | Office) -> None:
    if life.live(world) is not world:
        raise TypeError(f"{life.name} can not be kept: it gives something else than what it was given.")


def lives_of(request: pytest.FixtureRequest) -> tuple[Life, ...]:
    """Give what a test begins with, one after the other, as far as its fixtures are marked; the longest there is.

    Nothing where another of its fixtures asks for books in which nothing happened: it is to have them so.
    """
    # Which fixture has a name for a test, in its class, its module or below, pytest tells in no other way.
    fixtures: Fixtures = request.node._fixtureinfo.name2fixturedefs
    longest: tuple[Life, ...] = max((_chain(fixtures, name) for name in fixtures), key=len, default=())
    asking = {each.func for name in fixtures for each in fixtures[name] if {*_NEW} & {*each.argnames}}
    return longest if all(_LIVES.get(each) in longest for each in asking) else ()


def _chain(fixtures: Fixtures, name: str, nth: int = 1) -> tuple[Life, ...]:
    """Give what leads up to a fixture, or nothing where one of them is not marked: it can do anything else, too."""
    named = fixtures.get(name, ())
    life = _LIVES.get(named[-nth].func) if nth <= len(named) else None
    if life is None:
        return ()
    if life.after in _NEW:
        return (life,) if len(fixtures[life.after]) == 1 else ()
    earlier = _chain(fixtures, life.after, nth + 1 if life.after == name else 1)
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
                _live(last, world)
            see_copyable(url, world)
            kept_so = held.pop_all()
        return Beginning(lives, name, world), kept_so


def see_copyable(url: str, world: Books | Office) -> None:
    """See that copies would stand alone: nothing knows the folder, and books or office nothing that is not copied.

    Raises:
        RuntimeError: a copy would write into what is kept, or lack something; the test that is asked for says more.
    """
    told = vars(world).keys() - {each.name for each in fields(world)}
    if told:
        raise RuntimeError(f"What is kept has {sorted(told)}, and a copy would not.")
    here = str(world.folder)
    paths = [path for path in world.folder.rglob("*") if path.is_symlink() or path.is_file()]
    naming = [str(path) for path in paths if path.is_symlink() or here.encode() in path.read_bytes()]
    with psycopg.connect(make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)) as reading:
        tables = reading.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND oid >= 16384")
        for table in {name for (name,) in tables} - _TOLD:
            query = sql.SQL("SELECT EXISTS (SELECT FROM {} AS t WHERE strpos(t::text, %s) > 0)")
            if reading.execute(query.format(sql.SQL(table)), [here]).fetchone() == (True,):
                naming.append(table)
    if naming:
        raise RuntimeError(f"What is kept names its folder, and a copy would write there: {', '.join(sorted(naming))}")
