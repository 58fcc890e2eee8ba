"""pydantic's findings in the words of a sweep file: key, what was found, what is allowed, nearest spelling."""

import re
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from senet_lab.errors import choices

Classes = list[type[BaseModel]]


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """The findings on a value of class `root`, a line each; what several branches of a union say is one."""
    rules: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    for issue in error.errors(include_url=False):
        names, owners, inside = _place(root, issue["loc"])
        kind = issue["type"]
        if kind.startswith("union_tag"):
            names = [*names, issue["ctx"]["discriminator"].strip("'")]
        key = ".".join(names) or root.__name__
        rules.setdefault(key, [])
        if kind == "extra_forbidden":
            fields = sorted({name for owner in owners for name in owner.model_fields})
            rules[key].append(f"there is no such key; {choices(names[-1], fields)}")
        elif kind == "literal_error":
            found[key] = f"found {issue['input']!r}; "
            rules[key].append(choices(issue["input"], _quoted(issue["ctx"]["expected"])))
        elif kind == "union_tag_invalid":
            found[key] = f"found {issue['ctx']['tag']!r}; "
            rules[key].append(choices(issue["ctx"]["tag"], sorted(_quoted(issue["ctx"]["expected_tags"]))))
        elif kind == "value_error":
            rules[key].append(str(issue["ctx"]["error"]))
        elif kind == "missing":
            rules[key].append("is missing; give it a value")
        elif kind == "union_tag_not_found":
            rules[key].append(f"is missing; {choices('', _families(inside))}")
        else:
            found[key] = f"found {issue['input']!r}; "
            rules[key].append(f"it {_rule(issue['msg'])}")
    return "\n".join(f"{key}: {found.get(key, '')}{', or '.join(said)}" for key, said in rules.items())


def _rule(message: str) -> str:
    """pydantic's rule, said of a value that people write as a list."""
    rule = re.sub(r"^(Input|Tuple|List|Dictionary) ", "", message)
    rule = re.sub(r" after validation, not \d+$", "", rule)
    return rule.replace("a valid tuple", "a list").replace("a valid dictionary", "a dict {key: ...}")


def _quoted(text: str) -> list[str]:
    """The values of "'a', 'b' or 'c'"."""
    return [w.strip("'") for w in text.replace(" or ", ", ").split(", ")]


def _families(owners: Classes) -> list[str]:
    return sorted(str(o.model_fields["family"].default) for o in owners if "family" in o.model_fields)


def _place(root: type[BaseModel], location: Iterable[int | str]) -> tuple[list[str], Classes, Classes]:
    """The keys that people wrote on the way to `location`, the classes that the last key
    may belong to, and those that its value may be of.

    pydantic puts the name of a union's branch among the keys: that of a class, or a network's family.
    """
    names: list[str] = []
    owners: Classes = [root]
    inside = owners
    for part in map(str, location):
        branch = [c for c in inside if part in (c.__name__, *_families([c]))]
        if branch:
            inside = branch
        elif "[" not in part and part not in {"tuple", "str", "dict"}:
            names.append(part)
            owners = inside
            inside = [c for o in owners if part in o.model_fields for c in _classes(o.model_fields[part].annotation)]
    return names, owners, inside


def _classes(annotation: Any) -> Classes:
    """The specs that a value of `annotation` may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [c for argument in get_args(annotation) for c in _classes(argument)]
