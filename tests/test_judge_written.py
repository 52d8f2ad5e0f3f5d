"""Where a number stands that a step is multiplied by, and where a function gives back what it should not."""

from textwrap import dedent

import pytest

from byhand.diagnosis.findings import Place
from byhand.diagnosis.judge.written import where_dropped, where_listed, where_returned, where_written

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


LISTED = {
    "in the loop": ("for p in (W, b):\n    p -= lr * p.grad\n", 2, 1),
    "by name": (
        "params = [W, b]\nfor e in range(9):\n    for p, g in zip(params, grads):\n        p -= lr * g\n",
        4,
        1,
    ),
    "by argument": ("def step(ps):\n    for p in ps:\n        p -= lr * p.grad\n\nstep([W,\n    b])\n", 3, 5),
    "of an object": (
        "class SGD:\n    def __init__(self, params):\n        self.params = params\n\n    def step(self):\n"
        "        for p in self.params:\n            p -= lr * p.grad\n\nopt = SGD(\n    params=[W, b])\n",
        7,
        10,
    ),
    "given back": ("def params():\n    return [W, b]\n\nfor p in params():\n    p -= lr * p.grad\n", 5, 2),
    "two ways": ("ps = [W]\nps = [W, b]\nfor p in ps:\n    p -= lr * p.grad\n", 4, 3),
}


@pytest.mark.parametrize("case", LISTED)
def test_a_list_is_found_where_it_is_written_out_as_far_as_there_is_one_way_to_it(case):
    text, use, line = LISTED[case]
    assert where_listed({"": text}, Place(use)) == Place(line)
    assert where_listed({"": "W -= lr * g\n"}, Place(1)) is None


def test_a_result_is_dropped_in_the_innermost_call_that_stands_alone():
    text = "def step(W, g):\n    return W - lr * g\n\ndef main():\n    step(W, g)\n    V = step(V, h)\n\nmain()\n"
    assert where_dropped({"": text}, [Place(2), Place(5), Place(8)]) == Place(5)
    assert where_dropped({"": text}, [Place(2), Place(6)]) is None
