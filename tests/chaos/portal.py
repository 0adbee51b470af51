"""The portal as the campaign runs it: two workers, the staff's desk, and servers that keep what is committed."""

import sys

from tests.e2e.portal import Portal, free_port


class ChaosPortal(Portal):
    """Everything of the end-to-end tests' portal, and more of it."""

    def __init__(self) -> None:
        super().__init__(durable=True)
        self.desk_port = free_port()
        self.desk_url = f"http://127.0.0.1:{self.desk_port}"
        self.environment["HOOK_RATE_LIMIT"] = "0"

    def commands(self) -> dict[str, list[str]]:
        """How each part is started."""
        python = [sys.executable, "-m"]
        return {
            **super().commands(),
            "worker2": [*python, "celery", "-A", "config", "worker", "-n", "second@%h"],
            "desk": [*python, "tests.chaos.desk", str(self.desk_port)],
        }

    def up(self) -> None:
        """Start everything."""
        super().up()
        self.start("worker2")
        self.start("desk")
