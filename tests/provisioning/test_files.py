"""Files that are no provisioning file: one clear line, nothing stored."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.provisioning.helpers import EXAMPLE, dump

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"{", "not JSON"),
        (b"dfire_accounts:\n  - name: main\n", "not JSON"),
        (EXAMPLE.encode() + b",", "not JSON"),
        (b'{"customers": NaN}', "NaN is not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"\xef\xbb\xbf" + EXAMPLE.encode(), "byte order mark"),
        (EXAMPLE.encode("gbk"), "not UTF-8"),
        (EXAMPLE.encode("utf-16"), "not UTF-8"),
        (b'{"customers": [], "customers": []}', "customers: The field comes twice"),
        (b'{"merchants": [{"merchant_id": "1", "name": "a", "name": "b"}]}', "name: The field comes twice"),
        (b'{"merchants": [{"name": "a\\u0000"}]}', "merchants[0].name: The text holds NUL"),
        (b'{"merchants": [{"a\\ud800": 1}]}', "merchants[0].a\ufffd: The name holds NUL or half"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_json_object_is_said_in_one_line(refuse: Any, body: bytes, says: str) -> None:
    errors = refuse(body)
    assert len(errors) == 1
    assert says in errors[0]


@pytest.mark.parametrize("name", ["", "missing.json", "\x00"])
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str) -> None:
    before = dump()
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("provision", str(tmp_path / name))  # the empty name: the folder itself
    assert dump() == before


def test_numbers_of_any_length_are_refused_by_their_place(refuse: Any) -> None:
    for number in (b"1e99999999999999999999", b"9" * 5000, b"-1e400", b"1e-99999999999999999999"):
        errors = refuse(EXAMPLE.encode().replace(b"10000,", number + b","))
        assert errors[1].startswith("coupon_templates[0].stock: ")


def test_on_the_command_line_an_error_is_no_traceback(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"customers": 5, "typo": 1}')
    result = subprocess.run(
        [sys.executable, "manage.py", "provision", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "customers: must be a list." in result.stderr
    assert "typo: this section is not known." in result.stderr
