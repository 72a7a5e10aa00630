"""A GitHub App through the command line: tokens that end, are refused or revoked in the middle of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from okrsync.sandbox import Fault, Sandbox, company
from okrsync.sandbox.github_installation import Installation, install_app
from product import Product, StoryClock

HOURS: dict[str, Any] = {"run_timeout": "3h", "writeback": {"enabled": True, "comments": {"backlog": True}}}


@pytest.fixture(scope="module")
def pair() -> tuple[str, str]:
    """A private and a public key, as PEM."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.TraditionalOpenSSL
    secret = private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    told = serialization.PublicFormat.SubjectPublicKeyInfo
    return secret.decode(), private.public_key().public_bytes(serialization.Encoding.PEM, told).decode()


@pytest.fixture
def product(tmp_path: Path, pair: tuple[str, str]) -> Iterator[Product]:
    clock = StoryClock()
    world = company(clock())
    install_app(world, app=12345, installation=67890, slug="okrsync-acme", public_key=pair[1])
    with Sandbox(world, clock=clock) as sandbox:
        env = {"OKRSYNC_GITHUB_TOKEN": "", "OKRSYNC_GITHUB_PRIVATE_KEY": pair[0]}
        made = Product(tmp_path / "workspace", sandbox, clock, overrides=HOURS, env=env)
        del made.env["OKRSYNC_GITHUB_TOKEN"]
        connector = made.root / "connectors" / "github.yaml"
        connector.write_text(connector.read_text("utf-8") + "\napp: {id: 12345, installation: 67890}\n", "utf-8")
        yield made


def installed(product: Product) -> Installation:
    made = product.sandbox.world.github.installation
    assert made is not None
    return made


def refused(product: Product) -> int:
    return sum(r.status == 401 for r in product.sandbox.requests if r.source == "github")


def github(ran: Any) -> dict[str, Any]:
    return next(s for s in ran.json["run"]["sources"] if s["name"] == "github")


def test_a_run_that_outlives_its_token_goes_on(product: Product) -> None:
    """The server limits the rate in the middle of the first pull, and the token ends before it may go on."""
    limit = Fault(kind="primary_limit", source="github", path="/issues", after=1, times=1, seconds=4000)
    product.sandbox.faults.add(limit)
    before = product.clock()
    ran = product.sync()
    assert limit.hits == 1
    assert (product.clock() - before).total_seconds() > 4000
    assert github(ran)["complete"], ran.err
    assert len(installed(product).tokens) == 2


def test_the_whole_cycle_is_the_app_s(product: Product) -> None:
    assert product.first_cycle().exit == 0
    writes = [w for w in product.sandbox.writes if w.source == "github"]
    assert writes
    world = product.sandbox.world
    assert {c.author for i in world.github.nodes.values() for c in i.comments if "okrsync:v1" in c.body} == {
        "okrsync-acme[bot]"
    }
    settled = world.snapshot()
    assert product.sync().exit == 0
    assert world.snapshot() == settled, "its own comments are known again"


def test_a_token_revoked_in_the_middle_is_replaced_once(product: Product) -> None:
    product.sandbox.faults.add(Fault(kind="status", status=401, source="github", path="/issues", times=1))
    assert github(product.sync())["complete"]
    assert len(installed(product).tokens) == 2
    assert refused(product) == 1


def test_tokens_that_are_refused_time_and_again_suspend_the_source(product: Product) -> None:
    product.sandbox.faults.add(Fault(kind="status", status=401, source="github", path="/issues"))
    ran = product.sync()
    assert ran.exit == 3
    assert not github(ran)["complete"]
    assert "OKRSYNC_GITHUB_PRIVATE_KEY" in github(ran)["error"]
    assert len(installed(product).tokens) == 2, "exactly one was tried instead"


def test_what_the_app_may_not_do_is_named(product: Product) -> None:
    installed(product).permissions = {"metadata": "read", "issues": "read"}
    ran = product.run("check", "--online")
    assert "okrsync-acme[bot]" in ran.out + ran.err
    installed(product).permissions = {"metadata": "read"}
    ran = product.run("check", "--online")
    assert ran.exit == 1
    assert re.search(r"acme/web: missing Issues: Read\b", ran.out + ran.err)
