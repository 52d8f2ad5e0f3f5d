"""The story that `byhand why` tells: what is mended, what is told where, in the terminal, as JSON, on the page."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.findings import Facts, Finding, Judgement, Parameter, Place
from byhand.diagnosis.story import running
from byhand.diagnosis.story.errors import ScriptError
from byhand.diagnosis.story.page import page
from byhand.diagnosis.story.program import Change, Program, changes, read
from byhand.diagnosis.story.report import Chapter, Mending, Report, Told, as_json, happened, proof
from byhand.diagnosis.story.running import Run, helps
from byhand.diagnosis.story.telling import why
from byhand.diagnosis.story.terminal import tell
from byhand.errors import ByhandError
from engine_double import Double

CELL = """\
np.random.seed(44)
W_hidden = np.random.randn(n_hidden, 2)
b_hidden = np.zeros(n_hidden)
W_out = np.random.randn(1, n_hidden)
b_out = np.zeros(1)
n_hidden = 10
lr = 0.001
epochs = 60

def relu(x):
    return x.clip(0, None)

def z(x):
    return np.dot(W_hidden, x) + b_hidden

def slope_of_relu(x):
    return 1 * (x >= 0)

def forward(X):
    loss = 0
    hidden, outputs = np.zeros((len(X), n_hidden)), np.zeros((len(X), 1))
    for i in range(len(X)):
        hidden[i] = relu(z(X[i]))
        outputs[i] = relu(np.dot(W_out, hidden[i]) + b_out)
        loss += (y_train[i] - outputs[i]) ** 2
    return hidden, outputs, loss

def backward(X, y, hidden, outputs):
    global b_out
    for i in range(len(X)):
        delta = 2 * (outputs[i] - y[i]) * slope_of_relu(np.dot(W_out, hidden[i]) + b_out)
        for j in range(n_hidden):
            W_out[0][j] -= lr * delta * hidden[i][j]
        b_out -= lr * delta
        for j in range(n_hidden):
            for k in range(2):
                W_hidden[j][k] -= lr * delta * W_out[0][j] * slope_of_relu(z(X[i]))[j] * X[i][k]
            b_hidden[j] -= lr * delta * W_out[0][j]

losses = np.zeros(epochs)
for epoch in range(epochs):
    hidden, outputs, loss = forward(X_train)
    backward(X_train, y_train, hidden, outputs)
    losses[epoch] = loss
"""
LINE = dict(enumerate(CELL.splitlines(), 1))


def number(text, source=CELL):
    return next(n for n, line in enumerate(source.splitlines(), 1) if text in line)


PARAMETERS = [Parameter("W_hidden", (10, 2), 40, True), Parameter("b_out", (1,), 40, True)]


def judge_of_the_cell(source):
    """What is wrong in the cell, as it now stands."""
    seed = int(re.search(r"seed\((\d+)\)", source).group(1))
    lines = source.splitlines()
    out, use, bias = (number(t, source) for t in ("W_out[0][j] -=", "W_hidden[j][k] -=", "b_hidden[j] -="))
    facts = Facts(PARAMETERS, "loss", Place(number("loss +=", source)), 4, 1, [2.0, 2.0], [0, 59], 2.0, 2.0, 300)
    if seed < 46 and "outputs[i] = relu" in source:
        dead = Finding("dead-relu-output", Place(number("outputs[i] = relu", source)), "exact", "Dead.", {"loss": 2.0})
        return Judgement("inconclusive", [dead], facts)
    findings = []
    if out < use:
        findings.append(Finding("updated-weights-used", Place(use), "exact", "Changed before.", {}, [Place(bias)]))
    if "slope" not in lines[bias - 1]:
        findings.append(Finding("bias-gradient-wrong", Place(bias), "exact", "No slope."))
    if "z(X[i])" in lines[use - 1]:
        findings.append(Finding("slope-read-again", Place(use), "exact", "Read again."))
    facts.losses, facts.loss_end = [2.0, 0.5 if findings else 0.25], 0.5 if findings else 0.25
    return Judgement("wrong" if findings else "right", findings, facts)


@pytest.fixture
def engine(monkeypatch):
    def put_in_place(judge):
        double = Double(judge)
        monkeypatch.setattr(running, "run", double.run)
        monkeypatch.setattr(running, "first_that_helps", double.first_that_helps)
        return double

    return put_in_place


@pytest.fixture
def cell(tmp_path, engine):
    double = engine(judge_of_the_cell)
    (tmp_path / "td1.py").write_text(CELL)
    return why(tmp_path / "td1.py"), double


def in_terminal(report, **options):
    out = io.StringIO()
    tell(report, Console(file=out, width=200), **options)
    return out.getvalue()


def test_the_cell_is_peeled_mistake_by_mistake(cell):
    report, double = cell
    ids = [[told.finding.id for told in chapter.told] for chapter in report.chapters]
    assert ids == [
        ["missing-import"],
        ["name-before-definition"],
        ["undefined-name"] * 2,
        ["size-one-array-to-scalar"] * 4,
        ["dead-relu-output"],
        ["updated-weights-used", "bias-gradient-wrong", "slope-read-again"],
        [],
    ]
    assert report.outcome == "wrong"
    assert report.exit_code == 3
    assert double.runs == 10  # no run is made twice


def test_every_finding_stands_at_its_line_of_the_students_own_text(cell):
    report, _ = cell
    at = {told.finding.id: LINE[told.finding.place.line].strip()[:20] for told in report.told}
    assert at["missing-import"].startswith("np.random.seed")
    assert at["dead-relu-output"].startswith("outputs[i] = relu")
    assert at["updated-weights-used"].startswith("W_hidden[j][k] -=")
    assert at["bias-gradient-wrong"].startswith("b_hidden[j] -=")
    for told in report.told:
        for change in told.mending.changes if told.mending else []:
            assert change.before in (None, LINE.get(change.line))


def test_the_lines_are_rewritten(cell):
    report, _ = cell
    mended = {told.finding.id: told.mending.changes for told in report.told if told.mending}
    (bias,) = mended["bias-gradient-wrong"]
    assert "slope_of_relu(z(X[i]))[j]" in bias.after
    assert mended["dead-relu-output"][0].after.strip() == "outputs[i] = np.dot(W_out, hidden[i]) + b_out"
    assert mended["slope-read-again"][0].after.strip() == "slope = slope_of_relu(z(X[i]))[j]"
    assert all(c.moved_before for c in mended["updated-weights-used"])
    assert mended["name-before-definition"] == [Change(6, LINE[6], LINE[6], 2)]


def test_other_seeds_are_tried_until_the_output_lives(cell):
    report, _ = cell
    assert report.chapters[5].mended == "with the seed 46 (with 45 it is dead, too)"


def test_the_ending_says_only_what_the_last_run_showed(cell):
    report, _ = cell
    text = " ".join(report.ending)
    assert "nothing more is found" in text
    assert "W_hidden and b_out" in text
    assert f"(line {number('loss +=')})" in text


def test_the_terminal_has_plain_words_and_the_formulae_behind_more(cell):
    report, _ = cell
    text, more = in_terminal(report), in_terminal(report, more=True)
    assert CATALOGUE["bias-gradient-wrong"].plain in text
    assert CATALOGUE["bias-gradient-wrong"].why not in text
    assert CATALOGUE["bias-gradient-wrong"].why in more
    assert text.count(CATALOGUE["size-one-array-to-scalar"].plain) == 1  # four lines, told once
    assert "losses[epoch] = loss.item()" in text
    assert f"{number('losses[epoch]')} │ " in text


def test_json_holds_everything_and_nothing_of_the_clock(cell):
    report, _ = cell
    answer = json.loads(json.dumps(as_json(report), allow_nan=False))
    assert answer["outcome"] == "wrong"
    assert "seconds" not in json.dumps(answer)
    dead = next(f for f in answer["findings"] if f["id"] == "dead-relu-output")
    assert (dead["line"], dead["chapter"], dead["evidence"]["loss"]) == (number("outputs[i] = relu"), 4, 2.0)
    assert answer["chapters"][0]["verdict"] == "stopped"


def test_the_page_has_one_plot_of_the_scripts_own_curve(cell):
    report, _ = cell
    text = page(report)
    assert text.count("<svg") == 1
    assert "the loss stays at 2" in text
    assert "<del>" in text
    assert "<details>" in text
    assert "#010203" not in text


def drawn(losses, end, *told, steps=None):
    """The page of one run with these losses, which ends at another where the curve is not the whole."""
    facts = Facts(
        PARAMETERS, losses=losses, steps=steps or list(range(len(losses))), loss_start=losses[0], loss_end=end
    )
    return page(Report(Program("s.py", "a\nb\nc\n"), [Chapter("", "wrong", [], [Told(f) for f in told], facts)]))


def test_the_curve_says_what_was_found_and_at_which_lines():
    flipped = [Finding("sign-flipped", Place(line), "exact", "") for line in (3, 1)]
    text = drawn([2.0, 1.0], 1.0, *flipped, Finding("too-few-epochs", Place(0), "symptom", ""))
    words = re.findall(r"<text[^>]*>([^<]+)</text>", text)
    assert "line 1, 3" in words
    assert "s.py as it is" in words
    assert "\N{EM SPACE}line 1, 3: A sign is flipped" in words
    assert "\N{EM SPACE}Training stopped early" in words


def test_the_curve_and_the_words_give_the_same_end():
    assert "s.py: the loss goes from 2 to 0.5" in drawn([2.0, 1.0, 0.5], 0.5)
    assert "drawn" not in drawn([2.0, 1.0, 0.5], 0.5)
    assert "s.py: the loss goes from 2 to 0.25, drawn up to step 40" in drawn([2.0, 1.0], 0.25, steps=[0, 40])
    assert "drawn up to step 1" in drawn([2.0, 1e10, 1e40], 1e40)  # what grows further leaves the plot


def test_without_a_curve_the_page_says_so():
    assert "No curve" in drawn([2.0], 2.0)


def test_one_step_and_one_sample_are_said_so():
    one = Facts([Parameter("W", (), 1, True)], samples=1, losses=[2.0], loss_start=2.0, loss_end=2.0)
    assert happened(Program("s.py", ""), one) == [
        "It trains W (a number), on 1 sample; 1 step was looked at.",
        "The loss that it computes is 2 where it was seen.",
    ]


def test_a_mending_of_several_lines_is_told_as_such():
    told = Told(Finding("sign-flipped", Place(1), "exact", ""), Mending([Change(1, "a", "b")]))
    assert "with this line was run" in proof([told])
    assert "with these lines was run" in proof([told, told])


# ---- outcomes


def reported(judgement, tmp_path, engine, source="x = 1\n"):
    engine(lambda text: judgement)
    (tmp_path / "s.py").write_text(source)
    return why(tmp_path / "s.py")


def test_right_is_said_only_of_a_right_verdict(tmp_path, engine):
    facts = Facts(PARAMETERS, "error", Place(1), 4, 1, evidence=12)
    report = reported(Judgement("right", [], facts), tmp_path, engine)
    assert (report.outcome, report.exit_code) == ("right", 0)
    assert report.ending[0].startswith("Right: every step of W_hidden and b_out")
    assert "half the squared error (line 1)" in report.ending[0]


@pytest.mark.parametrize("verdict", ["inconclusive", "nothing", "wrong"])
def test_nothing_else_is_called_right(verdict, tmp_path, engine):
    facts = Facts(PARAMETERS if verdict != "nothing" else [], unexplained=["b_out"], blocked=["np.cross"])
    report = reported(Judgement(verdict, [], facts), tmp_path, engine)
    assert report.exit_code == 4
    assert "Right" not in in_terminal(report)
    if verdict != "nothing":
        assert "b_out" in " ".join(report.ending)
        assert "np.cross" in " ".join(report.ending)


def test_a_training_with_right_gradients_may_still_have_findings(tmp_path, engine):
    finding = Finding("too-few-epochs", Place(1), "symptom", "It still falls.", {})
    report = reported(Judgement("right", [finding], Facts(PARAMETERS)), tmp_path, engine)
    assert report.exit_code == 3
    text = in_terminal(report)
    assert "there may be another cause" in text
    assert CATALOGUE["too-few-epochs"].mend in text  # no line was found that helps, so the catalogue says it


@pytest.mark.parametrize(("better", "outcome"), [("rate = 0.1", "wrong"), ("rate = 9", "right")])
def test_a_guess_is_told_only_where_a_copy_shows_it(better, outcome, tmp_path, engine):
    guess = Finding("learning-rate-too-low", Place(1), "experiment", "As good as none.", {"learning_rate": 0.01})
    engine(lambda text: Judgement("right", [], Facts(PARAMETERS), guesses=[] if better in text else [guess]))
    (tmp_path / "s.py").write_text("rate = 0.01\n")
    report = why(tmp_path / "s.py")
    assert report.outcome == outcome
    assert [t.mending.changes[0].after for t in report.told] == ([better] if outcome == "wrong" else [])


def test_a_rewritten_line_that_does_not_help_is_not_told(tmp_path, engine):
    finding = Finding("sign-flipped", Place(2), "exact", "Uphill.", {})
    report = reported(Judgement("wrong", [finding], Facts(PARAMETERS)), tmp_path, engine, "g = 1\nw = g - 2\n")
    assert report.told[0].mending is None
    assert len(report.chapters) == 1


def test_a_run_that_was_stopped_says_so(tmp_path, engine, monkeypatch):
    engine(lambda text: Judgement("nothing"))
    monkeypatch.setattr(running, "run", lambda program, seconds: Run(ended="out of time"))
    (tmp_path / "s.py").write_text("while True:\n    pass\n")
    report = why(tmp_path / "s.py")
    assert report.exit_code == 4
    assert "stopped before its end (out of time)" in in_terminal(report)


def test_what_cannot_be_read_is_a_clear_error(tmp_path):
    with pytest.raises(ByhandError, match="cannot read"):
        why(tmp_path / "none.py")


def test_a_syntax_error_needs_no_run(tmp_path, engine):
    double = engine(lambda text: Judgement("nothing"))
    (tmp_path / "s.py").write_text("x = (\n")
    report = why(tmp_path / "s.py")
    assert [t.finding.id for t in report.told] == ["syntax-error"]
    assert double.runs == 0


# ---- helping


def test_what_helps_is_what_removes_the_finding_and_brings_no_other():
    flipped, bias = (Finding(i, Place(1), "exact", "") for i in ("sign-flipped", "bias-gradient-wrong"))
    before = Judgement("wrong", [flipped])
    assert helps(before, Run(Judgement("right")), flipped)
    assert not helps(before, Run(Judgement("wrong", [flipped])), flipped)
    assert not helps(before, Run(Judgement("wrong", [bias])), flipped)
    assert helps(before, Run(Judgement("wrong", [bias])), flipped, others=True)
    of_b1 = [Finding(i, Place(1), "exact", "", {"parameters": ["b1"]}) for i in ("sign-flipped", "derivative-wrong")]
    swapped = Run(Judgement("wrong", of_b1[1:]))
    assert not helps(Judgement("wrong", of_b1[:1]), swapped, of_b1[0], others=True)  # one mistake for another
    assert not helps(before, Run(Judgement("inconclusive")), flipped)
    assert not helps(before, Run(Judgement("nothing")), flipped, others=True)


def test_a_run_survives_its_message():
    finding = Finding("sign-flipped", Place(3, "net.py"), "exact", "m", {"factor": -1.0}, [Place(4, "net.py")])
    judgement = Judgement("wrong", [finding], Facts(PARAMETERS, "loss", Place(9), losses=[1.0, 0.5]))
    error = ScriptError("NameError", "no", Place(2), "f", {"x": (3, 1)}, [(3,), ()], [Place(1)])
    run = Run(judgement, error, "finished", running.TrainingLoop(9, 30))
    assert running.read(json.loads(json.dumps(running.written(run)))) == run


def test_a_short_copy_ends_when_its_loop_has_shown_its_beginning():
    before = "n = []\nfor i in range(1000):\n    n.append(i)\n"
    after = "n = []\nm = 0\nfor i in range(1000):\n    m += 1\n    n.append(i)\n"
    names = {}
    with pytest.raises(SystemExit):
        exec(running.shortened(before, after, running.TrainingLoop(2, 30)), names)
    assert names["m"] == 30


# ---- programs


def test_a_notebook_is_its_code_cells_and_says_cell_and_line(tmp_path):
    cells = ["%matplotlib inline\nimport numpy as np", "# text", "x = np.zeros(3)\ny = x[7]"]
    book = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": [], "execution_count": None} for s in cells]
    book.insert(1, {"cell_type": "markdown", "source": "words", "metadata": {}})
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": book, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    program = read(tmp_path / "n.ipynb")
    line = number("y = x[7]", program.source)
    assert program.where(line) == "cell 3, line 2"
    compile(program.source, "n", "exec")


def test_what_a_program_reads_of_a_notebook_has_cell_and_line_as_well(tmp_path):
    source = (Path(__file__).parent / "scripts" / "sign-flipped" / "line.py").read_text()
    data, _, training = source.partition("lr = 0.1")
    cells = [data, "lr = 0.1" + training]
    book = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": [], "execution_count": None} for s in cells]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": book, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    [found] = as_json(why(tmp_path / "n.ipynb"))["findings"]
    uphill = number("a = a + lr * grad_a", cells[1])
    assert (found["cell"], found["line"], found["places"][0]) == ("cell 2", uphill, f"cell 2, line {uphill}")
    assert [(c["cell"], c["line"]) for c in found["mended"]] == [("cell 2", uphill), ("cell 2", uphill + 1)]


def test_what_lies_beside_the_script_goes_with_it(tmp_path):
    (tmp_path / "main.py").write_text("import layers\nfrom nets import deep\ndata = open('x.csv')\n")
    (tmp_path / "layers.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "x.csv").write_text("1,2")
    (tmp_path / "y.csv").write_text("1,2")
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "deep.py").write_text("")
    program = read(tmp_path)
    assert set(program.files) == {"layers.py", "helper.py", "x.csv", "nets/deep.py"}
    assert program.where(2, "layers.py") == "line 2 of layers.py"


def test_a_folder_that_does_not_say_which_script_is_meant(tmp_path):
    (tmp_path / "a.py").write_text("")
    (tmp_path / "b.py").write_text("")
    with pytest.raises(ByhandError, match=r"a\.py, b\.py"):
        read(tmp_path)
    (tmp_path / "a.py").write_text("import b\n")
    assert read(tmp_path).name == "a.py"


def test_changes_know_new_gone_rewritten_and_moved_lines():
    assert changes("a\nb\n", "a\nc\nb\n") == [Change(2, None, "c")]
    assert changes("a\nb\nc\n", "a\nc\n") == [Change(2, "b", None)]
    assert changes("a\nb\nc\n", "a\nB\nc\n") == [Change(2, "b", "B")]
    assert changes("a\nb\nc\n", "c\na\nb\n") == [Change(3, "c", "c", 1)]
    assert changes("", "") == []


def test_an_empty_report_of_nothing():
    report = Report(Program("s.py", ""), [Chapter("", "nothing", [])])
    assert report.exit_code == 4
    assert "nothing was judged" in in_terminal(report)
    assert "<svg" not in page(report)
