"""Keys of partner apps in words: whether one is live, and which to end first where two are."""

from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.wording import moment_text
from integrations.models import ApiKey
from integrations.partner_api import keys
from merchants.admin.badges import badge


def state_of(key: ApiKey) -> str:
    """Whether the key opens anything, and until when, as a badge."""
    if not key.is_live(timezone.now()):
        return badge(_("ended"), "default", hint=moment_text(key.expires_at))
    if key.expires_at is None:
        return badge(_("live"), "success")
    return badge(_("live until %(time)s") % {"time": moment_text(key.expires_at)}, "warning")


def in_words(key: ApiKey) -> str:
    """Which key it is, for sentences."""
    used = gettext("never used")
    if key.last_used_at is not None:
        used = gettext("last used %(time)s") % {"time": moment_text(key.last_used_at)}
    return f"{key.prefix}… ({', '.join(word for word in (key.label, used) if word)})"


def too_many(refusal: keys.TooManyKeys) -> str:
    """That two keys are live, and which to end first."""
    words = gettext("Two keys are live: %(keys)s. End one of them first, best %(first)s.")
    return words % {"keys": ", ".join(map(in_words, refusal.live)), "first": f"{refusal.live[0].prefix}…"}
