"""Jira, Cloud and Data Center: settings in, work items out, labels and one comment back.

Payloads are understood in `translate`, `adf` and `wiki` (pure); requests go through `client`, on the shared transport.
No linking, no judging, no store: nothing here knows what an OKR is.
"""

from .tracker import JiraTracker

__all__ = ["JiraTracker"]
