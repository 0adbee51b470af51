"""docs/webhooks.md: the partner's program works as written, and what it promises has its tests."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings

from coupons.models import CouponTemplate
from integrations.models import WebhookEndpoint
from integrations.models.partners import WebhookEvent
from integrations.models.webhooks import TEST_EVENT
from integrations.webhooks import driving, resending
from integrations.webhooks.events import new_test
from tests.factories import issued
from tests.webhooks.helpers import states

PAGE = (Path(django_settings.BASE_DIR) / "docs/webhooks.md").read_text()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.django_db(transaction=True)
def test_the_partners_program_takes_events_once_and_refuses_others(
    template: CouponTemplate, endpoint: WebhookEndpoint, settings: LazySettings
) -> None:
    settings.WEBHOOK_TIMEOUT_SECONDS = 10
    program = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert program
    port = _free_port()
    endpoint.url = f"http://127.0.0.1:{port}/"
    endpoint.save()
    receiver = subprocess.Popen(
        [sys.executable, "-c", program[1]], env={"WEBHOOK_SECRET": endpoint.secret, "PORT": str(port)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        coupon = issued(template)
        driving.drain()
        assert states() == ["done"]
        assert len(resending.resend(endpoint.deliveries.all())) == 1
        driving.drain()
        endpoint.secret = "whsec_c29tZWJvZHkgZWxzZQ=="
        endpoint.save()
        outcome = driving.send_test(new_test(endpoint))
        assert outcome is not None
        assert outcome.status == 401
    finally:
        receiver.terminate()
    said, _nothing = receiver.communicate(timeout=10)
    lines = said.splitlines()
    assert (len(lines), lines[0].startswith("coupon.issued "), coupon.code in lines[0]) == (1, True, True)


def test_every_event_is_documented() -> None:
    documented = set(re.findall(r"^\| `([a-z]+\.[a-z]+)` \|", PAGE, re.MULTILINE))
    assert documented == {*WebhookEvent.values, TEST_EVENT}


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:\.\./\w+/)?test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 10
    for file, name in named:
        assert f"def {name}(" in (Path(__file__).parent / file).read_text(), name
