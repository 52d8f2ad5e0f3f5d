"""What stands below a file's definitions in every driver: its text is read, and runs on the tape with the file's own."""

# ruff: noqa
# mypy: ignore-errors
# ---- begin
import numpy as np_

draw_, random_ = np_.random.default_rng(5).normal, np_.random.default_rng(6).random


def is_parameter_(value):
    return isinstance(value, np_.ndarray) and value.dtype.kind == "f" and value.ndim > 0 and value.size > 0


def holders_(thing, depth=3):
    """The dictionaries, lists and attributes that hold arrays."""
    if isinstance(thing, (dict, list)):
        held = thing
    elif hasattr(thing, "__dict__") and (not callable(thing) or hasattr(thing, "forward")):
        held = vars(thing)
    else:
        return []
    keys = list(held) if isinstance(held, dict) else range(len(held))
    found = [(held, key) for key in keys if is_parameter_(held[key])]
    if depth:
        for key in keys:
            found += holders_(held[key], depth - 1)
    return found


def redraw_(thing, *data):
    """Other numbers for all parameters, the biases among them, but not for the data that it was made of."""
    for held, key in holders_(thing):
        if not any(np_.array_equal(held[key].ravel(), given.ravel()) for given in data):
            held[key] = 0.6 * draw_(size=held[key].shape)
    return thing


def as_made_(thing, *data):
    """The same with the parameters that it begins with."""
    return thing


def arrays_(result):
    """The arrays of a result, in order."""
    if isinstance(result, dict):
        return [a for value in result.values() for a in arrays_(value)]
    if isinstance(result, (list, tuple)):
        return [a for value in result for a in arrays_(value)]
    return [result] if isinstance(result, np_.ndarray) and result.ndim > 0 else []


def copies_(holders):
    return [(held[key], held[key].copy()) for held, key in holders]


def step_(holders, gradients):
    """A step for each parameter, along the first gradient left of its shape, whatever axes of length 1 there are."""
    left = list(gradients)
    for held, key in holders:
        for k, gradient in enumerate(left):
            if [n for n in gradient.shape if n > 1] == [n for n in held[key].shape if n > 1]:
                held[key] = held[key] - 0.05 * gradient.reshape(held[key].shape)
                del left[k]
                break


def step_if_still_(thing, holders, before, result):
    """A step, unless the parameters have taken one: along what came back, or what lies in the thing since then."""
    for (held, key), (old, copy) in zip(holders, before):
        if held[key] is not old or not np_.array_equal(old, copy):
            return
    kept = [h[k] for h, k in holders_(thing) if not any(h is held and k == key for held, key in holders)]
    step_(holders, arrays_(result) or kept)
