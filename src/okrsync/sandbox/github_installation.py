"""The pretended installation of a GitHub App: its endpoints, its tokens that live for an hour, what they permit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .github_calls import github_error, z
from .wire import Call, Handler, answer

if TYPE_CHECKING:
    from .world import World

LIFE = timedelta(hours=1)
PERMISSIONS = {"metadata": "read", "issues": "write", "pull_requests": "write"}
_NEEDS = (  # of requests to a repository, the first that matches
    (re.compile(r"/repos/[^/]+/[^/]+/pulls\b"), ("pull_requests",)),
    (re.compile(r"/repos/[^/]+/[^/]+/(issues|labels|milestones)\b"), ("issues", "pull_requests")),
)


@dataclass
class Installation:
    """`public_key`: PEM, that the App's JSON web tokens are checked with; `tokens`: handed out, with their ends."""

    app: int
    id: int
    slug: str
    public_key: str
    permissions: Mapping[str, str] = field(default_factory=lambda: dict(PERMISSIONS))
    tokens: dict[str, datetime] = field(default_factory=dict)
    account: str = "acme"

    def mint(self, now: datetime) -> tuple[str, datetime]:
        token = f"ghs_sandbox{len(self.tokens) + 1}"
        self.tokens[token] = now + LIFE
        return token, self.tokens[token]

    def revoke(self) -> None:
        """All tokens so far, as an owner may do at any moment."""
        self.tokens = dict.fromkeys(self.tokens, datetime.min.replace(tzinfo=UTC))

    def check(self, call: Call, token: str) -> None:
        """Raises Refused: 401 once the token has ended, 403 for what the App may not do."""
        if call.world.clock() >= self.tokens[token]:
            raise github_error(401, "Bad credentials")
        forbidden = github_error(403, "Resource not accessible by integration")
        if call.path == "/user":
            raise forbidden
        needed = next((names for pattern, names in _NEEDS if pattern.match(call.path)), ())
        allowed = ("write",) if call.method not in ("GET", "HEAD") else ("read", "write")
        if needed and not any(self.permissions.get(name) in allowed for name in needed):
            raise forbidden


def install_app(world: World, *, app: int, installation: int, slug: str, public_key: str) -> Installation:
    """A GitHub App on all repositories that are there; what it writes is by `<slug>[bot]`, who is then the world's
    bot."""
    made = world.github.installation = Installation(app, installation, slug, public_key)
    world.bot = world.add_person(f"{slug}[bot]", slug, bot=True).login
    for repo in world.github.repos.values():
        repo.permissions[world.bot] = "write"
    return made


def check_key(installation: Installation | None, token: str) -> None:
    """Raises Refused unless the token is one that the App's key has signed; its times are not looked at, since the
    story's clock is not that of the client's library."""
    import jwt  # noqa: PLC0415  # only Apps need it

    if installation is None:
        raise github_error(401, "A JSON web token could not be decoded")
    options: Any = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "require": ["exp", "iat", "iss"]}
    try:
        claims = jwt.decode(token, installation.public_key, algorithms=["RS256"], options=options)
    except jwt.PyJWTError:
        raise github_error(401, "A JSON web token could not be decoded") from None
    if str(claims["iss"]) != str(installation.app):
        raise github_error(401, "'Issuer' claim ('iss') must be an Integer")


def app(call: Call) -> Response:
    made = _installed(call)
    slug = made.slug
    return answer(
        {"id": made.app, "slug": slug, "name": slug, "permissions": made.permissions, "events": [], "owner": None}
    )


def installation(call: Call) -> Response:
    made = _installed(call)
    return answer(
        {
            "id": made.id,
            "app_id": made.app,
            "app_slug": made.slug,
            "account": {"login": made.account, "id": 9000, "type": "Organization"},
            "target_type": "Organization",
            "repository_selection": "all",
            "permissions": made.permissions,
            "events": [],
            "suspended_at": None,
        }
    )


def access_tokens(call: Call) -> Response:
    made = _installed(call)
    token, ends = made.mint(call.world.clock())
    shown = {"token": token, "expires_at": z(ends), "permissions": made.permissions, "repository_selection": "all"}
    return answer(shown, 201)


def _installed(call: Call) -> Installation:
    made = call.world.github.installation
    if made is None or call.params.get("installation", str(made.id)) != str(made.id):
        raise github_error(404, "Not Found")
    return made


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", "/app", app),
    ("GET", "/app/installations/{installation}", installation),
    ("POST", "/app/installations/{installation}/access_tokens", access_tokens),
]
