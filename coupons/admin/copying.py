"""A template as the start of the next one."""

from django.utils.translation import gettext

from coupons import templates
from coupons.models import CouponTemplate
from coupons.terms import TERM_FIELDS
from coupons.validation import LONGEST_TITLE

_COPIED = (*TERM_FIELDS, "merchant", "stock", "per_person_limit", "per_person_daily_limit")


def draft_copy(template: CouponTemplate) -> CouponTemplate:
    """Store a draft with the same terms under a new coupon id. Nothing has been issued of it, no one has pushed it."""
    values = {name: getattr(template, name) for name in _COPIED}
    values["title"] = gettext("%(title)s (copy)") % {"title": template.title}
    values["title"] = values["title"][:LONGEST_TITLE]
    copy = CouponTemplate(**values)
    templates.save_edited(copy)
    return copy
