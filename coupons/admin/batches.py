"""Batches: the list of what was issued to many or recalled, and the page that shows one at work."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons.admin.approval_words import about_batch, lines
from coupons.admin.batch_actions import BatchActions
from coupons.admin.batch_wording import AT_WORK, STATE_VARIANTS, bar, check_found, next_step, progress_bar
from coupons.admin.wording import moment
from coupons.batches import problem_words
from coupons.choices import BatchKind, BatchState
from coupons.models import Batch
from merchants.admin.badges import badge, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.filters import OwnRelatedFilter, OwnSearchFilter


@admin.register(Batch)
class BatchAdmin(BatchActions, ReadOnly, BigTable, ScopedAdmin):
    """Issuing to many and recalling, the newest first."""

    list_display = ["name_shown", "kind", "template_shown", "merchant", "state_shown", "bar_shown", "by_shown"]
    list_display_links = ["name_shown"]
    list_select_related = ["merchant", "template", "created_by", "recalls"]
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("template", OwnSearchFilter),
    ]
    search_fields = ["name"]
    search_help_text = _("Name of the batch")
    ordering = ["-id"]
    fields = [
        "notice_shown", ("state_shown", "progress_shown"), "check_shown", ("template_shown", "merchant"),
        ("kind", "coupons_shown"), ("by_shown", "created_at"), ("started_shown", "finished_shown"), "until_shown",
        "recalls_shown", "reason", "approvals_shown",
    ]  # fmt: skip
    readonly_fields = [
        "notice_shown", "state_shown", "progress_shown", "check_shown", "template_shown", "merchant", "kind",
        "coupons_shown", "by_shown", "created_at", "started_shown", "finished_shown", "until_shown", "recalls_shown",
        "reason", "approvals_shown",
    ]  # fmt: skip
    empty_hint = _("Open a published template and press “Issue to many” or “Recall all”.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Boxes stand where there is something to say."""
        if obj is None:
            return self.fields
        hidden = {"recalls_shown", "reason"} if obj.kind == BatchKind.ISSUE else {"check_shown", "until_shown"}
        if obj.kind == BatchKind.ISSUE and (obj.state == BatchState.CHECKING or not obj.summary):
            hidden.add("check_shown")
        if not next_step(obj):
            hidden.add("notice_shown")
        if not about_batch(obj).exists():
            hidden.add("approvals_shown")
        return [name for name in self.fields if name not in hidden]

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; its bar asks for it again while it works, and for all of it once it does not."""
        page = super().change_view(request, object_id, *args, **kwargs)
        if request.headers.get("HX-Request") and isinstance(page, TemplateResponse):
            page.render()
            # Asked behind the rendering: a bar that has stopped moving never comes without the page that belongs to it.
            if self.visible_or_404(request, object_id).state not in AT_WORK:
                return HttpResponse(headers={"HX-Refresh": "true"})
        return page

    @display(description=_("batch"), ordering="id")
    def name_shown(self, batch: Batch) -> str:
        """Its name and when it was begun."""
        name = batch.name or gettext("batch %(id)s") % {"id": batch.pk}
        return format_html(
            '<span class="portal-two-lines">{}<small>{}</small></span>', name, moment(batch.created_at)
        )  # fmt: skip

    @display(description=_("template"))
    def template_shown(self, batch: Batch) -> str:
        """A link to the template."""
        return page_of(batch.template)

    @display(description=_("state"), ordering="state")
    def state_shown(self, batch: Batch) -> str:
        """The state as a badge."""
        hint = problem_words(batch.problem) if batch.problem else ""
        return badge(batch.get_state_display(), STATE_VARIANTS[batch.state], hint=hint)

    @display(description=_("progress"))
    def bar_shown(self, batch: Batch) -> str:
        """How far it is."""
        return bar(batch)

    @display(description=_("progress"))
    def progress_shown(self, batch: Batch) -> str:
        """A bar that moves while it works."""
        return progress_bar(batch)

    @display(description=_("what is to be done"))
    def notice_shown(self, batch: Batch) -> str:
        """What the page wants of whoever looks at it."""
        return next_step(batch)

    @display(description=_("what the check found"))
    def check_shown(self, batch: Batch) -> str:
        """The dry run."""
        return check_found(batch)

    @display(description=_("coupons"))
    def coupons_shown(self, batch: Batch) -> str:
        """A link to the coupons that it issued or took back from."""
        shown_batch = batch.recalls_id if batch.kind == BatchKind.RECALL else batch.pk
        coupons = reverse("admin:coupons_issuedcoupon_changelist")
        query = f"batch__id__exact={shown_batch}" if shown_batch else f"template__id__exact={batch.template_id}"
        return format_html('<a href="{}?{}" class="text-link">{}</a>', coupons, query, gettext("show the coupons"))

    @display(description=_("by"))
    def by_shown(self, batch: Batch) -> str:
        """Who wanted it."""
        return str(batch.created_by or "-")

    @display(description=_("second person"))
    def approvals_shown(self, batch: Batch) -> str:
        """Who asked for it and who approved it."""
        return lines(about_batch(batch))

    @display(description=_("started"))
    def started_shown(self, batch: Batch) -> str:
        """When somebody said yes."""
        return moment(batch.started_at)

    @display(description=_("finished"))
    def finished_shown(self, batch: Batch) -> str:
        """When it was done or cancelled."""
        return moment(batch.finished_at)

    @display(description=_("valid until"))
    def until_shown(self, batch: Batch) -> str:
        """The end that the giver named."""
        return moment(batch.valid_until) if batch.valid_until else gettext("as the template says")

    @display(description=_("recalls the batch"))
    def recalls_shown(self, batch: Batch) -> str:
        """A link to what is recalled."""
        return page_of(batch.recalls) if batch.recalls else gettext("everything of the template that is out")
