"""What makes guessing codes hopeless: an app may ask for few codes that are not there, however long it takes.

A code is 16 digits of `secrets`, one of SPACE. Where OUT coupons that can be used are out at an app's merchants, one
guess meets one of them with the chance OUT / SPACE. So what counts is how many guesses there are in a year:

- Each different unknown code counts one against the *app*, whichever of its keys asks, in PostgreSQL. An app that may
  read coupons is not counted: it can list its merchants' codes, so there is nothing for it to guess.
- A day takes A_DAY away from the count, and each coupon that the app redeems takes one: who works with real coupons
  pays for typing errors with them, and a guesser would pay for each guess with a coupon.
- At API_UNKNOWN_CODES_IN_ALL the app is *held*: whatever code it names is answered 429, whether it is there or not,
  until staff let it go on. They are told at once. What the app issued or began to redeem itself it may still ask for,
  as its code is no news to it.

`guesses_a_year` is the sum of it and `chance_a_year` what a guesser gains, which tests/attack/test_guessing.py judges.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from coupons.choices import EventKind
from coupons.codes import CODE_DIGITS
from coupons.models import CouponEvent
from integrations.alerts.incidents import close_incident, raise_incident
from integrations.models import ApiKey, PartnerApp, PartnerOrder, UnknownCodes
from integrations.models.alerts import IncidentKind
from integrations.models.orders import OrderState
from integrations.models.partners import Scope
from integrations.partner_api.errors import ApiCode, ApiRefused
from merchants.secrets import keyed_hashes

SPACE = 9 * 10 ** (CODE_DIGITS - 1)  # the first digit is not 0
OUT = 10_000_000  # coupons that can be used, at the merchants of one app
A_DAY = 1
IN_FLIGHT = 64  # calls that are under way when an app comes to be held, at most one a web thread
RELEASES_A_YEAR = 1  # how often staff are thought to let a guesser go on
_DAY = timedelta(days=1)
_OF_A_HASH = 16  # hex digits that tell two codes apart
_RETRY_SECONDS = 3600  # nobody knows when staff will have looked at it


def guesses_a_year() -> int:
    """How many codes a guesser can try in a year who redeems nothing."""
    one_stretch = settings.API_UNKNOWN_CODES_IN_ALL + IN_FLIGHT
    return int(one_stretch * (1 + RELEASES_A_YEAR) + 365 * A_DAY)


def chance_a_year(out: int = OUT) -> float:
    """The chance (0 to 1) that one of them meets a coupon that can be used, of so many that are out."""
    return guesses_a_year() * out / SPACE


def check_held(key: ApiKey, code: str) -> None:
    """Turn a held app away, unless the code is one that it knows from its own doing.

    Raises:
        ApiRefused: 429, which says nothing of whether the code is there.
    """
    if _is_counted(key.app) and is_held(key.app) and not _is_its_own(key.app, code):
        raise refusal()


def count(app: PartnerApp, code: str) -> bool:
    """Count a code that is not there for the app; one of those that it asked for last is no other guess.

    Returns:
        Whether the app is held.
    """
    if not _is_counted(app):
        return False
    asked = keyed_hashes(code)[0][:_OF_A_HASH]
    with transaction.atomic():
        now = timezone.now()
        UnknownCodes.objects.bulk_create([UnknownCodes(app=app, counted_at=now)], ignore_conflicts=True)
        kept = UnknownCodes.objects.select_for_update(no_key=True).get(app=app)
        if asked in kept.latest:
            return kept.held_at is not None
        kept.latest = [*kept.latest, asked][-settings.API_UNKNOWN_CODES_IN_ALL :]
        paid = A_DAY * (now - kept.counted_at) / _DAY + _redeemed_since(app, kept)
        kept.count, kept.counted_at = max(kept.count - paid, 0) + 1, now
        if kept.held_at is None and round(kept.count) >= settings.API_UNKNOWN_CODES_IN_ALL:
            _hold(kept)
        kept.save()
    return kept.held_at is not None


@transaction.atomic
def let_go_on(app: PartnerApp) -> bool:
    """Hold the app no longer, and forget what stood against it.

    Returns:
        Whether it was held.
    """
    held = UnknownCodes.objects.filter(app=app, held_at__isnull=False).update(held_at=None, count=0)
    close_incident(IncidentKind.CODES_GUESSED, subject=_subject(app))
    return bool(held)


def is_held(app: PartnerApp) -> bool:
    """Whether the app gets no answers about codes."""
    return UnknownCodes.objects.filter(app=app, held_at__isnull=False).exists()


def refusal() -> ApiRefused:
    """What a held app is told."""
    words = gettext("This app has asked for too many codes that are not there. Ask the portal's staff to let it go on.")
    refused = ApiRefused(ApiCode.TOO_MANY_UNKNOWN_CODES, words)
    refused.wait = _RETRY_SECONDS
    return refused


def _is_counted(app: PartnerApp) -> bool:
    return bool(settings.API_UNKNOWN_CODES_IN_ALL) and Scope.COUPONS_READ not in app.scopes


def _is_its_own(app: PartnerApp, code: str) -> bool:
    given = CouponEvent.objects.filter(coupon__code=code, kind=EventKind.ISSUED, actor=f"api:{app.name}")
    return given.exists() or PartnerOrder.objects.filter(coupon__code=code, app=app).exists()


def _redeemed_since(app: PartnerApp, kept: UnknownCodes) -> int:
    """How many coupons the app has redeemed since its last unknown code; more than it can use are not counted."""
    orders = PartnerOrder.objects.filter(app=app, state=OrderState.REDEEMED, settled_at__gt=kept.counted_at)
    return len(orders.order_by().values_list("pk", flat=True)[: settings.API_UNKNOWN_CODES_IN_ALL])


def _hold(kept: UnknownCodes) -> None:
    kept.held_at = kept.counted_at
    few = list(kept.app.merchants.order_by("pk")[:2])
    raise_incident(
        IncidentKind.CODES_GUESSED,
        merchant=few[0] if len(few) == 1 else None,  # of several, administrators are told
        subject=_subject(kept.app),
        figures={"app": kept.app.name, "count": settings.API_UNKNOWN_CODES_IN_ALL},
        page=reverse("admin:integrations_unknowncodes_change", args=[kept.app.pk]),
    )


def _subject(app: PartnerApp) -> str:
    return f"app:{app.pk}"
