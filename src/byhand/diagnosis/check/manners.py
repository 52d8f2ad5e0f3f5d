"""What is made or called in one manner of several, as with activation="tanh": it must be right in each of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from byhand.diagnosis.check.arguments import default, own_names
from byhand.diagnosis.check.claims import Claim, draw
from byhand.diagnosis.check.defined import File, methods_of
from byhand.diagnosis.check.differences import told_by
from byhand.diagnosis.check.shaping import asked_texts


def manners(file: File, claim: Claim) -> Iterator[tuple[str, Claim]]:
    """The same claim of objects that are made with each other text which the class asks for, and that text.

    What is 0 unless somebody says otherwise, as a penalty's weight, is another manner. Functions are called with each
    other text that they ask for and the program says.
    """
    for argument, given in claim.given.items():
        known = asked_texts(file).get(argument[:-1], ()) if isinstance(given, str) else ()
        for text in (t for t in known if t != given and t in _said(file)):
            yield f"{argument[:-1]}={text!r}", replace(claim, given={**claim.given, argument: text})
    node = file.classes.get(claim.functions[-1].partition(".")[0])
    init = methods_of(node).get("__init__") if node is not None else None
    for argument in own_names(init) if init is not None and claim.start.endswith(")\n") else ():
        given = default(init, argument) if init is not None else None
        if node is None or not isinstance(given, ast.Constant) or f"{argument}=" in claim.start:
            continue
        texts = (
            [repr(text) for text in _asked_for(node, argument) if text != given.value]
            if isinstance(given.value, str)
            else []
        )
        texts += ["0.3"] if type(given.value) is float and given.value == 0 else []
        for text in texts:
            yield f"{argument}={text}", replace(claim, start=f"{claim.start[:-2]}, {argument}={text})\n")


def _asked_for(node: ast.ClassDef, argument: str) -> list[str]:
    """The texts that an argument, or what keeps it, is compared with."""
    asked = []
    for n in ast.walk(node):
        if isinstance(n, ast.Compare) and ast.unparse(n.left) in (argument, f"self.{argument}"):
            asked += [c.value for c in n.comparators if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    return list(dict.fromkeys(asked))


def _said(file: File) -> set[Any]:
    """The texts that stand in the program elsewhere than where something is compared with them."""
    nodes = [n for f in file.every.values() for n in ast.walk(f)]
    compared = {c for n in nodes if isinstance(n, ast.Compare) for c in [n.left, *n.comparators]}
    return {n.value for n in nodes if isinstance(n, ast.Constant) and n not in compared}


def is_passed_on(file: File, claim: Claim, parameter: str) -> bool:
    """Whether a gradient is the same whatever is given: its activation's slope is left to the loss."""
    new = {p: np.asarray(v) + draw(*np.shape(v)) for p, v in claim.given.items() if p in claim.parameters}
    inputs = {p: v for p, v in new.items() if p.isidentifier()}
    shape, gradient = np.shape(claim.given[parameter]), claim.gradients[parameter][0]
    one, two = (told_by(file, claim.run(file, given), gradient, shape) for given in ({}, inputs))
    return np.array_equal(one, two)
