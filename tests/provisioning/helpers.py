"""The contract's example file, and what a run leaves in the database, byte for byte."""

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

Document = dict[str, Any]
Path_ = tuple[str | int, ...]

# DESIGN, "Provisioning", word for word, with the … filled in.
EXAMPLE = """
{
 "dfire_accounts": [{"name": "main", "base_url": "http://127.0.0.1:9100/router", "app_key": "k", "app_secret": "s",
                     "transfer_method": "", "max_requests_per_second": 50, "max_concurrency": 16, "timeout_seconds": 5}],
 "merchants": [{"merchant_id": "88", "name": "老王火锅", "dfire_account": "main", "entity_id": "99927548", "plate_entity_id": "99927571",
                "appid": "wxa0000000027822", "shops": [{"entity_id": "00026863", "name": "一号店"}]}],
 "smart_coupon_accounts": [{"name": "maxfun", "token": "tok-maxfun-0123456789", "merchants": ["88"], "developer_key": "", "require_signature": false,
                            "allowed_addresses": [], "repeat_window_seconds": 600, "confirm_with_dfire": false,
                            "consume_base_url": "", "app_id": "", "app_secret": ""}],
 "customers": [{"merchant_id": "88", "identifier": "13800138000", "mobile": "13800138000", "openid": "o3Pm6uD6KVk"}],
 "coupon_templates": [{"merchant_id": "88", "reference": "summer-10", "title": "满50减10", "kind": "cash", "amount_fen": 1000, "min_spend_fen": 5000,
                       "start_date": "2026-11-01", "end_date": "2026-12-31", "valid_days": null, "stock": 10000, "publish": true}],
 "partner_apps": [{"name": "mini-program", "api_key": "ak-0123456789abcdef0123456789", "scopes": ["coupons:read","coupons:issue","coupons:redeem","coupons:manage","customers:write"], "merchants": ["88"],
                   "webhooks": [{"url": "https://partner.example/hook", "secret": "whsec_c2VjcmV0LW9mLXRoZS1ob29r", "events": ["coupon.redeemed"]}]}]
}
"""  # noqa: E501
SECRETS = ("tok-maxfun-0123456789", "ak-0123456789abcdef0123456789", "whsec_c2VjcmV0LW9mLXRoZS1ob29r", "13800138000")
_OURS = ("merchants_", "coupons_", "integrations_")


def example() -> Document:
    """The example file, to be changed."""
    document: Document = json.loads(EXAMPLE)
    return document


def places(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document, from the outside in."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, (*path, key))


def put(document: Any, path: Path_, value: Any) -> Any:
    """The document with another value at one place."""
    if not path:
        return value
    changed = copy.deepcopy(document)
    inside = changed
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return changed


def provision(folder: Path, document: Any) -> list[str]:
    """Run the command on a document, or on bytes as they are; the lines that it prints."""
    file = folder / "file.json"
    file.write_bytes(document if isinstance(document, bytes) else json.dumps(document).encode())
    out, err = io.StringIO(), io.StringIO()
    call_command("provision", str(file), stdout=out, stderr=err)
    assert err.getvalue() == ""
    return out.getvalue().splitlines()


def rejected(folder: Path, document: Any) -> list[str]:
    """The errors that the command names, one a line, and that it stored nothing."""
    before = dump()
    try:
        lines = provision(folder, document)
    except CommandError as error:
        assert dump() == before
        return [line.strip() for line in str(error).splitlines()]
    raise AssertionError(f"it was taken: {lines}")


def dump() -> list[Any]:
    """Every row of ours with its place on disk: a row that was written again, even unchanged, has another."""
    models = apps.get_models(include_auto_created=True)
    tables = [model._meta.db_table for model in models if model._meta.db_table.startswith(_OURS)]
    parts = [f"SELECT '{table}' AS name, ctid::text AS place, t::text AS row FROM {table} t" for table in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts) + " ORDER BY name, place")
        return list(cursor.fetchall())
