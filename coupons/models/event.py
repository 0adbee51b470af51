"""The history of an issued coupon: appended to, never changed (a trigger in the database sees to it).

Because it stays for good it holds no personal data: who the customer is, the coupon says by an id. Words that came from
outside (why staff revoked it, what dfire said) are cleared of names as they are stored.
"""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.choices import TRANSFERS, EventKind
from coupons.models.coupon import IssuedCoupon
from merchants.models import Customer
from merchants.privacy import names_of, without_names

# What our own code writes: ids and keys. The text under any other key may hold what someone wrote.
_FACTS = frozenset(
    {"through", "was", "missing", "flag", "callback", "entity_id", "promotion_id", "seen_in_list", "why", "for"}
)


class FactsField(models.JSONField):
    """The details of an event; the holder's names and any mobile number are taken out of texts before storing."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """What is stored of the details."""
        data = super().pre_save(model_instance, add)
        said = {key: value for key, value in data.items() if key not in _FACTS and isinstance(value, str | list | dict)}
        if said and isinstance(model_instance, CouponEvent):
            names = _names_about(model_instance.coupon, data)
            data = {**data, **{key: _cleared(value, names) for key, value in said.items()}}
            setattr(model_instance, self.attname, data)
        return data

    def deconstruct(self) -> Any:
        """To the database it is a JSON column like any other."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.JSONField", args, kwargs


def _names_about(coupon: IssuedCoupon, data: dict[str, Any]) -> set[str]:
    """What the holder is called, and in a transfer who gave and who was given."""
    parties = [data[end] for end in ("from", "to") if isinstance(data.get(end), int)]
    names = {coupon.delivered_openid, coupon.delivered_mobile}
    others = Customer.objects.filter(pk__in=parties) if parties else ()
    return names.union(*map(names_of, {coupon.customer, *others}))


def _cleared(value: Any, names: set[str]) -> Any:
    if isinstance(value, str):
        return without_names(value, names)
    if isinstance(value, list):
        return [_cleared(one, names) for one in value]
    return {key: _cleared(one, names) for key, one in value.items()} if isinstance(value, dict) else value


class CouponEvent(models.Model):
    """One thing that happened to a coupon. Holds ids and facts, no personal data, so that it can stay for good."""

    coupon = models.ForeignKey(
        IssuedCoupon, models.PROTECT, verbose_name=_("coupon"), related_name="events", db_index=False
    )
    at = models.DateTimeField(_("time"))
    kind = models.CharField(_("what happened"), max_length=20, choices=EventKind.choices)
    actor = models.CharField(
        _("by"), max_length=150, help_text=_("staff:name, push:account, api:app, dfire or portal.")
    )
    data = FactsField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("coupon event")
        verbose_name_plural = _("coupon events")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["coupon", "id"], name="event_of_coupon"),
            models.Index(fields=["id"], condition=Q(kind__in=TRANSFERS), name="event_of_transfer"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.actor}"
