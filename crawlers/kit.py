"""What the parts of one look share."""

from dataclasses import dataclass

from crawlers.body import Body
from crawlers.camera import Camera
from crawlers.chains import Chains
from crawlers.downloads import Downloads
from crawlers.hops import Trail
from crawlers.sight import Order, Seen
from crawlers.tab import Tab
from crawlers.viewers import Viewers
from crawlers.world import World
from custody.model import Role, Snapshot


@dataclass(frozen=True, kw_only=True, slots=True)
class Kit:
    """One tab, and everything that is trained on it."""

    order: Order
    seen: Seen
    tab: Tab
    trail: Trail
    world: World
    camera: Camera
    body: Body
    chains: Chains
    downloads: Downloads
    viewers: Viewers
    until: float
    """On the monotonic clock: by then all that can be kept has been."""

    def keep(self, role: Role, name: str, media_type: str, data: bytes) -> Snapshot:
        made = self.order.keep(role, name, media_type, data)
        self.seen.snapshots.append(made)
        return made

    def keep_picture(self, role: Role, name: str, data: bytes) -> None:
        self.seen.add_picture(self.order.keep(role, name, "image/png", data))

    def keep_text(self, role: Role, name: str, media_type: str, text: str) -> Snapshot:
        """A script may leave half a character in the document; in UTF-8 there is none, so it becomes U+FFFD.

        That is what a browser does itself when it writes such text out (WHATWG Encoding §4.4, Web IDL USVString).
        """
        return self.keep(
            role, name, media_type, text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
        )
