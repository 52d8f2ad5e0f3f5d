"""What is said of a mistake in the steps: a row each, with what has to be known of it for the row to be the one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LAYERS = {
    "output": "the output's activation",
    "hidden": "a hidden activation",
    "all hidden": "the hidden activations",
    "all": "the activations",
}
_SENTENCES = (
    (
        "output-derivative-missing",
        "",
        "{steps} those of a gradient without the derivative of {layer}, number for number.",
    ),
    (
        "hidden-derivative-missing",
        "",
        "{steps} those of a gradient without the derivative of {layer}, number for number.",
    ),
    (
        "mask-missing",
        "mask",
        "The loss leaves out some numbers of the error by a mask. {steps} those of an error in which they all count.",
    ),
    (
        "mask-missing",
        "gate",
        "{steps} those of an error that goes back without one of two factors that the forward pass multiplies.",
    ),
    (
        "mask-missing",
        "chosen",
        "{steps} those of an error that goes back to all the numbers of which the forward pass takes the largest.",
    ),
    (
        "mask-missing",
        "",
        "{steps} those of a gradient without the factor, number by number, that the forward pass has.",
    ),
    (
        "mask-drawn-anew",
        "",
        "{steps} those of a gradient that drops other values here than the forward pass has dropped.",
    ),
    (
        "way-left-out",
        "time",
        "Each step of time reads the parameters. {steps} those of a gradient without the {time} of these steps.",
    ),
    (
        "way-left-out",
        "",
        "A value of the forward pass goes on to several places. {steps} those of a gradient that leaves out what comes "
        "back from one of them.",
    ),
    (
        "rows-counted-once",
        "",
        "{steps} those of a gradient in which a row that was read several times has the last of its parts alone.",
    ),
    (
        "activation-missing",
        "",
        "The backward pass has an activation's derivative for this value, and the forward pass no activation: the "
        "value goes on as it is.",
    ),
    ("derivative-twice", "", "{steps} those of a gradient that has the derivative of {layer} twice."),
    (
        "derivative-wrong",
        "",
        "{steps} those of a gradient in which something else stands for the derivative of {layer}: what is multiplied "
        "with in its place is not that derivative.",
    ),
    (
        "derivative-of-activation",
        "of_result",
        "{steps} those of a gradient whose derivative of {layer} is taken at the wrong value (the activation's result "
        "in place of its input).",
    ),
    (
        "derivative-of-activation",
        "",
        "{steps} those of a gradient whose derivative of {layer} is taken at the wrong value.",
    ),
    (
        "wrong-layer-activation",
        "derivative",
        "{steps} those of a gradient with the derivative of {derivative} for {layer}.",
    ),
    (
        "wrong-layer-activation",
        "",
        "{steps} those of a gradient with another layer's values where this layer's belong.",
    ),
    (
        "dot-instead-of-elementwise",
        "",
        "{steps} those of a gradient in which errors and slopes are added up instead of multiplied one by one.",
    ),
    (
        "hidden-error-raw",
        "",
        "{steps} those of an error sent back before it has gone through the output's derivative.",
    ),
    (
        "updated-weights-used",
        "",
        "{steps} those of a gradient computed with weights that had already taken their step.",
    ),
    (
        "stale-gradient",
        "times",
        "The same output of the forward pass is compared with its target {times} times here, while the parameters "
        "change in between.",
    ),
    ("stale-gradient", "sums", "{steps} made from the sum of all gradients so far: the sum is never set to zero."),
    (
        "stale-gradient",
        "output",
        "One forward pass, called here, serves the steps of several samples: from the second on, its outputs come from "
        "other parameters than what is read in the steps.",
    ),
    ("stale-gradient", "", "{steps} those of the gradient at earlier parameters."),
    (
        "slope-read-again",
        "",
        "{steps} made with a value of the forward pass that is computed here once more, from parameters that have "
        "already taken a part of this step.",
    ),
    (
        "bias-gradient-wrong",
        "factor",
        "{steps} {factor:.4g} times as long as those of the weights: a mean in place of a sum over the samples, or the "
        "other way round.",
    ),
    (
        "bias-gradient-wrong",
        "over_units",
        "{steps} one number for all units: the errors were added up over the units as well as over the samples.",
    ),
    ("bias-gradient-wrong", "last_alone", "{steps} those of the last sample alone; what the others gave is dropped."),
    ("bias-gradient-wrong", "first_alone", "{steps} those of the first sample alone; what the others gave is dropped."),
    (
        "bias-gradient-wrong",
        "",
        "The step{of} is not along its gradient, while that of the weights beside it is.",
    ),
    (
        "transposed-gradient",
        "turned",
        "{steps} those of an error that was sent back through the parts of a kernel in reverse order.",
    ),
    (
        "transposed-gradient",
        "",
        "{steps} those of a transposed matrix: numbers of the right size stand in each other's places.",
    ),
    (
        "update-outside-loop",
        "passes",
        "The forward pass is repeated {passes} times with the same parameters: no step between.",
    ),
    ("update-outside-loop", "", "{steps} those of the {sample} sample alone; what the others gave is dropped."),
    (
        "sign-flipped",
        "taken_back",
        "Each step of {names} takes back {taken_back:.4g} times the one before: what is kept of earlier steps, as a "
        "momentum, has the wrong sign.",
    ),
    ("sign-flipped", "", "{steps} the gradient's times a positive number: they go up, not down."),
    ("parameter-never-updated", "lost", "A step for {name} is computed here, and nothing takes it up."),
    (
        "parameter-never-updated",
        "array",
        "{Name} stands where a parameter stands, has a gradient, and never changes.",
    ),
    ("parameter-never-updated", "", "{Names} keeps its numbers in every step, while its gradient is not 0."),
    (
        "bias-missing",
        "",
        "{Bias} takes the steps of a bias of what is computed here, and is never added to it.",
    ),
    (
        "constant-factor",
        "",
        "{steps} {factor:.4g} times as long as the others' are, each taken with its own rate.",
    ),
    (
        "sum-versus-mean",
        "shorter",
        "{steps} {shorter:.4g} times too short: averaged over the samples once more than what they are held against.",
    ),
    ("sum-versus-mean", "", "{steps} {factor:.4g} times too long: a sum where a mean stands elsewhere."),
    (
        "weight-gradient-wrong",
        "at",
        "What is computed here for the gradient{of} is not that of the loss; what it is computed from is.",
    ),
    (
        "weight-gradient-wrong",
        "together",
        "The first steps{of}, taken together, and their gradient point {angle:.3g} degrees apart; the steps of other "
        "parameters follow the same gradient.",
    ),
    (
        "weight-gradient-wrong",
        "",
        "The first step{of} and its gradient point {angle:.3g} degrees apart, and no multiple of the gradient is made "
        "on the way to it; the steps of other parameters are those of the same loss.",
    ),
    (
        "loss-wrong",
        "factor",
        "{steps} {factor:.4g} times as long as the gradient of this loss, whose logarithm is to base 10: they are "
        "those of the natural one.",
    ),
    (
        "loss-wrong",
        "classes",
        "{steps} those of the cross-entropy's mean over the samples. What is computed here is the mean over the "
        "{classes} classes of each, too, of which all but the own one give 0: {classes} times too small.",
    ),
    (
        "loss-wrong",
        "",
        "{steps} those of the cross-entropy of these outputs and targets; what is computed here has another "
        "derivative.",
    ),
    (
        "delta-wrong",
        "exchanged",
        "{steps} what follows from this value, which is for outputs that are too small what the slope of the loss is "
        "for those that are too large, and the other way round.",
    ),
    (
        "delta-wrong",
        "",
        "{steps} what follows from this value, and this value is not the derivative of the loss.",
    ),
    (
        "penalty-gradient-wrong",
        "threshold",
        "The loss has a penalty on the sizes of {names}. Each step brings them nearer to 0 by {threshold:.4g} times "
        "what that penalty, times the length of the step, asks for.",
    ),
    (
        "penalty-gradient-wrong",
        "grows",
        "Beside its step along the gradient each number of {names} grows by {grows:.3g} of itself; a decay makes it "
        "smaller.",
    ),
    (
        "penalty-gradient-wrong",
        "factor",
        "The loss has a penalty on {names}, and its steps are those of a gradient that has {factor:.4g} times its "
        "derivative.",
    ),
    (
        "penalty-gradient-wrong",
        "added",
        "The loss has a penalty on {names}. What is added here in place of the penalty's derivative is something else.",
    ),
    (
        "penalty-gradient-wrong",
        "shown",
        "The loss that is shown has a penalty on {names}. Each step takes a share of their own numbers away, as for a "
        "penalty on squares; the derivative of this one is no share of them.",
    ),
    (
        "penalty-gradient-wrong",
        "",
        "The loss has a penalty on {names}, and its steps are those of a gradient without it.",
    ),
    ("learning-rate-twice", "", "The gradient{of} is multiplied with the learning rate twice."),
)


def sentence(id_: str, names: str, detail: Mapping[str, Any]) -> str:
    """What is so, in one or two plain sentences.

    Parameters
    ----------
    id_ : str
        The mistake.
    names : str
        Of the parameters whose steps it explains, with commas; "" when they have none.
    detail : mapping
        What is known of it: a row is told when its key is there.
    """
    of = f" of {names}" if names else ""
    known = {
        "sample": "last",
        **detail,
        "of": of,
        "steps": f"The steps{of} are",
        "layer": _LAYERS.get(str(detail.get("layer")), "an activation"),
        "names": names or "a parameter",
        "Names": names or "A parameter",
        "name": detail.get("name") or "a parameter",
        "Name": detail.get("name") or "An array",
        "Bias": detail.get("bias") or "A parameter",
    }
    if detail.get("given") == "a":
        known["of_result"] = True
    if names and 0 < detail.get("factor", 1) < 1:
        known["shorter"] = 1 / detail["factor"]
    texts = (text for row, key, text in _SENTENCES if row == id_ and (not key or key in known))
    return next(texts, "{steps} not those of the gradient.").format(**known)
