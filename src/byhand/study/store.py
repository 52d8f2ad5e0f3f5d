"""The folder of a study: its definition, the finished blocks, and in the end the table of runs and the report.

Each block is a file that is written whole or not at all, so whatever stops a study, the finished ones count.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import byhand
from byhand.errors import ByhandError, needs_extra
from byhand.files import write_bytes, write_text
from byhand.study.plan import Block, Plan, names_by_layer
from byhand.study.runs import FATES, Columns

with needs_extra("study"):
    import pyarrow as pa
    from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# A row of the table with its forty losses, once in its block and once in the whole table: measured, rounded up.
_BYTES_A_RUN = 2 * 200
# Blocks are put together until they have so many rows.
_ROW_GROUP = 1 << 16


class Store:
    """A folder that belongs to one study.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    plan : Plan
    resume : bool
        Whether to go on with what is in the folder.

    Raises
    ------
    ByhandError
        If the folder cannot be used: it holds another study, this one without `resume`, or something else.
    """

    def __init__(self, folder: Path, plan: Plan, *, resume: bool) -> None:
        self.folder, self.plan = folder, plan
        self.definition = folder / "study.json"
        self.blocks = folder / "blocks"
        if folder.exists() and not folder.is_dir():
            raise ByhandError(f"{folder} is a file: give a folder with --out")
        if self.definition.exists():
            self._check_same_study()
            if not resume:
                raise ByhandError(
                    f"{folder} holds this study already: --resume to go on with it, or another folder with --out"
                )
        elif folder.exists() and any(folder.iterdir()):
            raise ByhandError(f"{folder} holds something that is no study: give a new folder with --out")

    def _check_same_study(self) -> None:
        try:
            there = json.loads(self.definition.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ByhandError(f"cannot read {self.definition}: {error}; give another folder with --out") from error
        ours = json.loads(self.plan.definition_json())
        differing = [name for name in ours if not isinstance(there, dict) or there.get(name) != ours[name]]
        if differing:
            raise ByhandError(
                f"{self.folder} holds another study (a different {differing[0].replace('_', ' ')}): "
                "give another folder with --out"
            )

    def begin(self) -> None:
        """Make the folder, and write down what the study is."""
        try:
            self.blocks.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ByhandError(f"cannot write to {self.folder}: {(error.strerror or str(error)).lower()}") from error
        if not self.definition.exists():
            write_text(self.definition, self.plan.definition_json())

    def finished(self) -> list[Block]:
        """The blocks that are there; what cannot be read counts as missing."""
        return [block for block in self.plan.blocks() if self._is_there(block)]

    def _is_there(self, block: Block) -> bool:
        file = self._file(block)
        if not file.exists():
            return False
        try:
            return bool(parquet.read_table(file).num_rows == block.stop - block.start)
        except (pa.ArrowException, OSError):
            return False

    def _file(self, block: Block) -> Path:
        return self.blocks / f"{block.number:06}.parquet"

    def save(self, block: Block, table: pa.Table) -> None:
        """Keep a finished block."""
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression="zstd")
        write_bytes(self._file(block), buffer.getvalue())

    def read(self, block: Block, columns: Sequence[str] | None = None) -> pa.Table:
        """A finished block, or some columns of it."""
        # `read_table` would take 100 MB more, for data sets of many files and for threads.
        with parquet.ParquetFile(self._file(block)) as file:
            return file.read(columns=columns, use_threads=False)

    def complete(self) -> Path:
        """Write the table of all runs, block after block, and give its file; the blocks stay for a later --resume."""
        target = self.folder / "runs.parquet"
        part = target.with_name(f".{target.name}.part")
        try:
            _write_joined(part, (self.read(block) for block in self.plan.blocks()), self.plan)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            raise ByhandError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
        finally:
            part.unlink(missing_ok=True)
        pa.default_memory_pool().release_unused()  # what Arrow had for that it would keep
        return target


def _write_joined(path: Path, tables: Iterable[pa.Table], plan: Plan) -> None:
    writer, waiting, rows = None, [], 0
    try:
        for table in tables:
            writer = writer or parquet.ParquetWriter(
                path, table.schema.with_metadata(_metadata(plan)), compression="zstd"
            )
            waiting.append(table)
            rows += table.num_rows
            if rows >= _ROW_GROUP:
                writer.write_table(joined(waiting, plan))
                waiting, rows = [], 0
        if writer is not None and waiting:
            writer.write_table(joined(waiting, plan))
    finally:
        if writer is not None:
            writer.close()


def joined(tables: Sequence[pa.Table], plan: Plan) -> pa.Table:
    """Blocks as one table."""
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    return table.replace_schema_metadata(_metadata(plan))


def _metadata(plan: Plan) -> dict[str, str]:
    # The epochs (from 0) of the numbers in `losses`.
    return {"losses_epochs": json.dumps(plan.recorded)}


class Runs:
    """The table of all runs, in their order: in memory, or in a Parquet file that is read as far as it is asked for.

    Parameters
    ----------
    source : pyarrow.Table or Path
    """

    def __init__(self, source: pa.Table | Path) -> None:
        self.source = source

    def table(self) -> pa.Table:
        """All of it."""
        return parquet.read_table(self.source) if isinstance(self.source, Path) else self.source

    def rows(self, start: int, stop: int, column: str) -> pa.ChunkedArray:
        """One column of some runs."""
        if not isinstance(self.source, Path):
            return self.source[column].slice(start, stop - start)
        with parquet.ParquetFile(self.source) as file:
            ends = np.cumsum([file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)])
            groups = range(int(np.searchsorted(ends, start, "right")), int(np.searchsorted(ends, stop, "left")) + 1)
            before = int(ends[groups[0] - 1]) if groups[0] else 0
            return file.read_row_groups(list(groups), columns=[column])[column].slice(start - before, stop - start)


def to_table(plan: Plan, block: Block, columns: Columns) -> pa.Table:
    """A block as an Arrow table, each row with all that is needed to repeat its run.

    epochs_to_threshold is null for a run that never got there.
    """
    n, way = block.stop - block.start, block.way
    arrays: dict[str, Any] = {
        "run": pa.array(np.arange(block.first_run, block.first_run + n)),
        "activation": _constant(way.activation, n),
        "initializer": _constant(way.initializer, n),
    }
    for name, values in columns.items():
        if name == "losses":
            arrays[name] = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        elif name == "epochs_to_threshold":
            arrays[name] = pa.array(values, mask=values < 0)
        elif name == "fate":
            arrays[name] = pa.DictionaryArray.from_arrays(pa.array(values), list(FATES))
        else:
            arrays[name] = pa.array(values)
    same_for_all = {
        "data": plan.data.name,
        "data_fingerprint": plan.data.digest,
        "sizes": "-".join(map(str, plan.sizes(way))),
        "layer_activations": "/".join(names_by_layer(way.activation, len(way.hidden) + 1, plan.output)),
        "optimizer": way.optimizer,
        "loss": way.loss,
        "measure": plan.measure,
        "schedule": way.schedule or "none",
        "dropout": f"{way.dropout:g}",
        "penalty": way.penalty or "none",
        "precision": plan.precision,
        "byhand": byhand.__version__,
        "numpy": np.__version__,
    }
    arrays |= {name: _constant(text, n) for name, text in same_for_all.items()}
    for name, number in (("batch_size", way.batch_size), ("epochs", plan.epochs), ("patience", plan.patience)):
        arrays[name] = pa.array([number] * n, pa.int64())
    arrays["max_norm"] = pa.array([way.max_norm] * n, pa.float64())
    arrays["threshold"] = pa.array(np.full(n, plan.threshold))
    return pa.table(arrays)


def _constant(text: str, n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, dtype=np.int32)), [text])


def room_needed(plan: Plan, folder: Path) -> tuple[int, int]:
    """How many bytes the study will take, and how many are free where it goes."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return plan.n_runs * _BYTES_A_RUN, shutil.disk_usage(existing).free
