"""What can be wrong with evidence.

CustodyError
├── FormatError        bytes are not in the format they claim (a code such as ENTRY_PARSE in `code`)
├── SignatureError     a signature does not hold, or its key is not one we know
├── ProofError         an inclusion or consistency proof does not lead to the root
├── TimestampError     an RFC 3161 token does not hold
└── TrustError         the trust file is not one that can be believed
"""


class CustodyError(Exception):
    """Base of everything raised in this room; the message is one sentence for a person."""


class FormatError(CustodyError):
    """Bytes are not in the format they claim."""

    def __init__(self, message: str, *, code: str = "FORMAT") -> None:
        super().__init__(message)
        self.code = code


class SignatureError(CustodyError):
    """A signature does not hold, or its key is not one we know."""

    def __init__(self, message: str, *, code: str = "EVENT_SIG") -> None:
        super().__init__(message)
        self.code = code


class ProofError(CustodyError):
    """A proof does not lead to the root."""


class TimestampError(CustodyError):
    """A time-stamp token does not hold."""

    def __init__(self, message: str, *, code: str = "TS_SIG") -> None:
        super().__init__(message)
        self.code = code


class TrustError(CustodyError):
    """The trust file is not one that can be believed."""
