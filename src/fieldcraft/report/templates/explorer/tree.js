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
  pool.forEach(item => { item.node = null; });
  drawn = "";
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

let waiting = false, drawn = "";
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
  free.forEach(item => { item.box.hidden = true; item.box.removeAttribute("id"); item.node = null; });
  const focus = state.hovered || state.active, key = `${first} ${last} ${focus && focus.id}`;
  if (key !== drawn) { drawn = key; drawArcs(first, last, focus); }
  if (state.active) tree.box.setAttribute("aria-activedescendant", `layer${state.active.id}`);
  showPanel(focus);
  markOverview(focus);
};

// Edges at the side: straight down to the next layer, an arc over whatever is skipped.
const drawArcs = (first, last, focus) => {
  const plain = [], into = [], outOf = [], dots = [], middle = at => (at - first) * ROW + ROW / 2;
  const edgeAt = focus ? focus.at : -1;
  for (const [from, to] of state.edges) {
    if (to < first || from >= last) continue;
    const span = state.order[to] - state.order[from], y = middle(from), end = middle(to);
    const deep = span === 1 ? 0 : Math.min(48, 8 + 8 * Math.log2(span));
    const path = deep ? `M${SPINE} ${y}C${SPINE - 1.3 * deep} ${y + 4} ${SPINE - 1.3 * deep} ${end - 4} ${SPINE} ${end}` : `M${SPINE} ${y}V${end}`;
    (to === edgeAt ? into : from === edgeAt ? outOf : plain).push(path);
  }
  for (let at = first; at < last; at += 1) if (!state.visible[at].open) {
    const y = middle(at), half = state.visible[at].row === null ? 4.5 : 3;
    dots.push(state.visible[at].row === null ? `M${SPINE - half} ${y - half}h${2 * half}v${2 * half}h${-2 * half}z`
      : `M${SPINE - half} ${y}a${half} ${half} 0 1 0 ${2 * half} 0a${half} ${half} 0 1 0 ${-2 * half} 0`);
  }
  const [a, b, c, d] = tree.arcs.children;
  a.setAttribute("d", plain.join(""));
  b.setAttribute("d", into.join(""));
  c.setAttribute("d", outOf.join(""));
  d.setAttribute("d", dots.join(""));
  tree.arcs.style.transform = `translateY(${first * ROW}px)`;
  tree.arcs.setAttribute("height", (last - first) * ROW);
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
addEventListener("beforeprint", () => { printing = true; drawn = ""; render(); });
addEventListener("afterprint", () => { printing = false; drawn = ""; render(); });
