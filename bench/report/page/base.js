// Elements, numbers and colours; what lies packed in the page.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// An element with attributes and children; text is never read as HTML.
function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "circle", "rect", "polygon", "image", "use", "title", "line"].includes(tag);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter(child => child !== null && child !== undefined));
  return element;
}

async function unpack(id) {
  const bytes = Uint8Array.from(atob($(`#${id}`).textContent), letter => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// What is asked for once is unpacked once.
function once(work) {
  let found = null;
  return () => (found ??= work());
}
const records = once(async () => JSON.parse(await unpack("records")));

// Three significant digits, as in the tables.
function number(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(digits)))));
  if (exponent < -3 || exponent >= 7) return value.toExponential(digits - 1).replace("e+", "e");
  const places = Math.max(0, digits - 1 - exponent);
  return value.toLocaleString("en", {minimumFractionDigits: places, maximumFractionDigits: places});
}

const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const safe = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"); // for plotly's texts

// A row's name, which may be broken after a colon.
const broken = text => text.split(/(?<=:)/).flatMap((part, place) => place ? [make("wbr"), part] : [part]);

// A file for the reader.
function download(name, type, text) {
  const link = make("a", {href: URL.createObjectURL(new Blob([text], {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

let data = null; // see bench/report/page/data.py
let looks = {}; // colour and shape by paradigm
const value = (row, key) => key in row.values ? Number(row.values[key]) : null;

function glyph(paradigm) {
  const look = looks[paradigm];
  return look ? make("svg", {class: "glyph", role: "img", "aria-label": paradigm, fill: look.colour}, make("use", {href: `#g-${look.shape}`})) : "";
}
