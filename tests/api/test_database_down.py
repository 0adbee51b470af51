"""PostgreSQL away: every call says 503 at once, in the one form."""

import requests

from tests.hooks.conftest import web_without_database  # noqa: F401
from tests.hooks.unavailable import SLACK_SECONDS


def test_without_a_database_every_call_says_503_at_once(web_without_database: str) -> None:  # noqa: F811
    headers = {"Authorization": "Api-Key any", "Accept-Language": "en"}
    for method, path in [("GET", "coupons/"), ("POST", "coupons/"), ("PUT", "customers/m/")]:
        url = f"http://{web_without_database}/api/v1/{path}"
        answer = requests.request(method, url, json={}, headers=headers, timeout=30)
        assert answer.status_code == 503
        assert answer.json() == {
            "type": "server_error",
            "errors": [{"code": "unavailable", "detail": "Try again in a moment.", "attr": None}],
        }
        assert answer.headers["Retry-After"] == "1"
        assert answer.elapsed.total_seconds() < SLACK_SECONDS
