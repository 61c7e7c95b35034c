// "/" looks for layers by their path, operation or finding.
const search = { box: $("search"), told: $("found"), hits: [], at: 0 };

const textOf = row => [text(rows.module[row]), text(rows.words[row]), text(rows.kind[row]),
  ...(FINDINGS_OF.get(row) || []).map(at => `${data.findings[at].code} ${data.findings[at].name}`)].join(" ").toLowerCase();

const look = () => {
  const wanted = search.box.value.trim().toLowerCase().split(/\s+/).filter(part => part);
  search.hits = [];
  if (wanted.length) for (let row = 0; row < COUNT; row += 1) {
    const all = textOf(row);
    if (isShown(row) && wanted.every(part => all.includes(part))) search.hits.push(row);
  }
  search.at = 0;
  if (search.hits.length) select(search.hits[0]);
  tell();
};
const tell = () => {
  search.told.textContent = search.box.value.trim() === "" ? ""
    : search.hits.length ? `${search.at + 1} of ${whole(search.hits.length)}` : "no layer";
};
const startSearch = () => {
  search.box.addEventListener("input", look);
  search.box.addEventListener("keydown", event => {
    if (event.key === "Escape") { search.box.value = ""; look(); tree.box.focus(); }
    if (event.key !== "Enter" || !search.hits.length) return;
    event.preventDefault();
    search.at = (search.at + (event.shiftKey ? search.hits.length - 1 : 1)) % search.hits.length;
    select(search.hits[search.at]);
    tell();
  });
  document.addEventListener("keydown", event => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    search.box.focus();
    search.box.select();
  });
};
