"""What staff do with a comparison and its findings; `integrations.reconcile` does it, here it is asked for and told."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from integrations.admin.reconcile_forms import AcceptKindForm, ConfirmForm, RepairKindForm, RunForm
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import Drift, FindingState, RunState
from integrations.reconcile import deciding, runs
from integrations.reconcile.runs import RunRefused
from integrations.reconcile.words import describe
from merchants.admin.dialogs import MOST_AT_ONCE, confirm, dialog, go_to
from merchants.admin.noting import note

CHANGE = "integrations.change_reconciliation"
_DECIDABLE = (RunState.PLANNED, RunState.NEEDS_CONFIRMATION)


def may_decide(request: HttpRequest) -> bool:
    """Whether the user may compare, repair and accept."""
    return request.user.has_perm(CHANGE)


def refused(request: HttpRequest, service: Callable[[], Any]) -> bool:
    """Call a service; say it in words where it refuses. Returns whether it did."""
    try:
        service()
    except RunRefused as refusal:
        messages.error(request, describe(refusal.reason))
        return True
    return False


def decided(request: HttpRequest, run: Reconciliation, chosen: QuerySet[Finding], decide: Any) -> int | None:
    """Decide about findings of one run. Returns about how many; None, after saying why, if it was refused."""
    counts: list[int] = []
    if refused(request, lambda: counts.append(decide(run, chosen, by=request.user))):
        return None
    return counts[0]


class RunActions:
    """The buttons on a comparison's page, each only where it can be done."""

    actions_detail = ("confirm_plan", "repair_kind", "accept_kind", "go_on", "cancel_run")
    visible_or_404: Any
    log_change: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the run's state."""
        run = self.visible_or_404(request, object_id)
        names: set[str] = set()
        if run.state == RunState.NEEDS_CONFIRMATION:
            names.add("confirm_plan")
        if run.state in _DECIDABLE:
            open_ones = Finding.objects.filter(run=run, state=FindingState.OPEN)
            names |= {"accept_kind"} if open_ones.exists() else set()
            repairable = run.state == RunState.PLANNED and open_ones.exclude(repair="").exists()
            names |= {"repair_kind"} if repairable else set()
        names |= {"cancel_run"} if run.state == RunState.RUNNING else set()
        names |= {"go_on"} if run.state in (RunState.FAILED, RunState.CANCELLED) else set()
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Confirm the plan"), url_path="confirm", permissions=["decide"], icon="gpp_maybe",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Confirm this plan?"),
            _("It takes back unusually many coupons. A wrong account or a restored database looks like this too."),
            _("Confirm"),
            ConfirmForm,
        ),
    )  # fmt: skip
    def confirm_plan(self, request: HttpRequest, form: ConfirmForm, object_id: str) -> HttpResponse:
        """Let the plan be repaired from."""
        run = self.visible_or_404(request, object_id)
        read = form.cleaned_data["withdrawals"]
        with transaction.atomic():
            if not refused(request, lambda: runs.confirm(run, by=request.user, withdrawals=read)):
                self._done(request, run, _("Confirmed: %(count)s are taken back."), count=read)
        return go_to(request, run)

    @action(
        description=_("Repair"), url_path="repair", permissions=["decide"], icon="build",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Repair all of a kind?"),
            _("Each is looked at once more and then told to dfire through the outbox."),
            _("Repair all"),
            RepairKindForm,
        ),
    )  # fmt: skip
    def repair_kind(self, request: HttpRequest, form: RepairKindForm, object_id: str) -> HttpResponse:
        """Have all of a class repaired."""
        return self._decide(request, object_id, form.cleaned_data["kind"], deciding.repair, _("to be repaired"))

    @action(
        description=_("Accept"), url_path="accept", permissions=["decide"], icon="done_all",
        dialog=dialog(
            _("Accept all of a kind?"),
            _("Nothing is changed, neither here nor at dfire. The next comparison finds it again."),
            _("Accept all"),
            AcceptKindForm,
        ),
    )  # fmt: skip
    def accept_kind(self, request: HttpRequest, form: AcceptKindForm, object_id: str) -> HttpResponse:
        """Leave all of a class as it is."""
        return self._decide(request, object_id, form.cleaned_data["kind"], deciding.accept, _("accepted"))

    @action(
        description=_("Cancel"), url_path="cancel", permissions=["decide"], icon="cancel",
        dialog=dialog(
            _("Stop comparing?"),
            _("What has been found stays to look at. It can go on later."),
            _("Stop comparing"),
            RunForm,
        ),
    )  # fmt: skip
    def cancel_run(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Stop comparing."""
        run = self.visible_or_404(request, object_id)
        with transaction.atomic():
            if not refused(request, lambda: runs.cancel(run)):
                self._done(request, run, _("Stopped."))
        return go_to(request, run)

    @action(
        description=_("Go on"), url_path="go-on", permissions=["decide"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(_("Go on comparing?"), _("It goes on where it stood."), _("Go on"), RunForm),
    )  # fmt: skip
    def go_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Go on where it stood."""
        run = self.visible_or_404(request, object_id)
        with transaction.atomic():
            if not refused(request, lambda: runs.go_on(run)):
                self._done(request, run, _("It goes on."))
        return go_to(request, run)

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may decide."""
        return may_decide(request)

    def _decide(self, request: HttpRequest, object_id: str, kind: str, decide: Any, words: Any) -> HttpResponse:
        run = self.visible_or_404(request, object_id)
        with transaction.atomic():
            count = decided(request, run, Finding.objects.filter(run=run, kind=kind), decide)
            if count is not None:
                said = {"kind": Drift(kind).label, "count": count, "words": words}
                self._done(request, run, _("%(kind)s: %(count)s %(words)s."), **said)
        return go_to(request, run)

    def _done(self, request: HttpRequest, run: Reconciliation, words: Any, /, **facts: Any) -> None:
        """Say it, and keep who did it: in the transaction in which it is done."""
        note(request, run, words, **facts)
        messages.success(request, words % facts if facts else words)


class FindingActions:
    """The buttons on an open finding's page, and the actions on the list."""

    actions = ("repair_selected", "accept_selected")
    actions_detail = ("repair_one", "accept_one")
    visible_or_404: Any
    log_change: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense for the finding and its run."""
        finding = self.visible_or_404(request, object_id)
        names: set[str] = set()
        if finding.state == FindingState.OPEN and finding.run.state in _DECIDABLE:
            names.add("accept_one")
            if finding.repair and finding.run.state == RunState.PLANNED:
                names.add("repair_one")
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Repair"), url_path="repair", permissions=["decide"], icon="build",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Repair this?"), _("It is looked at once more and then told to dfire through the outbox."), _("Repair")
        ),
    )  # fmt: skip
    def repair_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Have this one repaired."""
        finding = self.visible_or_404(request, object_id)
        self._decide(request, Finding.objects.filter(pk=finding.pk), deciding.repair, _("to be repaired"))
        return go_to(request, finding)

    @action(
        description=_("Accept"), url_path="accept", permissions=["decide"], icon="done_all",
        dialog=dialog(
            _("Accept this?"),
            _("Nothing is changed, neither here nor at dfire. The next comparison finds it again."),
            _("Accept"),
        ),
    )  # fmt: skip
    def accept_one(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Leave this one as it is."""
        finding = self.visible_or_404(request, object_id)
        self._decide(request, Finding.objects.filter(pk=finding.pk), deciding.accept, _("accepted"))
        return go_to(request, finding)

    @admin.action(description=_("Repair the selected"), permissions=["decide"])
    def repair_selected(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse | None:
        """Have the selected repaired, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("Repair these?"),
            warning=gettext("Each is looked at once more and then told to dfire through the outbox."),
            submit=gettext("Repair"),
        )  # fmt: skip
        if asked is None:
            self._decide(request, queryset, deciding.repair, _("to be repaired"))
        return asked

    @admin.action(description=_("Accept the selected"), permissions=["decide"])
    def accept_selected(self, request: HttpRequest, queryset: QuerySet[Finding]) -> HttpResponse | None:
        """Leave the selected as they are, after asking."""
        asked = confirm(
            self, request, queryset,
            title=gettext("Accept these?"),
            warning=gettext("Nothing is changed, neither here nor at dfire. The next comparison finds it again."),
            submit=gettext("Accept"),
        )  # fmt: skip
        if asked is None:
            self._decide(request, queryset, deciding.accept, _("accepted"))
        return asked

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may decide."""
        return may_decide(request)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Finding], decide: Any, words: Any) -> None:
        """Decide run by run: each plan stands for itself."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
        done = 0
        for run in Reconciliation.objects.filter(findings__in=ids).distinct().order_by("pk"):
            with transaction.atomic():
                if count := decided(request, run, Finding.objects.filter(pk__in=ids, run=run), decide):
                    done += count
                    note(request, run, _("%(words)s: %(count)s"), words=words, count=count)
        if done:
            said = ngettext("%(count)s finding: %(words)s", "%(count)s findings: %(words)s", done)
            messages.success(request, said % {"count": done, "words": words})
        if done < len(ids):
            left = gettext("%(count)s left as they are: decided already, without a repair, or not to be decided now.")
            messages.warning(request, left % {"count": len(ids) - done})
