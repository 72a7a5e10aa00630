"""The part of JQL that the pretended Jira understands; everything else is refused in Jira's words.

fields     project, key/issuekey/issue, id, status, statusCategory, issuetype/type, labels, component, priority,
           parent, "Epic Link", resolution, assignee, reporter, summary, created, updated, resolved, custom fields
operators  = != in "not in" is "is not" >= > <= < ~ !~
words      AND OR NOT brackets EMPTY NULL, ORDER BY field [ASC|DESC], ...
times      -17m -4h -2d -1w, "2026-11-16 09:00", "2026/11/16", "2026-11-16", now(), in the account's time zone
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from .jira_state import JiraState
from .records import CATEGORIES, Issue

Test = Callable[[Issue], bool]
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
      | (?P<op> != | !~ | >= | <= | [=<>~(),] )
      | (?P<word> [^\s()=!<>~,"']+ )
    )""",
    re.VERBOSE,
)
_COMPARE = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt}
_RELATIVE = re.compile(r"([+-]?)(\d+)([mhdw])", re.IGNORECASE)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_TIMES: dict[str, Callable[[Issue], datetime | None]] = {
    "created": lambda i: i.created,
    "updated": lambda i: i.updated,
    "resolved": lambda i: i.resolved,
    "resolutiondate": lambda i: i.resolved,
}
_SAME = {
    "issuekey": "key",
    "issue": "key",
    "type": "issuetype",
    "updateddate": "updated",
    "createddate": "created",
    "labels": "labels",
    "epic link": "parent",
    "cf[10014]": "parent",
    "component": "components",
}


class JqlError(Exception):
    """What Jira puts into `errorMessages`, with status 400."""


def search(jira: JiraState, jql: str, issues: Iterable[Issue] | None = None) -> list[Issue]:
    """The issues a query finds, in its order. Raises JqlError."""
    return _Parser(jira, jql).run(jira.indexed() if issues is None else issues)


class _Parser:
    def __init__(self, jira: JiraState, jql: str) -> None:
        self.jira = jira
        self.tokens: list[tuple[str, str, int]] = []
        at = 0
        while at < len(jql.rstrip()):
            match = _TOKEN.match(jql, at)
            if match is None:
                raise JqlError(
                    f"Error in the JQL Query: The character '{jql[at]}' is a reserved JQL character. "
                    f"You must enclose it in a string or use the escape. (line 1, character {at + 1})"
                )
            kind = str(match.lastgroup)
            value = match[kind]
            if kind == "text":
                value = re.sub(r"\\(.)", r"\1", value[1:-1])
            self.tokens.append((kind, value, match.start(kind) + 1))
            at = match.end()
        self.at = 0

    def run(self, issues: Iterable[Issue]) -> list[Issue]:
        if self._word() == "order" or not self.tokens:
            raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        test = self._or()
        orders = self._order_by()
        if self.at < len(self.tokens):
            self._unexpected("Expecting either 'OR' or 'AND' but got")
        found = [i for i in issues if test(i)]
        for name, descending in reversed(orders or [("created", True)]):
            found.sort(key=lambda i, n=name: self._sort_value(i, n), reverse=descending)  # type: ignore[misc]  # default
        return found

    # --- grammar ----------------------------------------------------------------------------------------------

    def _word(self, ahead: int = 0) -> str:
        """The next bare word, lower case; empty where there is none."""
        position = self.at + ahead
        if position < len(self.tokens) and self.tokens[position][0] == "word":
            return self.tokens[position][1].lower()
        return ""

    def _op(self) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "op":
            return self.tokens[self.at][1]
        return ""

    def _unexpected(self, expecting: str) -> None:
        if self.at >= len(self.tokens):
            raise JqlError(f"Error in the JQL Query: {expecting} the end of the query.")
        _, value, position = self.tokens[self.at]
        raise JqlError(f"Error in the JQL Query: {expecting} '{value}'. (line 1, character {position})")

    def _or(self) -> Test:
        tests = [self._and()]
        while self._word() == "or":
            self.at += 1
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else lambda i: any(t(i) for t in tests)

    def _and(self) -> Test:
        tests = [self._not()]
        while self._word() == "and":
            self.at += 1
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else lambda i: all(t(i) for t in tests)

    def _not(self) -> Test:
        if self._word() == "not":
            self.at += 1
            inner = self._not()
            return lambda i: not inner(i)
        if self._op() == "(":
            self.at += 1
            grouped = self._or()
            if self._op() != ")":
                self._unexpected("Expecting ')' but got")
            self.at += 1
            return grouped
        return self._clause()

    def _clause(self) -> Test:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] == "op":
            self._unexpected("Expecting a field name but got")
        name = self.tokens[self.at][1]
        self.at += 1
        sign = self._operator()
        if sign in ("is", "is not"):
            if self._word() not in ("empty", "null"):
                self._unexpected("Expecting EMPTY or NULL but got")
            self.at += 1
            values = None
        elif sign in ("in", "not in"):
            values = self._list()
        else:
            values = [self._value()]
        return self._test(name, sign, values)

    def _operator(self) -> str:
        word = self._word()
        if word in ("in", "is", "not"):
            following = self._word(1)
            double = f"{word} {following}"
            if double in ("not in", "is not"):
                self.at += 2
                return double
            if word != "not":
                self.at += 1
                return word
        sign = self._op()
        if sign in ("", "(", ")", ","):
            self._unexpected("Expecting operator but got")
        self.at += 1
        return sign

    def _value(self) -> str:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] == "op":
            self._unexpected("Expecting either a value, list or function but got")
        value = self.tokens[self.at][1]
        self.at += 1
        if self._op() == "(":  # a function without arguments
            self.at += 1
            if self._op() != ")":
                self._unexpected("Expecting ')' but got")
            self.at += 1
            value += "()"
        return value

    def _list(self) -> list[str]:
        if self._op() != "(":
            self._unexpected("Expecting '(' but got")
        values = []
        while self._op() in ("(", ","):
            self.at += 1
            values.append(self._value())
        if self._op() != ")":
            self._unexpected("Expecting either ')' or ',' but got")
        self.at += 1
        return values

    def _order_by(self) -> list[tuple[str, bool]]:
        if self._word() != "order":
            return []
        self.at += 1
        if self._word() != "by":
            self._unexpected("Expecting 'BY' but got")
        orders: list[tuple[str, bool]] = []
        while not orders or self._op() == ",":
            self.at += 1
            name = self._value()
            field = self._field(name)
            descending = self._word() == "desc"
            self.at += self._word() in ("asc", "desc")
            orders.append((field, descending))
        return orders

    # --- meaning ----------------------------------------------------------------------------------------------

    def _field(self, name: str) -> str:
        folded = _SAME.get(name.casefold(), name.casefold())
        if folded in ("key", "id", "statuscategory", "rank"):
            return folded
        number = re.fullmatch(r"cf\[(\d+)\]", folded)
        known = self.jira.field(f"customfield_{number[1]}" if number else folded)
        if known is None or (known.id == "statuscategorychangedate" and not self.jira.cloud):
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        return known.id

    def _sort_value(self, issue: Issue, field: str) -> Any:
        if field == "key":
            return issue.project, int(issue.key.rsplit("-", 1)[1])
        if field in _TIMES:
            moment = _TIMES[field](issue)
            return (moment is not None, moment or issue.created, issue.id)
        if field in ("id", "rank"):
            return issue.id
        return str(self._values(issue, field)), issue.id

    def _values(self, issue: Issue, field: str) -> list[str]:
        """What a field of an issue can be compared with, lower case; empty where the field is."""
        jira = self.jira
        if field == "project":
            project = jira.projects[issue.project]
            found: list[object] = [project.key, project.name, project.id]
        elif field in ("key", "id"):
            found = [issue.key, issue.id]
        elif field == "status":
            found = [issue.status, jira.statuses[issue.status][0]]
        elif field == "statuscategory":
            id_, name, _ = CATEGORIES[jira.category(issue)]
            found = [jira.category(issue), name, id_]
        elif field == "issuetype":
            found = [issue.type, jira.types[issue.type][0]]
        elif field == "parent":
            above = jira.issues.get(issue.parent) if issue.parent else None
            found = [above.key, above.id] if above else []
        elif field in ("labels", "components"):
            found = list(getattr(issue, field))
        elif field in ("assignee", "reporter", "priority", "resolution", "security"):
            found = [getattr(issue, field)]
        elif field == "summary":
            found = [issue.title]
        elif field == "description":
            found = [issue.body]
        else:
            known = jira.field(field)
            value = issue.values.get(known.name) if known else None
            value = value.get("value") or value.get("name") if isinstance(value, dict) else value
            found = list(value) if isinstance(value, list) else [value]
        return [str(v).casefold() for v in found if v not in (None, "")]

    def _test(self, name: str, sign: str, values: list[str] | None) -> Test:
        field = self._field(name)
        if values is None:
            wanted = sign == "is"
            if field in _TIMES:
                return lambda i: (_TIMES[field](i) is None) == wanted
            return lambda i: (not self._values(i, field)) == wanted
        if field in _TIMES:
            return self._time_test(name, field, sign, values)
        if sign in ("~", "!~"):
            needle = values[0].casefold().strip("*")
            return lambda i: any(needle in v for v in self._values(i, field)) == (sign == "~")
        if sign in _COMPARE:
            return self._order_test(name, field, sign, values[0])
        self._check_values(name, field, values)
        sought = {v.casefold() for v in values}
        if field in ("key", "id"):  # a moved issue answers under its former key too
            found = {i.id for i in (self.jira.find(v) for v in values) if i is not None}
            if sign in ("=", "in"):
                return lambda i: i.id in found
            return lambda i: i.id not in found
        if sign in ("=", "in"):
            return lambda i: not sought.isdisjoint(self._values(i, field))
        # as in Jira, an empty field is not "different from x"
        return lambda i: bool(held := self._values(i, field)) and sought.isdisjoint(held)

    def _check_values(self, name: str, field: str, values: list[str]) -> None:
        for value in values:
            if field == "project":
                known = any(
                    value.casefold() in (p.key.casefold(), p.name.casefold(), str(p.id))
                    for p in self.jira.projects.values()
                    if p.visible
                )
            elif field in ("key", "id"):
                issue = self.jira.find(value)
                if issue is None or not self.jira.visible(issue):
                    what = "A value with ID" if field == "id" else "An issue with key"
                    raise JqlError(f"{what} '{value}' does not exist for field '{name}'.")
                continue
            elif field == "status":
                known = any(value.casefold() in (n.casefold(), str(i)) for n, (i, _) in self.jira.statuses.items())
            elif field == "issuetype":
                known = any(value.casefold() in (n.casefold(), str(i)) for n, (i, _) in self.jira.types.items())
            elif field == "statuscategory":
                known = any(value.casefold() in (k, n.casefold(), str(i)) for k, (i, n, _) in CATEGORIES.items())
            else:
                known = True
            if not known:
                raise JqlError(f"The value '{value}' does not exist for the field '{name}'.")

    def _order_test(self, name: str, field: str, sign: str, value: str) -> Test:
        compare = _COMPARE[sign]
        if field in ("key", "id") and (issue := self.jira.find(value)) is not None:
            edge = issue.id
            return lambda i: bool(compare(i.id, edge))
        if field == "id" and value.isdigit():
            number = int(value)
            return lambda i: bool(compare(i.id, number))
        raise JqlError(f"The operator '{sign}' is not supported by the '{name}' field.")

    def _time_test(self, name: str, field: str, sign: str, values: list[str]) -> Test:
        get, edge = _TIMES[field], self._moment(name, values[0])
        if sign in _COMPARE:
            compare = _COMPARE[sign]
            return lambda i: (moment := get(i)) is not None and bool(compare(moment, edge))
        if sign in ("=", "!="):
            return lambda i: (get(i) == edge) == (sign == "=")
        raise JqlError(f"The operator '{sign}' is not supported by the '{name}' field.")

    def _moment(self, name: str, text: str) -> datetime:
        now = self.jira.clock()
        if text.lower() == "now()":
            return now
        if relative := _RELATIVE.fullmatch(text):
            span = timedelta(**{_UNITS[relative[3].lower()]: int(relative[2])})
            # Jira counts in whole minutes
            return (now + span if relative[1] == "+" else now - span).replace(second=0, microsecond=0)
        for form in ("%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d", "%Y/%m/%d"):
            try:
                return datetime.strptime(text, form).replace(tzinfo=self.jira.zone)
            except ValueError:
                continue
        raise JqlError(
            f"Date value '{text}' for field '{name}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
            "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'."
        )
