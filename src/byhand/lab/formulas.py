"""Formulas: from LaTeX, as the notebooks have them, to MathML, which browsers show without any script."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from byhand.errors import needs_extra

with needs_extra("lab"):
    from latex2mathml.converter import convert as latex_to_mathml

RELATIONS = set("=≈<>≤≥→←∼∈")
SHORT = 24  # characters; a formula that fits into every line


def mathml(latex: str, display: str) -> str:
    r"""Turn a LaTeX formula into MathML.

    Parameters
    ----------
    latex : str
        The formula, without dollar signs.
    display : {"inline", "block"}
        In a line of text, or on its own.
    """
    # What latex2mathml does not know: aligned, numbers such as 10{,}000, and words set upright as one word.
    latex = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{split}", latex)
    latex = re.sub(r"\d+(?:\{,\}\d{3})+", lambda number: rf"\text{{{number[0].replace('{,}', ',')}}}", latex)
    latex = re.sub(r"\\mathrm\{([A-Za-z ]+)\}", r"\\text{\1}", latex)
    latex = re.sub(r"\\mathcal ?([A-Z])", r"\\mathcal{\1}", latex)  # else an N in script would be the italic N
    formula = str(latex_to_mathml(latex.strip(), xmlns="", display=display)).replace(' xmlns=""', "")
    # Nor does it know where TeX sets no space: around names and symbols, around a slash, after a leading minus.
    formula = re.sub(r"<mo>(max|min|&#x022A4;|&#x0221E;|&#x02202;)</mo>", r"<mi>\1</mi>", formula)
    formula = formula.replace("<mi>&#x02032;</mi>", "<mo>&#x02032;</mo>")
    formula = re.sub(r"<mtext>(\w+)</mtext>(?=<mo>&#x02032;|<mo stretchy=\"false\">&#x00028;)", r"<mi>\1</mi>", formula)
    formula = formula.replace("<mo>&#x0002F;</mo>", '<mo lspace="0em" rspace="0em">&#x0002F;</mo>')
    return re.sub(
        r"(?<!&#x00029;)(?<!&#x0005D;)</mo><mo>&#x02212;</mo>", r'</mo><mo form="prefix">&#x02212;</mo>', formula
    )


def inline_formula(latex: str) -> str:
    """Turn a formula in a line of text into MathML; a long one may go on in the next line before a relation.

    TeX breaks formulas there; browsers never do, however narrow the page.
    """
    formula = mathml(latex, "inline")
    root = ElementTree.fromstring(formula)
    if len("".join(root.itertext())) <= SHORT:
        return formula
    parts: list[list[ElementTree.Element]] = [[]]
    open_brackets = 0
    for element in root[0]:
        token = element[0].text if len(element) else element.text
        open_brackets += (token in ("(", "[", "{")) - (token in (")", "]", "}"))
        if element.tag == "mo" and token in RELATIONS and open_brackets == 0 and parts[-1]:
            parts.append([])
        parts[-1].append(element)
    rows = ("".join(ElementTree.tostring(element, encoding="unicode") for element in part) for part in parts)
    return "<wbr>".join(f'<math display="inline"><mrow>{row}</mrow></math>' for row in rows)
