"""Small pieces of HTML that lists and pages share: badges, copyable text, links."""

from functools import lru_cache
from typing import Any, Literal

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

Variant = Literal["info", "success", "warning", "danger", "primary", "default"]


def badge(text: Any, variant: Variant = "default", *, hint: str = "") -> SafeString:
    """A coloured label, the same in lists and on pages; `hint` shows under the mouse."""
    return _badge(str(text), variant, str(hint))


@lru_cache(maxsize=1000, typed=True)  # what is marked as safe is not what only looks the same
def _badge(text: str, variant: Variant, hint: str) -> SafeString:
    """Rendered once for the many rows of a list that say the same."""
    context = {"text": text, "variant": variant, "label_title": hint, "class": "portal-badge"}
    # Unfold's template has line breaks, which pages of single fields would show.
    html = render_to_string("unfold/helpers/label.html", context)
    return mark_safe(" ".join(html.split()))  # nosec B308 B703 # a template's output, escaped there


def mono(text: Any) -> SafeString:
    """A code or an id, in a typeface that keeps digits apart."""
    return format_html('<span class="portal-mono">{}</span>', text)


def page_of(row: Model | None, text: Any = None) -> SafeString | str:
    """A link to a row's page."""
    if row is None:
        return "-"
    meta = row._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', address, row if text is None else text)


def full_name(user: Any) -> str:
    """What a member of staff is called, the family name first where it is Chinese; "" where no name is entered."""
    return f"{user.last_name}{user.first_name}" if user.last_name > "\u2e80" else str(user.get_full_name())


def notice(text: Any, variant: Literal["danger", "warning", "info"] = "warning") -> SafeString:
    """A box that nobody overlooks."""
    return format_html('<div class="portal-notice portal-notice-{}">{}</div>', variant, text)


def pre(text: str) -> SafeString | str:
    """A text as it stands, such as a request."""
    return format_html('<pre class="portal-pre">{}</pre>', text) if text else "-"


def copy_line(text: str) -> SafeString:
    """A text to be copied whole, with a button for it; the page needs `portal/copy.js`."""
    return format_html(
        '<div class="portal-copy-line"><code class="portal-copy">{}</code>'
        '<button type="button" class="portal-copy-button" data-copy="{}" data-copied="{}" data-selected="{}">'
        '<span class="material-symbols-outlined">content_copy</span><span data-label>{}</span></button></div>',
        text, text, gettext("Copied"), gettext("Press Ctrl+C"), gettext("Copy"),
    )  # fmt: skip
