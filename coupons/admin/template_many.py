"""From a template's page to many coupons: the file to issue by, and the recall of everything that is out."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.enums import ActionVariant

from coupons import batches
from coupons.admin.batch_actions import ISSUE, RECALL, recall
from coupons.admin.batch_forms import IssueManyForm, RecallForm
from coupons.admin.batch_limit import approval_words, limit_words
from coupons.admin.batch_wording import liability
from coupons.choices import TemplateStatus
from coupons.errors import Reason
from merchants.admin.dialogs import dialog, go_to
from merchants.tables import TableError


class TemplateManyActions:
    """Two buttons more on a template's page."""

    visible_or_404: Any
    admin_site: Any
    model: Any

    @action(description=_("Issue to many"), url_path="issue-many", permissions=["issue_many"], icon="group_add")
    def issue_many(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take a file or a pasted text of customers; it is checked first, and nothing is issued before a yes."""
        template = self.visible_or_404(request, object_id)
        if template.status != TemplateStatus.PUBLISHED:
            messages.error(request, Reason.TEMPLATE_NOT_PUBLISHED.label)
            return go_to(request, template)
        form = IssueManyForm(request.POST, request.FILES) if request.method == "POST" else IssueManyForm()
        if form.is_valid():
            try:
                return go_to(request, form.begin(template, request.user))
            except TableError as error:
                form.add_error("file" if form.cleaned_data["file"] else "text", str(error))
        left = None if template.stock is None else template.stock - template.issued_count
        context = {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "original": template,
            "title": gettext("Issue to many"),
            "heading": gettext("Issue “%(title)s” to many") % {"title": template.title},
            "form": form,
            "template": template,
            "stock_left": left,
            "each": liability(template, 1),
            "most": f"{batches.MOST_CUSTOMERS:,}",
            "limit": f"{limit_words(request)} {approval_words()}",
        }
        return TemplateResponse(request, "admin/coupons/batch/issue.html", context)

    @action(
        description=_("Recall all"), url_path="recall", permissions=["recall_all"], icon="undo",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Recall every coupon of this template that is out?"),
            _("They are invalid at once, one after the other, and are withdrawn at dfire. This cannot be undone."),
            _("Recall"), RecallForm,
        ),
    )  # fmt: skip
    def recall_all(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Take back everything that is out of the template, as a batch."""
        return recall(request, form, self.visible_or_404(request, object_id))

    def has_issue_many_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may issue to many."""
        return request.user.has_perm(ISSUE)

    def has_recall_all_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may recall."""
        return request.user.has_perm(RECALL)
