"""Every setting of the portal, read from the environment (see `.env` in docs/operations.md).

Settings of the portal's own start with the name of what they govern (`OUTBOX_`, `HOOK_`, `PUSH_`), carry their
unit in the name, and stand at the end of the file.
"""

import logging
import os
from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.utils.translation import gettext_lazy as _

from config import embedded, logs
from config import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Required outside `make run` and the tests ---
SECRET_KEY = env.text("SECRET_KEY")
FIELD_ENCRYPTION_KEYS = env.fernet_keys("FIELD_ENCRYPTION_KEYS")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", required=True)

DEBUG = env.flag("DEBUG", default=False)
CSRF_TRUSTED_ORIGINS = env.origins("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
OUTBOUND_ALLOWED_NETWORKS = env.networks("OUTBOUND_ALLOWED_NETWORKS")
FORCE_HTTPS = env.flag("FORCE_HTTPS", default=False)
DFIRE_SANDBOX = env.flag("DFIRE_SANDBOX", default=False)
LOG_FORMAT = env.choice("LOG_FORMAT", logs.FORMATS, default="console" if DEBUG else "json")
METRICS_TOKEN = env.text("METRICS_TOKEN", default="")
# prometheus_client reads the environment when it is first loaded, which is after this.
PROMETHEUS_MULTIPROC_DIR = env.folder("PROMETHEUS_MULTIPROC_DIR", default=BASE_DIR / "var" / "metrics")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(PROMETHEUS_MULTIPROC_DIR)
SANDBOX_URL = env.text("SANDBOX_URL", default="http://127.0.0.1:9100").rstrip("/")  # where DFIRE_SANDBOX says it is
HOOK_RATE_LIMIT = env.whole_number("HOOK_RATE_LIMIT", default=100)
API_RATE_LIMIT = env.whole_number("API_RATE_LIMIT", default=100)
API_UNKNOWN_CODES_A_MINUTE = env.whole_number("API_UNKNOWN_CODES_A_MINUTE", default=30)
API_UNKNOWN_CODES_IN_ALL = env.whole_number("API_UNKNOWN_CODES_IN_ALL", default=200)
API_WRONG_KEYS_A_MINUTE = env.whole_number("API_WRONG_KEYS_A_MINUTE", default=20)
REQUIRE_TWO_FACTOR = env.flag("REQUIRE_TWO_FACTOR", default=True)  # of administrators

# --- Applications ---
INSTALLED_APPS = [
    "config.site.LookConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "config",
    "integrations",
    "coupons",
    "merchants",
]
MIDDLEWARE = [
    "config.browsers.Browsers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.request_log.RequestLog",
    "config.acting.requests_say_who_acts",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "config.uploads.bounded_uploads",
    "django.contrib.messages.middleware.MessageMiddleware",
    "config.sign_in.gate.Gate",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database and broker: an unset URL means the embedded server ---
_embedded = embedded.running()
if _database_url := os.environ.get("DATABASE_URL") or (_embedded.database_url if _embedded else ""):
    _database = env.database("DATABASE_URL", _database_url)
else:
    _database = {"ENGINE": "config.missing_database"}
# Seconds (the last one milliseconds): a server that vanished without a word is given up after about ten.
_NOTICE_A_LOST_SERVER = {
    "connect_timeout": 2,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
DATABASES = {
    "default": {
        **_database,
        # One connection a thread, kept: a lost database is noticed at once and a new one taken up at the next request.
        "CONN_MAX_AGE": 300,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": _NOTICE_A_LOST_SERVER if "HOST" in _database else {},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if os.environ.get("REDIS_URL"):
    REDIS_URL = env.redis_url("REDIS_URL")
else:
    # Port 9 (discard) refuses at once: what needs no broker goes on, the worker and the scheduler say what is missing.
    REDIS_URL = _embedded.redis_url if _embedded else "redis://127.0.0.1:9/0"

CACHES = {
    "default": {
        # Where and how rates are counted (`integrations.rates`). As a cache it keeps nothing: Django's keeps pickles,
        # by which whoever writes to Redis runs code here, and the admin's search would fail with Redis.
        "BACKEND": "django.core.cache.backends.dummy.DummyCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

# --- Language and time: Chinese and Shanghai first ---
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
TIME_ZONE = "Asia/Shanghai"
FORMAT_MODULE_PATH = ["config.formats"]  # times read 2026-11-28 14:30:00 in both languages
USE_TZ = True

# --- Static files: the web serves its own ---
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

# --- Web security ---
SESSION_ENGINE = "config.sign_in.stored_sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = FORCE_HTTPS  # over https they are in any case
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True  # forms carry the token, no script
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"  # links in notices lead in
if FORCE_HTTPS:  # a browser takes these names from this very host alone, over https
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
SECURE_SSL_REDIRECT = FORCE_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if FORCE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = FORCE_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What a browser may do with an answer (`config.browsers`). Closed: answers for machines, static files, error pages.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "base-uri": [NONE],
        "form-action": [NONE],
        "frame-ancestors": [NONE],
    }
}
ADMIN_CONTENT_SECURITY_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF, UNSAFE_EVAL],  # Alpine, of Unfold, makes functions of the expressions in its attributes
    "style-src": [SELF],
    "style-src-attr": [UNSAFE_INLINE],  # Unfold and our bars write widths into attributes; no style element runs
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_REDIRECT_URL = "admin:index"
LOGIN_URL = "admin:login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

REST_FRAMEWORK = {
    # Each view names what it needs; a view that forgets is closed.
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_SCHEMA_CLASS": "integrations.partner_api.schema.inspector.PartnerSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Coupon portal: partner API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "DEFAULT_GENERATOR_CLASS": "integrations.partner_api.schema.document.Generator",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "PREPROCESSING_HOOKS": ["integrations.partner_api.schema.document.only_ours"],
    "POSTPROCESSING_HOOKS": ["integrations.partner_api.schema.document.finish"],
    "SORT_OPERATION_PARAMETERS": False,
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # `make check` compares docs/openapi.yaml
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "displayRequestDuration": True, "defaultModelsExpandDepth": 0},
}

# --- Logging: one line an event, to standard error (`config.logs`, `config.request_log`) ---
LOGGING = logs.settings(LOG_FORMAT)
logs.configure()
DEFAULT_EXCEPTION_REPORTER = "config.error_reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.error_reports.Masked"
DJANGO_STRUCTLOG_CELERY_ENABLED = True  # a task that a request begins carries the request's id
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False  # it would believe any X-Forwarded-For
DJANGO_STRUCTLOG_USER_ID_FIELD = None  # it would load a session for every request
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True  # those that RequestLog let through
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG  # one line a request, when it is over
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO  # the caller's fault
DJANGO_STRUCTLOG_CELERY_TASK_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_CELERY_TASK_SUCCESS_LOG_LEVEL = logging.DEBUG

UNFOLD = {
    "SITE_TITLE": _("Coupon portal"),
    "SITE_HEADER": _("Coupon portal"),
    "SITE_SUBHEADER": _("dfire merchants"),
    "SITE_SYMBOL": "confirmation_number",
    "SITE_URL": None,
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "STYLES": ["config.look.colours", "config.look.stylesheet"],
    "SCRIPTS": ["config.look.strict", "config.look.script"],
    "LOGIN": {"image": "config.look.login_image"},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.look.favicon"}],
    "SIDEBAR": {"show_search": True, "navigation": "config.navigation.navigation"},
    "ACCOUNT": {"navigation": "config.sign_in.pages.account_links"},
    "DASHBOARD_CALLBACK": "config.dashboard.dashboard",
    "COLORS": "config.look.no_inline_colours",
}

# --- The outbox: how rows reach dfire ---
OUTBOX_LEASE_SECONDS = 60  # at most: a dead worker's rows come back when their lease runs out
OUTBOX_LEASE_MARGIN_SECONDS = 10  # a lease lasts the account's time limit and this
OUTBOX_BACKOFF_MAX_SECONDS = 30
OUTBOX_SWEEP_SECONDS = 2
RELEASE_SWEEP_SECONDS = 60  # what waited and lacks nothing any more, should a signal have been missed
OUTBOX_MAX_LEASES = 5  # a row whose worker died this often before it was answered is set aside
OUTBOX_SUSPECT_LEASES = 2  # from here on such rows are sent one at a time, so that it shows which of them it is
# Calls in flight for each worker process; each account has its own limit besides.
OUTBOX_THREADS = env.whole_number("OUTBOX_THREADS", default=32, smallest=1)

# --- Reconciliation with dfire ---
RECONCILE_MAX_WITHDRAW_PERCENT = env.whole_number("RECONCILE_MAX_WITHDRAW_PERCENT", default=5)
RECONCILE_SWEEP_SECONDS = 2
RECONCILE_TURN_SECONDS = 60  # so long a worker stays with one merchant while others wait
RECONCILE_THREADS = 32  # questions in flight at most; the account's own limit holds besides
RECONCILE_PAGE = 200  # customers; so much is asked again at most after a kill
RECONCILE_LATELY_HOURS = 48  # what changed since then is looked at first
RECONCILE_QUIET_SECONDS = 10  # what changed so shortly before dfire was asked is left for the next run
RECONCILE_NIGHTLY_HOUR, RECONCILE_NIGHTLY_MINUTE = 3, 30  # Shanghai
RECONCILE_NIGHTLY_SPREAD_MINUTES = 60  # merchants begin one after another
RECONCILE_NIGHTLY_SWEEP_SECONDS = 60
RECONCILE_KEEP_DAYS = 90  # runs and their findings, which name customers' openids

# --- The lives of coupons and templates ---
EXPIRY_SWEEP_SECONDS = 20
FIGURES_MERGE_SECONDS = 20
BATCH_SWEEP_SECONDS = 2
PUSH_OPEN_ENDED_YEARS = 3  # how long a pushed template with a relative validity runs

# --- Inbound ---
PUSH_SIGNATURE_SECONDS = 600  # so far may the moment of revision 3's signature lie from now
PUSH_CONFIRM_SECONDS = env.whole_number("PUSH_CONFIRM_SECONDS", default=3, smallest=1)  # so long dfire may take
PUSH_CONFIRM_AT_ONCE = env.whole_number("PUSH_CONFIRM_AT_ONCE", default=2, smallest=1)  # half of a process's threads
PUSH_CONFIRM_SWEEP_SECONDS = 10
REDEEM_WAIT_SECONDS = 2  # at most: then a partner's redemption is answered "redeeming" and settled behind it
# So long after dfire's account last answered a redemption may stay open; then staff may decide it.
REDEEM_LIMIT_MINUTES = env.whole_number("REDEEM_LIMIT_MINUTES", default=10, smallest=1)
REDEEM_SWEEP_SECONDS = 30

# --- Consume reports to smart-coupon platforms ---
CONSUME_COUPONS_A_CALL = 100
CONSUME_TIMEOUT_SECONDS = 10  # for one call, and as much again where a token is fetched first
CONSUME_SWEEP_SECONDS = 5
CONSUME_MISSING_SWEEP_SECONDS = 60  # what was redeemed and has no report yet
CONSUME_MISSING_A_SWEEP = 1000  # coupons of each account

# --- Webhooks to partners ---
WEBHOOK_TIMEOUT_SECONDS = 10  # for one call, from the name's lookup to the end of the answer
WEBHOOK_AT_ONCE = 4  # calls in flight for one address, over all workers
WEBHOOK_THREADS = 32  # calls in flight in one worker process; each address that has work gets an even share
WEBHOOK_SWEEP_SECONDS = 5
WEBHOOK_RETRY_HOURS = 72
WEBHOOK_LONGEST_PAUSE_SECONDS = 6 * 3600  # between two attempts of one delivery
WEBHOOK_OFF_AFTER_HOURS = 24  # of failures alone, and so many calls at least
WEBHOOK_OFF_AFTER_TRIES = 10

# --- Bodies and the database of hooks ---
HOOK_BODY_LIMIT_BYTES = 64 * 1024
# How long a hook waits for PostgreSQL before it answers 503: for a lock, for one statement, for all that it asks.
HOOK_LOCK_SECONDS = 2
HOOK_STATEMENT_SECONDS = 3
HOOK_DATABASE_SECONDS = 4
HOOK_DATABASE_PROBE_SECONDS = 1  # once it is known to be away, one hook tries it this often; the others answer at once
CALLBACK_OLDEST_SECONDS = 7 * 24 * 3600
CALLBACK_AHEAD_SECONDS = 600
INBOX_RETRY_SECONDS = 30

# --- Retention: after so many days contents are removed; 0 = kept for good (docs/retention.md) ---
RETENTION_ATTEMPTS_DAYS = env.whole_number("RETENTION_ATTEMPTS_DAYS", default=90)
RETENTION_OUTBOX_ROWS_DAYS = env.whole_number("RETENTION_OUTBOX_ROWS_DAYS", default=90)
RETENTION_PUSHES_DAYS = env.whole_number("RETENTION_PUSHES_DAYS", default=90)
RETENTION_PUSH_ANSWERS_DAYS = env.whole_number("RETENTION_PUSH_ANSWERS_DAYS", default=30)
RETENTION_CALLBACKS_DAYS = env.whole_number("RETENTION_CALLBACKS_DAYS", default=180)
RETENTION_BATCH_ROWS_DAYS = env.whole_number("RETENTION_BATCH_ROWS_DAYS", default=90)
RETENTION_SESSIONS_DAYS = env.whole_number("RETENTION_SESSIONS_DAYS", default=1)
RETENTION_API_ANSWERS_DAYS = env.whole_number("RETENTION_API_ANSWERS_DAYS", default=1)  # 24 h are promised
RETENTION_API_CALLS_DAYS = env.whole_number("RETENTION_API_CALLS_DAYS", default=30)
RETENTION_WEBHOOKS_DAYS = env.whole_number("RETENTION_WEBHOOKS_DAYS", default=30)
RETENTION_BATCH = 1000  # rows locked at once
RETENTION_PAUSE_SECONDS = 0.2  # between batches, for the others
RETENTION_MOST_A_RUN = env.whole_number("RETENTION_MOST_A_RUN", default=500_000, smallest=1)  # of each kind
ERASURE_SWEEP_SECONDS = 10

# --- Alerts ---
PORTAL_URL = env.address("PORTAL_URL")  # what links in notices begin with; none = links without a host
ALERT_QUEUE_MINUTES = env.whole_number("ALERT_QUEUE_MINUTES", default=10, smallest=1)
ALERT_INBOX_MINUTES = env.whole_number("ALERT_INBOX_MINUTES", default=5, smallest=1)
ALERT_CHECK_SECONDS = 60
ALERT_HOLD_SECONDS = 90  # what comes back within it is the same incident: more than a check and than a probe apart
NOTICE_SWEEP_SECONDS = 10
NOTICE_TIMEOUT_SECONDS = 20  # for one notice at one target, whatever its service does

# --- People: signing in, sessions, sensitive rights (docs/people.md) ---
SIGN_IN_FAILURES = env.whole_number("SIGN_IN_FAILURES", default=5, smallest=1)  # in a row, then the name is locked
SIGN_IN_LOCK_MINUTES = env.whole_number("SIGN_IN_LOCK_MINUTES", default=15, smallest=1)
SESSION_IDLE_MINUTES = env.whole_number("SESSION_IDLE_MINUTES", default=60, smallest=1)
SESSION_HOURS = env.whole_number("SESSION_HOURS", default=12, smallest=1)  # however busy
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
ISSUE_WITHOUT_RIGHT_LIMIT = env.whole_number("ISSUE_WITHOUT_RIGHT_LIMIT", default=1000)  # coupons of one batch
OTP_TOTP_ISSUER = "Coupon portal"  # how the app on the phone names us
AXES_ENABLE_ADMIN = False  # merchants.admin.sign_ins has pages of our own
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"  # a lock holds without Redis, and can be seen and lifted
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # a stranger elsewhere cannot lock a name for its owner
AXES_CLIENT_IP_CALLABLE = "integrations.hooks.callers.household"
AXES_LOCKOUT_CALLABLE = "config.sign_in.locks.locked_page"
AXES_FAILURE_LIMIT = SIGN_IN_FAILURES
AXES_COOLOFF_TIME = timedelta(minutes=SIGN_IN_LOCK_MINUTES)
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # the end that the page tells stays
AXES_ENABLE_ACCESS_FAILURE_LOG = True
AXES_ACCESS_FAILURE_LOG_PER_USER_LIMIT = 100_000  # they are pruned by age
AXES_VERBOSE = False
# What of a failed sign-in's form is not kept: names, codes, and where one wanted to go (a search for a number, say).
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken", "next"]
RETENTION_SIGN_INS_DAYS = env.whole_number("RETENTION_SIGN_INS_DAYS", default=180)

# --- The audit trail (docs/audit.md) ---
RETENTION_AUDIT_DAYS = env.whole_number("RETENTION_AUDIT_DAYS", default=1095)

# --- Four eyes: above this a second person is asked; 0 = never (docs/approvals.md) ---
APPROVE_COUPONS = env.whole_number("APPROVE_COUPONS", default=10_000)  # issued or taken back
APPROVE_YUAN = env.whole_number("APPROVE_YUAN", default=100_000)  # what they are worth
APPROVE_TEMPLATE_YUAN = env.whole_number("APPROVE_TEMPLATE_YUAN", default=500)  # what one coupon is worth
APPROVE_PERCENT_PAID = env.whole_number("APPROVE_PERCENT_PAID", default=30)  # below this part of the price
APPROVE_DAYS = env.whole_number("APPROVE_DAYS", default=7, smallest=1)  # then a request lapses
APPROVE_ALONE_HOURS = 24  # what one has done alone counts so long, so that splitting is no way round
