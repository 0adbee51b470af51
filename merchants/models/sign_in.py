"""How staff signed in, as the portal shows it: the tables of django-axes and django-otp under names of our own.

These are proxies, so that lists, permissions and words are ours; the packages alone write their tables.
"""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice


class SignIn(AccessLog):
    """That someone gave the right password, when and from where, and when they signed out."""

    class Meta:
        proxy = True
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.username)


class FailedSignIn(AccessFailureLog):
    """That someone gave a wrong password."""

    class Meta:
        proxy = True
        verbose_name = _("failed sign-in")
        verbose_name_plural = _("failed sign-ins")
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.username)


class SignInLock(AccessAttempt):
    """Failures in a row under one name from one address with one browser; enough of them lock the name there."""

    class Meta:
        proxy = True
        verbose_name = _("sign-in lock")
        verbose_name_plural = _("sign-in locks")
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return f"{self.username} · {self.ip_address or '-'}"


class Authenticator(TOTPDevice):
    """The app on somebody's phone that shows the codes of two-factor sign-in."""

    class Meta:
        proxy = True
        verbose_name = _("two-factor device")
        verbose_name_plural = _("two-factor devices")
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return str(self.user)
