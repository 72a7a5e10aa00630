"""The file in which a judgement is kept: it may be lost at any time, the next one then goes through everything."""

from __future__ import annotations

from array import array
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from okrsync.bootstrap import Session
from okrsync.logs import get_logger

from .ids import Numbers
from .kept import Kept

log = get_logger()


def location(session: Session) -> Path | None:
    """Beside the database; of a server's in OKRSYNC_STATE, and nowhere without that."""
    file = session.reading.file
    if file is not None:
        return file.with_name(f"{file.name}.judged")
    state = session.env.get("OKRSYNC_STATE")
    return Path(state) / "okrsync.judged" if state else None


def recall(path: Path) -> Kept | None:
    """None where nothing is kept, or what is kept cannot be read."""
    try:
        with path.open("rb") as file:
            # most of it is the text of findings, which goes out as it is
            written = mmap(file.fileno(), 0, access=ACCESS_READ)
        return msgspec.msgpack.decode(written, type=Kept, ext_hook=_array)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:  # msgspec's errors are ValueErrors
        log.debug("judgement not recalled", path=str(path), error=str(problem))
        return None


def remember(path: Path, kept: Kept) -> None:
    """Nothing is kept where the folder cannot be written, or somebody else is just doing so."""
    made = path.with_name(f"{path.name}.new")
    try:
        with FileLock(f"{path}.lock", timeout=0):
            made.write_bytes(msgspec.msgpack.encode(kept, enc_hook=_packed))
            made.replace(path)
    except (OSError, Timeout) as problem:
        log.debug("judgement not kept", path=str(path), error=str(problem))


def _packed(value: Any) -> msgspec.msgpack.Ext:
    assert isinstance(value, array)
    return msgspec.msgpack.Ext(ord(value.typecode), value.tobytes())


def _array(code: int, value: memoryview) -> Numbers:
    numbers = array(chr(code))
    numbers.frombytes(value)
    return numbers
