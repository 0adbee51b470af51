"""What is done after a commit may fail without the answer failing with it."""

import ast
from pathlib import Path

import pytest
from django.conf import settings

SOURCES = [
    path
    for app in ("config", "merchants", "coupons", "integrations")
    for path in sorted((Path(settings.BASE_DIR) / app).rglob("*.py"))
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_a_commit_hook_is_robust_and_has_a_name(path: Path) -> None:
    """Django names a robust hook that fails by its `__qualname__`: one without (a partial) would fail the request."""
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "on_commit":
            place = f"{path.name}:{call.lineno}"
            assert any(keyword.arg == "robust" for keyword in call.keywords), place
            assert not isinstance(call.args[0], ast.Call), f"{place}: a partial or another object without a name"
