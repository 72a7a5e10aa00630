"""What loading collects: every problem of every file, and warnings."""

from __future__ import annotations

from pathlib import Path

from ..domain.workspace import Problem
from .wording import Complaint
from .yamlfile import Document, Loc, read_document


class Notes:
    """Problems and warnings of one loading."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self._told: set[tuple[str, int]] = set()  # lines of which nothing more is to be said

    def add(self, document: Document, loc: Loc, message: str) -> None:
        problem = document.problem(loc, message)
        if (problem.path, problem.line) not in self._told:
            self.problems.append(problem)

    def add_last(self, document: Document, loc: Loc, message: str) -> None:
        """Nothing further is said about its line: what follows would only be a consequence."""
        self.add(document, loc, message)
        self._told.add((document.path, document.line(loc)))

    def add_all(self, document: Document, complaints: list[Complaint]) -> None:
        for loc, message in complaints:
            self.add(document, loc, message)

    def at(self, path: str, message: str) -> None:
        """A problem of the file as a whole, or of an environment variable."""
        self.problems.append(Problem(path=path, line=1, message=message))

    def read(self, file: Path, shown: str) -> Document | None:
        document, problems = read_document(file, shown)
        self.problems += problems
        self._told |= {(p.path, p.line) for p in problems}
        return document


class Folder:
    """The YAML files of one folder of the workspace, sorted by name."""

    def __init__(self, root: Path, folder: str, notes: Notes) -> None:
        self.files: list[tuple[str, Path]] = []
        try:
            entries = sorted((root / folder).iterdir())
        except FileNotFoundError:
            entries = []
        except OSError as error:
            notes.at(folder, f"cannot be read ({error.strerror}); it must be a folder that may be read")
            entries = []
        for entry in entries:
            shown = f"{folder}/{entry.name}"
            if entry.name.startswith((".", "README")):  # editors' and Kubernetes' own, and explanations
                continue
            if entry.suffix in (".yaml", ".yml"):
                self.files.append((shown, entry))
            else:
                notes.warnings.append(f"{shown} is not read; files here end in .yaml or .yml")

    def read(self, notes: Notes) -> tuple[list[Document], bool]:
        """The documents, and whether all files could be parsed."""
        read = [notes.read(file, shown) for shown, file in self.files]
        documents = [d for d in read if d is not None]
        return documents, len(documents) == len(read)
