"""The stories to start from: the practical's five, each with what to look for."""

from msgspec import Struct

from byhand.play.schema import Config, Data, Model, Training


class Preset(Struct, frozen=True):
    """An experiment with a name, and what to look for in it."""

    id: str
    title: str
    look_for: str
    config: Config
    many: int
    """How many epochs "many" makes at a time."""
    log_scale: bool = False


def _xor(activation: str, learning_rate: float, seed: int) -> Config:
    return Config(
        Data("xor"),
        Model([10], [activation, activation], "handout", seed),
        Training("sum_of_squares", "gradient_descent", learning_rate),
    )


PRESETS = [
    Preset(
        "sigmoid-learns",
        "Sigmoid learns XOR",
        "The loss stays near 1 for a hundred epochs, the cost of answering ½ to everything, and then falls: watch "
        "the units turn their edges until the two corners are told from the other two.",
        _xor("sigmoid", 0.5, 0),
        many=100,
        log_scale=True,
    ),
    Preset(
        "relu-sometimes",
        "ReLU learns faster, sometimes",
        "With these weights the loss is below 0.05 after 15 epochs, where sigmoid needs some 250. But try other "
        "seeds: of 0 to 19 only five get there, and the others stop at a loss of 1 or 2. Why? See what is said of dead "
        "units.",
        _xor("relu", 0.01, 4),
        many=10,
        log_scale=True,
    ),
    Preset(
        "identity-cannot",
        "Identity can't",
        "Two layers, and still one linear function: the surface is a tilted plane, then a flat one. The loss stops at "
        "1, where all four answers are ½. No weights would do better.",
        _xor("identity", 0.01, 0),
        many=100,
    ),
    Preset(
        "seed-44",
        "Seed 44 is dead",
        "The output unit's z is negative or 0 on all four points, so ReLU gives 0, its derivative is 0, and every "
        "gradient is exactly 0. The loss is 2 and stays 2, however long you train. Edit a weight of the output unit, "
        "or its bias, to bring it back.",
        _xor("relu", 0.001, 44),
        many=100,
    ),
    Preset(
        "rate-too-high",
        "A learning rate past 2/λmax",
        "Each step jumps over the valley and lands higher on the other side: the loss grows by the same factor every "
        "epoch. Then set the learning rate below the bound that is named, rewind, and see it settle.",
        Config(
            Data("line", n=100, noise=0.1, seed=0),
            Model([], ["identity"], "standard_normal", 0),
            Training("mean_squared_error", "gradient_descent", 0.9),
        ),
        many=10,
        log_scale=True,
    ),
]
