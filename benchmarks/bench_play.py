"""The page of `byhand play`: how long a request takes, a step with its redraw, and how fast digits play.

    pip install -e ".[test]"
    python benchmarks/bench_play.py [--json FILE]

It starts the server and a browser of its own. The goals: 2-10-1 in under 10 ms a request and 16 ms of the page's own
time a step with its redraw; digits at eight updates of the page a second while settings are changed. Where other
programs run, the clock says little: beside it stands the processor's time, of the server and of the page's main thread
(script, style, layout and paint).
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import browser

COUNT = 60
STEP = """async ([dial, count]) => {
    const times = [];
    for (let i = 0; i < count; i++) {
        await byhand.do({ kind: "press", dial });
        times.push(byhand.redrawMilliseconds);
    }
    return times;
}"""
REQUEST = """async (count) => {
    const { config, state } = byhand.state.model.runs[0];
    const body = JSON.stringify({ config, state, action: "epochs", surface: 48, explain: [{ layer: 0, unit: 0 }] });
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body };
    const times = [];
    for (let i = 0; i < count; i++) {
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


class Bench:
    """A page and its server, and how much of the processor they have had."""

    def __init__(self, page: Page, address: str, server: psutil.Process) -> None:
        self.page, self.address, self.server = page, address, server
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def open(self, fragment: str) -> None:
        self.page.goto("about:blank")
        self.page.goto(self.address + fragment)
        while not self.page.evaluate("Boolean(globalThis.byhand?.ready && !byhand.busy)"):
            time.sleep(0.02)

    def of_page(self) -> float:
        """Processor seconds of the page's main thread."""
        metrics = self.devtools.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def of_server(self) -> float:
        times = self.server.cpu_times()
        return times.user + times.system

    def steps(self, dial: str) -> tuple[float, float]:
        """Milliseconds a step: the redraw by the clock, and all that the page does by the processor."""
        self.page.evaluate(STEP, [dial, COUNT])
        before = self.of_page()
        redraws = self.page.evaluate(STEP, [dial, COUNT])
        return middle(redraws), round(1000 * (self.of_page() - before) / COUNT, 2)

    def requests(self) -> tuple[float, float]:
        """Milliseconds a request: by the clock, and of the server's processor time."""
        self.page.evaluate(REQUEST, COUNT)
        before = self.of_server()
        times = self.page.evaluate(REQUEST, 4 * COUNT)
        return middle(times), round(1000 * (self.of_server() - before) / (4 * COUNT), 2)


def measured(bench: Bench) -> dict[str, float]:
    result: dict[str, float] = {}

    def note(name: str, values: tuple[float, float]) -> None:
        result[f"{name}, ms"], result[f"{name}, ms of processor"] = values

    bench.open("#start=sigmoid-learns")
    note("2-10-1: request", bench.requests())
    note("2-10-1: step and redraw", bench.steps("layer"))
    note("2-10-1: epoch and redraw", bench.steps("epoch"))
    bench.open("")
    note("2-2-1: step and redraw", bench.steps("unit"))
    bench.open("#start=sigmoid-learns")
    bench.page.evaluate("byhand.do({ kind: 'data', change: { kind: 'digits' } })")
    seconds = 4
    played = bench.page.evaluate(PLAY, seconds)
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
                result = measured(Bench(page, address, psutil.Process(server.pid)))
                chromium.close()
        finally:
            server.kill()
    for name, value in result.items():
        print(f"{name:42} {value:8}")
    if options.json:
        Path(options.json).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
