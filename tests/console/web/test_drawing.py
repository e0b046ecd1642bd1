"""A case's graph as it is drawn: what is where, what is shared, and that no line leads to nothing."""

from console.web.drawing import DRAWN, Drawing, of_graph
from findings.graph import Graph, Sort


def graph() -> Graph:
    """Two posts lead to one seller by two listings; a third is looked at by itself."""
    made = Graph()
    account = made.node(Sort.ACCOUNT, "a", "mirabelle.finds")
    seller = made.node(Sort.SELLER, "s", "SunnyJewel")
    tag = made.node(Sort.TAG, "t", "amazon tag=mira-20")
    for n in range(3):
        post = made.node(Sort.POST, f"p{n}", f"post {n}", f"https://glimpse.example/p/{n}")
        made.link(account, post, "posted", f"capture-{n}")
        if n == 2:
            break
        listing = made.node(Sort.LISTING, f"l{n}", f"bracelet {n}")
        made.link(post, listing, "pointed", f"capture-{n}", f"listing-{n}")
        made.link(listing, seller, "sold_by", f"listing-{n}")
        made.link(post, tag, "carries", f"capture-{n}")
        made.link(post, account, "author", f"capture-{n}")
    return made


def test_what_several_posts_lead_to_comes_first_and_says_so() -> None:
    drawn = of_graph(graph())
    shared = {each.label: each.shared for each in drawn.things if each.shared}
    assert shared == {"SunnyJewel": 2, "amazon tag=mira-20": 2}
    assert {each.label for each in drawn.things[:2]} == set(shared)
    assert {each.label: each.captures for each in drawn.things}["SunnyJewel"] == 2


def test_things_stand_in_the_order_of_the_way() -> None:
    drawn = of_graph(graph())
    x = {each.thing.sort: each.x for each in drawn.places}
    assert x["account"] < x["post"] < x["listing"] < x["seller"] == x["tag"]
    assert len({(each.x, each.y) for each in drawn.places}) == len(drawn.places)
    assert drawn.height > max(each.y for each in drawn.places)


def test_a_line_is_between_things_that_are_drawn() -> None:
    made = graph()
    for n in range(DRAWN):
        made.link(made.node(Sort.POST, f"more{n}", "more"), made.node(Sort.LINK, f"link{n}", "link"), "reachable", "c")
    drawn: Drawing = of_graph(made)
    assert len(drawn.places) == DRAWN < len(drawn.things)
    placed = {each.thing.id for each in drawn.places}
    assert {end for each in drawn.lines for end in (each.relation.source, each.relation.target)} <= placed
    assert len(drawn.relations) == len(made.links)
