"""The sandbox's own style sheet and scripts, read once from `assets/`; nothing comes from elsewhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from integrations.sandbox.wire import Response, json_response

ASSETS = Path(__file__).parent / "assets"
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
HEADERS = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}


def asset_response(name: str) -> Response:
    """One asset by name, 404 for anything that is not one."""
    found = _assets().get(name)
    if found is None:
        return json_response({"error": "not found"}, 404)
    body, content_type = found
    return Response(body, content_type=content_type, headers=HEADERS)


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    return {
        path.name: (path.read_bytes(), CONTENT_TYPES[path.suffix])
        for path in ASSETS.iterdir()
        if path.suffix in CONTENT_TYPES
    }
