"""What has failed, put together by what dfire said: seen above the list of the outbox, and retried all at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from integrations.admin.remedies import RESULT_WORDS, remedy, result_words
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from integrations.outbox import repair
from integrations.sync.words import describe
from merchants.admin.dialogs import confirm, go
from merchants.admin.masking import masked_text
from merchants.admin.noting import english
from merchants.audit.recording import record

MOST_LOOKED_AT = 10_000  # failed rows; beyond it figures say “and more”
MOST_SHOWN = 5
RETRY_SECONDS = 20.0  # a press of the button works no longer


@dataclass(frozen=True, slots=True)
class Alike:
    """Failed rows with the same class of result and the same code; the message is one of theirs."""

    result: str
    code: str
    count: int
    message: str

    @property
    def key(self) -> str:
        """The value of the filter."""
        return f"{self.result}:{self.code}"

    @property
    def words(self) -> str:
        """The error as staff read it."""
        said = f"{self.code} {masked_text(describe(self.message))}".strip()
        return said or result_words(self.result)

    @property
    def what_to_do(self) -> str:
        """The remedy of its class."""
        return remedy(self.result)


def failed_alike(rows: QuerySet[OutboxRow]) -> list[Alike]:
    """The failed ones of these rows by error, the most frequent first. Looks at the newest 10,000 at most."""
    newest = rows.filter(state=RowState.DEAD).order_by("-pk").values("pk")[:MOST_LOOKED_AT]
    found = OutboxRow.objects.filter(pk__in=newest).order_by().values_list("last_class", "last_code")
    counted = found.annotate(count=Count("pk"), message=Max("last_message")).order_by("-count", "last_code")
    return [Alike(*values) for values in counted]


class ErrorFilter(DropdownFilter):
    """Failed rows by their error."""

    title = _("error")
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The errors that there are."""
        return [(alike.key, f"{alike.words[:60]} ({alike.count})") for alike in model_admin.errors(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[OutboxRow]) -> QuerySet[OutboxRow]:
        """The failed rows of the chosen one."""
        return with_error(queryset, self.value() or "") if self.value() else queryset


def with_error(rows: QuerySet[OutboxRow], key: str) -> QuerySet[OutboxRow]:
    """The failed rows of an error, by its key."""
    result, _sep, code = key.partition(":")
    return rows.filter(state=RowState.DEAD, last_class=result, last_code=code)


class ErrorPanel:
    """The panel above the list, and the page that asks before all of an error is retried."""

    list_before_template = "admin/integrations/outboxrow/errors.html"
    admin_site: Any
    get_queryset: Any
    has_repair_permission: Any

    def get_urls(self) -> list[Any]:
        """The address of “retry all”."""
        retry = self.admin_site.admin_view(self.retry_alike)
        return [path("retry-alike/", retry, name="integrations_outboxrow_retry_alike"), *super().get_urls()]  # type: ignore[misc]

    def errors(self, request: HttpRequest) -> Sequence[Alike]:
        """The errors within the user's merchants, looked up once a request."""
        if not hasattr(request, "outbox_errors"):
            request.outbox_errors = failed_alike(self.get_queryset(request))  # type: ignore[attr-defined]
        found: list[Alike] = request.outbox_errors  # type: ignore[attr-defined]
        return found

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list, with the errors above it."""
        errors = self.errors(request)
        address = reverse("admin:integrations_outboxrow_changelist")
        may = self.has_repair_permission(request)
        panel = {
            "outbox_errors": [
                {
                    "alike": alike,
                    "rows": f"{address}?{urlencode({'error': alike.key})}",
                    "retry": retry_address(alike.key) if may else "",
                }
                for alike in errors[:MOST_SHOWN]
            ],
            "errors_more": len(errors) - MOST_SHOWN,
            "error_chosen": request.GET.get("error", ""),
        }
        return super().changelist_view(request, {**(extra_context or {}), **panel})  # type: ignore[misc]

    def retry_alike(self, request: HttpRequest) -> HttpResponse:
        """Ask once, say how many, and queue all failed rows of an error again."""
        if not self.has_repair_permission(request):
            raise PermissionDenied
        key = request.GET.get("error", "")
        if ":" not in key or key.partition(":")[0] not in RESULT_WORDS:
            raise Http404
        rows = with_error(self.get_queryset(request), key)
        sample = rows.order_by("-pk").first()
        back = reverse("admin:integrations_outboxrow_changelist")
        if sample is None:
            messages.info(request, gettext("None of these is failed any more."))
            return go(request, back)
        error = Alike(sample.last_class, sample.last_code, rows.order_by().count(), sample.last_message)
        asked = confirm(
            self, request, rows,
            title=gettext("Retry all with this error? %(error)s") % {"error": error.words},
            warning=f"{error.what_to_do} {gettext('Retry once the cause is mended; else they fail again.')}",
            submit=gettext("Retry all"),
        )  # fmt: skip
        if asked is not None:
            return asked
        done, left = repair.retry_all(rows, seconds=RETRY_SECONDS, told=partial(_note, key))
        words = ngettext("%(count)s row: %(words)s", "%(count)s rows: %(words)s", done)
        messages.success(request, words % {"count": done, "words": gettext("Queued again.")})
        if left:
            messages.warning(request, gettext("%(count)s are still to be retried: press it again.") % {"count": left})
        return go(request, back)


def _note(key: str, done: int, left: int) -> None:
    """The record of who retried what, a hundred at a time; none of its single rows."""
    words = _("All with this error retried. Filter: %(filter)s. Queued again: %(done)s, left: %(left)s")
    record(OutboxRow, english(words), facts={"filter": f"error={key}", "done": done, "left": left})


def retry_address(key: str) -> str:
    """The page that asks whether all of an error shall be retried."""
    return f"{reverse('admin:integrations_outboxrow_retry_alike')}?{urlencode({'error': key})}"
