"use strict";
// Makes every .sd-data table of the page sortable and filterable, and lets people copy and download it.

const ROWS_PER_PAGE = 50;
const CONDITION = /^(.+?)(<=|>=|!=|=|<|>)(.+)$/;

async function start(box) {
  const source = box.querySelector("script");
  const packed = source.dataset.packed !== undefined;
  if (packed && !("DecompressionStream" in window)) return; // the first rows stay as they are
  const data = JSON.parse(packed ? await unpack(source.textContent) : source.textContent);
  const table = new DataTable(box, data.columns, data.rows);
  table.build();
  table.show();
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

class DataTable {
  constructor(box, columns, rows) {
    this.box = box;
    this.columns = columns;
    this.rows = rows;
    this.body = box.querySelector("tbody");
    this.lines = [...this.body.rows]; // made on demand beyond the first ones
    this.texts = [];
    this.found = rows.map((_, i) => i);
    this.sorted = { column: -1, down: false };
    this.page = 0;
  }

  build() {
    this.box.querySelector(".sd-rest")?.remove();
    const tools = element("div", { className: "sd-tools" });
    const label = element("label", { textContent: "Filter " });
    this.filter = element("input", { type: "search", placeholder: this.example() });
    this.filter.addEventListener("input", () => this.search());
    label.append(this.filter);
    tools.append(label);
    if (this.columns.some((c) => c.sequence)) {
      this.copy = button("Copy FASTA", () => this.copyFasta());
      tools.append(this.copy, button("Download FASTA", () => this.save("fa", this.fasta())));
    }
    tools.append(button("Download CSV", () => this.save("csv", this.csv())));
    this.status = element("p", { className: "sd-status" });
    this.status.setAttribute("role", "status");
    const names = this.columns.filter((c) => !c.drawn).map((c) => c.key === c.heading ? c.key : `${c.key} (${c.heading})`);
    const help = element("details", { className: "sd-help" });
    help.append(
      element("summary", { textContent: "How to filter" }),
      element("p", {
        textContent: "Rows with all of the words are shown. A word such as " + this.example() +
          " compares a column. Columns: " + names.join(", ") + ".",
      }),
    );
    this.box.prepend(tools, help, this.status);
    this.pager = element("div", { className: "sd-tools sd-pager" });
    this.back = button("Previous", () => this.turn(-1));
    this.next = button("Next", () => this.turn(1));
    this.place = element("span", {});
    this.pager.append(this.back, this.place, this.next);
    this.box.append(this.pager);
    const shown = this.columns.flatMap((column, i) => (column.shown ? [i] : []));
    this.heads = new Map(shown.map((i, place) => [i, this.box.querySelectorAll("thead th")[place]]));
    for (const [i, head] of this.heads) {
      if (this.columns[i].drawn) continue; // pictures have no order
      const sorter = button(head.textContent, () => this.sort(i));
      sorter.title = "Sort by " + this.columns[i].key;
      head.replaceChildren(sorter);
    }
  }

  example() {
    const wanted = ["delta", "score", "outcome"];
    const numbers = this.columns.filter((c) => c.number);
    const column = wanted.map((key) => numbers.find((c) => c.key === key)).find(Boolean) ?? numbers[0];
    if (!column) return `${this.columns[0].key}=${this.rows[0]?.[0] ?? "x"}`;
    return `${/\s/.test(column.heading) ? column.key : column.heading}>1`;
  }

  sort(i) {
    // Numbers are wanted from the largest down, words from A on.
    const first = this.columns[i].number;
    this.sorted = { column: i, down: this.sorted.column === i ? !this.sorted.down : first };
    for (const [j, head] of this.heads) {
      if (j === i) head.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.order();
    this.page = 0;
    this.show();
  }

  order() {
    const { column, down } = this.sorted;
    if (column < 0) return;
    const words = new Intl.Collator("en", { numeric: true });
    this.found.sort((a, b) => {
      const [x, y] = [this.rows[a][column], this.rows[b][column]];
      if (x === null || y === null) return (x === null) - (y === null) || a - b; // what is missing comes last
      const way = typeof x === "number" && typeof y === "number" ? x - y : words.compare(x, y);
      return (down ? -way : way) || a - b;
    });
  }

  search() {
    const tests = this.filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean).map((w) => this.test(w));
    this.found = [];
    for (let i = 0; i < this.rows.length; i++) if (tests.every((test) => test(i))) this.found.push(i);
    this.order();
    this.page = 0;
    this.show();
  }

  test(word) {
    const [, name, sign, wanted] = CONDITION.exec(word) ?? [];
    const column = this.columns.findIndex((c) => [c.key, c.heading].some((n) => n.toLowerCase() === name));
    if (column < 0) return (i) => (this.texts[i] ??= this.rows[i].join("\n").toLowerCase()).includes(word);
    const number = Number(wanted);
    return (i) => {
      const value = this.rows[i][column];
      if (value === null) return sign === "!=";
      const [x, y] = typeof value === "number" ? [value, number] : [String(value).toLowerCase(), wanted];
      return { "<=": x <= y, ">=": x >= y, "!=": x !== y, "=": x === y, "<": x < y, ">": x > y }[sign];
    };
  }

  turn(by) {
    this.page += by;
    this.show();
  }

  show() {
    const first = this.page * ROWS_PER_PAGE;
    const places = this.found.slice(first, first + ROWS_PER_PAGE);
    this.body.replaceChildren(...places.map((i) => (this.lines[i] ??= this.line(i))));
    const { column, down } = this.sorted;
    const order = column < 0 ? "" : `, by ${this.columns[column].heading}, ${down ? "descending" : "ascending"}`;
    this.status.textContent = `${count(this.found.length)} of ${count(this.rows.length)} rows${order}`;
    this.place.textContent = `${count(first + 1)} to ${count(first + places.length)}`;
    this.back.disabled = this.page === 0;
    this.next.disabled = first + ROWS_PER_PAGE >= this.found.length;
    this.pager.hidden = this.found.length <= ROWS_PER_PAGE;
  }

  line(i) {
    const line = element("tr", {});
    this.columns.forEach((column, j) => {
      if (!column.shown) return;
      const cell = element(line.children.length ? "td" : "th", {});
      if (cell.tagName === "TH") cell.scope = "row";
      if (column.sequence) cell.className = "sd-sequence";
      else if (column.number) cell.className = "sd-number";
      const edits = column.edits && this.value(i, column.edits);
      if (edits) cell.append(marked(this.rows[i][j], edits.split(","), column.first));
      else cell.textContent = formatted(this.rows[i][j], column.spec);
      line.append(cell);
    });
    return line;
  }

  value(i, key) {
    return this.rows[i][this.columns.findIndex((c) => c.key === key)];
  }

  fasta() {
    const at = this.columns.findIndex((c) => c.sequence);
    return this.found.map((i) => {
      const fields = this.columns.flatMap((c, j) => {
        const value = this.rows[i][j];
        return j === 0 || j === at || value === null || value === "" ? [] : [`${c.key}=${quoted(value)}`];
      });
      return `>${[this.rows[i][0], ...fields].join(" ")}\n${this.rows[i][at]}\n`;
    }).join("");
  }

  csv() {
    const cell = (value) => {
      const text = value === null ? "" : String(value);
      return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const written = this.columns.flatMap((column, j) => (column.drawn ? [] : [j]));
    const lines = this.found.map((i) => written.map((j) => cell(this.rows[i][j])).join(","));
    return [written.map((j) => cell(this.columns[j].key)).join(","), ...lines, ""].join("\n");
  }

  save(suffix, text) {
    const link = element("a", { download: `${this.box.dataset.name}.${suffix}` });
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async copyFasta() {
    try {
      await navigator.clipboard.writeText(this.fasta());
      this.copy.textContent = "Copied";
    } catch {
      this.copy.textContent = "Not allowed here";
    }
    setTimeout(() => { this.copy.textContent = "Copy FASTA"; }, 2000);
  }
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function button(text, act) {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", act);
  return made;
}

function count(number) {
  return number.toLocaleString("en");
}

// Header fields as seqdesign reads them: quoted where there is a blank or a quote.
function quoted(value) {
  const text = String(value);
  return /[\s"\\]/.test(text) ? `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : text;
}

// A sequence with its edits marked; positions are those of the sequence before the edits.
function marked(sequence, edits, first) {
  const code = element("code", { className: "sd-diff" });
  let [at, position] = [0, first];
  for (const edit of edits) {
    const [, word, old, place, letter] = /^(?:(ins|del)|(.))(-?\d+)(.)$/su.exec(edit);
    const keep = place - position;
    code.append(sequence.slice(at, at + keep));
    const mark = element({ ins: "ins", del: "del" }[word] ?? "b", { textContent: letter });
    if (old) mark.title = edit;
    code.append(mark);
    at += keep + (word !== "del");
    position += keep + (word !== "ins");
  }
  code.append(sequence.slice(at));
  return code;
}

// The format specifications of Python that the columns use.
function formatted(value, spec) {
  if (value === null) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "number") return value;
  const [, plus, comma, , digits, kind] = /^(\+?)(,?)(\.(\d+))?([defg%])$/.exec(spec);
  const d = Number(digits ?? 6);
  let text = { d: () => value.toFixed(0), e: () => exponent(value, d), f: () => value.toFixed(d),
    g: () => general(value, d || 1), "%": () => (100 * value).toFixed(d) + "%" }[kind]();
  if (comma) text = text.replace(/\d(?=(\d{3})+(?!\d))/g, "$&,");
  return plus && value >= 0 ? "+" + text : text;
}

function exponent(value, digits) {
  return value.toExponential(digits).replace(/e([+-])(\d)$/, "e$10$2");
}

function general(value, digits) {
  const power = Number(value.toExponential(digits - 1).split("e")[1]);
  const strip = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (power >= -4 && power < digits) return strip(value.toFixed(digits - 1 - power));
  const [mantissa, end] = exponent(value, digits - 1).split("e");
  return `${strip(mantissa)}e${end}`;
}

for (const box of document.querySelectorAll(".sd-data")) start(box);
