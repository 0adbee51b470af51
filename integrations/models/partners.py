"""Partner apps: who may call the partner API, with which rights, and where they want to be told of events."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from merchants.checks import http_address, network_list
from merchants.models import Merchant
from merchants.secrets import EncryptedTextField, keyed_hashes


class Scope(models.TextChoices):
    """What a partner app may do."""

    COUPONS_READ = "coupons:read", _("read templates and coupons")
    COUPONS_ISSUE = "coupons:issue", _("issue coupons")
    COUPONS_REDEEM = "coupons:redeem", _("redeem coupons")
    COUPONS_MANAGE = "coupons:manage", _("transfer and revoke coupons")
    CUSTOMERS_WRITE = "customers:write", _("write customers")


class WebhookEvent(models.TextChoices):
    """What a partner app can be told of."""

    COUPON_ISSUED = "coupon.issued", _("coupon issued")
    COUPON_DELIVERED = "coupon.delivered", _("coupon delivered")
    COUPON_REDEEMED = "coupon.redeemed", _("coupon redeemed")
    COUPON_TRANSFERRED = "coupon.transferred", _("coupon transferred")
    COUPON_REVOKED = "coupon.revoked", _("coupon revoked")
    COUPON_EXPIRED = "coupon.expired", _("coupon expired")
    TEMPLATE_PUBLISHED = "template.published", _("template published")
    TEMPLATE_ENDED = "template.ended", _("template ended")


class PartnerApp(models.Model):
    """An application of a partner: its own merchants alone exist for it."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    scopes = models.JSONField(_("scopes"), default=list, blank=True)
    merchants = models.ManyToManyField(Merchant, verbose_name=_("merchants"), related_name="partner_apps", blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("partner app")
        verbose_name_plural = _("partner apps")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of a partner app: shown once, kept as a keyed hash. At most two of an app are live at once, so that one can
    be exchanged for another without a gap (`integrations.partner_api.keys`)."""

    app = models.ForeignKey(PartnerApp, models.CASCADE, verbose_name=_("partner app"), related_name="keys")
    prefix = models.CharField(_("begins with"), max_length=8)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    # What `key_hash` is made of; none where the key has not been used since digests are kept.
    digest = EncryptedTextField(blank=True, default="", db_default="", editable=False)
    label = models.CharField(
        _("label"), max_length=60, blank=True, default="", db_default="", help_text=_("Where it is used, for you.")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(
        _("ends"), null=True, blank=True, help_text=_("From then on its calls are refused. Empty = it does not end.")
    )
    allowed_addresses = models.JSONField(
        _("allowed addresses"), default=list, db_default=Value([], models.JSONField()), blank=True,
        validators=[network_list], help_text=_("Addresses or networks; none = any address."),
    )  # fmt: skip
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @staticmethod
    def keyed_columns(secrets: Mapping[str, str]) -> dict[str, Any]:
        """The columns that hang on the newest encryption key, from the plain secrets (`merchants.reencrypting`)."""
        return {"key_hash": keyed_hashes(secrets["digest"])[0]} if secrets["digest"] else {}

    def is_live(self, now: datetime) -> bool:
        """Whether it opens anything at `now` (aware)."""
        return self.expires_at is None or self.expires_at > now


class WebhookEndpoint(models.Model):
    """An address of a partner that wants to be told of events."""

    app = models.ForeignKey(PartnerApp, models.CASCADE, verbose_name=_("partner app"), related_name="webhooks")
    url = models.CharField(_("address"), max_length=500, validators=[http_address])
    secret = EncryptedTextField(_("signing secret"))
    events = models.JSONField(_("events"), default=list)
    # While a secret is being replaced, both sign.
    previous_secret = EncryptedTextField(blank=True, default="", db_default="", editable=False)
    previous_until = models.DateTimeField(_("earlier secret signs until"), null=True, editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["app", "url"]
        constraints = [models.UniqueConstraint(fields=["app", "url"], name="webhook_url_unique_in_app")]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The address without what may be secret in it: a name and password, the query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
