"""schemathesis finds nothing at the running portal, and what it tries is not only refused."""

from pathlib import Path

import pytest

from integrations.partner_api.schema.document import PREFIX
from tests.api.described import operations
from tests.api.fuzzing import run, statuses
from tests.api.live import KEY, Partner

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]
EXAMPLES = 5  # of each call and phase; `make fuzz` tries more


def test_nothing_is_found(partner: Partner, tmp_path: Path) -> None:
    code, said = run(partner.url, KEY, partner.existing(), tmp_path, "--max-examples", str(EXAMPLES), "--seed", "88")
    assert code == 0, said
    answered = statuses(tmp_path)
    for path, method, _operation in operations():
        assert any(status < 300 for status in answered[method, PREFIX + path]), (method, path, answered)
