"""The accounts under which the portal is known at dfire and at the smart-coupon platform.

Only their records are kept here; who speaks with them is the integrations app.
"""

from collections.abc import Mapping
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from merchants.checks import http_address, network_list, push_token
from merchants.models.merchant import Merchant
from merchants.secrets import EncryptedTextField, keyed_hashes

_TOKENS = ("token", "previous_token")


class DfireAccount(models.Model):
    """An application registered at dfire's open platform: an address, a key and its secret."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    base_url = models.CharField(_("router address"), max_length=300, validators=[http_address])
    app_key = models.CharField("appKey", max_length=100, unique=True)
    app_secret = EncryptedTextField(_("app secret"))
    transfer_method = models.CharField(
        _("transfer method"),
        max_length=100,
        blank=True,
        default="",
        help_text=_(
            "The name of dfire's transfer call. Leave it empty unless dfire has told you: a transfer is then "
            "a withdrawal followed by a new delivery of the same code."
        ),
    )
    max_requests_per_second = models.PositiveIntegerField(
        _("requests per second"), default=50, help_text=_("0 = no limit.")
    )
    max_concurrency = models.PositiveIntegerField(
        _("calls in flight"), default=16, validators=[MinValueValidator(1), MaxValueValidator(500)]
    )
    timeout_seconds = models.PositiveIntegerField(
        _("time limit of a call (seconds)"),
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
    )

    class Meta:
        verbose_name = _("dfire account")
        verbose_name_plural = _("dfire accounts")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(max_concurrency__gte=1), name="dfire_account_concurrency_positive"),
            # A lease (60 s) must outlive a whole call and what surrounds it.
            models.CheckConstraint(
                condition=Q(timeout_seconds__gte=1, timeout_seconds__lte=20),
                name="dfire_account_timeout_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SmartCouponAccount(models.Model):
    """A smart-coupon platform that pushes to us; its token is part of the two addresses it pushes to."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    token = EncryptedTextField(_("token"), validators=[push_token])
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    # The token before this one, which is good until a time, so that a platform can be changed over without a gap.
    previous_token = EncryptedTextField(_("previous token"), blank=True, default="", db_default="", editable=False)
    previous_token_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)
    previous_until = models.DateTimeField(_("previous token good until"), null=True, blank=True, editable=False)
    previous_used_at = models.DateTimeField(_("previous token last used"), null=True, blank=True, editable=False)
    merchants = models.ManyToManyField(
        Merchant, verbose_name=_("merchants"), related_name="smart_coupon_accounts", blank=True
    )
    developer_key = EncryptedTextField(_("developer key"), blank=True, default="")
    require_signature = models.BooleanField(
        _("require a signature"), default=False, help_text=_("Refuses revision 1, which is not signed.")
    )
    allowed_addresses = models.JSONField(
        _("allowed addresses"),
        default=list,
        blank=True,
        validators=[network_list],
        help_text=_("Addresses or networks; none = any address."),
    )
    repeat_window_seconds = models.PositiveIntegerField(
        _("repeat window (seconds)"),
        default=600,
        help_text=_("The same push again within this time gets the first answer again and creates nothing."),
    )
    confirm_with_dfire = models.BooleanField(_("confirm with dfire"), default=False)
    consume_base_url = models.CharField(
        _("consume report address"), max_length=300, blank=True, default="", validators=[http_address]
    )
    app_id = models.CharField("app_id", max_length=100, blank=True, default="")
    app_secret = EncryptedTextField("app_secret", blank=True, default="")

    class Meta:
        verbose_name = _("smart-coupon account")
        verbose_name_plural = _("smart-coupon accounts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: object, **kwargs: object) -> None:
        """Keep the hashes by which a push finds its account true to its tokens."""
        for column, value in self.keyed_columns({name: getattr(self, name) for name in _TOKENS}).items():
            setattr(self, column, value)
        changed: Any = kwargs.get("update_fields")
        if changed is not None:
            kwargs["update_fields"] = {*changed, *(f"{name}_hash" for name in _TOKENS if name in changed)}
        super().save(*args, **kwargs)  # type: ignore[arg-type]

    @staticmethod
    def keyed_columns(secrets: Mapping[str, str]) -> dict[str, Any]:
        """The columns that hang on the newest encryption key, from the plain secrets (`merchants.reencrypting`)."""
        return {f"{name}_hash": keyed_hashes(secrets[name])[0] if secrets[name] else None for name in _TOKENS}

    @property
    def wants_reports(self) -> bool:
        """Whether it has an address for consume reports, and the credentials for it."""
        return bool(self.consume_base_url and self.app_id and self.app_secret)
