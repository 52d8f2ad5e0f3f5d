"""From what a student's code did in the sandbox to what is right, wrong, or not done yet in it."""

from __future__ import annotations

import ast
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, softmax
from byhand.diagnosis import asked, names, sources
from byhand.diagnosis.asked import Status
from byhand.diagnosis.catalogue import CATALOGUE
from byhand.diagnosis.check_judging import Experiment, OwnLoss, Verdict, judge, leaks
from byhand.diagnosis.check_results import Finding, Question, Report
from byhand.diagnosis.sandbox import Outcome
from byhand.diagnosis.sandboxed import unpack, unpack_value
from byhand.diagnosis.sources import Cell

# What reading an experiment may raise when their code has tampered with it.
_GARBLED = (ValueError, KeyError, TypeError, IndexError, AttributeError)


# Names that are some library's, when nobody has defined them.
_IMPORTED = [
    "np",
    "numpy",
    "plt",
    "matplotlib",
    "pd",
    "pandas",
    "sns",
    "math",
    "random",
    "time",
    "os",
    "sys",
    "copy",
    "deepcopy",
    "itertools",
    "functools",
    "partial",
    "reduce",
    "json",
    "sklearn",
    "scipy",
    "tqdm",
    "trange",
    "LinearRegression",
    "Ridge",
    "MLPClassifier",
    "MLPRegressor",
    "StandardScaler",
    "train_test_split",
    "mean_squared_error",
    "accuracy_score",
    "load_digits",
    "load_iris",
    "make_moons",
    "make_circles",
    "expit",
    "defaultdict",
    "namedtuple",
    "dataclass",
    "Path",
]


class Checker:
    """Reads the messages of one run into a report."""

    def __init__(self, cells: list[Cell], outcome: Outcome, file: str, told: list[str]) -> None:
        self.cells = cells
        self.told = told
        self.text = "\n".join(cell.source for cell in cells)
        self.result = Report(file)
        self.messages = [m for m in outcome.messages if m.get("kind") != "at"]
        self.ran: dict[str, Any] = next((m for m in self.messages if m.get("kind") == "ran"), {})
        self.has_stub = sources.has_stub(self.text)
        self.functions = {node.name: (cell, node) for cell, node in self._nodes() if isinstance(node, ast.FunctionDef)}

    def _nodes(self) -> Iterator[tuple[Cell, ast.AST]]:
        """Every node of every cell that can be parsed, with its cell."""
        for cell in self.cells:
            with contextlib.suppress(SyntaxError):
                yield from ((cell, node) for node in ast.walk(ast.parse(cell.source)))

    def report(self) -> Report:
        """All that the messages tell: each mistake once, the surest first."""
        self._how_it_ran()
        self._errors()
        for message in self.messages:
            if message.get("kind") == "function":
                self._function(message)
            elif message.get("kind") == "activation":
                with contextlib.suppress(*_GARBLED):
                    self._activation_layer(message)
            elif message.get("kind") == "trial":
                with contextlib.suppress(*_GARBLED):
                    self._trial(message)
        with contextlib.suppress(*_GARBLED):
            self._values()
        self._initial_values()
        self._network()
        unique: dict[str, Finding] = {}
        for finding in sorted(self.result.findings, key=lambda f: -f.confidence):
            unique.setdefault(finding.id, finding)
        self.result.findings = list(unique.values())
        return self.result

    # ── what the others use ─────────────────────────────────────────────────────────────────────────────────────

    def _question(self, name: str, status: Status, note: str = "", part: str = "") -> None:
        self.result.questions.append(Question(name, status, note, part or _part_of(name)))

    def _find(
        self,
        id: str,  # noqa: A002 - as in the catalogue
        where: tuple[str, int | None],
        evidence: str,
        confidence: float,
        question: str = "",
        meant: str = "",
        found: str = "",
    ) -> None:
        title = CATALOGUE[id].title if id in CATALOGUE else "wrong, and not a mistake I know"
        cell, line = where
        self.result.findings.append(
            Finding(id, title, line, cell, evidence, confidence, question, meant, found, self._line(cell, line))
        )

    def _line(self, cell: str, line: int | None) -> str:
        for candidate in self.cells:
            lines = candidate.source.splitlines()
            if candidate.name == cell and line is not None and 0 < line <= len(lines):
                return lines[line - 1].strip()
        return ""

    def _where(self, function: str) -> tuple[str, int | None]:
        if function in self.functions:
            cell, node = self.functions[function]
            return cell.name, node.lineno
        return "", None

    # ── how it ran ─────────────────────────────────────────────────────────────────────────────────────────────

    def _how_it_ran(self) -> None:
        self.result.notes += self.told
        if self.ran.get("patched"):
            self.result.notes.append(
                f"it puts something of its own into {', '.join(self.ran['patched'])}; that was undone"
            )
        for where in self.ran.get("too_long", []):
            self.result.notes.append(f"the loop in line {where.rpartition(':')[2]} has no end; it was stopped")

    def _errors(self) -> None:
        for problem in self.ran.get("problems", []):
            error = problem["error"]
            cell = problem["where"].rpartition(":")[0]
            where = ("" if cell in ("the file", "") else cell, error.get("line"))
            told = f"{error['type']}: {error['message']}"
            if error["type"] == "SyntaxError":
                self._question("the code can be read", "wrong", told)
                self.result.notes.append(f"{told} (line {error.get('line')})")
            elif id_ := self._id_of_error(error, problem["statement"]):
                self._find(id_, where, told, 0.95)
            elif error["type"] == "SystemExit":
                self.result.notes.append(f"it ends itself with sys.exit (line {error.get('line')})")
            elif error["type"] not in ("NameError", "NotImplementedError", "ModuleNotFoundError", "EOFError"):
                self.result.notes.append(f"line {error.get('line')} stops with {told[:200]}")
        for message in self.messages:
            if message.get("kind") == "failed" and not self.ran.get("problems"):
                failure = message["error"]
                if id_ := self._id_of_error(failure, ""):
                    self._find(
                        id_, self._cell_of(failure), f"{failure['type']}: {failure['message']}", 0.8, message["program"]
                    )

    def _cell_of(self, error: Mapping[str, Any]) -> tuple[str, int | None]:
        for file, line, _ in reversed(error.get("lines", [])):
            if file == "the file" or file.startswith("cell "):
                return ("" if file == "the file" else file), line
        return "", error.get("line")

    def _id_of_error(self, error: Mapping[str, Any], statement: str) -> str | None:
        kind, text = error["type"], error["message"]
        if kind in ("NameError", "UnboundLocalError"):
            return self._id_of_name(error)
        if kind == "ValueError" and re.search(
            r"could not be broadcast|mismatch in its core dimension|not aligned|broadcastable", text
        ):
            return self._id_of_shapes(text)
        if re.search(r"only (0-dimensional|length-1|size-1) arrays|setting an array element with a sequence", text):
            return "size-one-array-to-scalar"
        if kind == "UFuncTypeError" or "Cannot cast ufunc" in text:
            return "integer-parameters" if re.search(r"to dtype\('?u?int", text) else None
        return None

    def _id_of_shapes(self, text: str) -> str:
        """Two shapes that are each other's transpose, or a square of the number of targets, tell more."""
        shapes = [tuple(int(k) for k in found.split(",") if k) for found in re.findall(r"\(([\d,]+)\)", text)]
        if (
            "broadcast" in text
            and len(shapes) >= 2
            and len(shapes[0]) == 2
            and shapes[0] == shapes[1][::-1]
            and shapes[0] != shapes[1]
        ):
            return "transposed-gradient" if 1 not in shapes[0] else "shape-mismatch"
        if (n := self._flat_targets()) and (n, n) in shapes:
            return "broadcast-error-matrix"
        return "shape-mismatch"

    def _id_of_name(self, error: Mapping[str, Any]) -> str | None:
        name = error.get("name")
        if not name or error["type"] == "UnboundLocalError":
            return None
        if name in _IMPORTED and not re.search(rf"import .*\b{name}\b|\b{name}\s*=", self.text):
            return "missing-import"
        assigned = rf"^\s*(\w+\s*,\s*)*{name}\s*(,\s*\w+\s*)*=[^=]|\bas\s+{name}\b"
        defined = re.search(rf"(?m)^\s*(def|class)\s+{name}\b|{assigned}|import .*\b{name}\b", self.text)
        if self.has_stub:
            return None
        return "name-before-definition" if defined else "undefined-name"

    # ── single functions ───────────────────────────────────────────────────────────────────────────────────────

    def _function(self, message: dict[str, Any]) -> None:
        name, results = message["name"], message["results"]
        outcomes = {label: value for label, value in results.items() if label != "order"}
        where = self._where(name)
        title = name
        if any(o.get("nothing") for o in outcomes.values()):
            self._question(title, "not done yet")
            return
        first = next(iter(outcomes.values()))
        if any(o.get("mutated") for o in outcomes.values()):
            self._find("input-mutated", where, f"{name} changes the array that it is given", 0.9, title)
        values = {label: unpack(o["value"]) for label, o in outcomes.items() if o.get("value") is not None}
        if not values:
            error = first.get("error") or {}
            stub = error.get("type") == "NotImplementedError"
            guessed = message["as"] in ("is_loss", "is_accuracy")  # by its name alone: our arguments may not fit
            if id_ := self._id_of_error(error, "") if error and not guessed else None:
                self._find(id_, self._cell_of(error), f"{error['type']}: {error['message']}", 0.9, title)
                self._question(title, "wrong", error["message"])
            else:
                self._question(title, "not done yet" if stub else "unclear", error.get("message", ""))
            return
        arguments = {label: [unpack(a) for a in o["arguments"]] for label, o in outcomes.items()}
        judges = {
            "elementwise": self._elementwise,
            "is_softmax": self._softmax,
            "is_accuracy": self._accuracy,
            "is_loss": self._loss,
        }
        judges[message["as"]](name, values, arguments)

    def _activation_layer(self, message: dict[str, Any]) -> None:
        """An object whose `backward` multiplies what it is given by f′: it shows f′."""
        z, a, slope = (unpack(message[key]) for key in ("z", "a", "slope"))
        f = next((f for f in ACTIVATIONS.values() if f.name != "identity" and _same(a, f(z))), None)
        if f is None:
            return
        name, truth = message["name"], f.derivative(z, a)
        if _same(slope, truth):
            self._question(name, "right", part=_part_of(f.name))
            return
        i = tuple(int(k) for k in np.argwhere(~np.isclose(slope, truth, rtol=1e-6))[0])
        evidence = f"{name}: at z = {z[i]:.3g} it multiplies by {slope[i]:.8g}, and {f.name}′(z) is {truth[i]:.8g}"
        self._question(name, "wrong", evidence, _part_of(f.name))
        id_ = (
            "hidden-derivative-missing"
            if _same(slope, np.ones_like(z))
            else _id_of_values(f, z, slope, truth, None, True)
        )
        if id_ == "unknown" and _same(slope, f.derivative(z, z)):
            id_ = "derivative-of-activation"
        self._find(id_, (message["cell"], message["line"]), evidence, 0.9, name)

    def _trial(self, message: dict[str, Any]) -> None:
        """A small function of the practical that was called with arguments of ours."""
        name, trial = message["name"], asked.TRIALS[message["name"]]
        got = [[unpack(value) for value in result.get("value", []) if value] for result in message["results"]]
        truths = [trial.truth(*arguments) for arguments in trial.arguments]
        error = next((result["error"] for result in message["results"] if "error" in result), None)
        if any(result.get("nothing") for result in message["results"]):
            self._question(name, "not done yet")
        elif all(_all_close(ours, theirs) for ours, theirs in zip(truths, got, strict=True)):
            self._question(name, "right")
        elif error is not None or any(len(ours) != len(theirs) for ours, theirs in zip(truths, got, strict=True)):
            self._question(name, "unclear", error["message"] if error else f"it returns {len(got[0])} arrays")
        else:
            pairs = (pair for ours, theirs in zip(truths, got, strict=True) for pair in zip(theirs, ours, strict=True))
            yours, truth = next(pair for pair in pairs if not asked.close(*pair))
            evidence = asked.first_difference(f"{name}(…)", yours, truth)
            self._question(name, "wrong", evidence)
            slips = ((id_, [slip(*arguments) for arguments in trial.arguments]) for id_, slip in trial.slips)
            id_ = next((id_ for id_, wrong in slips if all(map(_all_close, wrong, got))), "unknown")
            self._find(id_, self._where(name), evidence, 0.85, name)

    def _values(self) -> None:
        """The values of the practical's questions, as they were where they are checked."""
        for number, packed in self.ran.get("at_questions", {}).items():
            question = asked.BY_NUMBER[number]
            values = {name: unpack_value(value) for name, value in packed.items()}
            for answer in asked.answers(question, values):
                if answer.status in ("right", "wrong"):  # what is not there may only have been too slow for us
                    self._answer(question, answer)

    def _answer(self, question: asked.Asked, answer: asked.Answer) -> None:
        self._question(answer.name, answer.status, answer.evidence, question.number)
        if answer.status == "wrong" and answer.id:
            self._find(answer.id, self._assigned(answer.name), answer.evidence, 0.9, answer.name)

    def _elementwise(self, name: str, values: dict[str, Array], arguments: dict[str, list[Array]]) -> None:
        kinds = [
            k for k in ("sigmoid", "relu", "tanh", "identity") if names.means(name, f"is_{k}") or k[:4] in name.lower()
        ]
        if "leaky" in name.lower() or "soft" in name.lower() or "hard" in name.lower():
            return
        derivative = names.means(name, "is_derivative")
        known = [ACTIVATIONS[k] for k in kinds] or (list(ACTIVATIONS.values()) if derivative else [])
        if not known:
            return
        label = next((k for k in ("grid", "vector", "number") if k in values), None)
        if label is None:
            self._question(name, "unclear")
            return
        z, got = arguments[label][0], values[label]
        inside = (arguments["inside"][0], values["inside"]) if "inside" in values else None
        for f in known:
            if derivative:
                if _same(got, f.derivative(z, f(z))) or (
                    inside and _same(inside[1], f.derivative(inside[0], inside[0]))
                ):
                    self._question(name, "right")
                    return
            elif _same(got, f(z)):
                self._question(name, "right")
                return
        if not kinds or got.shape != z.shape:
            self._question(name, "unclear")
            return
        f = known[0]
        truth = f.derivative(z, f(z)) if derivative else f(z)
        self._question(name, "wrong")
        i = tuple(int(k) for k in np.argwhere(~np.isclose(got, truth, rtol=1e-6))[0])
        evidence = f"{name}({z[i]:.3g}) is {got[i]:.8g}, expected {truth[i]:.8g}"
        self._find(_id_of_values(f, z, got, truth, inside, derivative), self._where(name), evidence, 0.85, name)

    def _softmax(self, name: str, values: dict[str, Array], arguments: dict[str, list[Array]]) -> None:
        where = self._where(name)
        grid = arguments["grid"][0]
        got, vector = values.get("grid"), values.get("vector")
        large = [v for label, v in values.items() if label.startswith("large")]
        wrong = False
        if got is not None and not _same(got, softmax(grid)) and self._rows():
            other_axis = got.shape == grid.shape and np.allclose(got.sum(axis=0), 1)
            everywhere = got.shape == grid.shape and abs(float(got.sum()) - 1) < 1e-9
            if other_axis or everywhere:
                wrong = True
                sums = ", ".join(f"{s:.4g}" for s in got.sum(axis=1))
                self._find("softmax-wrong-axis", where, f"the rows of {name}(z) add up to {sums}, not to 1", 0.85, name)
        if any(not np.isfinite(v).all() for v in large):
            # Right on paper, and in most trainings: worth knowing, and no mistake.
            self.result.notes.append(
                f"softmax-overflow may come: {name}([1000, 1001, 999]) gives nan; subtract the largest of a row first"
            )
        right = any(_same(v, softmax(arguments[k][0])) for k, v in (("grid", got), ("vector", vector)) if v is not None)
        self._question(name, "wrong" if wrong else "right" if right else "unclear")

    def _rows(self) -> bool:
        """Whether the data has a sample a row."""
        for name, packed in self.ran.get("names", {}).items():
            if packed and names.means(name, "x") and len(packed["shape"]) == 2:
                return bool(packed["shape"][0] > packed["shape"][1])
        return any(m.get("kind") == "experiment" and m["forms"][0] == "rows" for m in self.messages)

    def _has_constant_input(self) -> bool:
        """Whether one of the inputs is the same in every sample: then its weights are the bias."""
        for name, packed in self.ran.get("names", {}).items():
            if packed and names.means(name, "x") and len(packed["shape"]) == 2:
                x = unpack(packed)
                if any(len(line) > 2 and np.ptp(line) == 0 and line[0] for line in (*x.T, *x)):
                    return True
        return False

    def _flat_targets(self) -> int:
        """How many targets there are in a flat array; 0 when they are no flat array."""
        for name, packed in self.ran.get("names", {}).items():
            if packed and names.means(name, "y") and len(packed["shape"]) == 1 and packed["shape"][0] > 2:
                return int(packed["shape"][0])
        return 0

    def _accuracy(self, name: str, values: dict[str, Array], arguments: dict[str, list[Array]]) -> None:
        cell, node = self.functions[name]
        if len(node.args.args) != 2 or names.means(node.args.args[0].arg, "x"):
            return
        by_class = "argmax" in ast.unparse(node)
        tried = ("classes", "labels") if by_class else ("vectors", "columns", "rows")
        shares = [float(values[label].ravel()[0]) for label in tried if label in values and values[label].size == 1]
        if not shares:
            self._question(name, "unclear")
        elif any(abs(share - right) < 1e-9 for share in shares for right in (0.6, 60.0, 3.0, 0.4, 40.0)):
            self._question(name, "right")
        else:
            self._question(name, "wrong")
            evidence = f"for outputs of which 3 of 5 are right, {name} gives {shares[0]:.6g}, not 0.6"
            self._find("metric-wrong", (cell.name, node.lineno), evidence, 0.8, name)

    def _loss(self, name: str, values: dict[str, Array], arguments: dict[str, list[Array]]) -> None:
        _, node = self.functions[name]
        if names.means(node.args.args[0].arg, "x") if node.args.args else True:
            return
        finite = any(np.isfinite(v).all() for k, v in values.items() if not k.startswith("sure"))
        sure = [v for k, v in values.items() if k.startswith("sure")]
        if finite and sure and any(not np.isfinite(v).all() for v in sure):
            self.result.notes.append(
                f"log-of-zero may come: for outputs of exactly 0 and 1 that are right, {name} gives "
                f"{float(sure[0].ravel()[0])}; keep them away from 0 and 1, or compute the loss from the logits"
            )
        self._question(name, "right" if values else "unclear")

    # ── parameters ─────────────────────────────────────────────────────────────────────────────────────────────

    def _initial_values(self) -> None:
        used = {p["name"] for m in self.messages if m.get("kind") == "experiment" for p in m["parameters"]}
        first = {n: unpack(v) for n, v in self.ran.get("first", {}).items() if v is not None}
        for name in used & set(first):
            value = first[name]
            if value.dtype.kind in "iu" and re.search(rf"\b{name}\b(\[[^\]]*\])*\s*[-+]=", self.text):
                self._find(
                    "integer-parameters",
                    self._assigned(name),
                    f"{name} has the dtype {value.dtype}",
                    0.85,
                    "parameters",
                )

    def _assigned(self, name: str) -> tuple[str, int | None]:
        for cell in self.cells:
            for number, line in enumerate(cell.source.splitlines(), 1):
                if re.match(rf"\s*(\w+\s*,\s*)*{re.escape(name)}\s*(,[^=]*)?=[^=]", line):
                    return cell.name, number
        return "", None

    # ── forward and backward ───────────────────────────────────────────────────────────────────────────────────

    def _network(self) -> None:
        log = bool(re.search(r"\blog(1p|2)?\(", self.text))
        experiments: list[Experiment] = []
        known: dict[int, OwnLoss] = {}
        for message in self.messages:
            if message.get("kind") != "experiment":
                continue
            with contextlib.suppress(*_GARBLED):
                experiment = Experiment(message)
                loss = experiment.own_loss(experiment.network)
                experiments.append(experiment)
                if loss is not None and loss.kind != "unknown" and not experiment.own:
                    known.setdefault(len(experiment.sizes), loss)
        verdicts: list[Verdict] = []
        for experiment in experiments:
            with contextlib.suppress(*_GARBLED):
                leaked = list(leaks(experiment))
                for name in leaked:
                    where = self._where(experiment.parts[0] if experiment.parts else "")
                    self._find("label-leak", where, f"{name} changes when the targets do", 0.9, "forward")
                if not leaked:  # else its gradient is another one for that
                    verdicts.append(judge(experiment, log, known.get(len(experiment.sizes))))
            self._symmetry(experiment)
        for depth in sorted({len(v.sizes) for v in verdicts}):
            self._judge_network([v for v in verdicts if len(v.sizes) == depth])
        self._unfilled(verdicts)

    def _symmetry(self, experiment: Experiment) -> None:
        """Hidden units that are all the same in the student's own parameters, as they were first or are now."""
        forms = {p: d["form"] for p, d in zip(experiment.places, experiment.parameters, strict=True)}
        present = dict(zip(experiment.places, experiment.message["present"], strict=True))
        first = {p: self.ran.get("first", {}).get(name) for p, name in experiment.names_of.items()}
        for values in (first, present):  # a loop that was cut may have changed half of the units
            below, above = values.get((0, "W")), values.get((1, "W"))
            if below is None or above is None:
                continue
            W, V = unpack(below), unpack(above)
            W = W if forms[0, "W"] == "out,in" else W.T
            V = V.T if forms[1, "W"] == "out,in" else V
            if W.ndim == V.ndim == 2 and 1 < len(W) == len(V) and np.allclose(W, W[0]) and np.allclose(V, V[0]):
                name = experiment.names_of[0, "W"]
                self._find(
                    "symmetric-initialization",
                    self._assigned(name),
                    f"all {len(W)} hidden units have the same weights in {name} and in {experiment.names_of[1, 'W']}",
                    0.9,
                    "parameters",
                )
                return

    def _judge_network(self, verdicts: list[Verdict]) -> None:
        forward = next((v for v in verdicts if v.network is not None), None)
        parts = next((v.parts for v in verdicts if v.parts), [])
        label = "line" if verdicts[0].sizes == [1, 1] else "network"
        if forward is not None:
            self._judge_forward(forward, parts)
        elif any(v.parts for v in verdicts):
            self._question(
                f"forward ({parts[0]})" if parts else "forward",
                "unclear",
                "I don't recognise what it computes",
                "1.4" if label == "line" else "2.5",
            )
        gradients = [v for v in verdicts if v.status != "none"]
        if not gradients:
            return
        by_program: dict[str, list[Verdict]] = {}
        for verdict in gradients:
            by_program.setdefault(verdict.program, []).append(verdict)
        settled = {program: self._settle(group) for program, group in by_program.items()}
        paired = {part for v in settled.values() if v.status == "right" for part in v.parts}
        settled = {
            program: v for program, v in settled.items() if v.status != "wrong" or not v.parts or set(v.parts) - paired
        }  # two functions that are each right with another one do not belong together
        right_steps = [v for v in settled.values() if v.status == "right" and v.updates]
        # A factor may be made good where the step is taken; with a rate that is written in, only a division shows it.
        steps_divide = re.search(r"(?m)^.*[-+]=.*/|=\s*\w+\s*-.*/", self.text) is not None
        excused = {"sign-flipped"} if right_steps else set()
        absorbed = re.search(
            r"(?i)#.*(absorb|in the (learning )?rate|dans le (taux|learning)|in der lernrate)", self.text
        )
        if any(v.rate_known for v in right_steps) or (right_steps and steps_divide):
            excused |= {"constant-factor", "sum-versus-mean"}
        for program, verdict in settled.items():
            status: Status = "unclear" if verdict.status == "none" else verdict.status
            if status == "wrong" and not verdict.updates and verdict.ids and set(verdict.ids) <= excused:
                status = "right"  # the factor or sign is made good where the step is taken
            if status == "wrong" and absorbed and verdict.ids == ["constant-factor"]:
                status = "right"  # a comment says that the rate makes it good
            if (
                status == "wrong"
                and not verdict.ids
                and (verdict.updates and any(v.status == "right" for v in settled.values()))
            ):
                status = "unclear"  # momentum, decay and the like
            title = f"{label}: {program}"
            by_steps = {"line": ("1.6", "1.8"), "network": ("2.7", "2.8")}
            part = by_steps[label][verdict.updates]
            self._question(title, status, verdict.evidence if status == "wrong" else "", part)
            if status == "wrong":
                self._tell(verdict, title)

    def _settle(self, group: list[Verdict]) -> Verdict:
        """One program in sizes of ours and in its own: right in either is right; sizes may be written in."""
        for verdict in group:
            if verdict.status == "right":
                return verdict
        named = [v for v in group if v.ids]
        return named[0] if named else group[0]

    def _judge_forward(self, verdict: Verdict, parts: list[str]) -> None:
        assert verdict.network is not None
        title = f"forward ({parts[0]})" if parts else "forward"
        where = self._where(parts[0]) if parts else ("", None)
        wrong = False
        has_bias = verdict.sizes != [1, 1] or (0, "b") in verdict.names_of
        unseen = any((layer, "b") not in verdict.names_of for layer in verdict.network.without_bias)
        may_be_there = unseen and self._additions(parts) > len(verdict.sizes) - 2
        if verdict.network.without_bias and has_bias and not may_be_there and not self._has_constant_input():
            layers = ", ".join(
                "output" if k == len(verdict.sizes) - 2 else "hidden" for k in verdict.network.without_bias
            )
            self._find(
                "bias-missing",
                where,
                f"the output is exactly that of a network without bias ({layers} layer)",
                0.9,
                title,
            )
            wrong = True
        if verdict.loss is not None and verdict.loss.kind == "matrix":
            self._find(
                "broadcast-error-matrix",
                where,
                "the loss is that of every output against every target: (n, 1) − (n,) is an (n, n) matrix",
                0.95,
                "loss",
            )
        activations = " and ".join(dict.fromkeys(a.name for a in verdict.network.activations))
        note = f"{'-'.join(map(str, verdict.sizes))}, {activations}" + (
            ", softmax" if verdict.network.probabilities else ""
        )
        self._question(title, "wrong" if wrong else "right", note, "1.4" if verdict.sizes == [1, 1] else "2.5")

    def _additions(self, parts: list[str]) -> int:
        """How many sums stand in the forward function: a bias that is no parameter we know may be in one."""
        if not parts or parts[0] not in self.functions:
            return 0
        nodes = ast.walk(self.functions[parts[0]][1])
        return sum(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) for node in nodes)

    def _tell(self, verdict: Verdict, title: str) -> None:
        explanation = verdict.explanations[0] if verdict.explanations else None
        for id_, evidence in verdict.extra_ids:
            self._find(id_, self._gradient_line(id_, verdict), evidence, 0.9, title)
        if explanation is not None:
            words = {v.id: v for v in explanation.variants}
            for rank, id_ in enumerate(explanation.ids):
                variant = words.get(id_)
                factors = {verdict.names_of[p]: f for p, f in explanation.factors.items() if f != 1.0}
                found = variant.found if variant else _factor_words(factors)
                meant = variant.meant if variant else "each gradient as it follows from the loss"
                where = f" ({variant.where})" if variant and variant.where else ""
                evidence = f"{verdict.evidence}; all numbers match exactly: {found}{where}"
                confidence = (0.97 if len(explanation.ids) == 1 else 0.85) - 0.02 * rank
                self._find(id_, self._gradient_line(id_, verdict), evidence, confidence, title, meant, found)
        elif not verdict.extra_ids:
            self._find("unknown", self._gradient_line("", verdict), verdict.evidence, 0.6, title)

    def _gradient_line(self, id_: str, verdict: Verdict) -> tuple[str, int | None]:
        """The line that most likely holds the mistake: where the wrong gradient, or its δ, is assigned."""
        if verdict.parts and (found := self.functions.get(verdict.parts[-1])):
            cell, node = found
            body: list[ast.stmt] = [s for s in ast.walk(node) if isinstance(s, ast.stmt)]
        else:
            number = re.search(r"line (\d+)", verdict.program)
            located = self._loop_at(int(number[1]) if number else 0)
            if located is None:
                return "", None
            cell, body = located
        return cell.name, _likely_line(id_, body, verdict)

    def _loop_at(self, line: int) -> tuple[Cell, list[ast.stmt]] | None:
        for cell, node in self._nodes():
            if isinstance(node, ast.For | ast.While) and node.lineno == line:
                return cell, [s for s in ast.walk(node) if isinstance(s, ast.stmt)]
        return None

    def _unfilled(self, verdicts: list[Verdict]) -> None:
        """Functions of the practical that are there and still empty."""
        named = {q.name for q in self.result.questions}
        for name, (_, node) in self.functions.items():
            body = [s for s in node.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            stub = (
                not body or all(isinstance(s, ast.Pass) for s in body) or "NotImplementedError" in ast.unparse(body[0])
            )
            if stub and name not in named:
                self._question(name, "not done yet")


def _part_of(name: str) -> str:
    """The question of the practical that something of this name answers, by its number; else a word for it."""
    if name == "the code can be read":
        return "code"
    for number, functions in ((q.number, q.functions) for q in asked.QUESTIONS):
        if name in functions:
            return number
    for part in ("softmax", "accuracy"):
        if names.means(name, f"is_{part}"):
            return part
    for kind, number in (("sigmoid", "2.4"), ("relu", "2.10"), ("tanh", "tanh"), ("identity", "2.10")):
        if names.means(name, f"is_{kind}") or kind[:4] in name.lower():
            return number
    for kind, number in (("backward", "2.7"), ("forward", "2.5"), ("loss", "1.5")):
        if names.means(name.partition(" ")[0], f"is_{kind}"):
            return number
    return "2.4" if names.means(name, "is_derivative") else "other"


def _all_close(ours: Sequence[Array], theirs: Sequence[Array]) -> bool:
    return len(ours) == len(theirs) and all(asked.close(b, a) for a, b in zip(ours, theirs, strict=True))


def _same(got: Array, truth: Array) -> bool:
    return bool(got.shape == np.shape(truth) and np.allclose(got, truth, rtol=1e-6, atol=1e-9))


def _id_of_values(
    f: Any, z: Array, got: Array, truth: Array, inside: tuple[Array, Array] | None, derivative: bool
) -> str:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = got / truth
    ratio = ratio[np.isfinite(ratio)]
    if ratio.size and np.allclose(ratio, ratio[0], rtol=1e-6) and (got != 0).any():
        return "sign-flipped" if abs(ratio[0] + 1) < 1e-6 else "constant-factor"
    if derivative:
        a = f(z)
        if _same(got, f.derivative(a, f(a))):
            return "derivative-of-activation"
        for other in (ACTIVATIONS[name] for name in ("sigmoid", "tanh", "relu")):
            if other is not f and _same(got, other.derivative(z, other(z))):
                return "wrong-layer-activation"
    return "unknown"


def _factor_words(factors: Mapping[str, float]) -> str:
    if len(set(factors.values())) == 1:
        value = next(iter(factors.values()))
        return f"the gradient{'s' if len(factors) > 1 else ''} of {', '.join(factors)} times {value:.6g}"
    return "; ".join(f"that of {name} times {value:.6g}" for name, value in factors.items())


def _likely_line(id_: str, body: list[ast.stmt], verdict: Verdict) -> int | None:
    assigned = [s for s in body if isinstance(s, ast.Assign | ast.AugAssign | ast.AnnAssign)]
    if not assigned:
        return body[0].lineno if body else None
    assigned.sort(key=lambda s: s.lineno)
    hidden = "hidden" in id_ or id_ == "updated-weights-used"
    if verdict.explanations:
        for variant in verdict.explanations[0].variants:
            if variant.id == id_:
                hidden = "hidden" in variant.where
    wanted = "b" if id_ == "bias-gradient-wrong" else ""
    scores: list[tuple[float, int]] = []
    for statement in assigned:
        target = ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target).lower()
        text = ast.unparse(statement).lower()
        score = 0.0
        layer = names.layer_of(target)
        score += 1.0 if layer == (0 if hidden else 1) else 0.0
        if wanted == "b":
            score += 2.0 if re.search(r"(^|[^a-z])(d|grad_|g)?_?b(ias)?(_|\d|\b)|db|bias", target) else 0.0
        else:
            score += 1.5 if re.search(r"delta|err|dz|d_z|dout|grad_z|δ|da", target) else 0.0
        if id_ == "updated-weights-used":
            score += (
                2.0
                if re.search(r"(\.t\b|dot|@|\*)", text) and re.search(r"w_?(out|2|o|ho)", text) and "=" in text
                else 0.0
            )
        scores.append((score, -statement.lineno))
    best = max(scores)
    return -best[1]
