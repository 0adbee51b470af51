"""/api/schema/ and /api/docs/: open to everyone who reaches the portal.

They are for partners, who have no account here, and say nothing that the source does not: no key, no merchant, no row.
"""

from typing import Any

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.http import HttpResponse
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from integrations.partner_api.schema.document import rendered

_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "style-src-attr": [UNSAFE_INLINE],  # Swagger UI's own
    "img-src": [SELF, "data:"],
    "connect-src": [SELF],  # the description, and calls that are tried
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}


class SchemaView(SpectacularAPIView):
    """The description; YAML, or JSON for those who ask for it. Written once a process: anybody may ask, at any pace."""

    permission_classes = (AllowAny,)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The same for everyone, in English."""
        chosen = request.accepted_renderer
        return HttpResponse(rendered(type(chosen)), content_type=chosen.media_type)


@method_decorator(csp(_POLICY), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own static files: the page asks no other machine, and its script is an address of its own."""

    permission_classes = (AllowAny,)
    url_name = "api-schema"
    template_name = "partner_api/docs.html"
