"""The engine: one pure function from a request to its answer, on the library's own code.

It keeps nothing between requests. A `State` with its `Config` says everything, so the page can step back, compare
and share by keeping states; and what the page shows is what `Network`, `losses` and `optimizers` compute.
"""

import base64
import re
from copy import copy
from math import isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from byhand import arithmetic, losses
from byhand._types import Array
from byhand.errors import ByhandError
from byhand.losses import Loss
from byhand.network import Network
from byhand.optimizers import OPTIMIZERS, Optimizer
from byhand.play import judgement, schema
from byhand.play.data import Samples, samples
from byhand.play.schema import Config, Explain, Formula, Memory, Point, Request, Response, Shuffle, State
from byhand.training import loss_and_gradients

Update: TypeAlias = tuple[Array, Optimizer]
"""What an update makes of the parameters and of the optimizer."""
MAX_TERMS = 8
"""How many terms of a long sum are written out."""


def respond(request: Request) -> Response:
    """Do what the request asks, and tell everything that the page shows of the state it leads to.

    Raises
    ------
    ByhandError
        If the parts of the request don't fit together, or it asks for too much work at once.
    """
    # Overflow is part of the story (a learning rate too high): it is told as a finding, not as a warning.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        run = Run(request.config, request.state)
        went = run.act(request)
        return tell(run, request, went)


def initial_network(config: Config, n_in: int, n_out: int) -> Network:
    """The network as the config draws it.

    Raises
    ------
    ByhandError
        If there is not one activation for each layer.
    """
    model = config.model
    sizes = [n_in, *model.hidden, n_out]
    if len(model.activations) != len(sizes) - 1:
        raise ByhandError(f"{len(sizes) - 1} layers need {len(sizes) - 1} activations, not {len(model.activations)}")
    if model.initializer != "handout":
        return Network.dense(sizes, model.activations, initializer=model.initializer, seed=model.seed)
    network = Network.dense(sizes, model.activations, initializer="zeros", seed=0)
    legacy = np.random.RandomState(model.seed)
    for layer in network.dense_layers:
        layer.W = legacy.randn(*layer.W.shape)
    return network


class Run:
    """A training that is taken up at a state, goes on, and is put down as a new state."""

    def __init__(self, config: Config, state: State | None) -> None:
        self.config = config
        self.samples: Samples = samples(config.data)
        self.x, self.y = self.samples.x_train, self.samples.y_train
        self.loss: Loss = losses.get(config.training.loss)
        self.network = initial_network(config, self.x.shape[1], self.y.shape[1])
        self.n = len(self.x)
        self.batch_size = min(config.training.batch_size or self.n, self.n)
        state = state or State(self.network.parameters.tolist())
        self._take_up(state)

    def _take_up(self, state: State) -> None:
        n_parameters = len(self.network.parameters)
        for name, vector in [("parameters", state.parameters), *state.memory.vectors.items()]:
            if len(vector) != n_parameters:
                raise ByhandError(f"{name} has {len(vector)} numbers, but this network has {n_parameters} parameters")
        if state.position >= self.n and state.position:
            raise ByhandError(f"position {state.position} is past the {self.n} training samples of an epoch")
        self.network.parameters[:] = state.parameters
        self.optimizer = remembering(self.config, state.memory)
        self.epoch, self.position = state.epoch, state.position
        self.epoch_loss, self.phase = state.epoch_loss, state.phase
        self._take_up_order(state.shuffle)

    def put_down(self) -> State:
        """The state to go on from."""
        return State(
            parameters=self.network.parameters.tolist(),
            memory=memory_of(self.optimizer),
            shuffle=self.shuffle,
            epoch=self.epoch,
            position=self.position,
            epoch_loss=self.epoch_loss,
            phase=self.phase,
        )

    # The order of the samples: shuffled as `training.train` does from its seed, on from that of the epoch before.

    def _take_up_order(self, shuffle: Shuffle | None) -> None:
        self.shuffle = shuffle
        if self.batch_size == self.n or not self.config.training.shuffle:
            self.shuffle, self._order = None, np.arange(self.n)
        elif shuffle is None:
            self._shuffle(np.random.default_rng(self.config.model.seed), np.arange(self.n))
        else:
            if sorted(shuffle.order) != list(range(self.n)):
                raise ByhandError(f"the order of the samples does not name each of the {self.n} training samples once")
            self._order = np.array(shuffle.order, dtype=np.intp)

    def _next_order(self) -> None:
        if self.shuffle is None:
            return
        rng = np.random.default_rng(0)
        rng.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": int(self.shuffle.state) % 2**128, "inc": int(self.shuffle.inc) % 2**128},
            "has_uint32": self.shuffle.has_uint32,
            "uinteger": self.shuffle.uinteger,
        }
        self._shuffle(rng, self._order.copy())

    def _shuffle(self, rng: np.random.Generator, order: npt.NDArray[np.intp]) -> None:
        rng.shuffle(order)
        after = rng.bit_generator.state
        numbers = after["state"]
        self._order = order
        self.shuffle = Shuffle(
            order.tolist(), str(numbers["state"]), str(numbers["inc"]), after["has_uint32"], after["uinteger"]
        )

    @property
    def batch_start(self) -> int:
        """Where in the epoch the current batch begins."""
        return self.position - self.position % self.batch_size

    @property
    def batch(self) -> npt.NDArray[np.intp]:
        """The training samples of the current batch."""
        return self._order[self.batch_start : self.batch_start + self.batch_size]

    # Going on

    def act(self, request: Request) -> "Went":
        """Do the request's action."""
        went = Went()
        if request.action == "forward":
            self.position, self.phase = self.batch_start, "forward"
        elif request.action == "backward":
            self.position, self.phase = self.batch_start, "backward"
        elif request.action == "update":
            self._finish_batch(went)
        elif request.action == "sample":
            self.phase = "ready"
            if self.position + 1 < min(self.batch_start + self.batch_size, self.n):
                self.position += 1
            else:
                self._finish_batch(went)
        elif request.action == "epochs":
            self._check_work(request.epochs)
            target = self.epoch + request.epochs
            while self.epoch < target and went.stopped is None:
                self._finish_batch(went)
        return went

    @property
    def max_epochs(self) -> int:
        """How many epochs one request may ask for, so that it is answered soon."""
        batches = -(-self.n // self.batch_size)
        products = (self.n + len(self.samples.x_test)) * len(self.network.parameters)
        return max(1, min(schema.MAX_EPOCHS, schema.MAX_UPDATES // batches, schema.MAX_PRODUCTS // products))

    def _check_work(self, epochs: int) -> None:
        if epochs > self.max_epochs:
            raise ByhandError(
                f"{epochs} epochs are too much work for one request: ask for at most {self.max_epochs} at a time"
            )

    def _finish_batch(self, went: "Went") -> None:
        """The update of the current batch; nothing changes where it would leave numbers that are not finite."""
        batch = self.batch
        value = float(self.gradients())
        epoch_loss = self.epoch_loss + (value if self.loss.reduction == "sum" else value * len(batch) / self.n)
        changed, optimizer = self.updated()
        if not (isfinite(epoch_loss) and np.isfinite(changed).all() and _is_finite(optimizer)):
            went.stopped = "the numbers are no longer finite: the last update is not made, and there is no way on"
            return
        self.network.parameters[:] = changed
        self.optimizer = optimizer
        self.epoch_loss = epoch_loss
        self.position = self.batch_start + len(batch)
        self.phase = "ready"
        if self.position == self.n:
            went.losses.append(self.epoch_loss)
            if len(self.samples.x_test):
                went.test_losses.append(self.loss_on(self.samples.x_test, self.samples.y_test))
            self.epoch, self.position, self.epoch_loss = self.epoch + 1, 0, 0.0
            self._next_order()

    def gradients(self) -> float:
        """The loss of the current batch; its gradients are left in the network."""
        if len(self.batch) == self.n:  # the order is the data's own
            return loss_and_gradients(self.network, self.x, self.y, self.loss)
        return loss_and_gradients(self.network, self.x[self.batch], self.y[self.batch], self.loss)

    def updated(self) -> Update:
        """What the update makes of the parameters and of the optimizer; both stay as they are."""
        parameters, optimizer = self.network.parameters.copy(), copy(self.optimizer)
        for name, vector in _vectors(optimizer).items():
            setattr(optimizer, name, vector.copy())
        optimizer.step(parameters, self.network.gradients)
        return parameters, optimizer

    def gradients_so_far(self, n_done: int) -> None:
        """Leave in the network the part of the batch's gradients that its first samples give."""
        x, y = self.x[self.batch], self.y[self.batch]
        gradient = self.loss.gradient(self.network.forward(x), y)
        gradient[n_done:] = 0
        self.network.backward_parameters(gradient)

    def of_sample(self, place: int) -> tuple[float, Array]:
        """What one sample of the batch gives of the batch's loss, and of its gradients."""
        x, y = self.x[self.batch], self.y[self.batch]
        y_hat = self.network.forward(x)
        gradient = self.loss.gradient(y_hat, y)
        gradient[np.arange(len(x)) != place] = 0
        self.network.backward_parameters(gradient)
        return float(self.part_of_batch(self.loss.terms(y_hat, y))[place]), self.network.gradients.copy()

    def part_of_batch(self, terms: Array) -> Array:
        """What each sample adds to the batch's loss, of its loss's terms."""
        part: Array = terms.sum(axis=-1) / (1 if self.loss.reduction == "sum" else len(self.batch))
        return part

    def loss_after(self, parameters: Array) -> float:
        """The loss of the current batch with other parameters."""
        kept = self.network.parameters.copy()
        self.network.parameters[:] = parameters
        loss = self.loss_on(self.x[self.batch], self.y[self.batch])
        self.network.parameters[:] = kept
        return loss

    def loss_on(self, x: Array, y: Array) -> float:
        """The loss of the network as it is."""
        return float(self.loss.value(self.network.predict(x), y))


class Went:
    """What happened on the way."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.test_losses: list[float] = []
        self.stopped: str | None = None


def remembering(config: Config, memory: Memory) -> Optimizer:
    """The config's optimizer, with what it remembers.

    Raises
    ------
    ByhandError
        If it is another optimizer's memory.
    """
    optimizer = OPTIMIZERS[config.training.optimizer](config.training.learning_rate)  # type: ignore[call-arg]
    if memory == Memory():
        return optimizer
    n = max((len(vector) for vector in memory.vectors.values()), default=1)
    optimizer.step(np.zeros(n), np.zeros(n))  # makes room for what it remembers
    if set(memory.vectors) != set(_vectors(optimizer)) or bool(memory.t) != hasattr(optimizer, "t"):
        raise ByhandError(f"the memory is not that of {config.training.optimizer}")
    for name, vector in memory.vectors.items():
        setattr(optimizer, name, np.array(vector))
    if memory.t:
        optimizer.t = memory.t  # type: ignore[attr-defined]
    return optimizer


def memory_of(optimizer: Optimizer) -> Memory:
    """What an optimizer remembers, as plain numbers."""
    return Memory(getattr(optimizer, "t", 0), {name: v.tolist() for name, v in _vectors(optimizer).items()})


def _vectors(optimizer: Optimizer) -> dict[str, Array]:
    return {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, np.ndarray) and not name.startswith("_")
    }


def _is_finite(optimizer: Optimizer) -> bool:
    return all(np.isfinite(vector).all() for vector in _vectors(optimizer).values())


# Telling


def tell(run: Run, request: Request, went: Went) -> Response:
    """Everything that the page shows of a run."""
    network, data = run.network, run.samples
    n_done = run.position - run.batch_start
    sample = min(request.sample, len(run.batch) - 1)
    if request.action == "sample":  # the one that was just gone through
        sample = max(n_done - 1, 0)
    sample_loss, sample_gradients = run.of_sample(sample)
    batch_loss = run.gradients()
    changed, optimizer = run.updated()
    promised = batch_loss + float(network.gradients @ (changed - network.parameters))
    layers = _layers(run, sample)
    if n_done:
        run.gradients_so_far(n_done)
    y_hat = network.predict(run.x)
    y_hat_test = network.predict(data.x_test) if len(data.x_test) else None
    threshold = _threshold(run)
    findings, looked = judgement.findings(
        run.network, run.x, run.y, run.loss, run.config, run.epoch, [*request.losses, *went.losses]
    )
    return Response(
        state=run.put_down(),
        losses=went.losses,
        test_losses=went.test_losses,
        stopped=went.stopped,
        train_loss=float(run.loss.value(y_hat, run.y)),
        test_loss=None if y_hat_test is None else float(run.loss.value(y_hat_test, data.y_test)),
        train_right=_share_right(y_hat, run.y, threshold),
        test_right=None if y_hat_test is None else _share_right(y_hat_test, data.y_test, threshold),
        n_inputs=run.x.shape[1],
        batch=run.batch.tolist(),
        batch_done=n_done,
        sample=sample,
        x=run.x[run.batch[sample]].tolist(),
        y=run.y[run.batch[sample]].tolist(),
        layers=layers,
        grad_norms=[
            float(np.hypot(np.linalg.norm(layer.grad_W), np.linalg.norm(layer.grad_b)))
            for layer in network.dense_layers
        ],
        sample_loss=sample_loss,
        sample_gradients=sample_gradients.tolist(),
        gradients=network.gradients.tolist(),
        next_parameters=changed.tolist(),
        batch_loss=batch_loss,
        promised_loss=promised,
        next_batch_loss=run.loss_after(changed),
        outputs=y_hat.tolist() if y_hat.size <= 200 else [],
        threshold=threshold,
        max_epochs=run.max_epochs,
        findings=findings,
        looked=looked,
        formulas=_formulas(run, sample, request, (changed, optimizer)),
        nudged=[_nudged(run, layers, sample, explain) for explain in request.explain],
        train=Point(run.x.tolist(), run.y.tolist()) if request.with_data else None,
        test=Point(data.x_test.tolist(), data.y_test.tolist()) if request.with_data else None,
        surfaces=_surfaces(run, request.surface) if request.surface and run.x.shape[1] <= 2 else None,
    )


def _threshold(run: Run) -> float | None:
    if not run.samples.is_classes or run.y.shape[1] > 1:
        return None
    return 0.0 if run.loss is losses.binary_cross_entropy_from_logits else 0.5


def _share_right(y_hat: Array, y: Array, threshold: float | None) -> float | None:
    if y.shape[1] > 1:
        return float((y_hat.argmax(axis=1) == y.argmax(axis=1)).mean())
    return None if threshold is None else float(((y_hat > threshold) == (y > 0.5)).mean())


def _layers(run: Run, sample: int) -> list[schema.Layer]:
    """The numbers of the batch's sample, and of each layer on all training samples."""
    layers, a = [], run.x
    dense = run.network.dense_layers
    y_hat, y = dense[-1].a, run.y[run.batch]
    for layer, after in zip(dense, [*dense[1:], None], strict=True):
        z = a @ layer.W.T + layer.b
        a = layer.activation(z)
        counts, low, high = _histogram(z)
        returned = None if after is None else after.W.T * after.grad_z[sample]
        grad_a = run.loss.gradient(y_hat, y)[sample] if returned is None else returned.sum(axis=1)
        slope = np.broadcast_to(layer.activation.derivative(layer.z, layer.a), layer.z.shape)[sample]
        layers.append(
            schema.Layer(
                z=layer.z[sample].tolist(),
                a=layer.a[sample].tolist(),
                grad_a=grad_a.tolist(),
                slope=slope.tolist(),
                grad_z=layer.grad_z[sample].tolist(),
                products=(layer.W * layer.x[sample]).tolist(),
                returned=[] if returned is None else returned.tolist(),
                active=(z > 0).sum(axis=0).tolist(),
                histogram=counts,
                histogram_range=(low, high),
            )
        )
    return layers


def _histogram(z: Array, bins: int = 20) -> tuple[list[int], float, float]:
    """Counts in even bins, and their range: by hand, as `numpy.histogram` refuses what overflows or underflows."""
    finite = z[np.isfinite(z)]
    if not finite.size:
        return [0] * bins, 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    size = max(abs(low), abs(high))
    if high - low <= 1e-9 * size or size < 1e-290:  # all the same: one bar in the middle
        margin = 0.5 * max(1.0, size)
        low, high = low - margin, high + margin
    share = (finite / 2 - low / 2) / (high / 2 - low / 2)  # halved, so that high − low cannot overflow
    indices = np.clip((share * bins).astype(np.intp), 0, bins - 1)
    return np.bincount(indices, minlength=bins).tolist(), max(low, -1e308), min(high, 1e308)


# Surfaces


def _surfaces(run: Run, resolution: int) -> schema.Surfaces:
    x = np.concatenate([run.x, run.samples.x_test])
    x_range = _range(x[:, 0])
    if x.shape[1] == 1:
        across, up, y_range = 2 * resolution, 1, (0.0, 0.0)
        grid = np.linspace(*x_range, across)[:, None]
    else:
        across = up = resolution
        y_range = _range(x[:, 1])
        horizontal, vertical = np.meshgrid(np.linspace(*x_range, across), np.linspace(*y_range, up))
        grid = np.column_stack([horizontal.ravel(), vertical.ravel()])
    units: list[list[schema.Surface]] = []
    a: Array = grid
    for layer in run.network.dense_layers:
        a = layer.predict(a)
        units.append([_surface(a[:, unit]) for unit in range(layer.n_out)])
    return schema.Surfaces(across, up, x_range, y_range, units)


def _range(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = 0.15 * (high - low) or 1.0
    return low - margin, high + margin


def _surface(values: Array) -> schema.Surface:
    values = np.nan_to_num(values, posinf=1e300, neginf=-1e300)
    low, high = float(values.min()), float(values.max())
    scaled = (values / 2 - low / 2) / ((high / 2 - low / 2) or 1.0)  # halved, so that high − low cannot overflow
    return schema.Surface(low, high, base64.b64encode(np.rint(scaled * 255).astype(np.uint8).tobytes()).decode())


# Formulas


def _formulas(run: Run, sample: int, request: Request, update: Update) -> list[list[Formula]]:
    if not request.explain:
        return []
    told = arithmetic.tell(
        run.network,
        run.x[run.batch],
        run.y[run.batch],
        run.loss,
        learning_rate=run.config.training.learning_rate,
        layout=request.layout,
    )
    return [_formulas_of(run, told, sample, explain, request, update) for explain in request.explain]


def _nudged(run: Run, layers: list[schema.Layer], sample: int, explain: Explain) -> list[float]:
    """The sample's loss, were the unit's z another and all else the same; none for a weight."""
    if explain.weight is not None:
        return []
    dense = run.network.dense_layers
    z = np.tile(layers[explain.layer].z, (len(schema.NUDGES), 1))
    z[:, explain.unit] += schema.NUDGES
    a = dense[explain.layer].activation(z)
    for layer in dense[explain.layer + 1 :]:
        a = layer.activation(a @ layer.W.T + layer.b)
    y = np.broadcast_to(run.y[run.batch[sample]], a.shape)
    share: list[float] = run.part_of_batch(run.loss.terms(a, y)).tolist()
    return share


def _formulas_of(
    run: Run, told: arithmetic.Arithmetic, sample: int, explain: Explain, request: Request, update: Update
) -> list[Formula]:
    layers = run.network.dense_layers
    if explain.layer >= len(layers) or explain.unit >= layers[explain.layer].n_out:
        raise ByhandError(f"there is no unit {explain.unit} of layer {explain.layer} (both counted from 0)")
    layer = layers[explain.layer]
    if explain.weight is not None and explain.weight > layer.n_in:
        raise ByhandError(f"unit {explain.unit} has {layer.n_in} weights and a bias, so no weight {explain.weight}")
    columns = request.layout == "W x + b"
    of_sample = (explain.unit, sample) if columns else (sample, explain.unit)
    number = explain.layer + 1
    if explain.weight is None:
        names = [f"z{number}", f"a{number}", f"grad_a{number}", f"delta{number}"]
        chosen: list[tuple[arithmetic.Step, tuple[int, ...]]] = [(told[name], of_sample) for name in names]
        if explain.layer == len(layers) - 1:
            chosen.append((told["L"], ()))
    elif explain.weight == layer.n_in:
        chosen = [(told[f"grad_b{number}"], (explain.unit,)), (told[f"new_b{number}"], (explain.unit,))]
    else:
        of_weight = (explain.unit, explain.weight) if columns else (explain.weight, explain.unit)
        chosen = [(told[f"grad_W{number}"], of_weight), (told[f"new_W{number}"], of_weight)]
    formulas = []
    for step, index in chosen:
        if step.phase == "update" and run.config.training.optimizer != "gradient_descent":
            formulas += _update(run, explain, update)
        else:
            formulas.append(
                Formula(step.label(*index), step.formula, _shortened(step.terms(*index)), step.number(*index))
            )
    return formulas


_SYMBOLS = {"v": "velocity", "m": "mean", "s": "mean_square"}
"""What the optimizers' formulas call that which they remember."""


def _update(run: Run, explain: Explain, update: Update) -> list[Formula]:
    """The optimizer's own formula, clause by clause: what it remembers of the weight, and last the new weight."""
    layers = run.network.dense_layers
    index = sum(layer.n_parameters for layer in layers[: explain.layer])
    layer = layers[explain.layer]
    if explain.weight == layer.n_in:
        index += layer.n_out * layer.n_in + explain.unit
    else:
        index += explain.unit * layer.n_in + (explain.weight or 0)
    changed, optimizer = update
    old, new = run.network.parameters[index], changed[index]
    write = arithmetic.write_number
    change = f"{write(old, 4)} {'+' if new >= old else '−'} {write(abs(new - old), 4)}"
    rule = run.optimizer.formula.element.format(**vars(run.optimizer))  # type: ignore[attr-defined]
    clauses = re.split(r",\s+(?:then\s+)?(?=\w ← )", rule)
    remembered = [
        Formula(name, clause, "", write(getattr(optimizer, _SYMBOLS[name])[index], 4))
        for clause in clauses
        if (name := clause[0]) in _SYMBOLS
    ]
    steps = ", then ".join(clause for clause in clauses if clause[0] == "w")
    return [*remembered, Formula("new w", steps, change, write(new, 4))]


def _shortened(terms: str) -> str:
    """The first terms of a long sum; a plus within parentheses is part of a term."""
    parts, depth = [""], 0
    for piece in terms.split(" + "):
        parts[-1] += piece if depth == 0 or not parts[-1] else f" + {piece}"
        depth += piece.count("(") - piece.count(")")
        if depth == 0:
            parts.append("")
    parts = [part for part in parts if part]
    if len(parts) <= MAX_TERMS + 1:
        return terms
    return " + ".join([*parts[:MAX_TERMS], f"… ({len(parts) - MAX_TERMS} more terms)"])
