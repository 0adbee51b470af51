"""schemathesis against the live portal, from the description and with every check; `make fuzz` runs it for long.

Ids that exist are put into most of what it makes up, because nothing is found out by being told "not found".
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from config.embedded.places import CHECKOUT

EXISTING_SHARE = 0.7


def run(url: str, key: str, existing: dict[str, list[str]], folder: Path, *arguments: str) -> tuple[int, str]:
    """Run schemathesis; its exit code (0 = nothing found) and all that it said.

    Args:
        existing: ids that are there, by the name of the parameter or field that takes them.
        folder: for its configuration and `events.ndjson`, its report.
        arguments: of `schemathesis run`, in addition.
    """
    config = folder / "schemathesis.toml"
    config.write_text((CHECKOUT / "schemathesis.toml").read_text() + _bindings(existing))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(config),
        "run", str(CHECKOUT / "docs/openapi.yaml"), "--url", url, "--checks", "all", "--continue-on-failure",
        "-H", f"Authorization: Api-Key {key}", "-H", "Accept-Language: en", "--output-sanitize", "false",
        "--report-ndjson-path", str(folder / "events.ndjson"), "--no-color", *arguments,
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def _bindings(existing: dict[str, list[str]]) -> str:
    lines = ["", "[dictionaries]"]
    lines += [f"{name} = {{ values = {json.dumps(values)} }}" for name, values in existing.items()]
    lines += ["", "[parameters]"]
    for name, places in PLACES.items():
        binding = f'{{ dictionary = "{name}", probability = {EXISTING_SHARE} }}'
        lines += [f'"{place}" = {binding}' for place in places]
    return "\n".join(lines) + "\n"


PLACES = {
    "merchant_id": ["query.merchant_id", "body.merchant_id"],
    "coupon_id": ["path.coupon_id", "body.coupon_id"],
    "code": ["path.code"],
    "identifier": ["query.identifier", "path.identifier", "body.identifier", "body.to_identifier"],
    "openid": ["body.openid", "body.to_openid"],
    "mobile": ["body.mobile"],
}
