"""The demo that this site replaces, made again: Flask, Pillow, and Keras for each request.

    python -m benchmarks.site.rulers.demo PORT

It needs Flask, which the site does not: pip install flask
"""

from __future__ import annotations

import base64
import importlib
import io
import sys
from typing import Any

import numpy as np
from PIL import Image

from recognizer.inference.classifier import BUNDLED, DIGITS

PATH = "/predict"


def main() -> None:
    flask, keras = importlib.import_module("flask"), importlib.import_module("keras")
    model = keras.saving.load_model(BUNDLED / "model.keras", compile=False)
    app = flask.Flask(__name__)

    @app.post(PATH)  # type: ignore[untyped-decorator]
    def predict() -> dict[str, Any]:
        file = base64.b64decode(flask.request.get_json()["image"].partition(",")[2])
        image = Image.open(io.BytesIO(file)).convert("L").resize((28, 28))
        pixels = 1 - np.asarray(image, np.float32) / 255
        logits = model.predict(pixels[None, :, :, None], verbose=0)["logits"][0, :DIGITS]
        return {"digit": int(logits.argmax()), "logits": logits.tolist()}

    app.run(port=int(sys.argv[1]))


if __name__ == "__main__":
    main()
