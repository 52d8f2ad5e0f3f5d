"""Many small networks at once: microseconds per network and epoch, beside JAX, a C loop and PyTorch.

    pip install -e ".[bench]"    # with JAX and PyTorch
    python benchmarks/bench_study.py [--rounds 3] [--seeds 20000] [--json FILE]

Every contestant runs in a process of its own on one core, in turn, round after round, and its processor time counts,
since machines are busy; a ratio is the median over the rounds of ours divided by theirs in that round. JAX and PyTorch
take part if they are installed, the C loop if there is a compiler. The last lines are whole studies of growing size,
from start to statistics: by the clock on the wall, with the memory of the largest process and, on Linux, of all of them
together.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

RUNS = 1024
XOR_EPOCHS = 1000
DIGITS_EPOCHS = 3

C_LOOP = r"""
#include <math.h>
#include <stdlib.h>
/* 2-10-1, sigmoid, sum of squares, full batch: runs on the last axis, eight (or sixteen) of them in a register. */
#define LANES (64 / sizeof(real))
#define H 10
#define EACH_LANE _Pragma("omp simd") for (int r = 0; r < LANES; r++)
static inline real sigmoid(real z) { return (real)1 / ((real)1 + EXP(-z)); }
void train(real *W1, real *b1, real *W2, real *b2, real *loss, long runs, long epochs, real rate) {
  static const real X[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, Y[4] = {0, 1, 1, 0};
  for (long start = 0; start < runs; start += LANES) {
    real w1[H][2][LANES], c1[H][LANES], w2[H][LANES], c2[LANES], total[LANES];
    for (int r = 0; r < (int)LANES; r++) {
      for (int j = 0; j < H; j++) {
        w1[j][0][r] = W1[2 * j * runs + start + r]; w1[j][1][r] = W1[(2 * j + 1) * runs + start + r];
        c1[j][r] = b1[j * runs + start + r]; w2[j][r] = W2[j * runs + start + r];
      }
      c2[r] = b2[start + r];
    }
    for (long epoch = 0; epoch < epochs; epoch++) {
      real g1[H][2][LANES] = {0}, gb[H][LANES] = {0}, g2[H][LANES] = {0}, h2[LANES] = {0};
      EACH_LANE total[r] = 0;
      for (int s = 0; s < 4; s++) {
        real a[H][LANES], z[LANES], d[LANES];
        EACH_LANE z[r] = c2[r];
        for (int j = 0; j < H; j++)
          EACH_LANE {
            a[j][r] = sigmoid(w1[j][0][r] * X[s][0] + w1[j][1][r] * X[s][1] + c1[j][r]);
            z[r] += a[j][r] * w2[j][r];
          }
        EACH_LANE {
          real y = sigmoid(z[r]), e = y - Y[s];
          total[r] += e * e; d[r] = 2 * e * y * (1 - y); h2[r] += d[r];
        }
        for (int j = 0; j < H; j++)
          EACH_LANE {
            real dz = d[r] * w2[j][r] * a[j][r] * (1 - a[j][r]);
            g2[j][r] += d[r] * a[j][r]; g1[j][0][r] += dz * X[s][0]; g1[j][1][r] += dz * X[s][1]; gb[j][r] += dz;
          }
      }
      for (int j = 0; j < H; j++)
        EACH_LANE {
          w1[j][0][r] -= rate * g1[j][0][r]; w1[j][1][r] -= rate * g1[j][1][r];
          c1[j][r] -= rate * gb[j][r]; w2[j][r] -= rate * g2[j][r];
        }
      EACH_LANE c2[r] -= rate * h2[r];
    }
    for (int r = 0; r < (int)LANES; r++) {
      for (int j = 0; j < H; j++) {
        W1[2 * j * runs + start + r] = w1[j][0][r]; W1[(2 * j + 1) * runs + start + r] = w1[j][1][r];
        b1[j * runs + start + r] = c1[j][r]; W2[j * runs + start + r] = w2[j][r];
      }
      b2[start + r] = c2[r]; loss[start + r] = total[r];
    }
  }
}
"""


def xor_networks(dtype, runs=RUNS):
    from byhand import Network

    return [
        Network.dense([2, 10, 1], "sigmoid", initializer="standard_normal", seed=seed, dtype=dtype)
        for seed in range(runs)
    ]


def xor_byhand(dtype):
    from byhand import GradientDescent, datasets
    from byhand.study import train_ensemble

    options = {"loss": "sum_of_squares", "optimizer": GradientDescent(0.5)}
    train_ensemble(xor_networks(dtype, 64), *datasets.xor(), epochs=20, **options)
    networks = xor_networks(dtype)
    start = time.process_time()
    history = train_ensemble(networks, *datasets.xor(), epochs=XOR_EPOCHS, record=[XOR_EPOCHS - 1], **options)
    return (time.process_time() - start) / RUNS / XOR_EPOCHS, history.last_loss.mean()


def xor_jax(dtype):
    import jax

    jax.config.update("jax_enable_x64", dtype == "float64")
    import jax.numpy as jnp

    from byhand import datasets

    x, y = (jnp.asarray(table, dtype) for table in datasets.xor())
    networks = xor_networks(dtype)
    weights = [
        tuple(jnp.asarray(np.stack([getattr(network.layers[k], name) for network in networks])) for name in ("W", "b"))
        for k in (0, 1)
    ]

    def loss(parameters):
        a = x
        for W, b in parameters:
            a = jax.nn.sigmoid(a @ W.T + b)
        return ((a - y) ** 2).sum()

    def step(parameters, _):
        value, gradient = jax.value_and_grad(loss)(parameters)
        return jax.tree.map(lambda p, g: p - jnp.asarray(0.5, dtype) * g, parameters, gradient), value

    def trained(parameters):
        return jax.lax.scan(step, parameters, None, length=XOR_EPOCHS)[1][-1]

    together = jax.jit(jax.vmap(trained))
    together(weights).block_until_ready()
    start = time.process_time()
    values = together(weights).block_until_ready()
    return (time.process_time() - start) / RUNS / XOR_EPOCHS, values.mean()


def xor_c(dtype):
    import ctypes

    real, exp = ("double", "exp") if dtype == "float64" else ("float", "expf")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "loop.c"
        source.write_text(f"typedef {real} real;\n#define EXP {exp}\n" + C_LOOP)
        library = source.with_suffix(".so")
        flags = [
            "-O2",
            "-ftree-vectorize",
            "-fopenmp-simd",
            "-march=native",
            "-mprefer-vector-width=512",
            "-ffast-math",
        ]
        flags += ["-shared", "-fPIC"]
        subprocess.run(["cc", *flags, str(source), "-o", str(library), "-lmvec", "-lm"], check=True)
        train = ctypes.CDLL(str(library)).train
    networks = xor_networks(dtype)
    first, last = ([network.layers[k] for network in networks] for k in (0, 1))
    arrays = [
        np.ascontiguousarray(np.stack([layer.W for layer in first], axis=-1)),
        np.ascontiguousarray(np.stack([layer.b for layer in first], axis=-1)),
        np.ascontiguousarray(np.stack([layer.W[0] for layer in last], axis=-1)),
        np.ascontiguousarray(np.stack([layer.b for layer in last], axis=-1)),
        np.zeros(RUNS, dtype),
    ]
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in arrays]
    number = ctypes.c_double if dtype == "float64" else ctypes.c_float
    start = time.process_time()
    train(*pointers, ctypes.c_long(RUNS), ctypes.c_long(XOR_EPOCHS), number(0.5))
    return (time.process_time() - start) / RUNS / XOR_EPOCHS, arrays[-1].mean()


def xor_pytorch(dtype):
    """Eager, one network at a time: a few of them are enough to know."""
    import torch

    torch.set_num_threads(1)
    from byhand import datasets

    kind = getattr(torch, dtype)
    x, y = (torch.tensor(table, dtype=kind) for table in datasets.xor())
    epochs = 300
    for timed in (False, True):
        start, values = time.process_time(), []
        for network in xor_networks(dtype, 3):
            model = torch.nn.Sequential(
                torch.nn.Linear(2, 10), torch.nn.Sigmoid(), torch.nn.Linear(10, 1), torch.nn.Sigmoid()
            ).to(kind)
            with torch.no_grad():
                for k in (0, 1):
                    model[2 * k].weight.copy_(torch.tensor(network.layers[k].W))
                    model[2 * k].bias.copy_(torch.tensor(network.layers[k].b))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
            for _ in range(epochs if timed else 20):
                optimizer.zero_grad()
                value = ((model(x) - y) ** 2).sum()
                value.backward()
                optimizer.step()
            values.append(value.item())
        seconds = time.process_time() - start
    return seconds / 3 / epochs, np.mean(values)


def digits_data():
    from byhand import datasets

    return datasets.digits()


def digits_networks(runs):
    from byhand import Network

    return [
        Network.dense([64, 64, 10], ["relu", "identity"], initializer="he_normal", seed=seed) for seed in range(runs)
    ]


def digits_byhand(runs):
    from byhand.optimizers import Adam
    from byhand.study import train_ensemble

    x, y = digits_data()
    options = {"loss": "cross_entropy_from_logits", "batch_size": 32, "seeds": range(int(runs))}
    networks = digits_networks(int(runs))
    start = time.process_time()
    history = train_ensemble(networks, x, y, optimizer=Adam(), epochs=DIGITS_EPOCHS, **options)
    return (time.process_time() - start) / int(runs) / DIGITS_EPOCHS, history.last_loss.mean()


def digits_alone(runs):
    from byhand import train
    from byhand.optimizers import Adam

    x, y = digits_data()
    networks, values = digits_networks(int(runs)), []
    start = time.process_time()
    for seed, network in enumerate(networks):
        history = train(
            network,
            x,
            y,
            loss="cross_entropy_from_logits",
            optimizer=Adam(),
            epochs=DIGITS_EPOCHS,
            batch_size=32,
            seed=seed,
        )
        values.append(history.loss[-1])
    return (time.process_time() - start) / int(runs) / DIGITS_EPOCHS, np.mean(values)


def digits_jax(runs):
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    x, y = (jnp.asarray(table) for table in digits_data())
    n, batch = len(x), 32
    networks = digits_networks(int(runs))
    weights = [
        tuple(jnp.asarray(np.stack([getattr(network.layers[k], name) for network in networks])) for name in ("W", "b"))
        for k in (0, 1)
    ]
    steps = n // batch  # JAX wants batches of one size: the last 5 samples of an epoch are left out

    def loss(parameters, rows):
        (W1, b1), (W2, b2) = parameters
        z = jax.nn.relu(x[rows] @ W1.T + b1) @ W2.T + b2
        return -(y[rows] * jax.nn.log_softmax(z)).sum() / batch

    def step(state, rows):
        parameters, mean, square, t = state
        value, gradient = jax.value_and_grad(loss)(parameters, rows)
        mean = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, mean, gradient)
        square = jax.tree.map(lambda s, g: 0.999 * s + 0.001 * g * g, square, gradient)
        rate = 0.001 / (1 - 0.9**t)
        parameters = jax.tree.map(
            lambda p, m, s: p - rate * m / (jnp.sqrt(s / (1 - 0.999**t)) + 1e-8), parameters, mean, square
        )
        return (parameters, mean, square, t + 1), value

    def trained(parameters, order):
        zeros = jax.tree.map(jnp.zeros_like, parameters)
        return jax.lax.scan(step, (parameters, zeros, zeros, 1.0), order)[1][-steps:].mean()

    rngs = [np.random.default_rng(seed) for seed in range(int(runs))]
    order = jnp.asarray(
        np.stack([
            np.concatenate([rng.permutation(n)[: steps * batch].reshape(steps, batch) for _ in range(DIGITS_EPOCHS)])
            for rng in rngs
        ])
    )  # fmt: skip
    together = jax.jit(jax.vmap(trained))
    together(weights, order).block_until_ready()
    start = time.process_time()
    values = together(weights, order).block_until_ready()
    return (time.process_time() - start) / int(runs) / DIGITS_EPOCHS, values.mean()


def measure(contestant, option, pinned=True):
    """Run a contestant in a process of its own, on one core if pinned; what it says, or None where it cannot run."""
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_CORETYPE"}
    environment |= dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    words = [sys.executable, __file__, "--contestant", contestant, option]
    words = ["taskset", "-c", "0", *words] if pinned and shutil.which("taskset") else words
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"{contestant} takes no part: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def contest(rounds, names, option, goals):
    """Rows of a table: the median time of each contestant, and the median ratio of ours to it with its goal."""
    times = {name: [] for name in names}
    for _ in range(rounds):
        for name in list(times):
            found = measure(name, option)
            if found is None:
                times.pop(name)
            else:
                times[name].append(found["seconds"])
    ours = times[names[0]]
    rows = []
    for name, seconds in times.items():
        ratio = statistics.median(a / b for a, b in zip(ours, seconds, strict=True))
        rows.append(
            {"work": name.split("_")[0], "option": option, "contestant": name.split("_")[1],
             "microseconds": 1e6 * statistics.median(seconds), "ratio": ratio, "goal": goals.get(name)}
        )  # fmt: skip
    return rows


def with_descendants(pid):
    """This process and all that it started."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [process for child in children.read_text().split() for process in with_descendants(child)]
    return found


def memory_together():
    """MB that this process and its descendants hold now, what they share counted once; 0 where there is no /proc."""
    total = 0
    for pid in with_descendants("self"):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:  # ended meanwhile
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6


class PeakMemory(threading.Thread):
    """Looks four times a second at how much memory all processes take together."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak, self.stopped = 0.0, threading.Event()

    def run(self):
        while not self.stopped.wait(0.25):
            self.peak = max(self.peak, memory_together())


def whole_study(option):
    """A study of XOR, with its files: seconds on the wall; processors' seconds, MB of the largest process, of all."""
    import resource

    from joblib.externals.loky import get_reusable_executor

    from byhand.study import study

    seeds, epochs, jobs = map(int, option.split(","))
    activations = ["sigmoid", "relu", "tanh", "identity"]
    memory = PeakMemory()
    memory.start()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        study("xor", activations=activations, seeds=seeds, epochs=epochs, jobs=jobs, out=Path(folder) / "study")
        seconds = time.perf_counter() - start
    memory.stopped.set()
    if jobs > 1:
        get_reusable_executor().shutdown(wait=True)  # its processes count when they have ended
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    processors = sum(usage.ru_utime + usage.ru_stime for usage in used)
    return seconds, [processors, max(usage.ru_maxrss for usage in used) * 1024 / 1e6, memory.peak]


def by_size(largest):
    """Whole studies, 4 activations and 13 learning rates: by the number of runs and of workers."""
    jobs = os.cpu_count() or 1
    sizes = [(seeds, 2000, jobs) for seeds in (20, 200, 2000, 20_000) if seeds <= largest]
    sizes.insert(-1, (sizes[-2][0], 2000, 1))
    # Memory hangs on the runs, not on their epochs.
    sizes += [(seeds, 60, jobs) for seeds in (2000, 20_000, 200_000) if seeds <= max(largest, 2000)]
    rows = []
    for seeds, epochs, workers in sizes:
        found = measure("whole_study", f"{seeds},{epochs},{workers}", pinned=False)
        row = {"runs": 52 * seeds, "epochs": epochs, "workers": workers, "seconds": found["seconds"]}
        rows.append(row | dict(zip(("processor_seconds", "largest_MB", "together_MB"), found["result"], strict=True)))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--seeds",
        type=int,
        default=200,
        help="of the largest whole study of 2,000 epochs, 52 runs for each; with 200,000 also of one of 60 epochs",
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contestant", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contestant:
        name, option = options.contestant
        seconds, result = globals()[name](option)
        print(json.dumps({"seconds": seconds, "result": np.asarray(result, dtype=float).tolist()}))
        return
    goals = {"xor_jax": 0.7, "xor_c": 3.0, "xor_pytorch": 0.002}
    rows = []
    for dtype in ("float64", "float32"):
        rows += contest(options.rounds, ["xor_byhand", "xor_jax", "xor_c", "xor_pytorch"], dtype, goals)
    for runs in ("1", "8", "64"):
        digits_goals = {"digits_alone": 1.0, "digits_jax": 1.0}
        rows += contest(options.rounds, ["digits_byhand", "digits_alone", "digits_jax"], runs, digits_goals)
    print(f"\n{platform.processor() or platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}")
    print("| work | precision or networks | contestant | µs a network and epoch | ours / theirs | goal |")
    print("|---|---|---|---:|---:|---:|")
    for row in rows:
        goal = "" if row["goal"] is None else f"≤ {row['goal']:g} {'✓' if row['ratio'] <= row['goal'] else 'missed'}"
        print(
            f"| {row['work']} | {row['option']} | {row['contestant']} | {row['microseconds']:,.3f} "
            f"| {row['ratio']:.3g} | {goal} |"
        )
    sizes = by_size(options.seeds)
    print("\n| runs | epochs | workers | seconds | processor seconds | largest process, MB | all together, MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for row in sizes:
        times = f"{row['seconds']:,.1f} | {row['processor_seconds']:,.1f}"
        memory = f"{row['largest_MB']:,.0f} | {row['together_MB']:,.0f}"
        print(f"| {row['runs']:,} | {row['epochs']:,} | {row['workers']} | {times} | {memory} |")
    if options.json:
        options.json.write_text(json.dumps({"contests": rows, "sizes": sizes}, indent=2))


if __name__ == "__main__":
    main()
