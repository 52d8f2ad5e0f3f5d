"""What is missing is told with a command that works for the way byhand was installed."""

from __future__ import annotations

import json
from importlib.metadata import Distribution

import pytest

from byhand.errors import MissingExtraError, needs_extra
from byhand.installation import installation

REQUIRES = [
    "numpy>=2",
    "matplotlib>=3.10; extra == 'lab'",
    'nbclient>=0.10; extra == "lab"',
    "h11>=0.14; extra == 'play'",
]


class Installed(Distribution):
    """A byhand as an installer leaves it: from this address, or from an index."""

    def __init__(self, url: str = "", **info: dict[str, object]) -> None:
        self.origin = json.dumps({"url": url, **info}) if url else None

    def read_text(self, filename: str) -> str | None:
        return self.origin if filename == "direct_url.json" else None

    def locate_file(self, path: object) -> object:
        return path

    @property
    def requires(self) -> list[str]:
        return REQUIRES


def test_from_a_clone(tmp_path, monkeypatch):
    clone = Installed(tmp_path.as_uri(), dir_info={})
    assert installation(clone, "lab") == f'pip install "{tmp_path}[lab]"'
    monkeypatch.chdir(tmp_path)
    assert installation(clone, "lab") == 'pip install ".[lab]"'
    editable = Installed(tmp_path.as_uri(), dir_info={"editable": True})
    assert installation(editable, "lab") == 'pip install -e ".[lab]"'


def test_from_a_wheel(tmp_path):
    wheel = tmp_path / "byhand 1-py3-none-any.whl"
    wheel.touch()
    assert installation(Installed(wheel.as_uri(), archive_info={}), "play") == f'pip install "{wheel}[play]"'


@pytest.mark.parametrize("url", ["", "file:///no/such/folder", "https://example.org/byhand-1-py3-none-any.whl"])
def test_otherwise_the_libraries_are_named_and_byhand_is_not(url):
    assert installation(Installed(url), "lab") == 'pip install "matplotlib>=3.10" "nbclient>=0.10"'


def test_a_library_that_is_not_there_is_told():
    told = r"^no_such_library is not installed; to get it: pip install .*figures|matplotlib"
    with pytest.raises(MissingExtraError, match=told), needs_extra("figures"):
        import no_such_library.part  # noqa: F401
