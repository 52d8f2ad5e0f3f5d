"""Corners of an activation, as relu's at 0: a program may take either side's slope there, and neither is a mistake."""

from __future__ import annotations

import numpy as np

from byhand.diagnosis.judge.anatomy import Anatomy
from byhand.diagnosis.judge.steps import Overrides, Rule
from byhand.diagnosis.tape.derive import Unknown

_H = 1e-6


def at_kinks(body: Anatomy, *, right: bool = True) -> Overrides:
    """The derivative with the slope of one side wherever an input lies on a corner; empty if none does."""
    rules: dict[int, Rule] = {}
    for regions in body.regions.values():
        for region in regions:
            z = np.asarray(body.nodes[region.z].value, dtype=float)
            if not (z == 0).any():
                continue
            try:
                below, above = body.slope(region, z - 2 * _H, _H), body.slope(region, z + 2 * _H, _H)
            except Unknown:
                continue
            if np.abs(below - above).max() > 1e-3:
                rules[region.a] = _through(region.z, above if right else below)
    return rules


def _through(z: int, slope: np.ndarray) -> Rule:
    return lambda g: [(z, g * slope)]
