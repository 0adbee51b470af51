"""What the list and the page of the inbox show of a callback."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from integrations import inbox
from integrations.admin.wording import removed_words
from integrations.models import DfireCallback
from integrations.models.inbox import CallbackState
from merchants.admin.badges import Variant, badge, mono, notice, page_of, pre
from merchants.admin.masking import shown_json

VARIANTS: dict[str, Variant] = {
    CallbackState.APPLIED: "success",
    CallbackState.REPEATED: "info",
    CallbackState.UNKNOWN_COUPON: "warning",
    CallbackState.OTHER_ACCOUNT: "danger",
    CallbackState.SETTLED: "default",
}
SUGGESTIONS = {
    inbox.SUGGEST_WAIT: _(
        "No coupon has this code yet. It is tried again by itself; if it never fits, settle it by hand."
    ),
    inbox.SUGGEST_CHECK_ACCOUNT: _(
        "The coupon's merchant uses another dfire account. Check the account at the merchant, then try again."
    ),
}


class CallbackColumns:
    """The computed columns."""

    @display(description=_("code"))
    def code_shown(self, callback: DfireCallback) -> str:
        """The code."""
        return mono(callback.code)

    @display(description=_("state"), ordering="state")
    def state_shown(self, callback: DfireCallback) -> str:
        """The state as a badge."""
        return badge(callback.get_state_display(), VARIANTS.get(callback.state, "default"))

    @display(description=_("suggested decision"))
    def suggestion_shown(self, callback: DfireCallback) -> str:
        """What to do, in words."""
        return str(SUGGESTIONS.get(callback.suggestion, callback.suggestion)) or "-"

    @display(description=_("suggested decision"))
    def suggestion_full(self, callback: DfireCallback) -> str:
        """What to do, so that nobody overlooks it."""
        words = SUGGESTIONS.get(callback.suggestion, callback.suggestion)
        return notice(words) if words else "-"

    @display(description=_("coupon"))
    def coupon_shown(self, callback: DfireCallback) -> str:
        """A link to the coupon."""
        return page_of(callback.coupon)

    @display(description=_("as received"))
    def parameters_shown(self, callback: Any) -> str:
        """The parameters, as far as the user may see."""
        return removed_words(callback) or pre(shown_json(callback.viewer, callback.parameters))
