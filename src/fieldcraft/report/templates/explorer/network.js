// The network as a tree of modules in the order of the forward pass, and the edges between what is shown of it.
const data = JSON.parse($("network").textContent);
const rows = data.rows, COUNT = rows.module.length;
const text = number => data.texts[number];
const shapeOf = number => number < 0 ? [] : data.shapes[number];

const FINDINGS_OF = new Map();
data.findings.forEach((finding, at) => finding.rows.forEach(row => {
  if (!FINDINGS_OF.has(row)) FINDINGS_OF.set(row, []);
  if (!FINDINGS_OF.get(row).includes(at)) FINDINGS_OF.get(row).push(at);
}));

const BLOCKS = 30;  // as many as can be read at once

const newGroup = (label, path, call, parent) =>
  ({ row: null, label, path, call, parent, children: [], open: false, macs: 0, parameters: 0, written: 0 });

// Groups are runs: a module that is called again later begins a new one, so that the list stays in order of time.
const plant = isShown => {
  const root = newGroup(data.name, "", 0, null);
  data.inputs.forEach((input, at) => root.children.push({ ...newGroup(input.name, "", 0, root), row: -1 - at }));
  let open = [root];
  for (let row = 0; row < COUNT; row += 1) {
    if (!isShown(row)) continue;
    const path = text(rows.module[row]), parts = path === "" ? [] : path.split(".");
    let depth = 0;
    while (depth < parts.length && depth + 1 < open.length && open[depth + 1].label === parts[depth]) depth += 1;
    if (depth > 0 && depth === parts.length && open[depth].call !== rows.call[row] && open[depth].called) depth -= 1;
    open.length = depth + 1;
    for (; depth < parts.length; depth += 1) {
      const parent = open[depth], group = newGroup(parts[depth], parts.slice(0, depth + 1).join("."), rows.call[row], parent);
      parent.children.push(group);
      open.push(group);
    }
    const group = open[open.length - 1];
    if (group.path === path) { group.call = rows.call[row]; group.called = true; }
    group.children.push({ ...newGroup("", path, rows.call[row], group), row });
  }
  root.children = root.children.map(simplified);
  return root;
};

// A module with one operation is that operation; a module with one child is named together with it.
const simplified = node => {
  if (node.row !== null) return node;
  node.children = node.children.map(simplified);
  if (node.children.length > 1) return node;
  const child = node.children[0];
  child.label = child.label ? `${node.label}.${child.label}` : node.label;
  return child;
};

const numbered = root => {
  const ofRow = new Map(), all = [];
  const visit = (node, level, parent) => {
    Object.assign(node, { id: all.length, level, parent });
    all.push(node);
    if (node.row !== null) {
      ofRow.set(node.row, node);
      const real = node.row >= 0;
      Object.assign(node, {
        first: node.row, last: node.row, operations: 1,
        macs: real ? rows.macs[node.row] || 0 : 0,
        parameters: real ? rows.parameters[node.row] : 0,
        written: real ? rows.written[node.row] : 0,
        findings: FINDINGS_OF.get(node.row) || [],
      });
      return;
    }
    node.children.forEach((child, at) => { child.place = at; visit(child, level + 1, node); });
    const sum = key => node.children.reduce((total, child) => total + child[key], 0);
    Object.assign(node, {
      first: node.children[0].first, last: node.children[node.children.length - 1].last,
      operations: sum("operations"), macs: sum("macs"), parameters: sum("parameters"), written: sum("written"),
      findings: [...new Set(node.children.flatMap(child => child.findings))],
    });
  };
  visit(root, 0, null);
  root.open = true;
  return { root, ofRow, all };
};

// Open level by level while everything can still be read at once; a net of few blocks opens its first one further.
const openFirst = root => {
  let level = root.children;
  for (;;) {
    const closed = level.filter(node => node.row === null && !node.open);
    const fits = closed.length && visibleOf(root).length + closed.reduce((sum, node) => sum + node.children.length, 0) <= BLOCKS;
    if (!fits) break;
    closed.forEach(node => { node.open = true; });
    level = closed.flatMap(node => node.children);
  }
  while (visibleOf(root).length < 8) {
    const closed = visibleOf(root).filter(node => node.row === null && !node.open);
    if (!closed.length) break;
    closed.reduce((most, node) => node.children.length < most.children.length ? node : most).open = true;
  }
};

const visibleOf = root => {
  const found = [], walk = node => node.children.forEach(child => {
    found.push(child);
    if (child.open) walk(child);
  });
  walk(root);
  return found;
};

// Rows that a shown row reads from, looking through those that are left out.
const sourcesThrough = isShown => {
  const through = [];
  for (let row = 0; row < COUNT; row += 1) {
    const found = new Set();
    for (const source of rows.from[row]) {
      if (source < 0 || isShown(source)) found.add(source);
      else through[source].forEach(one => found.add(one));
    }
    through.push(found);
  }
  return through;
};

// Edges between shown nodes: [from, to] as places in the list; an edge inside of a closed block is not seen.
const edgesOf = (visible, ofRow, through, isShown) => {
  const placeOf = new Map(visible.map((node, place) => [node, place]));
  const seenAs = row => {
    let node = ofRow.get(row), at = node;
    for (; node.parent; node = node.parent) if (!node.parent.open) at = node.parent;
    return placeOf.get(at);
  };
  const places = new Map(), keys = new Set(), edges = [];
  for (const row of ofRow.keys()) places.set(row, seenAs(row));
  for (let row = 0; row < COUNT; row += 1) {
    if (!isShown(row)) continue;
    const to = places.get(row);
    for (const source of through[row]) {
      const from = places.get(source), key = from * visible.length + to;
      if (from !== to && !keys.has(key)) { keys.add(key); edges.push([from, to]); }
    }
  }
  return edges;
};

// What stands beside the name.
const kindOf = node => {
  if (node.row !== null) return node.row < 0 ? "input" : text(rows.words[node.row]);
  const kind = node.path in data.kinds ? text(data.kinds[node.path]) : "";
  const kinds = new Map();
  node.children.forEach(child => {
    const one = child.row === null && child.path in data.kinds ? text(data.kinds[child.path]) : null;
    kinds.set(one, (kinds.get(one) || 0) + 1);
  });
  const [only, count] = [...kinds][0];
  const inside = kinds.size === 1 && only ? `${count} ${BY} ${only}` : plural(node.operations, "operation");
  return kind === "Sequential" || kind === "ModuleList" ? inside : [kind, inside].filter(part => part).join(", ");
};
const nameOf = node => node.row !== null && node.row < 0 ? node.label
  : node.path === "" ? (node.row === null ? data.name : text(rows.words[node.row]))
  : node.label ? node.path : `${node.path}, ${text(rows.words[node.row])}`;
const shapeAfter = node => node.row !== null && node.row < 0 ? data.inputs[-1 - node.row].shape : shapeOf(rows.makes[node.last]);
const fieldsAfter = node => node.last < 0 ? [] : data.fields[rows.fields[node.last]];
const fieldText = fields => fields.length && fields[0].axes.length
  ? fieldWords(fields[0].axes.map(axis => axis.everywhere ? "all" : (axis.bound ? "\u2264" : "") + whole(axis.size))) : "";
const fieldWords = words => new Set(words).size === 1 ? words[0] : words.join(BY);
const callText = node => node.call > 0 ? `call ${node.call + 1}` : "";
