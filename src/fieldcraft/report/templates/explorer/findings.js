// Findings, those of one code together; a click on a layer's name selects it.
const EACH = 8;

const layerButton = row => {
  const button = make("button", { type: "button", class: "to-layer" }, text(rows.module[row]) || text(rows.words[row]));
  button.addEventListener("click", () => { select(row); $("explorer").scrollIntoView({ block: "start" }); tree.box.focus({ preventScroll: true }); });
  return button;
};

const findingItem = finding => {
  const layers = finding.rows.slice(0, EACH).map(layerButton), more = finding.rows.length - layers.length;
  return make("li", {}, make("p", {}, finding.message), layers.length ? make("p", { class: "layers" }, ...layers, more > 0 ? ` and ${whole(more)} more` : "") : "",
    finding.place ? make("p", { class: "place" }, finding.place) : "");
};

const startFindings = () => {
  const groups = new Map(), order = { error: 0, warning: 1, info: 2 };
  data.findings.forEach(one => { const key = `${one.code} ${one.severity}`; groups.set(key, [...(groups.get(key) || []), one]); });
  const sorted = [...groups.values()].sort((one, other) => order[one[0].severity] - order[other[0].severity]);
  $("findings").append(...sorted.map((group, at) => {
    const [one] = group, same = group.every(each => each.remedy === one.remedy);
    const title = make("summary", {}, make("span", { class: `level ${one.severity}` }, `${SIGNS[one.severity]} ${one.severity}`), ` ${one.code} ${one.name} `,
      make("span", { class: "count" }, group.length > 1 ? `${BY}${NARROW}${whole(group.length)}` : ""));
    const list = make("ul", {}, ...group.slice(0, 40).map(findingItem), group.length > 40 ? make("li", {}, `and ${whole(group.length - 40)} more`) : "");
    const box = make("details", { class: one.severity }, title, same ? make("p", { class: "remedy" }, one.remedy) : "", list);
    if (!same) group.slice(0, 40).forEach((each, place) => list.children[place].append(make("p", { class: "remedy" }, each.remedy)));
    box.open = at < 3 && one.severity !== "info";
    return box;
  }));
};
