"""What the causes are judged on: the data, the parameters at the start and at the end, the loss, the course of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from byhand._types import Array
from byhand.activations import ACTIVATIONS, softmax
from byhand.diagnosis.recording import Recording, Values
from byhand.diagnosis.variants import Place
from byhand.diagnosis.why_gradients import Batch, Judgement, judge
from byhand.diagnosis.why_network import FUNCTIONS, Forward, Found, activation_named, find
from byhand.diagnosis.why_report import Experiment
from byhand.layers import Dense
from byhand.network import Network

LOSS_NAMES = re.compile(
    r"loss|err|cost|mse|perte|co[uû]t|fehler|verlust|custo|costo|perdida|perda|fout|\bj\b|\bl\b", re.I
)
MAX_ROWS = 4000


@dataclass
class Start:
    """Parameters of all layers."""

    W: list[Array]
    b: list[Array]


@dataclass
class Evidence:
    """Everything that is known of one run."""

    recording: Recording
    found: Found
    judgement: Judgement = field(default_factory=Judgement)
    loss_kind: str | None = None
    loss_is: str = ""
    loss_site: int = -1

    @classmethod
    def of(cls, recording: Recording) -> Evidence:
        """Recognise the network and hold its steps against the gradient."""
        evidence = cls(recording, find(recording))
        if evidence.found.forwards:
            evidence._find_loss()
            evidence.judgement = judge(evidence.found, evidence.loss_kind)
        return evidence

    # The loss

    def _find_loss(self) -> None:
        """Which loss the script computes, by its value; absolute errors and accuracies don't decide."""
        r = self.recording
        votes: dict[tuple[str, str, int], int] = {}
        groups = self._groups()[:6]
        for k, group in enumerate(groups):
            batch = Batch.of(group)
            if batch is None:
                continue
            if np.isin(np.round(np.abs(batch.a[-1] - batch.y), 6), (0.0, 1.0)).all():
                continue  # e² = |e|: nothing to tell losses apart by
            end = groups[k + 1][0].start if k + 1 < len(groups) else min(batch.end + 1500, r.end)
            numbers = _losses_of(batch.a[-1], batch.y)
            matching: dict[int, list[tuple[str, str]]] = {}
            for t in range(batch.start, min(end, batch.start + 6000)):
                number = r.value_id(t)
                if number not in matching:
                    matching[number] = _equal_losses(r.held(number), numbers)
                for kind, name in matching[number]:
                    site = int(r.events["site"][t])
                    votes[kind, name, site] = votes.get((kind, name, site), 0) + 1
        if not votes:
            return
        kinds = {kind for kind, name, _ in votes if kind != "absolute"}
        named = [key for key in votes if r.sites[key[2]]["kind"] in ("assign", "augassign", "append")]
        scalar = [key for key in named if not key[1].startswith("each")]
        best = max(scalar or named or list(votes), key=lambda key: (votes[key], "each" not in key[1]))
        cross = [key for key in votes if key[0] == "cross-entropy" and votes[key] >= 1]
        if cross:
            best = max(cross, key=lambda key: (key in named, votes[key]))
            self.loss_kind = "cross-entropy"
        elif "squares" in kinds:
            computed = [key for key in votes if key[0] == "squares" and not key[1].startswith("each")]
            # e² alone may belong to something else; a sum or mean of it is a loss.
            self.loss_kind = "squares" if computed or named else None
            best = max(computed or [best], key=lambda key: (key in named, votes[key]))
        self.loss_is, self.loss_site = best[1], best[2]

    def _groups(self) -> list[list[Forward]]:
        """Forward passes in a row with the same parameters: one batch, sample by sample or at once."""
        groups: list[list[Forward]] = []
        for p in self.found.forwards[:400]:
            if p.y is None:
                continue
            last = groups[-1][-1] if groups else None
            same = last is not None and all(
                np.array_equal(k.W, m.W) and np.array_equal(k.b, m.b)
                for k, m in zip(p.layers, last.layers, strict=True)
            )
            if same and len(p.y) == 1 and groups[-1][0].layers[0].x.shape == p.layers[0].x.shape:
                groups[-1].append(p)
            else:
                groups.append([p])
        return groups

    @cached_property
    def losses(self) -> list[float]:
        """The course of the loss over the whole run, as the script computed it; empty if it didn't."""
        r = self.recording
        candidates: list[tuple[int, int]] = []
        for key, series in r.info.get("series", {}).items():
            site = r.sites[int(key)]
            if series["count"] < 3 or site["kind"] == "arg" or "const" in site.get("value", {}):
                continue
            score = 0
            same = self.loss_site >= 0 and site.get("name") == r.sites[self.loss_site].get("name")
            feeds = self.loss_site >= 0 and site.get("value", {}).get("site") == self.loss_site
            if int(key) == self.loss_site or same or feeds:
                score = 4
            name = str(site.get("name", ""))
            if LOSS_NAMES.search(name):
                score += 2
            if site["kind"] == "append" or site.get("element"):
                score += 1
            if score >= 2:
                candidates.append((score, int(key)))
        if not candidates:
            return []
        best = max(candidates, key=lambda c: (c[0], -r.info["series"][str(c[1])]["count"]))
        return [float(v) for v in r.info["series"][str(best[1])]["values"]]

    # Data and parameters

    @cached_property
    def passes(self) -> list[Forward]:
        """Forward passes whose target is known."""
        return [
            p
            for p in self.found.forwards
            if p.y is not None and np.abs(p.y).max(initial=0) < 1e60 and np.abs(p.y_hat).max(initial=0) < 1e60
        ]

    @cached_property
    def data(self) -> tuple[Array, Array] | None:
        """All samples that were seen in the first round."""
        if not self.passes:
            return None
        first = self.judgement.verdicts[0].batch if self.judgement.verdicts else None
        trained = len(first.layers[0].x) if first is not None else len(self.passes[0].layers[0].x)
        rows: dict[bytes, None] = {}
        xs, ys = [], []
        for p in self.passes[:3000]:
            x, y = p.layers[0].x, p.y
            assert y is not None
            if not (np.isfinite(x).all() and np.isfinite(y).all()):
                continue
            if len(x) > trained and trained > 1 and len(x) != trained:
                continue
            for i in range(len(x)):
                key = x[i].tobytes() + y[i].tobytes()
                if key not in rows:
                    rows[key] = None
                    xs.append(x[i])
                    ys.append(y[i])
            if len(xs) >= MAX_ROWS:
                break
        return np.array(xs), np.array(ys)

    @cached_property
    def start(self) -> Start:
        """The parameters in the first forward pass."""
        layers = self.found.model
        return Start([layer.W.copy() for layer in layers], [layer.b.copy() for layer in layers])

    @cached_property
    def final(self) -> Start:
        """The parameters at the end of the run."""
        W, b = [w.copy() for w in self.start.W], [v.copy() for v in self.start.b]
        for k, layer in enumerate(self.found.model):
            held = self._last_value((k, "W"), layer.W.size)
            if held is not None:
                W[k] = layer.as_W(held)
            held = self._last_value((k, "b"), len(layer.b))
            if held is None and layer.b_t >= 0:
                held = self._last_value((k, "b"), 1)
            if held is not None:
                b[k] = np.broadcast_to(held.reshape(-1), layer.b.shape).astype(float)
        return Start(W, b)

    def _last_value(self, place: Place, size: int) -> Values | None:
        """What a parameter was at the end: in the place that followed it best, in a vector, or in the last pass."""
        r = self.recording
        best: tuple[tuple[bool, int, int], Values] | None = None
        settled = set(r.info.get("settled", ()))
        for t in range(r.end, len(r)):
            slot, value = r.slot(t), r.value(t)
            if slot is None or value is None or value.size != size or self.found.place_of.get(slot) != place:
                continue
            key = (int(r.events["site"][t]) in settled, self.found.followed[slot], t)
            if best is None or key > best[0]:
                best = key, value
        if best is not None and best[0][0] and best[0][1] > 0:
            return best[1]
        within = self._within_a_vector(place)
        if within is not None:
            return within
        k, kind = place
        last = self.found.forwards[-1].layers[k]
        t = last.W_t if kind == "W" else last.b_t
        return best[1] if best is not None and t < 0 else (r.value(t) if t >= 0 else None)

    def _within_a_vector(self, place: Place) -> Values | None:
        """The parameter cut out of a longer vector's last value, where its value at the start was found in it."""
        r = self.recording
        k, kind = place
        first = self.found.model[k]
        t_first = first.W_t if kind == "W" else first.b_t
        part = r.value(t_first) if t_first >= 0 else None
        if part is None or part.size < 1:
            return None
        lasts = {r.slot(t): r.value(t) for t in range(r.end, len(r))}
        for t in range(t_first, max(-1, t_first - 400), -1):
            value, last = r.value(t), lasts.get(r.slot(t))
            if value is None or last is None or value.ndim != 1 or value.shape != last.shape or value.size <= part.size:
                continue
            windows = np.lib.stride_tricks.sliding_window_view(value, part.size)
            hits = np.flatnonzero((windows == part.reshape(-1)).all(axis=1))
            if len(hits) == 1 and part.any():
                return last[hits[0] : hits[0] + part.size].reshape(part.shape)
        return None

    @property
    def activations(self) -> list[str]:
        """Each layer's activation."""
        return [layer.activation for layer in self.found.model]

    def outputs(self, parameters: Start, x: Array) -> tuple[list[Array], list[Array]]:
        """Each layer's z and a."""
        zs: list[Array] = []
        outputs: list[Array] = []
        with np.errstate(all="ignore"):
            for W, b, name in zip(parameters.W, parameters.b, self.activations, strict=True):
                zs.append(x @ W.T + b)
                x = zs[-1] if name == "identity" else FUNCTIONS[name](zs[-1])
                outputs.append(x)
        return zs, outputs

    def loss_of(self, y_hat: Array, y: Array) -> float:
        """The mean over the samples: of the squares, or of the cross-entropy if that is what the script uses."""
        with np.errstate(all="ignore"):
            if self.loss_kind == "cross-entropy":
                return float(_cross_entropy(y_hat, y).sum() / len(y))
            return float(np.square(y_hat - y).sum() / len(y))

    @cached_property
    def best_constant(self) -> float:
        """The loss of the best constant prediction."""
        assert self.data is not None
        y = self.data[1]
        mean = np.broadcast_to(y.mean(axis=0), y.shape)
        return self.loss_of(mean, y)

    @cached_property
    def final_loss(self) -> float:
        """The loss at the end, recomputed."""
        assert self.data is not None
        x, y = self.data
        return self.loss_of(self.outputs(self.final, x)[1][-1], y)

    @cached_property
    def start_loss(self) -> float:
        """The loss at the start, recomputed."""
        assert self.data is not None
        x, y = self.data
        return self.loss_of(self.outputs(self.start, x)[1][-1], y)

    def accuracy(self, y_hat: Array, y: Array) -> float | None:
        """The share of right classes; None if the targets are no classes."""
        values = np.unique(y)
        if len(values) != 2:
            return None
        if y.shape[1] > 1:
            return float((y_hat.argmax(axis=1) == y.argmax(axis=1)).mean())
        return float(((y_hat > values.mean()) == (y > values.mean())).mean())

    def is_good(self, y_hat: Array, y: Array) -> bool:
        """Whether outputs are good: a loss below a tenth of the best constant's, or 9 of 10 classes right."""
        loss = self.loss_of(y_hat, y)
        if not np.isfinite(loss):
            return False
        if loss <= 0.1 * self.best_constant:
            return True
        right = self.accuracy(y_hat, y)
        return right is not None and right >= 0.9 and loss < 0.75 * self.best_constant

    @cached_property
    def trained(self) -> bool:
        """Whether the script trained well in the end, or as well as an affine model can when it is one."""
        if self.data is None:
            return False
        x, y = self.data
        y_hat = self.outputs(self.final, x)[1][-1]
        if self.is_good(y_hat, y):
            return True
        if len(self.activations) == 1 and self.activations[0] == "identity" and self.loss_kind != "cross-entropy":
            x_tilde = np.column_stack([x, np.ones(len(x))])
            best = x_tilde @ np.linalg.lstsq(x_tilde, y, rcond=None)[0]
            return bool(self.loss_of(y_hat, y) <= 1.05 * self.loss_of(best, y) + 1e-9)
        return False

    # Experiments

    @property
    def rate(self) -> float | None:
        """The learning rate for the gradient of Σ ½ (ŷ − y)² (or Σ of the cross-entropy), as measured."""
        rates = [abs(v.rate) for v in self.judgement.verdicts if v.rate]
        return rates[0] if rates else None

    @property
    def batch_size(self) -> int:
        """The samples of a step."""
        return len(self.judgement.verdicts[0].batch.x) if self.judgement.verdicts else 0

    @cached_property
    def n_steps(self) -> int:
        """How many steps the whole run made, as its loops tell."""
        r = self.recording
        updates = self.found.updates
        if not updates:
            return 0
        mine = [u for u in updates if u.place == updates[0].place]
        counts: dict[int, set[int]] = {}
        for u in mine:
            site = r.site(u.t)
            for k, count in r.vec(u.t).items():
                if k not in site.get("element_loops", ()):
                    counts.setdefault(k, set()).add(count)
        total = 1
        for k, seen in counts.items():
            if (
                len(seen) > 1 or len(mine) == 1
            ):  # a loop over the layers changes each parameter always in the same round
                total *= int(r.info["counters"].get(str(k), 0)) + 1
        return max(total, len(mine)) if total == 1 else total  # 1: a recursion instead of a loop

    def simulate(
        self,
        *,
        x: Array | None = None,
        y: Array | None = None,
        parameters: Start | None = None,
        rate: float | None = None,
        steps: int | None = None,
        activations: list[str] | None = None,
        budget: float = 3e8,
    ) -> tuple[list[float], Array] | None:
        """Train the same network with the right gradient; the course of the mean loss and the outputs.

        The last layer of a softmax goes with cross-entropy. It ends early where the cost, in multiplications,
        would pass the budget; None if the learning rate is not known.
        """
        if self.data is None:
            return None
        x = self.data[0] if x is None else x
        y = self.data[1] if y is None else y
        start = parameters or self.start
        rate = self.rate if rate is None else rate
        names = activations or self.activations
        if rate is None or not np.isfinite(rate):
            return None
        cancels = (self.loss_kind == "cross-entropy" and names[-1] == "sigmoid") or names[-1].startswith("softmax")
        functions = [activation_named(name) for name in names]
        if cancels:
            functions[-1] = ACTIVATIONS["identity"]
        network = Network([Dense(W.shape[1], W.shape[0], f) for W, f in zip(start.W, functions, strict=True)])
        for layer, W, b in zip(network.dense_layers, start.W, start.b, strict=True):
            layer.W, layer.b = W, b
        n = len(x)
        size = min(self.batch_size or n, n)
        steps = self.n_steps if steps is None else steps
        cost = 6 * size * network.parameters.size + 30_000
        steps = int(min(steps, budget / cost))
        losses = []
        stride = max(1, steps // 200)

        def output(z: Array) -> Array:
            if not cancels:
                return z
            return softmax(z) if names[-1].startswith("softmax") else ACTIVATIONS["sigmoid"].function(z)

        with np.errstate(all="ignore"):
            for step in range(steps):
                at = (step * size) % n
                xb, yb = x[at : at + size], y[at : at + size]
                y_hat = output(network.forward(xb))
                network.backward_parameters(y_hat - yb)
                network.parameters -= rate * network.gradients
                if step % stride == 0:
                    losses.append(self.loss_of(output(network.predict(x)), y))
                    if not np.isfinite(losses[-1]):
                        break
            y_hat = output(network.predict(x))
        losses.append(self.loss_of(y_hat, y))
        return losses, y_hat

    def experiment(self, what: str, **change: object) -> Experiment | None:
        """Simulate with a change, and say whether it trains then."""
        result = self.simulate(**change)  # type: ignore[arg-type]
        if result is None:
            return None
        losses, y_hat = result
        y = change.get("y")
        target = self.data[1] if y is None and self.data is not None else y
        assert isinstance(target, np.ndarray)
        return Experiment(what, self.final_loss, losses[-1], self.is_good(y_hat, target), losses)


def _cross_entropy(y_hat: Array, y: Array) -> Array:
    p = np.clip(y_hat, 1e-12, 1.0)
    if y.shape[1] == 1:
        q = np.clip(1 - y_hat, 1e-12, 1.0)
        return -(y * np.log(p) + (1 - y) * np.log(q))
    return -y * np.log(p)


def _equal_losses(value: Values | None, numbers: dict[tuple[str, str], float | Array]) -> list[tuple[str, str]]:
    """Those of the losses that a value is."""
    if value is None or not np.isfinite(value).all():
        return []
    found = []
    single = float(value.reshape(-1)[0]) if value.size == 1 else None
    for (kind, name), number in numbers.items():
        if value.size != np.size(number) or (kind == "cross-entropy" and np.max(number) < 0.01):
            continue  # (−log(1 − ŷ) of a small ŷ is ŷ itself)
        rtol = 1e-4 if kind == "cross-entropy" else 1e-8
        if single is not None:
            loss = float(np.reshape(number, -1)[0]) if isinstance(number, np.ndarray) else number
            equal = abs(single - loss) <= 1e-14 + rtol * abs(loss)
        else:
            equal = np.allclose(value.ravel(), np.ravel(number), rtol=rtol, atol=1e-14)
        if equal:
            found.append((kind, name))
    return found


def _losses_of(y_hat: Array, y: Array) -> dict[tuple[str, str], float | Array]:
    """The usual losses of these outputs, by kind and in words."""
    e = y_hat - y
    n = len(y)
    squares = float((e * e).sum())
    found: dict[tuple[str, str], float | Array] = {
        ("squares", "Σ (ŷ − y)²"): squares,
        ("squares", "the mean of (ŷ − y)²"): squares / e.size,
        ("squares", "Σ (ŷ − y)² / n"): squares / n,
        ("squares", "½ Σ (ŷ − y)²"): squares / 2,
        ("squares", "half the mean of (ŷ − y)²"): squares / e.size / 2,
        ("squares", "Σ ½ (ŷ − y)² / n"): squares / n / 2,
        ("squares", "each (ŷ − y)²"): e * e,
        ("squares", "each ½ (ŷ − y)²"): e * e / 2,
    }
    if e.size > 1:  # of one number these are the error itself
        found |= {
            ("squares", "the root of the mean of (ŷ − y)²"): float(np.sqrt(squares / e.size)),
            ("absolute", "Σ |ŷ − y|"): float(np.abs(e).sum()),
            ("absolute", "the mean of |ŷ − y|"): float(np.abs(e).mean()),
        }
    if y_hat.min() >= 0 and y_hat.max() <= 1 and y.min() >= 0 and y.max() <= 1:
        with np.errstate(all="ignore"):
            terms = _cross_entropy(y_hat, y)
            both = -(y * np.log(np.clip(y_hat, 1e-12, 1)) + (1 - y) * np.log(np.clip(1 - y_hat, 1e-12, 1)))
        found |= {
            ("cross-entropy", "Σ of the cross-entropy"): float(terms.sum()),
            ("cross-entropy", "the mean cross-entropy"): float(terms.sum() / n),
            ("cross-entropy", "the mean of the binary cross-entropies"): float(both.mean()),
            ("cross-entropy", "each binary cross-entropy"): both,
        }
        if y.shape[1] > 1:
            found["cross-entropy", "the mean of all terms −y log p"] = float(terms.mean())
            found["cross-entropy", "each sample's cross-entropy"] = terms.sum(axis=1)
    return found
