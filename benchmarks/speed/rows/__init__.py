"""The rows, in order. A new one needs a module here and a place in this table."""

from benchmarks.speed.rows.decoding import B12
from benchmarks.speed.rows.defaults import B13
from benchmarks.speed.rows.epochs import B1, B4, B7
from benchmarks.speed.rows.equal_fit import B2, B3
from benchmarks.speed.rows.grid_search import B10
from benchmarks.speed.rows.growth import B9
from benchmarks.speed.rows.import_time import B11
from benchmarks.speed.rows.long_series import B8
from benchmarks.speed.rows.scores import B5, B6

ROWS = {row.name: row for row in (B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13)}
