"""The runbook and the alert rules name what is there: metrics, headings, tests."""

import re
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from integrations.sandbox.server import Sandbox
from merchants.models import DfireAccount

ROOT = Path(settings.BASE_DIR)
RUNBOOK = (ROOT / "docs/operations.md").read_text()
RULES = [
    rule
    for group in yaml.safe_load((ROOT / "docs/prometheus-rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
PART_OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


def told() -> set[str]:
    """The names in `/metrics`, as rules write them."""
    text = Client().get("/metrics").content.decode()
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(text)
    }


def names_in(text: str) -> set[str]:
    """Metrics that a text names."""
    return {PART_OF_A_HISTOGRAM.sub("", name) for name in re.findall(r"\bportal_[a-z_]+", text)}


@pytest.mark.django_db(transaction=True)
def test_the_rules_and_the_runbook_name_the_metrics_that_there_are(account: DfireAccount, sandbox: Sandbox) -> None:
    rows = "".join(line for line in RUNBOOK.splitlines(keepends=True) if line.startswith("| `portal_"))
    assert names_in(rows) == told()
    for rule in RULES:
        assert names_in(rule["expr"]), rule["alert"]
        assert names_in(rule["expr"]) <= told(), rule["alert"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_leads_to_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    headings = {re.sub(r"[^a-z0-9 -]", "", line.lower()).strip().replace(" ", "-") for line in _headings()}
    page, _, heading = rule["annotations"]["runbook"].partition("#")
    assert page == "operations.md"
    assert heading in headings
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("warning", "critical")


def _headings() -> list[str]:
    return [line.lstrip("# ") for line in RUNBOOK.splitlines() if line.startswith("#")]
