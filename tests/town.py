"""An account, its posts and a listing on the make-believe network, whose pages a test edits."""

import json
from dataclasses import dataclass, field

from tests.site.host import Answer, Host, Request, always, page
from tests.site.server import Site

NETWORK, SHOP = "www.first.example", "www.second.example"
ACCOUNT, POST, SECOND = (f"https://{NETWORK}/{each}" for each in ("ana/", "p/Cx1001", "p/Cx1002"))
LISTING = f"https://{SHOP}/item/1"
ABOUT = (
    "<!doctype html><meta charset=utf-8><title>About</title><h1>About us</h1><p>It has words on it, as pages have.</p>"
)


@dataclass
class Town:
    """Two hosts whose pages a test edits."""

    posts: tuple[str, ...] = ("Cx1001",)
    caption: str = "my band, it is an #ad"
    private: bool = False
    there: bool = True
    sold: bool = True
    price: str = "12.90"
    seller: str = "Sunny"
    site: Site = field(default_factory=Site)

    def __post_init__(self) -> None:
        routes = {
            "/ana/": self.account,
            "/p/Cx1001": self.post,
            "/p/Cx1002": self.second,
            "/about": always(page(ABOUT)),
        }
        self.site.hosts[NETWORK] = Host(name=NETWORK, routes=routes)
        self.site.hosts[SHOP] = Host(name=SHOP, routes={"/item/1": self.listing, "/about": always(page(ABOUT))})

    def account(self, _: Request) -> Answer:
        if self.private:
            return page(_page("Ana", "<h1>This account is private</h1><p>Follow it to see its photos.</p>"))
        shown = "".join(f"<p><a href='/p/{each}'>a post</a></p>" for each in self.posts)
        head = (
            "<div class=tgme_channel_info><div class=tgme_channel_info_header_title>Ana</div>"
            "<div class=tgme_channel_info_header_username>@ana</div>"
            "<div class=tgme_channel_info_description>finds for less</div></div>"
        )
        return page(_page("Ana", f"{head}{shown}<p>{len(self.posts)} posts of bracelets and bands</p>"))

    def post(self, _: Request) -> Answer:
        if not self.there:
            return page(_page("Not here", "<h1>Sorry, this page isn't available.</h1>"), status=404)
        return page(_message("Cx1001", self.caption, f"<a href='{LISTING}'>the listing</a>"))

    def second(self, _: Request) -> Answer:
        return page(_message("Cx1002", "another find of mine, no link this time", ""))

    def listing(self, _: Request) -> Answer:
        if not self.sold:
            return page(_page("Not here", "<h1>Sorry, this page isn't available.</h1>"), status=404)
        offer = {
            "@type": "Offer", "price": self.price, "priceCurrency": "EUR",
            "availability": "https://schema.org/InStock", "seller": {"@type": "Organization", "name": self.seller},
        }  # fmt: skip
        product = {"@context": "https://schema.org", "@type": "Product", "name": "Screw bracelet", "offers": offer}
        told = f"<script type='application/ld+json'>{json.dumps(product)}</script>"
        words = f"<h1>Screw bracelet</h1><p>{self.price} EUR, sold by {self.seller}</p><p>It does not tarnish.</p>"
        return page(_page("Screw bracelet", told + words))


def _page(title: str, body: str) -> str:
    return f"<!doctype html><meta charset=utf-8><title>{title}</title>{body}"


def _message(number: str, caption: str, link: str) -> str:
    text = f"<div class=tgme_widget_message_text>{caption} {link}</div>"
    owner = "<a class=tgme_widget_message_owner_name>Ana</a>"
    return _page("A post", f"<div class=tgme_widget_message data-post='ana/{number}'>{owner}{text}</div>")
