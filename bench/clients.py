"""What okrsync is measured beside: a floor (the same pages, nothing done with them), and loops over the two SDKs.

`python bench/clients.py NAME` with JIRA_URL, GITHUB_URL, EMAIL and TOKEN in the environment; prints what it read.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

AT_A_TIME = 8
FIELDS = ["summary", "status", "issuetype", "parent", "updated", "created", "labels", "project"]


def env(name: str) -> str:
    return os.environ[name]


async def floor_github() -> int:
    """Pages in parallel once the first has told how many there are; pull requests from their own listing."""
    import httpx

    headers = {"Authorization": f"Bearer {env('TOKEN')}"}
    gate = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(base_url=env("GITHUB_URL"), headers=headers, timeout=60) as client:

        async def page(kind: str, number: int) -> tuple[int, int]:
            async with gate:
                query = {"state": "all", "per_page": 100, "sort": "created", "direction": "asc", "page": number}
                reply = await client.get(f"/repos/acme/app/{kind}", params=query)
            last = re.search(r'[?&]page=(\d+)[^>]*>; rel="last"', reply.headers.get("link", ""))
            return len(json.loads(reply.content)), int(last[1]) if last else 1

        async def listing(kind: str) -> int:
            first, last = await page(kind, 1)
            rest = await asyncio.gather(*(page(kind, n) for n in range(2, last + 1)))
            return first + sum(count for count, _ in rest)

        return (await asyncio.gather(listing("issues"), listing("pulls")))[0]


async def floor_jira() -> int:
    """All ids by search (5,000 a page), then the issues a hundred at a time in parallel."""
    import httpx

    basic = base64.b64encode(f"{env('EMAIL')}:{env('TOKEN')}".encode()).decode()
    gate = asyncio.Semaphore(AT_A_TIME)
    async with httpx.AsyncClient(
        base_url=env("JIRA_URL"), headers={"Authorization": f"Basic {basic}"}, timeout=60
    ) as client:

        async def chunk(ids: list[str]) -> int:
            async with gate:
                reply = await client.post("/rest/api/3/issue/bulkfetch", json={"issueIdsOrKeys": ids, "fields": FIELDS})
            return len(json.loads(reply.content)["issues"])

        ids: list[str] = []
        token: str | None = None
        while True:
            query: dict[str, Any] = {"jql": "project = PAY ORDER BY id", "maxResults": 5000, "fields": "id"}
            reply = await client.get(
                "/rest/api/3/search/jql", params=query | ({"nextPageToken": token} if token else {})
            )
            data = json.loads(reply.content)
            ids += [issue["id"] for issue in data["issues"]]
            token = data.get("nextPageToken")
            if not token:
                break
        return sum(await asyncio.gather(*(chunk(ids[n : n + 100]) for n in range(0, len(ids), 100))))


def pygithub() -> int:
    from github import Auth, Github

    api = Github(base_url=env("GITHUB_URL"), auth=Auth.Token(env("TOKEN")), per_page=100, seconds_between_requests=None)
    repo = api.get_repo("acme/app")
    issues = sum(1 for issue in repo.get_issues(state="all") if issue.title)
    return issues + 0 * sum(1 for pull in repo.get_pulls(state="all") if pull.head.ref)


def jira() -> int:
    from jira import JIRA

    api = JIRA(
        env("JIRA_URL"), basic_auth=(env("EMAIL"), env("TOKEN")), max_retries=0, options={"rest_api_version": "3"}
    )
    return len(api.enhanced_search_issues("project = PAY ORDER BY created", maxResults=0, fields="*all"))


CLIENTS: dict[str, Callable[[], int | Awaitable[int]]] = {
    "floor-github": floor_github,
    "floor-jira": floor_jira,
    "pygithub": pygithub,
    "jira": jira,
}

if __name__ == "__main__":
    found = CLIENTS[sys.argv[1]]()
    print(found if isinstance(found, int) else asyncio.run(found))  # type: ignore[arg-type]  # a coroutine
