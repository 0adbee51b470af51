"""The page "Why can it not be used?": every rule with a tick or a cross, what to do, and when it works next.

It asks the same rules as the partner API (`coupons.checking`) and changes nothing.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from coupons.admin.coupon_actions import CouponActions
from coupons.admin.why_advice import advice
from coupons.admin.why_form import WhyForm
from coupons.admin.wording import DELIVERY_VARIANTS, STATUS_VARIANTS, worth
from coupons.checking import check
from coupons.choices import Channel, Weekday
from coupons.lifecycle import status_now
from coupons.models import IssuedCoupon
from coupons.money import yuan
from coupons.rules import Judgement, Question, Verdict
from coupons.rules.words import listed, moment_words
from merchants.admin.badges import badge
from merchants.clock import SHANGHAI, local_day
from merchants.scopes import visible_merchants

WHY = _("Why can it not be used?")
ADDRESS = "admin:coupons_issuedcoupon_why"
TEMPLATE = "admin/coupons/issuedcoupon/why.html"
_LOOKS = {
    Verdict.PASS: ("check_circle", "success"),
    Verdict.FAIL: ("cancel", "danger"),
    Verdict.NOT_ASKED: ("help", "default"),
}


class WhyPage:
    """The page, and the button on a coupon's own page that leads to it."""

    actions_detail: Any = ("why_one", *CouponActions.actions_detail)
    admin_site: Any
    visible_or_404: Any

    def get_urls(self) -> list[Any]:
        """The page stands beside the list."""
        page = path("why/", self.admin_site.admin_view(self.why_view), name="coupons_issuedcoupon_why")
        return [page, *super().get_urls()]  # type: ignore[misc]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """It can be asked of every coupon, whatever its state."""
        asked = self.get_unfold_action("why_one")  # type: ignore[attr-defined]
        return [asked, *super().get_actions_detail(request, object_id)]  # type: ignore[misc]

    @action(description=WHY, url_path="why", permissions=["view"], icon="help")
    def why_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask about this coupon, now."""
        return HttpResponseRedirect(_asking({"code": self.visible_or_404(request, object_id).code}))

    def why_view(self, request: HttpRequest) -> HttpResponse:
        """The form and, once it is filled in, the answer."""
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        rows = self.get_queryset(request)  # type: ignore[attr-defined]
        form = WhyForm(
            request.GET or None,
            coupons=rows.select_related("merchant", "template", "version", "customer", "redeemed_shop"),
            merchants=visible_merchants(request.user),
            address=reverse(ADDRESS),
        )
        context = {
            **self.admin_site.each_context(request),
            "title": WHY,
            "content_title": WHY,
            "form": form,
            **(_answer(request, form) if form.is_valid() else {}),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, TEMPLATE, context)


def _answer(request: HttpRequest, form: WhyForm) -> dict[str, Any]:
    """What the page shows of the judgement."""
    coupon = form.coupon
    assert coupon is not None  # nosec B101 # a valid form has found it
    question = form.question()
    judgement = check(coupon, question)
    terms = coupon.version.terms
    status = status_now(coupon)
    return {
        "coupon": coupon,
        "terms_title": terms.title,
        "worth": worth(terms.kind, terms.amount_fen, terms.percent_paid),
        "status": badge(status.label, STATUS_VARIANTS[status]),
        "delivery": badge(coupon.get_delivery_display(), DELIVERY_VARIANTS.get(coupon.delivery, "default")),
        "judgement": judgement,
        "asked": _asked(form, question),
        "rules": [(rule, *_LOOKS[rule.verdict]) for rule in judgement.rules],
        "open_questions": listed(str(rule.name.label) for rule in judgement.rules if rule.verdict == Verdict.NOT_ASKED),
        "advice": advice(request, coupon, question, judgement),
        "next": _next(form, question, judgement),
        "at_dfire": _at_dfire(coupon, question.moment),
    }


def _asked(form: WhyForm, question: Question) -> list[str]:
    """The question in words, beside the verdict."""
    words = [_with_weekday(question.moment)]
    if question.shop_entity_id:
        words.append(str(dict(form.fields["shop"].choices).get(question.shop_entity_id)))  # type: ignore[attr-defined]
    if question.amount_fen is not None:
        words.append(f"¥{yuan(question.amount_fen)}")
    if question.channel:
        words.append(str(Channel(question.channel).label))
    return words


def _next(form: WhyForm, question: Question, judgement: Judgement) -> dict[str, str] | None:
    """The next moment that the clock allows, if it is not the one asked about, and the address that asks about it."""
    opens = judgement.next_usable_at
    if opens is None or opens == question.moment:
        return None
    query = {name: value for name, value in form.data.items() if name in form.fields and value}
    local = opens.astimezone(SHANGHAI).replace(tzinfo=None)
    return {"words": _with_weekday(opens), "link": _asking({**query, "at": local.isoformat()})}


def _at_dfire(coupon: IssuedCoupon, moment: datetime) -> dict[str, Any]:
    """What is known of dfire's own view. It names an end by its day and honours it to the close of that day."""
    end = coupon.dfire_valid_until
    over = end is not None and local_day(moment) > local_day(end)
    return {
        "since": moment_words(coupon.delivered_at) if coupon.delivered_at else "",
        "until": local_day(end).isoformat() if end is not None else "",
        "over": over,
        "words": gettext("By dfire's own end it is over: tills refuse it, whatever stands here.") if over else "",
    }


def _with_weekday(instant: datetime) -> str:
    return f"{moment_words(instant)} {Weekday(local_day(instant).isoweekday()).label}"


def _asking(query: dict[str, str]) -> str:
    return f"{reverse(ADDRESS)}?{urlencode(query)}#answer"
