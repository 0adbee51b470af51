"""Accounts of smart-coupon platforms: what they push to, and how they prove who they are."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from integrations.admin import smart_coupon_page as page
from integrations.admin.smart_coupon_actions import AccountActions, old_addresses_work
from integrations.consume import lanes
from integrations.smart_coupon.tokens import new_token
from merchants.admin.accounts import AccountsPage
from merchants.admin.badges import badge
from merchants.admin.fields import LinesField, SecretsForm
from merchants.models import SmartCouponAccount

REPORTING = ["consume_base_url", "app_id", "app_secret"]


def _network(entry: str) -> None:
    ipaddress.ip_network(entry, strict=False)


def _server(address: str) -> Any:
    """Scheme, host and port."""
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return address  # refused by the field


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

    def clean(self) -> dict[str, Any] | None:
        """Let nobody refuse all pushes unawares, nor have a stored secret sent to another server than its own."""
        kept, was = not self.cleaned_data.get("app_secret"), self.instance
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("require_signature") and not cleaned.get("developer_key"):
            self.add_error("require_signature", _("Enter the developer key too: without it every push is refused."))
        address = cleaned.get("consume_base_url")
        if kept and was.app_secret and address and _server(address) != _server(was.consume_base_url):
            self.add_error(
                "app_secret",
                _(
                    "The address of consume reports leads to another server, to which this secret is sent. "
                    "Enter it again."
                ),
            )
        return cleaned

    class Meta:
        model = SmartCouponAccount
        fields = [
            "name", "merchants", "developer_key", "require_signature", "allowed_addresses", "repeat_window_seconds",
            "confirm_with_dfire", "consume_base_url", "app_id", "app_secret",
        ]  # fmt: skip
        help_texts = {
            "confirm_with_dfire": _(
                "A pushed coupon is answered success only once dfire has accepted it, within a few seconds; else the "
                "push fails and nothing is left of it."
            ),
            "consume_base_url": _("Redeemed coupons are reported there, to the platform that pushed them."),
        }


@admin.register(SmartCouponAccount)
class SmartCouponAccountAdmin(AccountActions, AccountsPage):
    """Platforms that push coupons to us."""

    form = SmartCouponAccountForm
    list_display = ["name", "signature_shown", "merchants_shown"]
    search_fields = ["name"]
    ordering = ["-id"]
    autocomplete_fields = ["merchants"]
    warn_unsaved_form = True
    readonly_fields = [
        "coupon_address",
        "detail_address",
        "old_addresses_shown",
        "revision_shown",
        "pushes_shown",
        "reports_shown",
    ]
    empty_hint = _("Add an account for each platform that pushes; its page then shows the addresses to enter there.")
    fieldsets = [
        (None, {"fields": ["name", "merchants"]}),
        (
            _("Who may push"),
            {"fields": ["require_signature", "developer_key", "allowed_addresses", "repeat_window_seconds"]},
        ),
        (_("Answers"), {"fields": ["confirm_with_dfire"]}),
        (_("Consume reports"), {"fields": REPORTING}),
    ]
    addresses: tuple[Any, dict[str, Any]] = (
        _("Addresses to enter at the platform"),
        {
            "fields": ["coupon_address", "detail_address"],
            "description": _("Whoever knows these addresses can push. Hand them to the platform and to nobody else."),
        },
    )

    class Media:
        js = ["portal/copy.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The addresses exist once the account does, and so does what is said of its pushes and reports."""
        if obj is None:
            return self.fieldsets
        title, options = self.addresses
        old = ["old_addresses_shown"] if old_addresses_work(obj) else []
        reports, reporting = self.fieldsets[-1]
        middle: Any = self.fieldsets[1:-1]
        addresses: Any = options["fields"]
        return [
            self.fieldsets[0],
            (title, {**options, "fields": [*addresses, *old]}),
            *middle,
            (reports, {**reporting, "fields": ["reports_shown", *REPORTING]}),
            (_("The last pushes"), {"fields": ["revision_shown", "pushes_shown"]}),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The account, which remembers who looks at it and under which host, and its last pushes."""
        account = super().get_object(request, object_id, from_field)
        if account is not None:
            account.viewer = request
            account.last_pushes = page.last_pushes(account)
        return account

    def save_model(self, request: HttpRequest, obj: SmartCouponAccount, form: Any, change: bool) -> None:
        """A new account gets its token here; new credentials are tried at once."""
        if not obj.token:
            obj.token = new_token()
        super().save_model(request, obj, form, change)
        if not set(REPORTING).isdisjoint(form.changed_data):
            lanes.go_on(obj)

    @display(description=_("create a coupon"))
    def coupon_address(self, account: Any) -> str:
        """Where create-coupon pushes go."""
        return page.address(account.viewer, account, "hook-create-coupon")

    @display(description=_("give a coupon to a customer"))
    def detail_address(self, account: Any) -> str:
        """Where coupon-detail pushes go."""
        return page.address(account.viewer, account, "hook-give-coupon")

    @display(description=_("old addresses"))
    def old_addresses_shown(self, account: SmartCouponAccount) -> str:
        """Until when those from before the last change work."""
        return page.old_addresses(account)

    @display(description=_("last seen"))
    def revision_shown(self, account: Any) -> str:
        """Which revision of the platform pushes."""
        return page.revision_seen(account.last_pushes)

    @display(description=_("pushes"))
    def pushes_shown(self, account: Any) -> str:
        """The last pushes with their answers."""
        return page.pushes_table(account.viewer, account.last_pushes)

    @display(description=_("state"))
    def reports_shown(self, account: SmartCouponAccount) -> str:
        """How it goes with the reports."""
        return page.reports_state(account)

    @display(description=_("signature"))
    def signature_shown(self, account: SmartCouponAccount) -> str:
        """Whether pushes must be signed."""
        if account.require_signature:
            return badge(_("required"), "success")
        return badge(_("revisions 2 and 3"), "info") if account.developer_key else badge(_("none"), "warning")

    @display(description=_("merchants"))
    def merchants_shown(self, account: SmartCouponAccount) -> int:
        """How many merchants it may push for."""
        return account.merchants.count()
