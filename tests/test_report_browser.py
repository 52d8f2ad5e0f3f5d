"""The report, as a browser shows it: alone, without network or JavaScript, to everyone, on every screen."""

from __future__ import annotations

import html
import re
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.figure import Figure

from byhand.lab import animate
from byhand.lab.formulas import inline_formula, mathml

WIDE, PHONE = {"width": 1360, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(params=["small", "td1"])
def report(request):
    return request.getfixturevalue(request.param).report.as_uri()


@pytest.fixture
def small_report(small):
    return small.report.as_uri()


def opened(page, report, viewport=WIDE, **media):
    page.set_viewport_size(viewport)
    page.emulate_media(**media)
    page.goto(report)
    return page


def test_it_asks_for_nothing_and_complains_of_nothing(page, report):
    requests, messages = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    opened(page, report)
    page.wait_for_load_state("networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [report]
    assert messages == []


def test_td1_is_smaller_than_a_megabyte(td1):
    assert td1.report.stat().st_size < 1_000_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(page, report, scheme):
    assert violations(opened(page, report, color_scheme=scheme)) == []


def test_axe_finds_no_violation_on_a_phone(page, small_report):
    assert violations(opened(page, small_report, PHONE)) == []


def violations(page):
    page.evaluate("document.querySelectorAll('details').forEach(details => details.open = true)")
    found = Axe().run(page).response["violations"]
    return [(violation["id"], [node["html"][:200] for node in violation["nodes"]]) for violation in found]


def test_light_and_dark_are_what_they_say(page, small_report):
    lightness = "Number(getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/)[0])"
    assert opened(page, small_report, color_scheme="light").evaluate(lightness) > 230
    assert opened(page, small_report, color_scheme="dark").evaluate(lightness) < 40


def test_it_reads_without_javascript(chromium, small_report):
    context = chromium.new_context(java_script_enabled=False)
    page = opened(context.new_page(), small_report)
    assert page.get_by_role("heading", level=1).inner_text() == "A small practical"
    assert "The largest square is" in page.locator(".answer").last.inner_text()
    compared = page.locator("details.check", has_text="1.2 The square").locator(".printed")
    assert not compared.is_visible()
    page.get_by_text("✓ 1.2 The square").click()
    assert compared.is_visible()
    context.close()


def test_formulas_are_mathml_and_no_latex_is_left(page, report):
    opened(page, report)
    formulas = page.locator("math")
    assert formulas.count() >= 5
    sizes = formulas.evaluate_all(
        "all => all.filter(f => f.checkVisibility()).map(f => f.getBoundingClientRect()).map(r => [r.width, r.height])"
    )
    assert all(width > 4 and height > 4 for width, height in sizes)
    text = page.evaluate(
        """() => {
            const copy = document.querySelector('main').cloneNode(true);
            copy.querySelectorAll('pre, code, svg').forEach(element => element.remove());
            return copy.textContent;
        }"""
    )
    assert re.findall(r".{0,30}[$\\].{0,30}", text) == []
    assert [formula for formula in formulas.all_text_contents() if "&" in formula] == []


def test_a_formula_is_set_as_written(page, small_report):
    """The fraction stands left of the sign, and the signs of the two lines stand one below the other."""
    opened(page, small_report)
    formula = page.locator("math[display=block]").first
    fraction = formula.locator("mfrac").bounding_box()
    first, second = (formula.locator("mtr").nth(row).locator("mtd").nth(1) for row in range(2))
    assert fraction["x"] + fraction["width"] <= first.bounding_box()["x"]
    signs = [cell.locator("mo").first.bounding_box() for cell in (first, second)]
    assert signs[0]["x"] == pytest.approx(signs[1]["x"], abs=1)
    assert signs[0]["y"] < signs[1]["y"]
    assert {"10,000", "for"} <= {text.strip() for text in page.locator("mtext").all_text_contents()}


def test_nothing_is_wider_than_a_phone(page, report):
    opened(page, report, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    wider = page.evaluate(
        """() => [...document.querySelectorAll('main *, footer *')]
            .filter(e => !e.closest('.scrolling, div.code, .highlight, figure') && e.checkVisibility())
            .filter(e => e.getBoundingClientRect().right > 360 + .5)
            .map(e => e.outerHTML.slice(0, 200))"""
    )
    assert wider == []


def test_every_figure_has_an_alternative_text_of_its_own(page, report):
    opened(page, report)
    figures = page.locator("figure")
    assert figures.count() >= 2
    names = page.locator("figure > svg[role=img]").evaluate_all("all => all.map(svg => svg.getAttribute('aria-label'))")
    assert len(names) == figures.count()
    assert all(len(name) > 20 for name in names), names
    assert len(set(names)) == len(names)
    assert page.locator("main img").count() == 0


def test_the_figures_do_not_get_mixed_up(page, report):
    """Markers, clips and gradients are found by id: each must be unique, there, and in its own figure."""
    opened(page, report)
    doubles, lost, foreign = page.evaluate(
        """() => {
            const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
            const doubles = ids.filter((id, i) => ids.indexOf(id) !== i);
            const lost = [], foreign = [];
            for (const e of document.querySelectorAll('svg *')) {
                for (const {value} of e.attributes) {
                    for (const [, id] of value.matchAll(/(?:^|url\\()#([^)]+)/g)) {
                        if (/^[0-9a-f]{6}$/i.test(id)) continue;  // a colour
                        const target = document.getElementById(id);
                        if (!target) lost.push(id);
                        else if (target.closest('svg') !== e.closest('svg')) foreign.push(id);
                    }
                }
            }
            return [doubles, lost, foreign];
        }"""
    )
    assert (doubles, lost, foreign) == ([], [], [])
    assert page.locator("svg style").count() == 0


def test_an_image_in_a_figure_is_shown(page, small_report):
    """The four squares of imshow: four colours in the picture of the figure."""
    opened(page, small_report)
    image = page.locator("figure svg image").first
    width, height = image.evaluate("i => [i.getBBox().width, i.getBBox().height]")
    assert width > 50
    assert height > 50
    assert image.get_attribute("href").startswith("data:image/png;base64,")


def test_headings_are_in_order_and_the_contents_lead_to_them(page, report):
    opened(page, report)
    levels = page.evaluate("[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    links = page.evaluate(
        """[...document.querySelectorAll('nav a')].map(
            a => [a.textContent, document.getElementById(a.hash.slice(1))?.textContent])"""
    )
    assert [shown for shown, _ in links] == [heading for _, heading in links]
    assert len(links) == levels.count(2) + levels.count(3)


def test_the_contents_are_beside_the_text_or_folded_above_it(page, small_report):
    link = page.get_by_role("navigation").get_by_role("link", name="1.2 The square")
    opened(page, small_report, WIDE)
    assert link.is_visible()
    assert link.bounding_box()["x"] < page.locator("main").bounding_box()["x"]
    opened(page, small_report, PHONE)
    assert not link.is_visible()
    page.get_by_text("Contents").click()
    link.click()
    assert page.evaluate("scrollY") > 300


def test_the_keyboard_skips_the_contents(page, small_report):
    opened(page, small_report)
    assert page.locator("html").get_attribute("lang") == "en"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    assert page.get_by_text("Skip to the text").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_what_is_shown_and_what_is_folded(page, small_report):
    opened(page, small_report)
    text = page.locator("main").inner_text()
    assert "np.random.seed(SEED)" in text, "what the question asked for"
    assert "# x: the numbers, shape (5,)" in text
    assert "✓ 1.2 The square" in text
    assert "derivative: largest relative difference 2.5e-13" not in text, "what a verdict rests on is folded"
    whole = page.locator("main").text_content()
    assert "derivative: largest relative difference 2.5e-13" in whole
    assert "plt.subplots" not in whole, "the code of a figure is left out"
    assert "with question" not in whole, "the code of a check is left out"
    assert "epoch 1  loss <0.5>" not in whole, "what code prints goes with the code"
    assert "SOLUTION" not in whole
    assert "a library's warning" not in whole
    answers = page.locator(".answer")
    assert [answer.split("\n")[0].lower() for answer in answers.all_inner_texts()] == ["answer"] * 2


def test_the_foot_says_how_it_was_made(page, report):
    import matplotlib
    import numpy
    import sklearn

    import byhand

    foot = opened(page, report).locator("footer").inner_text()
    assert re.search(r"Made on \d{1,2} [A-Z][a-z]+ 20\d\d by byhand lab --seed 44, seed 44\.", foot)
    libraries = (("byhand", byhand), ("NumPy", numpy), ("matplotlib", matplotlib), ("scikit-learn", sklearn))
    for name, library in libraries:
        assert f"{name} {library.__version__}" in foot
    assert re.search(r"Python 3\.\d+\.\d+", foot)


def test_on_paper_no_figure_is_split_and_nothing_folded_is_left(page, report):
    opened(page, report, {"width": 643, "height": 978}, media="print")  # A4 without its margins
    assert not page.locator("nav").is_visible()
    assert page.locator("details.code").evaluate_all("all => all.filter(d => d.checkVisibility()).length") == 0
    comparisons = page.locator("details.check > .printed")
    assert comparisons.evaluate_all("all => all.filter(c => c.checkVisibility()).length") == 0
    figures = page.locator("figure").evaluate_all(
        "all => all.map(f => [getComputedStyle(f).breakInside, f.getBoundingClientRect().height])"
    )
    assert all(inside == "avoid" and height < 978 for inside, height in figures)
    assert page.pdf().startswith(b"%PDF")


def test_on_paper_the_practical_has_thirty_pages_at_most_and_leaves_the_extensions_to_the_screen(page, td1):
    opened(page, td1.report.as_uri())
    extra = page.locator(".extra h3, .extra h4")
    titles = [title.split()[0] for title in extra.all_text_contents()]
    assert titles == ["1.11", "1.12", "2.11b", "2.12", "3.6", "3.7", "3.8"]
    assert all(heading.is_visible() for heading in extra.all())
    assert page.get_by_text("On paper, the extensions").is_hidden()
    page.emulate_media(media="print")
    assert not any(heading.is_visible() for heading in extra.all())
    assert page.get_by_text("On paper, the extensions").is_visible()
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4", prefer_css_page_size=True))
    assert 20 < len(pages) <= 30


def test_the_first_page_answers_each_question_in_a_line_and_leads_to_it(page, td1):
    opened(page, td1.report.as_uri())
    rows = page.locator(".overview tr").evaluate_all(
        """rows => rows.map(row => [row.querySelector('th a').textContent,
            document.getElementById(row.querySelector('a').hash.slice(1))?.textContent,
            row.querySelector('td').textContent,
            row.querySelector('small')?.textContent ?? ''])"""
    )
    assert len(rows) == page.locator("h3").count() == 33
    assert all(shown == heading for shown, heading, _, _ in rows)
    answers = {shown.split()[0]: answer for shown, _, answer, _ in rows}
    assert [number for number, answer in answers.items() if not re.search(r"\d", answer)] == ["2.5", "3.1"]
    assert {shown.split()[0] for shown, _, _, mark in rows if mark} == {"1.11", "1.12", "2.12", "3.6", "3.7", "3.8"}


@pytest.mark.parametrize("viewport", [WIDE, PHONE])
def test_type_in_figures_is_never_under_nine_points(page, td1, viewport):
    opened(page, td1.report.as_uri(), viewport)
    sizes = page.locator("figure svg text").evaluate_all(
        """all => all.filter(t => t.textContent.trim()).map(t => {
            const svg = t.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return [parseFloat(getComputedStyle(t).fontSize) * scale, t.textContent];})"""
    )
    assert len(sizes) > 100
    assert [text for size, text in sizes if size < 12 - 1e-2] == []  # 12 pixels are 9 points


def test_the_report_shows_what_the_handout_asks_for_and_leaves_the_rest_to_the_notebook(page, td1):
    main = opened(page, td1.report.as_uri()).locator("main")
    text = main.inner_text()
    assert "def backward(X, y, parameters" in text
    assert "def one_sample(" in text
    assert "# Wanted:" not in text, "what the question has said"
    assert "def validate(" not in main.text_content(), "an extension's code"
    assert "study(" not in main.text_content()
    program = main.locator("details.code", has_text="The program")
    assert "semilogy" not in text
    program.locator("summary").click()
    assert "plt.semilogy(losses)" in main.inner_text()
    assert main.locator("a[href='td1_solution.ipynb']").count() == 1
    assert len(text.split()) < 12_000


def test_an_animation_stands_still_until_it_is_played(page, tmp_path, monkeypatch):
    def square_of(size):
        figure = Figure(figsize=(2, 2))
        figure.subplots().plot([0, size], [0, size])
        return figure

    file = tmp_path / "animation.html"
    monkeypatch.setattr("IPython.display.display", lambda data, raw: file.write_text(data["text/html"], "utf-8"))
    animate(square_of, [1, 2, 3], "A line that grows.")
    page.goto(file.as_uri())
    frame, button, image = page.get_by_role("slider"), page.get_by_role("button"), page.locator("img")
    last = image.get_attribute("src")
    page.wait_for_timeout(500)
    assert (frame.input_value(), image.get_attribute("src")) == ("2", last)
    button.click()
    assert button.inner_text() == "Pause"
    page.wait_for_function("document.querySelector('button').textContent === 'Play'")
    assert (frame.input_value(), image.get_attribute("src")) == ("2", last)
    frame.fill("0")
    assert image.get_attribute("src") != last


def test_what_is_for_students_only_is_not_in_the_report(page, td1):
    text = opened(page, td1.report.as_uri()).locator("main").text_content()
    assert "Hint 1" not in text
    assert "How it works" not in text
    assert any("Hint 3" in cell.source for cell in td1.student.cells)


def test_script_letters_and_primes_are_what_mathml_has_for_them():
    assert "\N{MATHEMATICAL SCRIPT CAPITAL N}" in html.unescape(mathml(r"\mathcal N(0, 1)", "inline"))
    assert "<mo>′</mo>" in html.unescape(mathml(r"f_o'(z)", "inline"))
    relu = html.unescape(mathml(r"\mathrm{relu}'(z)", "inline"))
    assert re.search(r"<msup><mi>relu</mi><mo>′</mo></msup>", relu)


def texts(page):
    return [html.unescape(re.sub(r"<[^>]*>", "", formula)) for formula in re.findall(r"<math.*?</math>", page)]


def test_a_long_formula_may_go_on_in_the_next_line_before_a_relation():
    short, long = r"a = b", r"\hat y = (x W_h + b_h)^\top W_o + b_o = f(u = 1) + 1 \le 2"
    assert len(texts(inline_formula(short))) == 1
    first, *others = texts(inline_formula(long))
    assert [other[0] for other in others] == ["=", "=", "≤"]
    assert first == "y^"
    assert "u=1" in others[1], "not inside brackets"
    assert "".join(texts(inline_formula(long))) == "".join(texts(mathml(long, "inline")))


def test_a_leading_minus_is_a_sign_and_another_one_an_operation():
    formula = html.unescape(mathml(r"a = -1, f(-x) - (1) - 2", "inline"))
    assert re.findall(r"<mo( form=\"prefix\")?>−</mo>", formula) == [' form="prefix"', ' form="prefix"', "", ""]
