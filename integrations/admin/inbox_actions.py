"""What staff do with callbacks that are still open: try again, or say that it has been settled by hand."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations import inbox
from integrations.models import DfireCallback
from integrations.models.inbox import OPEN_STATES
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go_to

CHANGE = "integrations.change_dfirecallback"


def try_again(callback_id: int) -> bool:
    """Apply an open callback under its lock. Returns whether it is settled now."""
    with transaction.atomic():
        open_ones = DfireCallback.objects.select_for_update(no_key=True).filter(state__in=OPEN_STATES)
        callback = open_ones.filter(pk=callback_id).first()
        return callback is not None and inbox.apply(callback) not in OPEN_STATES


class CallbackActions:
    """The buttons on an open callback's page, and the actions on the list."""

    actions = ("try_selected", "settle_selected")
    actions_detail = ("try_one", "settle_one")
    visible_or_404: Any
    log_change: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Settled ones need nothing more."""
        callback = self.visible_or_404(request, object_id)
        return super().get_actions_detail(request, object_id) if callback.state in OPEN_STATES else []  # type: ignore[misc]

    @action(
        description=_("Try again"), url_path="try", permissions=["settle"], icon="replay",
        dialog=dialog(_("Try this again now?"), _("The coupon is redeemed if the code fits one."), _("Try again")),
    )  # fmt: skip
    def try_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Apply the callback now."""
        callback = self.visible_or_404(request, object_id)
        if try_again(callback.pk):
            messages.success(request, gettext("Applied."))
        else:
            messages.warning(request, gettext("It still fits no coupon."))
        return go_to(request, callback)

    @action(
        description=_("Settled by hand"), url_path="settle", permissions=["settle"], icon="task_alt",
        dialog=dialog(
            _("Have you settled this?"), _("It is not tried any more. No coupon changes."), _("Yes, settled")
        ),
    )  # fmt: skip
    def settle_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take the callback off the list of open ones."""
        callback = self.visible_or_404(request, object_id)
        if inbox.settle_by_hand(callback):
            self.log_change(request, callback, gettext("Settled by hand."))
            messages.success(request, gettext("Settled by hand."))
        else:
            messages.warning(request, gettext("It had been settled already."))
        return go_to(request, callback)

    @admin.action(description=_("Try the selected again"), permissions=["settle"])
    def try_selected(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> None:
        """Apply open ones now."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
        done = sum(try_again(pk) for pk in ids)
        words = ngettext(
            "%(count)s applied, %(left)s still open or settled before.",
            "%(count)s applied, %(left)s still open or settled before.",
            done,
        )
        messages.info(request, words % {"count": done, "left": len(ids) - done})

    @admin.action(description=_("The selected are settled by hand"), permissions=["settle"])
    def settle_selected(self, request: HttpRequest, queryset: QuerySet[DfireCallback]) -> HttpResponse | None:
        """Take them off the list of open ones, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("Have you settled these?"),
            warning=gettext("They are not tried any more. No coupon changes."),
            submit=gettext("Yes, settled"),
        )  # fmt: skip
        if asked is None:
            done = sum(inbox.settle_by_hand(callback) for callback in queryset[:MOST_AT_ONCE])
            messages.success(request, ngettext("%(count)s settled.", "%(count)s settled.", done) % {"count": done})
        return asked

    def has_settle_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may settle callbacks."""
        return request.user.has_perm(CHANGE)
