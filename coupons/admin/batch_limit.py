"""How many coupons one batch may issue without the right to issue any number, and without a second person."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext, ngettext

from merchants.rights import ISSUE_ANY_NUMBER, has_right


def limit_words(request: HttpRequest) -> str:
    """What the user's limit is; "" for those who have none."""
    if has_right(request.user, ISSUE_ANY_NUMBER):
        return ""
    limit = settings.ISSUE_WITHOUT_RIGHT_LIMIT
    words = ngettext(
        "You may issue %(limit)s coupon at once. For more, ask somebody with the right to issue any number.",
        "You may issue %(limit)s coupons at once. For more, ask somebody with the right to issue any number.",
        limit,
    )
    return words % {"limit": f"{limit:,}"}


def approval_words() -> str:
    """From which numbers on a second person is asked (`coupons.approvals`)."""
    said = []
    if settings.APPROVE_COUPONS:
        words = gettext("More than %(coupons)s coupons wait for a second person.")
        said.append(words % {"coupons": f"{settings.APPROVE_COUPONS:,}"})
    if settings.APPROVE_YUAN:
        words = gettext("Coupons worth more than ¥%(yuan)s wait for a second person.")
        said.append(words % {"yuan": f"{settings.APPROVE_YUAN:,}"})
    return " ".join(said)


def too_many_for(request: HttpRequest, count: int) -> str:
    """Why the user may not issue so many coupons at once; "" where they may."""
    return limit_words(request) if count > settings.ISSUE_WITHOUT_RIGHT_LIMIT else ""
