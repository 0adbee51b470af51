"""The console of a partner app: its keys and when they were last used, what became of its calls, and its last calls.

For administrators, and for staff who may see API calls: they see those about their merchants, and no keys.
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from coupons.admin.wording import moment_text
from integrations.admin.api_calls import status_badge
from integrations.admin.api_key_words import state_of
from integrations.admin.wording import removed_words
from integrations.models import ApiCall, ApiKey, PartnerApp
from integrations.partner_api.calls import ROUTES, STATUS_CLASSES, counted, in_class, route_words
from merchants.admin.badges import mono, page_of
from merchants.admin.base import is_administrator
from merchants.admin.masking import masked_json
from merchants.scopes import visible_merchants

MOST_SHOWN = 50
SHOWN_DAYS = 7  # what the cards count and the list shows: no filter looks through all calls for a rare one
ADDRESS = "admin:integrations_partnerapp_console"
TEMPLATE = "admin/integrations/partnerapp/console.html"


class ConsolePage:
    """The page, and the button on the app's own page that leads to it."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        """The page stands below the app's."""
        page = self.admin_site.admin_view(self.console_view)
        return [path("<int:object_id>/console/", page, name="integrations_partnerapp_console"), *super().get_urls()]  # type: ignore[misc]

    @action(description=_("Console"), url_path="to-console", permissions=["view"], icon="terminal")
    def console(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the console."""
        return HttpResponseRedirect(reverse(ADDRESS, args=[object_id]))

    def console_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The console, narrowed by an outcome and a call."""
        if not request.user.has_perm("integrations.view_apicall"):
            raise PermissionDenied
        app = _visible_app(request, object_id)
        calls = ApiCall.objects.filter(app=app)
        if not is_administrator(request):
            calls = calls.filter(merchant__in=visible_merchants(request.user))
        outcome, route = request.GET.get("outcome", ""), request.GET.get("route", "")
        lately = calls.filter(at__gte=timezone.now() - timedelta(days=SHOWN_DAYS))
        found = in_class(lately, outcome)
        found = found.filter(route=route) if route in ROUTES else found
        title = gettext("Console of %(app)s") % {"app": app}
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "content_title": title,
            "app": app,
            "app_link": page_of(app) if is_administrator(request) else "",
            "keys": _keys(app) if is_administrator(request) else None,
            "figures": _figures(calls),
            "choices": _choices(outcome, route),
            "calls": [_row(call) for call in _newest(found)],
            "narrowed": bool(outcome or route),
            "all_calls": reverse("admin:integrations_apicall_changelist"),
            "try_it": f'curl -H "Authorization: Api-Key $KEY" {request.build_absolute_uri(reverse("api-templates"))}',
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _visible_app(request: HttpRequest, object_id: int) -> PartnerApp:
    """The app, if one of its merchants is the user's."""
    apps = PartnerApp.objects.filter(pk=object_id)
    if not is_administrator(request):
        apps = apps.filter(merchants__in=visible_merchants(request.user)).distinct()
    app = apps.first()
    if app is None:
        raise Http404
    return app


def _newest(calls: QuerySet[ApiCall]) -> QuerySet[ApiCall]:
    return calls.select_related("key", "merchant", "coupon").order_by("-at", "-pk")[:MOST_SHOWN]


def _keys(app: PartnerApp) -> dict[str, Any]:
    """The keys as a table, the live ones first."""
    now = timezone.now()
    found = sorted(ApiKey.objects.filter(app=app).order_by("-pk"), key=lambda key: not key.is_live(now))
    rows = [
        [
            page_of(key, mono(f"{key.prefix}…")),
            key.label or "-",
            state_of(key),
            moment_text(key.last_used_at) if key.last_used_at else gettext("never"),
            ", ".join(key.allowed_addresses) or gettext("any"),
        ]
        for key in found
    ]
    headers = [gettext("begins with"), gettext("label"), gettext("state"), gettext("last used"),
               gettext("allowed addresses")]  # fmt: skip
    return {"headers": headers, "rows": rows}


def _figures(calls: QuerySet[ApiCall]) -> list[dict[str, Any]]:
    """A card for each class: how many in a day and in a week, and the address that shows them."""
    now = timezone.now()
    day, more_of_day = counted(calls, now - timedelta(hours=24))
    week, more_of_week = counted(calls, now - timedelta(days=SHOWN_DAYS))
    return [
        {
            "label": words,
            "day": f"{day[name]}{'+' if more_of_day else ''}",
            "week": f"{week[name]}{'+' if more_of_week else ''}",
            "link": f"?{urlencode({'outcome': name})}#calls",
        }
        for name, words in STATUS_CLASSES.items()
    ]


def _choices(outcome: str, route: str) -> list[dict[str, Any]]:
    """The two drop-downs above the calls."""
    return [
        {"name": "outcome", "label": _("outcome"), "chosen": outcome, "options": list(STATUS_CLASSES.items())},
        {"name": "route", "label": _("call"), "chosen": route, "options": list(ROUTES.items())},
    ]


def _row(call: ApiCall) -> dict[str, Any]:
    """One call as the page shows it."""
    return {
        "at": moment_text(call.at),
        "link": reverse("admin:integrations_apicall_change", args=[call.pk]),
        "call": route_words(call),
        "status": status_badge(call),
        "code": call.code,
        "took": gettext("%(ms)s ms") % {"ms": call.duration_ms},
        "about": _about(call),
        "removed": removed_words(call),
        "path": call.path,
        "body": masked_json(call.body) if call.body else "",
        "answer": masked_json(call.answer) if call.answer else "",
        "facts": [
            (gettext("request ID"), mono(call.request_id)),
            (gettext("caller's address"), call.address),
            (gettext("API key"), mono(f"{call.key.prefix}…") if call.key else "-"),
        ],
    }


def _about(call: ApiCall) -> str:
    parts = [call.merchant.name] if call.merchant else []
    if call.coupon is None:
        return " · ".join(parts)
    return format_html("{}{}", " · ".join([*parts, ""]), page_of(call.coupon))
