"""Sellers, tags and listings that several posts lead to; and the graph that they make."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from custody.model import Json
from findings.graph import Graph, Sort, graph_of, to_csv, to_graphml, to_json
from findings.observation import About
from findings.promotion import Promotion
from findings.sharing import account_of, shared
from findings.tags import Fact, tags_of
from tests.findings.casework import Unit

GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"


def promotion_of(name: str, handle: str, href: str, **listing: Json) -> tuple[Promotion, Unit]:
    unit = Unit(name=name)
    post = unit.post("look", url=f"https://social.example/p/{name}", handle=handle)
    unit.listing(post, href, where="text", more={"title": "bag", **listing})
    (promotion,) = unit.trace().promotions
    return promotion, unit


def test_one_seller_under_two_posts_of_two_accounts() -> None:
    one, _ = promotion_of("a", "ana", "https://shop.example/item/1", seller="Sunny", seller_id="77")
    other, _ = promotion_of("b", "bea", "https://shop.example/item/2", seller="Sunny Store", seller_id="77")
    alone, _ = promotion_of("c", "cia", "https://shop.example/item/3", seller="Rainy", seller_id="78")
    found = shared([one, other, alone])
    (observation,) = found[one.id]
    assert observation.about is About.SHARED_SELLER
    assert observation.sentence == "2 posts by 2 accounts of this case lead to the seller “Sunny” at shop.example."
    assert observation.facts["captures"] == ["a-1", "a-2", "b-1", "b-2"]
    assert found[other.id] == (observation,)
    assert alone.id not in found


def test_a_tag_and_a_listing_are_shared_and_the_same_post_twice_shares_nothing() -> None:
    one, _ = promotion_of("a", "ana", "https://shop.example/item/1?aff_id=9")
    other, _ = promotion_of("b", "ana", "https://shop.example/item/1?aff_id=9")
    abouts = [each.about for each in shared([one, other])[one.id]]
    assert abouts == [About.SHARED_LISTING, About.SHARED_TAG]
    again, _ = promotion_of("a", "ana", "https://shop.example/item/1?aff_id=9")
    assert not shared([one, again])


@pytest.mark.parametrize(
    ("url", "fact", "programme", "value"),
    [
        ("https://www.amazon.de/dp/B0ABCDEFGH?tag=mira-21", Fact.AFFILIATE, "amazon", "mira-21"),
        ("https://www.amazon.de/Some-Thing/dp/B0ABCDEFGH/ref=sr_1_1", Fact.ITEM, "amazon", "B0ABCDEFGH"),
        ("https://www.aliexpress.com/item/1005001234567890.html", Fact.ITEM, "aliexpress", "1005001234567890"),
        ("https://www.ebay.com/itm/123456789012?campid=533", Fact.AFFILIATE, "ebay", "533"),
        (
            "https://www.awin1.com/cread.php?awinmid=1&awinaffid=22&ued=https%3A",
            Fact.AFFILIATE,
            "awin",
            "22",
        ),
        ("https://agent.example/register?inviteCode=ANA", Fact.INVITE, "agent.example", "ANA"),
        ("https://shop.example/discount/ANA10?redirect=/x", Fact.INVITE, "shop.example", "ANA10"),
        ("https://weidian.com/item.html?itemID=5566778899", Fact.ITEM, "weidian", "5566778899"),
        ("https://www.anrdoezrs.net/click-7654321-11", Fact.AFFILIATE, "cj", "7654321"),
    ],
)
def test_tags_by_programme(url: str, fact: Fact, programme: str, value: str) -> None:
    assert (fact, programme, value) in {(each.fact, each.programme, each.value) for each in tags_of(url)}


def test_a_wrapped_address_is_read_as_well_and_clicks_join_nothing() -> None:
    url = "https://go.skimresources.com/?id=12X34&url=https%3A%2F%2Fwww.ebay.com%2Fitm%2F123456789012%3Fcampid%3D5"
    assert {each.programme for each in tags_of(url)} == {"skimlinks", "ebay"}
    assert not any(each.joins for each in tags_of("https://shop.example/?irclickid=abc"))
    assert tags_of("https://www.amazon.com/x?ref=nb_sb_noss&ref_=abc") == ()


@given(st.text(max_size=300))
def test_tags_of_never_raises(text: str) -> None:
    tags_of(text)
    tags_of(f"https://shop.example/{text}")


def drawn() -> Graph:
    one, first = promotion_of("a", "ana", "https://shop.example/item/1?aff_id=9", seller="Sunny")
    other, second = promotion_of("b", "bea", "https://shop.example/item/1?aff_id=9", seller="Sunny")
    third = Unit(name="c")
    hub = third.hub(third.profile(third.post("hi", url="https://social.example/p/c", handle="ana")))
    third.buttons(hub, {"https://x.example/1": "=HYPERLINK(1)"})
    leads = third.trace().leads
    return graph_of([one, other], leads, [*first.pages, *second.pages, *third.pages])


def test_the_graph_joins_what_is_shared_and_names_the_captures() -> None:
    graph = drawn()
    sorts = [each.sort for each in graph.nodes.values()]
    assert sorts.count(Sort.LISTING) == 1
    assert sorts.count(Sort.ACCOUNT) == 2
    assert sorts.count(Sort.POST) == 3
    pointed = [each for each in graph.links.values() if each.relation == "pointed"]
    assert [each.captures for each in pointed] == [("a-1", "a-2"), ("b-1", "b-2")]
    sold = [each for each in graph.links.values() if each.relation == "sold_by"]
    assert [each.captures for each in sold] == [("a-2", "b-2")]
    assert all(each.source in graph.nodes and each.target in graph.nodes for each in graph.links.values())


def test_json_graphml_and_csv_say_the_same() -> None:
    graph = drawn()
    told = to_json(graph)
    root = etree.fromstring(to_graphml(graph))
    rows = list(csv.reader(io.StringIO(to_csv(graph))))[1:]
    assert len(told["nodes"]) == len(root.findall(f".//{GRAPHML}node")) == len(graph.nodes)  # type: ignore[arg-type]
    assert len(told["edges"]) == len(root.findall(f".//{GRAPHML}edge")) == len(rows) == len(graph.links)  # type: ignore[arg-type]
    assert any(cell == "'=HYPERLINK(1)" for row in rows for cell in row)


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_graphml_of_any_label_is_xml(label: str) -> None:
    graph = Graph()
    name = graph.node(Sort.POST, label, label)
    graph.link(name, name, "posted", "x")
    root = etree.fromstring(to_graphml(graph))
    assert root.find(f".//{GRAPHML}node") is not None


def test_two_shops_and_two_people_that_are_called_alike_are_two() -> None:
    one, _ = promotion_of("a", "", "https://a.example/item/1001", item_id="1001", seller="Official Store")
    other, _ = promotion_of("b", "", "https://b.example/item/1001", item_id="1001", seller="Official Store")
    plain = [
        replace(each, end=replace(each.end, reading=replace(each.end.reading, platform="shop")))
        for each in (one, other)
    ]
    assert not shared(plain)
    maria, garden = (
        replace(page.post, url=url, reading=replace(page.post.reading, platform="blog", fields={"author": "Maria"}))
        for page, url in ((one, "https://kuchen.example/1"), (other, "https://garten.example/1"))
    )
    assert account_of(maria) != account_of(garden)
