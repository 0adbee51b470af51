"""What the list and the page of issued coupons show of one: columns in words, badges and links."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons import lifecycle
from coupons.admin.wording import (
    DELIVERY_VARIANTS,
    STATUS_VARIANTS,
    flag_words,
    moment,
    source_words,
    term_lines,
)
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon
from merchants.admin.badges import badge, mono, notice, page_of
from merchants.admin.masking import shown


class CouponColumns:
    """The computed columns, none to sort by: no index would help, and the filters bring what is sought to the top.

    What is shown of the holder depends on who looks (`coupon.viewer`).
    """

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

    @display(description=_("for staff to look at"))
    def flag_shown(self, coupon: IssuedCoupon) -> str:
        """What is unusual about it."""
        return notice(flag_words(coupon.flag)) if coupon.flag else "-"

    @display(description=_("holder"))
    def holder_shown(self, coupon: Any) -> str:
        """The customer, as far as the user may see."""
        if coupon.customer.erased_at is not None:
            return page_of(coupon.customer)
        return page_of(coupon.customer, shown(coupon.viewer, coupon.customer.identifier))

    @display(description=_("mobile"))
    def mobile_shown(self, coupon: Any) -> str:
        """The customer's number, as far as the user may see."""
        return mono(shown(coupon.viewer, coupon.customer.mobile)) if coupon.customer.mobile else "-"

    @display(description=_("valid"))
    def valid_shown(self, coupon: IssuedCoupon) -> str:
        """From when to when."""
        return format_html("{} – {}", moment(coupon.valid_from), moment(coupon.valid_until))

    @display(description=_("valid at dfire until"))
    def dfire_until_shown(self, coupon: IssuedCoupon) -> str:
        """What dfire says."""
        return moment(coupon.dfire_valid_until)

    @display(description=_("issued at"))
    def issued_shown(self, coupon: IssuedCoupon) -> str:
        """When and through which door."""
        return format_html("{} · {}", moment(coupon.issued_at), source_words(coupon.source))

    @display(description=_("redeemed at"))
    def used_shown(self, coupon: IssuedCoupon) -> str:
        """When, through which door, in which shop."""
        if coupon.redeemed_at is None:
            return "-"
        said = [(moment(coupon.redeemed_at),), (source_words(coupon.redeemed_through),), (coupon.redeemed_shop or "",)]
        return format_html_join(" · ", "{}", [words for words in said if words[0]])

    @display(description=_("terms"))
    def terms_shown(self, coupon: IssuedCoupon) -> str:
        """What the holder was promised."""
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", term_lines(coupon.version.terms, coupon.merchant))
        return format_html('<dl class="portal-terms">{}</dl>', rows)
