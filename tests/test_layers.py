"""Each layer by hand: its gradients against two oracles, its numbers against the plain formula."""

from copy import deepcopy

import numpy as np
import pytest

from byhand import activations, check_gradients, load, one_hot, save
from byhand.gradient_check import GradientMismatch, complex_step_gradient
from byhand.layers import (
    GRU,
    LSTM,
    RNN,
    Attention,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Elementwise,
    Embedding,
    Flatten,
    LayerNorm,
    MaxPool2D,
    PositionalEmbedding,
    PositionalEncoding,
    Softmax,
    TimeDistributed,
    transformer,
)
from byhand.layers.attention import attend, attend_backward
from byhand.network import Network

RNG = np.random.default_rng(0)
IMAGES = RNG.standard_normal((3, 5, 6, 2))
SEQUENCES = RNG.standard_normal((3, 4, 2))
TOKENS = RNG.integers(6, size=(3, 4)).astype(float)
TABLE = RNG.standard_normal((4, 3))

# What stands in a network that learns, and what it takes.
CASES = {
    "conv": ([Conv2D(2, 3, 3, "tanh", seed=0)], IMAGES),
    "conv with stride and padding": ([Conv2D(2, 3, 3, stride=2, padding=1, seed=0)], IMAGES),
    "conv of even size": ([Conv2D(2, 3, 2, "silu", padding=2, stride=3, seed=0)], IMAGES),
    "two convs": ([Conv2D(2, 2, 2, "tanh", seed=0), Conv2D(2, 3, 3, padding=1, seed=1)], IMAGES),
    "relu conv": ([Conv2D(2, 3, 3, "relu", seed=0), Conv2D(3, 2, 1, seed=1)], IMAGES),
    "max pool": ([Conv2D(2, 2, 1, seed=0), MaxPool2D(2)], IMAGES),
    "overlapping max pool": ([Conv2D(2, 2, 1, seed=0), MaxPool2D(3, stride=1)], IMAGES),
    "average pool": ([Conv2D(2, 2, 1, seed=0), AveragePool2D(2)], IMAGES),
    "overlapping average pool": ([Conv2D(2, 2, 1, seed=0), AveragePool2D(3, stride=2)], IMAGES),
    "flatten": ([Conv2D(2, 2, 2, seed=0), Flatten(), Dense(40, 2, seed=1)], IMAGES),
    "batch norm of a table": ([Dense(3, 4, seed=0), BatchNorm(4), Dense(4, 2, seed=1)], TABLE),
    "batch norm of images": ([Conv2D(2, 3, 2, seed=0), BatchNorm(3), Elementwise("tanh")], IMAGES),
    "layer norm": ([LayerNorm(2), RNN(2, 3, seed=0), LayerNorm(3)], SEQUENCES),
    "softmax": ([Dense(3, 4, seed=0), Softmax()], TABLE),
    "embedding": ([Embedding(6, 3, seed=0), TimeDistributed(Dense(3, 2, "tanh", seed=1))], TOKENS),
    "learned positions": ([PositionalEmbedding(9, 2, seed=0), RNN(2, 2, seed=0)], SEQUENCES),
    "positions": ([PositionalEncoding(2), RNN(2, 2, seed=0)], SEQUENCES),
    "rnn": ([RNN(2, 3, seed=0)], SEQUENCES),
    "last of rnn": ([RNN(2, 3, "silu", last=True, seed=0)], SEQUENCES),
    "lstm": ([LSTM(2, 3, seed=0)], SEQUENCES),
    "last of two lstm": ([LSTM(2, 3, seed=0), LSTM(3, 2, last=True, seed=1)], SEQUENCES),
    "gru": ([GRU(2, 3, seed=0)], SEQUENCES),
    "last of two gru": ([GRU(2, 3, seed=0), GRU(3, 2, last=True, seed=1)], SEQUENCES),
    "attention": ([RNN(2, 4, seed=0), Attention(4, 2, seed=1)], SEQUENCES),
    "causal attention": ([RNN(2, 4, seed=0), Attention(4, 1, mask="causal", seed=1)], SEQUENCES),
    "masked attention": ([Attention(2, 2, mask=np.eye(4) + np.eye(4, k=2), seed=1)], SEQUENCES),
    "transformer": (transformer(6, 4, n_heads=2, n_blocks=2, n_hidden=5, dropout=0.2, seed=0), TOKENS),
}


def network(case, dtype=np.float64):
    """With parameters that are nowhere 0 or 1, so that no term can be left out unseen."""
    layers, x = CASES[case]
    made = Network(deepcopy(layers))
    made.parameters += 0.2 * np.random.default_rng(1).standard_normal(made.n_parameters)
    made = made.astype(dtype)
    return made, x, np.random.default_rng(2).standard_normal(made.predict(x).shape)


@pytest.mark.parametrize("case", CASES)
def test_gradients_agree_with_both_oracles(case):
    made, x, y = network(case)
    for method, bound in (("central", 1e-7), ("complex", 1e-11)):
        report = check_gradients(made, x, y, "sum_of_squares", method=method)
        assert report.relative_error < bound
        assert "nan" not in str(report)
        assert not any(comparison.kinks.any() for comparison in report.comparisons)


@pytest.mark.parametrize("case", CASES)
def test_float32_stays_so_and_gives_nearly_the_same(case):
    exact, x, y = network(case)
    single, _, _ = network(case, np.float32)
    assert check_gradients(single, x, y, "sum_of_squares").relative_error < 1e-7  # of its formulas, in float64
    y_hat = single.forward(x.astype(np.float32))
    grad_x = single.backward(y_hat)
    exact.backward(exact.forward(x))
    if not any(isinstance(layer, Dropout) for layer in exact.every_layer):  # which by now has drawn anew
        largest = np.abs(exact.gradients).max()
        np.testing.assert_allclose(single.gradients, exact.gradients, rtol=1e-3, atol=1e-4 * largest)
    assert {y_hat.dtype, grad_x.dtype, single.predict(x).dtype} == {np.dtype(np.float32)}
    np.testing.assert_allclose(single.predict(x), exact.predict(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_use_is_as_training_where_nothing_tells_them_apart(case):
    made, x, _ = network(case)
    apart = [layer for layer in made.every_layer if isinstance(layer, Dropout | BatchNorm)]
    if not apart:
        np.testing.assert_allclose(made.predict(x), made.forward(x), rtol=1e-12)
    grad = np.ones(made.predict(x).shape)
    made.forward(x)
    made.backward(grad)
    whole = made.gradients.copy()
    made.backward_parameters(grad)
    np.testing.assert_array_equal(made.gradients, whole)


@pytest.mark.parametrize("case", CASES)
def test_every_layer_comes_back_from_a_file(case, tmp_path):
    made, x, _ = network(case)
    made.forward(x)  # so that running means have moved
    save(made, tmp_path / "net.npz")
    loaded = load(tmp_path / "net.npz")
    assert repr(loaded) == repr(made)
    np.testing.assert_array_equal(loaded.predict(x), made.predict(x))
    assert str(loaded.summary()) == str(made.summary())


# The plain formulas


def test_a_convolution_is_a_sum_over_each_window():
    conv = Conv2D(2, 3, 3, stride=2, padding=1, seed=0)
    conv.b = [0.1, 0.2, 0.3]
    x = np.pad(IMAGES, [(0, 0), (1, 1), (1, 1), (0, 0)])
    z = conv.forward(IMAGES)
    assert z.shape == (3, 3, 3, 3)
    assert conv.output_shape((5, 6, 2)) == (3, 3, 3)
    for n, i, j, k in np.ndindex(z.shape):
        window = x[n, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
        np.testing.assert_allclose(z[n, i, j, k], (window * conv.W[k]).sum() + conv.b[k])


def test_a_convolution_of_one_window_is_a_dense_layer():
    dense, conv = Dense(60, 4, "tanh", seed=0), Conv2D(2, 4, 5, "tanh", seed=0)
    conv.W = dense.W[:, :50].reshape(4, 5, 5, 2)
    dense = Dense(50, 4, "tanh")
    dense.W = conv.W.reshape(4, -1)
    image = IMAGES[:, :, :5]
    np.testing.assert_allclose(conv.forward(image)[:, 0, 0], dense.forward(image.reshape(3, -1)))
    grad = RNG.standard_normal((3, 4))
    np.testing.assert_allclose(conv.backward(grad[:, None, None]).reshape(3, -1), dense.backward(grad))
    np.testing.assert_allclose(conv.grad_W.reshape(4, -1), dense.grad_W)


def test_pools_by_hand():
    x = np.array([[1, 2, 0, 0], [3, 4, 0, 5]], dtype=float).reshape(1, 2, 4, 1)
    largest, mean = MaxPool2D(2), AveragePool2D(2)
    np.testing.assert_array_equal(largest.forward(x).ravel(), [4, 5])
    np.testing.assert_array_equal(mean.forward(x).ravel(), [2.5, 1.25])
    grad = np.array([8.0, 4.0]).reshape(1, 1, 2, 1)
    np.testing.assert_array_equal(largest.backward(grad)[0, ..., 0], [[0, 0, 0, 0], [0, 8, 0, 4]])
    np.testing.assert_array_equal(mean.backward(grad)[0, ..., 0], [[2, 2, 1, 1], [2, 2, 1, 1]])
    largest.forward(np.ones_like(x))  # of equal ones the first
    np.testing.assert_array_equal(largest.backward(grad)[0, ..., 0], [[8, 0, 4, 0], [0, 0, 0, 0]])


def test_a_batch_norm_in_training_and_in_use():
    norm = BatchNorm(3, momentum=0.5)
    norm.gamma, norm.beta = [1.0, 2.0, 3.0], [0.0, 0.0, 1.0]
    x = 5 + 2 * RNG.standard_normal((50, 4, 3))
    y = norm.forward(x)
    np.testing.assert_allclose(y.mean(axis=(0, 1)), [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 1)), [1, 2, 3], rtol=1e-4)
    np.testing.assert_allclose(norm.running_mean, 0.5 * x.mean(axis=(0, 1)))
    np.testing.assert_allclose(norm.running_variance, 0.5 + 0.5 * x.reshape(-1, 3).var(axis=0, ddof=1))
    one = norm.predict(x[:1])
    np.testing.assert_allclose(one, norm.predict(x)[:1])  # whatever else is in the batch
    for _ in range(60):
        norm.forward(x)
    np.testing.assert_allclose(norm.predict(x), y, rtol=0.01, atol=0.01)
    with pytest.raises(ValueError, match="more than one number a feature"):
        norm.forward(x[:1, 0])


def test_a_layer_norm_standardizes_each_step():
    norm = LayerNorm(5, epsilon=0)
    y = norm.forward(3 + RNG.standard_normal((2, 3, 5)))
    np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axis=-1), 1)


def test_the_jacobian_of_softmax():
    softmax = Softmax()
    z, grad = RNG.standard_normal((2, 3, 4))
    a = softmax.forward(z)
    jacobian = softmax.jacobian()
    for k in range(4):
        np.testing.assert_allclose(
            jacobian[1, k], complex_step_gradient(lambda z, k=k: activations.softmax(z)[k], z[1]), rtol=1e-12
        )
    np.testing.assert_allclose(softmax.backward(grad), np.einsum("nki,nk->ni", jacobian, grad))
    np.testing.assert_allclose(a.sum(axis=1), 1)


def test_an_embedding_is_a_dense_layer_on_one_hot_rows():
    embedding, dense = Embedding(6, 3, seed=0), Dense(6, 3)
    dense.W = embedding.W.T
    rows = one_hot(TOKENS.ravel(), 6)
    np.testing.assert_allclose(embedding.forward(TOKENS).reshape(-1, 3), dense.forward(rows))
    grad = RNG.standard_normal((3, 4, 3))
    embedding.grad_W[...] = 9  # what was there before does not matter
    assert not embedding.backward(grad).any()
    dense.backward(grad.reshape(-1, 3))
    np.testing.assert_allclose(embedding.grad_W, dense.grad_W.T)
    for wrong in (-1, 6):
        with pytest.raises(ValueError, match="tokens go from 0 to 5"):
            embedding.forward(np.array([[float(wrong)]]))


def test_positions_are_waves_by_whose_rotation_one_goes_on():
    encoding = PositionalEncoding(8).encoding(20)
    np.testing.assert_allclose(np.hypot(encoding[:, ::2], encoding[:, 1::2]), 1)
    np.testing.assert_allclose(encoding[:, 0], np.sin(np.arange(20)))
    products = encoding @ encoding.T  # depend on the distance alone
    np.testing.assert_allclose(products[3, 7], products[10, 14])
    assert (products[0, 0] > products[0, 1:]).all()


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_a_recurrent_layer_step_by_step(kind):
    layer = kind(2, 3, seed=0)
    h = layer.forward(SEQUENCES)
    one = kind(2, 3, seed=0)
    np.testing.assert_allclose(one.forward(SEQUENCES[:, :2]), h[:, :2])  # what comes later does not matter
    assert layer.output_shape((4, 2)) == (4, 3)
    only_last = kind(2, 3, last=True, seed=0)
    np.testing.assert_array_equal(only_last.forward(SEQUENCES), h[:, -1])
    assert only_last.output_shape((None, 2)) == (3,)


def test_the_equations_of_the_gates():
    def sigma(z):
        return 1 / (1 + np.exp(-z))

    x = SEQUENCES[:, 0]
    lstm = LSTM(2, 3, seed=0)
    assert (lstm.b[3:6] == 1).all()  # it remembers at first
    h = c = np.zeros((3, 3))
    gru = GRU(2, 3, seed=1)
    gru.b_h = [0.1, 0.2, 0.3]
    s = np.zeros((3, 3))
    for step in range(4):
        x = SEQUENCES[:, step]
        i, f, o, g = np.split(x @ lstm.W.T + h @ lstm.U.T + lstm.b, 4, axis=1)
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        h = sigma(o) * np.tanh(c)
        (zr, zu, zn), (mr, mu, mn) = (np.split(part, 3, axis=1) for part in (x @ gru.W.T + gru.b, s @ gru.U.T))
        u, candidate = sigma(zu + mu), np.tanh(zn + sigma(zr + mr) * (mn + gru.b_h))
        s = (1 - u) * candidate + u * s
        np.testing.assert_allclose(lstm.forward(SEQUENCES)[:, step], h)
        np.testing.assert_allclose(gru.forward(SEQUENCES)[:, step], s)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_truncation_takes_the_state_as_given(kind):
    whole, cut = kind(2, 3, seed=0), kind(2, 3, truncate=2, seed=0)
    grad = np.zeros((3, 4, 3))
    grad[:, -1] = 1
    np.testing.assert_array_equal(whole.forward(SEQUENCES), cut.forward(SEQUENCES))
    grad_whole, grad_cut = whole.backward(grad), cut.backward(grad)
    np.testing.assert_allclose(grad_cut[:, 2:], grad_whole[:, 2:])
    assert not grad_cut[:, :2].any()
    assert grad_whole[:, :2].all()
    with pytest.raises(GradientMismatch):
        check_gradients(Network([cut]), SEQUENCES, grad, "sum_of_squares")


def test_attention_by_its_formula_and_what_a_mask_hides():
    q, k, v = RNG.standard_normal((3, 2, 5, 4))
    output, weights = attend(q, k, v)
    scores = np.exp(np.einsum("ntd,nsd->nts", q, k) / 2)
    np.testing.assert_allclose(weights, scores / scores.sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(output, weights @ v)
    mask = np.tri(5, dtype=bool)
    output, weights = attend(q, k, v, mask)
    assert not weights[:, ~mask].any()
    np.testing.assert_allclose(weights.sum(axis=-1), 1)
    grad = RNG.standard_normal(output.shape)
    for position, written in enumerate(attend_backward(grad, q, k, v, weights)):

        def f(value, position=position):
            given = [q, k, v]
            given[position] = value
            return (grad * attend(*given, mask)[0]).sum()

        np.testing.assert_allclose(written, complex_step_gradient(f, [q, k, v][position]), rtol=1e-10, atol=1e-12)


def test_causal_attention_does_not_look_ahead_and_any_attention_does_not_see_order():
    causal, free = Attention(2, mask="causal", seed=0), Attention(2, seed=0)
    changed = SEQUENCES.copy()
    changed[:, 3] += 1
    np.testing.assert_array_equal(causal.forward(changed)[:, :3], causal.forward(SEQUENCES)[:, :3])
    order = [2, 0, 3, 1]
    np.testing.assert_allclose(free.forward(SEQUENCES[:, order]), free.forward(SEQUENCES)[:, order])


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (lambda: Network([Conv2D(3, 2, 3)]).predict(IMAGES), r"takes \(n, any, any, 3\)"),
        (lambda: Network([Conv2D(2, 2, 7)]).predict(IMAGES), r"windows of 7 × 7, and 5 \+ 2 · 0 is less"),
        (lambda: Network([Dense(4, 2), Conv2D(2, 2, 1)]), r"gives 2 numbers, but Conv2D\(2, 2, 1\) takes images"),
        (lambda: Network([Dense(4, 2), LSTM(2, 2)]), r"takes sequences of shape \(steps, 2\)"),
        (lambda: Network([Dense(4, 2), Attention(2)]), r"takes sequences of shape \(steps, 2\)"),
        (lambda: Network([Dense(4, 2), BatchNorm(3)]), "takes 3 features on the last axis"),
        (lambda: Network([PositionalEmbedding(3, 2)]).predict(SEQUENCES), "knows 3 positions"),
        (lambda: Network([Attention(2, mask=np.eye(3))]).predict(SEQUENCES), "mask for 3 steps"),
        (lambda: Network([Conv2D(2, 1, 1), Flatten(), Dense(3, 1)]).predict(IMAGES), "gives 30 numbers, but Dense"),
        (lambda: Attention(5, 2), "2 heads don't divide 5 features"),
        (lambda: Attention(4, mask="future"), "unknown mask"),
        (lambda: BatchNorm(3, momentum=0), "momentum is above 0"),
        (lambda: Conv2D(1, 1, 3, stride=0), "stride is a whole number"),
        (lambda: MaxPool2D(2.0), "size is a whole number"),
        (lambda: LSTM(2, 2, truncate=0), "truncate is a whole number"),
    ],
)
def test_mistakes_are_named(mistake, message):
    with pytest.raises(ValueError, match=message):
        mistake()
