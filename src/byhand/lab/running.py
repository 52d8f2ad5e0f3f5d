"""To run a notebook in a kernel of its own, away from the user's settings."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from byhand.errors import ByhandError, needs_extra
from byhand.lab.notebooks import question_titles

with needs_extra("lab"):
    from ipykernel.kernelspec import make_ipkernel_cmd
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat import NotebookNode

OnQuestion = Callable[[str, int, int], None]

_silent = logging.getLogger("byhand.lab.kernel")
_silent.disabled = True


class _ThisPython(KernelSpecManager):
    """Knows one kernel: the interpreter that runs byhand, whatever `python3` the user has registered."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        # The collector would look through the libraries' hundred thousands of objects again and again.
        seldom = "--IPKernelApp.exec_lines=__import__('gc').set_threshold(100_000)"
        argv = make_ipkernel_cmd(extra_arguments=[seldom])
        return KernelSpec(argv=argv, display_name="byhand", language="python")


def run(notebook: NotebookNode, on_question: OnQuestion, *, graded: bool = False) -> None:
    """Run every cell, from top to bottom, and keep the outputs in the notebook.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook; its code cells receive their outputs.
    on_question : callable
        Called as ``on_question(title, index, count)`` when question `index` (from 1) of `count` begins.
    graded : bool, default False
        What is not done yet is an error, as when nbgrader grades.

    Raises
    ------
    ByhandError
        When a cell fails or the kernel dies; the message names the question.
    """
    count = sum(len(question_titles(cell)) for cell in notebook.cells)
    index, title = 0, "the start"
    with tempfile.TemporaryDirectory(prefix="byhand-") as name:
        folder = Path(name)
        log = folder / "kernel.log"
        client = _client(notebook, folder)
        try:
            with (
                log.open("wb") as messages,
                client.setup_kernel(
                    cwd=name,
                    env=_environment(folder, graded),
                    stdout=subprocess.DEVNULL,
                    stderr=messages,
                    cleanup_kc=True,
                ),
            ):
                for position, cell in enumerate(notebook.cells):
                    for title in question_titles(cell):
                        index += 1
                        on_question(title, index, count)
                    client.execute_cell(cell, position, execution_count=client.code_cells_executed + 1)
        except CellExecutionError as error:
            message = error.evalue if error.evalue.startswith(title) else f"{title}: {error.ename}: {error.evalue}"
            raise ByhandError(f"the practical stopped at {_first_line(message)}") from error
        except RuntimeError as error:
            said = [line for line in log.read_text(errors="replace").splitlines() if line and line[0] != "["]
            why = f"; it said: {said[-1]}" if said else ", perhaps for want of memory; try again"
            raise ByhandError(f"the notebook's kernel died at {title}{why}") from error


def _client(notebook: NotebookNode, folder: Path) -> NotebookClient:
    manager = AsyncKernelManager(
        kernel_spec_manager=_ThisPython(), connection_file=str(folder / "kernel.json"), log=_silent
    )
    return NotebookClient(notebook, km=manager, log=_silent, timeout=None, record_timing=False, coalesce_streams=True)


def _environment(folder: Path, graded: bool) -> dict[str, str]:
    """Keep out what would make the run differ from machine to machine: IPython's profile, matplotlib's settings."""
    (folder / "matplotlibrc").touch()  # the kernel starts in this folder, so matplotlib reads this one
    environment = dict(
        os.environ,
        IPYTHONDIR=str(folder / "ipython"),
        MPLBACKEND="module://matplotlib_inline.backend_inline",
        OPENBLAS_NUM_THREADS="1",  # small products: several threads only wait for each other
        PYTHONHASHSEED="0",
    )
    if path := os.environ.get("PYTHONPATH"):  # the kernel starts in another folder
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in path.split(os.pathsep))
    environment.pop("NBGRADER_EXECUTION", None)
    return environment | ({"NBGRADER_EXECUTION": "validate"} if graded else {})


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]
