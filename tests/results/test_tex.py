"""Every character of a label has LaTeX that prints it."""

import pytest

from senet_lab.results import tex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("no_se", r"no\_se"),
        ("50 % & {a} #1", r"50\,\% \& \{a\} \#1"),
        (r"a\b~c^d$", r"a\textbackslash{}b\textasciitilde{}c\textasciicircum{}d\char36{}"),
        ("p<.05", "p$<$.05"),
        ("\u0394\u00d7\u03b1", r"$\Delta$$\times$$\alpha$"),
        ("\u03bb \u03c2 \u039b", r"$\lambda$ $\varsigma$ $\Lambda$"),
        ("\u2212\u00b11", r"$-$$\pm$1"),
        ("x\u00b2 y\u2082", "x$^{2}$ y$_{2}$"),
        ("\u00e9\u00f6\u00e7\u0159", r"\'{e}\"{o}\c{c}\v{r}"),
        ("e\u0301", r"\'{e}"),
        ("\u00df \u0142", r"\ss{} \l{}"),
        ("\u4e2d", "U+4E2D"),
        ("\ufb01n", "fin"),
    ],
)
def test_characters(text, latex):
    assert tex.escape(text) == latex
