"""The sections of a provisioning file: how an entry of each is found, made and changed.

Nothing that is absent from the file is ever removed: lists of merchants, shops and webhooks only grow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError

from coupons import templates
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from integrations.models import ApiKey, PartnerApp, WebhookEndpoint
from integrations.partner_api import keys
from integrations.provisioning import file_format
from integrations.provisioning.entries import (
    Missing,
    Problems,
    Rejected,
    change,
    check,
    created_or_changed,
    each,
    key_of,
    merchants_named,
    read,
    store,
    validation_lines,
)
from merchants.models import Customer, DfireAccount, Merchant, Shop, SmartCouponAccount
from merchants.secrets import keyed_hashes

Values = dict[str, Any]


def dfire_account(item: Any, path: str) -> list[str]:
    """An account at dfire, found by its name."""
    (name,) = key_of(file_format.DfireAccountEntry, item, path, "name")
    account = DfireAccount.objects.filter(name=name).first() or DfireAccount(name=name)
    values = read(file_format.DfireAccountEntry, item, path, exists=account.pk is not None)
    return store(account, change(account, values), path, f"dfire account {name}")


def merchant(item: Any, path: str) -> list[str]:
    """A merchant, found by its id, with its shops, found by their entity ids."""
    (merchant_id,) = key_of(file_format.MerchantEntry, item, path, "merchant_id")
    found = Merchant.objects.filter(merchant_id=merchant_id).first() or Merchant(merchant_id=merchant_id)
    problems = Problems()
    values = problems.of(read, file_format.MerchantEntry, item, path, exists=found.pk is not None) or {}
    values.pop("shops", None)
    values.pop("dfire_account", None)
    shops = problems.of(_inner, item, path, "shops", ("entity_id",), partial(_shop_values, found)) or []
    if "dfire_account" in item:
        values["dfire_account"] = problems.of(_account_named, item["dfire_account"], f"{path}.dfire_account")
    problems.raise_any()
    lines = store(found, change(found, values), path, f"merchant {merchant_id}")
    for position, shop in enumerate(shops):
        lines += _shop(found, shop, f"{path}.shops[{position}]")
    return lines


def _account_named(name: Any, path: str) -> DfireAccount | None:
    if not isinstance(name, str):
        return None  # null, or what its field has refused
    account = DfireAccount.objects.filter(name=name.strip()).first()
    if account is None:
        raise Rejected([Missing(f"{path}: there is no dfire account {name!r}.", "dfire_accounts", name.strip())])
    return account


def _shop_values(owner: Merchant, item: Any, path: str) -> Values:
    (entity_id,) = key_of(file_format.ShopEntry, item, path, "entity_id")
    known = Shop.objects.filter(merchant_id=owner.pk, entity_id=entity_id).exists()
    return read(file_format.ShopEntry, item, path, exists=known)


def _shop(owner: Merchant, values: Values, path: str) -> list[str]:
    entity_id = values["entity_id"]
    found = Shop.objects.filter(merchant=owner, entity_id=entity_id).first()
    shop = found or Shop(merchant=owner, entity_id=entity_id)
    return store(shop, change(shop, values), path, f"shop {entity_id} of merchant {owner.merchant_id}")


def smart_coupon_account(item: Any, path: str) -> list[str]:
    """An account of the smart-coupon platform, found by its name."""
    (name,) = key_of(file_format.SmartCouponAccountEntry, item, path, "name")
    account = SmartCouponAccount.objects.filter(name=name).first() or SmartCouponAccount(name=name)
    problems = Problems()
    values = problems.of(read, file_format.SmartCouponAccountEntry, item, path, exists=account.pk is not None) or {}
    values.pop("merchants", None)
    wanted = problems.of(_merchants_of, item, path) or []
    token = values.get("token", account.token)
    if SmartCouponAccount.objects.filter(token_hash__in=keyed_hashes(token)).exclude(pk=account.pk).exists():
        problems.add(f"{path}.token: another account has this token.")
    problems.raise_any()
    account.token_hash = keyed_hashes(token)[0]
    lines = store(account, change(account, values), path, f"smart-coupon account {name}")
    return lines + _grow(account, wanted, f"smart-coupon account {name}")


def customer(item: Any, path: str) -> list[str]:
    """A customer, found by merchant and identifier."""
    entry_class = file_format.CustomerEntry
    merchant_id, identifier = key_of(entry_class, item, path, "merchant_id", "identifier")
    found = Customer.objects.filter(merchant__merchant_id=merchant_id, identifier=identifier).first()
    owner, values = _owned(entry_class, item, path, merchant_id, exists=found is not None)
    person = found or Customer(merchant=owner, identifier=identifier)
    # The line names the place in the file, not the customer: an identifier is most often a mobile number.
    return store(person, change(person, values), path, f"customer {path} of merchant {merchant_id}")


def coupon_template(item: Any, path: str) -> list[str]:
    """A coupon template, found by merchant and reference; `publish` opens a draft for issuing."""
    entry_class = file_format.CouponTemplateEntry
    merchant_id, reference = key_of(entry_class, item, path, "merchant_id", "reference")
    found = CouponTemplate.objects.filter(merchant__merchant_id=merchant_id, reference=reference).first()
    owner, values = _owned(entry_class, item, path, merchant_id, exists=found is not None)
    template = found or CouponTemplate(merchant=owner, reference=reference)
    publish = values.pop("publish", False)
    label = f"coupon template {reference} of merchant {merchant_id}"
    changed = change(template, values)
    lines = []
    if found is None or changed:
        _check_limits(template, path)
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


def _check_limits(template: CouponTemplate, path: str) -> None:
    """Say it of the key; the database's own constraints would not name it."""
    if template.stock is not None and template.stock < template.issued_count:
        raise Rejected([f"{path}.stock: {template.issued_count} have been issued already."])
    if template.budget_fen is not None and template.budget_fen < template.committed_fen:
        raise Rejected([f"{path}.budget_fen: {template.committed_fen} fen have been promised already."])


def partner_app(item: Any, path: str) -> list[str]:
    """A partner app, found by its name; its key is kept as a hash, its webhooks are found by their addresses."""
    (name,) = key_of(file_format.PartnerAppEntry, item, path, "name")
    app = PartnerApp.objects.filter(name=name).first() or PartnerApp(name=name)
    problems = Problems()
    values = problems.of(read, file_format.PartnerAppEntry, item, path, exists=app.pk is not None) or {}
    values.pop("webhooks", None)
    webhooks = problems.of(_inner, item, path, "webhooks", ("url",), partial(_webhook_values, app)) or []
    values.pop("merchants", None)
    wanted = problems.of(_merchants_of, item, path) or []
    problems.raise_any()
    api_key = values.pop("api_key", None)
    lines = store(app, change(app, values), path, f"partner app {name}")
    if api_key is not None:
        lines += _api_key(app, api_key, f"{path}.api_key")
    for position, webhook in enumerate(webhooks):
        lines += _webhook(app, webhook, f"{path}.webhooks[{position}]")
    return lines + _grow(app, wanted, f"partner app {name}")


def _api_key(app: PartnerApp, key: str, path: str) -> list[str]:
    found = ApiKey.objects.filter(key_hash__in=keys.found_by(key)).first()
    if found is not None and found.app_id != app.pk:
        raise Rejected([f"{path}: another partner app has this key."])
    if found is not None:
        return []
    try:
        keys.make(app, given=key)
    except keys.TooManyKeys:
        raise Rejected([f"{path}: two keys of this app are live; end one first (Partner apps)."]) from None
    return [f"created API key of partner app {app.name}"]


def _webhook_values(app: PartnerApp, item: Any, path: str) -> Values:
    (url,) = key_of(file_format.WebhookEntry, item, path, "url")
    known = WebhookEndpoint.objects.filter(app_id=app.pk, url=url).exists()
    return read(file_format.WebhookEntry, item, path, exists=known)


def _webhook(app: PartnerApp, values: Values, path: str) -> list[str]:
    found = WebhookEndpoint.objects.filter(app=app, url=values["url"]).first()
    endpoint = found or WebhookEndpoint(app=app, url=values["url"])
    return store(endpoint, change(endpoint, values), path, f"webhook {path} of partner app {app.name}")


def _owned(
    entry_class: type[file_format.Entry], item: Any, path: str, merchant_id: str, *, exists: bool
) -> tuple[Merchant, Values]:
    """The merchant that an entry names, and the entry's other values."""
    problems = Problems()
    values = problems.of(read, entry_class, item, path, exists=exists) or {}
    owners = problems.of(merchants_named, [merchant_id], f"{path}.merchant_id") or []
    problems.raise_any()
    values.pop("merchant_id")
    return owners[0], values


def _inner(
    item: Mapping[str, Any], path: str, name: str, keys: tuple[str, ...], step: Callable[[Any, str], Values]
) -> list[Values]:
    """The entries of a list inside of an entry, each read by itself."""
    return each(item.get(name, []), f"{path}.{name}", keys, step)


def _merchants_of(item: Mapping[str, Any], path: str) -> list[Merchant]:
    """The merchants that an entry lists; what is no id at all, its field has refused."""
    listed = item.get("merchants", [])
    ids = [entry for entry in listed if isinstance(entry, str | int)] if isinstance(listed, list) else []
    return merchants_named([str(entry).strip() for entry in ids], f"{path}.merchants")


def _grow(owner: SmartCouponAccount | PartnerApp, wanted: list[Merchant], label: str) -> list[str]:
    held = set(owner.merchants.values_list("pk", flat=True))
    added = [merchant for merchant in wanted if merchant.pk not in held]
    owner.merchants.add(*added)
    return [f"opened merchant {merchant.merchant_id} to {label}" for merchant in added]


@dataclass(frozen=True, slots=True)
class Section:
    """A list of entries, the keys by which an entry is found, and what brings one about."""

    keys: tuple[str, ...]
    bring_about: Callable[[Any, str], list[str]]


# In this order, because later sections name what earlier ones make.
SECTIONS: dict[str, Section] = {
    "dfire_accounts": Section(("name",), dfire_account),
    "merchants": Section(("merchant_id",), merchant),
    "smart_coupon_accounts": Section(("name",), smart_coupon_account),
    "customers": Section(("merchant_id", "identifier"), customer),
    "coupon_templates": Section(("merchant_id", "reference"), coupon_template),
    "partner_apps": Section(("name",), partner_app),
}
