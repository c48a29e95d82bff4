"""Draw the architectures as SVG beside this file: `python docs/diagrams/draw.py`.

Time runs from left to right, three steps of it; data run from the bottom to the top.
"""

from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).parent

COLUMN, ROW, BOX = 76, 46, (58, 22)
ENCODER, LATENT, DECODER = 50, 312, 420  # abscissae of the first column, or of the only one
N_STEPS = 3
SUBSCRIPTS = "₁₂₃"
FILLS = {"data": "#ffffff", "encoder": "#cfe2f3", "latent": "#f9dfae", "decoder": "#d5ead3"}


@dataclass(frozen=True)
class Architecture:
    """What there is to see of an architecture; the names are those of the detector's parameters."""

    hidden_size: tuple[int, ...] = (64,)
    bottleneck: str = "mean"
    decoder: str | None = "repeat"
    bidirectional: str | bool = False
    skip_connection: bool = False
    head: str = "linear"
    forecasts: bool = False
    n_observed: int = N_STEPS
    notes: dict[str, str] = field(default_factory=dict)


ARCHITECTURES = {
    "S1": Architecture(bottleneck="last"),
    "S2": Architecture(bottleneck="sequence"),
    "S3": Architecture(bidirectional="encoder"),
    "S4": Architecture(hidden_size=(128, 128), notes={"between": "dropout"}),
    "S5": Architecture(bidirectional="both"),
    "S6": Architecture(),
    "S7": Architecture(n_observed=2),
    "S8": Architecture(hidden_size=(64, 32), bottleneck="sequence"),
    "S9": Architecture(bottleneck="max"),
    "S10": Architecture(head="sigmoid"),
    "S11": Architecture(notes={"input": "each step: variables × features, flattened"}),
    "S12": Architecture(decoder=None, forecasts=True),
    "S13": Architecture(decoder="autoregressive"),
    "S14": Architecture(skip_connection=True),
    "S15": Architecture(decoder=None),
}


class Drawing:
    """Boxes, arrows and words, of which `svg` makes a picture."""

    def __init__(self, width, n_rows):
        self.width, self.height = width, ROW * n_rows + 44
        self.elements = []

    def y(self, row):
        """Return the ordinate of a row of boxes; row 0 are the inputs."""
        return self.height - 44 - ROW * row

    def box(self, x, row, text, kind, *, width=BOX[0], is_dashed=False):
        dash = ' stroke-dasharray="3 3"' if is_dashed else ""
        self.elements.append(
            f'<rect x="{x - width / 2:g}" y="{self.y(row) - BOX[1] / 2:g}" width="{width:g}" '
            f'height="{BOX[1]}" rx="4" fill="{FILLS[kind]}" stroke="#333"{dash}/>'
        )
        self.words(x, self.y(row) + 4, text)

    def words(self, x, y, text):
        self.elements.append(f'<text x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def arrow(self, *points, is_dashed=False):
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="4 3"' if is_dashed else ""
        self.elements.append(
            f'<polyline points="{path}" fill="none" stroke="#333"{dash} marker-end="url(#tip)"/>'
        )

    def up(self, x, row):
        """Draw an arrow from a row to the next."""
        self.arrow((x, self.y(row) - BOX[1] / 2), (x, self.y(row + 1) + BOX[1] / 2 + 1))

    def svg(self, title):
        return "\n".join(
            [
                '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
                f'viewBox="0 0 {self.width} {self.height}" width="{self.width}" '
                'font-family="sans-serif" font-size="11" text-anchor="middle">',
                f"<title>{escape(title)}</title>",
                '<defs><marker id="tip" markerWidth="7" markerHeight="7" refX="6" refY="3" '
                'orient="auto"><path d="M0,0 L6,3 L0,6 z" fill="#333"/></marker></defs>',
                '<rect width="100%" height="100%" rx="6" fill="#ffffff"/>',
                *self.elements,
                "</svg>\n",
            ]
        )


def columns(first):
    return [first + COLUMN * i for i in range(N_STEPS)]


def draw(name, architecture):
    """Return the SVG of an architecture."""
    n_layers = len(architecture.hidden_size)
    drawing = Drawing(660 if architecture.decoder else 370, n_layers + 3)
    if architecture.forecasts:
        draw_inputs(drawing, ["0", "x₁", "x₂"])
        draw_layers(drawing, ENCODER, architecture.hidden_size, "encoder")
        draw_outputs(drawing, ENCODER, architecture)
        return drawing.svg(f"{name}: each step is predicted from those before it")
    draw_inputs(
        drawing,
        [f"x{i}" if step < architecture.n_observed else "NaN" for step, i in enumerate(SUBSCRIPTS)],
    )
    drawing.words(ENCODER + COLUMN, drawing.height - 8, architecture.notes.get("input", ""))
    draw_layers(
        drawing,
        ENCODER,
        architecture.hidden_size,
        "encoder",
        n_directions=1 + bool(architecture.bidirectional),
        n_steps=architecture.n_observed,
        between=architecture.notes.get("between"),
    )
    draw_bottleneck(drawing, architecture, n_layers)
    if architecture.decoder:
        draw_decoder(drawing, architecture)
    return drawing.svg(f"{name}: encoder, latent and decoder")


def draw_inputs(drawing, names):
    for x, name in zip(columns(ENCODER), names, strict=True):
        drawing.box(x, 0, name, "data", is_dashed=name == "NaN")


def draw_layers(
    drawing, first, hidden_size, kind, *, n_directions=1, n_steps=N_STEPS, between=None
):
    """Draw LSTM layers, one above the other; each reads the one below."""
    for layer, width in enumerate(hidden_size, start=1):
        xs = columns(first)[:n_steps]
        y = drawing.y(layer)
        for x in xs:
            if kind == "encoder" or layer > 1:
                drawing.up(x, layer - 1)
            drawing.box(x, layer, f"LSTM {width}", kind)
        for left, right in pairwise(xs):
            edges = left + BOX[0] / 2, right - BOX[0] / 2
            drawing.arrow((edges[0], y + 4), (edges[1], y + 4))
            if n_directions == 2:
                drawing.arrow((edges[1], y - 5), (edges[0], y - 5))
        if between and layer > 1:
            drawing.words(xs[-1] + 28, y + ROW / 2 + 4, between)


def draw_bottleneck(drawing, architecture, n_layers):
    """Draw what becomes of the encoder's outputs, and the latent."""
    xs = columns(ENCODER)[: architecture.n_observed]
    y = drawing.y(n_layers + 1)
    if architecture.bottleneck == "last":
        drawing.arrow((xs[-1] + BOX[0] / 2, drawing.y(n_layers)), (LATENT - 33, y + BOX[1] / 2 + 1))
        drawing.words(LATENT - 38, drawing.y(n_layers) + 4, "last step")
    else:
        for x in xs:
            drawing.up(x, n_layers)
        is_pooled = architecture.bottleneck != "sequence"
        text = f"{architecture.bottleneck} over time" if is_pooled else "linear, at every step"
        drawing.box(sum(xs) / len(xs), n_layers + 1, text, "latent", width=xs[-1] - xs[0] + BOX[0])
        drawing.arrow((xs[-1] + BOX[0] / 2, y), (LATENT - 33, y))
    drawing.box(
        LATENT,
        n_layers + 1,
        "latents" if architecture.bottleneck == "sequence" else "latent",
        "latent",
        width=64,
    )
    if architecture.decoder is None:
        drawing.arrow((LATENT, y - BOX[1] / 2), (LATENT, y - 28))
        drawing.words(LATENT, y - 33, "transform(X)")


def draw_decoder(drawing, architecture):
    """Draw the way from the latent to the reconstruction."""
    n_layers = len(architecture.hidden_size)
    xs, bus = columns(DECODER), drawing.y(0) + 14
    drawing.arrow(
        (LATENT, drawing.y(n_layers + 1) + BOX[1] / 2),
        (LATENT, bus),
        (xs[-1], bus),
        (xs[-1], drawing.y(1) + BOX[1] / 2 + 1),
    )
    for x in xs[:-1]:
        drawing.arrow((x, bus), (x, drawing.y(1) + BOX[1] / 2 + 1))
    is_sequence = architecture.bottleneck == "sequence"
    drawing.words(xs[1], bus + 14, "step by step" if is_sequence else "the same at every step")
    draw_layers(
        drawing,
        DECODER,
        architecture.hidden_size[::-1],
        "decoder",
        n_directions=2 if architecture.bidirectional == "both" else 1,
        between=architecture.notes.get("between"),
    )
    draw_outputs(drawing, DECODER, architecture)
    if is_sequence:
        for layer in range(1, n_layers + 1):  # the last layer's state goes to the first
            start = columns(ENCODER)[-1] + BOX[0] / 2, drawing.y(layer)
            drawing.arrow(start, (xs[0] - BOX[0] / 2, drawing.y(n_layers + 1 - layer)))
        drawing.words(LATENT - 42, drawing.y(1) + 20, "state (h, c)")
    if architecture.decoder == "autoregressive":
        for left, right in pairwise(xs):
            drawing.arrow(
                (left + BOX[0] / 2, drawing.y(n_layers + 2)),
                (left + COLUMN / 2, drawing.y(n_layers + 2)),
                (left + COLUMN / 2, drawing.y(0) - 8),
                (right - 10, drawing.y(0) - 8),
                (right - 10, drawing.y(1) + BOX[1] / 2 + 1),
                is_dashed=True,
            )
    if architecture.skip_connection:
        bottom, right = drawing.height - 8, xs[-1] + 56
        y = drawing.y(n_layers + 1)
        drawing.arrow(
            (ENCODER + COLUMN, drawing.y(0) + BOX[1] / 2),
            (ENCODER + COLUMN, bottom),
            (right, bottom),
            (right, y),
            (xs[-1] + BOX[0] / 2, y),
            is_dashed=True,
        )
        drawing.words(ENCODER + 2.2 * COLUMN, bottom - 5, "previous step, linear")


def draw_outputs(drawing, first, architecture):
    """Draw the head above the last layer, and the prediction above it."""
    top = len(architecture.hidden_size) + 1
    for step, x in enumerate(columns(first)):
        drawing.up(x, top - 1)
        drawing.box(x, top, architecture.head, "decoder")
        drawing.up(x, top)
        is_observed = step < architecture.n_observed
        name = f"x̂{SUBSCRIPTS[step]}" if is_observed else "no loss"
        drawing.box(x, top + 1, name, "data", is_dashed=not is_observed)


if __name__ == "__main__":
    for name, architecture in ARCHITECTURES.items():
        (FOLDER / f"{name}.svg").write_text(draw(name, architecture), encoding="utf-8")
