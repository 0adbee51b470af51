"""Accounts of smart-coupon platforms: what they push to, and how they prove who they are. Administrators alone."""

import ipaddress
import secrets
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from merchants.admin.badges import badge
from merchants.admin.base import AdministratorsOnly, PortalAdmin
from merchants.admin.fields import LinesField, SecretsForm
from merchants.models import SmartCouponAccount

TOKEN_BYTES = 24


def _network(entry: str) -> None:
    ipaddress.ip_network(entry, strict=False)


class SmartCouponAccountForm(SecretsForm):
    """Secrets are written and never shown; the token is made, never typed."""

    secret_fields = ("developer_key", "app_secret")
    allowed_addresses = LinesField(
        label=_("allowed addresses"),
        parse=_network,
        wrong=_("%(entry)s is neither an address nor a network."),
        placeholder="203.0.113.0/24",
        help_text=_("Addresses or networks, one a line. Empty = any address."),
    )

    class Meta:
        model = SmartCouponAccount
        fields = [
            "name", "merchants", "developer_key", "require_signature", "allowed_addresses", "repeat_window_seconds",
            "confirm_with_dfire", "consume_base_url", "app_id", "app_secret",
        ]  # fmt: skip


@admin.register(SmartCouponAccount)
class SmartCouponAccountAdmin(AdministratorsOnly, PortalAdmin):
    """Platforms that push coupons to us."""

    form = SmartCouponAccountForm
    list_display = ["name", "signature_shown", "merchants_shown"]
    search_fields = ["name"]
    ordering = ["-id"]
    autocomplete_fields = ["merchants"]
    warn_unsaved_form = True
    readonly_fields = ["coupon_address", "detail_address"]
    empty_hint = _("Add an account for each platform that pushes; its page then shows the addresses to enter there.")
    fieldsets = [
        (None, {"fields": ["name", "merchants"]}),
        (
            _("Who may push"),
            {"fields": ["require_signature", "developer_key", "allowed_addresses", "repeat_window_seconds"]},
        ),
        (
            _("Consume reports"),
            {
                "fields": ["confirm_with_dfire", "consume_base_url", "app_id", "app_secret"],
                "classes": ["collapse"],
            },
        ),
    ]
    addresses = (
        _("Addresses to enter at the platform"),
        {
            "fields": ["coupon_address", "detail_address"],
            "description": _("Whoever knows these addresses can push. Hand them to the platform and to nobody else."),
        },
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The addresses exist once the account does."""
        return self.fieldsets if obj is None else [self.fieldsets[0], self.addresses, *self.fieldsets[1:]]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The account, which remembers under which host the portal is looked at."""
        account = super().get_object(request, object_id, from_field)
        if account is not None:
            account.viewer = request
        return account

    def save_model(self, request: HttpRequest, obj: SmartCouponAccount, form: Any, change: bool) -> None:
        """A new account gets its token here."""
        if not obj.token:
            obj.token = secrets.token_urlsafe(TOKEN_BYTES)
        super().save_model(request, obj, form, change)

    @display(description=_("create a coupon"))
    def coupon_address(self, account: Any) -> str:
        """Where create-coupon pushes go."""
        return self._address(account, "hook-create-coupon")

    @display(description=_("give a coupon to a customer"))
    def detail_address(self, account: Any) -> str:
        """Where coupon-detail pushes go."""
        return self._address(account, "hook-give-coupon")

    @display(description=_("signature"))
    def signature_shown(self, account: SmartCouponAccount) -> str:
        """Whether pushes must be signed."""
        if account.require_signature:
            return badge(_("required"), "success")
        return badge(_("checked if there"), "info") if account.developer_key else badge(_("none"), "warning")

    @display(description=_("merchants"))
    def merchants_shown(self, account: SmartCouponAccount) -> int:
        """How many merchants it may push for."""
        return account.merchants.count()

    @staticmethod
    def _address(account: Any, name: str) -> str:
        full = account.viewer.build_absolute_uri(reverse(name, args=[account.token]))
        return format_html('<code class="portal-copy">{}</code>', full)
