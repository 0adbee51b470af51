"""What Django, the log and our own objects tell of an error holds no secret, whatever the failing code had in hand."""

import dataclasses
import importlib
import logging
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as configured
from django.test import RequestFactory
from django.utils.log import AdminEmailHandler
from django.views.debug import technical_500_response

from integrations.consume.client import Credentials, Outcome
from integrations.dfire.codes import ResultClass
from integrations.webhooks.sending import Letter
from merchants.models import DfireAccount, SmartCouponAccount
from tests.config.conftest import lines

__all__ = ["lines"]

SECRET, MOBILE, TOKEN = "s3cr3t-Zq7xK4w", "13927462815", "tok-Zq7xK4w-0123456"
PATH = f"/hooks/smart-coupon/{TOKEN}/coupon/"
HELD_BY_NAME = re.compile(r"(^|_)(secrets?|token|password|api_key|developer_key|credentials)$")
# Names of fields whose values are none: which columns are the secret, that one is; a lease is over in a minute.
NO_SECRETS = {
    "integrations.admin.signature_tool.Kind.secret",
    "integrations.outbox.claiming.Job.token",
    "merchants.admin.trail_words.Change.secret",
    "merchants.audit.triggers.Rows.secrets",
}


def failing(secret: str, mobile: str) -> None:
    """Fails with everything in its hands."""
    account, platform = DfireAccount(app_secret=secret), SmartCouponAccount(token=TOKEN, developer_key=secret)
    where, letter = Credentials("https://x", "a", secret), Letter(url="x", webhook_id="m", body="b", secrets=[secret])
    held = {"form": {"anything": secret, "mobile": mobile}, "rows": [account, platform, where, letter]}
    try:
        raise LookupError(f"first at {PATH} with secret={secret}")
    except LookupError as error:
        raise ValueError(f"broken for {mobile} at {PATH}: password={secret} ({len(held)})") from error


@pytest.fixture
def error() -> Any:
    """What is caught."""
    try:
        failing(SECRET, MOBILE)
    except ValueError:
        return sys.exc_info()
    raise AssertionError


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_the_yellow_page_names_the_place_and_no_value(error: Any, settings: LazySettings, accept: str) -> None:
    settings.DEBUG = True
    settings.REDIS_URL = "redis://:pa55word-Zq7@r/0"
    request = RequestFactory().post(
        f"{PATH}?key={SECRET}",
        {"mobile": MOBILE, "x": SECRET},
        headers={"authorization": f"Api-Key {SECRET}", "accept": accept},
    )
    request.COOKIES["sessionid"] = SECRET
    page = technical_500_response(request, *error).content.decode()
    assert "ValueError" in page
    assert "in failing" in page or "failing" in page
    for told in (SECRET, MOBILE, TOKEN, "pa55word-Zq7", settings.SECRET_KEY, *settings.FIELD_ENCRYPTION_KEYS):
        assert told not in page
    password = str(settings.DATABASES["default"].get("PASSWORD") or "no-password-at-all")
    assert password not in page


def test_no_mail_is_sent_of_errors_and_none_would_tell_a_value(
    error: Any, mailoutbox: list[Any], settings: LazySettings
) -> None:
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    assert not [one for one in loggers if any(isinstance(handler, AdminEmailHandler) for handler in one.handlers)]
    record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "broken", (), error)
    record.request = RequestFactory().post(PATH, {"mobile": MOBILE})
    handler = AdminEmailHandler(include_html=True)
    settings.ADMINS = [("a", "a@example.com")]
    handler.emit(record)
    mail = mailoutbox[0]
    said = f"{mail.subject} {mail.body} {mail.alternatives}"
    assert "ValueError" in said
    for told in (SECRET, MOBILE, TOKEN):
        assert told not in said


def test_the_log_has_the_traceback_without_values(error: Any, lines: Any) -> None:
    logging.getLogger("anything").error("broken", exc_info=error)
    (line,) = lines()
    assert "in failing" in line["exception"]
    for told in (SECRET, MOBILE, TOKEN):
        assert told not in line["exception"]


def test_what_holds_a_secret_does_not_print_it() -> None:
    held = [
        Credentials("https://x", "a", SECRET), Outcome(ResultClass.OK, access_token=SECRET),
        Letter(url=f"https://u:{SECRET}@x", webhook_id="m", body="b", secrets=[SECRET]),
        DfireAccount(name="n", app_secret=SECRET), SmartCouponAccount(name="n", token=SECRET, developer_key=SECRET),
    ]  # fmt: skip
    for one in held:
        assert SECRET not in f"{one!r} {one}"


def test_every_data_class_that_holds_a_secret_keeps_it_out_of_its_repr() -> None:
    root = Path(configured.BASE_DIR)
    for top in ("merchants", "coupons", "integrations", "config"):
        for found in pkgutil.walk_packages([str(root / top)], f"{top}."):
            if ".migrations." not in found.name and ".commands" not in found.name and not found.name.endswith("wsgi"):
                importlib.import_module(found.name)
    told = {
        f"{held.__module__}.{held.__qualname__}.{field.name}"
        for module in [
            one
            for name, one in sys.modules.items()
            if name.split(".")[0] in ("merchants", "coupons", "integrations", "config")
        ]
        for held in vars(module).values()
        if isinstance(held, type) and dataclasses.is_dataclass(held) and held.__module__ == module.__name__
        for field in dataclasses.fields(held)
        if field.repr and HELD_BY_NAME.search(field.name)
    }
    assert told == NO_SECRETS
