"""Requests for a second person in words: what they are about, what they are worth, who asked, who may say yes."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext

from coupons.admin.money import yuan
from coupons.admin.wording import moment, moment_text
from coupons.approvals import people
from coupons.choices import ApprovalAct, ApprovalState
from coupons.models import Approval, Batch, CouponTemplate
from merchants.admin.badges import Variant, badge, full_name, notice, page_of
from merchants.models import Merchant

APPROVAL_VARIANTS: dict[str, Variant] = {
    ApprovalState.WAITING: "warning",
    ApprovalState.APPROVED: "success",
    ApprovalState.REFUSED: "danger",
    ApprovalState.WITHDRAWN: "default",
    ApprovalState.LAPSED: "default",
}
_MOST_NAMES = 5
_MOST_LINES = 5


def state_badge(approval: Approval) -> str:
    """The state as a badge."""
    hint = approval.get_lapse_display() if approval.lapse else approval.note
    return badge(approval.get_state_display(), APPROVAL_VARIANTS[approval.state], hint=hint)


def numbers_words(approval: Approval) -> str:
    """How many coupons and what they are worth; of a template what one is worth."""
    if approval.coupons is None:
        worth = value_words(approval.value_fen)
        return gettext("one coupon: %(worth)s") % {"worth": worth}
    words = ngettext("%(count)s coupon", "%(count)s coupons", approval.coupons) % {"count": f"{approval.coupons:,}"}
    return f"{words} · {value_words(approval.value_fen)}"


def value_words(fen: int | None) -> str:
    """A value in yuan, or that nobody has said it."""
    if fen is None:
        return gettext("value not known (a discount)")
    whole, _dot, rest = yuan(fen).partition(".")
    return f"¥{int(whole):,}{'.' if rest else ''}{rest}"


def approvers_words(merchant: Merchant, but: Any) -> str:
    """Who could approve it, or what to do where nobody can."""
    found = [full_name(person) or person.get_username() for person in people.approvers_of(merchant, but=but)]
    if not found:
        return gettext(
            "Nobody can approve it yet: ask an administrator to give somebody the right, or to raise the limit."
        )
    names = ", ".join(found[:_MOST_NAMES])
    more = len(found) - _MOST_NAMES
    if more > 0:
        words = ngettext(
            "%(names)s and %(more)s more can approve it.", "%(names)s and %(more)s more can approve it.", more
        )
        return words % {"names": names, "more": more}
    return gettext("Can approve it: %(names)s.") % {"names": names}


def decided_words(approval: Approval) -> str:
    """What has become of it, by whom and when."""
    if approval.state == ApprovalState.LAPSED:
        return approval.get_lapse_display()
    if approval.decided_by is None:
        return moment(approval.decided_at)
    return format_html("{} · {}", approval.decided_by, moment(approval.decided_at))


def waiting_notice(approval: Approval) -> str:
    """For the page of what it is about: that it waits, since when, and for whom."""
    words = gettext("Waiting for approval since %(at)s, asked for by %(by)s.") % {
        "at": moment_text(approval.requested_at), "by": approval.requested_by,
    }  # fmt: skip
    return notice(format_html("{} {}", words, page_of(approval, gettext("Open the request"))))


def lines(found: QuerySet[Approval]) -> str:
    """The latest requests on the page of what they were about: who asked, and who decided."""
    return format_html_join("", '<div class="portal-request">{}</div>', [(_line(one),) for one in found[:_MOST_LINES]])


def _line(approval: Approval) -> str:
    by = gettext("asked for by %(by)s") % {"by": approval.requested_by}
    if approval.decided_by is not None:
        decided = gettext("decided by %(by)s") % {"by": approval.decided_by}
        by = f"{by}, {decided}"
    link = page_of(approval, approval.get_act_display())
    return format_html("{} {} {} · {}", link, state_badge(approval), by, moment(approval.requested_at))


def about_batch(batch: Batch) -> QuerySet[Approval]:
    """The requests about a batch, or the one that began it."""
    return _with_people(Q(batch=batch) | Q(begun=batch))


def about_template(template: CouponTemplate) -> QuerySet[Approval]:
    """The requests about a template itself: its batches show their own."""
    return _with_people(Q(template=template, batch=None))


def waits(act: ApprovalAct, **about: Any) -> Approval | None:
    """The request of this kind that waits about it, if there is one."""
    return _with_people(Q(act=act, state=ApprovalState.WAITING, **about)).first()


def _with_people(about: Q) -> QuerySet[Approval]:
    return Approval.objects.filter(about).select_related("requested_by", "decided_by").order_by("-id")
