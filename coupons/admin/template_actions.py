"""What staff do with a template besides editing it: every action is one call of a service, asked for in a dialog."""

from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons import templates
from coupons.admin import template_dialogs as dialogs
from coupons.admin.approval_words import waits
from coupons.admin.approving import act_or_ask, go_on
from coupons.admin.copying import draft_copy
from coupons.admin.customer_forms import IssueForm
from coupons.admin.doing import do
from coupons.admin.template_at_dfire import TemplateAtDfire
from coupons.approvals import asking
from coupons.choices import ApprovalAct, CouponStatus, TemplateStatus
from coupons.models import CouponTemplate
from merchants.admin.dialogs import ask_again, go, go_to

PUBLISH = "coupons.publish_coupontemplate"
ISSUE = "coupons.issue_issuedcoupon"


class TemplateActions(TemplateAtDfire):
    """The buttons on a template's page, each only where it can be done."""

    actions_detail = (
        "issue_one",
        "issue_many",
        "publish",
        "resume",
        "pause",
        {
            "title": _("More"),
            "icon": "more_horiz",
            "items": ["duplicate", "sync_now", "compare", "recall_all", "end", "remove"],
        },
    )
    offered: ClassVar[dict[str, set[TemplateStatus]]] = {
        "issue_one": {TemplateStatus.PUBLISHED},
        "issue_many": {TemplateStatus.PUBLISHED},
        "publish": {TemplateStatus.DRAFT},
        "resume": {TemplateStatus.PAUSED},
        "pause": {TemplateStatus.PUBLISHED},
        "end": {TemplateStatus.PUBLISHED, TemplateStatus.PAUSED},
        "sync_now": {TemplateStatus.PUBLISHED, TemplateStatus.PAUSED},
        "compare": {TemplateStatus.PUBLISHED, TemplateStatus.PAUSED, TemplateStatus.ENDED},
    }
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the template's state."""
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        template = self.visible_or_404(request, object_id)
        out = template.coupons.filter(status__in=[CouponStatus.ISSUED, CouponStatus.REDEEMING]).exists()
        names = {name for name, states in self.offered.items() if template.status in states} | {"duplicate"}
        names.add("recall_all" if out else "remove")
        if waits(ApprovalAct.PUBLISH, template=template):
            names -= {"publish", "resume"}
        if waits(ApprovalAct.RECALL, template=template, batch=None):
            names.discard("recall_all")
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Issue a coupon"),
        url_path="issue",
        permissions=["issue"],
        icon="add_card",
        dialog=dialogs.ISSUE,
    )
    def issue_one(self, request: HttpRequest, form: IssueForm, object_id: str) -> HttpResponse:
        """Give one coupon to one customer."""
        template = self.visible_or_404(request, object_id)
        coupon = form.issue(template, by=request.user)
        if coupon is None:
            return ask_again(request, form, dialogs.ISSUE)
        messages.success(request, gettext("Coupon %(code)s has been issued.") % {"code": coupon.code})
        return go_to(request, coupon)

    @action(
        description=_("Publish"), url_path="publish", permissions=["publish"], icon="publish",
        variant=ActionVariant.PRIMARY,
        dialog=dialogs.PUBLISH,
    )  # fmt: skip
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Open a draft for issuing."""
        return self._open(request, form, object_id, _("Published."))

    @action(
        description=_("Resume"), url_path="resume", permissions=["publish"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialogs.RESUME,
    )  # fmt: skip
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Open a paused template again."""
        return self._open(request, form, object_id, _("Resumed."))

    @action(
        description=_("Pause"), url_path="pause", permissions=["publish"], icon="pause",
        dialog=dialogs.PAUSE,
    )  # fmt: skip
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Stop issuing for a while."""
        return self._do(request, object_id, templates.pause, _("Paused."))

    @action(
        description=_("End"), url_path="end", permissions=["publish"], icon="stop_circle", variant=ActionVariant.DANGER,
        dialog=dialogs.END,
    )  # fmt: skip
    def end(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Stop issuing for good."""
        return self._do(request, object_id, templates.end, _("Ended."))

    @action(
        description=_("Duplicate"), url_path="duplicate", permissions=["duplicate"], icon="content_copy",
        dialog=dialogs.DUPLICATE,
    )  # fmt: skip
    def duplicate(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Start the next template from this one."""
        template = self.visible_or_404(request, object_id)
        copies: list[CouponTemplate] = []
        if not do(request, lambda: copies.append(draft_copy(template)), done=gettext("This is the copy, a draft.")):
            return go_to(request, template)
        return go_to(request, copies[0])

    @action(
        description=_("Delete"), url_path="remove", permissions=["remove"], icon="delete",
        variant=ActionVariant.DANGER,
        dialog=dialogs.REMOVE,
    )  # fmt: skip
    def remove(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Delete a template nobody holds a coupon of."""
        template = self.visible_or_404(request, object_id)
        if not do(request, lambda: templates.delete(template), done=gettext("Deleted.")):
            return go_to(request, template)
        if CouponTemplate.objects.filter(pk=template.pk).exists():
            messages.info(request, gettext("Used coupons keep it as history: it is ended."))
            return go_to(request, template)
        return go(request, reverse("admin:coupons_coupontemplate_changelist"))

    # Actions name these methods, not permissions with a dot: for those Unfold's check asks the database, which has no
    # tables yet when `migrate` runs the checks.
    def has_duplicate_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may make a copy."""
        return self.has_add_permission(request)  # type: ignore[attr-defined]

    def has_remove_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may delete, here and at dfire."""
        return request.user.has_perm("coupons.delete_coupontemplate")

    def has_issue_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may issue."""
        return request.user.has_perm(ISSUE)

    def has_publish_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may publish, pause and end."""
        return request.user.has_perm(PUBLISH)

    def _open(self, request: HttpRequest, form: Any, object_id: str, done: Any) -> HttpResponse:
        """Publish or resume, or ask a second person for it."""
        template = self.visible_or_404(request, object_id)
        came_of_it = act_or_ask(
            request, form,
            act=lambda: templates.publish(template, by=request.user),
            ask=lambda why: asking.ask_to_publish(template, by=request.user, reason=why),
            done=str(done),
        )  # fmt: skip
        return go_on(request, came_of_it, template)

    def _do(self, request: HttpRequest, object_id: str, service: Any, done: Any) -> HttpResponse:
        template = self.visible_or_404(request, object_id)
        do(request, lambda: service(template), done=str(done))
        return go_to(request, template)
