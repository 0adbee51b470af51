"""The signature tool: what is signed, what we make of it, and where what others made of it differs.

It shows the signature that an account's secret makes of what was pasted, so whoever may use it can sign in that
account's name: it needs a right of its own (“Can use the signature tool”), offers accounts of the user's merchants
alone, and leaves a line in the account's history. It shows no secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations.admin.signature_forms import DfireForm, SignatureForm, SmartCouponForm, WebhookForm
from integrations.models import WebhookEndpoint
from integrations.signatures import dfire, smart_coupon, webhooks
from integrations.signatures.reports import Report, Unreadable, Verdict
from integrations.webhooks.signing import live_secrets
from merchants.admin.base import is_administrator
from merchants.admin.noting import note
from merchants.models import DfireAccount, SmartCouponAccount
from merchants.scopes import visible_merchants

ADDRESS = "admin:integrations_apicall_signatures"
TEMPLATE = "admin/integrations/signatures/tool.html"
MAY = "integrations.check_signatures"
TOOL = _("Signature tool")
_VERDICTS = {
    Verdict.RIGHT: (_("The signature is right"), "yes", "check_circle"),
    Verdict.WRONG: (_("The signature is wrong"), "no", "cancel"),
    Verdict.MISSING: (_("There is no signature to compare with"), "", "help"),
    Verdict.NOT_SIGNED: (_("This kind of message is not signed"), "", "info"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: whose secret signs it, what is asked, and who examines it."""

    label: Any
    model: type[Any]
    merchants: str
    form: type[SignatureForm]
    secret: str
    examine: Callable[[Any, dict[str, Any], dict[str, str]], Report]


def _examine_dfire(account: Any, said: dict[str, Any], others: dict[str, str]) -> Report:
    return dfire.examine(
        said["message"], account.app_secret, app_key=account.app_key, given=said["given"], theirs=said["theirs"],
        others=others,
    )  # fmt: skip


def _examine_push(account: Any, said: dict[str, Any], others: dict[str, str]) -> Report:
    if not account.developer_key:
        raise Unreadable(_("This account has no developer key: its pushes are not checked."), field="account")
    return smart_coupon.examine(
        said["message"], account.developer_key, revision=said["revision"], given=said["given"], theirs=said["theirs"],
        others=others,
    )  # fmt: skip


def _examine_webhook(endpoint: Any, said: dict[str, Any], others: dict[str, str]) -> Report:
    live = live_secrets(endpoint, timezone.now())
    return webhooks.examine(said["headers"], said["message"], live, theirs=said["theirs"], others=others)


KINDS = {
    "dfire-request": Kind(
        _("Request to dfire"), DfireAccount, "merchants", DfireForm, "app_secret", _examine_dfire
    ),
    "dfire-callback": Kind(
        _("Callback from dfire"), DfireAccount, "merchants", DfireForm, "app_secret", _examine_dfire
    ),
    "smart-coupon": Kind(
        _("Smart-coupon push"), SmartCouponAccount, "merchants", SmartCouponForm, "developer_key", _examine_push
    ),
    "webhook": Kind(
        _("Webhook to a partner"), WebhookEndpoint, "app__merchants", WebhookForm, "secret", _examine_webhook
    ),
}  # fmt: skip


class SignaturePage:
    """The page stands beside the list of API calls."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        """Its address."""
        page = self.admin_site.admin_view(self.signature_view)
        return [path("signatures/", page, name="integrations_apicall_signatures"), *super().get_urls()]  # type: ignore[misc]

    def signature_view(self, request: HttpRequest) -> HttpResponse:
        """The form of a kind and, once it is sent, what there is to say. A POST: what is pasted stays out of logs."""
        if not may_use(request):
            raise PermissionDenied
        name = request.GET.get("kind", "")
        name = name if name in KINDS else next(iter(KINDS))
        kind = KINDS[name]
        accounts = _accounts(request, kind)
        form = kind.form(request.POST if request.method == "POST" else None, accounts=accounts)
        report = _examined(request, kind, form, accounts) if form.is_bound and form.is_valid() else None
        here = reverse(ADDRESS)
        context = {
            **self.admin_site.each_context(request),
            "title": TOOL,
            "content_title": TOOL,
            "form": form,
            "has_accounts": accounts.exists(),
            "tabs": [
                {"title": other.label, "link": f"{here}?kind={key}", "active": key == name}
                for key, other in KINDS.items()
            ],
            "report": report,
            "verdict": _VERDICTS[report.verdict] if report else None,
            "texts": list(zip(report.canonical, report.expected, strict=True)) if report else [],
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def may_use(request: HttpRequest) -> bool:
    """Whether the user may use the tool."""
    return bool(request.user.is_active and request.user.has_perm(MAY))


def _accounts(request: HttpRequest, kind: Kind) -> QuerySet[Any]:
    """The accounts of the user's merchants."""
    rows = kind.model._default_manager.order_by("pk")
    if is_administrator(request):
        return rows
    return rows.filter(**{f"{kind.merchants}__in": visible_merchants(request.user)}).distinct()


def _examined(request: HttpRequest, kind: Kind, form: SignatureForm, accounts: QuerySet[Any]) -> Report | None:
    account = form.cleaned_data["account"]
    others = {str(one): getattr(one, kind.secret) for one in accounts if one.pk != account.pk}
    try:
        report = kind.examine(account, form.cleaned_data, {name: secret for name, secret in others.items() if secret})
    except Unreadable as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return None
    note(request, account, _("Looked at a signature (%(kind)s)."), kind=kind.label)
    return report
