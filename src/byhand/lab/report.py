"""The report: the run notebook as one HTML file that needs no network and no JavaScript.

It shows the code that the handout's questions ask for; that of figures, checks and extensions stands in the solved
notebook. nbconvert turns cells into a page; what its own templates leave to scripts from elsewhere is done here
beforehand: formulas become MathML, figures are put in as SVG.
"""

from __future__ import annotations

import ast
import datetime
import platform
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import byhand
from byhand.errors import needs_extra
from byhand.lab.formulas import inline_formula, mathml
from byhand.lab.notebooks import headings, question_titles, tags, without_markers
from byhand.pages import STYLE_SHEET, inline_svg

with needs_extra("lab"):
    from nbconvert.exporters import TemplateExporter
    from nbconvert.filters.highlight import Highlight2HTML
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
    from nbformat import NotebookNode

TEMPLATE = Path(__file__).with_name("report_template")
# What the style sheet gives no colour (names, operators, punctuation, spaces) needs no markup, half of the page.
PLAIN_TOKEN = re.compile(r'<span class="(?:n|nn|nb|bp|o|p|w|vm)">([^<]*)</span>')
# What the question has said.
WANTED = re.compile(r"^# Wanted:.*\n(?:#.*\n)*", flags=re.MULTILINE)
# The stop must not begin a line.
FORMULA_BEFORE_A_STOP = re.compile(r'(<math display="inline">(?:(?!</math>).)*</math>[.,;:!?)]+)')


def report_html(notebook: NotebookNode, seed: int, stories: Mapping[str, str] | None = None) -> str:
    """Return the report on a notebook that has been run.

    Parameters
    ----------
    notebook : NotebookNode
        The solution notebook with its outputs.
    seed : int
        The seed that it ran with, told at the foot of the page.
    stories : mapping, optional
        From the name of a file that will lie beside the report to what can be stepped through there.
    """
    page = _Page(notebook)
    exporter = TemplateExporter(  # type: ignore[no-untyped-call]
        template_paths=[str(TEMPLATE), str(STYLE_SHEET.parent)],
        template_file="report.html.j2",
        file_extension=".html",
        filters={
            "figure": page.figure,
            "code": page.code,
            "is_shown": page.is_shown,
            "is_extra": page.is_extra,
            "kind": kind,
            "markdown": page.markdown,
            "tags": tags,
            "verdict": verdict,
        },
    )
    today = datetime.date.today()
    exporter.environment.globals.update(
        contents=page.contents,
        questions=page.questions,
        stories=stories or {},
        command=f"byhand lab --seed {seed}",
        date=today.isoformat(),
        date_in_words=f"{today.day} {today:%B %Y}",
        seed=seed,
        title=_title(notebook),
        versions=list(_versions()),
    )
    html, _ = exporter.from_notebook_node(notebook)
    return str(html)


class _Heading(NamedTuple):
    level: int
    id: str
    html: str


class _Question(NamedTuple):
    """A question on the first page."""

    heading: _Heading
    answer: str
    is_extension: bool


class _Page(IPythonRenderer):
    """What the page has to remember while it is made: its headings, and how many figures it has."""

    def __init__(self, notebook: NotebookNode) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self.notebook = notebook
        self.extra = _of_extensions(notebook)
        self.asked_for = _asked_for(notebook, self.extra)
        self.headings: list[_Heading] = []
        self.figures = 0

    def contents(self) -> list[tuple[_Heading, list[_Heading]]]:
        """Return each part with its questions; to be called when the page's cells have been rendered."""
        parts: list[tuple[_Heading, list[_Heading]]] = []
        for heading in self.headings:
            if heading.level == 2:
                parts.append((heading, []))
            elif heading.level == 3 and parts:
                parts[-1][1].append(heading)
        return parts

    def questions(self) -> list[_Question]:
        """Return each question with its answer in a line; to be called when the page's cells have been rendered."""
        answers: list[str] = []
        extensions: list[bool] = []
        for cell in self.notebook.cells:
            for _ in question_titles(cell):
                answers.append("")
                extensions.append(is_extension(cell))
            for output in cell.get("outputs", []):
                if kind(output) == "short" and answers:
                    answers[-1] += self.markdown(output.metadata.byhand.in_short).strip()
        headings = [heading for heading in self.headings if heading.level == 3]
        return [_Question(*row) for row in zip(headings, answers, extensions, strict=True)]

    def markdown(self, source: str) -> str:
        html = MarkdownWithMath(renderer=self).render(source)
        # A minus is no hyphen, and no line may end in the middle of a number.
        html = re.sub(r"(?<=[\s>(])-(?=\d)|(?<=\de)-(?=\d\d\b)", "\N{MINUS SIGN}", html)
        return FORMULA_BEFORE_A_STOP.sub(r'<span class="unbroken">\1</span>', html)

    def heading(self, text: str, level: int, **attrs: Any) -> str:
        plain = re.sub(r"<[^>]*>", "", text)
        name = re.sub(r"[^\w.]+", "-", plain.lower()).strip("-.")
        if any(heading.id == name for heading in self.headings):
            name += f"-{len(self.headings)}"
        self.headings.append(_Heading(level, name, text))
        return f'<h{level} id="{name}">{text}</h{level}>\n'

    def is_shown(self, cell: NotebookNode) -> bool:
        """Whether the cell's code is shown, and what it prints."""
        return cell.id in self.asked_for

    def is_extra(self, cell: NotebookNode) -> bool:
        """Whether the cell belongs to an extension, which is left out on paper."""
        return cell.id in self.extra

    def code(self, cell: NotebookNode) -> str:
        source = _without_display(without_markers(cell.source))
        return _code(WANTED.sub("", source).strip())

    def inline_math(self, body: str) -> str:
        return inline_formula(body)

    def block_math(self, body: str) -> str:
        return _scrolling("span", "Formula", mathml(body, "block"))

    def table(self, text: str) -> str:
        return _scrolling("div", "Table", f"<table>{text}</table>")

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        if not head or not text:  # an empty corner heads nothing
            return f"<td>{text}</td>"
        words = re.sub(r"<math.*?</math>", "", text)
        if not re.search(r"\w", re.sub(r"<[^>]*>", "", words)):  # some readers find no name in a formula alone
            name = re.sub(r"<[^>]*>", "", text)
            text = text.replace("<math ", f'<math aria-label="{name}" ', 1)
        return f'<th scope="col">{text}</th>'

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(rf"\begin{{{name}}}{body}\end{{{name}}}")

    def figure(self, svg: str, alt: str) -> str:
        self.figures += 1
        return inline_svg(svg, alt, f"figure{self.figures}-")


def _scrolling(element: str, label: str, html: str) -> str:
    """Let what can be wider than a phone scroll by itself, with the keyboard too."""
    return f'<{element} class="scrolling" role="group" aria-label="{label}" tabindex="0">{html}</{element}>'


def _code(source: str) -> str:
    highlight = Highlight2HTML(pygments_lexer="ipython3")  # type: ignore[no-untyped-call]
    html = str(highlight(source)).replace("<pre>", '<pre tabindex="0">', 1)  # to scroll it with the keyboard
    return PLAIN_TOKEN.sub(r"\1", html)


def _of_extensions(notebook: NotebookNode) -> set[str]:
    """Return the ids of the cells of the extensions."""
    extension, found = False, set()
    for cell in notebook.cells:
        if headings(cell):
            extension = is_extension(cell)
        if extension:
            found.add(cell.id)
    return found


def _asked_for(notebook: NotebookNode, extra: set[str]) -> set[str]:
    """Return the ids of the cells whose code is shown: those that a check follows, extensions left out."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and "ask" not in tags(cell)]
    code = [cell for cell in code if cell.id not in extra]
    return {cell.id for cell, after in pairwise(code) if "check" in tags(after)}


def is_extension(cell: NotebookNode) -> bool:
    """Whether the cell opens a question that goes beyond the handout."""
    return "*Extension" in cell.source


def _without_display(source: str) -> str:
    """Leave out the statements that display what the page shows anyway: `say(...)`, `show(...)`, `in_short(...)`."""
    lines = source.split("\n")
    for statement in reversed(ast.parse(source).body):
        match statement:
            case ast.Expr(
                value=ast.Call(func=ast.Name(id="say" | "show" | "in_short")), lineno=first, end_lineno=int(last)
            ):
                del lines[first - 1 : last]
    return "\n".join(lines).strip()


def kind(output: NotebookNode) -> str:
    """Return "figure", "answer", "short" (the answer in a line), "text", or "" for what does not belong in a report.

    An animation does not: it needs JavaScript.
    """
    data = output.get("data", {})
    if "in_short" in output.get("metadata", {}).get("byhand", {}):
        return "short"
    if "image/svg+xml" in data:
        return "figure"
    if "text/markdown" in data:
        return "answer"
    if ("text/plain" in data and "text/html" not in data) or output.get("name") == "stdout":
        return "text"
    return ""


def verdict(printed: str) -> tuple[str, str]:
    """Part what a check prints: its verdict, and the comparisons that it rests on."""
    lines = printed.splitlines()
    passed = [line for line in lines if line.startswith("✓")]
    return "\n".join(passed), "\n".join(line for line in lines if line not in passed)


def _title(notebook: NotebookNode) -> str:
    return next(title for cell in notebook.cells for level, title in headings(cell) if level == 1)


def _versions() -> Iterable[tuple[str, str]]:
    yield "byhand", byhand.__version__
    yield "Python", platform.python_version()
    for name, distribution in (("NumPy", "numpy"), ("matplotlib", "matplotlib"), ("scikit-learn", "scikit-learn")):
        yield name, version(distribution)
