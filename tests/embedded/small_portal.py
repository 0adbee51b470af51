"""A `make run` in small: `python small_portal.py VAR EMBEDDED NAME=CODE ...` watches Python one-liners.

EMBEDDED is a comma-separated list of servers to keep alive, or `-`.
"""

import os
import sys
from pathlib import Path

from config.embedded.places import Place
from config.embedded.servers import Servers
from config.supervisor import children
from config.supervisor.children import Child
from config.supervisor.stopping import Stopping
from config.supervisor.watch import Watch
from config.tooling.terminal import Failed, say


def main(var: str, embedded: str, *parts: str) -> int:
    children.LONGEST_PAUSE_SECONDS = 0.05
    place = Place(Path(var))
    servers = Servers(place, durable=False, die_with_us=True)
    names = [] if embedded == "-" else embedded.split(",")
    stopping = Stopping()
    watch = Watch(stopping, servers, names)
    try:
        if names:
            servers.start(names)
        for part in parts:
            name, code = part.split("=", 1)
            watch.add(Child(name, [sys.executable, "-c", code], os.environ, place.logs / f"{name}.log"))
        say("watching")
        watch.for_ever()
    except Failed as error:
        say(str(error))
        return 1
    finally:
        watch.stop()
    return 130 if stopping.forced else 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
