// Makes every .sd-data table of the page sortable and filterable, and lets people copy and download it.

const ROWS_PER_PAGE = matchMedia("(max-width: 40rem)").matches ? 10 : 25;
const ROWS_ON_PAPER = 500;
const LETTERS_ON_PAPER = 30; // of a sequence that fits into its column
const FEW_ROWS = 6; // up to which nobody filters

async function startTable(box) {
  const source = box.querySelector("script");
  const packed = source.dataset.packed !== undefined;
  if (packed && !("DecompressionStream" in window)) return; // the first rows stay as they are
  const data = JSON.parse(packed ? await unpack(source.textContent) : source.textContent);
  const table = new DataTable(box, data.columns, rowsOf(data.cells), data.logo);
  table.build();
  table.show();
}

// Cells are kept column by column.
function rowsOf(cells) {
  return cells[0].map((_, i) => cells.map((column) => column[i]));
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

class DataTable {
  constructor(box, columns, rows, logo) {
    this.logo = logo;
    this.box = box;
    this.columns = columns;
    this.rows = rows;
    this.cards = box.classList.contains("sd-cards");
    this.body = box.querySelector("tbody");
    this.lines = [...this.body.rows]; // made on demand beyond the first ones
    this.texts = [];
    this.opened = new Set();
    this.picked = new Set();
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
    tools.append(label, this.sorter());
    if (this.columns.some((c) => c.sequence)) {
      this.copy = button("Copy FASTA", () => this.copyFasta());
      tools.append(this.copy, button("Save FASTA", () => this.save("fa", this.fasta())));
    }
    tools.append(button("Save CSV", () => this.save("csv", this.csv())));
    this.status = element("p", { className: "sd-status" });
    this.status.setAttribute("role", "status");
    this.box.prepend(tools, this.help(), this.status);
    if (this.rows.length <= FEW_ROWS) {
      for (const part of [label, tools.querySelector(".sd-sorter"), this.box.querySelector(".sd-help"), this.status]) {
        part.hidden = true;
      }
    }
    this.pager = element("div", { className: "sd-tools sd-pager" });
    this.back = button("Previous", () => this.turn(-1));
    this.next = button("Next", () => this.turn(1));
    this.place = element("span", {});
    this.pager.append(this.back, this.place, this.next);
    this.box.append(this.pager);
    for (const [event, onPaper] of [["beforeprint", true], ["afterprint", false]]) {
      addEventListener(event, () => {
        this.onPaper = onPaper;
        this.box.classList.toggle("sd-paper", onPaper && this.long());
        this.show();
      });
    }
    const shown = this.columns.flatMap((column, i) => (column.shown ? [i] : []));
    this.heads = new Map(shown.map((i, place) => [i, this.box.querySelectorAll("thead th")[place]]));
    for (const [i, head] of this.heads) {
      if (this.columns[i].drawn) continue; // pictures have no order
      const sorter = button(head.textContent, () => this.sort(i));
      head.dataset.heading = head.textContent;
      sorter.title = this.columns[i].about || "Sort by " + this.columns[i].heading;
      head.replaceChildren(sorter);
    }
  }

  // On a phone, where the headings of the columns are not in sight.
  sorter() {
    const label = element("label", { className: "sd-sorter", textContent: "Sort " });
    this.choice = element("select", {});
    this.choice.append(element("option", { value: "-1", textContent: "as written" }));
    this.columns.forEach((column, i) => {
      if (column.shown && !column.drawn) {
        this.choice.append(element("option", { value: String(i), textContent: column.heading }));
      }
    });
    this.choice.addEventListener("change", () => this.sort(Number(this.choice.value)));
    label.append(this.choice);
    return label;
  }

  help() {
    const help = element("details", { className: "sd-help" });
    const [list, columns] = [element("dl", {}), this.columns.filter((c) => !c.drawn)];
    for (const column of columns) {
      const name = column.key === column.heading ? column.key : `${column.heading} (${column.key})`;
      list.append(element("dt", { textContent: name }), element("dd", { textContent: column.about }));
    }
    help.append(
      element("summary", { textContent: "How to filter, and what the columns mean" }),
      element("p", {
        textContent: "Rows with all of the words are shown. " + this.example() + " compares a column; signs are " +
          "= != < > <= >=. Quotes hold words together.",
      }),
      list,
    );
    return help;
  }

  example() {
    const wanted = ["delta", "score_low", "cost_high", "off_target_high", "score", "outcome"];
    const numbers = this.columns.filter((c) => c.number);
    const column = wanted.map((key) => numbers.find((c) => c.key === key)).find(Boolean) ?? numbers[0];
    if (!column) return `${this.columns[0].key} = ${this.rows[0]?.[0] ?? "x"}`;
    return `${column.heading} ${column.key.endsWith("_high") ? "<" : ">"} 1`;
  }

  sort(i) {
    // Numbers are wanted from the largest down, words from A on.
    const first = i >= 0 && this.columns[i].number;
    this.sorted = { column: i, down: this.sorted.column === i ? !this.sorted.down : first };
    for (const [j, head] of this.heads) {
      if (j === i) head.setAttribute("aria-sort", this.sorted.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.choice.value = String(i);
    this.order();
    this.page = 0;
    this.show();
  }

  order() {
    const { column, down } = this.sorted;
    if (column < 0) { this.found.sort((a, b) => a - b); return; }
    const words = new Intl.Collator("en", { numeric: true });
    this.found.sort((a, b) => {
      const [x, y] = [this.rows[a][column], this.rows[b][column]];
      if (x === null || y === null) return (x === null) - (y === null) || a - b; // what is missing comes last
      const way = typeof x === "number" && typeof y === "number" ? x - y : words.compare(x, y);
      return (down ? -way : way) || a - b;
    });
  }

  search() {
    const { tests, problems } = parseFilter(this.filter.value, this.columns);
    this.problems = problems;
    this.found = [];
    for (let i = 0; i < this.rows.length; i++) {
      const text = (this.texts[i] ??= this.rows[i].join("\n").toLowerCase());
      if (tests.every((test) => test(this.rows[i], text))) this.found.push(i);
    }
    this.order();
    this.page = 0;
    this.show();
  }

  turn(by) {
    this.page += by;
    this.show();
    this.box.scrollIntoView({ block: "start" });
  }

  show() {
    const first = this.page * ROWS_PER_PAGE;
    const places = this.onPaper ? this.found.slice(0, ROWS_ON_PAPER) : this.found.slice(first, first + ROWS_PER_PAGE);
    this.body.replaceChildren(...places.flatMap((i) => this.linesOf(i)));
    this.say();
    this.place.textContent = `${count(first + 1)} to ${count(first + places.length)}`;
    this.back.disabled = this.page === 0;
    this.next.disabled = first + ROWS_PER_PAGE >= this.found.length;
    this.pager.hidden = this.found.length <= ROWS_PER_PAGE;
  }

  // How many rows there are, in which order, what was not understood, and what will be saved.
  say() {
    const { column, down } = this.sorted;
    const order = column < 0 ? "" : `, by ${this.columns[column].heading}, ${down ? "descending" : "ascending"}`;
    const said = [`${count(this.found.length)} of ${count(this.rows.length)} rows${order}`];
    if (this.onPaper && this.found.length > ROWS_ON_PAPER) said.push(`the first ${count(ROWS_ON_PAPER)} are printed`);
    if (this.picked.size) said.push(`${count(this.picked.size)} picked, which alone are saved and copied`);
    if (this.problems?.length) said.push("not understood and left out: " + this.problems.join(" "));
    this.status.textContent = said.join("; ");
    this.status.classList.toggle("sd-problem", Boolean(this.problems?.length));
    if (this.picked.size) this.status.hidden = false;
  }

  // The line of a row, made to open; and its card where it is open.
  linesOf(i) {
    const line = (this.lines[i] ??= this.line(i));
    if (!this.cards) return [line];
    if (!line.dataset.ready) {
      line.dataset.ready = "yes";
      this.columns.filter((c) => c.shown).forEach((c, k) => line.cells[k].classList.toggle("sd-in-card", c.inCard));
      line.classList.add("sd-opens");
      const head = line.cells[0];
      const opener = button("", () => this.open(i));
      opener.className = "sd-opener";
      opener.append(...head.childNodes);
      opener.setAttribute("aria-expanded", "false");
      head.append(this.picker(i), opener);
      line.addEventListener("click", (event) => {
        if (!event.target.closest("button, a, input") && !String(getSelection())) this.open(i);
      });
    }
    if (this.onPaper && this.long()) return [line, this.paperLine(i, this.sequence())];
    return this.opened.has(i) ? [line, this.cardLine(i)] : [line];
  }

  // A box to pick the row with; what is picked is what is saved.
  picker(i) {
    const box = element("input", { type: "checkbox", className: "sd-pick" });
    box.setAttribute("aria-label", `Pick ${this.rows[i][0]}`);
    box.addEventListener("change", () => {
      if (box.checked) this.picked.add(i); else this.picked.delete(i);
      this.say();
    });
    return box;
  }

  chosen() {
    return this.picked.size ? [...this.picked].sort((a, b) => a - b) : this.found;
  }

  open(i) {
    if (!this.opened.delete(i)) this.opened.add(i);
    this.lines[i].querySelector(".sd-opener").setAttribute("aria-expanded", String(this.opened.has(i)));
    if (this.opened.has(i)) this.lines[i].after(this.cardLine(i));
    else this.lines[i].nextElementSibling?.remove();
  }

  cardLine(i) {
    const line = element("tr", { className: "sd-card-line" });
    const cell = element("td", { colSpan: this.heads.size });
    cell.append(card(this.columns, this.rows[i], this.logo && { ...this.logo, top: this.tallest() }));
    line.append(cell);
    return line;
  }

  // The largest contribution of all rows, so that their logos have one axis.
  tallest() {
    const at = this.columns.findIndex((c) => c.key === "contributions");
    this.top ??= this.rows.reduce((top, row) => numbersOf(row[at]).reduce((a, b) => Math.max(a, Math.abs(b)), top), 0);
    return this.top || 1;
  }

  sequence() {
    return this.columns.findIndex((c) => c.sequence && c.shown);
  }

  long() {
    const at = this.sequence();
    return this.found.slice(0, ROWS_ON_PAPER).some((i) => String(this.rows[i][at] ?? "").length > LETTERS_ON_PAPER);
  }

  // Paper does not scroll, so a long sequence stands below its row there.
  paperLine(i, column) {
    const line = element("tr", { className: "sd-paper-line" });
    const cell = element("td", { colSpan: this.heads.size });
    const edits = this.columns[column].edits && this.value(i, this.columns[column].edits);
    const text = this.rows[i][column];
    cell.append(edits ? marked(text, edits.split(","), this.columns[column].first) : element("code", { textContent: text }));
    line.append(cell);
    return line;
  }

  line(i) {
    const line = element("tr", {});
    this.columns.forEach((column, j) => {
      if (!column.shown) return;
      const cell = element(line.children.length ? "td" : "th", {});
      if (cell.tagName === "TH") cell.scope = "row";
      if (column.sequence) cell.className = "sd-sequence";
      else if (column.number) cell.className = "sd-number";
      if (cell.tagName === "TD") cell.dataset.label = column.heading;
      const edits = column.edits && this.value(i, column.edits);
      const text = formatted(this.rows[i][j], column.spec);
      if (edits) cell.append(marked(this.rows[i][j], edits.split(","), column.first));
      else if (column.sequence) cell.append(element("code", { textContent: text }));
      else cell.textContent = text;
      const small = column.below && this.value(i, column.below);
      if (small) cell.append(element("small", { textContent: listed(small) }));
      if (column.bar && this.rows[i][j] !== null) {
        cell.append(bar(column.bar, this.rows[i][j], this.value(i, column.bar.low), this.value(i, column.bar.high)));
      }
      line.append(cell);
    });
    return line;
  }

  value(i, key) {
    return this.rows[i][this.columns.findIndex((c) => c.key === key)] ?? null;
  }

  fasta() {
    const at = this.columns.findIndex((c) => c.sequence);
    return this.chosen().map((i) => {
      const fields = this.columns.flatMap((c, j) => {
        const value = this.rows[i][j];
        return j === 0 || j === at || value === null || value === "" || /[\s="]/.test(c.key) ? []
          : [`${c.key}=${quoted(value)}`];
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
    const lines = this.chosen().map((i) => written.map((j) => cell(this.rows[i][j])).join(","));
    return [written.map((j) => cell(this.columns[j].key)).join(","), ...lines, ""].join("\n");
  }

  save(suffix, text) {
    saveText(`${this.box.dataset.name}.${suffix}`, text);
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

// As tables.listed: the first of many edits, with blanks between them.
function listed(text) {
  const all = String(text).split(",");
  return all.length > 8 ? `${all.slice(0, 6).join(" ")} and ${all.length - 6} more` : all.join(" ");
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function button(text, act) {
  const made = element("button", { type: "button", textContent: text });
  made.addEventListener("click", act);
  return made;
}

function saveText(name, text) {
  const link = element("a", { download: name });
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function count(number) {
  return number.toLocaleString("en");
}

// As bars.bar_html: the measured range, an interval, a dot.
function bar({ span, measured }, value, low, high) {
  const place = (at) => (100 * (at - span[0])) / (span[1] - span[0]);
  const box = element("span", { className: "sd-bar" });
  box.setAttribute("aria-hidden", "true");
  const stretch = (name, from, to) => {
    const part = element("i", { className: name });
    part.style.left = `${place(from).toFixed(1)}%`;
    if (to !== undefined) part.style.width = `${Math.max(place(to) - place(from), 0.5).toFixed(1)}%`;
    box.append(part);
  };
  if (measured) stretch("m", ...measured);
  if (low !== null || high !== null) stretch("w", low ?? span[0], high ?? span[1]);
  stretch("v", value);
  return box;
}

// Header fields as seqdesign reads them: quoted where there is a blank or a quote.
function quoted(value) {
  const text = String(value);
  return /[\s"\\]/.test(text) ? `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"` : text;
}

// A sequence with its edits marked; positions are those of the sequence before the edits.
function marked(sequence, edits, first) {
  const code = element("code", { className: "sd-diff" });
  for (const { kind, edit, text } of pieces(sequence, edits, first)) {
    if (kind === "keep") code.append(text);
    else {
      const mark = element({ ins: "ins", del: "del" }[kind] ?? "b", { textContent: text });
      if (kind === "sub") mark.title = edit;
      code.append(mark);
    }
  }
  return code;
}

// The sequence as pieces that were kept, substituted, inserted or deleted, from edits such as A5G and del8A.
function pieces(sequence, edits, first) {
  const found = [];
  let [at, position] = [0, first];
  for (const edit of edits) {
    const [, word, old, place, letter] = /^(?:(ins|del)|(.))(-?\d+)(.)$/su.exec(edit);
    const keep = place - position;
    if (keep) found.push({ kind: "keep", position, text: sequence.slice(at, at + keep) });
    found.push({ kind: word ?? "sub", position: Number(place), edit, old, text: letter });
    at += keep + (word !== "del");
    position += keep + (word !== "ins");
  }
  if (at < sequence.length) found.push({ kind: "keep", position, text: sequence.slice(at) });
  return found;
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

