"""GitHub on the sandbox passes the suite of all trackers, and every request it sends is one of GitHub's contract."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conformance import TrackerConformance
from github_world import GitHubPlace, github_place

from contracts import SHARED, ContractBroken, github_contract


class TestGitHub(TrackerConformance):
    @pytest.fixture
    def place(self) -> Iterator[GitHubPlace]:
        with github_place() as place:
            yield place


@pytest.mark.skipif(not SHARED.is_dir(), reason="the official contracts are absent")
def test_the_contract_is_really_checked() -> None:
    contract = github_contract()
    assert contract is not None
    with github_place() as place:
        place.add("one", pull=True)
        list(place.tracker.pull({}, sweep=True))
        sent = place.wire.requests
    assert {r.url.path for r in sent} >= {"/repos/acme/web/issues", "/graphql"}
    listing = next(r for r in sent if r.url.path.endswith("/issues"))
    listing.method = "TRACE"
    with pytest.raises(ContractBroken):
        contract.check(listing)
