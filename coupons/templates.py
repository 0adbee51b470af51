"""What staff and pushes do with templates: publish, edit, pause, resume, end, delete.

The only writer of a template's status and of its versions. A change of terms never reaches coupons already out: once
one is issued, edited terms become a new version under a new promotion id.
"""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from coupons import counting
from coupons.approvals import lapsing, limits
from coupons.choices import CouponStatus, TemplateStatus
from coupons.codes import new_coupon_id
from coupons.errors import Reason, Refused
from coupons.models import CouponTemplate, TemplateVersion
from coupons.signals import template_deleted, template_ended, template_published, version_published
from coupons.validation import term_problems

_OPEN = (TemplateStatus.PUBLISHED, TemplateStatus.PAUSED)


def lock_template(pk: int) -> CouponTemplate:
    """The template, locked until the transaction ends. Issuing waits, foreign keys to it do not."""
    return CouponTemplate.objects.select_for_update(no_key=True).get(pk=pk)


@transaction.atomic
def publish(template: CouponTemplate, *, held: bool = False, by: Any = None, approved: bool = False) -> TemplateVersion:
    """Open a draft for issuing, or a paused template again.

    `held` lets tills know of it, but leaves it paused until it is published once more.

    Args:
        by: the member of staff who wants it; None for machines, which are not asked for a second person.
        approved: a second person has said yes to it.

    Raises:
        ValidationError: its terms cannot be promised; messages by field.
        Refused: it has ended.
        NeedsApproval: one coupon is worth more than one may publish alone.
    """
    locked = lock_template(template.pk)
    if locked.status not in (TemplateStatus.DRAFT, TemplateStatus.PAUSED):
        raise Refused(Reason.WRONG_STATE)
    if problems := term_problems(locked.terms()):
        raise ValidationError(problems)
    if by is not None and not approved and (need := limits.to_publish(locked)):
        raise limits.NeedsApproval(need)
    _write_status(locked, TemplateStatus.PAUSED if held else TemplateStatus.PUBLISHED)
    template.status = locked.status
    version = _version_of_today(locked)
    if not held:
        template_published.send(CouponTemplate, template=locked)
    return version


@transaction.atomic
def pause(template: CouponTemplate) -> None:
    """Stop issuing for a while; what is out stays valid.

    Raises:
        Refused: it is not published.
    """
    _move(template, {TemplateStatus.PUBLISHED}, TemplateStatus.PAUSED)


@transaction.atomic
def end(template: CouponTemplate) -> None:
    """Stop issuing for good; what is out stays valid.

    Raises:
        Refused: it is a draft or has ended already.
    """
    ended = _move(template, set(_OPEN), TemplateStatus.ENDED)
    lapsing.let_go(template=ended, but_recalls=True)
    template_ended.send(CouponTemplate, template=ended)


@transaction.atomic
def save_edited(template: CouponTemplate, *, by: Any = None, approved: bool = False) -> TemplateVersion | None:
    """Store what staff changed, and let tills know where it concerns them. `by` and `approved` as in `publish`.

    Returns:
        The version that is in force, or None for a draft.

    Raises:
        ValidationError: terms that cannot be promised, or a stock or a budget below what is used of it.
        NeedsApproval: it is open, and would give out more than one may let out alone.
    """
    if template.pk is None:
        template.save()
        return None
    late = counting.late(template)
    stored = lock_template(template.pk)
    if template.stock is not None and template.stock < stored.issued_count:
        raise ValidationError({"stock": [f"{stored.issued_count}: so many have been issued already."]})
    promised = stored.committed_fen + late.money
    if template.budget_fen is not None and template.budget_fen < promised:
        raise ValidationError({"budget_fen": [f"{promised} fen: so much has been promised already."]})
    if problems := term_problems(template.terms()):
        raise ValidationError(problems)
    alone = by is not None and not approved and stored.status in _OPEN
    if alone and (need := limits.to_change(stored, template)):
        raise limits.NeedsApproval(need)
    template.status = stored.status
    template.save()
    counting.count_late(template, late)
    lapsing.look_again(template, before=stored)
    if template.status not in _OPEN:
        return None
    return _version_of_today(template, tell=template.stock != stored.stock)


@transaction.atomic
def delete(template: CouponTemplate) -> None:
    """Remove a template nobody holds a coupon of, here and at dfire. Used ones keep their history: they are ended.

    Raises:
        Refused: coupons of it are out.
    """
    locked = lock_template(template.pk)
    if locked.coupons.filter(status__in=[CouponStatus.ISSUED, CouponStatus.REDEEMING]).exists():
        raise Refused(Reason.OUTSTANDING)
    saved = list(locked.versions.values_list("promotion_id", flat=True))
    template_deleted.send(CouponTemplate, template=locked, promotion_ids=saved)
    lapsing.let_go(template=locked)
    if locked.status in _OPEN:
        _write_status(locked, TemplateStatus.ENDED)
        template_ended.send(CouponTemplate, template=locked)
    if locked.coupons.exists():
        _write_status(locked, TemplateStatus.ENDED)
    else:
        locked.delete()


def _move(template: CouponTemplate, allowed: set[TemplateStatus], to: TemplateStatus) -> CouponTemplate:
    locked = lock_template(template.pk)
    if locked.status not in allowed:
        raise Refused(Reason.WRONG_STATE)
    _write_status(locked, to)
    template.status = to
    return locked


def _write_status(template: CouponTemplate, status: TemplateStatus) -> None:
    template.status = status
    template.save(update_fields=["status"])


def _version_of_today(template: CouponTemplate, *, tell: bool = False) -> TemplateVersion:
    """The version with the template's present terms: the latest, changed in place while nobody holds it, or a new one.

    `tell` sends the signal even where the terms stayed (a till must learn of a larger stock).
    """
    terms = template.terms().to_json()
    latest = template.versions.order_by("-number").first()
    if latest is not None and latest.terms_json == terms:
        if tell:
            version_published.send(TemplateVersion, version=latest)
        return latest
    if latest is None:
        latest = template.versions.create(number=1, promotion_id=template.coupon_id, terms_json=terms)
    elif latest.coupons.exists():
        latest = template.versions.create(number=latest.number + 1, promotion_id=new_coupon_id(), terms_json=terms)
    else:
        latest.terms_json = terms
        latest.save(update_fields=["terms_json"])
    version_published.send(TemplateVersion, version=latest)
    return latest
