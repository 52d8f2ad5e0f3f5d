"""What functions beside training are for: known by what they give, right in other words than ours, wrong by a slip."""

import numpy as np
import pytest

from byhand.diagnosis.check import recorded
from byhand.diagnosis.check.causal import causal
from byhand.diagnosis.check.defined import File
from byhand.diagnosis.check.families import Scope, _handed
from byhand.diagnosis.check.pairs import pairs
from byhand.diagnosis.check.purposes import purposes
from byhand.diagnosis.check.telling import probes

HEAD = "import numpy as np\nimport math\nfrom collections import Counter\n\n"


def held(text):
    """What is said of each: what it gives, and the line where it is wrong; lines count from the text's own first."""
    return {
        h.units[-1]: (h.says, max(h.line - HEAD.count("\n"), 0)) for h in purposes(File(HEAD + text)) if not h.is_open
    }


def lines(text):
    return {unit: line for unit, (_, line) in held(text).items()}


NEIGHBOURS = """class Nachbarn:
    def __init__(self, k=3):
        self.k = k

    def fit(self, X, y):
        self.X, self.y = np.asarray(X), np.asarray(y)
        return self

    def classify(self, Q):
        out = []
        for q in Q:
            d = np.linalg.norm(self.X - q, axis=1)
            near = np.argsort(d)[: self.k]
            out.append(Counter(self.y[near].tolist()).most_common(1)[0][0])
        return np.array(out)

    def kneighbors(self, Q):
        return np.argsort(((Q[:, None] - self.X) ** 2).sum(2), axis=1)[:, : self.k]

def vote(D, labels, k):
    found = []
    for row in D:
        first = labels[row.argsort()[:k]]
        values, counts = np.unique(first, return_counts=True)
        found.append(values[counts.argmax()])
    return found
"""


def test_a_vote_gives_labels_and_what_is_asked_for_positions_may_give_them():
    assert lines(NEIGHBOURS) == {"Nachbarn.classify": 0, "vote": 0}
    wrong = NEIGHBOURS.replace("self.y[near].tolist()", "near.tolist()")
    wrong = wrong.replace("first = labels[row.argsort()[:k]]", "first = row.argsort()[:k]")
    assert lines(wrong) == {"Nachbarn.classify": 14, "vote": 25}
    ignoring = NEIGHBOURS.replace("[: self.k]", "[:1]").replace("[:k]", "[:1]")
    assert lines(ignoring) == {}  # clear groups would not show it


CLIPS = """def clip_gradients(g, most=5.0):
    n = np.linalg.norm(g)
    return g * most / n if n > most else g

def clip_each_(grads, threshold):
    for key in grads:
        n = np.sqrt(np.sum(grads[key] ** 2))
        if n > threshold:
            grads[key] *= threshold / (n + 1e-6)

def clip_all(grads, limit):
    total = math.sqrt(sum(np.sum(g * g) for g in grads))
    scale = min(1.0, limit / total)
    return [g * scale for g in grads], total

def normalize_gradients(g, length):
    return g * length / np.linalg.norm(g)
"""


def test_what_clips_leaves_short_gradients_alone():
    assert lines(CLIPS) == {"clip_gradients": 0, "clip_each_": 0, "clip_all": 0}
    wrong = CLIPS.replace(" if n > most else g", "").replace("min(1.0, limit / total)", "limit / total")
    assert lines(wrong) == {"clip_gradients": 3, "clip_each_": 0, "clip_all": 14}


OF_KEYS = """def clip(gradients, most):
    dWaa, dby = gradients["dWaa"], gradients["dby"]
    for g in (dWaa, dby):
        np.clip(g, -most, most, out=g)
    return {"dWaa": dWaa, "dby": dby}
"""


def test_a_table_has_the_keys_that_are_read_and_what_is_called_so_is_known_or_open():
    assert held(OF_KEYS) == {"clip": ("numbers within a limit", 0)}
    [found] = purposes(File(HEAD + OF_KEYS.replace("np.clip(g, -most, most, out=g)", "g *= most")))
    assert found.is_open
    assert not held(OF_KEYS.replace("np.clip(g, -most, most, out=g)", "g *= most").replace("clip", "longer"))


RATES = """def lr_at(epoch, lr0, total, warm_epochs=5):
    if epoch < warm_epochs:
        return lr0 * (epoch + 1) / warm_epochs
    p = (epoch - warm_epochs) / (total - warm_epochs)
    return lr0 * 0.5 * (1 + math.cos(math.pi * p))

def constant_after_warmup(lr, step, warmup):
    return lr * min(1.0, step / warmup)

def linear_warm(step, peak, n_steps, warmup):
    if step < warmup:
        return peak * step / warmup
    return peak * (n_steps - step) / (n_steps - warmup)

def keras_step(lr, epoch, drop, every):
    return lr * drop ** ((1 + epoch) // every)

def anneal(eta, t, gamma):
    return eta * gamma ** t
"""


def test_a_rate_goes_on_from_the_end_of_its_rise():
    right = dict.fromkeys(["lr_at", "constant_after_warmup", "linear_warm", "anneal"], 0)
    assert lines(RATES) == right  # the other is not known, and not wrong
    wrong = RATES.replace("(epoch - warm_epochs) / (total - warm_epochs)", "epoch / total")
    assert lines(wrong) == right | {"lr_at": 5}


WORDS = """def training_pairs(sentence, window):
    for i, word in enumerate(sentence):
        for j in range(max(0, i - window), min(len(sentence), i + window + 1)):
            if i != j:
                yield word, sentence[j]

def skip_grams(ids, w=2):
    centres, contexts = [], []
    for i in range(len(ids)):
        near = ids[max(i - w, 0) : i] + ids[i + 1 : i + 1 + w]
        centres += [ids[i]] * len(near)
        contexts += near
    return centres, contexts

def vocabulary(tokens):
    word_to_id, id_to_word = {}, {}
    for t in tokens:
        if t not in word_to_id:
            id_to_word[len(word_to_id)] = t
            word_to_id[t] = len(word_to_id)
    return word_to_id, id_to_word
"""


def test_a_window_of_words_ends_where_the_sentence_does():
    assert lines(WORDS) == {"training_pairs": 0, "skip_grams": 0, "vocabulary": 0}
    wrong = WORDS.replace("range(max(0, i - window), ", "range(i - window, ")
    assert lines(wrong) == {"training_pairs": 5, "skip_grams": 0, "vocabulary": 0}


DATA = """class Standardizer:
    def fit(self, A):
        self.m, self.s = A.mean(0), A.std(0) + 1e-8
    def transform(self, A):
        return (A - self.m) / self.s
    def fit_transform(self, A):
        self.fit(A)
        return self.transform(A)
    def inverse_transform(self, A):
        return A * self.s + self.m

def split(X, y, test_share, seed=0):
    order = np.random.default_rng(seed).permutation(len(X))
    n = int(round(len(X) * test_share))
    return X[order[n:]], X[order[:n]], y[order[n:]], y[order[:n]]

def random_mini_batches(X, Y, size=64, seed=0):
    np.random.seed(seed)
    p = np.random.permutation(X.shape[1])
    X, Y = X[:, p], Y[:, p]
    return [(X[:, k : k + size], Y[:, k : k + size]) for k in range(0, X.shape[1], size)]

def k_folds(n, k, rng):
    parts = np.array_split(rng.permutation(n), k)
    for i in range(k):
        yield np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]

def mischen(X, y):
    p = np.random.permutation(len(y))
    return X[p], y[p]

def normalize(X, Y):
    return (X - X.mean(0)) / X.std(0), (Y - Y.mean(0)) / Y.std(0)
"""


def test_data_stay_in_pairs_and_are_put_on_the_scale_that_was_learned():
    right = ["transform", "fit_transform", "inverse_transform"]
    names = ["split", "random_mini_batches", "k_folds", "mischen"]
    found = lines(DATA)
    assert not any(found.values())
    assert {*found} == {*names, *(f"Standardizer.{m}" for m in right)}
    own = "        return (A - A.mean(0)) / A.std(0)\n"
    assert lines(DATA.replace("        return (A - self.m) / self.s\n", own))["Standardizer.transform"] == 5
    both = DATA.replace("X[order[n:]], X[order[:n]], y[order[n:]], y", "X[order], X[order[:n]], y[order], y")
    assert lines(both)["split"] > 0
    lost = DATA.replace("X[:, p], Y[:, p]", "X[:, p], Y")
    assert "random_mini_batches" not in lines(lost)


CLASSES = """def to_categorical(y, num):
    return (y[:, None] == np.arange(num)).astype(float)

def encode(y):
    out = np.zeros((y.size, y.max() + 1))
    out[np.arange(y.size), y] = 1
    return out.T

def accuracy(logits, targets):
    return 100.0 * (logits.argmax(-1) == targets).sum() / len(targets)

def confusion(t, p, n):
    M = np.zeros((n, n), dtype=int)
    for a, b in zip(t, p):
        M[a, b] += 1
    return M

def he(fan_in, fan_out):
    return np.random.randn(fan_out, fan_in) * np.sqrt(2.0 / fan_in)

def causal_mask(T):
    return np.triu(np.ones((T, T)), k=1) * -1e9

def position_encoding(length, width):
    P = np.zeros((length, width))
    for pos in range(length):
        for i in range(0, width, 2):
            P[pos, i] = np.sin(pos / 10000 ** (i / width))
            P[pos, i + 1] = np.cos(pos / 10000 ** (i / width))
    return P
"""


def test_small_helpers_are_known_by_what_they_give():
    names = ["to_categorical", "encode", "accuracy", "confusion", "he", "causal_mask", "position_encoding"]
    assert lines(CLASSES) == dict.fromkeys(names, 0)
    others = CLASSES.replace("2.0 / fan_in", "1.0 / fan_in").replace("logits.argmax(-1)", "logits.argmin(-1)")
    others = others.replace("y[:, None] == np", "y[:, None] - 1 == np").replace("k=1", "k=0")
    assert lines(others) == dict.fromkeys(["encode", "confusion", "position_encoding"], 0)


TABLES = """def make_leaky(slope):
    def leaky(x):
        return np.where(x > 0, x, slope * x)

    def deriv(x):
        return np.where(x > 0, 1.0, slope)

    return leaky, deriv

def make_tanh():
    return {"value": np.tanh, "of_value": lambda a: 1 - a**2}

def bounds():
    return (lambda x: x - 1), (lambda x: x + 1)

ACTS = {
    "sine": (np.sin, lambda x: np.cos(x)),
    "square": (lambda x: x**2, lambda x: 2 * x),
    "gate": (lambda x: 1 / (1 + math.exp(-x)), lambda x: math.exp(-x) / (1 + math.exp(-x)) ** 2),
}
"""


def paired(text):
    return {h.units[0]: max(h.line - HEAD.count("\n"), 0) for h in pairs(File(HEAD + text), HEAD + text)}


def test_a_function_and_its_derivative_may_stand_together():
    right = dict.fromkeys(["make_leaky", "make_tanh", "ACTS['sine']", "ACTS['square']", "ACTS['gate']"], 0)
    alone = TABLES.replace("def bounds():\n    return (lambda x: x - 1), (lambda x: x + 1)\n\n", "")
    assert paired(alone) == right
    assert paired(alone.replace("1.0, slope)", "1.0, 0.0)").replace("2 * x)", "x)")) == right | {
        "make_leaky": 6,
        "ACTS['square']": 15,
    }
    layer = "def layer(a=0.1):\n    kept = {}\n    def forward(x):\n        kept['x'] = x\n"
    layer += "        return np.where(x > 0, x, a * x)\n"
    layer += "    def backward(g):\n        return g * np.where(kept['x'] > 0, 1, a)\n    return forward, backward\n"
    assert paired(layer) == {"layer": 0}
    assert paired(layer.replace("return g * ", "return g * 2 * ")) == {}  # a mean, or a sum: it may be handed anything
    others = TABLES[TABLES.index("def bounds") : TABLES.index("ACTS")]
    assert paired(others) == {}


def test_draws_differ_from_trial_to_trial():
    from byhand.diagnosis.check.purposes import PURPOSES

    kinds = {type(p.draw(np.random.default_rng(0))) for p in PURPOSES}
    assert kinds == {tuple}
    folds = next(p for p in PURPOSES if "fold by fold" in p.says)
    assert {len(folds.draw(np.random.default_rng(s))[2]) for s in range(8)} == {1, 2}


DISTANCES = """def slow_distances(A, B):
    return [[float(np.sqrt(((a - b) ** 2).sum())) for b in B] for a in A]

def fast_distances(A, B):
    square = (A * A).sum(1)[:, None] - 2 * A @ B.T + (B * B).sum(1)
    return np.maximum(square, 0) ** 0.5

def validate(X, y, ks, folds=4):
    parts = np.array_split(np.random.permutation(len(X)), folds)
    found = {k: 0.0 for k in ks}
    for i in range(folds):
        rest = np.concatenate(parts[:i] + parts[i + 1 :])
        order = np.argsort(fast_distances(X[parts[i]], X[rest]), axis=1)
        for k in ks:
            told = [np.bincount(y[rest][row[:k]]).argmax() for row in order]
            found[k] += np.mean(told == y[parts[i]]) / folds
    return found
"""


def test_folds_keep_what_is_asked_out_of_what_is_learned():
    assert lines(DISTANCES) == {"slow_distances": 0, "fast_distances": 0, "validate": 0}
    leaking = DISTANCES.replace("parts[:i] + parts[i + 1 :]", "parts")
    assert lines(leaking) == {"slow_distances": 0, "fast_distances": 0}
    [odd] = [h for h in purposes(File(HEAD + DISTANCES.replace("** 0.5", "** 0.25"))) if h.is_open]
    assert odd.units == ("fast_distances",)  # who calls it has the same neighbours all the same


@pytest.mark.parametrize(("text", "says"), [("def f(a, b):\n    return np.sqrt(((a - b) ** 2).sum())\n", "a distance")])
def test_a_name_that_says_nothing_is_no_hindrance(text, says):
    assert held(text) == {"f": (says, 0)}


CAUSAL = """def shares(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)

def attend(x, wq, wk, wv):
    '''Causal attention: no position may look at the future.'''
    q, k, v = x @ wq, x @ wk, x @ wv
    n = len(x)
    hidden = np.triu(np.full((n, n), -1e9), 1)
    p = shares(q @ k.T / np.sqrt(k.shape[1]) + hidden)
    return p @ v, (x, wq, wk, wv, q, k, v, p)

def send(g, kept):
    x, wq, wk, wv, q, k, v, p = kept
    dv, dp = p.T @ g, g @ v.T
    ds = p * (dp - (dp * p).sum(-1, keepdims=True)) / np.sqrt(k.shape[1])
    dq, dk = ds @ k, ds.T @ q
    dx = dq @ wq.T + dk @ wk.T + dv @ wv.T
    return dx, x.T @ dq, x.T @ dk, x.T @ dv
"""


def test_what_says_that_it_is_causal_sees_nothing_later():
    def told(text):
        return {h.units[0]: max(h.line - HEAD.count("\n"), 0) for h in causal(File(HEAD + text))}

    assert told(CAUSAL) == {"attend": 0}
    assert told(CAUSAL.replace("np.triu(np.full((n, n), -1e9), 1)", "np.tril(np.full((n, n), -1e9), -1)")) == {
        "attend": 9
    }
    assert told(CAUSAL.replace(" + hidden", "")) == {}  # it sees all, as it may do with an option
    returns = "def to_go(r):\n    '''Sums of what comes later; does not scale the future.'''\n"
    assert told(returns + "    return r[::-1].cumsum(0)[::-1]\n") == {}
    assert told(CAUSAL.replace("Causal attention: no position may look at the future.", "Attention.")) == {}


def test_what_takes_one_cache_apart_goes_back_through_what_has_made_it():
    right = {p.unit: p.answer for p in probes(File(HEAD + CAUSAL))}
    assert right == {"attend and send": "right"}
    wrong = {p.unit: p.answer for p in probes(File(HEAD + CAUSAL.replace("ds.T @ q", "ds @ q")))}
    assert wrong == {"attend and send": "wrong"}


UNROLLED = """def cost(theta, shapes, X, Y):
    parts, k = [], 0
    for s in shapes:
        parts.append(theta[k : k + s[0] * s[1]].reshape(s))
        k += s[0] * s[1]
    A = np.tanh(X @ parts[0])
    E = A @ parts[1] - Y
    d = E @ parts[1].T * (1 - A**2)
    grad = np.concatenate([(X.T @ d).ravel(), (A.T @ E).ravel()])
    return 0.5 * np.sum(E**2), grad

if __name__ == "__main__":
    shapes = [(3, 4), (4, 2)]
    theta = np.zeros(20)
    print(cost(theta, shapes, np.random.randn(6, 3), np.random.randn(6, 2)))
"""


def test_a_function_is_called_as_the_program_itself_calls_it():
    def told(text):
        return [p.answer for p in probes(File(HEAD + text.partition("if __name__")[0], HEAD + text))]

    assert told(UNROLLED) == ["right"]
    assert told(UNROLLED.replace("(1 - A**2)", "(1 - A)")) == []  # it may be a state, and what comes back the next one
    assert recorded.handed(File(HEAD + UNROLLED, HEAD + "while True:\n    k = 1\n"), "cost") is None


def test_what_is_handed_is_no_parameter_where_parameters_are_the_files_own():
    def guessed(text):
        file = File(HEAD + text.partition("if __name__")[0], HEAD + text)
        return [guess.parameters for guess in _handed(Scope(file.functions), file.functions["cost"], file)]

    assert guessed(UNROLLED) == [["theta", "X", "Y"]]
    own = UNROLLED.replace("cost(theta, shapes, ", "cost(shapes, ").replace("    theta = np.zeros(20)\n", "")
    assert guessed(f"theta = np.zeros(20)\n\n{own}") == []
    assert guessed(f"theta = np.zeros(20)\n\ndef read():\n    return theta\n\n{own.replace('theta[', 'read()[')}") == []


LETTERS = """def lossFun(inputs, targets, h, p):
    '''Karpathy's characters: lists of indices, a state, and what is learned.'''
    hs, shown, loss = {-1: h}, {}, 0
    for t in range(len(inputs)):
        x = np.zeros((p["Why"].shape[0], 1))
        x[inputs[t]] = 1
        hs[t] = np.tanh(p["Wxh"] @ x + p["Whh"] @ hs[t - 1])
        e = np.exp(p["Why"] @ hs[t])
        shown[t] = x, e / e.sum()
        loss -= np.log(shown[t][1][targets[t], 0])
    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dnext = np.zeros_like(h)
    for t in reversed(range(len(inputs))):
        dy = shown[t][1].copy()
        dy[targets[t]] -= 1
        grads["Why"] += dy @ hs[t].T
        d = (p["Why"].T @ dy + dnext) * (1 - hs[t] ** 2)
        grads["Wxh"] += d @ shown[t][0].T
        grads["Whh"] += d @ hs[t - 1].T
        dnext = p["Whh"].T @ d
    return loss, grads
"""
SAMPLED = """def sampled(V, U, centre, context, others):
    at = np.concatenate(([context], others))
    sign = np.where(np.arange(len(at)) == 0, 1.0, -1.0)
    s = U[at] @ V[centre]
    loss = np.sum(np.log1p(np.exp(-sign * s)))
    d = -sign / (1 + np.exp(sign * s))
    dV, dU = np.zeros_like(V), np.zeros_like(U)
    dV[centre] += d @ U[at]
    np.add.at(dU, at, np.outer(d, V[centre]))
    return loss, dV, dU
"""


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (LETTERS, "(1 - hs[t] ** 2)", "(1 - hs[t])"),
        (LETTERS, "+ dnext)", ")"),
        (SAMPLED, "d @ U[at]", "d @ V[at]"),
        (SAMPLED, "-sign / (1", "sign / (1"),
    ],
    ids=["slope", "time", "rows", "sign"],
)
def test_what_is_taken_by_its_place_or_joined_with_a_number_may_be_an_index(text, old, new):
    assert old in text
    assert [p.answer for p in probes(File(HEAD + text))] == ["right"]
    assert [p.answer for p in probes(File(HEAD + text.replace(old, new)))] != ["right"]


COUNTED = """def table(t, o):
    m = np.zeros((2, 2), int)
    for a, b in zip(t, o):
        m[a, b] += 1
    return m

def precision_score(y_true, y_pred, positive=1):
    tp = np.sum((y_pred == positive) & (y_true == positive))
    return tp / max(np.sum(y_pred == positive), 1)

def rappel(y, p, eps=1e-12):
    return np.sum(y * p) / (np.sum(y) + eps)

def specificity(t, o):
    m = table(t, o)
    return m[0, 0] / m[0].sum()

def per_class(y, p, k=4):
    hits = np.array([np.sum((y == c) & (p == c)) for c in range(k)])
    return hits / np.bincount(p), hits / np.bincount(y)

def rmse(a, b):
    return np.linalg.norm(a - b) / np.sqrt(len(a))

def r_squared(y_true, y_pred):
    return 1 - np.mean((y_true - y_pred) ** 2) / np.var(y_true)

def auc(labels, scores):
    order = scores.argsort()
    wins = [np.sum(scores[labels == 0] < s) + np.sum(scores[labels == 0] == s) / 2 for s in scores[labels == 1]]
    return np.sum(wins) / np.sum(labels == 1) / np.sum(labels == 0)
"""


def test_measures_are_known_by_what_they_give():
    units = ["table", "precision_score", "rappel", "specificity", "per_class", "rmse", "r_squared", "auc"]
    assert lines(COUNTED) == dict.fromkeys(units, 0)
    wrong = COUNTED.replace("max(np.sum(y_pred == positive), 1)", "max(np.sum(y_true == positive), 1)")
    wrong = wrong.replace("m[0].sum()", "m[:, 0].sum()").replace(" / np.sqrt(len(a))", "**2 / len(a)")
    assert lines(wrong) == dict.fromkeys(units, 0) | {"precision_score": 9, "rmse": 23}  # t may be called
    assert "precision_score" not in lines(wrong.replace("y_true, y_pred, p", "a, b, p").replace("y_true", "b"))
    other = COUNTED.replace("np.sqrt(len(a))", "len(a)").replace("np.var(y_true)", "np.var(y_pred)")
    assert lines(other) == dict.fromkeys([u for u in units if u not in ("rmse", "r_squared")], 0)  # it may be another


CLUSTERED = """def nearest(X, C):
    return np.array([np.argmin([np.linalg.norm(x - c) for c in C]) for x in X])

def new_centres(X, labels, k):
    R = np.eye(k)[labels]
    return (R.T @ X) / R.sum(0)[:, None]

def inertia(X, labels, C):
    return sum(float((x - C[l]) @ (x - C[l])) for x, l in zip(X, labels))

class Gruppen:
    def __init__(self, k=2, max_iter=100, seed=0):
        self.k, self.max_iter, self.seed = k, max_iter, seed

    def fit(self, X):
        self.C = X[np.random.RandomState(self.seed).permutation(len(X))[: self.k]]
        for _ in range(self.max_iter):
            labels = nearest(X, self.C)
            self.C = np.array([X[labels == j].mean(0) if (labels == j).any() else self.C[j] for j in range(self.k)])
        return self

    def predict(self, X):
        return nearest(X, self.C)
"""


def test_groups_are_known_by_what_they_give():
    right = dict.fromkeys(["nearest", "new_centres", "inertia", "Gruppen.predict"], 0)
    assert lines(CLUSTERED) == right
    flat = CLUSTERED.replace(
        "(R.T @ X) / R.sum(0)[:, None]", "np.array([X[labels == j].mean() * np.ones(X.shape[1]) for j in range(k)])"
    )
    assert lines(flat) == right | {"new_centres": 6}
    medians = CLUSTERED.replace(
        "(R.T @ X) / R.sum(0)[:, None]", "np.array([np.median(X[labels == j], 0) for j in range(k)])"
    )
    assert "new_centres" not in lines(medians)
    assert lines(CLUSTERED.replace("argmin", "argmax")) == {"nearest": 2, "new_centres": 0, "inertia": 0}


AXES = """def principal_axes(X, k):
    m = X.mean(axis=0)
    C = (X - m).T @ (X - m) / (len(X) - 1)
    values, vectors = np.linalg.eigh(C)
    order = values.argsort()[::-1][:k]
    return m, vectors[:, order], values[order]

def project(X, m, V):
    return (X - m) @ V

class Haupt:
    def __init__(self, k):
        self.k = k

    def fit(self, X):
        self.m, self.V, self.v = principal_axes(X, self.k)
        return self

    def transform(self, X):
        return project(X, self.m, self.V)

    def inverse(self, Z):
        return Z @ self.V.T + self.m
"""


def test_axes_are_those_of_data_that_were_moved_to_their_mean():
    right = dict.fromkeys(["principal_axes", "project", "Haupt.transform", "Haupt.inverse"], 0)
    assert lines(AXES) == right
    whole = AXES.replace("(X - m).T @ (X - m)", "X.T @ X")
    assert lines(whole)["principal_axes"] == 3
    assert "principal_axes" not in lines(whole.replace("return m, ", "return "))  # they may have been moved before
    last = lines(AXES.replace("[::-1][:k]", "[:k]"))
    assert (last["principal_axes"], "Haupt.transform" in last) == (5, False)


WINDOWS = """def conv(x, w, b, stride=1, pad=0):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    h, v = w.shape[2:]
    rows, columns = (x.shape[2] - h) // stride + 1, (x.shape[3] - v) // stride + 1
    out = np.zeros((len(x), len(w), rows, columns))
    for i in range(rows):
        for j in range(columns):
            part = x[:, :, i * stride : i * stride + h, j * stride : j * stride + v]
            out[:, :, i, j] = np.tensordot(part, w, ([1, 2, 3], [1, 2, 3])) + b
    return out

def max_pool(x, size, stride):
    rows, columns = (x.shape[0] - size) // stride + 1, (x.shape[1] - size) // stride + 1
    at = [(i * stride, j * stride) for i in range(rows) for j in range(columns)]
    return np.array([x[i : i + size, j : j + size].max() for i, j in at]).reshape(rows, columns)
"""


def test_windows_move_by_the_stride():
    assert lines(WINDOWS) == {"conv": 0, "max_pool": 0}
    crept = WINDOWS.replace("i * stride : i * stride + h", "i : i + h").replace(
        "j * stride : j * stride + v", "j : j + v"
    )
    assert lines(crept) == {"conv": 8, "max_pool": 0}
    assert lines(WINDOWS.replace("[(i * stride, j * stride)", "[(i, j)")) == {"conv": 0, "max_pool": 15}
    assert lines(
        WINDOWS.replace("j * stride)", "j * stride + 0 * i)").replace("i * stride + h", "i * stride + h - 0")
    ) == {
        "conv": 0,
        "max_pool": 0,
    }


ATTENTION = """def blend(query, key, value, hidden=None):
    s = np.einsum("...id,...jd->...ij", query, key) / query.shape[-1] ** 0.5
    if hidden is not None:
        s = np.where(hidden, -1e9, s)
    s = np.exp(s - s.max(-1, keepdims=True))
    share = s / s.sum(-1, keepdims=True)
    return share @ value, share
"""


def test_the_shares_of_a_query_add_up_to_1():
    assert held(ATTENTION) == {"blend": ("what attention gives", 0)}
    turned = ATTENTION.replace("-1, keepdims", "-2, keepdims")
    assert lines(turned) == {"blend": 7}  # where two places are wrong, it is what comes back
    assert held(ATTENTION.replace("/ query.shape[-1] ** 0.5", "")) == {"blend": ("what attention gives", 0)}
    assert held(ATTENTION.replace("-1, keepdims", "keepdims")) == {}  # it may be something else


TABLED = """def table_of_classes_matrix(y_true, y_pred, n):
    M = np.zeros((n, n), int)
    np.add.at(M, (y_true, y_pred), 1)
    return M

def precision(M):
    return M.diagonal() / M.sum(0)

def recall(M):
    return M.diagonal() / M.sum(1)

def f1(M, mean=True):
    each = 2 * precision(M) * recall(M) / (precision(M) + recall(M))
    return each.mean() if mean else each

def accuracy(M):
    return M.trace() / M.sum()

def choose(found):
    return max(found, key=lambda k: np.mean(found[k]))
"""


def test_measures_may_be_of_a_table_that_another_function_makes():
    units = ["table_of_classes_matrix", "precision", "recall", "f1", "accuracy", "choose"]
    assert lines(TABLED) == dict.fromkeys(units, 0)
    turned = TABLED.replace("(y_true, y_pred), 1", "(y_pred, y_true), 1")
    assert {"precision", "accuracy"} & lines(turned).keys() == {"accuracy"}
    assert "precision" not in lines(TABLED.replace("M.sum(0)", "M.sum(1)"))
    assert "choose" not in lines(TABLED.replace("max(found", "min(found"))
    assert "recall" not in lines(TABLED.partition("def precision")[2].join(["def precision", ""]))  # no table is made
