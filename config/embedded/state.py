"""What runs now, as a small file that every process of the portal may read when its settings are loaded."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from config.embedded.places import HERE, Place
from config.embedded.processes import Process


@dataclass(frozen=True)
class Urls:
    """The addresses of the embedded servers, with their passwords."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class Running:
    """One server that was started: its process, port, address, and the process with which it dies."""

    process: Process
    port: int
    url: str
    owner: Process | None = None

    def alive(self) -> bool:
        """Whether it runs and goes on running: the end of its owner is its own."""
        return self.process.alive() and (self.owner is None or self.owner.alive())


def read_json(file: Path) -> dict[str, object]:
    """A file's object; empty where there is no readable one."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def write_json(file: Path, content: object) -> None:
    """Replace a file as a whole, readable by its owner alone."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        json.dump(content, output, indent=1)
    fresh.replace(file)


def load(place: Place) -> dict[str, Running]:
    """The servers that were started and not stopped, dead ones too. A copied checkout's state is not
    believed.
    """
    content = read_json(place.state_file)
    servers = content.get("servers")
    if content.get("var") != str(place.var) or not isinstance(servers, dict):
        return {}
    try:
        return {
            name: Running(
                Process(**entry["process"]),
                entry["port"],
                entry["url"],
                Process(**entry["owner"]) if entry["owner"] else None,
            )
            for name, entry in servers.items()
        }
    except (KeyError, TypeError):  # not written by us
        return {}


def save(place: Place, servers: dict[str, Running]) -> None:
    """Remember the started servers; none at all removes the file."""
    if not servers:
        place.state_file.unlink(missing_ok=True)
        return
    entries = {name: asdict(server) for name, server in servers.items()}
    write_json(place.state_file, {"var": str(place.var), "servers": entries})


def running(place: Place = HERE) -> Urls | None:
    """The embedded servers' addresses while PostgreSQL runs, else None.

    A Redis that died counts as running: the portal goes on without it, and its address stays as it is.
    """
    servers = load(place)
    postgres, redis = servers.get("postgres"), servers.get("redis")
    if postgres is None or redis is None or not postgres.alive():
        return None
    return Urls(postgres.url, redis.url)
