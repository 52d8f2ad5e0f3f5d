"""The types that the rooms share."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.floating[Any]]
"""An array of real numbers; a batch has one sample a row."""

Seed: TypeAlias = int | np.random.Generator | np.random.SeedSequence | None
"""What `numpy.random.default_rng` takes: the same seed gives the same numbers, None gives new ones."""

Shape: TypeAlias = tuple[int | None, ...]
"""Of one sample; None where an axis may have any length."""
