"""A wheel holds the data that the program opens, the example workspace included."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_wheel_is_whole(tmp_path: Path) -> None:
    build = f"import hatchling.build; hatchling.build.build_wheel({str(tmp_path)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    package = ROOT / "src" / "okrsync"
    in_package = {p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    example = {p for f in ("config", "connectors", "mappings") for p in (ROOT / f).rglob("*") if p.is_file()}
    assert len(example) >= 8
    wanted = {f"okrsync/{p.relative_to(package).as_posix()}" for p in in_package}
    wanted |= {f"okrsync/example/{p.relative_to(ROOT).as_posix()}" for p in example}
    assert wanted <= held
