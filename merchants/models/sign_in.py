"""How staff signed in, as the portal shows it: the tables of django-axes and django-otp under names of our own.

Those of django-axes are proxies, so that lists, permissions and words are ours. The phone has a column besides that of
django-otp, which would keep the key readable: whoever has it makes the codes.
"""

from binascii import unhexlify
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice, default_key

from merchants.secrets import EncryptedTextField

SEALED = "sealed"  # in the package's column: no hex digits, so that nothing can be verified with it


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

    secret = EncryptedTextField(default=default_key, editable=False)  # hex

    class Meta:
        verbose_name = _("two-factor device")
        verbose_name_plural = _("two-factor devices")
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return str(self.user)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Leave no key in the package's column."""
        self.key = SEALED
        super().save(*args, **kwargs)

    @property
    def bin_key(self) -> bytes:
        """What django-otp makes codes with."""
        return unhexlify(self.secret)
