"""The pages of two-factor sign-in: give a code, set a phone up, and look after both.

Whoever is not all the way in yet sees them in the frame of the sign-in page, without the portal around.
"""

from typing import Any

import django_otp
import segno
from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget

from config.sign_in.gate import CODE, NEXT, SET_UP, missing_step
from merchants import two_factor
from merchants.admin.noting import note

STATE = "two_factor"
_MAY_CHANGE = "two_factor_may_change"  # in the session: a code has just been given


class CodeForm(forms.Form):
    """One code."""

    code = forms.CharField(
        label=gettext_lazy("Verification code"),
        max_length=40,
        widget=UnfoldAdminTextInputWidget(
            attrs={"autocomplete": "one-time-code", "autofocus": "", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )

    def refuse(self, verdict: two_factor.Verdict) -> None:
        """Say why a code was not taken, and how long to wait."""
        words = _("This code is wrong, or it has been used already. A new one comes every 30 seconds.")
        if verdict.wait_seconds:
            words += " " + ngettext(
                "Try again in %(seconds)s second.", "Try again in %(seconds)s seconds.", verdict.wait_seconds
            ) % {"seconds": verdict.wait_seconds}
        self.add_error("code", words)


def code_page(request: HttpRequest) -> HttpResponse:
    """The second step of the sign-in."""
    if missing_step(request) != CODE:
        return _onwards(request)
    user: Any = request.user
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = two_factor.check(user, form.cleaned_data["code"])
        if verdict.device is not None:
            _let_in(request, verdict)
            return _onwards(request)
        form.refuse(verdict)
    return _page(request, "code", _("Two-factor sign-in"), form=form)


def set_up_page(request: HttpRequest) -> HttpResponse:
    """The QR code, and the first code of the phone as a proof; then the recovery codes, once."""
    user: Any = request.user
    if two_factor.device_of(user) is not None and not request.session.get(_MAY_CHANGE):
        return HttpResponseRedirect(reverse(STATE))
    device = two_factor.begin(user)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = two_factor.confirm(user, form.cleaned_data["code"])
        if verdict.device is not None:
            request.session.pop(_MAY_CHANGE, None)
            _let_in(request, verdict)
            note(request, user, gettext_lazy("Set two-factor sign-in up."))
            return _codes_shown(request)
        form.refuse(verdict)
    picture = segno.make(device.config_url, error="m").svg_inline(omitsize=True, border=2, dark="#000", light="#fff")
    return _page(
        request, "set_up", _("Set two-factor sign-in up"), form=form, required=two_factor.is_required(user),
        picture=mark_safe(picture), key=two_factor.key_text(device),  # nosec B308 B703 # drawn here
    )  # fmt: skip


def state_page(request: HttpRequest) -> HttpResponse:
    """What is set up, and how to change it: each change asks for a code."""
    user: Any = request.user
    device = two_factor.device_of(user)
    if device is None:
        return HttpResponseRedirect(reverse(SET_UP))
    form = CodeForm(request.POST or None)
    if form.is_valid():
        verdict = two_factor.check(user, form.cleaned_data["code"])
        if verdict.device is not None:
            return _changed(request, request.POST.get("do", ""))
        form.refuse(verdict)
    return _page(
        request, "state", _("Two-factor sign-in"), form=form, required=two_factor.is_required(user),
        device=device, left=two_factor.recovery_codes_left(user),
    )  # fmt: skip


def _changed(request: HttpRequest, wish: str) -> HttpResponse:
    user: Any = request.user
    if wish == "phone":
        request.session[_MAY_CHANGE] = True
        return HttpResponseRedirect(reverse(SET_UP))
    if wish == "codes":
        note(request, user, gettext_lazy("Made new recovery codes."))
        return _codes_shown(request)
    if wish == "off" and not two_factor.is_required(user):
        two_factor.reset(user)
        note(request, user, gettext_lazy("Turned two-factor sign-in off."))
        messages.success(request, _("Two-factor sign-in is off."))
        return HttpResponseRedirect(reverse("admin:index"))
    return HttpResponseRedirect(reverse(STATE))


def _codes_shown(request: HttpRequest) -> HttpResponse:
    user: Any = request.user
    codes = two_factor.new_recovery_codes(user)
    return _page(request, "recovery_codes", _("Your recovery codes"), codes=codes, onwards=_next_of(request))


def _let_in(request: HttpRequest, verdict: two_factor.Verdict) -> None:
    """The session knows from now on that the second factor was given, under a new key."""
    user: Any = request.user
    django_otp.login(request, verdict.device)
    request.session.cycle_key()
    if verdict.recovery:
        left = two_factor.recovery_codes_left(user)
        note(request, user, gettext_lazy("Signed in with a recovery code; %(left)s left."), left=left)
        words = ngettext(
            "That was a recovery code; %(left)s is left. Set up another phone in the menu at your name.",
            "That was a recovery code; %(left)s are left. Set up another phone in the menu at your name.",
            left,
        )
        messages.warning(request, words % {"left": left})


def _onwards(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect(_next_of(request))


def _next_of(request: HttpRequest) -> str:
    """Where the user wanted to go, if it is one of our own pages."""
    wish = request.POST.get(NEXT) or request.GET.get(NEXT) or ""
    ours = url_has_allowed_host_and_scheme(wish, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wish if ours else reverse("admin:index")


def _page(request: HttpRequest, name: str, title: str, **more: Any) -> HttpResponse:
    inside = missing_step(request) is None
    frame = "admin/base_site.html" if inside else "unfold/layouts/unauthenticated.html"
    context = {**admin.site.each_context(request), "title": title, "frame": frame, "inside": inside, **more}
    return TemplateResponse(request, f"admin/sign_in/{name}.html", {**context, "next": _next_of(request)})


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu at the user's name."""
    return [
        {"title": _("Change password"), "link": reverse("admin:password_change")},
        {"title": _("Two-factor sign-in"), "link": reverse(STATE)},
    ]


urlpatterns = [
    path("", admin.site.admin_view(state_page), name=STATE),
    path("code/", admin.site.admin_view(code_page), name=CODE),
    path("set-up/", admin.site.admin_view(set_up_page), name=SET_UP),
]
