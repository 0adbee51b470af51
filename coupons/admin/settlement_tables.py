"""Settlement in tables: the same lines for the page, with links to the coupons that each counts, and for files."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from coupons.admin.export_columns import yuan_or_none
from coupons.admin.wording import TEMPLATE_VARIANTS
from coupons.models import CouponTemplate
from coupons.settlement import Grouping, Sums
from merchants.admin.badges import badge, page_of
from merchants.tables import Row

Period = tuple[date, date]


def cards(sums: Sums, link: str) -> list[dict[str, str]]:
    """The totals, each with what it does not cover."""
    return [
        {"title": _("Coupons redeemed"), "value": f"{sums.redeemed:,}", "hint": "", "link": link},
        {
            "title": _("Amount saved"),
            "value": money(sums.saved_fen),
            "hint": _known(sums.saved_known, sums),
            "link": "",
        },
        {"title": _("Amount paid"), "value": money(sums.paid_fen), "hint": _known(sums.paid_known, sums), "link": ""},
    ]


def lines_on_page(rows: Iterable[dict[str, Any]], grouping: Grouping, period: Period, *, one: bool) -> dict[str, Any]:
    """The lines for Unfold's table; without the merchant's name where there is only `one`."""
    headers = [
        *([] if one else [_("merchant")]),
        *_keys(grouping),
        _("coupons redeemed"),
        _("amount saved"),
        _("amount paid"),
    ]
    table = []
    for row in rows:
        sums = Sums.of(row)
        link = coupons_link(row["merchant_id"], _days(row, grouping, period), _shop_query(row, grouping))
        cells: list[Any] = [] if one else [row["merchant__name"]]
        cells += [row["day"].isoformat()] if grouping.has_day else []
        cells += [_shop_on_page(row)] if grouping.has_shop else []
        count = format_html('<a href="{}" class="text-link">{}</a>', link, f"{sums.redeemed:,}")
        saved, paid = _amount(sums.saved_fen, sums.saved_known, sums), _amount(sums.paid_fen, sums.paid_known, sums)
        table.append([*cells, count, saved, paid])
    return {"headers": headers, "rows": table}


def lines_in_file(rows: Iterable[dict[str, Any]], grouping: Grouping) -> tuple[list[str], Iterator[Row]]:
    """Headings and all lines, and last the total of just these lines: redemptions go on while they are written."""
    headings = [
        _("merchant"), *_keys(grouping), _("coupons redeemed"), _("saved (yuan)"), _("saved is known for"),
        _("paid (yuan)"), _("paid is known for"),
    ]  # fmt: skip
    empty = [None] * len(_keys(grouping))

    def table() -> Iterator[Row]:
        sums = Sums()
        for row in rows:
            sums += Sums.of(row)
            cells: list[Any] = [row["merchant__name"]]
            cells += [row["day"]] if grouping.has_day else []
            cells += [row["shop__name"] or _("shop not told")] if grouping.has_shop else []
            yield [*cells, *_numbers(Sums.of(row))]
        yield [_("Total"), *empty, *_numbers(sums)]

    return headings, table()


def coupons_link(merchant_id: int | None, period: Period, query: Mapping[str, str] = MappingProxyType({})) -> str:
    """The list of exactly the coupons that were redeemed in these days, of a merchant or of all."""
    first, last = period
    asked = {"redeemed_at_from": first.isoformat(), "redeemed_at_to": last.isoformat(), **query}
    if merchant_id is not None:
        asked["merchant__id__exact"] = str(merchant_id)
    return f"{reverse('admin:coupons_issuedcoupon_changelist')}?{urlencode(asked)}"


def budgets_on_page(found: Iterable[Any]) -> dict[str, Any]:
    """Templates with their budgets for Unfold's table."""
    headers = [_("template"), _("merchant"), _("status"), _("budget"), _("promised"), _("spent"), _("left")]
    rows = [
        [
            page_of(template),
            template.merchant.name,
            badge(template.get_status_display(), TEMPLATE_VARIANTS.get(template.status, "default")),
            money(template.budget_fen),
            _share(template.committed_fen, template.budget_fen),
            money(template.spent_fen),
            money(_left(template)),
        ]
        for template in found
    ]
    return {"headers": headers, "rows": rows}


def budgets_in_file(found: Iterable[Any]) -> tuple[list[str], Iterator[Row]]:
    """Headings and all templates with a budget."""
    headings = [
        _("template"), _("coupon ID"), _("merchant"), _("status"), _("budget (yuan)"), _("promised (yuan)"),
        _("spent (yuan)"), _("left in the budget (yuan)"),
    ]  # fmt: skip

    def table() -> Iterator[Row]:
        for template in found:
            sums = (template.budget_fen, template.committed_fen, template.spent_fen, _left(template))
            said = (template.title, template.coupon_id, template.merchant.name, str(template.get_status_display()))
            yield [*said, *map(yuan_or_none, sums)]

    return headings, table()


def money(fen: int) -> str:
    """Fen as a sum of yuan with two decimals and thousands parted."""
    return f"¥{yuan_or_none(fen):,.2f}"


def _keys(grouping: Grouping) -> list[str]:
    return [*([_("day")] if grouping.has_day else []), *([_("shop")] if grouping.has_shop else [])]


def _days(row: dict[str, Any], grouping: Grouping, period: Period) -> Period:
    return (row["day"], row["day"]) if grouping.has_day else period


def _shop_query(row: dict[str, Any], grouping: Grouping) -> dict[str, str]:
    if not grouping.has_shop:
        return {}
    return {"shop_told": "no"} if row["shop_id"] is None else {"redeemed_shop__id__exact": str(row["shop_id"])}


def _shop_on_page(row: dict[str, Any]) -> str:
    return row["shop__name"] or format_html('<em class="portal-hint">{}</em>', _("shop not told"))


def _amount(fen: int, known: int, sums: Sums) -> str:
    if not known:
        return format_html('<span class="portal-hint">{}</span>', _("not known"))
    hint = _known(known, sums)
    return format_html('<span class="portal-two-lines">{}<small>{}</small></span>', money(fen), hint) if hint else (
        money(fen)
    )  # fmt: skip


def _known(known: int, sums: Sums) -> str:
    """For how many of the coupons an amount is known; nothing where it is for all."""
    if known == sums.redeemed:
        return ""
    return _("known for %(known)s of %(all)s") % {"known": f"{known:,}", "all": f"{sums.redeemed:,}"}


def _numbers(sums: Sums) -> list[Any]:
    saved = yuan_or_none(sums.saved_fen) if sums.saved_known else None
    paid = yuan_or_none(sums.paid_fen) if sums.paid_known else None
    return [sums.redeemed, saved, sums.saved_known, paid, sums.paid_known]


def _left(template: CouponTemplate) -> int:
    return (template.budget_fen or 0) - template.committed_fen


def _share(part: int, whole: int) -> str:
    """A sum with a bar below it: how much of the budget it is."""
    percent = min(100, round(100 * part / whole)) if whole else 100
    return format_html(
        '<span class="portal-share"><span>{} · {}%</span><progress value="{}" max="100"></progress></span>',
        money(part), percent, percent,
    )  # fmt: skip
