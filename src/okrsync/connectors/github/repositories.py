"""Which repositories a connector covers, under which names they go now, and what may be done in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain

from msgspec import Struct, structs

from okrsync.connectors.parallel import in_order
from okrsync.domain.settings import GitHubSettings
from okrsync.domain.text import glob_matches
from okrsync.domain.trackers import Forbidden, NotFound, TrackerError

from .api import Api
from .glancing import Glances
from .payloads import Repo

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/(?!\.{1,2}$)[A-Za-z0-9_.-]+")


class Covered(Struct, frozen=True, kw_only=True):
    """One configured repository, or one that a glob found. `name` is the current `owner/repo`; where it could not
    be read, the configured text, and `problem` says why, with a remedy. `lost`: a glob's list named it earlier."""

    name: str
    repo: Repo | None = None
    problem: str = ""
    lost: bool = False
    warnings: tuple[str, ...] = ()


class Repositories:
    """Knows each repository it has met until `forget`; names are compared without case, as GitHub does."""

    def __init__(self, settings: GitHubSettings, api: Api) -> None:
        self._settings = settings
        self._api = api
        self._known: dict[str, Repo] = {}
        self._refused: dict[str, TrackerError] = {}
        self._covered_names: set[str] = set()
        self._file = f"connectors/{settings.name}.yaml"

    def forget(self) -> None:
        """What is known may have changed since the last run."""
        self._known.clear()
        self._refused.clear()

    def covered(
        self, held: Iterable[str] = (), *, read: Iterable[str] = (), glances: Glances | None = None
    ) -> list[Covered]:
        """Every configured repository, in the order of the configuration, each once. `held` are those that an earlier
        pull has read: one that a glob matches, but no list shows any more, is asked for by its name, since a lost
        permission is no deletion. Those that were `read` to their end need no more than `glances` show."""
        found: dict[str, Covered] = {}
        settings = self._settings
        named = [r for r in settings.repos if _NAME.fullmatch(r)]
        if glances is not None:
            glances.look(named)
            read = {name.casefold() for name in read}
            for name in named:
                seen = glances.get(name)
                if seen is not None and seen.repo.full_name.casefold() in read:
                    self._known[name.casefold()] = seen.repo
                    self.learn(seen.repo)
        self._meet(named)
        if settings.org:
            sources: Iterator[Covered] = self._listed(settings.org, settings.include or ("*",), settings.org)
        else:
            sources = chain.from_iterable(
                self._globbed(r) if is_glob(r) else iter([self._named(r)]) for r in settings.repos
            )
        for covered in sources:
            if not (covered.repo and any(_matches_repo(g, covered.name) for g in settings.exclude)):
                found.setdefault(covered.name.casefold(), covered)
        for name in sorted(held):
            if name.casefold() not in found and self._matched(name):
                lost = self._named(name)
                if lost.repo is None or self._matched(lost.name):
                    found.setdefault(lost.name.casefold(), structs.replace(lost, lost=True))
        self._covered_names |= {name for name, c in found.items() if c.repo}
        return list(found.values())

    def get(self, name: str) -> Repo:
        """A repository by any name it ever had. Raises NotFound, Forbidden."""
        known = self._known.get(name.casefold())
        if known is None:
            known = self._api.get(f"repos/{name}", Repo)
            self.learn(known)
            self._known[name.casefold()] = known
        return known

    def _meet(self, names: Iterable[str]) -> None:
        """Gets several at a time."""

        def ask(name: str) -> tuple[str, Repo | TrackerError]:
            try:
                return name, self._api.get(f"repos/{name}", Repo)
            except (NotFound, Forbidden) as error:
                return name, error

        unknown = [n for n in dict.fromkeys(names) if n.casefold() not in self._known]
        for name, answer in in_order(partial(ask, name) for name in unknown):
            if isinstance(answer, Repo):
                self._known[name.casefold()] = answer
                self.learn(answer)
            else:
                self._refused[name.casefold()] = answer

    def learn(self, repo: Repo) -> None:
        self._known[repo.full_name.casefold()] = repo

    def owns(self, name: str) -> bool:
        """Covered by the configuration, or known to be a covered repository's current name."""
        return self._matched(name) or (not self._settings.org and name.casefold() in self._covered_names)

    def _matched(self, name: str) -> bool:
        """By the configuration's own words."""
        settings = self._settings
        if any(_matches_repo(g, name) for g in settings.exclude):
            return False
        if settings.org:
            owner = name.partition("/")[0]
            inside = any(_matches_repo(g, name) for g in settings.include or ("*",))
            return owner.casefold() == settings.org.casefold() and inside
        return any(glob_matches(g, name) for g in settings.repos)

    def asked_to_write(self, name: str) -> bool:
        """Covered by `write`."""
        return self._settings.may_write(name)

    def writable(self, name: str) -> bool:
        """Covered by `write`, and not known to be archived or out of our permission."""
        if not self.asked_to_write(name):
            return False
        known = self._known.get(name.casefold())
        if known is None:
            return True
        # for an App's token GitHub shows all permissions as false, whatever the App may do
        told = known.permissions is not None and self._settings.app is None
        return not known.archived and (not told or known.permissions is None or known.permissions.can_write)

    def _named(self, name: str) -> Covered:
        if not _NAME.fullmatch(name):
            return Covered(name=name, problem=f"{name!r} is not a repository; write owner/name in {self._file}")
        self._meet([] if name.casefold() in self._refused else [name])
        repo = self._known.get(name.casefold())
        if repo is None:
            return Covered(name=name, problem=self.unreadable(name, self._refused[name.casefold()]))
        return self._of(repo, asked=name)

    def unreadable(self, name: str, error: TrackerError) -> str:
        if isinstance(error, NotFound):
            why = "does not exist, or the token cannot see it"
            return f"{name} {why}; correct it in {self._file}, or grant the token access to the repository ({error})"
        return f"{name} may not be read; grant the token access to the repository and its issues ({error})"

    def _of(self, repo: Repo, asked: str) -> Covered:
        warnings: list[str] = []
        if repo.full_name.casefold() != asked.casefold():
            warnings.append(f"{asked} is now {repo.full_name}; rename it in {self._file}")
        if repo.archived:
            warnings.append(f"{repo.full_name} is archived: read and listed, not counted, never written to")
        return Covered(name=repo.full_name, repo=repo, warnings=tuple(warnings))

    def _globbed(self, glob: str) -> Iterator[Covered]:
        owner = glob.partition("/")[0]
        if "/" not in glob or is_glob(owner):
            problem = f"{glob!r} names no owner; write owner/glob in {self._file}"
            return iter([Covered(name=glob, problem=problem)])
        return self._listed(owner, (glob,), glob)

    def _listed(self, owner: str, globs: tuple[str, ...], asked: str) -> Iterator[Covered]:
        """The owner's repositories that match; an organisation's, else a person's."""
        try:
            try:
                repos = self._all(f"orgs/{owner}/repos")
            except NotFound:
                repos = self._all(f"users/{owner}/repos")  # a person's, the public ones alone
                repos += self._own_private(owner)
        except (NotFound, Forbidden) as error:
            yield Covered(name=asked, problem=self.unreadable(owner, error))
            return
        chosen = [r for r in repos if any(_matches_repo(g, r.full_name) for g in globs)]
        if not chosen:
            problem = f"{asked} matches no repository that the token can see; correct it in {self._file}"
            yield Covered(name=asked, problem=f"{problem}, or grant the token access")
        for repo in chosen:
            self.learn(repo)
            yield self._of(repo, asked=repo.full_name)

    def _all(self, path: str) -> list[Repo]:
        """Oldest first, so that a new one shifts nothing between pages that are read at the same time; what one that
        goes hides is asked for by its name where it is held, and comes with the next pull where it is not."""
        order = {"sort": "created", "direction": "asc"}
        first = self._api.page(path, Repo, order)
        assert first is not None, "asked without an etag"
        return [repo for page in self._api.numbered(first, path, Repo, order) for repo in page.items]

    def _own_private(self, owner: str) -> Iterator[Repo]:
        """Where the token is the owner's own."""
        try:
            if self._api.is_app or self._api.login().casefold() != owner.casefold():
                return
            filters = {"affiliation": "owner", "visibility": "private"}
            yield from self._api.all("user/repos", Repo, filters)
        except (NotFound, Forbidden):
            return


def is_glob(text: str) -> bool:
    return "*" in text or "?" in text


def _matches_repo(glob: str, name: str) -> bool:
    """A glob without an owner (`web-*`) means the repository's own name."""
    return glob_matches(glob, name if "/" in glob else name.partition("/")[2])
