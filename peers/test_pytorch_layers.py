"""The layers beside PyTorch's: forward, backward and ten steps of training, to 1e-10."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from byhand import losses
from byhand.layers import (
    GRU,
    LSTM,
    RNN,
    Attention,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Elementwise,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    PositionalEncoding,
    Softmax,
    TimeDistributed,
    transformer,
)
from byhand.layers.attention import attend, attend_backward
from byhand.network import Network
from byhand.optimizers import GradientDescent
from byhand.training import train

torch.set_default_dtype(torch.float64)
RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((6, 8, 7, 2))
SEQUENCES = RNG.standard_normal((6, 5, 4))
TOKENS = RNG.integers(7, size=(6, 5)).astype(float)
TABLE = RNG.standard_normal((6, 4))


# A layer of theirs that takes ours as it is laid out, and the parameters of ours in their layout.


class ChannelsFirst(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class FeaturesSecond(nn.Module):
    """BatchNorm1d on tables and sequences."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.reshape(-1, x.shape[-1])).reshape(x.shape)


class States(nn.Module):
    def __init__(self, module, truncate=None):
        super().__init__()
        self.module, self.truncate = module, truncate

    def forward(self, x):
        if self.truncate is None:
            return self.module(x)[0]
        outputs, state = [], None
        for start in range(0, x.shape[1], self.truncate):
            output, state = self.module(x[:, start : start + self.truncate], state)
            state = tuple(one.detach() for one in state) if isinstance(state, tuple) else state.detach()
            outputs.append(output)
        return torch.cat(outputs, dim=1)


class SelfAttention(nn.Module):
    def __init__(self, n_features, n_heads, causal=False):
        super().__init__()
        self.module, self.causal = nn.MultiheadAttention(n_features, n_heads, batch_first=True), causal

    def forward(self, x):
        mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=bool), 1) if self.causal else None
        return self.module(x, x, x, attn_mask=mask, need_weights=False)[0]


class Tokens(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.long())


class Positions(nn.Module):
    def __init__(self, n_features):
        super().__init__()
        self.n_features = n_features

    def forward(self, x):
        return x + torch.tensor(PositionalEncoding(self.n_features).encoding(x.shape[1]))


class Residual(nn.Module):
    def __init__(self, *modules):
        super().__init__()
        self.inner = nn.Sequential(*modules)

    def forward(self, x):
        return x + self.inner(x)


def in_their_order(n, array):
    """From i, f, o, g to i, f, g, o."""
    i, f, o, g = np.split(array, n)
    return np.concatenate([i, f, g, o])


def pairs(layer, module):
    """Each parameter of theirs with the same of ours, in their layout."""
    while hasattr(module, "module"):
        module = module.module
    if isinstance(layer, Conv2D):
        return [(module.weight, layer.W.transpose(0, 3, 1, 2)), (module.bias, layer.b)]
    if isinstance(layer, Dense):
        return [(module.weight, layer.W), (module.bias, layer.b)]
    if isinstance(layer, BatchNorm | LayerNorm):
        return [(module.weight, layer.gamma), (module.bias, layer.beta)]
    if isinstance(layer, Embedding):
        return [(module.weight, layer.W)]
    if isinstance(layer, Attention):
        return [
            (module.in_proj_weight, layer.W_qkv),
            (module.in_proj_bias, layer.b_qkv),
            (module.out_proj.weight, layer.W_out),
            (module.out_proj.bias, layer.b_out),
        ]
    if isinstance(layer, RNN):
        return [(module.weight_ih_l0, layer.W), (module.weight_hh_l0, layer.U), (module.bias_ih_l0, layer.b)]
    if isinstance(layer, LSTM):
        arrays = [in_their_order(4, array) for array in (layer.W, layer.U, layer.b)]
        return list(zip((module.weight_ih_l0, module.weight_hh_l0, module.bias_ih_l0), arrays, strict=True))
    if isinstance(layer, GRU):
        n = layer.n_hidden
        of_h = np.concatenate([np.zeros(2 * n), layer.b_h])
        arrays = (layer.W, layer.U, layer.b, of_h)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
        return [(getattr(module, name), array) for name, array in zip(names, arrays, strict=True)]
    return []


BLOCK = [
    lambda: Residual(nn.LayerNorm(4), SelfAttention(4, 2)),
    lambda: Residual(nn.LayerNorm(4), nn.Linear(4, 9), nn.GELU(approximate="tanh"), nn.Linear(9, 4)),
]
CASES = {
    "conv": ([Conv2D(2, 3, 3, "tanh", seed=0)], [ChannelsFirst(nn.Conv2d(2, 3, 3)), nn.Tanh()], IMAGES),
    "strided conv": (
        [Conv2D(2, 3, 3, stride=2, padding=1, seed=0)],
        [ChannelsFirst(nn.Conv2d(2, 3, 3, stride=2, padding=1))],
        IMAGES,
    ),
    "max pool": (
        [Conv2D(2, 3, 3, "relu", seed=0), MaxPool2D(2)],
        [ChannelsFirst(nn.Conv2d(2, 3, 3)), nn.ReLU(), ChannelsFirst(nn.MaxPool2d(2))],
        IMAGES,
    ),
    "overlapping max pool": (
        [Conv2D(2, 3, 3, seed=0), MaxPool2D(3, stride=1)],
        [ChannelsFirst(nn.Conv2d(2, 3, 3)), ChannelsFirst(nn.MaxPool2d(3, 1))],
        IMAGES,
    ),
    "average pool": (
        [Conv2D(2, 3, 3, seed=0), AveragePool2D(2, stride=1)],
        [ChannelsFirst(nn.Conv2d(2, 3, 3)), ChannelsFirst(nn.AvgPool2d(2, 1))],
        IMAGES,
    ),
    "convnet": (
        [Conv2D(2, 4, 3, padding=1, seed=0), BatchNorm(4), Elementwise("relu"), MaxPool2D(2), Flatten(), Dense(48, 3)],
        [
            ChannelsFirst(nn.Conv2d(2, 4, 3, padding=1)),
            ChannelsFirst(nn.BatchNorm2d(4)),
            nn.ReLU(),
            ChannelsFirst(nn.MaxPool2d(2)),
            nn.Flatten(),
            nn.Linear(48, 3),
        ],
        IMAGES,
    ),
    "batch norm": (
        [Dense(4, 3, seed=0), BatchNorm(3)],
        [nn.Linear(4, 3), FeaturesSecond(nn.BatchNorm1d(3))],
        TABLE,
    ),
    "layer norm": ([LayerNorm(4)], [nn.LayerNorm(4)], SEQUENCES),
    "softmax": ([Dense(4, 3, seed=0), Softmax()], [nn.Linear(4, 3), nn.Softmax(dim=-1)], TABLE),
    "embedding": ([Embedding(7, 3, seed=0)], [Tokens(nn.Embedding(7, 3))], TOKENS),
    "rnn": ([RNN(4, 3, seed=0)], [States(nn.RNN(4, 3, batch_first=True))], SEQUENCES),
    "lstm": ([LSTM(4, 3, seed=0)], [States(nn.LSTM(4, 3, batch_first=True))], SEQUENCES),
    "gru": ([GRU(4, 3, seed=0)], [States(nn.GRU(4, 3, batch_first=True))], SEQUENCES),
    "truncated rnn": ([RNN(4, 3, truncate=2, seed=0)], [States(nn.RNN(4, 3, batch_first=True), 2)], SEQUENCES),
    "truncated lstm": ([LSTM(4, 3, truncate=2, seed=0)], [States(nn.LSTM(4, 3, batch_first=True), 2)], SEQUENCES),
    "truncated gru": ([GRU(4, 3, truncate=2, seed=0)], [States(nn.GRU(4, 3, batch_first=True), 2)], SEQUENCES),
    "two lstm": (
        [LSTM(4, 3, seed=0), LSTM(3, 2, seed=1), TimeDistributed(Dense(2, 2, "tanh", seed=2))],
        [States(nn.LSTM(4, 3, batch_first=True)), States(nn.LSTM(3, 2, batch_first=True)), nn.Linear(2, 2), nn.Tanh()],
        SEQUENCES,
    ),
    "attention": ([Attention(4, 2, seed=0)], [SelfAttention(4, 2)], SEQUENCES),
    "causal attention": ([Attention(4, 1, mask="causal", seed=0)], [SelfAttention(4, 1, causal=True)], SEQUENCES),
    "transformer": (
        transformer(7, 4, n_heads=2, n_blocks=2, n_hidden=9, seed=0),
        [
            Tokens(nn.Embedding(7, 4)),
            Positions(4),
            *(make() for make in [*BLOCK, *BLOCK]),
            nn.LayerNorm(4),
            nn.Linear(4, 7),
        ],
        TOKENS,
    ),
}


def flat(modules):
    """Their modules that learn, in order."""
    for module in modules:
        if isinstance(module, Residual):
            yield from flat(module.inner)
        elif any(True for _ in module.parameters()):
            yield module


def pair(case):
    """A network of ours, one of theirs with the same numbers, a function that lists both's, the input, and targets."""
    layers, modules, x = CASES[case]
    ours, theirs = Network(deepcopy(layers)), nn.Sequential(*modules)
    ours.parameters += 0.2 * np.random.default_rng(1).standard_normal(ours.n_parameters)
    learning = [layer for layer in ours.every_layer if layer.parameters]

    def both():
        listed = [one for layer, module in zip(learning, flat(modules), strict=True) for one in pairs(layer, module)]
        assert sum(values.size for _, values in listed) >= ours.n_parameters
        return listed

    known = set()
    for parameter, values in both():
        parameter.data = torch.tensor(np.ascontiguousarray(values))
        known.add(id(parameter))
    for parameter in theirs.parameters():
        if id(parameter) not in known:  # a second bias, where ours has one
            parameter.data.zero_()
            parameter.requires_grad = False
    for module in modules:  # of an earlier test
        for one in module.modules():
            if isinstance(one, nn.modules.batchnorm._BatchNorm):
                one.reset_running_stats()
    y = np.random.default_rng(2).standard_normal(ours.predict(x).shape)
    return ours, theirs, both, x, y


def gradients_in_their_layout(ours, both):
    """Ours, by writing the gradients where the parameters are."""
    kept = ours.parameters.copy()
    ours.parameters[:] = ours.gradients
    arrays = [values.copy() for _, values in both()]
    ours.parameters[:] = kept
    return arrays


@pytest.mark.parametrize("case", CASES)
def test_forward_and_backward(case):
    ours, theirs, both, x, y = pair(case)
    x_theirs = torch.tensor(x, requires_grad=True)
    y_theirs = theirs(x_theirs)
    theirs.zero_grad()
    torch.nn.functional.mse_loss(y_theirs, torch.tensor(y)).backward()
    y_hat = ours.forward(x)
    np.testing.assert_allclose(y_hat, y_theirs.detach(), rtol=1e-10, atol=1e-10)
    grad_x = ours.backward(losses.mean_squared_error.gradient(y_hat, y))
    if x_theirs.grad is not None:
        np.testing.assert_allclose(grad_x, x_theirs.grad, rtol=1e-10, atol=1e-10)
    for (parameter, _), ours_there in zip(both(), gradients_in_their_layout(ours, both), strict=True):
        their = parameter.grad.numpy().copy()
        if "gru" in case and parameter.ndim == 1 and not ours_there[: len(their) * 2 // 3].any():
            their[: len(their) * 2 // 3] = 0  # their second bias of the gates, where ours has one
        np.testing.assert_allclose(ours_there, their, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("case", CASES)
def test_ten_steps_of_training(case):
    # Not Adam: where a gradient is 0 but for rounding (a bias before a batch norm), it divides that by itself.
    ours, theirs, both, x, y = pair(case)
    gru = "gru" in case
    history = train(ours, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.05), epochs=10)
    optimizer = torch.optim.SGD([p for p in theirs.parameters() if p.requires_grad], 0.05)
    course = []
    theirs.train()
    for _ in range(10):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(theirs(torch.tensor(x)), torch.tensor(y))
        loss.backward()
        if gru:  # their second bias of the gates, where ours has one
            theirs[0].module.bias_hh_l0.grad[:6] = 0
        optimizer.step()
        course.append(loss.item())
    np.testing.assert_allclose(history.loss, course, rtol=1e-10)
    for parameter, values in both():
        np.testing.assert_allclose(values, parameter.detach(), rtol=1e-10, atol=1e-10)
    theirs.eval()
    np.testing.assert_allclose(ours.predict(x), theirs(torch.tensor(x)).detach(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("causal", [False, True])
def test_scaled_dot_product_attention(causal):
    q, k, v = RNG.standard_normal((3, 2, 3, 5, 4))
    mask = np.tri(5, dtype=bool) if causal else RNG.random((2, 3, 5, 5)) < 0.7
    mask[..., 0] = True
    theirs = [torch.tensor(one, requires_grad=True) for one in (q, k, v)]
    output = nn.functional.scaled_dot_product_attention(*theirs, attn_mask=torch.tensor(mask))
    grad = RNG.standard_normal(output.shape)
    output.backward(torch.tensor(grad))
    ours, weights = attend(q, k, v, mask)
    np.testing.assert_allclose(ours, output.detach(), rtol=1e-10, atol=1e-12)
    for written, their in zip(attend_backward(grad, q, k, v, weights), theirs, strict=True):
        np.testing.assert_allclose(written, their.grad, rtol=1e-10, atol=1e-12)


def test_a_masked_loss():
    logits, labels = RNG.standard_normal((4, 5, 3)), RNG.integers(3, size=(4, 5))
    mask = RNG.random((4, 5)) < 0.6
    theirs = torch.tensor(logits, requires_grad=True)
    wanted = torch.tensor(np.where(mask, labels, -100))
    loss = nn.functional.cross_entropy(theirs.reshape(-1, 3), wanted.ravel())
    loss.backward()
    y, weights = losses.one_hot(labels), mask.astype(float)
    assert losses.cross_entropy_from_logits.value(logits, y, weights) == pytest.approx(loss.item(), rel=1e-12)
    ours = losses.cross_entropy_from_logits.gradient(logits, y, weights)
    np.testing.assert_allclose(ours, theirs.grad, rtol=1e-10, atol=1e-14)
