"""The browser that the tests drive: a Chromium or Chrome that is there, or one that is installed now.

As a program (``python tests/browser.py``) it installs what is missing, and says where the browser is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PLAYWRIGHT = [sys.executable, "-m", "playwright"]


def find() -> str | None:
    """The first browser that starts: of those on PATH, else Playwright's own; None if Playwright can't drive it."""
    if not starts([*PLAYWRIGHT, "--version"]):
        return None
    on_path = (found for name in NAMES if (found := shutil.which(name)))
    return next(filter(is_browser, on_path), None) or next(filter(is_browser, [playwrights_own()]), None)


def is_browser(executable: str) -> bool:
    """Whether it starts: on Ubuntu, chromium may be a script that only says how to install it."""
    return starts([executable, "--headless", "--no-sandbox", "--version"])


def starts(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def playwrights_own() -> str:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def install() -> None:
    """With apt-get as root; where that is not so or brings none, with Playwright's own installer."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None
    if as_root:
        run(["apt-get", "update", "-q"])
        for package in ("libatomic1", "chromium"):  # the first is for Playwright: a small Debian lacks it
            run(["apt-get", "install", "-qy", "--no-install-recommends", package])
    if not find():
        run([*PLAYWRIGHT, "install", "chromium", *(["--with-deps"] if as_root else [])])


def run(command: list[str]) -> None:
    print("Installing a browser for the tests:", *command, flush=True)
    quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, env=quietly, check=False)


if __name__ == "__main__":
    if not find():
        install()
    browser = find()
    if browser is None:
        sys.exit("The tests need Chromium or Chrome, and none could be installed: please install one.")
    print("Browser for the tests:", browser)
