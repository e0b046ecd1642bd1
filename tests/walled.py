"""Platforms as a visitor who is not signed in may meet them: walls and shells, and official surfaces that answer."""

import json
from typing import Any

from tests.site.host import Answer, Host, Request, always, page, redirect

TOKEN = "AIzaSy-walled/pages+are=read"
"""With what a URL, JSON and HTML spell otherwise."""
POST = "https://www.instagram.com/p/CwAlLeDpOsT/"
PROFILE = "https://www.instagram.com/mirabelle.walled/"
STATUS = "https://x.com/mirabelle_w/status/1801234567890123456"
VIDEO = "https://www.youtube.com/watch?v=wAlLeDvId30"
CHANNEL = "https://www.youtube.com/@mirabelle-walled"
PRIVATE = "https://www.instagram.com/mirabelle.private/"
SHOP = "https://www.walledshop.example/item/bracelet-77"

_LOGIN = """<!doctype html><html><head><title>Log in</title></head><body><main><h1>Log in to continue</h1>
<form action="/accounts/login/ajax/"><input name="username"><input type="password" name="password">
<button>Log in</button></form></main></body></html>"""
_SHELL = """<!doctype html><html><head><title>Mirabelle (@mirabelle.walled)</title></head>
<body><div id="mount"></div></body></html>"""
_PRIVATE = """<!doctype html><html><head><title>Mirabelle</title></head>
<body><main><h1>mirabelle.private</h1><h2>This account is private</h2><p>This account is private.</p></main>
</body></html>"""
_ROBOT = """<!doctype html><html><head><title>Robot check</title></head><body><main><h1>Are you a robot?</h1>
<p>Please confirm that you are not a robot.</p><div class="g-recaptcha" data-sitekey="k"></div></main></body></html>"""
_EMBED = f"""<!doctype html><html><head><title>Post</title></head><body>
<div class="Embed EmbedFrame" data-permalink="{POST}">
<a class="UsernameText" href="https://www.instagram.com/mirabelle.walled/">mirabelle.walled</a>
<div class="Caption"><a class="CaptionUsername" href="https://www.instagram.com/mirabelle.walled/">mirabelle.walled</a>
The bracelet that I promised, it is this one: <a href="{SHOP}">order this one here</a></div></div>
<a href="{POST}">View this post on Instagram</a></body></html>"""
_CONTEXT = {
    "context": {"username": "mirabelle.walled", "owner_id": "5551", "full_name": "Mirabelle", "followers_count": 7}
}
_CARD = f"""<!doctype html><html><head><title>Profile</title></head><body><h1>mirabelle.walled</h1>
<p>7 followers, 3 posts, as the card of this profile shows them to everybody.</p>
<script>requireLazy([], {{"contextJSON":{json.dumps(json.dumps(_CONTEXT))}}})</script></body></html>"""
_ITEM = """<!doctype html><html><head><title>Bracelet</title></head>
<body><main><h1>Bracelet 77</h1><p>USD 21.00</p><p>In stock, sent within two days from our own store.</p></main>
</body></html>"""
_CLOSED = "<!doctype html><html><head><title>Video player</title></head><body><p></p></body></html>"


def _told(value: Any, status: int = 200) -> Answer:
    return Answer(status=status, body=json.dumps(value).encode(), media_type="application/json; charset=UTF-8")


def _videos(asked: Request) -> Answer:
    if asked.headers.get("x-goog-api-key") != TOKEN:
        return _told({"error": {"code": 403, "message": "The request is missing a valid API key."}}, 403)
    snippet = {
        "title": "What came in the parcel",
        "channelTitle": "Mirabelle",
        "channelId": "UC0123456789012345678901",
        "publishedAt": "2026-10-02T08:00:00Z",
        "description": f"As promised: {SHOP}",
    }
    item = {"kind": "youtube#video", "id": "wAlLeDvId30", "snippet": snippet, "statistics": {"viewCount": "12"}}
    return _told({"kind": "youtube#videoListResponse", "items": [item]})


def _channels(asked: Request) -> Answer:
    """Repeats what it was asked with, as answers to a malformed token do; in the head too."""
    token = asked.headers.get("x-goog-api-key", "")
    answer = _told({"error": {"code": 400, "message": f"Malformed key {token}"}}, 400)
    return Answer(
        status=400,
        body=answer.body,
        media_type=answer.media_type,
        headers=(("X-Asked-With", token), ("Link", f"<{token}>")),
    )


def hosts() -> tuple[Host, ...]:
    """Under the platforms' own names: what is theirs by address is known by address."""
    return (
        Host(
            name="www.instagram.com",
            routes={
                "/p/CwAlLeDpOsT/": always(redirect(302, "https://www.instagram.com/accounts/login/")),
                "/accounts/login/": always(page(_LOGIN)),
                "/p/CwAlLeDpOsT/embed/captioned/": always(page(_EMBED)),
                "/mirabelle.walled/": always(page(_SHELL)),
                "/mirabelle.walled/embed/": always(page(_CARD)),
                "/mirabelle.private/": always(page(_PRIVATE)),
            },
        ),
        Host(name="x.com", routes={"/mirabelle_w/status/1801234567890123456": always(page(_LOGIN))}),
        Host(
            name="publish.x.com",
            routes={
                "/robots.txt": always(Answer(body=b"User-agent: *\nDisallow: /oembed\n", media_type="text/plain")),
                "/oembed": always(_told({"errors": [{"message": "Sorry, that page does not exist", "code": 34}]}, 404)),
            },
        ),
        Host(
            name="www.youtube.com",
            routes={
                "/watch": always(page(_ROBOT)),
                "/@mirabelle-walled": always(page(_ROBOT)),
                "/embed/wAlLeDvId30": always(page(_CLOSED)),
                "/oembed": always(_told({"error": "Unauthorized"}, 401)),
            },
        ),
        Host(name="www.googleapis.com", routes={"/youtube/v3/videos": _videos, "/youtube/v3/channels": _channels}),
        Host(name="www.walledshop.example", routes={"/item/bracelet-77": always(page(_ITEM))}),
    )
