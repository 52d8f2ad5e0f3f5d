"""What the student's forward and backward pass gave, held against what is right.

The truth is the numerical derivative of the student's own loss through the student's own forward pass. Which
network the forward pass computes, and which loss it is, is found by value, so that a wrong gradient can be named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, Activation, identity, softmax
from byhand.diagnosis import names
from byhand.diagnosis.backward import TRUE_RULE, Pass
from byhand.diagnosis.sandboxed import unpack
from byhand.diagnosis.variants import (
    Explanation,
    Gradients,
    Place,
    agrees,
    explain,
    gradients_of,
    variants,
)

NUMERICAL = 2e-6
"""How far, relative to its largest number, a gradient may be from the numerical one."""
FROM_UPDATES = 5e-5
"""The same for a gradient that is read from a step of the parameters: updates by sample follow one another."""
_EXPLAINED = 3  # readings of what came back for which an explanation is looked for
NEARLY = 1e-3
"""Nearer than this, and still not right, is nothing to blame anybody for."""


@dataclass(frozen=True)
class Network:
    """What the forward pass computes: which activations, and which biases have no effect.

    `outside` is an activation of the output that others apply to what the forward pass gives back.
    """

    activations: tuple[Activation, ...]
    probabilities: bool
    without_bias: tuple[int, ...]
    y_hat_name: str
    outside: Activation = identity


@dataclass(frozen=True)
class OwnLoss:
    """Which loss it is: kind and factor, L = factor · Σ …; `own` when the code says it, else any factor will do."""

    kind: Literal["squares", "log", "matrix", "unknown"]
    factor: float
    own: bool
    name: str = ""
    form: str = "1"


@dataclass
class Verdict:
    """What an experiment says about a backward pass.

    Attributes
    ----------
    program : str
        Which functions, or which loop.
    parts : list of str
        The functions' names.
    status : str
        "right", "wrong" or "unclear"; for `forward_only` of the forward pass alone.
    updates : bool
        The gradient was seen from what happened to the parameters.
    own_sizes : bool
        The sizes are those in the student's code.
    explanations : list
        Of a wrong gradient, the simplest first.
    """

    program: str
    parts: list[str]
    status: Literal["right", "wrong", "unclear", "none"]
    network: Network | None = None
    loss: OwnLoss | None = None
    updates: bool = False
    own_sizes: bool = False
    explanations: list[Explanation] = field(default_factory=list)
    extra_ids: list[tuple[str, str]] = field(default_factory=list)
    evidence: str = ""
    places: list[Place] = field(default_factory=list)
    names_of: dict[Place, str] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    found: dict[Place, Array] = field(default_factory=dict)
    rate_known: bool = True
    nearly: bool = False

    @property
    def ids(self) -> list[str]:
        """The catalogue's ids, the most telling first."""
        ids = list(self.explanations[0].ids) if self.explanations else []
        return list(dict.fromkeys([*(id_ for id_, _ in self.extra_ids), *ids]))


class Experiment:
    """One experiment's numbers, in one convention: a sample a row, W of shape (out, in)."""

    def __init__(self, message: dict[str, Any]) -> None:
        self.message = message
        self.program: str = message["program"]
        self.parts: list[str] = message["parts"]
        self.sizes: list[int] = message["sizes"]
        self.own: bool = message["own"]
        self.rate: float = message["rate"]
        self.x, self.y = unpack(message["x"]), unpack(message["y"])
        self.n = len(self.x)
        self.parameters: list[dict[str, Any]] = message["parameters"]
        self.places: list[Place] = [(p["layer"], p["kind"]) for p in self.parameters]
        self.values = [unpack(v) for v in message["values"]]
        self.outputs = {name: unpack(v) for name, v in message["outputs"] if v is not None}
        self.moved_names: list[str] = message["moved"][0]
        self.names_of = {place: p["name"] for place, p in zip(self.places, self.parameters, strict=True)}

    def rows(self, array: Array) -> Array | None:
        """An output of one number a sample and output, as (n, n_out)."""
        n_out = self.sizes[-1]
        if array.size != self.n * n_out:
            return None
        if array.shape == (n_out, self.n) and n_out != self.n:
            return array.T
        return array.reshape(self.n, n_out)

    def weights(self) -> tuple[list[Array], list[Array]]:
        """W and b of each layer; b is zero where there is none."""
        layers = range(len(self.sizes) - 1)
        by_place = dict(zip(self.places, self.values, strict=True))
        W = [by_place[k, "W"] for k in layers]
        return W, [by_place.get((k, "b"), np.zeros(self.sizes[k + 1])) for k in layers]

    @cached_property
    def network(self) -> Network | None:
        """What the forward pass computes, found by value."""
        W, b = self.weights()
        outputs = {name: rows for name, array in self.outputs.items() if (rows := self.rows(array)) is not None}
        matches: list[Network] = []
        for without, activations, probabilities in self._candidates():
            biases = [np.zeros_like(v) if k in without else v for k, v in enumerate(b)]
            y_hat = _forward(self.x, W, biases, activations)
            y_hat = softmax(y_hat) if probabilities else y_hat
            missing = tuple(k for k in range(len(b)) if k in without or (k, "b") not in self.places)
            matches += [
                Network(activations, probabilities, missing, name)
                for name in outputs
                if agrees(outputs[name], y_hat, 1e-9)
            ]
        if not matches:
            matches = self._matches_by_loss()
        # Among z and a = f(z) of the last layer the output is what the loss is made of, or what is called so.
        order = list(outputs)
        return max(
            matches,
            key=lambda m: (
                _is_known(self._loss_of(m)),
                names.means(m.y_hat_name.removeprefix("self."), "y_hat"),
                order.index(m.y_hat_name) if m.y_hat_name else 0,
                -len(m.without_bias),
            ),
            default=None,
        )

    def _matches_by_loss(self) -> list[Network]:
        """Networks whose loss is the one that the code computes, where it shows no output for all samples."""
        _, b = self.weights()
        result = []
        for without, activations, probabilities in self._candidates():
            if not probabilities:
                missing = tuple(k for k in range(len(b)) if k in without or (k, "b") not in self.places)
                network = Network(activations, False, missing, "")
                if _is_known(self._loss_of(network)):
                    result.append(network)
        return result

    def _candidates(self) -> Iterator[tuple[tuple[int, ...], tuple[Activation, ...], bool]]:
        layers = len(self.sizes) - 1
        with_bias = [k for k in range(layers) if (k, "b") in self.places]
        subsets: list[tuple[int, ...]] = [(), tuple(with_bias), *((k,) for k in with_bias)]
        every = list(ACTIVATIONS.values())
        for without in subsets:
            for out in every:
                for hidden in every if layers > 1 else [identity]:
                    yield without, (hidden,) * (layers - 1) + (out,), False
            for hidden in every if layers > 1 else [identity]:
                if self.sizes[-1] > 1:
                    yield without, (hidden,) * (layers - 1) + (identity,), True

    def own_loss(self, network: Network | None) -> OwnLoss | None:
        """Find by value which loss the code computes; None when it computes none that we could see."""
        return self._loss_of(network)

    def _loss_of(self, network: Network | None) -> OwnLoss | None:
        y_hat = self.y_hat(network)
        scalars = {
            name: float(array.ravel()[0])
            for name, array in self.outputs.items()
            if array.size == 1
            and (name.startswith("loss:") or names.means(name.removeprefix("self."), "loss") or "loss" in name.lower())
        }
        trusted = [name for name in scalars if name.startswith("loss:")]
        unknown = OwnLoss("unknown", 1.0, True, trusted[0]) if trusted else None
        if y_hat is None:
            return unknown
        for name, value in sorted(scalars.items(), key=lambda item: not item[0].startswith("loss:")):
            for kind, base in _bases(y_hat, self.y).items():
                for form, factor in self.factors().items():
                    if base and abs(value - factor * base) <= 1e-9 * abs(value):
                        return OwnLoss(kind, factor, True, name, form)  # type: ignore[arg-type]
        return unknown

    def factors(self) -> dict[str, float]:
        """The factors that a loss commonly has in front of its sum, by what they are in any size."""
        n, k = self.n, self.sizes[-1]
        divisors = {"1": 1, "n": n, "nk": n * k, "k": k}
        return {f"{a}/{name}": a / divisor for a in (1.0, 0.5) for name, divisor in divisors.items()}

    def y_hat(self, network: Network | None) -> Array | None:
        """The output, when the forward pass is one that we know."""
        if network is None:
            return None
        if network.y_hat_name:
            rows = self.rows(self.outputs[network.y_hat_name])
            return None if rows is None else network.outside(rows)
        W, b = self.weights()
        b = [np.zeros_like(v) if k in network.without_bias else v for k, v in enumerate(b)]
        return _forward(self.x, W, b, network.activations)

    def numerical(self, network: Network | None, loss: OwnLoss) -> dict[Place, Array] | None:
        """The numerical derivative of the loss, by parameter."""
        step = self.message["step"]
        direct = loss.name != "" and loss.name in self.moved_names
        if not direct and (network is None or network.y_hat_name not in self.moved_names):
            return None
        index = self.moved_names.index(loss.name if direct else network.y_hat_name)  # type: ignore[union-attr]

        def value(outputs: list[Any]) -> float:
            array = unpack(outputs[index])
            if direct:
                return float(array.ravel()[0])
            rows = self.rows(array)
            assert rows is not None
            assert network is not None
            return loss.factor * _bases(network.outside(rows), self.y)[loss.kind]

        result: dict[Place, Array] = {}
        for place, shape, rows in zip(
            self.places, (v.shape for v in self.values), self.message["moved"][1], strict=True
        ):
            slopes = [(value(up) - value(down)) / (2 * step) for up, down in rows]
            result[place] = np.array(slopes).reshape(shape)
        return result

    def forward_pass(self, network: Network, loss: OwnLoss, rate: float = 0.0) -> Pass:
        """The same in our own convention, to compute wrong variants from."""
        W, b = self.weights()
        b = [np.zeros_like(v) if k in network.without_bias else v for k, v in enumerate(b)]
        gradient = _loss_gradient(loss, network)
        return Pass.forward(self.x, self.y, tuple(W), tuple(b), network.activations, gradient, rate)

    # ── the gradients found ────────────────────────────────────────────────────────────────────────────────────

    def found(self) -> Iterator[tuple[dict[Place, Array], bool, bool, list[tuple[str, str]]]]:
        """Each reading of what came back.

        Gradients, whether they are from updates, whether the rate is known, and mistakes that the shapes alone show.
        """
        yield from self._from_updates()
        yield from self._from_returned()

    def _canonical(self, place: Place, array: Array) -> Array | None:
        """A student's array of a parameter's form as ours; None when its shape is another."""
        position = self.places.index(place)
        value, form = self.values[position], self.parameters[position]["form"]
        if place[1] == "b":
            return array.reshape(value.shape) if array.size == value.size else None
        if form == "in,out":
            return array.T if array.shape == value.T.shape else None
        if form in ("in", "out", ""):
            return array.reshape(value.shape) if array.size == value.size else None
        return array if array.shape == value.shape else None

    def _from_updates(self) -> Iterator[tuple[dict[Place, Array], bool, bool, list[tuple[str, str]]]]:
        after, after_2 = self.message["after"], self.message["after_2"]
        steps: dict[Place, tuple[Array, Array]] = {}
        extra: list[tuple[str, str]] = []
        for place, value, one, two in zip(self.places, self.values, after, after_2, strict=True):
            if one is None or two is None:
                continue
            first, second = unpack(one), unpack(two)
            a, b = self._canonical(place, first), self._canonical(place, second)
            if a is None or b is None:
                if place[1] == "b" and first.size == self.n * value.size:
                    name = self.names_of[place]
                    extra.append(
                        (
                            "bias-gradient-wrong",
                            f"after one step {name} has shape {first.shape}: no sum over the samples",
                        )
                    )
                continue
            steps[place] = value - a, value - b
        if not extra and not any(s[0].any() for s in steps.values()):
            return
        rate_counts = any(not agrees(s[0], s[1], 1e-3) for s in steps.values() if s[0].any())
        if rate_counts:
            steps = {p: ((2 * one - two / 2) / self.rate, two) for p, (one, two) in steps.items()}
        found = {p: one for p, (one, _) in steps.items()}
        yield found, True, rate_counts, extra

    def _from_returned(self) -> Iterator[tuple[dict[Place, Array], bool, bool, list[tuple[str, str]]]]:
        returned = [(name, unpack(v)) for name, v in self.message["returned"] if v is not None]
        again = {name: unpack(v) for name, v in self.message["returned_2"] if v is not None}
        options: dict[Place, list[tuple[int, Array, bool, str]]] = {}
        for place, value in zip(self.places, self.values, strict=True):
            options[place] = []
            for i, (name, array) in enumerate(returned):
                own = self._canonical(place, array)
                mistake = ""
                if own is None and place[1] == "W" and array.ndim == 2 and array.size == value.size:
                    own, mistake = self._canonical(place, array.T), "transposed-gradient"
                if own is None or own.shape != value.shape:
                    continue
                if place[1] == "b" and array.shape not in ((value.size,), (1, value.size), (value.size, 1), ()):
                    continue
                two = again.get(name)
                is_update = False
                if np.abs(own - value).max() < 0.02 and two is not None and two.shape == array.shape:
                    second = self._canonical(place, two if not mistake else two.T)
                    assert second is not None
                    if not (value - own).any():
                        if name == self.names_of[place]:  # it comes back as it was: never updated
                            options[place].append((i, np.zeros_like(own), True, mistake))
                        continue
                    if not agrees(value - second, 2 * (value - own), 1e-2):
                        options[place].append((i, own, False, mistake))
                        continue
                    own = (2 * (value - own) - (value - second) / 2) / self.rate
                    is_update = True
                options[place].append((i, own, is_update, mistake))
        misshapen = self._misshapen([(n, a) for n, a in returned], options)
        places = [place for place in self.places if options[place]]
        if not any(kind == "W" for _, kind in places):
            return
        for found, updates, rate_known, extra in self._assignments(places, options, [name for name, _ in returned]):
            yield found, updates, rate_known, extra + misshapen

    def _misshapen(
        self, returned: list[tuple[str, Array]], options: dict[Place, list[tuple[int, Array, bool, str]]]
    ) -> list[tuple[str, str]]:
        """Gradients of biases, by their names, that have no bias's shape."""
        wrong = []
        for place, value in zip(self.places, self.values, strict=True):
            name = self.names_of[place].lower()
            for label, array in returned:
                named = label.lower() in (
                    f"d{name}",
                    f"d_{name}",
                    f"grad_{name}",
                    f"{name}_grad",
                    f"g{name}",
                    f"g_{name}",
                )
                if named and place[1] == "b" and not options[place] and array.size != value.size:
                    told = f"{label} has shape {array.shape}, {self.names_of[place]} has {value.size} numbers"
                    wrong.append(("bias-gradient-wrong", told))
        return wrong

    def _assignments(
        self, places: list[Place], options: dict[Place, list[tuple[int, Array, bool, str]]], labels: list[str]
    ) -> Iterator[tuple[dict[Place, Array], bool, bool, list[tuple[str, str]]]]:
        """Which array is the gradient of which parameter: by name where names say it, else every way."""
        for place in places:
            name = self.names_of[place].lower()
            exact = [o for o in options[place] if labels[o[0]].lower() == name]
            named = exact or [o for o in options[place] if name in labels[o[0]].lower() and len(name) > 1]
            plain = [o for o in options[place] if not o[3]]
            options[place] = named or plain or options[place]
        tried = 0
        for chosen in product(*(options[place] for place in places)):
            if len({o[0] for o in chosen}) < len(chosen):
                continue
            extra = [
                ("transposed-gradient", f"{labels[o[0]]} has the shape of {self.names_of[p]} transposed")
                for p, o in zip(places, chosen, strict=True)
                if o[3]
            ]
            yield {p: o[1] for p, o in zip(places, chosen, strict=True)}, any(o[2] for o in chosen), True, extra
            tried += 1
            if tried >= 24:
                return


def _is_known(loss: OwnLoss | None) -> bool:
    return loss is not None and loss.kind != "unknown"


def _forward(x: Array, W: list[Array], b: list[Array], activations: tuple[Activation, ...]) -> Array:
    for W_k, b_k, activation in zip(W, b, activations, strict=True):
        x = activation(x @ W_k.T + b_k)
    return x


def _bases(y_hat: Array, y: Array) -> dict[str, float]:
    """Each kind of loss, without a factor."""
    bases = {"squares": float(((y_hat - y) ** 2).sum())}
    if y.shape[1] == 1 and len(y) > 1:
        bases["matrix"] = float(((y_hat - y.T) ** 2).sum()) / len(y)
    if (y_hat > 0).all() and (y_hat < 1).all():
        if y.shape[1] > 1 and np.allclose(y_hat.sum(axis=1), 1):
            bases["log"] = float(-(y * np.log(y_hat)).sum())
        else:
            bases["log"] = float(-(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)).sum())
    return bases


def _loss_gradient(loss: OwnLoss, network: Network) -> Callable[[Array, Array], Array]:
    def gradient(y_hat: Array, y: Array) -> Array:
        if network.probabilities:  # the identity stands for the softmax: dL/dz of softmax and its loss
            p = softmax(y_hat)
            error = 2 * (p - y)
            of_squares: Array = p * (error - (error * p).sum(axis=1, keepdims=True))
            result = p * y.sum(axis=1, keepdims=True) - y if loss.kind == "log" else of_squares
        elif loss.kind == "log":
            result = (y_hat - y) / (y_hat * (1 - y_hat))
        else:
            result = 2 * (y_hat - (y.mean() if loss.kind == "matrix" else y))
        return np.asarray(loss.factor * result)

    return gradient


def judge(experiment: Experiment, log_in_source: bool, known: OwnLoss | None = None) -> Verdict:
    """What one experiment says."""
    network = experiment.network
    verdict = _judged(experiment, network, log_in_source, known)
    if verdict.status != "wrong" or verdict.ids or network is None or _is_known(verdict.loss):
        return verdict
    if network.activations[-1] is identity and not network.probabilities:
        # z of the output may be all that it gives back: then the activation is applied where the loss is computed.
        for outside in (ACTIVATIONS["sigmoid"], ACTIVATIONS["tanh"]):
            whole = replace(network, activations=(*network.activations[:-1], outside), outside=outside)
            other = _judged(experiment, whole, log_in_source, known)
            if other.status == "right" or other.ids:
                return other
    return verdict


def _judged(experiment: Experiment, network: Network | None, log_in_source: bool, known: OwnLoss | None) -> Verdict:
    loss = experiment.own_loss(network)
    verdict = Verdict(
        experiment.program,
        experiment.parts,
        "none",
        network,
        loss,
        own_sizes=experiment.own,
        names_of=experiment.names_of,
        sizes=experiment.sizes,
    )
    assumed = [loss] if loss else _assumed(experiment, log_in_source, known)
    if network is None and loss is None:
        verdict.status = "unclear"
        return verdict
    readings = list(experiment.found())
    if not readings:
        return verdict
    truths = [(loss, truth) for loss in assumed if (truth := experiment.numerical(network, loss)) is not None]
    if not truths:
        verdict.status = "unclear"
        return verdict
    wrong: list[Verdict] = []
    for found, updates, rate_known, extra in readings:
        candidate = replace(verdict, updates=updates, extra_ids=list(extra), places=list(found), rate_known=rate_known)
        candidate.found = _with_effect(found, network)
        _hold_against(experiment, candidate, truths)
        if candidate.status == "right" and not extra:
            _look_at_big_step(experiment, candidate, assumed)
            _look_at_three_epochs(experiment, candidate)
            return candidate
        wrong.append(candidate)
    for candidate in wrong[:_EXPLAINED]:
        _explain(experiment, candidate, [loss for loss, _ in truths])
    best = min(wrong, key=lambda v: (not v.explanations and not v.extra_ids, len(v.ids), v.status != "wrong"))
    _look_at_big_step(experiment, best, assumed)
    return best


def _assumed(experiment: Experiment, log_in_source: bool, known: OwnLoss | None) -> list[OwnLoss]:
    """The losses that a gradient may belong to when the code does not say which."""
    factors = experiment.factors()
    if known is not None and known.kind != "unknown":
        return [replace(known, factor=factors[known.form], name="")]
    halves = [OwnLoss("squares", factor, False) for factor in dict.fromkeys(factors.values())]
    logs = [OwnLoss("log", factors[form], False) for form in ("1.0/1", "1.0/n", "1.0/nk")]
    return halves + (logs if log_in_source else [])


def _with_effect(found: Gradients, network: Network | None) -> dict[Place, Array]:
    """Without the biases that the forward pass leaves out: that is a mistake of its own."""
    left_out = network.without_bias if network else ()
    return {p: g for p, g in found.items() if not (p[1] == "b" and p[0] in left_out)}


def _hold_against(experiment: Experiment, verdict: Verdict, truths: list[tuple[OwnLoss, dict[Place, Array]]]) -> None:
    tolerance = FROM_UPDATES if verdict.updates else NUMERICAL
    for loss, truth in truths:
        if _right(verdict.found, truth, verdict.rate_known, tolerance):
            verdict.status, verdict.loss = "right", (verdict.loss or loss)
            return
    verdict.status = "wrong"
    verdict.nearly = any(_right(verdict.found, truth, verdict.rate_known, NEARLY) for _, truth in truths)
    verdict.evidence = _first_difference(experiment, verdict.found, truths[0][1])


def _explain(experiment: Experiment, verdict: Verdict, losses: list[OwnLoss]) -> None:
    if verdict.network is not None and not verdict.extra_ids:
        verdict.explanations = _explanations(
            experiment, verdict.network, verdict.found, losses, verdict.rate_known, verdict.updates
        )
    if experiment.n == 1 and not verdict.updates:  # on one sample a gradient may be 0 by chance
        verdict.explanations = [e for e in verdict.explanations if all(e.factors.values())]
    if not verdict.ids and (verdict.nearly or _is_adaptive(verdict.found)):
        verdict.status = "unclear"


def _right(found: Gradients, truth: Gradients, rate_known: bool, tolerance: float) -> bool:
    scale = 1.0
    if not rate_known:
        flat_found = np.concatenate([found[p].ravel() for p in found])
        flat_truth = np.concatenate([truth[p].ravel() for p in found])
        scale = float(flat_found @ flat_truth) / max(float(flat_truth @ flat_truth), 1e-300)
        if scale <= 0:
            return False
    size = max(float(np.abs(truth[p]).max()) for p in found) * abs(scale)
    return all(
        float(np.abs(found[p] - scale * truth[p]).max())
        <= tolerance * max(float(np.abs(scale * truth[p]).max()), 1e-2 * size)
        for p in found
    )


def _first_difference(experiment: Experiment, found: Gradients, truth: Gradients) -> str:
    for place in found:
        size = float(np.abs(truth[place]).max())
        off = np.argwhere(~(np.abs(found[place] - truth[place]) <= NUMERICAL * size))
        if len(off):
            i = tuple(int(k) for k in off[0])
            name = experiment.names_of[place]
            unit = f"[{', '.join(map(str, i))}]" if found[place].size > 1 else ""
            return (
                f"dL/d{name}{unit} is {found[place][i]:.8g}, the numerical derivative of the loss is "
                f"{truth[place][i]:.8g} ({len(off)} of {found[place].size} numbers of it differ)"
            )
    return ""


def _explanations(
    experiment: Experiment, network: Network, found: Gradients, losses: list[OwnLoss], rate_known: bool, updates: bool
) -> list[Explanation]:
    """The simplest explanations, over the losses that the gradient may belong to."""
    best: list[Explanation] = []
    for pairs in (False, True):
        for loss in losses if not pairs else losses[:4]:
            p = experiment.forward_pass(network, loss)
            scaled = found
            if not rate_known:
                scaled = _scaled_to(found, p)
            best += explain(scaled, p, pairs=pairs, tolerance=1e-5 if updates else NUMERICAL)
        if best:
            break
    if not best:
        return []
    fewest = min(len(e.ids) for e in best)
    return sorted(
        (e for e in best if len(e.ids) == fewest),
        key=lambda e: (len(e.variants), sum(found[place].size for place, f in e.factors.items() if f != 1.0)),
    )


def _scaled_to(found: Gradients, p: Pass) -> dict[Place, Array]:
    """An update without its unknown rate: by the output layer's weights, whose gradient is most often right."""
    true = gradients_of(TRUE_RULE, p)
    assert true is not None
    place: Place = (p.last, "W")
    if place not in found or not true[place].any() or not found[place].any():
        return dict(found)
    scale = float((found[place] * true[place]).sum()) / float((true[place] ** 2).sum())
    return {q: g / abs(scale) for q, g in found.items()} if scale else dict(found)


def _is_adaptive(found: Gradients) -> bool:
    """Steps of one size everywhere, as Adam's first: no gradient can be read from them."""
    sizes = np.abs(np.concatenate([g.ravel() for g in found.values()]))
    sizes = sizes[sizes > 0]
    return sizes.size > 3 and float(sizes.max() - sizes.min()) < 1e-2 * float(sizes.max())


def _look_at_big_step(experiment: Experiment, verdict: Verdict, assumed: list[OwnLoss]) -> None:
    """See from a single sample and a long step whether new weights are used for the hidden error."""
    big = experiment.message["big_step"]
    if big is None or not verdict.updates or verdict.network is None or verdict.status == "unclear":
        return
    if verdict.status == "wrong" and not verdict.explanations:
        return
    single = Experiment(experiment.message | {"x": big["x"], "y": big["y"], "values": big["values"]})
    rate = big["rate"]
    after = {
        p: a
        for p, v in zip(single.places, big["after"], strict=True)
        if v is not None and (a := single._canonical(p, unpack(v))) is not None
    }
    found = {p: (single.values[single.places.index(p)] - a) / rate for p, a in after.items()}
    chosen = verdict.explanations[0].variants if verdict.explanations else ()
    for loss in [verdict.loss] if verdict.loss else assumed:
        for factor in dict.fromkeys((loss.factor, loss.factor * experiment.n)):
            p = single.forward_pass(verdict.network, replace(loss, factor=factor), rate)
            rule = TRUE_RULE
            for variant in chosen:
                rule = variant.change(rule)
            plain = gradients_of(rule, p)
            if plain is None or all(agrees(found[k], plain[k], 1e-7) for k in found):
                continue
            for variant in variants(p):
                if variant.id == "updated-weights-used":
                    gradients = gradients_of(variant.change(rule), p)
                    if gradients is not None and all(agrees(found[k], gradients[k], 1e-7) for k in found):
                        verdict.extra_ids.append((variant.id, f"meant: {variant.meant}; found: {variant.found}"))
                        verdict.status = "wrong"
                        return


def _look_at_three_epochs(experiment: Experiment, verdict: Verdict) -> None:
    """Three epochs that leave exactly what one does: the step stands behind the loop."""
    m = experiment.message
    runs = [[value for _, value in m[f"returned{k}"]] + m[f"after{k}"] for k in ("", "_2", "_3")]
    stepping = [(one, three) for one, twice, three in zip(*runs, strict=False) if one != twice]
    if stepping and all(one == three for one, three in stepping):
        verdict.extra_ids.append(("update-outside-loop", "three epochs change the parameters no more than one does"))
        verdict.status = "wrong"


def leaks(experiment: Experiment) -> list[str]:
    """The outputs of the forward pass, by name, that change when nothing but the targets does."""
    network = experiment.network
    changed = {name: unpack(v) for name, v in experiment.message["leak"] if v is not None}
    result = []
    for name, array in experiment.outputs.items():
        likely = names.means(name.removeprefix("self."), "y_hat") and (network is None or network.y_hat_name != name)
        if (
            likely
            and array.size == experiment.n * experiment.sizes[-1]
            and name in changed
            and not np.array_equal(array, changed[name])
        ):
            result.append(name)
    return result
