"""Runs what the documents tell people to type, as it stands there."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from config.embedded.places import CHECKOUT
from config.embedded.programs import find

DOCS = CHECKOUT / "docs"


def commands(page: str, heading: str) -> str:
    """The shell commands under a heading of a page."""
    section = (DOCS / page).read_text().split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = section.split("```sh\n")[1:]
    assert blocks, f"{page} has no commands under {heading!r}"
    return "\n".join(block.split("```", 1)[0] for block in blocks)


def run(page: str, heading: str, environment: Mapping[str, str]) -> str:
    """Run the commands under a heading; what they printed. PostgreSQL's programs and our Python are on the path."""
    programs = [str(Path(sys.executable).parent), str(find().postgres.parent), os.environ["PATH"]]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands(page, heading)],
        cwd=CHECKOUT, env={**environment, "PATH": os.pathsep.join(programs)}, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
