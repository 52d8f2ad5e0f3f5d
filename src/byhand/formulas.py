"""How a formula is written: in plain text, in LaTeX, and as NumPy code to copy.

An `Activation`, a `Loss`, an optimizer and an `Initializer` each carry theirs, beside the function that computes. So
whatever shows a formula (`arithmetic`, the page of `byhand play`, `help`) reads it there, and nobody spells it again.
"""

import re
from dataclasses import dataclass
from textwrap import fill


@dataclass(frozen=True)
class Formula:
    r"""One formula, written in three ways.

    Parameters
    ----------
    element : str
        For one element in plain text, with places in braces where numbers are put in: "max({z}, 0)".
    latex : str
        For the whole array, without dollar signs.
    code : str
        For the whole array in NumPy: an expression, which may have lines of assignments before it. An update is
        lines that change p.
    text : str
        For the whole array in plain text. By default `element` with the names of its places: "max(z, 0)".

    Examples
    --------
    >>> square = Formula("{z}²", "z^2", "z * z")
    >>> square.text, square.element.format(z=3)
    ('z²', '3²')
    """

    element: str
    latex: str
    code: str
    text: str = ""

    def __post_init__(self) -> None:
        if not self.text:
            object.__setattr__(self, "text", re.sub(r"\{(\w+)\}", r"\1", self.element))


def described(*parts: str) -> str:
    r"""The parts that are not empty, as paragraphs: what `help` shows of a formula's owner.

    Parameters
    ----------
    *parts : str

    Returns
    -------
    str

    Examples
    --------
    >>> described("f(z) = z", "", "Linear.")
    'f(z) = z\n\nLinear.'
    """
    return "\n\n".join(fill(part, 100) for part in parts if part)
