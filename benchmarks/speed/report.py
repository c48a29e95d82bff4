"""What a row came to, as it is kept between the measurement and the page."""

import json
import os
import platform
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from benchmarks.speed.row import Measured, Row, Run
from benchmarks.speed.timing import CPU_TIME

PACKAGES = (
    *("torch", "numpy", "scikit-learn", "skl_lstmae"),
    *("skorch", "keras", "deepod", "dtaianomaly", "sequitur", "pyod", "tsb-ad"),
)


@dataclass
class Report:
    """A row's figures and what they were measured with, or why there are none.

    `shares` tells of each side that is profiled what the parts take of its time.
    """

    work: str
    setup: str
    date: str
    load: float
    is_cpu_time: bool
    repeats: int
    commit: str
    sides: dict[str, Measured]
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    failure: str | None = None

    @classmethod
    def of(
        cls,
        row: Row,
        measured: dict[str, Measured],
        commit: str,
        repeats: int,
        failure: str | None = None,
    ) -> Self:
        """Report a row that was just measured."""
        return cls(
            work=row.work,
            setup=_setup(),
            date=date.today().isoformat(),
            load=os.getloadavg()[0],
            is_cpu_time=CPU_TIME in os.environ,
            repeats=repeats,
            commit=commit,
            sides=measured,
            failure=failure,
        )

    def save(self, file: Path) -> None:
        """Write as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load_from(cls, file: Path) -> Self:
        """Read what `save` has written."""
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept.keys() != {part.name for part in fields(cls)}:
            raise ValueError(
                f"{file} was written by another version of the benchmark; measure {file.stem} anew."
            )
        kept["sides"] = {
            name: Measured(**side | {"runs": [Run(**run) for run in side["runs"]]})
            for name, side in kept["sides"].items()
        }
        return cls(**kept)


def _setup() -> str:
    """Return machine and versions in words; torch's memory is the C library's."""
    libc = " ".join(platform.libc_ver()).strip() or "C library unknown"
    versions = [f"Python {platform.python_version()}", libc]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return f"{_processor()}, {os.cpu_count()} cores; {', '.join(versions)}"


def _processor() -> str:
    """Return the processor's name from where Linux keeps it, else what Python knows."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
