"""Where a number stands that a step is multiplied by, and where a function gives back what it should not."""

from textwrap import dedent

import pytest

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.written import where_returned, where_written

CLASS = dedent(
    """
    class Model:
        def __init__(self, eta=0.5, scale=0.01):
            self.eta = eta
            self.W = draw(0.01)

        def step(self, grad):
            self.W -= self.eta * grad

    model = Model(
        scale=1.0,
        eta=0.01,
    )
    """
)


@pytest.mark.parametrize(
    ("text", "value", "use", "line"),
    [
        (CLASS, 0.01, 8, 12),  # of three places the one that is given to the name in the step's line
        (CLASS, 0.5, 8, 3),
        ("lr = 0.1\nW = W - lr * g", 0.1, 2, 1),
        ("def f(lr=0.1):\n    W = W - lr * g\nf(0.1)", 0.1, 2, 3),  # a call, before what it falls back upon
        ("a, lr = 3, 0.1\nW = W - lr * g\nb = 0.1", 0.1, 2, 1),
        ("c = {\n'lr': 0.1,\n'm': 0.1}\nW -= c['lr'] * g", 0.1, 4, None),  # a key is no name: two places
        ("W -= 0.1 * g\nb -= 0.1 * h", 0.1, 2, None),
    ],
)
def test_a_number_is_found_where_it_is_given_to_the_name_that_a_step_uses(text, value, use, line):
    found = where_written({"": text}, value, Place(use))
    assert (found and found.line) == line


def test_the_line_that_gives_a_value_back_is_found_only_for_uses_elsewhere():
    text = "def f(x):\n    z = x @ W\n    a = tanh(z)\n    return z\n\ny = f(x) - t\n"
    assert where_returned({"": text}, Place(2), "z", Place(6)) == Place(4)
    assert where_returned({"": text}, Place(2), "z", Place(3)) is None
    assert where_returned({"": text}, Place(2), "a", Place(6)) is None
