"""What the tips for masks decide on sets whose facts are known, one after the other and together."""

from dataclasses import replace
from math import prod

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.tips.known_briefs import applied, settle, skipped, with_budget, with_machine
from tests.tips.known_masks import (
    ABDOMEN,
    CARDIAC,
    HIPPOCAMPUS,
    KNOWN_MASKS,
    MEMBRANES,
    around,
    looks,
    masks,
    one_class,
    start_masks,
    with_input,
)

from fieldcraft.build.mask_network import build_mask_network
from fieldcraft.plan.masks import (
    Atrous,
    CrfIfBetter,
    DeepMedic,
    MaskAugment,
    MaskLoss,
    Masks,
    PatchInput,
    Segmentation,
    UNet,
)
from fieldcraft.plan.schema import AdamW, Imported, Plan, RmsProp
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.fact import Fact
from fieldcraft.tips import (
    ALL,
    component_filter,
    dense_crf,
    dice_loss,
    foreground_sampling,
    mask_batch,
    mask_depth,
    mask_intensities,
    mask_kernels,
    mask_network,
    mask_norm,
    mask_normalisation,
    mask_optimiser,
    mask_steps,
    mask_strength,
    mask_symmetry,
    mask_width,
    mirrored_masks,
    output_stride,
    patch_size,
    resampling,
    skips,
    slices_or_volumes,
    two_pathways,
)
from fieldcraft.tips.draft import draft
from fieldcraft.tips.interface import Skipped
from fieldcraft.tips.masks import ELSEWHERE, costs, field, thickness, total_stride, unets
from fieldcraft.tips.rough import step_seconds

NETWORKS = (mask_network.TIP, mask_kernels.TIP, mask_depth.TIP, skips.TIP)


def drafted(known, **options):
    def measure(questions):
        return {
            one.key: Fact(
                value=1000 * step_seconds(one.plan.ladder.rungs[one.rung].network, known, one.plan),
                method="made up", sample="none",
            )
            for one in questions
        }  # fmt: skip

    return draft(known, start_masks(known), ALL, measure=measure, **options)


def after(known, *tips, plan=None) -> Plan:
    plan = plan or start_masks(known)
    for tip in tips:
        said, _ = settle(tip, known, plan)
        plan = getattr(said, "plan", plan)
    return plan


# ---------------------------------------------------------------- together


@pytest.mark.parametrize("name", KNOWN_MASKS)
def test_a_whole_draft_is_a_plan_that_can_be_read_back_and_built(name):
    known = KNOWN_MASKS[name]
    found = drafted(known)
    assert from_toml(to_toml(found.plan, found.decisions)).plan == found.plan
    assert found.plan.ladder.rungs and found.plan.ladder.baselines[-1] == "voxel-boosting"
    spatial = len(found.plan.input.patch)
    small = with_input(found.plan, patch=tuple(min(side, 80) for side in found.plan.input.patch))
    for rung in small.ladder.rungs:
        if isinstance(rung.network, UNet):
            net = build_mask_network(rung.network, channels=1, spatial=spatial, classes=3).eval()
            with torch.no_grad():
                assert net(torch.zeros(1, 1, *small.input.patch)).shape == (1, 3, *small.input.patch)


def test_tips_for_masks_are_not_asked_about_images_and_others_say_what_stands_in_for_them():
    decisions = {one.tip: one for one in drafted(HIPPOCAMPUS).decisions}
    for name, because in ELSEWHERE.items():
        assert decisions[name].outcome == "skipped" and decisions[name].because == because
    assert set(ELSEWHERE) <= {tip.name for tip in ALL}


def test_a_second_fold_over_its_own_result_changes_nothing():
    first = drafted(HIPPOCAMPUS)
    again = draft(
        HIPPOCAMPUS, first.plan, ALL, measure=lambda asked: {one.key: first.facts.measured[one.key] for one in asked}
    )
    assert again.plan == first.plan


@pytest.mark.parametrize("left_out", [tip.name for tip in ALL if tip.inputs])
def test_any_one_may_be_left_out(left_out):
    for known in (HIPPOCAMPUS, CARDIAC):
        done = drafted(known, without=frozenset({left_out}))
        assert from_toml(to_toml(done.plan)).plan == done.plan


def test_leaving_a_tip_out_leaves_its_field_as_it_was():
    plain = drafted(HIPPOCAMPUS, without=frozenset({"skips"})).plan
    assert not any(network.skips for network in unets(plain))
    assert all(network.skips for network in unets(drafted(HIPPOCAMPUS).plan))


# ---------------------------------------------------------------- what a patch is


def test_thick_slices_with_flat_objects_are_taken_one_by_one():
    assert applied(slices_or_volumes.TIP, CARDIAC, start_masks(CARDIAC)).input.patch == (320, 320, 1)
    skipped(slices_or_volumes.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS))
    skipped(slices_or_volumes.TIP, MEMBRANES, start_masks(MEMBRANES))


def test_cases_go_to_the_median_spacing_where_spacings_differ():
    mixed = masks(
        (100, 100), one_class("a", 0.1, (20, 20)),
        spacing=(1.0, 1.0),
    )  # fmt: skip
    skipped(resampling.TIP, mixed, start_masks(mixed))
    facts = replace(mixed.cases, spacing=Fact(value=(around(0.7, 1.3),) * 2, method="", sample=""))
    told = replace(mixed.facts, data=replace(mixed.facts.data, inputs=facts))
    assert applied(resampling.TIP, type(mixed)(facts=told), start_masks(mixed)).input.spacing == (0.7, 0.7)


def test_ct_numbers_keep_their_meaning():
    assert applied(mask_normalisation.TIP, ABDOMEN, start_masks(ABDOMEN)).input.normalise == "set"
    assert applied(mask_normalisation.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).input.normalise == "case"


def test_the_whole_case_is_the_patch_where_it_fits():
    assert applied(patch_size.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).input.patch == (36, 52, 36)


def test_a_large_case_shrinks_to_a_patch_that_looks_as_far_in_millimetres_along_every_axis():
    patch = applied(patch_size.TIP, ABDOMEN, start_masks(ABDOMEN)).input.patch
    assert prod(patch) <= 1.2 * patch_size.MOST_CPU
    reach = [side * one for side, one in zip(patch, (0.8, 0.8, 1.5), strict=True)]
    assert max(reach) / min(reach) < 1.2


def test_little_memory_makes_patches_smaller_and_a_gpu_larger():
    start = start_masks(ABDOMEN)
    poor = applied(patch_size.TIP, with_machine(ABDOMEN, free_mib=200), start).input.patch
    rich = applied(patch_size.TIP, with_machine(ABDOMEN, gpu="a GPU", gpu_memory_mib=40_000), start).input.patch
    assert prod(poor) < prod(applied(patch_size.TIP, ABDOMEN, start).input.patch) < prod(rich)


# ---------------------------------------------------------------- networks


def test_the_mean_shape_is_a_null_where_cases_are_aligned():
    assert applied(mask_network.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).ladder.baselines == (
        "mean-shape", "voxel-boosting",
    )  # fmt: skip
    assert applied(mask_network.TIP, ABDOMEN, start_masks(ABDOMEN)).ladder.baselines == ("voxel-boosting",)


def test_ones_own_network_stays():
    own = after(HIPPOCAMPUS, mask_network.TIP)
    rung = replace(own.ladder.rungs[0], network=Imported(target="mine:Net"))
    skipped(mask_network.TIP, HIPPOCAMPUS, replace(own, ladder=replace(own.ladder, rungs=(rung,))))


def test_small_kernels_save_more_with_each_axis():
    volumes, _ = settle(mask_kernels.TIP, HIPPOCAMPUS, after(HIPPOCAMPUS, mask_network.TIP))
    flat, _ = settle(mask_kernels.TIP, MEMBRANES, after(MEMBRANES, mask_network.TIP))
    assert "54 instead of 125" in volumes.because and "57% saved" in volumes.because
    assert "18 instead of 25" in flat.because and "28% saved" in flat.because
    assert all(kernel == (3, 3, 3) for network in unets(volumes.plan) for kernel in network.kernels)


@pytest.mark.parametrize("known", [HIPPOCAMPUS, CARDIAC, MEMBRANES], ids=["volumes", "slices", "pictures"])
def test_the_deepest_level_sees_the_objects_or_the_map_is_small(known):
    plan = after(known, slices_or_volumes.TIP, patch_size.TIP, *NETWORKS)
    wanted = mask_depth._wanted(known.cases, plan.input)
    network = unets(plan)[-1]
    deepest = [side / step for side, step in zip(plan.input.patch, total_stride(network), strict=True)]
    sees = all(one >= mask_depth.RATIO * size for one, size in zip(field(network), wanted, strict=True))
    assert sees or len(network.widths) == mask_depth.MOST_LEVELS or max(deepest) < 2 * mask_depth.LEAST_MAP


def test_an_axis_of_thick_slices_waits_for_the_others():
    thick = masks((64, 64, 40), one_class("a", 0.1, (30, 30, 20)), spacing=(1.0, 1.0, 2.5))
    network = unets(after(thick, patch_size.TIP, *NETWORKS))[-1]
    assert network.kernels[0] == (3, 3, 1) and network.strides[0] == (2, 2, 1)
    assert network.kernels[1] == (3, 3, 3) and network.strides[1] == (2, 2, 2)


@given(
    shape=st.tuples(*[st.integers(8, 40)] * 3),
    spacing=st.tuples(*[st.sampled_from((0.7, 1.0, 1.5, 2.0, 3.0, 5.0))] * 3),
)
@settings(deadline=None)
@example(shape=(13, 16, 12), spacing=(1.0, 2.0, 1.5))
def test_no_step_is_longer_than_its_kernel_whatever_the_grid(shape, spacing):
    known = masks(shape, one_class("a", 0.1, tuple(side / 2 for side in shape)), spacing=spacing)
    for network in unets(after(known, patch_size.TIP, *NETWORKS)):
        for kernel, stride in zip(network.kernels[1:], network.strides, strict=True):
            assert all(step <= side for step, side in zip(stride, kernel, strict=True))


def test_slices_have_flat_kernels_and_strides_everywhere():
    network = unets(after(CARDIAC, slices_or_volumes.TIP, patch_size.TIP, *NETWORKS))[-1]
    assert all(one[2] == 1 for one in (*network.kernels, *network.strides))


@given(
    shape=st.lists(st.integers(4, 200), min_size=2, max_size=3),
    spacing=st.lists(st.floats(0.2, 12), min_size=3, max_size=3),
    share=st.floats(0.05, 1),
)
@example(shape=[24, 24, 24], spacing=[1, 2, 1.5, 1], share=0.7)
@settings(max_examples=25, deadline=None)
def test_networks_of_any_shape_and_spacing_can_be_built(shape, spacing, share):
    extent = tuple(max(1.0, share * side) for side in shape)
    known = masks(tuple(shape), one_class("a", 0.1, extent), spacing=tuple(spacing[: len(shape)]))
    for network in unets(after(known, patch_size.TIP, *NETWORKS)):
        with torch.device("meta"):
            build_mask_network(network, channels=1, spatial=len(shape), classes=2)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("pools", [True, False])
def test_the_field_is_what_gradients_say(depth, pools):
    network = UNet(
        widths=(2, 2, 2), depths=(depth,) * 3, kernels=((3,),) * 3, strides=((2,), (2,)), norm="none",
        activation="identity", downsample="max-pool" if pools else "stride",
    )  # fmt: skip
    torch.manual_seed(0)
    net = build_mask_network(network, channels=1, spatial=1, classes=2)
    x = torch.randn(1, 1, 256, requires_grad=True)
    for weight in net.parameters():
        torch.nn.init.uniform_(weight, 0.5, 1.0)
    deepest = net.encoder(x)[-1]
    seen = torch.zeros(256, dtype=torch.bool)
    for _ in range(300 if pools else 1):  # a pool looks where the largest is
        (found,) = torch.autograd.grad(net.encoder(x)[-1][0, :, deepest.shape[2] // 2].sum(), x)
        seen |= found[0, 0] != 0
        x = torch.randn(1, 1, 256, requires_grad=True)
    places = seen.nonzero()[:, 0]
    assert int(places.max() - places.min()) + 1 == field(network)[0]


def test_costs_are_those_of_the_network_that_is_built():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS, mask_norm.TIP)
    for rung in plan.ladder.rungs:
        told = sum(one for one, _, _ in costs(rung.network, plan.input, 3))
        assert told == pytest.approx(counted(rung.network, plan.input.patch), rel=0.1)


@pytest.mark.parametrize("stride", [1, 2, 4, 8, 16, 32])
def test_costs_of_atrous_networks_follow_their_stride(stride):
    network = Atrous(widths=(4, 8, 8, 8, 8), depths=(1, 2, 1, 1, 1), output_stride=stride, rates=(1, 2))
    sample = PatchInput(channels=1, patch=(64, 64))
    told = sum(one for one, _, _ in costs(network, sample, 3))
    # The pooled mean of the map is left out.
    assert told == pytest.approx(counted(network, sample.patch), rel=0.1)


def counted(network, patch):
    net = build_mask_network(network, channels=1, spatial=len(patch), classes=3).eval()
    macs = 0

    def count(module, _, output):
        nonlocal macs
        taps = module.weight[0].numel() if not module.transposed else module.weight.shape[0]
        macs += output[0].numel() * taps

    for module in net.modules():
        if isinstance(module, torch.nn.modules.conv._ConvNd):
            module.register_forward_hook(count)
    with torch.no_grad():
        net(torch.zeros(1, 1, *patch))
    return macs


def test_skips_come_where_boundaries_count():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS[:3])
    assert all(network.skips for network in unets(applied(skips.TIP, HIPPOCAMPUS, plan)))
    round_ = masks((35, 51, 35), one_class("a", 0.4, (24, 26, 23), boundary=0.001))
    skipped(skips.TIP, round_, plan)


def test_thin_structures_get_dilation_where_no_skips_bring_them_back():
    assert thickness(MEMBRANES.cases) == pytest.approx(2 / 0.6)
    with_skips = after(MEMBRANES, patch_size.TIP, *NETWORKS)
    skipped(output_stride.TIP, MEMBRANES, with_skips)
    without = after(MEMBRANES, patch_size.TIP, *NETWORKS[:3])
    found = applied(output_stride.TIP, MEMBRANES, without).ladder.rungs[-1].network
    assert isinstance(found, Atrous) and found.output_stride == 2
    thick = masks((512, 512), one_class("a", 0.3, (300, 300), boundary=0.01))
    skipped(output_stride.TIP, thick, without)


def test_two_pathways_come_where_cases_are_far_larger_than_patches():
    near = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS)
    said = skipped(two_pathways.TIP, HIPPOCAMPUS, near)
    assert "51 voxels of context exceed its 35" in said
    far = after(ABDOMEN, patch_size.TIP, *NETWORKS)
    rungs = applied(two_pathways.TIP, ABDOMEN, far).ladder.rungs
    assert isinstance(rungs[-1].network, DeepMedic) and rungs[:-1] == far.ladder.rungs


def test_batches_hold_two_patches_at_least_and_many_where_they_are_small():
    start = start_masks(HIPPOCAMPUS)
    assert applied(mask_batch.TIP, HIPPOCAMPUS, start).batch.size == 2
    assert applied(mask_batch.TIP, HIPPOCAMPUS, with_input(start, patch=(12, 12, 12))).batch.size == mask_batch.MOST


def test_more_time_makes_wider_networks():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS, mask_batch.TIP)
    widths = [
        unets(applied(mask_width.TIP, with_budget(HIPPOCAMPUS, seconds), plan))[-1].widths[0]
        for seconds in (30.0, 300.0, 3600.0)
    ]
    assert widths == sorted(widths) and widths[0] < widths[-1]


def test_the_norm_follows_the_batch_and_the_smallest_map():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS)
    few = replace(plan, batch=replace(plan.batch, size=2))
    assert {network.norm for network in unets(applied(mask_norm.TIP, HIPPOCAMPUS, few))} == {"instance"}
    many = replace(plan, batch=replace(plan.batch, size=mask_norm.LEAST_PATCHES))
    assert {network.norm for network in unets(applied(mask_norm.TIP, HIPPOCAMPUS, many))} == {"batch"}
    tiny = with_input(few, patch=(8, 8, 8))
    assert "group" in {network.norm for network in unets(applied(mask_norm.TIP, HIPPOCAMPUS, tiny))}


# ---------------------------------------------------------------- learning, and masks


def test_adamw_has_one_rate_and_what_is_set_by_hand_stays():
    plan = after(HIPPOCAMPUS, *NETWORKS, mask_norm.TIP)
    found = applied(mask_optimiser.TIP, HIPPOCAMPUS, plan)
    assert isinstance(found.optimiser, AdamW) and {rung.lr for rung in found.ladder.rungs} == {mask_optimiser.RATE}
    skipped(mask_optimiser.TIP, HIPPOCAMPUS, replace(plan, optimiser=RmsProp()))


def test_dice_joins_cross_entropy():
    loss = applied(dice_loss.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).task.loss
    assert loss == MaskLoss(cross_entropy=1.0, dice=1.0)
    own = replace(start_masks(HIPPOCAMPUS), task=Segmentation(loss=Imported(target="mine:loss")))
    skipped(dice_loss.TIP, HIPPOCAMPUS, own)


def test_foreground_is_sampled_where_patches_miss_it():
    plan = after(ABDOMEN, patch_size.TIP)
    assert applied(foreground_sampling.TIP, ABDOMEN, plan).input.foreground == foreground_sampling.SHARE
    skipped(foreground_sampling.TIP, HIPPOCAMPUS, after(HIPPOCAMPUS, patch_size.TIP))
    skipped(foreground_sampling.TIP, MEMBRANES, after(MEMBRANES, patch_size.TIP))


def test_nothing_is_mirrored_unless_labels_are_known_to_survive_it():
    augment = applied(mask_symmetry.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).input.augment
    assert augment.flip == () and augment.turn_about == (0, 1, 2) and augment.rotate_deg == 15
    augment = applied(mask_symmetry.TIP, MEMBRANES, start_masks(MEMBRANES)).input.augment
    assert augment.flip == (0, 1) and augment.turn_about == (0,) and augment.rotate_deg == 180


def test_thick_slices_are_turned_within_the_slice_alone():
    augment = applied(mask_symmetry.TIP, CARDIAC, start_masks(CARDIAC)).input.augment
    assert augment.turn_about == (2,)


def test_predictions_are_mirrored_along_what_training_mirrors():
    plan = after(MEMBRANES, mask_symmetry.TIP)
    assert applied(mirrored_masks.TIP, MEMBRANES, plan).task.masks.mirror == (0, 1)
    skipped(mirrored_masks.TIP, HIPPOCAMPUS, after(HIPPOCAMPUS, mask_symmetry.TIP))


def test_intensities_of_ct_hardly_change():
    free = applied(mask_intensities.TIP, HIPPOCAMPUS, start_masks(HIPPOCAMPUS)).input.augment
    held = applied(mask_intensities.TIP, ABDOMEN, after(ABDOMEN, mask_normalisation.TIP)).input.augment
    assert free.brightness > 0 and held.brightness == 0 and held.contrast < free.contrast


def test_components_are_filtered_where_a_class_has_one():
    plan = start_masks(HIPPOCAMPUS)
    assert applied(component_filter.TIP, HIPPOCAMPUS, plan).task.masks.components == "filter-if-better"
    many = masks((35, 35), one_class("cells", 0.3, (5, 5), objects=around(30.0, 2.0)))
    skipped(component_filter.TIP, many, start_masks(many))


def test_a_crf_is_tried_where_classes_stand_out_and_nothing_else_sharpens_them():
    bright = masks((64, 64), one_class("a", 0.2, (30, 30), boundary=0.1, intensity=looks(200.0)))
    without = after(bright, *NETWORKS[:3])
    assert applied(dense_crf.TIP, bright, without).task.masks.crf.kind == "dense-if-better"
    skipped(dense_crf.TIP, bright, after(bright, *NETWORKS))
    skipped(dense_crf.TIP, MEMBRANES, after(MEMBRANES, *NETWORKS[:3]))


def test_last_steps_that_validation_decides_are_not_tried_on_a_lone_stack():
    """Its validation is one group, by which nothing is ever kept (`paired_gain` is None)."""
    object_of = one_class("a", 0.2, (30, 30), boundary=0.1, intensity=looks(200.0))
    cases, stack = (masks((64, 64), object_of, within_volume=within) for within in (False, True))
    for tip in (component_filter.TIP, dense_crf.TIP):
        applied(tip, cases, after(cases, *NETWORKS[:3]))
        assert "of one volume" in tip.decide(stack, after(stack, *NETWORKS[:3])).because
    by_hand = replace(start_masks(stack), task=replace(start_masks(stack).task, masks=Masks(crf=CrfIfBetter())))
    assert "by hand" in dense_crf.TIP.decide(stack, by_hand).because


def test_steps_fill_the_budget_at_the_measured_pace():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS)
    said, _ = settle(mask_steps.TIP, with_budget(HIPPOCAMPUS, 600.0), plan, lambda _: 100.0)
    taken = sum(rung.steps for rung in said.plan.ladder.rungs) * 0.1 * 1.12
    assert 380 < taken < 500
    slow, _ = settle(mask_steps.TIP, with_budget(HIPPOCAMPUS, 60.0), plan, lambda _: 2_000.0)
    assert [rung.name for rung in slow.plan.ladder.rungs] == ["small"] and "large left out" in slow.because
    free, _ = settle(mask_steps.TIP, with_budget(HIPPOCAMPUS, None), plan)
    assert {rung.steps for rung in free.plan.ladder.rungs} == {mask_steps.UNLIMITED_STEPS}


def with_steps(plan: Plan, steps: int) -> Plan:
    rungs = tuple(replace(rung, steps=steps) for rung in plan.ladder.rungs)
    return replace(plan, ladder=replace(plan.ladder, rungs=rungs))


def test_cases_that_are_seen_often_are_changed_more():
    plan = after(HIPPOCAMPUS, patch_size.TIP, *NETWORKS, mask_symmetry.TIP, mask_intensities.TIP)
    sample = plan.input
    once = prod((35, 51, 35)) * 160 / (prod(sample.patch) * plan.batch.size)  # steps of one pass
    few = mask_strength.TIP.decide(HIPPOCAMPUS, with_steps(plan, round(99 * once)))
    assert isinstance(few, Skipped) and "about 99 times" in few.because
    often = applied(mask_strength.TIP, HIPPOCAMPUS, with_steps(plan, round(300 * once))).input.augment
    before = sample.augment
    assert often.shape_share > before.shape_share and often.look_share > before.look_share
    assert often.rotate_deg > before.rotate_deg > 0 and often.elastic > 0
    assert (often.flip, often.noise, often.turn_about) == (before.flip, before.noise, before.turn_about)


def test_stronger_changes_bring_in_no_kind_that_was_left_out():
    still = mask_strength.strengthened(MaskAugment())
    assert (still.rotate_deg, still.scale, still.elastic, still.flip) == (0.0, 0.0, 0.0, ())
    all_round = mask_strength.strengthened(MaskAugment(rotate_deg=180.0, scale=0.5, shape_share=0.9))
    assert (all_round.rotate_deg, all_round.scale, all_round.shape_share) == (180.0, 0.5, 0.9)


def test_a_long_training_is_drafted_with_strong_changes_and_drafted_again_alike():
    known = with_budget(HIPPOCAMPUS, 100_000.0)
    first = drafted(known)
    assert first.plan.input.augment.shape_share == mask_strength.SHAPE_SHARE
    assert next(one for one in first.decisions if one.tip == "mask-strength").outcome == "applied"
    measured = first.facts.measured
    again = draft(known, first.plan, ALL, measure=lambda asked: {one.key: measured[one.key] for one in asked})
    assert again.plan == first.plan
    short = drafted(with_budget(HIPPOCAMPUS, 120.0))
    assert short.plan.input.augment.shape_share == mask_symmetry.SHARE
