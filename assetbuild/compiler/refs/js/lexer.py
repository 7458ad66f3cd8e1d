"""The lexer of ECMAScript: a text becomes tokens, and what was never closed becomes faults.

One pass, no recursion, linear; never raises. TypeScript passes as far as its tokens are ECMAScript's; the text of JSX
elements does not. Source: ECMA-262 (2025) §12, with the HTML-like comments of Annex B.1.1 in scripts.
"""

from __future__ import annotations

from collections.abc import Callable

from assetbuild.compiler.door import NESTING_LIMIT
from assetbuild.compiler.refs.js import tokens as kinds
from assetbuild.compiler.refs.js.lexed import Fault, Goal, Lexed
from assetbuild.compiler.refs.js.position import (
    IMPORT,
    KEY,
    KEY_END,
    LAST_BEFORE_OPERAND,
    OPERAND,
    OPERATOR,
    SPECIFIER,
    STATEMENT,
    SUBSTITUTION,
    Position,
)
from assetbuild.compiler.refs.js.tokens import HASHBANG_LINE, LINE_END, NEXT_TOKEN, REGEX_LITERAL, TEMPLATE_TEXT

__all__ = ["lex"]


def lex(text: str, goal: Goal = "script", depth_limit: int = NESTING_LIMIT) -> Lexed:
    """Return the tokens of `text`, read as a script (with the HTML-like comments of Annex B) or as a module."""
    scanner = _Lexer(text, goal, depth_limit)
    scanner.run()
    return scanner.lexed


class _Lexer(Position):
    """The other half: cuts the tokens, in one pass."""

    def run(self) -> None:
        """Read the whole text."""
        lexed, text = self.lexed, self.text
        size, position = len(text), 0
        if found := HASHBANG_LINE.match(text):
            self.add(kinds.HASHBANG, 0)
            position = found.end()
        handlers = self._handlers()
        next_token = NEXT_TOKEN.match
        while position < size:
            token = next_token(text, position)
            assert token is not None  # the last alternative takes any character
            group = token.lastindex or 0
            if group == 2:
                lexed.kinds.append(kinds.SPACE)
                lexed.starts.append(position)
                position = token.end()
            else:
                position = handlers[group](token[0], position, token.end())
            if lexed.too_deep is not None:
                self.add(kinds.UNREAD, position)
                position = size
        lexed.starts.append(size)
        lexed.faults += [_left_open(text, lexed.starts[f.index]) for f in self.stack[1:] if f.closer]
        lexed.faults.sort(key=lambda fault: fault.start)
        lexed.is_statement_end = self.last < 0 or (self.state == STATEMENT and self.last_text in (";", "}"))

    def _handlers(self) -> tuple[Callable[[str, int, int], int], ...]:
        return (self._invalid, self.word, self._invalid, self._newline, self._structure, self._string, self._number,
                self._comment, self.operator, self._template, self._slash, self._private, self._invalid)  # fmt: skip

    def _structure(self, char: str, start: int, end: int) -> int:
        match char:
            case "(":
                self.open_parenthesis(start)
            case "[":
                self.open_bracket(start)
            case "{":
                self.open_brace(start)
            case ")" | "]" | "}":
                substitution = self.close(char, start)
                if substitution is not None:
                    return self._template_part(start, kinds.TEMPLATE_TAIL, substitution.index)
            case _:
                self.separator(char, start)
        return end

    def _newline(self, _text: str, start: int, end: int) -> int:
        self.end_line()
        self.add(kinds.NEWLINE, start)
        return end

    def _comment(self, opener: str, start: int, end: int) -> int:
        if opener == "/*":
            return self._block_comment(start)
        if opener != "//":
            # Annex B.1.1: comments in scripts only; `-->` only where a line begins.
            self.lexed.is_goal_sensitive = True
            if self.is_module or (opener == "-->" and not self.has_newline):
                first = "<" if opener == "<!--" else "--"
                return self.operator(first, start, start + len(first))
        line_end = LINE_END.search(self.text, end)
        self.add(kinds.LINE_COMMENT, start)
        return line_end.start() if line_end else len(self.text)

    def _block_comment(self, start: int) -> int:
        found = self.text.find("*/", start + 2)
        end = found + 2 if found >= 0 else len(self.text)
        if found < 0:
            self.lexed.faults.append(Fault("comment", start))
        if LINE_END.search(self.text, start, end):
            self.end_line()
        self.add(kinds.BLOCK_COMMENT, start)
        return end

    def _invalid(self, text: str, start: int, end: int) -> int:
        self.mark(kinds.INVALID, start, text, self.state)
        return end

    def _string(self, text: str, start: int, end: int) -> int:
        if len(text) == 1 or text[-1] != text[0] or _ends_in_escape(text):
            self.lexed.faults.append(Fault("string", start))
        is_specifier = self.state == IMPORT and self.last_text in ("from", "import")
        is_export_name = self.state == IMPORT and not is_specifier
        self.begin_operand()
        state = OPERATOR
        if is_specifier:
            state = SPECIFIER
        elif is_export_name:  # `export * as "name" from "x"`
            state = IMPORT
        elif self.state in (KEY, KEY_END):
            state = self.key()
        self.mark(kinds.STRING, start, "", state)
        return end

    def _number(self, _text: str, start: int, end: int) -> int:
        self.begin_operand()
        self.mark(kinds.NUMBER, start, "", self.key() if self.state in (KEY, KEY_END) else OPERATOR)
        return end

    def _private(self, _text: str, start: int, end: int) -> int:
        self.begin_operand()
        self.mark(kinds.PRIVATE, start, "", self.key() if self.state in (KEY, KEY_END) else OPERATOR)
        return end

    def _slash(self, _text: str, start: int, end: int) -> int:
        if self.state > LAST_BEFORE_OPERAND:
            end += self.text.startswith("=", end)
            self.mark(kinds.PUNCTUATOR, start, self.text[start:end], OPERAND)
            return end
        self.begin_operand()
        self.mark(kinds.REGEX, start, "", OPERATOR)
        if found := REGEX_LITERAL.match(self.text, start):
            return found.end()
        self.lexed.faults.append(Fault("regular expression", start))
        line_end = LINE_END.search(self.text, end)
        return line_end.start() if line_end else len(self.text)

    def _template(self, _text: str, start: int, _end: int) -> int:
        return self._template_part(start, kinds.TEMPLATE, -1)

    def _template_part(self, start: int, kind: int, head: int) -> int:
        """Add a part of a template from its "`" or "}"; `kind` is what it is if it is the last one."""
        text = self.text
        found = TEMPLATE_TEXT.match(text, start + 1)
        assert found is not None  # it matches nothing too
        end = found.end()
        if text.startswith("${", end):
            self.mark(kinds.TEMPLATE_HEAD if head < 0 else kinds.TEMPLATE_MIDDLE, start, "", OPERAND)
            self.push(SUBSTITUTION, "}", OPERATOR).index = self.last if head < 0 else head
            return end + 2
        self.mark(kind, start, "", OPERATOR)
        if text.startswith("`", end):
            return end + 1
        self.lexed.faults.append(Fault("template", self.lexed.starts[self.last if head < 0 else head]))
        return len(text)


def _left_open(text: str, start: int) -> Fault:
    return Fault("template" if text[start] == "`" else text[start], start)


def _ends_in_escape(literal: str) -> bool:
    """Return whether the last character of a string literal is escaped."""
    body = literal[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1
