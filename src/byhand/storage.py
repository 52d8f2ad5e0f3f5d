"""Networks in files: NumPy's own .npz, without pickle, so that loading a file never runs code from it."""

import io
import json
from collections.abc import Iterable
from inspect import signature
from math import prod
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from byhand import activations as known_activations
from byhand import layers as known_layers
from byhand.activations import Activation
from byhand.errors import ByhandError
from byhand.files import write_bytes
from byhand.layers import Layer
from byhand.network import Network

FORMAT = "byhand network"
VERSION = 1


class UnreadableNetworkError(ByhandError, ValueError):
    """A file that holds no network that this version can read."""


def save(network: Network, path: str | PathLike[str]) -> None:
    """Write a network to a file, whole or not at all.

    The file is an .npz archive (its name is taken as it is): `header`, a JSON text with the format, its version
    and the layers with their settings, `parameters`, the one vector of all weights and biases in the network's own
    precision, and what layers keep without learning it, such as `state 2 running_mean`.

    Parameters
    ----------
    network : Network
    path : path-like

    Raises
    ------
    ByhandError
        If the file cannot be written; an older file is then still there as it was.
    TypeError
        If a layer of one's own keeps an argument of its `__init__` nowhere, or one that is no plain value.

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
    places = {id(layer): place for place, layer in network.walk()}
    header = {
        "format": FORMAT,
        "version": VERSION,
        "layers": [_describe(layer) for layer in network.layers],
        "ties": [
            [place, name, places[id(other)], other_name]
            for place, layer in network.walk()
            for name, (other, other_name) in layer._ties.items()
        ],
    }
    state: dict[str, Any] = {
        f"state {place} {name}": values for place, layer in network.walk() for name, values in layer.state.items()
    }
    archive = io.BytesIO()
    np.savez(archive, header=np.array(json.dumps(header)), parameters=network.parameters, **state)
    write_bytes(path, archive.getvalue())


def load(
    path: str | PathLike[str], *, activations: Iterable[Activation] = (), layers: Iterable[type[Layer]] = ()
) -> Network:
    """Read a network from a file that `save` wrote.

    Parameters
    ----------
    path : path-like
    activations : iterable of Activation, optional
        Your own activations that the network uses: a file holds their names, not their code.
    layers : iterable of classes, optional
        Your own layers, for the same reason.

    Returns
    -------
    Network
        With the same parameters to the last bit. Random numbers, of a dropout layer for instance, start anew, and
        frozen layers stay frozen.

    Raises
    ------
    UnreadableNetworkError
        If the file is damaged, is not a network, has another version, or its numbers don't fit its layers.
    OSError
        If there is no such file, or it can't be read.

    Examples
    --------
    >>> import tempfile
    >>> bent = Activation("bent", lambda z: z / (1 + z**2), lambda z, a: (1 - z**2) / (1 + z**2) ** 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Network.dense([2, 1], bent, seed=0), f"{folder}/network.npz")
    ...     load(f"{folder}/network.npz", activations=[bent])
    Network([Dense(2, 1, 'bent')])
    """
    name = fspath(path)
    data = Path(path).read_bytes()
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = {key: np.asarray(archive[key]) for key in archive.files}
            header, parameters = json.loads(arrays.pop("header").item()), arrays.pop("parameters")
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
    builder = _Builder({one.name: one for one in activations}, {one.__name__: one for one in layers}, parameters.size)
    try:
        network = builder.network(header["layers"], header.get("ties", [])).astype(parameters.dtype)
        if parameters.shape != network.parameters.shape:
            raise ValueError(
                f"they need {network.n_parameters} finite parameters, and it holds an array of shape {parameters.shape}"
            )
        _restore(network, arrays)
    except (AttributeError, KeyError, MemoryError, TypeError, ValueError) as error:
        raise UnreadableNetworkError(f"{name}: its layers can't be built: {error}") from error
    if not all(np.isfinite(values).all() for values in (parameters, *arrays.values())):
        raise UnreadableNetworkError(f"{name}: its parameters are not all finite numbers.")
    network.parameters[:] = parameters
    return network


def _restore(network: Network, arrays: dict[str, Any]) -> None:
    """What the layers keep without learning it."""
    for place, layer in network.walk():
        for name, values in layer.state.items():
            saved = arrays[f"state {place} {name}"]
            if saved.shape != values.shape or saved.dtype != values.dtype:
                raise ValueError(f"{name} of layer {place} has shape {values.shape}, and the file has {saved.shape}")
            setattr(layer, name, saved)


def _describe(layer: Layer) -> dict[str, Any]:
    frozen = {"frozen": True} if layer.frozen else {}
    settings = {name: _plain(value, layer) for name, value in layer.settings().items()}
    return {"kind": type(layer).__name__} | settings | frozen


def _plain(value: Any, layer: Layer) -> Any:
    """A setting as JSON has it."""
    if isinstance(value, Layer):
        return _describe(value)
    if isinstance(value, Activation):
        return value.name
    if isinstance(value, list | tuple):
        return [_plain(one, layer) for one in value]
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"{layer} cannot be saved: {value!r} is no number, text, list, activation or layer.")


class _Builder:
    """Makes layers of their descriptions, of the library's classes and the user's own."""

    def __init__(self, activations: dict[str, Activation], layers: dict[str, type[Layer]], n_parameters: int) -> None:
        self.activations, self.layers, self.n_parameters = activations, layers, n_parameters

    def network(self, descriptions: list[dict[str, Any]], ties: list[list[str]]) -> Network:
        layers = [self.layer(description) for description in descriptions]
        places = {place: one for number, layer in enumerate(layers, 1) for place, one in layer.walk(str(number))}
        for place, name, other, other_name in ties:
            places[place].tie(name, places[other], other_name)
        return Network(layers)

    def layer(self, description: dict[str, Any]) -> Layer:
        options = dict(description)
        kind = self._class(options.pop("kind"))
        frozen = bool(options.pop("frozen", False))
        unknown = options.keys() - signature(kind).parameters.keys()
        if unknown:
            raise ValueError(f"{kind.__name__} takes no {', '.join(sorted(unknown))}")
        self._check_size(options)
        layer = kind(**{name: self._value(name, value) for name, value in options.items()})
        if frozen:
            layer.frozen = True
        return layer

    def _class(self, name: Any) -> type[Layer]:
        if name in self.layers:
            return self.layers[name]
        kind = getattr(known_layers, name) if name in known_layers.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, Layer)):
            raise ValueError(f"there is no layer {name!r}: if it is your own, give it as load(path, layers=[{name}])")
        return kind

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return self.layer(value)
        if isinstance(value, list):
            return [self._value(name, one) for one in value]
        if name == "activation" and isinstance(value, str):
            if value not in self.activations and value not in known_activations.ACTIVATIONS:
                raise ValueError(f"it uses the activation {value!r}: give it as load(path, activations=[{value}]).")
            return self.activations.get(value) or known_activations.get(value)
        return value

    def _check_size(self, options: dict[str, Any]) -> None:
        """Refuse a header that asks for far more numbers than the file holds, before there is memory for them."""
        sizes = [abs(value) for value in options.values() if isinstance(value, int) and value]
        if prod(sizes) > 1000 * (self.n_parameters + 1000):
            raise ValueError(f"sizes such as {max(sizes)} need far more than the {self.n_parameters} parameters there")
