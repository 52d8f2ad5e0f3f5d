"""The practical's own notebook: the solution is right, a stub is not done yet, a mistake is told once, where it is."""

import linecache

import numpy as np
import pytest

import at_hand
from byhand.diagnosis import sandbox
from byhand.diagnosis.check import practical, slices
from byhand.diagnosis.check.asked import QUESTIONS
from byhand.diagnosis.check.notebook import check
from byhand.diagnosis.check.practical import check_practical
from byhand.diagnosis.sources import Cell
from byhand.lab.notebooks import question_titles, solution_notebook, student_notebook, tags
from mistakes_table import MISTAKES


def cells_of(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [Cell(f"cell {k}", cell.source, "check" in tags(cell)) for k, cell in enumerate(code, 1)]


SOLUTION = solution_notebook()
CELLS = cells_of(SOLUTION)


def up_to(number):
    """The questions of a part up to one."""
    numbers = [q.number for q in QUESTIONS]
    first = numbers.index("1.1" if number.startswith("1") else "2.1")
    return QUESTIONS[first : numbers.index(number) + 1]


def with_mistake(old, new):
    [k, *_] = [k for k, cell in enumerate(CELLS) if old in cell.source and not cell.is_check]
    changed = CELLS[k].source.replace(old, new, 1)
    return [*CELLS[:k], Cell(CELLS[k].name, changed), *CELLS[k + 1 :]], changed


def test_the_questions_are_those_of_the_practical():
    titles = [title for cell in SOLUTION.cells for title in question_titles(cell)]
    assert [question.heading for question in QUESTIONS] == titles


def test_the_solution_is_right_and_the_stubs_are_not_done_yet():
    right = check_practical(CELLS, "td1_solution.ipynb")
    assert {q.status for q in right.questions} == {"right"}
    assert len(right.questions) > 50
    assert (right.outcome, right.exit_code, right.findings) == ("right", 0, [])
    empty = check_practical(cells_of(student_notebook(SOLUTION)), "td1_student.ipynb")
    assert {q.status for q in empty.questions} == {"not done yet"}
    assert (empty.outcome, empty.exit_code) == ("not judged", 4)


@pytest.mark.parametrize(
    ("number", "old", "new", "id_"), MISTAKES, ids=[f"{m[0]} {m[3]} {k}" for k, m in enumerate(MISTAKES)]
)
def test_a_mistake_is_told_once_at_its_question_and_line(number, old, new, id_, monkeypatch):
    monkeypatch.setattr(practical, "run", at_hand.run)
    monkeypatch.setattr(sandbox, "run", at_hand.run)
    cells, changed = with_mistake(old, new)
    report = check_practical(cells, "x", questions=up_to(number))
    parts = {q.name: q.part for q in report.questions}
    assert {parts[f.question] for f in report.findings} == {number}
    finding = report.findings[0]
    assert finding.id == id_
    assert finding.evidence
    assert changed.splitlines()[finding.line - 1].strip() == finding.source
    assert all("mend that first" in q.note for q in report.questions if q.status == "not judged")


def test_nine_of_ten_mistakes_have_a_name():
    assert len(MISTAKES) >= 40
    unknown = [m for m in MISTAKES if m[3] == "unknown"]
    assert len(unknown) <= 12  # those that the catalogue has no word for, such as another seed or another rate


@pytest.mark.parametrize(
    ("text", "id_"),
    [("y_hat = a_start * x_trian + b_start", "undefined-name"), ("y_hat = np.dot(X, np.ones(3))", "undefined-name")],
)
def test_an_error_of_python_is_told_as_why_tells_it(text, id_):
    cells, _ = with_mistake("y_hat = a_start * x_train + b_start", text)
    report = check_practical(cells, "x", questions=QUESTIONS[:6])
    [finding] = report.findings
    assert (finding.id, finding.source) == (id_, text)


def test_what_runs_without_end_is_cut_and_the_rest_is_judged():
    cells, _ = with_mistake("y_hat = a_start * x_train + b_start", "while True: y_hat = 1")
    report = check_practical(cells, "x", questions=QUESTIONS[:7])
    statuses = {q.name: q.status for q in report.questions}
    assert statuses["grad_a"] == statuses["y_train"] == "right" or statuses["grad_a"] == "not judged"
    assert statuses["y_hat"] in ("wrong", "not judged")


# ---- inside the notebook


def define(namespace, source, name):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), namespace)


def names_of(cells):
    """What the cells have defined, their figures and words left out."""
    namespace = {"__name__": "__main__"}
    names = [n for q in QUESTIONS for n in (*q.values, *q.functions)]
    for s in slices.needed(slices.statements(cells), [*names, "question"], names):
        source = "\n" * (s.node.lineno - 1) + "\n".join(
            s.cell.source.splitlines()[s.node.lineno - 1 : s.node.end_lineno]
        )
        define(namespace, source, f"<{s.cell.name}:{s.node.lineno}>")
    return namespace


@pytest.fixture(scope="module")
def solved():
    kept = [c for c in CELLS if int(c.name.split()[1]) < 79]
    return names_of(kept)


@pytest.mark.parametrize("number", ["1.6", "1.8", "2.4", "2.7", "2.8", "2.9"])
def test_a_question_is_judged_by_its_number_in_one_block(solved, number, capsys):
    report = check(number, namespace=solved)
    assert {q.status for q in report.questions} == {"right"}
    assert {q.part for q in report.questions} == {number}
    told = capsys.readouterr().out
    assert told.startswith(number)
    assert told.count("✓") == len(report.questions)


def test_an_earlier_mistake_is_not_told_again(solved, capsys):
    namespace = dict(solved)
    define(namespace, "def sigmoid_derivative(z):\n    return z * (1 - z)", "<changed>")
    assert [f.id for f in check("2.4", namespace=namespace).findings] == ["derivative-of-activation"]
    report = check("2.7", namespace=namespace)
    assert report.findings == []
    capsys.readouterr()


def test_what_is_not_there_is_not_done_yet_in_one_line(capsys):
    namespace = names_of(cells_of(student_notebook(SOLUTION))[:3])
    for number in ("1.6", "2.7"):
        report = check(number, namespace=namespace)
        assert {q.status for q in report.questions} == {"not done yet"}
        assert capsys.readouterr().out.count("\n") == 1


def test_a_question_of_plots_and_words_is_left_to_a_reader(solved, capsys):
    assert check("1.2", namespace=solved).questions == []
    assert "nothing here that a program could judge" in capsys.readouterr().out


def test_an_unknown_number_is_refused():
    with pytest.raises(ValueError, match=r"no question 7\.1; the questions are 1\.1, "):
        check("7.1", namespace={})


def test_under_nbgrader_a_mistake_is_an_assertion(solved, monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    namespace = dict(solved, loss=np.sum(solved["err"] ** 2))
    with pytest.raises(AssertionError, match="one has a sum over the samples, the other a mean"):
        check("1.5", namespace=namespace)
    capsys.readouterr()
