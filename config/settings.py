"""Django's settings; what differs between two installations comes from the environment (`config/conf.py`)."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from config import conf
from config.navigation import UNFOLD  # noqa: F401  (Django reads it from here)

BASE_DIR = conf.BASE_DIR
NETCAIRN_VAR = conf.var_dir()
NETCAIRN_STORE_ROOT = Path(os.environ.get("NETCAIRN_STORE_ROOT") or NETCAIRN_VAR / "store").absolute()
NETCAIRN_PLATFORMS_DIR = os.environ.get("NETCAIRN_PLATFORMS_DIR") or None
NETCAIRN_SECRETS_KEYS = conf.secrets_keys(NETCAIRN_VAR)
NETCAIRN_SECRETS_KEYS_READER: str | None = "config.conf.secrets_keys_now"  # keys change while the program runs
NETCAIRN_HOST = conf.host()
NETCAIRN_WORKERS = int(os.environ.get("NETCAIRN_WORKERS") or 2)
NETCAIRN_QUEUE = conf.queue()  # of the workers that are started here; empty: what has no queue of its own
# Where secrets of credentials may be kept instead of the database (inventory/sources.py).
NETCAIRN_VAULT = conf.vault()
NETCAIRN_CREDENTIALS_DIR = os.environ.get("NETCAIRN_CREDENTIALS_DIR") or None
# Called, in the same transaction, when a run has ended: the higher apps' share in a run, without an import upwards.
NETCAIRN_RUN_ENDED = [
    "checkpoints.services.checkpoint_run",
    "checkpoints.publishing.publish_run",
    "backups.mirrors.jobs.run_ended",
]
NETCAIRN_MIRRORS_DIR = os.environ.get("NETCAIRN_MIRRORS_DIR") or None  # below which mirrors may be directories
NETCAIRN_MIRRORS_CA_FILE = os.environ.get("NETCAIRN_MIRRORS_CA_FILE") or None
NETCAIRN_PUBLISHED_ROOT = os.environ.get("NETCAIRN_PUBLISHED_ROOT") or None  # a tree of plain files for each tenant
# Called, in the transaction, when a tenant is deleted for good: what of it is neither row, repository nor object.
NETCAIRN_TENANT_ENDS = ["checkpoints.publishing.remove_published"]
NETCAIRN_DELETE_DAYS = max(1, conf.number("NETCAIRN_DELETE_DAYS", default=7))  # in which a deletion can be undone
# Called by `fsck` with a tenant and its repository, under the lock, for the same reason: what is wrong in their share.
NETCAIRN_FSCK_CHECKS = ["checkpoints.fsck.troubles"]
# Called by `fsck --rebuild` with a tenant, its repository and its record, in the transaction: what they have to fill.
NETCAIRN_REBUILDS = ["checkpoints.rebuilding.rebuild"]
# Called by `fsck --accept-loss` with what it has written off, in the transaction: what of theirs was lost.
NETCAIRN_LOSSES = ["checkpoints.losing.accept"]
# Give the devices that nobody may log in to for a backup at the moment, for the same reason.
NETCAIRN_HELD_DEVICES = ["checkpoints.restore_rules.held_devices"]
# The door that asks for a worker when something of a kind was put into the outbox (`backups/outbox.py`).
NETCAIRN_OUTBOX = dict.fromkeys(["publish", "forget", "sweep"], "backups.remote.jobs.ask")
# Called every minute by the queue's tick, for the same reason.
NETCAIRN_TICKS = [
    "backups.hosts.watch.tick",
    "inventory.lockouts.sweep",
    "backups.transcripts.sweep",
    "checkpoints.restore_jobs.tick",
    "checkpoints.retention_jobs.tick",
    "backups.upkeep_jobs.tick",
    "backups.tallies.tick",
    "backups.remote.jobs.tick",
    "backups.mirrors.jobs.tick",
    "backups.recovery.jobs.tick",
    "backups.erasing_jobs.tick",
]
# The object store, and whether it has a copy of each repository or is their home (`backups/remote/`).
NETCAIRN_OBJECT_STORE = conf.object_store()["address"]
NETCAIRN_OBJECT_STORE_ENDPOINT = conf.object_store()["endpoint"]
NETCAIRN_OBJECT_STORE_MODE = conf.object_store_mode()
# Called before a repository is opened to be read, where the object store is its home.
NETCAIRN_STORE_READY = "backups.remote.home.ready" if NETCAIRN_OBJECT_STORE_MODE == "home" else None
NETCAIRN_STORE_FILE = "backups.remote.cold.read_file"  # and before one file is read, where there is no cache
NETCAIRN_OBJECT_STORE_ENCRYPT = conf.flag("NETCAIRN_OBJECT_STORE_ENCRYPT")
NETCAIRN_OBJECT_STORE_KEEP_DAYS = conf.number("NETCAIRN_OBJECT_STORE_KEEP_DAYS", default=7)
NETCAIRN_OBJECT_STORE_LAG_MINUTES = conf.number("NETCAIRN_OBJECT_STORE_LAG_MINUTES", default=15)
NETCAIRN_VERIFY_HOURS = range(6)  # of the day, UTC: when stores are read again
NETCAIRN_UPKEEP_SECONDS = 20.0  # of a worker's time in one minute: for reading stores again, and for preparing searches
# Finds out what devices run, for an import whose rows leave that open.
NETCAIRN_RECOGNISE = "backups.recognition.recognise_all"
# Called with every notice once its transaction stands (`inventory/notices.py`).
NETCAIRN_NOTICE_CHANNELS = ["inventory.notices.to_log"]

# Called before a command touches the database.
NETCAIRN_READY_DATABASE = "config.serving.ready_database"
NETCAIRN_THREADS = int(os.environ.get("NETCAIRN_THREADS") or 100)  # devices that one worker talks to, at the utmost
NETCAIRN_DEVICE_DEADLINE = 300.0  # seconds for one device, connection included
NETCAIRN_DEVICE_MAX_BYTES = 16 * 1024 * 1024  # that one device may say in one collection
NETCAIRN_RESTORES = conf.flag("NETCAIRN_RESTORES", default=True)  # 0: nothing is ever put back onto a device

DEBUG = conf.flag("NETCAIRN_DEBUG")
SECRET_KEY = conf.secret_key(NETCAIRN_VAR)
ALLOWED_HOSTS = conf.allowed_hosts()
LOCAL_ONLY = set(ALLOWED_HOSTS) <= set(conf.LOCAL_HOSTS)
conf.refuse_unsafe(debug=DEBUG, hosts=ALLOWED_HOSTS, key=SECRET_KEY)

# Loopback and link-local addresses as devices': simulators on one's own machine, and never where others type them in.
NETCAIRN_ALLOW_LOCAL = conf.flag("NETCAIRN_ALLOW_LOCAL", default=LOCAL_ONLY)
NETCAIRN_TRANSCRIPT_DAYS = 14  # for which the transcript of a failed attempt is kept

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.import_export",
    "config.apps.PagesConfig",  # the admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "import_export",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_q",
    "inventory",
    "backups",
    "checkpoints",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.headers.ContentPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.sessions.SessionLimits",
    "config.zones.UserZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "inventory.login.pages.LedToSecondFactor",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
                "inventory.login.pages.frame",
            ],
        },
    },
]

DATABASES = {"default": conf.database(NETCAIRN_VAR)}
# Seen in pg_stat_activity, and so in the sentence that says who holds a tenant's lock.
_command = sys.argv[1] if len(sys.argv) > 1 else Path(sys.argv[0]).name
DATABASES["default"].setdefault("OPTIONS", {}).setdefault(  # type: ignore[attr-defined]
    "application_name", f"netcairn {_command} {socket.gethostname()}:{os.getpid()}"[:63]
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What one web process must know of another: codes of second factors that were used already (allauth keeps them here).
# The queue's own statistics are nobody else's business, and would be written twice a second.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "netcairn_cache"},
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# One place for work (section 3 of the study): retry far beyond timeout, no retries of its own, ids only as arguments.
Q_CLUSTER = {
    "name": "netcairn",
    "orm": "default",
    "workers": NETCAIRN_WORKERS,
    "timeout": 3600,
    "retry": 3 * 3600,
    "queue_limit": 1,
    "bulk": 1,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": 250,
    "catch_up": False,
    "recycle": 50,
    "poll": 1,
    "label": "Queue",
    "cache": "process",
    "broker_class": "config.queue_broker.Broker",
    "ALT_CLUSTERS": {},
}
if NETCAIRN_QUEUE:
    Q_CLUSTER["cluster_name"] = f"{Q_CLUSTER['name']} {NETCAIRN_QUEUE}"

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "inventory.roles.RoleBackend",  # what a member's role in a tenant grants
]
# Those after the first are read, so that older hashes go on working, and are hashed anew at the next login.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# The login (inventory/login). Nobody registers, no mail is sent, and guesses are counted by us (inventory/lockouts.py).
ACCOUNT_ADAPTER = "inventory.login.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = False  # it would send mail
ACCOUNT_SESSION_REMEMBER = True  # until config/sessions.py ends it
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # inventory/login/pages.py does it
ACCOUNT_RATE_LIMITS: bool | dict[str, str] = False
ACCOUNT_FORMS = {"login": "inventory.login.forms.Login", "reauthenticate": "inventory.login.forms.PasswordAgain"}
MFA_ADAPTER = "inventory.login.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Netcairn"
MFA_TOTP_TOLERANCE = 1  # thirty seconds more: the clock of a phone is rarely that of a server
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_RECOVERY_CODES_SHOW_ONCE = False  # shown again after the password; once only would let a look change a row
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL_ONLY
MFA_FORMS = {
    "authenticate": "inventory.login.forms.Code",
    "reauthenticate": "inventory.login.forms.CodeAgain",
    "authenticate_webauthn": "inventory.login.forms.Key",
    "reauthenticate_webauthn": "inventory.login.forms.KeyAgain",
    "activate_totp": "inventory.login.forms.NewApp",
    "add_webauthn": "inventory.login.forms.NewKey",
    "edit_webauthn": "inventory.login.forms.RenamedKey",
}
SOCIALACCOUNT_ADAPTER = "inventory.login.adapters.SingleSignOnAdapter"
SOCIALACCOUNT_PROVIDERS = conf.single_sign_on()
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # whom the provider means is decided in inventory/login/adapters.py
SOCIALACCOUNT_STORE_TOKENS = False
NETCAIRN_OIDC_MATCH = conf.one_of("NETCAIRN_OIDC_MATCH", "email", "username")
NETCAIRN_OIDC_CREATE = conf.flag("NETCAIRN_OIDC_CREATE", default=True)
NETCAIRN_OIDC_CA_FILE = os.environ.get("NETCAIRN_OIDC_CA_FILE") or None
# Proxies of ours in front of the web server, each of which adds the address it was asked from.
ALLAUTH_TRUSTED_PROXY_COUNT = NETCAIRN_PROXIES = conf.number("NETCAIRN_PROXIES", default=0)
if NETCAIRN_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = NETCAIRN_VAR / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

SESSION_COOKIE_AGE = 8 * 3600  # in all (config/sessions.py)
NETCAIRN_SESSION_IDLE = 30 * 60  # seconds without a request
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A name beyond this machine means a network between browser and server: nothing goes over it in clear.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not LOCAL_ONLY
SECURE_HSTS_SECONDS = 0 if LOCAL_ONLY else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not LOCAL_ONLY

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # paramiko logs whole tracebacks and netmiko whole sessions: neither belongs into a log.
        "paramiko": {"level": "CRITICAL"},
        "netmiko": {"level": "WARNING"},
        "netcairn.batches": {"level": "INFO" if conf.flag("NETCAIRN_LOG_BATCHES") else "WARNING"},
    },
}
