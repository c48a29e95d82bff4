"""Run the README's first example with the package that is installed, and compare what it prints.

`make wheel` runs it in an environment that holds the wheel and what it requires, and in isolated
mode, by which Python does not find the package in the checkout.
"""

import contextlib
import io
import re
import sys
from pathlib import Path

import skl_lstmae

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n+^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Return 0 if the example prints what the README says."""
    where = Path(skl_lstmae.__file__).parent
    if where.is_relative_to(ROOT) and "site-packages" not in where.parts:
        print(f"{where} is no installed package")
        return 1
    code, expected = EXAMPLE.search((ROOT / "README.md").read_text(encoding="utf-8")).groups()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    print(f"skl_lstmae {skl_lstmae.__version__} of {where} prints:\n{printed.getvalue()}")
    if printed.getvalue() != expected:
        print(f"but the README says:\n{expected}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
