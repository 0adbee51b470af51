"""One of everything that is kept encrypted, or found by a keyed hash, as the portal's own doors make it."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from coupons import customer_files
from integrations.models import AlertTarget, PartnerApp, ReportLane, WebhookEndpoint
from integrations.models.partners import Scope
from integrations.partner_api import keys
from integrations.smart_coupon import tokens
from integrations.webhooks import signing
from merchants import erasing
from merchants.models import Authenticator, DfireAccount, Merchant, SmartCouponAccount
from merchants.reencrypting import models_with_secrets, sealed_fields
from tests.api.caller import Caller
from tests.factories import CustomerFactory, DfireAccountFactory, MerchantFactory, SmartCouponAccountFactory
from tests.people.signing import phone

ERASED = "13912345678"


@dataclass
class Everything:
    """What was made."""

    tills: DfireAccount
    merchant: Merchant
    platform: SmartCouponAccount
    api: Caller
    phone: Authenticator


def make_everything(user: User) -> Everything:
    """Two of each, so that every column is filled in one row or the other."""
    tills = DfireAccountFactory(app_key="k-1", app_secret="dfire-s3cr3t")
    merchant = MerchantFactory(merchant_id="88", dfire_account=tills)
    platform = SmartCouponAccountFactory(
        name="maxfun", token="tok-before-012345", developer_key="", app_id="a", app_secret="consume-s3cr3t"
    )
    platform.merchants.add(merchant)
    tokens.rotate(platform, keep=timedelta(days=7))
    platform.refresh_from_db()
    SmartCouponAccountFactory(developer_key="developer-s3cr3t")
    ReportLane.objects.create(account=platform, access_token="access-s3cr3t")
    app = PartnerApp.objects.create(name="小程序", scopes=list(Scope.values))
    app.merchants.add(merchant)
    _key, text = keys.make(app)
    endpoint = WebhookEndpoint.objects.create(app=app, url="https://p.example/hook", secret=signing.new_secret())
    signing.replace_secret(endpoint, keep=timedelta(days=1), now=timezone.now())
    AlertTarget.objects.create(name="值班群", address="wecombot://alert-s3cr3t")
    erasing.ask(CustomerFactory(merchant=merchant, identifier=ERASED), reason="asked", asked_by="staff:test")
    customer_files.begin(merchant, "手机号\n13800138000\n", adds_unknown=True, name="顾客.csv")  # its part is sealed
    return Everything(tills, merchant, platform, Caller(app, text), phone(user))


def opened() -> dict[str, list[Any]]:
    """Every encrypted value as the portal reads it, by model."""
    return {
        model._meta.label: list(model._base_manager.order_by("pk").values_list(*sealed_fields(model)))
        for model in models_with_secrets()
    }


def stored() -> str:
    """Every encrypted value as it stands in the database, with the hashes that stand beside them."""
    rows = []
    with connection.cursor() as cursor:
        for model in models_with_secrets():
            cursor.execute(f"SELECT to_jsonb(t) FROM {model._meta.db_table} t ORDER BY 1")
            rows += [json.loads(row) if isinstance(row, str) else row for (row,) in cursor.fetchall()]
    return json.dumps(rows)
