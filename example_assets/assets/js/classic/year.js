// No semicolon at the end, and a comment without a line end: the next file must not notice.
var year = (function () { return 2026 })
// the next file begins with a parenthesis