"""Alert targets: where people look. Their addresses hold keys and passwords, so they are written and never shown."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from integrations.admin.incidents import NOTICE_VARIANTS
from integrations.alerts.sending import send, service_of
from integrations.alerts.words import trial_message
from integrations.models import AlertTarget, Notice
from integrations.models.alerts import NoticeState
from merchants.admin.badges import badge
from merchants.admin.base import AdministratorsOnly, PortalAdmin
from merchants.admin.dialogs import dialog, go_to
from merchants.admin.fields import SecretsForm

ADDRESS_HELP = (
    _("Email: %(example)s"),
    _("WeCom: the group robot's webhook, or %(example)s"),
    _("DingTalk: the robot's webhook with &secret=SEC… added, or %(example)s"),
    _("Every other address that apprise knows, such as %(example)s"),
)
EXAMPLES = (
    "mailtos://user:password@smtp.example.com?from=portal@example.com&to=ops@example.com",
    "wecombot://KEY",
    "dingtalk://SECRET@TOKEN",
    "jsons://hooks.example.com/alerts",
)


def address_help() -> str:
    """How an address is written, one service a line."""
    lines = [(str(words) % {"example": example},) for words, example in zip(ADDRESS_HELP, EXAMPLES, strict=True)]
    return format_html_join(mark_safe("<br>"), "{}", lines)  # nosec B308 # a constant


class AlertTargetForm(SecretsForm):
    """The address is written and never shown; one that leads nowhere is refused."""

    secret_fields = ("address",)

    class Meta:
        model = AlertTarget
        fields = ["name", "address", "merchants", "least_severity", "active"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].help_text = address_help()

    def clean_address(self) -> str:
        """Let apprise read it."""
        address = str(self.cleaned_data["address"]).strip()
        if address and not service_of(address):
            raise ValidationError(_("No service is known for this address. Compare it with the examples below."))
        return address


@admin.register(AlertTarget)
class AlertTargetAdmin(AdministratorsOnly, PortalAdmin):
    """Where notices of incidents go."""

    form = AlertTargetForm
    list_display = ["name", "service_shown", "least_severity", "merchants_shown", "active", "last_shown"]
    search_fields = ["name"]
    ordering = ["name"]
    autocomplete_fields = ["merchants"]
    actions_detail = ["test"]
    warn_unsaved_form = True
    readonly_fields = ["service_shown", "last_full"]
    empty_hint = _("Add an email address or a group robot, and it is told when something is the matter.")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A new one has told nobody anything yet."""
        settable = ["name", "address", "merchants", "least_severity", "active"]
        return settable if obj is None else [*settable, "service_shown", "last_full"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AlertTarget]:
        """With what came of the last notice."""
        last = Notice.objects.filter(target=OuterRef("pk"), tries__gt=0).order_by("-pk")
        return (
            super()
            .get_queryset(request)
            .annotate(last_state=Subquery(last.values("state")[:1]), last_outcome=Subquery(last.values("outcome")[:1]))
        )

    @action(
        description=_("Send a test"), url_path="test", permissions=["change"], icon="send",
        dialog=dialog(
            _("Send a test?"), _("A message that says it is a test goes to the stored address, now."), _("Send")
        ),
    )  # fmt: skip
    def test(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Send a test and say what came back."""
        target = AlertTarget.objects.get(pk=object_id)
        outcome = send(target.address, trial_message(target.name))
        if outcome.taken:
            words = gettext("%(service)s has taken the test: %(said)s Look whether it arrived.")
            messages.success(request, words % {"service": service_of(target.address), "said": outcome.said})
        else:
            messages.error(request, gettext("The test was not taken: %(said)s") % {"said": outcome.said})
        return go_to(request, target)

    @display(description=_("service"))
    def service_shown(self, target: AlertTarget) -> str:
        """What the address leads to, without the address."""
        return service_of(target.address) or badge(_("cannot be used"), "danger")

    @display(description=_("merchants"))
    def merchants_shown(self, target: AlertTarget) -> str:
        """How many, or that it is all."""
        return str(target.merchants.count() or _("all"))

    @display(description=_("last notice"))
    def last_shown(self, target: Any) -> str:
        """What came of the last notice, its words under the mouse."""
        if not target.last_state:
            return "-"
        variant = NOTICE_VARIANTS.get(target.last_state, "default")
        return badge(NoticeState(target.last_state).label, variant, hint=target.last_outcome)

    @display(description=_("last notice"))
    def last_full(self, target: Any) -> str:
        """What came of the last notice."""
        return f"{NoticeState(target.last_state).label}: {target.last_outcome}" if target.last_state else "-"
