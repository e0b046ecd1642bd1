"""What can go wrong with what is kept.

ArchiveError
├── StoreError          the store could not do what was asked
│   ├── StoreDown       it does not answer
│   ├── StoreDenied     it refuses our credentials
│   ├── StoreUnsafe     it fails the probe: it would lose, alter or release evidence (STORE_UNSAFE)
│   ├── NotStored       there is nothing under the key
│   │   └── NotPlain    what has taken the name is no file: a link, a pipe, a folder
│   └── Collision       other bytes lie under a write-once key (BLOB_COLLISION)
├── DiskError           the local disk is full or unwritable
├── KeyFileError        a key is missing, readable by others, or not the log's own
│   └── KeyDeviceError  the device or service that holds a key does not sign; also a LogError
├── LogError            the log cannot be appended to
│   ├── LogRollback     the head moved backwards (LOG_ROLLBACK)
│   ├── LogForeign      the store holds a log that this home has no key in
│   └── NotTaken        events are durable in the inbox, and nobody has taken them into the log yet
├── QueueDown           the database of watches and jobs does not answer
├── SetupMissing        a program that we need is not installed
├── Refused             a rule forbids it: a hold, a lock, a retention that was set
└── UsageError          what was asked for makes no sense (a URL that is none, an unknown id)
    └── NoArchive       nothing was captured yet
"""


class ArchiveError(Exception):
    """Base of everything raised in this room; the message is one sentence for a person, with what to do next."""


class StoreError(ArchiveError):
    """The store could not do what was asked."""


class StoreDown(StoreError):
    """The store does not answer."""


class StoreDenied(StoreError):
    """The store refuses our credentials."""


class StoreUnsafe(StoreError):
    """The store fails the probe."""


class NotStored(StoreError):
    """There is nothing under the key."""


class NotPlain(NotStored):
    """What has taken the name is no file: a link, a pipe, a folder. It is not followed."""


class Collision(StoreError):
    """Other bytes lie under a write-once key."""


class DiskError(ArchiveError):
    """The local disk is full or unwritable."""


class KeyFileError(ArchiveError):
    """A key is missing, readable by others, or not the log's own."""


class LogError(ArchiveError):
    """The log cannot be appended to."""


class KeyDeviceError(KeyFileError, LogError):
    """The device or service that holds a key does not sign: as long as that is so, nothing can be appended."""


class LogRollback(LogError):
    """The head moved backwards."""


class LogForeign(LogError):
    """The store holds a log that this home has no key in."""


class NotTaken(LogError):
    """Events are durable in the inbox, and nobody has taken them into the log yet."""


class QueueDown(ArchiveError):
    """The database of watches and jobs does not answer."""


class SetupMissing(ArchiveError):
    """A program that we need is not installed."""


class Refused(ArchiveError):
    """A rule forbids it."""


class UsageError(ArchiveError):
    """What was asked for makes no sense."""


class NoArchive(UsageError):
    """Nothing was captured yet."""
