"""What the list and the page of the outbox show of a row."""

from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from integrations.admin.remedies import RESULT_VARIANTS, STATE_VARIANTS, result_words, trouble, what_to_do
from integrations.models import OutboxRow
from integrations.models.outbox import RowState
from merchants.admin.badges import Variant, badge, notice, page_of


class RowColumns:
    """The computed columns."""

    @display(description=_("kind"), ordering="kind")
    def kind_shown(self, row: OutboxRow) -> str:
        """What is to be told."""
        return row.get_kind_display()

    @display(description=_("about"))
    def subject_shown(self, row: OutboxRow) -> str:
        """The coupon or the template; a deleted template's title."""
        if row.coupon is not None:
            return page_of(row.coupon)
        return page_of(row.template) if row.template else str(row.details.get("title", "-"))

    @display(description=_("state"), ordering="state")
    def state_shown(self, row: OutboxRow) -> str:
        """The state as a badge."""
        return badge(row.get_state_display(), STATE_VARIANTS.get(row.state, "default"))

    @display(description=_("what is the matter"))
    def trouble_shown(self, row: OutboxRow) -> str:
        """The message in words, what to do under the mouse."""
        words = trouble(row)
        return format_html('<span class="portal-clip" title="{}">{}</span>', what_to_do(row), words) if words else "-"

    @display(description=_("what is the matter"))
    def trouble_full(self, row: OutboxRow) -> str:
        """The message in words and what to do."""
        words, advice = trouble(row), what_to_do(row)
        said = format_html("<strong>{}</strong><br>{}", words, advice)
        return notice(said, "danger" if row.state == RowState.DEAD else "warning") if words else "-"

    @display(description=_("last result"))
    def result_shown(self, row: OutboxRow) -> str:
        """The class of the last result."""
        variant: Variant = RESULT_VARIANTS.get(row.last_class, "default")
        return badge(result_words(row.last_class), variant) if row.last_class else "-"
