"""The way every call goes, such that none can forget to authenticate, to bound what it reads or to give up in time."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from django.db import transaction
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from coupons.errors import Refused
from coupons.models import IssuedCoupon
from integrations.hooks.bodies import read_bounded
from integrations.hooks.database import UNAVAILABLE, DatabaseAway, within_time
from integrations.hooks.refusals import HookCode, HookRefused
from integrations.models import ApiKey, PartnerApp
from integrations.models.partners import Scope
from integrations.partner_api import call_log, guessing, idempotency, throttles
from integrations.partner_api.authentication import ApiKeyAuthentication, HasScope, app_of
from integrations.partner_api.errors import ApiCode, ApiRefused, from_reason, handle, not_found
from integrations.strict_json import JsonObject, NotStrictJson
from integrations.strict_json import loads as strict_loads

logger = logging.getLogger(__name__)

Answer = tuple[int, Any]  # HTTP status and body
_WITH_A_BODY = ("POST", "PUT")
_JSON = "application/json"


class ApiView(APIView):
    """A DRF view whose methods are `read`, `do` and `put`; each returns status and body.

    Raw body (bounded), then caller and scope, then the body's meaning: nobody unknown has anything parsed.
    """

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (HasScope,)
    throttle_classes = (throttles.KeyThrottle,)
    parser_classes = (JSONParser,)  # never asked: `_json` reads strictly
    renderer_classes = (JSONRenderer,)
    scopes: Mapping[str, Scope] = {}
    about: IssuedCoupon | None = None  # the coupon that the call is about, once it is known
    not_final: tuple[int, ...] = ()  # statuses after which an equal call is looked at anew, in spite of its key

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """DRF's own order, with what may be slow to send outside of the time for the database, and the rest in it."""
        self.args, self.kwargs, self.headers = args, kwargs, self.default_response_headers
        self.request = self.initialize_request(request, *args, **kwargs)
        raw = b""
        try:
            raw = _raw(self.request) if request.method in _WITH_A_BODY else b""
            with within_time():
                self.initial(self.request, *args, **kwargs)
                response = self._answer(raw)
            response = self.follow_up(response)
        except UNAVAILABLE as error:
            response = self._unavailable(error)
        except Exception as error:
            response = self.handle_exception(error)
        if "code" in kwargs and _says_unknown(response):
            response = self._counted(response)
        self.response = self.finalize_response(self.request, response, *args, **kwargs)
        # Django would log the path, and a customer's identifier may be part of it.
        self.response._has_been_logged = True  # type: ignore[attr-defined]
        throttles.tell(self.request, self.response)
        call_log.watch(self, self.response, raw)
        return self.response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As DRF; a call is counted before it is looked at whether the app may make it."""
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Callers get JSON whatever they say they accept."""
        return self.renderer_classes[0](), _JSON

    def get_exception_handler(self) -> Any:
        """Ours: one form everywhere."""
        return handle

    @property
    def allowed_methods(self) -> list[str]:
        """The methods for which the view names a scope."""
        return list(self.scopes)

    @property
    def app(self) -> PartnerApp:
        """The app that calls."""
        return app_of(self.request)

    def refusal(self, error: Exception) -> Response:
        """The answer to a call that is refused."""
        return self.handle_exception(from_reason(error.reason) if isinstance(error, Refused) else error)

    def _unavailable(self, error: Exception) -> Response:
        if not isinstance(error, DatabaseAway):  # else said already, by whoever tried it
            logger.error("The database does not answer, or not in time: %s", error)
        return self.handle_exception(ApiRefused(ApiCode.UNAVAILABLE, _("Try again in a moment.")))

    def _counted(self, response: Response) -> Response:
        """The answer to a code that is not there, once it is counted; nobody is told so uncounted."""
        throttles.was_unknown_code(cast(ApiKey, self.request.auth))
        try:
            with within_time():
                held = guessing.count(self.app, self.kwargs["code"])
        except UNAVAILABLE as error:
            return self._unavailable(error)
        return self.handle_exception(guessing.refusal()) if held else response

    def _answer(self, raw: bytes) -> Response:
        method = str(self.request.method)
        if method not in self.scopes:
            self.http_method_not_allowed(self.request)
        if method == "GET":
            return Response(self.read())
        body = _json(self.request, raw)
        act: Callable[[JsonObject], Answer] = self.do if method == "POST" else self.put
        try:
            if method == "POST" and (key := idempotency.key_of(self.request)) is not None:
                return idempotency.once(self, key, body, act)
            with transaction.atomic():
                status, data = act(body)
        except Refused as refused:
            return self.refusal(refused)
        return Response(data, status=status)

    def follow_up(self, response: Response) -> Response:
        """What is left to do once everything is committed, outside of the time for the database; then the answer."""
        return response

    def read(self) -> Any:
        """What a GET answers."""
        raise NotImplementedError

    def do(self, body: JsonObject) -> Answer:
        """What a POST does, inside of a transaction that a refusal undoes.

        Raises:
            Refused: a rule of the domain.
            APIException: bad input, or nothing there.
        """
        raise NotImplementedError

    def put(self, body: JsonObject) -> Answer:
        """What a PUT does, likewise."""
        raise NotImplementedError


class Nowhere(ApiView):
    """Every address under `/api/v1/` that there is not."""

    def _answer(self, raw: bytes) -> Response:
        raise not_found()


def _raw(request: Request) -> bytes:
    try:
        return read_bounded(request)
    except HookRefused as refusal:
        kind = ApiCode.TOO_LARGE if refusal.kind is HookCode.TOO_LARGE else ApiCode.PARSE_ERROR
        raise ApiRefused(kind, refusal.message) from None


def _json(request: Request, raw: bytes) -> JsonObject:
    """The body's fields. A body that is empty and of no kind has none."""
    media_type = (request.META.get("CONTENT_TYPE") or "").split(";")[0].strip().lower()
    if not raw and media_type in ("", _JSON):
        return {}
    if media_type != _JSON:
        raise ApiRefused(ApiCode.WRONG_MEDIA_TYPE, _("Send application/json."))
    try:
        return strict_loads(raw)
    except NotStrictJson as error:
        raise ApiRefused(ApiCode.PARSE_ERROR, error.message, attr=error.field or None) from None


def _says_unknown(response: Response) -> bool:
    """Whether the address names nothing of the app's; not that something else is missing, which the body names."""
    if response.status_code != ApiCode.NOT_FOUND.status:
        return False
    return [(error["code"], error["attr"]) for error in response.data["errors"]] == [(ApiCode.NOT_FOUND.code, None)]
