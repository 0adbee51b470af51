"""Coupon templates: the list, the form, and how far each one is at dfire."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from coupons import templates
from coupons.admin.approval_words import about_template
from coupons.admin.export_columns import TEMPLATE
from coupons.admin.extension import template_sync
from coupons.admin.filters import NearLimitFilter
from coupons.admin.template_actions import TemplateActions
from coupons.admin.template_changes import AsksBeforeChanges
from coupons.admin.template_columns import TemplateColumns
from coupons.admin.template_form import CouponTemplateForm
from coupons.admin.template_list_actions import TemplateListActions
from coupons.admin.template_many import TemplateManyActions
from coupons.admin.template_pages import TemplatePages
from coupons.admin.wording import sentences_of
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate, TemplateVersion
from merchants.admin.base import ReadOnlyInline, ScopedAdmin
from merchants.admin.filters import LocalDaysFilter, OwnRelatedFilter
from merchants.scopes import visible_merchants

FIELDSETS = [
    (_("What it is"), {"fields": ["merchant", "title", "reference", "notice"]}),
    (_("What it is worth"), {"fields": ["kind", "amount", "percent_paid", "menu_ids", "min_spend"]}),
    (_("How long it is valid"), {"fields": ["start_date", "end_date", "valid_days"]}),
    (
        _("Where and when it may be used"),
        {
            "fields": [
                "shop_entity_ids",
                "channels",
                "use_weekdays",
                "use_times",
                "use_dates",
                "blackout_dates",
            ]
        },
    ),
    (
        _("How many there are"),
        {"fields": ["stock", "budget", "cost_each", "per_person_limit", "per_person_daily_limit"]},
    ),
]
STATE = (
    _("State"),
    {
        "fields": [
            "sentence_shown",
            "status_shown",
            "sync_shown",
            "usage_shown",
            "approvals_shown",
            "coupon_id_shown",
            ("created_at", "source_account"),
        ]
    },
)
READ = (_("Terms"), {"fields": ["merchant", "title", "reference", "terms_shown", "limits_shown"]})


class VersionInline(ReadOnlyInline):
    """The terms as they were published, newest first."""

    model = TemplateVersion
    fields = ["number", "promotion_id", "dfire_id", "saved_at", "created_at"]
    readonly_fields = fields
    ordering = ["-number"]
    verbose_name_plural = _("published versions")


@admin.register(CouponTemplate)
class CouponTemplateAdmin(
    AsksBeforeChanges,
    TemplatePages,
    TemplateActions,
    TemplateManyActions,
    TemplateListActions,
    TemplateColumns,
    ScopedAdmin,
):
    """What merchants give out."""

    form = CouponTemplateForm
    list_display = [
        "title_shown", "merchant", "worth_shown", "dates_shown", "status_shown", "issued_shown", "sync_shown",
    ]  # fmt: skip
    list_select_related = ["merchant"]
    export_columns = TEMPLATE
    list_filter = [
        ("merchant", OwnRelatedFilter),
        ("status", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("end_date", LocalDaysFilter),
        NearLimitFilter,
    ]
    search_fields = ["title", "coupon_id__exact", "reference__istartswith"]
    search_help_text = _("Title, coupon ID or reference")
    ordering = ["-id"]
    autocomplete_fields = ["merchant"]
    readonly_fields = [
        "sentence_shown",
        "status_shown",
        "sync_shown",
        "usage_shown",
        "approvals_shown",
        "coupon_id_shown",
        "created_at",
        "source_account",
        "terms_shown",
        "limits_shown",
    ]
    empty_hint = _("Add a template, publish it, and its coupons can be issued.")
    conditional_fields = {
        "amount": "kind != 'discount' && kind != 'dish_discount'",
        "percent_paid": "kind == 'discount' || kind == 'dish_discount'",
        "menu_ids": "kind.startsWith('dish')",
        "cost_each": "kind != 'cash' && kind != 'dish_cash'",
    }

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The state stands first, once there is one; whoever may only look reads the terms in words."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [self._state(obj), READ]
        return FIELDSETS if obj is None else [self._state(obj), *FIELDSETS]

    def _state(self, template: CouponTemplate) -> Any:
        """Boxes stand where there is something to say."""
        asked = about_template(template).exists()
        words, shown = STATE
        return words, {"fields": [name for name in shown["fields"] if asked or name != "approvals_shown"]}

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The template, which remembers who looks at it: what can be done about it depends on that."""
        template = super().get_object(request, object_id, from_field)
        if template is not None:
            template.viewer = request
        return template

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """What has been published belongs to its merchant for good."""
        fixed = obj is not None and obj.status != TemplateStatus.DRAFT
        return [*self.readonly_fields, "merchant"] if fixed else list(self.readonly_fields)

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """A draft has no versions to show."""
        return [VersionInline] if obj is not None and obj.status != TemplateStatus.DRAFT else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form with the user's own merchants' shops."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type("CouponTemplateForm", (form,), {"merchants": visible_merchants(request.user)})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Whoever has one merchant need not choose it."""
        own = list(visible_merchants(request.user)[:2])
        return {
            **({"merchant": own[0].pk} if len(own) == 1 else {}),
            **super().get_changeform_initial_data(request),
        }

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Deleting is an action of its own: it must be told to dfire."""
        return False

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Ask how far the templates of the page are at dfire, and for their shops, once for all of them."""
        page = super().get_changelist_instance(request)
        page.result_list = list(page.result_list)
        self.prepare_rows(request, page.result_list)
        return page

    def prepare_rows(self, request: HttpRequest, rows: list[Any]) -> None:
        """Let each template know how far it is at dfire, and its terms in one sentence."""
        known, sentences = template_sync(rows), sentences_of(rows)
        for template in rows:
            template.sync, template.sentence = known.get(template.pk), sentences[template.pk]

    def save_model(self, request: HttpRequest, obj: CouponTemplate, form: Any, change: bool) -> None:
        """The service stores it and lets tills know."""
        templates.save_edited(obj, by=request.user)
