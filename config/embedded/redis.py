"""The embedded Redis: its configuration, and when it is ready. On 127.0.0.1 alone, with a password."""

import signal
import socket
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.account import Account
from config.embedded.programs import Programs

DATABASES = 64  # one for each process of a parallel test run


@dataclass(frozen=True)
class Redis:
    """The broker of one data folder. `durable` keeps what is queued over a restart."""

    home: Path
    account: Account
    programs: Programs
    password: str = field(repr=False)
    durable: bool

    name = "redis"
    shutdown = ((signal.SIGTERM, 4.0), (signal.SIGKILL, 2.0))
    abort = ((signal.SIGKILL, 2.0),)
    with_parent = signal.SIGTERM

    @property
    def data(self) -> Path:
        """The data folder, with the configuration in it (the password must not stand on a command line)."""
        return self.home / "redis"

    def prepare(self) -> None:
        """Make the data folder unless it is there."""
        self.data.mkdir(exist_ok=True)
        self.account.owns(self.data)

    def command(self, port: int) -> list[str]:
        """The command line of the server, after its configuration was written."""
        lines = [
            "bind 127.0.0.1",
            f"port {port}",
            "protected-mode yes",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            f"databases {DATABASES}",
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self.durable else 'no'}",
            "appendfsync everysec",
        ]
        file = self.data / "redis.conf"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n")
        self.account.owns(file)
        return [str(self.programs.redis), str(file)]

    def ready(self, port: int) -> bool:
        """Whether it answers; while it reads its file it does not."""
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"

    def url(self, port: int) -> str:
        """The address for REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{port}/0"
