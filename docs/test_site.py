"""What `make docs` built: each link leads somewhere, and from the start page nothing is farther than three clicks.

A click is a link in a page's own text; menus, which a small screen hides, are not counted.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest
from bs4 import BeautifulSoup, Tag

sys.path.insert(0, str(Path(__file__).parent))

from building.derivations import entries
from building.reference import TABLES, verbs
from byhand.diagnosis.catalogue import CATALOGUE

SITE = Path(__file__).parent / "_build/html"
CLICKS = 3
FORMULAS = [(kind, name) for kind in [*TABLES, "layers"] for name in entries(kind)]
OPTIONS = [
    (call, option.opts[-1])
    for call, verb in verbs().items()
    for option in verb.params
    if isinstance(option, click.Option)
]


@cache
def parsed(page: str) -> BeautifulSoup:
    return BeautifulSoup((SITE / page).read_text(encoding="utf-8"), "html.parser")


def text_of(page: str) -> Tag:
    """What the page itself says, without menus."""
    return parsed(page).find("article") or parsed(page).body


def links(page: str, within: Tag) -> set[str]:
    """The places of this site, as "page" or "page#id", to which links lead."""
    found = set()
    for link in within.find_all("a", href=True):
        parts = urlsplit(link["href"])
        if not parts.scheme and not parts.netloc:
            to = ((SITE / page).parent / unquote(parts.path)).resolve() if parts.path else SITE.resolve() / page
            found.add(
                to.relative_to(SITE.resolve()).as_posix() + (f"#{unquote(parts.fragment)}" if parts.fragment else "")
            )
    return found


@cache
def clicks() -> dict[str, int]:
    """How many clicks it takes to each place that can be reached."""
    far, latest = {"index.html": 0}, ["index.html"]
    while latest:
        pages = {place.partition("#")[0] for place in latest}
        new = {to for page in pages if page.endswith(".html") for to in links(page, text_of(page))} - far.keys()
        far |= dict.fromkeys(new, far[latest[0]] + 1)
        latest = sorted(new)
    return far


def far(page: str, id_: str = "") -> int:
    """Clicks to a page, or to the section of it in which something with this id stands."""
    places = [page]
    if id_:
        thing = parsed(page).find(id=id_)
        assert thing, f"nothing on {page} has the id {id_}"
        places = [f"{page}#{tag['id']}" for tag in [thing, *thing.parents] if tag.name != "main" and tag.get("id")]
    return min(clicks().get(place, 99) for place in places)


@pytest.mark.parametrize(("kind", "name"), FORMULAS)
def test_each_formula(kind, name):
    page = f"derivations/{kind}.html"
    section = parsed(page).find(id=name.lower().replace("_", "-"))
    assert section.find("math" if kind != "layers" else "pre"), "its section has no formula"
    assert far(page, section["id"]) <= CLICKS


@pytest.mark.parametrize(("call", "option"), OPTIONS)
def test_each_option(call, option):
    page, id_ = "reference/commands.html", f"cmdoption-{call.replace(' ', '-')}-{option.lstrip('-')}"
    assert far(page, id_) <= CLICKS
    assert len(parsed(page).find(id=id_).find_next("dd").text.split()) > 2, "nothing is said of it"


def letters(text: str) -> str:
    """Without quotes, which are set otherwise on the page."""
    return "".join(filter(str.isalnum, text))


@pytest.mark.parametrize("mistake", CATALOGUE)
def test_each_mistake(mistake):
    page = f"mistakes/{mistake}.html"
    assert far(page) <= CLICKS
    assert letters(CATALOGUE[mistake].plain) in letters(text_of(page).text)


def pages() -> list[str]:
    """All that is read, and not listed or searched in."""
    made = {"genindex.html", "py-modindex.html", "search.html"}
    found = {p.relative_to(SITE).as_posix() for p in SITE.rglob("*.html")}
    return sorted(p for p in found - made if not p.startswith(("_modules/", "_static/")))


def test_each_page():
    assert {page: far(page) for page in pages() if far(page) > CLICKS} == {}


def test_no_link_is_broken():
    broken = set()
    for page in pages():
        for place in links(page, parsed(page)):
            to, _, id_ = place.partition("#")
            if not (SITE / to).exists() or (id_ and to.endswith(".html") and not parsed(to).find(id=id_)):
                broken.add((page, place))
    assert not broken


def test_no_page_tells_where_it_was_built():
    here = str(Path(__file__).parents[1].resolve())
    assert [page for page in pages() if here in (SITE / page).read_text(encoding="utf-8")] == []
