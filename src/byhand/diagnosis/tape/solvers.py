"""Training that is left to a solver of SciPy: a few plain steps along the program's own gradient are recorded for it.

What a solver does between two calls of the program's function isn't the program's, and nobody follows it. Whether the
gradient is that of the cost can be seen where the solver begins and where it ends.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from byhand.diagnosis.tape.calls import Recorder

NAMES = {"minimize", "fmin_cg", "fmin_bfgs", "fmin_ncg", "fmin_tnc", "fmin_l_bfgs_b"}
SOLVER = "solver"
"""How the rates of the recorded steps are made: no step of the program's own has them."""
STEPS = 4
LENGTH = 0.01  # of a step, its largest number


def is_solver(f: Any) -> bool:
    """Whether a function is one of SciPy's that take a cost and its gradient."""
    return (getattr(f, "__module__", None) or "").startswith("scipy.optimize") and f.__name__ in NAMES


def solve(recorder: Recorder, f: Any, args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
    """Call the solver in silence, and take recorded steps where it begins and where it ends."""
    told = inspect.signature(f).bind(*args, **kw)
    told.apply_defaults()
    function = _cost_and_gradient(recorder, told.arguments)
    if function is not None:
        _descend(recorder, function, told.arguments["x0"])
    recorder.loops.silence()
    try:
        result = f(*args, **kw)
    finally:
        recorder.loops.sound()
    if function is not None:
        _descend(recorder, function, getattr(result, "x", result[0] if isinstance(result, tuple) else result))
    return result


def _cost_and_gradient(recorder: Recorder, told: dict[str, Any]) -> Callable[[Any], Any] | None:
    """The program's function(s) as one that gives both; None where the solver is to find the gradient itself."""
    cost = next(told[name] for name in ("fun", "func", "f") if name in told)
    gradient = told["jac"] if "jac" in told else told["fprime"]
    extra = told["args"] if isinstance(told["args"], tuple) else (told["args"],)
    if callable(gradient):
        return lambda x: (recorder.call(cost, x, *extra), recorder.call(gradient, x, *extra))
    gives_both = gradient is True or (gradient is None and told.get("approx_grad") == 0)
    return (lambda x: recorder.call(cost, x, *extra)) if gives_both else None


def _descend(recorder: Recorder, function: Callable[[Any], Any], start: Any) -> None:
    x = recorder.call(np.array, start, dtype=float)
    for _ in range(STEPS):
        _, gradient = function(x)
        rate = LENGTH / (float(np.abs(gradient).max()) or 1.0)
        recorder.values.expect(rate, SOLVER)
        x = recorder.binary("Sub", x, recorder.binary("Mult", rate, gradient))
