"""`byhand.check` in the practical's own notebook: by a question's number, at any stage of the work."""

import linecache
import re

import pytest

from byhand.diagnosis.asked import QUESTIONS, answers
from byhand.diagnosis.notebook import check
from byhand.lab.notebooks import question_titles, solution_notebook, student_notebook, tags


def run_cells(notebook, end):
    """The names that a notebook's cells, but those that check, have defined by the time that question `end` begins."""
    namespace = {"__name__": "__main__"}
    for number, cell in enumerate(notebook.cells):
        if any(title.startswith(f"{end} ") for title in question_titles(cell)):
            break
        if cell.cell_type == "code" and ("check" not in tags(cell) or "def " in cell.source):
            source = re.split(r"\nwith (?:question|comparison)\(", cell.source)[0]
            source = source.replace("show(", "(lambda *a: 0)(").replace("say(", "(").replace("in_short(", "(")
            define(namespace, source, f"<cell {number} of {id(notebook)}>")
    return namespace


def define(namespace, source, name="<changed>"):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), namespace)


@pytest.fixture(scope="module")
def solved():
    return run_cells(solution_notebook(), "2.10")


@pytest.fixture(scope="module")
def empty():
    return run_cells(student_notebook(solution_notebook()), "2.10")


def test_the_questions_are_those_of_the_practical():
    titles = [title for cell in solution_notebook().cells for title in question_titles(cell)]
    assert [question.heading for question in QUESTIONS] == titles


@pytest.mark.parametrize("number", ["1.8", "2.1", "2.3", "2.4", "2.5", "2.7", "2.8"])
def test_the_functions_of_the_solution_are_right(solved, number, capsys):
    report = check(number, namespace=solved)
    assert {question.status for question in report.questions} == {"right"}
    assert report.is_right
    assert "✗" not in capsys.readouterr().out


def test_the_values_of_the_solution_are_right(solved):
    judged = [answer for q in QUESTIONS[:21] for answer in answers(q, solved)]
    assert len(judged) > 20
    assert {answer.status for answer in judged} == {"right"}


@pytest.mark.parametrize("number", ["1.6", "1.8", "2.3", "2.4", "2.7", "2.8"])
def test_what_is_still_a_stub_is_told_in_one_line(empty, number, capsys):
    report = check(number, namespace=empty)
    assert {question.status for question in report.questions} == {"not done yet"}
    told = capsys.readouterr().out
    assert told.startswith(f"○ {number} ")
    assert told.count("\n") == 1


def test_a_question_of_plots_and_words_is_left_to_a_reader(solved, capsys):
    assert check("1.2", namespace=solved).questions == []
    assert "nothing here that a program could judge" in capsys.readouterr().out


def test_an_unknown_number_is_refused():
    with pytest.raises(ValueError, match=r"no question 7\.1; the questions are 1\.1, "):
        check("7.1", namespace={})


@pytest.mark.parametrize(
    ("number", "change", "id_"),
    [
        ("1.4", "y_hat = a_start * x_train", "bias-missing"),
        ("1.5", "loss = np.sum(err**2)", "sum-versus-mean"),
        ("1.6", "grad_a = -grad_a", "sign-flipped"),
        ("1.6", "grad_b = np.sum(err) / N", "constant-factor"),
        ("1.7", "a_next = a_start + learning_rate * grad_a", "sign-flipped"),
        ("1.11", "hessian = hessian / 2", "constant-factor"),
        ("2.2", "n_parameters = 30", "bias-missing"),
        ("2.3", "def layer_rows(x, V, b):\n    return x @ V", "bias-missing"),
        ("2.4", "def sigmoid_derivative(z):\n    return z * (1 - z)", None),
        (
            "2.7",
            "def backward(X, y, parameters, passed, f_hidden, f_out):\n"
            "    z1, a1, z2, a2 = passed\n"
            "    d2 = 2 * (a2 - y) * f_out.derivative(z2)\n"
            "    d1 = d2 @ parameters[2]\n"
            "    return [d1.T @ X, d1.sum(axis=0, keepdims=True), d2.T @ a1, d2.sum(axis=0, keepdims=True)]",
            "hidden-derivative-missing",
        ),
    ],
)
def test_a_mistake_is_named(solved, number, change, id_, capsys):
    namespace = dict(solved, learning_rate=0.1)
    define(namespace, change)
    report = check(number, namespace=namespace)
    assert [finding.id for finding in report.findings] == ([id_] if id_ else [])
    if id_:
        assert f"[{id_}]" in capsys.readouterr().out


STEPS = """
def gradient_descent(a, b, learning_rate, epochs):
    losses, path = [], [(a, b)]
    for _ in range(epochs):
        err = a * x_train + b - y_train
        losses.append(np.sum(err**2) / N)
        a = a - learning_rate * 2 * np.sum(err * x_train) / N
        b = b - learning_rate * 2 * np.sum(err) / N
        path.append((a, b))
    return np.array(losses), np.array(path)
"""


@pytest.mark.parametrize(
    ("old", "new", "ids"),
    [
        ("return np.array(losses), np.array(path)", "return (a, b), losses", []),
        ("np.sum(err * x_train) / N", "np.mean(x_train * err)", []),
        ("- learning_rate", "+ learning_rate", ["sign-flipped"]),
        ("learning_rate * 2", "learning_rate", ["constant-factor"]),
        ("x_train + b - y_train", "x_train - y_train", ["bias-missing"]),
        ("        b = b - learning_rate * 2 * np.sum(err) / N\n", "", ["parameter-never-updated"]),
        ("np.sum(err) / N", "np.sum(err)", ["bias-gradient-wrong"]),
        ("        a = a -", "    a = a -", None),
    ],
)
def test_gradient_descent_on_the_line_is_judged(solved, old, new, ids):
    source = STEPS.replace(old, new)
    assert source != STEPS
    if ids is None:
        source = source.replace("        b = b -", "    b = b -").replace("        path.app", "    path.app")
        ids = ["update-outside-loop"]
    namespace = dict(solved)
    define(namespace, source)
    assert [finding.id for finding in check("gradient_descent", namespace=namespace).findings] == ids
