"""The manual's pictures of the five verbs, shot anew: ``make pictures``.

Each is of what the verb gives now, and carries the words that it shows. `tests/test_manual.py` holds those of `check`
and `why`, which take seconds, against the present answer, and `docs/test_pictures.py` the others.
"""

import html
import io
import math
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
sys.path.insert(0, str(ROOT / "tests"))

from solutions_table import CHANGES, FOLDER  # noqa: E402 - right solutions, and each with one thing changed

TERMINAL = """<style>
pre {{ font: 15px/1.5 'DejaVu Sans Mono', monospace; margin: 0; padding: 20px 24px; width: max-content; }}
pre {{ border: 1px solid #ccc; border-radius: 8px; background: #fbfbf9; color: #1a1a1a; }}
</style><pre>{code}</pre>"""
PROMPT = "$ byhand check my_td1.py\n\n"


def call(folder: Path, *arguments: str, **variables: str) -> str:
    """What the command writes to standard output."""
    return subprocess.run(
        [sys.executable, "-m", "byhand", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", **variables},
        stdout=subprocess.PIPE,
        text=True,
        check=False,  # 3 says that something was found
    ).stdout


def checked(folder: Path) -> str:
    """A right solution of the practical in which a derivative was forgotten, and what `check` says, in colours."""
    before, after = next((b, a) for what, b, a in CHANGES["batch_globals"] if what == "hidden-derivative-missing")
    program = (FOLDER / "batch_globals.py").read_text(encoding="utf-8").replace(before, after)
    (folder / "my_td1.py").write_text(program, encoding="utf-8")
    return call(folder, "check", "my_td1.py", FORCE_COLOR="1")


def explained(folder: Path) -> str:
    """A line fitted uphill, and the page of `why`."""
    _, _, program = (ROOT / "tests/scripts/sign-flipped/line.py").read_text(encoding="utf-8").partition("\n")
    (folder / "train.py").write_text(program.lstrip("\n"), encoding="utf-8")
    call(folder, "why", "train.py", "--html", "why.html")
    return (folder / "why.html").read_text(encoding="utf-8")


def words(answer: str) -> str:
    """The words of an answer, without its markup or colours."""
    text = re.sub(r"<(style|title).*?</\1>|<[^>]*>|\x1b\[[0-9;]*m", " ", answer, flags=re.DOTALL)
    return " ".join(html.unescape(text).split())


def terminal(answer: str) -> str:
    """The answer as a page that looks like a terminal."""
    console = Console(record=True, file=io.StringIO(), width=100)
    console.print(Text(PROMPT, style="bold"), Text.from_ansi(answer), sep="", end="")
    return console.export_html(inline_styles=True, code_format=TERMINAL)


def save(shot: bytes, said: str, name: str) -> None:
    """As a small PNG that carries the words."""
    info = PngInfo()
    info.add_itxt("Description", said)
    image = Image.open(io.BytesIO(shot)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(IMAGES / f"{name}.png", optimize=True, pnginfo=info)


def carried(name: str) -> str:
    """The words that a picture carries."""
    with Image.open(IMAGES / f"{name}.png") as image:
        return str(image.info["Description"])


def assert_carries(name: str, said: str) -> None:
    """A picture shows these words, and their numbers but for what rounding does to them on another machine."""
    number = r"-?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?"
    shown = carried(name)
    assert re.split(number, shown) == re.split(number, said), f"docs/images/{name}.png is of another answer"
    for one, other in zip(re.findall(number, shown), re.findall(number, said), strict=True):
        assert math.isclose(*(float(n.replace(",", "")) for n in (one, other)), rel_tol=0.01), (name, one, other)


@contextmanager
def opened(width: int) -> Iterator[object]:
    """A page in a browser, on a screen with small pixels."""
    from playwright.sync_api import sync_playwright

    from browser import find

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
        page = chromium.new_page(
            viewport={"width": width, "height": 720},
            device_scale_factor=2,
            color_scheme="light",
            reduced_motion="reduce",
        )
        yield page
        chromium.close()


def shot(page, first: str, last: str, margin: int = 16) -> bytes:
    """The page's width, from the top of one thing to the bottom of another."""
    page.evaluate("scrollTo(0, 0)")
    top = page.locator(first).bounding_box()["y"] - margin
    end = page.locator(last).bounding_box()
    page.set_viewport_size({**page.viewport_size, "height": round(end["y"] + end["height"] + margin - top)})
    page.evaluate("(y) => scrollTo({ top: y, behavior: 'instant' })", top)
    return page.screenshot()


def of_check(folder: Path) -> tuple[bytes, str]:
    answer = checked(folder)
    with opened(1000) as page:
        page.set_content(terminal(answer))
        return page.locator("pre").screenshot(), words(answer)


def of_why(folder: Path) -> tuple[bytes, str]:
    answer = explained(folder)
    with opened(860) as page:
        page.goto((folder / "why.html").as_uri())
        return shot(page, "h1", "section pre >> nth=0"), words(answer)


def of_report(folder: Path) -> tuple[bytes, str]:
    call(folder, "lab", "--out", ".")
    with opened(900) as page:
        page.goto((folder / "td1_report.html").as_uri())
        trained = "xpath=//h3[@id='2.9-trained']/following::figure"
        first, last = f"{trained}[2]", f"{trained}[3]"
        return shot(page, first, last), words("".join(page.locator(f).inner_html() for f in (first, last)))


def of_study(folder: Path) -> tuple[bytes, str]:
    call(folder, "study", "xor", "--out", ".", "--yes")
    with opened(1000) as page:
        page.goto((folder / "report.html").as_uri())
        survival = "xpath=//h2[starts-with(., 'How many get there')]"
        figure = f"{survival}/following::figure[1]"
        return shot(page, survival, figure), words(page.locator(figure).inner_html())


def of_play(folder: Path) -> tuple[bytes, str]:
    from byhand.play.server import listen, serve

    listener = listen(None)
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    with opened(1280) as page:
        page.goto(f"http://127.0.0.1:{listener.getsockname()[1]}/")
        while not page.get_by_text("How does the loss depend on z?").is_visible():
            page.keyboard.press("Space")
            page.wait_for_timeout(500)
        return page.screenshot(), words(page.locator("body").inner_text())


def main() -> None:
    for name in sys.argv[1:] or ("report", "check", "why", "study", "play"):
        with tempfile.TemporaryDirectory() as folder:
            save(*globals()[f"of_{name}"](Path(folder)), name)
        print(f"docs/images: {name}")


if __name__ == "__main__":
    main()
