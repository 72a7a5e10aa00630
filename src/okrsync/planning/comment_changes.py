"""The one comment of each item: create it, keep it up to date, or say that it is settled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from msgspec import structs

from ..domain.changes import Change, Dismissal, Op
from ..domain.comments import Comment
from ..domain.findings import Finding, View
from ..domain.text import format_duration
from ..domain.work import WorkItem
from .comment_commands import answer_due
from .comments import ABOUT_ALIGNMENT, compose, resolved, selected_codes, suggest
from .inputs import Case, Draft, Inputs
from .places import places


def decide(view: View, findings: Sequence[Finding], cases: Mapping[str, Case], inputs: Inputs, draft: Draft) -> None:
    """Adds the comment changes of all items to the draft. `cases` are the items in scope, by id."""
    told = _codes_by_item(view, findings, inputs)
    speaking = _speaking(view, told, inputs)
    creates: list[tuple[Change, Sequence[str]]] = []
    for id_, case in sorted(cases.items()):
        codes = told.get(id_, frozenset())
        here = codes if id_ in speaking else codes - ABOUT_ALIGNMENT
        asked = answer_due(case.verdict)
        if here or asked:
            listed = sorted(here)
            creates.extend((change, listed) for change in _say(view, case, listed, inputs, draft, asked=asked))
        elif codes:
            pass  # told elsewhere; a comment from a time when it was told here still says the truth
        else:
            _settle(view, case, draft)
        _let_lapse(view, case, asked or bool(codes), draft)
    for change, said in _cap(creates, inputs, draft):
        assert change.comment is not None
        comment = _with_suggestions(view, cases[change.target].item, change.comment, said, inputs)
        draft.changes.append(structs.replace(change, comment=comment, value=comment.text))


def _with_suggestions(view: View, item: WorkItem, comment: Comment, codes: Iterable[str], inputs: Inputs) -> Comment:
    """What is about to be written, with suggestions as of now. They change no hash, so that they stay as they are until
    the comment changes for another reason; and they cost time, so that they are asked for only here."""
    return suggest(view, item, comment, inputs.suggest(item)) if ABOUT_ALIGNMENT.intersection(codes) else comment


def _codes_by_item(view: View, findings: Sequence[Finding], inputs: Inputs) -> dict[str, frozenset[str]]:
    selected = selected_codes(inputs.settings.comments.rules)
    found: dict[str, frozenset[str]] = {}
    for finding in findings:
        if finding.code in selected and finding.subject.id in view.items:
            found[finding.subject.id] = found.get(finding.subject.id, frozenset()) | {finding.code}
    return found


def _speaking(view: View, told: Mapping[str, Set[str]], inputs: Inputs) -> set[str]:
    """Items on which a missing or ended link is told."""

    def can_bear(id_: str) -> bool:
        item = view.items[id_].item
        able = item.open and not item.archived and inputs.writable(item)
        return able and bool(ABOUT_ALIGNMENT & told.get(id_, frozenset()))

    def bears(id_: str) -> bool:
        uid = view.items[id_].item.uid
        owned = inputs.owned.get(uid)
        ours = owned is not None and (owned.comment_id is not None or owned.comment_unknown)
        return ours or (uid, "comment") in inputs.dismissals

    about_alignment = [id_ for id_, codes in told.items() if ABOUT_ALIGNMENT & codes]
    found = places(view, about_alignment, can_bear, bears)
    return {place.root for place in found.values() if place.root is not None and not place.spoken}


def _say(view: View, case: Case, codes: Sequence[str], inputs: Inputs, draft: Draft, *, asked: bool) -> list[Change]:
    """Edits at once, as that is silent; the comment to create, if any, is returned, as these are rationed. `asked`: a
    person waits for an answer."""
    comment = compose(view, case.item, case.verdict, codes, commands=case.item.connector not in inputs.deaf)
    because = codes[0] if codes else "command"
    owned, dismissal = case.owned, _standing_dismissal(case)
    if dismissal is not None and dismissal.state == case.state:
        draft.hold(case.item.id, "comment: a person deleted it")
    elif owned.comment_unknown:
        draft.hold(case.item.id, "comment: whether an earlier one was written is not known yet")
    elif owned.comment_id is not None and dismissal is None:
        if owned.comment_hash != comment.hash:
            _edit(case, _with_suggestions(view, case.item, comment, codes, inputs), because, draft)
    elif why := _not_now(view, case, inputs, asked=asked):
        draft.hold(case.item.id, f"comment: {why}")
    else:
        return [_change(Op.CREATE_COMMENT, case, comment, because)]
    return []


def _settle(view: View, case: Case, draft: Draft) -> None:
    if case.owned.comment_id is None or case.owned.comment_unknown or _standing_dismissal(case) is not None:
        return
    comment = resolved(view, case.item, case.verdict)
    if case.owned.comment_hash != comment.hash:
        _edit(case, comment, case.verdict.alignment.value, draft)


def _edit(case: Case, comment: Comment, because: str, draft: Draft) -> None:
    if case.item.locked:
        draft.hold(case.item.id, "comment: the conversation is locked")
    else:
        draft.changes.append(_change(Op.UPDATE_COMMENT, case, comment, because))


def _not_now(view: View, case: Case, inputs: Inputs, *, asked: bool) -> str:
    """Why a new comment, which notifies people, is not written; empty where it may be. Who asked need not wait."""
    settings, item = inputs.settings.comments, case.item
    if item.locked:
        return "the conversation is locked"
    if item.draft:
        return "drafts get none"
    if not inputs.silent.isdisjoint((f"{item.connector}:{item.container}", item.uid)):
        return f"the server refuses comments in {item.container}"
    if asked:
        return ""
    if item.created + settings.after > view.now:
        return f"the item is younger than comments.after ({format_duration(settings.after)})"
    if not settings.backlog and case.stored.moved_at < (inputs.enabled_at or view.now):
        return "not touched since write-back was first enabled (comments.backlog is false)"
    return ""


def _standing_dismissal(case: Case) -> Dismissal | None:
    """The deletion of our latest comment, if there was one: then there is no comment any more."""
    dismissal, at = case.dismissals.get("comment"), case.owned.comment_at
    return dismissal if dismissal is not None and (at is None or dismissal.at >= at) else None


def _let_lapse(view: View, case: Case, told: bool, draft: Draft) -> None:
    # once there was nothing to say, a later finding is news, even if it is the same as before
    dismissal = _standing_dismissal(case)
    if not told and dismissal is not None and dismissal.state != case.state:
        draft.dismissals.append(Dismissal(uid=case.item.uid, what="comment", state=case.state, at=view.now))


def _cap(
    creates: Sequence[tuple[Change, Sequence[str]]], inputs: Inputs, draft: Draft
) -> Sequence[tuple[Change, Sequence[str]]]:
    """Those that may be written today."""
    per_day = inputs.settings.comments.per_day
    room = max(0, per_day - inputs.comments_today)
    for change, _ in creates[room:]:
        draft.hold(change.target, f"comment: comments.per_day ({per_day}) is used up")
    return creates[:room]


def _change(op: Op, case: Case, comment: Comment, because: str) -> Change:
    return Change(
        op=op,
        target=case.item.id,
        uid=case.item.uid,
        value=comment.text,
        because=because,
        comment=comment,
        comment_id=case.owned.comment_id if op is Op.UPDATE_COMMENT else None,
        state=case.state,
    )
