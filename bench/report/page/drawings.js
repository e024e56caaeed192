// Predictions, drawn from numbers: a row an example, the truth beside what the models answered.
const FIELD = {points: [-0.05, 1.1], corners: [-1.25, 2.5], boxes: [0, 1], floor: [-4.9, 9.8]};
const levels = 6; // of presence

function startDrawings(table) {
  const found = table.drawings;
  if (!found) return;
  const fold = $(".pictures", table.section), inside = $(".inside", fold);
  fold.hidden = false;
  inside.style.minHeight = `${9.2 * found.truth.length + 7}rem`; // so that nothing below moves when it comes
  const show = once(() => { inside.append(...sheet(found)); inside.style.minHeight = ""; });
  new IntersectionObserver((entries, watching) => {
    if (entries.some(entry => entry.isIntersecting)) { show(); watching.disconnect(); }
  }, {rootMargin: "300px"}).observe(fold);
}

function sheet(found) {
  const parts = [], cells = []; // cells: where a set is drawn again when another pass is chosen
  const head = make("tr", {}, ...(found.images ? [make("th", {scope: "col"}, "input")] : []), make("th", {scope: "col"}, "truth"),
    ...found.rows.map(row => make("th", {scope: "col"}, glyph(row.paradigm), ...broken(row.label), make("small", {}, make("br"), row.score))));
  const body = found.truth.map((truth, example) => {
    const image = found.images?.[example];
    const own = found.rows.map(row => {
      const cell = make("td", {}, drawSet(found, image, truth, row.passes.at(-1)[example], `what ${row.label} answered`));
      cells.push({row, cell, example, image, truth});
      return cell;
    });
    return make("tr", {}, ...(image ? [make("td", {}, make("img", {src: image, alt: `example ${example + 1}: what went in`}))] : []),
      make("td", {}, drawSet(found, image, truth, null, `example ${example + 1}: the truth`)), ...own);
  });
  const several = found.rows.find(row => row.passes.length > 1);
  if (several) {
    const last = several.passes.length - 1, said = make("output", {}, `${last}, the answer`);
    const slide = make("input", {type: "range", min: 0, max: last, value: last, input: () => {
      const step = Number(slide.value);
      said.textContent = step === last ? `${last}, the answer` : step === 0 ? "0, its start" : String(step);
      for (const one of cells.filter(cell => cell.row === several)) {
        one.cell.replaceChildren(drawSet(found, one.image, one.truth, several.passes[step][one.example], `step ${step} of ${several.label}`));
      }
    }});
    parts.push(make("label", {class: "slide"}, `Step of ${several.label} `, slide, said));
  }
  parts.push(make("div", {class: "sets", tabindex: 0, role: "region", "aria-label": "predictions"}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body))));
  const says = {
    points: "Gray: the truth. The fainter, the lower the presence.", corners: "Gray: the truth. The fainter, the lower the presence.",
    boxes: "Boxes on the picture that went in: the truth white and dashed, the answer orange; the fainter, the lower the presence.",
    floor: "Scenes from above, the camera at the bottom. Squares are cubes, double circles cylinders, circles spheres; a white spot is metal. Dashed: the truth; the fainter, the lower the presence.",
    pictures: "Pictures made by the task itself.",
  };
  parts.push(make("p", {class: "legend"}, says[found.kind] ?? ""));
  return parts;
}

// One set; the truth lies beneath it. Without a set the truth itself.
function drawSet(found, image, truth, set, says) {
  if (found.kind === "pictures") return make("img", {src: set ?? truth, alt: says});
  const [start, size] = FIELD[found.kind];
  const svg = make("svg", {class: "set", viewBox: `${start} ${start} ${size} ${size}`, role: "img", "aria-label": says});
  ({points: drawPoints, corners: drawCorners, boxes: drawBoxes, floor: drawFloor})[found.kind](svg, truth, set, image, found.words);
  return svg;
}

const BLUE = "#2a8bd6";

function drawPoints(svg, truth, set) {
  const dot = Math.min(0.055, 0.5 / Math.sqrt(Math.max(truth.length, 1)) / 1.3);
  dots(svg, truth, set ? "#9aa3b0" : BLUE, dot, 1);
  if (!set) return;
  for (let level = 1; level <= levels; level++) {
    dots(svg, set.filter(one => Math.ceil(one.at(-1) * levels) === level), BLUE, 0.75 * dot, level / levels);
  }
}

function dots(svg, points, colour, width, opacity) {
  if (points.length) svg.append(make("path", {d: points.map(one => `M${one[1]} ${one[0]}h0`).join(""), stroke: colour, "stroke-width": width, "stroke-linecap": "round", "stroke-opacity": opacity}));
}

function drawCorners(svg, truth, set) {
  const around = points => {
    const middle = [0, 1].map(side => points.reduce((sum, one) => sum + one[side], 0) / points.length);
    const angle = one => Math.atan2(one[1] - middle[1], one[0] - middle[0]);
    return [...points].sort((a, b) => angle(a) - angle(b)).map(one => `${one[0]},${-one[1]}`).join(" ");
  };
  svg.append(make("circle", {r: 1, fill: "none", stroke: "#8a93a2", "stroke-opacity": 0.4, "stroke-width": 0.015}));
  svg.append(make("polygon", {points: around(truth), fill: "none", stroke: set ? "#8a93a2" : BLUE, "stroke-width": 0.03}));
  const shown = set ?? truth;
  if (set?.length) svg.append(make("polygon", {points: around(set), fill: "none", stroke: BLUE, "stroke-width": 0.02, "stroke-dasharray": ".07"}));
  for (const one of shown) svg.append(make("circle", {cx: one[0], cy: -one[1], r: 0.07, fill: BLUE, "fill-opacity": one.at(-1)}));
}

function drawBoxes(svg, truth, set, image) {
  if (image) svg.append(make("image", {href: image, width: 1, height: 1, preserveAspectRatio: "none"}));
  const box = (one, more) => svg.append(make("rect", {x: Math.min(one[0], one[2]), y: Math.min(one[1], one[3]), width: Math.abs(one[2] - one[0]), height: Math.abs(one[3] - one[1]), fill: "none", ...more}));
  for (const one of truth) {
    box(one, {stroke: "#000", "stroke-width": 0.018, "stroke-opacity": 0.6});
    box(one, {stroke: "#fff", "stroke-width": 0.009, "stroke-dasharray": set ? ".025" : null});
  }
  for (const one of set ?? []) box(one, {stroke: "#ff9a1f", "stroke-width": 0.014, "stroke-opacity": one.at(-1)});
}

function drawFloor(svg, truth, set, image, words) {
  svg.append(make("rect", {x: -3.05, y: -3.05, width: 6.1, height: 6.1, fill: "none", stroke: "#8a93a2", "stroke-opacity": 0.35, "stroke-width": 0.04, transform: "rotate(41)"}));
  const at = ([right, away, material, colour, shape, size]) => ({x: right, y: -away, r: words.radius[size], material: words.material[material], shape: words.shape[shape], paint: words.paint[colour],
    says: [words.size[size], words.colour[colour], words.material[material], words.shape[shape]].join(" ")});
  const outline = (one, more) => one.shape === "cube"
    ? make("rect", {x: one.x - one.r * 0.8, y: one.y - one.r * 0.8, width: one.r * 1.6, height: one.r * 1.6, ...more}) : make("circle", {cx: one.x, cy: one.y, r: one.r, ...more});
  const solid = (one, opacity) => {
    const group = make("g", {opacity}, make("title", {}, one.says), outline(one, {fill: one.paint, stroke: "#fff", "stroke-width": 0.05}));
    if (one.shape === "cylinder") group.append(make("circle", {cx: one.x, cy: one.y, r: one.r * 0.62, fill: "none", stroke: "#fff", "stroke-width": 0.07}));
    if (one.material === "metal") group.append(make("circle", {cx: one.x - one.r * 0.3, cy: one.y - one.r * 0.3, r: one.r * 0.2, fill: "#fff"}));
    svg.append(group);
  };
  for (const one of set ?? truth) solid(at(one), one.at(-1));
  if (set) for (const one of truth.map(at)) svg.append(outline(one, {fill: "none", stroke: one.paint, "stroke-width": 0.09, "stroke-dasharray": ".18"}));
}
