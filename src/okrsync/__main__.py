"""`okrsync` and `python -m okrsync`."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

_ALLOCATIONS = 20_000
_PLUGINS = "pydantic.plugin._loader"


class _NoPlugins(ModuleType):
    """In the place of the module that looks for plugins of pydantic: it would load importlib.metadata and with that,
    among others, what parses mails, for a twenty-fifth of the start. What else is asked, that module answers."""

    @staticmethod
    def get_plugins() -> tuple[()]:
        return ()

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # what Python asks of any module
            raise AttributeError(name)
        sys.modules.pop(_PLUGINS, None)
        return getattr(import_module(_PLUGINS), name)


@contextmanager
def lean_start() -> Iterator[None]:
    """Around the loading of everything else: spares a process that runs one verb what it has no use for."""
    # httpx has a command line of its own and loads it, with rich and pygments, where it finds click; without
    # it, it goes on as where click is not installed.
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # how Python marks what is not to be found
    # pydantic else looks through all that is installed for plugins
    if os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__") == "__all__":
        sys.modules.setdefault(_PLUGINS, _NoPlugins(_PLUGINS))
    # Python looks for cycles of garbage after every 700 new objects; loading libraries and decoding pages make
    # hundreds of thousands, and hardly any lie in cycles. Looking seldom saves a seventh of a first pull's CPU time;
    # still more seldom, and statements with the ids in them (which are cycles) add up over a long pull.
    gc.disable()
    yield
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, 20, 20)
    gc.enable()


def main() -> None:
    with lean_start():
        from .cli import main as call  # noqa: PLC0415
    call()


if __name__ == "__main__":
    main()
