"""One coupon's page: its code to scan, what to know now, its facts in groups, the terms in words, the timeline."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons.admin.coupon_notes import notes
from coupons.admin.drawing import bar_code, in_groups, qr_code
from coupons.admin.extension import timeline_of
from coupons.admin.money import yuan
from coupons.admin.wording import moment, moment_text, sentence_of, source_words, term_lines, worth
from coupons.choices import CouponStatus
from coupons.models import IssuedCoupon, Reissue
from merchants.admin.badges import badge, mono, page_of
from merchants.admin.masking import shown

RARE = ("batch_shown", "reissue_shown")  # only where there is something to show
FIELDSETS: list[tuple[Any, dict[str, Any]]] = [
    (_("Holder and validity"), {"fields": [
        ("holder_shown", "mobile_shown", "binding_shown"), ("valid_shown", "dfire_until_shown"),
    ]}),
    (_("Issue and redemption"), {"fields": [
        ("issued_shown", "used_shown"), ("template_shown", "merchant"), RARE,
    ]}),
    (_("Money"), {"fields": [("cost_shown", "saved_shown", "paid_shown")]}),
    (_("Terms it was issued under"), {"fields": ["terms_shown"]}),
]  # fmt: skip
FIELDS = [
    "holder_shown", "mobile_shown", "binding_shown", "valid_shown", "dfire_until_shown", "issued_shown", "used_shown",
    "template_shown", "merchant", "batch_shown", "reissue_shown", "cost_shown", "saved_shown", "paid_shown",
    "terms_shown",
]  # fmt: skip


class CouponPage:
    """What the page shows. What is seen of the holder depends on who looks (`coupon.viewer`)."""

    fieldsets = FIELDSETS
    readonly_fields = FIELDS
    change_form_outer_before_template = "admin/coupons/issuedcoupon/head.html"
    change_form_outer_after_template = "admin/coupons/issuedcoupon/timeline.html"

    class Media:
        js = ["portal/coupon.js"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The groups, without what is empty for nearly every coupon."""
        said = obj is not None and (
            obj.batch_id is not None or Reissue.objects.filter(Q(original=obj) | Q(replacement=obj)).exists()
        )
        return [
            (name, {**options, "fields": [line for line in options["fields"] if said or line != RARE]})
            for name, options in FIELDSETS
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The coupon, which remembers who looks at it: what is shown of the holder depends on that."""
        coupon = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if coupon is not None:
            coupon.viewer = request
        return coupon

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page, with the code above and the timeline below."""
        coupon = self.get_object(request, unquote(object_id))
        about = {} if coupon is None else {"head": self._head(coupon), "timeline": timeline_of(request, coupon)}
        response: HttpResponse = super().change_view(  # type: ignore[misc]
            request, object_id, form_url, {**about, **(extra_context or {})}
        )
        return response

    def _head(self, coupon: IssuedCoupon) -> dict[str, Any]:
        terms = coupon.version.terms
        return {
            "qr": qr_code(coupon.code),
            "bars": bar_code(coupon.code),
            "grouped": in_groups(coupon.code),
            "title": terms.title,
            "worth": worth(terms.kind, terms.amount_fen, terms.percent_paid),
            "status": self.status_shown(coupon),  # type: ignore[attr-defined]
            "delivery": self.delivery_shown(coupon),  # type: ignore[attr-defined]
            "until": moment_text(coupon.valid_until),
            "notes": notes(coupon),
        }

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

    @display(description=_("binding"))
    def binding_shown(self, coupon: IssuedCoupon) -> str:
        """Whether the holder has an openid, without which nothing is delivered."""
        if coupon.customer.erased_at is not None:
            return badge(_("erased"))
        return badge(_("bound"), "success") if coupon.customer.openid else badge(_("openid missing"), "warning")

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
        return _in_a_row(moment(coupon.issued_at), source_words(coupon.source), coupon.source_account)

    @display(description=_("redeemed at"))
    def used_shown(self, coupon: IssuedCoupon) -> str:
        """When, through which door, in which shop."""
        if coupon.redeemed_at is None:
            return "-"
        return _in_a_row(moment(coupon.redeemed_at), source_words(coupon.redeemed_through), coupon.redeemed_shop)

    @display(description=_("batch"))
    def batch_shown(self, coupon: IssuedCoupon) -> str:
        """The batch in which it was issued."""
        try:
            return page_of(coupon.batch)
        except NoReverseMatch:  # who may not see batches still sees which
            return str(coupon.batch)

    @display(description=_("replacement"))
    def reissue_shown(self, coupon: IssuedCoupon) -> str:
        """Which coupon it replaces, and which replaces it."""
        links = Reissue.objects.select_related("original", "replacement")
        said = [
            format_html("{} {}", gettext("replaces"), page_of(link.original, mono(link.original.code)))
            for link in links.filter(replacement=coupon)
        ] + [
            format_html("{} {}", gettext("replaced by"), page_of(link.replacement, mono(link.replacement.code)))
            for link in links.filter(original=coupon)
        ]
        return _in_a_row(*said) if said else "-"

    @display(description=_("counts in the budget"))
    def cost_shown(self, coupon: IssuedCoupon) -> str:
        """What it costs its template's budget, and whether it still does."""
        if Reissue.objects.filter(replacement=coupon).exists():
            return gettext("nothing: it stands in for the coupon that it replaces")
        if coupon.cost_fen is None:
            return gettext("not known for this kind of coupon")
        free = coupon.status in (CouponStatus.REVOKED, CouponStatus.EXPIRED)
        return f"¥{yuan(coupon.cost_fen)}" + (f" · {gettext('free again')}" if free else "")

    @display(description=_("taken off the bill"))
    def saved_shown(self, coupon: IssuedCoupon) -> str:
        """What it took off the bill."""
        return _sum(coupon, coupon.saved_fen)

    @display(description=_("paid by the customer"))
    def paid_shown(self, coupon: IssuedCoupon) -> str:
        """What was paid of the bill."""
        return _sum(coupon, coupon.paid_fen)

    @display(description=_("terms"))
    def terms_shown(self, coupon: IssuedCoupon) -> str:
        """What the holder was promised."""
        terms = coupon.version.terms
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", term_lines(terms, coupon.merchant))
        words = sentence_of(terms, coupon.merchant)
        return format_html('<p class="portal-terms-sentence">{}</p><dl class="portal-terms">{}</dl>', words, rows)


def _sum(coupon: IssuedCoupon, fen: int | None) -> str:
    if fen is not None:
        return f"¥{yuan(fen)}"
    return gettext("the till does not say") if coupon.status == CouponStatus.REDEEMED else "-"


def _in_a_row(*words: Any) -> str:
    return format_html_join(" · ", "{}", [(word,) for word in words if word])
