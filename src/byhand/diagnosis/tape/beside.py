"""What a program meets: the modules beside it, and stand-ins for what only draws, shows or is not there."""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from byhand.diagnosis.tape.calls import Recorder
from byhand.diagnosis.tape.rewrite import TAPE, literals, rewrite

DRAWING = {"matplotlib", "mpl_toolkits", "pylab", "seaborn", "plotly", "IPython", "graphviz", "pydot", "visdom"}
PROGRESS = {"tqdm", "progressbar", "alive_progress"}
HEAVY = {"tensorflow", "keras", "torch", "torchvision", "pandas", "numba", "cv2", "PIL", "imageio", "sklearn", "scipy"}


class _Nothing:
    """Takes every call and attribute, and does nothing."""

    def __call__(self, *args: Any, **kw: Any) -> Any:
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _DRAWN.get(name, self)

    def __getitem__(self, k: Any) -> _Nothing:
        return self

    def __setitem__(self, k: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *error: object) -> None:
        pass


_NOTHING = _Nothing()


def _subplots(nrows: int = 1, ncols: int = 1, *args: Any, squeeze: bool = True, **kw: Any) -> tuple[Any, Any]:
    axes = np.empty((nrows, ncols), dtype=object)
    for where in np.ndindex(axes.shape):
        axes[where] = _NOTHING
    if not squeeze:
        return _NOTHING, axes
    return _NOTHING, axes.item() if axes.size == 1 else axes.squeeze()


_DRAWN = {
    "subplots": _subplots,
    "plot": lambda *args, **kw: [_NOTHING],
    "hist": lambda *args, **kw: (np.zeros(1), np.zeros(2), _NOTHING),
    "get_xlim": lambda *args: (0.0, 1.0),
    "get_ylim": lambda *args: (0.0, 1.0),
    "FuncAnimation": lambda *args, **kw: _NOTHING,
}


class _Progress:
    """A progress bar that isn't seen: the elements of what it runs over."""

    def __init__(self, iterable: Iterable[Any] = (), *args: Any, **kw: Any) -> None:
        self.iterable = iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable)  # type: ignore[arg-type]

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kw: None


class _Silent(ModuleType):
    """A module in which everything is there and does nothing."""

    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _DRAWN.get(name, _NOTHING)


class _Bars(ModuleType):
    """tqdm and its like."""

    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return (lambda *n, **kw: _Progress(range(*n))) if name in ("trange", "tnrange") else _Progress


class _Absent(ModuleType):
    """A module that isn't installed: nothing is wrong until something of it is used."""

    __path__: list[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("njit", "jit"):
            return lambda f=None, **kw: f if callable(f) else lambda g: g
        if name[0].isupper():  # others may ask whether something is an instance of it
            return type(name, (), {"__init__": _Missing(self.__name__).__call__})
        return _Missing(self.__name__)


class _Missing:
    def __init__(self, module: str) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kw: Any) -> Any:
        raise ModuleNotFoundError(f"No module named {self.module!r}", name=self.module)


class _StandIn:
    """Loads a stand-in."""

    def __init__(self, kind: type[ModuleType]) -> None:
        self.kind = kind

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self.kind(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Rewritten:
    """Loads a module beside the script, rewritten as the script is."""

    def __init__(self, world: World, path: Path) -> None:
        self.world, self.path = world, path

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        pass

    def exec_module(self, module: ModuleType) -> None:
        source = self.path.read_text(encoding="utf-8-sig")
        self.world.recorder.modules.add(module.__name__)
        file = self.path.relative_to(self.world.folder).as_posix()
        exec(self.world.compile(source, str(self.path), file), self.world.furnish(module.__dict__))


class World:
    """What a program finds around it; entered and left as a context.

    Parameters
    ----------
    recorder : Recorder
        Who listens.
    folder : Path
        Where the program's modules lie.
    plain : bool
        Whether its text is left as it is, and nothing recorded.
    """

    def __init__(self, recorder: Recorder, folder: Path, *, plain: bool = False) -> None:
        self.recorder, self.folder, self.plain = recorder, folder, plain
        self.targets: dict[str, dict[int, str]] = {}
        self.texts: dict[str, str] = {}

    def compile(self, source: str, filename: str, file: str) -> Any:
        """The code of a file, rewritten."""
        self.recorder.files[filename] = file
        if self.plain:
            return compile(source, filename, "exec")
        code, self.targets[file] = rewrite(source, filename, file)
        self.texts[file] = source
        self.recorder.values.literals.update((id(x), x) for x in literals(code))
        return code

    def furnish(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """The namespace, with the recorder and what notebooks have at hand among its builtins."""
        namespace["__builtins__"] = {
            **vars(builtins),
            TAPE: self.recorder,
            "get_ipython": lambda: _NOTHING,
            "display": lambda *args, **kw: None,
            "input": lambda prompt="": "1",
        }
        return namespace

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        """How a module is to be loaded, as `sys.meta_path` asks; None leaves it to Python."""
        top = name.partition(".")[0]
        if (found := self._beside(name, path)) is not None:
            return found
        kind: type[ModuleType] | None = _Silent if top in DRAWING else _Bars if top in PROGRESS else None
        if (kind is None and top in HEAVY and top == name and self._is_asked() and not _is_installed(top)) or (
            kind is None and top in HEAVY and isinstance(sys.modules.get(top), _Absent)
        ):
            kind = _Absent
        if kind is None:
            return None
        loader: Any = _StandIn(kind)
        return importlib.machinery.ModuleSpec(name, loader, is_package=True)

    def _is_asked(self) -> bool:
        """Whether the program itself imports something now: a library that does has its own way without."""
        frame: Any = sys._getframe(2)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename in self.recorder.files

    def _beside(self, name: str, path: Sequence[str] | None) -> importlib.machinery.ModuleSpec | None:
        for folder in [self.folder] if path is None else map(Path, path):
            if not folder.is_relative_to(self.folder):
                continue
            last = name.rpartition(".")[2]
            package = folder / last / "__init__.py"
            file = package if package.is_file() else folder / f"{last}.py"
            if file.is_file():
                return importlib.util.spec_from_file_location(
                    name,
                    file,
                    loader=_Rewritten(self, file),  # type: ignore[arg-type]
                    submodule_search_locations=[str(file.parent)] if file is package else None,
                )
        return None

    def __enter__(self) -> World:
        self._modules = dict(sys.modules)
        tops = DRAWING | PROGRESS | {path.stem for path in self.folder.glob("*")} - {"__main__"}
        tops -= sys.stdlib_module_names | {"numpy", "byhand", "pytest"}
        for name in list(sys.modules):
            if name.partition(".")[0] in tops:
                del sys.modules[name]
        self._path, self._argv, self._limit = list(sys.path), list(sys.argv), sys.getrecursionlimit()
        sys.path.insert(0, str(self.folder))
        sys.meta_path.insert(0, self)
        sys.setrecursionlimit(self._limit * 3)
        return self

    def __exit__(self, *error: object) -> None:
        sys.meta_path.remove(self)
        sys.path[:], sys.argv[:] = self._path, self._argv
        sys.setrecursionlimit(self._limit)
        for name in set(sys.modules) - set(self._modules):
            loader = getattr(getattr(sys.modules[name], "__spec__", None), "loader", None)
            if isinstance(loader, _Rewritten | _StandIn):
                del sys.modules[name]
        sys.modules.update(self._modules)


def _is_installed(name: str) -> bool:
    return importlib.machinery.PathFinder.find_spec(name) is not None
