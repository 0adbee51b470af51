"""How far templates are at dfire, for their list and pages: from the outbox's save rows and the versions' own marks."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from coupons.admin.extension import Sync, tells_template_sync
from coupons.choices import TemplateStatus
from coupons.models import CouponTemplate, TemplateVersion
from integrations.admin.remedies import remedy, trouble
from integrations.models import OutboxRow
from integrations.models.outbox import RowKind, RowState


@tells_template_sync
def template_sync(templates: Sequence[CouponTemplate]) -> dict[int, Sync]:
    """The latest save of each template's latest version, in two queries for all of them."""
    versions = TemplateVersion.objects.filter(template__in=templates).order_by("template_id", "-number")
    latest = {version.template_id: version for version in versions.distinct("template_id")}
    saves = OutboxRow.objects.filter(coupon=None, kind=RowKind.SAVE_PROMOTION, version__in=latest.values()).order_by(
        "pk"
    )
    last_save = {save.version_id: save for save in saves}
    return {
        template.pk: _sync(
            template, latest.get(template.pk), last_save.get(getattr(latest.get(template.pk), "pk", None))
        )
        for template in templates
    }


def _sync(template: CouponTemplate, version: TemplateVersion | None, save: OutboxRow | None) -> Sync:
    if version is None:
        hint = _("dfire is told when it is published.") if template.status == TemplateStatus.DRAFT else ""
        return Sync(_("not told"), "default", str(hint))
    if save is not None and save.state == RowState.DEAD:
        return Sync(_("failed"), "danger", f"{trouble(save)} {remedy(save.last_class)}".strip())
    if save is not None and save.state == RowState.WAITING:
        return Sync(_("waiting"), "warning", trouble(save))
    if save is not None and save.state in (RowState.QUEUED, RowState.SENDING):
        return Sync(_("queued"), "info", trouble(save))
    return Sync(_("saved"), "success", "") if version.saved_at else Sync(_("not told"), "warning", "")
