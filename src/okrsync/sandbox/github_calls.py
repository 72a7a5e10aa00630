"""What the handlers of the pretended GitHub share: finding things by address, refusals, pages, ETags."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec
from starlette.responses import Response

from .github_state import WRITERS
from .records import Item, Repo
from .wire import Call, Refused, answer

DOCS = "https://docs.github.com/rest"
PAGE_LIMIT = 10_000  # rows that `page` may reach on /issues


def github_error(status: int, message: str, errors: list[Any] | None = None) -> Refused:
    body: dict[str, Any] = {"message": message, "documentation_url": DOCS, "status": str(status)}
    if errors is not None:
        body["errors"] = errors
    return Refused(status, body)


def invalid(resource: str, field: str, code: str = "invalid", **more: Any) -> Refused:
    return github_error(422, "Validation Failed", [{"resource": resource, "field": field, "code": code, **more}])


def z(moment: datetime | None) -> str | None:
    """`2026-11-16T09:00:00Z`."""
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def the_repo(call: Call) -> Repo:
    """By `{owner}/{repo}` or `/repositories/{id}`; a former name redirects: 301 on reading, 307 on writing."""
    state = call.world.github
    if "rid" in call.params:
        repo = state.repos.get(int(call.params["rid"]) if call.params["rid"].isdigit() else -1)
    else:
        asked = f"{call.params['owner']}/{call.params['repo']}"
        repo = state.repo(asked)
        if repo is not None and repo.visible and repo.full_name.lower() != asked.lower():
            rest = call.path.split("/repos/", 1)[1].split("/", 2)[2:]
            raise redirect(call, f"/repositories/{repo.id}" + (f"/{rest[0]}" if rest else ""))
    if repo is None or not repo.visible:
        raise github_error(404, "Not Found")
    return repo


def redirect(call: Call, path: str) -> Refused:
    status = 301 if call.method in ("GET", "HEAD") else 307
    query = f"?{call.query}" if call.query else ""
    url = f"{call.base}{path}{query}"
    words = "Moved Permanently" if status == 301 else "Temporary Redirect"
    return Refused(status, {"message": words, "url": url, "documentation_url": DOCS}, {"Location": url})


def the_item(call: Call, *, pull: bool = False) -> Item:
    """An issue or pull request; a deleted one answers 410, a transferred one redirects."""
    repo, text = the_repo(call), call.params["number"]
    number = int(text) if text.isdigit() else -1
    item = repo.items.get(number)
    if item is not None and (item.pull or not pull):
        return item
    gone = repo.gone.get(number)
    if gone == "deleted":
        raise github_error(410, "This issue was deleted")
    target = call.world.github.nodes.get(gone or "")
    if target is not None and call.world.github.repos[target.repo].visible:
        rest = call.path.split(f"/issues/{text}", 1)[1] if "/issues/" in call.path else ""
        raise redirect(call, f"/repositories/{target.repo}/issues/{target.number}{rest}")
    raise github_error(404, "Not Found")


def may_write(call: Call, repo: Repo) -> bool:
    return call.world.permission(repo, call.world.bot) in WRITERS


def check_not_archived(repo: Repo) -> None:
    if repo.archived:
        raise github_error(403, "Repository was archived so is read-only.")


def check_may_triage(call: Call, repo: Repo) -> None:
    check_not_archived(repo)
    if not may_write(call, repo) and call.world.permission(repo, call.world.bot) != "triage":
        raise github_error(403, "Resource not accessible by personal access token")


# --- answers -------------------------------------------------------------------------------------------------


def tagged(call: Call, body: object, headers: dict[str, str] | None = None) -> Response:
    """200 with an ETag, or 304 where the client holds the same; 304 answers cost no quota."""
    response = answer(body, 200, headers)
    etag = f'W/"{hashlib.sha256(response.body).hexdigest()}"'
    if call.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag, **(headers or {})})
    response.headers["ETag"] = etag
    return response


def paged(call: Call, rows: Sequence[Any], render: Callable[[Any], Any]) -> Response:
    """`per_page` (30, at most 100) and `page`, with Link headers."""
    size, page = max(1, call.number("per_page", 30, 100)), max(1, call.number("page", 1))
    last = max(1, -(-len(rows) // size))
    links: dict[str, int] = {}
    if page < last:
        links |= {"next": page + 1, "last": last}
    if page > 1:
        links |= {"prev": page - 1, "first": 1}
    header = ", ".join(f'<{_url(call, page=str(p))}>; rel="{rel}"' for rel, p in links.items())
    shown = [render(r) for r in rows[(page - 1) * size : page * size]]
    return tagged(call, shown, {"Link": header} if header else None)


def cursored(
    call: Call, rows: Sequence[Item], key: Callable[[Item], tuple[Any, int]], render: Callable[[Item], Any]
) -> Response:
    """As `paged`, with a cursor beside the page number in `next`: `after` wins, and knows no depth limit.
    The cursor names the last row's place in the order, so that rows moving elsewhere do not shift it."""
    size, page = max(1, call.number("per_page", 30, 100)), max(1, call.number("page", 1))
    after = call.query.get("after")
    if after:
        try:
            found = msgspec.json.decode(base64.urlsafe_b64decode(after), type=tuple[str, int])
        except (binascii.Error, msgspec.DecodeError, ValueError):
            raise github_error(422, "Invalid cursor") from None
        ascending = call.query.get("direction") == "asc"
        start = sum(1 for r in rows if (_place(key(r)) <= found if ascending else _place(key(r)) >= found))
    elif page * size >= PAGE_LIMIT:
        raise github_error(
            422,
            "Pagination with the page parameter is not supported for large datasets, "
            "please use cursor based pagination (after/before)",
        )
    else:
        start = (page - 1) * size
    shown, last = rows[start : start + size], max(1, -(-len(rows) // size))
    links = []
    if start + size < len(rows):
        cursor = base64.urlsafe_b64encode(msgspec.json.encode(_place(key(shown[-1])))).decode()
        links += [f'<{_url(call, page=str(page + 1), after=cursor)}>; rel="next"']
        links += [f'<{_url(call, page=str(last), after=None)}>; rel="last"'] if not after else []
    if page > 1 and not after:
        links += [f'<{_url(call, page=str(page - 1))}>; rel="prev"', f'<{_url(call, page="1")}>; rel="first"']
    return tagged(call, [render(r) for r in shown], {"Link": ", ".join(links)} if links else None)


def _place(key: tuple[Any, int]) -> tuple[str, int]:
    value, number = key
    return (f"{value:%Y%m%d%H%M%S}" if isinstance(value, datetime) else f"{value:09d}", number)


def _url(call: Call, **changes: str | None) -> str:
    query = {**dict(call.query), **changes}
    return f"{call.base}{call.path}?{urlencode({k: v for k, v in query.items() if v is not None})}"
