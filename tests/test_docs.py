"""What the documents show works as it stands there."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

from coupons.models import CouponTemplate
from integrations.provisioning.run import provision

DOCS = Path(settings.BASE_DIR) / "docs"


@pytest.mark.django_db
def test_the_provisioning_example_is_taken_as_written() -> None:
    block = re.search(r"```json\n(.*?)```", (DOCS / "provisioning.md").read_text(), re.DOTALL)
    assert block
    document = json.loads(block[1])
    assert provision(document)
    assert provision(document) == []
    assert CouponTemplate.objects.get(reference="tea-5").status == "published"


def test_every_link_and_picture_in_the_documents_is_there() -> None:
    root = DOCS.parent
    for page in [*root.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(root)}: {target}"


def test_every_test_that_a_document_names_is_there() -> None:
    """`::test_…` alone is one of the file that was named before it."""
    root, seen = DOCS.parent, 0
    for page in [*root.glob("*.md"), *DOCS.rglob("*.md")]:
        file = Path()
        for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(test_\w+))?`", page.read_text()):
            file, seen = root / path if path else file, seen + bool(path or test)
            assert not path or file.exists(), f"{page.relative_to(root)}: {path}"
            assert not test or f"def {test}(" in file.read_text(), f"{page.relative_to(root)}: {test}"
    assert seen > 150


def test_every_setting_that_is_read_is_documented() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (Path(settings.BASE_DIR) / "config/settings.py").read_text()))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (DOCS / "operations.md").read_text(), re.MULTILINE))
    assert read == documented
