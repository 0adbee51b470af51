"""What staff are asked about batches: the file to issue by, and the yes before anything happens."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from coupons import batches
from coupons.admin.approving import MayWait
from coupons.admin.batch_limit import too_many_for
from coupons.admin.batch_wording import liability, short_of
from coupons.approvals import limits
from coupons.approvals.limits import Need
from coupons.models import Batch, CouponTemplate
from merchants.admin.dialogs import ReasonForm
from merchants.clock import day_end, local_day
from merchants.scopes import visible_merchants

MOST_PASTED = 2_000_000  # characters


class IssueManyForm(forms.Form):
    """A file or pasted text of customers, one a row."""

    file = forms.FileField(
        label=_("CSV or XLSX file"), required=False,
        widget=UnfoldAdminFileFieldWidget({"accept": ".csv,.txt,.xlsx"}),
        help_text=_("One customer a row: identifier, mobile number or openid. The first row may name the columns."),
    )  # fmt: skip
    text = forms.CharField(
        label=_("or paste them here"), required=False, max_length=MOST_PASTED,
        widget=UnfoldAdminTextareaWidget({"rows": 8, "placeholder": "13800138000\n13900139000"}),
    )  # fmt: skip
    name = forms.CharField(
        label=_("Name of this batch"), required=False, max_length=200,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
        help_text=_("So that you find it again. Empty = the name of the file."),
    )  # fmt: skip
    last_day = forms.DateField(
        label=_("Last day of validity"), required=False, widget=UnfoldAdminTextInputWidget({"type": "date"}),
        help_text=_("Empty = as the template says."),
    )  # fmt: skip

    def clean_last_day(self) -> Any:
        """Not over yet."""
        day = self.cleaned_data["last_day"]
        if day is not None and day < local_day(timezone.now()):
            raise ValidationError(_("This day is over."))
        return day

    def clean(self) -> dict[str, Any]:
        """A file or a text, not both and not neither."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if "file" in self.errors or "text" in self.errors:
            return data
        if bool(data.get("file")) == bool(data.get("text")):
            both = bool(data.get("file"))
            self.add_error(
                "text", _("Choose a file or paste a text, not both.") if both else _("Choose a file or paste a text.")
            )
        return data

    def begin(self, template: CouponTemplate, by: Any) -> Batch:
        """Take over what was sent, to be checked.

        Raises:
            TableError: it cannot be read.
        """
        data = self.cleaned_data
        source = data["file"] or data["text"]
        name = data["name"] or getattr(data["file"], "name", "")[:200]
        last_day = data["last_day"]
        return batches.begin_issue(
            template, source, name=name, valid_until=day_end(last_day) if last_day else None, by=by
        )  # fmt: skip


class StartForm(MayWait):
    """Says how many coupons it will be and what they may cost, and asks for the yes."""

    form_before_template = "admin/coupons/batch/starting.html"

    def find_need(self) -> Need | None:
        """Of what the batch has still to give out."""
        batch = _visible(Batch, self.request, self.object_id)
        if batch is None:
            return None
        self.merchant = batch.merchant
        return batches.needed(batch, by=self.request.user)

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The numbers of a batch that the user may see."""
        batch = _visible(Batch, request, object_id)
        if batch is None:
            return {}
        return {
            "batch": batch,
            "total": f"{batch.total:,}",
            "liability": liability(batch.template, batch.total),
            "short": short_of(batch),
            "too_many": too_many_for(request, batch.total),
        }


class ResumeForm(StartForm):
    """The same of a paused batch, whose coupons may be worth more by now: else it asks nothing but yes."""

    form_before_template = ""


class RecallForm(MayWait, ReasonForm):
    """Asks why, below the number of coupons that will be taken back."""

    form_before_template = "admin/coupons/batch/recalling.html"
    out: int | None = None

    def find_need(self) -> Need | None:
        """Of what is out of the batch (on its page) or of the template (on its own)."""
        batch = _visible(Batch, self.request, self.object_id) if "/batch/" in self.request.path else None
        template = batch.template if batch else _visible(CouponTemplate, self.request, self.object_id)
        if template is None:
            return None
        found = batches.counted_out(template=template, batch=batch)
        self.out, self.merchant = found.coupons, template.merchant
        return limits.many(
            template, coupons=found.coupons, value_fen=found.value_fen, gives=False, by=self.request.user
        )

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """How many would be taken back."""
        return {} if self.out is None else {"out": self.out}


def _visible(model: Any, request: HttpRequest, object_id: Any) -> Any:
    if not str(object_id).isdecimal():
        return None
    return model.objects.filter(merchant__in=visible_merchants(request.user), pk=int(object_id)).first()
