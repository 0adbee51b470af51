"""Starts the portal's parts, tells where they are, and stays until told to stop. `make run` comes here."""

import os
import signal
import sys
from collections.abc import Mapping

from config.embedded import EmbeddedError, state
from config.embedded.places import HERE
from config.embedded.processes import die_with_parent
from config.embedded.servers import BOTH, VARIABLES, Servers
from config.supervisor import health, setup, summary
from config.supervisor.alone import alone
from config.supervisor.children import Child
from config.supervisor.environment import (
    Addresses,
    addresses,
    check_ports,
    has_sandbox,
    run_environment,
)
from config.supervisor.parts import parts
from config.supervisor.stopping import Stopping
from config.supervisor.watch import Watch
from config.tooling.terminal import Failed, say

KEYS = HERE.var / "run.env"
FIRST_LOGIN = HERE.var / "first-login.json"


def main(arguments: list[str]) -> int:
    """Run the portal, or with `manage ...` one command in its environment. Returns the exit code."""
    if "MAKELEVEL" in os.environ:
        die_with_parent(signal.SIGTERM, os.getppid())  # a killed make takes us along, and we our children
    try:
        HERE.var.mkdir(mode=0o755, exist_ok=True)
        where = addresses(os.environ)
        environment = run_environment(os.environ, KEYS, where)
        if arguments[:1] == ["manage"]:
            os.execve(sys.executable, [sys.executable, "manage.py", *arguments[1:]], environment)  # nosec B606 # our own words
        with alone():
            return _run(where, environment)
    except (Failed, EmbeddedError) as error:
        say(str(error))
        return 1


def _run(where: Addresses, environment: dict[str, str]) -> int:
    check_ports(where, sandbox=has_sandbox(environment))
    stopping = Stopping()
    servers = Servers(HERE, die_with_us=True, say=say)
    wanted = [name for name in BOTH if VARIABLES[name] not in environment]
    known = state.load(HERE)
    ours = [name for name in wanted if name not in known or not known[name].alive()]
    watch = Watch(stopping, servers, ours)
    try:
        if wanted:
            say(f"Embedded servers: {', '.join(wanted)}")
            environment |= {VARIABLES[name]: server.url for name, server in servers.start(wanted).items()}
        _serve(where, environment, watch, stopping, data=_data(servers, wanted))
    except Failed:
        if not stopping.wished():
            raise
    finally:
        say("\nStopping everything ...")
        watch.stop()
        say("Stopped; the data is kept.")
    return 130 if stopping.forced else 0


def _serve(where: Addresses, environment: Mapping[str, str], watch: Watch, stopping: Stopping, *, data: str) -> None:
    """Prepare, start the children, say where they are, and watch them until a stop is wished."""
    sandbox = has_sandbox(environment)
    setup.prepare(environment, HERE.logs / "setup.log", stopping, demo=sandbox)
    for name, command in parts(where, sandbox=sandbox).items():
        if not stopping.wished():
            watch.add(Child(name, command, environment, HERE.logs / f"{name}.log"))
    say("Waiting for the portal to answer ...")
    if watch.until(lambda: _all_answer(where, sandbox=sandbox), seconds=health.OVERALL_SECONDS):
        say(summary.text(where, login=FIRST_LOGIN, data=data, logs=HERE.logs, sandbox=sandbox))
        watch.for_ever()
    elif not stopping.wished():
        said = "\n".join(f"{child.name}:\n{child.last_lines()}" for child in watch.children)
        raise Failed(f"The portal does not answer after {health.OVERALL_SECONDS:g} s. Its parts said last:\n{said}")


def _all_answer(where: Addresses, *, sandbox: bool) -> bool:
    if not health.answers(where.port, "/healthz", host=where.reachable):
        return False
    return not sandbox or health.answers(where.sandbox_port, "/")


def _data(servers: Servers, wanted: list[str]) -> str:
    """Where the data lies, in words."""
    if "postgres" not in wanted:
        return "in the database of DATABASE_URL"
    return f"{servers.home()} (PostgreSQL)"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
