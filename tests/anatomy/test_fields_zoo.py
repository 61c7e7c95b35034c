"""Receptive fields of the small and the odd nets of the zoo, each unit beside its gradient."""

import pytest
from tests.anatomy.field_truth import compared, last_event, traced
from tests.zoo.odd import Odd
from tests.zoo.published import END_POINTS, TABLE, TORCHVISION
from tests.zoo.slim import NETS
from tests.zoo.small import ALL

from fieldcraft.anatomy.fields import fields_of
from fieldcraft.anatomy.trace import Traced
from fieldcraft.records.anatomy import AxisField

BOUNDS = frozenset[str]()
"""Nets where the arithmetic gives only a bound."""

POOLED = frozenset(("deeplab",))
"""A pooled map is put beside the others: not in our local field, but in the oracle's, which leaves factors out only."""


@pytest.mark.parametrize("net", ALL, ids=lambda net: net.name)
def test_every_unit_sees_what_has_a_gradient(net: Odd) -> None:
    wrong = [one for one in compared(net.build(), net.shapes, policy="full") if not one.right]
    assert not wrong, wrong[:4]


@pytest.mark.parametrize("net", [one for one in ALL if one.name not in POOLED], ids=lambda net: net.name)
def test_the_local_field_is_that_without_norms_and_gates(net: Odd) -> None:
    wrong = [one for one in compared(net.build(), net.shapes) if not one.right]
    assert not wrong, wrong[:4]


@pytest.mark.parametrize("net", ALL, ids=lambda net: net.name)
def test_what_is_said_to_be_exact(net: Odd) -> None:
    seen = traced(net.build(), net.shapes)
    axes = [axis for one in fields_of(seen)[last_event(seen)] for axis in one.axes]
    assert all(axis.exact for axis in axes) == (net.name not in BOUNDS)


def _ends(seen: Traced) -> dict[str, AxisField]:
    """The last map of each submodule that has an axis left."""
    found: dict[str, AxisField] = {}
    for event, row in zip(seen.capture.events, fields_of(seen), strict=True):
        for one in row:
            if one.axes[-1].stride is not None:
                path = event.module
                while path:
                    found[path] = one.axes[-1]
                    path = path.rpartition(".")[0]
    return found


@pytest.mark.parametrize("name", sorted(NETS))
def test_published_rows_of_the_slim_nets(name: str) -> None:
    net = NETS[name].build(width=0.03)
    seen = traced(net, [(3, 224, 224)])
    rows = fields_of(seen)
    assert all(axis.exact for row in rows for one in row for axis in one.axes)
    ends = _ends(seen)
    for path, said in END_POINTS[name].items():
        axis = ends[net.end_points.get(path, path)]
        assert (axis.size, axis.stride, axis.padding) == (said.rf, said.stride, said.padding), path
    if name in TABLE:
        last = [axis for row in rows for one in row for axis in one.axes if axis.stride is not None][-1]
        assert (last.size, last.stride, last.padding) == tuple(TABLE[name])


@pytest.mark.parametrize(("name", "size"), sorted(TORCHVISION.items()))
def test_torchvision_strides_in_the_first_unit(name: str, size: int) -> None:
    models = pytest.importorskip("torchvision.models")
    seen = traced(getattr(models, name)(), [(3, 224, 224)])
    last = [axis for row in fields_of(seen) for one in row for axis in one.axes if axis.stride is not None][-1]
    assert (last.size, last.stride, last.exact) == (size, 32, True)
