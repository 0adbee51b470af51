"""What the list and the page of templates show of one: columns in words, badges and links."""

from typing import Any, ClassVar

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from coupons.admin.approval_words import about_template, lines
from coupons.admin.extension import template_sync
from coupons.admin.template_usage import usage_of
from coupons.admin.wording import TEMPLATE_VARIANTS, sentence_of, term_lines, worth
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate
from merchants.admin.badges import badge, mono


class TemplateColumns:
    """The computed columns; the page shows some of them too, to whoever looks (`template.viewer`)."""

    offered: ClassVar[dict[str, set[TemplateStatus]]]

    @display(description=_("title"), ordering="title")
    def title_shown(self, template: CouponTemplate) -> str:
        """The title above the coupon id."""
        below = template.reference or template.coupon_id
        return format_html('<span class="portal-two-lines">{}<small>{}</small></span>', template.title, below)

    @display(description=_("worth"))
    def worth_shown(self, template: CouponTemplate) -> str:
        """What it takes off above all of its terms in a sentence."""
        value = worth(template.kind, template.amount_fen, template.percent_paid)
        return format_html(
            '<span class="portal-two-lines portal-sentence">{}<small>{}</small></span>', value, self._sentence(template)
        )

    @display(description=_("in one sentence"))
    def sentence_shown(self, template: CouponTemplate) -> str:
        """All of its terms as they stand now."""
        return format_html('<strong class="portal-terms-sentence">{}</strong>', self._sentence(template))

    @display(description=_("terms"))
    def terms_shown(self, template: CouponTemplate) -> str:
        """All of them, for whoever may not change them."""
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", term_lines(template.terms(), template.merchant))
        return format_html('<dl class="portal-terms">{}</dl>', rows)

    @display(description=_("limits"))
    def limits_shown(self, template: CouponTemplate) -> str:
        """How many one customer may get; stock and budget stand above."""
        rows = format_html_join(
            "",
            "<dt>{}</dt><dd>{}</dd>",
            [
                (_("per person"), template.per_person_limit or _("no limit")),
                (_("per person and day"), template.per_person_daily_limit or _("no limit")),
            ],
        )
        return format_html('<dl class="portal-terms">{}</dl>', rows)

    @display(description=_("issued for"), ordering="end_date")
    def dates_shown(self, template: CouponTemplate) -> str:
        """From when to when it is issued."""
        return format_html(
            '<span class="portal-two-lines portal-one-line">{}<small>– {}</small></span>',
            template.start_date,
            template.end_date,
        )

    @display(description=_("status"), ordering="status")
    def status_shown(self, template: CouponTemplate) -> str:
        """The status as a badge."""
        return badge(template.get_status_display(), TEMPLATE_VARIANTS.get(template.status, "default"))

    @display(description=_("issued / stock"), ordering="issued_count")
    def issued_shown(self, template: CouponTemplate) -> str:
        """How many are out of how many, with a link to them."""
        stock = "∞" if template.stock is None else template.stock
        return format_html(
            '<a href="{}" class="text-link">{} / {}</a>', _coupons_of(template), template.issued_count, stock
        )

    @display(description=_("used so far"))
    def usage_shown(self, template: CouponTemplate) -> str:
        """How much of stock and budget, as bars."""
        context = {"usage": usage_of(template), "coupons": _coupons_of(template)}
        return mark_safe(render_to_string("admin/coupons/coupontemplate/usage.html", context))  # nosec B308 B703 # a template's output, escaped there

    @display(description=_("second person"))
    def approvals_shown(self, template: CouponTemplate) -> str:
        """Who asked to publish, change or recall it, and who approved that."""
        return lines(about_template(template))

    @display(description=_("at dfire"))
    def sync_shown(self, template: Any) -> str:
        """How far dfire knows it; on the page with what to do about it."""
        if hasattr(template, "sync"):
            return badge(template.sync.label, template.sync.variant, hint=template.sync.hint) if template.sync else "-"
        sync = template_sync([template]).get(template.pk)
        if sync is None:
            return "-"
        context = {"badge": badge(sync.label, sync.variant, hint=sync.hint), "hint": sync.hint}
        for name, path in (("sync_now", "sync"), ("compare", "compare")):
            may = getattr(self, f"has_{path}_permission")(template.viewer) if hasattr(template, "viewer") else False
            if may and template.status in self.offered[name]:
                context[path] = reverse(f"admin:coupons_coupontemplate_{name}", args=[template.pk])
        return mark_safe(render_to_string("admin/coupons/coupontemplate/sync.html", context))  # nosec B308 B703 # a template's output, escaped there

    @display(description=_("coupon ID"))
    def coupon_id_shown(self, template: CouponTemplate) -> str:
        """Under which all three systems know it."""
        return mono(template.coupon_id)

    def _sentence(self, template: Any) -> str:
        """As the list has found it for all of its rows, or asked for."""
        return getattr(template, "sentence", None) or sentence_of(template.terms(), template.merchant)


def _coupons_of(template: CouponTemplate) -> str:
    return f"{reverse('admin:coupons_issuedcoupon_changelist')}?template__id__exact={template.pk}"
