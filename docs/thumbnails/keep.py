"""Keep the pictures that `make gallery` has drawn, small, for `make docs` to show."""

from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
DRAWN = HERE.parent / "auto_examples" / "images" / "thumb"

for path in sorted(DRAWN.glob("sphx_glr_*_thumb.png")):
    name = path.stem.removeprefix("sphx_glr_").removesuffix("_thumb")
    # Some dozen colours do for lines and bars, at a quarter of the size.
    picture = Image.open(path).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    picture.save(HERE / f"{name}.png", optimize=True)
