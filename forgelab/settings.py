"""Django settings: one file for both ways to run, read from the environment.

`FORGELAB_MODE=embedded` (the default) needs nothing but Python packages: SQLite, a broker in a folder, keys made at the
first start. `FORGELAB_MODE=production` refuses to start without explicit keys, hosts and a database.
"""

import hashlib
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env

from forgelab.lib.instance import default_data_dir, load_or_create_keys
from forgelab.lib.public_url import URL_RULE, is_url

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

MODE = env.str("FORGELAB_MODE", "embedded")
if MODE not in ("embedded", "production"):
    raise ImproperlyConfigured(f'FORGELAB_MODE is "{MODE}": allowed are embedded and production.')
PRODUCTION = MODE == "production"


def required(name: str) -> str:
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: production mode needs it in the environment.")
    return value


DATA_DIR = Path(env.str("FORGELAB_DATA_DIR", "") or default_data_dir()).expanduser().resolve()
# Rendered projects hold secrets: they live in memory, never on a disk.
# Each installation has a folder of its own, since its sweeper removes what no run of its database uses.
_installation = hashlib.sha256(str(DATA_DIR).encode()).hexdigest()[:8]
RUNS_DIR = Path(env.str("FORGELAB_RUNS_DIR", "") or f"/dev/shm/forgelab-{_installation}")  # noqa: S108
ROLES_DIR = BASE_DIR / "roles"
# Mirrors of vendors' repositories, and vendors of one's own: docs/vendors.md.
VENDORS_FILE = Path(env.str("FORGELAB_VENDORS_FILE", "") or DATA_DIR / "vendors.yaml")
# The weights of placement: docs/placement.md.
PLACEMENT_FILE = Path(env.str("FORGELAB_PLACEMENT_FILE", "") or DATA_DIR / "placement.yaml")
RECIPES_DIR = Path(env.str("FORGELAB_RECIPES_DIR", "") or DATA_DIR / "recipes")

if PRODUCTION:
    SECRET_KEY = required("SECRET_KEY")
    ENCRYPTION_KEYS = [key.strip() for key in required("FORGELAB_ENCRYPTION_KEYS").split(",")]
    ALLOWED_HOSTS = required("FORGELAB_ALLOWED_HOSTS").split(",")
else:
    _keys = load_or_create_keys(DATA_DIR)
    SECRET_KEY = env.str("SECRET_KEY", "") or _keys["SECRET_KEY"]
    ENCRYPTION_KEYS = (env.str("FORGELAB_ENCRYPTION_KEYS", "") or _keys["FORGELAB_ENCRYPTION_KEYS"]).split(",")
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *env.list("FORGELAB_ALLOWED_HOSTS", [])]

DEBUG = env.bool("FORGELAB_DEBUG", False)
CSRF_TRUSTED_ORIGINS = env.list("FORGELAB_TRUSTED_ORIGINS", [])

# The address under which devices and browsers reach the web pages, such as https://forgelab.home.arpa; where it is not
# set, it is taken from the request or from where `forgelab up` listens, which passes it in FORGELAB_LISTENING.
PUBLIC_URL = env.str("FORGELAB_URL", "").rstrip("/")
LISTENING_URL = env.str("FORGELAB_LISTENING", "")
if PUBLIC_URL:
    if not is_url(PUBLIC_URL):
        raise ImproperlyConfigured(f'FORGELAB_URL is "{PUBLIC_URL}": {URL_RULE}, such as http://192.168.1.5:8000.')
    _public = urlsplit(PUBLIC_URL)
    ALLOWED_HOSTS.append(f"[{_public.hostname}]" if ":" in str(_public.hostname) else str(_public.hostname))
    CSRF_TRUSTED_ORIGINS.append(f"{_public.scheme}://{_public.netloc}")
# Reverse proxies whose X-Forwarded-For is believed: addresses or networks.
try:
    TRUSTED_PROXIES = [ip_network(text.strip()) for text in env.list("FORGELAB_TRUSTED_PROXIES", []) if text.strip()]
except ValueError as _error:
    raise ImproperlyConfigured(f"FORGELAB_TRUSTED_PROXIES: {_error}. Give addresses or networks.") from None
# How long the one-line command by which a device joins can be used.
JOIN_MINUTES = env.int("FORGELAB_JOIN_MINUTES", 15)
if not 1 <= JOIN_MINUTES <= 1440:
    raise ImproperlyConfigured(f"FORGELAB_JOIN_MINUTES is {JOIN_MINUTES}: give 1 to 1440 (a day).")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "knox",
    "drf_spectacular",
    "django_htmx",
    "template_partials",
    "forgelab.accounts",
    "forgelab.devices",
    "forgelab.runs",
    "forgelab.servers",
    "forgelab.databases",
    "forgelab.api",
    "forgelab.web",
    "forgelab.cli",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "forgelab.web.middleware.ContentSecurityPolicyMiddleware",
]

ROOT_URLCONF = "forgelab.urls"
ASGI_APPLICATION = "forgelab.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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


def database() -> dict:
    url = required("DATABASE_URL") if PRODUCTION else env.str("DATABASE_URL", "")
    if url:
        return dict(dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True))
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "forgelab.sqlite3",
        "OPTIONS": {
            # One writer at a time is SQLite's nature: take the write lock at BEGIN and wait for it, so that a
            # transaction never fails half way with "database is locked".
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;",
        },
        "TEST": {"NAME": DATA_DIR / "test.sqlite3"},
    }


DATABASES = {"default": database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = env.str("TZ", "UTC") or "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": "600/min"},
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ForgeLab API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "DeviceStatusEnum": "forgelab.devices.models.Device.Status",
        "RunStatusEnum": "forgelab.runs.models.Run.Status",
        "ServerStatusEnum": "forgelab.servers.models.Server.Status",
        "StepStatusEnum": "forgelab.runs.models.Step.Status",
    },
}

CELERY_BROKER_URL = required("CELERY_BROKER_URL") if PRODUCTION else env.str("CELERY_BROKER_URL", "") or "filesystem://"
if CELERY_BROKER_URL.startswith("filesystem"):
    _broker = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker / "messages"),
        "data_folder_out": str(_broker / "messages"),
        "control_folder": str(_broker / "control"),
        "polling_interval": 0.2,  # seconds; kombu's own default of 1 s would be felt at every click
    }
    for _folder in ("messages", "control"):
        (_broker / _folder).mkdir(mode=0o700, parents=True, exist_ok=True)
else:
    # A person waits while a run is enqueued: a broker that is away is given up quickly, the sweeper enqueues again.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"max_retries": 1, "interval_start": 0.1, "socket_connect_timeout": 2}
# The database is the truth, the broker only carries ids: results are never stored, messages are acknowledged at once,
# and the sweeper enqueues again whatever was lost.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"forgelab.runs.tasks.execute_run": {"queue": "runs"}}
CELERY_BEAT_SCHEDULE = {
    "sweep-runs": {"task": "forgelab.runs.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "check-drift": {"task": "forgelab.servers.tasks.check_drift", "schedule": 300.0, "options": {"expires": 300}},
    "fence": {"task": "forgelab.databases.tasks.fence", "schedule": 30.0, "options": {"expires": 30}},
    "refresh-backups": {
        "task": "forgelab.databases.tasks.refresh_backups",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "roll-up-metrics": {
        "task": "forgelab.devices.tasks.roll_up_metrics",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")

# The hour of the day from which on devices are compared with their servers' plans, in time zone TZ; "off" for never.
_drift_hour = env.str("FORGELAB_DRIFT_HOUR", "3") or "3"
if _drift_hour != "off" and _drift_hour not in map(str, range(24)):
    raise ImproperlyConfigured(f'FORGELAB_DRIFT_HOUR is "{_drift_hour}": give an hour from 0 to 23, or off.')
DRIFT_HOUR = None if _drift_hour == "off" else int(_drift_hour)

# Runs that one worker performs at the same time; each process that stands ready for one takes about 14 MB.
RUNS_AT_ONCE = env.int("FORGELAB_RUNS_AT_ONCE", 10)

# Seconds between two looks at a device. Anything but a minute is for tests.
METRICS_INTERVAL = env.int("FORGELAB_METRICS_SECONDS", 60)
if not 1 <= METRICS_INTERVAL <= 60:
    raise ImproperlyConfigured(f"FORGELAB_METRICS_SECONDS is {METRICS_INTERVAL}: give 1 to 60 seconds.")
# Looks in a row that a device must miss before it is called unreachable, or asleep: a reboot takes one or two minutes.
MISSES_UNTIL_DOWN = env.int("FORGELAB_MISSES", 3)
if not 1 <= MISSES_UNTIL_DOWN <= 60:
    raise ImproperlyConfigured(f"FORGELAB_MISSES is {MISSES_UNTIL_DOWN}: give 1 to 60.")
# Seconds that a run waits for a sleeping device to wake up. Most answer within one minute.
WAKE_SECONDS = env.int("FORGELAB_WAKE_SECONDS", 120)
if not 1 <= WAKE_SECONDS <= 600:
    raise ImproperlyConfigured(f"FORGELAB_WAKE_SECONDS is {WAKE_SECONDS}: give 1 to 600 seconds.")

# Seconds. Every RUN_HEARTBEAT a worker renews its lease on the run. Where it cannot, it ends the run after RUN_LEASE,
# before anybody else may call it lost (RUN_LOST): so two playbooks never meet on one device.
# A queued run that no worker takes is enqueued again after RUN_ENQUEUE_AGAIN.
RUN_HEARTBEAT = 5
RUN_LEASE = 20
RUN_LOST = 30
RUN_ENQUEUE_AGAIN = 15

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "forgelab.lib.logs.Formatter",
            "format": "%(asctime)s %(levelname)s %(name)s: %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("FORGELAB_LOG_LEVEL", "INFO")},
    "loggers": {"asyncssh": {"level": "WARNING"}},  # it logs every connection
}

SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
