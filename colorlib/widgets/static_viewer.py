"""A small browser of precomputed images in one piece of HTML: where no kernel runs."""

import base64
import hashlib
import html
import io
import json

import numpy as np
from PIL import Image

from colorlib.color import to_gray
from colorlib.datasets.arrays import to_images, to_tensor
from colorlib.model import ColorNet, colorize

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
SHOWN = 10  # images
SIDE = 160  # pixels on the page

# %(id)s and the like are filled in; the picture alone is shown where scripts do not run (GitHub)
PAGE = """<div id="%(id)s" style="font:13px sans-serif;color:#222;background:#fff;max-width:560px">
<img class="still" alt="%(alt)s" width="560" style="image-rendering:pixelated" src="%(source)s">
<p class="still">Left to right: input, vividness 0 to 1, original.</p>
<div class="live" hidden>
<div style="display:flex;gap:8px;flex-wrap:wrap">%(views)s</div>
<p class="name" style="margin:6px 0"></p>
<label>image <input class="which" type="range" min="0" max="%(last)d" value="0"></label>
<label>vividness <input class="level" type="range" min="0" max="%(top)d" value="0"></label>
</div></div>
<script>document.querySelectorAll("#%(id)s").forEach(function (box) {
  var names = %(names)s, levels = %(levels)s;
  var views = box.querySelectorAll(".view"), which = box.querySelector(".which");
  var level = box.querySelector(".level"), columns = levels.length + 2;
  function show() {
    var i = +which.value, v = +level.value, at = [0, 1 + v, columns - 1];
    views.forEach(function (view, k) {
      view.style.backgroundPosition = -at[k] * %(side)d + "px " + -i * %(side)d + "px";
    });
    box.querySelector(".name").textContent = names[i] + ", vividness " + levels[v];
  }
  var source = "url('" + box.querySelector("img.still").src + "')";
  views.forEach(function (view) { view.style.backgroundImage = source; });
  box.querySelectorAll(".still").forEach(function (part) { part.hidden = true; });
  box.querySelector(".live").hidden = false;
  which.oninput = level.oninput = show;
  show();
});</script>"""
VIEW = """<figure style="margin:0"><div class="view" style="width:%(side)dpx;height:%(side)dpx;
image-rendering:pixelated;background-size:%(wide)dpx auto"></div>
<figcaption>%(title)s</figcaption></figure>"""


def viewer(images: np.ndarray, model: ColorNet, given="value", names=None) -> str:
    """HTML with two sliders over the first images, each coloured at five levels of vividness.

    It needs no Python and nothing from another host; without scripts a still picture shows the
    same. names: what each image is called.
    """
    images = images[:SHOWN]
    names = names or [f"image {i}" for i in range(len(images))]
    sheet = base64.b64encode(contact_sheet(images, model, given)).decode()
    source = f"data:image/jpeg;base64,{sheet}"
    columns = len(LEVELS) + 2
    fill = {"side": SIDE, "wide": SIDE * columns, "source": source}
    titles = (f"input: {given}", "prediction", "original")
    views = "".join(VIEW % (fill | {"title": title}) for title in titles)
    levels = [f"{level:g}" for level in LEVELS]
    alt = html.escape("Test images, each as the input, coloured at five levels, and the original")
    listed = json.dumps(names[: len(images)]).replace("<", "\\u003c")
    key = hashlib.sha256((sheet + listed).encode()).hexdigest()[:8]  # a page may hold others
    fill |= {"id": f"viewer-{key}", "alt": alt, "views": views, "last": len(images) - 1}
    return PAGE % (fill | {"top": len(LEVELS) - 1, "names": listed, "levels": json.dumps(levels)})


def contact_sheet(images: np.ndarray, model: ColorNet, given: str) -> bytes:
    """A JPEG with a row an image: the input, each level of vividness, the original."""
    truth = to_tensor(images)
    gray = to_gray(truth, given)
    columns = [gray.expand(-1, 3, -1, -1), *(colorize(model, gray, given, v) for v in LEVELS)]
    rows = np.concatenate([*(to_images(column) for column in columns), images], axis=2)
    body = io.BytesIO()
    Image.fromarray(rows.reshape(-1, *rows.shape[2:])).save(body, "JPEG", quality=92, subsampling=0)
    return body.getvalue()
