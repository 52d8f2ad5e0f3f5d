"""The examples in the docstrings of the mathematics and the estimators give what they say."""

import doctest
from importlib import import_module

import numpy as np
import pytest

MODULES = """
activations arithmetic datasets estimators.linear estimators.networks formulas gradient_check initializers layers.base
losses network optimizers penalties schedules storage symptoms training
"""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MODULES.split())
def test_examples(name):
    module = import_module(f"byhand.{name}")
    result = doctest.testmod(module, extraglobs={"np": np}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert result.attempted
    assert not result.failed
