"""Whether a plan is for cases like those of the data: as many axes, as many channels."""

from fieldcraft.errors import PlanError
from fieldcraft.plan.masks import PatchInput


def check_cases(planned: PatchInput, found: PatchInput) -> None:
    """Raises: PlanError when the plan, or what was set in it by hand, is for other cases than were `found`."""
    for what, plans, has in (
        ("spatial axes", len(planned.patch), len(found.patch)),
        ("channels", planned.channels, found.channels),
    ):
        if plans != has:
            raise PlanError(
                f"the plan is for cases with {plans} {what}, but those of the data have {has}: draft anew; what is set "
                f"by hand must be for {has} {what}, too (input.patch has one number an axis)."
            )
