// Numbers, shapes and small pieces of the page.
const BY = "\u00d7", MINUS = "\u2212", NARROW = "\u202f";
const PREFIXES = ["", "k", "M", "G", "T", "P"];

const whole = value => Math.round(value).toLocaleString("en-US").replace("-", MINUS);

const scaled = (value, step, names) => {
  let power = 0;
  while (value >= 0.9995 * step && power < names.length - 1) { value /= step; power += 1; }
  const digits = power === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return [value.toFixed(digits), names[power]];
};

const short = value => scaled(value, 1000, PREFIXES).filter(part => part).join(NARROW);
const bytes = value => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]).join(NARROW);
const percent = share => (share > 0 && share < 0.0005 ? "< 0.1" : (100 * share).toFixed(1)) + NARROW + "%";
const shapeText = shape => shape.length ? shape.join(BY) : "a single number";
const ofPair = pair => pair === null ? null : pair[0] / pair[1];
const pairText = pair => pair === null ? "none" : (pair[1] === 1 ? String(pair[0]) : pair.join("/")).replace("-", MINUS);
const plural = (count, one, many) => `${whole(count)} ${count === 1 ? one : many || one + "s"}`;
const axisNames = count => [[], ["length"], ["height", "width"], ["depth", "height", "width"]][count]
  || Array.from({ length: count }, (_, at) => `axis ${at}`);

// An element with attributes and children; text is always text, never markup.
const make = (name, attributes = {}, ...children) => {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) one.setAttribute(key, value);
  one.append(...children);
  return one;
};
const SVG = "http://www.w3.org/2000/svg";
const draw = (name, attributes = {}, ...children) => {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) one.setAttribute(key, value);
  one.append(...children);
  return one;
};
const $ = id => document.getElementById(id);
