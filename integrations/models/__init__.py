"""The models of this application, one module for each thing."""

from integrations.models.accounts import AccountState, ReadsInFlight
from integrations.models.alerts import AlertTarget, Incident, Notice
from integrations.models.api_answers import ApiAnswer
from integrations.models.api_calls import ApiCall
from integrations.models.inbox import DfireCallback
from integrations.models.orders import PartnerOrder
from integrations.models.outbox import OutboxAttempt, OutboxRow
from integrations.models.partners import ApiKey, PartnerApp, WebhookEndpoint
from integrations.models.pushes import Push, PushAnswer, SignatureSeen
from integrations.models.reconcile import CustomerAtRisk, Finding, Reconciliation
from integrations.models.reports import ConsumeReport, ReportLane
from integrations.models.unknown_codes import UnknownCodes
from integrations.models.webhooks import WebhookAttempt, WebhookDelivery, WebhookLane

__all__ = [
    "AccountState",
    "AlertTarget",
    "ApiAnswer",
    "ApiCall",
    "ApiKey",
    "ConsumeReport",
    "CustomerAtRisk",
    "DfireCallback",
    "Finding",
    "Incident",
    "Notice",
    "OutboxAttempt",
    "OutboxRow",
    "PartnerApp",
    "PartnerOrder",
    "Push",
    "PushAnswer",
    "ReadsInFlight",
    "Reconciliation",
    "ReportLane",
    "SignatureSeen",
    "UnknownCodes",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookLane",
]
