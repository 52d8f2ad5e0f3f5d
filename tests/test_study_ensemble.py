"""Many networks together are each what the library trains alone."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byhand import datasets, losses
from byhand.activations import ACTIVATIONS
from byhand.layers import Dropout
from byhand.losses import LOSSES
from byhand.network import Network
from byhand.optimizers import Adam, AdamW, GradientDescent, Momentum, Nesterov, RMSProp
from byhand.penalties import L1, L2
from byhand.schedules import cosine, step_decay, warmup
from byhand.study import ensemble
from byhand.study.ensemble import forward_ensemble, loss_of_runs, train_ensemble
from byhand.training import Diverged, loss_and_gradients, train, update

OPTIMIZERS = [GradientDescent, Momentum, Nesterov, RMSProp, Adam, AdamW]


def alone(network, x, y, **options):
    """What `train` makes of one network: the losses, NaN from where it diverged."""
    losses_alone = np.full(options["epochs"], np.nan)
    try:
        history = train(network, x, y, **options)
    except Diverged as error:
        history = error.history
    losses_alone[: len(history.loss)] = history.loss
    return losses_alone


def data_for(loss, n, n_in, n_out, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, n_in))
    if loss == "cross_entropy_from_logits":
        return x, np.eye(n_out)[rng.integers(0, n_out, n)]
    if loss == "binary_cross_entropy_from_logits":
        return x, rng.integers(0, 2, (n, n_out)).astype(float)
    return x, rng.standard_normal((n, n_out))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(("sizes", "n", "batch_size"), [
    ([2, 10, 1], 4, None),
    ([3, 5, 4, 2], 23, 5),
    ([30, 40, 3], 64, 16),  # matrix products
])  # fmt: skip
def test_each_run_is_what_the_library_trains_alone(optimizer, sizes, n, batch_size):
    loss = "mean_squared_error" if sizes[-1] == 1 else "cross_entropy_from_logits"
    x, y = datasets.xor() if n == 4 else data_for(loss, n, sizes[0], sizes[-1])
    # Steps of a fixed length, near the minimum, throw a run to and fro and magnify any rounding: no larger ones.
    rates = np.geomspace(1e-3, 0.02 if optimizer in (RMSProp, Adam, AdamW) else 0.1, 6)
    activations = ["tanh"] * (len(sizes) - 2) + ["identity"]
    networks = [Network.dense(sizes, activations, seed=seed) for seed in range(6)]
    history = train_ensemble(
        networks, x, y, loss=loss, optimizer=optimizer(rates), epochs=60, batch_size=batch_size, seeds=range(6)
    )
    for run, rate in enumerate(rates):
        network = Network.dense(sizes, activations, seed=run)
        expected = alone(
            network, x, y, loss=loss, optimizer=optimizer(rate), epochs=60, batch_size=batch_size, seed=run
        )
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-8, atol=0)  # RMSProp divides by small roots
        np.testing.assert_allclose(networks[run].parameters, network.parameters, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("width", [4, 60])
def test_every_loss(loss, width):
    x, y = data_for(loss, 30, 3, 2)
    networks = [Network.dense([3, width, 2], ["sigmoid", "identity"], seed=seed) for seed in range(3)]
    history = train_ensemble(networks, x, y, loss=loss, optimizer=GradientDescent(0.005), epochs=40)
    for run in range(3):
        network = Network.dense([3, width, 2], ["sigmoid", "identity"], seed=run)
        expected = alone(network, x, y, loss=loss, optimizer=GradientDescent(0.005), epochs=40)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("options", [
    {"penalties": [L2(0.01)]}, {"penalties": [L1(0.003), L2(0.02)]}, {"max_norm": 0.05}, {"schedule": cosine(40)},
    {"schedule": warmup(5, step_decay(10)), "max_norm": 0.2, "penalties": [L1(0.01)]},
])  # fmt: skip
@pytest.mark.parametrize(("width", "batch_size"), [(4, None), (4, 7), (60, None), (60, 7)])
@pytest.mark.parametrize("optimizer", [GradientDescent, Adam])
def test_penalties_clipping_and_schedules_are_those_of_train(options, width, batch_size, optimizer):
    x, y = data_for("mean_squared_error", 30, 3, 2)
    rates = np.array([0.01, 0.03, 0.002])
    options = {**options, "loss": "mean_squared_error", "epochs": 50, "batch_size": batch_size}
    networks = [Network.dense([3, width, 2], ["tanh", "identity"], seed=seed) for seed in range(3)]
    history = train_ensemble(networks, x, y, optimizer=optimizer(rates), seeds=range(3), **options)
    plain = {**options, "penalties": (), "max_norm": None, "schedule": None}
    for run in range(3):
        network, other = (Network.dense([3, width, 2], ["tanh", "identity"], seed=run) for _ in range(2))
        expected = alone(network, x, y, optimizer=optimizer(rates[run]), seed=run, **options)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-8, atol=0)
        without = alone(other, x, y, optimizer=optimizer(rates[run]), seed=run, **plain)
        assert abs(expected[-1] / without[-1] - 1) > 1e-3  # so that it makes a difference


@pytest.mark.parametrize("optimizer", [GradientDescent, Adam])
def test_a_schedule_goes_on_for_the_runs_that_are_left(optimizer):
    x, y = datasets.xor()
    rates = np.geomspace(0.02, 0.2, 12)
    networks = [Network.dense([2, 7, 1], ["tanh", "identity"], seed=run) for run in range(12)]
    options = {"loss": "mean_squared_error", "schedule": cosine(400)}
    history = train_ensemble(networks, x, y, optimizer=optimizer(rates), epochs=300, threshold=0.02, **options)
    assert len(set(history.epochs_trained.tolist())) > 3
    for run in range(12):
        network, epochs = Network.dense([2, 7, 1], ["tanh", "identity"], seed=run), history.epochs_trained[run]
        expected = alone(network, x, y, optimizer=optimizer(rates[run]), epochs=epochs, **options)
        np.testing.assert_allclose(history.loss[:epochs, run], expected, rtol=1e-6)


@pytest.mark.parametrize("runs", [1, 5])
@pytest.mark.parametrize("batch_size", [None, 9])
def test_what_is_measured_is_what_the_passes_gave(runs, batch_size):
    x, y = datasets.moons(30, noise=0.1, seed=0)
    networks = [Network.dense([2, 6, 1], "sigmoid", seed=seed) for seed in range(runs)]
    options = {"loss": "mean_squared_error", "batch_size": batch_size}

    def is_wrong(y_hat, y):
        return ((y_hat > 0.5) != (y > 0.5))[:, 0].astype(float)

    history = train_ensemble(
        networks, x, y, optimizer=GradientDescent(3.0), seeds=range(runs), measure=is_wrong, threshold=0.15, epochs=400,
        **options,
    )  # fmt: skip
    network, optimizer = Network.dense([2, 6, 1], "sigmoid", seed=runs - 1), GradientDescent(3.0)
    rng, order = np.random.default_rng(runs - 1), np.arange(30)

    def wrong_in_an_epoch():
        if batch_size:
            rng.shuffle(order)
        wrong = 0
        for rows in [order] if batch_size is None else [order[i : i + 9] for i in range(0, 30, 9)]:
            wrong += ((network.predict(x[rows]) > 0.5) != (y[rows] > 0.5)).sum()
            loss_and_gradients(network, x[rows], y[rows], losses.mean_squared_error)
            update(network, optimizer)
        return wrong

    epoch = next(epoch for epoch in range(400) if wrong_in_an_epoch() / 30 <= 0.15)
    assert history.reached[-1] == epoch > 0
    assert history.epochs_trained[-1] == epoch + 1


def test_activations_may_differ_from_run_to_run():
    x, y = datasets.moons(40, seed=0)
    names = [*ACTIVATIONS, *ACTIVATIONS]
    networks = [Network.dense([2, 6, 1], [name, "identity"], seed=i) for i, name in enumerate(names)]
    history = train_ensemble(networks, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.05), epochs=50)
    for run, name in enumerate(names):
        network = Network.dense([2, 6, 1], [name, "identity"], seed=run)
        expected = alone(network, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.05), epochs=50)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-9, atol=0)


@pytest.mark.parametrize("batch_size", [None, 4])
@pytest.mark.parametrize("width", [4, 150])
def test_data_may_differ_from_run_to_run(batch_size, width):
    sets = [datasets.circles(30, seed=seed) for seed in range(3)]
    x, y = (np.stack(tables, axis=-1) for tables in zip(*sets, strict=True))
    networks = [Network.dense([2, width, 1], "sigmoid", seed=seed) for seed in range(3)]
    options = {"loss": "mean_squared_error", "epochs": 20, "batch_size": batch_size}
    history = train_ensemble(networks, x, y, optimizer=Momentum(0.1), seeds=[7, 8, 9], **options)
    for run in range(3):
        network = Network.dense([2, width, 1], "sigmoid", seed=run)
        expected = alone(network, *sets[run], optimizer=Momentum(0.1), seed=7 + run, **options)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-9, atol=0)


def test_more_runs_than_a_block_holds(monkeypatch):
    x, y = datasets.xor()
    monkeypatch.setattr(ensemble, "_BLOCK", 41 * 8 * 3)
    networks = [Network.dense([2, 10, 1], "sigmoid", seed=seed) for seed in range(8)]
    assert ensemble.runs_in_a_block([2, 10, 1], 4, 4) == 3
    history = train_ensemble(
        networks, x, y, loss="sum_of_squares", optimizer=Adam(np.linspace(0.01, 0.08, 8)), epochs=30
    )
    for run in range(8):
        network = Network.dense([2, 10, 1], "sigmoid", seed=run)
        expected = alone(network, x, y, loss="sum_of_squares", optimizer=Adam(0.01 * (run + 1)), epochs=30)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_arrays_of_a_block_begin_at_a_line_of_the_cache(dtype):
    network = Network.dense([2, 5, 3, 1], "tanh", seed=0, dtype=dtype)
    steps = ensemble._Steps(losses.get("sum_of_squares"), GradientDescent(0.1), 4, (), None, None, None)
    block = ensemble._Block(network, np.ones((48, 37), dtype), np.ones((4, 2), dtype), np.ones((4, 1, 1)), steps, None)
    rooms = [room for layer in block.layers for room in (layer.room_z, layer.room_x)]
    assert [array.ctypes.data % 64 for array in (block.parameters, block.gradients, *rooms)] == [0] * 8
    assert all(array.dtype == dtype and array.flags.c_contiguous for array in rooms)
    assert [room.shape for room in rooms[:2]] == [(4, 5, 48), (4, 2, 48)]


def test_float32_stays_float32():
    x, y = datasets.xor()
    networks = [Network.dense([2, 10, 1], "sigmoid", seed=seed, dtype=np.float32) for seed in range(3)]
    history = train_ensemble(networks, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.5), epochs=30)
    network = Network.dense([2, 10, 1], "sigmoid", seed=1, dtype=np.float32)
    expected = alone(network, x, y, loss="mean_squared_error", optimizer=GradientDescent(0.5), epochs=30)
    assert history.loss.dtype == np.float32
    assert networks[0].parameters.dtype == np.float32
    np.testing.assert_allclose(history.loss[:, 1], expected, rtol=1e-5)


def test_a_run_that_diverges_becomes_nan_alone_and_silently():
    x, y = datasets.xor()
    rates = np.array([0.01, 50.0, 0.01, 1e200])
    networks = [Network.dense([2, 8, 1], "identity", seed=seed) for seed in range(4)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history = train_ensemble(networks, x, y, loss="sum_of_squares", optimizer=GradientDescent(rates), epochs=80)
    assert history.diverged.tolist() == [False, True, False, True]
    for run in range(4):
        network = Network.dense([2, 8, 1], "identity", seed=run)
        expected = alone(network, x, y, loss="sum_of_squares", optimizer=GradientDescent(rates[run]), epochs=80)
        assert history.epochs_trained[run] == (80 if run % 2 == 0 else np.isfinite(expected).sum() + 1)
        np.testing.assert_allclose(history.loss[:, run], expected, rtol=1e-9)


def test_a_run_whose_last_update_overflows_has_diverged_too():
    x, y = datasets.xor()
    networks = [Network.dense([2, 8, 1], "identity", seed=0)]
    history = train_ensemble(networks, x, y, loss="sum_of_squares", optimizer=GradientDescent(1e308), epochs=1)
    assert np.isfinite(history.loss).all()
    assert history.diverged.all()


@pytest.mark.parametrize("optimizer", [GradientDescent(0.2), Momentum(0.03), Adam(0.02)])
@pytest.mark.parametrize(("sizes", "batch_size"), [([2, 7, 1], None), ([2, 7, 1], 3), ([2, 40, 40, 1], None)])
def test_runs_that_stop_early_change_no_other_run_in_any_bit(optimizer, sizes, batch_size, monkeypatch):
    x, y = datasets.xor()
    monkeypatch.setattr(ensemble, "_LOOK_EVERY", 10)

    def trained(stop):
        networks = [Network.dense(sizes, "tanh", seed=seed) for seed in range(37)]
        options = {"loss": "mean_squared_error", "optimizer": optimizer, "epochs": 300, "batch_size": batch_size}
        return networks, train_ensemble(networks, x, y, seeds=range(37), threshold=0.05, stop=stop, **options)

    _, whole = trained(False)
    networks, stopped = trained(True)
    assert (stopped.reached >= 0).sum() > 5
    assert stopped.reached.tolist() == whole.reached.tolist()
    assert len(set(stopped.epochs_trained.tolist())) > 5
    for run in range(37):
        epochs = stopped.epochs_trained[run]
        assert stopped.loss[:epochs, run].tolist() == whole.loss[:epochs, run].tolist()
        reached = np.flatnonzero(whole.loss[:, run] <= 0.05)
        if stopped.reached[run] >= 0:
            assert epochs == reached[0] + 1 == stopped.reached[run] + 1
            assert stopped.last_loss[run] == whole.loss[epochs - 1, run]
        else:
            assert len(reached) == 0
            assert epochs == 300
    run = int(np.argmax(stopped.reached >= 0))
    network = Network.dense(sizes, "tanh", seed=run)
    options = {"loss": "mean_squared_error", "epochs": 300, "batch_size": batch_size, "seed": run}
    stop = [lambda epoch, network, history: history.loss[-1] <= 0.05]
    train(network, x, y, optimizer=type(optimizer)(optimizer.learning_rate), callbacks=stop, **options)
    np.testing.assert_allclose(networks[run].parameters, network.parameters, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("rate", [0.05, 40.0, 1e308])
@pytest.mark.parametrize("batch_size", [None, 3])
@pytest.mark.parametrize("stop", [True, False])
def test_one_run_is_told_of_as_it_is_in_company(rate, batch_size, stop):
    x, y = datasets.xor()

    def trained(seeds):
        networks = [Network.dense([2, 6, 1], ["tanh", "identity"], seed=seed) for seed in seeds]
        options = {"loss": "mean_squared_error", "epochs": 200, "batch_size": batch_size, "record": [0, 7, 150]}
        rates = np.full(len(seeds), rate)
        options |= {"threshold": 0.15, "stop": stop, "seeds": seeds}
        return networks[0], train_ensemble(networks, x, y, optimizer=GradientDescent(rates), **options)

    network, alone = trained([5])
    of_two, company = trained([5, 6])
    assert alone.diverged[0] == (rate > 1)
    for name in ("loss", "last_loss", "epochs_trained", "reached", "diverged"):
        expected = getattr(company, name)[..., :1]
        np.testing.assert_allclose(getattr(alone, name), expected, rtol=1e-7, err_msg=name)
    if rate < 1:
        assert 0 < alone.reached[0] < 199
        np.testing.assert_allclose(network.parameters, of_two.parameters, rtol=1e-7)


def test_dead_runs_are_left_out_without_a_trace(monkeypatch):
    x, y = datasets.xor()

    def trained():
        networks = [Network.dense([2, 3, 1], "relu", seed=seed, initializer="standard_normal") for seed in range(60)]
        options = {"loss": "mean_squared_error", "optimizer": GradientDescent(0.1), "epochs": 400}
        return networks, train_ensemble(networks, x, y, record=range(0, 400, 7), **options)

    networks, history = trained()
    monkeypatch.setattr(ensemble, "_LOOK_EVERY", 1000)
    networks_whole, whole = trained()
    dead = (whole.loss[1] == whole.loss[-1]) & (whole.loss[0] == whole.loss[1])
    assert 3 < dead.sum() < 57
    assert history.loss.tolist() == whole.loss.tolist()
    assert history.last_loss.tolist() == whole.last_loss.tolist()
    assert history.epochs_trained.tolist() == whole.epochs_trained.tolist()
    for one, other in zip(networks, networks_whole, strict=True):
        assert one.parameters.tolist() == other.parameters.tolist()


@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 30), min_size=2, max_size=4),
    st.integers(1, 20),
    st.integers(1, 20),
    st.sampled_from(sorted(ACTIVATIONS)),
)
def test_any_depth_width_and_batch(sizes, n, batch_size, activation):
    x, y = data_for("mean_squared_error", n, sizes[0], sizes[-1])
    networks = [Network.dense(sizes, activation, seed=seed) for seed in (3, 4)]
    options = {"loss": "huber", "epochs": 3, "batch_size": batch_size}
    history = train_ensemble(networks, x, y, optimizer=Nesterov(0.01), seeds=[5, 6], **options)
    network = Network.dense(sizes, activation, seed=4)
    expected = alone(network, x, y, optimizer=Nesterov(0.01), seed=6, **options)
    np.testing.assert_allclose(history.loss[:, 1], expected, rtol=1e-9, atol=1e-14)


def test_only_the_chosen_epochs_are_kept():
    x, y = datasets.xor()
    networks = [Network.dense([2, 3, 1], "tanh", seed=seed) for seed in range(2)]
    options = {"loss": "mean_squared_error", "optimizer": GradientDescent(0.1), "epochs": 20}
    history = train_ensemble(networks, x, y, record=[0, 3, 19], **options)
    expected = alone(Network.dense([2, 3, 1], "tanh", seed=0), x, y, **options)
    np.testing.assert_allclose(history.loss[:, 0], expected[[0, 3, 19]], rtol=1e-12)
    np.testing.assert_allclose(history.last_loss[0], expected[-1], rtol=1e-12)


def test_forward_of_many_is_the_forward_of_each():
    x, y = data_for("cross_entropy_from_logits", 9, 3, 4)
    networks = [Network.dense([3, 5, 4], ["elu", "identity"], seed=seed) for seed in range(3)]
    passed = forward_ensemble(networks[0], np.stack([network.parameters for network in networks]), x)
    values = loss_of_runs(losses.cross_entropy_from_logits, passed[-1][1], y)
    for run, network in enumerate(networks):
        network.forward(x)
        for (z, a), layer in zip(passed, network.dense_layers, strict=True):
            np.testing.assert_allclose(z[..., run], layer.z, rtol=1e-12)
            np.testing.assert_allclose(a[..., run], layer.a, rtol=1e-12)
        expected = losses.cross_entropy_from_logits.value(network.predict(x), y)
        np.testing.assert_allclose(values[run], expected, rtol=1e-12)


def test_bad_input_is_refused():
    x, y = datasets.xor()
    networks = [Network.dense([2, 3, 1], "tanh", seed=seed) for seed in range(2)]
    options = {"loss": losses.sum_of_squares, "optimizer": GradientDescent(0.1), "epochs": 2}
    with pytest.raises(ValueError, match="no networks"):
        train_ensemble([], x, y, **options)
    with pytest.raises(ValueError, match="one size"):
        train_ensemble([*networks, Network.dense([2, 4, 1], "tanh")], x, y, **options)
    with_dropout = Network([*Network.dense([2, 3, 1], "tanh").layers[:1], Dropout(0.5)])
    with pytest.raises(ValueError, match="Dense layers"):
        train_ensemble([with_dropout], x, np.ones((4, 3)), **options)
    with pytest.raises(ValueError, match="3 learning rates for 2"):
        train_ensemble(networks, x, y, loss="huber", optimizer=GradientDescent(np.ones(3)), epochs=1)
    with pytest.raises(ValueError, match="positive"):
        GradientDescent(np.array([0.1, -1.0]))
    with pytest.raises(ValueError, match="1 seeds"):
        train_ensemble(networks, x, y, seeds=[1], **options)
    with pytest.raises(ValueError, match="y of shape"):
        train_ensemble(networks, x, y[:, 0], **options)
    with pytest.raises(ValueError, match="NaN"):
        train_ensemble(networks, x * np.nan, y, **options)
    with pytest.raises(ValueError, match="at least 1"):
        train_ensemble(networks, x, y, loss="huber", optimizer=GradientDescent(1.0), epochs=0)
