"""What is done with a smart-coupon account: new addresses, the end of the old ones, a test push."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from integrations.smart_coupon import tokens, trying
from merchants.admin.dialogs import dialog, go_to
from merchants.models import SmartCouponAccount

KEEP_HOURS = [(1, _("1 hour")), (24, _("1 day")), (24 * 7, _("1 week")), (24 * 28, _("4 weeks"))]
REVISIONS = [(1, _("Revision 1")), (2, _("Revision 2")), (3, _("Revision 3"))]


class RotateForm(BaseDialogForm):
    """Asks how long the old addresses stay good."""

    hours = forms.TypedChoiceField(
        label=_("The old addresses keep working for"), choices=KEEP_HOURS, coerce=int, initial=24 * 7,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Long enough to enter the new ones at the platform. You can end the old ones earlier."),
    )  # fmt: skip


class TestPushForm(BaseDialogForm):
    """Asks in which revision."""

    revision = forms.TypedChoiceField(
        label=_("Revision"), choices=REVISIONS, coerce=int, widget=UnfoldAdminSelectWidget()
    )


def old_addresses_work(account: SmartCouponAccount) -> bool:
    """Whether the addresses before the present ones still work."""
    return account.previous_until is not None and account.previous_until > timezone.now()


class AccountActions:
    """The buttons of an account's page."""

    actions_detail = ("test_push", "rotate", "end_previous")
    log_change: Any
    visible_or_404: Any

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The actions that make sense now."""
        names = {"rotate"} | ({"test_push"} if settings.DFIRE_SANDBOX else set())
        account = SmartCouponAccount.objects.filter(pk=object_id).first()
        if account is not None and old_addresses_work(account):
            names.add("end_previous")
        allowed = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        return [one for one in allowed if one.method.original_function_name in names]

    @action(
        description=_("New addresses"), url_path="rotate", permissions=["change"], icon="autorenew",
        dialog=dialog(
            _("Make new push addresses?"),
            _("Enter them at the platform afterwards. Until then it goes on pushing to the old ones."),
            _("Make new addresses"),
            RotateForm,
        ),
    )  # fmt: skip
    def rotate(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make a new token; the old one stays good for a while."""
        account = self.visible_or_404(request, object_id)
        tokens.rotate(account, keep=timedelta(hours=form.cleaned_data["hours"]))
        self.log_change(request, account, _("Made new push addresses."))
        messages.success(request, gettext("The new addresses stand below. Enter them at the platform."))
        return go_to(request, account)

    @action(
        description=_("End the old addresses"), url_path="end-previous", permissions=["change"], icon="link_off",
        dialog=dialog(
            _("End the old addresses now?"),
            _("Whoever still pushes to them is refused from now on. The page says when a push last came to them."),
            _("End them"),
        ),
    )  # fmt: skip
    def end_previous(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """The present token alone is good."""
        account = self.visible_or_404(request, object_id)
        if tokens.end_previous(account):
            self.log_change(request, account, _("Ended the old push addresses."))
        messages.success(request, gettext("The old addresses do not work any more."))
        return go_to(request, account)

    @action(
        description=_("Send me a test push"), url_path="test-push", permissions=["change"], icon="science",
        dialog=dialog(
            _("Send a test push?"),
            _("The sandbox plays the platform: a coupon template is made for the account's first merchant."),
            _("Push"),
            TestPushForm,
        ),
    )  # fmt: skip
    def test_push(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let the sandbox push, and say what was answered."""
        account = self.visible_or_404(request, object_id)
        merchant = account.merchants.order_by("pk").first()
        if not settings.DFIRE_SANDBOX or merchant is None:
            messages.error(request, gettext("Choose a merchant for this account first, and save it."))
            return go_to(request, account)
        tried = trying.push(account, merchant, revision=form.cleaned_data["revision"])
        if tried.status is None:
            messages.error(request, gettext("The sandbox did not answer: %(why)s") % {"why": tried.answer})
        else:
            words = gettext("The push was answered %(status)s: %(answer)s")
            said = words % {"status": tried.status, "answer": tried.answer[:300]}
            messages.add_message(request, messages.SUCCESS if tried.status == 200 else messages.WARNING, said)
        return go_to(request, account)
