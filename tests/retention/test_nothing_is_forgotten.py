"""Every column that can hold what someone wrote or sent has been thought about: a new one fails here until it has."""

from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from integrations.retention.contents import BLANK
from integrations.retention.kinds import KINDS
from merchants.secrets import EncryptedTextField

PAGE = (Path(settings.BASE_DIR) / "docs/retention.md").read_text()
APPS = ("merchants", "coupons", "integrations")

# Columns of any text that say nothing of a customer: words about coupons, merchants and ourselves.
ABOUT_NOBODY = {
    "coupons.CouponTemplate.menu_ids", "coupons.CouponTemplate.shop_entity_ids", "coupons.CouponTemplate.use_weekdays",
    "coupons.CouponTemplate.use_times", "coupons.CouponTemplate.use_dates", "coupons.CouponTemplate.blackout_dates",
    "coupons.CouponTemplate.channels", "coupons.CouponTemplate.notice", "coupons.TemplateVersion.terms_json",
    "coupons.Batch.summary", "coupons.Approval.asked",
    "integrations.PartnerApp.scopes", "integrations.WebhookEndpoint.events",
    "integrations.ApiKey.allowed_addresses",
    "merchants.SmartCouponAccount.allowed_addresses",
    "integrations.Incident.figures", "integrations.UnknownCodes.latest",
}  # fmt: skip


def free_columns() -> list[str]:
    """The text and JSON columns of ours that nothing bounds but what is written into them."""
    return sorted(
        f"{model._meta.label}.{field.name}"
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.JSONField) and not isinstance(field, EncryptedTextField)
    )


@pytest.mark.parametrize("column", free_columns())
def test_every_free_column_is_blanked_or_explained(column: str) -> None:
    model, _dot, field = column.rpartition(".")
    blanked = field in BLANK.get(apps.get_model(model), {}) or f"`{model.split('.')[1]}.{field}`" in PAGE
    assert blanked or column in ABOUT_NOBODY, f"{column}: name it in docs/retention.md, or in ABOUT_NOBODY"


def test_no_column_is_excused_that_is_not_there() -> None:
    assert set(free_columns()) >= ABOUT_NOBODY


def test_every_kind_and_its_setting_stand_in_the_document() -> None:
    for kind in KINDS:
        assert f"`{kind.setting}`" in PAGE, kind.name
