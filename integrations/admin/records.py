"""What the portal writes down about talking with others: attempts, pushes, answers, states of accounts. To look at."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from integrations.admin.filters import StatusClassFilter
from integrations.admin.remedies import RESULT_VARIANTS, result_words
from integrations.admin.wording import how_it_runs, removed_words
from integrations.models import AccountState, ApiAnswer, OutboxAttempt, Push, PushAnswer, SignatureSeen
from merchants.admin.badges import badge, page_of, pre
from merchants.admin.base import AdministratorsOnly, BigTable, PortalAdmin, ReadOnly, ReadOnlyInline, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import masked_json, masked_text, shown_json
from merchants.scopes import visible_merchants


class AttemptInline(ReadOnlyInline):
    """The calls made for a row, with request and answer."""

    model = OutboxAttempt
    fields = ["started_at", "phase", "method", "result_shown", "http_status", "duration_ms", "talk_shown"]
    readonly_fields = fields
    ordering = ["-id"]
    per_page = 20

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see the row may see its calls."""
        return request.user.has_perm("integrations.view_outboxrow")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Let each call remember who looks at it."""
        formset = super().get_formset(request, obj, **kwargs)

        class Watched(formset):  # type: ignore[misc,valid-type]
            def get_queryset(self) -> Any:
                calls = super().get_queryset()
                for call in calls:
                    call.viewer = request
                return calls

        return Watched

    @display(description=_("result"))
    def result_shown(self, attempt: OutboxAttempt) -> str:
        """The class of the result, with dfire's code."""
        hint = masked_text(f"{attempt.code} {attempt.message}".strip())
        return badge(result_words(attempt.result), RESULT_VARIANTS.get(attempt.result, "default"), hint=hint)

    @display(description=_("request and answer"))
    def talk_shown(self, attempt: Any) -> str:
        """What was said, folded."""
        if words := removed_words(attempt):
            return words
        return format_html(
            "<details><summary>{}</summary>{}{}</details>",
            _("show"),
            pre(shown_json(attempt.viewer, attempt.request)),
            pre(shown_json(attempt.viewer, attempt.answer)),
        )


@admin.register(OutboxAttempt)
class OutboxAttemptAdmin(ReadOnly, AdministratorsOnly, BigTable, ScopedAdmin):
    """All calls to dfire, newest first."""

    merchant_path = "row__merchant"
    list_display = [
        "started_at",
        "method",
        "phase",
        "result_shown",
        "code_shown",
        "http_status",
        "duration_ms",
        "row_shown",
    ]
    list_select_related = ["row"]
    list_filter = [("phase", ChoicesDropdownFilter)]
    ordering = ["-id"]
    fields = [
        ("started_at", "duration_ms"), ("method", "phase"), ("result_shown", "http_status"),
        ("code_shown", "row_shown"), "request_shown", "answer_shown",
    ]  # fmt: skip
    readonly_fields = [
        "started_at", "duration_ms", "method", "phase", "result_shown", "http_status", "code_shown", "row_shown",
        "request_shown", "answer_shown",
    ]  # fmt: skip

    @display(description=_("result"))
    def result_shown(self, attempt: OutboxAttempt) -> str:
        """The class of the result."""
        return badge(result_words(attempt.result), RESULT_VARIANTS.get(attempt.result, "default"))

    @display(description=_("dfire's code"))
    def code_shown(self, attempt: OutboxAttempt) -> str:
        """dfire's code and message."""
        return masked_text(f"{attempt.code} {attempt.message}".strip()) or "-"

    @display(description=_("outbox row"))
    def row_shown(self, attempt: OutboxAttempt) -> str:
        """A link to the row."""
        return page_of(attempt.row)

    @display(description=_("request"))
    def request_shown(self, attempt: OutboxAttempt) -> str:
        """What was sent; mobile numbers masked for everyone, whole ones stand on the coupon's page."""
        return removed_words(attempt) or pre(masked_json(attempt.request))

    @display(description=_("answer"))
    def answer_shown(self, attempt: OutboxAttempt) -> str:
        """What came back, masked likewise."""
        return "-" if attempt.blanked_at else pre(masked_json(attempt.answer))


@admin.register(Push)
class PushAdmin(ReadOnly, BigTable, ScopedAdmin):
    """What smart-coupon platforms pushed and what we answered."""

    list_display = [
        "received_at",
        "account",
        "address_shown",
        "status_shown",
        "repeated_shown",
        "template",
        "coupon_shown",
    ]
    list_display_links = ["received_at"]
    list_select_related = ["account", "template", "coupon"]
    list_filter = [("account", OwnRelatedFilter), ("address", ChoicesDropdownFilter), "repeated", StatusClassFilter]
    search_fields = ["coupon__code__exact", "template__coupon_id__exact"]
    search_help_text = _("Coupon code or coupon ID")
    ordering = ["-id"]
    fields = [
        ("received_at", "account"), ("address", "revision"), ("status_shown", "repeated_shown"),
        ("template", "coupon_shown"),
        "body_shown", "answer_shown",
    ]  # fmt: skip
    readonly_fields = [
        "received_at", "account", "address", "revision", "status_shown", "repeated_shown", "template", "coupon_shown",
        "body_shown", "answer_shown",
    ]  # fmt: skip
    empty_hint = _("Pushes arrive at the two addresses that a smart-coupon account's page shows.")

    def in_scope(self, request: HttpRequest) -> Q:
        """By what the push made; refused ones belong to no merchant, administrators see them."""
        own = visible_merchants(request.user)
        return Q(template__merchant__in=own) | Q(coupon__merchant__in=own)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The push, which remembers who looks at it."""
        push = super().get_object(request, object_id, from_field)
        if push is not None:
            push.viewer = request
        return push

    @display(description=_("address"))
    def address_shown(self, push: Push) -> str:
        """Which address was pushed to."""
        return push.get_address_display()

    @display(description=_("HTTP status"), ordering="status")
    def status_shown(self, push: Push) -> str:
        """The status we answered with."""
        return badge(push.status, "success" if push.status < 400 else "danger")

    @display(description=_("a repeat"), ordering="repeated")
    def repeated_shown(self, push: Push) -> str:
        """Whether it got the answer of an equal one; most do not, which is nothing to worry about."""
        return badge(_("a repeat"), "info") if push.repeated else "-"

    @display(description=_("coupon"))
    def coupon_shown(self, push: Push) -> str:
        """A link to the coupon."""
        return page_of(push.coupon)

    @display(description=_("as received"))
    def body_shown(self, push: Any) -> str:
        """The body, as far as the user may see."""
        return removed_words(push) or pre(shown_json(push.viewer, push.body))

    @display(description=_("answer"))
    def answer_shown(self, push: Any) -> str:
        """Our answer."""
        return "-" if push.blanked_at else pre(shown_json(push.viewer, push.answer))


@admin.register(PushAnswer)
class PushAnswerAdmin(ReadOnly, AdministratorsOnly, BigTable, PortalAdmin):
    """Answers that repeated pushes get again."""

    list_display = ["answered_at", "account", "address", "digest"]
    list_select_related = ["account"]
    ordering = ["-id"]


@admin.register(ApiAnswer)
class ApiAnswerAdmin(ReadOnly, AdministratorsOnly, BigTable, PortalAdmin):
    """Answers that repeated calls of the partner API get again."""

    list_display = ["answered_at", "app", "method", "path", "status_shown"]
    list_select_related = ["app"]
    ordering = ["-id"]
    fields = [("answered_at", "app"), ("method", "path"), "status_shown", "answer_shown"]
    readonly_fields = ["answered_at", "app", "method", "path", "status_shown", "answer_shown"]

    @display(description=_("HTTP status"), ordering="status")
    def status_shown(self, answer: ApiAnswer) -> str:
        """The status we answered with."""
        return badge(answer.status, "success" if answer.status < 400 else "danger")

    @display(description=_("answer"))
    def answer_shown(self, answer: ApiAnswer) -> str:
        """The answer; names of customers masked."""
        return pre(masked_json(answer.answer))


@admin.register(SignatureSeen)
class SignatureSeenAdmin(ReadOnly, AdministratorsOnly, BigTable, PortalAdmin):
    """Moments of revision 3's signature that have been used."""

    list_display = ["seen_at", "account", "signed_at", "digest"]
    list_select_related = ["account"]
    ordering = ["-id"]


@admin.register(AccountState)
class AccountStateAdmin(ReadOnly, AdministratorsOnly, PortalAdmin):
    """How it goes with each dfire account."""

    list_display = ["account", "running", "stopped_at", "stop_code", "stop_message", "last_answer_at"]
    list_select_related = ["account"]
    ordering = ["account"]

    @display(description=_("state"))
    def running(self, state: AccountState) -> str:
        """Whether calls go out."""
        return how_it_runs(state)
