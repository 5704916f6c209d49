"""The command `s4tok`: its subcommands, and the one boundary where an error becomes a sentence and an exit code."""

import errno
import gc
import sys
import sysconfig
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Annotated, get_args

import typer

from s4tok import __version__
from s4tok.errors import InputError, MissingError, S4TokError, UsageError
from s4tok_cli import commands, console
from s4tok_cli.command import command, renamed
from s4tok_cli.help import Command, Group
from s4tok_pipelines.runtime import Stopped, stoppable

# What the shell is told. 0 is done; 1 is a defect of s4tok, with its traceback; 3 is done, some entries failed.
EXIT_CODES: dict[type[S4TokError], int] = {UsageError: 2, InputError: 4, MissingError: 6}
USAGE, INPUT, CACHE, STORAGE = 2, 4, 5, 7
INTERRUPTED, TERMINATED, READER_GONE = 130, 143, 141
# What writing and reading an open file can die of; such an error names no file.
FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG, errno.ESTALE)

# Objects made until Python looks for cycles. PyTorch's import makes hundreds of thousands that stay: to look at them at
# the usual 700, and once more at the end (`gc.freeze`), was a quarter of a short command's time.
RARELY = 100_000

# Typer carries its own Click in newer versions and imports it in older ones; both hang this exception from this base.
ClickException = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")

app = typer.Typer(
    name="s4tok",
    cls=Group,
    help="Turn 3D point clouds into tokens a frozen CLIP can read.",
    epilog="Begin with `s4tok segment FILE` on a cloud of your own; `s4tok COMMAND --help` has examples. Every option "
    "can also be set as S4TOK_OPTION, or in the TOML file of --config.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.result(f"s4tok {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Turn 3D point clouds into tokens a frozen CLIP can read."""
    if context.invoked_subcommand is None:
        console.result(context.get_help())


def subcommands() -> list[ModuleType]:
    """Import what lies in `commands/`, in the order in which help lists it."""
    names = [each.name for each in iter_modules(commands.__path__)]
    modules = [import_module(f"{commands.__name__}.{name}") for name in names]
    panels = get_args(commands.Panel)
    return sorted(modules, key=lambda module: (panels.index(module.PLACE.panel), module.PLACE.number))


def _add(function: Callable[..., None], panel: str, examples: Sequence[str] = ()) -> None:
    name, end = function.__name__.replace("_", "-"), _shown(examples)
    app.command(name, cls=Command, rich_help_panel=panel, add_help_option=False, epilog=end)(command(function))


def _add_group(
    name: str, about: str, functions: Sequence[Callable[..., None]], panel: str, examples: Sequence[str]
) -> None:
    def help_alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            console.result(context.get_help())

    group = typer.Typer(name=name, cls=Group)
    group.callback(invoke_without_command=True, help=about, epilog=_shown(examples))(help_alone)
    for function in functions:
        group.command(function.__name__, cls=Command, add_help_option=False)(command(function))
    app.add_typer(group, rich_help_panel=panel)


def _shown(examples: Sequence[str]) -> str:
    """Write examples as the end of a help, one a line."""
    return (
        "\b\n" + "\n".join(f"{'Example:' if not n else '':<9}{each}" for n, each in enumerate(examples))
        if examples
        else ""
    )


for module in subcommands():
    own_name = module.__name__.rpartition(".")[2]
    if hasattr(module, "FUNCTIONS"):
        _add_group(own_name, module.ABOUT, module.FUNCTIONS, module.PLACE.panel, module.EXAMPLES)
    else:
        _add(getattr(module, own_name), module.PLACE.panel, module.EXAMPLES)


def main() -> None:
    """Run the command line and leave with its exit code."""
    gc.set_threshold(RARELY)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code."""
    console.Settings.debug = "--debug" in arguments  # known before parsing, so that its errors can be shown too
    console.Settings.json = "--json" in arguments
    try:
        with stoppable():
            return app(renamed(arguments), prog_name="s4tok", standalone_mode=False) or 0
    except Stopped as stop:
        interrupted = stop.signal.name == "SIGINT"
        code = INTERRUPTED if interrupted else TERMINATED
        console.error(
            f"{stop}.",
            "run the same command again, a training with --resume; what is kept is not computed twice.",
            code,
        )
        return code
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except console.ReaderGone:
        return READER_GONE
    except Exception as error:
        explained = explain(error)
        if explained is None:
            raise
        if console.Settings.debug:
            traceback.print_exc()
        console.error(*explained)
        return explained[2]


def explain(error: Exception) -> tuple[str, str, int] | None:
    """Turn an error the user can mend into its sentence, its way out and its exit code; None for a defect."""
    if isinstance(error, S4TokError):
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        return str(error), error.hint, code
    if isinstance(error, ClickException):
        context = getattr(error, "ctx", None)
        path = context.command_path if context else "s4tok"
        return _sentence(error.format_message()), f"`{path} --help` lists what there is.", USAGE  # type: ignore[attr-defined]
    if isinstance(error, OSError):
        return _explain_file(error)
    return _explain_cache(error) if "s4tok_cache" in sys.modules else None


def _explain_file(error: OSError) -> tuple[str, str, int] | None:
    """Explain an error about a file of the user's or of the cache; None when it names no file, or a library's own."""
    if error.filename is None and error.errno not in FAILING_DISK:
        return None
    if error.filename is not None and _is_installed(error.filename):
        return None
    where = "" if error.filename is None else f": {error.filename}"
    said = f"{error.strerror or error}{where}."
    if isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError):
        return said, "", INPUT
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "free some space, or name another place with --cache or --out; then run the same command again."
    return said, hint if is_full else "", STORAGE


def _is_installed(filename: object) -> bool:
    """Tell whether a file belongs to Python or to an installed package."""
    if not isinstance(filename, str | PathLike):
        return False
    path = Path(filename).absolute()
    return any(path.is_relative_to(sysconfig.get_path(name)) for name in ("stdlib", "purelib", "platlib"))


def _explain_cache(error: Exception) -> tuple[str, str, int] | None:
    from s4tok_cache.errors import CacheError, CacheMissing, CacheUsage

    if not isinstance(error, CacheError):
        return None
    code = USAGE if isinstance(error, CacheUsage) else INPUT if isinstance(error, CacheMissing) else CACHE
    return str(error), error.hint, code


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".") + "."
