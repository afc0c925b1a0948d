"""Curves and colours that arrive while a network trains, redrawn in place."""

import io

import numpy as np
from PIL import Image


class LiveCurves:
    """`on_epoch` for `fit`: redraws the curves and the strip in place as epochs end."""

    def __init__(self, note: str = ""):
        self.note, self.handle = note, None

    def __call__(self, history: list[dict], strip: np.ndarray) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        from colorlib.report import charts, pictures

        figures = charts.learning_curves(history, self.note), pictures.strip(strip, self.note)
        sheets = []
        for figure in figures:
            buffer = io.BytesIO()
            figure.savefig(buffer, format="png", dpi=110)
            plt.close(figure)
            sheets.append(Image.open(buffer).convert("RGB"))
        width = max(s.width for s in sheets)
        both = Image.new("RGB", (width, sum(s.height for s in sheets)), "white")
        top = 0
        for sheet in sheets:
            both.paste(sheet, ((width - sheet.width) // 2, top))
            top += sheet.height
        if self.handle is None:
            self.handle = display(both, display_id=True)
        else:
            self.handle.update(both)
