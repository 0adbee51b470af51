"""The sections of a provisioning file: how an entry of each is found, made and changed.

Nothing that is absent from the file is ever removed: lists of merchants, shops and webhooks only grow.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import ApiKey, PartnerApp, WebhookEndpoint
from integrations.provisioning import file_format
from integrations.provisioning.entries import (
    Rejected,
    change,
    check,
    created_or_changed,
    key_of,
    merchants_named,
    read,
    store,
    validation_lines,
)
from merchants.models import Customer, DfireAccount, Merchant, Shop, SmartCouponAccount
from merchants.secrets import keyed_hashes

_PREFIX_LENGTH = 8


def dfire_account(item: Any, path: str) -> list[str]:
    """An account at dfire, found by its name."""
    (name,) = key_of(item, path, "name")
    account = DfireAccount.objects.filter(name=name).first() or DfireAccount(name=name)
    values = read(file_format.DfireAccountEntry, item, path, exists=account.pk is not None)
    return store(account, change(account, values), path, f"dfire account {name}")


def merchant(item: Any, path: str) -> list[str]:
    """A merchant, found by its id, with its shops, found by their entity ids."""
    (merchant_id,) = key_of(item, path, "merchant_id")
    found = Merchant.objects.filter(merchant_id=merchant_id).first() or Merchant(merchant_id=merchant_id)
    values = read(file_format.MerchantEntry, item, path, exists=found.pk is not None)
    shops = values.pop("shops", [])
    if values.get("dfire_account") is not None:
        account = DfireAccount.objects.filter(name=values["dfire_account"]).first()
        if account is None:
            raise Rejected([f"{path}.dfire_account: there is no dfire account {values['dfire_account']!r}."])
        values["dfire_account"] = account
    lines = store(found, change(found, values), path, f"merchant {merchant_id}")
    for position, shop in enumerate(shops):
        lines += _shop(found, shop, f"{path}.shops[{position}]")
    return lines


def _shop(owner: Merchant, item: Any, path: str) -> list[str]:
    (entity_id,) = key_of(item, path, "entity_id")
    found = Shop.objects.filter(merchant=owner, entity_id=entity_id).first()
    shop = found or Shop(merchant=owner, entity_id=entity_id)
    values = read(file_format.ShopEntry, item, path, exists=found is not None)
    return store(shop, change(shop, values), path, f"shop {entity_id} of merchant {owner.merchant_id}")


def smart_coupon_account(item: Any, path: str) -> list[str]:
    """An account of the smart-coupon platform, found by its name."""
    (name,) = key_of(item, path, "name")
    account = SmartCouponAccount.objects.filter(name=name).first() or SmartCouponAccount(name=name)
    values = read(file_format.SmartCouponAccountEntry, item, path, exists=account.pk is not None)
    wanted = merchants_named(values.pop("merchants", []), f"{path}.merchants")
    token = values.get("token", account.token)
    if SmartCouponAccount.objects.filter(token_hash__in=keyed_hashes(token)).exclude(pk=account.pk).exists():
        raise Rejected([f"{path}.token: another account has this token."])
    account.token_hash = keyed_hashes(token)[0]
    lines = store(account, change(account, values), path, f"smart-coupon account {name}")
    return lines + _grow(account, wanted, f"smart-coupon account {name}")


def customer(item: Any, path: str) -> list[str]:
    """A customer, found by merchant and identifier."""
    merchant_id, identifier = key_of(item, path, "merchant_id", "identifier")
    (owner,) = merchants_named([merchant_id], f"{path}.merchant_id")
    found = Customer.objects.filter(merchant=owner, identifier=identifier).first()
    person = found or Customer(merchant=owner, identifier=identifier)
    values = read(file_format.CustomerEntry, item, path, exists=found is not None)
    values.pop("merchant_id")
    # The line names the place in the file, not the customer: an identifier is most often a mobile number.
    return store(person, change(person, values), path, f"customer {path} of merchant {merchant_id}")


def coupon_template(item: Any, path: str) -> list[str]:
    """A coupon template, found by merchant and reference; `publish` opens a draft for issuing."""
    merchant_id, reference = key_of(item, path, "merchant_id", "reference")
    (owner,) = merchants_named([merchant_id], f"{path}.merchant_id")
    found = CouponTemplate.objects.filter(merchant=owner, reference=reference).first()
    template = found or CouponTemplate(merchant=owner, reference=reference)
    values = read(file_format.CouponTemplateEntry, item, path, exists=found is not None)
    values.pop("merchant_id")
    publish = values.pop("publish", False)
    label = f"coupon template {reference} of merchant {merchant_id}"
    changed = change(template, values)
    lines = []
    if found is None or changed:
        check(template, path)
        try:
            templates.save_edited(template)
        except ValidationError as error:
            raise Rejected(list(validation_lines(error, path))) from None
        lines.append(created_or_changed(label, changed, fresh=found is None))
    if publish and template.status == TemplateStatus.DRAFT:
        templates.publish(template)
        lines.append(f"published {label}")
    return lines


def partner_app(item: Any, path: str) -> list[str]:
    """A partner app, found by its name; its key is kept as a hash, its webhooks are found by their addresses."""
    (name,) = key_of(item, path, "name")
    app = PartnerApp.objects.filter(name=name).first() or PartnerApp(name=name)
    values = read(file_format.PartnerAppEntry, item, path, exists=app.pk is not None)
    wanted = merchants_named(values.pop("merchants", []), f"{path}.merchants")
    api_key, webhooks = values.pop("api_key", None), values.pop("webhooks", [])
    lines = store(app, change(app, values), path, f"partner app {name}")
    if api_key is not None:
        lines += _api_key(app, api_key, f"{path}.api_key")
    for position, webhook in enumerate(webhooks):
        lines += _webhook(app, webhook, f"{path}.webhooks[{position}]")
    return lines + _grow(app, wanted, f"partner app {name}")


def _api_key(app: PartnerApp, key: str, path: str) -> list[str]:
    hashes = keyed_hashes(key)
    found = ApiKey.objects.filter(key_hash__in=hashes).first()
    if found is not None and found.app_id != app.pk:
        raise Rejected([f"{path}: another partner app has this key."])
    if found is not None:
        return []
    app.keys.create(prefix=key[:_PREFIX_LENGTH], key_hash=hashes[0])
    return [f"created API key of partner app {app.name}"]


def _webhook(app: PartnerApp, item: Any, path: str) -> list[str]:
    (url,) = key_of(item, path, "url")
    found = WebhookEndpoint.objects.filter(app=app, url=url).first()
    endpoint = found or WebhookEndpoint(app=app, url=url)
    values = read(file_format.WebhookEntry, item, path, exists=found is not None)
    return store(endpoint, change(endpoint, values), path, f"webhook {path} of partner app {app.name}")


def _grow(owner: SmartCouponAccount | PartnerApp, wanted: list[Merchant], label: str) -> list[str]:
    held = set(owner.merchants.values_list("pk", flat=True))
    added = [merchant for merchant in wanted if merchant.pk not in held]
    owner.merchants.add(*added)
    return [f"opened merchant {merchant.merchant_id} to {label}" for merchant in added]


# In this order, because later sections name what earlier ones make.
SECTIONS: dict[str, Callable[[Any, str], list[str]]] = {
    "dfire_accounts": dfire_account,
    "merchants": merchant,
    "smart_coupon_accounts": smart_coupon_account,
    "customers": customer,
    "coupon_templates": coupon_template,
    "partner_apps": partner_app,
}
