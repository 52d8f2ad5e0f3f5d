"""What a study does: its grid, its runs and the blocks they are computed in.

A run is one network trained once. A `Way` is all that is chosen before training but the learning rate; a `Cell` is a
way at one learning rate, with a run for each seed. Everything about a run follows from the plan and its number, so a
block of runs may be computed anywhere.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property, partial
from itertools import pairwise, product
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np

import byhand
from byhand.activations import ACTIVATIONS, Activation
from byhand.errors import ByhandError
from byhand.initializers import INITIALIZERS
from byhand.layers import Dropout, Layer
from byhand.losses import LOSSES
from byhand.network import Network
from byhand.optimizers import OPTIMIZERS, Optimizer
from byhand.penalties import L1, L2, Penalty
from byhand.schedules import (
    Schedule,
    constant,
    cosine,
    exponential,
    inverse_time,
    reduce_on_plateau,
    step_decay,
    warmup,
)
from byhand.study.data import Data
from byhand.study.ensemble import runs_in_a_block
from byhand.training import check_loss

T = TypeVar("T")
Several: TypeAlias = T | Sequence[T]
"""One value, or several of them."""

# By kind of data: loss, activation of the last layer ("same": that of the others), initializer, and the loss at which
# a run has converged. XOR is as in the practical: below 0.01 every output is within 0.1 of its target.
_DEFAULTS: dict[str, tuple[str, str, str, float]] = {
    "xor": ("sum_of_squares", "same", "standard_normal", 0.01),
    "two classes": ("binary_cross_entropy_from_logits", "identity", "glorot_uniform", 0.1),
    "classes": ("cross_entropy_from_logits", "identity", "glorot_uniform", 0.1),
    "regression": ("mean_squared_error", "identity", "glorot_uniform", 0.1),
}
_ACTIVATIONS = ("sigmoid", "relu", "tanh", "identity")
# Which hidden activation wins on XOR hangs on the last layer's, so where nobody names activations all are crossed.
_OUTPUTS_OF_XOR = ("same", "identity", "sigmoid")
_PENALTIES: dict[str, Callable[..., Penalty]] = {"l1": L1, "l2": L2}
_SCHEDULES: dict[str, Callable[..., Schedule]] = {
    schedule.__name__: schedule
    for schedule in (constant, step_decay, exponential, inverse_time, cosine, warmup, reduce_on_plateau)
}
MEASURES = ("loss", "error")
# A run has converged with so large an error: 5 % wrong answers, or R² = 0.9.
_ERROR = {"xor": 0.05, "two classes": 0.05, "classes": 0.05, "regression": 0.1}
PRECISIONS = {"double": np.float64, "single": np.float32}

# A task of a worker should last about this long, in seconds by a rough estimate: long enough to be worth sending,
# short enough that not much is lost with it.
_TASK = 1.0
# But it has no more runs than so many, whose weights and losses lie in memory together.
_MOST_RUNS = 10_000
# Above this a study would take years, and the numbers of its runs no memory holds.
_MOST = 5 * 10**11
# What a step costs in a run that is trained alone, in the same rough seconds.
_STEP_ALONE = 40e-6


@dataclass(frozen=True)
class Way:
    """All that is chosen before training but the learning rate.

    An activation such as "relu" is that of the hidden layers; "relu/identity" says that of the last layer too, and with
    one name a layer it says all. A batch size of None is all samples, a penalty or schedule of "" is none, and so is a
    max_norm of None.
    """

    activation: str
    initializer: str
    hidden: tuple[int, ...]
    optimizer: str
    batch_size: int | None
    dropout: float
    penalty: str
    loss: str
    schedule: str
    max_norm: float | None

    def choice(self, factor: str) -> str:
        """What was chosen of a factor, in words."""
        value = getattr(self, factor)
        if factor == "hidden":
            return f"{'-'.join(map(str, value))} hidden units" if value else "no hidden layer"
        if factor == "batch_size":
            return "full batch" if value is None else f"batches of {value}"
        if factor == "dropout":
            return f"dropout {value:g}" if value else "no dropout"
        if factor == "max_norm":
            return "no clipping" if value is None else f"gradients clipped at {value:g}"
        return str(value) or f"no {factor}"


FACTORS = tuple(field.name for field in fields(Way))
"""What may differ from cell to cell beside the learning rate."""


@dataclass(frozen=True)
class Cell(Way):
    """One way to train, at one learning rate."""

    learning_rate: float


@dataclass(frozen=True)
class Block:
    """Runs that are computed and stored together.

    `start` and `stop` count the runs of one way, rate by rate and then seed by seed; `first_run` is the number of the
    first among all runs.
    """

    number: int
    way: Way
    start: int
    stop: int
    first_run: int


@dataclass(frozen=True)
class Plan:
    """The definition of a study; made by `make_plan`, which checks it and fills in defaults.

    Attributes
    ----------
    data : Data
    ways : tuple of Way
        The grid, but for the learning rates.
    learning_rates : tuple of float
        Ascending.
    compare : tuple of str
        The factors whose values are compared, each at its best; what else differs is chosen with the learning rate.
    seeds : int
        How many runs a cell has: with the seeds 0, 1, …
    output : str
        The activation of the last layer where a way does not say it; "same": the same as in the others.
    measure : {"loss", "error"}
        What is held against the threshold and, where there is a validation set, chosen by: the loss that is minimized,
        or what all losses have in common: the share of wrong answers, or of a regression 1 − R².
    epochs : int
    threshold : float
        The measure, on the training set, at which a run has converged.
    patience : int or None
        Early stopping, as in `training.train`.
    precision : {"double", "single"}
    own : tuple of Activation
        Activations that are not the library's.
    """

    data: Data
    ways: tuple[Way, ...]
    learning_rates: tuple[float, ...]
    compare: tuple[str, ...]
    seeds: int
    output: str
    measure: Literal["loss", "error"]
    epochs: int
    threshold: float
    patience: int | None
    precision: Literal["double", "single"]
    own: tuple[Activation, ...]

    def sizes(self, way: Way) -> list[int]:
        """Inputs, hidden units, outputs."""
        return [self.data.x.shape[1], *way.hidden, self.data.y.shape[1]]

    @cached_property
    def cells(self) -> list[Cell]:
        """All ways at all rates, in the order of the runs."""
        return [Cell(**asdict(way), learning_rate=rate) for way in self.ways for rate in self.learning_rates]

    @cached_property
    def rows(self) -> dict[Cell, int]:
        """The place of each cell among all."""
        return {cell: row for row, cell in enumerate(self.cells)}

    @cached_property
    def activations(self) -> tuple[str, ...]:
        """The activations of the grid."""
        return self.values("activation")

    def values(self, factor: str) -> tuple[Any, ...]:
        """The different values of a factor in the grid."""
        return tuple(dict.fromkeys(getattr(way, factor) for way in self.ways))

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """The factors that have several values."""
        return tuple(factor for factor in FACTORS if len(self.values(factor)) > 1)

    def name(self, way: Way) -> str:
        """What is compared, by name: the values of the factors to compare, by default its activation."""
        return ", ".join(way.choice(factor) for factor in self.compare)

    def full_name(self, way: Way) -> str:
        """A way by the values of all factors that have several."""
        return ", ".join(way.choice(factor) for factor in self.varying or ("activation",))

    @property
    def n_runs(self) -> int:
        """How many networks are trained."""
        return len(self.ways) * len(self.learning_rates) * self.seeds

    @property
    def stops_at_threshold(self) -> bool:
        """Whether a run ends when it has converged: not where its validation loss at the end is asked for."""
        return self.data.validation is None

    @property
    def is_of_classes(self) -> bool:
        """Whether an output is right or wrong."""
        return self.data.kind != "regression"

    @property
    def shows_accuracy(self) -> bool:
        """Whether the share of right answers says more than the share that converged: of four samples it doesn't."""
        return self.data.kind in ("two classes", "classes")

    @cached_property
    def recorded(self) -> list[int]:
        """The epochs whose losses are kept, some forty, closer at the start."""
        some = np.geomspace(1, self.epochs, 40).round().astype(int) - 1
        return sorted({*some.tolist(), (self.epochs - 1) // 2})

    def blocks(self) -> Iterator[Block]:
        """All blocks, a function of the plan alone: results do not depend on where and when they are computed."""
        runs_of_a_way, number = len(self.learning_rates) * self.seeds, 0
        for place, way in enumerate(self.ways):
            size = self._runs_in_a_task(way)
            for start in range(0, runs_of_a_way, size):
                first = place * runs_of_a_way + start
                yield Block(number, way, start, min(start + size, runs_of_a_way), first)
                number += 1

    def _runs_in_a_task(self, way: Way) -> int:
        n = len(self.data.x)
        seconds = self.seconds_an_epoch(way) * self.epochs
        if self.is_alone(way):
            return max(1, round(_TASK / seconds))
        together = runs_in_a_block(self.sizes(way), min(way.batch_size or n, n), n, PRECISIONS[self.precision])
        return together * max(1, round(min(_TASK / seconds, _MOST_RUNS) / together))

    def seconds_an_epoch(self, way: Way) -> float:
        """The processor time of one epoch of one run, by a rough estimate."""
        n, sizes = len(self.data.x), self.sizes(way)
        steps = math.ceil(n / way.batch_size) if way.batch_size else 1
        products = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        seconds = 6e-9 * n * sum(sizes[1:]) + 0.3e-9 * n * products + steps * 1e-8 * products
        return seconds + steps * _STEP_ALONE if self.is_alone(way) else seconds

    def is_alone(self, way: Way) -> bool:
        """Whether its networks are trained one after the other by `training.train`, which knows more than ensembles."""
        return bool(way.dropout or self.patience or way.schedule.startswith("reduce_on_plateau"))

    def network(self, way: Way, seed: int) -> Network:
        """The untrained network of a run."""
        dtype = PRECISIONS[self.precision]
        network = Network.dense(
            self.sizes(way), self.by_layer(way), initializer=way.initializer, seed=seed, dtype=dtype
        )
        if not way.dropout:
            return network
        *hidden, last = copy.deepcopy(network.layers)  # a layer belongs to one network
        layers: list[Layer] = []
        for number, layer in enumerate(hidden):
            layers += [layer, Dropout(way.dropout, seed=np.random.default_rng([seed, number]))]
        return Network([*layers, last])

    def by_layer(self, way: Way) -> list[str | Activation]:
        """The activation of each layer."""
        own: dict[str, str | Activation] = {activation.name: activation for activation in self.own}
        return [own.get(name, name) for name in names_by_layer(way.activation, len(way.hidden) + 1, self.output)]

    def new_optimizer(self, way: Way, learning_rate: Any) -> Optimizer:
        """An optimizer at its first step, for one learning rate or an array of them."""
        return _optimizer(way.optimizer, learning_rate)

    def definition(self) -> dict[str, Any]:
        """All that the results depend on, as JSON holds it: two studies with the same definition are the same."""
        return {
            "byhand": byhand.__version__,
            "data": self.data.name,
            "data_fingerprint": self.data.digest,
            "data_note": self.data.note,
            "samples": [len(self.data.x), *(len(part[0]) for part in (self.data.validation, self.data.test) if part)],
            "inputs": self.data.x.shape[1],
            "outputs": self.data.y.shape[1],
            **{factor: list(self.values(factor)) for factor in FACTORS},
            "compare": list(self.compare),
            "output_activation": self.output,
            "own_activations": {activation.name: _fingerprint(activation) for activation in self.own},
            "learning_rates": list(self.learning_rates),
            "seeds": self.seeds,
            "measure": self.measure,
            "epochs": self.epochs,
            "threshold": self.threshold,
            "patience": self.patience,
            "precision": self.precision,
        }

    def definition_json(self) -> str:
        """The definition as text."""
        return json.dumps(self.definition(), indent=2, ensure_ascii=False) + "\n"


def names_by_layer(activation: str, layers: int, output: str) -> list[str]:
    """The names of each layer's activation; "relu/identity" is relu in the hidden layers and identity in the last.

    Raises
    ------
    ByhandError
        If there are neither one, two, nor as many names as layers.
    """
    names = activation.split("/")
    if len(names) == layers:
        return [names[0] if output == "same" else output] if layers == 1 and len(names) == 1 else names
    if len(names) > 2:
        raise ByhandError(
            f"{activation} names {len(names)} activations, and there are {layers} layers: give one, one for the hidden "
            "layers and one for the last, or one each"
        )
    last = names[-1] if len(names) == 2 else names[0] if output == "same" else output
    return [names[0]] * (layers - 1) + [last]


def make_plan(
    data: Data,
    *,
    activations: Several[str | Activation] | None = None,
    learning_rates: Sequence[float],
    initializers: Several[str] | None = None,
    seeds: int,
    epochs: int,
    hidden: Sequence[int] | Sequence[Sequence[int]] = (10,),
    output: Several[str] | None = None,
    optimizer: Several[str] = "gradient_descent",
    batch_size: Several[int | None] = None,
    dropout: Several[float] = 0.0,
    penalty: Several[str | None] = None,
    loss: Several[str] | None = None,
    schedule: Several[str | None] = None,
    max_norm: Several[float | None] = None,
    measure: str | None = None,
    threshold: float | None = None,
    patience: int | None = None,
    precision: str = "double",
    compare: Several[str] | None = None,
) -> Plan:
    """Check a study's definition and fill in what follows from the data; the parameters are those of `study`.

    Raises
    ------
    ByhandError
        If a name is unknown, a number makes no sense, or a list is empty; the message says which and what fits.
    """
    default_loss, default_output, default_initializer, _ = _DEFAULTS[data.kind]
    asked = _several(_ACTIVATIONS if activations is None else activations)
    own = tuple(activation for activation in asked if isinstance(activation, Activation))
    known = {**ACTIVATIONS, **{activation.name: activation for activation in own}}
    named = [activation.name if isinstance(activation, Activation) else str(activation) for activation in asked]
    _check_names("activation", [part for name in named for part in name.split("/")], known)
    minimized = [str(name) for name in _several(default_loss if loss is None else loss)]
    _check_names("loss", minimized, LOSSES)
    several_outputs = data.kind == "xor" and activations is None
    outputs = _outputs(output, _OUTPUTS_OF_XOR if several_outputs else (default_output,), minimized)
    _check_names("output activation", outputs, {"same": None, **known})
    factors: dict[str, list[Any]] = {
        "activation": _crossed(named, outputs),
        "initializer": [str(name) for name in _several(default_initializer if initializers is None else initializers)],
        "hidden": _architectures(hidden),
        "optimizer": [str(name) for name in _several(optimizer)],
        "batch_size": [None if size is None else count("batch", size) for size in _several(batch_size)],
        "dropout": [_number("a dropout rate", rate) for rate in _several(dropout)],
        "penalty": ["" if name is None else str(name) for name in _several(penalty)],
        "loss": minimized,
        "schedule": ["" if name is None else str(name) for name in _several(schedule)],
        "max_norm": [None if norm is None else _positive("max_norm", norm) for norm in _several(max_norm)],
    }
    alike = len(set(minimized)) == len(set(factors["penalty"])) == 1
    measured, goal = _goal(data, minimized, measure or ("loss" if alike else "error"), threshold)
    _check_names("initializer", factors["initializer"], INITIALIZERS)
    for optimizer_name in factors["optimizer"]:
        _optimizer(optimizer_name, 0.1)
    for penalty_name in factors["penalty"]:
        penalties(penalty_name)
    for schedule_name in factors["schedule"]:
        schedule_of(schedule_name)
    for rate in factors["dropout"]:
        if not 0 <= rate < 1:
            raise ByhandError(f"a dropout rate is at least 0 and below 1, not {rate:g}")
    ways = tuple(dict.fromkeys(Way(*values) for values in product(*(factors[name] for name in FACTORS))))
    only_output = outputs[0] if len(outputs) == 1 else default_output
    _check_names("precision", [precision], PRECISIONS)
    plan = Plan(
        data=data,
        ways=_different(ways, only_output),
        learning_rates=_rates(learning_rates),
        compare=(),
        seeds=count("seeds", seeds),
        output=only_output,
        measure=measured,
        epochs=count("epochs", epochs),
        threshold=goal,
        patience=None if patience is None else count("patience", patience),
        precision="single" if precision == "single" else "double",
        own=own,
    )
    if patience is not None and data.validation is None:
        raise ByhandError(
            f"early stopping needs samples to validate on, and the {len(data.x)} here are too few to part"
        )
    plan = replace(plan, ways=_fitting(plan))
    if plan.n_runs > _MOST:
        raise ByhandError(f"{plan.n_runs:,} runs are more than the {_MOST:,} of a study: take fewer seeds or ways")
    return replace(plan, compare=_compared(plan, compare))


def _outputs(output: Several[str] | None, default: Sequence[str], minimized: Sequence[str]) -> list[str]:
    """What is tried in the last layer; a loss from logits needs identity there."""
    if output is not None:
        return [str(name) for name in _several(output)]
    from_logits = {LOSSES[name].from_logits for name in minimized}
    fitting = [name for name in default if False in from_logits or name == "identity"]
    return list(dict.fromkeys([*fitting, *(["identity"] if True in from_logits else [])]))


def _goal(data: Data, minimized: Sequence[str], measure: str, threshold: float | None) -> tuple[Any, float]:
    """What is measured, and where a run has converged."""
    default_loss, _, _, default = _DEFAULTS[data.kind]
    _check_names("measure", [measure], MEASURES)
    if measure == "error":
        share = _positive("the threshold", _ERROR[data.kind] if threshold is None else threshold)
        if share >= 1:
            raise ByhandError(f"the threshold of an error is a share below 1, such as 0.05, not {share:g}")
        return measure, share
    if len(set(minimized)) > 1:
        raise ByhandError("a number means another thing under another loss: several losses are compared by the error")
    if threshold is None and minimized[0] != default_loss:
        raise ByhandError(f"with the loss {minimized[0]} a threshold is needed: at which loss has a run converged?")
    return measure, _positive("the threshold", default if threshold is None else threshold)


def _fitting(plan: Plan) -> tuple[Way, ...]:
    """The ways whose last layer and targets go with their loss.

    Raises
    ------
    ByhandError
        If with one of the losses none does.
    """
    fitting, wrong = [], {}
    for way in plan.ways:
        try:
            check_loss(plan.network(way, 0), plan.data.y, LOSSES[way.loss])
            fitting.append(way)
        except ValueError as error:
            wrong[way.loss] = str(error).rstrip(".")
    for loss, message in wrong.items():
        if loss not in {way.loss for way in fitting}:
            raise ByhandError(message)
    return tuple(fitting)


def _several(values: Any) -> list[Any]:
    """One value as a list of it, several as a list of them."""
    found = [values] if isinstance(values, str) or not isinstance(values, Iterable) else list(values)
    if not found:
        raise ByhandError("an empty list leaves nothing to try: give at least one name or number")
    return found


def _check_names(what: str, names: Sequence[str], known: Any) -> None:
    for name in names:
        if name not in known:
            raise ByhandError(f"there is no {what} {name!r}; choose among {', '.join(known)}")


def _crossed(names: Sequence[str], outputs: Sequence[str]) -> list[str]:
    """Each activation with each output; one that names its last layer's, and a single output, stay as they are."""
    if len(outputs) == 1:
        return list(names)
    crossed: list[str] = []
    for name in names:
        if "/" in name:
            crossed.append(name)
        else:
            crossed += [name if output in ("same", name) else f"{name}/{output}" for output in outputs]
    return list(dict.fromkeys(crossed))


def _different(ways: tuple[Way, ...], output: str) -> tuple[Way, ...]:
    """Without those that name the same network as one before, such as tanh and tanh/tanh; checks the names' number."""
    kept: dict[Any, Way] = {}
    for way in ways:
        names = tuple(names_by_layer(way.activation, len(way.hidden) + 1, output))
        kept.setdefault((names, replace(way, activation="")), way)
    return tuple(kept.values())


def _architectures(hidden: Any) -> list[tuple[int, ...]]:
    try:
        widths = list(hidden)
        is_one = all(isinstance(width, int | np.integer) for width in widths)
        architectures = [tuple(map(int, one)) for one in ([widths] if is_one else widths)]
    except (TypeError, ValueError):
        raise ByhandError(f"hidden is a list of widths, such as (10,), or a list of such lists, not {hidden}") from None
    for one in architectures:
        if any(width < 1 for width in one):
            raise ByhandError(f"hidden layers of {', '.join(map(str, one))} units: each needs at least 1")
    return architectures


def count(name: str, number: Any) -> int:
    """A whole number of at least 1, or a ByhandError that says that it isn't."""
    if not isinstance(number, int | np.integer) or number < 1:
        raise ByhandError(f"{name} is {number}: a whole number of at least 1 is needed")
    return int(number)


def _number(name: str, number: Any) -> float:
    try:
        return float(number)
    except (TypeError, ValueError):
        raise ByhandError(f"{name} is a number, not {number!r}") from None


def _positive(name: str, number: Any) -> float:
    value = _number(name, number)
    if not 0 < value < math.inf:
        raise ByhandError(f"{name} is a positive number, not {value:g}")
    return value


def _rates(learning_rates: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted({_positive("a learning rate", rate) for rate in _several(learning_rates)}))


def _compared(plan: Plan, compare: Several[str] | None) -> tuple[str, ...]:
    if compare is None:
        return plan.varying or ("activation",)
    factors = [str(factor) for factor in _several(compare)]
    _check_names("factor", factors, dict.fromkeys(FACTORS))
    return tuple(dict.fromkeys(factors))


def _made(text: str, what: str, known: Mapping[str, Callable[..., T]]) -> T:
    """What a name with settings stands for, such as "l2(0.001)" or "warmup(10, cosine(100))".

    Raises
    ------
    ByhandError
        If it is not understood, the name is not known, or the settings make no sense.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        node = ast.Constant(None)
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    if not isinstance(call.func, ast.Name):
        raise ByhandError(
            f"{text!r} is not understood: one {what} is a name, with its settings in brackets if need be; "
            f"choose among {', '.join(known)}"
        )
    _check_names(what, [call.func.id], known)

    def setting(value: ast.expr) -> Any:
        nested = value.func if isinstance(value, ast.Call) else value
        if isinstance(nested, ast.Name) and nested.id in known:
            return _made(ast.unparse(value), what, known)
        return ast.literal_eval(value)

    try:
        settings = {str(word.arg): setting(word.value) for word in call.keywords}
        return known[call.func.id](*map(setting, call.args), **settings)
    except (TypeError, ValueError) as error:
        raise ByhandError(f"the {what} {text}: {str(error).rstrip('.')}") from None


def _optimizer(text: str, learning_rate: Any) -> Optimizer:
    def with_rate(kind: Callable[..., Optimizer], *unnamed: object, **settings: Any) -> Optimizer:
        if unnamed:
            raise ValueError("settings have names, as in adam(beta_1=0.8); learning rates are given apart")
        return kind(learning_rate, **settings)

    return _made(text, "optimizer", {name: partial(with_rate, kind) for name, kind in OPTIMIZERS.items()})


def penalties(text: str) -> list[Penalty]:
    """The penalties of "l2(0.001)", or "l1(1e-4)+l2(1e-3)"; none of ""."""
    return [_made(part, "penalty", _PENALTIES) for part in re.split(r"\+(?![^(]*\))", text)] if text else []


def schedule_of(text: str) -> Schedule | None:
    """The schedule of "cosine(100)"; None of ""."""
    return _made(text, "schedule", _SCHEDULES) if text else None


def _fingerprint(activation: Activation) -> str:
    z = np.linspace(-8, 8, 1001)
    return hashlib.sha256(np.ascontiguousarray(activation(z)).tobytes()).hexdigest()[:16]


def parse_rates(text: str) -> list[float]:
    """Learning rates as the command line writes them: "0.1,0.5", "1e-3..10", or "1e-3..10:9" for nine of them.

    Without a number, a range has the steps 1, 2, 5, 10, 20, … within it, and its ends; with "1e-3..10:random9" nine
    are drawn, their logarithms uniformly, the same ones every time.

    Raises
    ------
    ByhandError
        If it is not understood.
    """
    rates: list[float] = []
    for part in text.split(","):
        span, _, count = part.strip().partition(":")
        low, dots, high = span.partition("..")
        try:
            ends = [float(low), float(high)] if dots else [float(low)]
            is_random = count.startswith("random")
            number = int(count.removeprefix("random")) if count else None
        except ValueError:
            raise ByhandError(
                f"learning rates are numbers or a range, such as 0.1,0.5 or 1e-3..10, not {part!r}"
            ) from None
        if not all(0 < end < math.inf for end in ends):
            wrong = next(end for end in ends if not 0 < end < math.inf)
            raise ByhandError(f"a learning rate is a positive number, not {wrong:g}")
        if len(ends) == 2 and ends[0] > ends[1]:
            raise ByhandError(f"the range {part} goes down: the smaller learning rate stands first")
        if len(ends) == 1 and number is None:
            rates += ends
        elif len(ends) == 1 or (number is not None and number < 2):
            raise ByhandError(f"{part!r} is not a range of at least two learning rates, such as 1e-3..10:9")
        else:
            rates += _drawn(ends[0], ends[1], number) if is_random and number else _between(ends[0], ends[1], number)
    return rates


def _drawn(low: float, high: float, number: int) -> list[float]:
    exponents = np.random.default_rng(0).uniform(math.log10(low), math.log10(high), number)
    return sorted(float(f"{10**exponent:.4g}") for exponent in exponents)


def _between(low: float, high: float, number: int | None) -> list[float]:
    if number is not None:
        # Rounded, so that 0.1 is 0.1, and is the same on every machine.
        return [float(f"{rate:.6g}") for rate in np.geomspace(low, high, number)]
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [float(f"{step}e{exponent}") for exponent in exponents for step in (1, 2, 5)]
    return sorted({low, high, *(step for step in steps if low < step < high)})
