"""How staff sign in, for administrators and auditors to look at: sign-ins, failures, locks, second factors.

The tables are those of django-axes and django-otp, whose own pages would show the keys of second factors.
"""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.decorators import action, display

from merchants import sign_ins
from merchants.admin.badges import badge
from merchants.admin.base import BigTable, PortalAdmin, ReadOnly
from merchants.admin.dialogs import dialog, go
from merchants.admin.noting import note
from merchants.models import Authenticator, FailedSignIn, SignIn, SignInLock

for _of_the_package in (TOTPDevice, StaticDevice):
    if admin.site.is_registered(_of_the_package):
        admin.site.unregister(_of_the_package)


class SignInPage(ReadOnly, BigTable, PortalAdmin):
    """Rows that say from where someone came."""

    list_filter = ["attempt_time"]
    search_fields = ["username__exact", "ip_address__exact"]
    search_help_text = _("User name or address")
    ordering = ["-id"]

    @display(description=_("at"), ordering="attempt_time")
    def at_shown(self, row: Any) -> Any:
        """When."""
        return row.attempt_time

    @display(description=_("name given"))
    def name_shown(self, row: Any) -> str:
        """The user name, as it was typed."""
        return row.username or "-"

    @display(description=_("address"))
    def address_shown(self, row: Any) -> str:
        """From where; of IPv6 the network."""
        return row.ip_address or "-"

    @display(description=_("browser"))
    def browser_shown(self, row: Any) -> str:
        """What the browser says of itself."""
        return row.user_agent


@admin.register(SignIn)
class SignInAdmin(SignInPage):
    """Who signed in."""

    list_display = ["at_shown", "name_shown", "address_shown", "signed_out_shown", "browser_shown"]
    fields = readonly_fields = list_display
    empty_hint = _("Each sign-in is kept here with its time and address.")

    @display(description=_("signed out"))
    def signed_out_shown(self, row: SignIn) -> Any:
        """When they signed out, if they did."""
        return row.logout_time


@admin.register(FailedSignIn)
class FailedSignInAdmin(SignInPage):
    """Who gave a wrong password."""

    list_display = ["at_shown", "name_shown", "address_shown", "locked_shown", "browser_shown"]
    list_filter = ["locked_out", "attempt_time"]
    fields = readonly_fields = list_display
    empty_hint = _("Wrong passwords are kept here with their time and address.")

    @display(description=_("what came of it"))
    def locked_shown(self, row: FailedSignIn) -> str:
        """Whether it was the one that locked the name."""
        return badge(_("locked"), "danger") if row.locked_out else badge(_("refused"))


@admin.register(SignInLock)
class SignInLockAdmin(SignInPage):
    """Failures in a row, and the way to lift a lock."""

    list_display = ["name_shown", "address_shown", "failures_shown", "state_shown", "at_shown", "browser_shown"]
    fields = readonly_fields = list_display
    actions = ["unlock_selected"]
    actions_detail = ["unlock"]
    empty_hint = _("Nobody has failed to sign in lately.")

    @display(description=_("failures in a row"), ordering="failures_since_start")
    def failures_shown(self, row: SignInLock) -> int:
        """With this browser."""
        return int(row.failures_since_start)

    @display(description=_("state"))
    def state_shown(self, row: SignInLock) -> str:
        """Whether the name is locked at this address, and until when."""
        pair = (row.username, row.ip_address)
        ends = sign_ins.lock_ends(sign_ins.failures_of([pair]).get(pair, []))
        if ends is None:
            return badge(_("not locked"))
        return badge(_("locked until %(time)s") % {"time": timezone.localtime(ends).strftime("%H:%M:%S")}, "danger")

    @action(
        description=_("Unlock"), url_path="unlock", permissions=["unlock"], icon="lock_open",
        dialog=dialog(
            _("Lift this lock?"), _("The name may be tried again at once from this address."), _("Unlock")
        ),
    )  # fmt: skip
    def unlock(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Forget the failures."""
        self._lift(request, self.get_queryset(request).filter(pk=object_id))
        return go(request, reverse("admin:merchants_signinlock_changelist"))

    @admin.action(description=_("Unlock the selected"), permissions=["unlock"])
    def unlock_selected(self, request: HttpRequest, rows: QuerySet[SignInLock]) -> None:
        """Forget the failures of all of them."""
        self._lift(request, rows)

    def has_unlock_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the user may lift locks."""
        return request.user.has_perm("merchants.delete_signinlock")

    def _lift(self, request: HttpRequest, rows: QuerySet[SignInLock]) -> None:
        with transaction.atomic():
            for row in rows:
                note(request, row, _("Lifted the lock of %(name)s."), name=str(row))
            count = sign_ins.unlock(rows)
        said = ngettext("%(count)s lock lifted.", "%(count)s locks lifted.", count)
        messages.success(request, said % {"count": count})


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnly, PortalAdmin):
    """Whose phone shows codes. It is set up by its owner alone, and reset on the user's page."""

    list_display = ["user", "state_shown", "set_up_shown", "used_shown"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    search_help_text = _("User name")
    ordering = ["-id"]
    fields = readonly_fields = list_display
    empty_hint = _("Each member of staff sets two-factor sign-in up for themselves, in the menu at their name.")

    @display(description=_("state"))
    def state_shown(self, device: Authenticator) -> str:
        """Ready, being set up, or paused after wrong codes."""
        if not device.confirmed:
            return badge(_("being set up"), "warning")
        if device.throttling_failure_count:
            return badge(_("wrong codes: %(count)s") % {"count": device.throttling_failure_count}, "danger")
        return badge(_("in use"), "success")

    @display(description=_("set up"), ordering="created_at")
    def set_up_shown(self, device: Authenticator) -> Any:
        """Since when."""
        return device.created_at

    @display(description=_("last used"), ordering="last_used_at")
    def used_shown(self, device: Authenticator) -> Any:
        """When a code of it was taken last."""
        return device.last_used_at
