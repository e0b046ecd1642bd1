"""The wrapping of an export: what BagIt wants to be said of it, and the lists of its files."""

from datetime import datetime
from importlib.metadata import version

from archive.exporting.bag import Bag
from custody.bundle import layout
from custody.bundle.lists import format_list


def seal_bag(bag: Bag, *, identifier: str, at: datetime) -> None:
    """RFC 8493: the declaration, what is said of the bag, and the digests of all of it.

    They are of what was hashed as it was written; whoever checks the bag reads it again.
    """
    payload = {path: digest for path, digest in bag.digests.items() if path.startswith(layout.PAYLOAD)}
    octets = sum(bag.sizes[path] for path in payload)
    info = (
        f"Bag-Software-Agent: Counterproof {version('counterproof')}\n"
        f"Bagging-Date: {at.date().isoformat()}\n"
        f"External-Identifier: {identifier}\n"
        f"Payload-Oxum: {octets}.{len(payload)}\n"
    )
    bag.write(layout.BAGIT, layout.DECLARATION)
    bag.write(layout.BAG_INFO, info.encode())
    bag.write(layout.MANIFEST, format_list(payload))
    tags = {path: digest for path, digest in bag.digests.items() if path not in payload}
    bag.write(layout.TAG_MANIFEST, format_list(tags))
