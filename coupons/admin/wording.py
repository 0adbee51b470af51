"""Terms, actors and marks in words, the same on every page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.money import yuan
from coupons.choices import Channel, CouponStatus, Delivery, Kind, Source, TemplateStatus, Weekday
from coupons.models import CouponTemplate
from coupons.sentences import sentence, tenths
from coupons.terms import Terms
from merchants.admin.badges import Variant
from merchants.models import Merchant, Shop

STATUS_VARIANTS: dict[str, Variant] = {
    CouponStatus.ISSUED: "info",
    CouponStatus.REDEEMING: "warning",
    CouponStatus.REDEEMED: "success",
    CouponStatus.REVOKED: "danger",
    CouponStatus.EXPIRED: "default",
}
DELIVERY_VARIANTS: dict[str, Variant] = {
    Delivery.QUEUED: "info",
    Delivery.WAITING: "warning",
    Delivery.DELIVERED: "success",
    Delivery.FAILED: "danger",
}
TEMPLATE_VARIANTS: dict[str, Variant] = {
    TemplateStatus.DRAFT: "default",
    TemplateStatus.PUBLISHED: "success",
    TemplateStatus.PAUSED: "warning",
    TemplateStatus.ENDED: "danger",
}
_FLAGS = {
    "redeemed_when_revoked": _("A till redeemed it after it had been revoked. The redemption counts."),
    "redeemed_when_expired": _("A till redeemed it after it had expired. The redemption counts."),
    "not_spent_at_dfire": _("It has been redeemed here, and dfire refuses to mark it as used: a till would take it."),
    "vanished_at_dfire": _("dfire said that it was delivered, and does not list it any more."),
    "transfer_refused": _("dfire refused its transfer to another customer. It is its giver's again."),
    "redeemed_before_transfer": _("A till redeemed it before its transfer. It stayed its giver's."),
    "redeeming_undecided": _(
        "dfire leaves it open whether the partner's order redeemed it. Ask the shop, and decide with the buttons above."
    ),
    "redeemed_by_two": _(
        "A partner's order and a till both say that they redeemed it. dfire does not tell which; it counts for the"
        " order."
    ),
    "redeemed_after_decision": _(
        "dfire says that the partner's order redeemed it, after staff had decided that it had not. It counts."
    ),
    "transferred_at_dfire": _("Its holder gave it to someone else at dfire."),
}


_REASONS = {"customer_erased": _("The customer was erased.")}


def reason_words(reason: str) -> str:
    """Why a coupon was revoked: staff's own words, or those for a key of the portal's."""
    return str(_REASONS.get(reason, reason))


def flag_words(flag: str) -> str:
    """What a coupon's flag wants staff to know."""
    return str(_FLAGS.get(flag, flag))


def worth(kind: str, amount_fen: int | None, percent_paid: int | None) -> str:
    """What a coupon takes off, in a word: ¥10 off; in Chinese, 9折."""
    if amount_fen is None and percent_paid is None:
        return gettext("not entered yet")
    if Kind(kind).is_discount:
        percent = percent_paid or 0
        return gettext("pay {percent}%").format(percent=percent, zhe=tenths(percent))
    if kind == Kind.DISH_PRICE:
        return gettext("dish for ¥{yuan}").format(yuan=yuan(amount_fen or 0))
    return gettext("¥{yuan} off").format(yuan=yuan(amount_fen or 0))


def least_spend(fen: int) -> str:
    """From which bill on it may be used."""
    return gettext("from ¥{yuan}").format(yuan=yuan(fen)) if fen else gettext("no least spend")


def moment(instant: datetime | None) -> str:
    """An instant in local time, to the second, kept in one line."""
    return format_html("<time>{}</time>", moment_text(instant)) if instant else "-"


def moment_text(instant: datetime | None) -> str:
    """The same without HTML, for sentences."""
    return formats.date_format(timezone.localtime(instant), "Y-m-d H:i:s") if instant else "-"


def term_lines(terms: Terms, merchant: Merchant) -> list[tuple[Any, str]]:
    """All terms as pairs of label and words; what does not restrict is left out."""
    days = terms.valid_days
    lines: list[tuple[Any, str]] = [
        (_("worth"), worth(terms.kind, terms.amount_fen, terms.percent_paid)),
        (_("least spend"), least_spend(terms.min_spend_fen)),
        (_("issued for"), f"{terms.start_date} – {terms.end_date}"),
    ]
    if days is not None:
        lines.append((_("days valid after receipt"), str(days)))
    if terms.menu_ids:
        lines.append((_("dish IDs"), ", ".join(terms.menu_ids)))
    lines.append((_("valid in these shops"), shop_names(terms.shop_entity_ids, merchant)))
    if terms.channels:
        lines.append((_("channels"), _joined(Channel(value).label for value in terms.channels)))
    if terms.use_weekdays:
        lines.append((_("weekdays"), _joined(Weekday(value).label for value in sorted(terms.use_weekdays))))
    for label, entries in [
        (_("hours"), terms.use_times),
        (_("dates of use"), terms.use_dates),
        (_("excluded dates"), terms.blackout_dates),
    ]:
        if entries:
            lines.append((label, _joined(entries)))
    if terms.notice:
        lines.append((_("customer's notice"), terms.notice))
    return lines


def sentence_of(terms: Terms, merchant: Merchant) -> str:
    """The terms in one sentence, with the name of the shop where it is one."""
    return sentence(terms, shop_name=shop_name(terms, merchant))


def shop_name(terms: Terms, merchant: Merchant) -> str:
    """The name of the one shop in which they hold; nothing where it is none, several or not known."""
    ids = terms.shop_entity_ids
    known = Shop.objects.filter(merchant=merchant, entity_id=ids[0]).first() if len(ids) == 1 else None
    return known.name if known else ""


def sentences_of(templates: Sequence[CouponTemplate]) -> dict[int, str]:
    """The sentences of a list's templates by primary key; their shops' names are asked for once."""
    single = {template.pk: template.shop_entity_ids[0] for template in templates if len(template.shop_entity_ids) == 1}
    shops = Shop.objects.filter(merchant__in={one.merchant_id for one in templates}, entity_id__in=single.values())
    names: Mapping[tuple[int, str], str] = {(shop.merchant_id, shop.entity_id): shop.name for shop in shops}
    return {
        one.pk: sentence(one.terms(), shop_name=names.get((one.merchant_id, single.get(one.pk, "")), ""))
        for one in templates
    }


def source_words(source: str) -> str:
    """The door through which a coupon came or went."""
    return str(Source(source).label) if source else "-"


def _joined(words: Iterable[Any]) -> str:
    return ", ".join(map(str, words))


def shop_names(entity_ids: Iterable[str], merchant: Merchant) -> str:
    """The shops of these entity IDs by name; of a shop that is gone, the ID. None means all."""
    wanted = list(entity_ids)
    if not wanted:
        return gettext("all shops")
    names = dict(Shop.objects.filter(merchant=merchant, entity_id__in=wanted).values_list("entity_id", "name"))
    return _joined(names.get(entity_id, entity_id) for entity_id in wanted)
