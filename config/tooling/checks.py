"""`make check`: everything that can be known without running the portal. All checks run; the failed ones are
shown.
"""

import base64
import os

from config.tooling.environment import LOGS, PYTHON
from config.tooling.terminal import say, step
from config.tooling.vulnerabilities import NOT_CHECKED

# Settings want these. Nothing is encrypted, signed or stored with them; port 9 refuses at once.
SETTINGS = {
    "SECRET_KEY": "only-for-checks",  # nosec B105 # signs nothing
    "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(bytes(32)).decode(),
    "ALLOWED_HOSTS": "localhost",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    # makemigrations would like to compare with a database.
    "PYTHONWARNINGS": "ignore:Got an error checking a consistent migration history:RuntimeWarning",
}
CHECKS = {
    "Format": ["-m", "ruff", "format", "--check", "."],
    "Lint": ["-m", "ruff", "check", "."],
    "Types": ["-m", "mypy"],
    "Openings in the code": ["-m", "bandit", "-q", "-c", "pyproject.toml", "-r", "."],
    "Known vulnerabilities": ["-m", "config.tooling.vulnerabilities"],
    "Imports run one way": [
        "-c",
        "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())",
    ],
    "Migrations are complete": ["manage.py", "makemigrations", "--check", "--dry-run"],
    "Compiled translations are current": ["-m", "config.tooling.translations", "--check"],
    "The API's description is current": ["-m", "config.tooling.openapi", "--check"],
}


def run() -> int:
    """Run every check; the exit code is 1 if any failed. What could not be checked is told, and fails nothing."""
    failed, unchecked = [], []
    for name, command in CHECKS.items():
        done = step(name, [str(PYTHON), *command], log=LOGS / "check.log", environment={**os.environ, **SETTINGS})
        if done.code != 0:
            failed.append(name)
        elif done.output.startswith(NOT_CHECKED):
            unchecked.append(name)
        else:
            continue
        say(done.output.rstrip())
    but = f", but this could not be checked here: {', '.join(unchecked)}" if unchecked else "."
    say(f"Checks failed: {', '.join(failed)}" if failed else f"All checks are fine{but}")
    return 1 if failed else 0
