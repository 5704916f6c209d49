"""`s4tok doctor`: what this machine has, lacks, and what mends it."""

from typer import Exit

from s4tok_cli import console, options
from s4tok_cli.commands import Place
from s4tok_pipelines.paths import CACHE

PLACE = Place("This machine", 3)
EXAMPLES = ("s4tok doctor",)

SOMETHING_MISSING = 6


def doctor(cache: options.Cache = CACHE) -> None:
    """Check this machine: packages, GPU, headless rendering, storage, weights, cluster.

    Exits with 6 when something that a stage needs is missing; each problem comes with the line that mends it.
    """
    from s4tok_pipelines.stages.doctor import doctor as run

    findings = run(cache, console.Progress())
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        console.result(f"{finding.state:<8} {finding.name:<{width}}  {finding.found}")
        if finding.fix:
            console.result(f"{'':<8} {'':<{width}}  fix: {finding.fix}")
    problems = [finding.name for finding in findings if finding.state == "problem"]
    console.result(f"\n{len(problems)} problems: {', '.join(problems)}" if problems else "\nno problems")
    console.finish({"ok": not problems, "problems": problems, "findings": [vars(finding) for finding in findings]})
    if problems:
        raise Exit(SOMETHING_MISSING)
