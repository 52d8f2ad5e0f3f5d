"""Python's own errors: what they mean, and the text mended so far that the script gets beyond them."""

import pytest

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.findings import Place
from byhand.diagnosis.story import errors
from byhand.diagnosis.story.errors import ScriptError, explain, syntax_error, with_seed
from byhand.diagnosis.story.program import Program
from byhand.diagnosis.story.rewriting import GUESSES, rewritings
from engine_double import error_of
from measure_why import expected, scripts

STOPPED = [
    "missing-import",
    "name-before-definition",
    "undefined-name",
    "shape-mismatch",
    "size-one-array-to-scalar",
]
PATHS = [
    p
    for p in scripts(*STOPPED, "integer-parameters")
    if error_of(
        p.read_text().replace(
            "import matplotlib.pyplot as plt", "import unittest.mock; plt = unittest.mock.MagicMock()"
        )
    )
]


def explained(source):
    error = error_of(source)
    assert error is not None
    return explain(error, Program("script.py", source))


def mended(source, finding):
    return rewritings(source, finding, {**GUESSES, **errors.MENDINGS}.get(finding.id, ()))


@pytest.mark.parametrize("path", PATHS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_error_is_explained_at_its_line_and_mended(path):
    source = path.read_text()
    wanted, lines = expected(path)
    finding = explained(source)
    assert finding.id == wanted
    assert finding.place.line in lines
    texts = mended(source, finding)
    if wanted == "shape-mismatch" or "y_train" in finding.evidence.get("name", ""):
        return
    after = error_of(texts[0])
    assert after is None or (after.message, after.place) != (error_of(source).message, error_of(source).place)


CASES = [
    ("import numpy as np\nx = np.zeros(3)\nx[5]", "index-outside", 3, ""),
    ("d = {}\nd['a']", "missing-key", 2, ""),
    ("import nothing_of_the_kind", "missing-module", 1, "nothing_of_the_kind"),
    ("open('no.csv')", "missing-file", 1, "no.csv"),
    ("[].shape", "missing-attribute", 1, "shape"),
    ("def f(a):\n    return a\nf()", "wrong-arguments", 3, "missing 1"),
    ("1 / 0", "division-by-zero", 1, ""),
    ("import math\nmath.log(0)", "log-of-zero", 2, ""),
    ("import math\nmath.exp(1e6)", "number-overflow", 2, ""),
    ("def f():\n    return f()\nf()", "endless-recursion", 2, ""),
    ("raise RuntimeError('so')", "python-error", 1, "so"),
    ("b = 1\ndef f():\n    b -= 1\nf()", "name-before-definition", 3, "line 1"),
    ("import numpy as np\na = np.zeros((2, 3))\nb = a @ np.zeros((2, 3))", "shape-mismatch", 3, "a is (2, 3)"),
]


@pytest.mark.parametrize(("source", "id_", "line", "says"), CASES, ids=[c[1] for c in CASES])
def test_each_kind_of_error_has_its_words(source, id_, line, says):
    finding = explained(source)
    assert (finding.id, finding.place.line) == (id_, line)
    assert says in finding.message
    assert id_ in CATALOGUE
    assert finding.message.endswith(".")
    assert ".." not in finding.message


def test_a_name_that_a_function_makes_its_own_is_declared_global():
    source = "b = 1\ndef f():\n    b -= 1\nf()\n"
    (text,) = mended(source, explained(source))[:1]
    assert text == "b = 1\ndef f():\n    global b\n    b -= 1\nf()\n"
    assert error_of(text) is None


def test_two_arrays_of_one_shape_in_a_product_were_meant_element_by_element():
    error = ScriptError("ValueError", "shapes (4,1) and (4,1) not aligned: 1 (dim 1) != 4 (dim 0)", Place(1))
    error.computed = [(4, 1)]
    finding = explain(error, Program("s.py", "d = np.dot(e, a * (1 - a))\n"))
    assert finding.id == "dot-instead-of-elementwise"


def test_an_array_of_more_than_one_element_is_no_size_one_array():
    error = ScriptError("ValueError", "setting an array element with a sequence.", Place(1), held={"v": (3,)})
    assert explain(error, Program("s.py", "losses[0] = v\n")).id == "shape-mismatch"
    error.held = {"v": (1,)}
    assert explain(error, Program("s.py", "losses[0] = v\n")).id == "size-one-array-to-scalar"


def test_data_that_an_earlier_cell_may_have_defined_is_that_of_xor():
    source = "import numpy as np\nprint(X_train.shape, y_train.sum())\n"
    finding = explained(source)
    assert (finding.id, finding.evidence["name"]) == ("undefined-name", "X_train")
    assert "XOR" in finding.message
    (text,) = mended(source, finding)
    finding = explained(text)
    assert finding.evidence["name"] == "y_train"
    assert error_of(mended(text, finding)[0]) is None


def test_a_script_that_python_cannot_read_is_not_run():
    error = syntax_error(Program("s.py", "x = (1\ny = 2\n"))
    assert explain(error, Program("s.py", "x = (1\ny = 2\n")).id == "syntax-error"
    assert syntax_error(Program("s.py", "x = 1\n")) is None


@pytest.mark.parametrize("call", ["np.random.seed({})", "np.random.default_rng({})", "np.random.RandomState(seed={})"])
def test_another_seed(call):
    assert with_seed(call.format(44), 2) == (call.format(46), 46)
    assert with_seed("x = 1", 1) is None
