"""The embedded server: sharing, crashes, odd places. Each test has servers of its own."""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app import cluster as cluster_module
from app.cluster import Cluster, program
from app.server_account import ClusterError

ROOT = Path(__file__).parents[2]
USER = """
import sys
from pathlib import Path
from app.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), throwaway=True)
print(cluster.start(), flush=True)
sys.stdin.read()
cluster.release()
"""

Place = Callable[[str], Cluster]


@pytest.fixture
def place(quick_path: Path) -> Iterator[Place]:
    """Give a maker of clusters in this test's folder; they are gone when it ends."""
    made: list[Cluster] = []

    def at(name: str) -> Cluster:
        made.append(Cluster(quick_path / name, throwaway=True))
        return made[-1]

    yield at
    for cluster in made:
        cluster.discard()


def server_pid(url: str) -> int:
    """Ask the server for the pid of its first process, as its own lock file has it."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT split_part(pg_read_file('postmaster.pid'), chr(10), 1)::int").fetchone()
    assert row is not None
    return int(row[0])


def has_ended(pid: int) -> bool:
    """Wait for a process that was told to stop; its lock file is gone a moment before it is."""
    for _ in range(500):
        if not is_alive(pid):
            return True
        time.sleep(0.01)
    return False


def is_alive(pid: int) -> bool:
    """Tell whether a process is there; one that ended and was not yet collected is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def other_process(data_dir: Path) -> subprocess.Popen[str]:
    """Start another process that uses the cluster until its standard input ends; return when it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, data_dir], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def leave(process: subprocess.Popen[str]) -> None:
    """Let that process end as a program does."""
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_new_folder_becomes_a_server_as_the_ledger_needs_it(quick_path: Path) -> None:
    """UTF-8 with an order that no operating system can change, checksums, durable, UTC, no network, no row in a log."""
    settings = [
        "server_encoding",
        "data_checksums",
        "fsync",
        "full_page_writes",
        "synchronous_commit",
        "TimeZone",
        "listen_addresses",
        "jit",
        "log_error_verbosity",
    ]
    with Cluster(quick_path / "home" / "postgres").running() as url, psycopg.connect(url) as connection:
        said = [connection.execute(f"SHOW {name}").fetchone() for name in settings]
        locale = connection.execute("SELECT datlocprovider, datlocale FROM pg_database WHERE datname = 'template1'")
        assert said == [("UTF8",), ("on",), ("on",), ("on",), ("on",), ("UTC",), ("",), ("off",), ("terse",)]
        assert locale.fetchone() == ("b", "C.UTF-8")


def test_the_server_is_stopped_when_its_only_user_leaves_and_keeps_what_it_was_told(place: Place) -> None:
    """Nothing of ours runs on after the command; the next command finds the rows."""
    cluster = place("postgres")
    with cluster.running() as url:
        pid = server_pid(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    assert has_ended(pid)
    with cluster.running() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_start_and_release_can_be_repeated(place: Place) -> None:
    """A second start gives the same server, a second release does nothing."""
    cluster = place("postgres")
    assert cluster.start() == cluster.start()
    cluster.release()
    cluster.release()
    assert not (cluster.data_dir / "postmaster.pid").exists()


def test_processes_share_one_server_and_the_last_one_stops_it(place: Place) -> None:
    """Whoever comes second uses what is there; who leaves first takes nothing away."""
    cluster = place("postgres")
    other = other_process(cluster.data_dir)
    pid = server_pid(cluster.start())
    leave(other)
    assert is_alive(pid)
    cluster.release()
    assert has_ended(pid)


def test_processes_that_start_at_once_get_one_server(place: Place) -> None:
    """Of several first users one makes the data folder, the others wait for it."""
    cluster = place("postgres")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", USER, cluster.data_dir],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
    assert server_pid(cluster.url()) > 0
    for process in processes:
        leave(process)
    assert not (cluster.data_dir / "postmaster.pid").exists()


def test_a_killed_user_leaves_the_server_and_the_next_one_takes_it_over(place: Place) -> None:
    """A kill that no program can answer costs neither the data nor a stray server."""
    cluster = place("postgres")
    other = other_process(cluster.data_dir)
    pid = server_pid(cluster.url())
    other.kill()
    other.communicate()
    assert server_pid(cluster.start()) == pid
    cluster.release()
    assert has_ended(pid)


def test_a_killed_server_recovers(quick_path: Path) -> None:
    """After a kill of the server itself, what was committed is there at the next start."""
    cluster = Cluster(quick_path / "postgres")
    with cluster.running() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(server_pid(url), signal.SIGKILL)
    with cluster.running() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)


def test_a_lock_file_that_names_a_stranger_does_not_stop_the_start(place: Place) -> None:
    """After a crash of the machine the old pid may be anybody's, even another server's of the same account."""
    neighbour, cluster = place("neighbour"), place("postgres")
    stranger = server_pid(neighbour.start())
    cluster.start()
    locks = [cluster.data_dir / "postmaster.pid", cluster.data_dir / ".s.PGSQL.5432.lock"]
    kept = [lock.read_text(encoding="utf-8").split("\n", 1)[1] for lock in locks]
    cluster.release()
    for lock, rest in zip(locks, kept, strict=True):
        lock.write_text(f"{stranger}\n{rest}", encoding="utf-8")
        shutil.chown(lock, cluster.data_dir.stat().st_uid)
    assert server_pid(cluster.start()) != stranger
    assert server_pid(neighbour.url()) == stranger


def test_two_homes_do_not_disturb_each_other(place: Place) -> None:
    """Each has its own server; the end of one is not the other's."""
    first, second = place("first"), place("second")
    pids = {server_pid(first.start()), server_pid(second.start())}
    assert len(pids) == 2
    first.release()
    assert server_pid(second.url()) in pids


def test_a_half_made_data_folder_is_made_anew(place: Place) -> None:
    """What a killed initdb left is thrown away; the real name appears only when all is there."""
    cluster = place("postgres")
    half = cluster.data_dir.with_name("postgres.making")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n", encoding="ascii")
    assert server_pid(cluster.start()) > 0
    assert not half.exists()


def test_a_deep_or_odd_home_gets_its_socket_elsewhere(place: Place) -> None:
    """A socket's path has 107 bytes at most, and a comma would part a list of folders: /tmp, 0700, then."""
    for name in ("d" * 120 + "/postgres", "a home, with 'odd' $signs/postgres"):
        cluster = place(name)
        pid = server_pid(cluster.start())
        folder = cluster._socket_dir()
        assert folder.parent == Path("/tmp")  # noqa: S108 (the place is what is tested)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert folder.stat().st_uid == cluster.data_dir.stat().st_uid
        cluster.release()
        assert has_ended(pid)


def test_a_socket_folder_that_somebody_else_put_there_is_refused(place: Place) -> None:
    """In a place where all may write, nobody can lend us his folder."""
    cluster = place("d" * 120 + "/postgres")
    cluster._socket_dir().mkdir(mode=0o777)
    with pytest.raises(ClusterError, match="remove it"):
        cluster.start()


def test_a_folder_of_something_else_is_not_touched(place: Place) -> None:
    """A data folder that holds other files is told, not filled."""
    cluster = place("postgres")
    cluster.data_dir.mkdir()
    (cluster.data_dir / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ClusterError, match="move it away"):
        cluster.start()
    assert [path.name for path in cluster.data_dir.iterdir()] == ["thesis.txt"]


def test_data_of_another_major_version_is_told(place: Place) -> None:
    """The sentence names both versions."""
    cluster = place("postgres")
    cluster.data_dir.mkdir()
    (cluster.data_dir / "PG_VERSION").write_text("17\n", encoding="ascii")
    with pytest.raises(ClusterError, match="belongs to PostgreSQL 17; this release needs 18"):
        cluster.start()


def test_a_server_that_will_not_start_says_why(place: Place) -> None:
    """The end of the server's own log comes with the error, and nothing is left running."""
    cluster = place("postgres")
    with cluster.running():
        pass
    with (cluster.data_dir / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
        file.write("shared_buffers = 'a little'\n")
    with pytest.raises(ClusterError, match="invalid value for parameter"):
        cluster.start()
    assert cluster._processes() == []


def test_an_administrators_own_settings_win(place: Place) -> None:
    """What ALTER SYSTEM wrote is not overwritten by the next start."""
    cluster = place("postgres")
    with cluster.running() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET work_mem = '33MB'")
    with cluster.running() as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("33MB",)


def test_a_moved_home_works_at_its_new_place(place: Place, quick_path: Path) -> None:
    """Neither socket nor lock nor name depends on where the folder was made."""
    cluster = place("old/postgres")
    with cluster.running() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept ()")
    (quick_path / "old").rename(quick_path / "new")
    with place("new/postgres").running() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)


def test_a_home_removed_under_the_server_ends_quietly(place: Place) -> None:
    """The user finds nothing to stop and says nothing; the server sees it by itself within a minute."""
    cluster = place("postgres")
    pid = server_pid(cluster.start())
    shutil.rmtree(cluster.data_dir)
    cluster.release()
    os.kill(pid, signal.SIGINT)
    assert has_ended(pid)


def test_a_long_wait_is_told_on_standard_error(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Who waits for another process reads for what; standard output stays clean for pipes."""
    monkeypatch.setattr(cluster_module, "_PATIENCE_S", 0.0)
    with place("postgres").running():
        time.sleep(0.05)
    out, err = capfd.readouterr()
    assert out == ""
    assert "PostgreSQL is starting" in err


def test_only_a_throwaway_cluster_can_be_discarded(quick_path: Path) -> None:
    """No call removes a folder that holds somebody's money."""
    with pytest.raises(ClusterError, match="no throw-away"):
        Cluster(quick_path / "postgres").discard()


def test_a_program_that_is_not_there_is_told() -> None:
    """A platform without the wheel gets a sentence that names the way out."""
    assert program("pg_dump").is_file()
    with pytest.raises(ClusterError, match="CENTRALPAY_DATABASE_URL"):
        program("pg_unheard_of")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account to run the server")
def test_as_root_the_server_has_its_own_account_and_parents_only_let_it_pass(place: Place) -> None:
    """The data are its own and private; the home lets it through without letting it, or anybody, look."""
    cluster = place("home/deep/postgres")
    cluster.start()
    data = cluster.data_dir.stat()
    assert pwd.getpwuid(data.st_uid).pw_name == "embedded_postgres"
    assert stat.S_IMODE(data.st_mode) == 0o700
    assert stat.S_IMODE(cluster.data_dir.parent.stat().st_mode) & 0o077 == stat.S_IXOTH
    assert all(path.stat().st_mode & 0o077 == 0 for path in cluster.data_dir.rglob("*") if not path.is_symlink())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_runs_it_as_himself(quick_path: Path) -> None:
    """Without root nothing needs to be added or opened: the folder and the server are the user's own."""
    home = quick_path / "theirs"
    home.mkdir()
    account = pwd.getpwnam("nobody")
    os.chown(home, account.pw_uid, account.pw_gid)
    for parent in (*home.parents, *program("postgres").parents):
        parent.chmod(stat.S_IMODE(parent.stat().st_mode) | stat.S_IXOTH)
    cluster = Cluster(home / "postgres", throwaway=True)
    child = os.fork()  # not a new interpreter: that user may not be able to read it
    if child == 0:
        problem = 1
        try:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            with cluster.running():
                problem = int(cluster.data_dir.stat().st_uid != account.pw_uid or not cluster._processes())
            cluster.discard()
        finally:
            os._exit(problem)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
