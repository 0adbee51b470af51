"""The dialogs that ask before something is done with a template: each shows the template in one sentence, and how many
coupons of it are out, so that nobody says yes to the wrong one.
"""

from typing import Any

from django.http import Http404, HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm

from coupons.admin.approving import MayWait
from coupons.admin.customer_forms import IssueForm
from coupons.admin.previewing import preview_of
from coupons.admin.template_usage import usage_of
from coupons.admin.wording import sentence_of
from coupons.approvals import limits
from coupons.approvals.limits import Need
from coupons.models import CouponTemplate
from merchants.admin.dialogs import dialog
from merchants.scopes import visible_merchants


class AboutTemplate(BaseDialogForm):
    """Asks nothing but yes, below what it is about."""

    form_before_template = "admin/coupons/coupontemplate/about.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The template, if the user may see it."""
        template = _seen(request, object_id)
        words = sentence_of(template.terms(), template.merchant)
        return {"template": template, "sentence": words, "usage": usage_of(template)}


class AboutPublishing(MayWait, AboutTemplate):
    """The same, with the remarks on likely slips: the last moment at which they cost nothing."""

    def find_need(self) -> Need | None:
        """Of what one coupon is worth as the template stands."""
        template = _seen(self.request, self.object_id)
        self.merchant = template.merchant
        return limits.to_publish(template)

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """What it is about, and the warnings."""
        context = super().get_before_template_context(request, object_id)
        warnings = [one for one in preview_of(context["template"]).advice if one.level == "warning"]
        return {**context, "warnings": warnings}


def _seen(request: HttpRequest, object_id: int | str | None) -> CouponTemplate:
    """The template of the dialog's address, if the user may see it."""
    seen = CouponTemplate.objects.filter(merchant__in=visible_merchants(request.user)).select_related("merchant")
    template = seen.filter(pk=int(object_id)).first() if object_id and str(object_id).isdecimal() else None
    if template is None:
        raise Http404
    return template


ISSUE = dialog(
    _("Issue a coupon"), _("The coupon is valid at once and goes to dfire behind it."), _("Issue"), IssueForm
)
PUBLISH = dialog(
    _("Publish this template?"), _("From then on its coupons can be issued."), _("Publish"), AboutPublishing
)  # fmt: skip
RESUME = dialog(_("Resume this template?"), _("Its coupons can be issued again."), _("Resume"), AboutPublishing)
PAUSE = dialog(
    _("Pause this template?"),
    _("No more coupons are issued until it is resumed. What is out stays valid."),
    _("Pause"),
    AboutTemplate,
)
END = dialog(
    _("End this template for good?"),
    _("No more coupons can ever be issued of it. What is out stays valid."),
    _("End for good"),
    AboutTemplate,
)
DUPLICATE = dialog(
    _("Duplicate this template?"),
    _("The copy is a draft with the same terms, limits and budget."),
    _("Duplicate"),
    AboutTemplate,
)
REMOVE = dialog(
    _("Delete this template?"),
    _("It is deleted here and at dfire. If coupons of it have been used, it is ended and kept as history."),
    _("Delete"),
    AboutTemplate,
)
SYNC = dialog(_("Tell dfire now?"), _("The present terms are sent to dfire once more."), _("Sync now"), AboutTemplate)
