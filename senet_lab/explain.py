"""pydantic's findings in the words of a sweep file: key, what was found, what is allowed, nearest spelling."""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from senet_lab.errors import choices


def explain(error: ValidationError, root: type[BaseModel]) -> str:
    """The findings on a value of class `root`, a line each; what several branches of a union say is one."""
    rules: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    for issue in error.errors(include_url=False):
        parts = [str(p) for p in issue["loc"]]
        key = ".".join(p for p in parts if not _is_branch(p)) or root.__name__
        rules.setdefault(key, [])
        if issue["type"] == "extra_forbidden":
            fields = sorted(_owner(root, parts[:-1]).model_fields)
            rules[key].append(f"there is no such key; {choices(parts[-1], fields)}")
        elif issue["type"] == "literal_error":
            allowed = [w.strip("'") for w in issue["ctx"]["expected"].replace(" or ", ", ").split(", ")]
            found[key] = f"found {issue['input']!r}; "
            rules[key].append(choices(issue["input"], allowed))
        elif issue["type"] == "value_error":
            rules[key].append(str(issue["ctx"]["error"]))
        elif issue["type"] == "missing":
            rules[key].append("is missing; give it a value")
        else:
            found[key] = f"found {issue['input']!r}; "
            rules[key].append(f"it {_rule(issue['msg'])}")
    return "\n".join(f"{key}: {found.get(key, '')}{', or '.join(said)}" for key, said in rules.items())


def _rule(message: str) -> str:
    """pydantic's rule, said of a value that people write as a list."""
    rule = re.sub(r"^(Input|Tuple|List|Dictionary) ", "", message)
    rule = re.sub(r" after validation, not \d+$", "", rule)
    return rule.replace("a valid tuple", "a list").replace("a valid dictionary", "a dict {key: ...}")


def _is_branch(part: str) -> bool:
    """Whether pydantic put the name of a union's branch, not of a field, into a location."""
    return "[" in part or part in {"tuple", "str", "dict"}


def _owner(root: type[BaseModel], parts: list[str]) -> type[BaseModel]:
    """The spec class that holds the key at `parts`."""
    here = root
    for part in parts:
        annotation: Any = here.model_fields[part].annotation
        inside = (annotation, *getattr(annotation, "__args__", ()))
        here = next(t for t in inside if isinstance(t, type) and issubclass(t, BaseModel))
    return here
