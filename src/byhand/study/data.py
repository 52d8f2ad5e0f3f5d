"""The data of a study: the library's own, or a table from a file; split into training, validation and test sets."""

from __future__ import annotations

import atexit
import hashlib
import math
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from byhand import datasets
from byhand._types import Array
from byhand.errors import ByhandError, needs_extra
from byhand.study.ensemble import chunks

Kind = Literal["xor", "two classes", "classes", "regression"]

# With fewer samples, a validation and a test set are too small to tell anything, and what they take is missed.
_WORTH_SPLITTING = 100
_MOST_CLASSES = 20
# A table of more bytes is not kept in memory but in a file.
_LARGE = 1 << 28

DATASETS: dict[str, Callable[[], tuple[Array, Array]]] = {
    "xor": datasets.xor,
    "line": lambda: datasets.line(300, seed=0),
    "circles": lambda: datasets.circles(500, seed=0),
    "moons": lambda: datasets.moons(500, noise=0.2, seed=0),
    "spirals": lambda: datasets.spirals(500, seed=0),
    "digits": datasets.digits,
}


@dataclass(frozen=True)
class Data:
    """Samples to train on, to choose by and to announce with.

    Attributes
    ----------
    name : str
        A data set of the library, or the file.
    kind : {"xor", "two classes", "classes", "regression"}
        What the targets are. Two classes are one column of 0 and 1, more are one column each.
    x, y : array, shapes (n, n_in) and (n, n_out)
        The training set.
    validation, test : (x, y) or None
        Each a fifth of the samples, when there are at least 100.
    note : str
        What was done to the table, in one sentence, or "".
    """

    name: str
    kind: Kind
    x: Array
    y: Array
    validation: tuple[Array, Array] | None = None
    test: tuple[Array, Array] | None = None
    note: str = ""

    @cached_property
    def spread(self) -> float:
        """The variance of the training targets, summed over the outputs: what the best constant answer costs."""
        return float(np.var(self.y, axis=0, dtype=np.float64).sum())

    @cached_property
    def digest(self) -> str:
        """A fingerprint of all the numbers, by which a study is known to go on with the same data."""
        digest = hashlib.sha256(self.kind.encode())
        for table in (self.x, self.y, *(self.validation or ()), *(self.test or ())):
            digest.update(str(table.shape).encode())
            for rows in chunks(table.shape):
                digest.update(np.ascontiguousarray(table[rows], dtype=np.float64).tobytes())
        return digest.hexdigest()[:16]


def read(data: Any, target: str | None = None) -> Data:
    """Data from whatever holds it: a name or file (see `load`), a data frame, an array, or arrays (x, y).

    Raises
    ------
    ByhandError
        As `load`.
    """
    if isinstance(data, Data):
        return data
    if isinstance(data, str | os.PathLike):
        return load(os.fspath(data), target)
    if hasattr(data, "columns"):
        return _from_frame(data, target)
    if target is not None:
        raise ByhandError("arrays have no named columns: the last column, or y in (x, y), is the target")
    try:
        if isinstance(data, tuple) and len(data) == 2:
            return from_arrays(np.asarray(data[0]), np.asarray(data[1]))
        table = np.asarray(data)
    except ValueError as error:
        raise ByhandError(f"the data is no table of numbers: {error}") from error
    if table.ndim != 2 or table.shape[1] < 2:
        raise ByhandError(
            f"an array of shape {table.shape}: a table of inputs with the target last, or (x, y), is needed"
        )
    return from_arrays(table[:, :-1], table[:, -1])


def _from_frame(frame: Any, target: str | None) -> Data:
    with needs_extra("study"):
        import pyarrow as pa
    try:
        if isinstance(frame, pa.Table):
            table = frame
        elif hasattr(frame, "to_arrow"):  # polars
            table = frame.to_arrow()
        else:
            table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, AttributeError) as error:
        raise ByhandError(f"cannot read the data frame: {_one_line(error)}") from error
    x, labels = _inputs_and_target(table, "the data frame", target)
    kind, y = _targets(labels)
    return prepared("data frame", kind, x, y, standardize=True)


def load(source: str, target: str | None = None) -> Data:
    """The data of that name, or in that file.

    Parameters
    ----------
    source : str
        A name in `DATASETS`; or a file: CSV (with a header, unless its first row is all numbers), Parquet, NumPy's
        .npz with arrays x and y, or .npy with a table.
    target : str, optional
        The column of a file to predict; by default the last. Text, true/false, or whole numbers of at most 20
        different values are classes; other numbers are a regression.

    Raises
    ------
    ByhandError
        If there is no such data set, file or column, or the table holds text, gaps or infinity where numbers are
        needed.
    """
    if source in DATASETS:
        if target is not None:
            raise ByhandError(f"{source} has its own target; --target names a column of a file")
        x, y = DATASETS[source]()
        if source == "xor":
            return Data("xor", "xor", x, y)
        kind: Kind = "regression" if source == "line" else "two classes" if y.shape[1] == 1 else "classes"
        return prepared(source, kind, x, y, standardize=source == "line")
    path = Path(source)
    if not path.exists():
        raise ByhandError(f"{source} is neither a file nor one of the data sets {', '.join(DATASETS)}")
    if not path.is_file():
        raise ByhandError(f"{source} is a folder: give a CSV, Parquet, .npz or .npy file")
    x, labels = _read(path, target)
    if len(x) < 2:
        raise ByhandError(f"{source} has {len(x)} rows: a study needs at least two")
    kind, y = _targets(labels)
    return prepared(source, kind, x, y, standardize=True)


def prepared(name: str, kind: Kind, x: Array, y: Array, *, standardize: bool) -> Data:
    """Split a table, and bring columns to one scale.

    The split is drawn once, with seed 0, so it is the same for all runs and all studies of this table. Mean and
    standard deviation are those of the training set.
    """
    n = len(x)
    n_held_out = n // 5 if n >= _WORTH_SPLITTING else 0
    order = np.random.default_rng(0).permutation(n)
    # Within a part the rows keep their order: a large file is then read from front to back.
    parts = [np.sort(order[2 * n_held_out :]), np.sort(order[:n_held_out]), np.sort(order[n_held_out : 2 * n_held_out])]
    notes = []
    if n_held_out:
        notes.append(f"{n} samples: {n - 2 * n_held_out} to train, {n_held_out} to choose by, {n_held_out} to announce")
    scale_x = scale_y = None
    if standardize:
        scale_x = _mean_and_spread(x, parts[0])
        notes.append("inputs scaled to mean 0 and standard deviation 1")
        if kind == "regression":
            scale_y = _mean_and_spread(y, parts[0])
            notes[-1] = "inputs and targets scaled to mean 0 and standard deviation 1"
    (x_train, y_train), validation, test = ((_taken(x, part, scale_x), _taken(y, part, scale_y)) for part in parts)
    if not n_held_out:
        return Data(name, kind, x_train, y_train, note="; ".join(notes))
    return Data(name, kind, x_train, y_train, validation, test, "; ".join(notes))


def _mean_and_spread(table: Array, rows: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """Of these rows, column by column; a column that never changes has spread 1."""
    n, parts = len(rows), list(chunks((len(rows), table.shape[1])))
    mean = sum(table[rows[part]].sum(axis=0, dtype=np.float64) for part in parts) / n
    variance = sum(np.square(table[rows[part]] - mean).sum(axis=0) for part in parts) / n
    return mean, np.where(variance > 0, np.sqrt(variance), 1.0)


def _taken(table: Array, rows: npt.NDArray[np.intp], scale: tuple[Array, Array] | None) -> Array:
    """A copy of these rows, scaled, in the table's precision; a large one in a file, which processes share."""
    shape = (len(rows), table.shape[1])
    is_large = math.prod(shape) * table.itemsize > _LARGE
    taken = _in_a_file(shape, table.dtype) if is_large else np.empty(shape, table.dtype)
    for part in chunks(shape):
        taken[part] = table[rows[part]] if scale is None else (table[rows[part]] - scale[0]) / scale[1]
    return taken


def _in_a_file(shape: tuple[int, int], dtype: np.dtype[Any]) -> Array:
    """Memory that is a file, until this process ends: joblib's workers map the same file instead of copying it."""
    needed, folder = math.prod(shape) * dtype.itemsize, tempfile.gettempdir()
    if needed > shutil.disk_usage(folder).free:
        raise ByhandError(f"no room for {needed / 1e9:.2g} GB of data in {folder}: set TMPDIR to another folder")
    descriptor, name = tempfile.mkstemp(prefix="byhand-study-")
    os.close(descriptor)
    atexit.register(Path(name).unlink, missing_ok=True)
    return np.memmap(name, dtype, "w+", shape=shape)


def _targets(labels: Array) -> tuple[Kind, Array]:
    if labels.ndim == 2:
        is_one_hot = labels.shape[1] > 1 and np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
        return ("classes" if is_one_hot else "regression"), labels
    names = np.unique(labels)
    are_numbers = np.issubdtype(labels.dtype, np.number)
    if are_numbers and (len(names) > _MOST_CLASSES or not np.equal(np.mod(labels, 1), 0).all()):
        return "regression", labels[:, None].astype(np.float64)
    if len(names) < 2:
        raise ByhandError(f"every target is {names[0]}: there is nothing to learn")
    if len(names) > _MOST_CLASSES:
        raise ByhandError(f"the target has {len(names)} different texts, such as {names[0]}: too many to be classes")
    if len(names) == 2:
        return "two classes", (labels == names[1]).astype(np.float64)[:, None]
    return "classes", (labels[:, None] == names).astype(np.float64)


def _read(path: Path, target: str | None) -> tuple[Array, Array]:
    """Inputs as numbers, shape (n, n_in), and the targets as they stand, shape (n,) or (n, n_out)."""
    if path.suffix in (".npz", ".npy"):
        return _read_numpy(path, target)
    with needs_extra("study"):
        import pyarrow as pa
        from pyarrow import csv, parquet
    try:
        if path.suffix in (".parquet", ".pq"):
            table = parquet.read_table(path)
        else:
            table = csv.read_csv(path, read_options=csv.ReadOptions(autogenerate_column_names=not _has_header(path)))
    except (pa.ArrowException, UnicodeDecodeError, OSError) as error:
        raise ByhandError(f"cannot read {path} as a table: {_one_line(error)}") from error
    return _inputs_and_target(table, str(path), target)


def _has_header(path: Path) -> bool:
    """Whether the first row names the columns: not if it holds numbers alone.

    Raises
    ------
    ByhandError
        If the file is not text.
    """
    with path.open("rb") as file:
        start = file.read(1 << 16)
    if b"\0" in start:
        raise ByhandError(f"cannot read {path} as a table: it is not text; give a CSV, Parquet, .npz or .npy file")
    first = start.decode("utf-8-sig", errors="replace").partition("\n")[0].strip()
    return not all(_is_number(cell.strip().strip('"')) for cell in first.split(","))


def _one_line(error: Exception) -> str:
    """What a library says, without line breaks and what a terminal can't show, and not at length."""
    text = "".join(c if c.isprintable() else " " for c in str(error))
    return f"{text[:200]} …" if len(text) > 200 else text


def _inputs_and_target(table: Any, where: str, target: str | None) -> tuple[Array, Array]:
    names = [str(name) for name in table.column_names]
    if table.num_rows == 0:
        raise ByhandError(f"{where} has no rows")
    if table.num_columns < 2:
        raise ByhandError(
            f"{where} has one column, {names[0]!r}: at least one input and one target are needed, with commas between"
        )
    target = names[-1] if target is None else target
    if target not in names:
        raise ByhandError(f"{where} has no column {target}; it has {', '.join(names)}")
    inputs = [_numbers(table, name, where) for name in names if name != target]
    return np.column_stack(inputs), _target_column(table, target, where)


def _target_column(table: Any, name: str, path: str) -> Array:
    import pyarrow as pa

    if pa.types.is_floating(table[name].type) or pa.types.is_integer(table[name].type):
        return _numbers(table, name, path)
    column = table[name].to_pylist()
    if None in column or "" in column:
        row = min(column.index(gap) for gap in (None, "") if gap in column)
        raise ByhandError(f"{path}: column {name} has a gap in row {row + 1}: drop such rows or fill them in")
    return np.array([str(value) for value in column])


def _numbers(table: Any, name: str, path: str) -> Array:
    import pyarrow as pa

    column = table[name]
    kind = column.type
    if pa.types.is_null(kind):
        raise ByhandError(f"{path}: column {name} is empty: remove it")
    if not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)):
        row, value = next((i, v) for i, v in enumerate(column.to_pylist(), 1) if not _is_number(v))
        raise ByhandError(
            f"{path}: column {name} holds text ({value!r} in row {row}), and a network takes numbers: remove the "
            "column or code it as numbers"
        )
    values = column.cast(pa.float64()).to_numpy()
    return _finite(values, f"{path}: column {name}")


def _is_number(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _finite(values: Array, where: str) -> Array:
    bad = [
        rows.start + np.flatnonzero(~np.isfinite(values[rows]).reshape(len(values[rows]), -1).all(axis=1))
        for rows in chunks(values.shape)
    ]
    count = sum(map(len, bad))
    if count:
        more = f" and in {count - 1} more" if count > 1 else ""
        raise ByhandError(
            f"{where} has a gap, NaN or infinity in row {np.concatenate(bad)[0] + 1}{more}: drop such rows or "
            "fill them in"
        )
    return values


def _read_numpy(path: Path, target: str | None) -> tuple[Array, Array]:
    if target is not None:
        raise ByhandError(f"{path} has no named columns: the arrays x and y, or the last column, say what is what")
    try:
        loaded = np.load(path, allow_pickle=False, mmap_mode="r")
        if path.suffix == ".npz":
            missing = {"x", "y"} - set(loaded.files)
            if missing:
                raise ByhandError(f"{path} has no array {' and '.join(sorted(missing))}; it has {loaded.files}")
            x, y = loaded["x"], loaded["y"]
        else:
            x, y = (loaded[:, :-1], loaded[:, -1]) if loaded.ndim == 2 else (loaded, loaded)
    except (ValueError, OSError, EOFError, BadZipFile) as error:
        raise ByhandError(f"cannot read {path}: it is damaged, or no file of NumPy's with arrays of numbers") from error
    return _checked_arrays(str(path), x, y)


def _checked_arrays(where: str, x: Array, y: Array) -> tuple[Array, Array]:
    if x.ndim != 2 or min(x.shape) < 1 or y.ndim not in (1, 2) or len(x) != len(y):
        raise ByhandError(f"{where}: x of shape {x.shape} and y of shape {y.shape}; (n, inputs) and (n,) are needed")
    if not np.issubdtype(x.dtype, np.number) or np.iscomplexobj(x):
        raise ByhandError(f"{where}: the inputs are of type {x.dtype}, and a network takes numbers")
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if np.issubdtype(y.dtype, np.number):
        y = _finite(y.astype(np.float64), f"{where}: y")
    x = x if x.dtype == np.float32 else x.astype(np.float64, copy=False)
    return _finite(x, f"{where}: x"), y


def from_arrays(x: Any, y: Any) -> Data:
    """Data from arrays, as from a .npz file with them.

    Raises
    ------
    ByhandError
        As `load`.
    """
    inputs, labels = _checked_arrays("arrays", np.asarray(x), np.asarray(y))
    kind, targets = _targets(labels)
    return prepared("arrays", kind, inputs, targets, standardize=True)
