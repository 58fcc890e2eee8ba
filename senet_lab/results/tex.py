"""Text for LaTeX with any engine and font encoding: labels of rows may be written in anything."""

import re
import unicodedata

SPECIAL = {c: f"\\{c}" for c in "{}&#_%"} | {
    "\\": r"\textbackslash{}",
    "$": r"\char36{}",  # \$ would take a font that small installations have to make first
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': r"\char34{}",
    "`": r"\char96{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
}
MATH = {
    **{"MULTIPLICATION SIGN": "times", "PLUS-MINUS SIGN": "pm", "MIDDLE DOT": "cdot", "DIVISION SIGN": "div"},
    **{
        "LESS-THAN OR EQUAL TO": "le",
        "GREATER-THAN OR EQUAL TO": "ge",
        "NOT EQUAL TO": "neq",
        "ALMOST EQUAL TO": "approx",
    },
    **{"RIGHTWARDS ARROW": "to", "LEFTWARDS ARROW": "leftarrow", "LEFT RIGHT ARROW": "leftrightarrow"},
    **{"UPWARDS ARROW": "uparrow", "DOWNWARDS ARROW": "downarrow", "INFINITY": "infty", "SQUARE ROOT": "surd"},
    **{"ELEMENT OF": "in", "N-ARY SUMMATION": "sum", "N-ARY PRODUCT": "prod", "PARTIAL DIFFERENTIAL": "partial"},
    **{"NABLA": "nabla", "RING OPERATOR": "circ", "CIRCLED PLUS": "oplus", "CIRCLED TIMES": "otimes"},
    **{"CIRCLED DOT OPERATOR": "odot", "UNION": "cup", "INTERSECTION": "cap", "EMPTY SET": "emptyset"},
    **{"PROPORTIONAL TO": "propto", "SCRIPT SMALL L": "ell", "DAGGER": "dagger", "DOUBLE DAGGER": "ddagger"},
    **{"ASTERISK OPERATOR": "ast", "TILDE OPERATOR": "sim", "IDENTICAL TO": "equiv", "BLACK STAR": "star"},
    **{"MICRO SIGN": "mu", "GREEK SMALL LETTER FINAL SIGMA": "varsigma", "GREEK LUNATE EPSILON SYMBOL": "epsilon"},
}
"""Unicode's name of a character -> its command in math, beside the Greek letters."""
TEXT = {
    **{"LATIN SMALL LETTER SHARP S": r"\ss{}", "LATIN SMALL LETTER AE": r"\ae{}", "LATIN CAPITAL LETTER AE": r"\AE{}"},
    **{"LATIN SMALL LIGATURE OE": r"\oe{}", "LATIN CAPITAL LIGATURE OE": r"\OE{}"},
    **{"LATIN SMALL LETTER O WITH STROKE": r"\o{}", "LATIN CAPITAL LETTER O WITH STROKE": r"\O{}"},
    **{"LATIN SMALL LETTER L WITH STROKE": r"\l{}", "LATIN CAPITAL LETTER L WITH STROKE": r"\L{}"},
    **{"HORIZONTAL ELLIPSIS": r"\dots{}", "MINUS SIGN": "$-$", "EN DASH": "--", "EM DASH": "---"},
    **{"DEGREE SIGN": r"$^{\circ}$", "LEFT SINGLE QUOTATION MARK": "`", "RIGHT SINGLE QUOTATION MARK": "'"},
    **{"LEFT DOUBLE QUOTATION MARK": "``", "RIGHT DOUBLE QUOTATION MARK": "''", "NO-BREAK SPACE": "~"},
}
ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u", "\u0307": "."}
ACCENTS |= {"\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c", "\u0323": "d"}
LIKE_LATIN = {"Alpha", "Beta", "Epsilon", "Zeta", "Eta", "Iota", "Kappa", "Mu", "Nu", "Omicron", "Rho", "Tau", "Chi"}
"""Greek capitals that TeX has no command for."""


def escape(text: str) -> str:
    """`text` as LaTeX sets it; a character that the standard fonts have not is named by its code, U+4E2D."""
    return re.sub(r" \\%", r"\\,\\%", "".join(map(_character, unicodedata.normalize("NFC", text))))


def _character(c: str) -> str:
    if c.isascii():
        return SPECIAL.get(c, c)
    name = unicodedata.name(c, "")
    if name in TEXT:
        return TEXT[name]
    if command := MATH.get(name) or _greek(name):
        return rf"$\{command}$"
    letter, marks = unicodedata.normalize("NFD", c)[:1], unicodedata.normalize("NFD", c)[1:]
    if letter.isascii() and marks in ACCENTS:
        return rf"\{ACCENTS[marks]}{{{letter}}}"
    return _compatible(c)


def _greek(name: str) -> str:
    """The command of a Greek letter, by Unicode's name of it; "" where there is none."""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", name)
    if not found:
        return ""
    letter = found[2].capitalize().replace("Lamda", "Lambda")
    if found[1] == "SMALL":
        return "" if letter == "Omicron" else letter.lower()
    return "" if letter in LIKE_LATIN else letter


def _compatible(c: str) -> str:
    """What Unicode holds `c` for a form of, e.g. of 2 set high; else its code."""
    same = "".join(SPECIAL.get(s, s) for s in unicodedata.normalize("NFKC", c))
    if not same.isascii():
        return f"U+{ord(c):04X}"
    kind = unicodedata.decomposition(c).partition(" ")[0]
    return {"<super>": f"$^{{{same}}}$", "<sub>": f"$_{{{same}}}$"}.get(kind, same)
