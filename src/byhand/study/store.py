"""The folder of a study: its definition, the finished blocks, and in the end the table of runs and the report.

Each block is a file that is written whole or not at all, so whatever stops a study, the finished ones count.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import byhand
from byhand.errors import ByhandError, needs_extra
from byhand.files import write_bytes, write_text
from byhand.study.plan import Plan
from byhand.study.runs import Columns

with needs_extra("study"):
    import pyarrow as pa
    from pyarrow import parquet

if TYPE_CHECKING:
    from collections.abc import Iterable

# A row of the table with its forty losses, once in its block and once in the whole table: measured, rounded up.
_BYTES_A_RUN = 2 * 200


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

    def finished(self) -> dict[int, pa.Table]:
        """The blocks that are there, by number; what cannot be read counts as missing."""
        found = {}
        for file in self.blocks.glob("*.parquet"):
            if re.fullmatch(r"\d+", file.stem):
                try:
                    found[int(file.stem)] = parquet.read_table(file)
                except (pa.ArrowException, OSError):
                    continue
        return found

    def save(self, number: int, columns: Columns) -> pa.Table:
        """Keep a finished block; give it back as it will be read again, to the same bytes of the table of runs."""
        data = to_parquet(to_table(columns))
        write_bytes(self.blocks / f"{number:06}.parquet", data)
        return parquet.read_table(io.BytesIO(data))

    def complete(self, runs: pa.Table) -> None:
        """Write the table of all runs; the blocks are no longer needed then, but for a later --resume."""
        write_bytes(self.folder / "runs.parquet", to_parquet(runs))


def to_table(columns: Columns) -> pa.Table:
    """The columns of a block as an Arrow table; epochs_to_threshold is null for a run that never got there."""
    arrays: dict[str, Any] = {}
    for name, values in columns.items():
        if name == "losses":
            flat = pa.array(values.ravel())
            arrays[name] = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        elif name == "epochs_to_threshold":
            arrays[name] = pa.array(values, mask=values < 0)
        elif values.dtype.kind == "U":
            arrays[name] = pa.array(values.tolist()).dictionary_encode()
        else:
            arrays[name] = pa.array(values)
    return pa.table(arrays)


def join(plan: Plan, tables: Iterable[pa.Table]) -> pa.Table:
    """The table of all runs, in their order, with all that is needed to repeat each."""
    runs = pa.concat_tables(tables).unify_dictionaries().combine_chunks().sort_by("run")
    same_for_all = {
        "data": plan.data.name,
        "data_fingerprint": plan.data.digest,
        "sizes": "-".join(map(str, plan.sizes)),
        "output_activation": plan.output or "the same",
        "optimizer": plan.optimizer,
        "loss": plan.loss,
        "batch_size": plan.batch_size,
        "epochs": plan.epochs,
        "threshold": plan.threshold,
        "byhand": byhand.__version__,
        "numpy": np.__version__,
    }
    for name, value in same_for_all.items():
        column = pa.array([value] * runs.num_rows, type=pa.int64() if name == "batch_size" else None)
        runs = runs.append_column(name, column.dictionary_encode() if isinstance(value, str) else column)
    # The epochs (from 0) of the numbers in `losses`.
    return runs.replace_schema_metadata({"losses_epochs": json.dumps(plan.recorded)})


def to_parquet(table: pa.Table) -> bytes:
    """The bytes of a Parquet file, the same for the same table."""
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def room_needed(plan: Plan, folder: Path) -> tuple[int, int]:
    """How many bytes the study will take, and how many are free where it goes."""
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return plan.n_runs * _BYTES_A_RUN, shutil.disk_usage(existing).free
