"""`make check`: no module over 400 lines without a reason, no folder without a word on what lives there."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

LIMIT = 400
# path -> why it may be longer
REASONS: dict[str, str] = {}

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    troubles = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        lines = text.count("\n")
        if lines > LIMIT and name not in REASONS:
            troubles.append(
                f"{name}: {lines} lines, over {LIMIT}: split it, or give the reason in tests/check_sizes.py"
            )
        if path.name == "__init__.py" and not ast.get_docstring(ast.parse(text)):
            troubles.append(f"{name}: says not what lives here")
    sys.stdout.write("\n".join(troubles) + "\n" if troubles else "sizes and docstrings: ok\n")
    return 1 if troubles else 0


if __name__ == "__main__":
    sys.exit(main())
