"""References of a script: every place in JavaScript that names another file by a constant.

Receives text; hands on what the lexer's tokens show, with offsets of the original text: imports in all their forms,
`new URL("…", import.meta.url)` with the workers and worklets around it, `require`, source map comments, and what is
wrong with the brackets. Resolves nothing and changes nothing. Sources: ECMA-262 §13.3.10 (import calls), §16.2
(modules); WHATWG HTML, "import.meta"; the proposals "import defer" and "source phase imports"; ECMA-426 §11.1.2.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import Literal, NamedTuple

from assetbuild.compiler.refs.js import tokens as kinds
from assetbuild.compiler.refs.js.lexed import Fault, Lexed
from assetbuild.compiler.refs.js.lexer import lex
from assetbuild.compiler.refs.js.sieve import (
    after_directives,
    first_token,
    is_legal,
    legal_comments,
    may_refer,
    may_reveal_names,
)
from assetbuild.compiler.refs.js.tokens import LINE_END, string_value, template_value

__all__ = [
    "MODULE_KINDS",
    "JsKind",
    "JsRef",
    "MapComment",
    "Place",
    "Script",
    "check_nesting",
    "may_refer",
    "module_syntax",
    "non_constant_imports",
    "open_constructs",
    "references",
    "requires",
    "source_map_comments",
]

JsKind = Literal[
    "import",
    "export",
    "dynamic",
    "resolve",
    "url",
    "worker",
    "shared-worker",
    "worklet",
    "import-scripts",
    "require",
    "require-context",
]
"""`import` static; `export` … from; `dynamic` import(); `resolve` import.meta.resolve(); the rest by what they call."""

MODULE_KINDS: frozenset[JsKind] = frozenset(("import", "export", "dynamic", "resolve"))
"""Kinds whose literal is a module specifier, which must begin with `./`, `../` or `/` to be a path."""


class JsRef(NamedTuple):
    """A reference. start, end: offsets of the literal's content, without quotes or backticks.

    value: what the literal means. statement_start, statement_end: the declaration or the call that holds it.
    """

    start: int
    end: int
    value: str
    kind: JsKind
    statement_start: int
    statement_end: int


class Place(NamedTuple):
    """A part of the text."""

    start: int
    end: int


class MapComment(NamedTuple):
    """A comment that names a source map, from its `//` or `/*` to its end; `url` as written."""

    start: int
    end: int
    url: str


class Script:
    """What a text shows; each part is found when it is first asked for, and the lexer reads the text once at most."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def tokens(self) -> Lexed:
        """The tokens of the text, read as a module if it must be one.

        Where the two readings differ, a text that shows a module in its reading as a script is one, and so is a text
        that is whole only as a module.
        """
        script = lex(self.text)
        is_module = _module_mark(script) is not None
        if script.is_goal_sensitive and (is_module or script.faults):
            module = lex(self.text, "module")
            if is_module or (_module_mark(module) is not None and not module.faults):
                return module
        return script

    @cached_property
    def module_mark(self) -> Place | None:
        """The first word that shows a module: `import` or `export` declared at the top, or the one of `import.meta`."""
        return _module_mark(self.tokens) if may_refer(self.text) else None

    @property
    def is_module(self) -> bool:
        """Whether the text can only be a module."""
        return self.module_mark is not None

    @cached_property
    def has_code(self) -> bool:
        """Whether there is more in the text than space and comments."""
        first = first_token(self.text)
        return self.tokens.after(-1) < len(self.tokens) if first is None else first < len(self.text)

    @cached_property
    def legal_comments(self) -> tuple[str, ...]:
        """The comments that licences ask to be kept, each once."""
        found = legal_comments(self.text)
        if found is None:
            tokens = self.tokens
            comments = (tokens[at] for at, kind in enumerate(tokens.kinds) if kind in _COMMENTS)
            found = [comment for comment in comments if is_legal(comment)]
        return tuple(dict.fromkeys(found))

    @cached_property
    def strict_directive(self) -> Place | None:
        """The `"use strict"` that makes the whole script strict. Source: ECMA-262 §11.2.1, Directive Prologue."""
        if "use strict" not in self.text:
            return None
        end = after_directives(self.text)
        return _strict_directive(self.tokens if end is None else lex(self.text[: end + _LONGEST_OPERATOR]))

    @cached_property
    def reveals_names(self) -> bool:
        """Whether code that is not in the text may use its local names: a direct `eval`, or a `with` statement."""
        if not may_reveal_names(self.text):
            return False
        tokens = self.tokens
        evals = (at for at in self._words("eval") if tokens[tokens.before(at)] not in (".", "?."))
        withs = (at for at, _ in self._tokens_at("with") if tokens.kinds[at] == kinds.KEYWORD and tokens[at] == "with")
        return any(tokens[tokens.after(at)] == "(" for at in (*evals, *withs))

    @cached_property
    def references(self) -> tuple[JsRef, ...]:
        """Imports and URLs relative to the module or the worker, in the order of the text."""
        if not may_refer(self.text):
            return ()
        found = (self._reference(index) for index in self.tokens.depths)
        return tuple(sorted((*(ref for ref in found if isinstance(ref, JsRef)), *self._imported_scripts())))

    @cached_property
    def non_constant_imports(self) -> tuple[Place, ...]:
        """Calls of `import()` whose specifier is no constant."""
        if not may_refer(self.text):
            return ()
        return tuple(found for index in self.tokens.depths if isinstance(found := self._reference(index), Place))

    @cached_property
    def requires(self) -> tuple[JsRef, ...]:
        """Calls of `require()` and `require.context()` with a constant."""
        if "require" not in self.text:
            return ()
        return tuple(found for index in self._words("require") if (found := self._require(index)) is not None)

    @cached_property
    def provides_require(self) -> bool:
        """Whether the text asks for `require`, or has one of its own, instead of only calling the one of CommonJS."""
        if "require" not in self.text:
            return False
        tokens = self.tokens
        for index in self._words("require"):
            before, after = tokens[tokens.before(index)], tokens[tokens.after(index)]
            if before not in (".", "?.") and (before in ("typeof", "function") or after not in ("(", ".")):
                return True
        return False

    @cached_property
    def source_maps(self) -> tuple[MapComment, ...]:
        """Comments that name a source map, with the old mark `@` too; the last one counts."""
        return tuple(self._map_comments()) if "sourceMappingURL=" in self.text else ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Constructs left open, and brackets that close nothing."""
        return tuple(self.tokens.faults)

    @cached_property
    def _broken(self) -> frozenset[int]:
        return frozenset(fault.start for fault in self.tokens.faults)

    def _reference(self, index: int) -> JsRef | Place | None:
        """Return what the keyword at `index` refers to; a place if that is known only when it runs."""
        tokens = self.tokens
        follower = tokens.after(index)
        if tokens[index] == "export":
            return self._declaration(index, "export") if tokens[follower] in ("*", "{") else None
        if tokens[follower] == "(":
            return self._call(index, follower)
        if tokens[follower] != ".":
            return self._declaration(index, "import")
        name = tokens.after(follower)
        following = tokens.after(name)
        if tokens[name] in ("defer", "source") and tokens[following] == "(":
            return self._call(index, following)
        if tokens[name] == "meta" and tokens[following] == ".":
            return self._meta_property(index, tokens.after(following))
        return None

    def _declaration(self, index: int, kind: JsKind) -> JsRef | None:
        """Return the reference of an import or export declaration, None if it has no specifier."""
        tokens = self.tokens
        at = tokens.after(index)
        is_specifier_next = kind == "import"
        while at < len(tokens):
            word, token_kind = tokens[at], tokens.kinds[at]
            if token_kind == kinds.STRING:
                if is_specifier_next:
                    return self._found(at, kind, index, self._after_attributes(at))
            elif token_kind != kinds.NAME and word not in ("{", "}", ",", "*"):
                return None
            is_specifier_next = word == "from"
            at = tokens.after(at)
        return None

    def _after_attributes(self, index: int) -> int:
        """Return the index of the last token of a declaration whose specifier stands at `index` (§16.2.2)."""
        tokens = self.tokens
        end = index
        at = tokens.after(index)
        if tokens[at] in ("with", "assert") and tokens[tokens.after(at)] == "{":
            while at < len(tokens) and tokens[at] != "}":
                at = tokens.after(at)
            end = min(at, len(tokens) - 1)
            at = tokens.after(end)
        return at if tokens[at] == ";" else end

    def _call(self, index: int, opener: int) -> JsRef | Place | None:
        """Return the reference of an import call; None if nothing stands in its parentheses."""
        tokens = self.tokens
        argument = tokens.after(opener)
        closer = tokens.calls.get(opener, argument)
        if tokens[argument] == ")" or argument >= len(tokens):
            return None
        if tokens[tokens.after(argument)] in (")", ","):
            found = self._found(argument, "dynamic", index, closer)
            if found is not None:
                return found
        return Place(tokens.starts[index], tokens.starts[min(closer, len(tokens) - 1) + 1])

    def _meta_property(self, index: int, name: int) -> JsRef | None:
        """Return the reference around `import.meta.resolve` or `import.meta.url`, whose last name stands at `name`."""
        tokens = self.tokens
        following = tokens.after(name)
        if tokens[name] == "resolve" and tokens[following] == "(":
            argument = tokens.after(following)
            closer = self._closing(argument)
            return self._found(argument, "resolve", index, closer) if closer else None
        if tokens[name] != "url":
            return None
        closer = self._closing(name)
        literal = tokens.before(tokens.before(index))
        before = self._words_before(literal, 4)
        if (
            not closer
            or tokens[tokens.before(index)] != ","
            or [tokens[at] for at in before[:3]] != ["(", "URL", "new"]
        ):
            return None
        return self._found(literal, self._kind_of_url(before[2]), before[2], closer)

    def _kind_of_url(self, new: int) -> JsKind:
        """Return the kind of the `new URL(…)` that begins at `new`, by the call that takes it first."""
        tokens = self.tokens
        opener, callee, before = (tokens[at] for at in self._words_before(new, 3))
        if opener == "(" and before == "new" and callee in ("Worker", "SharedWorker"):
            return "worker" if callee == "Worker" else "shared-worker"
        return "worklet" if opener == "(" and callee == "addModule" and before in (".", "?.") else "url"

    def _closing(self, argument: int) -> int:
        """Return the index of the parenthesis that follows the last argument, 0 if something else follows it."""
        tokens = self.tokens
        at = tokens.after(argument)
        if tokens[at] == ",":
            at = tokens.after(at)
        return at if tokens[at] == ")" else 0

    def _imported_scripts(self) -> Iterator[JsRef]:
        """Yield the leading constants of each call of `importScripts()`, a worker's own (WHATWG HTML §10.3.1)."""
        tokens = self.tokens
        for index in self._words("importScripts"):
            dot, holder = self._words_before(index, 2)
            at = tokens.after(index)
            if tokens[at] != "(" or (tokens[dot] in (".", "?.") and tokens[holder] not in ("self", "globalThis")):
                continue
            while tokens[at] in ("(", ","):
                literal = tokens.after(at)
                at = tokens.after(literal)
                found = self._found(literal, "import-scripts", index, at) if tokens[at] in (",", ")") else None
                if found is None:
                    break
                yield found

    def _require(self, index: int) -> JsRef | None:
        tokens = self.tokens
        if tokens[tokens.before(index)] in (".", "?."):
            return None
        opener, kind = tokens.after(index), "require"
        if tokens[opener] == "." and tokens[tokens.after(opener)] == "context":
            opener, kind = tokens.after(tokens.after(opener)), "require-context"
        argument = tokens.after(opener)
        if tokens[opener] != "(" or tokens[tokens.after(argument)] not in (")", ","):
            return None
        return self._found(
            argument, "require" if kind == "require" else "require-context", index, tokens.after(argument)
        )

    def _found(self, literal: int, kind: JsKind, first: int, last: int) -> JsRef | None:
        """Return the reference whose literal stands at the index `literal`, None if it is no whole constant."""
        tokens = self.tokens
        if literal < 0 or tokens.kinds[literal] not in (kinds.STRING, kinds.TEMPLATE):
            return None
        start, end = tokens.starts[literal], tokens.starts[literal + 1]
        if start in self._broken:
            return None
        body = tokens.text[start + 1 : end - 1]
        value = template_value(body) if tokens.kinds[literal] == kinds.TEMPLATE else string_value(body)
        return JsRef(start + 1, end - 1, value, kind, tokens.starts[first], tokens.starts[last + 1])

    def _words_before(self, index: int, count: int) -> list[int]:
        found = []
        for _ in range(count):
            index = self.tokens.before(index)
            found.append(index)
        return found

    def _words(self, word: str) -> Iterator[int]:
        """Yield the indices of the names that are `word`."""
        for index, start in self._tokens_at(word):
            if (
                self.tokens.kinds[index] == kinds.NAME
                and self.tokens.starts[index] == start
                and self.tokens[index] == word
            ):
                yield index

    def _map_comments(self) -> Iterator[MapComment]:
        tokens = self.tokens
        for index, _ in self._tokens_at("sourceMappingURL="):
            if tokens.kinds[index] in _COMMENTS:
                found = _MAP_COMMENT.fullmatch(tokens[index])
                if found:
                    yield MapComment(tokens.starts[index], tokens.starts[index + 1], found[1])

    def _tokens_at(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield the index of each token that holds `text` or begins with it, and the offset where it stands."""
        start = self.tokens.text.find(text)
        while start >= 0:
            yield bisect_left(self.tokens.starts, start + 1) - 1, start
            start = self.tokens.text.find(text, start + len(text))


# What an import declaration goes on with, beside `{` and `*` (ECMA-262 §16.2.2).
_BEGIN_CLAUSES = (kinds.STRING, kinds.NAME, kinds.KEYWORD)
_COMMENTS = (kinds.LINE_COMMENT, kinds.BLOCK_COMMENT)
_MAP_COMMENT = re.compile(r"/[/*][#@]\s*sourceMappingURL=(\S*?)\s*(?:\*/)?")


def _module_mark(tokens: Lexed) -> Place | None:
    shown = next((index for index in tokens.depths if _shows_module(tokens, index)), None)
    return None if shown is None else Place(tokens.starts[shown], tokens.starts[shown + 1])


def _shows_module(tokens: Lexed, index: int) -> bool:
    at = tokens.after(index)
    follower = tokens[at]
    if tokens[index] == "export":
        return tokens.depths[index] == 0
    if follower == ".":
        return tokens[tokens.after(at)] == "meta"
    is_clause = follower in ("{", "*") or (at < len(tokens) and tokens.kinds[at] in _BEGIN_CLAUSES)
    return tokens.depths[index] == 0 and is_clause


def _strict_directive(tokens: Lexed) -> Place | None:
    at = tokens.after(-1)
    while at < len(tokens) and tokens.kinds[at] == kinds.STRING:
        following = tokens.after(at)
        if tokens[following] != ";" and not _ends_by_line(tokens, at, following):
            return None
        if tokens[at][1:-1] == "use strict":
            return Place(tokens.starts[at], tokens.starts[at + 1])
        at = tokens.after(following) if tokens[following] == ";" else following
    return None


def _ends_by_line(tokens: Lexed, at: int, following: int) -> bool:
    """Return whether a statement that is only the literal at `at` ends before `following` (§12.10.1)."""
    if following >= len(tokens) or tokens[following] == "}":
        return True
    has_newline = any(LINE_END.search(tokens[trivia]) for trivia in range(at + 1, following))
    return has_newline and not _continues(tokens.kinds[following], tokens[following])


# Of what follows the directives, as much as shows whether it goes on with the last of them.
_LONGEST_OPERATOR = len("instanceof ")


def _continues(kind: int, text: str) -> bool:
    """Return whether a token goes on with an expression that stands before it, on another line too."""
    if kind == kinds.PUNCTUATOR:
        return text not in ("{", "++", "--", "!", "~", "@")
    return kind in (kinds.TEMPLATE, kinds.TEMPLATE_HEAD) or text in ("in", "instanceof")


def references(text: str) -> tuple[JsRef, ...]:
    """Return the references of `text`, in its order."""
    return Script(text).references


def module_syntax(text: str) -> bool:
    """Return whether `text` can only be a module: an import or export declaration at its top, or `import.meta`."""
    return Script(text).is_module


def non_constant_imports(text: str) -> tuple[Place, ...]:
    """Return the calls of `import()` whose specifier is known only when they run."""
    return Script(text).non_constant_imports


def requires(text: str) -> tuple[JsRef, ...]:
    """Return the calls of `require()` and `require.context()` with a constant."""
    return Script(text).requires


def source_map_comments(text: str) -> tuple[MapComment, ...]:
    """Return the comments that name a source map, `//#` and the old `//@`; not what looks like one in a string."""
    return Script(text).source_maps


def check_nesting(text: str) -> int | None:
    """Return the offset of the bracket that passes the door's nesting limit, None if none does."""
    return Script(text).tokens.too_deep


def open_constructs(text: str) -> tuple[Fault, ...]:
    """Return what `text` leaves open at its end, and brackets that close nothing."""
    return Script(text).faults
