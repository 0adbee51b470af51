"""The one question before an open template is changed: what stays for those who hold coupons, what new ones get."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import unquote
from django.core.exceptions import NON_FIELD_ERRORS
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext

from coupons.admin.approving import WhyForm, go_on, need_context
from coupons.admin.changes import Change, changes_of, digest
from coupons.admin.doing import do
from coupons.admin.template_form import BACK, NOT_SAVED_YET
from coupons.admin.template_usage import usage_of
from coupons.admin.wording import sentence_of
from coupons.approvals import asking, limits
from coupons.approvals.limits import Need, NeedsApproval
from coupons.choices import TemplateStatus
from coupons.models import Approval, CouponTemplate

CONFIRMED = "_changes_confirmed"
_OPEN = (TemplateStatus.PUBLISHED, TemplateStatus.PAUSED)


class AsksBeforeChanges:
    """Puts the question between the form and the saving. What was typed goes through it and back unchanged."""

    admin_site: Any
    model: Any

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask where an open template would change; save, or show the form, in every other case."""
        if request.method == "POST" and object_id is not None and BACK not in request.POST:
            with transaction.atomic():  # the form looks at what is used of the limits under the template's lock
                question = self._question(request, unquote(object_id))
            if question is not None:
                return question
        try:
            answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[misc]
        except NeedsApproval as needs:  # the limit, or what is stored, has moved since the question
            messages.error(request, needs.message)
            return HttpResponseRedirect(request.get_full_path())
        return answer

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Back from the question the form shows no error but those that were there before."""
        if BACK in request.POST:
            form = context["adminform"].form
            form.errors.pop(NON_FIELD_ERRORS, None)
            context["errors"] = context["errors"] if form.errors else None
            messages.info(request, NOT_SAVED_YET)
        answer: HttpResponse = super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc]
        return answer

    def _question(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        stored = self.get_object(request, object_id)  # type: ignore[attr-defined]
        if stored is None or stored.status not in _OPEN:
            return None
        if not self.has_change_permission(request, stored):  # type: ignore[attr-defined]
            return None
        edited: CouponTemplate = self.get_object(request, object_id)  # type: ignore[attr-defined]
        form = self.get_form(request, edited, change=True)(request.POST, request.FILES, instance=edited)  # type: ignore[attr-defined]
        if not form.is_valid():
            return None
        changes = changes_of(stored, edited)
        confirmed = bool(changes) and request.POST.get(CONFIRMED) == digest(changes)
        need = limits.to_change(stored, edited)
        if need is None:
            return None if not changes or confirmed else self._ask(request, stored, edited, changes)
        why = WhyForm(request.POST if confirmed else None)
        if not why.is_valid():
            return self._ask(request, stored, edited, changes, need=need, why=why)
        reason = why.cleaned_data["reason"]
        made: list[Approval] = []
        do(
            request,
            lambda: made.append(asking.ask_to_change(edited, by=request.user, reason=reason)),
            done=gettext("Nothing has been changed yet: your request waits for a second person."),
        )
        return go_on(request, made[0] if made else False, stored)

    def _ask(
        self,
        request: HttpRequest,
        stored: CouponTemplate,
        edited: CouponTemplate,
        changes: list[Change],
        *,
        need: Need | None = None,
        why: WhyForm | None = None,
    ) -> HttpResponse:
        """The page that asks; where a second person is needed it asks for a reason, too."""
        kept = [
            (name, value)
            for name, values in request.POST.lists()
            for value in values
            if name not in (CONFIRMED, WhyForm.NAME, "csrfmiddlewaretoken")
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": stored,
            "title": gettext("Ask a second person?") if need else gettext("Save these changes?"),
            "template": stored,
            "changes": changes,
            "terms_change": any(change.of_terms for change in changes),
            "usage": usage_of(stored),
            "before": sentence_of(stored.terms(), stored.merchant),
            "after": sentence_of(edited.terms(), edited.merchant),
            "kept": kept,
            "confirmed": CONFIRMED,
            "back": BACK,
            "digest": digest(changes),
            "need": need_context(need, stored.merchant, request) if need else None,
            "why": why,
            "is_popup": IS_POPUP_VAR in request.POST,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/coupons/coupontemplate/changes.html", context)
