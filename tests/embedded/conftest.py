"""Places for embedded servers that are not the portal's own, stopped whatever a test does."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import places
from config.embedded.places import Place
from config.embedded.servers import Servers


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A `var` folder that every account can reach, and a system folder beside it in place of /var/lib."""
    root = Path(tempfile.mkdtemp(prefix="coupon-embedded-", dir="/tmp"))
    root.chmod(0o755)
    system = root / "lib"
    system.mkdir()
    monkeypatch.setattr(places, "SYSTEM_STATE", system)
    place = Place(root / "var")
    yield place
    Servers(place).stop(at_once=True)
    shutil.rmtree(root)


@pytest.fixture
def servers(place: Place) -> Servers:
    """The servers of that place, quick and silent."""
    return Servers(place, durable=False, say=lambda words: None)
