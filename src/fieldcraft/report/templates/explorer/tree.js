// The list of layers: only what is in sight is in the document; one layer is active, one may be hovered.
const ROW = 30, SPARE = 8, SPINE = 54;
const tree = { box: $("tree"), space: $("space"), arcs: $("arcs"), live: $("live") };
const state = { all: false, measure: "macs", active: null, hovered: null, model: null, visible: [], edges: [], through: [], order: [] };
const MEASURES = { macs: ["multiply-adds", short], parameters: ["parameters", short], written: ["activation memory", bytes] };
const isShown = row => row < 0 || state.all || !rows.quiet[row];

const rebuild = () => {
  const kept = state.active ? { first: state.active.first, leaf: state.active.row !== null, path: state.active.path } : null;
  state.model = numbered(plant(isShown));
  state.through = sourcesThrough(isShown);
  openFirst(state.model.root);
  if (kept) reveal(nearest(kept.first));
  relist();
  activate(kept && (state.model.ofRow.get(kept.first) || null) || state.visible.find(node => node.last >= 0) || state.visible[0]);
};

const nearest = row => {
  for (let at = row; at < COUNT; at += 1) if (state.model.ofRow.has(at)) return state.model.ofRow.get(at);
  for (let at = row; at >= -data.inputs.length; at -= 1) if (state.model.ofRow.has(at)) return state.model.ofRow.get(at);
  return state.visible[0];
};

const reveal = node => { for (let one = node.parent; one; one = one.parent) one.open = true; };

const relist = () => {
  const { root, ofRow } = state.model;
  state.visible = visibleOf(root);
  state.visible.forEach((node, at) => { node.at = at; });
  state.edges = edgesOf(state.visible, ofRow, state.through, isShown);
  state.order = [];
  let place = 0;
  for (const node of state.visible) state.order.push(node.open ? place : place++);
  state.most = Math.max(1, ...state.visible.filter(node => !node.open).map(node => node[state.measure]));
  tree.space.style.height = `${state.visible.length * ROW}px`;
  tree.longest = Math.max(tree.longest || 360, state.visible.length * ROW + 2);
  tree.box.style.maxHeight = `${tree.longest}px`;
  pool.forEach(item => { item.node = null; });
  piece = null;
  soon();
};

// Elements of the list, used again for other layers as the list moves.
const pool = [];
const newItem = () => {
  const part = name => make("span", { class: name });
  const item = { node: null, box: make("div", { role: "treeitem", class: "item" }), fold: part("fold"), name: part("name"),
    words: part("words"), badge: part("badge"), shape: part("shape"), field: part("field"), bar: part("bar"), cost: part("cost") };
  const label = make("span", { class: "label" }, item.fold, item.name, item.words, item.badge);
  item.label = label;
  item.box.append(label, item.shape, item.field, item.bar, item.cost);
  item.box.style.height = `${ROW}px`;
  tree.space.append(item.box);
  pool.push(item);
  return item;
};

const SIGNS = { error: "\u2716", warning: "\u25b2", info: "\u25cf" };
const worstOf = findings => ["error", "warning", "info"].find(level => findings.some(at => data.findings[at].severity === level));

const fill = (item, node) => {
  if (item.node === node) return;
  item.node = node;
  const { box } = item, leaf = node.row !== null, level = node.findings.length ? worstOf(node.findings) : null;
  box.id = `layer${node.id}`;
  box.setAttribute("aria-level", node.level);
  box.setAttribute("aria-posinset", node.place + 1);
  box.setAttribute("aria-setsize", node.parent.children.length);
  if (leaf) box.removeAttribute("aria-expanded"); else box.setAttribute("aria-expanded", node.open);
  box.style.transform = `translateY(${node.at * ROW}px)`;
  item.label.style.paddingLeft = `${(node.level - 1) * 0.9}rem`;
  item.fold.textContent = leaf ? "" : node.open ? "\u25be" : "\u25b8";
  item.name.textContent = node.label;
  item.words.textContent = [kindOf(node), leaf && node.label ? callText(node) : ""].filter(part => part).join(", ");
  item.badge.textContent = level ? `${SIGNS[level]}${NARROW}${node.findings.length}` : "";
  item.badge.className = `badge ${level || ""}`;
  item.shape.textContent = node.open ? "" : shapeText(shapeAfter(node).slice(1));
  item.field.textContent = node.open ? "" : fieldText(fieldsAfter(node));
  const value = node[state.measure];
  item.bar.style.setProperty("--share", node.open ? 0 : value / state.most);
  item.cost.textContent = node.open || node.last < 0 ? "" : value ? MEASURES[state.measure][1](value) : uncounted(node) ? "?" : "";
  box.classList.toggle("open", node.open);
  box.classList.toggle("input", node.last < 0);
  box.setAttribute("aria-label", spoken(node));
};

const uncounted = node => state.measure === "macs" && node.row >= 0 && node.row !== null && rows.macs[node.row] === null;

const spoken = node => {
  const field = fieldText(fieldsAfter(node)), found = node.findings.length;
  return [node.label || "", kindOf(node), callText(node), `makes ${shapeText(shapeAfter(node))}`, field ? `sees ${field} pixels` : "",
    node.macs ? `${short(node.macs)} multiply-adds` : "", found ? `${plural(found, "finding")}, ${worstOf(node.findings)}` : "",
  ].filter(part => part).join(", ");
};

let waiting = false;
const soon = () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; render(); });
};

const render = () => {
  const top = tree.box.scrollTop, high = printing ? Infinity : tree.height;
  const first = printing ? 0 : Math.max(0, Math.floor(top / ROW) - SPARE);
  const last = Math.min(state.visible.length, printing ? Infinity : Math.ceil((top + high) / ROW) + SPARE);
  const wanted = state.visible.slice(first, last);
  if (state.active && (state.active.at < first || state.active.at >= last)) wanted.push(state.active);
  const needed = new Set(wanted), free = pool.filter(item => !needed.has(item.node));
  const holding = new Map(pool.filter(item => item.node).map(item => [item.node, item]));
  for (const node of wanted) {
    const item = holding.get(node) || free.pop() || newItem();
    fill(item, node);
    item.box.hidden = false;
    item.box.classList.toggle("active", node === state.active);
    item.box.setAttribute("aria-selected", node === state.active);
  }
  free.forEach(item => { item.box.hidden = true; item.box.classList.remove("active"); item.box.removeAttribute("id"); item.node = null; });
  const focus = state.hovered || state.active;
  drawArcs(first, last, focus);
  if (state.active) tree.box.setAttribute("aria-activedescendant", `layer${state.active.id}`);
  showPanel(focus);
  markOverview(focus);
};

// Edges at the side: straight down to the next layer, an arc over whatever is skipped. They are drawn for more than is in
// sight, so that moving by a layer redraws only those of the layer itself.
const CHUNK = 24;
const middle = (at, first) => (at - first) * ROW + ROW / 2;
const depthOf = (from, to) => {
  const span = state.order[to] - state.order[from];
  return span === 1 ? 0 : Math.min(48, 8 + 8 * Math.log2(span));
};
const arc = (from, to, deep, first) => {
  const y = middle(from, first), end = middle(to, first), x = SPINE - 1.3 * deep;
  return deep ? `M${SPINE} ${y}C${x} ${y + 4} ${x} ${end - 4} ${SPINE} ${end}` : `M${SPINE} ${y}V${end}`;
};
const dot = (at, first) => {
  const y = middle(at, first), block = state.visible[at].row === null, half = block ? 4.5 : 3;
  return block ? `M${SPINE - half} ${y - half}h${2 * half}v${2 * half}h${-2 * half}z`
    : `M${SPINE - half} ${y}a${half} ${half} 0 1 0 ${2 * half} 0a${half} ${half} 0 1 0 ${-2 * half} 0`;
};

// Of arcs that look alike within the piece drawn (hundreds in a dense block), one stands for all.
const drawPiece = (first, last) => {
  const paths = [], alike = new Set(), dots = [];
  for (const [from, to] of state.edges) {
    if (to < first || from >= last) continue;
    const deep = depthOf(from, to), step = Math.round(deep / 2);
    const key = from < first ? (to >= last ? step : `to ${to} ${step}`) : to >= last ? `from ${from} ${step}` : null;
    if (key !== null && alike.has(key)) continue;
    alike.add(key);
    paths.push(arc(from, to, deep, first));
  }
  for (let at = first; at < last; at += 1) if (!state.visible[at].open) dots.push(dot(at, first));
  const [plain, , , points] = tree.arcs.children;
  plain.setAttribute("d", paths.join(""));
  points.setAttribute("d", dots.join(""));
  tree.arcs.style.transform = `translateY(${first * ROW}px)`;
  tree.arcs.setAttribute("height", (last - first) * ROW);
};

let piece = null;
const drawArcs = (from, to, focus) => {
  if (!piece || from < piece.first || to > piece.last) {
    piece = { first: Math.max(0, from - CHUNK), last: Math.min(state.visible.length, to + CHUNK), focus: null };
    drawPiece(piece.first, piece.last);
  }
  if (!focus || piece.focus === focus) return;
  piece.focus = focus;
  const [, into, outOf] = tree.arcs.children, own = place => state.edges.filter(edge => edge[place] === focus.at)
    .map(([one, two]) => arc(one, two, depthOf(one, two), piece.first)).join("");
  into.setAttribute("d", own(1));
  outOf.setAttribute("d", own(0));
};

const activate = node => {
  if (!node) return;
  state.active = node;
  state.hovered = null;
  const top = node.at * ROW, seen = tree.box.scrollTop;
  if (top < seen) tree.box.scrollTop = top;
  else if (top + ROW > seen + tree.height) tree.box.scrollTop = top + ROW - tree.height;
  say(node);
  soon();
};

let saying = 0;
const say = node => {
  clearTimeout(saying);
  saying = setTimeout(() => { tree.live.textContent = `${nameOf(node)}: ${spoken(node)}`; }, 250);
};

const fold = (node, open) => {
  if (node.row !== null || node.open === open) return;
  node.open = open;
  relist();
};

const select = row => {
  if (row >= 0 && !isShown(row)) { state.all = true; $("all").checked = true; rebuild(); }
  const node = state.model.ofRow.get(row);
  if (!node) return;
  reveal(node);
  relist();
  activate(node);
};

const stepTo = at => activate(state.visible[Math.max(0, Math.min(state.visible.length - 1, at))]);
const KEYS = {
  ArrowDown: node => stepTo(node.at + 1),
  ArrowUp: node => stepTo(node.at - 1),
  PageDown: node => stepTo(node.at + Math.floor(tree.height / ROW) - 1),
  PageUp: node => stepTo(node.at - Math.floor(tree.height / ROW) + 1),
  Home: () => stepTo(0),
  End: () => stepTo(state.visible.length - 1),
  ArrowRight: node => { if (node.row === null) { if (node.open) stepTo(node.at + 1); else fold(node, true); } },
  ArrowLeft: node => { if (node.open) fold(node, false); else if (node.parent.parent) activate(node.parent); },
  Enter: node => fold(node, !node.open),
  " ": node => fold(node, !node.open),
  "*": node => { node.parent.children.forEach(one => { if (one.row === null) one.open = true; }); relist(); },
};

const startTree = () => {
  const measureHeight = () => { tree.height = tree.box.clientHeight; soon(); };
  tree.height = tree.box.clientHeight;
  new ResizeObserver(measureHeight).observe(tree.box);
  const nodeAt = event => {
    const box = event.target.closest(".item"), item = box && pool.find(one => one.box === box);
    return item ? item.node : null;
  };
  tree.box.addEventListener("scroll", soon, { passive: true });
  tree.box.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS) || !state.active) return;
    event.preventDefault();
    KEYS[event.key](state.active);
  });
  tree.box.addEventListener("click", event => {
    const node = nodeAt(event);
    if (!node) return;
    if (node.row === null && (node === state.active || event.target.closest(".fold"))) fold(node, !node.open);
    activate(node);
  });
  tree.box.addEventListener("dblclick", event => event.preventDefault());
  tree.box.addEventListener("pointermove", event => {
    const node = event.pointerType === "touch" ? null : nodeAt(event);
    if (node !== state.hovered) { state.hovered = node === state.active ? null : node; soon(); }
  });
  tree.box.addEventListener("pointerleave", () => { state.hovered = null; soon(); });
  $("all").addEventListener("change", event => { state.all = event.target.checked; rebuild(); });
  $("open-all").addEventListener("click", () => { state.model.all.forEach(node => { node.open = node.row === null; }); relist(); activate(state.active); });
  $("close-all").addEventListener("click", () => {
    state.model.all.forEach(node => { node.open = node === state.model.root; });
    let node = state.active;
    for (let one = node; one.parent; one = one.parent) if (one.parent === state.model.root) node = one;
    openFirst(state.model.root);
    for (let one = state.active; one.parent; one = one.parent) if (!one.parent.open) node = one.parent;
      else if (one === state.active) node = one;
    relist();
    activate(node);
  });
  document.querySelectorAll("input[name=measure]").forEach(input => input.addEventListener("change", () => {
    state.measure = input.value;
    $("cost-title").textContent = MEASURES[input.value][0];
    relist();
    drawOverview();
  }));
};

// Printed, the list is as long as it is.
let printing = false;
addEventListener("beforeprint", () => { printing = true; piece = null; render(); });
addEventListener("afterprint", () => { printing = false; piece = null; render(); });
