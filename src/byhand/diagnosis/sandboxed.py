"""Inside the sandbox: calls the job, and sends what it finds to the caller."""

from __future__ import annotations

import base64
import builtins
import gc
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any, TypeAlias, get_type_hints

import numpy as np
import numpy.typing as npt

from byhand.diagnosis import messages

Send: TypeAlias = Callable[[Any], None]

# Taken now, before anybody's code could put something else in their place.
_write, _encode, _as_array = os.write, base64.b64encode, np.asarray


def pack(array: npt.ArrayLike) -> dict[str, Any] | None:
    """An array of numbers as JSON holds it; None when it is not one."""
    try:
        values = _as_array(array)
    except (ValueError, TypeError):
        return None
    if values.dtype.kind not in "biuf" or values.dtype.itemsize > 8:
        return None
    return {"dtype": values.dtype.str, "shape": list(values.shape), "data": _encode(values.tobytes()).decode()}


def unpack(packed: Mapping[str, Any]) -> npt.NDArray[Any]:
    """The array that `pack` packed.

    Raises
    ------
    ValueError
        When it is not one; it comes from a process that nobody can trust.
    """
    try:
        kind = np.dtype(packed["dtype"])
        if kind.kind not in "biuf":
            raise ValueError(f"no numbers: {kind}")
        return np.frombuffer(base64.b64decode(packed["data"]), kind).reshape(packed["shape"]).copy()
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a packed array") from error


def pack_value(value: Any, depth: int = 3) -> dict[str, Any] | None:
    """A number, an array, or lists and dictionaries of these, as JSON holds it; None when it is something else."""
    if isinstance(value, bool | int | float):
        return {"number": value} if not isinstance(value, int) or abs(value) < 2**63 else None
    if isinstance(value, dict) and depth and value:
        items = {key: pack_value(item, depth - 1) for key, item in value.items() if isinstance(key, str)}
        return {"dict": items} if len(items) == len(value) and None not in items.values() else None
    if isinstance(value, list | tuple) and depth and value and len(value) < 50:
        elements = [pack_value(item, depth - 1) for item in value]
        return {"list": elements} if None not in elements else None
    if isinstance(value, np.ndarray | np.number) and value.size < 100_000 and (array := pack(value)) is not None:
        return {"array": array}
    return None


def unpack_value(packed: Mapping[str, Any]) -> Any:
    """What `pack_value` packed.

    Raises
    ------
    ValueError
        When it is not that.
    """
    match packed:
        case {"number": int() | float() as number}:
            return number
        case {"dict": dict() as items}:
            return {key: unpack_value(item) for key, item in items.items()}
        case {"list": list() as items}:
            return [unpack_value(item) for item in items]
        case {"array": dict() as array}:
            return unpack(array)
    raise ValueError("not a packed value")


def describe(error: BaseException) -> dict[str, Any]:
    """An exception as JSON holds it; `lines` are the (file, line number, function) that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "type": type(error).__name__,
        "message": str(error)[:2000],
        "traceback": "".join(traceback.format_exception(error))[-8000:],
        "lines": [(frame.filename, frame.lineno or 0, frame.name) for frame in frames],
    }


def main() -> None:
    """Run the job that the command line names: its arguments come on stdin, its messages go to stdout."""
    channel = os.dup(1)
    os.dup2(2, 1)  # what is printed goes one way
    request = sys.stdin.buffer.read()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    key, arguments = request[: messages.KEY_BYTES], request[messages.KEY_BYTES :]

    def send(message: Any) -> None:
        data = messages.frame(message, key)
        while data:
            data = data[_write(channel, data) :]

    def no_input(prompt: object = "") -> str:
        send(messages.AskedForInput())
        raise EOFError("input() was called, but nobody is there to answer")

    builtins.input = no_input
    sys.meta_path.insert(0, _CatchPlots())
    sys.path.append(str(Path.cwd()))  # last, so that a file called random.py stands in nobody's way
    try:
        gc.disable()  # no cycles are looked for in what is loaded now, and stays
        job = _job(sys.argv[1])
        gc.freeze()
        gc.enable()
        told = messages.decode(arguments, _type_of_arguments(job))
        send(messages.Started())
        job(told, send)
        _keep_figures()
    except BaseException as error:
        send(messages.Raised(**describe(error)))
    else:
        send(messages.Finished())
    sys.stdout.flush()
    os._exit(0)  # their threads and atexit functions are not waited for


def _job(name: str) -> Callable[[Any, Send], object]:
    module, _, function = name.partition(":")
    job: Callable[[Any, Send], object] = getattr(import_module(module), function)
    return job


def _type_of_arguments(job: Callable[[Any, Send], object]) -> Any:
    """The type with which the job annotates its first parameter."""
    first = next(iter(inspect.signature(job).parameters))
    return get_type_hints(job).get(first, Any)


class _CatchPlots(MetaPathFinder):
    """Keeps matplotlib on our backend, whatever `matplotlib.use` is told."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> None:
        if name == "matplotlib.pyplot":
            matplotlib: Any = sys.modules["matplotlib"]
            matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]
            matplotlib.use = lambda *args, **kwargs: None


def _keep_figures() -> None:
    """Save the figures that were drawn and never shown."""
    if "matplotlib._pylab_helpers" in sys.modules:
        from byhand.diagnosis.plots import FigureManager

        FigureManager.pyplot_show()


if __name__ == "__main__":
    main()
