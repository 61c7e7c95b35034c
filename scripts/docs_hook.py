"""What mkdocs calls: the pages that are made from the code (tips, findings, plan, commands, ...) and their place."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from evidence_page import evidence_page
from finding_pages import finding_index, finding_pages
from measured_page import measured_page
from mkdocs.structure.files import File, Files
from reference_pages import commands_page, plan_page, run_folder_page
from tip_pages import tip_index, tip_pages


def pages() -> dict[str, str]:
    """Every generated page, by its path in the documentation."""
    return {
        "reference/commands.md": commands_page(),
        "reference/evidence.md": evidence_page(),
        "reference/measured.md": measured_page(),
        "reference/plan.md": plan_page(),
        "reference/run-folder.md": run_folder_page(),
        "reference/findings/index.md": finding_index(),
        **{f"reference/findings/{code}.md": text for code, text in finding_pages().items()},
        "reference/tips/index.md": tip_index(),
        **{f"reference/tips/{name}.md": text for name, text in tip_pages().items()},
    }


def on_config(config: Any) -> Any:
    """Put the pages of the tips and findings under Reference, after what is there."""
    reference = next(entry["Reference"] for entry in config.nav if "Reference" in entry)
    listed = [{name: f"reference/tips/{name}.md"} for name in tip_pages()]
    if not any("Tips" in entry for entry in reference):
        reference.append({"Tips": ["reference/tips/index.md", *listed]})
        findings = [f"reference/findings/{code}.md" for code in finding_pages()]
        reference.append({"Findings": ["reference/findings/index.md", *findings]})
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
