// The card of one row: the alignment to its parent, a map of edits, breaches and sites, and all of its values.

const ALIGNED = 60;
const SVG_SPACE = element("div", { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;

function card(columns, row) {
  const box = element("div", { className: "sd-card" });
  const get = (key) => row[columns.findIndex((c) => c.key === key)] ?? null;
  const at = columns.findIndex((c) => c.sequence);
  if (at >= 0) {
    const sequence = row[at];
    const edits = columns[at].edits ? String(get(columns[at].edits) ?? "") : "";
    const first = columns[at].first;
    const parts = pieces(sequence, edits ? edits.split(",") : [], first);
    const marks = [...spans(get("breaches"), "breach"), ...spans(get("sites"), "site")];
    box.append(sequenceMap(sequence, parts, marks), alignment(parts, marks, first));
    const evidence = get("evidence");
    if (edits && evidence) box.append(evidenceTable(edits.split(","), String(evidence).split(",")));
  }
  const list = element("dl", { className: "sd-facts" });
  columns.forEach((column, j) => {
    if (row[j] === null || row[j] === "" || column.sequence || column.drawn) return;
    list.append(element("dt", { textContent: column.heading, title: column.about }));
    list.append(element("dd", { textContent: formatted(row[j], column.spec) }));
  });
  box.append(list);
  return box;
}

// "forbid:GAATTC@3-8;GATA1@12-18+" -> where each is.
function spans(text, kind) {
  return String(text ?? "").split(";").flatMap((one) => {
    const found = /^(.*)@(\d+)-(\d+)([+-]?)$/.exec(one.trim());
    return found ? [{ kind, name: found[1] + found[4], first: Number(found[2]), last: Number(found[3]) }] : [];
  });
}

// Where on the sequence things are: edits above the line, breaches and sites below it.
function sequenceMap(sequence, parts, marks) {
  const [wide, rows] = [1000, layers(marks)];
  const high = 34 + 18 * rows.length;
  const scale = wide / Math.max(sequence.length, 1);
  const picture = svg("svg", { viewBox: `0 0 ${wide} ${high}`, class: "sd-map", role: "img",
    "aria-label": "Edits, breaches of rules and sites along the sequence" });
  picture.append(svg("line", { x1: 0, x2: wide, y1: 20, y2: 20, class: "l" }));
  let at = 0;
  for (const { kind, edit, text } of parts) {
    if (kind !== "keep") {
      const mark = svg("rect", { x: at * scale, y: 8, width: Math.max(scale * (kind === "del" ? 0.3 : 1), 3), height: 12,
        class: kind });
      mark.append(svg("title", {}, edit));
      picture.append(mark);
    }
    if (kind !== "del") at += text.length;
  }
  rows.forEach((layer, depth) => {
    for (const { kind, name, first, last } of layer) {
      const x = (first - 1) * scale;
      const mark = svg("rect", { x, y: 24 + 18 * depth, width: Math.max((last - first + 1) * scale, 3), height: 12, class: kind });
      mark.append(svg("title", {}, `${name} at ${first}-${last}`));
      picture.append(mark, svg("text", { x: Math.min(x, wide - 8 * name.length), y: 34 + 18 * depth }, name));
    }
  });
  return picture;
}

// Marks in rows in which none, its name included, runs into another.
function layers(marks) {
  const rows = [];
  for (const mark of [...marks].sort((a, b) => a.first - b.first)) {
    const row = rows.find((one) => one.end < mark.first) ?? rows[rows.push(Object.assign([], { end: 0 })) - 1];
    row.push(mark);
    row.end = Math.max(mark.last, mark.first + mark.name.length);
  }
  return rows;
}

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG_SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Parent and design in blocks of 60 columns, with positions, marks between them and letters of breaches below.
function alignment(parts, marks, first) {
  const columns = [];
  let [before, after] = [first - 1, first - 1];
  for (const { kind, old, text } of parts) {
    for (const letter of text) {
      const parent = { keep: letter, sub: old, ins: "-", del: letter }[kind];
      columns.push({ parent, design: kind === "del" ? "-" : letter, kind,
        before: kind === "ins" ? before : ++before, after: kind === "del" ? after : ++after });
    }
  }
  const breached = (place) => marks.some((m) => m.kind === "breach" && m.first <= place - first + 1 && place - first + 1 <= m.last);
  const edited = parts.some((p) => p.kind !== "keep");
  const digits = String(Math.max(before, after)).length;
  const pre = element("pre", { tabIndex: 0 });
  pre.setAttribute("aria-label", "Alignment of the design to its parent");
  for (let from = 0; from < columns.length; from += ALIGNED) {
    const block = columns.slice(from, from + ALIGNED);
    if (edited) {
      pre.append(`parent ${String(block[0].before).padStart(digits)} ${block.map((c) => c.parent).join("")}\n`);
      const line = block.map((c) => ({ keep: "|", sub: "*", ins: "+", del: "-" }[c.kind])).join("");
      pre.append(`       ${"".padStart(digits)} ${line}\n`);
    }
    pre.append(`design ${String(block[0].after).padStart(digits)} `);
    for (const { design, kind, after: place } of block) {
      const broken = kind !== "del" && breached(place);
      if (kind === "keep" && !broken) pre.append(design);
      else pre.append(element(broken ? "mark" : "b", { textContent: design }));
    }
    pre.append(from + ALIGNED < columns.length ? "\n\n" : "\n");
  }
  return pre;
}

function evidenceTable(edits, counts) {
  const line = element("p", { className: "sd-evidence", textContent: "Training sequences that have each edit: " });
  line.append(edits.map((edit, i) => `${edit} ${counts[i] ?? "?"}`).join(", ") + ".");
  return line;
}
