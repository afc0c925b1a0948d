"""Curves and colours that arrive while a network trains, redrawn in place."""

import numpy as np


class LiveCurves:
    """`on_epoch` for `fit`: redraws the curves and the strip in place as epochs end."""

    def __init__(self, note: str = ""):
        self.note = note
        self.handles: list = []

    def __call__(self, history: list[dict], strip: np.ndarray) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        from colorlib.report import charts, pictures

        figures = charts.learning_curves(history, self.note), pictures.strip(strip, self.note)
        if not self.handles:
            self.handles = [display(figure, display_id=True) for figure in figures]
        else:
            for handle, figure in zip(self.handles, figures, strict=True):
                handle.update(figure)
        for figure in figures:
            plt.close(figure)
