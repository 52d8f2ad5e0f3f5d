"""What to start from: the small network that the page opens with, the practical's, and one for each data set.

A start is an experiment worth looking at as it stands; `tests/test_play_presets.py` trains each. The stories that
are told with them are in `stories`.
"""

from dataclasses import dataclass, replace

from byhand.play.schema import Config, Data, Model, Training


@dataclass(frozen=True)
class Preset:
    """An experiment with a name, and what to look for in it."""

    id: str
    title: str
    look_for: str
    config: Config
    many: int
    """How many epochs an exported run of it goes at least."""
    parameters: list[float] | None = None
    """The weights to begin with; those that the config draws where it is null."""


def xor(activation: str, learning_rate: float, seed: int) -> Config:
    """The practical's network: 2-10-1 on XOR, the sum of squares, full batch."""
    return Config(
        Data("xor"),
        Model([10], [activation, activation], "handout", seed),
        Training("sum_of_squares", "gradient_descent", learning_rate),
    )


LINE = Config(
    Data("line", n=100, noise=0.1, seed=0),
    Model([], ["identity"], "standard_normal", 0),
    Training("mean_squared_error", "gradient_descent", 0.9),
)

WALK = Preset(
    "walk",
    "Walk through",
    "Two inputs, two hidden units, one output: XOR, one sample at a time.",
    Config(
        Data("own", points=[[1, 1, 0], [0, 1, 1], [1, 0, 1], [0, 0, 0]]),
        Model([2], ["sigmoid", "sigmoid"]),
        Training("sum_of_squares", "gradient_descent", 1.0, batch_size=1, shuffle=False),
    ),
    many=1000,
    parameters=[0.7, 0.2, 1.5, -0.9, -0.8, 0.4, 0.8, -0.7, -0.6],
)

PRESETS = [
    WALK,
    Preset("sigmoid-learns", "Sigmoid learns XOR", "A loss near 1 that falls late.", xor("sigmoid", 0.5, 0), 1000),
    Preset("relu-sometimes", "ReLU, sometimes faster", "A seed that learns quickly.", xor("relu", 0.01, 4), 100),
    Preset("identity-cannot", "Identity can't", "Two layers, one linear function.", xor("identity", 0.01, 0), 500),
    Preset("seed-44", "Seed 44 is dead", "A loss of 2 that stays 2.", xor("relu", 0.001, 44), 500),
    Preset("rate-too-high", "A learning rate past 2/λmax", "Each step lands higher.", LINE, 30),
]

_CLASSES = (Model([10], ["tanh", "identity"], "glorot_normal", 0), "binary_cross_entropy_from_logits")

DEFAULTS: dict[str, Config] = {
    "xor": xor("sigmoid", 0.5, 0),
    "and": replace(xor("sigmoid", 0.5, 0), data=Data("and")),
    "line": Config(LINE.data, LINE.model, Training("mean_squared_error", "gradient_descent", 0.3)),
    "circles": Config(Data("circles", n=100, noise=0.1), _CLASSES[0], Training(_CLASSES[1], "adam", 0.03)),
    "moons": Config(Data("moons", n=100, noise=0.1), _CLASSES[0], Training(_CLASSES[1], "adam", 0.03)),
    "spirals": Config(
        Data("spirals", n=200, noise=0.03),
        Model([16, 16], ["tanh", "tanh", "identity"], "glorot_normal", 0),
        Training(_CLASSES[1], "adam", 0.02),
    ),
    "digits": Config(
        Data("digits", n=300, test_share=0.3),
        Model([16], ["relu", "identity"], "he_normal"),
        Training("cross_entropy_from_logits", "adam", 0.01, 32),
    ),
    "classes": Config(Data("own"), _CLASSES[0], Training(_CLASSES[1], "adam", 0.03)),
    "numbers": Config(
        Data("own"), Model([10], ["tanh", "identity"], "glorot_normal", 0), Training("mean_squared_error", "adam", 0.02)
    ),
}
"""What an experiment begins with on each data set; "classes" and "numbers" for points of one's own."""
