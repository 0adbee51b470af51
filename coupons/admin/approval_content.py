"""What a request would do, as the page of its decision shows it: what was asked for, and how it stands now."""

from copy import copy
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.approval_words import value_words
from coupons.admin.changes import changes_of
from coupons.admin.wording import moment_text, sentence_of, term_lines
from coupons.approvals import facts
from coupons.approvals.states import bring, whole
from coupons.choices import ApprovalAct, ApprovalState
from coupons.models import Approval, IssuedCoupon
from coupons.terms import TERM_FIELDS, Terms
from merchants.admin.masking import shown, shown_digits

FIRST_ROWS = 10
_TERMS_ASKED = (ApprovalAct.PUBLISH, ApprovalAct.CHANGE)


def content_of(approval: Approval, request: HttpRequest) -> dict[str, Any]:
    """The context of `admin/coupons/approval/content.html`."""
    act, asked = approval.act, approval.asked
    context: dict[str, Any] = {"numbers": _numbers(approval), "rows": _rows(approval, request)}
    terms = _terms(approval)
    if terms is not None:
        context["sentence"] = sentence_of(terms, approval.merchant)
    if act == ApprovalAct.PUBLISH and terms is not None:
        context["terms"] = term_lines(terms, approval.merchant)
    if act == ApprovalAct.CHANGE and approval.template is not None and terms is not None:
        before = bring(copy(approval.template), asked["before"])
        context["changes"] = changes_of(before, bring(copy(approval.template), asked["after"]))
    return context


def _terms(approval: Approval) -> Terms | None:
    """The terms as they were asked for, if they can still be read; of coupons that are out, the template's of now."""
    asked = approval.asked
    if approval.act in _TERMS_ASKED:
        return Terms.from_json(asked["after"]["terms"]) if whole(asked["after"]) else None
    if approval.act == ApprovalAct.ISSUE:
        return Terms.from_json(asked["terms"]) if set(TERM_FIELDS) <= set(asked["terms"]) else None
    return approval.template.terms() if approval.template else None


def _numbers(approval: Approval) -> list[tuple[Any, str]]:
    asked, one = approval.asked, approval.act in _TERMS_ASKED
    lines: list[tuple[Any, str]] = []
    if approval.coupons is not None:
        lines.append((_coupons_label(approval.act), f"{approval.coupons:,}"))
    lines.append((_("one coupon is worth") if one else _("worth in all"), value_words(approval.value_fen)))
    if (left := _left(approval)) is not None:
        lines.append((_("of them out now"), f"{left:,}"))
    if approval.act == ApprovalAct.ISSUE:
        until = asked["valid_until"]
        told = moment_text(datetime.fromisoformat(until)) if until else gettext("as the template says")
        lines.append((_("valid until"), told))
    if one:
        limits = asked["after"]["limits"]
        stock, budget = limits["stock"], limits["budget_fen"]
        lines.append((_("stock"), gettext("no limit") if stock is None else f"{stock:,}"))
        lines.append((_("budget"), gettext("no limit") if budget is None else value_words(budget)))
    if approval.terms_version is not None:
        lines.append((_("version of the terms"), str(approval.terms_version)))
    return lines


def _coupons_label(act: str) -> Any:
    return _("coupons to be issued") if act == ApprovalAct.ISSUE else _("coupons to be taken back")


def standing_of(approval: Any) -> facts.Standing:
    """How it stands, read once for its page: a million coupons may be out."""
    kept = approval.viewer.__dict__.setdefault("portal_standings", {})
    if approval.pk not in kept:
        kept[approval.pk] = facts.standing(approval, approval.template, approval.batch)
    standing: facts.Standing = kept[approval.pk]
    return standing


def _left(approval: Approval) -> int | None:
    """Of what was out when it was asked to take it back, what still is."""
    if approval.state != ApprovalState.WAITING or approval.template is None:
        return None
    return standing_of(approval).out


def _rows(approval: Approval, request: HttpRequest) -> list[str]:
    """The first customers of the file, or the first of the chosen coupons, as far as the user may see."""
    if approval.act == ApprovalAct.ISSUE and approval.batch is not None:
        rows = approval.batch.rows.filter(problem="").order_by("number").values_list("text", flat=True)
        return [shown_digits(request, text) for text in rows[:FIRST_ROWS]]
    if approval.act == ApprovalAct.REVOKE:
        chosen = IssuedCoupon.objects.filter(pk__in=approval.asked["coupons"][:FIRST_ROWS]).select_related("customer")
        return [f"{coupon.code} · {shown(request, coupon.customer.identifier)}" for coupon in chosen.order_by("pk")]
    return []
