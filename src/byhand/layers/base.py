"""What every layer is: a forward pass, its backward pass, and named arrays, some of which it learns."""

from collections.abc import Iterator, Mapping, Sequence
from inspect import Parameter as Argument
from inspect import signature
from numbers import Integral
from operator import attrgetter
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from byhand._types import Array, Shape


class Parameter(property):
    """A named array that a layer learns, declared in its class: ``W = Parameter()``.

    The first assignment gives the array; every later one copies numbers into it, as it is a view into the network's
    vector of all parameters. The gradient lies beside it, as `grad_W`.

    Examples
    --------
    >>> class Shift(Layer):
    ...     b = Parameter()
    >>> layer = Shift()
    >>> layer.b = np.zeros(2)
    >>> layer.b = [1.0, 2.0]
    >>> layer.b, layer.grad_b
    (array([1., 2.]), array([0., 0.]))
    """

    def __set_name__(self, owner: type, name: str) -> None:
        slot = f"_{name}"

        def assign(layer: object, values: npt.ArrayLike) -> None:
            values = np.asarray(values)
            target = getattr(layer, slot, None)
            if target is None:
                dtype = values.dtype if np.issubdtype(values.dtype, np.inexact) else np.float64
                setattr(layer, slot, np.array(values, dtype))
                setattr(layer, f"grad_{name}", np.zeros(values.shape, dtype))
                return
            if values.shape != target.shape:
                transposed = values.T.shape == target.shape
                hint = f" Transpose it: {name} has one row a unit." if transposed else ""
                raise ValueError(f"{name} has shape {target.shape}, not {values.shape}.{hint}")
            target[...] = values

        super().__init__(attrgetter(slot), assign)  # an attrgetter is read as quickly as a plain attribute, nearly
        self.__doc__ = f"Learned; its gradient is `grad_{name}`."


class State(property):
    """A named array that a layer keeps without learning it, declared in its class: ``running_mean = State()``.

    It is saved with the network, and has the network's precision.

    Examples
    --------
    >>> class Count(Layer):
    ...     seen = State()
    >>> layer = Count()
    >>> layer.seen = 3.0
    >>> layer.state, layer.parameters
    ({'seen': array(3.)}, {})
    """

    def __set_name__(self, owner: type, name: str) -> None:
        slot = f"_{name}"
        super().__init__(attrgetter(slot), lambda layer, values: setattr(layer, slot, np.asarray(values)))
        self.__doc__ = "Kept, and not learned."


class Layer:
    """What a `Network` is made of: a forward pass, its backward pass, and named parameters.

    A layer of one's own declares its parameters, gives them their first numbers, and fills in `forward` and
    `backward`. The network sees to the memory: `gain` below and its gradient, `grad_gain`, are views into its vectors.
    `backward` sets gradients (=), it never adds to what is there.

    What a layer may have beside these:

    - `output_shape` and `input_shape`, where it does not take any sample and give one of the same shape;
    - `predict`, where it does something else in use than in training, as dropout does;
    - `State` arrays, which it keeps without learning them;
    - `self.rng`, a generator, where there is chance: `check_gradients` gives each pass the same random numbers;
    - `self.layers`, where there are layers within it: the network gives them memory, and they can be looked into;
    - `passing`, the names of what the passes leave in it, which no copy needs;
    - for `save`, its arguments as attributes of the same names, `self.n` below. One that has a default, such as a seed,
      may be left out.

    Attributes
    ----------
    frozen : bool
        Whether `train` leaves the layer's parameters as they are, and those of the layers in it; False by default.
    input_shape : tuple of int or None
        Of one sample, with None where an axis may have any length; None for a layer that takes any.
    output_range : (float, float)
        Below and above which numbers its outputs cannot go.
    layers : sequence of Layer
        Those within it; empty by default.
    rng : Generator or None
        Where its random numbers come from; None for a layer without chance.

    Examples
    --------
    >>> class Scale(Layer):
    ...     gain = Parameter()
    ...
    ...     def __init__(self, n):
    ...         self.n = n
    ...         self.gain = np.ones(n)
    ...
    ...     def forward(self, x):
    ...         self.x = x
    ...         return self.gain * x
    ...
    ...     def backward(self, grad_output):
    ...         self.grad_gain[...] = (grad_output * self.x).sum(axis=0)
    ...         return grad_output * self.gain
    >>> layer = Scale(2)
    >>> layer.gain = [3.0, 4.0]
    >>> layer.forward(np.ones((1, 2)))
    array([[3., 4.]])
    >>> layer, layer.parameters
    (Scale(2), {'gain': array([3., 4.])})
    """

    input_shape: Shape | None = None
    output_range: tuple[float, float] = (-np.inf, np.inf)
    layers: Sequence["Layer"] = ()
    rng: np.random.Generator | None = None
    passing: ClassVar[tuple[str, ...]] = ()
    """What the passes leave in the layer: a copy starts without it."""
    _parameter_names: ClassVar[tuple[str, ...]] = ()
    _state_names: ClassVar[tuple[str, ...]] = ()
    _frozen: bool = False
    _ties: Mapping[str, tuple["Layer", str]] = MappingProxyType({})

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for kind, known in ((Parameter, "_parameter_names"), (State, "_state_names")):
            own = tuple(name for name, value in vars(cls).items() if isinstance(value, kind))
            setattr(cls, known, getattr(cls, known) + own)

    # What it learns and keeps

    @property
    def parameters(self) -> dict[str, Array]:
        """What the layer itself learns, by name; without the layers within it, and without what is tied."""
        return {name: getattr(self, name) for name in self._parameter_names if name not in self._ties}

    @property
    def gradients(self) -> dict[str, Array]:
        """dL/d(parameter) of the last `backward`, by the parameter's name."""
        return {name: getattr(self, f"grad_{name}") for name in self._parameter_names if name not in self._ties}

    @property
    def state(self) -> dict[str, Array]:
        """What the layer keeps without learning it, by name."""
        return {name: getattr(self, name) for name in self._state_names}

    @property
    def n_parameters(self) -> int:
        """How many numbers the layer learns, with the layers within it."""
        own = sum(array.size for array in self.parameters.values())
        return own + sum(layer.n_parameters for layer in self.layers)

    @property
    def frozen(self) -> bool:
        """Whether `train` leaves the parameters as they are."""
        return self._frozen

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._frozen = frozen
        for layer in self.layers:
            layer.frozen = frozen

    def tie(self, name: str, other: "Layer", other_name: str | None = None) -> None:
        """Use another layer's parameter as one's own: there is one array, and the gradients of both uses add up.

        Both layers have to stand in one network.

        Parameters
        ----------
        name : str
            The parameter of this layer that is given up, such as "W".
        other : Layer
        other_name : str, optional
            The other's parameter, of the same shape; by default of the same name.

        Raises
        ------
        ValueError
            If the shapes differ, or it is the same parameter.

        Examples
        --------
        >>> from byhand import Dense, Network
        >>> first, second = Dense(3, 3, "tanh", seed=0), Dense(3, 3)
        >>> second.tie("W", first)
        >>> Network([first, second]).n_parameters
        15
        """
        other_name = other_name or name
        other, other_name = other._ties.get(other_name, (other, other_name))
        ours, theirs = getattr(self, name), getattr(other, other_name)
        if ours is theirs:
            raise ValueError(f"{name} of {self} is that parameter itself: there is nothing to tie.")
        if ours.shape != theirs.shape:
            raise ValueError(f"{name} has shape {ours.shape}, and {other_name} of {other} {theirs.shape}: tie equals.")
        self._ties = {**self._ties, name: (other, other_name)}
        self.use_tied_memory()

    # Its passes

    def output_shape(self, input_shape: Shape) -> Shape:
        """The shape of what comes out for one sample of this shape; by default the same.

        Parameters
        ----------
        input_shape : tuple of int, or of None where an axis may have any length

        Returns
        -------
        tuple of int, or of None where an axis may have any length

        Raises
        ------
        ValueError
            If the layer cannot take such samples, with what it takes.
        """
        return input_shape

    def forward(self, x: Array) -> Array:
        """From the layer's input x to its output, keeping what `backward` needs."""
        raise NotImplementedError(f"{type(self).__name__} has no forward pass.")

    def backward(self, grad_output: Array) -> Array:
        """From grad_output, dL/d(output), to dL/d(input), setting the gradients of the parameters."""
        raise NotImplementedError(f"{type(self).__name__} has no backward pass.")

    def backward_parameters(self, grad_output: Array) -> None:
        """The same with grad_output, without dL/d(input), which training has no use for in the first layer."""
        self.backward(grad_output)

    def predict(self, x: Array) -> Array:
        """From the layer's input x to its output as it is in use; by default what `forward` gives."""
        return self.forward(x)

    # Its memory, its copies and its name

    def walk(self, place: str) -> Iterator[tuple[str, "Layer"]]:
        """The layer and all within it, each with its place: from place "3" on it is "3", "3.1", "3.2" and so on."""
        yield place, self
        for number, layer in enumerate(self.layers, 1):
            yield from layer.walk(f"{place}.{number}")

    def use_memory(self, parameters: Array, gradients: Array) -> None:
        """Keep the parameters, and their gradients, as views into these vectors, one parameter after the other.

        So a network has all its parameters in one vector, and an optimizer updates them all at once.

        Parameters
        ----------
        parameters, gradients : array, shape (n_parameters,)
            The layer's present numbers are copied into `parameters`: first its own, then those of the layers within.
        """
        end = 0
        for name, array in self.parameters.items():
            start, end = end, end + array.size
            view = parameters[start:end].reshape(array.shape)
            view[...] = array
            setattr(self, f"_{name}", view)
            setattr(self, f"grad_{name}", gradients[start:end].reshape(array.shape))
        for layer in self.layers:
            start, end = end, end + layer.n_parameters
            layer.use_memory(parameters[start:end], gradients[start:end])

    def use_tied_memory(self) -> None:
        """Look into the other layers' parameters where they are tied; the gradients of this use lie apart."""
        for name, (other, other_name) in self._ties.items():
            array = getattr(other, other_name)
            setattr(self, f"_{name}", array)
            setattr(self, f"grad_{name}", np.zeros_like(array))

    def settings(self) -> dict[str, Any]:
        """The arguments that make such a layer, each from the attribute of the same name.

        Returns
        -------
        dict of str to object

        Raises
        ------
        TypeError
            If one without a default is no attribute.
        """
        settings = {}
        for name, argument in signature(type(self)).parameters.items():
            if hasattr(self, name):
                settings[name] = getattr(self, name)
            elif argument.default is Argument.empty and argument.kind not in (
                Argument.VAR_POSITIONAL,
                Argument.VAR_KEYWORD,
            ):
                raise TypeError(
                    f"{type(self).__name__} cannot be made anew: its argument {name!r} is kept nowhere. "
                    f"Write self.{name} = {name} in __init__."
                )
        return settings

    def __repr__(self) -> str:
        try:
            settings = self.settings()
        except (TypeError, ValueError):
            return f"{type(self).__name__}(…)"
        arguments = signature(type(self)).parameters
        parts = []
        for name, value in settings.items():
            written = repr(getattr(value, "name", value))
            if arguments[name].default is Argument.empty:
                parts.append(written)
            elif written != repr(arguments[name].default):
                parts.append(f"{name}={written}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __getstate__(self) -> dict[str, Any]:
        # A copy starts with its own numbers, without the last batch, and belongs to no network.
        left = {"_network", *self.passing, *(f"grad_{name}" for name in self._parameter_names)}
        kept = {name: value for name, value in vars(self).items() if name not in left}
        return kept | {f"_{name}": array.copy() for name, array in self.parameters.items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        for name, array in self.parameters.items():
            setattr(self, f"grad_{name}", np.zeros_like(array))
        self.use_tied_memory()


def check_sizes(least: int = 1, **sizes: Any) -> None:
    """Refuse sizes that are no whole numbers, or too small.

    Raises
    ------
    ValueError
        With the name of the size.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, Integral) or size < least:
            raise ValueError(f"{name} is a whole number, at least {least}, not {size!r}.")


def fits(shape: Sequence[int | None], expected: Sequence[int | None]) -> bool:
    """Whether a shape is the expected one; None, in either, stands for any length."""
    return len(shape) == len(expected) and all(
        given == wanted or given is None or wanted is None for given, wanted in zip(shape, expected, strict=True)
    )


def shape_after(layers: Sequence[Layer], shape: Shape) -> Shape:
    """The shape of what comes out of layers one after the other.

    Raises
    ------
    ValueError
        If one cannot take what the one before it gives.
    """
    before = "the input"
    for layer in layers:
        try:
            after = layer.output_shape(shape)
        except ValueError as error:
            raise ValueError(f"{before} gives {write_shape(shape)}, but {layer} {error}") from None
        shape, before = after, str(layer)
    return shape


def write_shape(shape: Shape) -> str:
    """A sample's shape in words, with n for an axis of any length."""
    written = ["n" if size is None else str(size) for size in shape]
    return f"{written[0]} numbers" if len(written) == 1 else f"an array of shape ({', '.join(written)})"
