"""`check --online` against Jira: identity, permissions by their official names, fields, unknown projects."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from jira_world import JiraHouse
from pydantic import SecretStr
from pytest_httpserver import HTTPServer

from okrsync.connectors.jira import JiraTracker
from okrsync.domain.settings import JiraSettings
from okrsync.domain.trackers import SignInFailed, SourceFailed
from okrsync.sandbox.world import STORY_NOW


def test_everything_in_order(jira: JiraHouse) -> None:
    probe = jira.tracker(fields={"estimate": "Story Points"}).probe()
    assert probe.identity.startswith("okrsync (")
    assert "Jira" in probe.server
    assert [(a.container, a.readable, a.writable, a.missing) for a in probe.access] == [
        ("PAY", True, True, ()),
        ("WEB", True, True, ()),
    ]
    assert probe.fields == {"estimate": "customfield_10016", "epic_link": "customfield_10014"}
    assert probe.problems == ()


def test_what_is_missing_is_named_with_where_to_get_it(jira: JiraHouse) -> None:
    jira.jira.projects["WEB"].writable = False
    probe = jira.tracker(projects=("WEB", "NOPE"), fields={"okr": "OKR Initiativ"}).probe()
    web, nope = probe.access
    assert (web.readable, web.writable) == (True, False)
    assert any(m.startswith("EDIT_ISSUES: grant it in WEB") for m in web.missing)
    assert (nope.readable, nope.writable) == (False, False)
    assert any("NOPE" in problem for problem in probe.problems)
    assert any("did you mean 'OKR Initiative'" in problem for problem in probe.problems)


def test_nothing_is_missing_where_nothing_is_written(jira: JiraHouse) -> None:
    jira.jira.projects["WEB"].writable = False
    assert [a.missing for a in jira.tracker(projects=("WEB",), write=False).probe().access] == [()]


def test_a_wrong_token(jira: JiraHouse) -> None:
    with pytest.raises(SignInFailed, match="OKRSYNC_JIRA_TOKEN") as caught:
        jira.tracker(secret=SimpleNamespace(token=SecretStr("wrong-secret-token"))).probe()
    assert "wrong-secret-token" not in str(caught.value)


def tracker(url: str) -> JiraTracker:
    return JiraTracker(
        JiraSettings(name="jira", type="jira", url=url, projects=("PAY",)),
        SimpleNamespace(token=SecretStr("pat")),
        clock=lambda: STORY_NOW,
        sleep=lambda seconds: None,
        deadline=lambda: STORY_NOW,
    )


def test_a_redirect_is_not_followed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rest/api/2/myself").respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    with pytest.raises(SourceFailed, match="check the url"):
        tracker(httpserver.url_for("")).probe()
    assert [request.path for request, _ in httpserver.log] == ["/rest/api/2/myself"]


def test_an_overloaded_server_is_asked_once(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/rest/api/2/myself").respond_with_data("busy", status=503)
    with pytest.raises(SourceFailed, match="503"):
        tracker(httpserver.url_for("")).probe()
    assert len(httpserver.log) == 1


def test_no_server_at_all() -> None:
    with pytest.raises(SourceFailed, match=r"127\.0\.0\.1 cannot be asked"):
        tracker("http://127.0.0.1:9").probe()


def test_what_a_server_does_not_tell_is_no_problem(jira: JiraHouse) -> None:
    jira.break_("status", "/serverInfo|/mypermissions|/field$", status=404)
    probe = jira.tracker(projects=("PAY",)).probe()
    assert probe.problems == ()
    assert [(a.container, a.readable) for a in probe.access] == [("PAY", True)]
    assert any("PAY can be seen" in note for note in probe.notes)
