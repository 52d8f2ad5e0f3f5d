"""One contestant, one piece of work, one process: prints its seconds, its peak memory and a result to compare.

Run by `python -m benchmarks`; by hand: `python benchmarks/contestants.py digits byhand`.
"""

import json
import resource
import sys
import time

import numpy as np

N_THREADS = 2


def now():
    """This moment, by the clock and by the processor."""
    return np.array([time.perf_counter(), time.process_time()])


def peak_memory():
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in KiB


def xor_byhand():
    """The 2-10-1 network through the public API."""
    from byhand import GradientDescent, Network, datasets, train

    x, y = datasets.xor()
    network = Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=0)
    start = now()
    history = train(network, x, y, loss="sum_of_squares", optimizer=GradientDescent(0.5), epochs=10_000)
    return now() - start, peak_memory(), history.loss[-1]


def xor_numpy():
    """The same as a bare script, as one would write it without a library."""
    x, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
    rng = np.random.default_rng(0)
    W1, b1 = rng.standard_normal((10, 2)), np.zeros(10)
    W2, b2 = rng.standard_normal((1, 10)), np.zeros(1)
    losses = []
    start = now()
    for _ in range(10_000):
        hidden = 1 / (1 + np.exp(-(x @ W1.T + b1)))
        y_hat = 1 / (1 + np.exp(-(hidden @ W2.T + b2)))
        error = y_hat - y
        losses.append((error**2).sum())
        delta2 = 2 * error * y_hat * (1 - y_hat)
        delta1 = delta2 @ W2 * hidden * (1 - hidden)
        W2 -= 0.5 * delta2.T @ hidden
        b2 -= 0.5 * delta2.sum(axis=0)
        W1 -= 0.5 * delta1.T @ x
        b1 -= 0.5 * delta1.sum(axis=0)
    return now() - start, peak_memory(), losses[-1]


def xor_pytorch():
    """The same with PyTorch, eager, float64."""
    import torch

    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(N_THREADS)
    x, y = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]]), torch.tensor([[0.0], [1], [1], [0]])
    model = torch.nn.Sequential(torch.nn.Linear(2, 10), torch.nn.Sigmoid(), torch.nn.Linear(10, 1), torch.nn.Sigmoid())
    rng = np.random.default_rng(0)
    model[0].weight.data, model[0].bias.data = torch.tensor(rng.standard_normal((10, 2))), torch.zeros(10)
    model[2].weight.data, model[2].bias.data = torch.tensor(rng.standard_normal((1, 10))), torch.zeros(1)
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    losses = []
    start = now()
    for _ in range(10_000):
        optimizer.zero_grad()
        loss = ((model(x) - y) ** 2).sum()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return now() - start, peak_memory(), losses[-1]


def digits_data():
    """All 1,797 digits: features and labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return data.data / 16, data.target


def large_data():
    """20,000 points of 784 features in 10 classes, each a noisy copy of one of 30 random patterns."""
    rng = np.random.default_rng(0)
    patterns, kind = rng.random((30, 784)), rng.integers(30, size=22_000)
    x = rng.standard_normal((22_000, 784))
    x *= 1.2
    for row, one in zip(x, kind, strict=True):  # in place: making the data must not be the peak of memory
        row += patterns[one]
    return x, kind % 10


WORK = {
    "digits": {"data": digits_data, "n_train": 1500, "hidden": 64, "batch_size": 32, "epochs": 20},
    "large": {"data": large_data, "n_train": 20_000, "hidden": 256, "batch_size": 200, "epochs": 3},
}
WORK["floor"] = WORK["large"]
WORK["floor32"] = WORK["large"] | {"data": lambda: (large_data()[0].astype(np.float32), large_data()[1])}


def fit(model, work):
    """Seconds and memory to fit a classifier of scikit-learn's kind; its accuracy on what it has not seen."""
    x, y = work["data"]()
    n = work["n_train"]
    start = now()
    model.fit(x[:n], y[:n])
    return now() - start, peak_memory(), model.score(x[n:], y[n:])


def options(work):
    """What both estimators call alike: Adam with its usual settings, and no early end."""
    return {
        "hidden_layer_sizes": (work["hidden"],),
        "batch_size": work["batch_size"],
        "max_iter": work["epochs"],
        "n_iter_no_change": work["epochs"] + 1,
        "random_state": 0,
    }


def with_byhand(work):
    """Our estimator, as anyone would call it."""
    from byhand import ByHandClassifier

    return fit(ByHandClassifier(**options(work)), work)


def with_sklearn(work):
    """scikit-learn's own."""
    from sklearn.neural_network import MLPClassifier

    return fit(MLPClassifier(**options(work)), work)


def with_pytorch(work):
    """PyTorch, eager, float32 as is usual there, with batches cut from a shuffled tensor."""
    import torch

    torch.set_num_threads(N_THREADS)
    torch.manual_seed(0)
    x, y = work["data"]()
    n = work["n_train"]
    x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
    start = now()
    model = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], work["hidden"]), torch.nn.ReLU(), torch.nn.Linear(work["hidden"], 10)
    )
    loss_function, optimizer = torch.nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())
    for _ in range(work["epochs"]):
        for batch in torch.randperm(n).split(work["batch_size"]):
            optimizer.zero_grad()
            loss = loss_function(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
    seconds, peak = now() - start, peak_memory()
    with torch.no_grad():
        return seconds, peak, (model(x[n:]).argmax(dim=1) == y[n:]).double().mean().item()


def with_products(work, optimizer=None):
    """Nothing but the matrix products of the same training: what no library that multiplies with NumPy can go below.

    With an optimizer its steps on as many parameters, too.
    """
    x, _ = work["data"]()
    n, size = work["n_train"], work["batch_size"]
    W1 = np.full((work["hidden"], x.shape[1]), 0.01, x.dtype)
    W2 = np.full((10, work["hidden"]), 0.01, x.dtype)
    grad_W1, grad_W2 = np.empty_like(W1), np.empty_like(W2)
    parameters, gradients = np.random.default_rng(0).standard_normal((2, W1.size + W2.size)).astype(x.dtype)
    start = now()
    for _ in range(work["epochs"]):
        for first in range(0, n, size):
            batch = x[first : first + size]
            hidden = batch @ W1.T
            delta2 = hidden @ W2.T
            np.matmul(delta2.T, hidden, out=grad_W2)
            delta1 = delta2 @ W2
            np.matmul(delta1.T, batch, out=grad_W1)
            if optimizer is not None:
                optimizer.step(parameters, gradients)
    return now() - start, peak_memory(), None


def byhand_adam():
    """Our optimizer."""
    from byhand import Adam

    return Adam()


CONTESTS = {
    "xor": {"byhand": xor_byhand, "numpy": xor_numpy, "pytorch": xor_pytorch},
    **{
        name: {
            "byhand": lambda work=work: with_byhand(work),
            "scikit-learn": lambda work=work: with_sklearn(work),
            "pytorch": lambda work=work: with_pytorch(work),
            "products": lambda work=work: with_products(work),
            "products and Adam": lambda work=work: with_products(work, byhand_adam()),
        }
        for name, work in WORK.items()
    },
}

if __name__ == "__main__":
    contest, contestant = sys.argv[1:]
    (seconds, cpu_seconds), peak, result = CONTESTS[contest][contestant]()
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "peak_MiB": peak, "result": result}))
