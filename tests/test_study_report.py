"""The study's report, as a browser shows it."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from byhand.study import study


@pytest.fixture(scope="module", params=["xor", "moons"])
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "study"
    options = {"activations": ["sigmoid", "relu"], "learning_rates": [0.01, 5.0], "seeds": 20, "epochs": 100}
    study(request.param, **options, hidden=[5], jobs=1, out=folder)
    return (folder / "report.html").as_uri()


def test_it_asks_for_nothing_and_complains_of_nothing(page, report):
    requests, messages = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(report)
    page.wait_for_load_state("networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [report]
    assert messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page, report, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(report)
    found = Axe().run(page).response["violations"]
    assert [(violation["id"], [node["html"][:200] for node in violation["nodes"]]) for violation in found] == []


def test_nothing_but_tables_and_figures_is_wider_than_a_phone(page, report):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
