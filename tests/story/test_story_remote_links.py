"""Web links of Jira issues to GitHub pull requests: read where `remote_links` says so, and evidence like a key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from okrsync.sandbox.faults import Fault
from product import Product, story
from tickets import ALL

PR = "github:acme/web#24"  # names no ticket
ISSUE = "github:acme/web#18"  # an issue that nothing ties to a goal
URL = "https://github.com/acme/web/pull/24"
TICKET = "jira:PAY-3"  # below an epic with an initiative


def set_links(product: Product, value: object, connector: str = "jira") -> None:
    path = product.root / "connectors" / f"{connector}.yaml"
    yaml = YAML()
    data = yaml.load(path.read_text("utf-8"))
    data["remote_links"] = value
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(data, file)


def pull(product: Product, *args: str) -> None:
    product.clock.advance(minutes=15)
    pulled = product.run("pull", *args)
    assert pulled.exit == 0, pulled


def asked(product: Product) -> list[str]:
    """Which issues were asked for their remote links since the last look, by number."""
    seen = [r.path for r in product.sandbox.requests if r.path.endswith("/remotelink")]
    product.sandbox.forget()
    return sorted(path.split("/")[-2] for path in seen)


def alignment(product: Product, id_: str = PR) -> str:
    """As `explain` has it, which looks at all the evidence; `findings` has to agree."""
    explained = product.explain(id_)["alignment"]
    found = product.run("findings", "--format", "json").json["findings"]
    told = {f["code"] for f in found if f["subject"]["id"] == id_}
    assert ("OKR101" in told) == (explained == "unlinked"), (explained, told)
    return str(explained)


def commented(product: Product) -> set[str]:
    """Where a comment is planned."""
    changes = product.run("plan", "--format", "json").json["changes"]
    return {change["target"] for change in changes if change["op"] == "create_comment"}


def number(product: Product, id_: str) -> str:
    return str(product.sandbox.world.find(id_).id)  # type: ignore[union-attr]  # a Jira issue


@pytest.fixture
def links(product: Product) -> Product:
    """The option is on, and somebody has put a web link on the ticket."""
    set_links(product, True)
    product.sandbox.world.add_remote_link(TICKET, URL, "lin")
    return product


def test_a_pull_request_that_only_a_web_link_ties_is_linked_and_explained(links: Product) -> None:
    pull(links)
    assert len(asked(links)) == 98  # a request for each issue
    assert alignment(links) == "linked"
    assert links.explain(PR)["path"][0] == {"from": PR, "via": "key", "to": TICKET, "detail": "remote link"}
    assert f"1. {TICKET} has a web link to {PR}\n" in links.run("explain", PR).out


def test_a_link_that_was_removed_is_evidence_no_longer(links: Product) -> None:
    pull(links)
    assert alignment(links) == "linked"
    links.sandbox.world.remove_remote_link(TICKET, URL, "lin")
    pull(links)
    assert alignment(links) == "unlinked"


def test_switched_off_nothing_is_asked_and_nothing_counts(links: Product) -> None:
    set_links(links, False)
    pull(links)
    assert asked(links) == []
    assert alignment(links) == "unlinked"


def test_switched_on_and_off_what_is_held_follows(product: Product) -> None:
    pull(product)
    product.sandbox.world.add_remote_link(TICKET, URL, "lin")
    product.clock.advance(hours=2)
    pull(product)
    assert asked(product) == []
    set_links(product, True)
    pull(product)
    assert len(asked(product)) == 98
    assert alignment(product) == "linked"
    set_links(product, False)
    assert alignment(product) == "unlinked"  # at once
    pull(product)
    set_links(product, ["PAY"])  # and nothing is left over
    assert asked(product) == []
    assert alignment(product) == "unlinked"


def test_only_projects_that_are_named_are_asked(links: Product) -> None:
    set_links(links, ["WEB", "O*"])
    pull(links)
    issues = links.sandbox.world.jira.issues
    assert {issues[int(n)].project for n in asked(links)} == {"WEB", "OPS"}
    assert alignment(links) == "unlinked"
    set_links(links, ["PAY"])
    pull(links)
    assert alignment(links) == "linked"


def test_an_idle_pull_asks_nothing_and_a_change_asks_one(links: Product) -> None:
    pull(links)
    pull(links)
    asked(links)
    pull(links)
    assert asked(links) == []
    assert alignment(links) == "linked"
    links.sandbox.world.edit_title("jira:PAY-2", "Something else", "lin")
    pull(links)
    assert asked(links) == [number(links, "jira:PAY-2")]
    pull(links)
    pull(links)
    asked(links)
    pull(links)
    assert asked(links) == []


def test_several_tickets_count_beside_the_key_in_its_title(links: Product) -> None:
    world = links.sandbox.world
    named = "github:acme/web#11"  # [WEB-11], which is unlinked
    for ticket in (TICKET, "jira:WEB-3", "jira:WEB-11"):
        world.add_remote_link(ticket, "https://github.com/acme/web/pull/11", "lin")
    pull(links)
    assert alignment(links, named) == "linked"
    explained = links.explain(named)
    leads = [(hop["to"], hop["detail"]) for hop in explained["leads_to"]]
    assert leads == [("jira:WEB-11", "title"), (TICKET, "remote link"), ("jira:WEB-3", "remote link")]
    initiatives = {target["initiative"] for target in explained["targets"]}
    assert initiatives == {links.explain(id_)["targets"][0]["initiative"] for id_ in (TICKET, "jira:WEB-3")}


def link_instead(links: Product, url: str) -> None:
    links.sandbox.world.remove_remote_link(TICKET, URL, "lin")
    links.sandbox.world.add_remote_link(TICKET, url, "lin")
    pull(links)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/web/issues/24",
        "https://github.com/acme/web/pull/18",  # the number of an issue
        "https://github.com/acme/web/pull/2400",
        "https://github.com/acme/other/pull/24",
        "https://ghe.acme.example/acme/web/pull/24",
        "https://github.com.evil.example/acme/web/pull/24",
        "https://github.com@evil.example/acme/web/pull/24",
        "https://github.com/acme/web/pull/24x",
        "https://github.com/acme/web/commit/24",
        "mailto:lin@acme.example",
        "https://[github.com/acme/web/pull/24",
    ],
)
def test_other_addresses_say_nothing(links: Product, url: str) -> None:
    link_instead(links, url)
    assert (alignment(links), alignment(links, ISSUE)) == ("unlinked", "unlinked")


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/ACME/Web/pull/24/files?w=1#diff-0",
        "http://www.github.com:80/acme/web/pull/24/",
        "https://GitHub.com/acme/web/pull/24#issuecomment-1",
    ],
)
def test_the_same_pull_request_in_other_words(links: Product, url: str) -> None:
    link_instead(links, url)
    assert alignment(links) == "linked"


def test_a_link_by_the_name_that_the_repository_had(links: Product) -> None:
    pull(links)
    links.sandbox.world.rename_repo("acme/web", "acme/shop", "ada")
    pull(links)
    assert alignment(links, "github:acme/shop#24") == "linked"


def test_the_comment_stands_where_the_fix_belongs(links: Product) -> None:
    """On the ticket, from which the pull request would inherit."""
    ticket = "jira:PAY-30"
    links.env |= ALL
    pull(links)
    assert {ticket, "github:acme/web#10"} <= commented(links)
    links.sandbox.world.add_remote_link(ticket, "https://github.com/acme/web/pull/10", "lin")
    pull(links)
    assert commented(links) & {ticket, "github:acme/web#10"} == {ticket}
    explained = links.explain("github:acme/web#10")
    assert (explained["alignment"], explained["leads_to"][0]["to"]) == ("unlinked", ticket)
    out = links.run("explain", "github:acme/web#10").out
    assert f"{ticket} has a web link to github:acme/web#10, which is unlinked itself" in out
    assert f"or tie {ticket} in one of these ways" in out


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_refused_has_no_links_and_is_said_once(links: Product, status: int) -> None:
    links.sandbox.faults.add(Fault(kind="status", source="jira", path="/remotelink", status=status))
    links.clock.advance(minutes=15)
    pulled = links.run("pull", "--format", "json")
    assert (pulled.exit, all(s["complete"] for s in pulled.json["sources"])) == (0, True)
    said = [w for w in pulled.json["warnings"] if "remote links" in w]
    projects = sorted(w.split(": ")[1] for w in said)
    assert projects == (["GRO", "OPS", "PAY", "WEB"] if status == 403 else [])
    assert all(w.startswith("jira: ") and "take it out of `remote_links`" in w for w in said)
    assert alignment(links) == "unlinked"
    links.sandbox.faults.clear()
    pull(links, "--full")
    assert alignment(links) == "linked"


def test_where_issue_linking_is_off_the_servers_own_words_are_told(links: Product) -> None:
    links.sandbox.world.jira.linking = False
    pulled = links.run("pull", "--format", "json")
    assert any("Issue linking is currently disabled" in w for w in pulled.json["warnings"])
    assert pulled.exit == 0


def test_no_pull_request_is_called_unlinked_while_links_could_not_be_read(links: Product) -> None:
    links.sandbox.faults.add(Fault(kind="status", source="jira", path="/remotelink", status=500))
    links.clock.advance(minutes=15)
    assert links.run("pull").exit != 0
    explained = links.explain(PR)
    assert explained["alignment"] == "unknown"
    assert "jira:*" in explained["why"]
    assert "has a web link" not in links.run("explain", PR).out
    assert alignment(links) == "unknown"
    assert alignment(links, ISSUE) == "unlinked"  # nothing links to issues
    assert links.explain("github:acme/web#9")["alignment"] == "unlinked"
    labels = links.sandbox.world.snapshot()["items"]
    links.sync("--approve", links.run("plan", "--format", "json").json["checksum"])
    assert links.sandbox.world.snapshot()["items"][PR]["labels"] == labels[PR]["labels"]
    links.sandbox.faults.clear()
    pull(links)
    assert alignment(links) == "linked"


def test_one_project_that_could_not_be_read_makes_pull_requests_unknown_too(links: Product) -> None:
    pull(links)
    links.sandbox.world.jira.projects["GRO"].visible = False
    links.clock.advance(minutes=15)
    links.run("pull")
    assert alignment(links, "github:acme/web#10") == "unknown"
    assert "jira:GRO-*" in links.explain("github:acme/web#10")["why"]
    set_links(links, ["PAY", "WEB"])
    assert alignment(links, "github:acme/web#10") == "unlinked"


def test_a_direct_reading_keeps_the_links(links: Product) -> None:
    """When a label of ours is gone, the ticket is read again by itself, without a question for its links."""
    assert links.first_cycle().exit == 0
    label = next(x for x in links.sandbox.world.find(TICKET).labels if x.startswith("okr/"))
    links.sync()
    links.clock.advance(hours=2)
    links.sandbox.world.remove_label(TICKET, label, "lin")
    links.sandbox.forget()
    links.sync()
    fetched = [r.path for r in links.sandbox.requests if r.source == "jira" and r.path.endswith("bulkfetch")]
    assert len(fetched) == 1
    assert asked(links) == [number(links, TICKET)]  # by the pull: it changed
    assert alignment(links) == "linked"


def test_a_ticket_that_is_followed_by_its_old_key_keeps_the_links(links: Product) -> None:
    links.sandbox.world.move_issue(TICKET, "WEB", "lin")
    links.sandbox.world.edit_title("github:acme/web#10", "PAY-3: a darker footer", "lin")
    pull(links)
    assert (alignment(links), alignment(links, "github:acme/web#10")) == ("linked", "linked")


def test_a_label_is_written_for_the_goal_of_the_ticket(links: Product) -> None:
    assert links.first_cycle().exit == 0
    items = links.sandbox.world.snapshot()["items"]
    assert [x for x in items[PR]["labels"] if x.startswith("okr/")] == [
        x for x in items[TICKET]["labels"] if x.startswith("okr/")
    ]


def test_data_center_has_the_same_links(tmp_path: Path) -> None:
    clock, sandbox = story()
    sandbox.world.jira.cloud = False
    with sandbox:
        product = Product(tmp_path / "workspace", sandbox, clock)
        path = product.root / "connectors" / "jira.yaml"
        text = "".join(line for line in path.read_text().splitlines(True) if not line.startswith("email:"))
        path.write_text(text)
        set_links(product, True)
        sandbox.world.add_remote_link(TICKET, URL, "lin")
        pull(product)
        assert {r.path.split("/")[3] for r in sandbox.requests if r.path.endswith("/remotelink")} == {"2"}
        assert alignment(product) == "linked"
        assert len(asked(product)) == 98


def test_check_online_tells_the_price(links: Product) -> None:
    def estimate() -> tuple[int, str]:
        told = links.run("check", "--online", "--format", "json").json["connectors"]
        return told["jira"]["first_pull"]["requests"], json.dumps(told["jira"]["notes"])

    with_links, notes = estimate()
    assert "`remote_links`" in notes
    set_links(links, False)
    without, notes = estimate()
    assert with_links - without == 98
    assert "remote_links" not in notes


@pytest.mark.parametrize(
    ("value", "said"), [("maybe", "remote_links"), (["PAY/*"], "is not spelled as expected"), ([7], "remote_links")]
)
def test_what_is_no_choice_of_projects_is_refused(product: Product, value: object, said: str) -> None:
    set_links(product, value)
    checked = product.run("check")
    assert checked.exit == 2
    assert said in checked.out + checked.err
    assert "connectors/jira.yaml:" in checked.out + checked.err


def test_on_either_database(tmp_path: Path, database_url: str) -> None:
    clock, sandbox = story()
    with sandbox:
        product = Product(tmp_path / "workspace", sandbox, clock, env={"OKRSYNC_STORE": database_url})
        set_links(product, True)
        sandbox.world.add_remote_link(TICKET, URL, "lin")
        pull(product)
        assert alignment(product) == "linked"
        sandbox.faults.add(Fault(kind="status", source="jira", path="/remotelink", status=500))
        sandbox.world.edit_title("jira:PAY-2", "Changed", "lin")
        clock.advance(minutes=15)
        assert product.run("pull").exit == 3
        assert alignment(product) == "unknown"
