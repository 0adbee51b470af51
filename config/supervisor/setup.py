"""What happens once at each start, before the children: migrations, static files, demo data."""

import sys
from collections.abc import Mapping
from pathlib import Path

from config.embedded.places import CHECKOUT
from config.supervisor.stopping import Stopping
from config.tooling.terminal import Failed, say, step, tail

STEPS = {
    "Bringing the database up to date": ["migrate", "--noinput"],
    "Collecting static files": ["collectstatic", "--noinput"],
    "Loading the demo data": ["demo"],
}
SHOWN = ("demo",)  # what these commands say is for the user


def prepare(environment: Mapping[str, str], log: Path, stopping: Stopping) -> None:
    """Run every step. Raises Failed with the end of what it said when one does not work."""
    log.unlink(missing_ok=True)
    for label, words in STEPS.items():
        command = [sys.executable, str(CHECKOUT / "manage.py"), *words]
        done = step(label, command, log=log, environment=environment, cancelled=stopping.wished)
        if done.code != 0:
            raise Failed(f"{label} failed; {log} has all of it, and ends:\n{tail(done.output)}")
        if words[0] in SHOWN and done.output.strip():
            say(tail(done.output))
