"""The same numbers as PyTorch, where it has the same function: `make peers` runs this."""

import numpy as np
import pytest
import torch

from byhand import activations, losses, optimizers, schedules
from byhand.network import Network
from byhand.training import History, clip_norm, train

torch.set_default_dtype(torch.float64)

ACTIVATIONS = {
    "identity": torch.nn.Identity(),
    "sigmoid": torch.nn.Sigmoid(),
    "tanh": torch.nn.Tanh(),
    "relu": torch.nn.ReLU(),
    "leaky_relu": torch.nn.LeakyReLU(0.01),
    "elu": torch.nn.ELU(),
    "softplus": torch.nn.Softplus(threshold=1000),  # the default is z itself above 20
    "silu": torch.nn.SiLU(),
    "gelu": torch.nn.GELU(approximate="tanh"),
}

LOSSES = {
    "sum_of_squares": torch.nn.MSELoss(reduction="sum"),
    "mean_squared_error": torch.nn.MSELoss(),
    "mean_absolute_error": torch.nn.L1Loss(),
    "huber": torch.nn.HuberLoss(),
    "binary_cross_entropy_from_logits": torch.nn.BCEWithLogitsLoss(),
    "cross_entropy_from_logits": torch.nn.CrossEntropyLoss(),
}

OPTIMIZERS = {
    "GradientDescent": (lambda: optimizers.GradientDescent(0.1), lambda p: torch.optim.SGD(p, 0.1)),
    "Momentum": (lambda: optimizers.Momentum(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8)),
    "Nesterov": (lambda: optimizers.Nesterov(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, nesterov=True)),
    "RMSProp": (lambda: optimizers.RMSProp(0.01), lambda p: torch.optim.RMSprop(p, 0.01)),
    "Adam": (lambda: optimizers.Adam(0.01), lambda p: torch.optim.Adam(p, 0.01)),
    "AdamW": (
        lambda: optimizers.AdamW(0.01, weight_decay=0.1),
        lambda p: torch.optim.AdamW(p, 0.01, weight_decay=0.1),
    ),
}


def test_nothing_is_left_out():
    assert ACTIVATIONS.keys() == activations.ACTIVATIONS.keys()
    assert LOSSES.keys() == losses.LOSSES.keys() - {"half_mean_squared_error"}  # which PyTorch doesn't have


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_and_their_derivatives(name):
    z = np.linspace(-30, 30, 601) + 0.01
    theirs = torch.tensor(z, requires_grad=True)
    value = ACTIVATIONS[name](theirs)
    value.sum().backward()
    ours = activations.get(name)
    np.testing.assert_allclose(ours(z), value.detach(), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.derivative(z, ours(z)), theirs.grad, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("name", LOSSES)
def test_losses_and_their_gradients(name):
    rng = np.random.default_rng(0)
    y_hat, y = 3 * rng.standard_normal((20, 4)), rng.dirichlet(np.ones(4), 20)
    theirs = torch.tensor(y_hat, requires_grad=True)
    value = LOSSES[name](theirs, torch.tensor(y))
    value.backward()
    ours = losses.get(name)
    assert ours.value(y_hat, y) == pytest.approx(value.item(), rel=1e-13)
    np.testing.assert_allclose(ours.gradient(y_hat, y), theirs.grad, rtol=1e-12, atol=1e-16)


def pair(hidden="tanh"):
    """A network of ours and one of theirs with the same numbers, and data for them."""
    rng = np.random.default_rng(0)
    ours = Network.dense([5, 8, 6, 3], [hidden, hidden, "identity"], seed=rng)
    ours.parameters += 0.1 * rng.standard_normal(ours.parameters.size)
    modules = []
    for layer in ours.dense_layers:
        linear = torch.nn.Linear(layer.n_in, layer.n_out)
        linear.weight.data, linear.bias.data = torch.tensor(layer.W), torch.tensor(layer.b)
        modules += [linear, ACTIVATIONS[layer.activation.name]]
    return ours, torch.nn.Sequential(*modules), rng.standard_normal((30, 5)), np.eye(3)[rng.integers(3, size=30)]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_of_a_whole_network(name):
    ours, theirs, x, y = pair(name)
    x_theirs = torch.tensor(x, requires_grad=True)
    LOSSES["cross_entropy_from_logits"](theirs(x_theirs), torch.tensor(y)).backward()
    grad_x = ours.backward(losses.cross_entropy_from_logits.gradient(ours.forward(x), y))
    gradients = np.concatenate([parameter.grad.ravel() for parameter in theirs.parameters()])
    np.testing.assert_allclose(ours.gradients, gradients, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(grad_x, x_theirs.grad, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_course_of_every_optimizer(name):
    ours, theirs, x, y = pair()
    make_ours, make_theirs = OPTIMIZERS[name]
    history = train(ours, x, y, loss="cross_entropy_from_logits", optimizer=make_ours(), epochs=200)
    optimizer, course = make_theirs(theirs.parameters()), []
    for _ in range(200):
        optimizer.zero_grad()
        loss = LOSSES["cross_entropy_from_logits"](theirs(torch.tensor(x)), torch.tensor(y))
        loss.backward()
        optimizer.step()
        course.append(loss.item())
    np.testing.assert_allclose(history.loss, course, rtol=1e-8)


def test_gradient_clipping():
    g = np.random.default_rng(0).standard_normal(50)
    parameter = torch.nn.Parameter(torch.zeros(50))
    parameter.grad = torch.tensor(g.copy())
    torch.nn.utils.clip_grad_norm_([parameter], 0.5)
    clip_norm(g, 0.5)
    np.testing.assert_allclose(g, parameter.grad, rtol=1e-5)  # PyTorch adds 1e-6 to the norm


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_under_a_schedule_differs_by_the_units_of_v_alone(nesterov):
    """Ours keeps v in units of the parameters, PyTorch without η: rescaled when η changes, they agree."""
    schedule = schedules.step_decay(10, 0.5)
    kind = optimizers.Nesterov if nesterov else optimizers.Momentum

    def course_of_theirs(rescale):
        _, theirs, x, y = pair()
        optimizer = torch.optim.SGD(theirs.parameters(), 0.1, momentum=0.8, nesterov=nesterov)
        course = []
        for epoch in range(60):
            (group,) = optimizer.param_groups
            before, group["lr"] = group["lr"], 0.1 * schedule(epoch)
            for state in optimizer.state.values() if rescale else ():
                state["momentum_buffer"] *= before / group["lr"]
            optimizer.zero_grad()
            loss = LOSSES["cross_entropy_from_logits"](theirs(torch.tensor(x)), torch.tensor(y))
            loss.backward()
            optimizer.step()
            course.append(loss.item())
        return course

    ours, _, x, y = pair()
    history = train(
        ours, x, y, loss="cross_entropy_from_logits", optimizer=kind(0.1, 0.8), epochs=60, schedule=schedule
    )
    np.testing.assert_allclose(history.loss, course_of_theirs(rescale=True), rtol=1e-9)
    assert np.abs(np.array(history.loss) - course_of_theirs(rescale=False)).max() > 1e-3


def test_reduce_on_plateau():
    ours = schedules.reduce_on_plateau(0.3, patience=2, threshold=1e-2)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2, threshold=1e-2)
    history, rng = History(), np.random.default_rng(0)
    for epoch in range(60):
        assert ours(epoch) == pytest.approx(optimizer.param_groups[0]["lr"])
        history.loss.append(1 / (1 + epoch) ** 0.5 + 0.05 * rng.random())
        ours.watch(history)
        theirs.step(history.loss[-1])
    assert ours(60) < 1e-2
