"""The stories: a question, the learner's guess, the step that answers it, and the number that decides.

A story is computed when it is asked for, by the engine, and so is every sentence with a number in it: a beat has the
engine's answer after its step, and the page draws that. `tests/test_play_stories.py` holds each sentence against
numbers that it computes otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice
from math import floor, log10
from typing import Any

import numpy as np

from byhand.errors import ByhandError
from byhand.play.data import samples
from byhand.play.engine import initial_network, respond
from byhand.play.presets import LINE, PRESETS, WALK, Preset, xor
from byhand.play.schema import Config, Explain, Point, Request, Response, State
from byhand.training import largest_learning_rate

CURVE_POINTS = 300
OTHER_SEEDS = range(1, 11)
"""From which else a story is tried, where it says something of more than its own run."""


@dataclass(frozen=True)
class Curve:
    """The loss at epochs, as the page draws it."""

    epochs: list[int]
    train: list[float]


@dataclass(frozen=True)
class Frame:
    """What is to be seen: the engine's answer, and up to which stop of the round its numbers are known."""

    config: Config
    answer: Response
    stop: str
    curve: Curve
    selected: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Beat:
    """One question, and what answers it."""

    question: str
    options: list[str]
    right: int
    go: str
    """What the step does, as the button says it."""
    answer: str
    """With **bold** numbers."""
    frame: Frame
    """After the step."""
    before: str | None = None
    """Up to which stop the frame before is shown while the question is open; as it is where it is null."""


@dataclass(frozen=True)
class Story:
    """A story with what it begins from."""

    id: str
    title: str
    subtitle: str
    start: Frame
    train: Point
    test: Point
    beats: list[Beat]
    last: str
    """What to do next, on one's own."""


@dataclass(frozen=True)
class Outline:
    """What the page lists: a story before it is computed."""

    id: str
    title: str
    subtitle: str


def written(value: float) -> str:
    """A number as the page writes it: three decimals, four where it is small, then powers of ten."""
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e5 or size < 5e-5:
        power = floor(log10(size))
        digits = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{size / 10.0**power:.1f}".removesuffix(".0") + f"·10{digits}"
    else:
        decimals = 1 if size >= 100 else 3 if size >= 0.0095 else 4
        text = f"{size:.{decimals}f}".rstrip("0").rstrip(".")
    return ("−" if value < 0 else "") + text


class Tale:
    """A run that is led through a story."""

    def __init__(self, config: Config, parameters: list[float] | None = None) -> None:
        self.beats: list[Beat] = []
        self.selected = (0, 0)
        self.begin(config, parameters)
        self.start = self._frame("look")

    def begin(self, config: Config, parameters: list[float] | None = None) -> None:
        """Begin a run, at epoch 0."""
        self.config = config
        self.losses: list[float] = []
        self._ask(None if parameters is None else State(parameters), "look", 1)

    def train(self, epochs: int) -> Response:
        """Go on for some epochs."""
        left = epochs
        while left and not self.now.stopped:
            part = min(left, self.now.max_epochs)
            self._ask(self.now.state, "epochs", part)
            left -= part
        return self.now

    def look_at(self, sample: int) -> Response:
        """Show another sample of the batch."""
        self._ask(self.now.state, "look", 1, sample)
        return self.now

    def change(self, *, learning_rate: float | None = None, parameter: tuple[int, float] | None = None) -> Response:
        """Change the learning rate, or one parameter, and look."""
        if learning_rate is not None:
            self.config = with_rate(self.config, learning_rate)
        state = self.now.state
        if parameter is not None:
            values = list(state.parameters)
            values[parameter[0]] = parameter[1]
            state = replace(state, parameters=values)
        self._ask(state, "look", 1)
        return self.now

    def _ask(self, state: State | None, action: Any, epochs: int, sample: int = 0) -> None:
        request = Request(self.config, state, action, epochs, sample, losses=self.losses[-100:], surface=24)
        self.now = respond(replace(request, explain=units_of(self.config)))
        self.losses += self.now.losses

    def ask(
        self,
        question: str,
        options: list[str],
        right: int,
        go: str,
        answer: str,
        *,
        stop: str,
        before: str | None = None,
    ) -> None:
        """Add a beat whose step led to how the run is now."""
        self.beats.append(Beat(question, options, right, go, answer, self._frame(stop), before))

    def _frame(self, stop: str) -> Frame:
        losses = [*self.losses, self.now.train_loss]
        first = self.now.state.epoch - len(self.losses)
        every = max(1, len(losses) // CURVE_POINTS)
        kept = sorted({*range(0, len(losses), every), len(losses) - 1})
        curve = Curve([first + i for i in kept], [losses[i] for i in kept])
        return Frame(self.config, self.now, stop, curve, self.selected)


def units_of(config: Config) -> list[Explain]:
    """All units, where they are few: whose formulas the page shows."""
    sizes = [*config.model.hidden, 1]
    return [Explain(layer, unit) for layer, size in enumerate(sizes) for unit in range(size)] if sum(sizes) < 5 else []


def with_rate(config: Config, learning_rate: float) -> Config:
    """The config with another learning rate."""
    return replace(config, training=replace(config.training, learning_rate=learning_rate))


def _list(values: list[float]) -> str:
    return ", ".join(written(value) for value in values)


# The six


def _delta() -> Tale:
    tale = Tale(WALK.config, WALK.parameters)
    now = tale.now
    hidden, output = now.layers
    w = now.state.parameters
    tale.ask(
        "A network is made of sums. Both inputs are 1. Hidden unit 1 takes each input times the weight of its link, "
        f"{written(w[0])} and {written(w[1])}, and adds its bias, {written(w[4])}. What is its sum z₁?",
        [written(hidden.z[0]), written(w[0] + w[1]), written(w[0] + w[1] - w[4])],
        0,
        "hidden unit 1",
        f"{written(w[0])}·1 + {written(w[1])}·1 − {written(-w[4])} = **{written(hidden.z[0])}**. A curve, σ, then "
        "squashes the sum into a number between 0 and 1. That is what the unit passes on: "
        f"a₁ = **{written(hidden.a[0])}**.",
        stop="f:0:0",
    )
    tale.ask(
        "Hidden unit 2 does the same, and so does the output, with what the two pass on. For 1 and 1 the right answer "
        "is 0. What will this untrained network say?",
        ["Exactly 0", "Something in between", "Exactly 1"],
        1,
        "forward, to the loss",
        f"It says ŷ = **{written(output.a[0])}**. The distance from the right answer, squared, is called the loss: "
        f"L = **{written(now.sample_loss)}**. To learn is to make it smaller. But there are nine weights and biases: "
        "which to change, which way, how far?",
        stop="loss",
    )
    h = 0.001
    nudged = _loss_at_output(output.z[0] + h, now.y[0])
    tale.ask(
        f"Begin at the end. If the output's sum z were a nudge of {written(h)} larger, what would the loss do?",
        ["Grow a little", "Shrink a little", "Stay the same"],
        0,
        "δ of the output",
        f"It would go from {now.sample_loss:.6f} to {nudged:.6f}: {written((nudged - now.sample_loss) / h)} times the "
        "nudge. That number is δ: how fast the loss changes when a unit's sum changes. It takes no nudging to find it: "
        "it is the slope of the loss times the slope of the curve, "
        f"{written(output.grad_a[0])} · {written(output.slope[0])} = **{written(output.grad_z[0])}**.",
        stop="d:1",
    )
    g = now.sample_gradients
    tale.ask(
        f"Two links lead into the output. Over the first came a₁ = {written(hidden.a[0])}, over the second "
        f"a₂ = {written(hidden.a[1])}. On which of the two weights does the loss depend more?",
        ["On v₁", "On v₂", "On both alike"],
        1,
        "the gradients of the output",
        "A weight moves z by what came in over its link, and z moves the loss by δ. So a weight's gradient is what "
        f"came in times δ: a₁ · δ = **{written(g[6])}** and a₂ · δ = **{written(g[7])}**. The bias has a 1 for "
        f"input, so its gradient is δ itself, {written(g[8])}.",
        stop="g:1",
    )
    tale.ask(
        f"What hidden unit 1 passes on goes through its curve, whose slope is {written(hidden.slope[0])} there, and "
        f"over its link, whose weight is {written(w[6])}, to the output with its δ. What is δ₁?",
        [
            f"{written(w[6])} · {written(output.grad_z[0])} · {written(hidden.slope[0])} = {written(hidden.grad_z[0])}",
            f"the same δ, {written(output.grad_z[0])}",
            f"the weight, {written(w[6])}",
        ],
        0,
        "δ of hidden unit 1",
        f"δ₁ = **{written(hidden.grad_z[0])}**: how fast the loss changes when z₁ changes. Every unit has its δ, and "
        "each is made of the δ behind it. So one begins at the output and goes backward: backpropagation.",
        stop="d:0:0",
    )
    tale.ask(
        f"The other link has the weight {written(w[7])}. What will δ₂ say of hidden unit 2?",
        ["More z₂, less loss: it is negative", "More z₂, more loss: it is positive", "It did nothing wrong: it is 0"],
        0,
        "the rest of backward",
        f"δ₂ = **{written(hidden.grad_z[1])}**. What hidden unit 2 passes on enters the output with a minus, so more "
        "of it makes the output smaller, and here the output is too large. Both inputs are 1, so each of the six "
        "gradients is just its unit's δ.",
        stop="g:0",
    )
    tale.ask(
        "All nine take one step against their gradients: what would raise the loss goes down, the rest goes up. The "
        f"sample's loss was {written(now.sample_loss)}. What is it after the step?",
        ["It is smaller", "It is larger", "It is 0"],
        0,
        "update, and ask again",
        f"**{written(now.next_batch_loss)}**. The gradients had promised {written(now.promised_loss)}: they are exact "
        "for tiny steps only. Forward, backward for every δ, a step: thousands of times, and it has learned.",
        stop="check",
    )
    return tale


def _loss_at_output(z: float, y: float) -> float:
    return float((1 / (1 + np.exp(-z)) - y) ** 2)


def _sigmoid() -> Tale:
    tale = Tale(xor("sigmoid", 0.5, 0))
    start = tale.now
    answers = [row[0] for row in start.outputs]
    tale.ask(
        "Ten sigmoid units with random weights, XOR for a task: (0, 0) and (1, 1) should give 0, the other two 1. What "
        "does the untrained network answer to the four?",
        ["0, 1, 1, 0", "Four numbers well inside 0 and 1", "0 to all of them"],
        1,
        "forward and loss",
        f"**{_list(answers)}**. The squared distances add up to a loss of **{written(start.train_loss)}**; the same "
        "answer ½ to all four would cost exactly 1.",
        stop="loss",
    )
    ten = tale.train(10)
    others = [_end("sigmoid", 0.5, seed, 10) for seed in OTHER_SEEDS]
    tale.ask(
        "The network takes ten epochs: ten updates from all four samples. Where is the loss then?",
        ["Near 0", "Still near 1", "Above 2"],
        1,
        "train 10 epochs",
        f"**{written(ten.train_loss)}**. It first unlearns its random answers: they are now "
        f"{_list([row[0] for row in ten.outputs])}, all within "
        f"{written(max(abs(row[0] - 0.5) for row in ten.outputs))} of ½. From the seeds 1 to 10 the loss lies between "
        f"{written(min(others))} and {written(max(others))} by then.",
        stop="d:0",
        before="look",
    )
    hundred = tale.train(90)
    half = next(epoch for epoch, loss in enumerate(tale.losses) if loss < 0.5)
    tale.ask(
        "And after 100 epochs?",
        ["Still near 1", "About a quarter", "Below a hundredth"],
        1,
        "train to epoch 100",
        f"**{written(hundred.train_loss)}**; it fell below ½ at epoch **{half}**. The two corners that should be 1 now "
        f"get {_list([row[0] for row in hundred.outputs[1:3]])}, the other two "
        f"{_list([hundred.outputs[0][0], hundred.outputs[3][0]])}.",
        stop="d:0",
        before="look",
    )
    norms = hundred.grad_norms
    later = tale.train(900)
    tale.ask(
        f"The gradient of the hidden layer has the length {written(norms[0])} now. What is it at epoch 1,000?",
        ["About the same", "Ten times as long", "Many times shorter"],
        2,
        "train to epoch 1,000",
        f"**{written(later.grad_norms[0])}**, {norms[0] / later.grad_norms[0]:.0f} times shorter. The answers are "
        "nearly right, and near 0 and 1 the curve σ is flat: on the four samples the output's slope is at most "
        f"{written(max(row[0] * (1 - row[0]) for row in later.outputs))}, where it is 0.25 in the middle.",
        stop="d:0",
        before="look",
    )
    tale.ask(
        "So is the loss 0 by now?",
        ["Yes, exactly", "No, but below a hundredth", "No, it is stuck near 1"],
        1,
        "forward and loss",
        f"**{written(later.train_loss)}**. σ never gives exactly 0 or 1, so the loss comes near 0 and never gets "
        "there. "
        f"All four answers are on the right side of ½: {_list([row[0] for row in later.outputs])}.",
        stop="loss",
        before="f:1",
    )
    return tale


def _relu() -> Tale:
    config = xor("relu", 0.01, 4)
    tale = Tale(config)
    sigmoid = Tale(xor("sigmoid", 0.5, 0))
    sigmoid.train(300)
    needs = next(epoch for epoch, loss in enumerate(sigmoid.losses) if loss < 0.05)
    fifteen = tale.train(15)
    reached = next(epoch for epoch, loss in enumerate([*tale.losses, fifteen.train_loss]) if loss < 0.05)
    tale.ask(
        f"The same network with ReLU, and weights from seed 4. Sigmoid (seed 0, η = 0.5) needed {needs} epochs to a "
        "loss of 0.05. How many will ReLU need here, with η = 0.01?",
        ["About as many", "A tenth or fewer", "It never gets there"],
        1,
        "train 15 epochs",
        f"**{reached}** epochs: the loss is **{written(fifteen.train_loss)}** at epoch 15. A ReLU that is on has the "
        "slope 1, so the curve does not make δ smaller on its way back.",
        stop="d:0",
    )
    dead = next(f for f in fifteen.findings if f.id == "dead-relu-hidden").units
    tale.selected = (0, dead[0])
    tale.ask(
        f"Hidden unit {dead[0] + 1} is marked: its z is 0 or negative on all four samples. What does its δ have to be?",
        ["Large, to bring it back", "0 on all four", "Anything"],
        1,
        "look at that unit",
        f"**{written(fifteen.layers[0].grad_z[dead[0]])}** for this sample: where ReLU is off, its slope is 0, and "
        "everything that comes back is multiplied by 0. This network learns without that unit.",
        stop="d:0",
        before="loss",
    )
    ends = [_end("relu", 0.01, seed) for seed in range(20)]
    good = sum(end < 0.01 for end in ends)
    tale.begin(xor("relu", 0.01, 0))
    zero = tale.train(1000)
    tale.ask(
        "Now other first weights, from seed 0, all else the same. After 1,000 epochs?",
        ["It has learned XOR", "The loss is 1", "The loss is 2"],
        2,
        "begin again with seed 0, train 1,000 epochs",
        f"The loss is **{written(zero.train_loss)}**. The output unit itself is dead, so it says 0 to everything: two "
        "of the four answers are wrong by 1.",
        stop="d:0",
    )
    tale.begin(xor("relu", 0.01, 1))
    one = tale.train(1000)
    tale.ask(
        "And seed 1?",
        ["It has learned XOR", "The loss is 1", "The loss is 2"],
        1,
        "begin again with seed 1, train 1,000 epochs",
        f"The loss is **{written(one.train_loss)}**: it is stuck between. The answers are "
        f"{_list([row[0] for row in one.outputs])}.",
        stop="d:0",
    )
    tale.begin(config)
    tale.train(100)
    tale.ask(
        "Of the seeds 0 to 19, how many get below 0.01 within 1,000 epochs?",
        ["All 20", "About half", "About a quarter"],
        2,
        "train all twenty",
        f"**{good} of 20**; {sum(abs(end - 1) < 0.01 for end in ends)} end at a loss of 1 and "
        f"{sum(abs(end - 2) < 0.01 for end in ends)} at 2. So ReLU was faster here when it worked at all; the picture "
        "shows seed 4 again, at epoch 100.",
        stop="d:0",
    )
    return tale


@cache
def _end(activation: str, rate: float, seed: int, epochs: int = 1000) -> float:
    return respond(Request(xor(activation, rate, seed), None, "epochs", epochs)).train_loss


def _identity() -> Tale:
    tale = Tale(xor("identity", 0.01, 0))
    start = tale.now
    tale.ask(
        "Ten hidden units, but no curve in them: the identity gives back the sum itself. Which pictures can its output "
        "over the plane be?",
        ["Any", "Tilted planes only", "Two hills and two valleys"],
        1,
        "forward",
        "A sum of sums is a sum: however many layers, the output is w₁·x₁ + w₂·x₂ + b with some numbers. The shade "
        f"changes evenly in one direction. The loss is **{written(start.train_loss)}**.",
        stop="loss",
    )
    one = tale.train(1)
    tale.ask(
        "One epoch with η = 0.01. What happens to the loss?",
        ["It falls", "It grows", "It stays"],
        1,
        "train 1 epoch",
        f"**{written(one.train_loss)}**, up from {written(start.train_loss)}: the gradient of the hidden layer was "
        f"{written(start.grad_norms[0])} long, and a hundredth of that is still too far a step.",
        stop="d:0",
        before="look",
    )
    hundred = tale.train(99)
    tale.ask(
        "It recovers. Where is the loss at epoch 100?",
        ["Near 0", "At 1", "At 2"],
        1,
        "train to epoch 100",
        f"**{written(hundred.train_loss)}**: the answers are {_list([row[0] for row in hundred.outputs])}, so each of "
        "the four is wrong by ½, and 4 · ½² = 1.",
        stop="d:0",
        before="look",
    )
    later = tale.train(900)
    flat = [_end("identity", 0.01, seed) for seed in OTHER_SEEDS]
    tale.ask(
        "900 epochs more?",
        ["It stays at 1", "It gets to 0.5", "It gets to 0"],
        0,
        "train to epoch 1,000",
        f"**{written(later.train_loss)}**. The picture is one even shade: of all planes, the flat one at ½ is "
        "nearest to "
        "the four points. The gradients have gone to 0 because there is nothing better to find, not because "
        f"something is broken: {sum(abs(end - 1) < 1e-6 for end in flat)} of the seeds 1 to 10 end there, too.",
        stop="d:0",
        before="look",
    )
    tale.begin(xor("tanh", 0.1, 0))
    tanh = tale.train(1000)
    curved = [_end("tanh", 0.1, seed) for seed in OTHER_SEEDS]
    tale.ask(
        "What is the one change that could help?",
        ["More hidden units", "A smaller learning rate", "A curve in the units"],
        2,
        "tanh in place of the identity, η = 0.1, 1,000 epochs",
        f"The loss is **{written(tanh.train_loss)}**, from the same first weights. Units that bend can cut the plane "
        f"twice; that they can is no promise: {sum(end < 0.1 for end in curved)} of the seeds 1 to 10 get below 0.1.",
        stop="d:0",
    )
    return tale


def _seed_44() -> Tale:
    tale = Tale(xor("relu", 0.001, 44))
    tale.selected = (1, 0)
    tale.start = tale._frame("look")
    start = tale.now
    hundred = tale.train(100)
    tale.ask(
        "Ten ReLU units, one ReLU output, weights from seed 44. What will 100 epochs of training do to the loss?",
        ["It falls, slowly at first", "It goes up and down", "It stays exactly where it is"],
        2,
        "train 100 epochs",
        f"**{written(start.train_loss)}** before, **{written(hundred.train_loss)}** after. Not nearly the same: "
        "exactly the same. Something has stopped.",
        stop="look",
    )
    network, _ = _network(tale)
    z = network.dense_layers[-1].z[:, 0].tolist()
    tale.ask(
        "Which unit stops it? Walk forward and look for it.",
        ["One of the hidden units", "The output unit", "None: the rate is too small"],
        1,
        "forward",
        f"The hidden units answer. The output's z is **{written(z[0])}** on this sample, and ReLU makes **0** of it; "
        f"on the other three it is {_list(z[1:])}. Never above 0.",
        stop="f:1",
    )
    tale.look_at(1)
    output = tale.now.layers[-1]
    tale.ask(
        f"Now the sample (0, 1), whose target is 1: z is {written(output.z[0])}, on the flat part of ReLU's curve. "
        "What slope will backward read off there?",
        ["1", "0", f"{written(output.z[0])}, like z"],
        1,
        "loss, and δ of the output",
        f"Slope **{written(output.slope[0])}**, so δ = {written(output.grad_a[0])} · 0 = "
        f"**{written(output.grad_z[0])}**. The answer is wrong by 1, and nothing of that gets past the output.",
        stop="d:1",
        before="f:1",
    )
    zeros = sum(g == 0 for g in tale.now.gradients)
    tale.ask(
        "The network has 41 weights and biases. How many of their gradients are exactly 0?",
        ["The 11 of the output", "All 41", "None, they are only small"],
        1,
        "the rest of backward",
        f"**{zeros} of {len(tale.now.gradients)}**, for all four samples together. Every gradient has the δ of "
        "the output "
        "as a factor. A dead output unit silences the whole network.",
        stop="d:0",
    )
    bias = len(tale.now.state.parameters) - 1
    revived = tale.change(parameter=(bias, 3.0))
    alive = sum(g != 0 for g in revived.gradients)
    tale.ask(
        "Which one change could bring it back?",
        ["A learning rate 100 times as large", "A larger output bias", "1,000 more epochs"],
        1,
        "set the output's bias to 3",
        f"0 times any rate is 0, however often. With the bias at 3, z is **{written(revived.layers[-1].z[0])}** on the "
        f"first sample, and **{alive}** gradients are alive. The loss is {written(revived.train_loss)}: alive is "
        "not yet "
        "right.",
        stop="d:0",
    )
    tale.change(learning_rate=0.02)
    later = tale.train(400)
    dead = list(islice(filter(_is_dead, (seed for seed in count() if seed != 44)), 10))
    tale.ask(
        "With the rate raised to η = 0.02: where is the loss after 400 more epochs?",
        ["Near 0: it learns XOR now", "Near 1: better, but still stuck", "Back at 2"],
        0,
        "train 400 epochs with η = 0.02",
        f"**{written(later.train_loss)}**, and the answers are "
        f"{_list([round(row[0], 3) for row in later.outputs])}. The network could always do it; it only could not be "
        "told. It is no cure for all: of the first ten other seeds with a dead output it brings "
        f"{sum(_revived(seed) < 0.01 for seed in dead)} to a loss below 0.01.",
        stop="d:0",
        before="look",
    )
    return tale


@cache
def _is_dead(seed: int) -> bool:
    answer = respond(Request(xor("relu", 0.001, seed)))
    return answer.layers[-1].active == [0]


@cache
def _revived(seed: int) -> float:
    """The loss after the cure: the output's bias at 3, and 400 epochs with η = 0.02."""
    tale = Tale(xor("relu", 0.02, seed))
    tale.change(parameter=(len(tale.now.state.parameters) - 1, 3.0))
    return tale.train(400).train_loss


def _network(tale: Tale) -> tuple[Any, Any]:
    data = samples(tale.config.data)
    network = initial_network(tale.config, data.x_train.shape[1], data.y_train.shape[1])
    network.parameters[:] = tale.now.state.parameters
    network.forward(data.x_train)
    return network, data


def _rate() -> Tale:
    tale = Tale(LINE)
    start = tale.now
    network, data = _network(tale)
    bound = largest_learning_rate(network, data.x_train, data.y_train, "mean_squared_error")
    assert bound is not None
    one = tale.train(1)
    tale.ask(
        "A straight line through 100 points: one weight, one bias, the mean squared error. The rate is 0.9. What does "
        "the first step do to the loss?",
        ["It falls", "It grows", "It stays"],
        1,
        "train 1 epoch",
        f"**{written(one.train_loss)}**, up from {written(start.train_loss)}. The step went downhill, over the "
        "bottom of "
        "the valley, and up the other side, higher than before.",
        stop="d:0",
    )
    four = tale.train(3)
    factors = [b / a for a, b in zip(tale.losses, [*tale.losses[1:], four.train_loss], strict=True)]
    tale.ask(
        "Three more steps?",
        ["It settles", "It grows by about the same factor each time", "It grows by the same amount each time"],
        1,
        "train 3 epochs",
        f"The loss is **{written(four.train_loss)}**; each step multiplied it by {_list(factors)}. Growth by a steady "
        "factor is the sign of a rate too high.",
        stop="d:0",
        before="look",
    )
    curvature = 2 / bound
    tale.ask(
        f"The valley's sharpest curvature is λmax = {written(curvature)}. A step lands lower than it began "
        "if η < 2/λmax. What is the largest rate that works?",
        [written(bound), written(2 * curvature), "0.9"],
        0,
        "look at the numbers",
        f"2/{written(curvature)} = **{written(bound)}**, computed from the inputs alone. 0.9 lies past it: the factor "
        f"(1 − 0.9·{written(curvature)})² is {written((1 - 0.9 * curvature) ** 2)}, and the steps above come to it.",
        stop="d:0",
    )
    below = 0.5
    tale.begin(with_rate(LINE, below))
    settled = tale.train(100)
    tale.ask(
        f"The same start with η = {below}. After 100 epochs?",
        ["It settles", "It grows, but slowly", "It jumps to and fro for ever"],
        0,
        f"begin again with η = {below}, train 100 epochs",
        f"**{written(settled.train_loss)}**. The line is ŷ = {written(settled.state.parameters[0])}·x + "
        f"{written(settled.state.parameters[1])}; the points were drawn around 2·x + 1.",
        stop="d:0",
    )
    tale.begin(with_rate(LINE, 0.99 * bound))
    edge = tale.train(100)
    tale.ask(
        f"And just below the bound, η = {written(0.99 * bound)}?",
        ["It diverges too", "It comes down, more slowly than with 0.5", "It is the fastest of all"],
        1,
        "begin again there, train 100 epochs",
        f"**{written(edge.train_loss)}** after 100 epochs, against {written(settled.train_loss)}: it jumps from "
        "side to "
        "side and loses little height each time.",
        stop="d:0",
    )
    return tale


_TALES: dict[str, tuple[str, str, Callable[[], Tale], str]] = {
    "delta": (
        "What is δ?",
        "Backpropagation from nothing, on two inputs, two hidden units and one output",
        _delta,
        "Say in your own words what δ is; then walk on.",
    ),
    "sigmoid-learns": (
        "Sigmoid learns XOR",
        "Why the loss first stays near 1, and then falls",
        _sigmoid,
        "Go on from here: try another seed, or hide the numbers and fill them in.",
    ),
    "relu-sometimes": (
        "ReLU is faster, sometimes",
        "15 epochs with one seed, never with another",
        _relu,
        "Go on from here: try the seeds yourself, and look for dead units.",
    ),
    "identity-cannot": (
        "Identity can't",
        "Two layers, and still one plane",
        _identity,
        "Go on from here: under Settings, give the hidden layer the identity again, and keep the output's curve.",
    ),
    "seed-44": (
        "Seed 44 is dead",
        "A loss of 2 that stays 2, and what revives it",
        _seed_44,
        "Go on from here: under Numbers, set the output's bias to something else.",
    ),
    "rate-too-high": (
        "A rate past 2/λmax",
        "Why each step lands higher",
        _rate,
        "Go on from here: find the rate at which the loss falls fastest.",
    ),
}

OUTLINES = [Outline(name, title, subtitle) for name, (title, subtitle, *_) in _TALES.items()]


@cache
def story(name: str) -> Story:
    """A story with all its beats, computed the first time.

    Raises
    ------
    ByhandError
        If there is none of that name.
    """
    if name not in _TALES:
        raise ByhandError(f"there is no story {name!r}; there are {', '.join(_TALES)}")
    title, subtitle, tell, last = _TALES[name]
    tale = tell()
    data = samples(tale.start.config.data)
    return Story(
        name,
        title,
        subtitle,
        tale.start,
        Point(data.x_train.tolist(), data.y_train.tolist()),
        Point(data.x_test.tolist(), data.y_test.tolist()),
        tale.beats,
        last,
    )


def preset_of(name: str) -> Preset:
    """What a story begins from, as an experiment.

    Raises
    ------
    ByhandError
        If there is none of that name.
    """
    wanted = "walk" if name == "delta" else name
    for preset in PRESETS:
        if preset.id == wanted:
            return preset
    names = ", ".join([preset.id for preset in PRESETS] + ["delta"])
    raise ByhandError(f"there is no story {name!r}; there are {names}, or give a link copied from the page")
