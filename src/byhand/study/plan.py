"""What a study does: its grid, its runs and the blocks they are computed in.

A run is one network trained once; a cell is one activation, initializer and learning rate, with a run for each
seed. Everything about a run follows from the plan and its number, so a block of runs may be computed anywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np

import byhand
from byhand.activations import ACTIVATIONS
from byhand.errors import ByhandError
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.network import Network
from byhand.optimizers import OPTIMIZERS, Optimizer
from byhand.study.data import Data
from byhand.study.ensemble import runs_in_a_block

# By kind of data: loss, activation of the last layer (None: that of the others), initializer, and the loss at which
# a run has converged. XOR is as in the practical: below 0.01 every output is within 0.1 of its target.
_DEFAULTS: dict[str, tuple[str, str | None, str, float]] = {
    "xor": ("sum_of_squares", None, "standard_normal", 0.01),
    "two classes": ("binary_cross_entropy_from_logits", "identity", "glorot_uniform", 0.1),
    "classes": ("cross_entropy_from_logits", "identity", "glorot_uniform", 0.1),
    "regression": ("mean_squared_error", "identity", "glorot_uniform", 0.1),
}

# A task of a worker should last about this long, in seconds by a rough estimate: long enough to be worth sending,
# short enough that not much is lost with it.
_TASK = 1.0


@dataclass(frozen=True)
class Cell:
    """One way to train: what is compared.

    An activation such as "relu" is that of the hidden layers; "relu/identity" says that of the last layer too.
    """

    activation: str
    initializer: str
    learning_rate: float


@dataclass(frozen=True)
class Block:
    """Runs that are computed and stored together.

    `start` and `stop` count the runs of one activation and initializer, seed by seed and then rate by rate.
    """

    number: int
    activation: str
    initializer: str
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """The definition of a study; made by `make_plan`, which checks it and fills in defaults.

    Attributes
    ----------
    data : Data
    activations, initializers : tuple of str
    learning_rates : tuple of float
        Ascending.
    seeds : int
        How many runs a cell has: with the seeds 0, 1, …
    hidden : tuple of int
        The widths of the hidden layers.
    output : str or None
        The activation of the last layer where `activations` does not say it; None: the same as in the others.
    optimizer, loss : str
    epochs : int
    batch_size : int or None
    threshold : float
        The training loss at which a run has converged.
    """

    data: Data
    activations: tuple[str, ...]
    initializers: tuple[str, ...]
    learning_rates: tuple[float, ...]
    seeds: int
    hidden: tuple[int, ...]
    output: str | None
    optimizer: str
    loss: str
    epochs: int
    batch_size: int | None
    threshold: float

    @property
    def sizes(self) -> list[int]:
        """Inputs, hidden units, outputs."""
        return [self.data.x.shape[1], *self.hidden, self.data.y.shape[1]]

    @property
    def cells(self) -> list[Cell]:
        """All ways to train, in the order of the runs."""
        return [Cell(*cell) for cell in product(self.activations, self.initializers, self.learning_rates)]

    @property
    def n_runs(self) -> int:
        """How many networks are trained."""
        return len(self.cells) * self.seeds

    @property
    def stops_at_threshold(self) -> bool:
        """Whether a run ends when it has converged: not where its validation loss at the end is asked for."""
        return self.data.validation is None

    @property
    def recorded(self) -> list[int]:
        """The epochs whose losses are kept, some forty, closer at the start."""
        some = np.geomspace(1, self.epochs, 40).round().astype(int) - 1
        return sorted({*some.tolist(), (self.epochs - 1) // 2})

    def blocks(self) -> Iterator[Block]:
        """All blocks, a function of the plan alone: results do not depend on where and when they are computed."""
        size = self._runs_in_a_task()
        groups = list(product(self.activations, self.initializers))
        runs_in_a_group = len(self.learning_rates) * self.seeds
        starts = range(0, runs_in_a_group, size)
        for number, ((activation, initializer), start) in enumerate(product(groups, starts)):
            yield Block(number, activation, initializer, start, min(start + size, runs_in_a_group))

    def _runs_in_a_task(self) -> int:
        n, sizes = len(self.data.x), self.sizes
        steps = math.ceil(n / self.batch_size) if self.batch_size else 1
        products = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        seconds_an_epoch = 6e-9 * n * sum(sizes[1:]) + 0.3e-9 * n * products + steps * 1e-8 * products
        together = runs_in_a_block(sizes, min(self.batch_size or n, n), n)
        return together * max(1, round(_TASK / (seconds_an_epoch * self.epochs * together)))

    def run_number(self, block: Block) -> int:
        """The number of the block's first run among all runs."""
        group = self.activations.index(block.activation) * len(self.initializers)
        group += self.initializers.index(block.initializer)
        return group * len(self.learning_rates) * self.seeds + block.start

    def network(self, activation: str, initializer: str, seed: int) -> Network:
        """The untrained network of a run."""
        return Network.dense(self.sizes, self.by_layer(activation), initializer=initializer, seed=seed)

    def by_layer(self, activation: str) -> list[str]:
        """The activation of each layer: "relu/identity" is relu in the hidden layers and identity in the last."""
        hidden, _, output = activation.partition("/")
        return [hidden] * len(self.hidden) + [output or self.output or hidden]

    def new_optimizer(self, learning_rate: Any) -> Optimizer:
        """An optimizer at its first step, for one learning rate or an array of them."""
        return OPTIMIZERS[self.optimizer](learning_rate)  # type: ignore[call-arg]

    def definition(self) -> dict[str, Any]:
        """All that the results depend on, as JSON holds it: two studies with the same definition are the same."""
        return {
            "byhand": byhand.__version__,
            "data": self.data.name,
            "data_fingerprint": self.data.digest,
            "data_note": self.data.note,
            "samples": [len(self.data.x), *(len(part[0]) for part in (self.data.validation, self.data.test) if part)],
            "sizes": self.sizes,
            "activations": list(self.activations),
            "output_activation": self.output or "the same",
            "initializers": list(self.initializers),
            "learning_rates": list(self.learning_rates),
            "seeds": self.seeds,
            "optimizer": self.optimizer,
            "loss": self.loss,
            "epochs": self.epochs,
            "batch_size": self.batch_size,
            "threshold": self.threshold,
        }

    def definition_json(self) -> str:
        """The definition as text."""
        return json.dumps(self.definition(), indent=2, ensure_ascii=False) + "\n"


def make_plan(
    data: Data,
    *,
    activations: Sequence[str],
    learning_rates: Sequence[float],
    initializers: Sequence[str] | None = None,
    seeds: int,
    epochs: int,
    hidden: Sequence[int] = (10,),
    output: str | None = None,
    optimizer: str = "gradient_descent",
    batch_size: int | None = None,
    loss: str | None = None,
    threshold: float | None = None,
) -> Plan:
    """Check a study's definition and fill in what follows from the data.

    Raises
    ------
    ByhandError
        If a name is unknown, a number makes no sense, or a list is empty; the message says which and what fits.
    """
    default_loss, default_output, default_initializer, default_threshold = _DEFAULTS[data.kind]
    initializers = [default_initializer] if initializers is None else initializers
    output = default_output if output is None else None if output == "same" else output
    loss = default_loss if loss is None else loss
    for what, names, known in (
        ("activation", [name for activation in activations for name in activation.split("/", 1)], ACTIVATIONS),
        ("output activation", ["identity" if output is None else output], ACTIVATIONS),
        ("initializer", initializers, INITIALIZERS),
        ("loss", [loss], LOSSES),
        ("optimizer", [optimizer], OPTIMIZERS),
    ):
        if not names:
            raise ByhandError(f"there is no {what}; choose among {', '.join(known)}")
        for name in names:
            if name not in known:
                raise ByhandError(f"there is no {what} {name!r}; choose among {', '.join(known)}")
    if threshold is None:
        if loss != default_loss:
            raise ByhandError(f"with the loss {loss} a threshold is needed: at which loss has a run converged?")
        threshold = default_threshold
    rates = sorted({float(rate) for rate in learning_rates})
    wrong = [rate for rate in rates if not 0 < rate < math.inf]
    if wrong or not rates:
        raise ByhandError(f"a learning rate is a positive number, not {wrong[0] if wrong else 'nothing'}")
    for name, number in (("seeds", seeds), ("epochs", epochs), ("batch", batch_size)):
        if number is not None and number < 1:
            raise ByhandError(f"{name} is {number}: at least 1 is needed")
    if any(width < 1 for width in hidden):
        raise ByhandError(f"hidden layers of {', '.join(map(str, hidden))} units: each needs at least 1")
    if not threshold > 0:
        raise ByhandError(f"the threshold is a loss above 0, not {threshold}")
    if loss.endswith("cross_entropy_from_logits") and data.kind == "regression":
        raise ByhandError(f"the loss {loss} is for classes, and the targets of {data.name} are a regression")
    return Plan(
        data,
        tuple(dict.fromkeys(activations)),
        tuple(dict.fromkeys(initializers)),
        tuple(rates),
        int(seeds),
        tuple(hidden),
        output,
        optimizer,
        loss,
        int(epochs),
        batch_size,
        float(threshold),
    )


def parse_rates(text: str) -> list[float]:
    """Learning rates as the command line writes them: "0.1,0.5", "1e-3..10", or "1e-3..10:9" for nine of them.

    Without a number, a range has the steps 1, 2, 5, 10, 20, … within it, and its ends.

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
            number = int(count) if count else None
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
            rates += _between(ends[0], ends[1], number)
    return rates


def _between(low: float, high: float, number: int | None) -> list[float]:
    if number is not None:
        # Rounded, so that 0.1 is 0.1, and is the same on every machine.
        return [float(f"{rate:.6g}") for rate in np.geomspace(low, high, number)]
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = [float(f"{step}e{exponent}") for exponent in exponents for step in (1, 2, 5)]
    return sorted({low, high, *(step for step in steps if low < step < high)})
