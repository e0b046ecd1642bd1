"""A link page with nothing in its HTML: a script fetches a list, a little later, and draws buttons."""

import json
from pathlib import Path

from tests.site.host import Answer, Host, always, redirect

_HERE = Path(__file__).parent
_SHOP = "https://zorabeads.example/products"

URLS = {
    "spa_hub": "https://taply.example/beadsbyzora",
    "spa_short": "https://tnyl.example/zb4",
    "spa_listing": f"{_SHOP}/cuff-with-screws",
    "spa_listing_2": f"{_SHOP}/waist-beads",
}

_PAGE = {
    "username": "beadsbyzora",
    "name": "Zora ◍ beads & bangles",
    "bio": "Handmade in Accra 🇬🇭 · DM for custom",
    "links": [
        {"id": 1, "kind": "link", "title": "🪡 New: the cuff everyone asked about", "url": URLS["spa_short"]},
        {"id": 2, "kind": "link", "title": "Waist beads, all sizes", "url": URLS["spa_listing_2"]},
        {"id": 3, "kind": "button", "title": "Wholesale list", "url": "https://zorabeads.example/products/wholesale"},
    ],
}


def hosts() -> tuple[Host, ...]:
    listing = Answer(body=json.dumps(_PAGE, ensure_ascii=False).encode(), media_type="application/json")
    return (
        Host(
            name="taply.example",
            folder=_HERE / "taply.example",
            routes={"/api/page/beadsbyzora": always(listing)},
        ),
        Host(name="tnyl.example", routes={"/zb4": always(redirect(301, URLS["spa_listing"]))}),
        Host(name="zorabeads.example", folder=_HERE / "zorabeads.example"),
    )
