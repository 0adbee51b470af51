"""What the list of issued coupons shows of one: columns in words, badges and links."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons import lifecycle
from coupons.admin.wording import (
    DELIVERY_VARIANTS,
    STATUS_VARIANTS,
    flag_words,
    moment,
    source_words,
)
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from merchants.admin.badges import badge, mono, page_of


class CouponColumns:
    """The computed columns, none to sort by: no index would help, and the filters bring what is sought to the top."""

    @display(description=_("code"))
    def code_shown(self, coupon: IssuedCoupon) -> str:
        """The code."""
        return mono(coupon.code)

    @display(description=_("template"))
    def template_shown(self, coupon: IssuedCoupon) -> str:
        """A link to the template."""
        return page_of(coupon.template)

    @display(description=_("customer"))
    def customer_shown(self, coupon: IssuedCoupon) -> str:
        """The customer, as lists name them."""
        return page_of(coupon.customer)

    @display(description=_("status"))
    def status_shown(self, coupon: IssuedCoupon) -> str:
        """The status as anyone outside sees it, and whether staff should look at the coupon."""
        status = lifecycle.status_now(coupon)
        shown_status = badge(CouponStatus(status).label, STATUS_VARIANTS[status])
        if not coupon.flag:
            return shown_status
        return format_html("{} {}", shown_status, badge("!", "warning", hint=flag_words(coupon.flag)))

    @display(description=_("delivery"))
    def delivery_shown(self, coupon: IssuedCoupon) -> str:
        """How far it is on its way to dfire."""
        return badge(coupon.get_delivery_display(), DELIVERY_VARIANTS.get(coupon.delivery, "default"))

    @display(description=_("issued at"))
    def issued_on(self, coupon: IssuedCoupon) -> str:
        """When."""
        return moment(coupon.issued_at)

    @display(description=_("valid until"))
    def until_shown(self, coupon: IssuedCoupon) -> str:
        """Its last second."""
        return moment(coupon.valid_until)

    @display(description=_("redeemed at"))
    def used_on(self, coupon: IssuedCoupon) -> str:
        """When and in which shop."""
        if coupon.redeemed_at is None:
            return "-"
        where = coupon.redeemed_shop or source_words(coupon.redeemed_through)
        return format_html(
            '<span class="portal-two-lines"><span>{}</span><small>{}</small></span>', moment(coupon.redeemed_at), where
        )
