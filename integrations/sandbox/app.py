"""Everything behind the socket: builds the parts, finds what answers a path, keeps strangers out.

The router and the platform's endpoints answer anyone. Pages and the control API answer this machine alone,
under a name of this machine, and no page of another site: neither by a form, nor by a name that points here.
"""

from __future__ import annotations

import ipaddress
import logging
from pathlib import Path
from urllib.parse import urlsplit

from django.utils import translation

from integrations.sandbox.callbacks import Callbacks
from integrations.sandbox.config import ConfigFile
from integrations.sandbox.consume import ConsumeReports
from integrations.sandbox.control import Control
from integrations.sandbox.faults import Faults
from integrations.sandbox.limits import Limits
from integrations.sandbox.pages import Pages
from integrations.sandbox.pages.base import language_of
from integrations.sandbox.push import Pushes
from integrations.sandbox.router import Router
from integrations.sandbox.static import asset_response
from integrations.sandbox.store import Store
from integrations.sandbox.till import Till
from integrations.sandbox.wire import BadRequest, Request, Response, Routes, json_response

logger = logging.getLogger(__name__)


class App:
    """The sandbox without its socket."""

    def __init__(self, *, config_path: Path | str, store_path: Path | str) -> None:
        self.config = ConfigFile(config_path)
        self.store = Store(store_path)
        self.faults = Faults()
        self.limits = Limits()
        self.callbacks = Callbacks(config=self.config, store=self.store)
        self.till = Till(config=self.config, store=self.store, callbacks=self.callbacks)
        self.pushes = Pushes(config=self.config, store=self.store)
        self.reports = ConsumeReports(config=self.config, store=self.store, faults=self.faults)
        self.router = Router(config=self.config, store=self.store, faults=self.faults, limits=self.limits)
        self.control = Control(
            store=self.store,
            faults=self.faults,
            limits=self.limits,
            till=self.till,
            callbacks=self.callbacks,
            pushes=self.pushes,
        )
        self.pages = Pages(
            config=self.config,
            store=self.store,
            faults=self.faults,
            till=self.till,
            callbacks=self.callbacks,
            pushes=self.pushes,
            reports=self.reports,
        )
        self._stopped = False
        self._open: Routes = {("POST", "/router"): self.router.handle, **self.reports.routes}
        self._guarded: Routes = {**self.control.routes, **self.pages.routes}

    def start(self) -> None:
        """Begin the work in the background."""
        self.callbacks.start()

    def stop(self) -> None:
        """End the work in the background and close the store."""
        self._stopped = True
        self.callbacks.stop()
        self.store.close()

    def answer(self, request: Request) -> Response:
        """Answer one request; an error here is answered 500 and logged without the request's content."""
        try:
            return self._answer(request)
        except BadRequest as error:
            return json_response({"error": str(error)}, 400)
        except Exception:
            if not self._stopped:  # a call that outlived the store is no error worth a trace
                logger.exception("sandbox: %s %s failed", request.method, request.path)
            return json_response({"error": "internal error"}, 500)

    def _answer(self, request: Request) -> Response:
        route = request.method, request.path
        handler = self._open.get(route)
        if handler is not None:
            return handler(request)
        if request.path.startswith("/assets/") and request.method == "GET":
            return asset_response(request.path.removeprefix("/assets/"))
        handler = self._guarded.get(route)
        if handler is None:
            return json_response({"error": "not found"}, 404)
        refusal = guard(request, is_page=request.path in self.pages.paths)
        if refusal:
            return json_response({"error": refusal}, 403)
        with translation.override(language_of(request)):
            return handler(request)


def guard(request: Request, *, is_page: bool) -> str:
    """Why this request may not reach the pages or the control API; empty when it may.

    A page's form must say where it comes from. Scripts send no Origin, so the control API checks it only
    when there is one; a browser always sends one with a POST to another site.
    """
    host = request.header("Host")
    if not _is_loopback(request.client) or not _is_local_name(urlsplit(f"//{host}").hostname or ""):
        return "only for this machine"
    if request.method == "GET":
        return ""
    source = request.header("Origin") or request.header("Referer")
    if not source:
        return "where does this come from?" if is_page else ""
    return "" if urlsplit(source).netloc == host else "from another site"


def _is_local_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _is_loopback(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
