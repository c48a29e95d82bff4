"""The README's Python blocks run, and print what the README says they print.

A block fenced as ``text`` right after one fenced as ``python`` is its printed output.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"

PYTHON_BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?:\n*^```text\n(?P<output>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)


def test_readme_blocks_run_and_print_what_the_readme_shows(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    text = README.read_text(encoding="utf-8")
    blocks = list(PYTHON_BLOCK.finditer(text))
    assert len(blocks) == len(re.findall(r"^```python", text, re.MULTILINE)) > 0

    namespace = {"__name__": "__main__"}
    for block in blocks:
        # Empty lines in front give tracebacks the README's own line numbers.
        first_line = text.count("\n", 0, block.start("code"))
        exec(compile("\n" * first_line + block["code"], README, "exec"), namespace)
        printed = capsys.readouterr().out
        if block["output"] is not None:
            assert printed == block["output"]
