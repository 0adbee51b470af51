"""`/metrics`: what Prometheus reads. Counts of all processes of this machine, and what the database knows.

Not for the public: this machine may read it, unless METRICS_TOKEN is set, which everyone has to bring then.
"""

import ipaddress
import logging
import shutil
import time
from collections.abc import Iterable, Iterator
from secrets import compare_digest

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily

from config import health
from config.bounded import Question
from config.counted import Counted
from integrations import figures

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 3.0
KEEP_SECONDS = 5.0
# What a proxy on this machine adds: then the caller is somebody else.
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_VIA")


def metrics(request: HttpRequest) -> HttpResponse:
    """All of it as text, for those who may see it."""
    if not _may_read(request):
        words = (
            "Bring METRICS_TOKEN as a bearer token." if settings.METRICS_TOKEN else "Set METRICS_TOKEN to read this."
        )
        response = HttpResponse(f"{words}\n", status=401 if settings.METRICS_TOKEN else 403, content_type="text/plain")
        if settings.METRICS_TOKEN:
            response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        return scheme.lower() == "bearer" and compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


class _Parts:
    """Whether the portal could do its work just now, as `/readyz` sees it."""

    def collect(self) -> Iterator[Metric]:
        parts = GaugeMetricFamily("portal_part_ok", "1 while this part is fine (`/readyz`).", labels=["part"])
        for name, state in health.states().items():
            parts.add_metric([name], float(state.word == health.OK))
        yield parts


class _Disk:
    """The disk of `var/`, where logs and the embedded servers' data lie unless told otherwise."""

    def collect(self) -> Iterator[Metric]:
        usage = shutil.disk_usage(settings.BASE_DIR)
        yield GaugeMetricFamily("portal_disk_free_bytes", "Free on the portal's own disk.", value=usage.free)
        yield GaugeMetricFamily("portal_disk_size_bytes", "Size of the portal's own disk.", value=usage.total)


class _Database:
    """What the database knows, kept for KEEP_SECONDS; nothing of it while it does not answer."""

    def collect(self) -> Iterator[Metric]:
        began = time.monotonic()
        known = GaugeMetricFamily("portal_database_figures_ok", "1 while the database gives its figures in time.")
        found: Iterable[Metric] = ()
        try:
            found = _figures.begin().result(LONGEST_SECONDS)
        except Exception as error:  # whatever it is, the counts of the processes are still worth reading
            logger.warning("The database gave no figures: %s: %s", type(error).__name__, error)
            known.add_metric([], 0)
        else:
            known.add_metric([], 1)
        yield known
        yield from found
        yield GaugeMetricFamily("portal_scrape_seconds", "Time the figures took.", value=time.monotonic() - began)


def _ask() -> list[Metric]:
    try:
        found = figures.collect()  # first, so that the clocks are read on a connection that is there
        clock, size = figures.server()
        ours = time.time()
        skew = GaugeMetricFamily("portal_clock_skew_seconds", "Web's clock minus PostgreSQL's.", value=ours - clock)
        bytes_ = GaugeMetricFamily("portal_database_bytes", "Size of the database.", value=size)
        return [skew, bytes_, *found]
    finally:
        connection.close()


_figures: Question[list[Metric]] = Question(_ask, keep_seconds=KEEP_SECONDS)
_registry = CollectorRegistry(auto_describe=False)
for _collector in (_Parts(), _Disk(), _Database(), Counted(settings.PROMETHEUS_MULTIPROC_DIR)):
    _registry.register(_collector)
