"""The one door for what is done rather than changed: repairs, exports, secrets made anew."""

from typing import Any

from django.db.models import Model
from django.utils import translation

from merchants.audit.who import Who, current
from merchants.models import AuditAction, AuditEntry, Customer, Merchant
from merchants.privacy import names_of, without_names

_LONGEST_ACT, _LONGEST_REASON, _LONGEST_NAME = 200, 300, 200
_WAYS = ("coupon", "run", "template", "row", "delivery", "incident")  # to the merchant of a row that has none itself


def record(
    about: Model | type[Model] | None,
    act: str,
    *,
    name: str = "",
    reason: str = "",
    facts: dict[str, Any] | None = None,
    who: Who | None = None,
) -> AuditEntry:
    """Keep that something was done.

    Args:
        about: the row, a model (of a whole list of them), or nothing (the portal).
        act: English words as they stand in the catalogue of translations (`gettext_noop`), with places for `facts`;
            they are read in the language of whoever reads. Words in any language do, too.
        name: of the object, where it is not what the row is called.
        reason: in whoever's own words; the customer's names and mobile numbers are taken out of it.
        who: whoever `current` says.
    """
    who = who or current()
    names = _names(about)
    return AuditEntry.objects.create(
        actor_id=who.id,
        actor=who.actor[:150],
        via=who.via[:200],
        address=who.address[:64],
        request_id=who.request_id[:64],
        kind="" if about is None else about._meta.label_lower,
        object_id=str(about.pk)[:64] if isinstance(about, Model) else "",
        object_name=name[:_LONGEST_NAME] or _name(about, names),
        merchant_id=_merchant_id(about),
        action=AuditAction.ACTED,
        act=without_names(act, names)[:_LONGEST_ACT],
        reason=without_names(reason, names)[:_LONGEST_REASON],
        changes=facts or {},
    )


def _name(about: Model | type[Model] | None, names: set[str]) -> str:
    """As it may be kept for good, and in one language: a customer is told by the id alone, a code not at all."""
    if not isinstance(about, Model) or isinstance(about, Customer):
        return ""
    with translation.override("en"):
        return without_names(str(getattr(about, "name_in_trail", about)), names)[:_LONGEST_NAME]


def _names(about: Any) -> set[str]:
    """What the customer is called whom the row is about."""
    customer = about if isinstance(about, Customer) else _of(about, "customer") or _of(_of(about, "coupon"), "customer")
    return names_of(customer) if isinstance(customer, Customer) else set()


def _merchant_id(about: Any) -> int | None:
    """Whose staff may see the entry."""
    if isinstance(about, Merchant):
        return about.pk
    for row in (about, *(_of(about, way) for way in _WAYS)):
        found = _of(row, "merchant_id")
        if isinstance(found, int) and isinstance(row, Model):
            return found
    return None


def _of(row: Any, name: str) -> Any:
    return getattr(row, name, None) if isinstance(row, Model) else None
