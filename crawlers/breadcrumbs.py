"""A page's place in its shop, as it declares it (schema.org BreadcrumbList)."""

from crawlers.markup import squeeze
from crawlers.products import heading, text_in
from crawlers.saved import Saved, dig


def breadcrumb(page: Saved) -> tuple[str, str] | None:
    """``where`` and the page's place in the shop: ``Bags > Totes``; the page's own name is not in it."""
    for where, each in [*page.things("breadcrumblist"), *page.items("breadcrumblist")]:
        elements = each.get("itemListElement")
        names = []
        for element in elements if isinstance(elements, list) else [elements]:
            element = dig(element, "properties") or element  # noqa: PLW2901
            name = text_in(dig(element, "name")) or text_in(dig(element, "item"))
            if name and "://" not in name:
                names.append(name)
        if names:
            title = squeeze(heading(page))
            return where, " > ".join(each for each in names if squeeze(each) != title or len(names) == 1)
    return None
