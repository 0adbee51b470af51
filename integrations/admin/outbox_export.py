"""What files say of the outbox: each row with what is the matter and what to do about it."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from integrations.admin.remedies import result_words, trouble, what_to_do
from integrations.models import OutboxRow
from merchants.admin.export_columns import Column
from merchants.tables import Value


def _about(request: HttpRequest, row: OutboxRow) -> Value:
    if row.coupon is not None:
        return row.coupon.code
    return row.template.title if row.template is not None else str(row.details.get("title", ""))


def _or_nothing(words: Any) -> Value:
    return str(words) or None


ROW = [
    Column(_("number"), lambda request, row: row.pk),
    Column(_("kind"), lambda request, row: str(row.get_kind_display())),
    Column(_("about"), _about),
    Column(_("merchant"), lambda request, row: row.merchant.name),
    Column(_("dfire account"), lambda request, row: row.account.name if row.account else None),
    Column(_("state"), lambda request, row: str(row.get_state_display())),
    Column(_("next call"), lambda request, row: str(row.get_phase_display())),
    Column(_("what is the matter"), lambda request, row: _or_nothing(trouble(row))),
    Column(_("what to do"), lambda request, row: _or_nothing(what_to_do(row))),
    Column(_("last result"), lambda request, row: result_words(row.last_class) if row.last_class else None),
    Column(_("dfire's code"), lambda request, row: row.last_code or None),
    Column(_("tries"), lambda request, row: row.tries),
    Column(_("created"), lambda request, row: row.created_at),
    Column(_("due"), lambda request, row: row.available_at),
    Column(_("settled"), lambda request, row: row.settled_at),
]
