"""The system account that an embedded PostgreSQL server runs as, and what it may reach.

PostgreSQL refuses to run as root. As an ordinary user everything is that user's own; as root (a container) the server
gets an account of its own, its data folder belongs to that account, and the folders above let it pass but not look.
"""

import os
import pwd
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.errors import CentralpayError

_SYSTEM_USER: Final = "embedded_postgres"


class ClusterError(CentralpayError):
    """The embedded PostgreSQL cannot be made, started or stopped; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the server runs as.

    Args:
        uid: its user id.
        gid: its group id.
    """

    uid: int
    gid: int

    def credentials(self) -> dict[str, Any]:
        """Give the arguments that make ``subprocess`` run a program as this account."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(folder: Path) -> Account:
    """Give the account that owns the data folder; as root, hand a folder of root's to the server's own account.

    Raises:
        ClusterError: the account is missing and cannot be added.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    owner = folder.stat()
    if owner.st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    entry = _system_user()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), entry.pw_uid, entry.pw_gid, follow_symlinks=False)
    os.chown(folder, entry.pw_uid, entry.pw_gid)
    return Account(entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    said = ""
    for _ in range(50):  # another process may be adding it at this moment; useradd then refuses
        with suppress(KeyError):
            return pwd.getpwnam(_SYSTEM_USER)
        try:
            done = subprocess.run(
                ["useradd", "--system", "--no-create-home", "--home-dir=/", "--shell=/usr/sbin/nologin", _SYSTEM_USER],  # noqa: S607 (its folder differs between systems)
                capture_output=True,
                check=False,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        except FileNotFoundError:
            said = "there is no useradd"
            break
        said = done.stderr.decode("utf-8", errors="replace").strip()
        if done.returncode:
            time.sleep(0.1)
    raise ClusterError(
        f"PostgreSQL does not run as root, and its user {_SYSTEM_USER} cannot be added ({said}). Add that user, "
        "run centralpay as an ordinary user, or name another server in CENTRALPAY_DATABASE_URL."
    )


def let_through(account: Account, folder: Path, postgres: Path) -> None:
    """Let the account pass to its data and its programs: the right to pass and no more, and only when we are root.

    Args:
        account: the server's account.
        folder: the data folder; it and what is in it stay as they are.
        postgres: the program ``postgres``; it and its neighbours become readable for all if they are not.
    """
    if os.geteuid() != 0 or account.uid == 0:
        return
    for parent in (*folder.parents, *postgres.parents):
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            parent.chmod(mode | stat.S_IXOTH)
    readable = stat.S_IROTH | stat.S_IXOTH
    if postgres.stat().st_mode & readable != readable:  # installed under a strict umask
        for path in postgres.parent.parent.rglob("*"):
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def make_private(folder: Path, account: Account) -> None:
    """Make a folder in a place where everybody may write.

    Raises:
        ClusterError: something of that name is there that is not the account's own private folder.
    """
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, account.uid, account.gid)
    except FileExistsError as error:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) != 0o700:
            raise ClusterError(f"{folder} is not PostgreSQL's own folder of mode 0700; remove it.") from error
