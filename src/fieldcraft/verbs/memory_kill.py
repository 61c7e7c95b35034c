"""Was the last process of this run killed for memory? Then it goes on with half the samples at once."""

from fieldcraft.plan.schema import Plan
from fieldcraft.records.files import read_json, write_json
from fieldcraft.train.checkpoint import read as read_checkpoint
from fieldcraft.train.journal import Climbed, SmallerMicro
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.work import Work

FILE = "memory_kills.json"


def remember_kills(folder: RunFolder, kills: int) -> None:
    """Note how many processes the system had killed for memory when this process began to train."""
    write_json(folder.path / FILE, "memory-kills", {"kills": kills})


def after_a_memory_kill(plan: Plan, work: Work, kills: int, samples: int) -> None:
    """Halve the micro-batch of the rung that was being trained, when the system has killed for memory since.

    `samples`: how many the training part has. The note stays only while a process trains: one that ends on its own
    takes it away.
    """
    path = work.folder.path / FILE
    if not path.exists() or kills <= int(read_json(path, "memory-kills")["kills"]):
        return
    events = work.journal.read()
    begun = {event.rung for event in events if isinstance(event, Climbed) and event.go}
    for rung in plan.ladder.rungs:
        if rung.name not in begun or (work.folder.rungs / rung.name / "candidate.json").exists():
            continue
        journalled = [event.micro for event in events if isinstance(event, SmallerMicro) and event.rung == rung.name]
        planned = [one.size for one in rung.smaller_micros]
        micro = max(1, min(*journalled, *planned, plan.batch.micro or plan.batch.size, samples) // 2)
        found = read_checkpoint(work.folder.checkpoints / f"{rung.name}.safetensors")
        because = f"the process was killed for memory; {micro} samples now pass at once, and batch norm sees {micro}"
        work.journal.write(
            SmallerMicro(rung=rung.name, step=found.place.step if found else 0, micro=micro, because=because)
        )
        work.say(f"{rung.name}: {because}")
        return


def forget_kills(folder: RunFolder) -> None:
    """The process ends on its own."""
    (folder.path / FILE).unlink(missing_ok=True)
