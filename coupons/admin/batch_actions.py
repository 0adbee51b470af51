"""The buttons on a batch's page, each only where it can be pressed, and each one call of a service."""

from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons import batches
from coupons.admin.approval_words import waits
from coupons.admin.approving import act_or_ask, go_on
from coupons.admin.batch_files import may_take_away, turned_down
from coupons.admin.batch_forms import RecallForm, ResumeForm, StartForm
from coupons.admin.batch_limit import too_many_for
from coupons.admin.doing import do
from coupons.approvals import asking
from coupons.choices import ApprovalAct, BatchKind, BatchState
from coupons.models import Batch, CouponTemplate
from merchants.admin.dialogs import dialog, go_to

ISSUE = "coupons.issue_batch"
RECALL = "coupons.recall_batch"


class BatchActions:
    """Start, pause, resume, cancel, recall, and the file of those who got none."""

    actions_detail = ("start", "pause", "resume", "failed_rows", "recall", "cancel")
    offered: ClassVar[dict[str, tuple[BatchState, ...]]] = {
        "start": (BatchState.READY,),
        "pause": (BatchState.RUNNING,),
        "resume": (BatchState.PAUSED,),
        "cancel": (BatchState.CHECKING, BatchState.READY, BatchState.RUNNING, BatchState.PAUSED),
    }
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the batch's state, of a kind that the user may do."""
        batch: Batch = self.visible_or_404(request, object_id)
        names = {name for name, states in self.offered.items() if batch.state in states}
        if not self._may(request, batch) or (batch.state == BatchState.READY and not batch.total):
            names -= {"start", "pause", "resume"}
        if not self._may(request, batch):
            names.discard("cancel")
        if (batch.bad or batch.refused) and may_take_away(request, batch):
            names.add("failed_rows")
        over = batch.state in (BatchState.DONE, BatchState.CANCELLED)
        if (
            batch.kind == BatchKind.ISSUE
            and over
            and batches.outstanding(template=batch.template, batch=batch).exists()
        ):
            names.add("recall")
        if waits(ApprovalAct.ISSUE, batch=batch):
            names -= {"start", "resume"}
        if waits(ApprovalAct.RECALL, batch=batch):
            names.discard("recall")
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Start"), url_path="start", permissions=["steer"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Issue these coupons?"),
            _("They are valid at once and go to dfire behind it. You can pause and cancel at any time."),
            _("Issue"), StartForm,
        ),
    )  # fmt: skip
    def start(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Begin to issue, as many as the user may at once."""
        batch = self.visible_or_404(request, object_id)
        if self._may(request, batch) and (why := too_many_for(request, batch.total)):
            messages.error(request, why)
            return go_to(request, batch)
        return self._go(request, form, batch, batches.start, _("Started."))

    @action(
        description=_("Pause"), url_path="pause", permissions=["steer"], icon="pause",
        dialog=dialog(_("Pause this batch?"), _("What is done stays done. Resume it whenever you like."), _("Pause")),
    )  # fmt: skip
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Hold it."""
        return self._do(request, object_id, batches.pause, _("Paused."))

    @action(
        description=_("Resume"), url_path="resume", permissions=["steer"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Resume this batch?"), _("It goes on where it was held; nobody gets two."), _("Resume"), ResumeForm
        ),
    )  # fmt: skip
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Go on."""
        return self._go(request, form, self.visible_or_404(request, object_id), batches.resume, _("Resumed."))

    @action(
        description=_("Cancel the batch"), url_path="cancel", permissions=["steer"], icon="stop_circle",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Cancel this batch for good?"),
            _("It ends where it is. What has been done stays done: coupons that are out can be recalled afterwards."),
            _("Cancel the batch"),
        ),
    )  # fmt: skip
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """End it where it is."""
        return self._do(request, object_id, batches.cancel, _("Cancelled."))

    @action(
        description=_("Recall"), url_path="recall", permissions=["recall"], icon="undo",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Recall the coupons of this batch?"),
            _("They are invalid at once, one after the other, and are withdrawn at dfire. This cannot be undone."),
            _("Recall"), RecallForm,
        ),
    )  # fmt: skip
    def recall(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take back what is out of it, as a batch of its own."""
        batch = self.visible_or_404(request, object_id)
        return recall(request, form, batch.template, batch)

    @action(description=_("Rows without a coupon"), url_path="failed", permissions=["view"], icon="download")
    def failed_rows(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """The rows that got none, with the reasons, as a file that can be mended and sent again."""
        batch = self.visible_or_404(request, object_id)
        if not may_take_away(request, batch):
            raise PermissionDenied
        return turned_down(request, batch)

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may steer batches of any kind; `_may` looks at the kind."""
        return request.user.has_perm(ISSUE) or request.user.has_perm(RECALL)

    def has_recall_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may recall."""
        return request.user.has_perm(RECALL)

    def _may(self, request: HttpRequest, batch: Batch) -> bool:
        return request.user.has_perm(ISSUE if batch.kind == BatchKind.ISSUE else RECALL)

    def _go(self, request: HttpRequest, form: Any, batch: Batch, service: Any, done: Any) -> HttpResponse:
        """Start or resume, or ask a second person for it."""
        if not self._may(request, batch):
            return HttpResponse(status=403)
        came_of_it = act_or_ask(
            request, form,
            act=lambda: service(batch, by=request.user),
            ask=lambda why: asking.ask_to_issue(batch, by=request.user, reason=why),
            done=str(done),
        )  # fmt: skip
        return go_on(request, came_of_it, batch)

    def _do(self, request: HttpRequest, object_id: str, service: Any, done: Any) -> HttpResponse:
        batch = self.visible_or_404(request, object_id)
        if not self._may(request, batch):
            return HttpResponse(status=403)
        do(request, lambda: service(batch), done=str(done))
        return go_to(request, batch)


def recall(
    request: HttpRequest, form: RecallForm, template: CouponTemplate, batch: Batch | None = None
) -> HttpResponse:
    """Take back what is out of the template or of one of its batches, or ask a second person for it."""
    reason, begun = form.cleaned_data["reason"], list[Batch]()
    came_of_it = act_or_ask(
        request, form,
        act=lambda: begun.append(batches.begin_recall(template, batch=batch, reason=reason, by=request.user)),
        ask=lambda why: asking.ask_to_recall(template, batch=batch, by=request.user, reason=why),
        done=gettext("The recall has begun."),
    )  # fmt: skip
    return go_on(request, came_of_it, begun[0] if begun else batch or template)
