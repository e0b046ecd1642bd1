"""Where private keys are: in files, in devices behind PKCS#11, in AWS KMS; each a ``custody.keys.Signer``."""

from archive.signing.opened import open_signer as open_signer
from archive.signing.spec import FileSpec as FileSpec
from archive.signing.spec import KeySpec as KeySpec
from archive.signing.spec import parse as parse
