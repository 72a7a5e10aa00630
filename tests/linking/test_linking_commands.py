"""`/okr` commands: which lines are commands, what they come to, and what becomes of each."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linking_world import NOW, context, goals, stored

from examples import examples
from okrsync.domain.links import Alignment, RuleMatch, RuleMatches
from okrsync.domain.work import Command
from okrsync.linking import explain, explain_text, resolve
from okrsync.linking.commands import command_lines


def said(*texts, entitled=True):
    """Comments, one a minute, oldest first; a pair says whether its author is entitled."""
    pairs = [text if isinstance(text, tuple) else (text, entitled) for text in texts]
    return tuple(
        Command(
            author="ada", entitled=may, text=text, at=NOW - timedelta(hours=1) + timedelta(minutes=n), comment=str(n)
        )
        for n, (text, may) in enumerate(pairs)
    )


def judged(*texts, rules=None, today=None, **more):
    item = stored("jira:PAY-1", commands=said(*texts), **more)
    ctx = context(**({"today": today} if today else {}))
    return resolve([item], goals(), rules or {}, ctx)["jira:PAY-1"]


def stands(*texts, **more):
    verdict = judged(*texts, **more)
    return verdict.exempt_class or [t.node for t in verdict.targets] or None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("/okr link INIT-1", ("link INIT-1",)),
        ("Thanks!\n\n  /OKR   Link  INIT-1  \nBye", ("Link INIT-1",)),
        ("/okr link INIT-1\r\n/okr why", ("link INIT-1", "why")),
        ("/okr", ("",)),
        ("please /okr link INIT-1", ()),
        ("> /okr link INIT-1\n`/okr link INIT-1`\n```\n/okr link INIT-1\n```\n\n    /okr link INIT-1", ()),
        ("<!-- /okr link INIT-1 -->\n<!--\n/okr link INIT-1\n-->", ()),
        ("/okrs link INIT-1\n/okr/link INIT-1\n//okr link", ()),
        ("/okr link `INIT-1`", ("link `",)),
        ("/okr link INIT\u200b-1\u2060", ("link INIT-1",)),
        ("no command here", ()),
    ],
)
def test_commands_are_lines_of_their_own_outside_quotes_and_code(text, lines):
    assert command_lines(text) == lines


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["/okr link INIT-1"], ["INIT-1"]),
        (["/okr link init-1, O1.KR2"], ["INIT-1", "O1.KR2"]),
        (["/okr link INIT-1", "/okr link INIT-2"], ["INIT-2"]),
        (["/okr link INIT-2\n/okr link INIT-1"], ["INIT-1"]),
        (["/okr link INIT-1", "/okr link NOPE"], ["INIT-1"]),
        (["/okr link INIT-1", ("/okr link INIT-2", False)], ["INIT-1"]),
        (["/okr link INIT-1", ("/okr unlink", False)], ["INIT-1"]),
        (["/okr link INIT-1", "/okr unlink"], None),
        (["/okr unlink", "/okr link INIT-1"], ["INIT-1"]),
        (["/okr link INIT-1", "/okr remove-exempt"], ["INIT-1"]),
        (["/okr exempt tech-debt"], "tech-debt"),
        (["/okr exempt Tech-Debt until 2026-11-20"], "tech-debt"),
        (["/okr exempt tech-debt", "/okr exempt parity"], "parity"),
        (["/okr exempt tech-debt", "/okr remove-exempt"], None),
        (["/okr exempt tech-debt", "/okr unlink"], "tech-debt"),
        (["/okr link INIT-1", "/okr exempt tech-debt"], "tech-debt"),
        (["/okr exempt tech-debt", "/okr link INIT-1"], ["INIT-1"]),
        (["/okr link INIT-1", "/okr exempt tech-debt", "/okr remove-exempt"], ["INIT-1"]),
        (["/okr why", "hello"], None),
    ],
)
def test_the_last_valid_command_that_nobody_withdrew_counts(texts, expected):
    assert stands(*texts) == expected


def test_a_command_is_explicit_evidence_beside_the_others():
    verdict = judged("/okr link INIT-2", labels=["initiative:INIT-1"])
    assert [t.node for t in verdict.targets] == ["INIT-1", "INIT-2"], "a label is shown first, and both count"
    rule = {"jira:PAY-1": RuleMatches(match=RuleMatch(rule="r", link=("INIT-1",)))}
    verdict = judged("/okr exempt parity", rules=rule)
    assert (verdict.alignment, verdict.rule) == (Alignment.EXEMPT, None)
    (hop,) = verdict.path
    assert (hop.via, hop.to, hop.detail) == ("command", "exempt:parity", "/okr exempt parity (2026-11-20)")


def test_an_exemption_by_command_ends_after_its_last_day():
    text = "/okr exempt tech-debt until 2026-12-01"
    assert stands(text, today=date(2026, 12, 1)) == "tech-debt"
    verdict = judged(text, today=date(2026, 12, 2))
    assert (verdict.alignment, verdict.expired) == (Alignment.UNLINKED, ("tech-debt", date(2026, 12, 1)))
    assert [lost.why for lost in verdict.lost] == ["the exemption expired on 2026-12-01"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/okr link INIT-11", "no goal has the id 'INIT-11'; did you mean 'INIT-1'?"),
        ("/okr link B1", "no goal has the id 'B1'; B1 is a bet"),
        ("/okr link INIT-1 and more", "no goal has the id 'and'"),
        ("/okr link", "names no goal; write `/okr link ID`"),
        ("/okr link <script>alert(1)</script>", "no goal has the id '<script>alert(1)</script>'"),
        ("/okr link @everyone", "no goal has the id '@everyone'"),
        ("/okr exempt tech-dept", "there is no class 'tech-dept'; use one of parity"),
        ("/okr exempt", "names no class"),
        ("/okr exempt tech-debt for now", "only `until DATE` may follow the class"),
        ("/okr exempt tech-debt until soon", "'soon' is no date; write `/okr exempt tech-debt until 2026-12-31`"),
        ("/okr link `INIT-1`", "what stands between backticks is code, which is not read"),
        ("/okr exempt tech-debt until 2026-11-19", "2026-11-19 had passed when the command was given"),
        ("/okr unlink INIT-1", "takes nothing behind it"),
        ("/okr lnik INIT-1", "'lnik' is no command; there are link, unlink, exempt, remove-exempt, why; did you mean 'link'?"),
        ("/okr", "'' is no command"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_with_a_reason(text, words):
    verdict = judged(text)
    (answer,) = verdict.commands
    assert words in answer.refused
    assert (verdict.alignment, verdict.unknown_ids) == (Alignment.UNLINKED, ()), "no OKR103"


def test_each_command_gets_an_answer_in_the_order_in_which_they_were_given():
    verdict = judged("/okr why\n/okr link INIT-1", ("/okr unlink", False))
    assert [(a.comment, a.verb, a.entitled, bool(a.refused)) for a in verdict.commands] == [
        ("0", "why", True, False),
        ("0", "link", True, False),
        ("1", "unlink", False, True),
    ]


def test_explain_shows_the_command_and_why_one_was_refused():
    item = stored("jira:PAY-1", commands=said("/okr link INIT-1", "/okr link INIT-11"))
    verdicts = resolve([item], goals(), {}, context())
    text = explain_text(explain("jira:PAY-1", goals=goals(), items={"jira:PAY-1": item}, verdicts=verdicts))
    assert "jira:PAY-1 was tied to INIT-1 by a comment: /okr link INIT-1 (2026-11-20)" in text
    assert "correct the command `/okr link INIT-11`: no goal has the id 'INIT-11'" in text


def test_explain_says_how_to_extend_an_exemption_that_a_command_gave():
    item = stored("jira:PAY-1", commands=said("/okr exempt parity until 2026-12-01"))
    verdicts = resolve([item], goals(), {}, context(today=date(2026, 12, 2)))
    text = explain_text(explain("jira:PAY-1", goals=goals(), items={"jira:PAY-1": item}, verdicts=verdicts))
    assert "Unlinked: it was exempt as parity, but only until 2026-12-01." in text
    assert "comment `/okr exempt parity until DATE` again if the exemption still holds, else" in text


some = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "link INIT-1",
                "link INIT-2",
                "link NOPE",
                "unlink",
                "exempt parity",
                "exempt nope",
                "remove-exempt",
                "why",
            ]
        ),
        st.booleans(),
    ),
    max_size=8,
)


@given(some, st.randoms(use_true_random=False))
@examples(150)
def test_a_plain_reading_agrees_and_the_order_of_input_does_not_matter(given_commands, chance):
    texts = [(f"/okr {line}", entitled) for line, entitled in given_commands]
    kept = []
    for line, entitled in given_commands:
        if not entitled or "NOPE" in line or "nope" in line or line == "why":
            continue
        if line in ("unlink", "remove-exempt"):
            kept = [one for one in kept if one.split()[0] != {"unlink": "link", "remove-exempt": "exempt"}[line]]
        else:
            kept.append(line)
    last = kept[-1].split()[1] if kept else None
    assert stands(*texts) == (last if not last or last == "parity" else [last])

    commands = list(said(*texts))
    chance.shuffle(commands)
    shuffled = resolve([stored("jira:PAY-1", commands=tuple(commands))], goals(), {}, context())
    assert shuffled["jira:PAY-1"] == judged(*texts)


@given(some)
@examples(50)
def test_commands_of_people_who_may_not_give_any_change_nothing(given_commands):
    verdict = judged(*[(f"/okr {line}", False) for line, _ in given_commands])
    assert (verdict.alignment, verdict.lost) == (Alignment.UNLINKED, ())
    assert all(answer.refused for answer in verdict.commands)
