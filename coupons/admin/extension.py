"""Where layers above add to these pages what they alone know, without being imported here.

The integrations application says how far a template is at dfire and compares it with what is there, what was said about
a coupon to and by others, and what the erasure of a customer still waits for.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from django.http import HttpRequest

from coupons.admin.timeline import Entry, edits, events
from coupons.models import CouponTemplate, IssuedCoupon
from merchants.admin.badges import Variant
from merchants.models import Erasure


class Sync(NamedTuple):
    """How far a template is at dfire: a badge, and what to do about it."""

    label: Any
    variant: Variant
    hint: str


class Compared(NamedTuple):
    """One field of a template on both sides, in words."""

    label: Any
    here: str
    there: str
    same: bool


class Comparison(NamedTuple):
    """What a template's comparison with dfire brought: the outcome in words, and the fields, where there are any."""

    words: str
    variant: Variant
    fields: Sequence[Compared] = ()


class DfireSide(Protocol):
    """What can be done about a template at dfire."""

    def tell_now(self, template: CouponTemplate) -> str:
        """Have dfire told of the present terms at once; what came of it, in words. Refused where it must not be."""
        ...

    def compare(self, template: CouponTemplate) -> Comparison:
        """Look at what dfire has. Touches the network: not inside a transaction."""
        ...


class OpenRedemptions(Protocol):
    """What can be done about a partner's redemption that dfire has left open."""

    def can_decide(self, coupon: IssuedCoupon) -> bool:
        """Whether staff may decide it now."""
        ...

    def decide(self, coupon: IssuedCoupon, *, redeemed: bool, actor: str) -> bool:
        """Decide it; False where it was not staff's to decide any more. `actor`: `staff:name`."""
        ...


class Left(NamedTuple):
    """Something to know or to wait for: in words, how grave, and where to look at it."""

    words: str
    variant: Variant
    link: str = ""


TemplateSync = Callable[[Sequence[CouponTemplate]], dict[int, Sync]]
TimelineSource = Callable[[HttpRequest, IssuedCoupon], Iterable[Entry]]
ErasureProgress = Callable[[Erasure], list[Left]]
DfireAdvice = Callable[[IssuedCoupon], list[Left]]

_template_sync: list[TemplateSync] = []
_dfire_side: list[DfireSide] = []
_open_redemptions: list[OpenRedemptions] = []
_erasure_progress: list[ErasureProgress] = []
_dfire_advice: list[DfireAdvice] = []
_timeline_sources: list[TimelineSource] = [events, edits]


def tells_template_sync(source: TemplateSync) -> TemplateSync:
    """Register what knows how far templates are; by the template's primary key."""
    _template_sync[:] = [source]
    return source


def speaks_with_dfire(side: DfireSide) -> None:
    """Register what tells dfire of templates and asks it about them."""
    _dfire_side[:] = [side]


def dfire_side() -> DfireSide | None:
    """What tells dfire of templates; None where nothing does."""
    return _dfire_side[0] if _dfire_side else None


def decides_redemptions(side: OpenRedemptions) -> None:
    """Register what knows of redemptions that dfire has left open."""
    _open_redemptions[:] = [side]


def open_redemptions() -> OpenRedemptions | None:
    """What knows of redemptions that dfire has left open; None where nothing does."""
    return _open_redemptions[0] if _open_redemptions else None


def tells_of_coupons(source: TimelineSource) -> TimelineSource:
    """Register what adds to the timeline of a coupon."""
    _timeline_sources.append(source)
    return source


def tells_of_erasures(source: ErasureProgress) -> ErasureProgress:
    """Register what knows how far the erasure of a customer is."""
    _erasure_progress[:] = [source]
    return source


def tells_of_dfire(source: DfireAdvice) -> DfireAdvice:
    """Register what knows what dfire has not been told of a coupon, and what to do about it."""
    _dfire_advice[:] = [source]
    return source


def dfire_advice(coupon: IssuedCoupon) -> list[Left]:
    """What dfire has not been told of a coupon yet, and what to do about it; nothing where all is well."""
    return _dfire_advice[0](coupon) if _dfire_advice else []


def left_to_erase(erasure: Erasure) -> list[Left]:
    """What an erasure still waits for; nothing once it is finished."""
    return _erasure_progress[0](erasure) if _erasure_progress and erasure.finished_at is None else []


def template_sync(templates: Sequence[CouponTemplate]) -> dict[int, Sync]:
    """How far each of these templates is at dfire, asked once for all of them."""
    return _template_sync[0](templates) if _template_sync and templates else {}


def timeline_of(request: HttpRequest, coupon: IssuedCoupon) -> list[Entry]:
    """Everything that is known to have happened to a coupon, in the order of time."""
    entries = [entry for source in _timeline_sources for entry in source(request, coupon)]
    return sorted(entries, key=lambda entry: (entry.at, entry.rank))
