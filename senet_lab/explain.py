"""pydantic's findings in the words of a sweep file: key, what was found, what is allowed, nearest spelling."""

import re
from collections.abc import Iterable
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from senet_lab.errors import choices, shown

Classes = list[type[BaseModel]]


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """The findings on a value of class `root`, a line each; what several branches of a union say is one."""
    rules: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    for issue in _telling(error.errors(include_url=False)):
        kind, location = issue["type"], issue["loc"]
        what = "found"
        if location[-1:] == ("[key]",):
            location, what = location[:-2], "found the key"
        names, owners, inside = _place(root, location)
        if kind == "extra_forbidden":  # its last part is what somebody wrote, whatever it looks like
            names, _, owners = _place(root, location[:-1])
            names = [*names, str(location[-1]) or "''"]
        if kind.startswith("union_tag"):
            names = [*names, issue["ctx"]["discriminator"].strip("'")]
        key = ".".join(names) or root.__name__
        rules.setdefault(key, [])
        if kind == "extra_forbidden":
            fields = sorted({name for owner in owners for name in owner.model_fields})
            rules[key].append(
                f"there is no such key; {choices(names[-1], fields, ''.join(f'{n}.' for n in names[:-1]))}"
            )
        elif kind == "literal_error":
            found[key] = f"found {shown(issue['input'])}; "
            rules[key].append(choices(issue["input"], _quoted(issue["ctx"]["expected"])))
        elif kind == "union_tag_invalid":
            found[key] = f"found {shown(issue['ctx']['tag'])}; "
            rules[key].append(choices(issue["ctx"]["tag"], sorted(_quoted(issue["ctx"]["expected_tags"]))))
        elif kind == "value_error":
            rules[key].append(str(issue["ctx"]["error"]))
        elif kind == "missing":
            rules[key].append("is missing; give it a value")
        elif kind == "union_tag_not_found":
            rules[key].append(f"is missing; {choices('', _families(inside))}")
        elif kind == "frozen_instance":
            rules[key].append("a checked value cannot be changed; set it where the value is made")
        else:
            found[key] = f"{what} {shown(issue['input'])}; "
            rules[key].append(f"it {_rule(issue['msg'])}")
    return "\n".join(f"{key}: {found.get(key, '')}{_either(said)}" for key, said in rules.items())


def _either(rules: list[str]) -> str:
    """What the branches of a union allow; classes by their names."""
    classes = [re.fullmatch(r"it should be a dict \{key: \.\.\.\} or instance of (\w+)", rule) for rule in rules]
    if len(rules) > 1 and all(classes):
        return f"allowed: {', '.join(f'{name[1]}(...)' for name in classes if name)}"
    return ", or ".join(rules)


def _telling(issues: list[ErrorDetails]) -> list[ErrorDetails]:
    """Of what the branches of a union say, that of the branch that came furthest."""
    further = {i["loc"][:n] for i in issues for n in range(1, len(i["loc"])) if _is_branch(i["loc"][n - 1])}
    inside = {i["loc"][:-1] for i in issues if i["loc"]}
    told = [i for i in issues if i["type"] != "too_short" or i["loc"] not in inside]  # wrong items are not counted
    return [
        i for i in told if not (i["loc"] and _is_branch(i["loc"][-1]) and any(f[:-1] == i["loc"][:-1] for f in further))
    ]


def _is_branch(part: int | str) -> bool:
    """Whether `part` of a place is pydantic's name of a union's branch."""
    return part in ("tuple", "str", "dict") or str(part).startswith(("tuple[", "dict[", "function-", "constrained-"))


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
        elif not _is_branch(part):
            names.append(part)
            owners = inside
            inside = [c for o in owners if part in o.model_fields for c in _classes(o.model_fields[part].annotation)]
    return names, owners, inside


def _classes(annotation: Any) -> Classes:
    """The specs that a value of `annotation` may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [c for argument in get_args(annotation) for c in _classes(argument)]
