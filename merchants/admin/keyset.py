"""Pages of a list that are found by where the last one ended, and so cost the same however deep they lie.

An address names the row after (or before) which the page stands; the columns of its order lead to it in the index. The
number of a page in an address is still understood, by passing over rows, as far as `InfinitePaginator` goes.
"""

from typing import Any

from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import F, Model, OuterRef, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpRequest

from merchants.admin.list_rows import QuickRows
from merchants.models import Merchant

AFTER_VAR, BEFORE_VAR = "after", "before"


class KeysetList(QuickRows):
    """A list with a next and a previous page. An order that runs both ways or through relations is paged by numbers."""

    next_address = previous_address = ""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        asked = request.GET
        self._begins = {name: asked[name] for name in (AFTER_VAR, BEFORE_VAR) if name in asked}
        # Filters, searches and files of the list begin anew; from a row's page one comes back to this one.
        anew = asked.copy()
        for name in self._begins:
            del anew[name]
        request.GET = anew  # type: ignore[assignment]
        super().__init__(request, *args, **kwargs)
        if self._begins:
            request.GET = asked
            self.preserved_filters = self.model_admin.get_preserved_filters(request)
            request.GET = anew  # type: ignore[assignment]

    def get_results(self, request: HttpRequest) -> None:
        """The rows of the page, one way or the other from where it begins, and the addresses of those beside it."""
        super().get_results(request)
        self._merchants = self.model_admin.merchants_with_index(request)
        order, start = _one_way(self.queryset), (self.page_num - 1) * self.list_per_page
        if (beside := self._beside(order)) is not None:
            found, back = beside
        elif start:
            found, back = list(self.queryset[start : start + self.list_per_page + 1]), False
        else:
            found, back = self._first(self.queryset), False
        whole = len(found) <= self.list_per_page
        found = found[: self.list_per_page]
        self.result_list: list[Any] = found[::-1] if back else found
        self._lead(order, first=whole if back else beside is None and start == 0, last=whole and not back)

    def _first(self, rows: QuerySet[Any]) -> list[Model]:
        """The first of these rows, one more than a page.

        Of several merchants each one's first are found in the index that begins with the merchant: in the order of all
        merchants' rows it may be far to those of a few, and no statistics tell how far.
        """
        most = self.list_per_page + 1
        if self._merchants is not None:
            own = rows.filter(merchant=OuterRef("pk")).values("pk")[:most]
            each = Merchant.objects.filter(pk__in=self._merchants).order_by()
            keys = each.values_list(ArraySubquery(own), flat=True)
            rows = rows.filter(pk__in=[key for found in keys for key in found or ()])
        return list(rows[:most])

    def _beside(self, order: list[str]) -> tuple[list[Model], bool] | None:
        """The rows beside the one that the address names, nearest first and one more than a page, and whether they are
        those before it. None if there is no such row, or too few before it: then it is the first page.
        """
        for side, asked in self._begins.items() if order else ():
            if (begin := self._begin(order, asked)) is not None:
                back = side == BEFORE_VAR
                rows = self._first(_beyond(self.queryset, order, begin, back=back))
                return None if back and len(rows) < self.list_per_page else (rows, back)
        return None

    def _begin(self, order: list[str], asked: str) -> tuple[Any, ...] | None:
        """What the order's columns hold in the row that is named; None if there is no such row."""
        names = _names(order)
        try:
            key = self.lookup_opts.pk.to_python(asked)
        except ValidationError:
            return None
        if names == ["pk"]:
            return (key,)
        found = self.root_queryset.order_by().filter(pk=key).values_list(*names).first()
        return None if found is None or None in found else found

    def _lead(self, order: list[str], *, first: bool, last: bool) -> None:
        rows: list[Any] = self.result_list
        ends = rows[:1] + rows[-1:]
        by_rows = bool(order) and all(getattr(row, name) is not None for row in ends for name in _names(order))
        if rows and not last:
            self.next_address = self.get_query_string(
                {AFTER_VAR: rows[-1].pk} if by_rows else {PAGE_VAR: self.page_num + 1}
            )
        if not first:
            before = {BEFORE_VAR: rows[0].pk} if rows and by_rows else {PAGE_VAR: max(self.page_num - 1, 1)}
            self.previous_address = self.get_query_string(before)


def _names(order: list[str]) -> list[str]:
    return [name.lstrip("-") for name in order]


def _one_way(queryset: QuerySet[Any]) -> list[str]:
    """The order as columns of the table that all rise or all fall, the last of them the key; [] if it is another."""
    meta, order = queryset.model._meta, []
    for part in queryset.query.order_by:
        if not isinstance(part, str):
            return []
        name = part.lstrip("-")
        try:
            field = meta.pk if name == "pk" else meta.get_field(name)
        except FieldDoesNotExist:
            return []
        if not field.concrete or field.is_relation:
            return []
        order.append(f"{'-' * part.startswith('-')}{'pk' if field.primary_key else name}")
        if field.primary_key:
            return order if len({one.startswith("-") for one in order}) == 1 else []
    return []


def _beyond(queryset: QuerySet[Any], order: list[str], begin: tuple[Any, ...], *, back: bool) -> QuerySet[Any]:
    """The rows after the one with these columns, or with `back` those before it, nearest first."""
    less = order[0].startswith("-") != back
    if len(begin) == 1:  # asked for by whoever wrote the address: Django minds what is too big for the column
        beyond = queryset.filter(**{"pk__lt" if less else "pk__gt": begin[0]})
    else:
        columns = Tuple(*[F(name) for name in _names(order)])
        beyond = queryset.filter((TupleLessThan if less else TupleGreaterThan)(columns, begin))
    return beyond.reverse() if back else beyond
