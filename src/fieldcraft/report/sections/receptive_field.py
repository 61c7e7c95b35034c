"""How far the network sees: each stage's receptive field over a real sample."""

from dataclasses import dataclass, replace

from fieldcraft.anatomy.receptive import Window, field_after, interval, map_size, plan_layers
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
    stages = tuple(_first_stages(network, count + 1) for count in range(len(network.widths)))
    squares = tuple(_square(f"Stage {index + 1}", stage, height, width) for index, stage in enumerate(stages))
    rows = tuple(
        (
            each.name,
            f"{whole(each.size)} x {whole(each.size)}",
            whole(_stride(stage)),
            percent(each.size / max(height, width), 0),
        )
        for each, stage in zip(squares, stages, strict=True)
    )
    titles = columns("After", "#Field, px", "#Stride, px", "#Of the longest side")
    table = Table("Receptive field after each stage of the network.", titles, rows)
    keys = tuple(Key(f"{square.name}: {square.size} px", index) for index, square in enumerate(squares))
    intro = _intro(name, network, squares[-1].size, max(height, width))
    return Fields(intro, _figure(run, squares, height, width), keys, table)


def _network(run: Run) -> tuple[str, object]:
    """The winning rung's network; else that of the last rung trained, else the plan's last."""
    assert run.plan is not None
    rungs = {rung.name: rung.network for rung in run.plan.ladder.rungs}
    winner = run.winner
    trained = [each.name for each in run.results.candidates if each.kind == "rung"] if run.results else []
    wanted = [
        winner.name if winner else "",
        *(one.name for one in (winner.members if winner else ())),
        *reversed(trained),
        *(log.rung for log in reversed(run.log)),
        *reversed(rungs),
    ]
    name = next((each for each in wanted if each in rungs), "")
    return name, rungs.get(name)


def _first_stages(network: Cnn | ResNet, count: int) -> tuple[Window, ...]:
    """The windows of the first `count` stages."""
    if isinstance(network, ResNet):
        return plan_layers(replace(network, widths=network.widths[:count], depths=network.depths[:count]))
    return plan_layers(replace(network, widths=network.widths[:count]))


def _square(name: str, layers: tuple[Window, ...], height: int, width: int) -> Square:
    """What the unit in the middle of the map sees."""
    field = field_after(layers)
    rows, columns = (interval(field, map_size(layers, side) // 2) for side in (height, width))
    return Square(name, rows, columns)


def _stride(layers: tuple[Window, ...]) -> float:
    return float(field_after(layers).stride)


def _intro(name: str, network: Cnn | ResNet, last: int, side: int) -> str:
    reach = "more than the whole image" if last > side else f"{percent(last / side, 0)} of the image's longest side"
    head = {
        "global-average": " The head averages over the whole map, so that the decision uses all of the image.",
        "global-max": " The head takes the maximum over the whole map, so that the decision uses all of the image.",
        "flatten": " The head reads every place of the map, so that the decision uses all of the image.",
        "pyramid": " The head takes the maximum of every part of the map, so that the decision uses all of the image.",
    }[network.head]
    return f"A unit after the last stage of {name} sees at most {last} x {last} pixels, {reach}.{head}"


def _figure(run: Run, squares: tuple[Square, ...], height: int, width: int) -> Figure | None:
    samples = run.pixels.get("samples")
    if samples is None or samples.ndim != 4 or not len(samples):
        return None
    sample = samples[0]
    label = "Receptive fields over a training sample: " + ", ".join(f"{each.name} {each.size} px" for each in squares)
    uri = data_uri(picture(sample), DRAWN_PX)
    chart = receptive_field_chart(uri, height, width, squares, small=is_small(sample), label=label)
    caption = (
        "What one unit in the middle can see at most; dashed: reaches beyond the drawing. Central pixels weigh most."
    )
    return Figure(chart, caption)
