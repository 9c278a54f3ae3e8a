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
  const show = (event) => {
    const point = event.target.closest?.("[data-tip]");
    tip.hidden = !point;
    if (!point) return;
    tip.textContent = point.dataset.tip;
    const box = point.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(box.right + 8, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(4, box.top - tip.offsetHeight - 4)}px`;
  };
  document.addEventListener("pointerover", show);
  document.addEventListener("pointerdown", show);
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
}
