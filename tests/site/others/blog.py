"""A blog as WordPress makes them: affiliate links, a pretty link of its own, strangers' links in the comments."""

from pathlib import Path
from urllib.parse import quote

from tests.site.host import Answer, Host, Request, always, redirect

_HERE = Path(__file__).parent
_SHOP = "https://www.lumenloop.example/products"
_ROBOTS = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: /sitemap_index.xml\n"

URLS = {
    "blog_post": "https://www.softlinenstories.example/2026/10/quiet-gold-under-twenty/",
    "blog_author": "https://www.softlinenstories.example/author/greta/",
    "blog_affiliate": "https://www.awinnings.example/cread.php?awinmid=2204&awinaffid=77810&ued="
    + quote(f"{_SHOP}/hinge-bangle", safe=""),
    "blog_pretty": "https://www.softlinenstories.example/go/studs/",
    "blog_listing": f"{_SHOP}/hinge-bangle",
    "blog_listing_2": f"{_SHOP}/pearl-studs",
}


def hosts() -> tuple[Host, ...]:
    robots = Answer(body=_ROBOTS.encode(), media_type="text/plain; charset=utf-8")
    return (
        Host(
            name="www.softlinenstories.example",
            folder=_HERE / "www.softlinenstories.example",
            routes={
                "/robots.txt": always(robots),
                "/go/studs/": always(redirect(307, "https://shopthrough.example/l/9QaZ")),
            },
            headers=(
                ("X-Powered-By", "PHP/8.3"),
                ("Link", '<https://www.softlinenstories.example/wp-json/>; rel="https://api.w.org/"'),
            ),
        ),
        Host(name="www.awinnings.example", routes={"/cread.php": _click}),
        Host(name="shopthrough.example", routes={"/l/9QaZ": always(redirect(302, f"{_SHOP}/pearl-studs?ref=soft"))}),
        Host(name="www.lumenloop.example", folder=_HERE / "www.lumenloop.example"),
    )


def _click(asked: Request) -> Answer:
    """An affiliate network: the shop's address rides in the query."""
    target = asked.query.get("ued", "https://www.lumenloop.example/")
    return redirect(302, f"{target}?awc={asked.query.get('awinmid', '0')}_1762")
