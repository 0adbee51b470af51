"""Who runs the embedded servers: PostgreSQL refuses root, so root's servers belong to somebody without
rights.
"""

import errno
import os
import pwd
import subprocess  # nosec B404 # our own commands, none of it from outside
from dataclasses import dataclass
from pathlib import Path

from config.embedded.errors import EmbeddedError
from config.embedded.processes import Identity

NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """The user and group of the servers; `changes` says whether root has to step down to it."""

    uid: int
    gid: int
    changes: bool

    @property
    def identity(self) -> Identity:
        """Popen's arguments for running a program as this account."""
        if not self.changes:
            return Identity()
        return Identity(user=self.uid, group=self.gid, extra_groups=[])

    @property
    def name(self) -> str:
        """The user's name, or its number where it has none."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def owns(self, path: Path) -> None:
        """Hand a file or folder to this account, closed to everyone else."""
        path.chmod(0o700 if path.is_dir() else 0o600)
        if self.changes:
            os.chown(path, self.uid, self.gid)

    def reaches(self, folder: Path) -> bool:
        """Whether this account can enter the folder. Asked by trying, which covers every access rule."""
        return self.run(["/bin/sh", "-c", 'cd -- "$0" 2>/dev/null', str(folder)])[0] == 0

    def run(self, command: list[str], *, data: str = "") -> tuple[int, str]:
        """Run a short command as this account: its exit code (126 where it may not be executed) and what it
        said.

        Raises EmbeddedError when root is not allowed to step down.
        """
        try:
            done = subprocess.run(  # nosec B603 # our own commands
                command,
                input=data.encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd="/",
                env=ENVIRONMENT,
                check=False,
                **self.identity,
            )
        except OSError as error:
            if self.changes and error.errno in (errno.EPERM, errno.EINVAL):
                raise EmbeddedError(
                    f"PostgreSQL does not run as root, and here root may not become {self.name!r} "
                    f"({error.strerror}). Run as another user, or set DATABASE_URL and REDIS_URL."
                ) from None
            return 126, f"{command[0]}: {error.strerror}"
        return done.returncode, done.stdout.decode(errors="replace").strip()


# A user's PGPORT, PGDATA, LD_LIBRARY_PATH and the like must not reach the servers.
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C", "TZ": "UTC", "HOME": "/"}


def servers_account(*data_folders: Path) -> Account:
    """The owner of data that is there already, or else ourselves, or nobody for root."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), changes=False)
    for folder in data_folders:
        if folder.is_dir() and folder.stat().st_uid != 0:
            return Account(folder.stat().st_uid, folder.stat().st_gid, changes=True)
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(NOBODY, NOBODY, changes=True)
    return Account(entry.pw_uid, entry.pw_gid, changes=True)
