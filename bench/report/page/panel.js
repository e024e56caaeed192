// What is behind a row: its seeds, its other ways of being evaluated, how it was run, and its records whole.
async function openPanel(table, row) {
  view.row = [table.id, row.label];
  writeView(table.id);
  const panel = $("#panel"), all = await records();
  const own = row.records.map(id => all[id]).filter(Boolean);
  const first = own.find(record => record.measured) ?? own[0];
  $(".inside", panel).replaceChildren(
    make("h2", {id: "panel-title"}, glyph(row.paradigm), row.label),
    make("p", {class: "where"}, [$("h2", table.section).firstChild.textContent.trim(), $(".where", table.section).textContent, row.paradigm].filter(Boolean).join(" · ")),
    make("h3", {}, "Every seed"), seedTable(table, own),
    ...(row.variants ? [make("h3", {}, "The same weights, evaluated in more than one way"), variantTable(table, row)] : []),
    ...reasons(own),
    ...(first ? [make("h3", {}, "How it was run"), facts(first)] : []),
    make("h3", {}, "The records, whole"), ...own.map(whole),
  );
  if (!panel.open) panel.showModal();
  panel.scrollTop = 0;
}

const grid = (head, lines, says) => make("div", {class: "scroll", tabindex: 0, role: "region", "aria-label": says}, make("table", {},
  make("thead", {}, make("tr", {}, ...head.map((name, place) => make("th", {scope: "col", class: place ? "n" : null}, name)))),
  make("tbody", {}, ...lines.map(line => make("tr", {}, ...line.map((cell, place) => make("td", {class: place ? "n" : null}, cell)))))));

function seedTable(table, own) {
  const names = table.metrics.filter(name => own.some(record => score(record, name) !== undefined));
  const head = ["seed", "status", ...names, "train (s)", "latency (ms)", "memory (MB)", "invariance error", "validation"];
  const lines = own.map(record => {
    const found = record.measured, time = found?.time;
    return [String(record.seed), record.status.replace(/_/g, " "), ...names.map(name => number(score(record, name))), number(time?.train), number(time?.latency_ms),
      number(found?.peak_memory_mb), number(found?.invariance?.max64, 2), number(found?.curve?.validation_score?.at(-1))];
  });
  return grid(head, lines, "every seed");
}

const score = (record, name) => record.measured?.metrics[record.measured.headline.variant]?.[name];

const variantTable = (table, row) => grid(["evaluated", ...table.metrics], Object.entries(row.variants).map(([name, values]) => [name || "–", ...values]), "variants");

// Why seeds have no result.
function reasons(own) {
  const lost = own.filter(record => !record.measured || record.reason || record.traceback);
  if (!lost.length) return [];
  return [make("h3", {}, "Why there is no result"), ...lost.flatMap(record => [
    make("p", {}, `Seed ${record.seed}, ${record.status.replace(/_/g, " ")}: ${record.reason || record.traceback.trim().split("\n").at(-1) || "no reason was given"}`),
    record.traceback ? make("details", {}, make("summary", {}, "Traceback"), make("pre", {}, record.traceback)) : null,
  ])];
}

function facts(record) {
  const machine = record.machine, found = record.measured;
  const pairs = {
    Paper: record.model.paper, "Invariance claimed": [record.model.invariance_claim, record.model.why].filter(Boolean).join(": "),
    Options: flat(record.options), Settings: flat(record.settings), Tuned: record.tuned, Notes: (found?.notes ?? []).join("; "),
    Data: found ? `${found.data.name} (${found.data.kind}, ${found.data.checksum})` : record.data_key,
    Machine: [`${machine.cores} cores of ${machine.cpu || "a CPU"}`, found?.gpu, `${machine.memory_gb} GB`, machine.platform].filter(Boolean).join(", "),
    Computed: `${record.device}, ${record.threads} thread${record.threads === 1 ? "" : "s"}, ${record.precision}`, Versions: flat(record.versions),
    Commit: record.commit + (record.dirty ? " with uncommitted changes" : ""), "Code hash": record.code, Finished: record.finished,
  };
  return make("div", {}, make("dl", {}, ...Object.entries(pairs).filter(([, text]) => text).flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
    make("pre", {class: "command"}, record.command));
}

function flat(what) {
  return Object.entries(what ?? {}).map(([name, one]) => one !== null && typeof one === "object" ? `${name} (${flat(one)})` : `${name.replace(/_/g, " ")} ${one}`).join(", ");
}

function whole(record) {
  const text = JSON.stringify(record, null, 1), pre = make("pre");
  return make("details", {class: "record", toggle: () => { if (!pre.textContent) pre.textContent = text; }},
    make("summary", {}, `Seed ${record.seed}: ${record.id}`),
    make("button", {type: "button", click: () => download(`${record.id}.json`, "application/json", text)}, "Download JSON"), pre);
}

function startPanel() {
  const panel = $("#panel");
  panel.addEventListener("close", () => { view.row = null; writeView(); });
  panel.addEventListener("click", event => { if (event.target === panel) panel.close(); }); // beside it
  if (!view.row) return;
  const table = data.tables.find(one => one.id === view.row[0]), row = table?.rows.find(one => one.label === view.row[1]);
  if (row) openPanel(table, row); else view.row = null;
}
