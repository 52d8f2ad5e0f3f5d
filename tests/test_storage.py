import json

import numpy as np
import pytest

from byhand import storage
from byhand.activations import Activation
from byhand.errors import ByhandError
from byhand.layers import Dense, Dropout
from byhand.network import Network

X = np.random.default_rng(0).standard_normal((5, 3))


def network(dtype=np.float64, activation="tanh"):
    return Network([Dense(3, 4, activation, seed=0, dtype=dtype), Dropout(0.5), Dense(4, 2, seed=1, dtype=dtype)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_comes_back_to_the_last_bit(tmp_path, dtype):
    before = network(dtype)
    storage.save(before, tmp_path / "net.npz")
    after = storage.load(tmp_path / "net.npz")
    assert repr(after) == repr(before)
    assert after.parameters.dtype == dtype
    np.testing.assert_array_equal(after.parameters, before.parameters)
    np.testing.assert_array_equal(after.predict(X), before.predict(X))


def test_a_users_own_activation_is_asked_for(tmp_path):
    square = Activation("square", lambda z: z**2, lambda z, a: 2 * z)
    before = network(activation=square)
    storage.save(before, tmp_path / "net.npz")
    with pytest.raises(
        storage.UnreadableNetworkError, match=r"'square': give it as load\(path, activations=\[square\]\)"
    ):
        storage.load(tmp_path / "net.npz")
    after = storage.load(tmp_path / "net.npz", activations=[square])
    np.testing.assert_array_equal(after.predict(X), before.predict(X))


def dense(n_in, n_out):
    return {"kind": "Dense", "n_in": n_in, "n_out": n_out, "activation": "relu"}


def write(path, parameters=None, **changes):
    storage.save(network(), path)
    with np.load(path) as archive:
        header, kept = json.loads(archive["header"].item()), archive["parameters"]
    np.savez(path, header=np.array(json.dumps(header | changes)), parameters=kept if parameters is None else parameters)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:300]), "or is damaged"),
        (lambda path: path.write_bytes(b""), "or is damaged"),
        (lambda path: path.write_text("W = 1"), "or is damaged"),
        (lambda path: np.savez(path, W=np.ones(3)), "holds no network"),
        (lambda path: np.savez(path, header=np.array([print], dtype=object)), "holds no network"),
        (lambda path: write(path, format="other"), "not a network saved by byhand"),
        (lambda path: write(path, version=2), "version 2 of the format, and this byhand reads version 1"),
        (lambda path: write(path, parameters=np.zeros(7)), r"need 26 finite parameters, and it holds .*\(7,\)"),
        (lambda path: write(path, parameters=np.zeros(26, dtype=np.int64)), "int64, not float32 or float64"),
        (lambda path: write(path, parameters=np.zeros(26, dtype=complex)), "complex128, not"),
        (lambda path: write(path, layers=[dense(10**9, 10**9)]), "can't be built: sizes such as 1000000000"),
        (lambda path: write(path, layers=[dense(2.5, 3)]), "a whole number"),
        (lambda path: write(path, layers=[dense("2", 3)]), "a whole number"),
        (lambda path: write(path, layers=[dense(True, 3)]), "a whole number"),
        (lambda path: write(path, layers=[dense(-27, -1)]), "can't be built"),
        (lambda path: write(path, layers=[3]), "can't be built"),
        (lambda path: write(path, layers=[{"kind": "Softplus"}]), "no layer 'Softplus'"),
        (lambda path: write(path, layers=None), "can't be built"),
        (lambda path: write(path, layers=[dense(25, 1) | {"activation": ["relu"]}]), "can't be built"),
        (lambda path: write(path, layers=[dense(25, 1), {"kind": "Dropout", "rate": "x"}]), "can't be built"),
        (lambda path: write(path, parameters=np.full(26, np.nan)), "finite"),
        (lambda path: write(path, layers=[{"kind": "Dense", "n_in": 3}]), "can't be built"),
        (lambda path: write(path, layers="Dense"), "can't be built"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path, damage, message):
    path = tmp_path / "net.npz"
    storage.save(network(), path)
    damage(path)
    with pytest.raises(storage.UnreadableNetworkError, match=message):
        storage.load(path)


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "net.npz"
    storage.save(network(), path)
    whole = path.read_bytes()
    for position in range(0, len(whole), 41):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            loaded = storage.load(path)
        except storage.UnreadableNetworkError:
            continue
        np.testing.assert_array_equal(loaded.parameters, network().parameters)


def test_saving_is_whole_or_not_at_all(tmp_path):
    with pytest.raises(ByhandError, match="there is no folder"):
        storage.save(network(), tmp_path / "nowhere" / "net.npz")
    with pytest.raises(FileNotFoundError):
        storage.load(tmp_path / "net.npz")
    storage.save(network(), tmp_path / "net")
    assert [path.name for path in tmp_path.iterdir()] == ["net"]


def test_frozen_layers_stay_frozen(tmp_path):
    before = network()
    before[0].frozen = True
    storage.save(before, tmp_path / "net.npz")
    assert [layer.frozen for layer in storage.load(tmp_path / "net.npz")] == [layer.frozen for layer in before]
