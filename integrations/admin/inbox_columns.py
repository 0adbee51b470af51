"""What the list and the page of the inbox show of an entry."""

from typing import Any

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from integrations.admin.inbox_wording import VARIANTS, suggestion_words
from integrations.admin.wording import removed_words
from integrations.models import DfireCallback
from integrations.models.inbox import UNSETTLED_STATES
from merchants.admin.actors import actor_words
from merchants.admin.badges import badge, mono, notice, page_of, pre
from merchants.admin.masking import shown_json, shown_text


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

    @display(description=_("state"), ordering="state")
    def matter_shown(self, callback: DfireCallback) -> str:
        """In the list: of what is unsettled the problem, which says more in fewer words."""
        words = callback.get_problem_display() if callback.state in UNSETTLED_STATES else callback.get_state_display()
        return badge(words, VARIANTS.get(callback.state, "default"))

    @display(description=_("problem"))
    def problem_shown(self, callback: DfireCallback) -> str:
        """What is or was unusual."""
        return callback.get_problem_display() or "-"

    @display(description=_("suggested decision"))
    def suggestion_shown(self, callback: DfireCallback) -> str:
        """What to do, in words, whole under the mouse; of a settled one what was decided."""
        words = suggestion_words(callback) or callback.get_decision_display()
        return format_html('<span class="portal-clip" title="{}">{}</span>', words, words) if words else "-"

    @display(description=_("suggested decision"))
    def suggestion_full(self, callback: DfireCallback) -> str:
        """What to do, so that nobody overlooks it."""
        words = suggestion_words(callback)
        return notice(words) if words else "-"

    @display(description=_("decision"))
    def decision_shown(self, callback: Any) -> str:
        """What was decided by whom and why."""
        if not callback.decision:
            return "-"
        why = shown_text(callback.viewer, callback.note)
        return format_html("{} · {}<br>{}", callback.get_decision_display(), actor_words(callback.decided_by), why)

    @display(description=_("coupon"))
    def coupon_shown(self, callback: DfireCallback) -> str:
        """A link to the coupon."""
        return page_of(callback.coupon)

    @display(description=_("as received"))
    def parameters_shown(self, callback: Any) -> str:
        """The parameters, as far as the user may see."""
        if removed := removed_words(callback):
            return removed
        if not callback.parameters:
            return str(_("No callback came; dfire's list of the customer's coupons shows it."))
        return pre(shown_json(callback.viewer, callback.parameters))
