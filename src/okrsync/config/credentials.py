"""Secrets of connectors: from the environment or a mounted file, never from the workspace."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import SecretStr

from ..domain.goals import Model
from ..domain.settings import ConnectorSettings, GitHubSettings

_MAX_BYTES = 65536


class SecretMissing(Exception):
    """Exit 2. The message names both variables and how to get the secret."""


class SecretUnusable(SecretMissing):
    """It is there and cannot be used. The message names the variable, never the value."""


class Secret(Model):
    """One of the two is set. `variable` is where it came from, for messages. Printing it shows asterisks."""

    variable: str
    token: SecretStr | None = None
    private_key: SecretStr | None = None


def secret(connector: ConnectorSettings, env: Mapping[str, str]) -> Secret:
    """The connector's secret: `OKRSYNC_<NAME>_TOKEN[_FILE]`; for a GitHub App `OKRSYNC_<NAME>_PRIVATE_KEY[_FILE]`.
    Raises SecretMissing, SecretUnusable."""
    app = isinstance(connector, GitHubSettings) and connector.app is not None
    variable = connector.variable + ("_PRIVATE_KEY" if app else "_TOKEN")
    in_file = f"{variable}_FILE"
    # an empty variable is how Compose and Helm pass "not set"
    given, file = env.get(variable, "").strip(), env.get(in_file, "").strip()
    if given and file:
        raise SecretUnusable(f"both {variable} and {in_file} are set; keep one")
    if not given and not file:
        how = _how_to_get(connector, app=app)
        raise SecretMissing(f"connector {connector.name!r} has no secret; set {variable} or {in_file} ({how})")
    if file:
        given = _read(Path(file), in_file)
    source = in_file if file else variable
    if app:
        key = given.replace("\\n", "\n")  # a PEM key in one line, as .env files have it
        if "PRIVATE KEY-----" not in key:
            raise SecretUnusable(f"{source} holds no private key; it begins with -----BEGIN RSA PRIVATE KEY-----")
        return Secret(variable=source, private_key=SecretStr(key + "\n"))
    if not given.isascii() or not given.isprintable() or " " in given:
        raise SecretUnusable(f"{source} holds spaces, line breaks or odd characters; it must be the token alone")
    return Secret(variable=source, token=SecretStr(given))


def secrets(connectors: Iterable[ConnectorSettings], env: Mapping[str, str]) -> dict[str, Secret]:
    """All secrets by connector name. Raises SecretMissing that says everything that is wrong, a line for each."""
    found: dict[str, Secret] = {}
    wrong: list[str] = []
    for connector in connectors:
        try:
            found[connector.name] = secret(connector, env)
        except SecretMissing as problem:
            wrong.append(str(problem))
    if wrong:
        raise SecretMissing("\n".join(wrong))
    return found


def _read(file: Path, variable: str) -> str:
    # the path is not shown either: it may be the secret itself, put into the wrong variable
    if file.is_dir():
        raise SecretUnusable(f"{variable} names a folder; it must name the file that holds the secret")
    try:
        with file.open("rb") as stream:
            content = stream.read(_MAX_BYTES + 1)
        if len(content) > _MAX_BYTES:
            raise SecretUnusable(f"{variable} names a file too large to be a secret; it must hold the secret alone")
        text = content.decode().strip()
    except UnicodeDecodeError:
        raise SecretUnusable(f"{variable} names a file that is not text; it must hold the secret alone") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no valid path"
        raise SecretUnusable(f"{variable} names a file that cannot be read ({reason})") from None
    if not text:
        raise SecretUnusable(f"{variable} names an empty file; it must hold the secret")
    return text


def _how_to_get(connector: ConnectorSettings, *, app: bool) -> str:
    if app:
        return "the App's settings page, Private keys, Generate a private key"
    if connector.type == "github":
        return "Settings, Developer settings, Personal access tokens; or use a GitHub App"
    if connector.cloud and connector.email is None:
        return "a scoped API token of the service account: https://admin.atlassian.com, Directory, Service accounts"
    if connector.cloud:
        return f"an API token of {connector.email}: https://id.atlassian.com/manage-profile/security/api-tokens"
    return "your Jira profile, Personal Access Tokens; on Jira Cloud also set `email` in the connector's file"
