"""How far the network sees: each stage's receptive field over a real sample."""

from dataclasses import dataclass, replace

from fieldcraft.anatomy.receptive import field_after, plan_layers
from fieldcraft.plan.schema import Cnn, ImageInput, ResNet
from fieldcraft.report.charts.receptive_field import Square, receptive_field_chart
from fieldcraft.report.page import Absent, Figure, Key, Table, columns
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import percent, whole

DRAWN_PX = 256


@dataclass(frozen=True)
class Fields:
    """The drawing and its numbers."""

    intro: str
    figure: Figure | None
    keys: tuple[Key, ...]
    table: Table


def receptive_field(run: Run) -> Fields | Absent | None:
    """Squares of the winning network, or of the largest that was trained; None when it is no convolutional one."""
    if run.plan is None or not isinstance(run.plan.input, ImageInput):
        return None
    name, network = _network(run)
    if not isinstance(network, Cnn | ResNet):
        return None
    height, width = run.plan.input.height, run.plan.input.width
    stages = tuple(_stage(network, count + 1, height, width) for count in range(len(network.widths)))
    squares = tuple(Square(f"Stage {index + 1}", size, size) for index, (size, _) in enumerate(stages))
    rows = tuple(
        (square.name, f"{whole(size)} x {whole(size)}", whole(stride), percent(size / max(height, width), 0))
        for square, (size, stride) in zip(squares, stages, strict=True)
    )
    titles = columns("After", "#Field, px", "#Stride, px", "#Of the longest side")
    table = Table("Receptive field after each stage of the network.", titles, rows)
    keys = tuple(Key(f"{square.name}: {square.height} px", index) for index, square in enumerate(squares))
    return Fields(_intro(name, network, stages[-1][0], max(height, width)), _figure(run, squares, height, width), keys, table)


def _network(run: Run) -> tuple[str, object]:
    """The winning rung's network; else that of the last rung trained, else the plan's last."""
    assert run.plan is not None
    rungs = {rung.name: rung.network for rung in run.plan.ladder.rungs}
    winner = run.winner
    trained = [each.name for each in run.results.candidates if each.kind == "rung"] if run.results else []
    wanted = [winner.name if winner else "", *reversed(trained), *(log.rung for log in reversed(run.log)), *reversed(rungs)]
    name = next((each for each in wanted if each in rungs), "")
    return name, rungs.get(name)


def _stage(network: Cnn | ResNet, stages: int, height: int, width: int) -> tuple[int, int]:
    """Field and stride in pixels after the first `stages` stages."""
    if isinstance(network, ResNet):
        short: Cnn | ResNet = replace(network, widths=network.widths[:stages], depths=network.depths[:stages])
    else:
        short = replace(network, widths=network.widths[:stages])
    field = field_after(plan_layers(short))
    return int(field.size), int(field.stride)


def _intro(name: str, network: Cnn | ResNet, last: int, side: int) -> str:
    reach = "more than the whole image" if last > side else f"{percent(last / side, 0)} of the image's longest side"
    head = {
        "global-average": " The head then averages over the whole map, so that the decision uses all of the image.",
        "global-max": " The head then takes the maximum over the whole map, so that the decision uses all of the image.",
        "flatten": " The head then reads every place of the map, so that the decision uses all of the image.",
    }[network.head]
    return f"A unit after the last stage of {name} sees at most {last} x {last} pixels, {reach}.{head}"


def _figure(run: Run, squares: tuple[Square, ...], height: int, width: int) -> Figure | None:
    samples = run.pixels.get("samples")
    if samples is None or samples.ndim != 4 or not len(samples):
        return None
    sample = samples[0]
    label = "Receptive fields over a training sample: " + ", ".join(f"{each.name} {each.height} px" for each in squares)
    uri = data_uri(picture(sample), DRAWN_PX)
    chart = receptive_field_chart(uri, height, width, squares, small=is_small(sample), label=label)
    caption = "What one unit in the middle can see at most, stage by stage; pixels near the centre of a square weigh most."
    return Figure(chart, caption)
