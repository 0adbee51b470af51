"""What staff do with rows that failed: retry after mending the cause, or give up (`integrations.outbox.repair`)."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from integrations.admin.outbox_errors import retry_address, with_error
from integrations.admin.outbox_words import IF_GIVEN_UP
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import repair
from merchants.admin.base import visible_rows
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go, go_to
from merchants.admin.noting import note

CHANGE = "integrations.change_outboxrow"


class GiveUpForm(BaseDialogForm):
    """Says what giving up means for the coupon or the template."""

    form_before_template = "admin/integrations/outboxrow/give_up.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The words for the row's kind, if the user may see it."""
        rows: Any = visible_rows(admin.site, OutboxRow, request)
        row = rows.filter(pk=int(object_id)).first() if object_id and str(object_id).isdecimal() else None
        return {"meaning": IF_GIVEN_UP.get(row.kind, "") if row else ""}


class RowActions:
    """The buttons on a failed row's page, and the actions on the list."""

    actions = ("retry_selected", "cancel_selected")
    actions_detail = ("retry_one", "retry_all_alike", "cancel_one")
    visible_or_404: Any
    get_queryset: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the row's state."""
        row = self.visible_or_404(request, object_id)
        names = {"retry_one"} if row.state in repair.RETRIABLE else set()
        if row.state == RowState.DEAD:
            names.add("cancel_one")
            alike = with_error(self.get_queryset(request), _error_of(row)).exclude(pk=row.pk)
            names |= {"retry_all_alike"} if alike.exists() else set()
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Retry"), url_path="retry", permissions=["repair"], icon="replay",
        dialog=dialog(_("Try this again?"), _("First mend what its message names."), _("Retry")),
    )  # fmt: skip
    def retry_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the row again."""
        row = self.visible_or_404(request, object_id)
        self._done([row], repair.retry, request, _("Queued again."))
        return go_to(request, row)

    @action(
        description=_("Retry all of this error"), url_path="retry-alike", permissions=["repair"], icon="repeat",
    )  # fmt: skip
    def retry_all_alike(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Go to the page that says how many and asks."""
        return go(request, retry_address(_error_of(self.visible_or_404(request, object_id))))

    @action(
        description=_("Give up"), url_path="cancel", permissions=["repair"], icon="cancel",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Give this up?"), _("dfire is not told. You can still retry it later."), _("Give up"), GiveUpForm
        ),
    )  # fmt: skip
    def cancel_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Give the row up."""
        row = self.visible_or_404(request, object_id)
        self._done([row], repair.cancel, request, _("Given up."))
        return go_to(request, row)

    @admin.action(description=_("Retry the selected"), permissions=["repair"])
    def retry_selected(self, request: HttpRequest, queryset: QuerySet[OutboxRow]) -> None:
        """Queue failed rows again."""
        self._done(list(queryset.order_by("pk")[:MOST_AT_ONCE]), repair.retry, request, _("Queued again."))

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
            self._done(list(queryset.order_by("pk")[:MOST_AT_ONCE]), repair.cancel, request, _("Given up."))
        return asked

    def has_repair_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may retry and give up."""
        return request.user.has_perm(CHANGE)

    def _done(self, rows: list[OutboxRow], service: Any, request: HttpRequest, words: Any) -> None:
        """Do it to each row and keep who did it, in one transaction; say how many it was."""
        done = 0
        for row in rows:
            with transaction.atomic():
                if service([row]):
                    done += 1
                    note(request, row, words)
        if done:
            messages.success(
                request,
                ngettext("%(count)s row: %(words)s", "%(count)s rows: %(words)s", done)
                % {"count": done, "words": words},
            )
        if len(rows) > done:
            left = gettext("%(count)s left as they are: not failed, or on their way already.")
            messages.warning(request, left % {"count": len(rows) - done})


def _error_of(row: OutboxRow) -> str:
    return f"{row.last_class}:{row.last_code}"
