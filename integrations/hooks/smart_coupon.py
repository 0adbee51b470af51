"""`POST /hooks/smart-coupon/{token}/…`: the smart-coupon platform creates a coupon, or gives one to a customer."""

from abc import abstractmethod
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import JsonResponse
from django.utils import timezone
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from integrations.hooks.bodies import read_body, strict_json
from integrations.hooks.callers import check_address, check_rate
from integrations.hooks.database import within_time
from integrations.hooks.refusals import HookCode, HookRefused
from integrations.hooks.view import HookView
from integrations.models import Push
from integrations.models.pushes import PushAddress
from integrations.smart_coupon import acting, confirming, pushes, repeats, replays, tokens
from integrations.smart_coupon.revisions import FIRST, Revision, Signed, made_id, revision_of
from integrations.smart_coupon.signatures import check_signature, signed_at
from integrations.strict_json import JsonObject
from merchants.models import SmartCouponAccount

_JSON = "application/json"
_KEPT_OF_A_REFUSED_BODY = 4000
_NOW_AND_THEN = timedelta(minutes=1)


class SmartCouponHook(HookView):
    """What the two addresses share: the token, the repeat window, the record of every push with its answer."""

    address: PushAddress
    body = b""  # once it has been received: a view is made for each request
    revision: Revision | None = None  # once the body has been read
    awaited: confirming.Awaited | None = None  # where dfire's word is waited for

    def post(self, request: Request, **kwargs: str) -> JsonResponse:
        """As every hook; a place among those who wait for dfire is given back, whatever happened."""
        try:
            return super().post(request, **kwargs)
        finally:
            if self.awaited is not None:
                confirming.PLACES.give_back()

    def receive(self, request: Request) -> bytes:
        """A JSON body."""
        self.body = read_body(request, _JSON)
        return self.body

    def authenticate(self, request: Request, body: bytes, **kwargs: str) -> SmartCouponAccount:
        """The account of the address's token, calling from an address it may call from."""
        account = tokens.account_of(kwargs["token"])
        if account is None:
            raise HookRefused(HookCode.UNKNOWN_TOKEN, "This push address is not known.")
        try:
            check_address(request, account.allowed_addresses)
        except HookRefused as refusal:
            self._keep_now_and_then(account, refusal)
            raise
        check_rate(f"smart-coupon:{account.pk}")
        bind_contextvars(account=account.name)
        return account

    def handle(self, caller: SmartCouponAccount, body: bytes) -> dict[str, Any]:
        """Act on the push once, and keep it with its answer."""
        try:
            fields = strict_json(body)
            self.revision = revision_of(fields)
            check_signature(caller, self.revision, fields, body)
            push = self.read(fields)
            digest = pushes.digest(push)
            since = None
            if self.revision.signed is Signed.TIME and caller.developer_key:
                since = replays.use(caller, signed_at(fields), digest)
            with transaction.atomic():
                return self._act_once(caller, push, digest, since)
        except HookRefused as refusal:
            kept = body[:_KEPT_OF_A_REFUSED_BODY]
            self._keep(caller, kept, self.refusal_body(refusal), status=refusal.status)
            raise

    def _act_once(self, account: SmartCouponAccount, push: Any, digest: str, since: datetime | None) -> dict[str, Any]:
        body = self.body
        key = repeats.claim(account, self.address, digest, since=since)
        if key is None:
            first = repeats.remembered(account, self.address, digest)
            answer = self.retold(first.answer or {})
            if first.confirming_id is None:
                self._keep(account, body, answer, repeated=True)
            else:
                self._await(
                    first.pk, first.confirming_id, self._keep(account, body, **self._unconfirmed, repeated=True)
                )
            return answer
        identity, made = self.act(account, push)
        answer = self.success(identity)
        repeats.remember(key, answer)
        if account.confirm_with_dfire and "coupon" not in made:
            kept = self._keep(account, body, **self._unconfirmed, **made)
            self._await(key, kept.pk, kept)
            confirming.begin(key, kept)
        else:
            self._keep(account, body, answer, **made)
        return answer

    def _await(self, key: int, first_push: int, mine: Push) -> None:
        """Take a place among those who wait for dfire."""
        confirming.take_place()
        self.awaited = confirming.Awaited(key, first_push, mine.pk)

    def complete(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Wait for dfire, where the account asks for its word."""
        if self.awaited is None:
            return answer
        try:
            answer = self.retold(confirming.wait(self.awaited))
        except HookRefused as refusal:
            with within_time():
                Push.objects.filter(pk=self.awaited.mine).update(answer=self.refusal_body(refusal))
            raise
        with within_time():
            Push.objects.filter(pk=self.awaited.mine).update(status=200, answer=answer)
        return answer

    @property
    def _unconfirmed(self) -> dict[str, Any]:
        """What is kept of a push until dfire has accepted it: a process that dies has answered nothing."""
        refusal = confirming.not_confirmed()
        return {"answer": self.refusal_body(refusal), "status": refusal.status}

    def _keep_now_and_then(self, account: SmartCouponAccount, refusal: HookRefused) -> None:
        """Show staff which address was turned away, without what it sent; of a flood one line a minute."""
        newest = Push.objects.filter(account=account).order_by("-id").first()
        if newest is None or newest.status != refusal.status or newest.received_at < timezone.now() - _NOW_AND_THEN:
            self._keep(account, b"", self.refusal_body(refusal), status=refusal.status)

    def _keep(self, account: SmartCouponAccount, body: bytes, answer: dict[str, Any], **facts: Any) -> Push:
        push = Push.objects.create(
            account=account,
            address=self.address,
            received_at=timezone.now(),
            body=body.decode("utf-8", "replace").replace("\x00", "\ufffd"),
            answer=answer,
            **{"status": 200, "revision": self.revision and self.revision.number, **facts},
        )
        ids = {"push_id": push.pk, "template_id": push.template_id, "coupon_id": push.coupon_id}
        bind_contextvars(**{name: value for name, value in ids.items() if value is not None})
        return push

    @abstractmethod
    def read(self, fields: JsonObject) -> Any:
        """The push in our own units."""

    @abstractmethod
    def act(self, account: SmartCouponAccount, push: Any) -> tuple[str, dict[str, Any]]:
        """Do it; the id to answer, and what was made (a field of `Push`)."""

    @abstractmethod
    def success(self, identity: str) -> dict[str, Any]:
        """The answer with the id of what was made, in the form of the push's revision."""

    def retold(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The first answer again; to a push of another revision than the first in its own form."""
        return self.success(made_id(answer))

    @property
    def known(self) -> Revision:
        """The push's revision; the first where its body does not say."""
        if self.revision is None:  # refused before it was looked at
            with suppress(HookRefused):
                self.revision = revision_of(strict_json(self.body))
        return self.revision or FIRST

    def refusal_body(self, refusal: HookRefused) -> dict[str, Any]:
        """In the form of the push's revision."""
        return self.known.refused(refusal.code, refusal.message)


class CreateCouponHook(SmartCouponHook):
    """Creates a coupon template (seed 000, 推送优惠券报文)."""

    address = PushAddress.COUPON

    def read(self, fields: JsonObject) -> pushes.CreateCoupon:
        """See `pushes.read_create`."""
        return pushes.read_create(fields, self.known)

    def act(self, account: SmartCouponAccount, push: pushes.CreateCoupon) -> tuple[str, dict[str, Any]]:
        """Publish the template and answer its id."""
        template = acting.create(account, push, self.known)
        return template.coupon_id, {"template": template}

    def success(self, identity: str) -> dict[str, Any]:
        """With the template's id."""
        return self.known.made(self.known.made_template, identity)


class GiveCouponHook(SmartCouponHook):
    """Gives a coupon to a customer (seed 000, 推送优惠券明细报文)."""

    address = PushAddress.COUPON_DETAIL

    def read(self, fields: JsonObject) -> pushes.GiveCoupon:
        """See `pushes.read_give`."""
        return pushes.read_give(fields, self.known)

    def act(self, account: SmartCouponAccount, push: pushes.GiveCoupon) -> tuple[str, dict[str, Any]]:
        """Issue the coupon and answer its code."""
        coupon = acting.give(account, push, self.known)
        return coupon.code, {"coupon": coupon, "template_id": coupon.template_id}

    def success(self, identity: str) -> dict[str, Any]:
        """With the coupon's code."""
        return self.known.made(self.known.made_coupon, identity)
