"""A template as the start of the next one."""

from django.utils.translation import gettext

from coupons import templates
from coupons.approvals.states import LIMITS
from coupons.models import CouponTemplate
from coupons.terms import TERM_FIELDS
from coupons.validation import LONGEST_TITLE

_COPIED = (*TERM_FIELDS, "merchant", *LIMITS)


def draft_copy(template: CouponTemplate) -> CouponTemplate:
    """Store a draft with the same terms and limits, under a new coupon id. Nothing is issued of it or pushed."""
    values = {name: getattr(template, name) for name in _COPIED}
    values["title"] = gettext("%(title)s (copy)") % {"title": template.title}
    values["title"] = values["title"][:LONGEST_TITLE]
    copy = CouponTemplate(**values)
    templates.save_edited(copy)
    return copy
