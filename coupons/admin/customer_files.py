"""Customer files: the list of what was sent, and the page that shows one checked, entered, or why it is not."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext, override
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from coupons import customer_files
from coupons.admin.customer_file_words import (
    STATE_VARIANTS,
    found,
    next_step,
    progress_bar,
    result_words,
    sees_whole,
    todo,
)
from coupons.admin.doing import do
from coupons.admin.wording import moment
from coupons.customer_files import NeedsAdding
from merchants.admin.badges import badge
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.filters import OwnRelatedFilter
from merchants.admin.masking import masked_digits
from merchants.choices import AT_WORK, OPEN, FileState, Verdict, why_words
from merchants.models import CustomerFile
from merchants.rights import EXPORT, has_right
from merchants.scopes import visible_merchants
from merchants.tables import Row, csv_chunks


class YesForm(BaseDialogForm):
    """Says how many customers it will be."""

    form_before_template = "admin/merchants/customerfile/starting.html"

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """The numbers of a file that the user may see."""
        if not str(object_id).isdecimal():
            return {}
        own = CustomerFile.objects.filter(merchant__in=visible_merchants(request.user))
        file = own.select_related("merchant").filter(pk=int(str(object_id))).first()
        if file is None:
            return {}
        numbers = {name: f"{getattr(file, name):,}" for name in ("new", "change", "waiting")}
        return {"file": file, **numbers}


@admin.register(CustomerFile)
class CustomerFileAdmin(ReadOnly, BigTable, ScopedAdmin):
    """What was sent, the newest first."""

    list_display = ["name_shown", "merchant", "state_shown", "new_shown", "change_shown", "bad_shown", "by_shown"]
    list_display_links = ["name_shown"]
    list_select_related = ["merchant", "created_by"]
    list_filter = [("merchant", OwnRelatedFilter), ("state", ChoicesDropdownFilter)]
    ordering = ["-id"]
    fields = [
        "notice_shown", ("state_shown", "progress_shown"), "found_shown", ("merchant", "adds_shown"),
        ("by_shown", "created_at"), ("started_shown", "finished_shown"),
    ]  # fmt: skip
    readonly_fields = [
        "notice_shown", "state_shown", "progress_shown", "found_shown", "merchant", "adds_shown", "by_shown",
        "created_at", "started_shown", "finished_shown",
    ]  # fmt: skip
    empty_hint = _("On the list of customers press “Bind by file”.")
    actions_detail = ("start", "resume", "not_done", "cancel")
    offered: ClassVar[dict[str, tuple[FileState, ...]]] = {
        "start": (FileState.READY,),
        "resume": (FileState.STOPPED,),
        "cancel": OPEN,
    }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Boxes stand where there is something to say."""
        unchecked = obj is not None and obj.state in (FileState.CHECKING, FileState.UNREADABLE)
        return [name for name in self.fields if not (unchecked and name == "found_shown")]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The file, which remembers who looks at it."""
        file = super().get_object(request, object_id, from_field)
        if file is not None:
            file.viewer = request
        return file

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; its bar asks for it again while it works, and for all of it once it does not."""
        page = super().change_view(request, object_id, *args, **kwargs)
        if request.headers.get("HX-Request") and isinstance(page, TemplateResponse):
            page.render()
            if self.visible_or_404(request, object_id).state not in AT_WORK:
                return HttpResponse(headers={"HX-Refresh": "true"})
        return page

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense in the file's state."""
        file: CustomerFile = self.visible_or_404(request, object_id)
        names = {name for name, states in self.offered.items() if file.state in states}
        if not todo(file):
            names.discard("start")
        if (file.bad or file.refused) and self._may_take_away(request, file):
            names.add("not_done")
        allowed = super().get_actions_detail(request, object_id)
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("Enter these customers"), url_path="start", permissions=["steer"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            _("Enter these customers?"),
            _("Coupons that wait for them go out. What has been entered stays, also if you cancel on the way."),
            _("Enter"), YesForm,
        ),
    )  # fmt: skip
    def start(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Say yes; a few are entered at once."""
        file = self.visible_or_404(request, object_id)
        may_add = request.user.has_perm("merchants.add_customer")
        try:
            if do(request, lambda: customer_files.start(file, may_add=may_add), done=gettext("Started.")):
                file.refresh_from_db()
                customer_files.work_here(file)
        except NeedsAdding:
            words = _(
                "There are new customers in it, and you may not enter any: ask somebody who may, or send the file anew."
            )
            messages.error(request, words)
        return go_to(request, file)

    @action(
        description=_("Resume"), url_path="resume", permissions=["steer"], icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(_("Resume this file?"), _("It goes on where it stopped; nobody is entered twice."), _("Resume")),
    )  # fmt: skip
    def resume(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Go on."""
        file = self.visible_or_404(request, object_id)
        do(request, lambda: customer_files.resume(file), done=gettext("Resumed."))
        return go_to(request, file)

    @action(
        description=_("Cancel this file"), url_path="cancel", permissions=["steer"], icon="stop_circle",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Cancel this file for good?"),
            _("It ends where it is. Who has been entered stays; the other rows are forgotten."),
            _("Cancel this file"),
        ),
    )  # fmt: skip
    def cancel(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """End it where it is."""
        file = self.visible_or_404(request, object_id)
        do(request, lambda: customer_files.cancel(file), done=gettext("Cancelled."))
        return go_to(request, file)

    @action(description=_("Rows not done"), url_path="not-done", permissions=["view"], icon="download")
    def not_done(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Every row that is not done, with the reasons, as a file that can be mended and sent again."""
        file = self.visible_or_404(request, object_id)
        if not self._may_take_away(request, file):
            raise PermissionDenied
        headings = [gettext("identifier"), gettext("mobile"), "openid", gettext("reason"), gettext("row")]
        rows = _not_done(file, get_language() or "en", whole=sees_whole(request, file))
        response = StreamingHttpResponse(csv_chunks(headings, rows), "text/csv; charset=utf-8")
        name = gettext("customer file %(id)s not done") % {"id": file.pk}
        response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=f"{name}.csv") or ""
        return response

    def has_steer_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change customers."""
        return request.user.has_perm("merchants.change_customer")

    def _may_take_away(self, request: HttpRequest, file: CustomerFile) -> bool:
        return file.created_by_id == request.user.pk or has_right(request.user, EXPORT)

    @display(description=_("file"), ordering="id")
    def name_shown(self, file: CustomerFile) -> str:
        """Its name and when it came."""
        return format_html(
            '<span class="portal-two-lines">{}<small>{}</small></span>', str(file), moment(file.created_at)
        )  # fmt: skip

    @display(description=_("state"), ordering="state")
    def state_shown(self, file: CustomerFile) -> str:
        """The state as a badge."""
        return badge(file.get_state_display(), STATE_VARIANTS[file.state])

    @display(description=_("new customers"))
    def new_shown(self, file: CustomerFile) -> str:
        """How many the check found."""
        return f"{file.new:,}"

    @display(description=_("to be changed"))
    def change_shown(self, file: CustomerFile) -> str:
        """How many the check found."""
        return f"{file.change:,}"

    @display(description=_("not done"))
    def bad_shown(self, file: CustomerFile) -> str:
        """How many rows were turned down."""
        return f"{file.bad + file.refused:,}"

    @display(description=_("by"))
    def by_shown(self, file: CustomerFile) -> str:
        """Who sent it."""
        return str(file.created_by or "-")

    @display(description=_("progress"))
    def progress_shown(self, file: CustomerFile) -> str:
        """A bar that moves while it works."""
        return progress_bar(file)

    @display(description=_("what is to be done"))
    def notice_shown(self, file: CustomerFile) -> Any:
        """What the page wants of whoever looks at it, or what came of the file."""
        return next_step(file) or (result_words(file) if file.started_at else "-")

    @display(description=_("what the check found"))
    def found_shown(self, file: Any) -> str:
        """The dry run."""
        return found(file.viewer, file)

    @display(description=_("customers who are not known yet"))
    def adds_shown(self, file: CustomerFile) -> str:
        """Whether they are entered."""
        return gettext("are entered") if file.adds_unknown else gettext("are listed as mistakes")

    @display(description=_("started"))
    def started_shown(self, file: CustomerFile) -> str:
        """When somebody said yes."""
        return moment(file.started_at)

    @display(description=_("finished"))
    def finished_shown(self, file: CustomerFile) -> str:
        """When it was done or cancelled."""
        return moment(file.finished_at)


def _not_done(file: CustomerFile, language: str, *, whole: bool) -> Iterator[Row]:
    rows = file.rows.filter(verdict=Verdict.BAD).order_by("number")
    for row in rows.iterator(chunk_size=2000):
        with override(language):  # the answer is written after the request's own language has been let go
            words = why_words(row.why, row.other)
        said = (row.identifier, row.mobile, row.openid)
        yield (*(said if whole else map(masked_digits, said)), words, row.number)
