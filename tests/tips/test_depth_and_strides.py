import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    DIGITS,
    applied,
    brief,
    cnn_plan,
    images,
    skipped,
    start,
    with_rungs,
)

from fieldcraft.anatomy.receptive import field_after, map_size, plan_layers
from fieldcraft.plan.schema import Cnn, Mlp
from fieldcraft.tips.depth_and_strides import LEAST_MAP_PX, MARGIN, MOST_STAGES, TIP, WIDEST, last_map_px


def deepened(known, **fields):
    plan = with_rungs(start(known), Cnn(**fields), Cnn(**fields))
    return [rung.network for rung in applied(TIP, known, plan).ladder.rungs]


def field_px(network):
    return field_after(plan_layers(network)).size


@pytest.mark.parametrize("side", [8, 16, 28, 32, 48, 64])
def test_the_last_stage_sees_the_whole_image_with_the_fewest_stages(side):
    known = brief(images(side, side, 1), train=5_000)
    for network in deepened(known):
        no_room = side // 2 ** len(network.widths) < LEAST_MAP_PX
        assert field_px(network) >= MARGIN * side or no_room
        fewer = Cnn(widths=network.widths[:-1], depth=network.depth, downsample=network.downsample)
        assert field_px(fewer) < MARGIN * side


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5, 7, 64, 65, 1_000])
@pytest.mark.parametrize("padding", ["same", "none"])
def test_a_map_is_left_whatever_the_size(side, padding):
    known = brief(images(side, 4 * side, 1), train=5_000)
    for network in deepened(known, padding=padding, kernel=3 if side >= 3 else 1):
        left = map_size(plan_layers(network), side)
        assert left >= (LEAST_MAP_PX if len(network.widths) > 1 else 1)
        assert len(network.widths) <= MOST_STAGES


@pytest.mark.parametrize("padding", ["same", "none"])
@pytest.mark.parametrize("stages", [1, 2, 3])
def test_the_map_is_counted_as_the_layers_count_it(padding, stages):
    network = Cnn(widths=(8,) * stages, depth=2, kernel=3, padding=padding)
    for side in range(24, 40):
        assert last_map_px(network, side) == map_size(plan_layers(network), side)


@pytest.mark.parametrize(("side", "how"), [(64, "max-pool"), (65, "stride")])
def test_large_images_are_halved_by_strides(side, how):
    known = brief(images(side, side, 3), train=5_000)
    assert {network.downsample for network in deepened(known)} == {how}


def test_channels_double_from_stage_to_stage_and_end_somewhere():
    assert deepened(DIGITS, widths=(16, 99))[0].widths == (16, 32, 64)
    wide = deepened(brief(images(224, 224, 3), train=5_000), widths=(64,))[0].widths
    assert wide == tuple(min(WIDEST, 64 * 2**stage) for stage in range(len(wide)))


def test_larger_networks_have_two_convolutions_a_stage():
    assert [network.depth for network in deepened(CIFAR10)] == [1, 2]


def test_the_reason_holds_the_ratio():
    plan = cnn_plan(DIGITS)
    decision = TIP.decide(DIGITS, plan)
    assert f"{field_px(decision.plan.ladder.rungs[0].network)} px for images of 8 px" in decision.because


def test_it_stays_out_of_rows():
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
