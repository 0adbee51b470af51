"""PostgreSQL and Redis that come with the portal, for `make run`, the tests and a first look.

Nothing here needs Django or any package, so that the servers start before anything is configured. The parts:
`places` (where things lie), `account` and `programs` (who runs what), `postgres` and `redis` (one server
each), `servers` (starting and stopping them), `state` (what runs now), `cli` (the command).
"""

from config.embedded.cli import main
from config.embedded.errors import NOT_RUNNING, EmbeddedError
from config.embedded.state import Urls, running

__all__ = ["NOT_RUNNING", "EmbeddedError", "Urls", "main", "running"]
