"""Jira, Cloud and Data Center: settings in, work items out, labels and one comment back.

Payloads are understood in `translate`, `adf` and `wiki` (pure); requests go through `client`, on the shared transport.
No linking, no judging, no store: nothing here knows what an OKR is.

What ties an issue to another is read with it: `parent`, Epic Link, Data Center's Parent Link above epics, and links
that say "implements"; other links (blocks, relates) are no evidence. Remote links to pull requests cost a request for
each issue, and are only read where the settings ask for it: most pull requests name their tickets.
"""

from .tracker import JiraTracker

__all__ = ["JiraTracker"]
