"""Known vulnerabilities of what is installed, as pip-audit finds them at PyPI.

A machine that does not reach PyPI's own service, or reaches a mirror that knows nothing of them, can say nothing.
That is said (`NOT_CHECKED`), and is not the same as having found none. What has no remedy yet is named in `ACCEPTED`.
"""

import json
import subprocess  # nosec B404 # our own command
import sys
import urllib.request
from importlib.metadata import version
from typing import Any

from config.tooling.environment import PYTHON
from config.tooling.terminal import say

NOT_CHECKED = "not checked"  # how the line begins that says so
ACCEPTED: dict[str, str] = {}  # a vulnerability's name, and why it does no harm here
PROBE = "https://pypi.org/pypi/pip-audit/{}/json"  # where this is not known, a hundred questions more are no use
_PROBE_SECONDS, _SECONDS = 10, 300


def main(probe: str = PROBE) -> int:
    """Look, and say what came of it.

    Returns:
        1 if a vulnerability is known, else 0: of a service that is away nobody can be asked to mend it here.
    """
    ignored = [word for name in ACCEPTED for word in ("--ignore-vuln", name)]
    options = ["--local", "--format", "json", "--progress-spinner", "off", "--timeout", str(_PROBE_SECONDS)]
    try:
        urllib.request.urlopen(probe.format(version("pip-audit")), timeout=_PROBE_SECONDS).close()  # nosec B310 # https
        done = subprocess.run(  # nosec B603 # our own command
            [str(PYTHON), "-m", "pip_audit", *options, *ignored],
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        packages = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{NOT_CHECKED}: no service reachable ({error})")
        return 0
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        say(f"{NOT_CHECKED}: {last[:200]}")
        return 0
    return told(packages)


def told(packages: list[dict[str, Any]]) -> int:
    """Say what pip-audit's list says; packages that the service does not know have a `skip_reason`."""
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        say(f"{NOT_CHECKED}, for the service does not know them: {', '.join(unknown)}")
    found = [(package, flaw) for package in packages for flaw in package.get("vulns", ())]
    for package, flaw in found:
        remedy = ", ".join(flaw["fix_versions"]) or "no version yet"
        say(f"{package['name']} {package['version']}: {flaw['id']}, mended in {remedy}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
