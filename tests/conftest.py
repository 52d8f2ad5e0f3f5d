"""What several test modules share."""

from __future__ import annotations

import os

# Before NumPy is imported, here and in every process that a test starts: the products are small, and threads of several
# tests at once would wait for each other (up to thirty times as long on a busy machine).
os.environ |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")

# As the Makefile has it: without the compiled files, each of the hundreds of processes compiles byhand anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import sys

sys.dont_write_bytecode = False

# nbformat loads jsonschema, and that, where it is there, this: it makes forty parsers, for which nobody here asks, and
# takes longer than all the rest.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import gc

# The tapes of hundreds of programs are made and let go of, beside all that the tests have loaded. To look for cycles in
# all of that as often as Python does by itself took up to a quarter of the time of judging (19.0 s for 11 programs,
# 14.3 without).
gc.set_threshold(500_000, 10, 10)

import signal

# A shell that starts the tests in the background has them, and the programs that they start, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

from collections.abc import Iterator

import hypothesis
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import browser
from practicals import small, td1  # noqa: F401 - fixtures, each made once for all modules

hypothesis.settings.register_profile("byhand", deadline=None)  # nothing here hangs on the clock
hypothesis.settings.load_profile("byhand")

CHROMIUM_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests that share something dear (a practical, a study, a browser) on one worker, which makes it once."""
    for item in items:
        if group := shared(item):
            item.add_marker(pytest.mark.xdist_group(group))


def shared(item: pytest.Item) -> str:
    """The real practical, or the module whose fixtures the test uses; "" for a test that stands alone."""
    if "td1" in item.fixturenames or "td1" in item.name:
        return "td1"
    made = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    return item.path.stem if any(made[name][-1].scope == "module" for name in made) else ""


@pytest.fixture(scope="session")
def browser_path() -> str:
    """Where the browser is; a test that needs it fails where there is none, and is never skipped."""
    path = browser.find()
    if path is None:
        pytest.fail("no Chromium or Chrome that Playwright can drive; `make test` installs one")
    return path


@pytest.fixture(scope="module")
def chromium(browser_path: str) -> Iterator[Browser]:
    """A headless Chromium, for one module: Playwright's event loop would be in the way of other modules' own."""
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=browser_path, args=CHROMIUM_FLAGS)
        yield instance
        instance.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A new page in a context of its own: no cookies, no cache, nothing kept."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()
