// Everything about one layer.
const panel = { title: $("layer-name"), kind: $("layer-kind"), facts: $("facts"), pictures: $("pictures"), input: $("field-input"),
  units: $("units"), said: $("field-said"), found: $("layer-findings"), shown: null, chosen: {}, place: null };

const factRows = new Map();
const setFacts = pairs => {
  const seen = new Set();
  for (const [name, value] of pairs) {
    if (value === null || value === "") continue;
    seen.add(name);
    if (!factRows.has(name)) {
      const cell = make("dd");
      factRows.set(name, { cell, box: make("div", {}, make("dt", {}, name), cell) });
      panel.facts.append(factRows.get(name).box);
    }
    const one = factRows.get(name);
    if (one.cell.textContent !== value) one.cell.textContent = value;
  }
  for (const [name, one] of factRows) one.box.hidden = !seen.has(name);
};
// The order of the facts is that of this list, whichever layer came first.
const FACTS = ["Class", "Operations", "Reads", "Makes", "Stride", "Field", "Full field", "Least path", "Effective padding",
  "Centre of unit i", "Of the input", "Of the objects", "Exact", "Aligned", "Multiply-adds", "Parameters", "Activation memory", "Intensity", "Line", "ATen"];

const perAxis = (axes, word) => {
  const words = axes.map(word);
  return new Set(words).size === 1 ? words[0] : words.map((one, at) => `${axisNames(axes.length)[at]} ${one}`).join("; ");
};
const fieldFacts = field => {
  if (!field || !field.axes.length) return [];
  const { axes } = field, lengths = extentOf(field), differs = key => axes.some(axis => axis[key] !== axis.size);
  const reach = (axis, key) => axis.everywhere && key === "size" ? "the whole axis" : `${whole(axis[key])} px`;
  return [
    ["Stride", perAxis(axes, axis => axis.stride === null ? "none: pooled or flattened" : `${pairText(axis.stride)} px`)],
    ["Field", perAxis(axes, axis => `${axis.bound ? "at most " : ""}${reach(axis, "size")}${axis.perUnit ? ", the largest of its units" : ""}`)],
    ["Full field", differs("full") ? `${perAxis(axes, axis => reach(axis, "full"))}, through norms and gates over the map` : ""],
    ["Least path", differs("least") ? perAxis(axes, axis => reach(axis, "least")) : ""],
    ["Effective padding", perAxis(axes, axis => axis.start === null ? "none" : `${pairText([-axis.start[0], axis.start[1]])} px`)],
    ["Centre of unit i", perAxis(axes, axis => axis.start === null || axis.stride === null ? "none"
      : `${decimal(centreOf(axis, 0))} + ${pairText(axis.stride)} i`)],
    ["Of the input", perAxis(axes.map((axis, at) => axis.size / lengths[at]), share => `${decimal(share)} ${BY} its length`)],
    ["Of the objects", data.objects ? perAxis(axes.map((axis, at) => axis.size / (data.objects[at] ?? data.objects[0])),
      share => `${decimal(share)} ${BY} their extent`) : ""],
    ["Exact", axes.some(axis => axis.bound) ? "no: an upper bound" : axes.some(axis => axis.cut) ? "yes, but at the border an upper bound" : "yes"],
    ["Aligned", axes.some(axis => axis.unaligned) ? "no: branches of different stride or centre were joined" : "yes"],
  ];
};
const decimal = value => String(Math.round(value * 100) / 100).replace("-", MINUS);
const share = (value, total) => total ? ` (${percent(value / total)})` : "";

const factsOf = node => {
  const { root } = state.model, field = fieldsAfter(node)[panel.place || 0], real = node.row === null || node.row >= 0;
  if (!real) return [["Makes", shapeText(shapeAfter(node))], ["Class", data.inputs[-1 - node.row].dtype]];
  const leaf = node.row !== null, reads = leaf ? rows.reads[node.row] : rows.reads[node.first];
  const moved = leaf ? rows.read[node.row] + rows.written[node.row] : 0;
  return [
    ["Class", leaf ? text(rows.kind[node.row]) : node.path in data.kinds ? text(data.kinds[node.path]) : ""],
    ["Operations", leaf ? "" : whole(node.operations)],
    ["Reads", reads.map(at => shapeText(shapeOf(at))).join(" and ")],
    ["Makes", shapeText(shapeAfter(node)) + (leaf && text(rows.output[node.row]) !== "" ? `, output ${text(rows.output[node.row])} of the network` : "")],
    ...fieldFacts(field),
    ["Multiply-adds", leaf && rows.macs[node.row] === null ? "not counted: no rule" : short(node.macs) + share(node.macs, root.macs)],
    ["Parameters", whole(node.parameters) + share(node.parameters, root.parameters)],
    ["Activation memory", bytes(node.written) + share(node.written, root.written)],
    ["Intensity", leaf && moved && rows.macs[node.row] ? `${decimal(rows.macs[node.row] / moved)} multiply-adds a byte` : ""],
    ["Line", leaf ? [text(rows.place[node.row]), text(rows.line[node.row])].filter(part => part).join("  ") : ""],
    ["ATen", leaf ? text(rows.source[node.row]) : ""],
  ];
};

const showPanel = node => {
  if (!node || panel.shown === node) return;
  panel.shown = node;
  panel.title.textContent = nameOf(node);
  panel.kind.textContent = [kindOf(node), callText(node)].filter(part => part).join(", ");
  const fields = fieldsAfter(node);
  if (panel.place === null || panel.place >= fields.length) panel.place = 0;
  setFacts(factsOf(node));
  showField(fields);
  showFound(node);
};

const showField = fields => {
  const field = fields[panel.place], box = panel.input;
  box.parentElement.hidden = fields.length < 2;
  if (fields.length > 1 && box.dataset.for !== fields.map(one => one.input).join()) {
    box.dataset.for = fields.map(one => one.input).join();
    box.replaceChildren(...fields.map((one, at) => make("option", { value: at }, data.inputs[one.input].name)));
  }
  if (fields.length > 1) box.value = panel.place;
  $("field-legend").hidden = !field || !field.axes.length;
  if (!field || !field.axes.length) {
    panel.pictures.replaceChildren();
    panel.units.hidden = true;
    panel.said.textContent = fields.length ? "The input has no spatial axes." : panel.shown.last < 0 ? "" : "Nothing is known about what it sees.";
    return;
  }
  const lengths = extentOf(field), units = field.axes.map((axis, at) => unitNear(axis, lengths[at], panel.chosen[at] ?? (lengths[at] - 1) / 2));
  const shown = planesOf(field.axes.length).map(plane => {
    const one = pictureFor(field.input, plane, lengths);
    showPicture(one, field, plane, units);
    one.field = field; one.plane = plane;
    return one;
  });
  if (shown.length !== panel.pictures.childElementCount || shown.some((one, at) => panel.pictures.children[at] !== one.svg)) {
    panel.pictures.replaceChildren(...shown.map(one => one.svg));
  }
  const names = axisNames(field.axes.length), spans = field.axes.map((axis, at) => {
    const [low, high] = spanOf(axis, lengths[at], units[at], axis.size);
    const cut = [Math.max(0, Math.ceil(low)), Math.min(lengths[at] - 1, Math.floor(high))];
    const past = Math.max(0, -Math.ceil(low)) + Math.max(0, Math.floor(high) - lengths[at] + 1);
    return `${names[at]} ${whole(cut[0])} to ${whole(cut[1])} of ${whole(lengths[at])}${past ? ` (${whole(past)} px beyond the edge)` : ""}`;
  });
  const where = field.axes.some(axis => axis.stride !== null) ? `Unit ${units.join(", ")} sees ` : "It sees ";
  panel.said.textContent = where + spans.join("; ") + ".";
  shown.forEach((one, at) => one.svg.setAttribute("aria-label", `The input with what ${at ? "the same" : "one"} unit sees. ${panel.said.textContent}`));
  for (const part of ["beyond", "least", "full"]) $(`key-${part}`).hidden = shown.every(one => one[part].style.display === "none");
  showHeat(shown);
  showUnits(field, lengths, units);
};

// One slider an axis moves the unit.
const sliders = [];
const showUnits = (field, lengths, units) => {
  panel.units.hidden = field.axes.every(axis => axis.stride === null || axis.everywhere);
  field.axes.forEach((axis, at) => {
    if (!sliders[at]) {
      const input = make("input", { type: "range", min: 0, step: 1 }), name = make("span");
      input.addEventListener("input", () => {
        const one = fieldsAfter(panel.shown)[panel.place].axes[at];
        panel.chosen[at] = centreOf(one, Number(input.value));
        showField(fieldsAfter(panel.shown));
      });
      sliders[at] = { input, name, box: make("label", {}, name, input) };
      panel.units.append(sliders[at].box);
    }
    const { input, name } = sliders[at], most = axis.everywhere ? 0 : lastUnit(axis, lengths[at]);
    name.textContent = `unit along ${axisNames(field.axes.length)[at]}`;
    if (input.max !== String(most)) input.max = most;
    input.value = units[at];
    input.disabled = most === 0;
  });
  sliders.forEach((one, at) => { one.box.hidden = at >= field.axes.length; });
};

const showHeat = shown => {
  const node = panel.shown, heat = (data.effective || {})[node.last] || null;
  shown.forEach((one, at) => {
    const uri = heat && heat.planes[at] ? heat.planes[at] : null;
    one.heat.style.display = uri ? "" : "none";
    if (uri && one.heat.getAttribute("href") !== uri) one.heat.setAttribute("href", uri);
  });
  $("heat-said").textContent = heat ? heat.said : "";
};

const showFound = node => {
  const most = 3, shown = node.findings.slice(0, most).map(at => {
    const one = data.findings[at];
    return make("li", { class: one.severity }, make("p", {}, make("b", {}, `${SIGNS[one.severity]} ${one.severity} ${one.code} `), one.message), make("p", { class: "remedy" }, one.remedy));
  });
  if (node.findings.length > most) shown.push(make("li", {}, `and ${whole(node.findings.length - most)} more; see Findings below.`));
  panel.found.replaceChildren(...shown);
};

const startPanel = () => {
  setFacts(FACTS.map(name => [name, " "]));
  panel.input.addEventListener("change", () => { panel.place = Number(panel.input.value); const node = panel.shown; panel.shown = null; showPanel(node); });
  panel.pictures.addEventListener("click", event => {
    const svg = event.target.closest("svg"), one = [...pictures.values()].find(each => each.svg === svg);
    if (!one) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    if (one.plane[0] !== null) panel.chosen[one.plane[0]] = at.y;
    panel.chosen[one.plane[1]] = at.x;
    showField(fieldsAfter(panel.shown));
  });
};
