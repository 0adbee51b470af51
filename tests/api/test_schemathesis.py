"""schemathesis finds nothing at the running portal, and what it tries is not only refused."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.api.described import operations
from tests.api.fuzzing import run, statuses
from tests.api.live import KEY, Partner

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
EXAMPLES = 5  # of each call and phase; `make fuzz` tries more


def test_nothing_is_found(partner: Partner, tmp_path: Path) -> None:
    code, said = run(partner.url, KEY, partner.existing(), tmp_path, "--max-examples", str(EXAMPLES), "--seed", "88")
    assert code == 0, said
    answered = statuses(tmp_path)
    for _path, _method, operation in operations():
        assert any(status < 300 for status in answered[operation["operationId"]]), (operation["operationId"], answered)
