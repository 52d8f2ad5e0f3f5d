"""What the page says of a run's health: only what has been looked at, and that it is too early where it is.

The symptoms of the library come first; here are those of a training seen over its last epochs, and of parts of an
experiment that don't fit each other.
"""

from collections.abc import Sequence

import numpy as np

from byhand import losses as losses_module
from byhand import symptoms
from byhand._types import Array
from byhand.losses import Loss
from byhand.network import Network
from byhand.play.schema import Config, Finding

EARLY = 20
"""Before so many epochs nothing is said of how the loss goes."""
RECENT = 100
"""How many epochs one looks back."""
FLAT = 0.01
"""By which share a loss moves, over the epochs one looks back, that is called flat."""
RISEN = 1.5
"""By which factor a loss lies above the lowest of the epochs one looks back, to be called risen."""


def findings(
    network: Network, x: Array, y: Array, loss: Loss, config: Config, epoch: int, recent: Sequence[float]
) -> tuple[list[Finding], str]:
    """What is wrong, and what has been looked at.

    Parameters
    ----------
    network : Network
    x, y : array, shapes (n, n_in) and (n, n_out)
        The training samples.
    loss : Loss
    config : Config
    epoch : int
        How many are done.
    recent : sequence of float
        The losses of the last epochs, without that of the network as it is.

    Returns
    -------
    findings : list of Finding
    looked : str
        One sentence, for where nothing was found.
    """
    recent = list(recent[-RECENT:])
    found = [
        Finding(s.id, s.message, s.layer, list(s.units), s.recovers)
        for s in symptoms.find(network, x, y, loss, learning_rate=config.training.learning_rate, losses=recent)
    ]
    found += _misfits(config, y, loss)
    course = [*recent, float(loss.value(network.predict(x), y))]
    if not any(finding.id in ("learning-rate-too-high", "stuck-at-constant", "zero-gradient") for finding in found):
        found += _course(course, symptoms.best_constant_loss(y, loss))
    return found, _looked(epoch, len(course) - 1)


def _misfits(config: Config, y: Array, loss: Loss) -> list[Finding]:
    found = []
    last = config.model.activations[-1]
    if loss.name.endswith("from_logits") and last != "identity":
        found.append(
            _of_the_run(
                "logits-squashed",
                f"This loss takes logits and squashes them itself, and the output layer's {last.replace('_', ' ')} has "
                "changed them before: give the output layer the identity, or take another loss.",
            )
        )
    if loss is losses_module.cross_entropy_from_logits and y.shape[1] == 1:
        found.append(
            _of_the_run(
                "one-output-softmax",
                "The softmax of one number is always 1, so with one output this loss is 0 whatever the weights, and "
                "there is nothing to learn: binary cross-entropy is the loss for one output.",
            )
        )
    values = np.unique(y)
    if config.data.kind == "own" and 3 <= len(values) <= 10 and (values == np.arange(len(values))).all():
        found.append(
            _of_the_run(
                "classes-as-numbers",
                f"The targets are the numbers 0 to {len(values) - 1}. They are learned as numbers, not as classes: "
                "class 2 counts as twice class 1. This page has two classes at most for points of one's own, 0 and 1.",
            )
        )
    return found


def _course(course: Sequence[float], best_constant: float) -> list[Finding]:
    """What the last losses say; the last of `course` is the loss now."""
    now, lowest = course[-1], min(course)
    if len(course) > 1 and lowest > 0 and now > RISEN * lowest and now > course[-2]:
        since = len(course) - 1 - course.index(lowest)
        return [
            _of_the_run(
                "loss-rises",
                f"The loss has risen from {lowest:.4g} to {now:.4g} within {_epochs(since)}. "
                "A smaller learning rate would show whether the steps are too large.",
            )
        ]
    if (
        len(course) > RECENT
        and max(course) - lowest <= FLAT * max(course)
        and bool(symptoms.is_high(now, best_constant))
    ):
        return [
            _of_the_run(
                "loss-flat",
                f"Over the last {RECENT} epochs the loss has stayed between {lowest:.4g} and {max(course):.4g}; "
                f"the same answer for every sample would cost {best_constant:.4g}.",
            )
        ]
    return []


def _of_the_run(name: str, message: str) -> Finding:
    return Finding(name, message, None, [], None)


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def _looked(epoch: int, seen: int) -> str:
    units = "No dead, saturated or identical units on the training samples"
    if epoch < EARLY or seen < EARLY:
        return f"{units}. After {_epochs(epoch)} it is too early to tell how the loss goes."
    return f"{units}; over the last {_epochs(seen)} the loss has neither risen by half nor grown steadily."
