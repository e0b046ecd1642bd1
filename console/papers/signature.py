"""A signature in a PDF, by a key of the user's: it says that the paper is theirs, and nothing of the evidence."""

import io
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from archive import disk
from archive.errors import KeyFileError, SetupMissing

PASSWORD = "COUNTERPROOF_PDF_KEY_PASSWORD"  # noqa: S105  # a variable's name
"""The variable that has the password of the key file."""
_FIELD = "Signature"


def sign(papers: list[Path], key: Path, environment: Mapping[str, str]) -> str:
    """In place, each by the key in a PKCS#12 file; returns whose it is. ``SetupMissing``, ``KeyFileError``."""
    if find_spec("pyhanko") is None:
        raise SetupMissing("pyHanko is not installed, and --sign needs it: run `pip install 'counterproof[sign]'`")
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter  # noqa: PLC0415  # an extra
    from pyhanko.sign import signers  # noqa: PLC0415  # likewise

    password = environment.get(PASSWORD)
    with disk.trouble(key):
        data = key.read_bytes()
    signer = signers.SimpleSigner.load_pkcs12_data(
        pkcs12_bytes=data, other_certs=[], passphrase=None if password is None else password.encode()
    )
    if signer is None or signer.signing_cert is None:
        raise KeyFileError(f"{key} is no PKCS#12 file that opens with what {PASSWORD} says: name another, or set that")
    metadata = signers.PdfSignatureMetadata(field_name=_FIELD)
    for paper in papers:
        with disk.trouble(paper):
            writer = IncrementalPdfFileWriter(io.BytesIO(paper.read_bytes()))
            made = io.BytesIO()
            signers.sign_pdf(writer, metadata, signer=signer, output=made)
            paper.write_bytes(made.getvalue())
    name: str = signer.signing_cert.subject.human_friendly
    return name
