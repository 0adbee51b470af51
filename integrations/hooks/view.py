"""The way every hook goes, such that none can forget to authenticate: a subclass says how, and what then happens."""

import logging
import time
from abc import ABC, abstractmethod
from typing import Any

from django.http import HttpRequest, JsonResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from integrations import counters
from integrations.hooks.callers import check_strangers, was_stranger
from integrations.hooks.database import UNAVAILABLE, DatabaseAway, within_time
from integrations.hooks.refusals import HookCode, HookRefused

logger = logging.getLogger(__name__)

_TRY_AGAIN = "Try again in a moment."


class HookView(APIView, ABC):
    """A DRF view kept lean: no parsers, no negotiation, no session; refusals in the caller's own form."""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # who calls is proved by `authenticate`, in each protocol's own way
    throttle_classes = ()
    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Count the call and its time, whatever becomes of it."""
        began, status = time.perf_counter(), 500
        try:
            response = super().dispatch(request, *args, **kwargs)
            status = response.status_code
            return response
        finally:
            hook = str(request.resolver_match and request.resolver_match.url_name)
            counters.HOOK_SECONDS.labels(hook).observe(time.perf_counter() - began)
            counters.HOOK_ANSWERS.labels(hook, str(status)).inc()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Callers get JSON whatever they say they accept."""
        return self.renderer_classes[0](), "application/json"

    def post(self, request: Request, **kwargs: str) -> JsonResponse:
        """Authenticate, handle, answer; whatever goes wrong is said in the caller's form."""
        known = False
        try:
            check_strangers(request)
            body = self.receive(request)  # before the time for the database begins: senders may be slow
            with within_time():
                caller = self.authenticate(request, body, **kwargs)
                known = True
                answer = self.handle(caller, body)
            answer = self.complete(answer)
            return JsonResponse(answer, json_dumps_params={"ensure_ascii": False})
        except HookRefused as refusal:
            if not known:
                was_stranger(request, refusal)
            return self._refuse(refusal)
        except DatabaseAway:  # said already, by whoever tried it
            return self._refuse(HookRefused(HookCode.UNAVAILABLE, _TRY_AGAIN))
        except UNAVAILABLE as error:
            logger.error("The database does not answer, or not in time: %s", error)
            return self._refuse(HookRefused(HookCode.UNAVAILABLE, _TRY_AGAIN))

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> JsonResponse:  # type: ignore[override]
        """Say so in the caller's form too."""
        response = self._refuse(HookRefused(HookCode.WRONG_METHOD, "Send a POST."))
        response["Allow"] = "POST"
        return response

    @abstractmethod
    def receive(self, request: Request) -> bytes:
        """The raw body, bounded (`bodies.read_body`).

        Raises:
            HookRefused: it cannot be read.
        """

    @abstractmethod
    def authenticate(self, request: Request, body: bytes, **kwargs: str) -> Any:
        """Who calls, proved.

        Raises:
            HookRefused: it is not proved.
        """

    @abstractmethod
    def handle(self, caller: Any, body: bytes) -> dict[str, Any]:
        """Record, act, and return the answer's body.

        Raises:
            HookRefused: with nothing of the act left behind.
        """

    def complete(self, answer: dict[str, Any]) -> dict[str, Any]:
        """What is left to wait for once everything is committed: outside of any transaction and of its time.

        Raises:
            HookRefused: what was waited for did not come.
        """
        return answer

    @abstractmethod
    def refusal_body(self, refusal: HookRefused) -> dict[str, Any]:
        """The refusal in the caller's form."""

    def _refuse(self, refusal: HookRefused) -> JsonResponse:
        response = JsonResponse(
            self.refusal_body(refusal), status=refusal.status, json_dumps_params={"ensure_ascii": False}
        )
        if refusal.status in (429, 503):
            response["Retry-After"] = "1"
        # Django would log the path, and the token of a smart-coupon account is part of it.
        response._has_been_logged = True  # type: ignore[attr-defined]
        logger.info("%s refused a call: %s %s", type(self).__name__, refusal.status, refusal.code)
        return response
