"""GitHub: reading issues and pull requests, looking, writing labels and comments.

Payload translation and Markdown are pure modules; everything sent goes through the transport. Nothing here decides.
"""

from .tracker import GitHubTracker

__all__ = ["GitHubTracker"]
