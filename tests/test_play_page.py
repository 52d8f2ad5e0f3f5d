"""The page in a real browser: what a person sees and does there, by mouse and by keyboard."""

from __future__ import annotations

import re
import signal

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import byhand
from byhand.play.export import export
from byhand.play.presets import PRESETS
from test_play_server import free_port, running


@pytest.fixture(scope="module")
def address():
    with running("--port", str(free_port())) as (child, port):
        yield f"http://127.0.0.1:{port}/"
        child.send_signal(signal.SIGINT)
        child.wait(timeout=5)


@pytest.fixture
def opened(chromium, address):
    """Open the page, as often as wanted; in the end the console is clean and nothing was asked of any other host."""
    contexts, complaints = [], []

    def opened(fragment="", where=None, **options):
        context = chromium.new_context(**({"viewport": {"width": 1440, "height": 1000}} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        own = (where or address, "data:", "blob:")
        page.on("request", lambda request: request.url.startswith(own) or complaints.append(request.url))
        page.goto((where or address) + fragment)
        settle(page)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def settle(page):
    page.wait_for_function("globalThis.byhand?.ready && !byhand.busy")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
        settle(page)


def run_of(page, index=0):
    return page.evaluate(
        "(i) => { const { config, state, answer, curve } = byhand.runs[i]; return { config, state, answer, curve }; }",
        index,
    )


def click(page, name, **options):
    page.get_by_role("button", name=name, exact=True, **options).click()
    settle(page)


# The stories


def test_seed_44_is_called_dead(opened):
    page = opened("#preset=seed-44")
    findings = page.locator("#findings")
    expect(findings.locator("[data-finding=dead-relu-output]")).to_contain_text("Dead output")
    expect(page.locator("#readout")).to_contain_text("Loss2")
    page.select_option("#many-count", "1000")
    click(page, "Many")
    assert run_of(page)["answer"]["train_loss"] == 2.0
    expect(page.locator("#readout")).to_contain_text("1,000")
    bias = page.get_by_label("Weight from bias b")
    bias.fill("3")
    bias.press("Enter")
    settle(page)
    expect(findings.locator("[data-finding=dead-relu-output]")).to_have_count(0)
    assert any(run_of(page)["answer"]["gradients"])


def test_the_other_stories(opened):
    page = opened()
    expect(page.locator("#story-title")).to_have_text("Sigmoid learns XOR")
    expect(page.locator("#findings")).to_contain_text("Nothing wrong found")
    press(page, "m", "m", "m", "m")
    expect(page.locator("#readout")).to_contain_text("100 %")
    page.select_option("#preset", "relu-sometimes")
    settle(page)
    press(page, "m", "m")
    assert run_of(page)["answer"]["train_loss"] < 0.05
    page.select_option("#preset", "identity-cannot")
    settle(page)
    expect(page.locator("#findings")).to_contain_text("Linear collapse")
    press(page, "m", "m", "m", "m", "m")
    assert run_of(page)["answer"]["train_loss"] == pytest.approx(1)
    page.select_option("#preset", "rate-too-high")
    settle(page)
    press(page, "m")
    expect(page.locator("#findings")).to_contain_text("Diverging")
    expect(page.locator("#findings")).to_contain_text("2/λmax")
    page.fill("#learning-rate", "0.5")
    page.locator("#learning-rate").blur()
    settle(page)
    press(page, "r", "m", "m")
    expect(page.locator("#findings")).to_contain_text("Nothing wrong found")


# The numbers


def test_a_step_shows_the_numbers_that_the_library_computes(opened):
    page = opened()
    x, y = byhand.datasets.xor()
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = run_of(page)["state"]["parameters"]
    history = byhand.train(network, x, y, loss="sum_of_squares", optimizer=byhand.GradientDescent(0.5), epochs=101)
    press(page, "e", "m")
    run = run_of(page)
    np.testing.assert_allclose(run["state"]["parameters"], network.parameters, rtol=1e-12)
    np.testing.assert_allclose(run["curve"]["train"][:-1], history.loss, rtol=1e-12)
    y_hat = network.forward(x)
    network.backward(2 * (y_hat - y))
    np.testing.assert_allclose(run["answer"]["gradients"], network.gradients, rtol=1e-12)
    cells = page.locator("#units tr", has_text="unit 4").locator("td").all_inner_texts()
    hidden = network.layers[0]
    titles = page.locator("#units tr", has_text="unit 4").locator("td").evaluate_all("tds => tds.map(td => td.title)")
    for cell, title, exact in zip(cells, titles, (hidden.z[1, 3], hidden.a[1, 3], hidden.grad_z[1, 3]), strict=False):
        assert float(title) == pytest.approx(exact, rel=1e-12)
        assert float(cell.replace("−", "-")) == pytest.approx(exact, rel=5e-3)
    assert cells[3] == f"{(hidden.z[:, 3] > 0).sum()} of 4"


def test_phases_one_by_one(opened):
    page = opened()
    units = page.locator("#units tr", has_text="unit 1").first.locator("td")
    click(page, "Forward")
    expect(units.nth(0)).to_have_class("lit")
    expect(units.nth(2)).to_have_text("·")
    click(page, "Backward")
    expect(units.nth(0)).not_to_have_class("lit")
    expect(units.nth(2)).to_have_class("lit")
    expect(units.nth(2)).to_contain_text("0.")
    assert run_of(page)["state"]["epoch"] == 0
    following = run_of(page)["answer"]["next_parameters"]
    click(page, "Update")
    assert run_of(page)["state"]["parameters"] == following
    assert run_of(page)["state"]["epoch"] == 1
    for done in (1, 2, 3, 0):
        click(page, "One sample")
        assert run_of(page)["state"]["position"] == done
    assert run_of(page)["state"]["epoch"] == 2


def test_step_back_and_rewind_restore_the_numbers_exactly(opened):
    page = opened()
    page.select_option("#optimizer", "adam")
    settle(page)
    page.select_option("#batch", "2")
    settle(page)
    seen = [run_of(page)]
    for key in ("e", "s", "m", "f", "b", "u"):
        press(page, key)
        seen.append(run_of(page))
    for before in reversed(seen[:-1]):
        press(page, "z")
        now = run_of(page)
        assert now["state"] == before["state"]
        for part in ("gradients", "next_parameters", "train_loss"):
            assert now["answer"][part] == before["answer"][part]
    press(page, "m", "r")
    assert run_of(page)["state"] == seen[0]["state"]
    assert run_of(page)["answer"]["gradients"] == seen[0]["answer"]["gradients"]


def test_an_edited_weight_changes_loss_and_gradients(opened):
    page = opened()
    before = run_of(page)
    field = page.get_by_label("Weight from x₂")
    field.fill("−1,5")
    field.press("Enter")
    settle(page)
    after = run_of(page)
    assert after["state"]["parameters"][1] == -1.5
    network = byhand.Network.dense([2, 10, 1], "sigmoid")
    network.parameters[:] = before["state"]["parameters"]
    network.parameters[1] = -1.5
    x, y = byhand.datasets.xor()
    y_hat = network.forward(x)
    network.backward(2 * (y_hat - y))
    assert after["answer"]["train_loss"] == pytest.approx(((y_hat - y) ** 2).sum(), rel=1e-12)
    np.testing.assert_allclose(after["answer"]["gradients"], network.gradients, rtol=1e-12)
    field.fill("much")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("“much” is not a number")
    assert run_of(page)["state"] == after["state"]
    press(page, "Escape")
    page.locator("h1").click()
    press(page, "z")
    assert run_of(page)["state"] == before["state"]


def test_the_formula_of_a_weight_with_the_numbers_put_in(opened):
    page = opened()
    expect(page.locator("#formulas")).to_contain_text("z1 = W1 x + b1")
    page.get_by_role("button", name="x₂", exact=True).click()
    settle(page)
    gradient = run_of(page)["answer"]["gradients"][1]
    expect(page.locator("#formulas")).to_contain_text("grad_W1 = delta1 xᵀ")
    expect(page.locator(".formula .result").first).to_have_text(f"{gradient:.4g}".replace("-", "−"))
    page.locator("label", has_text="x W + b").click()
    settle(page)
    expect(page.locator("#formulas")).to_contain_text("grad_W1 = xᵀ delta1")


def test_hidden_numbers_are_filled_in_and_checked(opened):
    page = opened()
    click(page, "Hide the numbers")
    answer = run_of(page)["answer"]["layers"][0]
    field = page.get_by_label("z of unit 2 of layer 1", exact=True)
    field.fill(f"{answer['z'][1]:.2f}")
    field.press("Enter")
    expect(field.locator("..")).to_have_class("right")
    other = page.get_by_label("δ of unit 3 of layer 1", exact=True)
    other.fill(f"{-answer['grad_z'][2]:.3f}")
    other.press("Enter")
    expect(other.locator("..")).to_have_class("wrong")
    expect(page.locator("#score")).to_contain_text("1 of 39 right, 1 not yet")
    expect(page.locator("#live")).to_contain_text("Not right yet")
    assert f"{answer['a'][1]:.3f}"[:5] not in page.locator("main").inner_text()
    click(page, "Hide the numbers")
    expect(page.locator("#units")).to_contain_text(f"{answer['a'][1]:.4g}")


# Sharing


def test_a_shared_link_opens_the_same_state(opened):
    page = opened()
    page.select_option("#data-kind", "moons")
    settle(page)
    page.select_option("#optimizer", "adam")
    settle(page)
    press(page, "m", "e", "s")
    page.wait_for_timeout(500)
    click(page, "Compare two runs")
    press(page, "m")
    page.evaluate("document.querySelector('#link').click()")
    page.wait_for_timeout(600)
    link = page.url
    other = opened(link.partition("/#")[2] and "#" + link.partition("/#")[2])
    for run in (0, 1):
        ours, theirs = run_of(page, run), run_of(other, run)
        assert theirs["config"] == ours["config"]
        assert theirs["state"] == ours["state"]
        assert theirs["answer"]["gradients"] == ours["answer"]["gradients"]
    press(page, "e", "z", "r")
    press(other, "e", "z", "r")
    assert run_of(other)["state"] == run_of(page)["state"]


def test_a_damaged_link_is_told(opened):
    page = opened("#s=AAAA")
    expect(page.get_by_role("alert")).to_contain_text("damaged")
    expect(page.locator("#story-title")).to_have_text("Sigmoid learns XOR")


@pytest.mark.parametrize("kind", ["numpy", "library"])
def test_copied_code_gives_the_same_losses(opened, kind):
    page = opened()
    page.select_option("#optimizer", "momentum")
    settle(page)
    page.fill("#learning-rate", "0.1")
    page.locator("#learning-rate").blur()
    settle(page)
    page.select_option("#batch", "2")
    settle(page)
    press(page, "m", "e")
    click(page, "Code")
    page.locator("#code-dialog label", has_text={"numpy": "NumPy alone", "library": "With byhand"}[kind]).click()
    scope = {"print": lambda *_: None}
    exec(page.locator("#code-text").inner_text(), scope)
    np.testing.assert_allclose(scope["losses"], run_of(page)["curve"]["train"][:-1], rtol=1e-9)


# Two runs, other data


def test_two_runs_from_the_same_initial_weights(opened):
    page = opened()
    press(page, "m")
    click(page, "Compare two runs")
    page.select_option("select[aria-label='Activation of layer 1']", "tanh")
    settle(page)
    a, b = run_of(page, 0), run_of(page, 1)
    assert a["state"]["parameters"] == b["state"]["parameters"]
    assert (a["state"]["epoch"], b["state"]["epoch"]) == (0, 0)
    expect(page.locator("#difference")).to_contain_text("A sigmoid, sigmoid, B tanh, sigmoid")
    press(page, "m")
    assert run_of(page, 0)["state"]["epoch"] == run_of(page, 1)["state"]["epoch"] == 100
    assert run_of(page, 0)["answer"]["train_loss"] != run_of(page, 1)["answer"]["train_loss"]
    expect(page.locator("#output .plot")).to_have_count(2)
    press(page, "z", "z")
    assert run_of(page, 1)["config"] == run_of(page, 0)["config"]
    assert run_of(page, 1)["state"] == a["state"]
    press(page, "z")
    expect(page.get_by_role("alert")).to_be_hidden()
    click(page, "End comparison")
    expect(page.locator("#output .plot")).to_have_count(1)


def test_ones_own_points_pasted_dropped_clicked_and_refused(opened):
    page = opened()
    click(page, "Enter or paste points…")
    page.fill("#data-text", "x1;x2;y\n0,5;1;0\n1;2;1\n2;oops;1")
    click(page, "Use these points")
    expect(page.locator("#data-error")).to_have_text("Line 4: “oops” is not a number.")
    page.fill("#data-text", "x1;x2;y\n0,5;1;0\n1;2;1\n2;3;1")
    click(page, "Use these points")
    assert run_of(page)["config"]["data"]["points"] == [[0.5, 1, 0], [1, 2, 1], [2, 3, 1]]
    page.locator("#adding label", has_text="1").click()
    page.locator(".plot svg").click(position={"x": 120, "y": 60})
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
    page.wait_for_function("byhand.runs[0].config.data.points.length === 3 && !byhand.busy")
    assert run_of(page)["answer"]["n_inputs"] == 1


def test_the_network_grows_and_shrinks_with_a_click(opened):
    page = opened()
    click(page, "Add a hidden layer")
    assert run_of(page)["config"]["model"]["hidden"] == [10, 10]
    for _ in range(3):
        click(page, "Remove a unit of layer 2")
    assert run_of(page)["config"]["model"]["hidden"] == [10, 7]
    click(page, "Remove the last hidden layer")
    click(page, "Add a unit of layer 1")
    assert [len(layer["z"]) for layer in run_of(page)["answer"]["layers"]] == [11, 1]
    page.locator("[data-focus='unit1,0']").click()
    settle(page)
    click(page, "Remove the last hidden layer")
    assert [len(layer["z"]) for layer in run_of(page)["answer"]["layers"]] == [1]
    expect(page.locator("#unit")).to_contain_text("Unit 1 of the output layer")
    expect(page.locator("#story-title")).to_have_text("Your own experiment")
    for _ in range(7):
        press(page, "z")
    assert run_of(page)["config"]["model"]["hidden"] == [10]
    expect(page.locator("#story-title")).to_have_text("Sigmoid learns XOR")


def test_digits(opened):
    page = opened()
    page.select_option("#data-kind", "digits")
    settle(page)
    page.select_option("#many-count", "10")
    press(page, "m", "m")
    assert run_of(page)["answer"]["test_right"] > 0.8
    expect(page.locator("#output .bar")).to_have_count(10)
    expect(page.locator("#readout")).to_contain_text("Test loss")


# For everyone


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, scheme):
    axe = Axe()

    def assert_accessible(page):
        results = axe.run(page)
        assert results.violations_count == 0, results.generate_report()

    page = opened("#preset=seed-44", color_scheme=scheme)
    press(page, "e", "b")
    assert_accessible(page)
    click(page, "Compare two runs")
    click(page, "Hide the numbers")
    field = page.get_by_label("z of unit 1 of layer 1", exact=True)
    field.fill("7")
    field.press("Enter")
    assert_accessible(page)
    for dialog in ("Code", "Help: keys and words") if scheme == "light" else ("Enter or paste points…",):
        click(page, dialog)
        assert_accessible(page)
        press(page, "Escape")


NAME_OF_FOCUS = """() => {
    const { id, dataset, name, textContent } = document.activeElement;
    return id || dataset.focus || name || textContent.trim();
}"""
OUTLINE_OF_FOCUS = """() => {
    const focused = document.activeElement;
    const seen = focused.matches("input[type=radio]") ? focused.nextElementSibling : focused;
    return focused === document.body || getComputedStyle(seen).outlineStyle !== "none";
}"""
CONTROLS = """() => [...document.querySelectorAll("button, select, input, summary")]
    .filter((element) => element.checkVisibility() && !element.closest("dialog") && element.id)
    .map((element) => element.id)"""


def test_the_keyboard_alone_reaches_everything(opened):
    page = opened()
    reached = set()
    for _ in range(110):
        page.keyboard.press("Tab")
        reached.add(page.evaluate(NAME_OF_FOCUS))
        assert page.evaluate(OUTLINE_OF_FOCUS), f"the focus on {page.evaluate(NAME_OF_FOCUS)} is not to be seen"
    controls = set(page.evaluate(CONTROLS))
    assert controls - reached == set()
    assert {"edges", "scale", "layout", "adding", "unit0,0", "act0", "units01", "layers1"} <= reached
    page.locator("[data-focus='unit0,0']").focus()
    press(page, "ArrowDown", "ArrowDown", "ArrowRight")
    assert page.evaluate("document.activeElement.dataset.focus") == "unit1,0"
    press(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("Single keys do this").uncheck()
    press(page, "Escape", "e")
    assert run_of(page)["state"]["epoch"] == 0


def test_steps_are_announced(opened):
    page = opened()
    press(page, "e")
    expect(page.locator("#live")).to_have_text("Epoch 1, loss 1.063.")
    page.select_option("#preset", "seed-44")
    settle(page)
    expect(page.locator("#live")).to_contain_text("Dead output")


@pytest.mark.parametrize("width", [360, 640, 1024])
def test_nothing_is_cut_off_on_a_small_screen(opened, width):
    """640 is what 1280 becomes at 200 % zoom."""
    page = opened(viewport={"width": width, "height": 700})
    press(page, "e")
    for change in (None, "Compare two runs", "Hide the numbers"):
        if change:
            click(page, change)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": width, "height": 700})
    assert page.locator(".node[data-focus='unit0,0']").bounding_box()["width"] > 24


# For hours


def test_ten_thousand_epochs_and_a_long_play_keep_little(opened):
    page = opened()
    page.select_option("#many-count", "10000")
    page.locator("#many").click()
    page.wait_for_timeout(300)
    assert page.evaluate("document.querySelector('#play').textContent").strip() == "Pause"
    settle_long(page)
    run = run_of(page)
    assert run["state"]["epoch"] == 10_000
    assert len(run["curve"]["epochs"]) <= 2000
    expect(page.locator("#loss-note")).to_contain_text("one epoch in 8")
    press(page, "z")
    assert run_of(page)["state"]["epoch"] == 0
    page.evaluate("byhand.runs[0].past = Array.from({ length: 200 }, () => ({ ...byhand.runs[0], past: null }))")
    press(page, "e", "e")
    assert page.evaluate("byhand.runs[0].past.length") == 200
    expect(page.locator("#loss-note")).to_contain_text("200 of at most 200")


def settle_long(page):
    page.wait_for_function("!byhand.busy", timeout=60_000)


def test_play_and_pause(opened):
    page = opened(reduced_motion="reduce")
    page.locator("#play").click()
    page.wait_for_function("byhand.runs[0].state.epoch >= 20")
    page.locator("#play").click()
    settle(page)
    epoch = run_of(page)["state"]["epoch"]
    page.wait_for_timeout(700)
    assert run_of(page)["state"]["epoch"] == epoch
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "false")


# Without a server


def test_an_exported_run_is_stepped_through_from_a_file(opened, tmp_path):
    file = tmp_path / "run.html"
    file.write_text(export("seed-44", 100), encoding="utf-8")
    assert file.stat().st_size < 2_000_000
    page = opened(where=file.as_uri())
    expect(page.locator("#story-title")).to_have_text(PRESETS[3].title)
    expect(page.locator("#findings")).to_contain_text("Dead output")
    expect(page.locator("#forward")).to_be_hidden()
    click(page, "Next")
    expect(page.locator("#loss-note")).to_contain_text("forward, epoch 1")
    click(page, "Sample after")
    expect(page.locator("#sample-name")).to_contain_text("x = (0, 1)")
    click(page, "Next")
    page.get_by_role("button", name="a of unit 3").click()
    expect(page.locator("#formulas")).to_contain_text("grad_W2 = delta2 a1ᵀ")
    page.locator("#frame").fill(page.locator("#frame").get_attribute("max"))
    expect(page.locator("#readout")).to_contain_text("Epoch100")
    expect(page.locator("#readout")).to_contain_text("Loss2")
    click(page, "Rewind")
    expect(page.locator("#readout")).to_contain_text("Epoch0")
    click(page, "Code")
    expect(page.locator("#code-text")).to_contain_text("np.random.seed(44)")


def test_a_link_can_be_exported(opened, tmp_path):
    page = opened()
    press(page, "m")
    page.wait_for_timeout(600)
    assert re.search("#s=", page.url)
    parameters = run_of(page)["state"]["parameters"]
    file = tmp_path / "run.html"
    file.write_text(export(page.url, 5), encoding="utf-8")
    recorded = opened(where=file.as_uri())
    assert run_of(recorded)["state"]["parameters"] == parameters
    assert run_of(recorded)["state"]["epoch"] == 100
