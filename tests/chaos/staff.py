"""What staff and partners do: issue, revoke, bind and give on, at the desk or in the real admin by HTTP."""

import re

import requests
from django.contrib.auth.models import User

from coupons.models import CouponTemplate, IssuedCoupon
from tests.chaos.calling import Caller, Refusal, Unanswered
from tests.chaos.portal import ChaosPortal
from tests.chaos.promises import Promises

ADMINISTRATOR, PASSWORD = "chaos", "korrekt-Pferd-9"
PAGE_SECONDS = 20


class Desk:
    """The services behind the admin, in a process of their own."""

    def __init__(self, portal: ChaosPortal, promises: Promises) -> None:
        self.url = portal.desk_url
        self.promises = promises
        self.caller = Caller(promises)

    def issue(self, coupon_id: str, identifier: str) -> str | None:
        """Give a coupon to a customer; None where no answer came. Never repeated: it would be another coupon."""
        try:
            answer = self.caller.ask(
                f"{self.url}/issue", {"coupon_id": coupon_id, "identifier": identifier}, what="desk"
            )
        except Unanswered:
            self.promises.told(self.promises.unanswered, identifier)
            return None
        self.promises.given(answer["code"], identifier)
        return str(answer["code"])

    def revoke(self, code: str) -> bool:
        """Take a coupon back; False where it was refused."""
        try:
            self.caller.insist(f"{self.url}/revoke", {"code": code}, what="desk")
        except Refusal:
            return False
        self.promises.told(self.promises.revoked, code)
        return True

    def bind(self, identifier: str, openid: str, **more: str) -> bool:
        """Give a customer an openid, and perhaps a mobile number."""
        self.promises.bound(openid, identifier)
        self.caller.insist(f"{self.url}/bind", {"identifier": identifier, "openid": openid, **more}, what="desk")
        return True

    def transfer(self, code: str, to: str) -> bool:
        """Give a coupon on; False where it was refused. A refusal after silence may mean that it has happened."""
        before = self.promises.holders[code]
        self.promises.may_hold(code, before | {to})
        try:
            self.caller.insist(f"{self.url}/transfer", {"code": code, "to": to}, what="desk")
        except Refusal:
            return False
        self.promises.may_hold(code, {to})
        return True


class Admin:
    """A browser without the browser, signed in as an administrator."""

    def __init__(self, portal: ChaosPortal, promises: Promises) -> None:
        self.url = portal.url
        self.promises = promises
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Accept-Language"] = "en"

    def take_over(self, other: "Admin") -> None:
        """Work as the one who is signed in there."""
        self.session.cookies.update(other.session.cookies)

    def sign_in(self) -> None:
        """Open the sign-in page and use it, as an administrator who is made for it."""
        User.objects.create_superuser(ADMINISTRATOR, password=PASSWORD)
        page = self.session.get(f"{self.url}/admin/login/", timeout=PAGE_SECONDS)
        form = {"username": ADMINISTRATOR, "password": PASSWORD, **self._token()}
        answer = self.session.post(page.url, data=form, timeout=PAGE_SECONDS)
        assert answer.ok, answer.text[:500]
        assert "/login/" not in answer.url, "the administrator cannot sign in"

    def issue(self, coupon_id: str, identifier: str) -> str | None:
        """Give a coupon by the template's dialog; None where no answer came."""
        template = CouponTemplate.objects.only("pk").get(coupon_id=coupon_id)
        answer = self._post(f"coupontemplate/{template.pk}/issue/", customer=identifier)
        if answer is None:
            self.promises.told(self.promises.unanswered, identifier)
            return None
        found = re.search(r"/issuedcoupon/(\d+)/change/", answer.url)
        assert found, f"issue in the admin: {answer.status_code} {answer.url}"
        code = IssuedCoupon.objects.only("code").get(pk=found[1]).code
        self.promises.given(code, identifier)
        return str(code)

    def revoke(self, code: str) -> bool:
        """Take a coupon back by the dialog on its page; True where the page said so."""
        coupon = IssuedCoupon.objects.only("pk").get(code=code)
        answer = self._post(f"issuedcoupon/{coupon.pk}/revoke/", reason="chaos")
        if answer is None or "Revoked." not in answer.text:
            return False
        self.promises.told(self.promises.revoked, code)
        return True

    def _post(self, path: str, **fields: str) -> requests.Response | None:
        """Send a dialog and follow to the page it leads to; None where no answer came to either."""
        form = {"_form_submitted": "1", **self._token(), **fields}
        try:
            answer = self.session.post(f"{self.url}/admin/coupons/{path}", data=form, timeout=PAGE_SECONDS)
        except requests.RequestException:
            self.promises.count("admin: no answer")
            return None
        if answer.status_code >= 500:
            self.promises.count(f"admin: {answer.status_code}")
            return None
        assert answer.ok, f"{path}: {answer.status_code}"
        return answer

    def _token(self) -> dict[str, str]:
        return {"csrfmiddlewaretoken": self.session.cookies["csrftoken"]}
