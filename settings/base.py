"""Every setting we add or change, in reading order: its unit, and why. For people: docs/settings.md."""

# --- Who we are -------------------------------------------------------------------------------------------------------

BOT_NAME = "counterproof"
# `scrapy crawl` that leaves with a code of its own when evidence was lost: Scrapy's ends with 0 all the same.
COMMANDS_MODULE = "crawlers.commands"
SPIDER_MODULES = ["crawlers.spiders"]
NEWSPIDER_MODULE = "crawlers.spiders"

# --- How we look: one real browser, one fresh context for each visit --------------------------------------------------

DOWNLOAD_HANDLERS = {
    "http": "crawlers.handler.LookHandler",
    "https": "crawlers.handler.LookHandler",
}
# Before anything is asked of a site: robots.txt is read, and the intent to look is durable in the log.
DOWNLOADER_MIDDLEWARES = {"crawlers.intent.Intent": 50}
# An item lost in a stage fails the job and gets its end in the log; Scrapy by itself would end with exit 0.
EXTENSIONS = {"crawlers.alarm.Alarm": 0}
# scrapy-playwright runs on this reactor alone.
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
PLAYWRIGHT_BROWSER_TYPE = "chromium"
# Starts Playwright's own program, and another one when it dies.
PLAYWRIGHT_BROWSER_PROVIDER = "crawlers.driver.Driver"
# None: the browser sends its own headers. Scrapy's user agent and Accept lines would make it a disguise.
PLAYWRIGHT_PROCESS_REQUEST_HEADERS = None
# No limit of its own: each visit has one context, and a page that will not let go of its context must not keep the
# next visit from getting one. CONCURRENT_REQUESTS is the limit.
PLAYWRIGHT_MAX_CONTEXTS: int | None = None
# Visits at a time. Two of them fill two cores; more only make each page slower than its own timeouts expect.
CONCURRENT_REQUESTS = 2

# What was asked for first is looked at first; Scrapy's own takes what waits by the names of hosts.
SCHEDULER_PRIORITY_QUEUE = "crawlers.queue.AskedOrder"

# --- What the browser does itself, so that Scrapy must not ------------------------------------------------------------

# A redirect is a hop of the visit: the browser follows it and we record it.
REDIRECT_ENABLED = False
METAREFRESH_ENABLED = False
# A second try would be a second look that nobody recorded. A failed visit is an outcome.
RETRY_ENABLED = False
# A 404 or a 500 is evidence; Scrapy would drop it before the spider sees it.
HTTPERROR_ALLOW_ALL = True
# In characters; 0 is no limit. Affiliate links run past Scrapy's 2083, which drops the request with a line in the log.
URLLENGTH_LIMIT = 0
# The browser's context is the one cookie jar. Scrapy's own also fetches the public suffix list when it starts.
COOKIES_ENABLED = False
# robots.txt is fetched through the egress and its decision recorded (crawlers); Scrapy's own would fetch past both.
ROBOTSTXT_OBEY = False
# All traffic of the browser goes through our egress; a proxy named in the environment must not slip in between.
HTTPPROXY_ENABLED = False
# What the handler hands over is the page as the browser shows it, never compressed.
COMPRESSION_ENABLED = False

# --- What seals a visit, in this order --------------------------------------------------------------------------------

ITEM_PIPELINES = {
    "pipelines.hashing.Hashing": 100,
    "pipelines.archiving.Archiving": 200,
    "pipelines.recording.Recording": 300,
    "pipelines.cataloguing.Cataloguing": 400,
}

# --- Where it is kept. Options of the command win over the environment, which wins over these -------------------------

# Folder of keys, trust file, embedded store, spool and catalogue. None: the XDG data directory's `counterproof`.
COUNTERPROOF_HOME: str | None = None
# s3://BUCKET[/PREFIX][?endpoint=URL] or file:DIR. None: the embedded store below the home.
COUNTERPROOF_STORE_URL: str | None = None
# Days that Object Lock keeps each object from now on.
COUNTERPROOF_RETENTION_DAYS = 365
# The same for looks that found nothing new, where their case is not kept longer. None: as everything.
COUNTERPROOF_LOOK_RETENTION_DAYS: int | None = None
# The same for scheduled captures that showed a wall, a refusal or an error. None: as everything.
COUNTERPROOF_WALL_RETENTION_DAYS: int | None = None
# GOVERNANCE: an administrator with the right to can still release it. COMPLIANCE: nobody can, until the day comes.
COUNTERPROOF_LOCK_MODE = "GOVERNANCE"
# RFC 3161 authorities, comma-separated URLs or names of `counterproof authorities presets`, or "none". None: those of
# the trust file (`counterproof authorities add`); without any, every output says NO TRUSTED TIME.
COUNTERPROOF_AUTHORITIES: str | None = None
# PEM file with the roots that the authorities' tokens must lead to.
COUNTERPROOF_AUTHORITY_ROOTS: str | None = None
# Seconds that a command without the log key waits for its events to be taken out of the inbox.
COUNTERPROOF_INBOX_WAIT = 30

# --- What is watched, and what waits to be looked at ------------------------------------------------------------------

# DSN of the PostgreSQL that watches and jobs are kept in, which all workers share. None: one of the home's own.
COUNTERPROOF_DSN: str | None = None

# --- How much of a visit's traffic is kept; what is over is cut, and named --------------------------------------------

# MiB of bodies, of all that one visit fetches. A page with a long video is the usual reason to raise it.
COUNTERPROOF_TRAFFIC_MIB = 256
# MiB of one body.
COUNTERPROOF_TRAFFIC_BODY_MIB = 64

# --- Where we come from ----------------------------------------------------------------------------------------------

# URL of a service that answers with the address that it was asked from, as text and nothing else. It is asked through
# the egress as each run begins, for 2 s at most, and what it says is in every record. None: `unknown` is.
COUNTERPROOF_EGRESS_ADDRESS_URL: str | None = None

# --- Doors that stay shut ---------------------------------------------------------------------------------------------

# Scrapy's default is True: an HTTP endpoint that runs Python in the crawler, beside the signing key.
REMOTE_CONTROL_ENABLED = False
# The same, over telnet.
TELNETCONSOLE_ENABLED = False

# --- What is said -----------------------------------------------------------------------------------------------------

# Ids and digests, never evidence. The command's own progress goes to stderr by itself.
LOG_LEVEL = "WARNING"
# In seconds; 0 is off. A line a minute with request counts tells a person nothing here.
LOGSTATS_INTERVAL = 0.0
