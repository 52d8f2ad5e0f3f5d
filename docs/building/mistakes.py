"""The catalogue of mistakes, a page each: a small program that makes it, and what `why` and `check` say of it, run now.

What they say is kept in `_build/mistakes` under a checksum of the program and of the package, so that a second build is
quick, and no page is older than the code.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import byhand
from byhand.diagnosis.catalogue import CATALOGUE, Mistake

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "tests/scripts"
sys.path.insert(0, str(ROOT / "tests"))

from solutions_table import CHANGES, FOLDER  # noqa: E402 - right solutions, and each with one thing changed

PACKAGE = Path(byhand.__file__).parent
MOST_TRIED = 3
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
STOPPED = {  # Python's own errors, each in its smallest program
    "syntax-error": "x = (1\ny = 2\n",
    "missing-module": "import nunpy as np\n\nx = np.zeros(3)\n",
    "missing-file": "import numpy as np\n\nx = np.loadtxt('data.csv')\n",
    "missing-attribute": "x = [[0, 1], [1, 0]]\nprint(x.shape)\n",
    "wrong-arguments": "def forward(x, W):\n    return W @ x\n\n\nforward([1, 2])\n",
    "index-outside": "import numpy as np\n\nx = np.zeros(4)\nfor i in range(5):\n    x[i] = i\n",
    "missing-key": "parameters = {'W1': 0.5}\nprint(parameters['W2'])\n",
    "division-by-zero": "losses = []\nprint(sum(losses) / len(losses))\n",
    "number-overflow": "import math\n\nprint(1 / (1 + math.exp(1000)))\n",
    "endless-recursion": "def backward(layer):\n    return backward(layer)\n\n\nbackward(3)\n",
    "python-error": "raise RuntimeError('the training set is empty')\n",
}


@dataclass
class Said:
    """What a command said of a program."""

    program: str
    lines: list[int]
    text: str
    figure: str = ""


@dataclass
class Checked:
    """A line of a right solution, what it became, what `check` says of that, and whether it names the mistake."""

    before: str
    after: str
    text: str
    is_named: bool


def code_of(file: Path) -> str:
    """What the file does, without its docstrings and comments."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0].value.value = ""
    return ast.dump(tree)


def version_of_the_package(package: Path = PACKAGE) -> str:
    """A checksum of what an answer depends on: the diagnosis, and the formulas that it knows."""
    checksum = hashlib.sha256()
    for file in [*sorted((package / "diagnosis").rglob("*.py")), package / "activations.py", package / "losses.py"]:
        checksum.update(code_of(file).encode())
    return checksum.hexdigest()


def run(verb: str, name: str, program: str) -> dict[str, str]:
    """The answer in the terminal and on the page."""
    with tempfile.TemporaryDirectory() as folder:
        file, page = Path(folder) / f"{name}.py", Path(folder) / "answer.html"
        file.write_text(program, encoding="utf-8")
        options = ["--more", "--html", str(page)] if verb == "why" else []
        done = subprocess.run(
            [sys.executable, "-m", "byhand", verb, file.name, *options],
            cwd=folder,
            env={**os.environ, "COLUMNS": "90", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in (0, 1, 3, 4) or not done.stdout:
            raise RuntimeError(f"byhand {verb} {name}: {done.returncode}\n{done.stderr}")
        html = page.read_text(encoding="utf-8") if page.exists() else ""
    figure = re.search(r"<figure.*?</figure>", html, re.DOTALL)
    return {"text": re.sub(r"\n{3,}", "\n\n", done.stdout.strip("\n")), "figure": figure[0] if figure else ""}


class Answers:
    """What was said, kept from build to build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = version_of_the_package()
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, verb: str, name: str, program: str) -> dict[str, str]:
        key = hashlib.sha256("\0".join([self.version, verb, name, program]).encode()).hexdigest()[:24]
        file = self.folder / f"{key}.json"
        if not file.exists():
            file.write_text(json.dumps(run(verb, name, program)), encoding="utf-8")
        return json.loads(file.read_text(encoding="utf-8"))


def programs(id_: str) -> Iterator[tuple[str, list[int]]]:
    """Programs that make the mistake, the shortest first, with the lines where it stands; without the label."""
    if id_ in STOPPED:
        yield STOPPED[id_], []
    for path in sorted((SCRIPTS / id_).glob("*.py"), key=lambda p: p.stat().st_size):
        label, _, program = path.read_text(encoding="utf-8").partition("\n")
        yield (
            program.lstrip("\n"),
            [int(n) - 1 - (len(program) - len(program.lstrip("\n"))) for n in re.findall(r"\d+", label)],
        )


def why(id_: str, answers: Answers) -> Said | None:
    """The shortest program that `why` names rightly and that has a curve; else one that it names; else the shortest."""
    named, others = [], []
    for program, lines in list(programs(id_))[:MOST_TRIED]:
        answer = answers("why", id_, program)
        said = Said(program, lines, answer["text"], answer["figure"])
        is_named = f"✗ {title(CATALOGUE[id_])}" in said.text
        (named if is_named else others).append(said)
        if id_ in STOPPED or (is_named and said.figure):
            return said
    return next(iter([*named, *others]), None)


def check(id_: str, answers: Answers) -> Checked | None:
    """A line of a right solution, what it became, and what `check` says of that: the one that it names best."""
    changed = [
        (before, after, source.replace(before, after))
        for style, changes in CHANGES.items()
        for source in [(FOLDER / f"{style}.py").read_text(encoding="utf-8")]
        for then, before, after in changes
        if then == id_ and before in source
    ]
    tried = []
    for before, after, program in changed[:MOST_TRIED]:
        text = answers("check", id_, program)["text"]
        tried.append(Checked(before, after, text, f"[{id_}]" in text))
        if tried[-1].is_named and "1 mistake found" in text:
            return tried[-1]
    return max(tried, key=lambda checked: checked.is_named, default=None)


def fenced(text: str, language: str = "text", options: str = "") -> str:
    return f"````{{code-block}} {language}\n{options}\n{text}\n````\n"


def title(mistake: Mistake) -> str:
    return mistake.title[:1].upper() + mistake.title[1:]


def words(text: str) -> str:
    """The catalogue's words with their indices and exponents set: W_out, e^{z_k}, W_{k+1}."""
    text = re.sub(
        r"(?<!\w)(d?\w\u0302?)_(?:\{([^}]*)\}|([a-z][a-z0-9]*))", r"\1<sub>\2\3</sub>", text.replace("*", r"\*")
    )
    return re.sub(r"\^(?:\{([^}]*)\}|([+−-]?\w))", r"<sup>\1\2</sup>", text)


def page(mistake: Mistake, said: Said | None, checked: Checked | None) -> str:
    parts = [f"# {title(mistake)}", words(mistake.plain)]
    parts.append(f"**How it shows.** {words(mistake.looks_like)}")
    parts.append(f"**How it is mended.** {words(mistake.mend)}")
    parts.append(f"**Why.** {words(mistake.why)}")
    if said is not None:
        options = ":linenos:\n" + (f":emphasize-lines: {','.join(map(str, said.lines))}\n" if said.lines else "")
        parts += ["## A program that makes it", fenced(said.program.rstrip(), "python", options)]
        if said.figure:
            parts += ["## How it looks", f"```{{raw}} html\n{said.figure}\n```"]
        parts += ["## What `byhand why` says", fenced(said.text)]
    else:
        parts.append("No script stands here: it is told where the numbers force no nearer name, or by `byhand check`.")
    if checked is not None:
        change = [*(f"- {b}" for b in checked.before.splitlines()), *(f"+ {a}" for a in checked.after.splitlines())]
        of = "Of a right solution in which this was changed" + ("" if checked.is_named else ", it does not name it")
        parts += ["## What `byhand check` says", f"{of}:", fenced("\n".join(change), "diff"), fenced(checked.text)]
    parts.append(
        "`byhand why train.py` looks for it in a program of yours, and for [all the others](index.md). "
        f"In JSON it is `{mistake.id}`."
    )
    return "\n\n".join(parts) + "\n"


GROUPS = (
    "Python stops with an error",
    "The loss grows, or is no number",
    "The loss stays where it is",
    "The loss falls, but the gradient or what is shown is wrong",
    "No loss is to be seen, or no program stands here",
)


def group(said: Said | None) -> str:
    """What one sees first of the program that makes the mistake: read from what `why` says of its first run."""
    text = " ".join(said.text.split()) if said else ""
    if "It stops at " in text.partition("The same, ")[0] or "SyntaxError" in text:
        return GROUPS[0]
    if re.search(r"The loss that it computes stays at", text.partition("The same, ")[0]):
        return GROUPS[2]
    course = re.search(r"The loss that it computes goes from (\S+) to (\S+?)\.(?: |$)", text)
    if not course:
        return GROUPS[4]
    first, last = map(float, course.groups())
    return GROUPS[3] if last < first else GROUPS[1]


def index(said: dict[str, Said | None]) -> str:
    tables = []
    for heading in GROUPS:
        rows = [
            f"| [{title(m)}]({m.id}.md) | {words(m.looks_like).replace('|', chr(92) + '|')} |"
            for m in CATALOGUE.values()
            if group(said[m.id]) == heading
        ]
        if rows:
            tables += [f"## {heading}", "", "| mistake | how it shows |", "|---|---|", *rows, ""]
    return f"""# Why does my NumPy network not learn?

`byhand why` and `byhand check` know {len(CATALOGUE)} mistakes. Each page has a small program that makes one, its
loss curve, what the two commands say of it, and how it is mended; all of it was run when this manual was built.
Quicker than reading is asking:

```console
$ byhand why train.py
```

Here they stand by what one sees first of these programs; in another program the same mistake may look otherwise.

{chr(10).join(tables)}

```{{toctree}}
:hidden:

{chr(10).join(CATALOGUE)}
```
"""


def write(app: Sphinx) -> None:
    from sphinx.util import logging  # the tests read this file without it

    folder = Path(app.srcdir) / "mistakes"
    folder.mkdir(exist_ok=True)
    answers = Answers(Path(app.srcdir) / "_build" / "mistakes")
    logger = logging.getLogger(__name__)

    def asked(id_: str) -> tuple[Said | None, Checked | None]:
        return why(id_, answers), check(id_, answers)

    said = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (mistake, answer) in enumerate(zip(CATALOGUE.values(), pool.map(asked, CATALOGUE), strict=True), 1):
            logger.info("mistakes: %d of %d, %s", number, len(CATALOGUE), mistake.id)
            said[mistake.id] = answer[0]
            (folder / f"{mistake.id}.md").write_text(page(mistake, *answer), encoding="utf-8")
    (folder / "index.md").write_text(index(said), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", write)
    return {"parallel_read_safe": True}
