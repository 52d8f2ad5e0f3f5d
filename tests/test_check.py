"""A student's solution is judged in its own convention: right code is left alone, a mistake gets its name."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest

from byhand.diagnosis import sources
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check import check_cells, check_file
from byhand.diagnosis.notebook import check
from byhand.errors import ByhandError
from solutions_table import NOT_NAMED, solutions

SOLUTIONS = {name: (what, source) for name, what, source in solutions()}
RIGHT = [name for name, (what, _) in SOLUTIONS.items() if what == "right"]
# One for each id, in changing styles; the whole set is measured by benchmarks/check_solutions.py.
SEEN: dict[str, str] = {}
for _name, (_what, _) in reversed(SOLUTIONS.items()):
    if _what not in ("right", "unknown") and _name not in NOT_NAMED:
        SEEN.setdefault(_what, _name)


def judged(source, file="solution.py"):
    return check_cells(sources.parse(source, file), file)


NAMED = [name for name in RIGHT if name.startswith("odd") or name.endswith("/right")] + list(SEEN.values())


@pytest.fixture(scope="module")
def reports():
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(NAMED, pool.map(lambda name: judged(SOLUTIONS[name][1]), NAMED), strict=True))


def test_the_set_of_solutions_is_large_and_half_of_it_is_held_out():
    assert len(SOLUTIONS) >= 80
    assert len(RIGHT) >= 25
    assert 0.25 < len(list(solutions(held_out=True))) / len(SOLUTIONS) < 0.6
    assert set(SEEN) <= set(CATALOGUE)


@pytest.mark.xdist_group("check")  # one worker makes the reports
@pytest.mark.parametrize("name", [name for name in RIGHT if name.startswith("odd") or name.endswith("/right")])
def test_right_code_is_never_called_wrong(name, reports):
    report = reports[name]
    assert report.findings == []
    assert not any("could be looked at" in note for note in report.notes)
    assert report.is_right


@pytest.mark.xdist_group("check")  # one worker makes the reports
@pytest.mark.parametrize("id_", sorted(SEEN))
def test_a_mistake_is_named_first(id_, reports):
    report = reports[SEEN[id_]]
    assert report.findings[0].id == id_
    assert report.findings[0].evidence


def test_a_formula_that_is_right_on_paper_is_noted_and_not_called_wrong():
    source = SOLUTIONS["softmax_classes/right"][1]
    for old, new, id_ in (
        ("np.exp(z - z.max(axis=1, keepdims=True))", "np.exp(z)", "softmax-overflow"),
        ("np.log(P + 1e-12)", "np.log(P)", "log-of-zero"),
    ):
        report = judged(source.replace(old, new))
        assert report.is_right
        assert report.findings == []
        assert any(note.startswith(f"{id_} may come") for note in report.notes)


def test_a_finding_tells_line_formulas_and_the_first_number_that_differs():
    source = SOLUTIONS["batch_globals/right"][1].replace("(delta2 @ W2.T) * sigmoid_prime(a1)", "delta2 @ W2.T")
    [finding] = judged(source).findings
    assert finding.id == "hidden-derivative-missing"
    assert finding.source == "delta1 = delta2 @ W2.T"
    assert source.splitlines()[finding.line - 1].strip() == finding.source
    assert "f′(z_hidden)" in finding.meant
    assert "dL/dW1[0, 0] is" in finding.evidence


def test_a_mistake_unknown_to_the_catalogue_is_wrong_all_the_same():
    source = SOLUTIONS["batch_globals/right"][1].replace("dW2 = a1.T @ delta2", "dW2 = np.sin(a1).T @ delta2")
    report = judged(source)
    assert report.findings[0].id == "unknown"
    assert not report.is_right


def test_stubs_are_not_done_yet_and_not_wrong():
    statuses = {q.name: q.status for q in judged(SOLUTIONS["odd_half_done/right"][1]).questions}
    assert statuses["sigmoid"] == "right"
    assert statuses["sigmoid_derivative"] == statuses["backward"] == "not done yet"


@pytest.mark.parametrize(
    ("behaviour", "note"),
    [
        ("while True: pass", "has no end"),
        ("import os\nwhile True: os.fork()", "process after process"),
        ("import os; os._exit(0)", "ended the whole program"),
        ("import sys; sys.exit(1)", "sys.exit"),
        ("input()", "input()"),
        ("np.exp = lambda z: 0", "numpy.exp"),
    ],
)
def test_misbehaviour_is_told_and_does_not_cost_the_mark(behaviour, note):
    report = judged(f"{SOLUTIONS['batch_globals/right'][1]}\n{behaviour}\n")
    assert report.findings == []
    assert {q.status for q in report.questions} == {"right"}
    assert any(note in told for told in report.notes)


def test_a_notebook_is_read_with_its_magics_and_lines_are_counted_in_the_cell(tmp_path):
    head, body = SOLUTIONS["batch_globals/right"][1].split("def sigmoid(", 1)
    wrong = ("def sigmoid(" + body).replace("error * sigmoid_prime(a2)", "error")
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_markdown_cell("# TD 1"),
        nbformat.v4.new_code_cell("%matplotlib inline\n" + head),
        nbformat.v4.new_code_cell(wrong),
    ]
    path = tmp_path / "td1.ipynb"
    nbformat.write(notebook, path)
    finding = check_file(path).findings[0]
    assert finding.id == "output-derivative-missing"
    assert finding.cell == "cell 2"
    assert wrong.splitlines()[finding.line - 1].strip() == finding.source == "delta2 = error"


@pytest.mark.parametrize(("name", "text"), [("a.txt", ""), ("a.ipynb", "{}"), ("a.ipynb", "not json")])
def test_a_file_that_is_neither_is_refused_in_one_line(name, text):
    with pytest.raises(ByhandError, match=name):
        sources.parse(text, name)


def command(*arguments):
    return subprocess.run([sys.executable, "-m", "byhand", "check", *arguments], capture_output=True, text=True)


def test_the_command_prints_json_and_tells_by_its_exit_code(tmp_path):
    path = tmp_path / "solution.py"
    path.write_text(SOLUTIONS["line/right"][1])
    right = command(str(path), "--json")
    assert right.returncode == 0
    assert json.loads(right.stdout)["findings"] == []
    path.write_text(SOLUTIONS["line/right"][1].replace("err = y_hat - y_train", "err = y_train - y_hat"))
    wrong = command(str(path), "--json")
    assert wrong.returncode == 3
    [finding] = json.loads(wrong.stdout)["findings"]
    assert {"id", "line", "evidence", "confidence"} <= set(finding)
    assert finding["id"] == "sign-flipped"
    told = command(str(path))
    assert "a sign is flipped" in told.stdout
    assert "Traceback" not in told.stdout + told.stderr
    missing = command(str(tmp_path / "no.py"))
    assert missing.returncode == 2


def test_inside_a_notebook_it_answers_for_the_functions_so_far(capsys):
    namespace = {"__name__": "__main__", "np": np}
    exec(compile(_LAB, "<cell>", "exec"), namespace)
    import linecache

    linecache.cache["<cell>"] = (len(_LAB), None, _LAB.splitlines(True), "<cell>")
    report = check("backward", "train", namespace=namespace)
    assert [f.id for f in report.findings] == ["output-derivative-missing"]
    told = capsys.readouterr().out
    assert "✗ network: forward and backward" in told
    assert "train: not done yet" in told


_LAB = SOLUTIONS["lab_list/right"][1]
_LAB = _LAB[: _LAB.index("def train(")].replace(" * f_out.derivative(z_out)", "")
