"""Where in the grammar a token stands, as far as the next one depends on it.

ECMA-262 §12.1 leaves it to the grammar whether `/` divides or begins a regular expression, and whether `}` ends a
block or a template's substitution. There is no parser here: a stack of brackets, each with the state that follows it,
and one state between two tokens carry exactly as much grammar as that needs. The lexer cuts the tokens; this half
takes words, brackets and operators, marks them and moves the state.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from assetbuild.compiler.refs.js import tokens as kinds
from assetbuild.compiler.refs.js.lexed import Fault, Goal, Lexed

__all__ = [
    "IMPORT",
    "KEY",
    "KEY_END",
    "LAST_BEFORE_OPERAND",
    "OPERAND",
    "OPERATOR",
    "SPECIFIER",
    "STATEMENT",
    "SUBSTITUTION",
    "Frame",
    "Position",
]

# What may come next. The first eight may begin an operand: a slash there begins a regular expression.
STATEMENT: Final = 0
OPERAND: Final = 1
ARROW: Final = 2  # after `=>`: a brace opens a function body
RESTRICTED: Final = 3  # after `return`, `throw`, `yield`: on the next line a statement begins (§12.10.1)
JUMP: Final = 4  # after `break`, `continue`, `debugger`: a label on the same line, else as above
SPECIFIER: Final = 5  # after the `"…"` of an import: `with {…}`, else a statement
EXPORTED: Final = 6  # after `export {…}`: `from`, else a statement
DEFAULT: Final = 7  # after `export default`: an operand, but `function` and `class` are declarations
LAST_BEFORE_OPERAND: Final = DEFAULT
OPERATOR: Final = 8  # an operand is complete
LET: Final = 9  # a name, or the begin of a declaration
MEMBER: Final = 10  # after `.`: any word is a name
KEY: Final = 11  # a member of an object literal or class begins
KEY_END: Final = 12  # its name, or a modifier such as `get`, was read
FUNCTION: Final = 13  # after `function`, before its parameters
BODY: Final = 14  # after parameters: a brace opens the body
CLASS: Final = 15  # after `class`
HEAD: Final = 16  # after `if`, `while`, …: parentheses, then a statement
FOR_HEAD: Final = 17
IMPORT: Final = 18  # within an import or export declaration, up to its specifier
EXPORT: Final = 19
WITH: Final = 20  # after an import's `with`: a brace opens its attributes
CALLEE: Final = 21  # after `import.defer`, `import.source`: parentheses of an import call

_COMPLETE: Final = frozenset((RESTRICTED, JUMP, SPECIFIER, EXPORTED, OPERATOR, LET, KEY_END))

# What a bracket encloses.
_STATEMENTS: Final = 0
_EXPRESSION: Final = 1
_OBJECT: Final = 2
_CLASS_BODY: Final = 3
_CLASS_HEAD: Final = 4  # no bracket: between `class` and its body, where any expression may stand
_NAMES: Final = 5  # braces of an import or export clause: every word is a name
_PARAMETERS: Final = 6
_FOR: Final = 7
SUBSTITUTION: Final = 8

_AFTER_KEYWORD: Final = {
    **dict.fromkeys(("typeof", "void", "delete", "in", "instanceof", "new", "case", "extends"), OPERAND),
    **dict.fromkeys(("var", "const"), OPERAND),
    **dict.fromkeys(("this", "super", "null", "true", "false", "enum"), OPERATOR),
    **dict.fromkeys(("do", "else", "try", "finally"), STATEMENT),
    **dict.fromkeys(("if", "while", "with", "switch", "catch"), HEAD),
    **dict.fromkeys(("return", "throw"), RESTRICTED),
    **dict.fromkeys(("break", "continue", "debugger"), JUMP),
    "for": FOR_HEAD,
    "function": FUNCTION,
    "class": CLASS,
    "import": IMPORT,
    "export": EXPORT,
    "default": OPERATOR,
}
_CONTEXTUAL: Final = frozenset(("await", "yield", "let", "of", "async", "from", "as", "assert"))


class _Function(NamedTuple):
    """A body to come. after: the state that follows it."""

    after: int
    is_generator: bool
    is_async: bool


_NO_FUNCTION: Final = _Function(STATEMENT, False, False)


class Frame:
    """A bracket that is open. closer: what closes it; after: the state that follows; index: of its token."""

    __slots__ = ("after", "closer", "encloses", "function", "index", "is_arrow", "is_arrow_async", "is_async",
                 "is_async_call", "is_generator", "is_import_call", "ternaries")  # fmt: skip

    def __init__(self, encloses: int, closer: str, after: int, index: int) -> None:
        self.encloses = encloses
        self.closer = closer
        self.after = after
        self.index = index
        self.is_generator = False
        self.is_async = False
        self.is_arrow = False  # the body of an arrow function
        self.is_arrow_async = False  # within the bare body of an async arrow function
        self.is_async_call = False  # parentheses after `async`: arguments, or the parameters of an arrow function
        self.is_import_call = False
        self.ternaries = 0
        self.function = _NO_FUNCTION


_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_FIRST_INSIDE: Final = {
    _STATEMENTS: STATEMENT,
    _EXPRESSION: OPERAND,
    _OBJECT: KEY,
    _CLASS_BODY: KEY,
    _NAMES: OPERAND,
    _PARAMETERS: OPERAND,
    _FOR: OPERAND,
}
_CLAUSES: Final = {IMPORT: IMPORT, EXPORT: EXPORTED, WITH: STATEMENT}


class Position:
    """Half of a lexer: the place that it has reached. state: what may come next; top: the innermost bracket."""

    def __init__(self, text: str, goal: Goal, depth_limit: int) -> None:
        self.text = text
        self.lexed = Lexed(text)
        self.is_module = goal == "module"
        self.depth_limit = depth_limit
        self.state = STATEMENT
        self.top = Frame(_STATEMENTS, "", STATEMENT, -1)
        self.top.is_async = self.is_module
        self.stack = [self.top]
        self.last = -1  # index and text of the last token that is no trivia
        self.last_text = ""
        self.state_before_last = STATEMENT
        self.has_newline = True  # a line ended since; so it is at the beginning (§B.1.1, HTML-like close comment)
        self.function = _NO_FUNCTION  # the body to come, between its head and its brace
        self.member_generator = self.member_async = False
        self.complete = -2  # index of a token that ends a statement which only a line end, or `;`, parts from the next
        self.async_parameters = -1  # index of the token that ends `async x` or `async (…)`

    def add(self, kind: int, start: int) -> None:
        """Add trivia."""
        self.lexed.kinds.append(kind)
        self.lexed.starts.append(start)

    def end_line(self) -> None:
        """Take a line terminator, or a comment that holds one (§12.4)."""
        self.has_newline = True
        if self.state in _COMPLETE or self.last == self.complete:
            self.lexed.line_ends.add(self.last)

    def mark(self, kind: int, start: int, text: str, state: int) -> None:
        """Add a token that is no trivia; `state` is what follows it."""
        lexed = self.lexed
        self.last = len(lexed.kinds)
        self.last_text = text
        self.state_before_last = self.state
        self.state = state
        self.has_newline = False
        lexed.kinds.append(kind)
        lexed.starts.append(start)

    def begin_operand(self) -> None:
        """Settle what begins here, before a token that cannot continue what stands before it (§12.10.1, ASI)."""
        state = self.state
        if state == OPERATOR:
            if self.last_text == "async" and not self.has_newline:
                return  # the parameter of an arrow function, or `async function`
            if self.top.encloses == _CLASS_BODY:
                self.state = KEY
                self.member_generator = self.member_async = False
            elif self.has_newline and self.top.encloses == _STATEMENTS:
                self.state = STATEMENT
            self.top.is_arrow_async &= self.state == OPERATOR
        elif state in (RESTRICTED, JUMP):
            self.state = STATEMENT if self.has_newline else OPERAND
        elif state in (SPECIFIER, EXPORTED):
            self.state = STATEMENT

    def word(self, word: str, start: int, end: int) -> int:
        """Add an identifier or keyword; return `end`."""
        state = self.state
        if state == MEMBER or self.top.encloses == _NAMES:
            is_phase = state == MEMBER and self.state_before_last == IMPORT and word in ("defer", "source")
            self.mark(kinds.NAME, start, word, CALLEE if is_phase else OPERATOR)
            return end
        after = _AFTER_KEYWORD.get(word)
        if state == OPERATOR and after is None and word not in _CONTEXTUAL:
            self.begin_operand()  # the next statement or member, unless the text is no ECMAScript
        if self.state in (KEY, KEY_END) or (state == OPERATOR and after is not None and self._begins_member(word)):
            self.mark(kinds.NAME, start, word, self.key())
        elif after is not None:
            self._keyword(word, start, after)
        elif word in _CONTEXTUAL:
            self._contextual(word, start)
        else:
            self._name(word, start)
        return end

    def _name(self, word: str, start: int) -> None:
        """Add an identifier."""
        state = self.state
        if state in (FUNCTION, IMPORT, CLASS):
            self.mark(kinds.NAME, start, word, OPERATOR if state == CLASS else state)
            return
        is_label = state == JUMP and not self.has_newline
        is_parameter = self.last_text == "async" and not self.has_newline and state == OPERATOR
        self.begin_operand()
        self.mark(kinds.NAME, start, word, STATEMENT if is_label else OPERATOR)
        if is_label:
            self.complete = self.last
        if is_parameter:
            self.async_parameters = self.last

    def _begins_member(self, word: str) -> bool:
        """Return whether a reserved word after an operand names the next class member; only operators do not."""
        is_async_function = word == "function" and self.last_text == "async" and not self.has_newline
        if self.top.encloses != _CLASS_BODY or word in ("in", "instanceof") or is_async_function:
            return False
        self.state = KEY
        return True

    def key(self) -> int:
        """Take a member's name or modifier; return the state after it."""
        if self.state == KEY_END:
            if self.last_text == "async" and not self.has_newline:
                self.member_async = True
            elif self.has_newline and self.last_text not in ("get", "set", "static", "*"):
                self.member_generator = self.member_async = False
        return KEY_END

    def _keyword(self, word: str, start: int, after: int) -> None:
        """Add a reserved word; `after` is the state that follows it in most places."""
        if self.state == SPECIFIER and word == "with":
            self.mark(kinds.KEYWORD, start, word, WITH)
            return
        if self.state == EXPORT and word == "default":
            self.mark(kinds.KEYWORD, start, word, DEFAULT)
            return
        if self.state == IMPORT and self.last_text != "import":
            self.mark(kinds.NAME, start, word, IMPORT)  # `export * as default from "x"`
            return
        if word not in ("in", "instanceof"):
            self.begin_operand()
        if word in ("function", "class"):
            is_async = word == "function" and self.last_text == "async" and not self.has_newline
            before = self.state_before_last if is_async else self.state
            follows = STATEMENT if before in (STATEMENT, EXPORT, DEFAULT) else OPERATOR
            self.mark(kinds.KEYWORD, start, word, after)
            if word == "function":
                self.function = _Function(follows, False, is_async)
            else:
                self.push(_CLASS_HEAD, "", follows)
            return
        self.mark(kinds.KEYWORD, start, word, after)
        if word in ("import", "export"):
            self.lexed.depths[self.last] = len(self.stack) - 1

    def _contextual(self, word: str, start: int) -> None:
        """Add a word that is an operator, a keyword or a name by where it stands."""
        state, top = self.state, self.top
        is_binary_place = state == OPERATOR and not (self.has_newline and top.encloses == _STATEMENTS)
        if word == "of" and top.encloses == _FOR and state == OPERATOR:
            self.mark(kinds.NAME, start, word, OPERAND)
        elif word == "from" and state == EXPORTED:
            self.mark(kinds.NAME, start, word, IMPORT)
        elif word == "assert" and state == SPECIFIER and not self.has_newline:
            self.mark(kinds.NAME, start, word, WITH)
        elif word == "await" and state == FOR_HEAD:
            self.mark(kinds.KEYWORD, start, word, FOR_HEAD)
        elif word == "await" and state not in (FUNCTION, CLASS, IMPORT) and (top.is_async or top.is_arrow_async):
            self.begin_operand()
            self.mark(kinds.KEYWORD, start, word, OPERAND)
        elif word == "yield" and top.is_generator and state != FUNCTION:
            self.begin_operand()
            self.mark(kinds.KEYWORD, start, word, RESTRICTED)
        elif word == "let" and not is_binary_place and state in (STATEMENT, OPERAND, OPERATOR, EXPORT):
            self.begin_operand()
            is_declaration = self.state in (STATEMENT, EXPORT) or (top.encloses == _FOR and self.last_text == "(")
            self.mark(kinds.NAME, start, word, LET if is_declaration else OPERATOR)
        else:
            self.lexed.is_goal_sensitive |= word == "await"
            self.begin_operand()
            if self.state == KEY:
                self.mark(kinds.NAME, start, word, self.key())
            else:
                self._name(word, start)

    def open_parenthesis(self, start: int) -> None:
        """Add `(`: of parameters, of a head such as `if (…)`, of a call or around an expression."""
        state = self.state
        if state in (KEY, KEY_END, FUNCTION):
            if state != FUNCTION:
                self.function = _Function(KEY, self.member_generator, self.member_async)
                self.member_generator = self.member_async = False
            self._open("(", start, _PARAMETERS, BODY).function = self.function
        elif state == FOR_HEAD:
            self._open("(", start, _FOR, STATEMENT)
        else:
            is_async_call = self.last_text == "async" and state == OPERATOR and not self.has_newline
            is_import_call = state == CALLEE or (state == IMPORT and self.last_text == "import")
            frame = self._open("(", start, _EXPRESSION, STATEMENT if state == HEAD else OPERATOR)
            frame.is_async_call, frame.is_import_call = is_async_call, is_import_call

    def open_bracket(self, start: int) -> None:
        """Add `[`: of an array or a member access, or of a computed key."""
        after = self.key() if self.state in (KEY, KEY_END) else OPERATOR
        self._open("[", start, _EXPRESSION, after)

    def open_brace(self, start: int) -> None:
        """Add `{`: of a body, a block, a class, an object or pattern, or the names of an import."""
        if self.state != OPERATOR:
            self.begin_operand()
        state, top = self.state, self.top
        if state in (BODY, ARROW):
            after = KEY if top.encloses == _CLASS_BODY else STATEMENT
            # No operator may follow an arrow function with a body: what is on the next line begins anew.
            function = self.function if state == BODY else _Function(after, False, top.is_arrow_async)
            frame = self._open("{", start, _STATEMENTS, function.after)
            frame.is_generator, frame.is_async = function.is_generator, function.is_async
            frame.is_arrow = state == ARROW
            top.is_arrow_async &= state == BODY
        elif top.encloses == _CLASS_HEAD and (state in (OPERATOR, CLASS) or self.last_text == ">"):
            self._pop()
            self._open("{", start, _CLASS_BODY, top.after)
        elif state in _CLAUSES:
            self._open("{", start, _NAMES, _CLAUSES[state])
        elif state in (KEY, KEY_END) or (state == OPERATOR and top.encloses == _CLASS_BODY):
            self._open("{", start, _STATEMENTS, KEY)
        elif state in (OPERAND, DEFAULT, LET) or (state == OPERATOR and top.encloses != _STATEMENTS):
            self._open("{", start, _OBJECT, OPERATOR)
        else:
            self._open("{", start, _STATEMENTS, STATEMENT)

    def _open(self, opener: str, start: int, encloses: int, after: int) -> Frame:
        """Add an opening bracket and enter it."""
        self.mark(kinds.PUNCTUATOR, start, opener, _FIRST_INSIDE[encloses])
        return self.push(encloses, _CLOSERS[opener], after)

    def push(self, encloses: int, closer: str, after: int) -> Frame:
        """Enter what the last token opened."""
        outer = self.top
        frame = Frame(encloses, closer, after, self.last)
        frame.is_generator, frame.is_async = outer.is_generator, outer.is_async or outer.is_arrow_async
        self.stack.append(frame)
        self.top = frame
        if len(self.stack) - 1 > self.depth_limit:
            self.lexed.too_deep = self.lexed.starts[self.last]
        return frame

    def _pop(self) -> Frame:
        frame = self.stack.pop()
        self.top = self.stack[-1]
        return frame

    def close(self, char: str, start: int) -> Frame | None:
        """Add a closing bracket; return the frame of a template's substitution instead of adding its brace."""
        while self.top.encloses == _CLASS_HEAD:
            self._pop()
        if self.top.closer != char:
            self.lexed.faults.append(Fault(char, start))
            self.mark(kinds.PUNCTUATOR, start, char, self.state)
            return None
        frame = self._pop()
        if frame.encloses == SUBSTITUTION:
            return frame
        self.mark(kinds.PUNCTUATOR, start, char, frame.after)
        if frame.encloses == _PARAMETERS:
            self.function = frame.function
        if frame.is_arrow or frame.encloses == _NAMES:
            self.complete = self.last
        if frame.is_async_call:
            self.async_parameters = self.last
        if frame.is_import_call:
            self.lexed.calls[frame.index] = self.last
        return None

    def separator(self, char: str, start: int) -> None:
        """Add `;`, `,` or `:`."""
        self.mark(kinds.PUNCTUATOR, start, char, self._after_separator(char))

    def _after_separator(self, char: str) -> int:
        while char == ";" and self.top.encloses == _CLASS_HEAD:
            self._pop()
        top = self.top
        if char == ":":
            if self.state == KEY_END or not top.ternaries:
                return STATEMENT if top.encloses == _STATEMENTS else OPERAND
            top.ternaries -= 1
            return OPERAND
        top.is_arrow_async = False
        if char == "," and self.state == IMPORT:
            return IMPORT
        if top.encloses == _OBJECT or (char == ";" and top.encloses == _CLASS_BODY):
            return KEY
        if char == ";":
            top.ternaries = 0
        return STATEMENT if char == ";" and top.encloses == _STATEMENTS else OPERAND

    def operator(self, text: str, start: int, end: int) -> int:
        """Add an operator other than a slash; return `end`."""
        state = self.state
        after = OPERAND
        match text:
            case "." | "?.":
                after = MEMBER
            case "=>":
                self.top.is_arrow_async = self.async_parameters == self.last
                after = ARROW
            case "++" | "--" if state == OPERATOR and not self.has_newline:
                after = OPERATOR
            case "*":
                after = self._star()
            case "?" if state == KEY_END:
                after = KEY_END
            case "?":
                self.top.ternaries += 1
            case "@" | "++" | "--" | "!" | "~":
                self.begin_operand()
                after = MEMBER if text == "@" else OPERAND
        self.mark(kinds.PUNCTUATOR, start, text, after)
        return end

    def _star(self) -> int:
        """Return the state after `*`, which multiplies, or makes a generator, or names all exports."""
        state = self.state
        if state in (KEY, KEY_END):
            self.member_async |= state == KEY_END and self.last_text == "async" and not self.has_newline
            self.member_generator = True
            return KEY_END
        if state == FUNCTION:
            self.function = self.function._replace(is_generator=True)
            return FUNCTION
        return IMPORT if state in (IMPORT, EXPORT) else OPERAND
