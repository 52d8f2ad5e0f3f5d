"""The page of `byhand play`: how long a request takes, a step with its redraw, and how fast digits play.

    pip install -e ".[test]"
    python benchmarks/bench_play.py [--json FILE]

It starts the server and a browser of its own. The goals: 2-10-1 in under 10 ms a request and 16 ms of the page's own
time a step with its redraw; digits at eight updates of the page a second while settings are changed.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import browser

STEP = """async (dial) => {
    const times = { request: [], redraw: [] };
    for (let i = 0; i < 60; i++) {
        const started = performance.now();
        await byhand.do({ kind: "press", dial });
        times.request.push(performance.now() - started - byhand.redrawMilliseconds);
        times.redraw.push(byhand.redrawMilliseconds);
    }
    return times;
}"""
REQUEST = """async () => {
    const { config, state } = byhand.state.model.runs[0];
    const body = JSON.stringify({ config, state, action: "epochs", surface: 48, explain: [{ layer: 0, unit: 0 }] });
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    const times = [];
    for (let i = 0; i < 60; i++) {
        const started = performance.now();
        await (await fetch("/api/step", request)).json();
        times.push(performance.now() - started);
    }
    return times;
}"""
PLAY = """async (seconds) => {
    let updates = 0, last = null, lost = 0;
    document.querySelector("#play").click();
    const ends = performance.now() + 1000 * seconds;
    let rate = 0.01;
    while (performance.now() < ends) {
        await new Promise((resume) => setTimeout(resume, 5));
        const { state, config } = byhand.state.model.runs[0];
        if (state !== last) { updates++; last = state; }
        if (updates % 8 === 7) {
            rate = rate === 0.01 ? 0.02 : 0.01;
            await byhand.do({ kind: "training", change: { learning_rate: rate } });
            if (byhand.state.model.runs[0].config.training.learning_rate !== rate) lost++;
        }
    }
    document.querySelector("#play").click();
    await byhand.settled();
    return { updates, lost };
}"""


def middle(values: list[float]) -> float:
    return round(statistics.median(values), 2)


def measured(page: Page, address: str) -> dict[str, float]:
    def open_(fragment: str) -> None:
        page.goto("about:blank")
        page.goto(address + fragment)
        while not page.evaluate("Boolean(globalThis.byhand?.ready && !byhand.busy)"):
            time.sleep(0.02)

    open_("#start=sigmoid-learns")
    page.evaluate(STEP, "epoch")
    steps, epochs = page.evaluate(STEP, "layer"), page.evaluate(STEP, "epoch")
    result = {
        "2-10-1: request, ms": middle(page.evaluate(REQUEST)),
        "2-10-1: redraw of a step, ms": middle(steps["redraw"]),
        "2-10-1: redraw of an epoch, ms": middle(epochs["redraw"]),
    }
    open_("")
    page.evaluate(STEP, "unit")
    result["2-2-1: redraw of a step, ms"] = middle(page.evaluate(STEP, "unit")["redraw"])
    open_("#start=sigmoid-learns")
    page.evaluate("byhand.do({ kind: 'data', change: { kind: 'digits' } })")
    seconds = 4
    played = page.evaluate(PLAY, seconds)
    result["digits: updates a second"] = round(played["updates"] / seconds, 1)
    result["digits: settings lost"] = played["lost"]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    executable = browser.find()
    if executable is None:
        sys.exit("Chromium or Chrome is needed: python tests/browser.py installs one.")
    command = [sys.executable, "-m", "byhand", "play", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
                page = chromium.new_page(viewport={"width": 1280, "height": 720})
                result = measured(page, address)
                chromium.close()
        finally:
            server.kill()
    for name, value in result.items():
        print(f"{name:34} {value:8}")
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
