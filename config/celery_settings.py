"""Celery's settings: threads, because the work is waiting for others; no results, because PostgreSQL has them."""

from celery.schedules import crontab
from django.conf import settings

broker_url = settings.REDIS_URL
broker_connection_retry_on_startup = True
broker_connection_max_retries = None  # the broker may be down for long: keep trying
broker_connection_timeout = 2
broker_transport_options = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 120,
    # Whoever rings must not wait for a broker that is down; the worker and the beat have their own patience.
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
worker_pool = "threads"
worker_concurrency = 4
worker_prefetch_multiplier = 1
worker_hijack_root_logger = False
worker_send_task_events = False
task_ignore_result = True
task_store_errors_even_if_ignored = False
task_acks_late = False
task_default_queue = "portal"
timezone = settings.TIME_ZONE
enable_utc = True
# The beat's schedule lives in memory: every entry is a short sweep that may run at any time.
beat_scheduler = "celery.beat:Scheduler"
beat_max_loop_interval = 1
beat_schedule = {
    "drain the outbox": {
        "task": "integrations.tasks.drain_outbox",
        "schedule": settings.OUTBOX_SWEEP_SECONDS,
        "options": {"expires": settings.OUTBOX_SWEEP_SECONDS * 2},
    },
    "expire coupons": {
        "task": "integrations.tasks.expire_coupons",
        "schedule": settings.EXPIRY_SWEEP_SECONDS,
        "options": {"expires": settings.EXPIRY_SWEEP_SECONDS},
    },
    "release what waited": {
        "task": "integrations.tasks.release_waiting",
        "schedule": settings.RELEASE_SWEEP_SECONDS,
        "options": {"expires": settings.RELEASE_SWEEP_SECONDS},
    },
    "look for what is the matter": {
        "task": "integrations.tasks.check_alerts",
        "schedule": settings.ALERT_CHECK_SECONDS,
        "options": {"expires": settings.ALERT_CHECK_SECONDS},
    },
    "send notices": {
        "task": "integrations.tasks.send_notices",
        "schedule": settings.NOTICE_SWEEP_SECONDS,
        "options": {"expires": settings.NOTICE_SWEEP_SECONDS},
    },
    "compare with dfire": {
        "task": "integrations.tasks.reconcile",
        "schedule": settings.RECONCILE_SWEEP_SECONDS,
        "options": {"expires": settings.RECONCILE_SWEEP_SECONDS * 2},
    },
    "repair what differs": {
        "task": "integrations.tasks.repair_findings",
        "schedule": settings.RECONCILE_SWEEP_SECONDS,
        "options": {"expires": settings.RECONCILE_SWEEP_SECONDS * 2},
    },
    "begin the nightly comparisons": {
        "task": "integrations.tasks.reconcile_nightly",
        "schedule": settings.RECONCILE_NIGHTLY_SWEEP_SECONDS,
        "options": {"expires": settings.RECONCILE_NIGHTLY_SWEEP_SECONDS},
    },
    "retry the inbox": {
        "task": "integrations.tasks.retry_inbox",
        "schedule": settings.INBOX_RETRY_SECONDS,
        "options": {"expires": settings.INBOX_RETRY_SECONDS},
    },
    "erase customers": {
        "task": "integrations.tasks.advance_erasures",
        "schedule": settings.ERASURE_SWEEP_SECONDS,
        "options": {"expires": settings.ERASURE_SWEEP_SECONDS},
    },
    "merge figures": {
        "task": "integrations.tasks.merge_figures",
        "schedule": settings.FIGURES_MERGE_SECONDS,
        "options": {"expires": settings.FIGURES_MERGE_SECONDS},
    },
    "work batches": {
        "task": "integrations.tasks.work_batches",
        "schedule": settings.BATCH_SWEEP_SECONDS,
        "options": {"expires": settings.BATCH_SWEEP_SECONDS * 2},
    },
    "finish what dfire has not confirmed": {
        "task": "integrations.tasks.finish_unconfirmed",
        "schedule": settings.PUSH_CONFIRM_SWEEP_SECONDS,
        "options": {"expires": settings.PUSH_CONFIRM_SWEEP_SECONDS},
    },
    "report redemptions": {
        "task": "integrations.tasks.send_reports",
        "schedule": settings.CONSUME_SWEEP_SECONDS,
        "options": {"expires": settings.CONSUME_SWEEP_SECONDS * 2},
    },
    "find unreported redemptions": {
        "task": "integrations.tasks.find_unreported",
        "schedule": settings.CONSUME_MISSING_SWEEP_SECONDS,
        "options": {"expires": settings.CONSUME_MISSING_SWEEP_SECONDS},
    },
    "find redemptions left open": {
        "task": "integrations.tasks.flag_open_redemptions",
        "schedule": settings.REDEEM_SWEEP_SECONDS,
        "options": {"expires": settings.REDEEM_SWEEP_SECONDS},
    },
    "send webhooks": {
        "task": "integrations.tasks.send_webhooks",
        "schedule": settings.WEBHOOK_SWEEP_SECONDS,
        "options": {"expires": settings.WEBHOOK_SWEEP_SECONDS * 2},
    },
    "work customer files": {
        "task": "integrations.tasks.work_customer_files",
        "schedule": settings.BATCH_SWEEP_SECONDS,
        "options": {"expires": settings.BATCH_SWEEP_SECONDS * 2},
    },
    "prune by age": {
        "task": "integrations.tasks.prune",
        "schedule": crontab(hour=3, minute=30),  # local time: when restaurants are closed
        "options": {"expires": 3600},
    },
}
