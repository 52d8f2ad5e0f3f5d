"""An experiment written out as code to take away: once in NumPy alone, once with the library.

Both give the losses that the page showed. The formulas are the code that activations, losses, initializers and
optimizers carry; that it computes what they compute is held by a test, for every one of them.
"""

import ast
from functools import partial

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS
from byhand.errors import ByhandError
from byhand.formulas import Formula
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.optimizers import OPTIMIZERS
from byhand.play.data import samples
from byhand.play.engine import initial_network
from byhand.play.schema import Data, Listing, ListingRequest


def listing(request: ListingRequest) -> Listing:
    """The experiment as NumPy code and as library code.

    Raises
    ------
    ByhandError
        If the parts of the request don't fit together.
    """
    data = samples(request.config.data)
    network = initial_network(request.config, data.x_train.shape[1], data.y_train.shape[1])
    drawn = request.parameters is None
    if request.parameters is not None:
        if len(request.parameters) != len(network.parameters):
            raise ByhandError(
                f"parameters has {len(request.parameters)} numbers, but this network has {len(network.parameters)}"
            )
        network.parameters[:] = request.parameters
    weights = [(layer.W, layer.b) for layer in network.dense_layers]
    return Listing(_Numpy(request, weights, drawn).text(), _library(request, weights, drawn))


def _assigned(name: str, values: Array) -> str:
    """`name = np.array(…)`, with every digit."""
    start = f"{name} = np.array("
    with np.printoptions(floatmode="unique", threshold=10**9, linewidth=110):
        return start + np.array2string(values, separator=", ", prefix=start) + ")"


# The data

_CURVES = {
    "circles": ["radius = np.where(label == 1, 0.5, 1.0)", "angle = 2 * np.pi * t"],
    "spirals": ["radius = 0.1 + 0.9 * t", "angle = 2 * np.pi * 1.5 * t + np.pi * label"],
    "moons": ["radius = np.ones_like(t)", "angle = np.pi * t"],
}


def _numpy_data(data: Data) -> list[str]:
    rng = f"rng = np.random.default_rng({data.seed})"
    if data.kind == "line":
        return [
            rng,
            f"x = rng.random(({data.n}, 1))",
            f"y = 2.0 * x + 1.0 + {data.noise!r} * rng.standard_normal(({data.n}, 1))",
        ]
    if data.kind in _CURVES:
        return [
            rng,
            f"label = np.arange({data.n}) % 2.0",
            f"t = rng.random({data.n})",
            *_CURVES[data.kind],
            "curve = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])",
            *(
                ["curve = np.where(label[:, None] == 1, np.array([1.0, 0.5]) - curve, curve)"]
                if data.kind == "moons"
                else []
            ),
            f"x = curve + {data.noise!r} * rng.standard_normal(({data.n}, 2))",
            "y = label[:, None]",
        ]
    if data.kind == "digits":
        return [
            "digits = load_digits()",
            f"chosen = np.random.default_rng({data.seed}).permutation(len(digits.data))[:{data.n}]",
            "x = digits.data[chosen] / 16.0",
            "y = np.eye(10)[digits.target[chosen]]",
        ]
    whole = samples(Data(data.kind, points=data.points))
    return [_assigned("x", whole.x_train), _assigned("y", whole.y_train)]


def _library_data(data: Data) -> list[str]:
    if data.kind in ("line", "circles", "moons", "spirals"):
        return [f"x, y = byhand.datasets.{data.kind}({data.n}, noise={data.noise!r}, seed={data.seed})"]
    if data.kind == "xor":
        return ["x, y = byhand.datasets.xor()"]
    if data.kind == "digits":
        return [
            "x, y = byhand.datasets.digits()",
            f"chosen = np.random.default_rng({data.seed}).permutation(len(x))[:{data.n}]",
            "x, y = x[chosen], y[chosen]",
        ]
    return _numpy_data(data)


def _split(data: Data) -> list[str]:
    split = samples(data)
    n_test, n_train = len(split.x_test), len(split.x_train)
    if not n_test:
        return []
    return [
        f"order = np.random.default_rng({data.seed}).permutation(len(x))  # the last {n_test} are the test set",
        f"x_test, y_test = x[order[{n_train}:]], y[order[{n_train}:]]",
        f"x, y = x[order[:{n_train}]], y[order[:{n_train}]]",
    ]


# With the library


def _library(request: ListingRequest, weights: list[tuple[Array, Array]], drawn: bool) -> str:
    config = request.config
    model, training = config.model, config.training
    sizes = [weights[0][0].shape[1], *(len(b) for _, b in weights)]
    drawn_by_library = drawn and model.initializer != "handout"
    start = f', initializer="{model.initializer}", seed={model.seed}' if drawn_by_library else ""
    names = "[" + ", ".join(f'"{name}"' for name in model.activations) + "]"
    lines = [
        "import numpy as np",
        "",
        "import byhand",
        "",
        *_library_data(config.data),
        *_split(config.data),
        f"network = byhand.Network.dense({sizes}, {names}{start})",
    ]
    if drawn and not drawn_by_library:
        lines += [f"np.random.seed({model.seed})", "for layer in network.layers:"]
        lines += ["    layer.W = np.random.randn(*layer.W.shape)"]
    elif not drawn:
        for i, (W, b) in enumerate(weights):
            lines += [_assigned(f"network.layers[{i}].W", W), _assigned(f"network.layers[{i}].b", b)]
    lines += [
        "history = byhand.train(",
        "    network,",
        "    x,",
        "    y,",
        f'    loss="{training.loss}",',
        f"    optimizer=byhand.optimizers.{OPTIMIZERS[training.optimizer].__name__}({training.learning_rate!r}),",
        f"    epochs={request.epochs},",
    ]
    if training.batch_size:
        order = f"    seed={model.seed}," if training.shuffle else "    shuffle=False,"
        lines += [f"    batch_size={training.batch_size},", order]
    if len(samples(config.data).x_test):
        lines += ["    validation=(x_test, y_test),"]
    lines += [")", "losses = history.loss", "print(losses[-1])"]
    return "\n".join(lines) + "\n"


# In NumPy alone


def _code(formula: Formula | None, owner: object) -> str:
    if formula is None:
        raise ByhandError(f"{owner} carries no formula to copy: give it one, with its code.")
    return formula.code


def _names(code: str) -> set[str]:
    """The names that stand in the code."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def _draw(initializer: str, n_in: int, n_out: int) -> str:
    """The code that draws W of shape (n_out, n_in)."""
    if initializer == "handout":
        return f"np.random.randn({n_out}, {n_in})"
    return INITIALIZERS[initializer].formula.code.format(n_in=n_in, n_out=n_out)


class _Numpy:
    """The script without the library, in one of the two layouts."""

    def __init__(self, request: ListingRequest, weights: list[tuple[Array, Array]], drawn: bool) -> None:
        self.request, self.config = request, request.config
        self.weights, self.drawn = weights, drawn
        self.columns = request.layout == "W x + b"
        self.loss = LOSSES[self.config.training.loss]
        coded = partial(_code, owner=self.loss)
        self.loss_code, self.loss_gradient = (
            coded(formula).format(axis=0 if self.columns else 1)
            for formula in (self.loss.formula, self.loss.gradient_formula)
        )
        self.batch_size = self.config.training.batch_size
        if self.batch_size is not None and self.batch_size >= len(samples(self.config.data).x_train):
            self.batch_size = None

    def text(self) -> str:
        blocks = [
            [
                "import numpy as np",
                *(["from sklearn.datasets import load_digits"] if self.config.data.kind == "digits" else []),
            ],
            [*_numpy_data(self.config.data), *_split(self.config.data), *self._turned()],
            self._start(),
            *self._functions(),
            self._memory(),
            self._loop(),
        ]
        return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"

    def _turned(self) -> list[str]:
        return ["x, y = x.T, y.T  # one sample a column"] if self.columns else []

    def _start(self) -> list[str]:
        model = self.config.model
        lines = []
        if self.drawn and model.initializer != "zeros":
            handout = model.initializer == "handout"
            lines.append(f"np.random.seed({model.seed})" if handout else f"rng = np.random.default_rng({model.seed})")
        for number, (W, b) in enumerate(self.weights, 1):
            n_out, n_in = W.shape
            if self.drawn:
                turn = "" if self.columns else ".T  # shape (n_in, n_out)"
                lines.append(f"W{number} = {_paren(_draw(model.initializer, n_in, n_out), turn)}")
                lines.append(f"b{number} = np.zeros({f'({n_out}, 1)' if self.columns else n_out})")
            else:
                lines.append(_assigned(f"W{number}", W if self.columns else W.T))
                lines.append(_assigned(f"b{number}", b[:, None] if self.columns else b))
        return lines

    def _functions(self) -> list[list[str]]:
        used = list(dict.fromkeys(self.config.model.activations))
        called = _names(self.loss_code) | _names(self.loss_gradient)
        codes = {
            name: (_code(ACTIVATIONS[name].formula, name), _code(ACTIVATIONS[name].derivative_formula, name))
            for name in used
        }
        for f, derivative in codes.values():
            called |= _names(f) | _names(derivative)
        blocks = []
        for name in ACTIVATIONS:
            if name in codes:
                f, derivative = codes[name]
                blocks.append([*_function(name, "z", f), "", "", *_function(f"{name}_derivative", "z, a", derivative)])
            elif name in called:
                blocks.append(_function(name, "z", _code(ACTIVATIONS[name].formula, name)))
        return [["", *block] for block in blocks[:-1]] + [["", *blocks[-1], ""]]

    @property
    def _update_code(self) -> str:
        optimizer = OPTIMIZERS[self.config.training.optimizer](self.config.training.learning_rate)  # type: ignore[call-arg]
        return _code(getattr(optimizer, "formula", None), optimizer).format(**vars(optimizer))

    @property
    def _remembered(self) -> list[str]:
        """The names of what the optimizer remembers for each parameter, such as v."""
        return sorted(_names(self._update_code) - {"learning_rate", "np", "p", "g", "t"})

    def _memory(self) -> list[str]:
        lines = [f"learning_rate = {self.config.training.learning_rate!r}"]
        if self._remembered:
            names = [f"{symbol}{n}" for n in range(1, len(self.weights) + 1) for symbol in "Wb"]
            lines.append(f"parameters = [{', '.join(names)}]")
            lines += [f"{name}_of = [np.zeros_like(p) for p in parameters]" for name in self._remembered]
        if "t" in _names(self._update_code):
            lines.append("t = 0")
        if self.batch_size:
            if self.config.training.shuffle:
                lines.append(f"shuffling = np.random.default_rng({self.config.model.seed})")
            lines.append("order = np.arange(x.shape[1])" if self.columns else "order = np.arange(len(x))")
        lines.append("losses = []")
        return lines

    def _loop(self) -> list[str]:
        head = f"for epoch in range({self.request.epochs}):"
        if not self.batch_size:
            needs_n = "n" in _names(self.loss_code) | _names(self.loss_gradient)
            n = ["n = x.shape[1]" if self.columns else "n = len(x)"] if needs_n else []
            return [*n, head, *_indented([*self._step("x"), "losses.append(loss)"]), "print(losses[-1])"]
        n_all = "x_all.shape[1]" if self.columns else "len(x_all)"
        pick = "[:, rows]" if self.columns else "[rows]"
        inner = [
            f"rows = order[start : start + {self.batch_size}]",
            f"x, y = x_all{pick}, y_all{pick}",
            "n = len(rows)",
            *self._step("x"),
            "epoch_loss += loss" if self.loss.reduction == "sum" else f"epoch_loss += loss * n / {n_all}",
        ]
        outer = [
            *(["shuffling.shuffle(order)"] if self.config.training.shuffle else []),
            "epoch_loss = 0.0",
            f"for start in range(0, {n_all}, {self.batch_size}):",
            *_indented(inner),
            "losses.append(epoch_loss)",
        ]
        return ["x_all, y_all = x, y", head, *_indented(outer), "print(losses[-1])"]

    def _step(self, x: str) -> list[str]:
        """One forward pass, loss, backward pass and update."""
        last = len(self.weights)
        activation = self.config.model.activations
        *before, value = self.loss_code.splitlines()
        inputs = [x, *(f"a{n}" for n in range(1, last))]
        lines = ["# forward"]
        for n in range(1, last + 1):
            product = f"W{n} @ {inputs[n - 1]}" if self.columns else f"{inputs[n - 1]} @ W{n}"
            lines += [f"z{n} = {product} + b{n}", f"a{n} = {activation[n - 1]}(z{n})"]
        lines += [f"y_hat = a{last}", "# loss", *before, f"loss = {value}", "# backward"]
        for n in range(last, 0, -1):
            if n == last:
                from_above = f"({self.loss_gradient})" if " - " in self.loss_gradient else self.loss_gradient
            else:
                from_above = f"(W{n + 1}.T @ delta{n + 1})" if self.columns else f"(delta{n + 1} @ W{n + 1}.T)"
            lines.append(f"delta{n} = {from_above} * {activation[n - 1]}_derivative(z{n}, a{n})")
            a = inputs[n - 1]
            lines.append(f"grad_W{n} = " + (f"delta{n} @ {a}.T" if self.columns else f"{a}.T @ delta{n}"))
            lines.append(f"grad_b{n} = delta{n}.sum(axis=" + ("1, keepdims=True)" if self.columns else "0)"))
        return [*lines, "# update", *self._update(last)]

    def _update(self, last: int) -> list[str]:
        names = [f"{symbol}{n}" for n in range(1, last + 1) for symbol in "Wb"]
        code, remembered = self._update_code, self._remembered
        if code == "p -= learning_rate * g":
            return [f"{name} -= learning_rate * grad_{name}" for name in names]
        parameters = "parameters" if remembered else f"[{', '.join(names)}]"
        gradients = ", ".join(f"grad_{name}" for name in names)
        lists = ", ".join([parameters, f"[{gradients}]", *(f"{name}_of" for name in remembered)])
        loop = f"for {', '.join(['p', 'g', *remembered])} in zip({lists}):"
        return [*(["t += 1"] if "t" in _names(code) else []), loop, *_indented(code.splitlines())]


def _paren(code: str, turn: str) -> str:
    is_call = isinstance(ast.parse(code, mode="eval").body, ast.Call)
    return code + turn if is_call or not turn else f"({code}){turn}"


def _function(name: str, arguments: str, body: str) -> list[str]:
    *before, result = body.splitlines()
    return [f"def {name}({arguments}):", *_indented([*before, f"return {result}"])]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
