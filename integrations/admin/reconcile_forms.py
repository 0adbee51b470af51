"""The dialogs about comparisons: what to compare, which class to decide about, and the question before much is taken.

A dialog is built before its action runs, so each looks for the run among those that the user may see.
"""

from typing import Any

from django import forms
from django.db.models import Count
from django.http import Http404
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminRadioSelectWidget, UnfoldBooleanWidget

from integrations.admin.reconcile_wording import percent
from integrations.models import Finding, Reconciliation
from integrations.models.reconcile import Drift, FindingState, Repair, RunMode
from merchants.scopes import visible_merchants


class CompareForm(BaseDialogForm):
    """Asks whom to compare."""

    mode = forms.ChoiceField(
        label=_("Compare"),
        initial=RunMode.FULL,
        choices=[
            (RunMode.FULL, _("every customer, those at risk first")),
            (RunMode.QUICK, _("customers at risk only, which is quicker")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )


class RunForm(BaseDialogForm):
    """A form about a run that the user may see."""

    run: Reconciliation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Reconciliation.objects.filter(merchant__in=visible_merchants(self.request.user))
        found = own.filter(pk=self.object_id).first() if str(self.object_id).isdecimal() else None
        if found is None:
            raise Http404
        self.run = found


class ConfirmForm(RunForm):
    """Names what the plan takes back; the number that was read is sent along."""

    withdrawals = forms.IntegerField(widget=forms.HiddenInput)
    sure = forms.BooleanField(
        widget=UnfoldBooleanWidget, error_messages={"required": _("Tick this only if the number is what you expect.")}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["withdrawals"] = self.run.withdrawals
        numbers = {"taken": self.run.withdrawals, "all": self.run.outstanding, "percent": percent(self.run)}
        words = gettext("Take back %(taken)s of %(all)s coupons outstanding at dfire (%(percent)s%%)")
        self.fields["sure"].label = words % numbers


class _KindForm(RunForm):
    """Asks for a class of findings, naming how many are open."""

    kind = forms.ChoiceField(label=_("Which"), widget=UnfoldAdminRadioSelectWidget)
    repairable = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Finding.objects.filter(run=self.run, state=FindingState.OPEN)
        if self.repairable:
            rows = rows.exclude(repair="")
        counted = rows.order_by("kind").values_list("kind", "repair").annotate(count=Count("pk"))
        field: Any = self.fields["kind"]
        field.choices = self._choices(list(counted))

    def _choices(self, counted: list[tuple[str, str, int]]) -> list[tuple[str, str]]:
        if self.repairable:
            return [(kind, f"{_label(kind)} ({count}) → {_repair(repair)}") for kind, repair, count in counted]
        sums: dict[str, int] = {}
        for kind, _repair_of, count in counted:
            sums[kind] = sums.get(kind, 0) + count
        return [(kind, f"{_label(kind)} ({count})") for kind, count in sums.items()]


class RepairKindForm(_KindForm):
    """Which class is repaired."""

    repairable = True


class AcceptKindForm(_KindForm):
    """Which class is accepted."""


def _label(kind: str) -> str:
    return str(Drift(kind).label)


def _repair(repair: str) -> str:
    return str(Repair(repair).label)
