// The design bench: a stack of equal layers, and the single layer that sees as far.
const BENCH = ["axes", "size", "channels", "depth", "kernel", "stride", "dilation"];

// Along one axis: the field, its stride, and the length of the map, padded to keep the length at stride 1.
const stackOf = ({ axes, size, channels, depth, kernel, stride, dilation }) => {
  const reach = (kernel - 1) * dilation, padding = Math.floor(reach / 2);
  const weights = kernel ** axes * channels ** 2;
  let field = 1, step = 1, start = 0, length = size, macs = 0;
  for (let layer = 0; layer < depth; layer += 1) {
    field += reach * step;
    start -= padding * step;
    step *= stride;
    length = length ? Math.max(0, Math.floor((length + 2 * padding - reach - 1) / stride) + 1) : 0;
    macs += weights * length ** axes;
  }
  return { field, stride: step, padding: -start, length, parameters: depth * weights, macs, pair: depth * kernel ** axes, one: field ** axes };
};

const windowText = (length, axes) => Array(axes).fill(length).join(BY);
const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const counted = value => NUMBERS[value] || String(value);

const comparison = (asked, got) => {
  const { depth, kernel, axes, stride, dilation } = asked, small = windowText(kernel, axes), large = windowText(got.field, axes);
  const extra = [stride > 1 ? `stride ${stride}` : "", dilation > 1 ? `dilation ${dilation}` : ""].filter(part => part).join(", ");
  if (depth === 1 && dilation === 1) return `One ${small}: ${whole(got.pair)} weights per pair of channels.`;
  const saved = 1 - got.pair / got.one;
  const change = saved >= 0 ? `${Math.round(100 * saved)}${NARROW}% fewer` : `${Math.round(-100 * saved)}${NARROW}% more`;
  const text = `${counted(depth)} ${small}${extra ? ` (${extra})` : ""} = one ${large}, with ${whole(got.pair)} instead of ${whole(got.one)} weights per pair of channels (${change}).`;
  return text[0].toUpperCase() + text.slice(1);
};

// Which inputs the middle unit is made of, layer by layer: holes show the gridding of dilation.
const taps = ({ depth, kernel, stride, dilation }, got) => {
  if (got.field > 120) return [];
  const levels = [new Set([0])];
  for (let layer = 0; layer < depth; layer += 1) {
    const next = new Set();
    levels[layer].forEach(unit => { for (let tap = 0; tap < kernel; tap += 1) next.add(unit * stride + tap * dilation); });
    levels.push(next);
  }
  return levels.map(level => [...level]);
};

const drawTaps = (asked, got) => {
  const svg = $("taps"), levels = taps(asked, got), gap = Math.max(10, Math.min(26, 130 / asked.depth)), spread = Math.min(16, 600 / got.field);
  svg.toggleAttribute("hidden", !levels.length);
  if (!levels.length) return 0;
  const tall = gap * asked.depth + 12, wide = Math.max(160, got.field * spread), x = (layer, unit) => {
    const step = asked.stride ** (asked.depth - layer), reach = (asked.kernel - 1) * asked.dilation;
    const inside = Array.from({ length: asked.depth - layer }, (_, at) => asked.stride ** at).reduce((sum, one) => sum + one, 0) * reach;
    return wide / 2 + (unit * step + inside / 2 - (got.field - 1) / 2) * spread;
  };
  const y = layer => 6 + gap * layer, lines = [], dots = [], holes = [];
  levels.forEach((level, layer) => level.forEach(unit => {
    const half = Math.min(3, 0.4 * spread * asked.stride ** (asked.depth - layer));
    dots.push(`M${x(layer, unit) - half} ${y(layer)}a${half} ${half} 0 1 0 ${2 * half} 0a${half} ${half} 0 1 0 ${-2 * half} 0`);
    if (layer < asked.depth) for (let tap = 0; tap < asked.kernel; tap += 1) {
      lines.push(`M${x(layer, unit)} ${y(layer)}L${x(layer + 1, unit * asked.stride + tap * asked.dilation)} ${y(layer + 1)}`);
    }
  }));
  const seen = new Set(levels[asked.depth]);
  for (let pixel = 0; pixel < got.field; pixel += 1) if (!seen.has(pixel)) {
    const half = Math.min(2.5, 0.35 * spread);
    holes.push(`M${x(asked.depth, pixel) - half} ${y(asked.depth) - half}l${2 * half} ${2 * half}m0 ${-2 * half}l${-2 * half} ${2 * half}`);
  }
  svg.setAttribute("viewBox", `0 0 ${wide} ${tall}`);
  svg.style.maxWidth = `${wide}px`;
  [lines, dots, holes].forEach((paths, at) => svg.children[at].setAttribute("d", paths.join("")));
  const missed = got.field - seen.size;
  svg.setAttribute("aria-label", `Along one axis, ${seen.size} of the ${got.field} pixels of the field are read${missed ? `; ${missed} are holes` : ""}.`);
  return missed;
};

const showBench = () => {
  const asked = Object.fromEntries(BENCH.map(name => [name, Number($(`bench-${name}`).value)]));
  if (Object.values(asked).some(value => !Number.isInteger(value) || value < 1)) return;
  const got = stackOf(asked), { axes } = asked;
  BENCH.forEach(name => { const shown = $(`bench-${name}-value`); if (shown) shown.textContent = asked[name]; });
  const missed = drawTaps(asked, got);
  const values = {
    field: `${windowText(whole(got.field), axes)} px`, share: `${decimal(got.field / asked.size)} ${BY} the input`,
    map: got.length ? `${windowText(whole(got.length), axes)}, one unit every ${whole(got.stride)} px` : "nothing left: the input is too small",
    parameters: whole(got.parameters), macs: short(got.macs), compare: comparison(asked, got),
    holes: missed ? `Holes: ${whole(missed)} of ${whole(got.field)} pixels along each axis are never read (gridding).` : "",
  };
  Object.entries(values).forEach(([name, value]) => { $(`bench-${name}-is`).textContent = value; });
  Object.assign($("bench").dataset, got);
};

const startBench = () => {
  BENCH.forEach(name => $(`bench-${name}`).addEventListener("input", showBench));
  document.querySelectorAll("[data-bench]").forEach(button => button.addEventListener("click", () => {
    Object.entries(JSON.parse(button.dataset.bench)).forEach(([name, value]) => { $(`bench-${name}`).value = value; });
    showBench();
  }));
  showBench();
};
