"""A matplotlib backend that saves what is shown, for code that runs where nobody looks."""

from __future__ import annotations

import os
from pathlib import Path

from matplotlib._pylab_helpers import Gcf
from matplotlib.backend_bases import FigureManagerBase
from matplotlib.backends.backend_agg import FigureCanvasAgg

_MOST = 20


class FigureManager(FigureManagerBase):
    """Shows a figure by saving it to the folder that `BYHAND_FIGURES` names, if it names one."""

    @classmethod
    def pyplot_show(cls, *, block: bool | None = None) -> None:
        """Save all figures, 20 at most in all, and close them."""
        folder = os.environ.get("BYHAND_FIGURES")
        for manager in Gcf.get_all_fig_managers():
            if folder:
                Path(folder).mkdir(exist_ok=True)
                number = len(list(Path(folder).iterdir()))
                if number < _MOST:
                    manager.canvas.figure.savefig(Path(folder) / f"{number:03}.png", dpi=80)
        Gcf.destroy_all()


class FigureCanvas(FigureCanvasAgg):
    """Draws with Agg, without a window."""

    manager_class = FigureManager
