// Each figure can be saved as SVG and as CSV; what a point is, is said where the pointer is.

function startFigure(figure) {
  const picture = figure.querySelector("svg");
  if (!picture) return;
  const name = (picture.querySelector("title")?.textContent ?? "figure").toLowerCase()
    .replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "figure";
  const tools = element("div", { className: "sd-save" });
  tools.append(button("SVG", () => saveText(`${name}.svg`, standalone(picture))));
  tools.firstChild.setAttribute("aria-label", `Save the figure ${name} as SVG`);
  const data = figure.querySelector('script[type="text/csv"]');
  if (data && "DecompressionStream" in window) {
    tools.append(button("CSV", async () => saveText(`${name}.csv`, await unpack(data.textContent))));
    tools.lastChild.setAttribute("aria-label", `Save the numbers of ${name} as CSV`);
  }
  figure.append(tools);
}

// Light colours written out, white ground: many programs do not know CSS variables.
function standalone(picture) {
  const copy = picture.cloneNode(true);
  copy.setAttribute("style", "background:#ffffff");
  for (const point of copy.querySelectorAll("[data-tip]")) {
    point.append(svg("title", {}, point.dataset.tip));
    point.removeAttribute("data-tip");
  }
  const text = new XMLSerializer().serializeToString(copy);
  return '<?xml version="1.0" encoding="UTF-8"?>\n' + text.replace(/var\(--[\w-]+,([^()]*)\)/g, "$1");
}

// Titles of points become a note that opens at once, by touch too; without a script the browser shows them.
function startTips() {
  for (const title of document.querySelectorAll(".sd-points title")) {
    title.parentNode.dataset.tip = title.textContent;
    title.remove();
  }
  const tip = element("div", { className: "sd-tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  const say = (text, x, y) => {
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.max(4, Math.min(x + 8, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, y - tip.offsetHeight - 4)}px`;
  };
  const show = (event) => {
    const point = event.target.closest?.("[data-tip]");
    const box = point?.getBoundingClientRect();
    say(point?.dataset.tip, box?.right, box?.top);
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  for (const dots of document.querySelectorAll(".sd-dots")) startDots(dots, say);
}

// Of many points only the places are in the drawing; what each is stands in the numbers of the figure.
function startDots(dots, say) {
  const picture = dots.closest("svg");
  const source = picture.closest("figure")?.querySelector('script[type="text/csv"]');
  if (!source || !("DecompressionStream" in window)) return;
  let known = null;
  const load = async () => {
    const [head, ...rows] = csvRows(await unpack(source.textContent));
    const places = [...dots.querySelectorAll("path")].flatMap((path) =>
      [...path.getAttribute("d").matchAll(/M([-\d.]+) ([-\d.]+)h0/g)].map((found) => [Number(found[1]), Number(found[2])]));
    return places.map((place, i) => [place, `${rows[i][0]}: ` +
      rows[i].slice(1).map((cell, j) => `${head[j + 1]} ${cell || "none"}`).join(", ")]);
  };
  const near = async (event) => {
    known ??= load();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(picture.getScreenCTM().inverse());
    let best = [64, ""];
    for (const [[x, y], text] of await known) {
      const off = (x - at.x) ** 2 + (y - at.y) ** 2;
      if (off < best[0]) best = [off, text];
    }
    say(best[1], event.clientX, event.clientY);
  };
  for (const name of ["pointermove", "pointerdown"]) picture.addEventListener(name, near);
  picture.addEventListener("pointerleave", () => say(""));
}

// The rows of a table as text.
function csvRows(text) {
  return text.trimEnd().split("\n").map((line) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain));
}
