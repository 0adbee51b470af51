"""Where bandit is told to look away, the line says at what, and why."""

import re

from config.embedded.places import CHECKOUT

OURS = ("config", "merchants", "coupons", "integrations")
REASONED = re.compile(r"# nosec B\d{3}( B\d{3})* # \S.{2,}")


def test_every_exception_names_what_it_allows_and_why() -> None:
    lines = [
        f"{path.relative_to(CHECKOUT)}:{number}"
        for app in OURS
        for path in (CHECKOUT / app).rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if "nosec" in line and not REASONED.search(line)
    ]
    assert lines == []
