"""Erasing a customer, from the customer's page: a question with figures and a reason before, the state of it after."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from coupons import erasing
from coupons.admin.extension import Left, left_to_erase
from coupons.admin.wording import moment_text
from merchants.admin.actors import actor_words
from merchants.admin.badges import badge, notice, page_of
from merchants.admin.base import BigTable, ReadOnly, ScopedAdmin
from merchants.admin.dialogs import ReasonForm, dialog, go_to
from merchants.models import Customer, Erasure
from merchants.scopes import visible_merchants

ERASE = "merchants.erase_customer"


class EraseForm(ReasonForm):
    """Asks why, below the figures of what will happen."""

    form_before_template = "admin/merchants/customer/erasing.html"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = _("It is kept. Write no name and no number here.")

    def get_before_template_context(self, request: HttpRequest, object_id: int | str | None = None) -> dict[str, Any]:
        """How many coupons of which kind, of a customer whom the user may see."""
        own = Customer.objects.filter(merchant__in=visible_merchants(request.user))
        customer = own.filter(pk=int(object_id)).first() if object_id and str(object_id).isdecimal() else None
        return {"held": erasing.holdings(customer) if customer else None}


class ErasingActions:
    """The button on the page of a customer who has not been erased."""

    actions_detail = ("erase",)
    visible_or_404: Any
    log_change: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Nobody is erased twice."""
        customer = self.visible_or_404(request, object_id)
        return super().get_actions_detail(request, object_id) if customer.erased_at is None else []  # type: ignore[misc]

    @action(
        description=_("Erase"), url_path="erase", permissions=["erase"], icon="person_remove",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            _("Erase this customer for good?"),
            _(
                "Identifier, mobile number and openid are removed everywhere in the portal, once dfire has let go of "
                "the coupons. Nobody can undo this."
            ),
            _("Erase for good"),
            EraseForm,
        ),
    )  # fmt: skip
    def erase(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Begin the erasure; the rest follows by itself."""
        customer = self.visible_or_404(request, object_id)
        asked_by = f"staff:{request.user.get_username()}"
        erasure, fresh = erasing.erase(customer, reason=form.cleaned_data["reason"], asked_by=asked_by)
        if fresh:
            self.log_change(request, customer, gettext("Erased: %(reason)s") % {"reason": erasure.reason})
            messages.success(request, gettext("The names are gone from this page. The rest follows within minutes."))
        else:
            messages.warning(request, gettext("This customer had been erased already."))
        return go_to(request, customer)

    def has_erase_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may erase customers."""
        return request.user.has_perm(ERASE)


@admin.register(Erasure)
class ErasureAdmin(ReadOnly, BigTable, ScopedAdmin):
    """Every erasure, with what it still waits for."""

    merchant_path = "customer__merchant"
    list_display = ["customer", "merchant_shown", "state_shown", "asked_at", "by_shown", "reason"]
    list_select_related = ["customer__merchant"]
    ordering = ["-id"]
    fields = ["left_shown", ("customer_shown", "merchant_shown"), ("asked_at", "by_shown"), "reason", "finished_at"]
    readonly_fields = [
        "left_shown",
        "customer_shown",
        "merchant_shown",
        "asked_at",
        "by_shown",
        "reason",
        "finished_at",
    ]
    empty_hint = _("Customers are erased on their own pages. Each erasure is then listed here.")

    @display(description=_("customer"))
    def customer_shown(self, erasure: Erasure) -> str:
        """A link to what is left of the customer."""
        return page_of(erasure.customer)

    @display(description=_("merchant"))
    def merchant_shown(self, erasure: Erasure) -> str:
        """The merchant whose member it was."""
        return str(erasure.customer.merchant)

    @display(description=_("state"))
    def state_shown(self, erasure: Erasure) -> str:
        """Erased, or under way."""
        return state_badge(erasure)

    @display(description=_("progress"))
    def left_shown(self, erasure: Erasure) -> str:
        """What it still waits for."""
        return progress_notice(erasure)

    @display(description=_("by"))
    def by_shown(self, erasure: Erasure) -> str:
        """Who asked for it."""
        return actor_words(erasure.asked_by)


def state_badge(erasure: Erasure) -> str:
    """Erased, or under way; for lists, where nothing more is asked for each row."""
    return badge(_("erased")) if erasure.finished_at is not None else badge(_("erasing"), "warning")


def progress_notice(erasure: Erasure) -> str:
    """Since when, and what it waits for, with links to look at it."""
    if erasure.finished_at is not None:
        words = gettext("Erased on %(time)s. The row stays, so that the coupons' figures stay whole.")
        return notice(words % {"time": moment_text(erasure.finished_at)}, "info")
    left = left_to_erase(erasure)
    if not left:
        return notice(gettext("Erasing: the last traces are being removed."), "info")
    lines = format_html_join("", "<br>{}", ((_line(one),) for one in left))
    grave = any(one.variant == "danger" for one in left)
    return notice(format_html("<strong>{}</strong>{}", gettext("Erasing"), lines), "danger" if grave else "warning")


def _line(left: Left) -> str:
    return format_html('<a href="{}" class="text-link">{}</a>', left.link, left.words) if left.link else left.words
