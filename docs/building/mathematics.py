"""Formulas as MathML, which browsers show without a script, by the same function as in the practical's report."""

from docutils import nodes
from sphinx.application import Sphinx

from byhand.lab.formulas import inline_formula, mathml


def inline(writer: nodes.NodeVisitor, node: nodes.math) -> None:
    writer.body.append(inline_formula(node.astext()))
    raise nodes.SkipNode


def block(writer: nodes.NodeVisitor, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True}
