"""Posts and profiles of TikTok as data, in every form that its pages and answers have."""

import re
from collections.abc import Mapping
from typing import Any

from archive.reading import Kind
from crawlers.counts import put_count
from crawlers.disclosures import put_disclosures
from crawlers.platform import Draft
from crawlers.posting import flag, in_text, list_at, map_at, put_links, put_time, text_at
from crawlers.saved import dig, having, search

ID = re.compile(r"[0-9]{15,20}")


def status_of(node: Mapping[str, Any]) -> int:
    """An error of the platform's own, where the item would be."""
    code = node.get("statusCode", node.get("status_code"))
    if "itemInfo" in node and is_item(map_at(node, "itemInfo", "itemStruct")):
        return 0
    return code if isinstance(code, int) and not isinstance(code, bool) and 10_000 <= code < 11_000 else 0


def is_item(node: Mapping[str, Any]) -> bool:
    """Whether an object is a video or photo post, in any of its forms."""
    if "desc" in node and ("createTime" in node or "create_time" in node):
        return "id" in node or "aweme_id" in node
    return "text" in node and "createTime" in node and ("authorId" in node or "covers" in node) and "id" in node


def is_user(node: Mapping[str, Any]) -> bool:
    """Whether an object is an account, in any of its forms."""
    return ("uniqueId" in node and ("signature" in node or "secUid" in node)) or (
        "unique_id" in node and "signature" in node
    )


def fill_from_value(draft: Draft, value: Any, where: str, *, post: str | None, handle: str | None) -> None:
    """The post of this id, the profile of this name; without either, what the value has one of."""
    found = [(path, node) for path, node in search(value, is_item) if _id(node)]
    wanted = [each for each in found if post is None or _id(each[1]) == post]
    if post is None and len({_id(node) for _, node in found}) > 1:
        wanted = []  # a feed
    users = [(path, node) for path, node in search(value, is_user)]
    # A profile's page has its videos too; without an address, it is the profile's that has ``userInfo``.
    profile = post is None and (handle is not None or _has_profile(value))
    if wanted and not profile:
        path, node = wanted[0]
        _item(draft, value, node, f"{where} {path}")
        return
    for path, node in users if profile or not found else ():  # the authors of a feed are no profiles
        if post is None and (handle is None or text_at(node, "uniqueId").lower() == handle.lower()):
            _user(draft, value, node, f"{where} {path}")
            return


def _has_profile(value: Any) -> bool:
    return next(search(value, lambda node: "userInfo" in node or "UserPage" in node), None) is not None


def _id(node: Mapping[str, Any]) -> str:
    found = text_at(node, "aweme_id") or text_at(node, "id")
    return found if ID.fullmatch(found) else ""


def _author(value: Any, node: Mapping[str, Any]) -> Mapping[str, Any]:
    """The author in the item, or beside it (``authorInfos``; SIGI's ``UserModule`` by name)."""
    author = node.get("author")
    if isinstance(author, Mapping):
        return author
    for _, each in search(value, having("authorInfos")):
        if isinstance(each["authorInfos"], Mapping):
            return each["authorInfos"]
    for _, each in search(value, is_user):
        if author is None or text_at(each, "uniqueId") == author:
            return each
    return {"uniqueId": author, "nickname": node.get("nickname")} if isinstance(author, str) else {}


def _item(draft: Draft, value: Any, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.POST
    draft.put("post_id", _id(node), f"{where}.id")
    author = _author(value, node)
    draft.put("author", text_at(author, "nickname") or text_at(author, "nickName"), f"{where}.author.nickname")
    draft.put("handle", text_at(author, "uniqueId") or text_at(author, "unique_id"), f"{where}.author.uniqueId")
    account = text_at(author, "id") or text_at(author, "userId") or text_at(author, "uid") or text_at(node, "authorId")
    draft.put("account_id", account, f"{where}.author.id")
    caption = text_at(node, "desc") or text_at(node, "text")
    draft.put("caption", caption, f"{where}.desc")
    stickers = [text for each in list_at(node, "stickersOnItem") for text in list_at(each, "stickerText")]
    stickers = [each for each in stickers if isinstance(each, str)]
    shown = [link for each in stickers for link in in_text(each, "sticker")]
    put_links(draft, [*in_text(caption, "caption"), *shown], f"{where}.desc")
    put_time(draft, node.get("createTime") or node.get("create_time"), f"{where}.createTime")
    language = text_at(node, "textLanguage") or text_at(node, "desc_language")
    draft.put("language", language if language not in {"un", "und"} else None, f"{where}.textLanguage")
    exact, rounded = map_at(node, "statsV2"), map_at(node, "stats") or map_at(node, "statistics") or node
    for name, keys in {"likes": ("diggCount", "digg_count"), "views": ("playCount", "play_count")}.items():
        found = next((dig(each, key) for each in (exact, rounded) for key in keys if dig(each, key) is not None), None)
        put_count(draft, name, found, f"{where}.stats")
    commerce = [flag(each.get("isCommerce")) for each in list_at(node, "textExtra") if isinstance(each, Mapping)]
    marks = [(name, flag(node.get(name))) for name in ("isAd", "is_ads", "isPaidPartnership")]
    marks.append(("isCommerce", True if any(commerce) else None))
    marks.append(("adLabelVersion", True if node.get("adLabelVersion") else None))
    put_disclosures(draft, marks, where)
    draft.put("sticker_texts", stickers or None, f"{where}.stickersOnItem")
    pictures = [text_at(each, "imageURL", "urlList", 0) for each in list_at(node, "imagePost", "images")]
    media = [{"type": "image", "url": each} for each in pictures if each]
    film = text_at(node, "video", "playAddr") or text_at(node, "video", "urls", 0)
    media += [{"type": "video", "url": film}] if film.startswith("http") else []
    draft.put("media", media or None, f"{where}.video")


def _user(draft: Draft, value: Any, node: Mapping[str, Any], where: str) -> None:
    draft.kind = Kind.PROFILE
    draft.put("author", text_at(node, "nickname") or text_at(node, "nickName"), f"{where}.nickname")
    draft.put("handle", text_at(node, "uniqueId") or text_at(node, "unique_id"), f"{where}.uniqueId")
    draft.put("account_id", text_at(node, "id") or text_at(node, "userId"), f"{where}.id")
    bio = text_at(node, "signature")
    draft.put("bio", bio, f"{where}.signature")
    link = text_at(node, "bioLink", "link") or text_at(node, "bio_url")
    put_links(draft, [*([(link, "bio")] if link else []), *in_text(bio, "bio")], f"{where}.bioLink")
    for _, each in search(value, lambda found: "followerCount" in found):
        put_count(draft, "followers", dig(value, "userInfo", "statsV2", "followerCount"), f"{where} statsV2")
        put_count(draft, "followers", each["followerCount"], f"{where} stats")
        break
    renamed = node.get("uniqueIdModifyTime")
    if isinstance(renamed, int) and renamed > 0:
        draft.note("the account's name was changed (uniqueIdModifyTime)")
