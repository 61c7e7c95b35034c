"""The page of an inspection: its size, when it is ready, and the frames while a key goes through every layer.

For each net a page is written and opened n times in headless Chromium; `ready` is the page's own clock from the start
of its navigation to the end of its script. Then every block is opened and, a key a frame, the arrow goes through every
layer; a frame is late when it comes more than 1.5 frames of a 60 Hz screen after the last, and `script_p99_ms` is from
its beginning to the end of what the page does in it. Targets (ResNet-152): at most 1.5 MB, ready within 1 s, no late
frame. Processor time of the page's main thread says what a frame costs when others keep the machine busy.

Run: python benchmarks/inspect_page.py [n]
"""

import sys
import tempfile
import time
from pathlib import Path

import torchvision

from result import summary, write

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.report.browser import Browser, Page, find_chromium

from fieldcraft.inspection.inspect import inspect
from fieldcraft.report.inspection_page import inspection_page

NETS = ("resnet50", "resnet152", "densenet201", "swin_t")
LATE_MS = 1.5 * 1000 / 60
THROUGH = """
(async () => {
  const tree = document.querySelector("#tree"), work = [];
  const frame = () => new Promise(done => requestAnimationFrame(now => {
    work.push(performance.now() - now);
    done(now);
  }));
  document.querySelector("#open-all").click();
  tree.focus();
  tree.dispatchEvent(new KeyboardEvent("keydown", { key: "Home", bubbles: true }));
  await frame(); await frame();
  const layers = Math.round(parseFloat(document.querySelector("#space").style.height) / 30), gaps = [];
  let last = await frame();
  for (let layer = 1; layer < layers; layer += 1) {
    tree.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
    const now = await frame();
    gaps.push(now - last);
    last = now;
  }
  return { layers, gaps, work, reached: tree.getAttribute("aria-activedescendant") };
})()
"""


def main() -> None:
    """Measure every net and write the result."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    program = find_chromium()
    if program is None:
        sys.exit("no Chromium on this machine (Debian and Ubuntu: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(program, Path(folder) / "profile")
        measured = {net: measure(browser, net, Path(folder), n) for net in NETS}
        browser.close()
    big = measured["resnet152"]
    reached = {
        "size": big["bytes"] <= 1_500_000,
        "ready": big["ready_ms"]["median"] <= 1000,
        "frames": big["frames"]["late"] == 0,
    }
    write(
        "inspect_page",
        "The page of an inspection in headless Chromium: bytes, milliseconds until ready, frames while keying through",
        {"targets": {"bytes": 1_500_000, "ready_ms": 1000, "frames_late": 0}, "reached": reached, "nets": measured},
    )


def measure(browser: Browser, net: str, folder: Path, n: int) -> dict:
    """One net."""
    seen = inspect(torchvision.models.get_model(net), (3, 224, 224), name=f"torchvision.models:{net}")
    began = time.perf_counter()
    text = inspection_page(seen)
    wrote = time.perf_counter() - began
    file = folder / f"{net}.html"
    file.write_text(text)
    page = browser.page()
    page.resize(1280, 900)
    ready = []
    for _ in range(n):
        page.open(file.as_uri())
        ready.append(float(page.evaluate("document.documentElement.dataset.ready")))
    return {
        "operations": len(seen.anatomy.rows),
        "bytes": len(text.encode()),
        "made_in_s": round(wrote, 3),
        "ready_ms": summary(ready),
        "frames": frames(page),
    }


def frames(page: Page) -> dict:
    """Gaps between frames, a key each."""
    page.call("Performance.enable", timeDomain="threadTicks")
    before = spent(page)
    seen = page.evaluate(THROUGH)
    main_thread = {
        name: round(1000 * (value - before[name]) / len(seen["gaps"]), 2) for name, value in spent(page).items()
    }
    gaps = sorted(seen["gaps"])
    return {
        "layers": seen["layers"],
        "n": len(gaps),
        "median_ms": round(gaps[len(gaps) // 2], 2),
        "p99_ms": round(gaps[int(0.99 * (len(gaps) - 1))], 2),
        "largest_ms": round(gaps[-1], 2),
        "late": sum(gap > LATE_MS for gap in gaps),
        "script_p99_ms": round(sorted(seen["work"])[int(0.99 * (len(gaps) - 1))], 2),
        "main_thread_cpu_ms_a_frame": main_thread,
        "per_second": round(1000 * len(gaps) / sum(gaps), 1),
    }


def spent(page: Page) -> dict[str, float]:
    """Seconds of processor time of the page's main thread."""
    metrics = {one["name"]: one["value"] for one in page.call("Performance.getMetrics")["metrics"]}
    return {name: metrics[f"{name}Duration"] for name in ("Task", "Script", "Layout", "RecalcStyle")}


if __name__ == "__main__":
    main()
