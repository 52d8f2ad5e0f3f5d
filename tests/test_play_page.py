"""The page in a real browser: what a person sees and does there, by mouse and by keyboard."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import json
import random
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import byhand
from byhand.play.engine import respond
from byhand.play.export import export
from byhand.play.landscape import landscape
from byhand.play.listing import listing
from byhand.play.presets import DEFAULTS, WALK
from byhand.play.records import encode
from byhand.play.schema import LandscapeRequest, ListingRequest, Request
from byhand.play.server import listen, serve
from byhand.play.site import INTEGRITY, Engine, sources, write_site
from byhand.play.stories import OUTLINES, story


@pytest.fixture(scope="module")
def address():
    """The page's server, in this process: so a story is computed once, for the page and for what it is held against."""
    with listen(None) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


DESK = {"viewport": {"width": 1280, "height": 720}, "reduced_motion": "reduce"}


@pytest.fixture(scope="module")
def desk(chromium):
    """What most pages are opened in: to make one anew takes longer than to open the page."""
    context = chromium.new_context(**DESK)
    yield context
    context.close()


@pytest.fixture
def opened(chromium, desk, address):
    """Open the page, as often as wanted; in the end the console is clean and nothing was asked of any other host."""
    contexts, pages, complaints = [], [], []

    def opened(fragment="", where=None, **options):
        context = desk
        if options:
            context = chromium.new_context(**(DESK | options))
            contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.set_default_timeout(15_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        own = (where or address, "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(own) or complaints.append(request.url))
        page.goto((where or address) + fragment)
        settle(page)
        return page

    opened.complaints = complaints
    yield opened
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()
    for context in contexts:
        context.close()
    assert complaints == []


def wait_until(page, condition, seconds=30):
    """Asked from here: a page that may not evaluate text cannot wait for one by itself."""
    ends = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < ends, f"still not: {condition}"
        time.sleep(0.01)


def settle(page, seconds=30):
    wait_until(page, "Boolean(globalThis.byhand?.ready && !byhand.busy)", seconds)


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
        settle(page)


def do(page, **command):
    page.evaluate("(command) => byhand.do(command)", command)
    settle(page)


def run_of(page, index=0):
    return page.evaluate(
        """(i) => {
            const { config, state, answer, curve, known } = byhand.state.model.runs[i];
            return { config, state, answer, curve, known };
        }""",
        index,
    )


def model_of(page):
    return page.evaluate("({ ...byhand.state.model, runs: null, story: null })")


def click(page, name, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()
    settle(page)


def panel(page, name):
    page.locator("#panel-tabs").get_by_role("button", name=name).click()
    settle(page)


def slots(page):
    """Every number of the picture that is to be seen, by the key of what it stands for; "" where there is a dot."""
    return page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll("#network text[data-k]")]
            .map((text) => [text.dataset.k, text.textContent.replaceAll("·", "").replaceAll("−", "-")]))"""
    )


def walked(parameters, x, y):
    """z, a, δ and gradients of the 2-2-1 network for one sample, by the formulas of the board."""
    W, b, v, c = np.array(parameters[:4]).reshape(2, 2), parameters[4:6], np.array(parameters[6:8]), parameters[8]
    z = W @ x + b
    a = 1 / (1 + np.exp(-z))
    z_out = v @ a + c
    y_hat = 1 / (1 + np.exp(-z_out))
    d = 2 * (y_hat - y) * y_hat * (1 - y_hat)
    d_hidden = v * d * a * (1 - a)
    gradients = [*np.outer(d_hidden, x).ravel(), *d_hidden, *(d * a), d]
    return {"z": z, "a": a, "z_out": z_out, "y_hat": y_hat, "d": d, "d_hidden": d_hidden, "gradients": gradients}


# The walk


def test_a_walk_shows_each_number_when_it_is_computed_and_not_before(opened):
    page = opened()
    expect(page.get_by_role("button", name="What is δ?")).to_be_visible()
    own = walked(WALK.parameters, np.array([1, 1]), 0)
    arrives = [
        {"z:0:0": own["z"][0], "a:0:0": own["a"][0]},
        {"z:0:1": own["z"][1], "a:0:1": own["a"][1]},
        {"z:1:0": own["z_out"], "a:1:0": own["y_hat"]},
        {"L": own["y_hat"] ** 2},
        {"d:1:0": own["d"]},
        {f"g:1:0:{i}": own["gradients"][6 + i] for i in range(3)},
        {"d:0:0": own["d_hidden"][0]},
        {"d:0:1": own["d_hidden"][1]},
        {f"g:0:{u}:{i}": own["gradients"][2 * u + i] for u in range(2) for i in range(2)},
    ]
    known = {"a:-1:0", "a:-1:1", "y", *(key for key in slots(page) if key.startswith("w:"))}
    assert {key for key, text in slots(page).items() if text} == known
    for step in arrives:
        press(page, "Space")
        now = slots(page)
        known |= set(step) | ({"g:0:0:2", "g:0:1:2"} if "g:0:0:0" in step else set())
        assert {key for key, text in now.items() if text} == known
        for key, value in step.items():
            assert float(now[key].removeprefix("∂ ")) == pytest.approx(value, abs=6e-4)
    press(page, "Space")
    new = np.array(WALK.parameters) - own["gradients"]
    assert float(slots(page)["w:0:1:0"]) == pytest.approx(new[2], abs=6e-4)
    assert slots(page)["g:0:1:0"] == "was 1.5"
    press(page, "Space")
    after = walked(new, np.array([1, 1]), 0)["y_hat"] ** 2
    assert float(slots(page)["L"]) == pytest.approx(after, abs=6e-4)
    expect(page.locator("#say h2")).to_have_text("It helped")
    press(page, "Space")
    np.testing.assert_allclose(run_of(page)["state"]["parameters"], new, rtol=1e-12)
    assert slots(page)["a:-1:0"] == "0"
    assert slots(page)["z:0:0"] == ""


def test_back_undoes_thirty_steps_of_all_sizes_exactly(opened):
    page = opened()
    steps = ["Space"] * 14 + ["+", "Space", "Space", "+", "Space", "Space", "+", "Space", "+", "Space"] + ["Space"] * 6
    seen = []
    look = "[document.querySelector('#network').innerHTML, document.querySelector('#explain').innerHTML]"
    for key in steps:
        if key == "Space":
            seen.append((page.evaluate(look), model_of(page), run_of(page)))
        press(page, key)
    assert run_of(page)["state"]["epoch"] > 600
    for picture, model, run in reversed(seen):
        press(page, "ArrowLeft")
        assert (model_of(page), run_of(page)) == (model, run)
        assert still(page.evaluate(look)) == still(picture)


def still(html):
    """Without what only says that something has just come, and the order of styles."""
    return [re.sub(r" ?\b(fresh|late|written)\b|style=\"[^\"]*\"|class=\"\"", "", part) for part in html]


def test_nothing_jumps_over_thirty_steps(opened):
    page = opened()
    places = """() => {
        const boxes = document.querySelectorAll(".box, .pill, .second, .panel, .foot, #step, #back, #rail");
        return JSON.stringify([...boxes].map((box) => box.getBoundingClientRect()));
    }"""
    for width, height in ((1280, 720), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        before = page.evaluate(places)
        for _ in range(15):
            press(page, "ArrowRight")
            assert page.evaluate(places) == before
        assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_each_size_of_step_goes_where_it_says(opened):
    page = opened()
    stop = "byhand.scene.stop.id"
    press(page, "+")  # layer
    seen = []
    for _ in range(7):
        press(page, "Space")
        seen.append(page.evaluate(stop))
    assert seen == ["f:0:1", "f:1", "loss", "g:1", "g:0", "up", "check"]
    press(page, "Space", "+")  # phase
    seen = []
    for _ in range(6):
        press(page, "Space")
        seen.append(page.evaluate(stop))
    assert seen == ["f:1", "loss", "g:0", "up", "check", "look"]
    press(page, "+", "Space")  # epoch: the one that is begun is finished
    assert run_of(page)["state"] | {"parameters": 0} == {"parameters": 0, "epoch": 1} | {
        key: value for key, value in run_of(page)["state"].items() if key not in ("parameters", "epoch")
    }
    press(page, "+", "Space")
    assert run_of(page)["state"]["epoch"] == 101
    assert len(run_of(page)["known"]) == 4
    page.locator("#rail button").nth(4).click()
    settle(page)
    assert page.evaluate(stop) == "loss"


def test_pointing_at_a_term_lights_its_link_and_the_other_way_round(opened):
    page = opened()
    press(page, "Space")
    hot = "[...document.querySelectorAll('.hot')].map((element) => element.dataset.k)"
    page.locator("#formula [data-k='w:0:0:1']").first.hover()
    assert any(key.startswith("w:0:0:1 ") for key in page.evaluate(hot))
    page.locator("#network .pill-g[data-k='w:0:0:0']").hover()
    assert page.locator("#formula .t.hot[data-k='w:0:0:0']").count() >= 2
    assert page.locator("#formula .t.hot[data-k='w:0:0:1']").count() == 0


def test_delta_is_drawn_as_the_slope_of_the_loss(opened):
    """In the picture's own pixels: so much up for so much right, as the curve beside it has them."""
    page = opened()
    press(page, *["Space"] * 5)
    chart = page.locator("#foot .slope-chart")
    expect(chart).to_contain_text("slope = δ")
    path = "path => path.getAttribute('d').slice(1).split('L').map((point) => point.split(' ').map(Number))"
    curve, tangent = (chart.locator(f".{name}").evaluate(path) for name in ("loss", "tangent"))
    own = walked(WALK.parameters, np.array([1, 1]), 0)
    y_hat = 1 / (1 + np.exp(-(own["z_out"] + np.array([-3, 3]))))  # with the target 0
    across = (curve[-1][0] - curve[0][0]) / 6
    up = (curve[0][1] - curve[-1][1]) / np.diff(y_hat**2)[0]
    slope = (tangent[0][1] - tangent[1][1]) / up / ((tangent[1][0] - tangent[0][0]) / across)
    assert slope == pytest.approx(own["d"], abs=0.005)
    expect(page.locator("#foot h3").nth(1)).to_have_text("Loss if z changes")
    press(page, "Space")
    expect(chart).to_have_count(0)
    press(page, "ArrowLeft", "h")
    panel(page, "Explain")
    expect(chart).to_have_count(0)
    do(page, kind="story", id="rate-too-high")
    press(page, "Space")
    assert page.evaluate("byhand.scene.stop.id") == "d:0"
    expect(chart).to_have_count(0)


def test_formulas_are_those_that_the_library_carries(opened):
    """Typeset as MathML: a loss's, an activation's with its slope, an optimizer's; numbers put in."""
    page = opened("#start=relu-sometimes")
    formula = page.locator("#formula")
    do(page, kind="training", change={"optimizer": "momentum"})
    press(page, "Space")
    do(page, kind="sample", place=1)
    z = run_of(page)["answer"]["layers"][0]["z"][2]  # the unit that is marked
    assert z < 0
    written = f"{z:.4g}".replace("-", "−")
    expect(formula).to_contain_text(f"a3=relu(z3)=max({written},0)=0")
    press(page, "Space", "Space")
    expect(formula).to_contain_text("L=Σ(y^−y)2")
    press(page, "Space", "Space")
    expect(formula).to_contain_text("relu′(z)=1 if z>0 else 0=0")
    press(page, "Space")
    expect(formula).to_contain_text("v←0.9v−ηg=")
    w11 = run_of(page)["answer"]["next_parameters"][4]
    expect(formula.locator(".res")).to_have_text(f"{w11:.3f}".replace("-", "−").rstrip("0"))


FITS = """() => [".say", "#formula", "#beat"].map((name) => document.querySelector(name))
    .every((element) => element.scrollHeight <= element.clientHeight + 1)"""


@pytest.mark.parametrize("size", [(1280, 720), (1440, 900)], ids=str)
def test_the_words_and_the_formula_of_each_stop_are_seen_whole(opened, size):
    page = opened(viewport={"width": size[0], "height": size[1]})

    def walk(presses):
        for _ in range(presses):
            press(page, "Space")
            assert page.evaluate(FITS), page.evaluate("byhand.scene.stop.id")

    walk(13)
    do(page, kind="start", preset="sigmoid-learns")
    walk(7)
    do(page, kind="layers", change=1)
    for layer in (0, 1):
        for _ in range(2):
            do(page, kind="units", layer=layer, change=-1)
    assert run_of(page)["config"]["model"]["hidden"] == [8, 8]
    walk(9)
    do(page, kind="data", change={"kind": "digits"})
    walk(7)


# The stories


@pytest.mark.parametrize("name", [outline.id for outline in OUTLINES])
def test_a_story_is_told_beat_by_beat(opened, name):
    page = opened(f"#story={name}")
    told = story(name)
    for i, beat in enumerate(told.beats):
        expect(page.locator("#beat h2")).to_have_text(beat.question)
        expect(page.locator("#step b")).to_have_text("Step anyway")
        expect(page.locator(".answer")).to_have_count(0)
        if beat.before is not None:
            assert page.evaluate("byhand.scene.stop.id") == beat.before
        press(page, str(beat.right + 1))
        expect(page.locator("#step b")).to_have_text("Step")
        assert page.evaluate(FITS), "the question"
        press(page, "Space")
        expect(page.locator(".answer")).to_have_text(beat.answer.replace("**", ""))
        assert page.evaluate(FITS), "the answer"
        expect(page.locator(".options .right.mine")).to_contain_text(beat.options[beat.right])
        scene = page.evaluate("({ stop: byhand.scene.stop.id, loss: byhand.scene.answer.train_loss })")
        assert scene == {"stop": beat.frame.stop, "loss": beat.frame.answer.train_loss}
        if i == 1:
            press(page, "ArrowLeft")
            expect(page.locator(".answer")).to_have_count(0)
            press(page, "Space")
        if i < len(told.beats) - 1:
            press(page, "Space")
    press(page, "Space")
    last = told.beats[-1].frame
    assert run_of(page)["state"]["parameters"] == last.answer.state.parameters
    assert run_of(page)["config"]["training"]["learning_rate"] == last.config.training.learning_rate


def test_what_seed_44_proposes_in_the_end_can_be_done(opened):
    """“Under Numbers, set the output's bias to something else.”"""
    page = opened("#story=seed-44")
    press(page, *["Space"] * 12)
    panel(page, "Numbers")
    expect(page.locator("#unit")).to_contain_text("Unit 1 of the output layer")
    field = page.get_by_label("Bias")
    field.fill("2.5")
    field.press("Enter")
    settle(page)
    assert run_of(page)["state"]["parameters"][-1] == 2.5


def test_a_question_never_stands_beside_its_own_answer(opened):
    """The slope of the dead output is asked for, so the picture must not show δ of it yet."""
    page = opened("#story=seed-44")
    press(page, "Space", "Space", "Space", "Space")
    assert slots(page)["z:1:0"] == "0"
    press(page, "Space")
    assert slots(page)["z:1:0"] == "-2.377"
    assert slots(page)["d:1:0"] == "0"


# No input is lost


def test_five_presses_in_one_turn_are_five_steps(opened):
    page = opened("#start=sigmoid-learns")
    page.evaluate("for (let i = 0; i < 5; i++) byhand.do({ kind: 'press', dial: 'epoch' })")
    settle(page)
    assert run_of(page)["state"]["epoch"] == 5


def random_commands(seed, count):
    draw = random.Random(seed)
    kinds = [
        lambda: {"kind": "press", "dial": draw.choice(["layer", "phase", "epoch", "sample"])},
        lambda: {"kind": "training", "change": {"learning_rate": draw.choice([0.01, 0.1, 0.5])}},
        lambda: {"kind": "training", "change": {"optimizer": draw.choice(["adam", "momentum", "gradient_descent"])}},
        lambda: {"kind": "training", "change": {"batch_size": draw.choice([None, 1, 2])}},
        lambda: {"kind": "model", "change": {"seed": draw.randrange(9)}},
        lambda: {"kind": "weight", "index": draw.randrange(9), "value": draw.uniform(-2, 2)},
        lambda: {"kind": "activation", "layer": draw.randrange(2), "name": draw.choice(["tanh", "relu", "sigmoid"])},
        lambda: {"kind": "sample", "place": draw.randrange(4)},
        lambda: {"kind": "rewind"},
    ]
    weights = [8, 2, 1, 1, 1, 2, 1, 1, 1]
    return [draw.choices(kinds, weights)[0]() for _ in range(count)]


def test_a_hundred_commands_at_once_on_a_slow_engine_end_as_one_after_the_other(opened):
    commands = random_commands(7, 100)
    page = opened()
    page.evaluate("async (commands) => { for (const command of commands) await byhand.do(command); }", commands)
    expected = run_of(page), model_of(page)
    other = opened()
    other.evaluate(
        """async (commands) => {
            const ask = globalThis.fetch;
            let i = 0;
            globalThis.fetch = async (...request) => {
                const answer = await ask(...request);
                await new Promise((resume) => setTimeout(resume, (i++ * 7) % 12));
                return answer;
            };
            for (const command of commands) {
                byhand.do(command);
                if (Math.random() < 0.1) await new Promise((resume) => setTimeout(resume, 5));
            }
            await byhand.settled();
        }""",
        commands,
    )
    settle(other)
    run, model = run_of(other), model_of(other)
    assert run["state"] == expected[0]["state"]
    assert run["config"] == expected[0]["config"]
    assert run["answer"] == expected[0]["answer"]
    assert model == expected[1]


def test_a_unit_that_goes_while_it_is_chosen_is_let_go(opened):
    page = opened("#start=sigmoid-learns")
    page.evaluate(
        """() => {
            byhand.do({ kind: "units", layer: 0, change: -1 });
            document.querySelector("[data-unit='0,9']").dispatchEvent(new MouseEvent("click", { bubbles: true }));
        }"""
    )
    settle(page)
    assert page.evaluate("byhand.scene.selected") == {"layer": 0, "unit": 8, "weight": None}
    expect(page.locator(".chosen")).to_have_count(1)


def test_settings_count_while_digits_play(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="data", change={"kind": "digits"})
    panel(page, "Settings")
    page.locator("#play").click()
    for rate in ("0.02", "0.003", "0.007"):
        page.fill("#learning-rate", rate)
        page.locator("#learning-rate").blur()
        wait_until(page, f"byhand.state.model.runs[0].config.training.learning_rate === {rate}")
        expect(page.locator("#learning-rate")).to_have_value(rate)
    page.locator("#play").click()
    page.locator("#play").click()
    epoch = run_of(page)["state"]["epoch"]
    wait_until(page, f"byhand.state.model.runs[0].state.epoch > {epoch}")
    assert page.evaluate("byhand.state.playing")
    page.locator("#play").click()
    settle(page)
    epoch = run_of(page)["state"]["epoch"]
    page.wait_for_timeout(300)
    assert run_of(page)["state"]["epoch"] == epoch


def test_a_busy_server_is_told_in_words(opened):
    page = opened("#start=sigmoid-learns")
    page.route("**/api/step", lambda route: route.fulfill(status=503, body="Service Unavailable"))
    do(page, kind="press", dial="epoch")
    expect(page.get_by_role("alert")).to_contain_text("busy")
    page.unroute("**/api/step")
    do(page, kind="press", dial="epoch")
    expect(page.get_by_role("alert")).to_be_hidden()
    assert run_of(page)["state"]["epoch"] == 1
    opened.complaints[:] = [text for text in opened.complaints if "503" not in text]


# The numbers


def test_epochs_show_the_numbers_that_the_library_computes(opened):
    page = opened("#start=sigmoid-learns")
    x, y = byhand.datasets.xor()
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = run_of(page)["state"]["parameters"]
    history = byhand.train(network, x, y, loss="sum_of_squares", optimizer=byhand.GradientDescent(0.5), epochs=101)
    do(page, kind="press", dial="epoch")
    do(page, kind="press", dial="100")
    run = run_of(page)
    np.testing.assert_allclose(run["state"]["parameters"], network.parameters, rtol=1e-12)
    np.testing.assert_allclose(run["curve"]["train"][:-1], history.loss, rtol=1e-12)
    y_hat = network.forward(x)
    network.backward(2 * (y_hat - y))
    np.testing.assert_allclose(run["answer"]["gradients"], network.gradients, rtol=1e-12)
    panel(page, "Numbers")
    cells = page.locator("#units tr", has_text="unit 4").locator("td")
    titles = cells.evaluate_all("tds => tds.map(td => td.title)")
    hidden = network.layers[0]
    for cell, title, exact in zip(
        cells.all_inner_texts(), titles, (hidden.z[0, 3], hidden.a[0, 3], hidden.grad_z[0, 3]), strict=False
    ):
        assert float(title) == pytest.approx(exact, rel=1e-12)
        assert float(cell.replace("−", "-")) == pytest.approx(exact, abs=6e-4)
    assert cells.all_inner_texts()[3] == f"{(hidden.z[:, 3] > 0).sum()} of 4"


def test_all_of_the_practicals_network_is_in_sight_at_once(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="press", dial="epoch")
    shown = slots(page)
    assert all(shown[f"{symbol}:0:{unit}"] for symbol in "ad" for unit in range(10))
    assert all(shown[key] for key in ("z:1:0", "a:1:0", "d:1:0", "L", "y"))
    boxes = page.locator("#network .box, #foot .plot svg, #foot .chart-svg, #step").evaluate_all(
        "all => all.map((e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; })"
    )
    assert len(boxes) == 2 + 10 + 1 + 1 + 3
    for left, top, right, bottom in boxes:
        assert left >= 0
        assert top >= 0
        assert right <= 1280
        assert bottom <= 720


def test_one_value_has_one_colour(opened):
    """ŷ = ½ all over the plane is half as strong as 1, and what is flat but for round-off has no speckles."""
    page = opened("#story=identity-cannot")
    for _ in range(8):
        press(page, "Space")
    pixels = "(c) => [...new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)]"
    flat = page.locator("#foot .plot canvas").evaluate(pixels)
    channels = np.array([[pixel >> shift & 255 for shift in (0, 8, 16)] for pixel in flat])
    assert (np.ptp(channels, axis=0) <= 1).all(), "½ lies between two tones"
    assert page.locator("#foot .border").get_attribute("d") == ""
    red, blue = flat[0] & 255, flat[0] >> 16 & 255
    bronze, card = (0x9A, 0x13), (0xFF, 0xFF)
    for value, full, zero in ((red, bronze[0], card[0]), (blue, bronze[1], card[1])):
        assert value == pytest.approx(zero + (full - zero) * 0.88 * 0.5, abs=2)


def test_an_edited_weight_changes_loss_and_gradients(opened):
    page = opened("#start=sigmoid-learns")
    panel(page, "Numbers")
    before = run_of(page)
    field = page.get_by_label("Weight from x₂")
    field.fill("−1,5")
    field.press("Enter")
    settle(page)
    after = run_of(page)
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = before["state"]["parameters"]
    network.parameters[1] = -1.5
    assert after["state"]["parameters"] == network.parameters.tolist()
    x, y = byhand.datasets.xor()
    y_hat = network.forward(x)
    network.backward(2 * (y_hat - y))
    assert after["answer"]["train_loss"] == pytest.approx(((y_hat - y) ** 2).sum(), rel=1e-12)
    np.testing.assert_allclose(after["answer"]["gradients"], network.gradients, rtol=1e-12)
    field.fill("much")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“much” is not a number")
    assert run_of(page)["state"] == after["state"]
    do(page, kind="back")
    assert run_of(page)["state"] == before["state"]


def test_a_weight_is_dragged_on_the_picture_and_moved_by_keys(opened):
    page = opened()
    press(page, "Space")
    pill = page.locator(".pill-g[data-k='w:0:0:1']")
    box = pill.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for by in (10, 25, 50):
        page.mouse.move(x + by, y)
    page.mouse.up()
    settle(page)
    assert run_of(page)["state"]["parameters"][1] == pytest.approx(0.2 + 1)
    assert float(slots(page)["z:0:0"]) == pytest.approx(0.7 + 1.2 - 0.8)
    pill.focus()
    press(page, "ArrowDown", "ArrowDown")
    assert run_of(page)["state"]["parameters"][1] == pytest.approx(1.0)


def test_a_link_of_a_larger_network_is_dragged_and_clicked(opened):
    page = opened("#start=sigmoid-learns")
    before = run_of(page)["state"]["parameters"]
    x, y = page.evaluate(
        """() => {
            const path = document.querySelector("#network .link[data-k^='w:1:0:4 '] .w");
            const middle = path.getPointAtLength(0.4 * path.getTotalLength()).matrixTransform(path.getScreenCTM());
            return [middle.x, middle.y];
        }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 25, y)
    page.mouse.up()
    settle(page)
    after = run_of(page)["state"]["parameters"]
    assert [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [34]
    assert after[34] == pytest.approx(before[34] + 0.5, abs=0.006)
    page.mouse.click(x, y)
    settle(page)
    assert model_of(page)["selected"] == {"layer": 1, "unit": 0, "weight": 4}


def test_the_formula_of_a_weight_with_the_numbers_put_in(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="go", stop=page.evaluate("byhand.scene.stops.findIndex(({ id }) => id === 'd:0')"))
    panel(page, "Numbers")
    expect(page.locator("#formulas")).to_contain_text("z1 = W1 x + b1")
    page.locator("#unit").get_by_role("button", name="x₂", exact=True).click()
    settle(page)
    gradient = run_of(page)["answer"]["gradients"][1]
    expect(page.locator("#formulas")).to_contain_text("grad_W1 = delta1 xᵀ")
    expect(page.locator(".formulas .result").first).to_have_text(f"{gradient:.4g}".replace("-", "−"))
    page.locator("label", has_text="x W + b").click()
    settle(page)
    expect(page.locator("#formulas")).to_contain_text("grad_W1 = xᵀ delta1")


def test_hidden_numbers_are_filled_in_and_checked(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="press", dial="epoch")
    press(page, "h")
    answer = run_of(page)["answer"]["layers"][0]
    assert set(slots(page).values()) <= {"", "?", "0", "1"}
    field = page.get_by_label("z of unit 2 of layer 1", exact=True)
    field.fill(f"{answer['z'][1]:.3g}")
    field.press("Enter")
    expect(field.locator("..")).to_have_class("right")
    other = page.get_by_label("δ of unit 3 of layer 1", exact=True)
    other.fill(f"{-answer['grad_z'][2]:.3f}")
    other.press("Enter")
    expect(other.locator("..")).to_have_class("wrong")
    expect(page.locator("#score")).to_contain_text("1 of 39 correct, 1 not yet")
    expect(page.locator("#live")).to_contain_text("Not yet")
    assert f"{answer['a'][1]:.3f}"[:5] not in page.locator("main").inner_text()
    page.locator("h1").click()
    press(page, "h")
    expect(page.locator("#units")).to_contain_text(f"{answer['a'][1]:.3f}".rstrip("0"))


def test_the_loss_over_two_weights_with_the_way_of_the_run(opened):
    page = opened("#start=sigmoid-learns")
    panel(page, "Charts")
    page.locator("#over-plane summary").click()
    settle(page)
    page.select_option("#plane-second", label="v 9")
    settle(page)
    for _ in range(3):
        do(page, kind="press", dial="epoch")
    shown = page.evaluate("byhand.state.view.landscape")
    run = run_of(page)
    assert (shown["request"]["first"], shown["request"]["second"]) == (0, 38)
    assert shown["request"]["parameters"] == run["state"]["parameters"]
    moved = list(run["state"]["parameters"])
    moved[0], moved[38] = shown["request"]["first_range"][1], shown["request"]["second_range"][0]
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = moved
    x, y = byhand.datasets.xor()
    assert shown["losses"][0][-1] == pytest.approx(((network.predict(x) - y) ** 2).sum())
    assert page.locator("#landscape .way").last.get_attribute("d").count("L") == 4
    assert page.evaluate("byhand.state.past.length") == 3, "looking is no step"


def test_what_is_wrong_is_marked_and_told_and_nothing_is_promised(opened):
    page = opened("#start=seed-44")
    expect(page.locator("#found")).to_contain_text("Dead output")
    page.locator("#found").click()
    expect(page.locator("[data-finding=dead-relu-output]")).to_contain_text("z ≤ 0 on all 4 samples")
    do(page, kind="start", preset="sigmoid-learns")
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator("#findings")).to_contain_text("too early to tell")
    do(page, kind="start", preset="rate-too-high")
    do(page, kind="press", dial="epoch")
    expect(page.locator("#findings")).to_contain_text("has risen from 4.407 to 8.307")


# Sharing


def saved_link(page):
    page.wait_for_timeout(450)
    return page.url.partition("/#")[2]


def test_a_shared_link_opens_the_same_state(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="data", change={"kind": "moons"})
    do(page, kind="training", change={"batch_size": 8})
    do(page, kind="compare")
    do(page, kind="press", dial="epoch")
    do(page, kind="press", dial="sample")
    other = opened("#" + saved_link(page))
    for run in (0, 1):
        ours, theirs = run_of(page, run), run_of(other, run)
        assert theirs["config"] == ours["config"]
        assert theirs["state"] == ours["state"]
        assert theirs["answer"]["gradients"] == ours["answer"]["gradients"]
    assert model_of(other)["stop"] == model_of(page)["stop"]
    for each in (page, other):
        do(each, kind="press", dial="epoch")
        do(each, kind="rewind")
    assert run_of(other)["state"] == run_of(page)["state"]
    walk = opened()
    press(walk, *["Space"] * 16)
    again = opened("#" + saved_link(walk))
    assert slots(again) == slots(walk)


def test_a_damaged_link_is_told(opened):
    page = opened("#s=AAAA")
    expect(page.get_by_role("alert")).to_contain_text("damaged")
    expect(page.locator("#say h2")).to_have_text("Numbers go in. What comes out?")


@pytest.mark.parametrize("kind", ["numpy", "library"])
def test_copied_code_gives_the_same_losses(opened, kind):
    page = opened("#start=sigmoid-learns" if kind == "numpy" else "")
    if kind == "numpy":
        do(page, kind="training", change={"optimizer": "momentum"})
        do(page, kind="training", change={"learning_rate": 0.1})
        do(page, kind="training", change={"batch_size": 2})
    do(page, kind="press", dial="100")
    page.locator("#menu summary").click()
    click(page, "Code")
    page.locator("#code-dialog label", has_text={"numpy": "NumPy alone", "library": "With byhand"}[kind]).click()
    scope = {"print": lambda *_: None}
    exec(page.locator("#code-text").inner_text(), scope)
    np.testing.assert_allclose(scope["losses"], run_of(page)["curve"]["train"][:-1], rtol=1e-9)


# Two runs, other data


def test_two_runs_from_the_same_initial_weights(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="press", dial="100")
    page.locator("#menu summary").click()
    click(page, "Compare two runs")
    panel(page, "Settings")
    page.select_option("select[aria-label='Activation of layer 1']", "tanh")
    settle(page)
    a, b = run_of(page, 0), run_of(page, 1)
    assert a["state"]["parameters"] == b["state"]["parameters"]
    assert (a["state"]["epoch"], b["state"]["epoch"]) == (0, 0)
    panel(page, "Charts")
    expect(page.locator("#difference")).to_contain_text("A sigmoid, sigmoid, B tanh, sigmoid")
    do(page, kind="press", dial="100")
    assert run_of(page, 0)["state"]["epoch"] == run_of(page, 1)["state"]["epoch"] == 100
    assert run_of(page, 0)["answer"]["train_loss"] != run_of(page, 1)["answer"]["train_loss"]
    expect(page.locator("#output .plot")).to_have_count(2)
    expect(page.locator("#loss-chart path.loss")).to_have_count(2)
    do(page, kind="back")
    do(page, kind="back")
    assert run_of(page, 1)["config"] == run_of(page, 0)["config"]
    page.locator("#menu summary").click()
    click(page, "End comparison")
    expect(page.locator("#output .plot")).to_have_count(1)


def test_ones_own_points_pasted_dropped_clicked_and_refused(opened):
    page = opened("#start=sigmoid-learns")
    panel(page, "Settings")
    click(page, "Enter or paste points…")
    page.fill("#data-text", "x1;x2;y\n0,5;1;0\n1;2;1\n2;oops;1")
    click(page, "Use these points")
    expect(page.locator("#data-error")).to_have_text("Line 4: “oops” is not a number.")
    page.fill("#data-text", "x1;x2;y\n0,5;1;0\n1;2;1\n2;3;1")
    click(page, "Use these points")
    assert run_of(page)["config"]["data"]["points"] == [[0.5, 1, 0], [1, 2, 1], [2, 3, 1]]
    assert run_of(page)["config"]["model"]["activations"][-1] == "sigmoid", "it can learn them as it is"
    panel(page, "Charts")
    page.locator("#adding label", has_text="1").click()
    page.locator("#output .plot svg").click(position={"x": 120, "y": 60})
    settle(page)
    points = run_of(page)["config"]["data"]["points"]
    assert len(points) == 4
    assert points[3][2] == 1
    page.evaluate(
        """() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File(["a,b\\n1,2\\n2,4\\n3,6\\n"], "line.csv"));
        document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }"""
    )
    wait_until(page, "byhand.state.model.runs[0].config.data.points.length === 3 && !byhand.busy")
    run = run_of(page)
    assert run["answer"]["n_inputs"] == 1
    assert run["config"]["model"]["activations"][-1] == "identity", "a sigmoid could not learn 2, 4 and 6"
    assert run["config"]["training"]["loss"] == "mean_squared_error"
    do(page, kind="points", points=[[0, 0, 0], [1, 0, 1], [0, 1, 2], [1, 1, 2]])
    expect(page.locator("#findings")).to_contain_text("learned as numbers, not as classes")


def test_the_network_grows_and_shrinks_with_a_click(opened):
    page = opened("#start=sigmoid-learns")
    panel(page, "Settings")
    click(page, "Add a layer")
    assert run_of(page)["config"]["model"]["hidden"] == [10, 10]
    for _ in range(3):
        click(page, "Remove a unit of layer 2")
    assert run_of(page)["config"]["model"]["hidden"] == [10, 7]
    assert page.locator("#network .row").count() == 17
    click(page, "Remove a layer")
    click(page, "Add a unit of layer 1")
    assert [len(layer["z"]) for layer in run_of(page)["answer"]["layers"]] == [11, 1]
    page.locator("[data-unit='1,0']").click()
    settle(page)
    click(page, "Remove a layer")
    assert [len(layer["z"]) for layer in run_of(page)["answer"]["layers"]] == [1]
    panel(page, "Numbers")
    expect(page.locator("#unit")).to_contain_text("Unit 1 of the output layer")


def test_digits(opened):
    page = opened("#start=sigmoid-learns")
    panel(page, "Settings")
    page.select_option("#data-kind", "digits")
    settle(page)
    for _ in range(20):
        page.evaluate("byhand.do({ kind: 'press', dial: 'epoch' })")
    settle(page)
    assert run_of(page)["answer"]["test_right"] > 0.8
    panel(page, "Charts")
    expect(page.locator("#output .bar")).to_have_count(10)
    expect(page.locator("#loss-note")).to_contain_text("correct on the test set")
    expect(page.locator("#loss-chart path.loss.test")).to_have_count(1)
    assert page.locator("#network .row").count() == 26


# For everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, scheme):
    axe = Axe()
    rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None  # else they are the same page

    def assert_accessible(page, where=None):
        results = axe.run(page, context=where, options=rules)
        assert results.violations_count == 0, results.generate_report()

    page = opened(color_scheme=scheme)
    press(page, *["Space"] * 6)
    assert_accessible(page)
    do(page, kind="start", preset="seed-44")
    do(page, kind="press", dial="epoch")
    assert_accessible(page)
    for name in ("Numbers", "Charts", "Settings"):
        panel(page, name)
        assert_accessible(page, ".panel")
    press(page, "h")
    field = page.get_by_label("z of unit 1 of layer 1", exact=True)
    field.fill("7")
    field.press("Enter")
    assert_accessible(page, ".panel")
    do(page, kind="story", id="seed-44")
    press(page, "Space")
    assert_accessible(page, ".panel")
    for dialog in ("Code", "Keys and words") if scheme == "light" else ():
        page.locator("#menu summary").click()
        click(page, dialog)
        assert_accessible(page, "dialog[open]")
        press(page, "Escape")


NAME_OF_FOCUS = """() => {
    const { id, dataset, name, textContent } = document.activeElement;
    return id || dataset.focus || dataset.unit || dataset.tab || dataset.panel || name || textContent.trim();
}"""
OUTLINE_OF_FOCUS = """() => {
    const focused = document.activeElement;
    const seen = focused.matches(".segments input, .dial input") ? focused.nextElementSibling : focused;
    return focused === document.body || getComputedStyle(seen).outlineStyle !== "none";
}"""
CONTROLS = """() => [...document.querySelectorAll("button, select, input, summary")]
    .filter((element) => element.checkVisibility() && !element.closest("dialog") && element.id)
    .map((element) => element.id)"""


def test_the_keyboard_alone_reaches_everything(opened):
    page = opened("#start=sigmoid-learns")
    reached, controls = set(), set()
    for name in ("Explain", "Settings", "Charts"):
        panel(page, name)
        page.locator("h1").click()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(NAME_OF_FOCUS))
            assert page.evaluate(OUTLINE_OF_FOCUS), f"the focus on {page.evaluate(NAME_OF_FOCUS)} is not to be seen"
        controls |= set(page.evaluate(CONTROLS))
    assert controls - reached == set()
    assert {"scale", "adding", "dial", "0,0", "1,0", "act0", "walk", "numbers"} <= reached
    page.locator("[data-unit='0,3']").focus()
    press(page, "Enter")
    assert model_of(page)["selected"]["unit"] == 3
    page.locator("h1").click()
    press(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Single keys do this").uncheck()
    press(page, "Escape", "Space")
    assert model_of(page)["stop"] == 0


def test_steps_are_announced(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="press", dial="epoch")
    expect(page.locator("#live")).to_have_text("Epoch 1, loss 1.063.")
    expect(page.locator("#say")).to_contain_text("The loss over all 4 samples is 1.063 at epoch 1")
    do(page, kind="start", preset="seed-44")
    expect(page.locator("#live")).to_contain_text("Dead output")
    do(page, kind="story", id="delta")
    expect(page.locator("#live")).to_have_text(story("delta").beats[0].question)
    press(page, "1")
    expect(page.locator("#live")).to_have_text(story("delta").beats[0].question)
    press(page, "Space")
    expect(page.locator("#live")).to_have_text(story("delta").beats[0].answer.replace("**", ""))


@pytest.mark.parametrize("width", [320, 360, 640, 800, 1024])
def test_nothing_is_cut_off_on_a_small_screen(opened, width):
    """640 is what 1280 becomes at 200 % zoom."""
    page = opened(viewport={"width": width, "height": 740})
    for fragment in (None, "seed-44"):
        if fragment:
            do(page, kind="start", preset=fragment)
        for name in ("Explain", "Numbers", "Charts", "Settings"):
            panel(page, name)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate("document.querySelector('.panel').scrollWidth") <= width
    do(page, kind="story", id="delta")
    press(page, "Space")
    step = page.locator("#step").bounding_box()
    assert step["x"] + step["width"] <= width
    assert step["y"] + step["height"] <= 740
    assert step["height"] >= 44
    numbers = page.evaluate(
        """[...document.querySelectorAll("#network text.n")].filter((text) => text.textContent)
            .map((text) => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"""
    )
    assert min(numbers) >= (12 if width > 320 else 10)


def test_held_sideways_the_network_stands_beside_the_words(opened):
    """640 × 360 is what 1280 × 720 becomes at 200 % zoom."""
    page = opened(viewport={"width": 640, "height": 360})
    press(page, *["Space"] * 5)
    boxes = {name: page.locator(name).bounding_box() for name in ("#network", ".panel", "#rail", "#step")}
    assert boxes["#network"]["x"] + boxes["#network"]["width"] <= boxes[".panel"]["x"]
    assert boxes["#network"]["height"] > 200
    assert boxes["#rail"]["x"] + boxes["#rail"]["width"] <= boxes["#step"]["x"]
    assert boxes["#step"]["y"] + boxes["#step"]["height"] <= 360
    assert boxes["#step"]["height"] >= 44


def test_what_fingers_touch_is_large_enough(opened):
    """44 pixels in height; the rail's segments by an area around them."""
    page = opened(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    heights = """() =>
        [...document.querySelectorAll("button, select, summary, .options label, input:not([type=radio])")]
        .filter((element) => element.checkVisibility() && !element.closest("#rail"))
        .map((element) => [element.id || element.textContent.trim(), element.getBoundingClientRect().height])"""
    do(page, kind="start", preset="sigmoid-learns")
    for name in ("Explain", "Numbers", "Charts", "Settings"):
        panel(page, name)
        assert [each for each in page.evaluate(heights) if each[1] < 44] == []
        assert page.evaluate("document.querySelector('.panel').scrollWidth") <= 360
    do(page, kind="story", id="delta")
    assert [each for each in page.evaluate(heights) if each[1] < 44] == []
    rail = page.locator("#rail button").first.evaluate("(e) => parseFloat(getComputedStyle(e, '::after').height)")
    assert rail >= 44


def test_values_have_colours_where_colours_are_forced(opened):
    """The output over the plane is data, as a photograph is."""
    page = opened("#start=sigmoid-learns", forced_colors="active")
    do(page, kind="press", dial="100")
    pixels = (
        "(c) => new Set(new Uint32Array(c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size"
    )
    assert page.locator("#foot .plot canvas").evaluate(pixels) > 50


@pytest.mark.parametrize("fragment", ["", "#start=sigmoid-learns", "#story=delta"])
def test_what_is_presented_is_large_and_without_settings(opened, fragment):
    page = opened(fragment)
    press(page, "p")
    for _ in range(9):
        press(page, "Space")
        assert page.evaluate(FITS), page.evaluate("byhand.scene.stop.id")
        foot = page.locator("#foot").bounding_box()
        assert foot is None or foot["y"] + foot["height"] <= page.locator(".bottom").bounding_box()["y"] + 1
    sizes = page.evaluate(
        """() => [...document.querySelectorAll("#network text, .say *, #beat *, math mn, #step *, #rail .name")]
            .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
            .filter((e) => !e.closest("tspan, msub mn, msup mn, msub > :last-child, msup > :last-child, mfrac"))
            .map((e) => [e.textContent, parseFloat(getComputedStyle(e).fontSize) * (e.getScreenCTM?.().a ?? 1)])"""
    )
    small = [(text, size) for text, size in sizes if size < 19.9]
    assert small == []
    for hidden in (".top", "#dial", "#panel-tabs", "#back"):
        expect(page.locator(hidden)).to_be_hidden()
    press(page, "Escape")
    expect(page.locator(".top")).to_be_visible()


# For hours


def test_ten_thousand_epochs_and_a_long_play_keep_little(opened):
    page = opened("#start=sigmoid-learns")
    do(page, kind="leap", epochs=10_000)
    run = run_of(page)
    assert run["state"]["epoch"] == 10_000
    assert len(run["curve"]["epochs"]) <= 2000
    panel(page, "Charts")
    expect(page.locator("#loss-note")).to_contain_text("one epoch in 8")
    press(page, "ArrowLeft")
    assert run_of(page)["state"]["epoch"] == 0
    panel(page, "Explain")
    page.evaluate("for (let i = 0; i < 230; i++) byhand.do({ kind: 'go', stop: i % 2 })")
    settle(page)
    panel(page, "Charts")
    expect(page.locator("#loss-note")).to_contain_text("200 of at most 200")


def test_motion_ends_where_it_would_without(opened):
    page = opened(reduced_motion="no-preference")
    press(page, "Space")
    assert page.locator(".pulse").count() == 3
    press(page, "Space")  # ends it, and goes on
    assert page.locator(".pulse").count() == 3
    page.wait_for_timeout(900)
    assert page.locator(".pulse").count() == 0
    assert float(slots(page)["a:0:1"]) == pytest.approx(0.731)
    transition = "getComputedStyle(document.querySelector('.net .w')).transitionDuration"
    assert page.evaluate(transition) != "0s"
    page.locator("#play").click()
    wait_until(page, "byhand.state.playing")
    assert page.evaluate(transition) == "0s", "they would never end, and take half of the time"
    page.locator("#play").click()
    settle(page)
    still = opened()
    press(still, "Space")
    assert still.locator(".pulse").count() == 0


# Without a server


def test_an_exported_run_is_stepped_through_from_a_file(opened, tmp_path):
    file = tmp_path / "run.html"
    file.write_text(export("seed-44", 100), encoding="utf-8")
    assert file.stat().st_size < 2_000_000
    page = opened(where=file.as_uri())
    expect(page.locator("#found")).to_contain_text("Dead output")
    expect(page.locator(".tabs")).to_be_hidden()
    press(page, "Space", "Space")
    assert slots(page)["z:1:0"] == "0"
    panel(page, "Numbers")
    click(page, "Sample after")
    expect(page.locator("#sample-name")).to_contain_text("x = (0, 1)")
    page.locator("h1").click()
    press(page, "+", "+")
    assert page.evaluate("byhand.state.view.dial") == "epoch"
    for _ in range(40):
        press(page, "Space")
    assert page.evaluate("byhand.scene.run.state.epoch") == 100
    expect(page.get_by_role("alert")).to_have_text("The recording ends here.")
    press(page, "r")
    assert page.evaluate("byhand.scene.run.state.epoch") == 0
    page.locator("#menu summary").click()
    click(page, "Code")
    expect(page.locator("#code-text")).to_contain_text("np.random.seed(44)")


def test_a_story_is_exported_as_one_file(opened, tmp_path):
    file = tmp_path / "story.html"
    file.write_text(export("seed-44"), encoding="utf-8")
    page = opened(where=file.as_uri())
    told = story("seed-44")
    for beat in told.beats:
        expect(page.locator("#beat h2")).to_have_text(beat.question)
        press(page, "Space")
        expect(page.locator(".answer")).to_have_text(beat.answer.replace("**", ""))
        press(page, "Space")
    expect(page.locator("#step b")).to_have_text("The end")


def test_a_link_can_be_exported(opened, tmp_path):
    page = opened("#start=sigmoid-learns")
    do(page, kind="press", dial="100")
    saved_link(page)
    assert re.search("#s=", page.url)
    parameters = run_of(page)["state"]["parameters"]
    file = tmp_path / "run.html"
    file.write_text(export(page.url, 5), encoding="utf-8")
    recorded = opened(where=file.as_uri())
    assert run_of(recorded)["state"]["parameters"] == parameters
    assert run_of(recorded)["state"]["epoch"] == 100
    press(recorded, "Space")
    assert json.dumps(slots(recorded)).count(".") > 5


RECORDED = """const recorded = RECORDED;
export async function loadPyodide({ createPyodideModule, lockFileContents }) {
    if (!createPyodideModule || lockFileContents !== "{}") throw new Error("not what was asked for");
    const asked = (name, question) => [question in recorded, recorded[question] ?? "not recorded"];
    return {
        loadPackage: async () => {}, unpackArchive: () => {},
        runPython: () => (...question) => ({ toJs: () => asked(...question) }),
    };
}"""


@pytest.fixture
def site(tmp_path):
    """Write a site whose Python is recorded, and serve it with nothing but Python's own file server."""
    servers = []

    def site(recorded):
        script = RECORDED.replace("RECORDED", json.dumps(recorded))
        contents = {"pyodide.mjs": script, "pyodide.asm.mjs": "export default () => {};", "pyodide-lock.json": "{}"}
        digest = {name: hashlib.sha384(text.encode()).digest() for name, text in contents.items()}
        integrity = {name: f"sha384-{base64.b64encode(value).decode()}" for name, value in digest.items()}
        write_site(tmp_path, Engine("python/", "python/", integrity))
        (tmp_path / "python").mkdir()
        for name, text in contents.items():
            (tmp_path / "python" / name).write_text(text, encoding="utf-8")
        handler = functools.partial(QuietHandler, directory=tmp_path)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield site
    for server in servers:
        server.shutdown()
        server.server_close()


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_site_tells_its_stories_and_asks_python_in_the_browser(opened, site, tmp_path):
    recorded = {}
    page = opened()
    page.on("response", lambda answer: recorded.update({answer.request.post_data: answer.text()}))
    do(page, kind="start", preset="walk")
    press(page, *["Space"] * 13)
    assert recorded
    still_there = site(recorded)
    told = opened(where=still_there)
    expect(told.locator("#beat h2")).to_have_text(story("delta").beats[0].question)
    press(told, "Space")
    expect(told.locator(".answer")).to_have_text(story("delta").beats[0].answer.replace("**", ""))
    told.get_by_role("button", name="Walk through").click()
    told.locator("h1").click()
    settle(told)
    press(told, *["Space"] * 13)
    assert run_of(told)["state"] == run_of(page)["state"]
    assert slots(told) == slots(page)
    do(told, kind="training", change={"learning_rate": 0.123})
    expect(told.get_by_role("alert")).to_have_text("not recorded")
    (tmp_path / "python" / "pyodide.mjs").write_text("export const loadPyodide = 0;", encoding="utf-8")
    changed = opened(where=still_there)
    changed.get_by_role("button", name="Walk through").click()
    changed.locator("h1").click()
    settle(changed)
    expect(changed.get_by_role("alert")).to_contain_text("could not be loaded")
    press(changed, "Space")
    expect(changed.locator(".answer")).to_have_text(story("delta").beats[0].answer.replace("**", ""))
    assert all("integrity" in text for text in opened.complaints)
    opened.complaints.clear()


def test_the_python_of_a_site_answers_with_numpy_alone(tmp_path):
    """Every module of the page's Python but the server is imported, and every question put to it."""
    (tmp_path / "byhand.zip").write_bytes(sources())
    state = respond(Request(DEFAULTS["moons"])).state
    questions = {
        "step": Request(DEFAULTS["moons"], None, "epochs", 3, surface=24),
        "listing": ListingRequest(DEFAULTS["moons"]),
        "landscape": LandscapeRequest(DEFAULTS["moons"], state.parameters, 0, 1, (-1, 1), (-1, 1)),
    }
    digits = Request(DEFAULTS["digits"], None, "epochs", 2)
    asked = [*((name, encode(question).decode()) for name, question in questions.items())]
    asked.append(("step", encode(digits).decode()))
    script = f"""
import sys
class Only:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {{"byhand", "numpy", *sys.stdlib_module_names}}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Only())
sys.path.insert(0, {str(tmp_path / "byhand.zip")!r})
import importlib, pkgutil, byhand.play
assert "byhand.zip" in byhand.__file__
for module in pkgutil.iter_modules(byhand.play.__path__, "byhand.play."):
    if module.name != "byhand.play.server":
        importlib.import_module(module.name)
from byhand.play.answers import answer
for name, question in {[*asked, ("step", "{}"), ("story", '{"id": "none"}')]!r}:
    print(*answer(name, question))
"""
    answers = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True).stdout
    *told, missing, unknown = answers.splitlines()
    ours = [
        respond(questions["step"]),
        listing(questions["listing"]),
        landscape(questions["landscape"]),
        respond(digits),
    ]
    for theirs, our in zip(told, ours, strict=True):
        assert theirs == f"True {encode(our).decode()}"
    assert missing == "False question: an object with config is expected, not {}"
    assert unknown.startswith("False there is no story 'none'")


def test_a_site_says_where_its_python_comes_from(tmp_path):
    boot = json.loads(re.search(r'id="boot">(.*?)</script>', write_site(tmp_path).read_text("utf-8"))[1])
    assert boot["site"]["integrity"] == INTEGRITY
    assert re.fullmatch(r"https://cdn\.jsdelivr\.net/npm/pyodide@[\d.]+/", boot["site"]["core"])
    for outline in OUTLINES:
        recorded = json.loads((tmp_path / "stories" / f"{outline.id}.json").read_bytes())
        assert [beat["answer"] for beat in recorded["beats"]] == [beat.answer for beat in story(outline.id).beats]
        assert (tmp_path / "stories" / f"{outline.id}.html").stat().st_size < 600_000
