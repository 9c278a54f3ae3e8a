// The card of one row: the alignment to its parent, a map of edits, breaches and sites, and all of its values.

const ALIGNED = 60;
const INSIDE = new Set(["contributions", "edit_contributions", "evidence", "edit_list"]); // drawn or said above the facts
const SVG_SPACE = element("div", { innerHTML: "<svg></svg>" }).firstChild.namespaceURI;

function card(columns, row, logo) {
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
    if (logo && get("contributions")) box.append(contributionLogo(sequence, numbersOf(get("contributions")), parts, logo, first));
    const evidence = get("evidence");
    if (edits && get("edit_contributions")) {
      box.append(editTable("What each edit contributes: ", edits.split(","), get("edit_contributions").split(",")));
    }
    if (edits && evidence) {
      box.append(editTable("Training sequences that have each edit: ", edits.split(","), String(evidence).split(",")));
    }
  }
  const list = element("dl", { className: "sd-facts" });
  columns.forEach((column, j) => {
    if (row[j] === null || row[j] === "" || column.sequence || column.drawn || INSIDE.has(column.key)) return;
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

function editTable(about, edits, values) {
  const line = element("p", { className: "sd-evidence", textContent: about });
  line.append(edits.map((edit, i) => `${edit} ${values[i] || "?"}`).join(", ") + ".");
  return line;
}

// "0.1,,-2" -> numbers; nothing is zero.
function numbersOf(text) {
  return text ? String(text).split(",").map(Number) : [];
}

// Each letter as tall as what it adds, in rows of 60; edited columns are shaded.
function contributionLogo(sequence, values, parts, { unit, letters, top }, first) {
  const [wide, high, gap] = [14, 44, 18];
  const edited = new Set();
  let at = 0;
  for (const { kind, text } of parts) {
    if (kind === "del") continue;
    if (kind !== "keep") edited.add(at);
    at += text.length;
  }
  const lows = values.some((v) => v < 0);
  const block = high * (lows ? 2 : 1) + gap;
  const blocks = Math.ceil(sequence.length / ALIGNED);
  const size = [Math.max(40 + wide * Math.min(sequence.length, ALIGNED), 460), block * blocks + 14];
  const picture = svg("svg", { viewBox: `0 0 ${size.join(" ")}`, class: "sd-logo", role: "img", style: `max-width:${size[0]}px`,
    "aria-label": `What each letter adds to the predicted ${unit}` });
  picture.append(svg("text", { x: 0, y: 10 }, `what each letter adds to ${unit}; the tallest of all rows is ${general(top, 3)}`));
  for (let i = 0; i < sequence.length; i++) {
    const x = 40 + wide * (i % ALIGNED);
    const zero = 14 + Math.floor(i / ALIGNED) * block + high;
    if (edited.has(i)) picture.append(svg("rect", { x, y: zero - high, width: wide, height: high * (lows ? 2 : 1), class: "site" }));
    if (i % 10 === 0) picture.append(svg("text", { x, y: zero + (lows ? high : 0) + 13 }, String(first + i)));
    if (i % ALIGNED === 0) {
      const end = 40 + wide * Math.min(ALIGNED, sequence.length - i);
      picture.append(svg("line", { x1: 40, x2: end, y1: zero, y2: zero, class: "l" }));
    }
    const tall = Math.abs(values[i] || 0) / top * high;
    if (tall < 0.4) continue;
    const y = values[i] > 0 ? zero - tall : zero;
    const [outline, hue] = letters[sequence[i]] ?? ["M0 0H100V100H0Z", "muted"];
    picture.append(svg("path", { d: outline, fill: `var(--sd-${hue})`,
      transform: `translate(${x} ${y}) scale(${(wide - 1) / 100} ${tall / 100})` }));
  }
  return picture;
}
