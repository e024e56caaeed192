// A task's table: its rows are in the page; here they are sorted, hidden and told as CSV.
function startTable(table) {
  table.section = document.getElementById(table.id);
  table.body = $(".ranking tbody", table.section);
  table.heads = $$(".ranking thead th", table.section);
  for (const [place, line] of $$("tr", table.body).entries()) {
    const row = table.rows[place];
    row.line = line;
    row.place = place;
    row.text = line.textContent.toLowerCase() + ` ${row.paradigm.toLowerCase()}`;
    $(".row", line).addEventListener("click", () => openPanel(table, row));
    line.addEventListener("mouseenter", () => point(table, row));
  }
  table.heads.forEach((head, place) => {
    const button = $("button", head);
    button.addEventListener("click", event => sortBy(table, table.columns[place], event.shiftKey));
  });
  $(".unsort", table.section).addEventListener("click", () => { view.sort[table.id] = []; showTable(table); writeView(table.id); });
  $(".csv", table.section).addEventListener("click", () => download(`${table.id}.csv`, "text/csv", csv(table)));
}

// The first click has the best first, the second the worst, the third takes the column out.
function sortBy(table, column, more) {
  const order = view.sort[table.id] ?? [];
  const found = order.find(one => one.key === column.key);
  let kept = more ? order.filter(one => one !== found) : [];
  if (!found || (!more && order.length > 1)) kept = [...kept, {key: column.key, reversed: false}];
  else if (!found.reversed) kept = more ? order.map(one => one === found ? {...one, reversed: true} : one) : [{key: column.key, reversed: true}];
  view.sort[table.id] = kept;
  showTable(table);
  writeView(table.id);
}

function compare(table) {
  const order = (view.sort[table.id] ?? []).map(one => ({...one, column: table.columns.find(column => column.key === one.key)})).filter(one => one.column);
  return (a, b) => {
    for (const {key, reversed, column} of order) {
      const x = column.numeric ? value(a, key) : words(table, a, column), y = column.numeric ? value(b, key) : words(table, b, column);
      const without = one => one === null || one === "" || Number.isNaN(one);
      if (without(x) || without(y)) {
        if (without(x) !== without(y)) return without(x) - without(y); // what has no value stays last
        continue;
      }
      const sign = (column.higher ? -1 : 1) * (reversed ? -1 : 1);
      const found = sign * (column.numeric ? (x > y) - (x < y) : x.localeCompare(y, "en", {numeric: true}));
      if (found) return found;
    }
    return a.place - b.place;
  };
}

const words = (table, row, column) => row.line.cells[table.columns.indexOf(column)].textContent.trim();

function showTable(table) {
  const order = view.sort[table.id] ?? [];
  table.columns.forEach((column, place) => {
    const shown = isShown(column), head = table.heads[place];
    head.hidden = !shown;
    for (const row of table.rows) row.line.cells[place].hidden = !shown;
    const at = order.findIndex(one => one.key === column.key);
    const down = at >= 0 && column.higher !== order[at].reversed;
    $("button", head).dataset.order = at < 0 ? "" : ` ${down ? "▼" : "▲"}${order.length > 1 ? at + 1 : ""}`;
    head.removeAttribute("aria-sort");
    if (at === 0) head.setAttribute("aria-sort", down ? "descending" : "ascending");
  });
  if (!order.length) table.heads[0].setAttribute("aria-sort", "ascending");
  table.visible.sort(compare(table));
  for (const row of table.rows) row.line.hidden = true;
  for (const row of table.visible) row.line.hidden = false;
  table.body.append(...table.visible.map(row => row.line));
  const models = table.visible.filter(row => !row.constant).length;
  $(".count", table.section).textContent = `${models} row${models === 1 ? "" : "s"}`;
  $(".unsort", table.section).hidden = !order.length;
}

// What is shown, in its order; numbers in full, with how far their intervals reach.
function csv(table) {
  const shown = table.columns.filter(isShown);
  const bars = column => table.rows.some(row => column.key in row.bars);
  const head = ["table", ...shown.flatMap(column => bars(column) ? [column.name, `${column.name}, interval down`, `${column.name}, up`] : [column.name]), "marks"];
  const lines = table.visible.map(row => [
    table.id,
    ...shown.flatMap(column => {
      const cell = column.numeric && column.key in row.values ? row.values[column.key] : harmless(words(table, row, column));
      return bars(column) ? [cell, ...(row.bars[column.key] ?? ["", ""])] : [cell];
    }),
    [...new Set(row.line.textContent.match(/[†‡§¶◊]/g) ?? [])].join(" "),
  ]);
  const quoted = cell => /[",\n\r]/.test(cell) ? `"${String(cell).replace(/"/g, '""')}"` : cell;
  return [head.map(harmless), ...lines].map(line => line.map(quoted).join(",")).join("\n") + "\n";
}

// A text that a spreadsheet would take for a formula has an apostrophe before it.
const harmless = text => text === "–" ? "" : /^\s*[=+@-]/.test(text) ? `'${text}` : text;
