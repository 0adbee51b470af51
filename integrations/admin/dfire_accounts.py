"""Accounts at dfire: their settings, whether they run, and a test. `merchants.admin.accounts` says who sees them."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.connection import try_connection
from integrations.admin.wording import how_it_runs, stop_notice
from integrations.models import AccountState
from merchants.admin.accounts import AccountsPage
from merchants.admin.badges import badge, notice
from merchants.admin.base import ReadOnly, ScopedStackedInline
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.fields import SecretsForm
from merchants.models import DfireAccount

PLAIN_ADDRESS = _("This address is not https: key, coupons and customers' numbers travel readable for everyone.")


class DfireAccountForm(SecretsForm):
    """The secret is written and never shown."""

    secret_fields = ("app_secret",)

    class Meta:
        model = DfireAccount
        fields = [
            "name", "base_url", "app_key", "app_secret", "transfer_method", "max_requests_per_second",
            "max_concurrency", "timeout_seconds",
        ]  # fmt: skip


class AccountStateInline(ReadOnly, ScopedStackedInline):
    """What workers note about the account."""

    model = AccountState
    fields = [
        ("stopped_at", "probe_at"), ("stop_code", "stop_message"), ("stop_method", "stop_clock_seconds"),
        ("last_answer_at", "slowed_until"),
    ]  # fmt: skip
    readonly_fields = [
        "stopped_at",
        "probe_at",
        "stop_code",
        "stop_message",
        "stop_method",
        "stop_clock_seconds",
        "last_answer_at",
        "slowed_until",
    ]
    can_delete = False


@admin.register(DfireAccount)
class DfireAccountAdmin(AccountsPage):
    """Applications registered at dfire's open platform."""

    form = DfireAccountForm
    list_display = ["name", "address_shown", "app_key", "state_shown", "merchants_shown"]
    list_select_related = ["state"]
    search_fields = ["name", "app_key__exact"]
    ordering = ["-id"]
    inlines = [AccountStateInline]
    actions_detail = ["test"]
    warn_unsaved_form = True
    readonly_fields = ["notices_shown"]
    empty_hint = _("Add the account that dfire has given you, then choose it at the merchants that use it.")
    fieldsets = [
        (None, {"fields": ["notices_shown", "name", "base_url", "app_key", "app_secret"]}),
        (_("Pace"), {"fields": ["max_requests_per_second", "max_concurrency", "timeout_seconds"]}),
        (_("Transfers"), {"fields": ["transfer_method"], "classes": ["collapse"]}),
    ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Nothing can be wrong yet with a new one."""
        if obj is not None and (obj_notices(obj)):
            return self.fieldsets
        first = [name for name in self.fieldsets[0][1]["fields"] if name != "notices_shown"]
        return [(None, {"fields": first}), *self.fieldsets[1:]]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A state exists once a worker has used the account."""
        return self.inlines if obj is not None and hasattr(obj, "state") else []

    def save_model(self, request: HttpRequest, obj: DfireAccount, form: Any, change: bool) -> None:
        """Store it, and warn of an address that anyone on the way can read."""
        super().save_model(request, obj, form, change)
        if not obj.base_url.startswith("https://"):
            messages.warning(request, str(PLAIN_ADDRESS))

    @action(
        description=_("Test the connection"), url_path="test", permissions=["change"], icon="network_check",
        dialog=dialog(
            _("Test the connection?"),
            _("dfire is asked for the promotions of the account's first merchant. Nothing is changed."),
            _("Test"),
        ),
    )  # fmt: skip
    def test(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask dfire something and say what came of it."""
        account = self.visible_or_404(request, object_id)
        works, words = try_connection(account)
        messages.add_message(request, messages.SUCCESS if works else messages.ERROR, words)
        return go_to(request, account)

    @display(description=_("router address"), ordering="base_url")
    def address_shown(self, account: DfireAccount) -> str:
        """The address, and whether it is safe."""
        if account.base_url.startswith("https://"):
            return account.base_url
        return format_html("{} {}", account.base_url, badge("http", "warning", hint=str(PLAIN_ADDRESS)))

    @display(description=_("state"))
    def state_shown(self, account: DfireAccount) -> str:
        """Whether calls go out."""
        return how_it_runs(getattr(account, "state", None))

    @display(description=_("merchants"))
    def merchants_shown(self, account: DfireAccount) -> int:
        """How many merchants use it."""
        return account.merchants.count()

    @display(description=_("to be mended"))
    def notices_shown(self, account: DfireAccount) -> str:
        """What is wrong with it."""
        return format_html_join("", "{}", [(box,) for box in obj_notices(account)])


def obj_notices(account: DfireAccount) -> list[str]:
    """The red and the orange box of an account's page, where there is reason for them."""
    state = getattr(account, "state", None)
    stopped = [notice(stop_notice(state), "danger")] if state is not None and state.stopped_at else []
    plain = [] if account.base_url.startswith("https://") else [notice(PLAIN_ADDRESS)]
    return [*stopped, *plain]
