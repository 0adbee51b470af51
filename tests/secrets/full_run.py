"""A day's work of the whole portal over real wires, with secrets that are recognised wherever they turn up."""

import base64
import io
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from coupons.models import CouponTemplate
from integrations.models import AlertTarget, PartnerApp, WebhookEndpoint
from integrations.models.partners import Scope, WebhookEvent
from integrations.sandbox.server import Sandbox
from integrations.smart_coupon import tokens
from merchants import two_factor
from merchants.models import DfireAccount, Merchant, SmartCouponAccount
from tests.admin.pages import act, add_of, page_of
from tests.alerts.receivers import Web
from tests.api.caller import Caller
from tests.people.conftest import PASSWORD
from tests.people.signing import CODE, browser_at, code_of, phone
from tests.webhooks.partner import Partner

MOBILE, OPENID = "13927462815", "o3Pm-open-Zq7xK4w"
TIMELY_SECONDS = 1


def _made(what: str) -> str:
    """A secret with characters that are written otherwise in addresses, JSON and shells."""
    return f"{what}+Zq7/{secrets.token_hex(6)}=&é"


@dataclass
class Run:
    """What took part, which secrets there were, and everything that was answered or printed."""

    sandbox: Sandbox
    partner: Partner
    told: Web
    user: User
    secrets: dict[str, str]
    account: Any = None
    platform: Any = None
    merchant: Any = None
    template: Any = None
    api: Any = None
    client: Any = None
    outputs: list[tuple[str, str]] = field(default_factory=list)

    def heard(self, where: str, answer: Any) -> Any:
        """Keep an answer with its headers and cookies, but for the one that is the session."""
        text = answer.getvalue().decode()
        told = {name: morsel.value for name, morsel in answer.cookies.items() if name != settings.SESSION_COOKIE_NAME}
        self.outputs.append((where, f"{text} {answer.headers} {told}"))
        return answer


def new_secrets() -> dict[str, str]:
    """Those that somebody chooses."""
    return {
        "dfire": _made("dfire"), "developer": _made("developer"), "consume": _made("consume"),
        "token": f"tok-{secrets.token_urlsafe(12)}", "api key": f"cp_{secrets.token_urlsafe(24)}",
        "alert": f"alert{secrets.token_hex(8)}",
    }  # fmt: skip


def sandbox_file(folder: Path, known: dict[str, str]) -> Path:
    """The other side's configuration."""
    platform = {"name": "maxfun", "token": known["token"], "app_id": "portal", "app_secret": known["consume"]}
    file = folder / "sandbox.json"
    accounts = [{"app_key": "key-of-ours", "app_secret": known["dfire"]}]
    file.write_text(json.dumps({"portal_url": "http://127.0.0.1:9", "accounts": accounts, "platforms": [platform]}))
    return file


def provisioned(run: Run, folder: Path) -> None:
    """Somebody runs the command, once well and once with a file that is refused."""
    known = run.secrets
    known["webhook"] = run.partner.secret
    document = {
        "dfire_accounts": [{"name": "main", "base_url": f"{run.sandbox.url}/router", "app_key": "key-of-ours",
                            "app_secret": known["dfire"], "timeout_seconds": TIMELY_SECONDS}],
        "merchants": [{"merchant_id": "88", "name": "老王火锅", "dfire_account": "main", "entity_id": "99927548",
                       "plate_entity_id": "99927571", "appid": "wxa0000000027822"}],
        "smart_coupon_accounts": [{"name": "maxfun", "token": known["token"], "merchants": ["88"],
                                   "developer_key": known["developer"], "consume_base_url": run.sandbox.url,
                                   "app_id": "portal", "app_secret": known["consume"]}],
        "customers": [{"merchant_id": "88", "identifier": MOBILE, "mobile": MOBILE, "openid": OPENID}],
        "coupon_templates": [{"merchant_id": "88", "reference": "r", "title": "满50减10", "kind": "cash",
                              "amount_fen": 1000, "start_date": "2026-11-01", "end_date": "2099-12-31",
                              "publish": True}],
        "partner_apps": [{"name": "mini", "api_key": known["api key"], "scopes": Scope.values, "merchants": ["88"],
                          "webhooks": [{"url": run.partner.url, "secret": known["webhook"],
                                        "events": WebhookEvent.values}]}],
    }  # fmt: skip
    file = folder / "portal.json"
    for changed in (document, {**document, "partner_apps": [{"name": "other", "api_key": known["api key"]}]}):
        file.write_text(json.dumps(changed))
        out = io.StringIO()
        try:
            call_command("provision", str(file), stdout=out, stderr=out)
        except Exception as error:
            out.write(f"{error!r} {error}")
        run.outputs.append(("provision", out.getvalue()))
    run.account, run.platform = DfireAccount.objects.get(), SmartCouponAccount.objects.get()
    run.merchant, run.template = Merchant.objects.get(), CouponTemplate.objects.get()
    run.api = Caller(PartnerApp.objects.get(name="mini"), known["api key"])


def signed_in(run: Run) -> None:
    """An administrator comes in with password and phone, after others have tried."""
    run.user.set_password(PASSWORD)
    run.user.save()
    device = phone(run.user)
    codes = two_factor.new_recovery_codes(run.user)
    run.secrets |= {
        "password": PASSWORD, "totp hex": device.secret,
        "recovery": codes[0], "recovery typed": codes[1].replace("-", ""),
        "totp base32": base64.b32encode(device.bin_key).decode(),
    }  # fmt: skip
    for wrong in ("wrong-Zq7", PASSWORD[:-1]):
        Client().post("/admin/login/", {"username": "root", "password": wrong})
    run.client = browser_at("root")
    run.heard("code", run.client.post(CODE, {"code": code_of(device)}))
    run.secrets["session"] = run.client.cookies[settings.SESSION_COOKIE_NAME].value


def edited(run: Run) -> None:
    """Staff change secrets, also with mistakes in the form, which is then shown again."""
    known, client = run.secrets, run.client
    known |= {
        "dfire typed": _made("typed"),
        "developer typed": _made("typed"),
        "alert typed": f"typed{secrets.token_hex(8)}",
    }
    wrong = {"name": "main", "base_url": "ftp://x", "app_key": "key-of-ours", "app_secret": known["dfire typed"]}
    assert run.heard("dfire form", client.post(page_of(run.account), wrong)).status_code == 200
    smart = {"name": "", "developer_key": known["developer typed"], "app_secret": known["dfire typed"]}
    assert run.heard("smart form", client.post(page_of(run.platform), smart)).status_code == 200
    bad = {"name": "", "address": f"json://x:{known['alert typed']}@h/", "least_severity": 1, "active": "on"}
    assert run.heard("alert form", client.post(add_of(AlertTarget), bad)).status_code == 200
    good = {**bad, "name": "值班群", "address": f"json://robot:{known['alert']}@127.0.0.1:{run.told.port}/alerts"}
    assert run.heard("alert", client.post(add_of(AlertTarget), good)).status_code == 302
    endpoint = WebhookEndpoint.objects.get()
    act(client, endpoint, "new-secret", keep="24")
    client.get(page_of(endpoint))  # here it is shown, once
    endpoint.refresh_from_db()
    known["webhook before"], known["webhook"] = known["webhook"], endpoint.secret
    tokens.rotate(run.platform, keep=timedelta(days=7))
    run.platform.refresh_from_db()
    known["token before"], known["token"] = known["token"], run.platform.token
