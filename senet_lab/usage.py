"""What an exception means for the person at the command line: one message and the exit code.

What was typed wrong is told in the words of all other messages, instead of typer's.
"""

import errno
import os
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import typer

from senet_lab.credentials import without_secrets
from senet_lab.errors import SenetLabError, choices, printable, shown

UsageError: type[Any] = typer.BadParameter.__bases__[0]
"""What typer raises for a wrong command line. Its own name for it has changed with its versions."""


SURROUNDINGS = {
    *(errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE),
}
"""What the system refuses because of names, rights, room or limits: nobody's fault in this program."""


def answer(error: Exception, arguments: Sequence[str]) -> tuple[str, int]:
    """The message and the exit code; nothing that steers a terminal is in it, and no password that was typed."""
    code = 2
    if isinstance(error, typer.Abort):
        text, code = "stopped", 130
    elif isinstance(error, SenetLabError):
        text, code = str(error), error.exit_code
    elif isinstance(error, OSError) and error.errno in SURROUNDINGS:
        where = shown(str(error.filename)) if error.filename else "the system"
        text = f"{where}: {error.strerror}; see to it there, or name another place"
    elif not isinstance(error, UsageError):
        fault = f"{type(error).__name__}: {error}"
        text, code = f"{fault}\nThis is a fault of senet-lab itself; --debug shows where", 1
    elif not arguments:  # nothing was typed: typer's message is the help
        error.show()
        text = "which command? The help above names them"
    else:
        text = sentence(error, arguments)
    typed = [*arguments, os.environ.get("MLFLOW_TRACKING_URI", "")]
    return f"senet-lab: {printable(without_secrets(text, typed))}", code


def sentence(error: Any, arguments: Sequence[str]) -> str:
    """What was found, where, what is allowed, and what to do, for an `error` of the class UsageError."""
    context, message = error.ctx, str(error.format_message())
    option = getattr(error, "option_name", None)
    if option and "requires an argument" in message:
        return f"{option} has no value; give it one behind a blank, or leave it out"
    if option and "does not take a value" in message:
        return f"{option} takes no value; leave out what follows its ="
    if context is None:
        return f"{message.rstrip('.')}; senet-lab --help shows what there is"
    command = context.command
    here = f"{context.info_name}: " if context.parent else ""
    if message.startswith("No such command"):
        found = next(a for a in arguments if not a.startswith("-"))
        known = choices(found, list(command.commands))
        return f"there is no command {shown(found)}; {known}. A sweep: senet-lab sweep NAME"
    if option:
        return here + _no_option(str(option), context)
    if (parameter := getattr(error, "param", None)) is None:
        return f"{here}{_rest(message, command)}"
    name = max(parameter.opts, key=len) if parameter.param_type_name == "option" else str(parameter.metavar)
    if message.startswith("Missing"):
        return f"{here}{name} is missing; {_example(command)}"
    return f"{name}: found {_typed(name, arguments)}; {_rule(message)}"


def _no_option(found: str, context: Any) -> str:
    known = [o for p in context.command.params for o in p.opts if o.startswith("-")]
    others = context.find_root().command.commands.items()
    has = [name for name, command in others if any(found in p.opts for p in command.params)]
    elsewhere = f". {found} stands behind {', '.join(has)}" if has else ""
    return f"there is no option {shown(found)}; {choices(found, [*known, '--help'])}{elsewhere}"


def _rest(message: str, command: Any) -> str:
    """Of arguments too many, and of what typer may think of next."""
    if not (extra := re.search(r"unexpected extra arguments?(?:\(s\))? \((.*)\)", message, re.DOTALL)):
        return f"{message.rstrip('.')}; {_example(command)}"
    if "=" in extra[1] and any("--set" in p.opts for p in command.params):
        return f"found {shown(extra[1])} by itself; a setting stands behind --set: --set {extra[1]}"
    return f"found {shown(extra[1])}, which is one argument too many; {_example(command)}"


def _example(command: Any) -> str:
    return f"e.g. {(command.epilog or 'senet-lab --help').removeprefix('Example: ')}"


def _typed(name: str, arguments: Sequence[str]) -> str:
    """The value of an option or argument as it was typed, the last one if there are several."""
    found = [a.partition("=")[2] for a in arguments if a.startswith(f"{name}=")]
    found += [value for key, value in pairwise(arguments) if key == name]
    return shown(found[-1]) if found else "something else"


def _rule(message: str) -> str:
    """What typer or the library below it asks of a value."""
    if listed := re.search(r"('.*') is not one of (.*?)\.?$", message, re.DOTALL):
        return choices(listed[1].strip("'"), re.findall(r"'(.*?)'", listed[2]))
    rule = message.rpartition("': ")[2].removeprefix("Input ").rstrip(".")
    rule = rule.replace("a valid integer", "a whole number").replace("a valid number", "a number")
    return f"it {rule.partition(', unable')[0]}"
