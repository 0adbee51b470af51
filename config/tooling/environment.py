"""The virtual environment `.venv`: made when it is missing or broken, filled when a requirements file has
changed.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess  # nosec B404 # our own commands, none of it from outside
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config.embedded.places import CHECKOUT
from config.tooling.terminal import Failed, say, step, tail

VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
LOGS = CHECKOUT / "var" / "log"
STAMP = VENV / "installed.json"
FOR_RUN = ("requirements.txt",)
FOR_TESTS = ("requirements-dev.txt", "requirements.txt")  # the first includes the second


def ensure(files: tuple[str, ...]) -> None:
    """Have a virtual environment with what the first of these files asks for. Quick when nothing changed."""
    with _lock():
        if not _runs("pass"):
            _make()
        wanted = {name: _fingerprint(name) for name in files}
        installed = _installed()
        if any(installed.get(name) != fingerprint for name, fingerprint in wanted.items()):
            _install(files[0])
            STAMP.write_text(json.dumps({**installed, **wanted}))


def _runs(code: str) -> bool:
    if not PYTHON.exists():
        return False
    check = f"import sys; assert sys.version_info >= (3, 11); {code}"
    return subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0  # nosec B603 # our own commands


def _make() -> None:
    if VENV.exists():
        say(f"{VENV} does not work; it is made anew.")
        shutil.rmtree(VENV)
    make = [sys.executable, "-m", "venv", str(VENV)]
    pip_missing = importlib.util.find_spec("ensurepip") is None
    if pip_missing and _install_venv_package():
        pip_missing = False
    if not pip_missing:
        _run("Making .venv", make)
    elif importlib.util.find_spec("pip") is not None:
        _run("Making .venv", [*make, "--without-pip"])
        _run("Fetching pip", [sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"])
    else:
        raise Failed(
            f"This Python ({sys.executable}) cannot make virtual environments: its ensurepip is missing.\n"
            f"On Debian or Ubuntu: apt-get install {_venv_package()}"
        )


def _venv_package() -> str:
    return f"python3.{sys.version_info.minor}-venv"


def _install_venv_package() -> bool:
    """Debian keeps ensurepip in a package of its own; root can have it at once."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or not sys.executable.startswith("/usr/bin/"):
        return False
    script = f"apt-get update && apt-get install -y {_venv_package()}"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["/bin/sh", "-c", script]
    done = step(f"Installing {_venv_package()}", command, log=LOGS / "install.log", environment=quiet)
    importlib.invalidate_caches()
    return done.code == 0


def _install(file: str) -> None:
    if not _runs("import pip"):
        _make()
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    _run(f"Installing {file} into .venv", [*pip, "-r", str(CHECKOUT / file)])


def _run(label: str, command: list[str]) -> None:
    log = LOGS / "install.log"
    done = step(label, command, log=log)
    if done.code != 0:
        raise Failed(f"{label} failed; {log} has all of it, and ends:\n{tail(done.output)}")


def _fingerprint(name: str) -> str:
    text = (CHECKOUT / name).read_bytes()
    return hashlib.sha256(text + sys.version.encode()).hexdigest()


def _installed() -> dict[str, str]:
    try:
        content = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


@contextmanager
def _lock() -> Iterator[None]:
    """Two makes at once: the second waits, and finds the work done."""
    try:
        (CHECKOUT / "var").mkdir(mode=0o755, exist_ok=True)
        lock = (CHECKOUT / "var" / "venv.lock").open("w")
    except OSError as error:
        raise Failed(f"{CHECKOUT}/var cannot be written ({error.strerror}): whose is this checkout?") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is at .venv; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
