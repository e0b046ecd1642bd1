"""Media of Instagram and Threads items, which share one form: addresses of pictures and films, the largest of each."""

from collections.abc import Mapping
from typing import Any

from crawlers.posting import list_at
from crawlers.saved import dig


def media_candidates(node: Mapping[str, Any]) -> list[dict[str, str]]:
    """Of an item as the API has it (``image_versions2``) or GraphQL (``display_url``), children in their order."""
    children = list_at(node, "carousel_media") or [
        dig(each, "node") for each in list_at(node, "edge_sidecar_to_children", "edges")
    ]
    found = []
    for each in children or [node]:
        if not isinstance(each, Mapping):
            continue
        film = each.get("video_url") or dig(each, "video_versions", 0, "url")
        picture = each.get("display_url") or dig(each, "image_versions2", "candidates", 0, "url")
        if isinstance(film, str) and film:
            found.append({"type": "video", "url": film})
        if isinstance(picture, str) and picture:
            found.append({"type": "image", "url": picture})
    return found
