"""What staff do with several templates at once: one call of a service for each, and a word on what came of them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from coupons import templates
from coupons.admin.doing import do_each
from coupons.models import CouponTemplate
from merchants.admin.dialogs import confirm


class TemplateListActions:
    """The actions on the list of templates."""

    actions = ("publish_selected", "pause_selected", "end_selected")

    @admin.action(description=_("Publish the selected"), permissions=["publish"])
    def publish_selected(self, request: HttpRequest, queryset: QuerySet[CouponTemplate]) -> None:
        """Publish drafts, resume paused ones."""
        self._do_selected(request, queryset, lambda one: templates.publish(one, by=request.user))

    @admin.action(description=_("Pause the selected"), permissions=["publish"])
    def pause_selected(self, request: HttpRequest, queryset: QuerySet[CouponTemplate]) -> None:
        """Pause published ones."""
        self._do_selected(request, queryset, templates.pause)

    @admin.action(description=_("End the selected for good"), permissions=["publish"])
    def end_selected(self, request: HttpRequest, queryset: QuerySet[CouponTemplate]) -> HttpResponse | None:
        """End published and paused ones, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("End these templates for good?"),
            warning=gettext("No more coupons can ever be issued of them. What is out stays valid."),
            submit=gettext("End for good"),
        )  # fmt: skip
        if asked is None:
            self._do_selected(request, queryset, templates.end)
        return asked

    def _do_selected(self, request: HttpRequest, queryset: QuerySet[CouponTemplate], service: Any) -> None:
        done = do_each(request, queryset.order_by("pk"), service)
        if done:
            words = ngettext("%(count)s template done.", "%(count)s templates done.", done)
            messages.success(request, words % {"count": done})
