"""After a day's work no secret stands anywhere but where it belongs, and no copy of the database opens anything.

Every table, every key of Redis, every line of the log, every page, file and answer is looked through for every secret,
in all the forms in which it could stand there; what is found in the database is tried as a key to everything.
"""

import io
import ipaddress
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django_otp.plugins.otp_static.models import StaticDevice

from config import logs
from config.sign_in.stored_sessions import SessionStore
from integrations.dfire.signing import sign
from integrations.models import ApiCall, ApiKey, WebhookAttempt
from integrations.partner_api.keys import found_by
from integrations.sandbox.server import Sandbox
from integrations.sandbox.signing import platform_sign_body
from integrations.smart_coupon import tokens
from integrations.webhooks import signing
from merchants import two_factor
from merchants.models import Authenticator, MerchantScope
from tests.alerts.receivers import web_server
from tests.hooks.helpers import callback
from tests.hooks.revisions import campaign
from tests.people.conftest import PASSWORD
from tests.people.signing import later
from tests.secrets import full_run, places, work
from tests.secrets.full_run import MOBILE, Run
from tests.webhooks.partner import Partner

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log() -> Iterator[Any]:
    """Everything that any logger says: as production writes it, and before it is masked."""
    written, raw = io.StringIO(), io.StringIO()
    handlers = [logging.StreamHandler(written), logging.StreamHandler(raw)]
    handlers[0].setFormatter(logs.formatter("json"))
    handlers[1].setFormatter(logging.Formatter("%(name)s %(message)s"))
    root = logging.getLogger()
    for handler in handlers:
        root.addHandler(handler)
    yield lambda: (written.getvalue(), raw.getvalue())
    for handler in handlers:
        root.removeHandler(handler)


@pytest.fixture
def run(administrator: User, tmp_path: Path, log: Any, settings: LazySettings) -> Iterator[Run]:
    """The day's work, done."""
    settings.OUTBOUND_ALLOWED_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]
    settings.WEBHOOK_TIMEOUT_SECONDS = 1
    settings.HOOK_RATE_LIMIT = settings.API_RATE_LIMIT = 0
    settings.REQUIRE_TWO_FACTOR = True
    known, partner = full_run.new_secrets(), Partner()
    server = Sandbox("127.0.0.1", 0, full_run.sandbox_file(tmp_path, known), tmp_path / "sandbox.sqlite3")
    server.start()
    with web_server() as told:
        day = Run(server, partner, told, administrator, known)
        try:
            full_run.provisioned(day, tmp_path)
            full_run.signed_in(day)
            full_run.edited(day)
            for doing in (
                *(work.pushed, work.delivered, work.called_back, work.called, work.reported),
                *(work.partners_told, work.people_told, work.tried_at_the_door),
            ):
                doing(day)
            day.secrets |= {"SECRET_KEY": settings.SECRET_KEY, "encryption key": settings.FIELD_ENCRYPTION_KEYS[0]}
            yield day
        finally:
            partner.stop()
            server.stop()


def test_no_secret_and_no_whole_number_is_where_it_does_not_belong(run: Run, log: Any) -> None:
    known = run.secrets
    assert len(known) > 20
    assert places.found_in([("itself", " ".join(known.values()))], known) == [f"{name}: itself" for name in known]
    written, raw = log()
    assert "refused a call" in raw
    assert places.found_in(places.tables(), known) == []
    assert places.found_in(places.redis(), known) == []
    assert places.found_in(places.words_of_rows(), known) == []
    told_on_purpose = {"token", "token before"}  # on their account's page, to be copied
    assert places.found_in([("log", written), ("raw log", raw), *run.outputs], known) == ["token before: smart form"]
    found = places.found_in(places.pages(run.client), known)
    assert {name.partition(":")[0] for name in found} <= told_on_purpose, found
    assert all("/smartcouponaccount/" in one and "/change/" in one for one in found), found
    _no_numbers(run, written, raw)


def _no_numbers(run: Run, written: str, raw: str) -> None:
    for place, text in (
        ("log", written), ("raw log", raw), *places.redis(), *places.words_of_rows(),
        *((f"LogEntry {row.pk}", f"{row.object_repr} {row.change_message}") for row in LogEntry.objects.all()),
        *((f"ApiCall {row.pk}", f"{row.path} {row.body} {row.answer}") for row in ApiCall.objects.all()),
        *((f"WebhookAttempt {row.pk}", row.answer) for row in WebhookAttempt.objects.all()),
    ):  # fmt: skip
        assert MOBILE not in text, f"{place}: {text[:2000]}"
    user = User.objects.create_user("ops", password=PASSWORD, is_staff=True)
    user.groups.set(Group.objects.filter(name="Operations"))
    MerchantScope.objects.create(user=user).merchants.add(run.merchant)
    client = full_run.browser_at(user.username)
    for address, text in places.pages(client):
        assert MOBILE not in text, address


def test_a_copy_of_the_database_opens_nothing(run: Run) -> None:
    """Not one text that stands in it is a token, a key, a cookie, a code, or signs anything."""
    texts = places.values()
    assert len(texts) > 300
    assert not [text for text in texts if tokens.account_of(text) is not None]
    assert not [text for text in texts if ApiKey.objects.filter(key_hash__in=found_by(text)).exists()]
    assert not [text for text in texts if len(text) >= 8 and SessionStore(text).load()]
    form = callback(run.account, "1")
    assert form["sign"] not in {sign(form, text) for text in texts}
    body = campaign(2)
    right = platform_sign_body(body, run.platform.developer_key)
    assert right not in {platform_sign_body(body, text) for text in texts}
    webhooks = {run.secrets["webhook"], run.secrets["webhook before"]}
    assert not [text for text in texts if _signs(text) & {word for one in webhooks for word in _signs(one)}]
    device = Authenticator.objects.get()
    assert device.bin_key not in {made for text in texts for made in _keys(text)}
    for text in texts:
        later(device)
        StaticDevice.objects.update(throttling_failure_timestamp=None)
        assert text.isdigit() or two_factor.check(run.user, text).device is None, text
    for hashed in ApiKey.objects.values_list("key_hash", flat=True):
        assert run.api.send("GET", "coupon-templates/", authorization=f"Api-Key {hashed}").status_code == 401


def _signs(secret: str) -> set[str]:
    try:
        said = signing.headers("msg_1", "{}", [secret], datetime(2026, 1, 1, tzinfo=UTC))
    except signing.UnusableSecret:
        return set()
    return {said["webhook-signature"]}


def _keys(text: str) -> list[bytes]:
    try:
        return [text.encode(), bytes.fromhex(text)]
    except ValueError:
        return [text.encode()]
