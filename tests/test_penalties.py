"""Penalties where their formulas have corners."""

import numpy as np

from byhand.penalties import L1, L2


def test_a_weight_of_zero_is_pulled_nowhere():
    W = np.array([[2.0, 0.0, -3.0]])
    np.testing.assert_array_equal(L1(0.5).gradient(W), [[0.5, 0.0, -0.5]])
    np.testing.assert_array_equal(L2(0.5).gradient(W), [[1.0, 0.0, -1.5]])
