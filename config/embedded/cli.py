"""`python manage.py embedded start|stop|status`: the embedded servers for hand-started parts."""

import sys
from collections.abc import Sequence

from config.embedded import state
from config.embedded.errors import EmbeddedError
from config.embedded.places import HERE, Place
from config.embedded.servers import BOTH, Servers

USAGE = """usage: python manage.py embedded start|stop|status

  start   start the embedded PostgreSQL and Redis, or do nothing where they run
  stop    stop them and wait until they are gone; the data stays
  status  say whether they run (exit code 0: both run, 3: not both)
"""


def main(arguments: Sequence[str], place: Place = HERE) -> int:
    """Carry out one of the three words and return the exit code."""
    commands = {"start": _start, "stop": _stop, "status": _status}
    if len(arguments) == 1 and arguments[0] in commands:
        try:
            return commands[arguments[0]](place)
        except EmbeddedError as error:
            print(error, file=sys.stderr)
            return 1
    asked = arguments[:1] in (["-h"], ["--help"], ["help"])
    print(USAGE, end="", file=sys.stdout if asked else sys.stderr)
    return 0 if asked else 2


def _start(place: Place) -> int:
    servers = Servers(place)
    ran = {name for name, server in state.load(place).items() if server.alive()}
    running = servers.start()
    print(f"Embedded servers {'already run' if ran >= set(BOTH) else 'started'}; data: {servers.home()}")
    print(f"DATABASE_URL={running['postgres'].url}")
    print(f"REDIS_URL={running['redis'].url}")
    return 0


def _stop(place: Place) -> int:
    stopped = Servers(place).stop()
    print(f"Stopped: {', '.join(stopped)}" if stopped else "The embedded servers were not running.")
    return 0


def _status(place: Place) -> int:
    servers = state.load(place)
    up = 0
    for name in BOTH:
        server = servers.get(name)
        if server and server.alive():
            up += 1
            print(f"{name}: runs on 127.0.0.1:{server.port} (process {server.process.pid})")
        else:
            print(f"{name}: does not run")
    return 0 if up == len(BOTH) else 3
