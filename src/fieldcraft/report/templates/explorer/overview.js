// Depth from left to right: the field against the input's length, and the cost, a bar a layer. A click selects.
const overview = { fields: $("fields-chart"), costs: $("cost-chart"), shownRows: [] };
const WIDE = 1000, TALL = 120;

const lineOf = (values, most) => {
  let path = "", open = false;
  values.forEach((value, at) => {
    if (value === null) { open = false; return; }
    path += `${open ? "L" : "M"}${((at + 0.5) * WIDE / values.length).toFixed(1)} ${(TALL * (1 - value / most)).toFixed(1)}`;
    open = true;
  });
  return path;
};

const drawOverview = () => {
  const shown = [...Array(COUNT).keys()].filter(row => !rows.quiet[row]);
  overview.shownRows = shown;
  const values = shown.map(row => rows[state.measure][row] || 0), most = Math.max(1, ...values), step = WIDE / shown.length;
  const bars = values.map((value, at) => value ? `M${((at + 0.5) * step).toFixed(2)} ${TALL}V${(TALL * (1 - value / most)).toFixed(1)}` : "").join("");
  const [bar] = overview.costs.querySelectorAll(".bars");
  bar.setAttribute("d", bars);
  bar.setAttribute("stroke-width", Math.max(0.8, 0.8 * step));
  $("cost-most").textContent = MEASURES[state.measure][1](most);
  const costliest = shown[values.indexOf(most)];
  overview.costs.setAttribute("aria-label", costliest === undefined ? "Nothing costs anything."
    : `${MEASURES[state.measure][0]} of ${plural(shown.length, "operation")} in their order; the most, ${MEASURES[state.measure][1](most)}, in ${text(rows.module[costliest])}.`);
  drawFields(shown);
};

const drawFields = shown => {
  const first = shown.map(row => data.fields[rows.fields[row]][0]).map(field => field && field.axes.length ? field : null);
  const any = first.find(field => field);
  $("fields-figure").hidden = !any;
  if (!any) return;
  const longest = field => Math.max(...extentOf(field)), axisOf = field => field.axes[extentOf(field).indexOf(longest(field))];
  const length = longest(any), sizes = key => first.map(field => field ? (axisOf(field).everywhere && key === "size" ? longest(field) : axisOf(field)[key]) : null);
  const local = sizes("size"), least = sizes("least"), most = Math.min(Math.max(length, ...local.filter(value => value !== null)), 6 * length) * 1.05;
  const capped = values => values.map(value => value === null ? null : Math.min(value, most));
  overview.fields.querySelector(".local").setAttribute("d", lineOf(capped(local), most));
  overview.fields.querySelector(".least").setAttribute("d", lineOf(capped(least), most));
  const level = TALL * (1 - length / most);
  overview.fields.querySelector(".length").setAttribute("d", `M0 ${level}H${WIDE}`);
  $("fields-most").textContent = `${whole(most / 1.05)} px`;
  const over = local.findIndex(value => value !== null && value >= length);
  overview.fields.setAttribute("aria-label", `Receptive field along the depth, up to ${whole(Math.max(...local))} pixels; `
    + (over < 0 ? `it stays smaller than the input, ${whole(length)} pixels.` : `it reaches the input's ${whole(length)} pixels at ${text(rows.module[shown[over]])}.`));
};

const markOverview = node => {
  if (!node) return;
  const at = row => { let low = 0; while (low < overview.shownRows.length - 1 && overview.shownRows[low] < row) low += 1; return low; };
  const count = overview.shownRows.length, first = at(node.first), last = at(node.last);
  const path = node.last < 0 ? "" : `M${first * WIDE / count} 0H${(last + 1) * WIDE / count}V${TALL}H${first * WIDE / count}z`;
  for (const chart of [overview.fields, overview.costs]) chart.querySelector(".here").setAttribute("d", path);
};

const startOverview = () => {
  for (const chart of [overview.fields, overview.costs]) chart.addEventListener("click", event => {
    const box = chart.getBoundingClientRect(), at = Math.floor((event.clientX - box.left) / box.width * overview.shownRows.length);
    select(overview.shownRows[Math.max(0, Math.min(overview.shownRows.length - 1, at))]);
  });
};
