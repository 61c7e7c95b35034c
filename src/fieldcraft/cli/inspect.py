"""`fieldcraft inspect SOURCE`: receptive field, cost and findings of any module."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fieldcraft.cli.console import out, say, tell
from fieldcraft.cli.fix import Wish, make, told, write
from fieldcraft.errors import InspectError

FOUND = 3
"""Exit code when there are findings of the severity that `--fail-on` names, or a higher one."""
SEVERITIES = ("info", "warning", "error")
Texts = list[str] | None


def inspect(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="package.module:callable, file.py:callable, a run or plan.toml, a .pt2 or a .onnx file.",
        ),
    ],
    inputs: Annotated[
        Texts,
        typer.Option(
            "--input", metavar="SHAPE", help="One sample without its batch: 3,224,224 or ids=128:int64; repeatable."
        ),
    ] = None,
    arguments: Annotated[
        Texts, typer.Option("--arg", metavar="KEY=VALUE", help="An argument of the callable; repeatable.")
    ] = None,
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Samples in the traced batch.")] = None,
    loss: Annotated[str | None, typer.Option(metavar="NAME", help="What follows, such as cross-entropy.")] = None,
    train_batch: Annotated[int | None, typer.Option(min=1, help="Samples in a training step on one device.")] = None,
    objects: Annotated[str | None, typer.Option(metavar="PX", help="Extent of the objects: 80, or 80,60.")] = None,
    device: Annotated[Literal["cpu", "cuda"] | None, typer.Option(help="Where the network is to run.")] = None,
    depth: Annotated[int | None, typer.Option(min=1, help="Put layers below this depth together.")] = None,
    all_rows: Annotated[bool, typer.Option("--all-rows", help="A line for every operation.")] = False,
    select: Annotated[Texts, typer.Option(metavar="CODE", help="Only these findings; repeatable.")] = None,
    ignore: Annotated[Texts, typer.Option(metavar="CODE", help="Without these findings; repeatable.")] = None,
    fail_on: Annotated[
        Literal["info", "warning", "error", "never"],
        typer.Option(help="Exit with 3 when there is a finding of this severity or a higher one."),
    ] = "never",
    format: Annotated[Literal["text", "json", "sarif"], typer.Option(help="What is printed.")] = "text",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page to explore, too.")] = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="What the page draws fields on.")] = None,
    measure: Annotated[bool, typer.Option("--measure", help="Also time real passes on this machine.")] = False,
    effective: Annotated[
        Texts,
        typer.Option(metavar="LAYER", help="Also what really reaches a layer, by gradients; repeatable."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Rewrite a copy: whatever mends what was found.")] = False,
    rewrites: Annotated[
        Texts, typer.Option("--rewrite", metavar="NAME", help="Rewrite a copy, by finding or by rewrite; repeatable.")
    ] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Rewrites may change the function.")] = False,
    layers: Annotated[
        Texts, typer.Option("--only", metavar="LAYER", help="Rewrite only this submodule; repeatable.")
    ] = None,
    output_stride: Annotated[
        int | None, typer.Option(min=1, help="Of stride-to-dilation: pixels between units of the last map.")
    ] = None,
    activation: Annotated[str | None, typer.Option(metavar="NAME", help="Of swap-activation, such as gelu.")] = None,
    head: Annotated[Literal["average", "pyramid"] | None, typer.Option(help="Of pooled-head.")] = None,
    to: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="A .py or .pt2 for the result.")] = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Build it with numbers, so that rules can look at them.")
    ] = False,
    trust: Annotated[bool, typer.Option("--trust", help="Let a .pt2 file be unpickled: it may run code.")] = False,
) -> None:
    """Look at a module: receptive field, cost and findings, layer by layer.

    No weights, data or GPU are needed, and the module is never changed. Exit code 3: findings that --fail-on asks for.
    """
    shapes = objects_px(objects)
    wish = Wish(
        found=fix,
        names=tuple(rewrites or ()),
        unsafe=unsafe,
        only=tuple(layers or ()),
        output_stride=output_stride,
        activation=activation,
        head=head,
        out=to,
    )
    wish.check()
    if image is not None and html is None:
        raise InspectError("--image is what the page draws fields on: give --html FILE, too.")
    from fieldcraft.anatomy.inputs import parse_input
    from fieldcraft.inspection.words import effective_in_words, measured_in_words
    from fieldcraft.verbs.inspect import inspect as look

    found = look(
        source,
        tuple(parse_input(one) for one in inputs or ()),
        batch=batch,
        arguments=arguments or (),
        loss=loss,
        train_batch=train_batch,
        objects_px=shapes,
        device=device,
        select=select or (),
        ignore=ignore or (),
        weights=weights or wish.any or bool(effective),
        trust=trust,
    )
    made = make(found, wish) if wish.any else None
    for note in found.notes:
        say(note)
    match format:
        case "json":
            tell(found.to_json())
        case "sarif":
            tell(found.to_sarif())
        case "text":
            from fieldcraft.inspection.table import plain, table

            if out().is_terminal:
                out().print(table(found, depth=depth, every_row=all_rows, width=out().width))
            else:
                tell(plain(found, depth=depth, every_row=all_rows))
    if measure:
        (tell if format == "text" else say)(measured_in_words(found.measure(device=device or "cpu")))
    heats = [found.effective(path) for path in effective or ()]
    for heat in heats:
        (tell if format == "text" else say)(effective_in_words(heat))
    for line in told(made) if made is not None else ():
        (tell if format == "text" else say)(line)
    if made is not None and to is not None:
        write(made, found, to, source, arguments or ())
    if html is not None:
        found.to_html(html, image=image, effective=heats)
        say(f"The page: {html}")
    if fail_on != "never":
        worst = max((SEVERITIES.index(one.severity) for one in found.findings), default=-1)
        if worst >= SEVERITIES.index(fail_on):
            raise typer.Exit(FOUND)


def objects_px(text: str | None) -> tuple[float, ...] | None:
    """`80` or `80,60`."""
    if text is None:
        return None
    try:
        found = tuple(float(one) for one in text.replace("x", ",").split(","))
    except ValueError:
        found = ()
    if not found or any(one <= 0 for one in found):
        raise InspectError(f"--objects must be pixels such as 80 or 80,60, but got {text}.")
    return found
