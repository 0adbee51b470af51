"""Debian's Chromium and a Chinese font, which the browser tests need. Installed for root, explained to
everyone else.
"""

import os
import shutil
from pathlib import Path

from config.tooling.environment import LOGS
from config.tooling.terminal import say, step, tail

CHROMIUM = Path("/usr/bin/chromium")
PACKAGES = ("chromium", "fonts-noto-cjk")
BY_HAND = f"apt-get install -y {' '.join(PACKAGES)}"


def ensure() -> None:
    """Have Chromium where that is possible; its absence is said and stops nothing."""
    if CHROMIUM.exists() and _has_chinese_font():
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        _explain("Chromium or a Chinese font is missing here")
        return
    patient = "-o DPkg::Lock::Timeout=120"
    script = f"apt-get {patient} update && {BY_HAND} {patient}"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = LOGS / "install.log"
    command = ["/bin/sh", "-c", script]
    done = step("Installing Chromium for the browser tests", command, log=log, environment=quiet)
    if done.code != 0:
        say(tail(done.output, 5))
    if not CHROMIUM.exists():
        _explain("Chromium could not be installed")


def _has_chinese_font() -> bool:
    fonts = Path("/usr/share/fonts")
    return fonts.is_dir() and any(fonts.rglob("NotoSansCJK*"))


def _explain(trouble: str) -> None:
    say(f"{trouble}: the browser tests are skipped. To have them run, as root: {BY_HAND}")
