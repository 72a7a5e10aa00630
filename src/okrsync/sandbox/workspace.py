"""The example workspace: where it is, and copies of it that point at a running sandbox."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from .server import Sandbox

FOLDERS = ("config", "connectors", "mappings")


def example_workspace() -> Path:
    """The folder that holds the example's `config/`, `connectors/` and `mappings/`: inside the package once
    installed, the repository's root in a checkout. Raises FileNotFoundError where neither holds them."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "example", package.parent.parent):
        if all((folder / f).is_dir() for f in FOLDERS):
            return folder
    raise FileNotFoundError(f"no example workspace beside {package}; install okrsync anew")


def copy_workspace(target: Path, sandbox: Sandbox, *, overrides: Mapping[str, Any] | None = None) -> Path:
    """Copies the example to `target` (made if need be), its connectors pointing at the running sandbox and
    `overrides` laid over `config/okrsync.yaml`: `{"writeback": {"enabled": True}}`. Returns `target`."""
    source = example_workspace()
    for folder in FOLDERS:
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True)
    point_at(target, sandbox)
    if overrides:
        settings = target / "config" / "okrsync.yaml"
        yaml = YAML()
        data = yaml.load(settings.read_text("utf-8")) or {}
        _lay_over(data, overrides)
        with settings.open("w", encoding="utf-8") as file:
            yaml.dump(data, file)
    return target


def point_at(folder: Path, sandbox: Sandbox) -> None:
    """Makes the connectors of a workspace talk to the sandbox."""
    urls = {"jira": sandbox.jira_url, "github": sandbox.github_url}
    for path in (folder / "connectors").glob("*.yaml"):
        text = path.read_text("utf-8")
        kind = re.search(r"^type:\s*(\w+)", text, re.MULTILINE)
        if kind is None:
            raise ValueError(f"{path} names no type")
        text = re.sub(r"^url:[^#\n]*", f"url: {urls[kind[1]]}  ", text, flags=re.MULTILINE)
        email = f"email: {sandbox.email}  "
        path.write_text(re.sub(r"^email:[^#\n]*", email, text, flags=re.MULTILINE), "utf-8")


def _lay_over(data: Any, overrides: Mapping[str, Any]) -> None:
    for key, value in overrides.items():
        if isinstance(value, Mapping) and isinstance(data.get(key), Mapping):
            _lay_over(data[key], value)
        else:
            data[key] = dict(value) if isinstance(value, Mapping) else value
