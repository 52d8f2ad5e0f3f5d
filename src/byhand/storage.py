"""Networks in files: NumPy's own .npz, without pickle, so that loading a file never runs code from it."""

import io
import json
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from byhand import activations
from byhand._types import Array
from byhand.activations import Activation
from byhand.errors import ByhandError
from byhand.files import write_bytes
from byhand.layers import Dense, Dropout
from byhand.network import Network

FORMAT = "byhand network"
VERSION = 1


class UnreadableNetworkError(ByhandError, ValueError):
    """A file that holds no network that this version can read."""


def save(network: Network, path: str | PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

    The file is an .npz archive (its name is taken as it is): `header`, a JSON text with the format, its version
    and the layers, and `parameters`, the one vector of all weights and biases, in the network's own precision.

    Parameters
    ----------
    network : Network
        Of `Dense` and `Dropout` layers.
    path : path-like

    Raises
    ------
    ByhandError
        If the file cannot be written; an older file is then still there as it was.
    TypeError
        If a layer is of another kind.

    Examples
    --------
    >>> import tempfile
    >>> network = Network.dense([2, 3, 1], "tanh", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(network, f"{folder}/network.npz")
    ...     loaded = load(f"{folder}/network.npz")
    >>> (loaded.parameters == network.parameters).all()
    np.True_
    """
    header = {"format": FORMAT, "version": VERSION, "layers": [_describe(layer) for layer in network.layers]}
    archive = io.BytesIO()
    np.savez(archive, header=np.array(json.dumps(header)), parameters=network.parameters)
    write_bytes(path, archive.getvalue())


def load(path: str | PathLike[str], *, activations: Iterable[Activation] = ()) -> Network:
    """Read a network from a file that `save` wrote.

    Parameters
    ----------
    path : path-like
    activations : iterable of Activation, optional
        Your own activations that the network uses: a file holds their names, not their code.

    Returns
    -------
    Network
        With the same parameters to the last bit. A dropout layer's random numbers start anew, and frozen layers stay
        frozen.

    Raises
    ------
    UnreadableNetworkError
        If the file is damaged, is not a network, has another version, or its numbers don't fit its layers.
    OSError
        If there is no such file, or it can't be read.
    """
    name = fspath(path)
    data = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            header, parameters = json.loads(archive["header"].item()), np.asarray(archive["parameters"])
    except Exception as error:  # what a damaged archive raises has no end: zipfile's, zlib's, NumPy's, json's errors
        raise UnreadableNetworkError(f"{name} holds no network, or is damaged ({error}).") from error
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise UnreadableNetworkError(f"{name} is not a network saved by byhand.")
    if header.get("version") != VERSION:
        raise UnreadableNetworkError(
            f"{name} has version {header.get('version')} of the format, and this byhand reads version {VERSION}: "
            "use the byhand that wrote it, or a newer one."
        )
    if parameters.dtype not in (np.float32, np.float64):
        raise UnreadableNetworkError(f"{name} holds parameters of type {parameters.dtype}, not float32 or float64.")
    try:
        _check_size(header["layers"], parameters)
        own = {activation.name: activation for activation in activations}
        network = Network([_build(layer, own, parameters.dtype) for layer in header["layers"]])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableNetworkError(f"{name}: its layers can't be built: {error}") from error
    if not np.isfinite(parameters).all():
        raise UnreadableNetworkError(f"{name}: its parameters are not all finite numbers.")
    network.parameters[:] = parameters
    return network


def _check_size(layers: list[dict[str, Any]], parameters: Array) -> None:
    """Refuse a header that asks for other numbers than the file holds, before there is memory for them."""
    needed = 0
    for layer in layers:
        if layer["kind"] not in ("Dense", "Dropout"):
            raise ValueError(f"there is no layer {layer['kind']!r}")
        sizes = [layer[name] for name in ("n_in", "n_out")] if layer["kind"] == "Dense" else []
        if not all(type(size) is int for size in sizes):
            raise ValueError(f"the sizes of a layer are whole numbers, not {sizes}")
        needed += (sizes[0] + 1) * sizes[1] if sizes else 0
    if parameters.shape != (needed,):
        raise ValueError(f"they need {needed} finite parameters, and it holds an array of shape {parameters.shape}")


def _describe(layer: Any) -> dict[str, Any]:
    if isinstance(layer, Dense):
        frozen = {"frozen": True} if layer.frozen else {}
        return {
            "kind": "Dense",
            "n_in": layer.n_in,
            "n_out": layer.n_out,
            "activation": layer.activation.name,
        } | frozen
    if isinstance(layer, Dropout):
        return {"kind": "Dropout", "rate": layer.rate}
    raise TypeError(f"only Dense and Dropout layers can be saved, not {layer!r}.")


def _build(description: dict[str, Any], own: dict[str, Activation], dtype: np.dtype[Any]) -> Dense | Dropout:
    options = dict(description)
    if options.pop("kind") == "Dropout":
        return Dropout(**options)
    name = options.pop("activation")
    if name not in own and name not in activations.ACTIVATIONS:
        raise ValueError(f"it uses the activation {name!r}: give it as load(path, activations=[{name}]).")
    frozen = bool(options.pop("frozen", False))
    activation = own.get(name) or activations.get(name)
    layer = Dense(**options, activation=activation, initializer="zeros", dtype=dtype)
    layer.frozen = frozen
    return layer
