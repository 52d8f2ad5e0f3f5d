"""What the package index shows: the README with whole addresses, and the project's links.

On the public host's runners the environment says where the repository lies. Elsewhere nothing does, so there are no
links, and the README's own stay as they are.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface


def repository() -> str | None:
    """Where the repository can be read, without a slash at the end."""
    server, name = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{name}" if server and name else None


def with_whole_addresses(readme: str, base: str, revision: str) -> str:
    """The README with each link into the repository made whole, so that an index shows its pictures too."""
    readme = re.sub(r"(!\[[^\]]*\]\()(?!https?:)", rf"\1{base}/raw/{revision}/", readme)
    return re.sub(r"((?<!!)\[[^\]]*\]\()(?!https?:|#)", rf"\1{base}/blob/{revision}/", readme)


class Links(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Called by hatchling with the table `project`."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        base = repository()
        if base:
            text = with_whole_addresses(text, base, os.environ.get("GITHUB_SHA", "main"))
            metadata["urls"] = {
                "Source": base,
                "Issues": f"{base}/issues",
                "Changelog": f"{base}/blob/main/CHANGELOG.md",
            }
        else:
            metadata["urls"] = {}
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
