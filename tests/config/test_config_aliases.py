"""`aliases` of a Jira connector: what renamed projects were called before."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_samples import GOOD, JIRA, write

from okrsync.config import load
from okrsync.domain.workspace import WorkspaceError


def test_old_keys_lead_to_the_connector_and_the_present_key(tmp_path: Path) -> None:
    root = write(tmp_path, {JIRA: GOOD[JIRA] + "aliases: {OPTIQ: PAY, OLD_WEB: WEB}\n"})
    (jira,) = (c for c in load(root, env={}).connectors if c.type == "jira")
    assert jira.renamed == {"OPTIQ": "jira:PAY", "OLD_WEB": "jira:WEB"}


@pytest.mark.parametrize(
    ("aliases", "words"),
    [
        ("{optiq: PAY}", "'optiq' is no project key; write old key: present key"),
        ("{OPTIQ: pay-1}", "'pay-1' is no project key"),
        ("{WEB: PAY}", "WEB is one of `projects`, so it cannot be another one's old key"),
        ("{OPTIQ: PAYS}", "PAYS is not one of `projects`, so nothing of it is read; add it there; did you mean 'PAY'?"),
        ("{OPTIQ: [PAY]}", "must be text"),
        ("[OPTIQ]", "`aliases` must be a mapping"),
    ],
)
def test_what_cannot_be_an_alias_is_told_with_its_line(tmp_path: Path, aliases: str, words: str) -> None:
    root = write(tmp_path, {JIRA: GOOD[JIRA] + f"aliases: {aliases}\n"})
    with pytest.raises(WorkspaceError) as problem:
        load(root, env={})
    assert f"{JIRA}:5: " in str(problem.value)
    assert words in str(problem.value)
