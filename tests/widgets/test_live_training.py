import IPython.display
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from colorlib.widgets.live_training import LiveCurves


class Handle:
    def __init__(self, shown):
        self.shown = [shown]

    def update(self, figure):
        self.shown.append(figure)


def test_each_epoch_redraws_the_curves_and_the_strip_in_place(images, monkeypatch):
    handles = []

    def display(figure, display_id):
        handles.append(Handle(figure))
        return handles[-1]

    monkeypatch.setattr(IPython.display, "display", display)
    live, history = LiveCurves("a note"), []
    for epoch in (1, 2):
        row = {"epoch": epoch, "train_loss": 3.0, "validation_loss": 3.0}
        history.append(row | {"psnr": 20.0, "raw_auc": 0.9})
        live(history, np.stack([images[:8]] * (epoch + 2)))
    assert [len(handle.shown) for handle in handles] == [2, 2]
    assert all(isinstance(figure, Figure) for handle in handles for figure in handle.shown)
    (line,) = handles[0].shown[1].axes[1].lines
    assert len(line.get_xdata()) == 2 and not plt.get_fignums()
