"""The settlement pages: redemptions by shop and day, and budgets, as page and as file. A line leads to its coupons."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from coupons.admin.settlement_form import MerchantsForm, SettlementForm, periods
from coupons.admin.settlement_tables import (
    budgets_in_file,
    budgets_on_page,
    cards,
    coupons_link,
    lines_in_file,
    lines_on_page,
)
from coupons.models import CouponTemplate, DayFigures, IssuedCoupon
from coupons.settlement import budgets, lines, total
from merchants.admin.export_notes import ExportNote, filters_in_words
from merchants.admin.export_slots import written_in_turn
from merchants.admin.exporting import TYPES, file_of
from merchants.rights import EXPORT, has_right
from merchants.scopes import visible_merchants
from merchants.tables import Row

_A_PAGE = 50
_AT_ONCE = 1000
_FORMAT, _PAGE = "format", "p"


def settlement_view(request: HttpRequest) -> HttpResponseBase:
    """Redemptions of a period: totals and lines; `format=xlsx` or `csv` = all lines as a file."""
    _must_see(request, IssuedCoupon)
    form = SettlementForm(request.GET, own=visible_merchants(request.user))
    context: dict[str, Any] = {"form": form, "periods": list(_periods(form))}
    if form.is_valid():
        period = form.cleaned_data["first"], form.cleaned_data["last"]
        found = lines(form.chosen(), *period, form.grouping())
        if kind := _kind(request):
            table = lines_in_file(found.iterator(chunk_size=_AT_ONCE), form.grouping())
            return _file(request, DayFigures, _("Settlement"), kind, *table)
        page = Paginator(found, _A_PAGE).get_page(request.GET.get(_PAGE))
        one = form.only()
        sums = total(form.chosen(), *period)
        link = coupons_link(one, period) if one is not None or form.chosen_all() else ""
        table_shown = lines_on_page(page, form.grouping(), period, one=one is not None)
        context |= {"cards": cards(sums, link), "page": page, "table": table_shown}
    return _page(request, "admin/coupons/settlement.html", _("Settlement"), context)


def budgets_view(request: HttpRequest) -> HttpResponseBase:
    """Templates with a budget: what was set aside, promised, spent and is left; as a file too."""
    _must_see(request, CouponTemplate)
    form = MerchantsForm(request.GET, own=visible_merchants(request.user))
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        found = budgets(form.chosen())
        if kind := _kind(request):
            table = budgets_in_file(found.iterator(chunk_size=_AT_ONCE))
            return _file(request, CouponTemplate, _("Budgets"), kind, *table)
        page = Paginator(found, _A_PAGE).get_page(request.GET.get(_PAGE))
        context |= {"page": page, "table": budgets_on_page(page)}
    return _page(request, "admin/coupons/budgets.html", _("Budgets"), context)


def _page(request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponseBase:
    form: MerchantsForm = context["form"]
    asked = form.asked()
    request.current_app = admin.site.name
    tabs = [
        {"title": _("Redemptions"), "link": reverse("settlement"), "model": IssuedCoupon},
        {"title": _("Budgets"), "link": reverse("settlement_budgets"), "model": CouponTemplate},
    ]
    kinds = [("xlsx", _("Excel (XLSX)"), "table_view"), ("csv", "CSV", "csv")]
    common = {
        "title": title,
        "tabs": [tab | {"active": tab["link"] == request.path} for tab in tabs if _may_see(request, tab["model"])],
        "files": [
            {"title": words, "icon": icon, "link": f"?{with_values(asked, **{_FORMAT: kind})}"}
            for kind, words, icon in (kinds if has_right(request.user, EXPORT) else [])
        ],
    }
    if (page := context.get("page")) is not None:
        turn = {
            "previous_link": page.has_previous() and page.number - 1,
            "next_link": page.has_next() and page.number + 1,
        }
        common |= {name: f"?{with_values(asked, p=str(to))}" if to else "" for name, to in turn.items()}
    return TemplateResponse(request, template, {**admin.site.each_context(request), **common, **context})


def _periods(form: SettlementForm) -> Iterator[dict[str, Any]]:
    """Links to the periods most asked for, with everything else as it is chosen."""
    asked = form.asked()
    for name, first, last in periods():
        days = {"first": first.isoformat(), "last": last.isoformat()}
        active = all(asked.get(key) == value for key, value in days.items())
        yield {"title": name, "link": f"?{with_values(asked, **days)}", "active": active}


def _file(
    request: HttpRequest, model: Any, title: str, kind: str, headings: list[str], rows: Iterable[Row]
) -> HttpResponseBase:
    if not has_right(request.user, EXPORT):
        raise PermissionDenied
    query = request.GET.copy()
    query.pop(_FORMAT, None)

    def written() -> HttpResponseBase:
        note = ExportNote(request, model, title, kind, filters_in_words(query, ""))
        return file_of(title, [heading[:1].upper() + heading[1:] for heading in headings], rows, form=kind, note=note)

    return written_in_turn(request, f"{request.path}?{query.urlencode()}", written)


def with_values(query: QueryDict, **values: str) -> str:
    """The query with some of its values set, for an address."""
    changed = query.copy()
    for name, value in values.items():
        changed[name] = value
    return changed.urlencode()


def _kind(request: HttpRequest) -> str:
    asked = request.GET.get(_FORMAT, "")
    return asked if asked in TYPES else ""


def _may_see(request: HttpRequest, model: Any) -> bool:
    return bool(admin.site._registry[model].has_view_permission(request))


def _must_see(request: HttpRequest, model: Any) -> None:
    if not _may_see(request, model):
        raise PermissionDenied
