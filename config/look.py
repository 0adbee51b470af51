"""The portal's own stylesheet and pictures, named to Unfold as callables: addresses are known after start-up."""

from django.http import HttpRequest
from django.templatetags.static import static


def colours(request: HttpRequest) -> str:
    """Unfold's colours and ours."""
    return static("portal/colours.css")


def no_inline_colours(request: HttpRequest) -> dict[str, dict[str, str]]:
    """None for Unfold to write into the page: an inline style would not be shown (`config.browsers`)."""
    return {}


def strict(request: HttpRequest) -> str:
    """What pages need to do without inline scripts."""
    return static("portal/strict.js")


def stylesheet(request: HttpRequest) -> str:
    """What Unfold's stylesheet lacks."""
    return static("portal/admin.css")


def script(request: HttpRequest) -> str:
    """What Unfold's pages lack for keyboards and screen readers."""
    return static("portal/accessible.js")


def login_image(request: HttpRequest) -> str:
    """Beside the sign-in form on wide screens."""
    return static("portal/login.svg")


def favicon(request: HttpRequest) -> str:
    """In the browser's tab."""
    return static("portal/favicon.svg")
