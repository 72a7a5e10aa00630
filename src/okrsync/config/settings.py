"""The schema of `config/okrsync.yaml`, and its layers: command line over environment over file."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, ValidationError

from ..domain.codes import CODES
from ..domain.goals import Model
from ..domain.settings import CyclesSettings, ReportSettings, RulesSettings, WritebackSettings
from ..domain.storage import plain_file
from ..domain.text import Duration, did_you_mean
from ..domain.workspace import Settings
from .environment import EnvironmentLayer
from .labels import label_complaints
from .notes import Notes
from .places import dashboard_complaint
from .plainsecrets import take_out_secrets
from .schedule import check_schedule
from .wording import Complaint, explain, validate
from .yamlfile import Document

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

FILE = "config/okrsync.yaml"
_STORES = "write sqlite:///okrsync.db or postgresql+psycopg://user@host/database"


def _parsed(url: str) -> "URL | None":
    """None for what is no URL."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415  # slow to load, and most name a plain file
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        return None


def _store_url(text: str) -> str:
    if plain_file(text):
        return text
    url = _parsed(text)
    # the text is never repeated: it may hold a password
    if url is None:
        raise ValueError(f"is no database URL; {_STORES}")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError(f"names the database {url.drivername[:40]!r}; {_STORES}")
    if not url.database or url.database == ":memory:":
        raise ValueError(f"names no {'file' if url.drivername == 'sqlite' else 'database'}; {_STORES}")
    if url.drivername == "sqlite" and url.host:
        raise ValueError("has two slashes where three belong; write sqlite:///okrsync.db")
    return text


def _address(text: str | None) -> str | None:
    if text is None:
        return None
    host, _, port = text.rpartition(":")
    if not host or not re.fullmatch(r"\d{1,5}", port, re.ASCII) or int(port) > 65535 or re.search(r"[\s/]", host):
        raise ValueError(f"is {text[:60]!r}, no address; write host:port such as 127.0.0.1:9464, or null")
    return text


def _some_time(value: timedelta) -> timedelta:
    if value <= timedelta():
        raise ValueError("is no time at all; write a number and a unit, such as 30m")
    return value


class SettingsFile(Model):
    """`config/okrsync.yaml`. Every key has a default."""

    store: Annotated[str, AfterValidator(_store_url)] = "sqlite:///okrsync.db"
    cycles: CyclesSettings = CyclesSettings.model_construct()
    run_timeout: Annotated[Duration, AfterValidator(_some_time)] = timedelta(minutes=30)
    schedule: Annotated[str, AfterValidator(check_schedule)] = "*/15 * * * *"
    listen: Annotated[str | None, AfterValidator(_address)] = "127.0.0.1:9464"
    writeback: WritebackSettings = WritebackSettings.model_construct()
    rules: RulesSettings = RulesSettings.model_construct()
    reports: ReportSettings = ReportSettings.model_construct()


def load_settings(
    root: Path,
    *,
    env: Mapping[str, str],
    overrides: Mapping[str, Any],
    types: Mapping[str, str],
    notes: Notes,
) -> Settings | None:
    """The settings of a workspace; `types` are the connectors' types by name. Each layer is judged on its own, so
    that a problem is told where it stands. None where there are problems."""
    before = len(notes.problems)
    document = _file(root, notes) or Document(path=FILE, data={})
    source = EnvironmentLayer(SettingsFile, env)
    given = dict(overrides)
    data, secrets = take_out_secrets(document.data, "OKRSYNC_<CONNECTOR>")
    document = Document(path=FILE, data=data, lines=document.lines)
    for loc, message in secrets:
        notes.add_last(document, loc, message)
    notes.add_all(document, _complaints(document.data, types) + _secret_in_file(document.data))
    for variable, message in source.unusable.items():
        notes.at(variable, message)
    for loc, message in _complaints(source.data, types):
        notes.at(source.variable(loc), message)
    for _, message in _complaints(given, types):
        notes.at("command line", message)
    if len(notes.problems) > before:
        return None
    try:
        merged = SettingsFile.model_validate(_merged(*map(_by_code, (document.data, source.data, given))))
    except ValidationError as error:  # layers that are right alone and wrong together
        for _, message in explain(error, {}, SettingsFile):
            notes.at(FILE, message)
        return None
    try:
        store = _resolved(merged.store, Path(env.get("OKRSYNC_STATE") or root))
    except UnicodeEncodeError:
        notes.at("OKRSYNC_STATE", "the path of the database is no UTF-8; name another folder")
        return None
    return Settings(
        store=store,
        cycles=merged.cycles,
        run_timeout=merged.run_timeout,
        schedule=merged.schedule,
        listen=merged.listen,
        writeback=merged.writeback,
        rules=merged.rules,
        reports=merged.reports,
    )


def _file(root: Path, notes: Notes) -> Document | None:
    if (root / "config" / "okrsync.yml").exists():
        notes.at("config/okrsync.yml", f"is not read; name it {FILE}")
    file = root / FILE
    return notes.read(file, FILE) if file.exists() or file.is_symlink() else None


def _merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Nested layers, the strongest last. Only groups of keys are merged; a list replaces the one below it."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            groups = isinstance(below, Mapping) and isinstance(value, Mapping)
            merged[key] = _merged(below or {}, value) if groups else value
    return merged


def _by_code(data: dict[str, Any]) -> dict[str, Any]:
    """One layer with `rules.severity` by code, so that a slug in one layer and the code in another are one rule."""
    rules = data.get("rules")
    if not isinstance(rules, dict) or not isinstance(rules.get("severity"), dict):
        return data
    codes = {slug: code for code, slug in CODES}
    severity = {codes.get(name, name): value for name, value in rules["severity"].items()}
    return {**data, "rules": {**rules, "severity": severity}}


def _complaints(data: dict[str, Any], types: Mapping[str, str]) -> list[Complaint]:
    document = Document(path="", data=data)
    _, found = validate(SettingsFile, data)
    known = [name for pair in CODES for name in pair]
    named = document.texts(("rules", "ignore")) + document.texts(("writeback", "comments", "rules"))
    severity = document.get(("rules", "severity"))
    if isinstance(severity, dict):
        named += [(("rules", "severity", name), name) for name in severity]
    for loc, name in named:
        if name not in known:
            found.append((loc, f"there is no rule {name[:60]!r}; `okrsync rule` lists them{did_you_mean(name, known)}"))
    dashboard = document.get(("writeback", "dashboard"))
    if isinstance(dashboard, str):
        wrong = dashboard_complaint(dashboard.strip(), types)
        if wrong:
            found.append((("writeback", "dashboard"), wrong))
    return found + label_complaints(document)


def _secret_in_file(data: dict[str, Any]) -> list[Complaint]:
    store = data.get("store")
    url = _parsed(store) if isinstance(store, str) and not plain_file(store) else None
    if url is not None and (url.password or "password" in url.query):
        return [(("store",), "`store` holds a password, and no secret stands in a file; set OKRSYNC_STORE instead")]
    return []


def _resolved(store: str, base: Path) -> str:
    if (path := plain_file(store)) and plain_file(resolved := f"sqlite:///{(base / path).absolute()}"):
        return resolved
    url = _parsed(store)
    assert url is not None
    if url.drivername == "sqlite" and url.database and not url.database.startswith("file:"):
        url = url.set(database=str((base / url.database).absolute()))
    return url.render_as_string(hide_password=False)
