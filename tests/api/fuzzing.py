"""schemathesis against the live portal, from the description and with every check; `make fuzz` runs it for long, and
then tests/attack with ten times as many inputs as CI.

Ids that exist are put into most of what it makes up, because nothing is found out by being told "not found".
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import django

from config.embedded.places import CHECKOUT
from config.tooling import checks

ATTACKS = 200_000
EXISTING_SHARE = 0.7
PLACES = {
    "merchant_id": ["query.merchant_id", "body.merchant_id"],
    "coupon_id": ["path.coupon_id", "body.coupon_id"],
    "code": ["path.code"],
    "identifier": ["query.identifier", "path.identifier", "body.identifier", "body.to_identifier"],
    "openid": ["body.openid", "body.to_openid"],
    "mobile": ["body.mobile"],
}


def run(url: str, key: str, existing: dict[str, list[str]], folder: Path, *arguments: str) -> tuple[int, str]:
    """Run schemathesis; its exit code (0 = nothing found) and all that it said.

    Args:
        existing: ids that are there, by the name of the parameter or field that takes them.
        folder: for its configuration and `events.ndjson`, its report.
        arguments: of `schemathesis run`, in addition.
    """
    config = folder / "schemathesis.toml"
    hooks = f"hooks = {json.dumps(str(CHECKOUT / 'tests/api/fuzzing_hooks.py'))}\n"
    config.write_text(hooks + (CHECKOUT / "schemathesis.toml").read_text() + _bindings(existing))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config),
        "run", str(CHECKOUT / "docs/openapi.yaml"), "--url", url, "--checks", "all", "--continue-on-failure",
        "-H", f"Authorization: Api-Key {key}", "-H", "Accept-Language: en", "--output-sanitize", "false",
        "--report-ndjson-path", str(folder / "events.ndjson"), "--no-color", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def statuses(folder: Path) -> dict[tuple[str, str], Counter[int]]:
    """How often each call, by method and path, was answered with which status."""
    found: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for line in (folder / "events.ndjson").read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, exchange in recorder.get("interactions", {}).items():
            case, answer = recorder["cases"][name]["value"], exchange.get("response") or {}
            found[case["method"], case["path"]][answer.get("status_code", 0)] += 1
    return found


def _bindings(existing: dict[str, list[str]]) -> str:
    lines = ["", "[dictionaries]"]
    lines += [f"{name} = {{ values = {json.dumps(values)} }}" for name, values in existing.items()]
    lines += ["", "[parameters]"]
    for name, places in PLACES.items():
        binding = f'{{ dictionary = "{name}", probability = {EXISTING_SHARE} }}'
        lines += [f'"{place}" = {binding}' for place in places]
    return "\n".join(lines) + "\n"


def attack() -> int:
    """Run tests/attack with FUZZ_INPUTS inputs, 200,000 if it is not said, on servers of their own; its exit code."""
    environment = {name: value for name, value in os.environ.items() if name not in checks.SETTINGS}
    environment.setdefault("FUZZ_INPUTS", str(ATTACKS))
    command = [sys.executable, "-m", "pytest", "tests/attack", "-q", "-n", "auto"]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode


def main(arguments: list[str]) -> int:
    """Both, whatever the first one finds."""
    return max(describe(arguments), attack())


def describe(arguments: list[str]) -> int:
    """Start a portal of its own, and say what is found and how often each call was answered how."""
    django.setup()
    from tests.api.live import KEY, UNLIMITED, Partner
    from tests.e2e.portal import Portal

    portal = Portal()
    portal.environment |= UNLIMITED
    try:
        portal.up()
        partner = Partner(portal)
        with tempfile.TemporaryDirectory(prefix="coupon-fuzz-") as name:
            folder = Path(name)
            code, said = run(partner.url, KEY, partner.existing(), folder, *arguments)
            print(said)
            for (method, path), counted in sorted(statuses(folder).items()):
                print(f"{method:8}{path:45}", dict(sorted(counted.items())))
        return code
    finally:
        portal.down()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or ["--max-examples", "300"]))
