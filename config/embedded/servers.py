"""Starts and stops the embedded servers of one place: under a lock, from whatever a crash left, on free
ports.
"""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded import ports, programs, state
from config.embedded.account import ENVIRONMENT, Account, servers_account
from config.embedded.errors import EmbeddedError
from config.embedded.places import Place
from config.embedded.postgres import Postgres
from config.embedded.processes import Process, living_in, spawn, wait_until
from config.embedded.redis import Redis
from config.embedded.state import Running

VARIABLES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
BOTH = tuple(VARIABLES)
READY_SECONDS = 120.0  # PostgreSQL may have a crash to recover from
LOCK_SECONDS = 180.0
_ATTEMPTS = 3  # a free port may be taken by another program before the server has it


@dataclass(frozen=True)
class Servers:
    """The embedded servers of a place.

    `durable` is off for tests. `die_with_us`: the servers end when this process does, however it ends; it
    must then be the main thread that starts them.
    """

    place: Place
    durable: bool = True
    die_with_us: bool = False
    say: Callable[[str], None] = print

    def start(self, names: Iterable[str] = BOTH) -> dict[str, Running]:
        """Start those that do not run, and return all that do. Raises EmbeddedError."""
        with self._lock():
            servers = state.load(self.place)
            missing = [name for name in names if name not in servers or not servers[name].alive()]
            if missing:
                home, account = self._home()
                kept = self._kept(home)
                usable = programs.runnable(account, folder=home)
                for name in missing:
                    server = self._server(name, home, account, usable, kept.password)
                    servers[name] = self._start(server, kept.ports, prefer=servers.get(name))
                    state.write_json(home / "servers.json", {"password": kept.password, "ports": kept.ports})
                    state.save(self.place, servers)
            return servers

    def stop(self, *, at_once: bool = False) -> list[str]:
        """Stop all of them and wait until they are gone; `at_once` kills. Returns the names of those that
        ran.
        """
        with self._lock():
            servers = state.load(self.place)
            stopped = [name for name in reversed(BOTH) if name in servers and servers[name].process.alive()]
            for name in stopped:
                kind = Postgres if name == "postgres" else Redis
                if not servers[name].process.end(kind.abort if at_once else kind.shutdown):
                    raise EmbeddedError(f"{name} (process {servers[name].process.pid}) does not stop.")
            state.save(self.place, {})
            return stopped

    def home(self) -> Path:
        """The folder of the data, where it is there already or would be made."""
        here, away = self.place.control, self.place.away
        for folder in (here, away):
            if (folder / "postgres").is_dir():
                return folder
        return here if servers_account().reaches(here) else away

    @contextmanager
    def _lock(self) -> Iterator[None]:
        try:
            self.place.var.mkdir(mode=0o755, parents=True, exist_ok=True)
            self.place.control.mkdir(mode=0o711, exist_ok=True)
            lock = self.place.lock_file.open("w")
        except OSError as error:
            raise EmbeddedError(f"{self.place.control} cannot be written: {error.strerror}.") from None
        with lock:
            end = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise EmbeddedError("Another start or stop of the embedded servers does not end.") from None
                    time.sleep(0.1)
            yield

    def _home(self) -> tuple[Path, Account]:
        """The data folder, made if need be, and the account that works in it."""
        home = self.home()
        account = servers_account(home / "postgres", home / "redis")
        if home != self.place.control:
            self.say(f"User {account.name!r} cannot reach {self.place.control}: the data lies in {home}.")
        try:
            home.mkdir(mode=0o711, parents=True, exist_ok=True)
            home.chmod(0o711)
        except OSError as error:
            raise EmbeddedError(f"{home} cannot be used: {error.strerror}.") from None
        for data in (home / "postgres", home / "redis"):
            if not account.changes and data.is_dir() and data.stat().st_uid != account.uid:
                raise EmbeddedError(f"{data} belongs to another user: it was made as root. Run as root again.")
        if not account.reaches(home):
            raise EmbeddedError(f"The data lies in {home}, which user {account.name!r} can no longer reach.")
        return home, account

    def _kept(self, home: Path) -> "_Kept":
        """Password and ports of earlier starts; a new password is written before anything is made with it."""
        file = home / "servers.json"
        content = state.read_json(file)
        password, kept = content.get("password"), content.get("ports")
        if not isinstance(password, str):
            if (home / "postgres").is_dir():
                raise EmbeddedError(f"{file} is lost, and with it the password of the database beside it.")
            password = secrets.token_urlsafe(32)
            state.write_json(file, {"password": password, "ports": {}})
        return _Kept(password, dict(kept) if isinstance(kept, dict) else {})

    def _server(
        self, name: str, home: Path, account: Account, usable: programs.Programs, password: str
    ) -> Postgres | Redis:
        if name == "postgres":
            return Postgres(home, account, usable, password, self.durable)
        return Redis(home, account, usable, password, self.durable)

    def _start(self, server: Postgres | Redis, kept: dict[str, int], *, prefer: Running | None) -> Running:
        self._clear(server)
        server.prepare()
        log = self.place.logs / f"{server.name}.log"
        for _ in range(_ATTEMPTS):
            port = prefer.port if prefer else kept.get(server.name, 0)
            if not port or not ports.is_free(port):
                port = ports.free_port()
            prefer = None
            process = spawn(
                server.command(port),
                log=log,
                environment=ENVIRONMENT,
                identity=server.account.identity,
                with_parent=server.with_parent if self.die_with_us else None,
            )
            if self._becomes_ready(server, process, port):
                kept[server.name] = port
                owner = Process.of(os.getpid()) if self.die_with_us else None
                return Running(process, port, server.url(port), owner)
            if ports.is_free(port):  # it was something else
                break
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise EmbeddedError(f"{server.name} did not start. Its log ({log}) ends:\n{tail}")

    def _becomes_ready(self, server: Postgres | Redis, process: Process, port: int) -> bool:
        """Wait until it answers or has ended; whatever interrupts the waiting ends it too."""
        try:
            wait_until(lambda: server.ready(port) or not process.alive(), seconds=READY_SECONDS)
            if process.alive() and server.ready(port):
                return True
        except BaseException:
            process.end(server.shutdown)
            raise
        process.end(server.shutdown)
        return False

    def _clear(self, server: Postgres | Redis) -> None:
        """End what still works in the data folder though we know of none: its starter was killed."""
        program = "redis-server" if server.name == "redis" else "postgres"
        left = living_in(server.data, program=program)
        first = min(left, key=lambda process: process.started, default=None)  # the parent of the others
        if first is not None and not first.end(server.shutdown):
            raise EmbeddedError(f"{server.name} (process {first.pid}) still works in {server.data} and does not end.")
        if not wait_until(lambda: not living_in(server.data, program=program), seconds=10):
            raise EmbeddedError(f"Processes of an earlier {server.name} still work in {server.data}.")


@dataclass(frozen=True)
class _Kept:
    password: str = field(repr=False)
    ports: dict[str, int]
