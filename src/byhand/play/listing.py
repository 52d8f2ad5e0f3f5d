"""An experiment written out as code to take away: once in NumPy alone, once with the library.

Both give the losses that the page showed. What is a formula here is a text that NumPy runs in the reader's own
script; that it computes what the library computes is held by a test, for every activation, loss and optimizer.
"""

import numpy as np

from byhand._types import Array
from byhand.errors import ByhandError
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

# f(z), and f′(z) from z and a = f(z). The exponentials are written so that none overflows.
_ACTIVATIONS = {
    "identity": ("z", "np.ones_like(z)"),
    "sigmoid": ("1 / (1 + np.exp(-np.maximum(z, -708)))", "a * (1 - a)"),
    "tanh": ("np.tanh(z)", "1 - a * a"),
    "relu": ("np.maximum(z, 0)", "1.0 * (z > 0)"),
    "leaky_relu": ("np.where(z > 0, z, 0.01 * z)", "np.where(z > 0, 1, 0.01)"),
    "elu": ("np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)", "np.where(z > 0, 1, a + 1)"),
    "softplus": ("np.logaddexp(0, z)", "sigmoid(z)"),
    "silu": ("z * sigmoid(z)", "sigmoid(z) * (1 + z - a)"),
    "gelu": (
        "0.5 * z * (1 + np.tanh(u(z)))",
        "0.5 * (1 + np.tanh(u(z))) + 0.5 * z * (1 - np.tanh(u(z)) ** 2) * u_derivative(z)",
    ),
}
_NEEDS_SIGMOID = ("softplus", "silu")

# The loss, and dL/dŷ; n is the number of samples and AXIS that of the classes.
_LOSSES = {
    "sum_of_squares": ("((y_hat - y) ** 2).sum()", "2 * (y_hat - y)"),
    "mean_squared_error": ("((y_hat - y) ** 2).mean()", "2 * (y_hat - y) / y.size"),
    "half_mean_squared_error": ("0.5 * ((y_hat - y) ** 2).sum() / n", "(y_hat - y) / n"),
    "mean_absolute_error": ("np.abs(y_hat - y).mean()", "np.sign(y_hat - y) / y.size"),
    "huber": (
        "np.where(np.abs(y_hat - y) <= 1, 0.5 * (y_hat - y) ** 2, np.abs(y_hat - y) - 0.5).mean()",
        "np.clip(y_hat - y, -1, 1) / y.size",
    ),
    "binary_cross_entropy_from_logits": (
        "(np.maximum(y_hat, 0) - y * y_hat + np.log1p(np.exp(-np.abs(y_hat)))).mean()",
        "(sigmoid(y_hat) - y) / y.size",
    ),
    "cross_entropy_from_logits": (
        "-(y * log_softmax(y_hat)).sum() / n",
        "(np.exp(log_softmax(y_hat)) * y.sum(axis=AXIS, keepdims=True) - y) / n",
    ),
}

_STEPS = {
    "momentum": ["v *= 0.9", "v -= learning_rate * g", "p += v"],
    "nesterov": ["v *= 0.9", "v -= learning_rate * g", "p += 0.9 * v - learning_rate * g"],
    "rmsprop": ["s += 0.01 * (g * g - s)", "p -= learning_rate * g / (np.sqrt(s) + 1e-8)"],
    "adam": [
        "m += 0.1 * (g - m)",
        "s += 0.001 * (g * g - s)",
        "p -= learning_rate * (m / (1 - 0.9**t)) / (np.sqrt(s / (1 - 0.999**t)) + 1e-8)",
    ],
}
_STEPS["adamw"] = ["p *= 1 - learning_rate * 0.01", *_STEPS["adam"]]
_MEMORY = {"momentum": ["v"], "nesterov": ["v"], "rmsprop": ["s"], "adam": ["m", "s"], "adamw": ["m", "s"]}


def _deviation(initializer: str, n_in: int, n_out: int) -> str:
    """The code that draws W of shape (n_out, n_in)."""
    shape = f"({n_out}, {n_in})"
    return {
        "zeros": f"np.zeros({shape})",
        "standard_normal": f"rng.standard_normal({shape})",
        "glorot_normal": f"rng.standard_normal({shape}) * np.sqrt(2 / ({n_in} + {n_out}))",
        "he_normal": f"rng.standard_normal({shape}) * np.sqrt(2 / {n_in})",
        "glorot_uniform": f"rng.uniform(-np.sqrt(6 / ({n_in} + {n_out})), np.sqrt(6 / ({n_in} + {n_out})), {shape})",
        "he_uniform": f"rng.uniform(-np.sqrt(6 / {n_in}), np.sqrt(6 / {n_in}), {shape})",
        "handout": f"np.random.randn({n_out}, {n_in})",
    }[initializer]


class _Numpy:
    """The script without the library, in one of the two layouts."""

    def __init__(self, request: ListingRequest, weights: list[tuple[Array, Array]], drawn: bool) -> None:
        self.request, self.config = request, request.config
        self.weights, self.drawn = weights, drawn
        self.columns = request.layout == "W x + b"
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
                lines.append(f"W{number} = {_paren(_deviation(model.initializer, n_in, n_out), turn)}")
                lines.append(f"b{number} = np.zeros({f'({n_out}, 1)' if self.columns else n_out})")
            else:
                lines.append(_assigned(f"W{number}", W if self.columns else W.T))
                lines.append(_assigned(f"b{number}", b[:, None] if self.columns else b))
        return lines

    def _functions(self) -> list[list[str]]:
        names = list(dict.fromkeys(self.config.model.activations))
        loss = self.config.training.loss
        blocks = []
        if "sigmoid" not in names and (
            any(name in _NEEDS_SIGMOID for name in names) or loss == "binary_cross_entropy_from_logits"
        ):
            blocks.append(_function("sigmoid", "z", _ACTIVATIONS["sigmoid"][0]))
        if "gelu" in names:
            blocks.append(
                [
                    *_function("u", "z", "np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)"),
                    "",
                    "",
                    *_function("u_derivative", "z", "np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * z**2)"),
                ]
            )
        for name in names:
            f, derivative = _ACTIVATIONS[name]
            blocks.append([*_function(name, "z", f), "", "", *_function(f"{name}_derivative", "z, a", derivative)])
        if loss == "cross_entropy_from_logits":
            body = "z - np.log(np.exp(z).sum(axis=AXIS, keepdims=True))".replace("AXIS", self._axis)
            shift = f"    z = z - z.max(axis={self._axis}, keepdims=True)"
            blocks.append(["def log_softmax(z):", shift, f"    return {body}"])
        return [["", *block] for block in blocks[:-1]] + [["", *blocks[-1], ""]]

    @property
    def _axis(self) -> str:
        return "0" if self.columns else "1"

    def _memory(self) -> list[str]:
        optimizer = self.config.training.optimizer
        lines = [f"learning_rate = {self.config.training.learning_rate!r}"]
        if optimizer in _MEMORY:
            names = [f"{symbol}{n}" for n in range(1, len(self.weights) + 1) for symbol in "Wb"]
            lines.append(f"parameters = [{', '.join(names)}]")
            lines += [f"{name}_of = [np.zeros_like(p) for p in parameters]" for name in _MEMORY[optimizer]]
            if "adam" in optimizer:
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
            needs_n = any("/ n" in code for code in _LOSSES[self.config.training.loss])
            n = ["n = x.shape[1]" if self.columns else "n = len(x)"] if needs_n else []
            return [*n, head, *_indented([*self._step("x"), "losses.append(loss)"]), "print(losses[-1])"]
        n_all = "x_all.shape[1]" if self.columns else "len(x_all)"
        pick = "[:, rows]" if self.columns else "[rows]"
        whole = "sum" in self.config.training.loss and "squares" in self.config.training.loss
        inner = [
            f"rows = order[start : start + {self.batch_size}]",
            f"x, y = x_all{pick}, y_all{pick}",
            "n = len(rows)",
            *self._step("x"),
            "epoch_loss += loss" if whole else f"epoch_loss += loss * n / {n_all}",
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
        value, gradient = _LOSSES[self.config.training.loss]
        inputs = [x, *(f"a{n}" for n in range(1, last))]
        lines = ["# forward"]
        for n in range(1, last + 1):
            product = f"W{n} @ {inputs[n - 1]}" if self.columns else f"{inputs[n - 1]} @ W{n}"
            lines += [f"z{n} = {product} + b{n}", f"a{n} = {activation[n - 1]}(z{n})"]
        lines += [f"y_hat = a{last}", "# loss", f"loss = {value}", "# backward"]
        for n in range(last, 0, -1):
            if n == last:
                from_above = gradient.replace("AXIS", self._axis)
                from_above = f"({from_above})" if n == last and " - " in from_above else from_above
            else:
                from_above = f"(W{n + 1}.T @ delta{n + 1})" if self.columns else f"(delta{n + 1} @ W{n + 1}.T)"
            lines.append(f"delta{n} = {from_above} * {activation[n - 1]}_derivative(z{n}, a{n})")
            a = inputs[n - 1]
            lines.append(f"grad_W{n} = " + (f"delta{n} @ {a}.T" if self.columns else f"{a}.T @ delta{n}"))
            lines.append(f"grad_b{n} = delta{n}.sum(axis=" + ("1, keepdims=True)" if self.columns else "0)"))
        return [*lines, "# update", *self._update(last)]

    def _update(self, last: int) -> list[str]:
        optimizer = self.config.training.optimizer
        names = [f"{symbol}{n}" for n in range(1, last + 1) for symbol in "Wb"]
        if optimizer not in _MEMORY:
            return [f"{name} -= learning_rate * grad_{name}" for name in names]
        memory = _MEMORY[optimizer]
        gradients = ", ".join(f"grad_{name}" for name in names)
        lists = ", ".join(["parameters", f"[{gradients}]", *(f"{name}_of" for name in memory)])
        loop = f"for {', '.join(['p', 'g', *memory])} in zip({lists}):"
        return [*(["t += 1"] if "adam" in optimizer else []), loop, *_indented(_STEPS[optimizer])]


def _paren(code: str, turn: str) -> str:
    return f"({code}){turn}" if turn and "*" in code else code + turn


def _function(name: str, arguments: str, body: str) -> list[str]:
    return [f"def {name}({arguments}):", f"    return {body}"]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
