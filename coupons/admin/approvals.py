"""Requests for a second person: the list of what waits and what was decided, and the page that one is decided on."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons.admin.approval_actions import ApprovalActions
from coupons.admin.approval_content import content_of, standing_of
from coupons.admin.approval_words import approvers_words, decided_words, numbers_words, state_badge
from coupons.admin.wording import moment, moment_text
from coupons.approvals import lapsing, people
from coupons.choices import ApprovalState, Lapse
from coupons.models import Approval
from merchants.admin.badges import notice, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import shown_text
from merchants.rights import APPROVE, has_right


@admin.register(Approval)
class ApprovalAdmin(ApprovalActions, ReadOnly, BigTable, ScopedAdmin):
    """The newest first; what waits is marked in the sidebar for whoever may decide it."""

    list_display = [
        "act_shown", "state_shown", "numbers_shown", "merchant", "requested_by", "requested_at", "decided_by",
    ]  # fmt: skip
    list_display_links = ["act_shown"]
    list_select_related = ["merchant", "requested_by", "decided_by"]
    list_filter = [
        ("state", ChoicesDropdownFilter),
        ("act", ChoicesDropdownFilter),
        ("merchant", OwnRelatedFilter),
    ]
    search_fields = ["subject"]
    search_help_text = _("Name of the template or the batch")
    ordering = ["-id"]
    fields = [
        "notice_shown", ("act", "state_shown"), "content_shown", ("template_shown", "merchant"), "batch_shown",
        ("asked_shown", "reason_shown"), ("decided_shown", "note_shown"),
    ]  # fmt: skip
    readonly_fields = [
        "notice_shown", "act", "state_shown", "content_shown", "template_shown", "merchant", "batch_shown",
        "asked_shown", "reason_shown", "decided_shown", "note_shown",
    ]  # fmt: skip
    empty_hint = _("What is above the limits of one person is asked for where it is done, and waits here.")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may approve can read what to."""
        return super().has_view_permission(request, obj) or has_right(request.user, APPROVE)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same, for the lists of pages."""
        return self.has_view_permission(request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        """With what they are about."""
        found: QuerySet[Approval] = super().get_queryset(request)
        return found.select_related("template", "batch", "merchant", "requested_by", "decided_by", "begun")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The request, which remembers who looks at it; what has waited too long lapses by being looked at."""
        approval: Any = super().get_object(request, object_id, from_field)
        if approval is not None:
            if approval.state == ApprovalState.WAITING and approval.expires_at <= timezone.now():
                lapsing.lapse(approval, Lapse.TOO_OLD)
            approval.viewer = request
        return approval

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Boxes stand where there is something to say."""
        hidden = set()
        if obj is not None and obj.state == ApprovalState.WAITING:
            hidden |= {"decided_shown", "note_shown"}
        elif obj is not None:
            hidden |= {"notice_shown"} | (set() if obj.note else {"note_shown"})
        if obj is not None and obj.batch is None and obj.begun is None:
            hidden.add("batch_shown")
        rows = [
            tuple(one for one in row if one not in hidden) if isinstance(row, tuple) else row for row in self.fields
        ]
        return [row for row in rows if row and row not in hidden]

    def outdated(self, approval: Approval) -> Lapse | None:
        """Why a waiting request could not be carried out as it was asked for, as far as can be seen without locks."""
        if approval.state != ApprovalState.WAITING:
            return None
        if approval.template is None:
            return Lapse.NOTHING_LEFT
        if not people.still_may(approval):
            return Lapse.REQUESTER
        return standing_of(approval).lapse

    @display(description=_("what is asked for"), ordering="act")
    def act_shown(self, approval: Approval) -> str:
        """What, and about what."""
        return format_html(
            '<span class="portal-two-lines">{}<small>{}</small></span>', approval.get_act_display(), approval.subject
        )

    @display(description=_("state"), ordering="state")
    def state_shown(self, approval: Approval) -> str:
        """The state as a badge."""
        return state_badge(approval)

    @display(description=_("numbers"))
    def numbers_shown(self, approval: Approval) -> str:
        """How many coupons, and what they are worth."""
        return numbers_words(approval)

    @display(description=_("what is to be done"))
    def notice_shown(self, approval: Any) -> str:
        """What the page wants of whoever looks at it."""
        if why := self.outdated(approval):
            words = gettext("It cannot be approved any more. %(why)s") % {"why": why.label}
            return notice(words, "danger")
        until = gettext("It lapses at %(at)s.") % {"at": moment_text(approval.expires_at)}
        if people.may_decide(approval.viewer.user, approval):
            return notice(f"{gettext('Read what would happen, then approve or refuse it above.')} {until}")
        who = approvers_words(approval.merchant, approval.requested_by)
        return notice(f"{gettext('It waits for a second person.')} {who} {until}", "info")

    @display(description=_("what would happen"))
    def content_shown(self, approval: Any) -> str:
        """Numbers, terms, changes and the first rows, as they were asked for."""
        context = content_of(approval, approval.viewer)
        return mark_safe(render_to_string("admin/coupons/approval/content.html", context))  # nosec B308 B703 # a template's output, escaped there

    @display(description=_("template"))
    def template_shown(self, approval: Approval) -> str:
        """A link to the template, or its name where it is gone."""
        return page_of(approval.template) if approval.template else approval.subject

    @display(description=_("batch"))
    def batch_shown(self, approval: Approval) -> str:
        """The batch that it is about, and the recall that it began."""
        links = [page_of(one) for one in (approval.batch, approval.begun) if one is not None]
        return format_html(" → ".join("{}" for _link in links), *links)

    @display(description=_("asked by"))
    def asked_shown(self, approval: Approval) -> str:
        """By whom, and when."""
        return format_html("{} · {}", approval.requested_by, moment(approval.requested_at))

    @display(description=_("reason"))
    def reason_shown(self, approval: Any) -> str:
        """Why it is asked for."""
        return shown_text(approval.viewer, approval.reason)

    @display(description=_("decided"))
    def decided_shown(self, approval: Approval) -> str:
        """By whom and when, or why it fell away."""
        return decided_words(approval)

    @display(description=_("note"))
    def note_shown(self, approval: Any) -> str:
        """What whoever decided had to say."""
        return shown_text(approval.viewer, approval.note)
