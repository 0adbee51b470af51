"""What the processes count for Prometheus while they work; what stands in the database is asked there (`figures`).

The counts of all processes lie in files under PROMETHEUS_MULTIPROC_DIR, which the settings prepare before this module
is loaded, so that any web process can tell those of all. Labels are few and known: accounts by name, never merchants,
customers or coupons.
"""

from prometheus_client import Counter, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

HOOK_SECONDS = Histogram("portal_hook_seconds", "Time to answer a push or callback.", ["hook"], buckets=_SECONDS)
HOOK_ANSWERS = Counter("portal_hook_answers", "Pushes and callbacks by HTTP status.", ["hook", "status"])
THROTTLED = Counter("portal_hook_throttled", "Calls refused because of HOOK_RATE_LIMIT.", ["caller"])
CALLBACKS = Counter("portal_callbacks", "Redemption callbacks by what came of them.", ["state"])

ATTEMPTS = Counter("portal_outbox_attempts", "Calls to dfire by class of result.", ["account", "kind", "result"])
CALL_SECONDS = Histogram("portal_outbox_call_seconds", "Time that dfire took.", ["account"], buckets=_SECONDS)
PACED = Counter("portal_outbox_paced", "Looks into the queue that the account's rate held back.", ["account"])

WEBHOOKS = Counter("portal_webhook_attempts", "Calls to partners by event and result.", ["kind", "result"])

BROKER_FAILURES = Counter("portal_broker_failures", "Redis did not answer when it was needed.", ["needed_for"])
TASKS = Counter("portal_tasks", "Background tasks by how they ended.", ["task", "state"])

API_SECONDS = Histogram("portal_api_seconds", "Time to answer a call of the partner API.", ["route"], buckets=_SECONDS)
API_CALLS = Counter("portal_api_calls", "Calls of the partner API.", ["app", "method", "route", "status"])
API_THROTTLED = Counter("portal_api_throttled", "Calls turned away, by the limit.", ["app", "limit"])
API_CALLS_UNKEPT = Counter("portal_api_calls_unkept", "Calls that are missing in the log of calls.")
