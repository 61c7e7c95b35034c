"""`fieldcraft data DATA`: what the data was recognised as, and how."""

from fieldcraft.cli.console import tell
from fieldcraft.cli.options import AsKind, Data, Download, Group, Target, Task, Time, Void, read_options


def data(
    data: Data,
    kind: AsKind = None,
    target: Target = None,
    group: Group = None,
    time: Time = None,
    task: Task = None,
    download: Download = False,
    void: Void = None,
) -> None:
    """Say what DATA was recognised as, and how."""
    options = read_options(kind, target, group, time, task, download, void)
    from fieldcraft.data.describe import describe
    from fieldcraft.data.open import open_data

    for sentence in describe(open_data(data, options)):
        tell(sentence)
