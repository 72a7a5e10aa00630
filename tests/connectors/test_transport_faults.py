"""The transport against servers that misbehave in each of the ways it must survive."""

from __future__ import annotations

import base64
import gzip
import itertools
import json
from datetime import timedelta
from types import NoneType
from typing import Any

import httpx
import pytest
from netfakes import GOOD, START, TOKEN, Chunks, Script, Time, ask, transport

from contracts import SHARED
from okrsync.connectors.transport import LIMITED
from okrsync.domain.trackers import (
    Forbidden,
    NotFound,
    OutcomeUnknown,
    SignInFailed,
    SourceFailed,
    WriteRefused,
)


def test_a_good_answer_is_decoded_and_signed() -> None:
    server = Script(GOOD)
    answer = ask(server, params={"q": "a b", "none": None})
    assert (answer.status, answer.value, answer.url) == (200, {"a": 1}, "https://api.example/v3/x/y?q=a+b")
    sent = server.requests[0]
    assert sent.headers["authorization"] == f"Bearer {TOKEN}"
    assert sent.headers["user-agent"].startswith("okrsync/")


BROKEN = {
    "no connection": httpx.ConnectError("refused"),
    "connect timeout": httpx.ConnectTimeout("slow"),
    "read timeout": httpx.ReadTimeout("slow"),
    "reset": httpx.ReadError("reset by peer"),
    "truncated": httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    "500": httpx.Response(500, text="oops"),
    "502": httpx.Response(502, html="<html><title>Bad gateway</title></html>"),
    "503": httpx.Response(503),
    "invalid JSON": httpx.Response(200, content=b'[{"a":1', headers={"content-type": "application/json"}),
    "empty": httpx.Response(200, content=b""),
    "wrong shape": httpx.Response(200, json=[1]),
    "HTML": httpx.Response(200, html="<html>maintenance</html>"),
    "not UTF-8": httpx.Response(200, content=b'{"a":"\xff"}'),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_what_is_broken_is_asked_again(fault: Any) -> None:
    time = Time()
    assert ask(Script(fault, fault, GOOD), time=time).value == {"a": 1}
    assert len(time.slept) == 2
    assert 1 <= time.slept[0] <= 2 <= time.slept[1] <= 3  # exponential, with jitter


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_what_stays_broken_fails_the_source(fault: Any) -> None:
    server = Script(fault)
    with pytest.raises(SourceFailed, match="GET /v3/x/y"):
        ask(server)
    assert len(server.requests) == 5


@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN.keys())
def test_a_create_is_never_sent_twice(fault: Any) -> None:
    server = Script(fault, GOOD)
    if isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout):  # nothing was sent yet
        assert ask(server, "POST", json={}).value == {"a": 1}
        return
    with pytest.raises(OutcomeUnknown):
        ask(server, "POST", json={})
    assert len(server.requests) == 1


def test_an_idempotent_write_without_an_answer_is_of_unknown_outcome() -> None:
    server = Script(httpx.ReadError("reset"))
    with pytest.raises(OutcomeUnknown):
        ask(server, "DELETE")
    assert len(server.requests) == 5


def test_content_coding_gzip_and_a_broken_one() -> None:
    packed = gzip.compress(b'{"a": 1}')
    broken = httpx.Response(200, stream=Chunks(iter([b"nonsense"])), headers={"content-encoding": "gzip"})
    good = httpx.Response(200, stream=Chunks(iter([packed])), headers={"content-encoding": "gzip"})
    assert ask(Script(lambda _: broken, lambda _: good)).value == {"a": 1}


def test_lone_surrogates_in_a_title_do_not_stop_a_page() -> None:
    assert ask(Script(httpx.Response(200, content=b'{"title": "a\\ud800b"}'))).value == {"title": "ab"}


def test_401_names_the_variable_and_is_not_repeated() -> None:
    server = Script(httpx.Response(401, json={"message": "Bad credentials"}))
    with pytest.raises(SignInFailed, match=r"Bad credentials.*OKRSYNC_GITHUB_TOKEN"):
        ask(server)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "method", "error"),
    [
        (403, "GET", Forbidden),
        (451, "GET", Forbidden),
        (403, "POST", Forbidden),
        (404, "GET", NotFound),
        (410, "DELETE", NotFound),
        (400, "POST", WriteRefused),
        (422, "PATCH", WriteRefused),
        (413, "PUT", WriteRefused),
        (400, "GET", SourceFailed),
        (422, "GET", SourceFailed),
        (418, "GET", SourceFailed),
    ],
)
def test_refusals_by_what_the_caller_does_next(status: int, method: str, error: type[Exception]) -> None:
    server = Script(httpx.Response(status, json={"errorMessages": ["no"], "errors": {"field": "why"}}))
    with pytest.raises(error, match=f"{status} .*no; field: why"):
        ask(server, method)
    assert len(server.requests) == 1


def test_a_conflict_is_tried_three_more_times() -> None:
    server = Script(httpx.Response(409))
    with pytest.raises(WriteRefused):
        ask(server, "PUT", json={})
    assert len(server.requests) == 4
    once = Script(httpx.Response(409))
    with pytest.raises(WriteRefused):
        ask(once, "POST", json={})
    assert len(once.requests) == 1


def test_statuses_the_caller_wants_are_answers() -> None:
    answer = ask(
        Script(httpx.Response(422, json={"errors": [{"code": "already_exists", "field": "name"}]})),
        "POST",
        statuses=(422,),
    )
    assert (answer.status, answer.value, answer.message) == (422, None, "name already_exists")
    moved = ask(Script(httpx.Response(301, headers={"location": "/z"})), statuses=(301,))
    assert moved.status == 301


def test_no_content_and_not_modified_have_no_value() -> None:
    assert ask(Script(httpx.Response(204)), "DELETE").value is None
    assert ask(Script(httpx.Response(304))).value is None
    assert transport(Script(httpx.Response(200, json=[])), Time()).request("DELETE", "x", type=NoneType).value is None


def test_a_login_page_is_no_confirmation_of_a_write() -> None:
    page = httpx.Response(200, html="<html>please sign in</html>")
    with pytest.raises(OutcomeUnknown, match="HTML page"):
        transport(Script(page), Time()).request("DELETE", "x", type=NoneType)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is absent")
def test_real_error_answers() -> None:
    for line in (SHARED / "data/http_errors_and_moves.jsonl").read_text().splitlines():
        row = json.loads(line)
        content = row.get("body_start") or json.dumps(
            row["body"] if "body" in row else {"message": row.get("message", "")}
        )
        kind = row.get("content_type", "application/json")
        response = httpx.Response(
            row["status"] or 200, content=content, headers={"content-type": kind, **row.get("headers", {})}
        )
        time = Time()
        if row["status"] == 400:
            with pytest.raises(WriteRefused, match=r"Unrecognized|required|already exists"):
                ask(Script(response), "PUT", json={}, time=time)
        elif row["status"] == 429 or (row["status"] == 403 and "message" in content and "secondary" in content):
            assert ask(Script(response, GOOD), time=time).value == {"a": 1}
            assert time.slept


def test_a_rate_limit_or_half_an_answer_inside_a_200() -> None:
    time = Time()
    server = Script(httpx.Response(200, json={"e": "limited"}), httpx.Response(200, json={"e": "half"}), GOOD)
    said = {"limited": LIMITED, "half": "partial data"}
    assert ask(server, "POST", time=time, idempotent=True, write=False, doubt=lambda v: said.get(v.get("e"))).value == {
        "a": 1
    }
    assert time.slept[0] == 60
    with pytest.raises(SourceFailed, match="partial data"):
        ask(
            Script(httpx.Response(200, json={"e": "half"})),
            "POST",
            idempotent=True,
            write=False,
            doubt=lambda _: "partial data",
        )


# --- deadlines and sizes


def test_a_body_that_never_ends_is_given_up_in_time() -> None:
    time = Time()

    def drip(_: httpx.Request) -> httpx.Response:
        def second() -> None:
            time.now += timedelta(seconds=1)

        return httpx.Response(200, stream=Chunks(itertools.repeat(b" "), second))

    with pytest.raises(SourceFailed, match="did not end in time"):
        ask(Script(drip), time=time)
    assert time.now < START + timedelta(minutes=6)


def test_a_body_of_gigabytes_is_cut_off() -> None:
    huge = Script(lambda _: httpx.Response(200, stream=Chunks(itertools.repeat(b" " * 2**16))))
    with pytest.raises(SourceFailed, match="larger than"):
        transport(huge, Time(), byte_cap=2**20).request("GET", "x", type=dict[str, Any])


def test_a_small_body_that_unpacks_to_gigabytes_is_cut_off() -> None:
    bomb = gzip.compress(b" " * 2**24)
    server = Script(lambda _: httpx.Response(200, stream=Chunks(iter([bomb])), headers={"content-encoding": "gzip"}))
    with pytest.raises(SourceFailed, match="larger than"):
        transport(server, Time(), byte_cap=2**20).request("GET", "x", type=dict[str, Any])


def test_nothing_is_sent_after_the_deadline() -> None:
    time = Time()
    time.now = time.ends
    server = Script(GOOD)
    with pytest.raises(SourceFailed, match="time for this run"):
        ask(server, time=time)
    assert server.requests == []


# --- redirects and other hosts


@pytest.mark.parametrize(("status", "method"), [(301, "GET"), (302, "GET"), (307, "POST"), (308, "PATCH")])
def test_redirects_on_the_host_are_followed_with_method_and_body(status: int, method: str) -> None:
    server = Script(httpx.Response(status, headers={"location": "/v3/moved?page=2"}), GOOD)
    answer = ask(server, method, json={"b": 1} if method != "GET" else None, params={"page": 1})
    assert answer.url == "https://api.example/v3/moved?page=2"
    assert [r.method for r in server.requests] == [method, method]
    assert server.requests[0].content == server.requests[1].content


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/x",
        "http://api.example/x",
        "https://api.example:8443/x",
        "//evil.example/x",
        "https://api.example@evil.example/",
    ],
)
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    server = Script(httpx.Response(302, headers={"location": location}), GOOD)
    with pytest.raises(SourceFailed, match="never sent"):
        ask(server)
    assert len(server.requests) == 1


def test_an_absolute_address_elsewhere_is_refused_unsent() -> None:
    server = Script(GOOD)
    with pytest.raises(SourceFailed, match="never sent"):
        transport(server, Time()).request("GET", "https://evil.example/next", type=dict[str, Any])
    assert server.requests == []


def test_redirects_in_a_circle_end() -> None:
    server = Script(httpx.Response(302, headers={"location": "/v3/x/y"}))
    with pytest.raises(SourceFailed, match="redirects"):
        ask(server)
    assert len(server.requests) == 6


# --- secrets


@pytest.mark.parametrize(
    "echo", [TOKEN, base64.b64encode(TOKEN.encode()).decode(), base64.b64encode(f"me@x:{TOKEN}".encode()).decode()]
)
@pytest.mark.parametrize("basic", [False, True])
def test_secrets_that_a_server_echoes_are_redacted(echo: str, basic: bool) -> None:
    pair = base64.b64encode(f"me@x:{TOKEN}".encode()).decode()
    header = f"Basic {pair}" if basic else f"Bearer {TOKEN}"
    if not basic and echo.startswith(pair[:8]):
        pytest.skip("a bearer token is never paired with an e-mail")
    server = Script(httpx.Response(400, json={"message": f"bad header {echo}\n\x1b[31m and more" + "!" * 300}))
    with pytest.raises(SourceFailed) as caught:
        transport(server, Time(), authorize=lambda: {"Authorization": header}).request("GET", "x", type=dict[str, Any])
    text = str(caught.value)
    assert echo not in text
    assert "\n" not in text
    assert "\x1b" not in text
    assert len(text) < 300


def test_no_half_of_a_secret_is_left_where_a_message_is_cut() -> None:
    server = Script(httpx.Response(422, json={"message": "x" * 190 + TOKEN}))
    assert TOKEN[:6] not in ask(server, "POST", statuses=(422,)).message
    with pytest.raises(WriteRefused) as caught:
        ask(server, "POST")
    assert TOKEN[:6] not in str(caught.value)


@pytest.mark.parametrize("token", ["tok\nX-Evil: 1", "schlüssel-geheim"])
def test_a_token_that_no_header_can_hold_is_not_told(token: str) -> None:
    client = httpx.Client()  # the real protocol checks headers; the address is never reached
    way = transport(
        Script(GOOD), Time(), client=client, authorize=lambda: {"Authorization": f"Bearer {token}"}, attempts=1
    )
    with pytest.raises(SourceFailed) as caught:
        way.request("GET", "x", type=dict[str, Any])
    assert token not in str(caught.value)
    assert token not in repr(caught.value.__cause__)


def test_netrc_never_signs(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / ".netrc").write_text("machine api.example login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    server = Script(GOOD)
    transport(server, Time(), authorize=dict).request("GET", "x", type=dict[str, Any])
    assert "authorization" not in server.requests[0].headers


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}"])
def test_json_nested_deeper_than_any_parser_goes(body: bytes) -> None:
    with pytest.raises(SourceFailed, match="cannot be understood"):
        ask(Script(httpx.Response(200, content=body)))
    with pytest.raises(NotFound):
        ask(Script(httpx.Response(404, content=body)))
