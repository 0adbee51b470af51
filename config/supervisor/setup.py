"""What happens once at each start, before the children: migrations, static files, demo data."""

import sys
from collections.abc import Mapping
from pathlib import Path

from config.embedded.places import CHECKOUT, HERE
from config.supervisor.stopping import Stopping
from config.tooling.terminal import Failed, say, step, tail

DEMO = ["demo"]  # what it says is for the user
STEPS = {
    "Bringing the database up to date": ["migrate", "--noinput"],
    "Collecting static files": ["collectstatic", "--noinput"],
    "Loading the demo data": DEMO,
}


def forget_counts(environment: Mapping[str, str]) -> None:
    """Remove what the processes of an earlier run counted for `/metrics`."""
    for file in Path(environment.get("PROMETHEUS_MULTIPROC_DIR") or HERE.var / "metrics").glob("*.db"):
        file.unlink()


def prepare(environment: Mapping[str, str], log: Path, stopping: Stopping, *, demo: bool) -> None:
    """Run every step, the demo if wished. Raises Failed with the last words of a step that does not work."""
    log.unlink(missing_ok=True)
    forget_counts(environment)
    for label, words in STEPS.items():
        if words == DEMO and not demo:
            continue
        command = [sys.executable, str(CHECKOUT / "manage.py"), *words]
        done = step(label, command, log=log, environment=environment, cancelled=stopping.wished)
        if done.code != 0:
            raise Failed(f"{label} failed; {log} has all of it, and ends:\n{tail(done.output)}")
        if words == DEMO and done.output.strip():
            say(tail(done.output))
