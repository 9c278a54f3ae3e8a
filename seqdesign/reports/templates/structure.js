// A molecule turns: by the pointer, by the arrow keys, and by buttons.

const TURN = Math.PI / 12;

function startStructure(figure) {
  const group = figure.querySelector(".sd-molecule");
  if (!group) return;
  const scale = Number(group.dataset.scale);
  const [x0, y0] = group.dataset.middle.split(" ").map(Number);
  const parts = [...group.children];
  const numbers = (part) => part.dataset.at.split(" ").map(Number);
  const residues = parts.filter((part) => part.classList.contains("sd-residue"));
  // Parts lie by depth; the order of the chain is that of the numbers that Python gave them.
  residues.sort((a, b) => Number(a.dataset.order) - Number(b.dataset.order));
  const places = residues.map(numbers);
  const thin = parts.filter((part) => part.classList.contains("sd-thin"));
  let turned = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
  const apply = ([x, y, z]) => turned.map((row) => row[0] * x + row[1] * y + row[2] * z);
  const draw = () => {
    const now = places.map(apply);
    const flat = now.map(([x, y]) => [x0 + x * scale, y0 - y * scale]);
    const half = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const order = [];
    residues.forEach((residue, i) => {
      const ends = [flat[i]];
      if (residue.dataset.joined === "1") ends.unshift(half(flat[i - 1], flat[i]));
      if (residues[i + 1]?.dataset.joined === "1") ends.push(half(flat[i], flat[i + 1]));
      const path = "M" + ends.map((end) => end.map((v) => v.toFixed(1)).join(" ")).join("L") + (ends.length > 1 ? "" : "h0");
      for (const line of residue.querySelectorAll("path")) line.setAttribute("d", path);
      order.push([now[i][2], residue]);
    });
    for (const part of thin) {
      const at = numbers(part);
      const [a, b] = [apply(at.slice(0, 3)), apply(at.slice(3))];
      part.firstChild.setAttribute("d", `M${x0 + a[0] * scale} ${y0 - a[1] * scale}L${x0 + b[0] * scale} ${y0 - b[1] * scale}`);
      order.push([(a[2] + b[2]) / 2, part]);
    }
    group.append(...order.sort((a, b) => a[0] - b[0]).map(([, part]) => part));
  };
  const turn = (across, down) => {
    const [c, s, d, t] = [Math.cos(across), Math.sin(across), Math.cos(down), Math.sin(down)];
    const step = [[c, 0, s], [t * s, d, -t * c], [-d * s, t, d * c]];
    turned = step.map((row) => [0, 1, 2].map((j) => row[0] * turned[0][j] + row[1] * turned[1][j] + row[2] * turned[2][j]));
    requestAnimationFrame(draw);
  };
  const tools = element("div", { className: "sd-turn" });
  for (const [name, sign, across, down] of [["left", "\u2190", -TURN, 0], ["right", "\u2192", TURN, 0],
    ["up", "\u2191", 0, -TURN], ["down", "\u2193", 0, TURN]]) {
    const made = button(sign, () => turn(across, down));
    made.setAttribute("aria-label", `Turn the molecule ${name}`);
    tools.append(made);
  }
  figure.querySelector("figcaption").before(tools);
  const box = figure.querySelector(".sd-scroll");
  box.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, -TURN], ArrowDown: [0, TURN] }[event.key];
    if (by) { turn(...by); event.preventDefault(); }
  });
  let from = null;
  group.closest("svg").addEventListener("pointerdown", (event) => { from = [event.clientX, event.clientY]; });
  addEventListener("pointerup", () => { from = null; });
  addEventListener("pointermove", (event) => {
    if (!from) return;
    turn((event.clientX - from[0]) / 120, (event.clientY - from[1]) / 120);
    from = [event.clientX, event.clientY];
  });
}
