"""What the settlement page asks: whose redemptions, of which days, and what makes one line."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from coupons.settlement import Grouping
from merchants.clock import local_day
from merchants.models import Merchant

MOST_DAYS = 366


class _Day(UnfoldAdminTextInputWidget):
    """The browser's own calendar, which speaks ISO dates in every language."""

    input_type = "date"

    def format_value(self, value: Any) -> Any:
        """A date as the calendar wants it; what was typed stays."""
        return value.isoformat() if isinstance(value, date) else value


class MerchantsForm(forms.Form):
    """Some of the user's merchants; none chosen = all of them. Whoever has one is not asked."""

    merchants = forms.ModelMultipleChoiceField(
        queryset=Merchant.objects.none(), required=False, label=gettext_lazy("Merchants"),
        widget=UnfoldAdminSelect2MultipleWidget, help_text=gettext_lazy("None chosen = all."),
    )  # fmt: skip

    def __init__(self, query: QueryDict, *, own: QuerySet[Merchant]) -> None:
        super().__init__(with_defaults(query, self.defaults()))
        self.own = own
        choice: Any = self.fields["merchants"]
        choice.queryset = own
        if len(own[:2]) < 2:
            del self.fields["merchants"]

    @staticmethod
    def defaults() -> Mapping[str, str]:
        """What holds where the address says nothing."""
        return {}

    def chosen(self) -> QuerySet[Merchant]:
        """The merchants chosen."""
        picked: QuerySet[Merchant] | None = self.cleaned_data.get("merchants")
        return picked if picked else self.own

    def chosen_all(self) -> bool:
        """Whether that is every merchant the user may see."""
        return not self.cleaned_data.get("merchants")

    def only(self) -> int | None:
        """The key of the merchant, if it is one alone."""
        keys = list(self.chosen().values_list("pk", flat=True)[:2])
        return keys[0] if len(keys) == 1 else None

    def asked(self) -> QueryDict:
        """What the form asks, for addresses: nothing but its own fields."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            query.setlist(name, self.data.getlist(name))  # type: ignore[attr-defined]
        return query


class SettlementForm(MerchantsForm):
    """The redemptions of a period; this month where nothing is said."""

    first = forms.DateField(label=gettext_lazy("From"), widget=_Day)
    last = forms.DateField(label=gettext_lazy("To"), widget=_Day)
    by = forms.ChoiceField(label=gettext_lazy("Lines"), choices=Grouping.choices, widget=UnfoldAdminSelectWidget)

    field_order = ["first", "last", "by", "merchants"]

    @staticmethod
    def defaults() -> Mapping[str, str]:
        """This month, by shop and day."""
        first, last = periods()[0][1:]
        return {"first": first.isoformat(), "last": last.isoformat(), "by": Grouping.SHOP_AND_DAY.value}

    def clean(self) -> dict[str, Any]:
        """Refuse what is no period."""
        found = super().clean() or {}
        first, last = found.get("first"), found.get("last")
        if first and last and last < first:
            self.add_error("last", gettext("This is before the first day."))
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error("last", gettext("At most %(most)s days at once.") % {"most": MOST_DAYS})
        return found

    def grouping(self) -> Grouping:
        """What makes one line."""
        return Grouping(self.cleaned_data["by"])


def periods() -> list[tuple[str, date, date]]:
    """The periods most asked for, by name, with their first and last day in Shanghai. The first is the default."""
    today = local_day(timezone.now())
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    yesterday = today - timedelta(days=1)
    return [
        (gettext("This month"), month, _last_day(month)),
        (gettext("Last month"), before.replace(day=1), before),
        (gettext("Yesterday"), yesterday, yesterday),
        (gettext("Today"), today, today),
    ]


def with_defaults(query: QueryDict, defaults: Mapping[str, str]) -> QueryDict:
    """What the address says, and the defaults for what it does not name."""
    full = query.copy()
    for name, value in defaults.items():
        full.setdefault(name, value)
    return full


def _last_day(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
