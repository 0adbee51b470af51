"""The merchant's page with what this layer adds to it: comparing the merchant with dfire."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from integrations.admin.reconcile_actions import may_decide
from integrations.admin.reconcile_forms import CompareForm
from integrations.models import Reconciliation
from integrations.models.reconcile import RunMode, RunState
from integrations.reconcile import runs
from integrations.reconcile.runs import RunRefused
from integrations.reconcile.words import describe
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.merchants import MerchantAdmin
from merchants.models import Merchant

admin.site.unregister(Merchant)


@admin.register(Merchant)
class ComparedMerchantAdmin(MerchantAdmin):
    """Merchants, with the button that compares one."""

    actions_detail = ("compare",)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Without an account there is nothing to compare with."""
        merchant = self.visible_or_404(request, object_id)
        return super().get_actions_detail(request, object_id) if merchant.dfire_account_id else []

    @action(
        description=_("Compare with dfire"), url_path="compare", permissions=["compare"], icon="compare_arrows",
        dialog=dialog(
            _("Compare with dfire?"),
            _("Promotions and coupons are compared; nothing is changed until you decide what is repaired."),
            _("Compare"),
            CompareForm,
        ),
    )  # fmt: skip
    def compare(self, request: HttpRequest, form: CompareForm, object_id: str) -> HttpResponse:
        """Begin a comparison, or show the one that runs."""
        merchant = self.visible_or_404(request, object_id)
        try:
            with transaction.atomic():
                run = runs.start(merchant, RunMode(form.cleaned_data["mode"]), by=request.user)
                self.log_change(request, merchant, _("Compared with dfire."))
        except RunRefused as refusal:
            messages.warning(request, describe(refusal.reason))
            running = Reconciliation.objects.filter(merchant=merchant, state=RunState.RUNNING).first()
            return go_to(request, running or merchant)
        return go_to(request, run)

    def has_compare_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may compare."""
        return may_decide(request)
