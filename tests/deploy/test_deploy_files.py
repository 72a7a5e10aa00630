"""The image, Compose and Kubernetes files: well formed, restricted, and in step with the program."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from ruamel.yaml import YAML

from okrsync import __version__
from okrsync.config import load, secrets
from okrsync.config.schedule import check_schedule

ROOT = Path(__file__).resolve().parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSION = "1.30"  # older than that is out of support everywhere


def documents(*names: str) -> list[dict[str, Any]]:
    yaml = YAML(typ="safe")
    yaml.version = "1.1"  # type: ignore[assignment]  # as Kubernetes reads it: 0440 is octal
    return [d for name in names for d in yaml.load_all((KUBERNETES / name).read_text("utf-8"))]


def pod(name: str) -> dict[str, Any]:
    (document,) = documents(name)
    spec = document["spec"]
    spec = spec["jobTemplate"]["spec"] if document["kind"] == "CronJob" else spec
    found: dict[str, Any] = spec["template"]["spec"]
    return found


WORKLOADS = ["deployment.yaml", "cronjob.yaml"]


@pytest.mark.parametrize("name", ["common.yaml", *WORKLOADS])
def test_kubernetes_takes_them(name: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, VERSION, strict=True)


def test_an_unknown_key_would_be_found() -> None:
    (document,) = documents("deployment.yaml")
    document["spec"]["template"]["spec"]["containers"][0]["livenessprobe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("name", WORKLOADS)
def test_pods_are_restricted(name: str) -> None:
    """The restricted standard: https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted"""
    spec = pod(name)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    (container,) = spec["containers"]
    context = container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["readOnlyRootFilesystem"] is True
    assert context["capabilities"] == {"drop": ["ALL"]}
    mounts = {m["mountPath"]: m.get("readOnly", False) for m in container["volumeMounts"]}
    assert mounts == {"/workspace": True, "/run/secrets/okrsync": True, "/state": False, "/tmp": False}
    assert container["image"] == f"okrsync:{__version__}"


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_mounted_workspace_loads(name: str, tmp_path: Path) -> None:
    """Laid out as Kubernetes mounts a ConfigMap: files behind two symbolic links."""
    spec = pod(name)
    config_map = next(d for d in documents("common.yaml") if d["kind"] == "ConfigMap")
    volumes = {v["name"]: v for v in spec["volumes"]}
    items = volumes["workspace"]["configMap"]["items"]
    assert {i["key"] for i in items} == set(config_map["data"])
    assert volumes["workspace"]["configMap"]["name"] == config_map["metadata"]["name"]
    data = tmp_path / "..2026_11_16"
    for item in items:
        file = data / item["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(config_map["data"][item["key"]], "utf-8")
    (tmp_path / "..data").symlink_to(data.name)
    for top in {Path(i["path"]).parts[0] for i in items}:
        (tmp_path / top).symlink_to(Path("..data") / top)
    keys = tmp_path / "keys"
    keys.mkdir()
    env = {}
    for variable in spec["containers"][0]["env"]:
        env[variable["name"]] = str(keys / Path(variable["value"]).name)
        (keys / Path(variable["value"]).name).write_text("a-token-of-the-test", "utf-8")
    workspace = load(tmp_path, env=env)
    assert workspace.warnings == ()
    assert len(workspace.connectors) == 2
    assert len(workspace.nodes) >= 4
    assert secrets(workspace.connectors, env).keys() == {"jira", "github"}


def test_probes_and_schedule_fit_the_program() -> None:
    (container,) = pod("deployment.yaml")["containers"]
    paths = [container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")]
    assert paths == ["/healthz", "/readyz"]
    assert container["ports"] == [{"name": "http", "containerPort": 9464}]
    (job,) = documents("cronjob.yaml")
    check_schedule(job["spec"]["schedule"])
    assert job["spec"]["concurrencyPolicy"] == "Forbid"


def test_compose_takes_it(tmp_path: Path) -> None:
    """By the Compose Specification's own schema."""

    def problems(file: Path) -> str:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        return "" if ran.returncode == 0 else ran.stdout + ran.stderr

    file = ROOT / "compose.yaml"
    assert problems(file) == ""
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(file.read_text("utf-8").replace("read_only:", "readonly:"), "utf-8")
    assert "readonly" in problems(wrong)


def test_compose() -> None:
    compose = YAML(typ="safe").load((ROOT / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["okrsync"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "./workspace:/workspace:ro" in service["volumes"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert compose["services"]["postgresql"]["profiles"] == ["postgresql"]
    for other in compose["services"].values():
        assert set(other.get("secrets", ())) <= set(compose["secrets"])


def test_the_image_copies_what_the_build_context_holds() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    assert copied == set(allowed)
    assert all((ROOT / source).exists() for source in copied)
    last_stage = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert re.search(r"^VOLUME /state$", last_stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last_stage, re.MULTILINE)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False), (None, False)])
def test_the_health_check_asks_the_daemon(status: int | None, *, healthy: bool) -> None:
    check = re.search(r"^HEALTHCHECK .*CMD (\[.*\])$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert check is not None
    program, *arguments = json.loads(check[1])
    assert program == "python"
    asked: list[str] = []

    class Daemon(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status or 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Daemon) as server:
        env = {**os.environ, "OKRSYNC_LISTEN": f"0.0.0.0:{server.server_port}"}
        if status is None:
            server.server_close()
        else:
            threading.Thread(target=server.handle_request, daemon=True).start()
        ran = subprocess.run([sys.executable, *arguments], env=env, capture_output=True, check=False)
    assert (ran.returncode == 0) is healthy
    assert asked == (["/healthz"] if status else [])
