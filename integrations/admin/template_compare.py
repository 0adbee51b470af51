"""The buttons beside a template's sync badge: telling dfire at once, and looking at what dfire has, field by field."""

import threading
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from coupons.admin.extension import Compared, Comparison, speaks_with_dfire
from coupons.admin.wording import shop_names
from coupons.models import CouponTemplate, TemplateVersion
from coupons.sentences import day_in_words
from integrations.admin.remedies import remedy, trouble
from integrations.alerts.faults import advice, figures_of_error
from integrations.dfire import ConfigurationError, DfireError, Promotion
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind
from integrations.outbox.clients import client_for
from integrations.reconcile.promotions import is_promotion_of, same_shops
from integrations.sync.promotion_terms import last_day_of_use
from integrations.sync.telling import tell_now
from merchants.admin.masking import masked_text
from merchants.models import DfireAccount, Merchant

_asking = threading.Semaphore(1)  # of each web process
_SAID: dict[str, Any] = {
    "again": _("dfire is being told once more. The badge shows how far it is."),
    "hurried": _("It was queued already and goes out at once."),
    "retried": _("It had failed; it is being tried again."),
    "sending": _("It is on its way to dfire right now."),
    "never": _("It has not been published yet, so dfire is not told of it."),
}


class DfireTemplates:
    """What the template's page can do at dfire."""

    def tell_now(self, template: CouponTemplate) -> str:
        """Tell dfire at once."""
        done = tell_now(template)
        if done != "waiting":
            return str(_SAID[done])
        rows = OutboxRow.objects.filter(template=template, coupon=None, kind=RowKind.SAVE_PROMOTION)
        return gettext("It waits: %(why)s") % {"why": trouble(rows.latest("pk"))}

    def compare(self, template: CouponTemplate) -> Comparison:
        """Read dfire's list of the merchant's promotions, within the account's time limit, and find the template."""
        version = TemplateVersion.objects.filter(template=template).order_by("-number").first()
        account = template.merchant.dfire_account
        if version is None:
            return Comparison(gettext("It has never been published, so dfire does not have it."), "default")
        if account is None:
            words = gettext("The merchant has no dfire account. Choose one at the merchant first.")
            return Comparison(words, "warning")
        if not _asking.acquire(blocking=False):  # whoever waits for dfire holds one of the web's few threads
            return Comparison(gettext("Somebody is asking dfire already. Try again in a moment."), "warning")
        try:
            listed: list[Promotion] = _listed(account, template.merchant)
        except DfireError as error:
            return Comparison(_could_not_ask(error), "danger")
        except ValueError as error:
            return Comparison(gettext("The account cannot be used: %(why)s") % {"why": error}, "danger")
        finally:
            _asking.release()
        found = next((one for one in listed if is_promotion_of(one, version)), None)
        return _compared(version, template, found) if found else _not_there(version)


def _listed(account: DfireAccount, merchant: Merchant) -> list[Promotion]:
    """The merchant's promotions at dfire. Only looks: a stopped account stays so whatever the answer is."""
    client = client_for(account)
    return list(client.query_promotions(entity_id=merchant.entity_id, plate_entity_id=merchant.plate_entity_id).value)


def _could_not_ask(error: DfireError) -> str:
    what_to_do = (
        advice(figures_of_error(error)) if isinstance(error, ConfigurationError) else remedy(error.result_class)
    )
    said = masked_text(f"{error.code} {error.message}".strip())
    words = gettext("dfire could not be asked: %(said)s. Nothing has been changed. %(remedy)s")
    return words % {"said": said, "remedy": what_to_do}


def _not_there(version: TemplateVersion) -> Comparison:
    if version.saved_at is None:
        return Comparison(gettext("dfire does not have it: it has not been saved there yet."), "warning")
    return Comparison(gettext("dfire does not list it any more, although it was saved there."), "danger")


def _compared(version: TemplateVersion, template: CouponTemplate, found: Promotion) -> Comparison:
    terms, merchant = version.terms, template.merchant
    last = last_day_of_use(terms)
    ours, theirs = list(terms.shop_entity_ids), list(found.chain_store_ids)
    fields = [
        Compared(_("title"), terms.title, found.title, found.title.strip() == terms.title.strip()),
        _day(_("start date"), terms.start_date, found.start_date),
        _day(_("last day of use"), last, found.end_date),
        Compared(
            _("valid in these shops"),
            shop_names(ours, merchant),
            shop_names(theirs, merchant),
            same_shops(set(ours), set(theirs), merchant),
        ),
    ]
    different = sum(not one.same for one in fields)
    if not different:
        return Comparison(gettext("The same here and at dfire, as far as dfire says."), "success", fields)
    words = ngettext(
        "%(count)s field is different at dfire. Sync now writes ours over it.",
        "%(count)s fields are different at dfire. Sync now writes ours over them.",
        different,
    )
    return Comparison(words % {"count": different}, "warning", fields)


def _day(label: Any, ours: Any, theirs: Any) -> Compared:
    """A date that dfire does not give is no other date."""
    there = gettext("not said") if theirs is None else day_in_words(theirs)
    return Compared(label, day_in_words(ours), there, theirs is None or theirs == ours)


speaks_with_dfire(DfireTemplates())
