"""The fictional company and its example workspace hold what they promise."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from okrsync.config import load
from okrsync.domain.goals import GoalsFile, Initiative, KeyResult, Objective
from okrsync.domain.rules import MappingsFile
from okrsync.domain.settings import GitHubSettings, JiraSettings
from okrsync.sandbox import STORY_NOW, Sandbox, StoryClock, World, company, copy_workspace, example_workspace
from okrsync.sandbox.replay import kafka_world, replay_workspace


@pytest.fixture(scope="module")
def acme() -> World:
    return company(STORY_NOW)


def read(path: str) -> Any:
    return YAML(typ="safe").load((example_workspace() / path).read_text("utf-8"))


# --- the world -----------------------------------------------------------------------------------------------


def test_the_same_moment_makes_the_same_company(acme: World) -> None:
    assert company(STORY_NOW).snapshot() == acme.snapshot()
    later = company(STORY_NOW + timedelta(days=1))
    assert later.find("PAY-1").created == acme.find("PAY-1").created + timedelta(days=1)


def test_its_size_and_shape(acme: World) -> None:
    jira, github = acme.jira, acme.github
    assert 140 <= len(jira.issues) + len(github.nodes) <= 160
    assert {"PAY", "WEB", "OPS", "GRO", "SEC"} == set(jira.projects)
    assert [p.key for p in jira.projects.values() if not p.visible] == ["SEC"]
    assert Counter((r.private, r.archived) for r in github.repos.values()) == {
        (True, False): 2,
        (False, False): 1,
        (True, True): 1,
    }
    assert {"Initiative", "Epic", "Story", "Sub-task", "Task", "Bug"} == {i.type for i in jira.issues.values()}
    assert {jira.category(i) for i in jira.issues.values()} == {"new", "indeterminate", "done"}
    pulls = [i for i in github.nodes.values() if i.pull]
    assert any(p.merged for p in pulls)
    assert any(p.state == "closed" and not p.merged for p in pulls)
    assert any(p.draft for p in pulls)
    assert sum(p.author == "dependabot[bot]" for p in pulls) >= 4
    assert any(p.closes for p in pulls)
    assert any(i.locked for i in github.nodes.values())


def test_nothing_lies_in_the_future_or_closes_before_it_opens(acme: World) -> None:
    for item in [*acme.jira.issues.values(), *acme.github.nodes.values()]:
        assert item.created <= item.updated <= STORY_NOW, item
    for issue in acme.jira.issues.values():
        assert issue.resolved is None or issue.created <= issue.resolved
        assert (issue.resolved is not None) == (acme.jira.category(issue) == "done")


def test_people_are_known_and_parents_exist(acme: World) -> None:
    for issue in acme.jira.issues.values():
        assert issue.parent is None or issue.parent in acme.jira.issues
        assert issue.reporter in acme.people
    for item in acme.github.nodes.values():
        assert item.author in acme.people
        assert item.parent is None or item.parent in acme.github.nodes


def test_what_tickets_say_covers_the_story(acme: World) -> None:
    goals = {g for path in ("2026-Q3", "2026-Q4") for g in ids(read(f"config/okrs/{path}.yaml"))}
    named = {
        label.partition(":")[2]
        for item in [*acme.jira.issues.values(), *acme.github.nodes.values()]
        for label in item.labels
        if label.partition(":")[0] in ("initiative", "kr", "objective")
    }
    assert named - goals == {"INIT-CHEKOUT"}, "one id is mistyped, all others exist"
    assert acme.find("PAY-55").parent == acme.find("SEC-1").id
    titles = [i.title for i in [*acme.jira.issues.values(), *acme.github.nodes.values()]]
    for trap in ("<script>", "=HYPERLINK", "@team", "支付"):
        assert any(trap in t for t in titles), trap
    assert any("/okr exempt tech-debt until 2026-10-31" in c.body for c in acme.find("WEB-31").comments)


def ids(goals: dict[str, Any]) -> set[str]:
    found = {x["id"] for kind in ("bets", "objectives", "initiatives") for x in goals.get(kind, [])}
    return found | {k["id"] for o in goals["objectives"] for k in o.get("key_results", [])}


def test_a_snapshot_shows_what_writing_back_could_alter() -> None:
    world = company(STORY_NOW)
    seen = [world.snapshot()]
    web = world.github.repo("acme/web")
    assert web is not None
    world.github.define_label(web, "okr/O1", "1d76db", "serves O1")
    seen.append(world.snapshot())
    world.add_label("jira:PAY-1", "okr/O1", "lin")
    seen.append(world.snapshot())
    world.comment("github:acme/web#1", "hello", "lin")
    seen.append(world.snapshot())
    world.close("jira:PAY-30", "lin", "Won't Do")
    seen.append(world.snapshot())
    assert all(a != b for n, a in enumerate(seen) for b in seen[:n])
    world.github.delete_label(web, "okr/O1")
    assert world.snapshot()["label_definitions"] == seen[0]["label_definitions"]


# --- the example workspace -----------------------------------------------------------------------------------


def test_the_example_fits_the_models_of_the_domain() -> None:
    assert JiraSettings(name="jira", **read("connectors/jira.yaml")).cloud
    assert GitHubSettings(name="github", **read("connectors/github.yaml")).repos
    for path in sorted((example_workspace() / "config" / "okrs").glob("*.yaml")):
        GoalsFile.model_validate(read(f"config/okrs/{path.name}"))
    for path in sorted((example_workspace() / "mappings").glob("*.yaml")):
        MappingsFile.model_validate(read(f"mappings/{path.name}"))


def test_the_loader_accepts_the_example_and_nothing_is_written_by_default() -> None:
    workspace = load(example_workspace(), env={})
    assert workspace.warnings == ()
    assert workspace.settings.writeback.enabled is False
    assert [c.name for c in workspace.connectors] == ["github", "jira"]
    assert all(c.url.startswith("https://") for c in workspace.connectors)


def test_one_exemption_has_expired() -> None:
    rules = load(example_workspace(), env={}).mappings.rules
    today = STORY_NOW.date()
    assert [r.exempt for r in rules if r.until and r.until < today] == ["tech-debt"]
    assert [r.exempt for r in rules if r.until and r.until >= today] == ["operational-health"]
    assert all(r.examples for r in rules if r.link or r.exempt)


def test_goals_are_flawed_as_promised() -> None:
    goals = load(example_workspace(), env={}).goals(STORY_NOW.date())
    assert [c.id for c in goals.active_cycles] == ["2026-Q4"]
    objectives = {n.id: n.value for n in goals.current("objective") if isinstance(n.value, Objective)}
    results = {n.id: n.value for n in goals.current("key_result") if isinstance(n.value, KeyResult)}
    initiatives = {n.id: n for n in goals.current("initiative")}
    assert len(goals.current("bet")) == 6  # OKR403
    assert Counter(o.team for o in objectives.values() if o.level == "team")["Growth"] == 6  # OKR304
    assert not objectives["O5"].key_results  # OKR301
    assert not objectives["O5"].supports  # OKR302
    assert objectives["O5"].owner is None  # OKR303
    assert results["O4.KR1"].target is None  # OKR204
    assert isinstance(results["G2.KR1"].owner, tuple)  # OKR208
    assert [p.kind for p in goals.parents(initiatives["INIT-NORDICS"])] == ["objective"]  # OKR401
    ended = {i for i, n in initiatives.items() if not goals.is_active(n)}
    assert ended == {"INIT-BANNERS", "INIT-LOYALTY", "INIT-REFERRAL"}
    assert [i for i in sorted(ended) if goals.counts(initiatives[i])] == ["INIT-BANNERS"], "one within the grace"
    old = goals.find("INIT-MOBILE-SDK")
    assert old is not None
    assert isinstance(old.value, Initiative)
    assert not goals.counts(old)


def test_a_copy_points_at_the_sandbox(tmp_path: Path, acme: World) -> None:
    with Sandbox(acme) as sandbox:
        overrides: dict[str, Any] = {
            "writeback": {"enabled": True, "comments": {"backlog": True}},
            "schedule": "every 30s",
        }
        overrides["rules"] = {"idle_after": "7d"}
        copy_workspace(tmp_path / "w", sandbox, overrides=overrides)
        workspace = load(tmp_path / "w", env={})
        assert {c.url for c in workspace.connectors} == {sandbox.jira_url, sandbox.github_url}
        assert workspace.settings.writeback.enabled
        assert workspace.settings.writeback.comments.backlog
        assert workspace.settings.rules.severity == {"OKR105": "error"}, "what is not overridden stays"
        assert workspace.settings.schedule == "every 30s"
        jira = next(c for c in workspace.connectors if isinstance(c, JiraSettings))
        assert jira.email == sandbox.email


# --- the recorded world --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kafka() -> Path:
    root = Path(os.environ.get("OKRSYNC_SHARED", Path(__file__).parents[2].parent / "shared"))
    folder = root / "data" / "kafka"
    if not folder.is_dir():
        pytest.skip(f"the recorded data is not at {folder}")
    return folder


def test_the_recorded_world_is_complete_and_quick_to_read(kafka: Path, tmp_path: Path) -> None:
    now = STORY_NOW.replace(year=2024, month=10, day=25)
    world = kafka_world(kafka, now)
    assert (len(world.github.nodes), len(world.jira.issues)) == (4448, 2308)
    states = Counter(world.jira.category(i) for i in world.jira.issues.values())
    assert states["indeterminate"] > 100
    assert states["done"] > 1500
    with Sandbox(world, clock=StoryClock(now)) as sandbox:
        workspace = load(replay_workspace(tmp_path, sandbox, kafka), env={})
        headers = {"Authorization": f"Bearer {sandbox.token}"}
        with httpx.Client(base_url=sandbox.github_url, headers=headers, verify=False) as client:
            page = client.get("/repos/apache/kafka/issues", params={"state": "all", "per_page": 100, "page": 3})
            assert len(page.json()) == 100
            assert "page=45" in page.links["last"]["url"]
    goals = workspace.goals(now.date())
    assert goals.cycle is not None
    assert goals.cycle.id == "2024-Q4"
    assert {"INIT-KIP-848", "INIT-KIP-932"} <= {n.id for n in goals.current("initiative")}
    assert all(goals.parents(n) for n in goals if n.kind == "initiative"), "each moves a key result"
    assert {w for n in goals for w in getattr(n.value, "work", ())} <= {f"jira:{key}" for key in world.jira.keys}
