"""What the page may ask of the engine, and what it gets: the one place that says so.

A request is checked against these classes when it is decoded (`decode`), so the engine sees nothing else. Limits
are here too: they keep one request short, and the page readable.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

from byhand.activations import ACTIVATIONS
from byhand.initializers import INITIALIZERS
from byhand.losses import LOSSES
from byhand.optimizers import OPTIMIZERS
from byhand.play.records import Limits, decoder

MAX_BYTES = 2_000_000
MAX_POINTS = 500
MAX_UNITS = 16
MAX_HIDDEN_LAYERS = 4
MAX_EPOCHS = 1000
MAX_UPDATES = 5_000
MAX_PRODUCTS = 200_000_000

NUDGES = [i / 4 for i in range(-12, 13)]

# The names that the library gives, so that a new activation or loss shows up in the page by itself.
ActivationName: TypeAlias = Literal[tuple(ACTIVATIONS)]  # type: ignore[valid-type]
InitializerName: TypeAlias = Literal[(*INITIALIZERS, "handout")]  # type: ignore[valid-type]
LossName: TypeAlias = Literal[tuple(LOSSES)]  # type: ignore[valid-type]
OptimizerName: TypeAlias = Literal[tuple(OPTIMIZERS)]  # type: ignore[valid-type]

Seed: TypeAlias = Annotated[int, Limits(least=0, most=2**32 - 1)]
Number: TypeAlias = Annotated[float, Limits(least=-1e12, most=1e12)]
Vector: TypeAlias = Annotated[list[float], Limits(longest=10_000)]


@dataclass(frozen=True)
class Data:
    """The samples: which data set, how many, how noisy, and how many of them are kept for the test."""

    kind: Literal["xor", "and", "line", "circles", "moons", "spirals", "digits", "own"] = "xor"
    n: Annotated[int, Limits(least=2, most=MAX_POINTS)] = 100
    noise: Annotated[float, Limits(least=0, most=2)] = 0.1
    seed: Seed = 0
    test_share: Annotated[float, Limits(least=0, most=0.8)] = 0.0
    points: Annotated[list[Annotated[list[Number], Limits(shortest=2, longest=11)]], Limits(longest=MAX_POINTS)] = (
        field(default_factory=list)
    )
    """One's own samples, one a row: the inputs, and last the target."""


@dataclass(frozen=True)
class Model:
    """The network: hidden layers, the activation of each layer, and how the weights start."""

    hidden: Annotated[list[Annotated[int, Limits(least=1, most=MAX_UNITS)]], Limits(longest=MAX_HIDDEN_LAYERS)]
    activations: Annotated[list[ActivationName], Limits(shortest=1, longest=MAX_HIDDEN_LAYERS + 1)]
    initializer: InitializerName = "standard_normal"
    """"handout" draws as the practical does: `np.random.seed`, then `np.random.randn` layer by layer."""
    seed: Seed = 0


@dataclass(frozen=True)
class Training:
    """How it learns. `batch_size` null is full batch."""

    loss: LossName = "sum_of_squares"
    optimizer: OptimizerName = "gradient_descent"
    learning_rate: Annotated[float, Limits(above=0, most=1e6)] = 0.5
    batch_size: Annotated[int, Limits(least=1, most=MAX_POINTS)] | None = None
    shuffle: bool = True
    """Whether each epoch takes the samples in another order; without it, in the data's own."""


@dataclass(frozen=True)
class Config:
    """An experiment, all but the weights."""

    data: Data
    model: Model
    training: Training


@dataclass(frozen=True)
class Shuffle:
    """The order of this epoch's samples, and NumPy's PCG64 as it was after drawing it; large integers as text."""

    order: Annotated[list[Annotated[int, Limits(least=0, most=MAX_POINTS)]], Limits(longest=MAX_POINTS)]
    state: Annotated[str, Limits(pattern=r"[0-9]{1,39}")]
    inc: Annotated[str, Limits(pattern=r"[0-9]{1,39}")]
    has_uint32: Annotated[int, Limits(least=0, most=1)]
    uinteger: Annotated[int, Limits(least=0, most=2**32 - 1)]


@dataclass(frozen=True)
class Memory:
    """What the optimizer remembers between steps: its vectors by name, and how many steps it has counted."""

    t: Annotated[int, Limits(least=0, most=2**53)] = 0
    vectors: Annotated[dict[Annotated[str, Limits(longest=40)], Vector], Limits(longest=4)] = field(
        default_factory=dict
    )


@dataclass(frozen=True)
class State:
    """Where the training is. With its `Config` it says everything: the same state gives the same numbers."""

    parameters: Vector
    """All weights and biases: layer by layer, W row by row (one row a unit) and then b."""
    memory: Memory = Memory()
    shuffle: Shuffle | None = None
    epoch: Annotated[int, Limits(least=0, most=2**53)] = 0
    position: Annotated[int, Limits(least=0, most=MAX_POINTS)] = 0
    """How many samples of this epoch are done."""
    epoch_loss: float = 0.0
    """The loss of the batches that this epoch has done, as `History.loss` will add them up."""
    phase: Literal["ready", "forward", "backward"] = "ready"


@dataclass(frozen=True)
class Explain:
    """Ask for the formulas of one unit, or of one of its weights, with the numbers put in."""

    layer: Annotated[int, Limits(least=0, most=MAX_HIDDEN_LAYERS)]
    unit: Annotated[int, Limits(least=0, most=MAX_POINTS)]
    weight: Annotated[int, Limits(least=0, most=100)] | None = None
    """Which input of the unit; its bias comes after the last one. Null: the unit itself."""


Layout: TypeAlias = Literal["W x + b", "x W + b"]


@dataclass(frozen=True)
class Request:
    """State in; the answer has the new state and everything that the page shows."""

    config: Config
    state: State | None = None
    """Null: the weights as the config draws them."""
    action: Literal["look", "forward", "backward", "update", "sample", "epochs"] = "look"
    """"look" changes nothing. The others each do one phase, one sample, or `epochs` epochs."""
    epochs: Annotated[int, Limits(least=1, most=MAX_EPOCHS)] = 1
    sample: Annotated[int, Limits(least=0, most=MAX_POINTS)] = 0
    """Whose numbers to show: its place in the current batch; the last one if there are not so many."""
    losses: Annotated[list[float], Limits(longest=100)] = field(default_factory=list)
    """The losses of the last epochs, to see whether they grow."""
    with_data: bool = False
    surface: Literal[0, 24, 48] = 0
    """How many points across and up the surfaces have; 0 for none."""
    explain: Annotated[list[Explain], Limits(longest=300)] = field(default_factory=list)
    layout: Layout = "W x + b"


@dataclass(frozen=True)
class ListingRequest:
    """Ask for the experiment as code, from these parameters on (null: from those that the config draws)."""

    config: Config
    parameters: Vector | None = None
    epochs: Annotated[int, Limits(least=1, most=1_000_000)] = 1000
    layout: Layout = "W x + b"


Range: TypeAlias = tuple[Number, Number]


@dataclass(frozen=True)
class LandscapeRequest:
    """Ask for the loss over two of the parameters; the others stay as they are."""

    config: Config
    parameters: Vector
    first: Annotated[int, Limits(least=0, most=10_000)]
    second: Annotated[int, Limits(least=0, most=10_000)]
    first_range: Range
    second_range: Range


@dataclass(frozen=True)
class StoryRequest:
    """Ask for a story by its id."""

    id: Annotated[str, Limits(longest=40)]


@dataclass(frozen=True)
class Point:
    """Samples as the page draws them."""

    x: list[list[float]]
    y: list[list[float]]


@dataclass(frozen=True)
class Layer:
    """The numbers of one layer for the sample that is shown, and how it fares on all samples."""

    z: list[float]
    a: list[float]
    grad_a: list[float]
    """dL/da, of this sample alone: what came back through the links."""
    slope: list[float]
    """f′(z)."""
    grad_z: list[float]
    """δ = dL/dz = dL/da · f′(z), of this sample alone."""
    products: list[list[float]]
    """The terms of each unit's z, one for each input: weight times what comes in."""
    returned: list[list[float]]
    """The terms of each unit's dL/da, one for each unit of the next layer: weight times its δ; empty for the last."""
    active: list[int]
    """On how many training samples each unit's z > 0."""
    histogram: list[int]
    histogram_range: tuple[float, float]
    """Of all pre-activations of the layer on the training samples."""


@dataclass(frozen=True)
class Surface:
    """One value at each point of a grid, as bytes from 0 (`low`) to 255 (`high`), in Base64, row by row from below."""

    low: float
    high: float
    values: str


@dataclass(frozen=True)
class Surfaces:
    """What each unit gives over the plane (two inputs) or the axis (one input)."""

    across: int
    up: int
    x_range: tuple[float, float]
    y_range: tuple[float, float]
    units: list[list[Surface]]


@dataclass(frozen=True)
class Finding:
    """What is so, in words; see `symptoms.Symptom` and `judgement`."""

    id: str
    message: str
    layer: int | None
    units: list[int]
    recovers: bool | None


@dataclass(frozen=True)
class Formula:
    """One line of arithmetic: what it is, the general formula, its terms with numbers, and the result."""

    name: str
    general: str
    terms: str
    result: str


@dataclass(frozen=True)
class Response:
    """Everything that the page shows of a state."""

    state: State
    losses: list[float]
    """Of the epochs that this request went through."""
    test_losses: list[float]
    stopped: str | None
    """Why the training went no further, if it did not."""
    train_loss: float
    test_loss: float | None
    train_right: float | None
    """For classes: the share of samples that are classified rightly."""
    test_right: float | None
    n_inputs: int
    batch: list[int]
    """The training samples of the current batch, in its order."""
    batch_done: int
    """How many of them "one sample" has gone through."""
    sample: int
    x: list[float]
    y: list[float]
    layers: list[Layer]
    grad_norms: list[float]
    """‖dL/dW, dL/db‖ of each layer, of what `gradients` has."""
    sample_loss: float
    """The loss of the sample alone: its part of the batch's."""
    sample_gradients: list[float]
    """dL/d(parameters) of the sample alone: its part of the batch's."""
    gradients: list[float]
    """dL/d(parameters) of the current batch; of the samples done so far within one."""
    next_parameters: list[float]
    """What the next update makes of the parameters."""
    batch_loss: float
    promised_loss: float
    """What the gradients promise of the batch's loss after the next update: L + ∇L·Δθ, exact for tiny steps only."""
    next_batch_loss: float
    """What the next update really makes of it."""
    outputs: list[list[float]]
    """ŷ of all training samples, where there are few."""
    threshold: float | None
    """Where the output changes from one class to the other."""
    max_epochs: int
    """How many epochs one request may ask for."""
    findings: list[Finding]
    looked: str
    """What has been looked at, and over how many epochs: said where nothing was found."""
    formulas: list[list[Formula]]
    """One list for each `explain`."""
    nudged: list[list[float]]
    """For each `explain` of a unit: the sample's loss, were its z by `NUDGES` another; the slope in the middle is δ."""
    train: Point | None
    test: Point | None
    surfaces: Surfaces | None


@dataclass(frozen=True)
class Landscape:
    """The loss on all training samples, row by row from the lowest value of the second parameter on."""

    losses: list[list[float]]


@dataclass(frozen=True)
class Listing:
    """The experiment as code."""

    numpy: str
    library: str


decode_data = decoder(Data)
decode_request = decoder(Request)
decode_listing_request = decoder(ListingRequest)
decode_landscape_request = decoder(LandscapeRequest)
decode_story_request = decoder(StoryRequest)
