"""What the portal writes by itself about coupons: versions of terms, events. To look at, for administrators."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons.models import CouponEvent, DayFigures, DoneAlone, Reissue, RolledFigures, TemplateVersion
from coupons.models.figures import SUMMED
from merchants.admin.actors import actor_words
from merchants.admin.badges import mono, page_of
from merchants.admin.base import AdministratorsOnly, BigTable, ReadOnly, ScopedAdmin


@admin.register(TemplateVersion)
class TemplateVersionAdmin(ReadOnly, ScopedAdmin):
    """Terms as they were published."""

    merchant_path = "template__merchant"
    list_display = ["id_shown", "number", "template_shown", "dfire_id", "saved_at", "created_at"]
    list_select_related = ["template"]
    search_fields = ["promotion_id__exact", "dfire_id__exact"]
    search_help_text = _("Promotion ID or dfire's own ID")
    ordering = ["-id"]
    empty_hint = _("A version is kept whenever a template is published or its terms change.")

    @display(description=_("promotion ID"))
    def id_shown(self, version: TemplateVersion) -> str:
        """The promotion id."""
        return mono(version.promotion_id)

    @display(description=_("template"))
    def template_shown(self, version: TemplateVersion) -> str:
        """A link to the template."""
        return page_of(version.template)


@admin.register(CouponEvent)
class CouponEventAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Everything that happened to coupons, newest first."""

    merchant_path = "coupon__merchant"
    list_display = ["at", "kind", "coupon_shown", "actor_shown"]
    list_select_related = ["coupon"]
    list_filter = ["kind"]
    search_fields = ["coupon__code__exact"]
    search_help_text = _("Coupon code")
    ordering = ["-id"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see coupons may see what happened to them."""
        return super().has_view_permission(request, obj) or request.user.has_perm("coupons.view_issuedcoupon")

    @display(description=_("coupon"))
    def coupon_shown(self, event: CouponEvent) -> str:
        """A link to the coupon."""
        return page_of(event.coupon)

    @display(description=_("by"))
    def actor_shown(self, event: CouponEvent) -> str:
        """Who did it."""
        return actor_words(event.actor)


@admin.register(Reissue)
class ReissueAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Which coupon replaced which."""

    merchant_path = "original__merchant"
    list_display = ["at", "original_shown", "replacement_shown"]
    list_select_related = ["original", "replacement"]
    ordering = ["-id"]
    empty_hint = _("A redeemed coupon whose order was cancelled can be replaced on its page.")

    @display(description=_("redeemed coupon"))
    def original_shown(self, reissue: Reissue) -> str:
        """A link to the first."""
        return page_of(reissue.original)

    @display(description=_("replacement"))
    def replacement_shown(self, reissue: Reissue) -> str:
        """A link to the second."""
        return page_of(reissue.replacement)


@admin.register(DayFigures)
class DayFiguresAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """The rows that figures are summed from; only the sum of a key means anything."""

    list_display = ["day", "template", "shop", *SUMMED]
    list_select_related = ["template", "shop"]
    ordering = ["-id"]


@admin.register(RolledFigures)
class RolledFiguresAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """Sums of what is merged: a merchant's days, and weeks of each template by their Mondays."""

    list_display = ["day", "merchant", "template", *SUMMED]
    list_select_related = ["merchant", "template"]
    ordering = ["-id"]


@admin.register(DoneAlone)
class DoneAloneAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """What each member of staff has issued or taken back alone within a day: it counts in what they may do alone."""

    merchant_path = "template__merchant"
    list_display = ["at", "user", "template", "gives", "coupons", "value_fen"]
    list_select_related = ["user", "template"]
    ordering = ["-id"]
    empty_hint = _("Rows are kept for a day, while they count.")
