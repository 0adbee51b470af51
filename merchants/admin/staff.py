"""Members of staff: who may sign in, what they may do, and which merchants they see. Administrators alone see these."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from merchants import sessions, two_factor
from merchants.admin.badges import badge, full_name
from merchants.admin.base import AdministratorsOnly, PortalAdmin, ScopedStackedInline, is_administrator
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.noting import note
from merchants.admin.permission_field import PermissionChoices
from merchants.models import MerchantScope
from merchants.roles import ADMINISTRATOR, BY_NAME

admin.site.unregister(User)
admin.site.unregister(Group)


class MerchantScopeInline(ScopedStackedInline):
    """The merchants that the member of staff sees."""

    model = MerchantScope
    max_num = 1
    autocomplete_fields = ["merchants"]
    verbose_name = _("merchant scope")


@admin.register(User)
class UserAdmin(PermissionChoices, AdministratorsOnly, DjangoUserAdmin, PortalAdmin):  # type: ignore[misc]
    """Django's users in Unfold's clothes, with their merchants."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    inlines = [MerchantScopeInline]
    actions_detail = ["reset_two_factor"]
    list_display = ["username", "name_shown", "role_shown", "merchants_shown", "is_active", "last_login"]
    list_filter = ["is_active", "groups", "is_superuser"]
    ordering = ["-id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """With scopes, for the list."""
        return super().get_queryset(request).prefetch_related("groups", "merchant_scope__merchants")

    @action(
        description=_("Reset two-factor sign-in"), url_path="reset-two-factor", permissions=["reset"],
        icon="phonelink_erase",
        dialog=dialog(
            _("Reset this user's two-factor sign-in?"),
            _("Phone and recovery codes are forgotten and the user is signed out everywhere. Be sure who is asking: "
              "whoever has the password can set up a phone of their own afterwards."),
            _("Reset"),
        ),
    )  # fmt: skip
    def reset_two_factor(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """For somebody who lost the phone; another administrator does it, never oneself."""
        user = self.get_object(request, object_id)
        if user is None:
            raise Http404
        if user.pk == request.user.pk:
            messages.error(request, _("Another administrator has to do this for you."))
            return go_to(request, user)
        with transaction.atomic():
            had = two_factor.reset(user)
            sessions.end_all(user)
            note(request, user, _("Reset two-factor sign-in."))
        done = _("Two-factor sign-in is reset.") if had else _("Nothing was set up; the user is signed out everywhere.")
        messages.success(request, done)
        return go_to(request, user)

    def has_reset_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators alone."""
        return is_administrator(request)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """A new user gets the scope on the next page."""
        return self.inlines if obj else []

    @display(description=_("full name"))
    def name_shown(self, user: User) -> str:
        """The full name, the family name first where it is Chinese."""
        return full_name(user)

    @display(description=_("role"))
    def role_shown(self, user: User) -> str:
        """The roles and groups; an administrator without any, staff, or neither."""
        if not user.is_staff:
            return badge(_("no access"))
        names = [str(group) for group in user.groups.all()]
        if user.is_superuser:
            return badge(_("superuser"), "primary", hint=", ".join(names))
        return badge(", ".join(names) if names else _("staff"), "info")

    @display(description=_("merchants"))
    def merchants_shown(self, user: User) -> str:
        """The first few merchants of the scope."""
        if user.is_superuser or ADMINISTRATOR.name in [group.name for group in user.groups.all()]:
            return str(_("all"))
        scope = getattr(user, "merchant_scope", None)
        names = [merchant.name for merchant in scope.merchants.all()] if scope else []
        if not names:
            return badge(_("none"), "warning")
        return ", ".join(names[:3]) + ("…" if len(names) > 3 else "")


@admin.register(Group)
class GroupAdmin(PermissionChoices, AdministratorsOnly, DjangoGroupAdmin, PortalAdmin):  # type: ignore[misc]
    """Sets of permissions: the four roles, which `merchants.roles` fills, and what administrators make besides."""

    list_display = ["__str__", "purpose_shown", "members_shown"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Group]:
        """With the number of members, for the list."""
        return super().get_queryset(request).annotate(members=Count("user"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role is looked at: what is changed in it by hand would be put back by the next `migrate`."""
        return super().has_change_permission(request, obj) and not (obj is not None and obj.name in BY_NAME)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A role stays."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.name in BY_NAME)

    @display(description=_("for"))
    def purpose_shown(self, group: Group) -> str:
        """What the role is for."""
        return str(BY_NAME[group.name].purpose) if group.name in BY_NAME else str(_("A group of your own."))

    @display(description=_("members"), ordering="members")
    def members_shown(self, group: Any) -> int:
        """How many members of staff."""
        return int(group.members)


@admin.register(MerchantScope)
class MerchantScopeAdmin(AdministratorsOnly, PortalAdmin):
    """All scopes in one list; mostly edited on the user's page."""

    list_display = ["user", "merchant_count"]
    list_select_related = ["user"]
    autocomplete_fields = ["user", "merchants"]
    search_fields = ["user__username"]
    ordering = ["-id"]

    @display(description=_("merchants"))
    def merchant_count(self, scope: MerchantScope) -> int:
        """How many merchants."""
        return scope.merchants.count()
