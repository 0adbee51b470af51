"""What files say of coupons, templates and customers: more than the lists show, money in yuan, instants as such."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from coupons import lifecycle
from coupons.admin.money import FEN_PER_YUAN
from coupons.admin.wording import flag_words, source_words, worth
from coupons.choices import CouponStatus
from coupons.models import CouponTemplate, IssuedCoupon
from merchants.admin.export_columns import Column
from merchants.admin.masking import shown
from merchants.models import Customer
from merchants.tables import Value


def yuan_or_none(fen: int | None) -> Decimal | None:
    """Fen as yuan with two decimals, exactly; what is not known stays nothing."""
    return None if fen is None else (Decimal(fen) / FEN_PER_YUAN).quantize(Decimal("0.01"))


def _of(path: str) -> Callable[[HttpRequest, Any], Value]:
    """The value at the end of a way of attributes; nothing where the way ends before."""
    names = path.split(".")

    def value(request: HttpRequest, row: Any) -> Any:
        for name in names:
            row = getattr(row, name)
            if row is None:
                return None
        return row

    return value


def _yuan(name: str) -> Callable[[HttpRequest, Any], Value]:
    return lambda request, row: yuan_or_none(getattr(row, name))


def _text(name: str) -> Callable[[HttpRequest, Any], Value]:
    """A related row in words."""
    return lambda request, row: None if getattr(row, name) is None else str(getattr(row, name))


def _identifier(request: HttpRequest, customer: Customer) -> str:
    return str(customer) if customer.erased_at is not None else shown(request, customer.identifier)


def _status(request: HttpRequest, coupon: IssuedCoupon) -> str:
    return str(CouponStatus(lifecycle.status_now(coupon)).label)


def _redeemed_through(request: HttpRequest, coupon: IssuedCoupon) -> str:
    return source_words(coupon.redeemed_through) if coupon.redeemed_through else ""


COUPON = [
    Column(_("code"), _of("code")),
    Column(_("template"), _of("template.title")),
    Column(_("coupon ID"), _of("template.coupon_id")),
    Column(_("merchant"), _of("merchant.name")),
    Column(_("merchant ID"), _of("merchant.merchant_id")),
    Column(_("customer"), lambda request, coupon: _identifier(request, coupon.customer)),
    Column(_("mobile"), lambda request, coupon: shown(request, coupon.customer.mobile)),
    Column(_("status"), _status),
    Column(_("delivery"), lambda request, coupon: str(coupon.get_delivery_display())),
    Column(_("issued at"), _of("issued_at")),
    Column(_("issued through"), lambda request, coupon: source_words(coupon.source)),
    Column(_("batch"), _of("batch.name")),
    Column(_("valid from"), _of("valid_from")),
    Column(_("valid until"), _of("valid_until")),
    Column(_("delivered at"), _of("delivered_at")),
    Column(_("redeemed at"), _of("redeemed_at")),
    Column(_("redeemed through"), _redeemed_through),
    Column(_("shop"), _of("redeemed_shop.name")),
    Column(_("saved (yuan)"), _yuan("saved_fen")),
    Column(_("paid (yuan)"), _yuan("paid_fen")),
    Column(_("cost (yuan)"), _yuan("cost_fen")),
    Column(_("revoked or expired"), _of("ended_at")),
    Column(_("for staff to look at"), lambda request, coupon: flag_words(coupon.flag) if coupon.flag else None),
]


def _worth(request: HttpRequest, template: CouponTemplate) -> str:
    return worth(template.kind, template.amount_fen, template.percent_paid)


def _left(request: HttpRequest, template: CouponTemplate) -> Value:
    return None if template.budget_fen is None else yuan_or_none(template.budget_fen - template.committed_fen)


def _sync(request: HttpRequest, template: Any) -> Value:
    return str(template.sync.label) if template.sync is not None else None


TEMPLATE = [
    Column(_("title"), _of("title")),
    Column(_("reference"), _of("reference")),
    Column(_("coupon ID"), _of("coupon_id")),
    Column(_("merchant"), _of("merchant.name")),
    Column(_("merchant ID"), _of("merchant.merchant_id")),
    Column(_("status"), lambda request, template: str(template.get_status_display())),
    Column(_("kind"), lambda request, template: str(template.get_kind_display())),
    Column(_("worth"), _worth),
    Column(_("amount (yuan)"), _yuan("amount_fen")),
    Column(_("percent paid"), _of("percent_paid")),
    Column(_("least spend (yuan)"), _yuan("min_spend_fen")),
    Column(_("start date"), _of("start_date")),
    Column(_("end date"), _of("end_date")),
    Column(_("days valid after receipt"), _of("valid_days")),
    Column(_("stock"), _of("stock")),
    Column(_("issued"), _of("issued_count")),
    Column(_("budget (yuan)"), _yuan("budget_fen")),
    Column(_("promised (yuan)"), _yuan("committed_fen")),
    Column(_("left in the budget (yuan)"), _left),
    Column(_("at dfire"), _sync),
    Column(_("created"), _of("created_at")),
]


def _binding(request: HttpRequest, customer: Customer) -> str:
    if customer.erased_at is not None:
        return str(_("erased"))
    if not customer.openid:
        return str(_("openid missing"))
    return str(_("complete") if customer.mobile else _("mobile missing"))


CUSTOMER = [
    Column(_("identifier"), _identifier),
    Column(_("mobile"), lambda request, customer: shown(request, customer.mobile)),
    Column(_("openid"), _of("openid")),
    Column(_("merchant"), _of("merchant.name")),
    Column(_("merchant ID"), _of("merchant.merchant_id")),
    Column(_("binding"), _binding),
    Column(_("waiting coupons"), _of("waiting")),
    Column(_("created"), _of("created_at")),
    Column(_("erased at"), _of("erased_at")),
]
