"""The inbox in words: what is unusual about an entry, what the portal suggests, and which decision that would be."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from integrations.inbox import Suggestion
from integrations.models import DfireCallback
from integrations.models.inbox import CallbackState, Decision
from merchants.admin.badges import Variant

VARIANTS: dict[str, Variant] = {
    CallbackState.APPLIED: "success",
    CallbackState.REPEATED: "info",
    CallbackState.UNKNOWN_COUPON: "warning",
    CallbackState.OTHER_ACCOUNT: "danger",
    CallbackState.REVIEW: "warning",
    CallbackState.SETTLED: "default",
    CallbackState.WAITS: "info",
}
_SUGGESTIONS = {
    Suggestion.WAIT: _(
        "Wait. No coupon has this code yet; the redemption is applied by itself as soon as one appears."
    ),
    Suggestion.RECONCILE: _(
        "Look for the coupon. Its promotion is known here, the code is not: it may have been lost in a restore. "
        "Reconcile with dfire; the redemption is applied as soon as the coupon is here."
    ),
    Suggestion.NOT_OURS: _(
        "Dismiss it, unless the shop says otherwise. The portal gives out no such code, or none appeared within a day: "
        "the coupon was probably given out by someone else."
    ),
    Suggestion.CHECK_ACCOUNT: _(
        "Check the dfire account at the merchant. If the merchant has moved, choose the account there and the "
        "redemption is applied by itself; if the shop is the merchant's all the same, apply it to the coupon by hand."
    ),
    Suggestion.ACCEPT: _(
        "Accept the discount. The coupon was over here, but dfire had not been told yet, so the till could not know."
    ),
    Suggestion.ASK_SHOP: _(
        "Talk to the shop. The coupon had been withdrawn at dfire before, so the till should have refused it."
    ),
}
SUGGESTED: dict[str, Any] = {
    Suggestion.WAIT: _("wait"),
    Suggestion.RECONCILE: _("look for the coupon"),
    Suggestion.NOT_OURS: _("dismiss it"),
    Suggestion.CHECK_ACCOUNT: _("check the dfire account"),
    Suggestion.ACCEPT: _("accept the discount"),
    Suggestion.ASK_SHOP: _("talk to the shop"),
}
_DECISIONS: dict[str, Decision] = {
    Suggestion.NOT_OURS: Decision.DISMISSED,
    Suggestion.ACCEPT: Decision.ACCEPTED,
    Suggestion.ASK_SHOP: Decision.ASKED,
}


def suggestion_words(callback: DfireCallback) -> str:
    """What the portal suggests, in words; "" for what is settled."""
    return str(_SUGGESTIONS.get(callback.suggestion, callback.suggestion))  # type: ignore[call-overload]


def suggested_decision(callback: DfireCallback) -> str:
    """The decision that the suggestion comes to, where it is one of staff's."""
    return _DECISIONS.get(callback.suggestion, "")
