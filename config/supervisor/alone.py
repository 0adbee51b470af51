"""One `make run` a checkout: a lock that is held as long as it lives, and that names it to the others."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from config.embedded.places import CHECKOUT, HERE
from config.tooling.terminal import Failed

LOCK = HERE.var / "run.lock"


@contextmanager
def alone() -> Iterator[None]:
    """Hold the lock. Raises Failed with the process number of the one that holds it already."""
    with LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Failed(
                f"make run is at work in {CHECKOUT} already (process {lock.read().strip()}). Stop it with Ctrl-C first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
