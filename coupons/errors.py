"""Why something asked of a coupon or a template is refused: one enum of stable codes, one exception that carries one.

The codes are read by hooks, the API, the admin and logs; each of them knows by itself what a refusal looks like there.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """The stable codes of refusals, each with its words."""

    TEMPLATE_NOT_PUBLISHED = (
        "template_not_published",
        _("This coupon is not being issued: it is not published."),
    )
    TEMPLATE_OVER = "template_over", _("This coupon is not being issued any more: its end date has passed.")
    OUT_OF_STOCK = "out_of_stock", _("All of these coupons have been issued.")
    OUT_OF_BUDGET = "out_of_budget", _("The money set aside for these coupons has been given out.")
    PERSON_LIMIT = "per_person_limit", _("The customer has as many of these coupons as one person may get.")
    PERSON_DAILY_LIMIT = (
        "per_person_daily_limit",
        _("The customer has got as many of these as one may get in a day."),
    )
    END_PASSED = "expiration_passed", _("The end of validity has passed already.")
    END_BEFORE_START = "ends_before_start", _("It would end before it begins to be valid.")
    REDEEMED = "already_redeemed", _("The coupon has been redeemed.")
    REDEEMING = "redeeming", _("The coupon is being redeemed right now.")
    REVOKED = "revoked", _("The coupon has been revoked.")
    EXPIRED = "expired", _("The coupon has expired.")
    NOT_DELIVERED = "not_delivered", _("The coupon has not reached dfire yet.")
    WAITING = (
        "waiting_for_binding",
        _("The coupon waits for the customer's binding; once it is there, it goes out by itself."),
    )
    WRONG_STATE = "wrong_state", _("The template is not in a state in which this can be done.")
    OUTSTANDING = "coupons_outstanding", _("Coupons of this template are still out; recall them first.")
    BATCH_STATE = "batch_state", _("The batch has moved on meanwhile: this cannot be done to it now.")
    FILE_STATE = "file_state", _("The file has moved on meanwhile: this cannot be done to it now.")
    BATCH_RUNS = "batch_runs", _("The batch is still giving out coupons. Cancel it first, or wait until it is done.")
    WORTH_ROSE = (
        "worth_rose",
        _("Its coupons promise more now than when this batch was started. Resume it: limits are looked at anew."),
    )
    NEEDS_APPROVAL = "needs_approval", _("A second person must approve this: it is above what one may do alone.")
    ASKED_ALREADY = "asked_already", _("This waits for a second person already.")
    APPROVAL_OVER = "approval_over", _("This request is not waiting any more.")
    APPROVAL_LAPSED = (
        "approval_lapsed",
        _("The request has lapsed: what it was about is not any more what was asked for."),
    )
    OWN_REQUEST = "own_request", _("Nobody approves what they have asked for themselves.")
    NOT_APPROVER = "not_approver", _("You need the right to approve, at this merchant.")
    NOT_REQUESTER = "not_requester", _("Only whoever asked can withdraw it.")
    NOTHING_OUT = "nothing_out", _("There is nothing to recall: none of these coupons is out.")
    CUSTOMER_ERASED = "customer_erased", _("This customer has been erased; enter them anew to give them coupons.")
    OTHER_MERCHANT = "other_merchant", _("The customer belongs to another merchant.")
    NOT_REDEEMED = "not_redeemed", _("Only a redeemed coupon can be replaced.")
    REPLACED = "already_replaced", _("The coupon has been replaced already.")
    DELETED_AT_DFIRE = (
        "deleted_at_dfire",
        _("Its template has been deleted at dfire, so no till takes its coupons. Issue one of another template."),
    )
    OPENID_TAKEN = "openid_taken", _("Another customer of this merchant has this openid.")
    NOT_YET_VALID = "not_yet_valid", _("The coupon is not valid yet.")
    WRONG_WEEKDAY = "wrong_weekday", _("The coupon cannot be used on this day of the week.")
    OUTSIDE_HOURS = "outside_hours", _("The coupon cannot be used at this time of day.")
    NOT_ON_THIS_DATE = "not_on_this_date", _("The coupon cannot be used on this date.")
    EXCLUDED_DATE = "excluded_date", _("This date is excluded for the coupon.")
    WRONG_SHOP = "wrong_shop", _("The coupon cannot be used in this shop.")
    WRONG_CHANNEL = "wrong_channel", _("The coupon cannot be used in this way of ordering.")
    BELOW_MINIMUM = "below_minimum", _("The bill is smaller than the least spend.")


class Refused(Exception):
    """A rule says no. Nothing has been changed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason

    @property
    def message(self) -> str:
        """The reason in the words of the active language."""
        return str(self.reason.label)
