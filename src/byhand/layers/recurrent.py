"""Recurrent layers: a state that goes from step to step, and a gradient that goes back through time.

All three do the same around their step. The steps come first in memory, (T, n, features), so that each is one block;
the part of z that comes from x is one product for all steps, and so are the gradients of W, U and b at the end: only
what depends on the state is computed step by step.

Back through time, a state hₜ has two uses, the output at t and the step to t + 1, so dL/dhₜ is the sum of what comes
from both. The longer the way, the more factors: their product fades or explodes (Hochreiter 1991), for which there is
`truncate`, clipping (`max_norm` of `train`), and the gates of LSTM and GRU.
"""

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from byhand import activations
from byhand._types import Array, Seed, Shape
from byhand.activations import Activation, sigmoid
from byhand.layers.base import Layer, Parameter, check_sizes, fits


class _Recurrent(Layer):
    """What the three share: shapes, memory, and the loop over the steps, forward and back.

    A step gives the next state, from `z_of_x`, which is xₜ Wᵀ + b, and the state before; its way back gives dL/d(state
    before) and leaves dL/dz, and dL/d(what comes through U), in the arrays for them.
    """

    W = Parameter()
    U = Parameter()
    b = Parameter()
    passing: ClassVar[tuple[str, ...]] = ("x", "h", "grad_h", "grad_z", "grad_z_of_h")
    blocks: ClassVar[int] = 1
    """How many vectors of n_hidden numbers z has."""

    grad_W: Array
    grad_U: Array
    grad_b: Array

    def __init__(
        self, n_in: int, n_hidden: int, *, last: bool, truncate: int | None, seed: Seed, dtype: npt.DTypeLike
    ) -> None:
        check_sizes(n_in=n_in, n_hidden=n_hidden, **({} if truncate is None else {"truncate": truncate}))
        self.n_in, self.n_hidden, self.last, self.truncate = n_in, n_hidden, last, truncate
        rng = np.random.default_rng(seed)
        limit = np.sqrt(6 / (n_in + n_hidden))
        self.W = rng.uniform(-limit, limit, (self.blocks * n_hidden, n_in)).astype(dtype)
        self.U = np.concatenate([_orthogonal(n_hidden, rng) for _ in range(self.blocks)]).astype(dtype)
        self.b = np.zeros(self.blocks * n_hidden, dtype)
        self.input_shape = (None, n_in)

    def output_shape(self, input_shape: Shape) -> Shape:
        """(T, n_hidden) for (T, n_in), or (n_hidden,) if only the last state is wanted.

        Raises
        ------
        ValueError
            For other samples.
        """
        if not fits(input_shape, (None, self.n_in)):
            raise ValueError(f"takes sequences of shape (steps, {self.n_in}).")
        return (self.n_hidden,) if self.last else (input_shape[0], self.n_hidden)

    def forward(self, x: Array) -> Array:
        """From x, shape (n, T, n_in), to the states h₁ … h_T, shape (n, T, n_hidden), or h_T; h₀ is 0."""
        n, n_steps, _ = x.shape
        self.x = np.ascontiguousarray(x.swapaxes(0, 1))
        z_of_x = (self.x.reshape(-1, self.n_in) @ self.W.T + self.b).reshape(n_steps, n, -1)
        self.h = np.zeros((n_steps + 1, n, self.n_hidden), z_of_x.dtype)
        self._start(z_of_x)
        for t in range(n_steps):
            self._step(t, z_of_x[t])
        return self.h[-1] if self.last else self.h[1:].swapaxes(0, 1)

    def backward(self, grad_output: Array) -> Array:
        """From dL/d(output) to dL/dx, back through time; keeps dL/dW, dL/dU and dL/db, and dL/dhₜ as grad_h."""
        self.backward_parameters(grad_output)
        grad_x = self.grad_z.reshape(-1, self.grad_z.shape[-1]) @ self.W
        return grad_x.reshape(self.x.shape).swapaxes(0, 1)

    def backward_parameters(self, grad_output: Array) -> None:
        """The same without dL/dx."""
        n_steps, n, _ = self.x.shape
        self.grad_h = np.zeros((n_steps, n, self.n_hidden), grad_output.dtype)
        if self.last:
            self.grad_h[-1] = grad_output
        else:
            self.grad_h[:] = grad_output.swapaxes(0, 1)
        self._start_backward()
        for t in reversed(range(n_steps)):
            grad_before = self._step_backward(t, self.grad_h[t])
            if t and not self.ends_at(t):
                self.grad_h[t - 1] += grad_before
        self._gradients()

    def ends_at(self, t: int) -> bool:
        """Whether the state before step t is taken as given: no gradient goes further back."""
        return self.truncate is not None and t % self.truncate == 0

    def _gradients(self) -> None:
        """dL/dW = Σₜ (dL/dzₜ)ᵀ xₜ, dL/dU = Σₜ (dL/dzₜ)ᵀ hₜ₋₁ and dL/db = Σₜ dL/dzₜ: each one product for all steps."""
        rows = self.grad_z.reshape(-1, self.grad_z.shape[-1])
        np.matmul(rows.T, self.x.reshape(-1, self.n_in), out=self.grad_W)
        rows_of_h = self.grad_z_of_h.reshape(rows.shape)
        np.matmul(rows_of_h.T, self.h[:-1].reshape(-1, self.n_hidden), out=self.grad_U)
        np.add.reduce(rows, axis=0, out=self.grad_b)

    def predict(self, x: Array) -> Array:
        """The same as `forward`, keeping nothing."""
        output = self.forward(x)
        for name in self.passing:
            vars(self).pop(name, None)
        return output

    def _start(self, z_of_x: Array) -> None:
        """Make room for what the steps leave behind."""
        raise NotImplementedError

    def _step(self, t: int, z_of_x: Array) -> None:
        """From h[t], the state before step t (counted from 0), to h[t + 1]."""
        raise NotImplementedError

    def _start_backward(self) -> None:
        """Make room for dL/dz, and for what is the same at all steps."""
        self.grad_z = self.grad_z_of_h = np.empty((*self.grad_h.shape[:2], self.blocks * self.n_hidden), self.h.dtype)

    def _step_backward(self, t: int, grad_h: Array) -> Array:
        """From dL/d(state after step t) to dL/d(state before)."""
        raise NotImplementedError


class RNN(_Recurrent):
    """A recurrent layer: zₜ = xₜ Wᵀ + hₜ₋₁ Uᵀ + b, hₜ = f(zₜ) (Elman 1990).

    δₜ = dL/dhₜ ⊙ f′(zₜ), and the step back in time is dL/dhₜ₋₁ = δₜ U: over k steps the gradient is multiplied k times
    by U and f′, so it fades or explodes. dL/dW = Σₜ δₜᵀ xₜ, dL/dU = Σₜ δₜᵀ hₜ₋₁, dL/db = Σₜ δₜ.

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers a step, and of the state.
    activation : str or Activation
        f; tanh by default.
    last : bool
        Give the last state alone, shape (n, n_hidden), rather than all, shape (n, T, n_hidden).
    truncate : int, optional
        Let the gradient go back at most so many steps: at every k-th the state before is taken as given. So it is then
        not the derivative of the loss, and `check_gradients` says so.
    seed : int, Generator or None
        W starts by Glorot's uniform draws, U orthogonal (which keeps lengths), b at 0.
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W, U, b : array, shapes (n_hidden, n_in), (n_hidden, n_hidden) and (n_hidden,)
    x, z, h : array, shapes (T, n, n_in), (T, n, n_hidden) and (T + 1, n, n_hidden)
        Of the last `forward`, the steps first; h[0] is the state before the first step.
    grad_z, grad_h : array, shape (T, n, n_hidden)
        δₜ and dL/dhₜ of the last `backward`.

    Examples
    --------
    >>> layer = RNN(1, 1, "identity")
    >>> layer.W, layer.U = [[1.0]], [[0.5]]
    >>> layer.forward(np.array([[[1.0], [0.0], [0.0]]]))[0, :, 0]  # each step keeps half of the state
    array([1.  , 0.5 , 0.25])
    """

    passing = (*_Recurrent.passing, "z")

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        activation: str | Activation = "tanh",
        *,
        last: bool = False,
        truncate: int | None = None,
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_in, n_hidden, last=last, truncate=truncate, seed=seed, dtype=dtype)
        self.activation = activations.get(activation)

    @property
    def output_range(self) -> tuple[float, float]:  # type: ignore[override]
        """That of f."""
        return self.activation.range

    def _start(self, z_of_x: Array) -> None:
        self.z = z_of_x

    def _step(self, t: int, z_of_x: Array) -> None:
        z_of_x += self.h[t] @ self.U.T  # which is z[t]
        self.h[t + 1] = self.activation.function(z_of_x)

    def _step_backward(self, t: int, grad_h: Array) -> Array:
        self.grad_z[t] = grad_h * self.activation.derivative(self.z[t], self.h[t + 1])
        return self.grad_z[t] @ self.U


class LSTM(_Recurrent):
    """Long short-term memory: beside the state a memory c, which is added to (Hochreiter & Schmidhuber 1997).

    z = xₜ Wᵀ + hₜ₋₁ Uᵀ + b has four blocks: the input, forget and output gates i, f, o = σ(·) and the candidate
    g = tanh(·). Then cₜ = f ⊙ cₜ₋₁ + i ⊙ g and hₜ = o ⊙ tanh(cₜ).

    Back: with C = tanh(cₜ), dL/dcₜ = (what comes from step t + 1) + dL/dhₜ ⊙ o ⊙ (1 − C²); of the products
    dL/do = dL/dhₜ ⊙ C, dL/di = dL/dcₜ ⊙ g, dL/dg = dL/dcₜ ⊙ i, dL/df = dL/dcₜ ⊙ cₜ₋₁; and dL/dcₜ₋₁ = dL/dcₜ ⊙ f: where
    the forget gate is 1 the gradient goes back in time as it is. Through σ and tanh it comes to dL/dz, and
    dL/dhₜ₋₁ = dL/dz U.

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers a step, and of the state.
    last : bool
        Give the last state alone, shape (n, n_hidden), rather than all, shape (n, T, n_hidden).
    truncate : int, optional
        As in `RNN`.
    seed : int, Generator or None
        W starts by Glorot's uniform draws, the blocks of U orthogonal, b at 0, but for the forget gate at 1, so that it
        remembers at first (Jozefowicz et al. 2015).
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W, U, b : array, shapes (4 n_hidden, n_in), (4 n_hidden, n_hidden) and (4 n_hidden,)
        In the order i, f, o, g.
    x, h, c : array, shapes (T, n, n_in), (T + 1, n, n_hidden) and (T + 1, n, n_hidden)
        Of the last `forward`, the steps first; h[0] and c[0] are 0.
    gates : array, shape (T, n, 4 n_hidden)
        i, f, o and g of the last `forward`.
    grad_z, grad_h : array, shapes (T, n, 4 n_hidden) and (T, n, n_hidden)
        Of the last `backward`.

    Examples
    --------
    >>> LSTM(3, 5, seed=0).forward(np.zeros((2, 4, 3))).shape
    (2, 4, 5)
    >>> LSTM(3, 5, last=True, seed=0).forward(np.zeros((2, 4, 3))).shape
    (2, 5)
    """

    blocks = 4
    passing = (*_Recurrent.passing, "c", "gates", "tanh_c", "grad_c", "slopes")

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        last: bool = False,
        truncate: int | None = None,
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_in, n_hidden, last=last, truncate=truncate, seed=seed, dtype=dtype)
        self.b[n_hidden : 2 * n_hidden] = 1

    output_range = (-1.0, 1.0)

    def _split(self, blocks: Array) -> tuple[Array, Array, Array, Array]:
        """i, f, o and g, each a view."""
        n = self.n_hidden
        return blocks[:, :n], blocks[:, n : 2 * n], blocks[:, 2 * n : 3 * n], blocks[:, 3 * n :]

    def _start(self, z_of_x: Array) -> None:
        self.gates = z_of_x
        self.c, self.tanh_c = np.zeros_like(self.h), np.empty_like(self.h[1:])

    def _step(self, t: int, z_of_x: Array) -> None:
        z_of_x += self.h[t] @ self.U.T
        of_sigma, of_tanh = z_of_x[:, : 3 * self.n_hidden], z_of_x[:, 3 * self.n_hidden :]
        of_sigma[...] = sigmoid.function(of_sigma)
        np.tanh(of_tanh, out=of_tanh)
        i, f, o, g = self._split(z_of_x)
        np.multiply(f, self.c[t], out=self.c[t + 1])
        self.c[t + 1] += i * g
        np.tanh(self.c[t + 1], out=self.tanh_c[t])
        np.multiply(o, self.tanh_c[t], out=self.h[t + 1])

    def _start_backward(self) -> None:
        super()._start_backward()
        self.slopes = self.gates * (1 - self.gates)  # σ′ for all steps, and tanh′ below
        g = self.gates[..., 3 * self.n_hidden :]
        self.slopes[..., 3 * self.n_hidden :] = 1 - g * g
        self.grad_c = np.zeros_like(self.grad_h[0])

    def _step_backward(self, t: int, grad_h: Array) -> Array:
        i, f, o, g = self._split(self.gates[t])
        grad_i, grad_f, grad_o, grad_g = self._split(self.grad_z[t])
        tanh_c = self.tanh_c[t]
        self.grad_c += grad_h * o * (1 - tanh_c * tanh_c)
        np.multiply(self.grad_c, g, out=grad_i)
        np.multiply(self.grad_c, self.c[t], out=grad_f)
        np.multiply(grad_h, tanh_c, out=grad_o)
        np.multiply(self.grad_c, i, out=grad_g)
        self.grad_z[t] *= self.slopes[t]
        if self.ends_at(t):
            self.grad_c[...] = 0
        else:
            self.grad_c *= f
        return self.grad_z[t] @ self.U


class GRU(_Recurrent):
    """Gated recurrent unit: the state is mixed with a candidate, by gates (Cho et al. 2014).

    z = xₜ Wᵀ + b and m = hₜ₋₁ Uᵀ have three blocks: the reset and update gates r = σ(zᵣ + mᵣ) and u = σ(zᵤ + mᵤ), and
    the candidate n = tanh(zₙ + r ⊙ (mₙ + b_h)). Then hₜ = (1 − u) ⊙ n + u ⊙ hₜ₋₁.

    Back: dL/dn = dL/dhₜ ⊙ (1 − u), dL/du = dL/dhₜ ⊙ (hₜ₋₁ − n); with δₙ = dL/dn ⊙ (1 − n²), dL/dr = δₙ ⊙ (mₙ + b_h) and
    dL/dmₙ = δₙ ⊙ r; and dL/dhₜ₋₁ = dL/dhₜ ⊙ u + dL/dm U: where the update gate is 1 the gradient goes back as it is.

    Parameters
    ----------
    n_in, n_hidden : int
        Numbers a step, and of the state.
    last : bool
        Give the last state alone, shape (n, n_hidden), rather than all, shape (n, T, n_hidden).
    truncate : int, optional
        As in `RNN`.
    seed : int, Generator or None
        W starts by Glorot's uniform draws, the blocks of U orthogonal, b and b_h at 0.
    dtype : numpy dtype
        float64 (default) or float32.

    Attributes
    ----------
    W, U, b : array, shapes (3 n_hidden, n_in), (3 n_hidden, n_hidden) and (3 n_hidden,)
        In the order r, u, n.
    b_h : array, shape (n_hidden,)
        The candidate's bias within the reset gate.
    x, h : array, shapes (T, n, n_in) and (T + 1, n, n_hidden)
        Of the last `forward`, the steps first; h[0] is 0.
    gates, m : array, shapes (T, n, 3 n_hidden) and (T, n, n_hidden)
        r, u and n, and mₙ + b_h, of the last `forward`.
    grad_z, grad_h : array, shapes (T, n, 3 n_hidden) and (T, n, n_hidden)
        Of the last `backward`.

    Examples
    --------
    >>> GRU(3, 5, seed=0).forward(np.zeros((2, 4, 3))).shape
    (2, 4, 5)
    """

    blocks = 3
    b_h = Parameter()
    passing = (*_Recurrent.passing, "gates", "m")
    output_range = (-1.0, 1.0)

    grad_b_h: Array

    def __init__(
        self,
        n_in: int,
        n_hidden: int,
        *,
        last: bool = False,
        truncate: int | None = None,
        seed: Seed = None,
        dtype: npt.DTypeLike = np.float64,
    ) -> None:
        super().__init__(n_in, n_hidden, last=last, truncate=truncate, seed=seed, dtype=dtype)
        self.b_h = np.zeros(n_hidden, dtype)

    def _split(self, blocks: Array) -> tuple[Array, Array, Array]:
        """r, u and n, each a view."""
        n = self.n_hidden
        return blocks[:, :n], blocks[:, n : 2 * n], blocks[:, 2 * n :]

    def _start(self, z_of_x: Array) -> None:
        self.gates, self.m = z_of_x, np.empty_like(self.h[1:])

    def _step(self, t: int, z_of_x: Array) -> None:
        n = 2 * self.n_hidden
        of_h = self.h[t] @ self.U.T
        z_of_x[:, :n] += of_h[:, :n]
        z_of_x[:, :n] = sigmoid.function(z_of_x[:, :n])
        r, u, candidate = self._split(z_of_x)
        np.add(of_h[:, n:], self.b_h, out=self.m[t])
        candidate += r * self.m[t]
        np.tanh(candidate, out=candidate)
        np.multiply(u, self.h[t] - candidate, out=self.h[t + 1])
        self.h[t + 1] += candidate

    def _start_backward(self) -> None:
        super()._start_backward()
        self.grad_z_of_h = np.empty_like(self.grad_z)  # the candidate's differs, by r

    def _step_backward(self, t: int, grad_h: Array) -> Array:
        r, u, candidate = self._split(self.gates[t])
        delta_r, delta_u, delta_n = self._split(self.grad_z[t])
        delta_n[...] = grad_h * (1 - u) * (1 - candidate * candidate)
        delta_u[...] = grad_h * (self.h[t] - candidate) * u * (1 - u)
        delta_r[...] = delta_n * self.m[t] * r * (1 - r)
        self.grad_z_of_h[t] = self.grad_z[t]
        self.grad_z_of_h[t, :, 2 * self.n_hidden :] *= r
        return grad_h * u + self.grad_z_of_h[t] @ self.U

    def _gradients(self) -> None:
        super()._gradients()
        of_candidate = self.grad_z_of_h[..., 2 * self.n_hidden :]
        np.add.reduce(of_candidate.reshape(-1, self.n_hidden), axis=0, out=self.grad_b_h)


def _orthogonal(n: int, rng: np.random.Generator) -> Array:
    """A random rotation: it keeps the length of what it is multiplied with."""
    q, r = np.linalg.qr(rng.standard_normal((n, n)))
    return q * np.sign(np.diag(r))
