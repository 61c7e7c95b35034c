// What a unit sees, drawn on the input: what lies inside of it, and what lies in the padding.
const scene = data.scene;
const MOST = 0.75;  // input lengths drawn beyond each edge; a longer field runs out of the picture

// Spatial lengths of the input: the last axes, as many as the field has.
const extentOf = field => data.inputs[field.input].shape.slice(-field.axes.length);

const centreOf = (axis, unit) => ofPair(axis.start) + unit * ofPair(axis.stride) + (axis.size - 1) / 2;

// The unit whose centre is next to a pixel; the middle one when none is asked for.
const unitNear = (axis, length, pixel) => {
  if (axis.stride === null || axis.start === null) return 0;
  const first = centreOf(axis, 0), step = ofPair(axis.stride);
  const last = Math.max(0, Math.floor((length - 1 - first) / step + 1e-9));
  return Math.max(0, Math.min(last, Math.round((pixel - first) / step)));
};
const lastUnit = (axis, length) => unitNear(axis, length, length - 1);

// First and last pixel that a unit sees, in size `size` about its centre; the whole axis where it sees everything.
const spanOf = (axis, length, unit, size) => {
  if (axis.everywhere || axis.stride === null || axis.start === null) {
    return axis.everywhere || size >= length ? [0, length - 1] : [(length - size) / 2, (length + size) / 2 - 1];
  }
  const centre = centreOf(axis, unit);
  return [centre - (size - 1) / 2, centre + (size - 1) / 2];
};

// Pairs of axes to draw: across and down. A single axis is a bar; three give two projections.
const PLANES = { 1: [[null, 0]], 2: [[0, 1]], 3: [[1, 2], [0, 2]] };
const planesOf = count => PLANES[count] || [[count - 2, count - 1]];

const boxOf = (field, plane, units, key) => {
  const lengths = extentOf(field), side = at => {
    if (at === null) return [0, Math.max(1, lengths[0] / 8) - 1];
    return spanOf(field.axes[at], lengths[at], units[at], field.axes[at][key]);
  };
  const [top, bottom] = side(plane[0]), [left, right] = side(plane[1]);
  return { x: left - 0.5, y: top - 0.5, width: right - left + 1, height: bottom - top + 1 };
};

const clipped = (box, width, height, beyond) => {
  const x = Math.max(box.x, -0.5 - beyond * width), y = Math.max(box.y, -0.5 - beyond * height);
  const right = Math.min(box.x + box.width, (1 + beyond) * width - 0.5), bottom = Math.min(box.y + box.height, (1 + beyond) * height - 0.5);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
};

const setBox = (element, box) => { for (const key of ["x", "y", "width", "height"]) element.setAttribute(key, box[key]); };

const pictures = new Map();
const pictureFor = (at, plane, lengths) => {
  const width = lengths[plane[1]], height = plane[0] === null ? Math.max(1, lengths[0] / 8) : lengths[plane[0]];
  const key = `${at} ${plane} ${width} ${height}`;
  if (pictures.has(key)) return pictures.get(key);
  const mine = scene.uri && plane[0] !== null;
  const image = mine ? draw("image", { href: scene.uri, x: -0.5, y: -0.5, width, height, preserveAspectRatio: "none" })
    : draw("path", { class: "wave", d: wave(width, height) });
  const one = {
    width, height, image, heat: draw("image", { x: -0.5, y: -0.5, width, height, preserveAspectRatio: "none", class: "heat" }),
    paper: draw("rect", { class: "paper", x: -0.5, y: -0.5, width, height }), shade: draw("path", { class: "shade", "fill-rule": "evenodd" }),
    full: draw("rect", { class: "full" }), beyond: draw("rect", { class: "beyond" }), halo: draw("rect", { class: "halo" }),
    inside: draw("rect", { class: "inside" }), least: draw("rect", { class: "least" }), edge: draw("rect", { class: "edge", x: -0.5, y: -0.5, width, height }),
  };
  one.svg = draw("svg", { class: "field-picture", role: "img" }, one.paper, image, one.heat, one.shade, one.edge, one.full, one.beyond, one.halo, one.inside, one.least);
  pictures.set(key, one);
  return one;
};

// A made-up signal for inputs with one axis.
const wave = (width, height) => {
  const points = Array.from({ length: 161 }, (_, at) => {
    const t = at / 160, y = 0.28 * Math.sin(19 * t) + 0.13 * Math.sin(57 * t + 1) + 0.07 * Math.sin(131 * t);
    return `${(t * width - 0.5).toFixed(2)} ${((0.5 + y) * height - 0.5).toFixed(2)}`;
  });
  return `M${points.join("L")}`;
};

const showPicture = (one, field, plane, units) => {
  const { width, height } = one, local = boxOf(field, plane, units, "size"), inner = clipped(local, width, height, 0);
  const outer = clipped(local, width, height, MOST);
  const least = clipped(boxOf(field, plane, units, "least"), width, height, 0);
  const pad = 0.04 * Math.max(width, height), left = Math.min(outer.x, -0.5) - pad, top = Math.min(outer.y, -0.5) - pad;
  const right = Math.max(outer.x + outer.width, width - 0.5) + pad, bottom = Math.max(outer.y + outer.height, height - 0.5) + pad;
  one.svg.setAttribute("viewBox", `${left} ${top} ${right - left} ${bottom - top}`);
  setBox(one.beyond, local);
  setBox(one.halo, inner);
  setBox(one.inside, inner);
  setBox(one.full, boxOf(field, plane, units, "full"));
  setBox(one.least, least);
  one.shade.setAttribute("d", `M-.5-.5h${width}v${height}h${-width}zM${inner.x} ${inner.y}h${inner.width}v${inner.height}h${-inner.width}z`);
  const axes = plane.filter(at => at !== null).map(at => field.axes[at]);
  one.full.style.display = axes.some(axis => axis.full !== axis.size) ? "" : "none";
  one.least.style.display = axes.some(axis => axis.least !== axis.size) ? "" : "none";
  one.beyond.style.display = outer.width > inner.width + 0.01 || outer.height > inner.height + 0.01 ? "" : "none";
};
