"""Loads the demo once: keys, administrator, data, and the sandbox's configuration beside them.

A second run keeps whatever has been changed since; only the sandbox's addresses follow where it runs now.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from config.demo import history
from config.demo.document import ACCOUNT, FIRST_CUSTOMER, LIVELY, MERCHANT_ID, PLATFORM, demo_document
from integrations.provisioning.run import provision
from merchants.clock import local_day
from merchants.models import DfireAccount, Merchant, SmartCouponAccount

ADMINISTRATOR = "admin"


@dataclass(frozen=True, slots=True)
class Files:
    """The files that the demo keeps, each readable by its owner alone."""

    folder: Path

    @property
    def keys(self) -> Path:
        """The random keys of the demo."""
        return self.folder / "demo-keys.json"

    @property
    def first_login(self) -> Path:
        """The administrator's name and first password."""
        return self.folder / "first-login.json"

    @property
    def sandbox(self) -> Path:
        """What the sandbox has to know."""
        return self.folder / "sandbox.json"


def load(files: Files, *, portal_url: str, sandbox_url: str) -> list[str]:
    """Bring the demo about where it is missing.

    Returns:
        A line for each thing done.
    """
    keys = _keys(files.keys)
    lines = []
    with transaction.atomic():
        if not Merchant.objects.filter(merchant_id=MERCHANT_ID).exists():
            today = local_day(timezone.now())
            lines = provision(demo_document(router_url=f"{sandbox_url}/router", keys=keys, today=today))
            count = history.live(Merchant.objects.get(merchant_id=MERCHANT_ID), LIVELY, today)
            lines.append(f"let a month pass: {count} coupons issued")
        lines += _administrator(files.first_login)
        lines += _move(f"{sandbox_url}/router")
    _write(files.sandbox, _sandbox_config(portal_url, keys))
    return lines


def _keys(path: Path) -> dict[str, str]:
    if path.exists():
        kept: dict[str, str] = json.loads(path.read_text())
        kept.setdefault("consume_secret", kept["push_token"])  # of a demo made before there were reports
        return kept
    keys = {
        "app_key": secrets.token_hex(16),
        "app_secret": secrets.token_hex(16),
        "push_token": secrets.token_urlsafe(24),
        "consume_secret": secrets.token_urlsafe(24),
        "api_key": f"cp_{secrets.token_urlsafe(32)}",
    }
    _write(path, keys)
    return keys


def _administrator(path: Path) -> list[str]:
    users = get_user_model()
    if users.objects.filter(is_superuser=True).exists():
        return []
    password = secrets.token_urlsafe(12)
    users.objects.create_superuser(ADMINISTRATOR, password=password)
    _write(path, {"username": ADMINISTRATOR, "password": password})
    return [f"created administrator {ADMINISTRATOR}"]


def _move(router_url: str) -> list[str]:
    SmartCouponAccount.objects.filter(name=PLATFORM).exclude(consume_base_url="").update(
        consume_base_url=router_url.removesuffix("/router")
    )
    account = DfireAccount.objects.filter(name=ACCOUNT).exclude(base_url=router_url).first()
    if account is None:
        return []
    account.base_url = router_url
    account.save(update_fields=["base_url"])
    return [f"dfire account {ACCOUNT} is at {router_url} now"]


def _sandbox_config(portal_url: str, keys: dict[str, str]) -> dict[str, Any]:
    platform = SmartCouponAccount.objects.filter(name=PLATFORM).first()
    return {
        "portal_url": portal_url,
        "accounts": [
            {"app_key": account.app_key, "app_secret": account.app_secret}
            for account in DfireAccount.objects.filter(name=ACCOUNT)
        ],
        "platforms": [
            {
                "name": PLATFORM,
                "token": platform.token if platform else keys["push_token"],
                "merchant_ids": [MERCHANT_ID],
                "customers": [FIRST_CUSTOMER],
                "developer_key": platform.developer_key if platform else "",
                "app_id": platform.app_id if platform else "",
                "app_secret": platform.app_secret if platform else "",
            }
        ],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")
