"""How long a step of training takes beside PyTorch, and beside its matrix products alone; and how much memory it takes.

A digits convnet, a character LSTM and a two-block transformer, in float32, forward, loss, backward and Adam. One thread
each, processor time, every contestant in a process of its own and in turn: so a busy machine changes little.

    python benchmarks/bench_layers.py [--rounds 5] [--out build]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np

ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
STEPS = 30
N, T, SYMBOLS, HIDDEN, FEATURES, HEADS = 32, 64, 60, 128, 64, 4
RNG = np.random.default_rng(0)


def one_hot(labels, n_classes):
    """Rows of 0 and one 1, in float32."""
    return np.eye(n_classes, dtype=np.float32)[labels]


def images():
    """A batch of digits: images and one-hot rows."""
    from byhand import datasets

    x, y = datasets.digits(images=True)
    return x[:N].astype(np.float32), y[:N].astype(np.float32)


def tokens(length):
    """A batch of sequences of symbols, and what comes next."""
    drawn = RNG.integers(SYMBOLS, size=(N, length + 1))
    return drawn[:, :-1].astype(np.float32), one_hot(drawn[:, 1:], SYMBOLS)


DATA = {"convnet": images, "lstm": lambda: tokens(T), "transformer": lambda: tokens(T // 2)}
WORK = {
    "convnet": f"digits convnet, 1-16-32 channels with batch norm, batch {N}",
    "lstm": f"character LSTM, {HIDDEN} hidden, {T} steps, batch {N}",
    "transformer": f"transformer, 2 blocks, {FEATURES} features, {HEADS} heads, {T // 2} steps, batch {N}",
}


def ours(work):
    """The network."""
    from byhand import Dense, Network
    from byhand.layers import (
        LSTM,
        BatchNorm,
        Conv2D,
        Elementwise,
        Embedding,
        Flatten,
        MaxPool2D,
        TimeDistributed,
        transformer,
    )

    if work == "convnet":
        convolutions = [
            part
            for n_in, n_out in ((1, 16), (16, 32))
            for part in (Conv2D(n_in, n_out, 3, padding=1), BatchNorm(n_out), Elementwise("relu"), MaxPool2D(2))
        ]
        layers = [*convolutions, Flatten(), Dense(128, 10)]
    elif work == "lstm":
        layers = [Embedding(SYMBOLS, 32), LSTM(32, HIDDEN), TimeDistributed(Dense(HIDDEN, SYMBOLS))]
    else:
        layers = transformer(SYMBOLS, FEATURES, n_heads=HEADS, n_blocks=2)
    return Network(layers).astype(np.float32)


def with_byhand(work):
    """Seconds a step; and the largest memory in a step, in multiples of the activations."""
    from byhand import losses
    from byhand.optimizers import Adam
    from byhand.training import loss_and_gradients, update

    network, (x, y) = ours(work), DATA[work]()
    loss, optimizer = losses.get("cross_entropy_from_logits"), Adam()

    def step():
        loss_and_gradients(network, x, y, loss)
        update(network, optimizer)

    seconds = timed(step)
    activations = sum(a.nbytes for layer in network.layers for a in of_each(layer, x_of(network, layer, x)))
    for layer in network.every_layer:  # as at the start: nothing is kept of the last step
        for name in layer.passing:
            vars(layer).pop(name, None)
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return seconds, peak / activations


def x_of(network, layer, x):
    """What comes to a layer of the network."""
    for before in network.layers[: network.layers.index(layer)]:
        x = before.predict(x)
    return x


def of_each(layer, x):
    """The outputs of a layer and of those within it, and inside a recurrent or attention layer what it must know."""
    from byhand.layers import LSTM, Attention, Residual, TimeDistributed

    if isinstance(layer, Residual | TimeDistributed):
        rows = x if isinstance(layer, Residual) else x.reshape(-1, x.shape[-1])
        for inner in layer.layers:
            yield from of_each(inner, rows)
            rows = inner.predict(rows)
        if isinstance(layer, Residual):
            yield layer.predict(x)
        return
    output = layer.forward(x)
    if isinstance(layer, LSTM):
        yield from (layer.gates, layer.c)
    if isinstance(layer, Attention):
        yield from (layer.q, layer.k, layer.v, layer.A, layer.mixed)
    if getattr(layer, "activation", None) is not None:
        yield layer.z
    yield output


def with_pytorch(work):
    """Seconds a step, eager."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    x, y = DATA[work]()
    model = theirs(torch, nn, work)
    x = torch.tensor(x).permute(0, 3, 1, 2).contiguous() if work == "convnet" else torch.tensor(x).long()
    labels = torch.tensor(y.argmax(axis=-1)).ravel()
    loss_function, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())

    def step():
        optimizer.zero_grad()
        y_hat = model(x)
        loss = loss_function(y_hat.reshape(-1, y_hat.shape[-1]), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return timed(step), None


def theirs(torch, nn, work):
    """The same network."""
    if work == "convnet":
        convolutions = [
            part
            for n_in, n_out in ((1, 16), (16, 32))
            for part in (nn.Conv2d(n_in, n_out, 3, padding=1), nn.BatchNorm2d(n_out), nn.ReLU(), nn.MaxPool2d(2))
        ]
        return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(128, 10))
    if work == "lstm":

        class CharacterLSTM(nn.Module):
            def __init__(self):
                super().__init__()
                self.embedding, self.lstm = nn.Embedding(SYMBOLS, 32), nn.LSTM(32, HIDDEN, batch_first=True)
                self.out = nn.Linear(HIDDEN, SYMBOLS)

            def forward(self, x):
                return self.out(self.lstm(self.embedding(x))[0])

        return CharacterLSTM()

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.LayerNorm(FEATURES), nn.LayerNorm(FEATURES)
            self.qkv, self.out = nn.Linear(FEATURES, 3 * FEATURES), nn.Linear(FEATURES, FEATURES)
            self.wide, self.back = nn.Linear(FEATURES, 4 * FEATURES), nn.Linear(4 * FEATURES, FEATURES)

        def forward(self, x):
            n, steps, _ = x.shape
            q, k, v = self.qkv(self.first(x)).reshape(n, steps, 3 * HEADS, -1).transpose(1, 2).chunk(3, dim=1)
            looked = nn.functional.scaled_dot_product_attention(q, k, v)
            x = x + self.out(looked.transpose(1, 2).reshape(x.shape))
            return x + self.back(nn.functional.gelu(self.wide(self.second(x)), approximate="tanh"))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            from byhand.layers import PositionalEncoding

            self.positions = torch.tensor(PositionalEncoding(FEATURES).encoding(T // 2), dtype=torch.float32)
            self.embedding, self.blocks = nn.Embedding(SYMBOLS, FEATURES), nn.Sequential(Block(), Block())
            self.norm, self.out = nn.LayerNorm(FEATURES), nn.Linear(FEATURES, SYMBOLS)

        def forward(self, x):
            return self.out(self.norm(self.blocks(self.embedding(x) + self.positions)))

    return Transformer()


# Products of forward (rows, inputs, outputs), how often, and whether the gradient goes on to the input.
ROWS = N * T // 2
PRODUCTS = {
    "convnet": [(N * 64, 9, 16, 1, False), (N * 16, 144, 32, 1, True), (N, 128, 10, 1, True)],
    "lstm": [(N * T, 32, 4 * HIDDEN, 1, True), (N * T, HIDDEN, SYMBOLS, 1, True)],
    "transformer": [
        (ROWS, FEATURES, 3 * FEATURES, 2, True),
        (ROWS, FEATURES, FEATURES, 2, True),
        (ROWS, FEATURES, 4 * FEATURES, 2, True),
        (ROWS, 4 * FEATURES, FEATURES, 2, True),
        (ROWS, FEATURES, SYMBOLS, 1, True),
    ],
}


def with_products(work):
    """Seconds for nothing but the matrix products of a step."""
    draw = lambda *shape: RNG.standard_normal(shape).astype(np.float32)  # noqa: E731
    jobs = []
    for rows, n_in, n_out, count, goes_on in PRODUCTS[work]:
        x, W, delta = draw(rows, n_in), draw(n_out, n_in), draw(rows, n_out)
        jobs += [(x, W.T), (delta.T, x), *([(delta, W)] if goes_on else [])] * count
    if work == "lstm":
        h, U, delta = draw(N, HIDDEN), draw(4 * HIDDEN, HIDDEN), draw(N, 4 * HIDDEN)
        jobs += [(h, U.T), (delta, U)] * T + [(draw(4 * HIDDEN, N * T), draw(N * T, HIDDEN))]
    if work == "transformer":
        q, A = draw(N, HEADS, T // 2, FEATURES // HEADS), draw(N, HEADS, T // 2, T // 2)
        jobs += [(q, q.swapaxes(-1, -2)), (A, q)] * 6  # for each block two products forward and four backward

    def step():
        for a, b in jobs:
            a @ b

    return timed(step), None


def timed(step):
    """Processor time a step, the least of several rounds after one to warm up."""
    times = []
    for _ in range(6):
        start = time.process_time()
        for _ in range(STEPS):
            step()
        times.append((time.process_time() - start) / STEPS)
    return min(times[1:])


CONTESTANTS = {"byhand": with_byhand, "pytorch": with_pytorch, "products": with_products}


def measure(work, contestant):
    """One contestant in a process of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"} | ALONE
    command = [sys.executable, __file__, "--one", work, contestant]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


def table(measured):
    """As Markdown."""
    lines = [
        "| work | byhand | PyTorch | ratio (range) | goal | products alone | ratio | goal | memory in activations | |",
        "|---|--:|--:|--:|---|--:|--:|---|--:|---|",
    ]
    for work, rounds in measured.items():
        times = {name: [one[name][0] for one in rounds] for name in CONTESTANTS}
        middle = {name: statistics.median(values) for name, values in times.items()}
        against = [a / b for a, b in zip(times["byhand"], times["pytorch"], strict=True)]
        ratio = statistics.median(against)
        alone = statistics.median(a / b for a, b in zip(times["byhand"], times["products"], strict=True))
        memory = rounds[0]["byhand"][1]

        def said(value, goal):
            return f"≤ {goal} {'met' if value <= goal else '**missed**'}"

        lines.append(
            f"| {WORK[work]} | {1e3 * middle['byhand']:.2f} ms | {1e3 * middle['pytorch']:.2f} ms "
            f"| **{ratio:.2f}** ({min(against):.2f} to {max(against):.2f}) | {said(ratio, 1)} "
            f"| {1e3 * middle['products']:.2f} ms | **{alone:.2f}** | {said(alone, 2)} "
            f"| {memory:.1f} | {said(memory, 3)} |"
        )
    return "\n".join(lines)


def main():
    """Measure, print the table, and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("build"))
    parser.add_argument("--one", nargs=2, metavar=("WORK", "CONTESTANT"))
    arguments = parser.parse_args()
    if arguments.one:
        work, contestant = arguments.one
        print(json.dumps(CONTESTANTS[contestant](work)))
        return
    measured = {work: [] for work in WORK}
    for _ in range(arguments.rounds):
        for work, rounds in measured.items():
            rounds.append({contestant: measure(work, contestant) for contestant in CONTESTANTS})
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "bench_layers.md").write_text(table(measured) + "\n", encoding="utf-8")
    print(table(measured))


if __name__ == "__main__":
    main()
