"""The file in which a judgement is kept: it may be lost at any time, the next one then goes through everything."""

from __future__ import annotations

from mmap import ACCESS_COPY, mmap
from pathlib import Path

import msgspec

from okrsync.bootstrap import Session
from okrsync.logs import get_logger

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
            # most of it is the text of findings, which goes out as it is; the numbers are used where they lie, too,
            # and what is changed of them stays in this process
            written = mmap(file.fileno(), 0, access=ACCESS_COPY)
        kept = msgspec.msgpack.decode(written, type=Kept)
        kept.read()
        return kept
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as problem:  # msgspec's errors are ValueErrors
        log.debug("judgement not recalled", path=str(path), error=str(problem))
        return None


def remember(path: Path, kept: Kept) -> None:
    """Nothing is kept where the folder cannot be written, or somebody else is just doing so."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  # slow to load, and most runs keep nothing

    made = path.with_name(f"{path.name}.new")
    try:
        with FileLock(f"{path}.lock", timeout=0):
            made.write_bytes(msgspec.msgpack.encode(kept, enc_hook=memoryview))
            made.replace(path)
    except (OSError, Timeout) as problem:
        log.debug("judgement not kept", path=str(path), error=str(problem))
