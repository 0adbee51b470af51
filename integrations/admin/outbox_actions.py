"""What staff do with rows that failed: retry after mending the cause, or give up (`integrations.outbox.repair`)."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import repair
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go_to

CHANGE = "integrations.change_outboxrow"


class RowActions:
    """The buttons on a failed row's page, and the actions on the list."""

    actions = ("retry_selected", "cancel_selected")
    actions_detail = ("retry_one", "cancel_one")
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the row's state."""
        row = self.visible_or_404(request, object_id)
        names = {"retry_one"} if row.state in repair.RETRIABLE else set()
        names |= {"cancel_one"} if row.state == RowState.DEAD else set()
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Retry"), url_path="retry", permissions=["repair"], icon="replay",
        dialog=dialog(_("Try this again?"), _("First mend what its message names."), _("Retry")),
    )  # fmt: skip
    def retry_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the row again."""
        row = self.visible_or_404(request, object_id)
        self._tell(request, repair.retry([row]), 1, _("Queued again."))
        return go_to(request, row)

    @action(
        description=_("Give up"), url_path="cancel", permissions=["repair"], icon="cancel",
        dialog=dialog(_("Give this up?"), _("dfire is not told. You can still retry it later."), _("Give up")),
    )  # fmt: skip
    def cancel_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Give the row up."""
        row = self.visible_or_404(request, object_id)
        self._tell(request, repair.cancel([row]), 1, _("Given up."))
        return go_to(request, row)

    @admin.action(description=_("Retry the selected"), permissions=["repair"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[OutboxRow]) -> None:
        """Queue failed rows again."""
        rows = list(queryset.order_by("pk")[:MOST_AT_ONCE])
        self._tell(request, repair.retry(rows), len(rows), _("Queued again."))

    @admin.action(description=_("Give the selected up"), permissions=["repair"])
    def cancel_selected(self, request: HttpRequest, queryset: QuerySet[OutboxRow]) -> HttpResponse | None:
        """Give failed rows up, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("Give these up?"),
            warning=gettext("dfire is not told of them. You can still retry them later."),
            submit=gettext("Give up"),
        )  # fmt: skip
        if asked is None:
            rows = list(queryset.order_by("pk")[:MOST_AT_ONCE])
            self._tell(request, repair.cancel(rows), len(rows), _("Given up."))
        return asked

    def has_repair_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may retry and give up."""
        return request.user.has_perm(CHANGE)

    @staticmethod
    def _tell(request: HttpRequest, done: int, asked: int, words: Any) -> None:
        if done:
            messages.success(
                request,
                ngettext("%(count)s row: %(words)s", "%(count)s rows: %(words)s", done)
                % {"count": done, "words": words},
            )
        if asked > done:
            left = gettext("%(count)s left as they are: not failed, or on their way already.")
            messages.warning(request, left % {"count": asked - done})
