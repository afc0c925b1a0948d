"""Curves and colours that arrive while a network trains, redrawn in place."""

import numpy as np


class LiveCurves:
    """`on_epoch` for `fit`: redraws the curves and the strip in place as epochs end."""

    def __init__(self, note: str = ""):
        self.note, self.handles = note, []

    def __call__(self, history: list[dict], strip: np.ndarray) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        from colorlib.report import charts, pictures

        figures = charts.learning_curves(history, self.note), pictures.strip(strip, self.note)
        for handle, figure in zip(self.handles, figures, strict=False):  # none the first time
            handle.update(figure)
        self.handles = self.handles or [display(f, display_id=True) for f in figures]
        for figure in figures:
            plt.close(figure)
