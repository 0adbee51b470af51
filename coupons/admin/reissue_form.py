"""The dialog in which staff replace a redeemed coupon: why, and until when the new one is valid."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from coupons import lifecycle
from coupons.admin.wording import moment_text
from coupons.approvals import limits
from coupons.errors import Refused
from coupons.models import IssuedCoupon
from merchants.admin.base import visible_rows
from merchants.admin.dialogs import ReasonForm
from merchants.clock import day_end, local_day

LONGEST = timedelta(days=3 * 366)  # a later end is a typing mistake


class ReissueForm(ReasonForm):
    """Asks why, and shows the end of the replacement's validity, which staff may change."""

    valid_until = forms.DateField(
        label=_("Valid until the end of"),
        input_formats=["%Y-%m-%d", "%Y/%m/%d"],
        widget=UnfoldAdminTextInputWidget({"type": "date"}),
    )

    def __init__(self, request: HttpRequest, object_id: str | None = None, **options: Any) -> None:
        super().__init__(request, object_id, **options)
        self.coupon = _coupon(request, object_id)
        now = timezone.now()
        self._offered = lifecycle.end_of_replacement(self.coupon, now)
        field = self.fields["valid_until"]
        field.initial = local_day(self._offered)
        field.help_text = " ".join(self._about_the_end(local_day(now)))
        field.widget.attrs["min"] = str(local_day(now))

    def add_error(self, field: str | None, error: Any) -> None:
        """Errors stand below a field that is seen."""
        super().add_error(field or "reason", error)

    def clean_valid_until(self) -> date:
        """A day from today on, and not by a slip of the finger decades ahead."""
        day: date = self.cleaned_data["valid_until"]
        today = local_day(timezone.now())
        if day < today:
            raise forms.ValidationError(_("This day is over. Choose today or a later one."))
        if day > today + LONGEST:
            raise forms.ValidationError(_("This is more than three years ahead. Check the year."))
        return day

    def reissue(self, *, by: Any) -> IssuedCoupon | None:
        """Replace the coupon; None, with the reason among the form's errors, if a rule says no."""
        day = self.cleaned_data["valid_until"]
        end = self._offered if day == local_day(self._offered) else day_end(day)
        try:
            with transaction.atomic():
                made = lifecycle.reissue(
                    self.coupon.pk, reason=self.cleaned_data["reason"], actor=f"staff:{by.get_username()}",
                    valid_until=end,
                )  # fmt: skip
                limits.one(self.coupon.template_id, value_fen=self.coupon.cost_fen, gives=True, by=by)
                return made
        except Refused as refused:
            self.add_error("reason", refused.message)
            return None

    def _about_the_end(self, today: date) -> list[str]:
        """Where the offered end comes from, and how long tills go along."""
        first = {"end": moment_text(self.coupon.valid_until)}
        at_tills = lifecycle.last_day_at_tills(self.coupon)
        kept = self._offered == self.coupon.valid_until
        said = [gettext("The first one's end, %(end)s, is kept.") if kept
                else gettext("The first one ended or ends on %(end)s, so a new end is offered.")]  # fmt: skip
        if at_tills < today:
            said.append(
                gettext("Tills took coupons of these terms until %(day)s only, so dfire may refuse it.")
                % {"day": at_tills}
            )
        else:
            said.append(gettext("Tills take coupons of these terms until %(day)s.") % {"day": at_tills})
        return [said[0] % first, *said[1:]]


def _coupon(request: HttpRequest, object_id: str | None) -> IssuedCoupon:
    """The coupon of the dialog's address, if the user may see it."""
    rows = visible_rows(admin.site, IssuedCoupon, request)
    found = rows.filter(pk=object_id).first() if rows is not None and str(object_id).isdecimal() else None
    if found is None:
        raise Http404
    return found
