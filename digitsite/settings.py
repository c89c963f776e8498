"""Django's settings. Operators configure the site by environment variables or `.env`.

Without any the site is safe and works for one person on one machine: no debug pages, loopback
hosts only, SQLite beside the code, static files without `collectstatic`. `.env.example` lists the
variables; `digitsite.checks` rejects invalid values.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path
from typing import Any

import environ
from corsheaders.defaults import default_headers
from django.conf.global_settings import PASSWORD_HASHERS
from whitenoise.compress import Compressor

from digitsite.environment import (
    LOOPBACK_HOSTS,
    Environment,
    Problem,
    is_loopback,
    stored_secret_key,
)
from recognizer.api.origins import normalised

BASE_DIR = Path(__file__).resolve().parent.parent

environ.Env.read_env(BASE_DIR / ".env", overwrite=False)
env = Environment()

# Access ---------------------------------------------------------------------------------------

DEBUG = env.flag("DEBUG", False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", list(LOOPBACK_HOSTS)) or list(LOOPBACK_HOSTS)
# A public site needs its own SECRET_KEY and HTTPS.
PUBLIC = not all(is_loopback(host) for host in ALLOWED_HOSTS)

SECRET_KEY_FROM_ENVIRONMENT = bool(env.text("SECRET_KEY"))
SECRET_KEY = env.text("SECRET_KEY") or ""
if not SECRET_KEY:
    try:
        SECRET_KEY = stored_secret_key(BASE_DIR / ".secret_key")
    except ValueError as error:
        # Never used to sign anything: the checks stop the start.
        SECRET_KEY = "no-key"  # noqa: S105 - never used, see above
        env.problems.append(Problem("SECRET_KEY", f"SECRET_KEY is not set, and {error}"))

# Reverse proxies in front of the site that are trusted for the client's address and protocol.
NUM_PROXIES = env.whole_number("NUM_PROXIES", 0)
if NUM_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# As browsers write them.
CSRF_TRUSTED_ORIGINS = [normalised(each) for each in env.words("CSRF_TRUSTED_ORIGINS", [])]
CSRF_FAILURE_VIEW = "recognizer.pages.errors.csrf_failure"

SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", PUBLIC)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.whole_number("SECURE_HSTS_SECONDS", 30 * 24 * 3600 if PUBLIC else 0)
# Subdomains and browsers' preload lists concern more than this site: the proxy's operator decides.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = PUBLIC
CSRF_COOKIE_SECURE = PUBLIC
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 180 * 24 * 3600
STAFF_SESSION_AGE = 12 * 3600
# The signed cookie that identifies a visitor's history: see recognizer.api.visitors.
VISITOR_COOKIE_AGE = 180 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }
}

# Applications ---------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Before staticfiles, for its own `runserver`.
    "digitsite",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "drf_standardized_errors",
    "csp",
    "corsheaders",
    "django_tasks",
    "django_tasks_db",
    "recognizer",
]
# Staff must log in to the admin with a one-time password, too. It needs tables: run `migrate`.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", False)
if STAFF_SECOND_FACTOR:
    INSTALLED_APPS[INSTALLED_APPS.index("django.contrib.admin")] = (
        "digitsite.apps.SecondFactorAdminConfig"
    )
    INSTALLED_APPS += ["django_otp", "django_otp.plugins.otp_totp", "django_otp.plugins.otp_static"]
# A web server can be deployed without the training code.
if importlib.util.find_spec("training") is not None:
    INSTALLED_APPS.append("training")

MIDDLEWARE = [
    "digitsite.middleware.UntrustedProxyMiddleware",
    "digitsite.request_metrics.request_metrics",
    "digitsite.middleware.head_without_body",
    "django.middleware.security.SecurityMiddleware",
    # First: static files need no id and no policy, and a page sends forty times what they have.
    "digitsite.staticfiles.StaticFilesMiddleware",
    "digitsite.request_ids.RequestIdMiddleware",
    "digitsite.middleware.permissions_policy",
    "digitsite.compression.PageCompressionMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "digitsite.middleware.well_formed_requests",
    "digitsite.middleware.OddAddressMiddleware",
    "digitsite.middleware.SiteMiddleware",
    # Before the CSRF token is looked for: that reads the whole form.
    "recognizer.api.throttling.LimitsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "recognizer.api.visitors.VisitorMiddleware",
]
if STAFF_SECOND_FACTOR:
    MIDDLEWARE.insert(
        MIDDLEWARE.index("django.contrib.messages.middleware.MessageMiddleware"),
        "django_otp.middleware.OTPMiddleware",
    )

ROOT_URLCONF = "digitsite.urls"
WSGI_APPLICATION = "digitsite.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

# Storage --------------------------------------------------------------------------------------

# WAL needs memory that processes share through the file system; network file systems have none.
SQLITE_JOURNAL = env.choice("SQLITE_JOURNAL", "WAL", ("WAL", "DELETE", "TRUNCATE", "PERSIST"))
DATABASES: dict[str, dict[str, Any]] = {
    "default": env.database("DATABASE_URL", base=BASE_DIR, journal=SQLITE_JOURNAL)
}
if (
    DATABASES["default"]["ENGINE"].endswith("postgresql")
    and importlib.util.find_spec("psycopg") is None
):
    env.problems.append(
        Problem(
            "DATABASE_URL",
            'DATABASE_URL needs the PostgreSQL driver: pip install "psycopg[binary]"',
        )
    )
if any(problem.variable == "DATABASE_URL" for problem in env.problems):
    # No database is better than silently using a different one.
    DATABASES = {"default": {"ENGINE": "django.db.backends.dummy"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env.text("REDIS_URL") or ""
if REDIS_URL and not REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
    env.problems.append(
        Problem("REDIS_URL", "REDIS_URL must start with redis://, rediss:// or unix://.")
    )
    REDIS_URL = ""
if REDIS_URL and importlib.util.find_spec("redis") is None:
    env.problems.append(Problem("REDIS_URL", "REDIS_URL needs the Redis client: pip install redis"))
# Counts requests for all processes: of one machine in a file, of several in Redis.
DATABASE_FILE = DATABASES["default"].get("NAME")
CACHE_FILE = BASE_DIR / (
    env.text("CACHE_FILE")
    or (DATABASE_FILE.parent if isinstance(DATABASE_FILE, Path) else BASE_DIR) / "cache.sqlite3"
)
CACHES: dict[str, dict[str, Any]] = {
    "default": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            # A slow Redis must not make the site slow.
            "OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5},
        }
        if REDIS_URL
        else {
            "BACKEND": "digitsite.cache.SqliteCache",
            "LOCATION": CACHE_FILE,
            # About 100 MB. With fewer, other addresses would push out one that is limited.
            "OPTIONS": {"MAX_ENTRIES": 500_000},
        }
    )
}

AUTHENTICATION_BACKENDS = ["recognizer.api.logins.LimitedBackend"]
PASSWORD_HASHERS = [
    # The same hash as Django's first one.
    "recognizer.api.logins.YieldingHasher",
    *PASSWORD_HASHERS[1:],
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "log-in"
LOGIN_REDIRECT_URL = "draw"
LOGOUT_REDIRECT_URL = "draw"
# Whether visitors may create accounts. They have no permissions.
SIGN_UP = env.flag("SIGN_UP", False)

# Background work ------------------------------------------------------------------------------

# The queue is a table of the database: no broker to run, and a job and its place in the queue are
# committed together. `manage.py db_worker` runs the jobs.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

# Whether `housekeeping` requests a training when the labels are worth it.
TRAIN_NIGHTLY = env.flag("TRAIN_NIGHTLY", False)

# Static files ---------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT") or BASE_DIR / "staticfiles")
STATICFILES_DIRS = [path for path in [BASE_DIR / "static"] if path.is_dir()]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "digitsite.staticfiles.HashedWhenCollected"},
}
WHITENOISE_USE_FINDERS = True
# Every page links to the hashed names.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Other sites need none of these files.
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Only debuggers load source maps, and compressing them takes half the time of `collectstatic`.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

# Language and time ----------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
# The language of the source code, and the translations in locale/.
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
FORMAT_MODULE_PATH = "digitsite.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = PUBLIC
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# The API --------------------------------------------------------------------------------------

# The body of a request may take this long, and one more second for each 16 kB; 0 sets no limit.
SLOW_BODY_SECONDS = env.seconds("SLOW_BODY_SECONDS", 20)
# The largest request body: a drawing of 8 MB in base64 with JSON around it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    # Tokens first, so that a wrong one gets 401 with WWW-Authenticate.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "recognizer.api.authentication.TokenAuthentication",
        "recognizer.api.authentication.BrowserSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "DEFAULT_THROTTLE_CLASSES": ["recognizer.api.throttling.MethodThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        # A local site needs no limits, except on wrong passwords.
        "anon": env.rate("THROTTLE_ANON", "60/min" if PUBLIC else None),
        "user": env.rate("THROTTLE_USER", "120/min" if PUBLIC else None),
        "preview": env.rate("THROTTLE_PREVIEW", "600/min" if PUBLIC else None),
        "read": env.rate("THROTTLE_READ", "600/min" if PUBLIC else None),
        "login": env.rate("THROTTLE_LOGIN", "10/hour"),
    },
    "NUM_PROXIES": NUM_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "recognizer.api.errors.ExceptionHandler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DigitSite API",
    "DESCRIPTION": "Send drawings and get predicted digits with confidence; list your drawings.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # What PATCH takes is complete, not some of the fields.
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "recognizer.api.schema.complete",
    ],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "ENUM_NAME_OVERRIDES": {
        "SourceEnum": "recognizer.models.Source",
        "SentSourceEnum": "recognizer.api.serializers.SENT_SOURCES",
        "VerdictEnum": "recognizer.models.Verdict",
    },
}

# Browsers on these origins may use the API with a token. Cookies are not sent and not honoured.
CORS_ALLOWED_ORIGINS = env.words("CORS_ALLOWED_ORIGINS", [])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = (*default_headers, "idempotency-key", "prefer")
CORS_EXPOSE_HEADERS = ("Content-Disposition", "Location", "Retry-After", "X-Request-ID")

# How often a web process checks whether another model version was activated.
MODEL_RECHECK_SECONDS = env.seconds("MODEL_RECHECK_SECONDS", 2)

# One address may send this many times as much as one visitor.
ADDRESS_LIMIT_FACTOR = env.whole_number("ADDRESS_LIMIT_FACTOR", 5, least=1)
# What one user or visitor may store in 24 hours; 0 sets no limit.
STORED_MB_PER_DAY = env.whole_number("STORED_MB_PER_DAY", 50 if PUBLIC else 0)

# `purge_predictions` deletes drawings older than this; 0 keeps all. The second is for unlabelled
# drawings of visitors without an account.
DRAWINGS_KEPT_DAYS = env.whole_number("DRAWINGS_KEPT_DAYS", 0)
ANONYMOUS_DRAWINGS_KEPT_DAYS = env.whole_number(
    "ANONYMOUS_DRAWINGS_KEPT_DAYS", 180 if PUBLIC else 0
)

# The share of labelled drawings that a second reviewer labels again, without seeing the label.
SECOND_OPINION_SHARE = env.share("SECOND_OPINION_SHARE", 0.05)

# Contact for questions about stored drawings; shown on the About page.
CONTACT_EMAIL = env.text("CONTACT_EMAIL") or ""
if CONTACT_EMAIL and not re.fullmatch(r"[^@\s]+@[^@\s]+", CONTACT_EMAIL):
    env.problems.append(Problem("CONTACT_EMAIL", "CONTACT_EMAIL is not an email address."))
    CONTACT_EMAIL = ""

# Monitoring -----------------------------------------------------------------------------------

# Turns /metrics on, for whoever sends it.
METRICS_TOKEN = env.text("METRICS_TOKEN") or ""
# Where each process counts; the client of Prometheus reads the variable itself.
METRICS_FOLDER = env.text("PROMETHEUS_MULTIPROC_DIR") or ""
if METRICS_TOKEN and importlib.util.find_spec("prometheus_client") is None:
    env.problems.append(
        Problem("METRICS_TOKEN", "METRICS_TOKEN needs a package: pip install prometheus-client")
    )
if METRICS_TOKEN and not os.access(METRICS_FOLDER, os.W_OK | os.X_OK):
    env.problems.append(
        Problem(
            "PROMETHEUS_MULTIPROC_DIR",
            "METRICS_TOKEN needs PROMETHEUS_MULTIPROC_DIR: a folder that this process can write "
            "to, and that is empty when the site starts.",
        )
    )

# Logging --------------------------------------------------------------------------------------

LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
# For people, or one object of JSON in each line for programs.
LOG_FORMAT = env.choice("LOG_FORMAT", "TEXT", ("TEXT", "JSON")).lower()
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "digitsite.request_ids.RequestIdFilter"},
        "one_line": {"()": "digitsite.request_ids.OneLineFilter"},
        "outage": {"()": "digitsite.logs.OutageFilter"},
    },
    "formatters": {
        "text": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"},
        "json": {"()": "digitsite.logs.JsonFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "outage"],
            "formatter": LOG_FORMAT,
        },
        "refusals": {
            "class": "logging.StreamHandler",
            "filters": ["request_id", "one_line"],
            "formatter": LOG_FORMAT,
        },
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "recognizer": {"level": LOG_LEVEL},
        "training": {"level": LOG_LEVEL},
        # Its own handlers write only while DEBUG is on, or by email.
        "django": {"handlers": [], "level": "INFO"},
        # Server errors, with their traceback; not every address that does not exist.
        "django.request": {"level": "ERROR"},
        "django.security": {"handlers": ["refusals"], "level": "WARNING", "propagate": False},
    },
}

# Read by digitsite.checks.
ENVIRONMENT_PROBLEMS = tuple(env.problems)
