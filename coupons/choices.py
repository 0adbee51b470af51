"""Every list of choices about coupons, once: models, forms, API, provisioning and hooks read them here."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Kind(models.TextChoices):
    """What a coupon takes off."""

    CASH = "cash", _("cash")
    DISCOUNT = "discount", _("discount")
    DISH_CASH = "dish_cash", _("cash off a dish")
    DISH_DISCOUNT = "dish_discount", _("discount on a dish")
    DISH_PRICE = "dish_price", _("dish at a special price")

    @property
    def is_discount(self) -> bool:
        """Whether `percent_paid` says what it is worth (else `amount_fen` does)."""
        return self in (Kind.DISCOUNT, Kind.DISH_DISCOUNT)

    @property
    def is_dish(self) -> bool:
        """Whether it holds for named dishes alone (`menu_ids`)."""
        return self in (Kind.DISH_CASH, Kind.DISH_DISCOUNT, Kind.DISH_PRICE)


class TemplateStatus(models.TextChoices):
    """How far a template is. Only a published one is issued; pausing and ending leave what is out valid."""

    DRAFT = "draft", _("draft")
    PUBLISHED = "published", _("published")
    PAUSED = "paused", _("paused")
    ENDED = "ended", _("ended")


class CouponStatus(models.TextChoices):
    """The life of an issued coupon. `coupons.lifecycle` is the only writer."""

    ISSUED = "issued", _("issued")
    REDEEMING = "redeeming", _("redeeming")
    REDEEMED = "redeemed", _("redeemed")
    REVOKED = "revoked", _("revoked")
    EXPIRED = "expired", _("expired")


class Delivery(models.TextChoices):
    """How far the coupon is on its way to dfire. Delivered = dfire said so, or was seen to hold it."""

    QUEUED = "queued", _("queued")
    WAITING = "waiting", _("waiting for the customer's binding")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class Channel(models.TextChoices):
    """Where a coupon may be used."""

    DINE_IN = "dine_in", _("dine in")
    TAKE_AWAY = "take_away", _("take away")


class Weekday(models.IntegerChoices):
    """ISO weekdays: Monday is 1."""

    MONDAY = 1, _("Monday")
    TUESDAY = 2, _("Tuesday")
    WEDNESDAY = 3, _("Wednesday")
    THURSDAY = 4, _("Thursday")
    FRIDAY = 5, _("Friday")
    SATURDAY = 6, _("Saturday")
    SUNDAY = 7, _("Sunday")


class Source(models.TextChoices):
    """Through which door a coupon was issued or redeemed."""

    PUSH = "push", _("smart-coupon push")
    STAFF = "staff", _("staff")
    API = "api", _("partner app")
    TILL = "till", _("till")


class EventKind(models.TextChoices):
    """What can happen to an issued coupon."""

    ISSUED = "issued", _("issued")
    QUEUED = "queued", _("queued for delivery")
    WAITING = "waiting", _("waiting for the customer's binding")
    DELIVERED = "delivered", _("delivered to dfire")
    DELIVERY_FAILED = "delivery_failed", _("delivery failed")
    TRANSFERRED = "transferred", _("given to another customer")
    TRANSFER_FAILED = "transfer_failed", _("back with the giver")
    REDEEMED = "redeemed", _("redeemed")
    REVOKED = "revoked", _("revoked")
    WITHDRAWN = "withdrawn", _("withdrawn at dfire")
    WITHDRAWAL_FAILED = "withdrawal_failed", _("withdrawal at dfire failed")
    EXPIRED = "expired", _("expired")
    FLAGGED = "flagged", _("flagged for staff")
    RECONCILED = "reconciled", _("repair begun after a comparison with dfire")
    REISSUED = "reissued", _("replaced by another coupon")
    REDEEMING = "redeeming", _("a partner began to redeem it")
    NOT_REDEEMED = "not_redeemed", _("not redeemed: it can be used again")


class BatchKind(models.TextChoices):
    """What a batch does to many coupons."""

    ISSUE = "issue", _("issue to many")
    RECALL = "recall", _("recall")


class BatchState(models.TextChoices):
    """How far a batch is. Nothing is issued or revoked before somebody has seen what is to come and said yes."""

    CHECKING = "checking", _("being checked")
    READY = "ready", _("waiting for your yes")
    RUNNING = "running", _("under way")
    PAUSED = "paused", _("paused")
    DONE = "done", pgettext_lazy("batch", "complete")
    CANCELLED = "cancelled", _("cancelled")


class ApprovalAct(models.TextChoices):
    """What waits for a second person (docs/approvals.md)."""

    ISSUE = "issue", _("issue to many")
    RECALL = "recall", _("recall")
    REVOKE = "revoke", _("revoke chosen coupons")
    PUBLISH = "publish", _("publish a template")
    CHANGE = "change", _("change an open template")


class ApprovalState(models.TextChoices):
    """What has become of a request. Only a waiting one can be decided, and once."""

    WAITING = "waiting", _("waiting for approval")
    APPROVED = "approved", _("approved")
    REFUSED = "refused", _("refused")
    WITHDRAWN = "withdrawn", _("withdrawn")
    LAPSED = "lapsed", _("lapsed")


class Lapse(models.TextChoices):
    """Why a request fell away without anybody's word."""

    TOO_OLD = "too_old", _("Nobody decided it in time.")
    CHANGED = "changed", _("What it was about has changed since: it has to be asked anew.")
    REQUESTER = "requester", _("Whoever asked may not do this any more.")
    NOTHING_LEFT = "nothing_left", _("Nothing is left of what it was about.")


TRANSFERS = (EventKind.TRANSFERRED, EventKind.TRANSFER_FAILED)  # their details name both customers, by id
