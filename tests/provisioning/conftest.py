"""Provisioning a document in one call."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.provisioning import helpers


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Any], list[str]]:
    """Provision a document; the lines that were printed."""
    return lambda document: helpers.provision(tmp_path, document)


@pytest.fixture
def refuse(tmp_path: Path) -> Callable[[Any], list[str]]:
    """Provision a document that is wrong; the errors that were named. Nothing may have been stored."""
    return lambda document: helpers.rejected(tmp_path, document)
